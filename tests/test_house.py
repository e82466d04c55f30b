"""The house: who may import whom, who may open files, who may start threads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "nblabel"
PAGE = ROOT / "js" / "src"

#: A module imports from lower levels, or from its own room: its package, such as `tasks`.
LEVELS = {
    "errors": 0,
    "_progress": 0,
    "_threads": 0,
    "_identity": 0,
    "_cache": 0,
    "_quiet": 0,
    "events": 1,
    "tables": 1,
    "pool": 1,
    "_queue": 1,
    "_packing": 1,
    "_pages": 1,
    "datasets": 1,
    "curves": 1,
    "widget.protocol": 1,
    "pairing": 2,
    "tasks": 2,
    "renderers": 2,
    "store": 2,
    "strategies": 2,
    "estimate": 2,
    "certify": 2,
    "_worker": 2,
    "_trainer": 3,
    "labels": 3,
    "suggest": 3,
    "formats": 3,
    "report": 3,
    "_opening": 3,
    "_matching": 4,
    "_learning": 4,
    "_results": 4,
    "_certifying": 4,
    "_core": 4,
    "evidence": 4,
    "finding": 4,
    "projection": 4,
    "_inspection": 5,
    "_training": 5,
    "_exchange": 5,
    "_asking": 5,
    "_answering": 5,
    "_certificates": 5,
    "_overview": 5,
    "session": 6,
    "simulation": 7,
    "widget": 7,
    "testing": 8,
    "study": 8,
    "": 9,
}
#: Packages, and names in them, that only these rooms or modules use.
ONLY = {
    "anywidget": {"widget"},
    "ipywidgets": {"widget"},
    "traitlets": {"widget"},
    "sqlalchemy": {"store"},
    "sqlite3": set(),
    "subprocess": {"testing", "_worker"},
    "multiprocessing": {"_worker"},
    "concurrent.futures": {"_trainer"},
    "_thread": set(),
    "threading.Thread": {"_trainer", "_worker", "testing"},
    "threading.Timer": {"_trainer"},
}
MAY_OPEN_FILES = {
    "store",
    "pool",
    "renderers.image",
    "_packing",
    "_worker",
    "_cache",
    "widget.modules",
    "formats.files",
    "report",
}
OPENING = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink"}


def modules(source: Path) -> dict[str, Path]:
    """Dotted names below the package, the package itself being ''."""
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def home(module: str) -> str | None:
    """The key of LEVELS that a module belongs to."""
    if module in LEVELS:
        return module
    room = module.split(".")[0]
    return room if room in LEVELS else None


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
    )


def nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees."""
    for child in ast.iter_child_nodes(tree):
        if _is_type_checking(child):
            assert isinstance(child, ast.If)
            for other in child.orelse:
                yield other
                yield from nodes(other)
            continue
        yield child
        yield from nodes(child)


def imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    """Absolute dotted names of what is imported; of nblabel they start with 'nblabel'."""
    package = ["nblabel", *module.split(".")] if module else ["nblabel"]
    if not is_package:
        package = package[:-1]
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def violations(source: Path) -> list[str]:
    """Everything in a tree of modules that breaks the rules of the house."""
    found = modules(source)
    wrong = []
    for module, path in found.items():
        own = home(module)
        if own is None:
            wrong.append(f"{module} has no level")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        room = module.split(".")[0]
        for name in imports(tree, module, path.name == "__init__.py"):
            if name.split(".")[0] == "nblabel":
                target = name[len("nblabel.") :]
                while target and target not in found:
                    target = target.rpartition(".")[0]
                other = home(target)
                if other is None or (
                    LEVELS[other] >= LEVELS[own] and (target.split(".")[0] != room or room == "")
                ):
                    wrong.append(f"{module or '__init__'} imports {target or '__init__'}")
                if module == "widget.protocol" and other != "errors":
                    wrong.append(f"{module} imports {target}")
                continue
            for only, allowed in ONLY.items():
                if f"{name}.".startswith(f"{only}.") and room not in allowed:
                    wrong.append(f"{module or '__init__'} imports {only}")
        for node in nodes(tree):
            text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if text in ONLY and room not in ONLY[text]:
                wrong.append(f"{module or '__init__'} uses {text}")
            if isinstance(node, ast.Call) and module not in MAY_OPEN_FILES:
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else ""
                name = called.id if isinstance(called, ast.Name) else name
                if name in OPENING:
                    wrong.append(f"{module or '__init__'} calls {name}()")
    return wrong


def test_every_module_keeps_to_its_level() -> None:
    assert violations(SOURCE) == []


def test_every_level_is_lived_on() -> None:
    found = set(modules(SOURCE))
    assert [name for name in LEVELS if name not in found] == []
    assert [name for name in MAY_OPEN_FILES if name not in found] == []


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("errors", "from .pool import Pool", "errors imports pool"),
        ("pool", "from . import tasks", "pool imports tasks"),
        ("pool", "def f():\n    import nblabel.session", "pool imports session"),
        ("pool", "from .tables import Votes", "pool imports tables"),
        ("pool", "import nblabel", "pool imports __init__"),
        ("tasks/choice", "from ..store import SqliteLog", "tasks.choice imports store"),
        ("tasks/choice", "from ..session import Session", "tasks.choice imports session"),
        ("tasks/choice", "import traitlets", "tasks.choice imports traitlets"),
        ("session", "from .widget import Labeler", "session imports widget"),
        ("session", "def f():\n    import anywidget.x", "session imports anywidget"),
        ("session", "import sqlalchemy as sa", "session imports sqlalchemy"),
        ("session", "import concurrent.futures", "session imports concurrent.futures"),
        ("session", "from concurrent import futures", "session imports concurrent.futures"),
        ("session", "from threading import Thread", "session imports threading.Thread"),
        ("session", "import threading\nthreading.Thread()", "session uses threading.Thread"),
        ("session", "open('x')", "session calls open()"),
        ("tasks/choice", "path.read_text()", "tasks.choice calls read_text()"),
        ("widget/protocol", "from .desk import Desk", "widget.protocol imports widget.desk"),
        ("widget/desk", "from .. import testing", "widget.desk imports testing"),
        ("brand_new", "", "brand_new has no level"),
    ],
)
def test_the_rules_can_be_broken(tmp_path: Path, module: str, code: str, said: str) -> None:
    names = ["errors", "pool", "tables", "store", "session", "tasks/choice", "widget/desk"]
    names += ["widget/protocol", "testing/x"]
    for name in names:
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        (path.parent / "__init__.py").touch()
    (tmp_path / f"{module}.py").write_text(code)
    assert violations(tmp_path) == [said]


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("tasks/choice", "from ..errors import TaskError\nfrom .base import Task"),
        ("tasks/choice", "if TYPE_CHECKING:\n    from ..session import Session"),
        ("session", "import threading\nlock = threading.RLock()\nfrom .tasks import choice"),
        ("store", "import sqlalchemy.dialects\nopen('x')"),
        ("widget/desk", "from . import protocol\nfrom ..session import Session"),
    ],
)
def test_what_is_allowed_is_allowed(tmp_path: Path, module: str, code: str) -> None:
    for name in ("errors", "session", "tasks/base", "tasks/choice", "widget/protocol", module):
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        (path.parent / "__init__.py").touch()
    (tmp_path / f"{module}.py").write_text(code)
    assert violations(tmp_path) == []


# ---------------------------------------------------------------- the page

PAGE_LEVELS = {
    "guard": 0,
    "text": 0,
    "sanitize": 0,
    "plane": 0,
    "viewing": 0,
    "theme": 0,
    "format": 1,
    "protocol": 1,
    "keymap": 1,
    "search": 1,
    "share": 2,
    "state": 2,
    "modules": 2,
    "editors": 4,
    "looks": 4,
    "panels": 5,
    "media": 3,
    "channel": 3,
    "many": 4,
    "controller": 5,
    "views": 6,
    "widget": 7,
}
#: No package, no DOM: what they say depends on nothing but what goes in.
PURE = ("guard", "format", "text", "plane", "viewing", "protocol", "keymap", "search", "state",
        "channel", "many")  # fmt: skip
_IMPORT = re.compile(
    r"""^\s*(?:import|export)\b(?:[^;=()"']*\bfrom)?\s*["']([^"']+)["']""", re.MULTILINE
)
_COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
_DOM = re.compile(r"(?<![.\w\"'`])(document|window|globalThis|localStorage|navigator)\b(?!\s*[?:])")


def page_violations(source: Path) -> list[str]:
    wrong = []
    for path in sorted([*source.rglob("*.ts"), *source.rglob("*.tsx")]):
        name = path.relative_to(source).with_suffix("").as_posix()
        room = name.split("/")[0]
        if room not in PAGE_LEVELS:
            wrong.append(f"{name} has no level")
            continue
        code = path.read_text(encoding="utf-8")
        for target in _IMPORT.findall(code):
            if not target.startswith("."):
                if room in PURE:
                    wrong.append(f"{name} imports {target}")
                continue
            other = (path.parent / target).resolve().relative_to(source.resolve()).as_posix()
            other_room = other.split("/")[0]
            if other_room == room:
                continue
            if PAGE_LEVELS.get(other_room, 99) >= PAGE_LEVELS[room] or (room, other_room) == (
                "views",
                "channel",
            ):
                wrong.append(f"{name} imports {other}")
        if room in PURE:
            bare = _COMMENT.sub("", code)
            wrong += [f"{name} mentions {word}" for word in sorted(set(_DOM.findall(bare)))]
    return wrong


def test_every_module_of_the_page_keeps_to_its_level() -> None:
    assert page_violations(PAGE) == []
    assert [name for name in PAGE_LEVELS if not list(PAGE.glob(f"{name}*"))] == []


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        ("guard", 'import { x } from "./protocol";', "guard imports protocol"),
        ("keymap", 'import type {\n  X,\n} from "./state";', "keymap imports state"),
        ("search", 'import "preact";', "search imports preact"),
        ("protocol", 'export * from "./channel";', "protocol imports channel"),
        ("state", "const box = document.body;", "state mentions document"),
        ("keymap", "window.addEventListener(f);", "keymap mentions window"),
        ("views/card", 'import { Channel } from "../channel";', "views/card imports channel"),
        ("views/card", 'import { main } from "../widget";', "views/card imports widget"),
        ("brand_new", "", "brand_new has no level"),
    ],
)
def test_the_rules_of_the_page_can_be_broken(
    tmp_path: Path, module: str, code: str, said: str
) -> None:
    path = tmp_path / f"{module}.ts"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"// document and window\n{code}\nconst y = message.window; // window\n")
    assert page_violations(tmp_path) == [said]


_CLASS = re.compile(r"\.(nblabel[\w-]*)")


def sheet_violations(source: Path) -> list[str]:
    """What a sheet styles that is not its own: all that were fetched hold in the whole page."""
    sheets = {}
    for path in sorted(source.rglob("*.css")):
        rules = re.findall(r"([^{};]+)\{", _COMMENT.sub("", path.read_text(encoding="utf-8")))
        sheets[path.relative_to(source).as_posix()] = [
            one.strip()
            for rule in rules
            if not rule.strip().startswith(("@", "from", "to"))
            for one in re.split(r",(?![^(]*\))", rule)
        ]
    homes: dict[str, set[str]] = {}
    for name, selectors in sheets.items():
        for one in selectors:
            for word in _CLASS.findall(one):
                homes.setdefault(word, set()).add(name)
    return [
        f"{name} styles {one}"
        for name, selectors in sheets.items()
        for one in selectors
        if "/" in name and not any(homes[word] == {name} for word in _CLASS.findall(one))
    ]


def test_a_sheet_styles_its_own_only() -> None:
    assert len(list(PAGE.rglob("*.css"))) > 10
    assert sheet_violations(PAGE) == []


def test_the_rules_of_the_sheets_can_be_broken(tmp_path: Path) -> None:
    for room in ("looks", "panels"):
        (tmp_path / room).mkdir()
    (tmp_path / "styles.css").write_text(".nblabel-name, .nblabel-top { color: red }")
    (tmp_path / "looks" / "a.css").write_text(
        "/* .nblabel-b-own */ .nblabel-a { } .nblabel-a .nblabel-name { } .nblabel-both { }"
    )
    (tmp_path / "panels" / "b.css").write_text(
        "@media (x) { .nblabel-b-own, .nblabel-both > i { } }\n.nblabel-name { } button { }"
    )
    assert sheet_violations(tmp_path) == [
        "looks/a.css styles .nblabel-both",
        "panels/b.css styles .nblabel-both > i",
        "panels/b.css styles .nblabel-name",
        "panels/b.css styles button",
    ]
