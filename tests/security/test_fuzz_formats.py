"""Files that are nearly right: labels or an error of our own, and no file elsewhere."""

from __future__ import annotations

import json
import random
import warnings
from pathlib import Path
from typing import Any

import pytest

import nblabel as nl
from nblabel import formats
from nblabel.errors import DataError, LabelValueError, NblabelError, OptionError
from nblabel.formats import FORMATS, Record
from nblabel.formats.files import file_names

from .mutate import mutate, mutate_text
from .test_fuzz import Fuzz

TASKS: dict[str, Any] = {
    "choice": nl.Choice(["spam", "ham"]),
    "binary": nl.Binary("spam"),
    "multilabel": nl.MultiLabel(["spam", "ham"]),
    "rating": nl.Rating(),
    "spans": nl.Spans(["PER", "LOC"], relations=["in"], overlap="any"),
    "freetext": nl.FreeText(),
    "pairs": nl.Pairs(),
    "ranking": nl.Ranking(["spam", "ham"]),
    "form": nl.Form({"what": nl.Choice(["spam", "ham"]), "how": nl.Rating()}),
    "boxes": nl.Boxes(["cat", "dog"], shapes=("box", "polygon", "point")),
}
BOX = {"shape": "box", "label": "cat", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
AREA = {"shape": "polygon", "label": "dog", "points": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.7]]}
VALUES: dict[str, Any] = {
    "choice": "spam", "binary": "reject", "multilabel": ["spam", "ham"], "rating": 4,
    "spans": {"spans": [[0, 3, "PER"], [9, 13, "LOC"]],
              "relations": [{"head": 0, "tail": 1, "label": "in"}]},
    "freetext": "a\nb", "pairs": "second",
    "ranking": ["ham", "spam"], "form": {"what": "ham", "how": 2},
    "boxes": [BOX, AREA, {"shape": "point", "label": "cat", "x": 0.5, "y": 0.5}],
}  # fmt: skip
CASES = [(name, kind) for name, known in FORMATS.items() for kind in known.tasks]


def golden(kind: str) -> list[Record]:
    image = kind == "boxes"
    return [
        Record(
            TASKS[kind].parse(VALUES[kind]), item=f"i{k}", text=None if image else "Ana is in Rome",
            name=f"i{k}.png" if image else "", size=(64, 48) if image else None, annotator="ana",
            at="2026-01-02T03:04:05.000+00:00", note="" if k else "hm",
        )
        for k in range(2)
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_files_that_are_nearly_right(
    name: str, kind: str, tmp_path: Path, torture: bool, tally: Any
) -> None:
    fuzz = Fuzz(f"fuzz: {name} of {kind}", (NblabelError,), tally)
    rng, task, known, path = (
        random.Random(f"{name}{kind}"),
        TASKS[kind],
        FORMATS[name],
        tmp_path / "x",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        formats.write(golden(kind), path, task, format=name)
        files = sorted(path.iterdir()) if known.folder else [path]
        before = {file: file.read_bytes() for file in files}
        fuzz.feed(lambda p: formats.read(p, task, format=name), path)
        for _ in range(2_000 if torture else 60):
            file = rng.choice(files)
            file.write_bytes(changed(before[file], rng, known.binary))
            fuzz.feed(lambda p: formats.read(p, task, format=name), path)
            file.write_bytes(before[file])
    fuzz.done()


def changed(content: bytes, rng: random.Random, binary: bool) -> bytes:
    if binary or rng.random() < 0.1:
        at = rng.randrange(len(content))
        return content[:at] + rng.randbytes(rng.randrange(3)) + content[at + rng.randrange(9) :]
    text = content.decode()
    if text[:1] in "[{" and rng.random() < 0.7:
        try:
            return json.dumps(mutate(json.loads(text), rng)).encode()
        except ValueError:
            rows = [mutate(json.loads(line), rng) for line in text.splitlines()]
            return "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    return mutate_text(text, rng).encode("utf-8", "surrogatepass")


ESCAPES = ["../../etc/passwd", "/etc/passwd", "..\\..\\x", "", ".", "..", "con", "a/b\0c.png",
           "classes", "A.png", "a.png", "b/a.png", "x" * 500, "é.jpg", ".hidden"]  # fmt: skip


def test_names_from_data_stay_in_their_folder(tmp_path: Path) -> None:
    made = file_names(ESCAPES)
    assert len({name.lower() for name in made}) == len(ESCAPES)
    task = nl.Boxes(["cat"])
    records = [Record([BOX], item=name or "-", name=name, size=(9, 9)) for name in ESCAPES]
    for name in ("yolo", "voc"):
        folder = tmp_path / name / "inner"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            formats.write(records, folder, task, format=name)
        n = len(ESCAPES) + (name == "yolo")
        assert len(list(folder.iterdir())) == n
        assert [p for p in (tmp_path / name).rglob("*") if p.is_file()] == [
            p for p in folder.rglob("*") if p.is_file()
        ]
        assert len(formats.read(folder, task, format=name)) == len(ESCAPES)


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0 0.5 0.5 0.1 0.1\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.txt").symlink_to(tmp_path / "secret")
    assert formats.read(tmp_path / "d", nl.Boxes(["cat"]), format="yolo") == []


BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>
<annotation><filename>&b;</filename></annotation>"""
FETCH = """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><annotation>&a;</annotation>"""


@pytest.mark.parametrize("text", [BOMB, FETCH, "<!DOCTYPE x SYSTEM 'http://x.invalid/'><a/>"])
def test_xml_with_entities_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(text)
    with pytest.raises(DataError, match="doctype or entities"):
        formats.read(tmp_path, nl.Boxes(["cat"]), format="voc")


def test_errors_say_what_to_do(tmp_path: Path) -> None:
    task, path = nl.Choice(["spam", "ham"]), tmp_path / "a.jsonl"
    with pytest.raises(DataError, match="cannot be read"):
        formats.read(path, task)
    path.write_text('{"item": "0", "label": "spam"}\n{"item": "1", "label": "spa"}\n')
    with pytest.raises(LabelValueError, match=r"Label 2 \(item '1'\).*Did you mean 'spam'"):
        formats.read(path, task)
    path.write_text('{"item": "0", "label": "spam"}\n{"item"\n')
    with pytest.raises(DataError, match="Line 2 is not JSON"):
        formats.read(path, task)
    with pytest.raises(OptionError, match=r"not of choice\. Take one of jsonl, csv"):
        formats.read(path, task, format="coco")
    with pytest.raises(OptionError, match="Did you mean 'coco'"):
        formats.read(path, task, format="coca")
    with pytest.raises(OptionError, match="does not tell the format"):
        formats.write([], tmp_path / "a.json", task)
    with pytest.raises(DataError, match="size of the image 'a' is not known"):
        formats.write([Record([BOX], item="a")], path, nl.Boxes(["cat"]), format="coco")
    assert path.read_text(), "what was there is still there"
