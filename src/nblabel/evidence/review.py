"""Which labels are probably wrong: by models that have not seen them."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError
from ..tasks import Task
from .crossfit import CrossFit, Known

METHODS = ("auto", "nblabel", "cleanlab")


def suspicious(
    task: Task, known: Known, crossed: CrossFit, method: str = "auto"
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how much each label is to be trusted, and whether it is probably wrong.

    Parameters
    ----------
    task : Task
    known : Known
    crossed : CrossFit
    method : {"auto", "nblabel", "cleanlab"}
        ``"nblabel"``: see `quality`. ``"cleanlab"``: label quality and issues as that library finds
        them. ``"auto"``: cleanlab if it is installed. Of tasks without one class an item the first.

    Returns
    -------
    quality : ndarray of shape (n_labels,)
        The lower, the more suspicious; ranks are what it is for.
    wrong : ndarray of shape (n_labels,), bool
    """
    if method not in METHODS:
        raise OptionError(f"method= is one of {', '.join(map(repr, METHODS))}, got {method!r}.")
    installed = importlib.util.find_spec("cleanlab") is not None
    if method == "cleanlab" and not installed:
        raise OptionError("method='cleanlab' needs the library: pip install cleanlab.")
    if task.target_type != "multiclass":
        agreed = [
            task.agree(said, value)
            for said, value in zip(crossed.values, known.values, strict=True)
        ]
        disagreed = 1.0 - np.array(agreed, dtype=float)
        return 1.0 - disagreed * crossed.sure, disagreed * crossed.sure > 0.5
    column = {name: k for k, name in enumerate(crossed.classes)}
    # A class that no model has learned: none of them can doubt it.
    inside = np.array([str(value) in column for value in known.values], dtype=bool)
    codes = np.array([column.get(str(value), 0) for value in known.values], dtype=np.intp)
    quality, wrong = np.ones(len(known)), np.zeros(len(known), dtype=bool)
    proba = crossed.unseen.astype(np.float64)[inside]
    judge = _cleanlab if method == "cleanlab" or (method == "auto" and installed) else quality_of
    quality[inside], wrong[inside] = judge(codes[inside], proba)
    return quality, wrong


def quality_of(
    codes: NDArray[np.intp], proba: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the normalized margin of each label, and what confident learning says of it.

    The margin is the probability of the label less that of the likeliest other class. A label is
    probably wrong if another class is more probable than is usual for items that have it, and more
    than the label is (Northcutt, Jiang, Chuang, JAIR 2021).

    Parameters
    ----------
    codes : ndarray of shape (n_labels,), int
    proba : ndarray of shape (n_labels, n_classes)
        By models that have not seen the label.
    """
    rows = np.arange(len(codes))
    own = proba[rows, codes]
    others = proba.copy()
    others[rows, codes] = -1.0
    usual = np.array(
        [own[codes == k].mean() if (codes == k).any() else 1.0 for k in range(proba.shape[1])]
    )
    likely = np.where(proba >= usual, proba, -1.0).argmax(axis=1)
    confident = (proba >= usual).any(axis=1)
    return (own - others.max(axis=1) + 1) / 2, confident & (likely != codes)


def _cleanlab(
    codes: NDArray[np.intp], proba: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    sums = proba.sum(axis=1, keepdims=True)
    proba = np.divide(proba, sums, out=np.full_like(proba, 1 / proba.shape[1]), where=sums > 0)
    quality: Any = get_label_quality_scores(codes, proba, method="normalized_margin")
    wrong: Any = find_label_issues(codes, proba, n_jobs=1)
    return np.asarray(quality, dtype=float), np.asarray(wrong, dtype=bool)
