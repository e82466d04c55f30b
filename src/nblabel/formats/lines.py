"""JSON lines: nblabel's own, Prodigy's and doccano's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from ..errors import DataError
from ..tasks import Task
from .records import (
    Lost,
    Record,
    dump_json,
    listing,
    mapping,
    names_of_value,
    number,
    number_in,
    parse_lines,
    size_in,
    size_of,
    spans_of,
    text_in,
    text_of,
    value_of_names,
    value_of_spans,
)


def _joined(rows: Sequence[Any]) -> str:
    return "".join(f"{dump_json(row)}\n" for row in rows)


# ---------------------------------------------------------------- own


def write_own(records: Sequence[Record], task: Task, lost: Lost) -> str:
    """One object a line; what is not known is left out."""
    rows = []
    for record in records:
        row = {
            "item": record.item, "label": record.value, "annotator": record.annotator,
            "at": record.at, "text": record.text, "content": record.content, "name": record.name,
            "size": record.size and list(record.size), "note": record.note,
            "flagged": record.flagged, "certificate": record.certificate,
        }  # fmt: skip
        known = ("item", "label")
        rows.append({k: v for k, v in row.items() if k in known or v not in ("", None, False)})
    return _joined(rows)


def read_own(text: str, task: Task) -> list[Record]:
    """A line needs ``label``, and ``item`` or ``text``."""
    records = []
    for where, row in parse_lines(text):
        if "label" not in row:
            raise DataError(f"{where} has no 'label'. Is it another program's? Say format=.")
        item = row.get("item", "")
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            item = str(number(item, where)) if isinstance(item, float) else str(item)
        size = listing(row.get("size"), where)
        parts = dict(enumerate(size))
        records.append(
            Record(
                row["label"],
                item=text_in({"item": item}, "item"),
                text=text_in(row, "text") if isinstance(row.get("text"), str) else None,
                content=text_in(row, "content") or None,
                name=text_in(row, "name"),
                size=size_in({str(k): v for k, v in parts.items()}, where, "0", "1")
                if size
                else None,
                annotator=text_in(row, "annotator"),
                at=text_in(row, "at"),
                note=text_in(row, "note"),
                flagged=row.get("flagged") is True,
            )
        )
    return records


# ---------------------------------------------------------------- Prodigy


def write_prodigy(records: Sequence[Record], task: Any, lost: Lost) -> str:
    """As ``prodigy db-out`` writes; the id of the item is in ``meta``."""
    rows = []
    for record in records:
        row: dict[str, Any] = {"meta": {"item": record.item}, "answer": "accept"}
        if record.text is not None:
            row["text"] = record.text
        if record.name:
            row["image"] = record.name
        if record.annotator:
            row["_annotator_id"] = record.annotator
        if record.at:
            row["_timestamp"] = int(_moment(record.at).timestamp())
        value = record.value
        if task.kind == "binary":
            row["answer"] = value
        elif task.kind == "freetext":
            row["user_input"] = value
        elif task.kind == "spans":
            spans, relations = spans_of(value)
            row["text"], row["spans"] = text_of(record, "prodigy"), spans
            for _ in relations:
                lost.add("relations")
        elif task.kind == "boxes":
            width, height = size_of(record, "prodigy")
            shapes = [_to_prodigy(shape, width, height) for shape in value]
            row |= {"width": width, "height": height, "spans": [s for s in shapes if s]}
            for _ in range(shapes.count(None)):
                lost.add("points of an image")
        else:
            row["options"] = [{"id": name, "text": name} for name in task.classes]
            row["accept"] = names_of_value(task, value)
        rows.append(row)
    return _joined(rows)


def _to_prodigy(shape: dict[str, Any], width: int, height: int) -> dict[str, Any] | None:
    if shape["shape"] == "polygon":
        points = [[x * width, y * height] for x, y in shape["points"]]
        return {"type": "polygon", "label": shape["label"], "points": points}
    if shape["shape"] == "point":
        return None
    x, y = shape["x"] * width, shape["y"] * height
    w, h = shape["width"] * width, shape["height"] * height
    return {
        "type": "rect", "label": shape["label"], "x": x, "y": y, "width": w, "height": h,
        "center": [x + w / 2, y + h / 2],
        "points": [[x, y], [x, y + h], [x + w, y + h], [x + w, y]],
    }  # fmt: skip


def read_prodigy(text: str, task: Any) -> list[Record]:
    """Of other tasks than yes or no, only what was accepted."""
    records = []
    for where, row in parse_lines(text):
        answer = row.get("answer", "accept")
        if answer == "ignore" or (task.kind != "binary" and answer != "accept"):
            continue
        size = None
        if task.kind == "binary":
            value: Any = answer
        elif task.kind == "freetext":
            value = row.get("user_input", "")
        elif task.kind == "spans":
            value = value_of_spans(task, listing(row.get("spans"), where))
        elif task.kind == "boxes":
            size = size_in(row, where, "width", "height")
            value = [_of_prodigy(mapping(s, where), where, size) for s in listing(row.get("spans"))]
        else:
            names = row.get("accept", [row["label"]] if "label" in row else None)
            value = value_of_names(task, listing(names, where), where)
        stamp, meta = row.get("_timestamp"), row.get("meta")
        records.append(
            Record(
                value,
                item=text_in(meta, "item") if isinstance(meta, dict) else "",
                text=text_in(row, "text") if isinstance(row.get("text"), str) else None,
                name=text_in(row, "image") if not _is_inline(row.get("image")) else "",
                size=size,
                annotator=text_in(row, "_annotator_id", "_session_id"),
                at=_at(stamp),
            )
        )
    return records


def _of_prodigy(raw: dict[str, Any], where: str, size: tuple[int, int]) -> dict[str, Any]:
    width, height = size
    if raw.get("type", "rect") != "rect" or "x" not in raw:
        corners = [listing(point, where) for point in listing(raw.get("points"), where)]
        points = [[number(p[0], where) / width, number(p[1], where) / height]
                  for p in corners if len(p) == 2]  # fmt: skip
        return {"shape": "polygon", "label": raw.get("label"), "points": points}
    x, y, w, h = (number_in(raw, name, where) for name in ("x", "y", "width", "height"))
    return {"shape": "box", "label": raw.get("label"), "x": x / width, "y": y / height,
            "width": w / width, "height": h / height}  # fmt: skip


def _is_inline(image: Any) -> bool:
    return isinstance(image, str) and image.startswith("data:")


def _moment(at: str) -> datetime:
    try:
        return datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        return datetime.fromtimestamp(0, timezone.utc)


def _at(stamp: Any) -> str:
    if isinstance(stamp, bool) or not isinstance(stamp, (int, float)) or not 0 < stamp < 7e9:
        return ""
    return datetime.fromtimestamp(stamp, timezone.utc).isoformat(timespec="milliseconds")


# ---------------------------------------------------------------- doccano


def write_doccano(records: Sequence[Record], task: Any, lost: Lost) -> str:
    """Its JSONL: ``label`` for texts and spans, ``entities`` with relations."""
    rows = []
    for record in records:
        row: dict[str, Any] = {"text": text_of(record, "doccano"), "item": record.item}
        if task.kind != "spans":
            row["label"] = names_of_value(task, record.value)
        else:
            spans, relations = spans_of(record.value)
            if task.relations:
                row["entities"] = [
                    {"id": k, "label": s["label"], "start_offset": s["start"],
                     "end_offset": s["end"]} for k, s in enumerate(spans)
                ]  # fmt: skip
                row["relations"] = [
                    {"id": k, "from_id": r["head"], "to_id": r["tail"], "type": r["label"]}
                    for k, r in enumerate(relations)
                ]
            else:
                row["label"] = [[s["start"], s["end"], s["label"]] for s in spans]
        rows.append(row)
    return _joined(rows)


def read_doccano(text: str, task: Any) -> list[Record]:
    """JSONL or JSON, of this version or an older one (``labels``, ``data``)."""
    records = []
    for where, row in parse_lines(text):
        label = row.get("label", row.get("labels"))
        if task.kind != "spans":
            names = [label] if isinstance(label, str) else listing(label, where)
            if not names and task.kind != "multilabel":
                continue  # not labeled yet
            value = value_of_names(task, names, where)
        elif "entities" in row:
            entities = [mapping(raw, where) for raw in listing(row["entities"], where)]
            spans = [{"start": e.get("start_offset"), "end": e.get("end_offset"),
                      "label": e.get("label")} for e in entities]  # fmt: skip
            places = {repr(e.get("id")): k for k, e in enumerate(entities)}
            relations = [
                _relation(mapping(raw, where), places, where)
                for raw in listing(row.get("relations"), where)
            ]
            value = value_of_spans(task, spans, relations if task.relations else None)
        else:
            value = value_of_spans(task, listing(label, where))
        content = text_in(row, "text", "data")
        records.append(Record(value, item=text_in(row, "item"), text=content))
    return records


def _relation(raw: dict[str, Any], places: dict[str, int], where: str) -> dict[str, Any]:
    ends = [places.get(repr(raw.get(name))) for name in ("from_id", "to_id")]
    if None in ends:
        raise DataError(f"{where} has a relation from or to a span that is not there.")
    return {"head": ends[0], "tail": ends[1], "label": raw.get("type")}
