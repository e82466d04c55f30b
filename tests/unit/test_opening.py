import os

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from nblabel._matching import check_labels, match_items
from nblabel._opening import engine_of, open_log, open_more, seed_events
from nblabel.errors import (
    DataError,
    LabelValueError,
    OptionError,
    StoreError,
    StoreMismatchError,
    UnknownColumnError,
)
from nblabel.events import LabelEvent
from nblabel.labels import Labels
from nblabel.pool import Pool
from nblabel.renderers import RowRenderer, TextRenderer, open_pool
from nblabel.session import Session
from nblabel.store import SqliteLog
from nblabel.tasks import Choice

TASK = Choice(["ham", "spam"])


# ---------------------------------------------------------------- where labels are kept


def test_the_name_makes_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log, warning = open_log("", " mine ")
    assert log.path == str(tmp_path / "mine.sqlite") and warning == ""
    log.close()


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", "a\0", None, 3])
def test_a_name_that_names_no_file(name):
    with pytest.raises(OptionError, match="names a file in this folder, such as 'labels', got"):
        open_log("", name)


def test_a_path_none_or_a_log(tmp_path):
    for path in (tmp_path / "a.sqlite", str(tmp_path / "b.sqlite")):
        log, _ = open_log(path, "unused")
        assert log.path == str(path)
        assert open_log(log, "unused") == (log, "")
        log.close()
    assert open_log(None, "unused")[0].path is None
    with pytest.raises(OptionError, match=r"store= is a path, None, or has path, .*, got int"):
        open_log(3, "unused")


def test_where_nothing_can_be_written_labels_stay_in_memory_and_it_says_so(tmp_path):
    link = tmp_path / "labels.sqlite"
    try:
        link.symlink_to(tmp_path / "gone" / "labels.sqlite")
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.warns(UserWarning, match="kept in memory only and end with the kernel"):
        log, warning = open_log(link, "unused")
    assert log.path is None and warning == f"Labels are NOT saved: {tmp_path} cannot be written."
    assert log.append([LabelEvent("a", "skip", "i", "ana")]) == [1]


def test_other_trouble_is_raised(tmp_path):
    with pytest.raises(StoreError, match="names a folder"):
        open_log(tmp_path, "unused")
    assert os.listdir(tmp_path) == []


# ---------------------------------------------------------------- does the log fit the data


def check_log(labels: Labels, pool: Pool, task: Choice, path: str | None) -> str:
    check_labels(labels, task, path)
    return match_items(labels, pool, path).warning


def folded(pool: Pool, said: dict[str, str], kind: str = "label") -> Labels:
    labels = Labels()
    for number, (item, value) in enumerate(said.items(), start=1):
        content = pool.digest(pool.position(item)) if item in pool else "0" * 16
        value = value if kind == "label" else None
        labels.apply(number, LabelEvent(f"e{number}", kind, item, "ana", value, content=content))
    return labels


def test_a_log_that_fits():
    pool = Pool(["one", "two"])
    assert check_log(Labels(), pool, TASK, None) == ""
    assert check_log(folded(pool, {"0": "ham"}), pool, TASK, None) == ""
    assert check_log(folded(pool, {"0": "ham"}), Pool(["one", "two", "more"]), TASK, None) == ""


def test_items_that_are_gone_are_told():
    pool = Pool(["one", "two"])
    labels = folded(pool, {"0": "ham", "7": "spam"})
    assert check_log(labels, pool, TASK, "f") == (
        "1 labeled item(s) of the log are not in this data (items '7'). "
        "session.unmatched lists them."
    )


def test_a_log_of_other_items():
    pool = Pool(["one", "two"])
    for kind in ("label", "skip"):
        labels = folded(pool, {"x": "ham", "y": "ham"}, kind)
        with pytest.raises(StoreMismatchError, match=r"none of its 2 labeled items .*'x'"):
            check_log(labels, pool, TASK, "f.sqlite")


def test_a_log_whose_items_have_changed():
    labels = folded(Pool(["one", "two", "three"]), {"0": "ham", "1": "spam"})
    with pytest.raises(
        StoreMismatchError,
        match=r"1 of 2 labeled items have other content .* \(items '1'\)\. The file is f\.sqlite",
    ):
        check_log(labels, Pool(["one", "TWO", "3"]), TASK, "f.sqlite")


def test_a_log_of_other_labels():
    pool = Pool(["one", "two", "three"])
    labels = folded(pool, {"0": "eggs", "1": "eggs", "2": "ham"})
    with pytest.raises(
        StoreMismatchError,
        match=r"2 label\(s\) that are not among .* 'eggs'; given: 'ham', 'spam'\..*store=",
    ):
        check_log(labels, pool, TASK, "f.sqlite")


def test_content_without_a_digest_is_not_compared():
    pool = Pool([object()])
    labels = Labels()
    labels.apply(1, LabelEvent("e", "label", "0", "ana", "ham"))
    assert check_log(labels, pool, TASK, None) == ""


# ---------------------------------------------------------------- labels known already


def frame_pool(values) -> Pool:
    frame = pd.DataFrame({"text": [f"text {k}" for k in range(len(values))], "known": values})
    return open_pool(frame, text="text")[0]


def test_known_labels_become_events():
    pool = frame_pool(["ham", None, "spam"])
    events = seed_events(pool, TASK, "known")
    assert [(e.item, e.value, e.annotator) for e in events] == [
        ("0", "ham", "seed:known"), ("2", "spam", "seed:known"),
    ]  # fmt: skip
    assert events[0].content == pool.digest(0) and events[0].shown.strategy == "seed"
    assert [e.id for e in seed_events(pool, TASK, "known")] == [e.id for e in events]
    changed = seed_events(frame_pool(["spam", None, "spam"]), TASK, "known")
    assert changed[0].id != events[0].id and changed[1].id == events[1].id


def test_whole_numbers_with_gaps():
    events = seed_events(frame_pool([1, None, 0]), Choice([0, 1]), "known")
    assert [e.value for e in events] == ["1", "0"]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (["ham", "eggs", "eggs"], "'eggs'"),
        ([[1], None, "ham"], r"'\[1\]'"),
        ([1.5, 2], "'1.5', '2"),
    ],
)
def test_known_labels_that_are_none(values, named):
    with pytest.raises(
        LabelValueError, match=rf"'known' has values .*: {named}.*are 'ham', 'spam'"
    ):
        seed_events(frame_pool(values), TASK, "known")


def test_a_column_that_is_not_there():
    with pytest.raises(UnknownColumnError, match=r"'knwon'\. Did you mean 'known'"):
        seed_events(frame_pool(["ham"]), TASK, "knwon")
    with pytest.raises(OptionError, match="names a column, but the data has no columns"):
        seed_events(Pool(["a"]), TASK, "known")


def test_seeding_twice_is_seeding_once():
    pool, log = frame_pool(["ham", "spam"]), SqliteLog()
    assert log.append(seed_events(pool, TASK, "known")) == [1, 2]
    assert log.append(seed_events(pool, TASK, "known")) == [1, 2]
    log.close()


# ---------------------------------------------------------------- new data of the same form


def test_more_of_the_same():
    frame = pd.DataFrame({"body": ["some text", "more text"], "n": [1, 2]})
    pool, renderer, _ = open_pool(frame, text="body")
    more = open_more(pd.DataFrame({"body": ["x"]}, index=["new"]), pool, renderer)
    assert more.ids == ["new"] and list(more.values) == ["x"]
    assert open_more(iter(["x", "y"]), pool, renderer).values == ["x", "y"]
    with pytest.raises(UnknownColumnError, match="no column 'body'"):
        open_more(pd.DataFrame({"n": [1]}), pool, renderer)
    rows, renderer, _ = open_pool(frame, row=["n"])
    assert isinstance(renderer, RowRenderer)
    assert open_more(frame, rows, renderer).item(0) == {"n": 1}
    images, renderer, _ = open_pool(np.zeros((2, 3, 3)))
    assert len(open_more(np.ones((4, 3, 3)), images, renderer)) == 4


def test_more_of_another_form():
    pool, renderer, _ = open_pool(["a", "b"])
    with pytest.raises(OptionError, match=r"came without columns.*give a list or one column"):
        open_more(pd.DataFrame({"text": ["a"]}), pool, renderer)
    with pytest.raises(DataError, match="no items"):
        open_more([], pool, renderer)


def test_more_for_a_renderer_of_ones_own():
    class Mine(TextRenderer):
        kind = "mine"

    pool, renderer, _ = open_pool(["a"], show=Mine())
    assert open_more(["b"], pool, renderer).values == ["b"]


def test_a_session_that_cannot_be_lets_go_of_its_log(tmp_path):
    path = tmp_path / "labels.sqlite"
    first = Session(["a", "b"], ["x", "y"], store=path, inline=True)
    first.record("0", "x")
    first.close()
    with pytest.raises(StoreMismatchError) as caught:
        Session(["a", "b"], ["other", "labels"], store=path, inline=True)
    assert "x" in str(caught.value)  # which keeps the frames, and what is in them, alive
    assert os.listdir(tmp_path) == ["labels.sqlite"]  # nothing beside it: nobody has it open


def test_a_single_row_of_a_table_is_none():
    rows = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    for options in ({"row": True}, {"text": "b"}):
        pool, renderer, _ = open_pool(rows, **options)
        with pytest.raises(DataError, match=r"single row of a table: .*data\.iloc\[\[0\]\]"):
            open_more(rows.iloc[0], pool, renderer)
        assert len(open_more(rows.iloc[[0]], pool, renderer)) == 1


def test_what_learns_is_told_apart():
    parts = [
        (None, None, None), (None, False, None), (None, LogisticRegression(), None),
        (None, LogisticRegression(C=2.0), None), (None, DummyClassifier(), None),
        (None, None, "embedding"), (None, None, len), (None, None, np.ones((3, 2))),
        ("column", None, None),
    ]  # fmt: skip
    engines = [engine_of(*part) for part in parts]
    assert len(set(engines)) == len(parts)
    assert engine_of(None, LogisticRegression(), None) == engines[2]
