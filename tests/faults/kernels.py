"""A scripted annotator at a page, and a kernel in a process of its own that can be killed.

The page lives in the test, as the browser does: what it said and was not told to be saved stays in
its outbox when the kernel dies. The kernel is forked from a server that has imported everything, so
that each one starts in no time.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import sqlite3
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from nblabel import Session
from nblabel.errors import StoreError
from nblabel.events import LabelEvent
from nblabel.store import SqliteLog
from nblabel.testing import FakePage
from nblabel.widget.desk import Desk

TEXTS = [f"item {k} of a set that is never used up" for k in range(5000)]
CLASSES = ["ham", "spam", "else"]

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.kernels", "nblabel.widget"])


class Dead(Exception):
    """The kernel is gone: what was sent may have arrived or not."""


class Kernel:
    """A kernel with one labeler, in a process of its own; a page may sit at it as at a desk."""

    def __init__(self, path: Path, **options: Any) -> None:
        self._end, other = FORKS.Pipe()
        self.process = FORKS.Process(target=_serve, args=(other, str(path), options), daemon=True)
        self.process.start()
        other.close()
        self.opened: str = self._answer()

    def handle(self, raw: dict[str, Any]) -> list[Any]:
        """Answer a message; a dead kernel answers nothing."""
        try:
            return list(self.ask("handle", raw))
        except Dead:
            return []

    def ask(self, what: str, *args: Any) -> Any:
        """Let the kernel do one of the functions at the end of this module."""
        try:
            self._end.send((what, args))
        except OSError:
            raise Dead from None
        return self._answer()

    def _answer(self) -> Any:
        try:
            return self._end.recv()
        except (EOFError, OSError):
            raise Dead from None

    def kill(self) -> None:
        """End it as the system does when memory runs out: SIGKILL."""
        self.process.kill()
        self.process.join()
        self._end.close()

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Annotator:
    """Presses keys at a page and remembers each: labels, corrections, skips, undo."""

    def __init__(self, page: FakePage, seed: int, texts: int = len(TEXTS)) -> None:
        self.page = page
        self.random = Random(seed)
        #: All that the screen accepted, in order: event id, kind, item, value.
        self.said: list[tuple[str, str, str, Any]] = []
        self._items: Iterator[int] = iter(self.random.sample(range(texts), texts))

    def press(self) -> None:
        """Press one key."""
        chance = self.random.random()
        standing = self.standing()
        if chance < 0.07 and standing:
            event, item = self.random.choice(standing)
            self._say("retract", item, event)
        elif chance < 0.14 and standing:
            self._say("label", self.random.choice(standing)[1], self.random.choice(CLASSES))
        elif chance < 0.2:
            self._say("skip", str(next(self._items)), None)
        else:
            self._say("label", str(next(self._items)), self.random.choice(CLASSES))

    def standing(self) -> list[tuple[str, str]]:
        """Return id and item of the answers not taken back."""
        gone = {value for _, kind, _, value in self.said if kind == "retract"}
        return [(e, item) for e, kind, item, _ in self.said if kind != "retract" and e not in gone]

    def labels(self) -> dict[str, str]:
        """Return what the labels must be."""
        stands = {event for event, _ in self.standing()}
        answers = {item: (kind, v) for e, kind, item, v in self.said if e in stands}
        return {item: value for item, (kind, value) in answers.items() if kind == "label"}

    def move_to(self, page: FakePage) -> None:
        """Go on at another page, which finds what the old one had not sent in the storage."""
        for number, event in enumerate(self.page.outbox.values(), start=1):
            page.outbox[event["id"]] = {**event, "seq": number}
            page._seq = number
        self.page = page

    def _say(self, kind: str, item: str, value: Any) -> None:
        self.said.append((self.page.say(kind, item, value), kind, item, value))


def trial(annotator: Annotator, path: Path) -> dict[str, int]:
    """Count what is lost and doubled after a fault, the outbox not yet sent again.

    Law: what the screen accepted is in the log or still in the outbox, and in the log at most once.
    """
    stored = [event.id for _, event in reopened(path)]
    said = [event for event, *_ in annotator.said]
    safe = {*stored, *annotator.page.outbox}
    doubled = sum(count - 1 for count in Counter(stored).values())
    assert set(stored) <= set(said), "the log holds what nobody said"
    order = {event: place for place, event in enumerate(said)}
    places = [order[event] for event in stored]
    assert places == sorted(places), "the log is out of order"
    return {"labels": len(said), "lost": len(set(said) - safe), "duplicated": doubled}


def settled(annotator: Annotator, session: Session) -> None:
    """Hold a session against what the annotator pressed."""
    assert annotator.page.outbox == {}
    stored = [event.id for _, event in session._log.read()]
    assert stored == [event for event, *_ in annotator.said]
    found = session.labels["label"].to_dict()
    assert {str(item): value for item, value in found.items()} == annotator.labels()


def reopened(path: Path) -> list[tuple[int, LabelEvent]]:
    """Read a log as a new process does."""
    log = SqliteLog(path)
    try:
        return log.read()
    finally:
        log.close()


# ---------------------------------------------------------------- in the other process


def _serve(end: Connection, path: str, options: dict[str, Any]) -> None:
    how = {"annotator": "ana", "model": False, "strategy": "random", **options}
    user = how.pop("user", None)
    if user is not None:
        os.setgid(user)
        os.setuid(user)
    texts = TEXTS[: how.pop("texts", len(TEXTS))]
    try:
        session = Session(texts, CLASSES, store=path, **how)
    except StoreError as error:
        end.send(f"{type(error).__name__}: {error}")
        return
    desk = Desk(session)
    end.send("")
    while True:
        try:
            what, args = end.recv()
        except EOFError:
            return
        end.send(desk.handle(*args) if what == "handle" else globals()[what](session, *args))


def limit(_session: Session, size: int | None) -> None:
    """Let no file grow beyond a size; None lifts it."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


def status(session: Session) -> dict[str, Any]:
    """Return the status."""
    return session.status()


def labels(session: Session) -> dict[str, str]:
    """Return the labels, after a refresh."""
    session.refresh()
    return {str(item): label for item, label in session.labels["label"].items()}


def write_for_ever(path: str, side: str) -> None:
    """Append events as fast as it goes, and write down each that was acknowledged."""
    log = SqliteLog(path)
    number = len(log.read())
    out = os.open(side, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    while True:
        number += 1
        size = 1 + number * 7919 % 9000  # some go on in further pages
        log.append([LabelEvent(f"e{number}", "note", "item", "ana", "x" * size)])
        os.write(out, f"e{number}\n".encode())


def hold(path: str, end: Connection) -> None:
    """Hold the lock of a database until told to let go."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    end.send("held")
    with contextlib.suppress(EOFError):
        end.recv()
    connection.execute("ROLLBACK")
    connection.close()
    end.send("free")
