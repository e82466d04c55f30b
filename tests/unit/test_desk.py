"""The kernel's end of the protocol, without a browser."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier

from nblabel._core import Suggestion
from nblabel.errors import StoreError
from nblabel.session import Session
from nblabel.store import SqliteLog
from nblabel.widget import desk as desk_module
from nblabel.widget import protocol as p
from nblabel.widget.desk import MOST_CLIENTS, MOST_EARLY, TRAIL, Desk, utf16_marks

from .test_protocol import JSON, spoiled

TRUTH = ["spam" if k % 2 else "ham" for k in range(40)]
TEXTS = [
    f"🎉 win money prize number {k}" if label == "spam" else f"see you at lunch on day {k}"
    for k, label in enumerate(TRUTH)
]
SHOWN = {
    "strategy": "margin", "audit": False, "draw": None, "seed": None, "model_version": 0,
    "suggestion": None, "confidence": None, "visible": False, "position": 0,
}  # fmt: skip


def make(data: Any = None, **options: Any) -> Desk:
    options = {"store": None, "annotator": "ana", "inline": True, "blind": 0, **options}
    return Desk(Session(TEXTS if data is None else data, ["ham", "spam"], **options))


class Page:
    """What a page says, in order."""

    def __init__(self, desk: Desk, client: str = "page-1") -> None:
        self.desk = desk
        self.client = client
        self.seq = 0
        self.buffers: list[bytes] = []

    def send(self, type: str, **fields: Any) -> list[dict[str, Any]]:
        raw = {"v": 1, "type": type, "client": self.client, "id": "r1", **fields}
        replies = self.desk.handle(json.loads(json.dumps(raw)))
        self.buffers = [buffer for _, buffers in replies for buffer in buffers]
        messages = [message for message, _ in replies]
        for message in messages:
            assert message["client"] == self.client and message["re"] == "r1"
            assert message["v"] == p.VERSION
        return json.loads(json.dumps(messages, allow_nan=False))

    def hello(self, **fields: Any) -> dict[str, Any]:
        (reply,) = self.send("hello", **{"speaks": [1], "unsent": 0, **fields})
        return reply

    def want(self, n: int = 0, **fields: Any) -> dict[str, Any]:
        (reply,) = self.send("want", **{"n": n, "keep": [], "held": [], "ids": [], **fields})
        return reply

    def event(self, kind: str, item: str, value: Any = None, **fields: Any) -> dict[str, Any]:
        self.seq += 1
        return {
            "id": f"{self.client}-{self.seq}", "seq": self.seq, "kind": kind, "item": item,
            "value": value, "at": "2026-03-04T05:06:07.890Z", "seconds": 1.5, "shown": SHOWN,
            **fields,
        }  # fmt: skip

    def say(self, *events: dict[str, Any]) -> list[dict[str, Any]]:
        return self.send("event", events=list(events))

    def label(self, item: str, value: str, **fields: Any) -> list[dict[str, Any]]:
        return self.say(self.event("label", item, value, **fields))


def ids(reply: dict[str, Any]) -> list[str]:
    return [item["id"] for item in reply["items"]]


# ---------------------------------------------------------------- hello


def test_hello_tells_where_we_are() -> None:
    desk = make()
    desk.session.record("3", "ham")
    desk.session.record("3", "spam")
    desk.session.record("4", "ham", annotator="bob")
    reply = Page(desk).hello()
    assert (reply["type"], reply["annotator"]) == ("welcome", "ana")
    assert reply["session"] == desk.session.store_id and reply["note"] == "showing text"
    assert [(e["item"], e["value"], e["before"]) for e in reply["trail"]] == [
        ("3", "ham", None),
        ("3", "spam", "ham"),
    ]
    assert reply["more"] is None
    assert (reply["status"]["labeled"], reply["status"]["left"]) == (2, 38)


def test_a_page_of_another_version_is_told_what_to_do() -> None:
    reply = Page(make()).hello(v=9, speaks=[8, 9])
    assert (reply["type"], reply["code"]) == ("refuse", "version")
    assert "[8, 9]" in reply["text"] and "Reload the page" in reply["text"]
    assert Page(make()).hello(v=9, speaks=[9, 1])["type"] == "welcome"
    (reply,) = Page(make()).send("want", v=2, n=1, keep=[], held=[], ids=[])
    assert (reply["type"], reply["code"]) == ("refuse", "version")


# ---------------------------------------------------------------- want


def test_a_window_has_what_a_page_needs() -> None:
    page = Page(make(explore=0.5))
    reply = page.want(10)
    assert reply["window"] is True and len(reply["order"]) == 10
    assert ids(reply) == reply["order"] and len(set(reply["order"])) == 10
    item = reply["items"][0]
    assert item["view"] == {"kind": "text", "data": {"text": TEXTS[int(item["id"])]}, "buffers": 0}
    assert (item["name"], item["label"], item["note"]) == (item["id"], None, "")
    assert (item["flagged"], item["suggestion"]) == (False, None)
    assert item["reason"] and item["shown"]["strategy"]
    assert {i["shown"]["audit"] for i in reply["items"]} == {True, False}
    assert reply["rank"] == reply["status"]["rank"] == 1
    assert page.want(0)["window"] is False and page.want(-5)["order"] == []
    assert len(page.want(10**6)["order"]) == 40


def test_a_draw_comes_back_with_its_probability() -> None:
    desk = make(explore=1.0)
    page = Page(desk)
    item = page.want(3)["items"][1]
    assert item["shown"]["probability"] == 1 / 39
    page.label(item["id"], "ham", shown={**item["shown"], "position": 0})
    assert desk.session.history["shown_probability"].tolist() == [1 / 39]
    page.label("7", "ham")  # of a page from before there was the field
    assert desk.session.history["shown_probability"].notna().tolist() == [True, False]


def test_held_views_are_not_sent_again_and_pinned_items_stay() -> None:
    page = Page(make(explore=0))
    first = page.want(6)["order"]
    again = page.want(8, keep=first[:2], held=first[:4])
    assert again["order"][:2] == first[:2]
    seen = {item["id"]: item["view"] is None for item in again["items"]}
    assert len(seen) == 8
    assert {item: seen[item] for item in first} == {
        item: place < 4 for place, item in enumerate(first)
    }
    assert page.want(3, keep=["nope", first[1]], held=["nope"])["order"][0] == first[1]


def test_after_a_training_the_head_is_pinned_and_audits_are_owed() -> None:
    desk = make(explore=0.4, batch=4)
    page = Page(desk)
    window = page.want(20)
    audits = {item["id"] for item in window["items"] if item["shown"]["audit"]}
    order = window["order"]
    assert audits
    for item in order[:4]:
        page.label(item, TRUTH[int(item)])
    order = order[4:]
    rank = desk.session.rank_version
    assert rank > window["rank"]
    again = page.want(36, keep=order[:2], held=order)
    assert again["rank"] == rank
    assert again["order"][:2] == order[:2]
    assert again["order"][2:18] != order[2:18]  # ranked anew
    owed = audits & set(order)
    assert owed <= set(again["order"])
    by_id = {item["id"]: item for item in again["items"]}
    assert all(by_id[item]["shown"]["audit"] for item in owed)
    assert by_id[order[0]]["suggestion"]["label"] in ("ham", "spam")


def test_large_items_come_in_small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MOST_BYTES", 1000)
    small = Page(make(["x" * 200 + str(k) for k in range(30)], explore=0)).want(30)
    assert 3 < len(small["order"]) < 6
    large = make(["x" * 2000 + str(k) for k in range(30)], explore=0)
    page = Page(large)
    order = page.want(30)["order"]
    assert len(order) == 3  # the current one, the next, and one in reserve
    for n in (4, 5):  # a page that asks on gets one more, not the same for ever
        reply = page.want(30, keep=order[:2], held=order)
        assert [i["id"] for i in reply["items"] if i["view"]] == reply["order"][-1:]
        order = reply["order"]
        assert len(order) == n


def test_items_are_sent_by_name_for_going_back() -> None:
    desk = make()
    page = Page(desk)
    page.label("5", "spam")
    page.say(page.event("note", "5", "odd 🤔"), page.event("flag", "5", True))
    reply = page.want(0, ids=["5", "nope", "6"])
    assert ids(reply) == ["5", "6"] and reply["order"] == []
    assert [reply["items"][0][k] for k in ("label", "note", "flagged", "reason")] == [
        "spam", "odd 🤔", True, "answered before",
    ]  # fmt: skip
    assert reply["items"][0]["view"]["data"]["text"] == TEXTS[5]
    assert reply["items"][0]["shown"]["strategy"] == "browse"
    assert len(page.want(0, ids=[str(k % 40) for k in range(200)])["items"]) == 50


def test_buffers_go_beside_the_message() -> None:
    images = np.random.default_rng(0).integers(0, 255, (5, 8, 8), dtype=np.uint8)
    page = Page(make(images))
    reply = page.want(4, held=["0"])
    counts = [item["view"]["buffers"] for item in reply["items"] if item["view"]]
    assert sum(counts) == len(page.buffers) > 0
    assert all(buffer.startswith(b"\x89PNG") for buffer in page.buffers)


def test_suggestions_and_their_marks_count_in_utf16_units() -> None:
    desk = make()
    for k in range(10):
        desk.session.record(str(k), TRUTH[k])
    page = Page(desk)
    page.send("want", n=0, keep=[], held=[], ids=[], retrain=True)
    reply = page.want(0, ids=["11"])
    suggestion = reply["items"][0]["suggestion"]
    assert suggestion["label"] == "spam" and suggestion["ranking"][0][0] == "spam"
    assert suggestion["confidence"] == suggestion["ranking"][0][1]
    assert suggestion["version"] == reply["status"]["version"] > 0
    units = TEXTS[11].encode("utf-16-le")
    start, end, _ = suggestion["marks"][0]
    assert units[2 * start : 2 * end].decode("utf-16-le").startswith("win")
    python = desk.session.marks("11", "spam")[0]
    assert (start, end) == (python[0] + 1, python[1] + 1)  # the emoji counts twice


@given(st.text(max_size=30), st.data())
@settings(max_examples=200, deadline=None)
def test_marks_cut_the_same_text_on_both_sides(text: str, data: st.DataObject) -> None:
    edges = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=8)))
    marks = [(a, b, 1.0) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    units = text.encode("utf-16-le", "surrogatepass")
    for (start, end, _), (a, b, weight) in zip(marks, utf16_marks(text, marks), strict=True):
        assert units[2 * a : 2 * b].decode("utf-16-le", "surrogatepass") == text[start:end]
        assert weight == 1.0


@pytest.mark.parametrize("place", [0, 3, 11, 12, 30])
def test_of_many_classes_the_likeliest_is_sent_wherever_it_stands(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranking = [(f"c{k}", 0.5 if k == place else 0.01) for k in range(40)]
    monkeypatch.setattr(Session, "suggestion", lambda *_: Suggestion("c0", 0.01, ranking, 1))
    item = Page(make()).want(1)["items"][0]
    sent = [name for name, _ in item["suggestion"]["ranking"]]
    assert len(sent) == 12 and sent[:11] == [f"c{k}" for k in range(11)]
    assert sent[11] == f"c{max(place, 11)}"


def test_views_are_made_once_but_large_ones_not_kept() -> None:
    made: list[str] = []

    def show(item: str) -> str:
        made.append(item[:5])
        return item

    desk = make(["small", "large" + "x" * 300_000], show=show, explore=0)
    for _ in range(3):
        Page(desk).want(0, ids=["0", "1"])
    assert made.count("small") == 1 and made.count("large") == 3


def test_many_views_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "MOST_ITEMS", 5)
    desk = make()
    page = Page(desk)
    page.want(0, ids=[str(k) for k in range(30)])
    assert len(desk._views) == 10
    assert ("29", False) in desk._views and ("0", False) not in desk._views


def test_an_item_that_cannot_be_shown_is_a_card() -> None:
    def show(item: str) -> str:
        raise RuntimeError("no picture")

    item = Page(make(show=show)).want(1)["items"][0]
    assert item["view"]["kind"] == "error"
    assert item["view"]["data"]["text"] == "RuntimeError: no picture"


def test_a_window_may_order_a_training() -> None:
    desk = make()
    page = Page(desk)
    page.label("0", "ham")
    page.label("1", "spam")
    assert page.want(1)["status"]["version"] == 0
    assert page.want(1, retrain=True)["status"]["version"] > 0


def test_skipped_items_come_back_when_asked_for() -> None:
    page = Page(make(TEXTS[:3], explore=0))
    for item in page.want(3)["order"]:
        page.say(page.event("skip", item))
    assert page.want(3)["order"] == []
    reply = page.want(3, skipped=True)
    assert sorted(reply["order"]) == ["0", "1", "2"]
    assert reply["status"]["skipped"] == 3 and reply["status"]["left"] == 3


def test_the_trail_is_paged() -> None:
    desk = make([f"text {k}" for k in range(TRAIL + 60)])
    for k in range(TRAIL + 50):
        desk.session.skip(str(k))
    page = Page(desk)
    welcome = page.hello()
    assert len(welcome["trail"]) == TRAIL and welcome["trail"][-1]["item"] == str(TRAIL + 49)
    older = page.want(0, before=welcome["more"])
    assert [e["item"] for e in older["trail"]] == [str(k) for k in range(50)]
    assert older["more"] is None
    assert page.want(0, before=-5)["trail"] == page.want(0, before=0)["trail"] == []


# ---------------------------------------------------------------- events


def test_what_is_said_is_stored_then_acknowledged(tmp_path: Path) -> None:
    desk = make(store=tmp_path / "labels.sqlite")
    page = Page(desk)
    events = [
        page.event("label", "0", "spam", shown={**SHOWN, "visible": True, "suggestion": "ham"}),
        page.event("skip", "1"),
        page.event("flag", "0", True),
        page.event("note", "0", "odd 🤔"),
        page.event("label", "2", "ham"),
        page.event("retract", "2", "page-1-5"),
    ]
    (ack,) = page.say(*events)
    assert (ack["type"], ack["expected"]) == ("ack", 7)
    assert ack["ids"] == [event["id"] for event in events]
    assert (ack["status"]["labeled"], ack["status"]["skipped"]) == (1, 1)
    stored = [event for _, event in SqliteLog(tmp_path / "labels.sqlite").read()]
    assert [event.kind for event in stored] == [event["kind"] for event in events]
    first = stored[0]
    assert (first.annotator, first.seconds, first.value) == ("ana", 1.5, "spam")
    assert first.at == "2026-03-04T05:06:07.890Z"
    assert (first.shown.view, first.shown.visible, first.shown.suggestion) == ("card", True, "ham")
    assert desk.session.said("0") == ("spam", "odd 🤔", True)


def test_events_out_of_order_wait_for_the_earlier_one() -> None:
    desk = make()
    page = Page(desk)
    one, two, three = (page.event("label", "0", v) for v in ("ham", "spam", "ham"))
    (ack,) = page.say(three)
    assert (ack["ids"], ack["expected"]) == ([], 1)
    (ack,) = page.say(two)
    assert (ack["ids"], ack["expected"]) == ([], 1)
    assert len(desk.session.history) == 0
    (ack,) = page.say(one)
    assert (ack["ids"], ack["expected"]) == ([one["id"], two["id"], three["id"]], 4)
    assert desk.session.history["value"].tolist() == ["ham", "spam", "ham"]


def test_a_repeat_is_acknowledged_and_changes_nothing() -> None:
    desk = make()
    page = Page(desk)
    events = [page.event("label", "0", "ham"), page.event("label", "1", "spam")]
    page.say(*events)
    for again in (events, events[:1], events[::-1]):
        (ack,) = page.say(*again)
        assert sorted(ack["ids"]) == sorted(e["id"] for e in again) and ack["expected"] == 3
    assert len(desk.session.history) == 2
    (ack,) = page.say()
    assert (ack["ids"], ack["expected"]) == ([], 3)


def test_a_page_that_counts_anew_loses_nothing() -> None:
    """An old number must not pass for an old event: what is acknowledged is on disk."""
    desk = make()
    page = Page(desk)
    page.label("0", "ham")
    page.label("1", "spam")
    for k, seq in enumerate((1, 2, 2, 3), start=2):
        event = {**page.event("label", str(k), "ham"), "id": f"anew-{k}", "seq": seq}
        (ack,) = page.say(event)
        assert ack["ids"] == [f"anew-{k}"]
        assert desk.session.knows(f"anew-{k}") and desk.session.said(str(k))[0] == "ham"
    assert len(desk.session.labels) == 6


def test_numbers_that_wait_and_are_used_again_lose_nothing() -> None:
    desk = make()
    page = Page(desk)
    late = {**page.event("label", "5", "ham"), "id": "late", "seq": 3}
    page.say(late)  # its forerunners never come: the page counts anew
    page.say({**late, "seq": 1})
    for seq in (2, 3, 4):
        event = {**page.event("label", str(seq), "spam"), "id": f"new-{seq}", "seq": seq}
        (ack,) = page.say(event)
        assert f"new-{seq}" in ack["ids"]
    assert desk.session.labels["label"].to_dict() == {2: "spam", 3: "spam", 4: "spam", 5: "ham"}
    assert len(desk.session.history) == 4


def test_two_pages_count_for_themselves() -> None:
    desk = make()
    one, two = Page(desk, "page-1"), Page(desk, "page-2")
    a, b = one.want(5)["order"], two.want(5)["order"]
    assert not set(a) & set(b)
    assert one.label(a[0], "ham")[0]["expected"] == 2
    assert two.label(b[0], "spam")[0]["expected"] == 2
    assert one.label(a[1], "ham")[0]["expected"] == 3
    assert len(desk.session.labels) == 3
    reply = two.want(10, keep=b[1:3])
    assert not set(reply["order"]) & {a[0], a[1], b[0]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "spma"}, "'spma' is not one of the labels. Did you mean 'spam'?"),
        ({"item": "nope"}, "The pool has no item 'nope'."),
        ({"value": None}, "None is not one of the labels."),
        ({"id": ""}, "Event field 'id' must be non-empty text"),
        ({"kind": "retract", "value": "e0"}, "There is no event 'e0' to take back."),
        ({"kind": "flag", "value": "yes"}, "The value of a flag is true or false, got 'yes'."),
        ({"kind": "note", "value": None}, "The value of a note is text, got None."),
        ({"kind": "skip", "value": "x"}, "A skip has no value, got 'x'."),
        ({"seconds": -3}, "Seconds are a number from 0, got -3.0."),
    ],
)
def test_what_is_illegal_is_rejected_for_good_and_stops_nothing(
    changes: dict[str, Any], said: str
) -> None:
    desk = make()
    page = Page(desk)
    wrong = {**page.event("label", "0", "ham"), **changes}
    right = page.event("label", "1", "ham")
    reject, ack = page.say(wrong, right)
    assert (reject["type"], reject["code"], reject["retry"]) == ("reject", "illegal", False)
    assert reject["ids"] == [wrong["id"]] and reject["text"].startswith(said)
    assert (ack["ids"], ack["expected"]) == ([right["id"]], 3)
    assert len(desk.session.history) == 1
    assert page.say(wrong)[0] == reject  # twice: the same


class Failing:
    """Makes the append of a log fail until it is told not to."""

    def __init__(self, desk: Desk, error: Callable[[], Exception]) -> None:
        self.log = desk.session._log
        self.append_for_real = self.log.append
        self.error = error
        self.fails = 1
        self.log.append = self.append  # type: ignore[method-assign]

    def append(self, events: Any) -> list[int]:
        if self.fails:
            self.fails -= 1
            raise self.error()
        return self.append_for_real(events)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (lambda: StoreError("The disk is full: make room."), "The disk is full: make room."),
        (lambda: RuntimeError("the server is gone"), "RuntimeError: the server is gone"),
    ],
)
def test_what_cannot_be_stored_now_is_asked_for_again(
    error: Callable[[], Exception], said: str
) -> None:
    desk = make()
    page = Page(desk)
    page.label("0", "ham")
    Failing(desk, error)
    events = [page.event("label", str(k), "ham") for k in (1, 2)]
    ahead = page.event("label", "4", "ham", seq=5)
    reject, ack = page.say(*events, ahead)
    assert (reject["code"], reject["retry"], reject["text"]) == ("store", True, said)
    assert reject["ids"] == [events[0]["id"], events[1]["id"], ahead["id"]]
    assert (ack["ids"], ack["expected"]) == ([], 2)
    assert len(desk.session.labels) == 1
    (ack,) = page.say(*events)
    assert (ack["ids"], ack["expected"]) == ([e["id"] for e in events], 4)
    assert len(desk.session.labels) == 3


def test_a_failure_in_the_middle_keeps_what_came_before() -> None:
    desk = make()
    page = Page(desk)
    failing = Failing(desk, lambda: StoreError("full"))
    failing.fails = 0
    # One that is not legal: each is written for itself.
    events = [page.event("label", str(k), "eggs" if k == 3 else "ham") for k in range(4)]
    append = failing.append

    def second(batch: Any) -> list[int]:
        if batch[0].item == "1" and not failing.fails:
            failing.fails = 1
        return append(batch)

    failing.log.append = second  # type: ignore[method-assign]
    reject, ack = page.say(*events)
    assert reject["ids"] == [e["id"] for e in events[1:]]
    assert (ack["ids"], ack["expected"]) == ([events[0]["id"]], 2)
    failing.log.append = append  # type: ignore[method-assign]
    wrong, ack = page.say(*events)
    assert wrong["ids"] == [events[3]["id"]] and not wrong["retry"]
    assert ack["expected"] == 5 and len(desk.session.history) == 3


def test_early_events_are_bounded() -> None:
    desk = make()
    page = Page(desk)
    page.seq = 1
    for _ in range(3):
        page.say(*[page.event("flag", "0", True) for _ in range(900)])
    assert len(desk._clients["page-1"].early) <= MOST_EARLY


def test_old_pages_are_forgotten() -> None:
    desk = make()
    first = Page(desk, "first")
    held = first.want(30)["order"]
    first.label(held[0], "ham")
    for k in range(MOST_CLIENTS):
        Page(desk, f"page-{k}").hello()
    assert len(desk._clients) == MOST_CLIENTS and "first" not in desk._clients
    assert set(Page(desk, "last").want(39)["order"]) & set(held)  # they are free again
    (ack,) = first.label(held[1], "ham")  # it is unknown now, and its number too high
    assert (ack["ids"], ack["expected"]) == ([], 1)
    (ack,) = first.say({**first.event("label", held[1], "ham"), "id": "page-2", "seq": 1})
    assert "page-2" in ack["ids"]


def test_threads_of_one_page_keep_its_order() -> None:
    desk = make()
    page = Page(desk)
    events = [page.event("label", str(k % 40), ["ham", "spam"][k % 2]) for k in range(80)]
    threads = [
        threading.Thread(target=lambda part: [page.say(event) for event in part], args=(part,))
        for part in (events[::3], events[1::3], events[2::3])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert desk.session.history["id"].tolist() == [event["id"] for event in events]


# ---------------------------------------------------------------- replaced


def test_a_replaced_desk_serves_no_more_but_loses_nothing() -> None:
    old, middle, new = make(), make(), make()
    page = Page(old)
    page.hello()
    old.successor, middle.successor = middle, new
    for reply in (page.hello(), page.want(5)):
        assert (reply["type"], reply["code"]) == ("refuse", "replaced")
        assert "Go on in the newer output" in reply["text"]
    ack, ended = page.label("0", "ham")
    assert (ended["type"], ended["code"]) == ("refuse", "replaced")
    assert ack["type"] == "ack" and ack["status"]["labeled"] == 1
    assert len(new.session.labels) == 1
    assert len(old.session.labels) == len(middle.session.labels) == 0


# ---------------------------------------------------------------- what others said


def test_a_page_is_told_of_what_it_did_not_say(tmp_path: Path) -> None:
    desk = make(store=tmp_path / "log.sqlite", batch=1000)
    one, two = Page(desk, "one"), Page(desk, "two")

    def outside(page: Page) -> int:
        return page.want(0)["status"]["outside"]

    before = one.hello()["status"]["outside"]
    assert one.label("3", "ham")[0]["status"]["outside"] == before
    two.hello()
    two.label("4", "ham")
    assert outside(one) == outside(two) == before  # pages never hold the same items
    desk.session.undo()
    assert outside(one) == outside(two) == before + 1
    desk.session.record("5", "spam")
    assert outside(one) == outside(two) == before + 2
    # What another page took back may have been said here.
    two.say(two.event("retract", "3", "one-1"))
    assert (outside(one), outside(two)) == (before + 3, before + 2)
    other = Session(TEXTS, ["ham", "spam"], store=tmp_path / "log.sqlite", inline=True)
    other.record("6", "ham")
    desk.session.refresh()
    assert (outside(one), outside(two)) == (before + 4, before + 3)
    other.close()
    assert [e["item"] for e in one.hello()["trail"]] == ["5"]


# ---------------------------------------------------------------- anything


@pytest.mark.parametrize("raw", [None, 3, "hello", [], {}, {"type": "notice", "client": 3}])
def test_what_is_not_ours_is_ignored(raw: Any) -> None:
    assert make().handle(raw) == []


def test_what_is_off_is_refused_if_somebody_waits() -> None:
    desk = make()
    ((reply, buffers),) = desk.handle({"v": 1, "type": "want", "client": "c", "id": "r9"})
    assert (reply["type"], reply["code"], reply["re"]) == ("refuse", "field", "r9")
    assert (reply["client"], reply["text"], buffers) == ("c", "want.n is missing", [])
    ((reply, _),) = desk.handle({"v": 1, "type": "want", "client": "c", "id": 9})
    assert reply["re"] == ""
    assert desk.handle({"v": 1, "type": "want", "id": "r9"}) == []


@pytest.mark.parametrize("again", [False, True])
def test_a_page_can_stop_a_training_and_begin_another(again: bool) -> None:
    go = threading.Event()

    class Waits(DummyClassifier):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            go.wait()
            return super().fit(X, y, sample_weight)

    desk = make(model=Waits(), worker="thread", inline=False)
    page = Page(desk)
    for k in range(10):
        desk.session.record(str(k), TRUTH[k])
    desk.session.retrain()
    assert page.want(0)["status"]["training"] == "training"
    status = page.want(0, cancel=True, retrain=again)["status"]
    assert status["training"] == ("training" if again else "waiting")
    assert (status["doing"] == "training cancelled") is not again
    go.set()
    assert desk.session.wait(60)
    assert desk.session.status()["version"] == int(again)


@pytest.fixture(scope="module")
def any_desk() -> Desk:
    desk = make(explore=0.3, batch=50)
    for k in range(10):
        desk.session.record(str(k), TRUTH[k])
    desk.session.retrain()
    return desk


KNOWN = st.sampled_from(["0", "1", "39", "nope", "", "\ud800"])
SOME = st.none() | st.booleans() | KNOWN | st.sampled_from(["ham", "spam", "e1"])
EVENTS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["e1", "e2", "", "\udfff"]) | st.text(max_size=4),
        "seq": st.integers(-2, 6) | st.integers(),
        "kind": st.sampled_from(["label", "skip", "flag", "note", "retract", "certify"]),
        "item": KNOWN,
        "value": SOME,
        "at": st.sampled_from(["", "now", "2026-03-04T05:06:07Z", "0000-00-00"]),
        "seconds": st.none() | st.floats() | st.integers(),
        "shown": st.just(SHOWN),
    }
)
MESSAGES = st.one_of(
    st.fixed_dictionaries(
        {
            "v": st.just(1),
            "type": st.just("event"),
            "client": st.sampled_from(["a", "b"]),
            "id": st.text(max_size=3),
            "events": st.lists(EVENTS, max_size=4),
        }
    ),
    st.fixed_dictionaries(
        {
            "v": st.just(1),
            "type": st.just("want"),
            "client": st.sampled_from(["a", "b"]),
            "id": st.text(max_size=3),
            "n": st.integers(-3, 50) | st.integers(),
            "keep": st.lists(KNOWN, max_size=3),
            "held": st.lists(KNOWN, max_size=3),
            "ids": st.lists(KNOWN, max_size=3),
            "before": st.none() | st.integers(),
            "skipped": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {
            "v": st.just(1), "type": st.just("find"), "client": st.just("c"), "id": st.just("r"),
            "rule": st.sampled_from(["class", "similar", "search", "ids"]),
            "of": KNOWN | st.sampled_from(["", "ham", "money", '"', "\ud83d"]),
            "strategy": st.sampled_from(["grid", "similar", "search", "map"]),
            "n": st.integers(-3, 300),
            "but": st.lists(KNOWN, max_size=3),
            "ids": st.lists(KNOWN, max_size=3),
            "least": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {
            "v": st.just(1), "type": st.just("chart"), "client": st.just("c"), "id": st.just("r"),
            "method": st.sampled_from(["pca", "umap"]),
            "begin": st.booleans(),
            "cancel": st.booleans(),
            "places": st.lists(st.integers(-3, 9) | st.integers(), max_size=4),
        }
    ),
    st.fixed_dictionaries(
        {
            "v": st.just(1), "type": st.just("read"), "client": st.just("c"), "id": st.just("r"),
            "item": st.none(),
            "name": st.sampled_from(["", "xy/pca/1", "label/4.0", "confidence/", "xy/umap"]),
            "start": st.integers(-3, 50) | st.integers(),
            "length": st.integers(-3, 50) | st.integers(),
        }
    ),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(raw=JSON | spoiled() | MESSAGES)
def test_no_message_breaks_the_desk(any_desk: Desk, raw: Any) -> None:
    replies = any_desk.handle(raw)
    for message, buffers in replies:
        assert message["type"] in (
            "welcome", "items", "found", "ack", "reject", "refuse", "charted", "piece"
        )  # fmt: skip
        text = json.dumps(message, ensure_ascii=False, allow_nan=False)
        text.encode()
        assert message["client"] == raw["client"]
        assert buffers == [] or message["type"] == "piece"
    session = any_desk.session
    assert session.last_error is None
    assert len(session.labels) == session.status()["labeled"]
    assert session.history["at"].notna().all()


# ---------------------------------------------------------------- many in one message

kinds = st.sampled_from(["label", "label", "label", "wrong", "skip", "flag", "retract", "again"])


@settings(max_examples=40, deadline=None, database=None)
@example([("label", 0, 0), ("retract", 0, 0), ("retract", 0, 1)])
@given(st.lists(st.tuples(kinds, st.integers(0, 5), st.integers(0, 9)), max_size=12))
def test_events_in_one_message_are_stored_as_if_each_came_alone(
    said: list[tuple[str, int, int]],
) -> None:
    """Whatever of them is not legal, comes twice, or takes back what came before."""
    together, alone = Page(make(model=False)), Page(make(model=False))
    events: list[dict[str, Any]] = []
    for kind, item, which in said:
        earlier = events[which % len(events)] if events else None
        if kind == "again" and earlier is not None:
            together.seq += 1
            events.append({**earlier, "seq": together.seq})
        elif kind == "retract" and earlier is not None:
            events.append(together.event("retract", earlier["item"], earlier["id"]))
        elif kind in ("label", "wrong"):
            value = "ham" if kind == "label" else "eggs"
            events.append(together.event("label", str(item), value))
        elif kind in ("skip", "flag"):
            events.append(together.event(kind, str(item), True if kind == "flag" else None))
    *rejects, ack = together.say(*events)
    answers = [answer for event in events for answer in alone.say(event)]
    refused = [answer for answer in answers if answer["type"] == "reject"]
    assert [r["ids"] for r in rejects] == [r["ids"] for r in refused]
    assert [r["text"] for r in rejects] == [r["text"] for r in refused]
    stored = [answer for answer in answers if answer["type"] == "ack"]
    assert ack["ids"] == [name for answer in stored for name in answer["ids"]]
    if events:
        assert ack["status"] == stored[-1]["status"]
    one, other = together.desk.session, alone.desk.session
    assert list(one.history["id"]) == list(other.history["id"])
    assert one.labels["label"].to_dict() == other.labels["label"].to_dict()
