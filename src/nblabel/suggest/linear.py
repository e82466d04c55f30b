"""Linear classifiers at the speed of the machine: the same model and scores, less work.

Of what scikit-learn does around a linear model, most is not the model: weights of columns that no
labeled row has, scans of the whole pool for NaN, copies in double precision. Here the fit sees the
columns of the labeled rows only, and scoring is one product in the precision of the features.

There is no warm start: it saves about a millisecond of a fit, and a model would then depend on the
models before it, not on its labels alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import fmin_l_bfgs_b
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.svm import LinearSVC

from ..errors import ModelOutputError, shorten
from .shield import shielded

#: Classifiers whose decision is known to be a product and an intercept, not those derived of them.
_LINEAR = (LogisticRegression, LinearSVC, RidgeClassifier, SGDClassifier, Perceptron)
#: Numbers in a block that is worked on at once: it stays in the cache of a core.
_BLOCK = 1 << 18
#: Directions of the labeled rows below this share of the largest are rounding.
_LEAST = 1e-12
#: A softmax of numbers below this overflows in no precision.
_MOST_EXPONENT = 60.0
#: By which probabilities may miss their sum: those of a model in half precision.
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Scores:
    """Predictions before they get a version: see `tables.Predictions`."""

    classes: tuple[str, ...]
    proba: NDArray[np.float32]
    probabilistic: bool


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
    # Texts without a single known word have no column: one then stands for all.
    seen = np.unique(rows.indices).astype(np.intp) if rows.nnz else np.arange(1)
    _fit(estimator, rows[:, seen], targets)
    return seen


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
    ridge = (
        type(estimator) is LogisticRegression
        and estimator.solver == "lbfgs"
        and estimator.penalty in ("l2", "deprecated")
        and not getattr(estimator, "l1_ratio", None)
        and getattr(estimator, "multi_class", "auto") in ("auto", "deprecated")
        and not estimator.warm_start
        and np.isfinite(rows.data if sparse.issparse(rows) else rows).all()  # else it will say so
    )
    n_classes = len(np.unique(targets)) if ridge else 0
    plain = n_classes == 2 and estimator.fit_intercept and not estimator.verbose
    if plain and estimator.class_weight in (None, "balanced"):
        _fit_two_classes(estimator, rows, targets)
    elif n_classes > 2 and sparse.issparse(rows) and rows.shape[0] < rows.shape[1]:
        _fit_rotated(estimator, rows, targets)
    else:
        estimator.fit(rows, targets)


def _fit_two_classes(estimator: Any, rows: Any, targets: NDArray[Any]) -> None:
    """Take the steps of `LogisticRegression.fit` without what surrounds them, twice their cost.

    The same loss, start, solver and tolerances, hence the same weights; in double precision.
    """
    classes, codes = np.unique(targets, return_inverse=True)
    signs = 2.0 * codes - 1.0
    share = np.ones(len(codes))
    if estimator.class_weight == "balanced":
        share = (len(codes) / (2 * np.bincount(codes)))[codes]
    penalty = 1 / (estimator.C * share.sum())
    share = share / share.sum()
    rows = rows.astype(np.float64)
    turned = rows.T.tocsr() if sparse.issparse(rows) else rows.T

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        slopes = weights[:-1]
        margins = signs * (rows @ slopes + weights[-1])
        value = share @ np.logaddexp(0, -margins) + penalty / 2 * (slopes @ slopes)
        pull = -share * signs * expit(-margins)
        return value, np.append(turned @ pull + penalty * slopes, pull.sum())

    weights, _, found = fmin_l_bfgs_b(
        loss,
        np.zeros(rows.shape[1] + 1),
        maxiter=estimator.max_iter,
        pgtol=estimator.tol,
        factr=64,
        maxls=50,
    )
    estimator.classes_ = classes
    estimator.coef_, estimator.intercept_ = weights[None, :-1].copy(), weights[-1:].copy()
    estimator.n_features_in_ = rows.shape[1]
    estimator.n_iter_ = np.array([found["nit"]], dtype=np.int32)


def _fit_rotated(estimator: Any, rows: Any, targets: NDArray[Any]) -> None:
    """Fit in the space that the rows span: n_labels dimensions in place of n_features.

    The weights of a ridge-penalized model are combinations of the rows (representer theorem), and
    neither the loss nor the penalty changes under a rotation: with ``rows = U S V'`` the model of
    ``U S``, turned back by ``V``, is the model of the rows. L-BFGS takes the same steps in both.
    """
    exact = rows.astype(np.float64)
    values, vectors = np.linalg.eigh((exact @ exact.T).toarray())
    kept = values > values[-1] * _LEAST
    lengths, vectors = np.sqrt(values[kept]), vectors[:, kept]
    estimator.fit(vectors * lengths, targets)
    estimator.coef_ = (exact.T @ ((vectors / lengths) @ estimator.coef_.T)).T
    estimator.n_features_in_ = rows.shape[1]


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
    n_rows = rows.shape[0] if hasattr(rows, "shape") else len(rows)
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
            proba = np.column_stack([expit(-margins), expit(margins)])
        else:
            proba = softmax(margins, axis=1)
    else:
        guessed = np.asarray(shielded(estimator.predict, rows)).astype(str)
        if guessed.shape != (n_rows,):
            raise ModelOutputError(
                f"{type(estimator).__name__} gave predictions of shape {guessed.shape}, "
                f"expected ({n_rows},)"
            )
        proba = (guessed[:, None] == np.asarray(classes)[None, :]).astype(np.float32)
    if product:
        proba.flags.writeable = False  # nobody else has it
    else:
        classes = tuple(str(name) for name in estimator.classes_)  # as they are now
    return checked_scores(Scores(classes, proba, probabilistic), n_rows, type(estimator).__name__)


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
    made = np.array(proba, np.float32, order="C", copy=True if proba.flags.writeable else None)
    sums = made @ np.ones(len(classes), dtype=np.float32)
    if not np.isfinite(sums).all():
        raise ModelOutputError(f"{who} gave predictions that are not finite numbers")
    if probabilistic and len(made):
        least, off = made.min(), np.abs(sums - 1).max()
        if least < -_TOLERANCE or off > _TOLERANCE:
            says = f"as small as {least:.3g}" if least < -_TOLERANCE else ""
            says = says or f"a row that sums to {sums[np.abs(sums - 1).argmax()]:.3g}, expected 1"
            raise ModelOutputError(f"{who} gave predictions that are no probabilities: {says}")
    made = made.view()
    made.flags.writeable = False
    return Scores(classes, made, probabilistic)


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
    ones = np.ones(weights.shape[1], dtype=dtype)
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
            if not max(decided.max(), -decided.min()) < _MOST_EXPONENT:
                decided -= decided.max(axis=1, keepdims=True)
            np.exp(decided, out=decided)
            np.divide(decided, (decided @ ones)[:, None], out=block, casting="same_kind")
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
            yield start, rows[start : start + size].astype(weights.dtype, copy=False) @ weights
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
        yield start, np.asarray(_part(rows, start, size, place, len(weights)) @ weights)


def _part(rows: Any, start: int, size: int, place: NDArray[Any] | None, n_columns: int) -> Any:
    """Return some rows of a CSR matrix, their columns moved; views where scipy's slices copy."""
    border = rows.indptr[start : start + size + 1]
    inside = slice(border[0], border[-1])
    part = sparse.csr_matrix((len(border) - 1, n_columns), dtype=rows.dtype)
    # One by one: handed to the constructor, views of less than half an array are copied.
    part.data = rows.data[inside]
    part.indices = rows.indices[inside] if place is None else place[rows.indices[inside]]
    part.indptr = border - border[0]
    return part
