"""The kernel's end of the protocol: one desk a labeler, where pages ask and are answered.

No comm, no trait: a request comes in as a plain object, replies go out as plain objects with
buffers. The widget is a skin over it, and a test can sit at it without a browser.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from .._core import Asked
from ..errors import (
    EventError,
    LabelValueError,
    NblabelError,
    OptionError,
    ProtocolError,
    StoreError,
    UnknownItemError,
    in_words,
)
from ..events import MANY, VERIFYING, LabelEvent, Shown
from ..renderers import View, clean
from ..session import Session
from . import protocol as p
from .gathering import Gathering
from .map import Map
from .modules import Modules

Reply = tuple[dict[str, Any], list[bytes]]

#: A window of items stops growing at this size, so that large items do not choke the line.
MOST_BYTES = 4_000_000
#: Items that a page gets whatever their size: the current one, the next, and one in reserve.
LEAST_ITEMS = 3
MOST_ITEMS = 200
TRAIL = 200
#: So many classes of a suggestion are sent.
MOST_RANKED = 12
#: Events of one page that wait for an earlier one.
MOST_EARLY = 2000
MOST_CLIENTS = 64


#: What a page offers to certify.
LEVELS, CONFIDENCE = (0.01, 0.02, 0.05), 0.95

_REPLACED = "This labeler was replaced: its labels were opened again. Go on in the newer output."


class _Client:
    def __init__(self) -> None:
        self.expected = 1
        self.early: dict[int, p.EventPart] = {}
        #: Requests that began a certification: a repeated one must not begin another.
        self.begun: deque[str] = deque(maxlen=32)
        #: How often it took something back.
        self.retracted = 0


class Desk:
    """Answers the pages of one labeler.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.modules = Modules(session.task, session.renderer)
        self._gathering = Gathering(session)
        self.map = Map(session)
        #: The desk that took over, when the same cell was run again.
        self.successor: Desk | None = None
        self._lock = threading.RLock()
        #: The thread that answers a page just now.
        self._thread: int | None = None
        #: Events stored for pages, but for what was taken back.
        self._said = 0
        self._clients: OrderedDict[str, _Client] = OrderedDict()
        self._views: OrderedDict[tuple[str, bool], View] = OrderedDict()

    def handle(self, raw: Any) -> list[Reply]:
        """Answer one message; what is not understood is ignored or refused, never raised."""
        try:
            message = p.parse(raw)
        except ProtocolError as error:
            return self._not_understood(raw, error)
        with self._lock:
            self._thread = threading.get_ident()
            try:
                return self._answer(message)
            finally:
                self._thread = None

    @property
    def answers(self) -> bool:
        """Whether the calling thread answers a page: the page then hears of changes anyway."""
        return self._thread == threading.get_ident()

    def _answer(self, message: p.FromPage) -> list[Reply]:
        if isinstance(message, p.Event):
            return list(self._event(message))
        if self.successor is not None:
            return [self._refuse(message.client, message.id, "replaced", _REPLACED)]
        if isinstance(message, p.Hello):
            return [self._hello(message)]
        if isinstance(message, p.Fetch):
            text = self.modules.text(message.name)
            made = p.Module(p.VERSION, "module", message.client, message.id, message.name, text)
            return [_reply(made)]
        if isinstance(message, p.Read):
            return [self._read(message)]
        if isinstance(message, p.Find):
            return [self._find(message)]
        if isinstance(message, p.Chart):
            return [_reply(self.map.answer(message))]
        if isinstance(message, p.Plan):
            return [self._plan(message)]
        return [self._want(message)]

    # ------------------------------------------------------------ hello

    def _hello(self, message: p.Hello) -> Reply:
        if p.VERSION not in message.speaks:
            text = (
                f"The page speaks protocol {message.speaks}, the kernel {p.VERSION}: nblabel was "
                "upgraded in between. Reload the page and restart the kernel."
            )
            return self._refuse(message.client, message.id, "version", text)
        client = self._client(message.client)
        trail, more = self._trail(None)
        session = self.session
        return _reply(
            p.Welcome(
                p.VERSION, "welcome", message.client, message.id, session.store_id,
                session.annotator, session.note, trail, more, self._status(client),
            )
        )  # fmt: skip

    def _client(self, name: str) -> _Client:
        if name not in self._clients:
            while len(self._clients) >= MOST_CLIENTS:
                gone, _ = self._clients.popitem(last=False)
                self.session.release(gone)
            self._clients[name] = _Client()
        self._clients.move_to_end(name)
        return self._clients[name]

    # ------------------------------------------------------------ event

    def _event(self, message: p.Event) -> Iterator[Reply]:
        """Apply events in the order of their `seq`, whatever the order of their coming."""
        client = self._client(message.client)
        for event in message.events:
            client.early[event.seq] = event
        done: list[str] = []
        together: frozenset[str] = frozenset()
        try:
            together = self._append_together(client)
        except Exception as error:
            yield self._not_now(message, client, error)
        # A number below the expected one mostly means a repeat; but a page may have counted anew,
        # so only the id tells what is stored: an acknowledged event is on disk.
        for seq in sorted(client.early):
            if seq > client.expected:
                break  # the one before it is still on its way
            event = client.early[seq]
            try:
                if event.id not in together and not self._desk_session.knows(event.id):
                    self._desk_session.append([self._to_event(event)])
                    self._count(client, event)
            except (EventError, LabelValueError, UnknownItemError) as error:
                yield self._reject(message, [event.id], "illegal", str(error), retry=False)
            except Exception as error:  # of the disk, or of a log of the user's own
                yield self._not_now(message, client, error)
                break
            else:
                done.append(event.id)
            client.early.pop(seq)
            client.expected = max(client.expected, seq + 1)
        if len(client.early) > MOST_EARLY:
            client.early.clear()  # the page will send them again
        status = self._status(client)
        yield _reply(
            p.Ack(p.VERSION, "ack", message.client, message.id, done, client.expected, status)
        )
        if self.successor is not None:  # what was pressed is stored, but it ends here
            yield self._refuse(message.client, message.id, "replaced", _REPLACED)

    def _append_together(self, client: _Client) -> frozenset[str]:
        """Write what may be written now in one transaction; return the ids of it.

        Nothing is, if an event of it is not legal: then each is looked at for itself.
        """
        fresh: dict[str, p.EventPart] = {}
        expected = client.expected
        for seq in sorted(client.early):
            if seq > expected:
                break
            expected = max(expected, seq + 1)
            event = client.early[seq]
            if not self._desk_session.knows(event.id):
                fresh.setdefault(event.id, event)
        if len(fresh) < 2:
            return frozenset()
        try:
            self._desk_session.append([self._to_event(event) for event in fresh.values()])
        except (EventError, LabelValueError, UnknownItemError):
            return frozenset()
        for event in fresh.values():
            self._count(client, event)
        return frozenset(fresh)

    def _not_now(self, message: p.Event, client: _Client, error: Exception) -> Reply:
        """It stays in the page's outbox, and so do those behind it."""
        waiting = [event.id for event in client.early.values()]
        client.early.clear()
        return self._reject(message, waiting, "store", _text(error), retry=True)

    def _count(self, client: _Client, event: p.EventPart) -> None:
        if event.kind == "retract":
            client.retracted += 1
        else:
            self._said += 1

    @property
    def _desk_session(self) -> Session:
        desk = self
        while desk.successor is not None:
            desk = desk.successor
        return desk.session

    def _to_event(self, event: p.EventPart) -> LabelEvent:
        strategy = event.shown.strategy
        # What is verified with the suggestion in sight is on a page of many.
        verified = strategy in VERIFYING and event.shown.visible
        many = strategy in MANY or verified
        view = "map" if strategy == "map" else "grid" if many else "card"
        shown = Shown(**asdict(event.shown), view=view)
        return LabelEvent(
            event.id, event.kind, event.item, self.session.annotator, event.value, event.at,
            event.seconds, shown,
        )  # fmt: skip

    # ------------------------------------------------------------ want

    def _want(self, message: p.Want) -> Reply:
        session = self.session
        client = self._client(message.client)
        # What another kernel wrote; if it cannot be read now, the next label says so.
        with contextlib.suppress(StoreError):
            session.refresh()
        if message.cancel:
            session.cancel()
        if message.retrain:
            session.retrain()
        if message.skipped:
            session.reopen(session.skipped)
        running = session.certifying
        if running is not None and running.id == message.close:
            with contextlib.suppress(StoreError):  # the page still sees it running
                running.close()
        rank = session.rank_version
        held = set(message.held)
        buffers: list[bytes] = []
        items: list[p.ItemPart] = []
        order: list[str] = []
        size, fresh = 0, False
        if message.n > 0:
            for asked in session.window(message.client, min(message.n, MOST_ITEMS), message.keep):
                view = None if asked.id in held else self._view(asked.id)
                size += view.size() if view else 0
                # At least one that is new, or the page would ask for it again and again.
                if len(order) >= LEAST_ITEMS and size > MOST_BYTES and fresh:
                    break
                fresh = fresh or view is not None
                order.append(asked.id)
                items.append(self._item(asked, view, buffers))
        for item in message.ids[:50]:
            if item in session.pool:
                items.append(self._item(session.asked(item), self._view(item), buffers))
        trail, more = ([], None) if message.before is None else self._trail(message.before)
        made = p.Items(
            p.VERSION, "items", message.client, message.id, message.n > 0, order, items, trail,
            more, rank, self._status(client),
        )  # fmt: skip
        return _reply(made, buffers)

    def _find(self, message: p.Find) -> Reply:
        """Bring items to be shown together: as many as were asked for, but not too many bytes."""
        client = message.client
        self._client(client)
        buffers: list[bytes] = []
        items: list[p.ItemPart] = []
        found, error, size = None, None, 0
        try:
            found = self._gathering.gather(message, min(message.n, MOST_ITEMS))
            for asked in found.items:
                view = self._view(asked.id, small=not message.whole)
                size += view.size()
                if items and size > MOST_BYTES:
                    break
                items.append(self._item(asked, view, buffers))
        except NblabelError as problem:
            error = clean(str(problem))[: p.MOST_TEXT]
        except Exception as problem:  # of features, or of a model of the user's own
            error = clean(in_words(problem))[: p.MOST_TEXT]
        if found is None or error is not None:
            made = p.Found(
                p.VERSION, "found", client, message.id, message.of, [], 0, {}, False, error
            )
            return _reply(made)
        left = found.total - len(items)
        made = p.Found(
            p.VERSION, "found", client, message.id, found.of, items, left, found.counts,
            found.pending, None,
        )  # fmt: skip
        return _reply(made, buffers)

    def _plan(self, message: p.Plan) -> Reply:
        """Tell what certificates would take, and begin one if that is asked, once."""
        session, client = self.session, self._client(message.client)
        error = None
        offers: list[p.OfferPart] = []
        try:
            if message.begin is None:
                ways = (True, False) if session.task.target_type == "multiclass" else (True,)
                offers = [self._offer(level, blind) for level in LEVELS for blind in ways]
                if all(not offer.begins for offer in offers):
                    error = offers[-1].advice
            elif message.id not in client.begun:
                session.certify(message.begin, CONFIDENCE, blind=message.blind)
                client.begun.append(message.id)
        except NblabelError as problem:
            error = clean(str(problem))[: p.MOST_TEXT]
        made = p.Planned(
            p.VERSION, "planned", message.client, message.id, CONFIDENCE, offers, error,
            self._status(client),
        )  # fmt: skip
        return _reply(made)

    def _offer(self, level: float, blind: bool) -> p.OfferPart:
        try:
            told = self.session.certifiable(level, CONFIDENCE, blind=blind)
        except OptionError as problem:  # as where earlier certificates leave nothing of so little
            return p.OfferPart(level, blind, 0, 0, 0, False, clean(str(problem))[: p.MOST_TEXT])
        begins = told["machine"] > 0 and (told["audits"] > 0 or told["by_hand"] == 0)
        return p.OfferPart(
            level, blind, int(told["machine"]), int(told["audits"]), int(told["by_hand"]), begins,
            told["advice"],
        )  # fmt: skip

    def _read(self, message: p.Read) -> Reply:
        """Bring some bytes of an item that is in the pool, and of nothing else.

        What the name of the part means is for the renderer alone: it never becomes a path.
        """
        raw, total, error = b"", 0, None
        start, length = max(0, message.start), min(message.length, p.MOST_PIECE)
        try:
            if length < 1:
                raise ValueError("a piece has at least one byte")
            if message.item is None:
                raw, total = self.map.piece(message.name, start, length)
            else:
                raw, total = self.session.piece(message.item, message.name, start, length)
            raw = raw[:length]
        except BaseException as problem:  # also when the user interrupts a renderer that blocks
            error = clean(in_words(problem))[: p.MOST_TEXT]
        made = p.Piece(p.VERSION, "piece", message.client, message.id, start, total, error)
        return _reply(made, [] if error else [raw])

    def _view(self, item: str, *, small: bool = False) -> View:
        # A renderer may be slow: what was made lately is kept, for another page and for going back.
        key = (item, small)
        if key in self._views:
            self._views.move_to_end(key)
            return self._views[key]
        view = self.session.view(item, small=small)
        if view.size() < 200_000:
            self._views[key] = view
            if len(self._views) > 2 * MOST_ITEMS:
                self._views.popitem(last=False)
        return view

    def _item(self, asked: Asked, view: View | None, buffers: list[bytes]) -> p.ItemPart:
        session = self.session
        made = None
        if view is not None:
            made = p.ViewPart(view.kind, view.data, len(view.buffers))
            buffers.extend(view.buffers)
        suggestion = None
        if asked.suggestion is not None:
            text = asked.content if isinstance(asked.content, str) else ""
            marks = session.marks(asked.id, asked.suggestion.label) if text else []
            suggestion = p.SuggestionPart(
                asked.suggestion.label,
                asked.suggestion.confidence,
                _foremost(asked.suggestion.ranking),
                utf16_marks(text, marks),
                asked.suggestion.version,
            )
        shown = asked.shown
        part = p.ShownPart(
            shown.strategy, shown.audit, shown.draw, shown.seed, shown.model_version,
            shown.suggestion, shown.confidence, shown.visible, None, shown.probability,
        )  # fmt: skip
        label, note, flagged = session.said(asked.id)
        if shown.strategy in VERIFYING:  # who verifies is not told what was said before
            label = None
        return p.ItemPart(
            asked.id, _name(asked), asked.reason, part, suggestion, made, label, note, flagged,
            session.copies(asked.id),
        )  # fmt: skip

    # ------------------------------------------------------------ parts

    def _trail(self, before: int | None) -> tuple[list[p.TrailPart], int | None]:
        rows, more = self.session.trail(TRAIL, before)
        return [
            p.TrailPart(event.id, event.kind, event.item, event.value, replaced)  # type: ignore[arg-type]
            for event, replaced in rows
        ], more

    def _status(self, client: _Client) -> p.StatusPart:
        session = self._desk_session
        status = session.status()
        # Another page's labels are no news, as pages never hold the same items; but what it took
        # back may have been said here.
        outside = session.n_events - self._said - client.retracted
        made = {**status, "accuracy": _tuple(status["accuracy"])}
        if made["certify"] is not None:
            curve = [_tuple(point) for point in made["certify"]["curve"]]
            made["certify"] = p.CertifyPart(**{**made["certify"], "curve": curve})
        return p.StatusPart(**made, outside=outside)

    def _not_understood(self, raw: Any, error: ProtocolError) -> list[Reply]:
        client = raw.get("client") if isinstance(raw, dict) else None
        request = raw.get("id") if isinstance(raw, dict) else None
        if not isinstance(client, str):
            return []  # not ours: nobody waits for an answer
        request = request if isinstance(request, str) else ""
        client, re = _echo(client), _echo(request)
        if error.code == "type":
            # A word that this kernel does not know is no reason to end the labeling.
            answer = p.Reject(p.VERSION, "reject", client, re, [], error.code, error.text, True)
            return [_reply(answer)]
        return [self._refuse(client, re, error.code, error.text)]

    def _refuse(self, client: str, re: str, code: str, text: str) -> Reply:
        return _reply(p.Refuse(p.VERSION, "refuse", client, re, code, text))

    def _reject(
        self, message: p.Event, ids: list[str], code: str, text: str, *, retry: bool
    ) -> Reply:
        return _reply(
            p.Reject(p.VERSION, "reject", message.client, message.id, ids, code, text, retry)
        )


def utf16_marks(text: str, marks: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Convert code points, as Python counts, to UTF-16 units, as JavaScript counts."""
    if text.isascii() or not marks:
        return marks
    made, at, units = [], 0, 0
    for start, end, weight in marks:  # sorted, not overlapping
        units += _units(text[at:start])
        length = _units(text[start:end])
        made.append((units, units + length, weight))
        units, at = units + length, end
    return made


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _echo(text: str) -> str:
    """What a page said of itself, as it can be sent back."""
    return text[: p.MOST_TEXT].encode("utf-8", "replace").decode()


def _foremost(ranking: list[tuple[str, float | None]]) -> list[tuple[str, float | None]]:
    """Return some of a long ranking, the likeliest among them: the order is not theirs."""
    first, rest = ranking[:MOST_RANKED], ranking[MOST_RANKED:]
    likeliest = max(ranking, key=lambda pair: pair[1] or 0.0, default=None)
    return [*first[:-1], likeliest] if likeliest is not None and likeliest in rest else first


def _name(asked: Asked) -> str:
    return str(asked.key)[:80].encode("utf-8", "replace").decode()


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else f"{type(error).__name__}: {error}"


def _tuple(values: list[Any] | None) -> Any:
    return None if values is None else tuple(values)


def _reply(message: Any, buffers: list[bytes] | None = None) -> Reply:
    return asdict(message), buffers or []
