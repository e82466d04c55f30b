"""Labels as files of other programs: what is written, what is read, what each format can hold.

`read` and `write` stand beside `Labeler.import_labels` and `Labeler.export`, for files without a
session. Nothing that is read is unpickled or evaluated, and no name in it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import LabelValueError, OptionError, near
from ..pool import read_source
from ..tasks import Task
from . import files, labelstudio, lines, shapes, sheets, tokens
from .records import Lost, Record
from .sheets import safe_csv

__all__ = ["FORMATS", "Format", "Record", "read", "safe_csv", "write"]

_ALL = (
    "choice", "binary", "multilabel", "rating", "spans", "freetext", "pairs", "ranking", "form",
    "boxes",
)  # fmt: skip
_TOLD = ("annotator", "at", "note", "flagged")


@dataclass(frozen=True)
class Format:
    """A format: what it can hold and who reads and writes it.

    Attributes
    ----------
    tasks : tuple of str
        Kinds of the tasks whose values it holds.
    suffix : str
        Of its files; of a format with a file for each image that of those.
    read, write : callable
    folder, binary : bool
        Whether it is a folder of files, or bytes instead of text.
    holds : tuple of str
        What it tells beside values: annotator, time, note, flag.
    """

    tasks: tuple[str, ...]
    suffix: str
    read: Callable[[Any, Any], list[Record]]
    write: Callable[[Sequence[Record], Any, Lost], Any]
    folder: bool = False
    binary: bool = False
    holds: tuple[str, ...] = ()


#: Formats by name.
FORMATS: dict[str, Format] = {
    "jsonl": Format(_ALL, ".jsonl", lines.read_own, lines.write_own, holds=_TOLD),
    "csv": Format(_ALL, ".csv", sheets.read_csv, sheets.write_csv, holds=_TOLD),
    "parquet": Format(
        _ALL, ".parquet", sheets.read_parquet, sheets.write_parquet, binary=True, holds=_TOLD
    ),
    "prodigy": Format(
        ("choice", "binary", "multilabel", "spans", "freetext", "boxes"), ".jsonl",
        lines.read_prodigy, lines.write_prodigy, holds=("annotator", "at"),
    ),
    "labelstudio": Format(
        tuple(kind for kind in _ALL if kind != "form"), ".json", labelstudio.read_labelstudio,
        labelstudio.write_labelstudio, holds=("annotator", "at"),
    ),
    "doccano": Format(
        ("choice", "multilabel", "spans", "freetext"), ".jsonl", lines.read_doccano,
        lines.write_doccano,
    ),
    "conll": Format(("spans",), ".conll", tokens.read_conll, tokens.write_conll),
    "spacy": Format(
        ("choice", "multilabel", "spans"), ".jsonl", tokens.read_spacy, tokens.write_spacy
    ),
    "coco": Format(("boxes",), ".json", shapes.read_coco, shapes.write_coco),
    "yolo": Format(("boxes",), ".txt", shapes.read_yolo, shapes.write_yolo, folder=True),
    "voc": Format(("boxes",), ".xml", shapes.read_voc, shapes.write_voc, folder=True),
}  # fmt: skip


def write(
    records: Sequence[Record],
    path: str | os.PathLike[str],
    task: Task,
    *,
    format: str | None = None,
) -> None:
    """Write labels to a file.

    Parameters
    ----------
    records : sequence of Record
        Their values are values of the task.
    path : path
        The file, or the folder of formats that have a file for each image.
    task : Task
        What was asked.
    format : str, optional
        A name of `FORMATS`; by default it goes by the suffix: .jsonl, .csv, .parquet, .conll.

    Raises
    ------
    OptionError
        If the format is not known or does not hold such labels.
    DataError
        If it needs what the records do not have, such as the size of an image.
    StoreError
        If the file cannot be written.

    Warns
    -----
    UserWarning
        If something is left out; the message names it.
    """
    where = _path(path)
    name = _name_of(where, format)
    known = _for_task(name, task)
    lost = Lost()
    made = known.write(records, task, lost)
    if "note" not in known.holds:
        for record in records:
            if record.note:
                lost.add("notes")
            if record.flagged:
                lost.add("flags")
    if "annotator" not in known.holds and len({record.annotator for record in records}) > 1:
        lost.add("who labeled what")
    if known.folder:
        files.save_folder(where, made)
    else:
        files.save_file(where, made if known.binary else made.encode())
    lost.warn(name)


def read(source: Any, task: Task, *, format: str | None = None) -> list[Record]:
    """Read labels from a file.

    Parameters
    ----------
    source : path, or Hugging Face dataset
        The file or folder; or a dataset or table with a column ``label``, and ``item`` or ``text``.
    task : Task
        What was asked: it says what is legal.
    format : str, optional
        A name of `FORMATS`; by default it goes by the suffix.

    Returns
    -------
    list of Record
        With legal values of the task.

    Raises
    ------
    DataError
        If the file is not there or not in the format; the message says where.
    LabelValueError
        If a label is not legal.
    OptionError
        If the format is not known or does not hold such labels.
    """
    if hasattr(source, "to_pandas") and hasattr(source, "column_names"):
        found = sheets.records_of(source.to_pandas(), task)
    elif hasattr(source, "columns"):  # of pandas, polars or any that narwhals reads
        found = sheets.records_of(read_source(source)[0], task)
    else:
        where = _path(source)
        name = _name_of(where, format)
        known = _for_task(name, task)
        content: Any
        if known.folder:
            content = files.load_folder(where, known.suffix)
        else:
            content = files.load_file(where)
            if not known.binary:
                content = files.as_text(content, str(where))
        found = known.read(content, task)
    return _legal(found, task)


def _legal(found: list[Record], task: Task) -> list[Record]:
    legal = []
    for k, record in enumerate(found, start=1):
        try:
            value = task.parse(record.value)
            check = getattr(task, "check", None)
            if check is not None and record.text is not None:
                check(value, record.text)
        except LabelValueError as error:
            name = record.item or record.name or "no name"
            raise LabelValueError(f"Label {k} (item {name[:80]!r}): {error}") from None
        legal.append(replace(record, value=value))
    return legal


def _path(path: Any) -> Path:
    if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
        raise OptionError(f"The file is named by a path, got {type(path).__name__}.")
    return Path(os.path.expanduser(os.fspath(path)))


def _name_of(path: Path, format: str | None) -> str:
    if format is None:
        own = {".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet", ".conll": "conll"}
        format = own.get(path.suffix.lower())
        if format is None:
            raise OptionError(
                f"{path.name!r} does not tell the format: say format=, one of {', '.join(FORMATS)}."
            )
    if format not in FORMATS:
        raise OptionError(f"There is no format {format!r}. {near(format, FORMATS)}")
    return format


def _for_task(name: str, task: Task) -> Format:
    known = FORMATS[name]
    if task.kind not in known.tasks:
        able = [other for other, one in FORMATS.items() if task.kind in one.tasks]
        raise OptionError(
            f"The format {name!r} holds labels of {', '.join(known.tasks)}, not of {task.kind}. "
            + (f"Take one of {', '.join(able)}." if able else "No format holds these.")
        )
    return known
