"""Uncertainty sampling: ask what the model is least sure of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import Context

#: Rows that are worked on at once.
_BLOCK = 1 << 14


def _proba(context: Context) -> NDArray[np.float32]:
    assert context.proba is not None, "requires proba"
    return context.proba


class LeastConfidence:
    """One minus the probability of the most probable class (Lewis and Gale, SIGIR 1994)."""

    name = "least_confidence"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return ``1 - max p``."""
        return 1.0 - _proba(context).max(axis=1)

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model is least confident here ({1 - utility:.2f})"


class Margin:
    """Best against second best, also called breaking ties (Scheffer et al., IDA 2001)."""

    name = "margin"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return ``1 - (p1 - p2)``."""
        return 1.0 - margins(_proba(context))

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model is least sure here (margin {1 - utility:.2f})"


class Entropy:
    """Entropy of the predicted classes (Shannon 1948; Settles 2009, section 3.1)."""

    name = "entropy"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return the entropy in nats."""
        proba = np.clip(_proba(context), 1e-12, 1.0)
        return -(proba * np.log(proba)).sum(axis=1)

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model wavers most here (entropy {utility:.2f})"


def margins(proba: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the difference of the two largest probabilities of each row."""
    if proba.shape[1] < 2:
        return np.ones(len(proba), dtype=np.float32)
    if proba.shape[1] == 2:
        return np.abs(proba[:, 1] - proba[:, 0])
    made = np.empty(len(proba), dtype=proba.dtype)
    for start in range(0, len(proba), _BLOCK):  # partition copies what it is given
        top = np.partition(proba[start : start + _BLOCK], proba.shape[1] - 2, axis=1)
        np.subtract(top[:, -1], top[:, -2], out=made[start : start + _BLOCK])
    return made
