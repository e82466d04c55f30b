"""Does a training hold up the kernel? ``python -m benchmarks.jitter``

In a real kernel, with a session of many short texts and 200 labels, the main thread pings: it
sleeps for 5 ms again and again, and notes how late it wakes up. Once while nothing goes on, once
while the model trains: labels come in, and a new training is ordered whenever the last one ends.
Each run gives its largest lateness; the medians over the runs are compared.

Beside that stands the largest lateness while the features of the pool are computed for the first
time, right after the session was made.

The last line of the output is one line of JSON, in ms.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from typing import Any

from jupyter_client.manager import start_new_kernel

TIMEOUT = 600

_CODE = r"""
import gc, json, random, time
import numpy as np
import nblabel as nl

def ping(going, seconds):
    "Largest lateness of a 5 ms sleep, in ms, as long as it is going and for these seconds."
    worst, pings, start = 0.0, 0, time.perf_counter()
    while going() or time.perf_counter() - start < seconds:
        due = time.perf_counter() + 0.005
        time.sleep(0.005)
        worst = max(worst, time.perf_counter() - due)
        pings += 1
    return worst * 1000, pings, time.perf_counter() - start

def texts(n, classes, seed=0):
    "Short texts over a vocabulary with a long tail; which words a text has depends on its class."
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    size = 30_000
    ranks = np.minimum((rng.pareto(0.9, (n, 12)) * 20).astype(int), size - 1)
    ranks[:, :3] = size + 50 * truth[:, None] + rng.integers(50, size=(n, 3))
    return [" ".join(f"w{rank}" for rank in row) for row in ranks.tolist()], truth.tolist()

CLASSES = [f"class {k}" for k in range(OPTIONS["classes"])]
items, truth = texts(OPTIONS["items"], OPTIONS["classes"])
session = nl.Session(items, CLASSES, store=None, annotator="ana", worker=OPTIONS["worker"])
first = ping(lambda: session.status()["training"] == "training", 1.0)
for k in range(200):
    session.record(str(k), CLASSES[truth[k]])
session.retrain(wait=True)
session.predictions, session.next(10)
gc.collect()

def training(run):
    "Train again and again while the main thread pings."
    seconds, count = OPTIONS["seconds"], 0
    ends = time.perf_counter() + seconds
    session.retrain()
    def going():
        nonlocal count
        if session._trainer.busy:
            return True
        count += 1
        if time.perf_counter() < ends:
            session.retrain()
            return True
        return False
    return (*ping(going, 0.0), count)

quiet, loud = [], []
for run in range(OPTIONS["runs"]):
    quiet.append(ping(lambda: False, OPTIONS["seconds"]))
    loud.append(training(run))
found = {
    "first": first, "quiet": quiet, "loud": loud, "way": session._trainer.way,
    "error": session.last_error, "learned": session.status()["learned"],
}
session.close()
print(json.dumps(found))
"""


def measure(
    *, items: int, classes: int, runs: int, seconds: float, worker: str = "auto"
) -> dict[str, Any]:
    """Ping in a kernel of its own.

    Returns
    -------
    dict
        ``quiet`` and ``loud``: (largest lateness in ms, pings, seconds) for each run, with the
        number of trainings beside the loud ones; ``first``: the same while features are computed.
    """
    options = {"items": items, "classes": classes, "runs": runs, "seconds": seconds}
    code = f"OPTIONS = { ({**options, 'worker': worker})!r}\n{_CODE}"
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        said: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                said.append(message["content"]["text"])

        reply = client.execute_interactive(code, timeout=TIMEOUT, output_hook=hear)
        if reply["content"]["status"] != "ok":
            raise RuntimeError("\n".join(reply["content"]["traceback"]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    found = json.loads("".join(said).strip().splitlines()[-1])
    if found["error"]:
        raise RuntimeError(found["error"])
    return found


def jitter(
    items: int = 100_000,
    classes: int = 2,
    runs: int = 5,
    seconds: float = 4.0,
    worker: str = "auto",
) -> dict[str, Any]:
    """Measure, print a table, and return the figures.

    Returns
    -------
    dict
        ``quiet_ms`` and ``training_ms``: median over the runs of the largest lateness;
        ``extra_ms``: their difference; ``featurizing_ms``; ``way``: where the model was trained.
    """
    found = measure(items=items, classes=classes, runs=runs, seconds=seconds, worker=worker)
    print(f"{items:,} texts, {classes} classes, 200 labels, trained in a {found['way']}")
    print("run   quiet ms   training ms   trainings")
    for run, (quiet, loud) in enumerate(zip(found["quiet"], found["loud"], strict=True)):
        print(f"{run:>3}{quiet[0]:>11.2f}{loud[0]:>14.2f}{loud[3]:>12}")
    quiet_ms = statistics.median(run[0] for run in found["quiet"])
    training_ms = statistics.median(run[0] for run in found["loud"])
    return {
        "items": items,
        "way": found["way"],
        "quiet_ms": round(quiet_ms, 2),
        "training_ms": round(training_ms, 2),
        "extra_ms": round(training_ms - quiet_ms, 2),
        "featurizing_ms": round(found["first"][0], 2),
        "featurizing_s": round(found["first"][2], 2),
    }


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark and print its table and its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.jitter", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a run (4)")
    parser.add_argument("--worker", default="auto", help="auto, process, thread or inline")
    print(json.dumps(jitter(**vars(parser.parse_args(argv)))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
