"""Does nblabel need fewer labels than every peer? ``python -m benchmarks.efficiency``

Known labels answer, batch by batch, and after each batch the learner is scored on held-out items:
macro-F1 over all classes of the set, so a class that the learner does not know counts as wrong. The
*area* of a run is the mean of its scores over the batches. Two tables:

``same``
    Same features and same classifier for all, so only the choice of items differs: the features
    and the estimator of nblabel's default engine, as a matrix (``--features rich``, the default);
    or with ``--features plain`` TF-IDF of words and bigrams (sublinear), scaled pixels in 64
    principal components, or scaled and one-hot columns, fitted on the pool, and logistic
    regression, C = 10, balanced.
``shipped``
    As each library comes. nblabel: ``nl.Session(data, labels)`` and no option that learns (a table
    is said to be one with ``row=True``). The peers as their own documentation puts them together:
    see `benchmarks.peers`.

And ``find``: how many items of the rare class are among the labels of a set with a rare class;
nblabel asked to find (``goal="find"``, where the session knows it), against all rules and learners
of all peers.

Equal for all
    The same five seeds, the same labels per batch and in all, and a start without any label or
    class. A peer draws its first batches at random, the same draws for all, until its labels have
    two classes; nblabel has a cold start of its own. Before there are two classes, the only class
    known is the prediction. Nothing is tuned, neither to a set nor to a seed. A rule that names an
    item twice or too few is filled up with random draws. The budget ends at half of a small pool.
Not equal, and said
    nblabel keeps its default of one uniform draw in ten labels, which measure its accuracy; the
    peers have nothing like it. What that costs is in the row ``nblabel, explore=0``, which is not
    ranked. MaxHerding of scikit-activeml compares all candidates with each other: it sees 2,000 at
    most, drawn anew for each query.
Not ranked
    ``nblabel, random``: nblabel as shipped with random draws, the part of its gain that is not
    selection. Plain random draws are ranked, as anyone can have them.
Worst against random
    The smallest, over the sets, of three differences in area: nblabel and random draws in ``same``,
    nblabel and plain random draws in ``shipped``, nblabel and random draws with its own engine.
Intervals
    Student's t over the sets, of the differences of the means over seeds: they speak of other sets
    like these, not of other seeds. What other seeds would change is in the standard errors of the
    lead on each set: two seeds cannot tell which of two good rules leads on a set.

The sets: every ``*.parquet`` of ``--data`` (``text``, or pixels ``p*``, or other columns of
features; ``label``; ``split`` = pool or test), or ``--builtin``, those that come with scikit-learn
and the documentation of the installed libraries, a quarter held out by seed.

Each run (arm, set, seed) is one JSON file in ``build/efficiency``, named by all it depends on: the
parameters, the set, the release of the peer, for nblabel the text of its source, where all have its
features the text of what makes them. What is there is not run again, unless with ``--fresh``. The
peers are the dependency group ``bench``; one that is not installed is named and left out. The last
line is one line of JSON.
"""

from __future__ import annotations

import argparse
import functools
import gc
import hashlib
import inspect
import json
import multiprocessing
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sklearn
from scipy import sparse, special, stats
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import normalize

import nblabel as nl
from nblabel.suggest import learning_inputs

from .peers import PEERS, Learner, Peer, Rule, Situation, plain_values, scaled_columns

METHOD = 1
"""Part of the name of every cached run: to be raised when this module measures differently."""

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "efficiency"
COMPONENTS = 64
RARE = 0.1
"""A class is worth finding if it has at most this share of a set of two classes."""

OURS = "nblabel"
RANDOM = "random"
FULL = "full pool"
UNRANKED = ("nblabel, explore=0", "nblabel, random")

# ---------------------------------------------------------------- sets


class Data(NamedTuple):
    """A set: items and class numbers of pool and test."""

    kind: str
    pool: Any
    codes: np.ndarray
    test: Any
    truth: np.ndarray
    n_classes: int


BUILT_IN = ("sklearn-digits", "sklearn-wine", "breast-cancer", "installed-docs")


def built_in(name: str, seed: int) -> Data:
    """Return a set that anyone has, a quarter held out."""
    items: Any
    if name == "sklearn-digits":
        kind, (items, labels) = "image", nl.datasets.digits()
    elif name == "installed-docs":
        docs = nl.datasets.installed_docs()
        kind, items, labels = "text", docs["text"].tolist(), docs["library"].to_numpy(dtype=object)
    else:
        frame = nl.datasets.wine() if name == "sklearn-wine" else nl.datasets.breast_cancer()
        kind, items, labels = "row", frame.drop(columns="label"), frame["label"].to_numpy(object)
    names, codes = np.unique(labels, return_inverse=True)
    pool, test = train_test_split(
        np.arange(len(codes)), test_size=0.25, random_state=seed, stratify=codes
    )
    return Data(kind, take(items, pool), codes[pool], take(items, test), codes[test], len(names))


def read(path: Path) -> Data:
    """Read a set from a parquet file."""
    frame = pd.read_parquet(path)
    columns = [name for name in frame.columns if name not in ("label", "split")]
    names, codes = np.unique(frame["label"].to_numpy(), return_inverse=True)
    items: Any
    if "text" in columns:
        kind, items = "text", frame["text"].astype(object).tolist()
    elif all(name[0] == "p" and name[1:].isdigit() for name in columns):
        columns.sort(key=lambda name: int(name[1:]))
        side = round(len(columns) ** 0.5)
        kind, items = "image", frame[columns].to_numpy().reshape(len(frame), side, -1)
    else:
        kind, items = "row", frame[columns]
    pool = np.flatnonzero(frame["split"] == "pool")
    test = np.flatnonzero(frame["split"] == "test")
    return Data(kind, take(items, pool), codes[pool], take(items, test), codes[test], len(names))


def take(items: Any, places: np.ndarray) -> Any:
    """Return the items at these places, of the form that they came in."""
    if isinstance(items, pd.DataFrame):
        return items.iloc[places].reset_index(drop=True)
    if isinstance(items, np.ndarray):
        return items[places]
    return [items[place] for place in places]


@functools.lru_cache(maxsize=2)
def load(source: str, seed: int, most: int | None) -> Data:
    """Return a set: a built-in one by its name, else a file. Only the former depend on the seed."""
    data = built_in(source, seed) if source in BUILT_IN else read(Path(source))
    if most is not None and most < len(data.codes):
        kept = np.sort(np.random.default_rng(0).permutation(len(data.codes))[:most])
        data = data._replace(pool=take(data.pool, kept), codes=data.codes[kept])
    return data


def data_seed(source: str, seed: int) -> int:
    """Return the seed as far as the set itself depends on it."""
    return seed if source in BUILT_IN else 0


# ---------------------------------------------------------------- same features, same classifier


class Features(NamedTuple):
    """Rows of pool and test, a dense embedding of the pool, and the classifier, unfitted."""

    pool: Any
    test: Any
    embedding: np.ndarray
    classifier: Any


def same_features(data: Data, which: str) -> Features:
    """Return the features and the classifier that all arms of the table ``same`` share.

    Parameters
    ----------
    data : Data
    which : {"plain", "rich"}
        ``"rich"`` takes what nblabel's default session learns from.

    Raises
    ------
    ValueError
        For ``"rich"``, if nblabel's default features are no matrix.
    """
    classifier: Any = LogisticRegression(C=10.0, class_weight="balanced", max_iter=300)
    if which == "rich":
        pool, test, classifier = rich_features(data, classifier)
    elif data.kind == "text":
        words = TfidfVectorizer(
            sublinear_tf=True,
            ngram_range=(1, 2),
            token_pattern=r"(?u)\b\w+\b",
            min_df=2 if len(data.pool) > 2000 else 1,
            dtype=np.float32,
        )
        pool, test = plain_values("text", data.pool, data.test, words)
    elif data.kind == "image":
        pool, test = plain_values("image", data.pool, data.test)
        reduce = PCA(min(COMPONENTS, *pool.shape), random_state=0)
        pool, test = reduce.fit_transform(pool), reduce.transform(test)
    else:
        scaler = scaled_columns(data.pool)
        pool, test = scaler.fit_transform(data.pool), scaler.transform(data.test)
    return Features(pool, test, embed(pool), classifier)


def rich_features(data: Data, classifier: Any) -> tuple[Any, Any, Any]:
    """Return what nblabel's default engine learns from, and its estimator if it has just one."""
    suggester = new_session(data, 0)._suggester
    pool = suggester.features()
    if not (sparse.issparse(pool) or isinstance(pool, np.ndarray)) or pool.ndim != 2:
        raise ValueError(f"the default features are no matrix but {type(pool).__name__}")
    own = getattr(suggester, "estimator", None)
    return (
        pool,
        suggester.transformer.transform(data.test),
        clone(classifier if own is None else own),
    )


def embed(rows: Any) -> np.ndarray:
    """Return dense rows: 64 singular dimensions of length one for sparse rows, else themselves."""
    if not sparse.issparse(rows):
        return np.ascontiguousarray(rows, dtype=np.float64)
    width = max(1, min(COMPONENTS, rows.shape[0] - 1, rows.shape[1] - 1))
    return normalize(TruncatedSVD(width, random_state=0).fit_transform(rows).astype(np.float64))


@functools.lru_cache(maxsize=2)
def shared(source: str, seed: int, most: int | None, which: str) -> Features:
    """Return `same_features` of a set, kept."""
    return same_features(load(source, seed, most), which)


class Linear:
    """The shared classifier, fitted. On sparse rows only the columns that the labels have are used:
    the same model, faster."""

    def __init__(self, features: Features, labeled: np.ndarray, codes: np.ndarray) -> None:
        rows = features.pool[labeled]
        self.columns = None
        if sparse.issparse(rows) and isinstance(features.classifier, LogisticRegression):
            self.columns = np.unique(rows.indices) if rows.nnz else np.arange(1)
            rows = rows[:, self.columns]
        self.model = clone(features.classifier).fit(rows, codes)
        self.classes = self.model.classes_

    def proba(self, rows: Any) -> np.ndarray:
        """Return class probabilities; from a softmax of the decision where there are none."""
        rows = rows if self.columns is None else rows[:, self.columns]
        if hasattr(self.model, "predict_proba"):
            return np.asarray(self.model.predict_proba(rows), dtype=np.float64)
        margins = np.asarray(self.model.decision_function(rows), dtype=np.float64)
        if margins.ndim == 1:
            margins = np.column_stack([-margins / 2, margins / 2])
        return special.softmax(margins, axis=1)

    def predict(self, rows: Any) -> np.ndarray:
        """Return the most probable classes."""
        return self.classes[self.proba(rows).argmax(axis=1)]


# ---------------------------------------------------------------- runs


@dataclass(frozen=True)
class Task:
    """One run, with all that its result depends on.

    Attributes
    ----------
    table : {"same", "shipped", "find"}
    arm : str
    source : str
        Built-in name or file of the set.
    seed, budget, batch : int
    most : int or None
        Items of the pool that are used.
    features : str
        ``"plain"`` or ``"rich"``; empty where each arm has its own.
    version : str
        Of the library behind the arm.
    fingerprint : str
        Of the set.
    """

    table: str
    arm: str
    source: str
    seed: int
    budget: int
    batch: int
    most: int | None
    features: str
    version: str
    fingerprint: str

    @property
    def set(self) -> str:
        """Name of the set."""
        return Path(self.source).stem

    @property
    def file(self) -> Path:
        """Where the result is kept."""
        told = asdict(self) | {"source": self.set, "method": METHOD, "sklearn": sklearn.__version__}
        digest = hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=6)
        arm = "".join(c if c.isalnum() else "-" for c in self.arm)
        name = f"{self.table}_{self.set}_{arm}_{self.seed}_{digest.hexdigest()}.json"
        return CACHE / name


class Course:
    """What is measured along one run."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.scores: list[float] = []
        self.n_labels: list[int] = []
        self.seconds: list[float] = []

    def add(self, predicted: Any, n_labels: int, seconds: float) -> None:
        """Score the predictions for the test items after a batch."""
        self.scores.append(macro_f1(self.data, predicted))
        self.n_labels.append(n_labels)
        self.seconds.append(seconds)

    def result(self, labeled: np.ndarray) -> dict[str, Any]:
        """Return it as JSON, with the number of labels of each class."""
        counts = np.bincount(self.data.codes[labeled], minlength=self.data.n_classes)
        return {
            "n_labels": self.n_labels,
            "macro_f1": [round(score, 5) for score in self.scores],
            "seconds": [round(second, 5) for second in self.seconds],
            "counts": counts.tolist(),
        }


def macro_f1(data: Data, predicted: Any) -> float:
    """Mean over all classes of the set of F1, 0 for a class that is never named."""
    return float(
        f1_score(
            data.truth,
            np.asarray(predicted, dtype=int),
            labels=np.arange(data.n_classes),
            average="macro",
            zero_division=0,
        )
    )


def distinct(chosen: Iterable[Any], taken: np.ndarray, order: np.ndarray, k: int) -> np.ndarray:
    """Return k places: those chosen, each once and not labeled yet, then random ones.

    Parameters
    ----------
    chosen : iterable of int
    taken : ndarray of bool of shape (n_pool,)
    order : ndarray of int
        A random order of the pool, for what is missing.
    k : int
    """
    places = dict.fromkeys(int(place) for place in chosen if not taken[int(place)])
    for place in order:
        if len(places) >= k:
            break
        if not taken[place]:
            places.setdefault(int(place))
    return np.fromiter(places, dtype=np.intp)[:k]


def run_rule(task: Task, rule: Rule | None) -> dict[str, Any]:
    """Run a query rule on the shared features and classifier; None draws at random."""
    seed = data_seed(task.source, task.seed)
    data = load(task.source, seed, task.most)
    features = shared(task.source, seed, task.most, task.features)
    order = np.random.default_rng(task.seed).permutation(len(data.codes))
    taken = np.zeros(len(order), dtype=bool)
    labeled = np.empty(0, dtype=np.intp)
    course, model, proba = Course(data), None, None
    while len(labeled) < task.budget:
        began = time.perf_counter()
        k = min(task.batch, task.budget - len(labeled))
        chosen: Any = ()
        if rule is not None and model is not None:
            now = Situation(
                features.embedding,
                labeled,
                np.flatnonzero(~taken),
                data.codes[labeled],
                model.classes,
                proba,
                k,
                task.seed * 100_003 + len(labeled),
            )
            chosen = rule(now)
        chosen = distinct(chosen, taken, order, k)
        labeled = np.concatenate([labeled, chosen])
        taken[chosen] = True
        codes = data.codes[labeled]
        if len(np.unique(codes)) > 1:
            model = Linear(features, labeled, codes)
            proba = model.proba(features.pool) if rule is not None else None
        seconds = time.perf_counter() - began
        predicted = np.full(len(data.truth), codes[0])
        if model is not None:
            predicted = model.predict(features.test)
        course.add(predicted, len(labeled), seconds)
    return course.result(labeled)


def run_learner(task: Task, make: Any) -> dict[str, Any]:
    """Run a whole learner of a peer; None is a logistic regression at random draws."""
    data = load(task.source, data_seed(task.source, task.seed), task.most)
    learner = (make or PlainRandom)(data.kind, data.pool, data.test, data.n_classes, task.seed)
    order = np.random.default_rng(task.seed).permutation(len(data.codes))
    taken = np.zeros(len(order), dtype=bool)
    labeled = np.empty(0, dtype=np.intp)
    waiting = labeled  # labels that the learner has not got, as long as they are of one class
    knows = False
    course = Course(data)
    while len(labeled) < task.budget:
        began = time.perf_counter()
        k = min(task.batch, task.budget - len(labeled))
        asked = learner.query(np.flatnonzero(~taken), k) if knows else ()
        # Its own loop is told of what it asked for, so nothing may be filled up there.
        chosen = np.asarray(asked, dtype=np.intp) if knows and make else ()
        if len(chosen) != k or len(set(chosen)) != k or taken[chosen].any():
            if knows and make:
                raise ValueError(f"asked for {k} items, got {asked}")
            chosen = distinct((), taken, order, k)
        labeled = np.concatenate([labeled, chosen])
        taken[chosen] = True
        waiting = np.concatenate([waiting, chosen])
        if len(np.unique(data.codes[labeled])) > 1:
            learner.learn(waiting, data.codes[waiting])
            waiting, knows = waiting[:0], True
        seconds = time.perf_counter() - began
        predicted = learner.predict() if knows else np.full(len(data.truth), data.codes[labeled[0]])
        course.add(predicted, len(labeled), seconds)
    return course.result(labeled)


class PlainRandom(Learner):
    """scikit-learn as it comes: logistic regression on plain values, items drawn at random."""

    def fit(self) -> None:
        self.model = LogisticRegression(max_iter=1000).fit(self.rows[self.labeled], self.codes)

    def query(self, unlabeled: Any, k: int) -> Any:
        return ()

    def predict(self) -> Any:
        return self.model.predict(self.test)


def class_names(data: Data) -> list[str]:
    """Return the labels as a session has them."""
    return [f"class {code}" for code in range(data.n_classes)]


def new_session(data: Data, seed: int, **options: Any) -> Any:
    """Return a session as shipped, but for what is asked."""
    if data.kind == "row":
        options["row"] = True
    return nl.Session(
        data.pool, class_names(data), store=None, random_state=seed, inline=True, **options
    )


def run_session(task: Task, **options: Any) -> dict[str, Any]:
    """Run nblabel, from its first item on."""
    seed = data_seed(task.source, task.seed)
    data = load(task.source, seed, task.most)
    test = data.test
    if task.table == "same":
        features = shared(task.source, seed, task.most, task.features)
        options |= {"features": features.pool, "model": clone(features.classifier)}
        test = features.test
    began = time.perf_counter()
    session = new_session(data, task.seed, batch=task.batch, **options)
    names = class_names(data)
    code_of = {name: code for code, name in enumerate(names)}
    labeled: list[int] = []
    course, predictions = Course(data), Predictions(test)
    while len(labeled) < task.budget:
        asked = session.next(min(task.batch, task.budget - len(labeled)))
        for one in asked:
            place = session.pool.position(one.id)
            session.record(one, names[data.codes[place]])
            labeled.append(place)
        knows = len(np.unique(data.codes[labeled])) > 1
        # The last label of a batch has trained already; a batch cut short by the budget has not.
        if knows and session.status()["learned"] != len(labeled):
            session.retrain(wait=True)
        if session.last_error:
            raise RuntimeError(session.last_error)
        seconds = time.perf_counter() - began
        predicted = np.full(len(data.truth), data.codes[labeled[0]])
        if knows:
            predicted = predictions.of(session)
            predicted = np.array([code_of[name] for name in predicted])
        course.add(predicted, len(labeled), seconds)
        began = time.perf_counter()
    session.close()
    return course.result(np.asarray(labeled))


class Predictions:
    """What a session predicts for the test items, as `Session.predict` does; but their features,
    which stay the same from one training to the next, are made once."""

    def __init__(self, test: Any) -> None:
        self.test = test
        self.rows: Any = None

    def of(self, session: Any) -> np.ndarray:
        """Return the predicted labels."""
        model = session.model
        if not isinstance(model, Pipeline):
            return session.predict(self.test)["label"].to_numpy()
        if self.rows is None:
            self.rows = model[:-1].transform(learning_inputs(session.renderer, self.test))
        return np.asarray(model[-1].predict(self.rows))


def run_full(task: Task) -> dict[str, Any]:
    """Fit the shared classifier on the whole pool: the score that labels are held against."""
    seed = data_seed(task.source, task.seed)
    data = load(task.source, seed, task.most)
    features = shared(task.source, seed, task.most, task.features)
    everything = np.arange(len(data.codes))
    began = time.perf_counter()
    model = Linear(features, everything, data.codes)
    course = Course(data)
    course.add(model.predict(features.test), len(everything), time.perf_counter() - began)
    return course.result(everything)


def finding() -> dict[str, Any]:
    """Return how this nblabel is asked to find a class; empty if it cannot be."""
    if "goal" in inspect.signature(nl.Session.__init__).parameters:
        return {"goal": "find"}
    from nblabel.strategies import BUILT_IN as strategies

    return {"strategy": "find"} if "find" in strategies else {}


OUR_OPTIONS: dict[str, dict[str, Any]] = {
    OURS: {},
    "nblabel, explore=0": {"explore": 0.0},
    "nblabel, random": {"strategy": "random"},
}


@functools.cache
def peer(name: str) -> Peer:
    """Return an installed peer."""
    return PEERS[name]()


def run(task: Task) -> dict[str, Any]:
    """Carry out one run."""
    np.random.seed(task.seed)  # several peers draw from NumPy's global generator
    if task.arm == FULL:
        return run_full(task)
    if task.arm in OUR_OPTIONS:
        options = finding() if task.table == "find" else OUR_OPTIONS[task.arm]
        return run_session(task, **options)
    library, _, arm = task.arm.partition(": ")
    if task.table == "same":
        return run_rule(task, None if task.arm == RANDOM else peer(library).rules[arm])
    return run_learner(task, None if task.arm == RANDOM else peer(library).learners[arm])


def limit_memory(share: float) -> None:
    """Let this process have a share of the machine's memory: a run that wants more fails alone."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    most = int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * share)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def work(task: Task) -> tuple[Task, str]:
    """Carry out one run in a worker and keep its result; return what went wrong, or nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = run(task)
    except Exception as error:
        return task, f"{type(error).__name__}: {error}\n{traceback.format_exc()}"
    finally:
        gc.collect()  # a session refers to itself: some hundred MB that would be kept for long
    task.file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"task": asdict(task) | {"source": task.set}} | result)
    scratch = task.file.with_suffix(f".{os.getpid()}")
    scratch.write_text(text)
    os.replace(scratch, task.file)  # whole or not at all, if it is stopped here
    return task, ""


# ---------------------------------------------------------------- planning


def say(text: str) -> None:
    """Tell on the standard error stream how far it is."""
    print(text, file=sys.stderr, flush=True)


def our_version(part: str = "") -> str:
    """Return a digest of nblabel's source or a part of it, but for what only shows things."""
    root = Path(nl.__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if name.startswith(part) and not name.startswith(("widget/", "testing/")):
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def fingerprint(source: str, most: int | None) -> str:
    """Return a digest of a set."""
    digest = hashlib.blake2b(digest_size=8)
    if source in BUILT_IN:
        data = load(source, 0, most)
        digest.update(data.codes.tobytes())
        digest.update(json.dumps(data.pool).encode() if data.kind == "text" else b"")
    else:
        digest.update(Path(source).read_bytes())
    return digest.hexdigest()


def find_sets(options: argparse.Namespace) -> list[str]:
    """Return the sources of the sets to run on, or end with what is wrong."""
    if options.builtin:
        sources = list(BUILT_IN)
    else:
        sources = sorted(str(path) for path in options.data.glob("*.parquet"))
        if not sources:
            raise SystemExit(
                f"There are no *.parquet sets in {options.data}: name their folder with --data, or "
                "take the sets that come with scikit-learn with --builtin."
            )
    if options.sets:
        known = {Path(source).stem: source for source in sources}
        unknown = [name for name in options.sets if name not in known]
        if unknown:
            raise SystemExit(f"No set {', '.join(unknown)}; there are {', '.join(known)}.")
        sources = [known[name] for name in options.sets]
    return sources


def installed() -> dict[str, Peer]:
    """Return the peers that can be imported; name the others."""
    found = {}
    for name in PEERS:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[name] = peer(name)
        except Exception as error:
            print(f"{name} is left out: {type(error).__name__}: {error}")
    return found


def plan(options: argparse.Namespace, sources: list[str], peers: dict[str, Peer]) -> list[Task]:
    """Return all runs, those on one set beside each other."""
    ours = our_version()
    # Where all have our features, what they come to depends on what makes these.
    made = f" {our_version('suggest/')}" if options.features == "rich" else ""
    same = {RANDOM: made, OURS: ours, "nblabel, explore=0": ours, FULL: made}
    shipped = {OURS: ours, RANDOM: "", "nblabel, random": ours}
    for name, library in peers.items():
        same |= {f"{name}: {rule}": library.version + made for rule in library.rules}
        shipped |= {f"{name}: {learner}": library.version for learner in library.learners}
    tasks = []
    for source in sources:
        data = load(source, 0, options.pool)
        half = max(options.batch, len(data.codes) // 2 // options.batch * options.batch)
        tables = [("same", same), ("shipped", shipped)]
        if rare_class(data) is not None:
            tables.append(("find", {OURS: ours}))
        mark = fingerprint(source, options.pool)
        for seed in range(options.seeds):
            for table, arms in tables:
                for arm, version in arms.items():
                    if arm == FULL and seed != data_seed(source, seed):
                        continue
                    task = Task(
                        table,
                        arm,
                        source,
                        seed,
                        min(options.budget, half),
                        options.batch,
                        options.pool,
                        options.features if table == "same" else "",
                        version,
                        mark,
                    )
                    if arm_wanted(arm, options.arms):
                        tasks.append(task)
    return tasks


def arm_wanted(arm: str, wanted: Sequence[str] | None) -> bool:
    """Whether an arm is asked for; nblabel, random and the full pool always are."""
    always = arm in (OURS, RANDOM, FULL, *UNRANKED)
    return always or not wanted or any(part in arm for part in wanted)


def rare_class(data: Data) -> int | None:
    """Return the class worth finding, None if there is none."""
    shares = np.bincount(data.codes, minlength=data.n_classes) / len(data.codes)
    return int(shares.argmin()) if data.n_classes == 2 and shares.min() <= RARE else None


def carry_out(tasks: list[Task], jobs: int, fresh: bool) -> dict[Task, dict[str, Any]]:
    """Run what is not there yet, over several processes; return all results."""
    missing = [task for task in tasks if fresh or not task.file.exists()]
    say(f"{len(tasks)} runs, {len(tasks) - len(missing)} of them there already, {jobs} processes")
    # Set for the workers before they import NumPy: one core each.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    began, failed = time.monotonic(), 0
    if missing:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(
            jobs, mp_context=context, initializer=limit_memory, initargs=(0.5 / jobs,)
        ) as executor:
            waiting = [executor.submit(work, task) for task in missing]
            for done, future in enumerate(as_completed(waiting), start=1):
                try:
                    task, error = future.result()
                except BrokenProcessPool:
                    raise SystemExit(
                        "A worker process died, perhaps for want of memory: run again with fewer "
                        "--jobs. What is done is kept."
                    ) from None
                gone = time.monotonic() - began
                left = gone / done * (len(missing) - done)
                say(
                    f"{done}/{len(missing)} {gone:5.0f} s gone, {left:5.0f} s left: "
                    f"{task.table} {task.set} {task.arm} {task.seed}{' FAILED' * bool(error)}"
                )
                if error:
                    failed += 1
                    say(error)
    if failed:
        print(f"{failed} runs failed; their errors are above, on the standard error stream.")
    return {task: json.loads(task.file.read_text()) for task in tasks if task.file.exists()}


# ---------------------------------------------------------------- reporting


def table_of(results: dict[Task, dict[str, Any]], table: str, value: Any) -> pd.DataFrame:
    """Return means over the seeds: a row per arm, a column per set; NaN where a seed is missing."""
    rows = [
        (task.arm, task.set, task.seed, value(task, result))
        for task, result in results.items()
        if task.table == table and task.arm != FULL
    ]
    frame = pd.DataFrame(rows, columns=["arm", "set", "seed", "value"])
    seeds = frame["seed"].nunique()
    grouped = frame.groupby(["arm", "set"], sort=False)["value"]
    means = grouped.mean().where(grouped.size() == seeds)
    return means.unstack("set")


def area(task: Task, result: dict[str, Any]) -> float:
    """Mean macro-F1 over the batches."""
    return float(np.mean(result["macro_f1"]))


def ranks(areas: pd.DataFrame) -> pd.DataFrame:
    """Rank the arms on each set, 1 the best, ties shared; one that failed there is last."""
    ranked = areas.drop(index=[arm for arm in UNRANKED if arm in areas.index])
    return ranked.rank(ascending=False, na_option="bottom")


def interval(differences: Any, confidence: float = 0.95) -> tuple[float, float, float]:
    """Return mean and Student's t interval of numbers, one per set; NaN from fewer than two."""
    values = np.asarray(differences, dtype=float)
    mean = float(values.mean()) if len(values) else float("nan")
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return mean, mean - float(half), mean + float(half)


def best_peer(areas: pd.DataFrame) -> str | None:
    """Return the peers' single best arm: by the mean over the sets, none missing."""
    peers = areas[[": " in arm for arm in areas.index]].dropna()
    return None if peers.empty else str(peers.mean(axis=1).idxmax())


def leads(results: dict[Task, dict[str, Any]], table: str, rival: str) -> pd.DataFrame:
    """Return nblabel's lead in area over a rival: a row per set.

    Returns
    -------
    DataFrame
        ``mean`` over the seeds that both have, its standard error ``se`` (NaN from one seed), and
        how many these are, ``seeds``.
    """
    areas = {
        (task.arm, task.set, task.seed): area(task, result)
        for task, result in results.items()
        if task.table == table and task.arm in (OURS, rival)
    }
    frame = pd.Series(areas).unstack(0).dropna()
    lead = (frame[OURS] - frame[rival]).groupby(level=0)
    return pd.DataFrame({"mean": lead.mean(), "se": lead.sem(), "seeds": lead.count()})


def labels_to(result: dict[str, Any], goal: float) -> float:
    """Return how many labels it took to reach a score, infinite if it did not."""
    for n, score in zip(result["n_labels"], result["macro_f1"], strict=True):
        if score >= goal:
            return float(n)
    return float("inf")


def show_table(results: dict[Task, dict[str, Any]], table: str, title: str) -> pd.DataFrame:
    """Print one table; return its areas."""
    areas = table_of(results, table, area)
    if OURS not in areas.index:
        raise SystemExit(f"No run of nblabel in the table {table!r} came through; see its errors.")
    seconds = table_of(results, table, lambda _, result: float(np.median(result["seconds"])))
    placed = ranks(areas).mean(axis=1)
    shown = areas.copy()
    shown["mean"] = areas.mean(axis=1, skipna=False)
    shown["rank"] = placed.reindex(areas.index)
    shown["s/batch"] = seconds.mean(axis=1)
    differences = (areas.loc[OURS] - areas).drop(index=OURS)
    lows = {arm: interval(row.dropna()) for arm, row in differences.iterrows()}
    shown["ours +"] = pd.Series({arm: low[0] for arm, low in lows.items()})
    shown["95 % from"] = pd.Series({arm: low[1] for arm, low in lows.items()})
    shown["to"] = pd.Series({arm: low[2] for arm, low in lows.items()})
    shown = shown.sort_values("mean", ascending=False)
    print(
        f"\n{title}\narea under the macro-F1 curve, mean over seeds; s/batch: seconds to choose "
        "and fit;\nours +: nblabel's lead in the mean, with its interval over the sets"
    )
    formats = {name: "{:.3f}".format for name in shown.columns}
    formats |= {"rank": "{:.1f}".format, "s/batch": "{:.2f}".format}
    formats |= {name: "{:+.3f}".format for name in ("ours +", "95 % from", "to")}
    print(shown.to_string(formatters=formats, na_rep="-"))
    return areas


def show_labels(results: dict[Task, dict[str, Any]], table: str) -> None:
    """Print how many labels an arm needs for a share of what the whole pool teaches."""
    full = {
        (task.set, data_seed(task.source, task.seed)): result["macro_f1"][0]
        for task, result in results.items()
        if task.arm == FULL
    }
    if not full:
        return
    columns = {}
    for share in (0.90, 0.95):
        rows = [
            (task.arm, task.set, labels_to(result, share * goal))
            for task, result in results.items()
            if task.table == table
            and task.arm != FULL
            and (goal := full.get((task.set, data_seed(task.source, task.seed)))) is not None
        ]
        frame = pd.DataFrame(rows, columns=["arm", "set", "labels"])
        columns[share] = frame.groupby(["arm", "set"], sort=False)["labels"].median().unstack()
    print(
        f"\n{table}: labels to 90 / 95 % of the score of the shared features and classifier on the "
        "whole pool,\nmedian over seeds (- : not within the budget)"
    )

    def both(arm: str, name: str) -> str:
        numbers = [columns[share].loc[arm, name] for share in columns]
        return " / ".join("-" if not np.isfinite(n) else f"{n:.0f}" for n in numbers)

    first = columns[0.90]
    shown = pd.DataFrame(
        {name: {arm: both(str(arm), str(name)) for arm in first.index} for name in first.columns}
    )
    print(shown.to_string())


def show_found(results: dict[Task, dict[str, Any]]) -> tuple[float | None, float | None]:
    """Print how many of the rare class each arm found; return ours and the best peer's."""

    def found(task: Task, result: dict[str, Any]) -> float:
        return float(min(result["counts"]))

    if not any(task.table == "find" for task in results):
        return None, None
    ours = table_of(results, "find", found)
    others = pd.concat({name: table_of(results, name, found) for name in ("same", "shipped")})
    others = others.reindex(columns=ours.columns)
    asked = ", ".join(f"{key}={value!r}" for key, value in finding().items())
    shown = pd.concat([ours.set_axis([f"nblabel ({asked or 'default: it has no goal to find'})"])])
    others.index = pd.Index([f"{arm} [{table}]" for table, arm in others.index])
    shown = pd.concat([shown, others.sort_values(ours.columns[0], ascending=False)])
    shown["mean"] = shown.mean(axis=1, skipna=False)
    print("\nitems of the rare class among the labels, mean over seeds")
    print(shown.to_string(float_format="{:.1f}".format, na_rep="-"))
    peers = shown[[": " in str(arm) for arm in shown.index]]["mean"].dropna()
    peers = peers.drop(index=shown.index[0], errors="ignore")
    return float(shown["mean"].iloc[0]), None if peers.empty else float(peers.max())


def report(results: dict[Task, dict[str, Any]]) -> dict[str, Any]:
    """Print the tables; return the figures of the last line."""
    same = show_table(results, "same", "SAME features and classifier for all")
    shipped = show_table(results, "shipped", "AS SHIPPED")
    for table in ("same", "shipped"):
        show_labels(results, table)
    found, found_peer = show_found(results)

    rule, made = best_peer(same), best_peer(shipped)
    gain = lead = low = float("nan")
    if made is not None:
        gain = shipped.loc[OURS].mean() / shipped.loc[made].mean() - 1
        print(f"\nas shipped: {gain:+.1%} area over {made}, the best peer by its mean")
    if rule is not None:
        lead, low, high = interval(same.loc[OURS] - same.loc[rule])
        print(f"selection: {lead:+.4f} area ({low:+.4f} to {high:+.4f}) over {rule}, the best rule")
        print("by set, with the standard error over seeds:")
        print(leads(results, "same", rule).to_string(float_format="{:+.3f}".format, na_rep="-"))
    against = {
        name: leads(results, table, rival)
        for name, table, rival in (
            ("same features and classifier", "same", RANDOM),
            ("as shipped, plain random", "shipped", RANDOM),
            ("as shipped, random with nblabel's engine", "shipped", "nblabel, random"),
        )
    }
    for name, lead_of in against.items():
        mean, lower, upper = interval(lead_of["mean"])
        least = lead_of["mean"].idxmin()
        print(
            f"over random ({name}): {mean:+.4f} ({lower:+.4f} to {upper:+.4f}), least "
            f"{lead_of['mean'][least]:+.4f} on {least} (standard error {lead_of['se'][least]:.4f})"
        )
    return {
        "mean_rank": {
            "same": figure(ranks(same).loc[OURS].mean(), 2),
            "as_shipped": figure(ranks(shipped).loc[OURS].mean(), 2),
        },
        "gain_as_shipped": figure(gain),
        "selection_gain": figure(lead),
        "selection_gain_low": figure(low),
        "worst_vs_random": figure(min(lead_of["mean"].min() for lead_of in against.values())),
        "found": figure(found, 1),
        "found_best_peer": figure(found_peer, 1),
    }


def figure(value: float | None, digits: int = 4) -> float | None:
    """Return a number as JSON has it: rounded, null if it is not known."""
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="folder of parquet sets"
    )
    parser.add_argument("--builtin", action="store_true", help="the sets that anyone has instead")
    parser.add_argument("--sets", nargs="+", metavar="NAME", help="only these")
    parser.add_argument(
        "--arms", nargs="+", metavar="PART", help="only peers with this in the name"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=300, help="labels in all")
    parser.add_argument("--batch", type=int, default=10, help="labels between two trainings")
    parser.add_argument("--pool", type=int, help="use this many items of each pool, drawn once")
    parser.add_argument("--features", choices=("rich", "plain"), default="rich")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--fresh", action="store_true", help="run again what is there")
    options = parser.parse_args()
    sources = find_sets(options)
    tasks = plan(options, sources, installed())
    results = carry_out(tasks, options.jobs, options.fresh)
    print(json.dumps(report(results)))


if __name__ == "__main__":
    main()
