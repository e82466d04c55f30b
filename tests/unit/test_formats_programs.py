"""What is written is read by the programs whose formats these are, and what they write is read.

Each of them is used where it is installed; none is needed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nblabel as nl
from nblabel import formats

TEXTS = ["Ana Lopez flew to Oslo.", "😀 Nothing here", "Bo, in São Paulo"]
SPANS = [
    [(0, 9, "person"), (18, 22, "place")],
    [],
    [(0, 2, "person"), (7, 16, "place")],
]
TASK = nl.Spans(["person", "place"])
CHOICE = nl.Choice(["good", "bad"])
BOX = {"shape": "box", "label": "cat", "x": 0.25, "y": 0.5, "width": 0.5, "height": 0.25}
POLYGON = {"shape": "polygon", "label": "dog", "points": [[0, 0], [0.5, 0], [0.5, 0.5]]}


def labeled(task: Any, values: list[Any], data: Any = TEXTS) -> nl.Session:
    session = nl.Session(data, task, store=None, inline=True, model=False)
    for item, value in enumerate(values):
        session.record(item, value)
    return session


def again(session: nl.Session, source: Any, format: str | None = None) -> list[Any]:
    """Labels that are read into a session without any."""
    data = session.pool.values
    empty = nl.Session(data, session.task, store=None, inline=True, model=False)
    empty.import_labels(source, format)
    return [event["value"] for event in empty.history.to_dict("records")]


def test_spacy_reads_its_docs_and_writes_them(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    from spacy.tokens import Doc
    from spacy.training import offsets_to_biluo_tags

    session = labeled(TASK, SPANS)
    session.export(tmp_path / "docs.jsonl", "spacy")
    vocab = spacy.blank("en").vocab
    lines = (tmp_path / "docs.jsonl").read_text("utf-8").splitlines()
    docs = [Doc(vocab).from_json(json.loads(line)) for line in lines]
    assert [doc.text for doc in docs] == TEXTS
    found = [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs]
    assert found == SPANS
    # With its own tokens the spans are whole ones: no tag is unknown.
    tags = [offsets_to_biluo_tags(doc, spans) for doc, spans in zip(docs, SPANS, strict=True)]
    assert not any("-" in row for row in tags) and "L-person" in tags[0]
    with (tmp_path / "back.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(doc.to_json()) + "\n" for doc in docs)
    assert again(session, tmp_path / "back.jsonl", "spacy") == [TASK.parse(one) for one in SPANS]


def test_conll_has_the_tags_of_spacy(tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    from spacy.training import biluo_to_iob, offsets_to_biluo_tags
    from spacy.training.converters import conll_ner_to_docs

    labeled(TASK, SPANS).export(tmp_path / "spans.conll")
    text = (tmp_path / "spans.conll").read_text("utf-8")
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    words = [row[0] for row in rows]
    doc = spacy.tokens.Doc(spacy.blank("en").vocab, words=words[:6])
    assert doc.text.startswith("Ana Lopez flew to Oslo")
    assert biluo_to_iob(offsets_to_biluo_tags(doc, SPANS[0])) == [row[-1] for row in rows[:6]]
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found = [ent.text for one in conll_ner_to_docs(bare, no_print=True) for ent in one.ents]
    assert found == ["Ana Lopez", "Oslo", "Bo", "São Paulo"]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_hugging_face_datasets_read_what_is_written(tmp_path: Path, suffix: str) -> None:
    datasets = pytest.importorskip("datasets")
    session = labeled(CHOICE, ["good", "bad", "good"])
    session.export(tmp_path / f"labels.{suffix}")
    loader = {"jsonl": "json"}.get(suffix, suffix)
    files = str(tmp_path / f"labels.{suffix}")
    loaded = datasets.load_dataset(
        loader, data_files=files, split="train", cache_dir=str(tmp_path / "cache")
    )
    column = "value" if "value" in loaded.column_names else "label"
    assert loaded[column][:] == ["good", "bad", "good"]
    if suffix != "jsonl":
        assert again(session, loaded) == ["good", "bad", "good"]


def test_a_hugging_face_dataset_of_spans_is_read() -> None:
    datasets = pytest.importorskip("datasets")
    rows = [
        {"text": text, "label": [{"start": a, "end": b, "label": name} for a, b, name in spans]}
        for text, spans in zip(TEXTS, SPANS, strict=True)
    ]
    session = labeled(TASK, [])
    found = again(session, datasets.Dataset.from_list(rows))
    assert found == [TASK.parse(one) for one in SPANS]


def test_pycocotools_reads_boxes_and_polygons(tmp_path: Path) -> None:
    pytest.importorskip("pycocotools")
    from pycocotools import mask
    from pycocotools.coco import COCO

    images = np.zeros((2, 40, 80), dtype=np.uint8)
    task = nl.Boxes(["cat", "dog"], shapes=["box", "polygon"])
    session = labeled(task, [[BOX], [POLYGON]], images)
    session.export(tmp_path / "coco.json", "coco")
    coco = COCO(str(tmp_path / "coco.json"))
    box, polygon = coco.loadAnns(coco.getAnnIds())
    assert coco.loadCats(box["category_id"])[0]["name"] == "cat"
    assert box["bbox"] == [20, 20, 40, 10]
    assert coco.annToMask(polygon).shape == (40, 80)
    assert coco.annToMask(polygon).sum() == pytest.approx(polygon["area"], rel=0.1)
    assert again(session, tmp_path / "coco.json", "coco") == [[BOX], [task.parse([POLYGON])[0]]]
    # A mask that it wrote counts as its box.
    drawn = np.zeros((40, 80), dtype=np.uint8, order="F")
    drawn[20:30, 20:60] = 1
    encoded = mask.encode(drawn)
    given = json.loads((tmp_path / "coco.json").read_text())
    given["annotations"] = [
        {
            "id": 1, "image_id": box["image_id"], "category_id": box["category_id"], "iscrowd": 1,
            "segmentation": {"size": [40, 80], "counts": encoded["counts"].decode()},
            "bbox": [float(x) for x in mask.toBbox(encoded)], "area": int(mask.area(encoded)),
        }
    ]  # fmt: skip
    (tmp_path / "mask.json").write_text(json.dumps(given))
    found = again(session, tmp_path / "mask.json", "coco")
    assert found[0] == [BOX]


#: As doccano's documentation of its formats and its exports have them.
DOCCANO = {
    "spans": (
        TASK,
        [
            {"text": TEXTS[0], "label": [[0, 9, "person"], [18, 22, "place"]]},
            {"id": 2, "text": TEXTS[1], "label": [], "Comments": []},
        ],
        SPANS[:2],
    ),
    "entities": (
        TASK,
        [
            {
                "id": 1,
                "text": TEXTS[0],
                "entities": [
                    {"id": 4, "label": "person", "start_offset": 0, "end_offset": 9},
                    {"id": 5, "label": "place", "start_offset": 18, "end_offset": 22},
                ],
                "relations": [],
                "Comments": [],
            }
        ],
        SPANS[:1],
    ),
    "classes": (
        CHOICE,
        [{"id": 1, "text": TEXTS[0], "label": ["good"]}, {"text": TEXTS[1], "label": "bad"}],
        ["good", "bad"],
    ),
    "texts": (nl.FreeText(), [{"id": 1, "text": TEXTS[0], "label": ["a flight"]}], ["a flight"]),
}


@pytest.mark.parametrize("kind", DOCCANO)
def test_what_doccano_writes_is_read(tmp_path: Path, kind: str) -> None:
    task, rows, values = DOCCANO[kind]
    path = tmp_path / "all.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert again(labeled(task, []), path, "doccano") == [task.parse(value) for value in values]


def test_label_studio_converts_what_is_written(tmp_path: Path) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter")
    labeled(TASK, SPANS).export(tmp_path / "tasks.json", "labelstudio")
    config = (
        '<View><Labels name="label" toName="object"><Label value="person"/>'
        '<Label value="place"/></Labels><Text name="object" value="$text"/></View>'
    )
    made = converter.Converter(config, str(tmp_path))
    made.convert_to_conll2003(str(tmp_path / "tasks.json"), str(tmp_path / "out"), is_dir=False)
    written = (tmp_path / "out" / "result.conll").read_text("utf-8")
    tags = [line.split()[-1] for line in written.splitlines()[1:] if line.strip()]
    assert tags.count("B-person") == 2 and tags.count("B-place") == 2
    assert tags.count("I-person") == 1 and tags.count("I-place") == 1


def test_label_studio_converts_boxes(tmp_path: Path) -> None:
    converter = pytest.importorskip("label_studio_sdk.converter")
    images = np.zeros((1, 40, 80), dtype=np.uint8)
    task = nl.Boxes(["cat", "dog"], shapes=["box", "polygon"])
    labeled(task, [[BOX]], images).export(tmp_path / "tasks.json", "labelstudio")
    config = (
        '<View><RectangleLabels name="label" toName="object"><Label value="cat"/>'
        '<Label value="dog"/></RectangleLabels><Image name="object" value="$image"/></View>'
    )
    made = converter.Converter(config, str(tmp_path), download_resources=False)
    made.convert_to_coco(
        str(tmp_path / "tasks.json"), str(tmp_path / "out"), is_dir=False,
        output_image_dir=str(tmp_path / "images"),
    )  # fmt: skip
    found = json.loads((tmp_path / "out" / "result.json").read_text())
    assert found["annotations"][0]["bbox"] == pytest.approx([20, 20, 40, 10])


def test_polars_reads_tables_and_is_read(tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    session = labeled(CHOICE, ["good", "bad", "good"])
    session.export(tmp_path / "labels.parquet")
    session.export(tmp_path / "labels.csv")
    for table in (
        polars.read_parquet(tmp_path / "labels.parquet"),
        polars.read_csv(tmp_path / "labels.csv"),
    ):
        assert table["label"].to_list() == ["good", "bad", "good"]
        assert again(session, table) == ["good", "bad", "good"]
    spans = labeled(TASK, SPANS)
    spans.export(tmp_path / "spans.parquet")
    found = again(spans, polars.read_parquet(tmp_path / "spans.parquet"))
    assert found == [TASK.parse(one) for one in SPANS]
    assert len(formats.read(tmp_path / "spans.parquet", TASK)) == 3
