"""Erasing a person at a number from DynamoDB."""

from collections.abc import Iterable

from pytake.aws.table import Table, contact_pk, conversation_pk, parked_pk
from pytake.conversation.ports import ConflictError
from pytake.conversation.records import ConversationKey

PASSES = 5
_STATE = "STATE"

_Place = tuple[str, str]


class DynamoErasure:
    """Implements `pytake.conversation.ports.Erasure`.

    The conversation goes first: every commit is conditional on it, so a turn under way is refused. The oldest turn goes
    last: a new conversation cannot write its own first turn before, so nothing new is mixed with what is being removed.
    Then it looks again, until there is nothing.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def erase(self, key: ConversationKey) -> int:
        removed = 0
        for _ in range(PASSES):
            found = self._found(key)
            if not found:
                return removed
            state = (conversation_pk(key), _STATE)
            oldest_turn = min((place for place in found if place[1].startswith("TURN#")), default=state)
            self._remove(place for place in found if place == state)
            self._remove(place for place in found if place not in (state, oldest_turn))
            self._remove(place for place in found if place == oldest_turn)
            removed += len(found)
        raise ConflictError(f"something new was written in each of {PASSES} passes")

    def _found(self, key: ConversationKey) -> list[_Place]:
        item = self._table.item
        conversation = item.query(conversation_pk(key), consistent_read=True, attributes_to_get=["pk", "sk"])
        parked = item.query(
            parked_pk(key.organization_id, key.phone_number_id),
            item.sk.startswith(f"{key.contact_id}#"),
            consistent_read=True,
            attributes_to_get=["pk", "sk"],
        )
        # With the key of the person's pseudonyms gone, the lake's rows are nobody's.
        keys = item.query(
            contact_pk(key.organization_id, key.contact_id), consistent_read=True, attributes_to_get=["pk", "sk"]
        )
        return [(entry.pk, entry.sk) for entries in (conversation, parked, keys) for entry in entries]

    def _remove(self, places: Iterable[_Place]) -> None:
        with self._table.item.batch_write() as batch:
            for pk, sk in places:
                batch.delete(self._table.item(pk, sk))
