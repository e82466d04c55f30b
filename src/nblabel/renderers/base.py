"""How an item is shown: item to view data and buffers."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..errors import full_story, in_words
from ..pool import read_file

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
        ``"missing"`` or ``"error"``.
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

    Attributes
    ----------
    kind : str
        Name of the renderer.
    modality : str or None
        What the default model can learn from: ``"text"``, ``"image"``, ``"row"``, ``"series"``, or
        None. Where it is ``"text"`` but an item is no string, a method ``text(item)`` returns it.
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
    if isinstance(item, Mapping):  # of a Hugging Face dataset
        item = item.get("bytes") or item.get("path")
    if isinstance(item, (bytes, bytearray)):
        return bytes(item)
    if isinstance(item, (str, os.PathLike)):
        if isinstance(item, str) and item.startswith(REMOTE):
            raise ValueError("an address on the network is not fetched; download the file first")
        return read_file(item)
    raise TypeError(f"expected {expected}, got {type(item).__name__}")


_SCALARS = (float, np.generic, type(pd.NaT), type(pd.NA))


def clean(text: str) -> str:
    """Replace lone surrogates, which no message can carry."""
    return (
        text
        if text.isascii()
        else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    )


def safe_view(renderer: Renderer, item: Any) -> View:
    """Render an item; what is missing or broken becomes a card that says so."""
    if is_missing(item):
        return View("missing", {"text": str(item)})
    try:
        return _checked_view(renderer.view(_own(item)))
    except BaseException as error:  # also when the user interrupts one that blocks
        return View(
            "error",
            {
                "title": f"This item cannot be shown as {renderer.kind}",
                "text": clean(in_words(error)),
                "detail": clean(full_story(error)),
            },
        )


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
