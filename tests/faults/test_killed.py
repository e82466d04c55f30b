"""SIGKILL at any moment: what the screen accepted is in the log or in the outbox, and once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from nblabel import Session
from nblabel.testing import FakePage

from . import kernels as other
from .kernels import CLASSES, FORKS, TEXTS, Annotator, Kernel, reopened, settled, trial


def test_the_kernel_is_killed_while_labeling(
    tmp_path: Path, torture: bool, tally: Callable[..., None]
) -> None:
    path, random = tmp_path / "labels.sqlite", Random(20)
    annotator = Annotator(FakePage(None, "page 0"), seed=1)
    for number in range(50 if torture else 4):
        steady = number % 2 == 0  # ten labels a second, or as fast as it goes
        kernel = Kernel(path, model=None, worker="thread", texts=400 if number % 5 == 0 else 5000)
        assert kernel.opened == ""
        if number % 3 == 2:  # the page is loaded again, too
            annotator.move_to(FakePage(kernel, f"page {number}"))
        annotator.page.desk = kernel
        annotator.page.open()
        annotator.page.resend()
        assert annotator.page.outbox == {}
        annotator._items = cycle(random.sample(range(400), 400))
        killing = threading.Timer(random.uniform(0.05, 1.2), kernel.process.kill)
        killing.start()
        while kernel.process.is_alive():
            annotator.press()
            if steady:
                time.sleep(random.uniform(0.05, 0.15))  # a person's pace
        annotator.press()  # nobody is there any more, and the page does not know
        killing.join()
        kernel.kill()
        counts = trial(annotator, path)
        tally("kernel killed while labeling", faults=1, **{**counts, "labels": 0})
        assert counts["lost"] == counts["duplicated"] == 0
        assert annotator.page.outbox
    session = Session(TEXTS, CLASSES, store=path, annotator="ana", model=False, strategy="random")
    annotator.page.desk = FakePage(session).desk
    annotator.page.hello()
    annotator.page.resend()
    annotator.page.resend()
    tally("kernel killed while labeling", labels=len(annotator.said))
    settled(annotator, session)
    session.close()


def test_the_process_is_killed_in_the_middle_of_a_write(
    tmp_path: Path, torture: bool, tally: Callable[..., None]
) -> None:
    path, side, random = tmp_path / "labels.sqlite", tmp_path / "acknowledged", Random(3)
    side.touch()
    for _ in range(100 if torture else 8):
        before = side.stat().st_size
        writer = FORKS.Process(target=other.write_for_ever, args=(str(path), str(side)))
        writer.start()
        while side.stat().st_size == before:  # until the first is acknowledged
            assert writer.is_alive()
        time.sleep(random.uniform(0, 0.03))  # any moment is as good
        writer.kill()
        writer.join()
        acknowledged = side.read_text().split()
        stored = [event.id for _, event in reopened(path)]
        lost = len(set(acknowledged) - set(stored))
        doubled = len(stored) - len(set(stored))
        tally("killed in mid-write", faults=1, lost=lost, duplicated=doubled)
        assert lost == doubled == 0
        # At most the one that was on its way is there unacknowledged.
        assert stored == [f"e{k + 1}" for k in range(len(stored))]
        late = [event for event in stored if event not in set(acknowledged)]
        side.write_text("".join(f"{event}\n" for event in stored))
        assert len(late) <= 1
    tally("killed in mid-write", labels=len(stored))


@pytest.mark.parametrize("seed", range(3))
def test_the_power_fails(
    tmp_path: Path, torture: bool, tally: Callable[..., None], seed: int
) -> None:
    """What was not synced yet is gone, as it was, or garbage: a prefix of the events is there."""
    path, side, random = tmp_path / "labels.sqlite", tmp_path / "acknowledged", Random(seed)
    writer = FORKS.Process(target=other.write_for_ever, args=(str(path), str(side)))
    writer.start()
    wanted = random.choice((40, 400, 900))  # from the second on the WAL was begun anew
    while not side.exists() or side.read_bytes().count(b"\n") < wanted:
        assert writer.is_alive()
        time.sleep(0.005)
    writer.kill()
    writer.join()
    database, wal = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    assert len(wal) > 4096
    acknowledged = side.read_text().split()
    folder = tmp_path / "after"
    folder.mkdir()

    def restart(database: bytes, wal: bytes) -> list[str]:
        for file in folder.iterdir():
            file.unlink()
        (folder / "labels.sqlite").write_bytes(database)
        (folder / "labels.sqlite-wal").write_bytes(wal)
        return [event.id for _, event in reopened(folder / "labels.sqlite")]

    everything = restart(database, wal)
    assert set(acknowledged) <= set(everything)
    checkpointed = (folder / "labels.sqlite").read_bytes()
    for _ in range(120 if torture else 6):
        cut = random.randrange(len(wal))
        spoiled = {
            "cut off": wal[:cut],
            "zeros": wal[:cut] + bytes(len(wal) - cut),
            "garbage": wal[:cut] + random.randbytes(len(wal) - cut),
            "sectors": wal[:cut] + _sectors(wal[cut:], bytes(len(wal) - cut), random),
        }
        for kind, tail in spoiled.items():
            found = restart(database, tail)
            tally("power cut", faults=1)
            assert found == everything[: len(found)], kind
    for _ in range(40 if torture else 3):
        # While the WAL is copied into the file, power fails: some sectors are new, some are old.
        old = database + bytes(len(checkpointed) - len(database))
        found = restart(_sectors(old, checkpointed, random), wal)
        lost, doubled = len(set(everything) - set(found)), len(found) - len(set(found))
        tally("power cut", faults=1, lost=lost, duplicated=doubled)
        assert found == everything
    tally("power cut", labels=len(acknowledged))


def _sectors(one: bytes, other: bytes, random: Random, size: int = 512) -> bytes:
    starts = range(0, len(one), size)
    return b"".join(random.choice((one, other))[at : at + size] for at in starts)
