"""Query strategies: predictions and features to one utility per candidate.

Scoring is pure and swappable; picking, with ties broken under a seed, is `pick`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Context:
    """What a strategy may look at.

    Attributes
    ----------
    candidates : ndarray of shape (n_candidates,), int
        Places in the pool that may be asked.
    proba : ndarray of shape (n_candidates, n_classes), float32, or None
        Class probabilities of the candidates; None before the first training.
    classes : tuple of str
    features : ndarray of shape (n_items, n_dimensions), float32, or None
        Dense embedding of the whole pool, rows of length one.
    labeled : ndarray of shape (n_labels,), int
        Places of the labeled items.
    labels : tuple
        Their values.
    batch : int
        How many items are asked between two trainings.
    seed : int
    committee : ndarray of shape (n_members, n_candidates, n_classes), float32, or None
        Class probabilities by several models; only for a strategy that requires them.
    """

    candidates: NDArray[np.intp]
    proba: NDArray[np.float32] | None = None
    classes: tuple[str, ...] = ()
    features: NDArray[np.float32] | None = None
    labeled: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    labels: tuple[Any, ...] = ()
    batch: int = 10
    seed: int = 0
    committee: NDArray[np.float32] | None = None

    def rng(self) -> np.random.Generator:
        """Return a fresh generator under the context's seed."""
        return np.random.default_rng(self.seed)


@runtime_checkable
class QueryStrategy(Protocol):
    """Says how useful it would be to ask each candidate.

    Attributes
    ----------
    name : str
        Recorded with every label it asks for.
    requires : frozenset of str
        Subset of ``{"proba", "features", "committee"}``; checked when the session is built.
    aim : str, optional
        What it is doing, in a few words for the status line.
    """

    name: str
    requires: frozenset[str]

    def utilities(self, context: Context) -> NDArray[np.floating[Any]]:
        """Return one utility per candidate, the larger the sooner it is asked.

        Returns
        -------
        ndarray of shape (n_candidates,)
        """

    def reason(self, utility: float) -> str:
        """Say in a few words why an item with this utility is asked."""


def pick(utilities: NDArray[Any], k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the places of the k largest utilities, best first; ties at random.

    Parameters
    ----------
    utilities : ndarray of shape (n_candidates,)
        NaN counts as the smallest.
    k : int
    rng : Generator
        Breaks ties.

    Returns
    -------
    ndarray of shape (min(k, n_candidates),), int
    """
    values = np.nan_to_num(
        np.asarray(utilities, dtype=np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf
    )
    k = min(k, len(values))
    if k <= 0:
        return np.empty(0, dtype=np.intp)
    shuffled = rng.permutation(len(values))
    values = values[shuffled]
    if k < len(values):
        top = np.argpartition(-values, k - 1)[:k]
        # argpartition is free to choose among ties at the border: take them in shuffled order.
        border = values[top].min()
        above = np.flatnonzero(values > border)
        equal = np.flatnonzero(values == border)[: k - len(above)]
        top = np.concatenate([above, equal])
    else:
        top = np.arange(len(values))
    order = np.argsort(-values[top], kind="stable")
    return shuffled[top[order]]


class Random:
    """Uniform: the baseline that every strategy is held against."""

    name = "random"
    aim = "asking at random"
    requires: frozenset[str] = frozenset()

    def utilities(self, context: Context) -> NDArray[np.float64]:
        """Return random numbers."""
        return context.rng().random(len(context.candidates))

    def reason(self, utility: float) -> str:
        """Say why."""
        return "drawn at random"
