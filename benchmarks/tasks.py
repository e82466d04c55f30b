"""What a model in the loop is worth, task by task: ``python -m benchmarks.tasks``

Known labels answer, ten by ten, without a screen; after each ten the model is scored on a held-out
third: by the agreement of the task, averaged over items. Pairs are asked in order to rank the items
at hand; their setting, with noise, is in `benchmarks.pairs`. The same model learns from
items in the order of the default strategy, with its tenth of random draws, and from items in random
order, under the same seeds and splits. ``gain`` is the difference of the areas under both curves
(the mean score over the batches), averaged over the sets of the task; ``gain_low`` the lower end of
its 95 % interval over seeds (Student's t). ``sets``: the gain on each set, as a mean over seeds.

``keys_saved``: the share of key presses that suggestions save, in the last fifth of the session:
from the suggestion to the label, against from nothing to the label, both by the fewest keys that
the editor takes (`benchmarks.keys`). One key answers a rating on one scale, or a pair, with or
without a suggestion: nothing can be saved there.

Sets, all of them installed with nblabel or its tests, with labels that are known (there are more of
pairs in a folder that ``--data`` names):

multilabel
    Handwritten digits with what is true of each: even, prime, has a loop, above 4.
rating
    Progression of diabetes, alcohol of wines, in five levels of equal size; handwritten digits
    as a number from 0 to 9.
spans
    Names, types and defaults in the documentation of parameters.
pairs
    Hidden quantities of patients, tumours, wines, irises and digits: see `benchmarks.pairs`.
ranking
    Four measurements of wines, put into order by how high each is among all wines.

One line of JSON for each task.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.datasets import load_diabetes, load_wine

import nblabel as nl

from . import pairs
from .keys import presses

#: Share of the labels, the last ones, whose keys are counted.
LAST = 0.2
ARMS = {"model": "auto", "random": "random"}


class Data(NamedTuple):
    """Items, what is asked, and the known label of each."""

    items: Any
    task: Any
    truth: Any
    options: dict[str, Any]
    budget: int


def digit_facts() -> Data:
    """Images of digits, each with what is true of it."""
    images, digits = nl.datasets.digits()
    facts = {"even": "02468", "prime": "2357", "has a loop": "0689", "above 4": "56789"}
    truth = [[fact for fact, those in facts.items() if digit in those] for digit in digits]
    return Data(images, nl.MultiLabel(list(facts)), truth, {}, 150)


def levels(numbers: Any) -> list[int]:
    """Numbers as levels from 1 to 5 of equal size."""
    return (pd.qcut(pd.Series(numbers).rank(method="first"), 5, labels=False) + 1).tolist()


def diabetes_levels() -> Data:
    """Patients, each with how far their illness has come."""
    found = load_diabetes(as_frame=True)
    return Data(found.data, nl.Rating(), levels(found.target), {"row": True}, 100)


def wine_levels() -> Data:
    """Wines, each with how much alcohol it has."""
    frame = load_wine(as_frame=True).data
    return Data(
        frame.drop(columns="alcohol"), nl.Rating(), levels(frame["alcohol"]), {"row": True}, 60
    )


def digit_numbers() -> Data:
    """Images of digits, each with its number."""
    images, digits = nl.datasets.digits()
    return Data(images, nl.Rating(0, 9), [int(digit) for digit in digits], {}, 150)


def parameters() -> Data:
    """Documentation of parameters, with names, types and defaults."""
    found = nl.datasets.parameters(600)
    task = nl.Spans(["name", "type", "default"])
    return Data(found["text"].tolist(), task, found["spans"].tolist(), {}, 60)


def wine_rankings() -> Data:
    """Wines without four of their measurements, and which of these are high, the highest first."""
    frame = load_wine(as_frame=True).data
    asked = ["alcohol", "color_intensity", "hue", "proline"]
    truth = frame[asked].rank(pct=True).rank(axis=1, ascending=False).to_dict("records")
    return Data(frame.drop(columns=asked), nl.Ranking(asked, ties=True), truth, {"row": True}, 80)


SETS: dict[str, tuple[Callable[[], Data], ...]] = {
    "multilabel": (digit_facts,),
    "rating": (diabetes_levels, wine_levels, digit_numbers),
    "spans": (parameters,),
    "ranking": (wine_rankings,),
}
#: What is measured, one after the other.
TASKS = (*SETS, "pairs")


def take(items: Any, places: np.ndarray) -> Any:
    """Return some items in the form of all."""
    if isinstance(items, pd.DataFrame):
        return items.iloc[places].reset_index(drop=True)
    return items[places] if isinstance(items, np.ndarray) else [items[k] for k in places]


def run(data: Data, arm: str, seed: int, most: int | None = None) -> tuple[float, float]:
    """Return the area under the score curve of one run, and the share of keys saved at its end."""
    order = np.random.default_rng(seed).permutation(len(data.truth))[:most]
    held_out, pool = order[: len(order) // 3], order[len(order) // 3 :]
    truth = [data.truth[k] for k in pool]
    session = nl.Session(
        take(data.items, pool), data.task, store=None, inline=True, blind=0, strategy=ARMS[arm],
        random_state=seed, **data.options,
    )  # fmt: skip
    test: Any = (take(data.items, held_out), [data.truth[k] for k in held_out])
    curve = nl.simulate(session, truth, data.budget, test=test)
    needed = list(pressed(session))[-max(1, round(LAST * data.budget)) :]
    bare, helped = np.sum(needed, axis=0)
    session.close()
    return float(curve["agreement"].mean()), 1.0 - helped / bare


def pressed(session: nl.Session) -> Iterator[tuple[int, int]]:
    """Yield for each label the keys that it needs without and with its suggestion."""
    history = session.history
    for row in history[history["kind"] == "label"].itertuples():
        content = session.pool.item(session.pool.position(row.item))
        bare = presses(session.task, content, row.value)
        helped = presses(session.task, content, row.value, row.shown_suggestion)
        yield len(bare), len(helped)


def measure(
    task: str, seeds: int, most: int | None = None, folder: str | None = None
) -> dict[str, Any]:
    """Return the line of one task."""
    saved = []
    found: dict[str, Callable[[str, int], float]] = {}

    def of(data: Data, arm: str, seed: int) -> float:
        area, keys = run(data, arm, seed, most)
        saved.extend([keys] * (arm == "model"))
        return area

    def of_pairs(data: pairs.Compared, arm: str, seed: int) -> float:
        saved.extend([0.0] * (arm == "model"))  # one key says which, whatever is suggested
        return float(np.mean(pairs.run(data, ARMS[arm], seed)))

    if task == "pairs":
        found = {name: partial(of_pairs, load()) for name, load in pairs.sets(folder).items()}
    else:
        found = {load.__name__: partial(of, load()) for load in SETS[task]}
    gains = np.zeros((len(found), seeds))
    for k, (name, area) in enumerate(found.items()):
        for seed in range(seeds):
            areas = {arm: area(arm, seed) for arm in ARMS}
            gains[k, seed] = areas["model"] - areas["random"]
            said = f"{areas['model']:.4f} against {areas['random']:.4f} ({gains[k, seed]:+.4f})"
            print(f"{task} {name} seed {seed}: {said}", file=sys.stderr)
    of_seed = gains.mean(axis=0)
    half = stats.t.ppf(0.975, seeds - 1) * of_seed.std(ddof=1) / np.sqrt(seeds)
    return {
        "task": task,
        "gain": round(float(of_seed.mean()), 4),
        "gain_low": round(float(of_seed.mean() - half), 4),
        "keys_saved": round(float(np.mean(saved)), 3),
        "sets": {name: round(float(row.mean()), 4) for name, row in zip(found, gains, strict=True)},
    }


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=list(TASKS), metavar="task")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, help="items of a set, at most (not of pairs)")
    parser.add_argument("--data", help="folder of parquet files with more sets of pairs")
    options = parser.parse_args()
    for task in options.tasks:
        print(json.dumps(measure(task, options.seeds, options.most, options.data)), flush=True)


if __name__ == "__main__":
    main()
