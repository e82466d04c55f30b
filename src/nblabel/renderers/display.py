"""Anything Jupyter can display, made by a callable of the user."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Callable
from typing import Any

from PIL import Image

from .base import View
from .image import ImageRenderer, svg_view
from .text import HtmlRenderer, TextRenderer


class DisplayRenderer:
    """Shows what a callable makes of an item.

    Parameters
    ----------
    show : callable
        Gets the item (a table row as a dict) and returns text, an image, a matplotlib or altair
        figure, a DataFrame, or any object with a rich representation.
    trusted : bool
        Show HTML as it is: see `HtmlRenderer`.
    """

    kind = "display"
    modality: str | None = None

    def __init__(self, show: Callable[[Any], Any], trusted: bool = False) -> None:
        self.show = show
        self.trusted = trusted

    def accepts(self, item: Any) -> bool:
        """Any item."""
        return True

    def view(self, item: Any) -> View:
        """Call the callable and take the best static form of what it returns."""
        return display_view(self.show(item), self.trusted)


def display_view(shown: Any, trusted: bool = False) -> View:
    """Return the best static view of any displayable object; scripts only in trusted HTML."""
    if isinstance(shown, str):
        return TextRenderer().view(shown)
    if isinstance(shown, Image.Image):
        return ImageRenderer().view(shown)
    if hasattr(shown, "savefig"):  # a matplotlib figure
        return _figure(shown)
    if hasattr(shown, "get_figure") and hasattr(shown.get_figure(), "savefig"):  # its axes
        return _figure(shown.get_figure())
    if type(shown).__module__.split(".")[0] == "altair":
        return _altair(shown)
    return _rich(shown, trusted)


def _figure(figure: Any) -> View:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", bbox_inches="tight", dpi=110)
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close(figure)  # else pyplot keeps every figure alive
    return View("image", {"mime": "image/png", "name": ""}, (buffer.getvalue(),))


def _altair(chart: Any) -> View:
    try:
        import vl_convert
    except ImportError:
        raise ImportError("to show altair charts, install vl-convert-python") from None
    svg = vl_convert.vegalite_to_svg(chart.to_dict())
    return svg_view(svg.encode())


def _rich(shown: Any, trusted: bool) -> View:
    bundle: dict[str, Any] = {}
    if hasattr(shown, "_repr_mimebundle_"):
        made = shown._repr_mimebundle_()
        bundle = dict(made[0] if isinstance(made, tuple) else made or {})
    for mime, method in _METHODS.items():
        if mime not in bundle and callable(getattr(shown, method, None)):
            made = getattr(shown, method)()
            if made is not None:
                bundle[mime] = made[0] if isinstance(made, tuple) else made
    for mime in ("image/svg+xml", "image/png", "image/jpeg"):
        if mime in bundle:
            made = bundle[mime]
            raw = made if isinstance(made, bytes) else _decode(mime, made)
            return svg_view(raw) if mime == "image/svg+xml" else ImageRenderer().view(raw)
    if "text/html" in bundle:
        return HtmlRenderer(trusted).view(str(bundle["text/html"]))
    text = bundle.get("text/markdown") or bundle.get("text/latex") or bundle.get("text/plain")
    return TextRenderer().view(str(text) if text is not None else repr(shown))


def _decode(mime: str, text: str) -> bytes:
    return text.encode() if mime == "image/svg+xml" else base64.b64decode(text)


_METHODS = {
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
}
