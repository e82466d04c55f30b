"""A random forest over the columns of a table: steps and combinations, which kernels blur."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.tree import DecisionTreeClassifier

from .least_squares import (
    MOST_EXACT,
    LeastSquaresClassifier,
    Opinion,
    Solution,
    calibrate,
    places_left_out,
    pooled,
)

N_TREES = 100
#: Leaves of single labels would learn their noise by heart.
_LEAST_IN_LEAF = 3
#: Added to probabilities: no leaf is so sure that another class is out of the question.
_DOUBT = 0.02


@dataclass(frozen=True)
class Forest(Opinion):
    """A random forest (Breiman, Machine Learning 2001), and what it says out of bag.

    Attributes
    ----------
    trees : tuple of DecisionTreeClassifier
        Their classes are numbers.
    """

    trees: tuple[DecisionTreeClassifier, ...]

    def scores(self, rows: Any) -> NDArray[np.float32]:
        """Return the logarithm of its probabilities, of shape (n_rows, n_classes)."""
        rows = _ready(rows, "csr")
        said = sum(tree.predict_proba(rows, check_input=False) for tree in self.trees)
        return _scores(said / len(self.trees))

    def predict_proba(self, rows: Any) -> NDArray[np.float32]:
        """Return probabilities of shape (n_rows, n_classes)."""
        return softmax(np.float32(self.temperature) * self.scores(rows), axis=1)


def grow(rows: Any, codes: NDArray[np.intp], seed: int = 0) -> Forest:
    """Grow a forest in which each class counts the same: it is drawn as often as the others.

    A label is left out by the trees that did not draw it. They are grown one by one, since
    scikit-learn's forest swaps the warning filters of the whole process for each of them.

    Parameters
    ----------
    rows : ndarray or CSR matrix of shape (n_labels, n_columns)
    codes : ndarray of shape (n_labels,), int
        Classes 0 to K - 1, each of them at least once.
    seed : int
    """
    n, k = len(codes), int(codes.max()) + 1
    share = 1 / (k * np.bincount(codes)[codes])
    rng = np.random.default_rng(seed)
    asked, columns = _ready(rows, "csr"), _ready(rows, "csc")
    trees, votes = [], np.zeros((n, k))
    for _ in range(N_TREES):
        drawn = np.bincount(rng.choice(n, min(n, MOST_EXACT), p=share), minlength=n)
        tree = DecisionTreeClassifier(
            min_samples_leaf=_LEAST_IN_LEAF,
            max_features="sqrt",
            random_state=int(rng.integers(2**31)),
        ).fit(columns, codes, sample_weight=drawn.astype(np.float64), check_input=False)
        out = np.flatnonzero(drawn == 0)
        if len(out):
            votes[out] += tree.predict_proba(asked[out], check_input=False)
        trees.append(tree)
    heard = votes.sum(axis=1, keepdims=True)  # of few labels one may be in every bag
    said = np.divide(votes, heard, out=np.full_like(votes, 1 / k), where=heard > 0)
    places = places_left_out(n)
    left_out = _scores(said[places])
    return Forest(calibrate(left_out, codes[places]), left_out, codes[places], tuple(trees))


def _ready(rows: Any, sparse_format: str) -> Any:
    """Return the rows as trees take them without a look: they look at each call else."""
    if sparse.issparse(rows):
        made = rows.asformat(sparse_format).astype(np.float32)
        made.sort_indices()
        return made
    return np.ascontiguousarray(rows, dtype=np.float32)


def _scores(proba: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.log(proba + _DOUBT).astype(np.float32)


class PooledForestClassifier(LeastSquaresClassifier):
    """Least squares on all columns and a forest on the first ones: see `pooled`.

    Parameters
    ----------
    n_columns : int
        Columns that the forest sees.
    length : float
        What these are multiplied by before.
    alpha, class_weight
        Of least squares.

    Attributes
    ----------
    forest_ : Forest
    share_ : float
        Of the forest's scores; that of least squares is in its weights.
    """

    def __init__(
        self,
        n_columns: int,
        length: float = 1.0,
        alpha: float = 0.3,
        class_weight: str | None = "balanced",
    ) -> None:
        super().__init__(alpha, class_weight)
        self.n_columns = n_columns
        self.length = length

    def _learn(self, rows: Any, codes: NDArray[np.intp]) -> Solution:
        solution = super()._learn(rows, codes)
        self.forest_ = grow(self._seen(rows), codes)
        (share, self.share_), whole = pooled([solution, self.forest_])
        self.coef_, self.intercept_ = np.float32(share) * self.coef_, share * self.intercept_
        self.temperature_ = whole.temperature
        return solution

    def _decide(self, rows: Any) -> NDArray[np.float32]:
        forest = np.float32(self.share_) * self.forest_.scores(self._seen(rows))
        return super()._decide(rows) + forest

    def _seen(self, rows: Any) -> Any:
        return rows[:, : self.n_columns] * np.float32(self.length)
