"""Images that lie: bombs, other types, absurd sizes, cut files; what is never read or fetched."""

from __future__ import annotations

import io
import os
import socket
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import nblabel as nl
from nblabel.pool import MOST_FILE_BYTES, digest, read_file
from nblabel.renderers import ImageRenderer, safe_view
from nblabel.renderers.display import DisplayRenderer
from nblabel.renderers.image import read_pixels
from nblabel.testing import FakePage

SIDE = 16_000  # 256 million pixels: more than Pillow's limit, less than twice that in a side


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, data: bytes = b"", depth: int = 8, color: int = 2) -> bytes:
    """A PNG that claims a size, whatever is in it."""
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(data, 9)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def encoded(form: str, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, form)
    return buffer.getvalue()


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + encoded("GIF")[10:]


def bomb(width: int = 9_000, height: int = 9_500) -> bytes:
    """Some kB that would be 85 million pixels, just below the limit: to be decoded, in bounds."""
    row = b"\0" * (1 + 3 * width)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) print\nshowpage\n%%EOF\n"
BROKEN = {
    "bomb of twice the limit": png(SIDE, SIDE, b"\0" * 1000),
    "bomb above the limit": png(10_000, 9_500, b"\0" * 1000),
    "absurd width": png(2**31 - 1, 1),
    "absurd sides": png(2**31 - 1, 2**31 - 1),
    "no side": png(0, 0),
    "sixteen bits": png(2**20, 2**20, depth=16, color=6),
    "gif of 4 billion pixels": gif(65535, 65535),
    "bmp of 4 billion pixels": encoded("BMP")[:18] + struct.pack("<ii", 2**16, 2**16),
    "truncated png": encoded("PNG")[:60],
    "truncated jpeg": encoded("JPEG")[:200],
    "truncated gif": encoded("GIF")[:20],
    "truncated webp": encoded("WEBP")[:40],
    "truncated tiff": encoded("TIFF")[:100],
    "tiff with a wild offset": b"II*\0\xff\xff\xff\x7f",
    "html": b"<!doctype html><script>top.canary(1)</script>",
    "a program": b"\x7fELF" + bytes(60),
    "an archive": b"PK\x03\x04" + bytes(60),
    "postscript": EPS,
    "a picture of windows": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "nothing": b"",
    "zeros": bytes(1000),
    "a PNG's head": b"\x89PNG\r\n\x1a\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_image_says_so(name: str) -> None:
    view = safe_view(ImageRenderer(), BROKEN[name])
    assert view.kind == "error" and view.buffers == ()
    assert view.data["title"] == "This item cannot be shown as image"
    assert view.data["text"]
    assert np.all(read_pixels(BROKEN[name], (8, 8)) == 0.5), "the model sees a gray square"


def test_the_other_items_are_labeled_and_broken_ones_skipped() -> None:
    items = [*BROKEN.values(), encoded("PNG")]
    labeler = nl.Session(items, ["a", "b"], image=True, store=None, inline=True)
    page = FakePage(labeler).open(n=60)
    for item in list(page.order):
        if page.items[item]["view"]["kind"] == "error":
            page.skip(item)
        else:
            page.label(item, "a")
    assert len(labeler.skipped) == len(BROKEN)
    assert labeler.labels["label"].to_dict() == {len(BROKEN): "a"}


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """A second process that may take 1 GB survives what would be 4 to 10^9 GB decoded."""
    code = """
    import resource, sys
    from pathlib import Path
    import nblabel as nl
    from nblabel.renderers import ImageRenderer, safe_view
    from nblabel.renderers.image import read_pixels

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 10**9, used + 10**9))
    for path in sorted(Path(sys.argv[1]).glob("*")):
        view = safe_view(ImageRenderer(), path)
        gray = read_pixels(path, (32, 32))
        assert "MemoryError" not in view.data.get("text", ""), path
        print(path.stem, view.kind)
    """
    for k, raw in enumerate(BROKEN.values()):
        (tmp_path / f"{k}.png").write_bytes(raw)
    (tmp_path / "large.png").write_bytes(bomb())
    (tmp_path / "photo.jpg").write_bytes(encoded("JPEG", (9_000, 9_000)))
    Image.new("I;16", (9_000, 9_000), 300).save(tmp_path / "deep.png")
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    kinds = dict(line.split() for line in ran.stdout.splitlines())
    assert kinds.pop("large") == kinds.pop("photo") == kinds.pop("deep") == "image"
    assert set(kinds.values()) == {"error"} and len(kinds) == len(BROKEN)


def test_what_is_large_is_sent_small() -> None:
    view = ImageRenderer().view(encoded("JPEG", (6_000, 3_000)))
    assert (view.data["width"], view.data["height"]) == (6_000, 3_000)
    with Image.open(io.BytesIO(view.buffers[0])) as sent:
        assert sent.size == (1_600, 800)


def test_the_limit_is_pillows(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = encoded("PNG", (50, 50))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2_000)
    view = safe_view(ImageRenderer(), raw)
    assert "50 x 50 pixels is too large (at most 2,000 pixels" in view.data["text"]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert ImageRenderer().view(raw).kind == "image"


def test_no_other_program_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow hands EPS to Ghostscript; nothing here may start a program."""

    def no_program(*args: Any, **options: Any) -> None:
        raise AssertionError(f"a program was started: {args}")

    monkeypatch.setattr(subprocess, "Popen", no_program)
    monkeypatch.setattr(os, "system", no_program)
    assert "this is no image" in safe_view(ImageRenderer(), EPS).data["text"]
    assert np.all(read_pixels(EPS, (8, 8)) == 0.5)


def test_pictures_in_a_bundle_are_checked_too() -> None:
    class Shown:
        def _repr_png_(self) -> bytes:
            return BROKEN["bomb of twice the limit"]

    view = safe_view(DisplayRenderer(lambda item: Shown()), 1)
    assert view.kind == "error" and "pixels" in view.data["text"]


def test_an_svg_is_sent_as_an_image_and_not_larger_than_a_page_bears() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>top.canary(1)</script></svg>"
    view = ImageRenderer().view(svg)
    assert (view.data["mime"], view.buffers) == ("image/svg+xml", (svg,))
    view = safe_view(ImageRenderer(), svg + b" " * 20_000_000)
    assert view.kind == "error" and "too large" in view.data["text"]


# ---------------------------------------------------------------- files


def test_only_plain_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    large = tmp_path / "large.png"
    with large.open("wb") as file:
        file.truncate(MOST_FILE_BYTES + 1)
    for path in (pipe, large, Path("/dev/zero"), tmp_path):
        view = safe_view(ImageRenderer(), path)
        assert view.kind == "error" and "DataError" in view.data["text"], path
        with pytest.raises(nl.errors.DataError):
            read_file(path)
        assert digest(path) == digest(str(path)), "what cannot be read goes by its name"
    session = nl.Session(tmp_path, ["a", "b"], store=None, inline=True)
    assert session.asked("pipe.png").id == "pipe.png"
    assert session.view("pipe.png").kind == "error"


def test_no_address_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*args: Any) -> None:
        raise AssertionError(f"the network was asked: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    addresses = [
        "http://canary.invalid/a.png",
        "https://canary.invalid/a.png",
        "ftp://canary.invalid/a.png",
        "file:///etc/passwd",
        "\\\\canary.invalid\\share\\a.png",
        "//canary.invalid/a.png",
        "data:image/png;base64,AAAA",
    ]
    for address in addresses:
        for item in (address, {"path": address, "bytes": None}):
            assert safe_view(ImageRenderer(), item).kind == "error", item


def test_what_a_page_asks_for_names_no_file(tmp_path: Path) -> None:
    """Ids are looked up among the items: a page cannot have another file read."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.png").write_bytes(encoded("PNG"))
    secret = tmp_path / "secret.png"
    secret.write_bytes(encoded("PNG", (11, 11)))
    session = nl.Session(folder, ["a", "b"], store=None, inline=True)
    page = FakePage(session).open()
    wanted = ["../secret.png", str(secret), "a.png/../../secret.png", "%2e%2e/secret.png", "", "/"]
    page.want(20, ids=wanted, keep=wanted)
    assert set(page.items) == {"a.png"}
    for item in wanted:
        page.label(item, "a")
    assert len(session.labels) == 0 and len(page.rejected) == len(wanted)


def test_a_link_in_a_folder_is_followed(tmp_path: Path) -> None:
    """Decided: who puts a link into the folder names its target. Linked folders are not walked."""
    folder, other = tmp_path / "images", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (other / "b.png").write_bytes(encoded("PNG"))
    (folder / "link.png").symlink_to(other / "b.png")
    (folder / "dead.png").symlink_to(tmp_path / "gone.png")
    (folder / "round.png").symlink_to(folder / "round.png")
    (folder / "folder").symlink_to(other)
    session = nl.Session(folder, ["a", "b"], store=None, inline=True)
    kinds = {item: session.view(item).kind for item in session.pool.ids}
    assert kinds == {"link.png": "image", "dead.png": "error", "round.png": "error"}
