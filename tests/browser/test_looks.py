"""Items of other kinds in a real JupyterLab: their keys beside those of the labeler."""

from __future__ import annotations

from .test_journeys import Opener, Widget, labels_of

SOUNDS = """
import numpy as np, nblabel as nl
t = np.arange(60 * 8000) / 8000
sounds = [(np.sin(2 * np.pi * f * t) / 2, 8000) for f in (220, 440, 880)]
labeler = nl.Labeler(sounds, ["low", "high"], audio=True, name="sounds")
labeler
"""
SERIES = """
import numpy as np, nblabel as nl
lines = [np.sin(np.arange(5000) / 40 * k) for k in (1, 2, 3)]
labeler = nl.Labeler(lines, ["slow", "fast"], series=True, name="series")
labeler
"""


def test_a_sound_is_played_and_labeled_by_keys(notebook: Opener) -> None:
    """Play, pause, seek and speed mean nothing to the labels, and a new sound is silent."""
    book = notebook([SOUNDS])
    book.run_cell(0)
    widget = Widget(book).ready()
    play = book.locator(".nblabel-play")
    outputs = book.locator(".nblabel-turns output")
    time, speed = outputs.nth(0), outputs.nth(1)
    time.filter(has_text="/ 1:00.0").wait_for()
    first = widget.press("Shift+ArrowRight")
    time.filter(has_text="0:02.0 /").wait_for()
    widget.press("+")
    speed.filter(has_text="1.25×").wait_for()
    widget.press("Shift+Space")
    book.locator('.nblabel-play[data-playing="true"]').wait_for()
    # It is heard: the time goes on by itself.
    book.page.wait_for_function(
        "() => !document.querySelector('.nblabel-turns output').textContent.startsWith('0:02.0')"
    )
    assert widget.item == first
    widget.press("2")
    book.locator(f'.nblabel-card:not([data-item="{first}"])').wait_for()
    book.locator('.nblabel-play[data-playing="false"]').wait_for()
    time.filter(has_text="0:00.0 / 1:00.0").wait_for()
    speed.filter(has_text="1.25×").wait_for()  # the speed is the person's
    play.click()
    book.locator('.nblabel-play[data-playing="true"]').wait_for()
    second = widget.press("1")  # the keys are the labeler's again after a click
    widget.saved()
    assert labels_of(book) == {first: "high", second: "low"}


def test_a_series_is_zoomed_and_labeled_by_keys(notebook: Opener) -> None:
    """Zooming draws another part; a digit still labels."""
    book = notebook([SERIES])
    book.run_cell(0)
    widget = Widget(book).ready()
    canvas = book.locator(".nblabel-plot canvas")
    canvas.wait_for()
    drawn = "() => document.querySelector('.nblabel-plot canvas').toDataURL()"
    whole = book.page.evaluate(drawn)
    first = widget.press("+")
    zoomed = book.page.evaluate(drawn)
    assert zoomed != whole
    widget.press("Shift+ArrowRight")
    assert book.page.evaluate(drawn) != zoomed
    widget.press("Home")
    assert book.page.evaluate(drawn) == whole
    widget.press("1")
    widget.saved()
    assert labels_of(book) == {first: "slow"}


VIDEOS = """
import numpy as np, nblabel as nl
from nblabel.renderers import VideoRenderer, video
at = np.arange(40)[:, None, None]
x = np.arange(64)[None, None, :]
films = [np.broadcast_to(np.where(x == (at + k) % 64, 255, 30), (40, 48, 64)) for k in range(3)]
for k, film in enumerate(films):
    with open(f"film{k}.webm", "wb") as file:
        file.write(VideoRenderer(rate=20).view(film.astype("uint8")).buffers[0])
video.MOST_WITH_ITEM = 100  # all of them come by pieces
labeler = nl.Labeler([f"film{k}.webm" for k in range(3)], ["left", "right"], video=True,
                     name="videos")
labeler
"""
DOCUMENTS = """
import io, nblabel as nl
from PIL import Image
pages = [Image.new("RGB", (200, 300), shade) for shade in ("white", "yellow", "orange")]
made = io.BytesIO()
pages[0].save(made, "PDF", save_all=True, append_images=pages[1:])
labeler = nl.Labeler([made.getvalue()] * 2, ["bill", "letter"], pdf=True, name="documents")
labeler
"""


def test_a_video_comes_by_pieces_and_is_stepped_through(notebook: Opener) -> None:
    """Frame by frame and at a seek; labels are keys as ever."""
    book = notebook([VIDEOS])
    book.run_cell(0)
    widget = Widget(book).ready()
    time = book.locator(".nblabel-turns output").nth(0)
    time.filter(has_text="/ 0:02.0").wait_for()
    first = widget.press(".")
    # How long a frame is nobody said: it goes on until another one is there, and knows it then.
    at = "document.querySelector('.nblabel-screen video').currentTime"
    book.page.wait_for_function(f"() => Math.abs({at} - 0.075) < 1e-6")
    for key, then in ((".", 0.125), (".", 0.175), (",", 0.125)):
        widget.press(key)
        book.page.wait_for_function(f"then => Math.abs({at} - then) < 1e-6", arg=then)
    widget.press("Shift+ArrowRight")
    time.filter(has_text="0:02.0 / 0:02.0").wait_for()
    widget.press("Home")
    widget.press("Shift+Space")
    book.locator('.nblabel-play[data-playing="true"]').wait_for()
    assert widget.item == first
    widget.press("1")
    book.locator('.nblabel-play[data-playing="false"]').wait_for()
    time.filter(has_text="0:00.0 / 0:02.0").wait_for()
    widget.saved()
    assert labels_of(book) == {first: "left"}


def test_a_document_is_turned_by_keys(notebook: Opener) -> None:
    """Each page is drawn by the kernel when it is looked at."""
    book = notebook([DOCUMENTS])
    book.run_cell(0)
    widget = Widget(book).ready()
    page = book.locator(".nblabel-sheet-of-paper img")
    book.locator('.nblabel-sheet-of-paper img[alt^="page 1"]').wait_for()
    plain = page.bounding_box()
    first = widget.press("Shift+ArrowRight")
    book.locator('.nblabel-sheet-of-paper img[alt^="page 2"]').wait_for()
    widget.press("End")
    book.locator('.nblabel-sheet-of-paper img[alt^="page 3"]').wait_for()
    widget.press("+")
    large = page.bounding_box()
    assert plain is not None and large is not None and large["width"] > 1.2 * plain["width"]
    assert widget.item == first
    widget.press("2")
    book.locator('.nblabel-sheet-of-paper img[alt^="page 1"]').wait_for()
    widget.saved()
    assert labels_of(book) == {first: "letter"}
