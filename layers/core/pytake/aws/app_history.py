"""The messages that the phone app shared, one item each beside the turns of their conversation."""

from collections.abc import Sequence

import msgspec
from pynamodb.transactions import TransactWrite

from pytake.aws.table import Table, conversation_pk, is_unexpired
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.ports.common import Clock
from pytake.conversation.queues import digest
from pytake.conversation.records import ConversationKey
from pytake.conversation.retention_policy import RetentionPolicy

ACTIONS = 100
"""DynamoDB's limit for the items of a transaction."""

_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(HistoryMessage).decode


class DynamoAppHistory:
    """Implements `pytake.conversation.ports.conversations.AppHistory`."""

    def __init__(self, table: Table, retention: RetentionPolicy, clock: Clock) -> None:
        self._table = table
        self._retention = retention
        self._clock = clock

    def add(self, key: ConversationKey, messages: Sequence[HistoryMessage]) -> None:
        pk, kept_seconds, now = conversation_pk(key), self._retention(key.organization_id), self._clock()
        kept = {_sort_key(message): message for message in messages if message.sent_at + kept_seconds > now}
        keys = sorted(kept)
        for start in range(0, len(keys), ACTIONS):
            with TransactWrite(connection=self._table.connection) as transaction:
                for sk in keys[start : start + ACTIONS]:
                    message = kept[sk]
                    expires_at = int(message.sent_at) + kept_seconds
                    transaction.save(self._table.item(pk, sk, body=_encode(message).decode(), expires_at=expires_at))

    def of_conversation(self, key: ConversationKey) -> list[HistoryMessage]:
        items = self._table.item.query(conversation_pk(key), self._table.item.sk.startswith("HIST#"))
        now = self._clock()
        found = [_read(item.body) for item in items if item.body and is_unexpired(item, now)]
        # The retention may have been shortened since.
        return [message for message in found if message.sent_at + self._retention(key.organization_id) > now]


def _sort_key(message: HistoryMessage) -> str:
    """The sort key of a message that the phone app shared: by its time. A placeholder never replaces what it stands for."""
    place = 0 if message.is_placeholder else 1
    return f"HIST#{int(message.sent_at):010d}#{digest(message.id)[:16]}#{place}"
