"""The messages on the three queues, and the names that keep their order.

`inbound.fifo` and `outbound.fifo` keep order per conversation through the message group; the receipts queue keeps none,
because a delivery state never moves backwards whatever the order.
"""

import hashlib
from typing import Any

from msgspec import Struct

from pytake.conversation.records import ConversationKey
from pytake.whatsapp.outbound import OutboundMessage

GROUP_ID_CHARACTERS = 128
"""SQS's limit for a message group id."""


class InboundItem(Struct, omit_defaults=True):
    """One message of one person, as Meta sent it (`message` is Meta's own JSON)."""

    organization_id: str
    phone_number_id: str
    contact_id: str
    message: dict[str, Any]
    received_at: float
    profile_name: str | None = None
    correlation_id: str | None = None

    @property
    def key(self) -> ConversationKey:
        return ConversationKey(self.organization_id, self.phone_number_id, self.contact_id)

    @property
    def deduplication_id(self) -> str:
        return digest(self.phone_number_id, str(self.message.get("id")))


class OutboundItem(Struct, omit_defaults=True):
    """Everything one turn sends, in order."""

    organization_id: str
    phone_number_id: str
    contact_id: str
    turn: int
    messages: list[OutboundMessage]
    window_closes_at: float
    correlation_id: str | None = None

    @property
    def key(self) -> ConversationKey:
        return ConversationKey(self.organization_id, self.phone_number_id, self.contact_id)

    @property
    def deduplication_id(self) -> str:
        return digest(self.organization_id, self.phone_number_id, self.contact_id, str(self.turn))


class ReceiptsItem(Struct, omit_defaults=True):
    """Delivery statuses of one number, as Meta sent them."""

    organization_id: str
    phone_number_id: str
    statuses: list[dict[str, Any]]


def digest(*parts: str) -> str:
    """A deduplication id (64 characters) for the parts, in which no two different lists of parts meet."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def group_id(key: ConversationKey) -> str:
    """The message group of a conversation: number and contact, hashed when SQS's 128 characters do not hold them."""
    group = f"{key.phone_number_id}:{key.contact_id}"
    return group if len(group) <= GROUP_ID_CHARACTERS and group.isascii() and " " not in group else digest(group)
