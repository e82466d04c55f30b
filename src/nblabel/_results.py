"""What a session gives back: the source with its labels, and what the newest model says.

All of it works on what it is given, so a session takes its lock only to hand that out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from ._opening import open_more
from .errors import DataError, NotFittedError, OptionError, shorten
from .estimate import mean_difference
from .labels import Labels
from .pairing import PairPool, n_sides, sides_of
from .pool import Pool, read_source
from .renderers import PairRenderer, Renderer
from .suggest import (
    Fitted,
    Scores,
    Suggester,
    as_items,
    as_rows,
    checked_matrix,
    embedding_column,
    learning_inputs,
    probabilities,
    score,
    value_at,
)
from .tables import Predictions, confidences
from .tasks import Ranking, Task, as_given, decode


def joined(labels: Labels, pool: Pool, task: Task, renderer: Renderer) -> pd.DataFrame:
    """Return the source of a pool with the labels joined to it."""
    table = labels.to_frame(pool, task)
    # Types that can say "not known": most items have no label.
    table = table.astype(
        {"flagged": "boolean", "audit": "boolean", "visible": "boolean"}
        | {"model_version": "Int64"}
    )
    places = [pool.position(item) for item in labels.labeled(machines=True) if item in pool]
    source = pool.frame
    if source is None:
        plain = renderer.modality == "text"
        values = list(pool.values) if plain else None
        source = pd.DataFrame({"item": values} if plain else {}, index=pool.index)
    # Joined by place: the index may have duplicates.
    table.index = pd.Index(sorted(places))
    taken = set(source.columns)
    table.columns = pd.Index([_free_name(name, taken) for name in table.columns])
    found = source.reset_index(drop=True).join(table)
    found.index = pool.index
    return found


def inputs_of(renderer: Renderer, values: Any, features: Any) -> Any:
    """Return what features are computed from: for a function of the user's the items, if
    nothing is known of their kind, or they are sounds."""
    inner = renderer.inner if isinstance(renderer, PairRenderer) else renderer
    if callable(features) and inner.modality in (None, "sound"):
        return as_items(values)
    return learning_inputs(inner, values)


@dataclass(frozen=True)
class Trained:
    """The newest model, with all that it takes to ask it.

    Attributes
    ----------
    pool : Pool
    task : Task
    renderer : Renderer
    suggester : Suggester or None
    features : object
        As they were given to the session.
    fitted : Fitted
    predictions : Predictions
    """

    pool: Pool
    task: Task
    renderer: Renderer
    suggester: Suggester | None
    features: Any
    fitted: Fitted
    predictions: Predictions

    @property
    def model(self) -> Any:
        """The fitted estimator."""
        return self.fitted.model

    def predict(self, data: Any) -> pd.DataFrame:
        """Predict for new data: see `Session.predict`."""
        rows, index = self._rows(data)
        if isinstance(self.pool, PairPool):
            return pd.DataFrame({"score": self._strengths(rows)}, index=index)
        if self.task.target_type != "multiclass":
            return self._table(self._values(rows), index)
        scores = replace(score(self.model, rows), calibration=self.predictions.calibration)
        return self._best(scores, index)

    def predict_values(self, data: Any) -> list[Any]:
        """Predict values of the task for new data: see `Session.predict_values`."""
        rows, _ = self._rows(data)
        if self.task.target_type != "multiclass":
            return [value for value, _ in self._values(rows)]
        scores = score(self.model, rows)
        return [scores.classes[k] for k in scores.proba.argmax(axis=1)]

    def scores(self) -> pd.DataFrame:
        """Return how strong each compared item is: see `Session.scores`."""
        strengths = getattr(self.fitted, "strengths", None)
        if strengths is None:
            raise NotFittedError("The model gives no scores: what learned is not of pairs.")
        table = pd.DataFrame(strengths, columns=["score", "low", "high", "n_labels"])
        table["n_labels"] = table["n_labels"].astype("int64")
        table["rank"] = table["score"].rank(ascending=False, method="first").astype("int64")
        if isinstance(self.pool, PairPool):
            # Items that were added since the newest training have none.
            index = self.pool.singles.index
            return table.reindex(range(len(index))).set_axis(index)
        items, _ = sides_of(self.pool, hasattr(self.features, "shape"))
        table.insert(0, "item", pd.Series(items[: len(table)], dtype=object))
        return table

    def _strengths(self, rows: Any) -> Any:
        model = self.model
        strengths = model[:-1].transform(rows) if len(model) > 1 else rows
        return model[-1].strength(strengths)

    def table_of_pool(self) -> pd.DataFrame:
        """Return label and probability by place in the pool; items added since have none."""
        predictions = self.predictions
        if self.task.target_type == "multiclass":
            table = self._best(predictions)
        else:
            places = range(len(predictions))
            table = self._table([value_at(self.task, self.fitted, predictions, k) for k in places])
        return table.reindex(range(len(self.pool)))

    def _best(
        self, scores: Scores | Predictions, index: pd.Index[Any] | None = None
    ) -> pd.DataFrame:
        best = scores.proba.argmax(axis=1)
        said = confidences(scores.proba, scores.calibration)
        confidence = said.astype(float) if scores.probabilistic else np.nan
        classes = [as_given(self.task, name) for name in scores.classes]
        labels = [classes[k] for k in best]
        return pd.DataFrame({"label": labels, "probability": confidence}, index=index)

    def _table(
        self, values: Sequence[tuple[Any, float]], index: pd.Index[Any] | None = None
    ) -> pd.DataFrame:
        nothing = dict.fromkeys(self.task.spec().get("columns", ()))
        rows = [
            {**(nothing if value is None else self.task.columns(value)), "probability": sure}
            for value, sure in values
        ]
        return pd.DataFrame(rows, index=index)

    def _values(self, rows: Any) -> list[tuple[Any, float]]:
        model = self.model
        if hasattr(model, "tag"):
            return [(self.task.parse(spans), sure) for spans, sure in model.tag(rows)]
        classes, calibration = self.predictions.classes, self.predictions.calibration
        scores = probabilities(model, rows, len(classes))
        said = repeat(None, len(scores)) if calibration is None else calibration(scores)
        return [decode(self.task, classes, *both) for both in zip(scores, said, strict=True)]

    def _rows(self, data: Any) -> tuple[Any, pd.Index[Any] | None]:
        """Return what the model takes of new data, and its index."""
        size = data.shape[0] if getattr(data, "shape", ()) else None
        if size == 0 or (size is None and hasattr(data, "__len__") and not len(data)):
            raise DataError(
                "There is nothing to predict: the data is empty. Give at least one item."
            )
        if getattr(self.fitted, "takes_items", True):
            pool = open_more(data, self.pool, self.renderer)
            values = pool.values
            if isinstance(self.renderer, PairRenderer) and not isinstance(self.pool, PairPool):
                values, _ = sides_of(pool, True)
            return inputs_of(self.renderer, values, self.features), pool.index
        index: pd.Index[Any] | None = None
        column = getattr(self.suggester, "column", None)
        if column is not None and hasattr(data, "columns"):
            frame, _ = read_source(data)
            data, index = embedding_column(frame, column), frame.index
        rows = as_rows(data, None, self.features)
        expected = (
            "The model learned from a matrix of features: predict takes such a matrix, one row per "
            "item"
        )
        if isinstance(data, pd.DataFrame):
            index = data.index
            words = [name for name, kind in data.dtypes.items() if not is_numeric_dtype(kind)]
            if words:
                raise OptionError(f"{expected}; these columns hold no numbers: {shorten(words)}.")
        elif index is None and not _is_matrix(rows):
            raise OptionError(f"{expected}, got {type(data).__name__}.")
        rows = checked_matrix(rows, rows.shape[0])
        if n_sides(self.task.target_type, self.pool) == 2:
            index = None
        for name in ("matrix", "inputs"):
            known = getattr(self.suggester, name, None)
            shape = getattr(known, "shape", (0, rows.shape[1]))
            if shape[1] != rows.shape[1]:
                raise OptionError(
                    f"The model learned from {shape[1]} features, this matrix has "
                    f"{rows.shape[1]}: give the same columns in the same order."
                )
        return rows, index


def standings(task: Ranking, values: Sequence[Any]) -> pd.DataFrame:
    """Return how far ahead each option stood in some rankings: see `Session.scores`."""
    if not values:
        raise NotFittedError("There are no scores yet: rank the options of some items first.")
    ranks = np.array([task.ranks(value) for value in values])
    # Of each item: how many of the others an option stands before, less those it stands behind.
    net = np.sign(ranks[:, None, :] - ranks[:, :, None]).sum(axis=2) / (ranks.shape[1] - 1)
    found = [mean_difference(column, "rankings") for column in net.T]
    table = pd.DataFrame(
        {
            "score": net.mean(axis=0),
            "low": [np.nan if one.low is None else one.low for one in found],
            "high": [np.nan if one.high is None else one.high for one in found],
            "n_labels": len(values),
        },
        index=pd.Index([task.values[name] for name in task.classes], name="option"),
    )
    table["rank"] = table["score"].rank(ascending=False, method="first").astype("int64")
    return table


def _free_name(name: str, taken: Collection[Any]) -> str:
    while name in taken:
        name += "_nblabel"
    return name


def _is_matrix(data: Any) -> bool:
    return hasattr(data, "shape") and len(data.shape) == 2 and not hasattr(data, "columns")
