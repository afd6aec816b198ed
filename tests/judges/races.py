"""Threads at once on one conversation, one delivery and one rate limit, on DynamoDB Local (`make judges`)."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from pytake.aws.conversations import DynamoConversations
from pytake.aws.deliveries import DynamoDeliveries
from pytake.aws.rate_slots import DynamoRateSlots
from pytake.aws.table import Table
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.conversations import AlreadyCommittedError
from pytake.conversation.records import Conversation, ConversationKey, Delivery, TurnRecord
from pytake.engine import Contact, Event, Input, Step
from pytake.whatsapp.outbound import Text
from tests import fakes
from tests.judges.dynamodb_local import create_table
from tests.table import kept

NAME, REGION = "races", "us-east-1"
THREADS = 50
PATIENCE_SECONDS = 300
CLOCK = fakes.FrozenClock()
KEY = ConversationKey("acme", "1", "5511999990001")


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "judge")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "judge")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    create_table(NAME)


def conversations() -> DynamoConversations:
    """The conversations as another process sees them: with a connection of its own."""
    return DynamoConversations(Table(NAME, REGION), kept(), CLOCK)


def commit(stored: DynamoConversations, seq: int, message_id: str) -> None:
    turn = TurnRecord(
        seq=seq,
        at=CLOCK() + seq / 1000,
        session_id="s",
        status="waiting",
        input=Input(text="Oi"),
        message_id=message_id,
        path=[Step("main", "start", "next")],
        messages=[Text("Oi!")],
        events=[Event("session_started", {"flow_id": "main"})],
    )
    stored.commit(Conversation(key=KEY, contact=Contact(id=KEY.contact_id, name="Ana"), seq=seq), turn)


def at_once(prepare: Callable[[], Any], work: Callable[[int, Any], Any], count: int = THREADS) -> list[Any]:
    """Run `work` in threads that begin together. Returns what each returned or raised."""
    outcomes: list[Any] = [None] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            prepared = prepare()
            start.wait()
            outcomes[number] = work(number, prepared)
        except Exception as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def kinds(outcomes: list[Any]) -> Counter[str]:
    """How often each kind of outcome came; None is success. An error that no caller expects is raised."""
    for outcome in outcomes:
        if isinstance(outcome, Exception) and not isinstance(outcome, ConflictError | AlreadyCommittedError):
            raise outcome
    return Counter(type(outcome).__name__ if isinstance(outcome, Exception) else "done" for outcome in outcomes)


def test_one_of_many_first_turns_wins() -> None:
    def prepare() -> DynamoConversations:
        stored = conversations()
        stored.load(KEY)
        return stored

    found = kinds(at_once(prepare, lambda number, stored: commit(stored, 1, f"wamid.{number}")))
    assert found == {"done": 1, "ConflictError": THREADS - 1}
    assert len(conversations().turns(KEY)) == 1


def test_a_message_that_arrives_many_times_is_taken_once() -> None:
    found = kinds(at_once(conversations, lambda _, stored: commit(stored, 1, "wamid.same")))
    assert found["done"] == 1
    assert found.total() == THREADS
    assert len(conversations().turns(KEY)) == 1


def test_turns_of_one_conversation_follow_each_other_without_a_gap() -> None:
    each = 3

    def chat(number: int, stored: DynamoConversations) -> None:
        for message in range(each):
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                found = stored.load(KEY)
                try:
                    commit(stored, (found.seq if found else 0) + 1, f"wamid.{number}.{message}")
                    break
                except AlreadyCommittedError:  # its own write, whose answer was lost
                    break
                except ConflictError:
                    assert time.monotonic() < deadline
                    time.sleep(0.002 * (number % 25))

    assert kinds(at_once(conversations, chat)) == {"done": THREADS}
    turns = conversations().turns(KEY)
    assert [turn.seq for turn in turns] == list(range(1, each * THREADS + 1))
    assert len({turn.message_id for turn in turns}) == each * THREADS


def test_one_sender_claims_a_delivery() -> None:
    def prepare() -> DynamoDeliveries:
        return DynamoDeliveries(Table(NAME, REGION), CLOCK, kept())

    def claim(_: int, deliveries: DynamoDeliveries) -> None:
        deliveries.claim(KEY, Delivery(1, 0, "claimed"), None)

    assert kinds(at_once(prepare, claim)) == {"done": 1, "ConflictError": THREADS - 1}


def test_no_minute_has_more_messages_than_the_limit() -> None:
    limit, each = 5, 3

    def reserve(_: int, slots: DynamoRateSlots) -> list[float]:
        return [slots.reserve("acme", "1", limit, CLOCK()) for _ in range(each)]

    outcomes = at_once(lambda: DynamoRateSlots(Table(NAME, REGION)), reserve)
    kinds(outcomes)
    times = sorted(at for outcome in outcomes for at in outcome)
    assert len(times) == each * THREADS
    assert max(sum(at <= other < at + 60 for other in times) for at in times) <= limit
