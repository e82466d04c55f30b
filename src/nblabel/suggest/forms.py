"""Learning a form: each part by itself, on the same features."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..strategies import Rows
from ..strategies.uncertainty import margins
from ..tables import JoinedCalibration
from .linear import Scores
from .model import Fitted, Snapshot, Suggester
from .rows import FeatureRows, near_rows

#: Between the name of a part and that of a class.
SEPARATOR = ": "


class FormSuggester:
    """A suggester for each part of a form that a light model can learn.

    An item is as unsure as its parts are on average, since it is the whole form that is filled in.

    Parameters
    ----------
    base : ModelSuggester or MultiViewSuggester
        Makes the features, once for all parts.
    parts : mapping of str to Task
        By their names, in the order of the form.
    learner : callable
        From a part and its own copy of `base` to its suggester, None if there is none.
    """

    def __init__(
        self,
        base: Any,
        parts: Mapping[str, Any],
        learner: Callable[[Any, Any], Suggester | None],
    ) -> None:
        self.base = base
        self.parts = dict(parts)
        self._learner = learner
        self._suggesters: dict[str, Suggester] | None = None
        self._n_items = 0

    @property
    def column(self) -> str | None:
        """Column of the source that holds the features, if one was named."""
        column: str | None = self.base.column
        return column

    def suggesters(self) -> dict[str, Suggester]:
        """Return the suggester of each part that has one, by its name."""
        if self._suggesters is None:
            self._n_items = len(FeatureRows(self.base))  # made by now, and kept by the copies
            made = {
                name: self._learner(part, copy.copy(self.base)) for name, part in self.parts.items()
            }
            self._suggesters = {name: one for name, one in made.items() if one is not None}
        return self._suggesters

    def embedding(self) -> NDArray[np.float32] | Rows | None:
        """Return dense features of the pool."""
        made: NDArray[np.float32] | Rows | None = self.base.embedding()
        return made

    def near_rows(self) -> tuple[Any, float]:
        """Return what tells near duplicates, as what makes the features knows it."""
        return near_rows(self.base)

    def fit(self, snapshot: Snapshot) -> FittedForm:
        """Fit each part on the items where it was asked, once two answers differ."""
        fitted = {}
        for name, suggester in self.suggesters().items():
            asked = [k for k, value in enumerate(snapshot.targets) if name in value]
            values = [snapshot.targets[k][name] for k in asked]
            if len({json.dumps(value, sort_keys=True) for value in values}) < 2:
                continue
            targets = self.parts[name].targets(values)
            places = snapshot.positions[asked]
            fitted[name] = suggester.fit(Snapshot(places, targets, snapshot.version, snapshot.seed))
        return FittedForm(fitted, self.base.takes_items, self._n_items)


class FittedForm:
    """What `FormSuggester` has learned."""

    def __init__(self, parts: Mapping[str, Fitted], takes_items: bool, n_items: int) -> None:
        self.parts = dict(parts)
        self.takes_items = takes_items
        self._n_items = n_items

    @property
    def model(self) -> FormModel:
        """The models of the parts that have one."""
        return FormModel({name: part.model for name, part in self.parts.items()})

    def predict(self) -> Scores:
        """Predict for every item of the pool; the columns of each part begin with its name."""
        scores = {name: part.predict() for name, part in self.parts.items()}
        if not scores:  # nothing can be said yet
            ones = np.ones((self._n_items, 1), dtype=np.float32)
            return Scores(("",), ones, True, ones[:, 0])
        classes = tuple(
            f"{name}{SEPARATOR}{label}" for name, part in scores.items() for label in part.classes
        )
        unsure = [
            1.0 - margins(part.proba) if part.unsure is None else part.unsure
            for part in scores.values()
        ]
        return Scores(
            classes,
            np.hstack([part.proba for part in scores.values()]),
            True,
            np.mean(unsure, axis=0, dtype=np.float32),
            _joined(scores.values()),
        )

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return nothing: what speaks for a form cannot be marked."""
        return []


class FormModel:
    """The models of a form.

    Attributes
    ----------
    parts : dict of str to estimator
        By the names of the parts.
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        self.parts = parts

    def predict_proba(self, rows: Any) -> NDArray[np.float32]:
        """Return the probabilities of all parts side by side, of shape (n_rows, n_columns)."""
        made = [model.predict_proba(rows) for model in self.parts.values()]
        return np.hstack(made) if made else np.ones((len(rows), 1), dtype=np.float32)


def _joined(scores: Collection[Scores]) -> JoinedCalibration | None:
    """Return the calibration of all parts, None where each has probabilities."""
    if all(part.calibration is None for part in scores):
        return None
    return JoinedCalibration(tuple((len(part.classes), part.calibration) for part in scores))
