"""Videos: files, encoded bytes, arrays of frames."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Source, View, clean, is_named
from .image import ImageRenderer, pixel_range, to_uint8
from .webm import encode

#: A video of at most so many bytes goes to the page with its item; a larger one when it is shown.
MOST_WITH_ITEM = 1_000_000
#: Frames of an array, and their longer side: each of them is encoded here.
MOST_FRAMES, MOST_SIDE = 2000, 640


class VideoRenderer:
    """Shows an item as a video that can be played, slowed down and stepped through.

    Files and bytes (MP4, WebM, Ogg, QuickTime) go to the browser as they are, which decodes them in
    its sandbox; a large one only when its item is shown, piece by piece. Of arrays a WebM is made.

    Parameters
    ----------
    rate : float, optional
        Frames a second of arrays that come without it.
    autoplay : bool
        Play each video as it comes.
    most_bytes : int
        A larger video is not sent: its card says so.
    """

    kind = "video"
    modality: str | None = None

    def __init__(
        self, rate: float | None = None, autoplay: bool = False, most_bytes: int = 100_000_000
    ) -> None:
        self.rate = rate
        self.autoplay = autoplay
        self.most_bytes = most_bytes

    def accepts(self, item: Any) -> bool:
        """Whether the item is a file, bytes, a mapping with either, or frames."""
        if isinstance(item, (tuple, list)):
            return len(item) == 2 and np.ndim(item[0]) in (3, 4) and np.ndim(item[1]) == 0
        return is_named(item) or (isinstance(item, np.ndarray) and item.ndim in (3, 4))

    def view(self, item: Any) -> View:
        """Return the video as a buffer, or where to ask for it, and its poster if it has one.

        A mapping with ``"path"`` or ``"bytes"`` may have a ``"poster"``: an image, shown until the
        video is there.
        """
        data: dict[str, Any] = {"autoplay": self.autoplay, "name": ""}
        raw = None
        if isinstance(item, (np.ndarray, tuple, list)):
            raw, data["rate"] = self._encoded(item)
            mime, size = "video/webm", len(raw)
        else:
            named = item.get("bytes") or item.get("path") if isinstance(item, Mapping) else item
            if isinstance(named, (str, os.PathLike)):
                data["name"] = clean(str(named))
            source = Source(item, "a file, bytes, or frames and their rate")
            mime, size = _mime(source.read(0, 64)), source.size
            self._check(size)
            raw = source.read(0, size) if size <= MOST_WITH_ITEM else None
        buffers = () if raw is None else (raw,)
        data |= {"mime": mime, "size": size, "streamed": raw is None}
        if isinstance(item, Mapping) and item.get("poster") is not None:
            poster = item["poster"]
            made = ImageRenderer(*pixel_range([poster])).view(poster)
            data["poster"] = made.data["mime"]
            buffers = (*buffers, *made.buffers)
        return View("video", data, buffers)

    def piece(self, item: Any, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of the video and how many it has."""
        source = Source(item, "a file or bytes")
        self._check(source.size)
        return source.read(start, length), source.size

    def _check(self, size: int) -> None:
        if size > self.most_bytes:
            raise ValueError(
                f"a video of {size:,} bytes is too large (at most {self.most_bytes:,}; "
                "VideoRenderer(most_bytes=...) sets it)"
            )

    def _encoded(self, item: Any) -> tuple[bytes, float]:
        frames, rate = (item, self.rate) if isinstance(item, np.ndarray) else item
        if rate is None:
            raise ValueError(
                "frames come without their rate: give (frames, rate) for each video, or "
                "show=VideoRenderer(rate=...)"
            )
        if np.ndim(rate) or not 0.01 <= float(rate) <= 1000:
            raise ValueError(f"the rate is a number of frames a second, got {rate!r:.60}")
        raw = encode(_pictures(np.asarray(frames)), float(rate))
        if len(raw) > MOST_WITH_ITEM * 4:
            raise ValueError(
                f"these frames make a video of {len(raw):,} bytes (at most "
                f"{MOST_WITH_ITEM * 4:,}): write them to a file with a codec for videos"
            )
        return raw, float(rate)


def _pictures(frames: NDArray[Any]) -> NDArray[np.uint8]:
    """Return frames as they are encoded: 8 bits, and not too many or too large."""
    if frames.ndim not in (3, 4) or not frames.size or (frames.ndim == 4 and frames.shape[3] != 3):
        raise ValueError(
            "frames are an array of shape (n, height, width) or (n, height, width, 3), got "
            f"{frames.dtype} of shape {frames.shape}"
        )
    if len(frames) > MOST_FRAMES:
        raise ValueError(f"a video of frames has at most {MOST_FRAMES:,}, got {len(frames):,}")
    by = -(-max(frames.shape[1:3]) // MOST_SIDE)
    made = to_uint8(frames[:, ::by, ::by].reshape(len(frames), -1), *pixel_range(frames))
    return made.reshape(frames[:, ::by, ::by].shape)


def _mime(start: bytes) -> str:
    """Tell the format by how the bytes begin; a name may lie."""
    if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide"):
        return "video/mp4"
    if start.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm"
    if start.startswith(b"OggS"):
        return "video/ogg"
    raise ValueError("this is no video in a format that is known (MP4, QuickTime, WebM, Ogg)")
