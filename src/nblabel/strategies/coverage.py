"""Items that stand for many others the model is unsure of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky
from scipy.linalg.blas import strsm

from .base import BELOW_ONE, Context, pick
from .uncertainty import margins

#: Larger candidate sets are narrowed to this many: the least sure ones, and some at random.
MOST_CANDIDATES = 2000
#: So many of the candidates, at random, stand for all of them when coverage is measured.
MOST_COVERED = 1000
#: Of larger pools whose features are made when asked for a quarter of each is enough: the pass over
#: the pool is to stay the main cost.
LARGE = 30_000
#: Of more labels so many, at random, stand for all.
MOST_LABELED = 1000
#: Rows that a median distance is taken of.
_SOME = 100
_LOOKED_AT = 16


class FacilityLocation:
    """Items similar to many unsure ones that no labeled item is similar to yet.

    Greedy maximisation of facility location over the unlabeled items, each with the weight of its
    uncertainty, given what is labeled: Wei, Iyer, Bilmes, "Submodularity in data subset selection
    and active learning", ICML 2015. Without a model all weights are equal: a cold start, and greedy
    comes within 1 - 1/e of the best batch of what it looks at (Nemhauser, Wolsey, Fisher 1978). A
    model's gain counts by the item's own uncertainty, too, which has no such bound.

    Parameters
    ----------
    weighted : bool
        Whether the model's uncertainty counts.
    ahead : int
        How many batches are chosen one item after the other; the rest follows by its first gain.
    """

    name = "facility_location"
    requires = frozenset({"features"})

    def __init__(self, weighted: bool = True, ahead: int = 2) -> None:
        self.weighted = weighted
        self.ahead = ahead
        self.aim = "asking typical unsure items" if weighted else "exploring the pool"

    def utilities(self, context: Context) -> NDArray[np.float32]:
        """Return gains below 1; of those chosen first how many follow, themselves included."""
        features = context.features
        assert features is not None, "requires features"
        unsure = _unsure(context, self.weighted)
        taken, n_covered = _looked_at(context, unsure, context.rng())
        points = np.asarray(features[context.candidates[taken]])
        others = points[:n_covered]
        similar = points @ others.T  # a row for each candidate
        if len(context.labeled):
            labeled = np.asarray(features[context.labeled])
            similar -= np.maximum((labeled @ others.T).max(axis=0), 0.0)
        np.maximum(similar, 0.0, out=similar)  # only what is more than labeled items give counts
        own = unsure[taken]
        weights = own[:n_covered]
        best = np.zeros(n_covered, dtype=np.float32)

        def gain(rows: NDArray[np.intp]) -> NDArray[np.float32]:
            more = similar[rows] - best
            return np.asarray(np.maximum(more, 0.0, out=more) @ weights * own[rows])

        bounds = similar @ weights * own
        utilities = np.subtract(unsure, 2.0, out=unsure)  # what was not looked at comes last
        utilities[taken] = np.minimum(
            bounds / max(float(bounds.max(initial=0.0)), 1e-12), BELOW_ONE
        )
        n_chosen = min(self.ahead * context.batch, len(taken))
        for rank in range(n_chosen):
            k = _laziest(bounds, gain)
            utilities[taken[k]] = n_chosen - rank
            np.maximum(best, similar[k], out=best)
            bounds[k] = -1.0
        return utilities

    def reason(self, utility: float) -> str:
        """Say why."""
        if self.weighted:
            return "like many items that the model is unsure of"
        return "like many items without a label"


class TransductiveDesign:
    """Items whose labels would make the predictions of unsure items the most certain.

    Transductive experimental design (Yu, Bi, Tresp, ICML 2006): choose greedily what lowers the
    posterior variance of a regularised least squares (Gaussian process) over the unlabeled items
    the most, given what is labeled and what is chosen already; no label is needed for it, nor for
    the update. Each item counts by its uncertainty. Without a model all count the same: a cold
    start. The kernel is radial, at the median distance 1/e.

    Parameters
    ----------
    weighted : bool
        Whether the model's uncertainty counts.
    ahead : int
        How many batches are chosen one item after the other; the rest follows by what each item
        would gain after these.
    noise : float
        Variance of a label, against 1 of what is to be learned.
    """

    name = "transductive_design"
    requires = frozenset({"features"})

    def __init__(self, weighted: bool = True, ahead: int = 2, noise: float = 0.3) -> None:
        self.weighted = weighted
        self.ahead = ahead
        self.noise = noise
        self.aim = "asking what settles unsure items" if weighted else "exploring the pool"

    def utilities(self, context: Context) -> NDArray[np.float32]:
        """Return gains below 1; of those chosen first how many follow, themselves included."""
        features = context.features
        assert features is not None, "requires features"
        rng = context.rng()
        unsure = _unsure(context, self.weighted)
        taken, n_covered = _looked_at(context, unsure, rng)
        labeled = context.labeled
        if len(labeled) > MOST_LABELED:
            labeled = rng.choice(labeled, MOST_LABELED, replace=False)
        rows = np.asarray(features[np.concatenate([labeled, context.candidates[taken]])])
        n_known = len(labeled)
        known, points = rows[:n_known], rows[n_known:]
        covariance = points[:n_covered] @ points.T
        some = min(_SOME, n_covered)
        kernel = _Radial(covariance[:some, :some])
        kernel(covariance)
        own = unsure[taken]
        weights = own[:n_covered]

        # What is known explains: a Cholesky factor, to which each choice adds a row. What it
        # leaves is the posterior: covariance of the covered with the taken, variance of the taken.
        n_chosen = min(self.ahead * context.batch, len(taken))
        factor = np.empty((n_known + n_chosen, len(taken)), dtype=np.float32)
        explaining, added = factor[:n_known], factor[n_known:]
        if n_known:
            system = kernel(known @ known.T)
            system.flat[:: n_known + 1] += self.noise
            lower = cholesky(system.T, lower=True, overwrite_a=True, check_finite=False)
            kernel(np.matmul(known, points.T, out=explaining))
            # In place, since the transpose is as Fortran has it.
            strsm(1.0, lower, explaining.T, side=1, lower=1, trans_a=1, overwrite_b=1)
            covariance -= explaining[:, :n_covered].T @ explaining
        explained = np.square(explaining).sum(axis=0)
        variance = np.maximum(kernel.diagonal(points) - explained, 0.0)
        lowered = weights @ np.square(covariance)

        gains = lowered * own / (variance + self.noise)
        chosen = np.empty(n_chosen, dtype=np.intp)
        for rank in range(n_chosen):
            chosen[rank] = k = int(gains.argmax())
            before = added[:rank]
            if k < n_covered:
                left_by_labels = covariance[k]
            else:
                left_by_labels = kernel(points @ points[k]) - explaining[:, k] @ explaining
            row = left_by_labels - before[:, k] @ before
            row /= np.sqrt(variance[k] + self.noise)
            added[rank] = row
            left = weights * row[:n_covered]
            change = left @ covariance - (before[:, :n_covered] @ left) @ before
            lowered += row * (row * (left @ row[:n_covered]) - 2 * change)
            np.maximum(lowered, 0.0, out=lowered)
            variance = np.maximum(variance - np.square(row), 0.0)
            gains = lowered * own / (variance + self.noise)
            gains[chosen[: rank + 1]] = -np.inf
        utilities = np.subtract(unsure, 2.0, out=unsure)  # what was not looked at comes last
        utilities[taken] = np.minimum(gains / max(float(gains.max(initial=0.0)), 1e-12), BELOW_ONE)
        utilities[taken[chosen]] = np.arange(n_chosen, 0, -1)
        return utilities

    def reason(self, utility: float) -> str:
        """Say why."""
        if self.weighted:
            return "settles many items the model is unsure of"
        return "like many items without a label"


class _Radial:
    """A radial kernel of rows of length one, as wide as the median distance of some."""

    def __init__(self, cosines: NDArray[np.float32]) -> None:
        apart = 1.0 - cosines[np.tri(len(cosines), k=-1, dtype=bool)]
        apart = apart[apart > 1e-6]
        middle = len(apart) // 2
        self._width = np.partition(apart, middle)[middle] if len(apart) else np.float32(1.0)

    def __call__(self, cosines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn cosines into the kernel, in place."""
        cosines -= 1.0
        cosines /= self._width
        return np.exp(cosines, out=cosines)

    def diagonal(self, rows: NDArray[np.float32]) -> Any:
        """Return the kernel of each row with itself: 1, but for a row of zeros."""
        return self(np.square(rows).sum(axis=1))


class Badge:
    """Items whose label would change the model much, and each in another direction.

    BADGE (Ash, Zhang, Krishnamurthy, Langford, Agarwal, ICLR 2020): k-means++ over the gradients of
    the last layer, here the outer product of the probabilities' error and the features.
    """

    name = "badge"
    aim = "asking what would change the model most"
    requires = frozenset({"proba", "features"})

    def utilities(self, context: Context) -> NDArray[np.float64]:
        """Return the expected length of the gradient, 0..1, with the batch's order added first."""
        rng = context.rng()
        taken = _narrowed(_unsure(context, True), rng, MOST_CANDIDATES)
        gradients = _Gradients(context, taken)
        utilities = np.full(len(context.candidates), -1.0)
        utilities[taken] = np.minimum(np.sqrt(gradients.squared / 2.0), 1 - 1e-9)
        n_chosen = min(context.batch, len(taken))
        for rank in range(n_chosen):
            chances = gradients.chances()
            if chances is None:
                break
            k = int(gradients.squared.argmax() if rank == 0 else rng.choice(len(taken), p=chances))
            utilities[taken[k]] = n_chosen - rank + utilities[taken[k]] % 1
            gradients.draw(k)
        return utilities

    def probabilities(self, context: Context, drawn: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return that of each of the batch; NaN for its first, the longest, and for the rest.

        Of a pool that is only looked at in part it is that of being looked at times that of being
        drawn then, as in two-phase sampling (Särndal, Swensson, Wretman, "Model Assisted Survey
        Sampling", 1992, chapter 9).
        """
        unsure = _unsure(context, True)
        taken = _narrowed(unsure, context.rng(), MOST_CANDIDATES)
        seen = _chance_to_be_looked_at(unsure, MOST_CANDIDATES)
        gradients = _Gradients(context, taken)
        places = {place: k for k, place in enumerate(taken.tolist())}
        made = np.full(len(drawn), np.nan)
        for rank, place in enumerate(drawn[: context.batch].tolist()):
            chances = gradients.chances()
            if chances is None:
                break
            if rank > 0:
                made[rank] = seen[place] * chances[places[place]]
            gradients.draw(places[place])
        return made

    def reason(self, utility: float) -> str:
        """Say why."""
        return "its label would change the model much"


class _Gradients:
    """Expected gradients of the last layer, and how far each is from those drawn so far.

    Attributes
    ----------
    squared : ndarray of shape (n_rows,), float64
        Their squared lengths.
    """

    def __init__(self, context: Context, taken: NDArray[np.intp]) -> None:
        assert context.features is not None and context.proba is not None
        self._error = np.array(context.proba[taken], dtype=np.float64)
        self._error[np.arange(len(taken)), self._error.argmax(axis=1)] -= 1.0
        self._points = np.asarray(context.features[context.candidates[taken]], dtype=np.float64)
        self.squared = (self._error**2).sum(axis=1) * (self._points**2).sum(axis=1)
        self._distance = self.squared.copy()

    def chances(self) -> NDArray[np.float64] | None:
        """Return the probability of each to be drawn next; None if all is like what was drawn."""
        total = self._distance.sum()
        return self._distance / total if total > 1e-12 else None

    def draw(self, k: int) -> None:
        """Note that one is drawn."""
        inner = (self._error @ self._error[k]) * (self._points @ self._points[k])
        between = np.maximum(self.squared + self.squared[k] - 2 * inner, 0.0)
        self._distance = np.minimum(self._distance, between)
        self._distance[k] = 0.0


def _laziest(bounds: NDArray[np.float32], gain: Callable[[Any], NDArray[np.float32]]) -> int:
    """Return the place of the largest gain, looking only where the old gains leave it open.

    Gains never grow, so an old one is a bound (accelerated greedy, Minoux 1978).
    """
    while True:
        top = np.argpartition(-bounds, min(_LOOKED_AT, len(bounds) - 1))[:_LOOKED_AT]
        top = top[bounds[top] > -1.0]
        bounds[top] = gain(top)
        k = int(top[bounds[top].argmax()])
        if bounds[k] >= bounds.max():
            return k


def _unsure(context: Context, weighted: bool) -> NDArray[np.float32]:
    """Return how unsure the model is of each candidate, 0..1; all 1 if that does not count."""
    if not (context.has_proba and weighted):
        return np.ones(len(context.candidates), dtype=np.float32)
    made = context.by_row(margins).astype(np.float32, copy=False)
    return np.subtract(1, made, out=made)


def _looked_at(
    context: Context, unsure: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.intp], int]:
    """Return the places of what may be chosen, and how many, from the first, stand for all."""
    share = 4 if len(unsure) > LARGE and not isinstance(context.features, np.ndarray) else 1
    taken = _narrowed(unsure, rng, MOST_CANDIDATES // share)
    return rng.permutation(taken), min(len(taken), MOST_COVERED // share)


def _chance_to_be_looked_at(unsure: NDArray[np.float32], most: int) -> NDArray[np.float64]:
    """Return the probability of each to be among what `_narrowed` returns."""
    n, half = len(unsure), most // 2
    if n <= most:
        return np.ones(n)
    if unsure.min() == unsure.max():
        return np.full(n, most / n)
    border = np.partition(unsure, n - half)[n - half]
    above, equal = unsure > border, unsure == border
    least_sure = above + equal * ((half - np.count_nonzero(above)) / np.count_nonzero(equal))
    return 1.0 - (1.0 - least_sure) * (1.0 - half / n)


def _narrowed(unsure: NDArray[np.float32], rng: np.random.Generator, most: int) -> NDArray[np.intp]:
    """Return the places of at most so many: half the least sure, half at random."""
    n = len(unsure)
    if n <= most:
        return np.arange(n)
    if unsure.min() == unsure.max():  # none is surer
        return rng.choice(n, most, replace=False)
    half = most // 2
    return np.union1d(pick(unsure, half, rng), rng.choice(n, half, replace=False))
