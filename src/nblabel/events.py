"""The label event: one immutable fact, and its versioned encoding.

Nothing is ever edited: an undo is a `retract` event, a change is another `label` event. Logs live
for years, so the encoding carries its own version (`schema`) and every older one has an upgrade.
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timezone
from typing import Any

from .errors import EventError

SCHEMA = 1

#: What an event can say. A `label` gives a value; `skip` puts the item away; `flag` (true or false)
#: and `note` (text) are said beside a label; `retract` takes back the event it names. The two of
#: `ABOUT_ALL` are about what was said before: `relabel` maps labels to others, or to None, which
#: takes them back; `match` tells which items of the data the items of the log are now.
KINDS = ("label", "skip", "flag", "note", "retract", "relabel", "match")
ABOUT_ALL = ("relabel", "match")
#: The item of an event that is about no single one.
EVERY_ITEM = "*"

#: from schema n to n + 1
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}


@dataclass(frozen=True)
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
        Probability with which the item was drawn, where the strategy samples.
    model_version : int
        Model behind the suggestion that the annotator saw (0: none).
    suggestion : str or None
        The label suggested for the item, whether or not it was visible.
    confidence : float or None
        Its probability according to the model.
    visible : bool
        Whether the suggestion was on the screen.
    position : int or None
        Place in the order of display, counted from 0 in each page.
    predicted : str or None
        What the newest model that had not seen this label predicts, for progressive validation.
    predicted_version : int
        The version of that model.
    view : str
        Where it was shown: ``"card"``, or ``"api"`` without a screen.
    """

    strategy: str = ""
    audit: bool = False
    draw: int | None = None
    seed: int | None = None
    probability: float | None = None
    model_version: int = 0
    suggestion: str | None = None
    confidence: float | None = None
    visible: bool = False
    position: int | None = None
    predicted: str | None = None
    predicted_version: int = 0
    view: str = "card"


@dataclass(frozen=True)
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
        (`retract`), None (`skip`), label to label or None (`relabel`), or item id to
        ``{"item": id, "content": digest}`` (`match`).
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
        if self.kind not in KINDS:
            raise EventError(f"Event kind {self.kind!r} is unknown; expected one of {KINDS}.")
        for name in ("id", "item", "annotator"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise EventError(f"Event field {name!r} must be non-empty text, got {value!r}.")
            if not _is_utf8(value):
                raise EventError(f"Event field {name!r} has a lone surrogate: {value!r}.")
        if not isinstance(self.at, str) or not _is_utf8(self.at):
            raise EventError(f"Event field 'at' must be text, got {self.at!r}.")
        if self.seconds is not None and not (
            isinstance(self.seconds, (int, float)) and math.isfinite(self.seconds)
        ):
            raise EventError(f"Event field 'seconds' must be a number, got {self.seconds!r}.")
        if self.kind in ABOUT_ALL:
            _check_mapping(self.kind, self.value)


def _check_mapping(kind: str, value: Any) -> None:
    """Refuse a mapping that cannot be folded in."""
    sound_parts = isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
    if sound_parts and kind == "relabel":
        sound_parts = all(new is None or isinstance(new, str) for new in value.values())
    elif sound_parts:
        sound_parts = all(
            isinstance(now, Mapping)
            and isinstance(now.get("item"), str)
            and (now.get("content") is None or isinstance(now["content"], str))
            for now in value.values()
        )
    if not sound_parts:
        raise EventError(f"The value of a {kind} is a mapping, got {str(value)[:200]!r}.")


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
    raw = asdict(event)
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
    except (ValueError, RecursionError) as error:
        raise EventError(f"This is not an event: {text[:80]!r} ({error}).") from None
    if not isinstance(raw, dict):
        raise EventError(f"An event is a JSON object, got {text[:80]!r}.")
    schema = raw.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise EventError(f"An event names its schema (a whole number from 1), got {schema!r}.")
    if schema > SCHEMA:
        raise EventError(
            f"This event has schema {schema}, this nblabel reads up to {SCHEMA}: "
            "upgrade nblabel to open the log."
        )
    for version in range(schema, SCHEMA):
        raw = UPGRADES[version](raw)
    return from_dict({**raw, "schema": SCHEMA})


def from_dict(raw: Mapping[str, Any]) -> LabelEvent:
    """Build an event from a plain mapping, ignoring fields it does not know."""
    shown = raw.get("shown") or {}
    if not isinstance(shown, Mapping):
        raise EventError(f"Event field 'shown' must be an object, got {shown!r}.")
    known = {name: raw[name] for name in _EVENT_FIELDS if name in raw and name != "shown"}
    try:
        return LabelEvent(
            **known, shown=Shown(**{k: shown[k] for k in _SHOWN_FIELDS if k in shown})
        )
    except TypeError as error:
        raise EventError(f"This is not an event: {error}.") from None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_EVENT_FIELDS = tuple(f.name for f in fields(LabelEvent))
_SHOWN_FIELDS = tuple(f.name for f in fields(Shown))
