import gc
import os
import sqlite3
import threading

import pytest

from nblabel import store
from nblabel.errors import StoreError
from nblabel.events import LabelEvent, encode
from nblabel.store import EventLog, SqliteLog


def event(name: str, **changes) -> LabelEvent:
    return LabelEvent(**{"id": name, "kind": "skip", "item": "i", "annotator": "ana", **changes})


@pytest.fixture
def log(tmp_path):
    log = SqliteLog(tmp_path / "labels.sqlite")
    yield log
    log.close()


def test_the_file_can_be_read_with_the_standard_library(log):
    log.append([event("a", kind="label", value="grün")])
    with sqlite3.connect(log.path) as connection:
        rows = connection.execute("SELECT position, id, kind, item, body FROM events").fetchall()
    assert rows[0][:4] == (1, "a", "label", "i")
    assert rows[0][4] == encode(log.read()[0][1]) and "grün" in rows[0][4]
    connection.close()


def test_it_is_an_event_log_with_an_absolute_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = SqliteLog("labels.sqlite")
    assert isinstance(log, EventLog) and log.path == str(tmp_path / "labels.sqlite")
    log.close()
    assert os.listdir(tmp_path) == ["labels.sqlite"]


def test_memory_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = SqliteLog()
    assert log.path is None and log.append([event("a")]) == [1]
    log.close()
    assert os.listdir(tmp_path) == []


def test_every_append_is_synced(log):
    with log._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 3  # EXTRA
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_thousand_events_in_one_append(log):
    events = [event(f"e{k}") for k in range(1203)]
    positions = log.append(events)
    assert positions == list(range(1, 1204))
    assert log.append(events[::-1]) == positions[::-1]
    assert [e.id for _, e in log.read(1200)] == ["e1200", "e1201", "e1202"]


def test_an_append_that_fails_writes_nothing(log):
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        log.append([event("a"), event("b", value={1})])
    assert log.read() == []


def test_threads_may_take_turns(log):
    lock, failed = threading.Lock(), []

    def write(name):
        try:
            for k in range(20):
                with lock:
                    log.append([event(f"{name}{k}")])
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failed and len(log.read()) == 60


def test_what_the_file_says_of_itself(tmp_path):
    log = SqliteLog(tmp_path / "a.sqlite")
    identity = log.about()["id"]
    log.tell(task={"kind": "choice"}, items=3)
    log.tell(items=4)
    log.close()
    again = SqliteLog(tmp_path / "a.sqlite")
    known = {"id": identity, "format": 1, "task": {"kind": "choice"}, "items": 4}
    assert again.about() == known and again.id == identity
    again.close()
    other = SqliteLog(tmp_path / "b.sqlite")
    assert other.about()["id"] != identity
    other.close()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(StoreError, match=r"names a folder, .*; name a file in it"):
        SqliteLog(tmp_path)


def test_the_folder_must_exist(tmp_path):
    with pytest.raises(StoreError, match="does not exist: make it first"):
        SqliteLog(tmp_path / "gone" / "labels.sqlite")


def test_another_kind_of_file_is_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 1000)
    with pytest.raises(StoreError, match="is another kind of file: choose another path") as caught:
        SqliteLog(path)
    assert not caught.value.read_only
    assert path.read_text() == "dear diary " * 1000
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_another_database_is_left_alone(tmp_path):
    path = tmp_path / "mine.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE mine (a)")
    connection.commit()
    with pytest.raises(StoreError, match=r"database with other tables \('mine'\)"):
        SqliteLog(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    connection.close()


def test_a_damaged_file_is_left_as_it_is(tmp_path):
    path = tmp_path / "labels.sqlite"
    log = SqliteLog(path)
    log.append([event(f"e{k}", value="x" * 2000) for k in range(200)])
    log.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096 * 4 :] = b"\xff" * (len(damaged) - 4096 * 4)
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match=r"is damaged and was left as it is: nblabel\.salvage\("):
        log = SqliteLog(path)
        try:
            log.read()
        finally:
            log.close()


def test_a_log_held_by_another_program(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.01)
    log = SqliteLog(tmp_path / "labels.sqlite")
    other = sqlite3.connect(log.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"cannot be written .*Another program holds it"):
        log.append([event("a")])
    with pytest.raises(StoreError, match="Another program holds it"):
        log.tell(items=1)
    other.execute("ROLLBACK")
    assert log.append([event("a")]) == [1]
    other.close()
    log.close()


def test_a_full_disk(log):
    with log._engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="disk is full: make room, unsaved labels are kept"):
        log.append([event("a", value="x" * 100_000)])
    assert log.read() == []


def test_a_place_that_cannot_be_written(tmp_path):
    link = tmp_path / "labels.sqlite"
    try:
        link.symlink_to(tmp_path / "gone" / "labels.sqlite")
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.raises(StoreError, match="may be written, or choose another") as caught:
        SqliteLog(link)
    assert caught.value.read_only


def test_a_log_without_its_tables(log):
    with sqlite3.connect(log.path) as connection:
        connection.execute("DROP TABLE about")
        connection.execute("DROP TABLE events")
    connection.close()
    for act in (log.read, log.about):
        with pytest.raises(StoreError, match=r"cannot be read \(no such table.*sent again"):
            act()


def _open_connections() -> int:
    gc.collect()
    found = [thing for thing in gc.get_objects() if isinstance(thing, sqlite3.Connection)]
    return sum(map(_is_open, found))


def _is_open(connection: sqlite3.Connection) -> bool:
    try:
        connection.total_changes  # noqa: B018
    except sqlite3.ProgrammingError:
        return False
    return True


def test_a_log_lets_go_of_its_file(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("dear diary " * 1000)
    connection = sqlite3.connect(tmp_path / "mine.sqlite")
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    before = _open_connections()
    logs = [SqliteLog(tmp_path / "labels.sqlite")]
    assert _open_connections() == before + 1
    logs[0].close()
    failures = []
    for path in (text, tmp_path / "mine.sqlite"):
        with pytest.raises(StoreError) as caught:
            SqliteLog(path)
        failures.append(caught)  # keeps the frames, and what is in them, alive
    assert _open_connections() == before
