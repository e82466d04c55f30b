"""Script in the data does nothing, in the looks and the editors that a page fetches.

As in `test_injection`: what runs counts itself. Here every field that a look or an editor shows
holds payloads; the labelers are walked through, and the payloads have to stand there as text.
"""

from __future__ import annotations

from typing import Any

import pytest

from .payloads import joined
from .test_injection import PAYLOADS, SPARSER, Trap, trap

__all__ = ["trap"]
pytest.importorskip("pypdfium2")

#: Presses of a labeler before it is looked at: more is fetched and shown then.
KEYS = {"document": ["ArrowRight"], "shapes": ["a"], "words": ["Tab"]}

_WALK = """
async ([name, most, keys]) => {
  const root = document.querySelector(`.nblabel[aria-label*="${name} "]`);
  const card = () => root.querySelector(".nblabel-card");
  const deadline = performance.now() + 30000 + 1000 * most;
  const until = async (condition) => {
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${name}: stuck, ${root.dataset.state}`);
      await new Promise((go) => setTimeout(go, 5));
    }
  };
  const press = (key, shiftKey) =>
    root.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
  const painted = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  const seen = [];
  while (seen.length < most) {
    await until(() => root.dataset.state === "ready" && card()
      && !root.querySelector('[data-ready="false"]'));
    await painted();
    root.focus();
    for (const key of keys) {
      press(key, key.startsWith("Arrow"));
      await painted();
    }
    const alerted = () => root.querySelector("[role=alert]").textContent;
    if (keys.includes("ArrowRight")) await until(alerted);
    const all = [...root.querySelectorAll("*")];
    seen.push({
      text: root.textContent,
      active: all.filter((one) => one.matches(
        "script, iframe:not(.nblabel-html), object, embed, form, base, link, [href^='javascript' i]"
      )).map((one) => one.outerHTML),
      handlers: all.flatMap((one) => [...one.attributes].map((a) => a.name))
        .filter((attribute) => attribute.startsWith("on")),
      placeholders: [...root.querySelectorAll("[placeholder]")].map((one) => one.placeholder),
      values: [...root.querySelectorAll("textarea")].map((one) => one.value),
    });
    const id = card().dataset.item;
    press("S", true);
    await until(() => root.dataset.state !== "ready" || card()?.dataset.item !== id);
    if (root.dataset.state === "finished") break;
  }
  return seen;
}
"""

_LOOKS = """
import io, wave
import numpy as np
from PIL import Image
from nblabel.renderers import (
    AudioRenderer, ChatRenderer, CodeRenderer, MarkdownRenderer, PdfRenderer, PointRenderer,
    SeriesRenderer, TableRenderer, VideoRenderer,
)

T = P[::{sparse}]
N = {names!r}
every = "".join(T)

def files(folder, ending, content):
    made = []
    for k, name in enumerate(N):
        made.append(os.path.abspath(f"{{folder}}/{{k}}/{{name}}.{{ending}}"))
        os.makedirs(os.path.dirname(made[-1]), exist_ok=True)
        with open(made[-1], "wb") as file:
            file.write(content)
    return made

sound = AudioRenderer(rate=8000).view(np.zeros(80)).buffers[0]
film = VideoRenderer(rate=9).view(np.zeros((2, 8, 8))).buffers[0]
pages = io.BytesIO()
Image.new("L", (9, 9)).save(pages, "PDF", save_all=True, append_images=[Image.new("L", (9, 9))])

class Gone(PdfRenderer):
    def piece(self, item, name, start, length):
        raise ValueError(every)

display(made(files("sounds", "wav", sound), "sound .", audio=True))
display(made(files("films", "webm", film), "film .", video=True))
display(made(files("pages", "pdf", pages.getvalue()), "document .", show=Gone()))
lines = {{payload: [1, 2, 3] for payload in T[:8]}}
display(made([lines] * 2, "line .", show=SeriesRenderer()))
display(made([[dict(role=p, content=p) for p in T]] * 2, "talk .", show=ChatRenderer()))
display(made(["\\n".join(T[:60])] * 2, "source .", show=CodeRenderer(T[0])))
display(made({items!r}, "markdown .", show=MarkdownRenderer()))
display(made([(1, 2), (3, 4)], "earth .", show=PointRenderer(credit=every)))
table = pd.DataFrame([T[:50][::-1], T[:50]], columns=T[:50])
display(made([table] * 2, "cells .", show=TableRenderer()))
frame = pd.DataFrame({{**{{p: [p, p] for p in T}}, "t": ["a", "b"]}})
display(made(frame, "columns .", text=T[0], html=T[1], details=T[2:]))
"""
_EDITORS = """
guess = pd.DataFrame({{
    "text": ["word " + every] * 2,
    "spans": [[dict(start=0, end=4, label=T[0])]] * 2,
    "written": [every] * 2,
    "image": [np.zeros((8, 8), "uint8")] * 2,
    "boxes": [[dict(shape="box", label=T[1], x=0, y=0, width=1, height=1)]] * 2,
}})

def asked(task, **options):
    base = dict(store=None, model=False, explore=0.0, strategy="random", blind=0)
    display(nl.Labeler(guess, task, **base | options))

asked(nl.MultiLabel(T, question="many ."), text="text")
asked(nl.Rating(1, 3, ends=(T[0], T[1]), scales=T[2:6], question="points ."), text="text")
asked(nl.Spans(T[:9], relations=T, question="words ."), text="text", suggester="spans")
asked(nl.Boxes(T[:9], question="shapes ."), image="image", suggester="boxes")
asked(nl.FreeText(placeholder=T[0], question="said ."), text="text", suggester="written")
parts = {{
    T[0]: nl.Choice(T[:9]), T[1]: nl.Rating(1, 3, ends=(T[0], T[1])), T[2]: nl.Spans(T[:9]),
    T[3]: nl.FreeText(placeholder=T[2]), T[4]: nl.MultiLabel(T[:9], question=T[5]),
}}
asked(nl.Form(parts, question="form ."), text="text")
pair = pd.DataFrame({{"a": [every] * 2, "b": ["b"] * 2}})
display(nl.Labeler(pair, nl.Pairs("either . " + every), text=("a", "b"), store=None, model=False))
"""


def test_nothing_runs_in_looks_and_editors(trap: Trap, torture: bool) -> None:
    sparse = 1 if torture else SPARSER
    size = 1 if torture else 24
    items = [joined(PAYLOADS[k : k + size]) for k in range(0, len(PAYLOADS), size)]
    some = PAYLOADS[::sparse]
    every = "".join(some)
    names = [payload.replace("/", "|").replace("\0", "")[:60] for payload in some]
    looks = _LOOKS.format(sparse=sparse, items=items, names=names)
    book = trap.open(PAYLOADS, looks, _EDITORS.format())
    shown: dict[str, Any] = {}
    files = len(names) if torture else 3
    lengths = {"markdown": len(items), "sound": files, "film": files}
    for name in (
        "sound", "film", "document", "line", "talk", "source", "markdown", "earth", "cells",
        "columns", "many", "points", "words", "shapes", "said", "form", "either",
    ):  # fmt: skip
        keys = KEYS.get(name, [])
        seen = book.page.evaluate(_WALK, [name, lengths.get(name, 1), keys])
        assert len(seen) == lengths.get(name, 1), name
        for one in seen:
            assert (one["active"], one["handlers"]) == ([], []), name
        shown[name] = seen
    trap.check("payloads in looks and editors", len(shown) * len(some) + len(PAYLOADS))

    def text(name: str) -> str:
        return "".join(one["text"] for one in shown[name])

    for name in ("sound", "film", "document"):
        assert all(any(file in one["text"] for file in names) for one in shown[name]), name
    assert every in text("document")
    for name in ("talk", "source", "cells", "many", "form"):
        here = some[: {"form": 9, "source": 60, "cells": 50}.get(name)]
        assert all(payload in text(name) for payload in here), name
    assert every in text("earth")
    assert all(payload in text("columns") for payload in (some[0], some[1], *some[2:]))
    assert all(payload in text("points") for payload in some[:6])
    for name in ("words", "either"):
        assert every in text(name), name
    assert all(payload in text("words") for payload in some)
    assert all(payload in text("shapes") for payload in some[:9])
    assert every.strip() == shown["said"][0]["values"][0].strip()
    assert shown["said"][0]["placeholders"] == [some[0]]
