"""Text that is written in a language: markdown, code."""

from __future__ import annotations

from typing import Any

from .base import View, clean
from .text import as_text


class MarkdownRenderer:
    """Shows a text as markdown: sanitised, without styles, scripts, links and images of the web."""

    kind = "markdown"
    modality: str | None = "text"

    def accepts(self, item: Any) -> bool:
        """Whether the item is text."""
        return isinstance(item, str)

    def view(self, item: Any) -> View:
        """Return the source; the browser makes a page of it."""
        return View("markdown", {"text": clean(as_text(item))})


class CodeRenderer:
    """Shows a text as code, with line numbers, its strings, comments, numbers and words colored.

    Parameters
    ----------
    language : str
        Such as ``"python"``, ``"javascript"``, ``"typescript"``, ``"sql"``, ``"c"``, ``"java"``,
        ``"rust"``, ``"go"``, ``"r"``, ``"bash"`` or ``"json"``; of any other only strings, comments
        and numbers are found.
    """

    kind = "code"
    modality: str | None = "text"

    def __init__(self, language: str = "python") -> None:
        self.language = language

    def accepts(self, item: Any) -> bool:
        """Whether the item is text."""
        return isinstance(item, str)

    def view(self, item: Any) -> View:
        """Return the source and its language."""
        data = {"text": clean(as_text(item)), "language": clean(str(self.language)).lower()}
        return View("code", data)
