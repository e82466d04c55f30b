"""The session: everything but the screen."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import nblabel as nl
from nblabel._asking import HOLD_SECONDS
from nblabel.errors import (
    DataError,
    EventError,
    LabelValueError,
    NotFittedError,
    OptionError,
    StoreError,
    StoreMismatchError,
    TaskError,
    UnknownColumnError,
    UnknownItemError,
)
from nblabel.events import LabelEvent, Shown, now
from nblabel.renderers import View
from nblabel.session import Session
from nblabel.store import SqliteLog
from nblabel.suggest import Scores

TRUTH = ["spam" if k % 2 else "ham" for k in range(40)]
TEXTS = [
    f"win money prize number {k}" if label == "spam" else f"see you at lunch on day {k}"
    for k, label in enumerate(TRUTH)
]
CLASSES = ["ham", "spam"]


def make(data: Any = None, task: Any = None, **options: Any) -> Session:
    options = {"store": None, "annotator": "ana", "inline": True, "blind": 0, **options}
    return Session(TEXTS if data is None else data, CLASSES if task is None else task, **options)


def teach(session: Session, n: int = 6) -> Session:
    """Label the first n items in turn, then train."""
    for k in range(n):
        session.record(session.pool.ids[k], TRUTH[k])
    session.retrain(wait=True)
    return session


# ---------------------------------------------------------------- labeling


def test_a_label_is_asked_recorded_and_known() -> None:
    session = make()
    asked = session.next()
    assert len(asked) == 1 and asked[0].content in TEXTS
    assert session.next() == asked  # the same one until it is answered
    event = session.record(asked[0], "spam", seconds=1.5)
    assert (event.kind, event.item, event.value) == ("label", asked[0].id, "spam")
    assert (event.annotator, event.seconds, event.shown.view) == ("ana", 1.5, "api")
    assert event.content == session.pool.digest(session.pool.position(event.item))
    assert session.said(asked[0].id) == ("spam", "", False)
    assert session.next() != asked
    assert repr(session) == (
        "Session(40 items, Choice(['ham', 'spam']), 1 labeled, kept in memory)"
    )


def test_many_are_asked_at_once_and_none_twice() -> None:
    session = make(explore=0.3)
    asked = session.next(40)
    assert sorted(one.key for one in asked) == list(range(40))
    assert session.next(0) == []
    for one in asked:
        session.record(one, "ham")
    assert session.next(3) == []
    assert session.status()["left"] == 0


def test_items_are_named_by_id_by_index_or_as_asked() -> None:
    session = make(pd.Series(["aa", "bb"], index=[7, 9]))
    assert session.record(7, "ham").item == "7"
    assert session.record("9", "ham").item == "9"
    with pytest.raises(UnknownItemError, match="The pool has no item 8"):
        session.record(8, "ham")
    with pytest.raises(UnknownItemError):
        session.asked("8")


def test_an_illegal_label_is_no_label() -> None:
    session = make()
    with pytest.raises(LabelValueError, match=r"'spma' is not one of the labels\. Did you mean"):
        session.record("0", "spma")
    assert len(session.labels) == len(session.history) == 0


def test_skip_puts_away_and_reopen_brings_back() -> None:
    session = make(TEXTS[:3])
    first = session.next()[0]
    session.skip(first)
    assert session.skipped == [first.id]
    assert first.id not in [one.id for one in session.next(3)]
    assert (session.status()["skipped"], session.status()["left"]) == (1, 2)
    assert len(session.labels) == 0
    other = next(id for id in ("0", "1", "2") if id != first.id)
    session.record(other, "ham")
    session.reopen(["0", "1", "2"])  # only what was skipped comes back
    assert first.id in [one.id for one in session.next(3)]
    assert other not in [one.id for one in session.next(3)]
    assert session.skipped == [first.id]


def test_flags_and_notes_stand_beside_a_label() -> None:
    session = make()
    session.flag("0")
    session.annotate("0", "really? 🤔")
    assert session.said("0") == (None, "really? 🤔", True)
    assert session.status()["left"] == 40  # not an answer
    session.record("0", "ham")
    row = session.labels.loc[0]
    assert (row["note"], row["flagged"]) == ("really? 🤔", True)
    session.flag("0", False)
    session.annotate("0", "")
    assert session.said("0") == ("ham", "", False)


def test_a_note_with_half_a_surrogate_is_kept_readable() -> None:
    session = make()
    session.annotate("0", "a\ud83d")
    assert session.said("0")[1] == "a?"


def test_undo_goes_back_to_the_beginning() -> None:
    session = make()
    said = [
        session.record("0", "ham"),
        session.record("0", "spam"),
        session.skip("1"),
        session.flag("2"),
        session.annotate("2", "odd"),
    ]
    states = [("ham", "", False), (None, "", False)]
    assert session.undo() == said[4] and session.said("2") == (None, "", True)
    assert session.undo() == said[3] and session.said("2") == (None, "", False)
    assert session.undo() == said[2] and session.skipped == []
    assert session.undo() == said[1] and session.said("0") == states[0]
    assert session.undo() == said[0] and session.said("0") == states[1]
    assert session.undo() is None
    assert len(session.history) == 10  # nothing was erased
    assert session.status()["left"] == 40
    assert session.history["retracted"].tolist() == [True] * 5 + [False] * 5


def test_undo_takes_back_only_ones_own() -> None:
    session = make()
    session.record("0", "ham", annotator="bob")
    mine = session.record("1", "ham")
    assert session.undo() == mine
    assert session.undo() is None
    assert session.said("0")[0] == "ham"
    taken = session.undo("bob")
    assert taken is not None and taken.item == "0"


def test_a_new_label_replaces_the_old_one() -> None:
    session = make()
    session.record("3", "ham")
    session.record("3", "spam")
    assert session.labels["label"].tolist() == ["spam"]
    assert session.status()["counts"] == {"spam": 1}
    assert session.history["value"].tolist() == ["ham", "spam"]


def test_the_trail_pages_backwards() -> None:
    session = make()
    for k in range(5):
        session.record(str(k), TRUTH[k])
    session.record("0", "spam")
    session.record("1", "ham", annotator="bob")
    rows, more = session.trail(4)
    assert [(event.item, before) for event, before in rows] == [
        ("2", None), ("3", None), ("4", None), ("0", "ham"),
    ]  # fmt: skip
    older, none = session.trail(4, more)
    assert [event.item for event, _ in older] == ["0", "1"] and none is None


def test_events_of_others_are_checked() -> None:
    session = make()
    shown = Shown()

    def event(**changes: Any) -> LabelEvent:
        parts = {"id": "e1", "kind": "label", "item": "0", "annotator": "ana", "value": "ham"}
        return LabelEvent(**{**parts, "at": now(), "shown": shown, **changes})

    for wrong, error, said in [
        (event(item="nope"), UnknownItemError, "no item 'nope'"),
        (event(value="egg"), LabelValueError, "'egg' is not one of the labels"),
        (event(kind="flag", value="yes"), EventError, "true or false, got 'yes'"),
        (event(kind="note", value=None), EventError, "value of a note is text, got None"),
        (event(kind="skip", value="x"), EventError, "A skip has no value, got 'x'"),
        (event(kind="retract", value="e0"), EventError, "no event 'e0' to take back"),
        (event(id="e0", kind="retract", value="e0"), EventError, "no event 'e0' to take back"),
        (event(seconds=-1.0), EventError, "Seconds are a number from 0, got -1.0"),
    ]:
        with pytest.raises(error, match=said):
            session.append([event(id="fine", item="5"), wrong])
        assert len(session.history) == 0  # none is written
    session.append([event()])
    session.append([event()])  # the same once more
    assert len(session.history) == 1
    assert session.knows("e1") and not session.knows("e2")
    with pytest.raises(EventError, match="is about '0', not '1'"):
        session.append([event(id="e2", kind="retract", item="1", value="e1")])


def test_a_batch_may_take_back_what_it_says() -> None:
    session = make()
    label = LabelEvent("e1", "label", "0", "ana", "ham", now())
    session.append([label, LabelEvent("e2", "retract", "0", "ana", "e1", now())])
    assert session.said("0")[0] is None
    other = [
        LabelEvent("e3", "label", "0", "ana", "ham", now()),
        LabelEvent("e4", "retract", "1", "ana", "e3", now()),
    ]
    with pytest.raises(EventError, match="no event 'e3'"):
        session.append(other)


@pytest.mark.parametrize("at", ["yesterday", "", "0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"])
def test_a_clock_that_is_off_is_corrected(at: str) -> None:
    session = make()
    session.append([LabelEvent("e1", "label", "0", "ana", "ham", at)])
    session.record("1", "ham")
    times = session.labels["labeled_at"]
    assert times.notna().all()
    assert (times.max() - times.min()).total_seconds() < 60


def test_a_time_that_is_right_is_kept() -> None:
    session = make()
    session.append([LabelEvent("e1", "label", "0", "ana", "ham", "2024-02-29T01:02:03.456Z")])
    assert session.labels["labeled_at"].iat[0] == pd.Timestamp("2024-02-29T01:02:03.456", tz="UTC")


# ---------------------------------------------------------------- tables

COLUMNS = [
    "label", "annotator", "labeled_at", "seconds", "suggestion", "probability", "note", "flagged",
    "strategy", "audit", "visible", "model_version",
]  # fmt: skip


def check_dtypes(labels: pd.DataFrame) -> None:
    assert labels.columns.tolist() == COLUMNS
    assert isinstance(labels["labeled_at"].dtype, pd.DatetimeTZDtype)
    assert str(labels["labeled_at"].dt.tz) == "UTC"
    assert labels["seconds"].dtype == labels["probability"].dtype == np.float64
    assert labels["flagged"].dtype == labels["audit"].dtype == labels["visible"].dtype == bool
    assert labels["model_version"].dtype == np.int64


def test_the_labels_have_their_types_even_when_there_are_none() -> None:
    session = make()
    assert session.labels.empty
    check_dtypes(session.labels)
    session.record("5", "ham")
    session.record("2", "spam", seconds=2)
    check_dtypes(session.labels)
    assert session.labels.index.tolist() == [2, 5]  # ordered like the source
    assert session.labels["seconds"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["a", "b", "c"], name="document"),
        pd.Index([3, 1, 2]),
        pd.Index([1.5, 2.5, 3.5]),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", "y"]),
        pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin", name="day"),
        pd.Index(["a", "a", "b"], name="twice"),
        pd.Index([None, "b", "c"]),
    ],
    ids=["named", "ints", "floats", "multi", "dates", "duplicates", "missing"],
)
def test_every_result_has_the_index_of_the_source(index: pd.Index) -> None:
    frame = pd.DataFrame({"text": ["one apple", "two pears", "three plums"]}, index=index)
    session = make(frame, text="text")
    session.record(session.pool.ids[2], "spam")
    session.record(session.pool.ids[0], "ham")
    expected = index[[0, 2]]
    assert session.labels.index.equals(expected)
    assert session.labels.index.names == expected.names
    assert session.labels["label"].tolist() == ["ham", "spam"]
    session.retrain()
    for result in (session.predictions, session.frame(), session.predict(frame)):
        assert result.index.equals(index) and result.index.names == index.names
    assert session.frame()["label"].tolist()[::2] == ["ham", "spam"]
    assert pd.isna(session.frame()["label"].iat[1])
    assert session.asked(session.pool.ids[1]).key == index[1] or pd.isna(index[1])


def test_labels_of_a_list_are_joined_to_its_items() -> None:
    session = make(["aa", "bb", "cc"])
    session.record("1", "spam")
    frame = session.frame()
    assert frame.columns.tolist()[:2] == ["item", "label"]
    assert frame["item"].tolist() == ["aa", "bb", "cc"]
    assert frame["label"].fillna("").tolist() == ["", "spam", ""]
    images = make(np.zeros((3, 8, 8), np.uint8))
    images.record("1", "spam")
    assert images.frame().columns.tolist() == COLUMNS


def test_no_column_of_the_user_is_overwritten() -> None:
    source = pd.DataFrame(
        {"text": TEXTS[:3], "label": [1, 2, 3], "label_nblabel": list("xyz"), "note": "mine"},
        index=[5, 5, 6],
    )
    before = source.copy()
    session = make(source, text="text")
    session.record(session.pool.ids[1], "spam")
    session.annotate(session.pool.ids[1], "theirs")
    frame = session.frame()
    pd.testing.assert_frame_equal(frame[source.columns.tolist()], before)
    pd.testing.assert_frame_equal(source, before)
    assert frame["label_nblabel_nblabel"].fillna("").tolist() == ["", "spam", ""]
    assert frame["note_nblabel"].fillna("").tolist() == ["", "theirs", ""]
    assert frame.columns.is_unique and frame.index.tolist() == [5, 5, 6]
    frame["text"] = "spoiled"
    assert session.frame()["text"].tolist() == TEXTS[:3]


def test_what_was_exported_can_be_labeled_again() -> None:
    first = make(pd.DataFrame({"text": TEXTS[:3]}))
    first.record("0", "ham")
    again = make(first.frame(), text="text")
    again.record("0", "spam")
    once_more = make(again.frame(), text="text")
    once_more.record("0", "ham")
    row = once_more.frame().iloc[0]
    assert (row["label"], row["label_nblabel"], row["label_nblabel_nblabel"]) == (
        "ham", "spam", "ham",
    )  # fmt: skip


def test_the_history_tells_everything() -> None:
    session = make()
    assert session.history.empty and session.history.index.name == "number"
    session.flag("4", False)
    assert session.history["shown_probability"].dtype == "float64", "also where nothing was drawn"
    session = make()
    session.record("4", "ham", seconds=2.5)
    session.skip("5")
    session.undo()
    history = session.history
    assert history.index.tolist() == [1, 2, 3]
    assert history["kind"].tolist() == ["label", "skip", "retract"]
    assert history["item"].tolist() == ["4", "5", "5"]
    assert history["retracted"].tolist() == [False, True, False]
    assert str(history["at"].dt.tz) == "UTC" and history["at"].is_monotonic_increasing
    assert history["shown_strategy"].iat[0] == "given" and history["shown_view"].iat[0] == "api"


def test_results_are_snapshots() -> None:
    session = make()
    session.record("0", "ham")
    labels = session.labels
    labels.loc[0, "label"] = "spoiled"
    session.record("1", "spam")
    assert len(labels) == 1 and session.labels["label"].tolist() == ["ham", "spam"]


# ---------------------------------------------------------------- kept labels


def test_labels_are_kept_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    frame = pd.DataFrame({"text": TEXTS}, index=[f"d{k}" for k in range(40)])
    first = make(frame, store=path)
    for k in range(8):
        first.record(f"d{k}", TRUTH[k], seconds=k / 4)
    first.record("d0", "spam")
    first.undo()
    first.undo()  # the label of d7
    first.skip("d9")
    first.flag("d1")
    first.annotate("d2", "a note 🤔")
    labels, history, status = first.labels, first.history, first.status()
    assert first.store_path == str(path) and "mine.sqlite" in repr(first)
    first.close()

    second = make(frame, store=path)
    pd.testing.assert_frame_equal(second.labels, labels)
    pd.testing.assert_frame_equal(second.history, history)
    same = ("labeled", "skipped", "left", "counts", "store", "pace", "audits")
    assert {k: second.status()[k] for k in same} == {k: status[k] for k in same}
    assert second.store_id == first_id(path)
    assert second.said("d7") == (None, "", False) and second.said("d2")[1] == "a note 🤔"
    assert second.status()["version"] == 1  # learned at once from what is there
    for _ in range(10):  # seven labels, skip, flag, note
        assert second.undo() is not None
    assert second.undo() is None and second.labels.empty


def first_id(path: Path) -> str:
    return str(SqliteLog(path).about()["id"])


def test_the_default_file_lies_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    session = Session(TEXTS, CLASSES, inline=True)
    assert session.store_path == str(tmp_path / "labels.sqlite")
    named = Session(TEXTS, CLASSES, inline=True, name="mood of tweets")
    assert named.store_path == str(tmp_path / "mood of tweets.sqlite")
    assert session.store_id != named.store_id
    for name in ("", "  ", "a/b", "..\\x", 3):
        with pytest.raises(OptionError, match="name= names a file"):
            Session(TEXTS, CLASSES, name=name)  # type: ignore[arg-type]


def test_memory_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = make(store=None)
    session.record("0", "ham")
    assert session.store_path is None and session.warning == ""
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A link to itself cannot be opened, even by the superuser, whom no folder refuses.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.sqlite").symlink_to("labels.sqlite")
    with pytest.warns(UserWarning, match="kept in memory only and end with the kernel"):
        session = Session(TEXTS, CLASSES, inline=True)
    assert session.warning == f"Labels are NOT saved: {tmp_path} cannot be written."
    assert session.status()["warning"] == session.warning and session.store_path is None
    session.record("0", "ham")
    assert len(session.labels) == 1


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (".", "store= names a folder"),
        ("nowhere/labels.sqlite", "does not exist: make it first"),
        ("text.sqlite", "another kind of file"),
    ],
)
def test_a_store_that_cannot_be_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.sqlite").write_text("This is no database at all. " * 40)
    with pytest.raises(StoreError, match=said):
        make(store=store)


def test_a_store_may_be_an_object() -> None:
    class Log:
        path = None

        def __init__(self) -> None:
            self.events: list[LabelEvent] = []

        def append(self, events: Any) -> list[int]:
            self.events.extend(events)
            return list(range(len(self.events)))

        def read(self, after: int = 0) -> Any:
            return [(k, e) for k, e in enumerate(self.events, start=1) if k > after]

        def close(self) -> None:
            self.events.append(None)  # type: ignore[arg-type]

    log = Log()
    session = make(store=log)
    session.record("0", "ham")
    assert [event.value for event in log.events] == ["ham"]
    assert len(session.store_id) == 16
    session.close()
    assert log.events[-1] is None
    with pytest.raises(OptionError, match="store= is a path, None, or has path, append"):
        make(store=42)


def test_a_log_of_other_items_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    session = make(pd.Series(TEXTS, index=[f"d{k}" for k in range(40)]), store=path)
    session.record("d0", "ham")
    session.record("d1", "spam")
    with pytest.raises(StoreMismatchError) as caught:
        make(
            pd.Series([text.upper() for text in TEXTS], index=[f"x{k}" for k in range(40)]),
            store=path,
        )
    said = str(caught.value)
    assert "none of its 2 labeled items is in this data (the first is 'd0')" in said
    assert str(path) in said and "name='another name'" in said and "store='another file'" in said


def test_a_log_of_other_content_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    teach(make(store=path), 4)
    with pytest.raises(StoreMismatchError) as caught:
        make([*TEXTS[:2], "something", "else", *TEXTS[4:]], store=path)
    said = str(caught.value)
    assert "2 of 4 labeled items have other content" in said and "(items '2', '3')" in said
    make([*TEXTS, "a new one at the end"], store=path)  # the pool may grow


def test_a_log_of_other_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    teach(make(store=path), 4)
    with pytest.raises(StoreMismatchError) as caught:
        make(task=["ham", "eggs"], store=path)
    said = str(caught.value)
    assert "2 label(s) that are not among those given: 'spam'; given: 'ham', 'eggs'" in said
    assert str(path) in said
    assert len(make(task=["ham", "eggs", "spam"], store=path).labels) == 4  # more is fine


def test_gone_items_warn_and_keep_their_labels(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    frame = pd.Series(TEXTS, index=[f"d{k}" for k in range(40)])
    teach(make(frame, store=path), 4)
    with pytest.warns(UserWarning, match="1 labeled item.s. of the log are not in this data"):
        session = make(frame.iloc[1:], store=path)
    assert session.warning == session.status()["warning"] != ""
    assert session.labels.index.tolist() == ["d1", "d2", "d3"]
    assert session.frame()["label"].notna().sum() == 3
    assert len(make(frame, store=path).labels) == 4


def test_an_event_that_cannot_be_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    session = make(store=path)
    session.record("0", "ham")
    SqliteLog(path).append([LabelEvent("x", "retract", "1", "bob", "never said", now())])
    with pytest.warns(UserWarning, match="An event of the log was passed over"):
        session.refresh()
    assert "never said" in (session.last_error or "")
    session.record("1", "spam")
    with pytest.warns(UserWarning, match="passed over"):
        again = make(store=path)  # it must not lock the labels away either
    assert again.labels["label"].tolist() == ["ham", "spam"]


# ---------------------------------------------------------------- two sessions, threads


def test_two_sessions_on_one_file_see_each_other(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    one, two = make(store=path), make(store=path, annotator="bob")
    assert one.store_id == two.store_id
    one.record("0", "ham")
    assert two.said("0")[0] is None
    two.refresh()
    assert two.said("0")[0] == "ham"
    assert "0" not in [asked.id for asked in two.next(40)]
    mine = two.record("1", "spam")
    assert (mine.annotator, mine.item) == ("bob", "1")
    mine = one.record("2", "ham")  # sees the one before it, and returns its own
    assert (mine.annotator, mine.item) == ("ana", "2")
    pd.testing.assert_frame_equal(one.history, one.history)
    two.refresh()
    pd.testing.assert_frame_equal(one.labels, two.labels)
    assert one.labels["annotator"].tolist() == ["ana", "bob", "ana"]


def test_results_have_what_others_have_written_since(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    one, two = make(store=path), make(store=path, annotator="bob")
    two.record("0", "ham")
    assert one.labels["label"].tolist() == ["ham"]
    two.record("1", "spam")
    assert one.frame()["label"].count() == 2
    two.undo()
    assert one.history["kind"].tolist() == ["label", "label", "retract"]
    one.close()
    assert one.labels["annotator"].tolist() == ["bob"]
    path.write_bytes(b"no longer a log")  # what is known stands
    assert one.labels["label"].tolist() == ["ham"] and len(one.frame()) == len(one.pool)


def test_an_answer_is_ones_own_even_when_another_comes_behind(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    session = make(store=path)
    other = SqliteLog(path)
    append = session._log.append

    def late(events: Any) -> Any:
        positions = append(events)
        other.append([LabelEvent("late", "label", "9", "bob", "ham", now())])
        return positions

    session._log.append = late  # type: ignore[method-assign]
    assert session.record("0", "spam").item == "0"
    assert session.said("9")[0] == "ham"


def test_threads_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    texts = [f"text number {k}" for k in range(120)]
    sessions = [
        Session(texts, CLASSES, store=path, annotator=name, batch=7, blind=0)
        for name in ("ana", "bob")
    ]
    errors: list[BaseException] = []
    start = threading.Barrier(4)

    def label(session: Session, items: list[int]) -> None:
        try:
            start.wait(10)
            for k in items:
                assert session.record(str(k), CLASSES[k % 2]).item == str(k)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=label, args=(sessions[t % 2], list(range(t, 120, 4))))
        for t in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    for session in sessions:
        assert session.wait(60)
        session.refresh()
        assert len(session.labels) == len(session.history) == 120
        assert session.labels["label"].tolist() == [CLASSES[k % 2] for k in range(120)]
        session.retrain(wait=True, timeout=60)  # one of them may have seen one class so far
        assert session.last_error is None
        assert session.status()["learned"] == 120
        session.close()
    pd.testing.assert_frame_equal(sessions[0].history, sessions[1].history)


def test_windows_do_not_hand_one_item_to_two_pages() -> None:
    session = make()
    one = [asked.id for asked in session.window("page-1", 10)]
    two = [asked.id for asked in session.window("page-2", 10)]
    assert not set(one) & set(two)
    assert [a.id for a in session.window("page-1", 10, one)] == one
    session.release("page-1")
    assert set(one) & {asked.id for asked in session.window("page-2", 30)}


def test_a_silent_page_lets_go(monkeypatch: pytest.MonkeyPatch) -> None:
    session = make(TEXTS[:4], explore=0)
    clock = [1000.0]
    monkeypatch.setattr("nblabel._asking.time.monotonic", lambda: clock[0])
    held = {asked.id for asked in session.window("page-1", 3)}
    assert len(held) == 3
    clock[0] += HOLD_SECONDS - 1
    first = session.window("page-2", 1)
    assert first[0].id not in held
    clock[0] += 2
    reasons = [asked.reason for asked in session.window("page-2", 4, [first[0].id])]
    assert len(reasons) == 4 and "also open in another view" not in reasons


# ---------------------------------------------------------------- labels known already


def test_known_labels_are_seeded_once(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    frame = pd.DataFrame({"text": TEXTS, "known": [*TRUTH[:10], *[None] * 30]})
    first = make(frame, text="text", seed="known", store=path)
    assert first.labels["label"].tolist() == TRUTH[:10]
    assert set(first.labels["annotator"]) == {"seed:known"}
    assert set(first.labels["strategy"]) == {"seed"}
    assert first.status()["left"] == 30 and first.status()["version"] == 1
    first.record("0", "spam")
    again = make(frame, text="text", seed="known", store=path)
    assert len(again.history) == 11
    assert again.said("0")[0] == "spam"  # what a person said since stands
    assert again.undo() is not None
    assert again.said("0")[0] == "ham"
    assert again.undo() is None  # seeds are not the annotator's own


def test_known_labels_that_are_none_are_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": TEXTS[:4], "known": ["ham", "egg", "egg", "nut"]})
    with pytest.raises(LabelValueError) as caught:
        make(frame, text="text", seed="known", store=tmp_path / "x.sqlite")
    said = str(caught.value)
    assert "Column 'known' has values that are not among the labels: 'egg', 'nut'." in said
    assert "The labels are 'ham', 'spam'." in said
    with pytest.raises(OptionError, match=r"seed='known' names a column, but the data has no"):
        make(seed="known")
    with pytest.raises(UnknownColumnError, match=r"no column 'knwon'\. Did you mean 'known'"):
        make(frame, text="text", seed="knwon")


def test_a_row_does_not_show_what_is_known() -> None:
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, 2.5, 3.5], "y": ["ham", "spam", None]})
    session = make(frame, seed="y")
    assert session.pool.field == ["a", "b"]
    assert [field["name"] for field in session.view("0").data["fields"]] == ["a", "b"]
    assert session.note == "showing 2 columns as a table row"


# ---------------------------------------------------------------- learning


def test_it_learns_suggests_and_predicts() -> None:
    session = make()
    assert session.status()["training"] == "waiting" and session.suggestion("9") is None
    assert session.marks("9", "spam") == []
    teach(session, 10)
    suggestion = session.suggestion("11")
    assert suggestion is not None and suggestion.label == "spam"
    assert suggestion.confidence == suggestion.ranking[0][1] > 0.5
    assert [name for name, _ in suggestion.ranking] == ["spam", "ham"]
    assert sum(p for _, p in suggestion.ranking if p is not None) == pytest.approx(1, abs=1e-5)
    predictions = session.predictions
    assert predictions.columns.tolist() == ["label", "probability", "labeled"]
    assert predictions["label"].tolist() == TRUTH
    assert predictions["labeled"].sum() == 10
    marks = session.marks("11", "spam")
    assert "win money prize" in TEXTS[11][slice(*marks[0][:2])]
    status = session.status()
    assert (status["training"], status["learned"]) == ("idle", 10)
    assert session.model.predict(["win money prize"]).tolist() == ["spam"]


def test_it_trains_after_a_batch_and_not_before() -> None:
    session = make(batch=4)
    for k in range(3):
        session.record(str(k), TRUTH[k])
    assert session.status()["version"] == 0
    session.record("3", TRUTH[3])
    assert session.status()["version"] == 1  # models are counted, not what was ranked before one
    session.undo()
    session.skip("8")
    session.flag("8")
    assert session.status()["version"] == 1  # one change, not three
    for k in (3, 4, 5):
        session.record(str(k), TRUTH[k])
    assert session.status()["version"] == 2


@pytest.mark.parametrize("name", ["model", "predictions", "predict"])
def test_without_two_classes_there_is_no_model(name: str) -> None:
    session = make()
    for k in range(3):
        session.record(str(2 * k), "ham")
    session.retrain(wait=True)
    with pytest.raises(NotFittedError, match="no model yet: label items of at least two classes"):
        session.predict(["x"]) if name == "predict" else getattr(session, name)
    assert session.status()["training"] == "waiting"


def test_without_a_model_it_still_labels() -> None:
    session = make(model=False)
    assert not session.has_model and session.status()["training"] == "off"
    teach(session)
    assert session.suggestion("9") is None and session.next()[0].suggestion is None
    assert session.next()[0].shown.strategy in ("random", "audit")
    for name in ("model", "predictions"):
        with pytest.raises(NotFittedError, match="switched off by model=False"):
            getattr(session, name)
    with pytest.raises(NotFittedError, match="switched off by model=False"):
        session.certify()


def test_why_there_is_no_model_is_said() -> None:
    strange = make([object() for _ in range(40)], show=repr)
    with pytest.raises(NotFittedError, match="nothing built in learns a choice of these items"):
        _ = strange.predictions
    told = make(pd.DataFrame({"text": TEXTS, "said": "ham"}), text="text", suggester="said")
    with pytest.raises(NotFittedError, match="those of the column 'said'"):
        _ = told.model


def test_a_table_of_features_is_taken_by_the_index_of_the_items() -> None:
    items = pd.Series(TEXTS, index=[f"i{k}" for k in range(len(TEXTS))])
    table = pd.DataFrame({"f": [5.0 if label == "spam" else -5.0 for label in TRUTH]})
    for features in (table, table.set_axis(items.index), table.set_axis(items.index)[::-1]):
        session = make(items, features=features)
        for k in range(10):
            session.record(f"i{k}", TRUTH[k])
        session.retrain(wait=True)
        assert session.predictions["label"].tolist() == TRUTH


def test_what_the_annotator_saw_is_recorded() -> None:
    session = teach(make(), 8)
    asked = session.next()[0]
    assert asked.suggestion is not None and asked.shown.visible
    event = session.record(asked, "ham")
    shown = event.shown
    assert (shown.suggestion, shown.confidence) == (
        asked.suggestion.label, asked.suggestion.confidence,
    )  # fmt: skip
    assert shown.model_version == asked.suggestion.version == session.status()["version"]
    assert (shown.predicted, shown.predicted_version) == (shown.suggestion, shown.model_version)
    assert shown.visible is False  # no screen, nothing seen
    again = session.record("0", "ham")  # the model has learned this one
    assert again.shown.predicted is None and again.shown.strategy == "given"


def test_how_an_item_was_asked_is_known_when_it_is_named_by_key() -> None:
    session = make(explore=1)
    asked = session.next()[0]
    event = session.record(asked.key, "ham")
    assert event.shown.audit and event.shown.draw == 0 and event.shown.seed == len(TEXTS)
    assert event.shown.strategy == asked.shown.strategy == "audit"


def test_an_item_gone_back_to_says_why_it_is_there() -> None:
    session = make()
    session.record("3", "ham")
    assert session.asked("3").reason == "answered before"
    assert session.asked("4").reason == "asked for by name"
    assert session.asked("4").shown.strategy == "browse"


@pytest.mark.parametrize("model", [LinearSVC(), MultinomialNB(), LogisticRegression(max_iter=50)])
def test_estimators_of_the_user(model: Any) -> None:
    session = teach(make(model=model), 10)
    assert session.predictions["label"].tolist() == TRUTH
    has = hasattr(model, "predict_proba")
    assert session.predictions["probability"].notna().all() == has
    assert session.predict(["win money"])["probability"].notna().all() == has
    suggestion = session.suggestion("11")
    assert suggestion is not None and (suggestion.confidence is not None) == has


class Moody(ClassifierMixin, BaseEstimator):
    """Raises where it is told to."""

    where: str | None = None

    def fit(self, X: Any, y: Any) -> Moody:
        if Moody.where == "fit":
            raise RuntimeError("no mood to fit")
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        if Moody.where == "predict":
            raise RuntimeError("no mood to predict")
        columns = 3 if Moody.where == "shape" else len(self.classes_)
        if Moody.where == "nan":
            return np.full((X.shape[0], columns), np.nan)
        return np.full((X.shape[0], columns), 1 / columns)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("fit", "RuntimeError: no mood to fit"),
        ("predict", "RuntimeError: no mood to predict"),
        ("shape", r"predictions of shape \(40, 3\), expected \(40, 2\)"),
        ("nan", "not finite numbers"),
    ],
)
@pytest.mark.parametrize("inline", [True, False])
def test_a_model_that_fails_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, where: str, said: str, inline: bool
) -> None:
    monkeypatch.setattr(Moody, "where", where)
    session = make(model=Moody(), inline=inline)
    with pytest.warns(UserWarning, match="Labeling goes on; the traceback is in session.last_err"):
        teach(session)
    assert session.last_error is not None and session.status()["error"] == session.last_error
    assert session.last_error.startswith("The model could not be trained: ")
    assert "Traceback (most recent call last)" in session.last_error
    assert re.search(said, session.last_error)
    assert session.status()["training"] == "failed"
    assert session.next() and session.record("20", "ham")
    with pytest.raises(NotFittedError, match="the last training failed: The model could not"):
        _ = session.model
    monkeypatch.setattr(Moody, "where", None)
    session.retrain(wait=True)
    assert session.last_error is None and session.status()["training"] == "idle"
    assert set(session.predictions["label"]) == {"ham"}  # a tie goes to the first class


def test_a_failure_warns_once() -> None:
    Moody.where = "fit"
    try:
        session = make(model=Moody())
        with pytest.warns(UserWarning) as caught:
            teach(session)
            session.retrain()
            session.retrain()
        assert len([w for w in caught if "could not be trained" in str(w.message)]) == 1
    finally:
        Moody.where = None


class Shapeless:
    name = "shapeless"
    requires: frozenset[str] = frozenset()

    def utilities(self, context: Any) -> Any:
        return np.zeros((len(context.candidates), 2))

    def reason(self, utility: float) -> str:
        return "because"


def test_a_strategy_of_the_wrong_shape_stops_nothing() -> None:
    with pytest.warns(UserWarning, match=r"gave utilities of shape \(40, 2\), expected \(40,\)"):
        session = make(strategy=Shapeless())
    assert session.status()["training"] == "unranked"
    assert "strategy 'shapeless'" in (session.last_error or "")
    assert session.next()[0].shown.strategy in ("random", "audit")


class Longest(Shapeless):
    name = "longest"

    def utilities(self, context: Any) -> Any:
        lengths = np.array([len(TEXTS[k]) for k in context.candidates], dtype=float)
        lengths[context.candidates == 0] = -np.inf  # never
        return lengths

    def reason(self, utility: float) -> str:
        return f"{utility:.0f} characters"


def test_a_strategy_of_the_user_ranks() -> None:
    session = make(strategy=Longest(), explore=0)
    assert session.doing == "longest" and session.strategy.name == "longest"
    asked = session.next(39)
    lengths = [len(one.content) for one in asked]
    assert lengths == sorted(lengths, reverse=True)
    assert asked[0].reason == f"{lengths[0]} characters"
    assert {one.shown.strategy for one in asked} == {"longest"}
    assert "0" not in [one.id for one in asked]
    assert session.next(40)[-1].id == "0"  # nothing else is left


def test_marks_that_fail_are_no_marks() -> None:
    session = teach(make())

    def broken(position: int, label: str) -> Any:
        raise RuntimeError("no marks today")

    session._fitted.marks = broken  # type: ignore[union-attr,method-assign]
    with pytest.warns(UserWarning, match="The marks failed: RuntimeError: no marks today"):
        assert session.marks("1", "spam") == []
    assert session.status()["training"] == "idle"  # that was not the training


def test_what_cannot_be_shown_says_so() -> None:
    def show(item: str) -> str:
        if item == TEXTS[1]:
            raise RuntimeError("no picture")
        return item.upper()

    session = make(show=show)
    assert session.view("0").data["text"] == TEXTS[0].upper()
    broken = session.view("1")
    assert broken.kind == "error" and broken.data["text"] == "RuntimeError: no picture"
    assert not session.has_model  # nothing to learn from
    session.record("1", "ham")


def test_items_that_are_lists_can_be_shown() -> None:
    session = make([[["a"], ["b", "c"]], [["d"], ["e", "f"]]], show=repr)
    assert "['b', 'c']" in repr(session.view("0").data)


class Slow(Moody):
    started = threading.Event()
    go_on = threading.Event()

    def fit(self, X: Any, y: Any) -> Slow:
        Slow.started.set()
        assert Slow.go_on.wait(30)
        self.classes_ = np.unique(y)
        return self


def test_labeling_goes_on_while_the_model_trains() -> None:
    Slow.started.clear()
    Slow.go_on.clear()
    session = make(model=Slow(), inline=False, batch=2)
    try:
        session.record("0", "ham")
        session.record("1", "spam")
        assert Slow.started.wait(30)
        with pytest.raises(TimeoutError, match=r"was not trained within 0\.01 seconds"):
            session.retrain(wait=True, timeout=0.01)
        assert not session.wait(0.01)
        session.record("2", "ham")
        assert session.status()["training"] == "training"
        assert session.status()["version"] == 0
    finally:
        Slow.go_on.set()
    assert session.wait(30)
    assert session.status()["training"] == "idle"
    assert session.status()["learned"] == 2  # as it was when the training was ordered
    session.retrain(wait=True, timeout=30)
    assert session.status()["learned"] == 3
    session.close()


def test_labels_given_during_a_training_start_the_next() -> None:
    Slow.started.clear()
    Slow.go_on.clear()
    session = make(model=Slow(), inline=False, batch=2)
    try:
        session.record("0", "ham")
        session.record("1", "spam")
        assert Slow.started.wait(30)
        for k in range(2, 8):
            session.record(str(k), TRUTH[k])
    finally:
        Slow.go_on.set()
    assert session.wait(30)
    assert session.status()["learned"] == 8
    session.close()


# ---------------------------------------------------------------- honest numbers


class Knows(ClassifierMixin, BaseEstimator):
    """Says 'spam' of everything, surely."""

    def fit(self, X: Any, y: Any) -> Knows:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile([0.1, 0.9], (X.shape[0], 1))


def audited(hits: int, misses: int) -> Session:
    """A session whose model is right on so many of its audit items."""
    n = hits + misses + 2
    session = make([f"text {k}" for k in range(n)], model=Knows(), explore=1, batch=1000)
    ids = [asked.id for asked in session.next(n)]
    for item, label in zip(ids[:2], CLASSES, strict=True):
        session.record(item, label)  # before there is a model: counts for nothing
    session.retrain()
    for k, item in enumerate(ids[2:]):
        session.record(item, "spam" if k % n < hits else "ham")
    return session


def test_accuracy_is_not_known_below_twenty_audits() -> None:
    assert make().accuracy() is None
    session = audited(15, 4)
    assert session.accuracy() is None
    status = session.status()
    assert (status["audits"], status["accuracy"], status["curve"]) == (19, None, [])


def test_accuracy_is_the_share_of_hits_on_audits() -> None:
    session = audited(18, 6)
    share = session.accuracy()
    assert share is not None and (share.value, share.n) == (0.75, 24)
    assert 0.5 < share.low < 0.75 < share.high < 0.9
    status = session.status()
    assert status["accuracy"] == [share.value, share.low, share.high, 24]
    assert status["curve"][0][0] == 21 and status["curve"][-1][:2] == [25, 0.75]
    session.retrain()  # a model that has seen them says nothing new about them
    assert session.accuracy() == share
    wrong = session.labels.index[session.labels["label"] == "ham"][-1]
    session.record(str(wrong), "spam")  # a label that is corrected is judged anew
    corrected = session.accuracy()
    assert corrected is not None and corrected.value == 19 / 24


def test_items_the_strategy_chose_are_no_audits() -> None:
    session = make(explore=0, batch=5)
    for _ in range(40):
        one = session.next()[0]
        session.record(one, TRUTH[session.pool.position(one.id)])
    assert session.accuracy() is None and session.status()["audits"] == 0
    assert not session.labels["audit"].any()


def test_the_share_of_audits_is_about_what_was_asked() -> None:
    audits = 0
    session = make([f"text {k}" for k in range(1000)], model=False, explore=0.2)
    for _ in range(600):
        one = session.next()[0]
        audits += one.shown.audit
        session.record(one, "ham")
    assert 80 < audits < 165  # 120 expected; ten are 3 sigma off


@pytest.mark.parametrize("model", [None, False])
def test_where_chance_chose_the_log_has_the_probability(model: Any) -> None:
    session = make(explore=0.5, strategy="random", batch=15, model=model)
    for _ in TRUTH:
        (one,) = session.next()
        session.record(one, TRUTH[session.pool.position(one.id)])
    history = session.history
    assert set(history["shown_strategy"]) == {"audit", "random"}
    assert history["shown_probability"].tolist() == [1 / left for left in range(40, 0, -1)]


def test_where_a_rule_chose_the_log_has_no_probability() -> None:
    session = teach(make(explore=0, strategy="margin"))
    session.record(session.next()[0], "ham")
    session.record("30", "ham")
    history = session.history
    assert history["shown_strategy"].iloc[-2:].tolist() == ["margin", "given"]
    assert history["shown_probability"].isna().all()


def test_badge_samples_behind_the_first_of_its_batch() -> None:
    session = teach(make(explore=0, strategy="badge", batch=4))
    chances = [one.shown.probability for one in session.next(6)]
    assert chances[0] is None and chances[4:] == [None, None]
    assert all(chance is not None and 0 < chance < 1 for chance in chances[1:4])


def rare(n: int = 3000) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of two classes that overlap, one of them a tenth of all."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(n) < 0.1, "rare", "common")
    rows = rng.normal(size=(n, 4))
    rows[:, 0] += 1.4 * (truth == "rare")
    return pd.DataFrame(rows, columns=list("abcd")), truth


def test_a_rare_label_is_suggested_with_the_probability_that_it_is_right() -> None:
    table, truth = rare()
    session = make(table, ["common", "rare"], row=True, explore=1.0)
    for one in session.next(400):
        session.record(one, truth[session.pool.position(one.id)])
    session.retrain(wait=True)
    left = session.predictions[lambda t: ~t["labeled"]]
    right = left["label"] == truth[left.index]
    said = left["probability"].groupby(left["label"]).mean()
    found = right.groupby(left["label"]).mean()
    assert (left["label"] == "rare").mean() > 0.1, "it is suggested, though it is seldom right"
    assert found["rare"] < 0.6
    assert said.to_numpy() == pytest.approx(found.to_numpy(), abs=0.12)
    # It is the same wherever it is said, and what is suggested stands first.
    said_of_rows = session.predict(table.loc[left.index])
    assert said_of_rows["label"].tolist() == left["label"].tolist()
    assert said_of_rows["probability"].to_numpy() == pytest.approx(left["probability"], abs=1e-3)
    for place in left.index[left["label"] == "rare"][:5]:
        suggestion = session.suggestion(session.pool.ids[place])
        assert suggestion is not None
        assert suggestion.confidence == pytest.approx(left["probability"][place], abs=1e-6)
        assert suggestion.ranking[0] == (suggestion.label, suggestion.confidence)
        assert sum(share for _, share in suggestion.ranking) == pytest.approx(1)


def test_the_blind_share_is_random_but_fixed() -> None:
    texts = [f"text {k}" for k in range(3000)]
    session = make(texts, blind=0.1)
    blind = [session.is_blind(item) for item in session.pool.ids]
    assert 0.08 < np.mean(blind) < 0.12
    again = make(texts, blind=0.1)
    assert blind == [again.is_blind(item) for item in session.pool.ids]
    other = make(texts, blind=0.1, random_state=1)
    assert blind != [other.is_blind(item) for item in session.pool.ids]
    wider = make(texts, blind=0.3)
    assert all(wider.is_blind(i) for i, b in zip(session.pool.ids, blind, strict=True) if b)
    none, every = make(blind=0), make(blind=1)
    assert not any(none.is_blind(item) for item in session.pool.ids)
    assert all(every.is_blind(item) for item in session.pool.ids)


def test_a_blind_item_has_a_suggestion_that_is_not_shown() -> None:
    session = teach(make(blind=1))
    asked = session.next()[0]
    assert asked.suggestion is not None and not asked.shown.visible
    assert asked.shown.suggestion == asked.suggestion.label


def test_the_pace_needs_a_few_answers() -> None:
    session = make()
    for k in range(4):
        session.record(str(k), "ham", seconds=2.0)
    assert session.status()["pace"] is None
    session.record("4", "ham", seconds=4.0)
    median, low, high = session.status()["pace"]
    assert low <= median == 2.0 <= high


# ---------------------------------------------------------------- new data


def test_predict_on_a_text_column() -> None:
    frame = pd.DataFrame({"n": range(40), "text": TEXTS})
    session = teach(make(frame), 10)
    assert session.note == "showing column 'text' as text"
    new = pd.DataFrame({"text": ["win money prize", "see you at lunch"]}, index=["x", "y"])
    predicted = session.predict(new)
    assert predicted["label"].tolist() == ["spam", "ham"]
    assert predicted.index.tolist() == ["x", "y"]
    assert predicted["probability"].between(0.5, 1).all()
    assert predicted.columns.tolist() == ["label", "probability"]
    for data in (
        new["text"],
        new["text"].tolist(),
        iter(new["text"]),
        {"text": new["text"].tolist()},
        new.to_dict("records"),
        pl.DataFrame({"text": new["text"].tolist()}),
    ):
        assert session.predict(data)["label"].tolist() == ["spam", "ham"]
    with pytest.raises(UnknownColumnError, match=r"no column 'text'\. Did you mean 'txt'"):
        session.predict(pd.DataFrame({"txt": ["win money"]}))
    with pytest.raises(DataError):
        session.predict("win money")


def test_predict_on_a_list_or_series() -> None:
    session = teach(make(pd.Series(TEXTS)), 10)
    assert session.predict(["win money"])["label"].tolist() == ["spam"]
    new = pd.Series(["win money", "at lunch"], index=[8, 4])
    assert session.predict(new).index.tolist() == [8, 4]
    with pytest.raises(OptionError, match=r"came without columns.*give a list or one column"):
        session.predict(pd.DataFrame({"text": ["win money"]}))


def test_predict_on_html() -> None:
    pages = [f"<p>{text}</p>" for text in TEXTS]
    session = teach(make(pages, html=True), 10)
    assert session.predict(["<i>win</i> <b>money</b>"])["label"].tolist() == ["spam"]


def test_predict_on_rows() -> None:
    rng = np.random.default_rng(0)
    size = np.array([5.0 if label == "spam" else -5.0 for label in TRUTH])
    frame = pd.DataFrame({"size": size + rng.normal(size=40), "kind": list("ab") * 20, "z": 0})
    session = teach(make(frame, row=["size", "kind"]), 10)
    new = pd.DataFrame({"z": 1, "kind": ["a", "b", None], "size": [9.0, -9.0, np.nan]})
    predicted = session.predict(new)
    assert predicted["label"].tolist()[:2] == ["spam", "ham"] and len(predicted) == 3
    assert session.predict(new.to_dict("records"))["label"].tolist()[:2] == ["spam", "ham"]
    with pytest.raises(UnknownColumnError, match=r"no column 'kind'"):
        session.predict(frame[["size"]])


def test_predict_on_an_array_of_rows() -> None:
    rows = np.array([[5.0 if label == "spam" else -5.0, k % 3] for k, label in enumerate(TRUTH)])
    session = teach(make(rows), 10)
    assert session.predict(np.array([[9.0, 0], [-9, 1]]))["label"].tolist() == ["spam", "ham"]


def test_predict_on_images() -> None:
    images = np.zeros((40, 8, 8), np.uint8)
    for k, label in enumerate(TRUTH):
        images[k, :, :4] = 200 if label == "spam" else 0
        images[k, :, 4:] = 0 if label == "spam" else 200
        images[k, 0, k % 8] = 90
    session = teach(make(images), 10)
    predicted = session.predict(images[20:24])
    assert predicted["label"].tolist() == TRUTH[20:24]
    assert session.predict(list(images[20:24]))["label"].tolist() == TRUTH[20:24]


@pytest.mark.parametrize(
    "form", [np.asarray, sparse.csr_matrix, sparse.csr_array, np.ndarray.tolist]
)
def test_predict_on_a_matrix_of_features(form: Any) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(40, 3))
    matrix[:, 0] = [5 if label == "spam" else -5 for label in TRUTH]
    session = teach(make(features=form(matrix)), 10)
    assert session.predictions["label"].tolist() == TRUTH
    assert session.predict(form(matrix[:5]))["label"].tolist() == TRUTH[:5]
    for data in (["win money"], pd.DataFrame({"text": ["win money"]})):
        with pytest.raises(OptionError, match="learned from a matrix of features: predict takes"):
            session.predict(data)


def test_items_of_any_kind_learn_from_a_matrix() -> None:
    matrix = np.array([[5.0 if label == "spam" else -5.0, 1.0] for label in TRUTH])
    session = teach(make([object() for _ in range(40)], show=repr, features=matrix), 10)
    assert session.predictions["label"].tolist() == TRUTH
    assert session.predict(matrix[:3])["label"].tolist() == TRUTH[:3]
    with pytest.raises(OptionError, match="got list"):
        session.predict([object()])


def test_a_pipeline_is_fitted_on_the_items_themselves() -> None:
    session = teach(make(model=make_pipeline(CountVectorizer(), MultinomialNB())), 10)
    assert session.predict(["win money"])["label"].tolist() == ["spam"]
    assert [name for name, _ in session.model.steps] == ["countvectorizer", "multinomialnb"]


class Shouting:
    """A renderer of the user's own, which the default model can learn from."""

    kind = "shouting"
    modality: str | None = "text"

    def accepts(self, item: Any) -> bool:
        return True

    def view(self, item: Any) -> Any:
        return View("text", {"text": item.upper()})


def test_predict_with_a_renderer_of_the_user() -> None:
    session = teach(make(show=Shouting()), 10)
    assert session.view("0").data["text"] == TEXTS[0].upper()
    assert session.predict(["win money", "at lunch"])["label"].tolist() == ["spam", "ham"]


def test_polars_comes_in_as_pandas_does() -> None:
    frame = pl.DataFrame({"text": TEXTS, "known": [*TRUTH[:8], *[None] * 32]})
    session = make(frame, seed="known")
    assert session.predictions["label"].tolist() == TRUTH
    assert session.labels.index.tolist() == list(range(8))
    assert session.frame()["text"].tolist() == TEXTS
    series = make(pl.Series("body", TEXTS))
    series.record("3", "ham")
    assert series.labels.index.tolist() == [3]


# ---------------------------------------------------------------- a suggester of the user


class Constant:
    """Suggests the label that was said last."""

    def fit(self, snapshot: Any) -> Any:
        class Fitted:
            model = "the commonest"

            def predict(self) -> Any:
                proba = np.tile(np.array([[0.75, 0.25]], np.float32), (40, 1))
                return Scores(("spam", "ham"), proba, True)

            def marks(self, position: int, label: str) -> list[Any]:
                return [(0, 3, 1.0)]

        return Fitted()

    def embedding(self) -> None:
        return None


def test_a_suggester_of_the_user() -> None:
    session = teach(make(suggester=Constant()))
    assert session.model == "the commonest"
    suggestion = session.suggestion("5")
    assert suggestion is not None and (suggestion.label, suggestion.confidence) == ("spam", 0.75)
    assert session.marks("5", "spam") == [(0, 3, 1.0)]
    assert session.doing == "margin"  # there are no features
    with pytest.raises(
        OptionError,
        match=r"suggester= is the name of a column, or needs fit\(snapshot\) and embedding",
    ):
        make(suggester=42)


# ---------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 0}, "batch= is a whole number from 1, got 0"),
        ({"batch": 2.5}, "batch= is a whole number from 1, got 2.5"),
        ({"batch": True}, "batch= is a whole number from 1, got True"),
        ({"explore": 1.5}, "explore= is a share from 0 to 1, got 1.5"),
        ({"explore": "10%"}, "explore= is a share from 0 to 1, got '10%'"),
        ({"blind": -0.1}, "blind= is a share from 0 to 1, got -0.1"),
        ({"blind": float("nan")}, "blind= is a share from 0 to 1, got nan"),
        ({"random_state": -1}, "random_state= is a whole number from 0, got -1"),
        ({"random_state": None}, "random_state= is a whole number from 0, got None"),
        ({"annotator": 3}, "annotator= is a name, got 3"),
        ({"annotator": " "}, "annotator= is a name"),
        ({"strategy": "marign"}, "no strategy 'marign'. Did you mean 'margin'"),
        ({"strategy": 3}, "strategy= takes a name"),
        ({"model": LogisticRegression}, "got the class LogisticRegression"),
        (
            {"text": True, "html": True},
            "are columns of one table, but the data has none",
        ),
        ({"text": "body"}, "names a column, but the data has none"),
        ({"show": 3}, "show= is a callable"),
        ({"features": np.zeros((3, 2))}, r"one row per item, \(40, n_features\)"),
        ({"model": False, "strategy": "margin"}, "'margin' requires proba. There is no model"),
    ],
)
def test_options_that_make_no_sense_say_so(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        make(**options)


def test_numbers_of_numpy_are_numbers() -> None:
    session = make(batch=np.int64(3), explore=np.float32(0.5), random_state=np.int64(4))
    assert session.batch == 3 and session.status()["left"] == 40


def test_data_and_labels_that_make_no_sense_say_so() -> None:
    with pytest.raises(DataError, match="no items to label: the data is empty"):
        make([])
    with pytest.raises(TaskError, match="at least two labels"):
        make(task=["ham"])


def test_finding_makes_no_random_draws_unless_asked() -> None:
    finding = {"goal": "find", "target": "spam"}
    session = make(**finding)
    assert not any(one.shown.audit for one in session.next(40))
    assert session.status()["explore"] == 0
    assert session.status()["finding"] and not make().status()["finding"]
    session = make(**finding, explore=1)
    assert all(one.shown.audit for one in session.next(40))
    assert session.status()["explore"] == 1
    assert any(one.shown.audit for one in make().next(40))  # a tenth where it is to learn


def test_explore_off_and_on() -> None:
    assert not any(one.shown.audit for one in make(explore=0).next(40))
    assert all(one.shown.audit for one in make(explore=1).next(40))


def test_the_annotator_is_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "zoe")
    assert make(annotator=None).annotator == "zoe"

    def nobody() -> str:
        raise KeyError("uid")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert make(annotator=None).annotator == "me"


def test_the_status_is_json() -> None:
    session = audited(20, 2)
    told = json.loads(json.dumps(session.status(), allow_nan=False))
    assert told == session.status()
    assert (told["items"], told["labeled"], told["left"]) == (24, 24, 0)


def test_the_same_seed_asks_the_same() -> None:
    def walk(seed: int) -> list[str]:
        session = make(random_state=seed, batch=5)
        order = []
        for _ in range(30):
            one = session.next()[0]
            order.append(one.id)
            session.record(one, TRUTH[session.pool.position(one.id)])
        return order

    assert walk(3) == walk(3) != walk(4)


def test_a_closed_session_lets_go_of_its_file(tmp_path: Path) -> None:
    session = make(store=tmp_path / "labels.sqlite")
    session.record("0", "ham")
    session.close()
    (tmp_path / "labels.sqlite").rename(tmp_path / "moved.sqlite")
    assert len(make(store=tmp_path / "moved.sqlite").labels) == 1


def test_predict_takes_the_named_embedding_column_of_new_data() -> None:
    frame = pd.DataFrame(
        {
            "text": [f"t{k}" for k in range(20)],
            "vector": [[float(k % 2), 1.0 - k % 2] for k in range(20)],
        }
    )
    session = Session(
        frame, ["even", "odd"], text="text", features="vector", store=None, inline=True
    )
    for k in range(8):
        session.record(k, "odd" if k % 2 else "even")
    session.retrain(wait=True)
    new = frame.iloc[[10, 11]].rename(index={10: "a", 11: "b"})
    predicted = session.predict(new)
    assert predicted["label"].to_dict() == {"a": "even", "b": "odd"}


@pytest.mark.parametrize("name", ["auto:x", "lf:rule"])
def test_a_person_is_not_called_like_a_machine(name: str) -> None:
    with pytest.raises(OptionError, match="person's name"):
        Session(["a", "b"], ["x", "y"], annotator=name, store=None)


def test_labels_that_are_numbers_come_back_as_numbers() -> None:
    frame = pd.DataFrame({"text": [f"word{k % 2} {k}" for k in range(20)], "y": [0, 1] * 10})
    session = Session(frame, [0, 1], text="text", store=None, inline=True, blind=0)
    for asked in session.next(12):
        session.record(asked, frame.loc[asked.key, "y"])
    session.retrain(wait=True)
    session.record(session.next(1)[0], 1)
    labels = session.labels
    assert labels["label"].dtype == "int64"
    assert (labels["label"].iloc[:-1] == frame["y"][labels.index[:-1]]).mean() > 0.8
    assert set(labels["suggestion"].dropna()) <= {0, 1}
    assert set(session.predict(frame)["label"]) <= {0, 1}
    assert set(session.predictions["label"]) <= {0, 1}


@pytest.mark.parametrize(
    ("task", "column"),
    [
        (nl.MultiLabel(["even", "odd"]), "labels"),
        (nl.MultiLabel(["even", "odd"], each=True), "odd"),
        (nl.Spans(["name"]), "spans"),
        (nl.Boxes(["cat"]), "shapes"),
        (nl.Rating(), "rating"),
        (nl.Form({"a": nl.Choice(["x", "y"]), "b": nl.FreeText()}), "b"),
    ],
)
def test_labels_of_any_task_may_be_none(task: Any, column: str) -> None:
    session = nl.Session(["one", "two"], task, store=None, inline=True)
    assert len(session.labels) == 0 and column in session.labels
    assert len(session.frame()) == 2


def test_the_joined_frame_has_types_that_can_say_not_known() -> None:
    session = Session(["a", "b", "c"], ["x", "y"], store=None, inline=True)
    session.record("1", "x")
    session.flag("1")
    frame = session.frame()
    assert frame[["flagged", "audit", "visible"]].dtypes.astype(str).unique().tolist() == [
        "boolean"
    ]
    assert str(frame["model_version"].dtype) == "Int64"
    assert frame.index[frame["flagged"].fillna(False)].tolist() == [1]


def test_the_accuracy_of_one_model_is_not_that_of_another(tmp_path: Path) -> None:
    def opened(**options: Any) -> Session:
        return make(store=tmp_path / "log.sqlite", explore=0.9, batch=5, **options)

    def answered(session: Session, n: int) -> list[Any]:
        for asked in session.next(n):
            session.record(asked, TRUTH[int(asked.id)])
        return [session.accuracy(), session.status()["audits"]]

    first = opened()
    shown, audits = answered(first, 30)
    assert shown is not None and audits >= 20
    first.close()
    same = opened()
    assert same.accuracy() == shown
    same.close()
    other = opened(model=DummyClassifier())
    assert other.accuracy() is None and other.status()["audits"] == 0
    assert "not known yet" in str(other.report())
    assert 0 < answered(other, 10)[1] <= 10
    other.close()
    again = opened(model=DummyClassifier())
    assert 0 < again.status()["audits"] <= 10
    again.close()
    back = opened()
    assert back.accuracy() is None
    back.close()


def test_the_accuracy_is_about_what_is_left_now() -> None:
    texts = [f"{TEXTS[k % 40]} {k}" for k in range(400)]
    session = make(texts, explore=1.0, batch=20)
    for asked in session.next(60):
        session.record(asked, TRUTH[int(asked.id) % 40])
    before = session.accuracy()
    assert before is not None and before.n >= 20

    def wider() -> float:
        now = session.accuracy()
        assert now is not None and (now.value, now.n) == (before.value, before.n)
        return before.low - now.low

    free = [k for k in range(400) if session.said(str(k))[0] is None]
    for k in free[:10]:  # whoever takes them may know that they are the easy ones
        session.record(str(k), TRUTH[k % 40])
    one_in_thirty = wider()
    assert 0.02 < one_in_thirty < 0.04
    session.undo()
    assert 0.9 * one_in_thirty > wider() > 0.8 * one_in_thirty
    session.add([f"{TEXTS[k]} more" for k in range(5)])
    assert one_in_thirty < wider() < one_in_thirty + 0.02
    assert session.report().accuracy.low == session.accuracy().low
    for k in free[10:60]:
        session.record(str(k), TRUTH[k % 40])
    assert session.accuracy() is None and session.status()["audits"] == 0
    for asked in session.next(30):  # and is measured anew
        session.record(asked, TRUTH[int(asked.id) % 40])
    assert session.accuracy().n == 30


def test_many_new_items_may_be_of_another_kind() -> None:
    session = make([f"{TEXTS[k % 40]} {k}" for k in range(400)], explore=1.0, batch=20)
    for asked in session.next(60):
        session.record(asked, TRUTH[int(asked.id) % 40])
    assert session.accuracy() is not None
    session.add([f"of another kind {k}" for k in range(50)])
    assert session.accuracy() is None and session.report().accuracy.value is None
