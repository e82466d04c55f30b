"""Objects between two processes: both sides of one folder, here in one process."""

import gc
import pickle
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from nblabel._packing import LEAST_BYTES, LEAST_TEXTS, Folder, Lazy

BIG = LEAST_BYTES // 4


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Folder, Folder]:
    return Folder(tmp_path, "k"), Folder(tmp_path, "w")


class Holder:
    lasting = ("vocabulary",)

    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


class Words(dict):
    """May be held loosely, unlike a dict."""


def test_functions_come_back_as_themselves(sides: tuple[Folder, Folder]) -> None:
    kernel, _ = sides
    far: dict[str, Any] = {"__name__": "__main__"}
    exec("step = 1\ndef f(n):\n    return n + step", far)
    function, name = far["f"], kernel.dump(far["f"]).name
    assert kernel.load(name, keep=True) is function
    far["step"] = 2
    assert kernel.load(name, keep=True)(1) == 3  # and nothing of them is as it was
    del far, function
    gc.collect()
    again = kernel.load(name, keep=True)  # where they are not known, as they were sent
    assert again(1) == 2 and kernel.load(kernel.dump(again).name)(1) == 2


def test_what_the_other_side_no_longer_has_is_sent_again(sides: tuple[Folder, Folder]) -> None:
    kernel, worker = sides
    packet = worker.dump(np.arange(BIG, dtype=np.float32))
    here = kernel.load(packet.name)
    (name,) = [path.name for path in kernel.path.glob("w*.npy")]
    assert kernel.place(here) == name  # it is there, so it is not written twice
    packet.held.clear()
    gc.collect()
    assert not (kernel.path / name).exists()
    again = worker.load(kernel.dump(here).name)
    assert np.array_equal(again, np.arange(BIG)) and np.array_equal(here, again)


def mapped(array: Any) -> bool:
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


def test_large_arrays_are_mapped_wherever_they_are(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    matrix = sparse.random(500, 900, 0.1, format="csr", dtype=np.float32, random_state=0)
    images = np.arange(BIG, dtype=np.int32).reshape(-1, 64)
    small = np.arange(5)
    packet = here.dump({"a": [matrix, (images, small)]})
    got, (again, few) = there.load(packet.name)["a"]
    assert (got != matrix).nnz == 0 and got.dtype == np.float32 and mapped(got.data)
    assert (again == images).all() and mapped(again) and type(again) is np.ndarray
    assert (few == small).all() and not mapped(few)
    assert (here.path / packet.name).exists() is False
    again[0] = -1  # estimators may write; the other side does not see it
    assert images[0, 0] == 0


def test_an_array_is_written_once_and_comes_back_as_itself(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    array = np.arange(BIG, dtype=np.int32)
    first = there.load(here.dump([array]).name)[0]
    second = there.load(here.dump({"again": array}).name)["again"]
    assert first is second
    assert here.load(there.dump(("back", first)).name)[1] is array
    assert len(list(here.path.glob("*.npy"))) == 1


def test_a_file_goes_when_its_array_does(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    array = np.arange(BIG, dtype=np.int32)
    packet = here.dump(array)
    copy = there.load(packet.name)
    del array
    gc.collect()
    assert list(here.path.glob("*.npy"))  # the other side may not have read it yet
    here.drop(packet)
    gc.collect()
    assert list(here.path.iterdir()) == [] and copy[-1] == BIG - 1


def test_weights_that_are_mostly_zero_go_small(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    weights = np.zeros((3, 400_000), dtype=np.float32)
    weights[:, [5, 70_000, 399_999]] = np.arange(1, 10).reshape(3, 3)
    packet = here.dump(weights)
    assert sum(path.stat().st_size for path in here.path.iterdir()) < 2000
    assert (there.load(packet.name) == weights).all()
    full = np.ones((3, 30_000), dtype=np.float32)
    assert (there.load(here.dump(full).name) == full).all()


@pytest.mark.parametrize("odd", ["", "🎉 né", "\udc80 half", "a\x00b\r\n"])
def test_texts_come_as_they_were(sides: tuple[Folder, Folder], odd: str) -> None:
    here, there = sides
    texts = [f"text {k}" for k in range(LEAST_TEXTS)] + [odd, odd, "end"]
    packet = here.dump({"texts": texts})
    assert [path.suffix for path in sorted(here.path.iterdir())] == [".pkl", ".texts"]
    assert there.load(packet.name)["texts"] == texts
    assert list(here.path.iterdir()) == []


def test_a_list_that_only_begins_with_texts(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    mixed = ["text"] * LEAST_TEXTS + [None, 3]
    packet = here.dump(mixed)
    assert there.load(packet.name) == mixed
    assert list(here.path.iterdir()) == []


def test_what_both_have_goes_by_name(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    frame = pd.DataFrame({"a": ["x"] * 5000})
    mine = Holder(inputs=frame, vocabulary=None, seed=0)
    theirs = there.load(here.dump(mine).name)
    here.share("kept", mine)
    there.share("kept", theirs)
    back = here.load(there.dump([theirs, {"inputs": theirs.inputs}]).name)
    assert back[0] is mine and back[1]["inputs"] is frame
    theirs.vocabulary = Words({f"word {k}": k for k in range(5000)})
    there.lasting(theirs)
    one = there.dump(Lazy([theirs.vocabulary]))
    two = there.dump(Lazy([theirs.vocabulary]))
    assert (here.path / two.name).stat().st_size < 1000
    assert here.load(one.name).get()[0] == theirs.vocabulary
    assert here.load(two.name).get()[0] is here.load(there.dump(theirs.vocabulary).name)
    held = weakref.ref(here.load(there.dump(theirs.vocabulary).name))
    gc.collect()
    assert held() is None  # nobody needs it here
    later = here.load(there.dump(Lazy([theirs.inputs])).name)
    here.unshare("kept")
    assert later.get()[0] is frame  # as it was when it came
    assert here.load(here.dump(frame).name) is not frame


def test_lazy_values_hold_what_they_will_need(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    array = np.arange(BIG, dtype=np.int32)
    packet = there.dump({"model": Lazy({"array": array}), "light": 1})
    got = here.load(packet.name)
    there.drop(packet)
    del array
    gc.collect()
    assert list(here.path.iterdir()) == []
    assert got["light"] == 1 and got["model"].get()["array"][7] == 7
    assert got["model"].get() is got["model"].get()


def test_attributes_are_mapped_after_they_were_written(sides: tuple[Folder, Folder]) -> None:
    here, there = sides
    matrix = sparse.random(500, 900, 0.1, format="csr", dtype=np.float32, random_state=0)
    dense = np.random.default_rng(0).random((BIG, 2), dtype=np.float32)
    value = Holder(matrix=matrix, dense=dense.copy(), few=np.arange(3))
    packet = there.dump([value.matrix, value.dense])
    there.map_attributes(value)
    assert mapped(value.matrix.data) and mapped(value.dense) and not mapped(value.few)
    mine = here.load(packet.name)
    there.drop(packet)
    gc.collect()
    again = here.load(there.dump([value.matrix, value.dense]).name)
    assert again[1] is mine[1] and (again[1] == dense).all()
    assert (again[0] != matrix).nnz == 0


def test_what_cannot_be_packed_leaves_nothing(sides: tuple[Folder, Folder]) -> None:
    here, _ = sides
    with pytest.raises((TypeError, pickle.PicklingError)):
        here.dump([["text"] * LEAST_TEXTS, threading.Lock()])
    assert list(here.path.iterdir()) == []
