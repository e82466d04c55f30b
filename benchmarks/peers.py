"""Other active-learning libraries, each behind one function.

`PEERS` maps the name of a library to a function that imports it and returns a `Peer`: its query
rules, and the ways its own documentation puts a whole learner together. A library that is not
installed raises ImportError there; nothing else of the benchmark imports one.

**Rules** see a `Situation` and name the items to label next. What a rule needs of a model are the
probabilities that the benchmark's shared classifier gives; a stand-in hands them to the library
where it asks its classifier for them. What a rule needs of distances it gets from the dense
embedding, the same for all.

**Learners** are the library's own loop as its documentation shows it: its features, its classifier,
its query strategy, with the values used there.

- small-text: the scikit-learn example: TF-IDF without English stop words, rows of length one,
  `ConfidenceEnhancedLinearSVC`, breaking ties; and the same with all words, which is kinder to it
  where questions are told apart by theirs.
- modAL: the pool-based and the interactive example: random forest and uncertainty sampling on the
  plain values; a second one with logistic regression and margin sampling. Its `ActiveLearner` does
  not run on scikit-learn 1.8 or newer (`force_all_finite` is gone), so only its query functions are
  called; fitting again on all labels is what `ActiveLearner.teach` does.
- scikit-activeml: the example of its front page, `SklearnClassifier(LogisticRegression())` with
  uncertainty sampling by entropy; a second one by margin. It takes no sparse matrix, and its own
  text examples start from embeddings of a language model, so texts are the 5,000 most frequent
  words, TF-IDF, dense. Its `ProbabilisticAL` is left out: its memory grows with the cube of the
  number of classes, 16 GB for 2,000 candidates and 70 classes.
- cardinal: the digits example: random forest, least confidence; and `TwoStepKMeansSampler` as in
  its example after Zhdanov 2019, with the same forest. Its incremental k-means does not run on
  scikit-learn 1.6 or newer and is left out.
- superintendent: the text example: TF-IDF, logistic regression, margin; the image example: entropy.
  Both with its default of reshuffling a tenth of the order.

None of them says what to do with a table: columns are scaled and one-hot for all.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Positions = NDArray[np.intp]

#: Rules that compare all candidates with each other get this many of them, drawn at random.
MOST_CANDIDATES = 2000


@dataclass(frozen=True)
class Situation:
    """What a query rule may look at.

    Attributes
    ----------
    embedding : ndarray of shape (n_pool, n_dimensions)
    labeled, unlabeled : ndarray of int
        Places in the pool.
    codes : ndarray of shape (n_labeled,), int
        Classes of the labeled items.
    classes : ndarray of int
        Those that the classifier knows, at least two.
    proba : ndarray of shape (n_pool, n_known_classes)
    batch : int
        How many places to return.
    seed : int
        Another one for each query.
    """

    embedding: NDArray[np.float64]
    labeled: Positions
    unlabeled: Positions
    codes: NDArray[np.intp]
    classes: NDArray[np.intp]
    proba: NDArray[np.float64]
    batch: int
    seed: int


Rule = Callable[[Situation], Any]


@dataclass(frozen=True)
class Peer:
    """A library: its release, its query rules, and its learners as documented."""

    version: str
    rules: Mapping[str, Rule]
    learners: Mapping[str, Callable[..., Learner]]


class Learner:
    """A whole learner of a library; the benchmark gives it labels and asks for items.

    Parameters
    ----------
    kind : str
        ``"text"``, ``"image"`` or ``"row"``.
    pool, test : list of str, ndarray of images, or DataFrame
    n_classes : int
    seed : int
    """

    def __init__(self, kind: str, pool: Any, test: Any, n_classes: int, seed: int) -> None:
        self.kind = kind
        self.rows, self.test = self.features(kind, pool, test)
        self.n_classes = n_classes
        self.seed = seed
        self.labeled: Positions = np.empty(0, dtype=np.intp)
        self.codes: NDArray[np.intp] = np.empty(0, dtype=np.intp)

    def features(self, kind: str, pool: Any, test: Any) -> tuple[Any, Any]:
        """Return the rows of pool and test."""
        return plain_values(kind, pool, test)

    def learn(self, positions: Positions, codes: NDArray[np.intp]) -> None:
        """Take labels, of two classes or more in all, and fit."""
        self.labeled = np.concatenate([self.labeled, positions])
        self.codes = np.concatenate([self.codes, codes])
        self.fit()

    def fit(self) -> None:
        """Fit on all labels so far."""
        raise NotImplementedError

    def query(self, unlabeled: Positions, k: int) -> Any:
        """Return places in the pool to label next."""
        raise NotImplementedError

    def predict(self) -> Any:
        """Return the classes of the test items."""
        raise NotImplementedError


def plain_values(
    kind: str, pool: Any, test: Any, vectorizer: TfidfVectorizer | None = None
) -> tuple[Any, Any]:
    """Return what a tutorial feeds to its classifier: TF-IDF, pixels 0..1, or scaled columns."""
    if kind == "text":
        vectorizer = vectorizer or TfidfVectorizer()
        return vectorizer.fit_transform(pool), vectorizer.transform(test)
    if kind == "image":
        top = float(pool.max())
        return pool.reshape(len(pool), -1) / top, test.reshape(len(test), -1) / top
    scaler = scaled_columns(pool)
    return scaler.fit_transform(pool), scaler.transform(test)


def scaled_columns(frame: pd.DataFrame) -> ColumnTransformer:
    """Numbers scaled, all else one-hot; a dense matrix."""
    numbers = list(frame.select_dtypes("number").columns)
    others = [name for name in frame.columns if name not in numbers]
    one_hot = OneHotEncoder(handle_unknown="ignore", min_frequency=2, sparse_output=False)
    return ColumnTransformer(
        [("numbers", StandardScaler(), numbers), ("others", one_hot, others)], sparse_threshold=0
    )


class Known(ClassifierMixin, BaseEstimator):
    """Stands where a library wants a classifier: probabilities that are computed already.

    It knows its rows by their number and order, so it can be asked for those rows alone.
    """

    def __init__(self, proba: NDArray[np.float64], classes: NDArray[np.intp]) -> None:
        self.proba = proba
        self.classes_ = classes

    def fit(self, rows: Any, codes: Any) -> Known:
        """Do nothing: it is fitted."""
        return self

    def predict_proba(self, rows: Any) -> NDArray[np.float64]:
        """Return the probabilities of the rows that this was made for."""
        if rows.shape[0] != len(self.proba):
            raise ValueError(f"made for {len(self.proba)} rows, asked for {rows.shape[0]}")
        return self.proba

    def predict(self, rows: Any) -> NDArray[np.intp]:
        """Return their most probable classes."""
        return self.classes_[self.predict_proba(rows).argmax(axis=1)]


def quiet(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call without progress bars and prints."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        return call(*args, **options)


# ---------------------------------------------------------------- the libraries


def small_text() -> Peer:
    """small-text: active learning for text classification."""
    import small_text as st

    class Shared(st.Classifier):
        """The data set holds row numbers, so any subset of it can be looked up."""

        def __init__(self, now: Situation) -> None:
            self.now = now

        def fit(self, train_set: Any, weights: Any = None) -> Any:
            return self

        def predict(self, data_set: Any, return_proba: bool = False) -> Any:
            return self.now.classes[self.predict_proba(data_set).argmax(axis=1)]

        def predict_proba(self, data_set: Any) -> Any:
            return self.now.proba[data_set.x.ravel()]

        def embed(self, data_set: Any, return_proba: bool = False, pbar: Any = None) -> Any:
            rows = self.now.embedding[data_set.x.ravel()]
            return (rows, self.predict_proba(data_set)) if return_proba else rows

    def rule(make: Callable[[], Any]) -> Rule:
        def choose(now: Situation) -> Any:
            places = np.arange(len(now.embedding))
            nothing = np.full(len(places), st.LABEL_UNLABELED)
            data = st.SklearnDataset(places[:, None], nothing, target_labels=now.classes)
            return quiet(
                make().query, Shared(now), data, now.unlabeled, now.labeled, now.codes, n=now.batch
            )

        return choose

    class Svm(Learner):
        def __init__(self, kind: str, pool: Any, test: Any, n_classes: int, seed: int) -> None:
            super().__init__(kind, pool, test, n_classes, seed)
            everything = np.arange(n_classes)
            nothing = np.full(self.rows.shape[0], st.LABEL_UNLABELED)
            self.test = st.SklearnDataset(
                self.test, np.zeros(self.test.shape[0], dtype=int), target_labels=everything
            )
            self.learner = st.PoolBasedActiveLearner(
                st.SklearnClassifierFactory(st.ConfidenceEnhancedLinearSVC(), n_classes),
                st.BreakingTies(),
                st.SklearnDataset(self.rows, nothing, target_labels=everything),
            )

        stop_words: str | None = "english"

        def features(self, kind: str, pool: Any, test: Any) -> tuple[Any, Any]:
            words = TfidfVectorizer(stop_words=self.stop_words)
            rows, test = plain_values(kind, pool, test, words)
            return sparse.csr_matrix(rows), sparse.csr_matrix(test)

        def learn(self, positions: Positions, codes: NDArray[np.intp]) -> None:
            if not len(self.labeled):
                self.learner.initialize_data(positions, codes)
            else:
                self.learner.update(codes)
            self.labeled = np.concatenate([self.labeled, positions])

        def query(self, unlabeled: Positions, k: int) -> Any:
            return self.learner.query(num_samples=k)

        def predict(self) -> Any:
            # It numbers the classes it has seen from 0; translated back, or a class that is not
            # met yet would cost it all others.
            classifier = self.learner.classifier
            return classifier.model.classes_[classifier.predict(self.test)]

    class SvmAllWords(Svm):
        stop_words = None

    return Peer(
        version("small-text"),
        {
            "breaking ties": rule(st.BreakingTies),
            "entropy": rule(st.PredictionEntropy),
            "least confidence": rule(st.LeastConfidence),
            "k-means": rule(st.EmbeddingKMeans),
            "lightweight coreset": rule(st.LightweightCoreset),
            "greedy coreset": rule(st.GreedyCoreset),
            "contrastive": rule(lambda: st.ContrastiveActiveLearning(pbar=None)),
        },
        {"svm breaking ties": Svm, "svm breaking ties, all words": SvmAllWords},
    )


def modal() -> Peer:
    """modAL: a modular active learning framework."""
    from modAL.batch import ranked_batch
    from modAL.uncertainty import (
        classifier_uncertainty,
        entropy_sampling,
        margin_sampling,
        uncertainty_sampling,
    )

    def rule(function: Callable[..., Any]) -> Rule:
        def choose(now: Situation) -> Any:
            known = Known(now.proba[now.unlabeled], now.classes)
            return now.unlabeled[function(known, now.embedding[now.unlabeled], now.batch)[0]]

        return choose

    def ranked(known: Known, rows: Any, n: int, labeled: Any) -> Any:
        learner = SimpleNamespace(on_transformed=False, X_training=labeled)
        return ranked_batch(learner, rows, classifier_uncertainty(known, rows), n, "euclidean", 1)

    def choose_ranked(now: Situation) -> Any:
        known = Known(now.proba[now.unlabeled], now.classes)
        labeled = now.embedding[now.labeled]
        return now.unlabeled[ranked(known, now.embedding[now.unlabeled], now.batch, labeled)[0]]

    class Forest(Learner):
        strategy = staticmethod(uncertainty_sampling)

        def estimator(self) -> Any:
            return RandomForestClassifier()

        def fit(self) -> None:
            self.model = self.estimator().fit(self.rows[self.labeled], self.codes)

        def query(self, unlabeled: Positions, k: int) -> Any:
            return unlabeled[self.strategy(self.model, self.rows[unlabeled], n_instances=k)[0]]

        def predict(self) -> Any:
            return self.model.predict(self.test)

    class Logistic(Forest):
        strategy = staticmethod(margin_sampling)

        def estimator(self) -> Any:
            return LogisticRegression(max_iter=1000)

    return Peer(
        version("modAL-python"),
        {
            "uncertainty": rule(uncertainty_sampling),
            "margin": rule(margin_sampling),
            "entropy": rule(entropy_sampling),
            "ranked batch": choose_ranked,
        },
        {"forest uncertainty": Forest, "logistic margin": Logistic},
    )


def scikit_activeml() -> Peer:
    """scikit-activeml: pool strategies, most of the recent ones among them."""
    from skactiveml import pool as strategies
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.classifier import SklearnClassifier

    class Shared(SkactivemlClassifier):
        """`Known`, as a classifier of this library."""

        def __init__(
            self,
            known: Any = None,
            classes: Any = None,
            missing_label: float = np.nan,
            cost_matrix: Any = None,
            random_state: Any = None,
        ) -> None:
            super().__init__(classes, missing_label, cost_matrix, random_state)
            self.known = known
            self.classes_ = classes

        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            return self

        def predict_proba(self, X: Any) -> Any:
            return self.known.predict_proba(X)

    def rule(
        make: Callable[[int], Any], model: str | None = "clf", most: int | None = None
    ) -> Rule:
        def choose(now: Situation) -> Any:
            candidates = now.unlabeled
            if most is not None and len(candidates) > most:
                rng = np.random.default_rng(now.seed)
                candidates = np.sort(rng.choice(candidates, most, replace=False))
            codes = np.full(len(now.embedding), np.nan)
            codes[now.labeled] = now.codes
            options: dict[str, Any] = {}
            if model is not None:
                known = Known(now.proba[candidates], now.classes)
                options = {model: Shared(known, now.classes), f"fit_{model}": False}
            return make(now.seed).query(
                now.embedding,
                codes,
                candidates=candidates,
                batch_size=now.batch,
                **options,
            )

        return choose

    def uncertainty(method: str) -> Rule:
        return rule(lambda seed: strategies.UncertaintySampling(method, random_state=seed))

    class Logistic(Learner):
        method = "entropy"

        def features(self, kind: str, pool: Any, test: Any) -> tuple[Any, Any]:
            words = TfidfVectorizer(max_features=5000, dtype=np.float32)
            rows, test = plain_values(kind, pool, test, words)
            return (rows.toarray(), test.toarray()) if sparse.issparse(rows) else (rows, test)

        def fit(self) -> None:
            classifier = LogisticRegression(max_iter=1000)
            self.classifier = SklearnClassifier(classifier, classes=np.arange(self.n_classes))
            self.classifier.fit(self.rows[self.labeled], self.codes)

        def query(self, unlabeled: Positions, k: int) -> Any:
            codes = np.full(len(self.rows), np.nan)
            codes[self.labeled] = self.codes
            strategy = strategies.UncertaintySampling(
                self.method, random_state=self.seed + len(self.labeled)
            )
            return strategy.query(self.rows, codes, self.classifier, fit_clf=False, batch_size=k)

        def predict(self) -> Any:
            return self.classifier.predict(self.test).astype(int)

    class LogisticMargin(Logistic):
        method = "margin_sampling"

    return Peer(
        version("scikit-activeml"),
        {
            "margin": uncertainty("margin_sampling"),
            "entropy": uncertainty("entropy"),
            "least confident": uncertainty("least_confident"),
            "coreset": rule(lambda seed: strategies.CoreSet(random_state=seed), None),
            "typiclust": rule(lambda seed: strategies.TypiClust(random_state=seed), None),
            "max herding": rule(
                lambda seed: strategies.MaxHerding(random_state=seed), None, MOST_CANDIDATES
            ),
            "badge": rule(lambda seed: strategies.Badge(random_state=seed)),
            "clue": rule(lambda seed: strategies.Clue(random_state=seed), "estimator"),
            "falcun": rule(lambda seed: strategies.Falcun(random_state=seed)),
        },
        {"logistic entropy": Logistic, "logistic margin": LogisticMargin},
    )


def cardinal() -> Peer:
    """cardinal: query samplers of Dataiku's research team."""
    from cardinal.clustering import KCenterGreedy, KMeansSampler
    from cardinal.uncertainty import ConfidenceSampler, EntropySampler, MarginSampler
    from cardinal.zhdanov2019 import TwoStepKMeansSampler

    def scored(sampler: Any) -> Rule:
        def choose(now: Situation) -> Any:
            made = sampler("precomputed", now.batch)
            return now.unlabeled[made.select_samples(now.proba[now.unlabeled])]

        return choose

    def spread(make: Callable[[int, int], Any]) -> Rule:
        def choose(now: Situation) -> Any:
            made = make(now.batch, now.seed).fit(now.embedding[now.labeled], now.codes)
            return now.unlabeled[made.select_samples(now.embedding[now.unlabeled])]

        return choose

    def two_step(weighted: bool) -> Rule:
        def choose(now: Situation) -> Any:
            proba = now.proba[now.unlabeled]
            sampler = TwoStepKMeansSampler(
                10,
                Known(proba, now.classes),
                now.batch,
                assume_fitted=True,
                random_state=now.seed % 2**32,
            )
            ordered = np.sort(proba, axis=1)
            unsure = 1 - (ordered[:, -1] - ordered[:, -2]) if weighted else None
            return now.unlabeled[sampler.select_samples(now.embedding[now.unlabeled], unsure)]

        return choose

    class Forest(Learner):
        def estimator(self) -> Any:
            return RandomForestClassifier()

        def sampler(self, k: int) -> Any:
            return ConfidenceSampler(self.model, k, assume_fitted=True)

        def fit(self) -> None:
            self.model = self.estimator().fit(self.rows[self.labeled], self.codes)

        def query(self, unlabeled: Positions, k: int) -> Any:
            return unlabeled[self.sampler(k).select_samples(self.rows[unlabeled])]

        def predict(self) -> Any:
            return self.model.predict(self.test)

    class ForestTwoStep(Forest):
        def sampler(self, k: int) -> Any:
            return TwoStepKMeansSampler(10, self.model, k, assume_fitted=True)

    return Peer(
        version("cardinal"),
        {
            "margin": scored(MarginSampler),
            "entropy": scored(EntropySampler),
            "confidence": scored(ConfidenceSampler),
            "k-means": spread(lambda k, seed: KMeansSampler(k, random_state=seed)),
            "k-center": spread(lambda k, seed: KCenterGreedy(lambda rows: rows, k)),
            "two-step k-means": two_step(weighted=False),
            "two-step weighted k-means": two_step(weighted=True),
        },
        {"forest confidence": Forest, "forest two-step k-means": ForestTwoStep},
    )


def superintendent() -> Peer:
    """superintendent: labeling in the notebook, ordered by an acquisition function."""
    from superintendent.acquisition_functions import certainty, entropy, margin

    def rule(function: Callable[..., Any]) -> Rule:
        def choose(now: Situation) -> Any:
            places = function(now.proba[now.unlabeled])  # each item's place in the order
            return now.unlabeled[np.argsort(places, kind="stable")[: now.batch]]

        return choose

    class LogisticMargin(Learner):
        function = staticmethod(margin)

        def fit(self) -> None:
            self.model = LogisticRegression(max_iter=5000)
            self.model.fit(self.rows[self.labeled], self.codes)

        def query(self, unlabeled: Positions, k: int) -> Any:
            places = self.function(self.model.predict_proba(self.rows[unlabeled]), shuffle_prop=0.1)
            return unlabeled[np.argsort(places, kind="stable")[:k]]

        def predict(self) -> Any:
            return self.model.predict(self.test)

    class LogisticEntropy(LogisticMargin):
        function = staticmethod(entropy)

    return Peer(
        version("superintendent"),
        {"margin": rule(margin), "entropy": rule(entropy), "certainty": rule(certainty)},
        {"logistic margin": LogisticMargin, "logistic entropy": LogisticEntropy},
    )


PEERS: dict[str, Callable[[], Peer]] = {
    "small-text": small_text,
    "modAL": modal,
    "scikit-activeml": scikit_activeml,
    "cardinal": cardinal,
    "superintendent": superintendent,
}
