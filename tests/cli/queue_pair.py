"""A source queue and its dead-letter queue on moto, and the messages in them."""

import json
from typing import Any

import boto3
import msgspec

from local.dead_letters import DeadLetterQueue
from pytake.conversation.queues import OutboundItem, StatusesItem, group_id
from pytake.whatsapp.outbound import Text

ANA, BIA = "5511900000001", "5511900000002"


def turn(number: int, contact: str = ANA) -> OutboundItem:
    return OutboundItem("acme", "100000000000001", contact, number, [Text(f"secret text {number}")], 1e12)


class QueuePair:
    """A source queue and its dead-letter queue."""

    def __init__(self, name: Any, *, fifo: bool) -> None:
        self.client = boto3.client("sqs", region_name="us-east-1")
        end, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        self.source = self.client.create_queue(QueueName=f"source{end}", Attributes=attributes)["QueueUrl"]
        self.dead = self.client.create_queue(QueueName=f"dead{end}", Attributes=attributes)["QueueUrl"]
        self.letters = DeadLetterQueue(self.client, name, self.dead, self.source, wait_seconds=0)

    def dead_letter(self, item: Any, reason: str | None = None) -> None:
        more: dict[str, Any] = {}
        if reason:
            more["MessageAttributes"] = {"reason": {"DataType": "String", "StringValue": reason}}
        if not isinstance(item, StatusesItem):
            more |= {"MessageGroupId": group_id(item.key), "MessageDeduplicationId": item.deduplication_id}
        self.client.send_message(QueueUrl=self.dead, MessageBody=msgspec.json.encode(item).decode(), **more)

    def back(self) -> list[Any]:
        found = []
        while messages := self.client.receive_message(QueueUrl=self.source, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.client.delete_message(QueueUrl=self.source, ReceiptHandle=message["ReceiptHandle"])
        return found
