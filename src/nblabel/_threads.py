"""How many threads a computation may use: for small problems one is faster than several."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import threadpoolctl
from threadpoolctl import ThreadpoolController

#: Up to so many items and labels a training is faster on one thread.
MOST_ITEMS, MOST_LABELS = 30_000, 1000
#: Up to so many items their features are, too.
MOST_FEATURIZED = 10_000


class OneThread:
    """Keeps BLAS and OpenMP to one thread while anybody is inside.

    With few labels several threads mostly wait for each other. BLAS has one setting for the
    process: the first to enter notes it, the last to leave sets it again, whichever threads these
    are. OpenMP has one for each thread. May be entered again from inside.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._had: dict[str, int] = {}
        self._controller: Any = None
        self._own = threading.local()

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth > 1:
            return
        controller = ThreadpoolController()
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._controller = controller
                self._note(controller)
                _set(controller, dict.fromkeys(self._had, 1))
        self._own.openmp = controller.select(user_api="openmp").limit(limits=1)

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        self._own.openmp.restore_original_limits()
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _set(self._controller, self._had)

    def _note(self, controller: ThreadpoolController) -> None:
        for library in controller.select(user_api="blas").info():
            # One that was more before is what somebody who entered later than we, and left later,
            # took for the rule: scikit-learn limits threads too, also in a cell of the user's.
            if library["num_threads"] > 1 or library["filepath"] not in self._had:
                self._had[library["filepath"]] = library["num_threads"]

    @contextmanager
    def when(self, small: bool) -> Iterator[None]:
        """Keep to one thread for what runs inside, if it is small."""
        if not small:
            yield
            return
        with self:
            yield

    @contextmanager
    def lifted(self, large: bool = True) -> Iterator[None]:
        """Give all threads back for what runs inside, such as a network that makes features."""
        depth = self._depth if large else 0
        for _ in range(depth):
            self.__exit__()
        try:
            yield
        finally:
            for _ in range(depth):
                self.__enter__()

    @property
    def _depth(self) -> int:
        return getattr(self._own, "depth", 0)

    @_depth.setter
    def _depth(self, depth: int) -> None:
        self._own.depth = depth


def _set(controller: ThreadpoolController, limits: dict[str, int]) -> None:
    controller.limit(limits=limits)
    # threadpoolctl lets only the thread that set OpenBLAS last set it again: here it is any.
    openblas: Any = getattr(threadpoolctl, "OpenBLASController", None)
    release = getattr(openblas, "clear_controlling_thread", None)
    if release is not None:
        release()


one_thread = OneThread()
