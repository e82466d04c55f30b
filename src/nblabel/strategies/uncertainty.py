"""Uncertainty sampling: ask what the model is least sure of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from .base import Context

#: Rows that are worked on at once.
_BLOCK = 1 << 12
#: From so many classes on they are turned by fours.
_MANY = 24


class LeastConfidence:
    """One minus the probability of the most probable class (Lewis and Gale, SIGIR 1994)."""

    name = "least_confidence"
    aim = "asking what the model is least confident of"
    reason_by_order = "the model is least confident here"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return ``1 - max p``."""
        return context.by_row(lambda proba: 1.0 - proba.max(axis=1))

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model is least confident here ({1 - utility:.2f})"


class Margin:
    """Best against second best, also called breaking ties (Scheffer et al., IDA 2001)."""

    name = "margin"
    aim = "asking what the model is least sure of"
    reason_by_order = "the model is least sure here"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return ``1 - (p1 - p2)``."""
        return 1.0 - context.by_row(margins)

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model is least sure here (margin {1 - utility:.2f})"


class Entropy:
    """Entropy of the predicted classes (Shannon 1948; Settles 2009, section 3.1)."""

    name = "entropy"
    aim = "asking where the model wavers"
    reason_by_order = "the model wavers most here"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return the entropy in nats."""
        return context.by_row(_entropies)

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model wavers most here (entropy {utility:.2f})"


class Committee:
    """Disagreement of several models: query by committee (Seung, Opper, Sompolinsky, COLT 1992).

    Mean Kullback-Leibler divergence of the members from their mean (McCallum and Nigam, ICML 1998).
    The members are one model for each view of the pool, else models on bootstrap samples.
    """

    name = "committee"
    aim = "asking where the models disagree"
    requires = frozenset({"committee"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return the mean divergence, in nats."""
        assert context.committee is not None, "requires committee"
        members = np.clip(context.committee, 1e-9, 1.0)
        mean = members.mean(axis=0)
        divergence = (members * np.log(members / mean)).sum(axis=2).mean(axis=0)
        return np.asarray(divergence, dtype=np.float64)

    def reason(self, utility: float) -> str:
        """Say why."""
        said = "disagree" if utility >= 0.005 else "agree"
        return f"the models {said} here ({utility:.2f})"


def _entropies(proba: NDArray[np.float32]) -> NDArray[np.float32]:
    made = np.empty(len(proba), dtype=proba.dtype)
    for start in range(0, len(proba), _BLOCK):
        part = np.clip(proba[start : start + _BLOCK], 1e-12, 1.0)
        made[start : start + _BLOCK] = -(part * np.log(part)).sum(axis=1)
    return made


def margins(proba: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the difference of the two largest probabilities of each row."""
    if proba.shape[1] < 2:
        return np.ones(len(proba), dtype=np.float32)
    if proba.shape[1] == 2:
        difference = proba[:, 1] - proba[:, 0]
        return np.abs(difference, out=difference)
    made = np.empty(len(proba), dtype=proba.dtype)
    for start in range(0, len(proba), _BLOCK):
        best, next_best = _two_largest(_by_class(proba[start : start + _BLOCK]))
        np.subtract(best, next_best, out=made[start : start + _BLOCK])
    return made


def _by_class(proba: NDArray[np.float32]) -> Iterable[NDArray[np.float32]]:
    """Return arrays of one number a row, whose two largest are the two largest of the row."""
    whole = proba.shape[1] // 4 * 4
    if whole < _MANY or proba.dtype != np.float32:
        return np.ascontiguousarray(proba.T)
    # To turn them is most of the work: four classes at a time, as if they were one long number.
    fours = np.ascontiguousarray(proba[:, :whole]).view(np.complex128)
    best, next_best = _two_largest(np.ascontiguousarray(fours.T).view(np.float32))
    return [*best.reshape(-1, 4).T, *next_best.reshape(-1, 4).T, *proba[:, whole:].T]


def _two_largest(
    classes: Iterable[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    # Class by class: several times as fast as a partition of each row.
    first, second, *others = classes
    best, next_best = np.maximum(first, second), np.minimum(first, second)
    for other in others:
        np.maximum(next_best, np.minimum(best, other), out=next_best)
        np.maximum(best, other, out=best)
    return best, next_best
