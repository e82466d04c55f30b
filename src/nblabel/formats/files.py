"""The only place of the formats that opens files, by paths of the user's alone."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import DataError, StoreError
from ..pool import IMAGE_SUFFIXES, read_file

#: More files of one folder are not read.
MOST_FILES = 1_000_000
#: Names that mean a device on Windows, or the list of classes.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?|classes")
_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}")


def load_file(path: Path) -> bytes:
    """Return what is in a file.

    Raises
    ------
    DataError
        If it is not there, is no plain file, or is too large.
    """
    try:
        return read_file(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from None


def load_folder(path: Path, suffix: str) -> dict[str, bytes]:
    """Return what is in the files of a folder with a suffix, by their names.

    A link is passed over: it may lead anywhere.
    """
    if not path.is_dir():
        raise DataError(f"{path} is no folder; this format has one file for each image in one.")
    names = sorted(
        entry.name
        for entry in os.scandir(path)
        if entry.name.lower().endswith(suffix) and entry.is_file(follow_symlinks=False)
    )
    if len(names) > MOST_FILES:
        raise DataError(f"{path} has {len(names):,} files, at most {MOST_FILES:,} are read.")
    return {name: load_file(path / name) for name in names}


def as_text(content: bytes, where: str) -> str:
    """Return a file's text, which is UTF-8 with or without a mark in front."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is no UTF-8 text ({error}). Save it as UTF-8.") from None


def save_file(path: Path, content: bytes) -> None:
    """Write a file as a whole, or leave the one that is there.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    beside = path.with_name(f"{path.name}.part")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}. Choose a file elsewhere."
        ) from None


def save_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, which is made if it is not there."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {path} cannot be made: {error.strerror or error}.") from None
    for name, content in contents.items():
        assert _SAFE.fullmatch(name), "names are made by `file_names`"
        save_file(path / name, content)


def file_names(items: Sequence[str]) -> list[str]:
    """Return a name without a suffix for each item, of a file that goes with its image.

    It is the name of the image where that can be one, and tells it from the others; else with a
    digest of the id behind. Whatever an id holds, the name stays in its folder.

    >>> file_names(["photos/cat-1.jpg"])
    ['cat-1']
    """
    stems = [_stem(item) for item in items]
    counts = Counter(stem.lower() for stem in stems)  # some disks do not tell "A" from "a"
    return [
        stem if counts[stem.lower()] == 1 and _is_own(stem, item) else digested_name(item)
        for stem, item in zip(stems, items, strict=True)
    ]


def digested_name(item: str) -> str:
    """Return the name of an item's file with a digest of its id."""
    made = hashlib.blake2b(item.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{_stem(item)}-{made}"


def base_name(item: str) -> str:
    """Return the last part of what may be a path, without the suffix of an image."""
    last = re.split(r"[/\\]", item)[-1]
    stem, dot, suffix = last.rpartition(".")
    return stem if dot and stem and f".{suffix.lower()}" in IMAGE_SUFFIXES else last


def _is_own(stem: str, item: str) -> bool:
    return stem == base_name(item) and not _RESERVED.fullmatch(stem)


def _stem(item: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", base_name(item)).strip(".")[:80] or "_"
