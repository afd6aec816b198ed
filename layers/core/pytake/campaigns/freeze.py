"""Freeze the audience of a campaign: who is written to is decided once, and everyone else is listed with the reason.

The people of the segment are read in order and kept in parts, by country. Memory holds one unfinished part per country. After
some thousand people the unfinished parts are written too, and the campaign notes the place: another worker continues there.
"""

from collections.abc import Callable, Iterator
from hashlib import sha256

from msgspec import Struct
from msgspec.structs import replace

from pytake.campaigns.assignment import is_held_out, variant_of
from pytake.campaigns.audience import HOLDOUT, PART_RECIPIENTS, PLANNED, SKIPPED, AudiencePart
from pytake.campaigns.ports import Audiences, Campaigns, SegmentReader
from pytake.campaigns.records import Campaign, Freeze, ZoneCursor
from pytake.contacts.consent import allows_template
from pytake.contacts.phones import country_of
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import SegmentChunk, Segments, SegmentUnknownError

STEP_CONTACTS = 5000
"""After so many contacts the place is noted."""

Categories = dict[str, str | None]
"""The template's category for each variant."""


class FreezeAudience:
    """The use case: one instance for one worker that freezes one campaign."""

    def __init__(self, campaigns: Campaigns, audiences: Audiences, segments: Segments, reader: SegmentReader) -> None:
        self._campaigns = campaigns
        self._audiences = audiences
        self._segments = segments
        self._reader = reader
        self._reading: tuple[Freeze, Iterator[SegmentChunk]] | None = None

    def step(self, campaign: Campaign, categories: Categories) -> Campaign:
        """Read some thousand contacts more; the campaign as stored then.

        Raises `SegmentUnknownError`, `ConflictError` when another worker or a user has written the campaign or its parts, and
        what reading the segment raises.
        """
        chunks, self._reading = self._chunks(campaign), None
        building = _Building(campaign, self._put)
        before, seen, finished = campaign.freeze, 0, False
        after = before.after
        while seen < STEP_CONTACTS:
            chunk = next(chunks, None)
            if chunk is None:
                finished = True
                break
            for member in chunk.members:
                building.add(member.contact, _outcome(campaign, member.contact, categories))
            seen, after = seen + chunk.seen, chunk.end
        building.finish()
        people = before.people + building.people
        freeze = Freeze(before.epoch, after, people, building.checksum, finished=finished)
        waiting = None if finished else campaign.waiting
        saved = self._campaigns.save(replace(campaign, freeze=freeze, zones=building.zones, waiting=waiting))
        self._reading = (freeze, chunks)
        return saved

    def _chunks(self, campaign: Campaign) -> Iterator[SegmentChunk]:
        """The members behind the noted place: those being read, if this worker noted it."""
        if self._reading is not None and self._reading[0] == campaign.freeze:
            return self._reading[1]
        segment = self._segments.get(campaign.organization_id, campaign.definition.segment_id)
        if segment is None:
            raise SegmentUnknownError(campaign.definition.segment_id)
        return self._reader.chunks(campaign.organization_id, segment, campaign.freeze.after)

    def _put(self, campaign: Campaign, part: AudiencePart) -> None:
        self._audiences.put(campaign.organization_id, campaign.campaign_id, part)


class _Building(Struct):
    """The parts of one step."""

    campaign: Campaign
    put: Callable[[Campaign, AudiencePart], None]
    parts: dict[str, AudiencePart] = {}
    zones: dict[str, ZoneCursor] = {}
    checksum: str = ""
    people: int = 0

    def __post_init__(self) -> None:
        self.zones = dict(self.campaign.zones)
        self.checksum = self.campaign.freeze.checksum

    def add(self, contact: ContactRecord, outcome: str) -> None:
        zone = country_of(contact.phone, contact.user_id)
        part = self.parts.get(zone)
        if part is None:
            number, epoch = self.zones.get(zone, ZoneCursor()).parts, self.campaign.freeze.epoch
            part = AudiencePart(zone=zone, number=number, recipients=[], outcomes=[], epoch=epoch)
            self.parts[zone] = part
        part.recipients.append(contact.contact_id)
        part.outcomes.append(outcome)
        self.people += 1
        if len(part.recipients) == PART_RECIPIENTS:
            self._write(zone)

    def finish(self) -> None:
        for zone in list(self.parts):
            self._write(zone)

    def _write(self, zone: str) -> None:
        part = self.parts.pop(zone)
        self.put(self.campaign, part)
        line = "\n".join([self.checksum, zone, str(part.number), *part.recipients, *part.outcomes])
        self.checksum = sha256(line.encode()).hexdigest()
        cursor = self.zones.get(zone, ZoneCursor())
        self.zones[zone] = replace(cursor, parts=part.number + 1)


def _outcome(campaign: Campaign, contact: ContactRecord, categories: Categories) -> str:
    """Whether a person is written to. What may change until then is checked again when the message is released."""
    if not contact.phone and not contact.user_id:
        return f"{SKIPPED}recipient_invalid"
    if contact.opted_out:
        return f"{SKIPPED}opted_out"
    variant = variant_of(campaign.campaign_id, contact.contact_id, campaign.definition.variants)
    if not allows_template(contact.consent, categories.get(variant)):
        return f"{SKIPPED}no_consent"
    # Last: the people who are left out must be like those who are written to.
    return HOLDOUT if is_held_out(campaign.campaign_id, contact.contact_id, campaign.definition) else PLANNED
