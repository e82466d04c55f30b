"""What the benchmark of certificates compares with does what it says."""

from __future__ import annotations

import numpy as np
from scipy import stats

from benchmarks.certify import Stage, certified, ever_false, over, run_ours, run_pac
from benchmarks.pac_labels import betting_bound, pac_labels
from nblabel.certify import choose


def test_the_betting_bound_covers_the_mean():
    rng = np.random.default_rng(0)
    values = rng.random((150, 400)) < 0.06
    bound = betting_bound(values.astype(float), 0.05)
    failed = int((bound < 0.06).sum())
    assert stats.binom.sf(failed - 1, 400, 0.05) > 1e-4
    assert (bound >= values.mean(axis=0)).all() and bound.mean() < 0.13


def test_pac_labels_leave_to_the_model_what_is_sure():
    rng = np.random.default_rng(0)
    doubt = np.sort(rng.random(2000))
    wrong = rng.random(2000) < 0.5 * (doubt > 0.8)
    expert = pac_labels(doubt, wrong, 0.05, 0.05, 400, rng)
    assert (wrong & ~expert).mean() <= 0.05
    assert (~expert[:1500]).sum() > 100 and expert[1900:].all()
    weighted = pac_labels(doubt, wrong, 0.05, 0.05, 400, rng, "normal", weighted=True)
    assert (~weighted[:1500]).sum() > 100 and (wrong & ~weighted).mean() <= 0.08


def test_pac_labels_are_given_what_ours_had():
    doubt = np.linspace(0, 0.1, 900)
    stage = Stage(np.arange(900), doubt, np.zeros(900, dtype=bool), 100, 1000)
    shares = run_pac(stage, 0.05, np.random.default_rng(0), "betting", 1)
    assert len(shares) == 10 and all(0.1 < share <= 1 for share in shares.values())


def test_an_attempt_of_the_benchmark_is_judged_by_the_truth():
    rng = np.random.default_rng(0)
    reached, false, looked = certified(np.zeros(2000, dtype=bool), 0.05, rng)
    assert reached and not false and 50 < looked < 90
    assert not any(certified(over(2000, 0.2), 0.05, rng)[1] for _ in range(5))
    reached, false, looked = certified(over(2000, 0.2), 0.05, rng, one_set=True)
    assert not reached and not false and looked == 1500
    trusting = [certified(over(2000, 0.15), 0.1, rng, miss_rate=0.5)[1] for _ in range(20)]
    assert sum(trusting) > 10  # missed errors are errors


def test_one_who_knows_the_truth_finds_where_it_is_false():
    rng = np.random.default_rng(0)
    false = [ever_false(np.arange(30), 400, 20, 1.0, rng) for _ in range(400)]
    assert sum(false) > 0 and stats.binom.sf(sum(false) - 1, 400, 0.05) > 1e-4
    assert not ever_false(np.arange(20), 400, 20, 1.0, rng)  # no more are wrong than may be


def test_the_bill_counts_what_the_machine_does_not_label():
    doubt = np.sort(np.random.default_rng(1).beta(0.3, 5, 1900))
    stage = Stage(np.arange(1900), doubt, np.arange(1900) > 1800, 100, 2000)
    choice = choose(doubt, 100, 0.045)
    bill = run_ours(stage, choice, 0.05, np.random.default_rng(0), 3)
    assert 100 / 2000 < bill.ours < 0.3 and bill.true_error <= 0.05
    assert 100 + bill.audited < 2000 * bill.ours + 1e-6
    assert 2000 * (bill.ours - bill.by_hand) == 100 + bill.audited or bill.by_hand > 0
