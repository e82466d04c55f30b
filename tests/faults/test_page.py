"""Faults of pages, lines and kernels, in a real JupyterLab in a real Chromium.

The law: what the screen has accepted is in the log, or still in the browser's outbox; and when all
is well again it is in the log, once.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

import nblabel

from ..browser.lab import Browser, JupyterServer, Notebook, wait_until
from .annotator import Annotator, Ledger, cell
from .line import Line

Tally = Callable[..., None]


class Day:
    """One notebook with one labeler, and the faults that a day may bring."""

    def __init__(self, book: Notebook, line: Line, store: Path, rng: random.Random) -> None:
        self.book, self.line, self.store, self.rng = book, line, store, rng
        self.ledger = Ledger()
        self.hand = Annotator(book, self.ledger)

    def label(self) -> None:
        """Give some labels; nobody waits until they are saved."""
        self.hand.hurry(self.rng.randint(3, 9), self.rng.choice("12"))

    def run(self) -> None:
        """Run the cells, as at the start or after the end of a kernel."""
        self.book.run_all()
        self.book.save()
        self.hand.ready()

    def kernel_killed(self) -> None:
        """SIGKILL at a random moment, at 10 labels a second, until the widget notices."""
        kill = self.book.kernel_process().kill
        timer = threading.Timer(self.rng.uniform(0.2, 2.0), kill)
        timer.start()
        self.hand.work(10, lambda screen: screen.state == "gone", "the widget to notice")
        timer.join()
        self.ledger.kept(self.book, self.store)
        self.book.wait_revived()
        self.run()

    def kernel_restarted(self) -> None:
        """A restart while labels are unsent: the kernel was stopped before it read them."""
        kernel = self.book.kernel_process()
        kernel.suspend()
        before = len(self.ledger.accepted)
        self.label()
        assert self.hand.look().unsaved >= len(self.ledger.accepted) - before > 0
        kernel.kill()
        self.book.wait_revived()
        self.ledger.kept(self.book, self.store)
        self.run()

    def page_reloaded(self) -> None:
        """Loaded anew with labels unsent, and once more before the kernel has answered."""
        kernel = self.book.kernel_process()
        kernel.suspend()
        self.label()
        # Chromium refuses, or forgets, to load a page that it has only begun to show.
        self.book.page.reload(wait_until="domcontentloaded")
        kernel.resume()
        self.book.reload()
        self.hand.ready()

    def tab_closed(self) -> None:
        """Closed with labels unsent; opened again."""
        kernel = self.book.kernel_process()
        kernel.suspend()
        self.label()
        self.book.page.close()
        kernel.resume()
        self.book.open(self.book.path)
        self.hand = Annotator(self.book, self.ledger).ready()

    def line_cut(self) -> None:
        """The browser sleeps, its sockets are gone, and it wakes."""
        self.label()
        self.line.cut()
        self.label()
        protocol = self.book.context.new_cdp_session(self.book.page)
        protocol.send("Page.setWebLifecycleState", {"state": "frozen"})
        protocol.send("Page.setWebLifecycleState", {"state": "active"})
        protocol.detach()
        self.label()
        self.ledger.kept(self.book, self.store)
        self.line.mend()

    def shown_twice(self) -> None:
        """The same widget in two outputs of a page, used in turn."""
        other = Annotator(self.book, self.ledger, 1)
        for _ in range(3):
            other.root.focus()
            other.hurry(2, "2")
            self.hand.root.focus()
            self.hand.hurry(2, "1")

    def two_tabs(self) -> None:
        """Two tabs on one kernel, used in turn; one is closed with labels unsent."""
        tab = Notebook(self.book.browser, self.line.server, context=self.book.context)
        tab.open(self.book.path)
        other = Annotator(tab, self.ledger).ready()
        for _ in range(3):
            other.hurry(2, "2")
            self.hand.hurry(2, "1")
        kernel = self.book.kernel_process()
        kernel.suspend()
        other.hurry(3, "2")
        self.hand.hurry(3, "1")
        tab.page.close()
        kernel.resume()


FAULTS: dict[str, Callable[[Day], None]] = {
    "kernel killed at 10 labels a second": Day.kernel_killed,
    "kernel restarted with labels unsent": Day.kernel_restarted,
    "page reloaded": Day.page_reloaded,
    "tab closed and opened": Day.tab_closed,
    "browser asleep, line cut": Day.line_cut,
    "the same widget shown twice": Day.shown_twice,
    "two tabs on one kernel": Day.two_tabs,
}


def test_no_fault_loses_or_doubles_a_label(
    browser: Browser, server: JupyterServer, torture: bool, tally: Tally
) -> None:
    """All faults, one after the other on one log, in an order drawn anew for every round."""
    rng = random.Random(20261121)
    with Line(server) as line:
        book = Notebook(browser, line.server).open("day.ipynb", [cell("day"), "labeler"])
        try:
            day = Day(book, line, server.root / "day.sqlite", rng)
            day.run()
            for _ in range(5 if torture else 1):
                for name in rng.sample(list(FAULTS), len(FAULTS)):
                    with browser.limit(180):
                        day.label()
                        FAULTS[name](day)
                        day.label()
                        day.hand.saved()
                        day.ledger.settle(book, tally, name)
        finally:
            line.mend()
            book.close()


# A busy kernel ------------------------------------------------------------------------------

#: At two labels a second a kernel that is busy for a minute is outlasted.
MINUTE = 120
SETTINGS = "@jupyterlab/apputils-extension:kernels-settings"
UNTIL = "free"
#: Whether kernels of the shared server serve widgets beside a cell.
SUBSHELLS = int(metadata.version("ipykernel").split(".")[0]) >= 7
BUSY = """
import pathlib, time
free = time.monotonic() + {seconds}
while time.monotonic() < free or not pathlib.Path({until!r}).exists():
    time.sleep(0.05)
"""


def beside_a_busy_cell(
    book: Notebook, server: JupyterServer, torture: bool, *, answers: bool
) -> Ledger:
    """Label beside a cell that ends when it is told to, after a minute in the long form.

    With ``answers`` the kernel is expected to serve the page meanwhile; without, the window ends.
    """
    ledger = Ledger()
    hand = Annotator(book, ledger)
    book.run_cell(0)
    hand.ready()
    # Somewhere between two requests for items, and not when the window was filled just now.
    hand.hurry(random.Random(4).randint(10, 30))
    hand.saved()
    book.run_cell(1, wait=False)
    hand.root.focus()
    before = len(ledger.accepted)
    if torture:
        hand.work(2, lambda _: len(ledger.accepted) - before >= MINUTE, "a minute of labels")
    hand.hurry(MINUTE - (len(ledger.accepted) - before))
    assert len(ledger.accepted) - before == MINUTE, "the window ended within a minute's labels"
    if answers:
        hand.saved()
        hand.hurry(40)  # more than a window without any request
        assert hand.look().state == "ready"
    else:
        hand.work(50, lambda screen: screen.state == "loading", "the end of the window")
        wait_until(lambda: "labels are kept" in hand.root.inner_text(), "a calm word")
        assert hand.look().unsaved == len(ledger.accepted) - before
        assert "Go on labeling" not in hand.root.inner_text()
        if folder := os.environ.get("NBLABEL_PICTURES"):
            for theme in ("light", "dark"):
                book.set_theme(theme)
                hand.root.locator(f"xpath=self::*[@data-theme='{theme}']").wait_for()
                book.screenshot(Path(folder, f"window-ended-{theme}.png"), hand.root)
            hand.root.focus()
    assert book.is_running(1), "the cell ended too early: the test shows nothing"
    (server.root / UNTIL).touch()
    book.wait_cell(1, timeout=90)
    # By itself: nothing is clicked, pressed or run.
    hand.root.locator("xpath=self::*[@data-state='ready' and @data-unsaved='0']").wait_for()
    hand.hurry(3)
    hand.saved()
    return ledger


@pytest.fixture
def busy_cells(server: JupyterServer, torture: bool) -> list[str]:
    """A labeler, and a cell that keeps the kernel busy."""
    for left in server.root.glob("busy.sqlite*"):
        left.unlink()
    (server.root / UNTIL).unlink(missing_ok=True)
    return [cell("busy", batch=1000), BUSY.format(seconds=60 if torture else 10, until=UNTIL)]


def test_a_window_outlasts_a_busy_kernel(
    notebook: Callable[..., Notebook], server: JupyterServer, torture: bool, tally: Tally,
    busy_cells: list[str],
) -> None:  # fmt: skip
    """Without subshells: 120 labels and more, then a calm word, then on by itself."""
    server.set_setting(SETTINGS, commsOverSubshells="disabled")
    book = notebook(busy_cells)
    ledger = beside_a_busy_cell(book, server, torture, answers=False)
    ledger.settle(book, tally, "kernel busy, without subshells")


def test_a_busy_kernel_with_subshells_goes_on_serving(
    notebook: Callable[..., Notebook], server: JupyterServer, torture: bool, tally: Tally,
    busy_cells: list[str],
) -> None:  # fmt: skip
    """With subshells the window never ends, and labels are saved while the cell runs."""
    if not torture:
        pytest.skip("quick: tests/browser has a journey beside a busy cell; --torture runs this")
    book = notebook(busy_cells)
    ledger = beside_a_busy_cell(book, server, torture, answers=True)
    ledger.settle(book, tally, "kernel busy, with subshells")


def test_a_window_outlasts_a_busy_kernel_of_ipykernel_6(
    browser: Browser, torture: bool, tally: Tally
) -> None:
    """The same with ipykernel 6, which has no subshells."""
    python = os.environ.get("NBLABEL_IPYKERNEL6")
    if not (torture and python):
        pytest.skip(
            "--torture runs this where NBLABEL_IPYKERNEL6 names a Python that has ipykernel 6 and "
            "what nblabel needs"
        )
    source = str(Path(nblabel.__file__).parents[1])
    with JupyterServer(python=python, env={"PYTHONPATH": source}) as server:
        cells = [cell("busy", batch=1000), BUSY.format(seconds=60, until=UNTIL)]
        book = Notebook(browser, server).open("six.ipynb", cells)
        try:
            version = book.execute("import ipykernel; ipykernel.__version__")
            assert version.startswith("6."), f"{python} has ipykernel {version}"
            ledger = beside_a_busy_cell(book, server, torture, answers=False)
            ledger.settle(book, tally, "kernel busy, ipykernel 6")
        finally:
            book.close()


# What a cell says ----------------------------------------------------------------------------


def test_what_a_cell_changes_shows_by_itself(
    notebook: Callable[..., Notebook], server: JupyterServer
) -> None:
    """Taken back, labeled and added in a cell: the widget follows, untouched."""
    until = "told-free"
    undo = "labeler.session.undo()" + BUSY.format(seconds=0, until=until)
    book = notebook([cell("told", 40, model=False, strategy="random"), undo])
    book.run_cell(0)
    ledger = Ledger()
    hand = Annotator(book, ledger).ready()
    hand.hurry(4)
    hand.saved()
    taken, _ = ledger.accepted[-1]
    progress = hand.root.locator("footer .nblabel-progress").first
    book.run_cell(1, wait=False)
    if SUBSHELLS:
        # The cell has spoken, and is still at it: the next keys are not led to its busy thread.
        progress.get_by_text("3 of 40").wait_for()
        hand.root.focus()
        hand.hurry(2)
        hand.saved()
        assert book.is_running(1)
    else:
        hand.root.focus()
        hand.hurry(2)
    (server.root / until).touch()
    book.wait_cell(1)
    progress.get_by_text("5 of 40").wait_for()
    hand.saved()
    here = hand.look().item
    given = book.execute(
        f"kept = {{*map(str, labeler.labels.index), {taken!r}, {here!r}}}\n"
        "item = next(item for item in reversed(labeler.session.pool.ids) if item not in kept)\n"
        "labeler.session.record(item, 'spam').item"
    )
    progress.get_by_text("6 of 40").wait_for()
    book.execute("labeler.add(['one more', 'and one more'])")
    progress.get_by_text("6 of 42").wait_for()
    assert hand.look().item == here, "nothing moves under the eye"
    # What was taken back is asked again, what was labeled is not; at the end all have a label.
    hand.work(50, lambda screen: screen.state == "finished", "the end")
    asked = [item for item, _ in ledger.accepted]
    assert asked.count(taken) == 2
    assert given not in asked
    hand.saved()
    assert book.execute("len(labeler.labels)") == 42
