"""Who does not answer a campaign, and who has an appointment, is followed up once, until an answer or an opt-out."""

from collections import Counter

import pytest

from pytake.conversation import commit_turn
from pytake.conversation.sequences.run import RunFollowUps
from tests.depth import SHARE
from tests.faults import campaign_world
from tests.faults.campaign_invariants import broken
from tests.faults.campaign_world import FOLLOWED_SHARE, STILL_THERE, CampaignWorld
from tests.faults.plans import NoFaults, Plan, SingleFault, kinds
from tests.faults.replay import problems_of
from tests.faults.sequence_invariants import started
from tests.faults.sequence_mutations import (
    Mutation,
    a_follow_up_is_done_before_it_is_queued,
    an_answer_does_not_end_follow_ups,
    an_opt_out_is_ignored,
    each_try_of_a_start_is_another_one,
)
from tests.faults.sequence_world import BEFORE

OF_FOLLOW_UPS = ("follow_ups.", "sequences.")
PARTS = 4


def followed(plan: Plan | None = None) -> CampaignWorld:
    """A calm campaign to six people with both sequences. One of them answers."""
    return campaign_world.to_the_end(campaign_world.calm(plan=plan, sequences=(BEFORE, STILL_THERE)))


def test_a_calm_campaign_follows_up_everyone_who_is_silent() -> None:
    world = followed()
    assert broken(world) == []
    dated = sum(bool(one.fields) for one in world.contacts)
    assert 0 < dated < len(world.contacts)
    # The one who answers the campaign does not answer the reminder of their appointment.
    assert world.contacts[0].fields
    expected = {"before 0": dated, "before 1": dated, "silence 0": 6, "silence 1": 6}
    assert Counter(asked for _, asked, _ in started(world)) == expected


@pytest.mark.parametrize("part", range(PARTS))
def test_no_single_fault_loses_or_repeats_a_follow_up(part: int) -> None:
    """The first call of each kind that plans or runs follow-ups, and the call after it: the commit, the queue."""
    plan = NoFaults()
    followed(plan)
    places = {
        call: number for number, call in reversed(list(enumerate(plan.calls, 1))) if call.startswith(OF_FOLLOW_UPS)
    }
    numbers = sorted({number + more for number in places.values() for more in range(2)})
    for number in numbers[part::PARTS]:
        for kind in kinds(plan.calls[number - 1])[number % SHARE :: SHARE]:
            problems = broken(followed(SingleFault(number, kind)))
            assert not problems, f"{kind} at call {number}, {plan.calls[number - 1]}: {problems[:5]}"


def cancelled_before_a_commit() -> CampaignWorld:
    """A worker has planned a follow-up and dies before its second commit. Then the campaign is cancelled."""
    probe = NoFaults()
    campaign_world.to_the_end(campaign_world.calm(plan=probe, sequences=(STILL_THERE,)))
    number = [place for place, call in enumerate(probe.calls, 1) if call == "conversations.commit"][1]
    world = campaign_world.calm(plan=SingleFault(number, "crash_before"), sequences=(STILL_THERE,))
    world.asks(30, "cancel")
    return campaign_world.to_the_end(world)


def test_a_person_without_a_message_is_not_asked_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    world = cancelled_before_a_commit()
    assert world.campaign.status == "cancelled"
    assert broken(world) == []
    monkeypatch.setattr(RunFollowUps, "_has_message", lambda *_: True)
    assert any("nothing before it" in problem for problem in broken(cancelled_before_a_commit()))


# Deliberate mistakes. Each must be caught. The wild runs are part of those of campaigns.


def a_campaign_tells_of_no_silence(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(commit_turn, "_tell", lambda *_: None)


MUTATIONS: list[Mutation] = [
    each_try_of_a_start_is_another_one,
    a_follow_up_is_done_before_it_is_queued,
    an_answer_does_not_end_follow_ups,
    an_opt_out_is_ignored,
    a_campaign_tells_of_no_silence,
]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mistake_is_caught(mutation: Mutation, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation(monkeypatch)
    runs = (f"campaign:{seed}" for seed in range(0, 120 * FOLLOWED_SHARE, FOLLOWED_SHARE))
    assert next((which for which in runs if problems_of(which)), None) is not None
