"""Reading and writing many contacts at once on DynamoDB, for imports."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice, repeat
from typing import Any

from msgspec.structs import replace
from pynamodb.exceptions import TransactWriteError, VerboseClientError

from pytake.aws.contacts import change_keys, contact_body, contact_of, list_place, withdrawn_consent
from pytake.aws.prepared import PreparedRequests
from pytake.aws.table import (
    ALIAS,
    PROFILE,
    THROTTLED,
    WITHDRAWN,
    Item,
    Table,
    alias_pk,
    cancellation_codes,
    contact_pk,
    contacts_pk,
    contacts_shard,
    withdrawn_pk,
)
from pytake.contacts.import_ports import FoundContact, Identities, ImportedContact
from pytake.contacts.records import new_contact

READ_TOGETHER = 100
"""The limit of one BatchGetItem."""

WRITTEN_TOGETHER = 50
"""Contacts of one transaction, which takes four megabytes and a hundred items; a contact may bring changes of its consent."""

MOST_ACTIONS = 100

AT_ONCE = 8
"""Requests in flight: a request takes some milliseconds, most of them on the way."""

THROTTLE_PAUSES = (0.5, 1, 2, 4)
"""A table on demand takes twice its former peak at once; an import may be more for some seconds."""

_CONFLICTS = frozenset({"ConditionalCheckFailed", "TransactionConflict"})

_Place = tuple[str, str]


class DynamoContactBatches:
    """Implements `pytake.contacts.import_ports.ContactBatches`."""

    def __init__(self, table: Table, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._sleep = sleep
        self._name = table.item.Meta.table_name
        self._requests = PreparedRequests(table)
        self._pool = ThreadPoolExecutor(AT_ONCE)

    def find(self, organization_id: str, people: Sequence[Identities]) -> list[FoundContact]:
        spelled = {identity for one in people for identity in _identities(one)}
        places = [(pk(organization_id, one), sk) for one in spelled for pk, sk in _KEYS]
        new = {next(_identities(one)) for one in people}
        places += [(withdrawn_pk(organization_id, one), WITHDRAWN) for one in new]
        items = self._read(places)
        leads = {one: _leads_to(items, organization_id, one) for one in spelled}
        further = set(leads.values()) - spelled
        items |= self._read([(contact_pk(organization_id, one), PROFILE) for one in further])
        return [self._found(organization_id, one, items, leads) for one in people]

    def _found(
        self, organization_id: str, person: Identities, items: dict[_Place, Item], leads: dict[str, str]
    ) -> FoundContact:
        def stored(contact_id: str) -> Item | None:
            return items.get((contact_pk(organization_id, contact_id), PROFILE))

        ids = list(dict.fromkeys(leads[identity] for identity in _identities(person)))
        by_phone = list(dict.fromkeys(leads[phone] for phone in person.phones))
        exact = [person.phones[0], *by_phone] if person.phones else []
        known = next((id_ for id_ in [*exact, *ids] if stored(id_) is not None), None)
        id_ = known if known is not None else ids[0]
        disputed = False
        if person.user_id is not None and person.phones:
            other = leads[person.user_id]
            taken = other != person.user_id or stored(other) is not None
            disputed = taken and other != id_
        item = stored(id_)
        if item is not None:
            return FoundContact(contact_of(item), disputed)
        kept = items.get((withdrawn_pk(organization_id, id_), WITHDRAWN)) if items else None
        contact = new_contact(id_)
        return FoundContact(
            replace(contact, consent=withdrawn_consent(kept)) if kept is not None else contact, disputed
        )

    def save(self, organization_id: str, writes: Sequence[ImportedContact]) -> set[str]:
        stored = set[str]()
        for batch, failed in self._pool.map(lambda batch: self._save(organization_id, batch), _batches(writes)):
            stored |= {one.contact.contact_id for one in batch} - failed
        return stored

    def _save(self, organization_id: str, batch: list[ImportedContact]) -> tuple[list[ImportedContact], set[str]]:
        """Store a batch in one transaction. When another worker has written one of its contacts, each is stored alone."""
        if self._store(organization_id, batch):
            return batch, set()
        if len(batch) == 1:
            return batch, {batch[0].contact.contact_id}
        return batch, {one.contact.contact_id for one in batch if not self._store(organization_id, [one])}

    def _store(self, organization_id: str, batch: Sequence[ImportedContact]) -> bool:
        """Whether a batch was stored; False when another worker has written one of its items. A throttled one is repeated."""
        for pause in THROTTLE_PAUSES:
            try:
                return self._transact(organization_id, batch)
            except TransactWriteError as error:
                if not set(cancellation_codes(error)) & THROTTLED:
                    raise
                self._sleep(pause)
        return self._transact(organization_id, batch)

    def _transact(self, organization_id: str, batch: Sequence[ImportedContact]) -> bool:
        actions = [action for one in batch for action in self._actions(organization_id, one)]
        try:
            self._requests.transact(actions)
        except VerboseClientError as error:
            refused = TransactWriteError("not stored", error)
            if set(cancellation_codes(refused)) & _CONFLICTS:
                return False
            raise refused from error
        return True

    def _actions(self, organization_id: str, one: ImportedContact) -> Iterator[dict[str, Any]]:
        """The actions of a transaction, as DynamoDB takes them. PynamoDB looks at every attribute of every item for each, which
        is most of an import's time."""
        id_, revision = one.contact.contact_id, one.contact.revision
        pk, place = contact_pk(organization_id, id_), list_place(one.contact)
        stored = {
            "body": {"S": contact_body(one.contact)},
            "revision": {"N": str(revision + 1)},
            "recent_pk": {"S": contacts_pk(organization_id, contacts_shard(pk))},
            "recent_at": {"N": repr(place.at)},
        }
        if revision:
            unchanged = {
                "ConditionExpression": "revision = :read",
                "ExpressionAttributeValues": {":read": {"N": str(revision)}},
            }
        else:
            unchanged = {"ConditionExpression": "attribute_not_exists(pk)"}
        yield self._put(pk, PROFILE, stored, unchanged)
        for sk, body in change_keys(one.changes):
            yield self._put(pk, sk, {"body": {"S": body}}, {})
        if one.learned is not None:
            leads_here = "attribute_not_exists(pk) OR contact_id = :id"
            values = {":id": {"S": id_}}
            own = {
                "TableName": self._name,
                "Key": _key(alias_pk(organization_id, id_), ALIAS),
                "UpdateExpression": "SET contact_id = :id ADD identities :learned, revision :one",
                "ConditionExpression": leads_here,
                "ExpressionAttributeValues": values | {":learned": {"SS": [one.learned]}, ":one": {"N": "1"}},
            }
            yield {"Update": own}
            condition = {"ConditionExpression": leads_here, "ExpressionAttributeValues": values}
            alias = alias_pk(organization_id, one.learned)
            yield self._put(alias, ALIAS, {"contact_id": {"S": id_}}, condition)

    def _put(self, pk: str, sk: str, attributes: dict[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
        return {"Put": {"TableName": self._name, "Item": _key(pk, sk) | attributes, **condition}}

    def _read(self, places: Iterable[_Place]) -> dict[_Place, Item]:
        found: dict[_Place, Item] = {}
        for items in self._pool.map(self._batch_get, _chunks(places, READ_TOGETHER)):
            found |= {(item.pk, item.sk): item for item in items}
        return found

    def _batch_get(self, places: list[_Place]) -> list[Item]:
        found: list[Item] = []
        keys = [_key(pk, sk) for pk, sk in places]
        for pause in chain(THROTTLE_PAUSES, repeat(THROTTLE_PAUSES[-1])):
            answer = self._requests.read(keys)
            found += map(self._table.item.from_raw_data, answer["Responses"].get(self._name, ()))
            keys = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            if not keys:
                break
            self._sleep(pause)  # the table is throttled: DynamoDB has left some of them
        return found


_KEYS = ((alias_pk, ALIAS), (contact_pk, PROFILE))


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _identities(person: Identities) -> Iterator[str]:
    yield from person.phones
    if person.user_id is not None:
        yield person.user_id


def _leads_to(items: dict[_Place, Item], organization_id: str, identity: str) -> str:
    alias = items.get((alias_pk(organization_id, identity), ALIAS))
    return alias.contact_id if alias is not None and alias.contact_id else identity


def _chunks(places: Iterable[_Place], size: int) -> Iterator[list[_Place]]:
    left = iter(places)
    while chunk := list(islice(left, size)):
        yield chunk


def _batches(writes: Sequence[ImportedContact]) -> Iterator[list[ImportedContact]]:
    """Batches that fit into a transaction."""
    batch, actions = list[ImportedContact](), 0
    for one in writes:
        needed = 1 + len(one.changes) + (2 if one.learned is not None else 0)
        if batch and (len(batch) == WRITTEN_TOGETHER or actions + needed > MOST_ACTIONS):
            yield batch
            batch, actions = [], 0
        batch.append(one)
        actions += needed
    if batch:
        yield batch
