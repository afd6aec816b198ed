"""SQS hands inbound messages in here, one conversation per message group, in order."""

from typing import Any

import msgspec
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from pytake import bootstrap
from pytake.conversation.queues import InboundItem
from pytake.observability import logger

TURN_MILLISECONDS = 52_000
"""What the longest turn may take (effects are begun for 30 seconds and take at most 20): with less left, none is begun."""

_read = msgspec.json.Decoder(InboundItem).decode


def handler(event: dict[str, Any], context: Any) -> Any:
    """One turn per record. A failed record comes back with the ones behind it in its group; the other groups go on."""

    def take_turn(record: SQSRecord) -> None:
        if context.get_remaining_time_in_millis() < TURN_MILLISECONDS:
            raise TimeoutError("no time left for a turn in this invocation")
        _take_turn(record)

    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    return process_partial_response(event=event, record_handler=take_turn, processor=processor, context=context)


def _take_turn(record: SQSRecord) -> None:
    item = _read(record.body)
    log = logger()
    try:
        turn = bootstrap.take_turn()(item)
    except Exception:
        log.exception("turn.error", correlation_id=item.correlation_id, organization_id=item.organization_id)
        raise
    if turn is not None:
        log.info(
            "turn.taken",
            correlation_id=item.correlation_id,
            organization_id=item.organization_id,
            turn=turn.seq,
            status=turn.status,
            flow_id=turn.flow_id,
            flow_version=turn.flow_version,
            nodes=len(turn.path),
            messages=len(turn.messages),
        )
