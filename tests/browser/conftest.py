"""One server and one Chromium for all tests in this folder, one page for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from .lab import Browser, ChromiumMissingError, JupyterServer, Notebook, find_chromium

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


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
    request: pytest.FixtureRequest, browser: Browser, server: JupyterServer
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

    yield open_notebook
    for page in reversed(opened):
        page.close()
    server.reset_settings()
    assert browser.outside == [], f"asked for outside the server: {browser.outside}"
