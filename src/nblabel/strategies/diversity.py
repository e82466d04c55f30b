"""Typical and diverse items: cold start, and batches that do not ask ten near-duplicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import NearestNeighbors

from .._quiet import quiet
from .base import BELOW_ONE, Context, Rows, largest
from .uncertainty import margins

#: Larger candidate sets are sampled down to this many before clustering.
MOST_CLUSTERED = 20_000
_NEIGHBORS = 20
_MOST_CLUSTERS = 500
_FEW = 300


def _features(context: Context) -> NDArray[np.float32] | Rows:
    assert context.features is not None, "requires features"
    return context.features


class TypicalClusters:
    """Typical items of clusters that have no label yet: a cold start that needs no class.

    TypiClust (Hacohen, Dekel, Weinshall, ICML 2022): as many clusters as there will be labels,
    the largest without a label first, from each the item with the densest neighbourhood.
    """

    name = "typical"
    aim = "asking typical items"
    requires = frozenset({"features"})

    def utilities(self, context: Context) -> NDArray[np.float64]:
        """Return the negative rank in the order of asking; -inf for what was not considered."""
        features = _features(context)
        rng = context.rng()
        utilities = np.full(len(context.candidates), -np.inf)
        considered = np.arange(len(context.candidates))
        if len(considered) > MOST_CLUSTERED:
            considered = np.sort(rng.choice(considered, MOST_CLUSTERED, replace=False))
        places = context.candidates[considered]
        points = np.concatenate([features[places], features[context.labeled]])
        n_clusters = min(len(context.labeled) + 3 * context.batch, _MOST_CLUSTERS, len(points))
        clusters = _clusters(points, n_clusters, context.seed)
        typicality = _typicality(points, clusters)
        has_label = np.zeros(n_clusters, dtype=int)
        np.add.at(has_label, clusters[len(places) :], 1)

        queues = {}
        for cluster in range(n_clusters):
            members = np.flatnonzero(clusters[: len(places)] == cluster)
            if len(members):
                queues[cluster] = members[np.argsort(-typicality[members], kind="stable")]
        # The fewest labels first, then the largest; then round and round through the clusters.
        order = sorted(queues, key=lambda c: (has_label[c], -len(queues[c]), c))
        rank = 0
        for depth in range(max(map(len, queues.values()), default=0)):
            for cluster in order:
                if depth < len(queues[cluster]):
                    utilities[considered[queues[cluster][depth]]] = -rank
                    rank += 1
        return utilities

    def reason(self, utility: float) -> str:
        """Say why."""
        return "typical of a group of items without a label"


class ClusterMargin:
    """The least sure items, one from each group of similar ones.

    Cluster-Margin (Citovsky et al., NeurIPS 2021): cluster the most uncertain few hundred and take
    from the clusters in turn, the smallest first.

    Parameters
    ----------
    pool_factor : int
        How many times the batch is clustered.
    """

    name = "cluster_margin"
    aim = "asking unsure items of many kinds"
    reason_by_order = "the model is least sure here"
    requires = frozenset({"proba", "features"})

    def __init__(self, pool_factor: int = 10) -> None:
        self.pool_factor = pool_factor

    def utilities(self, context: Context) -> NDArray[np.floating]:
        """Return ``1 - margin``, with 1 or more added to those taken first, in their order."""
        unsure = context.by_row(margins)
        np.subtract(1, unsure, out=unsure)
        # Below 1, so that `reason` finds the uncertainty in the fraction.
        np.minimum(unsure, BELOW_ONE, out=unsure)
        n_taken = min(self.pool_factor * context.batch, len(unsure))
        top = largest(unsure, n_taken)
        points = _features(context)[context.candidates[top]]
        n_clusters = min(context.batch, n_taken)
        if n_clusters < 2:
            return unsure
        clusters = _clusters(points, n_clusters, context.seed)
        by_size = np.argsort(np.bincount(clusters, minlength=n_clusters), kind="stable")
        turn = np.zeros(n_taken, dtype=int)  # how many of its own cluster come before an item
        seen = np.zeros(n_clusters, dtype=int)
        for k, cluster in enumerate(clusters):
            turn[k] = seen[cluster]
            seen[cluster] += 1
        place = np.argsort(by_size)[clusters]
        order = np.lexsort((place, turn))
        # Whole numbers carry the order, the fraction stays the uncertainty that is explained.
        if n_taken > 1000:  # more than a float32 holds beside a fraction
            unsure = unsure.astype(np.float64)
        unsure[top] = np.minimum(unsure[top], 0.9999)
        unsure[top[order]] += np.arange(n_taken, 0, -1)
        return unsure

    def reason(self, utility: float) -> str:
        """Say why."""
        return f"the model is least sure here (margin {1 - utility % 1:.2f})"


def _clusters(points: NDArray[np.float32], n_clusters: int, seed: int) -> NDArray[np.intp]:
    if len(points) <= _FEW:  # a tenth of the time of KMeans, which is made for many
        with quiet(UserWarning), np.errstate(all="ignore"):  # as below
            return kmeans2(points, n_clusters, iter=10, minit="++", seed=seed)[1]
    if len(points) > 3000:
        model = MiniBatchKMeans(n_clusters, n_init=1, batch_size=2048, random_state=seed)
    else:
        model = KMeans(n_clusters, n_init=1, random_state=seed)
    with quiet(ConvergenceWarning):  # items that are alike make fewer clusters
        return model.fit_predict(points)


def _typicality(points: NDArray[np.float32], clusters: NDArray[np.intp]) -> NDArray[np.float64]:
    """Inverse mean distance to the nearest neighbours in the same cluster."""
    typicality = np.zeros(len(points))
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        if len(members) < 2:
            typicality[members] = 0.0
            continue
        k = min(_NEIGHBORS, len(members) - 1)
        distances, _ = (
            NearestNeighbors(n_neighbors=k + 1).fit(points[members]).kneighbors(points[members])
        )
        typicality[members] = 1.0 / (distances[:, 1:].mean(axis=1) + 1e-5)
    return typicality
