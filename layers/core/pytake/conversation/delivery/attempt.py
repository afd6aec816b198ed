"""One attempt to deliver one message: the data that every decision about it needs."""

from msgspec import Struct

from pytake.conversation.ports.messaging import OperatorEvent
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, Delivery, Number
from pytake.whatsapp.outbound import OutboundMessage

BACKOFF_SECONDS = (2, 4, 8)
"""Waits before the three retries. After them the turn is dead-lettered."""


class Attempt(Struct, frozen=True, gc=False):
    """An attempt to deliver the message at `index` of `item` at the time `now`.

    `known` is the ledger's entry of the message; None when it has none or, on the queue's `first_delivery`, was not read.
    """

    item: OutboundItem
    index: int
    number: Number
    known: Delivery | None
    now: float
    first_delivery: bool

    @property
    def entry(self) -> Delivery:
        return self.known or Delivery(self.item.turn, self.index, "waiting")

    @property
    def message(self) -> OutboundMessage:
        return self.item.messages[self.index]


def delivery_event(type_: str, item: OutboundItem, index: int, **detail: str) -> OperatorEvent:
    """An operator event about the message at `index` of a turn."""
    where = {"phone_number_id": item.phone_number_id, "turn": item.turn, "index": index}
    return OperatorEvent(type_, item.organization_id, {**where, **detail})


def is_for_erased_person(conversation: Conversation | None, item: OutboundItem) -> bool:
    """Whether the turn answers a person who was erased. `conversation` is None, or one that they started since."""
    if conversation is None:
        return True
    last_wrote_at = item.window_closes_at - SERVICE_WINDOW_SECONDS
    return 0 < item.queued_at <= conversation.erased_at or conversation.is_erased(last_wrote_at)
