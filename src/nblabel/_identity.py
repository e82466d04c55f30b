"""What a callable is, as a digest: the same in the next kernel, another when it has changed.

A function is its code, its defaults, what it closes over, and the globals that it uses; what these
are in turn is looked into in the same way. Code of packages that have a ``__version__`` is its
name and that version. All other objects are what a pickler makes of them. Where that cannot be
told the same twice, as with a set of texts, the digest differs and the work is done again: it may
be new without need, never old.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import pickle
import sys
from types import BuiltinFunctionType, CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

#: An attribute of a callable with a name of its own choice for what it computes.
NAME = "cache_key"


def identity(function: Any) -> str:
    """Return a digest of what a callable computes.

    Where it has an attribute ``cache_key``, a text, that and its class or qualified name alone are
    what it is; that of a method may be an attribute of its object.

    Raises
    ------
    TypeError
        If it holds something that cannot be looked into, such as a lock.
    """
    hashed = hashlib.blake2b(digest_size=16)
    named = getattr(function, NAME, getattr(getattr(function, "__self__", None), NAME, None))
    if isinstance(named, str):
        kind = function if hasattr(function, "__qualname__") else type(function)
        hashed.update(repr((kind.__module__, kind.__qualname__, named)).encode())
        return hashed.hexdigest()
    try:
        _Walker(hashed).dump(function)
    except RecursionError as error:
        raise TypeError("it is nested too deep") from error
    except (pickle.PickleError, AttributeError, ValueError) as error:
        raise TypeError(str(error)) from error
    return hashed.hexdigest()


class _Hash:
    """A file that keeps a digest of what is written."""

    def __init__(self, hashed: Any) -> None:
        self._hashed = hashed

    def write(self, data: Any) -> int:
        self._hashed.update(data)
        return len(data)


class _Walker(pickle.Pickler):
    def __init__(self, hashed: Any) -> None:
        super().__init__(_Hash(hashed), protocol=4)
        self._seen: dict[int, tuple[int, Any]] = {}

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, (FunctionType, BuiltinFunctionType, type, ModuleType, CodeType)):
            if isinstance(obj, (set, frozenset)):
                return "set", sorted(map(repr, obj))
            if isinstance(obj, MappingProxyType):  # as of `functools.singledispatch`
                return "mapping", dict(obj)
            inner = getattr(obj, "__wrapped__", None)
            if isinstance(inner, FunctionType) and isinstance(obj.__reduce_ex__(4), str):
                return "wrapper", type(obj).__qualname__, inner  # by its name it would be any
            return None
        if isinstance(obj, BuiltinFunctionType) and not isinstance(obj.__self__, ModuleType):
            return None  # a method of an object, which is looked into
        if id(obj) in self._seen:
            return "seen", self._seen[id(obj)][0]
        self._seen[id(obj)] = (len(self._seen), obj)
        if isinstance(obj, ModuleType):
            return "module", obj.__name__, _version(obj.__name__) or _source(obj)
        if isinstance(obj, CodeType):
            return "code", _code(obj)
        name = (obj.__module__ or "", obj.__qualname__)
        version = _version(name[0])
        if version is not None or isinstance(obj, BuiltinFunctionType):
            return "name", name, version
        if isinstance(obj, type):
            return "class", name, obj.__bases__, _parts(obj)
        return "function", name[1], _function(obj)


def _function(function: FunctionType) -> Any:
    """Return all that the result of a function depends on."""
    cells = []
    for cell in function.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # not filled yet
            cells.append(None)
    used = sorted(_globals(function.__code__) & function.__globals__.keys())
    return (
        _code(function.__code__),
        function.__defaults__,
        function.__kwdefaults__,
        cells,
        [(name, function.__globals__[name]) for name in used],
        sorted(function.__dict__.items()),
    )


def _globals(code: CodeType) -> set[str]:
    """Return the names of globals that some code may read, that of inner functions too."""
    reads = ("LOAD_GLOBAL", "LOAD_NAME")
    used = {step.argval for step in dis.get_instructions(code) if step.opname in reads}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            used |= _globals(part)
    return used


def _code(code: CodeType) -> Any:
    """Return what code does, without where it stands."""
    constants = [_code(part) if isinstance(part, CodeType) else part for part in code.co_consts]
    return (
        code.co_code,
        constants,
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_argcount,
        code.co_kwonlyargcount,
        code.co_flags,
    )


def _parts(cls: type) -> list[tuple[str, Any]]:
    """Return the methods and values of a class."""
    skipped = ("__dict__", "__weakref__", "__doc__", "__module__", "__firstlineno__")
    made = []
    for name, part in sorted(vars(cls).items()):
        if isinstance(part, (staticmethod, classmethod)):
            part = part.__func__
        elif isinstance(part, property):
            part = (part.fget, part.fset)
        if name not in skipped and not inspect.isdatadescriptor(part):
            made.append((name, part))
    return made


def _version(module: str) -> str | None:
    """Return the version of the package that a module belongs to, None if it has none."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names and top != "__main__":
        return f"Python {sys.version_info.major}.{sys.version_info.minor}"
    version = getattr(sys.modules.get(top), "__version__", None)
    return version if isinstance(version, str) and top != "__main__" else None


def _source(module: ModuleType) -> str:
    try:
        return inspect.getsource(module)
    except (OSError, TypeError):
        return ""
