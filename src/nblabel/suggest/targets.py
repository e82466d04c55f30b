"""Learning what is not one class: the head that a task's targets need, on the usual features."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import Normalizer, normalize

from ..errors import OptionError
from ..strategies import Rows
from ..tasks import Task
from .heads import LeastSquaresMultiLabel, LeastSquaresRating, chunks
from .linear import Scores
from .model import Snapshot, Suggester
from .multiview import default_suggester
from .pairs import PairSuggester
from .tokens import TokenSuggester


class TargetSuggester:
    """Features of another suggester, and an estimator for what the task asks.

    Parameters
    ----------
    base : ModelSuggester or MultiViewSuggester
        Makes the features.
    estimator : estimator
        Unfitted, with ``predict_proba(X)``, and ``unsure(proba)`` if its rows are no distribution
        over classes.
    classes : tuple of str
        Names of the columns of its probabilities.
    """

    def __init__(self, base: Any, estimator: Any, classes: tuple[str, ...]) -> None:
        self.base = base
        self.estimator = estimator
        self.classes = classes
        self._rows: Any = None

    @property
    def column(self) -> str | None:
        """Column of the source that holds the features, if one was named."""
        column: str | None = self.base.column
        return column

    def rows(self) -> Any:
        """Return what is learned from: features with rows of length one, one an item."""
        if self._rows is None:
            self._rows = normalize(self.base.features())
        return self._rows

    def embedding(self) -> NDArray[np.float32] | Rows | None:
        """Return dense features of the pool."""
        made: NDArray[np.float32] | Rows | None = self.base.embedding()
        return made

    def fit(self, snapshot: Snapshot) -> FittedTargets:
        """Fit on the labeled items."""
        rows = self.rows()
        estimator = clone(self.estimator).fit(rows[snapshot.positions], snapshot.targets)
        return FittedTargets(self, estimator)


class FittedTargets:
    """What `TargetSuggester` has learned."""

    def __init__(self, suggester: TargetSuggester, estimator: Any) -> None:
        self.estimator = estimator
        self.takes_items = getattr(suggester.base, "takes_items", True)
        self._classes = suggester.classes
        self._rows = suggester.rows()
        self._base = suggester.base

    @cached_property
    def model(self) -> Any:
        """From items, or rows of the user's own matrix, to what is predicted."""
        transformer = self._base.transformer
        steps: list[Any] = [("length", Normalizer()), ("estimator", self.estimator)]
        if transformer is not None:
            steps.insert(0, ("features", transformer))
        return Pipeline(steps)

    def predict(self) -> Scores:
        """Predict for every item of the pool."""
        n_items = self._rows.shape[0]
        parts = [self.estimator.predict_proba(self._rows[part]) for part in chunks(n_items)]
        proba = np.concatenate(parts).astype(np.float32, copy=False)
        # An estimator of the user's is one for several labels.
        unsure = getattr(self.estimator, "unsure", LeastSquaresMultiLabel.unsure)
        return Scores(self._classes, proba, True, unsure(proba))

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return nothing: what speaks for several labels at once cannot be marked."""
        return []


def suggester_for(
    task: Task,
    inputs: Any,
    modality: str | None,
    *,
    features: Any = None,
    estimator: Any = None,
    sides: tuple[NDArray[Any], NDArray[Any]] | None = None,
    singles: bool = False,
    **options: Any,
) -> Suggester | None:
    """Return what learns a task by default, None if nothing light does.

    Parameters
    ----------
    task : Task
    inputs, modality, features, estimator, **options
        As `default_suggester` takes them. The estimator of a task of several labels learns
        indicators, (n_labels, n_classes), and gives ``predict_proba`` of that shape; the model of
        spans, ratings and pairs is nblabel's own.
    sides : (ndarray, ndarray) of shape (n_pairs,), int
        Of pairs: which of the inputs stands first and second.
    singles : bool
        Of pairs: whether new data are single items.

    Raises
    ------
    OptionError
        If a model or features are given that cannot learn the task.
    """
    kind = task.target_type
    if kind == "multiclass":
        return default_suggester(
            inputs, modality, features=features, estimator=estimator, **options
        )
    if kind not in ("multilabel", "ordinal", "pairwise", "token"):
        return None
    if estimator is not None and kind != "multilabel":
        raise OptionError(
            f"model= cannot learn a {task.kind} yet: leave it out, or give suggester=, an object "
            "with fit(snapshot) and embedding()."
        )
    if kind == "token":
        if not isinstance(inputs, list):
            return None
        return TokenSuggester(inputs, tuple(task.spec()["classes"]))
    spec = task.spec()
    base = default_suggester(inputs, modality, features=features, **options)
    classes = tuple(spec["classes"])
    if kind == "pairwise":
        assert sides is not None, "pairs say which items they hold"
        return PairSuggester(base, *sides, classes, singles)
    if kind == "multilabel":
        return TargetSuggester(base, estimator or LeastSquaresMultiLabel(), classes)
    points, scales = spec["points"], spec["scales"] or [""]
    names = tuple(f"{scale} {point:g}".strip() for scale in scales for point in points)
    return TargetSuggester(base, LeastSquaresRating(points, len(scales)), names)
