"""Blocks beside each other: the same as one matrix, without making it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from nblabel.suggest.heads import LeastSquaresMultiLabel, LeastSquaresRating
from nblabel.suggest.matrices import Beside, as_matrix, mean_row, products, pull, squares
from nblabel.suggest.strengths import BradleyTerry


def toarray(rows):
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)


def blocks(n, kinds, seed, scale=0.5):
    """Rows as blocks, and as the matrix that they are."""
    rng = np.random.default_rng(seed)
    parts = [
        sparse.random(n, 9, 0.3, "csr", np.float32, rng)
        if kind == "sparse"
        else rng.normal(size=(n, 4)).astype(np.float32)
        for kind in kinds
    ]
    return Beside(parts, scale), np.hstack([toarray(part) for part in parts]) * np.float32(scale)


KINDS = st.lists(st.sampled_from(["sparse", "dense"]), min_size=1, max_size=4)


@given(n=st.integers(1, 12), m=st.integers(1, 8), kinds=KINDS, seed=st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_blocks_are_their_matrix(n, m, kinds, seed):
    rows, whole = blocks(n, kinds, seed)
    others, their_whole = blocks(m, kinds, seed + 1, scale=2.0)
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(whole.shape[1], 3))

    def same(made, expected):
        assert made == pytest.approx(expected, abs=1e-5)

    assert rows.shape == whole.shape
    assert sparse.issparse(rows.joined()) == ("sparse" in kinds)
    assert rows.joined().dtype == np.float32
    same(toarray(rows.joined()), whole)
    same(toarray(as_matrix(rows)), whole)
    for places in (slice(1, n), rng.integers(0, n, 5), rng.random(n) < 0.5):
        same(toarray(rows[places].joined()), whole[places])
        same(toarray((rows[places] - rows[places]).joined()), 0 * whole[places])
    same(rows @ weights, whole @ weights)
    same(rows @ weights[:, 0], whole @ weights[:, 0])
    dual = rng.normal(size=(n, 2))
    same(pull(rows, dual), whole.T @ dual)
    same(pull(rows, dual[:, 0]), whole.T @ dual[:, 0])
    same(squares(rows), np.square(whole).sum(axis=1))
    same(mean_row(rows), whole.mean(axis=0))
    expected = whole @ their_whole.T
    same(products(rows, others), expected)
    for one in (others.joined(), sparse.csr_matrix(their_whole), their_whole):
        same(products(rows, one), expected)
        same(products(one, rows), expected.T)


@pytest.mark.parametrize("estimator", [LeastSquaresRating((1, 2, 3)), LeastSquaresMultiLabel()])
@pytest.mark.parametrize("kinds", [["dense", "dense"], ["sparse", "dense"]])
def test_models_learn_the_same_from_blocks(estimator, kinds):
    rows, whole = blocks(60, kinds, 0)
    y = np.random.default_rng(0).integers(1, 4, 60)
    y = y if isinstance(estimator, LeastSquaresRating) else np.column_stack([y > 1, y > 2])
    said = estimator.fit(rows[:40], y[:40]).predict_proba(rows)
    assert estimator.predict_proba(rows.joined()) == pytest.approx(said, abs=1e-5)
    assert estimator.fit(whole[:40], y[:40]).predict_proba(whole) == pytest.approx(said, abs=1e-4)


def test_preferences_are_learned_the_same_from_blocks():
    rows, whole = blocks(30, ["sparse", "dense"], 0)
    rng = np.random.default_rng(0)
    first, second = rng.permuted(np.tile(np.arange(30), (40, 1)), axis=1)[:, :2].T
    wins = (whole[first, -1] > whole[second, -1]).astype(float)
    own = sparse.csr_matrix(np.eye(30)[first] - np.eye(30)[second])
    models = [
        BradleyTerry().fit(some[first] - some[second], wins, own)
        for some in (rows, sparse.csr_matrix(whole))
    ]
    for made, expected in zip(models[0].posterior(rows), models[1].posterior(whole), strict=True):
        assert made == pytest.approx(expected, abs=1e-3)
