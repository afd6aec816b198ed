"""SQS invokes this handler with turns to send: one conversation per message group, in order."""

from typing import Any

import msgspec

import pytake.wiring.sender as wiring
from pytake.aws.batch import Record, process_batch
from pytake.aws.queues import Lane
from pytake.conversation.queues import MediaItem, OutboundItem
from pytake.conversation.retry_later import RetryLaterError
from pytake.observability import logger, safe_handler, set_correlation_id
from pytake.wiring import shared

SEND_MILLISECONDS = 15_000
"""The time for one message, including the Graph API's timeouts (3 + 10 s). With less time left, no further message is sent."""

UNREADABLE_RECEIVES = 14
"""The receive at which an item that cannot be decoded is dead-lettered: after a quarter of an hour. While a deployment or a
rollback runs, an item may come from a newer release than its reader."""

BULK_QUEUE = "-bulk.fifo"
"""How the name of the queue of campaigns ends."""

MEDIA_QUEUE = "-media"
"""How the name of the queue of files to keep ends. This function keeps them, because it alone may read access tokens."""

_read = msgspec.json.Decoder(OutboundItem).decode
_read_media = msgspec.json.Decoder(MediaItem).decode


@safe_handler
def handler(event: dict[str, Any], context: Any) -> Any:
    """Delivers each record's turn; while Meta answers one, the next one is sent. A turn that has to wait is retried when it is
    due, and its group follows it.

    A record of the queue of files is a file of a person, which is kept. Lambda never mixes the records of two queues.
    """
    source = "".join(str(record.get("eventSourceARN")) for record in event["Records"][:1])
    if source.endswith(MEDIA_QUEUE):
        with shared.metrics():
            return process_batch(event, _keep_media, wiring.queues().postpone_media, logger())
    begun, queues = False, wiring.queues()
    lane: Lane = "bulk" if source.endswith(BULK_QUEUE) else "outbound"

    def out_of_time() -> bool:
        return bool(context.get_remaining_time_in_millis() < SEND_MILLISECONDS)

    def deliver(record: Record) -> None:
        nonlocal begun
        if begun and out_of_time():
            raise RetryLaterError(0, "no time left in this invocation")
        begun = True
        try:
            item = _read(record.body)
        except msgspec.DecodeError:
            if record.receive_count < UNREADABLE_RECEIVES:
                raise
            # No worker can send this, and its conversation must not wait for it any longer.
            logger().exception("delivery.unreadable", message_id=record.id)
            queues.dead_letter_unreadable(record.body, record.group or record.id, lane)
            return
        set_correlation_id(item.correlation_id)
        wiring.deliver()(item, first_delivery=record.receive_count == 1, out_of_time=out_of_time)
        logger().info(
            "delivery.done",
            organization_id=item.organization_id,
            turn=item.turn,
            messages=len(item.messages),
        )

    with shared.metrics():
        postpone = queues.postpone_bulk if lane == "bulk" else queues.postpone_outbound
        answer = wiring.batches().process(event, deliver, postpone, logger())
        wiring.read_receipts().finish()
        return answer


def _keep_media(record: Record) -> None:
    item = _read_media(record.body)
    set_correlation_id(item.correlation_id)
    outcome = wiring.keep_media()(item)
    logger().info("media.kept", organization_id=item.organization_id, outcome=outcome)
