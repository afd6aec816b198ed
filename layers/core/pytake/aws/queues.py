"""The work queues on SQS."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.queues import InboundItem, MediaItem, OutboundItem, StatusesItem, digest, group_id
from pytake.observability import aws_error_code

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Lane = Literal["outbound", "bulk"]
"""The queues of outgoing turns. Those of campaigns have their own, so that they never stand before an answer (ADR 33)."""

BATCH_ENTRIES = 10
BATCH_BYTES = 1_000_000
"""SQS takes ten entries and 1 MiB (since 2025) in one SendMessageBatch."""

_ATTEMPTS = 3
_encode = msgspec.json.Encoder().encode


def encode_body(item: object) -> str:
    """An item as the JSON of a message body, in characters that SQS takes.

    SQS refuses U+FFFE and U+FFFF (SendMessage, "message body"), which people can write. They are escaped as JSON allows,
    so that a reader gets them back.
    """
    return _encode(item).decode().replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


class SqsQueues:
    """Implements `pytake.conversation.ports.messaging.Queues`, and postpones received messages.

    `client` gives the client, which the first request makes. Takes the URLs of the queues that the function uses; a method
    for another queue raises KeyError with its name.
    """

    def __init__(
        self,
        client: "Callable[[], SQSClient]",
        *,
        inbound: str | None = None,
        inbound_dlq: str | None = None,
        outbound: str | None = None,
        outbound_dlq: str | None = None,
        bulk: str | None = None,
        bulk_dlq: str | None = None,
        statuses: str | None = None,
        media: str | None = None,
    ) -> None:
        self._client = client
        urls = {
            "inbound": inbound,
            "inbound_dlq": inbound_dlq,
            "outbound": outbound,
            "outbound_dlq": outbound_dlq,
            "bulk": bulk,
            "bulk_dlq": bulk_dlq,
            "statuses": statuses,
            "media": media,
        }
        self._urls = {name: url for name, url in urls.items() if url is not None}

    def put_inbound(self, items: Sequence[InboundItem]) -> None:
        entries = [
            {
                "MessageBody": encode_body(item),
                "MessageGroupId": group_id(item.group),
                "MessageDeduplicationId": item.deduplication_id,
            }
            for item in items
        ]
        self._send(self._urls["inbound"], entries)

    def put_outbound(self, item: OutboundItem) -> None:
        try:
            self._client().send_message(
                QueueUrl=self._urls[_lane(item)],
                MessageBody=encode_body(item),
                MessageGroupId=item.group_id,
                MessageDeduplicationId=item.deduplication_id,
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueingFailedError(
                f"the queue did not take it: {aws_error_code(error) or type(error).__name__}"
            ) from error

    def put_all_outbound(self, items: Sequence[OutboundItem]) -> None:
        self._send(self._urls["outbound"], _outbound_entries(items))

    def put_bulk(self, items: Sequence[OutboundItem]) -> list[OutboundItem]:
        refused: list[OutboundItem] = []
        for start in range(0, len(items), BATCH_ENTRIES):
            some = items[start : start + BATCH_ENTRIES]
            try:
                left = self._send_some(self._urls["bulk"], _outbound_entries(some))
            except QueueingFailedError:
                refused += some
            else:
                refused += [item for item in some if item.deduplication_id in left]
        return refused

    def put_statuses(self, items: Sequence[StatusesItem]) -> None:
        self._send(self._urls["statuses"], [{"MessageBody": encode_body(item)} for item in items])

    def put_media(self, item: MediaItem) -> None:
        self._send(self._urls["media"], [{"MessageBody": encode_body(item)}])

    def dead_letter(self, item: OutboundItem, reason: str) -> None:
        body, id_ = encode_body(item), item.deduplication_id
        self._dead_letter(self._urls[f"{_lane(item)}_dlq"], body, group_id(item.key), id_, reason)

    def dead_letter_unreadable(self, body: str, group: str, lane: Lane = "outbound") -> None:
        """Puts an unreadable message on the dead-letter queue of its lane, unchanged."""
        self._dead_letter(self._urls[f"{lane}_dlq"], body, group, digest(body), "unreadable")

    def dead_letter_inbound(self, body: str, group: str, reason: str) -> None:
        """Puts a person's message on the inbound dead-letter queue, unchanged."""
        self._dead_letter(self._urls["inbound_dlq"], body, group, digest(body), reason)

    def _dead_letter(self, queue_url: str, body: str, group: str, deduplication_id: str, reason: str) -> None:
        self._client().send_message(
            QueueUrl=queue_url,
            MessageBody=body,
            MessageGroupId=group,
            MessageDeduplicationId=deduplication_id,
            MessageAttributes={"reason": {"DataType": "String", "StringValue": reason}},
        )

    def postpone_inbound(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Makes received messages visible again in `seconds` (SQS: at most 12 hours)."""
        self._postpone(self._urls["inbound"], receipt_handles, seconds)

    def postpone_outbound(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Makes received messages visible again in `seconds` (SQS: at most 12 hours)."""
        self._postpone(self._urls["outbound"], receipt_handles, seconds)

    def postpone_bulk(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Makes received messages visible again in `seconds` (SQS: at most 12 hours)."""
        self._postpone(self._urls["bulk"], receipt_handles, seconds)

    def postpone_statuses(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Makes received messages visible again in `seconds` (SQS: at most 12 hours)."""
        self._postpone(self._urls["statuses"], receipt_handles, seconds)

    def postpone_media(self, receipt_handles: Sequence[str], seconds: int) -> None:
        """Makes received messages visible again in `seconds` (SQS: at most 12 hours)."""
        self._postpone(self._urls["media"], receipt_handles, seconds)

    def _postpone(self, queue_url: str, receipt_handles: Sequence[str], seconds: int) -> None:
        for start in range(0, len(receipt_handles), BATCH_ENTRIES):
            entries = [
                {"Id": str(place), "ReceiptHandle": handle, "VisibilityTimeout": seconds}
                for place, handle in enumerate(receipt_handles[start : start + BATCH_ENTRIES])
            ]
            # A failed entry (its receipt handle expired) needs no action: the message is already visible again.
            self._client().change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)  # type: ignore[arg-type]

    def _send(self, queue_url: str, entries: list[dict[str, Any]]) -> None:
        """Queue what the queue takes. Raises `QueueingFailedError` when it refused some; the rest is queued nevertheless."""
        refused = len(self._send_some(queue_url, entries))
        if refused:
            raise QueueingFailedError(f"{refused} of {len(entries)} messages were refused by the queue")

    def _send_some(self, queue_url: str, entries: list[dict[str, Any]]) -> list[str | None]:
        """Queue what the queue takes; the deduplication ids of what it refused."""
        refused: list[str | None] = []
        blocked = set[str]()
        for batch in _batches(entries):
            # A batch holds at most one entry of a group, and a group waits for its refused entry: order holds.
            left, late = list[dict[str, Any]](), list[dict[str, Any]]()
            for entry in batch:
                (late if entry.get("MessageGroupId") in blocked else left).append(entry)
            for _ in range(_ATTEMPTS):
                if not left:
                    break
                try:
                    answer = self._client().send_message_batch(QueueUrl=queue_url, Entries=left)  # type: ignore[arg-type]
                except (BotoCoreError, ClientError) as error:
                    raise QueueingFailedError(
                        f"the queue did not take it: {aws_error_code(error) or type(error).__name__}"
                    ) from error
                failed = {entry["Id"] for entry in answer.get("Failed", [])}
                left = [entry for entry in left if entry["Id"] in failed]
            refused += [entry.get("MessageDeduplicationId") for entry in (*late, *left)]
            blocked |= {entry["MessageGroupId"] for entry in left if "MessageGroupId" in entry}
        return refused


def _outbound_entries(items: Sequence[OutboundItem]) -> list[dict[str, Any]]:
    return [
        {
            "MessageBody": encode_body(item),
            "MessageGroupId": item.group_id,
            "MessageDeduplicationId": item.deduplication_id,
        }
        for item in items
    ]


def _lane(item: OutboundItem) -> Lane:
    return "outbound" if item.campaign is None else "bulk"


def _batches(entries: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Batches within SQS's limits that hold at most one entry of a group: a refused one is never overtaken by the next."""
    batches: list[list[dict[str, Any]]] = []
    size, groups = 0, set[str]()
    for entry in entries:
        length, group = len(entry["MessageBody"].encode()), entry.get("MessageGroupId")
        full = not batches or len(batches[-1]) == BATCH_ENTRIES or size + length > BATCH_BYTES
        if full or group in groups:
            batches.append([])
            size, groups = 0, set()
        batches[-1].append({**entry, "Id": str(len(batches[-1]))})
        size += length
        if group is not None:
            groups.add(group)
    return batches
