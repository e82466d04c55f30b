import json
from datetime import datetime, timezone

import numpy as np
import pytest

from nblabel import events
from nblabel.errors import EventError, NewerEventError
from nblabel.events import (
    LabelEvent,
    Shown,
    as_dict,
    decode,
    decode_all,
    encode,
    from_dict,
    new_id,
    now,
)


def event(**changes) -> LabelEvent:
    return LabelEvent(**{"id": "e1", "kind": "label", "item": "7", "annotator": "ana", **changes})


def test_round_trip_keeps_every_field():
    shown = Shown("margin", True, 3, 7, 0.5, 2, "a", 0.75, True, 4, "b", 1, "api")
    said = event(value="spam", at=now(), seconds=1.5, shown=shown, content="00ff")
    assert decode(encode(said)) == said
    assert "\n" not in encode(event(kind="note", value="two\nlines"))


@pytest.mark.parametrize("text", ["\ud800", "😀", "\x00", "שלום", "'; drop table"])
def test_any_text_can_be_noted_and_written(text):
    said = event(kind="note", value=text)
    encode(said).encode("utf-8")
    assert decode(encode(said)).value == text.replace("\ud800", "?")


def test_readable_text_is_written_as_it_is():
    assert "grün 😀" in encode(event(value="grün 😀"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.zeros(2), {1, 2}, b"x"])
def test_what_json_does_not_hold_is_refused(value):
    with pytest.raises(EventError, match="'e1' cannot be written as JSON"):
        encode(event(value=value))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "labels"}, "kind 'labels' is unknown; expected one of"),
        ({"id": ""}, "'id' must be non-empty text, got ''"),
        ({"item": 7}, "'item' must be non-empty text, got 7"),
        ({"annotator": None}, "'annotator' must be non-empty text, got None"),
        ({"item": "\ud800"}, "'item' has a lone surrogate"),
        ({"at": "\ud800"}, "'at' must be text"),
        ({"at": None}, "'at' must be text, got None"),
        ({"seconds": "3"}, "'seconds' must be a number, got '3'"),
        ({"seconds": float("nan")}, "'seconds' must be a number, got nan"),
    ],
)
def test_a_broken_event_cannot_be_made(changes, message):
    with pytest.raises(EventError, match=message):
        event(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "This is not an event: 'no json'"),
        ("[" * 100_000, "This is not an event"),
        ("[1]", "An event is a JSON object"),
        ("{}", r"names its schema \(a whole number from 1\), got None"),
        ('{"schema": true}', "names its schema"),
        ('{"schema": 0}', "names its schema"),
        ('{"schema": 99}', "has schema 99, this nblabel reads up to 2: upgrade nblabel"),
        ('{"schema": 1}', "This is not an event: .*missing"),
        ('{"schema": 1, "shown": "x"}', "'shown' must be an object, got 'x'"),
        ('{"schema":1,"id":"e","kind":"x","item":"i","annotator":"a"}', "kind 'x' is unknown"),
    ],
)
def test_what_is_no_event_is_named(text, message):
    with pytest.raises(EventError, match=message):
        decode(text)


def test_unknown_fields_are_passed_over():
    raw = json.loads(encode(event(value="a")))
    raw["later"] = 1
    raw["shown"]["later"] = 1
    assert decode(json.dumps(raw)) == event(value="a")
    assert from_dict({**raw, "shown": None}).shown == Shown()


def test_an_older_schema_is_upgraded(monkeypatch):
    monkeypatch.setattr(events, "SCHEMA", 3)
    monkeypatch.setattr(
        events,
        "UPGRADES",
        {
            1: lambda raw: {**raw, "annotator": raw.pop("who")},
            2: lambda raw: {**raw, "value": raw["value"].upper()},
        },
    )
    old = '{"schema":1,"id":"e","kind":"label","item":"i","who":"ana","value":"a"}'
    assert decode(old) == LabelEvent("e", "label", "i", "ana", "A", schema=3)


def test_ids_differ_and_times_are_utc():
    assert len({new_id() for _ in range(1000)}) == 1000
    at = datetime.fromisoformat(now())
    assert at.tzinfo == timezone.utc
    assert abs((datetime.now(timezone.utc) - at).total_seconds()) < 60


def test_many_are_decoded_as_one_by_one():
    events = [
        LabelEvent(f"e{k}", "note", f"i{k}", "ana", "a,b]\n", shown=Shown("margin", visible=True))
        for k in range(2500)
    ]
    lines = [encode(event) for event in events]
    assert decode_all(lines) == events == [decode(line) for line in lines]
    assert decode_all([]) == []
    for wrong in ("", "1,2", "[]", "{}", '"', None, lines[0][:-1], lines[0] + "," + lines[1]):
        with pytest.raises(EventError):
            decode_all([*lines[:3], wrong, *lines[3:6]])
    with pytest.raises(NewerEventError, match="upgrade nblabel"):
        decode_all([lines[0], lines[1].replace('"schema":2', '"schema":9')])


def test_an_event_is_small_and_comes_back_from_a_dict():
    event = LabelEvent("e", "label", "i", "ana", "x", shown=Shown("margin"))
    assert from_dict(as_dict(event)) == event and not hasattr(event, "__dict__")
    raw = as_dict(event)
    assert from_dict({**raw, "new": 1, "shown": {**raw["shown"], "new": 2}}) == event
    read = [decode(encode(event)) for _ in range(2)]
    assert read[0].annotator is read[1].annotator and read[0].shown.strategy == "margin"


@pytest.mark.parametrize("where", ["value", "suggestion", "predicted", "seed"])
def test_a_whole_number_that_no_table_can_hold_is_refused(where):
    event = LabelEvent("e1", "label", "7", "ana", "ham", now(), shown=Shown())
    raw = json.loads(encode(event))
    (raw if where == "value" else raw["shown"])[where] = 10**400
    with pytest.raises(EventError, match=f"'(shown.)?{where}' cannot be 1000"):
        decode(json.dumps(raw))
