"""When a campaign stops by itself."""

import pytest

from pytake.campaigns.audience import AudiencePart
from pytake.campaigns.breaker import FEWEST, WatchOutcomes, judge
from pytake.campaigns.records import Campaign, CampaignDefinition, ZoneCursor
from pytake.conversation.queues import StartTemplate
from tests.fakes import FrozenClock
from tests.fakes.campaigns import MemoryAudiences

DEFINITION = CampaignDefinition(
    name="Spring", phone_number_id="1", segment_id="vips", template=StartTemplate("spring", "en")
)


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        (["delivered"] * 70 + ["failed:131026"] * 30, "failures"),
        (["delivered"] * 71 + ["failed:131026"] * 29, None),
        (["failed:131026"] * (FEWEST - 1), None),
        (["delivered"] * 50 + ["failed:131049"] * 50, None),
        (["read replied opted_out =1"] * 5 + ["delivered"] * 95, "opt_outs"),
        (["read replied opted_out =1"] * 4 + ["delivered"] * 96, None),
        (["delivered"] * 10 + ["failed:132015"], "template_paused"),
        (["", "-no_consent", "-holdout", "released"] * 100 + ["failed:131026"] * 10, None),
        (["held"] * 70 + ["failed:131048"] * 30, "failures"),
    ],
)
def test_shares_of_what_is_known_decide(outcomes: list[str], reason: str | None) -> None:
    assert judge(outcomes) == reason


def test_only_the_parts_released_last_count_and_nothing_from_before_a_resumption() -> None:
    audiences, clock = MemoryAudiences(), FrozenClock()

    def put(number: int, outcome: str, count: int = 100) -> None:
        people = [f"{number}-{place}" for place in range(count)]
        audiences.put(
            "acme", "spring", AudiencePart(zone="BR", number=number, recipients=people, outcomes=[outcome] * count)
        )

    def campaign(part: int, offset: int, resumed: ZoneCursor | None = None) -> Campaign:
        zones = {"BR": ZoneCursor(parts=4, part=part, offset=offset)}
        return Campaign(
            organization_id="acme",
            campaign_id="spring",
            definition=DEFINITION,
            zones=zones,
            watched_from={"BR": resumed} if resumed else {},
        )

    put(0, "failed:131026")
    put(1, "delivered")
    put(2, "delivered")
    put(3, "")
    assert WatchOutcomes(audiences, clock)(campaign(1, 100)) == "failures"
    assert WatchOutcomes(audiences, clock)(campaign(2, 50)) is None
    resumed = ZoneCursor(parts=4, part=0, offset=100)
    assert WatchOutcomes(audiences, clock)(campaign(1, 100, resumed)) is None
