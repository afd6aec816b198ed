"""Who does not answer a campaign is followed up by the organization's sequences, as after any template."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from pytake.conversation.queues import FlowStart
from pytake.conversation.sequences.plan import PlanFollowUps
from pytake.conversation.sequences.records import Sequence, Step
from pytake.conversation.sequences.run import FollowUpCounts, RunFollowUps
from tests.campaigns.world import TEMPLATE, CampaignWorld, KilledError, limit, person, wait
from tests.conversation.product import NUMBER
from tests.fakes.sequences import MemoryFollowUps, MemorySequences

DAY = 24 * 3600
SILENCE = Sequence(
    id="silence",
    name="Still there?",
    phone_number_id=NUMBER,
    steps=[Step(FlowStart(None, {}, TEMPLATE, only_idle=True), days=1)],
)


class Followed(CampaignWorld):
    """A campaign to three people of an organization with a sequence; the last one has not agreed."""

    def __init__(self) -> None:
        super().__init__([person(0), person(1), person(2, consent="")])
        product = self.product
        self.sequences, self.planned = MemorySequences(), MemoryFollowUps()
        self.follow_ups = plan = PlanFollowUps(self.sequences, self.planned, product.tenants, self.clock)
        self.sequences.put("acme", SILENCE, plan=False)
        aliases = product.conversations.aliases
        self.run_follow_ups = RunFollowUps(
            self.sequences,
            self.planned,
            plan,
            product.contacts,
            aliases,
            product.conversations,
            product.tenants,
            self.start_flow,
            product.events,
            self.clock,
            product.deliveries,
        )
        self.start()

    def a_day_later(self) -> FollowUpCounts:
        self.clock.forward(DAY)
        return self.run_follow_ups()

    @property
    def waiting(self) -> list[str]:
        return sorted(one.contact_id for one in self.planned.waiting)


def test_a_repetition_is_followed_up_and_the_message_that_meta_did_not_deliver_is_not() -> None:
    world = Followed()
    assert world.run().status == "completed"
    limited, reached = (one.contact_id for one in world.people[:2])
    limit(world)
    failed_at = world.clock()
    wait(world, DAY + 61)
    assert world.run_follow_ups().started == 1
    assert [item.contact_id for item in world.product.queues.inbound] == [reached]
    assert world.waiting == [limited], "the first message ended its follow-up, the repetition has one"
    due_at = world.planned.waiting[0].due_at
    assert due_at >= failed_at + 2 * DAY
    world.clock.now = due_at
    assert world.run_follow_ups().started == 1
    assert [item.contact_id for item in world.product.queues.inbound] == [reached, limited]


def killed() -> None:
    raise KilledError


def test_who_does_not_answer_a_campaign_is_followed_up_and_who_answers_is_not() -> None:
    world = Followed()
    assert world.run().status == "completed"
    answers, silent = (one.contact_id for one in world.people[:2])
    assert world.waiting == sorted([answers, silent]), "who got no message is not followed up"
    world.clock.forward(120)  # the slots of the messages
    world.product.say("Oi", answers)
    counts = world.a_day_later()
    assert (counts.started, counts.skipped) == (1, 1)
    assert [item.contact_id for item in world.product.queues.inbound] == [silent]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("happens", [killed, None])
def test_a_worker_that_dies_at_a_commit_leaves_one_follow_up_for_each_message(
    when: str, happens: Callable[[], None] | None
) -> None:
    probe = Followed()
    probe.run()
    for number in (place for place, name in enumerate(probe.calls.names) if name == "commit"):
        world = Followed()
        world.calls.at[number, when] = happens or (lambda world=world: world.tick())  # type: ignore[misc]
        assert world.run().status == "completed"
        assert world.waiting == sorted(one.contact_id for one in world.people[:2])
        assert world.a_day_later().started == 2


def test_nobody_is_followed_up_whose_message_was_never_committed_until_it_is() -> None:
    probe = Followed()
    probe.run()
    world = Followed()
    world.calls.at[probe.calls.names.index("commit"), "before"] = killed
    with suppress(KilledError):
        world.tick()
    world.manage.pause("acme", "spring", "ana")
    (planned,) = world.waiting
    assert world.turns()[planned] == []
    counts = world.a_day_later()
    assert (counts.started, counts.skipped) == (0, 1)
    world.manage.resume("acme", "spring", "ana")
    assert world.run().status == "completed"
    assert world.waiting == sorted(one.contact_id for one in world.people[:2])
    assert world.a_day_later().started == 2
