"""A small log in a file of lines, and children of it with one thing wrong each.

In a module of its own, since the exam imports it in other processes.
"""

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from nblabel.events import decode, encode


class Lines:
    """A log in a file of lines, right but for what its children break."""

    def __init__(self, path: str) -> None:
        self.path = path
        Path(path).touch()

    def append(self, events):
        known = {event.id: position for position, event in self.read()}
        with open(self.path, "a", encoding="utf-8", newline="\n") as file:
            for event in events:
                if event.id not in known:
                    known[event.id] = len(known) + 1
                    file.write(encode(event) + "\n")
        return [known[event.id] for event in events]

    def read(self, after=0):
        with open(self.path, encoding="utf-8", newline="\n") as file:
            lines = file.read().split("\n")[:-1]
        return [(k, decode(line)) for k, line in enumerate(lines, start=1) if k > after]

    def close(self):
        pass


class Forgetful(Lines):
    """Keeps the newest events in memory until it is closed."""

    def __init__(self, path):
        super().__init__(path)
        self.waiting = []

    def append(self, events):
        known = {event.id for _, event in self.read()}
        for event in events:
            if event.id not in known:
                known.add(event.id)
                self.waiting.append(event)
        ids = [event.id for _, event in self.read()]
        return [ids.index(event.id) + 1 for event in events]

    def read(self, after=0):
        rows = super().read()
        waiting = enumerate(self.waiting, start=len(rows) + 1)
        return [(k, event) for k, event in [*rows, *waiting] if k > after]

    def close(self):
        waiting, self.waiting = self.waiting, []
        Lines.append(self, waiting)


class Batching(Lines):
    """Writes small events at once, and keeps large ones in memory until it is closed."""

    def __init__(self, path):
        super().__init__(path)
        self.buffer = []
        self.known = {event.id: position for position, event in self.read()}

    def append(self, events):
        if not events or len(events[0].value or "") < 500:
            return super().append(events)
        for event in events:
            self.known.setdefault(event.id, len(self.known) + 1)
            self.buffer.append(event)
        return [self.known[event.id] for event in events]

    def close(self):
        Lines.append(self, self.buffer)


class Repeating(Lines):
    def append(self, events):
        with open(self.path, "a", encoding="utf-8") as file:
            file.writelines(encode(event) + "\n" for event in events)
        number = len(self.read())
        return list(range(number - len(events) + 1, number + 1))


class Narrow(Lines):
    """Knows the fields of a label only."""

    def read(self, after=0):
        return [(k, replace(event, seconds=None)) for k, event in super().read(after)]


class Short(Lines):
    """Keeps 64 kilobytes of an event, as some columns of text do."""

    def read(self, after=0):
        return [(k, event) for k, event in super().read(after) if len(encode(event)) < 2**16]


class Backwards(Lines):
    def read(self, after=0):
        return super().read(after)[::-1]


class FromZero(Lines):
    def append(self, events):
        return [position - 1 for position in super().append(events)]


class Inclusive(Lines):
    def read(self, after=0):
        return super().read(after - 1)


class Private(Lines):
    """Each log reads the file once, when it is opened."""

    def __init__(self, path):
        super().__init__(path)
        self.seen = super().read()

    def append(self, events):
        made = super().append(events)
        known = {event.id for _, event in self.seen}
        fresh = [(k, e) for k, e in super().read() if e.id in {x.id for x in events} - known]
        self.seen = self.seen + fresh
        return made

    def read(self, after=0):
        seen = getattr(self, "seen", None)
        return super().read(after) if seen is None else [row for row in seen if row[0] > after]


class OneThread(Lines):
    """A plain connection belongs to the thread that made it."""

    def __init__(self, path):
        super().__init__(path)
        self.connection = sqlite3.connect(":memory:")

    def append(self, events):
        self.connection.execute("SELECT 1")
        return super().append(events)


class Temporary(Lines):
    def __init__(self, path):
        Path(path).unlink(missing_ok=True)
        super().__init__(path)


class NoLog:
    def __init__(self, path):
        pass


class Failing(Lines):
    def append(self, events):
        raise json.JSONDecodeError("no", "doc", 0)


def open_lines(path):
    return Lines(path)
