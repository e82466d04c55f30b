"""Items of other kinds in a real JupyterLab: their keys beside those of the labeler."""

from __future__ import annotations

from .test_journeys import Opener, Widget, labels_of, no_labels_of_others

__all__ = ["no_labels_of_others"]

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
