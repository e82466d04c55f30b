"""The shapes that cross rooms: votes and predictions, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
        Probabilities, or, where `probabilistic` is false, scores squeezed into that shape: right
        for ordering, not to be shown as probabilities.
    probabilistic : bool
        Whether the estimator gives probabilities.
    unsure : ndarray of shape (n_items,), float32, or None
        From 0 to 1, where a row of `proba` is no distribution over classes, one of which is right.
    """

    version: int
    n_labels: int
    classes: tuple[str, ...]
    proba: NDArray[np.float32]
    probabilistic: bool = True
    unsure: NDArray[np.float32] | None = None

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
        """Most probable class of one item."""
        return self.classes[int(self.proba[position].argmax())]

    def confidence(self, position: int) -> float | None:
        """Probability of the most probable class, None if the model gives none."""
        return float(self.proba[position].max()) if self.probabilistic else None
