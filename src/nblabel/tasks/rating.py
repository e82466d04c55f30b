"""A number on a scale, or several."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import LabelValueError, TaskError, near
from .naming import listed, names_of

#: A scale has at most so many steps.
MOST_POINTS = 1001


class Rating:
    """Rate an item, by default from 1 to 5.

    Parameters
    ----------
    low, high : float
        Ends of the scale, both legal.
    step : float
        Between two points of the scale.
    ends : (str, str)
        What the ends mean, such as ``("bad", "good")``.
    scales : sequence of str
        Several ratings of one item, one after the other, each with these names.
    question : str, optional
        Asked above the item.

    Raises
    ------
    TaskError
        If the scale makes no sense.
    """

    kind = "rating"
    target_type = "ordinal"

    def __init__(
        self,
        low: float = 1,
        high: float = 5,
        *,
        step: float = 1,
        ends: tuple[str, str] = ("", ""),
        scales: Sequence[str] = (),
        question: str | None = None,
    ) -> None:
        for name, number in (("low", low), ("high", high), ("step", step)):
            if not _is_number(number):
                raise TaskError(f"Rating: {name} is a number, got {number!r}.")
        if not low < high or step <= 0 or round((high - low) / step) < 1:
            raise TaskError(
                f"A scale goes from low to high in steps above 0, got {low!r}, {high!r}, "
                f"step={step!r}."
            )
        n_steps = round((high - low) / step)
        if abs(low + n_steps * step - high) > 1e-9 * max(1.0, abs(high)):
            raise TaskError(f"step={step!r} does not lead from {low!r} to {high!r}.")
        if n_steps >= MOST_POINTS:
            raise TaskError(f"A scale has at most {MOST_POINTS} points, got {n_steps + 1:,}.")
        if isinstance(ends, str) or len(ends) != 2:
            raise TaskError(f"ends= names both ends, such as ('bad', 'good'), got {ends!r}.")
        self.low, self.high, self.step = low, high, step
        self.points = tuple(_neat(low + k * step) for k in range(n_steps + 1))
        self.ends = (str(ends[0]), str(ends[1]))
        self.scales = names_of(listed(scales), least=1) if len(scales) else ()
        self.question = question

    def __repr__(self) -> str:
        return f"Rating({self.low!r}, {self.high!r}, step={self.step!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return {
            "kind": self.kind,
            "classes": [],
            "keys": {},
            "question": self.question,
            "points": list(self.points),
            "ends": list(self.ends),
            "scales": list(self.scales),
            "columns": list(self.scales) or ["rating"],
        }

    def parse(self, raw: Any) -> Any:
        """Return a point of the scale, or a dict with one for each of the scales."""
        if not self.scales:
            return self._point(raw)
        if not isinstance(raw, Mapping):
            raise LabelValueError(
                f"The ratings are a dict such as {{{self.scales[0]!r}: {self.low}}}, "
                f"got {raw!r:.80}."
            )
        for name in raw:
            if name not in self.scales:
                raise LabelValueError(f"There is no scale {name!r:.60}. {near(name, self.scales)}")
        for name in self.scales:
            if name not in raw:
                raise LabelValueError(f"The rating of {name!r} is missing.")
        return {name: self._point(raw[name]) for name in self.scales}

    def agree(self, a: Any, b: Any) -> float:
        """One minus the distance as a share of the scale, averaged over scales."""
        first, second = self.targets([a]).ravel(), self.targets([b]).ravel()
        distance = np.abs(first - second) / (self.high - self.low)
        return float(np.clip(1.0 - distance.mean(), 0.0, 1.0))

    def targets(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Return numbers of shape (n_values,), or (n_values, n_scales)."""
        if not self.scales:
            return np.asarray(values, dtype=np.float64)
        rows = [[value[name] for name in self.scales] for value in values]
        return np.asarray(rows, dtype=np.float64).reshape(len(values), len(self.scales))

    def columns(self, value: Any) -> dict[str, Any]:
        """One column ``rating``, or one for each of the scales."""
        return dict(value) if self.scales else {"rating": value}

    def counted(self, value: Any) -> Sequence[str]:
        """The point, or none of them where there are several scales."""
        return [] if self.scales else [f"{value:g}"]

    def decode(self, classes: Sequence[str], row: NDArray[Any]) -> tuple[Any, float]:
        """Return the median of what is predicted, and its probability."""
        n_points = len(self.points)
        parts = np.asarray(row, dtype=np.float64).reshape(-1, n_points)
        places = [
            min(int(np.searchsorted(np.cumsum(part), 0.5 * part.sum())), n_points - 1)
            for part in parts
        ]
        sure = float(np.prod([part[k] for part, k in zip(parts, places, strict=True)]))
        found = [self.points[k] for k in places]
        return (dict(zip(self.scales, found, strict=True)) if self.scales else found[0]), sure

    def _point(self, raw: Any) -> float | int:
        if not _is_number(raw):
            raise LabelValueError(
                f"The rating is a number from {self.low} to {self.high}, got {raw!r:.80}."
            )
        inside = self.low - self.step < raw < self.high + self.step
        place = round((float(raw) - self.low) / self.step) if inside else -1
        near_point = self.points[place] if 0 <= place < len(self.points) else None
        if near_point is None or abs(near_point - float(raw)) > 1e-6 * self.step:
            raise LabelValueError(
                f"The rating is from {self.low} to {self.high} in steps of {self.step}, "
                f"got {raw!r}."
            )
        return near_point


def _is_number(raw: Any) -> bool:
    value = raw.item() if isinstance(raw, np.generic) else raw
    # A whole number may be larger than any float.
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and abs(value) <= sys.float_info.max


def _neat(number: float) -> float | int:
    rounded = round(float(number), 9)
    return int(rounded) if rounded.is_integer() else rounded
