"""samconfig.toml describes the stages; template.yaml fits the layer's build."""

import tomllib
from typing import Any

import pytest

from tests.template.conftest import REPOSITORY, Stack


def parameters(stage: str) -> dict[str, str]:
    """Return what samconfig.toml sets for a stage."""
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    return dict(pair.split("=", 1) for pair in config[stage]["global"]["parameters"]["parameter_overrides"])


@pytest.mark.parametrize("stage", ["default", "dev", "staging", "prod"])
def test_a_stage_sets_only_parameters_that_exist_to_values_they_allow(stack: Stack, stage: str) -> None:
    declared = stack.document["Parameters"]
    for name, value in parameters(stage).items():
        assert value in {str(allowed) for allowed in declared[name].get("AllowedValues", [value])}


def test_production_is_protected_and_quiet(stack: Stack) -> None:
    prod = parameters("prod")
    assert prod.get("DeletionProtection", "true") == "true"
    assert prod.get("LogLevel", "INFO") == "INFO"


def test_every_runtime_and_architecture_has_a_layer_target(source: dict[str, Any]) -> None:
    declared = source["Parameters"]
    wanted = {
        f"{runtime}-{architecture}"
        for runtime in declared["PythonRuntime"]["AllowedValues"]
        for architecture in declared["Architecture"]["AllowedValues"]
    }
    for layer in ("core", "lake"):
        assert {path.parent.name for path in (REPOSITORY / f"layers/{layer}/targets").glob("*/Makefile")} == wanted


def test_the_defaults_are_the_documented_ones(stack: Stack) -> None:
    declared = stack.document["Parameters"]
    assert {name: declared[name]["Default"] for name in ("PythonRuntime", "Architecture", "GraphApiVersion")} == {
        "PythonRuntime": "python3.13",
        "Architecture": "arm64",
        "GraphApiVersion": "v25.0",
    }
    assert {name: declared[name]["Default"] for name in ("MessagesPerMinute", "SessionTtlHours", "RetentionDays")} == {
        "MessagesPerMinute": 5,
        "SessionTtlHours": 24,
        "RetentionDays": 90,
    }
    assert "Default" not in declared["OidcIssuer"]
