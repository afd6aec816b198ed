"""SQS hands Meta's delivery statuses in here, in large batches."""

from typing import Any

import msgspec

from pytake import bootstrap
from pytake.aws.batch import Record, work_off
from pytake.conversation.queues import ReceiptsItem
from pytake.observability import logger

bootstrap.import_ahead("settle_receipts")

_read = msgspec.json.Decoder(ReceiptsItem).decode


def handler(event: dict[str, Any], context: Any) -> Any:  # noqa: ARG001 (Lambda gives it)
    """Note the statuses of each record; a failed record comes back alone."""
    return work_off(event, _settle, bootstrap.queues().postpone_receipts, logger())


def _settle(record: Record) -> None:
    item = _read(record.body)
    moved = bootstrap.settle_receipts()(item)
    logger().info("receipts.settled", organization_id=item.organization_id, statuses=len(item.statuses), moved=moved)
