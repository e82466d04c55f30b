"""Does a long day of labeling cost more in the evening? ``python -m benchmarks.soak``

20,000 labels through the widget's protocol with a page that is no browser, on a pool of 25,000
texts, kept in a file, with a training every ten labels in the worker process. Reported: the memory
of this process after the warm-up and at the end, the time of an append to the log and of an
acknowledgement (the message in, the reply out) in the first and the last thousand after it, and the
number and size of the widget's traits.

The last line of the output is one line of JSON: memory in MB, times as medians in milliseconds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nblabel import Labeler
from nblabel.testing import FakePage

from .startup import CLASSES, texts


def memory() -> float:
    """Return the memory that this process holds, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def answer(page: FakePage, number: int) -> None:
    """Label the next item; a page asks for more when its window runs low."""
    page.received.clear()
    if len(page.trail) > 500:
        del page.trail[:-200]
    if len(page.order) < 10:
        page.want(30)
        page.items = {item: page.items[item] for item in page.order}
        page.buffers.clear()
    page.label(page.order[0], CLASSES[number % 7 % 2])


def traits(labeler: Labeler) -> list[int]:
    """Return number and size of what is synced."""
    state = labeler.get_state()
    return [len(state), len(json.dumps(state, default=str))]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table and its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--labels", type=int, default=20_000)
    parser.add_argument("--items", type=int, default=25_000)
    # The default engine solves exactly up to 3,000 labels: until then its matrices grow.
    parser.add_argument("--warm", type=int, default=4000, help="labels of the warm-up")
    parser.add_argument("--worker", default="auto")
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    appends: list[float] = []
    acks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        labeler = Labeler(
            texts(options.items), CLASSES, store=Path(folder) / "labels.sqlite", annotator="ana",
            worker=options.worker,
        )  # fmt: skip
        session: Any = labeler.session
        append = session._log.append

        def timed(events: Any) -> Any:
            start = time.perf_counter()
            made = append(events)
            appends.append(1000 * (time.perf_counter() - start))
            return made

        session._log.append = timed
        page = FakePage(labeler).open(30)
        print("   labels   memory MB   append ms   ack ms")
        before: dict[str, Any] = {}
        for number in range(options.labels):
            start = time.perf_counter()
            answer(page, number)
            acks.append(1000 * (time.perf_counter() - start))
            done = number + 1
            if done % 2000 == 0 or done == options.warm:
                session.wait(60)
                held = memory()
                print(
                    f"{done:>9,}{held:>12.1f}{statistics.median(appends[-1000:]):>12.3f}"
                    f"{statistics.median(acks[-1000:]):>9.3f}",
                    flush=True,
                )
                if done == options.warm:
                    before = {"memory": held, "traits": traits(labeler)}
        session.wait(120)
        after = {"memory": memory(), "traits": traits(labeler)}
        error = session.last_error
        trained = session.status()["version"]
        labeler.close()
        session.close()
    if error:
        raise RuntimeError(error)
    w = options.warm

    def typical(times: list[float], of: Callable[[list[float]], float]) -> list[float]:
        return [round(of(part), 3) for part in (times[w : w + 1000], times[-1000:])]

    line = {
        "labels": options.labels,
        "trainings": trained,
        "memory_mb": [round(before["memory"], 1), round(after["memory"], 1)],
        "memory_ratio": round(after["memory"] / before["memory"], 3),
        "append_ms": typical(appends, statistics.median),
        "ack_ms": typical(acks, statistics.median),
        "ack_mean_ms": typical(acks, statistics.fmean),
        "traits": [before["traits"], after["traits"]],
    }
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
