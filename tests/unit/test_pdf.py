"""Pages of PDF files: which is shown, what is read of it."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

import nblabel as nl
from nblabel.errors import OptionError
from nblabel.renderers import PdfRenderer, safe_view
from nblabel.suggest.features import learning_inputs
from nblabel.testing import FakePage, check_renderer

pytest.importorskip("pypdfium2")


def text_pdf(*pages: str) -> bytes:
    """A PDF with a page for each text, as its specification has it."""
    kids = " ".join(f"{4 + 2 * k} 0 R" for k in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for k, text in enumerate(pages):
        drawn = f"BT /F1 24 Tf 20 100 Td ({text}) Tj ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents {5 + 2 * k} 0 R"
            "/Resources<</Font<</F1 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    out, places = b"%PDF-1.4\n", []
    for k, content in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{k} 0 obj{content}endobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    trailer = f"trailer<</Root 1 0 R/Size {len(objects) + 1}>>\nstartxref\n{len(out)}\n%%EOF"
    return out + (head + trailer).encode()


LETTER = text_pdf("Dear Ana", "Yours, Bo", "PS")


def ink(raw: bytes) -> float:
    return float((np.asarray(Image.open(io.BytesIO(raw)).convert("L")) < 128).sum())


def test_a_document_begins_with_its_first_page(tmp_path):
    path = tmp_path / "letter.pdf"
    path.write_bytes(LETTER)
    view = PdfRenderer(side=600).view(path)
    assert view.kind == "pdf"
    assert (view.data["pages"], view.data["name"]) == (3, str(path))
    assert (view.data["width"], view.data["height"]) == (600, 400)
    assert ink(view.buffers[0]) > 100


def test_one_page_is_all_there_is_to_see():
    renderer = PdfRenderer(side=300)
    view = renderer.view((LETTER, 2))
    assert (view.data["pages"], view.data["name"]) == (1, "page 2 of 3")
    assert view.buffers[0] == renderer.piece(LETTER, "2", 0, 10**9)[0]
    assert renderer.text((LETTER, 2)).strip() == "Yours, Bo"


def test_pages_come_when_they_are_turned():
    renderer = PdfRenderer(side=300)
    raw, total = renderer.piece(LETTER, "3", 0, 10**9)
    assert len(raw) == total
    assert renderer.piece(LETTER, "3", 100, 50) == (raw[100:150], total)
    page = FakePage(nl.Session([LETTER], ["a", "b"], show=renderer, store=None)).open()
    asked = {"v": 1, "type": "read", "client": page.client, "id": "r", "start": 0, "length": 10**6}
    ((reply, buffers),) = page.desk.handle({**asked, "item": "0", "name": "3"})
    assert (reply["error"], reply["total"], buffers) == (None, total, [raw])
    for name in ("0", "4", "-1", "", "x", "1/2", "9" * 99, "²", "١"):
        ((reply, buffers),) = page.desk.handle({**asked, "item": "0", "name": name})
        assert buffers == [] and any(word in reply["error"] for word in ("page", "part"))


def test_the_model_reads_the_text():
    renderer = PdfRenderer()
    letters = [text_pdf(word) for word in ("invoice due", "holiday photo")]
    texts = learning_inputs(renderer, [*letters, b"nothing"])
    assert [text.strip() for text in texts] == ["invoice due", "holiday photo", ""]
    session = nl.Session(letters * 6, ["bill", "other"], pdf=True, store=None, inline=True, blind=0)
    for k in range(8):
        session.record(str(k), ["bill", "other"][k % 2])
    session.retrain(wait=True)
    assert session.predict_values([text_pdf("an invoice")]) == ["bill"]


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (b"nothing of the kind", "no PDF that can be read"),
        (LETTER[:200], "no PDF that can be read"),
        ((LETTER, 4), "there is no page 4: the document has 3"),
        ((LETTER, 0), "there is no page 0"),
        ("no-such.pdf", "No such file"),
        ("http://example.org/a.pdf", "not fetched"),
    ],
)
def test_what_cannot_be_shown_says_why(item, why):
    view = safe_view(PdfRenderer(), item)
    assert (view.kind, why in view.data["text"]) == ("error", True)


@pytest.mark.parametrize("side", [99, 1601, 2.5, None])
def test_a_size_that_makes_no_sense_is_refused(side):
    with pytest.raises(OptionError, match="side="):
        PdfRenderer(side=side)


def test_without_pypdfium2_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(OptionError, match=r"pip install 'nblabel\[pdf\]'"):
        PdfRenderer()


def test_pages_pass_the_exam_of_renderers():
    check_renderer(PdfRenderer(side=200), [LETTER, (LETTER, 2), {"bytes": LETTER}])
