import pandas as pd
import pytest

from nblabel.errors import EventError
from nblabel.events import LabelEvent, Shown
from nblabel.labels import Labels
from nblabel.pool import Pool
from nblabel.tasks import Choice

TASK = Choice(["ham", "spam"])
POOL = Pool(list("abc"), pd.Index(["x", "y", "z"], name="key"))


class Story:
    """Folds events with ids e1, e2, ... in the order of telling."""

    def __init__(self) -> None:
        self.labels = Labels()
        self.told: list[LabelEvent] = []

    def tell(self, kind, item="x", value=None, who="ana", **changes) -> str:
        name = f"e{len(self.told) + 1}"
        event = LabelEvent(name, kind, item, who, value, "2024-05-01T10:00:00.000+00:00", **changes)
        self.told.append(event)
        assert self.labels.apply(len(self.told), event)
        return name


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_newest_answer_stands(story):
    story.tell("label", value="ham")
    story.tell("label", value="spam", who="bob")
    assert story.labels.label("x") == "spam" and len(story.labels) == 1
    assert story.labels.counts() == {"spam": 1}
    story.tell("skip")
    assert story.labels.label("x") is None and story.labels.skipped == ["x"]
    assert len(story.labels) == 0 and list(story.labels.answered) == ["x"]
    assert story.labels.current("x").kind == "skip"


def test_taking_back_brings_back_what_stood_before(story):
    story.tell("label", value="ham")
    second = story.tell("label", value="spam")
    story.tell("retract", value=second)
    assert story.labels.label("x") == "ham" and story.labels.counts() == {"ham": 1}
    story.tell("retract", value=second)  # twice is once
    assert story.labels.label("x") == "ham" and story.labels.is_retracted(second)
    story.tell("retract", value="e1")
    assert story.labels.current("x") is None and list(story.labels.answered) == []


def test_flags_and_notes_are_said_beside_the_label(story):
    story.tell("flag", value=True)
    story.tell("note", value="odd")
    later = story.tell("note", value="very odd")
    assert story.labels.flagged("x") and story.labels.note("x") == "very odd"
    assert list(story.labels.answered) == []
    story.tell("retract", value=later)
    story.tell("flag", value=False)
    assert story.labels.note("x") == "odd" and not story.labels.flagged("x")
    assert story.labels.note("y") == "" and not story.labels.flagged("y")


def test_an_event_folded_twice_counts_once(story):
    name = story.tell("label", value="ham")
    assert not story.labels.apply(9, story.told[0])
    assert len(story.labels.events) == 1 and name in story.labels and "e2" not in story.labels
    assert story.labels.position == 9


@pytest.mark.parametrize(
    ("kind", "item", "value", "message"),
    [
        ("retract", "x", "e9", "no event 'e9' to take back"),
        ("retract", "x", None, "no event None to take back"),
        ("retract", "y", "e1", "Event 'e1' is about 'x', not 'y'"),
        ("retract", "x", "e2", "kind 'retract' cannot be taken back"),
    ],
)
def test_what_cannot_be_taken_back(story, kind, item, value, message):
    story.tell("label", value="ham")
    story.tell("retract", value="e1")
    with pytest.raises(EventError, match=message):
        story.tell(kind, item, value)
    assert len(story.labels.events) == 2


def test_the_newest_of_an_annotator(story):
    story.tell("label", value="ham")
    story.tell("flag", "y", True, who="bob")
    story.tell("note", "y", "n")
    assert story.labels.last("ana").id == "e3" and story.labels.last("bob").id == "e2"
    story.tell("retract", "y", "e3")
    assert story.labels.last("ana").id == "e1" and story.labels.last("cem") is None


def test_the_trail_goes_back_in_pages(story):
    story.tell("label", value="ham")
    story.tell("label", "y", "ham", who="bob")
    story.tell("label", value="spam")
    story.tell("flag", value=True)
    gone = story.tell("skip", "z")
    story.tell("retract", "z", gone)
    rows, more = story.labels.trail("ana", 2)
    assert [(event.id, before) for event, before in rows] == [("e3", "ham"), ("e4", None)]
    rows, more = story.labels.trail("ana", 2, more)
    assert [(event.id, before) for event, before in rows] == [("e1", None)] and more is None
    assert story.labels.trail("ana", 2, 0) == ([], None)


def test_votes_are_each_annotators_own(story):
    story.tell("label", value="ham")
    story.tell("label", value="spam", who="bob")
    story.tell("label", value="spam")
    story.tell("label", "y", "ham", who="lf:short")
    story.tell("skip", "x", who="bob")
    votes = story.labels.votes()
    assert list(zip(votes.items, votes.annotators, votes.values, strict=True)) == [
        ("x", "ana", "spam"), ("y", "lf:short", "ham"),
    ]  # fmt: skip
    assert len(votes) == 2


def test_machines_are_left_out_of_what_is_learned_from(story):
    story.tell("label", value="ham")
    story.tell("label", "y", "spam", who="auto:c1")
    assert story.labels.labeled() == {"x": "ham"}
    assert story.labels.labeled(machines=True) == {"x": "ham", "y": "spam"}


def test_audits_keep_the_first_answer_and_the_label_that_stands(story):
    audit = Shown("audit", audit=True, draw=0, predicted="ham")
    story.tell("label", "z", "ham")
    story.tell("label", "x", "ham", shown=audit)
    story.tell("label", "x", "spam", shown=audit)
    story.tell("label", "y", "ham", shown=audit)
    story.tell("retract", "y", "e4")
    assert [(event.id, label, n) for event, label, n in story.labels.audits()] == [
        ("e2", "spam", 1)
    ]


def test_seconds_of_the_newest_answers(story):
    for seconds in (1.0, 2.0, None, 3.0):
        story.tell("label", value="ham", seconds=seconds)
    story.tell("flag", value=True, seconds=9.0)
    story.tell("retract", value="e2")
    assert story.labels.seconds() == [1.0, 3.0]
    assert story.labels.seconds(1) == [3.0]


def test_the_table_of_labels(story):
    shown = Shown("margin", suggestion="ham", confidence=0.75, visible=True, model_version=3)
    story.tell("label", "z", "spam", seconds=2.5, shown=shown)
    story.tell("label", "x", "ham")
    story.tell("note", "z", "hm")
    story.tell("flag", "z", True)
    story.tell("skip", "y")
    story.tell("label", "gone", "ham")
    table = story.labels.to_frame(POOL, TASK)
    assert list(table.index) == ["x", "z"] and table.index.name == "key"
    assert table.loc["z"].drop("labeled_at").to_dict() == {
        "label": "spam", "annotator": "ana", "seconds": 2.5, "suggestion": "ham",
        "probability": 0.75, "note": "hm", "flagged": True, "strategy": "margin", "audit": False,
        "visible": True, "model_version": 3,
    }  # fmt: skip
    assert table["labeled_at"].dt.tz is not None
    assert table.loc["x", "labeled_at"] == pd.Timestamp("2024-05-01T10:00Z")


def test_an_empty_table_has_the_columns_and_types_of_a_full_one(story):
    empty = story.labels.to_frame(POOL, TASK)
    story.tell("label", value="ham", seconds=1.0)
    full = story.labels.to_frame(POOL, TASK)
    assert list(empty.columns) == list(full.columns) and len(empty) == 0
    for name in ("seconds", "probability", "flagged", "audit", "visible", "model_version"):
        assert empty[name].dtype == full[name].dtype, name
    assert empty.index.name == "key"


def test_the_table_over_a_duplicate_index_and_a_multiindex():
    for index in (
        pd.Index(["d", "d", "e"]),
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]),
    ):
        pool, story = Pool(list("abc"), index), Story()
        assert len(story.labels.to_frame(pool, TASK)) == 0
        story.tell("label", pool.ids[2], "ham")
        story.tell("label", pool.ids[0], "spam")
        table = story.labels.to_frame(pool, TASK)
        assert table.index.equals(index[[0, 2]]) and table["label"].tolist() == ["spam", "ham"]


def test_the_history_holds_every_event(story):
    assert len(story.labels.history()) == 0 and "kind" in story.labels.history()
    story.tell("label", value="ham", shown=Shown("margin"))
    story.tell("retract", value="e1")
    history = story.labels.history()
    assert list(history.index) == [1, 2] and history.index.name == "number"
    assert history["retracted"].tolist() == [True, False]
    assert history["shown_strategy"].tolist() == ["margin", ""]
    assert str(history["at"].dt.tz) == "UTC"


def test_one_odd_clock_does_not_hide_the_other_labels():
    labels = Labels()
    labels.apply(1, LabelEvent("a", "label", "x", "ana", "ham", "yesterday"))
    labels.apply(2, LabelEvent("b", "label", "y", "ana", "ham", "2024-05-01T10:00:00Z"))
    for times in (labels.to_frame(POOL, TASK)["labeled_at"], labels.history()["at"]):
        assert times.isna().tolist() == [True, False]


def test_values_that_are_no_text_are_counted_by_their_json():
    labels = Labels()
    labels.apply(1, LabelEvent("a", "label", "x", "ana", {"b": 1, "a": 2}))
    labels.apply(2, LabelEvent("b", "label", "y", "ana", {"a": 2, "b": 1}))
    assert labels.counts() == {'{"a": 2, "b": 1}': 2}


def test_extend_counts_what_is_new(story):
    story.tell("label", value="ham")
    events = [(1, story.told[0]), (2, LabelEvent("n", "skip", "y", "ana"))]
    assert story.labels.extend(events) == 1 and story.labels.extend(events) == 0
