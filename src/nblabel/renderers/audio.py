"""Sounds: files, encoded bytes, arrays of samples."""

from __future__ import annotations

import io
import math
import os
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import MOST_BYTES, Source, View, clean, is_named

#: Pairs of lowest and highest value that the waveform is drawn from.
PEAKS = 1000
#: Samples a second that a long sound is sent with: the most that fit.
_RATES = (32000, 22050, 16000, 11025, 8000)
#: More channels than these are mixed to one.
_MOST_CHANNELS = 2
_WAV = "audio/wav"
#: In the part of a WAV that says its format, name and length of it included: where bytes a second
#: and bytes of all channels together are.
_RATE_AND_FRAME = ((16, 4), (20, 2))
#: A WAV is looked through no further for its samples.
_MOST_CHUNKS = 100
_EXPECTED = "a file, bytes, or samples and their rate"
#: A larger compressed sound is not sent at all.
MOST_STREAMED = 100_000_000


class AudioRenderer:
    """Shows an item as a waveform that can be played.

    WAV files and arrays are read here. A sound too large to send is sent as mono, 16 bits and with
    fewer samples, down to 8,000 a second. Compressed sounds (MP3, FLAC, Ogg, M4A, WebM) go to the
    browser as they are, which decodes them in its sandbox.

    Parameters
    ----------
    rate : int, optional
        Samples a second of arrays that come without it.
    autoplay : bool
        Play each sound as it comes.
    most_bytes : int
        A compressed sound of more comes piece by piece when it is shown. Another one that takes
        more even so is not sent: its card says so.
    """

    kind = "audio"
    modality: str | None = "sound"

    def __init__(
        self, rate: int | None = None, autoplay: bool = False, most_bytes: int = MOST_BYTES
    ) -> None:
        self.rate = rate
        self.autoplay = autoplay
        self.most_bytes = most_bytes

    def accepts(self, item: Any) -> bool:
        """Whether the item is a file, bytes, samples with their rate, or samples alone."""
        if isinstance(item, Mapping) and "array" in item:
            return "sampling_rate" in item
        if isinstance(item, (tuple, list)):
            return len(item) == 2 and np.ndim(item[0]) in (1, 2) and np.ndim(item[1]) == 0
        return is_named(item) or (isinstance(item, np.ndarray) and item.ndim in (1, 2))

    def view(self, item: Any) -> View:
        """Return the sound and its peaks, int8 of shape (n, 2), as two buffers."""
        data: dict[str, Any] = {"autoplay": self.autoplay}
        raw, given = None, _given(item, self.rate)
        if given is None:
            source = Source(item, _EXPECTED)
            data["name"] = clean(str(item)) if isinstance(item, (str, os.PathLike)) else ""
            mime = _mime(source.read(0, 64))
            if mime != _WAV:
                self._check(source.size)
                data |= {"mime": mime, "streamed": source.size > self.most_bytes}
                held = () if data["streamed"] else (source.read(0, source.size),)
                return View("audio", {**data, "size": source.size}, held)
            raw = source.read(0, source.size)
            given = _read_wav(raw)
        samples, rate = as_float(given[0]), _whole(given[1])
        if raw is None or len(raw) > self.most_bytes:
            raw, data["note"] = self._encoded(samples, rate)
        data |= {"mime": _WAV, "seconds": len(samples) / rate}
        return View("audio", data, (raw, peaks(samples).tobytes()))

    def piece(self, item: Any, name: str, start: int, length: int) -> tuple[bytes, int]:
        """Return some bytes of a compressed sound and how many it has."""
        source = Source(item, _EXPECTED)
        self._check(source.size)
        return source.read(start, length), source.size

    def _check(self, size: int) -> None:
        if size > MOST_STREAMED:
            raise ValueError(f"a sound of {size:,} bytes is too large (at most {MOST_STREAMED:,})")

    def _encoded(self, samples: NDArray[np.float32], rate: int) -> tuple[bytes, str]:
        """Return a WAV of 16 bits that is small enough, and what was done to it."""
        most = (self.most_bytes - 100) // 2  # of two bytes each, behind the head
        seconds = len(samples) / rate
        sent, note = samples, ""
        if samples.shape[1] > _MOST_CHANNELS or samples.size > most:
            sent = samples.mean(axis=1, keepdims=True)
            note = "" if sent.size == samples.size else "sent as mono"
        if sent.size > most:
            slower = next((r for r in _RATES if r < rate and seconds * r < most), None)
            if slower is None:
                least = min(rate, _RATES[-1])
                raise ValueError(
                    f"a sound of {seconds:,.0f} seconds is too long: even as mono, 16 bits and "
                    f"{least:,} samples a second it takes {seconds * least * 2:,.0f} bytes (at "
                    f"most {self.most_bytes:,}; AudioRenderer(most_bytes=...) sets it)"
                )
            from scipy.signal import resample_poly

            divisor = math.gcd(slower, rate)
            sent = resample_poly(sent, slower // divisor, rate // divisor, axis=0)
            rate, note = slower, f"sent as mono, {slower:,} samples a second"
        from scipy.io import wavfile

        buffer = io.BytesIO()
        wavfile.write(buffer, rate, np.rint(np.clip(sent, -1, 1) * 32767).astype(np.int16))
        return buffer.getvalue(), note


def read_samples(item: Any, seconds: float = math.inf) -> tuple[NDArray[np.float32], int]:
    """Return a sound as float32 of shape (n_samples, n_channels), -1 to 1, and its rate.

    Parameters
    ----------
    item : sound
    seconds : float
        Of a longer one the beginning.

    Raises
    ------
    Exception
        If it cannot be read, or is compressed.
    """
    given = _given(item, None)
    if given is None:
        source = Source(item, _EXPECTED)
        if _mime(source.read(0, 64)) != _WAV:
            raise ValueError("compressed sounds are decoded by the browser, not here")
        given = _read_wav(_beginning(source, seconds))
    rate = _whole(given[1])
    samples = np.asarray(given[0])
    if samples.ndim and samples.shape[np.argmax(samples.shape)] > seconds * rate:
        kept = np.arange(max(1, math.ceil(seconds * rate)))
        samples = samples.take(kept, axis=int(np.argmax(samples.shape)))
    return as_float(samples), rate


def _beginning(source: Source, seconds: float) -> bytes:
    """Return so many seconds of a WAV as one of its own; all of it if it is short, or odd."""
    head, place = b"", 12
    if source.size <= MOST_BYTES or source.read(0, 4) != b"RIFF":
        return source.read(0, source.size)
    for _ in range(_MOST_CHUNKS):
        start = source.read(place, 8)
        if len(start) < 8:
            break
        name, size = start[:4], int.from_bytes(start[4:], "little")
        if name == b"fmt " and 16 <= size <= 1024:
            head = start + source.read(place + 8, size)
        elif name == b"data" and head:
            a_second, frame = (
                int.from_bytes(head[k : k + n], "little") for k, n in _RATE_AND_FRAME
            )
            kept = math.ceil(min(size, seconds * a_second) / max(frame, 1)) * frame
            data = source.read(place + 8, min(size, kept))
            body = b"WAVE" + head + b"data" + len(data).to_bytes(4, "little") + data
            return b"RIFF" + len(body).to_bytes(4, "little") + body
        place += 8 + size + size % 2
    return source.read(0, source.size)


def _given(item: Any, rate: int | None) -> tuple[Any, Any] | None:
    """Return samples and their rate of what is not encoded, None of all else."""
    if isinstance(item, Mapping) and "array" in item:
        if "sampling_rate" not in item:
            raise ValueError("samples come without their rate: there is no 'sampling_rate'")
        return item["array"], item["sampling_rate"]
    if isinstance(item, (tuple, list)):
        samples, rate = item
        return samples, rate
    if not isinstance(item, np.ndarray):
        return None
    if rate is None:
        raise ValueError(
            "samples come without their rate: give (samples, rate) for each sound, or "
            "show=AudioRenderer(rate=...)"
        )
    return item, rate


def peaks(samples: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return the lowest and highest value of equal parts of a sound.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_channels), float32
        From -1 to 1.

    Returns
    -------
    ndarray of shape (min(n_samples, PEAKS), 2), int8
        From -127 to 127.
    """
    starts = np.unique(np.linspace(0, len(samples), PEAKS, endpoint=False).astype(int))
    low = np.minimum.reduceat(samples.min(axis=1), starts)
    high = np.maximum.reduceat(samples.max(axis=1), starts)
    return np.rint(np.clip(np.column_stack([low, high]), -1, 1) * 127).astype(np.int8)


def as_float(samples: Any) -> NDArray[np.float32]:
    """Return samples as float32 of shape (n_samples, n_channels), from -1 to 1.

    Integers are scaled by what their type can hold, floats beyond 1 by their largest value; NaN is
    silence. Of two dimensions the channels are the shorter one.
    """
    given = np.asarray(samples)
    if given.ndim not in (1, 2) or not given.size or given.dtype.kind not in "iuf":
        raise ValueError(
            "samples are numbers in an array of shape (n_samples,) or (n_samples, n_channels), "
            f"got {given.dtype} of shape {given.shape}"
        )
    table = given[:, None] if given.ndim == 1 else given
    table = table.T if table.shape[0] < table.shape[1] else table
    if given.dtype == np.uint8:  # WAV of 8 bits has its silence at 128
        return (table.astype(np.float32) - np.float32(128)) / np.float32(128)
    if given.dtype in (np.int8, np.int16, np.int32):
        return table.astype(np.float32) / -float(np.iinfo(given.dtype).min)
    made = np.nan_to_num(table.astype(np.float32), posinf=0.0, neginf=0.0)
    largest = float(np.abs(made).max())
    return made / largest if largest > 1 else made


def _whole(rate: Any) -> int:
    if np.ndim(rate) or not 1 <= float(rate) <= 1_000_000:
        raise ValueError(f"the rate is a number of samples a second, got {rate!r:.60}")
    return round(float(rate))


def _read_wav(raw: bytes) -> tuple[NDArray[Any], int]:
    from scipy.io import wavfile

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # parts that it does not know
            rate, samples = wavfile.read(io.BytesIO(raw))
    except Exception as error:  # whatever a broken file leads to
        raise ValueError(f"this WAV is broken or of a kind not read here: {error}") from None
    return samples, rate


def _mime(raw: bytes) -> str:
    """Tell the format by how the bytes begin; a name may lie."""
    if raw[:4] in (b"RIFF", b"RIFX", b"RF64") and raw[8:12] == b"WAVE":
        return _WAV
    if raw[4:8] == b"ftyp":
        return "audio/mp4"
    for start, mime in _STARTS.items():
        if raw.startswith(start):
            return mime
    raise ValueError("this is no sound in a format that is known (WAV, MP3, FLAC, Ogg, M4A, WebM)")


_STARTS = {
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"\xff\xf3": "audio/mpeg",
    b"\xff\xf2": "audio/mpeg",
    b"\xff\xfa": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"OggS": "audio/ogg",
    b"\x1a\x45\xdf\xa3": "audio/webm",
}
