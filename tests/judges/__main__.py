"""`make judges`: runs the tests of each judge, or of those that are named: `python -m tests.judges dynamodb trino`.

On DynamoDB Local: the contract tests, the tests of the functions, races of threads. On Trino: the product's SQL, the saved SQL
and the expressions of the local Athena's tests; each cell must be equal. It takes some minutes.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.judges.java import CACHE, JudgeMissingError, find_jdk, free_port, jars, java_server

ON_DYNAMODB = (
    *("-p", "tests.judges.dynamodb_local", "tests/contracts", "tests/functions", "tests/analytics/test_retention.py"),
    "tests/judges/races.py",
)
ON_TRINO = ("tests/judges/product_sql.py", "tests/judges/expressions.py")


@contextmanager
def dynamodb(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run DynamoDB Local, in memory. It listens on every interface of the machine; it has no option against that."""
    home, library, port = find_jdk(17), jars("dynamodb"), free_port()
    server = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
    options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    java = ["-Xmx1g", "-XX:+UseSerialGC", f"-Djava.library.path={library}", "-cp", f"{library}/*", server]
    with java_server(home, [*java, *options], port, folder / "dynamodb.log"):
        yield {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}"}


@contextmanager
def trino(folder: Path) -> Iterator[Mapping[str, str]]:
    """Run Trino with its Hive connector over the files of a folder."""
    home, library, port = find_jdk(25), jars("trino"), free_port()
    source = Path(__file__).parent / "trino" / "TrinoServer.java"
    (folder / "managed").mkdir()
    layer = lake_layer()
    java = ["-Xmx3g", "-Duser.timezone=UTC", "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"]
    java += ["--sun-misc-unsafe-memory-access=allow", "-cp", f"{library}/*", str(source), str(folder), str(port)]
    with java_server(home, java, port, folder / "trino.log"):
        yield {"TRINO_URL": f"http://127.0.0.1:{port}", "TRINO_FOLDER": str(folder), "PYTHONPATH": str(layer)}


def lake_layer() -> Path:
    """Return a folder with what the scheduled function writes Parquet with, which is not in the virtual environment."""
    requirements = Path(__file__).parents[2] / "layers" / "lake" / "requirements.txt"
    folder = CACHE / f"lake-layer-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    if not (folder / "arro3").exists():
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--quiet", "--python", sys.executable]
        subprocess.run(
            [*uv, "--no-deps", "--require-hashes", "--target", str(folder), "-r", str(requirements)], check=True
        )
    return folder


JUDGES: dict[str, tuple[Callable[[Path], AbstractContextManager[Mapping[str, str]]], tuple[str, ...]]] = {
    "dynamodb": (dynamodb, ON_DYNAMODB),
    "trino": (trino, ON_TRINO),
}


def judge(name: str) -> bool:
    """Run a judge's tests. Returns whether they passed. Raises `JudgeMissingError`."""
    serve, tests = JUDGES[name]
    with tempfile.TemporaryDirectory(prefix=f"pytake-{name}-") as folder, serve(Path(folder)) as environment:
        command = [sys.executable, "-m", "pytest", *tests]
        return not subprocess.run(command, env={**os.environ, **environment}, check=False).returncode


def main() -> int:
    """Return the exit code: 0 all passed, 1 a test failed, 3 something is missing on this machine."""
    parser = argparse.ArgumentParser(prog="python -m tests.judges", description=(__doc__ or "").split("\n\n")[1])
    parser.add_argument("names", metavar="judge", nargs="*", help=f"all, or: {', '.join(JUDGES)}")
    names, passed, missing = parser.parse_args().names or list(JUDGES), True, False
    if unknown := set(names) - set(JUDGES):
        parser.error(f"unknown judge: {', '.join(sorted(unknown))}. The judges are {', '.join(JUDGES)}.")
    for name in names:
        sys.stderr.write(f"The judge {name}:\n")
        try:
            passed &= judge(name)
        except JudgeMissingError as error:
            sys.stderr.write(f"make judges needs {error}. The judge {name} did not run.\n")
            missing = True
    return 1 if not passed else 3 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
