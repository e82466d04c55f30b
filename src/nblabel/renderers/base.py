"""How an item is shown: item to view data and buffers."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from ..errors import full_story, in_words


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
        What the default model can learn from: ``"text"``, ``"image"``, ``"row"``, or None.
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
