"""A callable is known again in another kernel, and is another when what it does has changed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import HashingVectorizer

from nblabel._identity import identity


def defined(code: str, name: str = "f") -> Any:
    """What a notebook's cells define, not this module."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, "<cell>", "exec"), space)
    return space[name]


BASE = """
import numpy as np
SCALE = 2
def helper(text):
    return len(text) * SCALE
class Words:
    def __init__(self, width=3):
        self.width = width
    def __call__(self, texts):
        return [[helper(text)] * self.width for text in texts if text not in {'a', 'b', 'c'}]
words = Words()
def f(texts, power=1):
    return np.array([[helper(text) ** power, 1] for text in texts])
def g(texts):
    return words(texts)
def h(n):
    return h(n - 1) if n else 0
def outer(k):
    return lambda texts: [[len(text) + k] for text in texts]
inner = outer(1)
import functools
@functools.lru_cache
def kept(text):
    return len(text) * 7
@functools.singledispatch
def any_of(text):
    return len(text) * 9
by_kept = lambda texts: [[kept(text), any_of(text)] for text in texts]
"""


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("f", "** power, 1]", "** power, 2]"),
        ("f", "power=1", "power=2"),
        ("f", "SCALE = 2", "SCALE = 3"),
        ("f", "* SCALE", "+ SCALE"),
        ("g", "width=3", "width=4"),
        ("g", "'c'}", "'d'}"),
        ("words", "* self.width", "+ [self.width]"),
        ("inner", "outer(1)", "outer(2)"),
        ("inner", "len(text) + k", "len(text) - k"),
        ("h", "else 0", "else 1"),
        ("kept", "* 7", "* 8"),
        ("by_kept", "* 7", "* 8"),
        ("by_kept", "* 9", "* 8"),
    ],
)
def test_another_function_is_another(name: str, old: str, new: str) -> None:
    assert old in BASE
    before = identity(defined(BASE, name))
    assert identity(defined(BASE, name)) == before
    assert identity(defined("\n\n# moved, nothing changed\n" + BASE, name)) == before
    assert identity(defined(BASE.replace(old, new), name)) != before


def test_what_it_does_not_use_does_not_count() -> None:
    other = BASE.replace("width=3", "width=9")
    assert identity(defined(other)) == identity(defined(BASE))


def test_an_array_and_a_fitted_model_count_by_content() -> None:
    def of(part: Any) -> str:
        return identity(lambda texts: part)

    assert of(np.arange(9)) == of(np.arange(9)) != of(np.arange(8))
    vectorizer = HashingVectorizer(n_features=8)
    assert of(vectorizer) == of(HashingVectorizer(n_features=8))
    assert identity(vectorizer.transform) != identity(HashingVectorizer(n_features=9).transform)


def test_the_next_kernel_knows_it_again(tmp_path: Path) -> None:
    script = tmp_path / "kernel.py"
    code = BASE + "\nfrom nblabel._identity import identity\n"
    script.write_text(code + "print(*map(identity, (f, g, h, words, inner, np.linalg.norm)))\n")
    said = {
        subprocess.run(
            [sys.executable, script],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1 and len(set(said.pop().split())) == 6


def test_a_module_of_ones_own_counts_by_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    made = []
    for number in (1, 2):
        name = f"own{number}"
        (tmp_path / f"{name}.py").write_text(f"def size(text):\n    return {number}\n")
        code = f"import {name} as own\ndef f(texts):\n    return [[own.size(t)] for t in texts]"
        made.append(identity(defined(code)))
    assert made[0] != made[1]


def test_a_name_of_ones_own_choice() -> None:
    lock = threading.Lock()

    def locked(texts: Any) -> Any:
        return lock

    with pytest.raises(TypeError, match=r"cannot pickle '_thread.lock' object"):
        identity(locked)
    locked.cache_key = "v1"  # type: ignore[attr-defined]
    first = identity(locked)
    locked.cache_key = "v2"  # type: ignore[attr-defined]
    assert identity(locked) != first

    class Model:
        def __init__(self, name: str) -> None:
            self.lock, self.cache_key = lock, name

        def encode(self, texts: Any) -> Any:
            return lock

    assert identity(Model("v1").encode) == identity(Model("v1").encode) != first
    assert identity(Model("v1").encode) != identity(Model("v2").encode)
    words = defined(BASE, "words")
    words.cache_key = "v1"
    assert identity(words) not in (first, identity(locked))
