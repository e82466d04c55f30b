"""Learning what is not one class: the head that a task's targets need, on the usual features."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from ..errors import OptionError
from ..strategies import Rows
from ..tasks import Task
from .forms import FormSuggester
from .fresh import fresh
from .heads import LeastSquaresMultiLabel, LeastSquaresRating, chunks
from .linear import Scores
from .matrices import as_matrix
from .model import Snapshot, Suggester, checked_estimator, starts_from_items, takes_sparse
from .multiview import default_suggester
from .pairs import PairSuggester
from .rows import FeatureRows, near_rows
from .tokens import TokenSuggester

#: What takes rows in blocks.
OURS = (LeastSquaresMultiLabel, LeastSquaresRating)


class TargetSuggester:
    """Features of another suggester, and an estimator for what the task asks.

    Where there are several representations, that one is taken whose estimator predicts the labels
    best that it is not shown.

    Parameters
    ----------
    base : ModelSuggester or MultiViewSuggester
        Makes the features.
    estimator : estimator
        Unfitted, with ``predict_proba(X)``; ``unsure(proba)`` if its rows are no distribution over
        classes; and, where representations are to be chosen from, ``loss_``.
    classes : tuple of str
        Names of the columns of its probabilities.
    """

    def __init__(self, base: Any, estimator: Any, classes: tuple[str, ...]) -> None:
        self.rows = FeatureRows(base)
        self.estimator = estimator
        self.classes = classes

    @property
    def column(self) -> str | None:
        """Column of the source that holds the features, if one was named."""
        return self.rows.column

    def embedding(self) -> NDArray[np.float32] | Rows | None:
        """Return dense features of the pool."""
        made: NDArray[np.float32] | Rows | None = self.rows.base.embedding()
        return made

    def near_rows(self) -> tuple[Any, float]:
        """Return what tells near duplicates, as what makes the features knows it."""
        return near_rows(self.rows.base)

    def fit(self, snapshot: Snapshot) -> FittedTargets:
        """Fit on the labeled items."""

        ours = isinstance(self.estimator, OURS)
        targets = snapshot.targets
        if not ours and targets.shape[1] == 1:
            targets = targets.ravel()  # to have it or not

        def make(labeled: Any) -> Any:
            estimator = fresh(self.estimator, snapshot.seed)
            return estimator.fit(_for(self.estimator, labeled), targets)

        estimator, number = self.rows.fit(snapshot.positions, make, ours)
        return FittedTargets(self, estimator, number)


class FittedTargets:
    """What `TargetSuggester` has learned."""

    def __init__(self, suggester: TargetSuggester, estimator: Any, number: int) -> None:
        self.estimator = estimator
        self.takes_items = suggester.rows.takes_items
        self._classes = suggester.classes
        self._rows = suggester.rows.whole(number)
        self._steps = suggester.rows.steps(number)

    @cached_property
    def model(self) -> Any:
        """From items, or rows of the user's own matrix, to what is predicted."""
        return Pipeline([*self._steps, ("estimator", self.estimator)])

    def predict(self) -> Scores:
        """Predict for every item of the pool."""
        n_items = self._rows.shape[0]
        parts = [
            probabilities(
                self.estimator, _for(self.estimator, self._rows[part]), len(self._classes)
            )
            for part in chunks(n_items)
        ]
        proba = np.concatenate(parts).astype(np.float32, copy=False)
        # An estimator of the user's is one for several labels.
        unsure = getattr(self.estimator, "unsure", LeastSquaresMultiLabel.unsure)
        return Scores(self._classes, proba, True, unsure(proba))

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return nothing: what speaks for several labels at once cannot be marked."""
        return []


def _for_several(estimator: Any) -> Any:
    """Return an estimator of the user's that learns several labels: each by itself, if need be."""
    checked_estimator(estimator)
    if starts_from_items(estimator):
        raise OptionError(
            "model= of several labels learns from rows of features: give the classifier alone, and "
            "what makes rows of the items as features=."
        )
    if not hasattr(estimator, "predict_proba"):
        raise OptionError(
            "model= of several labels must have predict_proba, "
            f"{type(estimator).__name__} has none: CalibratedClassifierCV gives it one."
        )
    tags = get_tags(estimator)
    able = tags.classifier_tags.multi_label or tags.target_tags.multi_output
    if able or isinstance(estimator, (OneVsRestClassifier, ClassifierChain)):
        return estimator
    return OneVsRestClassifier(estimator)


def probabilities(estimator: Any, rows: Any, n_classes: int) -> NDArray[Any]:
    """Return the probability of each class, of shape (n_rows, n_classes), whichever form it has."""
    proba, classes = estimator.predict_proba(rows), getattr(estimator, "classes_", ())
    if n_classes == 1 and len(classes) and not isinstance(proba, list):
        proba, classes = [proba], [classes]
    if not isinstance(proba, list):
        return np.asarray(proba)
    # Of each class that of its absence and of its presence, as far as both were seen.
    columns = [
        part[:, list(known).index(1)] if 1 in known else np.zeros(len(part))
        for part, known in zip(proba, classes, strict=True)
    ]
    return np.column_stack(columns)


def _for(estimator: Any, rows: Any) -> Any:
    """Return rows as an estimator takes them: one of the user's wants a matrix."""
    return rows if isinstance(estimator, OURS) else as_matrix(rows)


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
        indicators, (n_labels, n_classes); one that cannot is fitted for each label by itself. The
        model of spans, ratings and pairs is nblabel's own.
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
    if kind not in ("multilabel", "ordinal", "ranking", "pairwise", "token", "form"):
        return None
    if estimator is not None and kind != "multilabel":
        raise OptionError(
            f"model= cannot learn a {task.kind} yet: leave it out, or give suggester=, an object "
            "with fit(snapshot) and embedding()."
        )
    parts: dict[str, Task] = getattr(task, "parts", {})
    if kind == "form" and not any(part.target_type in _ON_FEATURES for part in parts.values()):
        return None
    if kind == "token":
        if modality != "text" or not isinstance(inputs, list):
            return None
        return TokenSuggester(inputs, tuple(task.spec()["classes"]))
    # A model of the user's gets given features as they are; one that wants no sparse rows gets
    # default features of its own.
    as_they_are = estimator is not None and (features is not None or not takes_sparse(estimator))
    own = estimator if as_they_are else None
    base = default_suggester(inputs, modality, features=features, estimator=own, **options)
    if kind == "pairwise":
        assert sides is not None, "pairs say which items they hold"
        return PairSuggester(base, *sides, tuple(task.spec()["classes"]), singles)
    if kind == "form":
        return FormSuggester(base, parts, _on_features)
    return _on_features(task, base, estimator)


#: What is learned from features alone.
_ON_FEATURES = ("multiclass", "multilabel", "ordinal", "ranking")


def _on_features(task: Task, base: Any, estimator: Any = None) -> Suggester | None:
    """Return what learns a task on the features of a suggester of classes, None if nothing does."""
    spec = task.spec()
    if task.target_type == "multiclass":
        made: Suggester = base
        return made
    if task.target_type == "multilabel":
        head = LeastSquaresMultiLabel() if estimator is None else _for_several(estimator)
        return TargetSuggester(base, head, tuple(spec["classes"]))
    if task.target_type == "ranking":  # each pair of options is learned by itself
        pairs: Any = getattr(task, "pairs", None)
        return None if pairs is None else TargetSuggester(base, LeastSquaresMultiLabel(), pairs)
    if task.target_type != "ordinal":
        return None
    points, scales = spec["points"], spec["scales"] or [""]
    names = tuple(f"{scale} {point:g}".strip() for scale in scales for point in points)
    return TargetSuggester(base, LeastSquaresRating(points, len(scales)), names)
