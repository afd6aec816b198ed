"""`template.yaml` as CloudFormation processes it: loops expanded, then translated by SAM."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from ministack.services.cloudformation import language_extensions  # type: ignore[import-untyped]
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

REPOSITORY = Path(__file__).parents[1]
TEMPLATE = REPOSITORY / "template.yaml"


class Stack:
    """A plain CloudFormation template, with the queries that tests need."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Wrap a template without macros."""
        self.document = document
        self.resources: dict[str, dict[str, Any]] = document["Resources"]

    def of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """Return the resources of these types by logical id."""
        return {name: resource for name, resource in self.resources.items() if resource["Type"] in types}

    def properties(self, *types: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of these types by logical id."""
        return {name: resource.get("Properties", {}) for name, resource in self.of_type(*types).items()}

    def dead_letters(self) -> set[str]:
        """Return the logical ids of the queues that other resources dead-letter to."""
        given = [queue["RedrivePolicy"]["deadLetterTargetArn"] for queue in self.redriven().values()]
        for function in self.properties("AWS::Lambda::Function").values():
            if "DeadLetterConfig" in function:
                given.append(function["DeadLetterConfig"]["TargetArn"])
        schedules = self.properties("AWS::Scheduler::Schedule").values()
        return {target(arn) for arn in given + [one["Target"]["DeadLetterConfig"]["Arn"] for one in schedules]}

    def work_queues(self) -> set[str]:
        """Return the logical ids of the other queues."""
        return set(self.of_type("AWS::SQS::Queue")) - self.dead_letters()

    def redriven(self) -> dict[str, dict[str, Any]]:
        """Return the properties of the queues with a redrive policy, by logical id."""
        return {name: queue for name, queue in self.properties("AWS::SQS::Queue").items() if "RedrivePolicy" in queue}

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


def expanded(template: Path = TEMPLATE) -> dict[str, Any]:
    """Return a template after the transform AWS::LanguageExtensions, that is without loops and without lookups in maps.

    SAM's own expansion also replaces parameters by their values, so this uses the embedded AWS's.
    """
    document = language_extensions.apply(yaml_parse(template.read_text()), {})
    del document["Mappings"]
    plain: dict[str, Any] = _with_short_subs({**document, "Transform": "AWS::Serverless-2016-10-31"})
    return plain


def _with_short_subs(value: Any) -> Any:
    """Write `Fn::Sub: [text, variables]` as `Fn::Sub: text`, or as a plain text when no variable is left in it."""
    if isinstance(value, Mapping):
        value = {name: _with_short_subs(inner) for name, inner in value.items()}
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], list):
            text, variables = value["Fn::Sub"]
            for name, inner in variables.items():
                text = text.replace(f"${{{name}}}", inner)
            return {"Fn::Sub": text} if "${" in text else text
        return value
    return [_with_short_subs(inner) for inner in value] if isinstance(value, list) else value


def translated() -> Stack:
    """Return template.yaml as CloudFormation deploys it."""
    document = expanded()
    for resource in document["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = "s3://bucket/key"  # SAM only translates packaged code
    session = boto3.Session(region_name="us-east-1")
    plain = Translator({}, Parser(), boto_session=session).translate(document, {"OidcIssuer": "https://issuer.example"})
    return Stack(json.loads(json.dumps(plain)))
