"""The one background worker: one job runs, at most one waits, the latest wins."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from ._progress import Cancelled, listening
from ._worker import CannotSendError, Worker
from .errors import TrainingTimeoutError, WorkerError

Job = Callable[[], Any]
Done = Callable[[Any], None]
Failed = Callable[[BaseException], None]
Way = Literal["process", "thread", "inline"]
#: Platforms without threads and processes: Python in the browser.
_SINGLE = ("emscripten", "wasi")
#: How long a job that was told to stop may take to do so, before it is left behind, in seconds.
GRACE_SECONDS = 2.0
#: Threads that were left behind, and still run, before no further job is begun.
MOST_LEFT_BEHIND = 3


@dataclass
class _Run:
    """One job, from its order to its end."""

    job: Job
    done: Done
    failed: Failed
    timeout: float | None
    stopped: bool = False  # whether it is no longer wanted
    heard: float = field(default_factory=time.monotonic)  # when it last said how far it is
    progress: float | None = None  # how far it said it was

    def seconds_left(self) -> float | None:
        """Until its time is up; None if it has no limit, or is given up already."""
        if self.timeout is None:
            return None
        return self.heard + self.timeout - time.monotonic()


class Trainer:
    """Runs jobs one at a time beside the caller, or at once where nothing runs beside.

    A job gets nothing and returns a value; what it needs is frozen into it, so it never sees the
    log, a trait or a comm. Its result goes to `done`, its error to `failed`, whatever it raised:
    a model that calls ``sys.exit`` has failed like any other.

    A job may have a time limit. Beyond it the process is ended, and a thread left behind: what it
    finds in the end is thrown away. Inline nobody is there to look at the clock.

    Parameters
    ----------
    inline : bool
        The same as the way ``"inline"``.
    way : str
        ``"process"``: in one worker process, started with the first job; a thread waits for it.
        ``"thread"``: in a thread of this process. ``"inline"``: each job at once in the calling
        thread (tests, Pyodide).
    fell_back : callable, optional
        Gets the reason when a job could not be sent to a process, so that it and all later ones
        run in a thread.
    """

    def __init__(
        self,
        *,
        inline: bool = False,
        way: Way = "thread",
        fell_back: Callable[[str], None] | None = None,
    ) -> None:
        #: How jobs are run now.
        self.way: Way = "inline" if inline or sys.platform in _SINGLE else way
        #: How far the running job is, from 0 to 1; None if it does not say.
        self.progress: float | None = None
        self._fell_back = fell_back
        self._condition = threading.Condition()
        self._waiting: _Run | None = None
        self._questions: deque[_Run] = deque()  # each is run, unlike a job that waits
        self._running: _Run | None = None
        self._thread: threading.Thread | None = None
        self._left_behind: list[threading.Thread] = []
        self._resting = False  # whether the process is to end with the last job
        self._worker: Worker | None = None
        self._old_workers: list[Worker] = []  # results may lie in their folders
        self._kept: Any = None

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits, and is still wanted."""
        with self._condition:
            return self._busy()

    def _busy(self) -> bool:
        run = self._running
        waits = self._waiting is not None or bool(self._questions)
        return waits or (run is not None and not run.stopped)

    @property
    def pid(self) -> int | None:
        """The worker process, None if there is none."""
        return None if self._worker is None else self._worker.pid

    def keep(self, value: Any) -> None:
        """Let the worker process have this object, once for all jobs that are about it.

        To be called again when the object has changed.
        """
        with self._condition:
            self._kept = value
            if self._worker is not None:
                self._worker.keep(value)

    def submit(self, job: Job, done: Done, failed: Failed, *, timeout: float | None = None) -> None:
        """Order a job; one that still waits is dropped for it.

        Parameters
        ----------
        job, done, failed : callable
        timeout : float, optional
            Seconds that it may take, counted anew whenever it says how far it is. Then `failed`
            gets a `TrainingTimeoutError`.
        """
        run = _Run(job, done, failed, timeout)
        if self.way == "inline":
            self._run(run)
            return
        try:
            with self._condition:
                self._wake()
                self._waiting = run
        except TrainingTimeoutError as error:
            failed(error)

    def ask(self, job: Job, *, timeout: float | None = None) -> Any:
        """Run a job between the others, and return its result.

        Not to be called from `done` or `failed`, nor under a lock that they take.

        Parameters
        ----------
        job : callable
        timeout : float, optional
            As for `submit`.

        Raises
        ------
        TrainingTimeoutError, WorkerError
            If it took too long, or was stopped.
        Exception
            What the job raised.
        """
        answer: list[tuple[bool, Any]] = []

        def tell(fine: bool, what: Any) -> None:
            with self._condition:
                answer.append((fine, what))
                self._condition.notify_all()

        run = _Run(job, lambda made: tell(True, made), lambda error: tell(False, error), timeout)
        self._pose(run)
        if self.way != "inline":
            with self._condition:
                try:
                    self._condition.wait_for(lambda: answer or run.stopped)
                except BaseException:  # whoever asked no longer waits
                    run.stopped = True
                    raise
        if not answer:
            raise WorkerError("What was to be computed was cancelled before it was there.")
        fine, what = answer[0]
        if not fine:
            raise what
        return what

    def pose(self, job: Job, done: Done, failed: Failed, *, timeout: float | None = None) -> _Run:
        """Run a job between the others, without waiting for it.

        Parameters
        ----------
        job, done, failed, timeout
            As for `submit`; no later job takes its place.

        Returns
        -------
        object
            Its `stopped`: whether it was dropped, so that neither `done` nor `failed` hears of it,
            to be set to true when it is no longer wanted. Its `progress`: from 0 to 1, None if it
            does not say.
        """
        run = _Run(job, done, failed, timeout)
        try:
            self._pose(run)
        except TrainingTimeoutError as error:
            failed(error)
        return run

    def _pose(self, run: _Run) -> None:
        if self.way == "inline":
            self._run(run)
            return
        with self._condition:
            self._wake()
            self._questions.append(run)

    def _wake(self) -> None:
        """See to it that there is a thread for what comes next, or raise that too many hang."""
        self._resting = False
        hung = self._count_left_behind()
        if hung >= MOST_LEFT_BEHIND:
            raise _all_hang(hung)
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="nblabel-trainer", daemon=True)
        self._thread.start()
        watch = threading.Thread(
            target=self._watch, args=(self._thread,), name="nblabel-watchdog", daemon=True
        )
        watch.start()

    def _count_left_behind(self) -> int:
        self._left_behind = [thread for thread in self._left_behind if thread.is_alive()]
        return len(self._left_behind)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing that is wanted runs or waits; return False if the time ran out."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._busy(), timeout)

    def cancel(self) -> None:
        """Drop the job that waits; one that runs goes on, its result is for its owner to refuse."""
        with self._condition:
            self._waiting = None

    def stop(self) -> bool:
        """Drop the job that waits and the one that runs; return whether there was any.

        Neither `done` nor `failed` hears of them. A process is ended at once; in a thread the job
        ends where it next says how far it is. A new one waits some seconds for that, then the
        thread is left behind.
        """
        with self._condition:
            stopped = self._busy()
            self._waiting = None
            for question in self._questions:
                question.stopped = True
            self._questions.clear()
            if self._running is not None and stopped:
                self._running.stopped = True
                self._running.heard, self._running.timeout = time.monotonic(), GRACE_SECONDS
            worker = self._worker
            self._condition.notify_all()
        if stopped and worker is not None:
            worker.stop()
        return stopped

    def rest(self) -> None:
        """End the worker process when it has nothing to do; a later job starts a new one."""
        with self._condition:
            self._resting = True
            self._rest()

    def _rest(self) -> None:
        if self._resting and self._worker is not None and self._thread is None:
            self._worker.stop()

    def close(self) -> None:
        """Drop all jobs and end the process, with all that was kept for it; what comes runs in a
        thread."""
        self.stop()
        with self._condition:
            workers, self._old_workers = self._old_workers, []
            if self._worker is not None:
                workers.append(self._worker)
            self._worker = None
            self.way = "inline" if self.way == "inline" else "thread"
        for worker in workers:
            worker.close()

    # ------------------------------------------------------------ in the thread

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._condition:
                if self._thread is not me:  # left behind: another one goes on
                    return
                self._running, self._waiting = self._waiting, None
                if self._running is None and self._questions:
                    self._running = self._questions.popleft()
                self.progress = None
                run = self._running
                if run is None:
                    self._thread = None
                    self._rest()
                else:
                    run.heard = time.monotonic()
                self._condition.notify_all()
                if run is None:
                    return
            try:
                self._run(run)
            except BaseException as error:  # of `done` or `failed`: later jobs must still run
                _say(error)

    def _run(self, run: _Run) -> None:
        try:
            with listening(lambda fraction: self._listen(run, fraction)):
                result = self._away(run) if self.way == "process" else run.job()
        except Cancelled:
            if self.way == "inline":  # what it is a part of was cancelled
                raise
        except KeyboardInterrupt as error:
            if self.way == "inline":  # the user's, to whoever called
                raise
            self._end(run, run.failed, error)
        except BaseException as error:
            self._end(run, run.failed, error)
        else:
            self._end(run, run.done, result)

    def _end(self, run: _Run, tell: Callable[[Any], None], what: Any) -> None:
        with self._condition:
            if run.stopped:
                return
            run.timeout = None  # it is through: the watchdog has nothing to look for
        tell(what)

    def _away(self, run: _Run) -> Any:
        """Run a job in the worker process, or here if it cannot be sent."""
        try:
            return self._started_worker(run).run(
                run.job, lambda fraction: self._listen(run, fraction), lambda: run.stopped
            )
        except CannotSendError as error:
            if run.stopped:
                raise Cancelled from None
            reason = str(error)
        with self._condition:
            self.way = "thread"
            if self._worker is not None:
                self._worker.stop()  # its folder stays: older results may lie there
        if self._fell_back is not None:
            self._fell_back(reason)
        return run.job()

    def _started_worker(self, run: _Run) -> Worker:
        with self._condition:
            if run.stopped:
                raise Cancelled
            if self._worker is not None and self._worker.owner != os.getpid():
                self._worker = None  # of the kernel that this one is a copy of
            if self._worker is None:
                try:
                    self._worker = Worker()
                except OSError as error:
                    raise CannotSendError(str(error)) from error
                self._worker.keep(self._kept)
            return self._worker

    def _listen(self, run: _Run, fraction: float | None) -> None:
        if run.stopped:
            raise Cancelled
        run.heard = time.monotonic()
        self.progress = run.progress = fraction

    # ------------------------------------------------------------ the watchdog

    def _watch(self, thread: threading.Thread) -> None:
        """Look at the clock as long as a thread works, and give up what takes too long."""
        while True:
            with self._condition:
                if self._thread is not thread:
                    return
                run = self._running
                left = None if run is None else run.seconds_left()
                if run is None or left is None or left > 0:
                    self._condition.wait(left)
                    continue
            self._give_up(run, thread)

    def _give_up(self, run: _Run, thread: threading.Thread) -> None:
        with self._condition:
            seconds, run.timeout = run.timeout, None
            if seconds is None:  # it ended just now
                return
            wanted, run.stopped = not run.stopped, True
            worker = self._worker if self.way == "process" else None
        if worker is not None:
            worker.stop()
        with self._condition:
            left = not self._condition.wait_for(lambda: self._running is not run, GRACE_SECONDS)
            if left:
                self._left_behind.append(thread)
                self._thread = self._running = None
                if worker is not None:  # the thread may still be at it
                    self._old_workers.append(worker)
                    self._worker = None
                if self._waiting is not None or self._questions:
                    self._start()
            self._condition.notify_all()
        if not wanted:
            return
        how = (
            "It runs on in a thread, where nobody can end it, and what it finds is thrown away"
            if left
            else "It was ended"
        )
        error = TrainingTimeoutError(
            f"there was no result within {seconds:,.0f} s. {how}; the next labels begin a new one. "
            "If it needs that long, say train_timeout= (in seconds, None for no limit); else look "
            "what model=, features= or strategy= is waiting for"
        )
        try:
            run.failed(error)
        except BaseException as broken:
            _say(broken)


def _all_hang(hung: int) -> TrainingTimeoutError:
    return TrainingTimeoutError(
        f"no further training is begun: {hung} that were given up still run in threads of "
        "the kernel, where nobody can end them. Restart the kernel (labels are kept), and "
        "mend model= or features=, or say worker='process', where a training can be ended"
    )


def _say(error: BaseException) -> None:
    """Report an error that has nobody else to go to."""
    threading.excepthook(
        threading.ExceptHookArgs(
            (type(error), error, error.__traceback__, threading.current_thread())
        )
    )
