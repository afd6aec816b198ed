"""Contacts on DynamoDB: one item each, the history of their consent beside it, and a list in shards (ADR 24)."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from pytake.aws.table import (
    ALIAS,
    CONTACT_SHARDS,
    PROFILE,
    WITHDRAWN,
    ConditionFailedError,
    Item,
    Table,
    alias_pk,
    cancellation_codes,
    contact_pk,
    contacts_pk,
    contacts_shard,
    withdrawn_pk,
)
from pytake.contacts.consent import ERASED_SOURCE, Consent, ConsentChange, Purpose
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord, emptied, new_contact
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import digest

LIST_PAGE = 100
"""The most entries that one request reads from each shard of the list."""

CONSENT_PREFIX = "CONSENT#"

_PLACES_PER_MILLISECOND = 1000

_encode = msgspec.json.Encoder().encode
_read_contact = msgspec.json.Decoder(ContactRecord)
_read_change = msgspec.json.Decoder(ConsentChange)
_read_withdrawn = msgspec.json.Decoder(dict[Purpose, float])


class DynamoContacts:
    """Implements `pytake.contacts.ports.Contacts`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, organization_id: str, contact_id: str) -> ContactRecord:
        item = self._table.item
        try:
            return contact_of(item.get(contact_pk(organization_id, contact_id), PROFILE, consistent_read=True))
        except item.DoesNotExist:
            pass
        try:
            kept = item.get(withdrawn_pk(organization_id, contact_id), WITHDRAWN, consistent_read=True)
        except item.DoesNotExist:
            return new_contact(contact_id)
        return replace(new_contact(contact_id), consent=withdrawn_consent(kept))

    def load_all(self, organization_id: str, contact_ids: Sequence[str]) -> list[ContactRecord]:
        places = [(contact_pk(organization_id, contact_id), PROFILE) for contact_id in dict.fromkeys(contact_ids)]
        return [contact_of(item) for item in self._table.item.batch_get(places, consistent_read=True)]

    def save(
        self, organization_id: str, contact: ContactRecord, changes: Sequence[ConsentChange] = ()
    ) -> ContactRecord:
        stored, condition = contact_item(self._table, organization_id, contact)
        try:
            if not changes:
                self._table.put(stored, condition)
            else:
                with TransactWrite(connection=self._table.connection) as transaction:
                    transaction.save(stored, condition=condition)
                    for change in change_items(self._table, organization_id, contact.contact_id, changes):
                        transaction.save(change)
        except ConditionFailedError:
            raise ConflictError("the contact was written by another worker") from None
        except TransactWriteError as error:
            if set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise ConflictError("the contact was written by another worker") from None
            raise
        return replace(contact, revision=contact.revision + 1)

    def merge(self, organization_id: str, contact: ContactRecord, merged: ContactRecord) -> ContactRecord:
        item, from_pk = self._table.item, contact_pk(organization_id, merged.contact_id)
        for change in item.query(from_pk, item.sk.startswith(CONSENT_PREFIX), consistent_read=True):
            item(contact_pk(organization_id, contact.contact_id), change.sk, body=change.body).save()
        stored, condition = contact_item(self._table, organization_id, contact)
        empty, unchanged = contact_item(self._table, organization_id, emptied(merged))
        empty.recent_pk = empty.recent_at = None
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                transaction.save(stored, condition=condition)
                transaction.save(empty, condition=unchanged)
                # The contact itself may have been merged into another one meanwhile.
                leads_here = item.pk.does_not_exist() | (item.contact_id == contact.contact_id)
                alias = alias_pk(organization_id, contact.contact_id)
                transaction.condition_check(item, alias, ALIAS, condition=leads_here)
        except TransactWriteError as error:
            if set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise ConflictError("one of the contacts was written by another worker") from None
            raise
        return replace(contact, revision=contact.revision + 1)

    def consent_history(self, organization_id: str, contact_id: str, most: int) -> list[ConsentChange]:
        newest_first = self._table.item.query(
            contact_pk(organization_id, contact_id),
            self._table.item.sk.startswith(CONSENT_PREFIX),
            scan_index_forward=False,
            consistent_read=True,
            limit=most,
        )
        return [_read_change.decode(item.body or "") for item in newest_first][::-1]

    def listed(
        self, organization_id: str, after: ListPlace | None = None, expected: int | None = None
    ) -> Iterator[ListPlace]:
        # The shards are about equal.
        size = LIST_PAGE if expected is None else min(LIST_PAGE, expected * 5 // (4 * CONTACT_SHARDS) + 4)
        shards = [self._listed(contacts_pk(organization_id, shard), after, size) for shard in range(CONTACT_SHARDS)]
        newest_first = heapq.merge(*shards, key=lambda place: -place.at)
        for at, same_time in groupby(newest_first, key=lambda place: place.at):
            places = sorted(same_time)
            yield from (place for place in places if after is None or at < after.at or place > after)

    def _listed(self, pk: str, after: ListPlace | None, size: int) -> Iterator[ListPlace]:
        item = self._table.item
        not_newer = item.recent_at <= after.at if after is not None else None
        for entry in item.recent.query(pk, not_newer, scan_index_forward=False, page_size=size):
            yield ListPlace(float(entry.recent_at or 0), entry.pk.split("#", 3)[3])


def contact_of(item: Item) -> ContactRecord:
    """The contact that an item stores."""
    return replace(_read_contact.decode(item.body or ""), revision=int(item.revision or 0))


def contact_item(table: Table, organization_id: str, contact: ContactRecord) -> tuple[Item, Condition]:
    """The item that stores a contact as its next revision, and the condition of the write."""
    pk = contact_pk(organization_id, contact.contact_id)
    item = table.item(pk, PROFILE, body=contact_body(contact), revision=contact.revision + 1)
    place = list_place(contact)
    item.recent_pk, item.recent_at = contacts_pk(organization_id, contacts_shard(pk)), place.at
    if contact.revision:
        return item, table.item.revision == contact.revision
    return item, table.item.pk.does_not_exist()


def contact_body(contact: ContactRecord) -> str:
    """A contact as its item stores it."""
    return _encode(replace(contact, revision=0)).decode()


def change_items(
    table: Table, organization_id: str, contact_id: str, changes: Sequence[ConsentChange]
) -> Iterator[Item]:
    """The items of the history. The same change has the same key."""
    pk = contact_pk(organization_id, contact_id)
    return (table.item(pk, sk, body=body) for sk, body in change_keys(changes))


def change_keys(changes: Sequence[ConsentChange]) -> Iterator[tuple[str, str]]:
    """The sort key and the body of each change."""
    for change in dict.fromkeys(changes):
        body = _encode(change).decode()
        yield f"{CONSENT_PREFIX}{int(change.at * 1000):015d}#{digest(body)[:16]}", body


def withdrawn_item(
    table: Table, organization_id: str, contact_id: str, consent: Mapping[Purpose, Consent]
) -> Item | None:
    """What is kept of an erased person's consent, under a digest: the purposes that were withdrawn. None without any."""
    withdrawn = {purpose: known.at for purpose, known in consent.items() if known.state == "withdrawn"}
    if not withdrawn:
        return None
    return table.item(withdrawn_pk(organization_id, contact_id), WITHDRAWN, body=_encode(withdrawn).decode())


def withdrawn_consent(item: Item) -> dict[Purpose, Consent]:
    """The consent that an erased person had withdrawn, from the item that keeps it."""
    kept = _read_withdrawn.decode(item.body or "{}")
    return {purpose: Consent("withdrawn", ERASED_SOURCE, at) for purpose, at in kept.items()}


def list_place(contact: ContactRecord) -> ListPlace:
    """The position of a contact in its organization's list. An import creates many contacts in the same millisecond."""
    spread = int(digest(contact.contact_id)[:8], 16) % _PLACES_PER_MILLISECOND
    return ListPlace(round(round(contact.created_at, 3) + spread / 1_000_000, 6), contact.contact_id)
