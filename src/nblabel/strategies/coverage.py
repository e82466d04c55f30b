"""Items that stand for many others the model is unsure of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import BELOW_ONE, Context, pick
from .uncertainty import margins

#: Larger candidate sets are narrowed to this many: the least sure ones, and some at random.
MOST_CANDIDATES = 3000
#: So many of the candidates, at random, stand for all of them when coverage is measured.
MOST_COVERED = 1500
#: Of larger pools a third of each is enough: the pass over the pool is to stay the main cost.
LARGE = 30_000
_LOOKED_AT = 16


class FacilityLocation:
    """Items similar to many unsure ones that no labeled item is similar to yet.

    Greedy maximisation of facility location over the unlabeled items, each with the weight of its
    uncertainty, given what is labeled: Wei, Iyer, Bilmes, "Submodularity in data subset selection
    and active learning", ICML 2015. Greedy comes within 1 - 1/e of the best batch (Nemhauser,
    Wolsey, Fisher 1978). Without a model all weights are equal: a cold start.

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
        rng = context.rng()
        n = len(context.candidates)
        unsure = (
            np.ones(n, dtype=np.float32)
            if not (context.has_proba and self.weighted)
            else _unsure(context)
        )
        share = 3 if n > LARGE else 1
        taken = _narrowed(unsure, rng, MOST_CANDIDATES // share)
        most = MOST_COVERED // share
        some = np.arange(len(taken))
        covered = some if len(some) <= most else np.sort(rng.choice(some, most, replace=False))
        points = np.asarray(features[context.candidates[taken]])
        others = points[covered]
        similar = points @ others.T  # a row for each candidate
        if len(context.labeled):
            labeled = np.asarray(features[context.labeled])
            similar -= np.maximum((labeled @ others.T).max(axis=0), 0.0)
        np.maximum(similar, 0.0, out=similar)  # only what is more than labeled items give counts
        own = unsure[taken]
        weights = own[covered]
        best = np.zeros(len(covered), dtype=np.float32)

        def gain(rows: NDArray[np.intp]) -> NDArray[np.float32]:
            more = similar[rows] - best
            return np.asarray(np.maximum(more, 0.0, out=more) @ weights * own[rows])

        bounds = similar @ weights * own
        utilities = np.multiply(unsure, 0.5, out=unsure)
        utilities -= 1.0  # what was not looked at comes last
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
        features, proba = context.features, context.proba
        assert features is not None and proba is not None, "requires proba and features"
        rng = context.rng()
        taken = _narrowed(_unsure(context), rng, MOST_CANDIDATES)
        error = np.array(proba[taken], dtype=np.float64)
        error[np.arange(len(taken)), error.argmax(axis=1)] -= 1.0
        points = np.asarray(features[context.candidates[taken]], dtype=np.float64)
        squared = (error**2).sum(axis=1) * (points**2).sum(axis=1)
        utilities = np.full(len(context.candidates), -1.0)
        utilities[taken] = np.minimum(np.sqrt(squared / 2.0), 1 - 1e-9)
        n_chosen = min(context.batch, len(taken))
        distance = squared.copy()
        for rank in range(n_chosen):
            total = distance.sum()
            if rank == 0:
                k = int(squared.argmax())
            elif total > 1e-12:
                k = int(rng.choice(len(taken), p=distance / total))
            else:  # all that is left is like what was taken
                break
            utilities[taken[k]] = n_chosen - rank + utilities[taken[k]] % 1
            between = squared + squared[k] - 2 * (error @ error[k]) * (points @ points[k])
            distance = np.minimum(distance, np.maximum(between, 0.0))
            distance[k] = 0.0
        return utilities

    def reason(self, utility: float) -> str:
        """Say why."""
        return "its label would change the model much"


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


def _unsure(context: Context) -> NDArray[np.float32]:
    made = context.by_row(margins).astype(np.float32, copy=False)
    return np.subtract(1, made, out=made)


def _narrowed(unsure: NDArray[np.float32], rng: np.random.Generator, most: int) -> NDArray[np.intp]:
    """Return the places of at most so many: half the least sure, half at random."""
    n = len(unsure)
    if n <= most:
        return np.arange(n)
    half = most // 2
    return np.union1d(pick(unsure, half, rng), rng.choice(n, half, replace=False))
