"""How long until the first item is on the screen? ``python -m benchmarks.first_paint``

In a real JupyterLab and Chromium: from the call of ``Labeler(...)`` in a cell to the end of the
frame that paints the first item, on 1,000 and on 1,000,000 short texts, in turns, in a new kernel
each time. The texts are made before; that the features of a large pool take long must not show.

The last line of the output is one line of JSON with the medians, in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence

from tests.browser.lab import Browser, ChromiumMissingError, JupyterServer, Notebook

PATIENCE = 120.0

_DATA = """
import time
import nblabel as nl

texts = [f"item {{k}} some words of a short text {{k % 977}} and {{k % 31}}" for k in range({n})]
nl.Labeler, nl.Session  # imports what they need
"""

_LABELER = """
started = time.time()
labeler = nl.Labeler(texts, ["ham", "spam"], store="labels-{n}.sqlite")
made = time.time()
labeler
"""

_PROBE = """
() => {
  window.firstPaint = new Promise((done) => {
    const look = () => {
      const text = document.querySelector('.nblabel[data-state="ready"] .nblabel-text');
      if (!text?.textContent) {
        requestAnimationFrame(look);
        return;
      }
      // Arrives when the frame that paints the text is done.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => done(Date.now() / 1000);
      channel.port2.postMessage(null);
    };
    requestAnimationFrame(look);
  });
}
"""


def first_paint(browser: Browser, server: JupyterServer, n: int, run: int) -> tuple[float, float]:
    """Show a labeler of `n` texts in a new kernel.

    Returns
    -------
    painted, made : float
        Seconds from the call to the painted item, and to its return.
    """
    notebook = Notebook(browser, server)
    cells = [_DATA.format(n=n), _LABELER.format(n=f"{n}-{run}")]
    notebook.open(f"first-{n}-{run}.ipynb", cells)
    notebook.run_cell(0, timeout=PATIENCE)
    notebook.page.evaluate(_PROBE)
    notebook.run_cell(1, timeout=PATIENCE)
    painted = notebook.page.evaluate("() => window.firstPaint")
    started, made = notebook.execute("[started, made]")
    error = notebook.execute("labeler.session.last_error")
    if error:
        raise RuntimeError(error)
    notebook.execute("labeler.session.close()")
    notebook.close()
    return painted - started, made - started


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its table and its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_paint", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=1_000_000)
    options = parser.parse_args(argv)
    times: dict[int, list[float]] = {options.small: [], options.large: []}
    print("    items   made s   painted s")
    try:
        with JupyterServer() as server, Browser() as browser:
            for run in range(options.runs):
                for n, painted in times.items():
                    seconds, made = first_paint(browser, server, n, run)
                    painted.append(seconds)
                    print(f"{n:>9,}{made:>9.2f}{seconds:>12.2f}", flush=True)
    except ChromiumMissingError as error:
        print(error, file=sys.stderr)
        return 1
    small, large = (statistics.median(painted) for painted in times.values())
    line = {"small_s": small, "large_s": large, "extra_s": large - small}
    print(json.dumps({name: round(value, 3) for name, value in line.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
