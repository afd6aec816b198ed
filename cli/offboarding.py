"""What operators do to numbers and organizations that leave, with AWS credentials of the stack's account."""

import sys
import time
from collections.abc import Iterator
from typing import Any

from aws_lambda_powertools import Logger

from cli.stack import DeployedStack, use_for_tables
from local.dead_letters import dead_letter_queues
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.aws.lake import DAILY, EVENTS
from pytake.aws.operator_events import EventBridgeOperatorEvents
from pytake.aws.queues import SqsQueues
from pytake.aws.secrets import SecretsManagerSecrets
from pytake.aws.table import Table
from pytake.aws.templates import DynamoTemplates
from pytake.aws.tenants import DynamoTenants
from pytake.conversation.media.keys import CONTACTS, FILES, UPLOADS
from pytake.conversation.offboarding import OffboardNumber
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents

BATCH = 25
"""DynamoDB's limit for the writes of one request."""


def operator_events(stack: DeployedStack) -> OperatorEvents:
    """Where operators' commands report what they did: the stack's event bus."""
    bus = stack.parameters["EventBusName"]
    # The command itself says what it did, so only failures are logged. The name must not be `pytake`: its level would apply to
    # every module of the package.
    log = Logger(service="operator_command", level="ERROR", stream=sys.stderr)
    return EventBridgeOperatorEvents(lambda: stack.client("events"), bus, log, stack.stage, time.time)


def tenants(stack: DeployedStack) -> DynamoTenants:
    """The numbers and organizations of a stack."""
    use_for_tables(stack)
    return DynamoTenants(Table(stack.outputs["TableName"]), time.time)


def number_secrets(stack: DeployedStack) -> SecretsManagerSecrets:
    """The secrets of the numbers of a stack."""
    client = stack.client("secretsmanager")
    return SecretsManagerSecrets(lambda: client, f"pytake/{stack.stage}/", time.time)


def offboard_number(stack: DeployedStack) -> OffboardNumber:
    """The use cases for numbers that leave."""
    sqs = stack.client("sqs")
    return OffboardNumber(
        tenants(stack),
        number_secrets(stack),
        DynamoHeldTurns(Table(stack.outputs["TableName"])),
        SqsQueues(lambda: sqs, outbound=stack.outputs["OutboundQueueUrl"], bulk=stack.outputs["BulkQueueUrl"]),
        operator_events(stack),
        DynamoTemplates(Table(stack.outputs["TableName"]), time.time),
        time.time,
    )


class DeleteOrganization:
    """Deletes everything that belongs to an organization. Repeating it deletes what workers have written meanwhile."""

    def __init__(self, stack: DeployedStack) -> None:
        self._stack = stack
        self._numbers = offboard_number(stack)
        self._tenants = tenants(stack)

    def numbers(self, organization_id: str) -> list[str]:
        """The display numbers of the organization."""
        return [number.display_phone_number for number in self._tenants.numbers(organization_id)]

    def __call__(self, organization_id: str) -> dict[str, int]:
        """Delete the organization; returns how much of what was deleted.

        Numbers first, so that nothing new arrives. Turns that are in work at that moment may still be committed.
        """
        numbers = self._tenants.numbers(organization_id)
        for number in numbers:
            self._numbers.remove(organization_id, number.phone_number_id, "operator")
        deleted = {
            "numbers": len(numbers),
            "secrets": self._delete_secrets(organization_id),
            "items": self._delete_items(organization_id),
            "objects": self._delete_objects(organization_id),
            "dead letters": self._delete_dead_letters(organization_id),
        }
        detail = {"by": "operator", **{name.replace(" ", "_"): count for name, count in deleted.items()}}
        operator_events(self._stack).publish(OperatorEvent("organization.deleted", organization_id, detail))
        return deleted

    def _delete_secrets(self, organization_id: str) -> int:
        client, prefix = self._stack.client("secretsmanager"), f"pytake/{self._stack.stage}/{organization_id}/"
        pages = client.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
        found = [secret["Name"] for page in pages for secret in page["SecretList"]]
        names = [name for name in found if name.startswith(prefix)]  # the filter ignores case
        for name in names:
            client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        return len(names)

    def _delete_items(self, organization_id: str) -> int:
        client, table, count = self._stack.client("dynamodb"), self._stack.outputs["TableName"], 0
        batch: list[dict[str, Any]] = []
        for key in self._keys(client, table, organization_id):
            batch.append({"DeleteRequest": {"Key": key}})
            count += 1
            if len(batch) == BATCH:
                _write(client, table, batch)
                batch = []
        _write(client, table, batch)
        return count

    def _keys(self, client: Any, table: str, organization_id: str) -> Iterator[dict[str, Any]]:
        """The keys of all items of an organization, by a scan: conversations have partitions of their own."""
        pages = client.get_paginator("scan").paginate(
            TableName=table,
            ProjectionExpression="pk, sk",
            FilterExpression="pk = :settings OR begins_with(pk, :prefix) OR (pk = :erasures AND contains(body, :owner))",
            ExpressionAttributeValues={
                ":settings": {"S": f"ORG#{organization_id}"},
                ":prefix": {"S": f"ORG#{organization_id}#"},
                ":erasures": {"S": "ERASURES"},
                ":owner": {"S": f'"organization_id":"{organization_id}"'},
            },
        )
        for page in pages:
            yield from page["Items"]

    def _delete_objects(self, organization_id: str) -> int:
        """Delete the organization's part of the lake and its large flows, with all versions."""
        client, bucket, count = self._stack.client("s3"), self._stack.outputs["LakeBucketName"], 0
        folders = (
            *(f"{EVENTS}organization_id={organization_id}/", f"{DAILY}organization_id={organization_id}/"),
            *(f"{folder}/{organization_id}/" for folder in (CONTACTS, UPLOADS, FILES)),
        )
        for prefix in (*folders, f"flows/{organization_id}/"):
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                names = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
                if names:
                    client.delete_objects(Bucket=bucket, Delete={"Objects": names, "Quiet": True})
                    count += len(names)
        return count

    def _delete_dead_letters(self, organization_id: str) -> int:
        queues = dead_letter_queues(self._stack.name, self._stack.options)
        return sum(
            queue.remove(lambda letter: letter.conversation.startswith(f"{organization_id}/"))
            for queue in queues
            if queue.can_be_redriven
        )


def _write(client: Any, table: str, batch: list[dict[str, Any]]) -> None:
    while batch:
        batch = client.batch_write_item(RequestItems={table: batch})["UnprocessedItems"].get(table, [])
