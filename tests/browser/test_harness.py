"""The harness itself: it drives a widget, notices leaks, and survives what kernels do."""

from __future__ import annotations

import pytest

from .lab import KernelError, wait_until

WIDGET = '''
import anywidget, os, traitlets

class Presses(anywidget.AnyWidget):
    pressed = traitlets.List().tag(sync=True)
    _esm = """
    function render({ model, el }) {
      const root = document.createElement("div");
      root.className = "presses";
      root.tabIndex = 0;
      const show = () => { root.textContent = "keys:" + model.get("pressed").join(""); };
      root.addEventListener("keydown", (event) => {
        event.stopPropagation();
        model.set("pressed", [...model.get("pressed"), event.key]);
        model.save_changes();
      });
      model.on("change:pressed", show);
      show();
      el.append(root);
    }
    export default { render };
    """

widget = Presses()
widget
'''

SLEEPER = "import time\nprint('started')\ntime.sleep(1)\nx = 5"


def test_keys_values_errors_and_sizes(notebook, tmp_path):
    nb = notebook([WIDGET, SLEEPER, "1 / 0"])
    nb.run_cell(0)
    before = nb.cells()
    assert [cell.type for cell in before] == ["code"] * 3

    root = nb.locator(".presses")
    root.focus()
    for key in "xdd":
        nb.page.keyboard.press(key)
    nb.wait_for("widget.pressed == ['x', 'd', 'd']", timeout=10)
    assert root.text_content() == "keys:xdd"
    assert nb.cells() == before

    # The control: a key that no widget holds back does change the notebook.
    nb.focus_cell(2)
    nb.page.keyboard.press("b")
    wait_until(lambda: len(nb.cells()) == 4, "the key b to add a cell", timeout=10)

    wide = root.bounding_box()["width"]
    nb.set_cell_width(300)
    assert wide > 500
    assert root.bounding_box()["width"] <= 300
    nb.screenshot(tmp_path / "widget.png", root)
    assert (tmp_path / "widget.png").read_bytes().startswith(b"\x89PNG")

    nb.run_cell(1, wait=False)
    assert nb.is_running(1)
    assert nb.execute("x * 2") == 10  # asked while the cell runs, answered after it
    nb.wait_cell(1)
    assert not nb.is_running(1)
    assert nb.outputs(1)[0]["text"] == "started\n"

    assert nb.execute("y = (1, 'é')\ny") == [1, "é"]
    assert nb.execute("z = 1") is None
    for code in ("missing", "missing + 1; 2"):
        with pytest.raises(KernelError, match="name 'missing' is not defined"):
            nb.execute(code)
    with pytest.raises(KernelError, match="ZeroDivisionError"):
        nb.run_cell(2)
    assert nb.console_errors == []


def test_theme_reload_restart_death_and_the_fence(notebook, browser):
    nb = notebook([WIDGET])
    nb.run_all()
    body = nb.locator("body")
    assert body.get_attribute("data-jp-theme-light") == "true"
    nb.set_theme("dark")
    assert body.get_attribute("data-jp-theme-light") == "false"

    nb.save()
    nb.execute("widget.pressed = ['o', 'k']")
    nb.reload()
    nb.locator(".presses", has_text="keys:ok").wait_for()  # restored from the live kernel
    assert body.get_attribute("data-jp-theme-light") == "false"

    nb.page.evaluate("fetch('https://example.org/x').catch(() => null)")
    assert browser.outside == ["https://example.org/x"]
    browser.outside.clear()

    pids = [nb.execute("os.getpid()")]
    nb.restart_kernel()
    assert nb.execute("'widget' in globals()") is False
    pids.append(nb.execute("import os\nos.getpid()"))
    nb.kill_kernel()
    pids.append(nb.execute("import os\nos.getpid()"))
    assert len(set(pids)) == 3


def test_a_page_that_never_answers_is_ended(browser, server):
    page = browser.new_context(server).new_page()
    with pytest.raises(TimeoutError, match="did not answer"), browser.limit(0.5):
        page.evaluate("new Promise(() => {})")
    fresh = browser.new_context(server)
    assert fresh.new_page().evaluate("1 + 1") == 2
    fresh.close()
