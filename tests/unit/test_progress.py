"""How far a job is: parts of parts, and readers that do not know of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

from nblabel._progress import Cancelled, Reading, listening, report, until, within
from nblabel.suggest import ModelSuggester, bulk, model


def test_parts_of_parts() -> None:
    seen: list[float] = []
    with listening(seen.append):
        report(0.1)
        with within(0.2, 0.6):
            report(0.5)
            with within(0.5, 1.0):
                report(0.5)
        report(1.0)
    assert seen == pytest.approx([0.1, 0.4, 0.5, 1.0])
    with within(0.2, 0.6):
        report(0.5)  # nobody listens


def test_what_is_part_of_something_ends_with_it() -> None:
    seen: list[float] = []
    with until(lambda: len(seen) == 2), listening(seen.append):
        report(0.1)
        with within(0.2, 0.6):
            report(0.5)
            with pytest.raises(Cancelled):
                report(1.0)
    assert seen == pytest.approx([0.1, 0.4])
    report(1.0)  # nothing ends any more


def test_a_list_says_how_far_it_was_read() -> None:
    items, seen = Reading([str(k) for k in range(10)], step=4), []
    with listening(seen.append):
        assert list(items) == [str(k) for k in range(10)]
    assert seen == [0, 0.4, 0.8]
    assert items == [str(k) for k in range(10)] and len(items) == 10 and items[2:4] == ["2", "3"]

    def stop(fraction: float) -> None:
        if fraction:
            raise Cancelled

    with listening(stop), pytest.raises(Cancelled):
        TfidfVectorizer().fit_transform(Reading(["a word"] * 1000))


class Squares(TransformerMixin, BaseEstimator):
    """Fits and transforms apart."""

    def fit(self, rows: Any, y: Any = None) -> Squares:
        self.n_ = len(rows)
        return self

    def transform(self, rows: Any) -> Any:
        return rows[["n"]].to_numpy() ** 2


class AtOnce(Squares):
    def fit_transform(self, rows: Any, y: Any = None) -> Any:
        return self.fit(rows).transform(rows) + 1


ROWS = pd.DataFrame({"n": np.arange(300.0), "kind": list("abc") * 100})
TEXTS = [f"word{k % 7} word{k % 11}" for k in range(3000)]


def told(suggester: ModelSuggester) -> tuple[Any, list[float]]:
    seen: list[float] = []
    with listening(seen.append):
        made = suggester.features()
    assert seen == sorted(seen)
    return made, seen


def test_a_transformer_of_the_users_is_followed_where_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 50)
    made, seen = told(ModelSuggester(ROWS, "row", features=Squares()))
    assert np.array_equal(made[:, 0], ROWS["n"] ** 2) and len(seen) == 6
    made, seen = told(ModelSuggester(ROWS, "row", features=AtOnce()))
    assert np.array_equal(made[:, 0], ROWS["n"] ** 2 + 1) and seen == []
    for features in (TfidfVectorizer(), make_pipeline(TfidfVectorizer())):
        made, seen = told(ModelSuggester(TEXTS, "text", features=features))
        assert abs(made - TfidfVectorizer().fit_transform(TEXTS)).max() == 0 and len(seen) == 12


def test_reading_images_is_followed() -> None:
    images = [np.full((9, 9), k, dtype=np.uint8) for k in range(200)]
    made, seen = told(ModelSuggester(images, "image"))
    assert len(made) == 200 and list(dict.fromkeys(seen)) == [0, 0.32, 0.64, 0.96]


def test_reading_series_is_followed() -> None:
    series = [np.random.default_rng(k).normal(size=50) for k in range(600)]
    made, seen = told(ModelSuggester(series, "series"))
    assert len(made) == 600 and len(set(seen)) > 9 and 0.9 < seen[-1] <= 1


def test_many_table_rows_are_featurized_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ModelSuggester(ROWS, "row").features()
    monkeypatch.setattr(bulk, "CHUNK", 50)
    monkeypatch.setattr(model, "SAMPLE", 200)
    monkeypatch.setattr(bulk.sample, "__defaults__", (200,))
    made, seen = told(ModelSuggester(ROWS, "row"))
    assert made.shape == plain.shape and len(seen) == 7
    assert np.corrcoef(made[:, 0], plain[:, 0])[0, 1] == pytest.approx(1)
    assert np.array_equal(made[:, 1:], plain[:, 1:])

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    suggester = ModelSuggester(ROWS, "row")
    with listening(stop), pytest.raises(Cancelled):
        suggester.features()
    assert suggester.features().shape == plain.shape  # and again from the start
    seen_by_few = ModelSuggester(ROWS, "row").glimpse()
    assert seen_by_few is not None and len(seen_by_few[0]) == len(seen_by_few[1])
