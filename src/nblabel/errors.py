"""Every error nblabel raises on purpose.

::

    NblabelError
    ├── DataError           the items cannot be read as a pool            (also a ValueError)
    │   └── UnknownColumnError   a column that is not there               (also a KeyError)
    ├── TaskError           the question makes no sense: classes, keys    (also a ValueError)
    │   └── LabelValueError      a value that is no legal label
    ├── OptionError         an argument of a call is off                  (also a ValueError)
    ├── UnknownItemError    an item id that the pool does not have        (also a KeyError)
    ├── NotFittedError      the model was asked before it has learned     (also scikit-learn's)
    ├── StoreError          the log cannot be opened, read or written     (also an OSError)
    │   └── StoreMismatchError   the log belongs to other items or labels
    ├── WorkerError         the process that trains ended before its work (also a RuntimeError)
    ├── TrainingTimeoutError  a training took too long and was given up   (also a TimeoutError)
    ├── TrainingError       a simulation whose trainings fail             (also a RuntimeError)
    ├── ModelOutputError    a model or strategy gave what makes no sense  (also a ValueError)
    ├── EventError          an event that cannot be decoded or applied    (also a ValueError)
    │   └── NewerEventError      an event that a newer nblabel wrote
    └── ProtocolError       a message from the page that is not understood

A message says what was given, what was expected, and what to do.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable
from typing import NamedTuple

import sklearn.exceptions


class NblabelError(Exception):
    """Root of all errors raised by nblabel."""


class DataError(NblabelError, ValueError):
    """The items cannot be read as a pool."""


class UnknownColumnError(DataError, KeyError):
    """A named column is not in the data."""

    # KeyError would show the message as a quoted repr.
    __str__ = Exception.__str__


class TaskError(NblabelError, ValueError):
    """The labels or keys do not make a legal task."""


class LabelValueError(TaskError):
    """A value is not a legal label of the task."""


class OptionError(NblabelError, ValueError):
    """An argument is off."""


class UnknownItemError(NblabelError, KeyError):
    """An item id that the pool does not have."""

    __str__ = Exception.__str__


class NotFittedError(NblabelError, sklearn.exceptions.NotFittedError):
    """The model has not learned yet."""


class StoreError(NblabelError, OSError):
    """The log of labels cannot be opened, read or written."""

    #: Whether the place cannot be written at all, so that another one is needed.
    read_only = False


class StoreMismatchError(StoreError):
    """The log belongs to other items or to another label set."""


class WorkerError(NblabelError, RuntimeError):
    """The process that trains the model ended before its work did."""


class TrainingTimeoutError(NblabelError, TimeoutError):
    """A training took longer than it may, and was given up."""


class TrainingError(NblabelError, RuntimeError):
    """A simulation cannot go on: the model could not be trained, or its strategy could not rank.

    The text ends with the traceback of what went wrong.
    """


class ModelOutputError(NblabelError, ValueError):
    """What a model or a query strategy returned makes no sense, so it is not used."""


class EventError(NblabelError, ValueError):
    """An event cannot be decoded, or cannot follow the events before it."""


class NewerEventError(EventError):
    """An event was written by a newer nblabel."""


class ProtocolError(NblabelError):
    """A message from the page is not understood.

    Parameters
    ----------
    code : str
        Machine-readable reason, part of the protocol.
    text : str
        One sentence for a person.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def brief(value: object, most: int = 100) -> str:
    """Show any value in a message, in at most `most` characters.

    >>> brief("a" * 1000, most=8)
    "'aaaaaa…"
    """
    try:
        text = repr(value)
    except Exception:  # such as a whole number of many thousand digits
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plain(value: object) -> str:
    """Return the text of any value.

    >>> plain(1.5)
    '1.5'
    """
    try:
        return str(value)
    except Exception:
        return brief(value)


def in_words(error: BaseException) -> str:
    """Name an error and what it says, in one line or more; also one that cannot say it.

    >>> in_words(ValueError("no"))
    'ValueError: no'
    """
    try:
        text = str(error).strip()
    except Exception:
        text = "(its text could not be made)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def full_story(error: BaseException) -> str:
    """Return the traceback of an error, as Python would print it."""
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
    except Exception:  # an error of the user's with odd parts of its own
        return in_words(error)
    return "".join(lines)


class Failure(NamedTuple):
    """An error in words, with its traceback: it may have happened in another process."""

    said: str
    story: str

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Put an error into words."""
        return cls(in_words(error), full_story(error))

    def told(self, what: str) -> str:
        """Return what failed, how, and the traceback."""
        return f"{what}: {self.said}\n\n{self.story}"


def shorten(values: Iterable[object], most: int = 5) -> str:
    """Name at most `most` of the values, and how many more there are.

    >>> shorten(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    listed = list(values)
    named = ", ".join(brief(value) for value in listed[:most])
    more = len(listed) - most
    return f"{named} and {more:,} more" if more > 0 else named


def near(name: object, known: Iterable[object]) -> str:
    """Say which of the known names are near `name`, or list some of them.

    >>> near("bdy", ["body", "date"])
    "Did you mean 'body'?"
    """
    names = [str(value) for value in known]
    close = difflib.get_close_matches(plain(name), names, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(brief(value) for value in close) + "?"
    return f"There are: {shorten(names, 8)}." if names else "There are none."
