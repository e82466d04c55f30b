"""Views: several representations of one pool, learned from it without labels.

What counts with few labels is the representation. Words alone know nothing of an item that shares
no word with a labeled one; characters, latent dimensions, and what an item's neighbours look like
do. Each view is a block of columns whose rows have a length of about 1, so that blocks can be
joined and compared; a model for each of several joins is what `multiview` learns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics import euclidean_distances
from sklearn.metrics.pairwise import manhattan_distances
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from .._progress import report, within
from .arrays import as_arrays
from .bulk import by_chunks, n_items, sample, take
from .features import LATENT, Latent, text_features
from .matrices import Beside, joined
from .meanings import MeanWordVectors

#: Larger pools keep to one view.
MOST_ITEMS = 100_000
#: To find each item's neighbours is quadratic: from a pool larger than the first number the views
#: are learned from a sample of the second, and the other items are like new ones.
MOST_LEARNED, SAMPLE_LEARNED = 30_000, 10_000
#: An item's neighbourhood, itself included.
NEIGHBORS = 10
#: Landmarks of the radial kernel.
LANDMARKS = 300
#: Characters of a text that n-grams of characters are made from.
_MOST_CHARACTERS = 1000
_MOST_CHARACTER_TERMS = 200_000
#: Sparse features with more columns are reduced before neighbours are looked for.
_MOST_DENSE = 1000
#: How far the last row is behind the first one that is as near, of the largest number in them.
_BEHIND = 1e-3
#: Items that are looked at together where they are like new ones.
_CHUNK = 5000

Blocks = dict[str, Any]

#: Cosine of two items from which on they are near duplicates, where nothing else is known.
NEAR_COSINE = 0.999
#: Views of images, in two parts: edges, and pixels.
OF_IMAGES: Mapping[str, tuple[str, ...]] = {
    "edges and neighbours": ("first_features", "first_neighbors"),
    "radial kernel of edges": ("first_radial", "first_radial_neighbors", "first_diffusion"),
    "Laplacian kernel of pixels": ("second_laplacian", "second_laplacian_neighbors"),
}


def _two_of_each(first: str, second: str) -> Mapping[str, tuple[str, ...]]:
    return {
        f"{first} and neighbours": ("first_features", "first_neighbors"),
        f"radial kernel of {first}": ("first_radial", "first_radial_neighbors", "first_diffusion"),
        f"{second} and neighbours": ("second_features", "second_neighbors"),
        f"Laplacian kernel of {second}": ("second_laplacian", "second_laplacian_neighbors"),
    }


#: Views of series, in two parts: patterns, and the course.
OF_SERIES = _two_of_each("patterns", "the course")
#: Views of sounds, in two parts: the edges of their spectrogram, and timbre.
OF_SOUNDS = _two_of_each("edges", "timbre")


class Views(TransformerMixin, BaseEstimator):
    """What all views of a pool have.

    Attributes
    ----------
    candidates : mapping of name to names of blocks
        The representations.
    space : tuple of str
        The blocks in which items are near each other or far.
    whole : tuple of str
        The blocks that together say all that is known of an item.
    near : tuple of str
        The blocks that near duplicates are told by; none where features do not say so.
    near_cosine : float
        From which on two items are.
    """

    candidates: Mapping[str, tuple[str, ...]]
    space: tuple[str, ...]
    whole: tuple[str, ...]
    near: tuple[str, ...] = ()
    near_cosine = NEAR_COSINE

    @as_arrays
    def fit(self, items: Any, y: Any = None) -> Any:
        """Learn the views from a pool."""
        self.fit_blocks(items)
        return self

    @as_arrays
    def pool_blocks(self, items: Any) -> Blocks:
        """Learn the views from a pool and return its blocks; from a sample if it is a large one."""
        n = n_items(items)
        if n <= MOST_LEARNED:
            return self.fit_blocks(items)
        drawn = sample(n, 0, SAMPLE_LEARNED)
        others = np.setdiff1d(np.arange(n), drawn)
        with within(0.0, 0.3):
            made = [self.fit_blocks(take(items, drawn))]
        with within(0.3, 1.0):
            made += by_chunks(lambda some: self.transform_blocks(take(items, some)), others, _CHUNK)
        order = np.argsort(np.concatenate([drawn, others]))
        # Each block goes as it is joined: all of them twice would be too much.
        return {name: _in_order([part.pop(name) for part in made], order) for name in list(made[0])}

    def fit_blocks(self, items: Any) -> Blocks:
        """Learn the views and return the pool's blocks, each with one row per item."""
        raise NotImplementedError

    def transform_blocks(self, items: Any, wanted: Collection[str] | None = None) -> Blocks:
        """Return the blocks of new items: at least those that are wanted, None for all."""
        raise NotImplementedError


class TextViews(Views):
    """Texts as words, characters, latent dimensions, meanings, and their nearest neighbours.

    Words and bigrams; n-grams of 2 to 5 characters within words; latent semantic analysis of both
    (Deerwester et al. 1990); its mean over the nearest neighbours among the texts learned from, and
    their place in the whole graph of neighbours; vectors of words learned from these texts, and
    their mean over the nearest neighbours by them.

    Attributes
    ----------
    candidates : mapping of name to names of blocks
        The representations, the richest first.
    vectorizer_ : TfidfVectorizer
        Of the block ``"words"``.
    """

    candidates: Mapping[str, tuple[str, ...]] = {
        "words, characters and neighbours": (
            "words",
            "characters",
            "latent",
            "neighbors",
            "diffusion",
        ),
        "words, characters and meanings": (
            "words",
            "characters",
            "meanings",
            "meaning_neighbors",
        ),
    }
    space: tuple[str, ...] = ("latent", "neighbors", "meanings", "meaning_neighbors")
    whole: tuple[str, ...] = candidates["words, characters and neighbours"]

    def fit_blocks(self, texts: Sequence[str]) -> Blocks:
        """Learn the views and return the pool's blocks, each with one row per item."""
        self.vectorizer_ = text_features(texts)
        blocks: Blocks = {"words": self.vectorizer_.fit_transform(texts).tocsr()}
        report(0.2)
        self.characters_ = self.meanings_ = None
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
            report(0.4)
            meanings = MeanWordVectors().fit(_beginnings(texts))
            if meanings.vectors_ is not None:
                self.meanings_ = meanings
        report(0.5)
        terms = joined(list(blocks.values()))
        self.latent_ = Latent().fit(terms)
        report(0.8)
        if self.latent_.svd_ is not None:
            blocks["latent"] = self.latent_.transform(terms)
            self.neighbors_ = NeighborMean(unit=True).fit(blocks["latent"])
            near = self.neighbors_.near(blocks["latent"])
            self.diffusion_ = Diffusion().fit(near)
            blocks["neighbors"] = self.neighbors_.mean(near)
            blocks["diffusion"] = self.diffusion_.transform(near)
        if self.meanings_ is not None:
            blocks["meanings"] = self.meanings_.transform(_beginnings(texts))
            self.meaning_neighbors_ = NeighborMean(unit=True).fit(blocks["meanings"])
            blocks["meaning_neighbors"] = self.meaning_neighbors_.transform(blocks["meanings"])
        report(1.0)
        return blocks

    def transform_blocks(
        self, texts: Sequence[str], wanted: Collection[str] | None = None
    ) -> Blocks:
        """Return the blocks of new texts: nearly all come with the others."""
        blocks: Blocks = {"words": self.vectorizer_.transform(texts).tocsr()}
        if self.characters_ is not None:
            blocks["characters"] = self.characters_.transform(_beginnings(texts)).tocsr()
        if self.latent_.svd_ is not None:
            blocks["latent"] = self.latent_.transform(joined(list(blocks.values())))
            near = self.neighbors_.near(blocks["latent"])
            blocks["neighbors"] = self.neighbors_.mean(near)
            blocks["diffusion"] = self.diffusion_.transform(near)
        if self.meanings_ is not None:
            blocks["meanings"] = self.meanings_.transform(_beginnings(texts))
            blocks["meaning_neighbors"] = self.meaning_neighbors_.transform(blocks["meanings"])
        return blocks


class DenseViews(Views):
    """Rows of numbers as they are, seen by kernels, and what their nearest neighbours are.

    A Gaussian kernel and a Laplacian one, which sees a step in one column better, each of the rows
    and of the means of their neighbours (landmarks: Williams and Seeger, NIPS 2000).

    Parameters
    ----------
    transformer : transformer or None
        Makes rows of numbers from the items; None if they are such rows.
    wanted : tuple of str or None
        The blocks that are made; None makes all of the candidates.

    Attributes
    ----------
    candidates : mapping of name to names of blocks
        The representations, one of the features themselves first.
    space : tuple of str
        By distance: two rows in one direction may be far apart.
    """

    candidates: Mapping[str, tuple[str, ...]] = {
        "features and neighbours": ("features", "neighbors"),
        "radial kernel": ("radial", "radial_neighbors", "diffusion"),
        "Laplacian kernel": ("laplacian", "laplacian_neighbors"),
    }
    space: tuple[str, ...] = ("radial", "radial_neighbors")
    whole: tuple[str, ...] = candidates["features and neighbours"]

    def __init__(self, transformer: Any = None, wanted: tuple[str, ...] | None = None) -> None:
        self.transformer = transformer
        self.wanted = wanted

    def fit_blocks(self, items: Any) -> Blocks:
        """Learn the views and return the pool's blocks, each with one row per item."""
        self.transformer_ = None if self.transformer is None else clone(self.transformer)
        # The variance of items that are all alike is no number.
        with np.errstate(invalid="ignore"), within(0.0, 0.5):
            rows = items if self.transformer_ is None else self.transformer_.fit_transform(items)
        self.scale_ = scale_of(rows)
        scaled = self._scaled(rows)
        wide = sparse.issparse(scaled) and scaled.shape[1] > _MOST_DENSE
        self.latent_ = Latent().fit(scaled) if wide else None
        dense = self._dense(scaled)
        if dense is None:
            return {"features": scaled}
        report(0.5)
        self.neighbors_ = NeighborMean().fit(dense)
        near = self.neighbors_.near(dense)
        self.diffusion_ = Diffusion().fit(near) if self._makes("diffusion") else None
        mean = self.neighbors_.mean(near)
        self.kernels_ = {
            name + ending: Nystroem(
                kernel,
                gamma=_median_gamma(rows, kernel),
                n_components=min(LANDMARKS, len(rows)),
                random_state=0,
            ).fit(rows.astype(np.float64))  # where landmarks are alike rounding would count
            for name, kernel in (("radial", "rbf"), ("laplacian", "laplacian"))
            for ending, rows in (("", dense), ("_neighbors", mean))
            if self._makes(name + ending)
        }
        report(1.0)
        return self._blocks(scaled, dense, near, mean)

    def transform_blocks(self, items: Any, wanted: Collection[str] | None = None) -> Blocks:
        """Return the blocks of new items that are wanted."""
        rows = items if self.transformer_ is None else self.transformer_.transform(items)
        scaled = self._scaled(rows)
        dense = self._dense(scaled)
        if dense is None:
            return {"features": scaled}
        near = self.neighbors_.near(dense)
        return self._blocks(scaled, dense, near, self.neighbors_.mean(near), wanted)

    def _dense(self, scaled: Any) -> NDArray[np.float32] | None:
        """Return the rows that can have neighbours, None if there are too few to reduce them."""
        if self.latent_ is not None:
            return None if self.latent_.svd_ is None else self.latent_.transform(scaled)
        return scaled.toarray() if sparse.issparse(scaled) else scaled

    def _blocks(
        self,
        scaled: Any,
        dense: NDArray[Any],
        near: NDArray[np.intp],
        mean: NDArray[Any],
        wanted: Collection[str] | None = None,
    ) -> Blocks:
        made = {"features": dense if self.latent_ is None else scaled, "neighbors": mean}
        if self.diffusion_ is not None:
            made["diffusion"] = self.diffusion_.transform(near)
        for name, kernel in self.kernels_.items():
            if wanted is None or name in wanted:
                rows = mean if name.endswith("_neighbors") else dense
                made[name] = kernel.transform(rows).astype(np.float32)
        return {name: block for name, block in made.items() if self._makes(name)}

    def _makes(self, name: str) -> bool:
        return self.wanted is None or name in self.wanted

    def _scaled(self, rows: Any) -> Any:
        return scaled(rows, self.scale_)


class PartedViews(Views):
    """Items in two parts, each as in `DenseViews`, and so both together.

    The names of the blocks of the second part begin with "second_", those of both with "both_".

    Parameters
    ----------
    transformer : transformer
        Makes both parts of the items, side by side; fitted it has ``n_first_``, the columns of the
        first, such as `ImageFeatures`. It may know its own ``near_cosine``.
    candidates : mapping of name to names of blocks
        The representations, such as `OF_IMAGES`.

    Attributes
    ----------
    space, whole, near : tuple of str
        Of both: what is alike is alike in either part.
    """

    space: tuple[str, ...] = ("both_radial", "both_radial_neighbors")
    whole: tuple[str, ...] = ("both_features", "both_neighbors")
    near: tuple[str, ...] = ("both_features",)

    def __init__(self, transformer: Any, candidates: Mapping[str, tuple[str, ...]]) -> None:
        self.transformer = transformer
        self.candidates = candidates
        self.near_cosine = getattr(transformer, "near_cosine", NEAR_COSINE)

    def fit_blocks(self, items: Any) -> Blocks:
        """Learn the views and return the pool's blocks, each with one row per item."""
        wanted = {name for names in self.candidates.values() for name in names}
        wanted.update(self.space, self.whole)
        self.transformer_ = clone(self.transformer)
        with within(0.0, 0.5):
            parts = self._parts(self.transformer_.fit_transform(items))
        self.views_ = {}
        made: Blocks = {}
        for k, (start, rows) in enumerate(parts.items()):
            self.views_[start] = DenseViews(wanted=_without(start, wanted))
            with within(0.5 + k / 6, 0.5 + (k + 1) / 6):
                made |= _named(start, self.views_[start].fit_blocks(rows))
        return made

    def transform_blocks(self, items: Any, wanted: Collection[str] | None = None) -> Blocks:
        """Return the blocks of new items that are wanted."""
        made: Blocks = {}
        for start, rows in self._parts(self.transformer_.transform(items)).items():
            names = None if wanted is None else _without(start, wanted)
            if names is None or names:
                made |= _named(start, self.views_[start].transform_blocks(rows, names))
        return made

    def _parts(self, rows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        first, second = np.split(rows, [self.transformer_.n_first_], axis=1)
        return {"first_": first, "second_": second, "both_": rows}


def _in_order(parts: list[Any], order: NDArray[np.intp]) -> Any:
    """Return the rows of several parts of a block in another order; the parts are let go of."""
    join = partial(sparse.vstack, format="csr") if sparse.issparse(parts[0]) else np.concatenate
    made = join(parts)
    parts.clear()
    return made[order]


def _without(start: str, names: Collection[str]) -> tuple[str, ...]:
    return tuple(name.removeprefix(start) for name in names if name.startswith(start))


def _named(start: str, blocks: Blocks) -> Blocks:
    return {start + name: block for name, block in blocks.items()}


class ChosenViews(TransformerMixin, BaseEstimator):
    """Some blocks of fitted views side by side: what a classifier gets to see.

    They stay those of the pool that they were learned from, without labels: in a clone, too, so
    that a model can be cross-validated on them.

    Parameters
    ----------
    views : fitted TextViews, DenseViews or PartedViews
    names : tuple of str
        The blocks, in order.
    scale : float, optional
        What all numbers are multiplied by; by default what makes rows about as long as 1.
    """

    def __init__(self, views: Any, names: tuple[str, ...], scale: float | None = None) -> None:
        self.views = views
        self.names = names
        self.scale = scale

    def fit(self, items: Any, y: Any = None) -> ChosenViews:
        """Do nothing: the views are fitted already."""
        return self

    @as_arrays
    def transform(self, items: Any) -> Any:
        """Return rows, CSR or dense float32."""
        return self.beside(self.views.transform_blocks(items, self.names)).joined()

    def beside(self, blocks: Blocks) -> Beside:
        """Return the same of blocks that are there already, as blocks."""
        scale = 1.0 / np.sqrt(len(self.names)) if self.scale is None else self.scale
        return Beside([blocks[name] for name in self.names], scale)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_clone__(self) -> ChosenViews:
        return ChosenViews(self.views, self.names, self.scale)


class NeighborMean(TransformerMixin, BaseEstimator):
    """The mean of each row's nearest neighbours among the rows it was fitted on.

    Averaging over neighbours is one step of label-free smoothing on the neighbourhood graph, as in
    simplified graph convolution (Wu et al., ICML 2019).

    Of rows that are as near, as in tables of few values, the first ones count, whatever the number
    of threads.

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
        """Keep the rows."""
        self.rows_ = np.ascontiguousarray(rows, dtype=np.float32)
        k = min(self.n_neighbors, len(rows))
        # In a coordinate where all who look are 0, each is a little behind the one before it.
        largest = max(self.rows_.max(initial=0), -self.rows_.min(initial=0)) or 1.0
        behind = np.linspace(0, _BEHIND * largest, len(rows), dtype=np.float32)
        self.search_ = NearestNeighbors(n_neighbors=k).fit(np.column_stack([self.rows_, behind]))
        return self

    def near(self, rows: NDArray[np.float32]) -> NDArray[np.intp]:
        """Return the places of each row's nearest neighbours, of shape (n_rows, n_neighbors)."""
        rows = np.column_stack([rows, np.zeros(len(rows))]).astype(np.float32)
        return np.asarray(self.search_.kneighbors(rows, return_distance=False))

    def mean(self, near: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the mean of the rows at each row of places, float32."""
        made = _mean_at(self.rows_, near)
        return normalize(made) if self.unit else made

    def transform(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return float32 of the same shape."""
        return self.mean(self.near(rows))


class Diffusion(BaseEstimator):
    """Where each item lies in the graph of neighbours: who is reached from it, and how easily.

    Coordinates whose inner products are those of the diffusion kernel ``(I - alpha S)^-2``, with S
    the normalised adjacency of the graph: label spreading (Zhou et al., NIPS 2003) as a view of the
    pool (Smola and Kondor, COLT 2003), so that any linear model learns on it, and new items get the
    mean of their neighbours. Of that matrix the part in a random subspace that it has amplified
    itself (Halko, Martinsson, Tropp, SIAM Review 2011), by a few steps along the graph each time.

    Parameters
    ----------
    alpha : float
        Share that goes on with each step.
    n_steps : int
    n_components : int
    """

    def __init__(self, alpha: float = 0.9, n_steps: int = 10, n_components: int = LATENT) -> None:
        self.alpha = alpha
        self.n_steps = n_steps
        self.n_components = n_components

    def fit(self, near: NDArray[np.intp], y: Any = None) -> Diffusion:
        """Learn the coordinates from the neighbours of each item, (n_items, n_neighbors)."""
        n, k = near.shape
        edges = sparse.csr_matrix(
            (np.ones(near.size, np.float32), near.ravel(), np.arange(0, near.size + 1, k)), (n, n)
        )
        graph = edges.maximum(edges.T).tocsr()
        graph = graph - sparse.diags(graph.diagonal(), dtype=np.float32)
        scale = sparse.diags(
            1 / np.sqrt(np.maximum(np.asarray(graph.sum(axis=1)).ravel(), 1)), dtype=np.float32
        )
        graph = scale @ graph @ scale
        drawn = np.random.default_rng(0).normal(size=(n, min(self.n_components, n)))
        reached = self._spread(graph, drawn.astype(np.float32))
        self.coordinates_ = self._spread(graph, np.linalg.qr(reached)[0])
        return self

    def transform(self, near: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the mean place of the neighbours, of length 1, from their places in the pool."""
        return normalize(_mean_at(self.coordinates_, near))

    def _spread(self, graph: Any, start: NDArray[np.float32]) -> NDArray[np.float32]:
        made = start
        for _ in range(self.n_steps):
            made = self.alpha * (graph @ made) + (1 - self.alpha) * start
        return np.asarray(made, dtype=np.float32)


def _mean_at(rows: NDArray[np.float32], near: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the mean of the rows at each row of places."""
    made = np.empty((len(near), rows.shape[1]), dtype=np.float32)
    for start in range(0, len(near), 2000):  # a neighbourhood is ten times its row
        part = slice(start, start + 2000)
        made[part] = rows[near[part]].mean(axis=1)
    return made


def _beginnings(texts: Sequence[str]) -> list[str]:
    return [text[:_MOST_CHARACTERS] for text in texts]


def scale_of(rows: Any) -> float:
    """Return what makes the mean squared length of some rows, dense or sparse, one."""
    squares = rows.multiply(rows).sum() if sparse.issparse(rows) else np.square(rows).sum()
    return 1.0 / max(float(np.sqrt(squares / max(1, rows.shape[0]))), 1e-12)


def scaled(rows: Any, by: float) -> Any:
    """Return rows, dense or CSR, in single precision and times a number."""
    if sparse.issparse(rows):
        return (rows.tocsr() * by).astype(np.float32, copy=False)
    return np.asarray(rows, dtype=np.float32) * np.float32(by)


def _median_gamma(rows: NDArray[np.float32], kernel: str) -> float:
    """The median heuristic: at a middling distance the kernel is 1/e."""
    drawn = np.random.default_rng(0).permutation(len(rows))[:500]
    some = rows[drawn].astype(np.float64)
    squared = kernel == "rbf"
    distances = euclidean_distances(some, squared=True) if squared else manhattan_distances(some)
    apart = distances[distances > 1e-12]
    return 1.0 / float(np.median(apart)) if len(apart) else 1.0
