"""What texts are about, by vectors of their words that are learned from the pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from .bulk import sample, take

#: Dimensions of the vectors.
DIMENSIONS = 100
#: Words in one passage keep each other company.
PASSAGE = 100
#: The most frequent words get vectors, from so many texts.
_MOST_WORDS, _MOST_TEXTS = 20_000, 10_000
#: Contexts are smoothed by this power of their frequency: a rare one tells too much otherwise.
_SMOOTHING = 0.75


class MeanWordVectors(TransformerMixin, BaseEstimator):
    """Texts as the mean of the vectors of their words.

    Words have vectors alike if they keep the same company, so that two texts without a common word
    can still be neighbours. Vectors are those of the positive pointwise mutual information of words
    in one passage, reduced by a truncated singular value decomposition with square roots of the
    singular values (Bullinaria and Levy, Behavior Research Methods 2007; Levy, Goldberg, Dagan,
    TACL 2015). A text is the sum of its words' vectors by TF-IDF, less what all texts have in
    common (Arora, Liang, Ma, ICLR 2017).

    Attributes
    ----------
    vectors_ : ndarray of shape (n_words, n_dimensions), float32, or None
        None if no two words occur together often enough.
    """

    def fit(self, texts: Sequence[str], y: Any = None) -> MeanWordVectors:
        """Learn the vectors from the texts of a pool."""
        self.vectors_ = None
        self.vectorizer_ = TfidfVectorizer(
            token_pattern=r"(?u)\b\w+\b",
            sublinear_tf=True,
            norm=None,
            min_df=2,
            max_features=_MOST_WORDS,
            dtype=np.float32,
        )
        try:
            weights = self.vectorizer_.fit_transform(texts)
        except ValueError:  # no word occurs twice
            return self
        company = self._company(texts)
        width = min(DIMENSIONS, company.shape[0] - 1)
        if width < 2 or not company.nnz:
            return self
        svd = TruncatedSVD(width, algorithm="randomized", n_iter=4, random_state=0)
        with np.errstate(invalid="ignore", divide="ignore"):  # of words that are all alike
            left = svd.fit_transform(company)
        roots = np.sqrt(np.maximum(svd.singular_values_, 1e-12))
        self.vectors_ = normalize(left / roots).astype(np.float32)
        self.mean_ = self._sums(weights).mean(axis=0)
        return self

    def transform(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return float32 of shape (n_texts, n_dimensions), rows of length 1; zeros without a
        known word."""
        sums = self._sums(self.vectorizer_.transform(texts))
        return normalize(np.where(sums.any(axis=1, keepdims=True), sums - self.mean_, 0))

    def _sums(self, weights: sparse.csr_matrix) -> NDArray[np.float32]:
        """Sum the words' vectors by their weights in each text, rows of length 1 or 0."""
        return normalize(np.asarray(weights @ self.vectors_))

    def _company(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Positive pointwise mutual information of the words, (n_words, n_words)."""
        numbers = self.vectorizer_.vocabulary_
        words = self.vectorizer_.build_analyzer()
        places: list[int] = []
        starts = [0]
        for text in take(texts, sample(len(texts), 0, _MOST_TEXTS)):
            known = [numbers[word] for word in words(text) if word in numbers]
            for start in range(0, len(known), PASSAGE):
                places += known[start : start + PASSAGE]
                starts.append(len(places))
        shape = (len(starts) - 1, len(numbers))
        ones = np.ones(len(places), dtype=np.float32)
        passages = sparse.csr_matrix((ones, np.asarray(places, dtype=np.int32), starts), shape)
        passages.sum_duplicates()
        counts = np.asarray(passages.sum(axis=0)).ravel()
        pairs = (passages.T @ passages).tocsr()
        rows = np.repeat(np.arange(shape[1], dtype=np.int32), np.diff(pairs.indptr))
        itself = rows == pairs.indices
        pairs.data[itself] -= counts[rows[itself]]  # no word is company to itself
        totals = np.asarray(pairs.sum(axis=1)).ravel()
        contexts = counts**_SMOOTHING
        contexts /= contexts.sum()
        with np.errstate(divide="ignore", invalid="ignore"):  # what was subtracted
            pairs.data /= totals[rows] * contexts[pairs.indices]
            np.log(pairs.data, out=pairs.data)
        pairs.data[~(pairs.data > 0)] = 0
        pairs.eliminate_zeros()
        return pairs
