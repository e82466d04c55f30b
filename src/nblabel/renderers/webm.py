"""Pictures as a WebM video: VP8 in Matroska, written without a codec of our own.

A lossy WebP is one key frame of VP8 in a RIFF box, so Pillow is the encoder and what is left is the
container: https://www.matroska.org/technical/elements.html, https://www.rfc-editor.org/rfc/rfc9649.
Each frame is a key frame: larger than what a video codec makes, and any frame can be gone to.
"""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

#: Times in a block count from the start of its cluster, in 16 bits of milliseconds.
_CLUSTER_MS = 5000


def encode(frames: NDArray[np.uint8], rate: float, quality: int = 75) -> bytes:
    """Return a video.

    Parameters
    ----------
    frames : ndarray of shape (n, height, width) or (n, height, width, 3), uint8
    rate : float
        Frames a second.
    quality : int
        From 0 to 100, as Pillow has it for WebP.
    """
    height, width = frames[0].shape[:2]
    clusters: list[tuple[int, bytes]] = []  # its time and its blocks
    for place, frame in enumerate(frames):
        at = round(1000 * place / rate)
        if not clusters or at - clusters[-1][0] >= _CLUSTER_MS:
            clusters.append((at, b""))
        start, blocks = clusters[-1]
        block = struct.pack(">BhB", 0x81, at - start, 0x80) + key_frame(frame, quality)
        clusters[-1] = start, blocks + _box(0xA3, block)
    info = _box(
        0x1549A966,
        _number(0x2AD7B1, 1_000_000)  # a tick is a millisecond
        + _box(0x4489, struct.pack(">d", 1000 * len(frames) / rate))
        + _box(0x4D80, b"nblabel") + _box(0x5741, b"nblabel"),
    )  # fmt: skip
    track = _box(
        0xAE,
        _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _box(0x86, b"V_VP8")
        + _number(0x23E383, round(1e9 / rate))
        + _box(0xE0, _number(0xB0, width) + _number(0xBA, height)),
    )  # fmt: skip
    head = info + _box(0x1654AE6B, track)
    whole = [_box(0x1F43B675, _number(0xE7, at) + blocks) for at, blocks in clusters]
    index = _index([at for at, _ in clusters], [0] * len(whole))
    places = np.cumsum([len(head) + len(index), *map(len, whole[:-1])]).tolist()
    index = _index([at for at, _ in clusters], places)
    kind = _box(
        0x1A45DFA3,
        _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8)
        + _box(0x4282, b"webm") + _number(0x4287, 2) + _number(0x4285, 2),
    )  # fmt: skip
    return kind + _box(0x18538067, head + index + b"".join(whole))


def key_frame(frame: NDArray[np.uint8], quality: int) -> bytes:
    """Return one picture as a key frame of VP8."""
    buffer = io.BytesIO()
    Image.fromarray(frame).convert("RGB").save(buffer, "WEBP", quality=quality, method=0)
    raw = buffer.getvalue()
    at = 12
    while raw[at : at + 4] != b"VP8 ":
        at += 8 + (struct.unpack_from("<I", raw, at + 4)[0] + 1) // 2 * 2
    (length,) = struct.unpack_from("<I", raw, at + 4)
    return raw[at + 8 : at + 8 + length]


def _index(times: list[int], places: list[int]) -> bytes:
    """Where the clusters begin; as long whatever the places are."""
    points = [
        _box(
            0xBB,
            _number(0xB3, at) + _box(0xB7, _number(0xF7, 1) + _box(0xF1, struct.pack(">Q", place))),
        )
        for at, place in zip(times, places, strict=True)
    ]
    return _box(0x1C53BB6B, b"".join(points))


def _box(name: int, content: bytes) -> bytes:
    size = struct.pack(">Q", len(content) | 1 << 56)
    return name.to_bytes((name.bit_length() + 7) // 8, "big") + size + content


def _number(name: int, value: int) -> bytes:
    return _box(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
