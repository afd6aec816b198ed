"""Claim the recipients that are released next: within pace, rate, day limit, quiet hours, spend cap and budget.

What is reserved for them is stored with the campaign, in one write, before the first of them is released. So a worker that dies
loses nothing: the next one finds the same recipients, their slots and their money.
"""

from collections.abc import Sequence
from itertools import islice
from math import ceil

from msgspec.structs import replace

from pytake.campaigns.assignment import variant_of
from pytake.campaigns.audience import PLANNED, AudiencePart
from pytake.campaigns.openings import Openings
from pytake.campaigns.ports import Audiences, Budgets, Campaigns, Lane, RateCard, SlotBlock
from pytake.campaigns.quiet_hours import is_quiet
from pytake.campaigns.records import Campaign, Chunk, Waiting
from pytake.conversation.ports.common import Clock

CHUNK_RECIPIENTS = 100
"""A pause is seen after at most so many recipients."""

TICK_SECONDS = 60

HORIZON_SECONDS = TICK_SECONDS + 2
"""Slots are reserved until two seconds after the next tick, so that the queue does not run empty before that one has released
more. After a pause, messages leave no longer than that."""

LEASE_SECONDS = 120
"""A worker renews its lease with each claim, which it releases within seconds. Another worker waits so long after its death."""

_PARTS_PER_CLAIM = 50
"""Parts without a planned recipient that one claim passes over."""


class ClaimRecipients:
    """The use case."""

    def __init__(
        self,
        campaigns: Campaigns,
        audiences: Audiences,
        lane: Lane,
        rate_card: RateCard,
        budgets: Budgets,
        clock: Clock,
    ) -> None:
        self._campaigns = campaigns
        self._audiences = audiences
        self._lane = lane
        self._rate_card = rate_card
        self._budgets = budgets
        self._clock = clock

    def __call__(self, campaign: Campaign, openings: Openings, tick_at: float | None = None) -> Campaign:
        """The campaign as stored then. Without a `chunk`, there is nothing to release before the next tick. `tick_at`: when this
        tick began; None: now.

        Raises `ConflictError` when another worker or a user has written the campaign.
        """
        now = self._clock()
        until = _horizon(now if tick_at is None else tick_at, now)
        if campaign.chunk is not None:
            return self._claim_again(campaign, campaign.chunk, openings, now, until)
        timezone = next(iter(openings.values())).organization.timezone
        left = [zone for zone, cursor in sorted(campaign.zones.items()) if not cursor.is_done]
        awake = [zone for zone in left if not self._sleeps(campaign, zone, timezone, now)]
        if not left:
            return self._campaigns.save(campaign.with_status("completed", now))
        if not awake:
            return self._rest(campaign, "quiet_hours")
        moved, part, places = self._planned(campaign, awake[0])
        if part is None:
            return self._campaigns.save(moved)
        return self._reserve(moved, part, places, openings, now, until)

    def _sleeps(self, campaign: Campaign, zone: str, timezone: str, now: float) -> bool:
        quiet = campaign.definition.quiet_hours
        return any(is_quiet(quiet, zone, at, timezone) for at in (now, now + HORIZON_SECONDS))

    def _planned(self, campaign: Campaign, zone: str) -> tuple[Campaign, AudiencePart | None, list[int]]:
        """The next planned recipients of a zone: their part and places, and the campaign with the cursor at them.

        No part: there is none among the next ones.
        """
        cursor = campaign.zones[zone]
        for _ in range(_PARTS_PER_CLAIM):
            if cursor.is_done:
                break
            part = self._audiences.load(campaign.organization_id, campaign.campaign_id, zone, cursor.part)
            if part is not None:
                planned = (
                    place
                    for place in range(cursor.offset, len(part.outcomes))
                    if part.outcomes[place] == PLANNED and part.recipients[place]
                )
                places = list(islice(planned, CHUNK_RECIPIENTS))
                if places:
                    return replace(campaign, zones={**campaign.zones, zone: cursor}), part, places
            cursor = replace(cursor, part=cursor.part + 1, offset=0)
        return replace(campaign, zones={**campaign.zones, zone: cursor}), None, []

    def _reserve(
        self,
        campaign: Campaign,
        part: AudiencePart,
        places: Sequence[int],
        openings: Openings,
        now: float,
        until: float,
    ) -> Campaign:
        by_variant = {
            variant: self._rate_card.price_micros(part.zone or None, opening.category, now)
            for variant, opening in openings.items()
        }
        budgets = [opening.organization.monthly_budget_micros for opening in openings.values()]
        is_limited = campaign.definition.spend_cap_micros is not None or any(one is not None for one in budgets)
        if None in by_variant.values() and is_limited:
            return self._pause(campaign, "price_unknown", now)
        known = {variant: price or 0 for variant, price in by_variant.items()}
        variants = campaign.definition.variants
        prices = [known[variant_of(campaign.campaign_id, part.recipients[place], variants)] for place in places]
        paced = _paced(campaign, now, until)
        count = min(_affordable(prices, campaign.cap_left_micros), paced)
        if count == 0 and paced:
            return self._pause(campaign, "spend_cap", now)
        if not count:
            return campaign
        # What is full is asked first: slots and people that are reserved for nothing are lost to others.
        organization_id, number = campaign.organization_id, campaign.definition.phone_number_id
        reservation = _chunk(campaign, part, places, SlotBlock(), now).reservation_id(campaign.campaign_id)
        count = min(count, _affordable(prices, self._budgets.remaining(organization_id, reservation, now)))
        if not count:
            return self._rest(campaign, "budget")
        people = self._lane.remaining_people(organization_id, number, now)
        count = count if people is None else min(count, people)
        if not count:
            return self._rest(campaign, "day_limit")
        block = self._lane.reserve_block(organization_id, number, count, now, until)
        if not block.count:
            return campaign
        count = self._lane.reserve_people(organization_id, number, block.count, now)
        if not count:
            return self._rest(campaign, "day_limit")
        chunk = _chunk(campaign, part, places[:count], block, now)
        chunk = replace(chunk, prices=known, reserved_micros=sum(prices[:count]))
        if chunk.reserved_micros and not self._budgets.reserve(
            organization_id, chunk.reservation_id(campaign.campaign_id), chunk.reserved_micros, now
        ):
            return self._rest(campaign, "budget")
        cursor = replace(campaign.zones[part.zone], offset=chunk.places[-1] + 1)
        claimed = replace(
            campaign,
            chunk=chunk,
            zones={**campaign.zones, part.zone: cursor},
            spent_micros=campaign.spent_micros + chunk.reserved_micros,
            paced_until=chunk.first_slot + count * chunk.interval,
            waiting=None,
            lease_until=now + LEASE_SECONDS,
        )
        return self._campaigns.save(claimed)

    def _claim_again(self, campaign: Campaign, chunk: Chunk, openings: Openings, now: float, until: float) -> Campaign:
        """Claim the recipients that a worker had in hand when it died. Their slots have passed, so they get new ones."""
        lease_until = now + LEASE_SECONDS
        taken = replace(campaign, chunk=replace(chunk, tries=chunk.tries + 1), lease_until=lease_until)
        if campaign.status != "running":
            return self._campaigns.save(taken)
        timezone = next(iter(openings.values())).organization.timezone
        if self._sleeps(campaign, chunk.zone, timezone, now):
            return campaign
        number, count = campaign.definition.phone_number_id, len(chunk.places)
        block = self._lane.reserve_block(campaign.organization_id, number, count, now, until)
        if block.count < count:
            return campaign
        interval = max(block.interval, chunk.interval)
        again = replace(chunk, first_slot=block.first, interval=interval, tries=chunk.tries + 1)
        return self._campaigns.save(replace(taken, chunk=again))

    def _rest(self, campaign: Campaign, waiting: Waiting) -> Campaign:
        """The campaign releases none before the next tick; written if that is news."""
        return campaign if campaign.waiting == waiting else self._campaigns.save(replace(campaign, waiting=waiting))

    def _pause(self, campaign: Campaign, reason: str, now: float) -> Campaign:
        return self._campaigns.save(campaign.with_status("paused", now, reason=reason))


def _horizon(tick_at: float, now: float) -> float:
    """Until when a claim of this tick reserves slots: two seconds after the tick that follows now."""
    return tick_at + (now - tick_at) // TICK_SECONDS * TICK_SECONDS + HORIZON_SECONDS


def _paced(campaign: Campaign, now: float, until: float) -> int:
    """How many messages the campaign's own pace allows until then."""
    pace = campaign.definition.pace_per_second
    if pace is None:
        return CHUNK_RECIPIENTS
    return min(CHUNK_RECIPIENTS, max(0, ceil((until - max(now, campaign.paced_until)) * pace)))


def _affordable(prices: Sequence[int], left: int | None) -> int:
    """How many of these messages, from the first on, cost no more than what is left."""
    if left is None:
        return len(prices)
    count = 0
    for price in prices:
        left -= price
        if left < 0:
            break
        count += 1
    return count


def _chunk(campaign: Campaign, part: AudiencePart, places: Sequence[int], block: SlotBlock, now: float) -> Chunk:
    """The recipients at these places, with the slots of the block, or later ones if the campaign has a slower pace."""
    pace = campaign.definition.pace_per_second
    return Chunk(
        zone=part.zone,
        part=part.number,
        places=list(places),
        first_slot=max(block.first, campaign.paced_until if pace else now),
        interval=max(block.interval, 1 / pace if pace else 0),
        spent_before=campaign.spent_micros,
    )
