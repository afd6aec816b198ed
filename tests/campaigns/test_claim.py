"""A claim is cut to what is left, and takes nothing that others could use."""

from typing import Any

import pytest

from tests.campaigns.world import PRICE, CampaignWorld, person

PEOPLE = 8


def world_of(**definition: Any) -> CampaignWorld:
    world = CampaignWorld([person(index) for index in range(PEOPLE)], **definition)
    world.start()
    return world


def test_a_claim_is_cut_to_the_rest_of_the_budget() -> None:
    world = world_of()
    world.budget.left = 3 * PRICE + PRICE // 2
    lane, people = world.lane, world.lane.people
    world.run(3)
    assert (len(world.queued()), world.campaign.waiting) == (3, "budget")
    assert lane.people == people - 3
    after = lane.next_slot
    world.run(5)
    assert (lane.people, lane.next_slot) == (people - 3, after), "nothing is reserved while it waits"
    world.budget.left = PEOPLE * PRICE
    assert world.run().status == "completed"
    assert len(world.queued()) == PEOPLE


def test_a_claim_is_cut_to_the_day_limit() -> None:
    world = world_of()
    world.lane.people = 2
    world.run(3)
    assert (len(world.queued()), world.campaign.waiting) == (2, "day_limit")
    after = world.lane.next_slot
    world.run(5)
    assert world.lane.next_slot == after, "no slots are reserved while it waits"
    assert sum(world.budget.reserved.values()) == 2 * PRICE


@pytest.mark.parametrize(("cap", "sent"), [(3 * PRICE + 1, 3), (3 * PRICE - 1, 2)])
def test_a_claim_is_cut_to_the_rest_of_the_cap(cap: int, sent: int) -> None:
    world = world_of(spend_cap_micros=cap)
    assert world.run().reason == "spend_cap"
    assert len(world.queued()) == sent


@pytest.mark.parametrize(("reserved", "left"), [(1, PEOPLE), (PEOPLE + 12, PEOPLE + 12)])
def test_what_a_dead_worker_reserved_bounds_the_next_claim_and_is_given_back(reserved: int, left: int) -> None:
    world = world_of()
    world.budget.left = left * PRICE
    world.budget.reserved["campaign:spring:BR:0:0:0"] = reserved * PRICE
    assert world.run().status == "completed"
    assert len(world.queued()) == PEOPLE
    assert sum(world.budget.reserved.values()) == PEOPLE * PRICE


@pytest.mark.parametrize("seconds", [0, 1, 45, 90])
def test_no_slot_is_later_than_two_seconds_after_the_next_tick_however_long_a_tick_takes(seconds: float) -> None:
    """A pause is seen by the next tick at the latest, and what was released before it has left two seconds later."""
    world = world_of()
    world.lane.per_second = 1 / 10
    begun, chunks = world.clock(), world.reader.chunks

    def slow(*arguments: Any) -> Any:
        world.clock.forward(seconds)
        return chunks(*arguments)

    world.reader.chunks = slow  # type: ignore[method-assign]
    world.tick()
    next_tick = begun + (world.clock() - begun) // 60 * 60 + 60
    marks = [item.campaign for item in world.product.queues.outbound]
    last = max(mark.slot_at for mark in marks if mark is not None)
    assert next_tick - 20 < last <= next_tick + 2


def test_the_slowest_pace_sends() -> None:
    world = world_of(pace_per_second=0.01)
    begun = world.clock()
    assert world.run(ticks=15).status == "completed"
    marks = [item.campaign for item in world.product.queues.outbound]
    slots = sorted(mark.slot_at - begun for mark in marks if mark is not None)
    assert slots == pytest.approx([100 * place for place in range(PEOPLE)])
