"""What a training costs: ``python -m benchmarks.ranking``

Retrain on 200 labels, predict and rank the whole pool, name the best 100: the work behind each
batch of labels. Ours is `nblabel._learning.learn`, what a session runs, with a `ModelSuggester`
over the pool's features and the default strategy. Beside it

``naive``
    scikit-learn as one would write it: the same classifier fitted on the labeled rows,
    ``predict_proba`` on the pool, margin, ``argsort``.
``small-text``, ``modAL``, ``scikit-activeml``
    A whole cycle of each that is installed and copes: train on the labels, ask for 100 items.
``limit``
    Reading memory once: the fastest of ``max``, ``sum`` and a product with a vector over a float32
    array of a gigabyte and more (the pool itself where it is dense), in the same process, in turns
    with ours. The limit of a pool is the time in which its bytes pass at that rate. Both are the
    best of many, in CPU seconds, which other work on the machine disturbs least (on a quiet machine
    with one thread the same as wall, which stands beside them). The other figures are medians.

Every case is a process of its own. One is faster or slower than the next by where its memory
lies and by what else the machine does, so the sparse pool of 100,000 items, whose ratios are goals,
is measured in several, ours and the others in turns: medians over the processes, beside a ratio
the least and the most of a turn. ``peak`` is the most memory it held in a training, less what it
held before the pool was there, as a multiple of the size of the pool: 1 is the pool and nothing
more. ``first`` is the first training, which finds the directions in which items are compared: its
seconds and its peak. All run on one thread unless ``--threads`` says otherwise.

Pools: ``sparse`` is like TF-IDF of short texts, about 15 words an item out of 400,000 (at 10,000
items: 60,000) by Zipf's law; ``dense`` is like embeddings, 384 numbers an item.

The last line is one line of JSON. The ratios of the sparse pool of 100,000 items are those of the
number of classes where we gain least. ``memory_factor`` is the worst peak with two classes at
1,000,000 items, ``memory_factor_worst`` that of all cases: small pools weigh less than the code
that works on them, and probabilities of 77 classes more than 15 words an item.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

N_LABELS = 200
N_BEST = 100
WIDTH = 384
PEERS = {"small-text": "small_text", "modAL": "modAL", "scikit-activeml": "skactiveml"}
#: A naive multinomial fit keeps some 22 copies of its float64 weights: skipped above this many.
MOST_WEIGHTS = 5_000_000
SECONDS_PER_CASE = 240


# ---------------------------------------------------------------- pools


def sparse_pool(n_items: int, seed: int = 0) -> sparse.csr_matrix:
    """Rows of length one, columns by Zipf's law in random places."""
    n_columns = 400_000 if n_items >= 100_000 else 60_000
    rng = np.random.default_rng(seed)
    share = np.cumsum(1 / (np.arange(n_columns) + 3.0))
    lengths = rng.poisson(14, n_items) + 1
    borders = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    places = rng.permutation(n_columns).astype(np.int32)
    words = places[np.searchsorted(share / share[-1], rng.random(borders[-1]))]
    counts = np.ones(len(words), dtype=np.float32)
    pool = sparse.csr_matrix((counts, words, borders), shape=(n_items, n_columns))
    pool.sum_duplicates()
    # Rare words weigh more, as they do in TF-IDF.
    rank = np.empty(n_columns, dtype=np.float32)
    rank[places] = np.log(np.arange(n_columns) + 10.0)
    pool.data *= rank[pool.indices]
    norms = np.sqrt(np.add.reduceat(np.square(pool.data), pool.indptr[:-1]))
    pool.data /= np.repeat(norms, np.diff(pool.indptr))
    return sparse.csr_matrix((pool.data.copy(), pool.indices.copy(), pool.indptr), pool.shape)


def dense_pool(n_items: int, seed: int = 0) -> np.ndarray:
    """Rows of length one."""
    rng = np.random.default_rng(seed)
    pool = np.empty((n_items, WIDTH), dtype=np.float32)
    for start in range(0, n_items, 10_000):
        block = rng.standard_normal(pool[start : start + 10_000].shape, dtype=np.float32)
        pool[start : start + 10_000] = block / np.linalg.norm(block, axis=1, keepdims=True)
    return pool


def size(pool: Any) -> int:
    """Bytes of a pool."""
    if sparse.issparse(pool):
        return pool.data.nbytes + pool.indices.nbytes + pool.indptr.nbytes
    return pool.nbytes


def truth(pool: Any, n_classes: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Places of the labeled items and their classes, by a random linear rule with noise."""
    rng = np.random.default_rng(seed)
    places = np.sort(rng.choice(pool.shape[0], N_LABELS, replace=False))
    scores = pool[places] @ rng.standard_normal((pool.shape[1], n_classes))
    scores += rng.normal(scale=0.3 * scores.std(), size=scores.shape)
    labels = scores.argmax(axis=1)
    labels[: min(n_classes, N_LABELS)] = np.arange(min(n_classes, N_LABELS))  # none is missing
    return places, labels


# ---------------------------------------------------------------- what is measured


def ours(pool: Any, places: np.ndarray, labels: np.ndarray, n_classes: int) -> Callable[[], Any]:
    """What a session runs when a batch of labels is full."""
    from nblabel._learning import Order, learn
    from nblabel.strategies import as_strategy
    from nblabel.suggest import ModelSuggester, Snapshot

    suggester = ModelSuggester(None, None, features=pool, n_items=pool.shape[0])
    strategy = as_strategy("auto")
    names = np.array([f"class {k}" for k in labels])
    is_open = np.ones(pool.shape[0], dtype=bool)
    is_open[places] = False

    def run() -> np.ndarray:
        # As `Session` orders it.
        snapshot = Snapshot(places, names, 1, 0)
        result = learn(
            suggester, strategy, Order(snapshot, tuple(names), np.flatnonzero(is_open), 10)
        )
        assert result.doing == "transductive_design"
        return result.ranking.positions[:N_BEST]

    return run


def naive(pool: Any, places: np.ndarray, labels: np.ndarray, n_classes: int) -> Callable[[], Any]:
    """scikit-learn, as one would write it."""
    from sklearn.linear_model import LogisticRegression

    def run() -> np.ndarray:
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=300)
        model.fit(pool[places], labels)
        top = np.sort(model.predict_proba(pool), axis=1)
        margin = top[:, -1] - top[:, -2]
        margin[places] = np.inf
        return np.argsort(margin)[:N_BEST]

    return run


def small_text(
    pool: Any, places: np.ndarray, labels: np.ndarray, n_classes: int
) -> Callable[[], Any]:
    """Its linear SVM and BreakingTies: `update` trains, `query` ranks."""
    from small_text import (
        BreakingTies,
        ConfidenceEnhancedLinearSVC,
        PoolBasedActiveLearner,
        SklearnClassifierFactory,
        SklearnDataset,
    )

    known = np.full(pool.shape[0], -1)
    known[places] = labels
    factory = SklearnClassifierFactory(ConfidenceEnhancedLinearSVC(), n_classes)
    data = SklearnDataset(pool, known, target_labels=np.arange(n_classes))

    def run() -> Any:
        learner = PoolBasedActiveLearner(factory, BreakingTies(), data)
        begin = getattr(learner, "initialize_data", None) or learner.initialize
        begin(places, labels)  # trains on all 200
        return learner.query(num_samples=N_BEST)

    return run


def modal(pool: Any, places: np.ndarray, labels: np.ndarray, n_classes: int) -> Callable[[], Any]:
    """Margin sampling over logistic regression."""
    from modAL.models import ActiveLearner
    from modAL.uncertainty import margin_sampling
    from sklearn.linear_model import LogisticRegression

    def run() -> Any:
        learner = ActiveLearner(
            LogisticRegression(C=10.0, class_weight="balanced", max_iter=300),
            margin_sampling,
            X_training=pool[places],
            y_training=labels,
        )
        return learner.query(pool, n_instances=N_BEST)[0]

    return run


def activeml(
    pool: Any, places: np.ndarray, labels: np.ndarray, n_classes: int
) -> Callable[[], Any]:
    """Margin sampling over logistic regression; it takes no sparse pools."""
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    from sklearn.linear_model import LogisticRegression

    known = np.full(pool.shape[0], np.nan)
    known[places] = labels

    def run() -> Any:
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=300)
        classifier = SklearnClassifier(model, classes=np.arange(n_classes))
        strategy = UncertaintySampling(method="margin_sampling", random_state=0)
        return strategy.query(pool, known, classifier, batch_size=N_BEST)

    return run


ARMS = {
    "ours": ours,
    "naive": naive,
    "small-text": small_text,
    "modAL": modal,
    "scikit-activeml": activeml,
}


# ---------------------------------------------------------------- one case in its own process


def _held() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def _peak() -> int:
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))


def _give_back() -> None:
    """Return what was freed to the system, so that it is not reused uncounted."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _clock(run: Callable[[], Any]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def measure(kind: str, n_items: int, n_classes: int, arm: str, repeats: int) -> dict[str, Any]:
    """Measure one arm on one pool, in this process."""
    warnings.simplefilter("ignore")
    # On a small pool first, so that what is imported on the way is not counted.
    make = {"sparse": sparse_pool, "dense": dense_pool}[kind]
    small = make(2000)
    ARMS[arm](small, *truth(small, n_classes), n_classes)()
    del small
    _give_back()
    before = _held()
    pool = make(n_items)
    places, labels = truth(pool, n_classes)
    run = ARMS[arm](pool, places, labels, n_classes)
    _give_back()
    _forget_peak()
    first = _clock(run)
    peak_first = (_peak() - before) / size(pool)
    _give_back()
    _forget_peak()
    run()
    peak = (_peak() - before) / size(pool)
    times, passes = ([first] if repeats == 1 else []), []
    array = None
    if arm == "ours" and n_items >= 1_000_000:
        array = pool.ravel() if kind == "dense" else np.ones(256 * 1024**2, dtype=np.float32)
        vector = np.ones(WIDTH, dtype=np.float32)
        table = array[: len(array) // WIDTH * WIDTH].reshape(-1, WIDTH)
    for _ in range(repeats if repeats > 1 else 0):
        times.append(_clock(run))
        if array is not None:
            passes += [_clock(array.max), _clock(array.sum), _clock(lambda: table @ vector)]
    found = {
        "cpu": statistics.median(cpu for cpu, _ in times),
        "wall": statistics.median(wall for _, wall in times),
        "best": min(wall for _, wall in times),
        "best_cpu": min(cpu for cpu, _ in times),
        "first": first[1],
        "peak_first": peak_first,
        "peak": peak,
        "bytes": size(pool),
    }
    if array is not None:
        found["rate"] = array.nbytes / min(cpu for cpu, _ in passes)
        found["limit"] = size(pool) / found["rate"]
        found["limit_wall"] = size(pool) / array.nbytes * min(wall for _, wall in passes)
    return found


def in_a_process(threads: int, *case: Any) -> dict[str, Any] | str:
    """Measure one case in a process of its own; say in words why it could not be."""
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    command = [sys.executable, "-m", "benchmarks.ranking", "--case", json.dumps(case)]
    try:
        done = subprocess.run(
            command,
            env=os.environ | dict.fromkeys(limits, str(threads)),
            capture_output=True,
            text=True,
            timeout=SECONDS_PER_CASE,
        )
    except subprocess.TimeoutExpired:
        return f"not done in {SECONDS_PER_CASE} s"
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return said[-1][:90]
    return json.loads(done.stdout.splitlines()[-1])


# ---------------------------------------------------------------- the report


def report(options: argparse.Namespace) -> dict[str, Any]:
    """Run all cases, print the table, return the figures."""
    installed = [name for name, module in PEERS.items() if importlib.util.find_spec(module)]
    for name in PEERS:
        if name not in installed:
            print(f"{name} is not installed: left out")
    results: dict[tuple[str, int, int, str], dict[str, Any]] = {}
    print(
        f"{N_LABELS} labels, best {N_BEST}, {options.threads} thread(s); CPU and wall in seconds\n"
        f"{'pool':8}{'items':>9}{'classes':>8}  {'arm':16}{'CPU':>9}{'wall':>9}{'best':>9}"
        f"{'peak':>7}{'first':>9}{'peak':>7}  beside ours (CPU)"
    )
    for kind in ("sparse", "dense"):
        for n_items in options.sizes:
            for n_classes in options.classes:
                arms = ["ours", "naive", *installed]
                rounds = options.rounds if (kind, n_items) == ("sparse", 100_000) else 1
                told: dict[str, list[dict[str, Any]]] = {arm: [] for arm in arms}
                failed: dict[str, str] = {}
                for _ in range(rounds):
                    for arm in arms:
                        found = failed.get(arm)
                        found = found or one_case(options, kind, n_items, n_classes, arm)
                        if isinstance(found, str):
                            failed[arm] = found
                        else:
                            told[arm].append(found)
                for arm in arms:
                    label = f"{kind:8}{n_items:>9,}{n_classes:>8}  {arm:16}"
                    if arm in failed:
                        print(f"{label} {failed[arm]}", flush=True)
                        continue
                    keys = told[arm][0]
                    middle = {key: statistics.median(one[key] for one in told[arm]) for key in keys}
                    results[kind, n_items, n_classes, arm] = middle
                    print(label + _line(arm, middle, told), flush=True)
    return _figures(results)


def one_case(
    options: argparse.Namespace, kind: str, n_items: int, n_classes: int, arm: str
) -> dict[str, Any] | str:
    """Measure one arm on one pool in a process of its own, unless it would take too long."""
    n_columns = {"dense": WIDTH, "sparse": 60_000 if n_items < 100_000 else 400_000}
    heavy = n_classes > 2 and n_classes * n_columns[kind] > MOST_WEIGHTS
    slow = arm in PEERS and n_items >= 1_000_000
    if not options.all and ((arm in ("naive", "modAL") and heavy) or slow):
        return "left out, too heavy; --all tries"
    repeats = options.repeats if arm == "ours" else 3 if n_items < 1_000_000 else 1
    return in_a_process(options.threads, kind, n_items, n_classes, arm, repeats)


def _line(arm: str, found: dict[str, Any], told: dict[str, list[dict[str, Any]]]) -> str:
    beside = ""
    if "limit" in found:
        beside = (
            f"{found['best_cpu'] / found['limit']:.2f} x the limit "
            f"(wall {found['best'] / found['limit_wall']:.2f}), "
            f"{found['limit'] * 1e3:.1f} ms at {found['rate'] / 1e9:.1f} GB/s"
        )
    elif arm != "ours" and told["ours"]:
        own = statistics.median(one["cpu"] for one in told["ours"])
        beside = f"{found['cpu'] / own:8.1f} x"
        if len(told[arm]) > 1:
            turns = [a["cpu"] / b["cpu"] for a, b in zip(told[arm], told["ours"], strict=True)]
            beside += f" ({min(turns):.1f} to {max(turns):.1f} in {len(turns)} turns)"
    return (
        f"{found['cpu']:9.4f}{found['wall']:9.4f}{found['best']:9.4f}"
        f"{found['peak']:7.2f}{found['first']:9.3f}{found['peak_first']:7.2f}  {beside}"
    )


def _figures(results: dict[tuple[str, int, int, str], dict[str, Any]]) -> dict[str, Any]:
    naives, peers = {}, {}
    for n_classes in sorted({key[2] for key in results}):
        case = ("sparse", 100_000, n_classes)
        own = results.get((*case, "ours"))
        if own is None:
            continue
        if (*case, "naive") in results:
            naives[n_classes] = results[(*case, "naive")]["cpu"] / own["cpu"]
        cycles = [results[(*case, name)]["cpu"] for name in PEERS if (*case, name) in results]
        if cycles:
            peers[n_classes] = min(cycles) / own["cpu"]
    memory = {key: found["peak"] for key, found in results.items() if key[3] == "ours"}
    large = [peak for key, peak in memory.items() if key[1:3] == (1_000_000, 2)]
    figures: dict[str, Any] = {
        "sparse_100k_cpu_vs_naive": min(naives.values(), default=None),
        "sparse_100k_cpu_vs_fastest_peer": min(peers.values(), default=None),
        "dense_1m_vs_bandwidth": None,
        "sparse_1m_vs_bandwidth": None,
        "memory_factor": max(large, default=None),
        "memory_factor_worst": max(memory.values(), default=None),
    }
    for kind in ("dense", "sparse"):
        own = results.get((kind, 1_000_000, 2, "ours"))
        if own is not None:
            figures[f"{kind}_1m_vs_bandwidth"] = own["best_cpu"] / own["limit"]
    return {name: value and round(value, 2) for name, value in figures.items()}


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 10, 77])
    parser.add_argument("--repeats", type=int, default=15, help="trainings of ours per case")
    parser.add_argument(
        "--rounds", type=int, default=5, help="processes per arm on 100,000 sparse items"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="two classes only, few repeats")
    parser.add_argument("--all", action="store_true", help="also what takes gigabytes and minutes")
    parser.add_argument("--jitter", action="store_true", help="also benchmarks.jitter")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure(*json.loads(options.case))))
        return
    if options.quick:
        options.classes, options.repeats, options.rounds = [2], 5, 1
    figures = report(options)
    if options.jitter:
        from benchmarks.jitter import (
            jitter,
        )  # needs a Jupyter kernel, the peers' room may have none

        figures["jitter_extra_ms"] = jitter()["extra_ms"]
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
