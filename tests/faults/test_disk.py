"""A disk that is full, a file that is gone, held, replaced or damaged, and what can be salvaged."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

import nblabel as nl
from nblabel import store
from nblabel.errors import StoreError
from nblabel.events import LabelEvent, Shown, encode
from nblabel.store import SqliteLog
from nblabel.testing import FakePage

from . import kernels as other
from .kernels import CLASSES, FORKS, TEXTS, Annotator, Kernel, reopened, settled, trial


def open_session(path: Path, **options: Any) -> nl.Session:
    how = {"annotator": "ana", "model": False, "strategy": "random", **options}
    return nl.Session(TEXTS, CLASSES, store=path, **how)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "labels.sqlite"


@pytest.fixture
def session(path: Path) -> Iterator[nl.Session]:
    session = open_session(path)
    yield session
    session.close()


@pytest.fixture
def annotator(session: nl.Session) -> Annotator:
    """Who has pressed some keys already."""
    made = Annotator(FakePage(session).open(), seed=7)
    for _ in range(20):
        made.press()
    return made


def unsaved(annotator: Annotator, presses: int = 5) -> str:
    """Press keys that cannot be saved; return what the person is told."""
    page, before = annotator.page, len(annotator.page.outbox)
    labeled = page.status["labeled"]
    for _ in range(presses):
        annotator.press()
    assert len(page.outbox) == before + presses
    assert page.status["labeled"] == labeled  # not shown as saved
    assert page.rejected[-1]["retry"] and page.rejected[-1]["code"] == "store"
    return str(page.rejected[-1]["text"])


# ---------------------------------------------------------------- full, read-only, held


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk can be mounted here; the test with a limit on the file size runs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_disk_is_full(small_disk: Path, tally: Callable[..., None]) -> None:
    ballast = small_disk / "ballast"
    session = open_session(small_disk / "labels.sqlite")
    annotator = Annotator(FakePage(session).open(), seed=1)
    for _ in range(3):  # full, and well again, without a new cell
        for _ in range(5):
            annotator.press()
        with pytest.raises(OSError, match="No space left"), ballast.open("wb", 0) as file:
            while True:
                file.write(bytes(4096))
        while not annotator.page.outbox:  # the WAL may have room left in its last page
            annotator.press()
        assert "The disk is full: make room" in unsaved(annotator)
        assert trial(annotator, small_disk / "labels.sqlite")["lost"] == 0
        ballast.unlink()
        annotator.page.resend()
        settled(annotator, session)
    tally("disk full", faults=3, labels=len(annotator.said), lost=0, duplicated=0)
    session.close()


def test_files_may_not_grow(path: Path, tally: Callable[..., None]) -> None:
    with Kernel(path) as kernel:
        annotator = Annotator(FakePage(kernel).open(), seed=2)
        for _ in range(4):
            for _ in range(5):
                annotator.press()
            kernel.ask("limit", Path(f"{path}-wal").stat().st_size)
            text = unsaved(annotator)
            assert "cannot be written" in text and "kept in the browser" in text
            assert trial(annotator, path)["lost"] == 0
            kernel.ask("limit", None)
            annotator.page.resend()
            annotator.page.resend()
            assert annotator.page.outbox == {}
            assert kernel.ask("labels") == annotator.labels()
    counts = trial(annotator, path)
    tally("disk full", **{**counts, "faults": 4})
    assert counts["lost"] == counts["duplicated"] == 0


def test_a_log_that_may_not_be_written_is_no_reason_to_begin_another(
    tally: Callable[..., None],
) -> None:
    # The superuser may write everywhere: the kernel is somebody else.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.sqlite"
        session = open_session(path)
        session.record("1", "ham")
        session.close()
        before = path.read_bytes()
        Path(folder).chmod(0o555)
        path.chmod(0o444)
        with Kernel(path, user=65534 if _is_superuser() else None) as kernel:
            assert "StoreError" in kernel.opened and "may be written" in kernel.opened
        Path(folder).chmod(0o755)
        assert path.read_bytes() == before
        path.chmod(0o644)
        assert len(reopened(path)) == 1
    tally("file read-only", faults=1, labels=1, lost=0, duplicated=0)


def _is_superuser() -> bool:
    return other.os.getuid() == 0


def test_another_process_holds_the_log_for_long(
    session: nl.Session,
    annotator: Annotator,
    monkeypatch: pytest.MonkeyPatch,
    tally: Callable[..., None],
) -> None:
    for _ in range(3):
        here, there = FORKS.Pipe()
        holder = FORKS.Process(target=other.hold, args=(session.store_path, there))
        holder.start()
        assert here.recv() == "held"
        with session._log._engine.connect() as connection:  # type: ignore[union-attr]
            connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        assert "Another program holds it" in unsaved(annotator)
        with pytest.raises(StoreError, match="Another program holds it"):
            session.record("4999", "ham")
        here.send("let go")
        assert here.recv() == "free"
        holder.join()
        annotator.page.resend()
        settled(annotator, session)
    tally("held by another process", faults=3, labels=len(annotator.said), lost=0, duplicated=0)


# ---------------------------------------------------------------- deleted, moved, replaced


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("elsewhere.sqlite"))


@pytest.mark.parametrize("fault", [remove, remove_all, move])
def test_a_file_that_is_gone_is_written_again(
    session: nl.Session,
    annotator: Annotator,
    path: Path,
    fault: Callable[[Path], None],
    tally: Callable[..., None],
) -> None:
    identity = session.store_id
    for _ in range(3):
        fault(path)
        with pytest.warns(UserWarning, match="was written again at its place, with all labels"):
            annotator.press()
        counts = trial(annotator, path)
        tally("file deleted or moved", **{**counts, "faults": 1})
        assert counts["lost"] == counts["duplicated"] == 0
        for _ in range(5):
            annotator.press()
    settled(annotator, session)
    session.close()
    assert {file.name for file in path.parent.iterdir()} <= {
        "labels.sqlite",
        "elsewhere.sqlite",
        "elsewhere.sqlite-wal",
    }
    again = open_session(path)
    settled(annotator, again)
    assert again.store_id == identity
    again.close()


def test_a_folder_that_is_gone_and_comes_back(tmp_path: Path, tally: Callable[..., None]) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    path = folder / "labels.sqlite"
    session = open_session(path)
    annotator = Annotator(FakePage(session).open(), seed=3)
    for _ in range(10):
        annotator.press()
    shutil.rmtree(folder)
    assert "cannot be written again" in unsaved(annotator)
    folder.mkdir()
    with pytest.warns(UserWarning, match="written again"):
        annotator.page.resend()
    settled(annotator, session)
    counts = trial(annotator, path)
    tally("file deleted or moved", **{**counts, "faults": 1})
    assert counts["lost"] == 0
    session.close()


def test_another_file_in_its_place_is_left_alone(
    session: nl.Session, annotator: Annotator, path: Path, tally: Callable[..., None]
) -> None:
    copy = path.with_name("copy.sqlite")
    spare = SqliteLog(copy)
    spare.close()
    before = copy.read_bytes()
    for file in path.parent.glob("labels.sqlite*"):
        file.unlink()
    copy.rename(path)
    assert "was replaced by another file while it was in use" in unsaved(annotator)
    assert path.read_bytes() == before
    session.close()
    assert path.read_bytes() == before
    tally("file replaced", faults=1)


# ---------------------------------------------------------------- damaged


def events(count: int) -> list[LabelEvent]:
    shown = Shown("auto", True, 3, 7, None, 2, "ham", 0.75, True, 4)
    return [
        LabelEvent(
            f"{k:032x}",
            "note" if k % 20 == 0 else "label",
            str(k),
            "ana",
            "a long note " * 900 if k % 20 == 0 else CLASSES[k % 3],
            f"2026-01-01T00:00:{k % 60:02}+00:00",
            1.5,
            shown,
        )
        for k in range(count)
    ]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A log of 400 events, as a file."""
    path = tmp_path_factory.mktemp("sound") / "labels.sqlite"
    log = SqliteLog(path)
    written = events(400)
    for start in range(0, 400, 20):
        log.append(written[start : start + 20])
    log.tell(id="the same", task={"kind": "choice"})
    log.close()
    return path.read_bytes()


def header(data: bytearray, random: Random) -> None:
    size = random.choice((16, 100))
    data[:size] = bytes(size)


def page(data: bytearray, random: Random) -> None:
    at = 4096 * random.randrange(1, len(data) // 4096)
    data[at : at + 4096] = random.choice((bytes(4096), b"\xff" * 4096, random.randbytes(4096)))


def cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(4096, len(data)) :]


def payload(data: bytearray, random: Random) -> None:
    at = data.index(b'"kind":"label"', random.randrange(len(data) // 2))
    data[at] = ord("#")


def first_page(data: bytearray, random: Random) -> None:
    data[:4096] = bytes(4096)


@pytest.mark.parametrize("damage", [header, page, cut, payload, first_page])
def test_damage_is_found_left_alone_and_salvaged(
    sound: bytes,
    tmp_path: Path,
    damage: Callable[[bytearray, Random], None],
    torture: bool,
    tally: Callable[..., None],
) -> None:
    written = {event.id: event for event in events(400)}
    for seed in range(60 if torture else 6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path, new = folder / "labels.sqlite", folder / "labels-salvaged.sqlite"
        data = bytearray(sound)
        damage(data, Random(seed))
        path.write_bytes(data)
        tally("file damaged", faults=1)
        try:
            log = SqliteLog(path)
            try:
                stored = log.read()
            finally:
                log.close()
        except StoreError as error:
            # By the file alone nobody can know that it once was a log of labels.
            known = damage is not first_page and b"CREATE TABLE events" in data
            assert ("nblabel.salvage(" in str(error)) == known
        else:
            assert [event for _, event in stored] == list(written.values())  # not what counts
            continue
        assert path.read_bytes() == data and {f.name for f in folder.iterdir()} <= {
            "labels.sqlite",
            "labels.sqlite-shm",
            "labels.sqlite-wal",
        }
        if not any(encode(event).encode() in data for event in written.values()):
            # Cut off before the first of them.
            with pytest.raises(StoreError, match="nothing is left"):
                nl.salvage(path, new)
            continue
        found = nl.salvage(path, new)
        assert path.read_bytes() == data
        kept = [event for _, event in reopened(new)]
        assert kept == [written[event.id] for event in kept]
        assert [e.id for e in kept] == sorted(e.id for e in kept)  # in their order
        assert found.path == str(new) and found.events == len(kept)
        assert found.lost >= len(set(found.damaged))
        # A page holds six events or so, a long one reaches over three; an inner page none.
        if damage is page:
            assert len(kept) >= 380 and found.lost == 400 - len(kept)
        elif damage is payload:
            assert len(kept) == 399 == 400 - found.lost and len(found.damaged) == 1
            assert found.damaged[0] not in {event.item for event in kept}
        elif damage is not cut:
            assert len(kept) == 400 and found.lost == 0
        log = SqliteLog(new)
        assert log.id == ("the same" if damage is not cut or b"the same" in data else log.id)
        log.close()


def test_a_log_is_not_begun_anew_over_what_is_left_of_one(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match=r"is empty \(0 bytes\).*delete it to begin anew"):
        SqliteLog(path)
    assert path.read_bytes() == b""
    path.unlink()
    left = Path(f"{path}-wal")
    left.write_bytes(b"labels")
    with pytest.raises(StoreError, match=r"is not there, but .*-wal is, with labels"):
        SqliteLog(path)
    assert left.read_bytes() == b"labels" and not path.exists()


def test_what_waits_beside_the_file_is_salvaged_too(path: Path) -> None:
    with Kernel(path) as kernel:
        annotator = Annotator(FakePage(kernel).open(), seed=5)
        for _ in range(30):
            annotator.press()
    wal = Path(f"{path}-wal")
    assert wal.stat().st_size > 30_000
    copy = path.with_name("copy.sqlite")
    shutil.copy(path, copy)
    shutil.copy(wal, f"{copy}-wal")
    found = nl.salvage(copy, path.with_name("both.sqlite"))
    assert (found.events, found.lost, found.damaged) == (30, 0, [])
    copy.unlink()  # moved away without what belongs to it
    found = nl.salvage(copy, path.with_name("alone.sqlite"))
    assert (found.events, found.lost) == (30, 0)
    session = open_session(path.with_name("alone.sqlite"))
    annotator.page.desk = FakePage(session).desk
    settled(annotator, session)
    session.close()


def test_what_cannot_be_salvaged(path: Path, session: nl.Session) -> None:
    to = path.with_name("new.sqlite")
    with pytest.raises(StoreError, match=r"This kernel has .* open"):
        nl.salvage(path, to)
    with pytest.raises(StoreError, match="is there already"):
        nl.salvage(path, path)
    text = path.with_name("notes.txt")
    text.write_text("dear diary " * 1000)
    for nothing in (text, path.with_name("gone.sqlite")):
        with pytest.raises(StoreError, match="No event can be read"):
            nl.salvage(nothing, to)
    assert not to.exists()


def test_a_new_log_is_there_as_a_whole_or_not_at_all(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_engine: Any) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(store, "_fill", fail)
        with pytest.raises(StoreError, match="the process ends here"):
            SqliteLog(path)
    assert list(path.parent.iterdir()) == []
    SqliteLog(path).close()
    assert [file.name for file in path.parent.iterdir()] == ["labels.sqlite"]


def test_where_files_cannot_be_linked_they_are_renamed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(store.os, "link", no_links)
    log = SqliteLog(path)
    log.close()
    assert [file.name for file in path.parent.iterdir()] == ["labels.sqlite"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
