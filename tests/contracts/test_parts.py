"""Every built-in part sits the exam of its kind."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from nblabel.renderers import (
    DisplayRenderer,
    HtmlRenderer,
    ImageRenderer,
    RowRenderer,
    TextRenderer,
)
from nblabel.store import SqliteLog
from nblabel.strategies import BUILT_IN, Auto, ClusterMargin
from nblabel.suggest import ModelSuggester
from nblabel.tasks import Choice
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
    ],
    ids=["words", "numbers", "scripts"],
)
def test_tasks(task, legal, illegal):
    check_task(task, legal, illegal)


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2)).save(buffer, "PNG")
    return buffer.getvalue()


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
    ],
    ids=["text", "html", "row", "image", "image01", "display", "bytes"],
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
