"""Script in the data does nothing: every payload, through every field that reaches the page.

A real JupyterLab in a real Chromium. What runs counts itself by calling ``top.canary(number)``,
which every frame of the page can reach; dialogs and tabs that open count too, and the `notebook`
fixture fails at the first request that leaves the server. The items are walked through inside the
page, as fast as they are painted, and what stands there is held against what was given.

In the quick form payloads share items where one frame or panel can show several, and fields that
differ only in the way to `textContent` get a sample; in the long form each gets every payload.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ..browser.lab import Browser, Notebook, wait_until
from .payloads import HOST, joined, payloads

PAYLOADS = payloads()
#: In the quick form every n-th payload.
SPARSE, SPARSER = 6, 24

_CANARY = """
if (!Object.hasOwn(window, "canary")) {
  window.ran = [];
  Object.defineProperty(window, "canary", {
    value: (number) => { window.ran.push(number); }, writable: false, configurable: false,
  });
}
"""

_WALK = """
async ([name, most]) => {
  const root = document.querySelector(`.nblabel[aria-label*="${name}"]`);
  const card = () => root.querySelector(".nblabel-card");
  const painted = () => new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  const deadline = performance.now() + 30000 + 1000 * most;
  const until = async (condition) => {
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${name}: stuck, ${root.dataset.state}`);
      await new Promise((go) => setTimeout(go, 5));
    }
  };
  const text = (selector) => root.querySelector(selector)?.textContent ?? null;
  const framed = async () => {
    const frame = root.querySelector(".nblabel-card iframe");
    if (!frame) return null;
    await until(() => frame.contentDocument?.readyState === "complete"
      && frame.contentDocument.URL === "about:srcdoc");
    await painted();
    const inside = frame.contentDocument;
    return {
      sandbox: frame.getAttribute("sandbox"),
      active: inside.querySelectorAll(
        "script, iframe, object, embed, form, base, link, audio, video, a[href]").length,
      handlers: [...inside.querySelectorAll("*")].flatMap((element) =>
        [...element.attributes].map((a) => a.name).filter((name) => name.startsWith("on"))),
      policy: inside.querySelector("meta")?.content ?? "",
    };
  };
  const seen = [];
  await until(() => card() && root.dataset.state === "ready");
  while (seen.length < most && root.dataset.state !== "finished") {
    await until(() => ["ready", "finished"].includes(root.dataset.state));
    const now = card();
    if (!now) break;
    const id = now.dataset.item;
    seen.push({
      id, kind: now.dataset.kind,
      text: text(".nblabel-text"), title: text(".nblabel-broken > strong"),
      error: text(".nblabel-broken > p"), detail: text(".nblabel-broken pre"),
      row: [...now.querySelectorAll("tr")].map((row) =>
        [...row.children].map((cell) => cell.textContent)),
      name: [...root.querySelectorAll(".nblabel-why span")].map((span) => span.textContent),
      note: text(".nblabel-noted"),
      image: now.querySelector("img")?.alt ?? null,
      frame: await framed(),
    });
    root.focus();
    root.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true }));
    await until(() => root.dataset.state !== "ready" || card()?.dataset.item !== id);
    await painted();
  }
  return seen;
}
"""

Opener = Callable[..., Notebook]
Tally = Callable[..., None]


class Trap:
    """One notebook whose page counts what runs in it."""

    def __init__(self, browser: Browser, notebook: Opener, tally: Tally) -> None:
        self._browser, self._notebook, self._tally = browser, notebook, tally
        self.dialogs: list[str] = []
        self.book: Notebook

    def open(self, chosen: Sequence[str], *cells: str) -> Notebook:
        """Run the cells in a kernel that knows the chosen payloads as ``P``."""
        setup = f"P = __import__('json').loads({json.dumps(chosen)!r})\n{_SETUP}"
        self.book = self._notebook([setup, *cells])
        self.book.context.add_init_script(_CANARY)
        self.book.page.evaluate(_CANARY)
        self.book.page.on("dialog", self._dialog)
        for index in range(1 + len(cells)):
            self.book.run_cell(index, timeout=300)
        return self.book

    def walk(self, name: str, most: int) -> list[dict[str, Any]]:
        """Skip through the items of the labeler whose question begins with `name`."""
        return self.book.page.evaluate(_WALK, [name, most])

    def check(self, row: str, shown: int) -> None:
        """Nothing ran in the whole page so far."""
        ran = self.book.page.evaluate("window.ran")
        escaped = len(self.book.context.pages) - 1
        self._tally(row, payloads=shown, canaries=len(ran) + len(self.dialogs) + escaped)
        assert ran == [], [PAYLOADS[k] for k in ran if isinstance(k, int)]
        assert (self.dialogs, escaped) == ([], 0)
        assert self._browser.outside == []

    def _dialog(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture
def trap(browser: Browser, notebook: Opener, tally: Tally) -> Trap:
    return Trap(browser, notebook, tally)


_SETUP = """
import os
import nblabel as nl, pandas as pd
from IPython.display import display

def made(data, question, task=("yes", "no"), **options):
    options = {"store": None, "model": False, "explore": 0.0, "strategy": "random"} | options
    return nl.Labeler(data, list(task), question=question, **options)

class Bundle:
    def __init__(self, mime, text):
        self.bundle = {mime: text}

    def _repr_mimebundle_(self, **options):
        return self.bundle
"""

_TEXT = """
T = P[::{sparse}]
text = made(
    pd.DataFrame({{P[0]: T, "other": "x"}}, index=T), "text " + "".join(P[:9]), P[:7],
    text=P[0], annotator=P[1], keys={{P[0]: "<", P[1]: '"'}},
)
for payload in T:
    text.session.annotate(payload, payload)
display(text)
"""
_ROWS = """
columns = {payload: [payload, T[-k - 1]] for k, payload in enumerate(T)}
row = made(pd.DataFrame(columns), "row", row=True)
display(row)
many = made(["a", "b"], "many", P)
display(many)
"""
_HTML = """
html = made(pd.DataFrame({{"h": {items!r}}}), "html", html="h")
display(html)
"""
_SHOW = """
S = P[::{sparser}]

def show(k):
    mime, payload = k % 5, S[k // 5]
    if mime == 0:
        raise type(f"{{payload[:60]}}Error", (ValueError,), {{}})(payload)
    if mime == 1:
        return Bundle("text/html", payload)
    if mime == 2:
        return Bundle("image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg">{{payload}}</svg>')
    return Bundle(["text/markdown", "text/plain"][mime - 3], payload)

shown = made(list(range(5 * len(S))), "shown", show=show)
display(shown)
"""
_INSTRUCTIONS = """
for text_of in {instructions!r}:
    display(made(["a", "b"], "instructed", instructions=text_of))
"""
_FILES = """
from PIL import Image
import io
data = io.BytesIO()
Image.new("RGB", (2, 2), "red").save(data, "PNG")
files = [os.path.abspath(f"images/{k}/{payload}.png") for k, payload in enumerate(S)]
for name in files:
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as file:
        file.write(data.getvalue())
gone = [f"gone/{payload}" for payload in S]
images = made(pd.DataFrame({"f": files + gone}), "files", image="f")
display(images)
"""
_MODEL = """
import warnings
from sklearn.linear_model import LogisticRegression

every = "".join(P)
Broken = type(P[1], (RuntimeError,), {})

def fit(self, X, y):
    raise Broken(every)

class Strategy:
    name, aim, requires = every, every, frozenset()

    def utilities(self, context):
        return context.candidates * 1.0

    def reason(self, utility):
        return every

folder = os.path.abspath("store" + P[2].replace("/", "|"))
os.makedirs(folder, exist_ok=True)
failing = made(
    ["a b", "c d", "e f", "g h"], "failing", strategy=Strategy(), worker="inline",
    model=type(P[0], (LogisticRegression,), {"fit": fit})(), store=f"{folder}/labels.sqlite",
)
failing.session.record("0", "yes")
failing.session.record("1", "no")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    failing.session.retrain(wait=True)
failing.session.warning = every
display(failing)
"""
_STATIC = """
summary = made(list(range(len(P))), "static", P, show=str, store=P[3].replace("/", "|") + ".db")
for k, payload in enumerate(P):
    summary.session.record(str(k), payload)
display({"text/html": summary._repr_mimebundle_()[0]["text/html"]}, raw=True)
"""
_SVG = """
svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="top.canary(1)"><script>1</script></svg>'
display(made([svg, svg], "svg", image=True))
"""
_TRUSTED = """
page = '''<p id="p">before</p><script>
let reached = [];
for (const reach of [() => top.canary(1), () => parent.document.body, () => localStorage.length,
                     () => open("about:blank").document, () => top.location = "about:blank"]) {
  try { reach(); reached.push(String(reach)); } catch { }
}
alert(1);
document.getElementById("p").textContent = "reached: " + reached;
</script>'''
display(made([page, page], "trusted", html=True, trust_html=True))
"""


def test_the_payloads_work(browser: Browser, server: Any) -> None:
    """The control: as they are, in frames without a sandbox, most of them run or ask outside."""
    context = browser.new_context(server)
    try:
        browser.outside.clear()
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.goto("about:blank")
        page.evaluate(_CANARY)
        page.evaluate(
            """payloads => {
              for (const payload of payloads) {
                const frame = document.createElement("iframe");
                frame.srcdoc = `<!doctype html><body>${payload}`;
                document.body.append(frame);
              }
            }""",
            PAYLOADS,
        )

        def worked() -> set[str]:
            asked = {url.rpartition("/")[2] for url in browser.outside if HOST in url}
            return asked | {str(number) for number in page.evaluate("window.ran")}

        wait_until(lambda: len(worked()) >= 150, "150 payloads to run")
    finally:
        context.close()
        browser.outside.clear()


def test_nothing_in_the_data_runs(trap: Trap, torture: bool) -> None:
    sparse, sparser = (1, 1) if torture else (SPARSE, SPARSER)
    size = 1 if torture else 12
    items = [joined(PAYLOADS[k : k + size]) for k in range(0, len(PAYLOADS), size)]
    texts, some = PAYLOADS[::sparse], PAYLOADS[::sparser]
    # JupyterLab shows fifty outputs of a cell.
    panels = [joined(PAYLOADS[k : k + 8]) for k in range(0, len(PAYLOADS), 8)]
    instructions = [joined(PAYLOADS), *(panels if torture else [])]
    book = trap.open(
        PAYLOADS,
        _TEXT.format(sparse=sparse),
        _ROWS,
        _HTML.format(items=items),
        _SHOW.format(sparser=sparser),
        _INSTRUCTIONS.format(instructions=instructions),
        _FILES,
        _MODEL,
        _STATIC,
        _SVG,
        _TRUSTED,
    )
    _text(book, trap.walk("text", len(texts)), texts)
    trap.check("payloads as text, name, note", 3 * len(texts))
    _rows(book, trap.walk("row", 2), texts)
    trap.check("payloads as columns, values, labels", 2 * len(texts) + len(PAYLOADS))
    _html(trap.walk("html", len(items)), len(items))
    trap.check("payloads as HTML", len(PAYLOADS))
    _shown(trap.walk("shown", 5 * len(some)), some)
    trap.check("payloads in displays and errors", 5 * len(some))
    _instructions(book, len(instructions))
    trap.check("payloads as instructions", len(PAYLOADS) * (2 if torture else 1))
    _files(book.execute("files"), trap.walk("files", 2 * len(some)), some)
    trap.check("payloads as names of files", 2 * len(some))
    _failing(book)
    trap.check("payloads of models and strategies", 5 * len(PAYLOADS))
    _static(book)
    trap.check("payloads in the static summary", len(PAYLOADS))
    _svg(book)
    _trusted(book)
    trap.check("trusted HTML and SVG", 2)


def _text(book: Notebook, seen: list[dict[str, Any]], texts: list[str]) -> None:
    assert {one["id"] for one in seen} == set(texts)
    for one in seen:
        assert one["text"] == one["id"]
        assert one["note"] == f"✎ {one['id']}"
        name = one["id"][:80]
        brief = name if len(name) <= 15 else f"{name[:7]}…{name[-7:]}"
        assert ["item ", f"item {brief}"] == [part for part in one["name"] if "item " in part][::-1]
    root = book.locator('.nblabel[aria-label*="text"]').first
    assert root.locator(".nblabel-question").text_content() == "text " + "".join(PAYLOADS[:9])
    assert root.locator(".nblabel-name").all_text_contents() == PAYLOADS[:7]
    assert root.locator(".nblabel-label").first.get_attribute("title") == PAYLOADS[0]


def _rows(book: Notebook, seen: list[dict[str, Any]], texts: list[str]) -> None:
    rows = {one["id"]: one["row"] for one in seen}
    assert rows["0"] == [[payload, payload] for payload in texts]
    assert rows["1"] == [[payload, texts[-k - 1]] for k, payload in enumerate(texts)]
    shown = book.locator('.nblabel[aria-label*="many"] .nblabel-chip span').all_text_contents()
    assert sorted(shown) == sorted(PAYLOADS)


def _html(seen: list[dict[str, Any]], count: int) -> None:
    assert len(seen) == count
    for one in seen:
        frame = one["frame"]
        assert frame["sandbox"] == "allow-same-origin", "scripts are not allowed in the frame"
        assert (frame["active"], frame["handlers"]) == (0, []), one["id"]
        assert frame["policy"].startswith("default-src 'none'")


def _shown(seen: list[dict[str, Any]], some: list[str]) -> None:
    assert len(seen) == 5 * len(some)
    for one in seen:
        mime, payload = int(one["id"]) % 5, some[int(one["id"]) // 5]
        if mime == 0:
            assert one["title"] == "This item cannot be shown as display"
            assert one["error"] == f"{payload[:60]}Error: {payload}"
            assert payload in one["detail"]
        elif mime == 1:
            _html([one], 1)
        elif mime == 2:
            assert one["kind"] == "image"
        else:
            assert one["text"] == payload


def _instructions(book: Notebook, count: int) -> None:
    ready = book.locator('.nblabel[data-state="ready"] .nblabel-instructions[data-ready="true"]')
    wait_until(lambda: ready.count() == count, "all instructions")
    hostile = book.page.evaluate(
        """() => [...document.querySelectorAll(".nblabel-instructions *")].filter((element) =>
          /^(script|iframe|object|embed|form|button|base|meta|link|style|svg|math|dialog)$/i
            .test(element.localName)
          || [...element.attributes].some((a) => /^(on|style|class|id|name|data-)/.test(a.name)
            || /script:|data:text/i.test(a.value.replace(/[\\s]/g, "")))
        ).map((element) => element.outerHTML)"""
    )
    assert hostile == []
    links = book.locator(".nblabel-instructions a[href]")
    kinds = links.evaluate_all("all => all.map((a) => `${a.target} ${a.rel}`)")
    assert set(kinds) <= {"_blank noopener noreferrer"}


def _files(names: list[str], seen: list[dict[str, Any]], some: list[str]) -> None:
    assert len(seen) == 2 * len(some)
    for one in seen:
        k = int(one["id"])
        if k < len(some):
            assert (one["kind"], one["image"]) == ("image", f"image {names[k]}")
        else:
            assert one["kind"] == "error" and one["error"].startswith("FileNotFoundError")


def _failing(book: Notebook) -> None:
    every = "".join(PAYLOADS)
    root = book.locator('.nblabel[aria-label*="failing"]')
    root.locator(".nblabel-bad").click()
    said = book.execute("failing.session.last_error")
    assert every in said and PAYLOADS[1] in said
    assert root.locator(".nblabel-error pre").text_content() == said
    assert root.locator(".nblabel-banner").text_content() == every
    assert root.locator(".nblabel-aim").all_text_contents() == [every, every]
    assert every in (root.locator(".nblabel-why").text_content() or "").replace(every, "", 1)


def _static(book: Notebook) -> None:
    """As a trusted notebook shows it: not sanitised, and with mathematics typeset."""
    shown = book.locator(".nblabel-summary")
    counts = ", ".join(f"{payload} 1" for payload in PAYLOADS)
    path = book.execute("summary.session.store_path")
    n = len(PAYLOADS)
    assert shown.text_content() == (
        f"nblabel: {n} of {n} items labeled ({counts}), kept in {path}. "
        "Run the cell to go on labeling."
    )
    assert shown.locator("*").count() == 1, "the one element is the name"


def _svg(book: Notebook) -> None:
    """Opened in a tab of its own an image has no origin: it is nobody's."""
    address = book.locator('.nblabel[aria-label*="svg"] img').get_attribute("src") or ""
    assert address.startswith("data:image/svg+xml;base64,")


def _trusted(book: Notebook) -> None:
    """Scripts run, and reach nothing of the page around."""
    root = book.locator('.nblabel[aria-label*="trusted"]')
    frame = root.locator("iframe")
    assert frame.get_attribute("sandbox") == "allow-scripts"
    inside = frame.content_frame.locator("#p", has_text="reached: ")
    assert inside.text_content() == "reached: "
    tag = root.locator(".nblabel-trusted")
    assert tag.text_content() == "⚠ trusted HTML"
    assert "trust_html=True" in (tag.get_attribute("title") or "")
    # A click in the frame gives the keys back: it cannot be listened to from here.
    inside.click()
    wait_until(
        lambda: root.evaluate("root => document.activeElement === root"), "the keys to come back"
    )
