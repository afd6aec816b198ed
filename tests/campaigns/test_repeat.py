"""What Meta does not deliver because the person gets too much marketing is repeated once, a day later."""

import pytest
from msgspec.structs import replace

from pytake.campaigns.audience import without
from pytake.campaigns.ports import SlotBlock
from pytake.campaigns.records import QuietHours
from pytake.contacts.consent import Consent
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.records import Delivery
from rest.campaign_counts import counts_of
from tests.campaigns.world import PRICE, CampaignWorld, KilledError, key, limit, person, wait
from tests.conversation.product import choose

DAY = 24 * 3600
LISTED = f"released ={PRICE}"


def limited(**definition: object) -> CampaignWorld:
    """A completed campaign to two people. Meta limits the first one."""
    world = CampaignWorld([person(0), person(1)], **definition)
    world.start()
    assert world.run().status == "completed"
    limit(world)
    world.clock.forward(61)
    assert world.recount() == 1
    return world


def outcome(world: CampaignWorld) -> str:
    return world.outcomes()[key(world).contact_id]


def marks(world: CampaignWorld) -> list[tuple[str | None, bool]]:
    """The turns of the first person: their ids, and whether they are repetitions."""
    return [
        (one.message_id, one.campaign is not None and one.campaign.retry)
        for one in world.turns()[key(world).contact_id]
    ]


ONCE = [("campaign:spring", False)]
TWICE = [*ONCE, ("campaign:spring:retry", True)]


def test_the_message_is_repeated_after_a_day_with_the_money_of_the_first_one() -> None:
    world = limited()
    assert outcome(world) == "waiting"
    assert counts_of(world.audiences.counts("acme", "spring")).waiting == 1
    spent = world.campaign.spent_micros, dict(world.budget.reserved)
    wait(world, DAY - 62)
    assert marks(world) == ONCE
    wait(world, 2)
    assert marks(world) == TWICE
    assert outcome(world) == LISTED
    assert world.queued() == [world.people[0].contact_id, world.people[1].contact_id, world.people[0].contact_id]
    assert (world.campaign.spent_micros, world.budget.reserved) == spent
    assert sum(part.cost_micros for part in world.parts) == 2 * PRICE
    mark = world.turns()[key(world).contact_id][1].campaign
    assert mark is not None
    assert mark.slot_at == world.parts[0].released_at
    world.product.deliveries.entries[key(world), 2, 0] = Delivery(2, 0, "accepted", status="delivered")
    wait(world, 61)
    assert outcome(world) == f"delivered ={PRICE}"


def test_who_has_read_the_message_and_writes_nothing_costs_no_more_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    world = CampaignWorld([person(0), person(1)])
    world.start()
    assert world.run().status == "completed"
    asked: list[str] = []
    turn, load = world.product.conversations.turn, world.product.deliveries.load
    monkeypatch.setattr(world.product.conversations, "turn", lambda *where: asked.append("turn") or turn(*where))
    monkeypatch.setattr(world.product.deliveries, "load", lambda *where: asked.append("delivery") or load(*where))
    for who in (0, 1):
        world.product.deliveries.entries[key(world, who), 1, 0] = Delivery(1, 0, "accepted", status="read")
    wait(world, 61)
    assert sorted(asked) == ["delivery", "delivery", "turn", "turn"]
    wait(world, 3600)
    assert len(asked) == 4
    world.product.say("Oi", world.people[0].contact_id)
    world.product.run_queues()
    del asked[:]
    wait(world, 6 * 3600)
    assert outcome(world) == f"read replied ={PRICE}"
    assert asked.count("delivery") == 1, "only for the person who wrote"


def test_whatever_happens_after_a_message_was_read_is_counted() -> None:
    """Also what the person wrote before the campaign and Meta delivered after it, and opt-outs without a message."""
    world = CampaignWorld([person(index) for index in range(3)])
    product, late = world.product, str(int(world.clock()) - 60)
    world.start()
    assert world.run().status == "completed"
    for who in range(3):
        product.deliveries.entries[key(world, who), 1, 0] = Delivery(1, 0, "accepted", status="read")
    wait(world, 61)
    assert set(world.outcomes().values()) == {f"read ={PRICE}"}
    product.post(product.notification(product.message("Oi", world.people[0].contact_id) | {"timestamp": late}))
    product.run_queues()
    assert RecordOptOut(product.conversations, product.contacts, world.clock)(
        key(world, 1), world.clock(), "error_131050"
    )
    choose(product, "stop", world.clock(), world.people[2].contact_id)
    wait(world, 3600)
    assert outcome(world) == f"read replied ={PRICE}"
    for who in (1, 2):
        assert world.outcomes()[key(world, who).contact_id] == f"read opted_out ={PRICE}"


def test_an_effect_without_a_message_counts_from_when_the_whole_part_was_written_to() -> None:
    world = CampaignWorld([person(index) for index in range(4)], holdout=0.5)
    world.start()
    world.run()
    held = next(one for one in world.people if world.outcomes()[one.contact_id] == "-holdout")
    world.clock.forward(30)
    world.product.say("Oi", held.contact_id)
    wait(world, 60)
    assert world.outcomes()[held.contact_id] == "-holdout replied"
    (part,) = world.parts
    later = world.clock() + 10
    world.audiences.put("acme", "spring", replace(part, written_at=later, released_at=later, recount_at=later + 60))
    wait(world, 120)
    assert world.outcomes()[held.contact_id] == "-holdout"


def test_there_is_no_third_time() -> None:
    world = limited()
    wait(world, DAY)
    limit(world, 2)
    wait(world, 5 * DAY)
    assert marks(world) == TWICE
    assert outcome(world) == "failed:131049"
    assert [part.recount_at for part in world.parts] == [None]


def test_other_failures_are_not_repeated() -> None:
    world = limited()
    world.product.deliveries.entries[key(world), 1, 0].error_code = 131026
    wait(world, 4 * DAY)
    assert marks(world) == ONCE
    assert outcome(world) == "failed:131026"


def test_a_cancelled_campaign_repeats_nothing() -> None:
    world = limited()
    world.campaigns.save(world.campaign.with_status("cancelled", world.clock()))
    wait(world, 4 * DAY)
    assert marks(world) == ONCE
    assert outcome(world) == "failed:131049"


@pytest.mark.parametrize(("hours", "turns"), [(47, TWICE), (49, ONCE)])
def test_a_paused_campaign_repeats_once_it_goes_on_unless_that_is_too_late(
    hours: int, turns: list[tuple[str | None, bool]]
) -> None:
    world = limited()
    world.campaigns.save(world.campaign.with_status("paused", world.clock()))
    wait(world, hours * 3600)
    assert marks(world) == ONCE
    world.campaigns.save(world.campaign.with_status("running", world.clock()))
    wait(world, 3600)
    assert marks(world) == turns


def test_who_withdrew_the_consent_gets_no_repetition() -> None:
    world = limited()
    contact = world.product.contacts.load("acme", key(world).contact_id)
    assert contact is not None
    world.product.contacts.save("acme", replace(contact, consent={"marketing": Consent("withdrawn", "form", 2)}))
    wait(world, 4 * DAY)
    assert marks(world) == ONCE
    assert outcome(world) == "failed:131049"


def test_a_repetition_waits_for_a_slot_for_the_day_limit_and_for_the_end_of_the_night() -> None:
    world = limited()
    lane, reserve = world.lane, world.lane.reserve_block
    lane.reserve_block = lambda *_: SlotBlock()  # type: ignore[method-assign]
    wait(world, DAY)
    assert (marks(world), outcome(world)) == (ONCE, "waiting")
    lane.reserve_block, lane.people = reserve, 0  # type: ignore[method-assign]
    wait(world, 3600)
    assert (marks(world), outcome(world)) == (ONCE, "waiting")
    night = replace(world.campaign.definition, quiet_hours=QuietHours("00:00", "23:59"))
    lane.people = 1
    world.campaigns.save(replace(world.campaign, definition=night))
    wait(world, 700)
    assert (marks(world), outcome(world)) == (ONCE, "waiting")
    world.campaigns.save(replace(world.campaign, definition=replace(night, quiet_hours=None)))
    wait(world, 700)
    assert marks(world) == TWICE


def killed() -> None:
    raise KilledError


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_dies_when_it_queues_a_repetition(when: str) -> None:
    world = limited()
    world.calls.at[world.calls.made, when] = killed
    with pytest.raises(KilledError):
        wait(world, DAY)
    wait(world, 3600)
    assert marks(world) == TWICE
    assert world.queued().count(world.people[0].contact_id) > 1, "it is in the queue"


def test_an_erased_person_does_not_wait() -> None:
    world = limited()
    (part,) = world.parts
    gone = without(part, key(world).contact_id)
    assert sorted(gone.outcomes) == ["failed:131049", LISTED]
