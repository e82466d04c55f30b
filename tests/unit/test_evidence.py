"""Models that judge labels they have not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from nblabel._progress import Cancelled, listening
from nblabel.estimate import mean_difference
from nblabel.evidence import Arms, Known, Stability, class_evidence, cross_fit, race_arms
from nblabel.evidence.crossfit import FIRST_ARM, FOLDS, LEAST_LABELS
from nblabel.suggest import Scores, Snapshot
from nblabel.tables import Predictions
from nblabel.tasks import Choice

TASK = Choice(["a", "b"])


class Nearest:
    """Remembers what it was taught, and says of anything else what the nearest of that is."""

    def __init__(self, x: np.ndarray) -> None:
        self.x = x
        self.taught: list[np.ndarray] = []

    def embedding(self) -> None:
        return None

    def fit(self, snapshot: Snapshot) -> Any:
        self.taught.append(snapshot.positions)
        known, targets = self.x[snapshot.positions], np.asarray(snapshot.targets, dtype=str)
        order = np.argsort(known)
        middle = (known[order][1:] + known[order][:-1]) / 2
        said = targets[order][np.searchsorted(middle, self.x)]

        class Fitted:
            model = None

            def predict(self) -> Scores:
                classes = tuple(sorted(set(targets.tolist())))
                proba = np.array([said == name for name in classes], dtype=np.float32).T
                return Scores(classes, proba, True)

            def marks(self, position: int, label: str) -> list[Any]:
                return []

        return Fitted()


def known(values: Any, drawn: Any = True, picked: Any = False, n_items: int = 500) -> Known:
    n = len(values)
    flags = [np.broadcast_to(np.asarray(flag, dtype=bool), n) for flag in (drawn, picked)]
    return Known(np.arange(n), tuple(map(str, values)), *flags, n_items)


def test_no_model_judges_a_label_it_has_seen() -> None:
    rng = np.random.default_rng(0)
    suggester = Nearest(rng.random(500))
    labels = known(rng.choice(["a", "b"], 400))  # nothing to learn: a memory would be right
    found = cross_fit(suggester, TASK, labels, 0)
    assert found is not None and suggester.taught != []
    right = np.mean(
        [said == value for said, value in zip(found.values, labels.values, strict=True)]
    )
    assert 0.4 < right < 0.6
    assert np.bincount(found.folds).tolist() == [80] * FOLDS
    assert found.proba.shape == (FOLDS, 400, 2) and found.totals.sum(axis=1) == pytest.approx(500)
    seen = found.proba[(found.folds + 1) % FOLDS, np.arange(400)].argmax(axis=1)
    assert [found.classes[k] for k in seen] == list(labels.values)  # the others know it by heart


def test_too_few_labels_or_classes_are_not_judged() -> None:
    suggester = Nearest(np.arange(500.0))
    assert cross_fit(suggester, TASK, known(["a", "b"] * 9), 0) is None
    assert cross_fit(suggester, TASK, known(["a"] * LEAST_LABELS), 0) is None


def test_judging_can_be_cancelled() -> None:
    def stop(_: float) -> None:
        raise Cancelled

    with listening(stop), pytest.raises(Cancelled):
        cross_fit(Nearest(np.arange(500.0)), TASK, known(["a", "b"] * 20), 0)


def race(rng: np.random.Generator, n: int, better: bool) -> Arms:
    """Stripes on a line; the strategy spreads its choice evenly, or draws at random too."""
    x = rng.random(2000)
    y = np.where((8 * x).astype(int) % 2, "a", "b")
    even = np.unique((np.arange(2 * n) * 0.618034 % 1 * 2000).astype(int), return_index=True)
    near = np.argsort(x)[even[0][np.argsort(even[1])]] if better else rng.permutation(2000)
    picks = near[: 2 * n].tolist()
    free = rng.permutation(np.setdiff1d(np.arange(2000), picks)).tolist()
    order = [place for k in range(n) for place in (*picks[2 * k : 2 * k + 2], free[k])]
    drawn = [False, False, True] * n
    places = np.array(order)
    suggester = Nearest(x)
    made = Known(places, tuple(y[places].tolist()), np.array(drawn), ~np.array(drawn), 2000)
    made_arms = race_arms(suggester, TASK, made, 0)
    # Both had as many labels, and nobody was judged by what it had learned.
    sizes = [len(taught) for taught in suggester.taught]
    assert sizes[::2] == sizes[1::2] and sizes[0] == FIRST_ARM
    assert len(made_arms.picked) == len(made_arms.drawn) == n - FIRST_ARM
    return made_arms


def test_the_race_shows_a_strategy_that_helps_and_none_that_does_not() -> None:
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(100):
        arms = race(rng, 60, better=False)
        found = mean_difference(arms.picked.astype(float) - arms.drawn.astype(float))
        covered.append(found.low <= 0 <= found.high)  # type: ignore[operator]
    assert stats.binomtest(sum(covered), len(covered), 0.95, "less").pvalue > 1e-4
    helped = [race(rng, 150, better=True) for _ in range(5)]
    assert np.mean([arms.picked.mean() - arms.drawn.mean() for arms in helped]) > 0.02


def test_picks_that_came_after_a_draw_are_not_held_against_it() -> None:
    late = known(
        ["a", "b"] * 50, drawn=[True] * 50 + [False] * 50, picked=[False] * 50 + [True] * 50
    )
    arms = race_arms(Nearest(np.arange(500.0)), TASK, late, 0)
    assert len(arms.picked) == 0 and arms.n_labels == 0


def test_the_pool_is_known_without_a_model_too() -> None:
    rng = np.random.default_rng(2)
    shares, unseen = class_evidence(known(rng.choice(["a", "b"], 60)), True, None, ["a", "b", "c"])
    assert set(shares) == {"a", "b", "c"} and all(share.known for share in shares.values())
    assert shares["c"].value == 0 and shares["c"].high > 0.02  # type: ignore[operator]
    assert unseen.value == 0 and unseen.high < 0.11  # type: ignore[operator]


def said(labels: np.ndarray, n_labels: int) -> Predictions:
    proba = np.array([labels == 0, labels == 1], dtype=np.float32).T
    return Predictions(1, n_labels, ("a", "b"), proba)


def test_successive_models_are_compared_once_each() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 50)
    stability = Stability(50, 0)
    stability.see(said(labels, 10))
    assert stability.kappas == []
    stability.see(said(labels, 10))  # trained again on the same labels: no new model
    stability.see(said(labels[:20], 15))  # nor one of a pool that has grown since
    stability.see(said(labels, 20))
    stability.see(said(1 - labels, 30))
    assert stability.kappas[0] == 1.0 and stability.kappas[1] < 0 and len(stability.kappas) == 2
