"""How a session learns: it orders trainings, takes over what they find, and says what was found."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from ._core import Core, Suggestion
from ._learning import Order, Result, learn
from ._results import Trained, standings
from .errors import (
    Failure,
    LabelValueError,
    ModelOutputError,
    NotFittedError,
    OptionError,
    shorten,
)
from .events import DUPLICATE
from .suggest import Snapshot, checked_marks, value_at
from .tables import Predictions
from .tasks import Ranking

#: Time limit of a training before there is a measure: it may compute the features of a large pool.
FIRST_TIMEOUT = 600.0
#: And then: so many times the longest training so far, but no less than so many seconds.
TIMES_LONGER = 20
LEAST_TIMEOUT = 60.0
_TWO = "two answers must differ"
_CANCELLED = "training cancelled"


class Training(Core):
    """The part of a session that learns from labels and suggests labels."""

    #: What a column suggests, by place; None if none was named.
    _column: dict[int, Any] | None = None
    _ordered_version = 0
    _train_timeout: float | str | None
    _longest = 0.0  # training that made a model, in seconds

    # ------------------------------------------------------------ trainings

    def retrain(self, *, wait: bool = False, timeout: float | None = None) -> None:
        """Order a training from the labels as they are now.

        Parameters
        ----------
        wait : bool
            Return only when nothing is left to train.
        timeout : float, optional
            Seconds to wait at most.

        Raises
        ------
        TimeoutError
            If it took longer.
        """
        with self._lock:
            self._order_training()
        if wait and not self._trainer.wait(timeout):
            raise TimeoutError(f"The model was not trained within {timeout} seconds.")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no training runs or waits; return False if the time ran out."""
        return self._trainer.wait(timeout)

    def cancel(self) -> bool:
        """Stop the training that runs; return whether one did.

        A worker process is ended at once. In a thread the result is dropped; a training that does
        not end within some seconds is left behind. The next training is ordered by the next
        labels, or by `retrain`.
        """
        with self._lock:
            stopped = self._trainer.stop()
            if stopped:
                self.aim = _CANCELLED
                if self._failed:  # it was of the training before this one
                    self.last_error = None
            return stopped

    def rest(self) -> None:
        """End the worker process when it has nothing to do; a later training starts a new one."""
        self._trainer.rest()

    def _order_training(self) -> None:
        self._changes = 0
        if self.aim == _CANCELLED:
            self.aim = ""
        self._ordered_version += 1
        labeled = {k: value for k, value in self._labeled.items() if not self._is_twin(k)}
        snapshot = Snapshot(
            np.fromiter(labeled, dtype=np.intp, count=len(labeled)),
            self.task.targets(list(labeled.values())),
            self._ordered_version,
            self.random_state,
        )
        order = Order(
            snapshot,
            tuple(labeled.values()),
            np.flatnonzero(self._open),
            self.batch,
            len(self.pool),
        )
        self._trainer.submit(
            partial(learn, self._suggester, self.strategy, order),
            self._install,
            self._training_failed,
            timeout=self._time_limit(),
        )

    def _is_twin(self, place: int) -> bool:
        """Whether an item has its label from a copy: to learn it again would make a model sure of
        itself, which is tried on labels that it was not shown."""
        said = self._labels.current(self.pool.ids[place])
        return said is not None and said.shown.strategy == DUPLICATE

    def _time_limit(self) -> float | None:
        if self._train_timeout != "auto":
            return None if self._train_timeout is None else float(self._train_timeout)
        if self._longest == 0:
            return FIRST_TIMEOUT
        return max(LEAST_TIMEOUT, TIMES_LONGER * self._longest)

    def _install(self, result: Result) -> None:
        with self._lock:
            if result.predictions is not None:
                try:
                    self._check_classes(result.predictions.classes)
                except ModelOutputError as error:
                    self._training_failed(error)
                    return
                self._longest = max(self._longest, result.seconds)
                # Models are counted, not trainings: what was ranked without one has no number.
                number = 1 if self._predictions is None else self._predictions.version + 1
                self._predictions = replace(result.predictions, version=number)
                self._fitted = result.fitted
                self._trained_on = result.positions
                self._stability.see(self._predictions)
            self._queue.rank(result.ranking)
            self.doing = result.doing
            self.aim = result.aim
            if result.failed is not None:
                self._fail("The items could not be ranked", result.failed, "unranked")
            elif self.last_error and self._failed:
                self.last_error = None
            if self._changes >= self.batch or result.partial:
                self._order_training()

    def _check_classes(self, classes: Sequence[str]) -> None:
        """Refuse what a model predicts if the task has no such label."""
        if self.task.target_type != "multiclass":
            return  # what stands there is decoded by the task itself
        unknown = []
        for name in classes:
            try:
                self.task.parse(name)
            except LabelValueError:
                unknown.append(name)
        if unknown:
            raise ModelOutputError(
                f"the model predicts {shorten(unknown)}, which are no labels of this task "
                f"({shorten(self.task.spec().get('classes', []), 8)}): its classes_ must be the "
                "labels that it was fitted on, as text"
            )

    def _fell_back(self, reason: str) -> None:
        text = (
            f"The model trains in a thread of the kernel, and a cell may stutter meanwhile: it "
            f"cannot be sent to a process ({reason}). worker='thread' says that this is meant."
        )
        with self._lock:
            self.warning = f"{self.warning} {text}".strip()
        warnings.warn(text, stacklevel=2)

    def _training_failed(self, error: BaseException) -> None:
        with self._lock:
            self._fail("The model could not be trained", Failure.of(error), "failed")

    def _fail(
        self, what: str, failure: Failure, training: Literal["", "failed", "unranked"] = ""
    ) -> None:
        first = self.last_error is None
        self.last_error = failure.told(what)
        self._failed = training
        if first:
            warnings.warn(
                f"{what}: {failure.said}. Labeling goes on; the traceback is in "
                "session.last_error.",
                stacklevel=2,
            )

    # ------------------------------------------------------------ what the model says

    @property
    def has_model(self) -> bool:
        """Whether there is anything that learns."""
        return self._suggester is not None

    @property
    def has_suggestions(self) -> bool:
        """Whether anything is ever suggested: by what learns, or from a column."""
        return self.has_model or self._column is not None

    def suggestion(self, item: str) -> Suggestion | None:
        """Return what the newest model suggests for an item, or the column that was named."""
        with self._lock:
            predictions = self._predictions
            position = self.pool.position(item)
            if self._column is not None:
                known = self._column.get(position)
                return None if known is None else Suggestion(known, None, [], 0)
            if predictions is None or position >= len(predictions):
                return None
            sure = predictions.probabilistic
            row, said = predictions.proba[position], predictions.probabilities(position)
            # A tagger's row says how sure it is, not of what.
            order: Any = [] if self._tagger is not None else np.argsort(-row, kind="stable")
            ranking = [(predictions.classes[k], float(said[k]) if sure else None) for k in order]
            label, probability = self._value(predictions, position)
            if label is None:
                return None
            return Suggestion(label, probability if sure else None, ranking, predictions.version)

    def marks(self, item: str, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label."""
        fitted, predictions, position = self._fitted, self._predictions, self.pool.position(item)
        if fitted is None or predictions is None or position >= len(predictions):
            return []
        try:
            return checked_marks(fitted.marks(position, label))
        except BaseException as error:
            self._fail("The marks failed", Failure.of(error))
            return []

    @property
    def _tagger(self) -> Any:
        return getattr(self._fitted, "tagger", None)

    def _value(self, predictions: Predictions, position: int) -> tuple[Any, float]:
        """Return what a model says of an item, as a value of the task, and its probability."""
        return value_at(self.task, self._fitted, predictions, position)

    @property
    def model(self) -> Any:
        """The fitted scikit-learn estimator, ready for new data."""
        return self._trained().model

    def predict(self, data: Any) -> pd.DataFrame:
        """Predict labels for new data of the same form.

        Parameters
        ----------
        data : DataFrame, Series, list or array
            Read as the data of the session was; for a model on a matrix of features such a matrix,
            or data with the embedding column that was named.

        Returns
        -------
        DataFrame
            The columns of the task (``label`` for one class) and ``probability`` of the label (NaN
            if the model gives none), indexed like `data`. Of single items that are compared in
            pairs their ``score``, on the scale of `scores`.
        """
        return self._trained().predict(data)

    def predict_values(self, data: Any) -> list[Any]:
        """Predict labels for new data as values of the task, as they stand in the log."""
        return self._trained().predict_values(data)

    @property
    def predictions(self) -> pd.DataFrame:
        """Label and probability for every item of the pool, by the newest model.

        Items that were added since it was trained have none.
        """
        with self._lock:
            trained, labeled, index = self._trained(), ~self._open, self.pool.index
        return trained.table_of_pool().assign(labeled=labeled).set_axis(index)

    @property
    def scores(self) -> pd.DataFrame:
        """How strong what is compared is: of pairs each item, of rankings each option.

        One row per item, indexed like the source where it holds single items; where it holds pairs,
        per different item of them, in their order, with a column ``item``.

        ``score`` is in logits: an item with 1 more is preferred with odds of e, about 2.7 to 1; the
        mean of all is 0. ``low`` and ``high`` are the ends of a 95 % credible interval of the
        model, which takes strengths as linear in the features plus a part of each item's own.
        ``n_labels`` says how often it was compared, ``rank`` begins with 1, the best.

        Of rankings no model is asked. ``score`` is from -1 to 1: the share of the other options
        that one stood before, less the share it stood behind, as a mean over the labeled items;
        ``low`` and ``high`` are the ends of its 95 % interval, from 20 labels on.

        Raises
        ------
        OptionError
            If the task asks neither for pairs nor for rankings.
        NotFittedError
            Before there is a model, of rankings before there is a label.
        """
        if isinstance(self.task, Ranking):
            with self._lock:
                values = list(self._labels.labeled().values())
            return standings(self.task, values)
        if self.task.target_type != "pairwise":
            raise OptionError(f"scores are of Pairs and Ranking; a {self.task.kind} has none.")
        return self._trained().scores()

    def _no_model(self) -> str:
        suggester, model, _ = self._given
        if self._suggester is None:
            if isinstance(suggester, str):
                return f"There is no model: suggestions are those of the column {suggester!r}."
            if model is False:
                return "There is no model: it was switched off by model=False."
            features = "features= (a function, a matrix or an embedding column) or "
            return (
                f"There is no model: nothing built in learns a {self.task.kind} of these items. "
                f"Give {features if self._given[2] is None else ''}suggester=."
            )
        failed = self.last_error if self._failed else None
        if failed:
            return f"There is no model: the last training failed: {failed.splitlines()[0]}"
        needs = {
            "multiclass": "label items of at least two classes",
            "pairwise": "say of two pairs which is better",
        }
        return f"There is no model yet: {needs.get(self.task.target_type, _TWO)}."

    def _trained(self) -> Trained:
        """Return the newest model as it is now, to be read without the lock."""
        with self._lock:
            if self._fitted is None or self._predictions is None:
                raise NotFittedError(self._no_model())
            return Trained(
                self.pool, self.task, self.renderer, self._suggester, self._given[2],
                self._fitted, self._predictions,
            )  # fmt: skip
