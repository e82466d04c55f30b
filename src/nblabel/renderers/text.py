"""Plain text and HTML."""

from __future__ import annotations

import html.parser
from typing import Any

from .base import View, clean, is_missing


class TextRenderer:
    """Shows an item as plain text; anything that is no text by its `str`."""

    kind = "text"
    modality: str | None = "text"

    def accepts(self, item: Any) -> bool:
        """Whether the item is text."""
        return isinstance(item, str)

    def view(self, item: Any) -> View:
        """Return the text as it is."""
        return View("text", {"text": clean(as_text(item))})


class HtmlRenderer:
    """Shows an item as HTML: sanitised, in a frame of its own, without scripts.

    Parameters
    ----------
    trusted : bool
        Show it as it is, with its scripts, in a frame that cannot reach the notebook.
    """

    kind = "html"
    modality: str | None = "text"

    def __init__(self, trusted: bool = False) -> None:
        self.trusted = trusted

    def accepts(self, item: Any) -> bool:
        """Whether the item is text."""
        return isinstance(item, str)

    def view(self, item: Any) -> View:
        """Return the source; the browser sanitises it, unless it is trusted."""
        source = clean(as_text(item))
        return View("html", {"html": source, "trusted": True} if self.trusted else {"html": source})


def as_text(item: Any) -> str:
    """Return the text of an item, empty if it is missing."""
    if isinstance(item, str):
        return item
    if is_missing(item):
        return ""
    if isinstance(item, (bytes, bytearray)):
        return bytes(item).decode("utf-8", "replace")
    return str(item)


def strip_tags(source: str) -> str:
    """Return the text of HTML, for the model to learn from."""
    reader = _TextReader()
    reader.feed(source)
    reader.close()
    return " ".join(reader.parts)


class _TextReader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._silent += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("script", "style") and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.parts.append(data.strip())
