"""Labels of a session as records for files, and records of files as its labels."""

from __future__ import annotations

import json
import os
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ._core import Core
from .errors import DataError, LabelValueError, shorten
from .events import LabelEvent, Shown, now
from .formats import read as read_labels
from .formats import write as write_labels
from .formats.files import base_name, digested_name, file_names
from .formats.records import Record, clean
from .labels import MACHINES, Labels
from .pool import Pool, digest
from .renderers import Renderer, safe_view

_IMPORT = "import:"


def export_records(labels: Labels, pool: Pool, renderer: Renderer) -> list[Record]:
    """Return the label that stands for each labeled item, in the order of the pool."""
    records = []
    promised = {
        made.annotator: {
            "id": made.id,
            "max_error": made.terms.max_error,
            "confidence": made.terms.confidence,
            "form": made.terms.form,
        }
        for made in labels.certificates
        if not made.revoked
    }
    for place, item in enumerate(pool.ids):
        event = labels.current(item)
        if event is None or event.kind != "label":
            continue
        content = pool.item(place)
        is_image = renderer.modality == "image"
        records.append(
            Record(
                event.value,
                item=item,
                text=clean(content) if isinstance(content, str) and not is_image else None,
                content=pool.digest(place),
                name=item if is_image else "",
                size=_size(content, renderer) if is_image else None,
                annotator=event.annotator,
                at=event.at,
                note=labels.note(item),
                flagged=labels.flagged(item),
                certificate=promised.get(event.annotator),
            )
        )
    return records


def _size(content: Any, renderer: Renderer) -> tuple[int, int] | None:
    if isinstance(content, np.ndarray):
        return int(content.shape[1]), int(content.shape[0])
    size = getattr(content, "size", None)  # of a PIL image
    if isinstance(size, tuple):
        return int(size[0]), int(size[1])
    data = safe_view(renderer, content).data
    if not (data.get("width") and data.get("height")):
        return None
    return int(data["width"]), int(data["height"])


def import_events(records: Sequence[Record], pool: Pool, task: Any, name: str) -> list[LabelEvent]:
    """Return records as events about the items that they go with.

    An item is found by its id if its content is the same, as far as that is told, else by its
    content, else by the name of its image. Ids of events come from what they say, so that importing
    twice is importing once.

    Raises
    ------
    DataError
        If no record goes with an item.
    """
    found = _Items(pool)
    events: dict[str, LabelEvent] = {}
    strays = []
    for record in records:
        matched = found.item(record)
        if matched is None:
            strays.append(record.item or record.name or record.text or "")
            continue
        item, place = matched
        value = record.value
        if task.kind == "spans":
            value = _respaced(value, record.text, pool.item(place))
        value = task.parse(value)
        check = getattr(task, "check", None)
        if check is not None:
            try:
                check(value, pool.item(place))
            except LabelValueError as error:
                raise LabelValueError(f"Item {item!r}: {error}") from None
        who = _annotator(record.annotator, name)
        said = json.dumps(["import", item, who, value], sort_keys=True)
        event = LabelEvent(
            f"import:{digest(said)}", "label", item, who, value, record.at or now(),
            shown=Shown(strategy="import", view="api"),
        )  # fmt: skip
        events.setdefault(event.id, event)
        beside: list[tuple[str, Any]] = [("note", record.note)] if record.note else []
        beside += [("flag", True)] if record.flagged else []
        for kind, told in beside:
            said = json.dumps(["import", kind, item, who, told])
            other = replace(event, id=f"import:{digest(said)}", kind=kind, value=told)
            events.setdefault(other.id, other)
    if strays:
        text = (
            f"{len(strays):,} of {len(records):,} labels go with no item of the data, by id, "
            f"content or file name: {shorten(strays)}."
        )
        if not events:
            raise DataError(f"{text} Open the session with the data that was labeled.")
        warnings.warn(f"{text} They are left out.", stacklevel=4)
    return list(events.values())


def _annotator(who: str, name: str) -> str:
    if who.startswith((_IMPORT, *MACHINES)):  # a machine stays one, an import is not doubled
        return who
    return f"{_IMPORT}{clean(who or name)}"


class _Items:
    """Finds items of a pool; of equal ones the first is taken first."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._contents: dict[str, list[int]] | None = None
        self._names: dict[str, int | None] | None = None
        self._taken: dict[tuple[int, str], int] = defaultdict(int)

    def item(self, record: Record) -> tuple[str, int] | None:
        place = self._pool.find(record.item) if record.item else None
        if place is None or not self._is_same(place, record):
            place = self._by_content(record)
        if place is None and record.name:
            place = self._by_name(record.name)
        return None if place is None else (self._pool.ids[place], place)

    def _is_same(self, place: int, record: Record) -> bool:
        if record.content is not None:
            return self._pool.holds(place, record.content)
        content = self._pool.item(place)
        if record.text is None or not isinstance(content, str):
            return True
        return _bare(record.text) == _bare(content)

    def _by_content(self, record: Record) -> int | None:
        if self._contents is None:
            self._contents = defaultdict(list)
            for place in range(len(self._pool)):
                content = self._pool.item(place)
                for key in (self._pool.digest(place), *_bare_keys(content)):
                    if key is not None:
                        self._contents[key].append(place)
        for key in (record.content, *_bare_keys(record.text)):
            places = self._contents.get(key) if key else None
            if places:
                key_of_turn = (places[0], record.annotator)
                turn = self._taken[key_of_turn]
                self._taken[key_of_turn] += 1
                return places[min(turn, len(places) - 1)]
        return None

    def _by_name(self, name: str) -> int | None:
        if self._names is None:
            self._names = {}
            ids = self._pool.ids
            for place, (item, own) in enumerate(zip(ids, file_names(ids), strict=True)):
                for key in {item, item.replace("\\", "/").split("/")[-1], own, base_name(item),
                            digested_name(item)}:  # fmt: skip
                    # One that names several items names none.
                    self._names[key] = place if self._names.get(key, place) == place else None
        last = name.replace("\\", "/").split("/")[-1]
        whole = self._pool.find(name)
        if whole is not None:
            return whole
        named = (self._names.get(key) for key in (name, last, base_name(name)))
        return next((place for place in named if place is not None), None)


def _bare(text: str) -> str:
    return "".join(clean(text).split())


def _bare_keys(content: Any) -> list[str]:
    return [f"text:{_bare(content)}"] if isinstance(content, str) and _bare(content) else []


def _respaced(value: Any, written: str | None, text: Any) -> Any:
    """Return spans of a text for one that differs from it in white space, as tokens tell it."""
    if written is None or not isinstance(text, str) or written == clean(text):
        return value
    places = [k for k, c in enumerate(clean(text)) if not c.isspace()]
    before = np.cumsum([0, *(not c.isspace() for c in written)])
    if not isinstance(value, list):
        return {**value, "spans": _respaced(value["spans"], written, text)}
    moved = []
    for span in value:
        first, last = before[span["start"]], before[span["end"]]
        if first < last:
            start, end = places[first], places[last - 1] + 1
            moved.append({**span, "start": start, "end": end})
    return moved


class Exchange(Core):
    """The part of a session that exchanges labels with files of this and other programs."""

    def import_labels(self, source: Any, format: str | None = None, *, name: str = "") -> int:
        """Take over labels from a file of this or another program.

        An item is found by its id if its content is the same, else by its content, else by the name
        of its image. Importing twice is importing once. The annotator is ``import:<who>``.

        Parameters
        ----------
        source : path, table with a column ``label``, or Hugging Face dataset
        format : str, optional
            A name of `nblabel.formats.FORMATS`; by default it goes by the suffix.
        name : str, optional
            Who said what the file tells of nobody; by default the name of the file.

        Returns
        -------
        int
            Number of labels that were not there before.

        Raises
        ------
        DataError
            If the file is not in the format, or goes with no item.
        LabelValueError
            If a label is not legal; then none is taken over.
        OptionError
            If the format is not known or does not hold labels of this task.
        """
        found = read_labels(source, self.task, format=format)
        is_path = isinstance(source, (str, os.PathLike))
        with self._lock:
            self._fold()
            who = name or (os.path.basename(os.fspath(source)) if is_path else "") or "table"
            events = import_events(found, self.pool, self.task, who)
            fresh = [event for event in events if event.id not in self._labels]
            self.append(fresh)
            return sum(event.kind == "label" for event in fresh)

    def export(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the label that stands for each item to a file, for this or another program.

        Parameters
        ----------
        path : path
            The file; the folder of ``"yolo"`` and ``"voc"``, which have a file for each image.
        format : str, optional
            A name of `nblabel.formats.FORMATS`; by default it goes by the suffix.

        Raises
        ------
        DataError, OptionError
            If the format does not hold labels of this task or these items.
        StoreError
            If the file cannot be written.

        Warns
        -----
        UserWarning
            If something is left out; the message names it.
        """
        with self._lock:
            self._catch_up()
            records = export_records(self._labels, self.pool, self.renderer)
        write_labels(records, path, self.task, format=format)
