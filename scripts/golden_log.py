"""Write the golden log of a release: ``python scripts/golden_log.py VERSION``.

It makes ``tests/faults/golden/VERSION.sqlite`` with events of every kind and shape, and beside it,
as JSON, what every later nblabel must read of it. To be run once for a release, and committed; what
is there is never written again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from nblabel import Session
from nblabel.events import LabelEvent, Shown
from nblabel.testing import FakePage

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "faults" / "golden"
TEXTS = ["win money now", "see you at ten", "grüße 🤔", "שלום", "line\nbreak", "", "seven", "eight"]
CLASSES = ["ham", "spam", "ünïcode 🤔"]


def open_session(store: Path, **options: Any) -> Session:
    """Open a session on a golden log."""
    return Session(
        TEXTS, CLASSES, store=store, annotator="ana", model=False, strategy="random", inline=True,
        **options,
    )  # fmt: skip


def contents(session: Session) -> dict[str, Any]:
    """Return what a log must hold, as JSON."""
    history = session.history.drop(columns="schema")
    status = session.status()
    return {
        "id": session.store_id,
        "history": json.loads(history.to_json(orient="records", date_format="iso")),
        "labels": json.loads(session.labels.to_json(orient="index", date_format="iso")),
        "skipped": session.skipped,
        "counts": status["counts"],
    }


def main(version: str) -> int:
    """Write a golden log, unless it is there."""
    path = GOLDEN / f"{version}.sqlite"
    if path.exists():
        print(f"{path} is there already, and is never written again.", file=sys.stderr)
        return 1
    session = open_session(path, seed=None)
    page = FakePage(session).open()
    page.label("0", "spam")
    page.label("1", "ham")
    page.label("1", "ünïcode 🤔")
    page.skip("2")
    page.flag("3")
    page.note("3", "a note\nof 'two' lines \"🤔\" \x00")
    page.label("4", "ham")
    page.undo()
    page.flag("0")
    page.flag("0", False)
    shown = Shown("margin", True, 3, 2**40 + 8, 0.5, 2, "ham", 0.75, True, 4, "spam", 1, "card")
    at = "2026-11-21T08:00:00.125+00:00"
    session.append([LabelEvent("full", "label", "6", "bob", "ham", at, 1.25, shown)])
    session.record("7", "spam", annotator="cy", seconds=3.0)
    session.undo("cy")
    held = contents(session)
    session.close()
    path.with_suffix(".json").write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
