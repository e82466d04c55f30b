"""Certificates: machine labels with a proven bound on their errors.

A set of n items has machine labels, W of which are wrong; nobody knows W. A person verifies the
items in a uniformly random order. After t of them S were wrong and are corrected, so W - S wrong
labels are left. `ErrorBound` bounds W from above at every t at once, so that one may look at any
time and stop at any time; `error_times` does so for all sets that go from the surest item to some
cut, so that the cut may be chosen after it was seen where the errors are. What the model believes
decides how much work there is, never whether the bound holds: the items are fixed, and only the
order is random.
"""

from __future__ import annotations

from .attempts import FORMS, NOTICED, Attempt, Certificate, Evidence, Terms, Trial, noticed
from .bound import ErrorBound, all_errors, error_times, miss_bound, spent, spread
from .choice import Choice, choose, expected_audits, observed_to_expected

__all__ = [
    "FORMS",
    "NOTICED",
    "Attempt",
    "Certificate",
    "Choice",
    "ErrorBound",
    "Evidence",
    "Terms",
    "Trial",
    "all_errors",
    "choose",
    "error_times",
    "expected_audits",
    "miss_bound",
    "noticed",
    "observed_to_expected",
    "spent",
    "spread",
]
