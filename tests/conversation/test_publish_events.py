"""Business events are published at least once, and no conversation waits for the bus."""

from typing import Any

import msgspec
import pytest

from pytake.conversation.business_events import EVENTS, type_of
from pytake.conversation.publish_events import LATE_SECONDS
from pytake.conversation.records import Delivery
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import SendFailedError
from tests.conversation.product import NUMBER, PHONE, Product
from tests.engine.conversations import document, node


def test_a_conversation_tells_that_it_begins_and_ends(product: Product) -> None:
    product.say("Hi")
    product.say("Ana")
    assert product.bus.types == ["conversation.started", "conversation.completed"]
    started, completed = product.bus.told
    assert (started.organization_id, started.phone_number_id, started.contact_id) == ("acme", NUMBER, PHONE)
    assert (started.turn, completed.turn, started.correlation_id) == (1, 2, "request-1")
    assert started.session_id == completed.session_id
    assert started.happened_at == "2026-02-02T02:40:00.000Z"
    assert "Ana" not in msgspec.json.encode(product.bus.told).decode()


def test_silence_is_told(product: Product) -> None:
    product.say("Hi")
    product.clock.forward(25 * 3600)
    product.fire_due_timers()
    product.run_queues()
    assert product.bus.types == ["conversation.started", "conversation.expired"]
    assert product.bus.told[0].session_id == product.bus.told[1].session_id


def custom(data: dict[str, Any]) -> Product:
    product = Product()
    actions = [{"type": "emit_event", "name": "order_placed", "data": data}]
    nodes = (
        node("act", "action", actions=actions, next_node_id="human"),
        node("human", "handoff", message="One moment.", department="sales"),
    )
    product.add_organization("acme", NUMBER, document(*nodes))
    return product


def test_a_flow_tells_what_its_author_wants_and_hands_off() -> None:
    product = custom({"total": 3, "who": "{{contact.name}}"})
    product.say("Hi")
    assert product.bus.types == ["conversation.started", "flow.event", "conversation.handed_off"]
    told = msgspec.to_builtins(product.bus.told[1])
    assert (told["type"], told["name"], told["data"]) == ("flow.event", "order_placed", {"total": 3, "who": "Ana"})
    handed_off = msgspec.to_builtins(product.bus.told[2])
    assert (handed_off["reason"], handed_off["department"]) == ("flow", "sales")


def test_the_word_for_a_human_is_told_as_such(product: Product) -> None:
    product.say("Hi")
    product.say("human")
    assert msgspec.to_builtins(product.bus.told[-1])["reason"] == "command"


def test_a_refused_message_is_told_once_with_the_reason(product: Product) -> None:
    product.graph.script = [SendFailedError(ErrorClass.PERMANENT, http_status=400, code=131026)]
    product.say("Hi")
    failed = msgspec.to_builtins(product.bus.told[-1])
    assert (failed["type"], failed["reason"], failed["code"]) == ("delivery.failed", "permanent:131026", 131026)
    assert failed["correlation_id"] == "request-1"
    assert product.publish_late_events() == 0


def test_a_bus_that_is_down_stops_nobody_and_hears_everything_later(product: Product) -> None:
    product.bus.down = True
    product.graph.script = [SendFailedError(ErrorClass.PERMANENT, http_status=400, code=131026)]
    assert product.say("Hi") == []
    assert product.say("Ana") == ["Bye, Ana."]
    product.clock.forward(LATE_SECONDS)
    assert product.publish_late_events() == 0
    assert product.told == [("EventsRefused", 1)]
    product.bus.down = False
    assert product.publish_late_events() == 3
    assert sorted(product.bus.types) == ["conversation.completed", "conversation.started", "delivery.failed"]
    assert product.publish_late_events() == 0


def test_a_worker_that_died_before_it_told_tells_when_its_message_comes_back(product: Product) -> None:
    product.post(product.notification(product.message("Hi")))
    item = product.queues.inbound.pop()
    product.bus.put = lambda _events: (_ for _ in ()).throw(SystemExit)  # type: ignore[method-assign]
    with pytest.raises(SystemExit):
        product.take_turn(item)
    del product.bus.put  # type: ignore[attr-defined]
    product.take_turn(item)
    product.take_turn(item)
    first, second = product.bus.told
    assert type_of(first) == "conversation.started"
    assert first == second, "whoever listens knows it by its id"


def test_an_erased_person_has_nothing_to_tell(product: Product) -> None:
    product.bus.down = True
    product.say("Hi")
    product.conversations.records.clear()
    product.conversations.stored.clear()
    product.deliveries.entries = dict[Any, Delivery]()
    product.bus.down = False
    assert product.publish_late_events() == 0
    assert product.bus.told == []


def test_every_kind_is_documented() -> None:
    from pathlib import Path

    page = Path("docs/events.md").read_text()
    for kind in EVENTS:
        assert f"`{kind.__struct_config__.tag}`" in page
