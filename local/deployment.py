"""Runs `sam build` and `sam deploy` for the template into the embedded AWS if something changed.

A digest of all inputs (template, functions, layers, their locked requirements, parameters) identifies a deployment. It is
stored in the embedded AWS, so it disappears together with the stack.
"""

import asyncio
import contextlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local.embedded_aws import REGION, EmbeddedAws
from local.function_sandbox import RUNTIME
from local.sign_in import CLIENT as CONSOLE_CLIENT

STACK = "pytake-local"
EMAIL_FROM = "bot@example.com"
"""The address that flows of the local cloud send e-mails from; nothing leaves the machine."""

DIGEST_PARAMETER = "/pytake-local/deployment"
SOURCES = ("template.yaml", "functions", "layers", "requirements/layer.txt", "requirements/tools.txt", "Makefile")
NOT_SOURCES = {"__pycache__", ".mypy_cache", ".ruff_cache"}


class DeploymentError(Exception):
    """`sam` failed; the message contains the end of its output and the path of the log."""


@dataclass(frozen=True)
class Deployment:
    """A deployed stack."""

    outputs: dict[str, str]
    fresh: bool
    """Whether this start deployed it."""

    @property
    def api_id(self) -> str:
        """The id of the HTTP API; the emulator serves it under a host name with this id."""
        return self.outputs["HttpApiId"]


def local_parameters(*, graph_url: str, issuer: str, audience: str, allowed_origins: Sequence[str]) -> dict[str, str]:
    """Return the template parameters for the local stack.

    The runtime is this Python and the architecture this machine's, because the functions run here. Each worker is a
    process, so there are as many as cores. A worker that dies is replaced after 30 seconds instead of 3 minutes.
    `allowed_origins` begin with the console's own: the API's endpoint, which the template knows, is behind the one address.
    """
    workers = str(max(2, os.cpu_count() or 2))
    return {
        "Stage": "local",
        "PythonRuntime": RUNTIME,
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "GraphApiUrl": graph_url,
        "OidcIssuer": issuer,
        "OidcAudience": audience,
        "ConsoleClientId": CONSOLE_CLIENT,
        "DeletionProtection": "false",
        "Observability": "full",
        "EmailFrom": EMAIL_FROM,
        "KeepMedia": "true",
        "FlowRunnerConcurrency": workers,
        "SenderConcurrency": workers,
        "BulkConcurrency": "2",
        "StatusesConcurrency": "2",
        "InboundVisibilityTimeoutSeconds": "30",
        "WorkerTimeoutSeconds": "20",
        "VisibilityTimeoutSeconds": "30",
        "AllowedOrigins": ",".join(allowed_origins),
    }


def source_digest(repository: Path, parameters: dict[str, str]) -> str:
    """Return the digest of all inputs of a deployment."""
    digest = sha256(json.dumps(parameters, sort_keys=True).encode())
    for path in _source_files(repository):
        digest.update(f"\0{path.relative_to(repository).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _source_files(repository: Path) -> Iterator[Path]:
    for name in SOURCES:
        source = repository / name
        if source.is_file():
            yield source
        for folder, folders, files in os.walk(source):
            folders[:] = sorted(set(folders) - NOT_SOURCES)
            for file in sorted(files):
                if not file.endswith(".pyc"):
                    yield Path(folder, file)


class Deployer:
    """Deploys the repository into the embedded AWS."""

    def __init__(self, aws: EmbeddedAws, repository: Path, data_folder: Path) -> None:
        """Deploy `repository` into `aws`; build below `data_folder`."""
        self._aws = aws
        self._repository = repository
        self._build_folder = data_folder / "sam" / "build"
        self._sam_folder = data_folder / "sam"
        self.log_path = aws.logs_folder / "deployment.log"

    async def deploy(self, parameters: dict[str, str], log_step: Callable[[str], None]) -> Deployment:
        """Build and deploy unless the stack is up to date.

        Args:
            parameters: of the template.
            log_step: is called with one line before each slow step.

        Raises:
            DeploymentError: the web console was not built, or `sam build` or `sam deploy` failed.
        """
        await self._build_console(log_step)
        digest = await asyncio.to_thread(source_digest, self._repository, {**parameters, "port": str(self._aws.port)})
        if await asyncio.to_thread(self._deployed_digest) == digest:
            return Deployment(await asyncio.to_thread(self._outputs), fresh=False)
        self.log_path.write_bytes(b"")
        self._sam_folder.mkdir(parents=True, exist_ok=True)
        overrides = [f"{name}={value}" for name, value in parameters.items()]
        log_step("Building the functions and their layer (sam build)")
        template = str(self._repository / "template.yaml")
        # fmt: off
        await self._sam(
            "build", "--template-file", template, "--base-dir", str(self._repository),
            "--build-dir", str(self._build_folder), "--config-env", STACK, "--parameter-overrides", *overrides,
        )
        log_step("Deploying the template into the embedded AWS (sam deploy)")
        await self._sam(
            "deploy", "--template-file", str(self._build_folder / "template.yaml"), "--stack-name", STACK,
            "--resolve-s3", "--capabilities", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "--region", REGION,
            "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--config-env", STACK,
            "--parameter-overrides", *overrides,
        )
        # fmt: on
        await asyncio.to_thread(self._apply_unsupported_settings)
        await asyncio.to_thread(self._record_digest, digest)
        return Deployment(await asyncio.to_thread(self._outputs), fresh=True)

    def client(self, service: str) -> Any:
        """Return a boto3 client of the embedded AWS."""
        environment = self._aws.client_environment
        return boto3.Session().client(  # type: ignore[call-overload]
            service,
            endpoint_url=self._aws.endpoint_url,
            region_name=REGION,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    def _deployed_digest(self) -> str | None:
        try:
            stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
            if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                return None
            digest: str = self.client("ssm").get_parameter(Name=DIGEST_PARAMETER)["Parameter"]["Value"]
        except ClientError:
            return None
        return digest

    def _record_digest(self, digest: str) -> None:
        self.client("ssm").put_parameter(Name=DIGEST_PARAMETER, Value=digest, Type="String", Overwrite=True)

    def _outputs(self) -> dict[str, str]:
        stack = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def _apply_unsupported_settings(self) -> None:
        """Turn on TTL of table items: MiniStack ignores the template's TimeToLiveSpecification."""
        from samcli.yamlhelper import parse_yaml_file  # type: ignore[import-untyped]  # slow: only when deploying

        template = parse_yaml_file(str(self._build_folder / "template.yaml"))
        expiry = template["Resources"]["Table"]["Properties"]["TimeToLiveSpecification"]
        table, dynamodb = self._outputs()["TableName"], self.client("dynamodb")
        described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if described["TimeToLiveStatus"] == "DISABLED":
            dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)

    async def _build_console(self, log_step: Callable[[str], None]) -> None:
        """Build the web console before the digest is taken, because its files are sources of the deployment."""
        script = str(self._repository / "console" / "build_site.py")
        if await asyncio.to_thread(subprocess.call, [sys.executable, script, "--check"]) == 0:
            return
        log_step("Building the web console")
        await self._run("The build of the web console", sys.executable, script)

    async def _sam(self, *arguments: str) -> None:
        await self._run(f"sam {arguments[0]}", _tool_path("sam"), *arguments)

    async def _run(self, what: str, *command: str) -> None:
        """Run a command with its output in the log. Stop it when this task is cancelled."""
        with self.log_path.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=self._repository,
                env=self._sam_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                status = await process.wait()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
                raise
        if status:
            tail = "\n".join(self.log_path.read_text(errors="replace").rstrip().splitlines()[-25:])
            raise DeploymentError(f"{what} failed ({self.log_path}):\n\n{tail}")

    def _sam_environment(self) -> dict[str, str]:
        # `sam build` looks for python3.X on PATH and must find the Python that will run the functions.
        path = [sysconfig.get_path("scripts"), str(Path(sys.base_prefix) / "bin"), os.environ.get("PATH", "")]
        keep = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_", "PYTHON"))}
        return {
            **keep,
            **self._aws.client_environment,
            "PATH": os.pathsep.join(path),
            "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "true",  # samconfig.toml does it for deployments on AWS
            "SAM_CLI_TELEMETRY": "0",
            "SAM_CLI_POLL_DELAY": "0.2",  # seconds between checks of the stack; the default suits the real AWS
            "__SAM_CLI_APP_DIR": str(self._sam_folder),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }


def _tool_path(command: str) -> str:
    """Return the path of a command installed with this Python, else the one on PATH."""
    return shutil.which(command, path=sysconfig.get_path("scripts")) or shutil.which(command) or command
