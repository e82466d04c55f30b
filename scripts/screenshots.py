"""Photograph every state of the widget in a real JupyterLab: ``make screenshots``.

Pictures go to ``build/screenshots``; two of them are kept for the README in ``docs/images``.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from tests.browser.lab import Browser, JupyterServer, KernelError, Notebook

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "build" / "screenshots"
KEPT = {"text-light": "text-light.png", "text-dark": "text-dark.png"}

SETUP = """
import warnings; warnings.simplefilter("ignore")
import numpy as np, pandas as pd, nblabel as nl
docs = nl.datasets.installed_docs()
LIBRARIES = ["numpy", "pandas", "scipy", "sklearn"]

def labeled(n=160, **options):
    session = nl.Session(docs, LIBRARIES, text="text", question="Which library is this?",
                         inline=True, explore=0.25, blind=0, **options)
    for asked in session.next(n // 2):
        session.record(asked, docs.loc[asked.key, "library"], seconds=2.0 + len(asked.content) / 400)
    session.retrain()
    for asked in session.next(n // 2):
        session.record(asked, docs.loc[asked.key, "library"], seconds=2.0 + len(asked.content) / 400)
    session.retrain()
    return session
"""

#: name: (code of the cell, keys pressed before the picture)
STATES: dict[str, tuple[str, list[str]]] = {
    "text": (
        "nl.Labeler(labeled(name='text'), instructions='Read the **summary**. Choose the library "
        "whose documentation it comes from; `scipy` builds on `numpy`.')",
        ["i"],
    ),
    "instructions": (
        "nl.Labeler(labeled(store=None), instructions='## What to do\\n\\nRead the **summary**, then "
        "choose.\\n\\n- `numpy`: arrays\\n- `scipy`: algorithms')",
        [],
    ),
    "start": ("nl.Labeler(docs, LIBRARIES, text='text', name='start')", []),
    "note": ("nl.Labeler(labeled(name='note'))", ["f", "n"]),
    "back": ("nl.Labeler(labeled(name='back'))", ["2", "1", "ArrowLeft"]),
    "sheet": ("nl.Labeler(labeled(name='sheet'))", ["?"]),
    "hidden": ("nl.Labeler(labeled(name='hidden'))", ["h"]),
    "long": (
        "nl.Labeler(['A very long text. ' * 4000 + 'end', 'short'], ['keep', 'drop this one, it has "
        "a very long name that cannot fit'], store=None)",
        [],
    ),
    "rtl": (
        "nl.Labeler(['هذا نص عربي طويل قليلا، يقرأ من اليمين إلى اليسار.', 'שלום עולם'] * 3, "
        "['جيد', 'סיפור', 'plain'], question='ما رأيك؟', store=None)",
        [],
    ),
    "emoji": (
        "nl.Labeler(['👩‍👩‍👧 family 🎉 zürich 日本語 <b>not bold</b>'] * 4, ['a', 'b'], store=None)",
        [],
    ),
    "many": (
        "names = [f'{a} {b}' for a in 'card transfer refund exchange top-up identity cash account "
        "pin'.split() for b in 'declined pending not working fee lost swallowed limit "
        "arrival'.split()][:77]\n"
        "rng = np.random.default_rng(0)\n"
        "texts = [f'my {n} and the {rng.choice(names)} again, what now?' for n in names * 8]\n"
        "s = nl.Session(texts, names, store=None, inline=True, blind=0)\n"
        "for a in s.next(160): s.record(a, names[int(a.id) % 77])\n"
        "s.retrain()\nnl.Labeler(s)",
        [],
    ),
    "many-typing": ("nl.Labeler(texts, names, store=None)", ["c", "a", "r"]),
    "digits": (
        "images, y = nl.datasets.digits()\n"
        "s = nl.Session(images, [str(k) for k in range(9)], store=None, inline=True, blind=0)\n"
        "for a in s.next(60): s.record(a, str(min(int(y[int(a.id)]), 8)))\n"
        "s.retrain()\nnl.Labeler(s, None)",
        [],
    ),
    "large-image": (
        "yy, xx = np.mgrid[0:2400, 0:3600]\n"
        "big = np.stack([xx / 3600 * 255, yy / 2400 * 255, 128 + 0 * xx], -1).astype('uint8')\n"
        "nl.Labeler(np.stack([big, big]), ['day', 'night'], store=None)",
        [],
    ),
    "boxes": (
        "from sklearn.datasets import load_sample_images\n"
        "photos = load_sample_images().images\n"
        "known = [[{'shape': 'box', 'label': 'roof', 'x': .05, 'y': .3, 'width': .3, 'height': .3},"
        " {'shape': 'polygon', 'label': 'sky', 'points': [[.4, .1], [.9, .05], [.8, .4]]},"
        " {'shape': 'point', 'label': 'window', 'x': .6, 'y': .6}]] * 2\n"
        "places = nl.Boxes(['roof', 'sky', 'window', 'petal'], shapes=['box', 'polygon', 'point'])\n"
        "nl.Labeler(pd.DataFrame({'photo': photos, 'found': known}), places, image='photo', "
        "suggester='found', blind=0, store=None)",
        ["Tab", "ArrowRight", "4", "Shift+ArrowDown"],
    ),
    "boxes-polygon": (
        "nl.Labeler(pd.DataFrame({'photo': photos, 'found': known}), places, image='photo', "
        "suggester='found', blind=0, store=None)",
        ["Tab", "Tab", "c", "c", "+", "+", "b", "b"],
    ),
    "boxes-digits": (
        "images, y = nl.datasets.digits()\n"
        "nl.Labeler(images, nl.Boxes(['stroke', 'loop']), store=None)",
        ["a", "Alt+ArrowDown", "2", "a"],
    ),
    "boxes-sheet": ("nl.Labeler(photos, places, store=None)", ["?"]),
    "broken-image": (
        "nl.Labeler(['no-such.png', 'gone.jpg'], ['cat', 'dog'], image=True, store=None)",
        [],
    ),
    "row": (
        "wine = nl.datasets.wine()\n"
        "s = nl.Session(wine, sorted(wine.label.unique()), seed=None, "
        "row=list(wine.columns[:9]), store=None, inline=True, blind=0)\n"
        "for a in s.next(40): s.record(a, wine.loc[a.key, 'label'])\n"
        "s.retrain()\nnl.Labeler(s)",
        [],
    ),
    "html": (
        "nl.Labeler(pd.DataFrame({'page': ['<h3>Offer</h3><p>Save <b>20 %</b> today</p><table>"
        "<tr><th>item</th><td>lamp</td></tr></table><script>alert(1)</script>"
        "<img src=x onerror=alert(2)>'] * 4}), ['offer', 'news'], html='page', store=None)",
        [],
    ),
    "figure": (
        "import matplotlib; matplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
        "def show(k):\n"
        "    f, ax = plt.subplots(figsize=(5, 2.2)); ax.plot(np.sin(np.arange(90) / (k + 3))); return f\n"
        "nl.Labeler(list(range(9)), ['calm', 'wild'], show=show, store=None)",
        [],
    ),
    "audio": (
        "t = np.arange(3 * 16000) / 16000\n"
        "def tone(f): return 0.8 * np.sin(2 * np.pi * f * t) * np.exp(-t) * (1 + np.sin(9 * t)) / 2\n"
        "nl.Labeler([(tone(220 * k), 16000) for k in range(1, 6)], ['low', 'high'], audio=True, "
        "store=None)",
        ["Shift+ArrowRight", "+"],
    ),
    "series": (
        "rng = np.random.default_rng(0)\n"
        "def walk(k): return {'left': np.cumsum(rng.normal(size=30_000)), "
        "'right': np.cumsum(rng.normal(size=30_000)) + 40}\n"
        "from nblabel.renderers import SeriesRenderer\n"
        "nl.Labeler(pd.Series([walk(k) for k in range(4)]), ['calm', 'wild'], "
        "show=SeriesRenderer(rate=100), store=None)",
        ["+"],
    ),
    "chat": (
        "from nblabel.renderers import ChatRenderer\n"
        "chat = [dict(role='system', content='You help travellers.'), dict(role='user', content="
        "'Which way to the station? <b>Please</b>'), dict(role='assistant', content='Along the "
        "river, then left at the bridge. It is about ten minutes on foot.'), dict(role='user', "
        "content='Thank you 👍')]\n"
        "nl.Labeler([chat, chat[:3]], ['helpful', 'not helpful'], show=ChatRenderer(), store=None)",
        [],
    ),
    "markdown": (
        "from nblabel.renderers import MarkdownRenderer\n"
        "page = '# Release 2\\n\\nFaster **and** smaller, see `fit()`.\\n\\n- [a link](http://a.b)\\n"
        "- <img src=x onerror=alert(1)>\\n\\n| n | s |\\n|---|---|\\n| 10 | 0.2 |\\n\\n> quoted\\n\\n"
        "```python\\nx = 1\\n```'\n"
        "nl.Labeler(pd.DataFrame({'body': [page, page + '!']}), ['feature', 'fix'], text='body', "
        "show=MarkdownRenderer(), store=None)",
        [],
    ),
    "code": (
        "from nblabel.renderers import CodeRenderer\n"
        "import inspect, textwrap, random\n"
        "nl.Labeler([inspect.getsource(textwrap.shorten), inspect.getsource(random.Random.sample)], "
        "['clear', 'unclear'], show=CodeRenderer('python'), store=None)",
        [],
    ),
    "too-large": (
        "from nblabel.renderers import AudioRenderer\n"
        "nl.Labeler([(np.zeros(8000 * 600, 'int16'), 8000)] * 2, ['a', 'b'], audio=True, store=None)",
        [],
    ),
    "missing": (
        "nl.Labeler(pd.Series([None, 'a text', float('nan')]), ['a', 'b'], store=None, strategy='random', random_state=0)",
        ["s"],
    ),
    "finished": ("nl.Labeler(['one', 'two', 'three'], ['a', 'b'], store=None)", ["1", "s", "2"]),
    "memory": (
        "nl.Labeler(['one', 'two'], ['a', 'b'], store='/proc/labels.sqlite')",
        [],
    ),
    "model-error": (
        "from sklearn.linear_model import LogisticRegression\n"
        "class Broken(LogisticRegression):\n"
        "    def fit(self, X, y): raise ValueError('the rows are upside down')\n"
        "s = nl.Session(docs, LIBRARIES, text='text', model=Broken(), store=None, inline=True)\n"
        "for a in s.next(20): s.record(a, docs.loc[a.key, 'library'])\n"
        "nl.Labeler(s)",
        ["click:model failed"],
    ),
    "replaced": (
        "old = nl.Labeler(['one', 'two'], ['a', 'b'], name='twice')\n"
        "new = nl.Labeler(['one', 'two'], ['a', 'b'], name='twice')\nold",
        [],
    ),
    "bad-input": ("nl.Labeler(docs, LIBRARIES, text='txet')", []),
}


def picture(notebook: Notebook, index: int, name: str, keys: list[str]) -> None:
    """Bring one cell's widget into its state and photograph it, light, dark and narrow."""
    root = notebook.locator(".nblabel").nth(index)
    root.scroll_into_view_if_needed()
    settled = '.nblabel:not([data-state="connecting"]):not([data-state="loading"])'
    notebook.locator(".jp-OutputArea-output").locator(settled).nth(index).wait_for()
    root.focus()
    for key in keys:
        if key.startswith("click:"):
            root.get_by_text(key.removeprefix("click:")).click()
        else:
            notebook.page.keyboard.press(key)
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        notebook.page.wait_for_function(
            "([k, theme]) => document.querySelectorAll('.nblabel')[k].dataset.theme === theme",
            arg=[index, theme],
        )
        notebook.locator("#jupyterlab-splash").wait_for(state="detached")
        root.scroll_into_view_if_needed()
        root.screenshot(path=TARGET / f"{name}-{theme}.png")
    notebook.set_theme("light")
    notebook.locator("#jupyterlab-splash").wait_for(state="detached")
    notebook.set_cell_width(420)
    root.screenshot(path=TARGET / f"{name}-narrow.png")
    notebook.set_cell_width(None)


def main() -> int:
    """Make all pictures, or only those named on the command line ("kernel": busy and gone)."""
    named = sys.argv[1:]
    chosen = {name: STATES[name] for name in named if name in STATES} if named else STATES
    TARGET.mkdir(parents=True, exist_ok=True)
    cells = [SETUP, *[code for code, _ in chosen.values()]]
    with JupyterServer() as server, Browser() as browser:
        notebook = Notebook(browser, server, viewport=(1180, 1000)).open("states.ipynb", cells)
        notebook.run_cell(0)
        shown = 0
        for place, (name, (_, keys)) in enumerate(chosen.items(), start=1):
            if name == "bad-input":
                with suppress(KernelError):
                    notebook.run_cell(place)
                output = notebook.locator(".jp-Cell").nth(place).locator(".jp-OutputArea-output")
                output.scroll_into_view_if_needed()
                output.screenshot(path=TARGET / f"{name}-light.png")
                continue
            notebook.run_cell(place)
            picture(notebook, shown, name, keys)
            shown += 1
        if not named or "kernel" in named:
            last_states(notebook)
        notebook.close(kernel=False)  # the server takes its kernel along
    for name, kept in KEPT.items():
        if (TARGET / f"{name}.png").exists():
            (ROOT / "docs" / "images").mkdir(parents=True, exist_ok=True)
            shutil.copy(TARGET / f"{name}.png", ROOT / "docs" / "images" / kept)
    print(f"{len(list(TARGET.glob('*.png')))} pictures in {TARGET.relative_to(ROOT)}")
    return 0


def last_states(notebook: Notebook) -> None:
    """Photograph the widget beside a kernel that is busy, then dead."""
    root = notebook.locator('.nblabel[data-state="ready"]').first
    root.focus()
    # Every handler waits for a lock, as it would for a kernel that cannot answer.
    notebook.page.evaluate(
        "code => void jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({code})",
        "import time\nfrom nblabel.widget.labeler import _NEWEST\n"
        "locks = [labeler.session._lock for labeler in _NEWEST.values()]\n"
        "for lock in locks: lock.acquire()\n"
        "time.sleep(9)\n"
        "for lock in locks: lock.release()",
    )
    notebook.page.keyboard.press("1")
    root.locator(".nblabel-banner").wait_for()
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        notebook.locator("#jupyterlab-splash").wait_for(state="detached")
        root.screenshot(path=TARGET / f"busy-{theme}.png")
    notebook.restart_kernel()
    gone = notebook.locator('.nblabel[data-state="gone"]').first
    gone.wait_for()
    for theme in ("light", "dark"):
        notebook.set_theme(theme)
        notebook.locator("#jupyterlab-splash").wait_for(state="detached")
        gone.screenshot(path=TARGET / f"gone-{theme}.png")


if __name__ == "__main__":
    raise SystemExit(main())
