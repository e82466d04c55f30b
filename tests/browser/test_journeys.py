"""Journeys in a real JupyterLab: press keys, then assert on the Python object."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .lab import Notebook, wait_until

ROOT = Path(__file__).parents[2]
LIBRARIES = ["numpy", "pandas", "scipy", "sklearn"]
SMALL = """
import nblabel as nl
items = [f"item number {k}, about {'money' if k % 2 else 'lunch'}" for k in range(200)]
labeler = nl.Labeler(items, ["ham", "spam"], name="small")
labeler
"""

Opener = Callable[..., Notebook]


class Widget:
    """The hands and eyes of a person at one widget."""

    def __init__(self, notebook: Notebook, index: int = 0) -> None:
        self.notebook = notebook
        self.root = notebook.locator(".nblabel").nth(index)

    def ready(self) -> Widget:
        """Wait for the first item and take the focus."""
        self.root.locator("xpath=self::*[@data-state='ready']").wait_for()
        self.root.focus()
        return self

    @property
    def item(self) -> str:
        """Id of the item on the screen."""
        return self.root.locator(".nblabel-card").get_attribute("data-item") or ""

    def press(self, key: str) -> str:
        """Press a key and return the id of the item that was on the screen."""
        before = self.item
        self.notebook.page.keyboard.press(key)
        return before

    def saved(self) -> None:
        """Wait until the kernel has said that everything is on disk."""
        self.root.locator("xpath=self::*[@data-unsaved='0']").wait_for()


def labels_of(notebook: Notebook, name: str = "labeler") -> dict[str, str]:
    """Labels by item id, as the kernel has them."""
    return {str(k): v for k, v in notebook.execute(f"{name}.labels['label'].to_dict()").items()}


@pytest.fixture
def quickstart(notebook: Opener, server: Any) -> Notebook:
    """The quickstart, opened from its file."""
    shutil.copy(ROOT / "examples" / "quickstart.ipynb", server.root / "quickstart.ipynb")
    return notebook(name="quickstart.ipynb")


def first_code_cell(notebook: Notebook) -> int:
    """Index of the cell with the labeler."""
    return next(k for k, cell in enumerate(notebook.cells()) if cell.type == "code")


def test_the_main_journey(quickstart: Notebook) -> None:
    """Label thirty, undo two, change one, flag one; learn; restart; all is there."""
    cell = first_code_cell(quickstart)
    before = quickstart.cells()
    quickstart.run_cell(cell)
    widget = Widget(quickstart).ready()

    pressed: dict[str, str] = {}
    order: list[str] = []
    for k in range(30):
        choice = (k * 7) % 4
        item = widget.press(str(choice + 1))
        pressed[item] = LIBRARIES[choice]
        order.append(item)
    assert len(pressed) == 30, "an item came twice"

    for _ in range(2):
        widget.press("z")
        pressed.pop(order.pop())
    assert widget.item not in pressed

    widget.press("ArrowLeft")
    widget.press("ArrowLeft")
    changed = widget.press("4")
    assert changed == order[-2]
    pressed[changed] = "sklearn"
    widget.press("ArrowRight")
    flagged = widget.press("f")
    widget.press("1")
    pressed[flagged] = "numpy"
    widget.saved()

    assert labels_of(quickstart) == pressed
    flags = quickstart.execute("labeler.labels.query('flagged').index.tolist()")
    assert flags == [flagged]
    assert quickstart.execute("labeler.labels.index.isin(docs.index).all()")

    # After a batch the model has learned, and what comes next follows the new ranking.
    quickstart.wait_for("labeler.session.wait(30) and labeler.session.status()['version'] > 0")
    assert quickstart.execute("hasattr(labeler.model, 'predict')")
    rank = quickstart.execute("labeler.session.rank_version")
    assert rank >= 2
    quickstart.locator(f'.nblabel[data-rank="{rank}"]').wait_for()
    # The item under the eye stays as it was; suggestions come with the items behind it.
    while not quickstart.locator(".nblabel-suggested").count():
        pressed[widget.press("2")] = "pandas"
        assert len(pressed) < 40, "no suggestion was shown"
    accepted = quickstart.locator(".nblabel-label:has(.nblabel-suggested)").get_attribute(
        "data-label"
    )
    accepted_item = widget.press(" ")
    pressed[accepted_item] = accepted or ""
    widget.saved()

    # The kernel ends; the dead widget says so; the cell run again goes on where we were.
    quickstart.restart_kernel()
    quickstart.locator('.nblabel[data-state="gone"]').first.wait_for()
    quickstart.run_cell(cell)
    widget = Widget(quickstart).ready()
    assert labels_of(quickstart) == pressed
    assert quickstart.execute("labeler.labels.query('flagged').index.tolist()") == [flagged]
    assert widget.item not in pressed
    # Undo reaches back behind the restart.
    widget.press("z")
    widget.saved()
    del pressed[accepted_item]
    assert labels_of(quickstart) == pressed

    after = quickstart.cells()
    assert [c.type for c in after] == [c.type for c in before], "a key leaked into the notebook"


def test_a_reload_in_the_middle_loses_nothing(notebook: Opener) -> None:
    """The host restores the widget; labeling goes on without running the cell again."""
    book = notebook([SMALL])
    book.run_cell(0)
    widget = Widget(book).ready()
    pressed = {widget.press("1"): "ham" for _ in range(7)}
    book.save()
    # Whether or not these are acknowledged before the page goes: they are kept.
    pressed |= {widget.press("2"): "spam" for _ in range(5)}
    book.reload()
    widget = Widget(book).ready()
    assert widget.item not in pressed
    pressed |= {widget.press("1"): "ham" for _ in range(5)}
    widget.saved()
    assert labels_of(book) == pressed
    book.run_cell(0)
    widget = Widget(book).ready()
    pressed[widget.press("2")] = "spam"
    widget.saved()
    assert labels_of(book) == pressed


#: A question as long as leaves the line above the item just full.
FILL_THE_TOP = """
() => {
  const top = document.querySelector(".nblabel-top");
  const [question, about] = top.children;
  const parts = [about, ...top.querySelector(".nblabel-state").children];
  const width = parts.reduce((sum, part) => sum + part.offsetWidth + 1 + 14, 0);
  question.style.flex = `0 0 ${top.clientWidth - 2 * 16 - width}px`;
}
"""

WATCH = """
(selector) => {
  const watched = document.querySelector(selector);
  window.heights = new Set([watched.offsetHeight]);
  new ResizeObserver(() => window.heights.add(watched.offsetHeight)).observe(watched);
}
"""


def test_what_the_model_does_moves_nothing(notebook: Opener) -> None:
    """What is said of labels and trainings, above the item, has its room from the first on."""
    book = notebook([SMALL])
    book.run_cell(0)
    widget = Widget(book).ready()
    book.locator(".nblabel-model", has_text="no model yet").wait_for()
    height = book.locator(".nblabel-top").evaluate("top => top.offsetHeight")
    book.page.evaluate(FILL_THE_TOP)
    book.page.evaluate(WATCH, ".nblabel-top")
    for k in range(24):
        widget.press("12"[k % 2])
    widget.saved()
    book.locator(".nblabel-learning", has_text="certify").wait_for()
    assert book.page.evaluate("() => [...window.heights]") == [height]


def test_what_is_counted_below_the_labels_moves_nothing(notebook: Opener) -> None:
    """On a narrow card, too: cells below would jump."""
    book = notebook([SMALL.replace('"small"', '"small", explore=1')])  # soon there is an accuracy
    book.set_cell_width(420)
    book.run_cell(0)
    widget = Widget(book).ready()
    book.page.evaluate(WATCH, ".nblabel-foot")
    for k in range(12):
        widget.press("12"[k % 2])
    widget.saved()
    book.locator(".nblabel-accuracy", has_text="random checks").wait_for()
    for k in range(36):
        widget.press("12"[k % 2])
    widget.saved()
    book.locator(".nblabel-pace", has_text="per min").wait_for()
    book.locator(".nblabel-accuracy", has_text="right on what is left").wait_for()
    assert len(book.page.evaluate("() => [...window.heights]")) == 1
    # Each was a random draw, and the page has said with which probability.
    chances = book.execute("labeler.history['shown_probability'].tolist()")
    assert len(chances) == 48 and all(1 / 200 <= chance <= 1 / (200 - 90) for chance in chances)
    below = book.locator(".nblabel-foot .nblabel-aim")
    assert below.text_content() == book.execute("labeler.session.status()['doing']")
    assert below.is_visible()


def test_a_label_of_the_last_moment_outlives_its_page(notebook: Opener) -> None:
    """The page goes in the very task of the key: nothing of it was painted, kept or sent."""
    book = notebook([SMALL])
    book.run_cell(0)
    widget = Widget(book).ready()
    pressed = {widget.press("1"): "ham"}
    widget.saved()
    book.save()
    item = widget.item
    # By a dead line: what is left in the browser's storage is all that can bring it back.
    book.page.context.set_offline(True)
    kept = book.page.evaluate(
        """() => {
            const stored = () =>
              Object.keys(localStorage).filter((key) => key.startsWith("nblabel/")).length;
            const before = stored();
            const press = { key: "2", bubbles: true, cancelable: true };
            document.querySelector(".nblabel").dispatchEvent(new KeyboardEvent("keydown", press));
            const at_once = stored();
            window.dispatchEvent(new PageTransitionEvent("pagehide"));
            return [before, at_once, stored()];
        }"""
    )
    assert kept[2] == kept[0] + 1 > kept[1]
    book.page.context.set_offline(False)
    book.reload()
    widget = Widget(book).ready()
    widget.saved()
    pressed[item] = "spam"
    assert labels_of(book) == pressed


def test_a_busy_kernel_stalls_no_key(notebook: Opener) -> None:
    """Labeling goes on while a cell runs, and every label arrives on its item."""
    book = notebook([SMALL, "import time; time.sleep(6)"])
    book.run_cell(0)
    widget = Widget(book).ready()
    book.run_cell(1, wait=False)
    widget.root.focus()
    pressed = {}
    for k in range(40):
        key = "1" if k % 3 else "2"
        pressed[widget.press(key)] = "ham" if key == "1" else "spam"
    assert book.is_running(1), "the cell ended before the keys were pressed: the test shows nothing"
    assert len(pressed) == 40
    book.wait_cell(1)
    widget.saved()
    assert labels_of(book) == pressed


def test_every_key_stays_in_the_widget(notebook: Opener) -> None:
    """No cell is run, deleted, moved or made, whatever is pressed."""
    book = notebook(["n = globals().get('n', 0) + 1", SMALL])
    book.run_all()
    widget = Widget(book).ready()
    before = book.cells()
    for key in [
        "x", "d", "d", "0", "0", "j", "k", "a", "b", "c", "v", "m", "y", "Enter", "Shift+Enter",
        "Control+Enter", "Alt+Enter", "Escape", "ArrowUp", "ArrowDown", "Control+z", "Delete", "i", "i",
    ]:  # fmt: skip
        book.page.keyboard.press(key)
        widget.root.focus()
    # Also from inside a control, and from the field of a note.
    widget.root.locator(".nblabel-command").first.focus()
    for key in ["d", "d", "x", "Shift+Enter"]:
        book.page.keyboard.press(key)
    widget.root.focus()
    book.page.keyboard.press("n")
    book.locator(".nblabel-note textarea").wait_for()
    for key in ["d", "d", "x", "Control+Enter", "Escape"]:
        book.page.keyboard.press(key)
    assert book.cells() == before
    assert book.execute("n") == 1


def test_the_same_cell_twice(notebook: Opener) -> None:
    """The newer widget takes over; the older one says so."""
    book = notebook([SMALL, SMALL])
    book.run_cell(0)
    first = Widget(book).ready()
    item = first.press("1")
    first.saved()
    book.run_cell(1)
    wait_until(lambda: book.locator(".nblabel").count() == 2, "two widgets")
    second = Widget(book, 1)
    # The first one may have heard already that it was replaced: it asks while the kernel trains.
    ready = "document.querySelectorAll('.nblabel')[1]?.dataset.state === 'ready'"
    book.page.wait_for_function(ready)
    book.page.evaluate("document.activeElement.blur()")
    first.root.focus()  # coming back, it asks whether anything has changed
    book.locator('.nblabel[data-state="refused"]').wait_for()
    assert "opened again" in first.root.inner_text()
    second.root.focus()
    other = second.press("2")
    second.saved()
    assert labels_of(book) == {item: "ham", other: "spam"}


def test_two_pages_on_one_kernel(notebook: Opener, browser: Any, server: Any) -> None:
    """Two tabs label different items; nothing is lost or doubled."""
    book = notebook([SMALL])
    book.run_cell(0)
    one = Widget(book).ready()
    book.save()
    tab = Notebook(browser, server, context=book.context).open(book.path)
    try:
        two = Widget(tab).ready()
        pressed = {}
        for _ in range(6):
            pressed[one.press("1")] = "ham"
            pressed[two.press("2")] = "spam"
        one.saved()
        two.saved()
        assert len(pressed) == 12
        assert labels_of(book) == pressed
    finally:
        tab.close(kernel=False)


def test_many_labels_by_typing(notebook: Opener) -> None:
    """Seventy-seven labels: typing finds one, Enter gives it, space accepts the suggestion."""
    code = """
    import nblabel as nl
    names = [f"{a} {b}" for a in "card transfer refund exchange topup cash account".split()
             for b in "declined pending missing fee lost swallowed limit late wrong other open".split()]
    labeler = nl.Labeler([f"text about {n}" for n in names * 3], names, name="many", blind=0)
    labeler
    """
    book = notebook(["\n".join(line[4:] for line in code.splitlines())])
    book.run_cell(0)
    widget = Widget(book).ready()
    pressed = {}
    for typed, name in [
        ("refund lo", "refund lost"),
        ("cfee", "card fee"),
        ("exch", "exchange declined"),
    ]:
        item = widget.item
        book.page.keyboard.type(typed)
        if typed == "cfee":
            assert book.locator(".nblabel-chip").count() > 0
        picked = book.locator(".nblabel-picked").first.inner_text()
        book.page.keyboard.press("Enter")
        pressed[item] = picked
        if typed != "cfee":
            assert picked == name
        assert widget.root.evaluate("el => document.activeElement === el")
    item = widget.press("2")
    pressed[item] = "card pending"
    widget.press("Shift+S")
    widget.saved()
    assert labels_of(book) == pressed
    assert book.execute("labeler.session.status()['skipped']") == 1
    book.execute("labeler.session.retrain(wait=True, timeout=60)")
    widget.press("r")  # starts typing, so nothing is trained
    assert book.locator(".nblabel-search").input_value() == "r"
    book.page.keyboard.press("Escape")
    widget.press("ArrowLeft")
    widget.press("ArrowRight")


def test_accepting_and_hiding_suggestions(notebook: Opener) -> None:
    """Space accepts what is shown; what was visible is recorded."""
    code = SMALL.replace('name="small"', 'name="accept", blind=0, batch=6')
    book = notebook([code])
    book.run_cell(0)
    widget = Widget(book).ready()
    for _ in range(8):
        text = widget.root.locator(".nblabel-text").inner_text()
        widget.press("2" if "money" in text else "1")
    book.wait_for("labeler.session.wait(30) and labeler.session.status()['version'] > 0")
    book.locator(f'.nblabel[data-rank="{book.execute("labeler.session.rank_version")}"]').wait_for()
    widget.press("1")
    suggested = book.locator(".nblabel-label:has(.nblabel-suggested)").get_attribute("data-label")
    item = widget.press(" ")
    widget.press("h")
    assert book.locator(".nblabel-suggested").count() == 0
    hidden = widget.press("1")
    widget.saved()
    rows = json.loads(
        book.execute("labeler.labels[['label', 'suggestion', 'visible']].to_json(orient='index')")
    )
    assert rows[item] == {"label": suggested, "suggestion": suggested, "visible": True}
    assert rows[hidden]["visible"] is False


def test_a_note_is_kept(notebook: Opener) -> None:
    """A note is typed without the keys doing anything else."""
    book = notebook([SMALL])
    book.run_cell(0)
    widget = Widget(book).ready()
    item = widget.press("n")
    book.locator(".nblabel-note textarea").wait_for()
    book.page.keyboard.type("12 z? see page 3")
    book.page.keyboard.press("Enter")
    book.locator(".nblabel-noted").wait_for()
    assert widget.item == item
    widget.press("1")
    widget.saved()
    assert book.execute("labeler.labels['note'].to_dict()") == {item: "12 z? see page 3"}


def test_hostile_text_stays_text(notebook: Opener) -> None:
    """Markup in items, labels and questions is shown, never run, and asks for nothing outside."""
    code = """
import nblabel as nl
bad = ["<img src=x onerror='window.hacked=1'>", "<script>window.hacked=1</script>", "</textarea><svg onload='window.hacked=1'>"]
labeler = nl.Labeler(bad * 3, [bad[0], bad[2]], question=bad[1], instructions=bad[0] + "[x](javascript:window.hacked=1)", store=None)
labeler
"""
    html = """
import pandas as pd
framed = nl.Labeler(pd.DataFrame({"h": ["<b>bold</b>" + b for b in bad]}), ["a", "b"], html="h", store=None)
framed
"""
    book = notebook([code, html])
    book.run_all()
    book.locator('.nblabel[data-state="ready"]').nth(1).wait_for()
    book.locator('.nblabel-instructions[data-ready="true"]').wait_for()
    widget = Widget(book).ready()
    for _ in range(3):
        assert "<" in widget.root.locator(".nblabel-text").inner_text()
        widget.press("1")
    frame = book.page.frame_locator(".nblabel-html")
    assert frame.locator("b").inner_text() == "bold"
    assert frame.locator("script, img[onerror], svg[onload]").count() == 0
    assert book.page.evaluate("window.hacked") is None
    assert book.locator(".nblabel script, .nblabel [onerror], .nblabel [onload]").count() == 0


def test_a_digit_means_itself(notebook: Opener) -> None:
    """Labels that are digits have their own keys, and come back as numbers."""
    code = """
import nblabel as nl
images, truth = nl.datasets.digits()
labeler = nl.Labeler(images[:60], range(10), store=None)
labeler
"""
    book = notebook([code])
    book.run_cell(0)
    widget = Widget(book).ready()
    pressed = {widget.press(str(digit)): digit for digit in (3, 0, 9, 1)}
    widget.saved()
    assert labels_of(book) == pressed
