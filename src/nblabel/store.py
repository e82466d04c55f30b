"""The log of events on disk: durable, ordered, append-only.

One transaction an append, on the disk before it returns (`_prepare`): a label that is acknowledged
survives the death of the process and, as far as SQLite and the disk keep their word, of the
machine. An event id is appended at most once, so that a repeated delivery is harmless.

What is damaged is never written to: a file is examined before it is opened for writing, and
`salvage` makes a new one of what can be read.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
import warnings
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from ._pages import read_rows
from .errors import EventError, NewerEventError, StoreError, shorten
from .events import LabelEvent, decode, decode_all, encode

#: How long an append waits for another process that holds the lock, in seconds.
BUSY_SECONDS = 10.0
#: Version of the tables; that of an event is `events.SCHEMA`.
FORMAT = 1

_METADATA = sa.MetaData()
_EVENTS = sa.Table(
    "events",
    _METADATA,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("item", sa.String, nullable=False),
    sa.Column("annotator", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False),  # the whole event as JSON: `events.encode`
    sqlite_autoincrement=True,
)
_ABOUT = sa.Table(
    "about",
    _METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),  # JSON
)


@runtime_checkable
class EventLog(Protocol):
    """Durable, ordered, append-only store of events."""

    path: str | None

    def append(self, events: Sequence[LabelEvent]) -> list[int]:
        """Store events and return their positions; one already there keeps its position."""

    def read(self, after: int = 0) -> Iterable[tuple[int, LabelEvent]]:
        """Yield the events behind a position, in order."""

    def close(self) -> None:
        """Release the file."""


class SqliteLog:
    """An `EventLog` in one SQLite file, or in memory.

    Parameters
    ----------
    path : path-like, optional
        The file; made when it is not there. None keeps the log in memory.

    Attributes
    ----------
    path : str or None
    id : str
        Identifies the log, wherever its file lies.

    Raises
    ------
    StoreError
        If the file cannot be opened, is no log of nblabel, was written by a newer one, or is
        damaged. Nothing is written to it then.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else str(Path(path).expanduser().absolute())
        # SQLite follows links too: what belongs to the file lies beside what is linked to.
        self._file = None if self.path is None else os.path.realpath(self.path)
        self._engine = _engine(self._file)
        self._writer = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        if self.path is not None and self._file is not None:
            _check_place(Path(self.path))
            _check_file(self.path, self._file)
        try:
            if self._file is None:
                _fill(self._engine)
            else:
                if not os.path.exists(self._file):
                    _make(self._file)
                self._examine()
                with self._writer.begin() as connection:  # can it be written?
                    _METADATA.create_all(connection)
                self._inode = _inode(self._file)
            self.id = str(self.about().get("id") or uuid.uuid4().hex)
            self.tell(id=self.id)
        except sa.exc.DatabaseError as error:
            self.close()
            raise self._error("opened", error) from error
        except OSError as error:
            self.close()
            if isinstance(error, StoreError):
                raise
            raise self._off("opened", str(error), _ELSEWHERE, read_only=True) from error
        if self._file is not None:
            _OPEN.add(self)

    def append(self, events: Sequence[LabelEvent]) -> list[int]:
        """Store events in one transaction and return their positions in the log.

        Raises
        ------
        StoreError
            If they could not be written; then none of them is stored.
        """
        if not events:
            return []
        rows = [
            {
                "id": event.id,
                "kind": event.kind,
                "item": event.item,
                "annotator": event.annotator,
                "at": event.at,
                "body": encode(event),
            }
            for event in events
        ]
        ids = [event.id for event in events]
        self._keep_file()
        try:
            with self._writer.begin() as connection:
                connection.execute(sqlite.insert(_EVENTS).on_conflict_do_nothing(), rows)
                positions: dict[str, int] = {}
                for start in range(0, len(ids), 500):  # SQLite bounds the values of one statement
                    chunk = _EVENTS.c.id.in_(ids[start : start + 500])
                    found = connection.execute(
                        sa.select(_EVENTS.c.id, _EVENTS.c.position).where(chunk)
                    )
                    positions.update((row.id, row.position) for row in found)
        except sa.exc.DatabaseError as error:
            raise self._error("written", error) from error
        self._keep_file()  # moved meanwhile: then it lies where nobody looks for it
        return [positions[event_id] for event_id in ids]

    def read(self, after: int = 0) -> list[tuple[int, LabelEvent]]:
        """Return the events behind a position, in order.

        Raises
        ------
        StoreError
            If the file cannot be read, or holds what is no event.
        """
        query = (
            sa.select(_EVENTS.c.position, _EVENTS.c.body)
            .where(_EVENTS.c.position > after)
            .order_by(_EVENTS.c.position)
        )
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
        except sa.exc.DatabaseError as error:
            raise self._error("read", error) from error
        try:
            events = decode_all([body for _, body in rows])
        except EventError:
            events = [self._decode(position, body) for position, body in rows]
        return [(position, event) for (position, _), event in zip(rows, events, strict=True)]

    def _decode(self, position: int, body: Any) -> LabelEvent:
        try:
            return decode(body)
        except NewerEventError as error:
            raise StoreError(f"The log {self.path} cannot be read. {error}") from error
        except EventError as error:
            cause = f"event {position} is damaged: {error}"
            raise self._off("read", cause, self._salvage_advice()) from error

    def about(self) -> dict[str, Any]:
        """Return what the file says of itself: its id, its task, its items."""
        try:
            with self._engine.connect() as connection:
                return {
                    row.name: json.loads(row.value) for row in connection.execute(sa.select(_ABOUT))
                }
        except sa.exc.DatabaseError as error:
            raise self._error("read", error) from error

    def tell(self, **values: Any) -> None:
        """Write what the file says of itself."""
        known = self.about()
        values = {name: value for name, value in values.items() if known.get(name) != value}
        if not values:  # a full disk must not keep a log from being opened
            return
        rows = [{"name": name, "value": json.dumps(value)} for name, value in values.items()]
        statement = sqlite.insert(_ABOUT)
        statement = statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": statement.excluded.value}
        )
        try:
            with self._writer.begin() as connection:
                connection.execute(statement, rows)
        except sa.exc.DatabaseError as error:
            raise self._error("written", error) from error

    def close(self) -> None:
        """Release the file."""
        _OPEN.discard(self)
        self._engine.dispose()

    # ------------------------------------------------------------ the file

    def _examine(self) -> None:
        """Raise if the file is no sound log, without writing anything to it."""
        engine = _engine(self._file, read_only=True)
        try:
            with engine.connect() as connection:
                found = set(sa.inspect(connection).get_table_names())
                if found and not found >= set(_METADATA.tables):
                    raise StoreError(
                        f"{self.path} is a database with other tables ({shorten(sorted(found))}), "
                        "no log of labels: choose another path with store=."
                    )
                for (finding,) in connection.exec_driver_sql("PRAGMA quick_check(1)"):
                    if finding != "ok":
                        raise self._off("opened", finding, self._salvage_advice())
                if found:
                    about = connection.execute(sa.select(_ABOUT))
                    self._check_format({row.name: row.value for row in about})
        finally:
            engine.dispose()

    def _check_format(self, about: dict[str, str]) -> None:
        try:
            known = {name: json.loads(value) for name, value in about.items()}
        except ValueError as error:
            cause = f"what it says of itself is damaged: {error}"
            raise self._off("opened", cause, self._salvage_advice()) from error
        if known.get("format", 1) > FORMAT:
            raise StoreError(
                f"The log {self.path} has format {known['format']}, this nblabel reads up to "
                f"{FORMAT}: upgrade nblabel to open it."
            )

    def _keep_file(self) -> None:
        """Hold on to the file: write it again if it is gone, refuse another in its place.

        What is written to a file without a name is lost with the process.
        """
        if self._file is None:
            return
        try:
            if _inode(self._file) == self._inode:
                return
        except FileNotFoundError:
            self._restore(self._file)
            return
        except OSError as error:
            raise self._off("reached", str(error), _LATER) from error
        raise StoreError(
            f"The log {self.path} was replaced by another file while it was in use. Run the cell "
            "again to go on with the one that is there now; unsaved labels are kept in the browser."
        )

    def _restore(self, file: str) -> None:
        """Write the file again, of what the connection still holds."""
        try:
            with _new_file(file) as copy:
                with self._engine.execution_options(begin=None).connect() as connection:
                    connection.exec_driver_sql("VACUUM INTO ?", (copy,))
                _sync(copy)
                inode = _inode(copy)
                for orphan in _beside(file):
                    Path(orphan).unlink(missing_ok=True)
            if _inode(file) == inode:  # else another kernel was first
                self._engine.dispose()
                self._inode = inode
        except sa.exc.DatabaseError as error:
            raise self._error("written again", error) from error
        except OSError as error:
            raise self._off("written again", str(error), _LATER) from error
        self._keep_file()
        warnings.warn(
            f"The log {self.path} was deleted or moved while it was in use. It was written again "
            "at its place, with all labels.",
            stacklevel=2,
        )

    # ------------------------------------------------------------ errors

    def _error(self, what: str, error: sa.exc.DatabaseError) -> StoreError:
        cause = str(error.orig)
        read_only = "readonly" in cause or "unable to open" in cause
        if "not a database" in cause:
            advice = (
                self._salvage_advice()
                if self.path and _has_events(self.path)
                else "It is another kind of file: choose another path with store=."
            )
        elif "malformed" in cause or "corrupt" in cause:
            advice = self._salvage_advice()
        elif "locked" in cause:
            advice = "Another program holds it: close that program or try again."
        elif "full" in cause:
            advice = "The disk is full: make room, unsaved labels are kept in the browser."
        elif read_only:
            advice = _ELSEWHERE
        else:
            advice = _LATER
        return self._off(what, cause, advice, read_only=read_only)

    def _off(self, what: str, cause: str, advice: str, *, read_only: bool = False) -> StoreError:
        where = f"The log {self.path}" if self.path else "The log in memory"
        failure = StoreError(f"{where} cannot be {what} ({cause}). {advice}")
        failure.read_only = read_only
        return failure

    def _salvage_advice(self) -> str:
        path = Path(self.path or "labels.sqlite")
        new = path.with_name(f"{path.stem}-salvaged{path.suffix}")
        return (
            "It is damaged and was left as it is: "
            f"nblabel.salvage({str(path)!r}, {str(new)!r}) writes what is readable into a new "
            "file and says what is lost."
        )


_ELSEWHERE = "Check that the folder exists and may be written, or choose another with store=."
_LATER = "Unsaved labels are kept in the browser and sent again."
#: The logs that are open in this process.
_OPEN: weakref.WeakSet[SqliteLog] = weakref.WeakSet()


# ---------------------------------------------------------------- salvage


@dataclass(frozen=True)
class Salvaged:
    """What `salvage` found.

    Attributes
    ----------
    path : str
        The new file.
    events : int
        Events that were read, and are in it.
    lost : int
        At most this many are lost: numbers that the log gave to events, and no event that can be
        read has. A number may have been passed over.
    damaged : list of str
        Items of events that are there but cannot be read any more, as far as their names can be.
    """

    path: str
    events: int
    lost: int
    damaged: list[str]


def salvage(path: str | os.PathLike[str], to: str | os.PathLike[str]) -> Salvaged:
    """Read what is readable of a damaged log, and write it to a new one.

    The damaged file, and the one with ``-wal`` behind its name, are only read, page by page, so
    that one that is wrong does not hide the others; the file itself may be missing or cut off. Open
    the new one with ``store=``.

    Parameters
    ----------
    path : path-like
        The damaged log.
    to : path-like
        The new one; must not be there yet.

    Returns
    -------
    Salvaged
        How many events were read, and what is lost.

    Raises
    ------
    StoreError
        If there is nothing to read, no event in it, or something at `to`; or if this process has
        the log open.
    """
    source, target = (Path(place).expanduser().absolute() for place in (path, to))
    real = os.path.realpath(source)
    if os.path.lexists(target):
        raise StoreError(f"{target} is there already: name a file that is not, for what is read.")
    if any(log._file == real for log in _OPEN):
        # Closing any other handle of the file would end SQLite's own locks on it.
        raise StoreError(
            f"This kernel has {source} open: restart the kernel, or close() its session, first."
        )
    parts = [_read_bytes(f"{real}{end}") for end in ("", "-wal")]
    events: dict[str, tuple[int, LabelEvent]] = {}
    unread: dict[int, str] = {}
    about: dict[str, Any] = {}
    last = 0
    for position, row in read_rows(*parts):
        if len(row) == len(_EVENTS.columns) and row[0] is None:
            try:
                event = decode(row[-1])
            except NewerEventError as error:
                raise StoreError(f"The log {source} cannot be read. {error}") from error
            except EventError:
                unread[position] = str(row[3])
            else:
                if (event.id, event.item) == (row[1], row[3]):
                    events.setdefault(event.id, (position, event))
        elif len(row) == 2 and row[0] == _EVENTS.name and isinstance(row[1], int):
            last = max(last, row[1])  # what AUTOINCREMENT keeps
        elif len(row) == 2 and isinstance(row[1], str):
            with contextlib.suppress(ValueError):
                about[str(row[0])] = json.loads(row[1])
    if not events:
        raise StoreError(f"No event can be read of {source}: it is no log, or nothing is left.")
    found = sorted(events.values(), key=lambda read: (read[0], read[1].at))
    places = {position for position, _ in found}
    log = SqliteLog(target)
    try:
        known = {name: about[name] for name in ("id", "task", "items") if name in about}
        log.tell(**known)
        log.append([event for _, event in found])
    finally:
        log.close()
    return Salvaged(
        str(target),
        len(found),
        max(last, *places, *unread) - len(places),
        [item for position, item in sorted(unread.items()) if position not in places],
    )


# ---------------------------------------------------------------- files and connections


def _check_place(path: Path) -> None:
    if path.is_dir():
        raise StoreError(
            f"store= names a folder, {path}; name a file in it, such as labels.sqlite."
        )
    if not path.parent.is_dir():
        raise StoreError(f"The folder {path.parent} of the log does not exist: make it first.")


def _check_file(path: str, file: str) -> None:
    """Raise if the file is empty, or gone with labels left beside it: SQLite would begin anew."""
    try:
        size = os.stat(file).st_size
    except OSError:
        left = f"{file}-wal"
        if os.path.exists(left) and os.stat(left).st_size:
            raise StoreError(
                f"{path} is not there, but {left} is, with labels that belong to it. Put the file "
                f"back beside it; or nblabel.salvage({path!r}, 'salvaged.sqlite') writes what is "
                "readable into a new file; or move it away too, to begin anew."
            ) from None
        return
    if not size:
        raise StoreError(
            f"{path} is empty (0 bytes), no log of labels. If it held labels, look for a copy; "
            "delete it to begin anew."
        )


def _make(file: str) -> None:
    """Make a new log, which is there as a whole or not at all."""
    with _new_file(file) as made:
        engine = _engine(made)
        try:
            _fill(engine)
        finally:
            engine.dispose()


@contextlib.contextmanager
def _new_file(file: str) -> Iterator[str]:
    """Give a name to write to, and let the file have its own in the end, unless it is taken."""
    made = f"{file}.{uuid.uuid4().hex[:8]}"
    try:
        yield made
        try:
            os.link(made, file)
        except FileExistsError:
            pass  # another kernel was first
        except OSError:  # no links on this kind of disk
            if not os.path.exists(file):
                os.rename(made, file)
    finally:
        for name in (made, *_beside(made)):
            Path(name).unlink(missing_ok=True)


def _fill(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        _METADATA.create_all(connection)
        about = {"id": uuid.uuid4().hex, "format": FORMAT}
        rows = [{"name": name, "value": json.dumps(value)} for name, value in about.items()]
        connection.execute(sa.insert(_ABOUT), rows)


def _beside(file: str) -> list[str]:
    """Return the files that SQLite keeps beside one."""
    return [f"{file}-wal", f"{file}-shm", f"{file}-journal"]


def _inode(file: str) -> tuple[int, int]:
    found = os.stat(file)
    return found.st_dev, found.st_ino


def _sync(file: str) -> None:
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())


def _read_bytes(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise StoreError(f"{file} cannot be read ({error}).") from error


def _has_events(path: str) -> bool:
    """Whether a file that SQLite does not know holds events all the same."""
    try:
        return b"CREATE TABLE events" in Path(path).read_bytes()
    except OSError:
        return False


def _engine(file: str | None, *, read_only: bool = False) -> sa.Engine:
    address = sa.URL.create("sqlite", database=file or ":memory:")
    if read_only and file is not None:
        query = {"mode": "ro", "uri": "true"}
        address = sa.URL.create("sqlite", database=Path(file).as_uri(), query=query)
    # One connection, used under the session's lock from whichever thread holds it.
    engine = sa.create_engine(
        address,
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    sa.event.listen(engine, "connect", _only_read if read_only else _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _only_read(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`


def _prepare(connection: Any, _record: Any) -> None:
    """Set how safe a commit is: see docs/reliability.md and `benchmarks.durability`."""
    connection.isolation_level = None  # transactions are begun by `_begin`
    try:
        # WAL is not to be had on some network folders; SQLite then keeps its default journal.
        connection.execute("PRAGMA journal_mode=WAL")
        # A commit waits for the disk. With the default journal EXTRA waits for the folder, too.
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA fullfsync=ON")  # macOS: also for what the disk keeps to itself
    except BaseException:
        connection.close()  # SQLAlchemy 2.0 lets go of it only when it is collected
        raise


def _begin(connection: Any) -> None:
    # A deferred transaction can fail half-way with 'locked'; an immediate one waits for its turn.
    begin = connection.get_execution_options().get("begin", "BEGIN")
    if begin is not None:
        connection.exec_driver_sql(begin)
