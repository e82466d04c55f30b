"""Whether to go on: what the next labels may bring, and whether the model still changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from .effects import steadied_variance
from .estimates import Estimate
from .shares import z_of

#: Below this many random draws nothing is said of what further labels bring.
LEAST_FOR_GAIN = 50
#: Kappa between successive models from which on they count as the same.
STABLE = 0.99
#: And in how many trainings in a row.
STABLE_RUNS = 3
#: An expected gain per 100 labels that nobody would wait for.
SMALL_GAIN = 0.005


def expected_gain(
    hits: Sequence[bool], n_labels: Sequence[int], more: int = 100, confidence: float = 0.95
) -> Estimate:
    """Accuracy that further labels bring, from the progressive curve.

    The value is that of a logistic curve in the logarithm of the number of labels, fitted with
    Firth's penalty (Biometrika 1993). The interval needs one assumption only: that the curve rises,
    and ever more slowly. Then the next labels bring no less than nothing, and no more than its mean
    slope up to here, whatever window that is taken over. So the upper end is the least of the upper
    bounds on the slopes over the newest 50, 100, 200... draws, which share what may go wrong.

    Parameters
    ----------
    hits : sequence of bool
        As for `progressive`.
    n_labels : sequence of int
        How many labels there were, for each; the last one is where the curve goes on from.
    more : int
        Labels to come.

    Returns
    -------
    Estimate
        Of the gain in accuracy on what is left; not known below `LEAST_FOR_GAIN` draws.
    """
    unit = "random draws"
    made = np.asarray(hits, dtype=float)
    counts = np.asarray(n_labels, dtype=float)
    if len(made) < LEAST_FOR_GAIN:
        return Estimate.missing(len(made), LEAST_FOR_GAIN, unit)
    sizes = [LEAST_FOR_GAIN]
    while 2 * sizes[-1] <= len(made):
        sizes.append(2 * sizes[-1])
    level = 1 - (1 - confidence) / len(sizes)
    high = min(_slope_bound(made[-n:], counts[-n:], level) for n in sizes) * more
    high = float(np.clip(high, 0.0, 1.0))
    value = min(max(_fitted_gain(made, counts, more), 0.0), high)
    return Estimate(value, 0.0, high, len(made), unit, confidence=confidence)


def _slope_bound(hits: NDArray[Any], counts: NDArray[Any], level: float) -> float:
    """Upper bound on the mean slope, one-sided."""
    away = counts - counts.mean()
    spread = float(np.square(away).sum())
    if spread == 0:
        return math.inf
    slope = float(away @ hits) / spread
    # The bound is one-sided, `steadied_variance` speaks of two sides.
    two_sided = 2 * level - 1
    variance = steadied_variance(hits - hits.mean() - slope * away, two_sided)
    return slope + z_of(two_sided) * math.sqrt(variance / spread)


def _fitted_gain(hits: NDArray[Any], counts: NDArray[Any], more: int) -> float:
    x = np.log(np.maximum(counts, 1.0))
    middle = x.mean()
    design = np.column_stack([np.ones_like(x), x - middle])
    weights = np.zeros(2)
    for _ in range(50):
        p = expit(design @ weights)
        curvature = np.maximum(p * (1 - p), 1e-9)
        inverse = np.linalg.inv(design.T @ (design * curvature[:, None]) + 1e-9 * np.eye(2))
        leverage = curvature * np.einsum("ij,jk,ik->i", design, inverse, design)
        step = np.clip(inverse @ (design.T @ (hits - p + leverage * (0.5 - p))), -2, 2)
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    now, then = np.log([max(counts[-1], 1.0), max(counts[-1], 1.0) + more]) - middle
    return float(expit(weights[0] + weights[1] * then) - expit(weights[0] + weights[1] * now))


def prediction_kappa(before: NDArray[Any], after: NDArray[Any]) -> float:
    """Cohen's kappa between what two models predict for the same items.

    Parameters
    ----------
    before, after : array of shape (n_items,)
        Predicted labels. Two models that both know one label only agree fully.
    """
    kinds, codes = np.unique(np.concatenate([before, after]), return_inverse=True)
    n = len(before)
    first, second = codes[:n], codes[n:]
    shares = [np.bincount(side, minlength=len(kinds)) / n for side in (first, second)]
    chance = float(shares[0] @ shares[1])
    observed = float((first == second).mean())
    return 1.0 if chance >= 1.0 else (observed - chance) / (1 - chance)


@dataclass(frozen=True)
class Advice:
    """Whether to go on, and why. A recommendation, never a lock.

    Attributes
    ----------
    advice : {"go on", "stop", "not known yet"}
    reason : str
        One sentence or two.
    """

    advice: str
    reason: str


def stop_advice(gain: Estimate, kappas: Sequence[float], n_items: int) -> Advice:
    """Advise to stop when the model no longer changes, and more labels bring little.

    Predictions have settled when kappa between successive models on a fixed sample was at least
    `STABLE` in the newest `STABLE_RUNS` trainings (Bloodgood and Vijay-Shanker, CoNLL 2009). With
    small batches models change little at every step, so that alone does not count: the gain that is
    expected of the next 100 labels must be at most `SMALL_GAIN` as well.

    Parameters
    ----------
    gain : Estimate
        Of the next 100 labels.
    kappas : sequence of float
        Between successive models, oldest first.
    n_items : int
        Items of the fixed sample.
    """
    newest = list(kappas)[-STABLE_RUNS:]
    if len(newest) < STABLE_RUNS:
        short = STABLE_RUNS - len(newest)
        what = "training" if short == 1 else "trainings"
        return Advice("not known yet", f"It needs {short} more {what} in this kernel.")
    settled = min(newest) >= STABLE
    said = ", ".join(f"{kappa:.3f}" for kappa in newest)
    how = f"kappa between the newest models on {n_items:,} fixed items: {said}"
    if not settled:
        return Advice("go on", f"Predictions still change ({how}; settled is {STABLE}).")
    if gain.value is None or gain.high is None:
        return Advice(
            "not known yet",
            f"Predictions have settled ({how}), but what further labels bring is {gain.said()}.",
        )
    brings = (
        f"the next 100 labels are expected to bring {100 * gain.value:.1f} points of accuracy, "
        f"at most {100 * gain.high:.1f}"
    )
    if gain.value > SMALL_GAIN:
        return Advice("go on", f"Predictions have settled ({how}), but {brings}.")
    return Advice("stop", f"Predictions have settled ({how}), and {brings}.")
