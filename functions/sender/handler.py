"""SQS hands the turns to send in here, one conversation per message group, in order."""

import math
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pytake import bootstrap
from pytake.conversation.deliver import ComeBackError
from pytake.conversation.queues import OutboundItem
from pytake.observability import logger

SEND_MILLISECONDS = 9_000
"""What one Graph API call may take, its timeouts included: with less time left, nothing new is begun."""

_read = msgspec.json.Decoder(OutboundItem).decode


def handler(event: dict[str, Any], context: Any) -> Any:
    """Deliver each record's turn. One that has to wait comes back when it is due, and its group right behind it."""
    due: dict[str, float] = {}

    def deliver(record: SQSRecord) -> None:
        item = _read(record.body)
        log = logger()
        try:
            if context.get_remaining_time_in_millis() < SEND_MILLISECONDS:
                raise ComeBackError(0, "no time left in this invocation")
            bootstrap.deliver()(item, first_time=int(record.attributes.approximate_receive_count) == 1)
        except ComeBackError as wait:
            due[record.message_id] = wait.seconds
            log.info("delivery.waits", correlation_id=item.correlation_id, turn=item.turn, reason=wait.reason)
            raise
        except Exception:
            log.exception("delivery.error", correlation_id=item.correlation_id, organization_id=item.organization_id)
            raise
        log.info("delivery.done", correlation_id=item.correlation_id, turn=item.turn, messages=len(item.messages))

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    answer = process_partial_response(event=event, record_handler=deliver, processor=processor, context=context)
    failed = {str(failure["itemIdentifier"]) for failure in answer["batchItemFailures"]}
    _postpone(event["Records"], failed, due)
    return answer


def _postpone(records: list[dict[str, Any]], failed: set[str], due: dict[str, float]) -> None:
    """Let what waits come back when it is due. What stands behind it in its group comes back with it: the queue itself
    keeps it from overtaking, so it need not wait out its whole visibility timeout."""
    handles: dict[int, list[str]] = {}
    group_due: dict[str, float] = {}
    for record in records:
        group = record["attributes"]["MessageGroupId"]
        if record["messageId"] in due:
            group_due[group] = due[record["messageId"]]
        if record["messageId"] in failed and group in group_due:
            handles.setdefault(math.ceil(group_due[group]), []).append(record["receiptHandle"])
    for seconds, group_handles in handles.items():
        bootstrap.queues().postpone(group_handles, seconds)
