"""What is learned from images: edges in cells by direction, and pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge

import nblabel as nl
from nblabel.suggest import MultiViewSuggester, Snapshot, near_rows, suggester_for
from nblabel.suggest.images import (
    CELLS,
    DIRECTIONS,
    PIXELS_LENGTH,
    ImageFeatures,
    oriented_gradients,
)
from nblabel.suggest.parts import COMPONENTS
from nblabel.suggest.views import OF_IMAGES, PartedViews


def stripes(degrees: float, side: int = 28, phase: float = 0.0) -> np.ndarray:
    """Brightness goes up and down in one direction."""
    down, right = np.mgrid[:side, :side]
    turn = np.deg2rad(degrees)
    return (0.5 + 0.5 * np.sin(0.7 * (right * np.cos(turn) + down * np.sin(turn)) + phase)).astype(
        np.float32
    )


def strongest(image: np.ndarray) -> int:
    made = oriented_gradients(image[None]).reshape(-1, DIRECTIONS)
    return int(made.sum(axis=0).argmax())


def test_each_direction_has_its_place():
    step = 180 / DIRECTIONS
    assert [strongest(stripes(k * step)) for k in range(DIRECTIONS)] == list(range(DIRECTIONS))


def test_half_a_turn_is_the_same_direction():
    for degrees in (0.0, 30.0, 77.0):
        there, back = (oriented_gradients(stripes(d)[None]) for d in (degrees, degrees + 180))
        assert np.corrcoef(there[0], back[0])[0, 1] > 0.9


def test_an_edge_is_counted_in_its_cell():
    image = np.zeros((1, 70, 70), np.float32)
    image[0, :10, 5:] = 1.0  # an edge from top to bottom, in the first cell alone
    image[0, 10:] = 0.0
    made = oriented_gradients(image).reshape(CELLS, CELLS, DIRECTIONS)
    strength = made.sum(axis=2)
    assert strength[0, 0] > 0.1
    assert np.all(strength[3:] == 0), "below there is nothing"


@given(st.integers(0, 10_000), st.floats(0.3, 1), st.floats(0, 0.7))
def test_light_and_contrast_do_not_count(seed, contrast, light):
    images = np.random.default_rng(seed).random((2, 9, 12), dtype=np.float32)
    made = oriented_gradients(images)
    assert made.shape == (2, CELLS * CELLS * DIRECTIONS)
    assert np.linalg.norm(made, axis=1) == pytest.approx([1, 1], abs=1e-5)
    for same in (1 - images, images * contrast, np.float32(light) + 0.3 * images):
        assert oriented_gradients(same.astype(np.float32)) == pytest.approx(made, abs=0.01)


@given(arrays(np.float32, (2, 9, 12), elements=st.floats(0, 1, width=32)))
def test_nearly_nothing_is_nearly_nothing(images):
    made = oriented_gradients(images)
    assert np.isfinite(made).all() and np.linalg.norm(made, axis=1).max() < 1 + 1e-5
    assert np.linalg.norm(oriented_gradients(images * np.float32(1e-7)), axis=1).max() < 0.3


@given(st.integers(1, 9), st.integers(1, 9))
def test_images_of_any_size_have_a_row(height, width):
    images = np.random.default_rng(height * width).random((3, height, width), dtype=np.float32)
    made = oriented_gradients(images)
    assert made.shape == (3, min(CELLS, height) * min(CELLS, width) * DIRECTIONS)
    assert np.isfinite(ImageFeatures().fit_transform(images)).all()


def test_edges_and_pixels_weigh_what_they_should():
    images = np.random.default_rng(0).random((200, 40, 40, 3), dtype=np.float32)
    features = ImageFeatures()
    rows = features.fit_transform(images)
    assert rows.shape == (200, 2 * COMPONENTS) and rows.dtype == np.float32
    edges, pixels = np.split(rows, [features.n_first_], axis=1)
    assert np.square(edges).sum(axis=1).mean() == pytest.approx(1, rel=0.02)
    assert np.square(pixels).sum(axis=1).mean() == pytest.approx(PIXELS_LENGTH**2, rel=0.02)
    assert features.transform(images[:9]) == pytest.approx(rows[:9], abs=1e-4)
    assert ImageFeatures().fit(images).transform(images) == pytest.approx(rows, abs=1e-3)


def test_colors_count():
    """Two colors of the same gray, no edge anywhere."""
    red, green = np.zeros((2, 48, 48, 3), np.uint8)
    red[..., 0], green[..., 1] = 120, 61
    rows = ImageFeatures().fit_transform([red, green] * 10)
    assert np.linalg.norm(rows[0] - rows[1]) > 0.5
    assert rows[0] == pytest.approx(rows[2], abs=1e-5)


def test_a_negative_is_not_alike():
    """Its edges are the same, its pixels are not."""
    images = np.random.default_rng(0).random((40, 20, 20), dtype=np.float32)
    images[1] = 1 - images[0]
    images[2] = images[0] + 0.01
    space = MultiViewSuggester(images, PartedViews(ImageFeatures(), OF_IMAGES)).embedding()
    assert space[0] @ space[2] > 0.95 and space[0] @ space[1] < 0.85


def test_shapes_are_told_apart_in_any_place_and_light():
    """A few labels are enough for bars that lie and bars that stand, wherever, dark or bright."""
    rng = np.random.default_rng(0)
    images = np.empty((300, 24, 24), np.float32)
    kinds = rng.integers(2, size=300)
    for image, kind in zip(images, kinds, strict=True):
        ground, drawn = rng.random(2)
        image[:] = ground
        top, left = rng.integers(2, 10, size=2)
        height, width = (3, 12) if kind else (12, 3)
        image[top : top + height, left : left + width] = drawn
    names = np.array(["stands", "lies"])[kinds]
    places = np.arange(20)
    fitted = MultiViewSuggester(images, PartedViews(ImageFeatures(), OF_IMAGES)).fit(
        Snapshot(places, names[places], 1)
    )
    said = fitted.model.predict(images[20:])
    assert np.mean(said == names[20:]) > 0.9


def test_new_images_may_have_another_form():
    """A pool of small arrays, 0 to 1; new ones as bytes, as files, in colors."""
    digits = load_digits()
    images, names = digits.images.astype(np.float32) / 16, digits.target.astype(str)
    places = np.arange(300)
    suggester = MultiViewSuggester(images, PartedViews(ImageFeatures(), OF_IMAGES))
    model = suggester.fit(Snapshot(places, names[places], 1)).model
    new = images[300:500]
    forms = {"as they are": new, "bytes": np.rint(new * 255).astype(np.uint8)}
    forms["opened"] = [Image.fromarray(image) for image in forms["bytes"]]
    forms["in colors"] = [image.convert("RGB") for image in forms["opened"]]
    forms["of another size"] = [image.resize((20, 20)) for image in forms["opened"]]
    forms["arrays of another size"] = [np.asarray(image) for image in forms["of another size"]]
    forms["files"] = []
    for image in forms["opened"]:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        forms["files"].append(buffer.getvalue())
    right = {form: np.mean(model.predict(items) == names[300:500]) for form, items in forms.items()}
    assert min(right.values()) > 0.9, right


def test_colors_and_light_are_in_what_says_most():
    """Tasks that learn from one representation begin with it: ratings of how light it is, say."""
    rng = np.random.default_rng(0)
    light = rng.random(80).astype(np.float32)
    noise = rng.normal(scale=0.05, size=(80, 12, 12)).astype(np.float32)
    suggester = MultiViewSuggester(
        light[:, None, None] + noise, PartedViews(ImageFeatures(), OF_IMAGES)
    )
    rows = suggester.features()
    first = suggester.representations()[0].beside(suggester.blocks())
    assert np.array_equal(rows, first.joined())
    learned = Ridge(1e-2).fit(rows[:40], light[:40])
    assert learned.score(rows[40:], light[40:]) > 0.9


def test_images_that_cannot_be_read_are_not_alike():
    drawings = [f"<svg><circle r='{k}'/></svg>".encode() for k in range(9)]
    seen = [Image.fromarray(np.uint8(stripes(20 * k) * 255)) for k in range(9)]
    rows, least = MultiViewSuggester(
        [*seen, *drawings], PartedViews(ImageFeatures(), OF_IMAGES)
    ).near_rows()
    assert np.isfinite(rows).all() and not np.triu(rows @ rows.T >= least, 1).any()


@pytest.mark.parametrize(
    "task",
    [
        nl.Choice(["a", "b"]),
        nl.MultiLabel(["a", "b"]),
        nl.Rating(1, 5),
        nl.Form({"kind": nl.Choice(["a", "b"])}),
    ],
    ids=lambda task: task.kind,
)
def test_copies_are_near(task):
    """Saved anew with loss, or smaller: `finding` takes them for near duplicates."""
    rng = np.random.default_rng(0)
    items = []
    for _ in range(60):
        scene = Image.fromarray(rng.integers(0, 255, (6, 6, 3), dtype=np.uint8))
        items.append(scene.resize((64, 64), Image.Resampling.BICUBIC))
    buffer = io.BytesIO()
    items[0].save(buffer, "JPEG", quality=85)
    items += [Image.open(buffer), items[1].resize((50, 50))]
    suggester = suggester_for(task, items, "image", n_items=len(items))
    rows, least = near_rows(suggester)
    near = rows @ rows.T >= least
    assert near[0, 60] and near[1, 61] and not np.triu(near[:60, :60], 1).any()
