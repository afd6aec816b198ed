"""In-memory implementations of `pytake.campaigns.ports`."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from pytake.aws.contacts import list_place
from pytake.campaigns.audience import AudienceCounts, AudiencePart, total, without
from pytake.campaigns.ports import SlotBlock
from pytake.campaigns.records import Campaign
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import SegmentChunk, SegmentMember
from pytake.contacts.segments import Segment
from pytake.conversation.ports.common import ConflictError
from tests.fakes.copies import copied


class MemoryCampaigns:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Campaign] = {}

    def load(self, organization_id: str, campaign_id: str) -> Campaign | None:
        return copied(self.stored.get((organization_id, campaign_id)))

    def save(self, campaign: Campaign) -> Campaign:
        place = campaign.organization_id, campaign.campaign_id
        known = self.stored.get(place)
        if (known.revision if known is not None else 0) != campaign.revision:
            raise ConflictError
        saved = replace(campaign, revision=campaign.revision + 1)
        self.stored[place] = copied(saved)
        return saved

    def page(self, organization_id: str, limit: int, after: str = "") -> list[Campaign]:
        own = sorted((place, one) for place, one in self.stored.items() if place[0] == organization_id)
        return [copied(one) for (_, id_), one in own if id_ > after][:limit]

    def active(self, now: float) -> list[tuple[str, str]]:
        return sorted(
            place
            for place, one in self.stored.items()
            if one.is_active
            and not (one.status == "scheduled" and one.chunk is None and (one.definition.start_at or 0) > now)
        )


class MemoryAudiences:
    def __init__(self) -> None:
        self.stored: dict[tuple[str, str, str, int], AudiencePart] = {}

    def load(self, organization_id: str, campaign_id: str, zone: str, number: int) -> AudiencePart | None:
        return copied(self.stored.get((organization_id, campaign_id, zone, number)))

    def put(self, organization_id: str, campaign_id: str, part: AudiencePart) -> AudiencePart:
        place = organization_id, campaign_id, part.zone, part.number
        known = self.stored.get(place)
        if known is not None and (part.revision != known.revision if part.revision else part.epoch < known.epoch):
            raise ConflictError
        if known is None and part.revision:
            raise ConflictError
        saved = replace(copied(part), revision=part.revision + 1)
        self.stored[place] = saved
        return copied(saved)

    def parts(self, organization_id: str, campaign_id: str) -> Iterator[AudiencePart]:
        own = sorted(
            (place, part) for place, part in self.stored.items() if place[:2] == (organization_id, campaign_id)
        )
        return (copied(part) for _, part in own)

    def counts(self, organization_id: str, campaign_id: str) -> AudienceCounts:
        return total(part.counts() for part in self.parts(organization_id, campaign_id))

    def to_recount(self, now: float) -> Iterator[tuple[str, str, str, int]]:
        due = ((part.recount_at, place) for place, part in self.stored.items() if part.recount_at is not None)
        return (place for at, place in sorted(due) if at <= now)

    def forget(self, organization_id: str, contact_ids: Sequence[str]) -> int:
        changed = 0
        for place in list(self.stored):
            for contact_id in contact_ids:
                if place[0] == organization_id and contact_id in self.stored[place].recipients:
                    self.put(*place[:2], without(self.stored[place], contact_id))
                    changed += 1
        return changed


class MemoryLane:
    """A lane of `per_second` messages, and a day limit that is never given back."""

    def __init__(self, per_second: float = 64, people: int = 1_000_000_000) -> None:
        self.per_second = per_second
        self.people = people
        self.next_slot = 0.0

    def reserve_block(
        self, organization_id: str, phone_number_id: str, count: int, now: float, until: float
    ) -> SlotBlock:
        first, interval = max(now, self.next_slot), 1 / self.per_second
        granted = min(count, max(0, int((until - first) * self.per_second)))
        self.next_slot = first + granted * interval
        return SlotBlock(first, interval, granted) if granted else SlotBlock()

    def remaining_people(self, organization_id: str, phone_number_id: str, now: float) -> int | None:
        return self.people

    def reserve_people(self, organization_id: str, phone_number_id: str, count: int, now: float) -> int:
        granted = min(count, self.people)
        self.people -= granted
        return granted


class FixedRateCard:
    """The same prices at any time. A country without a price has that of `None`."""

    def __init__(self, prices: Mapping[str | None, int] | None = None) -> None:
        self.prices = dict(prices or {})

    def price_micros(self, country: str | None, category: str | None, at: float) -> int | None:
        return self.prices.get(country, self.prices.get(None))


class MemoryBudget:
    """One budget of all organizations. While `left` is None there is none, and nothing is counted."""

    def __init__(self, left: int | None = None) -> None:
        self.left = left
        self.reserved: dict[str, int] = {}
        self.settled: set[str] = set()

    def reserve(self, organization_id: str, reservation_id: str, micros: int, at: float) -> bool:
        if self.left is None or reservation_id in self.reserved:
            return True
        if sum(self.reserved.values()) + micros > self.left:
            return False
        self.reserved[reservation_id] = micros
        return True

    def remaining(self, organization_id: str, reservation_id: str, at: float) -> int | None:
        if self.left is None:
            return None
        return self.reserved.get(reservation_id, max(0, self.left - sum(self.reserved.values())))

    def settle(self, organization_id: str, reservation_id: str, micros: int) -> None:
        if reservation_id in self.reserved and reservation_id not in self.settled:
            self.settled.add(reservation_id)
            self.reserved[reservation_id] = min(micros, self.reserved[reservation_id])


class ListedContacts:
    """The people of segments, by the segment's id, read `size` at a time. Implements `SegmentReader`."""

    def __init__(self, segments: Mapping[str, Sequence[ContactRecord]], size: int = 100) -> None:
        self.segments = dict(segments)
        self.size = size

    def chunks(self, organization_id: str, segment: Segment, after: ListPlace | None = None) -> Iterator[SegmentChunk]:
        members = [SegmentMember(list_place(contact), contact) for contact in self.segments[segment.id]]
        members.sort(key=lambda member: _newest_first(member.place))
        behind = [one for one in members if after is None or _newest_first(one.place) > _newest_first(after)]
        for some in batched(behind, self.size):
            yield SegmentChunk(some, len(some), some[-1].place)


def batched(members: list[SegmentMember], size: int) -> Iterator[list[SegmentMember]]:
    return (members[start : start + size] for start in range(0, len(members), size))


def _newest_first(place: ListPlace) -> tuple[float, str]:
    return -place.at, place.contact_id
