"""What Meta reports about a person outside of a conversation. It changes the contact, who may never have written."""

from collections.abc import Callable, Sequence

from pytake.contacts.consent import ConsentChange
from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord
from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.ports.common import Clock, until_written
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.queues import InboundItem
from pytake.conversation.records import ConversationKey
from pytake.whatsapp.json_values import number_of

Decided = tuple[ContactRecord, Sequence[ConsentChange]]

Decide = Callable[[ContactRecord, float, float], Decided | None]
"""The contact that becomes of the stored one and the changes of its consent, at the time of the news and now; None: nothing."""


class ContactNews:
    """Applies news to the contact that they are about."""

    def __init__(self, contacts: Contacts, conversations: Conversations, find: FindConversation, clock: Clock) -> None:
        self._contacts = contacts
        self._conversations = conversations
        self._find = find
        self._clock = clock

    def about(self, item: InboundItem) -> tuple[ConversationKey, float] | None:
        """The person's conversation, which may not exist, and the time of the news; None for news from before an erasure."""
        now = self._clock()
        at = min(now, number_of(item.message.get("timestamp")) or now)
        key = self._find(item).key
        erased_at = self._conversations.erased_at(key)
        return None if at < int(erased_at) or item.received_at <= erased_at else (key, at)

    def apply(self, item: InboundItem, decide: Decide) -> tuple[ContactRecord, ContactRecord] | None:
        """The contact before and after, once it is stored; None if nothing changed. Ignores news from before an erasure.

        Raises `ConflictError` when others keep writing the contact.
        """
        about = self.about(item)
        return self.store(*about, decide) if about is not None else None

    def store(self, key: ConversationKey, at: float, decide: Decide) -> tuple[ContactRecord, ContactRecord] | None:
        """The same of news that `about` has looked at."""
        now = self._clock()

        def write() -> tuple[ContactRecord, ContactRecord] | None:
            stored = self._contacts.load(key.organization_id, key.contact_id)
            decided = decide(stored, at, now)
            if decided is None:
                return None
            self._contacts.save(key.organization_id, *decided)
            return stored, decided[0]

        return until_written(write, "the contact")
