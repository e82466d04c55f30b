"""Which items of the data the items of a log are now, and which labels its labels are.

An id is the text of the index, so a log finds its items again as long as the index stays. Where it
does not (rows were removed and counted anew, another column became the index), what was labeled is
known by its digest. What cannot be found so is put aside: it stays in the log, under an id that no
item of the data has, and comes back when the data does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from .errors import LabelValueError, OptionError, StoreMismatchError, brief, plain, shorten
from .events import renamed
from .labels import Labels
from .pool import Pool
from .tasks import Task

#: What may be said of items whose content was edited.
EDITED = ("keep", "drop")

GONE = "not in the data"
CHANGED = "changed since it was labeled"
AMBIGUOUS = "several items have its content"


@dataclass(frozen=True)
class Match:
    """Where the items of a log are in a pool.

    Attributes
    ----------
    moves : dict
        What a `match` event says: ids of the log to ids and digests of now.
    unmatched : DataFrame
        One row per label that goes with no item: ``item``, ``label``, ``annotator``,
        ``labeled_at``, ``reason``.
    warning : str
        Empty, or what the person must see.
    """

    moves: dict[str, dict[str, Any]]
    unmatched: pd.DataFrame
    warning: str


@dataclass
class _Search:
    labels: Labels
    pool: Pool
    claimed: dict[int, str] = field(default_factory=dict)  # place -> id of the log
    moves: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)  # id of the log -> reason

    def take(self, item: str, place: int, found: str | None) -> None:
        """Let an item of the log be one of the pool, whose digest is given."""
        self.claimed[place] = item
        here = self.pool.ids[place]
        if here != item or not self.pool.agrees(place, self.labels.content(item), found):
            self.moves[item] = {"item": here, "content": found}

    def home(self, item: str) -> str:
        """The id that an item had before it was put aside."""
        content = self.labels.content(item)
        return item.removesuffix(f"@{content}") if content else item

    def by_id(self) -> None:
        said = [(item, self.pool.find(self.home(item))) for item in self.labels.said]
        places = [place for _, place in said if place is not None]
        digests = dict(zip(places, self.pool.digests(places), strict=True))
        for item, place in said:
            content = self.labels.content(item)
            if place is None:
                self.lost[item] = GONE
            elif place in self.claimed and self.home(item) != item:
                self.lost[item] = CHANGED
            elif self.pool.agrees(place, content, digests[place]):
                other = self.claimed.get(place)
                if other is not None:  # of the two the one that was never put aside
                    self.lost[other] = CHANGED
                    self.moves.pop(other, None)
                self.take(item, place, digests[place])
            else:
                self.lost[item] = CHANGED

    def by_content(self) -> None:
        """Find items under other ids, if ids are only numbers, or most of them were replaced."""
        wanted: dict[str, list[str]] = defaultdict(list)
        for item in self.lost:
            content = self.labels.content(item)
            if content is not None:
                wanted[content].append(item)
        if not wanted:
            return
        places = self._places(set(wanted))
        pairs: list[tuple[str, int]] = []
        for content, items in wanted.items():
            found = places.get(content, [])
            if len(found) == len(items) and (len(items) == 1 or self._alike(items)):
                pairs.extend(zip(items, found, strict=True))
            elif found:
                self.lost.update(dict.fromkeys(items, AMBIGUOUS))
        if not self.pool.is_positional and len(pairs) <= len(self.claimed):
            # The index holds: an item that is not there is gone, whatever another one looks like.
            for item, reason in self.lost.items():
                if reason == AMBIGUOUS:
                    self.lost[item] = GONE if self.pool.find(self.home(item)) is None else CHANGED
            return
        for item, place in pairs:
            self.take(item, place, self.pool.digest(place))
            del self.lost[item]

    def _places(self, wanted: set[str]) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        free = [place for place in range(len(self.pool)) if place not in self.claimed]
        for place, found in zip(free, self.pool.digests(free), strict=True):
            if found not in wanted:
                found = self.pool.digest(place, plain=True)
            if found is not None and found in wanted:
                places[found].append(place)
        return places

    def _alike(self, items: list[str]) -> bool:
        labels = self.labels
        said = [(labels.label(item), labels.note(item), labels.flagged(item)) for item in items]
        return all(one == said[0] for one in said)

    def edited(self) -> dict[str, int]:
        """Lost items whose id is there with other content: id of the log to place, newest last."""
        if self.pool.is_positional and self.moves:
            return {}  # items were counted anew: an id says nothing
        newest: dict[int, str] = {}
        for item in self.lost:
            place = self.pool.find(self.home(item))
            if place is not None and place not in self.claimed:
                newest[place] = item
        return {item: place for place, item in newest.items()}


def match_items(labels: Labels, pool: Pool, path: str | None, edited: str | None = None) -> Match:
    """Find the items of a log in a pool.

    Parameters
    ----------
    labels : Labels
    pool : Pool
    path : str or None
        Of the log, for messages.
    edited : {"keep", "drop"}, optional
        Whether items whose content has changed under the same id keep their labels, or are to be
        asked again; without a word they are asked again if they are fewer than those found.

    Raises
    ------
    StoreMismatchError
        If the log is about other items: none is found, or, without a word, fewer than were changed.
    """
    if edited is not None and edited not in EDITED:
        raise OptionError(f"edited= is one of {', '.join(map(repr, EDITED))}, got {edited!r}.")
    search = _Search(labels, pool)
    search.by_id()
    if search.lost:
        search.by_content()
    changed = search.edited()
    if pool.is_positional and search.moves:  # what is now under the id of one is another item
        search.lost = {k: GONE if why == CHANGED else why for k, why in search.lost.items()}
    if edited == "keep":
        for item, place in changed.items():
            search.take(item, place, pool.digest(place))
            del search.lost[item]
    elif edited is None:
        _refuse_other_items(search, changed, path)
    for item in search.lost:
        if item in pool:  # out of the way of the item that is now called so
            content = labels.content(item)
            search.moves[item] = {"item": f"{item}@{content}", "content": content}
    unmatched = _table(search)
    return Match(search.moves, unmatched, _warning(unmatched, changed, edited))


def _refuse_other_items(search: _Search, changed: Mapping[str, int], path: str | None) -> None:
    fresh = [item for item in search.lost if search.home(item) == item]
    edited = [item for item in changed if item in fresh]
    advice = (
        f"The file is {path}. Give the data it was made with, or keep both apart with "
        "name='another name' or store='another file'."
    )
    if edited and len(edited) >= len(search.claimed):
        n = len(edited) + len(search.claimed)
        raise StoreMismatchError(
            f"The log is about other items: {len(edited)} of {n} labeled items have other content "
            f"in this data than when they were labeled (items {shorten(edited)}). {advice} If it "
            "was you who edited them, say edited='keep' to keep their labels, or edited='drop' to "
            "be asked again."
        )
    if fresh and not search.claimed and edited == []:
        raise StoreMismatchError(
            f"The log is about other items: none of its {len(fresh)} labeled items is in this data "
            f"(the first is {fresh[0]!r}). {advice} edited='drop' goes on with this data, and puts "
            "the labels aside."
        )


def _table(search: _Search) -> pd.DataFrame:
    rows = []
    for item, reason in search.lost.items():
        event = search.labels.current(item)
        if event is not None and event.kind == "label":
            rows.append((search.home(item), event.value, event.annotator, event.at, reason))
    names = ["item", "label", "annotator", "labeled_at", "reason"]
    return pd.DataFrame(rows, columns=names)


def _warning(unmatched: pd.DataFrame, changed: Mapping[str, int], edited: str | None) -> str:
    parts = []
    for reason, what in (
        (GONE, "labeled item(s) of the log are not in this data"),
        (CHANGED, "labeled item(s) have changed since and are asked again"),
        (AMBIGUOUS, "label(s) are put aside, since several items have the same content"),
    ):
        items = unmatched["item"][unmatched["reason"] == reason].tolist()
        if not items:
            continue
        parts.append(f"{len(items):,} {what} (items {shorten(items)}).")
    if parts and changed and edited is None:
        parts.append("edited='keep' keeps the labels of changed items.")
    if parts:
        parts.append("session.unmatched lists them.")
    return " ".join(parts)


# ---------------------------------------------------------------- labels


def new_relabeling(
    labels: Labels, task: Task, relabel: Mapping[Any, Any] | None
) -> dict[str, Any] | None:
    """Return the mapping of labels that is to be recorded, None if it is already.

    Parameters
    ----------
    labels : Labels
    task : Task
        What labels are mapped to must be legal.
    relabel : mapping of label to label or None, optional
        None takes labels back.

    Raises
    ------
    OptionError
        If it is no such mapping.
    """
    if relabel is None:
        return None
    if not isinstance(relabel, Mapping):
        raise OptionError(
            "relabel= is a dict from the label in the log to the label of now (None to be asked "
            f"again), such as {{'spam': 'junk'}}, got {relabel!r}."
        )
    classes = getattr(task, "classes", ())
    made: dict[str, Any] = {}
    for old, new in relabel.items():
        try:
            named = new is not None and plain(new) in classes
            made[plain(old)] = plain(new) if named else None if new is None else task.parse(new)
        except LabelValueError as error:
            raise OptionError(f"relabel={{{old!r}: {new!r}}} leads to no label: {error}") from None
    made = {old: new for old, new in made.items() if old != plain(new) or new is None}
    left = any(renamed(value, made) != value for value, _ in _illegal(labels, task, {}))
    recorded = any(dict(known) == made for known in labels.relabelings)
    return made if made and (left or not recorded) else None


def check_labels(
    labels: Labels, task: Task, path: str | None, names: Mapping[str, Any] | None = None
) -> None:
    """Hold the labels of a log, as they are after a `relabel`, against those of the task.

    Raises
    ------
    StoreMismatchError
        If the log has labels that are not among them; the message says which and what to do.
    """
    illegal = _illegal(labels, task, names or {})
    if not illegal:
        return
    classes = getattr(task, "classes", ())
    named = [name for value, _ in illegal for name in _named(value)]
    unknown = list(dict.fromkeys(name for name in named if plain(name) not in classes))
    if unknown and classes:
        what = f"not among those given: {shorten(unknown)}; given: {shorten(classes, 8)}"
    else:
        what = f"none of {task!r}: {illegal[0][1].rstrip('.')}"
    old = brief(unknown[0] if unknown else illegal[0][0])
    new = "'its new name'" if classes else "'what it is now'"
    raise StoreMismatchError(
        f"The log has {len(illegal)} label(s) that are {what}. If a label was renamed or merged "
        f"into another, say relabel={{{old}: {new}}}; if it was removed, relabel={{{old}: None}} "
        f"takes it back. Else: the file is {path}; give the labels it was made with, or keep both "
        "apart with name='another name' or store='another file'."
    )


def _illegal(labels: Labels, task: Task, names: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Labels that stand and are none of the task, by these new names, each with why."""
    illegal = []
    for item in labels.answered:
        event = labels.current(item)
        if event is None or event.kind != "label":
            continue
        value = renamed(event.value, names)
        if value is None:
            continue
        try:
            task.parse(value)
        except LabelValueError as error:
            illegal.append((value, str(error)))
    return illegal


def _named(value: Any) -> list[Any]:
    """Return what a label names: its classes, or itself."""
    if not isinstance(value, list):
        return [value]
    return [part.get("label") if isinstance(part, Mapping) else part for part in value]
