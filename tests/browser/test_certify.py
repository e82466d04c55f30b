"""A certificate by keys: verify what comes, let the machine label the rest, take it back."""

from __future__ import annotations

import re
from collections.abc import Callable

from .lab import Notebook, wait_until
from .test_grid import Page
from .test_journeys import Widget

Opener = Callable[..., Notebook]

CODE = """
import numpy as np, nblabel as nl
images, digits = nl.datasets.digits()
digits = digits.astype(str)
easy = np.flatnonzero(np.isin(digits, ["0", "1", "6"]))[:240]
truth = dict(zip(map(str, range(240)), digits[easy]))
session = nl.Session(images[easy], ["0", "1", "6"], store=None, inline=True, blind=0, batch=500)
for asked in session.next(60):
    session.record(asked, truth[asked.id])
session.retrain(wait=True)
labeler = nl.Labeler(session)
labeler
"""


def test_a_certificate_by_keys(notebook: Opener) -> None:
    """What is verified comes blind and first; it ends by itself; revoking takes all of it back."""
    book = notebook([CODE])
    book.run_all()
    widget = Widget(book).ready()
    truth: dict[str, str] = book.execute("truth")
    people = book.execute("len(labeler.labels)")
    book.execute("run = labeler.certify(0.1)")
    panel = widget.root.locator(".nblabel-certify")
    panel.wait_for()
    assert "more without an error" in panel.inner_text()
    assert panel.get_by_role("img").get_attribute("aria-label").startswith("Upper bound")
    # What lies under the eye and next stays; then comes what was drawn.
    rank = book.execute("labeler.session.rank_version")
    book.locator(f'.nblabel[data-rank="{rank}"]').wait_for()
    for _ in range(2):
        widget.press(truth[widget.item])
    seen = 0
    while panel.get_attribute("data-state") == "verifying":
        assert seen < 150, "it does not end"
        reason = widget.root.locator(".nblabel-reasons").inner_text()
        if reason != "drawn at random to verify":
            break  # the last answer is on its way
        assert widget.root.locator(".nblabel-suggested").count() == 0
        widget.press(truth[widget.item])
        seen += 1
    widget.root.locator('.nblabel-certify[data-state="certified"]').wait_for()
    widget.saved()
    assert "labeled by the machine" in panel.inner_text() and seen > 5
    who = book.execute("labeler.labels['annotator'].tolist()")
    auto = [name for name in who if name.startswith("auto:")]
    assert len(auto) > 50 and len(who) - len(auto) >= people + seen
    assert book.execute("labeler.frame()['label'].notna().sum() == len(labeler.labels)")
    # Keys that were pressed before the page heard of it stand above the machine.
    shown = re.search(r"([\d,]+)\s+labeled by the machine", panel.inner_text())
    made = book.execute("int(labeler.certificates['machine'].iloc[0])")
    assert shown and int(shown[1].replace(",", "")) == made >= len(auto)

    book.execute("labeler.revoke(labeler.certificates.index[0])")
    panel.wait_for(state="detached")
    left = book.execute("labeler.labels['annotator'].tolist()")
    assert len(left) == len(who) - len(auto)
    assert not any(name.startswith("auto:") for name in left)
    progress = widget.root.locator(".nblabel-progress").first
    wait_until(lambda: progress.inner_text().startswith(f"{len(left)} of"), "the page to hear")


def test_a_certificate_on_pages_is_begun_and_reached_in_the_widget(notebook: Opener) -> None:
    """What it takes is told, pages are verified with traps among them, and it ends by itself."""
    book = notebook([CODE])
    book.run_all()
    widget = Widget(book).ready()
    truth: dict[str, str] = book.execute("truth")
    taught = book.execute("labeler.labels['label'].to_dict()")
    page = Page(book)
    page.press("x")
    offers = widget.root.locator(".nblabel-offers button:focus")
    offers.wait_for()
    page.press("ArrowDown", "ArrowDown", "ArrowRight", "Enter")  # at most 5 % wrong, on pages
    page.opened()
    items: list[str] = []
    for _ in range(12):
        if not page.items:
            break
        items = page.items
        assert page.marked == {}
        tiles = widget.root.locator(".nblabel-tile")
        names = tiles.evaluate_all(
            "tiles => tiles.map((tile) => [tile.dataset.item, "
            "tile.querySelector('.nblabel-tile-mark').textContent])"
        )
        columns = [item for item, _ in names]
        for item, name in names:
            if truth[item] != name:
                page.press("Home", *["ArrowRight"] * columns.index(item), truth[item])
        page.press("Enter")
        wait_until(lambda before=items: page.items != before or page.items == [], "the next page")
        page.saved()
        wait_until(
            lambda: widget.root.locator('.nblabel-many-items[data-ready="true"]').count() == 1,
            "the page to come or to end",
        )
    reached = widget.root.locator('.nblabel-certify[data-state="certified"]')
    reached.wait_for()
    assert "traps missed" in reached.inner_text()
    told = book.execute("labeler.certificates.iloc[0].to_dict()['vigilance']")
    assert told["traps"] > 5 and told["missed"] == 0
    labels = book.execute("labeler.labels['label'].to_dict()")
    assert taught.items() <= labels.items() and len(labels) > len(taught) + len(items)
    asked = "labeler.history.loc[lambda t: t.shown_strategy == 'certify']"
    verified = book.execute(f"{asked}[['item', 'value', 'shown_view']].values.tolist()")
    assert all(truth[item] == value and view == "grid" for item, value, view in verified)
    assert book.execute("labeler.labels['annotator'].str.startswith('auto:').sum() > 20")
    page.press("Escape", "Escape")
    reached.wait_for(state="detached")
    assert widget.item in truth
