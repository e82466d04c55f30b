"""Pairs of single items: all of them are there, none is made before it is asked for."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .errors import DataError
from .pool import Pool, digest

#: Each of so many items is paired with every other; a later one with fewer of those before it, at
#: random: about ``ALL_PAIRED ** 2 / place``, and at least `LEAST_PARTNERS`.
ALL_PAIRED = 300
LEAST_PARTNERS = 4


class Lookup(Sequence[Any]):
    """A sequence whose entries are made when they are asked for.

    Parameters
    ----------
    n : int
    make : callable
        From a place to the entry.
    """

    def __init__(self, n: int, make: Callable[[int], Any]) -> None:
        self._n = n
        self._make = make

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._make(k) for k in range(*place.indices(self._n))]
        k = int(place)
        if not -self._n <= k < self._n:
            raise IndexError(f"There are {self._n} entries, got the place {k}.")
        return self._make(k % self._n)


class PairPool(Pool):
    """Which pairs of the items of a pool there are; kept as two numbers each.

    The pair of two items has the id ``["a", "b"]`` (JSON of both ids), in the order of the data.
    Up to `ALL_PAIRED` items all pairs are there, n (n - 1) / 2; of more a random part, which grows
    with n log n and in which every item has many partners. Items that are added bring their pairs
    with them behind those that are there.

    Parameters
    ----------
    singles : Pool

    Attributes
    ----------
    singles : Pool
    first, second : ndarray of shape (n_pairs,), int32
        Places of the items in `singles`; ``first < second``.

    Raises
    ------
    DataError
        If there are fewer than two items.
    """

    def __init__(self, singles: Pool) -> None:
        if len(singles) < 2:
            raise DataError("Pairs need at least two items.")
        self.singles = singles
        self.first, self.second, self._bounds = _paired(len(singles))
        self.field = self.frame = None
        self.ids: Any = Lookup(len(self.first), self._id)
        self.values: Any = Lookup(len(self.first), self._value)
        unique = singles.index.is_unique
        level = singles.index if unique else pd.Index(singles.ids)
        names = ["first", "second"]
        self.index = pd.MultiIndex(
            [level, level], [self.first, self.second], names=names, verify_integrity=False
        )
        self._digests: dict[tuple[int, bool], str | None] = {}

    @property
    def places(self) -> Mapping[str, int]:
        """Position by the id of a pair."""
        return _Places(self)

    @property
    def is_positional(self) -> bool:
        """Whether ids only count the items."""
        return self.singles.is_positional

    @property
    def enough(self) -> int:
        """Comparisons that put the items into order without a model: n log2 n, at most all."""
        n = len(self.singles)
        return min(len(self.first), math.ceil(n * math.log2(n)))

    def item(self, position: int) -> tuple[Any, Any]:
        """Return both items of a pair."""
        made: tuple[Any, Any] = self.values[position]
        return made

    def digest(self, position: int, *, plain: bool = False) -> str | None:
        """Digest of the content of both."""
        parts = [self._digest(int(side[position]), plain) for side in (self.first, self.second)]
        return None if None in parts else digest(json.dumps(parts).encode())

    def joined(self, more: Pool) -> PairPool:
        """Return the pairs of these items and further ones.

        Raises
        ------
        DataError
            As `Pool.joined` does.
        """
        return PairPool(self.singles.joined(more))

    def pair(self, item: str) -> tuple[int, int] | None:
        """Return the places of both items of an id, None if it is no pair of this pool."""
        try:
            one, other = json.loads(item)
            places = self.singles.places[one], self.singles.places[other]
        except (ValueError, TypeError, KeyError):
            return None
        return places

    def _digest(self, place: int, plain: bool) -> str | None:
        if (place, plain) not in self._digests:
            self._digests[place, plain] = self.singles.digest(place, plain=plain)
        return self._digests[place, plain]

    def _id(self, position: int) -> str:
        ids = self.singles.ids
        return json.dumps([ids[self.first[position]], ids[self.second[position]]])

    def _value(self, position: int) -> tuple[Any, Any]:
        one, other = int(self.first[position]), int(self.second[position])
        return self.singles.item(one), self.singles.item(other)


class _Places(Mapping[str, int]):
    def __init__(self, pool: PairPool) -> None:
        self._pool = pool

    def __getitem__(self, item: str) -> int:
        pool = self._pool
        places = pool.pair(item)
        if places is not None and places[0] < places[1]:
            low, high = pool._bounds[places[1]], pool._bounds[places[1] + 1]
            found = int(low + np.searchsorted(pool.first[low:high], places[0]))
            if found < high and pool.first[found] == places[0]:
                return found
        raise KeyError(item)

    def __iter__(self) -> Iterator[str]:
        return iter(self._pool.ids)

    def __len__(self) -> int:
        return len(self._pool)


def _paired(n: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return first and second of each pair, by second, and where those of each second begin."""
    partners = []
    for place in range(n):
        k = max(LEAST_PARTNERS, ALL_PAIRED**2 // max(place, 1))
        if k >= place:
            partners.append(np.arange(place))
        else:
            # By the place alone: more items change nothing of what is there.
            rng = np.random.default_rng((place, 8))
            partners.append(np.sort(rng.choice(place, k, replace=False)))
    counts = np.array([len(some) for some in partners])
    bounds = np.concatenate([[0], np.cumsum(counts)])
    return (
        np.concatenate(partners).astype(np.int32),
        np.repeat(np.arange(n), counts).astype(np.int32),
        bounds,
    )


def items_of(pool: Pool) -> Pool:
    """Return the pool of single items: of pairs that are made of them those, else the pool."""
    return pool.singles if isinstance(pool, PairPool) else pool


def n_sides(target_type: str, pool: Pool) -> int:
    """Return how many rows of given features an item of a pool has: two where pairs were given."""
    return 2 if target_type == "pairwise" and not isinstance(pool, PairPool) else 1


def sides_of(
    pool: Pool, apart: bool = False
) -> tuple[Any, tuple[NDArray[np.int32], NDArray[np.int32]]]:
    """Return the items that the pairs of a pool hold, and which stand first and second.

    Parameters
    ----------
    pool : Pool
        Of pairs.
    apart : bool
        Whether the items of given pairs are all first ones, then all second, whatever they are.
    """
    if isinstance(pool, PairPool):
        return pool.singles.values, (pool.first, pool.second)
    if apart:
        items = [pair[k] for k in (0, 1) for pair in pool.values]
        places = np.arange(len(items), dtype=np.int32)
        return items, (places[: len(pool)], places[len(pool) :])
    found, first, second = same_items(pool.values)
    return found, (first, second)


def same_items(pairs: Iterable[Any]) -> tuple[list[Any], NDArray[np.int32], NDArray[np.int32]]:
    """Return the different items of pairs, and which of them stand first and second.

    Items are the same where their content is; what has no stable bytes is itself only.
    """
    items: list[Any] = []
    places: dict[str, int] = {}
    sides: list[list[int]] = [[], []]
    for pair in pairs:
        for side, part in zip(sides, pair, strict=True):
            key = f"text:{part}" if type(part) is str else digest(part)
            place = len(items) if key is None else places.setdefault(key, len(items))
            if place == len(items):
                items.append(part)
            side.append(place)
    return items, np.array(sides[0], dtype=np.int32), np.array(sides[1], dtype=np.int32)
