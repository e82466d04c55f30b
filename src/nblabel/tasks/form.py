"""Several questions about one item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import LabelValueError, TaskError, near
from .base import Task, decode


class Form:
    """Ask several tasks on one card, sent together.

    Parameters
    ----------
    parts : mapping of str to Task
        The questions in their order, each with the name of its columns.
    when : mapping of str to (str, value)
        Conditions: ``{"why": ("spam", "yes")}`` asks ``why`` only where the label of ``spam`` is
        ``"yes"``, or contains it where it is a list.
    question : str, optional
        Asked above the item.

    Raises
    ------
    TaskError
        If a part is no task, or a condition names a later part, or a value that is not legal.
    """

    kind = "form"
    target_type = "form"

    def __init__(
        self,
        parts: Mapping[str, Task],
        *,
        when: Mapping[str, tuple[str, Any]] | None = None,
        question: str | None = None,
    ) -> None:
        if not isinstance(parts, Mapping) or not parts:
            raise TaskError(
                "A form is a dict of tasks such as {'topic': Choice([...]), 'why': FreeText()}, "
                f"got {parts!r:.80}."
            )
        for name, part in parts.items():
            if not isinstance(name, str) or not name.strip():
                raise TaskError(f"Every part of a form has a name, got {name!r}.")
            if not isinstance(part, Task) or isinstance(part, (type, Form)):
                raise TaskError(f"The part {name!r} is no task that a form can hold: {part!r:.80}.")
        self.parts = dict(parts)
        self.question = question
        self.when: dict[str, tuple[str, Any]] = {}
        order = list(self.parts)
        for name, condition in (when or {}).items():
            if name not in self.parts:
                raise TaskError(f"when= names {name!r}, which is no part. {near(name, order)}")
            if isinstance(condition, str) or len(condition) != 2 or condition[0] not in self.parts:
                raise TaskError(
                    f"when={{{name!r}: ...}} is the name of a part and a value of it, "
                    f"got {condition!r:.80}."
                )
            on, value = condition
            if order.index(on) >= order.index(name):
                raise TaskError(f"{name!r} depends on {on!r}, which has to come before it.")
            self.when[name] = (on, self._expected(on, value))

    def __repr__(self) -> str:
        return f"Form({self.parts!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return {
            "kind": self.kind,
            "classes": [],
            "keys": {},
            "question": self.question,
            "parts": [{"name": name, "task": part.spec()} for name, part in self.parts.items()],
            "when": {name: list(condition) for name, condition in self.when.items()},
            "columns": self._columns(),
        }

    def parse(self, raw: Any) -> dict[str, Any]:
        """Return the value of each part that is asked, by its name."""
        if not isinstance(raw, Mapping):
            raise LabelValueError(f"The label of a form is a dict, got {raw!r:.80}.")
        for name in raw:
            if name not in self.parts:
                raise LabelValueError(
                    f"The form has no part {name!r:.60}. {near(name, self.parts)}"
                )
        value: dict[str, Any] = {}
        for name, part in self.parts.items():
            if not self.asked(name, value):
                continue
            if name not in raw:
                raise LabelValueError(f"The part {name!r} is missing.")
            try:
                value[name] = part.parse(raw[name])
            except LabelValueError as error:
                raise LabelValueError(f"{name}: {error}") from None
        return value

    def check(self, value: Mapping[str, Any], content: Any) -> None:
        """Raise LabelValueError if a part does not fit the item."""
        for name, said in value.items():
            check = getattr(self.parts[name], "check", None)
            if check is not None:
                check(said, content)

    def asked(self, name: str, value: Mapping[str, Any]) -> bool:
        """Whether a part is asked, given the parts before it."""
        if name not in self.when:
            return True
        on, expected = self.when[name]
        if on not in value:
            return False
        said = value[on]
        return bool(said == expected or (isinstance(said, list) and expected in said))

    def agree(self, a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
        """Mean agreement of the parts that either has; a part that one lacks counts 0."""
        names = [name for name in self.parts if name in a or name in b]
        shares = [
            self.parts[name].agree(a[name], b[name]) if name in a and name in b else 0.0
            for name in names
        ]
        return sum(shares) / len(shares) if shares else 1.0

    def targets(self, values: Sequence[Any]) -> list[Any]:
        """The values: each part is learned by itself."""
        return list(values)

    def decode(
        self, classes: Sequence[str], row: Any, said: Any = None
    ) -> tuple[dict[str, Any] | None, float]:
        """Return what is predicted of the parts that would be asked, and how probable all of it is.

        Parts that no model speaks of are left open; None if there is nothing to say at all. The
        probability takes the parts as independent given the item.
        """
        columns: dict[str, list[int]] = {}
        for place, name in enumerate(classes):
            owners = [part for part in self.parts if name.startswith(f"{part}: ")]
            if owners:
                columns.setdefault(max(owners, key=len), []).append(place)
        value: dict[str, Any] = {}
        sure = 1.0
        for name, part in self.parts.items():
            if name in columns and self.asked(name, value):
                own = [classes[place].removeprefix(f"{name}: ") for place in columns[name]]
                of_part = row[columns[name]]
                one_class = part.target_type == "multiclass" and said is not None
                known = said[columns[name]] if one_class else None
                value[name], share = decode(part, own, of_part, known)
                sure *= share
        return (value, sure) if value else (None, 0.0)

    def right(self, predicted: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
        """Whether all that is predicted is said; what is left open counts for nothing."""
        return all(
            name in value and self.parts[name].agree(said, value[name]) == 1.0
            for name, said in predicted.items()
        )

    def columns(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """The columns of each part, with its name before them; None where it was not asked."""
        made: dict[str, Any] = {}
        for name, part in self.parts.items():
            names = part.spec().get("columns", ["label"])
            found = part.columns(value[name]) if name in value else dict.fromkeys(names)
            for column, entry in found.items():
                made[name if len(names) == 1 else f"{name}_{column}"] = entry
        return made

    def counted(self, value: Mapping[str, Any]) -> Sequence[str]:
        """Nothing: the parts have their own."""
        return []

    def _columns(self) -> list[str]:
        return list(self.columns({}))

    def _expected(self, on: str, value: Any) -> Any:
        part = self.parts[on]
        if part.target_type == "ranking":
            raise TaskError(
                f"{on!r} is an order, on which nothing can depend: ask a part before it."
            )
        try:
            if part.target_type != "multilabel":
                return part.parse(value)
            classes = part.spec()["classes"]  # one that may be among those chosen
            if value not in classes:
                raise LabelValueError(f"{value!r:.80} is not one. {near(value, classes)}")
            return value
        except LabelValueError as error:
            raise TaskError(f"when= asks {on!r} for a value it cannot have: {error}") from None
