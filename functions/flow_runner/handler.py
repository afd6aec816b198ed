"""SQS invokes this handler with inbound messages: one conversation per message group, in order."""

from typing import Any

import msgspec

import pytake.wiring.flow_runner as wiring
from pytake.aws.batch import Record, process_batch
from pytake.conversation.queues import InboundItem
from pytake.conversation.retry_later import RetryLaterError
from pytake.observability import logger, safe_handler, set_correlation_id
from pytake.wiring import shared

TURN_MILLISECONDS = 52_000
"""The longest turn: effects start for 30 seconds and take at most 20. With less time left, no turn starts."""

MAX_RECEIVES = 30
"""The attempt after which a message is dead-lettered; one later, the queue itself would do so with the messages behind it."""

_read = msgspec.json.Decoder(InboundItem).decode


@safe_handler
def handler(event: dict[str, Any], context: Any) -> Any:
    """Takes one turn per record. A failed record is retried with the records behind it in its group; other groups continue.

    After the last attempt it goes to the dead-letter queue with the error, and the person's next messages take their turns.
    """
    begun = False

    def take_turn(record: Record) -> None:
        nonlocal begun
        if begun and context.get_remaining_time_in_millis() < TURN_MILLISECONDS:
            raise RetryLaterError(0, "no time left for a turn in this invocation")
        begun = True
        try:
            _take_turn(record)
        except Exception as error:
            if record.receive_count < MAX_RECEIVES:
                raise
            logger().exception("turn.dead_lettered", message_id=record.id, receive_count=record.receive_count)
            wiring.queues().dead_letter_inbound(record.body, record.group or record.id, f"error:{type(error).__name__}")

    with shared.metrics():
        return process_batch(event, take_turn, wiring.queues().postpone_inbound, logger())


def _take_turn(record: Record) -> None:
    item = _read(record.body)
    set_correlation_id(item.correlation_id)
    turn = wiring.take_turn()(item)
    if turn is not None:
        logger().info(
            "turn.taken",
            organization_id=item.organization_id,
            turn=turn.seq,
            status=turn.status,
            flow_id=turn.flow_id,
            flow_version=turn.flow_version,
            nodes=len(turn.path),
            messages=len(turn.messages),
        )
