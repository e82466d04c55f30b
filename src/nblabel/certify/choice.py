"""What to put forward to be labeled by the machine: a heuristic that no bound rests on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

_SIZES = 60  # of candidate sets that are compared


@dataclass(frozen=True)
class Choice:
    """What to verify, by what the model believes. A heuristic: no bound rests on it.

    Attributes
    ----------
    machine : int
        Number of items, the surest ones, that the machine is to label.
    by_hand : int
        Items that are left for people.
    audits : int
        Items of those of the machine that are likely to be verified before the certificate is
        reached.
    errors : float
        Errors that are likely to be found among them.
    """

    machine: int
    by_hand: int
    audits: int
    errors: float

    @property
    def looks(self) -> int:
        """Items that a person would look at from now on."""
        return self.by_hand + self.audits

    @property
    def expected(self) -> float:
        """What `ErrorBound` is to expect: a little more than the model believes."""
        return self.errors + 0.5


def choose(
    error_probability: NDArray[np.floating[Any]], budget: int, delta: float, form: str = "pool"
) -> Choice:
    """Choose how many of the surest items to put forward, so that the fewest are looked at.

    Parameters
    ----------
    error_probability : ndarray of shape (n_items,), float
        Of the items without a label, what the model believes, the surest first.
    budget : int
        Errors that are allowed in all (``form="pool"``); of ``form="machine"`` the number that
        would be allowed if all of these items were labeled by the machine.
    delta : float
        That of the attempt.
    form : {"pool", "machine"}
    """
    n = len(error_probability)
    expected = np.concatenate([[0.0], np.cumsum(error_probability, dtype=float)])
    best = Choice(0, n, 0, 0.0)
    left = n - np.geomspace(1, max(n, 2), _SIZES).astype(int) + 1
    sizes = np.unique(np.concatenate([np.linspace(0, n, _SIZES + 1).astype(int), left]))
    for size in sizes[sizes > 0].tolist():
        allowed = budget if form == "pool" else budget * size // n
        audits = expected_audits(size, float(expected[size]), allowed, delta, form)
        spared = size - audits
        if audits and spared <= 2 * budget:  # half of it could go without any evidence
            continue
        if n - spared <= best.looks:
            best = Choice(size, n - size, audits, audits * float(expected[size]) / size)
    return best


def observed_to_expected(wrong: Sequence[int], doubt: Sequence[float]) -> float:
    """Return how many times as often a model was wrong as it believed, one added to both counts.

    Parameters
    ----------
    wrong : sequence of bool or int
        Of items that were labeled lately: whether the model before that was wrong; or how often.
    doubt : sequence of float
        What it believed to be wrong by.
    """
    return (sum(wrong) + 1) / (sum(doubt) + 1)


def expected_audits(
    n_items: int, errors: float, allowed: int, delta: float, form: str = "pool"
) -> int:
    """Return about how many items are verified until a certificate, if so many labels are wrong."""
    if n_items <= allowed and form == "pool":
        return 0
    t = np.unique(np.geomspace(1, n_items, 300).astype(int)).astype(float)
    found = t * errors / n_items
    limit = allowed if form == "pool" else allowed * (1 - t / n_items)
    null = np.minimum(limit + 1 + found, n_items)
    with np.errstate(invalid="ignore"):
        gain = _log_chance(errors, n_items, found, t) - _log_chance(null, n_items, found, t)
    enough = ((gain >= math.log(1 / delta)) & (null > errors)) | (n_items - t + found < null)
    return int(t[enough.argmax()]) if enough.any() else n_items


def _log_chance(errors: Any, n: int, found: Any, t: Any) -> Any:
    """Log probability of one sequence of t draws with so many errors, without replacement."""
    right = n - errors - (t - found)
    with np.errstate(invalid="ignore"):
        value = (
            special.gammaln(errors + 1) - special.gammaln(errors - found + 1)
            + special.gammaln(n - errors + 1) - special.gammaln(np.maximum(right, 0) + 1)
            + special.gammaln(n - t + 1) - special.gammaln(n + 1)
        )  # fmt: skip
    return np.where(right < 0, -np.inf, value)
