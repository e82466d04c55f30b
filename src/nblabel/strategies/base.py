"""Query strategies: predictions and features to one utility per candidate.

Scoring is pure and swappable; picking, with ties broken under a seed, is `pick`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelOutputError

#: The largest single-precision number below 1.
BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))
#: So many items at a time are looked for among equal ones.
_BLOCK = 1 << 17


class Rows(Protocol):
    """Rows of a matrix that are made when asked for: ask for those you need.

    ``np.asarray`` makes all of them.
    """

    shape: tuple[int, int]

    def __len__(self) -> int: ...

    def __getitem__(self, places: Any) -> NDArray[np.float32]:
        """Return the rows at an array of places, in its order."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]: ...


@dataclass(frozen=True)
class Context:
    """What a strategy may look at.

    Attributes
    ----------
    candidates : ndarray of shape (n_candidates,), int
        Places in the pool that may be asked.
    proba : ndarray of shape (n_candidates, n_classes), float32, or None
        Class probabilities of the candidates; None before the first training. Made when asked for
        where `pool_proba` is given.
    classes : tuple of str
    features : ndarray or `Rows` of shape (n_items, n_dimensions), float32, or None
        Dense embedding of the whole pool, rows of length one. ``features[places]`` gives rows;
        of a large pool they are made when asked for.
    labeled : ndarray of shape (n_labels,), int
        Places of the labeled items.
    labels : tuple
        Their values.
    batch : int
        How many items are asked between two trainings.
    seed : int
    committee : ndarray of shape (n_members, n_candidates, n_classes), float32, or None
        Class probabilities by several models; only for a strategy that requires them.
    probabilistic : bool
        Whether `proba` are probabilities; else they only order, and are not to be said: those of a
        model that gives none, and those of the default engine, which treats classes alike.
    """

    candidates: NDArray[np.intp]
    # A factory, so that the class itself has no `proba` that would answer for a missing one.
    proba: NDArray[np.float32] | None = field(default_factory=lambda: None)
    classes: tuple[str, ...] = ()
    features: NDArray[np.float32] | Rows | None = None
    labeled: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    labels: tuple[Any, ...] = ()
    batch: int = 10
    seed: int = 0
    committee: NDArray[np.float32] | None = None
    pool_proba: NDArray[np.float32] | None = None
    probabilistic: bool = True

    def __post_init__(self) -> None:
        if self.proba is None and self.pool_proba is not None:
            del self.__dict__["proba"]  # for `__getattr__` to make it

    def __getattr__(self, name: str) -> Any:
        if name == "proba" and self.pool_proba is not None:
            made = np.take(self.pool_proba, self.candidates, axis=0)
            self.__dict__["proba"] = made
            return made
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def has_proba(self) -> bool:
        """Whether there are probabilities; asking for `proba` may copy them."""
        return self.pool_proba is not None or self.proba is not None

    def by_row(
        self, function: Callable[[NDArray[np.float32]], NDArray[np.floating[Any]]]
    ) -> NDArray[np.floating[Any]]:
        """Return one number per candidate by a function that looks at each row of `proba` alone.

        Parameters
        ----------
        function : callable
            Rows of probabilities to one number a row.
        """
        if self.pool_proba is not None:
            # Not `np.take`, which copies places that are read-only.
            return function(self.pool_proba)[self.candidates]
        assert self.proba is not None, "requires proba"
        return function(self.proba)

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
    reason_by_order : str, optional
        Said in place of `reason` where a model gives scores that are no probabilities.
    probabilities : callable, optional
        For a strategy that samples: ``probabilities(context, drawn)`` returns for the first of
        its order (`drawn`, ndarray of int, places among the candidates, the first to be asked
        first) the probability of each given those before it, an ndarray of the same shape; NaN
        where chance had no say. Recorded with each label, as `Shown.probability`.
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


def checked_utilities(strategy: QueryStrategy, utilities: Any, n: int) -> NDArray[Any]:
    """Return what a strategy made of n candidates, as an array.

    Raises
    ------
    ModelOutputError
        If it is not one number for each, or puts none before another.
    """
    said = f"strategy {strategy.name!r} gave utilities"
    made = np.asarray(utilities)
    if made.shape != (n,):
        raise ModelOutputError(
            f"{said} of shape {made.shape}, expected ({n},): how useful each candidate is, not "
            "which ones to ask"
        )
    if made.dtype.kind not in "fiub":
        raise ModelOutputError(f"{said} of type {made.dtype}; they must be numbers")
    if np.ma.is_masked(utilities):
        raise ModelOutputError(f"{said} with a mask; what is not to be asked has -inf")
    if made.dtype.kind == "f" and not np.any(made > -np.inf):
        raise ModelOutputError(
            f"strategy {strategy.name!r} gave no candidate a utility: all are NaN or -inf"
        )
    return made


def probabilities_of(
    strategy: QueryStrategy, context: Context, drawn: NDArray[np.intp]
) -> NDArray[np.float64] | None:
    """Return the probability of each draw, None where the strategy does not sample.

    Raises
    ------
    ModelOutputError
        If it is not one number for each, above 0 and at most 1, or NaN.
    """
    probabilities = getattr(strategy, "probabilities", None)
    if not callable(probabilities):
        return None
    said = f"strategy {strategy.name!r} gave probabilities"
    made, n = np.asarray(probabilities(context, drawn)), len(drawn)
    if made.shape != (n,):
        raise ModelOutputError(f"{said} of shape {made.shape}, expected ({n},): one for each draw")
    if made.dtype.kind not in "fiu":
        raise ModelOutputError(f"{said} of type {made.dtype}; they must be numbers")
    made = made.astype(np.float64)
    wrong = made[(made <= 0.0) | (made > 1.0)]
    if len(wrong):
        raise ModelOutputError(f"{said} such as {wrong[0]:g}; what was drawn has one in (0, 1]")
    return made


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
    values = np.asarray(utilities)
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    if np.isnan(values.min(initial=0)):
        values = np.where(np.isnan(values), -np.inf, values)
    above, equal = _split(values, k)
    left = min(k, len(values)) - len(above)
    if left > 0:
        ranks = rng.choice(np.count_nonzero(equal), left, replace=False)
        above = np.concatenate([above, _places(equal, ranks)])
    top = rng.permutation(above)
    return top[np.argsort(-values[top], kind="stable")]


def largest(values: NDArray[np.floating[Any]], k: int) -> NDArray[np.intp]:
    """Return the places of the k largest values, best first; of equal ones the first.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Without NaN.
    k : int
    """
    above, equal = _split(values, k)
    left = min(k, len(values)) - len(above)
    top = np.sort(np.concatenate([above, _places(equal, np.arange(left))]))
    return top[np.argsort(-values[top], kind="stable")]


def _split(values: NDArray[np.floating[Any]], k: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the places of what is above the k-th largest value, and a mask of what equals it."""
    if k >= len(values) or k <= 0:
        every = np.arange(len(values) if k > 0 else 0)
        return every, np.zeros(len(values), dtype=bool)
    # Most values need no second look: about four times k are above a quantile of some of them. If
    # it is too high, the k-th largest of these, at least k, is a sure lower bound.
    per_one = len(values) // k
    some = values[:: min(per_one, max(math.isqrt(per_one), k // 16))]
    for place in (min(k, 4 * -(-k * len(some) // len(values))), k):
        border = np.partition(some, len(some) - place)[len(some) - place]
        above = np.flatnonzero(values > border)
        if len(above) >= k:
            high = values[above]
            border = np.partition(high, len(high) - k)[len(high) - k]
            return above[high > border], values == border
        equal = values == border
        if len(above) + np.count_nonzero(equal) >= k:  # many are equal: no need to sort them
            break
    return above, equal


def _places(mask: NDArray[np.bool_], ranks: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where the mask is true for the ranks-th time, without a list of all such places."""
    places = np.empty(len(ranks), dtype=np.intp)
    seen = 0
    for start in range(0, len(mask), _BLOCK):
        inside = np.flatnonzero(mask[start : start + _BLOCK])
        here = (seen <= ranks) & (ranks < seen + len(inside))
        places[here] = start + inside[ranks[here] - seen]
        seen += len(inside)
    return places


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
