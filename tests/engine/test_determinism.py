"""The same document, state, input and context give the same bytes, with any hash seed and on every supported Python."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).parents[2]
SUPPORTED = ("3.11", "3.12", "3.13")


def dump(python: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(str, (ROOT, ROOT / "layers" / "core")))
    return subprocess.run(
        [python, "-B", "-m", "tests.engine.dump_golden"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def pythons(version: str) -> list[str]:
    """The interpreters of a version: from PYTAKE_PYTHONS, on the path, or installed by pyenv or uv."""
    named = [sys.executable, *filter(None, os.environ.get("PYTAKE_PYTHONS", "").split(os.pathsep))]
    on_path = [found for found in (which(f"python{version}"),) if found]
    homes = [Path.home() / ".pyenv" / "versions", Path.home() / ".local" / "share" / "uv" / "python"]
    installed = [str(found) for home in homes for found in sorted(home.glob(f"*{version}*/bin/python{version}"))]
    return [python for python in dict.fromkeys([*named, *on_path, *installed]) if _is(python, version)]


def _is(python: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return asked.stdout.strip() == version


def has_the_engine(python: str) -> bool:
    """Whether it has the dependencies of the engine in the pinned versions."""
    code = "import msgspec, re2, phonenumbers; print(msgspec.__version__, phonenumbers.__version__)"
    here = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    there = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return there.stdout == here.stdout


@pytest.fixture(scope="module")
def here() -> str:
    done = dump(sys.executable, PYTHONHASHSEED="0")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(list((ROOT / "tests" / "engine" / "golden").glob("*.json")))
    return done.stdout


@pytest.mark.parametrize("seed", ["1", "2", "4294967295", "random"])
def test_the_hash_seed_changes_nothing(here: str, seed: str) -> None:
    assert dump(sys.executable, PYTHONHASHSEED=seed).stdout == here


@pytest.mark.parametrize(("name", "value"), [("TZ", "Asia/Tokyo"), ("LC_ALL", "C"), ("PYTHONOPTIMIZE", "1")])
def test_the_machine_changes_nothing(here: str, name: str, value: str) -> None:
    assert dump(sys.executable, **{name: value}).stdout == here


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_supported_python_gives_the_same_bytes(here: str, version: str) -> None:
    found = pythons(version)
    able = [python for python in found if has_the_engine(python)]
    if not able:
        reason = "none of them has the engine's dependencies in the pinned versions" if found else "there is none here"
        pytest.skip(f"Python {version}: {reason}. Name one in PYTAKE_PYTHONS to test it.")
    done = dump(able[0])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == here
