"""The turns of an hour from the index `log` on DynamoDB, pseudonyms, and the progress of the export."""

import heapq
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import DeleteError, PutError
from pynamodb.expressions.condition import Condition

from pytake.aws.deliveries import delivery_of
from pytake.aws.processed_messages import hour_of
from pytake.aws.table import (
    LOG_SHARDS,
    ConditionFailedError,
    Item,
    Table,
    contact_pk,
    conversation_key,
    conversation_pk,
    delivery_sk,
    dynamodb_error_code,
    is_erased_turn,
    log_pk,
    turn_of_sk,
    turn_sk,
)
from pytake.conversation.lake_events import ErasedTurn, LakeEvent, Pseudonyms, pseudonyms
from pytake.conversation.lake_records import ExportProgress, LogEntry, LoggedTurn, RetentionProgress
from pytake.conversation.records import Delivery, TurnRecord
from pytake.conversation.retention_policy import RetentionPolicy

BATCH = 100
"""The limit of one BatchGetItem."""

FIRST_WINDOW, NEXT_WINDOW = 6, 20
"""How many turns of a conversation are read at once: most conversations have few in an hour."""

KEY_BYTES = 16

_STATE, _PSEUDONYMS, _RETENTION = "STATE", "PSEUDONYMS", "RETENTION"
_LAKE, _PROGRESS, _RUN = "LAKE", "EXPORT", "EXPORT#RUN"
_DAILY = "DAILY"

_read_turn = msgspec.json.Decoder(TurnRecord)
_read_events = msgspec.json.Decoder(list[LakeEvent])
_read_progress = msgspec.json.Decoder(ExportProgress)
_encode = msgspec.json.Encoder().encode


class DynamoEventLog:
    """Implements `pytake.conversation.ports.lake.EventLog`. `workers` keys of new people are written at the same time."""

    def __init__(self, table: Table, retention: RetentionPolicy, workers: int = 1) -> None:
        self._table = table
        self._workers = workers
        self._retention = retention
        self._hours: dict[str, frozenset[int]] = {}
        """The hours already recorded by `record_reported_hour`, of the contacts requested since the last call of `turns`."""

    def entries(
        self, hour: int, organization_id: str | None = None, since: tuple[str, int] | None = None
    ) -> Iterator[LogEntry]:
        index, log_sk = self._table.item.log, self._table.item.log_sk
        range_: Condition | None = None
        if organization_id is not None:
            range_ = log_sk.startswith(f"{organization_id}#")
        elif since is not None:
            range_ = log_sk >= f"{since[0]}#{since[1]:013d}"
        shards = (index.query(log_pk(hour, shard), range_) for shard in range(LOG_SHARDS))
        for item in heapq.merge(*shards, key=lambda item: str(item.log_sk)):
            owner, at, _ = str(item.log_sk).split("#")
            yield LogEntry(owner, int(at), (item.pk, item.sk))

    def delete_turns(self, organization_id: str, hour: int) -> int:
        entries, removed = iter(self.entries(hour, organization_id)), 0
        while batch := list(islice(entries, BATCH)):
            removed += self._forget(batch, [turn for turn in self.turns(hour, batch) if isinstance(turn, LoggedTurn)])
        return removed

    def _forget(self, entries: list[LogEntry], found: list[LoggedTurn]) -> int:
        turns = {(conversation_pk(turn.key), turn_sk(turn.record.seq)): turn for turn in found}
        begins = [entry.position for entry in entries if entry.position in turns]
        # Turns in the index are deleted last: otherwise the run after an abort would not find the others.
        for places in (turns.keys() - begins, begins):
            with self._table.item.batch_write() as batch:
                for pk, sk in places:
                    batch.delete(self._table.item(pk, sk))
                    for delivery in turns[pk, sk].deliveries:
                        batch.delete(self._table.item(pk, delivery_sk(delivery.turn, delivery.index)))
        for turn in {turn.key: turn for turn in found}.values():
            self._forget_idle(turn)
        return len(turns)

    def _forget_idle(self, last: LoggedTurn) -> None:
        item = self._table.item
        try:
            item(conversation_pk(last.key), _STATE).delete(
                condition=(item.seq == last.record.seq) & item.due_pk.does_not_exist()
            )
        except DeleteError as error:
            if dynamodb_error_code(error) != "ConditionalCheckFailedException":
                raise

    def turns(self, hour: int, entries: Iterable[LogEntry]) -> Iterator[LoggedTurn | ErasedTurn]:
        self._hours.clear()
        begins = iter(entries)
        while batch := [entry.position for entry in islice(begins, BATCH)]:
            runs = self._following([(pk, turn_of_sk(sk)) for pk, sk in batch if not is_erased_turn(pk)], hour)
            deliveries = self._deliveries([(pk, record) for (pk, _), run in runs.items() for record in run])
            erased = self._erased([place for place in batch if is_erased_turn(place[0])])
            for pk, sk in batch:
                if (turn := erased.get((pk, sk))) is not None:
                    yield turn
                for record in runs.get((pk, turn_of_sk(sk)), ()):
                    yield LoggedTurn(conversation_key(pk), record, deliveries.get((pk, record.seq), []))

    def _erased(self, places: list[tuple[str, str]]) -> dict[tuple[str, str], ErasedTurn]:
        found = self._table.item.batch_get(places) if places else ()
        return {
            (item.pk, item.sk): ErasedTurn(item.pk.split("#", 2)[1], _read_events.decode(item.body or "[]"))
            for item in found
        }

    def record_reported_hour(self, organization_id: str, contact_ids: Iterable[str], hour: int) -> None:
        item = self._table.item
        for pk in (contact_pk(organization_id, contact_id) for contact_id in contact_ids):
            known = self._hours.get(pk, frozenset())
            if hour in known:
                continue
            # Older files are already deleted.
            oldest = hour - 2 * self._retention(organization_id)
            hours = {hour, *(before for before in known if before >= oldest)}
            item(pk, _PSEUDONYMS).update([item.hours.set(hours)], condition=item.pk.exists())
            self._hours[pk] = frozenset(hours)

    def _following(self, begins: list[tuple[str, int]], hour: int) -> dict[tuple[str, int], list[TurnRecord]]:
        """The runs of consecutive turns within the hour that begin at these positions."""
        runs: dict[tuple[str, int], list[TurnRecord]] = {begin: [] for begin in begins}
        window, going = FIRST_WINDOW, dict.fromkeys(begins, 0)  # how many turns of a run are read
        while going:
            places = [(pk, turn_sk(seq + read + step)) for (pk, seq), read in going.items() for step in range(window)]
            found = {(item.pk, item.sk): item for item in self._table.item.batch_get(places)}
            still: dict[tuple[str, int], int] = {}
            for (pk, seq), read in going.items():
                for step in range(read, read + window):
                    item = found.get((pk, turn_sk(seq + step)))
                    if item is None or not item.body or (step and item.log_pk is not None):  # the next run begins there
                        break
                    record = _read_turn.decode(item.body)
                    if hour_of(record.at) != hour_of(hour):
                        break
                    runs[pk, seq].append(record)
                else:
                    still[pk, seq] = read + window
            window, going = NEXT_WINDOW, still
        return runs

    def pseudonyms(self, organization_id: str, contact_ids: Iterable[str], now: float) -> dict[str, Pseudonyms]:
        names, merged, taken_over = self._named(organization_id, contact_ids, now)
        if merged:
            into = self.pseudonyms(organization_id, set(merged.values()), now)
            names |= {one: replace(names[one], contact=into[other].contact) for one, other in merged.items()}
        others, earlier = dict[str, Pseudonyms](), dict(taken_over)
        while contacts := {one for sessions in earlier.values() for one in sessions.values()} - others.keys():
            found, _, more = self._named(organization_id, contacts, now)
            others |= found
            earlier |= more
        for one, sessions in taken_over.items():
            keys = [(id_, others[_began_with(id_, one, earlier)].key) for id_ in sorted(sessions)]
            names[one] = replace(names[one], sessions=tuple(keys))
        return names

    def _named(
        self, organization_id: str, contact_ids: Iterable[str], now: float
    ) -> tuple[dict[str, Pseudonyms], dict[str, str], dict[str, dict[str, str]]]:
        """The pseudonyms of contacts as if none was merged; into which contacts some were merged; and the sessions that others
        have taken over, with the contacts that they began with."""
        by_pk = {contact_pk(organization_id, contact_id): contact_id for contact_id in contact_ids}
        names, merged, taken_over = dict[str, Pseudonyms](), dict[str, str](), dict[str, dict[str, str]]()
        stored: dict[str, Item] = {}
        retention_seconds = self._retention(organization_id)
        for item in self._table.item.batch_get([(pk, _PSEUDONYMS) for pk in by_pk], consistent_read=True):
            contact_id = by_pk[item.pk]
            stored[contact_id] = item
            if item.contact_id is not None:
                merged[contact_id] = item.contact_id
            if item.sessions:
                taken_over[contact_id] = dict(entry.split("#", 1) for entry in item.sessions)
            if item.document is not None and (item.expires_at or 0) > now:
                names[contact_id] = pseudonyms(item.document, contact_id)
                self._hours[item.pk] = frozenset(int(hour) for hour in item.hours or ())
                if item.expires_at < now + retention_seconds:
                    self._keep_key(item, now + 2 * retention_seconds)
        new = [(pk, contact_id) for pk, contact_id in by_pk.items() if contact_id not in names]

        def named(place: tuple[str, str]) -> Pseudonyms:
            pk, contact_id = place
            key = self._make_key(pk, now, now + 2 * retention_seconds, stored.get(contact_id))
            return pseudonyms(key, contact_id)

        # A write for each: the first writer wins, and DynamoDB's batches of writes take no condition. A transaction does, for
        # twice the price, and one person whose key was made meanwhile would cancel the others.
        if self._workers > 1 and len(new) > 1:
            with ThreadPoolExecutor(min(self._workers, len(new))) as pool:
                made = list(pool.map(named, new))
        else:
            made = list(map(named, new))
        return names | {contact_id: name for (_, contact_id), name in zip(new, made, strict=True)}, merged, taken_over

    def known_pseudonyms(self, organization_id: str, contact_ids: Sequence[str]) -> dict[str, str]:
        """Implements `pytake.contacts.segment_ports.Pseudonymous`."""
        by_pk = {contact_pk(organization_id, contact_id): contact_id for contact_id in contact_ids}
        found = self._table.item.batch_get([(pk, _PSEUDONYMS) for pk in by_pk]) if by_pk else ()
        return {
            by_pk[item.pk]: pseudonyms(item.document, by_pk[item.pk]).contact
            for item in found
            if item.document is not None
        }

    def progress(self) -> ExportProgress:
        try:
            item = self._table.item.get(_LAKE, _PROGRESS, consistent_read=True)
        except self._table.item.DoesNotExist:
            return ExportProgress()
        return _read_progress.decode(item.body or "{}")

    def put_progress(self, progress: ExportProgress) -> None:
        self._table.item(_LAKE, _PROGRESS, body=_encode(progress).decode()).save()

    def retention_progress(self, organization_id: str) -> RetentionProgress | None:
        try:
            item = self._table.item.get(f"ORG#{organization_id}", _RETENTION, consistent_read=True)
        except self._table.item.DoesNotExist:
            return None
        return msgspec.json.decode(item.body or "", type=RetentionProgress)

    def put_retention_progress(self, organization_id: str, progress: RetentionProgress) -> None:
        self._table.item(f"ORG#{organization_id}", _RETENTION, body=_encode(progress).decode()).save()

    def acquire_lease(self, now: float, seconds: float) -> bool:
        self._hours.clear()
        item = self._table.item
        try:
            item(_LAKE, _RUN, expires_at=now + seconds).save(
                condition=item.pk.does_not_exist() | (item.expires_at < now)
            )
        except PutError as error:
            if dynamodb_error_code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def release_lease(self) -> None:
        self._table.item(_LAKE, _RUN).delete()

    def settled_through(self) -> str | None:
        try:
            return self._table.item.get(_LAKE, _DAILY, consistent_read=True).body
        except self._table.item.DoesNotExist:
            return None

    def put_settled_through(self, day: str) -> None:
        self._table.item(_LAKE, _DAILY, body=day).save()

    def _deliveries(self, turns: list[tuple[str, TurnRecord]]) -> dict[tuple[str, int], list[Delivery]]:
        places = [(pk, delivery_sk(record.seq, index)) for pk, record in turns for index in range(len(record.messages))]
        found: dict[tuple[str, int], list[Delivery]] = {}
        for item in self._table.item.batch_get(places) if places else ():
            delivery = delivery_of(item)
            found.setdefault((item.pk, delivery.turn), []).append(delivery)
        return found

    def _make_key(self, pk: str, now: float, expires_at: float, before: Item | None) -> bytes:
        # The key outlives every record that is exported with it, so no record is ever exported with two keys.
        item = self._table.item
        key = secrets.token_bytes(KEY_BYTES)
        made = item(pk, _PSEUDONYMS, document=key, expires_at=int(expires_at))
        if before is not None:
            made.contact_id, made.sessions = before.contact_id, before.sessions
        try:
            self._table.put(made, item.document.does_not_exist() | (item.expires_at <= now))
        except ConditionFailedError as refused:  # another run made it first
            if refused.found is None or refused.found.document is None:
                raise
            return refused.found.document
        return made.document or b""

    def _keep_key(self, item: Item, until: float) -> None:
        item.update([self._table.item.expires_at.set(int(until))], condition=self._table.item.pk.exists())


def _began_with(session_id: str, contact_id: str, taken_over: Mapping[str, Mapping[str, str]]) -> str:
    """The contact with which a session began: each contact that it went to has noted from which one it came."""
    for _ in taken_over:
        contact_id = taken_over.get(contact_id, {}).get(session_id, contact_id)
    return contact_id
