"""A clock that is set back, and other time zones: the order of the log is what counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nblabel import Session, events
from nblabel.testing import FakePage

CLASSES = ["ham", "spam"]
START = datetime(2026, 3, 29, 12, tzinfo=timezone.utc)


def open_session(path: Path | None, **options: Any) -> Session:
    return Session(
        [f"text {k}" for k in range(60)], CLASSES, store=path, inline=True, annotator="ana",
        batch=5, explore=0.5, **options,
    )  # fmt: skip


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock is an hour earlier than the one before."""
    steps = count()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return START - timedelta(hours=next(steps))

    monkeypatch.setattr(events, "datetime", Clock)
    monkeypatch.setattr(time, "time", lambda: START.timestamp() - 3600 * next(steps))


def test_the_clock_is_set_back(backwards: None, tmp_path: Path, tally: Callable[..., None]) -> None:
    path = tmp_path / "labels.sqlite"
    session = open_session(path)
    page = FakePage(session).open()
    for k in range(30):
        page.label(page.order[0], CLASSES[k % 2])
        page.want(20)
    first = page.trail[0]["item"]
    page.label(first, "spam")
    page.label(first, "ham")
    page.label(first, "spam")
    page.undo()
    assert page.outbox == {} and session.labels.loc[int(first), "label"] == "ham"
    session.annotate(first, "later in the log, earlier by the clock")
    session.annotate(first, "the newest")
    assert session.said(first) == ("ham", "the newest", False)
    times = session.history["at"]
    assert times.is_monotonic_decreasing and times.iloc[-1] < times.iloc[0]
    expected, status = session.labels, session.status()
    assert status["labeled"] == 30 and status["error"] is None and status["audits"] > 0
    session.close()
    again = open_session(path)
    pd.testing.assert_frame_equal(again.labels, expected)
    assert again.status()["audits"] == status["audits"]
    again.undo()
    assert again.said(first)[1] == "later in the log, earlier by the clock"
    again.close()
    tally("clock set back", faults=1, labels=33, lost=0, duplicated=0)


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    def move_to(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move_to
    monkeypatch.undo()
    time.tzset()


def test_times_are_utc_wherever_the_kernel_runs(
    zone: Callable[[str], None], tmp_path: Path, tally: Callable[..., None]
) -> None:
    path = tmp_path / "labels.sqlite"
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    for number, name in enumerate(["UTC", "AAA-14", "BBB+12", "Asia/Kathmandu"]):
        zone(name)
        session = open_session(path)
        session.record(str(number), "ham")
        session.close()
    session = open_session(path)
    page = FakePage(session).open()
    said = START.isoformat()
    same = (said, said.replace("+00:00", "Z"), "2026-03-29T17:45:00.000+05:45")
    for number, at in enumerate(same, start=10):
        page.say("label", str(number), "spam", at=at)
    for number, at in enumerate(("", "yesterday", "0001-01-01T00:00:00Z"), start=20):
        page.say("label", str(number), "spam", at=at)
    labels = session.labels["labeled_at"]
    assert str(labels.dtype).endswith("UTC]") and len(labels) == 10 and page.outbox == {}
    after = datetime.now(timezone.utc) + timedelta(seconds=1)
    assert (labels.loc[[10, 11, 12]] == START).all()
    now = labels.drop([10, 11, 12])  # a time that is none is replaced by the present one
    assert ((before < now) & (now < after)).all()
    session.close()
    tally("other time zones", faults=4, labels=10, lost=0, duplicated=0)
