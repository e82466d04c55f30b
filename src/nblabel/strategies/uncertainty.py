"""Uncertainty sampling: ask what the model is least sure of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .base import Context


def _proba(context: Context) -> NDArray[np.float32]:
    assert context.proba is not None, "requires proba"
    return context.proba


class LeastConfidence:
    """One minus the probability of the most probable class (Lewis and Gale, SIGIR 1994)."""

    name = "least_confidence"
    aim = "asking what the model is least confident of"
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
    aim = "asking what the model is least sure of"
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
    aim = "asking where the model wavers"
    requires = frozenset({"proba"})

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return the entropy in nats."""
        proba = np.clip(_proba(context), 1e-12, 1.0)
        return -(proba * np.log(proba)).sum(axis=1)

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
        return f"the models disagree here ({utility:.2f})"


def margins(proba: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the difference of the two largest probabilities of each row."""
    if proba.shape[1] < 2:
        return np.ones(len(proba), dtype=np.float32)
    top = np.partition(proba, proba.shape[1] - 2, axis=1)
    return top[:, -1] - top[:, -2]
