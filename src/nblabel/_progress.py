"""How far a job is: what computes reports it here, and whoever runs the job listens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_LISTENER: ContextVar[Callable[[float], None] | None] = ContextVar("listener", default=None)


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
