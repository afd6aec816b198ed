"""Erasing people from the dead-letter queues. SQS cannot search by contents, so every message is read."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from pytake.aws.queues import encode_body
from pytake.conversation.callback_data import read_callback_data
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem
from pytake.conversation.records import ConversationKey

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

VISIBILITY_SECONDS = 120
BATCH = 10
"""The most messages that SQS returns at once."""

WAIT_SECONDS = 1
"""SQS queries all its servers only with a wait time. Without one it may return nothing although there are messages."""

_ITEMS: dict[str, Any] = {
    "inbound": InboundItem,
    "outbound": OutboundItem,
    "bulk": OutboundItem,
    "statuses": StatusesItem,
    "media": MediaItem,
}


class SqsDeadLetterQueues:
    """Implements `pytake.conversation.ports.messaging.DeadLetterQueues`."""

    def __init__(
        self,
        client: "SQSClient",
        *,
        inbound: str,
        outbound: str,
        bulk: str,
        statuses: str,
        media: str,
        wait_seconds: int = WAIT_SECONDS,
    ) -> None:
        self._client = client
        self._wait_seconds = wait_seconds
        self._urls = {"inbound": inbound, "outbound": outbound, "bulk": bulk, "statuses": statuses, "media": media}

    def remove(self, keys: Sequence[ConversationKey]) -> int:
        return sum(self._sweep(name, url, frozenset(keys)) for name, url in self._urls.items())

    def _sweep(self, name: str, url: str, keys: Collection[ConversationKey]) -> int:
        removed, kept, seen = 0, list[str](), set[str]()
        try:
            while True:
                answer = self._client.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=BATCH,
                    VisibilityTimeout=VISIBILITY_SECONDS,
                    WaitTimeSeconds=self._wait_seconds,
                )
                messages = [message for message in answer.get("Messages", []) if message["MessageId"] not in seen]
                if not messages:
                    return removed
                for message in messages:
                    seen.add(message["MessageId"])
                    left = _without(name, message["Body"], keys)
                    if left == message["Body"]:  # also a message that was just put back
                        kept.append(message["ReceiptHandle"])
                        continue
                    if left is not None:
                        self._client.send_message(QueueUrl=url, MessageBody=left)
                    self._client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                    removed += 1
        finally:
            for start in range(0, len(kept), BATCH):
                entries = [
                    {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for place, handle in enumerate(kept[start : start + BATCH])
                ]
                self._client.change_message_visibility_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]


def _without(name: str, body: str, keys: Collection[ConversationKey]) -> str | None:
    """The message without these people; None when nothing is left."""
    try:
        item = msgspec.json.decode(body, type=_ITEMS[name])
    except msgspec.DecodeError:
        return None if any(key.contact_id in body for key in keys) else body
    if not isinstance(item, StatusesItem):
        return None if item.key in keys else body
    statuses = [status for status in item.statuses if not _is_of(status, item, keys)]
    if len(statuses) == len(item.statuses):
        return body
    left = StatusesItem(item.organization_id, item.phone_number_id, statuses)
    return encode_body(left) if statuses else None


def _is_of(status: dict[str, Any], item: StatusesItem, keys: Collection[ConversationKey]) -> bool:
    place = read_callback_data(status.get("biz_opaque_callback_data"))
    recipient = ConversationKey(item.organization_id, item.phone_number_id, str(status.get("recipient_id")))
    return recipient in keys or (place is not None and place[0] in keys)
