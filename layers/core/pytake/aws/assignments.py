"""Assignments and notes on DynamoDB, in the partition of their conversation: erasing the person removes them too."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from pynamodb.exceptions import TransactWriteError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from pytake.aws.table import (
    Item,
    Table,
    cancellation_codes,
    conversation_key,
    conversation_pk,
    due_shard,
    is_unexpired,
    outbox_pk,
)
from pytake.conversation.assignments import Assignment, Note
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.records import ConversationKey
from pytake.conversation.retention_policy import RetentionPolicy

NOTE = "NOTE#"
"""What the sort keys of notes begin with."""

ASSIGNMENT = "ASSIGNMENT"
"""The sort key of an assignment."""

_STATE = "STATE"

_encode = msgspec.json.Encoder().encode


def note_sk(note: Note) -> str:
    return f"{NOTE}{int(note.at * 1000):013d}#{note.id}"


class DynamoAssignments:
    """Implements `pytake.conversation.assignments.Assignments`.

    `body` holds what `put` replaces. The reading mark (`updated_at`) and typing (`writer`, `status_at`) are attributes of their
    own, so that they never conflict with it.
    """

    def __init__(self, table: Table, retention: RetentionPolicy, clock: Clock) -> None:
        self._table = table
        self._retention = retention
        self._clock = clock

    def load(self, key: ConversationKey) -> Assignment:
        return self.load_all([key]).get(key, Assignment())

    def load_all(self, keys: Sequence[ConversationKey]) -> dict[ConversationKey, Assignment]:
        places, now = [(conversation_pk(key), ASSIGNMENT) for key in keys], self._clock()
        found = self._table.item.batch_get(places, consistent_read=True) if places else ()
        return {conversation_key(item.pk): _assignment(item) for item in found if is_unexpired(item, now)}

    def put(self, key: ConversationKey, assignment: Assignment, note: Note) -> Assignment:
        item, revision = self._table.item, assignment.revision
        stored = replace(assignment, revision=0, read_at=0, typing_by=None, typing_until=0)
        actions: list[Action] = [item.body.set(_encode(stored).decode()), item.revision.set(revision + 1)]
        unchanged = item.revision == revision if revision else item.revision.does_not_exist()
        self._write(key, actions, note, unchanged)
        return replace(assignment, revision=revision + 1)

    def mark_read(self, key: ConversationKey, at: float) -> None:
        self._write(key, [self._table.item.updated_at.set(at)])

    def set_typing(self, key: ConversationKey, by: str, until: float) -> None:
        item = self._table.item
        self._write(key, [item.writer.set(by), item.status_at.set(until)])

    def add_note(self, key: ConversationKey, note: Note) -> None:
        self._write(key, [], note)

    def notes(self, key: ConversationKey, limit: int) -> list[Note]:
        item, now = self._table.item, self._clock()
        found = item.query(
            conversation_pk(key), item.sk.startswith(NOTE), scan_index_forward=False, limit=limit, consistent_read=True
        )
        notes = [msgspec.json.decode(entry.body or "", type=Note) for entry in found if is_unexpired(entry, now)]
        return notes[::-1]

    def _write(
        self, key: ConversationKey, actions: list[Action], note: Note | None = None, unchanged: object = None
    ) -> None:
        """Write to an existing conversation. Raises `ConflictError` when it is gone or was changed."""
        item, pk = self._table.item, conversation_pk(key)
        expires_at = int(self._clock()) + self._retention(key.organization_id)
        try:
            with TransactWrite(connection=self._table.connection) as transaction:
                transaction.condition_check(item, pk, _STATE, condition=item.pk.exists())
                if actions:
                    set_ = [*actions, item.expires_at.set(expires_at)]
                    transaction.update(item(pk, ASSIGNMENT), set_, condition=unchanged)  # type: ignore[arg-type]
                if note is not None:
                    noted = item(pk, note_sk(note), body=_encode(note).decode(), expires_at=expires_at)
                    if note.changes:  # no queue repeats the request: this mark publishes the event if the worker dies
                        noted.due_pk, noted.due_at = outbox_pk(due_shard(pk)), note.at
                    transaction.save(noted)
        except TransactWriteError as error:
            if "ConditionalCheckFailed" in cancellation_codes(error):
                raise ConflictError("the conversation is gone, or its assignment was changed meanwhile") from None
            raise


def _assignment(item: Item) -> Assignment:
    found = msgspec.json.decode(item.body, type=Assignment) if item.body else Assignment()
    return replace(
        found,
        revision=int(item.revision or 0),
        read_at=float(item.updated_at or 0),
        typing_by=item.writer,
        typing_until=float(item.status_at or 0),
    )
