"""What the journeys share beside the server and the browser."""

from __future__ import annotations

import pytest

from .lab import JupyterServer


@pytest.fixture(autouse=True)
def no_labels_of_others(server: JupyterServer) -> None:
    """Tests share a folder; each starts without the labels of the ones before."""
    for left in server.root.glob("*.sqlite*"):
        left.unlink()
