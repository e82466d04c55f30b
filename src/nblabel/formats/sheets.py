"""Tables: CSV that a spreadsheet may open, Parquet."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..errors import DataError, OptionError, UnknownColumnError, near
from ..tasks import Task
from .records import Lost, Record, clean, dump_json, parse_json

#: Where a spreadsheet would begin a formula: at the start of a cell, and behind what may start one
#: where the separator is another. Full-width signs count in East Asian editions.
_FORMULA = re.compile(r"(^|[;|\t\r\n])(?=[\s\x00\"]*[=+\-@＝＋－＠])")
_ARMED = re.compile(_FORMULA.pattern.replace("(?=", "'(?="))
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def safe_csv(
    frame: pd.DataFrame, path: str | os.PathLike[str] | None = None, **options: Any
) -> str | None:
    """Write a table as CSV that a spreadsheet opens without running anything in it.

    A text that begins with ``=``, ``+``, ``-`` or ``@`` is a formula to Excel, LibreOffice and
    Google Sheets, and a formula can start a program or send cells away. Such a text gets an
    apostrophe before it (OWASP, "CSV Injection"); numbers stay as they are, written as text too.

    Parameters
    ----------
    frame : DataFrame
        Such as ``labeler.frame()``, ``labeler.labels`` or ``labeler.history``.
    path : path, optional
        The file; None returns the text.
    **options
        Of `pandas.DataFrame.to_csv`.

    Returns
    -------
    str or None
        The CSV without a `path`.

    Examples
    --------
    >>> import pandas as pd
    >>> print(safe_csv(pd.DataFrame({"text": ["=1+1", "fine"]}), index=False))
    text
    '=1+1
    fine
    <BLANKLINE>
    """
    columns = [frame.iloc[:, k] for k in range(frame.shape[1])]  # names may be doubled
    made = [
        column if column.dtype.kind in "biufcmM" else column.astype(object).map(_disarmed)
        for column in columns
    ]
    safe = pd.concat(made, axis=1) if made else frame.copy()
    safe.index = _disarmed_index(frame.index)
    safe.columns = _disarmed_index(frame.columns)
    text: str | None = safe.to_csv(path, **options)
    return text


def _disarmed_index(index: pd.Index[Any]) -> pd.Index[Any]:
    made = (
        index.map(lambda key: tuple(map(_disarmed, key)))
        if isinstance(index, pd.MultiIndex)
        else index.map(_disarmed)
    )
    return made.set_names([_disarmed(name) for name in index.names])


def _disarmed(value: Any) -> Any:
    if (
        value is None
        or isinstance(value, (bool, int, float, complex))
        or pd.api.types.is_number(value)
    ):
        return value
    text = str(value)
    if _NUMBER.fullmatch(text):
        return value
    made = _FORMULA.sub(r"\1'", text)
    return value if made == text else made


# ---------------------------------------------------------------- tables of labels

#: Tasks whose value is one cell; that of the others stands as JSON in it.
_ONE_CELL = ("choice", "binary", "freetext", "pairs")
_COLUMNS = ("item", "label", "annotator", "at", "text", "content", "name", "note", "flagged")


def write_csv(records: Sequence[Record], task: Task, lost: Lost) -> str:
    """A row a label, safe to open in a spreadsheet; see `safe_csv`."""
    table = _table(records, task)
    for column in table.columns:
        for cell in table[column]:
            if _ARMED.sub(r"\1", str(_disarmed(cell))) != cell:
                lost.add("apostrophes before what would be a formula")
    return safe_csv(table, index=False, lineterminator="\n", quoting=csv.QUOTE_ALL) or ""


def read_csv(text: str, task: Task) -> list[Record]:
    """A table with a column ``label``, and ``item`` or ``text``."""
    if "\0" in text:
        raise DataError("The CSV holds a character NUL, which tables cannot have.")
    try:
        table = pd.read_csv(
            io.StringIO(text, newline=""), dtype=str, keep_default_na=False, na_filter=False
        )
    except (ValueError, OverflowError) as error:  # pandas' ParserError among them
        raise DataError(f"This is no CSV: {error}") from None
    for name in table.columns:
        table[name] = [_ARMED.sub(r"\1", str(cell)) for cell in table[name]]
    return records_of(table, task)


def write_parquet(records: Sequence[Record], task: Task, lost: Lost) -> bytes:
    """A row a label, all columns text; ``datasets.load_dataset("parquet")`` reads it too."""
    made = io.BytesIO()
    try:
        _table(records, task).to_parquet(made, index=False)
    except ImportError:
        raise OptionError("Parquet needs pyarrow: pip install pyarrow, or write 'csv'.") from None
    return made.getvalue()


def read_parquet(content: bytes, task: Task) -> list[Record]:
    """As a table; nothing of pandas' metadata is made an object of."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise OptionError("Parquet needs pyarrow: pip install pyarrow, or read 'csv'.") from None
    try:
        rows = pq.read_table(io.BytesIO(content)).replace_schema_metadata(None).to_pydict()
        table = pd.DataFrame({str(name): pd.Series(cells, dtype=object)
                              for name, cells in rows.items()})  # fmt: skip
    except (pa.ArrowException, OSError, ValueError, OverflowError, NotImplementedError) as error:
        raise DataError(f"This is no Parquet that can be read: {str(error)[:200]}") from None
    return records_of(table, task)


def records_of(table: pd.DataFrame, task: Task) -> list[Record]:
    """Return the labels of a table, also of a Hugging Face dataset's."""
    if "label" not in table.columns:
        raise UnknownColumnError(
            f"The table has no column 'label'. {near('label', table.columns)} Rename it so."
        )
    if not table.columns.is_unique:
        raise DataError("The table has several columns of one name; names must be unique.")
    records = []
    for k, row in enumerate(table.to_dict("records"), start=1):
        label = _listed(row["label"])
        empty = label is None or (isinstance(label, float) and label != label)
        if empty or (label == "" and not _takes_empty(task)):
            continue  # not labeled
        if task.kind not in _ONE_CELL and isinstance(label, str):
            label = parse_json(label, f"Row {k}, column 'label',")
        told: dict[str, Any] = {n: _text(row.get(n)) for n in _COLUMNS if n != "label"}
        flagged = told.pop("flagged").lower() in ("true", "1")
        text = told.pop("text") if isinstance(row.get("text"), str) else None
        content = told.pop("content") or None
        told.pop("text", None)
        records.append(Record(label, text=text, content=content, flagged=flagged, **told))
    return records


def _listed(cell: Any) -> Any:
    """Return a cell whose lists are lists: tables of some programs have arrays in their place."""
    if isinstance(cell, np.ndarray):
        cell = cell.tolist()
    if isinstance(cell, list):
        return [_listed(part) for part in cell]
    return {k: _listed(v) for k, v in cell.items()} if isinstance(cell, dict) else cell


def _takes_empty(task: Task) -> bool:
    return task.kind == "freetext" and not getattr(task, "required", True)


def _text(cell: Any) -> str:
    if isinstance(cell, (bool, int)) or (isinstance(cell, float) and cell == cell):
        return str(cell)
    return clean(cell) if isinstance(cell, str) else ""


def _table(records: Sequence[Record], task: Task) -> pd.DataFrame:
    rows = [
        {
            "item": r.item, "annotator": r.annotator, "at": r.at, "text": r.text or "",
            "label": r.value if task.kind in _ONE_CELL else dump_json(r.value),
            "content": r.content or "", "name": r.name, "note": r.note,
            "flagged": str(r.flagged).lower(),
        }
        for r in records
    ]  # fmt: skip
    cells = [{name: clean(cell) for name, cell in row.items()} for row in rows]
    table = pd.DataFrame(cells, columns=list(_COLUMNS), dtype=object)
    # Not told by anyone: no column.
    return table.drop(columns=[n for n in ("name", "note") if not table[n].any()])
