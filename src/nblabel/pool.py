"""The pool: items with stable ids.

The log outlives the process and refers to items by id only, so an id must be the same tomorrow:
it is the text of the index when that is unique, else a digest of the content.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any
from uuid import UUID

import narwhals.stable.v1 as nw
import numpy as np
import pandas as pd
from pandas.api.types import is_float_dtype, is_integer_dtype

from .errors import DataError, UnknownColumnError, UnknownItemError, near, shorten

#: A larger file is not read for an item.
MOST_FILE_BYTES = 256_000_000
IMAGE_SUFFIXES = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".webp",
        ".bmp",
        ".tif",
        ".tiff",
        ".svg",
        ".avif",
        ".ico",
        ".ppm",
        ".pgm",
    ]
)


class Pool:
    """Items with stable ids, append only.

    Parameters
    ----------
    values : Series, DataFrame, ndarray or list
        The content of the items: a column, the columns of a table row, an array of images, or
        any objects.
    index : Index
        Index of the source, the index of every result; need not be unique.
    frame : DataFrame, optional
        The whole source, which results can be joined to.
    field : str, list of str or tuple of str, optional
        The column or columns of it that `values` are; a tuple where they were made of them.

    Attributes
    ----------
    ids : list of str
    """

    def __init__(
        self,
        values: Any,
        index: pd.Index[Any] | None = None,
        frame: pd.DataFrame | None = None,
        field: Any = None,
    ) -> None:
        self.values = values
        self.field = field
        #: The options that made the values, where they were made of columns.
        self.how: Mapping[str, Any] | None = None
        self.index = pd.RangeIndex(len(values)) if index is None else index
        self.frame = frame
        if len(self.index) != len(values):
            raise DataError(f"{len(values)} items have an index of {len(self.index)} entries.")
        if not len(values):
            raise DataError("There are no items to label: the data is empty.")
        ids = _index_ids(self.index)
        self._by_content = ids is None
        self.ids = _content_ids(self) if ids is None else ids
        self._positions: dict[str, int] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, item: object) -> bool:
        return item in self.places

    @property
    def places(self) -> Mapping[str, int]:
        """Position by item id."""
        if self._positions is None:
            self._positions = {item: position for position, item in enumerate(self.ids)}
        return self._positions

    def position(self, item: str) -> int:
        """Return the position of an item id.

        Raises
        ------
        UnknownItemError
            If the pool has no such item.
        """
        try:
            return self.places[item]
        except KeyError:
            raise UnknownItemError(
                f"The pool has no item {item!r}. {near(item, self.ids[:1000])}"
            ) from None

    def id_of(self, key: Hashable) -> str:
        """Return the id of an item named by its index label, or by its id itself."""
        if isinstance(key, str) and key in self.places:
            return key
        text = _id_text(key)
        if text in self.places:
            return text
        try:
            place = self.index.get_loc(key)
        except (KeyError, TypeError, pd.errors.InvalidIndexError):
            place = None
        if isinstance(place, (int, np.integer)):
            return self.ids[int(place)]
        if place is not None:
            raise UnknownItemError(
                f"{key!r} names several items of the index. Use an id from `pool.ids`."
            )
        raise UnknownItemError(f"The pool has no item {key!r}. {near(key, self.ids[:1000])}")

    def item(self, position: int) -> Any:
        """Return the content of one item; a table row comes as a dict."""
        if isinstance(self.values, pd.DataFrame):
            cells = (self.values.iat[position, k] for k in range(self.values.shape[1]))
            return dict(zip(_column_names(self.values.columns), cells, strict=True))
        if isinstance(self.values, pd.Series):
            return self.values.iat[position]
        return self.values[position]

    def find(self, item: str) -> int | None:
        """Return the position of an item id, None if there is none."""
        return self.places.get(item)

    @property
    def is_positional(self) -> bool:
        """Whether ids only count the items, so that they say nothing once rows have moved."""
        return _is_default(self.index)

    @property
    def own_index(self) -> pd.Index[Any] | None:
        """The index, None if the source has none: that of a list only counts the items."""
        has_none = self.frame is None and not isinstance(self.values, pd.Series)
        return None if has_none and self.is_positional else self.index

    def digest(self, position: int, *, plain: bool = False) -> str | None:
        """Digest of one item's content, None for an object that has no stable bytes."""
        return digest(self.item(position), plain=plain)

    def holds(self, position: int, content: str | None) -> bool:
        """Whether an item has the content with this digest, as far as that can be told."""
        return content is None or self.agrees(position, content, self.digest(position))

    def agrees(self, position: int, content: str | None, found: str | None) -> bool:
        """Whether an item whose digest is `found` has the content with the digest `content`."""
        if None in (content, found) or content == found:
            return True
        return content == self.digest(position, plain=True)

    def digests(self, places: Sequence[int]) -> list[str | None]:
        """Digests of the content of some items, of a table quicker than one by one."""
        values = self.values
        if isinstance(values, pd.Series) and (
            values.dtype == object or isinstance(values.dtype, pd.StringDtype)
        ):
            return [digest(content) for content in values.iloc[places].tolist()]
        if isinstance(values, pd.DataFrame):
            names = _column_names(values.columns)
            cells = [values.iloc[places, k].array for k in range(len(names))]
            rows = zip(*cells, strict=True) if cells else ([] for _ in places)
            return [digest(dict(zip(names, row, strict=True))) for row in rows]
        return [self.digest(place) for place in places]

    def joined(self, more: Pool) -> Pool:
        """Return a pool with further items behind those that are there.

        Ids, order and content of the items that are there stay as they are; all is as if the items
        had come at once. A default index (0, 1, ...) is counted on.

        Parameters
        ----------
        more : Pool
            Items of the same form.

        Raises
        ------
        DataError
            If an id is there already, or the items do not go together.
        """
        frame, values = self._joined_values(more)
        grown = copy.copy(self)
        grown.frame, grown.values, grown._positions = frame, values, None
        grown.index = _joined_index(self.index, more.index)
        if frame is not None:
            frame.index = grown.index
        if isinstance(values, (pd.Series, pd.DataFrame)):
            values.index = grown.index
        if self._by_content:
            grown.ids = [*self.ids, *_content_ids(grown, self.ids)]
            return grown
        fresh = _index_ids(grown.index[len(self) :])
        if fresh is None:
            raise DataError(
                "The items of this session are known by their index, so the new ones need an index "
                "without gaps and duplicates."
            )
        twice = [item for item in fresh if item in self]
        if twice:
            raise DataError(
                f"{len(twice)} of the {len(fresh)} new items have an id that is there already: "
                f"{shorten(twice)}. Add only items that are new, under labels of the index that "
                "are not taken."
            )
        grown.ids = [*self.ids, *fresh]
        return grown

    def _joined_values(self, more: Pool) -> tuple[pd.DataFrame | None, Any]:
        if self.frame is None and more.frame is not None:
            raise DataError(
                "The items of this session came without columns, the new data is a table: give one "
                f"column of it ({shorten(more.frame.columns)}), or a list."
            )
        if self.frame is not None and more.frame is None:
            raise DataError(
                "The items of this session came in a table, the new data has no columns: give a "
                f"DataFrame with {shorten(self.frame.columns)}."
            )
        if self.frame is not None and more.frame is not None:
            _check_columns(self.frame.columns, more.frame.columns)
            frame = pd.concat([self.frame, more.frame[self.frame.columns]])
            for name in frame.columns:
                parts = self.frame[name], more.frame[name]
                if is_integer_dtype(parts[0]) and is_float_dtype(frame[name]):
                    with contextlib.suppress(TypeError, ValueError):  # some are not whole
                        frame[name] = pd.concat([part.astype("Int64") for part in parts])
            names = list(frame.columns) if self.field is None else self.field
            for name in names if isinstance(names, (list, tuple)) else [names]:
                _check_unchanged(self.frame[name], frame[name], f"Column {name!r}")
            if isinstance(names, tuple):
                return frame, pd.concat([self.values, more.values])
            return frame, frame if self.field is None else pick_columns(frame, self.field)
        old, new = self.values, more.values
        if isinstance(old, np.ndarray):
            made = np.asarray(new)
            if made.shape[1:] != old.shape[1:] or made.dtype != old.dtype:
                raise DataError(
                    f"The new items are an array of shape {made.shape} and type {made.dtype}, "
                    f"expected (n, {', '.join(map(str, old.shape[1:]))}) of {old.dtype}."
                )
            return None, np.concatenate([old, made])
        if isinstance(old, pd.Series):
            column = pd.concat([old, new if isinstance(new, pd.Series) else pd.Series(list(new))])
            _check_unchanged(old, column, "The data")
            return None, column
        return None, [*old, *new]

    def fingerprint(self) -> str:
        """Digest of all ids, in order."""
        hashed = hashlib.blake2b(digest_size=16)
        for start in range(0, len(self.ids), 65536):
            hashed.update("\x1f".join(self.ids[start : start + 65536]).encode("utf-8", "replace"))
        return hashed.hexdigest()


# ---------------------------------------------------------------- sources


def read_source(data: Any) -> tuple[Any, pd.Index[Any] | None]:
    """Turn whatever a user has into a DataFrame, a Series, an array of images or a list.

    Returns
    -------
    values : DataFrame, Series, ndarray of shape (n, height, width[, channels]) or list
    index : Index or None

    Raises
    ------
    DataError
        If the data cannot be a pool.
    """
    if isinstance(data, (pd.DataFrame, pd.Series)):
        return data, data.index
    if isinstance(data, np.ndarray):
        return _read_array(data)
    if isinstance(data, (str, os.PathLike)):
        return _read_folder(data)
    if hasattr(data, "to_pandas") and hasattr(data, "column_names"):  # a Hugging Face dataset
        frame = data.to_pandas()
        return frame, frame.index
    try:
        native = nw.from_native(data, eager_only=True, allow_series=True)
    except TypeError:
        pass
    else:
        values = _from_narwhals(native)
        return values, values.index
    if isinstance(data, Mapping):
        try:
            frame = pd.DataFrame(data)
        except ValueError as error:
            raise DataError(
                f"A dict gives one list per column, all of the same length ({error}); "
                "a single record goes into a list."
            ) from None
        return frame, frame.index
    if isinstance(data, (bytes, bytearray)) or not isinstance(data, Iterable):
        raise DataError(
            f"Items must come as a DataFrame, Series, list, array of images or folder, "
            f"got {type(data).__name__}"
            f"{': call its collect() first' if hasattr(data, 'collect') else ''}."
        )
    values = list(data)
    if values and all(isinstance(value, Mapping) and "bytes" not in value for value in values):
        frame = pd.DataFrame(values)
        return frame, frame.index
    if values and all(isinstance(value, os.PathLike) for value in values):
        names = pd.Index([str(value) for value in values], name="path")
        return values, names if names.is_unique else None
    return values, None


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file that data names.

    Raises
    ------
    DataError
        If it is no plain file, as what a device or a pipe gives may never end, or is too large.
    OSError
        If it cannot be read.
    """
    return plain_file(path)[0].read_bytes()


def plain_file(path: str | os.PathLike[str]) -> tuple[Path, int]:
    """Return a file that data names and how many bytes it has; raises as `read_file` does."""
    file = Path(path).expanduser()
    about = file.stat()
    if not stat.S_ISREG(about.st_mode):
        raise DataError(f"{file} is no file that can be read as an item.")
    if about.st_size > MOST_FILE_BYTES:
        raise DataError(
            f"{file} has {about.st_size:,} bytes, an item may have {MOST_FILE_BYTES:,}."
        )
    return file, about.st_size


def read_part(file: Path, start: int, length: int) -> bytes:
    """Return at most `length` bytes of a file from `start` on."""
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(length)


def pick_columns(frame: pd.DataFrame, names: Any) -> Any:
    """Return one column as a Series or several as a DataFrame, by name.

    Raises
    ------
    UnknownColumnError
        If a column is not there; the message names the near ones.
    """
    many = isinstance(names, (list, tuple))
    for name in names if many else [names]:
        if name not in frame.columns:
            raise UnknownColumnError(f"There is no column {name!r}. {near(name, frame.columns)}")
        place = frame.columns.get_loc(name)
        if not isinstance(place, int):
            n_columns = len(frame.columns[place])
            raise DataError(f"There are {n_columns} columns named {name!r}; names must be unique.")
    return frame[list(names)] if many else frame[names]


def _from_narwhals(native: Any) -> Any:
    if isinstance(native, nw.Series):
        return pd.Series(_column(native), name=native.name)
    return pd.DataFrame({name: _column(native[name]) for name in native.columns})


def _column(series: Any) -> Any:
    # Not `to_pandas`: polars would need pyarrow for it.
    return series.to_numpy() if series.dtype.is_numeric() else series.to_list()


def _read_array(data: np.ndarray) -> tuple[Any, pd.Index[Any] | None]:
    if data.ndim == 1:
        return data.tolist(), None
    if data.ndim == 2:
        frame = pd.DataFrame(data, columns=[f"x{k}" for k in range(data.shape[1])])
        return frame, frame.index
    if data.ndim == 3 or (data.ndim == 4 and data.shape[3] in (1, 3, 4)):
        return data, None
    raise DataError(
        f"An array of images has the shape (n, height, width) or (n, height, width, channels) with "
        f"1, 3 or 4 channels, got {data.shape}."
    )


def _read_folder(data: Any) -> tuple[list[Path], pd.Index[Any]]:
    # os.path, unlike pathlib, says no to a name that is too long or names an unknown home.
    folder = Path(os.path.expanduser(data))
    if not os.path.isdir(folder):
        raise DataError(
            f"{str(data)[:120]!r} is not a folder. Items must come as a DataFrame, Series, list, "
            "array of images or folder; a single text goes into a list."
        )
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
    if not paths:
        raise DataError(f"There are no images ({', '.join(sorted(IMAGE_SUFFIXES))}) in {folder}.")
    return paths, pd.Index([p.relative_to(folder).as_posix() for p in paths], name="file")


# ---------------------------------------------------------------- ids and digests


def _column_names(columns: pd.Index[Any]) -> list[str]:
    """Return the names of columns as text, each once: 1 and '1' are two."""
    names = list(map(str, columns))
    return names if len(set(names)) == len(names) else list(map(repr, columns))


def _index_ids(index: pd.Index[Any]) -> list[str] | None:
    """Ids by the index, None if it does not tell all items apart."""
    if isinstance(index, pd.RangeIndex):
        return list(map(str, index))
    if index.is_unique:
        ids = [_id_text(key) for key in index]
        if all(ids) and len(set(ids)) == len(ids):
            return ids
    return None


def _content_ids(pool: Pool, before: Sequence[str] = ()) -> list[str]:
    """Ids by content, of the items behind those that have their ids already."""
    seen = Counter(item.partition(":")[0] for item in before)
    ids = []
    places = range(len(before), len(pool.values))
    for position, content in zip(places, pool.digests(places), strict=True):
        base = content or f"item-{position}"
        seen[base] += 1
        ids.append(base if seen[base] == 1 else f"{base}:{seen[base]}")
    return ids


def _joined_index(old: pd.Index[Any], new: pd.Index[Any]) -> pd.Index[Any]:
    if _is_default(old) and _is_default(new):
        return pd.RangeIndex(len(old) + len(new), name=old.name)
    joined = old.append(new)
    if joined.dtype != old.dtype and list(map(_id_text, joined[: len(old)])) != list(
        map(_id_text, old)
    ):
        raise DataError(
            f"The index of the new items is {new.dtype}, that of the session's is {old.dtype}: "
            "joined, the items that are there would get other ids. Give it the same type."
        )
    return joined


def _is_default(index: pd.Index[Any]) -> bool:
    return isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1


def _check_columns(known: pd.Index[Any], given: pd.Index[Any]) -> None:
    missing = [name for name in known if name not in given]
    other = [name for name in given if name not in known]
    if missing or other:
        parts = [f"it has no {shorten(missing)}"] * bool(missing)
        parts += [f"it has {shorten(other)}, which the session's has not"] * bool(other)
        raise DataError(f"The new data needs the same columns as before: {'; '.join(parts)}.")


def _check_unchanged(old: pd.Series, joined: pd.Series, what: str) -> None:
    # Whole numbers joined with others become 1.0 for 1: that is what is shown, and looks other.
    if joined.dtype != old.dtype and any(
        digest(one, plain=True) != digest(other, plain=True)
        for one, other in zip(old, joined.iloc[: len(old)], strict=True)
    ):
        raise DataError(
            f"{what} is {old.dtype} so far; joined with the new items it would be {joined.dtype}, "
            f"which changes the items that are there. Turn the new values into {old.dtype} first."
        )


def _id_text(key: Hashable) -> str:
    text = json.dumps([str(part) for part in key]) if isinstance(key, tuple) else str(key)
    # Neither a message nor the log can carry a lone surrogate.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def digest(value: Any, *, plain: bool = False) -> str | None:
    """Digest of one item's content as 16 hexadecimal digits.

    The same for what a table that was written and read again holds instead: a number is the same
    as an integer and as a float, an empty text as a missing value, and the order of columns does
    not count.

    Parameters
    ----------
    value : object
    plain : bool
        Without that, as the first logs have it.

    Returns
    -------
    str or None
        None for an object that has no stable bytes, such as a figure.
    """
    content = content_bytes(value, plain)
    return None if content is None else hashlib.blake2b(content, digest_size=8).hexdigest()


_MISSING = b"missing"
#: Values that are what their text says, as they stand in a file.
_SAID_BY_TEXT = (
    datetime.date, datetime.time, datetime.timedelta, pd.Period, pd.Interval, complex, Fraction,
    UUID, IPv4Address, IPv6Address,
)  # fmt: skip


def content_bytes(value: Any, plain: bool = False) -> bytes | None:
    """Return the bytes that a digest is made of, None if there are no stable ones."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass") if value or plain else _MISSING
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, os.PathLike):
        try:
            return read_file(value)
        except (OSError, DataError):
            return str(value).encode("utf-8", "surrogatepass")
    if isinstance(value, np.ndarray) and value.dtype != object:
        return repr((value.dtype.str, value.shape)).encode() + np.ascontiguousarray(value).tobytes()
    if isinstance(value, Mapping):
        parts = [(str(name), digest(part, plain=plain)) for name, part in value.items()]
        parts = parts if plain else sorted(parts, key=lambda part: part[0])
        # What has no stable bytes is left out: the rest tells an item from others all the same.
        known = [part for part in parts if part[1] is not None]
        return json.dumps(known).encode() if known or not parts else None
    if isinstance(value, Sequence):
        parts_of = [digest(part, plain=plain) for part in value]
        return None if None in parts_of else json.dumps(parts_of).encode()
    if (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or isinstance(value, (bool, int, float, Decimal, np.generic, pd.Timestamp))
    ):
        missing = value is None or bool(pd.isna(value))
        return _MISSING if missing else _number(value, plain).encode()
    if isinstance(value, _SAID_BY_TEXT):
        return str(value).encode("utf-8", "surrogatepass")
    if hasattr(value, "tobytes") and hasattr(value, "size") and hasattr(value, "mode"):  # PIL
        return repr((value.mode, value.size)).encode() + value.tobytes()
    return None


def _number(value: Any, plain: bool) -> str:
    text = str(value)
    if plain or not isinstance(value, (float, np.floating, Decimal)):
        return text
    # By its digits: those of a float32 are fewer, and a reader of CSV may miss the last one.
    number = float(text)
    if number.is_integer() and abs(number) < 2**53:
        return str(int(number))
    return format(number, ".15g")
