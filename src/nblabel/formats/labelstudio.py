"""Label Studio's JSON: a list of tasks, each with annotations, each a list of results."""

from __future__ import annotations

from collections.abc import Sequence
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
    number_in,
    parse_json,
    size_in,
    spans_of,
    text_in,
    text_of,
    value_of_names,
    value_of_spans,
)

_SIDES = {"first": "left", "second": "right"}


def write_labelstudio(records: Sequence[Record], task: Task, lost: Lost) -> str:
    """Tasks as an export or an import of Label Studio has them."""
    tasks: list[dict[str, Any]] = []
    for record in records:
        if _has_tie(record.value, task):
            lost.add("ties")
            continue
        data: dict[str, Any] = {"item": record.item}
        if record.text is not None:
            data["text"] = record.text
        if record.name:
            data["image"] = record.name
        annotation: dict[str, Any] = {"result": _results(record, task)}
        if record.annotator:
            annotation["completed_by"] = {"email": record.annotator}
        if record.at:
            annotation["created_at"] = record.at
        tasks.append({"id": len(tasks) + 1, "data": data, "annotations": [annotation]})
    return f"[{','.join(f'{chr(10)}{dump_json(one)}' for one in tasks)}\n]\n"


def _has_tie(value: Any, task: Task) -> bool:
    if task.kind == "pairs":
        return value not in _SIDES
    return task.kind == "ranking" and any(isinstance(entry, list) for entry in value)


def _results(record: Record, task: Any) -> list[dict[str, Any]]:
    value, kind = record.value, task.kind
    if kind == "spans":
        return _span_results(record)
    if kind == "boxes":
        return [_shape_result(shape, record, k) for k, shape in enumerate(value)]
    if kind == "rating":
        marks = value if task.scales else {"label": value}
        return [_result("number", {"number": mark}, name=name) for name, mark in marks.items()]
    if kind == "freetext":
        return [_result("textarea", {"text": [value]})]
    if kind == "pairs":
        return [_result("pairwise", {"selected": _SIDES[value]})]
    if kind == "ranking":  # the order has the name of its control
        return [_result("ranker", {"ranker": {"label": value}})]
    return [_result("choices", {"choices": names_of_value(task, value)})]


def _result(kind: str, value: dict[str, Any], *, name: str = "label", **more: Any) -> Any:
    return {"from_name": name, "to_name": "item", "type": kind, "value": value, **more}


def _span_results(record: Record) -> list[dict[str, Any]]:
    spans, relations = spans_of(record.value)
    text = text_of(record, "labelstudio")
    made = [
        _result(
            "labels",
            {"start": s["start"], "end": s["end"], "text": text[s["start"] : s["end"]],
             "labels": [s["label"]]},
            id=f"s{k}",
        )
        for k, s in enumerate(spans)
    ]  # fmt: skip
    return made + [
        {"type": "relation", "from_id": f"s{r['head']}", "to_id": f"s{r['tail']}",
         "direction": "right", "labels": [r["label"]]}
        for r in relations
    ]  # fmt: skip


def _shape_result(shape: dict[str, Any], record: Record, place: int) -> dict[str, Any]:
    more: dict[str, Any] = {"id": f"s{place}"}
    if record.size:
        more |= {"original_width": record.size[0], "original_height": record.size[1]}
    if shape["shape"] == "polygon":
        kind = "polygonlabels"
        value: dict[str, Any] = {"points": [[100 * x, 100 * y] for x, y in shape["points"]]}
    else:
        kind = "rectanglelabels" if shape["shape"] == "box" else "keypointlabels"
        value = {k: 100 * v for k, v in shape.items() if k not in ("shape", "label")}
        value |= {"rotation": 0} if kind == "rectanglelabels" else {"width": 0.5}
    return _result(kind, {**value, kind: [shape["label"]]}, **more)


def read_labelstudio(text: str, task: Any) -> list[Record]:
    """Every annotation that was not cancelled; without any the task is passed over."""
    records = []
    for k, raw in enumerate(listing(parse_json(text, "The file"), "The file"), start=1):
        where = f"Task {k}"
        one = mapping(raw, where)
        data = mapping(one.get("data", {}), where)
        for annotation in listing(one.get("annotations", one.get("completions")), where):
            said = mapping(annotation, where)
            if said.get("was_cancelled") is True:
                continue
            results = [mapping(r, where) for r in listing(said.get("result"), where)]
            content = data.get("text")
            value = _value(results, task, where, content if isinstance(content, str) else None)
            if value is None:
                continue
            who = said.get("completed_by")
            records.append(
                Record(
                    value,
                    item=text_in(data, "item"),
                    text=text_in(data, "text") if isinstance(content, str) else None,
                    name=text_in(data, "image"),
                    size=_size(results, where),
                    annotator=text_in(who, "email")
                    if isinstance(who, dict)
                    else str(who) if type(who) is int and abs(who) < 2**63 else "",
                    at=text_in(said, "created_at"),
                )
            )  # fmt: skip
    return records


def _size(results: list[dict[str, Any]], where: str) -> tuple[int, int] | None:
    names = ("original_width", "original_height")
    known = next((r for r in results if names[0] in r), None)
    return None if known is None else size_in(known, where, *names)


def _value(results: list[dict[str, Any]], task: Any, where: str, text: str | None) -> Any:
    kind = task.kind
    if kind == "spans":
        return _spans(results, task, where, text)
    given = [(r, mapping(r.get("value", {}), where)) for r in results]
    if kind == "boxes":
        return [_shape(r, value, where) for r, value in given if _is_shape(r)]
    if kind == "rating":
        marks = {
            text_in(r, "from_name"): value[name]
            for r, value in given
            for name in ("number", "rating")
            if r.get("type") == name and name in value
        }
        return marks if task.scales else next(iter(marks.values()), None)
    field = {"freetext": "text", "pairs": "selected", "ranking": "ranker"}.get(kind, "choices")
    wanted = {"freetext": "textarea", "pairs": "pairwise", "ranking": "ranker"}.get(kind, "choices")
    found = [value[field] for r, value in given if r.get("type") == wanted and field in value]
    if not found:
        return [] if kind == "multilabel" and not results else None
    if kind == "freetext":
        return "\n".join(part for part in _texts(found[0]) if isinstance(part, str))
    if kind == "pairs":
        return next((k for k, side in _SIDES.items() if side == found[0]), found[0])
    if kind == "ranking":
        return next(iter(mapping(found[0], where).values()), None)
    names = [name for part in found for name in listing(part, where)]
    return value_of_names(task, names, where)


def _texts(found: Any) -> list[Any]:
    return [found] if isinstance(found, str) else listing(found)


def _spans(results: list[dict[str, Any]], task: Any, where: str, text: str | None) -> Any:
    spans: list[Any] = []
    relations: list[Any] = []
    places: dict[str, int] = {}
    for result in results:
        if result.get("type") == "labels":
            value = mapping(result.get("value", {}), where)
            places[repr(result.get("id"))] = len(spans)
            start, end = _place(value, text, where)
            label = _only(value.get("labels"), where)
            spans.append({"start": start, "end": end, "label": label})
    for result in results:
        if result.get("type") == "relation" and task.relations:
            ends = [places.get(repr(result.get(name))) for name in ("from_id", "to_id")]
            if None in ends:
                raise DataError(f"{where} has a relation from or to a span that is not there.")
            if result.get("direction") == "left":
                ends.reverse()
            label = _only(result.get("labels"), where)
            relations.append({"head": ends[0], "tail": ends[1], "label": label})
    return value_of_spans(task, spans, relations)


def _place(value: dict[str, Any], text: str | None, where: str) -> tuple[Any, Any]:
    """Return where a span is in characters; browsers may have counted in UTF-16."""
    start, end, said = value.get("start"), value.get("end"), value.get("text")
    if text is None or not isinstance(said, str) or type(start) is not int or type(end) is not int:
        return start, end
    if start < 0 or end < 0 or text[start:end] == said:
        return start, end
    units = text.encode("utf-16-le", "surrogatepass")
    before = units[: 2 * start].decode("utf-16-le", "replace")
    inside = units[2 * start : 2 * end].decode("utf-16-le", "replace")
    if inside == said:
        return len(before), len(before) + len(inside)
    raise DataError(
        f"{where} has a span {start} to {end} that says {said[:40]!r}, but the text there is "
        f"{text[start:end][:40]!r}: the text has changed since."
    )


def _only(labels: Any, where: str) -> Any:
    names = listing(labels, where)
    if len(names) != 1:
        raise DataError(f"{where} has a span or shape with {len(names)} labels, expected one.")
    return names[0]


_SHAPES = {"rectanglelabels": "box", "polygonlabels": "polygon", "keypointlabels": "point"}


def _is_shape(result: dict[str, Any]) -> bool:
    return isinstance(result.get("type"), str) and result["type"] in _SHAPES


def _shape(result: dict[str, Any], value: dict[str, Any], where: str) -> dict[str, Any]:
    kind = result["type"]
    if value.get("rotation") not in (None, 0):
        raise DataError(
            f"{where} has a box that is turned by {value['rotation']!r:.20} degrees, which a box "
            "here cannot be. Draw it as a polygon."
        )
    made: dict[str, Any] = {"shape": _SHAPES[kind], "label": _only(value.get(kind), where)}
    if kind == "polygonlabels":
        points = [listing(point, where) for point in listing(value.get("points"), where)]
        pairs = [{str(k): part for k, part in enumerate(point)} for point in points]
        made["points"] = [[number_in(p, name, where) / 100 for name in "01"] for p in pairs]
        return made
    names = ("x", "y") if kind == "keypointlabels" else ("x", "y", "width", "height")
    return made | {name: number_in(value, name, where) / 100 for name in names}
