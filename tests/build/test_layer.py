"""The contents of the layer: everything that a function imports, compiled, and nothing else."""

import filecmp
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.build.conftest import ARCHITECTURE, REPOSITORY, sam_build
from tests.build.layer_files import ELF_MACHINE, machines, size

pytestmark = pytest.mark.build

MOST_BYTES = 32_000_000


def locked() -> set[str]:
    """Return the distributions that requirements/layer.txt names."""
    text = (REPOSITORY / "requirements" / "layer.txt").read_text()
    return {name.replace("-", "_").lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)}


def test_it_is_small(built_layer: Path) -> None:
    assert size(built_layer) <= MOST_BYTES


def test_it_holds_the_locked_distributions_and_no_other(built_layer: Path) -> None:
    held = {path.name.removesuffix(".dist-info").rsplit("-", 1)[0].lower() for path in built_layer.glob("*.dist-info")}
    assert held <= locked()
    assert locked() - held == {"anyio"}  # see build_layer.py


def test_it_holds_the_compiled_code_of_the_runtimes_python_and_no_source(built_layer: Path) -> None:
    assert list(built_layer.rglob("*.py")) == []
    compiled = list(built_layer.rglob("*.pyc"))
    for path in compiled:
        assert path.parent.name != "__pycache__"  # beside a source, which is not there
        header = path.read_bytes()[:8]
        assert header[:4] == importlib.util.MAGIC_NUMBER
        # Bit 0 set, bit 1 clear: an unchecked hash. Zipping changes times, so Python must not compare them.
        assert int.from_bytes(header[4:], "little") == 1
    names = {str(path.relative_to(built_layer).with_suffix("")) for path in compiled}
    core = REPOSITORY / "layers" / "core"
    assert {str(path.relative_to(core).with_suffix("")) for path in (core / "pytake").rglob("*.py")} <= names
    # Log lines and traces name the place in the source.
    assert b"/opt/python/pytake/settings.py" in (built_layer / "pytake" / "settings.pyc").read_bytes()


def test_it_holds_no_unneeded_files(built_layer: Path) -> None:
    names = {path.name for path in built_layer.rglob("*")}
    assert not names & {"tests", "bin", "RECORD", "INSTALLER", "direct_url.json", "moto", "pytest", "local", "cli"}
    services = {path.name for path in (built_layer / "botocore" / "data").iterdir() if path.is_dir()}
    assert services == {
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


def test_botocores_descriptions_contain_what_calls_need(built_layer: Path) -> None:
    folder = built_layer / "botocore" / "data"
    loader = Loader(extra_search_paths=[str(folder)], include_default_search_paths=False)
    for service in sorted(path.name for path in folder.iterdir() if path.is_dir()):
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        assert all(parameter.name for parameter in model.client_context_parameters)
        for name in model.operation_names:
            operation = model.operation_model(name)
            assert operation.name == name
            assert operation.static_context_parameters is not None
            assert operation.context_parameters is not None


def test_native_modules_are_for_this_architecture(built_layer: Path) -> None:
    if os.uname().sysname == "Linux":
        assert machines(built_layer) == {ELF_MACHINE[ARCHITECTURE]}


def test_the_parameters_choose_the_target_and_an_unchanged_layer_stays_the_same(tmp_path: Path) -> None:
    one = sam_build(tmp_path / "one", "CoreLayer", PythonRuntime="python3.13", Architecture="arm64") / "CoreLayer"
    two = tmp_path / "two"
    script = [sys.executable, str(REPOSITORY / "layers" / "core" / "build_layer.py")]
    subprocess.run([*script, "--target", "python3.13-arm64", "--into", str(two / "python")], check=True)
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(two) for path in two.rglob("*") if path.is_file())
    assert filecmp.cmpfiles(one, two, files, shallow=False)[1:] == ([], [])
    assert machines(one) == {ELF_MACHINE["arm64"]}
    assert any(".cpython-313-aarch64" in path.name for path in files)
    assert size(one) <= MOST_BYTES
