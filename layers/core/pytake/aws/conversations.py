"""Conversations and turns on DynamoDB: one read and one write request per plain turn (ADR 0004 and 0008)."""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import PutError, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from pytake.aws.assignments import ASSIGNMENT, NOTE
from pytake.aws.contacts import change_items, contact_item
from pytake.aws.processed_messages import ProcessedMessages, read_processed_messages
from pytake.aws.table import (
    ALIAS,
    DUE_SHARDS,
    ERASED,
    RECENT_SHARDS,
    Item,
    Table,
    agents_pk,
    alias_pk,
    cancellation_codes,
    contact_pk,
    conversation_key,
    conversation_pk,
    due_pk,
    due_shard,
    dynamodb_error_code,
    erasure_pk,
    is_unexpired,
    log_pk,
    log_shard,
    log_sk,
    marker_sk,
    outbox_pk,
    recent_pk,
    recent_shard,
    session_end,
    start_of_slot,
    turn_sk,
)
from pytake.contacts.records import ContactWrite
from pytake.conversation.business_events import events_of_turn
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import AlreadyCommittedError, RecentPosition
from pytake.conversation.records import (
    MARKER_SECONDS,
    NO_KEY,
    Conversation,
    ConversationKey,
    DueConversation,
    TurnRecord,
)
from pytake.conversation.retention_policy import RetentionPolicy

SESSION_END_GRACE_SECONDS = 86_400
"""An open conversation is kept this much longer than its session, so that the end of the session is recorded."""

RECENT_PAGE = 100
"""Entries that one request reads from each partition of the list."""

STATE = "STATE"
"""Sort key of a conversation."""

_PSEUDONYMS = "PSEUDONYMS"
_MARKER = 0  # its position in the transaction, to read why it was cancelled

_read_conversation = msgspec.json.Decoder(Conversation)
_encode = msgspec.json.Encoder().encode


class DynamoConversations:
    """Implements `pytake.conversation.ports.conversations.Conversations`."""

    def __init__(self, table: Table, retention: RetentionPolicy, clock: Clock, *, consistent: bool = True) -> None:
        """Without `consistent`, conversations and turns may be about a second old, and reading them costs half: for reports."""
        self._consistent = consistent
        self._table = table
        self._retention = retention
        self._clock = clock
        self._loaded: dict[str, tuple[int, str | None]] = {}
        self._loaded_together: dict[str, tuple[int, str | None]] = {}
        """The `seq` and the processed messages of what `load` and `load_all` returned last: a commit then reads nothing."""

    def load(self, key: ConversationKey) -> Conversation | None:
        item = self._get(key, STATE)
        self._loaded = _processed([item] if item is not None else [])
        return conversation_of(key, item) if item is not None else None

    def erased_at(self, key: ConversationKey) -> float:
        try:
            item = self._table.item.get(erasure_pk(key), ERASED, consistent_read=True)
        except self._table.item.DoesNotExist:
            return 0
        return float(item.updated_at or 0) if is_unexpired(item, self._clock()) else 0

    def load_all(self, keys: Sequence[ConversationKey]) -> list[Conversation]:
        places = [(conversation_pk(key), STATE) for key in keys]
        items, now = list(self._table.item.batch_get(places, consistent_read=self._consistent)), self._clock()
        self._loaded_together = _processed(items)
        return [conversation_of(conversation_key(item.pk), item) for item in items if is_unexpired(item, now)]

    def recent(
        self, organization_id: str, until: float | None = None, *, with_agents: bool = False
    ) -> Iterable[RecentPosition]:
        if with_agents:
            return self._recent(agents_pk(organization_id), until)
        shards = [self._recent(recent_pk(organization_id, shard), until) for shard in range(RECENT_SHARDS)]
        return heapq.merge(*shards, key=lambda place: -place.at)

    def _recent(self, pk: str, until: float | None) -> Iterator[RecentPosition]:
        not_newer = self._table.item.recent_at <= until if until is not None else None
        items = self._table.item.recent.query(pk, not_newer, scan_index_forward=False, page_size=RECENT_PAGE)
        return (RecentPosition(conversation_key(item.pk), float(item.recent_at or 0)) for item in items)

    def commit(
        self,
        conversation: Conversation,
        turn: TurnRecord,
        contact: ContactWrite | None = None,
        learned: Sequence[str] = (),
    ) -> None:
        item, pk = self._table.item, conversation_pk(conversation.key)
        kept_seconds = self._retention(conversation.key.organization_id)
        free = self._table.absent_or_expired(turn.at)
        revision = contact.contact.revision + 1 if contact is not None else None
        before = self._processed(conversation.key, turn)
        if turn.message_id is not None and before.turn_of(turn.message_id) is not None:
            raise AlreadyCommittedError(turn.message_id)
        after, remembers = before.after(turn, kept_seconds)
        marked = turn.message_id is not None and (not remembers or before.marked_until > turn.at)
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                if turn.message_id is not None and not remembers:
                    marker = item(
                        pk, marker_sk(turn.message_id), seq=turn.seq, expires_at=int(turn.at) + MARKER_SECONDS
                    )
                    transaction.save(marker, condition=free)
                elif turn.message_id is not None and marked:
                    transaction.condition_check(item, pk, marker_sk(turn.message_id), condition=free)
                self._save(transaction, conversation, turn, before, after, kept_seconds, revision)
                if turn.seq == 1:
                    known = free | (item.updated_at <= conversation.erased_at)
                    transaction.condition_check(item, erasure_pk(conversation.key), ERASED, condition=known)
                if learned or turn.seq == 1:
                    self._identify(transaction, conversation.key, learned)
                if contact is not None:
                    self._store_contact(transaction, conversation.key.organization_id, contact)
        except TransactWriteError as error:
            codes = cancellation_codes(error)
            if turn.message_id is not None and marked and codes[_MARKER : _MARKER + 1] == ["ConditionalCheckFailed"]:
                raise AlreadyCommittedError(turn.message_id) from None
            if set(codes) & {"ConditionalCheckFailed", "TransactionConflict"}:
                self._forget(pk)
                self._refuse_committed(conversation.key, turn)
                raise ConflictError(f"turn {turn.seq} of the conversation was written by another worker") from None
            raise

    def update_contact(self, loaded: Conversation, after: Conversation) -> None:
        item = self._table.item
        known = replace(loaded, contact=after.contact, opted_out=after.opted_out)
        actions: list[Action] = [item.body.set(_body(known)), item.revision.set(after.contact_revision)]
        try:
            item(conversation_pk(loaded.key), STATE).update(
                actions, condition=self._is_at(loaded.seq, loaded.contact_revision)
            )
        except UpdateError as error:
            if dynamodb_error_code(error) != "ConditionalCheckFailedException":
                raise
            raise ConflictError("the conversation was written by another worker") from None

    def _is_at(self, seq: int, contact_revision: int) -> Condition:
        """The stored conversation has had this turn, and has a copy of the contact's revision."""
        item = self._table.item
        copied = item.revision == contact_revision if contact_revision else item.revision.does_not_exist()
        at: Condition = (item.seq == seq) & copied
        return at

    def _store_contact(self, transaction: TransactWrite, organization_id: str, write: ContactWrite) -> None:
        stored, unchanged = contact_item(self._table, organization_id, write.contact)
        transaction.save(stored, condition=unchanged)
        for change in change_items(self._table, organization_id, write.contact.contact_id, write.changes):
            transaction.save(change)

    def _save(
        self,
        transaction: TransactWrite,
        conversation: Conversation,
        turn: TurnRecord,
        before: ProcessedMessages,
        after: ProcessedMessages,
        kept_seconds: int,
        contact_revision: int | None,
        *,
        tell_later: bool = False,
    ) -> None:
        """Write the conversation, with another revision of the contact if one is given, and its turn, if it is the next one.

        `tell_later`: the `due` job publishes the turn's events.
        """
        item, pk = self._table.item, conversation_pk(conversation.key)
        expires_at, free = int(turn.at) + kept_seconds, self._table.absent_or_expired(turn.at)
        state = self._conversation_item(conversation, pk, expires_at)
        state.processed = after.encode()
        if contact_revision is not None:
            state.revision = contact_revision
        expected = self._is_at(turn.seq - 1, conversation.contact_revision) if turn.seq > 1 else free
        transaction.save(state, condition=expected)
        record = item(pk, turn_sk(turn.seq), body=_encode(turn).decode(), expires_at=expires_at)
        if after.starts_run(before):
            record.log_pk = log_pk(turn.at, log_shard(pk))
            record.log_sk = log_sk(pk, conversation.key.organization_id, turn.at)
        if tell_later:
            record.due_pk, record.due_at = outbox_pk(due_shard(pk)), turn.at
        transaction.save(record, condition=free)

    def _identify(self, transaction: TransactWrite, key: ConversationKey, learned: Sequence[str]) -> None:
        """Let the contact's id and the identities that were learned lead to the contact. None may lead to another one."""
        item, contact_id = self._table.item, key.contact_id
        leads_here = item.pk.does_not_exist() | (item.contact_id == contact_id)
        actions: list[Any] = [item.contact_id.set(contact_id)]
        if learned:
            actions += [item.identities.add(set(learned)), item.revision.add(1)]
        own = item(alias_pk(key.organization_id, contact_id), ALIAS)
        transaction.update(own, actions=actions, condition=leads_here)
        for identity in learned:
            alias = item(alias_pk(key.organization_id, identity), ALIAS, contact_id=contact_id)
            transaction.save(alias, condition=leads_here)

    def merge(
        self,
        conversation: Conversation,
        turn: TurnRecord,
        left: Conversation,
        left_turn: TurnRecord,
        contact_revision: int | None = None,
    ) -> None:
        kept_seconds, item = self._retention(conversation.key.organization_id), self._table.item
        self._copy_notes(conversation_pk(left.key), conversation_pk(conversation.key))
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                for one, record, revision in ((conversation, turn, contact_revision), (left, left_turn, None)):
                    before = self._processed(one.key, record)
                    after, _ = before.after(record, kept_seconds)
                    tell = bool(events_of_turn(one.key, record))
                    self._save(transaction, one, record, before, after, kept_seconds, revision, tell_later=tell)
                if turn.seq == 1:  # the contact may have been merged into another one meanwhile
                    self._identify(transaction, conversation.key, ())
                if left_turn.session_id:  # whether it goes on or is closed, it keeps its pseudonym in the lake
                    names = item(contact_pk(conversation.key.organization_id, conversation.key.contact_id), _PSEUDONYMS)
                    taken_over = {f"{left_turn.session_id}#{left.key.contact_id}"}
                    transaction.update(names, actions=[item.sessions.add(taken_over)])
        except TransactWriteError as error:
            if set(cancellation_codes(error)) & {"ConditionalCheckFailed", "TransactionConflict"}:
                for key in (conversation.key, left.key):
                    self._forget(conversation_pk(key))
                raise ConflictError("one of the conversations was written by another worker") from None
            raise

    def _copy_notes(self, source: str, target: str) -> None:
        """Copy what agents noted, and who has the conversation unless that is known. Repeating it changes nothing."""
        item = self._table.item
        for found in item.query(source, item.sk.startswith(NOTE), consistent_read=True):
            item(target, found.sk, body=found.body, expires_at=found.expires_at).save()
        try:
            found = item.get(source, ASSIGNMENT, consistent_read=True)
            copy = item(target, ASSIGNMENT, body=found.body, revision=found.revision, expires_at=found.expires_at)
            copy.save(condition=item.pk.does_not_exist())
        except item.DoesNotExist:
            return
        except PutError as error:
            if dynamodb_error_code(error) != "ConditionalCheckFailedException":
                raise

    def _processed(self, key: ConversationKey, turn: TurnRecord) -> ProcessedMessages:
        """The processed messages before this turn: of the loaded conversation, otherwise read from the table."""
        pk, seq = conversation_pk(key), turn.seq - 1
        if not seq:
            return ProcessedMessages()  # a new conversation; if it is not, the commit's condition fails
        for known in (self._loaded, self._loaded_together):
            if known.get(pk, (0, None))[0] == seq:
                return read_processed_messages(known[pk][1], turn.at)
        item = self._get(key, STATE)
        if item is None or int(item.seq or 0) != seq:
            self._refuse_committed(key, turn)
            raise ConflictError(f"turn {turn.seq} of the conversation is not the next one")
        return read_processed_messages(item.processed, turn.at)

    def _forget(self, pk: str) -> None:
        """Another worker has written the conversation."""
        self._loaded.pop(pk, None)
        self._loaded_together.pop(pk, None)

    def _refuse_committed(self, key: ConversationKey, turn: TurnRecord) -> None:
        """Raise `AlreadyCommittedError` when the turn was refused because its message has already taken a turn."""
        if turn.message_id is None:
            return
        state = self._get(key, STATE)
        if state is not None and read_processed_messages(state.processed, turn.at).turn_of(turn.message_id) is not None:
            raise AlreadyCommittedError(turn.message_id)

    def turn(self, key: ConversationKey, seq: int) -> TurnRecord | None:
        item = self._get(key, turn_sk(seq))
        return read_turn(item.body) if item is not None and item.body else None

    def latest_turns(self, conversations: Sequence[Conversation]) -> dict[ConversationKey, TurnRecord]:
        places = [(conversation_pk(one.key), turn_sk(one.seq)) for one in conversations]
        items, now = self._table.item.batch_get(places, consistent_read=False), self._clock()  # turns never change
        kept = [item for item in items if item.body and is_unexpired(item, now)]
        return {conversation_key(item.pk): read_turn(item.body) for item in kept}

    def turn_of_message(self, key: ConversationKey, message_id: str) -> TurnRecord | None:
        state = self._get(key, STATE)
        seq = read_processed_messages(state.processed, 0).turn_of(message_id) if state is not None else None
        if seq is None:
            marker = self._get(key, marker_sk(message_id))
            seq = int(marker.seq) if marker is not None and marker.seq is not None else None
        return self.turn(key, seq) if seq is not None else None

    def turns(self, key: ConversationKey) -> list[TurnRecord]:
        items = self._table.item.query(
            conversation_pk(key), self._table.item.sk.startswith("TURN#"), consistent_read=self._consistent
        )
        now = self._clock()
        return [read_turn(item.body) for item in items if item.body and is_unexpired(item, now)]

    def due(self, now: float) -> Iterator[DueConversation]:
        index = self._table.item.due
        for shard in range(DUE_SHARDS):
            for item in index.query(due_pk(shard), self._table.item.due_at <= now):
                yield DueConversation(conversation_key(item.pk), float(item.due_at or 0))

    def _get(self, key: ConversationKey, sk: str) -> Item | None:
        try:
            item = self._table.item.get(conversation_pk(key), sk, consistent_read=self._consistent)
        except self._table.item.DoesNotExist:
            return None
        return item if is_unexpired(item, self._clock()) else None

    def _conversation_item(self, conversation: Conversation, pk: str, expires_at: int) -> Item:
        session = conversation.session
        state = session.state.decode() if session is not None and session.state is not None else None
        item = self._table.item(
            pk, STATE, body=_body(conversation), state=state, seq=conversation.seq, expires_at=expires_at
        )
        item.revision = conversation.contact_revision or None
        organization_id = conversation.key.organization_id
        if conversation.merged_into is not None:
            item.contact_id = conversation.merged_into  # it is in no list
        elif session is not None and session.human:
            item.recent_pk, item.recent_at = agents_pk(organization_id), conversation.active_at
        elif conversation.active_at:
            item.recent_pk = recent_pk(organization_id, recent_shard(pk))
            item.recent_at = start_of_slot(conversation.active_at)
        if session is not None:
            # A conversation that waits for a month must not expire after a week.
            item.expires_at = max(expires_at, int(session.expires_at) + SESSION_END_GRACE_SECONDS)
            ends_at = session_end(pk, session.expires_at)
            item.due_pk = due_pk(due_shard(pk))
            item.due_at = min(ends_at, session.timer_at) if session.timer_at is not None else ends_at
        return item


def _body(conversation: Conversation) -> str:
    """The conversation as JSON, without what other attributes of its item hold: the key, `seq`, the contact's revision and the
    session's state."""
    session = conversation.session
    if session is not None:
        session = replace(session, state=None)
    return _encode(replace(conversation, key=NO_KEY, seq=0, contact_revision=0, session=session)).decode()


def conversation_of(key: ConversationKey, item: Item) -> Conversation:
    """The conversation that an item stores."""
    conversation = _read_conversation.decode(item.body or "")
    conversation.key, conversation.seq, conversation.contact_revision = key, int(item.seq or 0), int(item.revision or 0)
    if conversation.session is not None and item.state is not None:
        conversation.session.state = item.state.encode()
    return conversation


def _processed(items: Iterable[Item]) -> dict[str, tuple[int, str | None]]:
    return {item.pk: (int(item.seq or 0), item.processed) for item in items}


def read_turn(body: str) -> TurnRecord:
    """The record of a turn. Its decoder is made with the first one: a plain turn reads none, and it is large."""
    return msgspec.json.decode(body, type=TurnRecord)
