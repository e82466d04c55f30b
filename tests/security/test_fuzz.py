"""Whatever comes in: an answer or an error of our own, never anything else.

Golden messages, events and label columns are mutated with knowledge of their structure, from a
seed; hypothesis adds what no golden message resembles. 200,000 inputs a target in the long form.
"""

from __future__ import annotations

import json
import math
import random
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nblabel as nl
from nblabel._opening import seed_events
from nblabel.errors import (
    EventError,
    LabelValueError,
    NblabelError,
    ProtocolError,
    TaskError,
    brief,
)
from nblabel.events import LabelEvent, Shown, decode, encode
from nblabel.labels import Labels
from nblabel.pool import Pool
from nblabel.tasks import Choice
from nblabel.testing.page import as_json
from nblabel.widget import protocol
from nblabel.widget.desk import Desk

from .mutate import VALUES, mutate, mutate_text

GOLDEN = Path(__file__).parents[1] / "protocol" / "golden"
MESSAGES = [json.loads(path.read_text()) for path in sorted((GOLDEN / "page").glob("*.json"))]
MESSAGES += [
    json.loads(path.read_text())["message"] for path in sorted((GOLDEN / "bad_page").glob("*.json"))
]
EVENTS = [
    LabelEvent(
        f"e{k}", kind, str(k % 3), "ana", value, "2026-03-04T05:06:07.890Z", seconds,
        Shown("margin", k % 2 == 0, k, 7, 0.5, k, "ham", 0.75, True, k, "spam", k, "card"), "00ff",
    )
    for k, (kind, value, seconds) in enumerate(
        [("label", "spam", 1.5), ("skip", None, None), ("flag", True, 0.0), ("note", "é\n💥", 9.0),
         ("retract", "e0", None), ("label", "ham", 1e9)]
    )
]  # fmt: skip
LONG, QUICK = 200_000, 4_000


class Fuzz:
    """Feeds a target and keeps what it could not take."""

    def __init__(self, row: str, allowed: tuple[type[Exception], ...], tally: Any) -> None:
        self.row, self.allowed, self._tally = row, allowed, tally
        self.count = self.refused = 0
        self.crashes: list[str] = []

    def feed(self, target: Callable[[Any], Any], given: Any, weight: int = 1) -> Any:
        self.count += weight
        try:
            return target(given)
        except self.allowed:
            self.refused += weight
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            self.crashes.append(f"{brief(error)} at {at.name} from {brief(given, 400)}")
        return None

    def done(self) -> None:
        self._tally(self.row, fuzzed=self.count, crashes=len(self.crashes))
        assert self.crashes == []
        assert 0 < self.refused < self.count, "all was legal, or nothing was: this shows little"


def test_the_protocol_parser(torture: bool, tally: Any) -> None:
    fuzz, rng = Fuzz("fuzz: protocol parser", (ProtocolError,), tally), random.Random(1)
    for _ in range(LONG if torture else QUICK):
        fuzz.feed(protocol.parse, mutate(rng.choice(MESSAGES), rng))
    fuzz.done()


def test_the_kernels_end_of_the_line(torture: bool, tally: Any) -> None:
    """Every reply can be sent, and what was stored can be read: labels, history, status."""
    fuzz, rng = Fuzz("fuzz: desk", (), tally), random.Random(2)
    session = made_session()
    desk = Desk(session)
    refused = 0
    for k in range(20_000 if torture else 1_000):
        if k % 1_000 == 0:
            session = made_session()
            desk = Desk(session)
        message = mutate(rng.choice(MESSAGES), rng)
        if isinstance(message, dict) and rng.random() < 0.5:  # fresh events, not repeats
            events = message.get("events")
            for event in events if isinstance(events, list) else ():
                if isinstance(event, dict) and isinstance(event.get("id"), str):
                    event["id"] += str(k)
        for reply, _ in fuzz.feed(desk.handle, message) or ():
            refused += reply["type"] in ("reject", "refuse")
            fuzz.feed(lambda reply: as_json(reply, "a reply"), reply, weight=0)
        if k % 100 == 99:
            fuzz.feed(read_all, session, weight=0)
    fuzz.refused = refused
    fuzz.done()


def made_session() -> nl.Session:
    return nl.Session(
        ["win money", "see you", "lunch", "cheap"] * 12, ["spam", "ham", "42"], store=None,
        model=False, strategy="random", batch=10**6, inline=True, annotator="ana",
    )  # fmt: skip


def read_all(session: nl.Session) -> None:
    session.labels, session.history, session.frame(), session.accuracy()
    as_json(session.status(), "the status")


def test_the_event_decoder(torture: bool, tally: Any) -> None:
    """What is decoded can be encoded and folded, and tables can be made of it."""
    fuzz, rng = Fuzz("fuzz: event decoder", (EventError,), tally), random.Random(3)
    texts = [encode(event) for event in EVENTS]
    plain = [json.loads(text) for text in texts]
    pool, task = Pool([f"item {k}" for k in range(9)]), Choice(["spam", "ham"])
    labels = Labels()

    def read(text: str) -> None:
        event = decode(text)
        assert decode(encode(event)) == event
        labels.apply(labels.position + 1, event)

    def tables(labels: Labels) -> None:
        labels.to_frame(pool, task), labels.history(), labels.votes(), labels.counts()
        labels.seconds(), labels.audits()

    for k in range(LONG if torture else QUICK):
        if k % 2:
            text = mutate_text(rng.choice(texts), rng)
        else:
            event = mutate(rng.choice(plain), rng)
            if isinstance(event, dict) and isinstance(event.get("id"), str):
                event["id"] += str(k)
            text = json.dumps(event)
        fuzz.feed(read, text)
        if k % 500 == 499:
            fuzz.feed(tables, labels, weight=0)
            labels = Labels()
    fuzz.done()


def test_the_labels_of_a_column(torture: bool, tally: Any) -> None:
    """Seeding from a column whose cells may be anything."""
    fuzz, rng = Fuzz("fuzz: labels of a column", (NblabelError,), tally), random.Random(4)
    task = Choice(["spam", "ham", 1, 2.5, "True"])
    legal = ["spam", "ham", 1, 1.0, 2.5, True, None]

    def seed(cells: list[Any]) -> None:
        column = pd.Series(cells, dtype=object)
        frame = pd.DataFrame({"text": ["x"] * len(cells), "label": column})
        for event in seed_events(Pool(frame["text"], None, frame, "text"), task, "label"):
            assert decode(encode(event)) == event

    size = 20
    for k in range((LONG if torture else QUICK) // size):
        cells = [rng.choice(legal) for _ in range(size)]
        for _ in range(k % 3):
            cells[rng.randrange(size)] = rng.choice(VALUES)
        fuzz.feed(seed, cells, weight=size)
    fuzz.done()


def test_the_names_of_labels(torture: bool, tally: Any) -> None:
    """Label sets, keys, and values that are parsed as labels."""
    fuzz, rng = Fuzz("fuzz: label sets and values", (TaskError,), tally), random.Random(5)

    def make(names: list[Any]) -> None:
        keys = {name: rng.choice([*"ab1?<", "", "space", VALUES[rng.randrange(len(VALUES))]])
                for name in names[:2] if isinstance(name, str)}  # fmt: skip
        task = Choice(names, keys=keys if rng.random() < 0.5 else None)
        as_json(task.spec(), "the task")

    def parse(value: Any) -> None:
        assert task.parse(value) in task.classes

    task = Choice(["spam", "ham", 1, 2.5, "True", "é"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k in range(LONG if torture else QUICK):
            value = rng.choice(VALUES)
            if k % 4 == 0:
                names = rng.choice([["spam", "ham"], ["1", 2, "c"], [0.5, "x" * 200]])
                fuzz.feed(make, [*names, *(rng.choice(VALUES) for _ in range(k // 4 % 3))])
            elif k % 4 == 1:
                fuzz.feed(parse, mutate_text(rng.choice(task.classes), rng))
            else:
                fuzz.feed(parse, value if k % 4 == 2 else rng.choice(task.classes))
    fuzz.done()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MESSAGE = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "event", "want", "ack"]), "v": st.sampled_from([1, 2])},
    optional={
        "client": st.text(max_size=3), "id": st.text(max_size=3), "n": ANYTHING, "keep": ANYTHING,
        "held": ANYTHING, "ids": ANYTHING, "events": ANYTHING, "speaks": ANYTHING,
        "unsent": ANYTHING,
    },
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=ANYTHING | MESSAGE)
def test_anything_at_all_is_no_message_or_one(raw: Any) -> None:
    try:
        message = protocol.parse(raw)
    except ProtocolError as error:
        assert error.code in ("shape", "type", "version", "field")
        assert len(str(error)) < 500
    else:
        assert isinstance(message, protocol.FROM_PAGE)


@settings(max_examples=150, deadline=None)
@given(text=st.text() | ANYTHING.map(lambda value: json.dumps(value, default=str)))
def test_any_text_is_no_event_or_one(text: str) -> None:
    try:
        event = decode(text)
    except EventError:
        return
    assert decode(encode(event)) == event


@pytest.mark.parametrize("kind", ["number", "object", "list", "infinity", "bytes", "text"])
def test_a_value_that_is_no_label_is_named(kind: str) -> None:
    values = {"number": 10**5000, "object": object(), "list": [[]] * 999, "infinity": math.inf}
    value = {**values, "bytes": b"spam", "text": "x" * 100_000}[kind]
    with pytest.raises(LabelValueError) as caught:
        Choice(["spam", "ham"]).parse(value)
    assert len(str(caught.value)) < 500
