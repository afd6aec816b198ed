"""SQS invokes this handler with inbound messages: one conversation per message group, in order."""

from typing import Any

import msgspec

import pytake.wiring.flow_runner as wiring
from pytake.aws.batch import Record
from pytake.conversation.queues import InboundItem
from pytake.conversation.retry_later import RetryLaterError
from pytake.observability import logger, safe_handler, set_correlation_id
from pytake.wiring import shared

TURN_MILLISECONDS = 52_000
"""The longest turn: effects start for 30 seconds and take at most 20. With less time left, no turn starts."""

UNCOUNTED_RECEIVES = 10
"""Tries are counted, with a write each, from the next receive on: almost every message is done by then."""

MAX_TRIES = 20
"""The counted try after which a message is dead-lettered. A message returned because others go first was not tried."""

MAX_DELAY_FACTOR = 8
"""The most that the first delay grows to when a message returns many times because of calls of its organization."""

_read = msgspec.json.Decoder(InboundItem).decode


@safe_handler
def handler(event: dict[str, Any], context: Any) -> Any:
    """Takes one turn per record. A failed record is retried with the records behind it in its group; other groups continue.

    While a turn waits for an API or a model, the other groups of the batch go on.

    After the last try it goes to the dead-letter queue with the error, and the person's next messages take their turns.
    """
    begun = False

    def take_turn(record: Record) -> None:
        nonlocal begun
        if begun and context.get_remaining_time_in_millis() < TURN_MILLISECONDS:
            raise RetryLaterError(0, "no time left for a turn in this invocation")
        begun = True
        counts = record.receive_count > UNCOUNTED_RECEIVES
        tries = wiring.tries().add(record.id, 1) if counts else 0
        if tries > MAX_TRIES:  # each worker died, so that none could dead-letter it
            _dead_letter(record, "worker_died")
            return
        try:
            _take_turn(record)
        except RetryLaterError as later:
            if counts:
                wiring.tries().add(record.id, -1)
            raise RetryLaterError(later.seconds * min(record.receive_count, MAX_DELAY_FACTOR), later.reason) from None
        except Exception as error:
            if tries < MAX_TRIES:
                raise
            logger().exception("turn.dead_lettered", message_id=record.id, receive_count=record.receive_count)
            _dead_letter(record, f"error:{type(error).__name__}")

    with shared.metrics():
        return wiring.batches().process(event, take_turn, wiring.queues().postpone_inbound, logger())


def _dead_letter(record: Record, reason: str) -> None:
    wiring.queues().dead_letter_inbound(record.body, record.group or record.id, reason)


def _take_turn(record: Record) -> None:
    item = _read(record.body)
    set_correlation_id(item.correlation_id)
    if item.is_app_contact:
        changed = wiring.import_app_contact()(item)
        logger().info("contact.imported", organization_id=item.organization_id, changed=changed)
        return
    if item.is_preference:
        changed = wiring.record_preference()(item)
        logger().info("preference.recorded", organization_id=item.organization_id, changed=changed)
        return
    turn = wiring.take_turn()(item)
    if item.is_history:
        logger().info("history.imported", messages=wiring.import_app_history()(item))
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
