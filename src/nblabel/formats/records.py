"""What every format reads and writes: records, the fields they are made of, and what is lost."""

from __future__ import annotations

import json
import math
import re
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import DataError, brief, shorten
from ..tasks import Task


@dataclass(frozen=True)
class Record:
    """One label of one item, as it leaves a session or comes to one.

    Attributes
    ----------
    value : object
        A value of the task.
    item : str
        Item id; empty where the format has none.
    text : str or None
        The item, where it is a text.
    content : str or None
        Digest of the item.
    name : str
        Name of the file of an image; never a path to open.
    size : (int, int) or None
        Width and height of an image, in pixels.
    annotator, at, note : str
    flagged : bool
    certificate : dict or None
        What is promised of a label by the machine: ``id``, ``max_error``, ``confidence``, ``form``.
    """

    value: Any
    item: str = ""
    text: str | None = None
    content: str | None = None
    name: str = ""
    size: tuple[int, int] | None = None
    annotator: str = ""
    at: str = ""
    note: str = ""
    flagged: bool = False
    certificate: dict[str, Any] | None = None


class Lost:
    """Collects what a format cannot hold, to be said in one warning."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, what: str) -> None:
        """Count one thing that is left out."""
        self._counts[what] += 1

    def warn(self, name: str) -> None:
        """Say what was left out, if anything was."""
        if self._counts:
            told = "; ".join(f"{what} ({n:,})" for what, n in self._counts.items())
            warnings.warn(
                f"The format {name!r} cannot hold: {told}. The format 'jsonl' holds all.",
                stacklevel=4,
            )


# ---------------------------------------------------------------- JSON, and fields of it


def parse_json(text: str, where: str) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where} is not JSON ({error}): got {brief(text, 60)}.") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def dump_json(value: Any) -> str:
    """Return a value as one line of JSON that every file can hold."""
    return clean(json.dumps(value, ensure_ascii=False, allow_nan=False))


def clean(text: str) -> str:
    """Return a text without lone surrogates, which no file can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def parse_lines(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the objects of JSON lines, each with where it stands; a JSON list will do too."""
    if text.lstrip()[:1] == "[":
        rows = [(f"Entry {k}", raw) for k, raw in enumerate(listing(parse_json(text, "The file")))]
    else:
        lines = enumerate(text.split("\n"), start=1)
        rows = [(f"Line {k}", parse_json(line, f"Line {k}")) for k, line in lines if line.strip()]
    return [(where, mapping(raw, where)) for where, raw in rows]


def mapping(raw: Any, where: str = "This") -> dict[str, Any]:
    """Return a JSON object, or raise DataError."""
    if not isinstance(raw, dict):
        raise DataError(f"{where} is no JSON object: got {brief(raw, 60)}.")
    return raw


def listing(raw: Any, where: str = "This") -> list[Any]:
    """Return a JSON list, or raise DataError; None is an empty one."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise DataError(f"{where} is no JSON list: got {brief(raw, 60)}.")
    return raw


def text_in(raw: Mapping[str, Any], *names: str) -> str:
    """Return the first text there is under one of the names, empty if there is none."""
    for name in names:
        found = raw.get(name)
        if isinstance(found, str):
            return clean(found)
    return ""


def number_in(raw: Mapping[str, Any], name: str, where: str) -> float:
    """Return a finite number, or raise DataError."""
    return number(raw.get(name), f"{where}: {name!r}")


def number(found: Any, where: str) -> float:
    """Return a finite number, or raise DataError."""
    if isinstance(found, bool) or not isinstance(found, (int, float)) or abs(found) > 1e300:
        raise DataError(f"{where} is a number, got {brief(found, 60)}.")
    if not math.isfinite(found):
        raise DataError(f"{where} is a finite number, got {found}.")
    return float(found)


def size_in(raw: Mapping[str, Any], where: str, *names: str) -> tuple[int, int]:
    """Return width and height in pixels, or raise DataError."""
    width, height = (number_in(raw, name, where) for name in names)
    if not (1 <= width <= 1e6 and 1 <= height <= 1e6):
        raise DataError(f"{where}: an image has some pixels a side, got {width:g} x {height:g}.")
    return int(width), int(height)


def size_of(record: Record, name: str) -> tuple[int, int]:
    """Return the size of a record's image, or raise DataError."""
    if record.size is None:
        raise DataError(
            f"{name} counts in pixels, but the size of the image {record.item!r} is not known: "
            "label images that can be read, or write 'yolo', 'labelstudio' or 'jsonl'."
        )
    return record.size


# ---------------------------------------------------------------- values


def names_of_value(task: Task, value: Any) -> list[str]:
    """Return the names that a value of one class or of several stands for."""
    return list(value) if task.kind == "multilabel" else [value]


def value_of_names(task: Task, names: Sequence[Any], where: str) -> Any:
    """Return the value that some names stand for."""
    if task.kind == "multilabel":
        return list(names)
    if len(names) != 1:
        raise DataError(
            f"{where} has {len(names)} labels, but the task ({task.kind}) asks for one: "
            "MultiLabel(...) takes several."
        )
    return names[0]


def spans_of(value: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the spans and the relations of a value."""
    return (value["spans"], value["relations"]) if isinstance(value, dict) else (value, [])


def value_of_spans(task: Any, spans: list[Any], relations: list[Any] | None = None) -> Any:
    """Return the value of a task of spans."""
    return {"spans": spans, "relations": relations or []} if task.relations else spans


def text_of(record: Record, name: str) -> str:
    """Return the text of a record, or raise DataError."""
    if record.text is None:
        raise DataError(f"{name} holds texts, but the item {record.item!r} is none.")
    return record.text


def keep_flat(spans: Iterable[Mapping[str, Any]], lost: Lost) -> list[Mapping[str, Any]]:
    """Return the spans that do not overlap with one before them."""
    kept: list[Mapping[str, Any]] = []
    for span in spans:
        if kept and span["start"] < kept[-1]["end"]:
            lost.add("spans that overlap others")
        else:
            kept.append(span)
    return kept


def tokens_of(text: str, spans: Iterable[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Return words and signs as places, cut also where spans begin and end."""
    cuts = sorted({place for span in spans for place in (span["start"], span["end"])})
    found: list[tuple[int, int]] = []
    at = 0
    for match in re.finditer(r"\w+|[^\w\s]", text):
        start, end = match.span()
        while at < len(cuts) and cuts[at] <= start:
            at += 1
        while at < len(cuts) and cuts[at] < end:
            found.append((start, cuts[at]))
            start = cuts[at]
            at += 1
        found.append((start, end))
    return found


def refuse(names: Sequence[str], what: str) -> None:
    """Raise DataError if there are names that a format cannot hold."""
    if names:
        raise DataError(f"The labels {shorten(names)} have {what}; give them other names.")
