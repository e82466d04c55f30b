"""Views: several representations of one pool, learned from it without labels.

What counts with few labels is the representation. Words alone know nothing of an item that shares
no word with a labeled one; characters, latent dimensions, and what an item's neighbours look like
do. Each view is a block of columns whose rows have a length of about 1, so that blocks can be
joined and compared; which of them to trust is for the labels to say (`multiview`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_approximation import Nystroem
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from .._progress import report
from .features import text_features

#: Larger pools keep to one view: to find each item's neighbours is quadratic.
MOST_ITEMS = 30_000
#: Dimensions of the latent view of sparse features.
LATENT = 200
#: An item's neighbourhood, itself included.
NEIGHBORS = 10
#: Landmarks of the radial kernel.
LANDMARKS = 300
#: Characters of a text that n-grams of characters are made from.
_MOST_CHARACTERS = 1000
_MOST_CHARACTER_TERMS = 200_000
#: Sparse features with more columns are reduced before neighbours are looked for.
_MOST_DENSE = 1000

Blocks = dict[str, Any]


class TextViews(TransformerMixin, BaseEstimator):
    """Texts as words, characters, latent dimensions, and the mean of their nearest neighbours.

    Words and bigrams; n-grams of 2 to 5 characters within words; latent semantic analysis of both
    (Deerwester et al. 1990); and its mean over the nearest neighbours in the pool.

    Attributes
    ----------
    candidates : mapping of name to names of blocks
        The representations to choose from; the first is the one to begin with.
    vectorizer_ : TfidfVectorizer
        Of the block ``"words"``.
    """

    candidates: Mapping[str, tuple[str, ...]] = {
        "words, characters and neighbours": ("words", "characters", "latent", "neighbors"),
        "words and characters": ("words", "characters"),
        "words": ("words",),
    }

    def fit(self, texts: Sequence[str], y: Any = None) -> TextViews:
        """Learn the views from a pool."""
        self.fit_blocks(texts)
        return self

    def fit_blocks(self, texts: Sequence[str]) -> Blocks:
        """Learn the views and return the pool's blocks, each with one row per item."""
        self.vectorizer_ = text_features(texts)
        blocks: Blocks = {"words": self.vectorizer_.fit_transform(texts).tocsr()}
        report(0.2)
        self.characters_ = None
        if self.vectorizer_.analyzer == "word":
            vectorizer = TfidfVectorizer(
                analyzer="char_wb",
                ngram_range=(2, 5),
                sublinear_tf=True,
                min_df=2 if len(texts) > 1000 else 1,
                max_features=_MOST_CHARACTER_TERMS,
                dtype=np.float32,
            )
            try:
                made = vectorizer.fit_transform(_beginnings(texts)).tocsr()
            except ValueError:  # no n-gram occurs twice
                pass
            else:
                self.characters_ = vectorizer
                blocks["characters"] = made
        report(0.5)
        joined = _joined(blocks.values())
        self.latent_ = Latent().fit(joined)
        report(0.8)
        if self.latent_.svd_ is not None:
            blocks["latent"] = self.latent_.transform(joined)
            self.neighbors_ = NeighborMean(unit=True).fit(blocks["latent"])
            blocks["neighbors"] = self.neighbors_.transform(blocks["latent"])
        report(1.0)
        return blocks

    def transform_blocks(self, texts: Sequence[str]) -> Blocks:
        """Return the blocks of new texts."""
        blocks: Blocks = {"words": self.vectorizer_.transform(texts).tocsr()}
        if self.characters_ is not None:
            blocks["characters"] = self.characters_.transform(_beginnings(texts)).tocsr()
        if self.latent_.svd_ is not None:
            blocks["latent"] = self.latent_.transform(_joined(blocks.values()))
            blocks["neighbors"] = self.neighbors_.transform(blocks["latent"])
        return blocks


class DenseViews(TransformerMixin, BaseEstimator):
    """Rows of numbers as they are, with the mean of their neighbours, and seen by a radial kernel.

    Parameters
    ----------
    transformer : transformer or None
        Makes rows of numbers from the items; None if they are such rows.

    Attributes
    ----------
    candidates : mapping of name to names of blocks
    """

    candidates: Mapping[str, tuple[str, ...]] = {
        "features and neighbours": ("features", "neighbors"),
        "features": ("features",),
        "radial kernel": ("radial", "radial_neighbors"),
    }

    def __init__(self, transformer: Any = None) -> None:
        self.transformer = transformer

    def fit(self, items: Any, y: Any = None) -> DenseViews:
        """Learn the views from a pool."""
        self.fit_blocks(items)
        return self

    def fit_blocks(self, items: Any) -> Blocks:
        """Learn the views and return the pool's blocks, each with one row per item."""
        self.transformer_ = None if self.transformer is None else clone(self.transformer)
        with np.errstate(invalid="ignore"):  # the variance of items that are all alike
            rows = items if self.transformer_ is None else self.transformer_.fit_transform(items)
        self.scale_ = 1.0 / max(_mean_length(rows), 1e-12)
        scaled = self._scaled(rows)
        wide = sparse.issparse(scaled) and scaled.shape[1] > _MOST_DENSE
        self.latent_ = Latent().fit(scaled) if wide else None
        dense = self._dense(scaled)
        if dense is None:
            return {"features": scaled}
        report(0.5)
        self.neighbors_ = NeighborMean().fit(dense)
        near = self.neighbors_.transform(dense)
        self.kernels_ = {
            name: Nystroem(
                gamma=_median_gamma(source),
                n_components=min(LANDMARKS, len(source)),
                random_state=0,
            ).fit(source)
            for name, source in (("radial", dense), ("radial_neighbors", near))
        }
        report(1.0)
        return self._blocks(scaled, dense, near)

    def transform_blocks(self, items: Any) -> Blocks:
        """Return the blocks of new items."""
        rows = items if self.transformer_ is None else self.transformer_.transform(items)
        scaled = self._scaled(rows)
        dense = self._dense(scaled)
        if dense is None:
            return {"features": scaled}
        return self._blocks(scaled, dense, self.neighbors_.transform(dense))

    def _dense(self, scaled: Any) -> NDArray[np.float32] | None:
        """Return the rows that can have neighbours, None if there are too few to reduce them."""
        if self.latent_ is not None:
            return None if self.latent_.svd_ is None else self.latent_.transform(scaled)
        return scaled.toarray() if sparse.issparse(scaled) else scaled

    def _blocks(self, scaled: Any, dense: NDArray[Any], near: NDArray[Any]) -> Blocks:
        sources = {"radial": dense, "radial_neighbors": near}
        return {
            "features": dense if self.latent_ is None else scaled,
            "neighbors": near,
            **{
                name: kernel.transform(sources[name]).astype(np.float32)
                for name, kernel in self.kernels_.items()
            },
        }

    def _scaled(self, rows: Any) -> Any:
        if sparse.issparse(rows):
            return (rows.tocsr() * self.scale_).astype(np.float32)
        return np.asarray(rows, dtype=np.float32) * np.float32(self.scale_)


class ChosenViews(TransformerMixin, BaseEstimator):
    """Some blocks of fitted views side by side: what a classifier gets to see.

    Parameters
    ----------
    views : fitted TextViews or DenseViews
    names : tuple of str
        The blocks, in order.
    """

    def __init__(self, views: Any, names: tuple[str, ...]) -> None:
        self.views = views
        self.names = names

    def fit(self, items: Any, y: Any = None) -> ChosenViews:
        """Do nothing: the views are fitted already."""
        return self

    def transform(self, items: Any) -> Any:
        """Return rows of a length of about 1, CSR or dense float32."""
        return self.joined(self.views.transform_blocks(items))

    def joined(self, blocks: Blocks) -> Any:
        """Return the same from blocks that are there already."""
        return _joined([blocks[name] for name in self.names]) * np.float32(
            1.0 / np.sqrt(len(self.names))
        )

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Latent(TransformerMixin, BaseEstimator):
    """Sparse rows in few dimensions, each of length 1: truncated singular value decomposition."""

    def fit(self, rows: Any, y: Any = None) -> Latent:
        """Learn the dimensions; none of them if there are too few rows or columns."""
        width = min(LATENT, rows.shape[0] - 1, rows.shape[1] - 1)
        self.svd_ = None
        if width >= 2:
            svd = TruncatedSVD(width, algorithm="randomized", n_iter=3, random_state=0)
            with np.errstate(invalid="ignore"):  # the variance of items that are all alike
                self.svd_ = svd.fit(rows)
        return self

    def transform(self, rows: Any) -> NDArray[np.float32]:
        """Return float32 of shape (n_rows, n_dimensions)."""
        assert self.svd_ is not None
        return normalize(self.svd_.transform(rows).astype(np.float32))


class NeighborMean(TransformerMixin, BaseEstimator):
    """The mean of each row's nearest neighbours among the rows of the pool.

    Averaging over neighbours is one step of label-free smoothing on the neighbourhood graph, as in
    simplified graph convolution (Wu et al., ICML 2019).

    Parameters
    ----------
    n_neighbors : int
    unit : bool
        Whether rows are made length 1.
    """

    def __init__(self, n_neighbors: int = NEIGHBORS, unit: bool = False) -> None:
        self.n_neighbors = n_neighbors
        self.unit = unit

    def fit(self, rows: NDArray[np.float32], y: Any = None) -> NeighborMean:
        """Keep the rows of the pool."""
        self.rows_ = np.ascontiguousarray(rows, dtype=np.float32)
        k = min(self.n_neighbors, len(rows))
        self.search_ = NearestNeighbors(n_neighbors=k).fit(self.rows_)
        return self

    def transform(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 of the same shape."""
        rows = np.ascontiguousarray(rows, dtype=np.float32)
        made = np.empty_like(rows)
        for start in range(0, len(rows), 2000):  # a neighbourhood is ten times its row
            part = slice(start, start + 2000)
            near = self.search_.kneighbors(rows[part], return_distance=False)
            made[part] = self.rows_[near].mean(axis=1)
        return normalize(made) if self.unit else made


def _joined(blocks: Any) -> Any:
    parts = list(blocks)
    if any(sparse.issparse(part) for part in parts):
        return sparse.hstack([sparse.csr_matrix(part) for part in parts], format="csr")
    return np.hstack(parts)


def _beginnings(texts: Sequence[str]) -> list[str]:
    return [text[:_MOST_CHARACTERS] for text in texts]


def _mean_length(rows: Any) -> float:
    squares = rows.multiply(rows).sum() if sparse.issparse(rows) else np.square(rows).sum()
    return float(np.sqrt(squares / max(1, rows.shape[0])))


def _median_gamma(rows: NDArray[np.float32]) -> float:
    """The median heuristic: at a middling distance the kernel is 1/e."""
    drawn = np.random.default_rng(0).permutation(len(rows))[:500]
    some = rows[drawn].astype(np.float64)
    squared = np.square(some).sum(axis=1)
    distances = squared[:, None] + squared[None, :] - 2 * some @ some.T
    apart = distances[distances > 1e-12]
    return 1.0 / float(np.median(apart)) if len(apart) else 1.0
