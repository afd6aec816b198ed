"""The events of turns in the lake, from real turns of the whole product."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.lake_events import COLUMNS, EventType, LakeEvent, Pseudonyms, events_of, pseudonyms
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.engine import Event, Input, Step
from pytake.whatsapp.outbound import Template, Text
from pytake.whatsapp.pricing import Pricing
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product

KEY = ConversationKey("acme", NUMBER, PHONE)
NAMES = pseudonyms(b"sixteen random b", PHONE)


@pytest.fixture
def product() -> Product:
    product = Product()
    product.add_organization("acme", NUMBER, ECHO_FLOW)
    return product


def events(product: Product, names: Pseudonyms = NAMES) -> list[LakeEvent]:
    deliveries = product.deliveries.of_conversation(KEY)
    return [event for record in product.conversations.turns(KEY) for event in events_of(KEY, record, deliveries, names)]


def turn(**fields: object) -> TurnRecord:
    base = {"seq": 1, "at": 1_770_000_000.5, "session_id": "s", "status": "waiting", "input": Input(text="Olá")}
    return TurnRecord(**(base | fields))  # type: ignore[arg-type]


def test_a_conversation_is_told_from_its_start_to_its_end(product: Product) -> None:
    for text in ("Hi", "A", "Ana"):
        product.say(text)
    told = [(e.turn, e.type, e.node_id, e.node_exit, e.arrived) for e in events(product) if e.type != "delivery"]
    assert told == [
        (1, "session_started", None, None, None),
        (1, "message_in", None, None, None),
        (1, "node_entered", "start", "next", True),
        (1, "node_entered", "ask", "wait", True),
        (1, "message_out", None, None, None),
        (2, "message_in", None, None, None),
        (2, "node_entered", "ask", "invalid", False),
        (2, "message_out", None, None, None),
        (3, "message_in", None, None, None),
        (3, "node_entered", "ask", "next", False),
        (3, "node_entered", "end", "end", True),
        (3, "completed", "end", None, None),
        (3, "message_out", None, None, None),
    ]
    assert {(event.flow_id, event.flow_version) for event in events(product)} == {("echo", 1)}


def test_nothing_of_the_text_and_nothing_of_the_phone_is_told(product: Product) -> None:
    for text in ("Hi there", "Anastasia"):
        product.say(text)
    raw = msgspec.json.encode(events(product))
    session_ids = {record.session_id for record in product.conversations.turns(KEY)}
    for secret in {PHONE, PHONE[2:], "Hi there", "Anastasia", "Hello!", "Bye", "wamid", *session_ids}:
        assert secret.encode() not in raw


def test_ids_are_unique_and_the_same_each_time_and_mean_nothing_under_another_key(product: Product) -> None:
    for text in ("Hi", "Ana", "Hi", "Ana"):
        product.say(text)
    ids = [event.event_id for event in events(product)]
    assert len(set(ids)) == len(ids)
    assert ids == [event.event_id for event in events(product)]
    others = events(product, pseudonyms(b"another 16 bytes", PHONE))
    assert not set(ids) & {event.event_id for event in others}
    assert not {(e.contact, e.session) for e in events(product)} & {(e.contact, e.session) for e in others}
    assert len({event.session for event in others}) == 2


def test_a_late_delivery_changes_no_other_id() -> None:
    record = turn(messages=[Text("a"), Text("b")])
    before = events_of(KEY, record, [], NAMES)
    after = events_of(KEY, record, [Delivery(1, 1, "accepted", status="read", status_at=1_770_000_009.0)], NAMES)
    assert [e.event_id for e in after if e.type != "delivery"] == [e.event_id for e in before]
    assert [e.billable for e in after if e.type == "message_out"] == [False, True]
    [delivery] = [e for e in after if e.type == "delivery"]
    assert (delivery.state, delivery.state_at, delivery.message_index) == ("read", 1_770_000_009_000, 1)


@pytest.mark.parametrize(
    ("delivery", "state", "code", "billable"),
    [
        (Delivery(1, 0, "waiting"), "waiting", None, False),
        (Delivery(1, 0, "accepted"), "accepted", None, True),
        (Delivery(1, 0, "ambiguous", status="sent"), "sent", None, True),
        (Delivery(1, 0, "accepted", status="failed", error_code=131026), "failed", "131026", False),
        (Delivery(1, 0, "dead", error_code=131047), "dead", "131047", False),
    ],
)
def test_only_what_meta_took_is_billable(delivery: Delivery, state: str, code: str | None, billable: bool) -> None:
    found = {e.type: e for e in events_of(KEY, turn(messages=[Text("a")]), [delivery], NAMES)}
    assert (found["delivery"].state, found["delivery"].code) == (state, code)
    assert found["message_out"].billable is billable


def test_an_expiry_belongs_to_the_session_that_ended() -> None:
    ended = Event("session_expired", {"session_id": "old"})
    record = turn(session_id="new", flow_id="echo", message_type="text", events=[ended, Event("session_started")])
    expired, started, message = events_of(KEY, record, [], NAMES)
    assert [expired.type, started.type, message.type] == ["expired", "session_started", "message_in"]
    assert expired.session not in (None, started.session)
    assert (expired.flow_id, started.flow_id) == (None, "echo")


def test_what_agents_do_is_told_as_theirs() -> None:
    took = [Event("taken_over", {"by": "a"}), Event("agent_message", {"by": "a"})]
    handed, message = events_of(KEY, turn(messages=[Text("Hello")], events=took), [], NAMES)
    assert [(e.type, e.code) for e in (handed, message)] == [("handed_off", "agent"), ("message_out", "agent")]
    [closed] = events_of(KEY, turn(events=[Event("session_closed", {"session_id": "s", "by": "a"})]), [], NAMES)
    assert (closed.type, closed.session) == ("closed", handed.session)


def test_a_restart_visits_the_first_node_again() -> None:
    path = [Step("echo", "start", "next"), Step("echo", "ask", "wait")]
    found = events_of(KEY, turn(path=path, events=[Event("session_restarted")]), [], NAMES)
    assert [event.arrived for event in found] == [True, True]


def test_a_session_that_begins_with_a_word_or_an_agent_begins_all_the_same(product: Product) -> None:
    for text in ("stop", "human"):
        product.say(text)
    told = [(e.turn, e.type) for e in events(product) if e.type not in ("delivery", "message_in", "message_out")]
    assert told == [(1, "session_started"), (1, "opted_out"), (2, "session_started"), (2, "handed_off")]


def test_a_jump_that_is_come_back_to_is_no_second_visit() -> None:
    path = [
        Step("echo", "ask", "next"),
        Step("echo", "jump", "jump"),
        Step("survey", "start", "next"),
        Step("survey", "end", "return"),
        Step("echo", "jump", "next"),
        Step("echo", "bye", "end"),
    ]
    found = events_of(KEY, turn(path=path), [], NAMES)
    assert [event.arrived for event in found] == [False, True, True, True, False, True]


def test_reported_variables_are_text_and_failures_have_a_code() -> None:
    reported = [
        Event("variable_reported", {"name": "n", "value": 3}),
        Event("variable_reported", {"name": "c", "value": "SP"}),
    ]
    [event] = events_of(KEY, turn(events=reported), [], NAMES)
    assert event.variables == {"n": "3", "c": "SP"}
    error, failed = events_of(KEY, turn(status="failed"), [], NAMES)
    assert (error.type, error.code, failed.type) == ("error", "turn_failed", "failed")
    budget = Event("step_budget_exceeded", {"node_id": "loop", "flow_id": "f", "limit": 100})
    error, failed = events_of(KEY, turn(status="failed", events=[budget]), [], NAMES)
    assert (error.code, error.node_id, failed.type) == ("step_budget_exceeded", "loop", "failed")


def test_the_columns_are_the_fields_and_the_page_names_them_all() -> None:
    assert tuple(COLUMNS) == LakeEvent.__struct_fields__
    page = (Path(__file__).parents[2] / "docs" / "lake.md").read_text()
    for name in (*COLUMNS, *get_args(EventType)):
        assert f"`{name}`" in page


def test_a_label_is_a_row_with_the_label_as_its_code() -> None:
    record = turn(events=[Event("message_labeled", {"label": "complaint"})], message_type="text")
    found = [(event.type, event.code) for event in events_of(KEY, record, [], NAMES)]
    assert ("labeled", "complaint") in found


def test_an_emitted_event_is_a_row_with_its_name_and_without_its_data() -> None:
    emitted = Event("event_emitted", {"name": "paid", "data": {"card": "4111"}})
    found = events_of(KEY, turn(events=[emitted], message_type="text"), [], NAMES)
    assert ("emitted", "paid") in [(event.type, event.code) for event in found]
    assert b"4111" not in msgspec.json.encode(found)


@pytest.mark.parametrize(
    ("status", "pricing", "charged"),
    [
        ("sent", Pricing("marketing", "regular", "PMP"), False),
        ("delivered", Pricing("marketing", "regular", "PMP"), True),
        ("read", Pricing("service", "free_customer_service", "PMP", False), False),
        ("failed", Pricing("marketing", "regular", "PMP"), False),
        ("played", Pricing("utility", None, None, True), True),
        ("delivered", None, None),
    ],
)
def test_a_delivery_has_the_pricing_and_the_country_and_never_the_number(
    status: str, pricing: Pricing | None, charged: bool | None
) -> None:
    delivery = Delivery(1, 0, "accepted", status=status, status_at=1.0, pricing=pricing)
    record = turn(messages=[Template("sale", "en", category="marketing")])
    told = [event for event in events_of(KEY, record, [delivery], NAMES) if event.type == "delivery"]
    found = told[0].country, told[0].template, told[0].charged
    assert found == ("BR", "sale", charged)
    named = told[0].pricing_category, told[0].pricing_type, told[0].pricing_model
    assert named == ((pricing.category, pricing.type, pricing.model) if pricing else (None, None, None))


@pytest.mark.parametrize(
    ("mark", "columns"),
    [(CampaignMark("spring", "b"), ("spring", "b")), (CampaignMark("spring"), ("spring", None)), (None, (None, None))],
)
def test_what_a_campaign_sent_names_it_and_its_variant(
    mark: CampaignMark | None, columns: tuple[str | None, str | None]
) -> None:
    delivery = Delivery(1, 0, "accepted", status="read", status_at=1.0)
    told = events_of(KEY, turn(messages=[Template("sale", "en")], campaign=mark), [delivery], NAMES)
    assert {event.type for event in told} >= {"message_out", "delivery"}
    assert {(event.campaign_id, event.variant) for event in told} == {columns}
