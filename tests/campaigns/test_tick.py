"""When a campaign begins and what stops it, and what operators and integrators hear of it."""

from typing import Any

from msgspec.structs import replace

from pytake.campaigns.claim import HORIZON_SECONDS
from pytake.conversation.ports.media import Upload
from pytake.conversation.templates.stored import TemplateKey
from tests.campaigns.world import TEMPLATE, WABA, CampaignWorld, person

HOUR = 3600


def campaign_events(world: CampaignWorld) -> list[tuple[str, str | None, str | None]]:
    """The type, the reason and the person of each event of the campaign; they are removed."""
    kept = world.product.events.events
    found = [(one.type, one.detail.get("reason"), one.detail.get("by")) for one in kept]
    assert {one.detail["campaign_id"] for one in kept} <= {"spring"}
    kept.clear()
    return found


def written(world: CampaignWorld) -> int:
    return sum(map(len, world.turns().values()))


def new_world(people: int = 3, **definition: Any) -> CampaignWorld:
    world = CampaignWorld([person(index) for index in range(people)], **definition)
    campaign_events(world)
    return world


def test_a_campaign_begins_at_its_time() -> None:
    world = new_world(start_at=CampaignWorld([]).clock() + HOUR)
    world.start()
    assert campaign_events(world) == [("campaign.scheduled", None, "ana")]
    world.clock.forward(HOUR - 1)
    world.tick()
    assert (world.campaign.status, written(world), campaign_events(world)) == ("scheduled", 0, [])
    world.clock.forward(1)
    assert world.run().status == "completed"
    assert written(world) == 3
    assert campaign_events(world) == [("campaign.running", None, None), ("campaign.completed", None, None)]


def test_the_audience_is_frozen_when_the_campaign_begins() -> None:
    world = new_world(2, start_at=CampaignWorld([]).clock() + HOUR)
    world.start()
    late = world.product.contacts.save("acme", person(2))
    world.people.append(late)  # the segment has one more person before the campaign begins
    world.clock.forward(HOUR)
    world.tick()
    assert written(world) == 3
    world.people.append(world.product.contacts.save("acme", person(3)))
    world.run()
    assert (world.campaign.status, written(world)) == ("completed", 3)


def test_what_the_breaker_stopped_stays_stopped_until_a_person_resumes_it() -> None:
    world = new_world()
    world.start()
    world.broken = "failures"
    world.tick()
    assert (world.campaign.status, world.campaign.reason) == ("stopped", "failures")
    assert campaign_events(world) == [("campaign.running", None, "ana"), ("campaign.stopped", "failures", None)]
    world.broken = None
    world.run()
    assert (world.campaign.status, written(world), campaign_events(world)) == ("stopped", 0, [])
    world.manage.resume("acme", "spring", "bea")
    assert world.run().status == "completed"
    assert written(world) == 3
    assert campaign_events(world) == [("campaign.running", None, "bea"), ("campaign.completed", None, None)]


def test_the_breaker_looks_at_nothing_from_before_a_resumption() -> None:
    world = new_world(5)
    world.lane.per_second = 2 / HORIZON_SECONDS
    world.start()
    world.tick()
    world.clock.forward(60)
    world.broken = "opt_outs"
    world.tick()
    assert (world.campaign.status, written(world)) == ("stopped", 2)
    world.manage.resume("acme", "spring", "bea")
    assert {zone: at.offset for zone, at in world.campaign.watched_from.items()} == {"BR": 2}


def test_each_change_of_a_person_is_an_event_and_a_repetition_is_none() -> None:
    world = new_world()
    for action in ("start", "start", "pause", "pause", "resume", "resume", "cancel", "cancel"):
        getattr(world.manage, action)("acme", "spring", "ana")
    changes = ("running", "paused", "running", "cancelled")
    assert campaign_events(world) == [(f"campaign.{status}", None, "ana") for status in changes]


def test_a_spent_cap_is_an_event_with_its_reason() -> None:
    world = new_world(spend_cap_micros=1)
    world.start()
    world.run()
    assert campaign_events(world)[1:] == [("campaign.paused", "spend_cap", None)]


def test_a_tick_records_how_many_people_it_claimed() -> None:
    world = new_world()
    world.start()
    world.tick()
    world.clock.forward(60)
    world.tick()
    assert world.metrics == [("CampaignRecipientsClaimed", 3), ("CampaignRecipientsClaimed", 0)]


def test_a_campaign_whose_file_is_gone_stops_and_sends_nobody_a_message_that_fails() -> None:
    picture = Upload("file-" + "0" * 32, "image/jpeg", 9, 0)
    components = [{"type": "header", "parameters": [{"type": "image", "image": {"id": picture.id}}]}]
    world = new_world(template=replace(TEMPLATE, components=components))
    defined = replace(world.copy.template, components=[{"type": "HEADER", "format": "IMAGE"}])
    key = TemplateKey("acme", WABA, TEMPLATE.name, TEMPLATE.language)
    world.product.templates.change(key, lambda _: replace(world.copy, template=defined))
    world.product.uploads.put("acme", picture)
    world.start()
    world.product.uploads.delete("acme", picture.id)
    assert world.run().status == "stopped"
    assert (world.campaign.reason, written(world)) == ("media_unknown", 0)
