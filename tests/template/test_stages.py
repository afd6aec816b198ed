"""samconfig.toml describes the stages; the layers can be built for every target of template.yaml."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from samcli.cli.types import CfnParameterOverridesType
from samcli.lib.config.samconfig import SamConfig

from tests.stack import REPOSITORY, Stack


def parameters(stage: str) -> dict[str, str]:
    """Return the parameters that samconfig.toml sets for a stage."""
    config = tomllib.loads((REPOSITORY / "samconfig.toml").read_text())
    return dict(pair.split("=", 1) for pair in config[stage]["global"]["parameters"]["parameter_overrides"])


@pytest.mark.parametrize("stage", ["default", "dev", "staging", "prod"])
def test_a_stage_sets_existing_parameters_to_allowed_values(stack: Stack, stage: str) -> None:
    declared = stack.document["Parameters"]
    for name, value in parameters(stage).items():
        assert value in {str(allowed) for allowed in declared[name].get("AllowedValues", [value])}


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_a_completed_stage_gives_sam_every_required_parameter(stack: Stack, stage: str, tmp_path: Path) -> None:
    text = (REPOSITORY / "samconfig.toml").read_text()
    (tmp_path / "samconfig.toml").write_text(re.sub(r'^  # ("\w+=)', r"  \1", text, flags=re.MULTILINE))
    config = SamConfig(str(tmp_path), "samconfig.toml")
    asked = {command: config.get_all([command], "parameters", stage) for command in ("build", "deploy", "validate")}
    given = CfnParameterOverridesType().convert(asked["deploy"]["parameter_overrides"], None, None)
    declared = stack.document["Parameters"]
    assert {name for name, one in declared.items() if "Default" not in one} <= set(given) <= set(declared)
    assert (given["Stage"], asked["deploy"]["stack_name"]) == (stage, f"pytake-{stage}")
    # The layers are built for the runtime and the architecture that are deployed.
    assert asked["build"]["parameter_overrides"] == asked["deploy"]["parameter_overrides"]
    assert (asked["deploy"]["capabilities"], asked["deploy"]["resolve_s3"]) == ("CAPABILITY_IAM", True)
    assert asked["validate"]["lint"] is True
    assert all(asked[command]["language_extensions"] for command in asked)  # template.yaml has loops


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
    assert {path.parent.name for path in (REPOSITORY / "layers" / "targets").glob("*/Makefile")} == wanted


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
