"""Active learning against known labels: how courses show it and how we measure it."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from ._progress import Cancelled
from .curves import LearningCurve
from .errors import DataError, Failure, OptionError, TrainingError, brief, plain
from .pairing import PairPool
from .pool import Pool, pick_columns
from .session import Session
from .strategies import Find
from .suggest import order_of
from .tasks.pairs import FIRST, SECOND, TIE

#: What has no order, or is one thing.
_NO_LABELS = (str, bytes, Set)
#: What is the end of a curve: no model, or none that says what to ask.
_FAILED = ("failed", "unranked")
#: Of single items that are compared so many pairs, at random, are scored on.
MOST_PAIRS = 2000


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
        The label of every item: a column of the source, a Series on its index (one that only counts
        is in its order), or in its order. Of single items that are compared in pairs a number for
        each: the larger is preferred.
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
        those of naming the commonest label so far. With ``goal="find"`` there is ``found``, too:
        how many of the labels are the one that is looked for (without ``target=`` the rarest
        of the known ones). It draws itself: ``.plot()``.

    Raises
    ------
    TrainingError
        If a training fails, or what is held out cannot be predicted: what follows would be the
        curve of an older model, or of none. Before there is a model a training may fail, since
        some need several labels of each class.
    """
    session = getattr(session, "session", session)  # a Labeler brings its own
    if not isinstance(session, Session):
        raise OptionError(
            f"simulate takes a Session or a Labeler, got {type(session).__name__}: write "
            "nl.simulate(nl.Session(data, labels), truth, budget)."
        )
    budget = checked_budget(budget)
    sought = sought_by(session, truth)
    rows = list(steps(session, truth, budget, test=test, sought=sought))
    return LearningCurve(rows, columns=[*numbers_of(session, sought), "strategy", "doing"])


def checked_budget(budget: Any) -> int:
    """Return how many labels to give."""
    if not isinstance(budget, Integral) or isinstance(budget, bool) or budget < 1:
        raise OptionError(f"budget= is a number of labels from 1, got {budget!r}.")
    return int(budget)


def numbers_of(session: Session, sought: str | None) -> list[str]:
    """Return the names of the numbers in each row of a session's curve."""
    found = [] if sought is None else ["found"]
    quality = "macro_f1" if session.task.target_type == "multiclass" else "agreement"
    return ["n_labels", *found, "accuracy", quality]


def sought_by(session: Session, truth: Any) -> str | None:
    """Return the label that a session looks for, the rarest of the known ones if it names none."""
    if not isinstance(session.strategy, Find):
        return None
    if session.strategy.target is not None:
        return session.strategy.target
    values = _truth_of(truth, session.pool)
    counts = Counter(str(session.task.parse(value)) for value in values)
    return min(counts, key=counts.__getitem__)


def steps(
    session: Session,
    truth: Any,
    budget: int,
    *,
    test: tuple[Any, Any] | None = None,
    sought: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Do what `simulate` does and yield each row when it is there.

    Parameters
    ----------
    sought : str, optional
        A label: each row says how many of the session's labels are it.

    Raises
    ------
    TrainingError
    """
    known = _known(session, truth, test)
    session.wait()
    given: list[Any] = []
    while len(given) < budget:
        asked = session.next(min(session.batch, budget - len(given)))
        if not asked:
            break
        for one in asked:
            given.append(known.label(one.id))
            session.record(one, given[-1])
        session.wait()
        if session.status()["learned"] < session.status()["labeled"]:
            session.retrain(wait=True)  # else it has done so by itself
        status = session.status()
        if status["training"] in _FAILED and (status["version"] or not session.has_model):
            raise _failure(status["labeled"], status["error"])
        try:
            predicted = _predicted(session, known, given)
        except (OptionError, DataError, Cancelled):
            raise  # about the data that are held out, or nobody waits for it
        except Exception as error:
            what = Failure.of(error).told("The items could not be predicted")
            raise _failure(status["labeled"], what) from None
        yield {
            "n_labels": status["labeled"],
            **({} if sought is None else {"found": status["counts"].get(sought, 0)}),
            **_scores(session, known.scored, predicted),
            "strategy": session.strategy.name,
            "doing": session.doing,
        }
    if (status := session.status())["training"] in _FAILED:
        raise _failure(status["labeled"], status["error"])


def _failure(n_labels: int, what: str) -> TrainingError:
    return TrainingError(f"After {n_labels} labels: {what}")


def _scores(session: Session, truth: list[Any], predicted: list[Any]) -> dict[str, float]:
    if session.task.target_type == "multiclass":
        return {
            "accuracy": float(accuracy_score(truth, predicted)),
            "macro_f1": float(f1_score(truth, predicted, average="macro", zero_division=0)),
        }
    agree = session.task.agree
    shares = np.array([agree(one, other) for one, other in zip(truth, predicted, strict=True)])
    return {"accuracy": float((shares == 1.0).mean()), "agreement": float(shares.mean())}


@dataclass(frozen=True)
class _Known:
    """Known labels: of any item, and of those that are scored on, with what is predicted there."""

    label: Callable[[str], Any]
    scored: list[Any]
    predict: Callable[[], list[Any]]


def _known(session: Session, truth: Any, test: tuple[Any, Any] | None) -> _Known:
    pool, task = session.pool, session.task
    if isinstance(pool, PairPool):
        return _known_pairs(session, pool, truth, test)
    values = _truth_of(truth, pool)
    _check_not_learned_from(session, truth, values)
    answers = {item: task.parse(value) for item, value in zip(pool.ids, values, strict=True)}
    if test is None:
        suggested = lambda: [_suggested(session, item) for item in pool.ids]  # noqa: E731
        return _Known(answers.__getitem__, list(answers.values()), suggested)
    data, held = checked_test(test, pairs=task.target_type == "pairwise")
    labels = [task.parse(label) for label in held]
    return _Known(answers.__getitem__, labels, lambda: session.predict_values(data))


def _check_not_learned_from(session: Session, truth: Any, values: NDArray[Any]) -> None:
    """Refuse a truth that is among the columns that the model sees: it would look perfect.

    What is given as ``features=`` or a pipeline may leave it out: then it is only said.
    """
    columns, sees_all = session.learned_columns
    name = truth if isinstance(truth, str) else None
    for other, column in columns.items():
        # Of one column by name only: texts may be their own labels.
        is_same = session.renderer.modality == "row" and all(map(_same, column.array, values))
        if other != name and not is_same:
            continue
        others = [left for left in columns if left != other]
        advice = f"Show the other columns only: row={brief(others)}." if others else ""
        if sees_all:
            raise OptionError(
                f"truth= is the column {other!r}, and the model learns from it. "
                f"{advice or 'Show what it is to learn from.'}"
            )
        warnings.warn(
            f"truth= is the column {other!r}, which features= or model= gets to see. If it is not "
            f"left out there, the model learns the answers. {advice}",
            stacklevel=2,
        )


def _same(one: Any, other: Any) -> bool:
    return plain(one) == plain(other)


def _known_pairs(
    session: Session, pool: PairPool, truth: Any, test: tuple[Any, Any] | None
) -> _Known:
    singles = pool.singles
    values = _numbers(_truth_of(truth, singles))
    _check_not_learned_from(session, truth, values)
    if TIE not in session.task.spec()["classes"] and len(np.unique(values)) < len(values):
        raise OptionError(
            "truth= has the same number for several items, and the task has no tie: say "
            "Pairs(ties=True), or give a different number to each."
        )
    rng = np.random.default_rng((session.random_state, 5))
    turned = {FIRST: SECOND, SECOND: FIRST}

    def label(item: str) -> str:
        place = pool.position(item)
        return _preferred(values, pool.first[[place]], pool.second[[place]])[0]

    if test is None:
        some = np.sort(rng.choice(len(pool), min(MOST_PAIRS, len(pool)), replace=False))
        # Either way round: where the items come sorted the answers would all be the same.
        turn = rng.random(len(some)) < 0.5
        left = np.where(turn, pool.second[some], pool.first[some])
        right = np.where(turn, pool.first[some], pool.second[some])
        scored = _preferred(values, left, right)

        def suggested() -> list[Any]:
            made = [_suggested(session, pool.ids[place]) for place in some]
            return [turned.get(s, s) if t else s for s, t in zip(made, turn, strict=True)]

        return _Known(label, scored, suggested)
    data, held_labels = checked_test(test)
    held = _numbers(held_labels, "test=")
    if len(np.unique(held)) < 2:
        raise OptionError(
            "test= of items that are compared in pairs needs two items of different numbers, got "
            f"{brief(held.tolist())}."
        )
    first, second = (rng.integers(0, len(held), MOST_PAIRS) for _ in range(2))
    apart = first != second
    if TIE not in session.task.spec()["classes"]:
        apart = held[first] != held[second]
    first, second = first[apart], second[apart]

    def predicted() -> list[str]:
        return _preferred(session.predict(data)["score"].to_numpy(), first, second)

    return _Known(label, _preferred(held, first, second), predicted)


def _preferred(values: NDArray[Any], first: NDArray[Any], second: NDArray[Any]) -> list[str]:
    left, right = values[first], values[second]
    better = (left > right).astype(int) - (left < right)  # a difference of infinities is no number
    return np.array([TIE, FIRST, SECOND])[better].tolist()


def _numbers(values: NDArray[Any], option: str = "truth=") -> NDArray[np.float64]:
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        raise OptionError(
            f"{option} of items that are compared in pairs is a number for each, the larger the "
            f"better, got {values[0]!r:.60}."
        ) from None


def _suggested(session: Session, item: str) -> Any:
    suggestion = session.suggestion(item)
    return None if suggestion is None else suggestion.label


def _predicted(session: Session, known: _Known, given: list[Any]) -> list[Any]:
    from_column = session.has_suggestions and not session.has_model
    if session.status()["version"] == 0 and not from_column:
        counts = Counter(json.dumps(value, sort_keys=True) for value in given)
        return [json.loads(counts.most_common(1)[0][0])] * len(known.scored)
    return known.predict()


def _truth_of(truth: Any, pool: Pool) -> NDArray[Any]:
    return labels_of(truth, pool.frame, pool.own_index, len(pool))


def checked_test(test: Any, *, pairs: bool = False) -> tuple[Any, NDArray[Any]]:
    """Return the data that is held out, and its labels in the same order.

    Parameters
    ----------
    test : (data, labels)
    pairs : bool
        Whether a matrix may have two rows for each label.

    Raises
    ------
    OptionError
        If it is no such pair.
    """
    if not isinstance(test, (tuple, list)) or len(test) != 2 or test[1] is None:
        raise OptionError(f"test= is (data, labels) of items that are held out, got {brief(test)}.")
    data, labels = test
    if isinstance(labels, str) and isinstance(data, pd.DataFrame):
        labels = pick_columns(data, labels)
    listed = isinstance(labels, Iterable) and not isinstance(labels, _NO_LABELS)
    if not listed or not hasattr(data, "__len__"):
        raise OptionError(f"test= is data and a list of its labels, got {brief(test)}.")
    if isinstance(labels, pd.Series) and isinstance(data, (pd.DataFrame, pd.Series)):
        order = order_of(labels.index, data.index, "test=")
        labels = labels if order is None else labels.iloc[order]
    made = _column(labels)
    n_items = np.shape(data)[:1] if hasattr(data, "shape") else (len(data),)
    if made.ndim != 1 or n_items not in ((len(made),), (2 * len(made),) if pairs else ()):
        raise OptionError(
            f"test= needs one label per item: the data has {n_items[0]}, the labels are of the "
            f"shape {made.shape}."
        )
    return data, made


def labels_of(
    truth: Any, frame: pd.DataFrame | None, index: pd.Index[Any] | None, n_items: int
) -> NDArray[Any]:
    """Return the known labels in the order of the items.

    Parameters
    ----------
    truth : str, Series, mapping or array-like
    frame : DataFrame or None
        The source, if it has columns.
    index : Index or None
        Of the source, if it has one.
    n_items : int

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
        truth = [truth.get(key) for key in (range(n_items) if index is None else index)]
    elif isinstance(truth, pd.Series):
        order = order_of(truth.index, index, "truth=")
        truth = truth.to_numpy() if order is None else truth.to_numpy()[order]
    if not isinstance(truth, Iterable) or isinstance(truth, _NO_LABELS):
        raise OptionError(
            "truth= is a column, a Series, a mapping or a list with the label of every item, got "
            f"{brief(truth)}."
        )
    values = _column(truth)
    if values.shape != (n_items,):
        raise OptionError(
            f"truth= needs one label per item, ({n_items},), got the shape {values.shape}."
        )
    gaps = np.flatnonzero(pd.isna(values))
    if len(gaps):
        first = gaps[0] if index is None else index[gaps[0]]
        first = first.item() if isinstance(first, np.generic) else first
        raise OptionError(
            f"truth= has no label for {len(gaps)} item(s), the first being {first!r}."
        )
    return values


def _column(truth: Any) -> NDArray[Any]:
    """Return labels as an array of objects: of lists of equal length numpy would make a table."""
    truth = list(truth) if isinstance(truth, Iterator) else truth
    listed = None if isinstance(truth, np.ndarray) else list(truth)
    if listed is None or not any(isinstance(value, (list, tuple, Mapping)) for value in listed):
        return np.asarray(truth, dtype=object)
    return np.fromiter(listed, dtype=object, count=len(listed))
