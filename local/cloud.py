"""The local cloud: starts and stops all its parts."""

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local import demo
from local.deployment import STACK, Deployer, local_parameters
from local.emails import PREFIX as EMAILS_PREFIX
from local.emails import CapturedEmails
from local.embedded_aws import EmbeddedAws
from local.gateway import ApiProxy, ApiTarget, create_app, create_server
from local.graph_simulator import GraphSimulator, NumberCredentials
from local.models import PREFIX as MODELS_PREFIX
from local.models import ModelRule, ScriptedModels
from local.oidc import AUDIENCE, Issuer
from local.traffic_observer import WEBHOOK_PATH, TrafficObserver

REPOSITORY = Path(__file__).resolve().parent.parent


def command_name() -> str:
    """How to call this command: its name if it is on PATH, else its relative path."""
    if shutil.which("pytake"):
        return "pytake"
    with contextlib.suppress(ValueError):  # on another drive (Windows)
        return os.path.relpath(sys.argv[0])
    return sys.argv[0]


class CannotStartError(Exception):
    """A port or a folder is in use or not accessible; the message says what to do."""


@dataclass(frozen=True)
class Settings:
    """The options of `pytake local`."""

    data_folder: Path
    port: int = 8000
    graph_url: str | None = None
    with_demo: bool = True
    allow_private_calls: bool = False
    allowed_origins: tuple[str, ...] = ()
    model_rules: list[ModelRule] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the local cloud."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def function_environment(self) -> dict[str, str]:
        """The environment variables of functions that are not in the template."""
        stand_ins = {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"{self.url}{MODELS_PREFIX}",
            "AWS_ENDPOINT_URL_SESV2": f"{self.url}{EMAILS_PREFIX}",
        }
        return stand_ins | ({"API_CALL_ALLOW_PRIVATE": "true"} if self.allow_private_calls else {})

    @property
    def logs_folder(self) -> Path:
        """The folder of all logs."""
        return self.data_folder / "logs"


class LocalCloud:
    """Everything that `pytake local` runs: the embedded AWS as a child process, the gateway in this process."""

    def __init__(self, settings: Settings, log_step: Callable[[str], None]) -> None:
        """Nothing starts before `start`. `log_step` is called with one line before each slow step."""
        self.settings = settings
        self._log_step = log_step
        self._models = ScriptedModels(settings.model_rules)
        self._aws = EmbeddedAws(
            settings.data_folder, settings.logs_folder, extra_environment=settings.function_environment
        )
        self._simulator = self._simulated_whatsapp()
        self._proxy = ApiProxy(TrafficObserver(self._simulator))
        self._exit_stack = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Start everything and return when it is ready.

        Raises:
            CannotStartError: the port or the data folder is in use.
            EmbeddedAwsError: the embedded AWS did not start.
            DeploymentError: the template was not built or deployed.
            DemoError: the demo was not created.
        """
        listener = self._listen()
        self._own_data_folder()
        issuer = Issuer.with_key_in(self.settings.data_folder, f"{self.settings.url}/_oidc")
        await self._simulator.start()
        self._exit_stack.push_async_callback(self._simulator.stop)
        await self._serve(listener, issuer)
        self._exit_stack.push_async_callback(self._aws.stop)
        await self._aws.start()
        deployment = await Deployer(self._aws, REPOSITORY, self.settings.data_folder).deploy(
            local_parameters(
                graph_url=self.settings.graph_url or f"{self.settings.url}/_graph",
                issuer=issuer.url,
                audience=AUDIENCE,
                allowed_origins=(self.settings.url, *self.settings.allowed_origins),
            ),
            self._log_step,
        )
        self._proxy.target = ApiTarget(self._aws.endpoint_url, deployment.api_id)
        seeded = self.settings.with_demo and await self._seed_demo(issuer)
        if seeded and (phones := self._simulator.delete_phones()):
            # They would show conversations that are not in the new table.
            self._log_step(f"The table is new: deleted {phones} simulated phones of earlier runs")
        if deployment.fresh or seeded:
            self._aws.save()

    async def run_until_stopped(self, stop: asyncio.Event) -> None:
        """Return when `stop` is set.

        Raises:
            EmbeddedAwsError: the embedded AWS ended unexpectedly.
        """
        waits = [asyncio.create_task(stop.wait()), asyncio.create_task(self._aws.ended())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                self._aws.raise_if_ended()
        finally:
            for wait in waits:
                wait.cancel()

    async def stop(self) -> None:
        """Save the state and stop everything in reverse order."""
        await self._exit_stack.aclose()

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # so asyncio sets TCP_NODELAY
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self.settings.port))
        except OSError as problem:
            listener.close()
            port, in_use = self.settings.port, problem.errno == errno.EADDRINUSE
            reason = "is in use. Stop the program that uses it" if in_use else f"cannot be opened: {problem.strerror}"
            other = port + 1 if 1024 <= port < 65535 else 8000  # only the system's administrator opens those below 1024
            raise CannotStartError(
                f"Port {port} {reason}, or choose another port: pytake local --port {other}"
            ) from problem
        self._exit_stack.callback(listener.close)
        listener.listen(256)
        return listener

    def _own_data_folder(self) -> None:
        try:
            self.settings.data_folder.mkdir(parents=True, exist_ok=True)
            self.settings.data_folder.chmod(0o700)  # it holds tokens, secrets and conversations
            lock = (self.settings.data_folder / "lock").open("w")
        except OSError as problem:
            raise CannotStartError(
                f"The folder {self.settings.data_folder} cannot be written: {problem.strerror}. Choose another one: "
                "pytake local --data-dir DIR"
            ) from problem
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            lock.close()
            raise CannotStartError(
                f"Another local cloud uses {self.settings.data_folder}. Stop it, or choose another folder: "
                "pytake local --data-dir DIR"
            ) from problem
        self._exit_stack.callback(lock.close)

    async def _describe_aws(self, _request: Request) -> Response:
        """Return the AWS environment, empty until the stack is deployed, and its name for commands on this machine."""
        environment = self._aws.client_environment if self._proxy.target else {}
        return JSONResponse({"environment": environment, "stack": STACK})

    def _simulated_whatsapp(self) -> GraphSimulator:
        return GraphSimulator(
            webhook_url=f"{self.settings.url}{WEBHOOK_PATH}",
            numbers={
                demo.PHONE_NUMBER_ID: NumberCredentials(
                    app_secret=demo.APP_SECRET,
                    access_token=demo.ACCESS_TOKEN,
                    display_phone_number=demo.DISPLAY_PHONE_NUMBER,
                )
            },
            state_file=self.settings.data_folder / "phones.json",
        )

    async def _serve(self, listener: socket.socket, issuer: Issuer) -> None:
        routes = [
            *issuer.routes(),
            *self._simulator.routes(),
            *self._models.routes(),
            *CapturedEmails().routes(),
            Route("/_local/aws", self._describe_aws),
        ]
        app = create_app(self._proxy, routes)
        server = create_server(app)
        serving = asyncio.create_task(server.serve(sockets=[listener]))

        async def stop() -> None:
            self._proxy.target = None
            server.should_exit = True
            await serving

        self._exit_stack.push_async_callback(stop)
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)

    async def _seed_demo(self, issuer: Issuer) -> bool:
        token = issuer.mint(demo.ORGANIZATION_ID, "admin", 600)
        client = httpx.AsyncClient(
            base_url=self.settings.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )
        async with client:
            if await demo.Demo(client, REPOSITORY / "examples" / "flows").seed():
                self._log_step("Created the demo organization through the REST API")
                return True
        return False
