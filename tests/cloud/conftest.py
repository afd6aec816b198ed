"""A real local cloud for tests: `pytake local` on a free port, with its own data folder."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sysconfig
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from typer.testing import CliRunner, Result

from cli.main import app
from local import demo
from pytake.whatsapp.signature import sign

PYTAKE = Path(sysconfig.get_path("scripts")) / "pytake"
WEBHOOK = "/api/v1/whatsapp/webhook"
MAX_START_SECONDS = 300
ORIGIN = "https://app.example.com"
FLAGS = ("--allow-private-calls", "--allow-origin", ORIGIN, "--allow-origin", "http://localhost:5173")


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Cloud:
    """A running `pytake local`, and what people and Meta do to it."""

    def __init__(self, process: "subprocess.Popen[str]", url: str, data_dir: Path, output: list[str], seconds: float):
        self.process = process
        self.url = url
        self.data_dir = data_dir
        self.output = output
        """What it printed until it was ready, line by line."""
        self.start_seconds = seconds
        self.http = httpx.Client(base_url=url, timeout=35, trust_env=False)

    @classmethod
    def start(cls, data_dir: Path, port: int, *flags: str) -> "Cloud":
        """Start it and return when it says that it is ready."""
        began = time.monotonic()
        process = subprocess.Popen(
            [PYTAKE, "local", "--port", str(port), "--data-dir", data_dir, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        output: list[str] = []
        assert process.stdout is not None
        watchdog = _kill_after(process, MAX_START_SECONDS)
        for line in process.stdout:
            output.append(line.rstrip("\n"))
            if line.startswith("ready "):
                watchdog.cancel()
                return cls(process, output[-1].removeprefix("ready "), data_dir, output, time.monotonic() - began)
        watchdog.cancel()
        process.wait()
        raise AssertionError(f"pytake local ended with {process.returncode}:\n" + "\n".join(output))

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop it with a signal and return its exit status."""
        self.http.close()
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=30)
        self.output += rest.splitlines()
        return self.process.returncode

    def start_again(self, *flags: str) -> None:
        """Start again on the same port and data, after it has ended."""
        self.http.close()
        again = Cloud.start(self.data_dir, int(self.url.rpartition(":")[2]), *FLAGS, *flags)
        self.__dict__.update(again.__dict__)

    def token(self, role: str = "admin", organization_id: str = demo.ORGANIZATION_ID) -> str:
        """Return a token as `pytake token` gets it."""
        answer = self.http.post("/_oidc/token", json={"organization_id": organization_id, "role": role})
        token: str = answer.raise_for_status().json()["access_token"]
        return token

    def command(self, *arguments: str) -> Result:
        """Run a command of `pytake` against this cloud, in this process: starting Python takes most of a second."""
        with patch.dict(os.environ):
            return CliRunner().invoke(app, [*arguments, "--url", self.url])

    @contextlib.contextmanager
    def api(self, role: str = "admin", organization_id: str = demo.ORGANIZATION_ID) -> Iterator[httpx.Client]:
        """Give a client of the REST API with a token."""
        headers = {"Authorization": f"Bearer {self.token(role, organization_id)}"}
        with httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=35, trust_env=False) as client:
            yield client

    def post_webhook(self, body: bytes, secret: str = demo.APP_SECRET, **headers: str) -> httpx.Response:
        """Post to the webhook as Meta does, signed over exactly these bytes."""
        signed = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(secret, body)}
        return self.http.post(WEBHOOK, content=body, headers=signed | headers)

    def say(self, phone: str, text: str) -> None:
        """Let the person with a phone write a text."""
        self.http.post(f"/_sim/phones/{phone}/messages", json={"text": text}).raise_for_status()

    def screen(self, phone: str) -> list[dict[str, Any]]:
        """Return the messages on a phone, both directions, in order."""
        messages: list[dict[str, Any]] = self.http.get(f"/_sim/phones/{phone}/messages").json()["messages"]
        return messages

    def answers(self, phone: str, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """Return what the business sent to a phone, as soon as it is at least `count` messages."""
        end, after = time.monotonic() + seconds, 0
        while True:
            sent = [message for message in self.screen(phone) if message["direction"] == "out"]
            if len(sent) >= count:
                return sent
            assert time.monotonic() < end, f"{len(sent)} of {count} answers after {seconds} s: {self.logs()}"
            query = {"after": after, "wait": 1}
            shown = self.http.get(f"/_sim/phones/{phone}/messages", params=query).json()["messages"]
            after = shown[-1]["seq"] if shown else after

    def children(self, what: str) -> list[int]:
        """Return the ids of the processes of this cloud whose command line contains `what`."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                output = (folder / "cmdline").read_text().split("\0")
                if str(self.data_dir) in " ".join(output) and any(what in word for word in output):
                    found.append(int(folder.name))
        return sorted(found)

    def denied_requests(self) -> list[str]:
        """Return the requests of functions that the embedded AWS denied because the role in the template does not allow them."""
        from local.emulator import (
            DENIED_PREFIX,  # with it comes the emulator, which sets logging up for the whole process
        )

        lines = (self.data_dir / "logs" / "embedded-aws.log").read_text(errors="replace").splitlines()
        return [
            line.partition(DENIED_PREFIX)[2]
            for line in lines
            if DENIED_PREFIX in line and "assumed-role/pytake-" in line
        ]

    def logs(self) -> str:
        """Return the ends of all logs, for the message of a failed test."""
        tails = []
        for path in sorted((self.data_dir / "logs").glob("*.log")):
            tails.append(f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-8:]))
        return "\n".join(tails)


def _kill_after(process: "subprocess.Popen[str]", seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def text_notification(phone: str, text: str, message_id: str | None = None) -> bytes:
    """Return the body of a webhook post with one text message to the demo's number."""
    message = {
        "from": phone,
        "id": message_id or f"wamid.{uuid.uuid4().hex}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": text},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": demo.PHONE_NUMBER_ID, "display_phone_number": "551140000001"},
        "contacts": [{"wa_id": phone, "profile": {"name": "Ana"}}],
        "messages": [message],
    }
    change = {"field": "messages", "value": value}
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    return json.dumps(body).replace("/", "\\/").encode()  # Meta escapes slashes


def is_running(process_id: int) -> bool:
    """Say whether a process exists and has not ended."""
    try:
        os.kill(process_id, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process_id}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
