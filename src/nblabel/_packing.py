"""Objects on their way between two processes: small parts are pickled, large ones go as files.

Both sides share one private folder. Where the pickler meets a large array it writes it there as
``.npy``, once as long as the array lives, and the other side maps it into memory: the pool and its
features exist once, whatever object they are nested in. Long lists of texts are written in chunks,
so that no step holds the interpreter for long. Files are read only from this folder, which nobody
but the user can write to.
"""

from __future__ import annotations

import io
import itertools
import mmap
import os
import pickle
import struct
import tempfile
import threading
import time
import uuid
import weakref
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

#: Smaller arrays, in bytes, and shorter lists are pickled like everything else.
LEAST_BYTES = 1 << 16
LEAST_TEXTS = 1000
#: Texts that are encoded in one step, in less than a millisecond if they are short.
_CHUNK = 512
#: Seconds between two steps, in which other threads do not have to fight for the interpreter.
_PAUSE = 0.0005
_HEAD = struct.Struct("<qq")
_DATA = (list, tuple, np.ndarray, pd.DataFrame, pd.Series)
_PLAIN = (str, int, float, bool, bytes, type(None))


class Lazy:
    """A value that the other side unpacks only when it is asked for.

    Parameters
    ----------
    value : object
    """

    def __init__(self, value: Any) -> None:
        self._value = value
        self._packed: tuple[Folder, bytes, dict[Any, Any]] | None = None
        self._lock = threading.Lock()

    @classmethod
    def packed(cls, folder: Folder, data: bytes, held: dict[Any, Any]) -> Lazy:
        """Return a value that is still packed; `held` is what it will need, by name."""
        lazy = cls(None)
        lazy._packed = (folder, data, held)
        return lazy

    def get(self) -> Any:
        """Return the value."""
        with self._lock:
            if self._packed is not None:
                folder, data, held = self._packed
                self._value = _Unpacker(io.BytesIO(data), folder, held).load()
                self._packed = None
            return self._value


@dataclass(frozen=True)
class Packet:
    """A value on its way; who sends it holds it until the other side has read it.

    Attributes
    ----------
    name : str
        File with the small parts.
    files : list of str
        Files of texts.
    held : list of ndarray
        Arrays that were placed for it, which may belong to nobody else.
    """

    name: str
    files: list[str] = field(default_factory=list)
    held: list[Any] = field(default_factory=list)


class Folder:
    """One side's view of the folder that two processes share.

    Parameters
    ----------
    path : path
    side : str
        Begins the names of the files that this side writes.
    """

    def __init__(self, path: str | os.PathLike[str], side: str) -> None:
        self.path = Path(path)
        self.side = side
        self._count = itertools.count()
        self._placed: dict[int, tuple[weakref.ref[Any], str]] = {}
        self._arrays: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._wide: dict[int, tuple[str, str]] = {}
        #: What both sides have, by name; and the names, by identity.
        self._shared: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        #: What was found in a file of the other side, as long as it is needed here.
        self._found: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
        self._lasting: dict[int, tuple[Any, Packet | None]] = {}

    @classmethod
    def make(cls, side: str) -> Folder:
        """Make a new folder that only the user can look into."""
        return cls(tempfile.mkdtemp(prefix="nblabel-"), side)

    # ------------------------------------------------------------ whole values

    def dump(self, value: Any, *, root: Any = None) -> Packet:
        """Write a value to a new file; `root`, if it is shared, goes by content all the same."""
        packet = Packet(self._name("pkl"))
        try:
            with open(self._file(packet.name), "wb") as file:
                _Packer(file, self, packet, root).dump(value)
        except BaseException:
            self.drop(packet)
            raise
        return packet

    def load(self, name: str, *, keep: bool = False) -> Any:
        """Read a value, and remove its file unless it is to be read again."""
        with open(self._file(name), "rb") as file:
            unpacker = _Unpacker(file, self)
            value = unpacker.load()
        if not keep:
            self.drop(Packet(name, unpacker.files))
        return value

    def drop(self, packet: Packet) -> None:
        """Remove the files of a packet; those of its arrays go when the arrays do."""
        for name in (packet.name, *packet.files):
            self._remove(name)
        packet.held.clear()

    # ------------------------------------------------------------ what both sides have

    def share(self, name: str, value: Any) -> None:
        """Both sides have this value: from now on it, and the data in it, go by name."""
        self.unshare(name)
        self._lasting.clear()
        parts = {
            f"{name}.{key}": part
            for key, part in getattr(value, "__dict__", {}).items()
            if isinstance(part, _DATA) and len(part)
        }
        for key, part in {name: value, **parts}.items():
            self._shared[key] = part
            self._names[id(part)] = key

    def unshare(self, name: str) -> None:
        """Forget a shared value and its parts."""
        for known in [key for key in self._shared if key.split(".")[0] == name]:
            self._names.pop(id(self._shared.pop(known)), None)

    def shared(self, name: str) -> Any:
        """Return what is shared under this name, None if nothing is."""
        return self._shared.get(name)

    def lasting(self, value: Any) -> None:
        """Note what of a shared value never changes once it is there: it is written only once.

        The attributes are named by its attribute ``lasting``.
        """
        for key in getattr(value, "lasting", ()):
            part = getattr(value, key, None)
            if not isinstance(part, _PLAIN) and id(part) not in (self._names | self._lasting):
                self._lasting[id(part)] = (part, None)

    def map_attributes(self, value: Any) -> None:
        """Let the large arrays in a value's attributes be the files that they were written to."""
        for key, part in list(getattr(value, "__dict__", {}).items()):
            if sparse.issparse(part):
                self.map_attributes(part)
            elif isinstance(part, np.ndarray) and id(part) in self._placed and not _is_map(part):
                setattr(value, key, self._mapped(part))

    # ------------------------------------------------------------ arrays and texts

    def place(self, array: NDArray[Any]) -> str:
        """Write an array, unless it was, and return the name; its file goes when the array does."""
        known = self._placed.get(id(array))
        # A file of the other side is there as long as that needs it: here the array lives on.
        if known is not None and known[0]() is array and (self.path / known[1]).exists():
            return known[1]
        name = self._name("npy")
        np.save(self.path / name, array, allow_pickle=False)
        self._own(array, name)
        return name

    def array(self, name: str) -> NDArray[Any]:
        """Return the array of a name: the one that was placed here, or the file in memory.

        Writing to it changes no file: estimators are known to refuse arrays they cannot write to.
        """
        array = self._arrays.get(name)
        if array is None:
            array = np.load(self._file(name), mmap_mode="c", allow_pickle=False).view(np.ndarray)
            self._arrays[name] = array
            if not name.startswith(self.side):
                self._note(array, name)
        return array

    def place_wide(self, array: NDArray[Any], columns: NDArray[Any]) -> tuple[str, str]:
        """Write the columns of an array that are not all zero: which they are, and their values."""
        known = self._wide.get(id(array))
        if known is None:
            parts = columns, array[:, columns]
            known = self._wide[id(array)] = self.place(parts[0]), self.place(parts[1])
            # The parts live as long as the array does.
            weakref.finalize(array, self._narrow, id(array), parts).atexit = False
        return known

    def _narrow(self, key: int, _parts: Any) -> None:
        self._wide.pop(key, None)

    def place_texts(self, texts: Iterable[Any]) -> str | None:
        """Write a list of texts; return None if something in it is none."""
        name = self._name("texts")
        texts = iter(texts)
        with open(self.path / name, "wb") as file:
            while chunk := list(itertools.islice(texts, _CHUNK)):
                if any(type(text) is not str for text in chunk):
                    break
                data = "".join(chunk).encode("utf-8", "surrogatepass")
                file.write(_HEAD.pack(len(chunk), len(data)))
                file.write(np.fromiter(map(len, chunk), dtype="<i4", count=len(chunk)).tobytes())
                file.write(data)
                time.sleep(_PAUSE)
            else:
                return name
        self._remove(name)
        return None

    def texts(self, name: str) -> list[str]:
        """Read a list of texts and remove its file."""
        texts: list[str] = []
        with open(self._file(name), "rb") as file:
            while head := file.read(_HEAD.size):
                count, size = _HEAD.unpack(head)
                ends = np.cumsum(np.frombuffer(file.read(4 * count), dtype="<i4")).tolist()
                data = file.read(size).decode("utf-8", "surrogatepass")
                texts += [data[start:end] for start, end in itertools.pairwise([0, *ends])]
        return texts

    # ------------------------------------------------------------ inside

    def known(self, value: Any) -> tuple[str, Any] | None:
        """Return how a value is named that the other side has or can find."""
        name = self._names.get(id(value))
        if name is not None:
            return "shared", name
        if id(value) in self._lasting:
            part, packet = self._lasting[id(value)]
            if packet is None:
                packet = self.dump(part, root=part)
                self._lasting[id(value)] = (part, packet)
            return "lasting", packet.name
        return None

    def find(self, kind: str, name: str) -> Any:
        """Return the value of a name."""
        if kind != "lasting":
            return self._shared[name]
        value = self._found.get(name)
        if value is None:
            value = self.load(name, keep=True)
            with suppress(TypeError):  # of a kind that cannot be held loosely
                self._found[name] = value
        return value

    def _file(self, name: str) -> Path:
        if not name or Path(name).name != name:
            raise ValueError(f"{name!r} names no file of the folder that both sides share.")
        return self.path / name

    def _name(self, ending: str) -> str:
        return f"{self.side}{next(self._count)}.{ending}"

    def _own(self, array: NDArray[Any], name: str) -> None:
        self._arrays[name] = array
        self._note(array, name, partial(self._gone, id(array), name))

    def _note(self, array: NDArray[Any], name: str, gone: Any = None) -> None:
        self._placed[id(array)] = (
            weakref.ref(array, gone or partial(self._forget, id(array))),
            name,
        )

    def _forget(self, key: int, _ref: Any = None) -> None:
        self._placed.pop(key, None)

    def _gone(self, key: int, name: str, _ref: Any = None) -> None:
        self._placed.pop(key, None)
        self._remove(name)

    def _mapped(self, array: NDArray[Any]) -> NDArray[Any]:
        _, name = self._placed.pop(id(array))  # the file is the new array's from here on
        self._arrays.pop(name, None)
        mapped = self.array(name)
        if name.startswith(self.side):
            self._own(mapped, name)
        return mapped

    def _remove(self, name: str) -> None:
        with suppress(OSError):  # where a mapped file cannot be removed, it goes with the folder
            (self.path / name).unlink()


class _Packer(cloudpickle.Pickler):
    def __init__(self, file: Any, folder: Folder, packet: Packet, root: Any = None) -> None:
        super().__init__(file, protocol=5)
        self._folder = folder
        self._packet = packet
        self._root = root
        #: What the other side must hold to unpack this later.
        self.needs: list[tuple[str, str]] = []

    def reducer_override(self, obj: Any) -> Any:
        made = super().reducer_override(obj)
        if type(obj) is not FunctionType or made is NotImplemented:
            return made
        make, args, state, _, _, put = made  # a function that goes by content
        return _function, (_name_of(obj), make, args), (put, state), None, None, _fill

    # Called for every object: the Python function in between lets other threads in, too.
    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, _PLAIN):
            return None
        folder, packet = self._folder, self._packet
        if obj is not self._root:
            known = folder.known(obj)
            if known is not None:
                if known[0] == "shared":
                    self.needs.append(known)
                return known
        kind = type(obj)
        if kind is np.ndarray or kind is np.memmap:
            if obj.nbytes < LEAST_BYTES or obj.dtype.hasobject:
                return None
            packet.held.append(obj)
            columns = _used_columns(obj)
            if columns is not None:
                names = folder.place_wide(obj, columns)
                self.needs += [("array", name) for name in names]
                return "wide", (obj.shape, obj.dtype.str, *names)
            self.needs.append(("array", folder.place(obj)))
            return self.needs[-1]
        if kind is list and len(obj) >= LEAST_TEXTS and type(obj[0]) is str:
            texts = folder.place_texts(obj)
            if texts is not None:
                packet.files.append(texts)
                return "texts", texts
        if kind is Lazy:
            data = io.BytesIO()
            inner = _Packer(data, folder, packet)
            inner.dump(obj.get())
            return "lazy", (data.getvalue(), inner.needs)
        return None


#: Functions that went by content, such as those of a notebook: their names, here and there; and
#: those that are from here, which come back as themselves, or nothing on them could be pickled.
_names: weakref.WeakKeyDictionary[FunctionType, str] = weakref.WeakKeyDictionary()
_from_here: weakref.WeakValueDictionary[str, FunctionType] = weakref.WeakValueDictionary()


def _name_of(function: FunctionType) -> str:
    name = _names.get(function)
    if name is None:
        name = _names[function] = uuid.uuid4().hex
        _from_here[name] = function
    return name


def _function(name: str, make: Any, args: Any) -> FunctionType:
    function = _from_here.get(name)
    if function is None:
        function = make(*args)
        _names[function] = name
    return function


def _fill(function: FunctionType, how: tuple[Any, Any]) -> None:
    if _names[function] not in _from_here:
        put, state = how
        put(function, state)


class _Unpacker(pickle.Unpickler):
    def __init__(self, file: Any, folder: Folder, held: dict[Any, Any] | None = None) -> None:
        super().__init__(file)
        self._folder = folder
        self._held = held or {}
        self.files: list[str] = []

    def persistent_load(self, pid: Any) -> Any:
        kind, what = pid
        folder = self._folder
        if kind in ("array", "shared") and pid in self._held:
            return self._held[pid]
        if kind == "array":
            return folder.array(what)
        if kind == "wide":
            shape, dtype, columns, values = what
            array = np.zeros(shape, dtype)
            array[:, folder.array(columns)] = folder.array(values)
            return array
        if kind == "texts":
            self.files.append(what)
            return folder.texts(what)
        if kind == "lazy":
            data, needs = what
            return Lazy.packed(folder, data, {pid: self.persistent_load(pid) for pid in needs})
        return folder.find(kind, what)


def _used_columns(array: NDArray[Any]) -> NDArray[np.intp] | None:
    """Return which columns of a wide array are not all zero, None if it is not mostly zero.

    Such are the weights of a linear model: a word that no labeled text has weighs nothing.
    """
    if array.ndim != 2 or array.dtype.kind != "f" or array.shape[1] < 16 * array.shape[0]:
        return None
    used = np.flatnonzero(array.any(axis=0))
    return used if 4 * len(used) < array.shape[1] else None


def _is_map(array: Any) -> bool:
    while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
        array = array.base
    return isinstance(array, (np.memmap, mmap.mmap))
