"""Repeat what Meta did not deliver because the person gets too much marketing (131049): once, a day later (ADR 33).

The repetition is a turn of its own, whose id is given once. It uses the money that was reserved for the first message, which
cost nothing.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from pytake.campaigns.assignment import variant_of
from pytake.campaigns.audience import AudiencePart
from pytake.campaigns.claim import HORIZON_SECONDS
from pytake.campaigns.openings import Openings, openings_of
from pytake.campaigns.ports import Lane, SlotBlock
from pytake.campaigns.quiet_hours import is_quiet
from pytake.campaigns.records import Campaign, Chunk
from pytake.campaigns.release import ReleaseRecipients
from pytake.conversation.opening import MakeOpening, StartRefusedError
from pytake.conversation.ports.common import Clock
from pytake.conversation.ports.tenants import TenantRepository

REPEAT_AFTER_SECONDS = 24 * 3600
"""Meta asks to wait at least so long."""

REPEAT_UNTIL_SECONDS = 48 * 3600
"""Who could not be written to by then, because the campaign was paused or no slot was free, is listed as failed."""


class RepeatLimited:
    """The use case: take the turns that repeat messages of one part."""

    def __init__(
        self,
        tenants: TenantRepository,
        plan_opening: MakeOpening,
        lane: Lane,
        release: ReleaseRecipients,
        clock: Clock,
    ) -> None:
        self._tenants = tenants
        self._plan_opening = plan_opening
        self._lane = lane
        self._release = release
        self._clock = clock

    def __call__(self, campaign: Campaign, part: AudiencePart, due: Mapping[str, int]) -> list[str]:
        """Repeat the message to the contacts that are `due`, each with the price of the first one; those whose turn is taken.

        As many as the lane has slots and the day limit has people for. A campaign that is neither running nor completed repeats
        none, and in quiet hours none is repeated; what was taken before is only queued again.
        """
        now = self._clock()
        openings = self._openings(campaign, part.zone, now)
        block = self._slots(campaign, len(due), now) if openings else SlotBlock()
        places = [place for place, one in enumerate(part.recipients) if one in due]
        variants, prices = campaign.definition.variants, dict[str, int]()
        for contact_id, price in due.items():  # never more than what was reserved
            variant = variant_of(campaign.campaign_id, contact_id, variants)
            prices[variant] = min(price, prices.get(variant, price))
        pace = campaign.definition.pace_per_second
        chunk = Chunk(
            zone=part.zone,
            part=part.number,
            places=places[: block.count] if block.count else places,
            first_slot=block.first,
            interval=max(block.interval, 1 / pace if pace else 0),
            prices=prices,
            tries=1,
            retry=True,
        )
        valid = replace(campaign, status="running" if block.count else "paused")
        return self._release.repeat(valid, chunk, part, openings)

    def _openings(self, campaign: Campaign, zone: str, now: float) -> Openings:
        """What opens the conversations; nothing if none may be opened now."""
        if campaign.status not in ("running", "completed"):
            return {}
        try:
            openings = openings_of(campaign, self._tenants, self._plan_opening)
        except StartRefusedError:
            return {}
        timezone = next(iter(openings.values())).organization.timezone
        quiet = campaign.definition.quiet_hours
        return {} if any(is_quiet(quiet, zone, at, timezone) for at in (now, now + HORIZON_SECONDS)) else openings

    def _slots(self, campaign: Campaign, count: int, now: float) -> SlotBlock:
        organization_id, number = campaign.organization_id, campaign.definition.phone_number_id
        block = self._lane.reserve_block(organization_id, number, count, now, now + HORIZON_SECONDS)
        people = self._lane.reserve_people(organization_id, number, block.count, now) if block.count else 0
        return replace(block, count=people)
