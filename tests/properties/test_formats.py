"""What is written in a format is read again as it was, but for what a warning named."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import nblabel as nl
from nblabel import formats
from nblabel.formats import FORMATS, Record

laws = settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
CLASSES = ["PER", "a place", "=x", "é💥"]
#: Of every script, with breaks, formulas and quotes; no NUL, which tables cannot have.
texts = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\0")
    | st.sampled_from("=\n\r'\";|, "),
    max_size=30,
)
share = st.integers(0, 10**6).map(lambda k: k / 10**6)
TASKS: dict[str, Any] = {
    "choice": nl.Choice(CLASSES),
    "binary": nl.Binary("spam"),
    "multilabel": nl.MultiLabel(CLASSES),
    "rating": nl.Rating(0, 1, step=0.1),
    "spans": nl.Spans(CLASSES),
    "freetext": nl.FreeText(required=False),
    "pairs": nl.Pairs(),
    "ranking": nl.Ranking(CLASSES, ties=True),
    "form": nl.Form({"what": nl.Choice(CLASSES), "how": nl.Rating(), "why": nl.FreeText()}),
    "boxes": nl.Boxes(CLASSES, shapes=("box", "polygon", "point")),
}


@st.composite
def spans(draw: Any, text: str, overlap: str = "none") -> list[dict[str, Any]]:
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = list(zip(places[::2], places[1::2], strict=False))
    return [{"start": a, "end": b, "label": draw(st.sampled_from(CLASSES))} for a, b in pairs]


@st.composite
def shapes(draw: Any) -> dict[str, Any]:
    label, kind = draw(st.sampled_from(CLASSES)), draw(st.sampled_from(["box", "polygon", "point"]))
    if kind == "polygon":
        points = draw(st.lists(st.tuples(share, share).map(list), min_size=3, max_size=5))
        return {"shape": kind, "label": label, "points": points}
    x, y = draw(share), draw(share)
    if kind == "point":
        return {"shape": kind, "label": label, "x": x, "y": y}
    assume(x < 1 and y < 1)
    w, h = draw(st.integers(1, 10**6)) / 10**6, draw(st.integers(1, 10**6)) / 10**6
    return {"shape": "box", "label": label, "x": x, "y": y, "width": min(w, round(1 - x, 6)),
            "height": min(h, round(1 - y, 6))}  # fmt: skip


@st.composite
def records(draw: Any, kind: str) -> list[Record]:
    task, made = TASKS[kind], []
    for k in range(draw(st.integers(0, 4))):
        text, size = draw(texts), None
        value: Any
        if kind == "spans":
            value = draw(spans(text))
        elif kind == "boxes":
            value, size = draw(st.lists(shapes(), max_size=4)), draw(
                st.tuples(st.integers(1, 5000), st.integers(1, 5000))
            )  # fmt: skip
        elif kind == "multilabel":
            value = draw(st.lists(st.sampled_from(CLASSES), unique=True))
        elif kind == "rating":
            value = draw(st.sampled_from(task.points))
        elif kind == "freetext":
            value = draw(texts)
        elif kind == "ranking":
            value = {name: draw(st.integers(1, 6)) for name in CLASSES}
        elif kind == "form":
            value = {"what": draw(st.sampled_from(CLASSES)), "how": draw(st.integers(1, 5)),
                     "why": draw(texts.filter(str.strip))}  # fmt: skip
        else:
            value = draw(st.sampled_from(list(task.classes)))
        made.append(
            Record(
                task.parse(value), item=f"i{k}", size=size,
                text=None if kind == "boxes" else text, name=f"i{k}" if kind == "boxes" else "",
                annotator=draw(st.sampled_from(["ana", "bob"])), at="2026-01-02T03:04:05.000+00:00",
                note=draw(texts), flagged=draw(st.booleans()),
            )
        )  # fmt: skip
    return made


def around(found: list[Record], name: str, task: Any) -> tuple[list[Record], str]:
    """Write and read; also what the warnings said."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = Path(folder) / "x"
        formats.write(found, path, task, format=name)
        return formats.read(path, task, format=name), " ".join(str(w.message) for w in caught)


CASES = [(name, kind) for name, known in FORMATS.items() for kind in known.tasks]
PIXELS = 1e-5


def near(a: Any, b: Any, most: float) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(near(a[k], b[k], most) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(near(x, y, most) for x, y in zip(a, b, strict=True))
    return abs(a - b) <= most if isinstance(a, float) else bool(a == b)


@pytest.mark.parametrize(("name", "kind"), CASES)
@laws
@given(data=st.data())
def test_what_is_written_is_read_again(name: str, kind: str, data: Any) -> None:
    task, given_ = TASKS[kind], data.draw(records(kind))
    found, said = around(given_, name, task)
    if name == "voc":
        kept = [s for r in given_ for s in r.value if s["shape"] == "box"]
        assert sum(len(r.value) for r in found) == len(kept)
        assert ("polygons and points" in said) == (len(kept) < sum(len(r.value) for r in given_))
        sides = [min(r.size or (1, 1)) for r in given_ for s in r.value if s["shape"] == "box"]
        both = zip(kept, [s for r in found for s in r.value], sides, strict=True)
        assert all(near(a, b, 1.0 / side + PIXELS) for a, b, side in both)
        return
    expected = given_
    if kind == "boxes" and name in ("coco", "yolo", "prodigy"):
        expected = [replace(r, value=[s for s in r.value if s["shape"] != "point"]) for r in given_]
        assert ("points" in said) == (expected != given_)
    if kind in ("pairs", "ranking") and name == "labelstudio":
        expected = [
            r for r in given_ if r.value != "tie" and not any(isinstance(e, list) for e in r.value)
        ]
        assert ("ties" in said) == (expected != given_)
    if "apostrophes" in said or "white space" in said:
        return
    by_name = {r.item or r.name: r for r in found}
    assert len(found) == len(expected)
    for r in expected:
        other = by_name[r.item]
        assert near(r.value, other.value, PIXELS), (r.value, other.value)
        if r.text:
            assert other.text == r.text
        holds = FORMATS[name].holds
        assert other.annotator == (r.annotator if "annotator" in holds else "")
        if "note" in holds:
            assert (other.note, other.flagged) == (r.note, r.flagged)
        elif r.note:
            assert "notes" in said


RELATED = nl.Spans(CLASSES, overlap="any", relations=["of"])


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet", "labelstudio", "doccano"])
@laws
@given(data=st.data())
def test_overlaps_and_relations_are_kept(name: str, data: Any) -> None:
    text = data.draw(texts.filter(bool))
    both = [*data.draw(spans(text)), *data.draw(spans(text))]
    n = len({(s["start"], s["end"], s["label"]) for s in both})
    ends = data.draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3))
    relations = [{"head": a, "tail": b, "label": "of"} for a, b in ends if a != b and max(a, b) < n]
    unique = list({(s["start"], s["end"], s["label"]): s for s in both}.values())
    value = RELATED.parse({"spans": unique, "relations": relations})
    found, said = around([Record(value, item="a", text=text)], name, RELATED)
    if "apostrophes" not in said:
        assert [r.value for r in found] == [value]


@pytest.mark.parametrize("name", ["prodigy", "conll", "spacy"])
def test_relations_that_are_lost_are_named(name: str) -> None:
    value = RELATED.parse(
        {"spans": [[0, 3, "PER"], [2, 5, "PER"]],
         "relations": [{"head": 0, "tail": 1, "label": "of"}]}
    )  # fmt: skip
    found, said = around([Record(value, item="a", text="Ana Lu")], name, RELATED)
    assert "relations (1)" in said
    assert ("overlap" in said) == (name == "conll")
    assert len(found[0].value["spans"]) == (1 if name == "conll" else 2)
    assert found[0].value["relations"] == []
