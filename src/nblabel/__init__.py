"""nblabel: label data inside a Jupyter notebook."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import datasets as datasets
    from . import errors as errors
    from . import strategies as strategies
    from . import testing as testing
    from ._cache import clear_cache as clear_cache
    from .events import LabelEvent as LabelEvent
    from .formats import safe_csv as safe_csv
    from .pool import Pool as Pool
    from .session import Session as Session
    from .simulation import simulate as simulate
    from .store import SqliteLog as SqliteLog
    from .store import salvage as salvage
    from .study import compare as compare
    from .tasks import Binary as Binary
    from .tasks import Boxes as Boxes
    from .tasks import Choice as Choice
    from .tasks import Form as Form
    from .tasks import FreeText as FreeText
    from .tasks import MultiLabel as MultiLabel
    from .tasks import Pairs as Pairs
    from .tasks import Ranking as Ranking
    from .tasks import Rating as Rating
    from .tasks import Spans as Spans
    from .widget import Labeler as Labeler

#: Where each public name lives; nothing heavy is imported before it is used.
_HOMES = {
    "Choice": ".tasks",
    "Binary": ".tasks",
    "Boxes": ".tasks",
    "Form": ".tasks",
    "FreeText": ".tasks",
    "MultiLabel": ".tasks",
    "Pairs": ".tasks",
    "Ranking": ".tasks",
    "Rating": ".tasks",
    "Spans": ".tasks",
    "LabelEvent": ".events",
    "Labeler": ".widget",
    "Pool": ".pool",
    "Session": ".session",
    "SqliteLog": ".store",
    "clear_cache": "._cache",
    "compare": ".study",
    "datasets": "",
    "errors": "",
    "salvage": ".store",
    "safe_csv": ".formats",
    "simulate": ".simulation",
    "strategies": "",
    "testing": "",
}

__all__ = sorted([*_HOMES, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("nblabel")
    if name not in _HOMES:
        raise AttributeError(f"module 'nblabel' has no attribute {name!r}")
    home = _HOMES[name]
    if not home:
        return importlib.import_module(f".{name}", __name__)
    value = getattr(importlib.import_module(home, __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
