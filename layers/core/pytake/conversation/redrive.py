"""Send a message again that failed after its retries: one of an organization's own. Whole queues stay with operators.

The turn's copy in the dead-letter queue stays there. If an operator redrives it later, the ledger knows that it was sent.
"""

from pytake.conversation.delivery.attempt import delivery_event
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.messaging import OperatorEvents, Queues
from pytake.conversation.queues import outbound_item
from pytake.conversation.records import ConversationKey, Delivery


class UnknownDeliveryError(Exception):
    """The organization has no such message, or its turn is not kept any more."""


class NotRedrivableError(Exception):
    """The message is neither dead nor deferred. `state` is what it is."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class RedriveDelivery:
    """The use case behind `POST /api/v1/deliveries/{delivery_id}/redrive`."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        queues: Queues,
        operator_events: OperatorEvents,
        clock: Clock,
    ) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._queues = queues
        self._operator_events = operator_events
        self._clock = clock

    def __call__(self, key: ConversationKey, turn: int, index: int, by: str) -> Delivery:
        """Queue the message's turn again; messages of the turn that Meta has are not sent twice.

        Safe to repeat: the queue and the ledger recognise the item. Raises `UnknownDeliveryError`, `NotRedrivableError`, and
        `QueueingFailedError`: then the request must be repeated.
        """
        entry = self._deliveries.load(key, turn, index)
        record = self._conversations.turn(key, turn) if entry is not None else None
        if entry is None or record is None:
            raise UnknownDeliveryError
        if entry.state not in ("dead", "deferred") or entry.status in ("sent", "delivered", "read"):
            raise NotRedrivableError(entry.status or entry.state)
        count = entry.redrive_count + 1
        item = outbound_item(key, record, self._clock(), requeue_id=f"redrive{count}")
        item.redrive_count = count
        self._queues.put_outbound(item)
        self._operator_events.publish(delivery_event("delivery.redriven", item, index, by=by))
        return entry
