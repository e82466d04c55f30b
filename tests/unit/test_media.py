"""Sounds, series, conversations, markdown: what is sent, what is refused, what is learned."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from scipy.io import wavfile

import nblabel as nl
from nblabel.errors import OptionError
from nblabel.renderers import (
    AudioRenderer,
    ChatRenderer,
    MarkdownRenderer,
    PairRenderer,
    SeriesRenderer,
    audio,
    safe_view,
)
from nblabel.renderers.audio import as_float, peaks
from nblabel.renderers.series import lines_of, thinned
from nblabel.suggest.series import SeriesShape
from nblabel.widget.desk import MOST_BYTES


def wav(samples: np.ndarray, rate: int = 8000) -> bytes:
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, samples)
    return buffer.getvalue()


TONE = np.sin(np.arange(8000) / 3)


class TestAudio:
    def test_a_wav_goes_as_it_is(self):
        raw = wav((TONE * 32767).astype(np.int16))
        view = AudioRenderer().view(raw)
        assert view.buffers[0] == raw
        assert (view.data["mime"], view.data["seconds"]) == ("audio/wav", 1.0)

    @pytest.mark.parametrize("kind", ["int16", "int32", "float32", "uint8"])
    def test_peaks_do_not_depend_on_the_type(self, kind):
        scale = {"int16": 32767, "int32": 2**31 - 1, "float32": 1, "uint8": 127}[kind]
        samples = (TONE * scale + (128 if kind == "uint8" else 0)).astype(kind)
        view = AudioRenderer().view(wav(samples))
        found = np.frombuffer(view.buffers[1], np.int8).reshape(-1, 2)
        assert (
            np.abs(found - np.frombuffer(peaks(as_float(TONE)), np.int8).reshape(-1, 2)).max() < 3
        )

    def test_peaks_hold_the_loudest(self):
        samples = np.zeros(100_000)
        samples[77_777] = 1.0
        samples[3] = -0.5
        found = peaks(as_float(samples))
        assert found.shape == (1000, 2)
        assert found.max() == 127
        assert found.min() == -64
        assert np.count_nonzero(found) == 2
        assert peaks(as_float([0.5])).tolist() == [[64, 64]]

    def test_an_array_becomes_a_wav(self):
        view = AudioRenderer().view((TONE, 22050))
        rate, samples = wavfile.read(io.BytesIO(view.buffers[0]))
        assert rate == 22050
        assert np.abs(samples / 32767 - TONE).max() < 1e-4

    def test_channels_may_stand_either_way(self):
        stereo = np.stack([TONE, -TONE])
        one, two = (AudioRenderer(rate=8000).view(item) for item in (stereo, stereo.T))
        assert one == two
        assert wavfile.read(io.BytesIO(one.buffers[0]))[1].shape == (8000, 2)

    def test_a_long_sound_is_made_small(self):
        noise = np.random.default_rng(0).uniform(-1, 1, (44100 * 50, 2)).astype(np.float32)
        view = AudioRenderer(most_bytes=1_700_000).view((noise, 44100))
        rate, samples = wavfile.read(io.BytesIO(view.buffers[0]))
        assert rate == 16000
        assert view.data["note"] == "sent as mono, 16,000 samples a second"
        assert abs(len(samples) / rate - 50) < 0.01
        assert view.size() < 1_750_000

    def test_what_is_too_long_says_so(self):
        view = safe_view(AudioRenderer(), (np.zeros(8000 * 600, np.int16), 8000))
        assert view.kind == "error"
        assert "600 seconds is too long" in view.data["text"]
        assert "4,000,000" in view.data["text"]

    def test_a_large_compressed_sound_comes_by_pieces(self, monkeypatch):
        ogg = b"OggS" + bytes(range(20))
        renderer = AudioRenderer(most_bytes=10)
        view = renderer.view(ogg)
        assert (view.data["streamed"], view.data["size"], view.buffers) == (True, 24, ())
        assert renderer.piece(ogg, "", 2, 5) == (ogg[2:7], 24)
        monkeypatch.setattr(audio, "MOST_STREAMED", 20)
        assert "24 bytes is too large (at most 20" in safe_view(renderer, ogg).data["text"]
        with pytest.raises(ValueError, match="too large"):
            renderer.piece(ogg, "", 0, 5)

    def test_the_limit_is_what_a_window_holds(self):
        assert AudioRenderer().most_bytes == MOST_BYTES

    def test_compressed_sounds_are_left_to_the_browser(self):
        view = AudioRenderer().view(b"OggS" + bytes(20))
        assert view.data["mime"] == "audio/ogg"
        assert len(view.buffers) == 1

    @pytest.mark.parametrize(
        ("item", "said"),
        [
            (b"<html><script>", "no sound in a format that is known"),
            (b"", "no sound in a format that is known"),
            (b"\xff", "no sound in a format that is known"),
            (wav(TONE.astype(np.float32))[:30], "this WAV is broken"),
            (b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + bytes(16) + b"data", "WAV is broken"),
            ("https://example.org/a.wav", "not fetched"),
            ("no-such.wav", "no-such.wav"),
            ((TONE, 0), "samples a second"),
            ((np.zeros(0), 8000), "samples are numbers"),
            (TONE, "come without their rate"),
        ],
    )
    def test_what_is_no_sound_says_why(self, item, said):
        view = safe_view(AudioRenderer(), item)
        assert view.kind == "error"
        assert said in view.data["text"]

    def test_a_column_of_files(self, tmp_path):
        paths = [tmp_path / f"{k}.wav" for k in range(3)]
        for k, path in enumerate(paths):
            path.write_bytes(wav((TONE * k / 3).astype(np.float32)))
        frame = pd.DataFrame({"file": [str(path) for path in paths]})
        for data, how in ((frame, "file"), (paths, True)):
            session = nl.Session(data, ["a", "b"], audio=how, store=None)
            assert [session.view(item).kind for item in session.pool.ids] == ["audio"] * 3

    def test_two_columns_are_pairs(self):
        frame = pd.DataFrame({"a": [wav(TONE)] * 2, "b": [wav(-TONE / 2)] * 2})
        session = nl.Session(frame, nl.Pairs(), audio=("a", "b"), store=None)
        view = session.view(session.pool.ids[0])
        assert (view.kind, len(view.buffers)) == ("pair", 4)


class TestSeries:
    def test_lines(self):
        assert lines_of([1, None, np.inf])[""].tolist()[0] == 1
        assert np.isnan(lines_of([1, None, np.inf])[""][1:]).all()
        assert list(lines_of(np.zeros((5, 2)))) == ["1", "2"]
        assert list(lines_of({"x": [1], "y": [2]})) == ["x", "y"]
        # A column of lists of lists, as parquet gives it back.
        nested = np.array([np.array([1.0, 2.0]), np.array([3.0, 4.0])], dtype=object)
        assert lines_of(nested)["2"].tolist() == [2, 4]

    @pytest.mark.parametrize(
        "item",
        [
            "text",
            3,
            [],
            ["a"],
            {},
            np.array(5.0),
            {"mean": 3.2, "sd": 1.0},
            {"a": [1], "b": [1, 2]},
            np.zeros((2, 9)),
            [[1], [1, 2]],
        ],
    )
    def test_what_is_no_series(self, item):
        assert SeriesRenderer().accepts(item) is False
        assert safe_view(SeriesRenderer(), item).kind == "error"

    def test_many_lines_are_drawn_below_each_other(self):
        def drawn(item, **options):
            data = SeriesRenderer(**options).view(item).data
            return data["subplots"], data["same_scale"], len(data["names"])

        assert drawn(np.zeros((30, 8))) == (False, False, 8)
        assert drawn(np.zeros((30, 9))) == (True, False, 9)
        assert drawn(np.zeros((64, 64)), same_scale=True) == (True, True, 64)
        assert drawn(np.zeros((30, 9)), subplots=False) == (False, False, 9)
        assert drawn({"a": [1, 2], "b": [3, 4]}, subplots=True) == (True, False, 2)
        assert drawn([1, 2], subplots=True) == (False, False, 1), "a line alone has no other"
        assert drawn({f"line {k}": [k] for k in range(20)}) == (True, False, 20)

    def test_an_array_the_other_way_round_is_told(self):
        with pytest.raises(ValueError, match=r"got 20 of 3 points.*its transpose, \.T"):
            lines_of(np.zeros((3, 20)))
        with pytest.raises(ValueError, match="one to 64 lines, got 65 of 99 points"):
            lines_of(np.zeros((99, 65)))

    def test_a_large_series_keeps_its_peaks(self):
        line = np.zeros(1_000_000)
        line[123_456], line[7], line[500_000:600_000] = 9, -4, np.nan
        made = thinned(line, 2000)
        assert len(made) == 2000
        assert (np.nanmax(made), np.nanmin(made)) == (9, -4)
        assert np.isnan(made).sum() == 200
        assert thinned(line[:10], 2000) is not None

    def test_its_buffers_are_bounded(self):
        view = SeriesRenderer(rate=100).view({"a": np.zeros(10**6), "b": np.ones(10**6)})
        assert view.data["thinned"] is True
        assert sum(map(len, view.buffers)) == 8 * 100_000
        # The axis is in seconds and ends where the series does.
        assert view.data["step"] * 50_000 == pytest.approx(10**6 / 100)

    @pytest.mark.parametrize("rows", [list, np.array])
    def test_it_is_learned(self, rows):
        rng = np.random.default_rng(0)
        fast = np.arange(200) % 2 == 0
        made = [
            np.sin(np.arange(300) * (0.5 if f else 0.2) + 6 * rng.random())
            + rng.normal(0, 0.5, 300)
            for f in fast
        ]
        session = nl.Session(
            rows(made), ["slow", "fast"], series=True, store=None, inline=True, blind=0
        )
        for asked in session.next(24):
            place = session.pool.position(asked.id)
            session.record(asked, "fast" if fast[place] else "slow")
        session.retrain()
        assert session.last_error is None
        said = session.predict(rows(made))["label"].to_numpy() == "fast"
        assert (said == fast).mean() > 0.95

    def test_features_have_one_width(self):
        series = [[1, 2, 3], None, "?", {"a": [1.0], "b": [np.nan]}, np.zeros((40, 2)), [np.nan]]
        made = SeriesShape().fit(series).transform(series)
        assert made.shape == (6, 2 * 31)
        assert np.isnan(made[[1, 2, 5]]).all()
        assert np.isfinite(made[0, :31]).all()
        assert np.isfinite(made[4]).all()
        assert SeriesShape().fit([None]).transform([None]).shape == (1, 31)

    def test_power_stands_in_its_band(self):
        low, high = (np.sin(np.arange(512) * w) for w in (0.05, 2.5))
        bands = SeriesShape().fit([low]).transform([low, high])[:, -8:]
        assert bands[0].argmax() < 3
        assert bands[1].argmax() == 7


class TestChat:
    TURNS = [
        {"role": "user", "content": "hi <b>"},
        {"role": "assistant", "content": [{"type": "text", "text": "see"}, {"type": "image_url"}]},
        {"role": "tool", "content": None},
    ]

    def test_turns(self):
        view = ChatRenderer().view(self.TURNS)
        assert [turn["text"] for turn in view.data["turns"]] == ["hi <b>", "see\n[image_url]", ""]
        assert ChatRenderer().view({"messages": self.TURNS}) == view
        assert ChatRenderer().view(np.array(self.TURNS, dtype=object)) == view

    @pytest.mark.parametrize("item", ["text", 3, [1], [{"role": "user"}], {"a": 1}])
    def test_what_is_no_conversation(self, item):
        assert ChatRenderer().accepts(item) is False
        assert safe_view(ChatRenderer(), item).kind == "error"

    def test_it_is_learned_from_what_is_said(self):
        frame = pd.DataFrame(
            {
                "chat": [
                    [{"role": "user", "content": f"{'refund' if k % 2 else 'parcel'} {k}"}]
                    for k in range(40)
                ],
                "id": range(40),
            }
        )
        session = nl.Session(
            frame, ["money", "post"], text="chat", show=ChatRenderer(), store=None, inline=True
        )
        for asked in session.next(12):
            session.record(asked, "money" if asked.key % 2 else "post")
        session.retrain()
        said = session.predict(frame)["label"].tolist()
        assert said == ["post", "money"] * 20


def test_a_renderer_beside_a_column():
    frame = pd.DataFrame({"a": ["*x*", "y"], "b": ["z", "w"]})
    session = nl.Session(frame, ["p", "q"], text="a", show=MarkdownRenderer(), store=None)
    assert session.view(session.pool.ids[0]).data == {"text": "*x*"}
    session.add(pd.DataFrame({"a": ["new"], "b": ["v"]}))
    assert session.view(session.pool.ids[-1]).kind == "markdown"
    session = nl.Session(frame, nl.Pairs(), text=("a", "b"), show=MarkdownRenderer(), store=None)
    assert isinstance(session.renderer, PairRenderer)
    assert session.view(session.pool.ids[0]).data["left"]["kind"] == "markdown"


def test_a_function_beside_a_column_is_refused():
    frame = pd.DataFrame({"a": ["x"]})
    with pytest.raises(OptionError, match="show= beside a column is a renderer"):
        nl.Session(frame, ["p", "q"], text="a", show=str, store=None)
