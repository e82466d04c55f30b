"""Rows out of the raw pages of a SQLite file, however damaged the rest of it is.

SQLite gives up at the first page that is wrong. This reads every page for itself: whatever looks
like a leaf of a table is taken apart, cell by cell, and what cannot be is passed over. It follows
https://www.sqlite.org/fileformat2.html, sections 1.6 (pages), 2.1 (records) and 4.1 (the log of
pages that waits beside the file, ``-wal``). It never opens a file, and never writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import error as _StructError
from struct import unpack_from
from typing import Any

#: Tried where the header does not say.
_SIZES = (4096, 1024, 2048, 8192, 16384, 32768, 65536, 512)
_MAGIC = b"SQLite format 3\0"
_LEAF = 0x0D
_WAL_HEADER, _FRAME_HEADER = 32, 24

Row = tuple[int, tuple[Any, ...]]


def page_size(database: bytes) -> int | None:
    """Return the page size a header names, None if there is no sound header."""
    if len(database) < 100 or not database.startswith(_MAGIC):
        return None
    size = int(unpack_from(">H", database, 16)[0])
    size = 65536 if size == 1 else size
    return size if size in _SIZES else None


def read_rows(database: bytes, wal: bytes = b"") -> Iterator[Row]:
    """Return every row of every table that can be read; the same one may come more than once.

    Parameters
    ----------
    database : bytes
        The file.
    wal : bytes
        The file with ``-wal`` behind its name, if there is one.

    Returns
    -------
    iterator of (int, tuple)
        The number of the row and its values: None, int, float, str (with U+FFFD where it is no
        UTF-8) or bytes.
    """
    named = page_size(database)
    if named is None and len(wal) >= _WAL_HEADER:
        size = int(unpack_from(">I", wal, 8)[0])
        named = size if size in _SIZES else None
    if named is not None:
        return _rows(database, wal, named)
    # With a wrong size only the pages that begin at the same place can be read.
    tried: list[list[Row]] = [list(_rows(database, wal, size)) for size in _SIZES]
    most = max(tried, key=len)
    return iter(most)


def _rows(database: bytes, wal: bytes, size: int) -> Iterator[Row]:
    stored = {
        number + 1: database[at : at + size]
        for number, at in enumerate(range(0, len(database), size))
    }
    newer: list[tuple[int, bytes]] = []
    step = _FRAME_HEADER + size
    for at in range(_WAL_HEADER, len(wal) - _FRAME_HEADER, step):
        newer.append((unpack_from(">I", wal, at)[0], wal[at + _FRAME_HEADER : at + step]))
    together = {**stored, **dict(newer)}
    # A long row goes on in further pages: as they are with the newer ones, and as they were.
    for pages in (together, stored) if newer else (stored,):
        for number, page in [*stored.items(), *newer]:
            yield from _leaf(page, 100 if number == 1 else 0, size, pages)


def _leaf(page: bytes, start: int, size: int, pages: dict[int, bytes]) -> Iterator[Row]:
    if len(page) < start + 8 or page[start] != _LEAF:
        return
    cells = unpack_from(">H", page, start + 3)[0]
    for k in range(min(cells, (size - start - 8) // 2)):
        try:
            (at,) = unpack_from(">H", page, start + 8 + 2 * k)
            length, at = _varint(page, at)
            rowid, at = _varint(page, at)
            row = _record(_payload(page, at, length, size, pages))
        except (IndexError, ValueError, KeyError, OverflowError, _StructError):
            continue
        yield rowid, row


def _payload(page: bytes, at: int, length: int, size: int, pages: dict[int, bytes]) -> bytes:
    """Return a cell's content, which may go on in overflow pages."""
    if length <= size - 35:
        return page[at : at + length]
    least = (size - 12) * 32 // 255 - 23
    local = least + (length - least) % (size - 4)
    local = local if local <= size - 35 else least
    parts, left = [page[at : at + local]], length - local
    (following,) = unpack_from(">I", page, at + local)
    for _ in range(len(pages)):  # a damaged chain may lead in circles
        if left <= 0:
            break
        part = pages[following]
        (following,) = unpack_from(">I", part, 0)
        parts.append(part[4 : 4 + min(left, size - 4)])
        left -= size - 4
    return b"".join(parts)


def _record(payload: bytes) -> tuple[Any, ...]:
    end, at = _varint(payload, 0)
    if end > len(payload):
        raise ValueError("the header is longer than the record")
    kinds = []
    while at < end:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Any] = []
    for kind in kinds:
        width = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)[kind] if kind < 10 else (kind - 12) // 2
        raw, at = payload[at : at + width], at + width
        if len(raw) < width or kind in (10, 11):
            raise ValueError("the record is cut off")
        if kind == 0:
            values.append(None)
        elif kind <= 6:
            values.append(int.from_bytes(raw, "big", signed=True))
        elif kind == 7:
            values.append(unpack_from(">d", raw)[0])
        elif kind <= 9:
            values.append(kind - 8)
        else:
            values.append(raw if kind % 2 == 0 else raw.decode("utf-8", "replace"))
    return tuple(values)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(9):
        byte = data[at + k]
        if k == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + k + 1
    raise AssertionError  # pragma: no cover
