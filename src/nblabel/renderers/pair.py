"""Two items side by side."""

from __future__ import annotations

import hashlib
from typing import Any

from .base import Renderer, View, piece_of, safe_view


class PairRenderer:
    """Shows two items beside each other, each as another renderer would.

    Which one stands on the left is drawn at random for each pair, from its content: the same in
    every session, and unknown to who made the data.

    Parameters
    ----------
    inner : Renderer
    """

    kind = "pair"

    def __init__(self, inner: Renderer) -> None:
        self.inner = inner
        self.modality = inner.modality

    def accepts(self, item: Any) -> bool:
        """Whether it is two of what the inner renderer shows."""
        return (
            isinstance(item, (tuple, list))
            and len(item) == 2
            and all(self.inner.accepts(part) for part in item)
        )

    def view(self, item: Any) -> View:
        """Return both views; the buffers of the left one come first."""
        swapped = self.swapped(item)
        left, right = (safe_view(self.inner, part) for part in (item[::-1] if swapped else item))
        return View(
            "pair",
            {
                "left": {"kind": left.kind, "data": left.data, "buffers": len(left.buffers)},
                "right": {"kind": right.kind, "data": right.data, "buffers": len(right.buffers)},
                "swapped": swapped,
            },
            (*left.buffers, *right.buffers),
        )

    def piece(self, item: Any, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of the left or the right one."""
        side, _, rest = name.partition("/")
        if side not in ("left", "right"):
            raise ValueError(f"a pair has no part {name!r:.40}")
        return piece_of(
            self.inner, item[(side == "right") ^ self.swapped(item)], rest, start, length
        )

    def swapped(self, item: Any) -> bool:
        """Whether the second one stands on the left."""
        views = [safe_view(self.inner, part) for part in item]
        seen = hashlib.blake2b(digest_size=8)
        for view in views:
            seen.update(repr(view.data).encode("utf-8", "replace"))
            for buffer in view.buffers:
                seen.update(buffer)
        return bool(seen.digest()[0] & 1)
