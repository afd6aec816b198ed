"""How the events of a turn change a contact: within the turn after an effect, when it is stored, and in a replay."""

from collections.abc import Iterable

from msgspec.structs import replace

from pytake.engine.turn import Contact, Event
from pytake.engine.values import plain_text


def contact_after(contact: Contact, events: Iterable[Event]) -> Contact:
    """The contact after these events."""
    for event in events:
        match event.type:
            case "contact_saved":
                field, value = event.data["field"], event.data["value"]
                contact = replace(contact, fields={**contact.fields, field: value})
                if field == "name":
                    contact = replace(contact, name=plain_text(value))
            case "tag_added":
                contact = replace(contact, tags=[*contact.tags, event.data["tag"]])
            case "tag_removed":
                contact = replace(contact, tags=[tag for tag in contact.tags if tag != event.data["tag"]])
            case "language_set":
                contact = replace(contact, language=event.data["language"])
    return contact
