"""What is learned from series: small patterns, and the course."""

from __future__ import annotations

import numpy as np
import pytest

from nblabel.suggest import MultiViewSuggester, Snapshot
from nblabel.suggest.series import (
    LINES_A_PATTERN,
    POINTS,
    THRESHOLDS,
    SeriesFeatures,
    SeriesPatterns,
    _patterns,
    _points,
)
from nblabel.suggest.views import OF_SERIES, PartedViews

ODD = [[1, 2, 3], None, "?", {"a": [1.0], "b": [np.nan]}, np.zeros((40, 2)), [np.nan]]


def test_patterns_are_those_of_a_convolution():
    points = np.random.default_rng(0).normal(size=(2, 3, POINTS)).astype(np.float32)
    made = list(_patterns(points))
    assert len(made) == 84 * 4
    weights = np.full(9, -1.0)
    weights[[0, 1, 3]] = 2  # the second of all ways to choose three of nine
    for width, given in zip((1, 2, 4, 8), made[1::84], strict=True):
        apart = np.zeros(8 * width + 1)
        apart[::width] = weights
        expected = np.convolve(points[1, 2], apart[::-1], mode="same")
        assert given.shape == points.shape
        assert given[1, 2] == pytest.approx(expected, abs=1e-4)


def test_shares_are_those_above_the_thresholds():
    series = [np.random.default_rng(k).normal(size=200) for k in range(100)]
    made = SeriesPatterns().fit(series).transform(series)
    assert made.shape == (100, 84 * 4 * THRESHOLDS) and made.dtype == np.float32
    # At quantiles: three quarters, a half, a quarter of all points.
    assert made.mean(axis=0).reshape(-1, THRESHOLDS).mean(axis=0) == pytest.approx(
        [0.75, 0.5, 0.25], abs=0.01
    )
    patterns = SeriesPatterns().fit(series)
    longer = [np.repeat(line, 3) for line in series]  # the rate hardly counts
    assert np.corrcoef(made.ravel(), patterns.transform(longer).ravel())[0, 1] > 0.8
    for unit, level in ((1e-12, 0.0), (1e9, 0.0), (1.0, 1.7e9)):
        moved = patterns.transform([line * unit + level for line in series])
        assert moved == pytest.approx(made, abs=0.02), "neither the unit counts nor the level"
    assert np.ptp(patterns.transform([np.full(50, 0.1), np.zeros(9)]), axis=0).max() == 0


def test_of_a_long_series_no_point_is_passed_over():
    """Noise between the points that patterns are looked for in averages out."""
    rng = np.random.default_rng(0)
    course = np.sin(np.linspace(0, 9, 12_800))
    clear = _points([course], 1)[0, 0]
    noisy = _points([course + rng.normal(size=12_800)], 1)[0, 0]
    assert np.corrcoef(clear, noisy)[0, 1] > 0.97


def test_odd_series_have_rows_too():
    features = SeriesFeatures()
    rows = features.fit_transform(ODD)
    assert len(rows) == len(ODD) and rows.dtype == np.float32 and np.isfinite(rows).all()
    assert features.transform(ODD) == pytest.approx(rows, abs=1e-4)
    assert np.isfinite(SeriesFeatures().fit_transform([None, None])).all()


def test_both_parts_weigh_the_same():
    series = [np.random.default_rng(k).normal(size=90).cumsum() for k in range(150)]
    features = SeriesFeatures()
    first, second = np.split(features.fit_transform(series), [features.n_first_], axis=1)
    for part in (first, second):
        assert np.square(part).sum(axis=1).mean() == pytest.approx(1, rel=0.02)


def test_a_pattern_is_found_wherever_it_is():
    """Two bumps of one size, one rises fast and the other falls fast, anywhere on a noisy line."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(2, size=200)
    series = rng.normal(scale=0.1, size=(200, 150))
    bump = np.concatenate([np.linspace(0, 1, 4), np.linspace(1, 0, 20)])
    for line, kind in zip(series, kinds, strict=True):
        at = rng.integers(0, 150 - len(bump))
        line[at : at + len(bump)] += bump if kind else bump[::-1]
    names = np.array(["falls fast", "rises fast"])[kinds]
    places = np.arange(40)
    suggester = MultiViewSuggester(list(series), PartedViews(SeriesFeatures(), OF_SERIES))
    said = suggester.fit(Snapshot(places, names[places], 1)).model.predict(list(series[40:]))
    assert np.mean(said == names[40:]) > 0.9


def test_of_many_lines_each_pattern_is_looked_for_in_some():
    """Of twenty lines of noise one has bumps, which rise fast or fall fast."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(2, size=160)
    series = rng.normal(scale=0.1, size=(160, 100, 20))
    bump = np.concatenate([np.linspace(0, 1, 4), np.linspace(1, 0, 20)])
    for lines, kind in zip(series, kinds, strict=True):
        for _ in range(3):
            at = rng.integers(0, 100 - len(bump))
            lines[at : at + len(bump), 7] += bump if kind else bump[::-1]
    patterns = SeriesPatterns().fit(list(series))
    made = patterns.transform(list(series))
    assert made.shape == (160, 84 * 4 * THRESHOLDS * LINES_A_PATTERN)
    assert set(np.concatenate(patterns.drawn_)) == set(range(20)), "no line is left out"
    # What is looked for in the other lines says nothing.
    apart = np.abs(made[kinds == 0].mean(axis=0) - made[kinds == 1].mean(axis=0))
    tells = apart.reshape(-1, THRESHOLDS, LINES_A_PATTERN).max(axis=1)
    in_the_line = np.array(patterns.drawn_) == 7
    assert tells[in_the_line].max() > 3 * tells[~in_the_line].max()
    names = np.array(["falls fast", "rises fast"])[kinds]
    suggester = MultiViewSuggester(list(series), PartedViews(SeriesFeatures(), OF_SERIES))
    said = suggester.fit(Snapshot(np.arange(80), names[:80], 1)).model.predict(list(series[80:]))
    assert np.mean(said == names[80:]) > 0.8
