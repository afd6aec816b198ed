"""Mark the person's message as read, and show the typing indicator, beside the sending of messages.

Both are courtesies: they run in the background, are tried once, and nothing waits for them.
"""

from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.deliveries import Deliveries, ReadReceipts
from pytake.conversation.ports.tenants import Secrets
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Number

TYPING_SECONDS = 10
"""An older request to show the typing indicator is dropped: the answer is about to come, or has come."""


class MarkRead:
    """Starts the read receipt of an outbound item."""

    def __init__(self, deliveries: Deliveries, secrets: Secrets, receipts: ReadReceipts, clock: Clock) -> None:
        self._deliveries = deliveries
        self._secrets = secrets
        self._receipts = receipts
        self._clock = clock

    def __call__(self, item: OutboundItem, number: Number | None) -> None:
        """Mark the item's message as read, if its number does that. A stopped number sends nothing, and no receipts either.

        The typing indicator is left out, and the receipt with it, when the answer was sent meanwhile: it would stay for 25
        seconds after the answer.
        """
        if item.read_id is None or number is None or number.organization_id != item.organization_id:
            return
        if not number.mark_read or number.stopped_reason or (item.typing and not self._awaits_answer(item)):
            return
        token = self._secrets.access_token(number.organization_id, number.phone_number_id)
        if token is not None:
            self._receipts.mark(number.phone_number_id, token, item.read_id, typing=item.typing and number.typing)

    def _awaits_answer(self, item: OutboundItem) -> bool:
        is_recent = self._clock() - item.queued_at <= TYPING_SECONDS
        return is_recent and self._deliveries.load(item.key, item.turn, 0) is None
