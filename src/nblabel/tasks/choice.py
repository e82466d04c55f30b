"""One class out of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, brief, near, plain
from .naming import Named


class Choice(Named):
    """Choose one class out of several.

    Parameters
    ----------
    classes : sequence
        At least two different names, not empty. Numbers and other values are shown and logged by
        their text, and come back as they were given.
    keys : mapping of class to key, optional
        Own keys, each a single character. A class that is itself a digit gets that digit; the other
        classes get the digits that are left, each that of its place if it can.
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
        super().__init__(classes, keys, question, least=2)
        self._legal = frozenset(self.classes)

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return self.keyed_spec()

    def parse(self, raw: Any) -> str:
        """Return the class that `raw` names."""
        name = plain(raw)
        if isinstance(raw, (float, np.floating)) and name not in self._legal:
            # A column of whole numbers becomes floats where values are missing.
            name = f"{raw:.0f}" if float(raw).is_integer() else name
        if name not in self._legal:
            raise LabelValueError(
                f"{brief(raw)} is not one of the labels. {near(raw, self.classes)}"
            )
        return name

    def agree(self, a: str, b: str) -> float:
        """Equality: 1.0 or 0.0."""
        return float(a == b)

    def targets(self, values: Sequence[str]) -> NDArray[Any]:
        """Class names as an array of shape (n_values,)."""
        return np.asarray(values, dtype=object)

    def columns(self, value: str) -> dict[str, Any]:
        """One column, ``label``, with the value as it was given."""
        # What another hand wrote into the log may be anything.
        return {"label": self.values.get(value, value) if isinstance(value, str) else value}
