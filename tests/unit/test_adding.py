"""Items that come later: in pieces as at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from nblabel import Labeler
from nblabel.errors import DataError, LabelValueError, OptionError, UnknownColumnError
from nblabel.session import Session
from nblabel.suggest import ModelSuggester
from nblabel.testing import FakePage

CLASSES = ["ham", "spam"]
FRAME = pd.DataFrame(
    {
        "text": [f"{'win money' if k % 2 else 'see you'} number {k}" for k in range(30)],
        "y": [CLASSES[k % 2] for k in range(30)],
        "age": range(30),
    },
    index=[f"d{k}" for k in range(30)],
)
A, B = FRAME[:20], FRAME[20:]


def make(data: Any = A, **options: Any) -> Session:
    return Session(data, CLASSES, **{"store": None, "inline": True, "annotator": "ana", **options})


def teach(session: Session, items: Any) -> None:
    for item in items:
        session.record(item, FRAME["y"].loc[item])
    session.retrain(wait=True)


def test_new_items_are_asked_learned_and_in_the_tables() -> None:
    session = make(text="text")
    teach(session, A.index)
    assert session.next(5) == [] and session.status()["left"] == 0
    session.add(B)
    assert session.status()["items"] == 30 and session.status()["left"] == 10
    assert len(session.predictions) == 30 and session.predictions["label"].notna().all()
    asked = session.next(20)
    assert sorted(one.key for one in asked) == sorted(B.index)
    assert all(one.suggestion is not None for one in asked)
    teach(session, ["d20", "d21"])
    assert session.labels.index.tolist() == [*A.index, "d20", "d21"]
    frame = session.frame()
    pd.testing.assert_frame_equal(frame[FRAME.columns], FRAME)
    assert frame["label"].isna().sum() == 8
    assert len(session.history) == 22


def test_a_default_index_is_counted_on() -> None:
    session = make(["a b", "c d"])
    session.add(["e f"])
    session.add(pd.Series(["g h", "i j"]))
    assert session.pool.ids == ["0", "1", "2", "3", "4"]
    session.record(4, "ham")
    assert session.frame()["item"].tolist() == ["a b", "c d", "e f", "g h", "i j"]
    assert session.labels.index.tolist() == [4]


def test_resuming_with_all_the_data(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    session = make(text="text", store=path, explore=1.0)
    teach(session, ["d1", "d2"])
    session.add(B)
    teach(session, ["d25", "d26", "d27"])
    seen = session.labels
    history = session.history
    following = [one.id for one in session.next(5)]
    session.close()

    again = make(FRAME, text="text", store=path, explore=1.0)
    assert again.warning == ""
    pd.testing.assert_frame_equal(again.labels, seen)
    pd.testing.assert_frame_equal(again.history, history)
    assert [one.id for one in again.next(5)] == following
    assert again.undo().item == "d27"
    again.close()


def test_running_the_cells_again_in_a_new_kernel(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    first = make(text="text", store=path)
    first.add(B)
    teach(first, ["d1", "d21", "d22"])
    first.skip("d23")
    first.close()

    with pytest.warns(UserWarning, match="2 labeled item"):
        again = make(text="text", store=path)
    assert again.warning and len(again.labels) == 1
    again.add(B)
    assert again.warning == ""
    assert again.labels.index.tolist() == ["d1", "d21", "d22"]
    assert again.status()["left"] == 26 and again.skipped == ["d23"]
    again.close()


def test_the_warning_about_the_disk_stays() -> None:
    session = make(text="text")
    session.warning = "Labels are NOT saved"
    session.add(B)
    assert session.warning == "Labels are NOT saved"


def test_an_open_page_gets_the_new_items() -> None:
    labeler = Labeler(make(text="text", batch=5))
    page = FakePage(labeler).open(50)
    for item in list(page.order):
        page.label(item, FRAME["y"].loc[item])
    page.want(10)
    assert page.order == [] and page.status["left"] == 0
    labeler.add(B)
    page.want(10)
    assert sorted(page.order) == sorted(B.index)
    assert page.status["items"] == 30 and page.status["left"] == 10
    page.label(page.order[0], "ham")
    assert len(labeler.labels) == 21


def test_what_is_on_the_screen_stays() -> None:
    session = make(text="text", explore=0.5)
    page = FakePage(session).open(10)
    head = page.order[:2]
    session.add(B)
    page.want(10)
    assert page.order[:2] == head


def test_a_label_before_the_next_training_has_no_prediction_to_be_held_against() -> None:
    """A training of the smaller pool may end after the larger one is there."""
    session = make(text="text", explore=1.0)
    teach(session, ["d0", "d1", "d2"])
    old = session._predictions
    session.add(B)
    session._predictions = old  # as if it came late
    assert session.suggestion("d25") is None and session.marks("d25", "ham") == []
    assert session.suggestion("d5") is not None
    assert session.record("d25", "spam").shown.predicted is None
    assert session.record("d5", "spam").shown.predicted is not None
    table = session.predictions
    assert table["label"].isna().tolist() == [False] * 20 + [True] * 10
    assert table["probability"].isna().sum() == 10


def test_known_labels_of_the_seed_column() -> None:
    session = make(A.assign(y=[*A["y"][:3], *[None] * 17]), text="text", seed="y")
    assert len(session.labels) == 3
    session.add(B.assign(y=["spam", *[None] * 9]))
    assert session.labels.index.tolist() == ["d0", "d1", "d2", "d20"]
    assert len(session.history) == 4
    more = B.set_axis([f"e{k}" for k in range(10)]).assign(y="egg")
    with pytest.raises(LabelValueError, match="'egg'"):
        session.add(more)
    assert session.status()["items"] == 30


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, pd.DataFrame, np.ndarray.tolist])
def test_features_as_a_matrix_come_with_the_items(form: Any) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(30, 4)) + np.array([k % 2 * 3 for k in range(30)])[:, None]
    session = make(text="text", features=form(matrix[:20]))
    teach(session, ["d0", "d1", "d2", "d3"])
    with pytest.raises(OptionError, match=r"add\(data, features=matrix\)"):
        session.add(B)
    with pytest.raises(OptionError, match=r"\(10, n_features\), got the shape \(9, 4\)"):
        session.add(B, features=matrix[21:])
    with pytest.raises(OptionError, match="has 3 columns, the session's has 4"):
        session.add(B, features=matrix[20:, :3])
    assert len(session.pool) == 20
    session.add(B, features=form(matrix[20:]))
    assert (session.predictions["label"] == FRAME["y"]).mean() > 0.9


def test_an_embedding_column_comes_with_the_items() -> None:
    frame = FRAME.assign(v=[np.array([k % 2, 1.0]) for k in range(30)])
    session = make(frame[:20], text="text", features="v")
    teach(session, ["d0", "d1"])
    session.add(frame[20:])
    assert (session.predictions["label"] == FRAME["y"]).all()


def test_features_where_they_do_not_belong() -> None:
    session = make(text="text")
    with pytest.raises(OptionError, match="here they are computed"):
        session.add(B, features=np.ones((10, 2)))
    texts = A["text"].tolist()
    with pytest.raises(OptionError, match="open a session with all of them"):
        make(text="text", suggester=ModelSuggester(texts, "text")).add(B)


IMAGES = np.random.default_rng(0).integers(0, 255, (12, 5, 5), dtype=np.uint8)


@pytest.mark.parametrize(
    ("first", "more", "options"),
    [
        (IMAGES[:8], IMAGES[8:], {}),
        (list(IMAGES[:8]), IMAGES[8:], {}),
        (A["text"], B["text"], {}),
        (A["text"].tolist(), iter(B["text"].tolist()), {}),
        (A, B, {"row": ["text", "age"]}),
        (A, B, {"show": lambda item: item["text"]}),
        (pl.DataFrame({"text": ["a", "b"]}), pl.DataFrame({"text": ["c"]}), {"text": "text"}),
        ([{"text": "a b"}, {"text": "b c"}], [{"text": "c d"}], {"text": "text"}),
        ([3, 4, 5], [6, "seven"], {}),
    ],
    ids=["array", "images", "series", "list", "row", "show", "polars", "records", "numbers"],
)
def test_every_kind_of_data(first: Any, more: Any, options: dict[str, Any]) -> None:
    session = make(first, **options)
    before = [session.pool.digest(k) for k in range(len(session.pool))]
    session.add(more)
    assert session.last_error is None
    assert [session.pool.digest(k) for k in range(len(before))] == before
    assert len(session.pool) > len(before)
    view = session.view(session.pool.ids[-1])
    assert view.kind not in ("error", "missing")
    session.record(session.pool.ids[-1], "ham")
    assert len(session.labels) == 1 and len(session.frame()) == len(session.pool)


def test_duplicates_are_told_apart_as_before() -> None:
    texts = pd.Series(["a", "b", "a", "a", "b"], index=[0] * 5)
    session = make(texts[:2])
    session.add(texts[2:3])
    session.add(texts[3:])
    assert session.pool.ids == make(texts).pool.ids
    assert [item.partition(":")[2] for item in session.pool.ids] == ["", "", "2", "3", "2"]


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (FRAME[18:], DataError, "2 of the 12 new items .* already: 'd18', 'd19'"),
        (B.rename(columns={"text": "txt"}), UnknownColumnError, "no column 'text'"),
        (B.drop(columns="age"), DataError, "it has no 'age'"),
        (B.assign(z=1), DataError, "it has 'z', which the session's has not"),
        (["one", "two"], DataError, "came in a table, the new data has no columns: give a"),
        (B[:0], DataError, "empty"),
        (B.set_axis(["e"] * 10), DataError, "without gaps and duplicates"),
        (3, DataError, "got int"),
    ],
)
def test_what_does_not_fit_is_told_and_changes_nothing(data: Any, error: Any, said: str) -> None:
    session = make(text="text")
    pool, held = session.pool, session.next(3)
    with pytest.raises(error, match=said):
        session.add(data)
    assert session.pool is pool and session.next(3) == held and session.status()["left"] == 20


@pytest.mark.parametrize(
    ("first", "more", "said"),
    [
        (IMAGES[:8], IMAGES[8:, :4], r"shape \(4, 4, 5\) and type uint8, expected \(n, 5, 5\)"),
        (IMAGES[:8], IMAGES[8:].astype(float), "type float64, expected"),
        (["a b"], [IMAGES[0]], "shown as text; the new data holds ndarray"),
        (list(IMAGES), [3.5], "shown as image; the new data holds float"),
        (pd.Series([1, 2]), pd.Series([1.5]), "is int64 so far; .* it would be float64"),
        (pd.Series(["a", "b"], index=[1, 2]), pd.Series(["c"], index=[1.5]), "other ids"),
    ],
)
def test_other_kinds_of_items(first: Any, more: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        make(first).add(more)


def test_a_column_that_would_change_what_is_labeled() -> None:
    session = make(A, row=["text", "age"])
    with pytest.raises(DataError, match="Column 'age' is int64 so far"):
        session.add(B.assign(age=[0.5] * 10))
    beside = make(A, text="text")
    beside.add(B.assign(age=[0.5] * 10))  # not shown, so not content
    assert beside.frame()["age"].iat[-1] == 0.5


pieces = st.lists(
    st.lists(st.sampled_from(["a", "b", "c d", ""]), min_size=1, max_size=4), min_size=1, max_size=4
)


@settings(max_examples=40, deadline=None)
@given(pieces, st.sampled_from(["default", "names", "doubled"]), st.booleans(), st.data())
def test_adding_in_pieces_is_opening_at_once(
    parts: list[list[str]], kind: str, as_frame: bool, data: Any
) -> None:
    """The same ids, index, content, order of audits and labels, whenever an answer came."""
    texts = [text for part in parts for text in part]
    keys = {"names": [f"k{n}" for n in range(len(texts))], "doubled": [7] * len(texts)}

    def form(start: int, stop: int) -> Any:
        made = pd.Series(texts[start:stop], dtype=object, name="text")
        made = made if kind == "default" else made.set_axis(keys[kind][start:stop])
        return made.to_frame() if as_frame else made

    options: dict[str, Any] = {"model": False, "strategy": "random", "explore": 1.0}
    if as_frame:
        options["text"] = "text"
    # An index is only known to be doubled when two items have it.
    start = max(len(parts[0]), 2) if kind == "doubled" else len(parts[0])
    cuts = sorted({min(start, len(texts)), *np.cumsum([len(p) for p in parts]).tolist()})
    cuts = [cut for cut in cuts if cut >= start or cut == len(texts)]
    whole = make(form(0, len(texts)), **options)
    grown = make(form(0, cuts[0]), **options)
    for before, cut in zip([0, *cuts], cuts, strict=False):
        if before:
            grown.add(form(before, cut))
        for item in grown.pool.ids:
            if grown.said(item)[0] is None and data.draw(st.booleans()):
                label = data.draw(st.sampled_from(CLASSES))
                grown.record(item, label)
                whole.record(item, label)
    assert grown.pool.ids == whole.pool.ids
    assert grown.pool.fingerprint() == whole.pool.fingerprint()
    assert grown.pool.index.tolist() == whole.pool.index.tolist()
    columns = ["label", "annotator", "flagged"]
    pd.testing.assert_frame_equal(grown.labels[columns], whole.labels[columns])
    pd.testing.assert_frame_equal(
        grown.frame().drop(columns=["labeled_at", "strategy", "audit"]),
        whole.frame().drop(columns=["labeled_at", "strategy", "audit"]),
    )
    ranked = {"rank": 0, "doing": ""}  # how often, and when last, is another matter
    assert grown.status() | ranked == whole.status() | ranked
    assert [one.id for one in grown.next(99)] == [one.id for one in whole.next(99)]
    assert [grown.view(i).data for i in grown.pool.ids] == [
        whole.view(i).data for i in whole.pool.ids
    ]
