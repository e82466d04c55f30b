"""All items of a pool at once: two coordinates for each, and what tells the points apart.

Pure functions of features, labels and predictions.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from ._progress import report, within
from ._quiet import quiet
from .errors import OptionError
from .suggest import Suggester
from .tables import Predictions

#: What may be asked for, and what a page can colour by.
METHODS = ("pca", "umap")
LAYERS = ("label", "prediction", "confidence", "annotator")
#: Items that principal components are fitted on, at random where there are more.
SAMPLE = 10_000
#: Rows of features that are looked at together.
CHUNK = 65_536
#: Principal components that UMAP starts from, items that it is fitted on, and how many it takes at
#: a time of those that are then laid between them.
DIMENSIONS, FITTED, TRANSFORMED = 32, 20_000, 4096
#: Fewer items have no neighbourhoods.
LEAST_FOR_UMAP = 10
#: The code of a probability of one; 0 says that there is none.
CERTAIN = 65_535

_NO_FEATURES = (
    "There are no features of these items that could be laid out on a map: give features="
)


def has_umap() -> bool:
    """Whether umap-learn is installed."""
    return importlib.util.find_spec("umap") is not None


def checked_method(method: str) -> str:
    """Return the name of a projection that can be had here.

    Raises
    ------
    OptionError
        If there is none of that name, or what computes it is not installed.
    """
    if method not in METHODS:
        raise OptionError(f"method= is one of {', '.join(map(repr, METHODS))}, got {method!r}.")
    if method == "umap" and not has_umap():
        raise OptionError("UMAP is not installed: pip install umap-learn, or say method='pca'.")
    return method


# ---------------------------------------------------------------- coordinates


def components(suggester: Suggester | None, n_items: int, k: int, seed: int) -> NDArray[np.float32]:
    """Return the first principal components of the features that the model learns from.

    Fitted on a random sample (randomised SVD; Halko, Martinsson, Tropp, SIAM Review 2011), then
    computed chunk by chunk, so that a large pool is never there as a dense matrix.

    Returns
    -------
    ndarray of shape (n_items, k), float32
        Columns that the features do not fill are zero.

    Raises
    ------
    OptionError
        If there are no features.
    """
    rows: Any = None if suggester is None else suggester.embedding()
    if rows is None or len(rows) != n_items:
        raise OptionError(f"{_NO_FEATURES}.")
    places = np.arange(n_items)
    if n_items > SAMPLE:
        rng = np.random.default_rng((seed, 5))
        places = np.sort(rng.choice(n_items, SAMPLE, replace=False))
    some = np.asarray(rows[places], dtype=np.float32)
    made = np.zeros((n_items, k), dtype=np.float32)
    width = min(k, *some.shape)
    if not width:
        return made
    solver = "full" if width == min(some.shape) else "randomized"
    fitted = PCA(width, svd_solver=solver, random_state=seed)
    with np.errstate(invalid="ignore", divide="ignore"):  # the variance of items that are all alike
        fitted.fit(some)
    directions = fitted.components_.T.astype(np.float32)
    for start in range(0, n_items, CHUNK):
        report(start / n_items)
        part = np.asarray(rows[start : start + CHUNK], dtype=np.float32)
        made[start : start + len(part), :width] = (part - fitted.mean_) @ directions
    return made


def pca(suggester: Suggester | None, n_items: int, seed: int) -> NDArray[np.float32]:
    """Return the first two principal components in the frame of a map; see `framed`."""
    return framed(components(suggester, n_items, 2, seed))


def umap(rows: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Lay out rows so that neighbours stay neighbours (McInnes, Healy, Melville 2018).

    Fitted on a random sample where there are more than `FITTED`; the others are then laid between
    those, chunk by chunk. The seed decides everything, which keeps it to one thread.

    Parameters
    ----------
    rows : ndarray of shape (n_items, n_dimensions), float32
    seed : int

    Returns
    -------
    ndarray of shape (n_items, 2), float32
        In the frame of a map; see `framed`.
    """
    from umap import UMAP

    n_items = len(rows)
    if n_items < LEAST_FOR_UMAP:
        raise OptionError(f"UMAP needs {LEAST_FOR_UMAP} items at least, there are {n_items}.")
    places = np.arange(n_items)
    if n_items > FITTED:
        rng = np.random.default_rng((seed, 6))
        places = np.sort(rng.choice(n_items, FITTED, replace=False))
    rest = np.setdiff1d(np.arange(n_items), places, assume_unique=True)
    share = len(places) / n_items
    made = np.empty((n_items, 2), dtype=np.float32)
    with quiet(Warning), within(0.0, share):
        bar = {"disable": False, "file": _Epochs(), "bar_format": "{n_fmt} {total_fmt} "}
        reducer = UMAP(n_neighbors=min(15, n_items - 1), random_state=seed, n_jobs=1, tqdm_kwds=bar)
        made[places] = reducer.fit_transform(rows[places])
    with quiet(Warning):
        for start in range(0, len(rest), TRANSFORMED):
            report(share + (1 - share) * start / len(rest))
            part = rest[start : start + TRANSFORMED]
            reducer.tqdm_kwds = {"disable": True}
            made[part] = reducer.transform(rows[part])
    return framed(made)


class _Epochs(io.StringIO):
    """Where UMAP's progress bar writes to: what it counts is reported."""

    def write(self, text: str) -> int:
        with suppress(ValueError):
            done, total = map(int, text.split())
            report(done / max(1, total))
        return len(text)


def framed(points: NDArray[Any]) -> NDArray[np.float32]:
    """Move and scale points into the square from -1 to 1, the same in both directions."""
    points = np.nan_to_num(np.asarray(points, dtype=np.float32), posinf=0.0, neginf=0.0)
    if not len(points):
        return points
    low, high = points.min(axis=0), points.max(axis=0)
    half = float((high - low).max()) / 2
    return ((points - (low + high) / 2) / (half or 1.0)).astype(np.float32)


# ---------------------------------------------------------------- colours


@dataclass(frozen=True)
class Layer:
    """What the points of a map are told apart by.

    Attributes
    ----------
    names : tuple of str
        What the codes from 1 on stand for; none of a probability.
    codes : ndarray of shape (n_items,), uint16
        0: nothing is known. Of a probability from 1 to 65,535, which is certain.
    """

    names: tuple[str, ...]
    codes: NDArray[np.uint16]

    def values(self) -> list[Any]:
        """Return what each item has: a name, a probability, None."""
        if not self.names:
            return [None if code == 0 else code / CERTAIN for code in self.codes.tolist()]
        known = (None, *self.names)
        return [known[code] for code in self.codes.tolist()]


def layer_of_names(n_items: int, names: Sequence[str], said: Iterable[tuple[int, str]]) -> Layer:
    """Make a layer of what some items have, by place; new names come behind those given."""
    codes = np.zeros(n_items, dtype=np.uint16)
    known = {name: k + 1 for k, name in enumerate(names[:CERTAIN])}
    for place, name in said:
        code = known.setdefault(name, len(known) + 1)
        if code <= CERTAIN and place < n_items:
            codes[place] = code
    return Layer(tuple(known), codes)


def layer_of_classes(n_items: int, names: Sequence[str], predictions: Predictions | None) -> Layer:
    """Make a layer of the class that is suggested for each item."""
    known = {name: k + 1 for k, name in enumerate(names)}
    codes = np.zeros(n_items, dtype=np.uint16)
    if predictions is not None and predictions.unsure is None and predictions.classes:
        column = [known.setdefault(name, len(known) + 1) for name in predictions.classes]
        best = predictions.best()[:n_items]
        codes[: len(best)] = np.array(column, dtype=np.uint16)[best]
    return Layer(tuple(known), codes)


def layer_of_confidence(n_items: int, predictions: Predictions | None) -> Layer:
    """Make a layer of how probable the class is that is suggested for each item."""
    codes = np.zeros(n_items, dtype=np.uint16)
    if predictions is not None and predictions.probabilistic:
        if predictions.unsure is not None:
            best = predictions.sureness.max(axis=1)[:n_items]
        else:
            best = predictions.confidences()[:n_items] if predictions.classes else np.zeros(0)
        codes[: len(best)] = np.clip(np.rint(best * CERTAIN), 1, CERTAIN).astype(np.uint16)
    return Layer((), codes)
