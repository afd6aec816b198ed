"""The breaker: stop a campaign that goes wrong, from the outcomes of what it released last (ADR 33).

It only decides. The status of the campaign holds the decision until a person resumes it: a breaker that closes by itself lets a
mistake send all weekend.
"""

from collections import Counter
from collections.abc import Iterable

from pytake.campaigns.audience import RELEASED
from pytake.campaigns.ports import Audiences
from pytake.campaigns.records import Campaign
from pytake.campaigns.recount import is_released
from pytake.conversation.ports.common import Clock

FEWEST = 50
"""With fewer known outcomes, a share says nothing."""

FAILED_SHARE, OPTED_OUT_SHARE = 0.3, 0.05
"""A campaign stops at this share of messages that failed, and of people who opted out."""

STOPS_AT_ONCE = {
    "template_paused": "template_paused",
    "132015": "template_paused",
    "template_disabled": "template_disabled",
    "132016": "template_disabled",
    "template_rejected": "template_rejected",
}
"""Failures after which every further message fails too, and the reason of the stop."""

NOT_COUNTED = frozenset(("131049", "130472", "131050", "no_consent", "opted_out"))
"""Failures that say nothing about the campaign: Meta's own limit of a person and its experiment, and people's choices."""

LOOK_SECONDS = 20
"""The parts are read again after this time. They change when they are recounted, a minute after a release."""


def judge(outcomes: Iterable[str]) -> str | None:
    """Why a campaign with these outcomes is to stop; None: it may go on. Pure."""
    decided, failed, opted_out = 0, Counter[str](), 0
    for outcome in outcomes:
        if not is_released(outcome):
            continue
        state, *did = outcome.split()
        if state == RELEASED:
            continue
        decided += 1
        opted_out += "opted_out" in did
        if state.startswith("failed:"):
            failed[state.removeprefix("failed:")] += 1
    stopped = next((STOPS_AT_ONCE[code] for code in failed if code in STOPS_AT_ONCE), None)
    if stopped is not None or decided < FEWEST:
        return stopped
    if sum(count for code, count in failed.items() if code not in NOT_COUNTED) >= FAILED_SHARE * decided:
        return "failures"
    return "opt_outs" if opted_out >= OPTED_OUT_SHARE * decided else None


class WatchOutcomes:
    """Implements `pytake.campaigns.tick.Breaker`: looks at the parts that a campaign released last, in each zone."""

    def __init__(self, audiences: Audiences, clock: Clock) -> None:
        self._audiences = audiences
        self._clock = clock
        self._seen: dict[tuple[str, str], tuple[float, float, str | None]] = {}

    def __call__(self, campaign: Campaign) -> str | None:
        """Why the campaign is to stop; None: it may go on. What was released before it was resumed does not count."""
        place, now = (campaign.organization_id, campaign.campaign_id), self._clock()
        at, since, reason = self._seen.get(place, (0.0, 0.0, None))
        if now - at > LOOK_SECONDS or since != campaign.status_at:
            reason = judge(self._latest(campaign))
            self._seen[place] = now, campaign.status_at, reason
        return reason

    def _latest(self, campaign: Campaign) -> Iterable[str]:
        for zone, cursor in campaign.zones.items():
            begun = campaign.watched_from.get(zone)
            first, offset = (begun.part, begun.offset) if begun is not None else (0, 0)
            for number in range(max(first, cursor.part - 1), min(cursor.part + 1, cursor.parts)):
                part = self._audiences.load(campaign.organization_id, campaign.campaign_id, zone, number)
                if part is not None:
                    yield from part.outcomes[offset if number == first else 0 :]
