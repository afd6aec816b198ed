"""An event on the bus starts a conversation once, or operators hear why not."""

from typing import Any

import pytest

from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.start_by_event import StartByEvent
from pytake.conversation.start_flow import StartFlow
from tests.conversation.product import NUMBER, PHONE, Product, cannot_be_queued
from tests.engine.conversations import document, node

DETAIL: dict[str, Any] = {
    "phone_number_id": NUMBER,
    "to": f"+{PHONE}",
    "flow_id": "offer",
    "parameters": {"order": "42"},
    "template": {
        "name": "pickup",
        "language": "en",
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "{{order}}"}]}],
        "category": "utility",
    },
}
OFFER = document(
    node("s", "start", parameters=[{"name": "order", "required": True}], next_node_id="e"),
    node("e", "end", message="{{order}}: {{input.text}}"),
    id="offer",
)


@pytest.fixture
def hear(product: Product) -> StartByEvent:
    product.publish("acme", OFFER)
    library = product.flow_library
    plan = PlanOpening(product.tenants, library, product.templates, 24, product.media_library.kinds)
    start = StartFlow(
        product.conversations,
        product.contacts,
        product.conversations.aliases,
        product.tenants,
        library,
        product.queues,
        product.clock,
        plan,
    )
    return StartByEvent(product.tenants, start, product.events)


def reported(product: Product) -> list[tuple[str, str, Any]]:
    return [
        (event.type, event.organization_id, event.detail.get("code") or event.detail["problem"])
        for event in product.events.events
    ]


def test_the_event_starts_the_conversation_of_the_numbers_organization(product: Product, hear: StartByEvent) -> None:
    assert hear("e1", DETAIL) is not None
    product.run_queues()
    assert product.say("tomorrow") == ["42: tomorrow"]
    assert product.events.events == []


def test_a_repeated_event_starts_it_once_also_when_it_is_delivered_late(product: Product, hear: StartByEvent) -> None:
    first = hear("e1", DETAIL)
    product.run_queues()
    product.say("tomorrow")
    assert hear("e1", DETAIL) == first
    product.run_queues()
    assert [sent["type"] for sent in product.graph.sent] == ["template", "text"]


def test_a_key_makes_two_events_one_start(product: Product, hear: StartByEvent) -> None:
    first = hear("e1", DETAIL | {"key": "order-42"})
    assert hear("e2", DETAIL | {"key": "order-42"}) == first
    other = hear("e3", DETAIL | {"key": "order-43"})
    assert other != first


@pytest.mark.parametrize(
    ("detail", "problem"),
    [
        ("text", "Expected `object`, got `str`"),
        ({}, "Object missing required field `phone_number_id`"),
        (DETAIL | {"to": 5}, "Expected `str`, got `int` - at `$.to`"),
        (DETAIL | {"organization_id": "globex"}, "Object contains unknown field `organization_id`"),
        (DETAIL | {"phone_number_id": "999"}, "the number is not connected"),
        (DETAIL | {"flow_id": None, "template": None}, "neither `flow_id` nor `template` is given"),
    ],
)
def test_a_malformed_event_is_reported(product: Product, hear: StartByEvent, detail: Any, problem: str) -> None:
    assert hear("e1", detail) is None
    assert reported(product) == [("start.event_invalid", "", problem)]
    assert product.queues.inbound == []


def test_a_refused_start_and_a_broken_expression_are_reported(product: Product, hear: StartByEvent) -> None:
    assert hear("e1", DETAIL | {"flow_id": "nothing"}) is None
    broken = [{"type": "body", "parameters": [{"type": "text", "text": "{{order | no}}"}]}]
    assert hear("e2", DETAIL | {"template": DETAIL["template"] | {"components": broken}}) is None
    assert reported(product) == [
        ("start.refused", "acme", "flow_unknown"),
        ("start.event_invalid", "acme", "an expression in the template is not valid"),
    ]


def test_what_cannot_be_queued_is_tried_again(
    product: Product, hear: StartByEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(product.queues, "put_inbound", cannot_be_queued)
    with pytest.raises(QueueingFailedError):
        hear("e1", DETAIL)
    assert product.events.events == []
