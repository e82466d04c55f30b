"""Conformance exams for parts of your own, and a fake browser.

Every exam raises AssertionError with a sentence that says what the part got wrong::

    from nblabel.testing import check_strategy

    def test_my_strategy():
        check_strategy(MyStrategy())
"""

from .exams import check_renderer, check_store, check_strategy, check_suggester, check_task
from .page import FakePage

__all__ = [
    "FakePage",
    "check_renderer",
    "check_store",
    "check_strategy",
    "check_suggester",
    "check_task",
]
