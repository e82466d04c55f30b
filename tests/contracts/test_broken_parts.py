"""Parts with one thing wrong each: an exam that lets one pass is no exam."""

import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from nblabel.errors import OptionError
from nblabel.renderers import TextRenderer, View
from nblabel.store import SqliteLog
from nblabel.strategies import Margin
from nblabel.suggest import ModelSuggester
from nblabel.tasks import Choice
from nblabel.testing import (
    check_renderer,
    check_store,
    check_strategy,
    check_suggester,
    check_task,
)

from . import logs


def broken(part, /, **changes):
    """Make a subclass with some attributes replaced."""
    return type(f"Broken{part.__name__}", (part,), changes)


def examined(exam, *args):
    with pytest.raises(AssertionError) as caught:
        exam(*args)
    return str(caught.value)


# ---------------------------------------------------------------- tasks

_count = itertools.count()


def _parse_crashing(self, raw):
    return {"ham": "ham", "spam": "spam"}[raw]


def _parse_lax(self, raw):
    return str(raw)


def _parse_consuming(self, raw):
    return raw.pop() if isinstance(raw, list) and raw else Choice.parse(self, raw)


def _parse_unstable(self, raw):
    if isinstance(raw, str) and raw.startswith("+"):
        return "+" + raw
    return "+" + Choice.parse(self, raw)


def _parse_to_set(self, raw):
    return frozenset([raw]) if isinstance(raw, str) else raw


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": ""}, "kind must be non-empty text"),
        ({"target_type": "classes"}, "target_type must be one of"),
        ({"spec": lambda self: [1]}, "spec() must return a dict"),
        ({"spec": lambda self: {"kind": "other"}}, "spec()['kind'] must be 'choice'"),
        ({"spec": lambda self: {"kind": "choice", "n": next(_count)}}, "must not change from call"),
        ({"spec": lambda self: {"kind": {1}}}, "spec() cannot be sent as JSON"),
        ({"spec": lambda self: {"kind": "\ud800"}}, "spec() cannot be sent as JSON"),
        ({"parse": _parse_crashing}, "must raise LabelValueError, raised KeyError"),
        ({"parse": _parse_lax}, "parse() accepted the illegal 'eggs'"),
        ({"parse": _parse_unstable}, "must leave its own result '+ham' alone"),
        ({"parse": _parse_to_set}, "cannot be sent as JSON"),
        ({"agree": lambda self, a, b: 2.0}, "must be from 0 to 1, got 2.0"),
        ({"agree": lambda self, a, b: float(a <= b)}, "agree() is not symmetric"),
        ({"agree": lambda self, a, b: 0.5}, "with itself must be 1, got 0.5"),
        ({"targets": lambda self, values: [1]}, "one row per value"),
        ({"targets": lambda self, values: values or [1]}, "must work without any value"),
        ({"columns": lambda self, value: {"class": value}}, "columns() named ['class']"),
        ({"columns": lambda self, value: None}, "failed: TypeError"),
        ({"agree": lambda self, a, b: 1 / 0}, "failed: ZeroDivisionError"),
    ],
)
def test_tasks(changes, says):
    assert says in examined(check_task, broken(Choice, **changes)(["ham", "spam"]),
                            ["ham", "spam"], ["eggs"])  # fmt: skip


def test_tasks_and_what_they_are_examined_with():
    task = Choice(["ham", "spam"])
    assert "no Task object" in examined(check_task, object(), ["ham"], [])
    assert "no Task object" in examined(check_task, Choice, ["ham"], [])
    assert "at least one value" in examined(check_task, task, [], [])
    assert "refused the legal 'eggs'" in examined(check_task, task, ["eggs"], [])
    consuming = broken(Choice, parse=_parse_consuming)(["ham", "spam"])
    assert "changed the value it was given" in examined(check_task, consuming, [["ham"]], [])


# ---------------------------------------------------------------- renderers


def _tampering(self, item):
    item.append("x")
    return View("text", {"text": str(len(item) > 0)})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": None}, "kind must be non-empty text"),
        ({"modality": "smell"}, "modality must be one of"),
        ({"accepts": lambda self, item: 1 / 0}, "failed: ZeroDivisionError"),
        ({"text": lambda self, item: 5}, "text() must return text for item 0"),
        ({"accepts": lambda self, item: False}, "accepts() must return True for item 0 (list)"),
        ({"view": lambda self, item: 1 / 0}, "view() failed for item 0"),
        ({"view": lambda self, item: "text"}, "must return a View for item 0 (list), got 'text'"),
        ({"view": lambda self, item: View("")}, "must name its kind"),
        ({"view": lambda self, item: View("text", [1])}, "must be a dict"),
        ({"view": lambda self, item: View("text", {"n": np.int64(1)})}, "cannot be sent as JSON"),
        ({"view": lambda self, item: View("text", {"n": float("nan")})}, "cannot be sent as JSON"),
        ({"view": lambda self, item: View("text", {"t": "\ud800"})}, "cannot be sent as JSON"),
        ({"view": lambda self, item: View("image", {}, [b"x"])}, "must be a tuple of bytes"),
        ({"view": lambda self, item: View("image", {}, ("x",))}, "must be a tuple of bytes"),
        ({"view": lambda self, item: View("text", {"n": next(_count)})}, "the same twice"),
        ({"view": _tampering}, "view() changed item 0"),
    ],
)
def test_renderers(changes, says):
    changes = {"accepts": lambda self, item: True, **changes}
    assert says in examined(check_renderer, broken(TextRenderer, **changes)(), [["item"]])


def test_renderers_and_what_they_are_examined_with():
    assert "no Renderer object" in examined(check_renderer, TextRenderer, ["a"])
    assert "at least one item" in examined(check_renderer, TextRenderer(), [])


# ---------------------------------------------------------------- strategies


def _utilities(made):
    return lambda self, context: made(context, Margin.utilities(self, context))


def _writing(self, context):
    context.candidates.sort()
    return np.zeros(len(context.candidates))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "name must be non-empty text"),
        ({"requires": {"magic"}}, "requires must be a set of 'proba', 'features' and 'committee'"),
        ({"requires": "proba"}, "requires must be a set"),
        ({"requires": ["proba"]}, "requires must be a set"),
        ({"requires": None}, "requires must be a set"),
        ({"utilities": _utilities(lambda c, u: u.astype(object))}, "of type object"),
        ({"utilities": _utilities(lambda c, u: u + 0j)}, "they must be numbers"),
        ({"utilities": _utilities(lambda c, u: np.ma.masked_greater(u, 0.5))}, "with a mask"),
        ({"reason": lambda self, utility: 1 / 0}, "failed: ZeroDivisionError"),
        ({"requires": frozenset()}, "utilities() failed with 48 candidates"),
        ({"utilities": _utilities(lambda c, u: u[:-1])}, "expected (48,)"),
        ({"utilities": _utilities(lambda c, u: u[:, None])}, "of shape (48, 1)"),
        ({"utilities": _utilities(lambda c, u: u * np.nan)}, "all are NaN"),
        ({"utilities": _utilities(lambda c, u: u - np.inf)}, "all are NaN or -inf"),
        ({"utilities": _utilities(lambda c, u: u + random.random())}, "the same for the same"),
        ({"utilities": _utilities(lambda c, u: u + 0 * np.random.rand())}, "global random state"),
        ({"utilities": _writing}, "utilities() failed"),
        (
            {"utilities": _utilities(lambda c, u: u + 1 // len(c.labeled))},
            "30 candidates and 0 labels",
        ),
        ({"reason": lambda self, utility: None}, "reason() must return non-empty text"),
        ({"reason_by_order": 3}, "reason_by_order must be non-empty text"),
        ({"probabilities": lambda self, c, drawn: 1 / 0}, "failed with 48 candidates"),
        ({"probabilities": lambda self, c, drawn: drawn[:-1] / 9}, "expected (10,): one for each"),
        ({"probabilities": lambda self, c, drawn: np.zeros(len(drawn))}, "such as 0; what was"),
        ({"probabilities": lambda self, c, drawn: drawn + 1.5}, "what was drawn has one in (0, 1]"),
        ({"probabilities": lambda self, c, drawn: ["half"] * len(drawn)}, "they must be numbers"),
        (
            {"probabilities": lambda self, c, drawn: np.random.uniform(0.1, 1, len(drawn))},
            "probabilities() must return the same",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_strategies(changes, says):
    assert says in examined(check_strategy, broken(Margin, **changes)())


def test_what_is_no_strategy():
    assert "no QueryStrategy object" in examined(check_strategy, "margin")
    assert "no QueryStrategy object" in examined(check_strategy, Margin)


# ---------------------------------------------------------------- suggesters

TEXTS = ["win money", "see you", "cheap money", "you there", "lunch"]


class Wrapped:
    """What a suggester has learned, with its scores or marks replaced."""

    def __init__(self, fitted, **changes):
        self.model = fitted.model
        self._fitted = fitted
        self._changes = changes

    def predict(self):
        scores = self._fitted.predict()
        made = self._changes.get("predict", lambda scores: scores)(scores)
        return replace(scores, **made) if isinstance(made, dict) else made

    def marks(self, position, label):
        return self._changes.get("marks", self._fitted.marks)(position, label)

    def committee(self, places):
        return self._changes.get("committee", self._fitted.committee)(places)


def suggester(**changes):
    def fit(self, snapshot):
        return Wrapped(ModelSuggester.fit(self, snapshot), **changes)

    return broken(ModelSuggester, fit=fit)(TEXTS, "text")


def _drifting(self, snapshot):
    fitted = Wrapped(ModelSuggester.fit(self, snapshot))
    drift = 0.01 * next(_count)
    fitted._changes["predict"] = lambda s: {"proba": (s.proba + drift) / (1 + 2 * drift)}
    return fitted


def _shared(self, snapshot):
    self.newest = ModelSuggester.fit(self, snapshot)
    return Wrapped(self.newest, predict=lambda scores: self.newest.predict())


def _embedding(made):
    return broken(ModelSuggester, embedding=lambda self: made)(TEXTS, "text")


@pytest.mark.parametrize(
    ("part", "says"),
    [
        (suggester(predict=lambda s: {"classes": (1, 2)}), "classes must be different names"),
        (suggester(predict=lambda s: {"classes": ("a", "a")}), "classes must be different names"),
        (suggester(predict=lambda s: {"proba": s.proba[1:]}), "must return the shape (5, 2)"),
        (suggester(predict=lambda s: {"proba": s.proba * np.nan}), "not finite"),
        (suggester(predict=lambda s: {"proba": -s.proba}), "negative numbers"),
        (suggester(predict=lambda s: {"proba": 2 * s.proba}), "must sum to 1"),
        (broken(ModelSuggester, fit=_drifting)(TEXTS, "text"), "the same from the same snapshot"),
        (broken(ModelSuggester, fit=_shared)(TEXTS, "text"), "changed an earlier model"),
        (suggester(marks=lambda p, n: [(2, 1, 0.5)]), "sorted spans that do not overlap"),
        (suggester(marks=lambda p, n: [(0, 3, 1), (2, 4, 1)]), "sorted spans"),
        (suggester(marks=lambda p, n: [(0, 1, 2.0)]), "from 0 to 1, got 2.0"),
        (suggester(marks=lambda p, n: [(0, 1, 1.0)]), "unknown label must be empty"),
        (
            suggester(committee=lambda places: np.ones((3, 5, 2))),
            "(n_members, 3, 2), got (3, 5, 2)",
        ),
        (suggester(committee=lambda places: np.full((2, 3, 2), np.nan)), "not finite"),
        (_embedding(np.ones((4, 2))), "one row per item, got the shape (4, 2)"),
        (_embedding(np.full((5, 2), np.inf)), "not finite"),
        (broken(ModelSuggester, fit=lambda self, s: 3)(TEXTS, "text"), "attribute 'model'"),
        (ModelSuggester, "no Suggester object"),
    ],
)
def test_suggesters(part, says):
    targets = ["spam", "ham", "spam", "spam"]
    assert says in examined(check_suggester, part, range(4), targets, 5)


# ---------------------------------------------------------------- stores


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (logs.NoLog, "A log has path, append(), read() and close()"),
        (logs.Failing, "The log failed: JSONDecodeError"),
        (logs.Repeating, "must keep its position and be stored once"),
        (logs.FromZero, "one growing position from 1 per event, got [0, 1]"),
        (logs.Narrow, "An event came back changed"),
        (logs.Short, "6 events were stored, 5 came back"),
        (logs.Backwards, "An event came back changed"),
        (logs.Inclusive, "read(after) must return what is behind it only"),
        (logs.OneThread, "append() failed in another thread"),
        (logs.Temporary, "A second log on the same path must see"),
        (logs.Private, "A log must see what a second one appended"),
        (logs.Forgetful, "A second log on the same path must see"),
        (logs.Batching, "acknowledged event(s) were lost when the process was killed"),
    ],
)
def test_stores(log, says):
    assert says in examined(check_store, log)


def test_the_log_that_they_break_is_sound():
    check_store(logs.open_lines)


def test_a_log_that_another_process_cannot_make():
    with pytest.raises(OptionError, match="a class or a function of a module"):
        check_store(lambda path: SqliteLog(path))
