"""The default, and the search for a rare class: strategies that change with what is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import Context, QueryStrategy, Random
from .coverage import TransductiveDesign
from .uncertainty import Margin, margins

#: Labels of a class that a model can be expected to learn something from.
_PER_CLASS = 5
#: Candidates that show how sure a model is on the whole.
_ENOUGH = 1000


class Switching(ABC):
    """A strategy that leaves the ranking to another where that fits better."""

    @abstractmethod
    def choose(self, context: Context) -> QueryStrategy:
        """Return the strategy that fits the situation: perhaps itself."""


class Auto(Switching):
    """Switches by what is known so far, and names what it is doing.

    Items that tell most about the pool until there are `start` labels and a model; then items that
    tell most about those the model is unsure of. A model that has seen several labels of a class
    and is still sure of hardly anything is no guide: labels are noise, or beyond what it can
    express, and what covers the pool teaches more (as with few labels: Hacohen, Dekel, Weinshall,
    ICML 2022). Without features it goes by margin alone, without a model at random.

    Parameters
    ----------
    start : int
        Labels after which the model decides.
    sure : float
        Mean difference of the two largest probabilities, 0 to 1, that the model must come to once
        there are five labels to a class.
    """

    name = "auto"
    aim = ""
    requires: frozenset[str] = frozenset()

    def __init__(self, start: int = 20, sure: float = 0.3) -> None:
        self.start = start
        self.sure = sure

    def choose(self, context: Context) -> QueryStrategy:
        """Return the strategy that fits the situation."""
        if context.features is None:
            return Margin() if context.has_proba else Random()
        n_labels, n_classes = len(context.labeled), len(context.classes)
        if not context.has_proba or n_labels < self.start:
            return TransductiveDesign(weighted=False)
        # Without classes probabilities only order: see `Predictions.sureness`.
        had_its_chance = n_classes > 0 and n_labels >= _PER_CLASS * n_classes
        if had_its_chance and _mean_margin(context) < self.sure:
            exploring = TransductiveDesign(weighted=False)
            exploring.aim = "exploring: the model is sure of little"
            return exploring
        return TransductiveDesign()

    def utilities(self, context: Context) -> NDArray[np.floating[Any]]:
        """Return the utilities of the strategy that fits the situation."""
        return self.choose(context).utilities(context)

    def reason(self, utility: float) -> str:
        """Say why; the session asks the chosen strategy instead."""
        return "chosen by the default strategy"


def _mean_margin(context: Context) -> float:
    """Return the mean difference of the two largest probabilities, of some candidates."""
    places = slice(None, None, max(1, len(context.candidates) // _ENOUGH))
    if context.pool_proba is not None:
        return float(margins(context.pool_proba[context.candidates[places]]).mean())
    assert context.proba is not None, "has_proba"
    return float(margins(context.proba[places]).mean())


class Find(Switching):
    """The items most likely to be of one class: for finding it, not for learning.

    Greedy search, as in active search (Garnett et al., ICML 2012, with a horizon of one) and
    certainty sampling of rare classes (Attenberg and Provost, KDD 2010). Until the class was seen
    it explores: rare items are often a kind of their own, and what covers the pool comes to each
    kind sooner than random draws do. Without features it goes at random until then.

    Parameters
    ----------
    target : label, optional
        The class; by default whichever has the fewest labels of those that the model knows, which
        may be another one with each training.
    called : str, optional
        What the status line calls it; by default its name.
    """

    name = "find"
    requires = frozenset({"proba"})

    def __init__(self, target: Any = None, called: str | None = None) -> None:
        self.target = None if target is None else str(target)
        self.called = called or self.target
        self.aim = f"looking for {self.called or 'the rarest label'}"
        self.reason_by_order = "among those that the model puts first"

    def choose(self, context: Context) -> QueryStrategy:
        """Return what looks for the class once the model knows it."""
        sought = self._sought(context)
        if sought is not None:
            return self if self.target is not None else Find(sought)
        exploring = Random() if context.features is None else TransductiveDesign(weighted=False)
        exploring.aim = f"exploring until {self.called or 'a second label'} is learned"
        return exploring

    def utilities(self, context: Context) -> NDArray[np.floating[Any]]:
        """Return the probability of the class."""
        sought = self._sought(context)
        if sought is None:
            return self.choose(context).utilities(context)
        assert context.proba is not None, "has_proba"
        return context.proba[:, context.classes.index(sought)]

    def reason(self, utility: float) -> str:
        """Say why."""
        if utility < 0.5:
            return f"among the likeliest that are left (by the model {utility:.2f})"
        return f"likely to be what is looked for (by the model {utility:.2f})"

    def _sought(self, context: Context) -> str | None:
        """Return the class that is looked for, None as long as the model does not know it."""
        if not (context.has_proba and context.classes):
            return None
        if self.target is None:
            counts = Counter(str(label) for label in context.labels)
            return min(context.classes, key=lambda name: counts[name])
        return self.target if self.target in context.classes else None
