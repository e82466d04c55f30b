"""The public names, and what importing them costs."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from typing import Any

import pytest

import nblabel

HEAVY = {
    "PIL", "anywidget", "ipywidgets", "narwhals", "numpy", "pandas", "scipy", "sklearn",
    "sqlalchemy", "traitlets",
}  # fmt: skip
NAMES = [
    "Binary", "Boxes", "Choice", "Form", "FreeText", "LabelEvent", "Labeler", "MultiLabel", "Pairs",
    "Pool", "Ranking", "Rating", "Session", "Spans", "SqliteLog", "__version__", "clear_cache",
    "compare", "datasets", "errors", "safe_csv", "salvage", "simulate", "strategies", "testing",
]  # fmt: skip


def loaded_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_names_are_known_sorted_and_few() -> None:
    assert nblabel.__all__ == NAMES == sorted(NAMES)
    assert len(nblabel.__all__) - 1 <= 24  # beside the version
    assert set(nblabel.__all__) <= set(dir(nblabel))
    assert dir(nblabel) == sorted(dir(nblabel))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "__version__"])
def test_every_name_is_there_and_says_what_it_is(name: str) -> None:
    found: Any = getattr(nblabel, name)
    assert found is getattr(nblabel, name)
    assert inspect.getdoc(found)
    home = found.__name__ if inspect.ismodule(found) else found.__module__
    assert home.startswith("nblabel.")
    assert importlib.import_module(home) is not None


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert nblabel.__version__ == version("nblabel")


def test_there_is_no_other_name() -> None:
    with pytest.raises(AttributeError, match="module 'nblabel' has no attribute 'Labeller'"):
        _ = nblabel.Labeller  # type: ignore[attr-defined]
    assert not hasattr(nblabel, "_learning_of_another_kind")


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert loaded_after("import nblabel; nblabel.__version__; dir(nblabel)") & HEAVY == set()


def test_a_session_needs_no_widget() -> None:
    loaded = loaded_after(
        "import nblabel; s = nblabel.Session(['a', 'b'], ['x', 'y'], store=None, inline=True);"
        "s.record('0', 'x')"
    )
    assert loaded & {"anywidget", "ipywidgets", "traitlets", "IPython", "comm"} == set()
    assert loaded >= {"pandas", "sklearn"}  # the test can see


def test_star_import_gives_all_names() -> None:
    names: dict[str, Any] = {}
    exec("from nblabel import *", names)
    assert set(NAMES) <= set(names)
