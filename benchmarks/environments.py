"""The environment of each engine below `.bench/`, installed from a pinned list; for Python and Go a hashed one.

An environment is reused until its list changes.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / ".bench"
UV = Path(sys.executable).with_name("uv")


class NotInstalledError(Exception):
    """An environment could not be created; the text says why."""


@dataclass(frozen=True)
class Environment:
    """The command, the size and the versions of an engine's environment."""

    name: str
    command: list[str]
    folder: Path
    variables: dict[str, str]
    packages: Path
    version: str

    @property
    def disk_mb(self) -> float:
        """Size of what was installed, in MB."""
        return size(self.packages) / 1e6


def size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def python_environment(name: str, package: str) -> Environment:
    """Return the environment of a Python engine; create it if needed. Raises NotInstalledError."""
    folder, listed = FOLDER / name, REPOSITORY / "requirements" / f"bench-{name}.txt"
    interpreter = folder / "bin" / "python"
    if stale(folder, listed.read_bytes() + sys.version.encode()):
        run([str(UV), "venv", "--quiet", "--no-project", "--clear", "--python", sys.executable, str(folder)])
        install = [str(UV), "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode"]
        run([*install, "--python", str(interpreter), "--requirement", str(listed)])
        fresh(folder, listed.read_bytes() + sys.version.encode())
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    found = next((path for path in packages.glob("*.dist-info") if path.name.startswith(f"{package}-")), None)
    version = found.name.removesuffix(".dist-info").rpartition("-")[2] if found else ""
    path = os.pathsep.join(map(str, (REPOSITORY, REPOSITORY / "layers" / "core")))
    variables = {"PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    return Environment(
        name, [str(interpreter), "-m", "benchmarks.worker", name], REPOSITORY, variables, packages, version
    )


def node_environment(name: str) -> Environment:
    """Return the environment of the JavaScript engine. Raises NotInstalledError, also without Node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalledError("Node.js is not on this machine")
    folder, engines = FOLDER / name, REPOSITORY / "benchmarks" / "engines"
    pinned = (engines / "package.json").read_bytes()
    if stale(folder, pinned):
        folder.mkdir(parents=True)
        (folder / "package.json").write_bytes(pinned)
        run([npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], folder)
        fresh(folder, pinned)
    version = pinned.decode().partition('"xstate": "')[2].partition('"')[0]
    return Environment(name, [node, str(engines / "xstate_worker.mjs")], folder, {}, folder / "node_modules", version)


def go_environment(name: str) -> Environment:
    """Return the environment of the Go engine, a compiled worker. Raises NotInstalledError, also without Go."""
    go = shutil.which("go", path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/go/bin")))
    if go is None:
        raise NotInstalledError("Go is not on this machine")
    folder, sources = FOLDER / name, REPOSITORY / "benchmarks" / "engines" / name
    worker = folder / "worker"
    content = b"".join(path.read_bytes() for path in sorted(sources.iterdir()))
    if stale(folder, content):
        folder.mkdir(parents=True)
        run([go, "build", "-trimpath", "-ldflags", "-s -w", "-o", str(worker), "."], sources)
        fresh(folder, content)
    required = re.search(rf"/{name} v(\S+)", (sources / "go.mod").read_text())
    return Environment(name, [str(worker)], folder, {}, folder, required[1] if required else "")


def stale(folder: Path, content: bytes) -> bool:
    """Return whether an environment must be created; the rest of an old one is removed."""
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == hashlib.sha256(content).hexdigest():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    return True


def fresh(folder: Path, content: bytes) -> None:
    """Record the inputs of an environment."""
    (folder / ".installed").write_text(hashlib.sha256(content).hexdigest())


def run(command: list[str], folder: Path | None = None) -> None:
    """Run a command without output. Raises NotInstalledError with the last lines of its output."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:])
        raise NotInstalledError(f"{Path(command[0]).name} failed: {said}")
