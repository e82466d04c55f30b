"""Arrays from what is ours, whatever ``sklearn.set_config(transform_output=...)`` says."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from sklearn import config_context

P = ParamSpec("P")
R = TypeVar("R")


def as_arrays(method: Callable[P, R]) -> Callable[P, R]:
    """Let transformers of scikit-learn that are called inside give arrays, as they do by default.

    The setting is one of each thread: what is learned in a worker would else not be what is called
    in a cell.
    """

    @wraps(method)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        with config_context(transform_output="default"):
            return method(*args, **kwargs)

    return called
