"""Small data sets that are already on your machine, to try nblabel on.

Nothing is downloaded: the texts are the documentation of the installed libraries, the pictures and
tables come with scikit-learn.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import re
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["breast_cancer", "digits", "installed_docs", "parameters", "wine"]

LIBRARIES = ("numpy", "pandas", "scipy", "sklearn")
MASK = "[library]"

# Not for users, or (sklearn.experimental) changing the library when imported.
_CLOSED = {
    "compat",
    "conftest",
    "core",
    "cython_special",
    "distutils",
    "experimental",
    "externals",
    "f2py",
    "setup",
    "testing",
    "tests",
}
_GIVE_AWAY = re.compile(r"numpy|pandas|scipy|sklearn|scikit[-\s]*learn", re.IGNORECASE)
_ALIAS = re.compile(r"\b(?:np|pd)\.")
_SIGNATURE = re.compile(r"\A[\w.]+\((?:[^()]|\([^()]*\))*\)[^\n]*(?:\n|\Z)")
_SECTION = re.compile(r"^[^\n]*\n[ \t]*[-=~]{3,}[ \t]*$.*", re.MULTILINE | re.DOTALL)
_ROLE = re.compile(r":[\w:]+:`~?([^`<]*?)(?:\s*<[^`]*>)?`")
_PARAMETERS = re.compile(
    r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n[-=]{3,}$|\Z)", re.MULTILINE | re.DOTALL
)
_DECLARED = re.compile(r"(\*{0,2}\w+(?:, \*{0,2}\w+)*) ?: (\S.*)")
_REST = re.compile(r",? *(?:\(?optional\)?|default\b|by default\b)", re.IGNORECASE)
_DEFAULT = re.compile(r"\bdefault(?:s to|=| ?: | is | )[\"'`]*([\w.+-]+)")
#: So many parameters of a function make one text, each with so many lines of its description.
_MOST_DECLARED, _MOST_LINES = 4, 2
_POINTER = re.compile(r"Read more in the [^.]*\.|See the [^.]*User Guide[^.]*\.")


def installed_docs(limit: int | None = None, seed: int = 0) -> pd.DataFrame:
    """What the documentation of four installed libraries says about their functions.

    Each row is the summary of one public function or class of NumPy, pandas, SciPy or
    scikit-learn, as installed. Which library it describes is known, so that labels and models can
    be checked; the names of the libraries are masked in the text, so that the task is not trivial.

    Parameters
    ----------
    limit : int, optional
        Draw this many rows at random; all by default.
    seed : int
        For that draw.

    Returns
    -------
    pandas.DataFrame
        Columns `text`, `library` and `name`, in the order of the qualified names, which are the
        index.

    Examples
    --------
    >>> docs = installed_docs()
    >>> docs.loc["numpy.linalg.norm", "library"]
    'numpy'
    """
    return _drawn(_installed_docs(), limit, seed).copy()


def _drawn(table: pd.DataFrame, limit: int | None, seed: int) -> pd.DataFrame:
    if limit is None:
        return table
    if limit < 0:
        raise ValueError(f"limit must not be negative, got {limit}")
    return table.sample(min(limit, len(table)), random_state=seed).sort_index()


def parameters(limit: int | None = None, seed: int = 0) -> pd.DataFrame:
    """What the documentation of four installed libraries says about parameters, with its parts.

    Each row is the beginning of the section *Parameters* of one public function or class of NumPy,
    pandas, SciPy or scikit-learn, as installed. The convention of these sections tells where the
    names, types and defaults stand.

    Parameters
    ----------
    limit : int, optional
        Draw this many rows at random; all by default.
    seed : int
        For that draw.

    Returns
    -------
    pandas.DataFrame
        Columns `text`, `spans` (a list of dicts of `start`, `end` and `label`, one of ``"name"``,
        ``"type"`` and ``"default"``) and `library`, indexed by the qualified names.

    Examples
    --------
    >>> found = parameters()
    >>> text, spans = found.loc["numpy.linalg.norm", ["text", "spans"]]
    >>> text[spans[0]["start"] : spans[0]["end"]]
    'x'
    """
    found = _drawn(_parameters(), limit, seed)
    return found.assign(spans=[[dict(span) for span in spans] for spans in found["spans"]])


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits.

    Returns
    -------
    images : numpy.ndarray
        Grey pictures, uint8, of shape (1797, 8, 8).
    labels : numpy.ndarray
        The digit in each, as a string.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    return np.round(data.images * (255 / 16)).astype(np.uint8), data.target.astype(str)


def wine() -> pd.DataFrame:
    """178 wines: 13 measurements each, and in the column `label` the name of the grower's class.

    Returns
    -------
    pandas.DataFrame
    """
    from sklearn.datasets import load_wine

    return _labeled(load_wine(as_frame=True))


def breast_cancer() -> pd.DataFrame:
    """569 tumours: 30 measurements each, and in the column `label` "malignant" or "benign".

    Returns
    -------
    pandas.DataFrame
    """
    from sklearn.datasets import load_breast_cancer

    return _labeled(load_breast_cancer(as_frame=True))


def _labeled(bunch: Any) -> pd.DataFrame:
    names = [str(name) for name in bunch.target_names]
    frame: pd.DataFrame = bunch.data.assign(label=[names[i] for i in bunch.target])
    return frame


@functools.lru_cache(maxsize=1)
def _installed_docs() -> pd.DataFrame:
    rows: dict[str, tuple[str, str, str]] = {}  # by text
    for library in LIBRARIES:
        for name, doc in _documented(library):
            text = _summary(doc)
            if len(text.split()) >= 4:
                rows.setdefault(text, (text, library, name))
    frame = pd.DataFrame(list(rows.values()), columns=["text", "library", "name"])
    return frame.set_index(frame["name"].rename("id")).sort_index()


@functools.lru_cache(maxsize=1)
def _parameters() -> pd.DataFrame:
    rows: dict[str, tuple[str, list[dict[str, Any]], str, str]] = {}  # by text
    for library in LIBRARIES:
        for name, doc in _documented(library):
            section = _PARAMETERS.search(inspect.cleandoc(doc))
            text, spans = _declared(section.group(1)) if section else ("", [])
            if spans:
                rows.setdefault(text, (text, spans, library, name))
    frame = pd.DataFrame(list(rows.values()), columns=["text", "spans", "library", "name"])
    return frame.set_index(frame.pop("name").rename("id")).sort_index()


def _declared(section: str) -> tuple[str, list[dict[str, Any]]]:
    """The first parameters of a section, and where their names, types and defaults stand."""
    kept: list[str] = []
    spans: list[dict[str, Any]] = []
    begin = n_declared = n_lines = 0

    def mark(label: str, start: int, end: int) -> None:
        spans.append({"start": begin + start, "end": begin + end, "label": label})

    for line in section.splitlines():
        if not line.strip():
            continue
        if not line.startswith(" "):
            found = _DECLARED.fullmatch(line.rstrip())
            if found is None or n_declared == _MOST_DECLARED:
                break  # not by the convention, or enough
            n_declared, n_lines = n_declared + 1, 0
            for name in re.finditer(r"\w+", found.group(1)):
                mark("name", name.start(), name.end())
            low, declared = found.start(2), found.group(2)
            rest = _REST.search(declared)
            kind = declared[: rest.start()] if rest else declared
            if kind.strip():
                mark("type", low, low + len(kind.rstrip()))
            default = _DEFAULT.search(declared, rest.start() if rest else len(declared))
            if default:
                mark("default", low + default.start(1), low + default.end(1))
        elif n_lines == _MOST_LINES:
            continue
        else:
            n_lines += 1
        kept.append(line.rstrip())
        begin += len(kept[-1]) + 1
    return "\n".join(kept), spans


def _documented(library: str) -> Iterator[tuple[str, str]]:
    """The public functions and classes of `library`, each once, under its shortest name."""
    found: list[tuple[str, object]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modules = list(_public_modules(library))
        warnings.simplefilter("error")  # what warns when it is looked at is on its way out
        for module in modules:
            for attribute in getattr(module, "__all__", None) or dir(module):
                if attribute.startswith("_"):
                    continue
                try:
                    value = getattr(module, attribute)
                except Exception:
                    continue
                found.append((f"{module.__name__}.{attribute}", value))
    seen: set[int] = set()
    for name, value in sorted(found, key=lambda pair: (pair[0].count("."), pair[0])):
        if id(value) in seen or not _belongs(value, library):
            continue
        seen.add(id(value))
        doc = getattr(value, "__doc__", None)
        if isinstance(doc, str):
            yield name, doc


def _belongs(value: object, library: str) -> bool:
    if not (inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, np.ufunc)):
        return False
    home = getattr(value, "__module__", None) or library
    return isinstance(home, str) and home.split(".")[0] == library


def _public_modules(name: str) -> Iterator[ModuleType]:
    try:
        module = importlib.import_module(name)
    except Exception:  # an optional dependency is missing, or the module is only a farewell
        return
    yield module
    for child in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not child.name.startswith("_") and child.name not in _CLOSED:
            yield from _public_modules(f"{name}.{child.name}")


def _summary(doc: str) -> str:
    """The first two paragraphs of prose, on one line, without markup and give-aways."""
    body = _SECTION.sub("", _SIGNATURE.sub("", inspect.cleandoc(doc)))
    prose: list[str] = []
    for paragraph in re.split(r"\n\s*\n", body.strip()):
        if paragraph.startswith(">>>") or len(prose) == 2:
            break
        if not paragraph.startswith((" ", "..", "|", "+-", "*", "- ", ":")):
            prose.append(paragraph)
    text = _ROLE.sub(r"\1", " ".join(prose)).replace("`", "")
    text = _ALIAS.sub("", _GIVE_AWAY.sub(MASK, _POINTER.sub("", text)))
    return " ".join(text.split())
