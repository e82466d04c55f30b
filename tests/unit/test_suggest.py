import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.random_projection import GaussianRandomProjection
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from nblabel import Choice, MultiLabel, Session
from nblabel.errors import DataError, OptionError, UnknownColumnError
from nblabel.renderers import open_pool
from nblabel.suggest import ModelSuggester, Snapshot, Suggester, learning_inputs, score
from nblabel.suggest.coded import Coded
from nblabel.suggest.features import (
    COMPONENTS,
    default_features,
    embed,
    row_features,
    text_features,
)
from nblabel.suggest.fresh import fresh
from nblabel.suggest.images import PixelScaler
from nblabel.suggest.linear import fit_linear, spread

TEXTS = ["win money now", "cheap money", "see you at ten", "lunch at ten", "money", "at ten"]
TARGETS = ["spam", "spam", "ham", "ham"]


def snapshot(positions=(0, 1, 2, 3), targets=TARGETS, version=1, seed=0) -> Snapshot:
    return Snapshot(
        np.asarray(positions, dtype=np.intp), np.asarray(targets, object), version, seed
    )


def texts(**how) -> ModelSuggester:
    return ModelSuggester(TEXTS, "text", **how)


# ---------------------------------------------------------------- the default model


def test_text_is_learned():
    fitted = texts().fit(snapshot())
    scores = fitted.predict()
    assert scores.classes == ("ham", "spam") and scores.probabilistic
    assert scores.proba.dtype == np.float32 and scores.proba.shape == (6, 2)
    assert [scores.classes[k] for k in scores.proba.argmax(axis=1)][4:] == ["spam", "ham"]
    assert scores.proba.sum(axis=1) == pytest.approx(1)
    assert fitted.model.predict(["more money"]).tolist() == ["spam"] and fitted.takes_items
    assert [TEXTS[0][a:b] for a, b, _ in fitted.marks(0, "spam")]
    assert isinstance(texts(), Suggester)


def test_what_was_learned_does_not_change():
    suggester = texts()
    first = suggester.fit(snapshot())
    before = first.predict().proba.copy()
    suggester.fit(snapshot((4, 5), ["ham", "spam"], 2))
    assert np.array_equal(first.predict().proba, before)


def test_fitting_the_seen_columns_is_the_plain_fit():
    words = [" ".join(f"w{k % 7} v{k} u{k * k % 31}".split()) for k in range(200)]
    matrix = TfidfVectorizer().fit_transform(words)
    rows = matrix[:40]
    for labels in (np.arange(40) % 2, np.arange(40) % 3):
        plain = LogisticRegression(C=10, tol=1e-10, max_iter=5000).fit(rows, labels)
        quick = LogisticRegression(C=10, tol=1e-10, max_iter=5000)
        quick = spread(quick, fit_linear(quick, rows, labels), rows.shape[1])
        assert quick.coef_.shape == plain.coef_.shape
        assert quick.coef_ == pytest.approx(plain.coef_, abs=1e-4)
        assert quick.intercept_ == pytest.approx(plain.intercept_, abs=1e-4)
        assert quick.predict_proba(matrix) == pytest.approx(plain.predict_proba(matrix), abs=1e-4)
        assert quick.n_features_in_ == matrix.shape[1]


def test_labeled_texts_without_a_known_word():
    suggester = ModelSuggester(["", "", "", "a b", "c d"], "text")
    scores = suggester.fit(snapshot((0, 1, 2), ["x", "x", "y"])).predict()
    assert scores.proba.shape == (5, 2) and np.isfinite(scores.proba).all()


def test_the_seed_reaches_an_estimator_that_takes_one():
    suggester = texts(estimator=DecisionTreeClassifier())
    assert suggester.fit(snapshot(seed=7)).model[-1].random_state == 7
    kept = texts(estimator=DecisionTreeClassifier(random_state=3))
    assert kept.fit(snapshot(seed=7)).model[-1].random_state == 3


# ---------------------------------------------------------------- estimators


class OnlyPredict(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes_[-1:], X.shape[0])


class Odd(OnlyPredict):
    def __init__(self, made=None, method="predict_proba"):
        self.made = made
        self.method = method

    def __getattr__(self, name):
        if name == "predict_proba" and self.__dict__.get("method") == name:
            return lambda X: self.made
        raise AttributeError(name)

    def predict(self, X):
        return self.made


def test_margins_take_the_place_of_probabilities():
    for estimator in (LinearSVC(), SVC()):
        scores = texts(estimator=estimator).fit(snapshot()).predict()
        assert not scores.probabilistic
        assert scores.proba.sum(axis=1) == pytest.approx(1)
        assert [scores.classes[k] for k in scores.proba.argmax(axis=1)][:4] == TARGETS
    three = texts(estimator=LinearSVC()).fit(snapshot(targets=["a", "b", "c", "c"])).predict()
    assert three.classes == ("a", "b", "c") and three.proba.sum(axis=1) == pytest.approx(1)
    assert three.proba[:4].argmax(axis=1).tolist() == [0, 1, 2, 2]


def test_an_estimator_with_only_predict():
    scores = texts(estimator=OnlyPredict()).fit(snapshot()).predict()
    assert not scores.probabilistic
    assert scores.proba.tolist() == [[0, 1]] * 6 and scores.classes == ("ham", "spam")


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (np.ones((6, 3)), r"Odd gave predictions of shape \(6, 3\), expected \(6, 2\)"),
        (np.ones(6), r"shape \(6,\), expected \(6, 2\)"),
        (np.ones((5, 2)), r"shape \(5, 2\), expected \(6, 2\)"),
        ([[0.5, np.nan]] * 6, "predictions that are not finite numbers"),
        ([[np.inf, 0]] * 6, "not finite"),
    ],
)
def test_estimators_that_return_nonsense(made, message):
    with pytest.raises(ValueError, match=message):
        texts(estimator=Odd(made)).fit(snapshot()).predict()


@pytest.mark.parametrize("made", [np.array(["ham"] * 5), np.array([["ham"]] * 6)])
def test_an_estimator_that_predicts_the_wrong_shape(made):
    with pytest.raises(ValueError, match=r"expected \(6,"):
        texts(estimator=Odd(made, "predict")).fit(snapshot()).predict()


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LogisticRegression, r"got the class LogisticRegression: write LogisticRegression\(\)"),
        ("svm", "takes a scikit-learn classifier or pipeline, got str"),
        (LinearRegression(), "takes a classifier; LinearRegression is none"),
        (make_pipeline(TfidfVectorizer(), KMeans()), "takes a classifier; Pipeline is none"),
    ],
)
def test_what_is_no_classifier(estimator, message):
    with pytest.raises(OptionError, match=message):
        texts(estimator=estimator)


def test_the_given_estimator_is_not_fitted():
    estimator = LogisticRegression()
    texts(estimator=estimator).fit(snapshot())
    assert not hasattr(estimator, "coef_")


# ---------------------------------------------------------------- pipelines


def test_a_pipeline_starts_from_the_items():
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression())
    suggester = texts(estimator=pipeline)
    fitted = suggester.fit(snapshot())
    assert fitted.takes_items and fitted.model.predict(["money"]).tolist() == ["spam"]
    assert set(fitted.model[0].vocabulary_) == set(" ".join(TEXTS[:4]).split())
    assert fitted.predict().proba.shape == (6, 2)
    assert "money" in {TEXTS[0][a:b] for a, b, _ in fitted.marks(0, "spam")}
    assert suggester.embedding().shape[0] == 6


def test_a_pipeline_over_rows_and_over_images():
    frame = pd.DataFrame({"n": [0.0, 1.0, 9.0, 10.0]})
    pipeline = make_pipeline(PCA(1), LogisticRegression())
    rows = ModelSuggester(frame, "row", estimator=pipeline)
    assert rows.fit(snapshot()).predict().proba.argmax(axis=1).tolist() == [1, 1, 0, 0]
    images = np.stack([np.full((3, 3), v) for v in (0, 10, 200, 210)]).astype(np.uint8)
    suggester = ModelSuggester(images, "image", estimator=pipeline)
    fitted = suggester.fit(snapshot())
    assert fitted.predict().proba.argmax(axis=1).tolist() == [1, 1, 0, 0]
    assert fitted.model.predict(images[:1]).tolist() == ["spam"]
    assert suggester.features().max() == pytest.approx(210 / 255)


# ---------------------------------------------------------------- features


MATRIX = np.array([[1.0, 0], [0.9, 0], [0, 1], [0, 0.8], [1, 0.1], [0.1, 1]])


@pytest.mark.parametrize("features", [MATRIX, sparse.coo_matrix(MATRIX), pd.DataFrame(MATRIX),
                                      MATRIX.tolist()])  # fmt: skip
def test_features_as_a_matrix(features):
    suggester = ModelSuggester(None, None, features=features, n_items=6)
    fitted = suggester.fit(snapshot())
    assert fitted.predict().proba.argmax(axis=1).tolist() == [1, 1, 0, 0, 1, 0]
    assert not fitted.takes_items and fitted.model.predict(MATRIX[:1]).tolist() == ["spam"]
    assert fitted.marks(0, "spam") == []
    assert suggester.embedding().shape == (6, 2 if not sparse.issparse(features) else 1)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (MATRIX[:5], r"one row per item, \(6, n_features\), got the shape \(5, 2\)"),
        (MATRIX[:, 0], r"got the shape \(6,\)"),
        (sparse.csr_matrix(MATRIX[:5]), r"got the shape \(5, 2\)"),
        (MATRIX.astype(str), "must hold numbers, got <U"),
        (np.where(MATRIX == 0, np.nan, MATRIX), "has NaN or infinite values; fill them first"),
        (sparse.csr_matrix(np.where(MATRIX == 1, np.inf, MATRIX)), "NaN or infinite"),
        (MATRIX[:, :0], r"no columns: the shape is \(6, 0\)"),
        (MATRIX * 1j, "must hold numbers, got complex128"),
        (MATRIX * -1e40, r"as large as 1e\+40, .* scale those beyond 1e\+18"),
        (sparse.csr_matrix(MATRIX * 1e25), "scale those beyond"),
        ([[1], [1, 2]], "features= must be a matrix"),
        (TfidfVectorizer, r"takes an object: write TfidfVectorizer\(\)"),
        ("words", "names a column, but the data has no columns"),
    ],
)
def test_features_that_do_not_fit(features, message):
    with pytest.raises(OptionError, match=message):
        texts(features=features)


def test_features_from_a_column():
    frame = pd.DataFrame({"text": TEXTS, "vector": list(MATRIX)})
    suggester = texts(features="vector", frame=frame)
    assert suggester.features().dtype == np.float32
    assert suggester.features() == pytest.approx(MATRIX)
    with pytest.raises(UnknownColumnError, match=r"no column 'vectr' for features=.*'vector'"):
        texts(features="vectr", frame=frame)
    for rows, found in [([[1.0], [1.0, 2.0]] * 3, "1, 2"), ([None] + [[1.0]] * 5, "0, 1")]:
        with pytest.raises(DataError, match=f"vector of the same length per item.*{found}"):
            texts(features="vector", frame=frame.assign(vector=rows))


class Bare:
    """A transformer that has learned already."""

    def __init__(self, made=None):
        self.made = made

    def transform(self, items):
        return np.array([[len(item)] for item in items]) if self.made is None else self.made


class WithFit(Bare):
    fitted = 0

    def fit(self, items):
        self.fitted = len(items)
        return self


def test_features_from_a_transformer():
    vectorizer = CountVectorizer(analyzer="char")
    suggester = texts(features=vectorizer)
    assert suggester.features().shape[0] == 6 and not hasattr(vectorizer, "vocabulary_")
    assert suggester.fit(snapshot()).model[0].vocabulary_
    assert texts(features=Bare()).features()[:, 0].tolist() == [len(text) for text in TEXTS]
    learns = WithFit()
    texts(features=learns).features()
    assert learns.fitted == 6


@pytest.mark.parametrize("made", [np.ones((5, 2)), np.ones(6), sparse.eye(5, format="coo")])
def test_a_transformer_that_makes_the_wrong_shape(made):
    with pytest.raises(OptionError, match=r"one row per item, \(6, n_features\); Bare made"):
        texts(features=Bare(made)).features()


def test_items_that_nothing_is_known_of():
    with pytest.raises(OptionError, match="The model needs features="):
        ModelSuggester(None, None, n_items=3)


# ---------------------------------------------------------------- defaults by kind of item


def test_inputs_by_kind():
    pool, renderer, _ = open_pool(["a", None, 3])
    assert learning_inputs(renderer, pool.values) == ["a", "", "3"]
    pool, renderer, _ = open_pool(["<p>a<script>b</script>"], html=True)
    assert learning_inputs(renderer, pool.values) == ["a"]
    pool, renderer, _ = open_pool([{"a": 1}])
    assert learning_inputs(renderer, pool.values) is pool.values
    assert learning_inputs(renderer, [{"a": 1}]).shape == (1, 1)
    pool, renderer, _ = open_pool(["a"], show=str)
    assert learning_inputs(renderer, pool.values) is None
    assert default_features(None, None) is None


def test_words_or_characters():
    assert text_features(["some words", "and more"]).analyzer == "word"
    assert text_features(["これはペンです", "你好吗"]).analyzer == "char"
    assert text_features(["😀", "❤", "!?"]).analyzer == "char"
    assert text_features(["a"] * 2001).min_df == 2
    emoji = ModelSuggester(["😀", "😀!", "😂", "😂?"], "text").fit(snapshot()).predict()
    assert emoji.proba.argmax(axis=1).tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "names", [[1, 0], ["1", 1], [("x", 0), ("x", 1)], [np.int64(3), "x"]], ids=repr
)
@pytest.mark.parametrize("model", [None, GaussianNB()], ids=["default", "own"])
def test_columns_are_found_whatever_their_names(names, model):
    rng = np.random.default_rng(0)
    number, letter = rng.normal(size=120), rng.choice(list("abc"), 120)
    truth = np.where(number + (letter == "a") > 0.3, "p", "n")
    columns = pd.MultiIndex.from_tuples(names) if isinstance(names[0], tuple) else pd.Index(names)
    made = {}
    for kind in (columns, pd.Index(["one", "two"])):
        frame = pd.DataFrame({0: number, 1: letter}).set_axis(kind, axis=1)
        session = Session(frame, ["p", "n"], row=True, model=model, store=None, inline=True)
        for k in range(60):
            session.record(session.pool.ids[k], truth[k])
        session.retrain(wait=True)
        made[kind is columns] = session.predictions
        new = session.predict(frame.iloc[:, ::-1])  # by name, not by place
        assert np.array_equal(new["label"], session.predictions["label"])
    pd.testing.assert_frame_equal(made[True], made[False])


@pytest.fixture
def pandas_everywhere():
    with config_context(transform_output="pandas"):
        yield


@pytest.mark.parametrize("kind", ["rows", "texts", "images", "series", "matrix"])
@pytest.mark.parametrize("task", [Choice(["p", "n"]), MultiLabel(["p", "n"])], ids=["one", "many"])
@pytest.mark.parametrize("own", [False, True])
def test_what_transformers_are_told_to_give_changes_nothing(pandas_everywhere, kind, task, own):
    rng = np.random.default_rng(1)
    data = {
        "rows": pd.DataFrame({"a": rng.normal(size=60), "b": rng.choice(list("xy"), 60)}),
        "images": rng.integers(0, 255, (60, 6, 6)).astype(np.uint8),
        "series": [np.cumsum(rng.normal(size=40)) for _ in range(60)],
    }.get(kind, [f"text {k % 7} of {k % 5} words" for k in range(60)])
    options = {
        "rows": {"row": True}, "series": {"series": True},
        "matrix": {"features": rng.normal(size=(60, 4))},
    }.get(kind, {})  # fmt: skip
    if own:
        options["model"] = GaussianNB()
    session = Session(data, task, store=None, inline=True, **options)
    for k in range(20):
        session.record(
            session.pool.ids[k], "pn"[k % 2] if task.kind == "choice" else ["p"] * (k % 2)
        )
    session.retrain(wait=True)
    assert session.last_error is None and session.status()["version"] > 0
    new = rng.normal(size=(5, 4)) if kind == "matrix" else data[:5]
    assert len(session.model.predict(new)) == 5
    if kind != "matrix":
        assert len(session.predict(new)) == 5


def test_rows_of_every_kind_of_column():
    frame = pd.DataFrame(
        {
            "n": [1, None, np.inf, 4],
            "when": pd.to_datetime(["2020-01-01", None, "2020-01-03", "2020-01-04"]),
            "zone": pd.to_datetime(["2020-01-01"] * 4).tz_localize("Europe/Rome"),
            "empty": [None] * 4,
            "flag": [True, False, True, False],
            "kind": ["a", "b", None, "a"],
            "text": [f"a long enough text number {k}" for k in ["one", "two", "three", "four"]],
            "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
        }
    )
    made = row_features(frame).fit_transform(frame)
    made = made.toarray() if sparse.issparse(made) else made
    assert made.shape[0] == 4 and np.isfinite(made).all()
    names = [name for name, *_ in row_features(frame).transformers]
    assert names == ["numbers", "times", "categories", "text0"]
    new = frame.iloc[:1].assign(kind="unseen", n=None)
    fitted = ModelSuggester(frame, "row").fit(snapshot())
    assert fitted.model.predict(new).shape == (1,)


def image_bytes(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20), (value,) * 3).save(buffer, "PNG")
    return buffer.getvalue()


def mixed_images() -> list:
    return [image_bytes(0), b"broken", Image.new("L", (9, 9), 250), np.full((40, 4), 240, "u1")]


def test_images_of_every_form_are_learned():
    small = np.stack([np.full((3, 3), v) for v in (0, 10, 200, 210)]).astype(np.uint8)
    mixed = mixed_images()
    colours = np.stack([np.full((40, 40, 3), v) for v in (0.0, 0.1, 0.9, 1.0)])
    for images in (small, mixed, colours, list(colours), pd.Series(mixed), small > 100):
        scores = ModelSuggester(images, "image").fit(snapshot()).predict()
        assert scores.proba.argmax(axis=1).tolist() == [1, 1, 0, 0]


def test_pixels():
    images = np.array([[[0.0, 5.0]], [[np.nan, 10.0]]])
    assert PixelScaler().fit_transform(images).tolist() == [[0, 0.5], [0, 1]]
    large = PixelScaler(side=2).fit(np.zeros((1, 4, 4)))
    assert large.transform(np.ones((1, 4, 4))).tolist() == [[1, 1, 1, 1]]
    colors = PixelScaler(side=2, colors=True).fit_transform(mixed_images())
    assert colors.shape == (4, 12) and np.all(colors[1] == 0.5), "what is broken is gray"


def test_items_that_are_all_alike_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for inputs, modality in [(["a b"] * 9, "text"), (np.zeros((9, 3, 3)), "image")]:
            suggester = ModelSuggester(inputs, modality)
            assert suggester.embedding().shape[0] == 9
            suggester.fit(snapshot()).predict()


def test_an_embedding_has_rows_of_length_one():
    rng = np.random.default_rng(0)
    wide = sparse.random(80, 500, density=0.1, format="csr", random_state=0)
    made = embed(wide)
    assert made.shape == (80, COMPONENTS) and made.dtype == np.float32
    assert np.linalg.norm(made, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(made, embed(wide))
    assert embed(rng.random((5, 3))).shape == (5, 3)
    assert embed(sparse.csr_matrix(np.ones((3, 1)))).shape == (3, 1)
    suggester = texts()
    assert suggester.embedding() is suggester.embedding()


def test_scores_of_rows_without_a_shape():
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS[:4], TARGETS)
    assert score(pipeline, ["money"]).proba.shape == (1, 2)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.uint8, np.int16, np.int64, bool])
def test_features_of_any_type_are_numbers(dtype, kind):
    """Squares of small integers wrap, sums of half precision overflow."""
    if kind == "sparse" and dtype is np.float16:
        pytest.skip("scipy has no such matrix")
    drawn = np.random.default_rng(0).normal(size=(60, 5))
    lowest = {bool: 0, np.uint8: 0}.get(dtype, -120)
    values = (drawn * 40).clip(lowest, 120).astype(dtype)
    found = []
    for features in (values, values.astype(np.float64)):
        features = sparse.csr_matrix(features) if kind == "sparse" else features
        session = Session(
            list("abcdef" * 10), [False, True], features=features, store=None, inline=True
        )
        for k in range(40):
            session.record(k, bool(drawn[k, 0] > 0))
        session.retrain()
        assert session.last_error is None
        found.append((session.predictions, session.similar("0", 3)))
    (mine, near), (plain, plain_near) = found
    assert mine["probability"].to_numpy() == pytest.approx(plain["probability"], abs=1e-3)
    assert near["similarity"].to_numpy() == pytest.approx(plain_near["similarity"], abs=1e-3)


class Derived(GaussianNB):
    pass


@pytest.mark.parametrize(
    "model",
    [
        GaussianNB(),
        OneVsRestClassifier(GaussianNB()),
        AdaBoostClassifier(GaussianNB()),
        Derived(),
    ],
)
@pytest.mark.parametrize("kind", ["text", "row"])
def test_a_classifier_that_wants_dense_rows_gets_them(kind, model):
    words = ["see you at lunch on day", "win money prize number"]
    rows = pd.DataFrame({"text": [f"{words[k % 2]} {k}" for k in range(60)], "n": range(60)})
    rows["many"] = [f"kind {k}" for k in range(60)]  # of which one-hot columns would be sparse
    how = {"text": "text"} if kind == "text" else {"row": ["text", "n", "many"]}
    session = Session(rows, ["ham", "spam"], model=model, store=None, inline=True, **how)
    for k in range(20):
        session.record(k, ["ham", "spam"][k % 2])
    session.retrain()
    assert session.last_error is None
    assert (session.predictions["label"] == ["ham", "spam"] * 30).mean() > 0.9
    assert (session.predict(rows)["label"] == session.predictions["label"]).all()
    assert session.marks("1", "spam") == []  # dimensions are no words


def test_what_takes_sparse_rows_keeps_them():
    for model in (LogisticRegression(), make_pipeline(CountVectorizer(), LogisticRegression())):
        assert sparse.issparse(texts(estimator=model).features())


def test_few_items_have_no_dimensions_to_reduce_them_to():
    suggester = ModelSuggester(["money", "lunch"], "text", estimator=GaussianNB())
    assert suggester.features().shape == (2, 2)
    model = suggester.fit(snapshot((0, 1), ["spam", "ham"])).model
    assert model.predict(["money", "lunch"]).tolist() == ["spam", "ham"]


@pytest.mark.parametrize(
    "options",
    [
        {"model": make_pipeline(PCA(2), RandomForestClassifier(5))},
        {"model": BaggingClassifier(DecisionTreeClassifier(max_features=1), 3)},
        {"features": GaussianRandomProjection(2), "model": LogisticRegression()},
        {
            "model": CalibratedClassifierCV(
                LogisticRegression(), cv=StratifiedKFold(2, shuffle=True)
            )
        },
        {
            "model": GridSearchCV(
                Pipeline([("c", LogisticRegression())]), {"c": [ExtraTreeClassifier()]}, cv=2
            )
        },
    ],
    ids=["in a pipeline", "in an ensemble", "of a transformer", "a splitter", "in a grid"],
)
def test_all_that_is_drawn_is_drawn_under_the_seed(options):
    rows = np.random.default_rng(0).normal(size=(80, 6))
    features = {"features": rows} if "features" not in options else {}
    data = pd.DataFrame(rows, columns=list("abcdef"))

    def learned(seed):
        session = Session(
            data, [False, True], row=True, random_state=seed, store=None, inline=True,
            **options, **features,
        )  # fmt: skip
        for k in range(30):
            session.record(k, bool(rows[k, 0] + rows[k, 1] > 0))
        session.retrain()
        return session.predictions

    assert learned(1).equals(learned(1)) and not learned(1).equals(learned(2))


def test_a_seed_that_was_given_stays():
    model = fresh(make_pipeline(PCA(random_state=7), RandomForestClassifier()), 3)
    assert [step.random_state for step in model] == [7, 3]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda pipe: GridSearchCV(pipe, {"logisticregression__C": [0.1, 1.0]}, cv=2),
        lambda pipe: CalibratedClassifierCV(pipe, cv=2),
        lambda pipe: VotingClassifier([("one", pipe), ("other", pipe)], voting="soft"),
        OneVsRestClassifier,
    ],
)
def test_what_holds_a_pipeline_starts_from_the_items_too(wrap):
    texts = [f"{('win money', 'see you')[k % 2]} {k}" for k in range(30)]
    model = wrap(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    session = Session(
        texts, ["a", "b"], model=model, store=None, inline=True, random_state=3, explore=0
    )
    for k in range(20):
        session.record(str(k), "ab"[k % 2])
    session.retrain(wait=True)
    assert session.last_error is None
    assert session.predict(["win money", "see you"])["label"].tolist() == ["a", "b"]
    with pytest.raises(OptionError, match="give the classifier alone"):
        Session(texts, MultiLabel(["a", "b"]), model=model, store=None, inline=True)


@pytest.mark.parametrize("classes", [2, 3])
def test_coefficients_of_pairs_of_classes_mark_no_words(classes):
    """Those of SVC, which are sparse, too."""
    words = ["win money", "see you", "rain again"][:classes]
    texts = [f"{words[k % classes]} {k}" for k in range(30)]
    session = Session(
        texts, list("abc"[:classes]), model=SVC(kernel="linear"), store=None, inline=True
    )
    for k in range(20):
        session.record(str(k), "abc"[k % classes])
    session.retrain(wait=True)
    assert session.last_error is None and session.marks("25", "a") == []
    assert session.predict(words)["label"].tolist() == list("abc"[:classes])


@pytest.mark.parametrize(
    "options",
    [{"strategy": name} for name in ("margin", "entropy", "least_confidence", "cluster_margin")]
    + [{"goal": "find", "target": "spam"}],
)
@pytest.mark.parametrize(
    ("model", "probabilistic"), [(LogisticRegression(), True), (LinearSVC(), False), (None, False)]
)
def test_reasons_name_no_probability_that_is_none(model, probabilistic, options):
    words = ["see you at lunch on day", "win money prize number"]
    rows = [f"{words[k % 2]} {k}" for k in range(60)]
    session = Session(
        rows, ["ham", "spam"], model=model, store=None, inline=True, explore=0.0, **options
    )
    for k in range(20):
        session.record(str(k), ["ham", "spam"][k % 2])
    session.retrain()
    reasons = [asked.reason for asked in session.next(10)]
    assert all(("0." in reason) == probabilistic for reason in reasons), reasons


class OfNumbers(ClassifierMixin, BaseEstimator):
    """Takes the classes 0, 1, ... only, as some libraries of gradient boosting do."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if not np.array_equal(self.classes_, np.arange(len(self.classes_))):
            raise ValueError(f"Invalid classes: {self.classes_}")
        self.tree_ = DecisionTreeClassifier(random_state=0).fit(X, y)
        return self

    def predict(self, X):
        return self.tree_.predict(X)

    def predict_proba(self, X):
        return self.tree_.predict_proba(X)


@pytest.mark.parametrize(
    "model",
    [
        OfNumbers(),
        make_pipeline(TfidfVectorizer(), OfNumbers()),
        SelfTrainingClassifier(LogisticRegression()),
    ],
)
def test_a_classifier_that_takes_numbers_for_classes_gets_them(model):
    words = ["see you at lunch on day", "win money prize number"]
    rows = [f"{words[k % 2]} {k}" for k in range(60)]
    session = Session(rows, ["ham", "spam"], model=model, store=None, inline=True)
    for k in range(20):
        session.record(str(k), ["ham", "spam"][k % 2])
    session.retrain()
    assert session.last_error is None
    assert session.predictions["label"].tolist() == ["ham", "spam"] * 30
    again = pickle.loads(pickle.dumps(session.model))
    assert again.predict(rows[:4]).tolist() == ["ham", "spam"] * 2
    assert again.predict_proba(rows[:4]).shape == (4, 2) and is_classifier(again)
    if isinstance(model, OfNumbers):
        assert not hasattr(Coded(Perceptron()).fit([[0], [1]], ["a", "b"]), "predict_proba")


def test_what_fails_on_numbers_too_says_what_it_said_of_texts():
    class Fails(OfNumbers):
        def fit(self, X, y):
            raise ValueError(f"of {np.asarray(y).dtype.kind}")

    session = Session(
        ["a b", "c d", "e f"], ["ham", "spam"], model=Fails(), store=None, inline=True
    )
    session.record("0", "ham")
    session.record("1", "spam")
    with pytest.warns(UserWarning, match="ValueError: of U"):
        session.retrain()
