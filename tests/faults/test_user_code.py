"""Code of the user that misbehaves: a model, features, a strategy, a callable that shows.

Whatever it does, what was accepted is in `labels`, the error is there to read, and labeling goes
on with the last good model, or at random.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from nblabel import _trainer
from nblabel._progress import report
from nblabel._quiet import QuietWarning, quiet
from nblabel._trainer import Trainer
from nblabel.errors import OptionError, TrainingTimeoutError
from nblabel.renderers import View
from nblabel.session import Session
from nblabel.suggest import Scores
from nblabel.tables import Calibration
from nblabel.testing import FakePage

PATIENCE = 60.0
LIMIT = 0.5
CLASSES = ["ham", "spam"]
TEXTS = [f"{'cheap money' if k % 2 else 'see you'} number {k}" for k in range(40)]
MORE = TEXTS[:2]
TRUTH = ["spam" if k % 2 else "ham" for k in range(42)]
posix = pytest.mark.skipif(os.name != "posix", reason="signals")


@pytest.fixture(autouse=True)
def expected(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_trainer, "GRACE_SECONDS", 0.2)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*Labeling goes on", category=UserWarning)
        yield


def until(condition: Callable[[], Any], what: str) -> Any:
    ends = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < ends, f"{what}: not within {PATIENCE} s"
        time.sleep(0.01)
    return value


# ---------------------------------------------------------------- what goes wrong


class Own(Exception):
    """An error of a class of the user's, which cannot be made anew from its text."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


def raises(switch: str = "") -> None:
    raise ValueError("the user's own words")


def raises_own(switch: str = "") -> None:
    raise Own("the user's", "own words")


def mute(switch: str = "") -> None:
    raise Mute


def leaves(switch: str = "") -> None:
    sys.exit("the user's own words")


def interrupts(switch: str = "") -> None:
    raise KeyboardInterrupt


def exhausts(switch: str = "") -> None:
    np.ones(1 << 56)


def swells(switch: str = "") -> None:
    """Fill the memory bit by bit, up to a limit of its own."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + 200_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        kept = []
        while True:
            kept.append(bytearray(1_000_000))
    finally:
        kept.clear()
        resource.setrlimit(resource.RLIMIT_AS, before)


def recurses(switch: str = "") -> None:
    recurses(switch)


def asks(switch: str = "") -> None:
    input()


def hangs(switch: str = "") -> None:
    while os.path.exists(switch):
        time.sleep(0.01)


def hangs_aloud(switch: str = "") -> None:
    while os.path.exists(switch):
        print("still at it", flush=True)
        time.sleep(0.01)


def dies(switch: str = "") -> None:
    os._exit(3)


def killed(switch: str = "") -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stops(switch: str = "") -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def segfaults(switch: str = "") -> None:
    ctypes.string_at(0)


#: What it does, and what the error says of it.
EVERYWHERE = {
    raises: "the user's own words",
    raises_own: "the user's own words",
    mute: "Mute",
    leaves: "the user's own words",
    exhausts: "Unable to allocate",
    recurses: "RecursionError",
}
BESIDE = {
    hangs: "no result within",
    hangs_aloud: "no result within",
    interrupts: "KeyboardInterrupt",
}
IN_PROCESS = {
    asks: "EOFError",
    dies: "exit code 3",
    killed: "memory ran short",
    stops: "no result within",
    segfaults: "SIGSEGV",
}
HANGING = (hangs, hangs_aloud, stops)
#: It goes on behind these.
ERRORS = (raises, raises_own, mute, exhausts, swells, recurses, asks)
#: A process takes its time to start: the quick form tries this one; hanging has tests of its own.
FEW = (killed,)


class Trigger:
    """Does what goes wrong from the moment that a file is there."""

    def __init__(self, path: Path, act: Callable[[str], None]) -> None:
        self.path, self.act = str(path), act

    def __call__(self) -> None:
        if os.path.exists(self.path):
            self.act(self.path)


class Both:
    """Does what either does."""

    def __init__(self, one: Trigger, other: Trigger) -> None:
        self.one, self.other = one, other

    def __call__(self) -> None:
        self.one()
        self.other()


class Model(ClassifierMixin, BaseEstimator):
    """Knows the class by the length of the text."""

    def __init__(self, trigger: Any = None, nonsense: Any = None) -> None:
        self.trigger = trigger
        self.nonsense = nonsense

    def fit(self, X: Any, y: Any) -> Model:
        self.classes_ = np.unique(y)
        if self.trigger is not None:
            self.trigger()
        return self

    def predict_proba(self, X: Any) -> Any:
        n, k = X.shape[0], len(self.classes_)
        good = np.full((n, k), 0.1 / max(1, k - 1))
        good[np.arange(n), np.arange(n) % k] = 0.9
        if self.nonsense is not None and os.path.exists(self.nonsense.path):
            return self.nonsense.act(self, good)
        return good


class Features(TransformerMixin, BaseEstimator):
    def __init__(self, trigger: Any = None, nonsense: Any = None) -> None:
        self.trigger = trigger
        self.nonsense = nonsense

    def fit(self, X: Any, y: Any = None) -> Features:
        return self

    def transform(self, X: Any) -> Any:
        if self.trigger is not None:
            self.trigger()
        good = np.array([[len(text), text.count("e")] for text in X], dtype=float)
        if self.nonsense is not None and os.path.exists(self.nonsense.path):
            return self.nonsense.act(self, good)
        return good


class Strategy:
    name = "own"
    requires: frozenset[str] = frozenset({"proba"})

    def __init__(self, trigger: Any = None, nonsense: Any = None) -> None:
        self.trigger = trigger
        self.nonsense = nonsense

    def utilities(self, context: Any) -> Any:
        if self.trigger is not None:
            self.trigger()
        good = context.rng().random(len(context.candidates))
        if self.nonsense is not None and os.path.exists(self.nonsense.path):
            return self.nonsense.act(context, good)
        return good

    def reason(self, utility: float) -> str:
        return "by its own lights"


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "model": lambda trigger=None, nonsense=None: {"model": Model(trigger, nonsense)},
    "features": lambda trigger=None, nonsense=None: {"features": Features(trigger, nonsense)},
    "strategy": lambda trigger=None, nonsense=None: {"strategy": Strategy(trigger, nonsense)},
}
WAYS = ("inline", "thread", "process")


class Annotator:
    """Labels at the page of a widget, and knows what was accepted."""

    def __init__(self, path: Path, tally: Callable[..., None], **options: Any) -> None:
        options = {"train_timeout": None, **options}
        self.session = Session(
            TEXTS, CLASSES, store=path / "log.sqlite", annotator="ana", blind=0, explore=0,
            batch=4, **options,
        )  # fmt: skip
        self.accepted: dict[str, str] = {}
        self.tally = tally

    def label(self, n: int = 4) -> None:
        for _ in range(n):
            (asked,) = self.session.next()
            said = TRUTH[int(asked.id)]
            self.session.record(asked, said)
            self.accepted[asked.id] = said

    def labels(self) -> dict[str, str]:
        return {str(key): label for key, label in self.session.labels["label"].items()}

    def check(self, row: str, faults: int = 1) -> None:
        """The law: `labels` are exactly what was accepted, also for who opens the log again."""
        session = self.session
        found = self.labels()
        session.close()
        again = Session(
            [*TEXTS, *MORE], CLASSES, store=session.store_path, model=False, strategy="random"
        )
        stored = {str(key): label for key, label in again.labels["label"].items()}
        events = len(again.history)
        again.close()
        self.tally(
            f"user code {row}",
            faults=faults,
            labels=len(self.accepted),
            lost=len(self.accepted.keys() - stored.keys()),
            duplicated=events - len(self.accepted),
        )
        assert found == stored == self.accepted
        assert events == len(self.accepted)


def shown_is_honest(session: Session, version: int, known: int = len(TEXTS)) -> None:
    """What is suggested is of the last good model, or nothing; so of what it does not know."""
    for asked in session.next(5):
        suggestion = asked.suggestion
        if version == 0 or int(asked.id) >= known:
            assert suggestion is None
        else:
            assert suggestion is not None and suggestion.version == version
            assert suggestion.label in CLASSES and 0 <= (suggestion.confidence or 0) <= 1
            assert abs(sum(p or 0 for _, p in suggestion.ranking) - 1) < 1e-3


def tried(way: str) -> dict[Callable[[str], None], str]:
    """What goes wrong where trainings run this way, and what is said of it."""
    found = dict(EVERYWHERE)
    if way != "inline":
        found.update(BESIDE)
    if way == "process" and os.name == "posix":
        found.update(IN_PROCESS)
    if way == "process" and sys.platform == "linux":
        found[swells] = "MemoryError"
    return found


def misbehave(path: Path, tally: Any, part: str, way: str, act: Any, seed: int) -> None:
    """Good for a while, or from the start bad; seen and said; then mended."""
    hanging = act in HANGING
    good_first = seed % 2 == 0 or (hanging and way == "process")
    path.mkdir()
    switch = path / "bad"
    if not good_first:
        switch.touch()
    limit = LIMIT if hanging and not good_first else None
    ana = Annotator(
        path, tally, worker=way, train_timeout=limit, **PARTS[part](Trigger(switch, act))
    )
    session = ana.session
    assert session.wait(PATIENCE)
    ana.label(8 + seed % 3)
    assert session.wait(PATIENCE)
    if good_first:
        assert session.last_error is None and session.status()["version"] > 0
        switch.touch()
        session._train_timeout = LIMIT if hanging else None
        if part == "features":  # they were computed: only those of more items are new
            session.add(MORE)
    version = session.status()["version"]
    learns = part == "strategy" and act in ERRORS  # what was learned is not lost with it
    assert (version > 0) is (good_first or learns)
    ana.label(8)
    assert session.wait(PATIENCE)
    failed = "unranked" if learns else "failed"
    until(lambda: session.status()["training"] == failed, "the failure to be said")
    status = session.status()
    assert (status["version"] > version) if learns else (status["version"] == version)
    version = status["version"]
    says = [tried(way)[act]]
    if hanging and way == "thread":  # or there were too many by now
        says.append("no further training is begun")
    assert any(word in status["error"] for word in says), status["error"]
    shown_is_honest(session, version)
    ana.label(2)
    switch.unlink()
    session._train_timeout = None
    until(lambda: session._trainer._count_left_behind() == 0, "the threads to end")
    session.retrain(wait=True, timeout=PATIENCE)
    status = session.status()
    assert (status["training"], status["error"]) == ("idle", None)
    assert status["version"] > version and status["learned"] == len(ana.accepted)
    shown_is_honest(session, status["version"], len(session.pool))
    ana.check(f"that {act.__name__.replace('_', ' ')}")


@pytest.mark.parametrize("way", WAYS)
def test_code_that_misbehaves(
    tmp_path: Path, tally: Callable[..., None], torture: bool, way: str
) -> None:
    acts = [act for act in tried(way) if torture or way != "process" or act in FEW]
    parts = list(PARTS)
    for number, act in enumerate(acts):
        # The quick form takes each part in turn.
        for part in parts if torture else [parts[number % 3]]:
            for seed in range(4) if torture else [number]:
                name = f"{part}-{act.__name__}-{seed}"
                misbehave(tmp_path / name, tally, part, way, act, seed)


# ---------------------------------------------------------------- what makes no sense


def _with_classes(*names: Any) -> Callable[[Any, Any], Any]:
    def act(model: Any, good: Any) -> Any:
        model.classes_ = np.array(names, dtype=object)
        return good

    return act


OF_A_MODEL: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "too few rows": (lambda m, p: p[:-1], "shape (39, 2), expected (40, 2)"),
    "a column too many": (lambda m, p: np.c_[p, p[:, :1]], "expected (40, 2)"),
    "one number a row": (lambda m, p: p[:, 0], "expected (40, 2)"),
    "nothing": (lambda m, p: None, "expected (40, 2)"),
    "NaN": (lambda m, p: np.where(np.arange(40)[:, None] == 7, np.nan, p), "not finite numbers"),
    "infinity": (lambda m, p: p / 0.0, "not finite numbers"),
    "sums of two": (lambda m, p: 2 * p, "a row that sums to 2, expected 1"),
    "no sum": (lambda m, p: 0 * p, "a row that sums to 0, expected 1"),
    "less than nothing": (lambda m, p: 1.5 - 2 * p - 0.25, "as small as"),
    "text": (lambda m, p: p.astype(str), "expected numbers"),
    "complex numbers": (lambda m, p: p + 0j, "expected numbers"),
    "classes that are unknown": (_with_classes("ham", "eggs"), "'eggs', which are no labels"),
    "classes by number": (_with_classes(0, 1), "'0', '1', which are no labels"),
    "a class twice": (_with_classes("ham", "ham"), "classes that are not different"),
    "too many classes": (_with_classes("ham", "spam", "x"), "expected (40, 3)"),
}
OF_FEATURES: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "too few rows": (lambda f, m: m[:-1], "made the shape (39, 2)"),
    "one number an item": (lambda f, m: m[:, 0], "made the shape (40,)"),
    "nothing": (lambda f, m: None, "made the shape ()"),
    "NaN": (lambda f, m: m * np.nan, "NaN or infinite"),
    "infinity": (lambda f, m: m / 0, "NaN or infinite"),
    "text": (lambda f, m: m.astype(str), "must hold numbers"),
}
OF_A_STRATEGY: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "nothing": (lambda c, u: None, "gave utilities of shape ()"),
    "too few": (lambda c, u: u[:-1], "not which ones to ask"),
    "places of items": (lambda c, u: c.candidates[:3], "not which ones to ask"),
    "places outside the pool": (lambda c, u: np.array([999, -1, 999]), "not which ones to ask"),
    "a table": (lambda c, u: np.c_[u, u], "gave utilities of shape"),
    "NaN": (lambda c, u: u * np.nan, "gave no candidate a utility"),
    "no candidate": (lambda c, u: u - np.inf, "gave no candidate a utility"),
    "text": (lambda c, u: u.astype(str), "they must be numbers"),
    "objects": (lambda c, u: np.array([None] * len(u)), "they must be numbers"),
    "changed candidates": (lambda c, u: c.candidates.sort(), "read-only"),
    "changed places": (lambda c, u: c.labeled.__setitem__(0, 5), "read-only"),
    "changed predictions": (lambda c, u: c.pool_proba.fill(0), "read-only"),
}
NONSENSE = {"model": OF_A_MODEL, "features": OF_FEATURES, "strategy": OF_A_STRATEGY}
FEW_IN_PROCESS = {("model", "NaN"), ("strategy", "changed predictions")}


class Nonsense:
    def __init__(self, path: Path, act: Callable[[Any, Any], Any]) -> None:
        self.path, self.act = str(path), act


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", PARTS)
def test_code_that_returns_nonsense(
    tmp_path: Path, tally: Callable[..., None], torture: bool, part: str, way: str
) -> None:
    for number, (name, (act, says)) in enumerate(NONSENSE[part].items()):
        few = (part, name) in FEW_IN_PROCESS if way == "process" else number % 3 == 0
        if not (torture or way == "inline" or few):
            continue
        path = tmp_path / str(number)
        path.mkdir()
        switch = path / "bad"
        good_first = number % 2 == 0 and part != "features"
        if not good_first:
            switch.touch()
        wrong = Nonsense(switch, act)
        ana = Annotator(path, tally, worker=way, **PARTS[part](nonsense=wrong))
        session = ana.session
        ana.label(8)
        assert session.wait(PATIENCE)
        switch.touch()
        version = session.status()["version"]
        learns = part == "strategy"  # what was learned is not lost with it
        assert (version > 0) is (good_first or learns), f"{name}: {session.last_error}"
        ana.label(4)
        assert session.wait(PATIENCE)
        status = session.status()
        assert status["training"] == ("unranked" if learns else "failed"), f"{name}: {status}"
        assert says in status["error"], f"{name}: {status}"
        assert "Traceback" in status["error"] or "classes_" in status["error"]
        assert (status["version"] > version) if learns else (status["version"] == version)
        shown_is_honest(session, status["version"])
        switch.unlink()
        session.retrain(wait=True, timeout=PATIENCE)
        assert session.last_error is None
        shown_is_honest(session, session.status()["version"])
        ana.check("that returns nonsense")


class Fitted:
    model = None

    def __init__(self, scores: Any, marks: Any) -> None:
        self.scores, self.said = scores, marks

    def predict(self) -> Any:
        return self.scores

    def marks(self, position: int, label: str) -> Any:
        return self.said


class Suggester:
    def __init__(self) -> None:
        self.proba = np.tile(np.float32([0.3, 0.7]), (40, 1))
        self.scores: Any = Scores(("ham", "spam"), self.proba, True)
        self.marks: Any = []

    def fit(self, snapshot: Any) -> Any:
        return Fitted(self.scores, self.marks)

    def embedding(self) -> None:
        return None


def test_a_suggester_of_ones_own(tmp_path: Path, tally: Callable[..., None]) -> None:
    own = Suggester()
    ana = Annotator(tmp_path, tally, suggester=own, strategy="margin", worker="inline")
    ana.label(8)
    assert ana.session.last_error is None
    version = ana.session.status()["version"]
    own.proba[:] = 0  # it writes into its own array again
    shown_is_honest(ana.session, version)
    good, fair = own.scores, Scores(("ham", "spam"), np.ones((40, 2)) / 2, True)
    faults = 0
    for scores, says in (
        (None, "gave no scores with classes, proba and probabilistic"),
        (Scores(("ham", "spam"), np.ones((3, 2)) / 2, True), "expected (40, 2)"),
        (Scores(("ham", "ham"), np.ones((40, 2)) / 2, True), "not different"),
        (good, "a row that sums to 0"),
        (replace(fair, calibration=0.5), "makes no 2 probabilities: 0.5"),
        (replace(fair, calibration=Calibration(np.nan, np.zeros(2))), "makes no 2"),
        (replace(fair, calibration=lambda rows: rows[:, :1]), "makes no 2 probabilities"),
    ):
        own.scores = scores
        ana.session.retrain()
        assert ana.session.last_error is not None and says in ana.session.last_error
        shown_is_honest(ana.session, version)
        faults += 1
    own.scores = fair
    for marks in (None, [(5, 2, 1.0)], [(0, 3, 1), (2, 4, 1)], [("a", 1, 1)], [(0, 1)]):
        own.marks = marks
        ana.session.retrain()
        assert ana.session.marks("0", "ham") == []
        assert "The marks failed" in (ana.session.last_error or "")
        faults += 1
    ana.check("that returns nonsense", faults)


# ---------------------------------------------------------------- what it prints and changes


class Noisy(Model):
    def fit(self, X: Any, y: Any) -> Model:
        print("a word " * 1000)
        os.write(1, b'{"done": "not a packet"}\n')
        sys.stdout.write('{"progress": 0.5}\n')
        sys.stderr.write("an aside\n")
        return super().fit(X, y)


@pytest.mark.parametrize("way", WAYS)
def test_a_model_that_prints(tmp_path: Path, tally: Callable[..., None], way: str) -> None:
    switch = tmp_path / "bad"
    ana = Annotator(tmp_path, tally, worker=way, model=Noisy(Trigger(switch, raises)))
    ana.label(8)
    ana.session.retrain(wait=True, timeout=PATIENCE)
    assert ana.session.last_error is None and ana.session.status()["learned"] == 8
    switch.touch()
    ana.session.retrain(wait=True, timeout=PATIENCE)
    assert ana.session.last_error is not None
    assert "the user's own words" in ana.session.last_error
    if way == "process":  # nobody sees what is printed there, so the error brings it
        assert "It printed:" in ana.session.last_error
        assert "an aside" in ana.session.last_error
    ana.check("that prints")


class Greedy(Model):
    """Scales what it is given, in place."""

    def fit(self, X: Any, y: Any) -> Model:
        X *= 0
        y[:] = "ham"
        self.classes_ = np.array(CLASSES)
        return self

    def predict_proba(self, X: Any) -> Any:
        X *= 0
        return super().predict_proba(X)


class GreedyFeatures(Features):
    def transform(self, X: Any) -> Any:
        good = super().transform([str(x) for x in (X["text"] if hasattr(X, "columns") else X)])
        if hasattr(X, "columns"):
            del X["text"]
            X.iloc[:] = 0
        elif isinstance(X, np.ndarray):
            X[:] = 0
        else:
            X[:] = ["changed"] * len(X)
        return good


@pytest.mark.parametrize("way", ["inline", "thread"])
def test_code_that_changes_what_it_gets(
    tmp_path: Path, tally: Callable[..., None], way: str
) -> None:
    matrix = np.arange(80, dtype=np.float64).reshape(40, 2)
    frame = pd.DataFrame({"text": TEXTS, "n": range(40)})
    images = np.arange(40 * 9, dtype=np.uint8).reshape(40, 3, 3)
    for number, (data, options) in enumerate(
        (
            (TEXTS, {"features": matrix, "model": Greedy()}),
            (TEXTS, {"features": GreedyFeatures()}),
            (frame, {"features": GreedyFeatures(), "row": True}),
            (images, {"features": GreedyFeatures()}),
        )
    ):
        before = [matrix.copy(), list(TEXTS), frame.copy(), images.copy()]
        path = tmp_path / str(number)
        path.mkdir()
        session = Session(
            data, CLASSES, worker=way, store=path / "log.sqlite", blind=0, explore=0, batch=4,
            strategy="margin", **options,
        )  # fmt: skip
        digests = [session.pool.digest(k) for k in range(40)]
        for k in range(8):
            session.record(str(k), TRUTH[k])
        session.retrain(wait=True, timeout=PATIENCE)
        assert session.last_error is None and session.status()["version"] > 0
        assert [session.pool.digest(k) for k in range(40)] == digests
        assert session.labels["label"].tolist() == TRUTH[:8]
        session.close()
        np.testing.assert_array_equal(matrix, before[0])
        assert before[1] == TEXTS
        pd.testing.assert_frame_equal(frame, before[2])
        np.testing.assert_array_equal(images, before[3])
        tally("user code that changes its input", faults=1, labels=8, lost=0, duplicated=0)


# ---------------------------------------------------------------- what is shown


def _scribbles(item: Any) -> str:
    item[:] = 0
    return "scribbled"


class Renderer:
    kind = "own"
    modality = None

    def __init__(self, view: Any) -> None:
        self._view = view

    def accepts(self, item: Any) -> bool:
        return True

    def view(self, item: Any) -> Any:
        return self._view


@pytest.mark.parametrize(
    ("show", "says"),
    [
        (lambda item: raises(), "the user's own words"),
        (lambda item: leaves(), "SystemExit"),
        (lambda item: mute(), "Mute"),
        (lambda item: interrupts(), "KeyboardInterrupt"),
        (lambda item: recurses(), "RecursionError"),
        (lambda item: exhausts(), "Unable to allocate"),
        (_scribbles, None),
        (lambda item: print("a word"), None),
        (lambda item: None, None),
        (Renderer(None), "must return a View, got NoneType"),
        (Renderer(View("text", {"text": float("nan")})), "must be JSON"),
        (Renderer(View("text", {"text": {1, 2}})), "must be JSON"),
        (Renderer(View("text", "text")), "a dict of JSON"),  # type: ignore[arg-type]
        (Renderer(View("image", {}, ("text",))), "are bytes"),  # type: ignore[arg-type]
    ],
)
def test_what_shows_an_item_misbehaves(
    tally: Callable[..., None], tmp_path: Path, show: Any, says: str | None
) -> None:
    images = [np.full((3, 3), k, dtype=np.uint8) for k in range(40)]
    session = Session(
        images, CLASSES, show=show, store=tmp_path / "log.sqlite", model=False, explore=0
    )
    page = FakePage(session).open(10)
    accepted = {}
    for k in range(10):
        item = page.order[0]
        view = page.items[item]["view"]
        if says is None:
            assert view["kind"] != "error"
        else:
            assert view["kind"] == "error"
            assert says in view["data"]["text"] + view["data"]["detail"]
        accepted[item] = CLASSES[k % 2]
        page.label(item, CLASSES[k % 2])
        page.want(10)
    assert page.outbox == {} and page.rejected == []
    found = {str(key): label for key, label in session.labels["label"].items()}
    tally(
        "user code that shows", faults=1, labels=len(accepted),
        lost=len(accepted.keys() - found.keys()), duplicated=len(session.history) - len(accepted),
    )  # fmt: skip
    assert found == accepted and len(session.history) == len(accepted)
    assert all((image == k).all() for k, image in enumerate(images))
    session.close()


# ---------------------------------------------------------------- the watchdog


@pytest.mark.parametrize("way", ["thread", "process"])
def test_a_training_that_hangs_can_be_cancelled(
    tmp_path: Path, tally: Callable[..., None], way: str
) -> None:
    switch = tmp_path / "bad"
    ana = Annotator(tmp_path, tally, worker=way, model=Model(Trigger(switch, hangs)))
    ana.label(8)
    assert ana.session.wait(PATIENCE)
    version = ana.session.status()["version"]
    switch.touch()
    ana.session.retrain()
    until(lambda: ana.session.status()["training"] == "training", "the training to begin")
    ana.label(2)
    assert ana.session.cancel()
    assert ana.session.status()["training"] != "training" and ana.session.wait(PATIENCE)
    switch.unlink()
    ana.session.retrain(wait=True, timeout=PATIENCE)
    assert ana.session.last_error is None and ana.session.status()["version"] > version
    ana.check("that hangs and is cancelled")


def test_a_cancelled_training_is_no_failed_one(tmp_path: Path, tally: Callable[..., None]) -> None:
    """What failed before it is over."""
    switch, bad = tmp_path / "hangs", tmp_path / "bad"
    model = Both(Trigger(bad, raises), Trigger(switch, hangs))
    ana = Annotator(tmp_path, tally, worker="thread", model=Model(model))
    bad.touch()
    ana.label(8)
    assert ana.session.wait(PATIENCE) and ana.session.status()["training"] == "failed"
    bad.unlink()
    switch.touch()
    ana.session.retrain()
    until(lambda: ana.session.status()["training"] == "training", "the training to begin")
    assert ana.session.cancel()
    status = ana.session.status()
    assert (status["training"], status["doing"]) == ("waiting", "training cancelled")
    assert status["error"] is None
    ana.session.retrain()
    assert ana.session.status()["doing"] != "training cancelled"
    switch.unlink()
    assert ana.session.wait(PATIENCE)
    ana.check("that is cancelled after it failed")


def test_too_many_hanging_threads_are_not_added_to(
    tmp_path: Path, tally: Callable[..., None]
) -> None:
    release = threading.Event()
    began: list[int] = []

    class Waits(Model):
        def fit(self, X: Any, y: Any) -> Model:
            began.append(1)
            release.wait(PATIENCE)
            return super().fit(X, y)

    ana = Annotator(tmp_path, tally, worker="thread", model=Waits())
    assert ana.session.wait(PATIENCE)
    ana.session._train_timeout = 0.05
    try:
        for item in ("0", "1"):  # one of each class
            ana.session.record(item, TRUTH[int(item)])
            ana.accepted[item] = TRUTH[int(item)]
        for _ in range(_trainer.MOST_LEFT_BEHIND + 2):
            ana.session.retrain()
            assert ana.session.wait(PATIENCE)
            until(lambda: ana.session.status()["training"] == "failed", "it to be said")
        until(lambda: len(began) == _trainer.MOST_LEFT_BEHIND, "the threads to get there")
        assert "no further training is begun: 3" in (ana.session.last_error or "")
        ana.label(8)
    finally:
        release.set()
    until(lambda: ana.session._trainer._count_left_behind() == 0, "the threads to end")
    ana.session._train_timeout = None
    ana.session.retrain(wait=True, timeout=PATIENCE)
    assert ana.session.last_error is None
    ana.check("that hangs")


def test_what_a_thread_finds_too_late_is_thrown_away() -> None:
    release, ended = threading.Event(), threading.Event()
    done: list[Any] = []
    failed: list[BaseException] = []

    def late() -> str:
        release.wait(PATIENCE)
        ended.set()
        return "late"

    trainer = Trainer()
    trainer.submit(late, done.append, failed.append, timeout=0.05)
    assert trainer.wait(PATIENCE)
    until(lambda: failed, "the word")
    assert isinstance(failed[0], TrainingTimeoutError) and "runs on in a thread" in str(failed[0])
    trainer.submit(lambda: "next", done.append, failed.append)
    assert trainer.wait(PATIENCE) and done == ["next"]
    release.set()
    assert ended.wait(PATIENCE)
    until(lambda: trainer._count_left_behind() == 0, "the thread to end")
    assert done == ["next"] and len(failed) == 1


def test_the_clock_is_set_back_by_progress() -> None:
    done: list[Any] = []
    failed: list[BaseException] = []

    def long() -> str:
        for k in range(10):
            report(k / 10)
            time.sleep(0.3)
        return "all"

    trainer = Trainer()
    trainer.submit(long, done.append, failed.append, timeout=2.0)
    assert trainer.wait(PATIENCE) and (done, failed) == (["all"], [])


def test_the_limit_follows_what_was_seen() -> None:
    session = Session(TEXTS, CLASSES, store=None, inline=True)
    assert session._time_limit() == 600.0
    for k in range(6):
        session.record(str(k), TRUTH[k])
    session.retrain()
    assert session._time_limit() == 60.0
    session._longest = 30.0
    assert session._time_limit() == 600.0
    session.add(["one more"])
    for limit in (None, 5):
        assert Session(TEXTS, CLASSES, store=None, train_timeout=limit)._time_limit() == limit
    for wrong in (0, -1, "soon", float("nan"), float("inf"), True):
        with pytest.raises(OptionError, match="train_timeout= is a number of seconds above 0"):
            Session(TEXTS, CLASSES, store=None, train_timeout=wrong)


# ---------------------------------------------------------------- warnings by thread


def test_warnings_are_silent_in_one_thread_only() -> None:
    inside, leave = threading.Event(), threading.Event()

    def works() -> None:
        with quiet(ConvergenceWarning):
            inside.set()
            warnings.warn("of the training", ConvergenceWarning, stacklevel=1)
            warnings.warn("of another kind", UserWarning, stacklevel=1)
            leave.wait(PATIENCE)

    before = list(warnings.filters)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=works)
        thread.start()
        assert inside.wait(PATIENCE)
        warnings.warn("of the cell", ConvergenceWarning, stacklevel=1)
    leave.set()
    thread.join()
    # What a cell collects is all of its own, and the filters after it are those of before.
    assert [str(one.message) for one in caught if one.category is ConvergenceWarning] == [
        "of the cell"
    ]
    assert _meant(warnings.filters) == _meant(before)


def _meant(filters: Any) -> list[tuple[Any, ...]]:
    """The filters but ours, as they are meant: workers of scikit-learn compile their names."""
    return [
        tuple(getattr(part, "pattern", part) for part in one)
        for one in filters
        if one[2] is not QuietWarning
    ]
