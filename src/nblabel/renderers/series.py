"""Time series: one line or several over a common axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .base import View, clean

MOST_LINES = 64
#: More lines than these are drawn below each other.
MOST_TOGETHER = 8
#: Points that are sent, over all lines, but of each at least so many; beyond it the extremes of
#: equal parts.
MOST_POINTS, LEAST_POINTS = 100_000, 4000


class SeriesRenderer:
    """Shows an item as one line or several that can be zoomed.

    An item is an array or a list of numbers, an array of shape (n_points, n_lines), or a mapping of
    names to lines of one length. What is not finite is a gap.

    Parameters
    ----------
    rate : float, optional
        Points a second: the axis then shows seconds, else the number of the point from 0.
    subplots : bool, optional
        Whether lines are drawn below each other; by default if there are more than eight.
    same_scale : bool
        Whether lines below each other are drawn to one scale, each about its own middle, and not
        each as large as there is room for.
    """

    kind = "series"
    modality: str | None = "series"

    def __init__(
        self,
        rate: float | None = None,
        subplots: bool | None = None,
        same_scale: bool = False,
    ) -> None:
        if rate is not None and not 0 < float(rate) < np.inf:
            raise ValueError(f"rate= is a number of points a second, got {rate!r}")
        self.rate = rate
        self.subplots = subplots
        self.same_scale = same_scale

    def accepts(self, item: Any) -> bool:
        """Whether the item is numbers in a row, or several such rows."""
        try:
            return bool(lines_of(item))
        except (TypeError, ValueError):
            return False

    def view(self, item: Any) -> View:
        """Return one buffer a line, float64; `step` is the distance of its points on the axis."""
        lines = lines_of(item)
        points = len(next(iter(lines.values())))
        most = max(MOST_POINTS // len(lines), LEAST_POINTS)
        sent = {name: thinned(line, most) for name, line in lines.items()}
        kept = len(next(iter(sent.values())))
        step = points / kept / (self.rate or 1)
        subplots = len(lines) > MOST_TOGETHER if self.subplots is None else bool(self.subplots)
        data = {
            "names": [clean(name) for name in sent],
            "step": step,
            "unit": "s" if self.rate else "",
            "points": points,
            "thinned": kept < points,
            "subplots": subplots and len(lines) > 1,
            "same_scale": bool(self.same_scale),
        }
        return View("series", data, tuple(line.tobytes() for line in sent.values()))


def lines_of(item: Any) -> dict[str, NDArray[np.float64]]:
    """Return the lines of an item by name, float64 of shape (n_points,); NaN is a gap.

    Raises
    ------
    ValueError, TypeError
        If it holds no numbers, none at all, or too many lines.
    """
    if isinstance(item, (Mapping, pd.DataFrame)):
        named = {str(name): np.asarray(item[name]) for name in item}
        if len({line.shape for line in named.values()}) > 1:
            raise ValueError(
                "the lines of a series have one length, got "
                + ", ".join(f"{len(line):,}" for line in named.values())
            )
    elif isinstance(item, (np.ndarray, list, tuple, pd.Series)):
        table = np.asarray(item)
        if table.dtype == object and len(table) and np.ndim(table[0]):
            table = np.stack([np.asarray(row) for row in table])  # as parquet reads it
        if table.ndim == 2:
            named = {str(k + 1): table[:, k] for k in range(table.shape[1])}
        else:
            named = {"": table}
    else:
        raise TypeError(f"a series is an array of numbers, got {type(item).__name__}")
    n_points = np.size(next(iter(named.values()), ()))
    # With more lines than points the other axis was meant.
    turned = not isinstance(item, Mapping) and n_points < len(named) > MOST_TOGETHER
    if not 1 <= len(named) <= MOST_LINES or turned:
        raise ValueError(
            f"a series has one to {MOST_LINES} lines, got {len(named)} of {n_points} points; an "
            "array has one column a line: else give its transpose, .T"
        )
    made = {}
    for name, line in named.items():
        if line.ndim != 1 or not line.size or line.dtype.kind not in "biufO":
            raise ValueError(f"a line is a row of numbers, got {line.dtype} of shape {line.shape}")
        numbers = np.array(line, dtype=np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        made[name] = numbers
    return made


def thinned(line: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Return at most `most` points of a line: lowest and highest of equal parts, to keep peaks."""
    if len(line) <= most:
        return line
    starts = np.linspace(0, len(line), most // 2, endpoint=False).astype(int)
    low, high = np.fmin.reduceat(line, starts), np.fmax.reduceat(line, starts)
    return np.column_stack([low, high]).ravel()
