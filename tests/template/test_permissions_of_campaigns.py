"""The roles allow every request of a campaign and of an import, from the REST API to the scheduled function's jobs.

The real handlers and adapters make their requests to moto, and each of them is recorded below the SDK.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any
from unittest.mock import patch

import botocore.client
import msgspec
import pytest

from functions.scheduled.handler import handler as scheduled
from pytake.campaigns import release
from pytake.wiring import scheduled as wiring
from tests.faults.aws_world import permissions
from tests.functions.campaigns import SPRING, Campaign
from tests.functions.conftest import Gateway, LambdaContext, running_gateway
from tests.functions.world import ANA, BIA
from tests.stack import Stack
from tests.template.permissions import granted

ROLES = {"api": "ApiRole", "scheduled": "ScheduledRole"}
RESOURCES = {
    "inbound.fifo": "InboundQueue",
    "outbound.fifo": "OutboundQueue",
    "bulk.fifo": "BulkQueue",
    "bus": "events:event-bus/${EventBusName}",
    "scheduled": "lambda:function:pytake-${Stage}-scheduled:live",
}
S3_ACTIONS = {"HeadObject": "GetObject", "ListObjectVersions": "ListBucketVersions", "ListObjectsV2": "ListBucket"}

Asked = set[tuple[str, str, str]]


def needed(operation: str, request: Any) -> Iterator[tuple[str, str]]:
    """The IAM actions, and the resource of each in the template, that a request needs."""
    if operation in ("DeleteObject", "DeleteObjects"):
        for one in request.get("Delete", {}).get("Objects", [request]):
            yield f"s3:DeleteObject{'Version' if 'VersionId' in one else ''}", f"LakeBucket/{one['Key']}"
        return
    if "Bucket" in request:
        action = S3_ACTIONS.get(operation, operation)
        yield f"s3:{action}", f"LakeBucket/{request['Key']}" if "Key" in request else "LakeBucket"
        return
    if operation == "Invoke":
        yield "lambda:InvokeFunction", RESOURCES[request["FunctionName"]]
        return
    body = msgspec.json.decode(request.body) if hasattr(request, "body") else request
    for action, resource in permissions(operation, body):
        is_table = resource.startswith("table")
        yield action, resource.replace("table", "Table", 1) if is_table else RESOURCES.get(resource, resource)


def allows(role: dict[str, Any], action: str, resource: str) -> bool:
    """Whether a role allows an action on a resource."""
    return any(action in actions and fnmatch(resource, pattern) for pattern, actions in granted(role).items())


@contextmanager
def recorded(asked: Asked, function: str) -> Iterator[None]:
    """While it lasts, the requests to AWS are those of a function."""
    call: Callable[..., Any] = botocore.client.BaseClient._make_api_call

    def recording(client: Any, operation: str, request: Any) -> Any:
        asked.update((function, *what) for what in needed(operation, request))
        return {} if operation == "Invoke" else call(client, operation, request)

    with patch.object(botocore.client.BaseClient, "_make_api_call", recording):
        yield


def play(gateway: Gateway, asked: Asked) -> None:
    """An import of contacts; a campaign that is tried, started, paused, resumed, counted and cancelled; an erasure."""
    campaign = Campaign(gateway)
    with recorded(asked, "api"):
        rows = f"phone,consent_marketing,consent_source\n{ANA},granted,form\n{BIA},granted,form\n"
        assert gateway.api("POST", "/api/v1/contacts/import", rows).status == 202
    run(asked, "imports")
    with recorded(asked, "api"):
        assert campaign.put(holdout=0, pace_per_second=1).status == 200
        assert campaign.post("test", body={"people": [ANA]}).status == 202
        for step in ("start", "pause", "resume"):
            assert campaign.post(step).status == 200, step
    run(asked, "campaigns")  # freezes, releases
    run(asked, "campaigns")  # recounts
    with recorded(asked, "api"):
        assert campaign.get()["counts"]["planned"] == 2
        assert gateway.api("GET", f"{SPRING}/results").status == 200
        assert gateway.api("DELETE", f"/api/v1/contacts/{BIA}").status == 204
    run(asked, "due")


def run(asked: Asked, job: str) -> None:
    with recorded(asked, "scheduled"):
        scheduled({"job": job}, LambdaContext())


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with pytest.MonkeyPatch.context() as monkeypatch, running_gateway(monkeypatch, "permissions") as gateway:
        monkeypatch.setattr(release, "RECOUNT_SECONDS", 0)
        monkeypatch.setattr(wiring, "RELEASE_WORKERS", 1)  # moto's table is not made for threads
        found: Asked = set()
        play(gateway, found)
        yield found


def test_the_campaign_and_the_import_ask_for_what_they_are_known_to_need(asked: Asked) -> None:
    assert {
        ("api", "lambda:InvokeFunction", RESOURCES["scheduled"]),
        ("api", "sqs:SendMessage", "InboundQueue"),
        ("scheduled", "sqs:SendMessage", "BulkQueue"),
        ("scheduled", "dynamodb:Query", "Table/index/due"),
        ("scheduled", "dynamodb:BatchGetItem", "Table"),
        ("scheduled", "events:PutEvents", RESOURCES["bus"]),
    } <= asked
    actions = {action for _, action, resource in asked if resource.startswith("LakeBucket/imports/")}
    assert {"s3:PutObject", "s3:GetObject", "s3:DeleteObjectVersion"} <= actions


def test_each_role_allows_what_its_function_asks_for(asked: Asked, stack: Stack) -> None:
    roles: dict[str, Any] = stack.properties("AWS::IAM::Role")
    refused = {what for what in asked if not allows(roles[ROLES[what[0]]], *what[1:])}
    assert refused == set()
