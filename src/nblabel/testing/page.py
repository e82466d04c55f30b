"""A page of the browser, without a browser."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..events import TRAP, new_id, now
from ..session import Session
from ..widget import protocol
from ..widget.desk import Desk


def as_json(value: Any, what: str) -> Any:
    """Send a value through JSON and UTF-8, as a message is sent."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise AssertionError(f"{what} cannot be sent as JSON: {error}.") from None


class FakePage:
    """A page that sits at a desk, without a browser.

    Every message passes through JSON, as on the wire. What is said stays in the `outbox` until it
    is acknowledged, as in the browser.

    Parameters
    ----------
    desk : Labeler, Session or Desk
    client : str, optional
        Id of the page.

    Attributes
    ----------
    line : {"up", "down", "deaf", "held"}
        Where messages go: to the kernel; nowhere; to the kernel, but its replies are lost; into
        `held`, until `deliver`.
    outbox : dict of event id to event
        Said, not acknowledged.
    items : dict of item id to item
    order : list of item id
        The window; answered items leave it.
    buffers : dict of item id to list of bytes
    trail : list of dict
        Own events that stand, oldest first.
    status : dict
    received : list of dict
        All replies.
    found : dict
        The newest answer to `find`.
    rejected : list of dict
    refused : str
        What the kernel said when it refused.

    Examples
    --------
    >>> session = Session(["win money", "see you"], ["spam", "ham"], store=None, inline=True)
    >>> page = FakePage(session).open()
    >>> _ = page.label(page.order[0], "spam")
    >>> len(session.labels)
    1
    """

    def __init__(self, desk: Any, client: str | None = None) -> None:
        self.desk: Desk = Desk(desk) if isinstance(desk, Session) else getattr(desk, "_desk", desk)
        self.client = client or new_id()
        self.line = "up"
        self.held: list[dict[str, Any]] = []
        self.outbox: dict[str, dict[str, Any]] = {}
        self.items: dict[str, dict[str, Any]] = {}
        self.buffers: dict[str, list[bytes]] = {}
        self.order: list[str] = []
        self.trail: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {}
        self.received: list[dict[str, Any]] = []
        self.rejected: list[dict[str, Any]] = []
        self.found: dict[str, Any] = {}
        self.refused = ""
        self._seq = 0
        self._position = 0

    def open(self, n: int = 20) -> FakePage:
        """Say hello and ask for a window of n items."""
        self.hello()
        self.want(n)
        return self

    # ------------------------------------------------------------ asking

    def hello(self) -> None:
        """Say hello."""
        self.send("hello", speaks=[protocol.VERSION], unsent=len(self.outbox))

    def want(
        self, n: int = 0, *, keep: Sequence[str] | None = None, ids: Sequence[str] = (), **more: Any
    ) -> None:
        """Ask for a window of n items, by default with the current and the next one kept."""
        kept = self.order[:2] if keep is None else list(keep)
        self.send("want", n=n, keep=kept, held=list(self.items), ids=list(ids), **more)

    def find(
        self, rule: str, of: str = "", *, n: int = 20, strategy: str = "grid", **more: Any
    ) -> list[str]:
        """Ask for items to show together; return the ids of those that came."""
        asked = {"but": [], "ids": [], **more}
        self.found = {}
        self.send("find", rule=rule, of=of, strategy=strategy, n=n, **asked)
        return [item["id"] for item in self.found.get("items", ())]

    # ------------------------------------------------------------ saying

    def label(self, item: str, value: Any) -> str:
        """Label an item; return the id of the event, as the following do."""
        return self.say("label", item, value)

    def label_all(self, values: Mapping[str, Any]) -> list[str]:
        """Label items of the newest answer to `find`, all in one message; return the events."""
        shown = {item["id"]: item["shown"] for item in self.found["items"]}
        page, line, events = new_id(), self.line, []
        self.line = "down"
        for k, (item, value) in enumerate(values.items()):
            changes = {"id": f"{page}/{k}", "shown": {**shown[item], "position": self._position}}
            events.append(self.say("label", item, value, **changes))
        self.line = line
        self.send("event", events=[self.outbox[event] for event in events])
        return events

    def skip(self, item: str) -> str:
        """Skip an item."""
        return self.say("skip", item)

    def flag(self, item: str, value: bool = True) -> str:
        """Flag an item, or take its flag away."""
        return self.say("flag", item, value)

    def note(self, item: str, text: str) -> str:
        """Write a note on an item."""
        return self.say("note", item, text)

    def retract(self, event: str, item: str) -> str:
        """Take back one event about an item."""
        return self.say("retract", item, event)

    def undo(self) -> str | None:
        """Take back the newest own event that stands; None if there is none."""
        if not self.trail:
            return None
        newest = self.trail[-1]
        return self.retract(newest["id"], newest["item"])

    def say(self, kind: str, item: str, value: Any = None, **changes: Any) -> str:
        """Say anything; `changes` replace fields of the event, such as ``id`` or ``seq``."""
        browsed = {"strategy": "browse", "audit": False, "draw": None, "seed": None,
                   "model_version": 0, "suggestion": None, "confidence": None,
                   "visible": False}  # fmt: skip
        self._seq += 1
        self._position += 1
        shown = self.items[item]["shown"] if item in self.items else browsed
        event = {"id": new_id(), "seq": self._seq, "kind": kind, "item": item, "value": value,
                 "at": now(), "seconds": 1.0, "shown": {**shown, "position": self._position},
                 **changes}  # fmt: skip
        self.outbox[event["id"]] = event
        if kind == "retract":
            self.trail = [said for said in self.trail if said["id"] != value]
        elif event["shown"]["strategy"] != TRAP:  # the answer to one is no label
            self.trail.append(event)
        if kind in ("label", "skip") and item in self.order:
            self.order.remove(item)
        self.send("event", events=[event])
        return str(event["id"])

    def reload(self, desk: Any = None) -> FakePage:
        """Return the page that comes after this one: it takes over what was not acknowledged.

        Parameters
        ----------
        desk : Labeler, Session or Desk, optional
            That of a new kernel, if the old one has ended.
        """
        page = FakePage(self.desk if desk is None else desk)
        for page._seq, event in enumerate(self.outbox.values(), start=1):
            page.outbox[event["id"]] = {**event, "seq": page._seq}
        page.hello()
        page.resend()
        page.hello()  # to hear of what was just said
        return page

    def resend(self) -> None:
        """Send everything that is not acknowledged again."""
        if self.outbox:
            self.send("event", events=list(self.outbox.values()))

    # ------------------------------------------------------------ the line

    def send(self, kind: str, **fields: Any) -> None:
        """Send a message of any type."""
        message = {"v": protocol.VERSION, "type": kind, "client": self.client, "id": new_id()}
        message = as_json({**message, **fields}, f"A message of type {kind!r}")
        if self.line == "held":
            self.held.append(message)
        elif self.line != "down":
            self._carry(message)

    def deliver(self, order: Sequence[int] | None = None) -> None:
        """Put the line up and carry the held messages, in another order if one is given."""
        messages, self.held, self.line = self.held, [], "up"
        for place in range(len(messages)) if order is None else order:
            self._carry(messages[place])

    def _carry(self, message: dict[str, Any]) -> None:
        for reply, buffers in self.desk.handle(message):
            if self.line != "deaf":
                self.receive(as_json(reply, "A reply"), [bytes(buffer) for buffer in buffers])

    def receive(self, reply: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Take in a reply; one for another page is passed over."""
        if reply["client"] != self.client:
            return
        self.received.append(reply)
        kind = reply["type"]
        self.status = reply.get("status", self.status)
        if kind == "welcome":
            known = {said["id"] for said in reply["trail"]}
            unsent = [e for e in self.trail if e["id"] in self.outbox and e["id"] not in known]
            self.trail = reply["trail"] + unsent
        elif kind == "items":
            rest = list(buffers)
            for item in reply["items"]:
                if item["view"] is None:  # the page holds it already
                    item["view"] = self.items[item["id"]]["view"]
                else:
                    count = item["view"]["buffers"]
                    self.buffers[item["id"]], rest = rest[:count], rest[count:]
                self.items[item["id"]] = item
            if reply["window"]:
                said = {e["item"] for e in self.outbox.values() if e["kind"] in ("label", "skip")}
                self.order = [item for item in reply["order"] if item not in said]
        elif kind == "found":
            self.found, rest = reply, list(buffers)
            for item in reply["items"]:
                count = item["view"]["buffers"]
                self.buffers[item["id"]], rest = rest[:count], rest[count:]
        elif kind == "ack":
            for event in reply["ids"]:
                self.outbox.pop(event, None)
            self._count_anew(reply["expected"])
        elif kind == "reject":
            self.rejected.append(reply)
            if not reply["retry"]:
                for event in reply["ids"]:
                    self.outbox.pop(event, None)
                self.trail = [said for said in self.trail if said["id"] not in reply["ids"]]
        elif kind == "refuse":
            self.refused = reply["text"]

    def _count_anew(self, expected: int) -> None:
        """Take a new name where the kernel waits for what was acknowledged to the old one."""
        events = sorted(self.outbox.values(), key=lambda event: int(event["seq"]))
        if not events or events[0]["seq"] <= expected:
            return
        self.client = new_id()
        for self._seq, event in enumerate(events, start=1):
            event["seq"] = self._seq
        self.resend()
