"""What does a label that survives a power cut cost? ``python -m benchmarks.durability``

Appends labels one by one to a log on this disk, with each of SQLite's ``synchronous`` settings, in
turns. NORMAL waits for the disk at checkpoints only: a power cut may take the last labels. FULL and
EXTRA wait for it at every commit. Beside it what a bare write and fsync of a page costs here.

The last line of the output is one line of JSON: median and 95th percentile of an append, in
milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nblabel.events import LabelEvent, Shown, encode, new_id, now
from nblabel.store import SqliteLog

SETTINGS = ("NORMAL", "FULL", "EXTRA")


def _event() -> LabelEvent:
    shown = Shown("auto", True, 3, 2**40, None, 2, "ham", 0.75, True, 4, "spam", 1)
    return LabelEvent(new_id(), "label", "12345", "ana", "ham", now(), 1.25, shown, "0123456789")


def _time(act: Callable[[], object], count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        act()
        times.append(1000 * (time.perf_counter() - start))
    return times


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table and its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.durability", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--labels", type=int, default=200, help="in each turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--folder", help="on the disk to measure; by default the temporary one")
    options = parser.parse_args(argv)
    times: dict[str, list[float]] = {name: [] for name in (*SETTINGS, "fsync")}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        log = SqliteLog(Path(folder) / "labels.sqlite")
        page = encode(_event()).encode().ljust(4096)
        file = os.open(Path(folder) / "bare", os.O_WRONLY | os.O_CREAT)

        def bare() -> None:
            os.write(file, page)
            os.fsync(file)

        for _ in range(options.turns):
            for name in SETTINGS:
                with log._engine.connect() as connection:
                    connection.exec_driver_sql("COMMIT")  # it cannot be changed within one
                    connection.exec_driver_sql(f"PRAGMA synchronous={name}")
                    connection.exec_driver_sql("BEGIN")
                times[name] += _time(lambda: log.append([_event()]), options.labels)
            times["fsync"] += _time(bare, options.labels)
        os.close(file)
        log.close()
    line = {}
    print("            median ms   95 % ms")
    for name, found in times.items():
        median, high = statistics.median(found), statistics.quantiles(found, n=20)[-1]
        print(f"{name:10}{median:>11.3f}{high:>10.3f}")
        line[name.lower()] = [round(median, 3), round(high, 3)]
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
