"""Linear classifiers at the speed of the machine: the same model and scores, less work.

Of what scikit-learn does around a linear model, most is not the model: weights of columns that no
labeled row has, scans of the whole pool for NaN, copies in double precision. Here the fit sees the
columns of the labeled rows only, and scoring is one product in the precision of the features.

There is no warm start: it would save less than a millisecond of a fit, and a model would then
depend on the models before it, not on its labels alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.svm import LinearSVC

from ..errors import ModelOutputError, brief, shorten
from ..tables import Calibration, JoinedCalibration
from .bulk import n_items
from .logistic import fit_logistic
from .shield import shielded

#: Classifiers whose decision is known to be a product and an intercept, not those derived of them.
_LINEAR = (LogisticRegression, LinearSVC, RidgeClassifier, SGDClassifier, Perceptron)
#: Numbers in a block that is worked on at once: it stays in the cache of a core.
_BLOCK = 1 << 18
#: From so many outputs on it costs less to leave entries out than to multiply them with zeros.
_MANY = 40
#: Rows of so many numbers are long: shorter ones are multiplied faster several at a time.
_LONG = 256
#: Where the exponentials of a row add up to less, too much of them is rounding.
_LEAST_TOTAL = 1e-25
#: Rows on which it is tried whether margins say what is predicted.
_TRIED = 1000
#: By how much a margin is the largest that was not.
_LEAST_AHEAD = 1e-3
#: By which probabilities may miss their sum: those of a model in half precision.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Scores:
    """Predictions before they get a version: see `tables.Predictions`."""

    classes: tuple[str, ...]
    proba: NDArray[np.float32]
    probabilistic: bool
    unsure: NDArray[np.float32] | None = None
    calibration: Calibration | JoinedCalibration | None = None


class _Checked(Scores):
    """Scores by `checked_scores`: nobody can have changed them since."""


# ---------------------------------------------------------------- fit


def fit_linear(estimator: Any, rows: Any, targets: NDArray[Any]) -> NDArray[np.intp] | None:
    """Fit an estimator; a linear one on sparse rows on the columns that the rows have.

    The same model, many times faster: a column that is zero in every row has no gradient but the
    penalty's, so its weight is exactly 0.

    Parameters
    ----------
    estimator : classifier
        Changed in place.
    rows : ndarray or CSR matrix of shape (n_labels, n_features)
    targets : ndarray of shape (n_labels,)

    Returns
    -------
    ndarray of int, or None
        The columns that the estimator was fitted on, sorted; None if on all. See `spread`.
    """
    if type(estimator) not in _LINEAR or not sparse.issparse(rows):
        _fit(estimator, rows, targets)
        return None
    seen, place = np.unique(rows.indices, return_inverse=True)
    if not rows.nnz:  # texts without a single known word: one column stands for all
        seen = np.zeros(1, dtype=np.intp)
    arrays = (rows.data, place.astype(rows.indices.dtype), rows.indptr)
    _fit(estimator, sparse.csr_matrix(arrays, shape=(rows.shape[0], len(seen))), targets)
    return seen.astype(np.intp)


def spread(estimator: Any, columns: NDArray[np.intp], n_features: int) -> Any:
    """Return the estimator on all columns: those it was not fitted on have weight 0."""
    estimator = copy(estimator)
    full = np.zeros((*estimator.coef_.shape[:-1], n_features), dtype=np.float32)
    full[..., columns] = estimator.coef_
    estimator.coef_ = full
    estimator.intercept_ = np.asarray(estimator.intercept_, dtype=np.float32)
    estimator.n_features_in_ = n_features
    return estimator


def _fit(estimator: Any, rows: Any, targets: NDArray[Any]) -> None:
    if not fit_logistic(estimator, rows, targets):
        estimator.fit(rows, targets)


# ---------------------------------------------------------------- score


def score(estimator: Any, rows: Any, columns: NDArray[np.intp] | None = None) -> Scores:
    """Return class scores for rows, from whichever method the estimator has.

    Parameters
    ----------
    estimator : fitted classifier
    rows : array, sparse matrix or sequence of items
    columns : ndarray of int, optional
        Columns of the rows that the estimator was fitted on, as `fit_linear` returns them.

    Raises
    ------
    ModelOutputError
        If the estimator returns the wrong shape or values that are no probabilities.
    """
    classes = tuple(str(name) for name in estimator.classes_)
    n_rows = n_items(rows)
    probabilistic = hasattr(estimator, "predict_proba")
    product = _is_product(estimator, rows, columns)
    if columns is not None and not product:
        estimator = spread(estimator, columns, rows.shape[1])
    if product:
        proba = _linear_scores(estimator, rows, columns)
    elif probabilistic:
        proba = np.asarray(shielded(estimator.predict_proba, rows))
    elif hasattr(estimator, "decision_function"):
        margins = np.asarray(shielded(estimator.decision_function, rows), dtype=np.float64)
        if margins.ndim == 1:
            margins = np.column_stack([-margins, margins]) / 2
        if margins.shape == (n_rows, len(classes)) and np.isfinite(margins).all():
            margins = _as_predicted(estimator, rows, margins, classes)
        proba = softmax(margins, axis=1)
    else:
        guessed = _guessed(estimator, rows)
        proba = (guessed[:, None] == np.asarray(classes)[None, :]).astype(np.float32)
    if product and np.isfinite(proba.min(initial=0.0)):  # then it is right: no other check
        proba.flags.writeable = False  # nobody else has it
        return _Checked(classes, proba, probabilistic)
    classes = tuple(str(name) for name in estimator.classes_)  # as they are now
    return checked_scores(Scores(classes, proba, probabilistic), n_rows, type(estimator).__name__)


def _guessed(estimator: Any, rows: Any) -> NDArray[Any]:
    guessed = np.asarray(shielded(estimator.predict, rows)).astype(str)
    if guessed.shape != (n_items(rows),):
        raise ModelOutputError(
            f"{type(estimator).__name__} gave predictions of shape {guessed.shape}, "
            f"expected ({n_items(rows)},)"
        )
    return guessed


def _as_predicted(
    estimator: Any, rows: Any, margins: NDArray[Any], classes: Sequence[str]
) -> NDArray[Any]:
    """Return margins that are largest where a class is predicted.

    Not all are: of one class against one they may be divided elsewhere than at 0, and what votes
    predicts by votes.
    """
    names = np.asarray(classes)
    tried = margins[:_TRIED].argmax(axis=1)
    if np.array_equal(_guessed(estimator, rows[:_TRIED]), names[tried]):
        return margins
    chosen = _guessed(estimator, rows)[:, None] == names
    if margins.shape[1] == 2:
        ahead = margins[:, 1] - margins[:, 0]
        below, above = ahead[chosen[:, 0]], ahead[chosen[:, 1]]
        if len(below) and len(above) and below.max() <= above.min():
            margins = margins - [0, (below.max() + above.min()) / 2]
    best = np.where(chosen, -np.inf, margins).max(axis=1, keepdims=True)
    return np.where(chosen, np.maximum(margins, best + _LEAST_AHEAD), margins)


def checked_scores(scores: Any, n_rows: int | None, who: str) -> Scores:
    """Return scores that predictions can be made of, in an array that nobody can write to.

    Parameters
    ----------
    scores : Scores
    n_rows : int or None
        How many rows they must have.
    who : str
        Where they come from, for the message.

    Raises
    ------
    ModelOutputError
        If they have the wrong shape, are not finite, are negative or do not sum to 1 in a row,
        or the classes are not different.
    """
    if type(scores) is _Checked and n_rows in (None, len(scores.proba)):
        return scores
    try:
        classes = tuple(map(str, scores.classes))
        proba, probabilistic = np.asarray(scores.proba), bool(scores.probabilistic)
    except (AttributeError, TypeError) as error:
        raise ModelOutputError(
            f"{who} gave no scores with classes, proba and probabilistic, but "
            f"{type(scores).__name__} ({error})"
        ) from None
    expected = (len(proba) if n_rows is None and proba.ndim else n_rows, len(classes))
    if proba.shape != expected:
        raise ModelOutputError(
            f"{who} gave predictions of shape {proba.shape}, expected {expected}"
        )
    if len(set(classes)) < len(classes):
        raise ModelOutputError(f"{who} gave classes that are not different: {shorten(classes, 8)}")
    if proba.dtype.kind not in "fiub":
        raise ModelOutputError(f"{who} gave predictions of type {proba.dtype}, expected numbers")
    # An array that can be written to may be somebody else's, who will write into it again.
    keep = np.array if proba.flags.writeable else np.asarray
    made = keep(proba, np.float32, order="C")
    sums = made @ np.ones(len(classes), dtype=np.float32)
    if not np.isfinite(sums).all():
        raise ModelOutputError(f"{who} gave predictions that are not finite numbers")
    unsure = getattr(scores, "unsure", None)
    if unsure is not None:
        unsure = _checked_unsure(unsure, len(made), who)
    if probabilistic and len(made):
        # Where several classes may be right a row is no distribution.
        sums = sums if unsure is None else np.ones_like(sums)
        least, off = made.min(), np.abs(sums - 1).max()
        if least < -_TOLERANCE or off > _TOLERANCE:
            says = f"as small as {least:.3g}" if least < -_TOLERANCE else ""
            says = says or f"a row that sums to {sums[np.abs(sums - 1).argmax()]:.3g}, expected 1"
            raise ModelOutputError(f"{who} gave predictions that are no probabilities: {says}")
    made = made.view()
    made.flags.writeable = False
    calibration = getattr(scores, "calibration", None)
    if calibration is not None:
        some = np.asarray(calibration(made[:1]) if callable(calibration) else np.nan)
        if some.shape != made[:1].shape or not np.isfinite(some).all():
            raise ModelOutputError(
                f"{who} gave a calibration that makes no {len(classes)} probabilities: "
                f"{brief(calibration)}"
            )
    return _Checked(classes, made, probabilistic, unsure, calibration)


def _checked_unsure(unsure: Any, n_rows: int, who: str) -> NDArray[np.float32]:
    made = np.array(unsure, dtype=np.float32)
    if made.shape != (n_rows,) or not np.isfinite(made).all():
        raise ModelOutputError(
            f"{who} must say how unsure it is by one number an item, ({n_rows},), "
            f"got the shape {made.shape}"
        )
    made.flags.writeable = False
    return made


def _is_product(estimator: Any, rows: Any, columns: NDArray[np.intp] | None) -> bool:
    """Whether the scores are a logistic function or softmax of ``rows @ coef_.T + intercept_``."""
    coef = getattr(estimator, "coef_", None)
    if type(estimator) not in _LINEAR or not isinstance(coef, np.ndarray) or coef.ndim != 2:
        return False
    if not ((sparse.issparse(rows) and rows.format == "csr") or isinstance(rows, np.ndarray)):
        return False
    n_classes = len(estimator.classes_)
    n_columns = rows.shape[-1] if columns is None else len(columns)
    if rows.ndim != 2 or rows.dtype.kind not in "fiub" or coef.shape[1] != n_columns:
        return False
    if len(coef) != (1 if n_classes == 2 else n_classes):
        return False
    if type(estimator) is LogisticRegression:
        one_for_all = getattr(estimator, "multi_class", "auto") in ("auto", "deprecated")
        return one_for_all and (n_classes == 2 or estimator.solver != "liblinear")
    if type(estimator) is SGDClassifier and hasattr(estimator, "predict_proba"):
        return bool(estimator.loss == "log_loss" and n_classes == 2)
    return True


def _linear_scores(
    estimator: Any, rows: Any, columns: NDArray[np.intp] | None
) -> NDArray[np.float32]:
    # In single precision where the features are: as exact as they are.
    dtype = np.dtype(np.float32 if rows.dtype in (np.float32, np.float16) else np.float64)
    weights = np.asarray(estimator.coef_.T, dtype=dtype, order="C")
    intercept = np.asarray(estimator.intercept_, dtype=dtype)
    proba = np.empty((rows.shape[0], max(2, weights.shape[1])), dtype=np.float32)
    ones = np.ones(proba.shape[1], dtype=np.float32)
    for start, decided in _products(rows, weights, columns):
        block = proba[start : start + len(decided)]
        if weights.shape[1] == 1:
            odds = np.subtract(-intercept, decided, out=decided)
            with np.errstate(over="ignore"):  # against it by more than a float holds: 1 / inf
                np.exp(odds, out=odds)
            odds += 1
            np.reciprocal(odds[:, 0], out=block[:, 1], casting="same_kind")
            np.subtract(1, block[:, 1], out=block[:, 0])
        else:
            decided += intercept
            with np.errstate(over="ignore", invalid="ignore"):  # more than a float holds
                np.exp(decided, out=block, casting="same_kind")
                total = block @ ones
            if not (total.min() > _LEAST_TOTAL and total.max() < np.inf):
                decided -= decided.max(axis=1, keepdims=True)
                np.exp(decided, out=block, casting="same_kind")
                total = block @ ones
            block *= np.reciprocal(total, out=total)[:, None]
    return proba


def _products(
    rows: Any, weights: NDArray[Any], columns: NDArray[np.intp] | None
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield places of rows and the products of the rows from there on with the weights.

    With `columns` the weights are those of these columns, the others are 0.
    """
    n_rows, n_outputs = rows.shape[0], weights.shape[1]
    if not sparse.issparse(rows):
        size = max(1, _BLOCK // max(n_outputs, 1 if rows.dtype == weights.dtype else rows.shape[1]))
        for start in range(0, n_rows, size):
            part = rows[start : start + size].astype(weights.dtype, copy=False)
            yield start, _product(part, weights)
        return
    place = None
    if columns is not None and n_outputs == 1:
        full = np.zeros((rows.shape[1], 1), dtype=weights.dtype)
        full[columns] = weights
        weights = full
    elif columns is not None:
        # Weights of several classes outgrow the cache: those of the other columns become one row.
        place = np.full(rows.shape[1], len(columns), dtype=rows.indices.dtype)
        place[columns] = np.arange(len(columns))
        weights = np.concatenate([weights, np.zeros((1, n_outputs), dtype=weights.dtype)])
    size = max(1, _BLOCK // n_outputs)
    for start in range(0, n_rows, size):
        part = _part(rows, start, size, place, len(weights))
        if place is not None and n_outputs >= _MANY:
            _leave_out(part, len(weights) - 1)
        yield start, np.asarray(part @ weights)


def _product(rows: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return ``rows @ weights``; long rows one after the other, since memory is read fastest so."""
    is_long = weights.shape[1] == 1 and len(weights) >= _LONG and rows.flags.c_contiguous
    if is_long and hasattr(np, "vecdot"):  # since NumPy 2
        return np.asarray(np.vecdot(rows, weights[:, 0]))[:, None]
    return rows @ weights


def _part(rows: Any, start: int, size: int, place: NDArray[Any] | None, n_columns: int) -> Any:
    """Return some rows of a CSR matrix, their columns moved; views where scipy's slices copy."""
    border = rows.indptr[start : start + size + 1]
    inside = slice(border[0], border[-1])
    part = sparse.csr_matrix((len(border) - 1, n_columns), dtype=rows.dtype)
    # One by one: handed to the constructor, views of less than half an array are copied.
    part.data = rows.data[inside]
    part.indices = rows.indices[inside] if place is None else place.take(rows.indices[inside])
    part.indptr = border - border[0]
    return part


def _leave_out(part: Any, column: int) -> None:
    """Remove the entries of the last column from a CSR matrix, in place."""
    inside = part.indices < column
    before = np.zeros(len(inside) + 1, dtype=part.indptr.dtype)
    np.cumsum(inside, out=before[1:], dtype=before.dtype)
    # Not by index: several times as fast where every other entry is taken.
    part.data, part.indices = np.compress(inside, part.data), np.compress(inside, part.indices)
    part.indptr = before.take(part.indptr)
