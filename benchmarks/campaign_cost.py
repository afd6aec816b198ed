"""What AWS takes for a campaign: some hundred people through the real adapters, against an AWS inside the process.

They are released, sent to and counted again, and requests, units and processor time are counted. Webhooks and statuses cost what
`make bench` has measured of them (`cli/costing`). `docs/adr/0040-what-a-campaign-costs.md` says what is assumed, and why.
"""

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time
from typing import Any, cast

import msgspec
from aws_lambda_powertools import Logger
from msgspec.structs import replace

from benchmarks.campaign_simulation import (
    NUMBER,
    PER_SECOND,
    SENDING_NUMBER,
    SHARE,
    STARTED,
    TICK_SECONDS,
    Generated,
    campaign,
    person,
    tick,
)
from benchmarks.instant_aws import InstantAws
from cli.costing.model import MILLION, Bill, Volumes
from cli.costing.tables import MeasuredUsage, assumptions, measured_usage, prices
from pytake.aws.aliases import DynamoAliases
from pytake.aws.batch import BatchProcessor, Record
from pytake.aws.campaigns import DynamoAudiences, DynamoCampaigns
from pytake.aws.contacts import DynamoContacts
from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.delivery_reads import DynamoDeliveryReads
from pytake.aws.queues import SqsQueues
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.table import Table
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.records import Campaign as StoredCampaign
from pytake.campaigns.recount import RECOUNT_AFTER, RecountAudience
from pytake.campaigns.release import ReleaseRecipients
from pytake.conversation.commit_turn import CommitTurn
from pytake.conversation.delivery.deliver import Deliver
from pytake.conversation.delivery.library_files import ExchangeFiles
from pytake.conversation.publish_events import PublishBusinessEvents
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey, NumberSecrets
from pytake.meta.graph_api import GraphApi
from tests import fakes
from tests.fakes import campaigns as memory
from tests.table import kept

PEOPLE = 500
"""A full part of the audience: writing one costs by its size."""

DAY = 86_400
WORKERS, MEMORY_MB = 8, 1024
"""Of the scheduled function: turns at a time, and memory."""

SENDER_MB = 256

EARLY_BATCH, DUE_BATCH = 10, 5
"""Messages that the sender gets in one batch. Released ones wait in the queue by the thousand: Lambda takes ten. Those of one
received batch return in the same second, ten a batch at most; half of that is assumed."""

READ_AFTER_RECOUNTS = 3
"""Most people have read the message by then. An unread message is looked up in full each time."""

RECEIVED_AT_ONCE = 10
"""ReceiveMessage and DeleteMessageBatch take at most ten messages, whatever the size of the function's batch."""


@dataclass(frozen=True)
class Usage:
    """What one recipient costs in one stage: requests to AWS, billed units, and CPU time on this machine."""

    requests: dict[str, float]
    write_units: float
    read_units: float
    cpu_ms: float

    def waits_ms(self, *left_out: str) -> float:
        """How long the function waits for its requests."""
        assumed = assumptions().wait_ms
        return sum(assumed.get(name, 0) * count for name, count in self.requests.items() if name not in left_out)


@dataclass(frozen=True)
class Campaign:
    """What one recipient costs, by stage."""

    release: Usage
    early: Usage
    """The sender gets a message before its slot, and returns it."""
    send: Usage
    recounts: Usage
    """All of them."""


def through_aws(people: int = PEOPLE, *, known: bool = False) -> Campaign:
    """Release to some people, send, and count again. `known`: they have had a campaign a month ago."""
    world = _World(people)
    if known:
        world.release("before")
        world.aws.queues.clear()
        world.clock.forward(30 * DAY)
    with world.counted() as release:
        world.release("c")
    items = [msgspec.json.decode(body, type=OutboundItem) for body in world.aws.queues[BULK]]
    assert len(items) == people
    first = items[0].campaign
    assert first is not None
    world.clock.now = first.slot_at - 1
    with world.counted() as early:
        assert world.deliver(items, 1, EARLY_BATCH) == people
    world.clock.now = max(item.campaign.slot_at for item in items if item.campaign is not None)
    with world.counted() as send:
        assert world.deliver(items, 2, DUE_BATCH) == 0
    recounts = []
    for index, seconds in enumerate(RECOUNT_AFTER):
        world.clock.now = STARTED + 31 * DAY + seconds
        if index in (0, READ_AFTER_RECOUNTS):
            world.report(items, "read" if index else "delivered")
        with world.counted() as recount:
            world.recount("c")
        recounts.append(recount())
    return Campaign(release(), early(), send(), _sum(recounts))


BULK = "https://sqs.test/bulk"


class _World:
    """The adapters of the scheduled function and of the sender."""

    def __init__(self, people: int) -> None:
        os.environ.update(dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "none"))
        self.people = people
        self.aws = InstantAws()
        self.aws.connect()
        self.aws.connect_graph()
        clock = self.clock = fakes.FrozenClock(STARTED)
        table = Table("t", "us-east-1")
        client: Any = table.connection.session.create_client(
            "sqs", region_name="us-east-1", endpoint_url="https://sqs.test"
        )
        queues = SqsQueues(lambda: client, outbound="https://sqs.test/out", bulk=BULK)
        self.campaigns, self.audiences = DynamoCampaigns(table), DynamoAudiences(table, kept(), clock)
        conversations, contacts = DynamoConversations(table, kept(), clock), DynamoContacts(table)
        self.deliveries = DynamoDeliveries(table, clock, kept())
        for index in range(people):
            contacts.save("o", replace(person(index), revision=0))
        events, never = fakes.RecordedOperatorEvents(), cast("Any", None)
        publish = PublishBusinessEvents(fakes.MemoryBus(), never, conversations, never)
        commit = CommitTurn(conversations, contacts, queues, events, publish, clock)
        lane, budget = memory.MemoryLane(PER_SECOND * SHARE), memory.MemoryBudget()
        card = memory.FixedRateCard({None: 62_500})
        aliases = DynamoAliases(table, clock)
        self._claim = ClaimRecipients(self.campaigns, self.audiences, lane, card, budget, clock)
        self._release = ReleaseRecipients(
            self.campaigns, self.audiences, contacts, conversations, aliases, commit, queues, budget, clock
        )
        tenants, secrets = fakes.MemoryTenants(), fakes.MemorySecrets()
        tenants.put_number(SENDING_NUMBER)
        secrets.stored["o", NUMBER] = NumberSecrets("app", "token")
        self._batches = BatchProcessor()
        self._logger = Logger(service="sender", stream=io.StringIO())
        self._deliver = Deliver(
            conversations=conversations,
            contacts=contacts,
            deliveries=self.deliveries,
            reads=DynamoDeliveryReads(table, clock),
            slots=DynamoRateSlots(table),
            held_turns=fakes.MemoryHeldTurns(),
            tenants=tenants,
            secrets=secrets,
            templates=fakes.MemoryTemplates(),
            sender=GraphApi("https://graph.test", "v25.0", meanwhile=self._batches.meanwhile),
            receipts=fakes.RecordedReceipts(),
            queues=queues,
            operator_events=events,
            publish_events=publish,
            exchange_files=ExchangeFiles(lambda: never, clock),
            clock=clock,
            messages_per_minute=60 * PER_SECOND,
        )
        late: dict[str, Any] = {"consistent": False}
        self._recount = RecountAudience(
            self.audiences,
            DynamoConversations(table, kept(), clock, **late),
            aliases,
            DynamoDeliveries(table, clock, kept(), **late),
            self.campaigns,
            never,
            queues,
            clock,
        )

    @contextmanager
    def counted(self) -> Iterator[Callable[[], Usage]]:
        """Counts what is asked while it lasts, per recipient."""
        aws, people = self.aws, self.people
        requests, writes, reads, own = len(aws.requests), aws.write_units, aws.read_units, aws.spent_cpu_ns
        cpu, found = process_time(), list[Usage]()
        yield lambda: found[0]
        spent = process_time() - cpu - (aws.spent_cpu_ns - own) / 1e9
        made = aws.requests[requests:]
        counts = {name: made.count(name) / people for name in sorted(set(made))}
        found.append(
            Usage(counts, (aws.write_units - writes) / people, (aws.read_units - reads) / people, spent * 1000 / people)
        )

    def release(self, campaign_id: str) -> None:
        self.campaigns.save(campaign(campaign_id))
        due = _Active(self.campaigns, campaign_id)
        while self._stored(campaign_id).is_active:
            tick(due, self.audiences, Generated(self.people), self._claim, self._release, self.clock)
            self.clock.forward(TICK_SECONDS)

    def deliver(self, items: Sequence[OutboundItem], receive_count: int, size: int) -> int:
        """Send in batches of this size; how many return to the queue."""
        returned = 0
        for start in range(0, len(items), size):
            records = [
                {
                    "messageId": item.contact_id,
                    "body": msgspec.json.encode(item).decode(),
                    "receiptHandle": "handle",
                    "attributes": {"ApproximateReceiveCount": str(receive_count), "MessageGroupId": item.group_id},
                }
                for item in items[start : start + size]
            ]

            def work(record: Record) -> None:
                item = msgspec.json.decode(record.body, type=OutboundItem)
                self._deliver(item, first_delivery=record.receive_count == 1)

            answer = self._batches.process({"Records": records}, work, lambda *_: None, self._logger)
            returned += len(answer["batchItemFailures"])
        return returned

    def report(self, items: Sequence[OutboundItem], status: str) -> None:
        """Meta reports a status of each message."""
        for item in items:
            key = ConversationKey(item.organization_id, item.phone_number_id, item.contact_id)
            self.deliveries.record_status(
                key, item.turn, 0, send=1, status=status, at=self.clock(), message_id=None, code=None
            )

    def recount(self, campaign_id: str) -> None:
        for zone, cursor in self._stored(campaign_id).zones.items():
            for number in range(cursor.parts):
                self._recount.recount("o", campaign_id, zone, number)

    def _stored(self, campaign_id: str) -> StoredCampaign:
        found = self.campaigns.load("o", campaign_id)
        assert found is not None
        return found


class _Active:
    """Campaigns with only one that is due: the AWS inside the process has no index."""

    def __init__(self, campaigns: DynamoCampaigns, campaign_id: str) -> None:
        self.load, self.save, self._id = campaigns.load, campaigns.save, campaign_id

    def active(self, _now: float) -> Sequence[tuple[str, str]]:
        return [("o", self._id)]


def _sum(several: Sequence[Usage]) -> Usage:
    names = sorted({name for one in several for name in one.requests})
    return Usage(
        {name: sum(one.requests.get(name, 0) for one in several) for name in names},
        sum(one.write_units for one in several),
        sum(one.read_units for one in several),
        sum(one.cpu_ms for one in several),
    )


def cost(used: Campaign, million: float = MILLION) -> dict[str, float]:
    """US dollars for so many recipients, by what they are for (us-east-1, arm64, three statuses each)."""
    price, share = prices().regions["us-east-1"], million / MILLION
    writes, reads = price["dynamodb_write_million"], price["dynamodb_read_million"]
    bill = _statuses(million)
    lines = [line for line in bill.lines if line.group == "message"]
    sender = [_sender_seconds(used.early, EARLY_BATCH), _sender_seconds(used.send, DUE_BATCH)]
    gb_second = price["lambda_gb_second_arm64"]
    # Sent by ten; received, returned, received again and deleted.
    queued = 1 / RECEIVED_AT_ONCE + 2 / EARLY_BATCH + 2 / DUE_BATCH
    statuses = bill.volumes.statuses - 1  # `sent` is not queued
    return {
        "release: DynamoDB": share * (used.release.write_units * writes + used.release.read_units * reads),
        "release: Lambda": million * _scheduled_seconds(used.release) * MEMORY_MB / 1024 * gb_second,
        "sender: SQS": share * queued * price["sqs_fifo_million"],
        "sender: DynamoDB": share
        * sum(one.write_units * writes + one.read_units * reads for one in (used.early, used.send)),
        "sender: Lambda": million * sum(sender) * SENDER_MB / 1024 * gb_second
        + share * (1 / EARLY_BATCH + 1 / DUE_BATCH) * price["lambda_request_million"],
        "statuses: API Gateway": share * bill.volumes.statuses * price["http_api_million"],
        "statuses: SQS": share * statuses * (1 + 2 / RECEIVED_AT_ONCE) * price["sqs_standard_million"],
        "statuses: Lambda": sum(line.usd for line in lines if line.service == "Lambda"),
        "statuses: DynamoDB": sum(line.usd for line in lines if line.service == "DynamoDB"),
        "recounts: DynamoDB": share * (used.recounts.write_units * writes + used.recounts.read_units * reads),
        "recounts: Lambda": million * _scheduled_seconds(used.recounts) * MEMORY_MB / 1024 * gb_second,
    }


def _statuses(million: float) -> Bill:
    """The bill of three statuses a message, which arrive at the campaign's rate."""
    usage, hours = measured_usage(), million / (PER_SECOND * SHARE) / 3600
    stages = {name: stage for name, stage in usage.stages.items() if ", " in name}
    measured = MeasuredUsage(usage.measured_on, usage.commit, usage.machine, stages, usage.stored_bytes)
    at_this_rate = msgspec.structs.replace(assumptions(), active_hours_per_day=hours / 30)
    return Bill(Volumes(messages=million, templates=million), measured, prices(), at_this_rate)


def _scheduled_seconds(used: Usage) -> float:
    """Seconds of the scheduled function for one recipient."""
    return (used.cpu_ms * assumptions().full_cpu_mb / MEMORY_MB + used.waits_ms() / WORKERS) / 1000


def _sender_seconds(used: Usage, batch: int) -> float:
    """Seconds of the sender for one recipient: a batch waits for the Graph API once, because its requests overlap."""
    graph = assumptions().wait_ms["graph.messages"] * used.requests.get("graph.messages", 0) / batch
    postponed = 0 if graph else assumptions().wait_ms["sqs.SendMessageBatch"] / batch
    waits = used.waits_ms("graph.messages") + graph + postponed
    return (used.cpu_ms * assumptions().full_cpu_mb / SENDER_MB + waits) / 1000
