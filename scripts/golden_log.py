"""Write the golden log of a release: ``python scripts/golden_log.py VERSION``.

It makes ``tests/faults/golden/VERSION.sqlite`` with events of every kind and shape, and beside it,
as JSON, what every later nblabel must read of it. To be run once for a release, and committed; what
is there is never written again.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nblabel import Session
from nblabel.certify import Terms
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
        "certificates": json.loads(session.certificates.to_json(orient="index")),
    }


def certify(session: Session) -> None:
    """Write the steps of four attempts: one closed, one certified and revoked, one certified, and
    one with a cut."""
    endings = (["close"], ["certify", "revoke"], ["trap", "certify"], ["certify"])
    for number, ending in enumerate(endings):
        name, is_cut = f"golden{number}", number == 3
        shown = (False, 0.0) if is_cut else (True, 0.2)
        terms = Terms(name, 0.2, 0.9, "pool", len(TEXTS), 1, 1.0, 3, 0.75, 2, *shown)
        steps: dict[str, dict[str, Any]] = {
            "trap": {"item": "1", "suggestion": "spam", "answer": "ham", "missed": False},
            "certify": {"audited": 1, "errors": 1, "bound": 1, "vigilance": None},
            "close": {"audited": 1, "errors": 0},
        }
        begin = {
            "terms": asdict(terms), "items": ["3", "5", "7"], "values": ["ham", "ünïcode 🤔"],
            "codes": [0, 1, 0], "contents": [session.pool.digest(k) for k in (3, 5, 7)],
        }  # fmt: skip
        if is_cut:
            begin["ranks"], steps["certify"]["cut"] = [1, 0, 2], 1
        session._tell_certify(name, "begin", **begin)
        for step in ending:
            session._tell_certify(name, step, **steps.get(step, {}))


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
    certify(session)
    held = contents(session)
    session.close()
    path.with_suffix(".json").write_text(json.dumps(held, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
