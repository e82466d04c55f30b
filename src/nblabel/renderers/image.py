"""Images: arrays, files, encoded bytes, PIL images."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from .base import View, clean, encoded_bytes, is_named

#: Longest side that is sent; a larger image is scaled down for the card, and for a tile.
MOST_PIXELS, TILE = 1600, 400
#: Files in these formats go to the browser as they are,
_BROWSER_FORMATS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
#: of at most so many bytes for a pixel that can be shown.
_MOST_BYTES_A_PIXEL = 0.6
#: The tag of EXIF that says which side is up.
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MOST_SVG_BYTES = 20_000_000
#: What is decoded. Pillow knows more, and has others do some: EPS is run by Ghostscript.
_FORMATS = (
    "PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "ICO", "PPM", "JPEG2000", "TGA",
)  # fmt: skip
#: What an image that cannot be read is for a model: as gray as no byte is.
UNREAD = 0.5
#: Modes that have a channel of what is seen through, and what a page is sent for them.
_SEEN_THROUGH = {"LA": "LA", "PA": "RGBA", "RGBA": "RGBA", "La": "LA", "RGBa": "RGBA"}


class ImageRenderer:
    """Shows an item as an image.

    Parameters
    ----------
    low, high : float
        Range of the pixel values of arrays, black to white.
    """

    kind = "image"
    modality: str | None = "image"

    def __init__(self, low: float = 0.0, high: float = 255.0) -> None:
        self.low = low
        self.high = high

    def accepts(self, item: Any) -> bool:
        """Whether the item looks like an image."""
        return (
            isinstance(item, Image.Image)
            or (isinstance(item, np.ndarray) and item.ndim in (2, 3))
            or is_named(item)
        )

    def view(self, item: Any) -> View:
        """Return the encoded image as one buffer."""
        return self._view(item, MOST_PIXELS)

    def thumbnail(self, item: Any) -> View:
        """Return a small image, if the item is a large one."""
        return self._view(item, TILE)

    def _view(self, item: Any, most: int) -> View:
        name = clean(str(item)) if isinstance(item, (str, os.PathLike)) else ""
        if isinstance(item, np.ndarray):
            image = Image.fromarray(to_uint8(item, self.low, self.high))
            return encoded_view(image, name, most)
        if isinstance(item, Image.Image):
            return encoded_view(item, name, most)
        raw = _read(item)
        if raw[:256].lstrip().startswith((b"<svg", b"<?xml")):
            return svg_view(raw, name)
        with _open(raw) as image:
            mime = None if _is_deep(image) else _BROWSER_FORMATS.get(image.format or "")
            if mime and len(raw) <= _MOST_BYTES_A_PIXEL * most**2 and max(image.size) <= 2 * most:
                _bound(image)
                image.load()
                data = {"mime": mime, "name": name, "width": image.width, "height": image.height}
                return View("image", data | _ground(image), (raw,))
            # A file that goes to a card as it is does not to a tile.
            return encoded_view(image, name, most, is_whole=not mime)


def svg_view(raw: bytes, name: str = "") -> View:
    """Return an SVG as it is: as an image it runs no scripts and fetches nothing."""
    if len(raw) > _MOST_SVG_BYTES:
        raise ValueError(f"an SVG of {len(raw):,} bytes is too large (at most {_MOST_SVG_BYTES:,})")
    return View("image", {"mime": "image/svg+xml", "name": name, "clear": True}, (raw,))


def _open(raw: bytes) -> Image.Image:
    """Open an encoded image; nothing is decoded yet."""
    Image.init()
    try:
        known = [name for name in _FORMATS if name in Image.OPEN]
        return Image.open(io.BytesIO(raw), formats=known)
    except UnidentifiedImageError:
        raise ValueError(
            "this is no image, is cut off, or has a format that is not read here; what Pillow "
            "reads beyond that can be given as an image opened with it"
        ) from None


def _bound(image: Image.Image, side: int = MOST_PIXELS) -> None:
    """Refuse what would take too much memory, before it is decoded: a file of 1 kB may claim GBs.

    Pillow itself refuses only twice its limit, and warns below.
    """
    image.draft(None, (side, side))  # JPEG decodes to a smaller size at once
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and image.width * image.height > most:
        raise ValueError(
            f"an image of {image.width:,} x {image.height:,} pixels is too large (at most {most:,} "
            "pixels; PIL.Image.MAX_IMAGE_PIXELS sets it)"
        )


def _is_deep(image: Image.Image) -> bool:
    """Whether a pixel is a number of more than 8 bits, as of a microscope or a scanner."""
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _of_bytes(image: Image.Image, side: int) -> Image.Image:
    """Return an image of 8 bits a channel, of a deep one by its own range, where Pillow would cut.

    Of a deep one that is much larger than `side` not all pixels are looked at.
    """
    if not _is_deep(image):
        return image
    step = max(1, max(image.size) // (2 * side))
    array = np.asarray(image)[::step, ::step]
    some = array[:: max(1, len(array) // 256), :: max(1, array.shape[1] // 256)]
    known = some[np.isfinite(some)]
    # A few pixels may be broken, or say that there is nothing.
    low, high = map(float, np.percentile(known, (0.1, 99.9)) if known.size else (0, 1))
    return Image.fromarray(to_uint8(np.clip(array.astype(np.float32), low, high), low, high))


def _is_clear(image: Image.Image) -> bool:
    """Whether something is to be seen through an image: it may be drawn on nothing."""
    if image.mode in _SEEN_THROUGH:
        return bool(np.asarray(image.getchannel(image.getbands()[-1])).min() < 255)
    return "transparency" in image.info


def _ground(image: Image.Image) -> dict[str, bool]:
    """Say that an image needs something behind it, whatever the theme."""
    return {"clear": True} if _is_clear(image) else {}


def _turn(image: Image.Image) -> int | None:
    """Return which turn the camera noted, None if there is none, or it cannot be read."""
    try:
        turn = image.getexif().get(_ORIENTATION)
    except Exception:
        return None
    return turn if isinstance(turn, int) and turn in _TURNS else None


def _upright(made: Image.Image, original: Image.Image) -> Image.Image:
    """Return what was made of an image the way up that the camera noted."""
    turn = _turn(original)
    return made if turn is None else made.transpose(_TURNS[turn])


def _read(item: Any) -> bytes:
    return encoded_bytes(item, "an array, a file, bytes or a PIL image")


def encoded_view(
    image: Image.Image, name: str, most: int = MOST_PIXELS, *, is_whole: bool = True
) -> View:
    """Return an image as it is sent: no larger than a card, or a tile, can show."""
    full = image.size
    _bound(image, most)
    image.load()
    # As a camera noted it: a file that goes as it is has it, too. Of a TIFF it is applied by now.
    turn = _turn(image)
    image = _of_bytes(image, most)
    if image.mode not in ("L", "LA", "RGB", "RGBA", "P", "1"):
        image = image.convert(_SEEN_THROUGH.get(image.mode, "RGB"))
    if max(full) > most:
        mode = "RGBA" if image.mode in ("LA", "RGBA", "P") else "RGB"
        image = image if image.mode == mode else image.convert(mode)
        width, height = (max(1, round(side * most / max(full))) for side in full)
        image = image.resize((width, height), reducing_gap=2.0)
    photo = image.mode == "RGB" and max(image.size) > 256
    buffer = io.BytesIO()
    options: dict[str, Any] = {"quality": 88} if photo else {}
    options["exif"] = b""  # else some releases of Pillow pass on what the file had
    if turn is not None:
        options["exif"] = Image.Exif()
        options["exif"][_ORIENTATION] = turn
    image.save(buffer, "JPEG" if photo else "PNG", **options)
    mime = "image/jpeg" if photo else "image/png"
    data = {"mime": mime, "name": name, "width": full[0], "height": full[1]}
    if not photo:
        data |= _ground(image)
    if most == TILE and (max(full) > TILE or not is_whole):
        data["side"] = TILE
    return View("image", data, (buffer.getvalue(),))


def to_uint8(array: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Scale pixel values from low..high to 0..255; NaN becomes black."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return np.ascontiguousarray(array)
    scaled = (np.nan_to_num(array.astype(np.float32)) - low) * (255.0 / max(high - low, 1e-12))
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def pixel_range(images: Any) -> tuple[float, float]:
    """Guess the range of the pixel values: 0..1, 0..255, or what a sample has.

    Parameters
    ----------
    images : ndarray of shape (n, ...), or sequence
        0..255 for a sequence without arrays.
    """
    if not isinstance(images, np.ndarray) or images.dtype == object:
        arrays = [image for image in images if isinstance(image, np.ndarray)][:200]
        if not arrays:
            return 0.0, 255.0
        pixels = [image.ravel()[:: max(1, image.size // 10_000)] for image in arrays]
        images = np.concatenate(pixels)[None]
    if images.dtype == bool:
        return 0.0, 1.0
    if images.dtype == np.uint8:
        sample = images[:: max(1, len(images) // 200)]
        return (
            (0.0, 255.0)
            if sample.max(initial=0) > 16
            else (0.0, max(1.0, float(sample.max(initial=0))))
        )
    sample = np.nan_to_num(images[:: max(1, len(images) // 200)].astype(np.float32))
    low, high = float(sample.min(initial=0.0)), float(sample.max(initial=0.0))
    if low >= 0:
        return 0.0, 1.0 if high <= 1 else 255.0 if 128 < high <= 255 else high
    return low, high


def read_rgb(item: Any) -> Image.Image:
    """Read any image in color, for a model of images; the range of an array is its own."""
    if isinstance(item, np.ndarray):
        return Image.fromarray(to_uint8(item, *pixel_range(item[None]))).convert("RGB")
    image = item if isinstance(item, Image.Image) else Image.open(io.BytesIO(_read(item)))
    return _upright(_of_bytes(image, max(image.size)).convert("RGB"), image)


def read_pixels(item: Any, size: tuple[int, int], *, colors: bool = False) -> NDArray[np.float32]:
    """Read any image in one size, in gray or in colors; one that cannot be read is all gray.

    Parameters
    ----------
    item : image
    size : (int, int)
        Height and width.
    colors : bool

    Returns
    -------
    ndarray of shape (height, width), or with colors (height, width, 3), float32, 0..1
    """
    side = max(size)
    try:
        image = item if isinstance(item, Image.Image) else _open(_read(item))
        _bound(image)
        flat = _of_bytes(image, 8 * side)
        flat = flat.convert(_SEEN_THROUGH.get(flat.mode, flat.mode))
        clear = _is_clear(image)
        mode = "RGB" if colors else "L"
        made = flat.convert("RGBA" if clear else mode)
        made = _upright(made.resize((side, side), Image.Resampling.BILINEAR), image)
        made = made.resize(size[::-1], Image.Resampling.BILINEAR)
        if clear:  # on gray neither a black drawing vanishes nor a white one
            ground = Image.new("RGBA", made.size, (127, 127, 127, 255))
            made = Image.alpha_composite(ground, made).convert(mode)
        return np.asarray(made, dtype=np.float32) / 255.0
    except Exception:
        return np.full((*size, 3) if colors else size, UNREAD, dtype=np.float32)
