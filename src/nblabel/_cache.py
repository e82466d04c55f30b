"""Features on disk: each row under a digest of its item, so that nothing is computed twice.

A folder for each way of computing (see `_identity`), in it files of rows, each a plain ``.npy``
that is named by a digest of what it holds: a file that was damaged, or cut short, is not what its
name says, is ignored and goes. Files are never changed. One appears under its name when it is
whole, so several kernels may read and write at the same time; at worst a row is there twice.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

#: Bytes that all features together may take; those not used for longest go first.
MOST_BYTES = 4 << 30
#: Bytes of a digest of an item.
KEY_BYTES = 16
#: Files with fewer rows than this are joined when there are many of them.
SMALL = 4096
MOST_SMALL = 16
#: Seconds after which an unfinished file is nobody's.
_STALE = 86_400
_KEY = np.dtype(f"S{KEY_BYTES}")


def cache_folder() -> Path:
    """Return where features are kept: ``NBLABEL_CACHE_DIR``, by default the user's cache folder."""
    given = os.environ.get("NBLABEL_CACHE_DIR")
    base = (
        Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("nblabel", False))
    )
    return base / "features"


def clear_cache() -> int:
    """Remove all features that are kept on disk; they are computed again when they are needed.

    They lie in the user's cache folder, or where the environment variable ``NBLABEL_CACHE_DIR``
    says. Labels are kept elsewhere and stay.

    Returns
    -------
    int
        Bytes that were freed.
    """
    folder = cache_folder()
    freed = sum(_size(path) for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder, ignore_errors=True)
    return freed


def keys_of(
    contents: Iterable[bytes | None],
) -> tuple[NDArray[np.bytes_], NDArray[np.bool_]]:
    """Return keys of contents, and which of them last; without content it is for now only.

    Returns
    -------
    keys : ndarray of shape (n_items,), S16
    lasting : ndarray of shape (n_items,), bool
    """
    keys, lasting = [], []
    for place, content in enumerate(contents):
        known = b"" if content is not None else b"without content"
        data = content if content is not None else str(place).encode()
        keys.append(hashlib.blake2b(data, digest_size=KEY_BYTES, key=known).digest())
        lasting.append(content is not None)
    return np.array(keys, dtype=_KEY), np.array(lasting, dtype=bool)


def digest_of_folder(path: str | os.PathLike[str]) -> str:
    """Digest of all files of a folder, such as those of a model."""
    hashed = hashlib.blake2b(digest_size=KEY_BYTES)
    root = Path(path)
    for file in sorted(part for part in root.rglob("*") if part.is_file()):
        hashed.update(f"{file.relative_to(root).as_posix()}\0{_size(file)}\0".encode())
        with open(file, "rb") as opened:
            while chunk := opened.read(1 << 20):
                hashed.update(chunk)
    return hashed.hexdigest()


class RowCache:
    """Rows of numbers under keys, on disk.

    What cannot be read is not there; what cannot be written is not kept: no error comes from here.

    Parameters
    ----------
    name : str
        Digest of how the rows are computed.
    """

    def __init__(self, name: str) -> None:
        self._folder = cache_folder() / name

    def read(
        self, keys: NDArray[np.bytes_]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Look up keys, file by file.

        Parameters
        ----------
        keys : ndarray of shape (n_keys,), S16
            Sorted, without duplicates.

        Yields
        ------
        places : ndarray of shape (n_found,), int
            Of the keys that a file has.
        rows : ndarray of shape (n_found, n_features), float32
        """
        for path in self._files():
            stored = _read(path)
            if stored is None:
                continue
            places = np.minimum(np.searchsorted(keys, stored["key"]), len(keys) - 1)
            hits = np.flatnonzero(keys[places] == stored["key"])
            if len(hits):
                with suppress(OSError):
                    os.utime(path)  # used last
                yield places[hits], stored["row"][hits]

    def write(self, keys: NDArray[np.bytes_], rows: NDArray[np.float32]) -> None:
        """Keep rows, shape (n_keys, n_features), under their keys."""
        stored = np.empty(len(keys), dtype=[("key", _KEY), ("row", "<f4", (rows.shape[1],))])
        stored["key"], stored["row"] = keys, rows
        if len(keys) and stored.nbytes <= MOST_BYTES:
            with suppress(OSError):
                _write(self._folder, stored)

    def tidy(self) -> None:
        """Join small files, and remove what was not used for longest where there is too much."""
        with suppress(OSError):
            self._join()
            _shrink(cache_folder())

    def clear(self) -> bool:
        """Remove all rows; return whether there were any."""
        files = self._files()
        shutil.rmtree(self._folder, ignore_errors=True)
        return bool(files)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.npy"))

    def _join(self) -> None:
        small = {}
        for path in self._files():
            stored = _read(path)
            if stored is not None and len(stored) < SMALL:
                small[path] = stored
        if len(small) <= MOST_SMALL or len({stored.dtype for stored in small.values()}) > 1:
            return
        joined = np.concatenate(list(small.values()))
        _, first = np.unique(joined["key"], return_index=True)
        old = list(small)
        small.clear()  # an open file cannot be removed everywhere
        made = _write(self._folder, joined[first])
        for path in old:
            if path != made:
                path.unlink(missing_ok=True)


def _read(path: Path) -> NDArray[Any] | None:
    """Return the records of a file, in memory as far as they are used; None if it is no good."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
        sound = (
            stored.ndim == 1
            and stored.dtype.names == ("key", "row")
            and stored.dtype["key"] == _KEY
            and stored.dtype["row"].base == np.dtype("<f4")
            and stored.dtype["row"].ndim == 1
            and _name(stored) == path.name
        )
    except FileNotFoundError:  # another kernel joined it with others
        return None
    except Exception:  # whatever the damage makes of it
        sound = False
    if not sound:
        with suppress(OSError):
            path.unlink()
        return None
    return stored


def _write(folder: Path, stored: NDArray[Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # what it holds tells of the items
    path = folder / _name(stored)
    handle, unfinished = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, stored, allow_pickle=False)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    return path


def _name(stored: NDArray[Any]) -> str:
    hashed = hashlib.blake2b(repr((stored.dtype.descr, stored.shape)).encode(), digest_size=16)
    hashed.update(np.ascontiguousarray(stored).view(np.uint8).data)
    return f"{hashed.hexdigest()}.npy"


def _shrink(root: Path) -> None:
    files = []
    for path in root.rglob("*"):
        with suppress(OSError):
            about = path.stat()
            if path.suffix == ".npy":
                files.append((about.st_mtime, about.st_size, path))
            elif path.suffix == ".part" and time.time() - about.st_mtime > _STALE:
                path.unlink()
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files, key=lambda file: file[0]):
        if total <= MOST_BYTES:
            break
        with suppress(OSError):
            path.unlink()
            total -= size


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
