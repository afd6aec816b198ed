"""A campaign of a million people, simulated: its rate, and what AWS takes for it.

Two runs. The first one releases some hundred people through the real adapters against an AWS inside the process, and counts
requests and units. The second one ticks through the whole audience with the real use cases on stored parts in memory; only the
turns are counted instead of taken. The cost is that of `pytake cost` for sender, statuses and webhooks, plus the counted release.
"""

import argparse
import os
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.instant_aws import InstantAws
from cli.costing.model import MILLION, Bill, Volumes
from cli.costing.tables import MeasuredUsage, assumptions, measured_usage, prices
from pytake.aws.aliases import DynamoAliases
from pytake.aws.campaigns import DynamoAudiences, DynamoCampaigns
from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.queues import SqsQueues
from pytake.aws.table import Table
from pytake.campaigns.audience import RELEASED, AudiencePart
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.records import Campaign, CampaignDefinition, Chunk
from pytake.campaigns.release import ReleaseRecipients
from pytake.campaigns.tick import TickCampaigns
from pytake.contacts.consent import Consent
from pytake.contacts.ports import ListPlace
from pytake.contacts.records import ContactRecord
from pytake.contacts.segment_ports import SegmentChunk, SegmentMember
from pytake.contacts.segments import Segment
from pytake.conversation.commit_turn import CommitTurn
from pytake.conversation.opening import Opening
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.records import ConversationKey, Number, Organization
from pytake.engine import compile_flow
from tests import fakes
from tests.fakes import campaigns as memory
from tests.table import kept

PER_SECOND, SHARE = 80, 0.8
"""Meta's throughput of a number, and the share of it that campaigns get."""

STARTED = 1_800_000_000.0
TICK_SECONDS = 60
WORKERS, MEMORY_MB = 8, 1024
RECOUNT_READS = 12.0
"""Read units of a recipient's recounts: six times the conversation, and the turn and the ledger entry until it is read,
which is after three recounts for most people."""

NUMBER = "100000000000001"
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
class Released:
    """What one recipient costs to release: requests to AWS, billed units, and CPU time on this machine."""

    requests: dict[str, float]
    write_units: float
    read_units: float
    cpu_ms: float


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


def release_through_aws(people: int = 200, *, known: bool = False) -> Released:
    """Release some people through the real adapters. `known`: they have a conversation at the number already."""
    os.environ.update(dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none"))
    aws = InstantAws()
    aws.connect()
    clock, table = fakes.FrozenClock(STARTED), Table("t", "us-east-1")
    campaigns, audiences = DynamoCampaigns(table), DynamoAudiences(table, kept(), clock)
    conversations, contacts = DynamoConversations(table, kept(), clock), DynamoContacts(table)
    everyone = [_person(index) for index in range(people)]
    for one in everyone:
        contacts.save("o", replace(one, revision=0))
    client: Any = table.connection.session.create_client(
        "sqs", region_name="us-east-1", endpoint_url="https://sqs.test"
    )
    queues = SqsQueues(lambda: client, outbound="https://sqs.test/out", bulk="https://sqs.test/bulk")
    nothing = fakes.RecordedOperatorEvents()
    publish = PublishBusinessEvents(fakes.MemoryBus(), None, conversations, None)  # type: ignore[arg-type]
    commit = CommitTurn(conversations, contacts, queues, nothing, publish, clock)
    lane, budget = memory.MemoryLane(PER_SECOND * SHARE), memory.MemoryBudget()

    def run(campaign_id: str) -> None:
        campaigns.save(_campaign(campaign_id))
        claim = ClaimRecipients(campaigns, audiences, lane, memory.FixedRateCard({None: 62_500}), budget, clock)
        release = ReleaseRecipients(
            campaigns, audiences, contacts, conversations, DynamoAliases(table, clock), commit, budget, clock
        )
        for _ in range(20):
            _tick(_Active(campaigns, campaign_id), audiences, _Generated(people), claim, release, clock)
            clock.forward(TICK_SECONDS)

    if known:
        run("before")
        for one in everyone:
            key = ConversationKey("o", NUMBER, one.contact_id)
            conversation = conversations.load(key)
            assert conversation is not None, "the first campaign has begun it"
    requests, writes, reads, own = len(aws.requests), aws.write_units, aws.read_units, aws.spent_cpu_ns
    cpu = process_time()
    run("c")
    spent = process_time() - cpu - (aws.spent_cpu_ns - own) / 1e9
    made = aws.requests[requests:]
    return Released(
        {name: made.count(name) / people for name in sorted(set(made))},
        (aws.write_units - writes) / people,
        (aws.read_units - reads) / people,
        spent * 1000 / people,
    )


def cost(released: Released, million: float = MILLION) -> dict[str, float]:
    """US dollars for so many messages, by what they are for (us-east-1, arm64, three statuses each)."""
    usage = measured_usage()
    stages = {name: stage for name, stage in usage.stages.items() if name not in ("webhook", "flow_runner")}
    # A campaign reserved the slot in a block, and nothing is marked as read.
    own = {"dynamodb.UpdateItem": stages["sender"].requests["dynamodb.UpdateItem"] - 1}
    requests = {name: count for name, count in stages["sender"].requests.items() if name != "graph.read"} | own
    stages["sender"] = msgspec.structs.replace(
        stages["sender"], requests=requests, write_units=stages["sender"].write_units - 1
    )
    sent = Bill(
        Volumes(messages=million, templates=million),
        MeasuredUsage(usage.measured_on, usage.commit, usage.machine, stages, usage.stored_bytes),
        prices(),
        assumptions(),
    )
    price, assumed, share = prices().regions["us-east-1"], assumptions(), million / MILLION
    # The model's people write first: a campaign's do not.
    unasked = {"API Gateway": share * price["http_api_million"], "SQS": share * 3 * price["sqs_fifo_million"]}
    by_service = dict.fromkeys(("API Gateway", "SQS", "Lambda", "DynamoDB"), 0.0)
    for line in sent.lines:
        if line.group == "message":
            by_service[line.service] += line.usd
    waits = sum(assumed.wait_ms.get(name, 0) * count for name, count in released.requests.items())
    seconds = (released.cpu_ms * assumed.full_cpu_mb / MEMORY_MB + waits / WORKERS) / 1000 * million
    return {
        "release: DynamoDB writes": share * released.write_units * price["dynamodb_write_million"],
        "release: DynamoDB reads": share * released.read_units * price["dynamodb_read_million"],
        "release: Lambda": seconds * MEMORY_MB / 1024 * price["lambda_gb_second_arm64"],
        **{f"sending and statuses: {service}": usd - unasked.get(service, 0) for service, usd in by_service.items()},
        "recounts: DynamoDB reads": share * RECOUNT_READS * price["dynamodb_read_million"],
    }


class _Simulation:
    """A campaign on ports in memory."""

    def __init__(self, people: int, per_second: float) -> None:
        self.clock = fakes.FrozenClock(STARTED)
        self.campaigns = memory.MemoryCampaigns()
        self.campaigns.save(_campaign("c"))
        self.audiences = _StoredParts()
        self.lane = memory.MemoryLane(per_second)
        self.reader = _Generated(people)
        self.release = _CountedRelease(self.campaigns, self.audiences)
        card, budget = memory.FixedRateCard({None: 62_500}), memory.MemoryBudget()
        parts: Any = self.audiences
        self.claim = ClaimRecipients(self.campaigns, parts, self.lane, card, budget, self.clock)

    def to_the_end(self) -> None:
        while self.campaigns.stored["o", "c"].is_active:
            _tick(self.campaigns, self.audiences, self.reader, self.claim, self.release, self.clock)
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


class _Generated:
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
            some = [_person(index) for index in range(start, min(start + 100, self._people))]
            members = [
                SegmentMember(ListPlace(STARTED - start - index, one.contact_id), one) for index, one in enumerate(some)
            ]
            yield SegmentChunk(members, len(members), members[-1].place)


class _Active:
    """Campaigns with only one that is due: the AWS inside the process has no index."""

    def __init__(self, campaigns: DynamoCampaigns, campaign_id: str) -> None:
        self.load, self.save, self._id = campaigns.load, campaigns.save, campaign_id

    def active(self, _now: float) -> Sequence[tuple[str, str]]:
        return [("o", self._id)]


def _tick(
    campaigns: Any, audiences: Any, people: _Generated, claim: Any, release: Any, clock: fakes.FrozenClock
) -> None:
    opening = Opening(
        Number("o", NUMBER, "+55 11 4000-0001"),
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


def _campaign(campaign_id: str) -> Campaign:
    return Campaign(
        organization_id="o", campaign_id=campaign_id, definition=DEFINITION, status="running", started_at=STARTED
    )


def _person(index: int) -> ContactRecord:
    phone = f"55119{index:08d}"
    consent: Any = {"marketing": Consent("granted", "form", 1)}
    at = STARTED - index
    return ContactRecord(
        contact_id=phone, phone=f"+{phone}", name=f"Person {index}", consent=consent, created_at=at, revision=1
    )


def main() -> None:
    """Simulate a campaign, and print its rate and what AWS takes for it."""
    parser = argparse.ArgumentParser(prog="make capacity", description=main.__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people: int = parser.parse_args().people
    done = simulate(people)
    print(f"{done.released:,} of {done.people:,} released, {done.twice} twice, in {done.seconds / 3600:.2f} hours")
    print(f"{done.per_second:.3f} a second, {done.allowed:g} allowed; {done.cpu_seconds:.0f} s of CPU for {people:,}")
    print(f"{done.megabytes:.0f} MB of memory besides the stored audience")
    for known in (False, True):
        released = release_through_aws(known=known)
        parts = cost(released)
        print(
            f"{'known' if known else 'new'} people: {sum(parts.values()):.2f} USD a million",
            *(f"{usd:6.2f} {name}" for name, usd in parts.items()),
            released,
            sep="\n  ",
        )


if __name__ == "__main__":
    main()
