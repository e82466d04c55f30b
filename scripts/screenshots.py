"""Photograph every state of the widget in a real JupyterLab: ``make screenshots``.

Pictures go to ``build/screenshots``; some of them are kept for the documents in ``docs/images``.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from tests.browser.lab import Browser, JupyterServer, KernelError, Notebook

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "build" / "screenshots"
KEPT = {
    "text-light": "text-light.png",
    "text-dark": "text-dark.png",
    "overview-light": "map-light.png",
    "certify-page-light": "certify-page.png",
}

SETUP = """
import warnings; warnings.simplefilter("ignore")
from pathlib import Path
import numpy as np, pandas as pd, nblabel as nl
from sklearn.datasets import load_sample_images
photos = load_sample_images().images
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

DRAWN = 'wait:.nblabel-map[data-colored="label"]'
CARD = "wait:.nblabel-map-card:not([hidden])"

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
    "overview": (
        "nl.Labeler(labeled(store=None))",
        ["o", DRAWN, "c", "ArrowRight", "+", "+", "+", CARD],
    ),
    "overview-labels": (
        "images, y = nl.datasets.digits()\n"
        "s = nl.Session(images, [str(k) for k in range(10)], store=None, inline=True, blind=0)\n"
        "for a in s.next(200): s.record(a, str(int(y[int(a.id)])))\n"
        "s.retrain()\nnl.Labeler(s)",
        ["o", DRAWN, "ArrowRight", "ArrowDown", "+", "+", CARD, "3"],
    ),
    "overview-confidence": (
        "nl.Labeler(s)",
        ["o", DRAWN, "c", "c", "wait:.nblabel-map-scale"],
    ),
    "large-image": (
        "yy, xx = np.mgrid[0:2400, 0:3600]\n"
        "big = np.stack([xx / 3600 * 255, yy / 2400 * 255, 128 + 0 * xx], -1).astype('uint8')\n"
        "nl.Labeler(np.stack([big, big]), ['day', 'night'], store=None)",
        [],
    ),
    "boxes": (
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
    "video": (
        "def film(k, n=72):\n"
        "    y, x = np.mgrid[0:180, 0:320]\n"
        "    at = np.arange(n)[:, None, None]\n"
        "    ball = (x - 40 - 3 * at) ** 2 + (y - 90 - 50 * np.sin(at / 8 + k)) ** 2 < 500\n"
        "    sky = np.broadcast_to(60 + y // 3, ball.shape)\n"
        "    return np.stack([np.where(ball, 250, sky), np.where(ball, 190, sky + 20), "
        "np.where(ball, 60, 150 + 0 * sky)], -1).astype('uint8')\n"
        "films = [film(k) for k in range(3)]\n"
        "from nblabel.renderers import VideoRenderer\n"
        "nl.Labeler([(f, 24) for f in films], ['rises', 'falls'], video=True, store=None)",
        ["Shift+ArrowRight", ".", "."],
    ),
    "video-streamed": (
        "for k, f in enumerate(films):\n"
        "    Path(f'film{k}.webm').write_bytes(VideoRenderer(24).view(f).buffers[0])\n"
        "import nblabel.renderers.video; nblabel.renderers.video.MOST_WITH_ITEM = 100\n"
        "clips = pd.DataFrame({'clip': [{'path': f'film{k}.webm', 'poster': films[k][40]} "
        "for k in range(3)]})\n"
        "nl.Labeler(clips, ['rises', 'falls'], video='clip', store=None)",
        [],
    ),
    "video-broken": (
        "nl.Labeler([bytes([26, 69, 223, 163]) + b'nothing' * 9] * 2, ['a', 'b'], video=True, "
        "store=None)",
        [],
    ),
    "pdf": (
        "import matplotlib; matplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
        "from matplotlib.backends.backend_pdf import PdfPages\n"
        "with PdfPages('report.pdf') as pages:\n"
        "    for k in range(4):\n"
        "        sheet = plt.figure(figsize=(8.27, 11.69))\n"
        "        sheet.text(.1, .9, f'Report {k + 1}', size=26)\n"
        "        sheet.text(.1, .62, '\\n'.join(f'{j}. The quick brown fox jumps over the lazy "
        "dog, and says so on line {j}.' for j in range(12)), size=11, linespacing=1.6)\n"
        "        sheet.add_axes((.12, .12, .76, .4)).plot(np.sin(np.arange(90) / (k + 3)))\n"
        "        pages.savefig(sheet); plt.close(sheet)\n"
        "nl.Labeler(['report.pdf', Path('report.pdf').read_bytes()], ['invoice', 'report'], "
        "pdf=True, store=None)",
        ["Shift+ArrowRight"],
    ),
    "pdf-boxes": (
        "nl.Labeler([('report.pdf', k) for k in (1, 2, 3)], nl.Boxes(['title', 'figure']), pdf=True, "
        "store=None)",
        ["a", "Alt+ArrowDown"],
    ),
    "map": (
        "cities = pd.DataFrame({'city': ['Zürich', 'Quito', 'Suva', 'Reykjavík'], "
        "'lat': [47.3769, -0.1807, -18.1248, 64.1466], 'lon': [8.5417, -78.4678, 178.4501, -21.9426]})\n"
        "nl.Labeler(cities, ['coast', 'inland'], point=('lat', 'lon'), details='city', store=None)",
        [],
    ),
    "map-many": (
        "nl.Labeler([cities[['lat', 'lon']].to_numpy()] * 2, ['near', 'far'], point=True, store=None)",
        [],
    ),
    "several": (
        "news = pd.DataFrame({'headline': ['A temple in summer, seen from the gate', 'A flower'], "
        "'photo': photos, 'author': ['Ana', 'Bo'], 'taken': ['2024-05-01', None], 'iso': [100, 400]})\n"
        "nl.Labeler(news, ['fits', 'does not'], text='headline', image='photo', "
        "details=['author', 'taken', 'iso'], store=None)",
        [],
    ),
    "details": (
        "nl.Labeler(news, ['good', 'bad'], text='headline', details=['author', 'taken', 'iso'], "
        "store=None)",
        ["click:author, taken, iso"],
    ),
    "side-by-side": (
        "both = pd.DataFrame({'before': photos, 'after': photos[::-1]})\n"
        "nl.Labeler(both, nl.Pairs(), image=('before', 'after'), store=None)",
        [],
    ),
    "table": (
        "from nblabel.renderers import TableRenderer\n"
        "wines = nl.datasets.wine()\n"
        "nl.Labeler([wines.iloc[k : k + 8, [-1, 0, 1, 2, 3]] for k in (0, 60)], ['ok', 'off'], "
        "show=TableRenderer(most_rows=6), store=None)",
        [],
    ),
    "multilabel": (
        "nl.Labeler(docs, nl.MultiLabel(['arrays', 'statistics', 'plots', 'input and output', "
        "'learning'], least=1, most=3), text='text', store=None)",
        ["1", "4"],
    ),
    "rating": (
        "nl.Labeler(docs, nl.Rating(1, 7, ends=('hard to read', 'a pleasure')), text='text', "
        "store=None)",
        ["ArrowUp"],
    ),
    "rating-scales": (
        "nl.Labeler(docs, nl.Rating(0, 4, scales=['clear', 'complete', 'friendly'], "
        "ends=('no', 'yes')), text='text', store=None)",
        ["3", "2"],
    ),
    "rating-slide": (
        "nl.Labeler(docs, nl.Rating(0, 100, ends=('no', 'yes')), text='text', store=None)",
        ["ArrowUp"],
    ),
    "binary": (
        "nl.Labeler(docs, nl.Binary('mathematics'), text='text', store=None)",
        [],
    ),
    "spans": (
        "known = [[dict(start=0, end=3, label='person'), dict(start=17, end=23, label='place')]]\n"
        "said = pd.DataFrame({'t': ['Ana Lima went to Lisbon with Bo Chen, who knows the city well "
        "and the country around it even better.'], 'known': known})\n"
        "nl.Labeler(said, nl.Spans(['person', 'place', 'time'], relations=['lives in']), text='t', "
        "suggester='known', blind=0, store=None)",
        ["Tab", "Tab", "ArrowRight", "ArrowRight", "Shift+ArrowRight", "1"],
    ),
    "spans-rtl": (
        "nl.Labeler(['سافرت ليلى من القاهرة إلى بيروت يوم الأحد 🎉'] * 2, nl.Spans(['شخص', 'مكان']), "
        "store=None)",
        ["Shift+ArrowLeft", "1"],
    ),
    "pairs": (
        "nl.Labeler([('A short answer.', 'A longer answer, which says why, and what to do.')] * 2, "
        "nl.Pairs(), store=None)",
        [],
    ),
    "ranking": (
        "answers = pd.DataFrame({'question': ['How do I sort a DataFrame by two columns?'] * 2, "
        "'short': ['df.sort_values([\"a\", \"b\"])'] * 2, 'long': ['Use sort_values with a list of "
        "names; ascending= takes a list as well, one for each column. The index goes along; say "
        "ignore_index=True to number the rows anew.'] * 2, 'wrong': ['df.sort(a, b)'] * 2, "
        "'evasive': ['It depends on what you want to do.'] * 2})\n"
        "options = ['short', 'long', 'wrong', 'evasive']\n"
        "nl.Labeler(answers, nl.Ranking(options, ties=True, question='Which answer is best?'), "
        "text=['question', *options], store=None)",
        ["2", "1", "=", "4"],
    ),
    "ranking-names": (
        "nl.Labeler(docs, nl.Ranking(['arrays', 'statistics', 'a very long name of an option, which "
        "does not fit into one line of the list at any width', 'plots', 'learning']), text='text', "
        "store=None)",
        ["ArrowDown"],
    ),
    "ranking-rtl": (
        "nl.Labeler(['هذا نص عربي طويل قليلا'] * 3, nl.Ranking(['جيد', 'סיפור', 'plain'], "
        "question='ما رأيك؟'), store=None)",
        ["2", "1", "3", "Shift+ArrowUp"],
    ),
    "form-ranking": (
        "nl.Labeler(docs, nl.Form({'topics': nl.Ranking(['arrays', 'statistics', 'plots']), "
        "'clear': nl.Rating(1, 5)}), text='text', store=None)",
        ["2"],
    ),
    "freetext": (
        "nl.Labeler(docs, nl.FreeText(), text='text', store=None)",
        ["Enter", "o", "k"],
    ),
    "form": (
        "form = nl.Form({'topic': nl.Choice(['arrays', 'statistics', 'other']), 'why': nl.FreeText(), "
        "'clear': nl.Rating(1, 5), 'tags': nl.MultiLabel(['code', 'prose'])}, "
        "when={'why': ('topic', 'other')})\n"
        "nl.Labeler(docs, form, text='text', store=None)",
        ["3"],
    ),
    "form-spans": (
        "nl.Labeler(said, nl.Form({'who': nl.Spans(['person', 'place']), 'tone': nl.Choice(['kind', "
        "'rude'])}), text='t', store=None)",
        ["Shift+ArrowRight", "1"],
    ),
    "form-boxes": (
        "nl.Labeler(photos, nl.Form({'things': nl.Boxes(['roof', 'petal']), "
        "'quality': nl.Rating(1, 5)}), store=None)",
        ["a", "2"],
    ),
    "form-pairs": (
        "nl.Labeler([('A short answer.', 'A longer answer, which says why.')] * 2, "
        "nl.Form({'better': nl.Pairs(), 'why': nl.FreeText()}), store=None)",
        ["ArrowLeft"],
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
    "certify": (
        "def sure(share):\n"
        "    images, y = nl.datasets.digits()\n"
        "    s = nl.Session(images, [str(k) for k in range(10)], store=None, inline=True, blind=0)\n"
        "    for a in s.next(200): s.record(a, str(y[int(a.id)]))\n"
        "    s.retrain()\n"
        "    run = s.certify(0.05, seed=1)\n"
        "    k = 0\n"
        "    while run.is_running and (k < 40 or share == 1):\n"
        "        a, = run.next()\n"
        "        s.record(a, str((int(y[int(a.id)]) + (share < 1 and k == 22)) % 10)); k += 1\n"
        "    return nl.Labeler(s)\n"
        "sure(0.5)",
        [],
    ),
    "certify-give-up": ("sure(0.5)", ["x"]),
    "certify-offers": (
        "def taught(n):\n"
        "    images, y = nl.datasets.digits()\n"
        "    s = nl.Session(images, [str(k) for k in range(10)], store=None, inline=True, blind=0)\n"
        "    for a in s.next(n): s.record(a, str(y[int(a.id)]))\n"
        "    s.retrain()\n"
        "    return s\n"
        "nl.Labeler(taught(200))",
        ["x", "wait:.nblabel-offers button:focus"],
    ),
    "certify-too-early": ("nl.Labeler(taught(20))", ["x", "wait:.nblabel-certify p:not(:empty)"]),
    "certify-page": (
        "s = taught(200)\nrun = s.certify(0.05, blind=False, seed=1)\nnl.Labeler(s)",
        ["g", "wait", "ArrowRight", "ArrowRight", "3"],
    ),
    "certified": ("sure(1)", []),
    "grid": (
        "def digits(**options):\n"
        "    images, y = nl.datasets.digits()\n"
        "    s = nl.Session(images, [str(k) for k in range(10)], store=None, inline=True, blind=0,"
        " **options)\n"
        "    for a in s.next(120): s.record(a, str(y[int(a.id)]))\n"
        "    s.retrain()\n"
        "    return nl.Labeler(s)\n"
        "digits()",
        ["g", "wait", "End", "4", "ArrowUp", "ArrowLeft", "s", "ArrowUp", "ArrowLeft", "1"],
    ),
    "grid-magnified": ("digits()", ["g", "wait", "hold:Space"]),
    "grid-text": (
        "nl.Labeler(labeled(name='grid-text'))",
        ["g", "wait", "ArrowRight", "2", "ArrowRight"],
    ),
    "grid-sheet": ("nl.Labeler(labeled(name='grid-sheet'))", ["g", "wait", "?"]),
    "grid-words": (
        "nl.Labeler(labeled(name='grid-words'))",
        ["w", "a", "r", "r", "a", "y", "Enter", "wait", "1"],
    ),
    "grid-similar": ("digits()", ["m", "wait"]),
    "grid-photos": (
        "s = nl.Session([photos[k % 2][40 * (k % 5):, 30 * (k % 7):] for k in range(30)], "
        "['temple', 'flower'], features=np.arange(60).reshape(30, 2) % 2, store=None, inline=True)\n"
        "for k in range(6): s.record(k, ['temple', 'flower'][k % 2])\n"
        "s.retrain()\nnl.Labeler(s)",
        ["g", "wait", "+", "ArrowRight", "2"],
    ),
    "grid-many": (
        "texts = [f'my {n} and the {rng.choice(names)} again, what now?' for n in names * 8]\n"
        "s = nl.Session(texts, names, store=None, inline=True, blind=0)\n"
        "for a in s.next(160): s.record(a, names[int(a.id) % 77])\n"
        "s.retrain()\nnl.Labeler(s)",
        ["Shift+G", "wait", "c", "a", "r"],
    ),
    "grid-rtl": (
        "s = nl.Session(['هذا نص عربي طويل قليلا، يقرأ من اليمين إلى اليسار.', 'שלום עולם'] * 20, "
        "['جيد', 'סיפור'], question='ما رأيك؟', store=None, inline=True)\n"
        "for k in range(8): s.record(k, ['جيد', 'סיפור'][k % 2])\n"
        "s.retrain()\nnl.Labeler(s)",
        ["g", "wait", "ArrowRight", "2"],
    ),
    "grid-no-model": ("nl.Labeler(docs, LIBRARIES, text='text', name='grid-no-model')", ["g"]),
    "grid-nothing": ("nl.Labeler(labeled(name='grid-nothing'))", ["w", "x", "q", "z", "Enter"]),
    "copies": (
        "nl.Labeler(['A text that is there three times, in the same words.'] * 3 + ['Another one.'],"
        " ['a', 'b'], duplicates='together', store=None)",
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
    root.locator('[data-ready="false"]').wait_for(state="detached")
    root.focus()
    for key in keys:
        if key.startswith("click:"):
            root.get_by_text(key.removeprefix("click:")).click()
        elif key.startswith("wait:"):
            root.locator(key.removeprefix("wait:")).wait_for()
        elif key.startswith("hold:"):
            notebook.page.keyboard.down(key.removeprefix("hold:"))
        elif key == "wait":
            root.locator(".nblabel-tile").first.wait_for()
        else:
            notebook.page.keyboard.press(key)
    root.locator('[data-ready="false"]').wait_for(state="detached")
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
