"""What is learned where a label is not one class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import ExtraTreeClassifier

import nblabel as nl
from nblabel.errors import OptionError
from nblabel.suggest.heads import LeastSquaresMultiLabel, LeastSquaresRating
from nblabel.suggest.strengths import BradleyTerry
from nblabel.suggest.tokens import Tokens, viterbi
from nblabel.tables import Predictions

WORDS = {
    "sport": ["ball", "goal", "team", "match"],
    "money": ["bank", "stock", "price", "tax"],
    "food": ["bread", "soup", "cake", "rice"],
}
RNG = np.random.default_rng(0)
TAGS = [[name for name in WORDS if RNG.random() < 0.4] for _ in range(200)]
TEXTS = [
    " ".join(RNG.permutation([w for t in tags for w in RNG.choice(WORDS[t], 2)] + ["the", "of"]))
    for tags in TAGS
]
PEOPLE, PLACES = ["Ana Lopez", "Bo Chen", "Cy Smith"], ["Paris", "Rome", "Oslo"]
SENTENCES, SPANS = [], []
for _k in range(120):
    _who, _where = str(RNG.choice(PEOPLE)), str(RNG.choice(PLACES))
    _text = f"{RNG.choice(['today', '😀 then'])} we met {_who} in {_where} again"
    SENTENCES.append(_text)
    SPANS.append(
        [
            {"start": _text.index(one), "end": _text.index(one) + len(one), "label": name}
            for one, name in ((_who, "person"), (_where, "place"))
        ]
    )


def taught(data: Any, task: Any, truth: list[Any], n: int = 40, **options: Any) -> nl.Session:
    session = nl.Session(data, task, store=None, inline=True, blind=0, **options)
    for asked in session.next(n):
        session.record(asked, truth[int(asked.id)])
    session.retrain(wait=True)
    assert session.last_error is None
    return session


def test_several_labels_are_suggested_and_predicted() -> None:
    session = taught(TEXTS, nl.MultiLabel(list(WORDS)), TAGS, 60)
    found = session.predictions
    assert list(found.columns) == ["labels", "probability", "labeled"]
    right = [labels == tags for labels, tags in zip(found["labels"], TAGS, strict=True)]
    assert np.mean(right) > 0.9
    suggestion = session.suggestion("3")
    assert suggestion is not None and suggestion.label == found["labels"].iloc[3]
    assert {name for name, _ in suggestion.ranking} == set(WORDS)
    assert session.predict(["team goal bank tax"])["labels"].iloc[0] == ["sport", "money"]
    assert session.predict_values(["soup"]) == [["food"]]
    proba = session.model.predict_proba(["goal", "rice"])
    assert proba.shape == (2, 3) and (proba[0, 0] > 0.5) and (proba[1, 2] > 0.5)


def test_a_model_of_the_users_for_several_labels() -> None:
    model = OneVsRestClassifier(LogisticRegression(C=30.0))
    session = taught(TEXTS, nl.MultiLabel(list(WORDS)), TAGS, 60, model=model)
    assert session.predict_values(["match ball"]) == [["sport"]]
    assert session.model[-1] is not model  # a clone was fitted


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(20), KNeighborsClassifier(3), ExtraTreeClassifier()], ids=repr
)
def test_one_that_has_an_array_of_each_label(model: Any) -> None:
    session = taught(TEXTS, nl.MultiLabel(list(WORDS)), TAGS, 60, model=model)
    table = session.predict(TEXTS)
    known = session.predictions["labels"].tolist()
    same = [one == other for one, other in zip(table["labels"].tolist(), known, strict=True)]
    assert np.mean(same) > 0.8  # at the edge of a tree rounding decides
    assert session.predict_values(TEXTS[:5]) == table["labels"].tolist()[:5]


def test_one_label_that_may_be_given_or_not() -> None:
    truth = [["sport"] if "sport" in tags else [] for tags in TAGS]
    for model in (RandomForestClassifier(20), KNeighborsClassifier(3), None):
        session = taught(TEXTS, nl.MultiLabel(["sport"]), truth, 60, model=model)
        assert (
            np.mean([a == b for a, b in zip(session.predict_values(TEXTS), truth, strict=True)])
            > 0.8
        )


def test_constraints_hold_for_suggestions() -> None:
    task = nl.MultiLabel(
        ["a", "b", "c"], least=1, most=2, exclusive=[("a", "b")], parents={"c": "b"}
    )
    rows = np.random.default_rng(1).random((200, 3))
    for row in rows:
        value, probability = task.decode(task.classes, row)
        assert task.parse(value) == value and 0 <= probability <= 1


def test_ratings_are_predicted_with_their_spread() -> None:
    truth = [1 + len(tags) for tags in TAGS]
    session = taught(TEXTS, nl.Rating(1, 5), truth, 60)
    found = session.predictions
    agree = [session.task.agree(a, b) for a, b in zip(found["rating"], truth, strict=True)]
    assert np.mean(agree) > 0.9
    two = nl.Rating(0, 1, step=0.5, scales=["x", "y"])
    both = [{"x": min(1, len(tags) / 2), "y": 0.5} for tags in TAGS]
    session = taught(TEXTS, two, both, 60)
    assert list(session.predictions.columns) == ["x", "y", "probability", "labeled"]
    assert session.suggestion("5").label["y"] == 0.5  # type: ignore[union-attr]


def test_spans_are_suggested_where_the_words_are() -> None:
    session = taught(SENTENCES, nl.Spans(["person", "place"]), SPANS, 30)
    found = session.predictions["spans"]
    assert np.mean([session.task.agree(a, b) for a, b in zip(found, SPANS, strict=True)]) > 0.95
    (spans,) = session.predict_values(["😀😀 then we met Bo Chen in Oslo again"])
    assert [(s["start"], s["end"], s["label"]) for s in spans] == [
        (15, 22, "person"),
        (26, 30, "place"),
    ]
    assert session.suggestion("1").ranking == []  # type: ignore[union-attr]


def test_pairs_are_learned_by_the_strength_of_their_words() -> None:
    strength = {"ball": 3, "bank": 2, "soup": 1, "rice": 0}
    rng = np.random.default_rng(2)
    pairs = [tuple(map(str, rng.choice(list(strength), 2, replace=False))) for _ in range(150)]
    truth = ["first" if strength[a] > strength[b] else "second" for a, b in pairs]
    session = taught(pairs, nl.Pairs(), truth, 60)
    assert np.mean(session.predictions["preferred"] == truth) > 0.95
    assert session.predict_values([("ball", "rice"), ("rice", "ball")]) == ["first", "second"]


@pytest.mark.parametrize("kind", ["transformer", "matrix"])
def test_the_model_takes_new_items_through_features_of_the_users_own(kind: str) -> None:
    words = CountVectorizer()
    counts = words.fit_transform(TEXTS).astype(np.float32)
    own = {"transformer": CountVectorizer(), "matrix": counts}[kind]
    new = [" ".join(WORDS["sport"]), " ".join(WORDS["food"])]
    asked = new if kind == "transformer" else words.transform(new).astype(np.float32)
    session = taught(TEXTS, nl.MultiLabel(list(WORDS)), TAGS, 60, features=own)
    assert session.predict_values(asked) == [["sport"], ["food"]]
    assert session.predict(asked)["labels"].tolist() == [["sport"], ["food"]]


def test_what_has_no_light_model_is_asked_at_random() -> None:
    form = nl.Form({"what": nl.FreeText(), "why": nl.FreeText()})
    for task, value in ((nl.FreeText(), "said"), (form, {"what": "a", "why": "so"})):
        session = nl.Session(TEXTS, task, store=None, inline=True)
        session.record(session.next(1)[0], value)
        assert session.status()["training"] == "off" and session.last_error is None
        assert len(session.labels) == 1


def test_each_part_of_a_form_is_learned() -> None:
    form = nl.Form(
        {
            "some": nl.Choice(["yes", "no"]),
            "topics": nl.MultiLabel(list(WORDS)),
            "many": nl.Rating(1, 5),
            "why": nl.FreeText(),
        },
        when={"topics": ("some", "yes")},
    )
    truth = []
    for tags in TAGS:
        value = {"some": "yes" if tags else "no", "many": 1 + len(tags), "why": f"{len(tags)}"}
        truth.append({**value, "topics": tags} if tags else value)
    session = taught(TEXTS, form, truth, 60)
    found = session.predictions
    assert list(found.columns) == ["some", "topics", "many", "why", "probability", "labeled"]
    assert np.mean([a == b["some"] for a, b in zip(found["some"], truth, strict=True)]) > 0.9
    # What is asked only sometimes is suggested only then; the text is left to the person.
    assert ((found["some"] == "yes") == found["topics"].notna()).all()
    assert found["why"].isna().all()
    suggestion = session.suggestion("3")
    assert suggestion is not None and "why" not in suggestion.label
    assert set(session.model.parts) == {"some", "topics", "many"}
    assert session.predict(TEXTS[:2])["many"].tolist() == found["many"].tolist()[:2]
    # Right is what is right in all that was predicted.
    assert form.right({"some": "no", "many": 1}, truth[0] | {"some": "no", "many": 1})
    assert not form.right({"some": "no"}, {"some": "yes", "many": 1, "why": ""})


def test_a_form_says_nothing_before_its_parts_differ() -> None:
    form = nl.Form({"topic": nl.Choice(["a", "b"]), "why": nl.FreeText()})
    truth = [{"topic": "a", "why": f"{k}"} for k in range(len(TEXTS))]
    session = taught(TEXTS, form, truth, 10)
    assert session.suggestion("190") is None
    assert session.predictions["topic"].isna().all()


def test_options_that_such_a_task_cannot_have() -> None:
    with pytest.raises(OptionError, match="model= cannot learn a rating yet: leave it out"):
        nl.Session(TEXTS, nl.Rating(), store=None, model=LinearRegression())
    with pytest.raises(OptionError, match="one label of a Choice or a Binary, got MultiLabel"):
        nl.Session(TEXTS, nl.MultiLabel(list(WORDS)), store=None, goal="find")


def test_a_span_behind_the_text_is_refused() -> None:
    session = nl.Session(["short"], nl.Spans(["a"]), store=None, inline=True)
    with pytest.raises(nl.errors.LabelValueError, match="ends at 9, but the text has 5 characters"):
        session.record("0", [(0, 9, "a")])
    assert len(session.labels) == 0


def test_the_accuracy_counts_what_is_right_as_a_whole() -> None:
    session = nl.Session(
        TEXTS, nl.MultiLabel(list(WORDS)), store=None, inline=True, explore=1.0, blind=0
    )
    for _ in range(8):
        for asked in session.next(10):
            session.record(asked, TAGS[int(asked.id)])
        session.retrain(wait=True)
    share = session.accuracy()
    assert share is not None and 0.5 < share.value <= 1.0 and share.n <= 80
    first = next(e for e in session.history.itertuples() if e.shown_predicted is not None)
    assert isinstance(first.shown_predicted, list)


def test_simulations_score_by_the_task() -> None:
    session = nl.Session(TEXTS[:150], nl.MultiLabel(list(WORDS)), store=None, inline=True)
    curve = nl.simulate(session, TAGS[:150], 40, test=(TEXTS[150:], TAGS[150:]))
    assert list(curve.columns) == ["n_labels", "accuracy", "agreement", "strategy", "doing"]
    assert curve["agreement"].iloc[-1] > curve["agreement"].iloc[0]
    assert (curve["agreement"] >= curve["accuracy"]).all()
    spans = nl.Session(SENTENCES, nl.Spans(["person", "place"]), store=None, inline=True)
    assert nl.simulate(spans, SPANS, 20)["agreement"].iloc[-1] > 0.8


def test_such_sessions_resume(tmp_path: Any) -> None:
    store = tmp_path / "log.sqlite"
    options = {"store": store, "inline": True}
    session = nl.Session(SENTENCES, nl.Spans(["person", "place"]), **options)  # type: ignore[arg-type]
    session.record("7", SPANS[7])
    session.record("9", [])
    session.undo()
    session.close()
    again = nl.Session(SENTENCES, nl.Spans(["person", "place"]), **options)  # type: ignore[arg-type]
    assert again.labels["spans"].tolist() == [SPANS[7]]
    assert again.status()["counts"] == {"person": 1, "place": 1}
    again.close()
    with pytest.raises(nl.errors.StoreMismatchError):
        nl.Session(SENTENCES, nl.Rating(), **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the estimators


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_multilabel_probabilities_are_calibrated_enough(kind: str) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(600, 20)).astype(np.float32)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    weights = rng.normal(size=(20, 4)) * 3
    Y = (rng.random((600, 4)) < 1 / (1 + np.exp(-(X @ weights) - [0, -2, 1, 0]))).astype(int)
    rows = sparse.csr_matrix(X) if kind == "sparse" else X
    model = LeastSquaresMultiLabel().fit(rows[:300], Y[:300])
    proba = model.predict_proba(rows[300:])
    assert proba.shape == (300, 4)
    # Calibrated in the large: what is expected comes.
    assert proba.mean(axis=0) == pytest.approx(Y[300:].mean(axis=0), abs=0.08)
    brier = ((proba - Y[300:]) ** 2).mean()
    assert brier < ((Y[:300].mean(axis=0) - Y[300:]) ** 2).mean()


def test_a_class_that_everybody_or_nobody_has_is_not_certain() -> None:
    X = np.eye(6, dtype=np.float32)
    Y = np.column_stack([np.ones(6), np.zeros(6), [1, 0, 1, 0, 1, 0]])
    proba = LeastSquaresMultiLabel().fit(X, Y).predict_proba(X)
    assert np.isfinite(proba).all()
    assert (proba[:, 0] > 0.5).all() and (proba[:, 1] < 0.5).all()
    assert proba.min() > 0 and proba.max() < 1


def test_ratings_are_surer_near_what_is_known() -> None:
    rng = np.random.default_rng(4)
    X = np.vstack([rng.normal([3, 0], 0.1, (30, 2)), rng.normal([0, 3], 0.1, (5, 2))])
    X = (X / 3).astype(np.float32)
    y = np.where(X[:, 0] > 0.5, 4, 2) + rng.normal(0, 0.3, 35)
    model = LeastSquaresRating([1, 2, 3, 4, 5]).fit(X, y)
    proba = model.predict_proba(np.array([[1, 0], [0, 1], [-1, -1]], dtype=np.float32))
    assert proba.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert proba[0].argmax() == 3 and proba[1].argmax() == 1
    unsure = model.unsure(proba)
    assert unsure[2] > unsure[0] and (unsure >= 0).all() and (unsure <= 1).all()


def test_no_side_of_a_pair_has_an_advantage() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(80, 5)).astype(np.float32)
    y = rng.choice([0.0, 0.5, 1.0], 80)
    proba = BradleyTerry().fit(X, y).predict_proba(np.vstack([X, -X]))
    assert proba[:80, 0] == pytest.approx(proba[80:, 1], abs=1e-6)
    assert proba[:, 2].mean() == pytest.approx((y == 0.5).mean(), abs=0.03)
    strict = BradleyTerry(ties=False).fit(X, np.round(y)).predict_proba(X)
    assert strict.shape == (80, 2) and strict.sum(axis=1) == pytest.approx(np.ones(80), abs=1e-5)


TAG_NAMES = ("O", "B-a", "I-a", "B-b", "I-b")


@given(st.integers(0, 2**32 - 1), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_the_best_legal_tags_are_found(seed: int, n: int) -> None:
    import itertools

    logs = np.random.default_rng(seed).normal(size=(n, 5)).astype(np.float32)

    def legal(path: tuple[int, ...]) -> bool:
        before = "O"
        for code in path:
            tag = TAG_NAMES[code]
            if tag.startswith("I-") and (before == "O" or before[2:] != tag[2:]):
                return False
            before = tag
        return True

    path = viterbi(logs, TAG_NAMES)
    assert legal(tuple(path))
    if n <= 4:
        every = [p for p in itertools.product(range(5), repeat=n) if legal(p)]
        best = max((sum(logs[t, c] for t, c in enumerate(p)) for p in every), default=0.0)
        assert sum(logs[t, c] for t, c in enumerate(path)) == pytest.approx(best, abs=1e-4)


def test_tokens_stand_where_they_are_in_the_text() -> None:
    texts = ["Ünï-code 😀 x_1, 日本", "", "  "]
    tokens = Tokens.of(texts)
    assert tokens.bounds.tolist() == [0, 7, 7, 7]
    cut = [texts[0][s:e] for s, e in zip(tokens.starts, tokens.ends, strict=True)]
    assert cut == ["Ünï", "-", "code", "😀", "x_1", ",", "日本"]
    again = Tokens.of(texts[:1])
    assert (again.features != tokens.features).nnz == 0


def test_strategies_go_by_how_unsure_the_model_is() -> None:
    unsure = np.array([0.1, 0.9, 0.5], dtype=np.float32)
    proba = np.full((3, 4), 0.3, dtype=np.float32)
    seen = Predictions(1, 10, ("a", "b", "c", "d"), proba, True, unsure).sureness
    assert seen.sum(axis=1) == pytest.approx(np.ones(3))
    margin = np.abs(seen[:, 0] - seen[:, 1])
    assert 1 - margin == pytest.approx(unsure)
    assert (-(seen * np.log(seen)).sum(axis=1)).argsort().tolist() == [0, 2, 1]
