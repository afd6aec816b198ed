"""The audience of a campaign, and the mark on what it sends."""

from pytake.campaigns.audience import HOLDOUT, PLANNED, RELEASED, AudienceCounts, AudiencePart, total
from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.queues import outbound_item
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.engine import Input
from pytake.whatsapp.outbound import Template


def test_the_totals_are_the_sums_over_parts() -> None:
    first = AudiencePart(zone="55", number=0, recipients=["1", "2"], outcomes=[RELEASED, HOLDOUT], cost_micros=7)
    second = AudiencePart(zone="55", number=1, recipients=["3", ""], outcomes=[RELEASED, PLANNED], cost_micros=3)
    done = AudiencePart(zone="", number=0, recipients=["4", "5"], outcomes=[RELEASED, HOLDOUT], written_at=1)

    counts = total([first.counts(), total([second.counts(), done.counts()])])

    open_outcomes = {RELEASED: 2, HOLDOUT: 1, PLANNED: 1}
    assert counts == AudienceCounts({RELEASED: 3, HOLDOUT: 2, PLANNED: 1}, 10, open_outcomes=open_outcomes)


def test_what_a_campaign_sends_keeps_its_mark_in_the_queue() -> None:
    mark = CampaignMark("c1", "a", slot_at=12.5, price_micros=62_500)
    record = TurnRecord(1, 10.0, "s", "recorded", Input("start"), messages=[Template("t", "en")], campaign=mark)

    assert outbound_item(ConversationKey("o", "n", "p"), record, 10.0).campaign == mark
