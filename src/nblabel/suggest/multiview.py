"""The default engine: a model for each of several views of the pool, and what they say together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import normalize

from .._progress import within
from .._threads import MOST_FEATURIZED, one_thread
from .bulk import n_items, sample, take
from .explain import WordMarks, usual_row
from .features import default_features
from .forest import Forest, PooledForestClassifier, grow
from .least_squares import BIAS, LeastSquaresClassifier, Solution, calibration_of, pooled, solve
from .linear import Scores
from .matrices import products
from .model import Marker, ModelSuggester, Snapshot, Suggester
from .views import (
    MOST_ITEMS,
    MOST_LEARNED,
    OF_IMAGES,
    OF_SERIES,
    OF_SOUNDS,
    Blocks,
    ChosenViews,
    DenseViews,
    PartedViews,
    TextViews,
)

#: Kinds of items that have two parts.
IN_TWO_PARTS = {"image": OF_IMAGES, "series": OF_SERIES, "sound": OF_SOUNDS}
#: A cold start looks at so many items first, of pools at least twice as large.
GLIMPSE = 2000


class MultiViewSuggester:
    """Least squares over each of several representations of the pool, pooled into one model.

    Every representation is fitted on the same labels; leaving each label out in turn, at no cost,
    shows how sure each of them, and then all together, may be: see `least_squares.pooled`. None is
    chosen: labels that were asked because a model was unsure say little on which one is the best.

    Parameters
    ----------
    inputs : list of str, DataFrame, images or ndarray
        What the views are made from, one entry per item.
    views : TextViews, DenseViews or PartedViews
        Unfitted.
    column : str, optional
        Column of the source that holds the features, if one was named.
    takes_items : bool
        Whether the inputs are items, not rows of the user's own matrix.
    forest : bool
        Whether a forest is asked, too, on the columns as they are: see `forest`.
    """

    #: Fixed once it is fitted.
    lasting = ("_views",)

    def __init__(
        self,
        inputs: Any,
        views: Any,
        *,
        column: str | None = None,
        takes_items: bool = True,
        forest: bool = False,
    ) -> None:
        self._inputs = inputs
        self._views = views
        self.column = column
        self.takes_items = takes_items
        self._forest = forest
        self._blocks: Blocks | None = None
        self._embedding: NDArray[np.float32] | None = None
        self._glimpsed = False

    def blocks(self) -> Blocks:
        """Return the views of the pool, computed at the first call."""
        if self._blocks is None:
            with one_thread.lifted(self._n_items > MOST_FEATURIZED):
                self._blocks = self._views.pool_blocks(self._inputs)
        return self._blocks

    #: One thread is enough for few labels: see `_threads`.
    is_light = True

    #: What is fitted on each representation.
    estimator = LeastSquaresClassifier()

    def features(self) -> Any:
        """Return the representation that says most, one row per item of the pool."""
        return self.transformer.beside(self.blocks()).joined()

    def features_of(self, places: NDArray[np.intp]) -> Any:
        """Return the same of some items."""
        return self.transformer.beside(self.blocks())[places].joined()

    @property
    def transformer(self) -> ChosenViews:
        """What makes these features of new items."""
        return self.representations()[0]

    def representations(self) -> list[ChosenViews]:
        """Return the representations: the one that says most, then those that are pooled."""
        blocks = self.blocks()
        whole = tuple(name for name in self._views.whole if name in blocks)
        kinds = dict.fromkeys([*([whole] if whole else []), *self._candidates().values()])
        return [ChosenViews(self._views, names) for names in kinds]

    def _candidates(self) -> dict[str, tuple[str, ...]]:
        """The blocks of each representation, as far as there are any; each once."""
        blocks = self.blocks()
        found: dict[str, tuple[str, ...]] = {}
        for candidate, parts in self._views.candidates.items():
            present = tuple(part for part in parts if part in blocks)
            if present and present not in found.values():
                found[candidate] = present
        return found

    @property
    def _n_items(self) -> int:
        return n_items(self._inputs)

    def glimpse(self) -> tuple[NDArray[np.intp], NDArray[np.float32]] | None:
        """Return places and embedding of some items as long as there is none of all; once."""
        if self._blocks is not None or self._glimpsed or self._n_items < 2 * GLIMPSE:
            return None
        self._glimpsed = True
        places = sample(self._n_items, 0, GLIMPSE)
        few = MultiViewSuggester(take(self._inputs, places), clone(self._views))
        with within(0.0, 0.0):  # of the pool nothing is ready by then
            return places, few.embedding()

    def embedding(self) -> NDArray[np.float32]:
        """Return dense features of the pool, rows of length one."""
        if self._embedding is None:
            self._embedding = self._directions(self._views.space)
        return self._embedding

    def near_rows(self) -> tuple[NDArray[np.float32] | None, float]:
        """Return rows of length one, and the cosine from which on items are near duplicates.

        None where features do not say so: of few dimensions, or on scales of their own.
        """
        names = self._views.near
        return self._directions(names) if names else None, self._views.near_cosine

    def _directions(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        blocks = self.blocks()
        parts = [blocks[name] for name in names if name in blocks]
        if not parts:  # too few items for anything else
            first = next(iter(blocks.values()))
            parts = [first.toarray() if sparse.issparse(first) else first]
        return np.asarray(normalize(np.hstack(parts)), dtype=np.float32)

    def fit(self, snapshot: Snapshot) -> FittedViews:
        """Fit every representation on the labeled items."""
        blocks = self.blocks()
        classes, codes = np.unique(np.asarray(snapshot.targets, dtype=str), return_inverse=True)
        used = {name for names in self._candidates().values() for name in names}
        labeled = {name: blocks[name][snapshot.positions] for name in sorted(used)}
        kernels = {name: products(rows, rows) for name, rows in labeled.items()}
        members = []
        for names in self._candidates().values():
            solution = solve(np.mean([kernels[name] for name in names], axis=0), codes)
            members.append(Member({name: labeled[name] for name in names}, solution))
        forest = grow(labeled["features"], codes, snapshot.seed) if self._forest else None
        return FittedViews(self, classes, members, forest)

    @cached_property
    def usual(self) -> NDArray[Any]:
        """The mean row of the words."""
        return usual_row(self.blocks()["words"])

    @property
    def inputs(self) -> Any:
        """What the views are made from."""
        return self._inputs

    @property
    def views(self) -> Any:
        """The views, fitted once features were computed."""
        return self._views


@dataclass(frozen=True)
class Member:
    """A linear model over some views.

    Attributes
    ----------
    labeled : dict of str to matrix of shape (n_labels, n_columns)
        The labeled rows of each view.
    solution : Solution
    """

    labeled: Blocks
    solution: Solution

    @property
    def intercept(self) -> NDArray[np.float32]:
        """Score of a row of zeros, for each class."""
        return np.asarray(BIAS * self.solution.dual.sum(axis=0), dtype=np.float32)

    def weights(self, name: str) -> NDArray[np.float32]:
        """Return the weights of a view's columns, of shape (n_columns, n_classes)."""
        return np.asarray(self.labeled[name].T @ self.solution.dual / len(self.labeled))

    def predict_proba(self, blocks: Blocks) -> NDArray[np.float32]:
        """Return probabilities of shape (n_rows, n_classes)."""
        weights = {name: self.weights(name) for name in self.labeled}
        scores = _scores(blocks, weights, self.intercept)
        return _softmax(scores, self.solution.temperature)


def default_suggester(
    inputs: Any,
    modality: str | None,
    *,
    features: Any = None,
    estimator: Any = None,
    frame: Any = None,
    seed: int = 0,
    n_items: int,
) -> Suggester:
    """Return what learns by default: views of the pool where they can be had, else one model.

    Several views need a kind of item that is known and a pool of at most `views.MOST_ITEMS` items,
    or dense features of at most `views.MOST_LEARNED`; an estimator of the user's gets its features
    as they are.
    """
    one = ModelSuggester(
        inputs, modality, features=features, estimator=estimator, frame=frame, seed=seed,
        n_items=n_items,
    )  # fmt: skip
    most = MOST_ITEMS if features is None else MOST_LEARNED
    if estimator is not None or not 3 <= n_items <= most:
        return one
    if features is None:
        if modality == "text":
            return MultiViewSuggester(inputs, TextViews())
        transformer = default_features(modality, inputs)
        if transformer is None:
            return one
        if modality in IN_TWO_PARTS:
            return MultiViewSuggester(inputs, PartedViews(transformer, IN_TWO_PARTS[modality]))
        return MultiViewSuggester(inputs, DenseViews(transformer), forest=modality == "row")
    if one.encoder is not None:
        return MultiViewSuggester(inputs, DenseViews(one.encoder))
    if one.matrix is None or sparse.issparse(one.matrix):
        return one
    return MultiViewSuggester(one.matrix, DenseViews(), column=one.column, takes_items=False)


class FittedViews:
    """What `MultiViewSuggester` has learned: one linear model over all views of its members.

    A forest counts as much as all of them: it errs elsewhere than these, which err alike.
    """

    def __init__(
        self,
        suggester: MultiViewSuggester,
        classes: NDArray[Any],
        members: list[Member],
        forest: Forest | None = None,
    ) -> None:
        self.takes_items = suggester.takes_items
        self._blocks = suggester.blocks()
        self._inputs = suggester.inputs
        self._classes = tuple(map(str, classes))
        self._members = members
        self._views = suggester.views
        self._forest = forest
        shares, opinion = pooled([member.solution for member in members])
        if forest is not None:
            (views_share, forest_share), opinion = pooled([opinion, forest])
            shares, self._forest_share = shares * views_share, np.float32(forest_share)
        self._temperature = opinion.temperature
        self._calibration = calibration_of(opinion)
        self._intercept = np.zeros(len(classes), dtype=np.float32)
        self._weights: dict[str, NDArray[np.float32]] = {}
        for share, member in zip(np.float32(shares), members, strict=True):
            self._intercept += share * member.intercept
            for name in member.labeled:
                self._weights[name] = self._weights.get(name, 0) + share * member.weights(name)
        words: WordMarks | None = None
        if "words" in self._weights:
            words = WordMarks(
                self._views.vectorizer_, self._weights["words"].T, self._classes,
                usual=suggester.usual,
            )  # fmt: skip
        #: Marks items without the rest of what was fitted.
        self.marker = Marker(words, self._inputs, self._blocks.get("words"), None)

    @cached_property
    def model(self) -> Pipeline:
        """From items to calibrated probabilities, ready for new data."""
        names = tuple(self._weights)
        # About that of a row, and a power of two, by which no number loses a digit: whole numbers
        # may be the very value that a tree divides at.
        length = np.float32(2.0 ** round(np.log2(len(names)) / 2))
        classifier: Any = LeastSquaresClassifier()
        if self._forest is not None:  # on the features, which are the first block
            classifier = PooledForestClassifier(self._blocks["features"].shape[1], float(length))
            classifier.forest_, classifier.share_ = self._forest, self._forest_share
        classifier.classes_ = np.asarray(self._classes)
        classifier.coef_ = np.concatenate([self._weights[name] * length for name in names]).T
        classifier.intercept_ = self._intercept
        classifier.temperature_ = self._temperature
        classifier.n_features_in_ = classifier.coef_.shape[1]
        features = ChosenViews(self._views, names, scale=1.0 / float(length))
        return Pipeline([("features", features), ("classifier", classifier)])

    def predict(self) -> Scores:
        """Predict for every item of the pool."""
        scores = _scores(self._blocks, self._weights, self._intercept)
        if self._forest is not None:
            scores += self._forest_share * self._forest.scores(self._blocks["features"])
        proba = _softmax(scores, self._temperature)
        return Scores(self._classes, proba, True, calibration=self._calibration)

    def committee(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what each member says of some items: (n_members, n_places, n_classes)."""
        rows = {name: block[places] for name, block in self._blocks.items()}
        said = [member.predict_proba(rows) for member in self._members]
        if self._forest is not None:
            said.append(self._forest.predict_proba(rows["features"]))
        return np.stack(said)

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label."""
        return self.marker.marks(position, label)


def _scores(
    blocks: Blocks, weights: Mapping[str, NDArray[np.float32]], intercept: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return scores of shape (n_rows, n_classes)."""
    parts = (np.asarray(blocks[name] @ weights[name]) for name in weights)
    return np.asarray(sum(parts, start=intercept), dtype=np.float32)


def _softmax(scores: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    return softmax(np.float32(temperature) * scores, axis=1).astype(np.float32, copy=False)
