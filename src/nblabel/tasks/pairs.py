"""Which of two is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError

FIRST, SECOND, TIE = "first", "second", "tie"


class Pairs:
    """Say which of two is better.

    Which of them stands on the left is drawn at random for each pair and recorded; the label names
    them as the data does, ``"first"`` and ``"second"``.

    Parameters
    ----------
    question : str
        Asked above the pair.
    ties : bool
        Whether neither may be better.
    """

    kind = "pairs"
    target_type = "pairwise"

    def __init__(self, question: str = "Which is better?", *, ties: bool = True) -> None:
        self.question = question
        self.ties = bool(ties)
        self.classes = (FIRST, SECOND, TIE) if ties else (FIRST, SECOND)

    def __repr__(self) -> str:
        return f"Pairs({self.question!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "keys": {},
            "question": self.question,
            "ties": self.ties,
            "columns": ["preferred"],
        }

    def parse(self, raw: Any) -> str:
        """Return ``"first"``, ``"second"`` or ``"tie"``."""
        if not isinstance(raw, str) or raw not in self.classes:
            raise LabelValueError(
                f"The label is one of {', '.join(map(repr, self.classes))}, got {raw!r:.80}."
            )
        return raw

    def agree(self, a: str, b: str) -> float:
        """Equality; a tie agrees half with either."""
        return 1.0 if a == b else 0.5 if TIE in (a, b) else 0.0

    def targets(self, values: Sequence[str]) -> NDArray[np.float64]:
        """Return the share of the win that the first one has: 1, 0, or 0.5 for a tie."""
        share = {FIRST: 1.0, SECOND: 0.0, TIE: 0.5}
        return np.array([share[value] for value in values], dtype=np.float64)

    def columns(self, value: str) -> dict[str, Any]:
        """One column, ``preferred``."""
        return {"preferred": value}
