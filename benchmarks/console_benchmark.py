"""The web console in this machine's Chromium: how soon pages are usable, what they transfer, and how a large flow is edited.

The files are those that `make console` built, answered by the console's own function. The REST API is a stub in this process
whose `validate` asks the real prover, so the figures are the browser's and the prover's, without a network and Lambda.
"""

import base64
import importlib.util
import json
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.console_stub import HANDLER, stub
from benchmarks.environments import NotInstalledError
from benchmarks.report import REPOSITORY, table, times
from tests.console.browser import FLAGS, find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BUILD_SITE = REPOSITORY / "console" / "build_site.py"
NODES = 500  # as in console/baseline/main.tsx
RUNS = 5
KEYS = 12
FINDINGS = 2
FRAMES = 60


@dataclass
class CanvasResult:
    """A canvas with many nodes, once for each run (`keys`: for each key): milliseconds, and frames a second."""

    usable: list[float] = field(default_factory=list)
    pan: list[float] = field(default_factory=list)
    zoom: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)


@dataclass
class ConsoleResult:
    """Milliseconds of each run, and bytes over the wire. `bare`: the canvas's library alone, measured in turn with ours."""

    first_page: list[float] = field(default_factory=list)
    first_bytes: int = 0
    build_bytes: int = 0
    canvas: CanvasResult = field(default_factory=CanvasResult)
    bare: CanvasResult = field(default_factory=CanvasResult)
    findings: list[float] = field(default_factory=list)


def large_flow(nodes: int = NODES) -> dict[str, Any]:
    """A flow of questions in a chain; without positions, so that the layout is measured, too."""
    steps = [
        {
            "id": f"q{number}",
            "type": "question",
            "data": {"question": f"Question {number}?", "variable": f"v{number}", "next_node_id": f"q{number + 1}"},
        }
        for number in range(1, nodes - 1)
    ]
    start = {"id": "start", "type": "start", "data": {"greeting": "Hi!", "next_node_id": "q1"}}
    end = {"id": f"q{nodes - 1}", "type": "end", "data": {}}
    return {"format": 1, "id": "large", "name": "Large", "start_node_id": "start", "nodes": [start, *steps, end]}


def measure(progress: Callable[[str], None], runs: int = RUNS) -> ConsoleResult:
    """All measurements. Raises NotInstalledError without a browser or a built console."""
    path = find_browser()
    if path is None:
        raise NotInstalledError("no Chromium on this machine")
    if not (HANDLER.parent / "site" / "index.html").exists():
        raise NotInstalledError("the console is not built (make console)")
    from playwright.sync_api import sync_playwright

    result = ConsoleResult()
    with (
        tempfile.TemporaryDirectory() as folder,
        stub({"large": large_flow()}, pages=_bare_canvas(Path(folder))) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for run in range(runs):
            progress(f"console, {run + 1} of {runs}")
            with opened(browser, f"{url}/console") as (page, received):
                result.first_page.append(_usable(page, ".home-area"))
                result.first_bytes = received()
            with opened(browser, f"{url}/console/build/large") as (page, received):
                result.canvas.usable.append(_usable(page, DRAWN))
                result.build_bytes = received()
                page.locator(".react-flow__node", has_text="Question 1?").first.click()
                _edit(page, result.canvas)
                _find(page, result.findings)
                _move(page, result.canvas)
            with opened(browser, f"{url}/pages/index.html") as (page, _):
                result.bare.usable.append(_usable(page, DRAWN))
                _edit(page, result.bare)
                _move(page, result.bare)
        browser.close()
    return result


DRAWN = ".react-flow__node + .react-flow__node"
"""Nodes are drawn together with the arrows between them, and by the console only where the layout put them."""


def _bare_canvas(folder: Path) -> Path:
    """Build the page of console/baseline into a folder, and return that. Raises NotInstalledError without Node."""
    spec = importlib.util.spec_from_file_location("build_site", BUILD_SITE)
    if spec is None or spec.loader is None:
        raise NotInstalledError(str(BUILD_SITE))
    site = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(site)
    try:
        site.install()
        site.npm(
            "exec", "--", "vite", "build", "baseline", "--base", "./", "--outDir", str(folder), "--logLevel", "error"
        )
    except (site.NodeMissingError, subprocess.CalledProcessError) as failed:
        raise NotInstalledError(f"the bare canvas: {failed}") from failed
    return folder


def _edit(page: "Page", result: CanvasResult) -> None:
    page.locator("textarea").first.click()
    page.evaluate(_PAINTED)
    for _ in range(KEYS):
        page.keyboard.type("x")
        page.wait_for_timeout(20)
    result.keys += page.evaluate("window.painted")


def _find(page: "Page", findings: list[float]) -> None:
    for _ in range(FINDINGS):
        page.evaluate("() => void (window.found = window.nextFinding())")
        page.keyboard.type("{{")
        findings.append(page.evaluate("window.found"))
        page.keyboard.press("Escape")
        page.keyboard.press("Backspace")
        page.keyboard.press("Backspace")
        page.locator(".mantine-InputWrapper-error").wait_for(state="detached")


def _move(page: "Page", result: CanvasResult) -> None:
    page.locator(".react-flow__pane").hover(position={"x": 5, "y": 5}, force=True)
    result.pan.append(page.evaluate(_PANNED, FRAMES))
    result.zoom.append(page.evaluate(_ZOOMED, FRAMES))


_PAINTED = """() => {
  window.painted = [];
  addEventListener("keydown", () => {
    const start = performance.now();
    requestAnimationFrame(() => setTimeout(() => window.painted.push(performance.now() - start)));
  }, true);
  window.nextFinding = () => new Promise((resolve) => {
    let start = 0;
    addEventListener("keydown", () => (start = performance.now()), true);
    const look = () =>
      document.querySelector(".mantine-InputWrapper-error") ? resolve(performance.now() - start) : requestAnimationFrame(look);
    look();
  });
}"""
_DRAWN = """(count, step) => new Promise((resolve) => {
  const start = performance.now();
  let frame = 0;
  const next = () => {
    if (frame++ === count) return resolve((count * 1000) / (performance.now() - start));
    step(frame);
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""
_WHEEL = """(options) => document.querySelector(".react-flow__pane").dispatchEvent(
  new WheelEvent("wheel", { bubbles: true, cancelable: true, clientX: 600, clientY: 400, ...options }))"""
_PANNED = f"""(count) => {{
  const pane = document.querySelector(".react-flow__pane");
  const at = (type, x) => pane.dispatchEvent(new MouseEvent(type, {{
    bubbles: true, cancelable: true, view: window, button: 0, buttons: 1, clientX: x, clientY: 300 }}));
  at("mousedown", 600);
  return ({_DRAWN})(count, (frame) => window.dispatchEvent(new MouseEvent("mousemove", {{
    bubbles: true, view: window, buttons: 1, clientX: 600 - frame * 4, clientY: 300 }})))
    .finally(() => window.dispatchEvent(new MouseEvent("mouseup", {{ bubbles: true, view: window }})));
}}"""
_ZOOMED = f"(count) => ({_DRAWN})(count, (frame) => ({_WHEEL})({{ deltaY: frame % 60 < 30 ? 20 : -20 }}))"


def _usable(page: "Page", selector: str) -> float:
    """Milliseconds from the navigation until the element is drawn."""
    page.wait_for_function("(found) => document.querySelector(found)", arg=selector, polling="raf")
    return float(page.evaluate("performance.now()"))


@contextmanager
def opened(browser: "Browser", url: str) -> Iterator[tuple["Page", Callable[[], int]]]:
    """A page in a browser without a cache whose person is signed in, and a function that says how many bytes of the
    console's files it received, as they were compressed."""
    context = browser.new_context(viewport={"width": 1360, "height": 860}, locale="en-US")
    context.add_init_script(f"sessionStorage.setItem('pytake.tokens', {json.dumps(json.dumps(_tokens()))})")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    own: set[str] = set()
    sizes: list[int] = []

    def begun(event: dict[str, Any]) -> None:
        if "/console" in event["request"]["url"]:
            own.add(event["requestId"])

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in own:
            sizes.append(int(event["encodedDataLength"]))

    session.on("Network.requestWillBeSent", begun)
    session.on("Network.loadingFinished", finished)
    page.goto(url)
    try:
        yield page, lambda: sum(sizes)
    finally:
        context.close()


def _tokens() -> dict[str, Any]:
    claims = {"organization_id": "demo", "role": "admin", "name": "Ana", "sub": "ana"}
    token = f"x.{base64.b64encode(json.dumps(claims).encode()).decode()}.x"
    return {"token": token, "refresh": "r", "renewAt": 1e15, "expiresAt": 1e15}


def console_table(result: ConsoleResult) -> str:
    """A row for each figure: the median of its measurements, the worst, the median of the bare canvas, and the ratio."""
    ours, bare = result.canvas, result.bare
    rows = [
        ["first page usable, ms", *_both(result.first_page), "", ""],
        ["first page, kB over the wire", f"{result.first_bytes / 1000:.0f}", "", "", ""],
        [f"canvas with {NODES} nodes usable, ms", *_compared(ours.usable, bare.usable)],
        ["Build, kB over the wire", f"{result.build_bytes / 1000:.0f}", "", "", ""],
        ["panning, frames/s", *_compared(ours.pan, bare.pan, worst=min)],
        ["zooming, frames/s", *_compared(ours.zoom, bare.zoom, worst=min)],
        ["key to painted frame, ms", *_compared(ours.keys, bare.keys)],
        ["key to finding, ms", *_both(result.findings), "", ""],
    ]
    return table(["", "median", "worst", "bare canvas", "ratio"], rows)


def console_targets(result: ConsoleResult) -> list[list[str]]:
    """Rows of the targets' table."""
    median = statistics.median
    ours, bare = result.canvas, result.bare

    def beside(own: list[float], other: list[float]) -> str:
        return f"{median(own):.0f} ({times(median(own) / median(other))} the bare canvas)"

    return [
        [
            "console, first page usable; transfer",
            "≤ 800 ms; ≤ 300 kB",
            f"{median(result.first_page):.0f} ms; {result.first_bytes / 1000:.0f} kB",
        ],
        [
            f"console, canvas with {NODES} nodes usable, ms; transfer of Build more than of the first page",
            "≤ 1,200; ≤ 150 kB",
            f"{beside(ours.usable, bare.usable)}; {(result.build_bytes - result.first_bytes) / 1000:.0f} kB",
        ],
        ["console, pan, frames/s", "≥ 55", beside(ours.pan, bare.pan)],
        ["console, zoom, frames/s", "≥ 55", beside(ours.zoom, bare.zoom)],
        ["console, key to painted frame, ms", "≤ 50", beside(ours.keys, bare.keys)],
        ["console, key to finding", "≤ 500 ms", f"{median(result.findings):.0f} ms"],
    ]


def _both(values: list[float], worst: Callable[[list[float]], float] = max) -> tuple[str, str]:
    return f"{statistics.median(values):.0f}", f"{worst(values):.0f}"


def _compared(own: list[float], other: list[float], worst: Callable[[list[float]], float] = max) -> tuple[str, ...]:
    ratio = statistics.median(own) / statistics.median(other)
    return (*_both(own, worst), f"{statistics.median(other):.0f}", times(ratio))
