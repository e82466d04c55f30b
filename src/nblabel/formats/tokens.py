"""Formats that cut texts into tokens: CoNLL columns and the JSON of spaCy's docs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..errors import DataError
from .records import (
    Lost,
    Record,
    dump_json,
    keep_flat,
    listing,
    mapping,
    names_of_value,
    number,
    parse_json,
    parse_lines,
    refuse,
    spans_of,
    text_in,
    text_of,
    tokens_of,
    value_of_names,
    value_of_spans,
)


def write_conll(records: Sequence[Record], task: Any, lost: Lost) -> str:
    """A token and its IOB2 tag a line, an empty line behind each text.

    The text and the id stand in comments before, as in CoNLL-U: tokens alone do not tell them.
    """
    refuse([name for name in task.classes if _has_break(name)], "a tab or a line break")
    parts = []
    for record in records:
        text = text_of(record, "conll")
        spans, relations = spans_of(record.value)
        for _ in relations:
            lost.add("relations")
        flat = keep_flat(spans, lost)
        tokens = tokens_of(text, flat)
        tags = ["O"] * len(tokens)
        for span in flat:
            inside = [k for k, (a, b) in enumerate(tokens)
                      if span["start"] <= a and b <= span["end"]]  # fmt: skip
            if not inside:
                lost.add("spans of white space alone")
                continue
            if (tokens[inside[0]][0], tokens[inside[-1]][1]) != (span["start"], span["end"]):
                lost.add("white space at the ends of spans")
            for k in inside:
                tags[k] = f"{'B' if k == inside[0] else 'I'}-{span['label']}"
        head = f"# id = {_ascii(record.item)}\n# text = {_ascii(text)}\n"
        rows = [f"{text[a:b]}\t{tag}\n" for (a, b), tag in zip(tokens, tags, strict=True)]
        parts.append(head + "".join(rows) + "\n")
    return "".join(parts)


def _has_break(name: str) -> bool:
    return "\t" in name or "\n" in name or "\r" in name


def _ascii(text: str) -> str:
    """Return a text as JSON of plain letters: no line break of any kind in it."""
    return json.dumps(text.encode("utf-8", "replace").decode())


def read_conll(text: str, task: Any) -> list[Record]:
    """The token first and the tag last in each line, IOB1 or IOB2 (Tjong Kim Sang 2002).

    Where the text is not told, tokens are joined by spaces.
    """
    records: list[Record] = []
    known: dict[str, str] = {}
    rows: list[tuple[str, str]] = []
    for number_, line in enumerate([*text.replace("\r\n", "\n").split("\n"), ""], start=1):
        comment, _, said = line.partition(" = ")
        if comment in ("# id", "# text") and not rows:
            known[comment[2:]] = _unquoted(said)
        elif line.startswith("-DOCSTART-"):
            continue
        elif not line.strip():
            if rows or "text" in known:
                records.append(_sentence(rows, known, task, number_))
            known, rows = {}, []
        else:
            cells = line.split("\t") if "\t" in line else line.split()
            if len(cells) < 2:
                raise DataError(f"Line {number_} is no token and tag: got {line[:60]!r}.")
            rows.append((cells[0], cells[-1]))
    return records


def _unquoted(said: str) -> str:
    if said[:1] == '"':
        found = parse_json(said, "A comment")
        return found if isinstance(found, str) else said
    return said


def _sentence(rows: list[tuple[str, str]], known: dict[str, str], task: Any, line: int) -> Record:
    text = known.get("text", " ".join(token for token, _ in rows))
    spans: list[dict[str, Any]] = []
    at, before = 0, "O"
    for token, tag in rows:
        start = text.find(token, at)
        if start < 0:
            raise DataError(f"The token {token[:40]!r} before line {line} is not in its text.")
        at = start + len(token)
        mark, _, label = tag.partition("-")
        if tag != "O":
            if mark not in ("B", "I") or not label:
                raise DataError(
                    f"The tag {tag[:40]!r} before line {line} is none of O, B-label and I-label."
                )
            if mark == "I" and before[2:] == label:
                spans[-1]["end"] = at
            else:
                spans.append({"start": start, "end": at, "label": label})
        before = tag
    item = known.get("id", "")
    return Record(value_of_spans(task, spans), item=item, text=text)


# ---------------------------------------------------------------- spaCy


def write_spacy(records: Sequence[Record], task: Any, lost: Lost) -> str:
    """A doc a line, as ``Doc.to_json`` gives and ``Doc.from_json`` takes.

    Spans stand in ``ents``, or where they may overlap in ``spans["sc"]``; classes in ``cats``.
    """
    rows = []
    for record in records:
        text = text_of(record, "spacy")
        row: dict[str, Any] = {"text": text, "item": record.item}
        spans: list[Any] = []
        if task.kind == "spans":
            spans, relations = spans_of(record.value)
            for _ in relations:
                lost.add("relations")
            if task.overlap == "none":
                row["ents"] = spans
            else:
                row["spans"] = {"sc": spans}
        else:
            on = names_of_value(task, record.value)
            row["cats"] = {name: float(name in on) for name in task.classes}
        places = tokens_of(text, spans)
        row["tokens"] = [{"id": k, "start": a, "end": b} for k, (a, b) in enumerate(places)]
        rows.append(row)
    return "".join(f"{dump_json(row)}\n" for row in rows)


def read_spacy(text: str, task: Any) -> list[Record]:
    """Docs as JSON, a line each or a list."""
    records = []
    for where, row in parse_lines(text):
        if task.kind == "spans":
            groups = [row.get("ents"), *mapping(row.get("spans", {}), where).values()]
            raws = [mapping(raw, where) for group in groups for raw in listing(group, where)]
            names = ("start", "end", "label")
            value = value_of_spans(task, [{k: raw.get(k) for k in names} for raw in raws])
        else:
            cats = mapping(row.get("cats", {}), where)
            on = [name for name, share in cats.items() if number(share, where) >= 0.5]
            value = value_of_names(task, on, where)
        records.append(Record(value, item=text_in(row, "item"), text=text_in(row, "text")))
    return records
