"""Boxes, polygons and points on an image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ..errors import LabelValueError, TaskError, near, shorten
from .base import fraction
from .naming import Named

SHAPES = ("box", "polygon", "point")
MOST_SHAPES = 2000
MOST_CORNERS = 2000
#: Overlap is measured on a grid of so many cells a side, points by their distance in its place.
GRID = 256
#: Points further apart than this share of the image's side have nothing to do with each other.
NEAR = 0.05


class Boxes(Named):
    """Draw boxes, polygons or points on an image and name them.

    All places are fractions of the image's width and height, from its upper left corner, so that
    zoom and screen never reach the log.

    Parameters
    ----------
    classes : sequence of str
        At least one.
    shapes : sequence of {"box", "polygon", "point"}
        What may be drawn.
    keys : mapping of class to key, optional
    question : str, optional
        Asked above the item.

    Raises
    ------
    TaskError
        If names, keys or shapes are off.
    """

    kind = "boxes"
    target_type = "none"

    def __init__(
        self,
        classes: Iterable[Any],
        *,
        shapes: Sequence[str] = ("box",),
        keys: Mapping[Any, str] | None = None,
        question: str | None = None,
    ) -> None:
        shapes = (shapes,) if isinstance(shapes, str) else tuple(shapes)
        unknown = [shape for shape in shapes if shape not in SHAPES]
        if unknown or not shapes:
            raise TaskError(f"shapes= names some of {', '.join(SHAPES)}, got {shorten(shapes)}.")
        super().__init__(classes, keys, question)
        self.shapes = shapes

    def __repr__(self) -> str:
        return f"Boxes({list(self.classes)!r}, shapes={list(self.shapes)!r})"

    def spec(self) -> dict[str, Any]:
        """Describe the task to the browser."""
        return self.keyed_spec(
            shapes=list(self.shapes),
            columns=["shapes"],
        )

    def parse(self, raw: Any) -> list[dict[str, Any]]:
        """Return shapes in the order given.

        Each is a dict with ``shape`` and ``label``; a box with ``x``, ``y``, ``width`` and
        ``height``, a polygon with ``points``, a point with ``x`` and ``y``.
        """
        if isinstance(raw, (str, bytes)) or not isinstance(raw, Sequence):
            raise LabelValueError(f"The label is a list of shapes, got {raw!r:.80}.")
        if len(raw) > MOST_SHAPES:
            raise LabelValueError(f"At most {MOST_SHAPES:,} shapes are kept, got {len(raw):,}.")
        return [self._shape(shape) for shape in raw]

    def agree(self, a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> float:
        """Mean overlap (intersection over union) of shapes matched one to one, label by label.

        The matching has the largest sum (Kuhn 1955); a shape without a partner counts 0.
        """
        if not a and not b:
            return 1.0
        if list(a) == list(b):
            return 1.0
        if len(b) < len(a):
            a, b = b, a
        shares = np.zeros((len(a), len(b)))
        for i, first in enumerate(a):
            for j, second in enumerate(b):
                shares[i, j] = _overlap(first, second)
        rows, places = linear_sum_assignment(-shares)
        # An exact sum: whichever comes first, the result is the same.
        total = float(np.sort(shares[rows, places]).sum())
        return min(1.0, total / max(len(a), len(b)))

    def targets(self, values: Sequence[Any]) -> list[Any]:
        """The shapes: no light model learns them."""
        return list(values)

    def columns(self, value: Any) -> dict[str, Any]:
        """One column, ``shapes``."""
        return {"shapes": value}

    def counted(self, value: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        """The label of each shape."""
        return [shape["label"] for shape in value]

    def _shape(self, raw: Any) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            raise LabelValueError(f"A shape is a dict of shape, label and place, got {raw!r:.80}.")
        kind, name = raw.get("shape", "box"), raw.get("label")
        if not isinstance(kind, str) or kind not in self.shapes:
            raise LabelValueError(f"A shape is one of {', '.join(self.shapes)}, got {kind!r:.60}.")
        if not isinstance(name, str) or name not in self.classes:
            raise LabelValueError(
                f"{name!r:.80} is not one of the labels. {near(str(name)[:80], self.classes)}"
            )
        made: dict[str, Any] = {"shape": kind, "label": name}
        if kind == "polygon":
            return {**made, "points": _corners(raw.get("points"))}
        names = ("x", "y") if kind == "point" else ("x", "y", "width", "height")
        for part in names:
            if part not in raw:
                raise LabelValueError(f"A {kind} has {', '.join(names)}; {part} is missing.")
            made[part] = fraction(raw[part], part)
        if kind == "box":
            made["width"] = round(min(made["width"], 1 - made["x"]), 6)
            made["height"] = round(min(made["height"], 1 - made["y"]), 6)
            if made["width"] <= 0 or made["height"] <= 0:
                raise LabelValueError("A box has a width and a height above 0.")
        return made


def _corners(raw: Any) -> list[list[float]]:
    if isinstance(raw, (str, bytes)) or not isinstance(raw, Sequence):
        raise LabelValueError(f"The points of a polygon are a list of (x, y), got {raw!r:.80}.")
    if not 3 <= len(raw) <= MOST_CORNERS:
        raise LabelValueError(f"A polygon has from 3 to {MOST_CORNERS:,} points, got {len(raw):,}.")
    corners = []
    for corner in raw:
        if isinstance(corner, (str, bytes)) or not isinstance(corner, Sequence) or len(corner) != 2:
            raise LabelValueError(f"A point of a polygon is (x, y), got {corner!r:.60}.")
        corners.append([fraction(corner[0], "x"), fraction(corner[1], "y")])
    return corners


def _overlap(a: Mapping[str, Any], b: Mapping[str, Any]) -> float:
    if a["label"] != b["label"] or (a["shape"] == "point") != (b["shape"] == "point"):
        return 0.0
    if a == b:
        return 1.0
    if a["shape"] == "point":
        distance = float(np.hypot(a["x"] - b["x"], a["y"] - b["y"]))
        return max(0.0, 1.0 - distance / NEAR)
    if a["shape"] == b["shape"] == "box":
        width = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
        height = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
        both = max(0.0, width) * max(0.0, height)
        either = (a["width"] * a["height"] + b["width"] * b["height"]) - both
        return float(min(1.0, both / either))
    first, second = _filled(a), _filled(b)
    either = int((first | second).sum())
    return float((first & second).sum() / either) if either else 0.0


def _filled(shape: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Return the cells whose middle lies in a shape, by the even-odd rule."""
    if shape["shape"] == "box":
        x, y, w, h = shape["x"], shape["y"], shape["width"], shape["height"]
        corners = [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]
    else:
        corners = shape["points"]
    middle = (np.arange(GRID) + 0.5) / GRID
    xs, ys = np.meshgrid(middle, middle)
    inside = np.zeros((GRID, GRID), dtype=bool)
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        crosses = (y1 > ys) != (y2 > ys)
        at = x1 + (ys - y1) * (x2 - x1) / (y2 - y1 if y1 != y2 else 1.0)
        inside ^= crosses & (xs < at)
    return inside
