"""How far a job is: what computes reports it here, and whoever runs the job listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_LISTENER: ContextVar[Callable[[float], None] | None] = ContextVar("listener", default=None)
_ENDED: ContextVar[Callable[[], bool] | None] = ContextVar("ended", default=None)


class Cancelled(Exception):
    """The job was cancelled; raised inside it, and never shown to the user."""


def report(fraction: float) -> None:
    """Say which share of the work at hand is done, from 0 to 1.

    To be called between the chunks of long work: here a job that was cancelled ends.

    Raises
    ------
    Cancelled
        If the job was cancelled.
    """
    ended = _ENDED.get()
    if ended is not None and ended():
        raise Cancelled
    listener = _LISTENER.get()
    if listener is not None:
        listener(fraction)


@contextmanager
def listening(listener: Callable[[float], None]) -> Iterator[None]:
    """Give what is reported inside to a listener, which may raise `Cancelled`."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


@contextmanager
def until(ended: Callable[[], bool]) -> Iterator[None]:
    """Cancel what reports inside once `ended` says so, whoever listens to it."""
    token = _ENDED.set(ended)
    try:
        yield
    finally:
        _ENDED.reset(token)


@contextmanager
def within(low: float, high: float) -> Iterator[None]:
    """Let what is reported inside, from 0 to 1, count as a part of the work at hand."""
    outer = _LISTENER.get()
    if outer is None:
        yield
        return
    with listening(lambda fraction: outer(low + (high - low) * fraction)):
        yield


class Reading(list[Any]):
    """A list that reports how far it has been read, whoever reads it.

    So a transformer that goes through its items one by one says how far it is, and ends when it is
    cancelled, without knowing of either. Who goes through them again begins anew.

    Parameters
    ----------
    items : sequence
    step : int
        Items between two reports.
    """

    def __init__(self, items: Sequence[Any], step: int = 256) -> None:
        super().__init__(items)
        self._step = step

    def __iter__(self) -> Iterator[Any]:
        count = len(self)
        for place, item in enumerate(super().__iter__()):
            if place % self._step == 0:
                report(place / count)
            yield item
