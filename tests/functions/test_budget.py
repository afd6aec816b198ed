"""What a plain turn costs at AWS, counted at the client (DESIGN: one read, one write, at most 8 write units)."""

import json
import math
from typing import Any

import boto3
import botocore.client
import pytest

from functions.flow_runner.handler import handler as flow_runner
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import NUMBER, NUMBER_PATH, QUESTION, inbound


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    made: list[tuple[str, dict[str, Any]]] = []
    real = botocore.client.BaseClient._make_api_call

    def counted(self: Any, operation: str, arguments: dict[str, Any]) -> Any:
        made.append((operation, arguments))
        return real(self, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", counted)
    return made


def _bytes(item: dict[str, dict[str, str]]) -> int:
    return sum(len(name) + len(str(value).encode()) for name, typed in item.items() for value in typed.values())


def test_a_plain_turn_reads_once_and_writes_once(gateway: Gateway, calls: list[tuple[str, dict[str, Any]]]) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", QUESTION)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    assert flow_runner(inbound("Hi", 1), LambdaContext()) == {"batchItemFailures": []}  # warms caches
    calls.clear()
    assert flow_runner(inbound("Ana", 2), LambdaContext()) == {"batchItemFailures": []}
    assert [operation for operation, _ in calls] == ["GetItem", "TransactWriteItems", "SendMessage"]
    puts = [write["Put"]["Item"] for write in calls[1][1]["TransactItems"]]
    assert sum(2 * math.ceil(_bytes(item) / 1024) for item in puts) <= 8


def test_the_first_turn_of_a_person_reads_once_more(gateway: Gateway, calls: list[tuple[str, dict[str, Any]]]) -> None:
    """Identities, contact, and what an erasure has left are one request."""
    gateway.api("PUT", "/api/v1/flows/hello", QUESTION)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    flow_runner(inbound("Hi", 1, "5511988880001"), LambdaContext())  # warms caches
    calls.clear()
    assert flow_runner(inbound("Hi", 2), LambdaContext()) == {"batchItemFailures": []}
    asked = [operation for operation, _ in calls if operation != "PutEvents"]
    assert asked == ["GetItem", "BatchGetItem", "TransactWriteItems", "SendMessage"]


def test_an_unsigned_webhook_costs_at_most_one_look_up(
    gateway: Gateway, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    numbers = [{"metadata": {"phone_number_id": str(n)}} for n in range(2_000)]
    changes = [{"field": "messages", "value": value} for value in numbers]
    body = json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]})
    asked = []
    for header in ({}, {"x_hub_signature_256": "sha256=0"}, *[{"x_hub_signature_256": "sha256=" + "0" * 64}] * 2):
        calls.clear()
        gateway.webhook("POST", body, **header)
        asked.append([operation for operation, _ in calls])
    assert asked == [[], [], ["BatchGetItem"], []], "unknown numbers are remembered for a moment"


CONNECTED, FIRST = 20, 100000000000100
CHANGES = [{"field": "messages", "value": {"metadata": {"phone_number_id": str(FIRST + n)}}} for n in range(CONNECTED)]
OF_NUMBERS = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": CHANGES}]}
OF_AN_ACCOUNT = {"object": "whatsapp_business_account", "entry": [{"id": "77", "changes": []}]}


@pytest.mark.parametrize("post", [OF_NUMBERS, OF_AN_ACCOUNT], ids=["numbers", "account"])
@pytest.mark.parametrize("has_secrets", [True, False])
def test_a_forged_webhook_for_many_connected_numbers_costs_two_secrets_at_most(
    gateway: Gateway,
    calls: list[tuple[str, dict[str, Any]]],
    post: dict[str, Any],
    has_secrets: bool,
) -> None:
    for number in range(CONNECTED):
        org = f"org-{number % 10}"
        settings = NUMBER | {"waba_id": "77", "verify_token": f"token-of-{org}"}
        assert gateway.api("PUT", f"/api/v1/numbers/{FIRST + number}", settings, org=org).status == 200
        if not has_secrets:
            name = f"pytake/test/{org}/{FIRST + number}/app-secret"
            boto3.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    asked = []
    for _ in range(2):
        calls.clear()
        assert gateway.webhook("POST", json.dumps(post), x_hub_signature_256="sha256=" + "0" * 64).status == 403
        asked.append([operation for operation, _ in calls])
    assert asked[0] == ["BatchGetItem", "GetSecretValue", "GetSecretValue"]
    assert "GetSecretValue" not in asked[1], "what was read a moment ago is not read again"


def test_a_failed_record_comes_back_alone(gateway: Gateway) -> None:
    event = inbound("Hi", 1)
    broken = {**event["Records"][0], "messageId": "broken", "body": "{", "attributes": {"MessageGroupId": "h"}}
    event["Records"].insert(0, broken)
    assert flow_runner(event, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "broken"}]}
