"""Unfitted copies of what a user gave, that draw under the session's seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone


def fresh(part: Any, seed: int) -> Any:
    """Return an unfitted copy of an estimator or transformer, with a seed wherever it has none.

    Also in the steps of a pipeline, in what a meta-estimator holds or tries, and in how it splits:
    what is not seeded would give other labels each time.

    Parameters
    ----------
    part : estimator
    seed : int
    """
    made = clone(part)
    _give_seed(made, seed)
    return made


def _give_seed(part: Any, seed: int) -> None:
    if isinstance(part, type):
        return
    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, (list, tuple)):
        for one in part:
            _give_seed(one, seed)
        return
    if getattr(part, "random_state", seed) is None:
        part.random_state = seed
    if hasattr(part, "get_params"):
        for one in part.get_params(deep=False).values():
            _give_seed(one, seed)
