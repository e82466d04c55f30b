"""One thread for small trainings: given back afterwards, and lifted for what the user computes."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from nblabel import _learning
from nblabel._learning import Order, learn
from nblabel._threads import OneThread, _set
from nblabel.strategies import Random
from nblabel.suggest import ModelSuggester, MultiViewSuggester, Snapshot, default_suggester


def threads(api: str = "blas") -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == api}


@pytest.fixture(autouse=True)
def three() -> Any:
    """Whatever the machine has, so many are asked for."""
    before = {one["filepath"]: one["num_threads"] for one in threadpool_info()}
    _set(ThreadpoolController(), dict.fromkeys(before, 3))
    if threads() != {3}:
        pytest.skip("this BLAS has one thread only")
    yield
    assert threads() == {3}
    _set(ThreadpoolController(), before)


def test_what_others_left_behind_is_mended() -> None:
    one = OneThread()
    with one:
        cell = threadpool_limits(limits=1, user_api="blas")  # notes 1 as what was before
        _set(ThreadpoolController(), {})
    assert threads() == {3}
    cell.restore_original_limits()
    assert threads() == {1}
    with one:
        pass
    assert threads() == {3}


def test_the_last_to_leave_gives_back() -> None:
    one = OneThread()
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one:
            inside.set()
            assert leave.wait(60)

    for first_to_leave in ("here", "there"):
        thread = threading.Thread(target=other)
        with one:
            thread.start()
            assert inside.wait(60) and threads() == {1}
            with one:
                assert threads() == {1}
            assert threads() == {1}
            if first_to_leave == "there":
                leave.set()
                thread.join(60)
                assert threads() == {1}
        if first_to_leave == "here":
            assert threads() == {1}  # the other is still inside
            leave.set()
            thread.join(60)
        assert threads() == {3}
        inside.clear()
        leave.clear()


def test_it_is_lifted_and_comes_back() -> None:
    one = OneThread()
    with one, one:
        with one.lifted():
            assert threads() == {3}
        assert threads() == {1}
        with one.lifted(False):
            assert threads() == {1}
        with pytest.raises(ValueError), one.lifted():
            raise ValueError
        assert threads() == {1}
    with one.lifted(), one.when(False):
        assert threads() == {3}


X = np.random.default_rng(0).random((60, 4)).astype(np.float32)
SEEN: list[set[int]] = []


class Sees(TransformerMixin, BaseEstimator):
    def fit(self, rows: Any, y: Any = None) -> Sees:
        return self

    def transform(self, rows: Any) -> Any:
        SEEN.append(threads())
        return np.asarray(rows)


class SeesOwn(ClassifierMixin, BaseEstimator):
    def fit(self, rows: Any, y: Any) -> SeesOwn:
        SEEN.append(threads())
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, rows: Any) -> Any:
        return np.full((len(rows), 2), 0.5)


def order(n_labels: int = 6) -> Order:
    targets = np.array(["a", "b"] * (n_labels // 2))
    snapshot = Snapshot(np.arange(n_labels), targets, 1)
    return Order(snapshot, tuple(targets), np.arange(n_labels, 60), 5)


def test_trainings_of_few_labels_keep_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    SEEN.clear()

    class Seeing(Random):
        def utilities(self, context: Any) -> Any:
            SEEN.append(threads())
            return super().utilities(context)

    suggester = default_suggester(None, None, features=X, n_items=60)
    assert isinstance(suggester, MultiViewSuggester)
    learn(suggester, Seeing(), order())
    learn(ModelSuggester(None, None, features=X, n_items=60), Seeing(), order())
    assert [{1}, {1}] == SEEN
    monkeypatch.setattr(_learning, "MOST_LABELS", 5)
    learn(suggester, Seeing(), order())
    monkeypatch.setattr(_learning, "MOST_LABELS", 6)
    learn(suggester, Seeing(), order())
    monkeypatch.setattr(_learning, "MOST_ITEMS", 59)
    learn(suggester, Seeing(), order())
    assert SEEN[2:] == [{3}, {1}, {3}]


def test_what_is_not_ours_has_all() -> None:
    SEEN.clear()
    items = [str(k) for k in range(60)]

    def feature(texts: list[str]) -> Any:
        SEEN.append(threads())
        return X[: len(texts)]

    for suggester in (
        default_suggester(items, "text", features=feature, n_items=60),
        ModelSuggester(None, None, features=X, estimator=SeesOwn(), n_items=60),
        ModelSuggester(X, "row", features=Sees(), n_items=60),
        ModelSuggester(X, "row", estimator=make_pipeline(Sees(), LogisticRegression())),
    ):
        count = len(SEEN)
        learn(suggester, Random(), order())
        assert set(map(tuple, SEEN[count:])) == {(3,)}
    light = make_pipeline(StandardScaler(), LogisticRegression())
    assert ModelSuggester(X, "row", estimator=light).is_light
