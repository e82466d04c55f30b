"""Two kernels on one log: both label, nothing is lost, each sees what the other wrote."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nblabel.testing import FakePage

from .kernels import Annotator, Kernel, reopened


def test_two_kernels_label_at_once(
    tmp_path: Path, torture: bool, tally: Callable[..., None]
) -> None:
    path, presses = tmp_path / "labels.sqlite", 500 if torture else 60
    with Kernel(path, annotator="ana") as one, Kernel(path, annotator="bob") as two:
        pair = [Annotator(FakePage(kernel).open(), seed) for seed, kernel in enumerate((one, two))]
        # Each has half of the items, so that what stands does not hang on who was first.
        for half, annotator in enumerate(pair):
            annotator._items = iter(range(half, 5000, 2))

        def work(annotator: Annotator) -> None:
            for _ in range(presses):
                annotator.press()

        threads = [threading.Thread(target=work, args=(annotator,)) for annotator in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for annotator in pair:
            annotator.page.resend()  # what found the file held for too long, if any
        said = [event for annotator in pair for event, *_ in annotator.said]
        stored = [event.id for _, event in reopened(path)]
        lost, doubled = len(set(said) - set(stored)), len(stored) - len(set(stored))
        tally("two kernels", faults=1, labels=len(said), lost=lost, duplicated=doubled)
        assert lost == doubled == 0 and len(stored) == 2 * presses
        both = pair[0].labels() | pair[1].labels()
        for kernel in (one, two):
            assert kernel.ask("labels") == both


def test_each_sees_what_the_other_labeled_when_its_page_asks(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    with Kernel(path, texts=6) as one, Kernel(path, texts=6) as two:
        pages = [FakePage(kernel).open(6) for kernel in (one, two)]
        pages[0].label(pages[0].order[0], "ham")
        pages[0].skip(pages[0].order[0])
        taken = {event["item"] for event in pages[0].trail}
        assert taken & set(pages[1].order)
        pages[1].want(6, keep=[])
        assert not taken & set(pages[1].order)
        assert (pages[1].status["labeled"], pages[1].status["skipped"]) == (1, 1)
        late = pages[1].label(pages[0].order[0], "spam")
        pages[0].want()
        assert pages[0].status["labeled"] == 2 and late not in pages[0].outbox


def test_two_kernels_begin_a_log_at_once(tmp_path: Path, torture: bool) -> None:
    for number in range(20 if torture else 3):
        path = tmp_path / f"{number}.sqlite"
        with ThreadPoolExecutor(3) as threads:
            opened = list(threads.map(lambda path: Kernel(path, texts=10), [path] * 3))
        assert [kernel.opened for kernel in opened] == ["", "", ""]
        pages = [FakePage(kernel).open() for kernel in opened]
        for place, page in enumerate(pages):
            page.label(str(place), "ham")
        assert opened[0].ask("labels") == {"0": "ham", "1": "ham", "2": "ham"}
        assert len({page.received[0]["session"] for page in pages}) == 1
        for kernel in opened:
            kernel.kill()
