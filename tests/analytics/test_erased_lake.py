"""Erasing a person changes no figure of the lake, however often it is exported again, and leaves none of their words."""

import contextlib
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from pytake.aws.aliases import DynamoAliases
from pytake.contacts.records import new_contact
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.lake_records import LakePart
from pytake.conversation.merge_contacts import merged_conversations
from pytake.conversation.records import ConversationKey
from tests import fakes
from tests.analytics.dynamo_lake import ANA, BIA, HOUR, NUMBER, World, aws, clock, few_queries, table

__all__ = ["aws", "clock", "few_queries", "table"]


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


def test_the_row_of_a_merge_outlives_an_erasure_before_its_hour_is_settled(world: World) -> None:
    for contact_id in (ANA, BIA):
        world.turn(contact_id, 1)
    world.export(300)
    before = world.log.pseudonyms("acme", [ANA, BIA], world.clock())
    DynamoAliases(world.table, world.clock).merge("acme", ANA, BIA)
    keys = [ConversationKey("acme", NUMBER, one) for one in (ANA, BIA)]
    stays, goes = (world.conversations.load(key) for key in keys)
    assert goes is not None
    world.conversations.merge(*merged_conversations(keys[0], stays, goes, new_contact(ANA), world.clock()))
    pending = world.erasure.begin("acme", keys, world.clock())
    world.erasure.remove(pending)
    world.finish(pending)
    world.export(300)
    [merge] = [row for row in world.rows() if row.type == "merged"]
    assert (merge.contact, merge.code, merge.session) == (before[ANA].contact, before[BIA].contact, None)
    assert not {ANA, BIA} & set(msgspec.json.encode(world.rows()).decode().split('"'))


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
