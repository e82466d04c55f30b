"""All honest numbers of a session, from what the log proves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimate import (
    LEAST_DRAWS,
    LEAST_PAIRS,
    Estimate,
    class_shares,
    mean_difference,
    prediction_kappa,
    unseen_share,
)
from ..tables import Predictions
from .crossfit import FIRST_ARM, Arms, CrossFit, Known

#: Items on which successive models are held against each other.
STOP_ITEMS = 1000
_DRAWS = "random draws"
#: Labels are compared exactly where a class is one text.
_ONE_CLASS = "it is known only of tasks with one class an item"


class Stability:
    """Whether the model still changes: kappa between successive ones on a fixed random sample.

    Parameters
    ----------
    n_items : int
        Size of the pool.
    seed : int

    Attributes
    ----------
    kappas : list of float
        Oldest first; only of models that learned from more labels than the one before.
    """

    def __init__(self, n_items: int, seed: int) -> None:
        rng = np.random.default_rng((seed, 6))
        self.places = np.sort(rng.permutation(n_items)[:STOP_ITEMS])
        self.kappas: list[float] = []
        self._before: NDArray[Any] | None = None
        self._n_labels = 0

    def see(self, predictions: Predictions) -> None:
        """Take over what the newest model says."""
        if predictions.n_labels <= self._n_labels or len(predictions) <= self.places[-1]:
            return
        if predictions.unsure is None:
            said = np.asarray(predictions.classes)[predictions.best(self.places)]
        else:  # several classes, or none: which ones are rather there than not
            said = np.array([row.tobytes() for row in predictions.proba[self.places] > 0.5])
        if self._before is not None:
            self.kappas.append(prediction_kappa(self._before, said))
        self._before, self._n_labels = said, predictions.n_labels


def class_evidence(
    known: Known, one_class: bool, crossed: CrossFit | None, classes: Sequence[str]
) -> tuple[dict[str, Estimate], Estimate]:
    """Return the share of each class in the whole pool, and of the classes never seen.

    Parameters
    ----------
    known : Known
    one_class : bool
        Whether each item has one class.
    crossed : CrossFit or None
        Without it the shares rest on the draws alone.
    classes : sequence of str
        All that there are.
    """
    n = int(known.drawn.sum())
    if not one_class:
        missing = Estimate.missing(n, 0, _DRAWS, _ONE_CLASS)
        return {}, missing
    names = list(dict.fromkeys([*classes, *map(str, known.values)]))
    place = {name: k for k, name in enumerate(names)}
    codes = np.array([place[str(value)] for value in known.values], dtype=np.intp)
    if n < LEAST_DRAWS:
        missing = Estimate.missing(n, LEAST_DRAWS, _DRAWS)
        return dict.fromkeys(names, missing), missing
    n_labels, n_classes = len(codes), len(names)
    predicted = np.zeros((1, n_labels, n_classes))
    totals = np.zeros((1, n_classes))
    folds = np.zeros(n_labels, dtype=np.intp)
    if crossed is not None:
        columns = [place[name] for name in crossed.classes]
        predicted = np.zeros((len(crossed.totals), n_labels, n_classes))
        totals = np.zeros((len(crossed.totals), n_classes))
        predicted[:, :, columns], totals[:, columns] = crossed.proba, crossed.totals
        folds = crossed.folds
    shares = class_shares(codes, known.drawn, folds, predicted, totals, known.n_items)
    draws = np.flatnonzero(known.drawn)
    first: dict[int, int] = {}
    for k, code in enumerate(codes.tolist()):
        first.setdefault(code, k)
    new = [first[int(codes[k])] == k for k in draws]
    counts = Counter(codes.tolist())
    lone = sum(counts[int(codes[k])] == 1 for k in draws)
    left = (known.n_items - draws).tolist()
    return dict(zip(names, shares, strict=True)), unseen_share(new, lone, left, known.n_items)


def arm_difference(arms: Arms | None, known: Known) -> Estimate:
    """Return how much better a model is that learns from the strategy's choice."""
    unit = "random draws judged"
    if not known.picked.any():
        why = "no strategy has chosen anything, so there is nothing to compare"
        return Estimate.missing(0, 0, unit, why)
    n = int(known.drawn.sum())
    judged = 0 if arms is None else len(arms.picked)
    if arms is None or judged < LEAST_PAIRS:
        needs = max(FIRST_ARM + LEAST_PAIRS - n, 1)
        return Estimate(None, None, None, judged, _DRAWS, needs)
    made = arms.picked.astype(float) - arms.drawn.astype(float)
    return mean_difference(made, unit)
