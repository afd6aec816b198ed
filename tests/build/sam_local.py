"""A built function in the container that SAM runs it in: `make sam-local` uses it in place of the sandbox.

`sam local invoke` starts a container for each event.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_dump

from local.expanded_template import expanded
from tests.build.lambda_sandbox import REGION, FunctionFailedError

SAM = str(Path(sys.executable).with_name("sam"))
CONFIGURATION = Path(__file__).parents[2] / "samconfig.toml"


class SamLocal:
    """Has the methods of `lambda_sandbox.Sandbox`."""

    def __init__(
        self, build: Path, logical_id: str, variables: Mapping[str, str], parameters: Mapping[str, str], folder: Path
    ) -> None:
        """Prepare a function.

        Args:
            build: the folder that `sam build` filled.
            logical_id: the function's id in the template.
            variables: its environment, with addresses that a container reaches.
            parameters: the template parameters that the build was made with.
            folder: where the files for SAM are written.
        """
        self._logical_id, self._folder, self._log = logical_id, folder, ""
        self._options = local_options(build, {logical_id: variables}, parameters, folder)

    def invoke(self, event: Any, *, timeout: float = 300) -> Any:
        """Return what the function answers to an event. Raises `FunctionFailedError`."""
        path = self._folder / f"{self._logical_id}.event.json"
        path.write_text(json.dumps(event))
        command = [SAM, "local", "invoke", self._logical_id, "--event", str(path), *self._options]
        done = subprocess.run(
            command, env=sam_environment(self._folder), capture_output=True, text=True, timeout=timeout, check=False
        )
        self._log += done.stderr
        return answer_of(done)

    @property
    def log(self) -> str:
        """What SAM and the function wrote so far."""
        return self._log

    def close(self) -> None:
        """Do nothing: SAM has removed its containers."""


def local_options(
    build: Path, variables: Mapping[str, Mapping[str, str]], parameters: Mapping[str, str], folder: Path
) -> list[str]:
    """Return the options that `sam local invoke` and `sam local start-api` share; `variables` by the functions' ids."""
    name = "-".join(variables)
    settings = folder / f"{name}.variables.json"
    settings.write_text(json.dumps(variables))
    # SAM passes on only the variables that the template declares.
    template = expanded(build / "template.yaml")
    for values in variables.values():
        template["Globals"]["Function"]["Environment"]["Variables"].update(values)
    path = build / f"{name}.template.yaml"
    path.write_text(yaml_dump(template))
    return [
        *("--template", str(path), "--config-file", str(CONFIGURATION)),
        *("--env-vars", str(settings), "--region", REGION),
        "--skip-pull-image",  # the image is here; without this, each event asks the registry
        "--parameter-overrides",
        *(f"{name}={value}" for name, value in parameters.items()),
    ]


@contextmanager
def start_api(options: list[str], port: int, folder: Path, *, patience: float = 120) -> Iterator[str]:
    """Give the address of a running `sam local start-api`. Raises `FunctionFailedError` when it ends before it answers."""
    log = folder / "start-api.log"
    command = [SAM, "local", "start-api", "--port", str(port), *options]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=sam_environment(folder), stdout=out, stderr=out)
    try:
        end = time.monotonic() + patience
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise FunctionFailedError(f"sam local start-api failed.\n{log.read_text()}")
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def sam_environment(folder: Path) -> dict[str, str]:
    """Return the environment for SAM: the credentials of the embedded AWS, and no settings of the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "000000000000",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_CONTAINER_CONNECTION_TIMEOUT": "60",
        "__SAM_CLI_APP_DIR": str(folder),
    }


def answer_of(done: "subprocess.CompletedProcess[str]") -> Any:
    """Return the function's answer from a finished `sam local invoke`.

    Raises:
        FunctionFailedError: with SAM's own message, or with the error and the log of the function.
    """
    lines = done.stdout.strip().splitlines()
    # SAM exits with 0 and writes no answer when the container does not start.
    if done.returncode or not lines:
        raise FunctionFailedError(f"sam local invoke failed (exit code {done.returncode}).\n{done.stderr}{done.stdout}")
    # The answer is the last line. Before it is what the function wrote without a logger.
    try:
        answer = json.loads(lines[-1])
    except ValueError:
        raise FunctionFailedError(f"sam local invoke gave no JSON.\n{done.stderr}{done.stdout}") from None
    if isinstance(answer, dict) and "errorType" in answer:
        raise FunctionFailedError(f"{json.dumps(answer)}\n{done.stderr}")
    return answer


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
