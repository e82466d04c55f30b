"""Journeys of single tasks in a real JupyterLab: keys only, then the DataFrame."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .lab import Notebook
from .test_journeys import Widget, no_labels_of_others  # noqa: F401

Opener = Callable[..., Notebook]

#: The pixels are 8 x 8, so that every place is a whole number of eighths.
DIGITS = """
import nblabel as nl, numpy as np, pandas as pd
from sklearn.datasets import load_digits
images = load_digits().images[:40]
task = nl.Boxes(["stroke", "loop", "gap"], shapes=["box", "polygon", "point"])
"""


def box(label: str, x: float, y: float, width: float, height: float) -> dict[str, object]:
    return {"shape": "box", "label": label, "x": x, "y": y, "width": width, "height": height}


@pytest.fixture
def drawn(notebook: Opener) -> Callable[[str], tuple[Notebook, Widget]]:
    def opened(cell: str) -> tuple[Notebook, Widget]:
        page = notebook([DIGITS, cell])
        page.run_all()
        widget = Widget(page).ready()
        page.locator("[data-editor='boxes'][data-ready='true']").wait_for()
        page.locator(".nblabel-canvas > img").wait_for()
        return page, widget

    return opened


def keys(widget: Widget, *pressed: str) -> None:
    for key in pressed:
        widget.press(key)


def shapes_of(page: Notebook) -> dict[str, object]:
    """Shapes by item id, as the kernel has them."""
    found = page.execute("labeler.labels['shapes'].to_dict()")
    return {str(item): shapes for item, shapes in found.items()}


def test_shapes_are_drawn_by_keys(drawn: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = drawn("labeler = nl.Labeler(images, task, store=None)\nlabeler")
    cells = page.cells()

    first = widget.item
    # A new box covers pixels 3 and 4; it is moved, sized, named, and comes with its undo.
    keys(widget, "a", "ArrowRight", "ArrowUp", "ArrowUp", "Alt+ArrowDown", "2")
    shapes = page.locator(".nblabel-over [data-shape]")
    assert shapes.count() == 1
    keys(widget, "a", "Backspace")
    assert shapes.count() == 1
    keys(widget, "z")
    assert shapes.count() == 2
    keys(widget, "z")
    assert shapes.count() == 1
    keys(widget, "Enter")
    loop = box("loop", 0.5, 0.125, 0.25, 0.375)

    # A polygon with one corner pulled, and a point at the edge.
    second = widget.item
    assert second != first
    keys(widget, "1", "t", "a", "c", "ArrowLeft", "Escape", "Escape")
    keys(widget, "t", "3", "a", "Shift+ArrowRight")
    # Over the polygon and back to the point, which goes a pixel down; looks change nothing.
    keys(widget, "Shift+Tab", "Tab", "ArrowDown", "+", "b", "k", "Enter")
    corners = [[0.25, 0.375], [0.625, 0.375], [0.625, 0.625], [0.375, 0.625]]
    both = [
        {"shape": "polygon", "label": "stroke", "points": corners},
        {"shape": "point", "label": "gap", "x": 1.0, "y": 0.625},
    ]
    widget.saved()
    assert shapes_of(page) == {first: [loop], second: both}

    # Nothing to undo in the new drawing: the labeler's undo brings the last one back.
    assert widget.item not in (first, second)
    keys(widget, "z")
    assert widget.item == second
    keys(widget, "Tab", "Delete", "Enter")
    third = widget.press(" ")
    widget.saved()
    assert shapes_of(page) == {first: [loop], second: both[1:], third: []}
    assert page.cells() == cells, "a key reached the notebook"


def test_suggested_shapes_are_edited(drawn: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = drawn(
        "known = [{'shape': 'box', 'label': 'loop', 'x': 0.25, 'y': 0.25, 'width': 0.5,"
        " 'height': 0.5}]\n"
        "frame = pd.DataFrame({'image': list(images), 'found': [known] * len(images)})\n"
        "labeler = nl.Labeler(frame, task, image='image', suggester='found', blind=0, store=None)\n"
        "labeler"
    )
    guess = page.locator(".nblabel-over .nblabel-guess")
    guess.wait_for(state="attached")
    first = widget.press("Enter")
    guess.wait_for(state="attached")
    keys(widget, "Tab", "ArrowLeft")
    assert guess.count() == 0
    second = widget.press("Enter")
    widget.saved()
    assert shapes_of(page) == {
        first: [box("loop", 0.25, 0.25, 0.5, 0.5)],
        second: [box("loop", 0.125, 0.25, 0.5, 0.5)],
    }


def test_shapes_are_drawn_by_a_pointer(drawn: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = drawn("labeler = nl.Labeler(images, task, store=None)\nlabeler")
    image = page.locator(".nblabel-canvas > img")
    image.scroll_into_view_if_needed()
    place = image.bounding_box()
    assert place is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return place["x"] + x * place["width"], place["y"] + y * place["height"]

    mouse = page.page.mouse
    # A box by a drag.
    mouse.move(*at(0.25, 0.25))
    mouse.down()
    mouse.move(*at(0.5, 0.75), steps=4)
    mouse.up()
    # A polygon by clicks, closed on its first corner.
    keys(widget, "t", "2")
    for corner in ((0.6, 0.2), (0.9, 0.2), (0.9, 0.5), (0.6, 0.2)):
        mouse.click(*at(*corner))
    item = widget.press("Enter")
    widget.saved()
    drawn_box, polygon = shapes_of(page)[item]
    assert (drawn_box["label"], polygon["label"]) == ("stroke", "loop")
    near = pytest.approx
    assert [drawn_box[k] for k in ("x", "y", "width", "height")] == near(
        [0.25, 0.25, 0.25, 0.5], abs=0.01
    )
    assert polygon["shape"] == "polygon"
    assert [c for corner in polygon["points"] for c in corner] == near(
        [0.6, 0.2, 0.9, 0.2, 0.9, 0.5], abs=0.01
    )


def test_the_image_is_enlarged_and_moved(drawn: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = drawn("labeler = nl.Labeler(images, task, store=None)\nlabeler")
    canvas = page.locator(".nblabel-canvas")
    canvas.scroll_into_view_if_needed()
    place = canvas.bounding_box()
    assert place is not None
    middle = (place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    keyboard, mouse = page.page.keyboard, page.page.mouse

    def side(name: str) -> float:
        found = page.page.evaluate(
            "name => parseFloat(document.querySelector('.nblabel-canvas > img').style[name])", name
        )
        return float(found)

    small = side("width")
    mouse.move(*middle)
    keyboard.down("Control")
    mouse.wheel(0, -400)
    keyboard.up("Control")
    page.page.wait_for_function(
        "least => parseFloat(document.querySelector('.nblabel-canvas > img').style.width) > least",
        arg=small,
    )
    first, top = widget.item, side("top")
    # With space a drag moves the image: nothing is drawn, and nothing sent when it is let go.
    keyboard.down("Space")
    mouse.down()
    mouse.move(middle[0], middle[1] - 30, steps=3)
    mouse.up()
    keyboard.up("Space")
    assert side("top") == pytest.approx(top - 30, abs=1)
    assert page.locator(".nblabel-over [data-shape]").count() == 0
    assert widget.item == first
    # Without a drag it sends, and the next image is shown as a whole.
    widget.press("Space")
    assert widget.item != first
    assert side("width") == pytest.approx(small)
    widget.saved()
    assert shapes_of(page) == {first: []}


def test_an_image_of_any_task_is_enlarged(notebook: Opener) -> None:
    page = notebook([DIGITS, "labeler = nl.Labeler(images, ['odd', 'even'], store=None)\nlabeler"])
    page.run_all()
    widget = Widget(page).ready()
    image = page.locator(".nblabel-image")
    image.locator("img").wait_for()
    plain = image.bounding_box()
    assert plain is not None
    keys(widget, "+")
    page.page.wait_for_function(
        "document.querySelector('.nblabel-image').style.transform.includes('scale(1.25)')"
    )
    keys(widget, "Shift+ArrowUp", "b")
    large = image.bounding_box()
    assert large is not None and large["width"] == pytest.approx(1.25 * plain["width"], abs=1)
    assert "brightness(1.1)" in (image.get_attribute("style") or "")
    # The next image is seen as a whole, in the same light; what was said is as ever.
    first = widget.press("2")
    page.page.wait_for_function(
        "!document.querySelector('.nblabel-image').style.transform.includes('scale')"
    )
    assert "brightness(1.1)" in (image.get_attribute("style") or "")
    widget.saved()
    labels = page.execute("labeler.labels['label'].to_dict()")
    assert {str(item): label for item, label in labels.items()} == {first: "even"}


FORM = """
import nblabel as nl
texts = ["Ana Lima met Bo", "Bo left Oslo", "Nobody came"]
form = nl.Form({"who": nl.Spans(["person", "place"]), "tone": nl.Choice(["kind", "rude"])})
labeler = nl.Labeler(texts, form, store=None)
labeler
"""


def test_a_form_is_answered_on_the_text_itself(notebook: Opener) -> None:
    page = notebook([FORM])
    page.run_all()
    widget = Widget(page).ready()
    page.locator("[data-editor='form'][data-ready='true']").wait_for()
    cells = page.cells()
    at = page.locator(".nblabel-at legend")
    first = widget.item
    keys(widget, "Shift+ArrowRight", "1", "Enter")
    assert at.text_content() == "tone"
    keys(widget, "2", "Enter")
    assert widget.item != first
    assert at.text_content() == "who"
    keys(widget, "PageDown", "1", "Control+Enter")
    widget.saved()
    keys(widget, "z")
    assert page.locator(".nblabel-in").count() == 0
    keys(widget, "z")
    assert widget.item == first
    labels = page.execute("labeler.history.query('kind == \"label\"').value.tolist()")
    length = 8 if first == "0" else 7 if first == "1" else 11
    mark = {"start": 0, "end": length, "label": "person"}
    assert labels == [{"who": [mark], "tone": "rude"}, {"who": [], "tone": "kind"}]
    assert page.cells() == cells, "a key reached the notebook"
