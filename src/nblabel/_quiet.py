"""Silence warnings in one thread only.

``warnings.catch_warnings`` swaps the filters of the whole process: two threads that overlap in it
leave each other's filters behind, and a cell that collects warnings would miss its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_QUIET: ContextVar[tuple[type[Warning], ...]] = ContextVar("quiet", default=())


class _ByThread(type):
    def __subclasscheck__(cls, category: type) -> bool:
        return type.__subclasscheck__(cls, category) or issubclass(category, _QUIET.get())


class QuietWarning(Warning, metaclass=_ByThread):
    """Stands, in the one filter, for whatever is silent in the thread that asks."""


@contextmanager
def quiet(*categories: type[Warning]) -> Iterator[None]:
    """Ignore warnings of some categories in this thread, as long as it is inside.

    Parameters
    ----------
    *categories : Warning classes
    """
    _install()
    token = _QUIET.set((*_QUIET.get(), *categories))
    try:
        yield
    finally:
        _QUIET.reset(token)


def _install() -> None:
    # Anew where it is gone: who leaves a `catch_warnings` brings back the filters of before.
    if not any(entry[2] is QuietWarning for entry in list(warnings.filters)):
        warnings.simplefilter("ignore", QuietWarning)
