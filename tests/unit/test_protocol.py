"""Reading what a page says."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nblabel.errors import ProtocolError
from nblabel.widget import protocol as p

SHOWN = {
    "strategy": "margin", "audit": False, "draw": None, "seed": None, "model_version": 1,
    "suggestion": None, "confidence": 0.5, "visible": True, "position": 0,
    "probability": None,
}  # fmt: skip
EVENT = {
    "id": "e1", "seq": 1, "kind": "label", "item": "0", "value": "ham", "at": "", "seconds": 1,
    "shown": SHOWN,
}  # fmt: skip
MESSAGES: dict[str, dict[str, Any]] = {
    "hello": {"v": 1, "type": "hello", "client": "c", "id": "r", "speaks": [1], "unsent": 0},
    "event": {"v": 1, "type": "event", "client": "c", "id": "r", "events": [EVENT]},
    "want": {
        "v": 1, "type": "want", "client": "c", "id": "r", "n": 3, "keep": [], "held": ["0"],
        "ids": [], "before": None, "retrain": False, "cancel": True, "skipped": True, "close": None,
    },
    "find": {
        "v": 1, "type": "find", "client": "c", "id": "r", "rule": "similar", "of": "0",
        "strategy": "similar", "n": 3, "but": ["0"], "ids": [], "least": False,
        "whole": False,
    },
}  # fmt: skip


def code(raw: Any) -> str:
    with pytest.raises(ProtocolError) as caught:
        p.parse(raw)
    return caught.value.code


@pytest.mark.parametrize("name", MESSAGES)
def test_what_is_read_is_what_was_said(name: str) -> None:
    message = p.parse(MESSAGES[name])
    assert type(message).__name__.lower() == name
    assert asdict(message) == MESSAGES[name]


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_is_needed_unless_it_has_a_default(name: str) -> None:
    optional = {"before", "retrain", "cancel", "skipped", "close", "least", "whole"}
    for field in set(MESSAGES[name]) - {"v", "type"}:
        raw = {k: v for k, v in MESSAGES[name].items() if k != field}
        if field in optional:
            assert getattr(p.parse(raw), field) in (None, False)
            continue
        with pytest.raises(ProtocolError, match=f"{name}.{field} is missing") as caught:
            p.parse(raw)
        assert caught.value.code == "field"


def test_an_error_says_where_what_was_expected_and_what_came() -> None:
    raw = copy.deepcopy(MESSAGES["event"])
    raw["events"][0]["shown"]["audit"] = "yes"
    with pytest.raises(ProtocolError) as caught:
        p.parse(raw)
    assert caught.value.text == "event.events.shown.audit: expected true or false, got 'yes'"


def test_fields_that_are_not_known_are_left_alone() -> None:
    assert p.parse({**MESSAGES["want"], "colour": "blue"}) == p.parse(MESSAGES["want"])


def test_numbers() -> None:
    def said(**changes: Any) -> Any:
        return {**MESSAGES["event"], "events": [{**EVENT, **changes}]}

    seconds = p.parse(said(seconds=2)).events[0].seconds  # type: ignore[union-attr]
    assert seconds == 2.0 and type(seconds) is float
    for wrong in (float("nan"), float("inf"), -float("inf"), 10**400, True, "1", [1]):
        assert code(said(seconds=wrong)) == "field"
    for wrong in (1.0, 2**53, -(2**53), 10**400, True, "1", None):
        assert code(said(seq=wrong)) == "field"
    assert p.parse(said(seq=2**53 - 1)).events[0].seq == 2**53 - 1  # type: ignore[union-attr]


def test_bounds() -> None:
    many = {**MESSAGES["event"], "events": [EVENT] * p.MOST_EVENTS}
    assert len(p.parse(many).events) == p.MOST_EVENTS  # type: ignore[union-attr]
    many["events"] = [EVENT] * (p.MOST_EVENTS + 1)
    with pytest.raises(ProtocolError, match=r"event\.events: at most 1000 entries, got 1001"):
        p.parse(many)
    held = {**MESSAGES["want"], "held": ["x"] * p.MOST_IDS}
    assert len(p.parse(held).held) == p.MOST_IDS  # type: ignore[union-attr]
    assert code({**held, "held": ["x"] * (p.MOST_IDS + 1)}) == "field"
    assert code({**MESSAGES["hello"], "client": "x" * (p.MOST_TEXT + 1)}) == "field"


def test_text_with_half_a_surrogate_pair_is_made_whole() -> None:
    raw = {**MESSAGES["event"], "events": [{**EVENT, "kind": "note", "value": "a\ud83d é 🤔"}]}
    assert p.parse(raw).events[0].value == "a? é 🤔"  # type: ignore[union-attr]


def test_a_message_nested_without_end_is_refused() -> None:
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    assert code({**MESSAGES["hello"], "client": deep}) == "field"
    assert code({**MESSAGES["hello"], "type": deep}) == "type"
    assert code({**MESSAGES["want"], "v": deep}) == "version"


def test_versions() -> None:
    assert p.parse({**MESSAGES["hello"], "v": 7}).v == 7  # type: ignore[union-attr]
    assert code({**MESSAGES["want"], "v": 7}) == "version"
    assert code({**MESSAGES["want"], "v": True}) == "field"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=8,
)


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A message with something in it replaced or taken away."""
    raw = copy.deepcopy(MESSAGES[draw(st.sampled_from(sorted(MESSAGES)))])
    for _ in range(draw(st.integers(1, 2))):
        where: Any = raw
        while True:
            key = draw(st.sampled_from(sorted(where) if isinstance(where, dict) else [0]))
            if isinstance(where[key], (dict, list)) and where[key] and draw(st.booleans()):
                where = where[key]
                continue
            break
        if isinstance(where, dict) and len(where) > 1 and draw(st.booleans()):
            del where[key]
        else:
            where[key] = draw(JSON)
    return raw


@settings(max_examples=300, deadline=None)
@given(JSON | spoiled())
def test_anything_is_read_or_refused(raw: Any) -> None:
    try:
        message = p.parse(raw)
    except ProtocolError as error:
        assert error.code in ("shape", "type", "version", "field")
        assert 0 < len(error.text) < 400
        error.text.encode()
    else:
        assert isinstance(message, p.FROM_PAGE)
        json.dumps(asdict(message), ensure_ascii=False, allow_nan=False).encode()
        assert p.parse(asdict(message)) == message
