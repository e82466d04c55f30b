"""Differences between two ways, and how well somebody agrees with himself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .estimates import Estimate
from .shares import wilson, z_of

#: Below this many observations in one of two arms their difference is not known.
LEAST_PER_ARM = 20
#: Below this many repeats, or paired comparisons, nothing is said.
LEAST_PAIRS = 20


def difference(
    successes: tuple[int, int],
    sizes: tuple[int, int],
    unit: str = "labels",
    confidence: float = 0.95,
) -> Estimate:
    """Difference of two independent shares, the first minus the second.

    The interval is Newcombe's, of two score intervals (Statistics in Medicine 1998, method 10).

    Parameters
    ----------
    successes, sizes : (int, int)
    unit : str
        What was observed.

    Returns
    -------
    Estimate
        From -1 to 1; not known below `LEAST_PER_ARM` in either arm, and `needs` counts what the
        smaller one is short of.
    """
    if min(sizes) < LEAST_PER_ARM:
        return Estimate(None, None, None, sum(sizes), unit, LEAST_PER_ARM - min(sizes))
    a, b = (wilson(k, n, confidence) for k, n in zip(successes, sizes, strict=True))
    found = a.value - b.value
    low = found - math.hypot(a.value - a.low, b.high - b.value)
    high = found + math.hypot(a.high - a.value, b.value - b.low)
    return Estimate(found, low, high, sum(sizes), unit, confidence=confidence)


def mean_difference(
    differences: Sequence[float] | NDArray[Any],
    unit: str = "labels",
    confidence: float = 0.95,
    least: int = LEAST_PAIRS,
) -> Estimate:
    """Mean of paired differences, each from -1 to 1, one after the other.

    They may depend on each other through the past, as those of two models that go on learning do:
    the sum of what could not be foreseen is a martingale. The variance is that of the observations
    and of z squared more of size one, so that a row of zeros has an interval too (of differences
    that are all 0 or 1 it ends where Wilson's does).

    Parameters
    ----------
    differences : array-like of shape (n,)
    unit : str
    least : int
        Below so many it is not known.
    """
    made = np.asarray(differences, dtype=float)
    if len(made) < least:
        return Estimate.missing(len(made), least, unit)
    mean = float(made.mean())
    half = z_of(confidence) * math.sqrt(steadied_variance(made - mean, confidence) / len(made))
    return Estimate(
        mean, max(-1.0, mean - half), min(1.0, mean + half), len(made), unit, confidence=confidence
    )


def steadied_variance(
    residuals: NDArray[Any], confidence: float = 0.95, size: float = 1.0
) -> float:
    """Return a variance that few residuals, all zero by chance, do not make zero.

    That of the residuals and of z squared more of the size given (Wilson's interval of no success
    ends where this one does).
    """
    z2 = z_of(confidence) ** 2
    return float((np.square(residuals).sum() + z2 * size**2) / (len(residuals) + z2))


def self_consistency(
    first: Sequence[Any], second: Sequence[Any], confidence: float = 0.95
) -> tuple[Estimate, Estimate]:
    """Return how often the same annotator says the same again, and kappa.

    Kappa is agreement beyond chance, where chance is that both judgements are drawn from the
    shares of both together (Scott, Public Opinion Quarterly 1955; for one annotator who judges
    twice there is only one habit). Its interval is by the delta method with the variance of
    `steadied_variance`.

    Parameters
    ----------
    first, second : sequence of hashable
        The judgements of the same items.

    Returns
    -------
    agreement, kappa : Estimate
        Kappa is not known as long as all judgements are the same one.
    """
    n, unit = len(first), "repeats"
    if n < LEAST_PAIRS:
        short = Estimate.missing(n, LEAST_PAIRS, unit)
        return short, short
    same = np.array([a == b for a, b in zip(first, second, strict=True)], dtype=float)
    agreement = Estimate.of(wilson(int(same.sum()), n, confidence), n, LEAST_PAIRS, unit)
    kinds = {value: k for k, value in enumerate(dict.fromkeys([*first, *second]))}
    codes = np.array([[kinds[value] for value in row] for row in (first, second)])
    shares = np.bincount(codes.ravel(), minlength=len(kinds)) / (2 * n)
    chance = float(np.square(shares).sum())
    if chance >= 1.0:
        why = "all repeats have the same label, so chance alone explains the agreement"
        return agreement, Estimate.missing(n, 0, unit, why)
    observed = float(same.mean())
    kappa = (observed - chance) / (1 - chance)
    influence = (same - observed) / (1 - chance) - (1 - observed) / (1 - chance) ** 2 * (
        shares[codes].sum(axis=0) - 2 * chance
    )
    variance = steadied_variance(influence, confidence, 1 / (1 - chance))
    half = z_of(confidence) * math.sqrt(variance / n)
    return agreement, Estimate(
        kappa, max(-1.0, kappa - half), min(1.0, kappa + half), n, unit, confidence=confidence
    )
