"""The handlers with the real adapters on moto, called with the events that API Gateway sends."""

import base64
import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import boto3
import pytest
import sqlglot
from aws_lambda_powertools import Logger
from moto import mock_aws

from functions.api.handler import handler as api_handler
from functions.webhook.handler import handler as webhook_handler
from pytake import observability
from pytake.wiring import (
    api,
    budgets,
    conversations,
    flow_runner,
    flow_tests,
    scheduled,
    sender,
    shared,
    statuses,
    webhook,
)
from rest.requests import IMPORT_PATH
from tests.aws_session import share_sessions
from tests.table import create_table

REGION = "us-east-1"

ENVIRONMENT = {
    "STAGE": "test",
    "TABLE_NAME": "table",
    "EVENT_BUS_NAME": "default",
    "RETENTION_DAYS": "90",
    "OBSERVABILITY": "full",
    "INBOUND_QUEUE_URL": "https://sqs.test/inbound.fifo",
    "INBOUND_DLQ_URL": "https://sqs.test/inbound-dead-letters.fifo",
    "OUTBOUND_QUEUE_URL": "https://sqs.test/outbound.fifo",
    "OUTBOUND_DLQ_URL": "https://sqs.test/outbound-dead-letters.fifo",
    "BULK_QUEUE_URL": "https://sqs.test/bulk.fifo",
    "BULK_DLQ_URL": "https://sqs.test/bulk-dead-letters.fifo",
    "STATUSES_QUEUE_URL": "https://sqs.test/statuses",
    "STATUSES_DLQ_URL": "https://sqs.test/statuses-dead-letters",
    "MEDIA_QUEUE_URL": "https://sqs.test/media",
    "MEDIA_DLQ_URL": "https://sqs.test/media-dead-letters",
    "KEEP_MEDIA": "true",
    "MEDIA_MEGABYTES": "16",
    "LAKE_BUCKET": "lake",
    "LAKE_DATABASE": "lake",
    "WORK_GROUP": "lake",
    "SCHEDULED_FUNCTION": "scheduled",
    "SECRETS_PREFIX": "pytake/test/",
    "GRAPH_API_URL": "https://graph.facebook.com",
    "GRAPH_API_VERSION": "v25.0",
    "VERIFY_NUMBERS": "false",
    "MESSAGES_PER_MINUTE": "5",
    "AMBIGUOUS_SECONDS": "45",
    "VISIBILITY_TIMEOUT_SECONDS": "200",
    "SESSION_TTL_HOURS": "24",
    "EFFECTS_PER_ORGANIZATION": "20",
    "EMAIL_FROM": "",
    "SENDS_EMAIL": "false",
}
"""What the six functions need together."""


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin that makes the tests of test_openapi.py: a second of work that other tests do not need."""
    config.pluginmanager.import_plugin("schemathesis.pytest.plugin")


class LambdaContext:
    aws_request_id = "request-1"
    function_name = "test"
    memory_limit_in_mb = 512
    invoked_function_arn = f"arn:aws:lambda:{REGION}:000000000000:function:test"

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


class StandardOutput:
    """Standard output as it is at the moment: a logger keeps its stream, and pytest has one for each phase of a test."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class Answer(NamedTuple):
    status: int
    body: Any
    content_type: str
    headers: dict[str, str]


class Gateway:
    """Calls the handlers as an HTTP API with payload format 2.0 does."""

    def __init__(self, queues: dict[str, str]) -> None:
        self.queues = queues

    def api(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        org: str = "acme",
        role: str = "admin",
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        **claims: Any,
    ) -> Answer:
        is_file = path == IMPORT_PATH and isinstance(body, str)
        event = http_event(method, path, body if body is None or is_file else json.dumps(body), query)
        if is_file:
            event["headers"]["content-type"] = "text/csv"
        event["headers"].update(headers or {})
        jwt = {"claims": {"organization_id": org, "role": role, "sub": "tester", **claims}, "scopes": None}
        event["requestContext"]["authorizer"] = {"jwt": jwt}
        return answer_of(api_handler(event, LambdaContext()))

    def webhook(
        self,
        method: str,
        body: str | None = None,
        query: dict[str, str] | None = None,
        path: str = "/api/v1/whatsapp/webhook",
        **headers: str,
    ) -> Answer:
        event = http_event(method, path, body, query)
        event["headers"].update({name.replace("_", "-"): value for name, value in headers.items()})
        return answer_of(webhook_handler(event, LambdaContext()))

    def webhook_base64(self, body: bytes, signature: str) -> Answer:
        event = http_event("POST", "/api/v1/whatsapp/webhook", base64.b64encode(body).decode())
        event["isBase64Encoded"] = True
        event["headers"]["x-hub-signature-256"] = signature
        return answer_of(webhook_handler(event, LambdaContext()))

    def queued(self, queue: str) -> list[dict[str, Any]]:
        sqs = boto3.client("sqs")
        answer = sqs.receive_message(QueueUrl=self.queues[queue], MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def http_event(method: str, path: str, body: str | None, query: dict[str, str] | None = None) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "api.example.com"},
        "queryStringParameters": query,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api",
            "domainName": "api.example.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "t"},
            "requestId": "api-request-1",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1,
        },
        "body": body,
        "isBase64Encoded": False,
    }


def answer_of(answer: dict[str, Any]) -> Answer:
    headers = {name.lower(): value for name, value in (answer.get("headers") or {}).items()}
    content_type = headers.get("content-type", "")
    body = answer.get("body")
    if body and answer.get("isBase64Encoded"):
        body = gzip.decompress(base64.b64decode(body)).decode()
    return Answer(
        answer["statusCode"],
        json.loads(body) if content_type.endswith(("/json", "+json")) and body else body,
        content_type,
        headers,
    )


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Gateway]:
    with running_gateway(monkeypatch, request.node.name) as running:
        yield running


@contextmanager
def running_gateway(monkeypatch: pytest.MonkeyPatch, service_name: str) -> Iterator[Gateway]:
    """The handlers with tables, queues and a bucket of their own."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_REGION", REGION)
    logging_to_standard_output(monkeypatch, service_name)
    with mock_aws():
        share_sessions(monkeypatch)
        sqs = boto3.client("sqs")
        fifo = {"FifoQueue": "true"}
        urls = {
            "inbound": sqs.create_queue(QueueName="inbound.fifo", Attributes=fifo)["QueueUrl"],
            "outbound": sqs.create_queue(QueueName="outbound.fifo", Attributes=fifo)["QueueUrl"],
            "outbound_dlq": sqs.create_queue(QueueName="outbound-dead-letters.fifo", Attributes=fifo)["QueueUrl"],
            "bulk": sqs.create_queue(QueueName="bulk.fifo", Attributes=fifo)["QueueUrl"],
            "bulk_dlq": sqs.create_queue(QueueName="bulk-dead-letters.fifo", Attributes=fifo)["QueueUrl"],
            "statuses": sqs.create_queue(QueueName="statuses")["QueueUrl"],
            "media": sqs.create_queue(QueueName="media")["QueueUrl"],
        }
        boto3.client("s3").create_bucket(Bucket="lake")
        create_table("table")
        of_queues = {
            f"{name.upper()}_{'URL' if name.endswith('dlq') else 'QUEUE_URL'}": url for name, url in urls.items()
        }
        environment = ENVIRONMENT | of_queues
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        reset_wiring()
        for wiring in (api, scheduled):
            monkeypatch.setattr(wiring, "athena_queries", EmptyLake)
        yield Gateway(urls)
        reset_wiring()


class EmptyLake:
    """What Athena, which moto does not have, says of a lake without events (tests/analytics asks a real lake)."""

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        select = sqlglot.parse_one(sql, dialect="athena")
        has_rows = not (select.args.get("group") or select.args.get("limit"))
        return [dict.fromkeys(select.named_selects, "0")] if has_rows else []


def logging_to_standard_output(monkeypatch: pytest.MonkeyPatch, service_name: str) -> None:
    # Powertools keeps a logger per service name: a new name, a new logger.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", service_name)
    monkeypatch.setattr(observability, "Logger", partial(Logger, stream=StandardOutput()))


def reset_wiring() -> None:
    for module in (api, budgets, conversations, flow_runner, flow_tests, scheduled, sender, shared, statuses, webhook):
        for member in vars(module).values():
            if hasattr(member, "cache_clear"):
                member.cache_clear()
