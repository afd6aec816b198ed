"""Starts and stops the process of the embedded AWS."""

import asyncio
import contextlib
import json
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

REGION = "us-east-1"
ACCOUNT = "000000000000"


class EmbeddedAwsError(Exception):
    """The emulator did not start, or ended by itself; the message says where its log is."""


def free_port() -> int:
    """Return an unused port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Return whether this process can listen on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@dataclass
class EmbeddedAws:
    """The emulator of one data folder: a child process that ends with this process.

    Its port is chosen once and saved in the data folder, because queue URLs are part of the deployed functions'
    environment.
    """

    data_folder: Path
    logs_folder: Path
    port: int = 0
    extra_environment: dict[str, str] = field(default_factory=dict)
    """Variables for clients and functions. Functions get only those in `function_sandbox.INHERITED_VARIABLES`."""

    owner_key: str = field(default_factory=lambda: secrets.token_hex(10).upper(), repr=False)
    """The access key of the account's owner: random, so that only clients of this run know it (`local.access_guard`)."""

    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def endpoint_url(self) -> str:
        """The endpoint of all AWS services."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self) -> Path:
        """The log of the emulator itself."""
        return self.logs_folder / "embedded-aws.log"

    @property
    def client_environment(self) -> dict[str, str]:
        """The environment variables that AWS clients and the SAM CLI need to use this AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.owner_key,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.extra_environment,
        }

    async def start(self) -> None:
        """Start the process and return when it responds.

        Raises:
            EmbeddedAwsError: it ended before it responded.
        """
        for folder in (self.logs_folder, self._folder("run"), self._folder("run/home")):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._folder("run/tmp"), ignore_errors=True)
        self._folder("run/tmp").mkdir()
        self.port = self._choose_port()
        with self.log_path.open("wb") as log:
            command = [sys.executable, "-I", "-m", "local.emulator"]
            self._process = subprocess.Popen(  # noqa: S603  our interpreter, our module
                [*command, str(self.port), str(self._folder("run")), str(self.logs_folder)],
                env=self._environment(),
                stdin=subprocess.PIPE,  # it closes when this process ends, and then the emulator ends too
                stdout=log,
                stderr=subprocess.STDOUT,
                umask=0o077,  # state files hold secrets
                start_new_session=True,  # Ctrl-C reaches only this process, which stops the emulator
            )
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{self.endpoint_url}/_ministack/health")).is_success:
                        return
                self.raise_if_ended()
                await asyncio.sleep(0.02)

    @property
    def process_id(self) -> int:
        """The process id of the emulator. Raises `EmbeddedAwsError` before `start`."""
        if self._process is None:
            raise EmbeddedAwsError("The embedded AWS is not started")
        return self._process.pid

    def raise_if_ended(self) -> None:
        """Raise `EmbeddedAwsError` if the process is not running."""
        if self._process is not None and self._process.poll() is None:
            return
        tail = "\n".join(self.log_path.read_text(errors="replace").splitlines()[-15:])
        raise EmbeddedAwsError(f"The embedded AWS ended. Its log is {self.log_path}:\n{tail}")

    async def ended(self) -> None:
        """Return when the process has ended."""
        while self._process is not None and self._process.poll() is None:
            await asyncio.sleep(0.2)

    def save(self) -> None:
        """Make the emulator save its state now."""
        if self._process is not None:
            self._process.send_signal(signal.SIGUSR1)

    async def stop(self) -> None:
        """Stop the emulator, which saves its state. Kill it after 15 seconds."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(15):
                await self.ended()
        except TimeoutError:
            self._process.send_signal(signal.SIGUSR2)  # logs the stacks of all threads
            await asyncio.sleep(0.5)
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None
        shutil.rmtree(self._folder("run/tmp"), ignore_errors=True)

    def _folder(self, name: str) -> Path:
        return self.data_folder / name

    def _choose_port(self) -> int:
        record = self._folder("run/embedded-aws.json")
        with contextlib.suppress(FileNotFoundError, ValueError, KeyError):
            port = int(json.loads(record.read_text())["port"])
            if is_free(port):
                return port
        port = free_port()
        record.write_text(json.dumps({"port": port}))
        return port

    def _environment(self) -> dict[str, str]:
        """MiniStack's settings. This process's environment is left out: it could contain a real AWS profile."""
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self._folder("run/home")),
            "TMPDIR": str(self._folder("run/tmp")),
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",  # MiniStack must not start containers
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(self._folder("aws/state")),
            "S3_DATA_DIR": str(self._folder("aws/s3")),
            "LOG_LEVEL": "WARNING",
            "PYTAKE_OWNER_KEY": self.owner_key,
            "AUTH": "true",  # functions may do only what their roles in the template allow
            **self.extra_environment,
        }
