"""The commands `pytake local` and `pytake token`, without a running cloud."""

import asyncio
import errno
import hashlib
import hmac
import http.server
import json
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.dlq import app as dlq
from cli.local import local, signed_message, token
from local.deployment import Deployer, DeploymentError
from local.embedded_aws import EmbeddedAws

app = typer.Typer()
app.command()(local)
app.command()(token)


def test_a_port_in_use_is_said_and_ends_with_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["local", "--port", str(port), "--data-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert f"Port {port} is in use" in result.stderr
    assert f"--port {port + 1}" in result.stderr


def test_the_suggested_port_is_one_that_everybody_may_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refused)
    result = CliRunner().invoke(app, ["local", "--port", "80", "--data-dir", str(tmp_path)])
    assert result.exit_code == 2
    assert "Port 80 cannot be opened: Permission denied" in result.stderr
    assert "--port 8000" in result.stderr


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_folder_that_cannot_be_written_is_said_and_ends_with_2(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setattr(Path, call, refused)
    result = CliRunner().invoke(app, ["local", "--port", str(port), "--data-dir", str(tmp_path / "new")])
    assert result.exit_code == 2
    assert "new cannot be written: Read-only file system. Choose another one" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "text"),
    [
        ("--graph-url", "graph.example.com", "not an address such as"),
        ("--graph-url", "https://graph.example.com/" + "a" * 20, "of at most 40 characters"),
        ("--allow-origin", "localhost:5173", "not an origin such as"),
        ("--allow-origin", "http://localhost:5173/app", "without a path"),
    ],
)
def test_a_wrong_address_is_refused_before_anything_is_built(
    option: str, value: str, text: str, tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, ["local", option, value, "--data-dir", str(tmp_path)], env={"COLUMNS": "240"})
    assert result.exit_code == 2
    assert text in result.stderr


def test_commands_do_not_find_the_stack_while_it_is_deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def started(aws: EmbeddedAws) -> None:
        aws.port = 4566

    async def stopped(_: EmbeddedAws) -> None:
        """Nothing was started."""

    async def deploy(*_: object) -> None:
        result = await asyncio.to_thread(CliRunner().invoke, dlq, ["list", "--url", f"http://127.0.0.1:{port}"])
        raise DeploymentError(result.stderr)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for owner, call, replacement in ((EmbeddedAws, "start", started), (EmbeddedAws, "stop", stopped)):
        monkeypatch.setattr(owner, call, replacement)
    monkeypatch.setattr(Deployer, "deploy", deploy)
    result = CliRunner().invoke(app, ["local", "--port", str(port), "--data-dir", str(tmp_path)])
    assert "it is still starting" in result.stderr


def test_a_token_has_a_role_that_exists() -> None:
    result = CliRunner().invoke(app, ["token", "--org", "demo", "--role", "owner"], env={"COLUMNS": "240"})
    assert result.exit_code == 2
    assert "'admin', 'builder', 'agent', 'analyst'" in result.stderr


def test_without_a_cloud_a_token_is_refused_with_a_hint() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        result = CliRunner().invoke(app, ["token", "--org", "demo", "--url", url])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "pytake local" in result.stderr


class Receiver(http.server.BaseHTTPRequestHandler):
    received: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.headers["X-Hub-Signature-256"], body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_pasted_message_is_signed(shell: str) -> None:
    receiver = type("OneReceiver", (Receiver,), {"received": []})
    with http.server.HTTPServer(("127.0.0.1", 0), receiver) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        lines = signed_message(f"http://127.0.0.1:{server.server_port}", "demo-app-secret")
        subprocess.run([shell, "-c", lines], check=True)
        thread.join()
    (signature, body) = receiver.received[0]
    assert signature == "sha256=" + hmac.new(b"demo-app-secret", body, hashlib.sha256).hexdigest()
    message = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]
    assert message["id"] == f"wamid.{message['timestamp']}"
