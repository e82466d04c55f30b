"""A random forest over the columns of a table: steps and combinations, which kernels blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.utils.validation import check_is_fitted, validate_data

from .._quiet import quiet
from .least_squares import BIAS, MOST_EXACT, Opinion, calibrate, exact, pooled, products, solve

N_TREES = 100
#: Leaves of single labels would learn their noise by heart.
_LEAST_IN_LEAF = 3
#: Added to probabilities: no leaf is so sure that another class is out of the question.
_DOUBT = 0.02


@dataclass(frozen=True)
class Forest(Opinion):
    """A random forest (Breiman, Machine Learning 2001), and what it says out of bag.

    Attributes
    ----------
    trees : RandomForestClassifier
        Its classes are numbers.
    """

    trees: RandomForestClassifier

    def scores(self, rows: Any) -> NDArray[np.float32]:
        """Return the logarithm of its probabilities, of shape (n_rows, n_classes)."""
        return _scores(self.trees.predict_proba(rows))

    def predict_proba(self, rows: Any) -> NDArray[np.float32]:
        """Return probabilities of shape (n_rows, n_classes)."""
        return softmax(np.float32(self.temperature) * self.scores(rows), axis=1)


def grow(rows: Any, codes: NDArray[np.intp], seed: int = 0) -> Forest:
    """Grow a forest in which each class counts the same.

    A label is left out by the trees that did not draw it: about a third of them.

    Parameters
    ----------
    rows : ndarray or CSR matrix of shape (n_labels, n_columns)
    codes : ndarray of shape (n_labels,), int
        Classes 0 to K - 1, each of them at least once.
    seed : int
    """
    trees = RandomForestClassifier(
        N_TREES,
        min_samples_leaf=_LEAST_IN_LEAF,
        class_weight="balanced",
        oob_score=True,
        max_samples=MOST_EXACT if len(codes) > MOST_EXACT else None,
        random_state=seed,
    )
    with quiet(UserWarning):  # of few labels one may be in every bag
        trees.fit(rows, codes)
    places = exact(len(codes))
    present, renumbered = np.unique(codes[places], return_inverse=True)
    left_out = _scores(trees.oob_decision_function_[np.ix_(places, present)])
    return Forest(calibrate(left_out, renumbered), left_out, renumbered, trees)


def _scores(proba: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.log(np.nan_to_num(proba, nan=0.0) + _DOUBT).astype(np.float32)


class ForestedClassifier(ClassifierMixin, BaseEstimator):
    """Least squares on all columns and a forest on the first ones, pooled: see `pooled`.

    Parameters
    ----------
    n_columns : int
        Columns that the forest sees.
    length : float
        What these are multiplied by before.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_classes, n_features), float32
    intercept_ : ndarray of shape (n_classes,), float32
    forest_ : Forest
    share_ : float
        Of the forest's scores.
    temperature_ : float
        Scores are multiplied by it before the softmax.
    """

    def __init__(self, n_columns: int, length: float = 1.0) -> None:
        self.n_columns = n_columns
        self.length = length

    def fit(self, X: Any, y: Any) -> ForestedClassifier:
        """Fit on rows of shape (n_labels, n_features) and their labels."""
        X, y = validate_data(self, X, y, accept_sparse="csr")
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"labels of at least two classes are needed, got {len(self.classes_)}")
        solution = solve(products(X, X), codes)
        self.forest_ = grow(self._columns(X), codes)
        (share, self.share_), whole = pooled([solution, self.forest_])
        self.coef_ = np.asarray(share * (X.T @ solution.dual).T, dtype=np.float32)
        self.intercept_ = share * BIAS * solution.dual.sum(axis=0)
        self.temperature_ = whole.temperature
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Return scores of shape (n_rows, n_classes), also for two classes."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        linear = np.asarray(X @ self.coef_.T + self.intercept_, dtype=np.float32)
        return linear + np.float32(self.share_) * self.forest_.scores(self._columns(X))

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return probabilities of shape (n_rows, n_classes)."""
        return softmax(np.float32(self.temperature_) * self.decision_function(X), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return labels of shape (n_rows,)."""
        scores = self.decision_function(X)
        return self.classes_[scores.argmax(axis=1)]

    def _columns(self, X: Any) -> Any:
        return X[:, : self.n_columns] * np.float32(self.length)
