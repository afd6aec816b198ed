"""A campaign writes to no person in their night: quiet hours are local times in the person's country."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from pytake.campaigns.claim import LEASE_SECONDS
from pytake.campaigns.quiet_hours import is_quiet
from pytake.campaigns.records import QuietHours
from pytake.contacts.records import ContactRecord
from tests.campaigns.world import CampaignWorld, KilledError, person

NIGHT = QuietHours("21:00", "08:00")


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    ("country", "when", "quiet"),
    [
        ("IT", "2026-12-01T20:59:59+01:00", False),
        ("IT", "2026-12-01T21:00:00+01:00", True),
        ("IT", "2026-12-02T00:30:00+01:00", True),
        ("IT", "2026-12-02T07:59:59+01:00", True),
        ("IT", "2026-12-02T08:00:00+01:00", False),
        ("IT", "2026-07-01T20:30:00+02:00", False),  # the clocks have changed: 19:30 of the winter
        ("IT", "2026-07-01T21:30:00+02:00", True),
        ("BR", "2026-12-01T20:30:00-03:00", True),  # in São Paulo; on Noronha it is an hour later
        ("BR", "2026-12-01T09:30:00-03:00", True),  # in Acre it is two hours earlier
        ("BR", "2026-12-01T12:00:00-03:00", False),
        ("", "2026-12-01T20:30:00+09:00", False),  # the organization's time zone holds
        ("", "2026-12-01T21:30:00+09:00", True),
    ],
)
def test_it_is_quiet_while_it_is_night_in_any_time_zone_of_the_country(country: str, when: str, quiet: bool) -> None:
    assert is_quiet(NIGHT, country, at(when), "Asia/Tokyo") is quiet
    assert not is_quiet(None, country, at(when), "Asia/Tokyo")


def from_italy(index: int) -> ContactRecord:
    phone = f"39347{index:07d}"
    return replace(person(index), contact_id=phone, phone=f"+{phone}")


def world_at(when: str, *people: ContactRecord) -> CampaignWorld:
    world = CampaignWorld(people, quiet_hours=NIGHT)
    world.clock.now = at(when)
    world.start()
    return world


def written(world: CampaignWorld) -> list[str]:
    return sorted(id_ for id_, turns in world.turns().items() if turns)


def test_a_campaign_writes_where_it_is_day_and_waits_for_the_morning_of_the_others() -> None:
    brazil, italy = person(0), from_italy(1)
    world = world_at("2026-12-01T18:00:00-03:00", brazil, italy)  # 22:00 in Italy
    world.run(3)
    assert written(world) == [brazil.contact_id]
    assert (world.campaign.status, world.campaign.waiting) == ("running", "quiet_hours")
    world.clock.now = at("2026-12-02T07:58:00+01:00")
    world.tick()
    assert written(world) == [brazil.contact_id]
    world.clock.now = at("2026-12-02T08:00:00+01:00")
    assert world.run().status == "completed"
    assert written(world) == sorted([brazil.contact_id, italy.contact_id])


def test_no_slot_of_a_claim_is_in_the_night() -> None:
    """Messages leave up to a minute after their claim."""
    world = world_at("2026-12-01T20:59:30+01:00", from_italy(0))
    world.run(3)
    assert (written(world), world.campaign.waiting) == ([], "quiet_hours")


def test_who_a_dead_worker_had_in_hand_is_written_to_in_the_morning() -> None:
    italy = from_italy(0)
    world = world_at("2026-12-01T20:55:00+01:00", italy)
    commit = world.product.conversations.commit

    def killed(*_: object) -> None:
        raise KilledError

    world.product.conversations.commit = killed  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        world.tick()
    world.product.conversations.commit = commit  # type: ignore[method-assign]
    assert world.campaign.chunk is not None
    world.clock.now = at("2026-12-01T21:00:00+01:00") + LEASE_SECONDS
    world.run(3)
    assert written(world) == []
    world.clock.now = at("2026-12-02T08:00:00+01:00")
    assert world.run().status == "completed"
    assert written(world) == [italy.contact_id]
