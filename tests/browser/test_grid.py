"""Many items on one page, in a real JupyterLab, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .lab import Notebook, wait_until
from .test_journeys import Widget

Opener = Callable[..., Notebook]

DIGITS = """
import numpy as np, nblabel as nl
images, digits = nl.datasets.digits()
digits = digits.astype(str)
easy = np.flatnonzero(np.isin(digits, ["0", "1", "6"]))[:240]
truth = dict(zip(map(str, range(240)), digits[easy]))
session = nl.Session(images[easy], ["0", "1", "6"], name="grid", blind=0, batch=1000)
for k in range(24):
    session.record(str(k), truth[str(k)])
session.retrain(wait=True)
labeler = nl.Labeler(session)
labeler
"""
WORDS = """
import nblabel as nl
texts = [f"{'prize money' if k % 2 else 'lunch at noon'} number {k}" for k in range(60)]
session = nl.Session(texts, ["ham", "spam"], name="grid", blind=0, batch=1000)
for k in range(10):
    session.record(str(k), ["ham", "spam"][k % 2])
session.retrain(wait=True)
labeler = nl.Labeler(session)
labeler
"""


class Page(Widget):
    """The hands and eyes of a person at a page of many items."""

    def press(self, *keys: str) -> None:  # type: ignore[override]
        for key in keys:
            self.notebook.page.keyboard.press(key)

    def opened(self) -> Page:
        """Wait for the tiles."""
        self.root.locator(".nblabel-tile").first.wait_for()
        return self

    @property
    def items(self) -> list[str]:
        """Ids of the items on the page, in their order."""
        found = self.root.locator(".nblabel-tile")
        items: list[str] = found.evaluate_all("tiles => tiles.map((tile) => tile.dataset.item)")
        return items

    @property
    def marked(self) -> dict[str, str]:
        """What is marked on single items, as it is seen."""
        found = self.root.locator('.nblabel-tile[data-marked="true"]')
        marks: dict[str, str] = found.evaluate_all(
            "tiles => Object.fromEntries(tiles.map((tile) => "
            "[tile.dataset.item, tile.querySelector('.nblabel-tile-mark').textContent]))"
        )
        return marks

    @property
    def title(self) -> str:
        return self.root.locator(".nblabel-grid-title").inner_text()


def told(notebook: Notebook, items: list[str]) -> dict[str, dict[str, Any]]:
    """What the labels say of some items."""
    code = f"labeler.labels.loc[lambda t: t.index.astype(str).isin({items!r})].to_dict('index')"
    return {str(key): row for key, row in notebook.execute(code).items()}


def test_a_page_of_digits_is_verified_undone_and_verified_again(notebook: Opener) -> None:
    book = notebook(cells=[DIGITS])
    book.run_cell(0)
    page = Page(book)
    page.ready()
    single = page.item
    page.press("g")
    items = page.opened().items
    value = page.title.split("“")[1][0]
    other = "1" if value != "1" else "6"
    assert len(items) >= 12 and len(set(items)) == len(items)

    # Two are wrong: the second and the last.
    page.press("ArrowRight", other, "End", other)
    fixed = dict.fromkeys((items[1], items[-1]), other)
    assert page.marked == fixed
    page.press("Enter")
    wait_until(lambda: page.items[:1] not in ([], items[:1]), "the next page")
    second = page.items
    assert not set(second) & set(items) and page.marked == {}
    page.saved()
    pressed = {item: fixed.get(item, value) for item in items}
    rows = told(book, items)
    assert {item: row["label"] for item, row in rows.items()} == pressed
    for row in rows.values():
        assert (row["strategy"], row["suggestion"], row["visible"]) == ("grid", value, True)
        assert row["audit"] is False
    seconds = {row["seconds"] for row in rows.values()}
    assert len(seconds) == 1 and 0 < seconds.pop() * len(items) < 60

    # One key takes all of it back, and it is there again as it was.
    page.press("z")
    page.saved()
    assert told(book, items) == {}
    assert (page.items, page.marked) == (items, fixed)
    page.press("Enter")
    page.saved()
    assert {item: row["label"] for item, row in told(book, items).items()} == pressed
    kinds = book.execute("labeler.history['kind'].value_counts().to_dict()")
    assert kinds == {"label": 24 + 2 * len(items), "retract": len(items)}

    # The next page is said, and the browser's page is gone before anybody has answered.
    assert page.items == second
    book.save()
    page.root.locator(".nblabel-tiles").focus()
    page.press("Enter")
    book.reload()
    page = Page(book)
    page.ready()
    page.saved()
    assert {row["label"] for row in told(book, second).values()} == {value}
    assert len(told(book, second)) == len(second)

    # Undo of a page goes by the log: it is one key after a reload too.
    page.press("z")
    # As many of them as there is room for now: the notebook may be narrower.
    wait_until(lambda: page.items, "the page that was taken back")
    marked = page.marked
    assert marked and marked.items() <= dict.fromkeys(second, value).items()
    page.saved()
    assert told(book, second) == {}
    page.press("Escape")
    page.root.locator(".nblabel-card").wait_for()
    assert page.item not in items and single != ""
    page.press("0")
    page.saved()
    assert book.execute("len(labeler.labels)") == 24 + len(items) + 1


def test_what_is_like_an_item_and_what_has_some_words(notebook: Opener) -> None:
    book = notebook(cells=[WORDS])
    book.run_cell(0)
    page = Page(book)
    page.ready()
    single = page.item
    page.press("m")
    like = page.opened().items
    assert like[0] == single and all(int(item) >= 10 for item in like)
    assert page.marked == {} and page.title.startswith("Like item")
    # One key says what all of them are, another one what one of them is.
    page.press("2", "ArrowDown", "ArrowRight", "1", "Enter")
    page.saved()
    rows = told(book, like)
    assert {item: row["label"] for item, row in rows.items()} == {
        item: "ham" if k == 1 else "spam" for k, item in enumerate(like)
    }
    assert {(row["strategy"], row["visible"]) for row in rows.values()} == {("similar", False)}

    page.press("w")
    book.page.keyboard.type("prize 5")
    page.press("Enter")
    found = page.opened().items
    expected = [str(k) for k in range(60) if k % 2 and "5" in str(k)]
    wait_until(lambda: page.items == expected[: len(page.items)], "the words")
    found = page.items
    before = told(book, found)
    page.press("1", "Enter")
    page.saved()
    for item, row in told(book, found).items():
        # What has a label keeps it, unless it is changed for itself.
        assert row["label"] == (before[item]["label"] if item in before else "ham")
        assert row["strategy"] == (before[item]["strategy"] if item in before else "search")
    page.press("Escape")
    page.root.locator(".nblabel-card").wait_for()
