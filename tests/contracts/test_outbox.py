"""The contract of the `Outbox` port, and the bus with EventBridge's answers."""

import io
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from pytake.aws.assignments import DynamoAssignments
from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.event_bus import PAUSE_SECONDS, EventBridgeBus
from pytake.aws.outbox import DynamoOutbox
from pytake.conversation.assignments import Assignment, Note
from pytake.conversation.business_events import ConversationStarted, FlowEvent
from pytake.conversation.records import Conversation, ConversationKey, Delivery, TurnRecord
from pytake.engine import Contact, Input
from tests import fakes
from tests.table import kept

ANA = ConversationKey("acme", "100000000000001", "5511999999999")


@pytest.fixture(params=["fake", "aws"])
def stored(request: pytest.FixtureRequest, clock: fakes.FrozenClock) -> Any:
    """Conversations, deliveries and the outbox of both."""
    if request.param == "fake":
        conversations, deliveries = fakes.MemoryConversations(), fakes.MemoryDeliveries()
        return conversations, deliveries, fakes.MemoryOutbox(conversations, deliveries)
    table = request.getfixturevalue("table")
    conversations, deliveries = DynamoConversations(table, kept(), clock), DynamoDeliveries(table, clock, kept())
    return conversations, deliveries, DynamoOutbox(table, clock)


def test_what_is_kept_waits_until_it_is_told(stored: Any, clock: fakes.FrozenClock) -> None:
    conversations, deliveries, outbox = stored
    record = TurnRecord(1, clock(), "s", "waiting", Input(text="Hi"), "wamid.1")
    conversations.commit(Conversation(key=ANA, contact=Contact(id="1"), seq=1), record)
    sent = deliveries.claim(ANA, Delivery(1, 0, "claimed"), None)
    deliveries.settle(ANA, Delivery(1, 0, "accepted", revision=sent.revision))
    assert list(outbox.pending(clock())) == []
    outbox.add(ANA, 1)
    outbox.add(ANA, 2)  # erased meanwhile
    deliveries.record_status(ANA, 1, 0, send=1, status="failed", at=clock(), message_id=None, code=131026)
    deliveries.claim(ANA, Delivery(1, 1, "failed", reason="opted_out"), None)
    found = {(type(item).__name__, getattr(item, "index", None)) for _, item in outbox.pending(clock())}
    assert found == {("TurnRecord", None), ("Delivery", 0), ("Delivery", 1)}
    assert list(conversations.due(clock() + 1e9)) == []
    for key, item in list(outbox.pending(clock())):
        outbox.remove(key, item)
    outbox.remove(ANA, Delivery(1, 7, "failed"))
    assert list(outbox.pending(clock())) == []
    assert conversations.turn(ANA, 1) == record
    assert conversations.turn(ANA, 2) is None


def test_what_fails_once_more_is_to_be_told_once_more(stored: Any, clock: fakes.FrozenClock) -> None:
    conversations, deliveries, outbox = stored
    record = TurnRecord(1, clock(), "s", "waiting", Input(text="Hi"), "wamid.1")
    conversations.commit(Conversation(key=ANA, contact=Contact(id="1"), seq=1), record)
    entry = None
    for send in (1, 2):
        if entry is not None:
            entry = deliveries.claim(ANA, Delivery(1, 0, "waiting", sends=1, requeued=True), entry)
        deliveries.claim(ANA, Delivery(1, 0, "accepted", sends=send), entry)
        deliveries.record_status(ANA, 1, 0, send=send, status="failed", at=clock(), message_id=None, code=131042)
        entry = deliveries.load(ANA, 1, 0)
        assert [(item.index, item.sends) for _, item in outbox.pending(clock())] == [(0, send)]
        outbox.remove(ANA, deliveries.load(ANA, 1, 0))
        assert list(outbox.pending(clock())) == []


def test_a_mark_is_found_when_it_is_old_enough(table: Any, clock: fakes.FrozenClock) -> None:
    deliveries, outbox = DynamoDeliveries(table, clock, kept()), DynamoOutbox(table, clock)
    deliveries.claim(ANA, Delivery(1, 0, "failed", reason="opted_out"), None)
    assert list(outbox.pending(clock() - 1)) == []
    assert len(list(outbox.pending(clock()))) == 1


def test_a_change_of_the_assignment_waits_in_the_write_that_records_it(table: Any, clock: fakes.FrozenClock) -> None:
    conversations, outbox = DynamoConversations(table, kept(), clock), DynamoOutbox(table, clock)
    assignments = DynamoAssignments(table, kept(), clock)
    record = TurnRecord(1, clock(), "s", "waiting", Input(text="Hi"), "wamid.1")
    conversations.commit(Conversation(key=ANA, contact=Contact(id="1"), seq=1), record)
    changed = Note("n1", clock(), "agent-1", None, {"team": [None, "sales"]}, 1, "s", "request-1")
    assignments.put(ANA, Assignment(team="sales"), changed)
    assignments.add_note(ANA, Note("n2", clock(), "agent-1", "Call on Monday"))
    assert list(outbox.pending(clock())) == [(ANA, changed)]
    assert list(conversations.due(clock() + 1e9)) == []
    outbox.remove(ANA, changed)
    assert list(outbox.pending(clock())) == []
    assert len(assignments.notes(ANA, 9)) == 2


class Events:
    def __init__(self, *answers: Any) -> None:
        self.answers, self.asked = list(answers), list[Any]()

    def put_events(self, Entries: list[Any]) -> Any:  # noqa: N803
        self.asked.append(Entries)
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, Exception):
            raise answer
        return {"FailedEntryCount": answer, "Entries": [{"ErrorCode": "InternalFailure"}] * answer}


def event(**more: Any) -> Any:
    common = {"id": "1", "happened_at": "2026-02-02T02:40:00.000Z", "organization_id": "acme", "phone_number_id": "1"}
    kind = FlowEvent if "name" in more else ConversationStarted
    return kind(**common, contact_id="5511999999999", turn=1, **more)


@pytest.mark.parametrize("answer", [1, ClientError({"Error": {"Code": "ThrottlingException"}}, "PutEvents")])
def test_a_bus_that_refuses_is_left_alone_for_a_while(answer: Any, clock: fakes.FrozenClock) -> None:
    client, log = Events(answer), io.StringIO()
    bus = EventBridgeBus(lambda: client, "bus", lambda: Logger(service="bus", stream=log), clock)  # type: ignore[arg-type, return-value]
    assert not bus.put([event()])
    assert not bus.put([event()])
    assert len(client.asked) == 1
    clock.forward(PAUSE_SECONDS)
    assert bus.put([event()])
    assert "5511999999999" not in log.getvalue()


def test_many_and_large_events_go_in_several_requests(clock: fakes.FrozenClock) -> None:
    client = Events()
    bus = EventBridgeBus(lambda: client, "bus", Logger, clock)  # type: ignore[arg-type, return-value]
    assert bus.put([event() for _ in range(12)] + [event(name="n", data={"a": "x" * 150_000}) for _ in range(2)])
    assert [len(entries) for entries in client.asked] == [10, 3, 1]
    entry = client.asked[0][0]
    assert (entry["Source"], entry["DetailType"], entry["EventBusName"]) == ("pytake", "conversation.started", "bus")
