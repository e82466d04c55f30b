"""Several columns together, each shown in its own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .base import Renderer, View, clean, piece_of, safe_view


class SeveralRenderer:
    """Shows several fields of an item below each other, each as its renderer would.

    The default model learns from the first of them that it can learn from.

    Parameters
    ----------
    parts : mapping of str to Renderer
        How each field is shown, in their order.
    """

    kind = "several"

    def __init__(self, parts: Mapping[str, Renderer]) -> None:
        self.parts = dict(parts)
        learnable = [name for name, part in self.parts.items() if part.modality]
        #: The field that is learned from.
        self.main = learnable[0] if learnable else next(iter(self.parts))
        self.modality = self.parts[self.main].modality

    def accepts(self, item: Any) -> bool:
        """Whether the item has all fields."""
        return isinstance(item, Mapping) and all(name in item for name in self.parts)

    def view(self, item: Any) -> View:
        """Return the views of all fields; their buffers one behind the other."""
        views = {name: safe_view(part, item[name]) for name, part in self.parts.items()}
        data = [
            {
                "name": clean(name),
                "view": {"kind": view.kind, "data": view.data, "buffers": len(view.buffers)},
            }
            for name, view in views.items()
        ]
        return View("several", {"parts": data}, tuple(b for v in views.values() for b in v.buffers))

    def piece(self, item: Any, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of a field, by its place."""
        place, _, rest = name.partition("/")
        for k, (field, part) in enumerate(self.parts.items()):
            if place == str(k):
                return piece_of(part, item[field], rest, start, length)
        raise ValueError(f"this item has no part {name!r:.40}")
