"""The commands `pytake local` and `pytake token`, without a running cloud."""

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

from cli.local import local, signed_message, token

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
