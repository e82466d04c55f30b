"""Any number of classes out of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, TaskError, near, shorten
from .naming import Named


class MultiLabel(Named):
    """Choose any number of classes.

    Parameters
    ----------
    classes : sequence
        Different names; numbers and other values come back as they were given.
    keys : mapping of class to key, optional
        Each toggles its class.
    question : str, optional
        Asked above the item.
    least, most : int
        How many classes an item has; by default any number, none included.
    exclusive : sequence of sequences of classes
        Groups of which an item has at most one.
    parents : mapping of class to class
        A hierarchy: an item of a class is of its parent too, which is added by itself.
    each : bool
        Whether the labels have one boolean column for each class, instead of one column of lists.

    Raises
    ------
    TaskError
        If names, keys or constraints are off.
    """

    kind = "multilabel"
    target_type = "multilabel"

    def __init__(
        self,
        classes: Iterable[Any],
        *,
        keys: Mapping[Any, str] | None = None,
        question: str | None = None,
        least: int = 0,
        most: int | None = None,
        exclusive: Sequence[Sequence[Any]] = (),
        parents: Mapping[Any, Any] | None = None,
        each: bool = False,
    ) -> None:
        super().__init__(classes, keys, question)
        self._place = {name: k for k, name in enumerate(self.classes)}
        self.each = bool(each)
        self.exclusive = tuple(
            tuple(self._known(name, "exclusive=") for name in group) for group in exclusive
        )
        self.parents = {
            self._known(child, "parents="): self._known(parent, "parents=")
            for child, parent in (parents or {}).items()
        }
        for name in self.parents:
            self._ancestors(name)
        most = len(self.classes) if most is None else most
        if not 0 <= least <= most or most < 1:
            raise TaskError(
                f"least= and most= are numbers of classes, 0 <= least <= most, "
                f"got {least!r} and {most!r}."
            )
        self.least, self.most = int(least), int(min(most, len(self.classes)))

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return self.keyed_spec(
            least=self.least,
            most=self.most,
            exclusive=[list(group) for group in self.exclusive],
            parents=dict(self.parents),
            columns=list(self.columns([])),
        )

    def parse(self, raw: Any) -> list[str]:
        """Return the classes that `raw` lists, in the order of the task, with their parents."""
        if isinstance(raw, np.ndarray):
            raw = raw.tolist()
        if isinstance(raw, (str, bytes, Mapping)) or not isinstance(raw, Iterable):
            raise LabelValueError(
                f"Labels are a list of classes such as {list(self.classes[:2])!r}, got {raw!r:.80}."
            )
        chosen: set[str] = set()
        for entry in raw:
            name = entry if isinstance(entry, str) else str(entry)
            if name not in self._place:
                raise LabelValueError(
                    f"{entry!r:.80} is not one of the labels. {near(name[:80], self.classes)}"
                )
            chosen.update((name, *self._ancestors(name)))
        for group in self.exclusive:
            both = [name for name in group if name in chosen]
            if len(both) > 1:
                raise LabelValueError(f"Only one of {shorten(both)} can be chosen.")
        if not self.least <= len(chosen) <= self.most:
            wanted = (
                f"at least {self.least}" if len(chosen) < self.least else f"at most {self.most}"
            )
            raise LabelValueError(f"An item has {wanted} of the labels, got {len(chosen)}.")
        return sorted(chosen, key=self._place.__getitem__)

    def agree(self, a: Sequence[str], b: Sequence[str]) -> float:
        """Jaccard: what both have, of what either has."""
        either = set(a) | set(b)
        return len(set(a) & set(b)) / len(either) if either else 1.0

    def targets(self, values: Sequence[Sequence[str]]) -> NDArray[np.int8]:
        """Return an indicator matrix of shape (n_values, n_classes)."""
        made = np.zeros((len(values), len(self.classes)), dtype=np.int8)
        for row, value in enumerate(values):
            made[row, [self._place[name] for name in value]] = 1
        return made

    def columns(self, value: Sequence[str]) -> dict[str, Any]:
        """One column ``labels`` with a list, or a boolean for each class."""
        if self.each:
            return {name: name in value for name in self.classes}
        return {"labels": [self.values[name] for name in value]}

    def counted(self, value: Sequence[str]) -> Sequence[str]:
        """Every class it has."""
        return list(value)

    def decode(self, classes: Sequence[str], row: NDArray[Any]) -> tuple[list[str], float]:
        """Return the classes more likely than not, made legal, and the probability of all at once.

        The probability takes the classes as independent given the item.
        """
        sure = {name: float(p) for name, p in zip(classes, row, strict=True)}
        chosen = {name for name, p in sure.items() if p > 0.5}
        ranked = sorted(sure, key=lambda name: -sure[name])
        for name in ranked:
            if len(chosen) < self.least:
                chosen.add(name)
        for name in list(chosen):
            chosen.update(self._ancestors(name))
        for group in self.exclusive:
            inside = sorted(chosen & set(group), key=lambda name: -sure.get(name, 0.0))
            chosen.difference_update(inside[1:])
        for name in [name for name in chosen if not set(self._ancestors(name)) <= chosen]:
            chosen.discard(name)
        for name in reversed(ranked):
            if len(chosen) > self.most and not any(name in self._ancestors(c) for c in chosen):
                chosen.discard(name)
        parts = [p if name in chosen else 1.0 - p for name, p in sure.items()]
        return sorted(chosen, key=self._place.__getitem__), float(np.prod(parts))

    def _known(self, name: Any, where: str) -> str:
        if str(name) not in self._place:
            raise TaskError(
                f"{where} names the label {name!r}, which does not exist. "
                f"{near(name, self.classes)}"
            )
        return str(name)

    def _ancestors(self, name: str) -> tuple[str, ...]:
        found: list[str] = []
        while name in self.parents:
            name = self.parents[name]
            if name in found:
                raise TaskError(f"parents= goes in a circle at {name!r}.")
            found.append(name)
        return tuple(found)
