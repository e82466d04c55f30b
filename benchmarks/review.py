"""Are wrong labels found? ``python -m benchmarks.review``

A share of the labels of a set is made wrong at random (another class, uniformly), a session takes
them over, and `Session.review` lists the most suspicious first. Precision among the first 100: how
many of them are wrong indeed. No order can have more than the wrong labels there are, so the best
that is possible stands beside it.

``ours``
    ``session.review(method="nblabel")``: out-of-fold self-confidence of nblabel's default engine.
``cleanlab, same model``
    cleanlab's own order, ``find_label_issues(return_indices_ranked_by="self_confidence")`` and then
    the rest by its label quality, from the same out-of-fold probabilities.
``cleanlab, its tutorial``
    The same from scikit-learn's logistic regression, cross-validated in five folds on TF-IDF,
    pixels or scaled columns, as cleanlab's documentation puts it together.
``random``
    Labels in random order.

The sets are every ``*.parquet`` of ``--data`` (see `benchmarks.efficiency`) and scikit-learn's
digits. cleanlab is in the dependency group ``review``; without it its rows are left out, and said.
The last line is one line of JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import nblabel as nl

FIRST = 100
HAVE_CLEANLAB = importlib.util.find_spec("cleanlab") is not None


def read(path: Path) -> tuple[Any, np.ndarray]:
    """Items and labels of the pool of a set."""
    frame = pd.read_parquet(path)
    frame = frame[frame["split"] == "pool"].reset_index(drop=True)
    labels = frame["label"].astype(str).to_numpy(dtype=object)
    if "text" in frame:
        return frame["text"].to_numpy(dtype=object), labels
    columns = frame.drop(columns=["label", "split"])
    if all(name.startswith("p") for name in columns):
        side = round(columns.shape[1] ** 0.5)
        return columns.to_numpy(dtype=np.float32).reshape(-1, side, side), labels
    return columns, labels


def sets(folder: Path | None) -> dict[str, tuple[Any, np.ndarray]]:
    """All sets by name."""
    images, digits = nl.datasets.digits()
    found = {"digits": (images, np.array([str(one) for one in digits], dtype=object))}
    if folder is not None:
        paths = [path for path in sorted(folder.glob("*.parquet")) if path.stem != "digits"]
        found |= {path.stem: read(path) for path in paths}
    return found


def tutorial(items: Any, labels: np.ndarray) -> np.ndarray:
    """Out-of-fold probabilities as cleanlab's documentation makes them."""
    if isinstance(items, pd.DataFrame):
        rows, first = pd.get_dummies(items).fillna(0).to_numpy(dtype=float), StandardScaler()
    elif items.ndim > 1:
        rows, first = items.reshape(len(items), -1), StandardScaler()
    else:
        rows, first = items, TfidfVectorizer()
    model = make_pipeline(first, LogisticRegression(max_iter=400))
    return np.asarray(cross_val_predict(model, rows, labels, cv=5, method="predict_proba"))


def cleanlab_order(labels: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Places, the most suspicious first, as cleanlab orders them."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    issues = find_label_issues(labels, proba, return_indices_ranked_by="self_confidence", n_jobs=1)
    rest = np.argsort(get_label_quality_scores(labels, proba), kind="stable")
    return np.array([*issues, *(k for k in rest if k not in set(issues))])


def run(items: Any, labels: np.ndarray, wrong: float, most: int, seed: int) -> dict[str, float]:
    """Precision of each order among the first, for one seed."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(labels))[:most]
    table = isinstance(items, pd.DataFrame)
    items = items.iloc[chosen].reset_index(drop=True) if table else items[chosen]
    classes, codes = np.unique(labels[chosen].astype(str), return_inverse=True)
    bad = rng.choice(len(codes), round(wrong * len(codes)), replace=False)
    noisy = codes.copy()
    noisy[bad] = (codes[bad] + rng.integers(1, len(classes), len(bad))) % len(classes)
    is_wrong = np.zeros(len(codes), dtype=bool)
    is_wrong[bad] = True
    session = nl.Session(
        items if table or items.ndim > 1 else list(items), list(classes), store=None, inline=True,
        batch=10**9, **({"row": True} if table else {}),
    )  # fmt: skip
    session.append(
        [
            nl.LabelEvent(f"{seed}-{k}", "label", item, "someone", str(classes[noisy[k]]))
            for k, item in enumerate(session.pool.ids)
        ]
    )
    first = min(FIRST, len(codes))

    def precision(order: Any) -> float:
        return float(is_wrong[np.asarray(order, dtype=int)[:first]].mean())

    found = {"best possible": min(1.0, len(bad) / first)}
    ours = session.review(method="nblabel")
    found["ours"] = precision([session.pool.position(item) for item in ours["item"]])
    if HAVE_CLEANLAB:
        facts = session._facts()  # the same probabilities, as cleanlab takes them
        crossed, _ = session._judge(facts, race=False)
        assert crossed is not None
        places = [crossed.classes.index(name) for name in classes]
        proba = crossed.unseen[:, places].astype(float)
        proba /= proba.sum(axis=1, keepdims=True)
        order = cleanlab_order(noisy[facts.known.positions], proba)
        found["cleanlab, same model"] = precision(facts.known.positions[order])
        alone = tutorial(items, noisy)
        found["cleanlab, its tutorial"] = precision(cleanlab_order(noisy, alone))
    found["random"] = precision(rng.permutation(len(codes)))
    return found


def main() -> None:
    """Run and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of parquet files")
    parser.add_argument("--sets", help="names of sets, with commas; by default all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--wrong", type=float, default=0.05, help="share of wrong labels")
    parser.add_argument("--labels", type=int, default=2000, help="labels of each set at most")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if not HAVE_CLEANLAB:
        print("cleanlab is not installed: uv pip install --group review")
    rows = {}
    for name, (items, labels) in sets(options.data).items():
        if options.sets and name not in options.sets.split(","):
            continue
        runs = [
            run(items, labels, options.wrong, options.labels, seed) for seed in range(options.seeds)
        ]
        rows[name] = pd.DataFrame(runs).mean().round(3).to_dict()
        print(f"{name:12}", *(f"{arm} {value:.2f};" for arm, value in rows[name].items()))
    mean = pd.DataFrame(rows).mean(axis=1).round(3).to_dict()
    print(f"{'mean':12}", *(f"{arm} {value:.2f};" for arm, value in mean.items()))
    print(json.dumps({"wrong": options.wrong, "first": FIRST, "sets": rows, "mean": mean}))


if __name__ == "__main__":
    main()
