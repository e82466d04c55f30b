"""Labels of a session written to files, and taken over from files."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import nblabel as nl
from nblabel.errors import DataError, LabelValueError

TEXTS = ["win money", "see you", "lunch?", "see you"]
CLASSES = ["spam", "ham"]


def session(data: Any, task: Any, **options: Any) -> nl.Session:
    return nl.Session(
        data, task, store=None, model=False, strategy="random", inline=True, annotator="ana",
        **options,
    )  # fmt: skip


def labeled() -> nl.Session:
    made = session(TEXTS, CLASSES)
    for item, label in (("0", "spam"), ("1", "ham"), ("3", "spam")):
        made.record(item, label)
    made.annotate("0", "sure")
    made.flag("1")
    return made


@pytest.mark.parametrize("name", ["jsonl", "csv", "parquet"])
def test_own_formats_bring_all_back(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"labels.{name}"
    first = labeled()
    first.export(path)
    other = session(TEXTS, CLASSES)
    assert other.import_labels(path) == 3
    assert list(other.labels["label"]) == ["spam", "ham", "spam"]
    assert set(other.labels["annotator"]) == {"import:ana"}
    assert list(other.labels["note"]) == ["sure", "", ""]
    assert list(other.labels["flagged"]) == [False, True, False]
    assert list(other.labels["labeled_at"]) == list(first.labels["labeled_at"])
    n = len(other.history)
    assert other.import_labels(path) == 0, "importing twice is importing once"
    assert len(other.history) == n
    other.export(tmp_path / "again.jsonl")
    third = session(TEXTS, CLASSES)
    third.import_labels(tmp_path / "again.jsonl")
    assert set(third.labels["annotator"]) == {"import:ana"}


def test_a_label_goes_with_its_content_not_with_its_number(tmp_path: Path) -> None:
    labeled().export(tmp_path / "a.jsonl")
    other = session(["new", *TEXTS[::-1]], CLASSES)
    other.import_labels(tmp_path / "a.jsonl")
    found = other.frame().dropna(subset="label")
    assert sorted(zip(found["item"], found["label"], strict=True)) == [
        ("see you", "ham"), ("see you", "spam"), ("win money", "spam"),
    ]  # fmt: skip


def test_what_goes_with_nothing_is_named(tmp_path: Path) -> None:
    labeled().export(tmp_path / "a.jsonl")
    other = session(["win money", "else"], CLASSES)
    with pytest.warns(UserWarning, match="2 of 3 labels go with no item"):
        assert other.import_labels(tmp_path / "a.jsonl") == 1
    with pytest.raises(DataError, match="Open the session with the data"):
        session(["other"], CLASSES).import_labels(tmp_path / "a.jsonl")


def test_one_illegal_label_takes_none_over(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"item": "0", "label": "ham"}\n{"item": "1", "label": "eggs"}\n')
    made = session(TEXTS, CLASSES)
    with pytest.raises(LabelValueError, match="eggs"):
        made.import_labels(path)
    assert len(made.labels) == 0


def test_an_own_answer_stands_over_an_import_said_again(tmp_path: Path) -> None:
    labeled().export(tmp_path / "a.jsonl")
    other = session(TEXTS, CLASSES)
    other.import_labels(tmp_path / "a.jsonl")
    other.record("0", "ham")
    other.import_labels(tmp_path / "a.jsonl")
    assert other.labels.loc[0, "label"] == "ham"


def test_notes_and_flags_that_are_lost_are_named(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"'doccano' cannot hold: notes \(1\); flags \(1\)"):
        labeled().export(tmp_path / "a.json", "doccano")


def test_a_machine_stays_one(tmp_path: Path) -> None:
    made = labeled()
    made.record("2", "ham", annotator="lf:short")
    made.export(tmp_path / "a.jsonl")
    other = session(TEXTS, CLASSES)
    other.import_labels(tmp_path / "a.jsonl")
    assert other.labels.loc[2, "annotator"] == "lf:short"
    assert other.status()["labeled"] == made.status()["labeled"]


def test_tables_and_datasets_are_read(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": TEXTS[:3], "label": ["spam", None, "ham"]})

    class Dataset:  # what of a Hugging Face dataset is used
        column_names = list(table.columns)

        def to_pandas(self) -> pd.DataFrame:
            return table

    for source in (table, Dataset()):
        made = session(TEXTS, CLASSES)
        assert made.import_labels(source, name="hub") == 2
        assert list(made.labels["annotator"]) == ["import:hub"] * 2
        assert list(made.labels.index) == [0, 2]


def test_spans_of_bare_tokens_find_their_text(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- -X- O O\n\nAna NNP B-NP B-PER\nLu NNP I-NP I-PER\n! . O O\n\n")
    made = session(["Ana  Lu!", "x"], nl.Spans(["PER"]), text=True)
    assert made.import_labels(path) == 1
    assert made.labels["spans"].iloc[0] == [{"start": 0, "end": 7, "label": "PER"}]


def test_places_counted_in_utf16_are_found(tmp_path: Path) -> None:
    result = {"type": "labels", "value": {"start": 3, "end": 6, "text": "Ana", "labels": ["PER"]}}
    task = {"data": {"text": "💥 Ana"}, "annotations": [{"result": [result]}]}
    path = tmp_path / "a.json"
    path.write_text(json.dumps([task]))
    made = session(["💥 Ana"], nl.Spans(["PER"]), text=True)
    made.import_labels(path, "labelstudio")
    assert made.labels["spans"].iloc[0] == [{"start": 2, "end": 5, "label": "PER"}]
    result["value"]["text"] = "Bob"  # type: ignore[index]
    path.write_text(json.dumps([task]))
    with pytest.raises(DataError, match="the text has changed since"):
        made.import_labels(path, "labelstudio")


@pytest.mark.parametrize("name", ["coco", "yolo", "voc", "labelstudio", "prodigy", "jsonl"])
def test_shapes_go_by_the_name_of_the_image(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    (folder / "in").mkdir(parents=True)
    for k, file in enumerate(("a.png", "in/b c.png")):
        Image.fromarray(np.full((40, 60, 3), k, np.uint8)).save(folder / file)
    task = nl.Boxes(["cat", "dog"])
    made = session(folder, task)
    box = {"shape": "box", "label": "dog", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}
    made.record("in/b c.png", [box])
    made.record("a.png", [])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.export(tmp_path / "out", name)
    other = session(folder, task)
    assert other.import_labels(tmp_path / "out", name) == 2
    assert dict(other.labels["shapes"]) == {"a.png": [], "in/b c.png": [box]}


@pytest.mark.parametrize("number", [10**400, -(10**400), 2**64, float("nan"), float("inf")])
def test_a_place_out_of_all_bounds_is_refused(number: Any) -> None:
    with pytest.raises(LabelValueError, match="whole number from 0"):
        nl.Spans(["PER"]).parse([[0, number, "PER"]])
