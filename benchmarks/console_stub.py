"""A server with the console's files, and with the parts of the REST API that its Build area asks for."""

import base64
import contextlib
import importlib.util
import json
import mimetypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.environments import NotInstalledError
from benchmarks.report import REPOSITORY
from pytake.engine import fix_of, inspect_flow

HANDLER = REPOSITORY / "functions" / "console" / "handler.py"
VARIABLES = {
    "issuer": "https://issuer.example",
    "console_client": "console",
    "console_scope": "openid",
    "console_token": "access_token",
    "organization_claim": "organization_id",
    "role_claim": "role",
}


@contextmanager
def stub(
    flows: dict[str, dict[str, Any]], versions: dict[str, dict[str, Any]] | None = None, *, pages: Path | None = None
) -> Iterator[str]:
    """Serves the console and the parts of the REST API that its Build area asks for these flows, and the files of `pages`
    below `/pages`. Yields its address."""
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
            elif pages and self.path.startswith("/pages/"):
                self._page(pages / self.path.removeprefix("/pages/"))
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

        def _page(self, file: Path) -> None:
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            self._send(200, {"content-type": kind}, file.read_bytes()) if file.is_file() else self._send(404, {}, b"")

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
    if path == "/api/v1/conversations":
        return {"conversations": [], "next_cursor": None}
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
