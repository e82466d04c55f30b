"""Races of strategies, and the curves they make."""

from __future__ import annotations

import builtins
import importlib.util
import re
import threading
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_info, threadpool_limits

import nblabel as nl
from nblabel import _learning, _training
from nblabel.curves import GRAY, LearningCurve, _apart
from nblabel.errors import LabelValueError, OptionError, TrainingError, UnknownColumnError
from nblabel.strategies import Margin
from nblabel.study import Race, _by_turns, compare

IMAGES, DIGITS = nl.datasets.digits()
KEPT = np.flatnonzero(np.isin(DIGITS, ["3", "8", "9"]))[:150]
IMAGES, DIGITS = IMAGES[KEPT], DIGITS[KEPT]
WINE = nl.datasets.wine()
WORDS = ["see you at lunch", "win money prize"]
COLUMNS = ["strategy", "seed", "n_labels", "accuracy", "macro_f1", "doing"]


def race(strategies: Any = ("margin", "random"), **options: Any) -> Any:
    options = {"budget": 30, "seeds": 2, **options}
    return compare(IMAGES, strategies, DIGITS, **options)


@pytest.fixture(scope="module")
def curve() -> LearningCurve:
    return race()


def test_a_race_is_a_tidy_table(curve: LearningCurve) -> None:
    assert curve.columns.tolist() == COLUMNS
    assert len(curve) == 2 * 2 * 3
    assert curve["n_labels"].tolist() == [10, 20, 30] * 4
    assert curve["strategy"].unique().tolist() == ["margin", "random"]
    assert set(curve["seed"]) == {0, 1}
    assert curve["accuracy"].between(0, 1).all() and curve["accuracy"].iat[-1] > 0.7


def test_it_is_the_same_again(curve: LearningCurve) -> None:
    pd.testing.assert_frame_equal(race(), curve)
    alone = race("random", seeds=[1])
    mine = curve.query("strategy == 'random' and seed == 1").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, mine)


def test_what_is_scored_was_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[set[str], set[str]]] = []
    real = nl.Session.predict_values

    def watch(session: nl.Session, data: Any) -> list[Any]:
        asked = {session.pool.digest(session.pool.position(i)) for i in session.pool.ids}
        seen.append((asked, set(nl.Session(data, ["a", "b"], store=None, model=False,
                                           strategy="random").pool.ids)))  # fmt: skip
        seen.append((asked, {nl.Pool(data).digest(k) for k in range(len(data))}))
        return real(session, data)

    monkeypatch.setattr(nl.Session, "predict_values", watch)
    race(["random"], seeds=1, budget=20)
    assert len(seen) == 4
    for asked, held_out in seen[1::2]:
        assert len(held_out) >= 40 and not asked & held_out


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, pd.DataFrame])
def test_a_matrix_beside_a_column_of_the_truth(kind: Any) -> None:
    data = pd.DataFrame({"text": [f"text {k}" for k in range(60)], "label": WORDS * 30})
    matrix = kind(np.random.default_rng(0).normal(size=(60, 3)))
    made = compare(
        data, {"own": {"features": matrix}, "default": "random"}, "label",
        text="text", budget=20, seeds=1,
    )  # fmt: skip
    assert set(made["strategy"]) == {"own", "default"}


def test_settings_have_names_and_own_options() -> None:
    made = compare(
        WINE,
        {"bayes": {"strategy": "margin", "model": GaussianNB()}, "plain": Margin()},
        "label",
        seeds=1,
        budget=24,
        batch=8,
    )
    assert made["strategy"].unique().tolist() == ["bayes", "plain"]
    assert made["n_labels"].tolist() == [8, 16, 24] * 2
    one, two = made["accuracy"][:3].tolist(), made["accuracy"][3:].tolist()
    assert one != two


def test_the_column_of_the_truth_is_kept_from_the_model() -> None:
    noise = pd.DataFrame({"x": np.random.default_rng(0).normal(size=200)})
    noise["y"] = np.random.default_rng(1).choice(["a", "b"], 200)
    made = compare(noise, ["random"], "y", seeds=2, budget=100, row=True)
    assert made["accuracy"].max() < 0.75


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, np.ndarray.tolist])
def test_a_matrix_of_features_is_split_with_the_items(form: Any) -> None:
    matrix = form(IMAGES.reshape(len(IMAGES), -1) / 255)
    made = race(["margin"], features=matrix, seeds=1)
    assert made["accuracy"].iat[-1] > 0.7
    held = (matrix[100:], DIGITS[100:])
    own = compare(
        IMAGES[:100], ["margin"], DIGITS[:100], features=matrix[:100], test=held, seeds=1, budget=30
    )
    assert own["accuracy"].iat[-1] > 0.7


def test_a_table_of_features_is_held_against_the_index_before_items_are_held_out() -> None:
    items = pd.Series([f"item {k}" for k in range(100)], index=[f"i{k}" for k in range(100)])
    table = pd.DataFrame({"f": [k % 2 * 10.0 for k in range(100)]}, index=items.index)
    truth = ["ab"[k % 2] for k in range(100)]
    made = compare(items, ["random"], truth, features=table[::-1], seeds=1, budget=20)
    assert made["accuracy"].iat[-1] == 1


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, np.ndarray.tolist, pd.DataFrame])
@pytest.mark.parametrize("n_rows", [99, 105, 200])
def test_a_matrix_with_another_number_of_rows_is_refused_not_cut(form: Any, n_rows: int) -> None:
    matrix = form(np.random.default_rng(0).normal(size=(n_rows, 4)))
    with pytest.raises(OptionError, match=rf"\(100, n_features\), got the shape \({n_rows}, 4\)"):
        compare(IMAGES[:100], ["random"], DIGITS[:100], features=matrix, seeds=1, budget=30)


def test_lists_and_texts() -> None:
    texts = [f"{'win money' if k % 2 else 'see you'} {k}" for k in range(60)]
    made = compare(texts, ["auto"], ["ab"[k % 2] for k in range(60)], seeds=1, budget=20)
    assert made["accuracy"].iat[-1] > 0.9


def test_what_a_setting_looks_for_is_counted_in_all_runs() -> None:
    settings = {"find": {"goal": "find", "target": "9"}, "plain": {"strategy": "random"}}
    made = race(settings, seeds=1)
    assert made.columns.tolist() == [*COLUMNS[:3], "found", *COLUMNS[3:]]
    for _, run in made.groupby("strategy"):
        assert run["found"].is_monotonic_increasing and run["found"].le(run["n_labels"]).all()
    found = made.set_index(["strategy", "n_labels"])["found"]
    assert found["find", 30] > found["plain", 30] > 0
    assert made.area().index.tolist() == ["find", "plain"]
    assert made.plot().get_title(loc="left") == "Found among the labels"
    both = race({"one": settings["find"], "two": {"goal": "find", "target": "3"}}, seeds=1)
    assert "found" not in both


def test_without_a_target_the_rarest_is_counted() -> None:
    kept = np.flatnonzero((DIGITS != "8") | (np.arange(len(DIGITS)) < 40))
    images, digits = IMAGES[kept], DIGITS[kept]
    assert min(set(digits), key=digits.tolist().count) == "8"
    session = nl.Session(images, ["3", "8", "9"], store=None, inline=True, strategy="find")
    made = nl.simulate(session, digits, 40)
    assert made["found"].iat[-1] == (session.labels["label"] == "8").sum() > 0
    more = nl.simulate(session, digits, 10)  # it goes on from what is labeled
    assert more["found"].iat[0] >= made["found"].iat[-1]


def test_no_more_is_found_than_was_labeled() -> None:
    rows = [("find", seed, 10, found, 0.5, 0.5, "find") for seed, found in enumerate([1, 9, 10])]
    curve = LearningCurve(rows, columns=[*COLUMNS[:3], "found", *COLUMNS[3:]])
    table = curve.summary()
    assert table["found"].iat[0] == pytest.approx(20 / 3)
    assert (table["found_low"].iat[0], table["found_high"].iat[0]) == (0, 10)


def test_other_tasks_race_too() -> None:
    texts = [
        f"{'red' if k % 2 else 'blue'} {'round' if k % 3 else 'square'} {k}" for k in range(90)
    ]
    labels = [[word for word in ("red", "round") if word in text] for text in texts]
    made = compare(
        texts,
        ["margin", "random"],
        labels,
        task=nl.MultiLabel(["red", "round"]),
        seeds=1,
        budget=20,
    )
    assert made.columns.tolist() == ["agreement" if c == "macro_f1" else c for c in COLUMNS]
    assert made["agreement"].iat[-1] > 0.8
    assert made.plot().get_title(loc="left") == "Agreement"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"strategies": ["margn"]}, OptionError, "no strategy 'margn'. Did you mean 'margin'"),
        ({"strategies": []}, OptionError, "strategies= is empty"),
        ({"strategies": 3}, OptionError, "got int"),
        ({"strategies": ["margin", Margin()]}, OptionError, "two strategies 'margin'"),
        ({"strategies": {"a": {"modle": 1}}}, OptionError, "'a' has no option modle=.*'model'"),
        ({"strategies": {"a": {"store": None}}}, OptionError, "'a' cannot set store="),
        ({"suggester": 1}, OptionError, "cannot set suggester="),
        ({"random_state": 1}, OptionError, "compare cannot set random_state="),
        ({"batch": 0}, OptionError, "batch= is a whole number from 1"),
        ({"strategies": ["margin"], "model": False}, OptionError, "requires proba"),
        ({"budget": 0}, OptionError, "budget= is a number of labels from 1"),
        ({"seeds": 0}, OptionError, "seeds= is how many"),
        ({"seeds": [1, 1]}, OptionError, "different whole numbers"),
        ({"seeds": "12"}, OptionError, "got '12'"),
        ({"test": 1.0}, OptionError, "test= is a share"),
        ({"truth": DIGITS[:-1]}, OptionError, "one label per item"),
        ({"truth": "y"}, OptionError, "names a column, but the data has no columns"),
        ({"data": WINE, "truth": "lable"}, UnknownColumnError, "'label'"),
        ({"task": ["3", "8"], "seeds": 1}, LabelValueError, "'9'"),
        (
            {"truth": [[d] for d in DIGITS]},
            OptionError,
            "such as .*, which are not one class.* task=",
        ),
        ({"truth": None}, OptionError, "got None"),
        ({"strategies": [lambda items: Margin()]}, OptionError, "got function. .* in a mapping"),
        (
            {"data": WINE, "truth": "label", "row": ["alcohol", "label"]},
            OptionError,
            "leave it out",
        ),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, Any], error: Any, said: str) -> None:
    given = {"data": IMAGES, "strategies": ["random"], "truth": DIGITS, "budget": 20, **change}
    with pytest.raises(error, match=said):
        compare(given.pop("data"), given.pop("strategies"), given.pop("truth"), **given)


# ---------------------------------------------------------------- in the background


class Gate(Margin):
    """Holds the race until it is let go."""

    name = "gate"
    requires = frozenset()

    def __init__(self) -> None:
        self.reached, self.go = threading.Event(), threading.Event()

    def __deepcopy__(self, memo: Any) -> Gate:
        return self

    def utilities(self, context: Any) -> Any:
        if len(context.labeled) >= 10:
            self.reached.set()
            assert self.go.wait(60)
        return np.zeros(len(context.candidates))


@pytest.fixture
def held() -> Any:
    gate = Gate()
    running = race(["random", gate], seeds=2, background=True)
    running.gate = gate
    yield running
    gate.go.set()
    running.result(60)


def test_in_the_background_it_comes_to_the_same(held: Race) -> None:
    assert held.gate.reached.wait(60)
    assert held.phase == "running" and "1 of 4 runs, now gate, seed 0" in repr(held)
    assert held.frame["strategy"].tolist() == ["random"] * 3
    with pytest.raises(TimeoutError, match="it goes on"):
        held.result(timeout=0)
    held.gate.go.set()
    made = held.result(60)
    assert held.phase == "done" and "4 of 4 runs" in repr(held)
    pd.testing.assert_frame_equal(made, race(["random", held.gate], seeds=2))


def test_what_is_checked_before_learns_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    learned_by: list[str] = []

    def learn(*args: Any) -> Any:
        learned_by.append(threading.current_thread().name)
        return _learning.learn(*args)

    monkeypatch.setattr(_training, "learn", learn)
    race(["random", "margin"], seeds=1, budget=10, background=True).result(60)
    assert learned_by and threading.current_thread().name not in learned_by


def test_it_can_be_cancelled(held: Race) -> None:
    assert held.gate.reached.wait(60)
    held.cancel()
    assert repr(held).startswith("Race(ending: 1 of 4 runs, now gate")
    held.gate.go.set()
    made = held.result(60)
    assert held.phase == "cancelled" and made["strategy"].tolist() == ["random"] * 3
    assert "cancelled: 1 of 4 runs" in repr(held)
    assert made.columns.tolist() == COLUMNS


def test_a_picture_says_when_it_was_drawn_and_how_many_seeds_there_are(held: Race) -> None:
    assert held.gate.reached.wait(60)
    assert re.search(r"now gate, seed 0, at \d\d:\d\d:\d\d<", held._repr_html_())
    assert "height: 440px" in held._picture(0, "running")  # before there is one
    held.gate.go.set()
    rows = held.result(60)
    assert "done: 4 of 4 runs<" in held._repr_html_()
    assert rows.plot().get_title(loc="left").endswith("over 2 seeds")
    some = LearningCurve(rows[(rows["seed"] == 0) | (rows["strategy"] == "random")])
    assert some.plot().get_title(loc="left").endswith("over 1 to 2 seeds")


def test_a_cancelled_race_ends_within_its_training() -> None:
    texts = [f"a text about {k}" for k in range(600)]
    calls: list[int] = []
    made, begun = threading.Event(), []

    def lengths(some: list[str]) -> Any:
        calls.append(len(some))
        if len(calls) == 2:  # of the many that all the items take
            assert made.wait(60)
            begun[0].cancel()
        return np.array([[len(text), 1.0] for text in some])

    lengths.cache_key = "lengths of texts"  # type: ignore[attr-defined]
    begun.append(
        compare(
            texts, ["random"], [WORDS[k % 2] for k in range(600)], budget=20, seeds=2,
            features=lengths, background=True,
        )
    )  # fmt: skip
    made.set()
    assert begun[0].result(60).empty
    assert begun[0].phase == "cancelled" and "0 of 2 runs" in repr(begun[0])
    assert len(calls) == 2 and sum(calls) < 300


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_races_at_once_give_the_threads_back() -> None:
    with threadpool_limits(limits=2, user_api="blas"):  # whatever the machine has
        before = blas_threads()
        gate = Gate()
        first = race(["random", gate], seeds=1, background=True)
        assert gate.reached.wait(60)
        race(["random"], seeds=1, budget=10)  # begins and ends within the other
        gate.go.set()
        first.result(60)
        assert blas_threads() == before


def test_an_error_of_a_run_comes_out() -> None:
    labels = [*DIGITS[:-1], "5"]
    with pytest.raises(LabelValueError, match="'5'"):
        compare(IMAGES, ["random"], labels, task=["3", "8", "9"], seeds=1, budget=20)
    failed = compare(
        IMAGES, ["random"], labels, task=["3", "8", "9"], seeds=3, budget=20, background=True
    )
    with pytest.raises(LabelValueError, match="'5'"):
        failed.result(60)
    assert failed.phase == "failed" and "LabelValueError" in failed._repr_html_()


class Untrainable(ClassifierMixin, BaseEstimator):
    """Fails from some number of labels on, or below it."""

    def __init__(self, least: int = 0, most: int = 1000) -> None:
        self.least, self.most = least, most

    def fit(self, X: Any, y: Any) -> Any:
        if not self.least <= len(y) <= self.most:
            raise RuntimeError(f"not with {len(y)} labels")
        self.inner_ = GaussianNB().fit(X, y)
        self.classes_ = self.inner_.classes_
        return self

    def predict_proba(self, X: Any) -> Any:
        return self.inner_.predict_proba(X)


class Longest:
    name = "longest"
    requires: frozenset[str] = frozenset()

    def __init__(self, items: Any = ()) -> None:
        self.sizes = [len(str(item)) for item in items]

    def utilities(self, context: Any) -> Any:
        return np.array(self.sizes or [0] * (context.candidates.max() + 1))[context.candidates]

    def reason(self, utility: float) -> str:
        return "long"


class Unranked(Longest):
    def utilities(self, context: Any) -> Any:
        if len(context.labeled) >= 20:
            raise RuntimeError("no rank")
        return super().utilities(context)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"model": Untrainable(least=1000)}, "'bad', seed 0: After 30 labels: The model could not"),
        ({"model": Untrainable(most=15)}, "'bad', seed 0: After 20 labels: The model could not be"),
        ({"strategy": Unranked()}, "'bad', seed 0: After 20 labels: The items could not be ranked"),
    ],
    ids=["never", "no longer", "unranked"],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_was_not_learned_is_no_curve(setting: dict[str, Any], said: str) -> None:
    features = IMAGES.reshape(len(IMAGES), -1)
    with pytest.raises(TrainingError, match=said) as caught:
        race({"good": {}, "bad": setting}, features=features, seeds=1, budget=30)
    assert "Traceback" in str(caught.value) and "RuntimeError: no" in str(caught.value)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_model_may_need_some_labels() -> None:
    features = IMAGES.reshape(len(IMAGES), -1)
    made = race({"some": {"model": Untrainable(least=15)}}, features=features, seeds=1, budget=30)
    assert made["n_labels"].tolist() == [10, 20, 30] and made["accuracy"].iat[-1] > 0.7


def test_a_strategy_that_knows_items_by_place_is_made_for_each_run() -> None:
    texts = [f"{WORDS[k % 2]} {'x' * k}" for k in range(60)]
    truth = ["ham", "spam"] * 30
    with pytest.raises(
        OptionError, match=r"Longest\.sizes has an entry .* 60 .*lambda items: Long"
    ):
        compare(texts, {"longest": Longest(texts)}, truth, seeds=2, budget=10)
    made: list[Any] = []

    def longest(items: Any) -> Longest:
        made.append(items)
        return Longest(items)

    compare(texts, {"longest": longest}, truth, seeds=2, budget=10, batch=5)
    with pytest.raises(OptionError, match=r"Longest\.sizes has an entry"):
        compare(texts, {"longest": lambda items: Longest(texts)}, truth, seeds=2, budget=10)
    assert all(len(items) == 42 for items in made) and made[-1] != made[-2]
    held = (["win money", "at lunch"], ["ham", "spam"])  # all may be asked: places are the same
    compare(texts, {"longest": Longest(texts)}, truth, seeds=1, budget=10, test=held)


def test_what_cannot_be_copied_is_shared_but_no_strategy_is() -> None:
    class Locked:
        cache_key = "locked"

        def __init__(self) -> None:
            self.lock = threading.Lock()

        def encode(self, items: Any) -> Any:
            with self.lock:
                return np.array([[float(len(item)), 1.0] for item in items])

    class Busy(Longest):
        def __init__(self) -> None:
            super().__init__()
            self.lock, self.kind = threading.Lock(), np.float32

    texts = [f"{WORDS[k % 2]} {k}" for k in range(60)]
    truth = ["ham", "spam"] * 30
    settings = {"seeds": 2, "budget": 10, "features": Locked()}
    with pytest.raises(OptionError, match=r"Busy that cannot be copied .*lock.*lambda items: Busy"):
        compare(texts, {"busy": Busy()}, truth, **settings)
    assert len(compare(texts, {"busy": lambda items: Busy()}, truth, **settings)) == 2


def test_it_shows_itself_and_goes_on_showing(held: Race, monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.core import display_functions
    from IPython.display import DisplayHandle

    pages: list[str] = []

    class Handle(DisplayHandle):
        def display(self, obj: Any, **options: Any) -> None:
            pages.append(obj._repr_html_())

        def update(self, obj: Any, **options: Any) -> None:
            pages.append(obj._repr_html_())

    def display(obj: Any, display_id: Any) -> Handle:
        assert display_id
        handle = Handle()
        handle.display(obj)
        return handle

    monkeypatch.setattr("IPython.display.display", display)
    assert display_functions is not None and held.gate.reached.wait(60)
    held._ipython_display_()
    assert '<progress value="3" max="12"' in pages[0] and "1 of 4 runs" in pages[0]
    assert "data:image/png;base64," in pages[0]
    held.gate.go.set()
    held.result(60)
    assert '<progress value="12" max="12"' in pages[-1] and "done: 4 of 4 runs" in pages[-1]
    assert len(pages) > 9


# ---------------------------------------------------------------- curves


def test_the_intervals_are_students(curve: LearningCurve) -> None:
    table = curve.summary()
    assert len(table) == 6 and (table["n_seeds"] == 2).all()
    row = table.query("strategy == 'random' and n_labels == 20").iloc[0]
    values = curve.query("strategy == 'random' and n_labels == 20")["accuracy"]
    low, high = stats.t.interval(0.95, 1, values.mean(), stats.sem(values))
    assert row["accuracy"] == pytest.approx(values.mean())
    assert row["accuracy_low"] == pytest.approx(max(low, 0))
    assert row["accuracy_high"] == pytest.approx(min(high, 1))
    narrower = curve.summary(level=0.5)
    assert (narrower["accuracy_high"] <= table["accuracy_high"]).all()
    with pytest.raises(OptionError, match="between 0 and 1"):
        curve.summary(level=95)


def test_one_seed_has_no_interval(curve: LearningCurve) -> None:
    table = curve[curve["seed"] == 0].summary()
    assert (table["n_seeds"] == 1).all() and table["accuracy_low"].isna().all()


def test_pandas_goes_on_working(curve: LearningCurve) -> None:
    assert type(curve[curve["n_labels"] > 10]) is LearningCurve
    assert type(curve.assign(x=1)) is type(pd.concat([curve, curve])) is LearningCurve
    assert type(curve.copy()) is type(curve.sort_values("accuracy")) is LearningCurve
    assert type(curve[["accuracy", "seed"]]) is pd.DataFrame
    assert type(curve.groupby("strategy")[["accuracy"]].mean()) is pd.DataFrame
    wide = curve.pivot_table(index="n_labels", columns="strategy", values="accuracy")
    assert type(wide) is pd.DataFrame and wide.shape == (3, 2)
    assert type(curve["accuracy"]) is pd.Series
    assert isinstance(pd.DataFrame(curve), pd.DataFrame)


def test_the_area_puts_the_best_first(curve: LearningCurve) -> None:
    area = curve.area()
    assert sorted(area.index) == ["margin", "random"]
    assert area["macro_f1"].is_monotonic_decreasing
    heights = curve.groupby(["strategy", "n_labels"])["accuracy"].mean().unstack()
    expected = (heights[10] / 2 + heights[20] + heights[30] / 2) / 2
    assert area["accuracy"].to_dict() == pytest.approx(expected.to_dict())


def line(name: str, seed: int, at: Any) -> list[dict[str, Any]]:
    """A curve that is as high as it has labels, in hundreds."""
    return [
        {"strategy": name, "seed": seed, "n_labels": n, "accuracy": n / 100, "macro_f1": n / 100}
        for n in at
    ]


def test_the_area_does_not_depend_on_the_batch_nor_on_what_was_cancelled() -> None:
    made = LearningCurve(line("a", 0, range(10, 101, 10)) + line("b", 0, range(5, 101, 5)))
    assert made.area()["accuracy"].to_dict() == pytest.approx({"a": 0.55, "b": 0.55})
    more = LearningCurve(pd.concat([made, LearningCurve(line("a", 1, [10, 20]))]))
    pd.testing.assert_frame_equal(more.area(), made.area())
    ended = LearningCurve(line("a", 0, [10, 20, 30]) + line("b", 0, [10, 20]))
    assert ended.area()["accuracy"].to_dict() == pytest.approx({"a": 0.15, "b": 0.15})
    turned = made.sort_values("n_labels", ascending=False)
    assert turned.area()["accuracy"].to_dict() == pytest.approx({"a": 0.55, "b": 0.55})
    apart = LearningCurve(line("a", 0, [10]) + line("b", 0, [20, 30]))
    assert apart.area()["accuracy"].isna().all()
    one = LearningCurve(line("a", 0, [10]))
    assert one.area()["accuracy"].to_dict() == {"a": 0.1} and one.iloc[:0].area().empty


def test_plots_name_the_lines_at_their_ends(curve: LearningCurve) -> None:
    import matplotlib

    matplotlib.use("agg", force=True)
    from matplotlib import pyplot

    ax = curve.plot()
    assert {text.get_text() for text in ax.texts} == {"margin", "random"}
    assert "2 seeds" in ax.get_title(loc="left") and ax.get_legend() is None
    assert len(ax.lines) == 2 and len(ax.collections) == 2
    by_name = {t.get_text(): t.get_color() for t in ax.texts}
    assert by_name["random"] == GRAY != by_name["margin"]
    again = curve[curve["seed"] == 1].plot("accuracy", ax=pyplot.subplots()[1])
    assert again.get_title(loc="left") == "Accuracy" and not again.collections
    pyplot.close("all")


def test_a_simulation_draws_itself_too() -> None:
    session = nl.Session(IMAGES, ["3", "8", "9"], store=None, inline=True)
    made = nl.simulate(session, DIGITS, 20)
    assert type(made) is LearningCurve
    chart = made.plot(library="altair").to_dict()
    assert [layer["mark"]["type"] for layer in chart["layer"]] == ["area", "line", "text"]


def test_plots_that_cannot_be(curve: LearningCurve, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OptionError, match=r"no score 'f1'\. There are: 'macro_f1', 'accuracy'"):
        curve.plot("f1")
    with pytest.raises(OptionError, match="library= is 'matplotlib' or 'altair'"):
        curve.plot(library="bokeh")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="install matplotlib"):
        curve.plot()


def test_a_race_shows_itself_without_matplotlib(
    curve: LearningCurve, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    page = race(["random"], seeds=1, budget=10, background=True)
    page.result(60)
    assert "<progress" in page._repr_html_() and "<img" not in page._repr_html_()


@pytest.mark.parametrize(
    "heights", [[], [0.5], [0.5, 0.5, 0.5], [0.1, 0.9, 0.12, 0.11], [0.0, 0.04, 0.09, 0.12]]
)
def test_names_keep_apart_and_in_order(heights: list[float]) -> None:
    placed = _apart(heights, 0.05)
    order = np.argsort(heights, kind="stable")
    assert (np.diff(np.array(placed)[order]) > 0.05 - 1e-9).all()
    if len(heights) == 1:
        assert placed == heights


def test_features_in_a_table_are_features():
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(60, 3)), columns=list("abc"))
    truth = (features["a"] > 0).tolist()
    table, matrix = (
        compare(list(range(60)), ["random"], truth, features=given, budget=20, seeds=1)
        for given in (features, features.to_numpy())
    )
    assert pd.DataFrame(table).equals(pd.DataFrame(matrix))
    assert len(table) > 1


def test_seeds_that_say_the_same_are_no_certainty() -> None:
    rows = [(10, seed, 0, 0.5, 0.25) for seed in range(5)]
    made = pd.DataFrame(rows, columns=["n_labels", "seed", "found", "accuracy", "macro_f1"])
    table = LearningCurve(made.assign(strategy="random", doing="random")).summary().iloc[0]
    assert (table["found"], table["found_low"]) == (0, 0) and 0.5 < table["found_high"] < 1
    assert table["accuracy"] == 0.5
    assert np.isnan([table["accuracy_low"], table["macro_f1_high"]]).all()
    one = LearningCurve(made[:1].assign(strategy="random", doing="random")).summary().iloc[0]
    assert np.isnan([one["found_low"], one["found_high"]]).all()
    apart = made.assign(found=[0, 20, 40, 60, 80], strategy="random", doing="random")
    wide = LearningCurve(apart).summary().iloc[0]  # no narrower than Student's t
    half = stats.t.ppf(0.975, 4) * np.std(apart["found"], ddof=1) / np.sqrt(5)
    assert wide["found_high"] == pytest.approx(min(40 + half, 10))


@given(st.lists(st.integers(0, 5), min_size=2, max_size=60), st.integers(0, 99))
def test_any_share_that_is_held_out_has_its_share_of_each_class(known: Any, seed: int) -> None:
    order = _by_turns(known, np.random.default_rng(seed))
    assert sorted(order) == list(range(len(known)))
    for n_held in range(len(known) + 1):
        for label in set(known):
            size = known.count(label)
            held = sum(known[place] == label for place in order[:n_held])
            assert abs(held - size * n_held / len(known)) < 1 + len(set(known))
        if 4 * n_held >= len(known):
            often = {label for label in known if known.count(label) >= 12}
            assert often <= {known[place] for place in order[:n_held]}


def test_which_items_are_held_out_is_chance() -> None:
    known = np.array(["a"] * 8 + ["b"] * 2)
    held = np.zeros(10)
    for seed in range(400):
        held[_by_turns(known, np.random.default_rng(seed))[:5]] += 1
    assert (held > 150).all() and (held < 250).all()
