"""What every task answers: the only place that knows the shape of a label value."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, brief


@runtime_checkable
class Task(Protocol):
    """The question and its legal values.

    Optional, beside what is listed: ``decode(classes, row)`` turns what a model says about an item
    into the value to suggest and its probability; ``counted(value)`` names what a value counts for
    in the progress, by default its text; ``check(value, content)`` raises LabelValueError for a
    value that does not fit the item; ``right(predicted, value)`` says whether a prediction counts
    as right, by default if it agrees fully.

    Attributes
    ----------
    kind : str
        Name of the task, which is also the name of its editor in the browser.
    target_type : str
        What a learner sees: ``"multiclass"``, ``"multilabel"``, ``"ordinal"``, ``"token"``,
        ``"pairwise"``, ``"ranking"``, ``"form"`` (of ``parts``, each a task) or ``"none"``.
    """

    kind: str
    target_type: str

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser, as JSON."""

    def parse(self, raw: Any) -> Any:
        """Return the legal value that `raw` stands for.

        Raises
        ------
        LabelValueError
            If `raw` is no legal value; the message says why.
        """

    def agree(self, a: Any, b: Any) -> float:
        """Agreement of two values, from 0 to 1; symmetric, and 1 for equal values."""

    def targets(self, values: Sequence[Any]) -> Any:
        """Turn values into what a learner is fitted on, one row a value."""

    def columns(self, value: Any) -> dict[str, Any]:
        """Turn one value into named columns of the labels."""


def decode(
    task: Task, classes: Sequence[str], row: NDArray[Any], said: NDArray[Any] | None = None
) -> tuple[Any, float]:
    """Return the value that a model's row suggests, and its probability.

    Without a `decode` of the task it is the class of the largest number. Where the row is of scores
    another one, `said`, has the probabilities.
    """
    own = getattr(task, "decode", None)
    if own is not None:
        value, probability = own(classes, row) if said is None else own(classes, row, said)
        return value, float(probability)
    best = int(np.argmax(row))
    return classes[best], float((row if said is None else said)[best])


def right(task: Task, predicted: Any, value: Any) -> bool:
    """Whether a prediction counts as right."""
    own = getattr(task, "right", None)
    return bool(own(predicted, value)) if own is not None else task.agree(predicted, value) == 1.0


def counted(task: Task, value: Any) -> Sequence[str]:
    """Return what a value counts for in the progress."""
    own = getattr(task, "counted", None)
    if own is not None:
        try:
            return list(own(value))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError):
            return []  # of a log that belongs to another task: opening it says so
    return [value if isinstance(value, str) else json.dumps(value, sort_keys=True)]


def whole(raw: Any, what: str) -> int:
    """Return a whole number that came over the wire, where 3.0 is 3.

    Raises
    ------
    LabelValueError
        If it is none.
    """
    if isinstance(raw, (bool, np.bool_)) or not isinstance(
        raw, (int, float, np.integer, np.floating)
    ):
        raise LabelValueError(f"{what} is a whole number, got {raw!r:.60}.")
    # Python compares whole numbers of any size, numpy does not; nan is in no range.
    if not 0 <= raw < 2**53 or raw != int(raw):
        raise LabelValueError(f"{what} is a whole number from 0, got {brief(raw)}.")
    return int(raw)


def fraction(raw: Any, what: str) -> float:
    """Return a number from 0 to 1, to six decimals.

    Raises
    ------
    LabelValueError
        If it is none.
    """
    if isinstance(raw, (bool, np.bool_)) or not isinstance(
        raw, (int, float, np.integer, np.floating)
    ):
        raise LabelValueError(f"{what} is a fraction from 0 to 1, got {raw!r:.60}.")
    if not -1e-6 <= raw <= 1 + 1e-6:
        raise LabelValueError(f"{what} is a fraction from 0 to 1, got {raw!r}.")
    return round(min(1.0, max(0.0, float(raw))), 6)
