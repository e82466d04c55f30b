"""Probably approximately correct labels (Candes, Ilyas, Zrnic 2025, arXiv 2506.10908).

Our own implementation from the paper, for `benchmarks.certify`. Experts label m random items; for
every uncertainty threshold u an upper confidence bound on the errors that the model would make
below u is computed from them; the experts label everything from the first u on where the bound is
above the target. As the errors below u grow with u, testing the thresholds in that order needs no
correction. The order and the draws are the paper's; the bound is one of the two it names:

``betting``
    Valid for every sample size: the confidence interval by betting of Waudby-Smith and Ramdas
    (JRSS-B 2024), theorem 3 with its predictable plug-in bets.
``normal``
    Valid in the limit only: mean plus z standard errors.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

#: Thresholds that are compared.
STEPS = 100


def betting_bound(values: np.ndarray, alpha: float) -> np.ndarray:
    """Return upper 1 - alpha bounds on the means of columns of values in [0, 1].

    Parameters
    ----------
    values : ndarray of shape (n_draws, n_columns)
    alpha : float
    """
    n, k = values.shape
    t = np.arange(1, n + 1)[:, None]
    mean = (0.5 + np.cumsum(values, axis=0)) / (t + 1)
    spread = (0.25 + np.cumsum((values - mean) ** 2, axis=0)) / (t + 1)
    before = np.vstack([np.full((1, k), 0.25), spread[:-1]])
    bet = np.sqrt(2 * math.log(1 / alpha) / (n * before))
    low, high = values.mean(axis=0), np.ones(k)
    for _ in range(30):
        m = (low + high) / 2
        capital = np.log1p(np.minimum(bet, 0.75 / (1 - m + 1e-12)) * (m - values)).cumsum(axis=0)
        out = capital.max(axis=0) >= math.log(1 / alpha)
        low, high = np.where(out, low, m), np.where(out, m, high)
    return high


def normal_bound(values: np.ndarray, alpha: float) -> np.ndarray:
    """Return asymptotic upper bounds, as `betting_bound`."""
    error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
    return values.mean(axis=0) + stats.norm.ppf(1 - alpha) * error


def pac_labels(
    uncertainty: np.ndarray,
    wrong: np.ndarray,
    target: float,
    alpha: float,
    n_draws: int,
    rng: np.random.Generator,
    bound: str = "betting",
    weighted: bool = False,
) -> np.ndarray:
    """Return which items experts label.

    Parameters
    ----------
    uncertainty : ndarray of shape (n_items,)
        Of the model, from 0 to 1.
    wrong : ndarray of bool of shape (n_items,)
        Whether its label is wrong, looked at only where an expert labels.
    target : float
        Share of wrong labels that is allowed.
    alpha : float
        Chance to exceed it.
    n_draws : int
    bound : {"betting", "normal"}
    weighted : bool
        Whether an item that was drawn is labeled with a probability that grows with its uncertainty
        (and weighs the more, the smaller that is), or always.
    """
    n = len(wrong)
    drawn = rng.integers(n, size=n_draws)
    chance = np.ones(n)
    if weighted:
        chance = np.clip(uncertainty / max(uncertainty.mean(), 1e-9), 0.2, 1.0)
    asked = rng.random(n_draws) < chance[drawn]
    loss = np.where(asked, wrong[drawn] / chance[drawn], 0.0)
    scale = 1 / chance.min()
    cuts = np.unique(np.quantile(uncertainty, np.linspace(0, 1, STEPS + 1)))
    below = loss[:, None] * (uncertainty[drawn][:, None] <= cuts)
    by = betting_bound if bound == "betting" else normal_bound
    above = by(below / scale, alpha) * scale > target
    expert = np.zeros(n, dtype=bool)
    if above.any():
        last = cuts[above.argmax() - 1] if above.argmax() else -np.inf
        expert = uncertainty > last
    expert[drawn[asked]] = True
    return expert
