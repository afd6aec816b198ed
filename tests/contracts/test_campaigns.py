"""The contracts of the `Campaigns` and `Audiences` ports."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.aws.campaigns import DynamoAudiences, DynamoCampaigns
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.table import Table
from pytake.campaigns.audience import HOLDOUT, PLANNED, RELEASED, AudienceCounts, AudiencePart
from pytake.campaigns.ports import Audiences, Campaigns
from pytake.campaigns.records import Campaign, CampaignDefinition, Chunk
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.queues import StartTemplate
from pytake.conversation.records import ConversationKey
from tests.fakes import FrozenClock
from tests.fakes.campaigns import MemoryAudiences, MemoryCampaigns
from tests.table import kept

DEFINITION = CampaignDefinition(
    name="Spring", phone_number_id="1", segment_id="vips", template=StartTemplate("spring", "pt_BR")
)


@pytest.fixture(params=["fake", "aws"])
def campaigns(request: pytest.FixtureRequest) -> Any:
    return MemoryCampaigns() if request.param == "fake" else DynamoCampaigns(request.getfixturevalue("table"))


@pytest.fixture(params=["fake", "aws"])
def audiences(request: pytest.FixtureRequest, clock: FrozenClock) -> Any:
    if request.param == "fake":
        return MemoryAudiences()
    table: Table = request.getfixturevalue("table")
    for organization_id in ("acme", "globex"):  # erasing looks at the organization's campaigns
        DynamoCampaigns(table).save(campaign(organization_id))
    return DynamoAudiences(table, kept(), clock)


def campaign(organization_id: str = "acme", campaign_id: str = "spring") -> Campaign:
    return Campaign(organization_id=organization_id, campaign_id=campaign_id, definition=DEFINITION)


def part(*outcomes: str, zone: str = "BR", number: int = 0, epoch: int = 1) -> AudiencePart:
    ids = [f"55119{number}{place}" for place in range(len(outcomes))]
    return AudiencePart(zone=zone, number=number, recipients=ids, outcomes=list(outcomes), epoch=epoch)


def test_a_campaign_is_read_as_it_was_saved_in_its_organization_only(campaigns: Campaigns) -> None:
    saved = campaigns.save(campaign())
    assert campaigns.load("acme", "spring") == saved
    assert saved.revision == 1
    assert campaigns.load("globex", "spring") is None
    assert campaigns.load("acme", "autumn") is None


def test_a_write_on_an_old_revision_conflicts(campaigns: Campaigns) -> None:
    first = campaigns.save(campaign())
    campaigns.save(replace(first, spent_micros=5))
    for late in (first, campaign()):
        with pytest.raises(ConflictError):
            campaigns.save(late)


def test_campaigns_are_listed_in_pages(campaigns: Campaigns) -> None:
    for id_ in ("c", "a", "b"):
        campaigns.save(campaign(campaign_id=id_))
    campaigns.save(campaign("globex", "aa"))
    assert [one.campaign_id for one in campaigns.page("acme", 2)] == ["a", "b"]
    assert [one.campaign_id for one in campaigns.page("acme", 2, "b")] == ["c"]


def test_ticks_find_what_is_due(campaigns: Campaigns) -> None:
    later = replace(campaign(campaign_id="later"), status="scheduled", definition=replace(DEFINITION, start_at=500))
    chunk = Chunk(zone="BR", part=0, places=[0], first_slot=0, interval=1)
    for one in (
        campaign(campaign_id="draft"),
        replace(campaign(campaign_id="runs"), status="running"),
        replace(campaign(campaign_id="unsettled"), status="paused", chunk=chunk),
        replace(campaign(campaign_id="paused"), status="paused"),
        later,
    ):
        campaigns.save(one)
    assert sorted(campaigns.active(499)) == [("acme", "runs"), ("acme", "unsettled")]
    assert ("acme", "later") in list(campaigns.active(500))
    runs = campaigns.load("acme", "runs")
    assert runs is not None
    campaigns.save(replace(runs, status="completed"))
    assert list(campaigns.active(499)) == [("acme", "unsettled")]


def test_a_part_is_changed_by_its_latest_reader_only(audiences: Audiences) -> None:
    first = audiences.put("acme", "spring", part(PLANNED, HOLDOUT))
    assert audiences.load("acme", "spring", "BR", 0) == first
    second = audiences.put("acme", "spring", replace(first, outcomes=[RELEASED, HOLDOUT], cost_micros=7))
    with pytest.raises(ConflictError):
        audiences.put("acme", "spring", first)
    assert audiences.load("acme", "spring", "BR", 0) == second
    assert audiences.counts("acme", "spring") == AudienceCounts(
        {RELEASED: 1, HOLDOUT: 1}, 7, open_outcomes={RELEASED: 1, HOLDOUT: 1}
    )


def test_an_older_freeze_replaces_no_newer_part(audiences: Audiences) -> None:
    audiences.put("acme", "spring", part(PLANNED, epoch=2))
    with pytest.raises(ConflictError):
        audiences.put("acme", "spring", part(PLANNED, PLANNED, epoch=1))
    again = audiences.put("acme", "spring", part(HOLDOUT, epoch=2))
    assert audiences.load("acme", "spring", "BR", 0) == again


def test_the_counts_are_those_of_all_parts_of_one_campaign(audiences: Audiences) -> None:
    for one in (part(PLANNED, HOLDOUT), part(PLANNED, number=1), part(RELEASED, zone="")):
        audiences.put("acme", "spring", one)
    audiences.put("globex", "spring", part(RELEASED))
    outcomes = {PLANNED: 2, HOLDOUT: 1, RELEASED: 1}
    assert audiences.counts("acme", "spring") == AudienceCounts(outcomes, open_outcomes=outcomes)
    assert audiences.load("acme", "spring", "", 0) is not None


def test_parts_are_found_when_their_recount_is_due(audiences: Audiences) -> None:
    first = audiences.put("acme", "spring", replace(part(RELEASED), recount_at=100))
    audiences.put("acme", "spring", replace(part(RELEASED, number=1), recount_at=200))
    assert list(audiences.to_recount(100)) == [("acme", "spring", "BR", 0)]
    audiences.put("acme", "spring", replace(first, recount_at=None))
    assert list(audiences.to_recount(200)) == [("acme", "spring", "BR", 1)]


def test_an_erased_person_leaves_the_outcome(audiences: Audiences) -> None:
    audiences.put("acme", "spring", part(RELEASED, PLANNED, PLANNED))
    audiences.put("globex", "spring", part(RELEASED))

    assert audiences.forget("acme", ["5511900", "5511901", "unknown"]) == 2

    left = audiences.load("acme", "spring", "BR", 0)
    assert left is not None
    assert (left.recipients, left.outcomes) == (["", "", "5511902"], [RELEASED, "-erased", PLANNED])
    assert audiences.counts("acme", "spring").outcomes == {RELEASED: 1, "-erased": 1, PLANNED: 1}
    theirs = audiences.load("globex", "spring", "BR", 0)
    assert theirs is not None
    assert theirs.recipients == ["5511900"]


def test_erasing_a_person_reaches_the_audiences(table: Table, clock: FrozenClock) -> None:
    DynamoCampaigns(table).save(campaign())
    audiences = DynamoAudiences(table, kept(), clock)
    audiences.put("acme", "spring", part(RELEASED, HOLDOUT))
    erasure = DynamoErasure(table, DynamoEventLog(table, kept()))

    erasure.remove(erasure.begin("acme", [ConversationKey("acme", "1", "5511900")], clock()))

    left = audiences.load("acme", "spring", "BR", 0)
    assert left is not None
    assert (left.recipients, left.outcomes) == (["", "5511901"], [RELEASED, HOLDOUT])
