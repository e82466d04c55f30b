"""What is learned from sounds: the course of their tones, and their timbre."""

from __future__ import annotations

import io
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import wavfile
from scipy.signal import chirp, square

import nblabel as nl
from nblabel.renderers import AudioRenderer, audio
from nblabel.renderers.audio import as_float, read_samples
from nblabel.suggest import MultiViewSuggester, Snapshot, near_rows, sounds, suggester_for
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


def test_of_a_long_wav_only_the_beginning_is_read(tmp_path, monkeypatch):
    """Whatever comes before the samples, and however many bytes there are behind."""
    noise = np.random.default_rng(0).normal(scale=0.1, size=(90_000, 2)).astype(np.float32)
    monkeypatch.setattr(audio, "MOST_BYTES", 50_000)
    read: list[int] = []
    whole_read = audio.Source.read

    def counted(self: audio.Source, start: int, length: int) -> bytes:
        made = whole_read(self, start, length)
        read.append(len(made))
        return made

    monkeypatch.setattr(audio.Source, "read", counted)
    for kind in (np.int16, np.int32, np.float32, np.uint8):
        scale = {np.int16: 32767, np.int32: 2**31 - 1, np.uint8: 127, np.float32: 1}[kind]
        samples = (noise * scale + (128 if kind is np.uint8 else 0)).astype(kind)
        buffer = io.BytesIO()
        wavfile.write(buffer, 8000, samples)
        raw = buffer.getvalue()
        place = raw.index(b"data")
        odd = raw[:place] + b"LIST" + (3).to_bytes(4, "little") + b"abc\0" + raw[place:]
        for name, made in (("plain", raw), ("odd", odd)):
            path = tmp_path / f"{name}.wav"
            path.write_bytes(made)
            read.clear()
            found, rate = read_samples(str(path), 0.5)
            assert rate == 8000 and np.array_equal(found, as_float(samples[:4000]))
            assert sum(read) < 4000 * samples.itemsize * 2 + 500
            everything, _ = read_samples(made)
            assert np.array_equal(everything, as_float(samples))
    assert len(read_samples((noise, 8000), 0.5)[0]) == 4000
    assert read_samples((noise.T, 8000), 0.5)[0].shape == (4000, 2)


def test_what_is_slower_than_any_sound_is_told_apart_too():
    rng = np.random.default_rng(0)
    for rate in (1, 40, 60, 100):
        rows = SoundFeatures().fit_transform([(rng.normal(size=500), rate) for _ in range(20)])
        assert np.isfinite(rows).all() and len(np.unique(rows.round(4), axis=0)) == 20


def test_one_channel_against_the_other_is_a_sound():
    given = [(np.stack([tone(hertz), -tone(hertz)], axis=1), 16_000) for hertz in (200, 900, 3000)]
    alone = [(tone(hertz), 16_000) for hertz in (200, 900, 3000)]
    features = SoundFeatures().fit(alone)
    assert features.transform(given) == pytest.approx(features.transform(alone), abs=1e-3)


def melody(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([tone(hertz, seconds=0.15) for hertz in rng.uniform(200, 3000, 6)])


def test_copies_are_near_and_others_are_not():
    """Also those of which nothing is known, and tones beside each other."""
    ulaw = bytearray(wav(tone(440)))
    ulaw[20:22] = (7).to_bytes(2, "little")
    other = bytearray(ulaw)
    other[-9] ^= 1
    given = [(melody(k), 16_000) for k in range(40)]
    given += [(tone(500 + 10 * k), 16_000) for k in range(20)]
    given += [b"OggS" + bytes([k]) * 60 for k in range(5)] + [bytes(ulaw), bytes(other)]
    given += [wav(melody(3)), (0.99 * melody(5), 16_000)]
    rows, least = near_rows(
        suggester_for(nl.Choice(["a", "b"]), given, "sound", n_items=len(given))
    )
    near = np.argwhere(np.triu(rows @ rows.T >= least, 1)).tolist()
    assert near == [[3, 67], [5, 68]]


def test_an_item_that_is_not_what_it_seems_stops_nothing():
    class Odd:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            raise RuntimeError("not now")

    given, names = glides(20)
    for odd in ({"array": given[0][0]}, (tone(440), 10**400), (tone(440), "fast"), 7, b"", None):
        data = [*given, odd]
        session = nl.Session(
            data, ["falls", "rises"], store=None, inline=True, show=AudioRenderer()
        )
        for item, name in zip(session.pool.ids[:20], names, strict=False):
            session.record(item, str(name))
        session.retrain(wait=True)
        assert session.last_error is None and len(session.predict(data[-2:])) == 2
    ogg = b"OggS" + bytes(60)
    assert len(session.predict([ogg, ogg])) == 2
    assert np.isfinite(SoundFeatures().fit_transform([*given, (Odd(), 8000)])).all()


def test_a_function_of_the_user_gets_the_sounds_as_they_are():
    arrays = [tone(300 + 20 * k) for k in range(20)]
    dicts = [{"array": array, "sampling_rate": 16_000, "path": None} for array in arrays]
    for data, how in (
        (arrays, {"show": AudioRenderer(rate=16_000)}),
        ([(array, 16_000) for array in arrays], {"audio": True}),
        (pd.DataFrame({"sound": dicts}), {"audio": "sound"}),
    ):
        seen: list[object] = []

        def spectra(items: list[object], seen: list[object] = seen) -> np.ndarray:
            seen.extend(items)
            return np.random.default_rng(len(items)).normal(size=(len(items), 3))

        session = nl.Session(data, ["a", "b"], features=spectra, store=None, inline=True, **how)
        for item, name in zip(session.pool.ids, "ab" * 10, strict=True):
            session.record(item, name)
        session.retrain(wait=True)
        assert session.has_model and len(seen) == 20
        assert all(one is other for one, other in zip(seen, session.pool.values, strict=True))


def test_where_no_sound_can_be_read_there_is_no_model():
    ulaw = bytearray(wav(tone(440)))
    ulaw[20:22] = (7).to_bytes(2, "little")
    for data in ([bytes(ulaw)] * 20, [tone(400)] * 20):  # the arrays have no rate
        session = nl.Session(data, ["a", "b"], store=None, inline=True, show=AudioRenderer())
        assert session.status()["training"] == "off"
    some = [b"OggS" + bytes([k]) * 60 for k in range(20)] + glides(20)[0]
    session = nl.Session(some, ["a", "b"], audio=True, store=None, inline=True)
    assert session.status()["training"] == "waiting"
    spans = nl.Session(glides(20)[0], nl.Spans(["a"]), audio=True, store=None, inline=True)
    assert spans.status()["training"] == "off"


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
