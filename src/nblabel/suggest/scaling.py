"""Scaling that rows which come later cannot break."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler


class BoundedScaler(StandardScaler):
    """Numbers scaled, and no further from the mean than any of those it was fitted on can be.

    None of n numbers is further from their mean than sqrt(n - 1) standard deviations (Samuelson,
    Journal of the American Statistical Association, 1968). Rows that come later know no such bound,
    above all where a column was constant before, and would drown all other columns.
    """

    def transform(self, X: Any, copy: bool | None = None) -> NDArray[np.floating[Any]]:
        """Return numbers of shape (n_rows, n_columns)."""
        bound = float(np.sqrt(np.max(self.n_samples_seen_)))
        made = np.asarray(super().transform(X, copy=copy))
        return np.clip(made, -bound, bound, out=made)
