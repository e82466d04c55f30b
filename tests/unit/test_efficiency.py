"""The benchmark of labels needed: its figures, its loop, and the peers that are installed."""

import argparse

import numpy as np
import pandas as pd
import pytest

from benchmarks import efficiency
from benchmarks.peers import PEERS, Situation
from nblabel import datasets


def task(arm: str, table: str = "same", **changes: object) -> efficiency.Task:
    """Return a short run on a small set."""
    told = dict(
        table=table,
        arm=arm,
        source="sklearn-wine",
        seed=1,
        budget=30,
        batch=10,
        most=None,
        features="plain",
        version="",
        fingerprint="",
    )
    return efficiency.Task(**(told | changes))


def test_distinct_fills_up_with_items_not_taken():
    taken = np.array([True, False, False, False, False])
    order = np.array([0, 4, 3, 2, 1])
    assert efficiency.distinct([1, 1, 0], taken, order, 3).tolist() == [1, 4, 3]
    assert efficiency.distinct([3, 2, 1], taken, order, 2).tolist() == [3, 2]
    assert efficiency.distinct([], taken, order, 9).tolist() == [4, 3, 2, 1]


def test_a_run_on_our_features_is_kept_under_what_makes_them(monkeypatch):
    """Else a peer's old run would stand beside our new one."""
    monkeypatch.setattr(efficiency, "our_version", lambda part="": f"source of {part or 'all'}")
    versions = {}
    for kind in ("rich", "plain"):
        options = argparse.Namespace(
            features=kind, pool=None, batch=10, budget=30, seeds=1, arms=None
        )
        tasks = efficiency.plan(options, ["sklearn-wine"], {})
        versions[kind] = {(task.table, task.arm): task.version for task in tasks}
    assert "suggest/" in versions["rich"]["same", "random"]
    assert versions["rich"]["shipped", "random"] == versions["plain"]["same", "random"] == ""
    assert versions["rich"]["same", "nblabel"] == "source of all"


def test_interval_is_students_over_sets():
    mean, low, high = efficiency.interval([0.0, 0.1, 0.2])
    assert mean == pytest.approx(0.1)
    assert (low, high) == pytest.approx((0.1 - 0.24841, 0.1 + 0.24841), abs=1e-4)
    assert np.isnan(efficiency.interval([0.3])[1])


def test_ranks_share_ties_put_failures_last_and_leave_references_out():
    areas = pd.DataFrame(
        {"a": [0.5, 0.5, 0.9, 0.4], "b": [0.6, np.nan, 0.9, 0.7]},
        index=["nblabel", "x: y", "nblabel, random", "random"],
    )
    ranked = efficiency.ranks(areas)
    assert ranked["a"].to_dict() == {"nblabel": 1.5, "x: y": 1.5, "random": 3.0}
    assert ranked["b"].to_dict() == {"nblabel": 2.0, "x: y": 3.0, "random": 1.0}
    assert efficiency.best_peer(areas) is None  # the only peer failed on a set


def test_leads_are_paired_by_seed_with_what_other_seeds_would_change():
    def arm(name, areas):
        return {
            task(name, seed=seed): {"macro_f1": [area - 0.1, area + 0.1]}
            for seed, area in enumerate(areas)
        }

    results = arm("nblabel", [0.5, 0.7, 0.9]) | arm("x: y", [0.6, 0.6]) | arm("random", [0.1])
    made = efficiency.leads(results, "same", "x: y").loc["sklearn-wine"]
    assert made["mean"] == pytest.approx(0.0) and made["seeds"] == 2  # the third has no pair
    assert made["se"] == pytest.approx(0.1)
    alone = efficiency.leads(results, "same", "random").loc["sklearn-wine"]
    assert alone["mean"] == pytest.approx(0.4) and np.isnan(alone["se"])


def test_a_class_that_is_never_named_counts_as_wrong():
    data = efficiency.Data("row", None, np.arange(3), None, np.array([0, 0, 1, 2]), 3)
    assert efficiency.macro_f1(data, [0, 0, 1, 1]) == pytest.approx((1 + 2 / 3 + 0) / 3)


def test_labels_to_reach_a_score():
    result = {"n_labels": [10, 20, 30], "macro_f1": [0.2, 0.6, 0.5]}
    assert efficiency.labels_to(result, 0.5) == 20
    assert efficiency.labels_to(result, 0.7) == np.inf


def test_every_arm_starts_alike_and_labels_each_item_once():
    seen = []

    def rule(now: Situation) -> list[int]:
        assert len(now.classes) > 1 and now.proba.shape == (len(now.embedding), len(now.classes))
        seen.append(now.labeled)
        return [int(now.labeled[0])]  # already labeled: filled up with random draws

    drawn = efficiency.run_rule(task("random"), None)
    ruled = efficiency.run_rule(task("x: y"), rule)
    assert drawn == ruled | {"seconds": drawn["seconds"]}
    assert drawn["n_labels"] == [10, 20, 30] and sum(drawn["counts"]) == 30
    assert [len(set(labeled.tolist())) for labeled in seen] == [10, 20]


@pytest.mark.parametrize("table", ["same", "shipped"])
def test_nblabel_runs_in_both_tables(table):
    result = efficiency.run(task("nblabel", table))
    assert result["n_labels"] == [10, 20, 30] and sum(result["counts"]) == 30
    assert result["macro_f1"][-1] > 0.8
    same = efficiency.run(task("nblabel", table))
    assert same["macro_f1"] == result["macro_f1"]


def test_parquet_sets_are_read_by_their_columns(tmp_path, monkeypatch):
    images, labels = datasets.digits()
    frame = pd.DataFrame(images[:8].reshape(8, 64), columns=[f"p{i}" for i in range(64)])
    frame = frame.assign(label=labels[:8], split=["pool"] * 6 + ["test"] * 2)
    # pyarrow is of the group bench: what is read is tested here, not how
    monkeypatch.setattr(pd, "read_parquet", lambda path: frame)
    data = efficiency.read(tmp_path / "some.parquet")
    assert data.kind == "image" and data.pool.shape == (6, 8, 8) and len(data.test) == 2
    assert np.array_equal(data.pool, images[:6])
    names = frame.rename(columns={"p0": "f0"})
    monkeypatch.setattr(pd, "read_parquet", lambda path: names)
    assert efficiency.read(tmp_path / "some.parquet").kind == "row"


@pytest.mark.parametrize("name", PEERS)
def test_peers_choose_from_what_is_not_labeled(name):
    try:
        peer = PEERS[name]()
    except ImportError:
        pytest.skip(f"{name} is not installed: it is of the dependency group bench")
    rng = np.random.default_rng(0)
    proba = rng.dirichlet(np.ones(3), 60)
    labeled = np.arange(10)
    now = Situation(
        rng.normal(size=(60, 4)),
        labeled,
        np.arange(10, 60),
        np.array([0, 2, 5, 0, 2, 5, 0, 2, 5, 0]),
        np.array([0, 2, 5]),
        proba,
        5,
        7,
    )
    ordered = np.sort(proba, axis=1)
    unsure = set((np.argsort((ordered[:, -1] - ordered[:, -2])[10:])[:5] + 10).tolist())
    for rule, choose in peer.rules.items():
        np.random.seed(0)
        chosen = [int(place) for place in choose(now)]
        assert len(chosen) == 5 and set(chosen) <= set(range(10, 60)), rule
        if rule in ("margin", "breaking ties") and name != "superintendent":  # it reshuffles some
            assert set(chosen) == unsure, rule
    for arm in peer.learners:
        result = efficiency.run(task(f"{name}: {arm}", "shipped"))
        assert result["macro_f1"][-1] > 0.5, arm


def test_the_features_of_the_default_engine_are_given_to_all():
    data = efficiency.load("sklearn-wine", 0, 60)
    features = efficiency.same_features(data, "rich")
    assert features.pool.shape[0] == 60 and features.test.shape[0] == len(data.truth)
    assert features.pool.shape[1] == features.test.shape[1]
    model = efficiency.Linear(features, np.arange(60), data.codes)
    assert efficiency.macro_f1(data, model.predict(features.test)) > 0.9


def test_what_is_predicted_is_what_the_session_predicts():
    data = efficiency.load("sklearn-wine", 0, 60)
    session, names = efficiency.new_session(data, 0), efficiency.class_names(data)
    predictions = efficiency.Predictions(data.test)
    for _ in range(2):  # the features are kept from the first time
        for one in session.next(10):
            session.record(one, names[data.codes[session.pool.position(one.id)]])
        session.retrain(wait=True)
        expected = session.predict(data.test)["label"].tolist()
        assert predictions.of(session).tolist() == expected
