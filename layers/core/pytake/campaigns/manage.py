"""The use cases behind `/api/v1/campaigns`: define, start, pause, resume, cancel and try a campaign."""

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from pytake.campaigns.audience import AudienceCounts
from pytake.campaigns.ports import Audiences, Campaigns
from pytake.campaigns.records import Campaign, CampaignDefinition, CampaignStatus
from pytake.campaigns.results import CampaignGoal, CampaignResults, results_of
from pytake.campaigns.tick import status_event
from pytake.contacts.segment_ports import Segments, SegmentUnknownError
from pytake.conversation.media.kinds import FileKinds, FileProblem, file_problems, names_file
from pytake.conversation.opening import MakeOpening
from pytake.conversation.ports.common import Clock, until_written
from pytake.conversation.ports.deliveries import RateSlots
from pytake.conversation.ports.messaging import OperatorEvents
from pytake.conversation.ports.tenants import TenantRepository, UnknownNumberError
from pytake.conversation.records import Number
from pytake.conversation.start_flow import QueuedStart, StartFlow

PAGE = 100
"""Campaigns that are read at once."""

_ENDED: tuple[CampaignStatus, ...] = ("completed", "cancelled")
_STARTED: tuple[CampaignStatus, ...] = ("scheduled", "running", "paused", "stopped")


class UnknownCampaignError(Exception):
    """The organization has no such campaign."""


class CampaignStateError(Exception):
    """The campaign's `status` does not allow this."""

    def __init__(self, status: CampaignStatus) -> None:
        super().__init__(f"the campaign is {status}")
        self.status = status


class CampaignChangedError(Exception):
    """The stored definition is not the expected one. `revision` is the stored one's, None if there is no campaign."""

    def __init__(self, revision: int | None) -> None:
        super().__init__("the stored campaign is not the expected one")
        self.revision = revision


class CampaignReport(Struct, frozen=True):
    """A campaign, and the outcomes of its audience. `pace` is the share of its rate that it has at the moment; below 1, Meta has
    refused messages because they came too fast. `files` are the library files with which it cannot be sent."""

    campaign: Campaign
    counts: AudienceCounts
    pace: float = 1
    files: list[FileProblem] = []


class ManageCampaigns:
    """Every change raises `UnknownCampaignError`, and `ConflictError` when others keep writing the campaign.

    `by` is the subject of the token of the person who asks.
    """

    def __init__(
        self,
        campaigns: Campaigns,
        audiences: Audiences,
        slots: RateSlots,
        tenants: TenantRepository,
        segments: Segments,
        plan_opening: MakeOpening,
        start_flow: StartFlow,
        operator_events: OperatorEvents,
        clock: Clock,
        file_kinds: FileKinds,
    ) -> None:
        self._file_kinds = file_kinds
        self._campaigns = campaigns
        self._audiences = audiences
        self._slots = slots
        self._tenants = tenants
        self._segments = segments
        self._plan_opening = plan_opening
        self._start_flow = start_flow
        self._operator_events = operator_events
        self._clock = clock

    def get(self, organization_id: str, campaign_id: str) -> CampaignReport:
        return self._report(self._load(organization_id, campaign_id))

    def results(
        self, organization_id: str, campaign_id: str, goal: CampaignGoal, smallest_effect: float
    ) -> CampaignResults:
        """Its variants and its holdout, compared by a goal."""
        report = self.get(organization_id, campaign_id)
        return results_of(report.campaign.definition, report.counts, goal, smallest_effect)

    def page(self, organization_id: str, limit: int, after: str = "") -> list[Campaign]:
        """At most `limit` campaigns behind an id, without their counts."""
        return self._campaigns.page(organization_id, limit, after)

    def sending(self, organization_id: str, file_id: str) -> list[str]:
        """The ids of the campaigns that were started, have not ended, and send a library file."""
        found, after = list[str](), ""
        while page := self._campaigns.page(organization_id, PAGE, after):
            after = page[-1].campaign_id
            found += [one.campaign_id for one in page if one.status in _STARTED and _sends(one, file_id)]
        return found

    def put(
        self,
        organization_id: str,
        campaign_id: str,
        definition: CampaignDefinition,
        by: str,
        expected: int | None = None,
    ) -> CampaignReport:
        """Define a campaign. `expected`: the revision that the stored definition must have, -1 for any.

        After the start, only the name, the quiet hours, the pace and the spend cap may change. Raises `CampaignChangedError`,
        and `CampaignStateError` when the campaign has ended, or more changes than may.
        """

        def write() -> Campaign:
            stored, now = self._campaigns.load(organization_id, campaign_id), self._clock()
            revision = stored.definition_revision if stored is not None else None
            if expected is not None and (revision is None or expected not in (-1, revision)):
                raise CampaignChangedError(revision)
            if stored is None:
                new = Campaign(
                    organization_id=organization_id,
                    campaign_id=campaign_id,
                    definition=definition,
                    created_at=now,
                    status_at=now,
                    by=by,
                )
                return self._campaigns.save(new)
            if stored.definition == definition:
                return stored
            if stored.status != "draft" and not _may_change(stored, definition):
                raise CampaignStateError(stored.status)
            changed = replace(stored, definition=definition, definition_revision=stored.definition_revision + 1)
            return self._campaigns.save(changed)

        return self._report(until_written(write, "the campaign"))

    def start(self, organization_id: str, campaign_id: str, by: str) -> CampaignReport:
        """Start it, at its `start_at` if that is later. A campaign that was started before stays as it is.

        Raises `CampaignStateError` for a cancelled one, `UnknownNumberError`, `SegmentUnknownError`, and what the plan of the
        opening raises (`StartRefusedError`, `FlowError`): for all people alike, nothing could be sent.
        """

        def change(stored: Campaign) -> Campaign:
            if stored.status == "cancelled":
                raise CampaignStateError(stored.status)
            if stored.status != "draft":
                return stored
            self._check(stored)
            return self._begin(stored, by)

        return self._change(organization_id, campaign_id, change)

    def pause(self, organization_id: str, campaign_id: str, by: str) -> CampaignReport:
        """Release no more. Raises `CampaignStateError` unless it runs, waits for its start, or is paused already."""
        return self._change(organization_id, campaign_id, self._to("paused", ("scheduled", "running"), by))

    def resume(self, organization_id: str, campaign_id: str, by: str) -> CampaignReport:
        """Go on after a pause or the breaker. Raises `CampaignStateError` unless it was started and has not ended, and what the
        plan of the opening raises, as `start` does."""

        def change(stored: Campaign) -> Campaign:
            if stored.status in ("scheduled", "running"):
                return stored
            if stored.status not in ("paused", "stopped"):
                raise CampaignStateError(stored.status)
            self._check_openings(stored)
            return replace(self._begin(stored, by), watched_from=stored.zones)

        return self._change(organization_id, campaign_id, change)

    def cancel(self, organization_id: str, campaign_id: str, by: str) -> CampaignReport:
        """End it for good. Raises `CampaignStateError` for a completed one."""
        open_: tuple[CampaignStatus, ...] = ("draft", "scheduled", "running", "paused", "stopped")
        return self._change(organization_id, campaign_id, self._to("cancelled", open_, by))

    def try_out(
        self,
        organization_id: str,
        campaign_id: str,
        people: list[str],
        variant: str,
        request_id: str,
        correlation_id: str,
    ) -> list[QueuedStart]:
        """Send it to these people now, whatever its state; it counts nowhere. Repeating a `request_id` sends nothing twice.

        Raises what `StartFlow` raises for the first person who cannot be written to.
        """
        campaign = self._load(organization_id, campaign_id)
        start, number = campaign.definition.start_of(variant), campaign.definition.phone_number_id
        return [
            self._start_flow(organization_id, number, to, start, f"{campaign_id}:{request_id}", correlation_id)
            for to in people
        ]

    def _begin(self, campaign: Campaign, by: str) -> Campaign:
        now = self._clock()
        if campaign.started_at or (campaign.definition.start_at or 0) <= now:
            waiting = replace(campaign, started_at=campaign.started_at or now)
            begun = waiting.with_status("running", now, by=by)
            return begun if begun.is_frozen else replace(begun, waiting="audience")
        return campaign.with_status("scheduled", now, by=by)

    def _check(self, campaign: Campaign) -> None:
        self._number(campaign.organization_id, campaign.definition.phone_number_id)
        if self._segments.get(campaign.organization_id, campaign.definition.segment_id) is None:
            raise SegmentUnknownError(campaign.definition.segment_id)
        self._check_openings(campaign)

    def _check_openings(self, campaign: Campaign) -> None:
        definition = campaign.definition
        number = self._number(campaign.organization_id, definition.phone_number_id)
        for variant in [variant.name for variant in definition.variants] or [""]:
            self._plan_opening(number, definition.start_of(variant))

    def _number(self, organization_id: str, phone_number_id: str) -> Number:
        number = self._tenants.number(phone_number_id)
        if number is None or number.organization_id != organization_id:
            raise UnknownNumberError(phone_number_id)
        return number

    def _to(
        self, status: CampaignStatus, allowed: tuple[CampaignStatus, ...], by: str
    ) -> Callable[[Campaign], Campaign]:
        def change(stored: Campaign) -> Campaign:
            if stored.status == status:
                return stored
            if stored.status not in allowed:
                raise CampaignStateError(stored.status)
            return stored.with_status(status, self._clock(), by=by)

        return change

    def _change(self, organization_id: str, campaign_id: str, change: Callable[[Campaign], Campaign]) -> CampaignReport:
        def write() -> Campaign:
            stored = self._load(organization_id, campaign_id)
            changed = change(stored)
            if changed is stored:
                return stored
            saved = self._campaigns.save(changed)
            self._operator_events.publish(status_event(saved))
            return saved

        return self._report(until_written(write, "the campaign"))

    def _load(self, organization_id: str, campaign_id: str) -> Campaign:
        campaign = self._campaigns.load(organization_id, campaign_id)
        if campaign is None:
            raise UnknownCampaignError
        return campaign

    def _report(self, campaign: Campaign) -> CampaignReport:
        files = list(self._file_problems(campaign)) if campaign.status not in _ENDED else []
        if not campaign.freeze.people:
            return CampaignReport(campaign, AudienceCounts(), files=files)
        pace, organization_id = 1.0, campaign.organization_id
        if campaign.status == "running":
            slowed = self._slots.slowed(organization_id, campaign.definition.phone_number_id)
            pace = slowed.share_at(self._clock())
        return CampaignReport(campaign, self._audiences.counts(organization_id, campaign.campaign_id), pace, files)

    def _file_problems(self, campaign: Campaign) -> Iterator[FileProblem]:
        for where, template in campaign.definition.templates():
            yield from file_problems(
                self._file_kinds, campaign.organization_id, template.components, f"{where}.components"
            )


def _sends(campaign: Campaign, file_id: str) -> bool:
    return any(names_file(template.components, file_id) for _, template in campaign.definition.templates())


def _may_change(stored: Campaign, definition: CampaignDefinition) -> bool:
    """Whether a started campaign may get this definition: the audience and what it is sent stay."""
    if stored.status in _ENDED:
        return False
    kept = {
        name: getattr(stored.definition, name)
        for name in ("name", "quiet_hours", "pace_per_second", "spend_cap_micros")
    }
    return replace(definition, **kept) == stored.definition
