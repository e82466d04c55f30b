"""Whatever the line between pages and kernel does: nothing is lost, nothing is doubled.

Real desks over a real log; pages without a browser. The other end, the page of the browser, has its
own laws in ``js/test/property.test.ts``.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nblabel.errors import StoreError
from nblabel.session import Session
from nblabel.testing import FakePage
from nblabel.widget import protocol
from nblabel.widget.desk import Desk

ITEMS = [f"item {k}" for k in range(12)]
ANSWERS = {"welcome", "items", "ack", "reject", "refuse"}

turns = st.one_of(
    st.tuples(st.just("label"), st.integers(0, 11), st.sampled_from(["ham", "spam"])),
    st.tuples(st.sampled_from(["skip", "flag", "undo", "undo", "want", "resend", "reload"])),
    st.tuples(st.just("line"), st.sampled_from(["up", "down", "deaf", "held", "held"])),
    st.tuples(st.just("deliver"), st.randoms(use_true_random=False)),
    st.tuples(st.sampled_from(["restart", "cell", "disk"])),
    st.tuples(st.just("garbage"), st.integers(0, 7)),
)
texts = st.text(st.characters(exclude_categories=()), max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def spoiled(client: str) -> list[dict[str, Any]]:
    """Return messages that are malformed, of another version, unknown, or huge."""
    event = {
        "id": "x", "seq": 1, "kind": "label", "item": "0", "value": "ham", "at": "now",
        "seconds": 1.0, "shown": {"strategy": "browse"},
    }  # fmt: skip
    head = {"v": protocol.VERSION, "client": client, "id": "r"}
    wanted = {**head, "type": "want", "n": 1, "keep": [], "held": [], "ids": []}
    return [
        {**head, "type": "event", "events": [event]},
        {**head, "type": "event", "events": [{**event, "kind": "certify"}]},
        {**head, "type": "event", "v": 2, "events": []},
        {**head, "type": "notice"},
        {**head, "type": "hello", "speaks": [2, 3], "unsent": 0},
        {**wanted, "n": 10**400},
        {**wanted, "keep": ["y" * 200_000]},
        {**head, "type": "event", "events": [event] * (protocol.MOST_EVENTS + 1)},
    ]


class Fragile:
    """A log whose disk may be full."""

    def __init__(self, session: Session) -> None:
        self.full = False
        self._append = session._log.append
        session._log.append = self.append  # type: ignore[method-assign]

    def append(self, events: Any) -> list[int]:
        if self.full:
            raise StoreError("The disk is full.")
        return self._append(events)


class World:
    """One log, a kernel that may be restarted, and two pages on a bad line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        #: Everything that was said by pages and cells, by id.
        self.said: dict[str, tuple[str, str, Any]] = {}
        self.start()
        self.pages = [FakePage(self.desk).open(6), FakePage(self.desk).open(6)]

    def start(self) -> None:
        self.session = Session(
            ITEMS, ["ham", "spam"], store=self.path, annotator="ana", inline=True, model=False,
            strategy="random",
        )  # fmt: skip
        self.disk = Fragile(self.session)
        self.desk = Desk(self.session)

    def turn(self, page: FakePage, place: int, what: str, *rest: Any) -> None:
        match what:
            case "label":
                item, value = rest
                self.note(page.say, "label", str(item), value)
            case "skip" | "flag":
                self.note(page.say, what, str(place), True if what == "flag" else None)
            case "undo":
                if page.trail:
                    target = page.trail[-1]
                    self.note(page.say, "retract", target["item"], target["id"])
            case "want":
                page.want(5)
            case "resend":
                page.resend()
            case "line":
                page.line = rest[0]
            case "deliver":
                # In any order; one comes twice and one never.
                order = list(range(len(page.held)))
                order += order[:1]
                rest[0].shuffle(order)
                page.deliver(order[1:])
            case "reload":
                page.line = "up"
                self.pages[place % 2] = page.reload()
            case "restart":
                self.session.close()
                self.start()
                for each in self.pages:
                    each.desk = self.desk
            case "cell":
                with suppress(StoreError):
                    self.session.undo()
            case "disk":
                self.disk.full = not self.disk.full
            case "garbage":
                self.garbage(page, rest[0])

    def note(self, say: Any, kind: str, item: str, value: Any) -> None:
        self.said[say(kind, item, value)] = (kind, item, value)

    def garbage(self, page: FakePage, kind: int) -> None:
        """Send what no page should: it is answered by a word of ours, or not at all."""
        raw = spoiled(page.client)[kind]
        number = self.session.n_events
        for reply, buffers in self.desk.handle(raw):
            json.dumps(reply, allow_nan=False, ensure_ascii=False).encode()
            assert reply["type"] in ("refuse", "reject") and reply["text"] and not buffers
        assert self.session.n_events == number

    def heal(self) -> None:
        """The disk has room, the line is up: what is unsent is sent until nothing is left."""
        self.disk.full = False
        for page in self.pages:
            page.line = "up"
            page.deliver()
            page.resend()
            page.resend()  # a page that a new kernel does not know counts anew first
        for page in self.pages:
            page.hello()
            page.want(len(ITEMS))

    def count(self) -> tuple[int, int]:
        """Return how many events were lost, or changed, and how many are there twice."""
        events = [event for _, event in self.session._log.read(0)]
        found = {event.id: (event.kind, event.item, event.value) for event in events}
        lost = sum(found.get(name) != said for name, said in self.said.items())
        return lost, len(events) - len(found)

    def check(self) -> None:
        assert self.count() == (0, 0), "lost, doubled"
        for page in self.pages:
            assert page.outbox == {} and page.refused == ""
            assert [reply for reply in page.rejected if not reply["retry"]] == []
        # The page hears what is true: what it is asked lacks an answer.
        answered = set(map(str, self.session.labels.index)) | set(self.session.skipped)
        for page in self.pages:
            assert not set(page.order) & answered
            assert page.status["left"] == len(ITEMS) - len(answered)
        assert self.session.last_error is None


def test_nothing_is_lost_or_doubled_on_any_line(
    tmp_path: Path, torture: bool, tally: Callable[..., None]
) -> None:
    number = itertools.count()

    @settings(
        max_examples=600 if torture else 60,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.lists(st.tuples(st.integers(0, 11), turns), max_size=40))
    def live(acts: list[Any]) -> None:
        world = World(tmp_path / f"log{next(number)}.sqlite")
        for place, (what, *rest) in acts:
            world.turn(world.pages[place % 2], place, what, *rest)
        world.heal()
        lost, doubled = world.count()
        faults = sum(what not in ("label", "skip", "flag", "undo") for _, (what, *_) in acts)
        tally(
            "messages lost, repeated, reordered, malformed", faults=faults,
            labels=len(world.said), lost=lost, duplicated=doubled,
        )  # fmt: skip
        world.check()
        world.session.close()

    live()


def test_anything_at_all_is_answered_by_a_word_or_not(
    torture: bool, tally: Callable[..., None]
) -> None:
    @settings(max_examples=20_000 if torture else 300, deadline=None, database=None)
    @given(raw=anything)
    def send(raw: Any) -> None:
        tally("anything sent to a desk", fuzzed=1)
        for reply, buffers in DESK.handle(raw):
            assert reply["type"] in ANSWERS and not buffers
            json.dumps(reply, allow_nan=False, ensure_ascii=False).encode()
        assert DESK.session.n_events == 0 and DESK.session.last_error is None

    send()


DESK = Desk(Session(ITEMS, ["ham", "spam"], store=None, inline=True, model=False))


@pytest.mark.parametrize(
    ("message", "kind", "says"),
    [
        ({"type": "want", "v": 2}, "refuse", "reload the page and restart the kernel"),
        ({"type": "notice", "v": 2}, "refuse", "reload the page and restart the kernel"),
        ({"type": "hello", "speaks": [2], "unsent": 0}, "refuse", "Reload the page"),
        ({"type": "notice"}, "reject", "unknown message type 'notice'"),
        ({"type": "want"}, "refuse", "want.n is missing"),
    ],
)
def test_what_is_not_understood_is_answered_by_a_clear_word(
    message: dict[str, Any], kind: str, says: str
) -> None:
    ((reply, _),) = DESK.handle({"v": 1, "client": "c", "id": "r", **message})
    assert (reply["type"], reply["re"]) == (kind, "r")
    assert says in reply["text"]
    # A word that is not known ends nothing; another version does.
    assert kind == "refuse" or (reply["retry"] and reply["ids"] == [])
