"""Learning from labels: features and an estimator make predictions for the pool."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .._progress import report
from .._quiet import quiet
from .._threads import MOST_FEATURIZED, one_thread
from ..errors import ModelOutputError, OptionError
from ..strategies import Rows
from ..tables import Predictions
from ..tasks import Task, decode
from .bulk import SAMPLE, fit_transform, sample, take, transform
from .coded import fitted_on_codes
from .committee import Bootstrap
from .encoders import Encoder, as_encoder
from .explain import WordMarks, usual_row
from .features import Embedding, default_features, embed
from .fresh import fresh
from .given import checked_matrix, embedding_column
from .images import PixelScaler
from .linear import Scores, fit_linear, score, spread
from .shield import shielded

#: Items of a large pool that the cold start looks at before the features of all are there: of
#: default features, and of those by a function, which may be slow.
GLIMPSE, GLIMPSE_ENCODED = 10_000, 2_000


@dataclass(frozen=True)
class Snapshot:
    """What a model may learn from, frozen when its training is ordered.

    Attributes
    ----------
    positions : ndarray of shape (n_labels,), int
        Places of the labeled items in the pool.
    targets : array of shape (n_labels, ...)
        Made by the task.
    version : int
        Counts the trainings of a session.
    seed : int
    """

    positions: NDArray[np.intp]
    targets: Any
    version: int
    seed: int = 0

    @property
    def own_seed(self) -> int:
        """That of what is drawn for this training: of no other version, nor of another seed."""
        return int(np.random.SeedSequence((self.seed, self.version)).generate_state(1)[0])


@runtime_checkable
class Fitted(Protocol):
    """What a suggester has learned; it never changes any more.

    For strategies that require a committee it also has ``committee(places)``, which returns what
    each member predicts for the items at these places of the pool, float32 of shape
    (n_members, n_places, n_classes).
    """

    @property
    def model(self) -> Any:
        """The fitted estimator."""

    def predict(self) -> Scores:
        """Predict for every item of the pool."""

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label; empty if unknown."""


@runtime_checkable
class Suggester(Protocol):
    """Learns from labels and predicts for the pool. Called from one thread at a time.

    It may also have ``near_rows()``, which returns rows of length one, or None, and the cosine in
    them from which on two items are near duplicates; else no features say so. And
    ``is_enough(values)``, whether some labels are enough to learn from; else two must differ.
    """

    def fit(self, snapshot: Snapshot) -> Fitted:
        """Learn from a snapshot."""

    def embedding(self) -> NDArray[np.float32] | Rows | None:
        """Return dense features of the pool for clustering, None if there are none.

        An array of shape (n_items, n_dimensions), or what makes its rows when asked for them.
        """


def value_at(
    task: Task, fitted: Fitted | None, predictions: Predictions, position: int
) -> tuple[Any, float]:
    """Return what a model says of an item, as a value of the task, and its probability."""
    tagger = getattr(fitted, "tagger", None)
    if tagger is not None:
        value, probability = tagger.value(position)
        return task.parse(value), probability
    row = predictions.proba[position]
    said = None if predictions.calibration is None else predictions.probabilities(position)
    return decode(task, predictions.classes, row, said)


class ModelSuggester:
    """A scikit-learn classifier over features of the pool.

    Parameters
    ----------
    inputs : list of str, DataFrame, images or None
        What the features are computed from, one entry per item.
    modality : str or None
        ``"text"``, ``"image"``, ``"row"``, ``"series"``, ``"sound"`` or None.
    features : transformer, callable, str, matrix of shape (n_items, n_features), or None
        None takes the default for the modality; a name is that of an embedding column, or
        ``"sentence-transformers:<model>"``. See `Encoder` for what a callable gets and returns.
    estimator : classifier, Pipeline or None
        None takes balanced logistic regression. A Pipeline, without `features`, replaces the
        default features too: it gets the inputs as they are (images as rows of pixels, 0..1).
    frame : DataFrame, optional
        Source of an embedding column named by `features`.
    seed : int
        For whatever takes a ``random_state`` and was given none, also within a pipeline.

    Raises
    ------
    OptionError
        If features or estimator cannot do their part.
    """

    #: Never changes once it is fitted: see `_packing`.
    lasting = ("_transformer",)

    def __init__(
        self,
        inputs: Any,
        modality: str | None,
        *,
        features: Any = None,
        estimator: Any = None,
        frame: pd.DataFrame | None = None,
        seed: int = 0,
        n_items: int | None = None,
    ) -> None:
        self._inputs = inputs
        self._modality = modality
        self._seed = seed
        self._estimator = None if estimator is None else checked_estimator(estimator)
        self._whole = features is None and starts_from_items(self._estimator)
        picky = self._estimator is not None and not takes_sparse(self._estimator)
        self._dense = picky and not self._whole
        self._transformer: Any = None
        self._matrix: Any = None
        self._sampled: Any = None
        self._glimpsed = False
        self._embedding: Embedding | None = None
        self._usual: NDArray[Any] | None = None
        self._n_items = n_items if n_items is not None else len(inputs)
        encoder = as_encoder(features, modality)
        features = features if encoder is None else encoder
        #: Column of the source that holds the features, if one was named.
        self.column = features if isinstance(features, str) else None
        if isinstance(features, str):
            features = embedding_column(frame, features)
        if features is None and self._whole and modality == "image":
            features, self._whole = PixelScaler(), False
        if features is None:
            pass
        elif isinstance(features, type):
            raise OptionError(f"features= takes an object: write {features.__name__}().")
        elif hasattr(features, "transform") and not hasattr(features, "shape"):  # no DataFrame
            if isinstance(features, BaseEstimator) and get_tags(features).target_tags.required:
                raise OptionError(
                    f"features= learns from items alone, before there are labels, but "
                    f"{type(features).__name__} needs labels: put it before the model, as in "
                    "model=make_pipeline(it, LogisticRegression())."
                )
            self._transformer = features
        else:
            self._matrix = checked_matrix(features, self._n_items)
        #: Whether new rows are made of items, not of a matrix of the user's own.
        self.takes_items = self._matrix is None
        if inputs is None and self._matrix is None:
            raise OptionError(
                "The model needs features= (a matrix with one row per item, or the name of an "
                "embedding column) to learn from these items; without it there are no suggestions."
            )

    @property
    def matrix(self) -> Any:
        """The features of the pool, None before they are computed."""
        return self._matrix

    @property
    def is_light(self) -> bool:
        """Whether all that learns is known to need no more than one thread for few labels."""
        parts = [self._estimator, self._transformer]
        while parts:
            part = parts.pop()
            if type(part).__module__.partition(".")[0] not in ("sklearn", "nblabel", "builtins"):
                return False
            parts += [step for _, step in getattr(part, "steps", ())]
        return True

    @property
    def encoder(self) -> Encoder | None:
        """What computes the features by a function, None if anything else does."""
        return self._transformer if isinstance(self._transformer, Encoder) else None

    @property
    def transformer(self) -> Any:
        """What makes the features of items, fitted with them; None if the user gave a matrix."""
        return self._transformer

    def features(self) -> Any:
        """Return the features of the pool, computed at the first call.

        Returns
        -------
        ndarray or CSR matrix of shape (n_items, n_features)
        """
        if self._matrix is None:
            with one_thread.lifted(self._n_items > MOST_FEATURIZED):
                self._matrix = self._computed()
        return self._matrix

    def features_of(self, places: NDArray[np.intp]) -> Any:
        """Return the features of some items of the pool."""
        return self.features()[places]

    def _computed(self) -> Any:
        transformer = self._transformer
        bulk = self._fit_on_sample()
        if self.encoder is not None:
            matrix = shielded(self.encoder.transform, self._inputs)
        elif bulk is not None:
            transformer, matrix = bulk, transform(bulk, self._inputs)
        else:
            if transformer is None:
                transformer = self._default_features(self._inputs)
            if isinstance(transformer, BaseEstimator):
                transformer = fresh(transformer, self._seed)
            with np.errstate(invalid="ignore"):  # the variance of items that are all alike
                matrix = (
                    fit_transform(transformer, self._inputs, self._modality)
                    if self._transformer is None
                    else shielded(
                        partial(fit_transform, transformer, modality=self._modality), self._inputs
                    )
                )
        matrix = matrix.tocsr() if sparse.issparse(matrix) else np.asarray(matrix)
        if matrix.ndim != 2 or matrix.shape[0] != self._n_items:
            raise OptionError(
                f"features= must make one row per item, ({self._n_items}, n_features); "
                f"{type(transformer).__name__} made the shape {matrix.shape}."
            )
        if self._transformer is not None:  # not one of ours
            matrix = checked_matrix(matrix, self._n_items)
        self._transformer = transformer
        return matrix

    def _default_features(self, inputs: Any) -> Any:
        return default_features(self._modality, inputs, dense=self._dense)

    def _fit_on_sample(self) -> Any:
        """Return the default transformer fitted on a sample; None where it needs no sample."""
        if self._sampled is None:
            large = self._modality is not None and self._n_items > SAMPLE
            if not large or self._transformer is not None:
                return None
            report(0.0)
            some = take(self._inputs, sample(self._n_items, self._seed))
            self._sampled = self._default_features(some).fit(some)
        return self._sampled

    def glimpse(self) -> tuple[NDArray[np.intp], NDArray[np.float32]] | None:
        """Return the embedding of some items as long as there is none of all.

        Returns
        -------
        positions : ndarray of shape (n_some,), int
        embedding : ndarray of shape (n_some, n_dimensions), float32
            Or None if all are computed, or are to be the next time: one glimpse is enough.
        """
        if self._matrix is not None or self._glimpsed:
            return None
        encoder = self.encoder
        transformer, size = self._fit_on_sample(), GLIMPSE
        if encoder is not None and self._n_items > 2 * GLIMPSE_ENCODED:
            transformer, size = encoder, GLIMPSE_ENCODED
        if transformer is None:
            return None
        self._glimpsed = True
        places = sample(self._n_items, self._seed, size)
        return places, embed(transformer.transform(take(self._inputs, places)), self._seed)

    def embedding(self) -> Embedding:
        """Return dense features of the pool, rows of length one, made when asked for."""
        if self._embedding is None:
            self._embedding = Embedding(self.features(), self._seed)
        return self._embedding

    def fit(self, snapshot: Snapshot) -> FittedModel:
        """Fit the estimator on the labeled items."""
        given, seed = self._estimator, snapshot.seed
        estimator = _default(seed) if given is None else fresh(given, seed)
        targets = np.asarray(snapshot.targets, dtype=str)
        with quiet(ConvergenceWarning):
            matrix = self._inputs if self._whole else self.features()
            rows = take(matrix, snapshot.positions) if self._whole else matrix[snapshot.positions]
            columns = None
            try:
                if self._whole:
                    shielded(estimator.fit, rows, targets)
                else:
                    columns = fit_linear(estimator, rows, targets)
            except (TypeError, ValueError):
                coded = (
                    None if given is None else fitted_on_codes(fresh(given, seed), rows, targets)
                )
                if coded is None:
                    raise
                estimator = coded
        transformer = None if self._whole else self._transformer
        if self._usual is None and self._modality == "text" and sparse.issparse(matrix):
            self._usual = usual_row(matrix)
        bootstrap = Bootstrap(snapshot.positions, targets, snapshot.own_seed)
        return FittedModel(
            estimator, matrix, transformer, self._inputs, columns, bootstrap, self._usual
        )


class FittedModel:
    """A fitted estimator and its view of the pool."""

    def __init__(
        self,
        estimator: Any,
        matrix: Any,
        transformer: Any,
        inputs: Any,
        columns: NDArray[np.intp] | None = None,
        bootstrap: Bootstrap | None = None,
        usual: NDArray[Any] | None = None,
    ) -> None:
        self._estimator = estimator
        self._columns = columns
        self._bootstrap = bootstrap
        self._transformer = transformer
        self._matrix = matrix
        self._inputs = inputs
        self._model: Any = None
        #: Whether `model` starts from items, not from rows of a matrix.
        self.takes_items = transformer is not None or matrix is inputs
        linear = estimator
        if transformer is None and isinstance(estimator, Pipeline) and len(estimator.steps) == 2:
            transformer, linear = estimator[0], estimator[-1]
        #: Finds the marks; light beside the model, see `Away`.
        self.marker = Marker(
            WordMarks.of(transformer, linear, columns, usual), inputs, matrix, transformer
        )

    @property
    def model(self) -> Any:
        """The fitted estimator, ready for new data.

        A Pipeline that starts from the items where the features are a transformer, else the
        estimator on the user's own matrix.
        """
        if self._model is None:
            estimator = self._estimator
            if self._columns is not None:  # made only for who asks: most columns weigh nothing
                estimator = spread(estimator, self._columns, self._matrix.shape[1])
            steps = [("features", self._transformer), ("classifier", estimator)]
            self._model = estimator if self._transformer is None else Pipeline(steps)
        return self._model

    def predict(self) -> Scores:
        """Predict for every item of the pool."""
        return score(self._estimator, self._matrix, self._columns)

    def committee(self, places: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return what models on bootstrap samples of the labels say: see `Bootstrap`."""
        if self._bootstrap is None:
            raise ValueError("a committee needs the labels that the model has learned from")
        return self._bootstrap.predict(self._estimator, self._matrix, places)

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label."""
        return self.marker.marks(position, label)


class Marker:
    """Marks words in the items of a pool, without the model that they speak for.

    Parameters
    ----------
    words : WordMarks or None
    inputs : list of str
    matrix : CSR matrix of shape (n_items, n_terms), or anything else
        Where it is none the vectorizer makes the rows.
    vectorizer : fitted transformer
    """

    def __init__(self, words: WordMarks | None, inputs: Any, matrix: Any, vectorizer: Any) -> None:
        usable = words is not None and isinstance(inputs, list)
        self._words = words if usable else None
        self._inputs = inputs if usable else []
        self._matrix = matrix if usable and sparse.issparse(matrix) else None
        self._vectorizer: Any = vectorizer if usable and self._matrix is None else None

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return the spans of an item's text that speak for a label."""
        if self._words is None:
            return []
        text = self._inputs[position]
        if self._matrix is not None:
            row = self._matrix[[position]]
        else:
            row = self._vectorizer.transform([text])
        return self._words.marks(text, row, label)


def checked_marks(marks: Any) -> list[tuple[int, int, float]]:
    """Return marks as they are if they are sorted spans that do not overlap.

    Raises
    ------
    ModelOutputError
        If they are not.
    """
    end, whole = 0, (int, np.integer)
    made: list[tuple[int, int, float]] = []
    for mark in marks:
        start, stop, weight = mark
        if not (isinstance(start, whole) and isinstance(stop, whole) and end <= start < stop):
            raise ModelOutputError(
                f"marks are sorted spans (start, end, weight) that do not overlap, got {mark!r}"
            )
        made.append((int(start), int(stop), float(weight)))
        end = int(stop)
    return made


def _default(seed: int) -> LogisticRegression:
    return LogisticRegression(C=10.0, class_weight="balanced", max_iter=300, random_state=seed)


def takes_sparse(estimator: Any) -> bool:
    """Whether an estimator learns from sparse rows; one that does not say so is tried.

    All that is derived from `BaseEstimator` says that it does not, as long as nobody asked: only
    what is derived from a classifier of scikit-learn is believed.
    """
    modules = [kind.__module__.split(".")[:2] for kind in type(estimator).__mro__]
    known = [module for module in modules if module[0] == "sklearn"]
    if all(module[1] in ("base", "utils") for module in known):
        return True
    # What boosts others says so of itself alone.
    return bool(get_tags(estimator).input_tags.sparse) and all(map(takes_sparse, _parts(estimator)))


def starts_from_items(estimator: Any) -> bool:
    """Whether it makes features itself: a Pipeline, or what tries or joins some (a grid search)."""
    if isinstance(estimator, Pipeline):
        return True
    return any(map(starts_from_items, _parts(estimator)))


def _parts(estimator: Any) -> list[Any]:
    """Return the estimators that one is made of."""
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return []
    held = estimator.get_params(deep=False)
    named = held.get("estimators")
    named = named if isinstance(named, list) else []
    parts = [part[1] for part in named if isinstance(part, tuple) and len(part) > 1]
    parts += [held.get("estimator"), held.get("base_estimator")]
    return [part for part in parts if hasattr(part, "fit")]


def checked_estimator(estimator: Any) -> Any:
    """Return an estimator of the user's that can suggest labels.

    Raises
    ------
    OptionError
        If it is no classifier.
    """
    if isinstance(estimator, type):
        raise OptionError(
            f"model= takes an estimator object, got the class {estimator.__name__}: "
            f"write {estimator.__name__}()."
        )
    if not isinstance(estimator, BaseEstimator) and not hasattr(estimator, "get_params"):
        raise OptionError(
            f"model= takes a scikit-learn classifier or pipeline, got {type(estimator).__name__}."
        )
    try:
        classifies = is_classifier(estimator)
    except AttributeError as error:
        raise OptionError(
            f"model= takes a scikit-learn classifier; {type(estimator).__name__} does not say what "
            f"it is ({error}): derive it from ClassifierMixin and BaseEstimator."
        ) from error
    if not classifies:
        raise OptionError(
            f"model= takes a classifier; {type(estimator).__name__} is none, "
            "so it cannot suggest labels."
        )
    return estimator
