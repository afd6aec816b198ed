"""Import the address book of a number's phone app: a contact exists without ever having written."""

from msgspec.structs import replace

from pytake.contacts.records import ContactRecord
from pytake.conversation.contact_news import ContactNews, Decided
from pytake.conversation.queues import InboundItem
from pytake.whatsapp.input import APP_CONTACT
from pytake.whatsapp.json_values import Json, identifier, text_of

NAME_CHARACTERS = 256


class ImportAppContact:
    """Stores one change of the address book.

    The name that staff gave replaces the contact's, except one that a flow saved. A repeated change, and one that is older than
    the last one, changes nothing. Nor does a removal: the business still has the conversation, and erasing is a request of the
    person.
    """

    def __init__(self, news: ContactNews) -> None:
        self._news = news

    def __call__(self, item: InboundItem) -> bool:
        """Store the change; whether there was one. Raises `ConflictError` when others keep writing the contact."""
        about = item.message.get(APP_CONTACT)
        if not isinstance(about, dict) or about.get("action") != "add":
            return False

        def decide(stored: ContactRecord, at: float, now: float) -> Decided | None:
            contact = _named(stored, about, at)
            if stored.revision and contact == stored:
                return None
            return replace(contact, created_at=stored.created_at if stored.revision else now), ()

        return self._news.apply(item, decide) is not None


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
