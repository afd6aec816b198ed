"""What a decision of delivery looks up in the stores."""

from collections.abc import Mapping

from pytake.contacts.consent import Consent, Purpose
from pytake.contacts.ports import Contacts
from pytake.conversation.current_conversation import load_current
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.delivery_reads import DeliveryRead, DeliveryReads
from pytake.conversation.ports.templates import Templates
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import SERVICE_WINDOW_SECONDS, Conversation, Delivery, Number
from pytake.conversation.templates.check import copy_of
from pytake.conversation.templates.stored import StoredTemplate

FALLBACK_LOOKBACK_TURNS = 50
"""How many turns to search for an earlier fallback template."""


class LedgerLookups:
    """Implements `pytake.conversation.delivery.next_step.Lookups` for one attempt. The conversation is read at most once, consent
    for templates only."""

    __slots__ = (
        *(
            "_contacts",
            "_conversation",
            "_conversations",
            "_deliveries",
            "_index",
            "_is_loaded",
            "_item",
            "_number",
            "_read",
            "_reads",
            "_templates",
        ),
    )

    def __init__(
        self,
        conversations: Conversations,
        contacts: Contacts,
        deliveries: Deliveries,
        reads: DeliveryReads,
        templates: Templates,
        item: OutboundItem,
        index: int,
        number: Number,
    ) -> None:
        self._templates = templates
        self._number = number
        self._conversations = conversations
        self._contacts = contacts
        self._deliveries = deliveries
        self._reads = reads
        self._read: DeliveryRead | None = None
        self._item = item
        self._index = index
        self._conversation: Conversation | None = None
        self._is_loaded = False

    def entry(self, *, first_delivery: bool) -> Delivery | None:
        """The ledger's entry. The first delivery of an answer has none yet: its claim finds out. All that the message of a
        campaign needs is read with it."""
        item = self._item
        if item.campaign is not None:
            self._read = self._reads.load(item.key, item.turn, self._index)
            return self._read.entry
        return None if first_delivery else self._deliveries.load(item.key, item.turn, self._index)

    def conversation(self) -> Conversation | None:
        if not self._is_loaded:
            known = self._read.conversation if self._read is not None else None
            if self._read is None or (known is not None and known.merged_into is not None):
                known = load_current(self._conversations, self._item.key)
            self._conversation, self._is_loaded = known, True
        return self._conversation

    def template(self, name: str, language: str) -> StoredTemplate | None:
        return copy_of(self._templates, self._number, name, language)

    def consent(self) -> Mapping[Purpose, Consent]:
        organization_id, contact_id = self._item.organization_id, self._item.contact_id
        known = self._read.contact if self._read is not None else None
        contact = known or self._contacts.load(organization_id, contact_id)
        if contact.created_at:
            return contact.consent
        # The contact was never stored, or it was merged into another one since the turn.
        conversation = self.conversation()
        if conversation is not None and conversation.key.contact_id != contact_id:
            return self._contacts.load(organization_id, conversation.key.contact_id).consent
        if contact.revision:
            raise ConflictError("the contact is being merged into another one")
        return contact.consent

    def fallback_sent(self) -> bool:
        item = self._item
        last_wrote_at = item.window_closes_at - SERVICE_WINDOW_SECONDS
        return any(
            entry.fallback
            and (entry.claimed_at or 0) >= last_wrote_at
            and (entry.turn, entry.index) != (item.turn, self._index)
            for entry in self._deliveries.of_conversation(item.key, max(0, item.turn - FALLBACK_LOOKBACK_TURNS))
        )
