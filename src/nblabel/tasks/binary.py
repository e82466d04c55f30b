"""Accept or reject one label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import LabelValueError, TaskError
from .choice import Choice

ACCEPT, REJECT = "accept", "reject"


class Binary(Choice):
    """Is the item of one class? Accept or reject, one key each.

    Parameters
    ----------
    label : object
        The class that is asked about.
    keys : mapping of {"accept", "reject"} to key, optional
        By default ``a`` and ``x``.
    question : str, optional
        By default the label with a question mark.

    Raises
    ------
    TaskError
        If the label or a key is off.
    """

    kind = "binary"

    def __init__(
        self, label: Any, *, keys: Mapping[Any, str] | None = None, question: str | None = None
    ) -> None:
        if isinstance(label, (list, tuple, set, dict, np.ndarray)) or not str(label).strip():
            raise TaskError(f"Binary asks about one label, such as 'spam', got {label!r:.80}.")
        super().__init__(
            [ACCEPT, REJECT],
            keys={ACCEPT: "a", REJECT: "x"} | dict(keys or {}),
            question=question or f"{label}?",
        )
        self.label = label

    def __repr__(self) -> str:
        return f"Binary({self.label!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return {**super().spec(), "label": str(self.label)}

    def parse(self, raw: Any) -> str:
        """Return ``"accept"`` or ``"reject"``; true and false stand for them."""
        if isinstance(raw, (bool, np.bool_)):
            return ACCEPT if raw else REJECT
        if raw in (ACCEPT, REJECT):
            return str(raw)
        raise LabelValueError(f"The label is true (accept) or false (reject), got {raw!r:.80}.")

    def columns(self, value: str) -> dict[str, Any]:
        """One column, ``label``: whether it was accepted."""
        return {"label": value == ACCEPT}
