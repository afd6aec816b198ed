"""Which contacts an address of a person may mean."""

from pytake.conversation.ports.aliases import Aliases
from pytake.whatsapp.phone import variants


def spellings(person: str) -> list[str]:
    """The identities that an address may mean.

    Takes a phone number with or without `+`, in either spelling where a country has two, or a business-scoped user id.
    """
    digits = person.removeprefix("+")
    return variants(digits) if digits.isascii() and digits.isdecimal() else [person]


def contact_ids(aliases: Aliases, organization_id: str, person: str) -> list[str]:
    """The contacts that a person may be: the one that their identity leads to, or the identity itself. One read request."""
    spelled = spellings(person)
    found = aliases.find(organization_id, spelled, consistent=True).aliases
    return list(dict.fromkeys(found[one].contact_id if one in found else one for one in spelled))
