"""Features of items in two parts, each of them principal components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from .arrays import as_arrays
from .bulk import by_chunks, sample, take

#: Principal components of each part.
COMPONENTS = 64
#: They are found from so many items.
MOST_DECOMPOSED = 10_000
#: Items that are looked at together.
_CHUNK = 256


class PartedFeatures(TransformerMixin, BaseEstimator):
    """Items as principal components of two parts, side by side.

    A kind of items says what its parts are. Where nothing is known of an item it is like the mean.

    Attributes
    ----------
    lengths : (float, float)
        Mean lengths of the rows of each part.
    n_first_ : int
        Columns of the first part.
    """

    lengths = (1.0, 1.0)

    @as_arrays
    def fit(self, items: Any, y: Any = None) -> PartedFeatures:
        """Learn the components."""
        self._prepare(items)
        return self._learned(self._read(take(items, sample(len(items), 0, MOST_DECOMPOSED))))

    @as_arrays
    def fit_transform(self, items: Any, y: Any = None, **params: Any) -> NDArray[np.float32]:
        """Learn the components of items that are read only once, and return their rows."""
        self._prepare(items)
        parts = self._read(items)
        drawn = sample(len(items), 0, MOST_DECOMPOSED)
        return self._learned([part[drawn] for part in parts])._rows(parts)

    @as_arrays
    def transform(self, items: Any) -> NDArray[np.float32]:
        """Return float32 of shape (n_items, n_components), the first part first."""
        return self._rows(self._read(items))

    def _prepare(self, items: Any) -> None:
        """Learn what the parts need to know of the items as a whole."""

    def _parts(self, items: Any) -> Sequence[NDArray[np.float32]]:
        """Return both parts of some items, (n_items, n_columns): NaN where nothing is known."""
        raise NotImplementedError

    def _read(self, items: Any) -> list[NDArray[np.float32]]:
        made = by_chunks(self._parts, items, _CHUNK)
        return [np.concatenate(part) for part in zip(*made, strict=True)]

    def _learned(self, parts: list[NDArray[np.float32]]) -> PartedFeatures:
        with np.errstate(invalid="ignore"):  # the variance of items that are all alike
            self.reducers_ = [
                make_pipeline(
                    SimpleImputer(keep_empty_features=True),
                    PCA(min(COMPONENTS, *part.shape), random_state=0),
                ).fit(part)
                for part in parts
            ]
        pairs = zip(self.reducers_, parts, strict=True)
        made = [reducer.transform(part) for reducer, part in pairs]
        usual = [float(np.sqrt(np.square(rows).sum(axis=1).mean())) for rows in made]
        self.scales_ = np.array(self.lengths) / np.maximum(usual, 1e-12)
        self.n_first_ = made[0].shape[1]
        return self

    def _rows(self, parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        made = []
        for reducer, part, scale in zip(self.reducers_, parts, self.scales_, strict=True):
            rows = np.float32(reducer.transform(part) * scale)
            rows[np.isnan(part[:, 0])] = 0.0  # not nearly: items without a direction are not alike
            made.append(rows)
        return np.hstack(made)
