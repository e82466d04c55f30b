"""The statistics of certificates, against exact enumeration where that can be done."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from scipy import stats

from nblabel.certify import (
    Attempt,
    Certificate,
    ErrorBound,
    Terms,
    Trial,
    all_errors,
    choose,
    error_times,
    expected_audits,
    miss_bound,
    observed_to_expected,
    spent,
)
from nblabel.errors import EventError, OptionError


def terms(**changes) -> Terms:
    plain = Terms("c1", 0.05, 0.95, "pool", 1000, 50, 1.0, 7, 0.9, 3)
    return replace(plain, **changes)


# ---------------------------------------------------------------- the bound on errors


@pytest.mark.parametrize("n", [5, 9])
@pytest.mark.parametrize("delta", [0.1, 0.35])
@pytest.mark.parametrize("budget", [0, 1, 3])
def test_the_bound_holds_at_all_times_in_all_orders(n, delta, budget):
    """Every order is as likely as any other: counted, not drawn."""
    bound = ErrorBound(n, delta, budget, expected=1.0)
    for errors in range(n + 1):
        failed = orders = 0
        for places in itertools.combinations(range(n), errors):
            wrong = np.isin(np.arange(n), places)
            failed += bool((bound.curve(wrong) < errors).any())
            orders += 1
        assert failed <= delta * orders, (errors, failed, orders)


def test_the_bound_spends_what_it_may():
    # Of one error too many; with none found it stops as early as any test could that keeps a part
    # of delta for later.
    n, budget, delta = 2000, 40, 0.05
    bound = ErrorBound(n, delta, budget, expected=0.0)
    curve = bound.curve(np.zeros(400, dtype=bool))
    stop = int(np.flatnonzero(curve <= budget)[0])
    first = delta * (1 - 2.0**-2)
    chance = [stats.hypergeom.pmf(0, n, budget + 1, t) for t in (stop - 1, stop)]
    assert chance[1] <= first < chance[0]
    assert stop < 1.15 * math.log(1 / delta) / -math.log1p(-(budget + 1) / n)


@pytest.mark.parametrize("expected", [0.5, 3.0])
def test_false_certificates_are_rare_just_above_the_bound(expected):
    n, budget, delta = 800, 40, 0.1
    bound = ErrorBound(n, delta, budget, expected)
    rng = np.random.default_rng(5)
    false = 0
    for _ in range(400):
        wrong = rng.permutation(n) <= budget
        left = bound.curve(wrong[:400]) - np.concatenate([[0], np.cumsum(wrong[:400])])
        truly = wrong.sum() - np.concatenate([[0], np.cumsum(wrong[:400])])
        false += bool(((left <= budget) & (truly > budget)).any())
    assert false > 0
    assert stats.binom.sf(false - 1, 400, delta) > 1e-4


def test_the_curve_never_rises_and_ends_with_the_truth():
    bound = ErrorBound(300, 0.05, 10)
    wrong = np.random.default_rng(1).random(300) < 0.05
    curve = bound.curve(wrong)
    assert len(curve) == 301 and curve[0] == 300
    assert (np.diff(curve) <= 0).all() and (curve >= np.concatenate([[0], np.cumsum(wrong)])).all()
    assert curve[-1] == wrong.sum()
    for t in (0, 17, 120):  # the same whether it comes at once or one by one
        assert ErrorBound(300, 0.05, 10).curve(wrong[:t]).tolist() == curve[: t + 1].tolist()


def test_errors_cost_and_right_ones_pay():
    bound = ErrorBound(1000, 0.05, 50)
    clean, late, early = (np.zeros(120, dtype=bool) for _ in range(3))
    late[100], early[5] = True, True
    ends = [int(bound.curve(wrong)[-1]) for wrong in (clean, late, early)]
    assert ends[0] < ends[1] <= ends[2]


def test_a_set_of_one():
    assert ErrorBound(1, 0.05, 0).curve(np.array([True])).tolist() == [1, 1]
    assert ErrorBound(1, 0.05, 0).curve(np.array([False])).tolist() == [1, 0]


# ---------------------------------------------------------------- all cuts at once


@pytest.mark.parametrize(
    ("n", "delta", "budget", "expected"),
    [(7, 0.1, 0, 1.0), (7, 0.35, 1, 0.5), (7, 0.35, 2, 3.0), (6, 0.5, 0, 2.0), (6, 0.5, 3, 1.0)],
)
def test_no_cut_at_any_moment_leaves_too_many(n, delta, budget, expected):
    """Whoever knows the truth may choose when to end: counted over all orders, not drawn."""
    times = error_times(n, delta, budget, expected)
    for errors in range(n + 1):
        failed = orders = 0
        for when in itertools.permutations(range(n), errors):  # each is found, by rank
            is_found = np.array(when, dtype=int) < times[:, None]
            before = np.cumsum(is_found, axis=1) <= np.arange(len(times))[:, None]
            failed += bool(((before & ~is_found).sum(axis=1) > budget).any())
            orders += 1
        assert failed <= delta * orders, (errors, failed, orders)


def test_the_times_are_as_early_as_can_be():
    times = error_times(2000, 0.05, 40, 0.0)
    chance = [stats.hypergeom.pmf(0, 2000, 41, t) for t in (times[0] - 1, times[0])]
    assert chance[1] <= 0.05 * (1 - 2.0**-2) < chance[0]
    assert (np.diff(times) >= 0).all() and times[-1] <= 2000
    assert error_times(30, 0.1, 30).tolist() == [0] * 30  # all of them may be wrong
    assert error_times(1, 0.1, 0).tolist() == [1]


def hard_end(n: int = 2000) -> np.ndarray:
    """One in a hundred is wrong, and of the 300 that the model doubts most every other one."""
    wrong = np.arange(n) % 100 == 50
    wrong[n - 300 :: 2] = True
    return wrong


def test_the_cut_is_where_errors_are_dense():
    wrong, rng = hard_end(), np.random.default_rng(0)
    for _ in range(5):
        ranks = rng.permutation(2000)
        trial = Trial(terms(n_items=2000, budget=100, expected=6.0), 2000, 1, ranks.tolist())
        found = wrong[ranks]
        stop = trial.reached(found)
        made = trial.evidence(found[:stop])
        assert made.is_enough and not trial.evidence(found[: stop - 1]).is_enough
        assert 1500 < made.cut < 1950 and stop < 500
        assert made.machine == (ranks[stop:] < made.cut).sum()
        assert wrong[ranks[stop:][ranks[stop:] < made.cut]].sum() <= 100
        assert made.curve[-1] <= 100 == made.allowed[-1]
        whole = Trial(terms(n_items=2000, budget=100, expected=6.0), 2000, 1)
        assert whole.reached(found[:stop]) is None


def test_what_is_left_to_do_and_what_is_likely():
    wrong = hard_end()
    ranks = np.random.default_rng(1).permutation(2000)
    trial = Trial(terms(n_items=2000, budget=100, expected=6.0), 2000, 1, ranks.tolist())
    seen = wrong[ranks][:40]
    left = trial.left(seen)
    clean = np.append(seen, np.zeros(left, dtype=bool))
    assert trial.evidence(clean).is_enough and not trial.evidence(clean[:-1]).is_enough
    more, by_hand = trial.outlook(seen)
    assert more >= left and 30 < by_hand < 800
    none = np.zeros(200, dtype=bool)
    assert trial.reached(none) == trial.left(none[:0]) < 120
    assert trial.cut(none)[0] == trial.evidence(none).cut == 2000
    assert trial.outlook(none)[1] == 0
    everything = wrong[ranks]
    assert trial.evidence(everything).is_enough and trial.evidence(everything).machine == 0


# ---------------------------------------------------------------- confidence over attempts


def test_attempts_spend_no_more_than_delta():
    shares = [spent(0.05, j) for j in range(1, 20_000)]
    assert shares[0] == pytest.approx(0.045) and shares[1] == pytest.approx(0.005 * 6 / math.pi**2)
    assert 0.0499 < sum(shares) <= 0.05
    assert all(a > b for a, b in itertools.pairwise(shares))


# ---------------------------------------------------------------- vigilance


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.4])
def test_the_miss_rate_is_bounded_at_all_times(rate):
    """By the exact chance that it ever fails in 40 traps."""
    delta, alive, failed = 0.05, {0: 1.0}, 0.0
    for shown in range(1, 41):
        after: dict[int, float] = {}
        for missed, chance in alive.items():
            for more, p in ((0, 1 - rate), (1, rate)):
                after[missed + more] = after.get(missed + more, 0.0) + chance * p
        alive = {}
        for missed, chance in after.items():
            if miss_bound(missed, shown, delta) < rate:
                failed += chance
            else:
                alive[missed] = chance
    assert failed <= delta


def test_the_miss_rate_falls_with_traps_that_were_caught():
    assert miss_bound(0, 0, 0.01) == miss_bound(3, 3, 0.01) == 1.0
    caught = [miss_bound(0, n, 0.01) for n in (5, 20, 80)]
    assert caught[0] > caught[1] > caught[2] > 0
    assert caught[2] == pytest.approx(1 - 0.005 ** (1 / 80), rel=0.15)  # half is bet on no miss
    assert miss_bound(2, 20, 0.01) > caught[1]


def test_all_errors_are_those_that_chance_leaves_possible():
    noticed = np.array([0, 3, 40])
    found = all_errors(noticed, 0.2, 0.01, 1000)
    for low, most in zip(noticed, found, strict=True):
        assert stats.binom.cdf(low, most, 0.8) > 0.01 >= stats.binom.cdf(low, most + 1, 0.8)
    assert all_errors(noticed, 1.0, 0.01, 1000).tolist() == [1000] * 3
    assert all_errors(noticed, 0.0, 0.01, 1000).tolist() == noticed.tolist()


def test_missed_errors_make_it_stricter():
    wrong = np.zeros(90, dtype=bool)
    blind = Trial(terms(), 1000, 1).evidence(wrong)
    shown = Trial(terms(shown=True, traps=0.2), 1000, 1)
    assert blind.is_enough
    assert not shown.evidence(wrong, traps=0).is_enough  # nobody knows what was missed
    careless = shown.evidence(np.zeros(200, dtype=bool), traps=40, missed=20)
    careful = shown.evidence(np.zeros(200, dtype=bool), traps=40, missed=0)
    assert careful.is_enough and not careless.is_enough
    assert careful.vigilance["miss_rate"] < 0.2 < careless.vigilance["miss_rate"]


# ---------------------------------------------------------------- what is put forward


def test_a_sure_model_leaves_little_to_people():
    choice = choose(np.full(5000, 0.0005), 100, 0.04)
    assert choice.machine == 5000 and choice.by_hand == 0 and choice.audits < 250
    assert choice.looks == choice.audits


def test_what_the_model_does_not_know_is_left_to_people():
    doubt = np.concatenate([np.full(3000, 0.001), np.full(1000, 0.5)])
    choice = choose(doubt, 80, 0.04)
    assert 2700 <= choice.machine <= 3100
    hopeless = choose(np.full(1000, 0.5), 10, 0.04)
    assert hopeless.machine <= 10 and hopeless.audits == 0  # so many may be wrong anyway
    assert choose(np.full(1000, 0.5), 10, 0.04, "machine").machine == 0
    assert (
        choose(np.full(3000, 0.001), 60, 0.04, "machine").audits
        >= choose(np.full(3000, 0.001), 60, 0.04).audits
    )


def test_what_was_seen_says_how_wrong_the_belief_is():
    assert observed_to_expected([], []) == 1.0
    assert observed_to_expected([True] * 3 + [False] * 7, [0.1] * 10) == 2.0
    assert observed_to_expected([False] * 10, [0.3] * 10) == pytest.approx(0.25)


def test_expected_audits_are_what_it_takes():
    n, budget, delta, errors = 5000, 100, 0.04, 20
    guess = expected_audits(n, errors, budget, delta)
    bound = ErrorBound(n, delta, budget, guess * errors / n + 0.5)
    rng, taken = np.random.default_rng(0), []
    for _ in range(30):
        wrong = (rng.permutation(n) < errors)[:1500]
        left = bound.curve(wrong) - np.concatenate([[0], np.cumsum(wrong)])
        taken.append(int((left <= budget).argmax()))
    assert 0.6 < guess / np.mean(taken) < 1.6
    assert expected_audits(50, 10.0, 60, delta) == 0  # all of them may be wrong


# ---------------------------------------------------------------- attempts and certificates


def begun(n: int = 40, **changes) -> dict:
    told = terms(n_items=n, budget=2, **changes)
    return {
        "step": "begin", "attempt": told.id, "terms": asdict(told),
        "items": [str(k) for k in range(n)], "values": ["ham", "spam"],
        "codes": [k % 2 for k in range(n)], "contents": [None] * n,
    }  # fmt: skip


def test_an_attempt_comes_to_a_certificate_and_is_revoked():
    attempt = Attempt.begin(begun(), 1, 12)
    assert (attempt.state, attempt.value(1), attempt.machine_labels()) == ("verifying", "spam", [])
    done = {"step": "certify", "audited": 30, "errors": 1, "bound": 2, "vigilance": None}
    attempt.said_of_it(done, 50, "2026-11-21T10:00:00+00:00")
    made = attempt.certificate
    assert made is not None and attempt.state == "certified"
    assert (made.machine, made.began, made.ended, made.annotator) == (10, 12, 50, "auto:c1")
    assert [item for item, _, _ in attempt.machine_labels()] == [str(k) for k in range(30, 40)]
    assert made.explanation == (
        "95 % confidence that of all 40 items at most 5 % are labeled wrong, people's own labels "
        "taken as right: 30 of 40 were verified in random order and 1 found wrong and corrected."
    )
    told = json.loads(json.dumps(made.to_dict()))
    assert told["max_error"] == 0.05 and told["delta"] == pytest.approx(0.045)
    assert told["explanation"] == made.explanation
    attempt.said_of_it({**done, "errors": 9}, 51, "")  # too late
    attempt.said_of_it({"step": "close"}, 52, "")
    assert attempt.certificate == made
    attempt.said_of_it({"step": "revoke"}, 53, "")
    assert attempt.state == "revoked" and attempt.machine_labels() == []
    assert isinstance(attempt.certificate, Certificate) and attempt.certificate.revoked
    assert attempt.certificate.explanation.startswith("Revoked: ")


def test_a_certificate_with_a_cut_is_about_the_surest_alone():
    ranks = [39 - k for k in range(40)]  # the last one drawn is the surest
    attempt = Attempt.begin({**begun(), "ranks": ranks}, 1, 12)
    done = {"step": "certify", "audited": 10, "errors": 1, "bound": 2, "vigilance": None, "cut": 22}
    attempt.said_of_it(done, 50, "")
    made = attempt.certificate
    assert [item for item, _, _ in attempt.machine_labels()] == [str(k) for k in range(18, 40)]
    assert (made.machine, made.by_hand, made.to_dict()["by_hand"]) == (22, 8, 8)
    assert made.explanation.endswith(
        "10 of 40 were verified in random order and 1 found wrong and corrected; 8 of which the "
        "model was less sure are left to people."
    )


@pytest.mark.parametrize("ranks", ["abc", [0] * 40, list(range(39)), list(range(1, 41)), [True]])
def test_damaged_ranks_are_refused(ranks):
    with pytest.raises(EventError, match="begins no attempt"):
        Attempt.begin({**begun(), "ranks": ranks}, 1, 1)
    for changes in ({"form": "machine"}, {"shown": True, "traps": 0.2}):  # nothing is cut there
        with pytest.raises(EventError, match="begins no attempt"):
            Attempt.begin({**begun(**changes), "ranks": list(range(40))}, 1, 1)


@pytest.mark.parametrize(
    "broken",
    [
        {"terms": None}, {"terms": {}}, {"items": "abc"}, {"codes": [2] * 40}, {"codes": [0]},
        {"items": ["x"] * 40}, {"items": [1] * 40}, {"contents": [1] * 40}, {"attempt": "other"},
        {"values": None}, {"codes": [True] * 40}, {"items": [], "codes": [], "contents": []},
    ],
)  # fmt: skip
def test_a_damaged_beginning_is_refused(broken):
    with pytest.raises(EventError, match="begins no attempt"):
        Attempt.begin({**begun(), **broken}, 1, 1)


@pytest.mark.parametrize(
    "broken",
    [{"audited": 41}, {"audited": -1}, {"errors": "1"}, {"bound": None}, {"vigilance": "x"},
     {"cut": -1}, {"cut": "all"}],
)  # fmt: skip
def test_a_damaged_certificate_is_refused(broken):
    attempt = Attempt.begin(begun(), 1, 1)
    with pytest.raises(EventError, match="no certificate"):
        attempt.said_of_it(
            {"step": "certify", "audited": 3, "errors": 0, "bound": 2, **broken}, 2, ""
        )
    with pytest.raises(EventError, match="no trap"):
        attempt.said_of_it({"step": "trap", "item": "1"}, 3, "")
    assert attempt.state == "verifying"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"max_error": 0.0}, "max_error= is a share between 0 and 1, got 0.0"),
        ({"max_error": 2}, "max_error= is a share"),
        ({"confidence": "high"}, "confidence= is a share between 0 and 1, got 'high'"),
        ({"form": "all"}, "form= is 'pool' or 'machine', got 'all'"),
    ],
)
def test_terms_that_make_no_sense(wrong, said):
    with pytest.raises(OptionError, match=said):
        terms(**wrong)


def test_the_stricter_form_allows_a_share_of_what_is_left():
    left = np.array([1000, 500, 10])
    assert terms().allowed(left).tolist() == [50, 50, 50]
    assert terms(form="machine").allowed(left).tolist() == [50, 25, 0]
    wrong = np.zeros(300, dtype=bool)
    pool = Trial(terms(), 1000, 1).left(wrong[:10])
    machine = Trial(terms(form="machine"), 1000, 1).left(wrong[:10])
    assert pool < machine
    reached = Trial(terms(), 1000, 1).evidence(wrong[: 10 + pool])
    assert reached.is_enough
    assert not Trial(terms(), 1000, 1).evidence(wrong[: 9 + pool]).is_enough
