"""What the models of a user get to see of the pool, so that they cannot change it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def shielded(method: Callable[..., Any], inputs: Any, *others: Any) -> Any:
    """Call a method of the user's with the inputs of the pool, which stay as they are.

    Arrays come read-only, without a copy. A method that writes to them, or that needs arrays that
    it could write to, gets a copy of its own. Lists and tables are always copied.

    Parameters
    ----------
    method : callable
    inputs : array, CSR matrix, DataFrame or list
    *others
        Further arguments.
    """
    locked = _locked(inputs)
    if locked is None:
        return method(_copied(inputs), *others)
    try:
        return method(locked, *others)
    except ValueError as error:
        if "read-only" not in str(error) and "read only" not in str(error):
            raise
    return method(_copied(inputs), *others)


def _locked(inputs: Any) -> Any:
    """Return a read-only view, None of what has none."""
    if isinstance(inputs, np.ndarray) and inputs.dtype != object:
        view = inputs.view()
        view.flags.writeable = False
        return view
    if sparse.issparse(inputs) and inputs.format == "csr":
        view = copy(inputs)
        view.data, view.indices, view.indptr = map(
            _locked, (inputs.data, inputs.indices, inputs.indptr)
        )
        return view
    return None


def _copied(inputs: Any) -> Any:
    if isinstance(inputs, list):
        return [_copied(part) if isinstance(part, np.ndarray) else part for part in inputs]
    if isinstance(inputs, (np.ndarray, pd.DataFrame, pd.Series)) or sparse.issparse(inputs):
        return inputs.copy()
    return inputs
