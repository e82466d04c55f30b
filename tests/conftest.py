"""What all tests share: one server and one Chromium, a page for each test, and the tally.

``tests/faults`` and ``tests/security`` have a quick form, which every run includes, and a long
form, ``pytest --torture``. What they tried and found is added up in a *tally*.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from .browser.lab import Browser, ChromiumMissingError, JupyterServer, Notebook, find_chromium

HERE = Path(__file__).parent

COUNTED = (
    "faults",
    "labels",
    "lost",
    "duplicated",
    "payloads",
    "canaries",
    "fuzzed",
    "crashes",
)
"""What a tally may count, in the order of the table in ``docs/reliability.md``."""

TALLY = pytest.StashKey[dict[str, Counter[str]]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nblabel")
    group.addoption("--torture", action="store_true", help="the long form of faults and security")
    group.addoption("--tally", type=Path, help="write what the suites counted to this JSON file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = {}
    # Features are kept apart from those of whoever runs the tests, in their kernels too.
    cache = tempfile.TemporaryDirectory(prefix="nblabel-cache-")
    config.add_cleanup(cache.cleanup)
    os.environ["NBLABEL_CACHE_DIR"] = cache.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE / "browser" in item.path.parents or "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if path := session.config.getoption("--tally"):
        path.write_text(json.dumps(session.config.stash[TALLY], indent=2) + "\n")


@pytest.fixture
def torture(request: pytest.FixtureRequest) -> bool:
    """Whether the long form runs."""
    return bool(request.config.getoption("--torture"))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Count for a row of the table: ``tally("kernel killed", faults=1, labels=80, lost=0)``.

    A test counts what it saw before it asserts that nothing was lost.
    """
    rows = request.config.stash[TALLY]

    def add(row: str, **counts: int) -> None:
        if unknown := counts.keys() - set(COUNTED):
            raise KeyError(f"a tally counts {', '.join(COUNTED)}, not {', '.join(unknown)}")
        rows.setdefault(row, Counter()).update(counts)

    return add


@pytest.fixture(scope="session")
def server() -> Iterator[JupyterServer]:
    with JupyterServer() as server:
        yield server


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.fail(str(ChromiumMissingError()), pytrace=False)
    with Browser() as browser:
        yield browser


@pytest.fixture
def notebook(
    request: pytest.FixtureRequest, browser: Browser, server: JupyterServer, torture: bool
) -> Iterator[Callable[..., Notebook]]:
    """Open notebooks: ``notebook(["x = 1"])``; more by name, or on the ``context`` of the first.

    The test fails if one of their pages asked for anything outside the server.
    """
    opened: list[Notebook] = []
    browser.outside.clear()
    stem = re.sub(r"\W+", "-", request.node.name).strip("-")

    def open_notebook(
        cells: Sequence[str] | None = None, name: str | None = None, **options: object
    ) -> Notebook:
        page = Notebook(browser, server, **options)
        opened.append(page)
        return page.open(name or f"{stem}.ipynb", cells)

    with browser.limit(3600 if torture else 300):
        yield open_notebook
    for page in reversed(opened):
        page.close()
    server.reset_settings()
    assert browser.outside == [], f"asked for outside the server: {browser.outside}"
