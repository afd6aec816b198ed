"""Conversations on DynamoDB and a lake in memory, for tests of erasures and of the export."""

from typing import Any

import pytest

from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.erasure import DynamoErasure
from pytake.aws.event_log import DynamoEventLog
from pytake.aws.held_turns import DynamoHeldTurns
from pytake.conversation.export import ExportToLake
from pytake.conversation.lake_events import LakeEvent
from pytake.conversation.records import Conversation, ConversationKey, Delivery, TurnRecord
from pytake.engine import Contact, Event, Input, Step
from pytake.whatsapp.outbound import Text
from tests import fakes
from tests.contracts.conftest import aws, clock, table
from tests.fakes.lake import MemoryLake
from tests.table import kept

__all__ = ["aws", "clock", "table"]

HOUR, DAY = 3600, 86_400
ANA, BIA = "5511999999999", "5511888888888"
NUMBER = "100000000000001"


@pytest.fixture(autouse=True)
def few_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours are read in as many queries as there are shards, and these tests read many hours."""
    for module in ("conversations", "event_log", "erasure", "table"):
        monkeypatch.setattr(f"pytake.aws.{module}.LOG_SHARDS", 1, raising=False)
    monkeypatch.setattr("pytake.conversation.export.FIRST_LOOK_BACK_HOURS", 1)


class World:
    def __init__(self, table: Any, clock: fakes.FrozenClock) -> None:
        self.table, self.clock = table, clock
        clock.now = clock.now // DAY * DAY + 60
        self.conversations = DynamoConversations(table, kept(), clock)
        self.deliveries = DynamoDeliveries(table, clock, kept())
        self.log = DynamoEventLog(table, kept())
        self.lake = MemoryLake()
        self.erasure = DynamoErasure(table, self.log)
        self.export = ExportToLake(
            self.log, self.lake, DynamoHeldTurns(table), clock, lambda *_: None, lambda _again: 0
        )

    def turn(self, contact_id: str, seq: int) -> None:
        key = ConversationKey("acme", NUMBER, contact_id)
        record = TurnRecord(
            seq,
            self.clock(),
            f"s{contact_id}",
            "waiting",
            Input(text=f"I am Zebedeu {contact_id}"),
            f"wamid.{contact_id}.{seq}",
            "text",
            flow_id="main",
            path=[Step("main", "ask", "next")],
            messages=[Text("Hello Zebedeu"), Text("Bye Zebedeu")],
            events=[Event("variable_reported", {"name": "name", "value": f"Zebedeu {contact_id}"})],
        )
        self.conversations.commit(Conversation(key=key, contact=Contact(id=contact_id), seq=seq), record)
        self.deliveries.claim(key, Delivery(seq, 0, "accepted", sends=1), None)

    def erase(self) -> Any:
        keys = [ConversationKey("acme", number, ANA) for number in (NUMBER, "100000000000002")]
        pending = self.erasure.begin("acme", keys, self.clock())
        self.erasure.remove(pending)
        return pending

    def finish(self, pending: Any) -> None:
        self.erasure.remove(pending)
        for hour in pending.unsettled:
            self.export.export_hour("acme", hour)
        for hour in pending.reported:
            self.lake.redact("acme", hour, pending.contacts)
        self.erasure.finish(pending)

    def rows(self) -> list[LakeEvent]:
        return sorted(self.lake.rows(), key=lambda row: row.event_id)
