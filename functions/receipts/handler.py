"""SQS hands Meta's delivery statuses in here, in large batches."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pytake import bootstrap
from pytake.conversation.queues import ReceiptsItem
from pytake.observability import logger

_read = msgspec.json.Decoder(ReceiptsItem).decode


def handler(event: dict[str, Any], context: Any) -> Any:
    """Note the statuses of each record; a failed record comes back alone."""
    processor = BatchProcessor(event_type=EventType.SQS)
    processor.raise_on_entire_batch_failure = False
    return process_partial_response(event=event, record_handler=_settle, processor=processor, context=context)


def _settle(record: SQSRecord) -> None:
    item = _read(record.body)
    moved = bootstrap.settle_receipts()(item)
    logger().info("receipts.settled", organization_id=item.organization_id, statuses=len(item.statuses), moved=moved)
