"""The world with the product's real AWS adapters: faults happen below them, at the SDK.

Every request that botocore would send meets the plan's fault: it is lost before it had an effect, or after; it is throttled,
or repeated by the SDK because its answer was lost.
"""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
import botocore.client
import msgspec
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from pynamodb.exceptions import PynamoDBException

from pytake.aws.aliases import DynamoAliases
from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.delivery_reads import DynamoDeliveryReads
from pytake.aws.event_bus import EventBridgeBus
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.operator_events import EventBridgeOperatorEvents
from pytake.aws.outbox import DynamoOutbox
from pytake.aws.queues import SqsQueues
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.aws.table import Table, conversation_key
from pytake.aws.tenants import DynamoTenants
from pytake.conversation.ports.messaging import OperatorEvent
from pytake.conversation.records import Conversation
from tests.faults import plans
from tests.faults.dynamodb import DynamoDb, canceled
from tests.faults.ports import EXPECTED
from tests.faults.timeline import WorkerKilled
from tests.faults.world import World
from tests.table import kept

REGION = "us-east-1"
DYNAMODB = {
    "BatchGetItem",
    "BatchWriteItem",
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "TransactWriteItems",
}
URLS = {
    name: f"https://sqs.test/{name}"
    for name in ("inbound", "inbound_dead", "outbound", "outbound_dead", "bulk", "bulk_dead", "statuses")
}

SDK_FAULTS = ("crash_before", "crash_after", "lost_before", "lost_after", "throttled", "repeated", "stall_before")


@cache
def _client(service: Any) -> Any:
    # One for all worlds: it holds no state, and making one takes longer than a run.
    return boto3.client(service, region_name=REGION)


@cache
def _table() -> Table:
    return Table("table", REGION)


def kinds(call: str) -> tuple[str, ...]:
    """The faults that a request can meet; `graph.send` and Lambda's own are those of the other worlds."""
    if not call.startswith("aws."):
        return tuple(plans.kinds(call))
    return (*SDK_FAULTS, "conflict") if call == "aws.TransactWriteItems" else SDK_FAULTS


def permissions(operation: str, request: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The IAM actions, and the resource of each, that a request needs."""
    if operation == "TransactWriteItems":
        actions = {
            "Put": "PutItem",
            "Update": "UpdateItem",
            "Delete": "DeleteItem",
            "ConditionCheck": "ConditionCheckItem",
        }
        yield from ((f"dynamodb:{actions[kind]}", "table") for write in request["TransactItems"] for kind in write)
    elif operation in DYNAMODB:
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        yield f"dynamodb:{operation}", f"table{index}"
    elif "QueueUrl" in request:
        yield f"sqs:{operation.removesuffix('Batch')}", request["QueueUrl"].rpartition("/")[2]
    elif operation == "PutEvents":
        yield "events:PutEvents", "bus"
    else:
        yield f"secretsmanager:{operation}", request["SecretId"].rpartition("/")[2]


class AwsWorld(World):
    """Use it within `sdk(world)`."""

    expected = (*EXPECTED, PynamoDBException, ClientError, EndpointConnectionError, ReadTimeoutError)

    def __init__(self, seed: int, plan: plans.Plan, **options: Any) -> None:
        self.dynamodb = DynamoDb()
        self.asked: set[tuple[str, str, str]] = set()
        """The requests to AWS: function, IAM action, resource."""
        self.stored_secrets: dict[str, str] = {}
        with sdk(self):
            super().__init__(seed, plan, **options)
            for (owner, number), secrets in self.secrets.stored.items():
                for kind in ("app-secret", "access-token"):
                    name = f"pytake/test/{owner}/{number}/{kind}"
                    self.stored_secrets[name] = msgspec.json.encode(secrets).decode()

    def _make_ports(self) -> dict[str, Any]:
        self.table = _table()
        clock = lambda: self.timeline.now  # noqa: E731
        logger = Logger(service="faults", stream=io.StringIO())
        return {
            "conversations": DynamoConversations(self.table, kept(), clock),
            "aliases": DynamoAliases(self.table, clock),
            "contacts": DynamoContacts(self.table),
            "deliveries": DynamoDeliveries(self.table, clock, kept()),
            "delivery_reads": DynamoDeliveryReads(self.table, clock),
            "slots": DynamoRateSlots(self.table),
            "held_turns": DynamoHeldTurns(self.table),
            "events": EventBridgeOperatorEvents(lambda: _client("events"), "default", logger, "test", clock),
            "bus": EventBridgeBus(lambda: _client("events"), "default", lambda: logger, clock),
            "outbox": DynamoOutbox(self.table, clock),
            "queues": SqsQueues(
                lambda: _client("sqs"),
                inbound=URLS["inbound"],
                inbound_dlq=URLS["inbound_dead"],
                outbound=URLS["outbound"],
                outbound_dlq=URLS["outbound_dead"],
                bulk=URLS["bulk"],
                bulk_dlq=URLS["bulk_dead"],
                statuses=URLS["statuses"],
            ),
        }

    def tenants_of(self, clock: Callable[[], float]) -> DynamoTenants:
        return DynamoTenants(self.table, clock)

    def setup_tenants(self) -> DynamoTenants:
        return DynamoTenants(self.table, lambda: self.timeline.now)

    def secrets_of(self, clock: Callable[[], float]) -> SecretsManagerSecrets:
        return SecretsManagerSecrets(lambda: _client("secretsmanager"), "pytake/test/", clock)

    def due_soon(self) -> tuple[bool, bool]:
        dues = [float(item["due_at"]["N"]) for item in self.dynamodb.items.values() if "due_at" in item]
        now = self.timeline.now
        return any(at <= now for at in dues), any(at - now < 3600 for at in dues)

    def run(self, seconds: float) -> None:
        with sdk(self):
            super().run(seconds)
            self._read_back()

    def api_call(self, operation: str, request: dict[str, Any]) -> Any:
        """The SDK's answer to a request."""
        if self.timeline.current is not None:
            function = self.timeline.current.name.rstrip("0123456789")
            self.asked.update((function, *what) for what in permissions(operation, request))
        if operation in DYNAMODB:
            return self._meet(operation, lambda: self.dynamodb.call(operation, request))
        return self._meet(operation, lambda: getattr(self, f"_{operation}")(request))

    def _meet(self, operation: str, effect: Callable[[], Any]) -> Any:
        worker = self.timeline.current
        if worker is None:
            return effect()
        worker.sleep(self.chance.uniform(0.001, 0.03))
        self.calls += 1
        call = f"aws.{operation}"
        kind = self.plan.fault(self.calls, call, self.timeline.now)
        if kind is not None:
            self.trace("FAULT", call, kind)
        match kind:
            case "crash_before" | "crash_after":
                if kind == "crash_after":
                    effect()
                worker.process.killed = True
                raise WorkerKilled
            case "stall_before":
                worker.sleep(self.plan.stall())
            case "lost_before":
                worker.sleep(5)
                raise EndpointConnectionError(endpoint_url="https://aws.test")
            case "lost_after":
                effect()
                worker.sleep(5)
                raise ReadTimeoutError(endpoint_url="https://aws.test")
            case "throttled":
                code = "ThrottlingException"
                raise ClientError({"Error": {"Code": code, "Message": "Slow down"}}, operation)
            case "conflict":
                raise canceled([{"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}])
            case "repeated":
                answer = effect()
                worker.sleep(3)
                # A transaction carries a token, by which DynamoDB recognises the repetition.
                return answer if operation == "TransactWriteItems" else effect()
        return effect()

    def _SendMessage(self, request: dict[str, Any]) -> Any:  # noqa: N802
        told = {name: value["StringValue"] for name, value in request.get("MessageAttributes", {}).items()}
        return {"MessageId": self._send(request["QueueUrl"], request, told)}

    def _SendMessageBatch(self, request: dict[str, Any]) -> Any:  # noqa: N802
        for entry in request["Entries"]:
            self._send(request["QueueUrl"], entry, {})
        return {"Successful": [{"Id": entry["Id"]} for entry in request["Entries"]]}

    def _send(self, url: str, entry: dict[str, Any], told: dict[str, str]) -> str:
        queue = self.queues[url.rpartition("/")[2]]
        return queue.send(
            entry["MessageBody"], entry.get("MessageGroupId"), entry.get("MessageDeduplicationId"), **told
        )

    def _ChangeMessageVisibilityBatch(self, request: dict[str, Any]) -> Any:  # noqa: N802
        queue = self.queues[request["QueueUrl"].rpartition("/")[2]]
        for entry in request["Entries"]:
            queue.change_visibility(entry["ReceiptHandle"], entry["VisibilityTimeout"])
        return {}

    def _PutEvents(self, request: dict[str, Any]) -> Any:  # noqa: N802
        for entry in request["Entries"]:
            detail = msgspec.json.decode(entry["Detail"])
            if "id" in detail:
                self.published_events.add(detail["id"])
                continue
            organization_id = detail.pop("organization_id")
            self.hear(OperatorEvent(entry["DetailType"], organization_id, detail))
        return {"FailedEntryCount": 0, "Entries": [{} for _ in request["Entries"]]}

    def _GetSecretValue(self, request: dict[str, Any]) -> Any:  # noqa: N802
        return {"SecretString": self.stored_secrets[request["SecretId"]]}

    def _read_back(self) -> None:
        """Copy the table's content to the attributes that `invariants` reads."""
        conversations, deliveries = self.ports["conversations"], self.ports["deliveries"]
        for pk, sk in self.dynamodb.items:
            if sk != "STATE":
                continue
            key = conversation_key(pk)
            known = conversations.load(key)
            assert isinstance(known, Conversation)
            self.conversations.stored[key] = known
            self.conversations.records[key] = {record.seq: record for record in conversations.turns(key)}
            for entry in deliveries.of_conversation(key):
                self.deliveries.entries[key, entry.turn, entry.index] = entry
        for number in self.numbers.values():
            found = self.setup_tenants().number(number)
            assert found is not None
            self.tenants.by_id[number] = found
        self.held_turns.items.clear()
        for (pk, sk), item in self.dynamodb.items.items():
            if "#HELD#" in pk:
                self.held_turns.items[pk, sk, item["body"]["S"], 0] = item  # type: ignore[assignment]


@contextmanager
def sdk(fake: AwsWorld) -> Iterator[None]:
    """Inside this context the world answers every request of botocore."""

    def call(_client: Any, operation: str, request: dict[str, Any]) -> Any:
        return fake.api_call(operation, request)

    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
    with (
        patch.object(botocore.client.BaseClient, "_make_api_call", call),
        patch.dict("os.environ", environment),
    ):
        yield
