"""Events that programs report to the flow of a conversation."""

import pytest
from msgspec.structs import replace

from pytake.conversation.inbox import Inbox
from pytake.conversation.queues import InboundItem, ReportedEvent
from pytake.conversation.records import TurnRecord
from pytake.conversation.report_event import EventTooLargeError, NoSessionError, ReportEvent
from pytake.engine import Input
from tests.conversation.product import NUMBER, PHONE, Product
from tests.engine.conversations import document, node

FLOW = document(
    node("m", "message", text="Please pay.", next_node_id="w"),
    node(
        "w",
        "wait_event",
        name="paid",
        timeout_seconds=600,
        output_variable="payment",
        next_node_id="e",
        timeout_next_node_id="x",
    ),
    node("e", "end", message="Thank you for {{payment.amount}}."),
    node("x", "end", message="You have not paid."),
)
PAID = ReportedEvent("paid", {"amount": 12})


@pytest.fixture
def product() -> Product:
    product = Product()
    product.add_organization("acme", NUMBER, FLOW)
    return product


def reporter(product: Product) -> ReportEvent:
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    return ReportEvent(inbox, product.queues, product.clock)


def test_the_flow_continues_with_the_data_of_the_event(product: Product) -> None:
    product.say("hi")
    reporter(product)(product.key(), PAID, "request-1")
    (record,) = product.run_queues()
    assert (record.status, record.input.text, record.message_type) == ("completed", "paid", "event")
    assert record.messages[0].text == "Thank you for 12."  # type: ignore[union-attr]


def test_an_event_that_is_reported_twice_happens_once(product: Product) -> None:
    product.say("hi")
    report = reporter(product)
    report(product.key(), PAID, "request-1")
    again = product.queues.inbound[0]
    assert len(product.run_queues()) == 1
    assert product.take_turn(again) is None or len(product.conversations.turns(product.key())) == 2


def test_an_event_that_the_flow_does_not_wait_for_is_recorded_without_an_effect(product: Product) -> None:
    product.say("hi")
    reporter(product)(product.key(), ReportedEvent("shipped"), "request-1")
    (record,) = product.run_queues()
    assert (record.status, [event.type for event in record.events]) == ("waiting", ["input_ignored"])
    assert record.messages == []


def test_without_a_session_no_flow_can_wait(product: Product) -> None:
    with pytest.raises(NoSessionError):
        reporter(product)(product.key(), PAID, "request-1")
    product.say("hi")
    product.clock.forward(25 * 3600)
    with pytest.raises(NoSessionError):
        reporter(product)(product.key(), PAID, "request-1")


def test_a_person_who_opted_out_gets_nothing(product: Product) -> None:
    product.say("hi")
    known = product.conversations.load(product.key())
    assert known is not None
    known.opted_out = True
    product.conversations.commit(replace(known, seq=2), TurnRecord(2, product.clock.now, "s", "recorded", Input()))
    reporter(product)(product.key(), PAID, "request-1")
    (record,) = product.run_queues()
    assert (record.status, record.messages) == ("recorded", [])


def test_an_event_of_more_than_60_kilobytes_is_refused(product: Product) -> None:
    product.say("hi")
    with pytest.raises(EventTooLargeError):
        reporter(product)(product.key(), ReportedEvent("paid", "x" * 60_000), "request-1")


def test_an_event_that_comes_again_goes_behind_the_answer_of_a_turn_after_it(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = InboundItem("acme", NUMBER, PHONE, {"id": "event:1"}, product.clock(), event=PAID)
    assert product.take_turn(item) is None, "nobody has written yet"
    product.clock.forward(2)
    product.commit_unqueued(
        monkeypatch
    )  # the flow waits for the event; its worker dies, and both items are delivered again
    paid = product.take_turn(item)
    assert paid is not None
    assert [one.turn for one in product.queues.outbound] == [1, 2]
