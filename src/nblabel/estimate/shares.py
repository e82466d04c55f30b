"""Shares with their intervals, and what is made of them: accuracy, its curve, the pace."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

#: Below this many audit items the accuracy is not known.
LEAST_AUDITS = 20
#: The accuracy is that of this many newest audit items: the model of long ago does not count.
WINDOW = 100
#: Times per label below this many say nothing about the rest.
LEAST_TIMES = 5


@dataclass(frozen=True)
class Share:
    """A share with its interval.

    Attributes
    ----------
    value, low, high : float
        Estimate and interval, 0 to 1.
    n : int
        Observations behind it.
    confidence : float
        Of the interval.
    """

    value: float
    low: float
    high: float
    n: int
    confidence: float = 0.95


def wilson(successes: int, n: int, confidence: float = 0.95) -> Share:
    """Share of successes with the score interval of Wilson (JASA 1927).

    Parameters
    ----------
    successes, n : int
        ``0 <= successes <= n``, ``n >= 1``.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"expected 0 <= successes <= n and n >= 1, got {successes} of {n}")
    z = z_of(confidence)
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == n else min(1.0, middle + half)
    return Share(p, low, high, n, confidence)


def progressive(
    hits: Sequence[bool], window: int = WINDOW, moved: Sequence[float] = ()
) -> Share | None:
    """Accuracy by progressive validation (Blum, Kalai, Langford, COLT 1999).

    Parameters
    ----------
    hits : sequence of bool
        For each audit item, in the order of the answers: whether the model as it was before the
        answer predicted it.
    window : int
        How many of the newest count.
    moved : sequence of float, optional
        For each: by how much the accuracy may have changed since because what is left has, through
        labels that neither chance nor a strategy asked for, or items that were added. The interval
        is wider by their mean, so it holds whatever was taken and whatever came.

    Returns
    -------
    Share or None
        About the items that had no label yet, and the mean of the models that answered; None below
        `LEAST_AUDITS`. While models still learn the newest is better than that: the interval then
        lies too low, not too high.
    """
    newest = list(hits)[-window:]
    if len(newest) < LEAST_AUDITS:
        return None
    share, off = wilson(sum(newest), len(newest)), list(moved)[-window:]
    wider = sum(off) / len(off) if off else 0.0
    return replace(share, low=max(share.low - wider, 0.0), high=min(share.high + wider, 1.0))


def learning_curve(
    hits: Sequence[bool], n_labels: Sequence[int], points: int = 12, window: int = WINDOW
) -> list[tuple[int, Share]]:
    """Return progressive accuracy along the way.

    Parameters
    ----------
    hits : sequence of bool
        As for `progressive`.
    n_labels : sequence of int
        How many labels there were, for each.
    points : int
        At most this many, the last one being now.

    Returns
    -------
    list of (int, Share)
        Labels there were, accuracy of the newest audits up to there.
    """
    ends = range(LEAST_AUDITS, len(hits) + 1)
    if not len(ends):
        return []
    chosen = sorted({ends[int(k)] for k in np.linspace(0, len(ends) - 1, points)})
    curve = []
    for end in chosen:
        share = progressive(hits[:end], window)
        if share is not None:
            curve.append((n_labels[end - 1], share))
    return curve


@dataclass(frozen=True)
class Pace:
    """Time per label.

    Attributes
    ----------
    median, low, high : float
        Seconds: the recent median with its interval.
    n : int
        Answers behind it.
    """

    median: float
    low: float
    high: float
    n: int


def pace(seconds: Sequence[float], confidence: float = 0.9) -> Pace | None:
    """Return the median time with its distribution-free interval, None below `LEAST_TIMES`.

    The interval is between order statistics whose binomial coverage is at least `confidence`
    (Conover, Practical Nonparametric Statistics, section 3.2), as far as so few times allow.
    """
    n = len(seconds)
    if n < LEAST_TIMES:
        return None
    ordered = np.sort(np.asarray(seconds, dtype=float))
    low = max(_rank(n, confidence) - 1, 0)
    return Pace(float(np.median(ordered)), float(ordered[low]), float(ordered[n - 1 - low]), n)


# Each label asks for them, and SciPy takes its time.
@functools.lru_cache
def z_of(confidence: float) -> float:
    """Return the normal quantile of a two-sided interval."""
    return float(stats.norm.ppf(0.5 + confidence / 2))


@functools.lru_cache
def _rank(n: int, confidence: float) -> int:
    return int(stats.binom.ppf((1 - confidence) / 2, n, 0.5))
