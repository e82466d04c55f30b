"""Logs of all releases open for ever; those of a newer nblabel are refused with a clear word."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nblabel as nl
from nblabel.errors import StoreError
from nblabel.store import SqliteLog
from scripts import golden_log
from scripts.golden_log import GOLDEN, contents, open_session

VERSIONS = sorted(path.stem for path in GOLDEN.glob("*.sqlite"))


def test_every_release_has_its_log() -> None:
    changes = (Path(__file__).parents[2] / "CHANGELOG.md").read_text()
    releases = re.findall(r"^## \[(\S+)\]", changes, flags=re.M)
    assert VERSIONS and set(releases) - {"Unreleased"} <= set(VERSIONS)


def known(found: Any, expected: Any) -> Any:
    """Leave out what the release did not know of: an event may have more to say since."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return {
            name: known(part, expected[name]) for name, part in found.items() if name in expected
        }
    if isinstance(expected, list) and isinstance(found, list) and len(found) == len(expected):
        return [known(one, other) for one, other in zip(found, expected, strict=True)]
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_a_log_of_each_release_opens(
    tmp_path: Path, version: str, tally: Callable[..., None]
) -> None:
    path = tmp_path / "labels.sqlite"
    shutil.copy(GOLDEN / f"{version}.sqlite", path)
    expected = json.loads((GOLDEN / f"{version}.json").read_text())
    session = open_session(path)
    assert known(contents(session), expected) == expected
    while session.undo() is not None:  # and goes on
        pass
    session.record("0", "ham")
    assert session.labels.loc[0, "label"] == "ham" and len(session.history) > 10
    session.close()
    count = len(expected["history"])
    tally("log of an older release", faults=1, labels=count, lost=0, duplicated=0)
    found = nl.salvage(GOLDEN / f"{version}.sqlite", tmp_path / "salvaged.sqlite")
    assert (found.events, found.lost) == (count, 0)
    session = open_session(Path(found.path))
    assert known(contents(session), expected) == expected
    session.close()


def test_the_next_golden_log_will_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_log, "GOLDEN", tmp_path)
    assert golden_log.main("next") == 0
    expected = json.loads((tmp_path / "next.json").read_text())
    session = open_session(tmp_path / "next.sqlite")
    assert contents(session) == expected
    assert expected["labels"]["7"]["annotator"] == "auto:golden2"
    assert expected["labels"]["5"]["annotator"] == "auto:golden3", "the surest one alone"
    assert [made["revoked"] for made in expected["certificates"].values()] == [True, False, False]
    session.close()


@pytest.mark.parametrize("what", ["event", "format"])
def test_a_newer_log_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "labels.sqlite"
    shutil.copy(GOLDEN / f"{VERSIONS[-1]}.sqlite", path)
    with sqlite3.connect(path) as connection:
        if what == "event":
            newer = """UPDATE events SET body = replace(body, '"schema":1', '"schema":99')"""
            connection.execute(f"{newer} WHERE position = 5")
        else:
            connection.execute("UPDATE about SET value = '99' WHERE name = 'format'")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(
        StoreError, match=r"(schema|format) 99, this nblabel reads up to \d.*upgrade"
    ):
        open_session(path)
    assert path.read_bytes() == before
    if what == "event":
        with pytest.raises(StoreError, match="upgrade nblabel"):
            nl.salvage(path, tmp_path / "new.sqlite")


def test_what_it_says_of_itself_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    SqliteLog(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE about SET value = '{' WHERE name = 'format'")
    connection.close()
    with pytest.raises(StoreError, match="what it says of itself is damaged"):
        SqliteLog(path)
