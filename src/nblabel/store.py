"""The log of events on disk: durable, ordered, append-only.

One transaction an append, committed with ``synchronous=FULL`` before it returns: a label that is
acknowledged survives the death of the process and, as far as SQLite and the disk keep their word,
of the machine. An event id is appended at most once, so that a repeated delivery is harmless.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.pool import StaticPool

from .errors import StoreError, shorten
from .events import LabelEvent, decode, encode

#: How long an append waits for another process that holds the lock, in seconds.
BUSY_SECONDS = 10.0

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

    Raises
    ------
    StoreError
        If the file cannot be opened, is no log of nblabel, or is damaged.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = None if path is None else str(Path(path).expanduser().absolute())
        address = sa.URL.create("sqlite", database=self.path or ":memory:")
        # One connection, used under the session's lock from whichever thread holds it.
        self._engine = sa.create_engine(
            address,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
        )
        sa.event.listen(self._engine, "connect", _prepare)
        sa.event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(immediate=True)
        if self.path is not None:
            _check_file(Path(self.path))
        try:
            with self._writer.begin() as connection:
                self._check_tables(connection)
                _METADATA.create_all(connection)
            if "id" not in self.about():
                self.tell(id=uuid.uuid4().hex)
        except sa.exc.DatabaseError as error:
            self.close()
            raise self._error("opened", error) from error
        except StoreError:
            self.close()
            raise

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
        return [positions[event_id] for event_id in ids]

    def read(self, after: int = 0) -> list[tuple[int, LabelEvent]]:
        """Return the events behind a position, in order."""
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
        return [(row.position, decode(row.body)) for row in rows]

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
        self._engine.dispose()

    def _check_tables(self, connection: sa.Connection) -> None:
        found = set(sa.inspect(connection).get_table_names())
        if found and not found >= set(_METADATA.tables):
            raise StoreError(
                f"{self.path} is a database with other tables ({shorten(sorted(found))}), no log "
                "of labels: choose another path with store=."
            )

    def _error(self, what: str, error: sa.exc.DatabaseError) -> StoreError:
        cause = str(error.orig)
        where = f"The log {self.path}" if self.path else "The log in memory"
        if "not a database" in cause:
            advice = "It is another kind of file: choose another path with store=."
        elif "malformed" in cause or "corrupt" in cause:
            advice = (
                "It is damaged and was left as it is: copy it away, then try "
                "`sqlite3 FILE .recover` to salvage what is readable."
            )
        elif "locked" in cause:
            advice = "Another program holds it: close that program or try again."
        elif "full" in cause:
            advice = "The disk is full: make room, unsaved labels are kept in the browser."
        elif "readonly" in cause or "unable to open" in cause:
            advice = (
                "Check that the folder exists and may be written, or choose another with store=."
            )
        else:
            advice = "Unsaved labels are kept in the browser and sent again."
        failure = StoreError(f"{where} cannot be {what} ({cause}). {advice}")
        failure.read_only = "readonly" in cause or "unable to open" in cause
        return failure


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise StoreError(
            f"store= names a folder, {path}; name a file in it, such as labels.sqlite."
        )
    if not path.parent.is_dir():
        raise StoreError(f"The folder {path.parent} of the log does not exist: make it first.")


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`
    try:
        # WAL is not to be had on some network folders; SQLite then keeps its default journal.
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
    except BaseException:
        connection.close()  # SQLAlchemy 2.0 lets go of it only when it is collected
        raise


def _begin(connection: Any) -> None:
    # A deferred transaction can fail half-way with 'locked'; an immediate one waits for its turn.
    immediate = connection.get_execution_options().get("immediate", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
