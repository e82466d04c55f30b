"""The widget, without a kernel."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nblabel import Labeler, Session
from nblabel.errors import NotFittedError, OptionError, TaskError
from nblabel.widget import protocol
from nblabel.widget.labeler import pin_route

TRUTH = ["spam" if k % 2 else "ham" for k in range(20)]
TEXTS = [
    f"win money prize number {k}" if label == "spam" else f"see you at lunch on day {k}"
    for k, label in enumerate(TRUTH)
]


def make(data: Any = None, task: Any = None, **options: Any) -> Labeler:
    options = {"store": None, "inline": True, "annotator": "ana", **options}
    return Labeler(TEXTS if data is None else data, task or ["ham", "spam"], **options)


def exchange(labeler: Labeler, *said: dict[str, Any]) -> list[dict[str, Any]]:
    """Hand messages to the widget as a comm does; return what it sends."""
    sent: list[dict[str, Any]] = []
    labeler.send = lambda content, buffers=None: sent.append(content)  # type: ignore[method-assign]
    for content in said:
        data = {"method": "custom", "content": content}
        labeler._handle_msg({"content": {"data": data}, "buffers": []})
    return sent


def hello(client: str = "page-1") -> dict[str, Any]:
    return {"v": 1, "type": "hello", "client": client, "id": "r1", "speaks": [1], "unsent": 0}


def event(item: str, value: str, seq: int = 1, client: str = "page-1") -> dict[str, Any]:
    shown = {
        "strategy": "margin", "audit": False, "draw": None, "seed": None, "model_version": 0,
        "suggestion": None, "confidence": None, "visible": False, "position": 0,
    }  # fmt: skip
    part = {
        "id": f"{client}-{seq}", "seq": seq, "kind": "label", "item": item, "value": value,
        "at": "2026-03-04T05:06:07Z", "seconds": 1, "shown": shown,
    }  # fmt: skip
    return {"v": 1, "type": "event", "client": client, "id": f"r{seq}", "events": [part]}


# ---------------------------------------------------------------- first contact


def test_the_first_contact() -> None:
    labeler = make()
    assert repr(labeler) == "Labeler(0 of 20 items labeled, kept in memory)"
    assert labeler.labels.empty and labeler.history.empty
    for k in range(10):
        labeler.session.record(str(k), TRUTH[k])
    assert labeler.labels["label"].tolist() == TRUTH[:10]
    assert labeler.predictions["label"].tolist() == TRUTH
    assert labeler.predict(["win money"])["label"].tolist() == ["spam"]
    assert labeler.model.predict(["win money"]).tolist() == ["spam"]
    assert labeler.frame()["label"].notna().sum() == 10
    assert len(labeler.history) == 10
    assert repr(labeler) == "Labeler(10 of 20 items labeled, kept in memory)"
    with pytest.raises(NotFittedError, match="at least two classes"):
        _ = make().model


def test_a_session_can_be_given() -> None:
    session = Session(TEXTS, ["ham", "spam"], store=None, inline=True)
    session.record("0", "ham")
    labeler = Labeler(session)
    assert labeler.session is session and len(labeler.labels) == 1
    for options in ({"task": ["a", "b"]}, {"batch": 3}):
        with pytest.raises(OptionError, match="brings its own labels and options; give it alone"):
            Labeler(session, **options)


def test_what_makes_no_sense_says_so() -> None:
    with pytest.raises(OptionError, match="instructions= is markdown text, got int"):
        make(instructions=3)
    with pytest.raises(TaskError, match="list of names such as"):
        Labeler(TEXTS, store=None)
    with pytest.raises(OptionError, match="batch= is a whole number"):
        make(batch=0)
    with pytest.raises(OptionError, match=r"Labeler has no option colour=. There are: 'text'"):
        make(colour="blue")
    with pytest.raises(OptionError, match=r"no option strateg=. Did you mean 'strategy'"):
        make(strateg="margin")


# ---------------------------------------------------------------- what is synced


def synced(labeler: Labeler) -> dict[str, Any]:
    return {k: v for k, v in labeler.get_state().items() if k not in ("_esm", "_css")}


def test_the_config_is_what_a_fresh_view_needs() -> None:
    labeler = make(instructions="Read **all**.", batch=7, question="Is it spam?")
    config = labeler.get_state()["_config"]
    assert config["protocol"] == protocol.VERSION
    assert config["session"] == labeler.session.store_id
    assert config["task"] == labeler.session.task.spec()
    assert config["task"]["question"] == "Is it spam?"
    assert (config["instructions"], config["batch"]) == ("Read **all**.", 7)
    assert config["suggest"] is True
    assert make(suggest=False).get_state()["_config"]["suggest"] is False
    assert make(model=False).get_state()["_config"]["suggest"] is False
    assert config["widget"] != make().get_state()["_config"]["widget"]


def test_no_item_is_ever_a_trait() -> None:
    small = make(["secret one", "secret two"])
    many = [f"secret text number {k} of very many" for k in range(5000)]
    large = make(pd.DataFrame({"text": many}), model=False, strategy="random")
    exchange(large, hello(), event("3", "spam"))
    large.session.annotate("3", "secret note")
    sizes = [len(json.dumps(synced(labeler))) for labeler in (small, large)]
    assert max(sizes) < 2000 and abs(sizes[0] - sizes[1]) < 50
    assert "secret" not in json.dumps([synced(small), synced(large)])
    assert len(large.labels) == 1


def test_the_page_is_one_file_and_its_style() -> None:
    state = make().get_state()
    assert "export" in state["_esm"] and "nblabel" in state["_css"]


# ---------------------------------------------------------------- what is shown


def mimebundle(labeler: Labeler) -> dict[str, Any]:
    found = labeler._repr_mimebundle_()
    assert found is not None
    json.dumps(found)
    return found[0]


def test_without_a_kernel_there_is_a_summary() -> None:
    labeler = make(task=["<b>ham</b>", "sp&am"])
    data = mimebundle(labeler)
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"] == "Labeler(0 of 20 items labeled, kept in memory)"
    assert "0 of 20 items labeled, kept in memory (not saved)" in data["text/html"]
    labeler.session.record("0", "<b>ham</b>")
    labeler.session.record("1", "sp&am")
    text = mimebundle(labeler)["text/html"]
    assert "2 of 20 items labeled (&lt;b&gt;ham&lt;/b&gt; 1, sp&amp;am 1)" in text
    assert "<b>" not in text and "Run the cell to go on labeling." in text
    assert "lunch" not in text and "money" not in text


def test_the_summary_names_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "a&b"
    folder.mkdir()
    data = mimebundle(make(store=folder / "labels.sqlite"))
    assert data["text/plain"].endswith(f"kept in {folder / 'labels.sqlite'})")
    assert "a&amp;b" in data["text/html"]


def test_without_a_bundle_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    import anywidget

    monkeypatch.setattr(anywidget.AnyWidget, "_repr_mimebundle_", lambda self, **kwargs: None)
    assert make()._repr_mimebundle_() is None


# ---------------------------------------------------------------- messages


def test_a_page_labels() -> None:
    labeler = make()
    welcome, ack = exchange(labeler, hello(), event("3", "spam"))
    assert (welcome["type"], welcome["session"]) == ("welcome", labeler.session.store_id)
    assert (ack["type"], ack["ids"]) == ("ack", ["page-1-1"])
    assert labeler.labels["label"].to_dict() == {3: "spam"}
    assert exchange(labeler, {"type": "nonsense"}) == []


def test_a_cell_run_twice_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    first = make(store=path)
    exchange(first, hello(), event("0", "ham"))
    second = make(store=path)
    assert len(second.labels) == 1
    (refuse,) = exchange(first, hello())
    assert (refuse["type"], refuse["code"]) == ("refuse", "replaced")
    ack, refuse = exchange(first, event("1", "spam", seq=2))  # what was under way is not lost
    assert refuse["type"] == "refuse"
    assert ack["type"] == "ack"
    assert second.labels["label"].to_dict() == {0: "ham", 1: "spam"}
    (welcome,) = exchange(second, hello("page-2"))
    assert welcome["type"] == "welcome" and len(welcome["trail"]) == 2
    third = make(store=path)
    exchange(first, event("2", "ham", seq=3))
    assert third.labels["label"].to_dict() == {0: "ham", 1: "spam", 2: "ham"}


def test_labelers_of_other_files_leave_each_other_alone(tmp_path: Path) -> None:
    one = make(store=tmp_path / "one.sqlite")
    two = make(store=tmp_path / "two.sqlite")
    memory = make()
    make()
    for labeler in (one, two, memory):
        assert [reply["type"] for reply in exchange(labeler, hello())] == ["welcome"]


def test_two_labelers_of_one_session() -> None:
    session = Session(TEXTS, ["ham", "spam"], store=None, inline=True)
    first, second = Labeler(session), Labeler(session)
    assert exchange(first, hello())[0]["type"] == "refuse"
    assert exchange(second, hello())[0]["type"] == "welcome"


# ---------------------------------------------------------------- the route


class Comm:
    def _reply_subshell_for(self, data: Any, named: str | None) -> str:
        return "whoever published last"


def test_the_front_end_names_the_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    comm = Comm()
    pin_route(comm)
    assert comm._reply_subshell_for({}, "subshell-1") == "subshell-1"
    assert comm._reply_subshell_for({}, None) is None


def test_where_there_is_nothing_to_pin_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = types.SimpleNamespace()
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    pin_route(plain)
    pin_route(None)
    assert vars(plain) == {}
    monkeypatch.delitem(sys.modules, "ipykernel")
    comm = Comm()
    pin_route(comm)
    assert comm._reply_subshell_for({}, "subshell-1") == "whoever published last"


def test_a_change_in_a_cell_tells_the_pages_to_ask_once() -> None:
    labeler = make(["one", "two", "three"], batch=1000)
    news = [labeler._news]
    labeler.observe(lambda change: news.append(change["new"]), "_news")
    exchange(labeler, hello(), event("0", "spam"))
    assert news == [0], "the page knows what it said itself"
    labeler.session.undo()
    labeler.session.record("1", "ham")
    labeler.add(["four"])
    assert news == [0, 1], "one word is enough until a page has asked"
    exchange(labeler, hello())
    labeler.add(["five"])
    assert news == [0, 1, 2]


def test_a_replaced_labeler_tells_nobody() -> None:
    session = Session(["one", "two"], ["ham", "spam"], store=None, inline=True)
    older, newer = Labeler(session), Labeler(session)
    session.record("0", "ham")
    assert (older._news, newer._news) == (0, 1)
