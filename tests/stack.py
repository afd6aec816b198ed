"""`template.yaml` as CloudFormation processes it: loops expanded, then translated by SAM."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from local.expanded_template import expanded

REPOSITORY = Path(__file__).parents[1]
TEMPLATE = REPOSITORY / "template.yaml"


def table_definition() -> dict[str, Any]:
    """Return the template's table as DynamoDB's CreateTable takes it, without what CloudFormation resolves."""
    properties = yaml_parse(TEMPLATE.read_text())["Resources"]["Table"]["Properties"]
    names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    definition = {name: properties[name] for name in names}
    for index in definition["GlobalSecondaryIndexes"]:
        index.pop("WarmThroughput", None)
    return definition


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

    def behind(self, value: Any) -> str:
        """Return the logical id of what `value` refers to: behind an alias the function, behind a stored name the data."""
        name = target(value)
        alias = self.properties("AWS::Lambda::Alias").get(name)
        stored = self.properties("AWS::SSM::Parameter").get(name)
        if stored:  # the name of the stack's own table or bucket, or of an adopted one
            return target(stored["Value"]["Fn::If"][1])
        return target(alias["FunctionName"]) if alias else name

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


def translated(packaged: Mapping[str, str] | None = None, **parameters: str) -> Stack:
    """Return template.yaml as CloudFormation deploys it with these parameters.

    `packaged` maps the logical ids of functions and layers to where their code was uploaded.
    """
    document = expanded(TEMPLATE)
    for id_, resource in document["Resources"].items():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):  # SAM only translates packaged code
                resource["Properties"][name] = (packaged or {}).get(id_, "s3://bucket/key")
    session = boto3.Session(region_name="us-east-1")
    given = {"OidcIssuer": "https://issuer.example", **parameters}
    plain = Translator({}, Parser(), boto_session=session).translate(document, given)
    return Stack(json.loads(json.dumps(plain)))
