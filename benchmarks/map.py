"""How does the map hold up at a million points? ``python -m benchmarks.map``

In a real JupyterLab and Chromium, for each size and for each way to draw (``webgl``: the graphics
card; ``canvas``: without one): from the key that opens the map to all points on the screen, the
module, coordinates and colors fetched from the kernel on the way; a frame while the map is moved by
the mouse, when only some of the points are drawn where all would take too long, and a frame with
all of them; memory of the browser and of the kernel before and after; and a lasso around 200
points, until they are announced, and their labeling, until all are in the kernel.

Beside each the floor of the machine in the same page: a frame that only clears a canvas of the same
size. Where there is no graphics card, as on most servers, the browser computes what WebGL draws,
and nblabel draws on a canvas by itself; ``webgl`` is then measured all the same, and the line says
by what.

The last line of the output is one line of JSON: milliseconds and MB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import psutil

from tests.browser.lab import Browser, ChromiumMissingError, JupyterServer, Notebook, wait_until
from tests.browser.test_map import CODE, Map, around

PATIENCE = 300.0
MOVES = 60

#: Take a WebGL that is computed for one of a graphics card.
ANY_WEBGL = """
() => {
  const { prototype } = WebGL2RenderingContext;
  const { getParameter } = prototype;
  prototype.getParameter = function (name) {
    const known = getParameter.call(this, name);
    return typeof known === "string" ? known.replace(/SwiftShader|llvmpipe/g, "card") : known;
  };
}
"""

_RENDERER = """
() => {
  const gl = document.createElement("canvas").getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  return gl ? String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)) : "none";
}
"""

#: Frames that only clear: with the way to draw and the size of the map.
_FLOOR = """
async ([kind, width, height]) => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  document.body.append(canvas);
  const context = canvas.getContext(kind === "webgl" ? "webgl2" : "2d");
  const times = [];
  for (let k = 0; k < 40; k++) {
    const began = performance.now();
    if (kind === "webgl") {
      context.clear(context.COLOR_BUFFER_BIT);
      const fence = context.fenceSync(context.SYNC_GPU_COMMANDS_COMPLETE, 0);
      context.flush();
      do await new Promise(requestAnimationFrame);
      while (context.getSyncParameter(fence, context.SYNC_STATUS) !== context.SIGNALED);
    } else {
      context.clearRect(0, 0, width, height);
      await new Promise(requestAnimationFrame);
    }
    times.push(performance.now() - began);
  }
  canvas.remove();
  return times;
}
"""

_RECORD = """
() => {
  const map = document.querySelector(".nblabel-map");
  window.frames_ = { page: [], map: [] };
  let last = performance.now();
  const watch = new MutationObserver(() =>
    window.frames_.map.push([Number(map.dataset.ms), Number(map.dataset.drawn)]));
  watch.observe(map, { attributes: true, attributeFilter: ["data-ms"] });
  const tick = (now) => {
    if (!window.frames_) return watch.disconnect();
    window.frames_.page.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
"""

_RECORDED = "() => { const made = window.frames_; window.frames_ = null; return made; }"


def memory() -> float:
    """Return what all processes of the browser hold for themselves, in MB."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                total += process.memory_full_info().uss
        except psutil.Error:
            continue
    return total / 1e6


def kernel_memory(notebook: Notebook) -> float:
    """Return what the kernel holds, in MB."""
    return float(notebook.execute("__import__('psutil').Process().memory_full_info().uss / 1e6"))


def measure(browser: Browser, server: JupyterServer, n: int, kind: str) -> dict[str, Any]:
    """Open, move, select and label the map of `n` points, drawn one way."""
    notebook = Notebook(browser, server)
    options = 'store="map.sqlite", inline=True, explore=0, blind=0, batch=10_000'
    notebook.open(f"map-{n}-{kind}.ipynb", [CODE.format(n=n, options=options)])
    notebook.run_all(timeout=PATIENCE)
    page = notebook.page
    page.set_default_timeout(PATIENCE * 1000)
    renderer = page.evaluate(_RENDERER)
    if kind == "webgl":
        page.evaluate(ANY_WEBGL)
    before, kernel_before = memory(), kernel_memory(notebook)
    plot = Map(notebook)
    began = time.perf_counter()
    plot.open(n)
    opened = time.perf_counter() - began
    assert plot.root.get_attribute("data-painter") == kind
    full = float(plot.root.get_attribute("data-ms") or 0)
    box = plot.root.locator(".nblabel-map-stage").bounding_box()
    assert box is not None
    after, kernel_after = memory(), kernel_memory(notebook)

    # Closer first: what is moved is not to end at the rim.
    centre = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    plot.closer(centre, 2)
    wait_until(lambda: plot.root.get_attribute("data-drawn") == str(n), "all points", PATIENCE)
    page.evaluate(_RECORD)
    page.mouse.move(*centre)
    page.mouse.down(button="right")
    for k in range(MOVES):
        page.mouse.move(centre[0] + 2 * (k % 30), centre[1] + k % 20)
    page.mouse.up(button="right")
    moved = page.evaluate(_RECORDED)
    wait_until(lambda: plot.root.get_attribute("data-drawn") == str(n), "all points", PATIENCE)
    plot.press("Home")

    points = np.array(notebook.execute("labeler.projection()[['x', 'y']].to_numpy().tolist()"))
    middle, radius, places = around(points, 200)
    at = plot.where(*middle)
    at = plot.closer(at, max(1.0, 120 / plot.reach(radius)))
    wait_until(lambda: plot.root.get_attribute("data-drawn") == str(n), "all points", PATIENCE)
    plot.lasso(at, max(120.0, plot.reach(radius)))
    began = time.perf_counter()
    wait_until(
        lambda: plot.selected == len(places),
        f"{len(places)} points, not {plot.selected}",
        30,
        0.002,
    )
    selected = time.perf_counter() - began
    began = time.perf_counter()
    plot.press("1", "Enter")
    notebook.wait_for(f"len(labeler.labels) == {len(places)}")
    labeled = time.perf_counter() - began
    assert set(notebook.execute("labeler.labels.index.tolist()")) == places
    floor = page.evaluate(_FLOOR, [kind, round(box["width"]), round(box["height"])])
    notebook.execute("labeler.session.close()")
    notebook.close()
    for left in server.root.glob("map.sqlite*"):
        left.unlink()
    map_ms = [ms for ms, _ in moved["map"]]
    return {
        "points": n,
        "painter": kind,
        "renderer": renderer,
        "open_to_drawn_ms": round(1000 * opened),
        "frame_all_points_ms": round(full, 1),
        "frame_moving_ms": round(statistics.median(map_ms), 1),
        "points_moving": round(statistics.median(count for _, count in moved["map"])),
        "page_frame_moving_p95_ms": round(float(np.percentile(moved["page"], 95)), 1),
        "floor_clear_frame_ms": round(statistics.median(floor), 1),
        "browser_mb": [round(before), round(after)],
        "kernel_mb": [round(kernel_before), round(kernel_after)],
        "chosen": len(places),
        "lasso_ms": round(1000 * selected),
        "label_ms": round(1000 * labeled),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its rows and its line of JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.map", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--painters", nargs="+", default=["canvas", "webgl"])
    arguments = parser.parse_args(argv)
    rows = []
    try:
        with JupyterServer() as server, Browser() as browser:
            version = browser.version
            for n in arguments.sizes:
                for kind in arguments.painters:
                    rows.append(measure(browser, server, n, kind))
                    print(json.dumps(rows[-1]), flush=True)
    except ChromiumMissingError as error:
        print(error, file=sys.stderr)
        return 1
    software = any(word in rows[-1]["renderer"] for word in ("SwiftShader", "llvmpipe", "none"))
    print(json.dumps({"chromium": version, "software_webgl": software, "rows": rows}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
