"""Each interval keeps its promise: simulations under fixed seeds, judged by a binomial test.

A simulation of R runs fails only if an interval that truly covers as promised would do as badly
with probability below 1e-4; the seeds are fixed, so it says the same at every run.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from nblabel.estimate import (
    LEAST_DRAWS,
    LEAST_FOR_GAIN,
    LEAST_PAIRS,
    LEAST_PER_ARM,
    Estimate,
    class_shares,
    difference,
    expected_gain,
    mean_difference,
    prediction_kappa,
    self_consistency,
    stop_advice,
    unseen_share,
    wilson,
)


def covers(runs: list[bool], confidence: float = 0.95) -> bool:
    """Whether so many misses can be the chance of an interval that keeps its promise."""
    return stats.binomtest(sum(runs), len(runs), confidence, "less").pvalue > 1e-4


def within(found: Estimate, truth: float) -> bool:
    assert found.low is not None and found.high is not None and found.value is not None
    assert found.low <= found.value <= found.high
    return found.low - 1e-12 <= truth <= found.high + 1e-12


def test_the_judge_can_condemn() -> None:
    rng = np.random.default_rng(0)
    assert covers(list(rng.random(1000) < 0.95))
    assert not covers(list(rng.random(1000) < 0.91))


# ---------------------------------------------------------------- a number


def test_a_number_says_what_it_rests_on_or_what_it_needs() -> None:
    known = Estimate.of(wilson(93, 100), 100, 20, "random draws")
    assert str(known) == "93.0 % (95 % interval 86.3 to 96.6 %, n = 100 random draws)"
    short = Estimate.of(None, 13, 20, "random draws")
    assert not short.known and str(short) == "not known yet: needs 7 more random draws"
    assert Estimate.missing(5, 0, "labels", "there is one class").said() == (
        "not known yet: there is one class"
    )
    assert Estimate(0.5, 0.25, 1, 30, "repeats").said(percent=False, signed=True) == (
        "+0.50 (95 % interval +0.25 to +1.00, n = 30 repeats)"
    )
    assert Estimate(**known.to_dict()) == known


# ---------------------------------------------------------------- differences


def test_a_difference_is_newcombes() -> None:
    # His own examples: Statistics in Medicine 17 (1998), table II, method 10.
    for successes, sizes, low, high in (
        ((56, 48), (70, 80), 0.0524, 0.3339),
        ((9, 3), (10, 10), 0.1705, 0.8090),
    ):
        if min(sizes) < LEAST_PER_ARM:
            assert difference(successes, sizes).needs == LEAST_PER_ARM - min(sizes)
            continue
        found = difference(successes, sizes)
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
        assert found.n == sum(sizes)


@pytest.mark.parametrize("sizes", [(20, 200), (60, 60)])
@pytest.mark.parametrize("shares", [(0.95, 0.85), (0.5, 0.5), (0.99, 0.97)])
def test_a_difference_covers(sizes: tuple[int, int], shares: tuple[float, float]) -> None:
    rng = np.random.default_rng(1)
    drawn = [rng.binomial(n, p, 1500) for n, p in zip(sizes, shares, strict=True)]
    runs = [
        within(difference((int(a), int(b)), sizes), shares[0] - shares[1])
        for a, b in zip(*drawn, strict=True)
    ]
    assert covers(runs)


@pytest.mark.parametrize("n", [LEAST_PAIRS, 60, 300])
@pytest.mark.parametrize("better, worse", [(0.05, 0.05), (0.1, 0.02), (0.03, 0.0), (0.5, 0.2)])
def test_a_mean_difference_covers(n: int, better: float, worse: float) -> None:
    rng = np.random.default_rng(2)
    p = [better, worse, 1 - better - worse]
    runs = [
        within(mean_difference(rng.choice([1, -1, 0], n, p=p)), better - worse) for _ in range(1000)
    ]
    assert covers(runs)


def test_no_difference_at_all_still_has_an_interval() -> None:
    found = mean_difference([0.0] * 50)
    assert found.value == 0 and found.high == pytest.approx(wilson(0, 50).high, rel=0.05)
    assert mean_difference([0.0] * 19).needs == 1


# ---------------------------------------------------------------- consistency


@pytest.mark.parametrize("n", [LEAST_PAIRS, 60, 200])
@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.9, 0.1], [0.4, 0.3, 0.2, 0.1]])
@pytest.mark.parametrize("kappa", [0.5, 0.9])
def test_kappa_of_repeats_covers(n: int, shares: list[float], kappa: float) -> None:
    rng = np.random.default_rng(3)
    runs, agreements = [], []
    for _ in range(600):
        first = rng.choice(len(shares), n, p=shares)
        # The same again, or drawn anew: then kappa is the share of the first, exactly.
        second = np.where(rng.random(n) < kappa, first, rng.choice(len(shares), n, p=shares))
        agreement, found = self_consistency(first.tolist(), second.tolist())
        agreements.append(within(agreement, kappa + (1 - kappa) * np.square(shares).sum()))
        runs.append(not found.known or within(found, kappa))
    assert covers(runs) and covers(agreements, 0.93)  # Wilson's covers 95 % on average over shares


def test_kappa_of_repeats_is_symmetric_and_known_only_of_two_labels() -> None:
    first, second = ["a"] * 20 + ["b"] * 20, ["a"] * 18 + ["b"] * 22
    one, other = self_consistency(first, second), self_consistency(second, first)
    assert one == other
    # Cohen's differs only in how chance is drawn; with equal margins they are the same.
    assert one[1].value == pytest.approx(cohen_kappa_score(first, second), abs=0.01)
    agreement, kappa = self_consistency(["a"] * 30, ["a"] * 30)
    assert agreement.value == 1 and not kappa.known and "chance" in kappa.said()
    assert [e.needs for e in self_consistency(["a"] * 5, ["a"] * 5)] == [15, 15]


# ---------------------------------------------------------------- going on

CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "power": lambda n: 0.95 - 1.2 * n**-0.5,
    "exponential": lambda n: 0.98 - 0.9 * np.exp(-n / 150),
    "line": lambda n: np.minimum(0.3 + 0.0005 * n, 0.95),
    "flat": lambda n: 0.9 + 0 * n,
}


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("draws", [LEAST_FOR_GAIN, 200])
def test_the_gain_of_further_labels_is_covered(curve: str, draws: int) -> None:
    rng = np.random.default_rng(4)
    n = 10.0 * np.arange(1, draws + 1)
    accuracy, truth = CURVES[curve](n), np.ptp(CURVES[curve](n[-1] + np.array([0.0, 100.0])))
    runs = [within(expected_gain(rng.random(draws) < accuracy, n), truth) for _ in range(400)]
    assert covers(runs)


def test_the_gain_gets_small_where_the_curve_is_flat() -> None:
    rng = np.random.default_rng(5)
    n = 10.0 * np.arange(1, 801)
    flat = expected_gain(rng.random(800) < 0.95, n)
    assert flat.high is not None and flat.high < 0.01
    steep = expected_gain(rng.random(50) < np.linspace(0.2, 0.9, 50), n[:50])
    assert steep.value is not None and steep.value > 0.03
    assert expected_gain([True] * 49, n[:49]).needs == 1
    assert expected_gain([True] * 50, [10] * 50).high == 1.0  # no curve to see


def test_kappa_between_models_is_cohens() -> None:
    rng = np.random.default_rng(6)
    before = rng.choice(["a", "b", "c"], 500, p=[0.7, 0.2, 0.1])
    after = np.where(rng.random(500) < 0.9, before, rng.choice(["a", "b", "c"], 500))
    assert prediction_kappa(before, after) == pytest.approx(cohen_kappa_score(before, after))
    assert prediction_kappa(before, before) == 1.0
    assert prediction_kappa(np.array(["a"] * 9), np.array(["a"] * 9)) == 1.0


def test_stop_advice_gives_its_reason() -> None:
    small = Estimate(0.002, 0.0, 0.006, 400, "random draws")
    large = Estimate(0.02, 0.0, 0.05, 60, "random draws")
    unknown = Estimate.missing(30, 50, "random draws")
    assert stop_advice(small, [1.0, 0.99], 500).reason == "It needs 1 more training in this kernel."
    assert stop_advice(small, [1.0, 0.98, 1.0], 500).advice == "go on"
    assert stop_advice(large, [1.0] * 3, 500).advice == "go on"
    assert stop_advice(unknown, [1.0] * 3, 500).advice == "not known yet"
    assert "needs 20 more random draws" in stop_advice(unknown, [1.0] * 3, 500).reason
    stop = stop_advice(small, [0.9, 0.991, 0.995, 1.0], 500)
    assert stop.advice == "stop"
    assert stop.reason == (
        "Predictions have settled (kappa between the newest models on 500 fixed items: 0.991, "
        "0.995, 1.000), and the next 100 labels are expected to bring 0.2 points of accuracy, "
        "at most 0.6."
    )


# ---------------------------------------------------------------- the pool


@pytest.mark.parametrize("draws", [LEAST_DRAWS, 100, 300])
def test_what_was_never_seen_is_bounded(draws: int) -> None:
    """Many classes, a few of them common; beside each draw nine labels that somebody chose."""
    rng = np.random.default_rng(7)
    n_items, runs, values, truths = 4000, [], [], []
    shares = 1 / np.arange(1, 201) ** 1.3
    for _ in range(300):
        pool = rng.choice(200, n_items, p=shares / shares.sum())
        order = rng.permutation(n_items)
        chosen = order[::-1][: 9 * draws]
        seen: set[int] = set()
        new, labels = [], []
        left = list(range(n_items, n_items - 10 * draws, -10))
        for t, place in enumerate(order[:draws]):
            seen |= set(pool[chosen[9 * t : 9 * t + 9]].tolist())
            new.append(int(pool[place]) not in seen)
            seen.add(int(pool[place]))
            labels.append(int(pool[place]))
        others = pool[chosen].tolist()
        lone = sum(labels.count(label) == 1 and label not in others for label in labels)
        truth = float(np.mean([label not in seen for label in pool.tolist()]))
        found = unseen_share(new, lone, left, n_items)
        runs.append(within(found, truth))
        values.append(found.value)
        truths.append(truth)
    assert covers(runs)
    assert np.mean(values) == pytest.approx(np.mean(truths), abs=0.005)


def test_of_few_draws_nothing_is_said_of_the_pool() -> None:
    assert unseen_share([False] * 19, 0, [50] * 19, 50).needs == 1
    assert unseen_share([True] * 20, 20, [50] * 20, 50).high == 1.0
    empty = np.zeros((2, 5, 3))
    found = class_shares(
        np.zeros(5, int), np.ones(5, bool), np.zeros(5, int), empty, empty[:, 0], 100
    )
    assert [share.needs for share in found] == [15] * 3


class Gauss:
    """Class-wise normal densities on a line: a model quick enough to be fitted 10,000 times."""

    def __init__(self, x: np.ndarray, y: np.ndarray, n_classes: int) -> None:
        counts = np.bincount(y, minlength=n_classes)
        middle = x.mean()
        self.means = (np.bincount(y, x, n_classes) + middle) / (counts + 1)
        self.logs = np.log((counts + 0.5) / (len(y) + 0.5 * n_classes))

    def proba(self, x: np.ndarray) -> np.ndarray:
        logs = self.logs - 0.5 * np.square(x[:, None] - self.means)
        logs -= logs.max(axis=1, keepdims=True)
        made = np.exp(logs)
        return np.asarray(made / made.sum(axis=1, keepdims=True))


def labeled_pool(
    rng: np.random.Generator, shares: list[float], n_items: int, n_labels: int, explore: float,
    far: float,
) -> tuple[np.ndarray, list[Estimate]]:  # fmt: skip
    """Label a pool, what is unsure first and a share at random; return the truth and estimates."""
    y = rng.choice(len(shares), n_items, p=shares)
    x = far * y + rng.normal(size=n_items)
    is_open = np.ones(n_items, bool)
    places: list[int] = []
    drawn: list[bool] = []
    ranking: list[int] = []
    for t in range(n_labels):
        if t % 25 == 0 and t:
            proba = Gauss(x[places], y[places], len(shares)).proba(x)
            top = np.sort(proba, axis=1)[:, -2:]
            ranking = np.argsort(top[:, 1] - top[:, 0]).tolist()
        audit = bool(rng.random() < explore)
        place = next((p for p in ranking if is_open[p]), None) if not audit and ranking else None
        if place is None:
            place = int(rng.choice(np.flatnonzero(is_open)))
            audit = audit or not ranking
        is_open[place] = False
        places.append(place)
        drawn.append(audit)
    where = np.array(places)
    folds = rng.permutation(n_labels) % 5
    models = [
        Gauss(x[where[folds != k]], y[where[folds != k]], len(shares)).proba(x) for k in range(5)
    ]
    found = class_shares(
        y[where], np.array(drawn), folds, np.array([m[where] for m in models]),
        np.array([m.sum(axis=0) for m in models]), n_items,
    )  # fmt: skip
    return np.bincount(y, minlength=len(shares)) / n_items, found


@pytest.mark.parametrize(
    ("shares", "n_items", "n_labels", "explore", "far"),
    [
        ([0.6, 0.3, 0.1], 1000, 150, 0.2, 2.5),  # a model that is good
        ([0.6, 0.38, 0.02], 1000, 150, 0.2, 0.0),  # one that knows nothing, and a rare class
        ([0.5, 0.5], 300, 240, 0.3, 2.5),  # a pool that is nearly used up
    ],
)
def test_class_shares_cover(
    shares: list[float], n_items: int, n_labels: int, explore: float, far: float
) -> None:
    rng = np.random.default_rng(8)
    runs: list[list[bool]] = [[] for _ in shares]
    errors: list[float] = []
    for _ in range(250):
        truth, found = labeled_pool(rng, shares, n_items, n_labels, explore, far)
        for k, share in enumerate(found):
            runs[k].append(within(share, truth[k]))
        assert found[0].value is not None
        errors.append(found[0].value - truth[0])
    assert all(covers(run) for run in runs)
    assert abs(np.mean(errors)) < 5 * np.std(errors) / np.sqrt(len(errors))  # no bias to be seen


def test_class_shares_are_sharper_for_predictions_and_certain_in_the_end() -> None:
    rng = np.random.default_rng(9)
    widths = {}
    for far in (0.0, 4.0):
        found = [labeled_pool(rng, [0.5, 0.5], 2000, 400, 0.25, far)[1][0] for _ in range(10)]
        widths[far] = np.mean([share.high - share.low for share in found])  # type: ignore[operator]
    assert widths[4.0] < 0.6 * widths[0.0]
    truth, found = labeled_pool(rng, [0.7, 0.3], 100, 100, 0.5, 2.0)
    assert [share.value for share in found] == pytest.approx(truth)
    assert [share.high - share.low for share in found] == [0, 0]  # type: ignore[operator]
