"""The conversation of a contact as it is now: after a merge, and where its person can be reached."""

from msgspec.structs import replace

from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import Conversation, ConversationKey


def load_current(conversations: Conversations, key: ConversationKey) -> Conversation | None:
    """The conversation under a key, or the one that it was merged into."""
    known = conversations.load(key)
    while known is not None and known.merged_into is not None:
        known = conversations.load(replace(key, contact_id=known.merged_into))
    return known


def recipient_of(conversation: Conversation) -> str | None:
    """Where to send to, if it is not the contact id: the phone number where it is known, as Meta advises, or the user id."""
    phone = conversation.contact.phone
    address = phone.removeprefix("+") if phone else conversation.user_id
    return address if address != conversation.key.contact_id else None
