"""How an item is shown: item to view data and buffers."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..errors import full_story, in_words
from ..pool import plain_file, read_part

#: Beginnings of names that would be fetched from another machine.
REMOTE = ("http://", "https://", "\\\\")
#: What the media of one item may take on their way to the page; a page gets at least three items
#: at a time, however large.
MOST_BYTES = 4_000_000


@dataclass(frozen=True)
class View:
    """What the browser needs to show one item.

    Attributes
    ----------
    kind : str
        Name of the look in the browser: ``"text"``, ``"image"``, ``"html"``, ``"row"``,
        ``"missing"``, ``"error"``, or one that is fetched, such as ``"audio"``.
    data : dict
        JSON; every text in it is shown as text, never as markup (except by ``"html"``, sanitised).
    buffers : tuple of bytes
        Binary parts, such as an encoded image.
    """

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    buffers: tuple[bytes, ...] = ()

    def size(self) -> int:
        """Approximate number of bytes on the wire."""
        return len(repr(self.data)) + sum(map(len, self.buffers))


@runtime_checkable
class Renderer(Protocol):
    """Turns an item into a `View`.

    Optional, beside what is listed: ``piece(item, name, start, length)`` returns some bytes of a
    part of the item that is too large for its view, and how many that part has; its look asks for
    them by the name that it knows from the view. ``thumbnail(item)`` returns a lighter `View` for a
    page of many items, whose data have another ``"side"`` than the whole one.

    Attributes
    ----------
    kind : str
        Name of the renderer.
    modality : str or None
        What the default model can learn from: ``"text"``, ``"image"``, ``"row"``, ``"series"``,
        ``"sound"``, or None. Where it is ``"text"`` but an item is no string, a method
        ``text(item)`` returns it.
    """

    kind: str
    modality: str | None

    def accepts(self, item: Any) -> bool:
        """Whether the item can be shown by this renderer."""

    def view(self, item: Any) -> View:
        """Return what to show. May raise: the caller turns it into a card that says so."""


def is_missing(item: Any) -> bool:
    """Whether the item is None, NaN, NaT or NA."""
    return item is None or (isinstance(item, _SCALARS) and pd.isna(item) is True)


def is_named(item: Any) -> bool:
    """Whether an item is a file of this machine, encoded bytes, or a dict of either."""
    return (
        isinstance(item, (bytes, bytearray, os.PathLike))
        or (isinstance(item, str) and not item.startswith(REMOTE))
        or (isinstance(item, Mapping) and ("bytes" in item or "path" in item))
    )


def encoded_bytes(item: Any, expected: str) -> bytes:
    """Return the bytes of an encoded image or sound.

    Parameters
    ----------
    item : path, bytes, or mapping with ``"bytes"`` or ``"path"``
    expected : str
        What an item may be, for the error.
    """
    source = Source(item, expected)
    return source.read(0, source.size)


class Source:
    """The bytes of an encoded item, of which a part can be read.

    Parameters
    ----------
    item : path, bytes, or mapping with ``"bytes"`` or ``"path"``
    expected : str
        What an item may be, for the error.

    Attributes
    ----------
    size : int
    """

    def __init__(self, item: Any, expected: str) -> None:
        if isinstance(item, Mapping):  # of a Hugging Face dataset
            item = item.get("bytes") or item.get("path")
        self._held: bytes | Path
        if isinstance(item, (bytes, bytearray)):
            self._held, self.size = bytes(item), len(item)
        elif isinstance(item, (str, os.PathLike)):
            if isinstance(item, str) and item.startswith(REMOTE):
                raise ValueError(
                    "an address on the network is not fetched; download the file first"
                )
            self._held, self.size = plain_file(item)
        else:
            raise TypeError(f"expected {expected}, got {type(item).__name__}")

    def read(self, start: int, length: int) -> bytes:
        """Return at most `length` bytes from `start` on."""
        if isinstance(self._held, bytes):
            return self._held[start : start + length]
        return read_part(self._held, start, length)


_SCALARS = (float, np.generic, type(pd.NaT), type(pd.NA))


def clean(text: str) -> str:
    """Replace lone surrogates, which no message can carry."""
    return (
        text
        if text.isascii()
        else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def safe_view(renderer: Renderer, item: Any, *, small: bool = False) -> View:
    """Render an item; what is missing or broken becomes a card that says so.

    Parameters
    ----------
    renderer : Renderer
    item : object
    small : bool
        Whether a thumbnail will do, where the renderer makes them.
    """
    if is_missing(item):
        return View("missing", {"text": str(item)})
    try:
        draw = getattr(renderer, "thumbnail", renderer.view) if small else renderer.view
        return _checked_view(draw(_own(item)))
    except BaseException as error:  # also when the user interrupts one that blocks
        return View(
            "error",
            {
                "title": f"This item cannot be shown as {renderer.kind}",
                "text": clean(in_words(error)),
                "detail": clean(full_story(error)),
            },
        )


def piece_of(
    renderer: Renderer, item: Any, name: str, start: int, length: int
) -> tuple[bytes, int]:
    """Return some bytes of a part of an item, and how many that part has.

    Raises
    ------
    ValueError
        If the item has no such part.
    """
    piece = getattr(renderer, "piece", None)
    if piece is None:
        raise ValueError(f"an item that is shown as {renderer.kind} has no parts")
    raw, total = piece(item, name, start, length)
    return bytes(raw), int(total)


def _own(item: Any) -> Any:
    """Return an item that a renderer may change without changing the pool."""
    return copy.deepcopy(item) if isinstance(item, (np.ndarray, list, dict, set)) else item


def _checked_view(view: Any) -> View:
    """Refuse what no message can carry: then nothing at all would reach the page."""
    if not isinstance(view, View):
        raise TypeError(f"view() must return a View, got {type(view).__name__}")
    if not isinstance(view.data, dict) or not isinstance(view.kind, str):
        raise TypeError("a View has a kind (text) and data (a dict of JSON)")
    if not all(isinstance(part, bytes) for part in view.buffers):
        raise TypeError("the buffers of a View are bytes")
    try:
        json.dumps(view.data, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"the data of a View must be JSON: {error}") from None
    return view
