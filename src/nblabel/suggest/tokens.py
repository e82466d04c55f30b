"""Spans from labeled spans: a linear model over tokens, and the best legal sequence of tags."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from .._progress import report
from ..strategies import Rows
from .features import Embedding, text_features
from .linear import Scores, fit_linear
from .model import Snapshot

#: Features of tokens are hashed into so many columns.
WIDTH = 1 << 20
#: Longer texts are read up to here, in characters.
MOST_CHARACTERS = 20_000
_TOKEN = re.compile(r"\w+|[^\w\s]")
_OUTSIDE = "O"


@dataclass(frozen=True)
class Tokens:
    """Tokens of texts, one after the other.

    Attributes
    ----------
    starts, ends : ndarray of shape (n_tokens,), int32
        In characters of their text.
    bounds : ndarray of shape (n_texts + 1,), int64
        Text k has the tokens ``bounds[k]:bounds[k + 1]``.
    features : CSR matrix of shape (n_tokens, WIDTH), float32
        Of ones.
    """

    starts: NDArray[np.int32]
    ends: NDArray[np.int32]
    bounds: NDArray[np.int64]
    features: Any

    @classmethod
    def of(cls, texts: Sequence[str]) -> Tokens:
        """Tokenize texts into words and single signs."""
        starts: list[int] = []
        ends: list[int] = []
        bounds = [0]
        columns: list[NDArray[np.int64]] = []
        for number, text in enumerate(texts):
            if number % 512 == 0:
                report(number / len(texts))
            found = [(m.start(), m.end()) for m in _TOKEN.finditer(text[:MOST_CHARACTERS])]
            starts.extend(start for start, _ in found)
            ends.extend(end for _, end in found)
            bounds.append(len(starts))
            columns.append(_features([text[start:end] for start, end in found]))
        made = np.concatenate(columns) if columns else np.empty((0, N_FEATURES), dtype=np.int64)
        n_tokens = len(starts)
        features = sparse.csr_matrix(
            (
                np.ones(made.size, dtype=np.float32),
                made.ravel().astype(np.int32),
                np.arange(0, made.size + 1, N_FEATURES, dtype=np.int64),
            ),
            shape=(n_tokens, WIDTH),
        )
        return cls(
            np.array(starts, dtype=np.int32),
            np.array(ends, dtype=np.int32),
            np.array(bounds, dtype=np.int64),
            features,
        )


#: Columns that are set for each token, see `_features`.
N_FEATURES = 15


def _features(words: list[str]) -> NDArray[np.int64]:
    """Return the columns of each token: the word, its parts and form, and those beside it."""
    lower = [word.lower() for word in words]
    shapes = [_shape(word) for word in words]
    n = len(words)
    made = np.empty((n, N_FEATURES), dtype=np.int64)
    for k in range(n):
        before, after = (lower[k - 1] if k else "<"), (lower[k + 1] if k + 1 < n else ">")
        before2 = lower[k - 2] if k > 1 else "<"
        after2 = lower[k + 2] if k + 2 < n else ">"
        shape_before = shapes[k - 1] if k else "<"
        shape_after = shapes[k + 1] if k + 1 < n else ">"
        word = lower[k]
        made[k] = [
            _column("w", word),
            _column("s", shapes[k]),
            _column("p2", word[:2]),
            _column("p4", word[:4]),
            _column("e2", word[-2:]),
            _column("e3", word[-3:]),
            _column("b", before),
            _column("a", after),
            _column("bb", before2),
            _column("aa", after2),
            _column("bw", before, word),
            _column("wa", word, after),
            _column("sb", shape_before, shapes[k]),
            _column("sa", shapes[k], shape_after),
            _column("at", str(min(k, 3)), shapes[k]),
        ]
    return made


def _column(*parts: str) -> int:
    # The same in every process, unlike hash().
    return zlib.crc32("\x1f".join(parts).encode("utf-8", "replace")) % WIDTH


def _shape(word: str) -> str:
    """Return the form of a word: capitals, small letters, digits, each kind once."""
    made: list[str] = []
    for sign in word:
        kind = "X" if sign.isupper() else "x" if sign.isalpha() else "0" if sign.isdigit() else sign
        if not made or made[-1] != kind:
            made.append(kind)
    return "".join(made)[:8]


class TokenSuggester:
    """Learns to mark spans in texts.

    Multinomial logistic regression over hashed features of each token and its neighbours, with the
    tags *begins* and *inside* for each label and *outside* (Ramshaw and Marcus 1995); the best
    sequence of tags that makes whole spans is found by Viterbi's algorithm, as in a maximum entropy
    Markov model without the cost of training one. Spans inside others are not suggested.

    Parameters
    ----------
    texts : list of str
    classes : tuple of str
    """

    column = None

    def __init__(self, texts: list[str], classes: tuple[str, ...]) -> None:
        self.texts = texts
        self.tags = (_OUTSIDE, *(f"{kind}-{name}" for name in classes for kind in "BI"))
        self._tokens: Tokens | None = None
        self._embedding: Embedding | None = None

    def tokens(self) -> Tokens:
        """Return the tokens of the pool, made at the first call."""
        if self._tokens is None:
            self._tokens = Tokens.of(self.texts)
        return self._tokens

    def embedding(self) -> NDArray[np.float32] | Rows | None:
        """Return dense features of the texts, rows of length one."""
        if self._embedding is None:
            words = normalize(text_features(self.texts).fit_transform(self.texts))
            self._embedding = Embedding(words)
        return self._embedding

    def fit(self, snapshot: Snapshot) -> FittedTokens:
        """Fit on the labeled texts."""
        tokens = self.tokens()
        places: list[NDArray[np.int64]] = []
        codes: list[NDArray[np.intp]] = []
        for position, spans in zip(snapshot.positions, snapshot.targets, strict=True):
            low, high = tokens.bounds[position], tokens.bounds[position + 1]
            places.append(np.arange(low, high))
            codes.append(self._codes(tokens.starts[low:high], tokens.ends[low:high], spans))
        rows = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
        targets = np.concatenate(codes) if codes else np.empty(0, dtype=np.intp)
        return FittedTokens(self, _fit(tokens.features[rows], targets, len(self.tags)))

    def _codes(
        self, starts: NDArray[np.int32], ends: NDArray[np.int32], spans: Sequence[Any]
    ) -> NDArray[np.intp]:
        codes = np.zeros(len(starts), dtype=np.intp)
        for span in sorted(spans, key=lambda span: span["start"] - span["end"]):
            inside = np.flatnonzero((starts < span["end"]) & (ends > span["start"]))
            if len(inside) and not codes[inside].any():  # the longest one of those that overlap
                begins = self.tags.index(f"B-{span['label']}")
                codes[inside] = begins + 1
                codes[inside[0]] = begins
        return codes


@dataclass(frozen=True)
class Weights:
    """A linear model of tags over the columns that were seen.

    Attributes
    ----------
    columns : ndarray of shape (n_columns,), int
    coef : ndarray of shape (n_columns, n_seen), float32
    intercept : ndarray of shape (n_seen,), float32
    seen : ndarray of shape (n_seen,), int
        Places of the tags that it knows.
    n_tags : int
    """

    columns: NDArray[np.intp]
    coef: NDArray[np.float32]
    intercept: NDArray[np.float32]
    seen: NDArray[np.intp]
    n_tags: int

    def log_proba(self, features: Any) -> NDArray[np.float32]:
        """Return log probabilities of shape (n_tokens, n_tags)."""
        scores = np.asarray(features[:, self.columns] @ self.coef) + self.intercept
        scores -= scores.max(axis=1, keepdims=True)
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        made = np.full((len(scores), self.n_tags), -30.0, dtype=np.float32)
        made[:, self.seen] = scores
        return made


def _fit(features: Any, targets: NDArray[np.intp], n_tags: int) -> Weights:
    seen = np.unique(targets)
    if len(seen) < 2:  # nothing but one tag so far
        known = seen if len(seen) else np.zeros(1, dtype=np.intp)
        empty = np.empty(0, dtype=np.intp)
        return Weights(empty, np.empty((0, 1), np.float32), np.zeros(1, np.float32), known, n_tags)
    model = LogisticRegression(C=2.0, max_iter=60)
    columns = fit_linear(model, features, targets.astype(str))
    if columns is None:
        columns = np.arange(features.shape[1])
    known = model.classes_.astype(np.intp)
    coef, intercept = model.coef_, model.intercept_
    if len(known) == 2:
        coef, intercept = np.vstack([0 * coef, coef]), np.concatenate([0 * intercept, intercept])
    return Weights(columns, coef.T.astype(np.float32), intercept.astype(np.float32), known, n_tags)


class Tagger:
    """Marks spans in texts, without the pool that it learned from.

    Parameters
    ----------
    weights : Weights
    tags : tuple of str
    texts : list of str
        Of the pool.
    """

    def __init__(self, weights: Weights, tags: tuple[str, ...], texts: list[str]) -> None:
        self._weights = weights
        self._tags = tags
        self._texts = texts

    def value(self, position: int) -> tuple[list[dict[str, Any]], float]:
        """Return the spans of an item of the pool, and how sure the least sure of them is."""
        return self.tag([self._texts[position]])[0]

    def tag(self, texts: Sequence[str]) -> list[tuple[list[dict[str, Any]], float]]:
        """Return for each text its spans, and the probability of the least sure tag."""
        tokens = Tokens.of(list(texts))
        logs = self._weights.log_proba(tokens.features)
        made = []
        for k in range(len(texts)):
            part = slice(tokens.bounds[k], tokens.bounds[k + 1])
            path = viterbi(logs[part], self._tags)
            spans = _spans(path, tokens.starts[part], tokens.ends[part], self._tags)
            chosen = logs[part][np.arange(len(path)), path]
            made.append((spans, float(np.exp(chosen.min())) if len(path) else 1.0))
        return made


class FittedTokens:
    """What `TokenSuggester` has learned."""

    takes_items = True

    def __init__(self, suggester: TokenSuggester, weights: Weights) -> None:
        self._weights = weights
        self._tokens = suggester.tokens()
        #: Makes the suggestion of an item when it is shown; light beside the rest.
        self.tagger = Tagger(weights, suggester.tags, suggester.texts)

    @property
    def model(self) -> Tagger:
        """Marks spans in new texts: ``model.tag(texts)``."""
        return self.tagger

    def predict(self) -> Scores:
        """Predict how sure the tags of every text are."""
        tokens = self._tokens
        doubt = np.zeros(tokens.features.shape[0], dtype=np.float32)
        for start in range(0, len(doubt), 1 << 16):
            part = slice(start, start + (1 << 16))
            proba = np.exp(self._weights.log_proba(tokens.features[part]))
            top = np.partition(proba, -2, axis=1)[:, -2:]
            doubt[part] = 1.0 - (top[:, 1] - top[:, 0])
        unsure = _least_sure(doubt, tokens.bounds)
        proba = np.column_stack([1.0 - unsure / 2, unsure / 2]).astype(np.float32)
        return Scores(("sure", "unsure"), proba, True, unsure)

    def marks(self, position: int, label: str) -> list[tuple[int, int, float]]:
        """Return nothing: the suggestion is marked itself."""
        return []


def _least_sure(
    doubt: NDArray[np.float32], bounds: NDArray[np.int64], most: int = 3
) -> NDArray[np.float32]:
    """Return the mean doubt of the least sure tokens of each text."""
    made = np.zeros(len(bounds) - 1, dtype=np.float32)
    for k, (low, high) in enumerate(pairwise(bounds.tolist())):
        part = doubt[low:high]
        if len(part) > most:
            part = np.partition(part, -most)[-most:]
        if len(part):
            made[k] = part.mean()
    return made


def viterbi(logs: NDArray[np.float32], tags: Sequence[str]) -> NDArray[np.intp]:
    """Return the most probable sequence of tags in which every *inside* follows its own label.

    Parameters
    ----------
    logs : ndarray of shape (n_tokens, n_tags)
        Log probabilities.
    tags : sequence of str

    Returns
    -------
    ndarray of shape (n_tokens,), int
    """
    n, k = logs.shape
    if not n:
        return np.empty(0, dtype=np.intp)
    allowed = np.array(
        [
            [
                not after.startswith("I-") or (before != _OUTSIDE and before[2:] == after[2:])
                for after in tags
            ]
            for before in tags
        ]
    )
    steps = np.where(allowed, 0.0, -np.inf)
    first = np.array([-np.inf if tag.startswith("I-") else 0.0 for tag in tags])
    best = logs[0] + first
    came = np.zeros((n, k), dtype=np.intp)
    for t in range(1, n):
        ways = best[:, None] + steps
        came[t] = ways.argmax(axis=0)
        best = ways[came[t], np.arange(k)] + logs[t]
    path = np.empty(n, dtype=np.intp)
    path[-1] = int(best.argmax())
    for t in range(n - 1, 0, -1):
        path[t - 1] = came[t, path[t]]
    return path


def _spans(
    path: NDArray[np.intp],
    starts: NDArray[np.int32],
    ends: NDArray[np.int32],
    tags: Sequence[str],
) -> list[dict[str, Any]]:
    spans: list[dict[str, Any]] = []
    for place, code in enumerate(path):
        kind, _, name = tags[code].partition("-")
        if kind == "B":
            spans.append({"start": int(starts[place]), "end": int(ends[place]), "label": name})
        elif kind == "I":
            spans[-1]["end"] = int(ends[place])
    return spans
