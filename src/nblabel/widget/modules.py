"""Parts of the front end that a page fetches when it needs them: editors and looks."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..errors import OptionError

FOLDER = Path(__file__).parent / "static" / "modules"


class Modules:
    """The ES modules that a page of this labeler may ask for, and no others.

    Those that come with nblabel are files; a task or a renderer of one's own brings its module as
    the attribute ``esm``, text or a path: see ``docs/extending.md``.

    Parameters
    ----------
    task : Task
    renderer : Renderer
    """

    def __init__(self, task: Any, renderer: Any) -> None:
        self._texts = {path.stem: path for path in FOLDER.glob("*.js")}
        self._own: dict[str, str] = {}
        inner = getattr(renderer, "inner", renderer)  # of two beside each other
        for kind, part in (("editor", task), ("look", renderer), ("look", inner)):
            esm = getattr(part, "esm", None)
            if esm is not None:
                self._own[f"{kind}-{part.kind}"] = _read(esm, part)

    def names(self) -> dict[str, str]:
        """Return what there is, with a digest of each, by which a page knows what it has."""
        made = {name: f"{path.stat().st_mtime_ns:x}" for name, path in self._texts.items()}
        for name, text in self._own.items():
            made[name] = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        return made

    def text(self, name: str) -> str | None:
        """Return the source of a module, None if there is none of that name."""
        if name in self._own:
            return self._own[name]
        path = self._texts.get(name)  # a name never becomes a path
        return path.read_text("utf-8") if path is not None else None


def _read(esm: Any, part: Any) -> str:
    if isinstance(esm, Path):
        try:
            return esm.read_text("utf-8")
        except OSError as error:
            raise OptionError(f"esm= of {type(part).__name__} cannot be read: {error}.") from None
    if not isinstance(esm, str):
        raise OptionError(
            f"esm of {type(part).__name__} is the text of an ES module or a Path to one, "
            f"got {type(esm).__name__}."
        )
    return esm
