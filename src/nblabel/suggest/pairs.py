"""Learning from comparisons: strengths of items, and which pair tells the most about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from ..strategies import Context, pick
from ..strategies.base import BELOW_ONE
from ..tasks.pairs import TIE
from .heads import chunks
from .linear import Scores
from .matrices import products, squares
from .model import Snapshot
from .rows import FeatureRows
from .strengths import BradleyTerry, information

#: A ranking looks at so many pairs, the most informative and some at random, and at their use for
#: so many others; of more items at fewer of these.
_MOST_RANKED, _TARGETS, _ENTRIES = 2000, 300, 10_000_000
#: Of the standard normal distribution: between minus and plus this lie 95 %.
_SIGMAS = 1.96


class PairRows:
    """Dense features of pairs: differences of their items, of length one, made when asked for.

    Parameters
    ----------
    items : ndarray of shape (n_items, n_dimensions), float32
    first, second : ndarray of shape (n_pairs,), int
    """

    def __init__(
        self, items: NDArray[np.float32], first: NDArray[Any], second: NDArray[Any]
    ) -> None:
        self._items = items
        self._first, self._second = first, second
        self.shape = (len(first), items.shape[1])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: Any) -> NDArray[np.float32]:
        rows = self._items[self._first[places]] - self._items[self._second[places]]
        length = np.sqrt(np.square(rows).sum(axis=-1, keepdims=True))
        return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self[np.arange(len(self))].astype(dtype or np.float32, copy=False)


class PairSuggester:
    """Bradley and Terry's model on the features of another suggester.

    Where there are several representations, that one is taken for which there is most evidence.

    Parameters
    ----------
    base : ModelSuggester or MultiViewSuggester
        Makes the features of the items.
    first, second : ndarray of shape (n_pairs,), int
        Which of its items each pair of the pool holds.
    classes : tuple of str
        Of the task; three where there are ties.
    singles : bool
        Whether the pool was made of single items, so that new data are single items too.
    """

    def __init__(
        self,
        base: Any,
        first: NDArray[Any],
        second: NDArray[Any],
        classes: tuple[str, ...],
        singles: bool = False,
    ) -> None:
        self.rows = FeatureRows(base)
        self.first, self.second = first, second
        self.classes = classes
        self.singles = singles
        self._apart: tuple[int, NDArray[np.float32]] | None = None

    @property
    def column(self) -> str | None:
        """Column of the source that holds the features, if one was named."""
        return self.rows.column

    def apart(self, number: int) -> NDArray[np.float32]:
        """Return the squared distances of both items of each pair, of shape (n_pairs,)."""
        if self._apart is None or self._apart[0] != number:
            rows = self.rows.whole(number)
            parts = []
            for part in chunks(len(self.first)):
                apart = rows[self.first[part]] - rows[self.second[part]]
                parts.append(squares(apart).astype(np.float32))
            self._apart = (number, np.concatenate(parts))
        return self._apart[1]

    def embedding(self) -> PairRows:
        """Return dense features of the pairs."""
        return PairRows(np.asarray(self.rows.base.embedding()), self.first, self.second)

    def is_enough(self, values: Sequence[Any]) -> bool:
        """Whether two answers say which is better.

        They need not differ: which item of a pair stands first is chance, or the order of the data.
        """
        return sum(value != TIE for value in values) >= 2

    def fit(self, snapshot: Snapshot) -> FittedPairs:
        """Fit on the labeled pairs."""
        first, second = (side[snapshot.positions] for side in (self.first, self.second))
        n_items, n_labels = len(self.rows), len(first)
        own = sparse.csr_matrix(
            (
                np.tile(np.array([1.0, -1.0], dtype=np.float32), n_labels),
                np.column_stack([first, second]).ravel(),
                2 * np.arange(n_labels + 1),
            ),
            shape=(n_labels, n_items),
        )
        compared = np.concatenate([first, second])

        def make(rows: Any) -> BradleyTerry:
            apart = rows[:n_labels] - rows[n_labels:]
            return BradleyTerry(len(self.classes) > 2).fit(apart, snapshot.targets, own)

        estimator, number = self.rows.fit(compared, make)
        return FittedPairs(self, estimator, number, np.bincount(compared, minlength=n_items))


class FittedPairs:
    """What `PairSuggester` has learned.

    Attributes
    ----------
    strengths : ndarray of shape (n_items, 4), float64
        Of each item its strength, the ends of its 95 % credible interval, and how often it was
        compared. Strengths are logits, with a mean of 0 over the items.
    """

    def __init__(
        self,
        suggester: PairSuggester,
        estimator: BradleyTerry,
        number: int,
        counts: NDArray[np.intp],
    ) -> None:
        self.estimator = estimator
        self.takes_items = suggester.rows.takes_items
        self._suggester = suggester
        self._number = number
        rows = suggester.rows.whole(number)
        assert estimator.own_ is not None, "items were told apart"
        strengths = estimator.strength(rows) + estimator.own_
        estimator.center_ = float(strengths.mean())
        self._mean = strengths - np.float32(estimator.center_)
        self._explained = estimator.explained(rows, items=True)
        self.strengths = self._table(rows, counts)

    @cached_property
    def model(self) -> Any:
        """From pairs to what is preferred; of a pool of single items from these to strengths."""
        steps = self._suggester.rows.steps(self._number)
        if not self._suggester.singles:
            made = FunctionTransformer(differences, accept_sparse=True)
            steps.append(("differences", made.set_output(transform="default")))
        return Pipeline([*steps, ("estimator", self.estimator)])

    def predict(self) -> Scores:
        """Predict for every pair of the pool."""
        proba, unsure = [], []
        for part in chunks(len(self._suggester.first)):
            mean, variance = self._differences(part)
            proba.append(self.estimator.chances(mean, variance))
            unsure.append(information(mean, variance))
        return Scores(self._suggester.classes, np.concatenate(proba), True, np.concatenate(unsure))

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return nothing: what speaks for one of two cannot be marked."""
        return []

    def ranker(self) -> PairDesign:
        """Return what ranks the pairs where nothing else was asked for."""
        return PairDesign(self)

    def design(self, places: NDArray[np.intp], rng: np.random.Generator) -> _Design:
        """Return the posterior covariances of some pairs with others, drawn at random."""
        suggester, estimator = self._suggester, self.estimator
        by_features, by_item = estimator.variances_
        rows, explained = suggester.rows.whole(self._number), self._explained
        n_pairs = len(suggester.first)
        n_targets = max(50, min(_TARGETS, _ENTRIES // rows.shape[0], n_pairs))
        targets = rng.choice(n_pairs, min(n_targets, n_pairs), replace=False)

        def across(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float32]:
            """Return the covariance of all items with some pairs."""
            made = by_features * products(rows, rows[first] - rows[second])
            columns = np.arange(len(first))
            np.add.at(made, (first, columns), by_item)
            np.add.at(made, (second, columns), -by_item)
            made -= explained @ (explained[first] - explained[second]).T
            return np.asarray(made, dtype=np.float32)

        first, second = suggester.first[places], suggester.second[places]
        known = across(suggester.first[targets], suggester.second[targets])
        covariance = known[first] - known[second]

        def own(k: int) -> NDArray[np.float32]:
            column = across(first[k : k + 1], second[k : k + 1])[:, 0]
            return column[first] - column[second]

        mean, variance = self._differences(places)
        evenness = 1 / (2 + 2 * np.cosh(np.clip(mean / np.sqrt(1 + np.pi * variance / 8), -9, 9)))
        open_ = information(*self._differences(targets))
        return _Design(covariance, own, variance, (1 / evenness).astype(np.float32), open_)

    def _differences(self, places: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return mean and variance of the difference of each of some pairs."""
        suggester, explained = self._suggester, self._explained
        by_features, by_item = self.estimator.variances_
        first, second = suggester.first[places], suggester.second[places]
        prior = by_features * suggester.apart(self._number)[places] + 2 * by_item
        settled = np.square(explained[first] - explained[second]).sum(axis=1)
        variance = np.maximum(prior - settled, 0.0).astype(np.float32)
        return self._mean[first] - self._mean[second], variance

    def _table(self, rows: Any, counts: NDArray[np.intp]) -> NDArray[np.float64]:
        mean, variance = self.estimator.posterior(rows)
        spread = np.sqrt(variance)
        ends = (mean - _SIGMAS * spread, mean + _SIGMAS * spread)
        return np.column_stack([mean, *ends, counts])


class PairDesign:
    """The pairs whose answers would settle the order of the others the most.

    Experimental design for the model itself: the next pair is the one that lowers the posterior
    variance of the differences of other pairs the most, where an answer tells as much as its
    chances are even, and each other pair counts by how open it is; each choice is followed by an
    update of the covariance, so that a batch does not ask the same thing twice (transductive
    design, Yu, Bi, Tresp, ICML 2006, with the noise of a preference in Laplace's approximation).

    Parameters
    ----------
    fitted : FittedPairs
    """

    name = "pair_design"
    aim = "asking the pairs that settle the order"
    requires: frozenset[str] = frozenset()

    def __init__(self, fitted: FittedPairs) -> None:
        self._fitted = fitted

    def utilities(self, context: Context) -> NDArray[np.float32]:
        """Return gains below 1; of those chosen first how many follow, themselves included."""
        rng = context.rng()
        n = len(context.candidates)
        information = context.by_row(lambda proba: 1.0 - np.abs(proba[:, 0] - proba[:, 1]))
        utilities = np.asarray(information, dtype=np.float32) * 0.5 - 1.0
        taken = np.arange(n)
        if n > _MOST_RANKED:
            half = _MOST_RANKED // 2
            some = rng.choice(n, half, replace=False)
            taken = np.union1d(pick(information, half, rng), some)
        state = self._fitted.design(context.candidates[taken], rng)
        for rank in range(min(2 * context.batch, len(taken))):
            gains = state.gains()
            if rank == 0:
                utilities[taken] = np.minimum(gains / max(gains.max(), 1e-12), BELOW_ONE)
            k = int(gains.argmax())
            utilities[taken[k]] = 2 * context.batch - rank
            state.choose(k)
        return utilities

    def reason(self, utility: float) -> str:
        """Say why."""
        return "its answer settles many pairs that are still open"


class _Design:
    """Covariances of pairs that may be asked with others, and how they change with each choice."""

    def __init__(
        self,
        covariance: NDArray[np.float32],
        own: Callable[[int], NDArray[np.float32]],
        variance: NDArray[np.float32],
        noise: NDArray[np.float32],
        weights: NDArray[np.float32],
    ) -> None:
        self._covariance = covariance  # of the pairs with the others
        self._own = own  # of one pair with all pairs
        self._variance = variance
        self._noise = noise
        self._weights = weights
        self._chosen: list[NDArray[np.float32]] = []
        self._free = np.ones(len(variance), dtype=bool)

    def gains(self) -> NDArray[np.float32]:
        """Return by how much each pair would lower the variances of the others."""
        lowered = np.square(self._covariance) @ self._weights
        return np.where(self._free, lowered / (self._variance + self._noise), -np.inf)

    def choose(self, k: int) -> None:
        """Take a pair as answered."""
        self._free[k] = False
        row = self._own(k)
        for before in self._chosen:
            row = row - before * before[k]
        row = row / np.sqrt(self._variance[k] + self._noise[k])
        scale = np.sqrt(self._variance[k] + self._noise[k])
        self._covariance = self._covariance - np.outer(row, self._covariance[k] / scale)
        self._variance = np.maximum(self._variance - np.square(row), 0.0)
        self._chosen.append(row)


def differences(features: Any) -> Any:
    """Return rows of first minus second, where the seconds are the lower half of the rows."""
    half = features.shape[0] // 2
    return features[:half] - features[half:]
