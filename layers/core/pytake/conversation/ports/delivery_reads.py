"""What the messages of campaigns are decided by. Each needs all of it, so it is read together."""

from typing import Protocol

from msgspec import Struct

from pytake.contacts.records import ContactRecord
from pytake.conversation.records import Conversation, ConversationKey, Delivery


class DeliveryRead(Struct, frozen=True):
    """A message's entry in the ledger, its conversation and its contact, each as last committed; None: it is not stored."""

    entry: Delivery | None
    conversation: Conversation | None
    contact: ContactRecord | None


class DeliveryReads(Protocol):
    """Reads together what other ports read one by one."""

    def load(self, key: ConversationKey, turn: int, index: int) -> DeliveryRead:
        """Consistent reads in one request."""
