"""Regularised least squares on labels: as good as a linear SVM on few labels, and its leave-one-out
predictions come for nothing. They calibrate the probabilities, of one model or of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from ..tables import Calibration
from .matrices import products

#: More labeled rows than this are solved iteratively, and calibrated on so many of them.
MOST_EXACT = 3000
#: Added to every product of two rows: a constant feature, whose weight is the intercept.
BIAS = 0.1
#: Two numbers need no more labels that are left out.
_MOST_CALIBRATED = 1000
_TEMPERATURES = np.geomspace(0.25, 32.0, 22)
_FLOATS = [np.float64, np.float32]  # squares of small whole numbers would overflow
_FLOOR = float(np.log(1e-6))  # one hopeless item must not decide alone


@dataclass(frozen=True)
class Opinion:
    """What a model says of labels that it was not shown, and how sure it may be.

    Attributes
    ----------
    temperature : float
        Scores are multiplied by it before the softmax.
    left_out : ndarray of shape (n_exact, n_classes)
        Scores of each labeled row when its own label is left out.
    codes : ndarray of shape (n_exact,), int
        Classes of these rows.
    """

    temperature: float
    left_out: NDArray[np.floating[Any]]
    codes: NDArray[np.intp]


@dataclass(frozen=True)
class Solution(Opinion):
    """The weights of the labeled rows, and what was learned on the way.

    Attributes
    ----------
    dual : ndarray of shape (n_labels, n_classes), float32
        Scores of a row x are ``(K(x, labeled) + BIAS) @ dual``.
    """

    dual: NDArray[np.float32]


def solve(
    products: NDArray[np.floating[Any]],
    codes: NDArray[np.intp],
    *,
    alpha: float = 0.3,
    balanced: bool = True,
    n_classes: int | None = None,
) -> Solution:
    """Fit one against the rest, in the space of the labeled rows.

    Regularized least squares (Rifkin, Yeo, Poggio 2003; least-squares support vector machines,
    Suykens and Vandewalle 1999), with the exact leave-one-out residuals of Rifkin and Lippert
    (MIT-CSAIL-TR-2007-025), and temperature scaling on them (Guo et al., ICML 2017).

    Parameters
    ----------
    products : ndarray of shape (n_labels, n_labels)
        Inner products of the labeled rows, about 1 on the diagonal.
    codes : ndarray of shape (n_labels,), int
        Classes 0 to K - 1.
    alpha : float
        Penalty.
    balanced : bool
        Whether each class counts the same, however many labels it has.
    n_classes : int, optional
        K; by default as many as have a label.
    """
    n, k = len(codes), n_classes or int(codes.max()) + 1
    weights = (n / (k * np.bincount(codes)[codes])) if balanced else np.ones(n)
    signs = np.full((n, k), -1.0)
    signs[np.arange(n), codes] = 1.0
    system = np.asarray(products, dtype=np.float64) + BIAS
    system[np.diag_indices(n)] += alpha / weights
    if n <= MOST_EXACT:
        inverse = cho_solve(cho_factor(system, lower=True, check_finite=False), np.eye(n))
        dual = inverse @ signs
        left_out = signs - dual / np.diag(inverse)[:, None]
        return Solution(calibrate(left_out, codes), left_out, codes, dual.astype(np.float32))
    places = places_left_out(n)
    part = solve(
        products[np.ix_(places, places)], codes[places], alpha=alpha, balanced=balanced,
        n_classes=k,
    )  # fmt: skip
    dual = np.column_stack([_conjugate_gradient(system, column) for column in signs.T])
    return replace(part, dual=dual.astype(np.float32))


def places_left_out(n_labels: int) -> NDArray[np.intp]:
    """Return the places of the labels that are left out one by one: of many some at random."""
    if n_labels <= MOST_EXACT:
        return np.arange(n_labels)
    return np.sort(np.random.default_rng(0).permutation(n_labels)[:MOST_EXACT])


def pooled(opinions: Sequence[Opinion]) -> tuple[NDArray[np.float64], Opinion]:
    """Return the shares by which the scores of several models of the same labels make one's.

    A logarithmic opinion pool (Genest and Zidek, Statistical Science 1986): the mean of the scores,
    each at its own temperature, so that a model counts by how sure it may be. What it loses in
    mean log loss is never more than what its members lose on average (Heskes, NIPS 1997).

    Returns
    -------
    shares : ndarray of shape (n_opinions,)
        Of the scores of each.
    opinion : Opinion
        That of all together: the sum, and its temperature by the labels that are left out.
    """
    shares = np.array([opinion.temperature for opinion in opinions]) / len(opinions)
    weighed = (share * opinion.left_out for share, opinion in zip(shares, opinions, strict=True))
    left_out, codes = np.asarray(sum(weighed)), opinions[0].codes
    return shares, Opinion(calibrate(left_out, codes), left_out, codes)


def _conjugate_gradient(system: NDArray[np.float64], column: NDArray[np.float64]) -> Any:
    return sparse.linalg.cg(system, column, rtol=1e-4, maxiter=300)[0]


def calibrate(scores: NDArray[np.floating[Any]], codes: NDArray[np.intp]) -> float:
    """Return the temperature with the least log loss, where no target is certain.

    Of n labels that are all predicted right the next one may still be wrong: with probability
    1 / (2 n + 2) by Krichevsky and Trofimov (IEEE Transactions on Information Theory, 1981), which
    the targets leave to the other classes, as those of Platt do (Probabilistic outputs for support
    vector machines, 1999). Else a dozen labels that fit would have the model sure of everything.

    Parameters
    ----------
    scores : ndarray of shape (n_labels, n_classes)
        Of labels that the model was not shown.
    codes : ndarray of shape (n_labels,), int
        Their classes.
    """
    n, k = scores.shape
    rows, wrong = np.arange(n), 1 / (2 * n + 2)

    def loss(temperature: float) -> float:
        logs = log_softmax(temperature * scores, axis=1)
        own = logs[rows, codes]
        others = (logs.sum(axis=1) - own) / max(1, k - 1)
        return -float(((1 - wrong) * np.maximum(own, _FLOOR) + wrong * others).mean())

    return float(min(_TEMPERATURES, key=loss))


def calibration_of(opinion: Opinion) -> Calibration:
    """Return what makes probabilities of scores of a model that treats classes alike.

    A temperature and an offset for each class (bias-corrected temperature scaling: Alexandari,
    Kundaje, Shrikumar, ICML 2020) with the least log loss, on targets as in `calibrate`. The
    offsets are one number, from 0 to 1, times the logarithms of the shares of the labels, which the
    balanced fit has taken out (with 1 all of it is put back: Elkan, IJCAI 2001): an offset of its
    own for each class would need many labels of each. That items were asked because a model was
    unsure of them does little harm: they were chosen by what they are, not by their label.
    """
    every = slice(None, None, -(-len(opinion.codes) // _MOST_CALIBRATED))
    scores, codes = opinion.left_out[every], opinion.codes[every]
    n, k = scores.shape
    shares = np.log((np.bincount(opinion.codes, minlength=k) + 0.5) / (len(opinion.codes) + k / 2))
    wrong = 1 / (2 * n + 2)
    targets = np.full((n, k), wrong / max(1, k - 1))
    targets[np.arange(n), codes] = 1 - wrong

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logs = log_softmax(parameters[0] * scores + parameters[1] * shares, axis=1)
        off = (np.exp(logs) - targets) / n
        slopes = np.array([np.vdot(off, scores), off.sum(axis=0) @ shares])
        return -float(np.vdot(targets, logs)) / n, slopes

    # Convex, so that it does not matter where it begins.
    found = optimize.minimize(
        loss, [opinion.temperature, 0.5], jac=True, method="L-BFGS-B",
        bounds=[(_TEMPERATURES[0], _TEMPERATURES[-1]), (0.0, 1.0)],
    ).x  # fmt: skip
    return Calibration(float(found[0] / opinion.temperature), found[1] * shares)


class LeastSquaresClassifier(ClassifierMixin, BaseEstimator):
    """Linear classifier by regularised least squares, with calibrated probabilities.

    Parameters
    ----------
    alpha : float
        Penalty; rows are expected to have a length of about 1.
    class_weight : "balanced" or None

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    coef_ : ndarray of shape (n_classes, n_features), float32
    intercept_ : ndarray of shape (n_classes,), float32
    temperature_ : float
        Scores are multiplied by it before the softmax; see `solve`.

    References
    ----------
    Rifkin, Yeo, Poggio: Regularized least-squares classification, 2003.
    """

    def __init__(self, alpha: float = 0.3, class_weight: str | None = "balanced") -> None:
        self.alpha = alpha
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any) -> LeastSquaresClassifier:
        """Fit on rows of shape (n_labels, n_features) and their labels."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=_FLOATS)
        classes, codes = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"labels of at least two classes are needed, got {len(classes)}")
        self.classes_ = classes
        self._learn(X, codes)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Return scores of shape (n_rows, n_classes), also for two classes."""
        check_is_fitted(self)
        return self._decide(validate_data(self, X, accept_sparse="csr", dtype=_FLOATS, reset=False))

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return probabilities of shape (n_rows, n_classes)."""
        return softmax(np.float32(self.temperature_) * self.decision_function(X), axis=1)

    def predict(self, X: Any) -> NDArray[Any]:
        """Return labels of shape (n_rows,)."""
        scores = self.decision_function(X)
        return self.classes_[scores.argmax(axis=1)]

    def _learn(self, rows: Any, codes: NDArray[np.intp]) -> Solution:
        solution = solve(
            products(rows, rows), codes, alpha=self.alpha, balanced=self.class_weight == "balanced"
        )
        self.coef_ = np.ascontiguousarray((rows.T @ solution.dual).T, dtype=np.float32)
        self.intercept_ = BIAS * solution.dual.sum(axis=0)
        self.temperature_ = solution.temperature
        return solution

    def _decide(self, rows: Any) -> NDArray[np.float32]:
        return np.asarray(rows @ self.coef_.T + self.intercept_, dtype=np.float32)
