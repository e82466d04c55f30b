"""Text that a person writes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from ..errors import LabelValueError, TaskError

#: Longest text that is taken, in characters.
MOST_CHARACTERS = 50_000


class FreeText:
    """Write a text: a caption, a transcription, a correction.

    Parameters
    ----------
    question : str, optional
        Asked above the item.
    placeholder : str
        Shown where nothing is written yet.
    lines : int
        Height of the box.
    required : bool
        Whether an empty text is refused.

    Raises
    ------
    TaskError
        If an option is off.
    """

    kind = "freetext"
    target_type = "none"

    def __init__(
        self,
        question: str | None = None,
        *,
        placeholder: str = "",
        lines: int = 3,
        required: bool = True,
    ) -> None:
        if not isinstance(lines, int) or isinstance(lines, bool) or not 1 <= lines <= 40:
            raise TaskError(f"lines= is a whole number from 1 to 40, got {lines!r}.")
        self.question = question
        self.placeholder = str(placeholder)
        self.lines = lines
        self.required = bool(required)

    def __repr__(self) -> str:
        return f"FreeText({self.question!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return {
            "kind": self.kind,
            "classes": [],
            "keys": {},
            "question": self.question,
            "placeholder": self.placeholder,
            "lines": self.lines,
            "required": self.required,
            "columns": ["text"],
        }

    def parse(self, raw: Any) -> str:
        """Return the text, without white space around it."""
        if not isinstance(raw, str):
            raise LabelValueError(f"The label is a text, got {type(raw).__name__}.")
        text = raw.encode("utf-8", "replace").decode().replace("\r\n", "\n").strip()
        if not text and self.required:
            raise LabelValueError("The text is empty: write something, or skip the item.")
        if len(text) > MOST_CHARACTERS:
            raise LabelValueError(
                f"The text has {len(text):,} characters, at most {MOST_CHARACTERS:,} are kept."
            )
        return text

    def agree(self, a: str, b: str) -> float:
        """Equality of letters and digits, whatever the case, spacing and Unicode form."""
        return float(_normal(a) == _normal(b))

    def targets(self, values: Sequence[str]) -> list[str]:
        """The texts: no model learns them."""
        return list(values)

    def columns(self, value: str) -> dict[str, Any]:
        """One column, ``text``."""
        return {"text": value}

    def counted(self, value: str) -> Sequence[str]:
        """Nothing: no two texts are alike."""
        return []


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
