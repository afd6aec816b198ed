"""Builds a layer: hashed dependencies for one Lambda target, for the core layer the pytake package, and compiled code.

Called by the makefile beside it. Standard library only, because it runs with whatever Python a machine has. The same
inputs give the same bytes, so an unchanged layer keeps its hash and is not deployed again.
"""

# ruff: noqa: S603, T201 - the commands are its own; sam shows what it prints

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
RUN_PATH = "/opt/python"  # where Lambda mounts a layer; the path that tracebacks and compiled code name

# The glibc of the runtime decides which wheels load: Amazon Linux 2023 has 2.34. Python 3.11 (Amazon Linux 2, 2.26)
# runs only in the local cloud: google-re2 has no wheel for it, and a rule in template.yaml refuses it elsewhere.
GLIBC = {"python3.11": 28, "python3.12": 34, "python3.13": 34}
MACHINE = {"arm64": "aarch64", "x86_64": "x86_64"}

# botocore describes every AWS service there is (25 MB); the layer keeps those that the functions call, and `sts`, which
# botocore itself needs to sign in with a role.
SERVICES = {
    "athena",
    "bedrock-runtime",
    "dynamodb",
    "events",
    "glue",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
}

# Folders (below python/) that nothing in a function imports.
UNUSED_FOLDERS = (
    "bin",
    "anyio",  # only httpx's asynchronous client wants it; without it httpx also starts faster
    "pydantic/v1",
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
)
# A distribution's name and version stay (vulnerability scanners read METADATA), and its license.
KEPT_METADATA = ("METADATA", "entry_points.txt")


def main() -> None:
    """Builds the layer for ``--target`` (``python3.13-arm64``) into the folder ``--into``; exits 1 with one line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--target", required=True, help="<runtime>-<architecture>, such as python3.13-arm64")
    parser.add_argument("--into", required=True, type=Path)
    parser.add_argument("--only", type=Path, help="install just this hashed list: a layer beside the core layer")
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
    """Puts the wheels that ``requirements`` lists, checked against their hashes, into ``into``.

    uv when it is at hand (seconds), else the pip of this Python. Only wheels: nothing is compiled on this machine for
    another one.
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
    """uv's name of the newest wheel platform that this runtime loads."""
    return f"{MACHINE[architecture]}-manylinux_2_{GLIBC[runtime]}"


def find_uv() -> str | None:
    """The uv of the repository's .venv, of this Python, or on the PATH."""
    for folder in (HERE.parents[1] / ".venv" / "bin", Path(sys.executable).parent):
        if (folder / "uv").is_file():
            return str(folder / "uv")
    return shutil.which("uv")


def prune(into: Path) -> None:
    """Removes what no function uses, and what differs from build to build."""
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
    """Keeps the descriptions of the services that the functions call."""
    for path in sorted(data.iterdir()):
        if path.is_dir() and path.name not in SERVICES:
            remove(path)
    for path in sorted(data.glob("*/*/examples-*")):
        remove(path)
    prune_endpoints(data / "endpoints.json")
    for path in sorted(data.glob("*/*/service-2.json.gz")):
        prune_description(path)


def prune_endpoints(path: Path) -> None:
    """Keeps the addresses of the services in use: the whole list is 1.2 MB that every cold start reads and parses."""
    endpoints = json.loads(path.read_bytes())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: entry for name, entry in partition["services"].items() if name in SERVICES}
    path.write_text(json.dumps(endpoints, separators=(",", ":")))


def prune_description(path: Path) -> None:
    """Drops the documentation from a service's description: most of what a client reads and parses when it is made."""
    text = json.dumps(undocumented(json.loads(gzip.decompress(path.read_bytes()))), separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def undocumented(part: Any) -> Any:
    """The same without `documentation` texts. A member of a structure may bear that name, too; it is no text.

    botocore reads those of `clientContextParams` (S3 has some) with every call, and fails where they are missing.
    """
    if isinstance(part, dict):
        return {
            name: value if name == "clientContextParams" else undocumented(value)
            for name, value in part.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [undocumented(value) for value in part] if isinstance(part, list) else part


def compile_all(into: Path, runtime: str) -> None:
    """Compiles every module with the Python of the runtime; without it, says so and leaves that to the cold start.

    ``unchecked-hash``: the compiled file is taken without a look at the source's time, which zipping changes anyway.
    """
    interpreter = find_interpreter(runtime)
    if interpreter is None:
        print(
            f"build_layer: {runtime} is not on this machine: the layer carries no compiled code, and cold starts take"
            f" half a second longer. `uv python install {runtime.removeprefix('python')}` before the build avoids it."
        )
        return
    command = [interpreter, "-S", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash"]
    # Constants of one module may come out in another order under another seed.
    run([*command, "-s", str(into), "-p", RUN_PATH, str(into)], PYTHONHASHSEED="0")


def find_interpreter(runtime: str) -> str | None:
    """A working Python of exactly this minor version: this one, on the PATH, of pyenv, or of uv."""
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
        # pyenv puts a launcher on the PATH for versions that are not switched on: it exists, and fails.
        check = "import sys; print('%d.%d' % sys.version_info[:2])"
        if candidate:
            found = subprocess.run([candidate, "-S", "-c", check], capture_output=True, text=True)
            if found.returncode == 0 and found.stdout.strip() == version:
                return candidate
    return None


def remove(path: Path) -> None:
    """Deletes a file or a folder that may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def run(command: list[str], **environment: str) -> None:
    """Runs a command; its failure ends the build with the command's own words."""
    if subprocess.run(command, env={**os.environ, **environment}).returncode:
        sys.exit(f"build_layer: failed: {' '.join(command[:6])} …")


if __name__ == "__main__":
    main()
