"""A person whose contacts were merged counts once in reports and segments, although files of settled hours keep each pseudonym,
also after an erasure."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.analytics.aggregate import AggregateDays
from pytake.analytics.answers import Answers
from pytake.analytics.audiences import LakeAudiences
from pytake.analytics.experiments import Experiments
from pytake.analytics.reports import Days, Reports
from pytake.aws.daily_aggregates import S3DailyAggregates
from pytake.aws.lake import S3Lake
from pytake.contacts.members import SegmentMembers
from pytake.contacts.records import new_contact
from pytake.contacts.segments import Condition, Segment, SegmentQuery
from pytake.conversation.export import ExportToLake
from pytake.conversation.lake_events import pseudonyms
from pytake.conversation.merge_contacts import merged_conversations
from pytake.conversation.records import Conversation, ConversationKey, FlowVersion, TurnRecord
from pytake.engine import Contact, Event, Input, Step
from tests import fakes
from tests.fakes.lake import MemoryEventLog, MemoryLake
from tests.lake import LakeOnAws

HOUR, DAY = 3600, 86_400
NUMBER = "100000000000001"
ANA, BIA = "5511999999999", "5511888888888"
HIDDEN = ("BR.77a", "BR.99z", "BR.88y", "BR.66x", "BR.55w")
"""The contacts that Ana had while her phone number was hidden: each became the one before it."""

FLOW: dict[str, Any] = {
    "id": "shop",
    "nodes": [{"id": "test", "type": "random", "data": {"paths": [{"id": "new"}, {"id": "old"}]}}],
    "report_variables": ["city"],
}
SEGMENTS = (
    Segment(
        id="s", name="S", query=SegmentQuery("answered", {"flow_id": "shop", "variable": "city", "value": "recife"})
    ),
    Segment(id="s", name="S", query=SegmentQuery("reached_node", {"flow_id": "shop", "node_id": "test"})),
    Segment(id="s", name="S", all=[Condition("flow.completed", "==", "shop")]),
)


class Merged:
    """Bia and the contacts of Ana talk. When the files of that day are settled, Ana's contacts become one, one after the other;
    the files of each merge are settled before the next. At last that one becomes the contact of her phone number, which has not
    talked."""

    def __init__(self, lake: LakeOnAws) -> None:
        self.lake, self.clock = lake, fakes.FrozenClock()
        self.clock.now = self.clock.now // DAY * DAY + 60
        self.contacts, self.conversations = fakes.MemoryContacts(), fakes.MemoryConversations()
        self.files = MemoryLake()
        self.log = MemoryEventLog(self.conversations, fakes.MemoryDeliveries())
        self.export = ExportToLake(
            self.log, self.files, fakes.MemoryHeldTurns(), self.clock, lambda *_: None, lambda _again: 0
        )
        for contact_id in (ANA, *HIDDEN, BIA):
            if contact_id != ANA:
                self._talk(contact_id)
            self.clock.forward(60)
            self.contacts.save("acme", new_contact(contact_id, self.clock()))
        self.run_export(0)
        self.run_export(80 * HOUR)
        for survivor, merged in reversed(list(pairwise(HIDDEN))):
            self._merge(survivor, merged)
            self.run_export(80 * HOUR)
        self.clock.forward(DAY)
        self._merge(ANA, HIDDEN[0])
        self.run_export(0)
        figures = S3DailyAggregates(lake.s3, lake.bucket, lake.queries())
        self.aggregate = AggregateDays(self.log, S3Lake(lake.s3, lake.bucket), figures, self.clock, lambda *_: None)

    def _talk(self, contact_id: str) -> None:
        record = TurnRecord(
            1,
            self.clock(),
            f"s{contact_id}",
            "completed",
            Input(text="Hi"),
            f"wamid.{contact_id}",
            "text",
            flow_id="shop",
            path=[Step("shop", "test", "path:new")],
            events=[
                Event("session_started"),
                Event("variable_reported", {"name": "city", "value": "Recife"}),
                Event("completed"),
            ],
        )
        key = ConversationKey("acme", NUMBER, contact_id)
        known = Conversation(key=key, contact=Contact(id=contact_id), seq=1)
        self.conversations.commit(known, record)

    def _merge(self, survivor: str, merged: str) -> None:
        self.conversations.aliases.merge("acme", survivor, merged)
        key = ConversationKey("acme", NUMBER, survivor)
        stays, goes = (self.conversations.load(replace(key, contact_id=one)) for one in (survivor, merged))
        assert goes is not None
        both = merged_conversations(key, stays, goes, new_contact(survivor), self.clock())
        self.conversations.merge(*both)
        # What is left of a merged contact is empty: nothing was known of it here.
        self.contacts.stored.pop(("acme", merged))

    def run_export(self, seconds: float) -> None:
        self.clock.forward(seconds)
        while not self.export(300).up_to_date:
            pass

    def erase(self) -> None:
        """What an erasure leaves of Ana: rows without values, and no key of a pseudonym."""
        gone = [ANA, *HIDDEN]
        found = {self.log.pseudonyms("acme", [one], self.clock())[one].contact for one in gone}
        found |= {pseudonyms(self.log.keys["acme", one], one).contact for one in gone}
        for hour in {int(begins) for _, begins in self.files.files}:
            self.files.redact("acme", hour, found)
        for one in gone:
            self.contacts.stored.pop(("acme", one), None)
            del self.log.keys["acme", one]

    def put(self) -> None:
        """Put the lake's files, as they are, before Athena."""
        for (owner, _), rows in self.files.files.items():
            self.lake.put(owner, rows)

    def settle(self) -> None:
        self.clock.forward(DAY)
        self.aggregate(datetime.fromtimestamp(self.clock(), UTC))

    def figures(self) -> tuple[int, int, int, int, int]:
        """People in the flow's report, in its segments by activity and by day, in its experiment and in its answers."""
        flows, log, queries = fakes.MemoryFlows(), self.log, self.lake.queries()
        flows.put_draft("acme", FLOW, 1.0)
        flows.publish("acme", FlowVersion("shop", 1, 2.0, {"shop": FLOW}, "ana"), "Shop")
        asked: Any = queries, log, fakes.MemoryTenants(), flows, self.clock
        reports, days = Reports(*asked), Days(30)
        segments = reports.user_segments("acme", "shop", days).segments
        [node] = Experiments(*asked)("acme", "shop", days, "completed", 0.1).nodes
        return (
            reports.flow_report("acme", "shop", days).conversations.unique_users,
            segments.power.count + segments.active.count + segments.inactive.count,
            sum(day.unique_users for day in reports.daily_activity("acme", "shop", days).days),
            sum(path.comparison.people for path in node.paths),
            len({row.contact for row in Answers(*asked).table("acme", "shop", days).rows}),
        )

    def members(self, segment: Segment) -> list[str]:
        audiences = LakeAudiences(self.lake.queries(), self.log, self.clock)
        stored: Any = SimpleNamespace(get=lambda *_: segment)
        find = SegmentMembers(stored, self.contacts, self.conversations, audiences, self.log, self.clock)
        return sorted(member.contact.contact_id for member in find("acme", "s"))


@pytest.fixture
def merged(new_lake: Callable[[], LakeOnAws]) -> Merged:
    return Merged(new_lake())


def test_a_merged_person_counts_once_although_the_files_keep_each_pseudonym(merged: Merged) -> None:
    assert len({row.contact for row in merged.files.rows() if row.type == "session_started"}) == 1 + len(HIDDEN)
    merged.put()
    assert merged.figures() == (2, 2, 2, 2, 2)
    for segment in SEGMENTS:
        assert merged.members(segment) == [BIA, ANA]
    merged.run_export(100 * HOUR)
    merged.put()
    merged.settle()
    assert merged.log.settled_through() is not None
    assert merged.figures() == (2, 2, 2, 2, 2), "conversations and merges are read from the table `daily`"
    assert merged.members(SEGMENTS[0]) == [BIA, ANA]


def test_an_erasure_of_a_merged_person_changes_no_figure(merged: Merged) -> None:
    merged.run_export(80 * HOUR)
    merged.erase()
    merged.put()
    assert merged.figures()[:4] == (2, 2, 2, 2)
    for segment in SEGMENTS:
        assert merged.members(segment) == [BIA]
