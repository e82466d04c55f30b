"""Active learning against known labels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import OneHotEncoder

from nblabel import simulate
from nblabel.errors import LabelValueError, OptionError, TrainingError, UnknownColumnError
from nblabel.session import Session

WORDS = {"ham": "see you at lunch on day", "spam": "win money prize number"}
TRUTH = [["ham", "spam"][k % 2] for k in range(60)]
FRAME = pd.DataFrame({"text": [f"{WORDS[label]} {k}" for k, label in enumerate(TRUTH)], "y": TRUTH})
FRAME.index = pd.Index([f"d{k}" for k in range(60)])
CLASSES = ["ham", "spam"]
COLUMNS = ["n_labels", "accuracy", "macro_f1", "strategy", "doing"]


def make(**options: Any) -> Session:
    options = {"text": "text", "store": None, "inline": True, "batch": 5, **options}
    return Session(FRAME, ["ham", "spam"], **options)


def test_it_labels_in_batches_and_scores_after_each() -> None:
    session = make()
    curve = simulate(session, "y", 23)
    assert curve.columns.tolist() == COLUMNS
    assert curve["n_labels"].tolist() == [5, 10, 15, 20, 23]
    assert set(curve["strategy"]) == {"auto"}
    assert curve["accuracy"].iat[-1] == curve["macro_f1"].iat[-1] == 1.0
    assert len(session.labels) == 23
    assert (session.labels["label"] == FRAME["y"].loc[session.labels.index]).all()
    assert curve["doing"].iat[-1] == session.doing


@pytest.mark.parametrize(
    "truth",
    [
        FRAME["y"],
        FRAME["y"].sample(frac=1, random_state=0),  # on the index, in another order
        FRAME["y"].tolist(),
        FRAME["y"].to_numpy(),
        FRAME["y"].to_dict(),
        FRAME["y"].reset_index(drop=True).to_numpy(dtype=object),
    ],
    ids=["series", "shuffled", "list", "array", "dict", "objects"],
)
def test_the_truth_comes_in_any_form(truth: Any) -> None:
    session = make()
    simulate(session, truth, 10)
    assert (session.labels["label"] == FRAME["y"].loc[session.labels.index]).all()


def test_whose_truth_it_is_is_told_by_the_index() -> None:
    shuffled = FRAME.sample(frac=1, random_state=0)
    known = dict(zip(FRAME["text"], FRAME["y"], strict=True))
    for data, truth in [
        (FRAME["text"], pd.Series(TRUTH)),  # it only counts
        (FRAME["text"], shuffled["y"]),
        (shuffled["text"].tolist(), pd.Series(TRUTH, index=FRAME.index)[shuffled.index]),
        (shuffled["text"].reset_index(drop=True), shuffled["y"]),
    ]:
        session = Session(data, ["ham", "spam"], store=None, inline=True, batch=5)
        simulate(session, truth, 10)
        for item, label in session.labels["label"].items():
            content = session.pool.item(session.pool.index.get_loc(item))
            assert known[content] == label


def test_where_the_index_does_not_tell_whose_truth_it_is_nothing_is_guessed() -> None:
    counted = FRAME.reset_index(drop=True)
    for data, truth in [
        (FRAME, pd.Series(TRUTH, index=["d0"] * 60)),
        (FRAME, FRAME["y"].rename({"d5": "other"})),
        (counted, counted["y"].sample(frac=1, random_state=0)),
        (counted.sample(frac=1, random_state=0), pd.Series(TRUTH)),
    ]:
        session = Session(data, ["ham", "spam"], text="text", store=None, inline=True)
        with pytest.raises(OptionError, match=r"truth= .*truth\.loc\[data\.index\]"):
            simulate(session, truth, 10)
        assert session.labels.empty


@pytest.mark.parametrize(
    "test", [0.3, "x", (FRAME, None), (FRAME,), (FRAME, ["ham"]), (5, ["ham"]), (["a"], "ham")]
)
def test_what_is_held_out_is_data_and_its_labels(test: Any) -> None:
    with pytest.raises(OptionError, match=r"test= (is|needs)"):
        simulate(make(), "y", 10, test=test)


def test_labels_that_are_held_out_go_by_the_index_too() -> None:
    asked, held = FRAME[:40], FRAME[40:]
    session = Session(asked, ["ham", "spam"], text="text", store=None, inline=True)
    curve = simulate(session, "y", 20, test=(held, held["y"][::-1]))
    assert curve["accuracy"].iat[-1] == 1


def test_what_a_column_suggests_is_scored() -> None:
    session = make(suggester="y", strategy="random")
    assert simulate(session, "y", 10)["accuracy"].tolist() == [1, 1]


def test_before_there_is_a_model_it_names_the_commonest() -> None:
    curve = simulate(make(model=False, strategy="random"), "y", 10)
    assert curve["accuracy"].tolist() == [0.5, 0.5]
    assert (curve["macro_f1"] < 0.5).all()
    curve = simulate(make(batch=1), "y", 1, test=(["a", "b", "c"], ["ham", "ham", "ham"]))
    assert curve["accuracy"].iat[0] in (0.0, 1.0)


def test_it_scores_on_what_was_held_out() -> None:
    held_out = pd.DataFrame({"text": ["win money", "at lunch", "on day", "prize"]})
    right = simulate(make(), "y", 20, test=(held_out, ["spam", "ham", "ham", "spam"]))
    wrong = simulate(make(), "y", 20, test=(held_out, ["ham", "spam", "spam", "ham"]))
    assert right["accuracy"].iat[-1] == 1.0 and wrong["accuracy"].iat[-1] == 0.0


def test_it_ends_with_the_pool() -> None:
    session = make(batch=25)
    assert simulate(session, "y", 1000)["n_labels"].tolist() == [25, 50, 60]
    assert simulate(session, "y", 5).empty


def test_it_goes_on_from_what_is_labeled() -> None:
    session = make()
    simulate(session, "y", 10)
    assert simulate(session, "y", 10)["n_labels"].tolist() == [15, 20]


def test_in_the_background_it_gives_the_same() -> None:
    here = simulate(make(inline=True), "y", 20)
    there = simulate(make(inline=False), "y", 20)
    pd.testing.assert_frame_equal(here, there)


def test_it_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    session = make(store=path)
    simulate(session, "y", 10)
    session.close()
    assert len(make(store=path).labels) == 10


@pytest.mark.parametrize("budget", [0, -3, 2.5, "10", True])
def test_a_budget_is_a_number_of_labels(budget: Any) -> None:
    with pytest.raises(OptionError, match="budget= is a number of labels from 1"):
        simulate(make(), "y", budget)


def test_a_truth_that_does_not_fit_says_so() -> None:
    with pytest.raises(OptionError, match=r"one label per item, \(60,\), got the shape \(59,\)"):
        simulate(make(), TRUTH[:-1], 10)
    with pytest.raises(UnknownColumnError, match="There is no column 'yy'"):
        simulate(make(), "yy", 10)
    with pytest.raises(LabelValueError, match="'egg' is not one of the labels"):
        simulate(make(), ["egg"] * 60, 10)
    listed = Session(FRAME["text"].tolist(), ["ham", "spam"], store=None, inline=True)
    with pytest.raises(OptionError, match="truth='y' names a column, but the data has no columns"):
        simulate(listed, "y", 10)
    assert np.all([s.status()["labeled"] == 0 for s in (listed,)])


@pytest.mark.parametrize("truth", ["y", FRAME["y"], TRUTH])
def test_a_truth_that_the_model_learns_from_is_refused(truth: Any) -> None:
    noise = FRAME.assign(noise=np.random.default_rng(0).random(60)).drop(columns="text")
    said = r"column 'y', and the model learns from it.*row=\['noise'\]"
    with pytest.raises(OptionError, match=said):
        simulate(Session(noise, CLASSES, row=True, store=None, inline=True), truth, 20)
    hidden: list[dict[str, Any]] = [
        {"row": ["noise"]},
        {"row": True, "model": False},
        {"row": True, "features": noise[["noise"]].to_numpy()},
    ]
    for how in hidden:
        curve = simulate(Session(noise, CLASSES, store=None, inline=True, **how), truth, 20)
        assert curve["accuracy"].iat[-1] < 0.9
    given: dict[str, Any] = {"row": True, "features": OneHotEncoder(), "store": None}
    with pytest.warns(UserWarning, match="'y', which features= or model= gets to see"):
        simulate(Session(noise, CLASSES, inline=True, **given), truth, 10)


def test_a_truth_of_another_type_is_the_same_truth() -> None:
    numbers = FRAME.assign(y=[0, 1] * 30, noise=range(60)).drop(columns="text")
    session = Session(numbers, ["0", "1"], row=True, store=None, inline=True)
    with pytest.raises(OptionError, match="column 'y', and the model learns from it"):
        simulate(session, numbers["y"].astype(str), 10)
    shown = Session(FRAME, CLASSES, text="y", store=None, inline=True)
    with pytest.raises(OptionError, match=r"learns from it\. Show what it is to learn from"):
        simulate(shown, "y", 10)
    itself = Session(TRUTH, CLASSES, store=None, inline=True)  # a toy, but no mistake
    assert simulate(itself, TRUTH, 10)["accuracy"].iat[-1] == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_without_a_model_a_strategy_that_fails_ends_it_too() -> None:
    class Sometimes:
        name = "sometimes"
        requires: frozenset[str] = frozenset()

        def utilities(self, context: Any) -> Any:
            return np.zeros(len(context.candidates)) if len(context.labeled) != 10 else None

        def reason(self, utility: float) -> str:
            return "because"

    with pytest.raises(TrainingError, match="After 10 labels: The items could not be ranked"):
        simulate(make(model=False, strategy=Sometimes()), "y", 20)


class Picky(ClassifierMixin, BaseEstimator):
    """Predicts what it has learned from, and nothing else."""

    def fit(self, X: Any, y: Any) -> Any:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        if X.shape[0] == 3:
            raise RuntimeError("bad batch")
        return np.full((X.shape[0], 2), 0.5)


def test_what_cannot_be_predicted_says_when() -> None:
    held = (["win", "lunch", "day"], ["spam", "ham", "ham"])
    said = "After 5 labels: The items could not be predicted: RuntimeError: bad batch"
    with pytest.raises(TrainingError, match=said):
        simulate(make(model=Picky()), "y", 10, test=held)


def test_labels_that_are_held_out_may_be_a_column() -> None:
    held = FRAME[:20]
    curve = simulate(make(), "y", 20, test=(held, "y"))
    assert curve["accuracy"].iat[-1] == 1


def test_a_truth_that_is_none_says_so() -> None:
    for truth in (None, 5, b"ham", {"ham"}):
        with pytest.raises(
            OptionError, match=f"truth= is a column, .* got {re.escape(repr(truth))}"
        ):
            simulate(make(), truth, 10)


class Fails(ClassifierMixin, BaseEstimator):
    def fit(self, X: Any, y: Any) -> Any:
        raise RuntimeError("no mood")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("worker", ["inline", "process"])
def test_what_was_not_learned_is_no_curve(worker: str) -> None:
    session = make(model=Fails(), inline=worker == "inline", worker=worker)
    with pytest.raises(TrainingError, match=r"After 10 labels: The model could .* no mood") as e:
        simulate(session, "y", 10)
    assert "Traceback" in str(e.value) and len(session.labels) == 10
    session.close()


@pytest.mark.parametrize("form", [dict, pd.Series, lambda d: [*d.values(), *[None] * 58]])
def test_a_truth_with_gaps_says_so(form: Any) -> None:
    truth = form({"d0": "ham", "d1": "spam"})
    with pytest.raises(OptionError, match=r"for 58 item\(s\), the first being 'd2'"):
        simulate(make(), truth, 10)
