"""What every task answers: the only place that knows the shape of a label value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Task(Protocol):
    """The question and its legal values.

    Attributes
    ----------
    kind : str
        Name of the task, which is also the name of its editor in the browser.
    target_type : str
        What a learner sees: ``"multiclass"``, ``"multilabel"``, ``"ordinal"``, ``"token"``,
        ``"pairwise"`` or ``"none"``.
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
