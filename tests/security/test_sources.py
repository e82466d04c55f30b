"""Our own sources: nothing is evaluated, and nothing unpickled but what the worker's end wrote."""

from __future__ import annotations

import ast
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nblabel as nl
from nblabel._packing import Folder
from nblabel._worker import Worker

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "nblabel"
PAGE = ROOT / "js" / "src"

#: Calls that turn data into code or objects, or hand it to a shell.
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.exec*", "os.spawn*",
    "pickle.load", "pickle.loads", "pickle.Unpickler", "cloudpickle.load", "cloudpickle.loads",
    "marshal.*", "shelve.*", "dill.*", "joblib.load", "yaml.*", "*.read_pickle", "*.to_pickle",
    "*.query", "*.eval", "subprocess.*", "runpy.*", "code.*", "ctypes.*", "ast.literal_eval",
    "importlib.import_module", "tempfile.mktemp", "*.unpack_archive",
}  # fmt: skip
#: Where each may stand, and why.
DECLARED = {
    ("_packing", "pickle.Unpickler"): "reads what the other end wrote into a private folder",
    ("_worker", "subprocess.Popen"): "starts the worker: this interpreter, no shell",
    ("_worker", "importlib.import_module"): "a module that the kernel names to its own worker",
    ("__init__", "importlib.import_module"): "one of the public names",
    ("suggest.encoders", "importlib.import_module"): "one package, by its own name",
    ("formats.shapes", "import xml.etree"): "writes Pascal VOC; what is read goes by defusedxml",
    ("datasets", "importlib.import_module"): "libraries whose documentation is the data set",
    ("testing.exams", "subprocess.Popen"): "an exam kills a process that writes a log",
}
#: By a name imported from these a call could hide.
MODULES = {"pickle", "cloudpickle", "marshal", "shelve", "dill", "ctypes", "code", "runpy"}
#: Nobody is asked over the network, and no archive or markup of data is unpacked.
NOT_AT_ALL = {
    "urllib", "requests", "http", "socket", "ftplib", "webbrowser", "asyncio", "aiohttp", "httpx",
    "zipfile", "tarfile", "xml", "lxml", "yaml", "shelve", "marshal", "ctypes", "dill", "joblib",
}  # fmt: skip


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node
        elif isinstance(node, ast.ClassDef):
            yield from ((ast.unparse(base), ast.Call(base, [], [])) for base in node.bases)


def is_dangerous(name: str) -> bool:
    for one in CALLS:
        pattern = re.escape(one).replace(r"\*", ".*")
        if re.fullmatch(pattern, name):
            return True
    return False


def found(source: Path) -> set[tuple[str, str]]:
    """Module and name of each dangerous call, and of each import by which one could hide."""
    made = set()
    for path in sorted(source.rglob("*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, call in calls(tree):
            if is_dangerous(name):
                made.add((module, name))
            options = {option.arg: ast.unparse(option.value) for option in call.keywords}
            if options.get("allow_pickle") == "True" or options.get("shell") == "True":
                made.add((module, f"{name} with {options}"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in MODULES:
                made.add((module, f"from {node.module}"))
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                if name.split(".")[0] in NOT_AT_ALL:
                    made.add((module, f"import {name}"))
    return made


def test_nothing_is_evaluated_or_unpickled_but_where_declared() -> None:
    assert found(SOURCE) == set(DECLARED)


@pytest.mark.parametrize(
    "code",
    [
        "eval('1')", "exec(text)", "import pickle\npickle.loads(b)", "from pickle import loads",
        "import numpy as np\nnp.load(f, allow_pickle=True)", "frame.query(text)", "os.system(x)",
        "import subprocess\nsubprocess.run(x, shell=True)", "pd.read_pickle(x)", "yaml.load(x)",
        "class X(pickle.Unpickler): pass", "__import__(name)", "import urllib.request",
        "from socket import socket",
    ],
)  # fmt: skip
def test_the_search_can_find(tmp_path: Path, code: str) -> None:
    (tmp_path / "session.py").write_text(code)
    assert found(tmp_path)


_SINKS = re.compile(
    r"\beval\(|new Function|document\.write|insertAdjacentHTML|createContextualFragment"
    r"|dangerouslySetInnerHTML|(?:inner|outer)HTML\s*=(?!=)|DOMParser|setHTMLUnsafe|srcdoc\s*="
    r"|\bimport\(|\bfetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|window\.open"
    r"|location\s*=|\.href\s*="
)


def test_the_page_puts_no_markup_anywhere_and_asks_nobody() -> None:
    """The two frames of HTML get theirs by ``srcDoc``: sanitised, or trusted by name.

    What is imported is a module that the kernel sent: one of nblabel's, or of the user's own task.
    """
    for path in [*PAGE.rglob("*.ts"), *PAGE.rglob("*.tsx")]:
        expected = ["import("] if path.name == "modules.ts" else []
        assert _SINKS.findall(path.read_text(encoding="utf-8")) == expected, path
    with_markup = {
        path.name: len(re.findall(r"innerHTML|srcDoc", path.read_text(encoding="utf-8")))
        for path in PAGE.rglob("*.ts*")
    }
    assert {name: n for name, n in with_markup.items() if n} == {"card.tsx": 3}


# ---------------------------------------------------------------- the worker


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_user_can_look_into_the_workers_folder() -> None:
    old = os.umask(0)  # however open the user's files are
    try:
        folder = Folder.make("k")
        folder.dump({"text": ["a" * 10] * 2_000, "array": np.zeros(100_000)})
    finally:
        os.umask(old)
    assert mode(folder.path) == 0o700
    assert folder.path.stat().st_uid == os.getuid()
    assert not folder.path.is_symlink()


@pytest.mark.parametrize(
    "name", ["../evil.pkl", "/tmp/evil.pkl", "a/../../evil.pkl", "..", "", "\0"]
)
def test_nothing_is_read_from_elsewhere(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir(mode=0o700)
    folder = Folder(inside, "k")
    packet = folder.dump([1])
    (tmp_path / "evil.pkl").write_bytes((inside / packet.name).read_bytes())
    for read in (folder.load, folder.array, folder.texts):
        with pytest.raises((ValueError, OSError)):
            read(name)


def test_what_a_model_prints_is_no_answer(tmp_path: Path) -> None:
    """The pipe carries one line of JSON an answer; what user code prints goes to the errors."""
    forged = json.dumps({"done": "../evil.pkl"})

    def job() -> str:
        print(forged, flush=True)
        os.write(1, f"{forged}\n".encode())
        subprocess.run([sys.executable, "-c", f"print({forged!r})"], check=True)
        return "the result"

    worker = Worker()
    try:
        assert worker.run(job, lambda fraction: None) == "the result"
    finally:
        worker.close()


def test_data_goes_to_the_worker_as_data() -> None:
    """An item that is a pickle, or a path to one, stays bytes and text on both sides."""
    evil = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R."  # runs a program if unpickled
    texts = [evil.decode("latin-1"), "/tmp/evil.pkl", "__reduce__", "eval('1')"] * 600
    session = nl.Session(texts, ["a", "b"], store=None, worker="process")
    try:
        for k in range(8):
            session.record(str(k), "ab"[k % 2])
        session.retrain(wait=True, timeout=120)
        assert session.last_error is None
        assert len(session.predictions) == len(texts)
    finally:
        session.close()
