"""Linear models: the same model and scores as scikit-learn's, on every path."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC

from nblabel.suggest import linear, logistic
from nblabel.suggest.features import Embedding
from nblabel.suggest.linear import fit_linear, score, spread


def data(n_rows=60, n_columns=200, n_classes=3, kind="sparse", dtype=np.float32, seed=0):
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.1)
    labels = np.array([f"c{k % n_classes}" for k in range(n_rows)])
    rows = dense.astype(dtype)
    return (sparse.csr_matrix(rows) if kind == "sparse" else rows), labels


ESTIMATORS = [
    LogisticRegression(C=10, class_weight="balanced", max_iter=300),
    LogisticRegression(C=0.1),
    LogisticRegression(fit_intercept=False),
    LogisticRegression(class_weight={"c0": 3.0}),
    LogisticRegression(solver="newton-cg"),
    LogisticRegression(solver="saga", l1_ratio=1.0, max_iter=50, random_state=0),
    LinearSVC(random_state=0),
    RidgeClassifier(),
    SGDClassifier(random_state=0),
    SGDClassifier(loss="log_loss", random_state=0),
    SGDClassifier(loss="modified_huber", random_state=0),
    Perceptron(random_state=0),
]


def expected(estimator, rows):
    """As `score` says, by scikit-learn's own methods in double precision."""
    if hasattr(estimator, "predict_proba"):
        return estimator.predict_proba(rows)
    decided = estimator.decision_function(rows).astype(np.float64)
    if decided.ndim == 1:
        return np.column_stack([1 / (1 + np.exp(decided)), 1 / (1 + np.exp(-decided))])
    odds = np.exp(decided - decided.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_scores_are_those_of_scikit_learn(estimator, n_classes, kind):
    rows, labels = data(n_classes=n_classes, kind=kind)
    if isinstance(estimator.class_weight, dict) and n_classes == 3:
        labels = np.where(labels == "c2", "c1", labels)
    estimator = estimator.__class__(**estimator.get_params())
    estimator.fit(rows[:40], labels[:40])
    found = score(estimator, rows)
    assert found.classes == tuple(estimator.classes_)
    assert found.probabilistic == hasattr(estimator, "predict_proba")
    assert found.proba.dtype == np.float32 and found.proba.flags.c_contiguous
    assert found.proba == pytest.approx(expected(estimator, rows), abs=2e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("weight", [None, "balanced"])
def test_a_logistic_regression_takes_the_same_steps(n_classes, weight, kind, monkeypatch):
    monkeypatch.setattr(logistic, "_MOST_NEWTON", 0)
    rows, labels = data(n_classes=n_classes, kind=kind, dtype=np.float64)
    labels[:10] = "c0"  # so that the weights differ
    plain = LogisticRegression(C=10, class_weight=weight, max_iter=300).fit(rows[:40], labels[:40])
    quick = LogisticRegression(C=10, class_weight=weight, max_iter=300)
    columns = fit_linear(quick, rows[:40], labels[:40])
    assert (columns is None) == (kind == "dense")
    if columns is not None:
        found = score(quick, rows, columns).proba
        quick = spread(quick, columns, rows.shape[1])
        assert found == pytest.approx(score(quick, rows).proba, abs=1e-5)
    assert list(quick.classes_) == list(plain.classes_)
    assert quick.coef_ == pytest.approx(plain.coef_, abs=1e-5)
    assert quick.intercept_ == pytest.approx(plain.intercept_, abs=1e-5)
    assert list(quick.n_iter_) == list(plain.n_iter_)
    assert quick.n_features_in_ == plain.n_features_in_
    assert quick.predict_proba(rows) == pytest.approx(plain.predict_proba(rows), abs=1e-5)
    assert list(quick.predict(rows)) == list(plain.predict(rows))


@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("C", [1e-3, 10.0, 1e4])
def test_newton_ends_in_the_same_minimum(C, kind, monkeypatch):
    rows, labels = data(n_classes=2, kind=kind, dtype=np.float64)
    rows, labels = rows[:40], np.where(np.arange(40) % 5, "c0", "c1")
    options = {"C": C, "class_weight": "balanced", "tol": 1e-9, "max_iter": 5000}
    plain, quick = LogisticRegression(**options), LogisticRegression(**options)
    plain.fit(rows, labels)
    monkeypatch.setattr(logistic, "_lbfgs", None)  # nothing but Newton's method
    columns = fit_linear(quick, rows, labels)
    assert quick.n_iter_[0] <= plain.n_iter_[0]
    seen = slice(None) if columns is None else columns
    scale = np.abs(plain.coef_).max()
    assert quick.coef_ / scale == pytest.approx(plain.coef_[:, seen] / scale, abs=1e-4)
    assert quick.intercept_ == pytest.approx(plain.intercept_, abs=1e-4 * max(1, scale))


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("most", [1, 300])
@pytest.mark.parametrize(("C", "scale"), [(1e12, 1), (1e300, 1), (1, 1e22), (1, 1e-22)])
def test_where_newton_fails_the_usual_solver_goes_on(C, scale, most):
    rows, labels = data(n_classes=2, kind="dense", dtype=np.float64)
    rows *= scale
    options = {"C": C, "max_iter": most}
    plain, quick = LogisticRegression(**options), LogisticRegression(**options)
    plain.fit(rows[:40], labels[:40])
    fit_linear(quick, rows[:40], labels[:40])
    assert np.isfinite(quick.coef_).all()
    assert list(quick.predict(rows[:40])) == list(plain.predict(rows[:40]))


@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("n_classes", [2, 3, 12])
def test_rows_that_are_alike_span_fewer_dimensions(n_classes, kind):
    rows, labels = data(24, 60, n_classes, kind="dense", dtype=np.float64)
    rows[1], rows[2], rows[5:8], rows[8] = rows[0], 0, rows[4], rows[0] - rows[4]
    options = {"C": 10, "class_weight": "balanced", "tol": 1e-9, "max_iter": 5000}
    plain, quick = LogisticRegression(**options), LogisticRegression(**options)
    plain.fit(rows, labels)
    given = sparse.csr_matrix(rows) if kind == "sparse" else rows
    columns = fit_linear(quick, given, labels)
    found = score(quick, given, columns).proba
    assert found == pytest.approx(plain.predict_proba(rows), abs=1e-5)
    assert quick.coef_ == pytest.approx(
        plain.coef_ if columns is None else plain.coef_[:, columns], abs=1e-4
    )


@pytest.mark.parametrize("kind", ["sparse", "dense"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_rows_of_zeros_tell_nothing_but_how_frequent_the_classes_are(n_classes, kind):
    rows, labels = data(6, 20, n_classes, kind=kind)
    model = LogisticRegression()
    columns = fit_linear(model, rows * 0, labels)
    assert score(model, rows * 0, columns).proba == pytest.approx(1 / n_classes, abs=1e-6)
    assert not model.coef_.any()


@pytest.mark.parametrize("shift", [-500.0, -95.0, 0.0, 95.0, 500.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_softmax_of_any_size_is_right(shift, dtype):
    rows, labels = data(kind="dense", dtype=dtype)
    model = LogisticRegression().fit(rows, labels)
    plain = score(model, rows).proba
    model.intercept_ = model.intercept_ + shift
    assert score(model, rows).proba == pytest.approx(plain, abs=1e-4)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_predictions_that_are_no_numbers_are_refused(n_classes):
    rows, labels = data(kind="dense", n_classes=n_classes)
    model = LogisticRegression().fit(rows, labels)
    rows[3, 0] = np.nan
    with pytest.raises(ValueError, match="LogisticRegression gave predictions that are not finite"):
        score(model, rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_columns_without_a_labeled_row_change_no_linear_model(estimator, n_classes):
    rows, labels = data(n_classes=n_classes, dtype=np.float64)
    if isinstance(estimator.class_weight, dict) and n_classes == 3:
        labels = np.where(labels == "c2", "c1", labels)
    few, targets = rows[:12], labels[:12]
    assert len(np.unique(few.indices)) < rows.shape[1]
    options = estimator.get_params()
    if isinstance(estimator, LogisticRegression):  # to the end: where it stops is chance
        options |= {"tol": 1e-9, "max_iter": 5000}
    plain, quick = (type(estimator)(**options) for _ in range(2))
    plain.fit(few, targets)
    columns = fit_linear(quick, few, targets)
    found = score(quick, rows, columns).proba
    quick = spread(quick, columns, rows.shape[1])
    assert found == pytest.approx(score(quick, rows).proba, abs=1e-5)
    assert quick.coef_.shape == plain.coef_.shape
    tolerance = 0.01 if isinstance(estimator, (RidgeClassifier, LinearSVC)) else 1e-4
    assert quick.coef_ == pytest.approx(plain.coef_, abs=tolerance)
    unseen = np.setdiff1d(np.arange(rows.shape[1]), few.indices)
    assert not quick.coef_[..., unseen].any()
    assert score(quick, rows).proba == pytest.approx(score(plain, rows).proba, abs=tolerance)


@pytest.mark.parametrize("block", [1 << 18, 200])
def test_with_many_classes_they_are_not_multiplied(monkeypatch, block):
    n_classes = linear._MANY
    rows, labels = data(n_rows=4 * n_classes, n_classes=n_classes)
    empty = sparse.csr_matrix((3, rows.shape[1]), dtype=np.float32)
    rows = sparse.vstack([empty, rows, empty], format="csr")
    model = LogisticRegression()
    columns = fit_linear(model, rows[3 : n_classes + 3], labels[:n_classes])
    assert 0 < len(columns) < rows.shape[1]
    monkeypatch.setattr(linear, "_BLOCK", block)
    left_out = score(model, rows, columns).proba
    monkeypatch.setattr(linear, "_MANY", n_classes + 1)
    assert (left_out == score(model, rows, columns).proba).all()
    plain = spread(model, columns, rows.shape[1]).predict_proba(rows)
    assert left_out == pytest.approx(plain, abs=1e-5)


class Mine(LogisticRegression):
    def predict_proba(self, X):
        return np.full((X.shape[0], 2), 0.5)


def test_what_is_derived_of_a_linear_model_is_asked_itself():
    rows, labels = data(n_classes=2)
    mine = Mine()
    fit_linear(mine, rows, labels)
    assert (score(mine, rows).proba == 0.5).all()


def test_a_sparse_model_and_other_matrices_are_asked_themselves():
    rows, labels = data()
    model = LogisticRegression().fit(rows, labels)
    plain = model.predict_proba(rows)
    assert score(model, rows.tocsc()).proba == pytest.approx(plain, abs=2e-6)
    assert score(model.sparsify(), rows).proba == pytest.approx(plain, abs=2e-6)


def test_blocks_make_no_difference(monkeypatch):
    for kind in ("sparse", "dense"):
        for n_classes in (2, 3):
            rows, labels = data(kind=kind, n_classes=n_classes)
            model = LogisticRegression().fit(rows, labels)
            whole = score(model, rows).proba
            with monkeypatch.context() as patch:
                patch.setattr(linear, "_BLOCK", 7)
                assert score(model, rows).proba == pytest.approx(whole, abs=1e-6)


def test_a_fit_on_what_is_no_number_is_refused_by_scikit_learn():
    rows, labels = data(kind="dense", n_classes=2)
    rows[0, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        fit_linear(LogisticRegression(), rows, labels)


def test_no_items_have_no_scores():
    rows, labels = data(n_classes=2)
    model = LogisticRegression().fit(rows, labels)
    assert score(model, rows[:0]).proba.shape == (0, 2)
    assert score(model, rows[:0].toarray()).proba.shape == (0, 2)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.one_of(st.integers(1, 12), st.just(linear._LONG)),
    st.integers(2, 5),
    st.sampled_from([np.float32, np.float64, np.int32]),
    st.sampled_from([np.asarray, np.asfortranarray, sparse.csr_matrix]),
    st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_any_product_is_scored_as_by_scikit_learn(seed, n, d, k, dtype, form, scale):
    rng = np.random.default_rng(seed)
    rows = form((rng.normal(size=(n, d)) * 3).astype(dtype))
    model = LogisticRegression()
    model.classes_ = np.arange(k)
    model.coef_ = rng.normal(size=(1 if k == 2 else k, d)) * scale
    model.intercept_ = rng.normal(size=len(model.coef_)) * scale
    model.n_features_in_ = d
    found = score(model, rows).proba
    assert found == pytest.approx(model.predict_proba(rows), abs=1e-5 * max(1, scale))
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)


# ---------------------------------------------------------------- embeddings


def test_rows_of_an_embedding_are_made_when_asked_for():
    rng = np.random.default_rng(0)
    for features in (
        rng.normal(size=(50, 8)),
        sparse.random(50, 90, density=0.2, format="csr", random_state=0),
        sparse.csr_matrix(np.eye(3, 1)),
    ):
        made = Embedding(features)
        whole = np.asarray(made)
        assert whole.shape == made.shape and len(made) == len(whole)
        places = np.array([2, 0, 2])
        assert made[places] == pytest.approx(whole[places], abs=1e-5)
        lengths = np.linalg.norm(whole, axis=1)
        assert np.minimum(lengths, abs(lengths - 1)) == pytest.approx(0, abs=1e-5)


def test_the_directions_of_a_large_pool_come_from_a_sample(monkeypatch):
    monkeypatch.setattr("nblabel.suggest.features.MOST_DECOMPOSED", 100)
    monkeypatch.setattr("nblabel.suggest.features.SAMPLE_DECOMPOSED", 80)
    rng = np.random.default_rng(0)
    topic = rng.integers(3, size=400)
    words = rng.integers(120, size=(400, 15)) + 120 * topic[:, None]
    pool = sparse.csr_matrix(
        (np.ones(6000, dtype=np.float32), words.ravel(), np.arange(0, 6001, 15)), shape=(400, 5000)
    )
    made = np.asarray(Embedding(pool))
    assert made.shape == (400, 64) and np.isfinite(made).all()
    near = (made @ made.T - 2 * np.eye(400)).argmax(axis=1)
    assert (topic[near] == topic).mean() > 0.95
    assert np.array_equal(made, np.asarray(Embedding(pool)))


@pytest.mark.parametrize(
    "wrong", [{"C": -1}, {"C": 0.0}, {"C": "1"}, {"tol": -1}, {"max_iter": -5}]
)
def test_what_scikit_learn_does_not_allow_it_says_itself(wrong):
    rows, labels = data(n_classes=2, kind="dense")
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
        fit_linear(LogisticRegression(**wrong), rows, labels)


def test_a_weak_penalty_is_followed_to_its_minimum():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(250, 400))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.where(np.arange(250) % 20, "c0", "c1")
    options = {"C": 1e4, "class_weight": "balanced", "max_iter": 10_000}
    quick = LogisticRegression(**options)
    fit_linear(quick, rows, labels)
    best = LogisticRegression(**options, solver="newton-cholesky", tol=1e-12).fit(rows, labels)
    assert quick.predict_proba(rows) == pytest.approx(best.predict_proba(rows), abs=0.01)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize(
    ("estimator", "differs"),
    [
        (OneVsOneClassifier(GaussianNB()), (2,)),  # votes of two are divided at a half
        (SVC(random_state=0), (4,)),  # votes of many tie
        (OneVsRestClassifier(LinearSVC()), ()),
    ],
)
def test_what_is_predicted_is_on_top(estimator, differs, n_classes):
    rng = np.random.default_rng(n_classes)
    rows = rng.normal(size=(2000, 5))
    names = np.array(list("abcd"))[(np.abs(3 * rows[:, 0]).astype(int)) % n_classes]
    fitted = clone(estimator).fit(rows[:300], names[:300])
    guessed = fitted.predict(rows)
    found = score(fitted, rows)
    assert (np.asarray(found.classes)[found.proba.argmax(axis=1)] == guessed).all()
    decided = fitted.decision_function(rows)
    best = decided.argmax(axis=1) if n_classes > 2 else (decided > 0).astype(int)
    assert (fitted.classes_[best] != guessed).any() == (n_classes in differs)


def test_two_classes_are_as_sure_as_they_are_far_from_where_they_divide():
    names = np.array(["a", "b"] * 500)
    rows = np.random.default_rng(0).normal(size=(1000, 2)) + (names == "b")[:, None]
    fitted = OneVsOneClassifier(GaussianNB()).fit(rows, names)
    margin = np.abs(score(fitted, rows).proba[:, 1] - 0.5)
    unsure = np.abs(fitted.estimators_[0].predict_proba(rows)[:, 1] - 0.5)
    for name in "ab":
        side = fitted.predict(rows) == name
        assert spearmanr(margin[side], unsure[side]).statistic > 0.99
