"""Tasks: the question and its legal values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import OptionError
from .base import Task, counted, decode, right
from .binary import Binary
from .boxes import Boxes
from .choice import Choice
from .form import Form
from .freetext import FreeText
from .multilabel import MultiLabel
from .pairs import Pairs
from .ranking import Ranking
from .rating import Rating
from .spans import Spans

__all__ = [
    "Binary",
    "Boxes",
    "Choice",
    "Form",
    "FreeText",
    "MultiLabel",
    "Pairs",
    "Ranking",
    "Rating",
    "Spans",
    "Task",
    "as_given",
    "as_task",
    "counted",
    "decode",
    "right",
]


def as_task(
    task: Any, *, keys: Mapping[Any, str] | None = None, question: str | None = None
) -> Task:
    """Return a task: itself, or one choice for a list of names."""
    if isinstance(task, type):
        raise OptionError(f"A task is an object: write {task.__name__}(...).")
    if isinstance(task, Task):
        if keys or question:
            raise OptionError(
                "keys= and question= go with a list of names; a task object has its own."
            )
        return task
    return Choice(task, keys=keys, question=question)


def as_given(task: Task, value: Any) -> Any:
    """Return a label as it stands in the labels: of a choice the value that the user gave."""
    return task.columns(value).get("label", value)
