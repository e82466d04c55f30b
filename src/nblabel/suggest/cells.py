"""What stands in the cells of a table: numbers, times, categories; each as what is learned from."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from ..errors import brief

Kind = Literal["number", "time", "category"]
#: Values that say what a column holds, where its type does not.
_TRIED = 10_000
#: More different values than this are no categories if nearly all of them are numbers or times.
_MANY = 50
_NEARLY_ALL = 0.9
#: Beyond it squares overflow.
_LARGEST = 1e30
_NUMBERS = {"integer", "floating", "mixed-integer-float", "decimal"}
_TIMES = {"datetime", "datetime64", "date", "timedelta", "timedelta64", "period"}
_SAME = {"True": "1", "False": "0"}


def kind_of(column: pd.Series) -> Kind:
    """Return what a column of a table holds: by its type, else by what its values are."""
    dtype = column.dtype
    if types.is_bool_dtype(dtype) or isinstance(dtype, (pd.CategoricalDtype, pd.IntervalDtype)):
        return "category"
    if types.is_numeric_dtype(dtype):
        return "number"
    if (
        types.is_datetime64_any_dtype(dtype)
        or types.is_timedelta64_dtype(dtype)
        or isinstance(dtype, pd.PeriodDtype)
    ):
        return "time"
    known = column.dropna()
    some = known.iloc[:: max(1, len(known) // _TRIED)]
    inferred = types.infer_dtype(some, skipna=True)
    if inferred in _NUMBERS:
        return "number"
    if inferred in _TIMES:
        return "time"
    texts = some.astype(str)
    if texts.nunique() > _MANY:
        least = _NEARLY_ALL * len(texts)
        if pd.to_numeric(texts, errors="coerce").notna().sum() >= least:
            return "number"
        if _parsed(texts).notna().sum() >= least:
            return "time"
    return "category"


def as_numbers(columns: pd.DataFrame) -> NDArray[np.float64]:
    """Return columns of numbers as an array, NaN where there is none.

    Warns if a column has none at all: then it is not what the model learned from.
    """
    return _table(columns, _numbers, "numbers")


def as_days(columns: pd.DataFrame) -> NDArray[np.float64]:
    """Return columns of times as days: since 2000, in UTC; of spans of time their length.

    Warns as `as_numbers` does.
    """
    return _table(columns, _days, "times")


#: How a kind of column becomes numbers.
IN_NUMBERS = {"number": as_numbers, "time": as_days}


def as_categories(columns: pd.DataFrame) -> NDArray[Any]:
    """Return columns as texts: what is equal is the same text, such as 1, 1.0 and True."""
    return np.column_stack([_categories(columns.iloc[:, k]) for k in range(columns.shape[1])])


def _table(columns: pd.DataFrame, read: Any, what: str) -> NDArray[np.float64]:
    made = []
    for name, column in columns.items():
        cells = np.asarray(read(column).to_numpy(dtype="float64", na_value=np.nan))
        known = column.dropna()
        if len(known) and np.isnan(cells).all():
            warnings.warn(
                f"Column {name!r} holds no {what} as the model learned them, such as "
                f"{brief(known.iloc[0])}: it counts as missing.",
                stacklevel=2,
            )
        made.append(np.where(np.isfinite(cells), np.clip(cells, -_LARGEST, _LARGEST), np.nan))
    return np.column_stack(made)


def _numbers(column: pd.Series) -> pd.Series:
    if types.is_bool_dtype(column.dtype):
        return column.astype("Float64")
    if not types.is_numeric_dtype(column.dtype):
        column = column.astype(object)
    return pd.to_numeric(column, errors="coerce")


def _days(column: pd.Series) -> pd.Series:
    known = types.infer_dtype(column, skipna=True)
    if known in ("timedelta", "timedelta64"):
        return pd.to_timedelta(column).dt.total_seconds() / 86400
    if isinstance(column.dtype, pd.PeriodDtype):
        column = column.dt.start_time
    elif known == "period":
        column = column.map(lambda period: period.start_time, na_action="ignore")
    since = _parsed(column) - pd.Timestamp("2000-01-01", tz="UTC")
    return since.dt.total_seconds() / 86400


def _parsed(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.ArrowDtype):
        column = column.astype(object)
    text = types.infer_dtype(column, skipna=True) == "string"
    how = {"format": "ISO8601"} if text else {}
    return pd.to_datetime(column, errors="coerce", utc=True, **how)


def _categories(column: pd.Series) -> NDArray[Any]:
    try:
        codes, values = pd.factorize(column)
    except TypeError:  # lists and the like
        codes, values = pd.factorize(column.astype(str).where(column.notna()))
    names = np.array([*map(_name, values), "(missing)"], dtype=object)
    return names[codes]  # what is missing has the code -1


def _name(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    text = str(value)
    return _SAME.get(text, text)
