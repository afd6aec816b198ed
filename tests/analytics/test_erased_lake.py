"""Erasing a person changes no figure of the lake, however often it is exported again, and leaves none of their words."""

import contextlib
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.conversation.export import ExportToLake
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.records import Conversation, ConversationKey, Delivery, LakePart, TurnRecord
from pytake.engine import Contact, Event, Input, Step
from pytake.whatsapp.outbound import Text
from tests import fakes
from tests.contracts.conftest import aws, clock, table
from tests.fakes.lake import MemoryLake
from tests.table import kept

__all__ = ["aws", "clock", "table"]

HOUR, DAY = 3600, 86_400
ANA, BIA = "5511999999999", "5511888888888"
NUMBER = "100000000000001"


@pytest.fixture(autouse=True)
def _few_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours are read in as many queries as there are shards, and these tests read many hours."""
    for module in ("conversations", "event_log", "erasure", "table"):
        monkeypatch.setattr(f"pytake.aws.{module}.LOG_SHARDS", 1, raising=False)
    monkeypatch.setattr("pytake.conversation.export.FIRST_LOOK_BACK_HOURS", 1)


class World:
    def __init__(self, table: Any, clock: fakes.FrozenClock) -> None:
        self.table, self.clock = table, clock
        clock.now = clock.now // DAY * DAY + 60
        self.conversations = DynamoConversations(table, kept(), clock)
        self.deliveries = DynamoDeliveries(table, clock, kept())
        self.log = DynamoEventLog(table, kept())
        self.lake = MemoryLake()
        self.erasure = DynamoErasure(table, self.log)
        self.export = ExportToLake(
            self.log, self.lake, DynamoHeldTurns(table), clock, lambda *_: None, lambda _again: 0
        )

    def turn(self, contact_id: str, seq: int) -> None:
        key = ConversationKey("acme", NUMBER, contact_id)
        record = TurnRecord(
            seq,
            self.clock(),
            f"s{contact_id}",
            "waiting",
            Input(text=f"I am Zebedeu {contact_id}"),
            f"wamid.{contact_id}.{seq}",
            "text",
            flow_id="main",
            path=[Step("main", "ask", "next")],
            messages=[Text("Hello Zebedeu"), Text("Bye Zebedeu")],
            events=[Event("variable_reported", {"name": "name", "value": f"Zebedeu {contact_id}"})],
        )
        self.conversations.commit(Conversation(key=key, contact=Contact(id=contact_id), seq=seq), record)
        self.deliveries.claim(key, Delivery(seq, 0, "accepted", sends=1), None)

    def erase(self) -> Any:
        keys = [ConversationKey("acme", number, ANA) for number in (NUMBER, "100000000000002")]
        pending = self.erasure.begin("acme", keys, self.clock())
        self.erasure.remove(pending)
        return pending

    def finish(self, pending: Any) -> None:
        self.erasure.remove(pending)
        for hour in pending.unsettled:
            self.export.export_hour("acme", hour)
        for hour in pending.reported:
            self.lake.redact("acme", hour, pending.contacts)
        self.erasure.finish(pending)

    def rows(self) -> list[LakeEvent]:
        return sorted(self.lake.rows(), key=lambda row: row.event_id)


def without(rows: list[LakeEvent], contact_id: str) -> list[LakeEvent]:
    """The rows without the values of a person."""
    return [replace(row, variables=None) if row.variables and contact_id in str(row.variables) else row for row in rows]


@pytest.fixture
def world(table: Any, clock: fakes.FrozenClock) -> World:
    return World(table, clock)


def test_no_figure_changes_however_often_the_hours_are_exported_again(world: World) -> None:
    for contact_id in (ANA, BIA):
        for seq in range(1, 4 if contact_id == ANA else 2):
            world.turn(contact_id, seq)
    world.export(300)
    world.clock.forward(30 * HOUR)  # one hour is settled by half: its last pass is to come
    world.export(300)
    before = world.rows()
    assert ANA in msgspec.json.encode(before).decode()
    pending = world.erase()
    world.finish(pending)
    assert world.rows() == without(before, ANA)
    world.clock.forward(60 * HOUR)
    world.export(300)
    assert world.rows() == without(before, ANA)
    assert sum(row.type == "reported" for row in world.rows()) == 4


def test_what_is_left_of_a_person_stays_in_its_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a turn that follows others, in an hour of several files: it is where the first of them is."""
    monkeypatch.setattr("pytake.conversation.export.ENTRIES_PER_PART", 1)
    for contact_id, seq in ((ANA, 1), (BIA, 1), (ANA, 2), (ANA, 3)):
        world.turn(contact_id, seq)
        world.clock.forward(60)
    world.export(300)
    before = {row.event_id: place for place, rows in world.lake.files.items() for row in rows}
    assert len(world.lake.files) == 2
    world.finish(world.erase())
    assert {row.event_id: place for place, rows in world.lake.files.items() for row in rows} == before
    assert ANA not in msgspec.json.encode(world.rows()).decode()


def test_what_was_never_exported_before_the_erasure_is_counted_all_the_same(world: World) -> None:
    world.turn(ANA, 1)
    world.turn(BIA, 1)
    world.finish(world.erase())
    world.export(300)
    kinds = [row.type for row in world.rows()]
    assert kinds.count("reported") == kinds.count("message_in") == 2
    assert len({row.contact for row in world.rows()}) == 2
    assert "Zebedeu " + ANA not in msgspec.json.encode(world.rows()).decode()


def test_an_export_under_way_brings_nothing_back(world: World) -> None:
    world.turn(ANA, 1)
    hour = int(world.clock()) // HOUR * HOUR
    turns = list(world.log.turns(hour, world.log.entries(hour)))
    pending = world.erase()
    world.export._put(LakePart("acme", hour, hour * 1000, hour * 1000), turns)  # it had read before
    assert ANA in msgspec.json.encode(world.rows()).decode()
    world.finish(pending)
    assert ANA not in msgspec.json.encode(world.rows()).decode()
    assert [row.type for row in world.rows()].count("reported") == 1
    assert ANA not in str(items(world))


@pytest.mark.parametrize("death", range(1, 8))
def test_an_erasure_that_dies_is_finished_by_the_next_call(world: World, death: int, monkeypatch: Any) -> None:
    world.turn(ANA, 1)
    world.turn(BIA, 1)
    monkeypatch.setattr("pytake.aws.erasure.ACTIONS", 12)  # so that few turns are several transactions
    for seq in range(2, 5):
        world.turn(ANA, seq)
    world.export(300)
    before = world.rows()
    real, left = world.table.connection.dispatch, [death]

    def dies(operation: str, request: Any, *more: Any) -> Any:
        if operation in ("BatchWriteItem", "TransactWriteItems", "PutItem"):
            left[0] -= 1
            if left[0] == 0:
                raise SystemExit("killed")
        return real(operation, request, *more)

    with monkeypatch.context() as patched, contextlib.suppress(SystemExit):
        patched.setattr(world.table.connection, "dispatch", dies)
        world.erase()
    world.finish(world.erase())
    for pending in world.erasure.pending(world.clock()):
        world.finish(pending)
    world.export(300)
    assert world.rows() == without(before, ANA)
    assert ANA not in str(items(world))
    assert "Hello Zebedeu" in str(items(world)), "of the other person"


def items(world: World) -> list[Any]:
    import boto3

    return list(boto3.client("dynamodb").scan(TableName="contracts")["Items"])
