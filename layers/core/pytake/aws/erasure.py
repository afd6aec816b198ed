"""Erasing a person from DynamoDB."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import uuid4

import msgspec
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from pytake.aws.campaigns import forget
from pytake.aws.contacts import DynamoContacts, withdrawn_item
from pytake.aws.deliveries import delivery_of
from pytake.aws.table import (
    ALIAS,
    ERASED,
    THROTTLED,
    Item,
    Table,
    alias_pk,
    cancellation_codes,
    contact_pk,
    conversation_pk,
    erased_pk,
    erased_turns_pk,
    erasure_pk,
    held_pk,
    log_pk,
    log_shard,
)
from pytake.conversation.lake_events import events_of, pseudonyms, without_values
from pytake.conversation.lake_records import PendingErasure
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.lake import EventLog
from pytake.conversation.recorded_erasures import NO_NUMBER, RecordedErasure, erasure_digest
from pytake.conversation.records import ERASURE_SECONDS, Conversation, ConversationKey, TurnRecord

PASSES = 5
ACTIONS = 90
"""A transaction takes 100."""

_STATE, _PSEUDONYMS, _PENDING = "STATE", "PSEUDONYMS", "ERASURES"
_HOUR = 3600
_encode = msgspec.json.Encoder().encode
_read_turn = msgspec.json.Decoder(TurnRecord)
_read_pending = msgspec.json.Decoder(PendingErasure)


class DynamoErasure:
    """Implements `pytake.conversation.ports.conversations.Erasure`.

    First it records that the person was erased: the first commit of a conversation is conditional on this record. Then it deletes
    the contact, so that no new conversation begins with it, but keeps under a digest which consent was withdrawn. Then it deletes
    the conversation: every commit is conditional on it, so a turn in progress fails. The oldest turn is deleted last: until then
    a new conversation cannot write its first turn, so old and new items do not mix. It repeats this until nothing is found. The
    key of the pseudonyms is deleted at the very end: an aborted erasure continues under the same pseudonyms.
    """

    def __init__(self, table: Table, log: EventLog) -> None:
        self._table = table
        self._log = log

    def begin(self, organization_id: str, keys: Sequence[ConversationKey], at: float) -> PendingErasure:
        item = self._table.item
        contact_ids = dict.fromkeys(key.contact_id for key in keys)
        for contact_id in contact_ids:
            self._keep_withdrawn_consent(organization_id, contact_id)
        with item.batch_write() as batch:
            for key in keys:
                batch.save(item(erasure_pk(key), ERASED, updated_at=at, expires_at=int(at) + ERASURE_SECONDS))
        contacts, reported = list[str](), set[int]()
        for contact_id in contact_ids:
            for entry in item.query(
                contact_pk(organization_id, contact_id), item.sk == _PSEUDONYMS, consistent_read=True
            ):
                if entry.document is not None:
                    contacts.append(pseudonyms(entry.document, contact_id).contact)
                reported.update(int(hour) for hour in entry.hours or ())
        settled = self._settled()
        hours = {int(at) // _HOUR * _HOUR}
        for key in keys:
            turns = item.query(conversation_pk(key), item.sk.startswith("TURN#"), consistent_read=True)
            hours.update(_hour(_read_turn.decode(turn.body or "")) for turn in turns)
        unsettled = sorted(hour for hour in hours if hour > settled)
        pending = PendingErasure(uuid4().hex, organization_id, at, list(keys), contacts, sorted(reported), unsettled)
        item(_PENDING, pending.id, body=_encode(pending).decode(), updated_at=at).save()
        return pending

    def remove(self, pending: PendingErasure) -> int:
        settled, owner = self._settled(), pending.organization_id
        contact_ids = dict.fromkeys(key.contact_id for key in pending.keys)
        removed = sum(self._remove_contact(owner, contact_id) for contact_id in contact_ids)
        removed += sum(self._erase(key, pending.at, settled) for key in pending.keys)
        removed += forget(self._table, owner, contact_ids)
        aliases = self._aliases(owner, set(contact_ids))
        self._delete(aliases)
        # A turn in progress may have stored the contact again before its conversation was gone.
        again = sum(self._remove_contact(owner, contact_id, pseudonyms=True) for contact_id in contact_ids)
        return removed + len(aliases) + again

    def _aliases(self, organization_id: str, identities: set[str]) -> list[Item]:
        """What leads from these identities to their contacts, and from those that the contacts have learned meanwhile."""
        found: dict[str, Item] = {}
        while new := {alias_pk(organization_id, identity) for identity in identities} - found.keys():
            items = list(self._table.item.batch_get([(pk, ALIAS) for pk in new], consistent_read=True))
            found |= {pk: self._table.item(pk, ALIAS) for pk in new} | {item.pk: item for item in items}
            identities = {identity for item in items for identity in item.identities or ()}
        return [item for item in found.values() if item.contact_id is not None]

    def _remove_contact(self, organization_id: str, contact_id: str, *, pseudonyms: bool = False) -> int:
        self._keep_withdrawn_consent(organization_id, contact_id)
        found = self._table.item.query(contact_pk(organization_id, contact_id), consistent_read=True)
        items = [item for item in found if pseudonyms or item.sk != _PSEUDONYMS]
        self._delete(items)
        return len(items)

    def _keep_withdrawn_consent(self, organization_id: str, contact_id: str) -> None:
        consent = DynamoContacts(self._table).load(organization_id, contact_id).consent
        kept = withdrawn_item(self._table, organization_id, contact_id, consent)
        if kept is not None:
            kept.save()

    def pending(self, before: float) -> list[PendingErasure]:
        found = self._table.item.query(_PENDING, consistent_read=True)
        return [_read_pending.decode(item.body or "") for item in found if (item.updated_at or 0) <= before]

    def finish(self, pending: PendingErasure) -> None:
        self._table.item(_PENDING, pending.id).delete()

    def remember(self, erasure: RecordedErasure) -> None:
        item = self._table.item
        with item.batch_write() as batch:
            for digest in erasure.digests:
                expires_at = int(erasure.at) + ERASURE_SECONDS
                batch.save(item(erased_pk(digest), ERASED, updated_at=erasure.at, expires_at=expires_at))

    def find(self, erased: Mapping[str, float]) -> list[tuple[ConversationKey, float]]:
        found = {key: erased.get(erasure_digest(key)) for key in self._known_conversations()}
        return [(key, at) for key, at in sorted(found.items()) if at is not None and not self._began_after(key, at)]

    def _known_conversations(self) -> set[ConversationKey]:
        """The key of each conversation that anything in the table belongs to. Reads the whole table."""
        conversations, contacts = set[ConversationKey](), set[tuple[str, str]]()
        numbers: dict[str, set[str]] = {}
        for entry in self._table.item.scan(attributes_to_get=["pk", "sk"]):
            match entry.pk.split("#"):
                case ["ORG", organization_id, "CONV", number, contact_id]:
                    conversations.add(ConversationKey(organization_id, number, contact_id))
                case ["ORG", organization_id, "HELD", number]:
                    conversations.add(ConversationKey(organization_id, number, entry.sk.split("#")[0]))
                case ["ORG", organization_id, "CONTACT" | "ALIAS", contact_id]:
                    contacts.add((organization_id, contact_id))
                case ["ORG", organization_id, "NUMBERS"]:
                    numbers.setdefault(organization_id, set()).add(entry.sk)
        # Identities, a contact and the key of its pseudonyms name no number: they may outlive the conversations.
        contacts -= {(key.organization_id, key.contact_id) for key in conversations}
        return conversations | {
            ConversationKey(organization_id, number, contact_id)
            for organization_id, contact_id in contacts
            for number in numbers.get(organization_id, {NO_NUMBER})
        }

    def _began_after(self, key: ConversationKey, erased_at: float) -> bool:
        try:
            state = self._table.item.get(conversation_pk(key), _STATE, consistent_read=True)
        except self._table.item.DoesNotExist:
            return DynamoContacts(self._table).load(key.organization_id, key.contact_id).created_at >= erased_at
        return msgspec.json.decode(state.body or "", type=Conversation).erased_at >= erased_at

    def _settled(self) -> int:
        """The last hour that will not be exported again."""
        return self._log.progress().through.get("settled", 0)

    def _erase(self, key: ConversationKey, at: float, settled: int) -> int:
        removed, place = 0, erased_turns_pk(key.organization_id, uuid4().hex)
        for _ in range(PASSES):
            found = self._found(key)
            if not found:
                return removed
            turns = {item.sk.split("#")[1]: item for item in found if item.sk.startswith("TURN#")}
            sent: dict[str, list[Item]] = {seq: [] for seq in turns}
            rest, state = list[Item](), list[Item]()
            for item in found:
                of_turn = sent.get(item.sk.split("#")[1]) if item.sk.startswith("OUT#") else None
                if of_turn is not None and len(of_turn) < ACTIONS - 2:
                    of_turn.append(item)
                elif not item.sk.startswith("TURN#"):
                    (state if item.sk == _STATE else rest).append(item)
            self._delete(state)
            self._delete(rest)
            try:
                for batch in self._batches(key, turns, sent, at, settled, place):
                    self._transact(batch)
            except TransactWriteError as error:
                if set(cancellation_codes(error)) <= {"None", None, *THROTTLED}:
                    raise
                continue  # another erasure of the same person: search again
            removed += len(found)
        raise ConflictError(f"new items were written in each of {PASSES} passes")

    def _found(self, key: ConversationKey) -> list[Item]:
        item = self._table.item
        conversation = item.query(conversation_pk(key), consistent_read=True)
        held = item.query(
            held_pk(key.organization_id, key.phone_number_id),
            item.sk.startswith(f"{key.contact_id}#"),
            consistent_read=True,
            attributes_to_get=["pk", "sk"],
        )
        return [*conversation, *held]

    def _batches(
        self,
        key: ConversationKey,
        turns: dict[str, Item],
        sent: dict[str, list[Item]],
        at: float,
        settled: int,
        place: str,
    ) -> Iterator[list[tuple[Item, Item | None]]]:
        """Batches of turns with their deliveries, newest first. Each is deleted; some leave an item for the lake."""
        batch: list[tuple[Item, Item | None]] = []
        for turn, record, entry in reversed(_with_entries(turns)):
            seq = turn.sk.split("#")[1]
            kept = self._kept(key, turn, record, entry, sent[seq], at, place) if _hour(record) > settled else None
            group: list[tuple[Item, Item | None]] = [(turn, kept), *((item, None) for item in sent[seq])]
            if batch and len(batch) + len(group) + 2 > ACTIONS // 2:
                yield batch
                batch = []
            batch += group
        if batch:
            yield batch

    def _kept(
        self, key: ConversationKey, turn: Item, record: TurnRecord, entry: int, sent: list[Item], at: float, place: str
    ) -> Item:
        names = self._log.pseudonyms(key.organization_id, [key.contact_id], at)[key.contact_id]
        events = without_values(events_of(key, record, [delivery_of(item) for item in sent], names))
        kept = self._table.item(place, turn.sk, body=_encode(events).decode(), expires_at=turn.expires_at)
        kept.log_pk = log_pk(record.at, log_shard(place))
        kept.log_sk = f"{key.organization_id}#{entry:013d}#{uuid4().hex[:8]}"
        return kept

    def _transact(self, batch: list[tuple[Item, Item | None]]) -> None:
        with TransactWrite(connection=self._table.connection) as transaction:
            for gone, kept in batch:
                transaction.delete(gone, condition=self._table.item.pk.exists())
                if kept is not None:
                    transaction.save(kept)

    def _delete(self, items: Iterable[Item]) -> None:
        with self._table.item.batch_write() as batch:
            for item in items:
                batch.delete(self._table.item(item.pk, item.sk))


def _with_entries(turns: dict[str, Item]) -> list[tuple[Item, TurnRecord, int]]:
    """The turns in order, each with its record and its time in the log index: the time of the first turn of its run in the hour.

    What is left of a turn keeps this time, so that no row moves to another part of the hour.
    """
    found: list[tuple[Item, TurnRecord, int]] = []
    at = hour = 0
    for _, turn in sorted(turns.items()):
        record = _read_turn.decode(turn.body or "")
        if turn.log_sk is not None or _hour(record) != hour:
            at, hour = int(record.at * 1000), _hour(record)
        found.append((turn, record, at))
    return found


def _hour(record: TurnRecord) -> int:
    return int(record.at) // _HOUR * _HOUR
