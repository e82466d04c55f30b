"""What a session is told: events are checked, written to the log, and folded into what stands."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from . import _certifying
from ._certifying import Certification
from ._core import API, Asked, Core
from ._queue import Draw
from .errors import EventError, Failure, LabelValueError, StoreMismatchError
from .events import (
    ABOUT_ALL,
    DUPLICATE,
    TRAP,
    VERIFYING,
    LabelEvent,
    new_id,
    now,
    renamed,
    sound,
)
from .evidence import REPEAT, REVIEW
from .labels import RETRACTABLE
from .renderers import PairRenderer

#: An item comes back after so many others at least, and is looked for so many times.
REPEAT_AFTER, REPEAT_TRIES = 20, 20


class Answering(Core):
    """The part of a session that takes answers."""

    #: Share of the answers after which an item comes back without saying so.
    repeat: float
    _repeat_rng: np.random.Generator
    #: Items answered, the newest last.
    _recent: deque[str]
    #: Events about all items that this session has written.
    _own: set[str]

    def record(
        self,
        item: Hashable | Asked,
        label: Any,
        *,
        seconds: float | None = None,
        annotator: str | None = None,
    ) -> LabelEvent:
        """Label an item.

        Parameters
        ----------
        item : Asked, item id, or label of the source's index
        label : object
            A legal value of the task.
        seconds : float, optional
            How long it took.
        annotator : str, optional
            Who labels, if not the session's annotator.

        Returns
        -------
        LabelEvent
            As it is in the log.
        """
        return self._say("label", item, self.task.parse(label), seconds, annotator)

    def skip(self, item: Hashable | Asked) -> LabelEvent:
        """Put an item away without a label."""
        return self._say("skip", item, None, None, None)

    def flag(self, item: Hashable | Asked, value: bool = True) -> LabelEvent:
        """Flag an item, or take its flag away."""
        return self._say("flag", item, bool(value), None, None)

    def annotate(self, item: Hashable | Asked, note: str) -> LabelEvent:
        """Write a note on an item; an empty one takes it away."""
        return self._say("note", item, str(note), None, None)

    def undo(self, annotator: str | None = None) -> LabelEvent | None:
        """Take back the newest answer, flag or note that stands; return the event taken back."""
        with self._lock:
            who = annotator or self.annotator
            target = self._labels.last(who)
            if target is not None:
                self.append([LabelEvent(new_id(), "retract", target.item, who, target.id, now())])
            return target

    def _say(
        self, kind: str, item: Any, value: Any, seconds: float | None, annotator: str | None
    ) -> LabelEvent:
        with self._lock:
            item_id = item.id if isinstance(item, Asked) else self.pool.id_of(item)
            draw = self._queue.held(API, self.pool.position(item_id))
            asked = (
                item
                if isinstance(item, Asked)
                else self._asked(draw or Draw(self.pool.position(item_id), "given"))
            )
            # What was asked to be verified with a suggestion was shown with it.
            seen = asked.shown.visible and asked.shown.strategy in VERIFYING
            shown = replace(asked.shown, visible=seen, view="api")
            event = LabelEvent(
                new_id(), kind, item_id, annotator or self.annotator, value, now(), seconds, shown
            )
            event = self._complete(event, ())
            self._append([event])
            return event

    def append(self, events: Sequence[LabelEvent]) -> list[int]:
        """Check events, write them to the log, then fold them in.

        Parameters
        ----------
        events : sequence of LabelEvent
            Their `content` and what the newest model predicts are filled in here.

        Returns
        -------
        list of int
            Positions in the log.

        Raises
        ------
        UnknownItemError, LabelValueError, EventError
            If an event is not legal; then none is written.
        StoreError
            If they could not be written; then none counts as said.
        """
        with self._lock:
            return self._append([self._complete(e, events[:k]) for k, e in enumerate(events)])

    def _complete(self, event: LabelEvent, before: Sequence[LabelEvent]) -> LabelEvent:
        if event.kind in (*ABOUT_ALL, "certify"):
            raise EventError(f"An event of kind {event.kind!r} is written by the session itself.")
        position = self.pool.position(event.item)
        event = sound(event)
        if event.kind == "retract":
            target = next((other for other in before if other.id == event.value), None)
            if not (
                target is not None
                and target.kind in RETRACTABLE
                and (target.item, target.annotator) == (event.item, event.annotator)
            ):
                self._labels.check(event)
                author = self._labels.author(event.value)
                if author != event.annotator:
                    raise EventError(
                        f"Event {event.value!r} was said by {author!r}; {event.annotator!r} cannot "
                        "take it back."
                    )
            return event
        is_trap = event.shown.strategy == TRAP
        if event.kind == "skip" and is_trap:
            return _certifying.trapped(event, self._labels.attempts.values())
        if event.kind != "label":
            return replace(event, content=self.pool.digest(position))
        shown = event.shown
        predictions = self._predictions
        if (
            predictions is not None
            and position < len(predictions)
            and position not in self._trained_on
        ):
            shown = replace(
                shown,
                predicted=self._value(predictions, position)[0],
                predicted_version=predictions.version,
            )
        value = self._parsed(event.value)
        check = getattr(self.task, "check", None)
        if check is not None:
            check(value, self.pool.item(position))
        if is_trap:
            # What was shown has another name, too, if labels were renamed while it waited.
            shown = replace(event.shown, suggestion=self._parsed(event.shown.suggestion))
            answered = replace(event, value=value, shown=shown)
            return _certifying.trapped(answered, self._labels.attempts.values())
        if isinstance(self.renderer, PairRenderer):
            shown = replace(shown, swapped=self.renderer.swapped(self.pool.item(position)))
        return replace(
            event,
            value=value,
            content=self.pool.digest(position),
            shown=shown,
        )

    def _parsed(self, value: Any) -> Any:
        """Return a legal label; of one that was renamed while it waited in a page, the new one."""
        try:
            return self.task.parse(value)
        except LabelValueError:
            for names in reversed(self._labels.relabelings):
                new = renamed(value, names)
                if new is not None and new != value:
                    return self.task.parse(new)
            raise

    def _append(self, events: Sequence[LabelEvent]) -> list[int]:
        self._fold()  # another kernel may have said what these items are now
        if self._stale:
            raise StoreMismatchError(f"{self._stale}.")
        if self._twins:
            events = self._with_twins(events)
        positions = self._log.append(events)
        self.refresh()
        for event in events:
            if event.kind == "label" and event.annotator == self.annotator:
                self._recent.append(event.item)
                self._let_one_come_back(event)
        return positions

    def _let_one_come_back(self, event: LabelEvent) -> None:
        """Now and then, want one of the annotator's labeled items again."""
        if self.repeat == 0 or event.shown.strategy in (DUPLICATE, REPEAT, REVIEW):
            return
        if self._repeat_rng.random() >= self.repeat / (1 - self.repeat):
            return
        places = list(self._labeled)
        for k in self._repeat_rng.integers(len(places), size=REPEAT_TRIES).tolist():
            item = self.pool.ids[places[k]]
            said = self._labels.judged(item)
            if (
                item not in self._recent
                and self._queue.wanted(places[k]) is None
                and said[-1].annotator == self.annotator
                and not any(one.shown.strategy in (REPEAT, REVIEW) for one in said)
            ):
                self._queue.want([Draw(places[k], REPEAT, "drawn at random")])
                return

    def refresh(self) -> None:
        """Fold in what was written since, also by another kernel on the same log."""
        with self._lock:
            self._fold()
            if self._certification is not None and not self._stale:
                self._certification.settle()
            if self._changes >= self.batch:
                self._order_training()

    def _fold(self) -> None:
        if self._stale:  # what follows is about other items, or in other words
            return
        places = self.pool.places
        before = self._labels.n_events
        for position, event in self._log.read(self._labels.position):
            if event.kind in ABOUT_ALL and self._ready and event.id not in self._own:
                self._go_stale(event)
                break
            try:
                fresh = self._labels.apply(position, event)
            except EventError as error:
                what = f"An event of the log was passed over, number {position}"
                self._fail(what, Failure.of(error))
                continue
            if event.kind in ABOUT_ALL:
                self._look_again(event)
            elif event.kind == "certify":
                self._follow(event)
            elif fresh and event.item in places:
                if event.kind in ("label", "skip"):
                    self._queue.answered(places[event.item])
                self._settle(event.item)
                self._changes += event.kind in ("label", "retract")
        if self.on_change and self._labels.n_events > before:
            self.on_change()

    @property
    def n_events(self) -> int:
        """How many events of the log were read."""
        with self._lock:
            return self._labels.n_events

    def _settle(self, item: str) -> None:
        """Take over the answer that stands for an item of the pool."""
        place, answer = self.pool.places[item], self._labels.current(item)
        self._open[place] = answer is None
        if answer is not None and answer.kind == "skip":
            self._skipped[item] = None
        else:
            self._skipped.pop(item, None)
        if answer is not None and answer.kind == "label" and self._labels.trains(answer.annotator):
            self._labeled[place] = answer.value
        else:
            self._labeled.pop(place, None)

    def _look_again(self, event: LabelEvent) -> None:
        """Take over an event that is about all items."""
        self._open[:] = True
        self._labeled.clear()
        self._skipped.clear()
        for item in self._labels.answered:
            if item in self.pool.places:
                self._settle(item)
        if self._certification is not None:
            attempt = self._labels.attempts[self._certification.id]
            self._certification = Certification(self, attempt)
        self._changes += 1

    def _go_stale(self, event: LabelEvent) -> None:
        """Go on with what is known here: another kernel goes on with other items, or labels."""
        what = "other data" if event.kind == "match" else "other labels"
        self._stale = (
            f"Another kernel has opened {self.store_path} with {what} since. Run the cell "
            "again with the same data and labels; until then nothing is written, and labels "
            "wait in the page"
        )
        self.warning = f"{self._stale}."
        if self.on_change:
            self.on_change()

    def knows(self, event_id: str) -> bool:
        """Whether an event with this id is in the log, as far as it was read."""
        with self._lock:
            return event_id in self._labels

    def said(self, item: str) -> tuple[Any, str, bool]:
        """Return what stands for an item: its label or None, its note, whether it is flagged."""
        with self._lock:
            labels, place = self._labels, self.pool.places.get(item)
            # Nobody is to see what was said before, when it is asked again.
            again = place is not None and self._queue.wanted(place) and self._queue.is_held(place)
            return None if again else labels.label(item), labels.note(item), labels.flagged(item)

    @property
    def skipped(self) -> list[str]:
        """Ids of the items put away."""
        with self._lock:
            return list(self._skipped)

    def trail(
        self, most: int, before: int | None = None
    ) -> tuple[list[tuple[LabelEvent, Any]], int | None]:
        """Return the newest events of the annotator that stand, oldest first, for undo.

        Parameters
        ----------
        most : int
        before : int, optional
            Only events before this one, as counted by `more`.

        Returns
        -------
        rows : list of (LabelEvent, value)
            Each with the label that the item had before.
        more : int or None
            Where older ones go on; None if there are none.
        """
        with self._lock:
            return self._labels.trail(self.annotator, most, before)

    def reopen(self, items: Iterable[str]) -> None:
        """Put skipped items back into the order of asking, without changing the log."""
        with self._lock:
            for item in items:
                event = self._labels.current(item)
                if event is not None and event.kind == "skip":
                    self._open[self.pool.position(item)] = True
