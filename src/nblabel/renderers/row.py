"""A table row as names and values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .base import View, clean, is_missing


class RowRenderer:
    """Shows a mapping of names to values as a small table."""

    kind = "row"
    modality: str | None = "row"

    def accepts(self, item: Any) -> bool:
        """Whether the item is a mapping."""
        return isinstance(item, Mapping)

    def view(self, item: Any) -> View:
        """Return one field per value: its name, its text, and what it is."""
        return View("row", {"fields": [field_of(str(name), value) for name, value in item.items()]})


def field_of(name: str, value: Any) -> dict[str, str]:
    """Return one value as a page shows it: its name, its text, and what it is."""
    if is_missing(value):
        return {"name": clean(name), "text": "", "type": "missing"}
    if isinstance(value, (bool, np.bool_)):
        return {"name": clean(name), "text": "yes" if value else "no", "type": "bool"}
    if isinstance(value, (int, np.integer)):
        return {"name": clean(name), "text": str(value), "type": "number"}
    if isinstance(value, (float, np.floating)):
        return {"name": clean(name), "text": f"{float(value):.6g}", "type": "number"}
    return {"name": clean(name), "text": clean(str(value)), "type": "text"}
