"""What the whole pool is made of, from random draws, all labels and a model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .effects import steadied_variance
from .estimates import Estimate
from .shares import z_of

#: Below this many random draws nothing is said of the pool.
LEAST_DRAWS = 20
#: Of many draws, so many of the newest are looked at for themselves.
NEWEST = 100


def unseen_share(
    new: Sequence[bool],
    lone: int,
    left: Sequence[int],
    n_items: int,
    confidence: float = 0.95,
    unit: str = "random draws",
) -> Estimate:
    """Share of the pool whose class has no label yet.

    The value is the estimate of Good and Turing (Biometrika 1953): the share of the draws whose
    class has no other label, here of the items still open. The upper end holds at any size: items
    of unseen classes never get more, so each draw was of a new class with at least the chance that
    those of now would give, and the number of draws that were bounds it as binomial draws would
    (Clopper and Pearson, one-sided).

    Parameters
    ----------
    new : sequence of bool
        For each random draw, in order: whether nothing labeled before had its class.
    lone : int
        Draws whose class has no other label now.
    left : sequence of int
        Items without a label before each draw.
    n_items : int

    Returns
    -------
    Estimate
        With `low` 0; not known below `LEAST_DRAWS`.
    """
    n = len(new)
    if n < LEAST_DRAWS:
        return Estimate.missing(n, LEAST_DRAWS, unit)
    # The newest draws know of the most classes; how many they are is fixed beforehand.
    sizes = [n, NEWEST] if n >= 2 * NEWEST else [n]
    error = (1 - confidence) / len(sizes)
    high = min(_upper(sum(new[n - k :]), k, error) * left[n - k] / n_items for k in sizes)
    value = lone / n * left[-1] / n_items
    return Estimate(min(value, high), 0.0, high, n, unit, confidence=confidence)


def _upper(successes: int, n: int, error: float) -> float:
    return 1.0 if successes == n else float(stats.beta.isf(error, successes + 1, n - successes))


def class_shares(
    labels: NDArray[np.intp],
    drawn: NDArray[np.bool_],
    folds: NDArray[np.intp],
    predicted: NDArray[Any],
    totals: NDArray[Any],
    n_items: int,
    confidence: float = 0.95,
    unit: str = "random draws",
) -> list[Estimate]:
    """Share of each class in the whole pool, by prediction-powered inference.

    Labels in the order in which they came. Before each random draw some items are labeled, which
    is known, and some are not, of which it is drawn uniformly: the labels known, the predictions
    for all others, and the error at the draw times their number estimate the total of a class
    without bias, whatever chose the other labels and however good the predictions are
    (Angelopoulos et al., Science 2023; sampled one after the other: Zrnic and Candes, ICML 2024).
    The mean over all draws is weighted by the number of items then open, to the power -2, which
    is the best, and predictions by how much they tell (PPI++; Angelopoulos, Duchi, Zrnic 2023).
    The pool is finite: what is labeled is certain, and the interval ends in a point when all is.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,), int
        Classes, in the order of the answers.
    drawn : ndarray of shape (n_labels,), bool
        Whether it was a random draw from all items without a label.
    folds : ndarray of shape (n_labels,), int
        A draw is held against the model that has not seen the labels of its fold.
    predicted : ndarray of shape (n_folds, n_labels, n_classes)
        Probabilities for the labeled items, by the model of each fold.
    totals : ndarray of shape (n_folds, n_classes)
        Sums of the probabilities over the whole pool.
    n_items : int

    Returns
    -------
    list of Estimate
        For each class; not known below `LEAST_DRAWS` draws.
    """
    places = np.flatnonzero(drawn)
    n, n_classes = len(places), totals.shape[1]
    if n < LEAST_DRAWS:
        return [Estimate.missing(n, LEAST_DRAWS, unit)] * n_classes
    own = folds[places]
    left = (n_items - places).astype(float)  # items without a label at each draw
    weights = left**-2 / (left**-2).sum()
    indicator = np.eye(n_classes)[labels]
    # What was labeled before each draw, and what the models say of it.
    known = np.cumsum(indicator, axis=0)[places] - indicator[places]
    said = np.cumsum(predicted, axis=1)[own, places] - predicted[own, places]
    open_mean = (totals[own] - said) / left[:, None]
    y, f = indicator[places], predicted[own, places] - open_mean
    found = []
    for k in range(n_classes):
        tells = float(np.square(f[:, k]).sum())
        centered = y[:, k] - y[:, k].mean()
        power = float(np.clip(centered @ f[:, k] / tells, 0.0, 1.0)) if tells > 0 else 0.0
        errors = y[:, k] - power * f[:, k]
        value = float(weights @ (known[:, k] + left * errors)) / n_items
        middle = float(errors.mean())
        variance = steadied_variance(errors - middle, confidence)
        half = z_of(confidence) * math.sqrt(variance / (left**-2).sum()) / n_items
        certain = int((labels == k).sum())
        least, most = certain / n_items, (certain + n_items - len(labels)) / n_items
        low, high = (float(np.clip(v, least, most)) for v in (value - half, value + half))
        value = float(np.clip(value, least, most))
        found.append(Estimate(value, low, high, n, unit, confidence=confidence))
    return found
