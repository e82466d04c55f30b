"""Options put into order: values, agreement, what is learned, and how candidates are shown."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

import nblabel as nl
from nblabel.errors import LabelValueError, NotFittedError, OptionError, TaskError
from nblabel.formats import Record, read, write
from nblabel.renderers import SeveralRenderer

ABC = nl.Ranking(["a", "b", "c"])
TIES = nl.Ranking(["a", "b", "c"], ties=True)
ANSWERS = pd.DataFrame({"prompt": ["p", "q"], "a": ["1", "2"], "b": ["3", "4"], "c": ["5", "6"]})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (["a", "b"], "Every option has a place; 'c' stand"),
        (["a", "b", "c", "a"], "'a' stand.* more than once"),
        (["a", ["b", "b"], "c"], "'b' stand.* more than once"),
        (["a", "b", "x"], "'x' is not one of the options"),
        (["a", ["b", "c"]], "'b', 'c' share a place, but this task has no ties"),
        ("abc", "A ranking is a list of all options"),
        ({"a": 1, "b": 2}, "Every option has a place"),
        ({"a": 1, "b": "2", "c": 3}, "The rank of 'b' is a number, got '2'"),
        ({"a": 1, "b": float("nan"), "c": 3}, "The rank of 'b' is a number"),
    ],
)
def test_what_is_no_ranking_is_refused_with_the_reason(raw: Any, message: str) -> None:
    task = TIES if raw == ["a", ["b", "b"], "c"] else ABC
    with pytest.raises(LabelValueError, match=message):
        task.parse(raw)


def test_a_value_has_one_form() -> None:
    assert TIES.parse([["c", "a"], ["b"], []]) == [["a", "c"], "b"]
    assert TIES.parse({"a": 2, "b": 1.0, "c": np.int64(2)}) == ["b", ["a", "c"]]
    numbers = nl.Ranking([10, 20])
    assert numbers.parse(np.array([20, 10])) == ["20", "10"]
    assert numbers.columns(["20", "10"]) == {"ranking": [20, 10]}


def test_what_makes_no_task_is_refused() -> None:
    with pytest.raises(TaskError, match="at least two"):
        nl.Ranking(["alone"])
    with pytest.raises(TaskError, match=r"at most 20 options, got 21.*nl\.Pairs"):
        nl.Ranking(range(21))


def test_ranks_leave_out_what_a_tie_takes() -> None:
    each = nl.Ranking(["a", "b", "c"], ties=True, each=True)
    assert each.columns([["a", "c"], "b"]) == {"a": 1, "b": 3, "c": 1}
    assert each.spec()["columns"] == ["a", "b", "c"]


def test_agreement_is_kendalls_without_ties_and_halves_with_them() -> None:
    orders = [list(order) for order in permutations(ABC.classes)]
    for one in orders:
        for other in orders:
            tau = kendalltau(ABC.ranks(one), ABC.ranks(other)).statistic
            assert ABC.agree(one, other) == pytest.approx((1 + tau) / 2)
    assert TIES.agree([["a", "b", "c"]], [["a", "b", "c"]]) == 1.0
    assert TIES.agree([["a", "b", "c"]], ["c", "a", "b"]) == 0.5
    assert TIES.agree([["a", "b"], "c"], ["a", "b", "c"]) == pytest.approx(5 / 6)


def test_what_is_sure_of_every_pair_is_that_order() -> None:
    for task in (ABC, TIES):
        for value in (["c", "a", "b"], ["b", "c", "a"]):
            found, sure = task.decode(task.pairs, task.targets([value])[0].astype(float))
            assert found == value and sure == pytest.approx(1.0, abs=1e-4)
    tied = TIES.targets([["b", ["a", "c"]]])[0].astype(float)
    assert TIES.decode(TIES.pairs, tied)[0] == ["b", ["a", "c"]]


def test_the_probability_of_an_order_is_plackett_and_luces() -> None:
    # By Plackett and Luce's model with these strengths.
    strength = {"a": 3.0, "b": 2.0, "c": 1.0}
    row = np.array([strength[x] / (strength[x] + strength[y]) for x, y in permutations("abc", 2)])
    found, sure = ABC.decode(ABC.pairs, row)
    assert found == ["a", "b", "c"] and sure == pytest.approx(3 / 6 * 2 / 3)
    nothing_known = ABC.decode(ABC.pairs, np.full(6, 0.5))
    assert nothing_known[1] == pytest.approx(1 / 6)


def wines() -> tuple[pd.DataFrame, list[dict[str, float]]]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(150, 3)), columns=["x", "y", "z"])
    hidden = frame.to_numpy() @ rng.normal(size=(3, 3))
    return frame, [dict(zip("abc", row, strict=True)) for row in -hidden]


def test_it_is_learned_and_suggested() -> None:
    frame, truth = wines()
    session = nl.Session(frame, ABC, row=True, store=None, inline=True)
    curve = nl.simulate(session, truth, budget=60)
    assert curve["agreement"].iloc[-1] > 0.9  # 0.5 by chance
    table = session.predictions
    # The order is that of the pairs added up, which need not be the likeliest of the six.
    assert table["probability"].between(0, 1).all() and table["probability"].median() > 1 / 6
    assert all(sorted(value) == ["a", "b", "c"] for value in table["ranking"])
    shown = session.suggestion(session.next(1)[0].id)
    assert shown is not None and sorted(shown.label) == ["a", "b", "c"]
    new = session.predict(frame.head(3))
    assert new["ranking"].tolist() == table["ranking"].head(3).tolist()


def test_a_form_learns_it_as_a_part() -> None:
    frame, truth = wines()
    form = nl.Form({"order": ABC, "sure": nl.Choice(["yes", "no"])})
    session = nl.Session(frame, form, row=True, store=None, inline=True)
    sure = np.where(frame["x"] > 0, "yes", "no")
    values = [{"order": order, "sure": one} for order, one in zip(truth, sure, strict=True)]
    curve = nl.simulate(session, values, budget=40)
    assert curve["agreement"].iloc[-1] > 0.85
    assert sorted(session.labels.columns[:2]) == ["order", "sure"]


def test_nothing_depends_on_an_order() -> None:
    with pytest.raises(TaskError, match="'order' is an order, on which nothing can depend"):
        nl.Form({"order": ABC, "why": nl.FreeText()}, when={"why": ("order", ["a", "b", "c"])})


def test_scores_say_which_option_is_ahead() -> None:
    session = nl.Session(list("uvwxyz" * 4), TIES, store=None, inline=True)
    with pytest.raises(NotFittedError, match="rank the options of some items first"):
        _ = session.scores
    asked = session.next(24)
    for one in asked[:19]:
        session.record(one, ["b", ["a", "c"]])
    assert session.scores["low"].isna().all()
    for one in asked[19:]:
        session.record(one, ["b", "a", "c"])
    scores = session.scores
    assert scores["score"].tolist() == pytest.approx([-9.5 / 24, 1.0, -14.5 / 24])
    assert scores["rank"].tolist() == [2, 1, 3] and (scores["n_labels"] == 24).all()
    assert (scores["low"] < scores["score"]).all() and (scores["score"] <= scores["high"]).all()
    with pytest.raises(OptionError, match="scores are of Pairs and Ranking"):
        _ = nl.Session(["u", "v"], ["x", "y"], store=None).scores


def test_candidates_in_columns_are_shown_and_part_of_the_item() -> None:
    columns = ["prompt", "a", "b", "c"]
    session = nl.Session(ANSWERS, ABC, text=columns, store=None, inline=True)
    assert isinstance(session.renderer, SeveralRenderer)
    view = session.renderer.view(session.pool.item(0))
    assert [part["name"] for part in view.data["parts"]] == columns
    changed = nl.Session(ANSWERS.assign(c="other"), ABC, text=columns, store=None, inline=True)
    assert session.pool.digest(0) != changed.pool.digest(0)
    session.record(session.next(1)[0], ["c", "a", "b"])
    session.add(ANSWERS.set_axis([7, 8]))
    assert len(session.pool) == 4
    with pytest.raises(OptionError, match="two for pairs, or more"):
        nl.Session(ANSWERS, ABC, text=["prompt"], store=None)
    with pytest.raises(OptionError, match="shown twice"):
        nl.Session(ANSWERS, ABC, text=["a", "b", "a"], store=None)
    with pytest.raises(OptionError, match="are columns of one table"):
        nl.Session(["u", "v"], ABC, text=["a", "b", "c"], store=None)


def test_label_studio_reads_buckets_as_an_order(tmp_path: Any) -> None:
    path = tmp_path / "tasks.json"
    write([Record(["b", "a", "c"], item="1")], path, ABC, format="labelstudio")
    assert '"ranker": {"label": ["b", "a", "c"]}' in path.read_text()
    assert [one.value for one in read(path, ABC, format="labelstudio")] == [["b", "a", "c"]]
    tie = [Record(["b", ["a", "c"]], item="1")]
    with pytest.warns(UserWarning, match="cannot hold: ties"):
        write(tie, path, TIES, format="labelstudio")
