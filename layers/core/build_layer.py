"""Builds a layer for one Lambda target: locked dependencies, the pytake package (core layer only), compiled code.

layers/Makefile calls it. It uses the standard library only, because it runs on the Python of the machine. The same inputs
give the same bytes, so an unchanged layer keeps its hash and is not deployed again.
"""

# ruff: noqa: S603, T201 - it runs only its own commands; sam shows its output

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE.parents[1] / "requirements" / "layer.txt"
RUN_PATH = "/opt/python"  # where Lambda mounts a layer: the path in tracebacks and in compiled code

# The glibc of the runtime decides which wheels load: Amazon Linux 2023 has 2.34. python3.11 (Amazon Linux 2, 2.26) is only for
# the local cloud: google-re2 has no wheel for it, and a rule in template.yaml rejects it elsewhere.
GLIBC = {"python3.11": 28, "python3.12": 34, "python3.13": 34}
MACHINE = {"arm64": "aarch64", "x86_64": "x86_64"}

# botocore describes every AWS service (25 MB). The layer keeps the services that the functions call, and `sts`, which botocore
# needs to assume a role.
SERVICES = {
    "athena",
    "bedrock-runtime",
    "dynamodb",
    "events",
    "glue",
    "lambda",
    "s3",
    "secretsmanager",
    "sesv2",
    "sqs",
    "sts",
}

# Folders (below python/) that no function imports.
UNUSED_FOLDERS = (
    "bin",
    "anyio",  # only the asynchronous client of httpx needs it; without it, httpx starts faster
    "pydantic/v1",
    "urllib3/contrib/emscripten",  # for Python in a browser
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "parameters",
            "streaming",
            "validation",
        )
    ),
)
UNUSED_PATTERNS = (
    "**/tests",
    "**/testing",
    "**/__pycache__",
    "**/*.pyi",
    "**/*.pxd",
    "**/*.exe",
    "anyio-*.dist-info",
    "phonenumbers/shortdata/region_*.py",  # emergency numbers and the like
    "dateutil/zoneinfo/*.tar.gz",  # for machines without a database of time zones; Python's own zoneinfo reads tzdata
    "pydantic/mypy.py",
)
# Kept: the name and version of a distribution, which vulnerability scanners read from METADATA, and its license.
KEPT_METADATA = ("METADATA", "entry_points.txt")


def main() -> None:
    """Build a layer for ``--target`` (``python3.13-arm64``) into the folder ``--into``; on failure, print one line and exit 1."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--target", required=True, help="<runtime>-<architecture>, such as python3.13-arm64")
    parser.add_argument("--into", required=True, type=Path)
    parser.add_argument(
        "--only", type=Path, help="install only this locked list, for a layer in addition to the core layer"
    )
    arguments = parser.parse_args()
    runtime, _, architecture = arguments.target.rpartition("-")
    if runtime not in GLIBC or architecture not in MACHINE:
        sys.exit(f"build_layer: cannot build for {arguments.target!r}")
    into: Path = arguments.into.resolve()
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    install(into, runtime, architecture, arguments.only or REQUIREMENTS)
    prune(into)
    if arguments.only is None:
        shutil.copytree(HERE / "pytake", into / "pytake", ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    compile_all(into, runtime)


def install(into: Path, runtime: str, architecture: str, requirements: Path) -> None:
    """Install the wheels of the list ``requirements`` into ``into``, checked against their hashes.

    Uses uv if available (seconds), else the pip of this Python. Installs wheels only, because this machine cannot compile
    for another one.
    """
    version = runtime.removeprefix("python")
    host = os.environ.get("LAYER_PLATFORM") == "host"
    wheels = [f"manylinux_2_{minor}_{MACHINE[architecture]}" for minor in range(GLIBC[runtime], 16, -1)]
    uv = find_uv()
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python-version", version, "--target", str(into)]
        command += ["--only-binary", ":all:", "--link-mode", "copy", "--no-compile-bytecode", "--no-config"]
        command += [] if host else ["--python-platform", uv_platform(runtime, architecture)]
        command += ["--python", sys.executable]
    else:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        command += ["--target", str(into), "--only-binary", ":all:", "--implementation", "cp"]
        command += ["--python-version", version]
        if not host:
            for platform in [*wheels, f"manylinux2014_{MACHINE[architecture]}"]:
                command += ["--platform", platform]
    run([*command, "--no-deps", "--require-hashes", "--requirement", str(requirements)])


def uv_platform(runtime: str, architecture: str) -> str:
    """Return uv's name of the newest wheel platform that this runtime loads."""
    return f"{MACHINE[architecture]}-manylinux_2_{GLIBC[runtime]}"


def find_uv() -> str | None:
    """Return the path of uv: in the repository's .venv, beside this Python, or on the PATH."""
    for folder in (HERE.parents[1] / ".venv" / "bin", Path(sys.executable).parent):
        if (folder / "uv").is_file():
            return str(folder / "uv")
    return shutil.which("uv")


def prune(into: Path) -> None:
    """Remove files that no function uses and files that differ between builds."""
    for name in UNUSED_FOLDERS:
        shutil.rmtree(into / name, ignore_errors=True)
    for pattern in UNUSED_PATTERNS:
        for path in sorted(into.glob(pattern)):
            remove(path)
    if (into / "botocore").exists():
        prune_botocore(into / "botocore" / "data")
    for distribution in sorted(into.glob("*.dist-info")):
        for path in sorted(distribution.iterdir()):
            if path.name not in KEPT_METADATA and not path.name.lower().startswith(("license", "notice")):
                remove(path)
    for path in into.glob(".lock"):
        remove(path)


def prune_botocore(data: Path) -> None:
    """Keep only the descriptions of the services that the functions call."""
    for path in sorted(data.iterdir()):
        if path.is_dir() and path.name not in SERVICES:
            remove(path)
    for path in sorted(data.glob("*/*/examples-*")):
        remove(path)
    prune_endpoints(data / "endpoints.json")
    for path in sorted(data.glob("*/*/service-2.json.gz")):
        prune_description(path)


def prune_endpoints(path: Path) -> None:
    """Keep only the endpoints of these services: every cold start reads and parses the list, which is 1.2 MB in full."""
    endpoints = json.loads(path.read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: entry for name, entry in partition["services"].items() if name in SERVICES}
    path.write_text(json.dumps(endpoints, separators=(",", ":")))


def prune_description(path: Path) -> None:
    """Remove the documentation from a service's description: most of what a new client reads and parses."""
    text = json.dumps(undocumented(json.loads(gzip.decompress(path.read_bytes()))), separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def undocumented(part: Any) -> Any:
    """Return a description without its `documentation` texts. A structure's member of that name is not a text and stays.

    The texts in `clientContextParams` (S3 has some) stay, too: botocore reads them for every call and fails without them.
    """
    if isinstance(part, dict):
        return {
            name: value if name == "clientContextParams" else undocumented(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [undocumented(value) for value in part] if isinstance(part, list) else part


def compile_all(into: Path, runtime: str) -> None:
    """Replace every module by its compiled code, made by the Python of the runtime (docs/adr/0042). Without that Python, print a
    message; the cold start compiles then.

    ``unchecked-hash``: Python does not compare a compiled file with the time of its source, which zipping changes.
    """
    interpreter = find_interpreter(runtime)
    if interpreter is None:
        print(
            f"build_layer: {runtime} is not installed, so the layer has no compiled code and cold starts take half a second"
            f" longer. To avoid this, run `uv python install {runtime.removeprefix('python')}` before the build."
        )
        return
    command = [interpreter, "-S", "-m", "compileall", "-b", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    # The hash seed can change the order of the constants in a compiled module.
    run([*command, "-s", str(into), "-p", RUN_PATH, str(into)], PYTHONHASHSEED="0")
    for path in into.rglob("*.py"):
        remove(path)


def find_interpreter(runtime: str) -> str | None:
    """Return a working Python of exactly this minor version: this one, on the PATH, of pyenv, or of uv; or None."""
    version = runtime.removeprefix("python")
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    candidates = [shutil.which(runtime), *sorted(map(str, pyenv.glob(f"versions/{version}.*/bin/{runtime}")))]
    uv = find_uv()
    if uv:
        found = subprocess.run(
            [uv, "python", "find", "--no-config", "--no-python-downloads", version], capture_output=True, text=True
        )
        candidates.append(found.stdout.strip() if found.returncode == 0 else None)
    for candidate in candidates:
        # pyenv puts a launcher on the PATH for versions that are not active: it exists, but fails.
        check = "import sys; print('%d.%d' % sys.version_info[:2])"
        if candidate:
            found = subprocess.run([candidate, "-S", "-c", check], capture_output=True, text=True)
            if found.returncode == 0 and found.stdout.strip() == version:
                return candidate
    return None


def remove(path: Path) -> None:
    """Delete a file or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def run(command: list[str], **environment: str) -> None:
    """Run a command. If it fails, exit; its own output is already printed."""
    if subprocess.run(command, env={**os.environ, **environment}).returncode:
        sys.exit(f"build_layer: failed: {' '.join(command[:6])} …")


if __name__ == "__main__":
    main()
