"""Features that the user has: matrices, tables and columns of vectors, held against the items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_numeric_dtype
from scipy import sparse

from ..errors import DataError, OptionError, UnknownColumnError, brief, near, shorten
from ..pool import pick_columns

#: Larger features are refused: their squares, summed, are more than a float32 holds.
LARGEST = 1e18


def as_rows(features: Any, index: pd.Index[Any] | None, like: Any = None) -> Any:
    """Return features with a row for each item as they are used: what is no matrix as it is.

    Parameters
    ----------
    features : object
        Of a DataFrame the rows are those of the items' labels, see `order_of`.
    index : Index or None
        Of the items; None if they have no labels of their own.
    like : object
        If it is a DataFrame, whose columns a DataFrame of features must have.

    Raises
    ------
    OptionError
        If the labels of rows or columns are not those that are expected.
    """
    if isinstance(features, (list, tuple)):
        return _as_array(features)
    if isinstance(features, np.ma.MaskedArray):
        if features.mask.any():
            raise OptionError("features= has masked values; fill them first.")
        return features.data
    if not isinstance(features, pd.DataFrame):
        is_table = hasattr(features, "columns") and hasattr(features, "to_numpy")
        return features.to_numpy() if is_table else features  # of polars
    order = order_of(features.index, index, "features=")
    features = features if order is None else features.iloc[order]
    if isinstance(like, pd.DataFrame) and not features.columns.equals(like.columns):
        wanted = like.columns
        if not (wanted.is_unique and set(wanted) == set(features.columns)):
            raise OptionError(
                f"features= has the columns {shorten(features.columns)}, expected those that the "
                f"session has: {shorten(wanted)}."
            )
        features = features[wanted]
    return features


def order_of(
    known: pd.Index[Any], index: pd.Index[Any] | None, what: str
) -> NDArray[np.intp] | None:
    """Return the places of the items' labels in an index, None if it is in the items' order.

    An index that only counts (0, 1, ...) is taken to be in the items' order, unless it could as
    well be meant by its labels.

    Parameters
    ----------
    known : Index
        Of what is given for the items.
    index : Index or None
        Of the items; None if they have no labels of their own.
    what : str
        The option that it was given as, for the message.

    Raises
    ------
    OptionError
        If it cannot be told which row belongs to which item.
    """
    if index is None or known.equals(index):
        return None
    counts = [one.equals(pd.RangeIndex(len(one))) for one in (known, index)]
    advice = (
        f"Give what stands in the order of the items without an index, as {what[:-1]}.to_numpy(), "
        f"or what has their labels as {what[:-1]}.loc[data.index]."
    )
    if all(counts):
        return None
    order = known.get_indexer(index) if known.is_unique and index.is_unique else np.array([-1])
    if (order >= 0).all():
        if any(counts) and len(known) == len(index):
            raise OptionError(
                f"{what} has the labels of the items in another order, and one of both only "
                f"counts (0, 1, ...): it could be meant by label or by place. {advice}"
            )
        return order
    if any(counts):
        return None
    missing = index[~index.isin(known)]
    which = (
        f"nothing for {len(missing)} item(s), the first being {brief(missing[0])}"
        if len(missing)
        else "labels that are there twice"
    )
    raise OptionError(f"{what} is held against the index of the data, and has {which}. {advice}")


def _as_array(features: Any) -> NDArray[Any]:
    try:
        if not isinstance(features, pd.DataFrame):
            return np.asarray(features)
    except ValueError as error:
        raise OptionError(f"features= must be a matrix ({error}).") from None
    words = [name for name, kind in features.dtypes.items() if not is_numeric_dtype(kind)]
    if words:
        raise OptionError(f"features= must hold numbers; these columns do not: {shorten(words)}.")
    made = features.to_numpy()
    return features.to_numpy(np.float64, na_value=np.nan) if made.dtype == object else made


def checked_matrix(features: Any, expected: int, sides: int = 1) -> Any:
    """Return a matrix of features in floating point, dense or CSR.

    Parameters
    ----------
    features : object
    expected : int
        Number of items.
    sides : int
        Rows that each item has.

    Raises
    ------
    OptionError
        If it is none, has not the expected number of rows, or numbers that cannot be learned from.
    """
    matrix = features.tocsr() if sparse.issparse(features) else _as_array(features)
    if matrix.ndim != 2 or matrix.shape[0] != sides * expected:
        said = f"the shape {matrix.shape}"
        if matrix.ndim != 2:
            said = f"{said} of {type(features).__name__}" if matrix.ndim else brief(features)
        if matrix.dtype.kind in "OU" and matrix.ndim == 1:
            said += "; columns of the data are given as data[['one', 'two']]"
        both = ", of pairs those of all first items above those of all second ones"
        raise OptionError(
            f"features= as a matrix needs one row per item{both if sides == 2 else ''}, "
            f"({sides * expected}, n_features), got {said}."
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
    if largest > LARGEST:
        raise OptionError(
            f"features= has numbers as large as {largest:.3g}, too large for single precision: "
            f"scale those beyond {LARGEST:.0e}."
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
    old = checked_matrix(before, before.shape[0])
    new = checked_matrix(more, n_new, sides)
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
    made = np.concatenate(blocks)
    return pd.DataFrame(made, columns=before.columns) if hasattr(before, "columns") else made


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
    rows = pick_columns(frame, name).tolist()
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
    made = np.array([np.ravel(row) for row in rows])
    if made.dtype.kind not in "biuf":
        raise DataError(
            f"Column {name!r} must hold one vector of numbers per item, got {brief(rows[0])}."
        )
    return made.astype(np.float32)
