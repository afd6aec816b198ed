"""SQS hands Meta's delivery statuses in here, in large batches."""

from contextlib import suppress
from typing import Any

import msgspec

from pytake import bootstrap
from pytake.aws.batch import Record, work_off
from pytake.conversation.queues import ReceiptsItem
from pytake.conversation.receipts import without_overtaken
from pytake.observability import correlate, discreet, logger

bootstrap.import_ahead("settle_receipts")

_read = msgspec.json.Decoder(ReceiptsItem).decode


@discreet
def handler(event: dict[str, Any], context: Any) -> Any:  # noqa: ARG001 (Lambda gives it)
    """Note the statuses of each record; a failed record comes back alone. What another record of the batch overtakes is
    not noted: `delivered` and `read` of one message often come together, and each is a write."""
    told: dict[str, ReceiptsItem] = {}
    for record in event["Records"]:
        with suppress(msgspec.DecodeError):  # its own turn says so, and lets it come back
            told[record["messageId"]] = _read(record["body"])
    furthest = dict(zip(told, without_overtaken(list(told.values())), strict=True))

    def settle(record: Record) -> None:
        item = furthest.get(record.id) or _read(record.body)
        correlate(item.correlation_id)
        moved = bootstrap.settle_receipts()(item) if item.statuses else 0
        logger().info(
            "receipts.settled",
            organization_id=item.organization_id,
            statuses=len(told[record.id].statuses),
            moved=moved,
        )

    return work_off(event, settle, bootstrap.queues().postpone_receipts, logger())
