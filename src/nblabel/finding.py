"""Finding items: like one, with some words, the same twice, and those that something is wrong with.

Pure functions over the contents and the features of a pool; they never look at labels.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.spatial import KDTree
from sklearn.feature_extraction.text import HashingVectorizer

from ._progress import report
from .errors import OptionError
from .pool import Pool
from .renderers import Renderer, is_missing, safe_view
from .renderers.text import as_text
from .suggest import (
    IN_NUMBERS,
    Embedding,
    Suggester,
    kind_of,
    learning_inputs,
    near_rows,
    take,
)

#: Jaccard similarity of the character 5-grams of two texts from which on they are near duplicates.
NEAR = 0.8
#: Share of the interquartile range of a column that numbers of near duplicates differ by at most.
NEAR_CELLS = 0.001
#: Signatures of texts: so many bands of so many minima find pairs at 0.8 with probability 0.9998.
BANDS, ROWS = 16, 4
BESIDE = 8
#: Rows of features that are looked at together.
CHUNK = 65_536
#: Items up to which features are compared with each other, and items that outliers are far from.
MOST_COMPARED, SAMPLE = 30_000, 2000
#: An outlier is this many robust standard deviations less like its neighbours than is usual, and
#: not half as much.
FAR = 6.0
#: Of fewer items it cannot be told what is usual.
LEAST_FOR_OUTLIERS = 20
_NO_PAIRS = np.empty((0, 2), dtype=np.intp)

# ---------------------------------------------------------------- neighbours


def similarities(suggester: Suggester, position: int) -> NDArray[np.float32]:
    """Return the cosine of every item's features to one item's, exact, of shape (n_items,)."""
    rows: Any = suggester.embedding()
    if rows is None:
        raise OptionError("There are no features of these items that could be alike.")
    if isinstance(rows, Embedding):
        return rows.similarities(position)
    made: NDArray[np.float32] = rows @ rows[position]
    return made


def nearest(suggester: Suggester, position: int, k: int) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Return places and similarities of the k items most like one, the most similar first."""
    alike = similarities(suggester, position)
    alike[position] = -np.inf
    k = min(k, len(alike) - 1)
    top = np.argpartition(-alike, k - 1)[:k] if k else np.empty(0, dtype=np.intp)
    top = top[np.lexsort((top, -alike[top]))]
    return top, alike[top]


# ---------------------------------------------------------------- words


def texts_of(pool: Pool, renderer: Renderer) -> list[str]:
    """Return what can be searched of each item, folded to lower case.

    Raises
    ------
    OptionError
        If the items have no text.
    """
    known = renderer.modality in ("text", "row")
    inputs = learning_inputs(renderer, pool.values) if known else None
    if isinstance(inputs, pd.DataFrame):
        columns = [map(as_text, column) for _, column in inputs.items()]
        inputs = ["\t".join(row) for row in zip(*columns, strict=True)]
    if not isinstance(inputs, list) or len(inputs) != len(pool):
        raise OptionError(f"Items shown as {renderer.kind} have no text that could be searched.")
    return [text.casefold() for text in inputs]


def search(texts: Sequence[str], query: str) -> NDArray[np.intp]:
    """Return the places of the texts that have all words of a query, in order.

    Words are found anywhere, also inside others; ``"in quotes"`` they stand for themselves,
    spaces included.
    """
    parts = query.casefold().split('"')
    wanted = [word for part in parts[::2] for word in part.split()] + parts[1::2]
    wanted = sorted((word for word in wanted if word), key=len, reverse=True)
    if not wanted:
        raise OptionError(f"There is nothing to search for in {query!r}: give a word.")
    first, *others = wanted
    found = [k for k, text in enumerate(texts) if first in text]
    for word in others:
        found = [k for k in found if word in texts[k]]
    return np.array(found, dtype=np.intp)


# ---------------------------------------------------------------- duplicates


def duplicate_groups(
    pool: Pool, renderer: Renderer, suggester: Suggester | None
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return for each item the first one that is the same, itself if there is none.

    Texts are the same if they differ in case and spaces only, other items if their bytes are. Near
    duplicates are near the first of their group: texts whose character 5-grams have a Jaccard
    similarity of `NEAR` or more, found by MinHash (Broder 1997) and then compared exactly; in pools
    of at most `MOST_COMPARED` table rows whose numbers differ by no more than `NEAR_CELLS` of the
    interquartile range of their column, with all else the same, and items that are near in what the
    suggester says of that, see `near_rows`.

    Returns
    -------
    group : ndarray of shape (n_items,), int
    exact : ndarray of shape (n_items,), bool
        Whether it is exactly the first of its group.
    """
    text = renderer.modality == "text"
    texts = [" ".join(one.split()) for one in texts_of(pool, renderer)] if text else None
    keys = map(_hashed, texts) if texts is not None else map(pool.digest, range(len(pool)))
    first: dict[str, int] = {}
    group = np.arange(len(pool))
    for place, key in enumerate(keys):
        if key is not None and not (texts is not None and not texts[place]):  # empty ones are empty
            group[place] = first.setdefault(key, place)
    exact = np.ones(len(pool), dtype=bool)
    alone = np.flatnonzero(group == np.arange(len(pool)))
    leader = np.arange(len(alone))
    if texts is not None:
        leader = led(*_near_texts([texts[k] for k in alone]), len(alone))
    elif len(alone) > MOST_COMPARED:
        pass
    elif renderer.modality == "row":
        leader = _near_cells(learning_inputs(renderer, take(pool.values, alone)))
    elif suggester is not None:
        rows, least = near_rows(suggester)
        if rows is not None:
            leader = led(*_near_vectors(np.asarray(rows)[alone], least), len(alone))
    moved = leader != np.arange(len(alone))
    if moved.any():
        group[alone] = alone[leader]
        exact[alone[moved]] = False
        # A copy of an item that is near another one is near that one, too.
        exact[np.isin(group, alone[moved])] = False
        group = group[group]
    return group, exact


#: Tells which of some items, by their places, are near one.
Near = Callable[[int, NDArray[np.intp]], NDArray[np.bool_]]


def led(pairs: NDArray[np.intp], near: Near, n_items: int) -> NDArray[np.intp]:
    """Return for each item the first one that it is near, of those that are near no earlier one.

    Parameters
    ----------
    pairs : ndarray of shape (n_pairs, 2), int
        Of items that are near: enough to connect what is near one item by what is near it, too.
    near : callable
    n_items : int
    """
    leader = np.arange(n_items)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    both = both[np.argsort(both[:, 0], kind="stable")]
    borders = np.searchsorted(both[:, 0], np.arange(n_items + 1))
    follows = np.zeros(n_items, dtype=bool)
    for one in np.unique(pairs).tolist():
        if follows[one]:
            continue
        newest = both[borders[one] : borders[one + 1], 1]  # a pair needs no other look
        tried = {one, *newest.tolist()}
        newest = newest[(newest > one) & ~follows[newest]]
        while len(newest):
            leader[newest] = one
            follows[newest] = True
            beside = {
                k for at in newest for k in both[borders[at] : borders[at + 1], 1].tolist()
            } - tried
            tried |= beside
            some = np.array(sorted(k for k in beside if k > one and not follows[k]), dtype=np.intp)
            newest = some[near(one, some)] if len(some) else some
    return leader


def _hashed(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=12).hexdigest()


def _near_texts(texts: list[str]) -> tuple[NDArray[np.intp], Near]:
    """Return pairs of texts that are nearly the same, and what tells others: see `led`."""
    grams = HashingVectorizer(
        analyzer="char", ngram_range=(5, 5), n_features=2**31 - 1, binary=True, norm=None,
        alternate_sign=False, dtype=np.float32, lowercase=False,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    factors = rng.integers(1, 2**61, size=(BANDS * ROWS, 2), dtype=np.uint64) | np.uint64(1)
    parts: list[Any] = []
    signatures = np.empty((len(texts), BANDS), dtype=np.uint64)
    for start in range(0, len(texts), CHUNK):
        report(start / len(texts))
        rows = grams.transform(texts[start : start + CHUNK])
        parts.append(rows)
        signatures[start : start + rows.shape[0]] = _bands(rows, factors)
    if len(texts) < 2:
        return _NO_PAIRS, lambda one, some: np.zeros(len(some), dtype=bool)
    rows = sparse.vstack(parts, format="csr")
    sizes = np.diff(rows.indptr)
    found = []
    for band in range(BANDS):
        order = np.argsort(signatures[:, band], kind="stable")
        values = signatures[order, band]
        # Of many with the same signature each is compared with those beside it.
        for step in range(1, min(BESIDE, len(texts) - 1) + 1):
            pairs = np.column_stack([order[:-step], order[step:]])[values[step:] == values[:-step]]
            found.append(pairs[sizes[pairs].min(axis=1) > 0])
    pairs = np.unique(np.sort(np.concatenate(found), axis=1), axis=0)

    def alike(ones: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.bool_]:
        both = np.asarray(rows[ones].multiply(rows[others]).sum(axis=1)).ravel()
        return np.asarray(both >= NEAR * (sizes[ones] + sizes[others] - both))

    kept = [_NO_PAIRS]
    for start in range(0, len(pairs), CHUNK):
        some = pairs[start : start + CHUNK]
        kept.append(some[alike(*some.T)])
    return np.concatenate(kept), lambda one, some: alike(np.full(len(some), one), some)


def _bands(rows: Any, factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return one number a band: equal where all minima of the band are."""
    made = np.zeros((rows.shape[0], BANDS), dtype=np.uint64)
    filled = np.flatnonzero(np.diff(rows.indptr))
    columns = rows.indices.astype(np.uint64)
    starts = rows.indptr[:-1][filled]
    for k, (factor, shift) in enumerate(factors):
        # Multiply and shift (Dietzfelbinger et al. 1997); the sum overflows on purpose.
        least = np.minimum.reduceat((columns * factor + shift) >> np.uint64(16), starts)
        band = k // ROWS
        made[filled, band] = (made[filled, band] * np.uint64(0x9E3779B97F4A7C15)) ^ least
    return made


def _near_vectors(rows: NDArray[np.float32], least: float) -> tuple[NDArray[np.intp], Near]:
    """Return all pairs of rows of length one with a cosine, and what tells them."""
    found = [_NO_PAIRS]
    size = max(1, CHUNK * 64 // max(len(rows), 1))
    for start in range(0, len(rows), size):
        report(start / len(rows))
        one, other = np.nonzero(rows[start : start + size] @ rows.T >= least)
        pairs = np.column_stack([one + start, other])
        found.append(pairs[pairs[:, 0] < pairs[:, 1]])
    return np.concatenate(found), lambda one, some: rows[some] @ rows[one] >= least


def _near_cells(frame: pd.DataFrame) -> NDArray[np.intp]:
    """Return for each row the first one that it is near, of those that are near no earlier one."""
    n_rows = len(frame)
    leader = np.arange(n_rows)
    numbers, others = [], [np.zeros(n_rows, dtype=np.intp)]
    for _, column in frame.items():
        cells: Any
        kind = kind_of(column)
        if kind in IN_NUMBERS:
            cells = IN_NUMBERS[kind](column.to_frame()).ravel()
            known = cells[np.isfinite(cells)]
            low, high = np.quantile(known, [0.25, 0.75]) if len(known) else (0.0, 0.0)
            if low < high:
                numbers.append(np.nan_to_num((cells - low) / (NEAR_CELLS * (high - low))))
                cells = np.isnan(cells)
        else:
            cells = np.array([" ".join(as_text(cell).casefold().split()) for cell in column])
        others.append(pd.factorize(cells, use_na_sentinel=False)[0])
    # What must be the same keeps rows apart in a dimension of its own.
    apart = 3.0 * np.unique(np.column_stack(others), axis=0, return_inverse=True)[1].ravel()
    tree = KDTree(np.column_stack([apart, *numbers]))
    for one in range(n_rows):
        if leader[one] == one:
            near = np.array(tree.query_ball_point(tree.data[one], 1.0, p=np.inf), dtype=np.intp)
            near = near[(near > one) & (leader[near] == near)]
            leader[near] = one
    return leader


# ---------------------------------------------------------------- what is wrong


def problems(
    pool: Pool,
    renderer: Renderer,
    suggester: Suggester | None,
    groups: tuple[NDArray[np.intp], NDArray[np.bool_]],
) -> Iterator[tuple[int, str, str]]:
    """Yield place, kind and reason: ``"empty"``, ``"corrupt"``, ``"duplicate"``, ``"outlier"``."""
    bad = set()
    for place in range(len(pool)):
        said = _unusable(renderer, pool.item(place))
        if said is not None:
            bad.add(place)
            yield place, *said
    group, exact = groups
    for place in np.flatnonzero(group != np.arange(len(group))).tolist():
        how = "the same as" if exact[place] else "nearly the same as"
        if place not in bad:
            yield place, "duplicate", f"{how} {pool.index[group[place]]!r}"
    for place, reason in _outlying(suggester, bad):
        yield place, "outlier", reason


def _unusable(renderer: Renderer, item: Any) -> tuple[str, str] | None:
    if is_missing(item):
        return "empty", "there is nothing"
    if isinstance(item, str) and renderer.modality == "text":
        return None if item.strip() else ("empty", "the text has no characters but spaces")
    if isinstance(item, dict) and all(is_missing(value) or value == "" for value in item.values()):
        return "empty", "all columns are empty"
    view = safe_view(renderer, item)
    if view.kind == "missing":
        return "empty", "there is nothing"
    if view.kind == "error":
        return "corrupt", str(view.data.get("text", ""))
    if isinstance(item, np.ndarray) and item.size and item.ndim >= 2 and np.ptp(item) == 0:
        return "empty", "all pixels have the same value"
    return None


def _outlying(suggester: Suggester | None, bad: Collection[int]) -> Iterator[tuple[int, str]]:
    """Yield items that are far from all of a sample, as few are."""
    rows: Any = None if suggester is None else suggester.embedding()
    if rows is None or len(rows) - len(bad) < LEAST_FOR_OUTLIERS:
        return
    fine = np.ones(len(rows), dtype=bool)
    fine[list(bad)] = False
    places = np.random.default_rng(0).permutation(np.flatnonzero(fine))[:SAMPLE]
    some = np.asarray(rows[np.sort(places)])
    near = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), CHUNK // 16):
        alike = np.asarray(rows[start : start + CHUNK // 16]) @ some.T
        # The second: an item of the sample is its own nearest.
        near[start : start + len(alike)] = np.partition(alike, -2, axis=1)[:, -2]
    middle = float(np.median(near[fine]))
    spread = 1.4826 * float(np.median(np.abs(near[fine] - middle)))
    # In a pool of two kinds of items the spread is small, so that alone would name too many.
    limit = min(middle - FAR * spread, middle / 2)
    for place in np.flatnonzero(fine & (near < limit)).tolist():
        yield (
            place,
            (
                f"unlike all others: its nearest of {len(some):,} has a similarity of "
                f"{near[place]:.2f}, the usual one is {middle:.2f}"
            ),
        )


def table(
    pool: Pool, places: NDArray[np.intp], is_labeled: Callable[[int], bool], **columns: Any
) -> pd.DataFrame:
    """Return found items as a table, indexed like the source."""
    rows = places.tolist()
    return pd.DataFrame(
        {
            "item": [pool.ids[place] for place in rows],
            **columns,
            "labeled": np.array([is_labeled(place) for place in rows], dtype=bool),
        },
        index=pool.index[places],
    )


def members(group: NDArray[np.intp]) -> dict[int, list[int]]:
    """Return the items of each group of two or more, by its first."""
    found: dict[int, list[int]] = defaultdict(list)
    twice = np.bincount(group, minlength=len(group)) > 1
    for place in np.flatnonzero(twice[group]).tolist():
        found[int(group[place])].append(place)
    return dict(found)


def checked_k(k: Any) -> int:
    """Return a number of items.

    Raises
    ------
    OptionError
        If it is none.
    """
    if not isinstance(k, (int, np.integer)) or isinstance(k, bool) or k < 1:
        raise OptionError(f"k is a number of items from 1, got {k!r}.")
    return int(k)
