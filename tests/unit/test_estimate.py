import numpy as np
import pytest
from scipy import stats

from nblabel.estimate import (
    LEAST_AUDITS,
    LEAST_TIMES,
    Share,
    learning_curve,
    pace,
    progressive,
    wilson,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (7, 10), (0, 30), (95, 100), (30, 30)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_wilson_agrees_with_scipy(hits, n, confidence):
    share = wilson(hits, n, confidence)
    theirs = stats.binomtest(hits, n).proportion_ci(confidence, method="wilson")
    assert (share.low, share.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert (share.value, share.n, share.confidence) == (hits / n, n, confidence)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (2, 1), (-1, 3)])
def test_wilson_refuses_what_is_no_share(hits, n):
    with pytest.raises(ValueError, match=rf"got {hits} of {n}"):
        wilson(hits, n)


def test_wilson_covers():
    rng = np.random.default_rng(0)
    for p in (0.5, 0.9):
        shares = [wilson(int(k), 40) for k in rng.binomial(40, p, 2000)]
        assert np.mean([s.low <= p <= s.high for s in shares]) > 0.92


def test_accuracy_is_not_known_from_few_audits():
    assert progressive([True] * (LEAST_AUDITS - 1)) is None
    assert progressive([True] * LEAST_AUDITS) == wilson(LEAST_AUDITS, LEAST_AUDITS)


def test_accuracy_is_of_the_newest_audits():
    hits = [False] * 100 + [True] * 30
    assert progressive(hits).value == 0.3
    assert progressive(hits, window=30) == wilson(30, 30)


def test_the_learning_curve_ends_now():
    hits, n_labels = [k % 3 > 0 for k in range(60)], list(range(5, 305, 5))
    curve = learning_curve(hits, n_labels, points=4, window=20)
    assert [n for n, _ in curve] == [100, 165, 230, 300]
    assert curve[-1][1] == progressive(hits, 20)
    assert curve[0][1] == progressive(hits[:20], 20)


def test_the_learning_curve_of_little():
    assert learning_curve([], []) == []
    assert learning_curve([True] * 19, [1] * 19) == []
    assert learning_curve([True] * 21, list(range(21)), points=12) == [
        (19, wilson(20, 20)), (20, wilson(21, 21)),
    ]  # fmt: skip


def test_pace():
    assert pace([1.0] * (LEAST_TIMES - 1)) is None
    found = pace([5, 1, 2, 4, 3])
    assert (found.median, found.low, found.high, found.n) == (3, 1, 5, 5)
    assert pace([2.0] * 9).low == pace([2.0] * 9).high == 2.0


@pytest.mark.parametrize("n", [8, 15, 40])
def test_pace_covers_the_median(n):
    rng = np.random.default_rng(n)
    intervals = [pace(rng.exponential(size=n)) for _ in range(1500)]
    covered = np.mean([i.low <= np.log(2) <= i.high for i in intervals])
    assert covered >= 0.88
    # The next narrower interval of order statistics would promise too much.
    low = int(stats.binom.ppf(0.05, n, 0.5)) - 1
    assert 1 - 2 * stats.binom.cdf(low, n, 0.5) >= 0.9
    assert 1 - 2 * stats.binom.cdf(low + 1, n, 0.5) < 0.9


def test_a_share_is_a_plain_record():
    assert Share(0.5, 0.4, 0.6, 10) == Share(0.5, 0.4, 0.6, 10, 0.95)
