"""One class out of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, TaskError, near, shorten

#: Keys that commands of the widget use; a label must not take them.
COMMAND_KEYS = {
    "z": "undo", "s": "skip", "f": "flag", "n": "note", "h": "hide suggestions",
    "r": "retrain", "i": "instructions", "?": "the sheet of keys", "/": "search",
    " ": "accept the suggestion", "enter": "accept the suggestion", "escape": "close",
    "tab": "leave", "arrowleft": "back", "arrowright": "forward", "backspace": "undo",
}  # fmt: skip
KEY_NAMES = {"space": " ", "return": "enter", "esc": "escape", "left": "arrowleft",
             "right": "arrowright"}  # fmt: skip
MOST_KEYED = 9


class Choice:
    """Choose one class out of several.

    Parameters
    ----------
    classes : sequence of str
        At least two different, non-empty names. Other values than text are taken by their text.
    keys : mapping of class to key, optional
        Own keys, each a single character; the first nine classes without one get the digits.
    question : str, optional
        Asked above the item.

    Raises
    ------
    TaskError
        If names or keys are off.
    """

    kind = "choice"
    target_type = "multiclass"

    def __init__(
        self,
        classes: Iterable[Any],
        *,
        keys: Mapping[Any, str] | None = None,
        question: str | None = None,
    ) -> None:
        self.classes = _names(classes)
        self.question = question
        self.keys = _keys(self.classes, keys or {})
        self._legal = frozenset(self.classes)

    def __repr__(self) -> str:
        return f"Choice({list(self.classes)!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "keys": dict(self.keys),
            "question": self.question,
        }

    def parse(self, raw: Any) -> str:
        """Return the class that `raw` names."""
        name = raw if isinstance(raw, str) else str(raw)
        if isinstance(raw, (float, np.floating)) and name not in self._legal:
            # A column of whole numbers becomes floats where values are missing.
            name = f"{raw:.0f}" if float(raw).is_integer() else name
        if name not in self._legal:
            raise LabelValueError(f"{raw!r} is not one of the labels. {near(raw, self.classes)}")
        return name

    def agree(self, a: str, b: str) -> float:
        """Equality: 1.0 or 0.0."""
        return float(a == b)

    def targets(self, values: Sequence[str]) -> NDArray[Any]:
        """Class names as an array of shape (n_values,)."""
        return np.asarray(values, dtype=object)

    def columns(self, value: str) -> dict[str, Any]:
        """One column, ``label``."""
        return {"label": value}


def _names(classes: Iterable[Any]) -> tuple[str, ...]:
    # The order of a set changes from process to process, and the keys would with it.
    if isinstance(classes, (str, bytes, Set)) or not isinstance(classes, Iterable):
        raise TaskError(f"Labels must be a list of names such as ['ham', 'spam'], got {classes!r}.")
    names = tuple(name if isinstance(name, str) else str(name) for name in classes)
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise TaskError(
                f"Every label needs a name; number {place} of {list(names)!r} is empty."
            )
        if not name.isascii() and name != name.encode("utf-8", "replace").decode():
            raise TaskError(f"The label {name!r} has a lone surrogate, which nothing can show.")
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise TaskError(f"Labels must differ, but {shorten(doubled)} stand(s) more than once.")
    if len(names) < 2:
        raise TaskError(f"A choice needs at least two labels, got {list(names)!r}.")
    return names


def _keys(classes: tuple[str, ...], given: Mapping[Any, str]) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise TaskError(f"keys= is a dict such as {{{classes[0]!r}: 'a'}}, got {given!r}.")
    keys: dict[str, str] = {}
    owner: dict[str, str] = {}
    for label, key in given.items():
        name = label if isinstance(label, str) else str(label)
        if name not in classes:
            raise TaskError(
                f"keys= names the label {name!r}, which does not exist. {near(name, classes)}"
            )
        pressed = KEY_NAMES.get(str(key).lower(), str(key).lower())
        if pressed in COMMAND_KEYS:
            raise TaskError(
                f"The key {key!r} for {name!r} is taken: it means {COMMAND_KEYS[pressed]!r}. "
                "Choose another letter or digit."
            )
        if len(pressed) != 1:
            raise TaskError(f"The key for {name!r} must be a single character, got {key!r}.")
        if pressed in owner:
            raise TaskError(
                f"The key {key!r} is bound twice: to {owner[pressed]!r} and to {name!r}."
            )
        keys[name] = pressed
        owner[pressed] = name
    # A label keeps the digit of its place, so that keys do not shift when another gets its own.
    for place, name in enumerate(classes[:MOST_KEYED], start=1):
        if name not in keys and str(place) not in owner:
            keys[name] = str(place)
    return keys
