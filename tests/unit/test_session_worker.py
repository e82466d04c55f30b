"""A session whose model learns in a process: the same as inline; what is said when it cannot."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from nblabel._learning import LEAST_RANKED, Ranking
from nblabel._queue import Draw
from nblabel.errors import OptionError
from nblabel.session import LEAST_FOR_PROCESS, Session
from nblabel.suggest import ModelSuggester, bulk, model

from .test_worker import posix, until

PATIENCE = 60.0
rng = np.random.default_rng(0)
TRUTH = rng.choice(["ham", "spam", "eggs"], size=LEAST_FOR_PROCESS)
_WORDS = {
    name: [f"{name[0]}word{k}" for k in range(40)] + [f"word{k}" for k in range(200)]
    for name in ("ham", "spam", "eggs")
}
TEXTS = [" ".join(rng.choice(_WORDS[label], size=9)) for label in TRUTH]
IMAGES = rng.integers(0, 60, size=(LEAST_FOR_PROCESS, 8, 8), dtype=np.uint8)
for _k, _label in enumerate(TRUTH):
    IMAGES[_k, {"ham": 0, "spam": 3, "eggs": 6}[_label]] += 150
VECTORS = IMAGES.reshape(LEAST_FOR_PROCESS, -1)[:, :40].astype(np.float32)
FRAME = pd.DataFrame({"length": VECTORS[:, 0], "kind": TRUTH, "text": TEXTS, "truth": TRUTH})


def make(data: Any = TEXTS, **options: Any) -> Session:
    options = {"store": None, "annotator": "ana", "blind": 0, "batch": 20, **options}
    return Session(data, ["eggs", "ham", "spam"], **options)


def teach(session: Session, n: int = 40) -> Session:
    for k in range(n):
        session.record(str(k), TRUTH[k])
    session.retrain(wait=True, timeout=PATIENCE)
    assert session.last_error is None
    return session


def test_what_looks_at_all_items_leaves_the_model_in_its_process() -> None:
    with contextlib.closing(make(TEXTS * 9)) as session:
        teach(session, 20)
        for _ in range(2):
            assert set(session.check()["problem"]) == {"duplicate"}
            teach(session, 30)
        assert session._trainer.way == "process" and not session.warning


NOTEBOOK = """
scale = 2.0

def length(text):
    return scale * len(text)

def count(texts):
    if isinstance(texts, str):  # calls itself
        return count([texts])[0]
    return np.array([[length(text), text.count("h")] for text in texts])
"""


@pytest.mark.parametrize("kind", ["features", "model"])
def test_a_model_on_functions_of_the_notebook_can_be_pickled(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    main = sys.modules["__main__"]
    made: dict[str, Any] = {"__name__": "__main__", "np": np}
    exec(NOTEBOOK, made)
    count = made["count"]
    monkeypatch.setattr(main, "count", count, raising=False)
    model = make_pipeline(FunctionTransformer(count), LogisticRegression())
    with contextlib.closing(make(**{kind: {"features": count, "model": model}[kind]})) as session:
        teach(session)
        assert session._trainer.way == "process" and not session.warning
        again = pickle.loads(pickle.dumps(session.model))
        assert again.predict(TEXTS[:50]).tolist() == session.model.predict(TEXTS[:50]).tolist()
        if kind == "model":
            assert session.model[0].func is count  # as it was made, not a copy
        assert count("hat").tolist() == [6.0, 1.0]


def found(session: Session) -> dict[str, Any]:
    """What a person sees of a session, and what it would do next."""
    ids = [str(k) for k in range(0, LEAST_FOR_PROCESS, 97)]
    return {
        "labels": session.labels.drop(columns=["at", "seconds"], errors="ignore").to_dict(),
        "predictions": session.predictions,
        "marks": [session.marks(item, label) for item in ids for label in ("ham", "spam")],
        "next": [(asked.id, asked.reason, asked.suggestion) for asked in session.next(5)],
        "doing": session.doing,
    }


POOLS: dict[str, Any] = {
    "texts": lambda: (TEXTS, {}),
    "images": lambda: (IMAGES, {}),
    "matrix": lambda: (TEXTS, {"features": VECTORS}),
    "pipeline": lambda: (
        TEXTS,
        {"model": make_pipeline(TfidfVectorizer(), LogisticRegression(C=3.0))},
    ),
    "rows": lambda: (FRAME, {"row": ["length", "text"]}),
}


@pytest.mark.parametrize("name", POOLS)
def test_a_process_finds_what_is_found_inline(name: str) -> None:
    data, options = POOLS[name]()
    here = teach(make(data, worker="inline", **options))
    there = teach(make(data, worker="process", **options))
    assert there._trainer.pid is not None and there.warning == ""
    # The order of the trainings differs, so the versions do; the same model is trained last.
    expected, got = found(here), found(there)
    # BLAS may add up in another order where it has other threads.
    pd.testing.assert_frame_equal(got["predictions"], expected["predictions"], rtol=1e-3, atol=1e-3)
    for mine, other in zip(got["marks"], expected["marks"], strict=True):
        assert np.ravel(mine) == pytest.approx(np.ravel(other), rel=1e-3, abs=1e-3)
    if name in ("texts", "pipeline"):
        assert any(expected["marks"])
    assert got["doing"] == expected["doing"]
    new = data.head(5) if name == "rows" else data[:5]
    if name == "matrix":
        new = VECTORS[:5]
    pd.testing.assert_frame_equal(there.predict(new), here.predict(new), rtol=1e-3, atol=1e-3)
    there.close()
    learned, expected_coef = (
        (model[-1] if hasattr(model, "steps") else model).coef_
        for model in (there.model, here.model)
    )
    np.testing.assert_allclose(learned, expected_coef, atol=1e-3 * np.abs(expected_coef).max())
    assert found(there)["marks"] == got["marks"]  # the model stays after the end


def test_a_ranking_makes_its_draws_when_they_are_looked_at() -> None:
    draws = [Draw(k, "margin", f"reason {k}") for k in (7, 3, 9)]
    ranking = Ranking(np.array([7, 3, 9]), "margin", [draw.reason for draw in draws])
    assert len(ranking) == 3 and not Ranking()
    assert list(ranking) == draws and ranking[-1] == draws[-1] and ranking[:2] == draws[:2]
    with pytest.raises(IndexError):
        ranking[3]


def test_small_pools_and_tests_need_no_process() -> None:
    ways = {
        "thread": make(TEXTS[:-1]),
        "process": make(TEXTS),
        "inline": make(TEXTS[:50], inline=True),
    }
    assert {way: session._trainer.way for way, session in ways.items()} == {
        way: way for way in ways
    }
    assert make(model=False)._trainer.way == "thread"
    assert make(worker="process", inline=True)._trainer.way == "inline"
    for session in ways.values():
        session.close()
    with pytest.raises(OptionError, match=r"worker= is one of 'auto', .*, got 'fork'"):
        make(worker="fork")


class Locked(ClassifierMixin, BaseEstimator):
    """Holds what no process can be sent."""

    lock = threading.Lock()

    def __init__(self, own: Any = None) -> None:
        self.own = own

    def fit(self, X: Any, y: Any) -> Locked:
        self.classes_ = np.unique(y)
        self.lock_ = threading.Lock()
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(np.full(len(self.classes_), 1 / len(self.classes_)), (X.shape[0], 1))


def test_a_model_that_cannot_be_sent_learns_in_a_thread_and_that_is_said() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        session = teach(make(model=Locked()))
    assert session._trainer.way == "thread" and session._trainer.pid is None
    assert "trains in a thread of the kernel" in session.status()["warning"]
    assert "cannot pickle '_thread.lock' object" in session.status()["warning"]
    assert sum("trains in a thread" in str(one.message) for one in caught) == 1
    assert len(session.predictions) == len(TEXTS)
    session.close()


class Waits(ClassifierMixin, BaseEstimator):
    """Fits when a file is there."""

    def __init__(self, folder: str = "") -> None:
        self.folder = folder

    def fit(self, X: Any, y: Any) -> Waits:
        (Path(self.folder) / "began").touch()
        until((Path(self.folder) / "go").exists, "the word to go")
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(np.full(len(self.classes_), 1 / len(self.classes_)), (X.shape[0], 1))


@pytest.mark.parametrize("worker", ["thread", "process"])
def test_a_training_can_be_cancelled(tmp_path: Path, worker: str) -> None:
    session = make(model=Waits(str(tmp_path)), worker=worker, strategy="margin")
    assert session.wait(PATIENCE) and not session.cancel()
    session.record("0", TRUTH[0])
    session.record("1", next(label for label in ("ham", "spam") if label != TRUTH[0]))
    session.retrain()
    until((tmp_path / "began").exists, "the training to begin")
    assert session.status()["training"] == "training"
    assert session.cancel()
    status = session.status()
    assert (status["training"], status["doing"]) == ("waiting", "training cancelled")
    (tmp_path / "go").touch()
    assert session.wait(PATIENCE) and session.status()["version"] == 0
    session.retrain(wait=True, timeout=PATIENCE)
    assert session.status()["version"] > 0 and session.doing == "margin"
    assert session.last_error is None
    session.close()


@posix
def test_a_process_that_dies_is_said_and_labeling_goes_on(tmp_path: Path) -> None:
    session = make(model=Waits(str(tmp_path)), strategy="margin")
    assert session.wait(PATIENCE)
    session.record("0", "ham")
    session.record("1", "spam")
    with pytest.warns(UserWarning, match="ended by SIGKILL"):
        session.retrain()
        until((tmp_path / "began").exists, "the training to begin")
        assert session._trainer.pid is not None
        os.kill(session._trainer.pid, signal.SIGKILL)
        assert session.wait(PATIENCE)
    assert session.status()["training"] == "failed"
    session.record("2", "ham")
    (tmp_path / "go").touch()
    session.retrain(wait=True, timeout=PATIENCE)
    assert session.status()["training"] == "idle" and session.status()["learned"] == 3
    session.close()


def test_closing_leaves_neither_process_nor_folder() -> None:
    session = teach(make())
    worker, pid = session._trainer._worker, session._trainer.pid
    assert worker is not None and pid is not None and worker._folder.path.exists()
    session.close()
    assert not psutil.pid_exists(pid) and not worker._folder.path.exists()


# ---------------------------------------------------------------- large pools


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "SAMPLE", 500)
    monkeypatch.setattr("nblabel.suggest.features.MOST_DECOMPOSED", 500)
    monkeypatch.setattr("nblabel.suggest.features.SAMPLE_DECOMPOSED", 500)
    monkeypatch.setattr(bulk.sample, "__defaults__", (500,))
    monkeypatch.setattr(bulk, "CHUNK", 64)
    monkeypatch.setattr(model, "GLIMPSE", 200)
    monkeypatch.setattr("nblabel.suggest.multiview.MOST_ITEMS", 0)


@pytest.mark.parametrize("data", [TEXTS, IMAGES], ids=["texts", "images"])
@pytest.mark.usefixtures("small_sample")
def test_the_cold_start_does_not_wait_for_all_features(
    monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    results: list[Any] = []
    install = Session._install

    def see(self: Session, result: Any) -> None:
        results.append(result)
        install(self, result)

    monkeypatch.setattr(Session, "_install", see)
    session = make(data, worker="inline")
    first, second = sorted(results, key=lambda result: not result.partial)
    assert first.partial and not second.partial
    assert first.doing == second.doing == "transductive_design"
    places = bulk.sample(len(data), 0, 200)
    assert len(first.ranking) == 200 and all(isinstance(draw, Draw) for draw in first.ranking)
    assert {draw.position for draw in first.ranking} <= set(places.tolist())
    assert len(second.ranking) == LEAST_RANKED
    accuracy = (teach(session, 60).predictions["label"] == TRUTH).mean()
    assert accuracy > 0.45  # chance is a third


@pytest.mark.usefixtures("small_sample")
def test_features_from_a_sample_are_those_of_its_vocabulary() -> None:
    suggester = ModelSuggester(TEXTS, "text")
    features = suggester.features()
    words = suggester._transformer.vocabulary_
    some = [TEXTS[place] for place in bulk.sample(len(TEXTS), 0)]
    assert words == suggester._transformer.fit(some).vocabulary_
    assert features.shape == (len(TEXTS), len(words)) and features.dtype == np.float32
    assert (features[:200] != suggester._transformer.transform(TEXTS[:200])).nnz == 0
    assert suggester.embedding().shape == (len(TEXTS), 64)
    assert suggester.embedding().dtype == np.float32


@pytest.mark.usefixtures("small_sample")
def test_how_far_featurizing_is_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float | None] = []
    transform = TfidfVectorizer.transform

    def look(self: Any, texts: Any) -> Any:
        seen.append(session.status()["progress"])
        return transform(self, texts)

    session = make(worker="thread", strategy="random")
    session.wait(PATIENCE)
    monkeypatch.setattr(TfidfVectorizer, "transform", look)
    teach(session, 30)
    shares = [share for share in seen if share is not None]
    assert shares == sorted(shares) and len(set(shares)) > 10 and 0 <= shares[0] < shares[-1] < 1
    assert session.status()["progress"] is None
