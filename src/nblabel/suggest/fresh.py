"""Unfitted copies of what a user gave, that draw under the session's seed."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone


def fresh(part: Any, seed: int) -> Any:
    """Return an unfitted copy of an estimator or transformer, with a seed wherever it has none.

    Also in the steps of a pipeline and in what a meta-estimator holds: one that is not seeded
    would give other labels each time.

    Parameters
    ----------
    part : estimator
    seed : int
    """
    made = clone(part)
    unseeded = {
        name: seed
        for name, value in made.get_params(deep=True).items()
        if value is None and name.rpartition("__")[2] == "random_state"
    }
    return made.set_params(**unseeded) if unseeded else made
