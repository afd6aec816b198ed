"""The contract of the `DeliveryReads` port: what it reads together is what the other ports read one by one."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.delivery_reads import DynamoDeliveryReads
from pytake.contacts.records import new_contact
from pytake.conversation.ports.delivery_reads import DeliveryRead
from pytake.conversation.records import Conversation, ConversationKey, Delivery, Session, TurnRecord
from pytake.engine import Contact, Input
from tests import fakes
from tests.table import kept

NOW = 1_770_000_000.0
KEY = ConversationKey("acme", "100000000000001", "5511999999999")


@pytest.fixture(params=["fake", "aws"])
def ports(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> tuple[Any, Any, Any, Any]:
    if request.param == "fake":
        memory = fakes.MemoryConversations(), fakes.MemoryContacts(), fakes.MemoryDeliveries()
        return *memory, fakes.MemoryDeliveryReads(*memory)
    table = request.getfixturevalue("table")
    return (
        DynamoConversations(table, kept(), clock),
        DynamoContacts(table),
        DynamoDeliveries(table, clock, kept()),
        DynamoDeliveryReads(table, clock),
    )


def test_all_that_a_message_is_decided_by_is_read_together(ports: tuple[Any, Any, Any, Any]) -> None:
    conversations, contacts, deliveries, reads = ports
    assert reads.load(KEY, 1, 0) == DeliveryRead(None, None, None)
    session = Session("s", NOW, NOW + 60, state=b'{"f":"main","n":"q_name"}', timer_at=NOW + 30)
    conversation = Conversation(key=KEY, contact=Contact(KEY.contact_id), seq=1, session=session, opted_out=True)
    conversations.commit(conversation, TurnRecord(1, NOW, "s", "opened", Input(type="start"), message_id="campaign:c"))
    contacts.save("acme", new_contact(KEY.contact_id, at=NOW))
    deliveries.claim(KEY, Delivery(1, 0, "claimed", claimed_at=NOW), None)
    expected = DeliveryRead(deliveries.load(KEY, 1, 0), conversations.load(KEY), contacts.load("acme", KEY.contact_id))
    assert reads.load(KEY, 1, 0) == expected
    assert expected.entry is not None
    assert reads.load(KEY, 2, 0) == replace(expected, entry=None)
    elsewhere = ConversationKey("globex", KEY.phone_number_id, KEY.contact_id)
    assert reads.load(elsewhere, 1, 0) == DeliveryRead(None, None, None)
