import warnings
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nblabel import strategies
from nblabel.errors import OptionError
from nblabel.strategies import (
    Auto,
    Badge,
    ClusterMargin,
    Committee,
    Context,
    Entropy,
    FacilityLocation,
    Find,
    LeastConfidence,
    Margin,
    Random,
    TransductiveDesign,
    TypicalClusters,
    as_strategy,
    coverage,
    diversity,
    pick,
)
from nblabel.strategies.base import largest
from nblabel.strategies.uncertainty import margins
from nblabel.suggest.features import Embedding, embed

PROBA = np.array([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.5, 0.5, 0.0]], dtype=np.float32)


def context(n: int = 3, **changes) -> Context:
    return Context(**{"candidates": np.arange(n), "seed": 1, **changes})


def groups(sizes, spread=0.01, seed=0):
    """Points of length one around one axis for each group, and the group of each."""
    rng = np.random.default_rng(seed)
    which = np.repeat(np.arange(len(sizes)), sizes)
    points = np.eye(len(sizes))[which] + rng.normal(scale=spread, size=(len(which), len(sizes)))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points.astype(np.float32), which


# ---------------------------------------------------------------- uncertainty


def test_uncertainty():
    asked = context(proba=PROBA)
    assert LeastConfidence().utilities(asked) == pytest.approx([0.1, 0.6, 0.5])
    assert Margin().utilities(asked) == pytest.approx([0.2, 0.95, 1.0])
    entropies = [-sum(p * np.log(p) for p in row if p) for row in PROBA]
    assert Entropy().utilities(asked) == pytest.approx(entropies, abs=1e-6)


def test_reasons_name_the_number():
    assert LeastConfidence().reason(0.6) == "the model is least confident here (0.40)"
    assert Margin().reason(0.95) == "the model is least sure here (margin 0.05)"
    assert Entropy().reason(0.5) == "the model wavers most here (entropy 0.50)"
    assert Random().reason(0.5) == "drawn at random"
    assert TypicalClusters().reason(-3.0) == "typical of a group of items without a label"
    assert Auto().reason(0.0) == "chosen by the default strategy"


def test_margin_of_one_class_is_no_uncertainty():
    assert Margin().utilities(context(proba=np.ones((3, 1), np.float32))).tolist() == [0, 0, 0]


def test_random_is_uniform_under_its_seed():
    one = Random().utilities(context(100))
    assert np.array_equal(one, Random().utilities(context(100)))
    assert not np.array_equal(one, Random().utilities(context(100, seed=2)))
    assert len(set(one)) == 100


# ---------------------------------------------------------------- diversity


def test_typical_asks_one_of_each_group_first():
    points, which = groups([40, 30, 20])
    asked = context(90, features=points, batch=1, labeled=np.empty(0, int))
    utilities = TypicalClusters().utilities(asked)
    assert sorted(-utilities) == list(range(90))  # a strict order of all
    best = pick(utilities, 6, np.random.default_rng(0))
    assert which[best].tolist() == [0, 1, 2, 0, 1, 2]  # the largest first, then again


def test_typical_prefers_groups_without_a_label_to_larger_ones(monkeypatch):
    monkeypatch.setattr(diversity, "_clusters", lambda points, n, seed: points.argmax(axis=1))
    points, which = groups([80, 10, 20])
    labeled = np.flatnonzero(which == 0)[:1]
    candidates = np.setdiff1d(np.arange(110), labeled)
    asked = Context(candidates, features=points, labeled=labeled, batch=1, seed=0)
    first = pick(TypicalClusters().utilities(asked), 4, asked.rng())
    assert which[candidates[first]].tolist() == [2, 1, 0, 2]


def test_typical_is_dense_and_not_at_the_edge():
    points, _ = groups([60], spread=0.05)
    flat = np.concatenate([points, points[:1] + 0.3]).astype(np.float32)
    flat = np.column_stack([flat, np.linspace(0, 0.01, 61)]).astype(np.float32)
    utilities = diversity._typicality(flat, np.zeros(61, dtype=int))
    assert utilities.argmin() == 60


def test_typical_considers_a_sample_of_very_many(monkeypatch):
    monkeypatch.setattr(diversity, "MOST_CLUSTERED", 30)
    points, _ = groups([50, 50])
    utilities = TypicalClusters().utilities(context(100, features=points, batch=2))
    assert np.isfinite(utilities).sum() == 30 and np.isneginf(utilities).sum() == 70


def test_many_points_are_clustered_in_batches():
    points, which = groups([2000, 1500])
    clusters = diversity._clusters(points, 2, seed=0)
    assert len(set(clusters[which == 0])) == 1 and len(set(clusters)) == 2


def test_a_group_of_one():
    typicality = diversity._typicality(np.eye(3, dtype=np.float32), np.array([0, 0, 1]))
    assert typicality[2] == 0 and typicality[0] > 0


def test_items_that_are_all_alike_do_not_warn():
    points = np.ones((30, 4), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for strategy in (TypicalClusters(), ClusterMargin()):
            made = context(30, features=points, proba=np.full((30, 2), 0.5, np.float32), batch=5)
            assert len(strategy.utilities(made)) == 30


def test_cluster_margin_takes_one_of_each_group():
    points, which = groups([20, 20, 20])
    doubt = np.linspace(0.0, 0.2, 60)  # the third group is the least sure
    proba = np.column_stack([1 - 0.4 - doubt, 0.4 + doubt]).astype(np.float32)
    proba = np.abs(proba)
    made = context(60, features=points, proba=proba, batch=3)
    first = pick(ClusterMargin(pool_factor=20).utilities(made), 3, made.rng())
    assert set(which[first]) == {0, 1, 2}
    unaware = pick(Margin().utilities(made), 3, made.rng())
    assert len(set(which[unaware])) < 3


def test_cluster_margin_ranks_by_margin_behind_the_batch():
    points, _ = groups([20, 20])
    rng = np.random.default_rng(1)
    proba = rng.dirichlet([1, 1, 1], 40).astype(np.float32)
    made = context(40, features=points, proba=proba, batch=2)
    utilities = ClusterMargin(pool_factor=5).utilities(made)
    margin = Margin().utilities(made)
    taken = utilities >= 1
    assert taken.sum() == 10 and margin[taken].min() >= margin[~taken].max()
    assert utilities[~taken] == pytest.approx(margin[~taken])
    assert utilities % 1 == pytest.approx(margin, abs=2e-4)


@pytest.mark.parametrize("batch", [1, 5])
def test_cluster_margin_explains_a_tie_as_a_tie(batch):
    points, _ = groups([10, 10])
    tied = np.full((20, 2), 0.5, dtype=np.float32)
    made = context(20, features=points, proba=tied, batch=batch)
    strategy = ClusterMargin(pool_factor=1)
    reasons = {strategy.reason(float(u)) for u in strategy.utilities(made)}
    assert reasons == {"the model is least sure here (margin 0.00)"}


# ---------------------------------------------------------------- the default


def test_auto_goes_by_what_is_known():
    auto, points = Auto(start=5), np.eye(3, dtype=np.float32)
    few, many = np.arange(4), np.arange(5)
    for made, expected, aim in [
        (context(), Random, "asking at random"),
        (context(features=points), TransductiveDesign, "exploring the pool"),
        (
            context(features=points, proba=PROBA, labeled=few),
            TransductiveDesign,
            "exploring the pool",
        ),
        (
            context(features=points, proba=PROBA, labeled=many),
            TransductiveDesign,
            "asking what settles unsure items",
        ),
        (context(proba=PROBA, labeled=few), Margin, "asking what the model is least sure of"),
    ]:
        chosen = auto.choose(made)
        assert (type(chosen), chosen.aim) == (expected, aim)
    made = context(proba=PROBA)
    assert np.array_equal(auto.utilities(made), Margin().utilities(made))


def test_auto_explores_on_beside_a_model_that_is_sure_of_little():
    points, unsure = np.eye(2000, dtype=np.float32), np.full((2000, 2), 0.5, dtype=np.float32)
    unsure[:, 0] += np.linspace(0, 0.2, 2000, dtype=np.float32)  # margins of 0.2 in the mean
    unsure[:, 1] = 1 - unsure[:, 0]
    two, five, labeled = ("ham", "spam"), tuple("abcde"), np.arange(20)

    def aim(**known):
        made = context(2000, features=points, labeled=labeled, **known)
        return Auto().choose(made).aim

    explores = "exploring: the model is sure of little"
    asks = "asking what settles unsure items"
    assert aim(proba=unsure, classes=two) == explores
    assert aim(pool_proba=unsure, classes=two) == explores
    assert aim(proba=unsure, classes=five) == asks  # four labels a class say nothing yet
    assert aim(proba=unsure) == asks  # what may be several at once has no classes here
    sure = unsure + np.float32([0.1, -0.1])
    assert aim(proba=sure, classes=two) == asks
    made = context(2000, features=points, labeled=labeled, proba=unsure, classes=two)
    assert Auto(sure=0).choose(made).aim == asks
    explored = TransductiveDesign(weighted=False).utilities(made)
    assert np.array_equal(Auto().utilities(made), explored)


# ---------------------------------------------------------------- coverage


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_labels", [0, 7])
def test_facility_location_is_greedy(weighted, n_labels):
    rng = np.random.default_rng(3)
    points = np.abs(rng.normal(size=(300, 8))).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    labeled, candidates = np.arange(n_labels), np.arange(n_labels, 300)
    proba = rng.dirichlet(np.ones(3), size=len(candidates)).astype(np.float32)
    made = context(
        candidates=candidates, proba=proba, features=points, labeled=labeled, batch=5, seed=1
    )
    utilities = FacilityLocation(weighted=weighted).utilities(made)

    unsure = Margin().utilities(made) if weighted else np.ones(len(candidates))
    similar = points[candidates] @ points[candidates].T
    best = (points[candidates] @ points[labeled].T).max(axis=1) if n_labels else np.zeros(300)
    expected: list[int] = []
    for _ in range(10):
        gains = unsure * (unsure[:, None] * np.maximum(similar - best[:, None], 0)).sum(axis=0)
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        best = np.maximum(best, similar[:, expected[-1]])
    assert np.argsort(-utilities)[:10].tolist() == expected
    assert (utilities[expected] >= 1).all()
    assert (np.delete(utilities, expected) < 1).all()


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("n_labels", [0, 7])
def test_transductive_design_lowers_the_posterior_variance_the_most(weighted, n_labels):
    """The same by inverting the kernel of all that is labeled anew for each choice."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(200, 4)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    candidates = np.arange(n_labels, 200)
    proba = rng.dirichlet(np.ones(3), size=len(candidates)).astype(np.float32)
    made = context(
        candidates=candidates, proba=proba, features=points, labeled=np.arange(n_labels), batch=5
    )
    utilities = TransductiveDesign(weighted=weighted, noise=0.5).utilities(made)

    unsure = Margin().utilities(made) if weighted else np.ones(len(candidates))
    squared = np.square(points[:, None].astype(float) - points).sum(axis=2)
    some = squared[np.ix_(candidates, candidates)]
    kernel = np.exp(-squared / np.median(some[some > 1e-6]))
    known = list(range(n_labels))
    expected: list[int] = []
    for _ in range(11):
        inverse = np.linalg.inv(kernel[np.ix_(known, known)] + 0.5 * np.eye(len(known)))
        posterior = (kernel - kernel[:, known] @ inverse @ kernel[known])[n_labels:, n_labels:]
        lowered = unsure @ posterior**2 / (posterior.diagonal() + 0.5)
        gains = unsure * lowered
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        known.append(int(candidates[expected[-1]]))
    chosen, rest = expected[:10], np.setdiff1d(np.arange(len(candidates)), expected[:10])
    assert np.argsort(-utilities)[:11].tolist() == expected
    assert (utilities[chosen] >= 1).all() and (utilities[rest] < 1).all()
    # The rest is in the order of what each would gain after these ten.
    gains[expected[-1]] = (unsure * lowered)[expected[-1]]
    assert utilities[rest] == pytest.approx(gains[rest] / gains[rest].max(), abs=0.01)


def test_transductive_design_of_items_that_are_all_alike_or_empty():
    for points in (np.ones((30, 2), np.float32), np.zeros((30, 2), np.float32)):
        made = context(candidates=np.arange(5, 30), features=points, labeled=np.arange(5), batch=20)
        utilities = TransductiveDesign().utilities(made)
        assert utilities.shape == (25,) and np.isfinite(utilities).all()
    nothing = context(candidates=np.arange(0), features=points)
    assert TransductiveDesign().utilities(nothing).shape == (0,)


def test_transductive_design_keeps_to_some_of_many_labels(monkeypatch):
    from nblabel.strategies import coverage

    monkeypatch.setattr(coverage, "MOST_LABELED", 30)
    points, _ = groups([50, 50])
    made = context(candidates=np.arange(60, 100), features=points, labeled=np.arange(60))
    utilities = TransductiveDesign().utilities(made)
    assert (utilities >= 1).sum() == 2 * made.batch and np.isfinite(utilities).all()


@pytest.mark.parametrize("strategy", [FacilityLocation(), TransductiveDesign()])
def test_coverage_looks_at_some_of_a_large_pool(strategy, monkeypatch):
    from nblabel.strategies import coverage

    monkeypatch.setattr(coverage, "MOST_CANDIDATES", 40)
    monkeypatch.setattr(coverage, "MOST_COVERED", 20)
    points, _ = groups([50, 30, 20])
    proba = np.full((100, 2), 0.5, np.float32)
    proba[50:] = [0.9, 0.1]
    made = context(candidates=np.arange(100), features=points, proba=proba, batch=4)
    utilities = strategy.utilities(made)
    assert (utilities >= 1).sum() == 8
    assert 30 <= (utilities >= 0).sum() <= 40  # two halves that may overlap


def test_facility_location_is_greedy_over_the_part_of_a_large_pool_that_it_looks_at(monkeypatch):
    from nblabel.strategies import coverage

    monkeypatch.setattr(coverage, "MOST_CANDIDATES", 80)
    monkeypatch.setattr(coverage, "MOST_COVERED", 80)
    rng = np.random.default_rng(4)
    points = rng.normal(size=(400, 6)).astype(np.float32)  # some similarities are negative
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    labeled, candidates = np.arange(0, 400, 40), np.setdiff1d(np.arange(400), np.arange(0, 400, 40))
    proba = rng.dirichlet(np.ones(5), size=400).astype(np.float32)
    made = context(
        candidates=candidates, pool_proba=proba, features=points, labeled=labeled, batch=4
    )
    utilities = FacilityLocation().utilities(made)

    top = np.sort(proba[candidates], axis=1)
    unsure = 1 - (top[:, -1] - top[:, -2])
    taken = np.flatnonzero(utilities >= 0)
    assert set(np.argsort(-unsure)[:40]) <= set(taken)  # one half is the least sure
    looked_at = points[candidates[taken]]
    similar = looked_at @ looked_at.T
    best = np.maximum((looked_at @ points[labeled].T).max(axis=1), 0)
    expected: list[int] = []
    for _ in range(8):
        gains = unsure[taken] * (np.maximum(similar - best[:, None], 0).T @ unsure[taken])
        gains[expected] = -1
        expected.append(int(gains.argmax()))
        best = np.maximum(best, similar[:, expected[-1]])
    assert np.argsort(-utilities)[:8].tolist() == taken[expected].tolist()
    left = np.setdiff1d(np.arange(len(candidates)), taken)
    assert np.argsort(-utilities[left]).tolist() == np.argsort(-unsure[left]).tolist()


def test_badge_takes_each_group_once():
    points, which = groups([40, 40, 40])
    proba = np.tile(np.float32([0.4, 0.35, 0.25]), (120, 1))
    made = context(candidates=np.arange(120), features=points, proba=proba, batch=3)
    first = np.argsort(-Badge().utilities(made))[:3]
    assert sorted(which[first]) == [0, 1, 2]


def test_badge_of_items_that_are_all_alike():
    points = np.ones((6, 2), np.float32) / np.sqrt(np.float32(2))
    proba = np.full((6, 2), 0.5, np.float32)
    utilities = Badge().utilities(context(candidates=np.arange(6), features=points, proba=proba))
    assert np.isfinite(utilities).all()


def drawn_by_badge(made: Context) -> tuple[np.ndarray, np.ndarray]:
    """The batch, and the probability of each."""
    drawn = np.argsort(-Badge().utilities(made))[: made.batch]
    return drawn, Badge().probabilities(made, drawn)


def gradients(n: int, **changes) -> Context:
    rng = np.random.default_rng(3)
    proba = rng.dirichlet([1, 1, 1], n).astype(np.float32)
    points = rng.normal(size=(n, 2)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return context(n=n, features=points, proba=proba, batch=3, **changes)


def test_badge_draws_with_the_probabilities_that_it_says():
    counts, expected = np.zeros(12), np.zeros(12)
    said: dict[int, float] = {}
    for seed in range(4000):
        drawn, probabilities = drawn_by_badge(gradients(12, seed=seed))
        assert np.isnan(probabilities[0]), "the longest gradient comes first"
        counts[drawn[1]] += 1
        assert said.setdefault(int(drawn[1]), probabilities[1]) == probabilities[1]
    expected[list(said)] = list(said.values())
    assert expected.sum() == pytest.approx(1), "each that has a probability was drawn"
    able = expected > 0
    assert stats.chisquare(counts[able], 4000 * expected[able]).pvalue > 1e-3


@pytest.mark.parametrize("alike", [False, True])
def test_the_inverse_of_a_probability_of_badge_is_a_weight(alike, monkeypatch):
    """Also of a pool that is looked at in part: with that of the first one, which is sure once it
    is looked at, the weights add up to its size on average."""
    monkeypatch.setattr(coverage, "MOST_CANDIDATES", 20)
    made = gradients(60)
    if alike:  # which of the least sure are looked at is chance
        made.proba[:30] = np.float32([0.5, 0.5, 0.0])
    seen = coverage._chance_to_be_looked_at(1 - margins(made.proba), 20)
    assert len(set(seen.tolist())) == 2, "sure to be looked at or not, or tied or not"
    sums = []
    for seed in range(3000):
        drawn, probabilities = drawn_by_badge(replace(made, seed=seed))
        assert ((probabilities[1:] > 0) & (probabilities[1:] <= 1)).all()
        sums.append(1 / seen[drawn[0]] + 1 / probabilities[1])
    assert abs(np.mean(sums) - 60) < 4 * np.std(sums) / np.sqrt(len(sums))


def test_what_is_behind_the_batch_of_badge_is_no_draw():
    made = gradients(12)
    order = np.argsort(-Badge().utilities(made))
    probabilities = Badge().probabilities(made, order)
    assert np.isnan(probabilities).tolist() == [True, False, False] + [True] * 9


def test_committee_asks_where_its_members_differ():
    same = np.float32([[0.5, 0.5], [0.9, 0.1], [0.5, 0.5]])
    other = np.float32([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9]])
    utilities = Committee().utilities(context(committee=np.stack([same, other])))
    assert utilities[:2] == pytest.approx([0, 0], abs=1e-6)
    middle = (same[2] + other[2]) / 2
    divergence = np.mean([sum(p * np.log(p / middle)) for p in (same[2], other[2])])
    assert utilities[2] == pytest.approx(divergence, rel=1e-5)


# ---------------------------------------------------------------- finding


def test_find_takes_the_rarest_label_or_the_one_named():
    known = {"classes": ("a", "b", "c"), "labels": ("a", "a", "b", "c", "c"), "proba": PROBA}
    assert np.array_equal(Find().utilities(context(**known)), PROBA[:, 1])
    assert np.array_equal(Find("c").utilities(context(**known)), PROBA[:, 2])
    assert Find("c").aim == "looking for c"
    assert Find().reason(0.5) == "likely to be what is looked for (by the model 0.50)"
    assert Find().reason(0.06) == "among the likeliest that are left (by the model 0.06)"
    assert Find().choose(context(**known)).aim == "looking for b"


def test_find_explores_until_the_first_is_found():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 3)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    unknown = {
        "classes": ("a", "b", "c"),
        "labels": ("a",),
        "proba": np.float32([[0.4, 0.3, 0.3]] * 60),
    }
    for more in ({}, unknown):
        made = context(60, candidates=np.arange(60), features=points, **more)
        chosen = Find("d").choose(made)
        assert chosen.name == "transductive_design"
        assert chosen.aim == "exploring until d is learned"
        expected = TransductiveDesign(weighted=False).utilities(made)
        assert np.array_equal(Find("d").utilities(made), expected)
        assert Find("d").choose(context(60, **more)).name == "random"
    assert Find().choose(context(60)).aim == "exploring until a second label is learned"
    found = context(
        60, candidates=np.arange(60), features=points, **unknown | {"labels": ("a", "c")}
    )
    find = Find("c")
    assert find.choose(found) is find


# ---------------------------------------------------------------- by name and by object


def test_built_ins_have_names():
    assert as_strategy("margin").name == "margin"
    assert set(strategies.BUILT_IN) == {
        "auto", "random", "least_confidence", "margin", "entropy", "typical", "cluster_margin",
        "committee", "facility_location", "transductive_design", "badge", "find",
    }  # fmt: skip
    mine = Margin()
    assert as_strategy(mine) is mine


class Needy(Margin):
    name = "needy"
    requires = frozenset({"proba", "tarot"})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("margn", r"no strategy 'margn'\. Did you mean 'margin'"),
        (Margin, r"takes an object: write Margin\(\)"),
        (3, r"takes a name \(.*margin.*\) or an object .*, got int"),
        (Needy(), r"requires \['tarot'\]; there are 'proba', 'features' and 'committee'"),
    ],
)
def test_what_is_no_strategy(given, message):
    with pytest.raises(OptionError, match=message):
        as_strategy(given)


# ---------------------------------------------------------------- picking


def test_pick_puts_nan_last():
    values = np.array([np.nan, 1.0, -np.inf, np.inf])
    assert pick(values, 2, np.random.default_rng(0)).tolist() == [3, 1]
    assert len(pick(values, 9, np.random.default_rng(0))) == 4
    assert pick(values, 0, np.random.default_rng(0)).tolist() == []
    assert pick(np.empty(0), 3, np.random.default_rng(0)).tolist() == []


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_nan_is_picked_only_where_nothing_else_is_left(share):
    rng = np.random.default_rng(0)
    values = rng.normal(size=5000)
    values[rng.random(5000) < share] = np.nan
    in_order = -np.sort(-values[~np.isnan(values)])
    for k in (1, 40, 2500):
        picked = pick(values, k, np.random.default_rng(0))
        assert len(set(picked)) == k
        assert np.array_equal(values[picked][: len(in_order)], in_order[:k])


def test_ties_are_broken_evenly():
    counts = np.zeros(6)
    for seed in range(3000):
        counts[pick(np.array([1, 1, 1, 1, 0, 2]), 2, np.random.default_rng(seed))[1]] += 1
    assert counts[4] == counts[5] == 0
    assert counts[:4].min() > 650


def test_equal_values_are_drawn_from_the_whole_of_a_large_pool():
    values = np.zeros(300_000, dtype=np.float32)
    values[::3] = -1
    values[[7, 299_998]] = 1
    picked = pick(values, 3002, np.random.default_rng(0))
    assert set(picked[:2]) == {7, 299_998}
    assert len(set(picked)) == 3002 and np.all(values[picked[2:]] == 0)
    tenths = np.histogram(picked[2:], bins=10, range=(0, 300_000))[0]
    assert tenths.min() > 200  # 300 on average, standard deviation 16


@pytest.mark.parametrize("n", [1, 7, 1000, 5000])
@pytest.mark.parametrize("levels", [1, 3, 100_000])
def test_the_largest_are_those_of_a_sort(n, levels):
    rng = np.random.default_rng(n)
    for values in (rng.integers(levels, size=n).astype(np.float32), rng.normal(size=n)):
        for k in (0, 1, 5, n // 3, n, n + 3):
            assert np.array_equal(largest(values, k), np.argsort(-values, kind="stable")[:k])
            picked = pick(values, k, np.random.default_rng(0))
            assert len(set(picked)) == len(picked) == min(k, n)
            assert np.array_equal(values[picked], -np.sort(-values)[:k])


def test_picking_breaks_every_tie_at_random():
    values = np.array([1.0, 2.0, 2.0, 1.0, 1.0, 0.0])
    drawn = [pick(values, 3, np.random.default_rng(seed)) for seed in range(300)]
    assert {tuple(places[:2]) for places in drawn} == {(1, 2), (2, 1)}
    counts = np.bincount([places[2] for places in drawn], minlength=6)
    assert set(np.flatnonzero(counts)) == {0, 3, 4} and counts[[0, 3, 4]].min() > 60


def test_margins_are_those_of_a_sort():
    rng = np.random.default_rng(0)
    for n_classes in (2, 3, 12, 24, 25, 26, 77):
        proba = rng.dirichlet(np.ones(n_classes), 9000).astype(np.float32)
        for given in (proba, np.asfortranarray(proba), proba.astype(np.float64)):
            top = np.sort(given, axis=1)
            assert np.array_equal(margins(given), top[:, -1] - top[:, -2])


@pytest.mark.parametrize("strategy", [Margin(), LeastConfidence(), Entropy(), ClusterMargin()])
def test_probabilities_of_the_pool_are_those_of_the_candidates(strategy):
    rng = np.random.default_rng(0)
    pool, features = rng.dirichlet([1, 1, 1], 50).astype(np.float32), rng.normal(size=(50, 4))
    places = np.sort(rng.choice(50, 40, replace=False))
    one = Context(places, proba=pool[places], features=features)
    other = Context(places, pool_proba=pool, features=features)
    assert one.has_proba and other.has_proba and not Context(places).has_proba
    assert Context(places).proba is None
    assert np.array_equal(strategy.utilities(one), strategy.utilities(other))
    assert np.array_equal(other.proba, one.proba) and other.proba is other.proba


@pytest.mark.parametrize(
    "strategy", [TransductiveDesign(), FacilityLocation()], ids=lambda one: one.name
)
def test_of_features_that_have_to_be_made_fewer_are_looked_at(strategy, monkeypatch):
    """Where there is an array of them there is time for more candidates."""
    monkeypatch.setattr(coverage, "LARGE", 100)
    monkeypatch.setattr(coverage, "MOST_CANDIDATES", 80)
    points = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    for features, n_taken in ((embed(points), 80), (Embedding(points), 20)):
        made = strategy.utilities(context(300, features=features))
        # Half of them at random, of which some are among the others.
        assert 0.8 * n_taken < np.count_nonzero(made > -1) <= n_taken
