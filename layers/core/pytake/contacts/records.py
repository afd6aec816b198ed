"""What is stored about a contact of an organization, independent of its conversations."""

from typing import Any

from msgspec import Struct

from pytake.contacts.consent import UNKNOWN, Consent, ConsentChange, Purpose
from pytake.engine import Contact


class ContactRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person, as one organization knows them. Whether they have written does not matter.

    `contact_id` is opaque: the first identity that was known, the digits of a phone number or a business-scoped user id. `phone`
    is in E.164 (`+5511…`). `username` is an attribute that changes at any time, never a key. `numbers` are the ids of the phone
    numbers where the person has a conversation. `last_inbound_at` is when the person had last written when the record was
    written; their conversations may know a later time. `revision` counts writes: a write succeeds only if the stored record
    has the revision that was read, 0 for a record that is not stored.
    """

    contact_id: str
    phone: str | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    name: str = ""
    language: str = ""
    tags: list[str] = []
    fields: dict[str, Any] = {}
    consent: dict[Purpose, Consent] = {}
    numbers: list[str] = []
    created_at: float = 0
    last_inbound_at: float = 0
    revision: int = 0

    @property
    def opted_out(self) -> bool:
        """Whether the person wants no messages at all: consent to the purpose `service` is withdrawn."""
        return self.consent_to("service").state == "withdrawn"

    def consent_to(self, purpose: Purpose) -> Consent:
        """The consent to a purpose; `unknown` if it was never set."""
        return self.consent.get(purpose, UNKNOWN)

    def for_flows(self) -> Contact:
        """The contact as flows see it."""
        return Contact(self.contact_id, self.phone, self.name, self.fields, self.tags, self.language)


class ContactWrite(Struct, frozen=True):
    """A contact as it is to be stored, with the revision that was read, and the changes of its consent."""

    contact: ContactRecord
    changes: list[ConsentChange] = []


def new_contact(contact_id: str, at: float = 0) -> ContactRecord:
    """A contact with only its id known. The id says whether it is a phone number."""
    is_phone = contact_id.isascii() and contact_id.isdecimal()
    return ContactRecord(contact_id=contact_id, phone=f"+{contact_id}" if is_phone else None, created_at=at)
