"""Which rows stand for the items: of labels to learn from, and of near duplicates."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import FunctionTransformer

from .views import scale_of, scaled

#: Below this many labels their opinion on the representations is noise.
LEAST_LABELS = 30


class FeatureRows:
    """Rows of features of the items of a pool, in each representation that its suggester has.

    Parameters
    ----------
    base : ModelSuggester or MultiViewSuggester
        Makes the features. Those of the user's own are scaled to a mean length of one.
    """

    def __init__(self, base: Any) -> None:
        self.base = base

    @property
    def column(self) -> str | None:
        """Column of the source that holds the features, if one was named."""
        column: str | None = self.base.column
        return column

    @property
    def takes_items(self) -> bool:
        """Whether new rows are made of items, not of the user's own matrix."""
        return bool(self.base.takes_items)

    def __len__(self) -> int:
        if self._views() is None:
            return int(self.base.features().shape[0])
        return int(next(iter(self.base.blocks().values())).shape[0])

    def fit(
        self, positions: NDArray[np.intp], make: Callable[[Any], Any], may_choose: bool = True
    ) -> tuple[Any, int]:
        """Fit on labeled rows of each representation; return the best, and its number.

        Parameters
        ----------
        positions : ndarray of shape (n_labels,), int
        make : callable
            From rows to what was fitted on them, which has a ``loss_``: the lower the better it
            predicts labels that it did not see. With few labels it says nothing yet.
        may_choose : bool
            Else the first representation is taken.
        """
        many = may_choose and len(positions) >= LEAST_LABELS
        found = [make(self.some(k, positions)) for k in range(self._n if many else 1)]
        best = min(range(len(found)), key=lambda k: found[k].loss_) if many else 0
        return found[best], best

    def some(self, number: int, positions: Any) -> Any:
        """Return some rows of a representation."""
        return self.whole(number)[positions]

    def whole(self, number: int) -> Any:
        """Return all rows of a representation: a matrix, or `Beside` where there are views."""
        views = self._views()
        return self._plain if views is None else views[number].beside(self.base.blocks())

    def steps(self, number: int) -> list[tuple[str, Any]]:
        """Return what makes such rows of items, or of the user's matrix, as steps of a pipeline."""
        views = self._views()
        if views is not None:
            return [("features", views[number])]
        scale = FunctionTransformer(scaled, accept_sparse=True, kw_args={"by": self._scale})
        scale.set_output(transform="default")
        transformer = self.base.transformer
        made = [] if transformer is None else [("features", transformer)]
        return [*made, ("length", scale)]

    @property
    def _n(self) -> int:
        return len(self._views() or "1")

    def _views(self) -> Any:
        made = getattr(self.base, "representations", None)
        return None if made is None else made()

    @cached_property
    def _scale(self) -> float:
        return scale_of(self.base.features())

    @cached_property
    def _plain(self) -> Any:
        return scaled(self.base.features(), self._scale)


def near_rows(suggester: Any) -> tuple[Any, float]:
    """Return rows of length one, and the cosine from which on two items are near duplicates.

    What the suggester says of itself; no rows where it says nothing.
    """
    own = getattr(suggester, "near_rows", None)
    rows, least = own() if own is not None else (None, 1.0)
    return rows, least
