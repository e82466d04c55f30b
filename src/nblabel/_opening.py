"""Opening a session: where labels are kept, more data of its form, labels known already."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from contextlib import suppress
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .errors import DataError, LabelValueError, OptionError, StoreError, brief, plain, shorten
from .events import SEED, LabelEvent, Shown, now
from .pairing import PairPool
from .pool import Pool, digest, pick_columns, read_source
from .renderers import ONE_COLUMN, PairRenderer, Renderer, is_missing, open_pool
from .store import EventLog, SqliteLog
from .strategies import Find, QueryStrategy, as_strategy
from .tasks import Binary, Task
from .tasks.binary import ACCEPT

_WAYS = ("auto", "process", "thread", "inline")
#: Shown by their text.
_NUMBERS = (int, float, bool, np.generic)


def open_log(store: Any, name: str) -> tuple[EventLog, str]:
    """Open the log; where a folder cannot be written, in memory with a warning.

    Returns
    -------
    log : EventLog
    warning : str
        Empty, or what the person must see all the time.
    """
    if store is None:
        return SqliteLog(None), ""
    if not isinstance(store, (str, os.PathLike)):
        if not isinstance(store, EventLog):
            raise OptionError(
                "store= is a path, None, or has path, append, read and close, "
                f"got {type(store).__name__}."
            )
        return store, ""
    path = Path(os.fspath(store) or f"{_file_name(name)}.sqlite")
    try:
        return SqliteLog(path), ""
    except StoreError as error:
        if not error.read_only or path.expanduser().exists():
            raise  # labels that are there must not be lost sight of
        folder = path.expanduser().absolute().parent
        warning = f"Labels are NOT saved: {folder} cannot be written."
        warnings.warn(
            f"{warning} They are kept in memory only and end with the kernel. "
            "Choose a file elsewhere with store=.",
            stacklevel=4,
        )
        return SqliteLog(None), warning


def _file_name(name: str) -> str:
    if not isinstance(name, str) or not name.strip() or any(c in name for c in "/\\\0"):
        raise OptionError(f"name= names a file in this folder, such as 'labels', got {name!r}.")
    return name.strip()


def check_options(
    *,
    goal: Any,
    batch: Any,
    random_state: Any,
    explore: Any,
    blind: Any,
    repeat: Any,
    duplicates: Any,
    worker: Any,
    train_timeout: Any,
) -> None:
    """Refuse options of a session that make no sense.

    Raises
    ------
    OptionError
        Which says what was given and what is expected.
    """
    if not isinstance(goal, str) or goal not in ("learn", "find"):
        raise OptionError(f"goal= is 'learn' or 'find', got {brief(goal)}.")
    for option, number, least in (("batch", batch, 1), ("random_state", random_state, 0)):
        if not isinstance(number, Integral) or isinstance(number, bool) or number < least:
            raise OptionError(f"{option}= is a whole number from {least}, got {number!r}.")
    for option, share, most in (
        ("explore", 0 if explore is None else explore, 1),
        ("blind", blind, 1),
        ("repeat", repeat, 0.5),
    ):
        if not isinstance(share, Real) or isinstance(share, bool) or not 0 <= float(share) <= most:
            raise OptionError(f"{option}= is a share from 0 to {most}, got {share!r}.")
    if duplicates not in ("together", None) or isinstance(duplicates, bool):
        raise OptionError(f"duplicates= is 'together' or None, got {duplicates!r}.")
    if worker not in _WAYS:
        raise OptionError(f"worker= is one of {', '.join(map(repr, _WAYS))}, got {worker!r}.")
    if not (train_timeout in ("auto", None) or _is_positive(train_timeout)):
        raise OptionError(
            "train_timeout= is a number of seconds above 0, or None for no limit, "
            f"got {train_timeout!r}."
        )


def _is_positive(number: Any) -> bool:
    real = isinstance(number, Real) and not isinstance(number, bool)
    return real and 0 < float(number) < float("inf")


def strategy_of(task: Task, strategy: Any, goal: str, target: Any) -> QueryStrategy:
    """Return what chooses the items, for a goal.

    Raises
    ------
    OptionError, LabelValueError
        If there is no such strategy, the task has no classes, or the target is no label.
    """
    if goal == "learn":
        if target is not None:
            raise OptionError("target= is the label to find: it needs goal='find'.")
        made = as_strategy(strategy)
        if isinstance(made, Find):
            _check_finds(task, "strategy='find'")
            if made.target is not None:
                _sought(task, made.target)
        return made
    _check_finds(task, "goal='find'")
    if strategy != "auto":
        raise OptionError("goal='find' chooses the strategy itself: leave strategy= out.")
    name = None if target is None else _sought(task, target)
    if isinstance(task, Binary) and name in (None, ACCEPT):
        return Find(ACCEPT, str(task.label))
    return Find(name)


def _check_finds(task: Task, option: str) -> None:
    if task.target_type != "multiclass":
        raise OptionError(
            f"{option} looks for one label of a Choice or a Binary, got {type(task).__name__}: "
            "leave it out."
        )


def _sought(task: Task, target: Any) -> str:
    if not pd.api.types.is_scalar(target):
        raise OptionError(f"target= is one label to find, got {type(target).__name__}.")
    if isinstance(task, Binary) and plain(target) == plain(task.label):
        return ACCEPT
    try:
        return str(task.parse(target))
    except LabelValueError as error:
        raise LabelValueError(f"target= is the label to find. {error}") from None


def checked_details(pool: Pool, details: Any) -> tuple[Any, ...]:
    """Return the columns that are shown in a folded line.

    Raises
    ------
    OptionError, UnknownColumnError
        If they are no columns of the data.
    """
    names = (details,) if isinstance(details, str) else tuple(details or ())
    if names and pool.frame is None:
        raise OptionError(f"details={details!r} names columns, but the data has none.")
    for name in names:
        pick_columns(pool.frame, name)
    return names


def as_pairs(task: Task, pool: Pool, renderer: Renderer) -> tuple[Pool, Renderer]:
    """Return a pool of single items as one of pairs, where pairs are asked about."""
    if task.target_type != "pairwise" or isinstance(renderer, PairRenderer):
        return pool, renderer
    items = map(pool.item, range(len(pool)))
    if all(isinstance(item, (tuple, list)) and len(item) == 2 for item in items):
        return pool, renderer  # pairs that are shown in a way of the user's own
    return PairPool(pool), PairRenderer(renderer)


def engine_of(*parts: Any) -> str:
    """Return a digest of what makes predictions: suggester, model and features as they were given.

    The same in the next kernel; of a matrix and of a function only the kind counts.
    """
    said = []
    for part in parts:
        name = getattr(part, "__qualname__", type(part).__qualname__)
        if part is None or isinstance(part, (str, bool)):
            name = repr(part)
        elif isinstance(part, BaseEstimator):
            with suppress(Exception):  # of what it holds
                name = re.sub(r" at 0x[0-9a-f]+", "", repr(part))
        said.append(name)
    return str(digest(said))


def open_more(data: Any, pool: Pool, renderer: Renderer) -> Pool:
    """Read new data of the form that a pool was read from: of pairs of single items such items.

    Raises
    ------
    OptionError
        If it has another form.
    """
    if isinstance(pool, PairPool) and isinstance(renderer, PairRenderer):
        return open_more(data, pool.singles, renderer.inner)
    if isinstance(data, Iterator):
        data = list(data)
    images = pool.values
    if isinstance(images, np.ndarray) and np.shape(data) == images.shape[1:]:
        raise DataError(
            f"This is a single image of shape {images.shape[1:]}: give a batch of them, of shape "
            "(n, ...), such as image[None] for one."
        )
    frame = pool.frame
    if isinstance(data, pd.Series) and frame is not None and data.index.equals(frame.columns):
        raise DataError(
            "This is a single row of a table: give a DataFrame of rows, such as data.iloc[[0]] for "
            "the first one."
        )
    if renderer.kind == "series" and isinstance(data, np.ndarray) and data.ndim > 1:
        data = list(data)  # one row a series
    if pool.how is not None:
        return open_pool(data, **pool.how)[0]
    if renderer.kind not in ("row", *ONE_COLUMN):
        beside = pool.field if isinstance(pool.field, str) else None
        return open_pool(data, text=beside, show=renderer)[0]
    field: Any = True
    if isinstance(read_source(data)[0], pd.DataFrame):
        field = pool.field
        if field is None:
            raise OptionError(
                "The items of this session came without columns, so the column is not known: give "
                "a list or one column, such as data['text']."
            )
    how: dict[str, Any] = {renderer.kind: field}
    return open_pool(data, **how)[0]


def join_more(data: Any, pool: Pool, renderer: Renderer) -> Pool:
    """Return the pool with new data of its form behind it.

    Raises
    ------
    DataError, OptionError
        If the data has another form, or an id is there already.
    """
    more = open_more(data, pool, renderer)
    if isinstance(pool, PairPool) and isinstance(renderer, PairRenderer):
        renderer = renderer.inner
    items = map(more.item, range(len(more)))
    first = next((item for item in items if not is_missing(item)), None)
    plain = renderer.kind == "text" and isinstance(first, (str, *_NUMBERS))
    if first is not None and not plain and not renderer.accepts(first):
        raise DataError(
            f"The items of this session are shown as {renderer.kind}; the new data holds "
            f"{type(first).__name__}, which cannot be."
        )
    return pool.joined(more)


def seed_events(pool: Pool, task: Task, column: str) -> list[LabelEvent]:
    """Return the labels that a column of the source holds already, as events.

    Their ids come from their content, so that seeding twice is seeding once.

    Raises
    ------
    LabelValueError
        If the column has values that are no labels of the task.
    """
    known = column_values(pool, task, column, option="seed")
    contents = pool.digests(list(known))
    return [
        LabelEvent(
            id=f"seed:{digest(f'{column}/{pool.ids[position]}/{value}')}",
            kind="label",
            item=pool.ids[position],
            annotator=f"{SEED}{column}",
            value=value,
            at=now(),
            shown=Shown(strategy="seed", view="api"),
            content=content,
        )
        for (position, value), content in zip(known.items(), contents, strict=True)
    ]


def column_values(pool: Pool, task: Task, column: str, *, option: str) -> dict[int, Any]:
    """Return the values of the task that a column of the source holds, by place in the pool.

    Items where the column is missing have none. `option` is what the user named the column in.

    Raises
    ------
    OptionError, UnknownColumnError
        If there is no such column.
    LabelValueError
        If the column has values that are no labels of the task.
    """
    if pool.frame is None:
        raise OptionError(f"{option}={column!r} names a column, but the data has no columns.")
    values = pick_columns(pool.frame, column)
    found: dict[int, Any] = {}
    illegal: dict[str, None] = {}
    for position in np.flatnonzero(values.notna().to_numpy()).tolist():
        value = values.iat[position]
        try:
            # A list comes out of a file of columns as an array.
            found[position] = task.parse(value.tolist() if isinstance(value, np.ndarray) else value)
        except LabelValueError as error:
            illegal[plain(value)] = None
            why = str(error)
    if illegal:
        names = task.spec().get("classes", [])
        raise LabelValueError(
            f"Column {column!r} has values that are not among the labels: {shorten(illegal)}. "
            + (f"The labels are {shorten(names, 8)}." if task.target_type == "multiclass" else why)
        )
    return found
