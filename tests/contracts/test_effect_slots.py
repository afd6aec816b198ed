"""Slots for the calls of an organization, and the tries of a message, on DynamoDB."""

import pytest

from pytake.aws.effect_slots import LEASE_SECONDS, DynamoEffectSlots
from pytake.aws.table import Table
from pytake.aws.tries import DynamoTries
from pytake.conversation.ports.conversations import EffectSlot, EffectSlots
from tests import fakes

NOW = 1_770_000_000.5


@pytest.fixture(params=["fake", "aws"])
def slots(request: pytest.FixtureRequest) -> EffectSlots:
    if request.param == "fake":
        return fakes.MemoryEffectSlots(3)
    table: Table = request.getfixturevalue("table")
    return DynamoEffectSlots(table, 3)


def take(slots: EffectSlots, organization_id: str = "acme", now: float = NOW) -> EffectSlot:
    slot = slots.take(organization_id, now)
    assert slot is not None
    return slot


def test_an_organization_has_so_many_slots_and_no_more(slots: EffectSlots) -> None:
    taken = [take(slots) for _ in range(3)]
    assert len({slot.number for slot in taken}) == 3
    assert slots.take("acme", NOW + 1) is None


def test_a_slot_that_is_freed_can_be_taken_again(slots: EffectSlots) -> None:
    taken = [take(slots) for _ in range(3)]
    slots.free("acme", taken[1])
    assert take(slots, now=NOW + 1).number == taken[1].number
    assert slots.take("acme", NOW + 1) is None


def test_organizations_have_slots_of_their_own(slots: EffectSlots) -> None:
    for _ in range(3):
        take(slots)
    take(slots, "globex")


def test_the_slot_of_a_dead_worker_becomes_free_and_its_late_end_frees_no_other(table: Table) -> None:
    slots = DynamoEffectSlots(table, 1)
    old = take(slots)
    assert slots.take("acme", NOW + LEASE_SECONDS - 1) is None
    new = take(slots, now=NOW + LEASE_SECONDS)
    slots.free("acme", old)
    assert slots.take("acme", NOW + LEASE_SECONDS + 1) is None
    slots.free("acme", new)
    take(slots, now=NOW + LEASE_SECONDS + 1)


def test_a_slot_that_cannot_be_freed_does_not_fail_the_turn(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = DynamoEffectSlots(table, 1)
    slot = take(slots)
    monkeypatch.setattr(table.item, "update", lambda *_, **__: 1 / 0)
    slots.free("acme", slot)


def test_tries_are_counted_up_and_down_by_message(table: Table) -> None:
    tries = DynamoTries(table)
    assert [tries.add("m1", 1), tries.add("m1", 1), tries.add("m1", -1), tries.add("m2", 1)] == [1, 2, 1, 1]
