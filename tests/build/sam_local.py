"""A built function in the container that SAM runs it in: what `make sam-local` puts in place of the sandbox.

`sam local invoke` starts a container for each event. The container shares this machine's network, so that the embedded
AWS and the Graph API of the tests answer at the addresses that the functions are given.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
from samcli.yamlhelper import yaml_dump, yaml_parse

from tests.build.lambda_sandbox import REGION, FunctionFailedError

NO_ENGINE = """\
No container engine answers here, so nothing was run: `sam local invoke` needs Docker, Podman or Finch, started and at the
address that DOCKER_HOST names (or the default one). `make test` runs the same events without one, in AWS's own runtime client."""


def engine_answers() -> bool:
    """Whether there is a container engine that works."""
    try:
        return bool(docker.from_env(timeout=5).ping())
    except docker.errors.DockerException:
        return False


class SamLocal:
    """Has the methods of `lambda_sandbox.Sandbox`."""

    def __init__(self, build: Path, logical_id: str, variables: Mapping[str, str], folder: Path) -> None:
        """Prepare; the first event pulls Lambda's image when it is not there."""
        self._logical_id, self._folder = logical_id, folder
        self._log = ""
        self._template = _with_variables(build, variables)
        self._variables = folder / f"{logical_id}.variables.json"
        self._variables.write_text(json.dumps({logical_id: dict(variables)}))

    def invoke(self, event: Any, *, timeout: float = 300) -> Any:
        """Return what the function answers to an event. Raises `FunctionFailedError`."""
        path = self._folder / f"{self._logical_id}.event.json"
        path.write_text(json.dumps(event))
        done = subprocess.run(
            self.command(path), env=self._environment(), capture_output=True, text=True, timeout=timeout, check=False
        )
        self._log += done.stderr
        if done.returncode:
            raise FunctionFailedError(f"sam local invoke failed.\n{done.stderr}")
        # The answer is the last line; before it, what the function wrote without a logger.
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        if isinstance(answer, dict) and "errorType" in answer:
            raise FunctionFailedError(f"{json.dumps(answer)}\n{self._log}")
        return answer

    def command(self, event: Path) -> list[str]:
        """The command for an event."""
        return [
            *(str(Path(sys.executable).with_name("sam")), "local", "invoke", self._logical_id),
            *("--template", str(self._template), "--event", str(event)),
            *("--env-vars", str(self._variables), "--docker-network", "host", "--region", REGION),
        ]

    @property
    def log(self) -> str:
        """What the function wrote so far."""
        return self._log

    def close(self) -> None:
        """SAM has removed its containers already."""

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
        signs = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "sandbox"}
        return {**kept, **signs, "AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0"}


def _with_variables(build: Path, variables: Mapping[str, str]) -> Path:
    """The built template with all variables declared: SAM passes on only those that it finds there."""
    template = yaml_parse((build / "template.yaml").read_text())
    template["Globals"]["Function"]["Environment"]["Variables"].update(variables)
    path = build / "template.sam-local.yaml"
    path.write_text(yaml_dump(template))
    return path
