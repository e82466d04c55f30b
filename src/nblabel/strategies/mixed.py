"""The default: start with typical items, go on with unsure and diverse ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Context, QueryStrategy, Random
from .diversity import ClusterMargin, TypicalClusters
from .uncertainty import Margin


class Auto:
    """Switches by what is known so far, and names what it is doing.

    Typical items of unseen clusters until there are `start` labels and a model; then small margins,
    diverse within a batch. Without features it goes by margin alone, without a model at random.

    Parameters
    ----------
    start : int
        Labels after which the model decides.
    """

    name = "auto"
    requires: frozenset[str] = frozenset()

    def __init__(self, start: int = 20) -> None:
        self.start = start

    def choose(self, context: Context) -> QueryStrategy:
        """Return the strategy that fits the situation."""
        if context.features is not None and (
            not context.has_proba or len(context.labeled) < self.start
        ):
            return TypicalClusters()
        if not context.has_proba:
            return Random()
        return Margin() if context.features is None else ClusterMargin()

    def utilities(self, context: Context) -> NDArray[np.floating[Any]]:
        """Return the utilities of the strategy that fits the situation."""
        return self.choose(context).utilities(context)

    def reason(self, utility: float) -> str:
        """Say why; the session asks the chosen strategy instead."""
        return "chosen by the default strategy"
