"""Pages of PDF files, as images."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral
from typing import Any

from ..errors import OptionError
from .base import View, clean, encoded_bytes, is_named
from .image import MOST_PIXELS, encoded_view

#: Of a longer document the text of so many pages is learned from.
MOST_READ = 50
_MISSING = "to show PDF pages, install pypdfium2 (pip install 'nblabel[pdf]')"
#: PDFium is one for the process, and not made for several threads.
_LOCK = threading.Lock()


class PdfRenderer:
    """Shows an item as pages of a PDF.

    An item is a file, bytes, a mapping with either, or a pair of such a document and the number of
    one page, from 1. On a single page shapes can be drawn as on an image; a document of several is
    turned by keys. Pages are drawn here, by PDFium, which runs no scripts of the document.

    Parameters
    ----------
    side : int
        Pixels of the longer side of a page.

    Raises
    ------
    OptionError
        If pypdfium2 is missing, or the size makes no sense.
    """

    kind = "pdf"
    modality: str | None = "text"

    def __init__(self, side: int = 1400) -> None:
        if not isinstance(side, Integral) or not 100 <= side <= MOST_PIXELS:
            raise OptionError(f"side= is from 100 to {MOST_PIXELS} pixels, got {side!r}.")
        try:
            import pypdfium2  # noqa: F401
        except ImportError as error:
            raise OptionError(f"{_MISSING[0].upper()}{_MISSING[1:]}: {error}.") from None
        self.side: int = int(side)

    def accepts(self, item: Any) -> bool:
        """Whether the item is a document, or one and the number of a page."""
        if isinstance(item, (tuple, list)):
            return len(item) == 2 and is_named(item[0]) and isinstance(item[1], Integral)
        return is_named(item)

    def view(self, item: Any) -> View:
        """Return the page, or the first of several, as an image, and how many there are."""
        page = item[1] if isinstance(item, (tuple, list)) else None
        named = item if page is None else item[0]
        name = clean(str(named)) if isinstance(named, (str, os.PathLike)) else ""
        with _opened(item) as document:
            pages = len(document)
            drawn = self._drawn(document, 1 if page is None else page)
        if page is not None:
            where = f"page {page} of {pages:,}"
            name, pages = f"{name}, {where}" if name else where, 1
        return View("pdf", {**drawn.data, "name": name, "pages": pages}, drawn.buffers)

    def piece(self, item: Any, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of the image of a page, which is asked for by its number."""
        if isinstance(item, (tuple, list)) or not name.isascii() or not name.isdecimal():
            raise ValueError(f"this item has no part {name!r:.40}")
        with _opened(item) as document:
            (raw,) = self._drawn(document, int(name[:9])).buffers
        return raw[start : start + length], len(raw)

    def text(self, item: Any) -> str:
        """Return the text of the page, or of the first pages, for the model to learn from."""
        one = item[1] if isinstance(item, (tuple, list)) else None
        try:
            with _opened(item) as document:
                wanted = range(min(len(document), MOST_READ)) if one is None else [one - 1]
                return "\n".join(
                    document[page].get_textpage().get_text_bounded() for page in wanted
                )
        except Exception:  # its card says what is wrong
            return ""

    def _drawn(self, document: Any, page: int) -> View:
        if not 1 <= page <= len(document):
            raise ValueError(f"there is no page {page}: the document has {len(document):,}, from 1")
        sheet = document[page - 1]
        longest = max(sheet.get_size())
        if not longest > 0:
            raise ValueError(f"page {page} has no size")
        return encoded_view(sheet.render(scale=self.side / longest).to_pil(), "")


@contextmanager
def _opened(item: Any) -> Iterator[Any]:
    """The document of an item, for this thread alone."""
    import pypdfium2

    document = item[0] if isinstance(item, (tuple, list)) else item
    if isinstance(document, Mapping) and not ("bytes" in document or "path" in document):
        raise TypeError("expected a mapping with bytes or path")
    raw = encoded_bytes(document, "a file, bytes, or one of them and the number of a page")
    with _LOCK:
        try:
            opened = pypdfium2.PdfDocument(raw)
        except pypdfium2.PdfiumError as error:
            raise ValueError(f"this is no PDF that can be read: {error}") from None
        try:
            yield opened
        finally:
            opened.close()
