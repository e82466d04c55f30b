"""The one background worker: one job runs, at most one waits, the latest wins."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Literal

from ._progress import Cancelled, listening
from ._worker import CannotSendError, Worker

Job = Callable[[], Any]
Done = Callable[[Any], None]
Failed = Callable[[Exception], None]
Way = Literal["process", "thread", "inline"]
#: Platforms without threads and processes: Python in the browser.
_SINGLE = ("emscripten", "wasi")


class Trainer:
    """Runs jobs one at a time beside the caller, or at once where nothing runs beside.

    A job gets nothing and returns a value; what it needs is frozen into it, so it never sees the
    log, a trait or a comm. Its result goes to `done`, its error to `failed`.

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
        self._waiting: tuple[Job, Done, Failed] | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False  # whether the job that runs is no longer wanted
        self._resting = False  # whether the process is to end with the last job
        self._worker: Worker | None = None
        self._kept: Any = None

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits, and is still wanted."""
        with self._condition:
            running = self._thread is not None and not self._stopped
            return running or self._waiting is not None

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

    def submit(self, job: Job, done: Done, failed: Failed) -> None:
        """Order a job; one that still waits is dropped for it."""
        if self.way == "inline":
            self._run(job, done, failed)
            return
        with self._condition:
            self._waiting = (job, done, failed)
            self._resting = False
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="nblabel-trainer", daemon=True
                )
                self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs or waits; return False if the time ran out."""
        with self._condition:
            return self._condition.wait_for(lambda: self._thread is None, timeout)

    def cancel(self) -> None:
        """Drop the job that waits; one that runs goes on, its result is for its owner to refuse."""
        with self._condition:
            self._waiting = None

    def stop(self) -> bool:
        """Drop the job that waits and the one that runs; return whether there was any.

        Neither `done` nor `failed` hears of them. A process is ended at once; in a thread the job
        ends where it next says how far it is, or runs on for nobody, and a new one waits for it.
        """
        with self._condition:
            stopped = self.busy
            self._waiting = None
            self._stopped = self._thread is not None
            worker = self._worker
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
            worker, self._worker = self._worker, None
            self.way = "inline" if self.way == "inline" else "thread"
        if worker is not None:
            worker.close()

    def _work(self) -> None:
        while True:
            with self._condition:
                self._stopped = False
                self.progress = None
                if self._waiting is None:
                    self._thread = None
                    self._rest()
                    self._condition.notify_all()
                    return
                job, done, failed = self._waiting
                self._waiting = None
            try:
                self._run(job, done, failed)
            except BaseException as error:  # of `done` or `failed`: later jobs must still run
                threading.excepthook(
                    threading.ExceptHookArgs(
                        (type(error), error, error.__traceback__, threading.current_thread())
                    )
                )

    def _run(self, job: Job, done: Done, failed: Failed) -> None:
        try:
            with listening(self._listen):
                result = self._away(job) if self.way == "process" else job()
        except Cancelled:
            return
        except Exception as error:
            if not self._stopped:
                failed(error)
        else:
            if not self._stopped:
                done(result)

    def _away(self, job: Job) -> Any:
        """Run a job in the worker process, or here if it cannot be sent."""
        try:
            return self._started_worker().run(job, self._listen, lambda: self._stopped)
        except CannotSendError as error:
            if self._stopped:
                raise Cancelled from None
            reason = str(error)
        with self._condition:
            self.way = "thread"
            if self._worker is not None:
                self._worker.stop()  # its folder stays: older results may lie there
        if self._fell_back is not None:
            self._fell_back(reason)
        return job()

    def _started_worker(self) -> Worker:
        with self._condition:
            if self._stopped:
                raise Cancelled
            if self._worker is None:
                try:
                    self._worker = Worker()
                except OSError as error:
                    raise CannotSendError(str(error)) from error
                self._worker.keep(self._kept)
            return self._worker

    def _listen(self, fraction: float) -> None:
        if self._stopped:
            raise Cancelled
        self.progress = fraction
