"""The web console in this machine's Chromium: how soon pages are usable, what they transfer, and how a large flow is edited.

The files are those that `make console` built, answered by the console's own function. The REST API is a stub in this process
whose `validate` asks the real prover, so the figures are the browser's and the prover's, without a network and Lambda.
"""

import base64
import contextlib
import importlib.util
import json
import os
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.environments import NotInstalledError
from benchmarks.report import REPOSITORY, table
from pytake.engine import fix_of, inspect_flow
from tests.console.browser import FLAGS, find_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HANDLER = REPOSITORY / "functions" / "console" / "handler.py"
NODES = 500
RUNS = 5
KEYS = 30
FRAMES = 90
VARIABLES = {
    "issuer": "https://issuer.example",
    "console_client": "console",
    "console_scope": "openid",
    "console_token": "access_token",
    "organization_claim": "organization_id",
    "role_claim": "role",
}


@dataclass
class ConsoleResult:
    """Milliseconds of each run, bytes over the wire, and frames a second."""

    first_page: list[float] = field(default_factory=list)
    first_bytes: int = 0
    canvas: list[float] = field(default_factory=list)
    build_bytes: int = 0
    pan: float = 0.0
    zoom: float = 0.0
    keys: list[float] = field(default_factory=list)
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
    with stub({"large": large_flow()}) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for run in range(runs):
            progress(f"console, {run + 1} of {runs}")
            with opened(browser, f"{url}/console") as (page, received):
                result.first_page.append(_usable(page, ".home-area"))
                result.first_bytes = received()
            with opened(browser, f"{url}/console/build/large") as (page, received):
                result.canvas.append(
                    _usable(page, f".react-flow__node:nth-child({NODES}) .build-exit, .react-flow__edge")
                )
                result.build_bytes = received()
                if run == 0:
                    _edit(page, result)
        browser.close()
    return result


def _edit(page: "Page", result: ConsoleResult) -> None:
    page.locator(".react-flow__node", has_text="Question 1?").first.click()
    area = page.locator("textarea").first
    area.click()
    page.evaluate(_PAINTED)
    for _ in range(KEYS):
        page.keyboard.type("x")
        page.wait_for_timeout(20)
    result.keys = page.evaluate("window.painted")
    for _ in range(RUNS):
        page.evaluate("() => void (window.found = window.nextFinding())")
        page.keyboard.type("{{")
        result.findings.append(page.evaluate("window.found"))
        page.keyboard.press("Escape")
        page.keyboard.press("Backspace")
        page.keyboard.press("Backspace")
        page.locator(".mantine-InputWrapper-error").wait_for(state="detached")
    page.locator(".react-flow__pane").hover(position={"x": 5, "y": 5}, force=True)
    result.pan = page.evaluate(_PANNED, FRAMES)
    result.zoom = page.evaluate(_ZOOMED, FRAMES)


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


@contextmanager
def stub(flows: dict[str, dict[str, Any]], versions: dict[str, dict[str, Any]] | None = None) -> Iterator[str]:
    """Serves the console and the parts of the REST API that its Build area asks for these flows. Yields its address."""
    spec = importlib.util.spec_from_file_location("console_handler", HANDLER)
    if spec is None or spec.loader is None:
        raise NotInstalledError(str(HANDLER))
    os.environ.setdefault("STAGE", "local")
    console = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(console)

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            if self.path.startswith("/console"):
                self._console()
            else:
                self._json(_answer(self.path.partition("?")[0], flows, versions or {}))

        def do_PUT(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._json(_draft(document))

        def do_POST(self) -> None:
            document = json.loads(self.rfile.read(int(self.headers["content-length"])))["document"]
            self._json(_inspection(document))

        def _console(self) -> None:
            event = {"rawPath": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}}
            answer = console.handler({**event, "stageVariables": VARIABLES}, None)
            body = answer.get("body", "")
            content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
            self._send(answer["statusCode"], answer["headers"], content)

        def _json(self, value: Any) -> None:
            self._send(200, {"content-type": "application/json", "etag": '"1"'}, json.dumps(value).encode())

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            with contextlib.suppress(ConnectionError):  # the console cancels requests that a newer one replaces
                self.end_headers()
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(path: str, flows: dict[str, dict[str, Any]], versions: dict[str, dict[str, Any]]) -> Any:
    if path == "/api/v1/flows":
        about: dict[str, Any] = {
            "latest_version": 1,
            "published_version": 1,
            "updated_at": "2026-11-29T10:00:00Z",
            "updated_by": "ana",
        }
        filed: dict[str, Any] = {"folder": None, "tags": [], "archived": False}
        return [{"flow_id": name, "name": flow.get("name", name), **about, **filed} for name, flow in flows.items()]
    parts = path.removeprefix("/api/v1/flows/").split("/")
    if parts[0] in flows and len(parts) == 1:
        return _draft(flows[parts[0]])
    if parts[0] in versions:
        published = {"version": 1, "published_at": "2026-11-29T10:00:00Z", "published_by": "ana", "problems": []}
        found = {"flow_id": parts[0], **published, "sub_flows": []}
        return [found] if len(parts) == 2 else {**found, "document": versions[parts[0]], "sub_flow_documents": {}}
    return []


def _draft(document: dict[str, Any]) -> dict[str, Any]:
    return {"flow_id": document["id"], "document": document, "problems": [], "saved_at": None, "saved_by": None}


def _inspection(document: dict[str, Any]) -> dict[str, Any]:
    problems, completion = inspect_flow({document["id"]: document}, document["id"])
    found = [
        {"flow_id": None, "node_id": None, "field": None, **msgspec.to_builtins(problem)}
        | {"fix": msgspec.to_builtins(fix_of(document, problem))}
        for problem in problems
    ]
    variables = [
        {**variable, "assigned_by": [{"flow_id": place[0], "node_id": place[1]} for place in variable["assigned_by"]]}
        for variable in msgspec.to_builtins(completion.variables)
    ]
    return {
        "publishable": all(problem.severity != "error" for problem in problems),
        "problems": found,
        "completion": {"variables": variables, "nodes": msgspec.to_builtins(completion.nodes)},
    }


def console_table(result: ConsoleResult) -> str:
    """A row for each figure: the median of its measurements, and the worst."""
    rows = [
        ["first page usable, ms", *_both(result.first_page)],
        ["first page, kB over the wire", f"{result.first_bytes / 1000:.0f}", ""],
        [f"canvas with {NODES} nodes usable, ms", *_both(result.canvas)],
        ["Build, kB over the wire", f"{result.build_bytes / 1000:.0f}", ""],
        ["panning, frames/s", f"{result.pan:.0f}", ""],
        ["zooming, frames/s", f"{result.zoom:.0f}", ""],
        ["key to painted frame, ms", *_both(result.keys)],
        ["key to finding, ms", *_both(result.findings)],
    ]
    return table(["", "median", "worst"], rows)


def console_targets(result: ConsoleResult) -> list[list[str]]:
    """Rows of the targets' table."""
    median = statistics.median
    return [
        [
            "console, first page usable; transfer",
            "≤ 800 ms; ≤ 300 kB",
            f"{median(result.first_page):.0f} ms; {result.first_bytes / 1000:.0f} kB",
        ],
        [
            f"console, canvas with {NODES} nodes usable; transfer of Build more than of the first page",
            "≤ 1,200 ms; ≤ 150 kB",
            f"{median(result.canvas):.0f} ms; {(result.build_bytes - result.first_bytes) / 1000:.0f} kB",
        ],
        ["console, pan and zoom", "≥ 55 frames/s", f"{result.pan:.0f} and {result.zoom:.0f} frames/s"],
        ["console, key to painted frame", "≤ 50 ms", f"{median(result.keys):.0f} ms"],
        ["console, key to finding", "≤ 500 ms", f"{median(result.findings):.0f} ms"],
    ]


def _both(values: list[float]) -> tuple[str, str]:
    return f"{statistics.median(values):.0f}", f"{max(values):.0f}"
