"""The report in a real browser, at desk and phone width: it works, fits, and nothing lies over anything else."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coachbuilder.plan import Plan
from coachbuilder.report import write_report
from coachbuilder.risk import RiskResult

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=20000",
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome on the path")

LISTEN = """<script>
window.foundErrors = [];
window.onerror = function (message, source, line) { window.foundErrors.push(message + ' in line ' + line); };
['error', 'warn'].forEach(function (name) {
  console[name] = function () { window.foundErrors.push(Array.prototype.join.call(arguments, ' ')); };
});
</script>"""

PROBE = """<script>
window.addEventListener('load', function () {
  // What a reader may open is looked at too.
  document.querySelectorAll('details.more').forEach(function (item) { item.open = true; });
  setTimeout(function () {
  var wide = document.documentElement.clientWidth;
  function visible(item) { var box = item.getBoundingClientRect(); return box.width > 0 && box.height > 0; }
  function overlap(a, b, slack) {
    return Math.min(a.right, b.right) - Math.max(a.left, b.left) > slack &&
           Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > slack;
  }
  function name(item) { return item.tagName + (item.id ? '#' + item.id : '') + '.' + (item.getAttribute('class') || ''); }
  function inScroller(item) {
    for (; item; item = item.parentElement) { if (/auto|scroll/.test(getComputedStyle(item).overflowX)) { return true; } }
    return false;
  }
  var texts = [], outside = [], blocks = [], wider = [], pictures = 0, small = [];
  document.querySelectorAll('svg').forEach(function (svg) {
    if (!visible(svg)) { return; }
    pictures += 1;
    var items = Array.prototype.filter.call(svg.querySelectorAll('text'), visible);
    var boxes = items.map(function (item) { return item.getBoundingClientRect(); });
    var own = svg.getBoundingClientRect(), label = svg.parentElement.id;
    for (var i = 0; i < items.length; i++) {
      if (boxes[i].left < own.left - 3 || boxes[i].right > own.right + 3 || boxes[i].top < own.top - 3 ||
          boxes[i].bottom > own.bottom + 3) { outside.push(label + ': ' + items[i].textContent); }
      if (parseFloat(getComputedStyle(items[i]).fontSize) * own.width / svg.viewBox.baseVal.width < 7.5) {
        small.push(label + ': ' + items[i].textContent);
      }
      for (var j = i + 1; j < items.length; j++) {
        if (overlap(boxes[i], boxes[j], 1)) {
          texts.push(label + ': ' + items[i].textContent + ' / ' + items[j].textContent);
        }
      }
    }
  });
  document.querySelectorAll('body *').forEach(function (item) {
    if (item.closest('svg') || item.closest('details:not([open])') || !visible(item)) { return; }
    if (item.getBoundingClientRect().right > wide + 1 && !inScroller(item) && !item.matches('.skip')) { wider.push(name(item)); }
  });
  document.querySelectorAll('main, section, .answers, .pair, .facts, .facts div, figure, header, .shell, .answer').forEach(function (parent) {
    var items = Array.prototype.filter.call(parent.children, visible);
    for (var i = 0; i < items.length; i++) { for (var j = i + 1; j < items.length; j++) {
      if (overlap(items[i].getBoundingClientRect(), items[j].getBoundingClientRect(), 2)) {
        blocks.push(name(items[i]) + ' / ' + name(items[j]));
      }
    } }
  });
  var sortable = document.querySelector('table[data-sortable] th button');
  var first = document.querySelector('#assumption-table tbody tr');
  if (sortable) { sortable.click(); }
  var moved = first !== document.querySelector('#assumption-table tbody tr');
  var input = document.querySelector('[data-tools] input');
  var rows = document.querySelectorAll('#assumption-table tbody tr').length, kept = rows;
  if (input) {
    input.value = 'no assumption is called so';
    input.dispatchEvent(new Event('input'));
    kept = document.querySelectorAll('#assumption-table tbody tr:not([hidden])').length;
  }
  parent.postMessage(JSON.stringify({
    width: wide, scroll: document.documentElement.scrollWidth, errors: window.foundErrors, texts: texts, outside: outside,
    blocks: blocks, wider: wider, pictures: pictures, small: small, sections: document.querySelectorAll('main > section').length,
    moved: moved, rows: rows, kept: kept
  }), '*');
}, 50); });
</script>"""

# A headless window is never narrower than 500 pixels; a frame of the wanted width stands for the phone.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<script>window.addEventListener('message', function (event) {{
  var out = document.createElement('pre'); out.id = 'found'; out.textContent = event.data; document.body.appendChild(out);
}});</script>
<iframe src="{source}" style="width:{width}px;height:900px;border:0"></iframe>"""


@pytest.fixture(scope="module")
def report(example_plan: Plan, example_risk: RiskResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(example_plan, example_risk, path, {"started": "2026-01-01T00:00:00+00:00"})
    return path


@pytest.fixture(scope="module")
def look(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], dict[str, Any]]]:
    """What the browser finds at a width; each width is opened once."""
    known: dict[int, dict[str, Any]] = {}

    def find(width: int) -> dict[str, Any]:
        if width not in known:
            folder = tmp_path_factory.mktemp(f"look-{width}")
            page = report.read_text("utf-8").replace("<head>", "<head>" + LISTEN).replace("</body>", PROBE + "</body>")
            (folder / "page.html").write_text(page, "utf-8")
            (folder / "frame.html").write_text(FRAME.format(source="page.html", width=width), "utf-8")
            known[width] = _ask_browser(folder / "frame.html", folder / "profile", max(width, 500))
        return known[width]

    yield find


def _ask_browser(page: Path, profile: Path, width: int) -> dict[str, Any]:
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={profile}",
        f"--window-size={width},900",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, f"the page sent nothing: {done.stderr[-2000:]}"
    answer: dict[str, Any] = json.loads(html.unescape(found.group(1)))
    return answer


WIDTHS = pytest.mark.parametrize("width", [1280, 768, 390, 360])


@WIDTHS
def test_page_has_the_width_that_was_asked_for_and_all_its_sections(look: Any, width: int) -> None:
    found = look(width)
    assert found["width"] == width
    assert found["sections"] == 15
    assert found["pictures"] >= 15


@WIDTHS
def test_nothing_is_written_to_the_console(look: Any, width: int) -> None:
    assert look(width)["errors"] == []


@WIDTHS
def test_page_does_not_scroll_sideways(look: Any, width: int) -> None:
    found = look(width)
    assert found["wider"] == []
    assert found["scroll"] <= width


@WIDTHS
def test_texts_in_pictures_stay_clear_of_each_other_and_within_the_picture(look: Any, width: int) -> None:
    found = look(width)
    assert found["texts"] == []
    assert found["outside"] == []


@WIDTHS
def test_texts_in_pictures_can_be_read(look: Any, width: int) -> None:
    assert look(width)["small"] == []


@WIDTHS
def test_blocks_do_not_lie_over_each_other(look: Any, width: int) -> None:
    assert look(width)["blocks"] == []


def test_table_of_assumptions_sorts_and_filters(look: Any) -> None:
    found = look(1280)
    assert found["rows"] > 10
    assert found["moved"]
    assert found["kept"] == 0
