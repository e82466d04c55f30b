"""Parts of the front end that a page fetches: which there are, and how large all of it is."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import nblabel as nl
from nblabel.errors import OptionError
from nblabel.renderers import PairRenderer, TextRenderer
from nblabel.widget.modules import FOLDER, Modules

TASK = nl.MultiLabel(["a", "b"])


class Tune(TextRenderer):
    kind = "tune"
    esm = "export default 1"


def zipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 6))


def test_the_core_stays_small() -> None:
    """What every page is loaded with, as it travels compressed."""
    assert zipped(FOLDER.parent / "widget.js") < 60_000
    assert zipped(FOLDER.parent / "widget.css") < 5_000


def test_no_module_is_large() -> None:
    sizes = {path.stem: zipped(path) for path in FOLDER.glob("*.js")}
    assert {name: size for name, size in sizes.items() if size > 32_000} == {}
    looks = {"audio", "chat", "code", "map", "markdown", "pdf", "series", "table", "video"}
    assert {f"look-{name}" for name in looks} <= set(sizes)


def test_a_part_of_ones_own_is_found_by_its_kind() -> None:
    for renderer in (Tune(), PairRenderer(Tune())):
        modules = Modules(TASK, renderer)
        assert modules.text("look-tune") == "export default 1"
        assert len(modules.names()["look-tune"]) == 16
    assert "look-tune" not in Modules(TASK, TextRenderer()).names()


@pytest.mark.parametrize("name", ["look-none", "../widget", "look-audio.js", "", "/etc/passwd"])
def test_there_is_nothing_by_another_name(name: str) -> None:
    assert Modules(TASK, TextRenderer()).text(name) is None


def test_a_module_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    for wrong, why in (
        (tmp_path / "none.js", "cannot be read"),
        (3, "is the text of an ES module"),
    ):
        renderer = TextRenderer()
        renderer.esm = wrong  # type: ignore[attr-defined]
        with pytest.raises(OptionError, match=why):
            Modules(TASK, renderer)
