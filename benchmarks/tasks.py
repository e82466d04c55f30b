"""What a model in the loop is worth, task by task: ``python -m benchmarks.tasks``

Known labels answer, ten by ten, without a screen; after each ten the model is scored on a held-out
third: by the agreement of the task, averaged over items. Pairs are asked in order to rank the items
at hand: there it is scored on 2,000 pairs of these, drawn at random. The same model learns from
items in the order of the default strategy, with its tenth of random draws, and from items in random
order, under the same seeds and splits. ``gain`` is the difference of the areas under both curves
(the mean score over the batches), averaged over the sets of the task; ``gain_low`` the lower end of
its 95 % interval over seeds (Student's t).

``keys_saved``: the share of key presses that suggestions save, in the last fifth of the session:
from the suggestion to the label, against from nothing to the label, both by the fewest keys that
the editor takes (`benchmarks.keys`). One key answers a rating on one scale, or a pair, with or
without a suggestion: nothing can be saved there.

Sets, all of them installed with nblabel or its tests, with labels that are known:

multilabel
    Handwritten digits with what is true of each: even, prime, has a loop, above 4.
rating
    Progression of diabetes, alcohol of wines, in five levels of equal size; handwritten digits
    as a number from 0 to 9.
spans
    Names, types and defaults in the documentation of parameters.
pairs
    Which patient's diabetes has progressed further, which tumour has the deeper hollows, which of
    two handwritten numbers is larger: a hundred items each, with two comparisons for every item.

One line of JSON for each task.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import nblabel as nl

from .keys import presses

#: Share of the labels, the last ones, whose keys are counted.
LAST = 0.2
ARMS = {"model": "auto", "random": "random"}


class Data(NamedTuple):
    """Items, what is asked, and the known label of each (of pairs a number)."""

    items: Any
    task: Any
    truth: Any
    options: dict[str, Any]
    budget: int
    most: int | None = None  # of its items, at most


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


def diabetes_pairs() -> Data:
    """Patients, and how far their illness has come."""
    found = load_diabetes(as_frame=True)
    return Data(found.data, nl.Pairs(), found.target.tolist(), {"row": True}, 200, 150)


def tumour_pairs() -> Data:
    """Tumours without what was measured of their hollows, and how deep these are."""
    frame = load_breast_cancer(as_frame=True).data
    hollows = [name for name in frame.columns if "conca" in name]
    truth = frame["worst concavity"].tolist()
    return Data(frame.drop(columns=hollows), nl.Pairs(), truth, {"row": True}, 200, 150)


def digit_pairs() -> Data:
    """Images of digits, and the number of each."""
    images, digits = nl.datasets.digits()
    return Data(images, nl.Pairs(), [int(digit) for digit in digits], {}, 200, 150)


SETS: dict[str, tuple[Callable[[], Data], ...]] = {
    "multilabel": (digit_facts,),
    "rating": (diabetes_levels, wine_levels, digit_numbers),
    "spans": (parameters,),
    "pairs": (diabetes_pairs, tumour_pairs, digit_pairs),
}


def take(items: Any, places: np.ndarray) -> Any:
    """Return some items in the form of all."""
    if isinstance(items, pd.DataFrame):
        return items.iloc[places].reset_index(drop=True)
    return items[places] if isinstance(items, np.ndarray) else [items[k] for k in places]


def run(data: Data, arm: str, seed: int, most: int | None = None) -> tuple[float, float]:
    """Return the area under the score curve of one run, and the share of keys saved at its end."""
    order = np.random.default_rng(seed).permutation(len(data.truth))[: most or data.most]
    held_out, pool = order[: len(order) // 3], order[len(order) // 3 :]
    truth = [data.truth[k] for k in pool]
    session = nl.Session(
        take(data.items, pool), data.task, store=None, inline=True, blind=0, strategy=ARMS[arm],
        random_state=seed, **data.options,
    )  # fmt: skip
    test: Any = (take(data.items, held_out), [data.truth[k] for k in held_out])
    if data.task.kind == "pairs":  # the items at hand are to be ranked
        test = None
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


def measure(task: str, seeds: int, most: int | None = None) -> dict[str, Any]:
    """Return the line of one task."""
    gains = np.zeros(seeds)
    saved = []
    for load in SETS[task]:
        data = load()
        for seed in range(seeds):
            areas = {}
            for arm in ARMS:
                areas[arm], keys = run(data, arm, seed, most)
                saved += [keys] * (arm == "model")
            gain = areas["model"] - areas["random"]
            gains[seed] += gain / len(SETS[task])
            said = f"{areas['model']:.4f} against {areas['random']:.4f} ({gain:+.4f})"
            print(f"{task} {load.__name__} seed {seed}: {said}", file=sys.stderr)
    half = stats.t.ppf(0.975, seeds - 1) * gains.std(ddof=1) / np.sqrt(seeds)
    return {
        "task": task,
        "gain": round(float(gains.mean()), 4),
        "gain_low": round(float(gains.mean() - half), 4),
        "keys_saved": round(float(np.mean(saved)), 3),
    }


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=list(SETS), metavar="task")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--most", type=int, help="items of a set, at most")
    options = parser.parse_args()
    for task in options.tasks:
        print(json.dumps(measure(task, options.seeds, options.most)), flush=True)


if __name__ == "__main__":
    main()
