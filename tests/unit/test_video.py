"""Videos: what is sent with the item, what comes by pieces, what is refused."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

import nblabel as nl
from nblabel.renderers import PairRenderer, SeveralRenderer, TextRenderer, VideoRenderer, safe_view
from nblabel.renderers import video as video_module
from nblabel.renderers.base import Source
from nblabel.renderers.webm import encode, key_frame
from nblabel.testing import FakePage, check_renderer
from nblabel.widget import protocol

FRAMES = np.zeros((8, 24, 32, 3), np.uint8)
FRAMES[:, :, :, 0] = 30 * np.arange(8)[:, None, None]
CLIP = encode(FRAMES, 10)


def boxes(raw: bytes) -> list[tuple[int, bytes]]:
    """The elements of a piece of Matroska."""
    found, at = [], 0
    while at < len(raw):
        width = 9 - raw[at].bit_length()
        name = int.from_bytes(raw[at : at + width], "big")
        (size,) = struct.unpack_from(">Q", raw, at + width)
        start = at + width + 8
        size &= (1 << 56) - 1
        found.append((name, raw[start : start + size]))
        at = start + size
    return found


def test_frames_become_a_webm():
    (kind, head), (segment, content) = boxes(CLIP)
    assert (kind, segment) == (0x1A45DFA3, 0x18538067)
    assert dict(boxes(head))[0x4282] == b"webm"
    parts = boxes(content)
    (length,) = struct.unpack(">d", dict(boxes(parts[0][1]))[0x4489])
    assert length == 800.0
    blocks = [raw for name, raw in boxes(parts[3][1]) if name == 0xA3]
    assert [struct.unpack_from(">h", raw, 1)[0] for raw in blocks] == list(range(0, 800, 100))
    # A key frame of VP8 in the box of a WebP is a picture again.
    shown = blocks[5][4:]
    webp = b"RIFF" + struct.pack("<I", len(shown) + 12) + b"WEBPVP8 "
    image = Image.open(io.BytesIO(webp + struct.pack("<I", len(shown)) + shown))
    assert image.size == (32, 24)
    assert abs(int(np.asarray(image.convert("RGB"))[12, 16, 0]) - 150) < 12


def test_the_index_of_a_long_video_names_its_clusters():
    long = np.zeros((130, 16, 16), np.uint8)
    ((_, content),) = boxes(encode(long, 10))[1:]
    cues = next(raw for name, raw in boxes(content) if name == 0x1C53BB6B)
    points = [dict(boxes(raw)) for _, raw in boxes(cues)]
    assert [int.from_bytes(point[0xB3], "big") for point in points] == [0, 5000, 10000]
    for point in points:
        (place,) = struct.unpack(">Q", dict(boxes(point[0xB7]))[0xF1])
        assert content[place : place + 4] == b"\x1f\x43\xb6\x75"


def test_a_frame_with_transparency_is_a_frame():
    assert key_frame(np.full((9, 9, 4), 128, np.uint8), 75)[3:6] == b"\x9d\x01\x2a"


def test_what_is_small_goes_with_the_item():
    view = VideoRenderer().view(CLIP)
    assert view.buffers == (CLIP,)
    assert view.data == {
        "autoplay": False, "name": "", "mime": "video/webm", "size": len(CLIP), "streamed": False,
    }  # fmt: skip
    (made,) = VideoRenderer(rate=10).view(FRAMES).buffers
    assert VideoRenderer().view((FRAMES, 10)).buffers == (made,) == (CLIP,)


@pytest.mark.parametrize(
    ("start", "mime"),
    [
        (b"\x00\x00\x00\x20ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x08wide", "video/mp4"),
        (b"OggS\x00", "video/ogg"),
    ],
)
def test_the_format_is_told_by_the_bytes(start, mime, tmp_path):
    path = tmp_path / "lies.txt"
    path.write_bytes(start + b"\x00" * 99)
    view = VideoRenderer().view(path)
    assert view.data["mime"] == mime
    assert view.data["name"] == str(path)


def test_a_large_one_is_named_and_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(video_module, "MOST_WITH_ITEM", 100)
    path = tmp_path / "clip.webm"
    path.write_bytes(CLIP)
    renderer = VideoRenderer()
    poster = Image.new("RGB", (8, 8), "red")
    view = renderer.view({"path": path, "poster": poster})
    assert view.data["streamed"] and view.data["size"] == len(CLIP)
    assert view.data["poster"] == "image/png"
    assert [raw[1:4] for raw in view.buffers] == [b"PNG"]
    assert renderer.view(str(path)).buffers == ()
    for item in (CLIP, path, {"bytes": CLIP}):
        first, total = renderer.piece(item, "", 0, 1000)
        assert (first, total) == (CLIP[:1000], len(CLIP))
        assert renderer.piece(item, "", 1000, 10**9)[0] == CLIP[1000:]
        assert renderer.piece(item, "", 10**9, 10)[0] == b""


@pytest.mark.parametrize(
    ("renderer", "item", "why"),
    [
        (VideoRenderer(), b"GIF89a", "no video in a format"),
        (VideoRenderer(), FRAMES, "come without their rate"),
        (VideoRenderer(rate=0), FRAMES, "frames a second"),
        (VideoRenderer(rate=5), np.zeros((2, 4, 4, 4)), "shape"),
        (VideoRenderer(rate=5), np.zeros((2001, 2, 2)), "at most 2,000"),
        (VideoRenderer(most_bytes=10), CLIP, "too large"),
        (VideoRenderer(), "https://example.org/a.mp4", "not fetched"),
        (VideoRenderer(), "no-such.mp4", "No such file"),
    ],
)
def test_what_cannot_be_shown_says_why(renderer, item, why):
    view = safe_view(renderer, item)
    assert view.kind == "error"
    assert why in view.data["text"]


def test_frames_that_make_a_large_video_are_refused(monkeypatch):
    monkeypatch.setattr(video_module, "MOST_WITH_ITEM", 20)
    assert "with a codec" in safe_view(VideoRenderer(rate=10), FRAMES).data["text"]


def test_large_frames_are_thinned():
    (raw,) = VideoRenderer(rate=10).view(np.zeros((1, 1300, 40), np.uint8)).buffers
    track = boxes(boxes(boxes(raw)[1][1])[1][1])[0][1]
    size = dict(boxes(dict(boxes(track))[0xE0]))
    assert [int.from_bytes(size[name], "big") for name in (0xB0, 0xBA)] == [14, 434]


def test_a_source_reads_what_is_asked_for(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"0123456789")
    for item in (path, b"0123456789"):
        source = Source(item, "bytes")
        assert (source.size, source.read(3, 4), source.read(9, 9)) == (10, b"3456", b"9")


class TestPieces:
    """What a page may read: parts of the items of its labeler, and nothing else."""

    @pytest.fixture
    def page(self, tmp_path, monkeypatch) -> FakePage:
        monkeypatch.setattr(video_module, "MOST_WITH_ITEM", 100)
        path = tmp_path / "clip.webm"
        path.write_bytes(CLIP)
        session = nl.Session([str(path), CLIP], ["a", "b"], video=True, store=None)
        return FakePage(session).open()

    def read(self, page: FakePage, **fields) -> tuple[dict, list[bytes]]:
        asked = {"v": 1, "type": "read", "client": page.client, "id": "r1", "name": "", "start": 0}
        ((reply, buffers),) = page.desk.handle({**asked, "length": 10**9, **fields})
        return reply, buffers

    def test_come_one_after_the_other(self, page, monkeypatch):
        monkeypatch.setattr(protocol, "MOST_PIECE", 400)
        got, total = b"", 1
        while len(got) < total:
            reply, (raw,) = self.read(page, item="0", start=len(got))
            assert (reply["type"], reply["re"], reply["start"]) == ("piece", "r1", len(got))
            assert reply["error"] is None
            assert len(raw) <= 400
            total, got = reply["total"], got + raw
        assert got == CLIP

    @pytest.mark.parametrize("item", ["2", "", "/etc/passwd", "../clip.webm"])
    def test_of_no_other_item(self, page, item):
        reply, buffers = self.read(page, item=item)
        assert (buffers, reply["total"]) == ([], 0)
        assert "no item" in reply["error"]

    @pytest.mark.parametrize("length", [0, -5])
    def test_of_no_bytes(self, page, length):
        reply, buffers = self.read(page, item="0", length=length)
        assert buffers == [] and "at least one byte" in reply["error"]

    def test_a_negative_start_is_the_start(self, page):
        reply, (raw,) = self.read(page, item="0", start=-7, length=5)
        assert (reply["start"], raw) == (0, CLIP[:5])

    def test_of_what_has_no_parts(self):
        page = FakePage(nl.Session(["a", "b"], ["x", "y"], store=None)).open()
        reply, buffers = self.read(page, item="0", name="/etc/passwd")
        assert buffers == [] and "text has no parts" in reply["error"]

    def test_of_a_labeler_that_was_replaced(self, page):
        page.desk.successor = page.desk
        reply, _ = self.read(page, item="0")
        assert reply["type"] == "refuse"


def test_pairs_and_several_pass_on_what_is_asked():
    other = encode(FRAMES[::-1], 10)
    pair = PairRenderer(VideoRenderer())
    item = (CLIP, other)
    left, right = (pair.piece(item, f"{side}/", 0, 10**9)[0] for side in ("left", "right"))
    assert {left, right} == {CLIP, other}
    assert (left == other) == pair.swapped(item)
    several = SeveralRenderer({"said": TextRenderer(), "clip": VideoRenderer()})
    row = {"said": "x", "clip": CLIP}
    assert several.piece(row, "1/", 3, 4) == (CLIP[3:7], len(CLIP))
    for name in ("", "0/", "2/", "clip/", "left/", "1"):
        if name != "1":
            with pytest.raises(ValueError, match="no part"):
                several.piece(row, name, 0, 9)
    with pytest.raises(ValueError, match="no part"):
        pair.piece(item, "middle/", 0, 9)


def test_videos_pass_the_exam_of_renderers(tmp_path):
    path = tmp_path / "clip.webm"
    path.write_bytes(CLIP)
    check_renderer(VideoRenderer(rate=10), [CLIP, path, FRAMES, (FRAMES, 5), {"bytes": CLIP}])
