"""What a light model learns from series: the small patterns they are made of, and their course."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from .._progress import report, within
from ..renderers.series import lines_of
from .arrays import as_arrays
from .bulk import by_chunks, sample, take
from .scaling import BoundedScaler

#: Principal components of the patterns.
COMPONENTS = 64
#: Points that patterns are looked for in.
POINTS = 128
#: Thresholds of each pattern.
THRESHOLDS = 3
#: Series that components are found from, and thresholds.
MOST_DECOMPOSED, MOST_RANKED = 2000, 200
#: Lines that each pattern is looked for in.
LINES_A_PATTERN = 8
#: Points between two of a pattern's nine weights.
_STEPS = (1, 2, 4, 8)
#: Ways to choose the three weights of nine that are 2.
_WAYS = comb(9, 3)
#: Series that are looked at together.
_CHUNK = 256


class SeriesFeatures(TransformerMixin, BaseEstimator):
    """Series as principal components of their `SeriesPatterns`, and as their `SeriesShape`.

    Both parts have rows of a mean length of 1.

    Attributes
    ----------
    n_first_ : int
        Columns of the first part.
    """

    @as_arrays
    def fit(self, series: Any, y: Any = None) -> SeriesFeatures:
        """Learn patterns, components and scales, from at most `MOST_DECOMPOSED` series."""
        some = take(series, sample(len(series), 0, MOST_DECOMPOSED))
        self.parts_ = (
            make_pipeline(
                SeriesPatterns(),
                BoundedScaler(),
                PCA(min(COMPONENTS, len(some)), random_state=0),
            ),
            make_pipeline(
                SeriesShape(),
                SimpleImputer(strategy="median", keep_empty_features=True),
                BoundedScaler(),
            ),
        )
        with np.errstate(invalid="ignore"):  # the variance of series that are all alike
            parts = [part.fit_transform(some) for part in self.parts_]
        self.n_first_ = parts[0].shape[1]
        self.scales_ = [
            1 / max(float(np.sqrt(np.square(part).sum(axis=1).mean())), 1e-12) for part in parts
        ]
        return self

    def fit_transform(self, series: Any, y: Any = None, **params: Any) -> NDArray[np.float32]:
        """Learn, and return the rows of the same series."""
        with within(0.0, 0.3):
            self.fit(series)
        with within(0.3, 1.0):
            return self.transform(series)

    @as_arrays
    def transform(self, series: Any) -> NDArray[np.float32]:
        """Return float32 of shape (n_series, n_columns), the patterns first."""
        return np.concatenate(by_chunks(self._rows, series, _CHUNK)).astype(np.float32)

    def _rows(self, series: Any) -> NDArray[np.float64]:
        parts = zip(self.parts_, self.scales_, strict=True)
        return np.hstack([part.transform(series) * scale for part, scale in parts])


class SeriesPatterns(TransformerMixin, BaseEstimator):
    """How much of a series is like each of 84 small patterns, at four widths.

    MiniRocket (Dempster, Schmidt, Webb, KDD 2021): of nine weights three are 2, the others -1, in
    all ways; the share of the points at which what a pattern gives is above a threshold, thresholds
    at quantiles of some series. Each line is brought to `POINTS` points, mean 0 and deviation 1.
    Of more than `LINES_A_PATTERN` lines each pattern is looked for in so many, drawn at random.
    """

    def fit(self, series: Any, y: Any = None) -> SeriesPatterns:
        """Learn the thresholds, and of how many lines."""
        # A few series of many lines must not have the lines of all others looked at less.
        counts = [len(_lines(item)) for item in series]
        usual = max(LINES_A_PATTERN, int(np.quantile(counts, 0.9)))
        self.n_lines_ = max(1, min(max(counts), usual))
        self.drawn_ = _drawn(self.n_lines_)
        some = _points(take(series, sample(len(series), 0, MOST_RANKED)), self.n_lines_)
        shares = (np.arange(THRESHOLDS) + 1) / (THRESHOLDS + 1)
        self.thresholds_ = [
            np.quantile(made, shares, axis=(0, 2)).astype(np.float32)
            for made in _patterns(some, self.drawn_)
        ]
        return self

    def transform(self, series: Any) -> NDArray[np.float32]:
        """Return float32 of shape (n_series, n_patterns * n_drawn), shares from 0 to 1."""
        made = [
            (given > threshold[:, None]).mean(axis=2, dtype=np.float32)
            for given, thresholds in zip(
                _patterns(_points(series, self.n_lines_), self.drawn_),
                self.thresholds_,
                strict=True,
            )
            for threshold in thresholds
        ]
        return np.concatenate(made, axis=1)


def _points(series: Any, n_lines: int) -> NDArray[np.float32]:
    """Return (n_series, n_lines, n_points); zeros where there is no line, or it is level."""
    made = np.zeros((len(series), n_lines, POINTS))
    for place, item in enumerate(series):
        for k, line in enumerate(_lines(item)[:n_lines]):
            filled = _filled(line)
            if filled is None:
                continue
            if len(line) > 2 * POINTS:  # no point is passed over
                made[place, k] = _means(filled, POINTS)
            else:
                places = np.linspace(0, len(line) - 1, POINTS)
                made[place, k] = np.interp(places, np.arange(len(line)), filled)
    middle = made.mean(axis=2, keepdims=True)
    made -= middle
    spread = made.std(axis=2, keepdims=True)
    rounding = 1e-13 * np.abs(middle)  # whatever the unit
    made = np.divide(made, spread, out=np.zeros_like(made), where=spread > rounding)
    return made.astype(np.float32)


def _drawn(n_lines: int) -> list[NDArray[np.intp]] | None:
    """Return the lines that each pattern is looked for in; None if in all."""
    if n_lines <= LINES_A_PATTERN:
        return None
    rng = np.random.default_rng(0)
    return [rng.choice(n_lines, LINES_A_PATTERN, replace=False) for _ in range(len(_STEPS) * _WAYS)]


def _patterns(
    points: NDArray[np.float32], drawn: Sequence[NDArray[np.intp]] | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield what each pattern gives at each point, one after the other: all are too many.

    `drawn` says of which lines each; all of all if it is None.
    """
    of = iter(drawn or ())
    for step in _STEPS:
        padded = np.pad(points, ((0, 0), (0, 0), (4 * step, 4 * step)))
        moved = [padded[..., k * step : k * step + POINTS] for k in range(9)]
        less = -sum(moved[1:], start=moved[0])
        for three in combinations(moved, 3):
            lines = next(of, slice(None))
            a, b, c = (given[:, lines] for given in three)
            yield less[:, lines] + 3 * (a + b + c)


class SeriesShape(TransformerMixin, BaseEstimator):
    """Time series of any length to numbers of the same meaning.

    For each line: mean, standard deviation, least, largest, first and last value, and mean absolute
    step; its mean over `parts` equal parts; the share of its power, on a log scale, in `bands` of
    the spectrum, each twice as wide as the one before. A series that cannot be read is all NaN.

    Parameters
    ----------
    parts, bands : int
    """

    def __init__(self, parts: int = 16, bands: int = 8) -> None:
        self.parts = parts
        self.bands = bands

    def fit(self, series: Any, y: Any = None) -> SeriesShape:
        """Learn how many lines there are at most."""
        self.n_lines_ = _most_lines(series)
        return self

    def transform(self, series: Any) -> NDArray[np.float64]:
        """Return float64 of shape (n_series, n_lines * (7 + parts + bands))."""
        width = 7 + self.parts + self.bands
        rows = np.full((len(series), self.n_lines_, width), np.nan)
        for place, item in enumerate(series):
            if place % 64 == 0:
                report(place / len(series))
            for k, line in enumerate(_lines(item)[: self.n_lines_]):
                filled = _filled(line)
                if filled is not None:
                    rows[place, k] = self._shape(filled)
        return rows.reshape(len(series), -1)

    def _shape(self, line: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = np.abs(np.diff(line)).mean() if len(line) > 1 else 0.0
        ends = [line.mean(), line.std(), line.min(), line.max(), line[0], line[-1], steps]
        power = np.abs(np.fft.rfft(line - line.mean()))[1:] ** 2
        edges = len(power) * 0.5 ** np.arange(self.bands, -1, -1)
        edges[0] = 0
        band = np.searchsorted(edges, np.arange(len(power)) + 0.5, side="right") - 1
        shares = np.bincount(band, power, minlength=self.bands) / max(power.sum(), 1e-300)
        return np.concatenate([ends, _means(line, self.parts), np.log(shares + 1e-6)])


def _lines(item: Any) -> list[NDArray[np.float64]]:
    try:
        return list(lines_of(item).values())
    except (TypeError, ValueError):
        return []


def _most_lines(series: Any) -> int:
    return max((len(_lines(item)) for item in series), default=1) or 1


def _filled(line: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return a line with its gaps filled in between; None if nothing of it is known."""
    known = np.flatnonzero(~np.isnan(line))
    return np.interp(np.arange(len(line)), known, line[known]) if len(known) else None


def _means(line: NDArray[np.float64], n_parts: int) -> NDArray[np.float64]:
    """Return the mean of each of so many equal parts; of a short line the nearest points."""
    starts = np.linspace(0, len(line), n_parts, endpoint=False).astype(int)
    lengths = np.maximum(np.diff([*starts, len(line)]), 1)
    return np.asarray(np.add.reduceat(line, starts) / lengths)
