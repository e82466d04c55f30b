"""What a person gets to read who gives data that is empty, of one item, or of another width."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nblabel.errors import DataError, OptionError
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
