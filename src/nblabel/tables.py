"""The shapes that cross rooms: votes and predictions, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

#: Rows that are calibrated at once: they stay in the cache of a core.
_BLOCK = 1 << 12


@dataclass(frozen=True)
class Votes:
    """One annotator's current label for one item, one row a vote.

    Attributes
    ----------
    items, annotators : list of str
    values : list
        Legal values of the task.
    """

    items: list[str]
    annotators: list[str]
    values: list[Any]

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What makes probabilities of the scores of a model that treats classes alike.

    Attributes
    ----------
    power : float
        What the scores are raised to: above 1 the model may be surer than they are.
    offset : ndarray of shape (n_classes,), float
        Added to their logarithms.
    """

    power: float
    offset: NDArray[np.float64]

    def __call__(self, proba: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return probabilities for rows of scores, (n_rows, n_classes)."""
        logs = np.log(np.maximum(proba, np.finfo(np.float32).tiny), dtype=np.float32)
        logs *= np.float32(self.power)
        logs += self.offset.astype(np.float32)
        return np.asarray(softmax(logs, axis=1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class JoinedCalibration:
    """A calibration of several models whose columns stand beside each other.

    Attributes
    ----------
    parts : tuple of (int, calibration or None)
        Number of columns of each; None where they are probabilities as they are.
    """

    parts: tuple[tuple[int, Calibration | JoinedCalibration | None], ...]

    def __call__(self, proba: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return probabilities for rows of scores, (n_rows, n_columns)."""
        made = np.array(proba, dtype=np.float32)
        end = 0
        for n_columns, calibration in self.parts:
            own = slice(end, end := end + n_columns)
            if calibration is not None:
                made[:, own] = calibration(made[:, own])
        return made


@dataclass(frozen=True)
class Predictions:
    """What one version of the model says about every item of the pool.

    Attributes
    ----------
    version : int
        Counts the models; 0 means that there is none yet.
    n_labels : int
        Number of labels it has learned from.
    classes : tuple of str
        Columns of `proba`; those the model has seen, not all of the task.
    proba : ndarray of shape (n_items, n_classes), float32
        What labels and strategies go by: probabilities, or scores in that shape, which are not to
        be shown as probabilities where `probabilistic` is false, or where there is a `calibration`.
    probabilistic : bool
        Whether the estimator gives probabilities.
    unsure : ndarray of shape (n_items,), float32, or None
        From 0 to 1, where a row of `proba` is no distribution over classes, one of which is right.
    calibration : Calibration, JoinedCalibration or None
        Makes probabilities of `proba`; None where it has them.
    """

    version: int
    n_labels: int
    classes: tuple[str, ...]
    proba: NDArray[np.float32]
    probabilistic: bool = True
    unsure: NDArray[np.float32] | None = None
    calibration: Calibration | JoinedCalibration | None = None

    @property
    def sureness(self) -> NDArray[np.float32]:
        """What query strategies go by, of shape (n_items, n_classes) or (n_items, 2).

        Where several classes may be right, or none, it is a coin that is as uncertain as the model:
        margin, entropy and least confidence all order by `unsure` then.
        """
        if self.unsure is None:
            return self.proba
        half = self.unsure / 2
        return np.column_stack([1.0 - half, half]).astype(np.float32)

    def __len__(self) -> int:
        """Number of items predicted for: items that were added since have no row."""
        return len(self.proba)

    def best(self, positions: NDArray[np.intp] | None = None) -> NDArray[np.intp]:
        """Column of the most probable class, for all items or the given positions."""
        rows = self.proba if positions is None else self.proba[positions]
        return np.asarray(rows.argmax(axis=1))

    def label(self, position: int) -> str:
        """Class that is suggested for one item."""
        return self.classes[int(self.proba[position].argmax())]

    def probabilities(self, position: int) -> NDArray[np.float32]:
        """Probability of each class for one item, of shape (n_classes,)."""
        rows = self.proba[position : position + 1]
        return (rows if self.calibration is None else self.calibration(rows))[0]

    def confidences(self, positions: NDArray[np.intp] | None = None) -> NDArray[np.float32]:
        """The same for all items or the given positions; scores if there are no probabilities."""
        rows = self.proba if positions is None else self.proba[positions]
        return confidences(rows, self.calibration)


def confidences(
    proba: NDArray[np.float32], calibration: Calibration | JoinedCalibration | None
) -> NDArray[np.float32]:
    """Return for each row the probability of the class that is suggested."""
    if calibration is None:
        return np.asarray(proba.max(axis=1))
    best = proba.argmax(axis=1)
    made = np.empty(len(best), dtype=np.float32)
    for start in range(0, len(best), _BLOCK):
        block = slice(start, start + _BLOCK)
        said = calibration(proba[block])
        made[block] = said[np.arange(len(said)), best[block]]
    return made
