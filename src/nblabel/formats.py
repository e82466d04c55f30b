"""What leaves as a file for other programs."""

from __future__ import annotations

import os
import re
from typing import Any

import pandas as pd

#: Where a spreadsheet would begin a formula: at the start of a cell, and behind what may start one
#: where the separator is another. Full-width signs count in East Asian editions.
_FORMULA = re.compile(r"(^|[;|\t\r\n])(?=[\s\x00\"]*[=+\-@＝＋－＠])")
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
