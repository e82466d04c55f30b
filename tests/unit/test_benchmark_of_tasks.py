"""The keys that a label needs, the sets, and one short run of the benchmark of tasks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import nblabel as nl
from benchmarks import pairs, tasks
from benchmarks.keys import presses, words_of

SPANS = nl.Spans(["name", "type"])
TEXT = "n_rows : int or None\n    How many rows.\nx : datetime.timedelta"


def span(part: str, label: str) -> dict[str, Any]:
    return {"start": TEXT.index(part), "end": TEXT.index(part) + len(part), "label": label}


NAME, TYPE, LAST = span("n_rows", "name"), span("int or None", "type"), span("datetime.t", "type")
LAST["end"] = len(TEXT)


def test_words_are_those_of_the_browser() -> None:
    text = "n_rows: 1.5, x.y don't (α) 3.a 😀"
    cut = [text[start:end] for start, end in words_of(text)]
    assert cut == ["n_rows", ":", "1.5", ",", "x.y", "don't", "(", "α", ")", "3", ".", "a", "😀"]


@pytest.mark.parametrize(
    ("label", "begun", "keys"),
    [
        ([], None, "Enter"),
        ([NAME], [NAME], "Enter"),
        ([NAME], None, "1 Enter"),
        ([NAME, TYPE], None, "1 ArrowRight Shift+ArrowRight Shift+ArrowRight 2 Enter"),
        ([NAME], [NAME, TYPE], "ArrowRight ArrowRight Backspace Enter"),
        ([TYPE], [{**TYPE, "label": "name"}], "Tab 2 Enter"),
        ([], [NAME, TYPE], "Backspace Tab Backspace Enter"),
        ([NAME], [{**NAME, "label": "type"}], "1 Enter"),
        (
            [NAME, TYPE, LAST],
            [NAME, TYPE, {**LAST, "label": "name"}],
            "ArrowDown ArrowDown ArrowRight 2 Enter",
        ),
        # What is marked anew drives out what lies under it.
        ([TYPE], [{**TYPE, "end": TYPE["end"] - 5}],
         "ArrowRight ArrowRight Shift+ArrowRight Shift+ArrowRight 2 Enter"),
    ],
)  # fmt: skip
def test_keys_of_spans(label: Any, begun: Any, keys: str) -> None:
    assert presses(SPANS, TEXT, label, begun) == keys.split()


def test_lines_are_gone_through_where_that_is_shorter() -> None:
    assert presses(SPANS, TEXT, [LAST]) == [
        "ArrowDown", "ArrowDown", "ArrowRight", "2", "Enter",
    ]  # fmt: skip
    assert len(presses(SPANS, TEXT, [LAST], lines=False)) == 13


def test_keys_of_the_other_tasks() -> None:
    several = nl.MultiLabel(["a", "b", "c"])
    assert presses(several, "", ["a", "c"]) == ["1", "3", "Enter"]
    assert presses(several, "", ["a", "c"], ["a", "b"]) == ["2", "3", "Enter"]
    assert presses(nl.Rating(), "", 3) == ["3"] and len(presses(nl.Rating(), "", 3, 3)) == 1
    assert presses(nl.Pairs(), ("", ""), "second") == ["ArrowRight"]
    order = nl.Ranking(["a", "b", "c", "d"], ties=True)
    assert presses(order, "", ["c", "a", "b", "d"]) == ["3", "1", "2", "Enter"]
    assert presses(order, "", [["a", "c"], "b", "d"]) == ["1", "3", "=", "2", "Enter"]
    assert presses(order, "", list("abcd"), list("abcd")) == ["Enter"]
    mended = presses(order, "", list("acbd"), list("abcd"))
    assert mended == ["ArrowDown", "ArrowDown", "Shift+ArrowUp", "Enter"]
    assert presses(order, "", list("dcba"), list("abcd"))[0] == "0"  # anew is shorter
    choice = nl.Choice(["x", "y"])
    assert presses(choice, "", "y") == ["2"] and presses(choice, "", "y", "y") == ["Space"]


def test_parts_of_parameters_stand_where_they_are_said() -> None:
    docs = nl.datasets.parameters()
    assert len(docs) > 500 and set(docs["library"]) == {"numpy", "pandas", "scipy", "sklearn"}
    row = docs.loc["sklearn.linear_model.Ridge"]
    found = [(row["text"][s["start"] : s["end"]], s["label"]) for s in row["spans"]]
    assert found[:3] == [("alpha", "name"), found[1], ("1.0", "default")]
    assert ("True", "default") in found and ("fit_intercept", "name") in found
    task = nl.Spans(["name", "type", "default"])
    for text, spans in zip(docs["text"], docs["spans"], strict=True):
        task.check(task.parse(spans), text)
    assert nl.datasets.parameters(20, seed=1).index.tolist() != docs.index[:20].tolist()


def test_a_run_scores_both_arms_and_counts_keys() -> None:
    data = tasks.wine_levels()._replace(budget=20)
    areas = {arm: tasks.run(data, arm, 0, 90) for arm in tasks.ARMS}
    assert all(0.4 < area < 1 and saved == 0 for area, saved in areas.values())
    assert tasks.run(data, "model", 0, 90) == areas["model"]


@pytest.mark.parametrize("task", tasks.SETS)
def test_the_sets_fit_their_tasks(task: str) -> None:
    for load in tasks.SETS[task]:
        data = load()
        assert len(data.items) == len(data.truth) > data.budget
        parsed = [data.task.parse(label) for label in data.truth]
        assert parsed == data.truth or task == "ranking"  # there the truth is a dict of ranks


@pytest.mark.parametrize("name", pairs.BUILT_IN)
def test_the_sets_of_pairs_have_an_order_and_noise(name: str) -> None:
    data = pairs.sample(pairs.BUILT_IN[name](), 3)
    assert len(data.items) == len(data.truth) == pairs.ITEMS
    said = pairs.answers(data.truth, 3)
    assert (said == pairs.answers(data.truth, 3)).all()
    one, other = np.triu_indices(len(data.truth), 1)
    apart = np.sign(data.truth[one] - data.truth[other])
    assert (said[one, other][apart == 0] == 0).all()
    wrong = said[one, other] != apart
    assert abs(wrong[apart != 0].mean() - pairs.NOISE) < 0.02
    far = np.abs(data.truth[one] - data.truth[other]) > 2 * data.truth.std()
    assert wrong[far].mean() < wrong[apart != 0].mean()


def test_pairs_are_scored_by_the_order_of_all() -> None:
    truth = np.array([1.0, 2.0, 2.0, 3.0])
    assert pairs.ordered(truth, truth) == 1.0
    assert pairs.ordered(-truth, truth) == 0.0
    assert pairs.ordered(np.zeros(4), truth) == 0.5
    curve = pairs.run(pairs.irises(), "auto", 0, budget=20)
    assert len(curve) == 2 and all(0 <= one <= 1 for one in curve)
