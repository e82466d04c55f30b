"""Query strategies: which item teaches the model most."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from ..errors import OptionError, near
from .base import (
    Context,
    QueryStrategy,
    Random,
    Rows,
    checked_utilities,
    pick,
    probabilities_of,
)
from .coverage import Badge, FacilityLocation, TransductiveDesign
from .diversity import ClusterMargin, TypicalClusters
from .mixed import Auto, Find, Switching
from .uncertainty import Committee, Entropy, LeastConfidence, Margin

__all__ = [
    "BUILT_IN",
    "Auto",
    "Badge",
    "ClusterMargin",
    "Committee",
    "Context",
    "Entropy",
    "FacilityLocation",
    "Find",
    "LeastConfidence",
    "Margin",
    "QueryStrategy",
    "Random",
    "Rows",
    "Switching",
    "TransductiveDesign",
    "TypicalClusters",
    "as_strategy",
    "checked_utilities",
    "pick",
    "probabilities_of",
]

BUILT_IN: dict[str, type[Any]] = {
    part.name: part
    for part in (
        Auto,
        Random,
        LeastConfidence,
        Margin,
        Entropy,
        Committee,
        TypicalClusters,
        ClusterMargin,
        FacilityLocation,
        TransductiveDesign,
        Badge,
        Find,
    )
}


_FUNCTIONS = " A function that makes one of the items is for compare, in a mapping that names it."


def as_strategy(strategy: Any) -> QueryStrategy:
    """Return a strategy: itself, or the built-in of that name.

    Raises
    ------
    OptionError
        If there is none of that name, or the object cannot be one.
    """
    if isinstance(strategy, str):
        if strategy not in BUILT_IN:
            raise OptionError(f"There is no strategy {strategy!r}. {near(strategy, BUILT_IN)}")
        return BUILT_IN[strategy]()
    if isinstance(strategy, type):
        raise OptionError(f"strategy= takes an object: write {strategy.__name__}().")
    if not isinstance(strategy, QueryStrategy):
        raise OptionError(
            f"strategy= takes a name ({', '.join(BUILT_IN)}) or an object with name, requires, "
            f"utilities(context) and reason(utility), got {type(strategy).__name__}."
            + _FUNCTIONS
            * callable(strategy)
        )
    if not isinstance(strategy.requires, Set):
        raise OptionError(
            f"requires of strategy {strategy.name!r} must be a set, such as {{'proba'}} or set(), "
            f"got {strategy.requires!r}."
        )
    unknown = set(strategy.requires) - {"proba", "features", "committee"}
    if unknown:
        raise OptionError(
            f"Strategy {strategy.name!r} requires {sorted(unknown)}; "
            "there are 'proba', 'features' and 'committee'."
        )
    return strategy
