"""One training: fit, predict, rank. Pure: a frozen order goes in, a result comes out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ._packing import Lazy
from ._progress import Cancelled, within
from ._queue import Draw
from ._threads import MOST_ITEMS, MOST_LABELS, one_thread
from .errors import Failure, ModelOutputError, shorten
from .strategies import (
    Auto,
    Context,
    QueryStrategy,
    Random,
    Rows,
    Switching,
    checked_utilities,
    pick,
    probabilities_of,
)
from .suggest import Fitted, Scores, Snapshot, Suggester, checked_scores
from .tables import Predictions

#: How many items of a ranking are kept, more where a batch is large: who answers while a training
#: runs is asked from the last one.
LEAST_RANKED = 500
#: Candidates that a committee is asked about, at random where there are more.
MOST_VOTED = 10_000


@dataclass(frozen=True)
class Order:
    """What a training is to work on, frozen when it is ordered.

    Attributes
    ----------
    snapshot : Snapshot
    values : tuple
        The labels as the task has them, one per labeled item.
    candidates : ndarray of int
        Places of the items that may be asked.
    batch : int
    n_items : int or None
        Size of the pool, which predictions are held against.
    """

    snapshot: Snapshot
    values: tuple[Any, ...]
    candidates: NDArray[np.intp]
    batch: int
    n_items: int | None = None


@dataclass(frozen=True)
class Result:
    """What a training found.

    Attributes
    ----------
    predictions : Predictions or None
        None as long as there are not two classes.
    fitted : Fitted or None
    positions : frozenset of int
        Places of the items learned from.
    ranking : Ranking
        What to ask, the best first.
    doing : str
        Name of the strategy that ranked.
    aim : str
        What it is after, for the status line.
    partial : bool
        Whether only a part of a large pool was looked at, so that the same is to be ordered again.
    seconds : float
        How long it took.
    failed : Failure or None
        Why nothing was ranked: what was learned holds without it.
    """

    predictions: Predictions | None = None
    fitted: Fitted | None = None
    positions: frozenset[int] = frozenset()
    ranking: Ranking = field(default_factory=lambda: Ranking())
    doing: str = ""
    aim: str = ""
    partial: bool = False
    seconds: float = 0.0
    failed: Failure | None = None

    def __getstate__(self) -> dict[str, Any]:
        # On the way to another process the fitted model stays packed until it is asked for.
        fitted = None if self.fitted is None else Away(self.fitted)
        return {**self.__dict__, "fitted": fitted}


@dataclass(frozen=True, eq=False)
class Ranking(Sequence[Draw]):
    """The draws of one strategy, each made when it is looked at.

    Hundreds of objects with every training take a while to make, and would sooner or later have
    Python's collector walk through all there is in the kernel, and hold up its main thread.

    Attributes
    ----------
    positions : ndarray of shape (n_draws,), int
        Places in the pool, the best first.
    strategy : str
    reasons : list of str
    probabilities : ndarray of shape (n_draws,), float, or None
        Of each draw given those before it; NaN where chance had no say.
    """

    positions: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    strategy: str = ""
    reasons: Sequence[str] = ()
    probabilities: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.reasons)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[k] for k in range(*place.indices(len(self)))]
        probability = None
        if self.probabilities is not None and not np.isnan(self.probabilities[place]):
            probability = float(self.probabilities[place])
        return Draw(
            int(self.positions[place]), self.strategy, self.reasons[place], probability=probability
        )


class Away:
    """What was fitted in another process: unpacked when the model itself is asked for.

    Parameters
    ----------
    fitted : Fitted
        If it has a `marker`, an object with ``marks(position, label)``, that one comes at once; and
        so do a `tagger`, with ``value(position)``, where a label is made item by item, and the
        `strengths` of what is compared in pairs.
    """

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = Lazy(fitted)
        self._marker = getattr(fitted, "marker", None)
        self.tagger = getattr(fitted, "tagger", None)
        self.strengths = getattr(fitted, "strengths", None)
        self.takes_items = getattr(fitted, "takes_items", True)

    @property
    def model(self) -> Any:
        """The fitted estimator."""
        return self._fitted.get().model

    def predict(self) -> Scores:
        """Predict for every item of the pool."""
        return self._fitted.get().predict()

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label."""
        marker = self._marker if self._marker is not None else self._fitted.get()
        return marker.marks(position, label)

    def unpack(self) -> None:
        """Unpack it now, before what it lies in goes."""
        self._fitted.get()


def learn(suggester: Suggester | None, strategy: QueryStrategy, order: Order) -> Result:
    """Carry out one order.

    What the parts of the user get to see they cannot change: arrays are read-only.

    Raises
    ------
    ModelOutputError
        If what the model says makes no sense.
    """
    n_labels = len(order.values)
    few = n_labels <= MOST_LABELS and n_labels + len(order.candidates) <= MOST_ITEMS
    # OpenBLAS raises "invalid" at times for lanes that belong to no number (sgemv of five rows, on
    # AVX-512): what comes out is held against NaN and infinity instead.
    with (
        one_thread.when(few and getattr(suggester, "is_light", False)),
        np.errstate(invalid="ignore"),
    ):
        return _learned(suggester, strategy, order)


def _learned(suggester: Suggester | None, strategy: QueryStrategy, order: Order) -> Result:
    began = time.monotonic()
    for array in (order.snapshot.positions, order.candidates):
        array.flags.writeable = False
    predictions = fitted = None
    if suggester is not None and getattr(suggester, "is_enough", _differ)(order.values):
        fitted = suggester.fit(order.snapshot)
        scores = checked_scores(fitted.predict(), order.n_items, type(fitted).__name__)
        predictions = Predictions(
            order.snapshot.version,
            len(order.values),
            scores.classes,
            scores.proba,
            scores.probabilistic,
            scores.unsure,
            scores.calibration,
        )
    elif (glimpsed := _glimpse(suggester, strategy, order)) is not None:
        return glimpsed
    result = rank(suggester, strategy, order, predictions, fitted)
    learned = frozenset(order.snapshot.positions.tolist())
    return replace(
        result, predictions=predictions, fitted=fitted, positions=learned,
        seconds=time.monotonic() - began,
    )  # fmt: skip


def _differ(values: Sequence[Any]) -> bool:
    return len(set(map(str, values))) >= 2


class Embeds(Protocol):
    """What a ranking needs of a suggester."""

    def embedding(self) -> NDArray[np.float32] | Rows | None:
        """Return dense features of the pool, None if there are none."""


def rank(
    suggester: Embeds | None,
    strategy: QueryStrategy,
    order: Order,
    predictions: Predictions | None,
    fitted: Fitted | None = None,
) -> Result:
    """Rank the candidates; nothing is learned yet.

    Where the strategy fails they are asked at random.
    """
    candidates = order.candidates
    if not len(candidates):
        return Result()
    seed = order.snapshot.own_seed
    if "committee" in strategy.requires and len(candidates) > MOST_VOTED:
        rng = np.random.default_rng((seed, 4))
        candidates = np.sort(rng.choice(candidates, MOST_VOTED, replace=False))
    wanted = suggester is not None and _wants_features(strategy)
    features = suggester.embedding() if suggester is not None and wanted else None
    context = Context(
        candidates=candidates,
        classes=()
        if predictions is None or predictions.unsure is not None
        else predictions.classes,
        features=features,
        labeled=order.snapshot.positions,
        labels=order.values,
        batch=order.batch,
        seed=seed,
        pool_proba=None if predictions is None else predictions.sureness,
        probabilistic=predictions is None
        or (predictions.probabilistic and predictions.calibration is None),
    )
    try:
        return _ranked(strategy, context, fitted)
    except Cancelled:
        raise
    except Exception as error:  # what was learned is not lost with it
        aim = f"asking at random: strategy {strategy.name!r} failed"
        return Result(doing="random", aim=aim, failed=Failure.of(error))


def _ranked(strategy: QueryStrategy, context: Context, fitted: Fitted | None) -> Result:
    candidates = context.candidates
    ranker = getattr(fitted, "ranker", None) if isinstance(strategy, Auto) else None
    if ranker is not None:  # what was fitted knows better
        strategy = ranker()
    elif isinstance(strategy, Switching):
        strategy = strategy.choose(context)
    if type(strategy) is Random:  # the queue draws from what is left at each time
        return Result(doing=strategy.name, aim=strategy.aim)
    if strategy.requires & {"proba", "committee"} and not context.has_proba:
        return Result(doing="random", aim="at random until there is a model")
    if "committee" in strategy.requires:
        context = replace(context, committee=_committee(strategy, fitted, candidates))
    if "features" in strategy.requires and context.features is None:
        raise ValueError(f"strategy {strategy.name!r} requires features, but there are none")
    utilities = checked_utilities(strategy, strategy.utilities(context), len(candidates))
    best = pick(utilities, max(LEAST_RANKED, 2 * context.batch), context.rng())
    best = best[utilities[best] > -np.inf]
    by_order = None if context.probabilistic else getattr(strategy, "reason_by_order", None)
    if by_order is not None:
        reasons = [by_order] * len(best)
    else:
        reasons = list(map(strategy.reason, utilities[best].astype(np.float64).tolist()))
    if not all(issubclass(kind, str) for kind in set(map(type, reasons))):
        raise ModelOutputError(
            f"strategy {strategy.name!r} gave a reason that is no text: {shorten(reasons, 1)}"
        )
    probabilities = probabilities_of(strategy, context, best)
    ranking = Ranking(candidates[best], strategy.name, reasons, probabilities)
    aim = getattr(strategy, "aim", "") or f"strategy {strategy.name}"
    return Result(ranking=ranking, doing=strategy.name, aim=aim)


def _committee(
    strategy: QueryStrategy, fitted: Fitted | None, candidates: NDArray[np.intp]
) -> NDArray[np.float32]:
    committee = getattr(fitted, "committee", None)
    if committee is None:
        raise ValueError(
            f"strategy {strategy.name!r} requires a committee of models, but the suggester has none"
        )
    return np.asarray(committee(candidates))


def _wants_features(strategy: QueryStrategy) -> bool:
    return "features" in strategy.requires or isinstance(strategy, Switching)


@dataclass(frozen=True)
class _Glimpse:
    """A few items of a large pool as if they were all."""

    features: NDArray[np.float32]

    def embedding(self) -> NDArray[np.float32]:
        return self.features


def _glimpse(suggester: Suggester | None, strategy: QueryStrategy, order: Order) -> Result | None:
    """Rank some items of a pool whose features are not computed yet; None if they are."""
    look = getattr(suggester, "glimpse", None)
    if look is None or not _wants_features(strategy):
        return None
    with within(0.0, 0.0):  # of all it is next to nothing
        seen = look()
    if seen is None:
        return None
    places, features = seen
    positions = order.snapshot.positions
    inside = np.isin(positions, places)
    small = replace(
        order,
        snapshot=replace(
            order.snapshot, positions=np.searchsorted(places, positions[inside]), targets=None
        ),
        values=tuple(value for value, here in zip(order.values, inside, strict=True) if here),
        candidates=np.flatnonzero(np.isin(places, order.candidates)),
    )
    result = rank(_Glimpse(features), strategy, small, None)
    ranking = replace(
        result.ranking,
        positions=places[result.ranking.positions],
        probabilities=None,  # they would be those among the few
    )
    return replace(result, ranking=ranking, partial=True)
