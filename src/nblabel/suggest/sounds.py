"""What a light model learns from sounds: the course that they take, and how they sound."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from .._progress import report
from ..renderers.audio import read_samples
from .bulk import sample, take
from .images import oriented_gradients
from .parts import PartedFeatures

#: Bands of the spectrum, equally wide on the mel scale.
BANDS = 48
#: From here on, and up to here if the sounds hold as much, in hertz.
LOWEST, HIGHEST = 30.0, 16_000.0
#: Who records more samples a second is after what nobody hears.
ULTRASONIC = 100_000
#: Length and distance of the pieces of a sound whose spectra are looked at, in seconds.
WINDOW, STEP = 0.025, 0.010
#: Pieces of a longer sound, further apart then; of what is longer still the beginning, in seconds.
MOST_PIECES, LONGEST = 1000, 60.0
#: What has less power than this share of the loudest is silence.
SILENCE = 1e-4
#: Pieces that the picture of a sound is wide.
WIDTH = 32
#: Numbers of a sound's timbre.
_TIMBRE = 3 * BANDS + 3
#: Samples of a piece at least, and points of its spectrum: in low tones bands are narrow.
_LEAST_WIDTH, _LEAST_POINTS = 16, 1024
#: Channels that are listened to.
_MOST_CHANNELS = 8
#: Points of spectra that are made at once.
_BLOCK = 1 << 21


class SoundFeatures(PartedFeatures):
    """Sounds as principal components of the edges in their spectrogram, and of their `timbre`.

    Edges (`oriented_gradients`) tell words and tunes apart: when which tones begin, end, rise and
    fall; timbre voices and instruments. A sound that cannot be read is like the mean of all.

    Attributes
    ----------
    highest_ : float
        Up to where the spectrum is looked at, in hertz: what most sounds hold.
    """

    def _prepare(self, items: Any) -> None:
        rates: list[int] = []
        for item in take(items, sample(len(items), 0, 50)):
            report(0.0)
            samples, rate = _read(item, 1.0)
            if samples is not None:
                rates.append(rate)
        usual = float(np.median(rates)) if rates else 2 * HIGHEST
        self.highest_ = usual / 2 if usual > ULTRASONIC else min(usual / 2, HIGHEST)

    def _parts(self, items: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        timbres = np.full((len(items), _TIMBRE), np.nan, dtype=np.float32)
        pictures = np.zeros((len(items), BANDS, WIDTH), dtype=np.float32)
        for place, item in enumerate(items):
            report(place / len(items))
            samples, rate = _read(item, LONGEST)
            if samples is not None:
                powers = sounding(spectrogram(samples, rate, self.highest_))
                timbres[place] = timbre(powers)
                pictures[place] = _picture(powers)
        edges = oriented_gradients(pictures)
        edges[np.isnan(timbres[:, 0])] = np.nan  # nothing is known of it
        return edges, timbres


def spectrogram(
    samples: NDArray[np.float32], rate: int, highest: float = HIGHEST
) -> NDArray[np.float32]:
    """Return the logarithm of a sound's power, piece by piece, in bands of the mel scale.

    The scale of Stevens, Volkmann and Newman (1937), on which tones are equally far apart that
    sound so; triangular bands that overlap by half (Davis and Mermelstein, IEEE TASSP 1980).

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_channels), float32
        The mean power of the channels counts.
    rate : int
        Samples a second.
    highest : float
        Upper end of the last band, in hertz.

    Returns
    -------
    ndarray of shape (n_pieces, `BANDS`), float32
        Natural logarithm; silence is `SILENCE` of the loudest.
    """
    samples = samples[: math.ceil(LONGEST * rate), :_MOST_CHANNELS]
    width = max(_LEAST_WIDTH, round(WINDOW * rate))
    samples = np.pad(samples, ((0, max(0, width - len(samples))), (0, 0)))
    last = len(samples) - width
    n_pieces = min(MOST_PIECES, 1 + int(last / (STEP * rate)))
    starts = np.linspace(0, last, n_pieces).astype(np.intp)
    window = np.hanning(width + 2)[1:-1].astype(np.float32)
    points = max(_LEAST_POINTS, 2 ** math.ceil(math.log2(width)))
    bands = _bands(rate, points, highest)
    power = np.zeros((n_pieces, BANDS), dtype=np.float32)
    # By channel: what one has against the other is heard, but is not in their mean.
    for channel in samples.T:
        for part in np.array_split(np.arange(n_pieces), math.ceil(n_pieces * points / _BLOCK)):
            pieces = channel[starts[part, None] + np.arange(width)] * window
            power[part] += np.square(np.abs(rfft(pieces, points))) @ bands
    power /= samples.shape[1]
    return np.asarray(np.log(power + SILENCE * power.max() + 1e-10), dtype=np.float32)


@lru_cache(maxsize=8)
def _bands(rate: int, points: int, highest: float) -> NDArray[np.float32]:
    """Return the share of each frequency in each band, (points // 2 + 1, `BANDS`)."""
    lowest = LOWEST if highest > 2 * LOWEST else 0.0  # of what is slower than any sound
    low, high = (2595 * math.log10(1 + hertz / 700) for hertz in (lowest, highest))
    edges = 700 * (10 ** (np.linspace(low, high, BANDS + 2) / 2595) - 1)
    hertz = np.arange(points // 2 + 1)[:, None] * (rate / points)
    rising = (hertz - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz) / np.diff(edges)[1:]
    shares = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(shares / np.maximum(shares.sum(axis=0), 1e-9), dtype=np.float32)


def sounding(powers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a spectrogram without the silence before and after."""
    loudest = powers.max(axis=1)
    low, high = powers.min(), powers.max()
    places = np.flatnonzero(loudest > low + 0.25 * (high - low))
    return powers[places[0] : places[-1] + 1] if len(places) else powers


def timbre(powers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how a sound sounds whatever its course, from its spectrogram.

    Of each band its level against all of them, how much its share changes, and how fast its level
    does; then the sound's level, how much that changes, and the logarithm of its length.

    Returns
    -------
    ndarray of shape (3 * `BANDS` + 3,), float32
    """
    level = powers.mean(axis=1, keepdims=True)
    steps = np.abs(np.diff(powers, axis=0)) if len(powers) > 1 else np.zeros((1, BANDS))
    whole = [level.mean(), level.std(), math.log(len(powers))]
    bands = [powers.mean(axis=0) - level.mean(), (powers - level).std(axis=0), steps.mean(axis=0)]
    return np.concatenate([*bands, whole]).astype(np.float32)


def _picture(powers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a spectrogram of any length as a picture from 0 to 1, (`BANDS`, `WIDTH`)."""
    # Several places to a column, so that nothing of a long sound is passed over.
    several = max(4, math.ceil(len(powers) / WIDTH))
    places = np.linspace(0, len(powers) - 1, several * WIDTH)
    before = places.astype(np.intp)
    share = np.float32(places - before)[:, None]
    after = np.minimum(before + 1, len(powers) - 1)
    drawn = powers[before] * (1 - share) + powers[after] * share
    drawn = drawn.reshape(WIDTH, several, BANDS).mean(axis=1).T
    drawn -= drawn.min()
    return drawn / max(float(drawn.max()), 1e-9)


def is_readable(item: Any) -> bool:
    """Whether something is known of a sound: it is no compressed one, nor broken."""
    return _read(item, 1.0)[0] is not None


def _read(item: Any, seconds: float) -> tuple[NDArray[np.float32] | None, int]:
    try:
        return read_samples(item, seconds)
    except Exception:  # whatever an item leads to that is not what it seems
        return None, 0
