"""Are certificates true, and what do they cost? ``python -m benchmarks.certify``

**Validity.** Runs with known truth, real and adversarial, each a whole certification as a session
does it (`nblabel.certify.Trial`, item by item, stopped at the first moment the certificate is
reached). A certificate is *false* if more machine labels are wrong than it says. The share of false
certificates must stay at or below delta, as far as a binomial interval can tell.

**Yield.** The share of a pool that a person looks at until the whole pool is labeled and certified:
labels that teach the model, items verified, and items left to people. Known labels answer; the
model, its features and the choice of what to label are those of a session.

``ours``
    Label in growing batches; after each, the plan of `nblabel.certify.choose` says how many items
    would be left to people. As long as that is more than a batch, they are labeled first, since
    they have to be anyway, and teach the model. Then the rest is verified until a certificate ends
    it; what is beyond its cut is labeled by people.
``one set``
    The same model and plan, but the set of the machine's labels is chosen before anything is
    verified (as it still is where suggestions are shown).
``pac``
    PAC labels (`benchmarks.pac_labels`) with the model and the labels that ours had when it began
    to verify, credit for the labels that there are included. The size of its sample, and whether
    its draws go by the model's doubt, are those that turn out the best over all sets; beside it
    stands the best for each set, which nobody could know beforehand. Its bound is valid at every
    sample size; ``pac normal`` has the asymptotic one, which is not.

Sets where the model knows little take long: ``--sets usps-zero,digits --growth "" --seeds 1
--runs 100`` takes a minute. Figures are means over ``--seeds``. The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

import nblabel as nl
from nblabel._learning import Order, learn
from nblabel.certify import (
    Choice,
    Terms,
    Trial,
    choose,
    error_times,
    observed_to_expected,
    spent,
)
from nblabel.strategies import as_strategy
from nblabel.suggest import Snapshot

from .efficiency import Data, class_names, new_session, read, take
from .pac_labels import pac_labels

CONFIDENCE = 0.95
LEVELS = (0.02, 0.05)
#: Labels before which nothing is planned.
FIRST = 40
#: Beyond this many labels the least sure items are labeled, which have to be looked at anyway.
DESIGNED = 400
#: After this many the test is not followed any further: all are verified then.
MOST_AUDITS = 10_000
#: Draws among which the best is chosen for PAC labels.
DRAWS = (75, 150, 300, 600, 1200)
SETS = ("usps-zero", "digits", "usps", "hate_rare", "trec6", "adult", "mr", "news20", "banking77",
        "wine")  # fmt: skip
EASY = "usps-zero"


# ---------------------------------------------------------------- validity


def certified(
    wrong: np.ndarray,
    max_error: float,
    rng: np.random.Generator,
    *,
    form: str = "pool",
    n_items: int | None = None,
    expected: float = 1.0,
    attempt: int = 1,
    most: int = 1500,
    miss_rate: float = 0.0,
    traps: float = 0.0,
    one_set: bool = False,
) -> tuple[bool, bool, int]:
    """Carry out one attempt; return whether it came to a certificate, whether that is false, and
    how many items were verified.

    The labels are in the order of the model's doubt. The machine's are cut off at the end, as in a
    session, unless what is verified is `one_set`, the machine's form, or seen with suggestions.
    """
    n = len(wrong)
    pool = n if n_items is None else n_items
    budget = int(max_error * (pool if form == "pool" else n))
    terms = Terms("x", max_error, CONFIDENCE, form, pool, budget, expected, 0, None, 1,
                  shown=traps > 0, traps=traps)  # fmt: skip
    ranks = rng.permutation(n)
    drawn = wrong[ranks][:most]
    seen = drawn & (rng.random(len(drawn)) >= miss_rate)
    if form == "pool" and not traps and not one_set:
        trial = Trial(terms, n, attempt, ranks.tolist())
        at = trial.reached(seen)
        if at is None:
            return False, False, len(drawn)
        cut, _ = trial.cut(seen[:at])
        left = int(wrong[:cut].sum()) - int(seen[:at][ranks[:at] < cut].sum())
        return True, left > budget, at
    trial = trial_of(terms, n, attempt)
    if traps:
        missed = rng.random(int(traps * len(drawn)) + 1) < miss_rate
        for t in range(1, len(drawn) + 1):  # traps come on the way, and each tells more
            if t % 30 and t < len(drawn):
                continue
            known = int(traps * t)
            evidence = trial.evidence(seen[:t], known, int(missed[:known].sum()))
            if evidence.is_enough:
                break
        reached, at = evidence.is_enough, t
    else:
        first = trial.reached(seen)
        reached, at = first is not None, len(drawn) if first is None else first
    left = int(wrong.sum() - seen[:at].sum())
    allowed = budget if form == "pool" else max_error * (n - at)
    return reached, reached and left > allowed, at


def ever_false(
    places: np.ndarray, n: int, budget: int, expected: float, rng: np.random.Generator
) -> bool:
    """Whether at any moment more errors are left before the cut than are allowed."""
    when = rng.permutation(n)[: len(places)]  # each error is found, in the order of doubt
    for level, time in enumerate(error_times(n, spent(1 - CONFIDENCE, 1), budget, expected)):
        is_found = when < time
        before = np.cumsum(is_found) <= level  # of the cut
        if int((before & ~is_found).sum()) > budget:
            return True
    return False


@functools.lru_cache(maxsize=256)
def choice_of(doubt: bytes, budget: int) -> Choice:
    """Return the plan for some doubts, kept: many runs have the same."""
    return choose(np.frombuffer(doubt), budget, 0.045)


@functools.lru_cache(maxsize=256)
def trial_of(terms: Terms, n: int, attempt: int) -> Trial:
    """Return the test of an attempt, kept: it does not depend on what is found."""
    return Trial(terms, n, attempt)


def over(n: int, max_error: float) -> np.ndarray:
    """Errors just above the bound, anywhere."""
    wrong = np.zeros(n, dtype=bool)
    wrong[: int(max_error * n) + 1] = True
    return wrong


class Setting(NamedTuple):
    """One kind of run: what is simulated, and how hard it is."""

    name: str
    run: Callable[[np.random.Generator, int], tuple[bool, bool]]


def settings(real: Sequence[Stage]) -> list[Setting]:
    """Return all kinds of runs."""

    def just_above(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        n, eps = [(1000, 0.05), (5000, 0.02), (20000, 0.02)][k % 3]
        return certified(over(n, eps), eps, rng, expected=(1, 2, 5)[k % 3])[:2]

    def just_above_one_set(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        n, eps = [(1000, 0.05), (5000, 0.02), (20000, 0.02)][k % 3]
        return certified(over(n, eps), eps, rng, expected=(1, 2, 5)[k % 3], one_set=True)[:2]

    def worst_moment(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        # Somebody who knows the truth ends it wherever it is false, if it ever is.
        n, eps = [(1000, 0.05), (3000, 0.02)][k % 2]
        errors = int((1, 1.2, 2, 5)[k // 2 % 4] * eps * n) + 1
        places = np.sort(rng.permutation(n)[:errors]) if k // 8 % 2 else np.arange(errors)
        return True, ever_false(places, n, int(eps * n), (1, 4, 15)[k % 3], rng)

    def just_above_machine(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        n, eps = [(1000, 0.05), (5000, 0.02)][k % 2]
        return certified(over(n, eps), eps, rng, form="machine")[:2]

    def somewhat_above(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        return certified(over(2000, 0.055), 0.05, rng)[:2]

    def clustered(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        wrong = np.zeros(4000, dtype=bool)  # all in one run of neighbours, as one odd class is
        begin = int(rng.integers(3000))
        wrong[begin : begin + 81] = True
        return certified(wrong, 0.02, rng)[:2]

    def miscalibrated(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        # The model is surest where it is wrong, and the plan believes it.
        n, eps = 3000, 0.05
        belief = np.sort(np.random.default_rng(k % 5).beta(0.5, 20, n))
        wrong = np.zeros(n, dtype=bool)
        wrong[: int(1.05 * eps * n)] = True
        choice = choice_of(belief.tobytes(), int(eps * n))
        return certified(wrong, eps, rng, expected=choice.expected)[:2]

    def twenty_attempts(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        wrong = over(2000, 0.05)
        for attempt in range(1, 21):  # until one works out
            reached, false, _ = certified(wrong, 0.05, rng, attempt=attempt, most=600)
            if reached:
                return True, false
        return False, False

    def inattentive(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        rate = (0.02, 0.1, 0.3)[k % 3]
        wrong = over(3000, 0.1 if k % 2 else 0.12)
        return certified(wrong, 0.1, rng, miss_rate=rate, traps=0.25, most=750)[:2]

    def inattentive_and_many_errors(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        # Found ones are just below the bound, all are far above.
        wrong = over(3000, 0.15)
        return certified(wrong, 0.1, rng, miss_rate=0.5, traps=0.25, most=750)[:2]

    def models(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        stage = real[k % len(real)]
        eps = LEVELS[k // len(real) % 2]
        budget = int(eps * stage.n_items)
        choice = choice_of(stage.doubt.tobytes(), budget)
        return certified(stage.wrong, eps, rng, n_items=stage.n_items,
                         expected=choice.expected)[:2]  # fmt: skip

    def models_put_to_the_edge(rng: np.random.Generator, k: int) -> tuple[bool, bool]:
        # The bound is set to what the model just does not keep.
        stage = real[k % len(real)]
        n_wrong = int(stage.wrong.sum())
        if n_wrong < 5:
            return certified(over(1000, 0.05), 0.05, rng)[:2]
        return certified(stage.wrong, (n_wrong - 0.5) / stage.n_items, rng,
                         n_items=stage.n_items)[:2]  # fmt: skip

    found = [
        Setting("true error just above the bound", just_above),
        Setting("the same, one set", just_above_one_set),
        Setting("the same, machine's set alone", just_above_machine),
        Setting("ended at the worst moment", worst_moment),
        Setting("a tenth above the bound", somewhat_above),
        Setting("clustered errors", clustered),
        Setting("miscalibrated model", miscalibrated),
        Setting("twenty attempts", twenty_attempts),
        Setting("inattentive annotator, traps on", inattentive),
        Setting("inattentive, found errors below the bound", inattentive_and_many_errors),
    ]
    if real:
        found.append(Setting("real models", models))
        found.append(Setting("real models, bound just missed", models_put_to_the_edge))
    return found


def validity(runs: int, real: Sequence[Stage]) -> dict[str, Any]:
    """Run every setting, print the table and return the worst share of false certificates."""
    delta = 1 - CONFIDENCE
    kinds = settings(real)
    print(f"\nValidity: {runs} runs of each kind, delta = {delta:.2f}")
    print(f"{'setting':44}{'certified':>11}{'false':>8}{'share':>9}   95 % interval")
    worst, total, holds = 0.0, 0, True
    for kind in kinds:
        rng = np.random.default_rng(abs(hash_of(kind.name)))
        outcomes = [kind.run(rng, k) for k in range(runs)]
        reached, false = (sum(outcome[i] for outcome in outcomes) for i in (0, 1))
        interval = stats.binomtest(false, runs).proportion_ci(0.95, "exact")
        print(f"{kind.name:44}{reached:11d}{false:8d}{false / runs:9.4f}   "
              f"{interval.low:.4f} to {interval.high:.4f}")  # fmt: skip
        worst, total = max(worst, false / runs), total + runs
        holds &= bool(stats.binom.sf(false - 1, runs, delta) > 0.05 / len(kinds))
    print(f"no kind is above delta beyond chance: {'yes' if holds else 'NO'}")
    print("For comparison, what is not counted:")
    for bound in ("betting", "normal"):
        rng = np.random.default_rng(0)
        false = sum(pac_is_false(rng, bound) for _ in range(runs))
        print(f"{'PAC labels, a quarter above, ' + bound:44}{'':11}{false:8d}{false / runs:9.4f}")
    rng = np.random.default_rng(0)
    blind_trust = [
        certified(over(3000, 0.15), 0.1, rng, miss_rate=0.5, most=750) for _ in range(runs)
    ]
    false = sum(outcome[1] for outcome in blind_trust)
    print(f"{'inattentive, no traps':44}{'':11}{false:8d}{false / runs:9.4f}")
    return {"runs": total, "false_rate": round(worst, 4), "delta": round(delta, 4), "valid": holds}


def pac_is_false(rng: np.random.Generator, bound: str) -> bool:
    """Whether PAC labels leave more errors than they say, where all labels are just too many."""
    n, eps = 5000, 0.05
    wrong = rng.permutation(n) < 1.25 * eps * n
    expert = pac_labels(rng.random(n), wrong, eps, 1 - CONFIDENCE, 150, rng, bound)
    return bool((wrong & ~expert).mean() > eps)


def hash_of(name: str) -> int:
    """A number that is the same in every process."""
    return int.from_bytes(name.encode()[:6], "big")


# ---------------------------------------------------------------- the course of labeling


class Stage(NamedTuple):
    """A model at one moment: the items without a label, the surest first.

    Attributes
    ----------
    places : ndarray of int
    doubt : ndarray of float
        One less the model's confidence.
    wrong : ndarray of bool
    labeled : int
    n_items : int
    """

    places: np.ndarray
    doubt: np.ndarray
    wrong: np.ndarray
    labeled: int
    n_items: int


class Course:
    """Labels of a pool and what learns from them, as in a session."""

    def __init__(self, data: Data, seed: int) -> None:
        self.seed = seed
        self.names = np.array(class_names(data))
        self.truth = self.names[data.codes]
        self.n = len(self.truth)
        if data.kind == "matrix":
            session = nl.Session(list(range(self.n)), list(self.names), features=data.pool,
                                 store=None, random_state=seed, inline=True)  # fmt: skip
        else:
            session = new_session(data, seed, explore=0.0)
        self._suggester: Any = session._suggester
        self.labeled = np.empty(0, dtype=np.intp)
        self._ranking: Any = ()
        #: How much more often the newest labels were not what was predicted than believed.
        self.misjudged = 1.0
        self._doubt, self._wrong = np.zeros(self.n), np.zeros(self.n, dtype=bool)

    def learn(self) -> Stage | None:
        """Fit; return what the model says, None before there are two classes."""
        is_open = np.ones(self.n, dtype=bool)
        is_open[self.labeled] = False
        rest = np.flatnonzero(is_open)
        targets = self.truth[self.labeled]
        many = len(self.labeled) >= DESIGNED
        order = Order(
            Snapshot(self.labeled, targets, len(self.labeled) + 1, self.seed),
            tuple(targets), rest, self.step, self.n,
        )  # fmt: skip
        result = learn(self._suggester, as_strategy("least_confidence" if many else "auto"), order)
        self._ranking = result.ranking
        if result.predictions is None:
            return None
        predicted = np.array(result.predictions.classes)[result.predictions.best()]
        doubt = 1 - result.predictions.proba.max(axis=1).astype(float)
        places = rest[np.argsort(doubt[rest], kind="stable")]
        self._doubt, self._wrong = doubt, predicted != self.truth
        wrong = self._wrong[places]
        return Stage(places, doubt[places], wrong, len(self.labeled), self.n)

    @property
    def step(self) -> int:
        """Labels in the next batch."""
        return max(10, len(self.labeled) // 5)

    def label(self, places: Any) -> None:
        """Take over the true labels of some items."""
        fresh = np.setdiff1d(np.asarray(places, dtype=np.intp), self.labeled)
        self.labeled = np.concatenate([self.labeled, fresh])

    def label_next(self, most: int) -> None:
        """Label what the strategy asks."""
        k = min(self.step, most, len(self._ranking))
        asked = [self._ranking[j].position for j in range(k)]
        self.misjudged = observed_to_expected(self._wrong[asked], self._doubt[asked])
        self.label(asked)


class Bill(NamedTuple):
    """What one course cost, in the mean over some draws; shares of the pool but `audited`."""

    ours: float
    one_set: float
    audited: float
    by_hand: float
    true_error: float


def until_certain(course: Course, max_error: float) -> tuple[Stage, Choice]:
    """Label until a certificate is due; return the model then, and the plan."""
    budget, delta = int(max_error * course.n), spent(1 - CONFIDENCE, 1)
    while True:
        stage = course.learn()
        if stage is None or len(course.labeled) < FIRST:
            course.label_next(course.n)
            continue
        choice = choose(np.minimum(stage.doubt * course.misjudged, 1.0), budget, delta)
        # Those left to people have to be looked at anyway: first, and they teach.
        if choice.by_hand <= course.step:
            return stage, choice
        course.label_next(choice.by_hand)


def run_ours(
    stage: Stage, choice: Choice, max_error: float, rng: np.random.Generator, repeats: int
) -> Bill:
    """Certify the rest of a pool, in some random orders."""
    n, n_open = stage.n_items, len(stage.wrong)
    terms = Terms("x", max_error, CONFIDENCE, "pool", n, int(max_error * n), choice.expected, 0,
                  None, 1)  # fmt: skip
    whole = Trial(terms, choice.machine, 1)
    rows = []
    for _ in range(repeats):
        ranks = rng.permutation(n_open)
        trial, wrong = Trial(terms, n_open, 1, ranks.tolist()), stage.wrong[ranks]
        stop = trial.reached(wrong)
        assert stop is not None
        cut, _ = trial.cut(wrong[:stop])
        is_machine = ranks < cut
        is_machine[:stop] = False
        machine = int(is_machine.sum())
        order = stage.wrong[: choice.machine][rng.permutation(choice.machine)]
        first = whole.reached(order[:MOST_AUDITS])
        left = 0 if first is None else choice.machine - first
        rows.append((n - machine, n - left, stop * n, n_open - stop - machine,
                     wrong[is_machine].sum()))  # fmt: skip
    return Bill(*(np.mean(rows, axis=0) / n).tolist())


Way = tuple[int, bool]  # sample size of PAC labels, and whether its draws are weighted


def run_pac(
    stage: Stage, max_error: float, rng: np.random.Generator, bound: str, repeats: int
) -> dict[Way, float]:
    """Return the share of looks of PAC labels, for each way to sample."""
    n = len(stage.wrong)
    target = max_error * stage.n_items / n
    found = {}
    for way in itertools.product(DRAWS, (False, True)):
        looks = [
            pac_labels(stage.doubt, stage.wrong, target, 1 - CONFIDENCE, way[0], rng, bound,
                       way[1]).sum()
            for _ in range(repeats)
        ]  # fmt: skip
        found[way] = (stage.labeled + float(np.mean(looks))) / stage.n_items
    return found


def mean_of(runs: Sequence[dict[Way, float]]) -> dict[Way, float]:
    """Return the means over runs."""
    return {way: float(np.mean([run[way] for run in runs])) for way in runs[0]}


# ---------------------------------------------------------------- sets


@functools.lru_cache(maxsize=2)
def load(name: str, folder: str) -> Data:
    """Return a set by name."""
    if name.startswith("blobs-"):
        return blobs(int(name.removeprefix("blobs-")))
    if name == "digits" and not (Path(folder) / "digits.parquet").exists():
        images, labels = nl.datasets.digits()
        names, codes = np.unique(labels, return_inverse=True)
        return Data("image", images, codes, images[:1], codes[:1], len(names))
    data = read(Path(folder) / f"{name.partition('-')[0]}.parquet")
    if name.startswith("usps"):  # of 5,000 items, as the goal says
        kept = np.sort(np.random.default_rng(0).permutation(len(data.codes))[:5000])
        data = data._replace(pool=take(data.pool, kept), codes=data.codes[kept])
    if name == EASY:
        data = data._replace(codes=(data.codes == 0).astype(int), n_classes=2)
    return data


def blobs(n: int) -> Data:
    """Points around ten centres in sixteen dimensions, about one in a hundred on the wrong side."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(10, 16)) * 1.15
    codes = rng.integers(10, size=n)
    points = (centres[codes] + 0.62 * rng.normal(size=(n, 16))).astype(np.float32)
    return Data("matrix", points, codes, points[:1], codes[:1], 10)


def measure(
    name: str, folder: str, seeds: int, repeats: int
) -> tuple[dict[float, dict[str, Any]], list[Stage]]:
    """Run all methods on one set, print its rows, and return the figures and the models met."""
    data = load(name, folder)
    figures: dict[float, dict[str, Any]] = {}
    stages = []
    for eps in LEVELS:
        rows, pac, normal = [], [], []
        for seed in range(seeds):
            rng = np.random.default_rng((seed, round(1000 * eps)))
            stage, choice = until_certain(Course(data, seed), eps)
            stages.append(stage)
            pac.append(run_pac(stage, eps, rng, "betting", repeats))
            normal.append(run_pac(stage, eps, rng, "normal", repeats))
            rows.append((*run_ours(stage, choice, eps, rng, repeats), stage.labeled))
        ours, one_set, audited, by_hand, error, labels = np.mean(rows, axis=0)
        figures[eps] = {"ours": float(ours), "pac": mean_of(pac), "normal": mean_of(normal)}
        best = min(figures[eps]["pac"].values())
        print(f"{name:14}{len(data.codes):8,}{100 * eps:6.0f} %{100 * ours:9.1f}{100 * best:11.1f}"
              f"{100 * one_set:10.1f}{labels:10.0f}{audited:9.0f}{100 * by_hand:10.1f}"
              f"{100 * error:9.2f}", flush=True)  # fmt: skip
    return figures, stages


def summary(figures: dict[str, dict[float, dict[str, Any]]]) -> dict[str, Any]:
    """Print ours beside PAC labels in one way for all sets, and return it as JSON."""
    ways = {}
    for eps in LEVELS:
        for bound in ("pac", "normal"):
            mean = mean_of([of_set[eps][bound] for of_set in figures.values()])
            ways[eps, bound] = min(mean, key=lambda way: mean[way])
    print("\nLooks in %, PAC labels with one sample size for all sets, the best one")
    print(f"{'set':14}{'error':>8}{'ours':>9}{'pac':>9}{'pac normal':>12}{'best pac':>11}")
    looks: dict[str, Any] = {}
    for name, of_set in figures.items():
        looks[name] = {}
        for eps, found in of_set.items():
            pac, normal = (found[bound][ways[eps, bound]] for bound in ("pac", "normal"))
            best = min(found["pac"].values())
            print(f"{name:14}{100 * eps:6.0f} %{100 * found['ours']:9.1f}{100 * pac:9.1f}"
                  f"{100 * normal:12.1f}{100 * best:11.1f}")  # fmt: skip
            looks[name][f"{eps:.2f}"] = {"ours": round(found["ours"], 4), "pac": round(pac, 4)}
    for eps in LEVELS:
        draws, weighted = ways[eps, "pac"]
        print(f"pac at {100 * eps:.0f} %: {draws} draws{' by doubt' if weighted else ''}")
    return looks


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="../shared/data", help="folder of the parquet files")
    parser.add_argument("--sets", default=",".join(SETS), help="names, with commas")
    parser.add_argument("--growth", default="1000,10000,100000", help="sizes of the growing pool")
    parser.add_argument("--runs", type=int, default=1000, help="of each kind, for validity")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=30, help="random draws for each model")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    sets = [name for name in options.sets.split(",") if name]
    grown = [f"blobs-{size}" for size in options.growth.split(",") if size]
    print("Looks: share of the pool, in %, that a person looks at until all of it is labeled and "
          "certified at 95 %\n")  # fmt: skip
    print(f"{'set':14}{'items':>8}{'error':>8}{'ours':>9}{'best pac':>11}{'one set':>10}"
          f"{'labels':>10}{'audited':>9}{'left %':>10}{'true %':>9}")  # fmt: skip
    figures: dict[str, dict[float, dict[str, Any]]] = {}
    stages: list[Stage] = []
    for name in [*sets, *grown]:
        figures[name], met = measure(name, options.data, options.seeds, options.repeats)
        stages += [stage for stage in met if stage.n_items <= 10_000]
    looks = summary(figures) if figures else {}
    result = validity(options.runs, stages) if options.runs else {"valid": True}
    result["looks"] = looks
    print(json.dumps(result))
    return 0 if result["valid"] else 1


if __name__ == "__main__":
    sys.exit(main())
