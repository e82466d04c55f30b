"""Names of labels, and the keys that mean them: the same for every task that has classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np

from ..errors import TaskError, brief, near, plain, shorten

#: Keys that a label cannot have: they are typed for something else everywhere. A letter that means
#: a command may go to a label; the command then takes Shift.
COMMAND_KEYS = {
    "?": "the sheet of keys", "/": "search", " ": "accept the suggestion",
    "enter": "accept the suggestion", "escape": "close", "tab": "leave", "arrowleft": "back",
    "arrowright": "forward", "backspace": "undo",
}  # fmt: skip
KEY_NAMES = {"space": " ", "return": "enter", "esc": "escape", "left": "arrowleft",
             "right": "arrowright"}  # fmt: skip
MOST_KEYED = 9


def listed(classes: Iterable[Any]) -> list[Any]:
    """Return labels as a list, in the order given.

    Raises
    ------
    TaskError
        If they have no order, or are no names.
    """
    if hasattr(classes, "columns") or isinstance(classes, Mapping):
        raise TaskError(
            "Labels must be a list of names such as ['ham', 'spam'], "
            f"got {type(classes).__name__}. The data comes first, then the labels."
        )
    # The order of a set changes from process to process, and the keys would with it.
    if isinstance(classes, (str, bytes, Set)) or not isinstance(classes, Iterable):
        raise TaskError(f"Labels must be a list of names such as ['ham', 'spam'], got {classes!r}.")
    values = [value.item() if isinstance(value, np.generic) else value for value in classes]
    for value in values:
        if not _is_name(value):
            raise TaskError(
                f"Labels must be names, but {brief(value)} is among them: leave it out."
            )
    return values


def _is_name(value: Any) -> bool:
    try:
        return value is not None and bool(value == value) and isinstance(str(value), str)
    except Exception:  # such as an array, or pandas' NA
        return False


def names_of(values: list[Any], least: int = 2) -> tuple[str, ...]:
    """Return the names of labels.

    Raises
    ------
    TaskError
        If there are fewer than `least`, or two are the same, or one cannot be shown.
    """
    names = tuple(str(value) for value in values)
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise TaskError(
                f"Every label needs a name; number {place} of {brief(list(names))} is empty."
            )
        if not name.isascii() and name != name.encode("utf-8", "replace").decode():
            raise TaskError(
                f"The label {brief(name)} has a lone surrogate, which nothing can show."
            )
    counts = Counter(name.strip() for name in names)
    doubled = sorted(name for name, count in counts.items() if count > 1)
    if doubled:
        hint = " Of a column give the .unique() values." if len(names) > 2 * len(counts) else ""
        raise TaskError(
            f"Labels must differ, but {shorten(doubled)} stand(s) more than once.{hint}"
        )
    if len(names) < least:
        few = "two labels" if least == 2 else "one label"
        raise TaskError(f"A choice needs at least {few}, got {brief(list(names))}.")
    return names


def keys_for(classes: tuple[str, ...], given: Mapping[Any, str]) -> dict[str, str]:
    """Return the key of each label that has one: those given, then digits.

    Raises
    ------
    TaskError
        If a key is taken, bound twice, or no single character.
    """
    if not isinstance(given, Mapping):
        raise TaskError(f"keys= is a dict such as {{{classes[0]!r}: 'a'}}, got {given!r}.")
    keys: dict[str, str] = {}
    owner: dict[str, str] = {}
    for label, key in given.items():
        name = plain(label)
        if name not in classes:
            raise TaskError(
                f"keys= names the label {brief(name)}, which does not exist. {near(name, classes)}"
            )
        pressed = KEY_NAMES.get(plain(key).lower(), plain(key).lower())
        if pressed in COMMAND_KEYS:
            raise TaskError(
                f"The key {key!r} for {name!r} is taken: it means {COMMAND_KEYS[pressed]!r}. "
                "Choose another letter or digit."
            )
        if len(pressed) != 1 or "\ud800" <= pressed <= "\udfff":
            raise TaskError(f"The key for {name!r} must be a single character, got {brief(key)}.")
        if pressed in owner:
            raise TaskError(
                f"The key {key!r} is bound twice: to {owner[pressed]!r} and to {name!r}."
            )
        keys[name] = pressed
        owner[pressed] = name
    for name in classes:
        if name not in keys and len(name) == 1 and name in _DIGITS and name not in owner:
            keys[name] = name
            owner[name] = name
    waiting = [name for name in classes[:MOST_KEYED] if name not in keys]
    for name in waiting:  # a label has the digit of its place, if nobody else has it
        place = str(classes.index(name) + 1)
        if place not in owner:
            keys[name] = place
            owner[place] = name
    left = [digit for digit in _DIGITS[1:] if digit not in owner]
    for name in waiting:
        if name not in keys and left:
            keys[name] = left.pop(0)
    return keys


_DIGITS = "0123456789"


class Named:
    """What all tasks with classes and keys have in common.

    Parameters
    ----------
    classes : sequence
        Different names; what is no text is shown and logged by its text.
    keys : mapping of class to key, or None
    question : str or None
    least : int
        How many classes there must be.

    Attributes
    ----------
    values : dict of str to object
        The classes as they were given, by name.
    """

    kind: str

    def __init__(
        self,
        classes: Iterable[Any],
        keys: Mapping[Any, str] | None,
        question: str | None,
        least: int = 1,
    ) -> None:
        given = listed(classes)
        self.classes = names_of(given, least=least)
        self.values = dict(zip(self.classes, given, strict=True))
        self.keys = keys_for(self.classes, keys or {})
        self.question = question

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self.classes)!r})"

    def keyed_spec(self, **more: Any) -> dict[str, Any]:
        """Return what the browser is told of such a task, and what is more."""
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "keys": dict(self.keys),
            "question": self.question,
            **more,
        }
