"""Classifiers that take numbers for classes only, such as those of gradient boosting libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from .shield import shielded


def _has(name: str) -> Any:
    return available_if(lambda self: hasattr(getattr(self, "estimator_", self.estimator), name))


class Coded(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier of texts by one of the numbers 0, 1, ..., in the order of the sorted texts.

    Parameters
    ----------
    estimator : classifier

    Attributes
    ----------
    estimator_ : fitted classifier
    classes_ : ndarray of shape (n_classes,)
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any) -> Coded:
        """Fit a clone of the estimator on numbers."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        self.estimator_ = clone(self.estimator).fit(X, codes.ravel())
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the classes of rows."""
        return np.asarray(self.classes_[np.asarray(self.estimator_.predict(X)).ravel().astype(int)])

    @_has("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Return probabilities of shape (n_rows, n_classes)."""
        return self.estimator_.predict_proba(X)

    @_has("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Return what the estimator decides by."""
        return self.estimator_.decision_function(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def fitted_on_codes(estimator: Any, rows: Any, targets: NDArray[Any]) -> Coded | None:
    """Return an estimator that failed on texts fitted on numbers, None if that is not all it lacks.

    Parameters
    ----------
    estimator : classifier
        Not fitted.
    rows : array, sparse matrix or sequence of items
    targets : ndarray of str
    """
    coded = Coded(estimator)
    try:
        shielded(coded.fit, rows, targets)
    except Exception:
        return None
    return coded
