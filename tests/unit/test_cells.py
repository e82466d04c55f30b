"""What stands in the cells of a table, and the same cells in other types."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import nblabel as nl
from nblabel.errors import DataError, OptionError
from nblabel.suggest.cells import as_categories, as_days, as_numbers, kind_of

RNG = np.random.default_rng(0)
NUMBERS = pd.Series(RNG.normal(size=300).round(3))
TIMES = pd.Series(pd.Timestamp("2021-03-04") + pd.to_timedelta(RNG.integers(0, 900, 300), "D"))
FLAGS = pd.Series(RNG.random(300) < 0.5)
FORMS: dict[str, dict[str, Callable[[pd.Series], Any]]] = {
    "number": {
        "as it is": lambda c: c,
        "single": lambda c: c.astype("float32"),
        "nullable": lambda c: c.astype("Float64"),
        "arrow": lambda c: c.astype("float64[pyarrow]"),
        "objects": lambda c: c.astype(object),
        "text": lambda c: c.astype(str),
        "decimal": lambda c: c.map(lambda value: Decimal(str(value))),
        "one odd": lambda c: pd.Series(["<0.5", *c[1:]], dtype=object),
    },
    "time": {
        "as it is": lambda c: c,
        "zone": lambda c: c.dt.tz_localize("UTC"),
        "arrow": lambda c: c.astype("timestamp[us][pyarrow]"),
        "arrow dates": lambda c: c.astype("date32[day][pyarrow]"),
        "objects": lambda c: c.astype(object),
        "dates": lambda c: c.dt.date,
        "text": lambda c: c.dt.strftime("%Y-%m-%d"),
        "text with times": lambda c: c.astype(str),
        "periods": lambda c: c.dt.to_period("D"),
        "mixed": lambda c: pd.Series(["2021-05-05", c.iloc[1].date(), *c[2:]], dtype=object),
    },
    "category": {
        "as it is": lambda c: c,
        "nullable": lambda c: c.astype("boolean"),
        "whole": lambda c: c.astype(int),
        "float": lambda c: c.astype(float),
        "text": lambda c: c.astype(str),
        "digits": lambda c: c.astype(int).astype(str),
        "objects": lambda c: c.astype(object),
        "categories": lambda c: c.astype(float).astype("category"),
    },
}
COLUMNS = {"number": NUMBERS, "time": TIMES, "category": FLAGS}
READ = {"number": as_numbers, "time": as_days, "category": as_categories}
CASES = [(kind, form) for kind, forms in FORMS.items() for form in forms]


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_the_same_cells_in_any_type_are_the_same(kind: str, form: str) -> None:
    column = COLUMNS[kind]
    other = pd.Series(FORMS[kind][form](column))
    if not (kind == "category" and form in ("whole", "float")):  # numbers, when they come first
        assert kind_of(other) == kind
    read = READ[kind]
    usual, found = read(column.to_frame("c")), read(other.to_frame("c"))
    odd = {"one odd": 1, "mixed": 2}.get(form, 0)
    if kind == "category":
        assert (found == usual).all()
    else:
        np.testing.assert_allclose(found[odd:], usual[odd:], rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize(("kind", "form"), CASES)
def test_a_model_predicts_for_them_as_it_learned(kind: str, form: str) -> None:
    column = COLUMNS[kind]
    truth = np.where(column if kind == "category" else column > column.median(), "a", "b")
    session = nl.Session(pd.DataFrame({"c": column}), ["a", "b"], row=True, store=None, inline=True)
    for k in range(60):
        session.record(k, truth[k])
    session.retrain(wait=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = session.predict(pd.DataFrame({"c": FORMS[kind][form](column)}))
    assert (found["label"].to_numpy() == truth).mean() > 0.9


def test_spans_of_time_are_times() -> None:
    spans = pd.Series(pd.to_timedelta([1.5, 36, None], "h"))
    for column in (spans, spans.astype(object)):
        assert kind_of(column) == "time"
        assert as_days(column.to_frame()).ravel() == pytest.approx(
            [0.0625, 1.5, np.nan], nan_ok=True
        )


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["a", "b", None] * 50),
        pd.Series([f"{k % 7}" for k in range(300)]),  # few codes are categories
        pd.Series([f"P{k}" for k in range(300)]),
        pd.cut(NUMBERS, 3),
        pd.Series([[1], [2, 3], None] * 50),
        pd.Series([None] * 20, dtype=object),
    ],
)
def test_what_is_neither_number_nor_time_is_a_category(column: pd.Series) -> None:
    assert kind_of(column) == "category"
    names = as_categories(column.to_frame())[:, 0]
    assert [name == "(missing)" for name in names] == column.isna().tolist()
    assert len(set(names)) == len(set(column.astype(str).where(column.notna(), "(missing)")))


@pytest.mark.parametrize(
    ("read", "column"),
    [(as_numbers, pd.Series(["1,5", "2,5"])), (as_days, pd.Series(["4th of May", None]))],
)
def test_a_column_that_cannot_be_read_is_named(read: Any, column: pd.Series) -> None:
    with pytest.warns(UserWarning, match=r"Column 'c' holds no (numbers|times) .*such as '"):
        assert np.isnan(read(column.to_frame("c"))).all()


def test_whole_numbers_may_be_missing_in_what_is_added() -> None:
    rows = pd.DataFrame({"n": [1, 2, 2**60 + 1] * 10, "flag": [True, False, True] * 10})
    session = nl.Session(rows, ["a", "b"], row=True, store=None, inline=True)
    before = session.pool.digests(range(30))
    session.add(pd.DataFrame({"n": [4.0, None], "flag": [True, False]}))
    assert session.pool.digests(range(30)) == before
    assert session.pool.item(2)["n"] == 2**60 + 1 and session.pool.item(31)["n"] is pd.NA
    with pytest.raises(DataError, match="'n' is Int64 so far"):
        session.add(pd.DataFrame({"n": [0.5], "flag": [True]}))


def test_labels_are_no_features() -> None:
    rows = pd.DataFrame({"n": [1, 2], "known": ["a", "b"]})
    with pytest.raises(OptionError, match="learn them from themselves"):
        nl.Session(rows, ["a", "b"], row=["n", "known"], seed="known", store=None, inline=True)


def test_names_of_columns_are_there_once_each() -> None:
    twice = pd.DataFrame([[1, "aa", 2]] * 3, columns=["a", "t", "a"])
    with pytest.raises(DataError, match="There are 2 columns named 'a'"):
        nl.Session(twice, ["a", "b"], store=None, inline=True)
    alike = pd.DataFrame({1: [10, 11], "1": [20, 21]})
    session = nl.Session(alike, ["a", "b"], row=True, store=None, inline=True)
    assert session.pool.item(1) == {"1": 11, "'1'": 21}


@pytest.mark.parametrize("k", [1.5, -1, "3", None, True])
def test_how_many_items_come_next_is_a_number(k: Any) -> None:
    session = nl.Session(["one", "two"], ["a", "b"], store=None, inline=True)
    with pytest.raises(OptionError, match="next takes how many items"):
        session.next(k)
    assert len(session.next(np.int64(2))) == 2 and session.next(0) == []


def test_a_lazy_table_is_to_be_collected() -> None:
    with pytest.raises(DataError, match=r"got LazyFrame: call its collect\(\) first"):
        nl.Session(pl.LazyFrame({"a": [1]}), ["a", "b"], store=None, inline=True)


def test_numbers_of_any_size_can_be_learned_from() -> None:
    rows = pd.DataFrame({"x": np.where(np.arange(200) % 2, 1.0, -1.0)})
    rows.loc[:10, "x"] = [1e200, -1.7e308, np.inf, -np.inf, np.nan, 1e30, 1e100, 0, 0, 0, 0]
    session = nl.Session(rows, ["a", "b"], row=True, store=None, inline=True)
    for k in range(11, 60):
        session.record(k, "ab"[k % 2])
    session.retrain(wait=True)
    assert session.last_error is None and len(session.predict(rows)) == 200


def test_dates_out_of_the_usual_range_are_missing_or_read() -> None:
    column = pd.Series([dt.date(2020, 1, 1), dt.date(9999, 12, 31), dt.date(1, 1, 1)] * 30)
    assert kind_of(column) == "time"
    assert as_days(column.to_frame("c"))[0, 0] == 7305.0
