"""The messages between a page and the kernel: one frozen dataclass a type, and one `parse`.

Every exchange is a request of the page and replies to it: the kernel never speaks first, so nothing
but a handler publishes on the comm. The TypeScript side is generated from here
(``python scripts/gen_protocol.py``); golden messages are read by the tests of both sides.

A change of shape that an old page could not survive raises `VERSION`.
"""

from __future__ import annotations

import reprlib
import sys
import types
import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from typing import Any, Literal, Union

from ..errors import ProtocolError

VERSION = 1
MOST_EVENTS = 1000
MOST_IDS = 5000
MOST_TEXT = 100_000
#: Bytes that one answer brings of a part of an item.
MOST_PIECE = 1_000_000
#: The largest number of a browser: JSON may carry larger ones, which no float can hold.
MOST = sys.float_info.max

MOST_PARTS = 50_000  # of one value: numbers, texts, names
MOST_DEPTH = 16

#: The shape of a label value is the business of its task alone.
Json = dict[str, Any] | list[Any] | str | float | int | bool | None
EventKind = Literal["label", "skip", "flag", "note", "retract"]
Training = Literal["off", "waiting", "idle", "training", "failed", "unranked"]
#: How a page of many items is chosen, and what is recorded as the strategy: see `events.MANY`.
Rule = Literal["class", "similar", "search", "ids", "certify"]
Many = Literal["grid", "similar", "search", "map"]


# ---------------------------------------------------------------- parts


@dataclass(frozen=True)
class ShownPart:
    """Provenance of an item in a page's hands; the page sends it back with the answer."""

    strategy: str
    audit: bool
    draw: int | None
    seed: int | None
    model_version: int
    suggestion: Json
    confidence: float | None
    visible: bool
    position: int | None = None
    probability: float | None = None


@dataclass(frozen=True)
class EventPart:
    """One thing said by the annotator; `seq` counts the events of this page from 1."""

    id: str
    seq: int
    kind: EventKind
    item: str
    value: Json
    at: str
    seconds: float | None
    shown: ShownPart


@dataclass(frozen=True)
class ViewPart:
    """How an item is shown; `buffers` counts its binary parts, in the order of the items."""

    kind: str
    data: dict[str, Any]
    buffers: int


@dataclass(frozen=True)
class SuggestionPart:
    """A prediction; `marks` are [start, end, weight], in UTF-16 units of the item's text.

    The ranking names what may be chosen, with the probability of each, what is suggested first.
    """

    label: Json
    confidence: float | None
    ranking: list[tuple[str, float | None]]
    marks: list[tuple[int, int, float]]
    version: int


@dataclass(frozen=True)
class ItemPart:
    """One item; without `view` when the page holds its view already.

    `copies` is how many items a label of it labels: more than one, if duplicates go together.
    """

    id: str
    name: str
    reason: str
    shown: ShownPart
    suggestion: SuggestionPart | None
    view: ViewPart | None
    label: Json
    note: str
    flagged: bool
    copies: int = 1


@dataclass(frozen=True)
class TrailPart:
    """One event that stands, for undo and for going back; `before` is the label it replaced."""

    id: str
    kind: EventKind
    item: str
    value: Json
    before: Json


@dataclass(frozen=True)
class CertifyPart:
    """A certificate in the making, or one that was just reached.

    Bound and goal are shares of wrong labels; the curve has the bound by the number of items
    verified. `left` is how many more have to be right, one after the other. If it is not `blind`,
    items are verified on pages: see `Find`.
    """

    id: str
    state: Literal["verifying", "certified"]
    goal: float
    bound: float
    audited: int
    errors: int
    left: int | None
    machine: int  # labels by the machine; as many as there would be now, as long as it runs
    advice: str
    curve: list[tuple[int, float]]
    blind: bool = True


@dataclass(frozen=True)
class OfferPart:
    """What a certificate would take: items that the machine would label, items to verify, and
    items that are left to people. With `begins` it can be begun now."""

    max_error: float
    blind: bool
    machine: int
    audits: int
    by_hand: int
    begins: bool
    advice: str


@dataclass(frozen=True)
class LayerPart:
    """What the points of a map may be coloured by: two bytes each, to be read as `part`.

    Codes from 1 on stand for the names in their order; without names they are a probability, 65535
    being certain. 0: nothing is known.
    """

    name: Literal["label", "prediction", "confidence", "annotator"]
    part: str  # another one with each change
    names: list[str]


@dataclass(frozen=True)
class StatusPart:
    """The state in numbers."""

    items: int
    labeled: int
    skipped: int
    left: int
    counts: dict[str, int]
    training: Training
    version: int
    learned: int
    rank: int
    doing: str
    audits: int
    explore: float  # share of items that are drawn at random, which measure the accuracy
    accuracy: tuple[float, float, float, int] | None
    curve: list[tuple[int, float, float, float]]
    pace: tuple[float, float, float] | None
    store: str | None
    warning: str
    error: str | None
    progress: float | None = None  # share of the training at hand that is done, if it is known
    outside: int = 0  # what changed elsewhere than on this page; another number: say hello again
    certify: CertifyPart | None = None
    finding: bool = False  # one label is looked for: nobody is to answer all items


# ---------------------------------------------------------------- page to kernel


@dataclass(frozen=True)
class Hello:
    """A page has come, or lost its way: who am I speaking to, and where were we?"""

    v: int
    type: Literal["hello"]
    client: str
    id: str
    speaks: list[int]
    unsent: int


@dataclass(frozen=True)
class Event:
    """Things said; answered by `ack` or `reject`, and safe to send again."""

    v: int
    type: Literal["event"]
    client: str
    id: str
    events: list[EventPart]


@dataclass(frozen=True)
class Want:
    """What the page would like: a window of `n` items that keeps `keep`, or items by id."""

    v: int
    type: Literal["want"]
    client: str
    id: str
    n: int
    keep: list[str]
    held: list[str]
    ids: list[str]
    before: int | None = None  # older trail, from this log position on backwards
    retrain: bool = False
    cancel: bool = False  # the training that runs
    skipped: bool = False  # put skipped items back into the queue
    close: str | None = None  # give up this attempt at a certificate


@dataclass(frozen=True)
class Find:
    """A page would like up to `n` items to show together, and to label at once.

    By `rule` they are those without an answer that the model believes to be of a class, the surest
    or, if `least`, the least sure first (`of` names the class; empty: the one it believes of most);
    those without an answer that are most like the item `of`; all with the words `of`; `ids`; or,
    by the rule ``certify``, those that a certificate asks to be verified with suggestions in sight,
    with traps among them. None of `but`, which the page has. `strategy` is what is recorded with
    the answers, but for what is verified. Large images come small, unless they are to be `whole`.
    """

    v: int
    type: Literal["find"]
    client: str
    id: str
    rule: Rule
    of: str
    strategy: Many
    n: int
    but: list[str]
    ids: list[str]
    least: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Fetch:
    """A page needs a part of the front end that is not loaded with it: an editor, a look."""

    v: int
    type: Literal["fetch"]
    client: str
    id: str
    name: str


@dataclass(frozen=True)
class Chart:
    """A page shows all items as a map, by one method: what is there of it?"""

    v: int
    type: Literal["chart"]
    client: str
    id: str
    method: Literal["pca", "umap"]
    begin: bool = False  # compute what is not there yet
    cancel: bool = False  # give up what is being computed
    places: list[int] = field(default_factory=list)  # points whose items it would like to know


@dataclass(frozen=True)
class Plan:
    """What would a certificate take? With `begin`, which is a share of errors, one is begun."""

    v: int
    type: Literal["plan"]
    client: str
    id: str
    begin: float | None = None
    blind: bool = True


@dataclass(frozen=True)
class Read:
    """A page shows an item with a part that is too large for its view, and would like some of it.

    `name` is that of the part, as the look knows it from the view; `start` and `length` are bytes.
    Without an item it is a part of the map.
    """

    v: int
    type: Literal["read"]
    client: str
    id: str
    item: str | None
    name: str
    start: int
    length: int


# ---------------------------------------------------------------- kernel to page


@dataclass(frozen=True)
class Welcome:
    """Answer to `hello`."""

    v: int
    type: Literal["welcome"]
    client: str
    re: str
    session: str
    annotator: str
    note: str
    trail: list[TrailPart]
    more: int | None  # the log position to ask older trail from, None if that is all
    status: StatusPart


@dataclass(frozen=True)
class Items:
    """Answer to `want`: the order of the window if one was asked for, and what the page lacks."""

    v: int
    type: Literal["items"]
    client: str
    re: str
    window: bool
    order: list[str]
    items: list[ItemPart]
    trail: list[TrailPart]
    more: int | None
    rank: int
    status: StatusPart


@dataclass(frozen=True)
class Found:
    """Answer to `find`: items with their views, at most so many bytes, and how many are `left`.

    `of` is what was looked for, the class if the page left it open; `counts` how many items without
    an answer are believed to be of each class. While it is `pending` the page asks again.
    """

    v: int
    type: Literal["found"]
    client: str
    re: str
    of: str
    items: list[ItemPart]
    left: int
    counts: dict[str, int]
    pending: bool
    error: str | None


@dataclass(frozen=True)
class Ack:
    """These events are on disk."""

    v: int
    type: Literal["ack"]
    client: str
    re: str
    ids: list[str]
    expected: int  # the next seq this kernel waits for
    status: StatusPart


@dataclass(frozen=True)
class Reject:
    """These events will not be stored, or not now if `retry`."""

    v: int
    type: Literal["reject"]
    client: str
    re: str
    ids: list[str]
    code: str
    text: str
    retry: bool


@dataclass(frozen=True)
class Module:
    """Answer to `fetch`: an ES module, None if there is none of that name."""

    v: int
    type: Literal["module"]
    client: str
    re: str
    name: str
    text: str | None


@dataclass(frozen=True)
class Piece:
    """Answer to `read`: the bytes as the one buffer, maybe fewer than were asked for.

    `total` is how many bytes the part has; `error` says why there are none.
    """

    v: int
    type: Literal["piece"]
    client: str
    re: str
    start: int
    total: int
    error: str | None


@dataclass(frozen=True)
class Charted:
    """Answer to `chart`. The points, each x and y of four bytes, are to be read as `part`.

    `points` are those with coordinates, of the first so many items; items added since have none.
    """

    v: int
    type: Literal["charted"]
    client: str
    re: str
    method: Literal["pca", "umap"]
    state: Literal["none", "computing", "ready", "failed"]
    points: int
    part: str
    progress: float | None
    text: str  # why it failed, or what there is to do
    layers: list[LayerPart]
    ids: list[str]


@dataclass(frozen=True)
class Planned:
    """Answer to `plan`: for each share of errors what it takes, or why there is no certificate."""

    v: int
    type: Literal["planned"]
    client: str
    re: str
    confidence: float
    offers: list[OfferPart]
    error: str | None
    status: StatusPart


@dataclass(frozen=True)
class Refuse:
    """This page cannot be served; `text` says what to do."""

    v: int
    type: Literal["refuse"]
    client: str
    re: str
    code: str
    text: str


PARTS = (
    ShownPart,
    EventPart,
    ViewPart,
    SuggestionPart,
    ItemPart,
    TrailPart,
    CertifyPart,
    OfferPart,
    LayerPart,
    StatusPart,
)
FROM_PAGE = (Hello, Event, Want, Find, Fetch, Chart, Plan, Read)
FROM_KERNEL = (Welcome, Items, Found, Ack, Reject, Module, Piece, Charted, Planned, Refuse)
_TYPES = {shape.__name__.lower(): shape for shape in FROM_PAGE}
FromPage = Hello | Event | Want | Find | Fetch | Chart | Plan | Read
_BOUNDS = {"events": MOST_EVENTS}


def parse(raw: Any) -> FromPage:
    """Read a message of a page.

    Raises
    ------
    ProtocolError
        With a code: ``shape`` (no message at all), ``type`` (unknown, to be ignored), ``version``
        or ``field`` (something in it is off).
    """
    if not isinstance(raw, dict):
        raise ProtocolError("shape", f"a message is an object, got {type(raw).__name__}")
    kind = raw.get("type")
    # Another version may have other types; its hello tells which versions it speaks.
    if raw.get("v") != VERSION and kind != "hello":
        raise ProtocolError(
            "version",
            f"The page speaks protocol {_brief(raw.get('v'))}, the kernel {VERSION}: reload the "
            "page and restart the kernel.",
        )
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ProtocolError("type", f"unknown message type {_brief(kind)}")
    message = _read(raw, _TYPES[kind], kind)
    return typing.cast(FromPage, message)


def _read(raw: Any, shape: Any, where: str) -> Any:
    origin = typing.get_origin(shape)
    if shape is Any:
        return raw
    if shape == Json:
        return _read_json(raw, where, [MOST_PARTS])
    if is_dataclass(shape):
        return _read_object(raw, shape, where)
    if origin is Literal:
        if raw not in typing.get_args(shape) or isinstance(raw, bool):
            raise _off(where, f"one of {typing.get_args(shape)}", raw)
        return raw
    if origin in (Union, types.UnionType):
        for option in typing.get_args(shape):
            try:
                return _read(raw, option, where)
            except ProtocolError:
                continue
        raise _off(where, str(shape), raw)
    if origin is list:
        if not isinstance(raw, list):
            raise _off(where, "a list", raw)
        most = _BOUNDS.get(where.rpartition(".")[2], MOST_IDS)
        if len(raw) > most:
            raise ProtocolError("field", f"{where}: at most {most} entries, got {len(raw)}")
        (of,) = typing.get_args(shape)
        return [_read(entry, of, where) for entry in raw]
    if shape is type(None):
        if raw is not None:
            raise _off(where, "nothing", raw)
        return None
    if shape is bool:
        if not isinstance(raw, bool):
            raise _off(where, "true or false", raw)
        return raw
    if shape is int:
        if not isinstance(raw, int) or isinstance(raw, bool) or abs(raw) >= 2**53:
            raise _off(where, "a whole number", raw)
        return raw
    if shape is float:
        if not isinstance(raw, (int, float)) or isinstance(raw, bool) or not abs(raw) <= MOST:
            raise _off(where, "a number", raw)
        return float(raw)
    if shape is str:
        if not isinstance(raw, str) or len(raw) > MOST_TEXT:
            raise _off(where, f"text of at most {MOST_TEXT} characters", raw)
        # Half of a surrogate pair cannot be stored or sent back.
        return raw if raw.isascii() else raw.encode("utf-8", "replace").decode()
    raise TypeError(f"no reader for {shape}")  # pragma: no cover


def _read_object(raw: Any, shape: Any, where: str) -> Any:
    if not isinstance(raw, dict):
        raise _off(where, "an object", raw)
    hints = _hints(shape)
    values = {}
    for part in fields(shape):
        if part.name in raw:
            values[part.name] = _read(raw[part.name], hints[part.name], f"{where}.{part.name}")
        elif part.default is MISSING and part.default_factory is MISSING:
            raise ProtocolError("field", f"{where}.{part.name} is missing")
    return shape(**values)


def _read_json(raw: Any, where: str, left: list[int], depth: int = 0) -> Any:
    left[0] -= 1
    if depth > MOST_DEPTH or left[0] < 0:
        raise ProtocolError(
            "field", f"{where}: at most {MOST_PARTS} parts, {MOST_DEPTH} deep, are taken"
        )
    if isinstance(raw, list):
        return [_read_json(entry, where, left, depth + 1) for entry in raw]
    if isinstance(raw, dict):
        return {
            _read(name, str, where): _read_json(entry, where, left, depth + 1)
            for name, entry in raw.items()
        }
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, int):
        return _read(raw, int, where)
    return _read(raw, float if isinstance(raw, float) else str, where)


_HINTS: dict[Any, dict[str, Any]] = {}


def _hints(shape: Any) -> dict[str, Any]:
    if shape not in _HINTS:
        _HINTS[shape] = typing.get_type_hints(shape)
    return _HINTS[shape]


def _off(where: str, expected: str, got: Any) -> ProtocolError:
    return ProtocolError("field", f"{where}: expected {expected}, got {_brief(got)}")


def _brief(got: Any) -> str:
    # Whatever a page sends may be long, or nested too deeply for its text to be made.
    return reprlib.repr(got)[:80]
