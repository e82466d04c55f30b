"""One training: fit, predict, rank. Pure: a frozen order goes in, a result comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._queue import Draw
from .strategies import Auto, Context, QueryStrategy, pick
from .suggest import Fitted, Snapshot, Suggester
from .tables import Predictions

#: How many items of a ranking are kept.
MOST_RANKED = 1000


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
    seed : int
    """

    snapshot: Snapshot
    values: tuple[Any, ...]
    candidates: NDArray[np.intp]
    batch: int
    seed: int


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
    ranking : list of Draw
        What to ask, the best first.
    doing : str
        Name of the strategy that ranked, for the status line.
    """

    predictions: Predictions | None
    fitted: Fitted | None
    positions: frozenset[int]
    ranking: list[Draw]
    doing: str


def learn(suggester: Suggester | None, strategy: QueryStrategy, order: Order) -> Result:
    """Carry out one order."""
    predictions = fitted = None
    if suggester is not None and len({str(value) for value in order.values}) >= 2:
        fitted = suggester.fit(order.snapshot)
        scores = fitted.predict()
        predictions = Predictions(
            order.snapshot.version,
            len(order.values),
            scores.classes,
            scores.proba,
            scores.probabilistic,
        )
    ranking, doing = rank(suggester, strategy, order, predictions)
    learned = frozenset(order.snapshot.positions.tolist())
    return Result(predictions, fitted, learned, ranking, doing)


def rank(
    suggester: Suggester | None,
    strategy: QueryStrategy,
    order: Order,
    predictions: Predictions | None,
) -> tuple[list[Draw], str]:
    """Rank the candidates; return the best of them and the name of what ranked them."""
    candidates = order.candidates
    if not len(candidates):
        return [], ""
    wants_features = "features" in strategy.requires or isinstance(strategy, Auto)
    features = suggester.embedding() if suggester is not None and wants_features else None
    context = Context(
        candidates=candidates,
        classes=() if predictions is None else predictions.classes,
        features=features,
        labeled=order.snapshot.positions,
        labels=order.values,
        batch=order.batch,
        seed=order.seed + order.snapshot.version,
        pool_proba=None if predictions is None else predictions.proba,
    )
    if isinstance(strategy, Auto):
        strategy = strategy.choose(context)
    if "proba" in strategy.requires and predictions is None:
        return [], "at random until there are two labels"
    if "features" in strategy.requires and features is None:
        raise ValueError(f"strategy {strategy.name!r} requires features, but there are none")
    utilities = np.asarray(strategy.utilities(context))
    if utilities.shape != (len(candidates),):
        raise ValueError(
            f"strategy {strategy.name!r} gave utilities of shape {utilities.shape}, "
            f"expected ({len(candidates)},)"
        )
    best = pick(utilities, MOST_RANKED, context.rng())
    best = best[utilities[best] > -np.inf]
    places, found = candidates[best].tolist(), utilities[best].tolist()
    ranking = [
        Draw(place, strategy.name, strategy.reason(float(utility)))
        for place, utility in zip(places, found, strict=True)
    ]
    return ranking, strategy.name
