"""Whatever happens at any call of a tick, each person gets the message once or is listed with a reason, within the cap."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.campaigns import claim, freeze
from pytake.campaigns.audience import PLANNED, RELEASED
from pytake.campaigns.claim import LEASE_SECONDS
from pytake.campaigns.manage import CampaignStateError
from pytake.campaigns.recount import LOOK_AGAIN_SECONDS
from pytake.campaigns.release import FAILED
from pytake.contacts.consent import Consent
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.recorded_erasures import erasure_digest
from tests.campaigns.world import PRICE, CampaignWorld, KilledError, key, person

PEOPLE = 8
CAP = 6 * PRICE


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, chunks and steps of the freeze so small that one campaign has many of them."""
    monkeypatch.setattr(claim, "CHUNK_RECIPIENTS", 2)
    monkeypatch.setattr(freeze, "PART_RECIPIENTS", 3)
    monkeypatch.setattr(freeze, "STEP_CONTACTS", 4)


def new_world(cap: int | None = None) -> CampaignWorld:
    people = [person(index) for index in range(PEOPLE)]
    people[3] = person(3, consent="")
    world = CampaignWorld(people, spend_cap_micros=cap)
    world.start()
    return world


def number_of_calls() -> int:
    world = new_world()
    assert world.run().status == "completed"
    return world.calls.made


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_audience_is_the_same_wherever_its_worker_dies(when: str) -> None:
    """The checksum is over all parts, with the reasons of those who are left out."""
    calm = new_world()
    calm.run()
    checksum = calm.campaign.freeze.checksum
    for number in range(calm.calls.names.index("reserve_block")):
        world = new_world()
        world.calls.at[number, when] = killed
        world.run()
        assert (world.campaign.freeze.people, world.campaign.freeze.checksum) == (PEOPLE, checksum)
    other = new_world()
    other.people[5] = other.product.contacts.save("acme", replace(other.people[5], consent={}))
    other.run()
    assert len({checksum, other.campaign.freeze.checksum, ""}) == 3


CALLS = number_of_calls()


def check(world: CampaignWorld, *, complete: bool = True, cap: int | None = None) -> None:
    """Each person once or with a reason, every turn queued, and the money of every turn reserved."""
    turns, outcomes = world.turns(), world.outcomes()
    assert all(len(own) <= 1 for own in turns.values())
    written = {contact_id for contact_id, own in turns.items() if own}
    assert sorted(world.queued()) == sorted(written)
    listed = {contact_id for contact_id, outcome in outcomes.items() if outcome == RELEASED}
    assert listed == written
    if complete:
        assert set(outcomes) == {one.contact_id for one in world.people}
        assert all(outcome != PLANNED for outcome in outcomes.values())
        assert outcomes[world.people[3].contact_id] == "-no_consent"
        assert len(written) == PEOPLE - 1
    cost = sum(mark.price_micros for own in turns.values() for record in own if (mark := record.campaign) is not None)
    assert cost == PRICE * len(written) == sum(part.cost_micros for part in world.parts)
    assert cost <= world.campaign.spent_micros
    assert cost <= sum(world.budget.reserved.values())
    assert world.campaign.chunk is None
    if cap is not None:
        assert world.campaign.spent_micros <= cap


def killed() -> None:
    raise KilledError


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_dies_at_any_call(when: str) -> None:
    for number in range(CALLS):
        world = new_world()
        world.calls.at[number, when] = killed
        assert world.run().status == "completed", (number, world.calls.names[number])
        check(world)


def test_two_workers_die_one_after_the_other() -> None:
    for number in range(0, CALLS, 3):
        world = new_world()
        world.calls.at[number, "after"] = killed
        world.calls.at[number + 9, "before"] = killed
        assert world.run().status == "completed", number
        check(world)


def test_two_ticks_run_at_once() -> None:
    for number in range(CALLS):
        world = new_world()
        world.calls.at[number, "after"] = lambda world=world: world.tick()  # type: ignore[misc]
        assert world.run().status == "completed", number
        check(world)


def test_a_worker_wakes_up_after_another_has_taken_over() -> None:
    """Its lease has ended meanwhile: it stops at the next turn, and what it still writes changes nothing."""
    for number in range(CALLS):
        world = new_world()

        def stall(world: CampaignWorld = world) -> None:
            world.clock.forward(LEASE_SECONDS + 1)
            world.tick()

        world.calls.at[number, "before"] = stall
        assert world.run().status == "completed", (number, world.calls.names[number])
        check(world)


def test_the_cap_is_never_passed() -> None:
    for number in range(CALLS):
        for happens in (killed, None):
            world = new_world(CAP)

            def stall(world: CampaignWorld = world) -> None:
                world.clock.forward(LEASE_SECONDS + 1)
                world.tick()

            world.calls.at[number, "after"] = happens or stall
            campaign = world.run()
            assert (campaign.status, campaign.reason) == ("paused", "spend_cap"), number
            check(world, complete=False, cap=CAP)
            assert sum(map(len, world.turns().values())) == CAP // PRICE


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_a_user_stops_it_at_any_call(action: str) -> None:
    for number in range(CALLS):
        world = new_world()

        def stop(world: CampaignWorld = world) -> None:
            try:
                getattr(world.manage, action)("acme", "spring", "ana")
            except CampaignStateError:
                assert world.campaign.status == "completed"

        world.calls.at[number, "before"] = stop
        before = 0

        world.tick()
        before = sum(map(len, world.turns().values()))
        world.run()
        assert sum(map(len, world.turns().values())) == before, "no person is written to after the tick of the pause"
        check(world, complete=world.campaign.status == "completed")
        if world.campaign.status == "paused":
            world.manage.resume("acme", "spring", "ana")
            assert world.run().status == "completed"
            check(world)


def test_a_worker_dies_while_a_user_stops_it() -> None:
    for number in range(0, CALLS, 2):
        world = new_world()

        def stop(world: CampaignWorld = world) -> None:
            if world.campaign.status == "running":
                world.manage.cancel("acme", "spring", "ana")
            raise KilledError

        world.calls.at[number, "after"] = stop
        world.run()
        check(world, complete=world.campaign.status == "completed")


def test_a_pause_is_seen_after_one_chunk() -> None:
    world = new_world()
    probe = new_world()
    probe.run()
    first_commit = probe.calls.names.index("commit")
    world.calls.at[first_commit, "before"] = lambda: world.manage.pause("acme", "spring", "ana") and None  # type: ignore[func-returns-value]
    world.tick()
    assert sum(map(len, world.turns().values())) == 2


def test_a_tick_ends_when_the_lane_is_full_at_the_end_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeze, "PART_RECIPIENTS", 2)
    world = new_world()
    world.lane.per_second = 2.5 / claim.HORIZON_SECONDS  # two people: exactly the first part
    looks = iter(range(1000))
    world.new_worker()(lambda: next(looks) > 100)
    assert len(world.queued()) == 2
    assert next(looks) < 20, "the worker does not look again and again"
    assert world.run(ticks=300).status == "completed"


def test_a_person_opts_out_after_the_freeze() -> None:
    world = new_world()
    gone = world.people[0]

    def opt_out() -> None:
        for one in world.people:
            stored = world.product.contacts.load("acme", one.contact_id)
            if one.contact_id == gone.contact_id:
                consent = {**stored.consent, "service": Consent("withdrawn", "stop", 2)}
                world.product.contacts.save("acme", replace(stored, consent=consent))

    probe = new_world()
    probe.run()
    world.calls.at[probe.calls.names.index("reserve_block"), "before"] = opt_out
    world.run()
    assert world.outcomes()[gone.contact_id] == "-opted_out late"
    assert world.turns()[gone.contact_id] == []
    assert world.campaign.spent_micros == PRICE * (PEOPLE - 2), "the price of a refused person comes back"


def test_a_person_opts_out_at_another_number_after_the_freeze() -> None:
    """The conversation at the campaign's number does not know it yet."""
    world = new_world()
    gone = world.people[0]
    world.product.say("Oi", gone.contact_id)
    world.clock.forward(30 * 3600)
    world.product.fire_due_timers()
    probe = new_world()
    probe.run()
    stored = world.product.contacts.load("acme", gone.contact_id)
    consent = {**stored.consent, "service": Consent("withdrawn", "stop", 2)}
    conversation = world.product.conversations.stored[key(world)]

    def opt_out() -> None:
        world.product.contacts.save("acme", replace(stored, consent=consent))

    world.calls.at[probe.calls.names.index("reserve_block"), "before"] = opt_out
    world.run()
    assert not conversation.opted_out
    assert world.outcomes()[gone.contact_id] == "-opted_out late"
    assert world.turns()[gone.contact_id] == []


@pytest.mark.parametrize("pauses", [False, True])
def test_a_conversation_that_others_keep_writing_is_tried_again_in_the_next_tick(pauses: bool) -> None:
    """Also if a pause ends the claim before that. Then the next claim begins with the same person and has others: it has a
    reservation of its own."""
    world = new_world()
    busy = world.people[0].contact_id
    commit = world.product.conversations.commit
    refused: list[str] = []

    def contended(conversation: Any, turn: Any, *more: Any) -> None:
        if conversation.key.contact_id == busy and len(refused) < 4:
            refused.append(busy)
            raise ConflictError
        commit(conversation, turn, *more)

    world.product.conversations.commit = contended  # type: ignore[method-assign]
    world.tick()
    assert world.campaign.chunk is not None, "the others of its chunk are noted"
    assert world.outcomes()[busy] == PLANNED
    assert sum(map(len, world.turns().values())) == 1
    world.clock.forward(60)
    if pauses:
        world.manage.pause("acme", "spring", "ana")
        world.run()
        world.manage.resume("acme", "spring", "ana")
    assert world.run().status == "completed"
    check(world)


def test_the_turns_of_a_claim_are_queued_together() -> None:
    world = new_world()
    world.run()
    assert world.calls.names.count("put_bulk") == PEOPLE // 2, "one request of the queue for each claim"


def refuse(world: CampaignWorld, contact_id: str, patch: pytest.MonkeyPatch) -> None:
    """Let the queue refuse what is for one person."""
    put = world.product.queues.put_bulk

    def choosy(items: Any) -> Any:
        put([item for item in items if item.contact_id != contact_id])
        return [item for item in items if item.contact_id == contact_id]

    patch.setattr(world.product.queues, "put_bulk", choosy)


def test_who_the_queue_refused_is_queued_by_the_next_tick_and_the_others_are_not_held_back() -> None:
    world = new_world()
    refused = world.people[0].contact_id
    with pytest.MonkeyPatch.context() as patch:
        refuse(world, refused, patch)
        world.tick()
    assert refused not in world.queued()
    assert len(world.queued()) == 1, "the other one of the claim"
    world.run()
    check(world)


def test_a_committed_turn_of_a_person_who_is_listed_as_failed_is_queued_by_the_recount() -> None:
    world = new_world()
    refused = world.people[0].contact_id
    with pytest.MonkeyPatch.context() as patch:
        refuse(world, refused, patch)
        world.run()
        assert (world.outcomes()[refused], len(world.turns()[refused])) == (FAILED, 1)
        world.recount()
        assert world.outcomes()[refused] == FAILED, "the queue still refuses it"
    world.clock.forward(LOOK_AGAIN_SECONDS)
    world.recount()
    assert world.outcomes()[refused] == f"{RELEASED} ={PRICE}"
    assert world.queued().count(refused) == 1
    world.clock.forward(LOOK_AGAIN_SECONDS)
    world.recount()
    assert world.queued().count(refused) == 1, "it is queued once"


def test_a_turn_says_whether_its_template_goes_to_the_endpoint_for_marketing() -> None:
    for chosen in (True, False, None):
        world = CampaignWorld([person(0)], marketing_messages=chosen)
        world.start()
        world.run()
        assert [item.campaign.marketing_messages for item in world.product.queues.outbound if item.campaign] == [chosen]


def test_a_campaign_moves_no_conversation_up_the_list() -> None:
    world = new_world()
    world.run()
    stored = world.product.conversations.stored.values()
    assert [one.active_at for one in stored if one.last_inbound_at == 0] == [0] * (PEOPLE - 1)


def test_only_of_a_person_who_was_erased_it_is_looked_up_when() -> None:
    world = new_world()
    world.run()
    assert "erased_at" not in world.calls.names
    world = new_world()
    back = key(world)
    world.product.conversations.erased[erasure_digest(back)] = erased_at = world.clock() - 60
    world.run()
    check(world)
    assert world.calls.names.count("erased_at") == 1
    assert world.product.conversations.stored[back].erased_at == erased_at
