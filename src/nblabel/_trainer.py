"""The one background worker: one job runs, at most one waits, the latest wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

Job = Callable[[], Any]
Done = Callable[[Any], None]
Failed = Callable[[Exception], None]


class Trainer:
    """Runs jobs one at a time in a thread, or at once where no thread may be.

    A job gets nothing and returns a value; what it needs is frozen into it, so it never sees the
    log, a trait or a comm. Its result goes to `done`, its error to `failed`.

    Parameters
    ----------
    inline : bool
        Run each job at once in the calling thread (tests, Pyodide).
    """

    def __init__(self, *, inline: bool = False) -> None:
        self.inline = inline
        self._condition = threading.Condition()
        self._waiting: tuple[Job, Done, Failed] | None = None
        self._thread: threading.Thread | None = None

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        with self._condition:
            return self._thread is not None

    def submit(self, job: Job, done: Done, failed: Failed) -> None:
        """Order a job; one that still waits is dropped for it."""
        if self.inline:
            _run(job, done, failed)
            return
        with self._condition:
            self._waiting = (job, done, failed)
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

    def _work(self) -> None:
        while True:
            with self._condition:
                if self._waiting is None:
                    self._thread = None
                    self._condition.notify_all()
                    return
                job, done, failed = self._waiting
                self._waiting = None
            try:
                _run(job, done, failed)
            except BaseException as error:  # of `done` or `failed`: later jobs must still run
                threading.excepthook(
                    threading.ExceptHookArgs(
                        (type(error), error, error.__traceback__, threading.current_thread())
                    )
                )


def _run(job: Job, done: Done, failed: Failed) -> None:
    try:
        result = job()
    except Exception as error:
        failed(error)
    else:
        done(result)
