"""How long from pressing a key to seeing the next item: ``python -m benchmarks.latency``.

In a real JupyterLab and Chromium, one probe for every widget: from the ``timeStamp`` of the
keydown event to the end of the frame that paints the next item's text. The yardstick is the
*floor*, a widget of twenty lines that swaps a text in the page and never asks the kernel.

Beside that time the table shows when the frame itself began. Chromium holds back all other work
after a key until the frames already asked for are done, so the two part by one or two ms of
painting, or by a whole frame if a widget asks for a second one (an animation, a nested
requestAnimationFrame) though its text is on the screen after the first.

Three phases:

``idle``
    Floor and nblabel take turns in blocks, so that both meet the same noise of the machine.
``busy``
    The same while another cell of the notebook runs. A press counts if the cell was still
    running when the key went down; if its item appears only after the cell, that wait is its time.
    Rounds of idle and busy take turns: a machine that slows down meanwhile slows both.
``burst``
    40 keys at 20 a second. The annotator reads what is on the screen and presses the key which
    that item asks for; afterwards the labels in the kernel are compared with what was pressed.

The last line of the output is one line of JSON with the medians (ms) and counts.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browser.lab import Browser, ChromiumMissingError, JupyterServer, Notebook, wait_until

PAUSE = (0.120, 0.160)
"""Seconds between seeing an item and the next press: long enough that no press meets the work
of the one before, and of random length so that the presses fall anywhere in a frame."""

BLOCK = 10
"""Presses of one widget before the other's turn."""

ROUND = 3 * BLOCK
"""Presses of each widget before the other phase's turn: about ten seconds."""

WARM_UP = 5
"""Presses of each widget that are not counted."""

MARGIN = 0.5
"""Seconds before a busy cell's end in which no key is pressed any more."""

SLACK = 15
"""Seconds beyond the busy cell in which an item may still come."""

BURST = 40
BURST_INTERVAL = 0.050

TEXT = "some words of an item about as long as a message on a telephone"


class Press(NamedTuple):
    """One press: milliseconds from the key to the painted item, and to the start of its frame."""

    painted: float
    frame: float


class Astray(NamedTuple):
    """What a burst came to.

    Attributes
    ----------
    items
        Items that were on the screen at a press; fewer than `BURST` if the widget lagged behind.
    lost
        Those of them without a label.
    wrong
        Labels that differ from what was pressed for their item, or whose item was never on the
        screen at a press.
    """

    items: int
    lost: int
    wrong: int


@dataclass(frozen=True)
class Subject:
    """A widget under the probe.

    Parameters
    ----------
    name
        For the table.
    cell
        Source of the cell that shows it.
    ready
        Selector that matches once the first item is on the screen.
    root, text
        Selectors of the element that takes the keys and of the one that holds the item's text.
    keys
        The keys that move on to the next item.
    """

    name: str
    cell: str
    ready: str
    root: str
    text: str
    keys: tuple[str, ...]


FLOOR = Subject(
    name="floor",
    cell=f'''
import anywidget

class Floor(anywidget.AnyWidget):
    _esm = """
    function render({{ el }}) {{
      const root = document.createElement("div");
      const text = document.createTextNode("item 0 {TEXT}");
      let item = 0;
      root.className = "floor";
      root.tabIndex = 0;
      root.append(text);
      root.addEventListener("keydown", (event) => {{
        event.stopPropagation();
        if (event.key === "1") text.data = `item ${{++item}} {TEXT}`;
      }});
      el.append(root);
    }}
    export default {{ render }};
    """

Floor()
''',
    ready=".floor",
    root=".floor",
    text=".floor",
    keys=("1",),
)

CLASSES = ("ham", "spam")
KEYS = ("1", "2")

NBLABEL = Subject(
    name="nblabel",
    cell=f"""
import nblabel as nl

labeler = nl.Labeler(
    [f"item {{i}} {TEXT}" for i in range(2000)],
    {list(CLASSES)},
    store="latency.sqlite",
)
labeler
""",
    ready='.nblabel[data-state="ready"]',
    root=".nblabel",
    text=".nblabel-text",
    keys=KEYS,
)

PROBE = """
() => {
  let root, text, before, finish, result;

  const shown = () => root.querySelector(text)?.textContent
    ?? (root.matches(text) ? root.textContent : "");

  window.addEventListener("keydown", (event) => {
    if (before === undefined || !finish) return;
    const [start, old, report] = [event.timeStamp, before, finish];
    before = finish = undefined;
    // Each frame begins with its callbacks and ends with painting. The first that finds the new
    // text leaves a message, which arrives when that frame's work on the main thread is done.
    // Nothing observes the widget: that would charge it for all else that it changes.
    const look = () => {
      if (shown() === old || !shown()) {
        requestAnimationFrame(look);
        return;
      }
      const frame = performance.now();
      const channel = new MessageChannel();
      channel.port1.onmessage = () => report([performance.now() - start, frame - start]);
      channel.port2.postMessage(null);
    };
    requestAnimationFrame(look);
  }, true);

  window.probe = {
    arm(rootSelector, textSelector) {
      root = document.querySelector(rootSelector);
      text = textSelector;
      before = shown();
      result = new Promise((report) => { finish = report; });
    },
    result: (seconds) => Promise.race([
      result, new Promise((go) => setTimeout(go, seconds * 1000, null)),
    ]),
  };
}
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table and its line of JSON."""
    options = _options(argv)
    subjects = [FLOOR] if options.widget == "floor" else [FLOOR, NBLABEL]
    try:
        with JupyterServer() as server, Browser() as browser:
            results = measure(browser, server, subjects, options.n, options.busy_seconds)
            astray = burst(browser, server, NBLABEL) if NBLABEL in subjects else None
    except ChromiumMissingError as error:
        print(error, file=sys.stderr)
        return 1
    report(results, astray)
    return 0


def measure(
    browser: Browser,
    server: JupyterServer,
    subjects: Sequence[Subject],
    n: int,
    busy_seconds: float,
) -> dict[tuple[str, str], list[Press]]:
    """Time at least `n` presses of each subject, idle and busy.

    Returns
    -------
    results
        The presses, by name of the subject and phase.
    """
    busy_index = len(subjects)
    sleeper = f"import time\nprint('busy')\ntime.sleep({busy_seconds})"
    # High enough that every widget stays on the screen and none has to be scrolled to.
    notebook = Notebook(browser, server, viewport=(1280, 1800))
    notebook.open("latency.ipynb", [*(subject.cell for subject in subjects), sleeper])
    for index, subject in enumerate(subjects):
        notebook.run_cell(index)
        notebook.locator(subject.ready).wait_for()
    notebook.page.evaluate(PROBE)

    results: dict[tuple[str, str], list[Press]] = defaultdict(list)
    patience = busy_seconds + SLACK
    for subject in subjects:
        notebook.locator(subject.root).focus()
        for _ in range(WARM_UP):
            press(notebook, subject, patience)

    for done in range(0, n, ROUND):
        count = min(ROUND, n - done)
        for subject, presses in _turns(subjects, count):
            notebook.locator(subject.root).focus()
            for _ in range(presses):
                results[subject.name, "idle"].append(press(notebook, subject, patience))
        for subject, pressed in _busy(notebook, busy_index, subjects, count, busy_seconds):
            results[subject.name, "busy"].append(pressed)
    notebook.close()
    return results


def _busy(
    notebook: Notebook, index: int, subjects: Sequence[Subject], n: int, seconds: float
) -> Iterator[tuple[Subject, Press]]:
    """Yield `n` presses of each subject, all while the cell at `index` runs, as often as needed."""
    patience = seconds + SLACK
    turns = _turns(subjects, n)
    turn = next(turns, None)
    while turn is not None:
        ends = _start_busy(notebook, index, seconds)
        while turn is not None and time.monotonic() < ends:
            subject, count = turn
            notebook.locator(subject.root).focus()
            while count and time.monotonic() < ends:
                if not notebook.is_running(index):
                    raise RuntimeError("the busy cell ended too early to be measured against")
                yield subject, press(notebook, subject, patience)
                count -= 1
            turn = (subject, count) if count else next(turns, None)
        if turn is None and not notebook.is_running(index) and time.monotonic() < ends:
            raise RuntimeError("the busy cell ended before the presses did")
        notebook.wait_cell(index, patience)


def press(notebook: Notebook, subject: Subject, patience: float) -> Press:
    """Wait like a person who reads, press a key, and time it until the next item is painted."""
    notebook.page.wait_for_timeout(random.uniform(*PAUSE) * 1000)
    notebook.page.evaluate("([root, text]) => probe.arm(root, text)", [subject.root, subject.text])
    notebook.page.keyboard.press(random.choice(subject.keys))
    times = notebook.page.evaluate("seconds => probe.result(seconds)", patience)
    if times is None:
        raise RuntimeError(f"{subject.name}: no next item within {patience:g} s of a key")
    return Press(*times)


def burst(browser: Browser, server: JupyterServer, subject: Subject) -> Astray:
    """Label what is on the screen by a rule, faster than one can read; count what went astray."""
    notebook = Notebook(browser, server)
    notebook.open("burst.ipynb", [subject.cell.replace("latency.sqlite", "burst.sqlite")])
    notebook.run_all()
    notebook.locator(subject.ready).wait_for()
    notebook.locator(subject.root).focus()
    on_screen = f"""() => [
        document.querySelector("{subject.root} [data-item]").dataset.item,
        document.querySelector("{subject.root} {subject.text}").textContent,
    ]"""

    pressed: dict[str, str] = {}
    due = time.monotonic()
    for _ in range(BURST):
        time.sleep(max(0.0, due - time.monotonic()))
        due += BURST_INTERVAL
        item, text = notebook.page.evaluate(on_screen)
        choice = int(text.split()[1]) % 2
        notebook.page.keyboard.press(KEYS[choice])
        pressed[item] = CLASSES[choice]
    late = time.monotonic() - due
    if late > BURST * BURST_INTERVAL / 10:
        print(f"the burst took {late:.1f} s longer than it should", file=sys.stderr)

    try:
        notebook.locator(f'{subject.root}[data-unsaved="0"]').wait_for(timeout=30_000)
    except PlaywrightTimeoutError:
        print("some labels were still unsaved 30 s after the burst", file=sys.stderr)
    labels = notebook.execute(
        "{str(item): value for item, value in labeler.labels['label'].items()}"
    )
    notebook.close()
    lost = sum(item not in labels for item in pressed)
    wrong = sum(pressed.get(item) != label for item, label in labels.items())
    return Astray(len(pressed), lost, wrong)


def report(results: dict[tuple[str, str], list[Press]], astray: Astray | None) -> None:
    """Print the table and the line of JSON."""
    columns = ("widget", "phase", "n", "median ms", "p95 ms", "max ms", "frame ms")
    print("{:<9}{:<7}{:>4}{:>11}{:>10}{:>10}{:>10}".format(*columns))
    figures = {key: _figures(presses) for key, presses in results.items()}
    for (name, phase), presses in results.items():
        median, p95 = figures[name, phase]
        slowest = max(press.painted for press in presses)
        frame = statistics.median(press.frame for press in presses)
        print(
            f"{name:<9}{phase:<7}{len(presses):>4}"
            f"{median:>11.2f}{p95:>10.2f}{slowest:>10.2f}{frame:>10.2f}"
        )
    if astray:
        rate = 1 / BURST_INTERVAL
        print(
            f"burst: {BURST} keys at {rate:g} a second on {astray.items} items: "
            f"{astray.lost} lost, {astray.wrong} wrong"
        )

    for name in dict.fromkeys(name for name, _ in results):
        phases = [[press.painted for press in results[name, phase]] for phase in ("idle", "busy")]
        low, high = _slower(*phases)
        print(f"{name}: busy is slower than idle by {low:+.2f} to {high:+.2f} ms (95 %)")

    floor, _ = figures[FLOOR.name, "idle"]
    idle, idle_p95 = figures.get((NBLABEL.name, "idle"), (None, None))
    busy, busy_p95 = figures.get((NBLABEL.name, "busy"), (None, None))
    line = {
        "floor_ms": floor,
        "idle_ms": idle,
        "idle_p95_ms": idle_p95,
        "busy_ms": busy,
        "busy_p95_ms": busy_p95,
        "ratio": None if idle is None else idle / floor,
        "burst_lost": astray.lost if astray else None,
        "burst_wrong": astray.wrong if astray else None,
    }
    print(json.dumps({k: round(v, 2) if isinstance(v, float) else v for k, v in line.items()}))


def _start_busy(notebook: Notebook, index: int, seconds: float) -> float:
    """Start the busy cell, see it run, and return until when keys may be pressed."""
    notebook.run_cell(index, wait=False)
    # The clock starts when the cell's first words arrive, a moment after its sleep began.
    wait_until(lambda: notebook.outputs(index), "the busy cell to begin", interval=0.02)
    return time.monotonic() + seconds - MARGIN


def _turns(subjects: Sequence[Subject], n: int) -> Iterator[tuple[Subject, int]]:
    """Yield who presses how often, turn by turn, until each has `n` presses."""
    for done in range(0, n, BLOCK):
        for subject in subjects:
            yield subject, min(BLOCK, n - done)


def _figures(presses: Sequence[Press]) -> tuple[float, float]:
    """Return the median and the 95th percentile of the time to the painted item."""
    times = [press.painted for press in presses]
    return statistics.median(times), statistics.quantiles(times, n=20, method="inclusive")[-1]


def _slower(idle: Sequence[float], busy: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval, by bootstrap over blocks, of busy's median less idle's.

    A block is drawn as a whole, in both phases: presses next to each other meet the same noise.
    """
    draw = random.Random(0)
    starts = range(0, len(idle), BLOCK)
    differences = []
    for _ in range(2000):
        drawn = draw.choices(starts, k=len(starts))
        medians = [
            statistics.median([time for start in drawn for time in times[start : start + BLOCK]])
            for times in (idle, busy)
        ]
        differences.append(medians[1] - medians[0])
    edges = statistics.quantiles(differences, n=40, method="inclusive")
    return edges[0], edges[-1]


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.latency", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--n", type=int, default=60, help="presses per widget and phase (60)")
    parser.add_argument(
        "--busy-seconds", type=float, default=15.0, help="how long the busy cell runs (15)"
    )
    parser.add_argument(
        "--widget", choices=["all", "floor"], default="all", help="floor: only the yardstick"
    )
    options = parser.parse_args(argv)
    if options.n < 2 or options.busy_seconds < 2:
        parser.error("--n and --busy-seconds must be at least 2")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PlaywrightError as error:
        sys.exit(f"the browser: {error}")
