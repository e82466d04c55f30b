import numpy as np
import pandas as pd
import pytest

from nblabel.errors import LabelValueError, OptionError, TaskError
from nblabel.tasks import Choice, Rating, as_task
from nblabel.tasks.naming import COMMAND_KEYS


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ([], "at least two labels, got \\[\\]"),
        (["ham"], "at least two labels, got \\['ham'\\]"),
        ("ham", "must be a list of names such as \\['ham', 'spam'\\], got 'ham'"),
        (b"ham", "must be a list of names"),
        (None, "must be a list of names"),
        ({"ham", "spam"}, "must be a list of names"),
        (["ham", "ham"], "must differ, but 'ham' stand"),
        ([1, "1"], "must differ, but '1' stand"),
        (["ham", ""], "needs a name; number 2 of \\['ham', ''\\] is empty"),
        (["ham", " \t"], "number 2 .* is empty"),
        (["ham", "\ud800"], "lone surrogate"),
    ],
)
def test_labels_that_make_no_choice(classes, message):
    with pytest.raises(TaskError, match=message):
        Choice(classes)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"ham": "a", "spam": "A"}, "The key 'A' is bound twice: to 'ham' and to 'spam'"),
        ({"hm": "a"}, "names the label 'hm', which does not exist. Did you mean 'ham'"),
        ({"ham": "/"}, "The key '/' for 'ham' is taken: it means 'search'"),
        ({"ham": "space"}, "is taken: it means 'accept the suggestion'"),
        ({"ham": "Esc"}, "is taken: it means 'close'"),
        ({"ham": "ab"}, "must be a single character, got 'ab'"),
        ({"ham": ""}, "must be a single character, got ''"),
        (["a"], "keys= is a dict such as"),
    ],
)
def test_keys_that_do_not_fit(keys, message):
    with pytest.raises(TaskError, match=message):
        Choice(["ham", "spam"], keys=keys)


def test_a_label_keeps_the_digit_of_its_place():
    task = Choice(list("abcdefghijkl"), keys={"a": "q", "l": "ö", "b": 3})
    assert task.keys["a"] == "q" and task.keys["l"] == "ö" and task.keys["b"] == "3"
    assert task.keys["c"] == "1"  # its digit belongs to b, that of a is free
    assert task.keys["d"] == "4" and task.keys["i"] == "9" and "j" not in task.keys
    assert len(set(task.keys.values())) == len(task.keys)
    assert not set(task.keys.values()) & set(COMMAND_KEYS)


def test_other_values_than_text_are_taken_by_their_text():
    task = Choice(np.array([0, 1]), keys={1: "y"})
    assert task.classes == ("0", "1") and task.keys == {"1": "y", "0": "0"}
    assert task.parse(1) == task.parse(np.int64(1)) == task.parse("1") == "1"
    assert Choice([True, False]).parse(np.True_) == "True"


def test_whole_numbers_that_became_floats_are_still_labels():
    column = pd.Series([1, 0, None])
    task = Choice([0, 1])
    assert task.parse(column[0]) == "1" and task.parse(np.float32(0)) == "0"
    assert Choice([0.5, 1.0]).parse(1.0) == "1.0"
    for wrong in (0.5, float("nan"), float("inf")):
        with pytest.raises(LabelValueError):
            task.parse(wrong)


@pytest.mark.parametrize("raw", ["Ham", "", None, [], {}, "ham ", "\ud800", "x" * 100_000])
def test_values_that_are_no_label(raw):
    with pytest.raises(LabelValueError, match="is not one of the labels"):
        Choice(["ham", "spam"]).parse(raw)


def test_a_near_label_is_named():
    with pytest.raises(LabelValueError, match="Did you mean 'spam'"):
        Choice(["ham", "spam"]).parse("spma")


def test_the_task_described():
    task = Choice(["ham", "spam"], question="Spam?")
    assert task.spec() == {
        "kind": "choice", "classes": ["ham", "spam"], "keys": {"ham": "1", "spam": "2"},
        "question": "Spam?",
    }  # fmt: skip
    assert repr(task) == "Choice(['ham', 'spam'])"
    assert task.agree("ham", "ham") == 1.0 and task.agree("ham", "spam") == 0.0
    assert task.columns("ham") == {"label": "ham"}
    assert task.targets(["ham", "spam"]).tolist() == ["ham", "spam"]


def test_as_task():
    task = Choice(["ham", "spam"])
    assert as_task(task) is task
    made = as_task(["a", "b"], keys={"a": "x"}, question="Which?")
    assert made.keys["a"] == "x" and made.question == "Which?"
    with pytest.raises(OptionError, match="go with a list of names"):
        as_task(task, question="Which?")
    with pytest.raises(OptionError, match=r"A task is an object: write Choice\(...\)"):
        as_task(Choice)


def test_a_label_that_is_a_digit_has_that_digit():
    assert Choice(range(10)).keys == {str(digit): str(digit) for digit in range(10)}
    assert Choice([1, 2, 3]).keys == {"1": "1", "2": "2", "3": "3"}
    assert Choice(["none", "1", "2"]).keys == {"1": "1", "2": "2", "none": "3"}
    assert Choice(["ham", "spam"], keys={"ham": "2"}).keys == {"ham": "2", "spam": "1"}


def test_a_label_may_take_the_letter_of_a_command():
    assert Choice(["ham", "spam"], keys={"ham": "h", "spam": "s"}).keys == {"ham": "h", "spam": "s"}


def test_values_come_back_as_they_were_given():
    task = Choice(np.array([7, 8]))
    assert task.columns("7") == {"label": 7} and type(task.columns("7")["label"]) is int
    assert Choice(["a", "b"]).columns("a") == {"label": "a"}


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (pd.DataFrame({"a": [1]}), "The data comes first"),
        (["a", float("nan")], "nan is among them"),
        (["p ", "p"], "'p' stand"),
        (pd.Series(["ham", "spam"] * 4), r"give the \.unique\(\) values"),
    ],
)
def test_labels_that_cannot_be_meant(classes, message):
    with pytest.raises(TaskError, match=message):
        Choice(classes)


@pytest.mark.parametrize("raw", [10**400, -(10**30), 1e308, float("inf"), float("nan"), True])
def test_numbers_of_any_size_are_no_rating(raw: object) -> None:
    with pytest.raises(LabelValueError, match="The rating is"):
        Rating(0, 1, step=0.5).parse(raw)
