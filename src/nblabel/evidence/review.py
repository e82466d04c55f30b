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
        What finds the wrong ones: `confident_learning`, or the library cleanlab with its own
        defaults; ``"auto"`` takes cleanlab if it is installed. Both are ordered by the same
        quality, the probability that models give the label which have not seen it
        (self-confidence). Tasks without one class an item have a measure of their own.

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
    use_cleanlab = method == "cleanlab" or (method == "auto" and installed)
    find = _cleanlab if use_cleanlab else confident_learning
    codes = codes[inside]
    quality[inside] = proba[np.arange(len(codes)), codes]
    wrong[inside] = find(codes, proba)
    return quality, wrong


def confident_learning(codes: NDArray[np.intp], proba: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which labels are probably wrong (Northcutt, Jiang, Chuang, JAIR 2021).

    Those for which another class is at least as probable as is usual for items labeled so, and is
    the likeliest of the classes of which that can be said.

    Parameters
    ----------
    codes : ndarray of shape (n_labels,), int
    proba : ndarray of shape (n_labels, n_classes)
        By models that have not seen the label.
    """
    own = proba[np.arange(len(codes)), codes]
    usual = np.array(
        [own[codes == k].mean() if (codes == k).any() else np.inf for k in range(proba.shape[1])]
    )
    confident = np.where(proba >= usual, proba, -1.0)
    return (confident.max(axis=1) >= 0) & (confident.argmax(axis=1) != codes)


def _cleanlab(codes: NDArray[np.intp], proba: NDArray[np.float64]) -> NDArray[np.bool_]:
    from cleanlab.filter import find_label_issues

    present, codes = np.unique(codes, return_inverse=True)
    proba = proba[:, present]  # it wants labels of every class
    sums = proba.sum(axis=1, keepdims=True)
    proba = np.divide(proba, sums, out=np.full_like(proba, 1 / len(present)), where=sums > 0)
    wrong: Any = find_label_issues(codes, proba, n_jobs=1)
    return np.asarray(wrong, dtype=bool)
