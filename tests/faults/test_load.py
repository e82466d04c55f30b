"""What a label costs does not grow: counted in calls, bytes and rows, never in time.

`benchmarks.soak` and `benchmarks.traffic` measure the same at full length.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from nblabel import Labeler
from nblabel.session import Session
from nblabel.testing import FakePage

CLASSES = ["ham", "spam"]


def text(k: int) -> str:
    return f"text {k:06} of the same length"


def open_session(n_items: int, **options: Any) -> Session:
    how = {"store": None, "inline": True, "annotator": "ana", "batch": 10**9, **options}
    return Session([text(k) for k in range(n_items)], CLASSES, **how)


def calls(act: Callable[[], Any]) -> int:
    """Count the functions that are called, of Python and of C, in this thread."""
    count = 0

    def look(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


def answer(page: FakePage, number: int) -> None:
    """Label the next item; a page asks for more when its window runs low."""
    page.received.clear()
    if len(page.order) < 10:
        page.want(30)
        for gone in page.items.keys() - set(page.order):
            del page.items[gone]  # as the browser's page does
    page.label(page.order[0], CLASSES[number % 2])


@pytest.mark.parametrize(
    "how",
    [
        {"model": False, "strategy": "random", "explore": 0.1},
        {"model": None, "explore": 0.1},
    ],
)
def test_a_label_costs_as_many_calls_as_the_first_ones(how: dict[str, Any]) -> None:
    session = open_session(1800, **how)
    page = FakePage(session).open(30)
    for item in ("1790", "1791", "1792"):
        page.skip(item)
    for number in range(12):
        answer(page, number)
    session.retrain()
    costs = []
    for number in range(1500):
        costs.append(calls(lambda number=number: answer(page, number)))
    # From the thirtieth audit on the curve has all its points.
    early, late = sum(costs[400:600]), sum(costs[-200:])
    assert session.status()["labeled"] == 1512
    assert late < 1.1 * early, f"{early / 200:.0f} calls a label at first, {late / 200:.0f} later"


def test_skipped_items_and_labels_without_seconds_cost_nothing_later() -> None:
    def cost(n: int) -> int:
        session = open_session(3000, model=False, strategy="random")
        for k in range(n):
            session.skip(str(k))
            session.record(str(1500 + k), "ham")
        assert session.status()["skipped"] == n
        return calls(session.status)

    assert cost(1400) <= 1.01 * cost(700)


def test_a_label_reads_its_own_row_only(tmp_path: Path) -> None:
    session = open_session(600, store=tmp_path / "labels.sqlite", model=False, strategy="random")
    page = FakePage(session).open(30)
    statements: list[str] = []
    sa.event.listen(
        session._log._engine,  # type: ignore[union-attr]
        "before_cursor_execute",
        lambda _c, _u, statement, *_: statements.append(statement),
    )
    made, read = [], []
    decode = session._log.read

    def count(after: int = 0) -> Any:
        rows = decode(after)
        read.append(len(rows))
        return rows

    session._log.read = count  # type: ignore[method-assign]
    for number in range(500):
        statements.clear()
        answer(page, number)
        made.append(len([s for s in statements if not s.startswith("BEGIN")]))
    session.close()
    assert set(made[:50]) == set(made[-50:]) and sum(read) == 500


def test_bytes_of_a_label_do_not_depend_on_labels_or_items() -> None:
    def traffic(n_items: int, labels: int) -> list[int]:
        session = open_session(n_items, model=False, strategy="random", explore=0.0)
        page = FakePage(session)
        sizes: list[int] = []
        send, receive = page._carry, page.receive

        def up(message: dict[str, Any]) -> None:
            sizes[-1] += len(str(message))
            send(message)

        def down(reply: dict[str, Any], buffers: Any = ()) -> None:
            sizes[-1] += len(str(reply)) + sum(map(len, buffers))
            receive(reply, buffers)

        page._carry, page.receive = up, down  # type: ignore[method-assign]
        sizes.append(0)
        page.open(30)
        for number in range(labels):
            sizes.append(0)
            answer(page, number)
        return sizes[1:]

    small, large = traffic(1000, 900), traffic(20_000, 900)
    early, late = sum(small[40:100]), sum(small[840:900])
    # Numbers in the status have more digits, and that is all.
    assert late < 1.03 * early and sum(large[840:900]) < 1.03 * sum(small[840:900])


def test_the_notebook_and_the_traits_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def sizes(n_items: int, labels: int) -> tuple[int, int, int]:
        labeler = Labeler(open_session(n_items, model=False, strategy="random"))
        page = FakePage(labeler).open(30)
        for number in range(labels):
            answer(page, number)
        bundle = labeler._repr_mimebundle_()
        assert bundle is not None
        state = labeler.get_state()
        made = len(str(bundle)), len(str({**state, "_esm": "", "_css": ""})), len(state)
        labeler.close()
        return made

    small, large = sizes(1000, 5), sizes(20_000, 900)
    assert abs(large[0] - small[0]) < 30 and large[1:] == small[1:]
