"""How many threads a computation may use: for small problems one is faster than several."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import threadpool_limits

#: Up to so many items and labels a training is faster on one thread.
MOST_ITEMS, MOST_LABELS = 30_000, 1000
#: Up to so many items their features are, too.
MOST_FEATURIZED = 10_000


class OneThread:
    """Keeps BLAS and OpenMP to one thread while anybody is inside.

    With few labels several threads mostly wait for each other. BLAS has one setting for the
    process: the first to enter saves it, the last to leave gives it back. OpenMP has one for each
    thread. May be entered again from inside.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._blas: Any = None
        self._own = threading.local()

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._blas = threadpool_limits(limits=1, user_api="blas")
            self._inside += 1
        self._depth += 1
        if self._depth == 1:
            self._own.openmp = threadpool_limits(limits=1, user_api="openmp")

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._own.openmp.restore_original_limits()
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._blas.restore_original_limits()

    @contextmanager
    def when(self, small: bool) -> Iterator[None]:
        """Keep to one thread for what runs inside, if it is small."""
        if not small:
            yield
            return
        with self:
            yield

    @property
    def _depth(self) -> int:
        return getattr(self._own, "depth", 0)

    @_depth.setter
    def _depth(self, depth: int) -> None:
        self._own.depth = depth

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


one_thread = OneThread()
