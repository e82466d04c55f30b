"""Pairs of single items: the pool, what is learned of their strengths, what is asked."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.stats import kendalltau

import nblabel as nl
from nblabel.errors import DataError, NotFittedError, OptionError
from nblabel.pairing import ALL_PAIRED, LEAST_PARTNERS, PairPool, same_items
from nblabel.pool import Pool
from nblabel.suggest.strengths import BradleyTerry, information

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame(RNG.normal(size=(60, 5)), columns=list("abcde"))
WORTH = ROWS.to_numpy() @ [2.0, -1.0, 0.5, 0.0, 0.0]


def opened(data: Any = ROWS, **options: Any) -> nl.Session:
    given = {"store": None, "inline": True, "blind": 0, "row": True, **options}
    return nl.Session(data, nl.Pairs(), **given)


def answer(session: nl.Session, n: int, worth: Any = WORTH) -> None:
    for _ in range(0, n, 10):
        for asked in session.next(10):
            first, second = (worth[place] for place in asked.key)
            session.record(asked, "first" if first > second else "second")
        session.retrain(wait=True)
    assert session.last_error is None


# ---------------------------------------------------------------- the pool


def test_all_pairs_of_few_items_are_there() -> None:
    pool = PairPool(Pool(list("wxyz")))
    assert list(pool.ids) == [json.dumps([str(a), str(b)]) for b in range(4) for a in range(b)]
    assert list(pool.index) == [(a, b) for b in range(4) for a in range(b)]
    assert sorted(pool.values) == sorted(combinations("wxyz", 2))
    for place, item in enumerate(pool.ids):
        assert pool.position(item) == place == pool.position(pool.id_of(pool.index[place]))
        assert pool.digest(place) == nl.pool.digest(pool.item(place))
    for stray in ('["1", "0"]', '["0", "0"]', '["0", "9"]', "0", '["0"]', "[[]]", '{"0": 1}'):
        assert stray not in pool and pool.find(stray) is None


def test_of_many_items_a_part_of_the_pairs_is_there_that_only_grows() -> None:
    small, large = (PairPool(Pool(list(range(n)))) for n in (ALL_PAIRED, 4000))
    assert len(small) == ALL_PAIRED * (ALL_PAIRED - 1) // 2
    n = len(small)
    assert (large.first[:n] == small.first).all() and (large.second[:n] == small.second).all()
    assert len(large) < 4000 * 100  # of eight million
    partners = np.bincount(np.concatenate([large.first, large.second]), minlength=4000)
    assert partners.min() >= LEAST_PARTNERS and (large.first < large.second).all()
    assert len(np.unique(large.first.astype(np.int64) * 4000 + large.second)) == len(large)
    some = range(0, len(large), 5003)
    assert [large.position(large.ids[k]) for k in some] == list(some)


def test_one_item_makes_no_pair() -> None:
    with pytest.raises(DataError, match="at least two items"):
        nl.Session(["alone"], nl.Pairs(), store=None)


def test_items_of_given_pairs_are_told_apart_by_their_content() -> None:
    items, first, second = same_items([("a", "b"), ("b", "c"), ("c", "a")])
    assert items == ["a", "b", "c"] and first.tolist() == [0, 1, 2] and second.tolist() == [1, 2, 0]
    black, white = np.zeros((2, 2)), np.ones((2, 2))
    assert len(same_items([(black, white), (white.copy(), black)])[0]) == 2


# ---------------------------------------------------------------- sessions


def test_items_are_ranked_from_few_comparisons() -> None:
    session = opened()
    assert len(session.pool) == 60 * 59 // 2
    with pytest.raises(NotFittedError, match="no model yet: say of two pairs which is better"):
        _ = session.scores
    answer(session, 60)
    scores = session.scores
    assert list(scores.columns) == ["score", "low", "high", "n_labels", "rank"]
    assert scores.index.equals(ROWS.index) and scores["score"].mean() == pytest.approx(0, abs=1e-4)
    assert kendalltau(scores["score"], WORTH).statistic > 0.75
    assert (scores["low"] < scores["score"]).all() and (scores["score"] < scores["high"]).all()
    assert scores["n_labels"].sum() == 120
    assert sorted(scores["rank"]) == list(range(1, 61))
    assert scores["score"].idxmax() == scores["rank"].idxmin()
    assert "pair_design" in set(session.history["shown_strategy"])
    # New items have a score on the same scale.
    fresh = session.predict(ROWS)
    assert np.corrcoef(fresh["score"], scores["score"])[0, 1] > 0.98


def test_items_that_come_in_order_are_learned_too() -> None:
    """Then the second one is always the better one."""
    places = np.argsort(WORTH)
    rows, worth = ROWS.iloc[places].reset_index(drop=True), WORTH[places]
    session = nl.Session(rows, nl.Pairs(), row=True, store=None, inline=True, blind=0)
    for asked in session.next(2):
        session.record(asked, "second")
    session.retrain()
    assert session.status()["version"] > 0 and set(session.labels["preferred"]) == {"second"}
    answer(session, 30, worth)
    assert kendalltau(session.scores["score"], worth).statistic > 0.75


def test_ties_alone_teach_nothing() -> None:
    session = opened()
    for asked in session.next(5):
        session.record(asked, "tie")
    session.retrain()
    assert session.status()["version"] == 0 and session.last_error is None


def test_known_strengths_are_simulated_either_way_round() -> None:
    order = np.argsort(WORTH)
    rows, worth = ROWS.iloc[order].reset_index(drop=True), WORTH[order]

    def made(**options: Any) -> nl.Session:
        how = {"row": True, "store": None, "inline": True, "random_state": 3, **options}
        return nl.Session(rows, nl.Pairs(), **how)

    # Without a model the commonest answer is named, which says nothing of which is better.
    assert nl.simulate(made(model=False), worth, 20)["accuracy"].between(0.4, 0.6).all()
    curve = nl.simulate(made(), worth, 30)
    assert curve["accuracy"].iat[-1] > 0.85
    with pytest.raises(OptionError, match="two items of different numbers"):
        nl.simulate(made(), worth, 10, test=(rows[:1], worth[:1]))
    nl.simulate(made(), [np.inf, np.inf, *worth[2:]], 10)


def test_equal_strengths_need_a_tie() -> None:
    worth = np.round(WORTH)
    session = opened()
    nl.simulate(session, worth, 10)
    with pytest.raises(OptionError, match=r"same number for several items.*Pairs\(ties=True\)"):
        nl.simulate(nl.Session(ROWS, nl.Pairs(ties=False), row=True, store=None), worth, 10)
    session = nl.Session(ROWS, nl.Pairs(ties=False), row=True, store=None, inline=True)
    curve = nl.simulate(session, WORTH, 40, test=(ROWS, worth))  # ties are left out there
    assert curve["accuracy"].iat[-1] > 0.8


def test_sides_are_recorded_and_labels_are_indexed_by_both() -> None:
    session = opened()
    answer(session, 20)
    labels = session.labels
    assert labels.index.names == ["first", "second"]
    assert set(labels["preferred"]) <= {"first", "second"}
    swapped = session.history["shown_swapped"]
    assert set(swapped) == {True, False}
    session.record((0, 1), "tie")
    assert session.labels.loc[(0, 1), "preferred"] == "tie"


def test_progress_counts_towards_what_sorting_takes() -> None:
    session = opened(ROWS[:5])
    assert session.status()["items"] == session.status()["left"] == 10  # of five items all pairs
    answer(session, 10)
    assert session.status()["left"] == 0
    session = opened()
    status = session.status()
    assert status["items"] == status["left"] == 355  # 60 log2 60, of 1,770 pairs
    answer(session, 30)
    status = session.status()
    assert (status["items"], status["labeled"], status["left"]) == (355, 30, 325)
    # Who goes on is not told to be done.
    session = opened(model=False)
    for item in list(session.pool.ids[:400]):
        session.record(item, "first")
    status = session.status()
    assert (status["items"], status["labeled"], status["left"]) == (400, 400, 1)


def test_such_sessions_resume_and_grow(tmp_path: Any) -> None:
    store = tmp_path / "pairs.sqlite"
    session = opened(ROWS[:40], store=store)
    answer(session, 30)
    before = session.labels["preferred"]
    session.add(ROWS[40:].reset_index(drop=True))
    assert len(session.pool) == 60 * 59 // 2 and session.labels["preferred"].equals(before)
    answer(session, 10)
    assert session.scores["score"].notna().all()
    session.close()
    again = opened(store=store)
    assert len(again.labels) == 40 and len(again.unmatched) == 0
    again.close()


def test_pairs_that_are_given_have_scores_too() -> None:
    strength = {"ball": 3, "bank": 2, "soup": 1, "rice": 0}
    pairs = [*combinations(strength, 2), *combinations(list(strength)[::-1], 2)] * 3
    session = nl.Session(pairs, nl.Pairs(), store=None, inline=True)
    for asked in session.next(36):
        first, second = asked.content
        session.record(asked, "first" if strength[first] > strength[second] else "second")
    session.retrain(wait=True)
    scores = session.scores.set_index("item")["score"]
    assert scores.sort_values(ascending=False).index.tolist() == list(strength)


def test_other_tasks_have_no_scores() -> None:
    session = nl.Session(["a", "b"], nl.Rating(), store=None, inline=True)
    with pytest.raises(OptionError, match="a rating has none"):
        _ = session.scores


def test_known_numbers_answer() -> None:
    curve = nl.simulate(opened(ROWS[:40]), WORTH[:40], 40, test=(ROWS[40:], WORTH[40:]))
    assert curve["agreement"].iloc[-1] > 0.85 and curve["n_labels"].iloc[-1] == 40
    over_the_pool = nl.simulate(opened(), dict(enumerate(WORTH)), 30)
    assert over_the_pool["accuracy"].iloc[-1] > 0.75
    with pytest.raises(OptionError, match="is a number for each, the larger the better, got 'x'"):
        nl.simulate(opened(), ["x"] * 60, 10)


# ---------------------------------------------------------------- the estimator


def compared(seed: int, n: int = 40, n_labels: int = 150) -> tuple[Any, ...]:
    """Items by features and something of their own, and comparisons that follow the model."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).astype(np.float32) / 2
    worth = X @ rng.normal(0, 2, 4) + rng.normal(0, 0.6, n)
    first = rng.integers(0, n, n_labels)
    second = (first + rng.integers(1, n, n_labels)) % n
    won = rng.random(n_labels) < 1 / (1 + np.exp(worth[second] - worth[first]))
    own = sparse.csr_matrix(
        (np.tile([1.0, -1.0], n_labels), np.column_stack([first, second]).ravel(),
         2 * np.arange(n_labels + 1)), shape=(n_labels, n),
    )  # fmt: skip
    return X, worth, first, second, won.astype(float), own


def test_intervals_hold_what_they_promise() -> None:
    inside = []
    for seed in range(8):
        X, worth, first, second, won, own = compared(seed)
        model = BradleyTerry(ties=False).fit(X[first] - X[second], won, own)
        mean, variance = model.posterior(X)
        inside.append(np.abs(mean - worth + worth.mean()) < 1.96 * np.sqrt(variance))
    # 320 intervals of 95 %, not independent within a run.
    assert 0.88 < np.mean(inside) < 0.995


def test_what_is_an_items_own_is_learned_too() -> None:
    X = np.zeros((6, 1), dtype=np.float32)
    first, second = np.array(list(combinations(range(6), 2)) * 4).T
    own = sparse.csr_matrix(np.eye(6)[first] - np.eye(6)[second])
    model = BradleyTerry(ties=False).fit(X[first] - X[second], np.ones(len(first)), own)
    assert model.own_ is not None and (np.diff(model.own_) < 0).all()
    assert model.variances_[1] >= 1.0


def test_information_is_in_what_is_open_and_unknown() -> None:
    bits = information(np.array([0.0, 0.0, 4.0, 4.0]), np.array([0.01, 9.0, 9.0, 0.01]))
    assert bits[1] > bits[2] > bits[0] and bits[0] < 0.02 and bits[3] < 0.02
    assert ((bits >= 0) & (bits <= 1)).all()


def test_more_singles_come_with_their_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(8, 3))
    items = [f"item {k}" for k in range(8)]
    apart = nl.Session(items[:6], nl.Pairs(), features=rows[:6], store=None, inline=True)
    apart.add(items[6:], features=rows[6:])
    once = nl.Session(items, nl.Pairs(), features=rows, store=None, inline=True)
    for session in (apart, once):
        for item in list(session.pool.ids)[:20]:
            first, second = session.pool.pair(item)
            session.record(item, "first" if rows[first, 0] > rows[second, 0] else "second")
        session.retrain(wait=True)
    assert apart.scores["score"].tolist() == pytest.approx(once.scores["score"].tolist(), abs=1e-4)


def test_more_pairs_come_with_the_rows_of_both_sides() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40, 3))
    pairs = [(f"a{k}", f"b{k}") for k in range(40)]
    apart = nl.Session(
        pairs[:30], nl.Pairs(), features=np.concatenate([first[:30], second[:30]]), store=None,
        inline=True,
    )  # fmt: skip
    with pytest.raises(OptionError, match=r"\(20, n_features\), got the shape \(10, 3\)"):
        apart.add(pairs[30:], features=first[30:])
    apart.add(pairs[30:], features=np.concatenate([first[30:], second[30:]]))
    for k in range(40):
        apart.record(apart.pool.ids[k], "first" if first[k, 0] > second[k, 0] else "second")
    apart.retrain(wait=True)
    right = [
        ["second", "first"][int(one > other)]
        for one, other in zip(first[:, 0], second[:, 0], strict=True)
    ]
    assert (apart.predictions["preferred"] == right).mean() > 0.9
