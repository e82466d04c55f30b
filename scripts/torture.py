"""Run the fault and security suites in their long form and print the table of what they tried.

``make torture``; the table belongs in ``docs/reliability.md``. The last line is the JSON of the
sums. Ends with pytest's own exit code, or with 1 when anything was lost, doubled, run or crashed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.conftest import COUNTED

HOME = Path(__file__).resolve().parents[1]
SUITES = ("tests/faults", "tests/security")
MUST_BE_ZERO = ("lost", "duplicated", "canaries", "crashes")


def table(rows: dict[str, dict[str, int]]) -> str:
    """The tally as a Markdown table, a row for each kind of fault, the sums last."""
    total: Counter[str] = sum(map(Counter, rows.values()), Counter())
    lines = [["", *COUNTED]]
    for name, counts in [*rows.items(), ("all", total)]:
        cells = [f"{counts[key]:,}" if key in counts or name == "all" else "" for key in COUNTED]
        lines.append([name, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    padded = [
        [cell.ljust(width) if k == 0 else cell.rjust(width) for k, (cell, width) in enumerate(row)]
        for row in ((zip(line, widths, strict=True)) for line in lines)
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in [padded[0], rule, *padded[1:]])


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        tally = Path(folder, "tally.json")
        run = [sys.executable, "-m", "pytest", "--torture", f"--tally={tally}", *SUITES]
        code = subprocess.run([*run, *sys.argv[1:]], cwd=HOME).returncode
        rows = json.loads(tally.read_text()) if tally.exists() else {}
    total: Counter[str] = sum(map(Counter, rows.values()), Counter())
    print(table(rows))
    print(json.dumps({key: total[key] for key in COUNTED}))
    return code or int(any(total[key] for key in MUST_BE_ZERO))


if __name__ == "__main__":
    sys.exit(main())
