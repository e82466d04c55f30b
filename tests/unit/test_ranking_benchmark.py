"""The benchmark of ranking measures what a session does today."""

import numpy as np

from benchmarks import ranking


def test_ours_names_the_best_items_without_a_label():
    pool = np.random.default_rng(0).standard_normal((400, 8), dtype=np.float32)
    places, labels = ranking.truth(pool, 2)
    best = ranking.ours(pool, places, labels, 2)()
    assert len(set(best)) == len(best) == ranking.N_BEST
    assert not set(best) & set(places.tolist())
