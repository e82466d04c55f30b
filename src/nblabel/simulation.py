"""Active learning against known labels: how courses show it and how we measure it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from .curves import LearningCurve
from .errors import OptionError
from .pool import pick_columns
from .session import Session

#: Of a task of one class, and of any other.
COLUMNS = ["n_labels", "accuracy", "macro_f1", "strategy", "doing"]
COLUMNS_OF_OTHERS = ["n_labels", "accuracy", "agreement", "strategy", "doing"]


def simulate(
    session: Session,
    truth: Any,
    budget: int,
    *,
    test: tuple[Any, Any] | None = None,
) -> LearningCurve:
    """Let known labels answer, and follow what the model learns.

    Parameters
    ----------
    session : Session
        Labels in batches of ``session.batch``. Its log keeps what was answered.
    truth : str, Series, mapping or array-like of shape (n_items,)
        The label of every item: a column of the source, a Series on its index, or in its order.
    budget : int
        Number of labels to give.
    test : (data, labels), optional
        Held-out items to score on, read as the session's data was. Without it the scores are over
        the whole pool, including the items that were labeled.

    Returns
    -------
    LearningCurve
        A DataFrame with a row after each batch: ``n_labels``, ``accuracy``, ``macro_f1``,
        ``strategy``, ``doing`` (the strategy that chose the next batch). Of a task that is not one
        class the accuracy is the share that is right as a whole, and ``agreement`` (the task's own,
        on average) stands in the place of ``macro_f1``. Before there is a model the scores are
        those of naming the commonest label so far. It draws itself: ``.plot()``.
    """
    session = getattr(session, "session", session)  # a Labeler brings its own
    if not isinstance(session, Session):
        raise OptionError(
            f"simulate takes a Session or a Labeler, got {type(session).__name__}: write "
            "nl.simulate(nl.Session(data, labels), truth, budget)."
        )
    if not isinstance(budget, int) or budget < 1:
        raise OptionError(f"budget= is a number of labels from 1, got {budget!r}.")
    columns = COLUMNS if session.task.target_type == "multiclass" else COLUMNS_OF_OTHERS
    return LearningCurve(list(steps(session, truth, budget, test=test)), columns=columns)


def steps(
    session: Session, truth: Any, budget: int, *, test: tuple[Any, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Do what `simulate` does and yield each row when it is there."""
    answers = _truth(session, truth)
    scored = (
        list(answers.values()) if test is None else [session.task.parse(label) for label in test[1]]
    )
    session.wait()
    given: list[Any] = []
    while len(given) < budget:
        asked = session.next(min(session.batch, budget - len(given)))
        if not asked:
            break
        for one in asked:
            session.record(one, answers[one.id])
            given.append(answers[one.id])
        session.retrain(wait=True)
        yield {
            "n_labels": session.status()["labeled"],
            **_scores(session, scored, _predicted(session, test, given, len(scored))),
            "strategy": session.strategy.name,
            "doing": session.doing,
        }


def _scores(session: Session, truth: list[Any], predicted: list[Any]) -> dict[str, float]:
    if session.task.target_type == "multiclass":
        return {
            "accuracy": float(accuracy_score(truth, predicted)),
            "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
        }
    agree = session.task.agree
    shares = np.array([agree(one, other) for one, other in zip(truth, predicted, strict=True)])
    return {"accuracy": float((shares == 1.0).mean()), "agreement": float(shares.mean())}


def _predicted(
    session: Session, test: tuple[Any, Any] | None, given: list[Any], n: int
) -> list[Any]:
    if session.status()["version"] == 0:
        counts = Counter(json.dumps(value, sort_keys=True) for value in given)
        return [json.loads(counts.most_common(1)[0][0])] * n
    if test is not None:
        return session.predict_values(test[0])
    found = map(session.suggestion, session.pool.ids)
    return [None if suggestion is None else suggestion.label for suggestion in found]


def _truth(session: Session, truth: Any) -> dict[str, Any]:
    pool = session.pool
    values = labels_of(truth, pool.frame, pool.index)
    return {item: session.task.parse(value) for item, value in zip(pool.ids, values, strict=True)}


def labels_of(truth: Any, frame: pd.DataFrame | None, index: pd.Index[Any]) -> NDArray[Any]:
    """Return the known labels in the order of the items.

    Returns
    -------
    ndarray of shape (n_items,), object

    Raises
    ------
    OptionError, UnknownColumnError
        If there is not one label for every item.
    """
    if isinstance(truth, str):
        if frame is None:
            raise OptionError(f"truth={truth!r} names a column, but the data has no columns.")
        truth = pick_columns(frame, truth).to_numpy()
    elif isinstance(truth, Mapping):
        truth = [truth.get(key) for key in index]
    elif isinstance(truth, pd.Series) and not truth.index.equals(index) and truth.index.is_unique:
        truth = truth.reindex(index).to_numpy()
    values = _column(truth)
    if values.shape != (len(index),):
        raise OptionError(
            f"truth= needs one label per item, ({len(index)},), got the shape {values.shape}."
        )
    gaps = np.flatnonzero(pd.isna(values))
    if len(gaps):
        raise OptionError(
            f"truth= has no label for {len(gaps)} item(s), the first being {index[gaps[0]]!r}."
        )
    return values


def _column(truth: Any) -> NDArray[Any]:
    """Return labels as an array of objects: of lists of equal length numpy would make a table."""
    listed = None if isinstance(truth, np.ndarray) else list(truth)
    if listed is None or not any(isinstance(value, (list, tuple, Mapping)) for value in listed):
        return np.asarray(truth, dtype=object)
    return np.fromiter(listed, dtype=object, count=len(listed))
