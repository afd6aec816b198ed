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
    written; their conversations may know a later time. `app_named_at` is when staff last named the contact in the phone app.
    `imported` names the import and the line that created the contact.
    `revision` counts writes: a write succeeds only if the stored record has the revision that was read, 0 for a record that is
    not stored.
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
    app_named_at: float = 0
    imported: str = ""
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


def emptied(contact: ContactRecord) -> ContactRecord:
    """What remains of a contact that was merged into another one: nothing but the id."""
    return ContactRecord(contact_id=contact.contact_id, revision=contact.revision)


def merged_contact(stays: ContactRecord, goes: ContactRecord) -> ContactRecord:
    """The contact that two contacts of one person become; the id is that of `stays`.

    Tags are united. Of consent the later change holds, and a withdrawal from all messages by either. Everything else is that of
    the contact who wrote later; a phone number that only one of them has is kept.
    """
    later, earlier = (goes, stays) if goes.last_inbound_at > stays.last_inbound_at else (stays, goes)
    return ContactRecord(
        contact_id=stays.contact_id,
        phone=stays.phone or goes.phone,
        user_id=later.user_id or earlier.user_id,
        parent_user_id=later.parent_user_id or earlier.parent_user_id,
        username=later.username or earlier.username,
        name=later.name or earlier.name,
        language=later.language or earlier.language,
        tags=list(dict.fromkeys([*earlier.tags, *later.tags])),
        fields={**earlier.fields, **later.fields},
        consent={purpose: _merged_consent(purpose, stays, goes) for purpose in {**stays.consent, **goes.consent}},
        numbers=list(dict.fromkeys([*stays.numbers, *goes.numbers])),
        created_at=min(one.created_at for one in (stays, goes) if one.revision) if stays.revision else goes.created_at,
        last_inbound_at=later.last_inbound_at,
        revision=stays.revision,
    )


def _merged_consent(purpose: Purpose, stays: ContactRecord, goes: ContactRecord) -> Consent:
    """The later consent of two, of two at the same time the withdrawn one. A withdrawal from all messages always holds."""
    opted_out = purpose == "service" and (stays.opted_out or goes.opted_out)
    known = [one.consent_to(purpose) for one in (stays, goes)]
    if opted_out:
        known = [one for one in known if one.state == "withdrawn"]
    return max(known, key=lambda one: (one.at, one.state == "withdrawn"))


def new_contact(contact_id: str, at: float = 0) -> ContactRecord:
    """A contact with only its id known. The id says whether it is a phone number."""
    is_phone = contact_id.isascii() and contact_id.isdecimal()
    return ContactRecord(contact_id=contact_id, phone=f"+{contact_id}" if is_phone else None, created_at=at)
