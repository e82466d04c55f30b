"""Run notebooks from top to bottom without a screen, each in a copy of its folder, two at a time.

Usage: python scripts/run_notebook.py NOTEBOOK...
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

LEFTOVERS = shutil.ignore_patterns("*.sqlite*", ".ipynb_checkpoints")


def run(path: Path) -> bool:
    """Run the notebook at `path` and say how it went."""
    notebook = nbformat.read(path, as_version=4)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder) / "copy"
        shutil.copytree(path.resolve().parent, here, ignore=LEFTOVERS)
        client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(here)}})
        try:
            client.execute()
        except CellExecutionError as error:
            print(f"{path}: failed\n{error}", file=sys.stderr)
            return False
    print(f"{path}: {cells} cells ran in {time.perf_counter() - start:.1f} s")
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with ThreadPoolExecutor(2) as pool:
        sys.exit(0 if all(list(pool.map(run, map(Path, sys.argv[1:])))) else 1)
