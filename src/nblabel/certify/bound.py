"""Bounds that hold at all times: on errors in a set, and on the misses of who verifies it."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

#: Share of delta of the first attempt.
FIRST = 0.9
#: Levels of a test: with more errors found than this the bound falls no further.
LEVELS = 160
#: Rates that a miss rate is bet to be.
_MISS_RATES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75])


def spent(delta: float, attempt: int) -> float:
    """Return the share of delta that an attempt may spend.

    The first one, which mostly is the last, gets nine tenths; attempt j after it gets
    6 / (pi^2 (j - 1)^2) of the rest. Over all attempts, however many, that sums to delta.

    Parameters
    ----------
    delta : float
    attempt : int
        Counted from 1.
    """
    if attempt == 1:
        return FIRST * delta
    return (1 - FIRST) * delta * 6 / (math.pi * (attempt - 1)) ** 2


def spread(n_levels: int, expected: float) -> NDArray[np.float64]:
    """Return the share of delta that may be spent up to each level.

    A level is a number of errors found: ``F(j) = 1 - (1 + (j + 1) / (expected + 1)) ** -2``.
    """
    return 1 - (1 + (np.arange(n_levels) + 1) / (expected + 1)) ** -2.0


@functools.lru_cache(maxsize=32)
def error_times(n_items: int, delta: float, budget: int, expected: float = 1.0) -> NDArray[np.intp]:
    """Return from how many verified items on so many errors may have been found.

    The test of a whole family of sets at once. Items are ranked in any way that was fixed before;
    their sets are those of lower rank than some cut. All items are verified in random order. From
    ``times[j]`` verified items on, whatever ranks below the error found number j + 1, in the order
    of ranks, has at most `budget` errors left that were not found (and all items have, where at
    most j were found). With probability 1 - delta that holds for all j, at all times.

    It needs no correction for the number of sets. A set of which at most j errors were found has
    more than `budget` left only if at most j were found among the ``budget + 1 + j`` errors of
    lowest rank, and these are the same errors whatever the cut. How many of them are found is one
    Markov chain: it rises as items are verified, and one error joins with each level. It is
    followed exactly, and each time is the earliest at which the probability that the chain ever
    was too low stays at most ``delta * F(j)``, see `spread`.

    Parameters
    ----------
    n_items : int
    delta : float
        Probability that it ever fails.
    budget : int
        Errors that may be left.
    expected : float
        Number of errors that one expects to find.

    Returns
    -------
    ndarray of int of shape (n_levels,)
        Rising; not to be written to.
    """
    levels = min(max(n_items, 1), LEVELS)
    alpha = delta * spread(levels, expected) * (1 - 1e-9)
    found = np.arange(levels + 2)
    chance = np.zeros(levels + 2)  # of each number found among those errors, where none failed
    chance[0] = 1.0
    errors, used, at = budget + 1, 0.0, 0
    times: list[int] = []

    def rise(probability: NDArray[np.float64]) -> None:
        up = chance * np.clip(probability, 0.0, 1.0)
        chance[:] -= up
        chance[1:] += up[:-1]

    while len(times) < levels:
        level = len(times)
        if errors > n_items:  # so many there cannot be
            times.append(at)
        elif used + chance[level] <= alpha[level]:
            used += float(chance[level])
            chance[level] = 0.0
            times.append(at)
            if errors < n_items:  # one more, which may have been found already
                rise((at - found) / (n_items - errors))
            errors += 1
        else:
            rise((errors - found) / (n_items - at))
            at += 1
    result = np.array(times, dtype=np.intp)
    result.flags.writeable = False  # it is kept
    return result


class ErrorBound:
    """Upper bound on the errors in a set that is verified in random order, valid at all times.

    For every number of errors W that the set might have there is a test: it rejects W when, at a
    time ``tau_j(W)``, at most j errors were found. The times are the earliest for which the
    probability to reject up to level j, if W is true, is at most ``delta * F(j)``; it is computed
    exactly, as the distribution of the errors found in draws without replacement is followed from
    item to item. The numbers that no test has rejected are a confidence sequence: with probability
    1 - delta it holds W at all times. A betting e-process (Waudby-Smith and Ramdas, NeurIPS 2020)
    gives one too; by Ville's inequality it wastes what an exact computation keeps, and needs about
    a third more items.

    Tests are made for some numbers only, all of those that decide among them; any other is rejected
    with the next smaller one. That is valid since more errors are found sooner: what a test of W
    does by chance it does with less chance where there are more than W.

    Parameters
    ----------
    n_items : int
    delta : float
        Probability that the bound ever fails.
    budget : int
        Number of errors that one hopes to get below; decides where the bound is sharp.
    expected : float
        Number of errors that one expects to find until then; decides how delta is spread over the
        levels, see `spread`.
    """

    def __init__(self, n_items: int, delta: float, budget: int, expected: float = 1.0) -> None:
        self.n_items = n_items
        levels = max(min(n_items, LEVELS), 1)
        sharp = budget + np.geomspace(1, levels + 1, 70)
        coarse = np.geomspace(max(1.0, budget / 8), 16 * (budget + 1), 90)
        below = np.linspace(budget / 2, budget, 60)
        anchors = np.unique(np.concatenate([sharp, coarse, below, [1]]).astype(np.int64))
        self._anchors = anchors[(anchors >= 1) & (anchors <= n_items)]
        self._alpha = delta * spread(levels + 1, expected) * (1 - 1e-9)
        self._times = np.full((len(self._anchors), levels), np.inf)
        self._chance = np.zeros((len(self._anchors), levels + 1))  # of each number found so far
        self._chance[:, 0] = 1.0
        self._used = np.zeros(len(self._anchors))
        self._level = np.zeros(len(self._anchors), dtype=np.intp)
        self._at = 0

    def _advance(self, until: int) -> None:
        """Follow the distributions up to a number of items, and set the times up to there."""
        levels = self._times.shape[1]
        rows, found = np.arange(len(self._anchors)), np.arange(levels + 1)
        left = self._anchors[:, None] - found
        while self._at < until:
            up = self._chance * np.clip(left / (self.n_items - self._at), 0.0, 1.0)
            self._at += 1
            self._chance -= up
            self._chance[:, 1:] += up[:, :-1]
            while True:
                level = np.minimum(self._level, levels - 1)
                cost = self._used + self._chance[rows, level]
                pays = np.flatnonzero((self._level < levels) & (cost <= self._alpha[level]))
                if not len(pays):
                    break
                at = self._level[pays]
                self._used[pays] = cost[pays]
                self._chance[pays, at] = 0.0
                self._times[pays, at] = self._at
                self._level[pays] += 1

    def curve(self, wrong: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the bound on W after each item.

        Parameters
        ----------
        wrong : ndarray of bool of shape (n_verified,)
            Whether the machine label was wrong, in the order of the draw.

        Returns
        -------
        ndarray of int of shape (n_verified + 1,)
            From before the first item on. It never rises, unless it has failed and more errors
            are found than it said.
        """
        wrong = np.asarray(wrong, dtype=bool)
        verified = len(wrong)
        self._advance(verified)
        levels = self._times.shape[1]
        after = np.full(levels, np.inf)  # when the error came that is one too many for a level
        errors = np.flatnonzero(wrong)[:levels] + 1
        after[: len(errors)] = errors
        passed = np.where(self._times < after, self._times, np.inf)
        rejected = passed.min(axis=1, initial=np.inf)
        # A number is out when it and all larger ones are.
        out = np.maximum.accumulate(rejected[::-1])[::-1]
        times = np.arange(verified + 1)
        kept = np.searchsorted(-out, -times, side="left")  # how many anchors are not out
        tops = np.append(self._anchors - 1, self.n_items)
        seen = np.concatenate([[0], np.cumsum(wrong)])
        bound = np.minimum(tops[kept], seen + self.n_items - times)
        return np.maximum(np.minimum.accumulate(bound), seen)


@functools.lru_cache(maxsize=4096)
def miss_bound(missed: int, shown: int, delta: float) -> float:
    """Return an upper bound on the rate at which an annotator misses what is wrong.

    Valid at all times: the rates that a mixture of bets on other rates has not refuted (Ville's
    inequality). Misses are taken to be independent.

    Parameters
    ----------
    missed, shown : int
        Traps that were missed, of those that were shown.
    delta : float
        Probability that the bound ever fails.
    """
    if missed >= shown:
        return 1.0
    bets = missed * np.log(_MISS_RATES) + (shown - missed) * np.log1p(-_MISS_RATES)
    evidence = float(special.logsumexp(bets)) - math.log(2 * len(_MISS_RATES))
    if missed == 0:  # half is bet on an annotator who misses nothing
        evidence = float(np.logaddexp(evidence, math.log(0.5)))
    low, high = missed / shown, 1.0
    for _ in range(50):
        rate = (low + high) / 2
        if evidence - float(special.xlogy(missed, rate)) - (shown - missed) * math.log1p(
            -rate
        ) >= math.log(1 / delta):
            high = rate
        else:
            low = rate
    return high


def all_errors(
    noticed: NDArray[np.int64], miss_rate: float | NDArray[np.float64], delta: float, most: int
) -> NDArray[np.int64]:
    """Return a bound on all errors from one on those that the annotator would notice.

    Parameters
    ----------
    noticed : ndarray of int
        Bounds on the number of errors that would be noticed.
    miss_rate : float or ndarray of float, of the same shape
        Bound on the probability to miss one.
    delta : float
        Probability that chance lets fewer be noticed than the rate says.
    most : int
        Number of items.
    """
    pairs = np.stack([noticed, np.broadcast_to(miss_rate, np.shape(noticed))])
    (counts, rates), places = np.unique(pairs, axis=1, return_inverse=True)
    seen = counts.astype(np.int64)
    low, high = seen.copy(), np.full_like(seen, most)
    while np.any(low < high):  # the largest number that is not too many for what was noticed
        middle = (low + high + 1) // 2
        likely = special.bdtr(seen, middle, 1 - rates) > delta
        low, high = np.where(likely, middle, low), np.where(likely, high, middle - 1)
    return np.asarray(low[places.ravel()])
