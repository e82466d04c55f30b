"""Why a label is suggested: the words that speak for it in a linear model of text."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

#: Words are looked for in this many characters of a text.
_MOST_CHARACTERS = 20_000
_MOST_TERMS = 8
#: What a word must say, against the largest product of a feature and its weight.
_SHARE_OF_LARGEST = 0.25


class Terms:
    """The terms of a vectorizer in one block of bytes, which a process can share.

    Parameters
    ----------
    names : iterable of str
    """

    _made: weakref.WeakKeyDictionary[Any, Terms] = weakref.WeakKeyDictionary()

    def __init__(self, names: Iterable[str]) -> None:
        encoded = [str(name).encode("utf-8", "surrogatepass") for name in names]
        self._ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        self._bytes = np.frombuffer(b"".join(encoded), dtype=np.uint8)

    @classmethod
    def of(cls, vectorizer: Any) -> Terms:
        """Return the terms of a fitted vectorizer, made only once."""
        terms = cls._made.get(vectorizer)
        if terms is None:
            terms = cls._made[vectorizer] = cls(vectorizer.get_feature_names_out())
        return terms

    def __getitem__(self, place: int) -> str:
        start, end = self._ends[place], self._ends[place + 1]
        return self._bytes[start:end].tobytes().decode("utf-8", "surrogatepass")


class WordMarks:
    """Finds the words that speak for a class: linear SHAP (Lundberg and Lee, NIPS 2017).

    A word says as much as its weight times what the text has more of it than a usual one: a word
    that nearly all texts have explains none of them.

    Parameters
    ----------
    vectorizer : fitted CountVectorizer or TfidfVectorizer with ``analyzer="word"``
    coefficients : ndarray of shape (n_classes, n_terms), or (1, n_terms) for two classes
    classes : sequence of str
    columns : ndarray of int, optional
        Terms, in their order, that the coefficients are for; None: all.
    usual : ndarray of shape (n_all_terms,), optional
        Mean of each feature over the pool, see `usual_row`; None: zeros.
    """

    def __init__(
        self,
        vectorizer: Any,
        coefficients: Any,
        classes: Any,
        columns: Any = None,
        usual: Any = None,
    ) -> None:
        self._terms = Terms.of(vectorizer)
        self._token = re.compile(vectorizer.token_pattern)
        self._preprocess = vectorizer.build_preprocessor()
        coefficients = np.asarray(coefficients)
        # Most words weigh nothing: no labeled text has them.
        weighty = np.flatnonzero(coefficients.any(axis=0))
        self._columns = weighty if columns is None else columns[weighty]
        self._coefficients = coefficients[:, weighty]
        self._usual = np.zeros(len(weighty)) if usual is None else usual[self._columns]
        self._classes = [str(name) for name in classes]

    @classmethod
    def of(
        cls, features: Any, classifier: Any, columns: Any = None, usual: Any = None
    ) -> WordMarks | None:
        """Return marks for a fitted pair, None where words cannot be marked."""
        usable = (
            getattr(features, "analyzer", None) == "word"
            and hasattr(features, "vocabulary_")
            and callable(getattr(features, "build_preprocessor", None))
            and getattr(features, "tokenizer", None) is None
            # Not those of SVC, which are sparse: a row for each pair of classes.
            and isinstance(getattr(classifier, "coef_", None), np.ndarray)
            and classifier.coef_.ndim == 2
            and hasattr(classifier, "classes_")
        )
        if not usable:
            return None
        return cls(features, classifier.coef_, classifier.classes_, columns, usual)

    def marks(self, text: str, row: Any, label: str) -> list[tuple[int, int, float]]:
        """Return spans of the text that speak for a label.

        Parameters
        ----------
        text : str
        row : sparse row of shape (1, n_terms)
            The text's features.
        label : str

        Returns
        -------
        list of (start, end, weight)
            Character offsets, sorted, not overlapping; weight from 0 to 1.
        """
        weights = self._weights(row, label)
        if not weights:
            return []
        tokens = [
            (m.start(), m.end(), self._preprocess(m.group()))
            for m in self._token.finditer(text[:_MOST_CHARACTERS])
        ]
        best = max(weights.values())
        spans = []
        longest = max(term.count(" ") for term in weights) + 1
        for size in range(1, longest + 1):
            for k in range(len(tokens) - size + 1):
                term = " ".join(token[2] for token in tokens[k : k + size])
                if term in weights:
                    spans.append((tokens[k][0], tokens[k + size - 1][1], weights[term] / best))
        return _merge(spans)

    def _weights(self, row: Any, label: str) -> dict[str, float]:
        if label not in self._classes:
            return {}
        place = self._classes.index(label)
        row = row.tocsr()
        weighty = np.isin(row.indices, self._columns)
        terms = row.indices[weighty]
        places = np.searchsorted(self._columns, terms)
        columns = self._coefficients[:, places]
        if len(columns) == 1:  # two classes share one row of coefficients
            direction = columns[0] * (1 if place == 1 else -1)
        else:
            direction = columns[place] - columns.mean(axis=0)
        values = np.asarray(row.data[weighty], dtype=float)
        direction = np.maximum(direction, 0)  # less than usual of what speaks against is no reason
        contribution = (values - self._usual[places]) * direction
        if not len(contribution) or contribution.max() <= 0:
            return {}
        order = np.argsort(-contribution)[:_MOST_TERMS]
        # Not against the best contribution: in a text like all others that is next to nothing.
        least = (values * direction).max() * _SHARE_OF_LARGEST
        return {
            self._terms[terms[k]]: float(contribution[k]) for k in order if contribution[k] >= least
        }


def usual_row(matrix: Any) -> np.ndarray:
    """Return the mean row of a sparse matrix, of shape (n_terms,)."""
    return np.asarray(matrix.mean(axis=0)).ravel()


def _merge(spans: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    merged: list[tuple[int, int, float]] = []
    for start, end, weight in sorted(spans):
        if merged and start < merged[-1][1]:
            last = merged[-1]
            merged[-1] = (last[0], max(last[1], end), max(last[2], weight))
        else:
            merged.append((start, end, weight))
    return merged
