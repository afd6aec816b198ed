"""What sequences follow: a changed contact, and a message that was not answered."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from pytake.contacts.records import ContactRecord
from pytake.conversation.records import ConversationKey, TurnRecord


class PlansFollowUps(Protocol):
    """What writers of contacts and of turns tell, before they write: a follow-up is checked again when it is due."""

    def contact_changed(
        self, organization_id: str, contact_id: str, fields: Mapping[str, Any], changed: Collection[str]
    ) -> None:
        """A contact gets these fields, those named `changed` with other values than before, or with none."""

    def not_answered(
        self,
        key: ConversationKey,
        fields: Mapping[str, Any],
        last_inbound_at: float,
        base: float,
        template: TurnRecord | None = None,
    ) -> None:
        """The person has not answered what was sent at `base`, by the turn `template` if that is given. They had last written at
        `last_inbound_at`, 0: never."""


def tell_fields(
    follow_ups: PlansFollowUps | None, organization_id: str, before: ContactRecord, after: ContactRecord
) -> None:
    """Tell which fields of a contact get other values, if any do."""
    names = before.fields.keys() | after.fields.keys()
    changed = {name for name in names if before.fields.get(name) != after.fields.get(name)}
    if follow_ups is not None and changed:
        follow_ups.contact_changed(organization_id, after.contact_id, after.fields, changed)
