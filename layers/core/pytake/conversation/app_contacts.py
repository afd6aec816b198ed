"""Import the address book of a number's phone app: a contact exists without ever having written."""

from msgspec.structs import replace

from pytake.contacts.ports import Contacts
from pytake.contacts.records import ContactRecord
from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.queues import InboundItem
from pytake.whatsapp.input import APP_CONTACT
from pytake.whatsapp.json_values import Json, identifier, number_of, text_of

NAME_CHARACTERS = 256
ATTEMPTS = 4


class ImportAppContact:
    """Stores one change of the address book.

    The name that staff gave replaces the contact's, except one that a flow saved. A repeated change, and one that is older than
    the last one, changes nothing. Nor does a removal: the business still has the conversation, and erasing is a request of the
    person.
    """

    def __init__(self, contacts: Contacts, conversations: Conversations, find: FindConversation, clock: Clock) -> None:
        self._contacts = contacts
        self._find = find
        self._conversations = conversations
        self._clock = clock

    def __call__(self, item: InboundItem) -> bool:
        """Store the change; whether there was one. Raises `ConflictError` when others keep writing the contact."""
        about = item.message.get(APP_CONTACT)
        if not isinstance(about, dict) or about.get("action") != "add":
            return False
        now = self._clock()
        at = min(now, number_of(item.message.get("timestamp")) or now)
        key = self._find(item).key
        erased_at = self._conversations.erased_at(key)
        if at < int(erased_at) or item.received_at <= erased_at:
            return False
        for _ in range(ATTEMPTS):
            stored = self._contacts.load(item.organization_id, key.contact_id)
            contact = _named(stored, about, at)
            if stored.revision and contact == stored:
                return False
            try:
                created_at = stored.created_at if stored.revision else now
                self._contacts.save(item.organization_id, replace(contact, created_at=created_at))
            except ConflictError:
                continue
            return True
        raise ConflictError(f"not stored in {ATTEMPTS} attempts")


def _named(stored: ContactRecord, about: Json, at: float) -> ContactRecord:
    name = (text_of(about.get("full_name")) or text_of(about.get("first_name")))[:NAME_CHARACTERS]
    if not name or "name" in stored.fields or at <= stored.app_named_at:
        name, at = stored.name, stored.app_named_at
    username = identifier(about.get("username"))
    return replace(
        stored,
        name=name,
        app_named_at=at,
        username=stored.username or (username and username.removeprefix("@")) or None,
    )
