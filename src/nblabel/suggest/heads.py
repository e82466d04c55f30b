"""What is learned where a label is not one class: several classes, or a number.

Each is a scikit-learn estimator on the features of the pool, solved in the space of the labeled
rows, calibrated by their exact leave-one-out predictions, and says beside its probabilities how
unsure it is: a number from 0 to 1 an item, for the query strategies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import expit, ndtr
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from .least_squares import BIAS, MOST_EXACT
from .matrices import products, pull, squares

#: Rows that are scored at once.
_CHUNK = 4096
#: One hopeless item must not decide alone.
MOST_LOSS = 14.0
#: The spread of a prediction looks at so many labeled rows at most.
_MOST_SPREAD = 500


class LeastSquaresMultiLabel(ClassifierMixin, BaseEstimator):
    """Every class against its absence by regularised least squares: binary relevance.

    One solve for all classes (Rifkin, Yeo, Poggio 2003); the exact leave-one-out scores (Rifkin and
    Lippert 2007) are turned into probabilities class by class (Platt 1999, with his smoothed
    targets), so that rare classes are neither never nor always suggested.

    Parameters
    ----------
    alpha : float
        Penalty.
    """

    def __init__(self, alpha: float = 0.3) -> None:
        self.alpha = alpha

    def fit(self, X: Any, Y: NDArray[Any]) -> LeastSquaresMultiLabel:
        """Fit on rows of shape (n_labels, n_features) and indicators (n_labels, n_classes)."""
        rows = _newest(X)
        X, Y = X[rows], np.asarray(Y, dtype=np.float64)[rows]
        system = np.asarray(products(X, X), dtype=np.float64) + BIAS
        system[np.diag_indices(len(Y))] += self.alpha
        inverse = cho_solve(cho_factor(system, lower=True, check_finite=False), np.eye(len(Y)))
        signs = 2.0 * Y - 1.0
        dual = inverse @ signs
        left_out = signs - dual / np.diag(inverse)[:, None]
        self.slope_, self.shift_ = _platt(left_out, Y)
        said = self.slope_ * left_out + self.shift_
        #: Mean log loss of the labels that were left out.
        self.loss_ = float(np.minimum(np.logaddexp(0.0, -signs * said), MOST_LOSS).mean())
        self.coef_ = np.asarray(pull(X, dual).T, dtype=np.float32)
        self.intercept_ = (BIAS * dual.sum(axis=0)).astype(np.float32)
        self.n_features_in_ = self.coef_.shape[1]
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Return scores of shape (n_rows, n_classes)."""
        return np.asarray(X @ self.coef_.T + self.intercept_, dtype=np.float32)

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each class by itself, of shape (n_rows, n_classes)."""
        return expit(self.slope_ * self.decision_function(X) + self.shift_).astype(np.float32)

    def predict(self, X: Any) -> NDArray[np.int8]:
        """Return indicators of shape (n_rows, n_classes)."""
        return (self.predict_proba(X) > 0.5).astype(np.int8)

    @staticmethod
    def unsure(proba: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one minus the margin, averaged over the classes, of shape (n_rows,)."""
        return np.asarray(1.0 - np.abs(2.0 * proba - 1.0).mean(axis=1), dtype=np.float32)


class LeastSquaresRating(RegressorMixin, BaseEstimator):
    """Numbers on a scale by ridge regression with its predictive distribution.

    Regularised least squares read as a Gaussian process: the mean is its prediction, the variance
    grows with the distance from what is labeled (Rasmussen and Williams 2006, section 2.2), scaled
    by the exact leave-one-out residuals. A point of the scale gets the mass between its neighbours.

    Parameters
    ----------
    points : sequence of float
        Of the scale, evenly spaced.
    n_scales : int
    alpha : float
        Penalty.
    """

    def __init__(self, points: Sequence[float], n_scales: int = 1, alpha: float = 0.3) -> None:
        self.points = points
        self.n_scales = n_scales
        self.alpha = alpha

    def fit(self, X: Any, y: NDArray[Any]) -> LeastSquaresRating:
        """Fit on rows of shape (n_labels, n_features) and numbers (n_labels,) or more scales."""
        rows = _newest(X)
        X, y = X[rows], np.asarray(y, dtype=np.float64).reshape(-1, self.n_scales)[rows]
        kernel = np.asarray(products(X, X), dtype=np.float64) + BIAS
        system = kernel.copy()
        system[np.diag_indices(len(y))] += self.alpha
        inverse = cho_solve(cho_factor(system, lower=True, check_finite=False), np.eye(len(y)))
        self.mean_ = y.mean(axis=0)
        dual = inverse @ (y - self.mean_)
        left_out = dual / np.diag(inverse)[:, None]
        # What a residual would be if the variance were 1: the ratio is the scale of the noise.
        expected = np.sqrt(1.0 / np.diag(inverse))[:, None]
        #: Mean squared error of the labels that were left out, each scale's over its variance.
        self.loss_ = float((np.square(left_out).mean(axis=0) / (y.var(axis=0) + 1e-9)).mean())
        step = float(self.points[1] - self.points[0])
        self.sigma_ = np.maximum(np.sqrt(np.mean((left_out / expected) ** 2, axis=0)), 0.1 * step)
        self.coef_ = np.asarray(pull(X, dual).T, dtype=np.float32)
        self.intercept_ = self.mean_ + BIAS * dual.sum(axis=0)
        self.n_features_in_ = self.coef_.shape[1]
        some = np.arange(len(y))[-_MOST_SPREAD:]
        self._near = X[some]
        self._factor = np.linalg.cholesky(
            kernel[np.ix_(some, some)] + self.alpha * np.eye(len(some))
        )
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Return numbers of shape (n_rows,), or (n_rows, n_scales)."""
        made = np.asarray(X @ self.coef_.T + self.intercept_, dtype=np.float64)
        return made[:, 0] if self.n_scales == 1 else made

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the probability of each point, of shape (n_rows, n_scales * n_points)."""
        points = np.asarray(self.points, dtype=np.float64)
        edges = (points[1:] + points[:-1]) / 2
        means = self.predict(X).reshape(-1, self.n_scales)
        spread = self._spread(X)
        parts = []
        for k in range(self.n_scales):
            sd = (self.sigma_[k] * spread)[:, None]
            below = ndtr((edges - means[:, k : k + 1]) / sd)
            parts.append(np.diff(below, axis=1, prepend=0.0, append=1.0))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def unsure(self, proba: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the standard deviation as a share of half the scale, of shape (n_rows,)."""
        points = np.asarray(self.points, dtype=np.float32)
        parts = proba.reshape(len(proba), self.n_scales, len(points))
        mean = parts @ points
        variance = np.maximum(parts @ points**2 - mean**2, 0.0)
        half = (points[-1] - points[0]) / 2
        return np.asarray(np.clip(np.sqrt(variance).mean(axis=1) / half, 0, 1), dtype=np.float32)

    def _spread(self, X: Any) -> NDArray[np.float64]:
        """Return the standard deviation of each prediction, in units of the noise's scale."""
        across = solve_triangular(
            self._factor, products(self._near, X).astype(np.float64) + BIAS, lower=True
        )
        explained = np.einsum("ij,ij->j", across, across)
        variance = np.maximum(squares(X).astype(np.float64) + BIAS - explained, 0.0)
        return np.sqrt(variance + self.alpha)


def chunks(n_rows: int) -> Iterator[slice]:
    """Return the slices in which many rows are scored."""
    return (slice(start, start + _CHUNK) for start in range(0, n_rows, _CHUNK))


def _newest(X: Any) -> slice:
    """Return the rows that are learned from: solving grows with the cube of their number."""
    return slice(max(0, X.shape[0] - MOST_EXACT), None)


def _platt(
    scores: NDArray[np.float64], hits: NDArray[np.float64], rounds: int = 25
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return slope and shift of a sigmoid for each column, by Newton's method.

    The slope is one for all classes, since a rare one has too few labels for its own.
    """
    n_positive = hits.sum(axis=0)
    n_negative = len(hits) - n_positive
    targets = np.where(hits > 0.5, (n_positive + 1) / (n_positive + 2), 1.0 / (n_negative + 2))
    slope, shift = 2.0, np.log((n_positive + 1) / (n_negative + 1)) + 2.0
    for _ in range(rounds):
        proba = expit(slope * scores + shift)
        weight = proba * (1 - proba) + 1e-6
        error = proba - targets
        # The shifts are eliminated: one equation is left for the slope.
        mean = (weight * scores).sum(axis=0) / weight.sum(axis=0)
        centered = scores - mean
        curvature = (weight * centered**2).sum() + 0.1
        step = ((error * centered).sum() + 0.1 * (slope - 2.0)) / curvature
        step = float(np.clip(step, -1.0, 1.0))
        shift_step = error.sum(axis=0) / weight.sum(axis=0) - step * mean
        slope = max(0.1, slope - step)
        shift = shift - np.clip(shift_step, -2.0, 2.0)
        if abs(step) < 1e-4 and np.abs(shift_step).max(initial=0.0) < 1e-4:
            break
    return np.float32(slope) * np.ones(len(n_positive), np.float32), shift.astype(np.float32)
