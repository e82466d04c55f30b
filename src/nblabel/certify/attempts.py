"""Attempts and certificates: what is promised, what was seen, and what came of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import EventError, OptionError, brief
from .bound import ErrorBound, all_errors, error_times, miss_bound, spent
from .choice import expected_audits

FORMS = ("pool", "machine")
#: Shares of an attempt's delta where suggestions are shown: for the bound on the errors that the
#: annotator would notice, for the miss rate, and for the chance between rate and number.
NOTICED, RATE, CHANCE = 0.7, 0.2, 0.1


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
    believed : float
        Share of wrong labels among the candidates, as the model believes.
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
    believed: float = 0.0

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


def noticed(budget: int, traps: int, delta: float) -> int:
    """Return how many errors an annotator may notice so that a bound on all of them is met.

    Parameters
    ----------
    budget : int
        Errors that are allowed.
    traps : int
        Answered, none of them missed.
    delta : float
        That of the attempt.

    Returns
    -------
    int
        -1 if nothing that is noticed is few enough.
    """
    rate = miss_bound(0, traps, RATE * delta)

    def is_too_many(seen: int) -> bool:
        found = all_errors(np.array([seen]), rate, CHANCE * delta, 2 * budget + 2)
        return bool(found[0] > budget)

    return bisect_left(range(budget + 1), True, key=is_too_many) - 1


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
        Upper bound on the wrong machine labels that are left, after each item, if the machine
        labeled all candidates; once it is enough the last one is for those before the cut.
    allowed : ndarray of int of shape (audited + 1,)
        What it must come down to.
    cut : int
        Number of the surest candidates among which the machine would label what is not verified,
        if it ended now.
    machine : int
        How many it would label.
    is_enough : bool
        Whether the certificate is reached.
    vigilance : dict or None
        ``traps``, ``missed``, ``miss_rate`` (its upper bound); None where nothing was shown.
    """

    audited: int
    errors: int
    curve: NDArray[np.int64]
    allowed: NDArray[np.int64]
    cut: int
    machine: int
    is_enough: bool
    vigilance: dict[str, Any] | None = None


class Trial:
    """The test of one attempt: verified items in, evidence out.

    With `ranks` what the machine labels is cut off after it was seen where the errors are: at any
    moment `error_times` says how many may have been found, and what ranks before the first one too
    many could be certified. It ends as soon as going on would spare no looks, as far as what was
    found tells; any other moment would be as valid. Without ranks all candidates are certified or
    none.

    Parameters
    ----------
    terms : Terms
    n_candidates : int
    attempt : int
        Its number, from 1.
    ranks : sequence of int, optional
        Place of each candidate, in the order of the draw, among all of them: the surest has 0.
    """

    def __init__(
        self, terms: Terms, n_candidates: int, attempt: int, ranks: Sequence[int] | None = None
    ) -> None:
        self.terms = terms
        self.n_candidates = n_candidates
        self.delta = spent(1 - terms.confidence, attempt)
        part = NOTICED if terms.shown else 1.0
        test = (n_candidates, part * self.delta, terms.budget, terms.expected)
        self._bound = ErrorBound(*test)
        self._ranks = None if ranks is None else np.asarray(ranks, dtype=np.intp)
        self._times = None if ranks is None else error_times(*test)

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
            rate = self._miss_rate(traps, missed)
            bound = all_errors(bound, rate, CHANCE * self.delta, self.n_candidates)
            vigilance = {"traps": traps, "missed": missed, "miss_rate": rate}
        left = self.n_candidates - np.arange(len(wrong) + 1)
        # One that was missed among those verified counts as left: it is still wrong.
        curve = bound - np.concatenate([[0], np.cumsum(wrong)])
        allowed = self.terms.allowed(left)
        cut, machine = self.n_candidates, int(left[-1])
        is_enough = bool(curve[-1] <= allowed[-1])
        if self._ranks is not None:
            cut, is_enough = self.cut(wrong)
            machine = cut - int((self._ranks[: len(wrong)] < cut).sum())
            if is_enough:  # no less, though the other bound may say so: only one may be wrong
                curve[-1] = min(allowed[-1], machine)
        return Evidence(
            len(wrong), int(wrong.sum()), curve, allowed, cut, machine, is_enough, vigilance
        )  # fmt: skip

    def cut(self, wrong: NDArray[np.bool_]) -> tuple[int, bool]:
        """Return where the cut is now, and whether to end there: see `Evidence`.

        Parameters
        ----------
        wrong : ndarray of bool of shape (n_verified,)
        """
        n, t = self.n_candidates, len(wrong)
        if self._times is None or self._ranks is None:
            return n, self.evidence(wrong).is_enough
        level = int(np.searchsorted(self._times, t, side="right")) - 1
        ranks = self._ranks[:t]
        found = np.sort(ranks[wrong])
        spare = max(level, 0)
        cut = n if len(found) <= spare else int(found[spare])
        looks, (likely, _) = n - cut + int((ranks < cut).sum()), self._outlook(found, t)
        return cut, level >= 0 and looks <= likely.min(initial=np.inf)

    def _outlook(
        self, found: NDArray[np.intp], t: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how many looks it is likely to take in all, and the cut, at each later level.

        More errors will be found where some were: the cut at level j is where j + 1.5 of them are
        by then.
        """
        assert self._times is not None
        n, level = self.n_candidates, int(np.searchsorted(self._times, t, side="right"))
        later = self._times[level:]
        place = (np.arange(level, len(self._times)) + 1.5) * t / np.maximum(later, 1)
        cut = np.interp(place, np.arange(len(found) + 2), np.concatenate([[0], found, [n]]))
        return n - cut + later * cut / n, cut

    def outlook(self, wrong: NDArray[np.bool_]) -> tuple[int, int]:
        """Return how many more items are likely to be verified, and how many candidates are likely
        to be left to people then, by what was found so far.

        Parameters
        ----------
        wrong : ndarray of bool of shape (n_verified,)
        """
        wrong, n, t = np.asarray(wrong, dtype=bool), self.n_candidates, len(wrong)
        if self._ranks is None or self._times is None:
            rate = (wrong.sum() + 0.5) / (t + 1)
            likely = expected_audits(n, rate * n, self.terms.budget, self.delta, self.terms.form)
            return max(likely - t, 0), 0
        looks, cut = self._outlook(np.sort(self._ranks[:t][wrong]), t)
        if not len(looks):
            return 0, n - self.cut(wrong)[0]
        at, first = int(looks.argmin()), len(self._times) - len(looks)
        more = int(self._times[first + at]) - t
        return more, int((n - cut[at]) * (n - t - more) / n)

    def reached(self, wrong: NDArray[np.bool_]) -> int | None:
        """Return after how many of these items it was certified, None if it was not.

        Parameters
        ----------
        wrong : ndarray of bool of shape (n_verified,)
        """
        wrong = np.asarray(wrong, dtype=bool)
        if self._times is None:
            evidence = self.evidence(wrong)
            enough = np.flatnonzero(evidence.curve <= evidence.allowed)
            return int(enough[0]) if len(enough) else None
        # It comes with a level or with an error: else going on looks ever better.
        moments = np.union1d(self._times, np.flatnonzero(wrong) + 1)
        moments = moments[moments <= len(wrong)].tolist()
        return next((t for t in moments if self.cut(wrong[:t])[1]), None)

    def left(
        self, wrong: NDArray[np.bool_], traps: int = 0, missed: int = 0, known: int = 0
    ) -> int:
        """Return after how many more items it is certified if none of them is wrong.

        Parameters
        ----------
        wrong : ndarray of bool of shape (n_verified,)
        traps, missed : int
            See `evidence`.
        known : int
            Items that may yet be traps: of those that come, too, none is taken to be missed.
        """
        wrong = np.asarray(wrong, dtype=bool)
        if self._times is not None:
            t = len(wrong)
            for time in [t, *self._times[self._times > t].tolist()]:
                if self.cut(np.append(wrong, np.zeros(time - t, dtype=bool)))[1]:
                    return int(time - t)
            return self.n_candidates - t
        most = self.n_candidates - len(wrong)
        ahead = min(128, most)
        while True:
            more = np.arange(ahead + 1)
            noticed = self._bound.curve(np.append(wrong, np.zeros(ahead, dtype=bool)))
            noticed = noticed[len(wrong) :]
            if self.terms.shown:
                caught = np.minimum(known, (more * self.terms.traps).astype(int))
                rates = np.array([self._miss_rate(traps + int(n), missed) for n in caught])
                noticed = all_errors(noticed, rates, CHANCE * self.delta, self.n_candidates)
            reached = np.flatnonzero(noticed - wrong.sum() <= self.terms.allowed(most - more))
            if len(reached) or ahead == most:
                return int(reached[0]) if len(reached) else most
            ahead = min(2 * ahead, most)

    def _miss_rate(self, traps: int, missed: int) -> float:
        return miss_bound(missed, traps, RATE * self.delta)


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
    by_hand : int
        Candidates that are left to people: those beyond the cut that were not verified.
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
    by_hand: int = 0

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
        return self.candidates - self.audited - self.by_hand

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
        if self.by_hand:
            looked += f"; {self.by_hand:,} of which the model was less sure are left to people"
        gone = "Revoked: " if self.revoked else ""
        return (
            f"{gone}{100 * terms.confidence:.4g} % confidence that {what} at most "
            f"{100 * terms.max_error:.4g} % are labeled wrong, people's own labels taken as right: "
            f"{how}{looked}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON."""
        told = {**asdict(self.terms), **asdict(self)}
        del told["terms"]
        return {**told, "machine": self.machine, "explanation": self.explanation}


@dataclass
class Attempt:
    """One attempt as the log tells it: folded from the events of kind ``certify``.

    Attributes
    ----------
    terms : Terms
    number : int
        Among all attempts of the log, from 1.
    items : list of str
        Ids of the candidates, in the order of the draw.
    values, codes : list
        Distinct machine labels, and which of them each candidate has; a label that was taken out of
        the task is None.
    contents : list of str or None
        Digests of the candidates.
    began, ended : int
        Positions in the log; `ended` is 0 as long as it runs.
    trapped : dict of str to bool
        Items shown as traps, and whether the annotator missed them.
    certificate : Certificate or None
    audited, errors : int
        What was verified when it was closed without one.
    ranks : list of int or None
        See `Trial`.
    cut : int or None
        How many of the surest candidates the certificate is about; None for all.
    """

    terms: Terms
    number: int
    items: list[str]
    values: list[Any]
    codes: list[int]
    contents: list[str | None]
    began: int
    ended: int = 0
    trapped: dict[str, bool] = field(default_factory=dict)
    certificate: Certificate | None = None
    audited: int = 0
    errors: int = 0
    ranks: list[int] | None = None
    cut: int | None = None

    @classmethod
    def begin(cls, said: Mapping[str, Any], number: int, position: int) -> Attempt:
        """Make one of what the event says that began it.

        Raises
        ------
        EventError
            If that makes no sense.
        """
        try:
            terms = Terms(**{f.name: said["terms"][f.name] for f in fields(Terms)})
            lists = [said[name] for name in ("items", "values", "codes", "contents")]
        except (TypeError, KeyError, OptionError) as error:
            raise EventError(f"This begins no attempt at a certificate: {error}.") from None
        items, values, codes, contents = lists
        ranks = said.get("ranks")
        if not (
            all(isinstance(part, list) for part in lists)
            and len(items) == len(codes) == len(contents) > 0
            and len(set(map(str, items))) == len(items)
            and all(isinstance(item, str) for item in items)
            and all(type(code) is int and 0 <= code < len(values) for code in codes)
            and all(content is None or isinstance(content, str) for content in contents)
            and isinstance(terms.id, str)
            and terms.id == said.get("attempt")
            and all(_is_count(n) for n in (terms.n_items, terms.budget, terms.seed))
            and isinstance(terms.expected, (int, float))
            and 0 <= terms.expected < 1e6
            and (
                ranks is None
                or (
                    isinstance(ranks, list)
                    and all(type(rank) is int for rank in ranks)
                    and sorted(ranks) == list(range(len(items)))
                    and terms.form == "pool"
                    and not terms.shown
                )
            )
        ):
            raise EventError(f"This begins no attempt at a certificate: {brief(said)}.")
        return cls(terms, number, items, values, codes, contents, position, ranks=ranks)

    @property
    def state(self) -> str:
        """``"verifying"``, ``"certified"``, ``"revoked"`` or ``"closed"``."""
        if self.certificate is not None:
            return "revoked" if self.certificate.revoked else "certified"
        return "closed" if self.ended else "verifying"

    @property
    def misses(self) -> int:
        """Traps that were missed."""
        return sum(self.trapped.values())

    def value(self, place: int) -> Any:
        """Return the machine label of the candidate at a place of the order."""
        return self.values[self.codes[place]]

    def machine_labels(self) -> list[tuple[str, Any, str | None]]:
        """Return item, label and digest of what the machine labels: what nobody verified."""
        if self.certificate is None or self.certificate.revoked:
            return []
        return [
            (self.items[k], self.value(k), self.contents[k])
            for k in range(self.certificate.audited, len(self.items))
            if self.value(k) is not None and self._is_certified(k)
        ]

    def _is_certified(self, place: int) -> bool:
        return self.ranks is None or self.cut is None or self.ranks[place] < self.cut

    def said_of_it(self, said: Mapping[str, Any], position: int, at: str) -> None:
        """Take over what an event says of it; what comes too late changes nothing.

        Raises
        ------
        EventError
            If that makes no sense.
        """
        step = said.get("step")
        if step == "trap":
            item, missed = said.get("item"), said.get("missed")
            if not isinstance(item, str) or not isinstance(missed, bool):
                raise EventError(f"This is no trap: {brief(said)}.")
            if not self.ended:
                self.trapped.setdefault(item, missed)
        elif step == "certify":
            counts = [said.get(name) for name in ("audited", "errors", "bound")]
            vigilance, cut = said.get("vigilance"), said.get("cut")
            if (
                not all(_is_count(count) for count in counts)
                or not (cut is None or _is_count(cut))
                or said["audited"] > len(self.items)
                or not (vigilance is None or isinstance(vigilance, dict))
            ):
                raise EventError(f"This is no certificate: {brief(said)}.")
            if not self.ended:
                self.ended, self.cut = position, cut
                unseen = range(said["audited"], len(self.items))
                self.certificate = Certificate(
                    self.terms,
                    self.number,
                    spent(1 - self.terms.confidence, self.number),
                    len(self.items),
                    said["audited"],
                    said["errors"],
                    said["bound"],
                    vigilance,
                    self.began,
                    position,
                    at,
                    by_hand=sum(not self._is_certified(k) for k in unseen),
                )
        elif step == "revoke" and self.certificate is not None:
            self.certificate = replace(self.certificate, revoked=True)
        elif step == "close" and not self.ended:
            self.ended = position
            if _is_count(said.get("audited")) and _is_count(said.get("errors")):
                self.audited, self.errors = said["audited"], said["errors"]

    def renamed(self, rename: Any) -> None:
        """Let labels have other names."""
        self.values = [rename(value) for value in self.values]

    def moved(self, ids: Mapping[str, str]) -> None:
        """Let items have other ids."""
        self.items = [ids.get(item, item) for item in self.items]
        self.trapped = {ids.get(item, item): missed for item, missed in self.trapped.items()}


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63
