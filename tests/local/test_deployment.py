"""A deployment is repeated exactly when one of its inputs has changed."""

from pathlib import Path

import pytest

from local.deployment import local_parameters, source_digest

PARAMETERS = {"Stage": "local"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name in ("template.yaml", "functions/webhook/handler.py", "layers/core/pytake/a.py", "requirements/layer.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    "changed",
    ["template.yaml", "functions/webhook/handler.py", "layers/core/pytake/new.py", "requirements/layer.txt"],
)
def test_a_source_changes_it(repository: Path, changed: str) -> None:
    before = source_digest(repository, PARAMETERS)
    (repository / changed).write_text("other")
    assert source_digest(repository, PARAMETERS) != before


def test_a_moved_file_changes_it(repository: Path) -> None:
    before = source_digest(repository, PARAMETERS)
    (repository / "layers/core/pytake/a.py").rename(repository / "layers/core/pytake/b.py")
    assert source_digest(repository, PARAMETERS) != before


def test_a_parameter_changes_it(repository: Path) -> None:
    assert source_digest(repository, PARAMETERS) != source_digest(repository, {"Stage": "other"})


@pytest.mark.parametrize("unrelated", ["README.md", "layers/core/pytake/__pycache__/a.cpython-311.pyc", "cli/main.py"])
def test_nothing_else_changes_it(repository: Path, unrelated: str) -> None:
    before = source_digest(repository, PARAMETERS)
    (repository / unrelated).parent.mkdir(parents=True, exist_ok=True)
    (repository / unrelated).write_text("other")
    assert source_digest(repository, PARAMETERS) == before


def test_a_function_stops_before_its_messages_come_back() -> None:
    parameters = local_parameters(
        graph_url="http://127.0.0.1:1", issuer="http://127.0.0.1:2", audience="pytake", allowed_origins=()
    )
    assert int(parameters["WorkerTimeoutSeconds"]) < int(parameters["VisibilityTimeoutSeconds"])
