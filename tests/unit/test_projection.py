"""The map: where items lie on it, what colours them, and how a page reads both."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import nblabel as nl
from nblabel import projection as pr
from nblabel._progress import listening
from nblabel.errors import OptionError
from nblabel.session import Session
from nblabel.suggest import Embedding
from nblabel.tables import Predictions
from nblabel.testing import FakePage


class Rows:
    """A suggester that has features and nothing else."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def embedding(self) -> Any:
        return self.rows


def clouds(n: int = 600, width: int = 20, seed: int = 0) -> np.ndarray:
    """Three clouds, far from each other in some directions."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(3, width)) * 4
    return (middles[np.arange(n) % 3] + rng.normal(size=(n, width))).astype(np.float32)


def make(n: int = 60, **options: Any) -> nl.Session:
    options = {"store": None, "inline": True, "model": None, "explore": 0, "blind": 0, **options}
    data = [f"item {k}" for k in range(n)]
    return nl.Session(data, ["one", "two", "three"], features=clouds(n), **options)


# ---------------------------------------------------------------- coordinates


def test_principal_components_are_those_of_the_whole_pool() -> None:
    rows = clouds()
    made = pr.components(Rows(rows), len(rows), 2, 0)  # type: ignore[arg-type]
    assert made.shape == (600, 2) and made.dtype == np.float32
    centred = rows - rows.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    for k in range(2):
        against = centred @ directions[k]
        assert abs(np.corrcoef(made[:, k], against)[0, 1]) > 0.9999


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_a_large_pool_is_fitted_on_a_sample_and_computed_in_chunks(
    form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pr, "SAMPLE", 200)
    monkeypatch.setattr(pr, "CHUNK", 128)
    rows = Embedding(form(np.maximum(clouds(), 0)))
    said: list[float] = []
    with listening(said.append):
        made = pr.pca(Rows(rows), 600, 0)  # type: ignore[arg-type]
    assert len(said) >= 5 and said == sorted(said)
    assert (made == pr.pca(Rows(rows), 600, 0)).all()  # type: ignore[arg-type]
    # What is alike lies together: the clouds are told apart.
    middles = np.array([made[k::3].mean(axis=0) for k in range(3)])
    nearest = np.linalg.norm(made[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == np.arange(600) % 3).mean() > 0.95


@pytest.mark.parametrize(
    "rows", [np.zeros((5, 3)), np.ones((1, 4)), np.arange(6.0)[:, None], np.zeros((0, 3))]
)
def test_there_is_a_map_also_of_what_has_no_two_directions(rows: np.ndarray) -> None:
    made = pr.pca(Rows(rows.astype(np.float32)), len(rows), 0)  # type: ignore[arg-type]
    assert made.shape == (len(rows), 2) and np.isfinite(made).all() and (abs(made) <= 1).all()


def test_a_map_is_a_square_around_the_middle() -> None:
    made = pr.framed(np.array([[0, 0], [10, 2], [5, 4]]))
    assert np.allclose(made, [[-1, -0.4], [1, 0], [0, 0.4]])
    assert np.isfinite(pr.framed(np.array([[np.nan, 1], [2, np.inf]]))).all()


@pytest.mark.parametrize("rows", [None, np.zeros((4, 2))])
def test_without_features_of_all_items_there_is_no_map(rows: Any) -> None:
    with pytest.raises(OptionError, match="give features="):
        pr.components(Rows(rows), 5, 2, 0)  # type: ignore[arg-type]


def test_umap_keeps_neighbours_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("umap")
    monkeypatch.setattr(pr, "FITTED", 150)
    rows, said = clouds(240), []
    with listening(said.append):
        made = pr.umap(rows, 0)
    assert len(said) > 2 and made.shape == (240, 2) and made.dtype == np.float32
    assert (made == pr.umap(rows, 0)).all()
    middles = np.array([made[k::3].mean(axis=0) for k in range(3)])
    nearest = np.linalg.norm(made[:, None] - middles, axis=2).argmin(axis=1)
    assert (nearest == np.arange(240) % 3).mean() > 0.95
    with pytest.raises(OptionError, match="10 items"):
        pr.umap(rows[:9], 0)


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pr, "has_umap", lambda: False)
    with pytest.raises(OptionError, match="pip install umap-learn"):
        make().projection("umap")
    with pytest.raises(OptionError, match="'pca', 'umap'"):
        make().projection("tsne")


# ---------------------------------------------------------------- of a session


@pytest.mark.parametrize("way", ["inline", "process"])
def test_a_session_knows_where_its_items_lie(way: str) -> None:
    session = make(worker=way, inline=way == "inline")
    try:
        session.record("3", "two")
        table = session.projection()
        assert list(table.columns) == ["x", "y", *pr.LAYERS]
        assert table.index.equals(session.pool.index) and table["x"].dtype == np.float32
        assert table["label"].notna().sum() == 1
        assert table.loc[3, ["label", "annotator"]].tolist() == ["two", session.annotator]
        again = make().projection()
        assert (table[["x", "y"]].to_numpy() == again[["x", "y"]].to_numpy()).all()
    finally:
        session.close()


def test_the_colours_are_what_the_session_says() -> None:
    session = make()
    for k in range(12):
        session.record(str(k), ["one", "two", "three"][k % 3], annotator="ana" if k % 2 else "bo")
    session.retrain(wait=True)
    table, said = session.projection(), session.predictions
    assert (table["prediction"] == said["label"]).all()
    assert np.allclose(table["confidence"], said["probability"], atol=1e-4)
    assert table["label"].dropna().tolist() == session.labels["label"].tolist()
    assert table["annotator"].dropna().tolist() == ["bo", "ana"] * 6
    session.undo("ana")
    assert session.projection()["label"].notna().sum() == 11


def test_a_layer_is_made_anew_only_if_it_has_changed() -> None:
    session = make()
    version, layer = session.layer("label")
    assert session.layer("label")[1] is layer
    session.record("0", "one")
    assert session.layer("label")[0] != version and session.layer("label")[1].codes[0] == 1


def test_other_names_and_other_tasks_have_colours_too() -> None:
    layer = pr.layer_of_names(4, ["a"], [(0, "b"), (2, "a"), (9, "a"), (3, "b")])
    assert layer.names == ("a", "b") and layer.codes.tolist() == [2, 0, 1, 2]
    model = Predictions(1, 2, ("b", "c"), np.array([[0.2, 0.8], [0.5, 0.5]], dtype=np.float32))
    classes = pr.layer_of_classes(3, ["a", "b"], model)
    assert classes.names == ("a", "b", "c") and classes.codes.tolist() == [3, 2, 0]
    sure = pr.layer_of_confidence(3, model).values()
    assert sure[:2] == pytest.approx([0.8, 0.5], abs=1e-4) and sure[2] is None
    session = nl.Session(["a b", "c d"], nl.MultiLabel(["x", "y"]), store=None, inline=True)
    session.record("0", ["y", "x"])
    session.record("1", [])
    assert session.projection()["label"].tolist()[0] in ("x", "y")
    assert session.projection()["label"].isna().tolist() == [False, True]


def test_items_that_are_added_get_their_place_when_it_is_asked_for() -> None:
    session = nl.Session(
        [f"some words {k}" for k in range(30)], ["a", "b"], store=None, inline=True
    )
    session.begin_chart("pca")
    before = session.coordinates("pca")
    assert before is not None and len(before) == 30
    session.add([f"more words {k}" for k in range(5)])
    assert session.coordinates("pca") is before and session.chart("pca").points == 30
    session.begin_chart("pca")
    assert session.chart("pca").points == 35 and session.chart("pca").version == 2


@contextmanager
def held_up() -> Iterator[tuple[Session, threading.Event]]:
    """A session whose trainer is busy until the event is set."""
    session = make(worker="thread", inline=False)
    session.wait()
    held, go = threading.Event(), threading.Event()

    def block() -> None:
        held.set()
        go.wait(10)

    try:
        session._trainer.pose(block, lambda _: None, lambda _: None)
        assert held.wait(10)
        yield session, go
    finally:
        go.set()
        session.close()


def test_what_is_computed_beside_can_be_given_up() -> None:
    with held_up() as (session, go):
        session.begin_chart("pca")
        assert session.chart("pca").state == "computing"
        session.cancel_chart("pca")
        assert session.chart("pca").state == "none"
        session.begin_chart("pca")  # the one that was given up does not come in its place
        go.set()
        assert session._trainer.wait(10)
        assert session.chart("pca").state == "ready" and session.chart("pca").version == 1


def test_what_goes_with_a_training_that_is_cancelled_can_be_begun_again() -> None:
    with held_up() as (session, go):
        session.begin_chart("pca")
        assert session.cancel()
        go.set()
        assert session.chart("pca").state == "none"
        session.begin_chart("pca")
        assert session._trainer.wait(10)
        assert session.chart("pca").state == "ready"


# ---------------------------------------------------------------- at the desk


def chart(page: FakePage, method: str = "pca", **more: Any) -> dict[str, Any]:
    page.send("chart", method=method, **more)
    assert page.received[-1]["type"] == "charted"
    return page.received[-1]


def read(page: FakePage, name: str, length: int = 1_000_000) -> bytes:
    from nblabel.widget import protocol

    made = b""
    while True:
        request = {"v": 1, "type": "read", "client": page.client, "id": "r", "item": None,
                   "name": name, "start": len(made), "length": length}  # fmt: skip
        [(answer, buffers)] = page.desk.handle(request)
        assert answer["error"] is None, answer["error"]
        assert len(buffers[0]) <= protocol.MOST_PIECE
        made += buffers[0]
        if len(made) >= answer["total"]:
            return made


def test_a_page_reads_the_map_as_bytes_in_pieces() -> None:
    session = make()
    page = FakePage(session).open()
    assert chart(page)["state"] == "none"
    answer = chart(page, begin=True, places=[3, 0, 99, -1])
    assert (answer["state"], answer["points"], answer["ids"]) == ("ready", 60, ["3", "0"])
    points = np.frombuffer(read(page, answer["part"], 100), dtype="<f4").reshape(-1, 2)
    assert (points == session.coordinates("pca")).all()
    layers = {layer["name"]: layer for layer in answer["layers"]}
    assert layers["label"]["names"] == ["one", "two", "three"]
    assert set(read(page, layers["label"]["part"])) == {0}
    page.label("7", "three")
    later = {layer["name"]: layer for layer in chart(page)["layers"]}
    assert later["label"]["part"] != layers["label"]["part"]
    codes = np.frombuffer(read(page, later["label"]["part"]), dtype="<u2")
    assert np.flatnonzero(codes).tolist() == [7] and codes[7] == 3
    # What a page has begun to read stays what it was.
    assert set(read(page, layers["label"]["part"])) == {0}


@pytest.mark.parametrize(
    "name", ["", "xy", "xy/pca/7", "xy/tsne/1", "label", "label/1", "../x", "size/1", "/etc/passwd"]
)
def test_there_is_nothing_else_to_read(name: str) -> None:
    page = FakePage(make()).open()
    chart(page, begin=True)
    page.send("read", item=None, name=name, start=0, length=10)
    assert "of the map" in page.received[-1]["error"]


def test_a_page_hears_why_there_is_no_map(monkeypatch: pytest.MonkeyPatch) -> None:
    session = nl.Session(["a", "b"], ["x", "y"], store=None, inline=True, model=False)
    answer = chart(FakePage(session).open(), begin=True)
    assert answer["state"] == "failed" and "give features=" in answer["text"]
    monkeypatch.setattr("nblabel.widget.map.has_umap", lambda: False)
    answer = chart(FakePage(make()).open(), "umap", begin=True)
    assert answer["state"] == "failed" and "pip install umap-learn" in answer["text"]


def test_umap_is_computed_beside_and_then_there(tmp_path: Path) -> None:
    pytest.importorskip("umap")
    session = make(worker="thread", inline=False)
    try:
        page = FakePage(session).open()
        chart(page, "umap", begin=True)
        session._trainer.wait(60)
        while chart(page, "umap")["state"] == "computing":
            session._second_trainer().wait(60)
        assert chart(page, "umap")["points"] == 60
        assert chart(page, "pca")["state"] == "none"
    finally:
        session.close()
