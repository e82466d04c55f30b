"""Raw pages against SQLite itself, and against garbage."""

import sqlite3
from pathlib import Path
from random import Random

import pytest

from nblabel._pages import page_size, read_rows

VALUES = (
    None, 0, 1, -1, 127, -(2**15), 2**23 - 1, -(2**31), 2**40, -(2**63), 2**63 - 1, 0.5, -1e300,
    "", "text", "grün 🤔", b"", b"\x00\xff", "long " * 3000, b"blob" * 9000,
)  # fmt: skip


def make(path: Path, size: int = 4096) -> list[tuple[int, tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA page_size={size}")
    connection.execute("CREATE TABLE t (a, b, c)")
    random = Random(size)
    rows = [(k * 37, tuple(random.choice(VALUES) for _ in "abc")) for k in range(1, 60)]
    for rowid, values in rows:
        connection.execute("INSERT INTO t (rowid, a, b, c) VALUES (?, ?, ?, ?)", (rowid, *values))
    connection.commit()
    connection.close()
    return rows


@pytest.mark.parametrize("size", [512, 1024, 4096, 65536])
def test_every_row_is_read_as_sqlite_reads_it(tmp_path, size):
    rows = make(tmp_path / "a", size)
    data = (tmp_path / "a").read_bytes()
    assert page_size(data) == size
    assert [row for row in read_rows(data) if len(row[1]) == 3] == rows
    spoiled = bytes(100) + data[100:]  # no header: sizes are tried
    assert page_size(spoiled) is None
    found = [row for row in read_rows(spoiled) if len(row[1]) == 3]
    assert found == rows


def test_rows_of_the_other_file_come_too_and_the_newest_pages_count(tmp_path):
    connection = sqlite3.connect(tmp_path / "a")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (a, b)")
    for k in range(200):
        connection.execute("INSERT INTO t VALUES (?, ?)", (k, "x" * 50 * k))
        connection.commit()
    data, wal = (tmp_path / name for name in ("a", "a-wal"))
    found = {row for row in read_rows(data.read_bytes(), wal.read_bytes()) if len(row[1]) == 2}
    assert {(k + 1, (k, "x" * 50 * k)) for k in range(200)} <= found
    assert {row for row in read_rows(b"", wal.read_bytes()) if len(row[1]) == 2}
    connection.close()


def test_garbage_is_passed_over(tmp_path):
    make(tmp_path / "a")
    sound = (tmp_path / "a").read_bytes()
    random = Random(0)
    for _ in range(300):
        data = bytearray(sound)
        for _ in range(random.choice((1, 10, 1000))):
            data[random.randrange(len(data))] = random.randrange(256)
        cut = random.randrange(len(data))
        for spoiled in (bytes(data), bytes(data[:cut]), random.randbytes(cut % 5000)):
            list(read_rows(spoiled, random.randbytes(random.choice((0, 31, 5000)))))
