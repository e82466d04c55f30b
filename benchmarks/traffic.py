"""How many bytes does a label cost on the line? ``python -m benchmarks.traffic``

Counts the JSON and the buffers in both directions between a page and the kernel, requests for more
items included, around the 10th, the 1,000th and the 10,000th label, with 1,000 and with 100,000
items; and the size of what a saved notebook keeps of the widget (output and state, without the
front end's own code). Where the items run out, labels are given anew to earlier items.

The last line of the output is one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from nblabel import Labeler
from nblabel.testing import FakePage

from .startup import CLASSES, texts

AT = (10, 1000, 10_000)
#: Labels that are averaged, with one request for as many more items.
AROUND = 10


class Metered(FakePage):
    """A page that weighs its messages."""

    up = down = 0

    def _carry(self, message: dict[str, Any]) -> None:
        self.up += len(json.dumps(message, ensure_ascii=False).encode())
        super()._carry(message)

    def receive(self, reply: dict[str, Any], buffers: Sequence[bytes] = ()) -> None:
        """Take in a reply."""
        self.down += len(json.dumps(reply, ensure_ascii=False).encode()) + sum(map(len, buffers))
        super().receive(reply, buffers)
        self.received.clear()


def answer(page: Metered, number: int, n_items: int) -> None:
    """Label the next item as the browser's page does, or an earlier one if none is left."""
    asks = number % AROUND == 0
    if number < n_items:
        if asks:
            page.want(2 * AROUND)
            page.items = {item: page.items[item] for item in page.order}
        page.label(page.order[0], CLASSES[number % 2])
    else:
        if asks:
            page.want(0, ids=[str((number + k) % n_items) for k in range(AROUND)])
            page.items = dict(list(page.items.items())[-AROUND:])
        page.label(str(number % n_items), CLASSES[number // n_items % 2])
    if len(page.trail) > 500:
        del page.trail[:-200]


def saved(labeler: Labeler) -> int:
    """Return the bytes that a saved notebook holds of a widget."""
    bundle = labeler._repr_mimebundle_()
    state = {**labeler.get_state(), "_esm": "", "_css": ""}
    return len(json.dumps([bundle, state], default=str))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table and its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.traffic", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--items", type=int, nargs="+", default=[1000, 100_000])
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    line: dict[str, Any] = {}
    print("    items    label   up bytes   down bytes   notebook bytes")
    for n_items in options.items:
        labeler = Labeler(
            texts(n_items), CLASSES, store=None, annotator="ana", model=False, strategy="random"
        )
        page = Metered(labeler)
        page.open(AROUND)
        for number in range(AT[-1]):
            done = number + 1
            if done in {at - AROUND + 1 for at in AT}:
                page.up = page.down = 0
            answer(page, number, n_items)
            if done in AT:
                found = [round(page.up / AROUND), round(page.down / AROUND), saved(labeler)]
                print(f"{n_items:>9,}{done:>9,}{found[0]:>11,}{found[1]:>13,}{found[2]:>17,}")
                line[f"{n_items}/{done}"] = found
        labeler.session.close()
    print(json.dumps(line))
    return 0


if __name__ == "__main__":
    sys.exit(main())
