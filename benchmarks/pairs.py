"""Comparing items two at a time, to put them into order: the part of `benchmarks.tasks` on pairs.

The setting, fixed by reasoning before any of it was run, and the same for all sets:

items
    A hundred, drawn anew for each seed. All 4,950 pairs of them may be asked, so that a random
    order is what anyone would do without a model.
comparisons
    Two hundred, two for each item: twenty minutes at six seconds each. Sorting a hundred items by
    comparisons alone takes more than five hundred, without any error.
noise
    One answer in ten is wrong, on average over all pairs, and the more likely the closer both items
    are: by Bradley and Terry's model on the hidden quantity, in units that make it one in ten. A
    pair has the same answer in both arms. Items of equal quantity are a tie.
score
    Share of the pairs of items (of different quantity) that ``session.scores`` has in the right
    order, after every ten comparisons; one half before there is a model.

The sets: whatever comes with scikit-learn, or lies in ``--data``, and has an order of three levels
or more that the items themselves do not tell; and one set of texts, which has two levels.

diabetes
    How far the illness has come, from ten measurements.
tumours
    The worst concavity, from all measurements that are not about concavity.
wines
    Alcohol, from twelve other measurements.
irises
    The length of the petals, from the sepals.
digits
    The number that an image shows.
usps (``--data``)
    The same on other images.
white_wines (``--data``)
    Quality in three levels, from eleven measurements.
reviews (``--data``)
    Which of two sentences about films is the kinder one; half of the pairs are ties.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

import nblabel as nl
from nblabel.errors import NotFittedError

from .efficiency import read

ITEMS, COMPARISONS, NOISE = 100, 200, 0.1


class Compared(NamedTuple):
    """Items, a number for each, and how the items are shown."""

    items: Any
    truth: np.ndarray
    options: dict[str, Any]


def without(frame: pd.DataFrame, names: list[str], truth: str) -> Compared:
    """Return a table without some columns, one of which is the hidden quantity."""
    return Compared(frame.drop(columns=names), frame[truth].to_numpy(float), {"row": True})


def diabetes() -> Compared:
    """Patients, and how far their illness has come."""
    found = load_diabetes(as_frame=True)
    return Compared(found.data, found.target.to_numpy(float), {"row": True})


def tumours() -> Compared:
    """Tumours without what was measured of their hollows, and how deep these are."""
    frame = load_breast_cancer(as_frame=True).data
    return without(frame, [name for name in frame if "conca" in name], "worst concavity")


def wines() -> Compared:
    """Wines without their alcohol, and this."""
    return without(load_wine(as_frame=True).data, ["alcohol"], "alcohol")


def irises() -> Compared:
    """Sepals of irises, and the length of the petals."""
    frame = load_iris(as_frame=True).data
    return without(frame, [name for name in frame if "petal" in name], "petal length (cm)")


def digits() -> Compared:
    """Images of digits, and the number of each."""
    images, numbers = nl.datasets.digits()
    return Compared(images, np.array([float(number) for number in numbers]), {})


BUILT_IN: dict[str, Callable[[], Compared]] = {
    load.__name__: load for load in (diabetes, tumours, wines, irises, digits)
}
#: Sets of a folder: name of the file, and how the items are shown.
OF_FOLDER: dict[str, tuple[str, dict[str, Any]]] = {
    "usps": ("usps", {}),
    "white_wines": ("wine", {"row": True}),
    "reviews": ("mr", {}),
}


def sets(folder: str | None = None) -> dict[str, Callable[[], Compared]]:
    """Return the sets by name: those that come with scikit-learn, and those of a folder."""
    made = dict(BUILT_IN)
    for name, (file, options) in OF_FOLDER.items() if folder else ():
        path = Path(folder) / f"{file}.parquet"

        def load(path: Path = path, options: dict[str, Any] = options) -> Compared:
            found = read(path)
            return Compared(found.pool, found.codes.astype(float), options)

        made[name] = load
    return made


def sample(data: Compared, seed: int, n: int = ITEMS) -> Compared:
    """Return some items, drawn for this seed."""
    some = np.random.default_rng((seed, 11)).permutation(len(data.truth))[:n]
    items = data.items
    if isinstance(items, pd.DataFrame):
        taken: Any = items.iloc[some].reset_index(drop=True)
    else:
        taken = items[some] if isinstance(items, np.ndarray) else [items[k] for k in some]
    return Compared(taken, data.truth[some], data.options)


def answers(truth: np.ndarray, seed: int) -> np.ndarray:
    """Return what is said of each pair: 1 for the first, -1 for the second, 0 for a tie.

    Parameters
    ----------
    truth : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n, n)
        Of the pairs above the diagonal.
    """
    apart = truth[:, None] - truth[None, :]
    strict = np.abs(apart[np.triu_indices(len(truth), 1)])
    strict = strict[strict > 0]

    def excess(log_scale: float) -> float:
        return float(expit(-strict / np.exp(log_scale)).mean() - NOISE)

    middle = np.log(np.median(strict))
    # One answer in two is wrong on the largest scale, none on the smallest.
    scale = np.exp(brentq(excess, middle - 12, middle + 12))
    wrong = np.random.default_rng((seed, 12)).random(apart.shape) < expit(-np.abs(apart) / scale)
    return np.where(wrong, -np.sign(apart), np.sign(apart)).astype(int)


def ordered(score: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of pairs of different truth that a score has in the right order."""
    one, other = np.triu_indices(len(truth), 1)
    apart = np.sign(truth[one] - truth[other])
    said = np.sign(score[one] - score[other])[apart != 0]
    return float((1 + (said * apart[apart != 0])).mean() / 2)


def run(data: Compared, strategy: str, seed: int, budget: int = COMPARISONS) -> list[float]:
    """Return the score after every ten comparisons."""
    data = sample(data, seed)
    said = answers(data.truth, seed)
    session = nl.Session(
        data.items, nl.Pairs(), store=None, inline=True, blind=0, strategy=strategy,
        random_state=seed, **data.options,
    )  # fmt: skip
    session.wait()
    pool: Any = session.pool
    curve = []
    for _ in range(budget // session.batch):
        for asked in session.next(session.batch):
            first, second = pool.pair(asked.id)
            session.record(asked, ("tie", "first", "second")[said[first, second]])
        session.wait()  # it has trained, as after every ten
        try:
            curve.append(ordered(session.scores["score"].to_numpy(), data.truth))
        except NotFittedError:
            curve.append(0.5)
    session.close()
    return curve
