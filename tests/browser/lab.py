"""A real JupyterLab in a real Chromium, driven from Python.

``JupyterServer`` runs the server in a folder of its own, ``Browser`` runs Chromium and lets no
request leave that server, ``Notebook`` is one page on one notebook::

    with JupyterServer() as server, Browser() as browser:
        notebook = Notebook(browser, server).open("a.ipynb", cells=["x = 1"])
        notebook.run_all()
        assert notebook.execute("x + 1") == 2

Nothing here sleeps and hopes: every wait names its condition and has a time limit.
"""

from __future__ import annotations

import ast
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import nbformat
import psutil
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

__all__ = [
    "Browser",
    "Cell",
    "ChromiumMissingError",
    "JupyterServer",
    "KernelError",
    "Notebook",
    "find_chromium",
    "wait_until",
]

T = TypeVar("T")

TIMEOUT = 60.0
"""Seconds any single wait may take unless the caller says otherwise."""

SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}
"""JupyterLab settings of every server: nothing saves, fetches or pops up by itself."""

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    # Requests are aborted one by one below; this also holds back what the page's own
    # network stack never sees, such as a web socket.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}


class ChromiumMissingError(RuntimeError):
    """No Chromium was found; the message says how to get one."""

    def __init__(self) -> None:
        super().__init__(
            "No Chromium found: run `apt-get install chromium`, or set "
            "NBLABEL_CHROMIUM=/path/to/chromium."
        )


class KernelError(RuntimeError):
    """Code run in the kernel raised; the message is its traceback."""


class Cell(NamedTuple):
    """One cell of the notebook as JupyterLab holds it now."""

    type: str
    source: str


def wait_until(
    condition: Callable[[], T], what: str, timeout: float = TIMEOUT, interval: float = 0.05
) -> T:
    """Poll until ``condition()`` is true and return its value.

    Parameters
    ----------
    condition
        Called again and again; its first true value is returned.
    what
        What is waited for, for the message of the error.
    timeout, interval
        Seconds in all, and between two calls.

    Raises
    ------
    TimeoutError
        If the condition never held.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout:g} s: {what}")
        time.sleep(interval)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None.

    ``NBLABEL_CHROMIUM`` wins; otherwise the first of ``chromium``, ``chromium-browser`` and
    ``google-chrome`` on the PATH.
    """
    chosen = os.environ.get("NBLABEL_CHROMIUM")
    names = [chosen] if chosen else ["chromium", "chromium-browser", "google-chrome"]
    return next((path for name in names if (path := shutil.which(name))), None)


class JupyterServer:
    """A JupyterLab server in a temporary folder, with nothing of the user's settings.

    Parameters
    ----------
    python
        The interpreter of the kernels; it needs ipykernel. Default: this one.
    arguments
        More arguments for the server's command line.
    settings
        More JupyterLab settings, by plugin id; they win over `SETTINGS`.
    env
        More environment variables for the server and its kernels.

    Attributes
    ----------
    url, token
        Where it listens (with a slash at the end) and what it asks for.
    root
        The folder it serves; notebooks are written there and kernels start there.
    """

    def __init__(
        self,
        *,
        python: str = sys.executable,
        arguments: Sequence[str] = (),
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._python = python
        self._arguments = list(arguments)
        self._settings = {**SETTINGS, **(settings or {})}
        self._extra_env = dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.token = secrets.token_hex(16)
        self.url = ""
        self.root = Path()

    def __enter__(self) -> JupyterServer:
        self._folder = tempfile.TemporaryDirectory(
            prefix="nblabel-lab-", ignore_cleanup_errors=True
        )
        self._home = Path(self._folder.name)
        self.root = self._home / "root"
        self.root.mkdir()
        self._write_kernelspec()
        self.reset_settings()
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def request(self, method: str, path: str, timeout: float = 10.0) -> Any:
        """Call the server's REST interface and return the decoded answer (None if empty)."""
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        # A proxy named in the environment must not stand between us and 127.0.0.1.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=timeout) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def kernel_pid(self, kernel_id: str) -> int:
        """Return the process id of a kernel, also of one that is busy and answers nobody."""
        for process in self._descendants():
            try:
                if any(kernel_id in part for part in process.cmdline()):
                    return process.pid
            except psutil.Error:
                continue
        raise LookupError(f"no process of kernel {kernel_id}")

    def reset_settings(self) -> None:
        """Put the JupyterLab settings (the theme among them) back to how the server began."""
        folder = self._home / "settings"
        shutil.rmtree(folder, ignore_errors=True)
        for plugin, values in self._settings.items():
            self.set_setting(plugin, **values)

    def set_setting(self, plugin: str, **values: Any) -> None:
        """Set JupyterLab settings of a plugin for pages opened from now on."""
        package, name = plugin.split(":")
        path = self._home / "settings" / package / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")

    def log(self) -> str:
        """Return what the server has printed so far."""
        return (self._home / "server.log").read_text(encoding="utf-8", errors="replace")

    def _environment(self) -> dict[str, str]:
        foreign = ("JUPYTER", "IPYTHON", "XDG_")
        env = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        home = self._home
        env |= {
            "HOME": str(home / "home"),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
            "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
            # JUPYTER_PATH comes before every other place a kernelspec may lie in.
            "JUPYTER_PATH": str(home / "share" / "jupyter"),
            "IPYTHONDIR": str(home / "ipython"),
        }
        (home / "home").mkdir(exist_ok=True)
        return env | self._extra_env

    def _write_kernelspec(self) -> None:
        # ipykernel writes its own, so that protocol and encryption are those of a real install.
        subprocess.run(
            [self._python, "-m", "ipykernel", "install", "--prefix", str(self._home)],
            check=True,
            capture_output=True,
        )

    def _start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        command = [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}",
            "--ServerApp.port_retries=0",
            f"--IdentityProvider.token={self.token}",
            f"--ServerApp.root_dir={self.root}",
            "--ServerApp.allow_root=True",
            "--ServerApp.terminals_enabled=False",
            "--LabApp.news_url=None",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.extension_manager=readonly",
            "--LabApp.expose_app_in_browser=True",
            # If the process that started us is killed outright, the server leaves by itself.
            "--MappingKernelManager.cull_idle_timeout=600",
            "--ServerApp.shutdown_no_activity_timeout=7200",
            *self._arguments,
        ]
        with (self._home / "server.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                env=self._environment(),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_up, "the Jupyter server to answer")

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"the Jupyter server ended at its start:\n{self.log()[-4000:]}")
        try:
            self.request("GET", "api/status", timeout=2)
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _descendants(self) -> list[psutil.Process]:
        if self._process is None:
            return []
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def _stop(self) -> None:
        if self._process is not None:
            # A kernel leads a process group of its own, so the server's group alone is not all.
            descendants = self._descendants()
            self._process.terminate()
            # Its kernels gone, the server at times hangs at its very end, joining an idle thread.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            for process in descendants:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(descendants, timeout=5)
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


class Browser:
    """A headless Chromium whose pages reach one server and nothing else.

    Parameters
    ----------
    executable
        Path of the Chromium. Default: what `find_chromium` finds.
    flags
        More command line flags.

    Attributes
    ----------
    outside
        The URLs that a page asked for outside its server; each was refused.
    """

    def __init__(self, *, executable: str | None = None, flags: Sequence[str] = ()) -> None:
        self._executable = executable
        self._flags = [*CHROMIUM_FLAGS, *flags]
        self.outside: list[str] = []

    def __enter__(self) -> Browser:
        executable = self._executable or find_chromium()
        if executable is None:
            raise ChromiumMissingError
        self._playwright = sync_playwright().start()
        self._executable = executable
        try:
            self._launch()
        except BaseException:
            self._playwright.stop()
            raise
        return self

    def _launch(self) -> None:
        before = set(psutil.Process().children(recursive=True))
        self._browser = self._playwright.chromium.launch(
            executable_path=self._executable, args=self._flags
        )
        self._processes = set(psutil.Process().children(recursive=True)) - before

    def __exit__(self, *_: object) -> None:
        try:
            self._browser.close()
        finally:
            self._playwright.stop()

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """End the browser if what is done inside takes longer, so that the test fails there.

        The driver waits for keys, evaluations and frames without any limit. A browser that was
        ended starts anew with the next `new_context`.
        """
        ended = threading.Event()

        def end() -> None:
            ended.set()
            for process in self._processes:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            yield
        except BaseException as error:
            if ended.is_set():
                raise TimeoutError(f"the browser did not answer within {seconds} s") from error
            raise
        finally:
            timer.cancel()

    @property
    def version(self) -> str:
        """The version of Chromium."""
        return self._browser.version

    def new_context(
        self, server: JupyterServer, viewport: tuple[int, int] = (1280, 900)
    ) -> BrowserContext:
        """Return a fresh profile (own storage and cookies) that reaches only `server`."""
        if not self._browser.is_connected():  # ended by `limit`
            self._launch()
        width, height = viewport
        context = self._browser.new_context(
            viewport={"width": width, "height": height}, service_workers="block"
        )
        context.set_default_timeout(TIMEOUT * 1000)
        inside = re.escape(server.url)
        socket_inside = re.escape(server.url.replace("http", "ws", 1))

        def refuse(route: Any) -> None:
            self.outside.append(route.request.url)
            route.abort()

        def check_socket(websocket: Any) -> None:
            if not re.match(socket_inside, websocket.url):
                self.outside.append(websocket.url)

        context.route(re.compile(rf"^(?!{inside}|data:|blob:|about:)"), refuse)
        context.on("page", lambda page: page.on("websocket", check_socket))
        context.add_init_script(_PAGE)
        return context


class Notebook:
    """One page on one notebook.

    Parameters
    ----------
    browser, server
        Where the page lives and what it shows.
    context
        The browser profile; give that of another notebook (its ``context``) to share its
        storage, as two tabs of one person do. Default: a fresh one.
    viewport
        Width and height of a fresh profile's pages.

    Attributes
    ----------
    browser, server
        As given.
    page
        The playwright page, for keys, clicks and locators.
    console_errors
        What the page has reported as errors, uncaught exceptions among them.
    """

    page: Page

    def __init__(
        self,
        browser: Browser,
        server: JupyterServer,
        *,
        context: BrowserContext | None = None,
        viewport: tuple[int, int] = (1280, 900),
    ) -> None:
        self.browser = browser
        self.server = server
        self._owns_context = context is None
        self.context = context or browser.new_context(server, viewport)
        self.console_errors: list[str] = []
        self.path = ""

    def open(self, name: str, cells: Sequence[str] | None = None) -> Notebook:
        """Open the notebook `name` in a page and wait for its kernel.

        Parameters
        ----------
        name
            Path below the server's root, ending in ``.ipynb``.
        cells
            Sources of the code cells to write into the file first. Without it the file must
            exist; its running kernel, if any, is shared.
        """
        if cells is not None:
            _write_notebook(self.server.root / name, cells)
        self.path = name
        self.page = self.context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.console_errors.append(str(error)))
        workspace = f"test-{secrets.token_hex(4)}"
        url = f"{self.server.url}lab/workspaces/{workspace}/tree/{name}"
        self.page.goto(f"{url}?token={self.server.token}&reset", wait_until="commit")
        self._wait_ready()
        return self

    def close(self, *, kernel: bool = True) -> None:
        """Close the page, and by default shut its kernel down."""
        with suppress(PlaywrightError):  # a browser that `limit` ended has closed all
            if self._owns_context:
                self.context.close()
            else:
                self.page.close()
        if kernel:
            for session in self.server.request("GET", "api/sessions"):
                if session["path"] == self.path:
                    self.server.request("DELETE", f"api/sessions/{session['id']}", timeout=30)

    # Running code ---------------------------------------------------------------------------

    def run_all(self, timeout: float = TIMEOUT) -> None:
        """Run every cell and wait for the last; raise `KernelError` if one raised."""
        self._call("runAll", timeout=timeout)
        for index in range(len(self.cells())):
            self._raise_error_of(index)

    def run_cell(self, index: int, *, wait: bool = True, timeout: float = TIMEOUT) -> None:
        """Run one cell.

        With ``wait=False`` it returns once the cell is handed to the kernel; `is_running` and
        `wait_cell` tell about its end.
        """
        self._call("startCell", index)
        if wait:
            self.wait_cell(index, timeout)

    def is_running(self, index: int) -> bool:
        """Tell whether the cell, started by `run_cell`, is still running or queued."""
        return self._call("cellRunning", index)

    def wait_cell(self, index: int, timeout: float = TIMEOUT) -> None:
        """Wait for the end of a cell started by `run_cell`; raise `KernelError` if it raised."""
        self._call("endOfCell", index, timeout=timeout)
        self._raise_error_of(index)

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """Return the outputs of a cell in the notebook format."""
        return self._call("outputs", index)

    def execute(self, code: str, timeout: float = TIMEOUT) -> Any:
        """Run code in the notebook's kernel, beside its cells, and return its value.

        Parameters
        ----------
        code
            Python. If its last statement is an expression, that is the value.
        timeout
            Seconds until a `TimeoutError`. A busy kernel answers when its cell ends.

        Returns
        -------
        value
            What the expression's value is after a trip through JSON: tuples come back as lists,
            keys as strings, arrays and NumPy numbers as lists and numbers, all else as its repr.

        Raises
        ------
        KernelError
            With the traceback, if the code raised.
        """
        body, expression = _split(code)
        reply = self._call("execute", body, expression, timeout=timeout)
        results = [reply, *reply.get("user_expressions", {}).values()]
        for result in results:
            if result["status"] != "ok":
                raise KernelError(_plain(result.get("traceback") or [result["status"]]))
        if not expression:
            return None
        return json.loads(ast.literal_eval(results[-1]["data"]["text/plain"]))

    def wait_for(self, expression: str, timeout: float = TIMEOUT) -> Any:
        """Evaluate an expression in the kernel until it is true; return its value."""
        return wait_until(lambda: self.execute(expression, timeout), expression, timeout)

    # The kernel's life ----------------------------------------------------------------------

    def restart_kernel(self, *, wait: bool = True, timeout: float = TIMEOUT) -> None:
        """Restart the kernel as a person does, dialog included."""
        seen = self._call("statusCount")
        self._call("askRestart")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        if wait:
            self._wait_new_kernel(seen, timeout)

    def kill_kernel(self, *, wait: bool = True, timeout: float = TIMEOUT) -> None:
        """Kill the kernel's process with SIGKILL, as the system does when memory is short.

        The server starts a new one within some seconds; ``wait`` waits for that and closes
        JupyterLab's dialog about it.
        """
        seen = self._call("statusCount")
        os.kill(self.server.kernel_pid(self._call("kernelId")), signal.SIGKILL)
        if wait:
            self._wait_new_kernel(seen, timeout)
            self.page.locator(".jp-Dialog .jp-mod-accept").click()

    def kernel_process(self) -> psutil.Process:
        """Return the kernel's process, to stop, resume or kill it at any moment."""
        return psutil.Process(self.server.kernel_pid(self._call("kernelId")))

    def wait_revived(self) -> None:
        """Wait for the kernel that the server starts in place of one that died."""
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self._call("ready")

        # What it says can still go astray: the server's line to it is as young as the kernel, and
        # a cell whose end nobody hears of would run for ever.
        def answers() -> bool:
            with suppress(TimeoutError):
                return self.execute("True", timeout=5) is True
            return False

        wait_until(answers, "the new kernel to answer")

    # The page -------------------------------------------------------------------------------

    def reload(self) -> None:
        """Load the page anew and wait for its kernel; changes that were not saved are lost."""
        self.page.reload(wait_until="commit")
        self._wait_ready()

    def save(self) -> None:
        """Save the notebook to its file."""
        self._call("save")

    def cells(self) -> list[Cell]:
        """Return the cells, to assert that no key leaked from a widget to the notebook."""
        return [Cell(*cell) for cell in self._call("cells")]

    def active_cell(self) -> int:
        """Return the index of the active cell."""
        return self._call("activeCell")

    def focus_cell(self, index: int) -> None:
        """Give a cell the focus in command mode, where single letters are shortcuts."""
        self._call("focusCell", index)

    def set_theme(self, theme: str) -> None:
        """Switch JupyterLab to its ``"light"`` or ``"dark"`` theme."""
        name = THEMES[theme]
        self._call("setTheme", name)
        self.page.locator(f'body[data-jp-theme-name="{name}"]').wait_for(state="attached")

    def set_viewport(self, width: int, height: int) -> None:
        """Resize the page."""
        self.page.set_viewport_size({"width": width, "height": height})

    def set_cell_width(self, width: int | None) -> None:
        """Make the outputs of all cells at most `width` pixels wide (None: as wide as fits)."""
        self._call("setCellWidth", width)

    def locator(self, selector: str, **options: Any) -> Locator:
        """Return a playwright locator in the page."""
        return self.page.locator(selector, **options)

    def screenshot(self, path: str | Path, locator: str | Locator | None = None) -> None:
        """Write a PNG of the page, or of one element given by selector or locator."""
        target = self.page.locator(locator) if isinstance(locator, str) else locator
        (target or self.page).screenshot(path=path)

    # Inside ---------------------------------------------------------------------------------

    def _call(self, name: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        # Started and then polled: the limit of `evaluate` would be the page's own clock, which
        # stands still in a page that sleeps.
        call = self.page.evaluate(
            "([name, path, values]) => nbtest.start(name, path, values)",
            [name, self.path, list(arguments)],
        )
        try:
            self.page.wait_for_function(
                "call => nbtest.ended(call)", arg=call, polling=10, timeout=timeout * 1000
            )
        except PlaywrightTimeoutError as error:
            raise TimeoutError(f"not within {timeout:g} s: {name} in the page") from error
        return self.page.evaluate("call => nbtest.result(call)", call)

    def _wait_ready(self) -> None:
        self.page.wait_for_function("window.jupyterapp && window.nbtest")
        self.page.wait_for_function("path => nbtest.panel(path)", arg=self.path)
        self._call("ready")

    def _wait_new_kernel(self, seen: int, timeout: float) -> None:
        self._call("newKernel", seen, timeout=timeout)

    def _raise_error_of(self, index: int) -> None:
        for output in self.outputs(index):
            if output["output_type"] == "error":
                raise KernelError(f"cell {index}:\n{_plain(output['traceback'])}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors.append(message.text)


def _write_notebook(path: Path, cells: Sequence[str]) -> None:
    v4 = nbformat.v4
    notebook = v4.new_notebook(
        cells=[v4.new_code_cell(source) for source in cells],
        # Without a kernelspec JupyterLab asks which kernel to use.
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def _split(code: str) -> tuple[str, str]:
    """Split code into statements and, from its last expression, one that gives JSON."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a magic, a top-level await, or an error that the kernel words better
        return code, ""
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return code, ""
    last = tree.body.pop()
    default = "lambda o: o.tolist() if hasattr(o, 'tolist') else repr(o)"
    value = ast.unparse(last)
    return ast.unparse(tree), f"__import__('json').dumps(({value}), default={default})"


def _plain(traceback: Sequence[str]) -> str:
    """Join a traceback without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))


_PAGE = """
(() => {
  if (window.nbtest || window !== window.top) return;
  const runs = new Map();
  const started = [];
  const statuses = [];
  const style = document.createElement("style");

  const panel = (path) => {
    const widgets = window.jupyterapp?.shell?.widgets("main") ?? [];
    for (const widget of widgets) if (widget.context?.path === path) return widget;
    return null;
  };
  const session = (path) => panel(path).sessionContext;
  const kernel = (path) => session(path).session.kernel;
  const command = (name, values) => window.jupyterapp.commands.execute(name, values);

  const until = async (condition) => {
    for (;;) {
      const value = condition();
      if (value) return value;
      await new Promise((go) => setTimeout(go, 20));
    }
  };
  const answering = (path) => until(() => {
    const k = session(path).session?.kernel;
    return k && k.connectionStatus === "connected" && k.status === "idle";
  });

  const calls = {
    async ready(path) {
      await window.jupyterapp.restored;
      const widget = panel(path);
      await widget.context.ready;
      await widget.revealed;
      await session(path).ready;
      session(path).statusChanged.connect((_, status) => statuses.push(status));
      await answering(path);
    },
    runAll: () => command("notebook:run-all-cells"),
    startCell(path, index) {
      const notebook = panel(path).content;
      notebook.deselectAll();
      notebook.activeCellIndex = index;
      const run = { running: true };
      run.ended = command("notebook:run-cell").finally(() => { run.running = false; });
      runs.set(index, run);
    },
    cellRunning: (path, index) => runs.get(index)?.running ?? false,
    endOfCell: async (path, index) => { await runs.get(index).ended; },
    outputs: (path, index) => panel(path).content.model.sharedModel.cells[index].outputs,
    async execute(path, code, expression) {
      const future = kernel(path).requestExecute({
        code,
        store_history: false,
        allow_stdin: false,
        user_expressions: expression ? { value: expression } : {},
      });
      return (await future.done).content;
    },
    statusCount: () => statuses.length,
    // The command ends only with its dialog, so nobody may wait for it here.
    askRestart: () => { void command("notebook:restart-kernel"); },
    async newKernel(path, seen) {
      await until(() => statuses.slice(seen).some((status) => status.endsWith("restarting")));
      await answering(path);
    },
    kernelId: (path) => kernel(path).id,
    save: (path) => panel(path).context.save(),
    cells: (path) => panel(path).content.model.sharedModel.cells
      .map((cell) => [cell.cell_type, cell.source]),
    activeCell: (path) => panel(path).content.activeCellIndex,
    focusCell(path, index) {
      // A click on the prompt of a widget's own cell leaves the focus in the widget.
      const notebook = panel(path).content;
      notebook.activeCellIndex = index;
      notebook.mode = "command";
      notebook.widgets[index].node.focus();
    },
    setTheme: (path, theme) => command("apputils:change-theme", { theme }),
    setCellWidth(path, width) {
      style.textContent = width ? `.jp-OutputArea-output { max-width: ${width}px; }` : "";
      document.head.append(style);
    },
  };

  window.nbtest = {
    panel: (path) => Boolean(panel(path)),
    start(name, path, values) {
      const call = { ended: false };
      call.result = Promise.resolve()
        .then(() => calls[name](path, ...values))
        .finally(() => { call.ended = true; });
      // Whoever asks for the result hears of it.
      call.result.catch(() => undefined);
      started.push(call);
      return started.length - 1;
    },
    ended: (index) => started[index].ended,
    result: (index) => started[index].result,
  };
})();
"""
