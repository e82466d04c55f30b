"""Small tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .base import View, clean
from .row import field_of

MOST_ROWS, MOST_COLUMNS = 500, 50


class TableRenderer:
    """Shows an item as a table.

    An item is a DataFrame, a list of records, a mapping of columns, or an array of two dimensions.

    Parameters
    ----------
    most_rows : int
        Of a longer table the first rows are shown, and how many there are.
    """

    kind = "table"
    modality: str | None = "text"

    def __init__(self, most_rows: int = 100) -> None:
        self.most_rows = min(int(most_rows), MOST_ROWS)

    def accepts(self, item: Any) -> bool:
        """Whether the item is a table."""
        try:
            return table_of(item).shape[1] > 0
        except (TypeError, ValueError):
            return False

    def view(self, item: Any) -> View:
        """Return names of columns, their kind, and the texts of all cells shown."""
        table = table_of(item)
        shown = table.iloc[: self.most_rows, :MOST_COLUMNS]
        cells = [
            [field_of("", shown.iat[row, k]) for k in range(shown.shape[1])]
            for row in range(len(shown))
        ]
        data = {
            "columns": [clean(str(name)) for name in shown.columns],
            "cells": [[[cell["text"], cell["type"]] for cell in row] for row in cells],
            "rows": len(table),
            "width": table.shape[1],
        }
        return View("table", data)

    def text(self, item: Any) -> str:
        """Return names and values, for the model to learn from."""
        try:
            return table_of(item).iloc[:MOST_ROWS].to_csv(index=False)
        except (TypeError, ValueError):
            return ""


def table_of(item: Any) -> pd.DataFrame:
    """Return an item as a DataFrame.

    Raises
    ------
    TypeError, ValueError
        If it is no table.
    """
    if isinstance(item, pd.DataFrame):
        return item
    if isinstance(item, np.ndarray) and item.ndim == 2:
        return pd.DataFrame(item, columns=[f"x{k}" for k in range(item.shape[1])])
    records = (
        isinstance(item, (list, tuple)) and len(item) and not isinstance(item[0], (str, bytes))
    )
    if records or (isinstance(item, Mapping) and item):
        return pd.DataFrame(item)
    raise TypeError(
        "a table is a DataFrame, a list of records, a mapping of columns or an array of two "
        f"dimensions, got {type(item).__name__}"
    )
