"""What models say that have not seen a label: for review, for the pool, and against chance.

Pure functions of frozen labels, run where trainings run. The suggester itself is left as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from .._progress import report, within
from .._quiet import quiet
from .._threads import MOST_ITEMS, MOST_LABELS, one_thread
from ..suggest import Fitted, Snapshot, Suggester, checked_scores, score, value_at
from ..suggest.linear import fit_linear
from ..tables import Predictions
from ..tasks import Task, right

#: Parts that are left out in turn.
FOLDS = 5
#: Labels that are too few to leave any out.
LEAST_LABELS = 20
#: Random draws that both arms have before the first comparison.
FIRST_ARM = 20
#: From one comparison to the next both arms grow by this factor.
ARM_GROWTH = 1.5


@dataclass(frozen=True)
class Known:
    """The labels of people, one an item, in the order in which they came.

    Attributes
    ----------
    positions : ndarray of shape (n_labels,), int
        Places in the pool.
    values : tuple
        What stands now.
    drawn : ndarray of shape (n_labels,), bool
        Whether the item was a random draw from all items without a label.
    picked : ndarray of shape (n_labels,), bool
        Whether the query strategy chose it.
    n_items : int
        Size of the pool, without items that were put away.
    """

    positions: NDArray[np.intp]
    values: tuple[Any, ...]
    drawn: NDArray[np.bool_]
    picked: NDArray[np.bool_]
    n_items: int

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True)
class CrossFit:
    """What models say, each of which has not seen one fold of the labels.

    Attributes
    ----------
    classes : tuple of str
    folds : ndarray of shape (n_labels,), int
    proba : ndarray of shape (n_folds, n_labels, n_classes), float32
        For every labeled item, by the model of each fold.
    totals : ndarray of shape (n_folds, n_classes)
        Sums over the whole pool.
    values : tuple
        What the model that has not seen a label suggests in its place.
    sure : ndarray of shape (n_labels,)
        And with what probability.
    second : ndarray of shape (n_labels, n_classes), float32, or None
        What another kind of model says that has not seen the label.
    """

    classes: tuple[str, ...]
    folds: NDArray[np.intp]
    proba: NDArray[np.float32]
    totals: NDArray[np.float64]
    values: tuple[Any, ...]
    sure: NDArray[np.float64]
    second: NDArray[np.float32] | None = None

    @property
    def unseen(self) -> NDArray[np.float32]:
        """For each label what models say that have not seen it, (n_labels, n_classes).

        The mean of both kinds, where there are two: a wrong label misleads one more easily.
        """
        own = self.proba[self.folds, np.arange(len(self.folds))]
        if self.second is None:
            return own
        both: NDArray[np.float32] = (own + self.second) * np.float32(0.5)
        return both


def judge(
    suggester: Suggester, task: Task, known: Known, seed: int, race: bool
) -> tuple[CrossFit | None, Arms | None]:
    """Return what `cross_fit` and, if asked for, `race_arms` find."""
    small = len(known) <= MOST_LABELS and known.n_items <= MOST_ITEMS
    with one_thread.when(small and getattr(suggester, "is_light", False)):
        with within(0.0, 0.5 if race else 1.0):
            crossed = cross_fit(suggester, task, known, seed)
        with within(0.5, 1.0):
            return crossed, race_arms(suggester, task, known, seed) if race else None


def cross_fit(suggester: Suggester, task: Task, known: Known, seed: int) -> CrossFit | None:
    """Fit on all labels but one fold, for each fold in turn; None if they are too few."""
    n = len(known)
    if n < LEAST_LABELS:
        return None
    folds = np.random.default_rng((seed, 5)).permutation(n) % FOLDS
    suggester = _own(suggester)
    found = []
    for fold in range(FOLDS):
        report(fold / FOLDS)
        made = _fitted(suggester, task, known, np.flatnonzero(folds != fold), seed)
        if made is None:
            return None
        found.append(made)
    classes = tuple(dict.fromkeys(name for _, said in found for name in said.classes))
    column = {name: k for k, name in enumerate(classes)}
    proba = np.zeros((FOLDS, n, len(classes)), dtype=np.float32)
    totals = np.zeros((FOLDS, len(classes)))
    values: list[Any] = [None] * n
    sure = np.zeros(n)
    for fold, (fitted, said) in enumerate(found):
        columns = [column[name] for name in said.classes]
        proba[fold][:, columns] = said.proba[known.positions]
        totals[fold, columns] = said.proba.sum(axis=0, dtype=np.float64)
        for k in np.flatnonzero(folds == fold).tolist():
            values[k], sure[k] = value_at(task, fitted, said, int(known.positions[k]))
    second = _second_opinion(suggester, task, known, folds, column)
    return CrossFit(classes, folds, proba, totals, tuple(values), sure, second)


def _second_opinion(
    suggester: Any, task: Task, known: Known, folds: NDArray[np.intp], column: dict[str, int]
) -> NDArray[np.float32] | None:
    """Return what plain logistic regression says, None where there are no features for it."""
    if task.target_type != "multiclass" or not hasattr(suggester, "features_of"):
        return None
    rows, targets = suggester.features_of(known.positions), np.asarray(known.values, dtype=str)
    made = np.zeros((len(known), len(column)), dtype=np.float32)
    for fold in range(FOLDS):
        learned, asked = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model = LogisticRegression(max_iter=200)
        with quiet(ConvergenceWarning):
            columns = fit_linear(model, rows[learned], targets[learned])
        scores = score(model, rows[asked], columns)
        places = np.array([column[name] for name in scores.classes], dtype=np.intp)
        made[np.ix_(asked, places)] = scores.proba
    return made


@dataclass(frozen=True)
class Arms:
    """Models that learn from the strategy's choice, against models that learn from random draws.

    Attributes
    ----------
    picked, drawn : ndarray of shape (n_judged,), bool
        Whether each was right about a random draw that came later.
    n_labels : int
        Labels that each had in the end.
    """

    picked: NDArray[np.bool_]
    drawn: NDArray[np.bool_]
    n_labels: int


def race_arms(suggester: Suggester, task: Task, known: Known, seed: int) -> Arms:
    """Let a model learn from the first random draws and one from as many items of the strategy.

    Progressive validation for both: each block of random draws is predicted by the two before it is
    learned, and what they are held against was uniform over all items without a label then. The
    items of the strategy are those it chose first, and it chose them before the draws that judge.
    """
    draws, picks = np.flatnonzero(known.drawn), np.flatnonzero(known.picked)
    suggester = _own(suggester)
    hits: dict[str, list[bool]] = {"picked": [], "drawn": []}
    size, last = FIRST_ARM, 0
    while size < len(draws) and size <= len(picks):
        report(size / len(draws))
        end = min(max(size + 10, int(size * ARM_GROWTH)), len(draws))
        if picks[size - 1] < draws[size]:
            for arm, rows in (("picked", picks[:size]), ("drawn", draws[:size])):
                fitted = _fitted(suggester, task, known, rows, seed)
                for k in draws[size:end].tolist():
                    said = (
                        known.values[int(rows[0])]  # it knows no other
                        if fitted is None
                        else value_at(task, *fitted, int(known.positions[k]))[0]
                    )
                    hits[arm].append(right(task, said, known.values[k]))
            last = size
        size = end
    return Arms(np.array(hits["picked"], bool), np.array(hits["drawn"], bool), last)


def _own(suggester: Suggester) -> Suggester:
    """Return a copy that may be fitted, after the features of the pool are there for both."""
    suggester.embedding()
    return copy.copy(suggester)


def _fitted(
    suggester: Suggester, task: Task, known: Known, rows: NDArray[np.intp], seed: int
) -> tuple[Fitted, Predictions] | None:
    """Fit on some of the labels, None if they are all the same."""
    values: Sequence[Any] = [known.values[k] for k in rows.tolist()]
    if len({str(value) for value in values}) < 2:
        return None
    fitted = suggester.fit(Snapshot(known.positions[rows], task.targets(values), 0, seed))
    scores = checked_scores(fitted.predict(), None, type(fitted).__name__)
    return fitted, Predictions(
        0, len(values), scores.classes, scores.proba, scores.probabilistic, scores.unsure,
        scores.calibration,
    )  # fmt: skip
