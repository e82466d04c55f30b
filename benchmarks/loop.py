"""Does asking beat chance? ``python -m benchmarks.loop``

Active learning against known labels, headless: on scikit-learn's digits and on summaries of
installed documentation, the default strategy and uniform random draws are given the same number of
labels, over the same seeds, and scored on the same held-out quarter after each batch. Random is the
baseline of the same run: everything else, features and model, is equal.

Prints both mean curves, the difference seed by seed, and one JSON line: the area under the accuracy
curve (mean accuracy over the batches) for each.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import pandas as pd

import nblabel as nl


def digits() -> tuple[Any, np.ndarray]:
    """Images of 8 x 8 pixels, ten classes."""
    return nl.datasets.digits()


def docs() -> tuple[Any, np.ndarray]:
    """Summaries of public functions, four libraries."""
    frame = nl.datasets.installed_docs()
    return frame["text"].to_numpy(dtype=object), frame["library"].to_numpy(dtype=object)


SETS = {"digits": digits, "docs": docs}


def curve(items: Any, labels: np.ndarray, strategy: str, seed: int, budget: int) -> pd.Series:
    """Accuracy on the held-out quarter by number of labels, for one seed."""
    order = np.random.default_rng(seed).permutation(len(labels))
    held_out, pool = order[: len(order) // 4], order[len(order) // 4 :]
    session = nl.Session(
        items[pool] if items.ndim > 1 else list(items[pool]),
        sorted(set(labels)),
        store=None,
        strategy=strategy,
        random_state=seed,
        inline=True,
    )
    test = items[held_out] if items.ndim > 1 else list(items[held_out])
    rows = nl.simulate(session, labels[pool], budget, test=(test, labels[held_out]))
    return rows.set_index("n_labels")["accuracy"]


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget", type=int, default=200)
    options = parser.parse_args()
    areas: dict[str, dict[str, float]] = {}
    for name, load in SETS.items():
        items, labels = load()
        print(f"\n{name}: {len(labels)} items, {len(set(labels))} classes, {options.seeds} seeds")
        curves = {
            arm: pd.concat(
                [
                    curve(items, labels, strategy, seed, options.budget)
                    for seed in range(options.seeds)
                ],
                axis=1,
            )
            for arm, strategy in (("default", "auto"), ("random", "random"))
        }
        table = pd.DataFrame({arm: made.mean(axis=1) for arm, made in curves.items()})
        print(table.round(3).T.to_string())
        gains = curves["default"].mean() - curves["random"].mean()
        print("gain in area, seed by seed:", " ".join(f"{gain:+.3f}" for gain in gains))
        areas[name] = {arm: round(float(made.mean().mean()), 4) for arm, made in curves.items()}
    print(json.dumps(areas))


if __name__ == "__main__":
    main()
