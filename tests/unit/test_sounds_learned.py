"""What is learned from sounds: the course of their tones, and their timbre."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile
from scipy.signal import chirp, square

import nblabel as nl
from nblabel.renderers import AudioRenderer
from nblabel.suggest import MultiViewSuggester, Snapshot, sounds
from nblabel.suggest.sounds import BANDS, HIGHEST, LOWEST, SoundFeatures, spectrogram, timbre
from nblabel.suggest.views import OF_SOUNDS, PartedViews


def tone(hertz: float, rate: int = 16_000, seconds: float = 0.5) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def wav(samples: np.ndarray, rate: int = 16_000) -> bytes:
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, np.rint(samples * 32767).astype(np.int16))
    return buffer.getvalue()


def mel(hertz: float) -> float:
    return 2595 * math.log10(1 + hertz / 700)


@given(st.floats(100, 7000), st.sampled_from([16_000, 22_050, 44_100]))
def test_a_tone_is_in_the_band_of_its_pitch(hertz, rate):
    powers = spectrogram(tone(hertz, rate)[:, None], rate, 8000.0)
    assert powers.shape[1] == BANDS and powers.dtype == np.float32
    share = (mel(hertz) - mel(LOWEST)) / (mel(8000.0) - mel(LOWEST))
    assert powers.mean(axis=0).argmax() == pytest.approx(share * (BANDS + 1) - 1, abs=1)


def test_bands_share_what_lies_between_them():
    for rate in (8000, 16_000, 48_000):
        bands = sounds._bands(rate, 2048, rate / 2)
        assert bands.sum(axis=0) == pytest.approx(np.ones(BANDS), abs=1e-5)
        assert (bands > 0).any(axis=0).all(), "no band is without a frequency"


@given(st.integers(0, 1000), st.floats(0.01, 1))
def test_how_loud_it_is_is_a_number_of_its_own(seed, gain):
    noise = np.random.default_rng(seed).normal(scale=0.3, size=(4000, 1)).astype(np.float32)
    loud, soft = (timbre(spectrogram(noise * np.float32(by), 16_000)) for by in (1, gain))
    level = 3 * BANDS
    assert np.delete(soft, level) == pytest.approx(np.delete(loud, level), abs=1e-2)
    assert soft[level] - loud[level] == pytest.approx(2 * math.log(gain), abs=1e-2)


def test_silence_around_a_sound_does_not_count():
    features = SoundFeatures()
    fading = np.hanning(8000).astype(np.float32)
    given = [tone(200 + 60 * k) * fading for k in range(30)]
    rows = features.fit_transform([(samples, 16_000) for samples in given])
    quiet = [np.pad(samples, (k * 200, 3000)) for k, samples in enumerate(given)]
    for place, row in enumerate(features.transform([(samples, 16_000) for samples in quiet])):
        assert np.linalg.norm(rows - row, axis=1).argmin() == place


def test_of_a_long_sound_the_pieces_are_further_apart(monkeypatch):
    samples = np.random.default_rng(0).normal(size=(16_000 * 30, 2)).astype(np.float32)
    assert len(spectrogram(samples, 16_000)) == sounds.MOST_PIECES
    monkeypatch.setattr(sounds, "LONGEST", 1.0)
    assert spectrogram(samples, 16_000) == pytest.approx(
        spectrogram(samples[:16_000], 16_000), abs=1e-4
    )


ODD = [
    (tone(440), 16_000),
    {"array": np.zeros(8000), "sampling_rate": 8000},
    (np.array([0.5]), 44_100),
    (np.array([np.nan, np.inf, 0.1] * 500), 44_100),
    (np.zeros((0,)), 44_100),
    (tone(440), 1),
    wav(tone(3000)),
    b"OggS" + bytes(60),
    wav(tone(300))[:30],
    "there is no such file.wav",
    None,
    3.5,
    tone(440),
]


def test_odd_sounds_have_rows_too():
    features = SoundFeatures()
    rows = features.fit_transform(ODD)
    assert len(rows) == len(ODD) and rows.dtype == np.float32 and np.isfinite(rows).all()
    assert features.transform(ODD) == pytest.approx(rows, abs=1e-4)
    assert len(np.unique(rows[-6:].round(4), axis=0)) == 1, "what cannot be read is all the same"
    for few in ([None, None], [b"OggS" + bytes(60)] * 3, [(np.zeros(9), 8000)] * 3):
        assert np.isfinite(SoundFeatures().fit_transform(few)).all()


def test_the_spectrum_goes_up_to_where_most_sounds_do():
    for rate, highest in (
        (8000, 4000.0),
        (22_050, 11_025.0),
        (96_000, HIGHEST),
        (256_000, 128_000.0),
    ):
        assert SoundFeatures().fit([(tone(440, rate), rate)] * 5).highest_ == highest


def test_both_parts_weigh_the_same():
    rng = np.random.default_rng(0)
    given = [(rng.normal(size=8000) * np.hanning(8000), 16_000) for _ in range(100)]
    features = SoundFeatures()
    for part in np.split(features.fit_transform(given), [features.n_first_], axis=1):
        assert np.square(part).sum(axis=1).mean() == pytest.approx(1, rel=0.02)


def glides(n: int = 160) -> tuple[list[tuple[np.ndarray, int]], np.ndarray]:
    """Tones that go up or down, somewhere in the noise."""
    rng = np.random.default_rng(0)
    kinds, made = rng.integers(2, size=n), []
    for kind in kinds:
        low = rng.uniform(300, 900)
        ends = (low, low * rng.uniform(2, 4))
        time = np.arange(6000) / 16_000
        glide = chirp(time, ends[kind], time[-1], ends[1 - kind])
        samples = rng.normal(scale=0.02, size=16_000)
        at = rng.integers(0, 10_000)
        samples[at : at + 6000] += glide * rng.uniform(0.2, 0.9)
        made.append((samples.astype(np.float32), 16_000))
    return made, np.array(["falls", "rises"])[1 - kinds]


def instruments(n: int = 160) -> tuple[list[tuple[np.ndarray, int]], np.ndarray]:
    """Waves of two forms and any pitch."""
    rng = np.random.default_rng(0)
    kinds, made = rng.integers(2, size=n), []
    for kind in kinds:
        phase = 2 * np.pi * rng.uniform(150, 900) * np.arange(8000) / 16_000
        form = square(phase) if kind else np.sin(phase)
        made.append((form * np.exp(-np.arange(8000) / 4000) * rng.uniform(0.2, 0.9), 16_000))
    return made, np.array(["sine", "square"])[kinds]


@pytest.mark.parametrize("task", [glides, instruments])
def test_they_are_told_apart(task):
    given, names = task()
    places = np.arange(40)
    suggester = MultiViewSuggester(given, PartedViews(SoundFeatures(), OF_SOUNDS))
    said = suggester.fit(Snapshot(places, names[places], 1)).model.predict(given[40:])
    assert np.mean(said == names[40:]) > 0.9


def test_files_and_arrays_of_a_rate_get_suggestions(tmp_path):
    given, names = glides(60)
    paths = [tmp_path / f"{k}.wav" for k in range(60)]
    for path, (samples, rate) in zip(paths, given, strict=True):
        path.write_bytes(wav(samples, rate))
    arrays = [samples for samples, _ in given]
    for data, how in (
        ([str(path) for path in paths], {"audio": True}),
        (arrays, {"show": AudioRenderer(rate=16_000)}),
    ):
        session = nl.Session(data, ["falls", "rises"], store=None, inline=True, **how)
        for item, name in zip(session.pool.ids[:30], names, strict=False):
            session.record(item, str(name))
        session.retrain(wait=True)
        said = session.predict(data[30:])["label"]
        assert np.mean(said.to_numpy() == names[30:]) > 0.8


def test_compressed_sounds_are_not_decoded_here():
    """So there is no model for them, but features of the user's get them as they are."""
    ogg = [b"OggS" + bytes([k]) * 60 for k in range(20)]
    session = nl.Session(ogg, ["a", "b"], audio=True, store=None, inline=True)
    assert session.status()["training"] == "off"
    seen: list[bytes] = []

    def first_bytes(items: list[bytes]) -> np.ndarray:
        seen.extend(items)
        return np.array([[item[9], 1.0] for item in items])

    session = nl.Session(ogg, ["a", "b"], audio=True, features=first_bytes, store=None, inline=True)
    for item, name in zip(session.pool.ids[:12], "ab" * 6, strict=True):
        session.record(item, name)
    session.retrain(wait=True)
    assert session.has_model and set(seen) == set(ogg)
