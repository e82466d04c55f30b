"""Logistic regression as scikit-learn has it, without what surrounds it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpstrf, sposv
from scipy.optimize import fmin_l_bfgs_b
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

#: Labels up to which a Cholesky decomposition for each step costs less than more steps.
_MOST_NEWTON = 256
#: Newton's method takes few steps; more of them lead nowhere.
_MOST_STEPS = 20
#: Directions of the labeled rows below this share of the largest are rounding.
_LEAST = 1e-12


def fit_logistic(estimator: Any, rows: Any, targets: NDArray[Any]) -> bool:
    """Do what `LogisticRegression.fit` does, at less than half its cost, where it is known how.

    The same loss, start and tolerances, in double precision. With more than two classes the same
    steps, hence the same weights; with two and few labels fewer steps, to the same minimum.

    Parameters
    ----------
    estimator : classifier
        Changed in place.
    rows : ndarray or CSR matrix of shape (n_labels, n_features)
    targets : ndarray of shape (n_labels,)

    Returns
    -------
    bool
        Whether it was done; else the estimator is as it was, and its own `fit` is to be called.
    """
    if not (
        _is_plain(estimator) and np.isfinite(rows.data if sparse.issparse(rows) else rows).all()
    ):
        return False
    classes, codes = np.unique(targets, return_inverse=True)
    if len(classes) < 2:
        return False
    rows = rows.astype(np.float64)
    share = np.ones(len(codes))
    if estimator.class_weight == "balanced":
        share = (len(codes) / (len(classes) * np.bincount(codes)))[codes]
    penalty = 1 / (estimator.C * share.sum())
    share = share / share.sum()
    found = None
    if len(classes) == 2 and len(codes) <= min(rows.shape[1], _MOST_NEWTON):
        found = _newton(estimator, rows, codes, share, penalty)
    if found is None:
        found = _lbfgs(estimator, rows, codes, share, penalty)
    slopes, intercept, n_steps = found
    estimator.classes_ = classes
    estimator.coef_, estimator.intercept_ = slopes.T.copy(), intercept.copy()
    estimator.n_features_in_ = rows.shape[1]
    estimator.n_iter_ = np.array([n_steps], dtype=np.int32)
    return True


def _is_plain(estimator: Any) -> bool:
    return (
        type(estimator) is LogisticRegression
        and estimator.solver == "lbfgs"
        and estimator.penalty in ("l2", "deprecated")
        and not getattr(estimator, "l1_ratio", None)
        and getattr(estimator, "multi_class", "auto") in ("auto", "deprecated")
        and estimator.class_weight in (None, "balanced")
        and estimator.fit_intercept is True
        and not (estimator.warm_start or estimator.verbose or estimator.dual)
        # What is not allowed it will say itself.
        and all(isinstance(number, (int, float)) for number in (estimator.C, estimator.tol))
        and estimator.C > 0
        and estimator.tol > 0
        and isinstance(estimator.max_iter, int)
        and estimator.max_iter > 0
    )


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # then it does not arrive
def _newton(
    estimator: Any,
    rows: Any,
    codes: NDArray[np.intp],
    share: NDArray[np.float64],
    penalty: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int] | None:
    """Return slopes, intercept and steps of two classes by Newton's method; None if it fails.

    On the combination of the rows that the slopes are (representer theorem): n_labels unknowns,
    and two or three steps, each a Cholesky decomposition of ``I + W^(1/2) K W^(1/2)`` (Rasmussen
    and Williams, "Gaussian processes for machine learning", 2006, section 3.4.3). The direction is
    in single precision; whether it has arrived is asked in double.
    """
    turned, products = rows.T, _products(rows)
    narrow = products.astype(np.float32)
    combined, intercept, decided = np.zeros(len(codes)), 0.0, np.zeros(len(codes))
    # The loss curves by the penalty at least: over it, what is left of the gradient bounds how far
    # off the slopes are.
    least = min(estimator.tol, penalty / 5)
    for n_steps in range(min(estimator.max_iter, _MOST_STEPS)):
        odds = expit(decided)
        slope = share * (odds - codes)
        pull = slope + penalty * combined
        gradient = turned @ pull
        if max(np.abs(gradient).max(initial=0.0), abs(slope.sum())) <= least:
            return (turned @ combined)[:, None], np.array([intercept]), n_steps
        root = np.sqrt(share * odds * (1 - odds))
        if not root.all():  # as sure as a double can be
            return None
        narrowed = root.astype(np.float32)
        system = narrow * narrowed
        system *= narrowed[:, None]
        system.flat[:: len(codes) + 1] += penalty
        _, solved, failed = sposv(system.T, np.stack([pull / root, root], axis=1), overwrite_a=1)
        if failed:
            return None
        along, shift = (solved * root[:, None]).T
        moved = (combined.sum() - along.sum()) / shift.sum()
        combined -= along + moved * shift
        intercept += moved
        decided = products @ combined + intercept
    return None


def _lbfgs(
    estimator: Any,
    rows: Any,
    codes: NDArray[np.intp],
    share: NDArray[np.float64],
    penalty: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return slopes, intercepts and steps by the solver of scikit-learn."""
    n_classes = codes.max() + 1
    n_outputs = n_classes if n_classes > 2 else 1
    log_loss = _softmax_loss if n_classes > 2 else _logistic_loss
    given, turn = rows, None
    if n_classes > 2 and rows.shape[0] < rows.shape[1]:
        rows, turn = _rotated(rows)
    turned = rows.T

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(-1, n_outputs)
        slopes = weights[:-1]
        value, pull = log_loss(rows @ slopes + weights[-1], codes, share)
        gradient = np.concatenate([turned @ pull + penalty * slopes, pull.sum(axis=0)[None]])
        return value + penalty / 2 * np.vdot(slopes, slopes), gradient.ravel()

    flat, _, found = fmin_l_bfgs_b(
        loss,
        np.zeros((rows.shape[1] + 1) * n_outputs),
        maxiter=estimator.max_iter,
        pgtol=estimator.tol,
        factr=64,
        maxls=50,
    )
    weights = flat.reshape(-1, n_outputs)
    slopes = weights[:-1] if turn is None else given.T @ turn(weights[:-1])
    return slopes, weights[-1], found["nit"]


def _logistic_loss(
    decided: NDArray[np.float64], codes: NDArray[np.intp], share: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the loss of one column of decisions between two classes, and its derivative."""
    decided = decided[:, 0]
    loss = float(share @ (np.logaddexp(0, decided) - codes * decided))
    return loss, (share * (expit(decided) - codes))[:, None]


def _softmax_loss(
    decided: NDArray[np.float64], codes: NDArray[np.intp], share: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the loss of a column of decisions for each class, and its derivative."""
    each = np.arange(len(codes))
    decided -= decided.max(axis=1, keepdims=True)
    own = decided[each, codes]
    odds = np.exp(decided, out=decided)
    total = odds.sum(axis=1)
    odds *= (share / total)[:, None]
    odds[each, codes] -= share
    return float(share @ (np.log(total) - own)), odds


def _products(rows: Any) -> NDArray[np.float64]:
    """Return the inner products of the rows, in double precision as they are."""
    made = rows @ rows.T
    return np.asarray(made.toarray() if sparse.issparse(made) else made)


def _rotated(rows: Any) -> tuple[NDArray[np.float64], Callable[[Any], NDArray[np.float64]]]:
    """Return the rows in the space that they span: n_labels dimensions in place of n_features.

    The weights of a ridge-penalized model are combinations of the rows (representer theorem), and
    neither the loss nor the penalty changes under a rotation: with ``rows = L Q'``, L the Cholesky
    factor of their products, the model of L, turned back by Q, is the model of the rows. L-BFGS
    takes the same steps in both.

    Returns
    -------
    factor : ndarray of shape (n_labels, n_dimensions)
    turn : callable
        Weights of the factor's columns to weights of the rows: ``rows.T @ turn(weights)``.
    """
    product = _products(rows)
    # With pivots, since rows may be alike; what is left of the others then is rounding.
    least = _LEAST * product.diagonal().max()
    factor, pivots, rank, _ = dpstrf(product, tol=least, lower=1)
    order = pivots - 1
    factor = np.tril(factor)[:, :rank]

    def turn(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        made = np.zeros((len(order), weights.shape[1]))
        if rank:  # else all rows are zeros, of which LAPACK may know nothing
            made[order[:rank]] = solve_triangular(factor[:rank], weights, lower=True, trans=1)
        return made

    return factor[np.argsort(order)], turn
