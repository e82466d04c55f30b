"""Default features by kind of item: what a light model can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, normalize

from ..renderers import PairRenderer, Renderer, SeveralRenderer
from ..renderers.text import as_text, strip_tags
from .arrays import as_arrays
from .bulk import as_items, sample, take
from .cells import IN_NUMBERS, as_categories, kind_of
from .images import ImageFeatures
from .scaling import BoundedScaler
from .series import SeriesFeatures
from .sounds import SoundFeatures, is_readable

#: Dimensions of an embedding of sparse features.
COMPONENTS = 64
#: Dimensions of sparse features where they are reduced for good.
LATENT = 200
#: The directions of an embedding are found from all items up to the first number, of a larger pool
#: from a sample of the second.
MOST_DECOMPOSED, SAMPLE_DECOMPOSED = 20_000, 5_000
#: A text column of a table row is read as text when its values are this long on average.
_LONG_TEXT = 25
#: Characters of scripts written without spaces between words.
_UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"


def learning_inputs(renderer: Renderer, values: Any) -> Any:
    """Turn the content of a pool into what features are computed from.

    Returns
    -------
    list of str, DataFrame, or sequence of images, series or sounds
        By the renderer's modality; None if the default model cannot learn from it. Of pairs all the
        first ones, then all the second.
    """
    if isinstance(renderer, PairRenderer):
        sides = [side for k in (0, 1) for side in (pair[k] for pair in values)]
        return learning_inputs(renderer.inner, sides)
    if isinstance(renderer, SeveralRenderer):
        rows = values if isinstance(values, pd.DataFrame) else pd.DataFrame(list(values))
        return learning_inputs(renderer.parts[renderer.main], rows[renderer.main])
    if renderer.modality == "text":
        text = getattr(renderer, "text", as_text)
        texts = [value if type(value) is str else text(value) for value in as_items(values)]
        return [strip_tags(text) for text in texts] if renderer.kind == "html" else texts
    if renderer.modality == "row":
        return values if isinstance(values, pd.DataFrame) else pd.DataFrame(list(values))
    if renderer.modality == "sound":
        rate = getattr(renderer, "rate", None)
        if rate is None:
            return values
        return [(item, rate) if isinstance(item, np.ndarray) else item for item in values]
    return values if renderer.modality in ("image", "series") else None


def can_learn(renderer: Renderer, inputs: Any) -> bool:
    """Whether the default features know something of the items: not if no sound can be read."""
    if inputs is None or renderer.modality != "sound":
        return inputs is not None
    return any(map(is_readable, take(inputs, sample(len(inputs), 0, 20))))


def default_features(modality: str | None, inputs: Any, *, dense: bool = False) -> Any:
    """Return the default transformer for a kind of item, unfitted; None if there is none.

    Parameters
    ----------
    modality : str or None
    inputs : sequence or DataFrame
    dense : bool
        Whether the rows must not be sparse: words are reduced to `Latent` dimensions.
    """
    if modality == "text":
        return make_pipeline(text_features(inputs), Latent()) if dense else text_features(inputs)
    if modality == "image":
        return ImageFeatures()
    if modality == "row":
        return row_features(inputs, dense=dense)
    if modality == "series":
        return SeriesFeatures()
    if modality == "sound":
        return SoundFeatures()
    return None


#: What scikit-learn says where there are no terms, or none that are there often enough.
_NO_TERMS = ("empty vocabulary", "no terms remain", "max_df corresponds to < documents than min_df")


class TermVectorizer(TfidfVectorizer):
    """TF-IDF, with one column of zeros where no text has a term, and not an error.

    A sample of a column that is rarely filled may have none.
    """

    def fit(self, raw_documents: Any, y: Any = None) -> TermVectorizer:
        """Learn the terms of some texts."""
        self.fit_transform(raw_documents)
        return self

    def fit_transform(self, raw_documents: Any, y: Any = None) -> Any:
        """Learn the terms of some texts, and return their rows."""
        self.is_empty_ = False
        try:
            return super().fit_transform(raw_documents)
        except ValueError as error:
            if not any(said in str(error) for said in _NO_TERMS):
                raise
            self.is_empty_ = True
            return self.transform(raw_documents)

    def transform(self, raw_documents: Any) -> Any:
        """Return CSR rows of texts."""
        if getattr(self, "is_empty_", False):
            return sparse.csr_matrix((len(list(raw_documents)), 1), dtype=self.dtype)
        return super().transform(raw_documents)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the terms."""
        if getattr(self, "is_empty_", False):
            return np.array([""], dtype=object)
        return np.asarray(super().get_feature_names_out(input_features))


def text_features(texts: Sequence[str]) -> TermVectorizer:
    """TF-IDF of words and bigrams; of character n-grams for scripts without spaces."""
    some = pd.Series(texts[:: max(1, len(texts) // 300)], dtype=object)
    unspaced = some.str.count(_UNSPACED).sum() > 0.3 * max(1, some.str.len().sum())
    wordless = not some.str.contains(r"\w").any()  # emoji only, say
    kind: dict[str, Any] = (
        {"analyzer": "char", "ngram_range": (1, 3)}
        if unspaced or wordless
        else {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"}
    )
    return TermVectorizer(
        sublinear_tf=True, min_df=2 if len(texts) > 2000 else 1, dtype=np.float32, **kind
    )


class Latent(TransformerMixin, BaseEstimator):
    """Sparse rows in few dimensions, each of length 1: truncated singular value decomposition."""

    @as_arrays
    def fit(self, rows: Any, y: Any = None) -> Latent:
        """Learn the dimensions; none of them if there are too few rows or columns."""
        width = min(LATENT, rows.shape[0] - 1, rows.shape[1] - 1)
        self.svd_ = None
        if width >= 2:
            svd = TruncatedSVD(width, algorithm="randomized", n_iter=3, random_state=0)
            with np.errstate(invalid="ignore", divide="ignore"):  # of items that are all alike
                self.svd_ = svd.fit(rows)
        return self

    @as_arrays
    def transform(self, rows: Any) -> NDArray[np.float32]:
        """Return float32 of shape (n_rows, n_dimensions); the rows themselves if there are none."""
        made = rows.toarray() if self.svd_ is None else self.svd_.transform(rows)
        return normalize(made.astype(np.float32))


def row_features(rows: pd.DataFrame, *, dense: bool = False) -> RowTransformer:
    """Numbers imputed and scaled, categories one-hot, long texts as TF-IDF."""
    rows = _named(rows)
    numeric: dict[str, list[Any]] = {"number": [], "time": []}
    texts: list[Any] = []
    categories: list[Any] = []
    for name in rows.columns:
        column = rows[name]
        kind = kind_of(column)
        if kind in numeric:
            numeric[kind].append(name)
        elif pd.api.types.is_bool_dtype(column):
            categories.append(name)
        else:
            known = column.dropna()
            length = known.astype(str).str.len().mean() if len(known) else 0
            long = length >= _LONG_TEXT and known.astype(str).nunique() > 0.5 * len(known)
            (texts if long else categories).append(name)
    parts: list[tuple[str, Any, Any]] = []
    for what, names in numeric.items():
        scale = make_pipeline(
            FunctionTransformer(IN_NUMBERS[what], feature_names_out="one-to-one"),
            SimpleImputer(strategy="median", keep_empty_features=True),
            BoundedScaler(),
        )
        if names:
            parts.append((f"{what}s", scale, names))
    if categories:
        one_hot = make_pipeline(
            FunctionTransformer(as_categories, feature_names_out="one-to-one"),
            OneHotEncoder(
                handle_unknown="infrequent_if_exist", max_categories=50, dtype=np.float32
            ),
        )
        parts.append(("categories", one_hot, categories))
    for place, name in enumerate(texts):
        words = make_pipeline(
            FunctionTransformer(_texts),
            TermVectorizer(dtype=np.float32),
            *([Latent()] if dense else []),
        )
        parts.append((f"text{place}", words, name))
    return RowTransformer(parts, sparse_threshold=0 if dense else 0.3)


class RowTransformer(ColumnTransformer, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Columns of a table as features, whatever their names are: to others a number is a place."""

    def fit(self, X: pd.DataFrame, y: Any = None, **params: Any) -> RowTransformer:
        """Learn from the rows of a table."""
        self.fit_transform(X, y, **params)
        return self

    @as_arrays
    def fit_transform(self, X: pd.DataFrame, y: Any = None, **params: Any) -> Any:
        """Learn from the rows of a table, and return their features."""
        return super().fit_transform(_named(X), y, **params)

    @as_arrays
    def transform(self, X: pd.DataFrame, **params: Any) -> Any:
        """Return the features of the rows of a table with the same columns."""
        return super().transform(_named(X), **params)


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a table all of whose names are text."""
    if all(isinstance(name, str) for name in rows.columns):
        return rows
    plain = [name.item() if isinstance(name, np.generic) else name for name in rows.columns]
    return rows.set_axis(list(map(repr, plain)), axis=1)


def _texts(column: pd.Series) -> list[str]:
    return [as_text(value) for value in column]


class Embedding:
    """A dense embedding of a pool, rows of length one, that clusters can be found in.

    Its rows are made when they are asked for: of a million items a few hundred are clustered.
    Sparse features are projected on the main directions of the pool (latent semantic analysis;
    Deerwester et al. 1990), found at the first call, in a large pool from a sample.

    Parameters
    ----------
    features : array or CSR matrix of shape (n_items, n_features)
    seed : int
        Of the sample and the decomposition.

    Attributes
    ----------
    shape : (int, int)
        Items, and dimensions: at most 64 for sparse features, all of dense ones.
    """

    dtype = np.dtype(np.float32)
    ndim = 2

    def __init__(self, features: Any, seed: int = 0) -> None:
        self._features = features
        self._seed = seed
        self._directions: tuple[NDArray[np.int32], NDArray[np.float32]] | None = None
        n_items, n_features = features.shape
        self._projects = sparse.issparse(features) and min(n_items, n_features) > 1
        width = min(COMPONENTS, n_features - 1, n_items - 1)
        self.shape = (n_items, width if self._projects else n_features)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, places: Any) -> NDArray[np.float32]:
        """Return the rows of some places: an array of places or of booleans, or a slice."""
        rows = self._features[places]
        if self._projects:
            place, directions = self._main_directions()
            arrays = (rows.data, place[rows.indices], rows.indptr)
            shape = (rows.shape[0], len(directions))
            rows = sparse.csr_matrix(arrays, shape=shape) @ directions
        elif sparse.issparse(rows):
            rows = rows.toarray()
        rows = np.asarray(rows, dtype=np.float32)
        lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
        return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)

    def similarities(self, place: int) -> NDArray[np.float32]:
        """Return the cosine of all items to one, of the features as they are: exact, no directions.

        Returns
        -------
        ndarray of shape (n_items,), float32
        """
        rows = self._features
        if sparse.issparse(rows):
            one = np.asarray(rows[[place]].toarray(), dtype=np.float32).ravel()
            made = np.asarray(rows @ one, dtype=np.float32)
            squares = np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float32).ravel()
        else:
            one = np.asarray(rows[place], dtype=np.float32)
            made, squares = np.empty((2, len(rows)), dtype=np.float32)
            for start in range(0, len(rows), 65_536):  # no copy of all of them
                part = np.asarray(rows[start : start + 65_536], dtype=np.float32)
                made[start : start + len(part)] = part @ one
                squares[start : start + len(part)] = np.einsum("ij,ij->i", part, part)
        lengths = np.sqrt(squares) * np.float32(np.linalg.norm(one))
        return np.divide(made, lengths, out=np.zeros_like(made), where=lengths > 0)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        made = self[:]
        return made if dtype is None else made.astype(dtype, copy=False)

    def _main_directions(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the row of each column in the directions, and the directions.

        The last row is zero: that of the columns that do not count.
        """
        if self._directions is None:
            sample, columns = self._features, np.arange(self._features.shape[1])
            if sample.shape[0] > MOST_DECOMPOSED:
                rng = np.random.default_rng(self._seed)
                drawn = rng.choice(sample.shape[0], SAMPLE_DECOMPOSED, replace=False)
                sample = sample[np.sort(drawn)]
                # What one item alone has makes no direction that is common to several.
                count = np.bincount(sample.indices, minlength=sample.shape[1])
                common = np.flatnonzero(count > 1)
                if len(common) > self.shape[1]:
                    sample, columns = sample[:, common], common
            svd = TruncatedSVD(
                self.shape[1], algorithm="randomized", n_iter=2, random_state=self._seed
            )
            with np.errstate(invalid="ignore", divide="ignore"):  # of items that are all alike
                svd.fit(sample)
            place = np.full(self._features.shape[1], len(columns), dtype=np.int32)
            place[columns] = np.arange(len(columns))
            directions = np.zeros((len(columns) + 1, self.shape[1]), dtype=np.float32)
            directions[:-1] = svd.components_.T
            self._directions = place, directions
        return self._directions


def embed(features: Any, seed: int = 0) -> NDArray[np.float32]:
    """Return the whole `Embedding` of some features as an array."""
    return np.asarray(Embedding(features, seed))
