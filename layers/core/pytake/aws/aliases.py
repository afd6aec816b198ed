"""Identities on DynamoDB: an item for each identity, which leads to its contact (ADR 26)."""

from collections.abc import Sequence

from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from pytake.aws.contacts import contact_of
from pytake.aws.table import (
    ALIAS,
    ERASED,
    PROFILE,
    WITHDRAWN,
    Item,
    Table,
    alias_pk,
    cancellation_codes,
    contact_pk,
    conversation_pk,
    erasure_pk,
    is_unexpired,
    withdrawn_pk,
)
from pytake.conversation.ports.aliases import Alias, FoundIdentities
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.records import ConversationKey

_STATE, _PSEUDONYMS = "STATE", "PSEUDONYMS"
_ATTRIBUTES = ["pk", "sk", "body", "contact_id", "identities", "merging", "revision", "expires_at"]


class DynamoAliases:
    """Implements `pytake.conversation.ports.aliases.Aliases`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def find(
        self,
        organization_id: str,
        identities: Sequence[str],
        phone_number_id: str | None = None,
        *,
        consistent: bool = False,
    ) -> FoundIdentities:
        wanted = dict.fromkeys(identities)
        aliases = {alias_pk(organization_id, identity): identity for identity in wanted}
        conversations, contacts, erased = dict[str, str](), dict[str, str](), dict[str, str]()
        places = [(pk, ALIAS) for pk in aliases]
        for identity in wanted if phone_number_id is not None else ():
            key = ConversationKey(organization_id, phone_number_id or "", identity)
            of_conversation, of_contact = conversation_pk(key), contact_pk(organization_id, identity)
            of_erasure, kept = erasure_pk(key), withdrawn_pk(organization_id, identity)
            conversations[of_conversation], contacts[of_contact] = identity, identity
            erased |= {of_erasure: identity, kept: identity}
            places += ((of_conversation, _STATE), (of_contact, PROFILE), (of_erasure, ERASED), (kept, WITHDRAWN))
        items = list(
            self._table.item.batch_get(places, consistent_read=consistent, attributes_to_get=_ATTRIBUTES)
            if places
            else ()
        )
        now = self._clock()
        return FoundIdentities(
            {aliases[item.pk]: _alias(item) for item in items if item.pk in aliases},
            frozenset(
                conversations[item.pk]
                for item in items
                # A conversation that was merged into another one names its contact.
                if item.pk in conversations and item.contact_id is None and is_unexpired(item, now)
            ),
            {contacts[item.pk]: contact_of(item) for item in items if item.pk in contacts},
            frozenset(erased[item.pk] for item in items if item.pk in erased),
        )

    def merge(self, organization_id: str, survivor: str, merged: str) -> None:
        found = self.find(organization_id, [survivor, merged], consistent=True).aliases
        stays, goes = found.get(survivor, Alias(survivor)), found.get(merged, Alias(merged))
        if goes.contact_id == survivor:
            return
        if (stays.contact_id, goes.contact_id) != (survivor, merged):
            raise ConflictError("one of the contacts was merged into another one")
        item = self._table.item
        moved = {merged, *goes.identities}
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                transaction.update(
                    item(alias_pk(organization_id, survivor), ALIAS),
                    actions=[
                        item.contact_id.set(survivor),
                        item.identities.add(moved),
                        item.merging.add({merged, *goes.merging}),
                        item.revision.add(1),
                    ],
                    condition=item.pk.does_not_exist() | (item.contact_id == survivor),
                )
                # The contact has no further identity than those that were read.
                unchanged = item.revision == goes.revision if goes.revision else item.revision.does_not_exist()
                transaction.save(item(alias_pk(organization_id, merged), ALIAS, contact_id=survivor), unchanged)
                for identity in sorted(goes.identities - {merged}):
                    transaction.save(
                        item(alias_pk(organization_id, identity), ALIAS, contact_id=survivor),
                        item.contact_id == merged,
                    )
                # What the lake says of the merged contact's turns carries the survivor's pseudonym from now on.
                transaction.update(
                    item(contact_pk(organization_id, merged), _PSEUDONYMS), actions=[item.contact_id.set(survivor)]
                )
        except TransactWriteError as error:
            if set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise ConflictError("the identities were written by another worker") from None
            raise

    def finish_merge(self, organization_id: str, survivor: str, merged: str) -> None:
        item = self._table.item
        item(alias_pk(organization_id, survivor), ALIAS).update(
            actions=[item.merging.delete({merged}), item.revision.add(1)]
        )


def _alias(item: Item) -> Alias:
    return Alias(
        item.contact_id or "",
        frozenset(item.identities or ()),
        frozenset(item.merging or ()),
        int(item.revision or 0),
    )
