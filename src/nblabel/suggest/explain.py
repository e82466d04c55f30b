"""Why a label is suggested: the words that speak for it in a linear model of text."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

#: Words are looked for in this many characters of a text.
_MOST_CHARACTERS = 20_000
_MOST_TERMS = 8
_SHARE_OF_BEST = 0.25


class WordMarks:
    """Finds the words whose weight speaks for a class.

    Parameters
    ----------
    vectorizer : fitted CountVectorizer or TfidfVectorizer with ``analyzer="word"``
    classifier : fitted linear classifier with ``coef_`` and ``classes_``
    columns : ndarray of int, optional
        Terms, in their order, that the classifier was fitted on; None: all.
    """

    def __init__(self, vectorizer: Any, classifier: Any, columns: Any = None) -> None:
        self._terms = vectorizer.get_feature_names_out()
        self._token = re.compile(vectorizer.token_pattern)
        self._preprocess = vectorizer.build_preprocessor()
        coefficients = np.asarray(classifier.coef_)
        self._columns = np.arange(coefficients.shape[1]) if columns is None else columns
        self._coefficients = coefficients
        self._classes = [str(name) for name in classifier.classes_]

    @classmethod
    def of(cls, features: Any, classifier: Any, columns: Any = None) -> WordMarks | None:
        """Return marks for a fitted pair, None where words cannot be marked."""
        usable = (
            getattr(features, "analyzer", None) == "word"
            and hasattr(features, "vocabulary_")
            and callable(getattr(features, "build_preprocessor", None))
            and getattr(features, "tokenizer", None) is None
            and getattr(getattr(classifier, "coef_", None), "ndim", 0) == 2
            and hasattr(classifier, "classes_")
        )
        return cls(features, classifier, columns) if usable else None

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
        columns = self._coefficients[:, np.searchsorted(self._columns, terms)]
        if len(columns) == 1:  # two classes share one row of coefficients
            direction = columns[0] * (1 if place == 1 else -1)
        else:
            direction = columns[place] - columns.mean(axis=0)
        contribution = np.asarray(row.data[weighty] * direction, dtype=float)
        if not len(contribution) or contribution.max() <= 0:
            return {}
        order = np.argsort(-contribution)[:_MOST_TERMS]
        least = contribution[order[0]] * _SHARE_OF_BEST
        return {
            str(self._terms[terms[k]]): float(contribution[k])
            for k in order
            if contribution[k] >= least
        }


def _merge(spans: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    merged: list[tuple[int, int, float]] = []
    for start, end, weight in sorted(spans):
        if merged and start < merged[-1][1]:
            last = merged[-1]
            merged[-1] = (last[0], max(last[1], end), max(last[2], weight))
        else:
            merged.append((start, end, weight))
    return merged
