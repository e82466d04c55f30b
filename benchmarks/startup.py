"""How long until a long log is open? ``python -m benchmarks.startup``

Opens a session on a log of 100,000 labels, and one on a log of 1,000 labels over a million items,
and holds each against the least that it could take: reading the file once (the first), and making
the text of a million ids (the second). Best of some runs, in this process, imports done before.

The last line of the output is one line of JSON: seconds, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from nblabel import Session
from nblabel.events import LabelEvent, Shown, now
from nblabel.pool import digest
from nblabel.store import SqliteLog

CLASSES = ["ham", "spam"]


def texts(n: int) -> list[str]:
    """Short texts."""
    return [f"item {k} some words of a short text {k % 977} and {k % 31}" for k in range(n)]


def fill(path: Path, items: Sequence[str], n_labels: int) -> None:
    """Write labels to a new log."""
    log = SqliteLog(path)
    for start in range(0, n_labels, 5000):
        log.append(
            [
                LabelEvent(
                    f"{k:032x}", "label", str(k), "ana", CLASSES[k % 2], now(), 1.5,
                    Shown("auto", k % 10 == 0, k, 2**40, None, 3, "ham", 0.7512, True, k, "ham", 3),
                    digest(items[k]),
                )
                for k in range(start, min(start + 5000, n_labels))
            ]
        )  # fmt: skip
    log.close()


def best(act: Callable[[], Any], runs: int) -> float:
    """Return the least time of some runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        made = act()
        times.append(time.perf_counter() - start)
        if isinstance(made, Session):
            made.close()
    return min(times)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.startup", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        long, wide = Path(folder) / "long.sqlite", Path(folder) / "wide.sqlite"
        items = texts(max(options.events, options.items))
        few = items[: options.events]
        frame = pd.DataFrame({"text": few})
        fill(long, items, options.events)
        fill(wide, items, 1000)
        Session(items[:100], CLASSES, store=None, inline=True).close()  # imports what it needs
        read = best(long.read_bytes, options.runs)
        opened = best(lambda: Session(few, CLASSES, store=long), options.runs)
        framed = best(lambda: Session(frame, CLASSES, text="text", store=long), options.runs)
        ids = best(lambda: [str(k) for k in range(options.items)], options.runs)
        million = best(lambda: Session(items, CLASSES, store=wide), options.runs)
        size = long.stat().st_size
    line = {
        "events": options.events,
        "file_mb": size / 1e6,
        "read_s": read,
        "open_s": opened,
        "open_frame_s": framed,
        "ratio": opened / read,
        "items": options.items,
        "ids_s": ids,
        "million_s": million,
        "million_ratio": million / ids,
    }
    print(json.dumps({name: round(value, 3) for name, value in line.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
