"""The trainer's contract, which holds wherever jobs run; and the worker process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from nblabel._progress import report
from nblabel._trainer import Trainer, Way
from nblabel._worker import Worker
from nblabel.errors import WorkerError

PATIENCE = 60.0
HERE = os.getpid()
posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def until(condition: Callable[[], Any], what: str) -> Any:
    ends = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < ends, f"{what}: not within {PATIENCE} s"
        time.sleep(0.01)
    return value


# ---------------------------------------------------------------- jobs


def waits(folder: Path, name: str) -> str:
    (folder / f"{name}.began").touch()
    until((folder / f"{name}.go").exists, name)
    return name


def fails(text: str) -> None:
    raise KeyError(text)


def tells(folder: Path) -> str:
    report(0.25)
    waits(folder, "told")
    report(0.5)
    return "all"


class TwoParts(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def fails_oddly() -> None:
    raise TwoParts("odd ", "error")


def where() -> int:
    return os.getpid()


class Counter:
    def __init__(self) -> None:
        self.pool = np.arange(100_000)
        self.count = 0


def in_process(counter: Counter) -> tuple[int, tuple[int, int]]:
    return os.getpid(), count(counter)


def leaves(path: Path) -> None:
    with path.open("a") as file:
        file.write("1")
    os._exit(75)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def count(counter: Counter) -> tuple[int, int]:
    counter.count += 1
    return counter.count, int(counter.pool.sum())


# ---------------------------------------------------------------- the contract


class Heard:
    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.done: list[Any] = []
        self.failed: list[Exception] = []

    def submit(self, job: Callable[[], Any]) -> None:
        self.trainer.submit(job, self.done.append, self.failed.append)

    def wait(self) -> None:
        assert self.trainer.wait(PATIENCE)


@pytest.fixture(params=["inline", "thread", "process"])
def way(request: pytest.FixtureRequest) -> Way:
    return request.param


@pytest.fixture
def heard(way: Way) -> Iterator[Heard]:
    trainer = Trainer(way=way)
    yield Heard(trainer)
    trainer.close()


@pytest.fixture
def away() -> Iterator[Heard]:
    trainer = Trainer(way="process")
    yield Heard(trainer)
    trainer.close()


def test_results_and_errors_arrive(heard: Heard) -> None:
    heard.submit(partial(sum, [1, 2]))
    heard.wait()
    heard.submit(partial(fails, "no"))
    heard.wait()
    heard.submit(partial(sum, [3, 4]))
    heard.wait()
    assert heard.done == [3, 7] and not heard.trainer.busy
    (error,) = heard.failed
    assert type(error) is KeyError and error.args == ("no",)


def test_where_jobs_run(heard: Heard, way: Way) -> None:
    heard.submit(where)
    heard.wait()
    assert (heard.done[0] == HERE) == (way != "process")
    assert heard.done[0] == (heard.trainer.pid or HERE)


@pytest.mark.parametrize("way", ["thread", "process"])
def test_the_latest_wins(heard: Heard, tmp_path: Path) -> None:
    heard.submit(partial(waits, tmp_path, "a"))
    until((tmp_path / "a.began").exists, "a to begin")
    for name in "bcd":
        heard.submit(partial(waits, tmp_path, name))
        (tmp_path / f"{name}.go").touch()
    assert heard.trainer.busy
    (tmp_path / "a.go").touch()
    heard.wait()
    assert heard.done == ["a", "d"]
    assert not (tmp_path / "b.began").exists() and not (tmp_path / "c.began").exists()


@pytest.mark.parametrize("way", ["thread", "process"])
def test_a_job_that_is_stopped_is_not_heard_of(heard: Heard, tmp_path: Path) -> None:
    assert not heard.trainer.stop()
    heard.submit(partial(waits, tmp_path, "a"))
    until((tmp_path / "a.began").exists, "a to begin")
    heard.submit(partial(waits, tmp_path, "b"))
    assert heard.trainer.stop() and not heard.trainer.busy
    (tmp_path / "a.go").touch()
    heard.wait()
    heard.submit(partial(sum, [1]))
    heard.wait()
    assert heard.done == [1] and heard.failed == [] and not (tmp_path / "b.began").exists()


def test_a_stopped_thread_ends_where_it_reports(tmp_path: Path) -> None:
    heard = Heard(Trainer())
    went_on = threading.Event()

    def job() -> None:
        tells(tmp_path)
        went_on.set()

    heard.submit(job)
    until(lambda: heard.trainer.progress == 0.25, "a quarter")
    assert heard.trainer.stop()
    (tmp_path / "told.go").touch()
    heard.wait()
    assert not went_on.is_set() and heard.done == heard.failed == []


@pytest.mark.parametrize("way", ["thread", "process"])
def test_how_far_a_job_is(heard: Heard, tmp_path: Path) -> None:
    heard.submit(partial(tells, tmp_path))
    until(lambda: heard.trainer.progress == 0.25, "a quarter")
    (tmp_path / "told.go").touch()
    heard.wait()
    assert heard.done == ["all"] and heard.trainer.progress is None


# ---------------------------------------------------------------- the process


def test_the_process_keeps_what_jobs_are_about(away: Heard) -> None:
    counter = Counter()
    total = int(counter.pool.sum())
    away.trainer.keep(counter)
    for _ in range(3):
        away.submit(partial(count, counter))
        away.wait()
    away.trainer.rest()
    assert away.trainer.pid is None
    away.submit(partial(count, counter))  # in a new process, which gets it again
    away.wait()
    counter.count = 10
    away.trainer.keep(counter)  # it has changed
    away.submit(partial(count, counter))
    away.wait()
    assert away.done == [(1, total), (2, total), (3, total), (1, total), (11, total)]
    assert away.failed == [] and counter.count == 10


def test_a_process_rests_when_its_last_job_is_done(away: Heard, tmp_path: Path) -> None:
    away.submit(partial(waits, tmp_path, "a"))
    until((tmp_path / "a.began").exists, "a to begin")
    pid = away.trainer.pid
    assert pid is not None
    away.trainer.rest()
    (tmp_path / "a.go").touch()
    away.wait()
    assert away.done == ["a"] and away.trainer.pid is None and not psutil.pid_exists(pid)


@pytest.mark.parametrize("idle", [0.0, 0.3])
def test_a_process_without_a_job_ends_and_the_next_job_has_another(idle: float) -> None:
    worker = Worker(idle)
    counter = Counter()
    worker.keep(counter)
    pids: list[int] = []
    for k in range(6):
        pid, found = worker.run(partial(in_process, counter), lambda _: None)
        pids.append(pid)
        assert found == (pids.count(pid), 4_999_950_000)  # a new one has the kernel's
        if k % 2:  # else it is asked just as it leaves
            until(lambda pid=pid: gone(pid), "the process to end")
    assert len(set(pids)) >= 3 and HERE not in pids
    worker.close()


def test_a_job_that_leaves_as_one_at_rest_does_is_not_run_again(tmp_path: Path) -> None:
    worker = Worker(0.0)
    with pytest.raises(WorkerError, match="exit code 75"):
        worker.run(partial(leaves, tmp_path / "runs"), lambda _: None)
    assert (tmp_path / "runs").read_text() == "1"
    worker.close()


def test_errors_come_with_their_traceback(away: Heard) -> None:
    away.submit(partial(fails, "no"))
    away.wait()
    assert "in fails" in str(away.failed[0].__cause__)
    away.submit(fails_oddly)  # it cannot be made anew here
    away.wait()
    assert "TwoParts: odd error" in str(away.failed[1])


@posix
def test_a_process_that_is_killed_is_an_error_and_the_next_job_runs(
    away: Heard, tmp_path: Path
) -> None:
    away.submit(partial(waits, tmp_path, "a"))
    until((tmp_path / "a.began").exists, "a to begin")
    pid = away.trainer.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    away.wait()
    (error,) = away.failed
    assert isinstance(error, WorkerError)
    assert "ended by SIGKILL, most likely because memory ran short" in str(error)
    assert "The next training starts a new one" in str(error) and "worker='thread'" in str(error)
    away.submit(where)
    away.wait()
    assert away.done == [away.trainer.pid] and away.trainer.pid not in (None, pid, HERE)


def begets_and_dies(folder: Path) -> None:
    child = os.fork()
    if not child:
        time.sleep(600)
        os._exit(0)
    (folder / "child").write_text(str(child))
    os.kill(os.getpid(), signal.SIGKILL)


@posix
def test_what_it_has_begotten_neither_hides_its_end_nor_outlives_it(
    away: Heard, tmp_path: Path
) -> None:
    away.submit(partial(begets_and_dies, tmp_path))
    away.wait()
    assert "ended by SIGKILL" in str(away.failed[0])
    child = int((tmp_path / "child").read_text())
    until(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == "zombie", "end")


@posix
def test_a_copy_of_the_kernel_has_a_process_of_its_own(away: Heard, tmp_path: Path) -> None:
    away.submit(where)
    away.wait()
    child = os.fork()
    if not child:
        away.submit(where)
        away.trainer.wait(PATIENCE)
        (tmp_path / "pids").write_text(json.dumps(away.done))
        away.trainer.close()
        os._exit(0)
    os.waitpid(child, 0)
    mine, other = json.loads((tmp_path / "pids").read_text())
    assert away.done == [mine] and mine == away.trainer.pid != other
    away.submit(where)
    away.wait()
    assert away.done == [mine, mine] and away.failed == []


def test_a_process_that_leaves_is_an_error_with_its_last_words(away: Heard) -> None:
    away.submit(partial(exec, "import os; os.write(2, b'out of luck'); os._exit(3)"))
    away.wait()
    assert "was ended with exit code 3" in str(away.failed[0])
    assert str(away.failed[0]).endswith("Its last words: out of luck")


def test_what_a_job_prints_is_no_answer(away: Heard) -> None:
    away.submit(partial(exec, "import os; print('{}'); os.write(1, b'[1]\\n')"))
    away.wait()
    assert away.done == [None] and away.failed == []


@pytest.mark.parametrize("what", ["job", "result"])
def test_what_cannot_be_sent_runs_in_a_thread(what: str) -> None:
    reasons: list[str] = []
    heard = Heard(Trainer(way="process", fell_back=reasons.append))
    lock = threading.Lock()
    heard.submit(lock.locked if what == "job" else threading.Lock)
    heard.wait()
    assert heard.failed == [] and len(heard.done) == 1
    assert len(reasons) == 1 and "cannot pickle '_thread.lock' object" in reasons[0]
    heard.submit(where)
    heard.wait()
    assert heard.trainer.way == "thread" and heard.done[1] == HERE and len(reasons) == 1
    assert heard.trainer.pid is None
    heard.trainer.close()


def test_closing_leaves_nothing(away: Heard, tmp_path: Path) -> None:
    away.submit(partial(waits, tmp_path, "a"))
    until((tmp_path / "a.began").exists, "a to begin")
    pid, worker = away.trainer.pid, away.trainer._worker
    assert pid is not None and worker is not None and worker._folder.path.exists()
    away.trainer.close()
    away.wait()
    assert not psutil.pid_exists(pid) and not worker._folder.path.exists()
    assert away.done == away.failed == []
    away.submit(where)  # what comes after all runs in a thread
    away.wait()
    assert away.done == [HERE]


def test_a_trainer_that_is_forgotten_leaves_nothing() -> None:
    heard = Heard(Trainer(way="process"))
    heard.submit(where)
    heard.wait()
    worker = heard.trainer._worker
    assert worker is not None
    path, pid = worker._folder.path, heard.done[0]
    del heard, worker
    until(lambda: not psutil.pid_exists(pid), "the process to end")
    assert not path.exists()


SCRIPT = """
import json, os, sys, time
sys.path.insert(0, {root!r})
from nblabel._trainer import Trainer

class Mine:  # of __main__, which the worker must not import
    def __call__(self):
        return os.getpid(), __name__

print("once", flush=True)
trainer, done = Trainer(way="process"), []
trainer.submit(Mine(), done.append, done.append)
trainer.wait()
print(json.dumps([str(trainer._worker._folder.path), *done[0]]), flush=True)
{end}
"""


def script(tmp_path: Path, end: str) -> subprocess.Popen[str]:
    path = tmp_path / "script.py"
    root = str(Path(__file__).parents[2] / "src")
    path.write_text(textwrap.dedent(SCRIPT).format(root=root, end=end))
    # A pipe of its own, that `input()` waits at: what pytest hands on is at its end.
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, str(path)], stdin=pipe, stdout=pipe, text=True)


def test_the_script_itself_is_not_run_again_and_its_end_cleans_up(tmp_path: Path) -> None:
    process = script(tmp_path, "")
    said, _ = process.communicate(timeout=PATIENCE)
    first, second = said.splitlines()
    folder, pid, name = json.loads(second)
    assert first == "once" and name == "__main__" and process.returncode == 0
    assert not Path(folder).exists() and not psutil.pid_exists(pid)


@posix
def test_the_process_ends_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    end = "trainer.submit(lambda: time.sleep(600), print, print); input()"
    with script(tmp_path, end) as process:
        assert process.stdout is not None
        process.stdout.readline()
        folder, pid, _ = json.loads(process.stdout.readline())
        assert psutil.pid_exists(pid) and Path(folder).exists()
        process.kill()
        assert process.wait() == -signal.SIGKILL  # it had not come to its end
        until(lambda: not psutil.pid_exists(pid), "the worker to end")
        assert not Path(folder).exists()
