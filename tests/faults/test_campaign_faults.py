"""Everyone in a campaign's audience is written to once or listed with a reason, whatever goes wrong, and the report is exact."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.campaigns import claim, recount
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.freeze import FreezeAudience
from pytake.campaigns.records import Campaign
from pytake.campaigns.release import ReleaseRecipients
from pytake.campaigns.repeat import RepeatLimited
from pytake.conversation import opening
from pytake.conversation.delivery import next_step
from pytake.conversation.delivery.deliver import Deliver
from pytake.whatsapp.errors import PERSON_LIMIT
from tests.depth import SHARE
from tests.fakes import MemoryRateSlots as RateSlots
from tests.faults import campaign_world
from tests.faults.campaign_invariants import broken, outcomes, repeated, taken
from tests.faults.plans import NoFaults, Plan, SingleFault, kinds
from tests.faults.replay import problems_of
from tests.faults.sequence_world import NUMBER
from tests.faults.timeline import DAY, START

SLOW_PEOPLE = 400

SEEDS, PARTS = 128 // SHARE, 8
Mutation = Callable[[pytest.MonkeyPatch], None]


def calls_of_the_calm_run() -> list[str]:
    plan = NoFaults()
    campaign_world.to_the_end(campaign_world.calm(plan=plan))
    return plan.calls


def of_campaigns(calls: list[str]) -> list[int]:
    """The first call of each kind."""
    places: dict[str, list[int]] = {}
    for number, call in enumerate(calls, 1):
        places.setdefault(call, []).append(number)
    return sorted(number for found in places.values() for number in found[:1])


def test_a_calm_campaign_writes_to_everyone_once_and_reports_it() -> None:
    world = campaign_world.to_the_end(campaign_world.calm())
    assert broken(world) == []
    assert world.campaign.status == "completed"
    assert len(list(taken(world))) == 6
    assert sorted(outcomes(world).values()) == ["read =62500"] * 5 + ["read replied completed =62500"]


def test_people_in_hand_of_a_campaign_that_was_paused_are_written_to_once_it_goes_on() -> None:
    number = calls_of_the_calm_run().index("conversations.load_all") + 1
    world = campaign_world.calm(plan=SingleFault(number, "error_before"))
    world.asks(30, "pause")
    world.asks(90, "resume")
    campaign_world.to_the_end(world)
    assert "paused" in [status for _, status in world.campaigns.changes]
    assert broken(world) == []
    assert len(list(taken(world))) == 6


class InvalidTokens(NoFaults):
    """Meta refuses the token of the first message after each of these times."""

    def __init__(self, *times: float) -> None:
        super().__init__()
        self._times = list(times)

    def fault(self, number: int, call: str, now: float) -> str | None:
        if call != "graph.send" or not self._times or now < self._times[0]:
            return None
        del self._times[0]
        return "190"


def test_a_campaign_whose_number_stops_again_goes_on_when_it_is_resumed() -> None:
    begins = (0, 2 * DAY)  # `to_the_end` resumes the campaign after two days
    world = campaign_world.calm(plan=InvalidTokens(*(START + begin for begin in begins)), size=30, per_minute=10)
    world.operators = False
    for begin in begins:
        world.timeline.after(begin + 600, lambda: world.resume(NUMBER))
    campaign_world.to_the_end(world)
    statuses = [status for _, status in world.campaigns.changes]
    assert statuses == ["draft", "running", "stopped", "running", "stopped", "running", "completed"]
    assert broken(world) == []
    assert len(list(taken(world))) == 30


def test_a_worker_that_died_had_reserved_less_than_the_next_one_may_send() -> None:
    assert problems_of("campaign:170") == []


class QueueThenTable(NoFaults):
    """The queue takes nothing for a minute, and the next workers cannot look up whether a turn was committed."""

    def fault(self, number: int, call: str, now: float) -> str | None:
        super().fault(number, call, now)
        fails_until = {"queues.send": 70, "conversations.turn_of_message": 420}.get(call, 0)
        return "error_before" if now < START + fails_until else None


def test_a_turn_that_was_committed_before_five_workers_failed_is_sent() -> None:
    world = campaign_world.to_the_end(campaign_world.calm(plan=QueueThenTable()))
    assert broken(world) == []
    assert len(list(taken(world))) == 6
    assert sorted(outcomes(world).values()) == ["read =62500"] * 5 + ["read replied completed =62500"]


@pytest.mark.parametrize("part", range(4))
def test_no_single_fault_breaks_a_promise(part: int) -> None:
    calls = calls_of_the_calm_run()
    for number in of_campaigns(calls)[part::4]:
        for kind in kinds(calls[number - 1])[number % SHARE :: SHARE]:
            world = campaign_world.to_the_end(campaign_world.calm(plan=SingleFault(number, kind)))
            problems = broken(world)
            assert not problems, f"{kind} at call {number}, {calls[number - 1]}: {problems[:5]}"


@pytest.mark.parametrize("part", range(PARTS))
def test_no_wild_run_breaks_a_promise(part: int) -> None:
    for seed in range(part * SEEDS // PARTS, (part + 1) * SEEDS // PARTS):
        which = f"campaign:{seed}"
        problems = problems_of(which)
        assert not problems, f"{which} broke invariants; tests.faults.replay {which} prints its trace: {problems[:5]}"


# Deliberate mistakes. Each must be caught.


def a_campaign_does_not_recognise_its_turn(patch: pytest.MonkeyPatch) -> None:
    count = iter(range(1_000_000))
    patch.setattr(Campaign, "message_id", property(lambda self: f"campaign:{self.campaign_id}:{next(count)}"))


def a_claim_of_a_dead_worker_is_dropped(patch: pytest.MonkeyPatch) -> None:
    def drop(self: Any, campaign: Campaign, *_: Any) -> Campaign:
        return self._campaigns.save(replace(campaign, chunk=None))  # type: ignore[no-any-return]

    patch.setattr(ClaimRecipients, "_claim_again", drop)


def the_freeze_begins_again(patch: pytest.MonkeyPatch) -> None:
    chunks = FreezeAudience._chunks

    def from_the_start(self: Any, campaign: Campaign) -> Any:
        again = self._reading is None
        return chunks(self, replace(campaign, freeze=replace(campaign.freeze, after=None)) if again else campaign)

    patch.setattr(FreezeAudience, "_chunks", from_the_start)


def nobody_asks_for_consent(patch: pytest.MonkeyPatch) -> None:
    for module in (opening, next_step):
        patch.setattr(module, "allows_template", lambda *_: True)
    patch.setattr("pytake.campaigns.freeze.allows_template", lambda *_: True)


def an_opt_out_after_the_freeze_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(opening, "check_person", lambda *_, **__: None)
    patch.setattr("pytake.contacts.records.ContactRecord.opted_out", False)


def in_large_batches(plan: Plan) -> campaign_world.CampaignWorld:
    """A calm campaign whose sender gets ten messages at a time, and sends the next one while Meta answers."""
    world = campaign_world.calm(plan=plan, size=12, per_minute=6000)
    world.batches = (10,)
    return world


@pytest.mark.parametrize("kind", ["crash_before", "crash_after"])
def test_a_sender_dies_while_meta_answers_several_messages_of_a_batch(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, open_claims = NoFaults(), list[int]()
    campaign_world.to_the_end(in_large_batches(calm))
    for number in (number for number, call in enumerate(calm.calls, 1) if call == "graph.send"):
        world = in_large_batches(SingleFault(number, kind))
        trace = world.trace

        def noted(what: str, which: Any, more: Any, world: Any = world, trace: Any = trace) -> None:
            if what == "died":
                open_claims.append(sum(entry.state == "claimed" for entry in world.deliveries.entries.values()))
            trace(what, which, more)

        monkeypatch.setattr(world, "trace", noted)
        assert broken(campaign_world.to_the_end(world)) == [], number
    assert max(open_claims) >= 3


def the_spend_cap_is_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(claim, "_affordable", lambda prices, _left: len(prices))


def what_is_released_is_not_paid(patch: pytest.MonkeyPatch) -> None:
    close = ReleaseRecipients._close
    patch.setattr(
        ReleaseRecipients, "_close", lambda self, campaign, chunk, _used, left: close(self, campaign, chunk, 0, left)
    )


def outcomes_are_not_noted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ReleaseRecipients, "_note", lambda *_: None)


def slots_are_ignored(patch: pytest.MonkeyPatch) -> None:
    deliver = Deliver._deliver_turn

    def at_once(self: Any, item: Any, *arguments: Any, **named: Any) -> None:
        mark = replace(item.campaign, slot_at=self._clock()) if item.campaign is not None else None
        deliver(self, replace(item, campaign=mark), *arguments, **named)

    patch.setattr(Deliver, "_deliver_turn", at_once)


def failures_are_reported_as_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recount, "_state", lambda delivery: (delivery and delivery.status) or "sent")


def replies_are_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recount, "takes_turn", lambda _: False)


def a_turn_is_not_enqueued_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        "pytake.conversation.commit_turn.CommitTurn._repeat",
        lambda self, key, id_, *_: self._conversations.turn_of_message(key, id_),
    )


MUTATIONS: list[Mutation] = [
    a_campaign_does_not_recognise_its_turn,
    a_claim_of_a_dead_worker_is_dropped,
    the_freeze_begins_again,
    nobody_asks_for_consent,
    an_opt_out_after_the_freeze_is_ignored,
    the_spend_cap_is_ignored,
    what_is_released_is_not_paid,
    outcomes_are_not_noted,
    slots_are_ignored,
    failures_are_reported_as_sent,
    replies_are_not_counted,
    a_turn_is_not_enqueued_again,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mistake_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    assert next((seed for seed in range(60) if problems_of(f"campaign:{seed}")), None) is not None


# Meta takes less than the campaign's rate.


def hasty() -> campaign_world.CampaignWorld:
    """A campaign of 1.6 messages a second, at a Meta that takes one in each second."""
    world = campaign_world.calm(size=SLOW_PEOPLE, per_minute=120)
    world.meta.most_per_second = 1
    return campaign_world.to_the_end(world)


def test_a_campaign_slows_down_when_meta_refuses_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    world = hasty()
    assert broken(world) == []
    refused = len(world.meta.too_fast)
    monkeypatch.setattr(RateSlots, "slow_down", lambda *_: None)
    # The messages of a batch leave before the lane is slower: up to ten are refused at once.
    assert refused < len(hasty().meta.too_fast) / 5


# Meta limits everyone: rare in the wild runs.


def limited(patch: pytest.MonkeyPatch) -> campaign_world.CampaignWorld:
    patch.setattr("tests.faults.meta.UNDELIVERED", (PERSON_LIMIT,))
    world = campaign_world.calm()
    world.meta.undelivered = 1.0
    return campaign_world.to_the_end(world)


def test_whoever_meta_limits_gets_one_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    world = limited(monkeypatch)
    assert broken(world) == []
    assert [len(records) for records in repeated(world).values()] == [1] * 6
    assert {outcome.split()[0] for outcome in outcomes(world).values()} == {"failed:131049"}
    assert world.campaign.status == "completed"


def a_repetition_does_not_wait_a_day(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(recount, "REPEAT_AFTER_SECONDS", 0)


def what_meta_limits_is_not_repeated(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RepeatLimited, "__call__", lambda *_: [])
    patch.setattr(recount, "REPEAT_UNTIL_SECONDS", 100 * 24 * 3600)


@pytest.mark.parametrize("mutation", [a_repetition_does_not_wait_a_day, what_meta_limits_is_not_repeated])
def test_a_mistake_of_repetitions_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    assert broken(limited(monkeypatch))
