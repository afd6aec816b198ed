"""DynamoDB cancels a transaction because it is busy, not because of what is in it: the caller may repeat the request."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from functions.flow_runner.handler import handler as flow_runner
from tests.functions.conftest import Gateway, LambdaContext
from tests.functions.samples import FLOW

CODES = ("ThrottlingError", "ProvisionedThroughputExceeded", "TransactionConflict")
EVENTS = Path(__file__).parents[1] / "events"
NUMBER = {
    "display_phone_number": "+55 11 4000-0001",
    "verify_token": "a-verify-token",
    "app_secret": "an-app-secret",
    "access_token": "an-access-token",
    "default_flow_id": "hello",
}
REQUESTS = (
    ("POST", "/api/v1/flows/hello/publish", None),
    ("PUT", "/api/v1/numbers/100000000000001", NUMBER),
)


@contextmanager
def transactions_cancelled(code: str) -> Iterator[None]:
    """While this holds, DynamoDB cancels every transaction with this reason for its first item."""
    call = BaseClient._make_api_call

    def cancelled(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation != "TransactWriteItems":
            return call(client, operation, arguments)
        reasons = [{"Code": code, "Message": "x"}, *[{"Code": "None"}] * (len(arguments["TransactItems"]) - 1)]
        error = {"Code": "TransactionCanceledException", "Message": "Transaction cancelled"}
        raise ClientError({"Error": error, "CancellationReasons": reasons}, operation)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", cancelled)
        yield


@pytest.fixture
def connected(gateway: Gateway) -> Gateway:
    for request in (("PUT", "/api/v1/flows/hello", FLOW), *REQUESTS):
        assert gateway.api(*request, org="demo").status == 200
    return gateway


@pytest.mark.parametrize("code", CODES)
def test_the_rest_api_answers_503_and_the_repeated_request_succeeds(connected: Gateway, code: str) -> None:
    changed = {**FLOW, "name": "Changed"}
    assert connected.api("PUT", "/api/v1/flows/hello", changed, org="demo").status == 200
    with transactions_cancelled(code):
        for request in REQUESTS:
            refused = connected.api(*request, org="demo")
            assert (refused.status, refused.body["code"]) == (503, "temporarily_unavailable")
            assert refused.headers["retry-after"] == "2"
    for request in REQUESTS:
        assert connected.api(*request, org="demo").status == 200


@pytest.mark.parametrize("code", CODES)
def test_a_message_stays_in_the_queue_and_its_turn_is_taken_once(connected: Gateway, code: str) -> None:
    event = json.loads((EVENTS / "flow_runner.json").read_text())
    [record] = event["Records"]
    with transactions_cancelled(code):
        assert flow_runner(event, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    for _ in range(2):
        assert flow_runner(event, LambdaContext()) == {"batchItemFailures": []}
    items = boto3.client("dynamodb").scan(TableName="table")["Items"]
    assert sum(item["sk"]["S"].startswith("TURN#") for item in items) == 1


@pytest.mark.parametrize("code", CODES)
def test_an_erasure_is_finished_later(connected: Gateway, code: str) -> None:
    event = json.loads((EVENTS / "flow_runner.json").read_text())
    assert flow_runner(event, LambdaContext()) == {"batchItemFailures": []}
    path = "/api/v1/contacts/5511999990001"
    with transactions_cancelled(code):
        refused = connected.api("DELETE", path, org="demo")
        assert refused.status == (409 if code == "TransactionConflict" else 503)
    assert connected.api("DELETE", path, org="demo").status == 204
    items = boto3.client("dynamodb").scan(TableName="table")["Items"]
    assert not any("#CONV#" in item["pk"]["S"] for item in items)
