"""Features on disk: found again, never trusted when damaged, bounded, and safe between kernels."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nblabel as nl
from nblabel import _cache
from nblabel._cache import RowCache, cache_folder, digest_of_folder, keys_of


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NBLABEL_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


def keys(*contents: str) -> Any:
    return np.sort(keys_of(text.encode() for text in contents)[0])


def found(cache: RowCache, wanted: Any) -> dict[bytes, list[float]]:
    return {
        wanted[place]: row.tolist()
        for places, rows in cache.read(wanted)
        for place, row in zip(places, rows, strict=True)
    }


def test_what_is_written_is_found_again(folder: Path) -> None:
    cache = RowCache("way")
    first, second = keys("a", "b"), keys("c")
    cache.write(first, np.array([[1, 2], [3, 4]], dtype=np.float32))
    cache.write(second, np.array([[5, 6]], dtype=np.float32))
    wanted = np.sort(np.concatenate([first[:1], second, keys("never seen")]))
    assert found(RowCache("way"), wanted) == {first[0]: [1, 2], second[0]: [5, 6]}
    assert found(RowCache("other way"), wanted) == {}
    assert cache_folder() == folder and len(list(folder.rglob("*.npy"))) == 2
    if os.name == "posix":
        assert (folder / "way").stat().st_mode & 0o077 == 0  # for nobody else to read


def test_what_has_no_content_is_nothing_to_keep() -> None:
    made, lasting = keys_of([b"a", None, b"a", None, b"1"])
    assert lasting.tolist() == [True, False, True, False, True]
    assert made[0] == made[2] and len(set(made.tolist())) == 4


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


class Evil:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('unpickled')",)


def plant(path: Path) -> None:
    np.save(path, np.array([Evil()], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        flip,
        plant,
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr'"),
        lambda path: path.write_bytes(pickle.dumps(Evil())),
        lambda path: np.save(path, np.zeros(3)),
    ],
)
def test_a_damaged_file_is_ignored_and_written_anew(folder: Path, damage: Any) -> None:
    cache, wanted = RowCache("way"), keys("a", "b")
    rows = np.array([[1, 2], [3, 4]], dtype=np.float32)
    cache.write(wanted, rows)
    (path,) = folder.rglob("*.npy")
    damage(path)
    assert found(cache, wanted) == {} and not path.exists()
    cache.write(wanted, rows)
    assert len(found(cache, wanted)) == 2


def test_where_nothing_can_be_written_nothing_is_kept(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("a file where a folder should be")
    cache = RowCache("way")
    cache.write(keys("a"), np.ones((1, 2), dtype=np.float32))
    cache.tidy()
    assert found(cache, keys("a")) == {} and cache.clear() is False


def test_small_files_are_joined(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(_cache, "MOST_SMALL", 3)
    cache = RowCache("way")
    for k in range(4):
        cache.write(keys(str(k), "in all"), np.full((2, 3), k, dtype=np.float32))
    cache.tidy()
    assert len(list(folder.rglob("*.npy"))) == 1
    assert len(found(cache, keys("0", "1", "2", "3", "in all"))) == 5


def test_what_was_not_used_for_longest_goes_first(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    written = {}
    for k, name in enumerate(["oldest", "old but used", "new"]):
        RowCache(name).write(keys(name), np.full((1, 1000), k, dtype=np.float32))
        (written[name],) = (folder / name).glob("*.npy")
        os.utime(written[name], (1000 + k, 1000 + k))
    assert found(RowCache("old but used"), keys("old but used"))
    monkeypatch.setattr(_cache, "MOST_BYTES", 10_000)
    left = folder / "new" / "left by a kernel that died.part"
    left.touch()
    os.utime(left, (1000, 1000))
    RowCache("new").tidy()
    assert {name: path.exists() for name, path in written.items()} == {
        "oldest": False,
        "old but used": True,
        "new": True,
    }
    assert not left.exists()


def test_clearing_says_what_it_freed(folder: Path) -> None:
    RowCache("way").write(keys("a"), np.ones((1, 100), dtype=np.float32))
    assert nl.clear_cache() > 400 and not folder.exists()
    assert nl.clear_cache() == 0


def _fill(number: int) -> None:
    for k in range(20):
        wanted = keys(*(f"{k}-{i}" for i in range(10)), f"{number}")
        RowCache("way").write(wanted, np.full((11, 4), k, dtype=np.float32))
        RowCache("way").tidy()


def test_several_kernels_write_at_once(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_fill, args=(number,)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    wanted = keys(*(f"{k}-{i}" for k in range(20) for i in range(10)))
    there = found(RowCache("way"), wanted)
    assert there == {keys(f"{k}-{i}")[0]: [k] * 4 for k in range(20) for i in range(10)}
    assert not list(folder.rglob("*.part"))


def test_a_folder_is_its_files(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (model / "part").mkdir(parents=True)
    (model / "part" / "weights").write_bytes(b"12")
    before = digest_of_folder(model)
    assert digest_of_folder(model) == before
    (model / "part" / "weights").write_bytes(b"13")
    assert digest_of_folder(model) != before
