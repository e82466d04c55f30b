"""Features that the user has: whose rows they are, and what is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder
from sklearn.svm import LinearSVC

import nblabel as nl
from nblabel.errors import DataError, OptionError

RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {"text": [f"text {k}" for k in range(60)], "x": RNG.normal(size=60), "z": RNG.normal(size=60)},
    index=[f"i{k}" for k in range(60)],
)
FRAME["y"] = np.where(FRAME["x"] > 0, "high", "low")
ROWS = FRAME[["x", "z"]]
SHUFFLED = FRAME.sample(frac=1, random_state=1)


def taught(features: Any, data: Any = FRAME["text"], **options: Any) -> nl.Session:
    given = {"store": None, "inline": True, "explore": 0, **options}
    session = nl.Session(data, ["high", "low"], features=features, **given)
    known = dict(zip(FRAME["text"], FRAME["y"], strict=True))
    for place in range(0, 40):
        session.record(session.pool.ids[place], known[session.pool.item(place)])
    session.retrain(wait=True)
    return session


def accuracy(session: nl.Session) -> float:
    known = dict(zip(FRAME["text"], FRAME["y"], strict=True))
    truth = [known[session.pool.item(place)] for place in range(len(session.pool))]
    return float((session.predictions["label"] == truth).mean())


@pytest.mark.parametrize(
    ("data", "features"),
    [
        (FRAME["text"], ROWS),
        (FRAME["text"], ROWS[::-1]),
        (FRAME["text"], ROWS.reset_index(drop=True)),
        (FRAME["text"][:50], ROWS),  # those of all items
        (SHUFFLED["text"].tolist(), SHUFFLED[["x", "z"]]),  # a list has no labels
        (SHUFFLED["text"].reset_index(drop=True), SHUFFLED[["x", "z"]]),
        (FRAME["text"], pl.DataFrame({"x": ROWS["x"].tolist(), "z": ROWS["z"].tolist()})),
        (FRAME["text"], tuple(map(tuple, ROWS.to_numpy().tolist()))),
        (FRAME["text"], ROWS.convert_dtypes()),
        (FRAME["text"], ROWS.assign(positive=ROWS["x"] > 0)),
    ],
)
def test_rows_are_those_of_their_items(data: Any, features: Any) -> None:
    assert accuracy(taught(features, data)) > 0.9


@pytest.mark.parametrize(
    ("data", "features"),
    [
        (FRAME["text"], ROWS.rename(index={"i5": "other"})),
        (FRAME["text"], ROWS.set_axis([f"{k}" for k in range(60)])),
        (FRAME["text"], ROWS.rename(index={"i5": "i6"})),
        (FRAME["text"].reset_index(drop=True), ROWS.reset_index(drop=True)[::-1]),
        (FRAME["text"].reset_index(drop=True)[::-1], ROWS.reset_index(drop=True)),
    ],
)
def test_where_it_cannot_be_told_whose_rows_they_are_nothing_is_guessed(
    data: Any, features: Any
) -> None:
    with pytest.raises(OptionError, match=r"features= .*features\.to_numpy\(\)"):
        nl.Session(data, ["high", "low"], features=features, store=None, inline=True)


def test_columns_go_by_their_names() -> None:
    session = taught(ROWS[:50], FRAME["text"][:50])
    assert session.predict(ROWS).equals(session.predict(ROWS[["z", "x"]]))
    with pytest.raises(OptionError, match=r"has the columns 'x', 'w', expected .*'x', 'z'"):
        session.predict(ROWS.rename(columns={"z": "w"}))
    session.add(FRAME["text"][50:], features=ROWS[["z", "x"]][50:])
    session.retrain(wait=True)
    assert accuracy(session) > 0.9


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, r"\(60, n_features\), got 3"),
        (["x", "z"], r"got the shape \(2,\) of ndarray; columns of the data are given as"),
        (ROWS.assign(w="word"), "must hold numbers; these columns do not: 'w'"),
        (TargetEncoder(), "TargetEncoder needs labels: put it before the model"),
        (LinearDiscriminantAnalysis(), "LinearDiscriminantAnalysis needs labels"),
        (np.ma.masked_greater(ROWS.to_numpy(), 1), "has masked values"),
        (ROWS.mask(ROWS > 1), "has NaN or infinite values"),
    ],
)
def test_what_is_no_matrix_of_numbers(given: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        nl.Session(FRAME["text"], ["high", "low"], features=given, store=None, inline=True)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (ROWS.mask(ROWS > 1), "NaN or infinite"),
        (ROWS.to_numpy() * 1e30, "too large for single precision"),
        (ROWS.to_numpy().astype(complex), "must hold numbers, got complex128"),
        (ROWS.astype(object), r"one row per item; these columns hold no numbers: 'x', 'z'"),
        (ROWS.assign(z="word"), r"these columns hold no numbers: 'z'"),
        (FRAME["text"].tolist(), "predict takes such a matrix, one row per item, got list"),
    ],
)
def test_what_no_model_can_predict(given: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        taught(ROWS.to_numpy()).predict(given)


@pytest.mark.parametrize("value", [[1 + 2j, 0], ["1", "2"], [{"a": 1}, 2]])
def test_an_embedding_column_holds_numbers(value: Any) -> None:
    frame = FRAME.assign(e=[value] * 60)
    with pytest.raises(DataError, match="'e' must hold one vector of numbers per item, got"):
        nl.Session(frame, ["high", "low"], text="text", features="e", store=None, inline=True)


def test_an_embedding_column_is_not_shown() -> None:
    frame = FRAME[["x", "z"]].assign(e=list(ROWS.to_numpy()))
    session = nl.Session(frame, ["high", "low"], features="e", store=None, inline=True)
    assert session.pool.field == ["x", "z"]


# ---------------------------------------------------------------- other tasks

PRICES = pd.DataFrame({"price": RNG.uniform(0, 10, 100), "size": RNG.normal(size=100)})


@pytest.mark.parametrize(
    "features",
    [
        PRICES.to_numpy(),
        sparse.csr_matrix(PRICES.to_numpy()),
        make_column_transformer(("passthrough", ["price"])),
    ],
)
def test_how_long_a_row_is_counts(features: Any) -> None:
    session = nl.Session(
        PRICES, nl.Rating(1, 5), row=True, features=features, store=None, inline=True
    )
    for k in range(60):
        session.record(session.pool.ids[k], 1 + int(PRICES["price"][k] // 2.5))
    session.retrain(wait=True)
    said = session.predictions["rating"]
    assert spearmanr(said, PRICES["price"]).statistic > 0.9
    new = PRICES if hasattr(features, "fit") else features[:100]
    assert spearmanr(session.predict(new)["rating"], PRICES["price"]).statistic > 0.9


@pytest.mark.parametrize(
    "model", [LogisticRegression(), KNeighborsClassifier(), GaussianNB(), StandardScaler, "pipe"]
)
def test_several_labels_by_a_classifier_of_ones_own(model: Any) -> None:
    options = {"features": ROWS.to_numpy(), "store": None, "inline": True}
    task = nl.MultiLabel(["x", "z"])
    if model in (StandardScaler, "pipe"):
        wrong = {StandardScaler: LinearSVC(), "pipe": make_pipeline(GaussianNB())}[model]
        with pytest.raises(OptionError, match="model= of several labels"):
            nl.Session(FRAME["text"], task, model=wrong, **options)
        return
    session = nl.Session(FRAME["text"], task, model=model, **options)
    for k in range(40):
        session.record(f"i{k}", [name for name in ("x", "z") if ROWS[name].iloc[k] > 0])
    session.retrain(wait=True)
    assert session.last_error is None
    said = session.predictions["labels"]
    right = [sum((name in one) == (ROWS[name].iloc[k] > 0) for name in "xz")
             for k, one in enumerate(said)]  # fmt: skip
    assert np.mean(right) > 1.6
    rows, places = options["features"], np.arange(40)  # as they are
    for name in ("x", "z"):
        own = clone(model).fit(rows[places], ROWS[name].to_numpy()[places] > 0)
        assert [name in one for one in said] == own.predict(rows).tolist()


def test_pairs_in_two_columns_have_two_rows_each() -> None:
    first, second = RNG.normal(size=(2, 60, 3))
    pairs = [(f"a{k}", f"b{k}") for k in range(60)]
    truth = np.where(first[:, 0] > second[:, 0], "first", "second").tolist()
    rows = np.concatenate([first, second])
    with pytest.raises(OptionError, match=r"above those of all second ones, \(120, n_features\)"):
        nl.Session(pairs, nl.Pairs(), features=first, store=None, inline=True)
    frame = pd.DataFrame(pairs, columns=["a", "b"]).assign(e=list(first))
    with pytest.raises(OptionError, match="features='e' holds one vector for each pair"):
        nl.Session(frame, nl.Pairs(), text=("a", "b"), features="e", store=None, inline=True)
    curve = nl.compare(
        pairs, ["random"], truth, task=nl.Pairs(), features=rows, budget=40, seeds=1, batch=20
    )
    assert curve["accuracy"].iat[-1] > 0.75
    session = nl.Session(pairs, nl.Pairs(), features=rows, store=None, inline=True)
    for k in range(40):
        session.record(session.pool.ids[k], truth[k])
    session.retrain(wait=True)
    assert (session.predict(pd.DataFrame(rows))["preferred"] == truth).mean() > 0.8
