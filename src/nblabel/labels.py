"""The fold of the log: what is true now.

Law: folding a prefix and then the rest gives what folding the whole gives.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pandas as pd

from .certify import Attempt, Certificate
from .errors import EventError
from .events import TAKEN, LabelEvent, Shown, as_dict, now, renamed
from .pool import Pool
from .tables import Votes
from .tasks import Task, as_given

RETRACTABLE = frozenset({"label", "skip", "flag", "note"})
#: Annotators with these prefixes are machines; their labels are no human votes.
MACHINES = ("auto:", "lf:")


_ANSWERS = ("label", "skip")
#: Share of what was left at a random draw that may have been taken since, or added: then the draw
#: still says something of what is left, with an interval that is wider by as much.
MOST_MOVED = 0.1


class Labels:
    """Current labels, folded from events.

    Not safe for several threads: the session holds its lock while it folds or reads.

    Parameters
    ----------
    counted : callable, optional
        Names what a value counts for; by default its text.
    """

    def __init__(self, counted: Callable[[Any], Sequence[str]] | None = None) -> None:
        self.position = 0
        self._counted = counted or (lambda value: [_key(value)])
        self._n_labeled = 0
        #: What stands for each item: the events said of it and not taken back, oldest first.
        self._items: dict[str, list[LabelEvent]] = {}
        self._events: dict[str, LabelEvent] = {}  # with the items and labels of today
        self._retracted: set[str] = set()
        self._order: list[LabelEvent] = []  # as they are in the log
        #: By item: the first answer, how many items had a label then, and how many were taken.
        self._audits: dict[str, tuple[LabelEvent, int, int]] = {}
        self._taken: set[str] = set()
        #: Ids of those from before a certificate changed what is left, or another model came.
        self._outdated: frozenset[str] = frozenset()
        #: Grows with every change of what `audits` returns.
        self.audit_changes = 0
        self._current: dict[str, LabelEvent] = {}  # item -> the answer that stands
        self._counts: Counter[Any] = Counter()
        self._contents: dict[str, str] = {}  # item -> digest of what was labeled last
        #: The mappings of labels that were recorded, oldest first.
        self.relabelings: list[Mapping[str, Any]] = []
        #: How often items got other ids.
        self.matchings = 0
        #: Attempts at a certificate by their id, oldest first.
        self.attempts: dict[str, Attempt] = {}
        self._machine: dict[str, LabelEvent] = {}  # item -> label under a certificate

    # ------------------------------------------------------------ folding

    @property
    def n_events(self) -> int:
        """How many events were folded."""
        return len(self._events)

    def check(self, event: LabelEvent) -> None:
        """Raise EventError if the event cannot follow those folded so far."""
        if event.kind == "retract":
            target = self._events.get(event.value) if isinstance(event.value, str) else None
            if target is None:
                raise EventError(f"There is no event {event.value!r} to take back.")
            if target.kind not in RETRACTABLE:
                raise EventError(f"An event of kind {target.kind!r} cannot be taken back.")
            if target.item != event.item:
                raise EventError(
                    f"Event {event.value!r} is about {target.item!r}, not {event.item!r}."
                )
        if event.kind == "certify":
            known = event.value["attempt"] in self.attempts
            if known == (event.value["step"] == "begin"):
                raise EventError(
                    f"Attempt {event.value['attempt']!r} at a certificate "
                    f"{'has begun already' if known else 'is not known'}."
                )

    def apply(self, position: int, event: LabelEvent) -> bool:
        """Fold one event in; return whether it was new. An event of a known id changes nothing."""
        self.position = max(self.position, position)
        if event.id in self._events:
            return False
        self.check(event)
        if event.kind == "certify":
            self._certify(position, event)
        self._events[event.id] = event
        self._order.append(event)
        if event.kind == "relabel":
            self._relabel(event.value)
            return True
        if event.kind == "match":
            self._match(event.value)
            return True
        if event.kind == "certify":
            return True
        if event.content is not None:
            self._contents[event.item] = event.content
        standing = self._items.setdefault(event.item, [])
        if event.kind != "retract":
            standing.append(event)
            if event.kind == "label" and event.shown.audit:
                # The first answer counts: a later one may follow a model that has learned the item.
                self._audits.setdefault(event.item, (event, len(self), len(self._taken)))
        elif event.value not in self._retracted:
            self._retracted.add(event.value)
            target = self._events[event.value]
            standing[:] = [other for other in standing if other is not target]
        self._settle(event.item, standing)
        return True

    def _certify(self, position: int, event: LabelEvent) -> None:
        said = event.value
        if said["step"] == "begin":
            attempt = Attempt.begin(said, len(self.attempts) + 1, position)
            for other in self.attempts.values():  # one at a time
                other.ended = other.ended or position
            self.attempts[attempt.terms.id] = attempt
            return
        attempt = self.attempts[said["attempt"]]
        before = attempt.state
        attempt.said_of_it(said, position, event.at)
        if attempt.state == before or attempt.certificate is None:
            return
        if attempt.state == "certified":
            items = self._label_by_machine(attempt)
        else:
            who = attempt.certificate.annotator
            items = {item for item, label in self._machine.items() if label.annotator == who}
            for item in items:
                del self._machine[item]
            self._label_by_all_machines(items)
        for item in items:
            self._settle(item, self._items.get(item, []))
        self._outdated = frozenset(audit.id for audit, *_ in self._audits.values())
        self.audit_changes += 1

    def _label_by_all_machines(self, only: Collection[str] | None = None) -> set[str]:
        items: set[str] = set()
        for attempt in sorted(self.attempts.values(), key=lambda attempt: attempt.ended):
            items |= self._label_by_machine(attempt, only)
        return items

    def _label_by_machine(self, attempt: Attempt, only: Collection[str] | None = None) -> set[str]:
        """Let a certificate label its items; return them. Any answer there is stands above."""
        certificate = attempt.certificate
        items: set[str] = set()
        if certificate is None:
            return items
        who = certificate.annotator
        shown = Shown("certificate", model_version=attempt.terms.model_version, view="api")
        for item, value, content in attempt.machine_labels():
            if only is not None and item not in only:
                continue
            self._machine[item] = LabelEvent(
                f"{who}/{item}", "label", item, who, value, certificate.at, None, shown, content
            )
            if content is not None:
                self._contents.setdefault(item, content)
            items.add(item)
        return items

    def _relabel(self, names: Mapping[str, Any]) -> None:
        """Let what was said so far be about other labels; one without a new name is taken back."""
        self.relabelings.append(names)
        for event in list(self._events.values()):
            if event.kind != "label":
                continue
            shown = replace(
                event.shown,
                suggestion=renamed(event.shown.suggestion, names),
                predicted=renamed(event.shown.predicted, names),
            )
            value = renamed(event.value, names)
            if value is None:
                self._retracted.add(event.id)
                value = event.value
            if value != event.value or shown != event.shown:
                self._events[event.id] = replace(event, value=value, shown=shown)
        for attempt in self.attempts.values():
            attempt.renamed(lambda value: renamed(value, names))
        self._rebuild({})

    def _match(self, moves: Mapping[str, Mapping[str, Any]]) -> None:
        """Give items other ids, all at once; one that is in the way of another is no longer so."""
        self.matchings += 1
        ids = {old: str(found["item"]) for old, found in moves.items()}
        for event in list(self._events.values()):
            if event.item in ids:
                self._events[event.id] = replace(event, item=ids[event.item])
        taken = {*ids, *ids.values()}
        contents = {item: found for item, found in self._contents.items() if item not in taken}
        for old, found in moves.items():
            content = found.get("content") or self._contents.get(old)
            if content is not None:
                contents[ids[old]] = content
        self._contents = contents
        for attempt in self.attempts.values():
            attempt.moved(ids)
        self._rebuild(ids)

    def _rebuild(self, ids: Mapping[str, str]) -> None:
        """Settle all items anew, after events were replaced by those of today."""
        items: dict[str, list[LabelEvent]] = {}
        for old, standing in self._items.items():
            items.setdefault(ids.get(old, old), []).extend(
                self._events[event.id] for event in standing if event.id not in self._retracted
            )
        self._items = items
        self.audit_changes += 1
        self._audits = {
            ids.get(old, old): (self._events[event.id], before, taken)
            for old, (event, before, taken) in self._audits.items()
        }
        order = [ids.get(old, old) for old in self._current]
        self._machine = {}
        self._label_by_all_machines()
        order.extend(self._machine)
        self._current, self._counts, self._n_labeled = {}, Counter(), 0
        self._taken.clear()
        for item_id in order:
            if item_id not in self._current:
                self._settle(item_id, items.get(item_id, []))

    def extend(self, events: Iterable[tuple[int, LabelEvent]]) -> int:
        """Fold events in; return how many were new."""
        return sum(self.apply(position, event) for position, event in events)

    def _settle(self, item_id: str, standing: list[LabelEvent]) -> None:
        before = self._current.get(item_id)
        newest = standing[-1] if standing else None
        answered = newest is not None and newest.kind in _ANSWERS
        after = newest if answered else _newest(standing, _ANSWERS) or self._machine.get(item_id)
        if before is after:
            return
        self.audit_changes += item_id in self._audits
        if before is not None and before.kind == "label":
            self._n_labeled -= 1
            self._counts.subtract(self._counted(before.value))
        self._taken.discard(item_id)
        if after is None:
            self._current.pop(item_id, None)
        else:
            self._current[item_id] = after
            first = next((event for event in standing if event.kind in _ANSWERS), None)
            if first and item_id not in self._audits and first.shown.strategy in TAKEN:
                self._taken.add(item_id)
            if after.kind == "label":
                self._n_labeled += 1
                self._counts.update(self._counted(after.value))

    # ------------------------------------------------------------ reading

    @property
    def n_taken(self) -> int:
        """How many items have an answer since somebody chose them: see `events.TAKEN`."""
        return len(self._taken)

    def __len__(self) -> int:
        """Number of labeled items."""
        return self._n_labeled

    def __contains__(self, event_id: object) -> bool:
        """Whether an event with this id has been folded."""
        return event_id in self._events

    def author(self, event_id: str) -> str | None:
        """Return who said an event, None if it is not known."""
        event = self._events.get(event_id)
        return None if event is None else event.annotator

    def time(self, event_id: str) -> str | None:
        """Return when an event was said, None if it is not known."""
        event = self._events.get(event_id)
        return None if event is None else event.at

    @property
    def answered(self) -> Collection[str]:
        """Item ids that need no answer now: labeled or skipped."""
        return self._current.keys()

    def answers(self) -> list[LabelEvent]:
        """Return the answer that stands, of every item that has one."""
        return list(self._current.values())

    @property
    def skipped(self) -> list[str]:
        """Item ids put away."""
        return [item for item, event in self._current.items() if event.kind == "skip"]

    @property
    def events(self) -> list[LabelEvent]:
        """All events in the order of the log."""
        return self._order

    @property
    def certificates(self) -> list[Certificate]:
        """All certificates, also those that were revoked, oldest first."""
        made = [attempt.certificate for attempt in self.attempts.values()]
        return sorted((c for c in made if c is not None), key=lambda c: c.ended)

    def trains(self, annotator: str) -> bool:
        """Whether the model may learn from the labels of an annotator."""
        if not annotator.startswith(MACHINES):
            return True
        attempt = self.attempts.get(annotator.removeprefix("auto:"))
        return attempt is not None and attempt.terms.train

    def is_retracted(self, event_id: str) -> bool:
        """Whether the event was taken back."""
        return event_id in self._retracted

    def current(self, item: str) -> LabelEvent | None:
        """Return the answer that stands for an item: its newest label or skip."""
        return self._current.get(item)

    def label(self, item: str) -> Any:
        """Return the current label of an item, None if it has none."""
        event = self.current(item)
        return event.value if event is not None and event.kind == "label" else None

    def content(self, item: str) -> str | None:
        """Return the digest of an item as it was labeled last, None if that is not known."""
        return self._contents.get(item)

    @property
    def said(self) -> list[str]:
        """Item ids of which anything is said that stands: an answer, a flag or a note."""
        people = [item for item, standing in self._items.items() if standing]
        return people + [item for item in self._machine if not self._items.get(item)]

    def flagged(self, item: str) -> bool:
        """Whether the item is flagged."""
        flag = _newest(self._items.get(item, ()), ("flag",))
        return flag is not None and bool(flag.value)

    def note(self, item: str) -> str:
        """Return the note on an item, empty if there is none."""
        note = _newest(self._items.get(item, ()), ("note",))
        return "" if note is None else str(note.value)

    def last(self, annotator: str) -> LabelEvent | None:
        """Return the newest event of an annotator that can be taken back."""
        for event in reversed(self._order):
            if (
                event.annotator == annotator
                and event.kind in RETRACTABLE
                and event.id not in self._retracted
            ):
                return self._events[event.id]
        return None

    def trail(
        self, annotator: str, most: int, before: int | None = None
    ) -> tuple[list[tuple[LabelEvent, Any]], int | None]:
        """Return the newest events of an annotator that stand, oldest first: see `Session`."""
        rows: list[tuple[LabelEvent, Any]] = []
        end = len(self._order) if before is None else max(0, min(before, len(self._order)))
        for place in range(end - 1, -1, -1):
            event = self._order[place]
            if (
                event.annotator != annotator
                or event.kind not in RETRACTABLE
                or event.id in self._retracted
            ):
                continue
            if len(rows) == most:
                return rows[::-1], place + 1
            event = self._events[event.id]
            rows.append((event, self._replaced(event)))
        return rows[::-1], None

    def _replaced(self, event: LabelEvent) -> Any:
        if event.kind not in _ANSWERS:
            return None
        answers = [said for said in self._items[event.item] if said.kind in _ANSWERS]
        place = next(k for k, answer in enumerate(answers) if answer.id == event.id)
        earlier = answers[place - 1] if place else self._machine.get(event.item)
        return earlier.value if earlier is not None and earlier.kind == "label" else None

    def labeled(self, *, machines: bool = False) -> dict[str, Any]:
        """Return the current label by item id, in the order of first answers."""
        return {
            item: event.value
            for item, event in self._current.items()
            if event.kind == "label" and (machines or not event.annotator.startswith(MACHINES))
        }

    def counts(self) -> dict[Any, int]:
        """Number of labeled items per value, or per what a value counts for."""
        return {value: count for value, count in self._counts.items() if count}

    def votes(self) -> Votes:
        """Return every annotator's current label for every item."""
        votes: dict[tuple[str, str], Any] = {}
        for item, standing in self._items.items():
            for event in standing:
                if event.kind == "label":
                    votes[item, event.annotator] = event.value
                elif event.kind == "skip":  # it withdraws the vote
                    votes.pop((item, event.annotator), None)
        return Votes([item for item, _ in votes], [who for _, who in votes], list(votes.values()))

    def judged(self, item: str) -> list[LabelEvent]:
        """Return the labels said of an item that were not taken back, oldest first."""
        return [event for event in self._items.get(item, ()) if event.kind == "label"]

    def judgements(self) -> dict[str, list[LabelEvent]]:
        """Return them for each item that has any."""
        return {item: found for item in self._items if (found := self.judged(item))}

    def audits(self) -> list[tuple[LabelEvent, Any, int]]:
        """Return the audit items that still have a label, in the order of the answers.

        Returns
        -------
        list of (LabelEvent, value, int)
            The first answer, which knows what was predicted then; the label that stands now; how
            many items had a label before.
        """
        return [
            (event, current.value, before)
            for item, (event, before, _) in self._audits.items()
            if (current := self._current.get(item)) is not None and current.kind == "label"
        ]

    def audits_of_what_is_left(self, n_items: int) -> list[tuple[LabelEvent, Any, int, float]]:
        """Return those of `audits` that say something of the items that have no label now.

        Not those from before the newest certificate, or its revocation, since when what was easy
        has a label, or has none again; not those of another model; and not those since which more
        than `MOST_MOVED` of what was left then was taken by choice, or came to it.

        Parameters
        ----------
        n_items : int
            In the pool.

        Returns
        -------
        list of (LabelEvent, value, int, float)
            With that share: so much at most it may be off.
        """
        found = []
        for event, value, before in self.audits():
            if event.id in self._outdated:
                continue
            had = (event.shown.seed or 0) % 2**32 or n_items  # see `order_seed`
            left = max(had - before, 1)
            taken = min(max(len(self._taken) - self._audits[event.item][2], 0), left)
            stay = left - taken
            came = abs(n_items - had)
            moved = (taken / stay if stay else 1.0) + came / (stay + came or 1)
            if moved <= MOST_MOVED:
                found.append((event, value, before, moved))
        return found

    def outdate(self, n_events: int) -> None:
        """Let the audits among the first so many events say nothing of what is left: they were of
        another model."""
        before = {event.id for event in self._order[:n_events]}
        self._outdated |= {audit.id for audit, *_ in self._audits.values()} & before
        self.audit_changes += 1

    def seconds(self, most: int = 50) -> list[float]:
        """Return the seconds of the newest answers that stand, newest last."""
        found: list[float] = []
        # Where most answers came without, it does not look for them in the whole log.
        for event in islice(reversed(self._order), 20 * most):
            if len(found) == most:
                break
            if (
                event.kind in _ANSWERS
                and event.seconds is not None
                and event.id not in self._retracted
            ):
                found.append(event.seconds)
        return found[::-1]

    # ------------------------------------------------------------ tables

    def to_frame(self, pool: Pool, task: Task) -> pd.DataFrame:
        """Return one row per labeled item, indexed and ordered like the source."""
        rows = []
        for item, event in self._current.items():
            if event.kind != "label" or item not in pool:
                continue
            shown = event.shown
            rows.append(
                {
                    "position": pool.position(item),
                    **task.columns(event.value),
                    "annotator": event.annotator,
                    "labeled_at": event.at,
                    "seconds": event.seconds,
                    "suggestion": None
                    if shown.suggestion is None
                    else as_given(task, shown.suggestion),
                    "probability": shown.confidence,
                    "note": self.note(item),
                    "flagged": self.flagged(item),
                    "strategy": shown.strategy,
                    "audit": shown.audit,
                    "visible": shown.visible,
                    "model_version": shown.model_version,
                }
            )
        rows.sort(key=lambda row: row["position"])
        places = [row.pop("position") for row in rows]
        columns = list(rows[0]) if rows else [*_columns_of(task), *_FRAME]
        frame = pd.DataFrame(rows, index=pool.index[places], columns=columns)
        if not rows:  # of the same types as if there were some
            texts = dict.fromkeys(("annotator", "note", "strategy"), _TEXT)
            times = {"labeled_at": _times(pd.Series([now()])).dtype}
            return frame.astype({**_EMPTY, **texts, **times, **_types_of(task)})
        return frame.assign(
            labeled_at=_times(frame["labeled_at"]),
            seconds=frame["seconds"].astype("float64"),
            probability=frame["probability"].astype("float64"),
            flagged=frame["flagged"].astype(bool),
            audit=frame["audit"].astype(bool),
            visible=frame["visible"].astype(bool),
            model_version=frame["model_version"].astype("int64"),
        )

    def history(self) -> pd.DataFrame:
        """Return the whole log, one row per event, oldest first."""
        rows = []
        for number, event in enumerate(self._order, start=1):
            row = as_dict(event)
            shown = {f"shown_{name}": value for name, value in row.pop("shown").items()}
            rows.append(
                {**row, **shown, "retracted": event.id in self._retracted, "number": number}
            )
        frame = pd.DataFrame(rows, columns=None if rows else _HISTORY)
        frame = frame.set_index("number")
        # Also where no row has one.
        numbers = {name: "float64" for name in _NUMBERS if name in frame}
        return frame.astype(numbers).assign(at=_times(frame["at"]))


def _times(texts: pd.Series) -> pd.Series:
    # One event with an odd clock must not keep all others from being read.
    return pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce")


def _newest(events: Sequence[LabelEvent], kinds: Collection[str]) -> LabelEvent | None:
    return next((event for event in reversed(events) if event.kind in kinds), None)


def _key(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


#: What pandas makes of a list of texts.
_TEXT = pd.Series(["text"]).dtype
_EMPTY = {"seconds": "float64", "probability": "float64", "flagged": bool, "audit": bool,
          "visible": bool, "model_version": "int64"}  # fmt: skip
_FRAME = [
    "annotator", "labeled_at", "seconds", "suggestion", "probability", "note", "flagged",
    "strategy", "audit", "visible", "model_version",
]  # fmt: skip
_NUMBERS = ("seconds", "shown_probability", "shown_confidence")
_HISTORY = ["id", "kind", "item", "annotator", "value", "at", "seconds", "content", "schema",
            "retracted", "number"]  # fmt: skip


def _types_of(task: Task) -> dict[str, Any]:
    """Types of the columns of the labels, as far as the task tells its labels."""
    if task.target_type == "multilabel":
        columns = [task.columns([])]
    elif task.target_type in ("multiclass", "pairwise"):
        columns = [task.columns(name) for name in task.spec().get("classes", [])]
    else:  # a class is only a part of a label
        columns = []
    return dict(pd.DataFrame(columns).dtypes) if columns else {}


def _columns_of(task: Task) -> list[str]:
    return list(task.spec().get("columns", ["label"]))
