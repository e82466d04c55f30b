"""A committee of any model: the same estimator on bootstrap samples of the labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from .._progress import report
from .._quiet import quiet
from .bulk import take
from .linear import fit_linear, score

#: Models in a committee.
MEMBERS = 5


@dataclass(frozen=True)
class Bootstrap:
    """Query by bagging (Abe and Mamitsuka, ICML 1998): who votes, before it is asked.

    Each member learns from as many labels as there are, drawn with replacement (Breiman 1996). Of
    a class that was not drawn one label is added, so that all members know all classes.

    Attributes
    ----------
    positions : ndarray of shape (n_labels,), int
        Places of the labeled items in the pool.
    targets : ndarray of shape (n_labels,), str
    seed : int
    """

    positions: NDArray[np.intp]
    targets: NDArray[Any]
    seed: int

    def draws(self) -> list[NDArray[np.intp]]:
        """Return for each member which of the labels it learns from."""
        rng = np.random.default_rng((self.seed, 3))
        classes, codes = np.unique(self.targets, return_inverse=True)
        made = []
        for _ in range(MEMBERS):
            drawn = rng.integers(len(codes), size=len(codes))
            missing = np.setdiff1d(np.arange(len(classes)), codes[drawn])
            more = [rng.choice(np.flatnonzero(codes == code)) for code in missing]
            made.append(np.concatenate([drawn, np.array(more, dtype=np.intp)]))
        return made

    def predict(self, estimator: Any, matrix: Any, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Fit the members, and return what they predict.

        Parameters
        ----------
        estimator : classifier
            Is cloned.
        matrix : matrix of shape (n_items, n_features), or sequence of items
            Of the whole pool.
        places : ndarray of shape (n_places,), int
            Which items are asked about.

        Returns
        -------
        ndarray of shape (n_members, n_places, n_classes), float32
        """
        pick = matrix.__getitem__ if hasattr(matrix, "tocsr") else lambda at: take(matrix, at)
        asked = pick(places)
        made = []
        for count, drawn in enumerate(self.draws()):
            report(count / MEMBERS)
            member = clone(estimator)
            rows, targets = pick(self.positions[drawn]), self.targets[drawn]
            with quiet(ConvergenceWarning):
                if hasattr(rows, "shape") and not hasattr(rows, "columns"):
                    columns = fit_linear(member, rows, targets)
                else:  # a pipeline, from the items
                    columns = None
                    member.fit(rows, targets)
            made.append(score(member, asked, columns).proba)
        return np.stack(made)
