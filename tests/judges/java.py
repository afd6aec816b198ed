"""Java programs as judges: finds a JDK, fetches the pinned jars by Maven, starts a server."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".judges"
_FOLDERS = ("/usr/lib/jvm/*", "/opt/java/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")


class JudgeMissingError(Exception):
    """What a judge needs is not on this machine; the text says what."""


def find_jdk(least: int) -> Path:
    """Return the home of the oldest JDK of at least this version. Raises `JudgeMissingError`."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    on_path = shutil.which("javac")
    homes += [Path(on_path).resolve().parents[1]] if on_path else []
    homes += [home for pattern in _FOLDERS for home in Path("/").glob(pattern.lstrip("/"))]
    found = sorted((version, home) for home in homes if (version := _version(home)) >= least)
    if not found:
        raise JudgeMissingError(
            f"a JDK of version {least} or later (JAVA_HOME, PATH and {', '.join(_FOLDERS)} have none)"
        )
    return found[0][1]


def _version(home: Path) -> int:
    """The major version of the JDK at `home`; 0 when there is none."""
    release = home / "release"
    if not release.is_file() or not (home / "bin" / "javac").is_file():
        return 0
    version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return int(version[1]) if version else 0


def jars(name: str) -> Path:
    """Return the folder with the jars of `tests/judges/<name>/pom.xml`, fetched when they are not there.

    Raises:
        JudgeMissingError: there is no Maven, or it could not fetch them.
    """
    pom = Path(__file__).with_name(name) / "pom.xml"
    folder = CACHE / f"{name}-{hashlib.sha256(pom.read_bytes()).hexdigest()[:12]}"
    ready = folder / ".ready"
    if not ready.exists():
        maven = shutil.which("mvn")
        if maven is None:
            raise JudgeMissingError("Maven (mvn) to fetch the jars")
        command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        done = subprocess.run([*command, f"-DoutputDirectory={folder}", "-DincludeScope=runtime"], check=False)
        if done.returncode:
            raise JudgeMissingError("the jars, which Maven could not fetch")
        ready.touch()
    return folder


@contextmanager
def java_server(home: Path, arguments: Sequence[str], port: int, log: Path, *, patience: float = 180) -> Iterator[None]:
    """Run Java until the block ends, and wait until something listens on the port.

    Raises:
        RuntimeError: it ended or did not listen; the text is its log.
    """
    with log.open("wb") as out:
        process = subprocess.Popen([str(home / "bin" / "java"), *arguments], stdout=out, stderr=out)
    try:
        end = time.monotonic() + patience
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text())
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
