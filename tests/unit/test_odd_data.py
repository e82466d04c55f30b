"""What a person gets to read who gives data that is empty, of one item, or of another width."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nblabel.errors import DataError, OptionError
from nblabel.renderers import View
from nblabel.session import Session

TEXTS = ["win money now", "see you at ten", "cheap money here", "see you there"]


def trained(data, **options) -> Session:
    session = Session(data, ["a", "b"], store=None, inline=True, blind=0, **options)
    for k in range(len(data)):
        session.record(str(k), "ab"[k % 2])
    session.retrain(wait=True)
    return session


def test_predicting_nothing():
    frame = pd.DataFrame({"text": TEXTS})
    with pytest.raises(DataError, match=r"nothing to predict: the data is empty"):
        trained(frame, text="text").predict(frame.head(0))
    with pytest.raises(DataError, match="nothing to predict"):
        trained(TEXTS).predict([])


@pytest.mark.parametrize("shape", [(3, 3), (3, 3, 3)])
def test_a_single_image(shape):
    images = np.random.default_rng(0).integers(0, 255, size=(6, *shape), dtype=np.uint8)
    session = trained(images)
    with pytest.raises(DataError, match=r"a single image of shape \(3, 3.*image\[None\]"):
        session.predict(images[0])
    assert len(session.predict(images[:1])) == len(session.predict(images[0][None])) == 1
    with pytest.raises(DataError, match="a single image"):
        session.add(images[0])


def test_another_number_of_features():
    matrix = np.random.default_rng(0).random((4, 5))
    session = trained(TEXTS, features=matrix)
    with pytest.raises(OptionError, match=r"learned from 5 features, this matrix has 3: give the"):
        session.predict(matrix[:, :3])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_texts_that_are_all_missing(missing):
    frame = pd.DataFrame({"text": pd.Series([missing] * 3, dtype=object), "n": range(3)})
    with pytest.raises(DataError, match=r"all 3 values of column 'text' are missing"):
        Session(frame, ["a", "b"], text="text", store=None)
    with pytest.raises(DataError, match="all 2 values of the data are missing"):
        Session([missing, missing], ["a", "b"], store=None)
    assert len(Session([missing, "one"], ["a", "b"], store=None, inline=True).pool) == 2


@pytest.mark.parametrize("classes", [["a", "b"], [0, 1], [0.5, 1.5]])
def test_empty_labels_have_the_types_of_filled_ones(classes):
    session = Session(TEXTS, classes, store=None, inline=True, model=False, strategy="random")
    empty = session.labels.dtypes
    session.record("0", classes[0])
    filled = session.labels.dtypes
    assert empty.drop("suggestion").to_dict() == filled.drop("suggestion").to_dict()


class Own:
    """Shows what is no text, and says what is read of it."""

    kind, modality = "own", "text"

    def accepts(self, item):
        return isinstance(item, dict)

    def view(self, item):
        return View("text", {"text": item["said"]})

    def text(self, item):
        return item["said"]


@pytest.mark.parametrize("form", [list, pd.DataFrame])
def test_a_renderer_of_ones_own_reads_rows_of_a_table(form):
    texts = [f"{('win', 'see')[k % 2]} {('money', 'you')[k % 2]} {k}" for k in range(40)]
    data = form([{"said": text, "n": k} for k, text in enumerate(texts)])
    session = trained(data, show=Own(), features=None)
    assert session.model.predict(["win money", "see you"]).tolist() == ["a", "b"]
    new = [{"said": "see you", "n": 7}]
    assert session.predict(form(new))["label"].tolist() == ["b"]


@pytest.mark.parametrize("show", [Own(), lambda item: item["said"]])
def test_a_function_gets_the_items_themselves(show):
    asked = []

    def features(items):
        asked.extend(items)
        return np.array([[1.0, item["n"] % 2] for item in items])

    features.cache_key = "parity"
    if isinstance(show, Own):
        features = lambda texts: np.array([[1.0, len(text) % 2] for text in texts])  # noqa: E731
        features.cache_key = "length"
    data = [{"said": "x" * k, "n": k} for k in range(40)]
    session = trained(data, show=show, features=features)
    assert session.predictions["label"].tolist() == ["a", "b"] * 20
    assert all(set(item) == {"said", "n"} for item in asked)
