"""The code in the documentation runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def blocks(name: str) -> list[str]:
    """Python code blocks of a page."""
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), flags=re.S)


def test_extending_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = blocks("extending.md")
    assert len(found) >= 2
    namespace: dict[str, object] = {}
    for code in found:
        exec(compile(code, "extending.md", "exec"), namespace)


def test_security_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("security.md")
    exec(compile(code, "security.md", "exec"), {})
    assert (tmp_path / "labels.csv").read_text() == ",text\n0,'=1+1\n1,fine\n"


def test_items_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for code in blocks("items.md"):
        exec(compile(code, "items.md", "exec"), {})


def test_report_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    for code in blocks("report.md"):
        exec(compile(code, "report.md", "exec"), namespace)
    assert (tmp_path / "report.html").exists()
    assert "not known yet: needs" in capsys.readouterr().out


def test_certificates_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("certificates.md")
    exec(compile(code, "certificates.md", "exec"), {})
    said = capsys.readouterr().out
    assert "people would verify" in said and "of all 1,797 items at most 5 %" in said
    assert "auto:" in said


def test_pages_that_are_linked_exist() -> None:
    readme = (DOCS.parent / "README.md").read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link]
    assert links
    for link in links:
        assert (DOCS.parent / link).exists(), link
