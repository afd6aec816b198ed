"""`pytake doctor`: what would go wrong, before and after a deployment, and what to do about it."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from cli.api_client import DEFAULT_URL
from cli.ending import fail
from cli.stack import DeployedStack, Region, StackName, Url, find_stack
from local.rest_api import is_local

if TYPE_CHECKING:
    from cli.diagnosis.findings import Check, Finding

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"
WEBHOOK_PATH = "/api/v1/whatsapp/webhook"
HTTP_SECONDS = 15.0
MARKS = {"ok": "ok      ", "warning": "warning ", "failed": "FAILED  ", "unknown": "unknown "}


def doctor(
    issuer: Annotated[
        str | None, typer.Option(help="Before a deployment: the OidcIssuer that you will deploy with.")
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A Bedrock model or inference profile of your flows; repeatable.")
    ] = None,
    org: Annotated[
        list[str] | None, typer.Option(help="After a deployment: an organization whose numbers to check; repeatable.")
    ] = None,
    url: Url = DEFAULT_URL,
    stack: StackName = None,
    region: Region = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of JSON objects.")] = False,
) -> None:
    """Check what usually goes wrong, before and after a deployment, and say what to do.

    With --issuer it checks the account before a deployment: issuer, quotas, model access. Without, it checks a deployed stack
    (--stack) or the local cloud: also its addresses, sending rate and numbers, and the alarms of a deployed stack. It changes
    nothing.

    Exit status: 0 when nothing failed (there may be warnings), 1 when a check failed, 2 for wrong options.
    """
    from cli.diagnosis.findings import run

    if issuer is not None and (stack is not None or org):
        fail("--issuer checks before a deployment. Leave it out to check a stack.", 2)
    with httpx.Client(timeout=HTTP_SECONDS, trust_env=not is_local(url)) as http:
        if issuer is not None:
            options: dict[str, Any] = {"region_name": region} if region else {}
            planned = DeployedStack("", {}, {**template_defaults(), "OidcIssuer": issuer}, options)
            checks = [*before(planned, http, model or [])]
        else:
            found = find_stack(url, stack, region)
            if stack is None:  # the local cloud has one address for everything
                found.outputs.update(ApiUrl=url.rstrip("/"), WebhookUrl=f"{url.rstrip('/')}{WEBHOOK_PATH}")
            checks = [*before(found, http, model or []), *after(found, http, org or [])]
        findings = list(run(checks))
    if as_json:
        from msgspec import to_builtins

        sys.stdout.write(json.dumps(to_builtins(findings), indent=2) + "\n")
    else:
        show(findings)
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)


def template_defaults() -> dict[str, str]:
    """The defaults of the template's parameters."""
    section = TEMPLATE.read_text().partition("\nParameters:\n")[2].partition("\nMappings:\n")[0]
    found = re.findall(r'^  (\w+):\n(?:    .*\n)*?    Default: "?([^"\n]*)"?$', section, re.MULTILINE)
    return {name: default for name, default in found if name}


def before(stack: DeployedStack, http: httpx.Client, models: list[str]) -> "Iterator[tuple[str, Check]]":
    """The checks that need no stack, with its parameters."""
    from cli.diagnosis import before as checks

    given = stack.parameters
    workers = tuple(f"{name}Concurrency" for name in ("FlowRunner", "Sender", "Bulk", "Statuses", "WebhookReserved"))
    needed = sum(int(given[name]) for name in workers)
    # A function URL is not part of API Gateway.
    routes = ("Api",) if given.get("WebhookEndpoint") == "function-url" else ("Api", "Webhook")
    rate, burst = (max(int(given[f"{route}{limit}"]) for route in routes) for limit in ("RateLimit", "BurstLimit"))
    yield "issuer", partial(checks.check_issuer, http, given["OidcIssuer"])
    yield "Lambda concurrency", lambda: checks.check_concurrency(stack.client("lambda"), needed)
    yield "API Gateway quota", lambda: checks.check_api_quota(stack.client("apigateway"), routes, rate, burst)
    if models:
        yield "model access", lambda: checks.check_models(stack.client("bedrock"), models)


def after(stack: DeployedStack, http: httpx.Client, organizations: list[str]) -> "Iterator[tuple[str, Check]]":
    """The checks of a deployed stack."""
    from cli.diagnosis import after as checks

    def physical_id(logical_id: str) -> str:
        answer = stack.client("cloudformation").describe_stack_resource(
            StackName=stack.name, LogicalResourceId=logical_id
        )
        return str(answer["StackResourceDetail"]["PhysicalResourceId"])

    yield "webhook", partial(checks.check_addresses, http, stack)
    if not stack.is_local:  # a local cloud is watched by the person who runs it
        yield "alarms", lambda: checks.check_alarms(stack.client("sns"), stack, physical_id)
    yield "sending rate", lambda: checks.check_rate(stack.client("cloudwatch"), stack, datetime.now(UTC))
    for organization_id in organizations:
        yield "numbers", partial(check_numbers, stack, organization_id)


def check_numbers(stack: DeployedStack, organization_id: str) -> "Iterator[Finding]":
    """The numbers of an organization, with the stack's own adapters."""
    from cli.diagnosis.after import NumberChecks
    from cli.offboarding import number_secrets, tenants
    from pytake.aws.flows import DynamoFlows
    from pytake.aws.table import Table
    from pytake.meta.graph_api import GraphApi

    known = tenants(stack)
    flows = DynamoFlows(Table(stack.outputs["TableName"]), partial(stack.client, "s3"), stack.outputs["LakeBucketName"])
    with GraphApi(stack.parameters["GraphApiUrl"], stack.parameters["GraphApiVersion"]) as graph:
        yield from NumberChecks(known, number_secrets(stack), flows, graph, stack.outputs["WebhookUrl"])(
            organization_id
        )


def show(findings: "list[Finding]") -> None:
    """Print a line for each finding, and below it what to do."""
    for finding in findings:
        typer.echo(f"{MARKS[finding.state]}{finding.check}: {finding.text}")
        if finding.advice:
            typer.echo(f"        {finding.advice}")
    count = sum(finding.state == "failed" for finding in findings)
    typer.echo(f"{count} failed" if count else "Nothing failed.")
