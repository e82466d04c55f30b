"""A scripted annotator: knows what it pressed, and reads from the screen what was accepted."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from nblabel.store import SqliteLog

from ..browser.lab import Notebook, wait_until
from ..browser.test_journeys import Widget

KEYS = {"1": "ham", "2": "spam"}

_LOOK = """(root) => [
    root.querySelector(".nblabel-card")?.dataset.item ?? "",
    root.dataset.state,
    Number(root.dataset.unsaved),
]"""
_OUTBOX = "() => Object.keys(localStorage).map((key) => [key, localStorage.getItem(key)])"


def cell(name: str, n_items: int = 4000, **options: Any) -> str:
    """Code of a cell with a labeler whose labels are kept in ``<name>.sqlite``."""
    more = "".join(f", {option}={value!r}" for option, value in options.items())
    return (
        "import nblabel as nl\n"
        f"items = [f'item number {{k}}, for ham or for spam' for k in range({n_items})]\n"
        f"labeler = nl.Labeler(items, ['ham', 'spam'], name={name!r}{more})\nlabeler"
    )


class Screen(NamedTuple):
    """What a person sees: the item, the state in one word, how many labels are unsaved."""

    item: str
    state: str
    unsaved: int


class Ledger:
    """What annotators gave and the screen accepted, held against the log and the outbox.

    Attributes
    ----------
    accepted : list of (item, label)
        After the key the screen showed the next item.
    unclear : list of (item, label)
        The widget ended with the key: it may have been taken or not.
    """

    def __init__(self) -> None:
        self.accepted: list[tuple[str, str]] = []
        self.unclear: list[tuple[str, str]] = []
        self._settled = 0

    def note(self, before: Screen, label: str, after: Screen) -> bool:
        """Write down one key; return whether the screen accepted it."""
        taken = before.state == "ready" and after.state in ("ready", "loading", "finished")
        if taken and after.item != before.item:
            self.accepted.append((before.item, label))
            return True
        if before.state == "ready" and not taken:
            self.unclear.append((before.item, label))
        return False

    def kept(self, book: Notebook, store: Path) -> None:
        """Assert that all that was accepted is in the log or still in the outbox."""
        with_log = SqliteLog(store)
        try:
            found = {(e.item, e.value) for _, e in with_log.read(0) if e.kind == "label"}
        finally:
            with_log.close()
        for text in self._outbox(book):
            event = json.loads(text)["event"]
            found.add((event["item"], event["value"]))
        assert set(self.accepted) <= found

    def _outbox(self, book: Notebook) -> list[str]:
        return [text for key, text in book.page.evaluate(_OUTBOX) if key.startswith("nblabel/")]

    def settle(self, book: Notebook, tally: Callable[..., None], row: str) -> None:
        """Count a fault, then assert that the log has exactly what the screen accepted.

        What a page left behind that has ended is delivered by another one after some seconds.
        """
        wait_until(lambda: not self._outbox(book), "the outbox of all pages to be empty")
        code = "labeler.history.query(\"kind == 'label'\")[['item', 'value']].values.tolist()"
        log = Counter((item, value) for item, value in book.execute(code))
        given = Counter(self.accepted)
        lost = given - log
        more = log - given - Counter(self.unclear)
        fresh = given.total() - self._settled
        tally(row, faults=1, labels=fresh, lost=lost.total(), duplicated=more.total())
        assert not lost, f"{row}: lost {lost}"
        assert not more, f"{row}: not given, or there more than once: {more}"
        self.accepted, self.unclear = list(log.elements()), []
        self._settled = len(self.accepted)
        labels = book.execute("labeler.labels['label'].to_dict()")
        assert {str(item): value for item, value in labels.items()} == dict(self.accepted)


class Annotator(Widget):
    """A person at one widget.

    Parameters
    ----------
    notebook : Notebook
    ledger : Ledger
    index : int
        Which of the widgets of the page.
    """

    def __init__(self, notebook: Notebook, ledger: Ledger, index: int = 0) -> None:
        super().__init__(notebook, index)
        self.ledger = ledger

    def look(self) -> Screen:
        """Read the screen."""
        return Screen(*self.root.evaluate(_LOOK))

    def give(self, key: str) -> Screen:
        """Press the key of a label; return what the screen shows then."""
        before = self.look()
        self.notebook.page.keyboard.press(key)
        after = self.look()
        self.ledger.note(before, KEYS[key], after)
        return after

    def hurry(self, n: int, key: str = "1") -> None:
        """Give n labels as fast as keys can be pressed."""
        for _ in range(n):
            self.give(key)

    def work(self, rate: float, done: Callable[[Screen], bool], what: str) -> None:
        """Label at a pace of `rate` a second until the screen says that it is done."""
        start, given = time.monotonic(), 0

        def step() -> bool:
            nonlocal given
            time.sleep(max(0.0, start + given / rate - time.monotonic()))
            given += 1
            return done(self.give("12"[given % 2]))

        wait_until(step, what, interval=0)
