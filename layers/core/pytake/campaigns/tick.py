"""The tick of campaigns: each minute, every running campaign freezes its audience or releases what it may.

A worker takes a lease on a campaign, and works on all that it got in turns, so that a large one delays no other. It reads each
campaign again before each claim, which is how a pause is seen.
"""

from collections import deque
from collections.abc import Callable
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from pytake.campaigns.claim import LEASE_SECONDS, ClaimRecipients
from pytake.campaigns.freeze import FreezeAudience
from pytake.campaigns.openings import Openings, openings_of
from pytake.campaigns.ports import Audiences, Campaigns, SegmentReader
from pytake.campaigns.records import Campaign
from pytake.campaigns.release import LeaseEndsError, RecipientsLeftError, ReleaseRecipients
from pytake.contacts.segment_ports import Segments, SegmentUnknownError
from pytake.conversation.opening import MakeOpening, StartRefusedError
from pytake.conversation.ports.common import Clock, ConflictError, RecordMetric
from pytake.conversation.ports.messaging import OperatorEvent, OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository

NewId = Callable[[], str]

Breaker = Callable[[Campaign], str | None]
"""Why a campaign is to stop, from the outcomes of what it released last; None: it may go on."""


class _Work(Struct):
    """A campaign that the worker has, and its own state of the freeze."""

    organization_id: str
    campaign_id: str
    freeze: FreezeAudience


class TickCampaigns:
    """The use case behind the scheduled job `campaigns`."""

    def __init__(
        self,
        campaigns: Campaigns,
        audiences: Audiences,
        segments: Segments,
        reader: SegmentReader,
        tenants: TenantRepository,
        plan_opening: MakeOpening,
        claim: ClaimRecipients,
        release: ReleaseRecipients,
        breaker: Breaker,
        operator_events: OperatorEvents,
        clock: Clock,
        record_metric: RecordMetric,
        new_id: NewId = lambda: uuid4().hex,
    ) -> None:
        self._campaigns = campaigns
        self._audiences = audiences
        self._segments = segments
        self._reader = reader
        self._tenants = tenants
        self._plan_opening = plan_opening
        self._claim = claim
        self._release = release
        self._breaker = breaker
        self._operator_events = operator_events
        self._clock = clock
        self._record_metric = record_metric
        self._new_id = new_id

    def __call__(self, out_of_time: Callable[[], bool] = lambda: False) -> int:
        """Release what all running campaigns may, until `out_of_time()`; returns how many recipients were claimed.

        A campaign that fails ends for this tick; the others go on, and the first error is raised at the end, so that its alarm
        rings. Records the metric `CampaignRecipientsClaimed`.
        """
        worker, errors, claimed, begun = self._new_id(), list[Exception](), 0, self._clock()
        waiting = deque(
            _Work(*which, FreezeAudience(self._campaigns, self._audiences, self._segments, self._reader))
            for which in self._campaigns.active(begun)
        )
        taken = dict[tuple[str, str], None]()
        while waiting and not out_of_time():
            work = waiting.popleft()
            taken[work.organization_id, work.campaign_id] = None
            try:
                again, count = self._step(worker, work, begun)
            except ConflictError:  # a user or another worker has written it: read it again
                again, count = True, 0
            except (LeaseEndsError, RecipientsLeftError):
                again, count = False, 0
            except Exception as error:  # one campaign must not stop the others
                errors.append(error)
                again, count = False, 0
            claimed += count
            if again:
                waiting.append(work)
        for which in taken:
            self._give_back(worker, *which)
        self._record_metric("CampaignRecipientsClaimed", claimed)
        if errors:
            raise errors[0]
        return claimed

    def _step(self, worker: str, work: _Work, begun: float) -> tuple[bool, int]:
        """One step of a campaign: whether another may follow in this tick, and how many recipients it claimed."""
        campaign, now = self._campaigns.load(work.organization_id, work.campaign_id), self._clock()
        if campaign is None or not campaign.is_active:
            return False, 0
        if campaign.status == "scheduled" and (campaign.definition.start_at or 0) > now:
            return False, 0
        if campaign.lease != worker:
            if campaign.lease_until > now:
                return False, 0
            campaign = self._take(campaign, worker, now)
        if campaign.status != "running":
            return self._settle(campaign), 0
        try:
            openings = openings_of(campaign, self._tenants, self._plan_opening)
        except StartRefusedError as refused:
            return self._stop(campaign, refused.code)
        if not campaign.is_frozen:
            return self._freeze(work, campaign, openings)
        reason = self._breaker(campaign)
        if reason is not None:
            return self._stop(campaign, reason)
        claimed = self._claim(campaign, openings, begun)
        if claimed.chunk is None:
            self._report(campaign, claimed)
            # Without a write nothing was found to release: the lane is full, and looking again would not end.
            moved = claimed.revision != campaign.revision and claimed.zones != campaign.zones
            return claimed.status == "running" and moved, 0
        if claimed.chunk == campaign.chunk:
            return False, 0
        self._release(claimed, claimed.chunk, openings)
        return True, len(claimed.chunk.places) if campaign.chunk is None else 0

    def _take(self, campaign: Campaign, worker: str, now: float) -> Campaign:
        taken = replace(campaign, lease=worker, lease_until=now + LEASE_SECONDS)
        if campaign.status == "scheduled":
            taken = replace(taken.with_status("running", now), waiting="audience", started_at=now)
        if not campaign.is_frozen:
            # Parts that the worker before may still write are older than those of this one.
            taken = replace(taken, freeze=replace(campaign.freeze, epoch=campaign.freeze.epoch + 1))
        saved = self._campaigns.save(taken)
        self._report(campaign, saved)
        return saved

    def _settle(self, campaign: Campaign) -> bool:
        """Note who was released before the campaign stopped."""
        if campaign.chunk is not None:
            claimed = self._claim(campaign, {})
            if claimed.chunk is not None:
                self._release(claimed, claimed.chunk, {})
        return False

    def _freeze(self, work: _Work, campaign: Campaign, openings: Openings) -> tuple[bool, int]:
        categories = {variant: opening.category for variant, opening in openings.items()}
        renewed = replace(campaign, lease_until=self._clock() + LEASE_SECONDS)
        try:
            work.freeze.step(renewed, categories)
        except SegmentUnknownError:
            return self._stop(campaign, "segment_unknown")
        return True, 0

    def _stop(self, campaign: Campaign, reason: str) -> tuple[bool, int]:
        saved = self._campaigns.save(campaign.with_status("stopped", self._clock(), reason=reason))
        self._report(campaign, saved)
        return False, 0

    def _report(self, before: Campaign, after: Campaign) -> None:
        if after.status != before.status:
            self._operator_events.publish(status_event(after))

    def _give_back(self, worker: str, organization_id: str, campaign_id: str) -> None:
        """End the lease. If that fails, it ends by itself."""
        campaign = self._campaigns.load(organization_id, campaign_id)
        if campaign is not None and campaign.lease == worker:
            try:
                self._campaigns.save(replace(campaign, lease="", lease_until=0))
            except ConflictError:
                return


def status_event(campaign: Campaign) -> OperatorEvent:
    """The event of a campaign whose status has changed: `campaign.stopped` and so on."""
    detail = {"campaign_id": campaign.campaign_id, "reason": campaign.reason, "by": campaign.by or None}
    known = {name: value for name, value in detail.items() if value is not None}
    if campaign.status == "stopped":  # an alarm watches it
        return OperatorEvent("campaign.stopped", campaign.organization_id, known)
    return OperatorEvent(f"campaign.{campaign.status}", campaign.organization_id, known)
