"""A campaign of a million people, simulated: ticks through the whole audience with the real use cases on stored parts in memory.

Only the turns are counted instead of taken. `benchmarks.campaign_cost` counts what AWS takes for them.
"""

import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import process_time
from typing import Any

import msgspec
from msgspec.structs import replace

from pytake.campaigns.audience import RELEASED, AudiencePart
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.records import Campaign, CampaignDefinition, Chunk
from pytake.campaigns.tick import TickCampaigns
from pytake.contacts.consent import Consent
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import SegmentChunk, SegmentMember
from pytake.contacts.segments import Segment
from pytake.conversation.opening import Opening
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.records import Number, Organization
from pytake.engine import compile_flow
from tests import fakes
from tests.fakes import campaigns as memory

PER_SECOND, SHARE = 80, 0.8
"""Meta's throughput of a number, and the share of it that campaigns get."""

STARTED = 1_800_000_000.0
TICK_SECONDS = 60

NUMBER = "100000000000001"
SENDING_NUMBER = Number("o", NUMBER, "+55 11 4000-0001")
TEMPLATE_FLOW = {
    "format": 1,
    "id": "f",
    "language": "en",
    "start_node_id": "t",
    "nodes": [{"id": "t", "type": "template", "data": {"name": "spring", "language": "pt_BR"}}],
}
DEFINITION = CampaignDefinition(
    name="Million", phone_number_id=NUMBER, segment_id="all", template=StartTemplate("spring", "pt_BR")
)


@dataclass(frozen=True)
class Simulated:
    """A simulated campaign: how many messages a second left between the first and the last, and what was allowed."""

    people: int
    released: int
    twice: int
    seconds: float
    per_second: float
    allowed: float
    cpu_seconds: float
    megabytes: float
    """What the process grew by at most, without the stored parts: it does not depend on the number of people."""


def simulate(people: int) -> Simulated:
    """Freeze and release an audience at the rate of one number, with the real use cases."""
    begun, world = process_time(), _Simulation(people, PER_SECOND * SHARE)
    before = _peak_bytes()
    world.to_the_end()
    grown = _peak_bytes() - before - world.audiences.stored_bytes
    seconds = world.release.last_slot - world.release.first_slot + 1 / world.lane.per_second
    return Simulated(
        people,
        world.release.released,
        world.release.twice,
        seconds,
        world.release.released / seconds,
        world.lane.per_second,
        process_time() - begun,
        max(0, grown) / 1e6,
    )


def _peak_bytes() -> int:
    """The most memory that this process has had (Linux counts in KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Simulation:
    """A campaign on ports in memory."""

    def __init__(self, people: int, per_second: float) -> None:
        self.clock = fakes.FrozenClock(STARTED)
        self.campaigns = memory.MemoryCampaigns()
        self.campaigns.save(campaign("c"))
        self.audiences = _StoredParts()
        self.lane = memory.MemoryLane(per_second)
        self.reader = Generated(people)
        self.release = _CountedRelease(self.campaigns, self.audiences)
        card, budget = memory.FixedRateCard({None: 62_500}), memory.MemoryBudget()
        parts: Any = self.audiences
        self.claim = ClaimRecipients(self.campaigns, parts, self.lane, card, budget, self.clock)

    def to_the_end(self) -> None:
        while self.campaigns.stored["o", "c"].is_active:
            tick(self.campaigns, self.audiences, self.reader, self.claim, self.release, self.clock)
            self.clock.forward(TICK_SECONDS)


class _StoredParts:
    """Audiences as the bytes that the table keeps."""

    def __init__(self) -> None:
        self._parts: dict[tuple[str, int], bytes] = {}

    @property
    def stored_bytes(self) -> int:
        return sum(map(sys.getsizeof, self._parts.values()))

    def load(self, _organization_id: str, _campaign_id: str, zone: str, number: int) -> AudiencePart | None:
        stored = self._parts.get((zone, number))
        return msgspec.json.decode(stored, type=AudiencePart) if stored is not None else None

    def put(self, _organization_id: str, _campaign_id: str, part: AudiencePart) -> AudiencePart:
        saved = replace(part, revision=part.revision + 1)
        self._parts[part.zone, part.number] = msgspec.json.encode(saved)
        return saved


class _CountedRelease:
    """Counts the recipients of a claim instead of taking their turns."""

    def __init__(self, campaigns: memory.MemoryCampaigns, audiences: _StoredParts) -> None:
        self._campaigns = campaigns
        self._audiences = audiences
        self.released = self.twice = 0
        self.first_slot = self.last_slot = 0.0

    def __call__(self, campaign: Campaign, chunk: Chunk, _openings: Mapping[str, Opening]) -> Campaign:
        part = self._audiences.load("o", "c", chunk.zone, chunk.part)
        assert part is not None, "a claim is of a stored part"
        for place in chunk.places:
            self.twice += part.outcomes[place] == RELEASED
            part.outcomes[place] = RELEASED
        self._audiences.put("o", "c", part)
        self.released += len(chunk.places)
        self.first_slot = self.first_slot or chunk.first_slot
        self.last_slot = chunk.first_slot + (len(chunk.places) - 1) * chunk.interval
        return self._campaigns.save(replace(campaign, chunk=None))


class Generated:
    """The people of a segment, made as they are read."""

    def __init__(self, people: int) -> None:
        self._people = people

    def get(self, _organization_id: str, segment_id: str) -> Segment:
        return Segment(id=segment_id, name="All")

    def chunks(
        self, _organization_id: str, _segment: Segment, after: ListPlace | None = None
    ) -> Iterator[SegmentChunk]:
        first = 0 if after is None else int(STARTED - after.at) + 1
        for start in range(first, self._people, 100):
            some = [person(index) for index in range(start, min(start + 100, self._people))]
            members = [
                SegmentMember(ListPlace(STARTED - start - index, one.contact_id), one) for index, one in enumerate(some)
            ]
            yield SegmentChunk(members, len(members), members[-1].place)


def tick(campaigns: Any, audiences: Any, people: Generated, claim: Any, release: Any, clock: fakes.FrozenClock) -> None:
    opening = Opening(
        SENDING_NUMBER,
        Organization("o"),
        FlowStart(template=DEFINITION.template),
        compile_flow({"f": TEMPLATE_FLOW}, "f", 1),
        "marketing",
        None,
        0,
    )
    tenants = fakes.MemoryTenants()
    tenants.put_number(opening.number)
    TickCampaigns(
        campaigns,
        audiences,
        people,  # type: ignore[arg-type]
        people,
        tenants,
        lambda _number, _start: opening,
        claim,
        release,
        lambda _: None,
        fakes.RecordedOperatorEvents(),
        clock,
        lambda *_: None,
        lambda: f"worker-{clock.now}",
    )()


def campaign(campaign_id: str) -> Campaign:
    return Campaign(
        organization_id="o", campaign_id=campaign_id, definition=DEFINITION, status="running", started_at=STARTED
    )


def person(index: int) -> ContactRecord:
    phone = f"55119{index:08d}"
    consent: Any = {"marketing": Consent("granted", "form", 1)}
    at = STARTED - index
    return ContactRecord(
        contact_id=phone, phone=f"+{phone}", name=f"Person {index}", consent=consent, created_at=at, revision=1
    )
