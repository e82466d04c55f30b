"""Journeys of single tasks in a real JupyterLab: keys only, then the DataFrame."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

import nblabel as nl
from benchmarks.keys import presses

from .lab import Browser, JupyterServer, Notebook
from .test_journeys import Widget

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


# ---------------------------------------------------------------- one journey for each other task

NOTES = ["win a prize now", "lunch at noon?", "free money, click", "minutes of the meeting"]


@pytest.fixture(scope="module")
def one_page(browser: Browser, server: JupyterServer) -> Iterator[Notebook]:
    """A notebook for all of them: its last cell shows a labeler of what is `given`."""
    page = Notebook(browser, server)
    page.open(
        "tasks.ipynb", ["import nblabel as nl", "labeler = nl.Labeler(*given, **options)\nlabeler"]
    )
    page.run_cell(0)
    yield page
    page.close()
    assert browser.outside == [], f"asked for outside the server: {browser.outside}"


@pytest.fixture
def asked(one_page: Notebook) -> Callable[..., tuple[Notebook, Widget]]:
    """Open a labeler of some data, ``asked("nl.Rating()", NOTES)``, and wait for its editor."""

    def opened(task: str, data: object, **options: object) -> tuple[Notebook, Widget]:
        options = {"store": None, "blind": 0, "inline": True, **options}
        one_page.execute(f"given, options = ({data!r}, {task}), {options!r}")
        one_page.run_cell(1)
        widget = Widget(one_page).ready()
        kind = one_page.execute("labeler.session.task.kind")
        if kind != "binary":
            one_page.locator(f"[data-editor='{kind}'][data-ready='true']").wait_for()
        return one_page, widget

    return opened


def column_of(page: Notebook, name: str) -> dict[str, object]:
    """A column of the labels by item id, as the kernel has them."""
    found = page.execute(f"labeler.labels[{name!r}].to_dict()")
    return {str(item): value for item, value in found.items()}


def test_a_label_is_accepted_or_rejected(asked: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = asked("nl.Binary('spam')", NOTES)
    before = page.cells()
    wanted = {widget.press("a"): True}
    wanted[widget.press("x")] = False
    undone = widget.press("a")
    keys(widget, "z")
    assert widget.item == undone
    wanted[widget.press("x")] = False
    widget.saved()
    assert column_of(page, "label") == wanted
    assert page.cells() == before, "a key reached the notebook"


def test_several_labels_are_toggled(asked: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = asked(
        "nl.MultiLabel(['mail', 'ad', 'scam', 'work'], least=1, exclusive=[['ad', 'work']],"
        " parents={'scam': 'ad'})",
        NOTES,
    )
    first = widget.item
    keys(widget, "Enter")  # none is too few
    page.locator(".nblabel-wrong", has_text="at least one").wait_for()
    assert widget.item == first
    keys(widget, "1", "3", "Enter")  # a scam is an ad
    second = widget.item
    keys(widget, "3", "4", "1", "1", "Enter")  # work drives out the ad, and the scam with it
    widget.saved()
    assert column_of(page, "labels") == {first: ["mail", "ad", "scam"], second: ["work"]}


def test_ratings_are_given_by_digits_and_arrows(
    asked: Callable[..., tuple[Notebook, Widget]],
) -> None:
    page, widget = asked("nl.Rating(1, 5, scales=['clear', 'kind'])", NOTES)
    first = widget.item
    keys(widget, "2", "5", "Enter")
    second = widget.item
    keys(widget, "ArrowUp", "ArrowUp", "Tab", "ArrowDown", "Enter")  # from the middle
    widget.saved()
    assert column_of(page, "clear") == {first: 2, second: 4}
    assert column_of(page, "kind") == {first: 5, second: 3}


def test_spans_are_marked_by_the_keys_that_are_counted(
    asked: Callable[..., tuple[Notebook, Widget]],
) -> None:
    """What `benchmarks.keys` counts the editor takes, from nothing and from a suggestion."""
    docs = nl.datasets.parameters()
    short = docs["text"].str.split("\n").map(lambda lines: max(map(len, lines)) < 75)
    small = docs["text"].str.len() < 250
    docs = docs[short & small & (docs["spans"].str.len() > 3)].sample(3, random_state=0)
    task = nl.Spans(["name", "type", "default"])
    # As a model might have it: one called something else, one too many, others missing.
    begun = [[*spans[:1], {**spans[1], "label": "default"}] for spans in docs["spans"].tolist()]
    for spans, text in zip(begun, docs["text"], strict=True):
        start = text.index("\n") + 5
        spans.append({"start": start, "end": text.index(" ", start), "label": "type"})
    data = {"body": docs["text"].tolist(), "found": begun}
    page, widget = asked(f"nl.{task!r}", data, text="body", suggester="found")
    truth = {}

    def said(place: int, begun: object = None) -> list[str]:
        text, wanted = docs["text"].iloc[place], docs["spans"].iloc[place]
        truth[str(place)] = wanted
        return presses(task, text, wanted, begun, lines=False)

    for _ in range(2):
        place = int(widget.item)
        keys(widget, *said(place, begun[place]))
    keys(widget, "h")  # with the suggestions hidden the last one begins with nothing
    keys(widget, *said(int(widget.item)))
    widget.saved()
    assert column_of(page, "spans") == truth


def test_pairs_of_single_items_are_compared(asked: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = asked("nl.Pairs('Which is longer?')", NOTES)
    sides = page.locator(".nblabel-pair .nblabel-side")
    wanted = {}
    for _ in range(5):
        pair = json.loads(widget.item)
        left, right = (sides.nth(k).inner_text().strip() for k in (0, 1))
        assert {left, right} == {NOTES[int(k)] for k in pair}
        longer = max(left, right, key=len)
        tie = len(left) == len(right)
        wanted[tuple(map(int, pair))] = (
            "tie" if tie else "first" if longer == NOTES[int(pair[0])] else "second"
        )
        keys(widget, "Space" if tie else "ArrowLeft" if longer == left else "ArrowRight")
    widget.saved()
    found = page.execute(
        "[[*map(int, pair), value] for pair, value in labeler.labels['preferred'].items()]"
    )
    assert {(a, b): value for a, b, value in found} == wanted
    swapped = page.execute("labeler.history['shown_swapped'].tolist()")
    assert len(swapped) == 5 and set(swapped) <= {True, False}
    page.execute("labeler.session.retrain(wait=True)")
    scores = page.execute("labeler.scores['score'].tolist()")
    assert max(range(4), key=scores.__getitem__) == 3
    assert page.execute("labeler.scores['n_labels'].sum()") == 10


def test_options_are_put_into_order(asked: Callable[..., tuple[Notebook, Widget]]) -> None:
    answers = {"question": NOTES, "a": ["yes"] * 4, "b": ["no"] * 4, "c": ["perhaps"] * 4}
    page, widget = asked(
        "nl.Ranking(['a', 'b', 'c'], ties=True)", answers, text=["question", "a", "b", "c"]
    )
    cells = page.cells()
    rows = page.locator(".nblabel-ranks [role='option']")
    assert rows.nth(2).inner_text().split()[1:] == ["–", "c", "perhaps", "3"]
    # By digits; one that goes out again; what is left falls into its place.
    first = widget.item
    keys(widget, "3", "1", "3", "2", "Enter")
    # Moved up and down, then into a tie. The page moves on, and z brings back what was sent.
    second = widget.item
    keys(widget, "1", "2", "ArrowDown", "Shift+ArrowUp", "Shift+ArrowUp", "Enter")
    assert widget.item not in (first, second)
    keys(widget, "z")
    assert widget.item == second
    keys(widget, "2", "1", "3", "Alt+ArrowUp", "=")
    assert [rows.nth(k).get_attribute("data-rank") for k in range(3)] == ["1", "1", "3"]
    keys(widget, "Enter")
    # Not before all but one have a place.
    third = widget.item
    keys(widget, "2", "Enter")
    assert widget.item == third
    page.locator(".nblabel-submit [role='alert']").wait_for()
    keys(widget, "0", "3", "2", "Space")
    widget.saved()
    assert column_of(page, "ranking") == {
        first: ["a", "b", "c"],
        second: [["b", "c"], "a"],
        third: ["c", "b", "a"],
    }
    assert page.cells() == cells, "a key reached the notebook"


def test_text_is_written_and_corrected(asked: Callable[..., tuple[Notebook, Widget]]) -> None:
    data = {"body": NOTES, "draft": ["Prise", "Lunch", "Money", "Meeting"]}
    page, widget = asked("nl.FreeText()", data, text="body", suggester="draft")
    keyboard = page.page.keyboard
    first = int(widget.item)
    keys(widget, "Enter", "End")
    keyboard.type(" s 1?")  # letters that are commands elsewhere
    keys(widget, "Enter", "f", "Control+Enter")
    second = int(widget.item)
    assert second != first
    # Who writes goes on writing; escape leaves, and space sends what was suggested.
    keys(widget, "Escape", "Space")
    widget.saved()
    found = column_of(page, "text")
    assert found == {
        str(first): f"{data['draft'][first]} s 1?\nf",
        str(second): data["draft"][second],
    }


def test_a_form_is_filled_in(asked: Callable[..., tuple[Notebook, Widget]]) -> None:
    page, widget = asked(
        "nl.Form({'topic': nl.Choice(['mail', 'other']), 'marks': nl.MultiLabel(['ad', 'old']),"
        " 'good': nl.Rating(1, 5), 'why': nl.FreeText()}, when={'why': ('topic', 'other')})",
        NOTES,
    )
    first = widget.item
    keys(widget, "1", "1", "2", "Enter", "4", "Enter")
    second = widget.item
    assert second != first
    keys(widget, "2", "Enter", "5", "Enter")
    page.page.keyboard.type("no idea")
    keys(widget, "Control+Enter")
    widget.saved()
    assert column_of(page, "topic") == {first: "mail", second: "other"}
    assert column_of(page, "marks") == {first: ["ad", "old"], second: []}
    assert column_of(page, "good") == {first: 4, second: 5}
    assert column_of(page, "why")[second] == "no idea"
    assert page.execute("labeler.labels['why'].isna().sum()") == 1
