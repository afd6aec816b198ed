"""Cold starts and own time of the handlers, as `sam build` builds them."""

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environments import FOLDER, REPOSITORY, NotInstalledError, fresh, run, size, stale
from benchmarks.handler_probe import WIRING
from benchmarks.workers import last_core, once

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
BASELINE = "boto3"
FUNCTIONS = ("webhook", "flow_runner", "sender", "statuses", "scheduled", "api")
SOURCES = ("layers", "functions", "template.yaml", "requirements/layer.txt")

SHARE_RUNS = 5
"""The number of processes per handler whose imports are measured; the minimum time of each module counts."""

_QUEUES = "https://sqs.us-east-1.amazonaws.com/000000000000"
VARIABLES = {
    "STAGE": "local",
    "TABLE_NAME": "table",
    "INBOUND_QUEUE_URL": f"{_QUEUES}/inbound.fifo",
    "INBOUND_DLQ_URL": f"{_QUEUES}/inbound-dead-letters.fifo",
    "OUTBOUND_QUEUE_URL": f"{_QUEUES}/outbound.fifo",
    "OUTBOUND_DLQ_URL": f"{_QUEUES}/outbound-dead-letters.fifo",
    "BULK_QUEUE_URL": f"{_QUEUES}/bulk.fifo",
    "BULK_DLQ_URL": f"{_QUEUES}/bulk-dead-letters.fifo",
    "STATUSES_QUEUE_URL": f"{_QUEUES}/statuses",
    "MEDIA_QUEUE_URL": f"{_QUEUES}/media",
    "MEDIA_DLQ_URL": f"{_QUEUES}/media-dead-letters",
    "KEEP_MEDIA": "false",
    "MEDIA_MEGABYTES": "16",
    "LAKE_BUCKET": "lake",
    "SCHEDULED_FUNCTION": "scheduled",
    "SECRETS_PREFIX": "pytake/local/",
    "STATUSES_DLQ_URL": f"{_QUEUES}/statuses-dead-letters",
    "LAKE_DATABASE": "lake",
    "WORK_GROUP": "lake",
    "EVENT_BUS_NAME": "default",
    "GRAPH_API_URL": "https://graph.facebook.com",
    "GRAPH_API_VERSION": "v25.0",
    "VERIFY_NUMBERS": "false",
    "MESSAGES_PER_MINUTE": "5",
    "AMBIGUOUS_SECONDS": "45",
    "VISIBILITY_TIMEOUT_SECONDS": "200",
    "SESSION_TTL_HOURS": "24",
    "EFFECTS_PER_ORGANIZATION": "20",
    "EMAIL_FROM": "",
    "SENDS_EMAIL": "false",
    "RETENTION_DAYS": "90",
    "OBSERVABILITY": "full",
    "LOG_LEVEL": "INFO",
    "POWERTOOLS_SERVICE_NAME": "probe",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "000000000000",
    "AWS_SECRET_ACCESS_KEY": "probe",
    "PYTHONDONTWRITEBYTECODE": "1",  # /var/task and /opt are read-only on Lambda
}


@dataclass
class HandlerResults:
    """The measurements of the handlers."""

    colds: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    warm: list[dict[str, dict[str, Any]]] = field(default_factory=list)  # by run, by stage
    stored_bytes: float = 0.0  # per turn
    known: dict[str, float] = field(
        default_factory=dict
    )  # requests and write units per turn of people who have written before
    layer_mb: float = 0.0
    shares: dict[str, dict[str, float]] = field(default_factory=dict)  # by handler, ms by package

    def cold(self, name: str, figure: str) -> float:
        """The median of a figure over the cold starts of a handler."""
        return median(one[figure] for one in self.colds[name])

    def against_baseline(self, name: str) -> float:
        """The ratio of the CPU time of importing and wiring a handler to that of importing boto3, per round."""
        pairs = zip(self.colds[name], self.colds[BASELINE], strict=True)
        return median(one["ready_cpu_ms"] / base["ready_cpu_ms"] for one, base in pairs)

    def own(self, stage: str, figure: str) -> float:
        """The median of a figure of a stage over the runs."""
        return float(median(one[stage][figure] for one in self.warm))

    @property
    def stages(self) -> list[str]:
        """The stages of the message's path, in order."""
        return list(self.warm[0])

    def requests(self, stage: str) -> dict[str, float]:
        """Requests of a stage per turn, by operation."""
        found: dict[str, float] = self.warm[-1][stage]["requests"]
        return found

    def measured_usage(self) -> dict[str, Any]:
        """The input of `pytake cost`: all figures per turn, except CPU time, which is per call."""
        figures = ("calls", "cpu_ms", "write_units", "read_units", "log_bytes")
        stages = {
            stage: {figure: round(self.own(stage, figure), 4) for figure in figures}
            | {"requests": {name: round(count, 4) for name, count in self.requests(stage).items()}}
            for stage in self.stages
        }
        return {"stages": stages, "stored_bytes": round(self.stored_bytes)}


def measure(runs: int, seconds: float, colds: int, log: Callable[[str], None]) -> HandlerResults:
    """Build, then measure. Raises NotInstalledError when the build fails."""
    log("building the functions and the layer")
    build = built()
    layer = build / "CoreLayer" / "python"
    handlers = HandlerResults(layer_mb=size(layer) / 1e6)
    samples, core = FOLDER / "samples.json", last_core()

    def probe(*words: str, code: Path | None = None) -> dict[str, Any]:
        path = [str(layer), str(REPOSITORY)] if code is None else [str(code), str(layer), str(REPOSITORY)]
        command = [str(interpreter()), "-S", "-P", "-m", "benchmarks.handler_probe", *words]
        return once(command, FOLDER, {**VARIABLES, "PYTHONPATH": os.pathsep.join(path)}, core)

    for number in range(1, runs + 1):
        log(f"plain turns, {number} of {runs}")
        result = probe("warm", str(build), str(seconds), str(samples))
        handlers.warm.append(result["stages"])
        handlers.stored_bytes, handlers.known = result["stored_bytes"], result["known"]
    for number in range(colds + 1):
        log(f"cold starts of the handlers, {number} of {colds}")
        for name in (BASELINE, *FUNCTIONS):
            figures = probe("cold", name, str(samples), code=_code(build, name))
            if number:  # the first brings files into memory
                handlers.colds.setdefault(name, []).append(figures)
    for name in (BASELINE, *FUNCTIONS):
        log(f"what {name} imports")
        handlers.shares[name] = import_shares(name, [_code(build, name), layer], min(SHARE_RUNS, colds))
    return handlers


def _code(build: Path, name: str) -> Path:
    """The folder of a built function. The baseline's folder has only boto3, which is not in the layer."""
    if name != BASELINE:
        return build / f"{''.join(part.title() for part in name.split('_'))}Function"
    folder = FOLDER / BASELINE
    for package in ("boto3", "s3transfer"):
        found = importlib.util.find_spec(package)
        assert found is not None
        assert found.origin is not None
        shutil.copytree(Path(found.origin).parent, folder / package, dirs_exist_ok=True)  # with its compiled code
    return folder


def import_shares(name: str, path: list[Path], runs: int) -> dict[str, float]:
    """Milliseconds of importing and wiring a handler by package, without the modules of the runtime client."""
    wiring = f"from pytake.wiring import {name}; {name}.{WIRING[name]}()" if name in WIRING else ""
    imports = f"import handler; {wiring}" if name != BASELINE else "import boto3"
    code = f"import json, logging, http.client, traceback, uuid, sys; print('begin', file=sys.stderr); {imports}"
    command = [str(interpreter()), "-S", "-P", "-X", "importtime", "-c", code]
    variables = {**VARIABLES, "PYTHONPATH": os.pathsep.join(map(str, path))}
    least: dict[str, int] = {}
    for _ in range(runs):
        result = subprocess.run(command, env=variables, cwd=FOLDER, capture_output=True, text=True, check=True).stderr
        for line in result.partition("begin\n")[2].splitlines():
            if line.startswith("import time:"):
                own, _, module = line.removeprefix("import time:").split("|")
                least[module.strip()] = min(int(own), least.get(module.strip(), int(own)))
    shares: dict[str, float] = {}
    for module, microseconds in least.items():
        parts = module.split(".")
        package = ".".join(parts[: 2 if parts[0] == "pytake" else 1])
        shares[package] = shares.get(package, 0) + microseconds / 1000
    return shares


def interpreter() -> Path:
    """The base Python of this virtual environment, without its packages."""
    return Path(sys.base_prefix) / "bin" / f"python{VERSION}"


def built() -> Path:
    """The output of `sam build` for this machine and Python; rebuilt when a source has changed."""
    folder = FOLDER / "build"
    digest = hashlib.sha256(VERSION.encode())
    for source in SOURCES:
        path = REPOSITORY / source
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(file.read_bytes())
    if not stale(folder, digest.digest()):
        return folder
    sam = Path(sys.executable).with_name("sam")
    architecture = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    parameters = ["Stage=local", f"PythonRuntime=python{VERSION}", f"Architecture={architecture}"]
    command = [str(sam), "build", "--template-file", "template.yaml", "--build-dir", str(folder)]
    home = FOLDER / "sam"
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {"SAM_CLI_TELEMETRY": "0", "__SAM_CLI_APP_DIR": str(home), "AWS_DEFAULT_REGION": "us-east-1"}
    if platform.system() != "Linux":
        os.environ["LAYER_PLATFORM"] = "host"
    run([*command, "--parameter-overrides", *parameters], REPOSITORY)
    if not (folder / "CoreLayer").exists():
        shutil.rmtree(folder)
        raise NotInstalledError("sam build made no layer")
    fresh(folder, digest.digest())
    return folder
