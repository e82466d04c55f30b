"""Certification in a session: what is put forward, asked, and taken over from the log.

The log holds all of it: the terms, the candidates and their order before the first answer; then the
answers, which are ordinary labels; then the certificate. So it goes on in another kernel, and ends
by itself with whichever answer is the last one needed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._queue import Draw, order_seed
from .certify import (
    NOTICED,
    Attempt,
    Certificate,
    Choice,
    Evidence,
    Terms,
    Trial,
    choose,
    noticed,
    observed_to_expected,
    spent,
)
from .errors import EventError, NotFittedError, OptionError
from .events import DUPLICATE, EVERY_ITEM, MANY, TRAP, VERIFY, LabelEvent, Shown, new_id, now
from .labels import MACHINES, Labels

if TYPE_CHECKING:
    from ._core import Asked, Core
    from .pool import Pool
    from .tables import Predictions

REASON = "drawn at random to verify"
#: Points of the curve that `state` carries.
_POINTS = 200
#: And the status, which comes with every answer.
_FEW_POINTS = 60
#: Rounds in which traps and audits, each of which calls for the other, come to terms.
_ROUNDS = 4


class Certification:
    """A certificate in the making, or what came of it.

    Verify the items of `next` with `record`, or with `Session.record`: it ends by itself once the
    certificate is reached. Nothing of it is only in memory.

    Parameters
    ----------
    session : Session
    attempt : Attempt
        As the log tells it.
    """

    def __init__(self, session: Core, attempt: Attempt) -> None:
        self._session = session
        self._attempt = attempt
        self._trial = Trial(attempt.terms, len(attempt.items), attempt.number, attempt.ranks)
        self._candidates = frozenset(attempt.items)
        self._evidence: tuple[bytes, int, int, Evidence] | None = None

    def __repr__(self) -> str:
        return f"Certification({self._attempt.state}: {self.advice})"

    # ------------------------------------------------------------ what there is

    @property
    def id(self) -> str:
        """Name of the attempt, and of the certificate if it comes to one."""
        return self._attempt.terms.id

    @property
    def terms(self) -> Terms:
        """What is to be promised, and how."""
        return self._attempt.terms

    @property
    def items(self) -> list[str]:
        """Ids of the candidates, in the order of the draw."""
        return list(self._attempt.items)

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, None as long as there is none."""
        return self._attempt.certificate

    @property
    def is_running(self) -> bool:
        """Whether there is something to verify."""
        return self._attempt.state == "verifying"

    @property
    def is_verifying_blind(self) -> bool:
        """Whether there is something to verify, and nobody may see what the machine says of it."""
        return self.is_running and not self.terms.shown

    def _verified(self) -> NDArray[np.bool_]:
        """Whether the machine was wrong, along the order, as far as there are answers that count.

        An answer that was given with the suggestion in sight counts only where that is agreed, and
        traps were among what was shown; one that was said of many items at once otherwise never
        does: nobody knows how closely each of them was looked at. So it is with the copies of an
        item. What the annotator put away is no confirmation: it counts as wrong.
        """
        session, attempt = self._session, self._attempt
        agree = session.task.agree
        wrong = []
        for place, item in enumerate(attempt.items):
            answer = session._labels.current(item)
            if not self._counts(answer):
                break
            assert answer is not None
            value = attempt.value(place)
            is_right = (
                answer.kind == "label" and value is not None and agree(answer.value, value) == 1.0
            )
            wrong.append(not is_right)
        return np.array(wrong, dtype=bool)

    def _counts(self, answer: LabelEvent | None) -> bool:
        if answer is None or answer.annotator.startswith(MACHINES):
            return False
        if answer.kind == "skip":
            return True
        shown = answer.shown
        if self.terms.shown and shown.seed == self.terms.seed:
            return True  # verified here, or a copy of what was
        of_many = shown.strategy in MANY or (
            shown.strategy == DUPLICATE and shown.view in ("grid", "map")
        )
        return not (shown.visible or of_many)

    def _counts_now(self, item: str) -> bool:
        return self._counts(self._session._labels.current(item))

    @property
    def evidence(self) -> Evidence:
        """What is known by now."""
        with self._session._lock:
            wrong = self._verified()
            attempt = self._attempt
            key = (wrong.tobytes(), len(attempt.trapped), attempt.misses)
            if self._evidence is None or self._evidence[:3] != key:
                self._evidence = (*key, self._trial.evidence(wrong, *key[1:]))
            return self._evidence[3]

    @property
    def curve(self) -> NDArray[np.float64]:
        """The running bound after each item: a share of the pool, or of the machine's labels."""
        evidence = self.evidence
        return np.asarray(evidence.curve / self._whole(evidence.audited))

    @property
    def bound(self) -> float:
        """Upper bound, now, on the share that would be labeled wrong; valid at all times."""
        if self.certificate is not None:
            whole = self._whole(self.certificate.audited)
            return float(self.certificate.bound / whole[-1])
        return float(self.curve[-1])

    @property
    def goal(self) -> float:
        """What the bound has to come down to."""
        terms = self.terms
        return terms.budget / terms.n_items if terms.form == "pool" else terms.max_error

    def _whole(self, audited: int) -> NDArray[np.int64]:
        if self.terms.form == "pool":
            return np.full(audited + 1, self.terms.n_items)
        return np.maximum(len(self._attempt.items) - np.arange(audited + 1), 1)

    @property
    def left(self) -> int | None:
        """How many more items have to be right, one after the other; None if it has ended."""
        if not self.is_running:
            return None
        with self._session._lock:
            attempt, wrong = self._attempt, self._verified()
            if not self.terms.shown:
                return self._trial.left(wrong)
            known = len(self._known(attempt.trapped))
            return self._trial.left(wrong, len(attempt.trapped), attempt.misses, known)

    @property
    def advice(self) -> str:
        """What to do now, in one or two sentences."""
        return self._advise(self.left)

    def _advise(self, left: int | None) -> str:
        attempt = self._attempt
        if attempt.certificate is not None:
            return attempt.certificate.explanation
        if not self.is_running:
            return "Closed without a certificate; what was verified stays labeled."
        evidence = self.evidence
        text = f"{left:,} more without an error, and it is certified."
        if evidence.errors:
            rate = (evidence.errors + 0.5) / (evidence.audited + 1)
            n = len(attempt.items)
            more, by_hand = self._trial.outlook(self._verified())
            text += f" At the rate so far ({evidence.errors} of {evidence.audited}) about {more:,}"
            text += f", and {by_hand:,} left to people." if by_hand else "."
            is_worse = rate > 2 * max(attempt.terms.believed, 1 / n)
            if evidence.audited + more >= n or (is_worse and more + by_hand > 300):
                text += (
                    " The model errs more often than it believed: give up, label what it is least "
                    "sure of, and certify again."
                )
        if self.terms.shown and evidence.vigilance is not None:
            rate = evidence.vigilance["miss_rate"]
            if evidence.vigilance["traps"]:
                text += f" Up to {100 * rate:.0f} % of errors may be missed, by the traps so far."
            else:
                text += " Traps among them tell how much is missed."
        return text

    @property
    def state(self) -> dict[str, Any]:
        """Everything that a page shows, as JSON."""
        with self._session._lock:
            attempt, terms, evidence = self._attempt, self.terms, self.evidence
            curve = self.curve
            places = np.unique(np.linspace(0, len(curve) - 1, _POINTS).astype(int))
            made, left = attempt.certificate, self.left
            return {
                "id": terms.id,
                "state": attempt.state,
                "max_error": terms.max_error,
                "confidence": terms.confidence,
                "form": terms.form,
                "items": terms.n_items,
                "candidates": len(attempt.items),
                "audited": evidence.audited if made is None else made.audited,
                "errors": evidence.errors if made is None else made.errors,
                "bound": self.bound,
                "goal": self.goal,
                "curve": [[int(k), float(curve[k])] for k in places],
                "left": left,
                "blind": not terms.shown,
                "vigilance": evidence.vigilance if made is None else made.vigilance,
                "advice": self._advise(left),
                "certificate": None if made is None else made.to_dict(),
            }

    @property
    def status(self) -> dict[str, Any]:
        """The part of `state` that the page of a widget shows with every answer."""
        told = self.state
        curve = told["curve"]
        few = np.unique(np.linspace(0, len(curve) - 1, _FEW_POINTS).astype(int))
        made = self.certificate
        named = (
            "id", "state", "goal", "bound", "audited", "errors", "left", "advice", "blind",
        )  # fmt: skip
        return {
            **{name: told[name] for name in named},
            "machine": self.evidence.machine if made is None else made.machine,
            "curve": [curve[k] for k in few],
        }

    # ------------------------------------------------------------ what to do

    def next(self, k: int = 1, but: Iterable[str] = ()) -> list[Asked]:
        """Return the k items to verify next, in the order of the draw; traps are among them.

        Parameters
        ----------
        k : int
        but : iterable of str
            Ids of items that are being verified already.
        """
        with self._session._lock:
            if not self.is_running:
                return []
            audited = len(self._verified())
            asked: list[Asked] = []
            held = set(but)
            used = held.difference(self._candidates).union(self._attempt.trapped)
            for place in range(audited, len(self._attempt.items)):
                if len(asked) >= k:
                    break
                due = int((place + 0.5) * self.terms.traps)
                if self.terms.shown and len(used) < due:
                    trap = self._trap(used)
                    if trap is not None:
                        used.add(trap.id)
                        asked.append(trap)
                item = self._attempt.items[place]
                if len(asked) < k and item not in held and not self._counts_now(item):
                    asked.append(self.asked(place))
            return asked

    def page(self, k: int, but: Iterable[str]) -> tuple[list[Asked], int]:
        """Return up to k items to verify together, and about how many there are to be after them.

        No more are put forward than have to be right, so that nobody looks at more than need be.

        Parameters
        ----------
        k : int
        but : iterable of str
            Ids of items that the page has already.
        """
        with self._session._lock:
            held = self._candidates.intersection(but)
            open_ = (self.left or 0) - sum(not self._counts_now(item) for item in held)
            made: list[Asked] = []
            groups = {self._group(item) for item in held}
            for asked in self.next(k, but):
                if asked.shown.strategy == VERIFY:
                    group = self._group(asked.id)
                    if group in groups:
                        continue  # a copy of what is on the page: it goes with that
                    groups.add(group)
                    open_ -= 1
                if open_ < 0:
                    return made, 0
                made.append(asked)
            return made, max(0, open_)

    def _group(self, item: str) -> int:
        """What is the same for items that are labeled together."""
        place = self._session.pool.position(item)
        return min(self._session._twins.get(place, (place,)))

    def draws(self, k: int) -> list[Draw]:
        """Return the k items to verify next, without traps, as the order of asking takes them."""
        pool, items = self._session.pool, self._attempt.items
        made: list[Draw] = []
        for place in range(len(self._verified()), len(items)):
            if len(made) >= k:
                break
            if not self._counts_now(items[place]):
                position = pool.position(items[place])
                made.append(Draw(position, VERIFY, REASON, draw=place, seed=self.terms.seed))
        return made

    def asked(self, place: int) -> Asked:
        """Return the candidate at a place of the order, as it is put forward."""
        attempt, terms = self._attempt, self.terms
        value = attempt.value(place)
        shown = Shown(
            strategy=VERIFY,
            draw=place,
            seed=terms.seed,
            probability=1 / (len(attempt.items) - place),
            model_version=terms.model_version,
            suggestion=value,
            visible=terms.shown and value is not None,
        )
        return self._session._put_forward(attempt.items[place], shown, REASON)

    def _known(self, used: Collection[str]) -> list[str]:
        """Items with a label that may be traps."""
        known = known_by_people(self._session)
        return [item for item in known if item not in self._candidates and item not in used]

    def _trap(self, used: Collection[str]) -> Asked | None:
        """Return an item whose label is known, with a suggestion that is wrong."""
        session = self._session
        known = self._known(used)
        if not known:
            return None
        rng = np.random.default_rng((self.terms.seed, len(used)))
        item = known[int(rng.integers(len(known)))]
        answer = session._labels.current(item)
        names = session.task.spec()["classes"]
        others = [name for name in names if answer is not None and name != answer.value]
        wrong = others[int(rng.integers(len(others)))]
        shown = Shown(
            strategy=TRAP, seed=self.terms.seed, model_version=self.terms.model_version,
            suggestion=wrong, visible=True,
        )  # fmt: skip
        return session._put_forward(item, shown, REASON)

    def record(self, item: Asked, label: Any, *, seconds: float | None = None) -> LabelEvent:
        """Answer an item of `next`: the same as `Session.record`."""
        return self._session.record(item, label, seconds=seconds)

    def close(self) -> None:
        """Give up without a certificate. What was verified stays; the attempt has spent its share
        of the confidence."""
        with self._session._lock:
            if self.is_running:
                evidence = self.evidence
                self._session._tell_certify(
                    self.id, "close", audited=evidence.audited, errors=evidence.errors
                )

    def is_blind(self, item: str) -> bool:
        """Whether no suggestion may be shown for an item, wherever it is asked."""
        return self.is_verifying_blind and item in self._candidates

    def asks(self, item: str) -> bool:
        """Whether an item is, or may yet be, asked to be verified."""
        return self.is_running and item in self._candidates

    def fits(self, pool: Pool) -> bool:
        """Whether all candidates are in a pool, as they were when it began."""
        return all(
            item in pool and pool.holds(pool.position(item), content)
            for item, content in zip(self._attempt.items, self._attempt.contents, strict=True)
        )

    def settle(self) -> None:
        """Write the certificate once it is reached."""
        if self.is_running:
            evidence = self.evidence
            if evidence.is_enough:
                self._session._tell_certify(
                    self.id,
                    "certify",
                    audited=evidence.audited,
                    errors=evidence.errors,
                    bound=int(evidence.curve[-1]),
                    vigilance=evidence.vigilance,
                    **({} if self._attempt.ranks is None else {"cut": evidence.cut}),
                )


def trapped(event: LabelEvent, attempts: Iterable[Attempt]) -> LabelEvent:
    """Return the answer to a trap as the log keeps it: not as a label.

    One that comes when its attempt has ended is kept, too, and changes nothing.

    Raises
    ------
    EventError
        If there was no such attempt.
    """
    for attempt in reversed(list(attempts)):
        if attempt.terms.shown and attempt.terms.seed == event.shown.seed:
            said = {
                "step": "trap",
                "attempt": attempt.terms.id,
                "item": event.item,
                "suggestion": event.shown.suggestion,
                "answer": event.value,
                "missed": event.kind == "label" and event.value == event.shown.suggestion,
            }
            return replace(event, kind="certify", value=said)
    raise EventError("This is a trap of no certification: verify what session.certify() asks.")


def known_by_people(session: Core) -> list[str]:
    """Return the items with a label that no machine has given: what a trap may be made of."""
    ids, current = session.pool.ids, session._labels.current
    return [
        item
        for place in session._labeled
        if (answer := current(item := ids[place])) is not None
        and not answer.annotator.startswith(MACHINES)
    ]


# ---------------------------------------------------------------- beginning


def doubts(session: Core) -> tuple[NDArray[np.intp], NDArray[np.float64], Predictions]:
    """Return the items without an answer, the surest first, and how unsure the model is of each.

    Raises
    ------
    NotFittedError
        If nothing was predicted yet.
    """
    predictions = session._predictions
    if predictions is None:
        raise NotFittedError(session._no_model())
    places = np.flatnonzero(session._open)
    places = places[places < len(predictions)]
    if predictions.unsure is not None:
        doubt = predictions.unsure[places].astype(float)
    else:
        doubt = 1.0 - predictions.confidences(places).astype(float)
    order = np.argsort(doubt, kind="stable")
    return places[order], doubt[order], predictions


def allowance(labels: Labels, n_items: int, max_error: float, confidence: float) -> int:
    """Return how many labels of a pool may be wrong, less what earlier certificates have used.

    Raises
    ------
    OptionError
        If an earlier one is less sure than what is asked for now, or leaves nothing.
    """
    budget = int(np.floor(max_error * n_items + 1e-9))
    for earlier in labels.certificates:
        if earlier.revoked:
            continue
        if earlier.terms.confidence < confidence:
            raise OptionError(
                f"Certificate {earlier.id} stands with confidence {earlier.terms.confidence:g}, so "
                f"no later one of this pool can have {confidence:g}: revoke it first, "
                f"session.revoke({earlier.id!r}), or ask for that."
            )
        budget -= earlier.bound
    if budget < 0:
        raise OptionError(
            "What earlier certificates may have wrong is already more than "
            f"max_error={max_error:g} of {n_items:,} items: ask for a larger one, or revoke one of "
            "them."
        )
    return budget


def misjudged(session: Core, labels: Labels) -> float:
    """Return how much more often the newest answers were not what was suggested than believed.

    One in six is new. They are those that the model was least sure of, which is where it decides
    what is left to people.
    """
    agree = session.task.agree
    wrong, doubt = [], []
    newest = max(10, len(session._labeled) // 6)
    for event in reversed(labels.events):
        shown = event.shown
        if event.kind == "label" and shown.suggestion is not None and shown.confidence is not None:
            wrong.append(agree(event.value, shown.suggestion) < 1.0)
            doubt.append(1.0 - shown.confidence)
            if len(wrong) == newest:
                break
    return observed_to_expected(wrong, doubt)


def plan(
    session: Core,
    labels: Labels,
    max_error: float,
    confidence: float,
    form: str,
    traps: float = 0.0,
) -> tuple[Choice, int, NDArray[np.intp], NDArray[np.float64], Predictions]:
    """Return what would be put forward, the errors allowed, and the items it is chosen from."""
    # What is off is named before anything is computed.
    Terms("", max_error, confidence, form, 0, 0, 0, 0, None, 0)
    places, doubt, predictions = doubts(session)
    n_items = len(session.pool)
    if form == "pool":
        budget = allowance(labels, n_items, max_error, confidence)
    else:
        budget = int(np.floor(max_error * len(places)))
    doubt = np.minimum(doubt * misjudged(session, labels), 1.0)
    for attempt in reversed(list(labels.attempts.values())):  # how wrong the belief was then
        if attempt.state == "closed" and attempt.audited:
            expected = attempt.audited * attempt.terms.believed
            worse = observed_to_expected([attempt.errors], [expected])
            doubt = np.minimum(doubt * max(1.0, worse), 1.0)
            break
    delta = spent(1 - confidence, len(labels.attempts) + 1)
    nothing = Choice(0, len(places), 0, 0.0)
    choice = choose(doubt, budget, delta, form) if len(places) else nothing
    known = len(known_by_people(session)) if traps else 0
    for _ in range(_ROUNDS if traps and choice.audits else 0):
        # The fewer traps, the fewer errors may be noticed, and the more audits and traps it takes.
        few = noticed(budget, min(known, int(traps * choice.audits)), delta)
        choice = choose(doubt, few, NOTICED * delta, form) if few >= 0 else nothing
    return choice, budget, places, doubt, predictions


def advice(choice: Choice, labeled: int) -> str:
    """Return what to do with a plan, in a sentence."""
    if choice.machine == choice.by_hand == 0:
        return "Every item has a label: nothing is left for a machine."
    if choice.audits == 0 and choice.by_hand > 0:
        return (
            "A certificate would spare next to no looks yet: the model needs labels. Go on with "
            "what it asks (session.next), a tenth more at a time."
        )
    text = (
        f"The machine could label {choice.machine - choice.audits:,} items; people would verify "
        f"about {choice.audits:,} and label {choice.by_hand:,} of which the model is least sure."
    )
    if choice.by_hand > max(20, labeled // 5):
        text += " Label some of those first: they have to be looked at anyway, and they teach."
    return text


def begin(
    session: Core,
    labels: Labels,
    max_error: float,
    confidence: float,
    form: str,
    *,
    blind: bool,
    traps: float,
    train: bool,
    seed: int | None,
) -> dict[str, Any]:
    """Return what the log is to say of a new attempt.

    Raises
    ------
    OptionError, NotFittedError
        If there is nothing to certify.
    """
    if seed is not None and not (isinstance(seed, Integral) and seed >= 0):
        raise OptionError(f"seed= is a whole number from 0, got {seed!r}.")
    shown = not blind
    if shown:
        if session.task.target_type != "multiclass":
            raise OptionError(
                f"Traps are wrong classes, and a {session.task.kind} has none: verify with "
                "blind=True."
            )
        if not 0 < traps <= 1:
            raise OptionError(
                f"traps= is the number of traps for each item verified, above 0 up to 1, got "
                f"{traps!r}: without them nobody knows what is missed."
            )
    choice, budget, places, doubt, predictions = plan(
        session, labels, max_error, confidence, form, traps if shown else 0.0
    )
    if choice.machine == 0 or (choice.audits == 0 and choice.by_hand > 0):
        raise OptionError(advice(choice, len(labels.labeled())))
    # Blind for the whole pool what the machine labels is cut off at the end; else it is now.
    is_cut = form == "pool" and blind
    chosen = places if is_cut else places[: choice.machine]
    if form == "machine":
        budget = int(np.floor(max_error * len(chosen)))
    seed = order_seed(secrets.randbits(21) if seed is None else int(seed), len(chosen))
    drawn = np.argsort(chosen)[np.random.default_rng(seed).permutation(len(chosen))]
    order = chosen[drawn]
    values, codes = machine_values(session, predictions, order)
    sure = 1.0 - float(doubt[len(chosen) - 1]) if predictions.probabilistic else None
    terms = Terms(
        new_id()[:8], float(max_error), float(confidence), form, len(session.pool), budget,
        float(choice.expected), seed, sure, predictions.version, shown,
        float(traps) if shown else 0.0, train, float(doubt[: len(chosen)].mean()),
    )  # fmt: skip
    pool = session.pool
    return {
        "step": "begin",
        "attempt": terms.id,
        "terms": asdict(terms),
        "items": [pool.ids[k] for k in order],
        "values": values,
        "codes": codes,
        "contents": pool.digests(order.tolist()),
        **({"ranks": drawn.tolist()} if is_cut else {}),
    }


def machine_values(
    session: Core, predictions: Predictions, places: NDArray[np.intp]
) -> tuple[list[Any], list[int]]:
    """Return the distinct labels that the model gives, and which of them each item has."""
    if session.task.target_type == "multiclass":
        best = predictions.best(places)
        names, codes = np.unique(best, return_inverse=True)
        return [predictions.classes[k] for k in names], [int(code) for code in codes]
    known: dict[str, int] = {}
    values: list[Any] = []
    numbers = []
    for place in places:
        value = session._value(predictions, int(place))[0]
        text = json.dumps(value, sort_keys=True)
        if text not in known:
            known[text] = len(values)
            values.append(value)
        numbers.append(known[text])
    return values, numbers


def say(attempt: str, step: str, annotator: str, **said: Any) -> LabelEvent:
    """Return a step of an attempt as an event; of the last ones there is only one each."""
    event_id = new_id() if step == "begin" else f"{step}:{attempt}"
    value = {"step": step, "attempt": attempt, **said}
    return LabelEvent(
        event_id, "certify", EVERY_ITEM, annotator, value, now(), shown=Shown(view="api")
    )


def table(certificates: Iterable[Certificate], n_items: int) -> pd.DataFrame:
    """Return certificates as a table, one row each."""
    rows = []
    for certificate in certificates:
        told = certificate.to_dict()
        told["not_covered"] = n_items - certificate.terms.n_items
        rows.append(told)
    columns = [
        "id", "revoked", "max_error", "confidence", "form", "n_items", "not_covered", "candidates",
        "machine", "by_hand", "audited", "errors", "bound", "attempt", "delta", "threshold",
        "model_version", "seed", "began", "ended", "at", "vigilance", "train", "explanation",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns).set_index("id")


def outgrown(labels: Labels, n_items: int) -> str:
    """Return what is to be said of certificates when the pool has grown, or nothing."""
    standing = [c for c in labels.certificates if not c.revoked]
    if not standing or n_items <= standing[-1].terms.n_items:
        return ""
    new = n_items - standing[-1].terms.n_items
    return (
        f"{new:,} items are newer than certificate {standing[-1].id}, which says nothing of them: "
        "they may be of another kind than those it was tried on. Label them, or certify() again."
    )
