"""What a message of a campaign is decided by, in one request: its entry of the ledger, the conversation and the contact."""

from pytake.aws.contacts import contact_of
from pytake.aws.conversations import STATE, conversation_of
from pytake.aws.deliveries import delivery_of
from pytake.aws.table import PROFILE, Table, contact_pk, conversation_pk, delivery_sk, is_unexpired
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.delivery_reads import DeliveryRead
from pytake.conversation.records import ConversationKey


class DynamoDeliveryReads:
    """Implements `pytake.conversation.ports.delivery_reads.DeliveryReads`."""

    def __init__(self, table: Table, clock: Clock) -> None:
        self._table = table
        self._clock = clock

    def load(self, key: ConversationKey, turn: int, index: int) -> DeliveryRead:
        pk = conversation_pk(key)
        places = [
            (pk, delivery_sk(turn, index)),
            (pk, STATE),
            (contact_pk(key.organization_id, key.contact_id), PROFILE),
        ]
        items, now = self._table.item.batch_get(places, consistent_read=True), self._clock()
        found = {item.sk: item for item in items if item.sk == PROFILE or is_unexpired(item, now)}
        entry, state, contact = (found.get(sk) for _, sk in places)
        return DeliveryRead(
            delivery_of(entry) if entry is not None else None,
            conversation_of(key, state) if state is not None else None,
            contact_of(contact) if contact is not None else None,
        )
