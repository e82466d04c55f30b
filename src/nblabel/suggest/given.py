"""Features that the user has: matrices, tables and columns of vectors, held against the items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from ..errors import DataError, OptionError, UnknownColumnError, near, shorten

#: Larger features are refused: their squares, summed, are more than a float32 holds.
_LARGEST = 1e18


def as_rows(features: Any, index: pd.Index[Any]) -> Any:
    """Return features with a row for each item: lists as an array, a DataFrame in the items' order.

    Parameters
    ----------
    features : object
        What is no list and no DataFrame comes back as it is.
    index : Index
        Of the items. A DataFrame of other labels is taken to be in their order.
    """
    if isinstance(features, list):
        return _as_array(features)
    if not isinstance(features, pd.DataFrame) or len(features) != len(index):
        return features
    known = features.index
    if known.equals(index) or not (known.is_unique and index.is_unique):
        return features
    order = known.get_indexer(index)
    return features.iloc[order] if (order >= 0).all() else features


def _as_array(features: Any) -> NDArray[Any]:
    try:
        return np.asarray(features)
    except ValueError as error:
        raise OptionError(f"features= must be a matrix ({error}).") from None


def checked_matrix(features: Any, expected: int) -> Any:
    """Return a matrix of features in floating point, dense or CSR.

    Raises
    ------
    OptionError
        If it is none, has not the expected number of rows, or numbers that cannot be learned from.
    """
    matrix = features.tocsr() if sparse.issparse(features) else _as_array(features)
    if matrix.ndim != 2 or matrix.shape[0] != expected:
        raise OptionError(
            f"features= as a matrix needs one row per item, ({expected}, n_features), "
            f"got the shape {matrix.shape}."
        )
    if not matrix.shape[1]:
        raise OptionError(f"features= has no columns: the shape is {matrix.shape}.")
    if matrix.dtype.kind not in "biuf":
        raise OptionError(f"features= must hold numbers, got {matrix.dtype}.")
    # Squares and sums of small numbers would wrap or overflow.
    least = np.float64 if matrix.dtype.kind in "iu" and matrix.dtype.itemsize > 2 else np.float32
    matrix = matrix.astype(np.promote_types(matrix.dtype, least), copy=False)
    values: Any = matrix.data if sparse.issparse(matrix) else matrix
    largest = max(values.max(initial=0), -values.min(initial=0))  # without an array of booleans
    if not np.isfinite(largest):
        raise OptionError("features= has NaN or infinite values; fill them first.")
    if largest > _LARGEST:
        raise OptionError(
            f"features= has numbers as large as {largest:.3g}, too large for single precision: "
            f"scale those beyond {_LARGEST:.0e}."
        )
    return matrix


def stack_features(before: Any, more: Any, n_new: int, sides: int = 1) -> Any:
    """Return a matrix of features with the rows of new items below.

    Parameters
    ----------
    before, more : matrix
    n_new : int
        How many new items there are.
    sides : int
        How often each item has a row: all first sides stand above all second ones.

    Raises
    ------
    OptionError
        If the rows do not fit.
    """
    old, new = checked_matrix(before, before.shape[0]), checked_matrix(more, sides * n_new)
    if old.shape[1] != new.shape[1]:
        raise OptionError(
            f"features= of the new items has {new.shape[1]} columns, the session's has "
            f"{old.shape[1]}."
        )
    blocks = []
    for k in range(sides):
        for rows in (old, new):
            n_rows = rows.shape[0] // sides
            blocks.append(rows[k * n_rows : (k + 1) * n_rows])
    if sparse.issparse(old) or sparse.issparse(new):
        return sparse.vstack(blocks, format="csr")
    return np.concatenate(blocks)


def embedding_column(frame: pd.DataFrame | None, name: str) -> NDArray[np.float32]:
    """Return a column of vectors as a matrix of shape (n_items, n_dimensions).

    Raises
    ------
    OptionError, UnknownColumnError, DataError
        If there is no such column, or its vectors differ in length.
    """
    if frame is None:
        raise OptionError(f"features={name!r} names a column, but the data has no columns.")
    if name not in frame.columns:
        raise UnknownColumnError(
            f"There is no column {name!r} for features=. {near(name, frame.columns)}"
        )
    rows = frame[name].tolist()
    if any(isinstance(row, str) for row in rows):
        raise OptionError(
            f"features={name!r} names a column of text; it must hold one vector of numbers "
            "per item. The default features read text by themselves."
        )
    lengths = {np.size(row) if row is not None else 0 for row in rows}
    if len(lengths) != 1 or lengths == {0}:
        raise DataError(
            f"Column {name!r} must hold one vector of the same length per item, "
            f"got lengths {shorten(sorted(lengths))}."
        )
    return np.asarray([np.ravel(row) for row in rows], dtype=np.float32)
