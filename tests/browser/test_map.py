"""The map: go around and draw around points, label them at once, and find the labels in pandas."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from .lab import Notebook, wait_until
from .test_journeys import Widget

Opener = Callable[..., Notebook]

#: The map from -1 to 1 takes this part of the smaller side of its room: see js/src/plane.ts.
FILLS = 0.94
#: How much one turn of the wheel by a pixel brings it closer, as a logarithm.
WHEEL = 0.0016

CODE = """
import numpy as np, nblabel as nl
n = {n}
rng = np.random.default_rng(0)
middles = rng.normal(size=(3, 8)) * 4
rows = (middles[np.arange(n) % 3] + rng.normal(size=(n, 8))).astype("float32")
texts = [f"<b>item {{k}}</b>" for k in range(n)]
labeler = nl.Labeler(texts, ["ham", "spam"], features=rows, {options})
labeler
"""
OPTIONS = "store=None, inline=True, explore=0.5, blind=0, batch=10_000"


class Map:
    """The hands and eyes of a person at the map of one widget."""

    def __init__(self, notebook: Notebook) -> None:
        self.notebook = notebook
        self.widget = Widget(notebook).ready()
        self.root = self.widget.root.locator(".nblabel-map")

    def open(self, n: int) -> Map:
        """Open the map by its key, and wait until all points are drawn."""
        self.notebook.page.keyboard.press("o")
        self.root.and_(
            self.notebook.locator(f'[data-colored="label"][data-drawn="{n}"]')
        ).wait_for()
        return self

    def press(self, *keys: str) -> None:
        for key in keys:
            self.notebook.page.keyboard.press(key)

    @property
    def selected(self) -> int:
        return int(self.root.get_attribute("data-selected") or 0)

    @property
    def text(self) -> str:
        """What is said below the points."""
        return self.root.locator(".nblabel-map-picked").inner_text()

    def where(self, x: float, y: float) -> tuple[float, float]:
        """Where a spot of the whole map is on the page."""
        box = self.root.locator(".nblabel-map-stage").bounding_box()
        assert box is not None
        scale = FILLS * min(box["width"], box["height"]) / 2
        return box["x"] + box["width"] / 2 + x * scale, box["y"] + box["height"] / 2 - y * scale

    def reach(self, radius: float) -> float:
        """How many pixels of the whole map a radius takes."""
        return self.where(radius, 0)[0] - self.where(0, 0)[0]

    def closer(self, at: tuple[float, float], factor: float) -> tuple[float, float]:
        """Turn the wheel over a place of the page, and return where it is then."""
        mouse = self.notebook.page.mouse
        x, y = round(at[0]), round(at[1])  # what is under a whole pixel stays
        mouse.move(x, y)
        mouse.wheel(0, -math.log(factor) / WHEEL)
        return x + (at[0] - x) * factor, y + (at[1] - y) * factor

    def lasso(self, at: tuple[float, float], radius: float, corners: int = 72) -> None:
        """Draw around a place of the page."""
        mouse = self.notebook.page.mouse
        turns = [2 * math.pi * k / corners for k in range(corners + 1)]
        path = [(at[0] + radius * math.cos(t), at[1] + radius * math.sin(t)) for t in turns]
        mouse.move(*path[0])
        mouse.down()
        for spot in path[1:]:
            mouse.move(*spot)
        mouse.up()


def around(points: np.ndarray, k: int) -> tuple[np.ndarray, float, set[int]]:
    """Find a place with about k points around it that stand apart from all others.

    Returns
    -------
    middle : ndarray of shape (2,)
    radius : float
        In the middle of the gap between them and the next one.
    places : set of int
        k of them, up to a fifth more.
    """
    best = (0.0, points[0], 0.0, set[int]())
    for middle in points[np.linspace(0, len(points) - 1, 200).astype(int)]:
        far = np.linalg.norm(points - middle, axis=1)
        order = np.argpartition(far, k + k // 5)[: k + k // 5 + 1]
        order = order[np.argsort(far[order])]
        rings = far[order[k - 1 :]]
        gaps = np.diff(rings) / rings[1:]
        at = int(gaps.argmax())
        if gaps[at] > best[0]:
            radius = (rings[at] + rings[at + 1]) / 2
            best = (gaps[at], middle, radius, set(order[: k + at].tolist()))
    return best[1], best[2], best[3]


def points_of(notebook: Notebook) -> np.ndarray:
    return np.array(notebook.execute("labeler.projection()[['x', 'y']].to_numpy().tolist()"))


def test_label_points_by_keys_alone(notebook: Opener) -> None:
    """Go to a point, grow a circle, label what it holds, take it back."""
    book = notebook([CODE.format(n=2000, options=OPTIONS)])
    book.run_all()
    plot = Map(book).open(2000)
    plot.press("ArrowRight")
    card = plot.root.locator(".nblabel-map-card")
    card.locator(".nblabel-text").wait_for()
    # Hostile text stays text.
    assert card.inner_text().startswith("<b>item") and card.locator("b").count() == 0
    plot.press("+", "+", "+")
    held = plot.selected
    assert held > 5
    plot.press("Space", "ArrowDown", "-", "-")
    assert plot.selected >= held, "what was kept stays"
    held = plot.selected
    plot.press("2")
    assert f"Label {held} items “spam”?" in plot.text
    assert book.execute("len(labeler.labels)") == 0, "it asks first"
    plot.press("Escape")
    assert plot.selected == held
    plot.press("2", "2")
    plot.widget.saved()
    book.wait_for(f"len(labeler.labels) == {held}")
    assert book.execute("labeler.labels['label'].unique().tolist()") == ["spam"]
    assert book.execute("labeler.labels['strategy'].unique().tolist()") == ["map"]
    assert not book.execute("labeler.labels['audit'].any()"), "what was chosen is no random draw"
    assert book.execute("labeler.history['shown_view'].unique().tolist()") == ["map"]
    assert book.execute("labeler.session.status()['audits']") == 0
    plot.press("z")
    book.wait_for("len(labeler.labels) == 0")
    plot.press("Escape", "Escape")
    plot.root.wait_for(state="detached")
    assert plot.widget.item, "the card is back"


def test_label_what_a_lasso_holds(notebook: Opener, torture: bool) -> None:
    """Draw around some points with the mouse: these and no others get the label."""
    n, k = (100_000, 200) if torture else (2000, 60)
    book = notebook([CODE.format(n=n, options=OPTIONS)])
    book.run_all()
    plot = Map(book).open(n)
    middle, radius, places = around(points_of(book), k)
    at, reach = plot.where(*middle), plot.reach(radius)
    at = plot.closer(at, 120 / reach)
    plot.lasso(at, 120)
    chosen = plot.root.and_(book.locator(f'[data-selected="{len(places)}"]'))
    chosen.wait_for(timeout=10_000)
    plot.press("1", "Enter")
    book.wait_for(f"len(labeler.labels) == {len(places)}")
    assert set(book.execute("labeler.labels.index.tolist()")) == places
    assert book.execute("labeler.labels['seconds'].between(0, 120).all()")
    # The colours follow, and the selection can be looked at one by one.
    entry = plot.root.locator(".nblabel-map-entry", has_text="ham")
    wait_until(lambda: entry.inner_text().split()[-1] == str(len(places)), "the legend to count")
    plot.lasso(at, 120)
    chosen.wait_for(timeout=10_000)
    plot.press("Enter")
    tiles = plot.widget.root.locator(".nblabel-tile")
    tiles.first.wait_for()
    assert plot.root.is_hidden()
    plot.press("Escape")
    plot.root.wait_for()
    assert plot.selected == len(places), "the map is as it was"
