"""A deployed stack for operators' commands: found by its name, with the AWS credentials at hand, or the local cloud's."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import typer

from cli.api_client import unreachable_error
from cli.ending import fail
from local.dead_letters import StackError, describe_stack
from local.rest_api import is_local

ORGANIZATION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

Url = Annotated[str, typer.Option("--url", envvar="PYTAKE_URL", help="The local cloud's address.")]
StackName = Annotated[
    str | None,
    typer.Option("--stack", help="The name of a deployed stack to use instead, with the current AWS credentials."),
]
Region = Annotated[
    str | None, typer.Option("--region", help="The stack's region; default: that of the AWS configuration.")
]


@dataclass(frozen=True)
class DeployedStack:
    """A stack of PyTake: its outputs, its parameters, and the options of boto3's clients for its account and region."""

    name: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The stage, which is part of the names of its resources."""
        return self.parameters["Stage"]

    @property
    def is_local(self) -> bool:
        """Whether it is the stack of a local cloud."""
        return "endpoint_url" in self.options

    def client(self, service: str) -> Any:
        """A boto3 client."""
        import boto3  # slow to import, and the commands' help does not need it

        return boto3.client(service, **self.options)  # type: ignore[call-overload]


def find_stack(url: str, stack: str | None, region: str | None) -> DeployedStack:
    """Return a deployed stack, or that of the local cloud at `url`. Ends the command if there is none."""
    name, options = stack_options(url, stack, region)
    try:
        found = describe_stack(name, options)
    except StackError as error:
        fail(str(error))
    parameters = {given["ParameterKey"]: given["ParameterValue"] for given in found.get("Parameters", [])}
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    return DeployedStack(name, outputs, parameters, options)


def stack_options(url: str, stack: str | None, region: str | None) -> tuple[str, dict[str, Any]]:
    """Return the name of a stack and the options of boto3's clients for it: of `stack`, or of the local cloud at `url`.

    Ends the command if there is no local cloud.
    """
    if stack is not None:
        return stack, {"region_name": region} if region else {}
    if not is_local(url):
        fail("The REST API does not give access to the stack. Give --stack, with AWS credentials of its account.", 2)
    try:
        answer = httpx.get(f"{url.rstrip('/')}/_local/aws", timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        fail(str(unreachable_error(url, error)))
    if not answer.is_success or not answer.json()["environment"]:
        fail(f"{url} is not a local cloud, or it is still starting. For a deployed stack give --stack.")
    environment = answer.json()["environment"]
    options = {
        "endpoint_url": environment["AWS_ENDPOINT_URL"],
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        "region_name": environment["AWS_REGION"],
    }
    return answer.json()["stack"], options


@contextmanager
def aws_errors_as_text() -> Iterator[None]:
    """Turn an AWS error into a text that ends the command. What was done by then stays done."""
    from botocore.exceptions import BotoCoreError, ClientError
    from pynamodb.exceptions import PynamoDBException

    try:
        yield
    except (BotoCoreError, ClientError, PynamoDBException) as error:
        fail(f"AWS refused: {error}")


def use_for_tables(stack: DeployedStack) -> None:
    """Let PynamoDB, which reads the environment, use the stack's account and region."""
    names = {
        "endpoint_url": "AWS_ENDPOINT_URL",
        "aws_access_key_id": "AWS_ACCESS_KEY_ID",
        "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "region_name": "AWS_DEFAULT_REGION",
    }
    os.environ.update({names[option]: value for option, value in stack.options.items()})
