"""A committee of any model: bagging, on a sample of a large pool."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from nblabel import _learning
from nblabel._learning import Order, learn
from nblabel.errors import OptionError
from nblabel.session import Session
from nblabel.strategies import Committee
from nblabel.suggest import ModelSuggester, Snapshot
from nblabel.suggest.committee import MEMBERS, Bootstrap
from nblabel.tasks import MultiLabel, Pairs, Rating

KINDS = ("eggs", "ham", "spam")
rng = np.random.default_rng(0)
TRUTH = np.array(KINDS * 100)
TEXTS = [" ".join(rng.choice([f"{label[0]}{k}" for k in range(9)], 5)) for label in TRUTH]
LABELED = np.arange(30)


def fitted(**options: Any) -> Any:
    suggester = ModelSuggester(TEXTS, "text", **options)
    return suggester.fit(Snapshot(LABELED, TRUTH[LABELED], 1))


@pytest.mark.parametrize(
    "estimator",
    [
        None,
        MultinomialNB(),
        LinearSVC(),
        DecisionTreeClassifier(random_state=0),
        make_pipeline(CountVectorizer(), LogisticRegression()),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_any_model_has_a_committee(estimator: Any) -> None:
    model = fitted(estimator=estimator)
    places = np.arange(299, 30, -7)
    votes = model.committee(places)
    assert votes.shape == (MEMBERS, len(places), 3) and votes.dtype == np.float32
    assert votes.sum(axis=2) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(votes, model.committee(places))  # the same under the same seed
    assert len({member.tobytes() for member in votes}) > 1
    assert np.array_equal(votes[:, :5], model.committee(places[:5]))
    right = votes.mean(axis=0).argmax(axis=1) == [KINDS.index(TRUTH[k]) for k in places]
    assert right.mean() > 0.8
    again = fitted(estimator=estimator)
    assert np.array_equal(again.predict().proba, model.predict().proba)


def test_members_learn_from_other_labels_and_know_all_classes() -> None:
    targets = np.array(["a"] * 40 + ["b"])
    draws = Bootstrap(np.arange(41), targets, 0).draws()
    assert len(draws) == MEMBERS and len({draw.tobytes() for draw in draws}) == MEMBERS
    for draw in draws:
        assert set(targets[draw]) == {"a", "b"}
        assert 41 <= len(draw) <= 42 and len(set(draw.tolist())) < 41
    assert any(len(draw) == 42 for draw in draws)  # where the one "b" had to be added


def test_it_asks_where_the_members_disagree() -> None:
    # Noisy labels on both sides of 0; far away all members are sure of the same.
    places = np.concatenate([np.tile([-1.0, -0.3, 0.3, 1.0], 5), np.tile([-9.0, 0.1, 9.0], 10)])
    known = np.where(places[:20] + rng.normal(scale=0.5, size=20) > 0, "up", "down")
    suggester = ModelSuggester(
        None, None, features=places[:, None], estimator=LogisticRegression(), n_items=50
    )
    snapshot = Snapshot(np.arange(20), known, 1)
    order = Order(snapshot, tuple(known), np.arange(20, 50), 5)
    result = learn(suggester, Committee(), order)
    assert result.doing == "committee" and len(result.ranking) == 30
    assert [places[draw.position] for draw in result.ranking[:10]] == [0.1] * 10


def test_of_a_large_pool_some_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_learning, "MOST_VOTED", 40)
    asked: list[Any] = []
    predict = Bootstrap.predict

    def look(self: Bootstrap, estimator: Any, matrix: Any, places: Any) -> Any:
        asked.append(places)
        return predict(self, estimator, matrix, places)

    monkeypatch.setattr(Bootstrap, "predict", look)
    suggester = ModelSuggester(TEXTS, "text")
    for version in (1, 2):
        snapshot = Snapshot(LABELED, TRUTH[LABELED], version)
        order = Order(snapshot, tuple(TRUTH[LABELED]), np.arange(30, 300), 5)
        result = learn(suggester, Committee(), order)
        assert {draw.position for draw in result.ranking} == set(asked[-1].tolist())
    assert [len(set(places.tolist())) for places in asked] == [40, 40]
    assert asked[0].min() >= 30 and asked[0].tolist() != asked[1].tolist()


@pytest.mark.parametrize("task", [Rating(1, 5), Pairs(), MultiLabel(["a", "b"])])
def test_only_classes_are_voted_on(task: Any) -> None:
    with pytest.raises(OptionError, match=r"'committee' requires a committee.*has none"):
        Session(TEXTS, task, strategy="committee", store=None)
    with pytest.raises(OptionError, match=r"strategy='find' looks for one label.*leave it out"):
        Session(TEXTS, task, strategy="find", store=None)


@pytest.mark.parametrize("worker", ["inline", "process"])
def test_a_session_asks_by_it(worker: str) -> None:
    session = Session(
        TEXTS, list(KINDS), strategy="committee", model=MultinomialNB(), store=None, worker=worker
    )
    assert session.wait(60) and session.aim == "at random until there is a model"
    for k in LABELED:
        session.record(str(k), TRUTH[k])
    session.retrain(wait=True, timeout=60)
    assert session.last_error is None and session.doing == "committee"
    assert any(asked.shown.strategy == "committee" for asked in session.next(5))
    session.close()
