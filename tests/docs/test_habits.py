"""The workflow, the pre-commit hooks and the templates of GitHub: they run what the repository says, and nothing else."""

import re
import tomllib
from typing import Any

import pytest
import yaml

from tests.stack import REPOSITORY

WORKFLOW = yaml.safe_load((REPOSITORY / ".github" / "workflows" / "ci.yml").read_text())
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())
SETTINGS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]
FORMS = sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def supported() -> list[str]:
    """The Python versions of `requires-python`, a range such as `>=3.11,<3.14`."""
    [(least, beyond)] = re.findall(r"^>=3\.(\d+),<3\.(\d+)$", PROJECT["requires-python"])
    return [f"3.{minor}" for minor in range(int(least), int(beyond))]


def test_the_workflow_tests_every_supported_python() -> None:
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == supported()


def test_the_makefile_accepts_the_supported_pythons() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    least, most = (version.replace(".", ", ") for version in (supported()[0], supported()[-1]))
    assert f"({least}) <= sys.version_info[:2] <= ({most})" in makefile


def test_the_workflow_runs_make_test() -> None:
    steps: list[dict[str, Any]] = WORKFLOW["jobs"]["test"]["steps"]
    assert any(step.get("run", "").startswith("make test") for step in steps)
    assert WORKFLOW["permissions"] == {"contents": "read"}


def test_every_slow_test_is_in_a_folder_that_make_test_names() -> None:
    [named] = re.findall(r"^SLOW := (.+)$", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    slow = re.compile(r"^(?:pytestmark = |@)pytest\.mark\.(?:cloud|build)\b", re.MULTILINE)
    files = [
        path.relative_to(REPOSITORY)
        for path in (REPOSITORY / "tests").rglob("test_*.py")
        if slow.search(path.read_text())
    ]
    assert len(files) > 10
    assert {str(path.parent) for path in files} == set(named.split())


def test_types_of_the_commands_that_no_test_starts_are_checked() -> None:
    commands = set(re.findall(r"-m (tests[\w.]+)", (REPOSITORY / "Makefile").read_text()))
    modules = {name.removesuffix(".__main__") for name in SETTINGS["tool"]["mypy"]["modules"]}
    assert "tests.chaos" in commands
    assert commands <= modules


def test_the_hooks_run_what_is_installed_here() -> None:
    assert [repository["repo"] for repository in HOOKS["repos"]] == ["local"]
    entries = [hook["entry"].split() for hook in HOOKS["repos"][0]["hooks"]]
    assert {entry[0] for entry in entries} == {".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/pytest"}
    tests = [part for entry in entries for part in entry if part.startswith("tests/")]
    assert tests
    assert [path for path in tests if not (REPOSITORY / path).exists()] == []


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_an_issue_form_has_what_github_wants(form: Any) -> None:
    content = yaml.safe_load(form.read_text())
    if form.name == "config.yml":
        assert content == {"blank_issues_enabled": True}
        return
    assert content["name"]
    assert content["description"]
    ids = [part["id"] for part in content["body"] if part["type"] != "markdown"]
    assert len(set(ids)) == len(ids)
    assert all(part["attributes"].get("label") for part in content["body"] if part["type"] != "markdown")


def test_no_test_imports_from_a_test_module() -> None:
    importing = re.compile(r"^\s*(?:from tests[\w.]*\.test_\w+ import|import tests[\w.]*\.test_\w+)", re.MULTILINE)
    files = [path for folder in ("tests", "benchmarks") for path in (REPOSITORY / folder).rglob("*.py")]
    assert len(files) > 100
    assert [path.name for path in files if importing.search(path.read_text())] == []


def test_no_test_imports_a_private_name() -> None:
    importing = re.compile(r"^\s*from [\w.]+ import .*\b_[a-zA-Z]", re.MULTILINE)
    files = (REPOSITORY / "tests").rglob("*.py")
    assert [path.name for path in files if importing.search(path.read_text())] == []


def test_no_module_of_the_product_has_more_than_400_lines() -> None:
    modules = [
        path for folder in ("layers", "functions", "local", "cli") for path in (REPOSITORY / folder).rglob("*.py")
    ]
    assert len(modules) > 200
    assert [path.name for path in modules if len(path.read_text().splitlines()) > 400] == []
