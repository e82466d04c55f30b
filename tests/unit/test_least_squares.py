"""Least squares: against the same thing done the slow way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge

from nblabel.suggest import least_squares
from nblabel.suggest.least_squares import (
    BIAS,
    LeastSquaresClassifier,
    calibrate,
    calibration_of,
    pooled,
    solve,
)
from nblabel.suggest.matrices import products
from nblabel.tables import Calibration


def rows(n=40, d=6, k=3, seed=0):
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
    points = np.eye(k, d)[codes] + rng.normal(scale=0.4, size=(n, d))
    return points / np.linalg.norm(points, axis=1, keepdims=True), codes


@given(n=st.integers(6, 30), k=st.integers(2, 4), balanced=st.booleans(), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=30)
def test_leaving_one_out_is_what_leaving_one_out_gives(n, k, balanced, seed):
    points, codes = rows(n, 5, k, seed)
    kernel = points @ points.T
    weights = n / (k * np.bincount(codes)[codes]) if balanced else np.ones(n)
    signs = np.where(codes[:, None] == np.arange(k), 1.0, -1.0)
    left_out = np.empty((n, k))
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        system = kernel[np.ix_(rest, rest)] + BIAS + np.diag(0.3 / weights[rest])
        left_out[i] = (kernel[i, rest] + BIAS) @ np.linalg.solve(system, signs[rest])
    assert solve(kernel, codes, balanced=balanced).left_out == pytest.approx(left_out, abs=1e-6)


def log_loss(scores, codes):
    """Against targets that leave room for an error."""
    n, k = scores.shape
    target = np.full((n, k), 0.5 / (n + 1) / (k - 1))
    target[np.arange(n), codes] = (n + 0.5) / (n + 1)
    return -(target * log_softmax(scores, axis=1)).sum(axis=1).mean()


@given(n=st.integers(8, 40), n_members=st.integers(1, 4), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=30)
def test_a_pool_loses_no_more_than_its_members_on_average(n, n_members, seed):
    codes = rows(n, seed=seed)[1]
    members = []
    for number in range(n_members):  # each sees its own noise
        points, _ = rows(n, 3 + number, seed=seed)
        members.append(solve(points @ points.T, codes))
    shares, opinion = pooled(members)
    together = sum(share * member.left_out for share, member in zip(shares, members, strict=True))
    alone = [log_loss(member.temperature * member.left_out, codes) for member in members]
    assert log_loss(opinion.temperature * together, codes) <= np.mean(alone) + 1e-9


def test_a_pool_of_one_is_the_one():
    points, codes = rows()
    one = solve(points @ points.T, codes)
    shares, opinion = pooled([one, one])
    assert shares.sum() * opinion.temperature == pytest.approx(one.temperature)


def test_the_weights_are_those_of_ridge_regression():
    points, codes = rows()
    made = LeastSquaresClassifier(alpha=0.3, class_weight=None).fit(points, codes)
    constant = np.full((len(points), 1), np.sqrt(BIAS))
    ridge = Ridge(alpha=0.3, fit_intercept=False)
    ridge.fit(np.hstack([points, constant]), np.where(codes[:, None] == np.arange(3), 1.0, -1.0))
    assert made.coef_ == pytest.approx(ridge.coef_[:, :-1], abs=1e-5)
    assert made.intercept_ == pytest.approx(ridge.coef_[:, -1] * np.sqrt(BIAS), abs=1e-5)


def test_many_labels_are_solved_iteratively(monkeypatch):
    points, codes = rows(200)
    exact = solve(points @ points.T, codes)
    monkeypatch.setattr(least_squares, "MOST_EXACT", 150)
    iterative = solve(points @ points.T, codes)
    assert iterative.dual == pytest.approx(exact.dual, abs=1e-2)
    assert iterative.left_out.shape == (150, 3)


def test_a_rare_class_survives_the_sample_for_calibration(monkeypatch):
    points, codes = rows(200, k=2)
    codes[:] = 0
    codes[7] = 1
    monkeypatch.setattr(least_squares, "MOST_EXACT", 20)
    assert solve(points @ points.T, codes).dual.shape == (200, 2)


@pytest.mark.parametrize(("n", "k"), [(4, 2), (12, 2), (12, 5), (100, 2), (900, 3), (3000, 60)])
def test_labels_that_all_fit_leave_room_for_an_error(n, k):
    codes = np.arange(n) % k
    scores = np.eye(k)[codes]
    sure = softmax(calibrate(scores, codes) * scores, axis=1)[np.arange(n), codes]
    possible = 0.5 / (n + 1)
    assert possible / 2 < 1 - sure[0] < possible * 2  # the temperatures are a grid


def test_a_single_label_proves_little():
    temperature = calibrate(np.array([[3.0, -3.0]]), np.array([0]))
    assert softmax([3 * temperature, -3 * temperature])[0] < 0.85


def test_probabilities_are_calibrated():
    points, codes = rows(600, seed=1)
    model = LeastSquaresClassifier().fit(points[:300], codes[:300])
    proba = model.predict_proba(points[300:])
    assert proba.sum(axis=1) == pytest.approx(np.ones(300), abs=1e-5)
    right = proba.argmax(axis=1) == codes[300:]
    assert abs(proba.max(axis=1).mean() - right.mean()) < 0.06


def told(n=400, share=0.1, apart=1.0, seed=0):
    """Scores of 20,000 new rows of two classes that overlap, and what is right of them."""
    rng = np.random.default_rng(seed)
    codes = (rng.random(n + 20_000) < share).astype(int)
    codes[:2] = 0, 1
    points = np.column_stack([apart * codes, np.ones(len(codes))])
    points = points + rng.normal(scale=[0.7, 0.1], size=points.shape)
    points /= np.sqrt(2)
    solution = solve(points[:n] @ points[:n].T, codes[:n])
    scores = (points[n:] @ points[:n].T + BIAS) @ solution.dual
    return solution, softmax(solution.temperature * scores, axis=1), codes[n:]


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_class_is_said_to_be_right_as_often_as_it_is(seed):
    solution, proba, codes = told(seed=seed)
    suggested = proba.argmax(axis=1) == 1
    right = codes[suggested].mean()
    assert proba[suggested, 1].mean() > right + 0.2, "classes are treated alike"
    said = calibration_of(solution)(proba)
    assert said.sum(axis=1) == pytest.approx(np.ones(len(said)), abs=1e-5)
    assert said[suggested, 1].mean() == pytest.approx(right, abs=0.08)
    assert said[~suggested, 0].mean() == pytest.approx(1 - codes[~suggested].mean(), abs=0.04)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_noise_is_said_by_the_shares_of_the_classes(seed):
    solution, proba, _ = told(share=0.2, apart=0.0, seed=seed)
    said = calibration_of(solution)(proba)
    assert proba[:, 1].mean() > 0.35
    assert said[:, 1].mean() == pytest.approx(0.2, abs=0.05)
    assert said[:, 1].std() < 0.05


@pytest.mark.parametrize("seed", range(3))
def test_labels_asked_where_the_model_is_unsure_calibrate_it_as_well(seed):
    """An item was chosen by what it is, not by its label."""
    rng = np.random.default_rng(seed)
    codes = (rng.random(30_000) < 0.1).astype(int)
    points = np.column_stack([codes, np.ones(len(codes))])
    points = (points + rng.normal(scale=[0.7, 0.1], size=points.shape)) / np.sqrt(2)
    chosen = np.argsort(np.abs(points[:, 0] - 0.6))[:3000:5]  # near the border
    chosen = np.concatenate([chosen, rng.choice(30_000, 100, replace=False)])
    assert codes[chosen].mean() > 0.13
    solution = solve(points[chosen] @ points[chosen].T, codes[chosen])
    scores = (points @ points[chosen].T + BIAS) @ solution.dual
    proba = softmax(solution.temperature * scores, axis=1)
    suggested = proba.argmax(axis=1) == 1
    said = calibration_of(solution)(proba)[suggested, 1].mean()
    right, alike = codes[suggested].mean(), proba[suggested, 1].mean()
    assert abs(said - right) < abs(alike - right) / 2


@given(n=st.integers(4, 40), k=st.integers(2, 5), seed=st.integers(0, 9))
@settings(deadline=None, max_examples=30)
def test_a_calibration_is_the_best_of_its_kind(n, k, seed):
    points, codes = rows(max(n, k), k=k, seed=seed)
    solution = solve(points @ points.T, codes)
    scores, shares = solution.left_out, np.bincount(codes) + 0.5
    made = calibration_of(solution)

    def loss(logs):
        wrong, own = 1 / (2 * len(codes) + 2), logs[np.arange(len(codes)), codes]
        return -((1 - wrong) * own + wrong * (logs.sum(axis=1) - own) / (k - 1)).mean()

    best = loss(log_softmax(made.power * solution.temperature * scores + made.offset, axis=1))
    for temperature in (0.25, 1.0, 2.0, 8.0, 32.0):
        for amount in (0.0, 0.3, 1.0):
            logs = log_softmax(temperature * scores + amount * np.log(shares), axis=1)
            assert best <= loss(logs) + 1e-4


def test_of_many_labels_some_calibrate(monkeypatch):
    points, codes = rows(400, k=3)
    solution = solve(points @ points.T, codes)
    proba = softmax(solution.temperature * solution.left_out, axis=1)
    whole = calibration_of(solution)(proba)
    monkeypatch.setattr(least_squares, "_MOST_CALIBRATED", 150)
    part = calibration_of(solution)(proba)
    assert 0 < np.abs(part - whole).mean() < 0.05


def test_what_is_out_of_the_question_stays_so():
    said = Calibration(2.0, np.log([0.5, 0.25, 0.25]))(np.float32([[0.5, 0.5, 0.0]]))
    assert said[0] == pytest.approx([2 / 3, 1 / 3, 0.0])
    same = Calibration(1.0, np.zeros(3))(np.float32([[0.2, 0.5, 0.3]]))
    assert same[0] == pytest.approx([0.2, 0.5, 0.3])


def test_it_is_a_classifier_of_scikit_learn():
    data, target = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[target]
    scaled = (data - data.mean(axis=0)) / data.std(axis=0) / 2
    model = clone(LeastSquaresClassifier(alpha=0.1)).fit(sparse.csr_matrix(scaled), names)
    assert model.score(scaled, names) > 0.8
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert model.predict(scaled)[0] == "setosa"


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes are needed, got 1"):
        LeastSquaresClassifier().fit(np.eye(3), ["a", "a", "a"])


def test_products_of_sparse_and_dense_rows_agree():
    points, _ = rows()
    assert products(sparse.csr_matrix(points), sparse.csr_matrix(points)) == pytest.approx(
        products(points, points), abs=1e-6
    )
