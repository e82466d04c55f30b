"""Every built-in part sits the exam of its kind."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse
from scipy.io import wavfile
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from nblabel.renderers import (
    AudioRenderer,
    ChatRenderer,
    CodeRenderer,
    DisplayRenderer,
    HtmlRenderer,
    ImageRenderer,
    MarkdownRenderer,
    RowRenderer,
    SeriesRenderer,
    TextRenderer,
)
from nblabel.store import SqliteLog
from nblabel.strategies import BUILT_IN, Auto, ClusterMargin
from nblabel.suggest import ModelSuggester
from nblabel.tasks import (
    Binary,
    Boxes,
    Choice,
    Form,
    FreeText,
    MultiLabel,
    Pairs,
    Ranking,
    Rating,
    Spans,
)
from nblabel.testing import (
    check_renderer,
    check_store,
    check_strategy,
    check_suggester,
    check_task,
)


@pytest.mark.parametrize(
    ("task", "legal", "illegal"),
    [
        (Choice(["ham", "spam"]), ["ham", "spam"], ["eggs", "Ham", None, ["ham"]]),
        (Choice([0, 1, 2]), [0, "1", np.int64(2), 2.0], [3, 0.5, float("nan"), True]),
        (Choice(["😀", "שלום", "a b"], question="?"), ["😀", "שלום"], ["a", "\ud83d"]),
        (Binary("spam"), [True, False, "accept", np.bool_(False)], ["yes", 1, None]),
        (
            MultiLabel(["a", "b", "c"], most=2, exclusive=[("a", "b")], parents={"c": "b"}),
            [[], ["c"], ["b", "b"], ("a",), np.array(["b"])],
            ["a", ["d"], ["a", "b"], ["a", "c"], None],
        ),
        (MultiLabel([1, 2], least=1, each=True), [[1], ["2", 1]], [[], [3], 1]),
        (Rating(), [1, 5.0, np.int64(3)], [0, 6, 2.5, "3", True, float("nan")]),
        (
            Rating(0, 1, step=0.25, scales=["fluent", "right"]),
            [{"fluent": 0, "right": 0.25}, {"right": 1, "fluent": np.float32(0.75)}],
            [0.5, {"fluent": 0}, {"fluent": 0, "right": 2}, {"fluent": 0, "right": 0, "x": 0}],
        ),
        (
            Spans(["name", "place"]),
            [[], [(4, 8, "name"), {"start": 0, "end": 2, "label": "place"}]],
            [[(2, 2, "name")], [(0, 3, "x")], [(0, 3, "name"), (2, 5, "name")], "x", [(0, 1)]],
        ),
        (
            Spans(["a"], overlap="nested", relations=["of"]),
            [
                [(0, 9, "a"), (2, 4, "a")],
                {
                    "spans": [(5, 6, "a"), (0, 3, "a")],
                    "relations": [{"head": 0, "tail": 1, "label": "of"}],
                },
            ],
            [
                [(0, 5, "a"), (3, 9, "a")],
                {"spans": [(0, 1, "a")], "relations": [{"head": 0, "tail": 1, "label": "of"}]},
                {"relations": []},
            ],
        ),
        (
            Boxes(["cat", "dog"], shapes=["box", "polygon", "point"]),
            [
                [],
                [{"label": "cat", "x": 0.1, "y": 0.2, "width": 0.3, "height": 0.4}],
                [
                    {"shape": "point", "label": "dog", "x": 0.5, "y": 0.5},
                    {"shape": "polygon", "label": "cat", "points": [(0, 0), (1, 0), (0.5, 1)]},
                    {"shape": "box", "label": "dog", "x": 0, "y": 0, "width": 1, "height": 1},
                ],
            ],
            [
                [{"label": "cow", "x": 0, "y": 0, "width": 1, "height": 1}],
                [{"label": "cat", "x": 0.5, "y": 0, "width": 0, "height": 1}],
                [{"label": "cat", "x": 2, "y": 0, "width": 1, "height": 1}],
                [{"shape": "polygon", "label": "cat", "points": [(0, 0), (1, 1)]}],
                [{"shape": "line", "label": "cat"}],
                {"label": "cat"},
            ],
        ),
        (Pairs(), ["first", "second", "tie"], ["left", 1, None]),
        (Pairs(ties=False), ["first", "second"], ["tie"]),
        (
            Ranking(["a", "b", "c"]),
            [["b", "a", "c"], ("c", "b", "a"), {"a": 2, "b": 1, "c": 3.5}],
            [["a", "b"], ["a", "b", "b"], ["a", ["b", "c"]], "abc", {"a": 1}, None, [[["a"]]]],
        ),
        (
            Ranking([1, 2, 3, 4], ties=True, each=True),
            [[1, [3, 2], 4], [["1", "2", "3", "4"]], {1: 1, 2: 1, "3": 2, 4: 0}],
            [[1, 2, 3], [1, [2, 2], 3, 4], {1: "x"}, {5: 1}],
        ),
        (FreeText(), ["text", " שלום 😀\r\n"], ["", "  ", 1, None, "x" * 60_000]),
        (FreeText(required=False), ["", "text"], [1]),
        (
            Form(
                {"topic": Choice(["a", "b"]), "tags": MultiLabel(["x", "y"]), "why": FreeText()},
                when={"why": ("tags", "x"), "tags": ("topic", "a")},
            ),
            [
                {"topic": "b"},
                {"topic": "a", "tags": []},
                {"topic": "a", "tags": ["y", "x"], "why": "so"},
                {"topic": "b", "tags": ["x"], "why": "not asked"},
            ],
            [{}, {"topic": "a"}, {"topic": "a", "tags": ["x"]}, {"topic": "c"}, {"x": 1}, "a"],
        ),
    ],
    ids=[
        "words",
        "numbers",
        "scripts",
        "binary",
        "multilabel",
        "multilabel-each",
        "rating",
        "ratings",
        "spans",
        "relations",
        "boxes",
        "pairs",
        "pairs-strict",
        "ranking",
        "ranking-ties",
        "freetext",
        "freetext-optional",
        "form",
    ],
)
def test_tasks(task, legal, illegal):
    check_task(task, legal, illegal)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2)).save(buffer, "PNG")
    return buffer.getvalue()


def wav() -> bytes:
    buffer = io.BytesIO()
    wavfile.write(buffer, 8000, NOISE)
    return buffer.getvalue()


NOISE = np.random.default_rng(0).uniform(-1, 1, 50)
CHAT = [{"role": "user", "content": "\ud800 hi"}, {"role": "x", "content": [{"text": "y"}]}]
ARRAYS = [np.zeros((3, 3), np.uint8), np.ones((2, 2, 3)), np.eye(4, dtype=bool)]


@pytest.mark.parametrize(
    ("renderer", "items"),
    [
        (TextRenderer(), ["", "text", "\ud800 😀 שלום \x00", "x" * 2_000_000]),
        (HtmlRenderer(), ["<b>bold</b><script>", "\udfff"]),
        (RowRenderer(), [{}, {"a": 1, 5: None, "\ud800": np.float32(0.1), "b": [1, {}]}]),
        (ImageRenderer(), [png(), *ARRAYS, Image.new("CMYK", (2, 2)), {"bytes": png()}]),
        (ImageRenderer(0, 1), ARRAYS),
        (DisplayRenderer(lambda item: item), ["text", pd.DataFrame({"a": [1]}), 3, object]),
        (DisplayRenderer(lambda item: png()), [1]),
        (AudioRenderer(), [wav(), {"bytes": wav()}, (NOISE, 8000), b"fLaC", [NOISE[:, None], 1]]),
        (AudioRenderer(8000), [NOISE, {"array": NOISE, "sampling_rate": 16_000.0}]),
        (SeriesRenderer(), [[1, None], NOISE, {"\ud800": NOISE}, pd.Series(NOISE), np.eye(3)]),
        (ChatRenderer(), [[], CHAT, {"messages": CHAT}]),
        (MarkdownRenderer(), ["", "# a\n<script>", "\ud800"]),
        (CodeRenderer(), ["", "def f(): pass", "\udfff"]),
    ],
    ids=[
        "text",
        "html",
        "row",
        "image",
        "image01",
        "display",
        "bytes",
        "audio",
        "samples",
        "series",
        "chat",
        "markdown",
        "code",
    ],
)
def test_renderers(renderer, items):
    check_renderer(renderer, items)


def test_figures():
    import matplotlib.pyplot as plt

    def show(numbers):
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.plot(numbers)
        return figure

    check_renderer(DisplayRenderer(show), [[1, 2], [3, 1]])


@pytest.mark.parametrize("name", BUILT_IN)
def test_strategies(name):
    check_strategy(BUILT_IN[name]())


def test_strategies_with_other_settings():
    check_strategy(Auto(start=0))
    check_strategy(ClusterMargin(pool_factor=1))


TEXTS = ["win money", "see you", "cheap money 😀", "you there", "", "money", "größe", "a b c"]
TARGETS = ["spam", "ham", "spam", "ham", "other", "spam"]
MATRIX = np.random.default_rng(0).random((8, 3))
FRAME = pd.DataFrame({"n": range(8), "kind": list("ababcacb"), "text": [t * 9 for t in TEXTS]})


@pytest.mark.parametrize(
    "suggester",
    [
        ModelSuggester(TEXTS, "text"),
        ModelSuggester(TEXTS, "text", estimator=LinearSVC()),
        ModelSuggester(TEXTS, "text", features=CountVectorizer(ngram_range=(1, 3))),
        ModelSuggester(
            TEXTS, "text", estimator=make_pipeline(CountVectorizer(), LogisticRegression())
        ),
        ModelSuggester(FRAME, "row"),
        ModelSuggester(np.random.default_rng(0).random((8, 5, 5)), "image"),
        ModelSuggester(None, None, features=MATRIX, n_items=8),
        ModelSuggester(None, None, features=sparse.csr_matrix(MATRIX), n_items=8),
    ],
    ids=["text", "svc", "vectorizer", "pipeline", "row", "image", "matrix", "sparse"],
)
def test_suggesters(suggester):
    check_suggester(suggester, range(6), TARGETS, 8)


def test_stores():
    check_store(SqliteLog)
