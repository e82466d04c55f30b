"""Which of two is better: strengths of items from comparisons."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import entr, expit
from sklearn.base import BaseEstimator, ClassifierMixin

from .least_squares import MOST_EXACT
from .matrices import mean_row, products, pull, squares

#: Variance of a strength by a feature row of length one, and by what is an item's own, that the
#: comparisons choose between; logits, squared.
FEATURE_VARIANCES = (1.0, 4.0, 16.0, 64.0, 256.0)
OWN_VARIANCES = (0.03, 0.1, 0.3, 1.0, 3.0)
#: So many labels choose, and so many tell how unsure a strength is.
_MOST_CHOOSING = 250
_MOST_SPREAD = 500
_STEPS = 30
_NODES = 9
#: Beside the best variances so many others count, if they are not too implausible against it.
_MOST_PLAUSIBLE, _LEAST_WEIGHT = 10, 0.05


class BradleyTerry(ClassifierMixin, BaseEstimator):
    """Preferences by strengths, the model of Bradley and Terry (1952) with Davidson's ties (1970).

    The strength of an item is linear in its features, plus a part of its own, which only its own
    comparisons tell: a Gaussian process over items (Chu and Ghahramani, ICML 2005), with Laplace's
    approximation (Rasmussen and Williams 2006, section 3.4), whose evidence chooses both variances.

    Parameters
    ----------
    ties : bool
        Whether neither may be better.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,), float32
        Of the features.
    own_ : ndarray of shape (n_items,), float32, or None
        What is each item's own, where items were told apart.
    nu_ : float
        How strong ties are beside wins.
    center_ : float
        The strength that counts as 0.
    loss_ : float
        Minus the logarithm of the evidence, by which features are compared.
    variances_ : tuple of float
        Of a strength, by features and by what is its own.
    """

    def __init__(self, ties: bool = True) -> None:
        self.ties = ties

    def fit(self, X: Any, y: NDArray[Any], own: Any = None) -> BradleyTerry:
        """Fit on what was preferred.

        Parameters
        ----------
        X : matrix of shape (n_labels, n_features)
            Features of the first item minus those of the second.
        y : ndarray of shape (n_labels,)
            Share of the win that the first one has: 1, 0, or 0.5 for a tie.
        own : CSR matrix of shape (n_labels, n_items), optional
            1 for the first item, -1 for the second.
        """
        newest = slice(max(0, X.shape[0] - MOST_EXACT), None)
        X, y = X[newest], np.asarray(y, dtype=np.float64)[newest]
        own = None if own is None else own[newest]
        features = products(X, X).astype(np.float64)
        # Without items each side of a pair is another one: what is its own is never seen again.
        same = 2.0 * np.eye(len(y)) if own is None else products(own, own).astype(np.float64)
        (self.weight_, variances), *others = _plausible(features, same, y, self.ties)
        self._settle(X, y, own, features, same, variances)
        self.others_ = []
        for weight, variances in others if len(y) <= _MOST_SPREAD else ():
            other = BradleyTerry(self.ties)
            other._settle(X, y, own, features, same, variances)
            self.others_.append((weight, other))
        return self

    def _settle(
        self,
        X: Any,
        y: NDArray[np.float64],
        own: Any,
        features: NDArray[np.float64],
        same: NDArray[np.float64],
        variances: tuple[float, float],
    ) -> None:
        self.variances_ = variances
        by_features, by_item = variances
        kernel = by_features * features + by_item * same
        state = _Laplace(kernel, y, self.ties)
        self.loss_ = -state.evidence
        self.nu_ = state.nu
        self.coef_ = np.asarray(by_features * pull(X, state.dual), dtype=np.float32).ravel()
        self.own_, self.center_ = None, 0.0
        if own is not None:
            self.own_ = np.asarray(by_item * (own.T @ state.dual), dtype=np.float32).ravel()
        self.n_features_in_ = len(self.coef_)
        some = slice(max(0, len(y) - _MOST_SPREAD), None)
        self._near = X[some]
        self._near_own = None if own is None else own[some]
        self._half = state.half(some)

    def strength(self, X: Any) -> NDArray[np.float32]:
        """Return the strength of items by their features, of shape (n_rows,)."""
        return np.asarray(X @ self.coef_ - self.center_, dtype=np.float32)

    def posterior(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and variance of each item's strength, less the mean of all.

        Over all variances of strengths that are plausible, by their evidence: the best ones alone
        would promise too much.

        Parameters
        ----------
        X : matrix of shape (n_items, n_features)
            Of the items that `fit` told apart, in their order.
        """
        models = [(self.weight_, self), *self.others_]
        near = products(X, self._near)  # the labels of all models are the same
        weights = np.array([weight for weight, _ in models])
        weights = weights[:, None] / weights.sum()
        means, variances = (
            np.stack(part) for part in zip(*(m._moments(X, near) for _, m in models), strict=True)
        )
        mean = (weights * means).sum(axis=0)
        return mean, (weights * (variances + np.square(means - mean))).sum(axis=0)

    def _moments(
        self, X: Any, near: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        by_features, by_item = self.variances_
        n_items = X.shape[0]
        assert self.own_ is not None, "items were told apart"
        mean = np.asarray(X @ self.coef_ + self.own_, dtype=np.float64)
        center = mean_row(X)
        apart = squares(X) - 2 * np.asarray(X @ center).ravel() + center @ center
        prior = by_features * apart + by_item * (1 - 1 / n_items)
        explained = self._explained(near, items=True)
        settled = np.square(explained - explained.mean(axis=0)).sum(axis=1)
        return mean - mean.mean(), np.maximum(prior - settled, 0.0)

    def explained(self, X: Any, items: bool = False) -> NDArray[np.float32]:
        """Return rows that say how far the labels settle strengths, of shape (n_rows, n_labels).

        The posterior covariance of two rows is the prior one minus the product of theirs.

        Parameters
        ----------
        X : matrix of shape (n_rows, n_features)
        items : bool
            Whether the rows are those of the items that `fit` told apart, in their order.
        """
        return self._explained(products(X, self._near), items)

    def _explained(self, near: NDArray[np.float32], items: bool) -> NDArray[np.float32]:
        across = self.variances_[0] * near
        if items and self._near_own is not None:
            across += np.float32(self.variances_[1]) * self._near_own.T.toarray()
        return np.asarray(across @ self._half.T, dtype=np.float32)

    def chances(
        self, mean: NDArray[np.floating[Any]], variance: NDArray[np.floating[Any]]
    ) -> NDArray[np.float32]:
        """Return the probabilities of first, second and tie (if there are ties).

        Parameters
        ----------
        mean, variance : ndarray of shape (n_rows,)
            Of the difference of two strengths. The expectation over it by MacKay's approximation
            (1992).
        """
        half = np.asarray(mean / np.sqrt(1 + np.pi * variance / 8), dtype=np.float64)[:, None] / 2
        first, second = np.exp(np.clip(half, -30, 30)), np.exp(np.clip(-half, -30, 30))
        parts = [first, second] + ([np.full_like(first, self.nu_)] if self.ties else [])
        made = np.hstack(parts)
        return np.asarray(made / made.sum(axis=1, keepdims=True), dtype=np.float32)

    def predict_proba(self, X: Any) -> NDArray[np.float32]:
        """Return the chances of items that were never compared, from differences of features."""
        prior = self.variances_[0] * squares(X) + 2 * self.variances_[1]
        variance = np.maximum(prior - np.square(self.explained(X)).sum(axis=1), 0.0)
        return self.chances(X @ self.coef_, variance)

    def predict(self, X: Any) -> NDArray[np.intp]:
        """Return 0 for first, 1 for second, 2 for a tie."""
        return np.asarray(self.predict_proba(X).argmax(axis=1))


def information(
    mean: NDArray[np.floating[Any]], variance: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Return how much an answer would tell about the strengths, in bits, of shape (n_rows,).

    The mutual information of answer and difference, ties aside: large where the chances are even
    because the strengths are not known, small where they are known to be the same (BALD: Houlsby,
    Huszár, Ghahramani, Lengyel 2011; here by quadrature).

    Parameters
    ----------
    mean, variance : ndarray of shape (n_rows,)
        Of the difference of two strengths.
    """
    points, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    chance = expit(np.asarray(mean)[:, None] + np.sqrt(variance)[:, None] * points)
    bits = _entropy(chance @ weights) - _entropy(chance) @ weights
    return np.asarray(np.clip(bits, 0.0, 1.0), dtype=np.float32)


def _entropy(chance: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    made: NDArray[np.floating[Any]] = (entr(chance) + entr(1 - chance)) / np.log(2)
    return made


class _Laplace:
    """The mode of the posterior over differences, and the Gaussian at it."""

    def __init__(
        self, kernel: NDArray[np.float64], y: NDArray[np.float64], ties: bool, nu: float = 0.5
    ) -> None:
        self.kernel = kernel
        self.nu = nu if ties else 0.0
        n_ties = int((y == 0.5).sum()) if ties else 0
        values = np.zeros(len(y))
        best = -np.inf
        self.dual = np.zeros(len(y))
        for _ in range(_STEPS):
            if ties:
                self.nu = _davidson(values, len(y), n_ties)
            gradient, curvature, _ = self._likelihood(values, y)
            root = np.sqrt(curvature)
            lower = self._factor(root)
            target = curvature * values + gradient
            dual = target - root * cho_solve((lower, True), root * (kernel @ target))
            step, found = 1.0, -np.inf
            while step > 1e-3:  # Newton's step may be too long where few labels say all
                tried = self.dual + step * (dual - self.dual)
                here = kernel @ tried
                found = float(self._likelihood(here, y)[2] - tried @ here / 2)
                if found > best - 1e-9:
                    break
                step /= 2
            self.dual, values = tried, here
            if found - best < 1e-5:
                break
            best = found
        gradient, self.curvature, likelihood = self._likelihood(values, y)
        lower = self._factor(np.sqrt(self.curvature))
        self.evidence = float(likelihood - self.dual @ values / 2 - np.log(np.diag(lower)).sum())

    def half(self, some: slice) -> NDArray[np.float32]:
        """Return a square root of what some labels tell: see `BradleyTerry.explained`."""
        root = np.sqrt(self.curvature[some])
        system = np.eye(len(root)) + root[:, None] * self.kernel[some, some] * root
        lower = cholesky(system, lower=True, check_finite=False)
        return np.asarray(solve_triangular(lower, np.diag(root), lower=True), dtype=np.float32)

    def _factor(self, root: NDArray[np.float64]) -> Any:
        system = np.eye(len(root)) + root[:, None] * self.kernel * root
        return cholesky(system, lower=True, check_finite=False)

    def _likelihood(
        self, values: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """Return the gradient, minus the second derivative and the value of the log likelihood."""
        half = np.clip(values / 2, -30, 30)
        cosh, sinh = np.cosh(half), np.sinh(half)
        whole = 2 * cosh + self.nu
        gradient = y - 0.5 - sinh / whole
        curvature = (1 + self.nu * cosh / 2) / whole**2
        said = (2 * y - 1) * half - np.log(whole)
        if self.nu:
            said = said + np.where(y == 0.5, np.log(self.nu), 0.0)
        return gradient, np.maximum(curvature, 1e-10), float(said.sum())


def _plausible(
    features: NDArray[np.float64], same: NDArray[np.float64], y: NDArray[np.float64], ties: bool
) -> list[tuple[float, tuple[float, float]]]:
    """Return the variances that the evidence allows with their weights, the best first.

    A weak prior keeps the first labels calm.
    """
    some = np.ix_(*(np.arange(len(y))[-_MOST_CHOOSING:],) * 2)
    features, same, y = features[some], same[some], y[-_MOST_CHOOSING:]
    found = []
    for by_features, by_item in product(FEATURE_VARIANCES, OWN_VARIANCES):
        evidence = _Laplace(by_features * features + by_item * same, y, ties).evidence
        evidence -= np.log(by_features / 16) ** 2 / 12 + np.log(by_item / 0.3) ** 2 / 12
        found.append((evidence, (by_features, by_item)))
    found.sort(reverse=True)
    weighed = [(float(np.exp(one - found[0][0])), pair) for one, pair in found[:_MOST_PLAUSIBLE]]
    return [(weight, pair) for weight, pair in weighed if weight > _LEAST_WEIGHT]


def _davidson(values: NDArray[np.float64], n: int, n_ties: int) -> float:
    """Return how strong ties are beside wins, by maximum likelihood."""
    if not n_ties:
        return 0.5 / (n + 1)
    both = 2 * np.cosh(np.clip(values / 2, -30, 30))

    def loss(log_nu: float) -> float:
        return float(np.log(both + np.exp(log_nu)).sum() - n_ties * log_nu)

    return float(np.exp(minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded").x))
