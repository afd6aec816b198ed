"""Items expire after the organization's retention, also before DynamoDB has removed them."""

from typing import Any

import boto3

from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.conversation.records import Conversation, ConversationKey, Delivery, Organization, Session, TurnRecord
from pytake.conversation.retention_policy import RetentionPolicy
from pytake.engine import Contact, Input
from pytake.whatsapp.outbound import Text
from tests import fakes

DAY = 86_400
ANA = ConversationKey("acme", "100000000000001", "5511999999999")
BIA = ConversationKey("zoo", "100000000000002", "5511999999999")


class World:
    def __init__(self, table: Any, clock: fakes.FrozenClock) -> None:
        tenants = fakes.MemoryTenants()
        tenants.put_organization(Organization("acme", retention_days=10))
        retention = RetentionPolicy(tenants, 90)
        self.clock = clock
        self.conversations = DynamoConversations(table, retention, clock)
        self.deliveries = DynamoDeliveries(table, clock, retention)

    def turn(self, key: ConversationKey, seq: int, session: Session | None = None) -> None:
        record = TurnRecord(seq, self.clock(), "s", "waiting", Input(text="Hi"), f"wamid.{seq}", messages=[Text("a")])
        self.conversations.commit(
            Conversation(key=key, contact=Contact(id=key.contact_id), seq=seq, session=session), record
        )


def expiries(table: Any, key: ConversationKey) -> dict[str, float | None]:
    items = boto3.client("dynamodb").scan(TableName="contracts")["Items"]
    return {
        item["sk"]["S"].partition("#")[0]: float(item["expires_at"]["N"]) if "expires_at" in item else None
        for item in items
        if key.contact_id in item["pk"]["S"] and key.organization_id in item["pk"]["S"]
    }


def test_items_live_as_long_as_their_organization_keeps_them(table: Any, clock: fakes.FrozenClock) -> None:
    world = World(table, clock)
    for key, days in ((ANA, 10), (BIA, 90)):
        world.turn(key, 1)
        world.deliveries.claim(key, Delivery(1, 0, "claimed"), None)
        found = expiries(table, key)
        ends = clock() + days * DAY
        # The alias of a contact stays until the person is erased.
        assert found == {"STATE": ends, "TURN": ends, "OUT": ends, "ALIAS": None}


def test_a_conversation_that_is_running_is_not_forgotten_before_it_ends(table: Any, clock: fakes.FrozenClock) -> None:
    world = World(table, clock)
    world.turn(ANA, 1, Session("s", clock(), clock() + 31 * DAY, timer_at=clock() + 30 * DAY))
    clock.forward(30 * DAY)
    assert world.conversations.load(ANA) is not None
    assert world.conversations.turns(ANA) == []


def test_what_outlived_its_time_is_not_read_and_does_not_stand_in_the_way(table: Any, clock: fakes.FrozenClock) -> None:
    world = World(table, clock)
    for seq in (1, 2):
        world.turn(ANA, seq)
    world.deliveries.claim(ANA, Delivery(1, 0, "claimed"), None)
    world.deliveries.record_status(ANA, 1, 0, send=1, status="read", at=1.0, message_id="wamid.old", code=None)
    clock.forward(10 * DAY)
    assert world.conversations.load(ANA) is None
    assert world.conversations.load_all([ANA]) == []
    assert world.conversations.turn(ANA, 1) is None
    assert world.conversations.turn_of_message(ANA, "wamid.1") is None
    assert world.deliveries.load(ANA, 1, 0) is None
    assert world.conversations.turns(ANA) == world.deliveries.of_conversation(ANA) == []

    world.turn(ANA, 1)  # the same message ids, too
    claimed = world.deliveries.claim(ANA, Delivery(1, 0, "claimed"), None)
    assert (claimed.revision, claimed.status, claimed.message_id) == (1, None, None)
    world.turn(ANA, 2)
    assert [record.at for record in world.conversations.turns(ANA)] == [clock(), clock()]
    assert [entry.turn for entry in world.deliveries.of_conversation(ANA)] == [1]
