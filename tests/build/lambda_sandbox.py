"""Runs a built function as Lambda does, without a container: AWS's runtime client in its own process, served by a small
implementation of the Lambda Runtime API.

The interpreter of the process has no site-packages. It finds the function, the layer and the runtime client only, so a
dependency that is missing from the layer is missing here, too.
"""

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
RUNTIME_API = "/2018-06-01/runtime"
REGION = "us-east-1"
CLIENT_DISTRIBUTIONS = ("awslambdaric", "snapshot-restore-py", "simplejson")

# What Lambda itself sets; see "Lambda environment variables" in its developer guide.
BASE_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "en_US.UTF-8",
    "TZ": ":UTC",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "000000000000",
    "AWS_SECRET_ACCESS_KEY": "sandbox",
    "AWS_EXECUTION_ENV": f"AWS_Lambda_python{VERSION}",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_LAMBDA_LOG_LEVEL": "INFO",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt are read-only on Lambda
}


class FunctionFailedError(Exception):
    """The function raised an error, or ended before it answered. The text is the error and the log."""


@dataclass(frozen=True)
class Invocation:
    """One event in progress."""

    request_id: str
    event: bytes
    deadline_ms: int
    answer: "queue.Queue[tuple[bool, bytes]]"


class Sandbox:
    """One execution environment: one process, one invocation at a time."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: Path, folder: Path) -> None:
        """Prepare; the process starts with the first event and then keeps running."""
        self._command, self._environment, self._log_path, self._folder = command, environment, log, folder
        self._waiting: queue.Queue[Invocation | None] = queue.Queue()
        self._running: dict[str, Invocation] = {}
        self._init_error: bytes | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_RuntimeApi, self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoke(self, event: Any, *, timeout: float = 30) -> Any:
        """Return the function's answer to an event. Raises `FunctionFailedError`."""
        if self._process is None:
            self._start()
        answer: queue.Queue[tuple[bool, bytes]] = queue.Queue()
        deadline_ms = int((time.time() + timeout) * 1000)
        self._waiting.put(Invocation(str(uuid.uuid4()), json.dumps(event).encode(), deadline_ms, answer))
        end = time.time() + timeout
        while True:
            try:
                failed, body = answer.get(timeout=0.05)
            except queue.Empty:
                if self._init_error is not None:
                    raise FunctionFailedError(f"{self._init_error.decode()}\n{self.log}") from None
                if self._process is None or self._process.poll() is not None:
                    raise FunctionFailedError(f"The process ended.\n{self.log}") from None
                if time.time() > end:
                    raise FunctionFailedError(f"Task timed out after {timeout} seconds.\n{self.log}") from None
                continue
            if failed:
                raise FunctionFailedError(f"{body.decode()}\n{self.log}")
            return json.loads(body)

    @property
    def log(self) -> str:
        """What the function has logged so far."""
        return self._log_path.read_text(errors="replace") if self._log_path.exists() else ""

    def close(self) -> None:
        """End the process and the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._waiting.put(None)  # lets a waiting handler of the server end
        self._server.shutdown()
        self._server.server_close()

    def _start(self) -> None:
        environment = {**self._environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}"}
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=environment, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    # For the server:
    def next(self) -> Invocation | None:
        """Wait for an event."""
        invocation = self._waiting.get()
        if invocation is not None:
            self._running[invocation.request_id] = invocation
        return invocation

    def answered(self, request_id: str, failed: bool, body: bytes) -> None:
        """Accept an answer of the function."""
        self._running.pop(request_id).answer.put((failed, body))

    def failed_to_start(self, body: bytes) -> None:
        """Accept the error of a handler that cannot be imported."""
        self._init_error = body


class _RuntimeApi(BaseHTTPRequestHandler):
    """The Lambda Runtime API for one sandbox."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True  # with both, an answer is one packet; otherwise each takes 40 ms more

    def __init__(self, sandbox: Sandbox, *arguments: Any) -> None:
        self._sandbox = sandbox
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send the next event."""
        invocation = self._sandbox.next()
        if invocation is None:
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:{REGION}:000000000000:function:sandbox",
            "Content-Type": "application/json",
        }
        with contextlib.suppress(BrokenPipeError):
            self._send(200, invocation.event, headers)

    def do_POST(self) -> None:
        """Receive an answer, an error, or the failure to start."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path.removeprefix(RUNTIME_API).strip("/").split("/")
        if path == ["init", "error"]:
            self._sandbox.failed_to_start(body)
        else:
            _, request_id, kind = path  # invocation/<id>/response or /error
            self._sandbox.answered(request_id, kind == "error", body)
        self._send(202, b'{"status":"OK"}', {})

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing."""

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def sandbox(
    code: Path,
    layer: Path,
    environment: Mapping[str, str],
    folder: Path,
    handler: str = "handler.handler",
    more_layers: Sequence[Path] = (),
) -> Iterator[Sandbox]:
    """Provide the execution environment of a built function.

    Args:
        code: the built function.
        layer: the layer's `python` folder.
        environment: what the template sets.
        folder: for the log and the runtime client's files.
        handler: the function to call.
        more_layers: the `python` folders of further layers.
    """
    client = _runtime_client(folder / "runtime")
    interpreter = Path(sys.base_prefix) / "bin" / f"python{VERSION}"
    full = {
        **BASE_ENVIRONMENT,
        "HOME": str(folder),
        "PYTHONPATH": ":".join(map(str, (code, layer, *more_layers, client))),
        "LAMBDA_TASK_ROOT": str(code),
        "_HANDLER": handler,
        "AWS_LAMBDA_FUNCTION_NAME": code.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        **environment,
    }
    command = [str(interpreter), "-S", "-m", "awslambdaric", handler]
    running = Sandbox(command, full, folder / f"{code.name}.log", code)
    try:
        yield running
    finally:
        running.close()


def _runtime_client(folder: Path) -> Path:
    """Return a folder with the runtime client and its dependencies, without other packages of this environment."""
    if not folder.exists():
        folder.mkdir(parents=True)
        for distribution in CLIENT_DISTRIBUTIONS:
            found = files(distribution) or ()
            for top in {file.parts[0] for file in found if not file.parts[0].endswith(".dist-info")} - {
                "..",
                "__pycache__",
            }:
                (folder / top).symlink_to(Path(str(found[0].locate())).parents[len(found[0].parts) - 1] / top)
    return folder
