"""Features of large pools: learned from a sample, computed chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import TransformerMixin

from .._progress import Reading, report, within

#: A transformer that needs no more than this many items to learn from gets a random sample.
SAMPLE = 50_000
#: Items that are transformed at a time.
CHUNK = 4096


def sample(n_items: int, seed: int, size: int = SAMPLE) -> NDArray[np.intp]:
    """Return the places of a random sample, sorted; all of them if there are no more."""
    if n_items <= size:
        return np.arange(n_items)
    return np.sort(np.random.default_rng((seed, 2)).choice(n_items, size, replace=False))


def as_items(values: Any) -> Any:
    """Return items one by one: the rows of a table as dicts, as a renderer gets them."""
    if not isinstance(values, pd.DataFrame):
        return values
    names = list(map(str, values.columns))
    return [dict(zip(names, row, strict=True)) for row in values.itertuples(index=False, name=None)]


def take(inputs: Any, positions: NDArray[np.intp]) -> Any:
    """Return some of the inputs, in the form that they have."""
    if isinstance(inputs, (pd.DataFrame, pd.Series)):
        return inputs.iloc[positions]
    if isinstance(inputs, np.ndarray):
        return inputs[positions]
    return [inputs[position] for position in positions]


def n_items(inputs: Any) -> int:
    """Return how many inputs there are, in whatever form."""
    return int(inputs.shape[0]) if hasattr(inputs, "shape") else len(inputs)


def by_chunks(function: Callable[[Any], Any], inputs: Any, size: int) -> list[Any]:
    """Return what a function makes of each chunk of the inputs, and report how far it is.

    What the function itself reports counts as a part of that.
    """
    made, n_inputs = [], n_items(inputs)
    for start in range(0, n_inputs, size):
        report(start / n_inputs)
        end = min(start + size, n_inputs)
        with within(start / n_inputs, end / n_inputs):
            made.append(function(take(inputs, np.arange(start, end))))
    return made


def transform(transformer: Any, inputs: Any) -> Any:
    """Transform inputs chunk by chunk with a fitted transformer, and report how far it is.

    Returns
    -------
    ndarray or CSR matrix of shape (n_items, n_features)
    """
    parts = by_chunks(transformer.transform, inputs, CHUNK)
    if sparse.issparse(parts[0]):
        return sparse.vstack(parts, format="csr")
    return np.concatenate(parts)


def fit_transform(transformer: Any, inputs: Any, modality: str | None = None) -> Any:
    """Fit a transformer and transform the same inputs, and report how far it is where it shows.

    Chunk by chunk where it fits and transforms apart, which most transformers of items do. One that
    does both at once gets all: of texts it shows how far they were read.

    Returns
    -------
    ndarray or CSR matrix of shape (n_items, n_features)
    """
    at_once = getattr(type(transformer), "fit_transform", None)
    if at_once is not None and at_once is not TransformerMixin.fit_transform:
        return transformer.fit_transform(Reading(inputs) if modality == "text" else inputs)
    if hasattr(transformer, "fit"):
        transformer.fit(inputs)
    return transform(transformer, inputs) if len(inputs) > CHUNK else transformer.transform(inputs)
