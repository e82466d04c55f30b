import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from nblabel.errors import DataError, OptionError, UnknownColumnError
from nblabel.renderers import (
    DisplayRenderer,
    HtmlRenderer,
    ImageRenderer,
    RowRenderer,
    TextRenderer,
    View,
    open_pool,
    safe_view,
)
from nblabel.renderers.base import clean, is_missing
from nblabel.renderers.image import MOST_PIXELS, TILE, pixel_range, read_pixels, read_rgb, to_uint8
from nblabel.renderers.text import as_text, strip_tags
from nblabel.testing import check_renderer


def png(image: Image.Image, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def pixels(view: View) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(view.buffers[0])))


@pytest.mark.parametrize("size", [(40, 30), (TILE, 100), (TILE + 1, 100), (300, 1000)])
def test_a_thumbnail_is_small_and_says_so(size: tuple[int, int]) -> None:
    image = Image.effect_noise(size, 90).convert("RGB")
    for item in (image, png(image), png(image, "JPEG"), np.asarray(image)):
        whole, small = ImageRenderer().view(item), ImageRenderer().thumbnail(item)
        assert (small.data["width"], small.data["height"]) == size
        shown = pixels(small).shape[1::-1]
        if "side" in small.data:
            assert max(shown) == min(TILE, max(size))
            assert shown[0] * size[1] == pytest.approx(shown[1] * size[0], rel=0.02)
            assert small.size() < whole.size()
        else:
            assert shown == size and len(small.buffers[0]) < 200_000
    check_renderer(ImageRenderer(), [image, png(image), png(image, "JPEG"), np.asarray(image)])


# ---------------------------------------------------------------- the obvious choice

FRAME = pd.DataFrame(
    {
        "id": [1, 2],
        "subject": ["short", "words"],
        "body": ["a much longer text than all others", "and another one of such a length"],
    },
    index=["x", "y"],
)


@pytest.mark.parametrize(
    ("data", "kind", "note"),
    [
        (["a", "b"], "text", "showing text"),
        ([1, 2.5, True], "text", "showing text"),
        ([np.int64(1)], "text", "showing text"),
        ([None, float("nan"), "a"], "text", "showing text"),
        (pd.Series([pd.NA, "a"], dtype="string"), "text", "showing text"),
        (pl.Series(["a", None]), "text", "showing text"),
        (FRAME, "text", "showing column 'body' as text"),
        (FRAME.rename(columns={"subject": "text"}), "text", "showing column 'text' as text"),
        (FRAME[["subject"]], "text", "showing column 'subject' as text"),
        (FRAME[["id", "subject"]], "row", "showing 2 columns as a table row"),
        ([{"id": 1, "n": 2}], "row", "showing 2 columns as a table row"),
        (np.zeros((2, 3, 3)), "image", "showing images"),
        ([np.zeros((3, 3))], "image", "showing images"),
        ([Image.new("L", (2, 2))], "image", "showing images"),
        ([b"..."], "image", "showing images"),
        (["a.png", "b.JPG"], "image", "showing images"),
        ([{"bytes": b"..."}], "image", "showing images"),
        (pd.DataFrame({"n": [1], "file": ["a.webp"]}), "image", "showing column 'file' as image"),
        ([1 + 2j], "display", "showing each complex as Jupyter does"),
    ],
)
def test_the_obvious_choice_is_made_and_named(data, kind, note):
    _, renderer, said = open_pool(data)
    assert (renderer.kind, said) == (kind, note)


def test_known_labels_are_not_shown():
    frame = pd.DataFrame({"a": [1, 2], "label": ["x", "y"]})
    pool, renderer, note = open_pool(frame, exclude=["label"])
    assert renderer.kind == "row" and note == "showing 1 columns as a table row"
    assert pool.item(0) == {"a": 1} and pool.frame is frame
    assert open_pool(frame, row=True, exclude=["label"])[0].item(0) == {"a": 1}


def test_what_is_asked_for_is_shown_without_a_note():
    pool, renderer, note = open_pool(FRAME, text="subject")
    assert (pool.item(0), renderer.kind, note, pool.field) == ("short", "text", "", "subject")
    assert pool.ids == ["x", "y"]
    assert open_pool(FRAME, html="body")[1].kind == "html"
    assert open_pool(FRAME, row=["id", "body"])[0].item(1)["id"] == 2
    assert open_pool(FRAME, row="body")[0].field == ["body"]
    assert open_pool(["a.png"], text=True)[1].kind == "text"
    assert open_pool(["a"], html=True)[1].kind == "html"
    assert open_pool([{"a": 1}], row=True)[1].kind == "row"
    assert open_pool([(1, 2)], row=True)[1].kind == "row"


def test_show_gets_the_row():
    pool, renderer, _ = open_pool(FRAME, show=lambda row: row["subject"])
    assert renderer.view(pool.item(0)).data == {"text": "short"}
    mine = TextRenderer()
    assert open_pool(["a"], show=mine)[1] is mine


@pytest.mark.parametrize(
    ("data", "how", "error", "message"),
    [
        (FRAME, {"text": "bdy"}, UnknownColumnError, "no column 'bdy'. Did you mean 'body'"),
        (FRAME, {"row": ["id", "nope"]}, UnknownColumnError, "no column 'nope'"),
        (FRAME, {"text": "body", "row": True}, OptionError, "stand alone; got text and row"),
        (FRAME, {"text": True}, OptionError, "text=True does not say which column"),
        (FRAME, {"row": []}, DataError, "no column left to show"),
        (["a"], {"text": "body"}, OptionError, "text='body' names a column, .* is a list"),
        (pd.Series(["a"]), {"text": "body"}, OptionError, "it is a Series"),
        (np.zeros((1, 2, 2)), {"image": "x"}, OptionError, "it is a array of images"),
        (["a"], {"show": 3}, OptionError, "show= is a callable that gets an item, got 3"),
        (["a"], {"show": TextRenderer}, OptionError, r"write TextRenderer\(\)"),
        ([], {}, DataError, "no items to label: the data is empty"),
        (FRAME.iloc[:0], {}, DataError, "no items to label: the data is empty"),
        (pd.DataFrame(index=range(2)), {}, DataError, "no column left to show"),
    ],
)
def test_what_cannot_be_shown(data, how, error, message):
    with pytest.raises(error, match=message):
        open_pool(data, **how)


# ---------------------------------------------------------------- missing and broken items


@pytest.mark.parametrize("item", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_a_missing_item_says_so(item):
    assert is_missing(item)
    assert safe_view(TextRenderer(), item) == View("missing", {"text": str(item)})


@pytest.mark.parametrize("item", ["", 0, False, [[1, 2], [3]], np.array([np.nan]), {}, object()])
def test_what_is_not_missing(item):
    assert not is_missing(item)
    assert safe_view(TextRenderer(), item).kind == "text"


def test_a_broken_item_becomes_a_card(tmp_path):
    missing = safe_view(ImageRenderer(), tmp_path / "gone.png")
    assert missing.kind == "error" and missing.data["text"].startswith("FileNotFoundError")
    assert missing.data["title"] == "This item cannot be shown as image"
    assert "Traceback" in missing.data["detail"]
    broken = tmp_path / "broken.png"
    broken.write_bytes(png(Image.new("L", (9, 9)))[:30])
    assert safe_view(ImageRenderer(), broken).data["text"].startswith("ValueError: this is no im")
    broken.write_bytes(b"no image")
    assert "this is no image" in safe_view(ImageRenderer(), broken).data["text"]


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("https://example.org/a.png", "ValueError: an address on the network is not fetched"),
        (3.5, "TypeError: expected an array, a file, bytes or a PIL image, got float"),
        ({"path": None}, "got NoneType"),
        (np.zeros((2, 2, 7)), "TypeError"),
    ],
)
def test_what_is_no_image(item, says):
    assert says in safe_view(ImageRenderer(), item).data["text"]


def test_a_renderer_that_returns_no_view_becomes_a_card():
    class Wrong(TextRenderer):
        def view(self, item):
            return "text"

    assert "must return a View, got str" in safe_view(Wrong(), "x").data["text"]


def test_an_error_with_a_lone_surrogate_can_be_sent():
    def show(item):
        raise RuntimeError("\ud800")

    view = safe_view(DisplayRenderer(show), 1)
    assert view.data["text"] == "RuntimeError: �"
    view.data["detail"].encode()


# ---------------------------------------------------------------- text and rows


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"), ("a\ud800b", "a�b"), ("\ud83d\ude00", "😀"), ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("שלום", "שלום"),
        ("\ufeffbom", "\ufeffbom"), ("", ""),
    ],
)  # fmt: skip
def test_texts_are_sent_as_they_are_but_for_half_pairs(text, shown):
    assert clean(text) == shown
    assert TextRenderer().view(text).data == {"text": shown}
    assert HtmlRenderer().view(text).data == {"html": shown}


def test_two_megabytes():
    text = "ü" * 2_000_000
    view = TextRenderer().view(text)
    assert view.data["text"] == text and view.size() >= 2_000_000


def test_as_text():
    assert [as_text(v) for v in ("a", None, 3, b"\xff", pd.NA)] == ["a", "", "3", "�", ""]
    assert TextRenderer().accepts("a") and not TextRenderer().accepts(1)
    assert HtmlRenderer().accepts("a") and not HtmlRenderer().accepts(1)


def test_the_text_of_html():
    source = "<p>Win&nbsp;<b>now</b></p><script>alert(1)</script></style><style>x{}</style>!"
    assert strip_tags(source) == "Win now !"


def test_rows():
    item = {"name": "a\ud800", "n": np.int64(3), "x": 1 / 3, "yes": np.True_, "no": False,
            "gone": None, "list": [1, 2]}  # fmt: skip
    fields = RowRenderer().view(item).data["fields"]
    assert [(f["text"], f["type"]) for f in fields] == [
        ("a�", "text"), ("3", "number"), ("0.333333", "number"), ("yes", "bool"), ("no", "bool"),
        ("", "missing"), ("[1, 2]", "text"),
    ]  # fmt: skip
    assert RowRenderer().accepts(item) and not RowRenderer().accepts([1])


# ---------------------------------------------------------------- images


def test_uint8_arrays_keep_their_pixels():
    image = np.arange(0, 250, dtype=np.uint8).reshape(10, 25)
    assert np.array_equal(pixels(ImageRenderer().view(image)), image)
    colour = np.stack([image] * 3, axis=2)
    assert np.array_equal(pixels(ImageRenderer().view(colour)), colour)
    assert pixels(ImageRenderer().view(np.stack([image] * 4, axis=2))).shape == (10, 25, 4)
    assert np.array_equal(pixels(ImageRenderer().view(image[:, :, None])), image)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (np.array([[[0.0, 1.0]]]), [[0, 255]]),
        (np.array([[[0.0, 200.0]]]), [[0, 200]]),
        (np.array([[[False, True]]]), [[0, 255]]),
        (np.array([[[0, 16]]], dtype=np.uint8), [[0, 255]]),
        (np.array([[[0, 255]]], dtype=np.int64), [[0, 255]]),
        (np.array([[[-1.0, 1.0]]]), [[0, 255]]),
        (np.array([[[np.nan, 1.0]]]), [[0, 255]]),
        ([np.array([[0.0, 1.0]])], [[0, 255]]),
        ([np.array([[False, True]])], [[0, 255]]),
        (pd.Series([np.array([[0, 255]], dtype=np.uint8), None]), [[0, 255]]),
    ],
)
def test_the_range_of_the_pixels_is_guessed(images, expected):
    pool, renderer, _ = open_pool(images)
    assert pixels(renderer.view(pool.item(0))).tolist() == expected


def test_the_range_of_nothing_known():
    assert pixel_range([b"", None]) == (0.0, 255.0)
    assert pixel_range(np.zeros((2, 3, 3))) == (0.0, 1.0)
    assert pixel_range(np.full((1, 2, 2), 1000.0)) == (0.0, 1000.0)
    assert to_uint8(np.full((1, 1), 7.0), 7.0, 7.0).tolist() == [[0]]


def test_images_come_in_every_form(tmp_path):
    image = Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8))
    raw = png(image)
    path = tmp_path / "a.png"
    path.write_bytes(raw)
    for item in (raw, bytearray(raw), path, str(path), {"bytes": raw}, {"path": str(path)}):
        view = ImageRenderer().view(item)
        assert ImageRenderer().accepts(item)
        assert view.buffers == (raw,) and view.data["mime"] == "image/png"
        assert (view.data["width"], view.data["height"]) == (8, 6)
    assert ImageRenderer().view(str(path)).data["name"] == str(path)
    assert np.array_equal(pixels(ImageRenderer().view(image)), np.asarray(image))
    assert not ImageRenderer().accepts("https://example.org/a.png")
    assert not ImageRenderer().accepts(np.zeros(3))


def test_formats_that_browsers_do_not_read_are_converted():
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    view = ImageRenderer().view(png(image, "TIFF"))
    assert view.data["mime"] == "image/png" and pixels(view)[0, 0].tolist() == [255, 0, 0]
    cmyk = ImageRenderer().view(Image.new("CMYK", (4, 4)))
    assert pixels(cmyk)[0, 0].tolist() == [255, 255, 255]


def test_large_images_are_scaled_down():
    noise = np.random.default_rng(0).integers(0, 256, (2000, 1000, 3), dtype=np.uint8)
    view = ImageRenderer().view(noise)
    assert view.data["mime"] == "image/jpeg"
    assert (view.data["width"], view.data["height"]) == (1000, 2000)
    assert max(pixels(view).shape) == MOST_PIXELS
    big = ImageRenderer().view(png(Image.new("P", (4000, 10))))
    assert big.data["mime"] == "image/png" and pixels(big).shape[1] == MOST_PIXELS


def test_svg_is_sent_as_it_is():
    raw = b" <svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    data = {"mime": "image/svg+xml", "name": "", "clear": True}
    assert ImageRenderer().view(raw) == View("image", data, (raw,))


@pytest.mark.parametrize("size", [40, 3000])
def test_what_is_drawn_on_nothing_says_so(size):
    """The page puts a ground behind it: black would vanish in the dark theme."""
    drawn, full = (Image.new("RGBA", (size, size // 2), (0, 0, 0, alpha)) for alpha in (0, 255))
    palette = full.convert("P")
    palette.info["transparency"] = 0
    for image, clear in ((drawn, True), (full, False), (full.convert("RGB"), False)):
        for item in (image, png(image)):
            for view in (ImageRenderer().view(item), ImageRenderer().thumbnail(item)):
                assert view.data.get("clear", False) == clear
    assert ImageRenderer().view(palette).data["clear"]
    for mode in ("LA", "PA", "La", "RGBa"):
        through = Image.new("RGBA" if mode[0] in "RP" else "LA", (40, 20))
        through = Image.new("PA", (40, 20)) if mode == "PA" else through.convert(mode)
        assert ImageRenderer().view(through).data["clear"]
        assert pixels(ImageRenderer().view(through)).shape[2] in (2, 4)
        assert read_pixels(through, (3, 3)) == pytest.approx(127 / 255)


def test_learning_reads_any_image_as_a_gray_square():
    image = Image.new("RGB", (100, 50), (255, 255, 255))
    assert read_pixels(png(image), (4, 4)).tolist() == np.ones((4, 4)).tolist()
    assert read_pixels(image, (2, 2)).tolist() == [[1, 1], [1, 1]]
    assert read_pixels(b"no image", (2, 2)).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_learning_reads_colors_and_what_is_clear_as_gray():
    red = Image.new("RGB", (9, 9), (255, 0, 0))
    assert read_pixels(red, (2, 2), colors=True).tolist() == [[[1, 0, 0]] * 2] * 2
    drawn = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (0, 0, 4, 8))  # black on nothing
    seen = read_pixels(png(drawn), (8, 8))
    assert np.all(seen[:, 0] == 0) and np.all(np.abs(seen[:, -1] - 0.5) < 0.01)


def test_learning_sees_a_photo_as_it_is_shown():
    """A camera held upright notes a turn; the pixels lie."""
    image = np.zeros((40, 60), np.uint8)
    image[:20] = 255  # above; turned by a quarter, on the right
    buffer, noted = io.BytesIO(), Image.Exif()
    noted[0x0112] = 6
    Image.fromarray(image).save(buffer, "JPEG", exif=noted)
    seen = read_pixels(buffer.getvalue(), (8, 8))
    assert seen[:, 0].max() < 0.1 and seen[:, -1].min() > 0.9
    turned = np.asarray(read_rgb(buffer.getvalue()))
    assert turned.shape == (60, 40, 3) and turned[30, 2, 0] < 10 and turned[30, -2, 0] > 245


@pytest.mark.parametrize("noted", [b"Exif\0\0garbage!", b"Exif\0\0II*\0"])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_what_a_camera_noted_may_be_broken(noted, form):
    buffer = io.BytesIO()
    Image.new("L", (9, 9), 255).save(buffer, form, exif=noted)
    assert read_pixels(buffer.getvalue(), (4, 4)).min() == 1
    assert np.asarray(read_rgb(buffer.getvalue())).min() == 255
    assert ImageRenderer().view(Image.open(buffer)).kind == "image"


def test_of_deep_images_a_few_broken_pixels_do_not_count_and_the_camera_does():
    ramp = np.tile(np.linspace(1000, 1100, 60), (90, 1)).astype(np.float32)
    ramp[3, 5], ramp[50, 50], ramp[70, 20] = -9999, np.nan, np.inf
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "TIFF")
    seen = read_pixels(buffer.getvalue(), (90, 60))
    assert np.abs(seen[30] - np.linspace(0, 1, 60)).max() < 0.05
    turned, noted = io.BytesIO(), Image.Exif()
    noted[0x0112] = 6
    whole = np.nan_to_num(ramp, posinf=0).clip(0).astype(np.uint16)
    Image.fromarray(whole).save(turned, "PNG", exif=noted)
    seen = read_pixels(turned.getvalue(), (60, 90))  # what was left is above
    assert np.abs(seen[:, 30] - np.linspace(0, 1, 60)).max() < 0.05


@pytest.mark.parametrize(
    ("kind", "form"),
    [(np.uint16, "PNG"), (np.uint16, "TIFF"), (np.int32, "TIFF"), (np.float32, "TIFF")],
)
def test_pixels_of_more_than_8_bits_have_a_range_of_their_own(kind, form):
    """Of a microscope or a scanner; Pillow would cut all above 255."""
    buffer = io.BytesIO()
    ramp = np.linspace(0, 4000, 64).astype(kind)
    Image.fromarray(np.tile(ramp, (64, 1))).save(buffer, form)
    for item in (buffer.getvalue(), Image.open(buffer)):
        for view in (ImageRenderer().view(item), ImageRenderer().thumbnail(item)):
            shown = pixels(view)[32].reshape(64, -1)[:, 0].astype(int)
            assert shown[0] == 0 and shown[-1] == 255 and abs(shown[32] - 128) < 4
        assert np.abs(read_pixels(item, (64, 64))[32] - np.linspace(0, 1, 64)).max() < 0.02
        assert abs(int(np.asarray(read_rgb(item))[32, 32, 0]) - 128) < 4


# ---------------------------------------------------------------- whatever Jupyter can display


def shown(made):
    return DisplayRenderer(lambda item: made).view("item")


def test_matplotlib_figures_and_axes_are_closed():
    figure, axes = plt.subplots(figsize=(1, 1))
    assert shown(axes).data["mime"] == "image/png"
    assert pixels(shown(figure)).ndim == 3
    assert plt.get_fignums() == []
    assert DisplayRenderer(str).accepts(object())


def test_altair_charts():
    import altair as alt

    chart = alt.Chart(pd.DataFrame({"x": [1], "y": [2]})).mark_point().encode(x="x", y="y")
    view = shown(chart)
    assert view.data["mime"] == "image/svg+xml" and view.buffers[0].startswith(b"<svg")


def test_altair_without_its_converter(monkeypatch):
    import altair as alt

    monkeypatch.setitem(__import__("sys").modules, "vl_convert", None)
    with pytest.raises(ImportError, match="install vl-convert-python"):
        shown(alt.Chart(pd.DataFrame({"x": [1]})).mark_point())


def test_tables_texts_and_images():
    assert "<table" in shown(pd.DataFrame({"a": [1]})).data["html"]
    assert shown("text") == View("text", {"text": "text"})
    assert shown(Image.new("L", (2, 2))).kind == "image"
    assert shown(3) == View("text", {"text": "3"})
    assert shown(None) == View("text", {"text": "None"})


PNG = png(Image.new("L", (3, 2)))


class Rich:
    def __init__(self, **made):
        for name, value in made.items():
            setattr(self, f"_repr_{name}_", lambda value=value: value)


@pytest.mark.parametrize(
    ("made", "kind", "content"),
    [
        ({"html": "<b>\ud800"}, "html", "<b>�"),
        ({"html": None, "markdown": "*a*"}, "text", "*a*"),
        ({"latex": "$a$"}, "text", "$a$"),
        ({"png": (PNG, {"width": 1}), "html": "x"}, "image", PNG),
        ({"png": base64.b64encode(PNG).decode()}, "image", PNG),
        ({"svg": "<svg/>"}, "image", b"<svg/>"),
        ({"mimebundle": {"text/html": "<i>", "text/plain": "i"}}, "html", "<i>"),
        ({"mimebundle": ({"text/plain": "plain"}, {})}, "text", "plain"),
        ({"mimebundle": None, "html": "<u>"}, "html", "<u>"),
    ],
)
def test_the_best_view_without_scripts_is_taken(made, kind, content):
    view = shown(Rich(**made))
    assert view.kind == kind
    assert (view.buffers[0] if kind == "image" else view.data[kind]) == content


@pytest.mark.parametrize("size", [(40, 20), (2000, 1000), (4000, 2000)])
def test_the_side_that_is_up_is_not_forgotten(size):
    """Pixels stay where they are, for shapes; other cards show them as the camera was held."""
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = io.BytesIO()
    Image.new("RGB", size).save(raw, "JPEG", exif=exif)
    view = ImageRenderer().view(raw.getvalue())
    assert (view.data["width"], view.data["height"]) == size
    with Image.open(io.BytesIO(view.buffers[0])) as sent:
        assert sent.getexif()[0x0112] == 6
        assert sent.width == 2 * sent.height


def test_the_side_that_is_up_is_not_applied_twice():
    """Of a TIFF Pillow applies it when it reads the pixels."""
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = io.BytesIO()
    Image.new("RGB", (40, 20)).save(raw, "TIFF", exif=exif)
    with Image.open(io.BytesIO(ImageRenderer().view(raw.getvalue()).buffers[0])) as sent:
        assert sent.size == (20, 40)
        assert 0x0112 not in sent.getexif()
