"""The template as CloudFormation gets it: SAM's own translation."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REPOSITORY = Path(__file__).parents[2]


class Stack:
    """The translated template and the ways in which tests look at it."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Look at a plain CloudFormation template."""
        self.document = document
        self.resources: dict[str, dict[str, Any]] = document["Resources"]

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """Return the resources of these types by logical id."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] in types}

    def properties(self, *types: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of these types by logical id."""
        return {name: resource.get("Properties", {}) for name, resource in self.of_type(*types).items()}

    def default(self, value: Any) -> Any:
        """Return the default of the parameter that `value` refers to, or `value`."""
        if isinstance(value, Mapping) and set(value) == {"Ref"}:
            return self.document["Parameters"].get(value["Ref"], {}).get("Default", value)
        return value


def target(value: Any) -> str:
    """Return the logical id that a `Ref` or `Fn::GetAtt` points at, or the value as text."""
    if isinstance(value, Mapping):
        if "Ref" in value:
            return str(value["Ref"])
        if "Fn::GetAtt" in value:
            return str(value["Fn::GetAtt"][0])
    return json.dumps(value)


@pytest.fixture(scope="session")
def source() -> dict[str, Any]:
    """template.yaml as it stands."""
    document: dict[str, Any] = yaml_parse((REPOSITORY / "template.yaml").read_text())
    return document


@pytest.fixture(scope="session")
def stack() -> Stack:
    """template.yaml, translated."""
    return translated()


def translated() -> Stack:
    """Return template.yaml as CloudFormation gets it."""
    document = yaml_parse((REPOSITORY / "template.yaml").read_text())
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://bucket/key"  # the translation wants packaged code
    session = boto3.Session(region_name="us-east-1")
    plain = Translator({}, Parser(), boto_session=session).translate(document, {"OidcIssuer": "https://issuer.example"})
    return Stack(json.loads(json.dumps(plain)))
