"""Record what a person chose in WhatsApp's settings: it changes their consent to marketing, at all numbers."""

from msgspec.structs import replace

from pytake.contacts.consent import Consent, ConsentChange, consent_after
from pytake.contacts.ports import Contacts
from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.queues import InboundItem
from pytake.whatsapp.input import PREFERENCE
from pytake.whatsapp.json_values import number_of
from pytake.whatsapp.preferences import stops_marketing

ATTEMPTS = 4

SOURCE = "whatsapp"
"""The source of consent that the person changed in WhatsApp's settings."""


class RecordPreference:
    """Stores one choice. Choices count in the order they were made in, whenever they arrive. A repetition changes nothing."""

    def __init__(self, contacts: Contacts, conversations: Conversations, find: FindConversation, clock: Clock) -> None:
        self._contacts = contacts
        self._conversations = conversations
        self._find = find
        self._clock = clock

    def __call__(self, item: InboundItem) -> bool:
        """Store the choice; whether it changed the consent. Creates the contact of a person who never wrote.

        A choice from before the person was erased is ignored. Raises `ConflictError` when others keep writing the contact.
        """
        choice = item.message.get(PREFERENCE)
        stops = stops_marketing(choice) if isinstance(choice, dict) else None
        if stops is None:
            return False
        now = self._clock()
        at = min(now, number_of(item.message.get("timestamp")) or now)
        key = self._find(item).key
        erased_at = self._conversations.erased_at(key)
        if at < int(erased_at) or item.received_at <= erased_at:
            return False
        change = ConsentChange("marketing", "withdrawn" if stops else "granted", SOURCE, at)
        for _ in range(ATTEMPTS):
            stored = self._contacts.load(item.organization_id, key.contact_id)
            consent = consent_after(stored.consent, [change])
            if stored.consent_to("marketing") == Consent(change.state, change.source, change.at):
                return False
            after = replace(stored, consent=consent, created_at=stored.created_at or now)
            try:
                self._contacts.save(item.organization_id, after, [change])
            except ConflictError:
                continue
            return consent != stored.consent
        raise ConflictError(f"not stored in {ATTEMPTS} attempts")
