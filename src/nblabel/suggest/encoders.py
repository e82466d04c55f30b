"""Features by a function of the items, such as embeddings: each item is computed once, ever."""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin

from .._cache import RowCache, digest_of_folder, keys_of
from .._identity import identity
from .._progress import report
from .._threads import one_thread
from ..errors import OptionError
from ..pool import content_bytes
from ..renderers.image import read_rgb
from .bulk import take
from .given import LARGEST

#: Begins the name of a model: ``features="sentence-transformers:all-MiniLM-L6-v2"``.
PREFIX = "sentence-transformers:"
#: Items that a function is given at once: as many as take about so many seconds, so that progress
#: is said, and a cancel heard, in time.
FEWEST, MOST, SECONDS = 16, 4096, 1.0
#: Rows go to disk when they are so many, or took so long to compute: what a cancel may cost.
KEEP_ROWS, KEEP_SECONDS = 16_384, 10.0


class Encoder(TransformerMixin, BaseEstimator):
    """Rows of numbers by a function of the items, computed in chunks and kept on disk.

    An item that was computed before, in this session or another, is looked up by its content and by
    what the function is (see `_identity`). Sparse rows are not kept.

    Parameters
    ----------
    function : callable
        Gets some of the items and returns a row of numbers for each: an array or sparse matrix of
        shape (n_items, n_features). A row may depend on its item alone.
    modality : str or None
        Kind of the items: texts come as a list of str, table rows as a DataFrame, an array of
        images as an array, all else as a list.
    """

    def __init__(self, function: Callable[[Any], Any], modality: str | None = None) -> None:
        self.function = function
        self.modality = modality
        self._identity: str | None = None
        if isinstance(function, SentenceTransformers):  # known only once it was downloaded
            return
        try:
            self._identity = identity(function)
        except TypeError as error:
            warnings.warn(
                f"The features by {_name(function)} are computed anew in each session: what it "
                f"holds cannot be told apart ({error}). Give it an attribute cache_key, a text "
                "that you change when its results change, and they are kept on disk.",
                stacklevel=2,
            )

    def __sklearn_clone__(self) -> Encoder:
        return self  # it learns nothing

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def fit(self, items: Any, y: Any = None) -> Encoder:
        """Do nothing."""
        return self

    def transform(self, items: Any) -> Any:
        """Return the rows of items.

        Returns
        -------
        ndarray of shape (n_items, n_features), float32, or CSR matrix

        Raises
        ------
        OptionError
            If the function returns anything else, or the model cannot be loaded.
        Exception
            Of the function.
        """
        if isinstance(items, pd.Series):
            items = items.tolist()
        keys, lasting = keys_of(_contents(items, self.modality))
        # Of items that are alike only the first is looked up and computed.
        unique, first, same = np.unique(keys, return_index=True, return_inverse=True)
        cache = self._cache()
        rows: NDArray[np.float32] | None = None
        found = np.zeros(len(unique), dtype=bool)
        for places, stored in cache.read(unique) if cache is not None else ():
            if rows is None:
                rows = np.empty((len(items), stored.shape[1]), dtype=np.float32)
            if rows.shape[1] != stored.shape[1]:
                return self._anew(items, cache)
            rows[first[places]] = stored
            found[places] = True
        lacking = np.sort(first[~found])
        parts = []
        with _Keeping(cache, keys, lasting) as keeping:
            for places, part in self._computed(items, lacking):
                if sparse.issparse(part):
                    parts.append(part)
                elif rows is None:
                    rows = np.empty((len(items), part.shape[1]), dtype=np.float32)
                if rows is not None and (parts or rows.shape[1] != part.shape[1]):
                    return self._anew(items, cache)
                if rows is not None:
                    rows[places] = part
                    keeping.add(places, part)
        report(1.0)
        source = first[same]  # the item that was computed for each
        if parts:
            return sparse.vstack(parts, format="csr")[np.searchsorted(lacking, source)]
        assert rows is not None
        copies = np.flatnonzero(source != np.arange(len(source)))
        rows[copies] = rows[source[copies]]
        return rows

    def _cache(self) -> RowCache | None:
        name = self._identity
        if isinstance(self.function, SentenceTransformers):
            name = identity(self.function)
        return None if name is None else RowCache(name)

    def _anew(self, items: Any, cache: RowCache | None) -> Any:
        """Forget rows that are of another kind than those computed now, and begin again."""
        if cache is None or not cache.clear():
            raise OptionError(
                f"{_name(self.function)} made rows of another kind or length than before; they "
                "must be alike for all items."
            )
        return self.transform(items)

    def _computed(
        self, items: Any, places: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.intp], Any]]:
        """Yield some places and their rows, until all have theirs."""
        start, size = 0, 4 * FEWEST
        width: tuple[int, bool] | None = None
        while start < len(places):
            report(start / len(places))
            chunk = places[start : start + size]
            began = time.monotonic()
            with one_thread.lifted():
                made = self.function(take(items, chunk))
            rows = _checked(made, len(chunk), _name(self.function))
            kind = rows.shape[1], sparse.issparse(rows)
            if width is not None and kind != width:
                raise OptionError(
                    f"features= must make rows that are alike for all items; "
                    f"{_name(self.function)} made rows of {width[0]} and of {kind[0]} numbers."
                )
            width = kind
            yield chunk, rows
            start += len(chunk)
            took = time.monotonic() - began
            if took < SECONDS / 2:
                size = min(2 * size, MOST)
            elif took > 2 * SECONDS:
                size = max(size // 2, FEWEST)


class _Keeping:
    """Writes rows to a cache now and then, and what is left at the end, whatever ended it."""

    def __init__(
        self, cache: RowCache | None, keys: NDArray[np.bytes_], lasting: NDArray[np.bool_]
    ) -> None:
        self._cache = cache
        self._keys = keys
        self._lasting = lasting
        self._waiting: list[tuple[NDArray[np.intp], NDArray[np.float32]]] = []
        self._since = time.monotonic()
        self._wrote = False

    def __enter__(self) -> _Keeping:
        return self

    def add(self, places: NDArray[np.intp], rows: NDArray[np.float32]) -> None:
        """Keep the rows of some places."""
        self._waiting.append((places, rows))
        many = sum(len(places) for places, _ in self._waiting) >= KEEP_ROWS
        if many or time.monotonic() - self._since > KEEP_SECONDS:
            self._write()

    def __exit__(self, *_: object) -> None:
        self._write()
        if self._wrote and self._cache is not None:
            self._cache.tidy()

    def _write(self) -> None:
        if self._waiting and self._cache is not None:
            places = np.concatenate([places for places, _ in self._waiting])
            rows = np.concatenate([rows for _, rows in self._waiting])
            lasting = self._lasting[places]
            self._cache.write(self._keys[places[lasting]], rows[lasting])
            self._wrote = True
        self._waiting = []
        self._since = time.monotonic()


class SentenceTransformers:
    """Embeddings of texts or images by a model of the package sentence-transformers.

    Reimers and Gurevych: Sentence-BERT, EMNLP 2019. The model is loaded when it is first needed.

    Parameters
    ----------
    model : str
        A folder, or a name on the Hugging Face hub, from where it is downloaded once.
    modality : str or None

    Raises
    ------
    OptionError
        If the package is not installed, or the items are neither texts nor images.
    """

    def __init__(self, model: str, modality: str | None) -> None:
        self.model = model
        self.modality = modality
        self._loaded: Any = None
        if not model.strip():
            raise OptionError(f"features={PREFIX!r} needs the name of a model behind the colon.")
        if modality not in ("text", "image"):
            raise OptionError(
                f"features={PREFIX + model!r} reads texts or images: say text='column', or give a "
                "function that makes texts of the items and encodes them."
            )
        if importlib.util.find_spec("sentence_transformers") is None:
            raise OptionError(
                f"features={PREFIX + model!r} needs a package that is not installed: run "
                "`%pip install sentence-transformers` in a cell, then this cell again."
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_loaded": None}  # a process loads its own

    def __call__(self, items: Any) -> NDArray[np.float32]:
        """Return one embedding for each item."""
        if self.modality == "image":
            items = [read_rgb(item) for item in items]
        made = self._load().encode(list(items), show_progress_bar=False, convert_to_numpy=True)
        return np.asarray(made)

    @cached_property
    def cache_key(self) -> str:
        """Name and revision of the model."""
        if os.path.isdir(self.model):
            return f"files {digest_of_folder(self.model)}"
        revision = self._revision()
        if revision is None:
            self._load()
            revision = self._revision()
        return f"{self.model} {revision or ''}"

    def _revision(self) -> str | None:
        """Return the commit of the model on this machine, None if it is not there."""
        from huggingface_hub import try_to_load_from_cache

        for name in (self.model, f"sentence-transformers/{self.model}"):
            for file in ("modules.json", "config.json"):
                try:
                    path = try_to_load_from_cache(name, file)
                except ValueError:  # no name of a model
                    continue
                if isinstance(path, str):
                    return Path(path).parent.name
        return None

    def _load(self) -> Any:
        if self._loaded is None:
            package = importlib.import_module("sentence_transformers")
            try:
                self._loaded = package.SentenceTransformer(self.model)
            except Exception as error:
                raise OptionError(
                    f"The model {self.model!r} could not be loaded ({type(error).__name__}: "
                    f"{error}). It is a folder, or a name on the Hugging Face hub, from where it "
                    "is downloaded once: check the name and the connection. Without one, download "
                    "it elsewhere and give the folder."
                ) from error
        return self._loaded


def as_encoder(features: Any, modality: str | None) -> Encoder | None:
    """Return what computes features by a function, None if they are anything else.

    Parameters
    ----------
    features : Encoder, callable, object with ``encode(items)``, or anything else
        Or ``"sentence-transformers:<model>"``.
    modality : str or None

    Raises
    ------
    OptionError
        If it names a model that cannot be used.
    """
    if isinstance(features, Encoder):
        return features
    if isinstance(features, str):
        if not features.startswith(PREFIX):
            return None
        return Encoder(SentenceTransformers(features[len(PREFIX) :], modality), modality)
    if isinstance(features, type) or hasattr(features, "shape") or hasattr(features, "transform"):
        return None
    encode = getattr(features, "encode", None)
    function = encode if callable(encode) else features
    return Encoder(function, modality) if callable(function) else None


def _contents(items: Any, modality: str | None) -> Iterator[bytes | None]:
    """Yield bytes for each item, as a function gets it to see."""
    if isinstance(items, pd.DataFrame):
        names = [str(name) for name in items.columns]
        for values in items.itertuples(index=False, name=None):
            yield _typed(dict(zip(names, values, strict=True)))
        return
    for item in items:
        if modality in ("image", "sound"):  # what is in the file counts, not its name
            if isinstance(item, Mapping) and "array" not in item and not item.get("bytes"):
                item = item.get("path")
            if isinstance(item, str):
                item = Path(item).expanduser()
        yield _typed(item)


def _typed(value: Any) -> bytes | None:
    """Return bytes that tell an item from any other: None, an empty text and 1 and "1", too."""
    if isinstance(value, (Mapping, list, tuple)):
        parts = value.values() if isinstance(value, Mapping) else value
        keys, lasting = keys_of(map(_typed, parts))
        names = list(value) if isinstance(value, Mapping) else len(value)
        content = repr(names).encode() + keys.tobytes() if lasting.all() else None
    else:
        content = content_bytes(value, plain=True)
    return None if content is None else type(value).__name__.encode() + b":" + content


def _checked(made: Any, n_items: int, name: str) -> Any:
    """Return rows as float32, dense or CSR."""
    is_sparse = sparse.issparse(made)
    if made is None:
        raise OptionError(f"features= must make one row of numbers per item; {name} returned None.")
    try:
        rows = made.tocsr() if is_sparse else np.asarray(made)
        if rows.dtype.kind == "O":
            rows = rows.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise OptionError(
            f"features= must make one row of numbers per item; what {name} returned is none "
            f"({type(made).__name__}: {error})."
        ) from None
    if rows.dtype.kind not in "fiub":
        raise OptionError(
            f"features= must make numbers; {name} returned {type(made).__name__} of {rows.dtype}."
        )
    if rows.ndim != 2 or rows.shape[0] != n_items or not rows.shape[1]:
        raise OptionError(
            f"features= must make one row per item: {name} was given {n_items} items and returned "
            f"the shape {rows.shape}, expected ({n_items}, n_features)."
        )
    with np.errstate(over="ignore"):
        rows = rows.astype(np.float32)
    bad = ~(np.abs(rows.data if is_sparse else rows) <= LARGEST)
    if bad.any():
        raise OptionError(
            f"features= must make finite numbers; {name} made {int(bad.sum())} NaN, infinite "
            f"or huge values for {n_items} items. Fill them, or scale those beyond {LARGEST:.0e}."
        )
    return rows


def _name(function: Any) -> str:
    if isinstance(function, SentenceTransformers):
        return f"{PREFIX}{function.model}"
    return getattr(function, "__qualname__", type(function).__name__)
