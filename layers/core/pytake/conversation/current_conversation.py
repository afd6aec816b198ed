"""The conversation of a contact as it is now: after a merge, and where its person can be reached."""

from collections.abc import Sequence

from msgspec.structs import replace

from pytake.conversation.ports.aliases import Aliases
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import Conversation, ConversationKey
from pytake.engine import Contact


def load_current(conversations: Conversations, key: ConversationKey) -> Conversation | None:
    """The conversation under a key, or the one that it was merged into."""
    known = conversations.load(key)
    while known is not None and known.merged_into is not None:
        known = conversations.load(replace(key, contact_id=known.merged_into))
    return known


def moved(aliases: Aliases, keys: Sequence[ConversationKey]) -> dict[str, Conversation]:
    """By contact id, what a merge leaves of conversations that do not exist: the contacts have been merged into another one.

    A contact may be merged who has no conversation at a number, which leaves nothing there. One read request, consistent.
    """
    if not keys:
        return {}
    found = aliases.find(keys[0].organization_id, [key.contact_id for key in keys], consistent=True).aliases
    return {
        id_: Conversation(key=key, contact=Contact(id_), merged_into=found[id_].contact_id)
        for key in keys
        if (id_ := key.contact_id) in found and found[id_].contact_id != id_
    }


def recipient_of(conversation: Conversation) -> str | None:
    """Where to send to, if it is not the contact id: the phone number where it is known, as Meta advises, or the user id."""
    phone = conversation.contact.phone
    address = phone.removeprefix("+") if phone else conversation.user_id
    return address if address != conversation.key.contact_id else None
