"""What a page may ask for: to see items and to label them, as the session's annotator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import nblabel as nl
from nblabel.events import SCHEMA, LabelEvent, new_id, now
from nblabel.testing import FakePage
from nblabel.widget import protocol

TEXTS = ["win money", "see you at ten", "lunch?", "cheap pills"]


@pytest.fixture
def session() -> nl.Session:
    return nl.Session(TEXTS, ["ham", "spam"], store=None, inline=True, annotator="ana")


def log(session: nl.Session) -> list[dict[str, Any]]:
    return session.history.reset_index().to_dict("records")


@pytest.mark.parametrize(
    "item", ["4", "-1", "", "0 ", "../0", "__class__", "[0]", "0\x00", "x" * 99]
)
def test_an_item_that_is_not_there_is_refused(session: nl.Session, item: str) -> None:
    page = FakePage(session).open()
    for kind, value in [("label", "ham"), ("skip", None), ("flag", True), ("note", "n")]:
        page.say(kind, item, value)
    page.want(0, ids=[item], keep=[item])
    assert len(page.rejected) == 4
    assert all(reply["code"] == "illegal" and not reply["retry"] for reply in page.rejected)
    assert log(session) == [] and set(page.items) == {"0", "1", "2", "3"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("label", "eggs"), ("label", ""), ("label", "HAM"), ("label", None), ("label", True),
        ("label", "ham "), ("skip", "ham"), ("flag", "yes"), ("flag", None), ("note", None),
        ("note", True), ("retract", "nothing"), ("retract", None), ("retract", True),
    ],
)  # fmt: skip
def test_a_value_that_is_not_legal_is_refused(session: nl.Session, kind: str, value: Any) -> None:
    page = FakePage(session).open()
    page.say(kind, "0", value)
    assert [reply["code"] for reply in page.rejected] == ["illegal"]
    assert log(session) == []
    page.label("0", "ham")  # the page goes on
    assert [row["value"] for row in log(session)] == ["ham"]


def test_a_page_speaks_as_the_sessions_annotator_whatever_it_says(session: nl.Session) -> None:
    """Fields that the protocol does not have are passed over, those of the log are the kernel's."""
    page = FakePage(session).open()
    event = {
        "id": "e1", "seq": 1, "kind": "label", "item": "0", "value": "ham", "at": now(),
        "seconds": 1.0, "shown": page.items["0"]["shown"],
        "annotator": "boss", "content": "0000", "schema": 99, "predicted": "spam",
    }  # fmt: skip
    event["shown"] = {**event["shown"], "predicted": "spam", "predicted_version": 9, "view": "api"}
    page.send("event", events=[event], annotator="boss", session="other")
    (row,) = log(session)
    assert row["annotator"] == "ana" and row["schema"] == SCHEMA
    assert row["content"] == session.pool.digest(0)
    assert (row["shown_predicted"], row["shown_predicted_version"]) == (None, 0)
    assert row["shown_view"] == "card"


def test_only_who_said_it_takes_it_back(session: nl.Session) -> None:
    said = session.record("0", "spam", annotator="bob")
    page = FakePage(session).open()
    assert page.trail == [], "what others said is not to be undone here"
    page.retract(said.id, "0")
    assert [reply["code"] for reply in page.rejected] == ["illegal"]
    assert session.labels["label"].to_dict() == {0: "spam"}
    own = page.label("1", "ham")
    page.retract(own, "1")
    assert session.labels["label"].to_dict() == {0: "spam"}
    with pytest.raises(nl.errors.EventError, match="was said by 'bob'; 'ana' cannot"):
        session.append([LabelEvent(new_id(), "retract", "0", "ana", said.id, now())])
    assert session.undo("bob") is not None and len(session.labels) == 0


def test_there_are_eight_requests_and_no_other(session: nl.Session) -> None:
    """Nothing reaches a method, an attribute or a file by its name."""
    known = {message.__name__ for message in protocol.FROM_PAGE}
    assert known == {"Hello", "Event", "Want", "Find", "Chart", "Plan", "Fetch", "Read"}
    page = FakePage(session).open()
    received = len(page.received)
    names = ["eval", "execute", "call", "close", "__init__", "_want", "session", "add", "seed"]
    for name in names:
        page.send(name, code="1/0", method="close", args=["."])
    answers = page.received[received:]
    assert [(answer["type"], answer["code"]) for answer in answers] == [("reject", "type")] * len(
        names
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../widget",
        "../../desk.py",
        "/etc/passwd",
        "editor-spans.js",
        "editor-\0",
        "widget",
    ],
)
def test_a_page_fetches_only_parts_of_the_page(session: nl.Session, name: str) -> None:
    page = FakePage(session).open()
    page.send("fetch", name=name)
    assert (page.received[-1]["type"], page.received[-1]["text"]) == ("module", None)
    page.send("fetch", name="editor-spans")
    assert "export" in page.received[-1]["text"]


def test_what_a_page_asks_for_is_bounded(session: nl.Session) -> None:
    page = FakePage(session).open()
    before = len(page.received)
    page.want(10**15, ids=["0"] * 5_000)
    assert len(page.items) == 4
    for name, value in [("ids", ["0"] * 5_001), ("held", ["0"] * 10**5), ("n", 10**400)]:
        page.send("want", **{"n": 1, "keep": [], "held": [], "ids": [], name: value})
        assert page.received[-1]["type"] == "refuse"
    page.send("event", events=[{}] * 1_001)
    assert page.received[-1]["type"] == "refuse"
    assert all(len(str(reply.get("text", ""))) < 500 for reply in page.received[before:])


def test_names_in_the_data_are_never_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items, columns, labels, notes and ids that look like paths make no file but the log."""
    work = tmp_path / "a" / "b"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    names = ["../../up", "/tmp/nblabel-evil", "..\\up", "C:\\up", "~/up", "a\0b", "%2e%2e/up"]
    import pandas as pd

    frame = pd.DataFrame({"../column": names}, index=[f"../{name}" for name in names])
    session = nl.Session(frame, names, text="../column", inline=True, question="../up")
    page = FakePage(session).open()
    for item in list(page.order):
        page.note(item, "../../note")
        page.label(item, names[0])
    assert len(session.labels) == len(names)
    session.frame(), session.history
    session.close()
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name.split("-")[0] for name in made} == {"a/b/labels.sqlite"}
    assert not os.path.exists("/tmp/nblabel-evil")
    for name in ("../up", "/tmp/up", "a\\b", "a\0b", "", " "):
        with pytest.raises(nl.errors.OptionError, match="name= names a file in this folder"):
            nl.Session(frame, ["a", "b"], text="../column", name=name)
