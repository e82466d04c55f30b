"""The label event: one immutable fact, and its versioned encoding.

Nothing is ever edited: an undo is a `retract` event, a change is another `label` event. Logs live
for years, so the encoding carries its own version (`schema`) and every older one has an upgrade.
"""

from __future__ import annotations

import json
import math
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timezone
from typing import Any

from .errors import EventError, NewerEventError, brief

SCHEMA = 2

#: What an event can say. A `label` gives a value; `skip` puts the item away; `flag` (true or false)
#: and `note` (text) are said beside a label; `retract` takes back the event it names. The two of
#: `ABOUT_ALL` are about what was said before: `relabel` maps labels to others, or to None, which
#: takes them back; `match` tells which items of the data the items of the log are now.
#: `certify` is a step of an attempt at a certificate.
KINDS = ("label", "skip", "flag", "note", "retract", "relabel", "match", "certify")
ABOUT_ALL = ("relabel", "match")
#: What happens in an attempt: it begins, with its candidates in the order of the draw; an annotator
#: answers a trap; it comes to a certificate, which labels all candidates that nobody verified; the
#: certificate is revoked; or the attempt is closed without one.
STEPS = ("begin", "trap", "certify", "revoke", "close")
_MAPPINGS = (*ABOUT_ALL, "certify")
#: Strategies of what was said of many items at once: a page of those that the model believes to be
#: of one class, of those like one, of those with some words, or a part of the map. They were chosen
#: by what the model or the person believed, so none of them is a draw.
MANY = frozenset({"grid", "similar", "search", "map"})
#: Strategies of what a certification asks: an item to verify, drawn from what the machine is surest
#: of, and a trap.
VERIFYING = VERIFY, TRAP = ("certify", "trap")
#: Beginning of the name of whoever knew a label before: then that of a column.
SEED = "seed:"
#: What labeled an item that is the same as another one.
DUPLICATE = "duplicate"
#: Strategies of what was labeled since somebody chose it, or knew it: neither drawn at random nor
#: asked by a strategy, so that what is left is of another kind than before.
TAKEN = frozenset({"", "given", "browse", "asked", "seed", "import", DUPLICATE, *MANY, *VERIFYING})
#: The item of an event that is about no single one.
EVERY_ITEM = "*"

#: from schema n to n + 1
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda raw: raw,  # it knew of no certificates
}


@dataclass(frozen=True, slots=True)  # many are kept: one a label
class Shown:
    """How the item came to be asked, and what the annotator saw.

    A label is evidence only with this beside it: estimators filter and weight on these fields.

    Attributes
    ----------
    strategy : str
        Name of what put the item forward, ``"audit"`` for a uniform draw.
    audit : bool
        Whether the item was a uniform random draw from all unlabeled items.
    draw : int or None
        Position of an audit draw in the seeded order.
    seed : int or None
        Seed of that order; its lower 32 bits are the number of items it was drawn over.
    probability : float or None
        Probability with which it was this item that was drawn, where chance chose: given what could
        be drawn then, those drawn before it in the same ranking, and that it was the turn of this
        strategy (that of audits comes with the session's `explore`). Its inverse stands for what
        could be drawn then, not for the pool. None where a rule chose.
    model_version : int
        Model behind the suggestion that the annotator saw (0: none).
    suggestion : object
        The label suggested for the item, whether or not it was visible.
    confidence : float or None
        Its probability according to the model.
    visible : bool
        Whether the suggestion was on the screen.
    position : int or None
        Place in the order of display, counted from 0 in each page.
    predicted : object
        What the newest model that had not seen this label predicts, for progressive validation.
    predicted_version : int
        The version of that model.
    view : str
        Where it was shown: ``"card"``; ``"grid"`` on a page of many; ``"map"`` as a point; or
        ``"api"`` without a screen.
    swapped : bool
        Whether of a pair the second one stood on the left.
    """

    strategy: str = ""
    audit: bool = False
    draw: int | None = None
    seed: int | None = None
    probability: float | None = None
    model_version: int = 0
    suggestion: Any = None
    confidence: float | None = None
    visible: bool = False
    position: int | None = None
    predicted: Any = None
    predicted_version: int = 0
    view: str = "card"
    swapped: bool = False


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """Who said what about which item, when, and how it came to be asked.

    Attributes
    ----------
    id : str
        Unique; made where the key is pressed, so that a repeated delivery is harmless.
    kind : str
        One of `KINDS`.
    item : str
        Item id.
    annotator : str
        ``"ana"``, ``"lf:has_link"``, ``"auto:<certificate>"``.
    value : object
        The label as JSON (`label`), a bool (`flag`), text (`note`), the id of the event taken back
        (`retract`), None (`skip`), label to label or None (`relabel`: see `renamed`), item id to
        ``{"item": id, "content": digest}`` (`match`), or a mapping with ``step`` (one of `STEPS`),
        ``attempt`` and what belongs to it (`certify`).
    at : str
        UTC time, ISO 8601 with milliseconds.
    seconds : float or None
        From shown to answered, idle time cut.
    shown : Shown
        Provenance.
    content : str or None
        Digest of the item as it was labeled, so that a label never moves to other content.
    schema : int
        Version of this encoding.
    """

    id: str
    kind: str
    item: str
    annotator: str
    value: Any = None
    at: str = ""
    seconds: float | None = None
    shown: Shown = field(default_factory=Shown)
    content: str | None = None
    schema: int = SCHEMA

    def __post_init__(self) -> None:
        try:
            plain = "".join((self.id, self.item, self.annotator, self.at)).isascii()
        except TypeError:
            plain = False
        seconds = self.seconds
        if not (
            plain
            and self.id
            and self.item
            and self.annotator
            and self.kind in KINDS
            and self.kind not in _MAPPINGS
            and (seconds is None or (type(seconds) is float and math.isfinite(seconds)))
        ):
            self._check()

    def _check(self) -> None:
        if self.kind not in KINDS:
            raise EventError(f"Event kind {self.kind!r} is unknown; expected one of {KINDS}.")
        for name, value in (("id", self.id), ("item", self.item), ("annotator", self.annotator)):
            if not isinstance(value, str) or not value:
                raise EventError(f"Event field {name!r} must be non-empty text, got {value!r}.")
            if not _is_utf8(value):
                raise EventError(f"Event field {name!r} has a lone surrogate: {value!r}.")
        if not isinstance(self.at, str) or not _is_utf8(self.at):
            raise EventError(f"Event field 'at' must be text, got {self.at!r}.")
        if self.seconds is not None and not _is_number(self.seconds):
            raise EventError(f"Event field 'seconds' must be a number, got {brief(self.seconds)}.")
        if self.kind in ABOUT_ALL:
            _check_mapping(self.kind, self.value)
        if self.kind == "certify" and not (
            isinstance(self.value, Mapping)
            and self.value.get("step") in STEPS
            and isinstance(self.value.get("attempt"), str)
        ):
            raise EventError(
                f"The value of a certify names its step and its attempt, got {brief(self.value)}."
            )


def _check_mapping(kind: str, value: Any) -> None:
    """Refuse a mapping that cannot be folded in."""
    sound_parts = isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
    if sound_parts and kind == "match":
        sound_parts = all(
            isinstance(now, Mapping)
            and isinstance(now.get("item"), str)
            and (now.get("content") is None or isinstance(now["content"], str))
            for now in value.values()
        )
    if not sound_parts:
        raise EventError(f"The value of a {kind} is a mapping, got {str(value)[:200]!r}.")


def renamed(value: Any, names: Mapping[str, Any]) -> Any:
    """Return what a label is after a `relabel`; None if it is taken back.

    Named is a whole label, a number by its text; or, in a list, each of its classes, and the class
    of what has a ``label``, such as a span: where that goes, the others stay.

    >>> renamed(5, {"5": 3}), renamed("spam", {"spam": None}), renamed("ham", {"spam": None})
    (3, None, 'ham')
    >>> renamed(["a", "b"], {"a": "b"}), renamed([{"start": 0, "label": "a"}], {"a": "b"})
    (['b'], [{'start': 0, 'label': 'b'}])
    """
    if isinstance(value, list):
        parts: list[Any] = []
        for part in value:
            label = part.get("label") if isinstance(part, Mapping) else part
            now = names.get(label, label) if isinstance(label, str) else label
            if isinstance(part, Mapping):
                if now is not None or label is None:
                    parts.append(part if now == label else {**part, "label": now})
            elif now is not None and now not in parts:
                parts.append(now)
        return parts
    if isinstance(value, Mapping) or value is None:
        return value
    return names.get(str(value), value)


def new_id() -> str:
    """Return a fresh event id."""
    return uuid.uuid4().hex


def now() -> str:
    """Return the present time as events write it."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def sound(event: LabelEvent) -> LabelEvent:
    """Return an event that tables can be made of, whoever said it.

    A time that is none is replaced by the present one, half a surrogate pair in a note by ``?``.

    Raises
    ------
    EventError
        If its value does not go with its kind, or its seconds are negative.
    """
    value = event.value
    if event.kind == "flag" and not isinstance(value, bool):
        raise EventError(f"The value of a flag is true or false, got {value!r}.")
    if event.kind == "skip" and value is not None:
        raise EventError(f"A skip has no value, got {value!r}.")
    if event.kind == "note":
        if not isinstance(value, str):
            raise EventError(f"The value of a note is text, got {value!r}.")
        value = value.encode("utf-8", "replace").decode()
    if event.seconds is not None and event.seconds < 0:
        raise EventError(f"Seconds are a number from 0, got {event.seconds!r}.")
    try:
        known = 1970 <= datetime.fromisoformat(event.at.replace("Z", "+00:00")).year < 2200
    except ValueError:
        known = False
    return replace(event, value=value, at=event.at if known else now())


def encode(event: LabelEvent) -> str:
    """Encode an event as one line of JSON.

    Raises
    ------
    EventError
        If it holds what JSON does not, such as NaN or an array.
    """
    raw = as_dict(event)
    try:
        text = json.dumps(raw, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        # No file can hold a lone surrogate as it is.
        return text if _is_utf8(text) else json.dumps(raw, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"Event {event.id!r} cannot be written as JSON: {error}.") from None


def decode(text: str) -> LabelEvent:
    """Decode one line of JSON, upgrading what an older version wrote.

    Raises
    ------
    EventError
        If the text is no event, or was written by a newer nblabel.
    """
    try:
        raw = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"This is not an event: {str(text)[:80]!r} ({error}).") from None
    return _from_json(raw)


def decode_all(texts: Sequence[str]) -> list[LabelEvent]:
    """Decode many lines at once, which is twice as fast as one by one.

    Raises
    ------
    EventError
        If one of them is no event, or was written by a newer nblabel; `decode` says which.
    """
    events: list[LabelEvent] = []
    for start in range(0, len(texts), 1000):
        chunk = texts[start : start + 1000]
        try:
            raws = json.loads(f"[{','.join(chunk)}]")
        except (TypeError, ValueError, RecursionError) as error:
            raise EventError(f"One of these is not an event ({error}).") from None
        if len(raws) != len(chunk):
            raise EventError("One of these is not an event.")
        events.extend(map(_from_json, raws))
    return events


def _from_json(raw: Any) -> LabelEvent:
    if not isinstance(raw, dict):
        raise EventError(f"An event is a JSON object, got {str(raw)[:80]!r}.")
    schema = raw.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise EventError(f"An event names its schema (a whole number from 1), got {schema!r}.")
    if schema > SCHEMA:
        raise NewerEventError(
            f"This event has schema {schema}, this nblabel reads up to {SCHEMA}: "
            "upgrade nblabel to open the log."
        )
    for version in range(schema, SCHEMA):
        raw = UPGRADES[version](raw)
    raw["schema"] = SCHEMA
    _share(raw, ("kind", "annotator", "value"))
    _share(raw.get("shown"), ("strategy", "suggestion", "predicted", "view"))
    return from_dict(raw)


def _share(values: Any, names: tuple[str, ...]) -> None:
    """Keep texts that most events have in common once, not once an event."""
    if isinstance(values, dict):
        for name in names:
            text = values.get(name)
            if type(text) is str:
                values[name] = sys.intern(text)


def as_dict(event: LabelEvent) -> dict[str, Any]:
    """Return an event as a plain mapping, of which `from_dict` makes it again."""
    raw = {name: getattr(event, name) for name in _EVENT_FIELDS}
    raw["shown"] = {name: getattr(event.shown, name) for name in _SHOWN_FIELDS}
    return raw


def from_dict(raw: Mapping[str, Any]) -> LabelEvent:
    """Build an event from a plain mapping, ignoring fields it does not know."""
    shown = raw.get("shown") or {}
    if not isinstance(shown, Mapping):
        raise EventError(f"Event field 'shown' must be an object, got {shown!r}.")
    if not raw.keys() <= _EVENT_FIELDS:
        raw = {name: raw[name] for name in _EVENT_FIELDS if name in raw}
    if not shown.keys() <= _SHOWN_FIELDS:
        shown = {name: shown[name] for name in _SHOWN_FIELDS if name in shown}
    for name, told in shown.items():
        kind = type(told)
        # Most need no closer look; a log may have a hundred thousand.
        if kind in _PLAIN[name] and (
            kind in _FLAT or (told.isascii() if kind is str else -_TAME < told < _TAME)
        ):
            continue
        if not _SHOWN_RIGHT[name](told):
            raise EventError(f"Event field 'shown.{name}' cannot be {brief(told)}.")
    content, value = raw.get("content"), raw.get("value")
    if content is not None and not _is_text(content):
        raise EventError(f"Event field 'content' must be text, got {brief(content)}.")
    if isinstance(value, str) and not _is_utf8(value):  # no table can hold it
        raw = {**raw, "value": value.encode("utf-8", "replace").decode()}
    elif not _is_label(value):
        raise EventError(f"Event field 'value' cannot be {brief(value)}: no table can hold it.")
    try:
        return _built(LabelEvent, {**raw, "shown": _built(Shown, shown)})
    except TypeError as error:
        raise EventError(f"This is not an event: {error}.") from None


def _built(kind: Any, values: Mapping[str, Any]) -> Any:
    # Twice as fast by place as by name; a log has all fields in their order, if it is no old one.
    if tuple(values) == _IN_ORDER[kind]:
        return kind(*values.values())
    return kind(**values)


def _is_number(value: Any) -> bool:
    # JSON may carry whole numbers that no float can hold.
    return isinstance(value, (int, float)) and abs(value) <= sys.float_info.max


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and abs(value) < 2**63


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and _is_utf8(value)


def _is_label(value: Any) -> bool:
    # Its shape is the business of its task.
    if isinstance(value, (str, int)):
        return _is_utf8(value) if isinstance(value, str) else _is_number(value)
    return True


def _or_none(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or is_right(value)


#: What a log may say of how an item was shown: tables are made of it.
_SHOWN_RIGHT: dict[str, Callable[[Any], bool]] = {
    "strategy": _is_text,
    "audit": lambda value: isinstance(value, bool),
    "draw": _or_none(_is_count),
    "seed": _or_none(lambda value: isinstance(value, int) and _is_number(value)),
    "probability": _or_none(_is_number),
    "model_version": _is_count,
    "suggestion": _is_label,
    "confidence": _or_none(_is_number),
    "visible": lambda value: isinstance(value, bool),
    "position": _or_none(_is_count),
    "predicted": _is_label,
    "predicted_version": _is_count,
    "view": _is_text,
    "swapped": lambda value: isinstance(value, bool),
}


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_FLAT, _TAME = frozenset({bool, type(None)}), 2**53
#: Types of which a value is right if it is text of ASCII, or a number that is not too large.
_PLAIN = {
    name: frozenset(type(one) for one in ("a", 1, 0.5, True, None) if is_right(one))
    for name, is_right in _SHOWN_RIGHT.items()
}

_EVENT_FIELDS = dict.fromkeys(f.name for f in fields(LabelEvent)).keys()
_SHOWN_FIELDS = dict.fromkeys(f.name for f in fields(Shown)).keys()
_IN_ORDER = {LabelEvent: tuple(_EVENT_FIELDS), Shown: tuple(_SHOWN_FIELDS)}
