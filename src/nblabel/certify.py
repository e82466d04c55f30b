"""Certificates: machine labels with a proven bound on their errors.

A set of n items has machine labels, W of which are wrong; nobody knows W. A person verifies the
items in a uniformly random order. After t of them S were wrong and are corrected, so W - S wrong
labels are left. `ErrorBound` bounds W from above at every t at once, so that one may look at any
time and stop at any time. What the model believes decides how much work there is, never whether the
bound holds: the items are fixed, and only the order is random.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from .errors import OptionError

FORMS = ("pool", "machine")
#: Shares of an attempt's delta where suggestions are shown: for the bound on the errors that the
#: annotator would notice, for the miss rate, and for the chance between rate and number.
NOTICED, RATE, CHANCE = 0.7, 0.2, 0.1
#: Share of delta of the first attempt.
FIRST = 0.8
#: Levels of a test: with more errors found than this the bound falls no further.
LEVELS = 64
#: Rates that a miss rate is bet to be.
_MISS_RATES = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75])
_SIZES = 60  # of candidate sets that are compared


def spent(delta: float, attempt: int) -> float:
    """Return the share of delta that an attempt may spend.

    The first one, which mostly is the last, gets four fifths; attempt j after it gets
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


class ErrorBound:
    """Upper bound on the errors in a set that is verified in random order, valid at all times.

    For every number of errors W that the set might have there is a test: it rejects W when, at a
    time ``tau_j(W)``, at most j errors were found. The times are the earliest for which the
    probability to reject up to level j, if W is true, is at most ``delta * F(j)``; it is computed
    exactly, as the distribution of the errors found in draws without replacement is followed from
    item to item. The numbers that no test has rejected are a confidence sequence: with probability
    1 - delta it holds W at all times. A betting e-process (Waudby-Smith and Ramdas, NeurIPS 2020)
    gives one too; by Ville's inequality it wastes what an exact computation keeps, and needs about
    a third more items (``python -m benchmarks.certify`` has both).

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
        levels: ``F(j) = 1 - (1 + (j + 1) / (expected + 1)) ** -2``.
    """

    def __init__(self, n_items: int, delta: float, budget: int, expected: float = 1.0) -> None:
        self.n_items = n_items
        levels = max(min(n_items, LEVELS), 1)
        sharp = np.arange(budget + 1, budget + 2 + levels)
        coarse = np.geomspace(max(1.0, budget / 8), 16 * (budget + 1), 90)
        below = np.linspace(budget / 2, budget, 60)
        anchors = np.unique(np.concatenate([sharp, coarse, below, [1]]).astype(np.int64))
        self._anchors = anchors[(anchors >= 1) & (anchors <= n_items)]
        level = np.arange(levels + 1)
        spread = 1 - (1 + (level + 1) / (expected + 1)) ** -2.0
        self._alpha = delta * spread * (1 - 1e-9)
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
            From before the first item on; never rising.
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
        return np.minimum.accumulate(np.maximum(bound, seen))


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
    noticed: NDArray[np.int64], miss_rate: float, delta: float, most: int
) -> NDArray[np.int64]:
    """Return a bound on all errors from one on those that the annotator would notice.

    Parameters
    ----------
    noticed : ndarray of int
        Bounds on the number of errors that would be noticed.
    miss_rate : float
        Bound on the probability to miss one.
    delta : float
        Probability that chance lets fewer be noticed than the rate says.
    most : int
        Number of items.
    """
    low, high = noticed.copy(), np.full_like(noticed, most)
    while np.any(low < high):  # the largest number that is not too many for what was noticed
        middle = (low + high + 1) // 2
        likely = stats.binom.cdf(noticed, middle, 1 - miss_rate) > delta
        low, high = np.where(likely, middle, low), np.where(likely, high, middle - 1)
    return low


# ---------------------------------------------------------------- what to put forward


@dataclass(frozen=True)
class Choice:
    """What to verify, by what the model believes. A heuristic: no bound rests on it.

    Attributes
    ----------
    machine : int
        Number of items, the surest ones, that the machine is to label.
    by_hand : int
        Items that are left for people.
    audits : int
        Items of those of the machine that are likely to be verified before the certificate is
        reached.
    errors : float
        Errors that are likely to be found among them.
    """

    machine: int
    by_hand: int
    audits: int
    errors: float

    @property
    def looks(self) -> int:
        """Items that a person would look at from now on."""
        return self.by_hand + self.audits


def choose(
    error_probability: NDArray[np.floating[Any]], budget: int, delta: float, form: str = "pool"
) -> Choice:
    """Choose how many of the surest items to put forward, so that the fewest are looked at.

    Parameters
    ----------
    error_probability : ndarray of shape (n_items,), float
        Of the items without a label, what the model believes, the surest first.
    budget : int
        Errors that are allowed in all (``form="pool"``); of ``form="machine"`` the number that
        would be allowed if all of these items were labeled by the machine.
    delta : float
        That of the attempt.
    form : {"pool", "machine"}
    """
    n = len(error_probability)
    expected = np.concatenate([[0.0], np.cumsum(error_probability, dtype=float)])
    best = Choice(0, n, 0, 0.0)
    for size in np.unique(np.linspace(0, n, _SIZES + 1).astype(int))[1:].tolist():
        allowed = budget if form == "pool" else budget * size // n
        audits = expected_audits(size, float(expected[size]), allowed, delta, form)
        if n - size + audits <= best.looks:
            best = Choice(size, n - size, audits, audits * float(expected[size]) / size)
    return best


def expected_audits(
    n_items: int, errors: float, allowed: int, delta: float, form: str = "pool"
) -> int:
    """Return about how many items are verified until a certificate, if so many labels are wrong."""
    if n_items <= allowed and form == "pool":
        return 0
    t = np.unique(np.geomspace(1, n_items, 300).astype(int)).astype(float)
    found = t * errors / n_items
    limit = allowed if form == "pool" else allowed * (1 - t / n_items)
    null = np.minimum(limit + 1 + found, n_items)
    gain = _log_chance(errors, n_items, found, t) - _log_chance(null, n_items, found, t)
    enough = ((gain >= math.log(1 / delta)) & (null > errors)) | (n_items - t + found < null)
    return int(t[enough.argmax()]) if enough.any() else n_items


def _log_chance(errors: Any, n: int, found: Any, t: Any) -> Any:
    """Log probability of one sequence of t draws with so many errors, without replacement."""
    right = n - errors - (t - found)
    with np.errstate(invalid="ignore"):
        value = (
            special.gammaln(errors + 1) - special.gammaln(errors - found + 1)
            + special.gammaln(n - errors + 1) - special.gammaln(np.maximum(right, 0) + 1)
            + special.gammaln(n - t + 1) - special.gammaln(n + 1)
        )  # fmt: skip
    return np.where((right < 0) | (found > errors), -np.inf, value)


# ---------------------------------------------------------------- what is promised


@dataclass(frozen=True)
class Terms:
    """What an attempt promises and how, frozen before the first answer.

    Attributes
    ----------
    id : str
        Of the attempt, and of the certificate if it comes to one.
    max_error : float
    confidence : float
    form : {"pool", "machine"}
    n_items : int
        Items of the pool.
    budget : int
        Errors that are allowed: of ``"pool"`` what earlier certificates leave of
        ``max_error * n_items``, of ``"machine"`` the share of all candidates.
    expected : float
        See `ErrorBound`.
    seed : int
        Of the order: candidates in the order of the pool, permuted by
        ``numpy.random.default_rng(seed).permutation(seed % 2**32)``.
    threshold : float or None
        Least confidence of a candidate.
    model_version : int
    shown : bool
        Whether suggestions are shown to who verifies; then there are traps.
    traps : float
        Traps for each item verified.
    train : bool
        Whether the model may learn from the certified labels.
    """

    id: str
    max_error: float
    confidence: float
    form: str
    n_items: int
    budget: int
    expected: float
    seed: int
    threshold: float | None
    model_version: int
    shown: bool = False
    traps: float = 0.0
    train: bool = False

    def __post_init__(self) -> None:
        for name, share in (("max_error", self.max_error), ("confidence", self.confidence)):
            number = isinstance(share, (int, float)) and not isinstance(share, bool)
            if not (number and 0 < share < 1):
                raise OptionError(f"{name}= is a share between 0 and 1, got {share!r}.")
        if self.form not in FORMS:
            raise OptionError(f"form= is 'pool' or 'machine', got {self.form!r}.")

    def allowed(self, n_left: Any) -> Any:
        """Errors that may be left where so many items get a machine label."""
        if self.form == "pool":
            return np.full_like(n_left, self.budget)
        return np.floor(self.max_error * n_left + 1e-9).astype(np.int64)


@dataclass(frozen=True)
class Evidence:
    """What is known at one moment of an attempt.

    Attributes
    ----------
    audited : int
        Items verified, in the order of the draw.
    errors : int
        Machine labels among them that were wrong.
    curve : ndarray of int of shape (audited + 1,)
        Upper bound on the wrong machine labels that are left, after each item.
    allowed : ndarray of int of shape (audited + 1,)
        What it must come down to.
    vigilance : dict or None
        ``traps``, ``missed``, ``miss_rate`` (its upper bound); None where nothing was shown.
    """

    audited: int
    errors: int
    curve: NDArray[np.int64]
    allowed: NDArray[np.int64]
    vigilance: dict[str, Any] | None = None

    @property
    def is_enough(self) -> bool:
        """Whether the certificate is reached."""
        return bool(self.curve[-1] <= self.allowed[-1])


class Trial:
    """The test of one attempt: verified items in, evidence out.

    Parameters
    ----------
    terms : Terms
    n_candidates : int
    attempt : int
        Its number, from 1.
    """

    def __init__(self, terms: Terms, n_candidates: int, attempt: int) -> None:
        self.terms = terms
        self.n_candidates = n_candidates
        self.delta = spent(1 - terms.confidence, attempt)
        part = NOTICED if terms.shown else 1.0
        self._bound = ErrorBound(n_candidates, part * self.delta, terms.budget, terms.expected)

    def evidence(self, wrong: NDArray[np.bool_], traps: int = 0, missed: int = 0) -> Evidence:
        """Return what follows from the items verified so far.

        Parameters
        ----------
        wrong : ndarray of bool of shape (n_verified,)
        traps, missed : int
            Where suggestions are shown: traps answered, and those of them that were missed.
        """
        wrong = np.asarray(wrong, dtype=bool)
        bound = self._bound.curve(wrong)
        vigilance = None
        if self.terms.shown:
            rate = miss_bound(missed, traps, RATE * self.delta)
            bound = all_errors(bound, rate, CHANCE * self.delta, self.n_candidates)
            vigilance = {"traps": traps, "missed": missed, "miss_rate": rate}
        left = self.n_candidates - np.arange(len(wrong) + 1)
        # One that was missed among those verified counts as left: it is still wrong.
        curve = bound - np.concatenate([[0], np.cumsum(wrong)])
        return Evidence(
            len(wrong), int(wrong.sum()), curve, self.terms.allowed(left), vigilance
        )  # fmt: skip

    def left(self, wrong: NDArray[np.bool_], traps: int = 0, missed: int = 0) -> int:
        """Return after how many more items it is certified if none of them is wrong."""
        wrong = np.asarray(wrong, dtype=bool)
        ahead = 128
        while True:
            ahead = min(ahead, self.n_candidates - len(wrong))
            seen = self.evidence(np.append(wrong, np.zeros(ahead, dtype=bool)), traps, missed)
            reached = np.flatnonzero((seen.curve <= seen.allowed)[len(wrong) :])
            if len(reached) or len(wrong) + ahead == self.n_candidates:
                return int(reached[0]) if len(reached) else ahead
            ahead *= 2


@dataclass(frozen=True)
class Certificate:
    """An error bound for machine labels, with its evidence.

    Attributes
    ----------
    terms : Terms
        What was promised, and how.
    attempt : int
        Its number among all attempts of the log.
    delta : float
        What it spent of ``1 - confidence``.
    candidates : int
        Items that were put forward.
    audited, errors : int
        Of them verified by people, and found wrong.
    bound : int
        Upper bound on the wrong labels among those of the machine.
    vigilance : dict or None
        See `Evidence`.
    began, ended : int
        Positions in the log.
    at : str
        When it was reached.
    revoked : bool
    """

    terms: Terms
    attempt: int
    delta: float
    candidates: int
    audited: int
    errors: int
    bound: int
    vigilance: dict[str, Any] | None = field(default=None, hash=False)
    began: int = 0
    ended: int = 0
    at: str = ""
    revoked: bool = False

    @property
    def id(self) -> str:
        """Name of the certificate."""
        return self.terms.id

    @property
    def annotator(self) -> str:
        """Who its labels are by."""
        return f"auto:{self.terms.id}"

    @property
    def machine(self) -> int:
        """Number of items that the machine has labeled."""
        return self.candidates - self.audited

    @property
    def explanation(self) -> str:
        """What is promised, in one plain sentence."""
        terms = self.terms
        what = (
            f"of all {terms.n_items:,} items"
            if terms.form == "pool"
            else f"of the {self.machine:,} labels by the machine"
        )
        how = (
            f"{self.audited:,} of {self.candidates:,} were verified in random order and "
            f"{self.errors:,} found wrong and corrected"
        )
        looked = ""
        if self.vigilance is not None:
            looked = (
                f", with suggestions in sight and {self.vigilance['missed']} of "
                f"{self.vigilance['traps']} traps missed"
            )
        gone = "Revoked: " if self.revoked else ""
        return (
            f"{gone}{terms.confidence:.4g} confidence that {what} at most "
            f"{100 * terms.max_error:.4g} % are labeled wrong, people's own labels taken as right: "
            f"{how}{looked}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        told = {**asdict(self.terms), **asdict(self)}
        del told["terms"]
        return {**told, "machine": self.machine, "explanation": self.explanation}
