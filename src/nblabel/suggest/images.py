"""What a light model learns from images: the directions of their edges, and their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter
from sklearn.base import BaseEstimator, TransformerMixin

from .._progress import report
from ..renderers.image import UNREAD, pixel_range, read_pixels, to_uint8
from .parts import PartedFeatures

#: Images are learned from as squares of this side, in pixels.
SIDE = 32
#: Cells along each side of an image in which edges are counted, by so many directions.
CELLS, DIRECTIONS = 7, 8
#: Edges of half a step of gray are hardly seen.
FAINT = np.float32(0.5 / 255)
#: Pixels are looked at in pictures of at most this side.
THUMBNAIL = 16
#: Mean length of what is said of the pixels, where the edges have 1: mostly they tell more.
PIXELS_LENGTH = 0.5


class PixelScaler(TransformerMixin, BaseEstimator):
    """Images of any size and kind to one row of pixels each, 0..1.

    Arrays of one size of at most `side` pixels keep their pixels; all others become squares. An
    image that cannot be read becomes plain gray.

    Parameters
    ----------
    side : int
        Side of the square, in pixels.
    colors : bool
        Whether squares are in colors, not in gray.

    Attributes
    ----------
    shape_ : (int, int, int)
        Height, width and channels of what a row holds.
    """

    def __init__(self, side: int = SIDE, colors: bool = False) -> None:
        self.side = side
        self.colors = colors

    def fit(self, images: Any, y: Any = None) -> PixelScaler:
        """Learn the range of the pixel values, and the size."""
        array = isinstance(images, np.ndarray) and images.dtype != object
        self.low_, self.high_ = pixel_range(images)
        self.dtype_ = getattr(images, "dtype", None)
        self.keep_ = array and max(images.shape[1:3]) <= self.side
        if self.keep_:
            self.shape_ = (*images.shape[1:], 1)[:3]
        else:
            self.shape_ = (self.side, self.side, 3 if self.colors else 1)
        return self

    def transform(self, images: Any) -> NDArray[np.float32]:
        """Return float32 of shape (n_images, n_pixels)."""
        if self.keep_ and all(map(self._fits, images)):
            array = np.asarray(images)
            low, high = self._range(array)
            flat = array.astype(np.float32).reshape(len(array), -1)
            return np.nan_to_num((flat - low) / max(high - low, 1e-12))
        size, colors = self.shape_[:2], self.shape_[2] == 3
        rows = np.empty((len(images), int(np.prod(self.shape_))), dtype=np.float32)
        for place, image in enumerate(images):
            if place % 64 == 0:
                report(place / len(images))
            if isinstance(image, np.ndarray):
                image = Image.fromarray(to_uint8(image, *self._range(image[None])))
            rows[place] = read_pixels(image, size, colors=colors).ravel()
        return rows

    def _range(self, array: NDArray[Any]) -> tuple[float, float]:
        """Return what is black and what is white: of new images of another type their own."""
        own = self.keep_ and array.dtype != self.dtype_
        return pixel_range(array) if own else (self.low_, self.high_)

    def _fits(self, image: Any) -> bool:
        return isinstance(image, np.ndarray) and (*image.shape, 1)[:3] == self.shape_


class ImageFeatures(PartedFeatures):
    """Images as principal components of their `oriented_gradients`, and of their pixels.

    Edges tell shapes apart in whatever light they are seen; pixels, in colors where there are any,
    tell the rest.
    """

    lengths = (1.0, PIXELS_LENGTH)
    #: Cosine of two images from which on one is a copy of the other: smaller, or with loss.
    near_cosine = 0.99

    def _prepare(self, items: Any) -> None:
        self.scaler_ = PixelScaler(colors=True).fit(items)

    def _parts(self, items: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = self.scaler_.transform(items)
        # Of an array there may be infinity.
        pictures = np.clip(rows, -1e4, 1e4).reshape(len(rows), *self.scaler_.shape_)
        edges = oriented_gradients(pictures.mean(axis=3))
        pixels = _pooled(pictures, THUMBNAIL).reshape(len(rows), -1)
        unread = (rows == UNREAD).all(axis=1)
        edges[unread] = pixels[unread] = np.nan  # nothing is known of them
        return edges, pixels


def oriented_gradients(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return histograms of oriented gradients, on a grid that is the same for any size.

    In each cell the strength of the edges by direction, whichever side is the darker, between two
    directions and two cells shared by nearness, against the strength of the edges around (Dalal and
    Triggs, CVPR 2005); their roots, of length 1 in all (Arandjelovic and Zisserman, CVPR 2012), or
    less where next to nothing is to be seen.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width), float32

    Returns
    -------
    ndarray of shape (n_images, n_cells * `DIRECTIONS`), float32
        Zeros of an image without edges.
    """
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    down = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    right = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    direction = np.arctan2(down, right) * np.float32(DIRECTIONS / np.pi)
    apart = np.abs(direction[..., None] - np.arange(DIRECTIONS, dtype=np.float32)) % DIRECTIONS
    near = np.maximum(1 - np.minimum(apart, DIRECTIONS - apart), 0)
    cells = _pooled(np.hypot(down, right)[..., None] * near, CELLS)
    strength = np.sqrt(np.square(cells).sum(axis=3, keepdims=True))
    around = uniform_filter(strength, size=(1, 3, 3, 1), mode="nearest")
    usual = around.mean(axis=(1, 2), keepdims=True)
    cells = np.sqrt(cells / (around + 0.1 * usual + FAINT)).reshape(len(images), -1)
    return cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1)


def _pooled(maps: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return maps of shape (n, height, width, n_maps) on a grid of at most `side` cells each way.

    The mean of what is in a cell and near it, by nearness; as it is where there is no more.
    """
    rows, columns = (_nearness(size, min(side, size)) for size in maps.shape[1:3])
    made = np.einsum("gh,nhwm,kw->ngkm", rows, maps, columns, optimize=True)
    return np.ascontiguousarray(made, dtype=np.float32)


def _nearness(n_pixels: int, n_cells: int) -> NDArray[np.float32]:
    """Return the share that each pixel of a line has in each cell, (n_cells, n_pixels)."""
    width = n_pixels / n_cells
    middles = (np.arange(n_cells) + 0.5) * width - 0.5
    shares = np.maximum(0, 1 - np.abs(np.arange(n_pixels) - middles[:, None]) / width)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True), dtype=np.float32)
