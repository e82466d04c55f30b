"""Renderers: how an item is shown, and the obvious choice when nobody says."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from ..errors import DataError, OptionError
from ..pool import IMAGE_SUFFIXES, Pool, pick_columns, read_source
from .audio import AudioRenderer
from .base import Renderer, View, clean, is_missing, piece_of, safe_view
from .chat import ChatRenderer
from .display import DisplayRenderer
from .image import ImageRenderer, pixel_range
from .pair import PairRenderer
from .pdf import PdfRenderer
from .point import PointRenderer
from .row import RowRenderer, field_of
from .series import SeriesRenderer
from .several import SeveralRenderer
from .source import CodeRenderer, MarkdownRenderer
from .table import TableRenderer
from .text import HtmlRenderer, TextRenderer
from .video import VideoRenderer

__all__ = [
    "AudioRenderer",
    "ChatRenderer",
    "CodeRenderer",
    "DisplayRenderer",
    "HtmlRenderer",
    "ImageRenderer",
    "MarkdownRenderer",
    "PairRenderer",
    "PdfRenderer",
    "PointRenderer",
    "Renderer",
    "RowRenderer",
    "SeriesRenderer",
    "SeveralRenderer",
    "TableRenderer",
    "TextRenderer",
    "VideoRenderer",
    "View",
    "clean",
    "field_of",
    "is_missing",
    "open_pool",
    "piece_of",
    "safe_view",
]

#: What is shown by its text.
_PLAIN = (str, int, float, bool, np.generic)
_SIMPLE: dict[str, Callable[[], Renderer]] = {
    "text": TextRenderer,
    "html": HtmlRenderer,
    "row": RowRenderer,
    "audio": AudioRenderer,
    "series": SeriesRenderer,
    "video": VideoRenderer,
    "pdf": PdfRenderer,
    "point": PointRenderer,
}
#: Ways to show the values of one column.
ONE_COLUMN = ("image", *(name for name in _SIMPLE if name != "row"))
#: Columns with these names hold the text of a data set, if they hold text.
_TEXT_NAMES = ("text", "body", "content", "sentence", "document", "message", "review", "question")


def open_pool(
    data: Any,
    *,
    text: str | bool | None = None,
    image: str | bool | None = None,
    html: str | bool | None = None,
    row: Sequence[str] | bool | None = None,
    show: Callable[[Any], Any] | Renderer | None = None,
    audio: str | bool | None = None,
    series: str | bool | None = None,
    video: str | bool | None = None,
    pdf: str | bool | None = None,
    point: str | tuple[str, str] | bool | None = None,
    trust_html: bool = False,
    exclude: Collection[str] = (),
) -> tuple[Pool, Renderer, str]:
    """Read the data and settle how its items are shown.

    Parameters
    ----------
    data : DataFrame, Series, list, array of images or folder
    text, image, html, audio, series, video, pdf, point : str or True, optional
        The column that holds it; True where the data has no columns. Several of them are shown
        below each other, as are three columns or more of one kind. Two columns are pairs; of
        ``point`` they are latitude and longitude.
    row : sequence of str or True, optional
        Columns of a table row; True for all.
    show : callable or Renderer, optional
        Makes of an item anything that Jupyter can display. A renderer beside a column shows that
        column.
    trust_html : bool
        Show HTML as it is: see `HtmlRenderer`.
    exclude : collection of str
        Columns that a table row must not show, such as known labels.

    Returns
    -------
    pool : Pool
    renderer : Renderer
    note : str
        What was chosen, in words for the status line; empty if the user chose.
    """
    ready = isinstance(show, Renderer) and not isinstance(show, type)
    chosen: dict[str, Any] = {
        "text": text, "image": image, "html": html, "audio": audio, "video": video, "pdf": pdf,
        "point": point, "series": series, "row": row,
    }  # fmt: skip
    given = [name for name, value in chosen.items() if value is not None and value is not False]
    beside = ready and bool(given)
    if show is not None and not beside:
        chosen["show"] = show
        given.append("show")
    parts = [(name, field) for name in given for field in _each(name, chosen[name])]
    if len(parts) > 1 and (beside or not set(given) <= set(ONE_COLUMN)):
        raise OptionError(
            f"Several of {'=, '.join(ONE_COLUMN)}= go together, row= and show= stand alone; got "
            f"{' and '.join(given)}. show= beside a column is a renderer, as MarkdownRenderer()."
        )
    if series is True and isinstance(data, np.ndarray) and data.ndim in (2, 3):
        data = list(data)  # one row a series, not one row of a table
    values, index = read_source(data)
    frame = values if isinstance(values, pd.DataFrame) else None
    if not len(values):
        raise DataError("There are no items to label: the data is empty.")
    how = given[0] if given else None
    note = ""
    if how is None:
        how, field, note = _obvious(values, exclude)
    else:
        field = chosen[how]

    if not isinstance(trust_html, bool) or (trust_html and not {how, *given} & {"html", "show"}):
        raise OptionError(
            "trust_html= is True or False, and says so of what html= or show= shows, got "
            f"{trust_html!r} with {how}=."
        )
    if how == "show":
        renderer = field if ready else DisplayRenderer(_callable(field), trust_html)
    elif len(parts) > 1:
        values, renderer = _several(frame, parts, trust_html)
    elif frame is not None:
        values, renderer = _of_frame(frame, how, field, exclude)
    elif isinstance(field, (str, list, tuple)):
        raise OptionError(
            f"{how}={field!r} names a column, but the data has none: it is a {_kind_of(values)}. "
            f"Leave {how}= out or say {how}=True."
        )
    else:
        renderer = _plain(values, how)
    if beside:
        own: Any = show
        renderer = PairRenderer(own) if isinstance(renderer, PairRenderer) else own
    if trust_html and isinstance(renderer, HtmlRenderer):
        renderer = HtmlRenderer(trusted=True)
    if how in ONE_COLUMN and len(parts) < 2 and all(map(is_missing, values)):
        where = f"column {field!r}" if frame is not None else "the data"
        raise DataError(
            f"There is nothing to label: all {len(values):,} values of {where} are missing."
        )
    names: Any = None
    if frame is not None and how != "show":
        names = list(values.columns) if how == "row" else field
        if len(parts) > 1:
            names = tuple(
                n for _, part in parts for n in ([part] if isinstance(part, str) else part)
            )
    pool = Pool(values, index, frame, names)
    if isinstance(names, (tuple, list)) and how != "row":
        pool.field = tuple(names)
        pool.how = {name: chosen[name] for name in given} | ({"show": show} if beside else {})
    return pool, renderer, note


def _each(how: str, field: Any) -> list[Any]:
    """Return three columns or more of one kind one by one."""
    many = isinstance(field, (tuple, list)) and len(field) > 2
    return list(field) if many and how in ONE_COLUMN and how != "point" else [field]


def _callable(show: Any) -> Callable[[Any], Any]:
    if isinstance(show, type) and isinstance(show, Renderer):
        raise OptionError(f"show= takes a renderer object: write {show.__name__}().")
    if not callable(show):
        raise OptionError(f"show= is a callable that gets an item, got {show!r}.")
    return show


def _of_frame(
    frame: pd.DataFrame, how: str, field: Any, exclude: Collection[str]
) -> tuple[Any, Renderer]:
    if how == "row":
        if field is True:
            names = [name for name in frame.columns if name not in exclude]
        else:
            names = [field] if isinstance(field, str) else list(field)
        if not names:
            raise DataError("There is no column left to show.")
        return pick_columns(frame, names), RowRenderer()
    if field is True:
        raise OptionError(f"{how}=True does not say which column; say {how}='name of the column'.")
    if not isinstance(field, str) and isinstance(field, (tuple, list)):
        if len(field) != 2:
            raise OptionError(
                f"{how}= names one column, two for pairs, or more to be shown below each other, "
                f"got {field!r}."
            )
        columns = [pick_columns(frame, name) for name in field]
        pairs = pd.Series(list(zip(*columns, strict=True)), index=frame.index, dtype=object)
        if how == "point":
            here = [not (is_missing(a) or is_missing(b)) for a, b in pairs]
            return pairs.where(pd.Series(here, index=frame.index), None), PointRenderer()
        return pairs, PairRenderer(_plain(pd.concat(columns), how))
    values = pick_columns(frame, field)
    return values, _plain(values, how)


def _several(
    frame: pd.DataFrame | None, chosen: Sequence[tuple[str, Any]], trust_html: bool
) -> tuple[pd.DataFrame, Renderer]:
    """Return the columns that are shown together, and how."""
    if frame is None:
        hows = dict(chosen)
        raise OptionError(f"{'=, '.join(hows)}= are columns of one table, but the data has none.")
    columns: dict[str, pd.Series] = {}
    parts: dict[str, Renderer] = {}
    for how, field in chosen:
        values, renderer = _of_frame(frame, how, field, ())
        if isinstance(renderer, PairRenderer):
            raise OptionError(f"{how}={field!r} is a pair, which stands alone.")
        name = field if isinstance(field, str) else ", ".join(map(str, field))
        if name in parts:
            raise OptionError(f"Column {name!r} is shown twice: name each column once.")
        trusted = trust_html and isinstance(renderer, HtmlRenderer)
        columns[name], parts[name] = values, HtmlRenderer(True) if trusted else renderer
    return pd.DataFrame(columns, index=frame.index), SeveralRenderer(parts)


def _plain(values: Any, how: str) -> Renderer:
    if _is_pairs(values):
        return PairRenderer(_plain([part for pair in values for part in pair], how))
    if how == "image":
        return ImageRenderer(*pixel_range(values))
    return _SIMPLE[how]()


def _obvious(values: Any, exclude: Collection[str]) -> tuple[str, Any, str]:
    if isinstance(values, np.ndarray):
        return "image", True, "showing images"
    if not isinstance(values, pd.DataFrame):
        if _is_pairs(values):
            how, _, note = _obvious([part for pair in values for part in pair], exclude)
            return how, True, f"{note}, two at a time"
        first = next((v for v in values if not is_missing(v)), None)
        how = "image" if _is_image(first) else "text"
        if how == "text" and first is not None and not isinstance(first, _PLAIN):
            return "show", lambda item: item, f"showing each {type(first).__name__} as Jupyter does"
        return how, True, f"showing {'images' if how == 'image' else 'text'}"
    columns = [name for name in values.columns if name not in exclude]
    pick_columns(values, columns)  # each name is there once
    for name in columns:
        sample = values[name].dropna().head(20).tolist()
        if sample and all(_is_image(value) for value in sample):
            return "image", name, f"showing column {name!r} as image"
    lengths = {}
    for name in columns:
        sample = values[name].dropna().head(200).tolist()
        if sample and all(isinstance(value, str) for value in sample):
            lengths[name] = sum(map(len, sample)) / len(sample)
    if lengths:
        named = [name for name in _TEXT_NAMES if name in lengths]
        longest = max(lengths, key=lengths.__getitem__)
        name = named[0] if named else longest
        if named or lengths[longest] >= 20 or len(columns) == 1:
            return "text", name, f"showing column {name!r} as text"
    return "row", True, f"showing {len(columns)} columns as a table row"


def _is_pairs(values: Any) -> bool:
    """Whether the items are pairs of texts or images, not rows of two numbers."""
    if not isinstance(values, list) or not values:
        return False
    return all(
        isinstance(value, tuple)
        and len(value) == 2
        and all(isinstance(part, str) or _is_image(part) for part in value)
        for value in values
    )


def _is_image(value: Any) -> bool:
    if isinstance(value, (bytes, bytearray, Image.Image)):
        return True
    if isinstance(value, np.ndarray):
        return value.ndim in (2, 3)
    if isinstance(value, Mapping):
        return "bytes" in value
    if isinstance(value, (str, os.PathLike)):
        name = str(value)
        return len(name) < 4096 and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES
    return False


def _kind_of(values: Any) -> str:
    return {np.ndarray: "array of images", pd.Series: "Series"}.get(type(values), "list")
