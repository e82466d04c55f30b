"""Write the coarse map of the world that points are shown on: ``js/src/looks/world.json``.

``python scripts/gen_world.py countries-110m.json`` reads a file of the npm package world-atlas,
which is Natural Earth (public domain), at 1:110 million, as TopoJSON, and keeps tenths of a
degree. It was run once; nothing of it is needed to build the package.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent.parent / "js" / "src" / "looks" / "world.json"


def degrees(arc: list[list[int]], scale: list[float], shift: list[float]) -> list[int]:
    """Return a line as x, y and then steps of x and y, in tenths of a degree."""
    x = y = 0
    made: list[int] = []
    last = (0, 0)
    for dx, dy in arc:
        x, y = x + dx, y + dy
        place = (round(10 * (x * scale[0] + shift[0])), round(10 * (y * scale[1] + shift[1])))
        if made and place == last:
            continue
        made += [place[0] - last[0], place[1] - last[1]]
        last = place
    return made


def main() -> int:
    """Read the map that is named, write ours."""
    atlas: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    scale, shift = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs = [degrees(arc, scale, shift) for arc in atlas["arcs"]]
    (land,) = atlas["objects"]["land"]["geometries"]
    rings = [ring for polygon in land["arcs"] for ring in polygon]
    made = {"arcs": arcs, "land": rings}
    TARGET.write_text(json.dumps(made, separators=(",", ":")) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
