"""What is kept of an erasure outside the table: a restored table has the people who were erased after its moment (ADR 19)."""

from collections.abc import Sequence

from msgspec import Struct

from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey

NO_NUMBER = "-"
"""Stands for the number of a contact whose organization never had one."""


class RecordedErasure(Struct, frozen=True):
    """An erasure of the contact with these digests. It names no person: see `erasure_digest`."""

    organization_id: str
    at: float
    digests: list[str]


def erasure_digest(key: ConversationKey) -> str:
    """The digest of an erased contact at a number. Only a reader who knows both finds it."""
    return digest("erased", key.organization_id, key.phone_number_id, key.contact_id)


def recorded_erasure(organization_id: str, keys: Sequence[ConversationKey], at: float) -> RecordedErasure:
    """The record of an erasure of these conversations."""
    return RecordedErasure(organization_id, at, [erasure_digest(key) for key in keys])
