"""Messages are marked as read when their turn is taken, and typing is shown while an API or a model is asked."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.conversation.delivery.mark_read import TYPING_SECONDS
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Organization
from pytake.conversation.retry_later import RetryLaterError
from pytake.engine import EffectResult
from pytake.whatsapp.outbound import Text
from tests.conversation.product import NUMBER, PHONE, Product, cannot_be_queued


def node(id_: str, type_: str, **data: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, "data": data}


def flow(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"format": 1, "id": "main", "language": "en", "start_node_id": nodes[0]["id"], "nodes": list(nodes)}


SILENT = flow(node("wait", "delay", seconds=3600, next_node_id="tell"), node("tell", "message", text="Later."))
CALLING = flow(
    node("api", "api_call", url="https://x.io/", output_variable="x", next_node_id="again"),
    node("again", "api_call", url="https://x.io/", output_variable="y", next_node_id="tell"),
    node("tell", "message", text="{{x}}"),
)


def product_with(document: dict[str, Any], **change: Any) -> Product:
    product = Product()
    product.add_organization("acme", NUMBER, document, **change)
    return product


class Api:
    """Answers every call; `while_asked` is what happens meanwhile."""

    def __init__(self, product: Product) -> None:
        self.typing: list[OutboundItem] = []
        self._product = product
        product.effects.performer = self

    def perform(self, *_: Any) -> EffectResult:
        self.typing += self._product.queues.outbound
        return EffectResult(ok=True, status=200, body="Done.")


def test_the_item_of_the_answer_marks_the_message_as_read(product: Product) -> None:
    product.post(product.notification(product.message("Hi", id_="wamid.HI")))
    product.take_turn(product.queues.inbound.pop())
    [item] = product.queues.outbound
    product.deliver(item, first_delivery=True)
    assert item.messages
    assert product.receipts.marked == [("wamid.HI", False)]


def test_a_redelivered_item_marks_nothing_again(product: Product) -> None:
    product.say("Hi", id_="wamid.HI")
    product.queues.forget_deduplication()
    product.post(product.notification(product.message("Hi", id_="wamid.HI")))
    product.take_turn(product.queues.inbound.pop())
    product.deliver(product.queues.outbound.pop(), first_delivery=False)
    assert product.receipts.marked == [("wamid.HI", False)]


def test_a_message_is_marked_while_its_answer_waits_for_the_rate_limit(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", messages_per_minute=1))
    product.say("Hi", id_="wamid.1")
    product.post(product.notification(product.message("Ana", id_="wamid.2")))
    product.take_turn(product.queues.inbound.pop())
    with pytest.raises(RetryLaterError):
        product.deliver(product.queues.outbound.pop(), first_delivery=True)
    assert product.receipts.marked[1:] == [("wamid.2", False)]


def test_a_turn_without_an_answer_marks_by_an_item_that_keeps_out_of_the_way_of_messages() -> None:
    product = product_with(SILENT)
    product.post(product.notification(product.message("Hi", id_="wamid.HI")))
    record = product.take_turn(product.queues.inbound.pop())
    [item] = product.queues.outbound
    product.run_queues()
    assert record is not None
    assert (record.messages, item.messages) == ([], [])
    assert product.receipts.marked == [("wamid.HI", False)]
    assert item.group_id != replace(item, messages=["some"]).group_id  # type: ignore[list-item]
    assert (product.graph.sent, product.deliveries.of_conversation(product.key())) == ([], [])


def test_no_turn_is_repeated_for_a_read_receipt(monkeypatch: pytest.MonkeyPatch) -> None:
    product = product_with(SILENT)
    product.post(product.notification(product.message("Hi")))
    monkeypatch.setattr(product.queues, "put_outbound", cannot_be_queued)
    assert product.take_turn(product.queues.inbound.pop()) is not None


def test_a_number_may_leave_messages_unread() -> None:
    product = product_with(SILENT, mark_read=False)
    product.post(product.notification(product.message("Hi")))
    product.take_turn(product.queues.inbound.pop())
    assert product.queues.outbound == []
    product = product_with(CALLING, mark_read=False)
    api = Api(product)
    assert product.say("Hi") == ["Done."]
    assert (product.receipts.marked, api.typing) == ([], [])


def test_only_messages_that_take_a_turn_are_marked(product: Product) -> None:
    product.say("", type="reaction", reaction={"message_id": "wamid.0", "emoji": "x"})
    product.say("", type="system", system={"body": "changed"})
    product.tenants.put_organization(Organization("acme", contact_messages_per_minute=1))
    product.say("Hi", id_="wamid.HI")
    product.say("over the limit")
    assert product.receipts.marked == [("wamid.HI", False)]


def test_while_an_agent_has_the_conversation_the_agents_answer_marks_as_read(product: Product) -> None:
    desk = product.agent_messaging()
    product.say("Hi", id_="wamid.1")
    desk.send(product.key(), Text("Bia here."), "bia", "r1")
    product.say("At last", id_="wamid.2")
    product.say("Are you there?", id_="wamid.3")
    product.run_queues()
    assert product.receipts.marked == [("wamid.1", False)]
    desk.send(product.key(), Text("Yes."), "bia", "r2")
    desk.send(product.key(), Text("Indeed."), "bia", "r3")
    product.run_queues()
    assert product.receipts.marked == [("wamid.1", False), ("wamid.3", False)]


def test_a_conversation_that_goes_back_to_the_bot_forgets_what_the_agent_left_unread(product: Product) -> None:
    desk = product.agent_messaging()
    product.say("Hi")
    desk.send(product.key(), Text("Bia here."), "bia", "r1")
    product.say("At last", id_="wamid.2")
    desk.resume(product.key(), "bia")
    desk.send(product.key(), Text("One more thing."), "bia", "r2")
    product.run_queues()
    assert "wamid.2" not in dict(product.receipts.marked)


def test_typing_is_shown_while_an_api_is_asked() -> None:
    product = product_with(CALLING)
    api = Api(product)
    product.post(product.notification(product.message("Hi", id_="wamid.HI")))
    product.take_turn(product.queues.inbound.pop())
    [typing, answer] = product.queues.outbound
    assert api.typing == [typing, typing], "queued once, before the first call"
    product.deliver(typing, first_delivery=True)
    product.deliver(answer, first_delivery=True)
    assert product.receipts.marked == [("wamid.HI", True), ("wamid.HI", False)]
    assert typing.group_id != answer.group_id


def test_typing_is_not_shown_after_the_answer_or_late() -> None:
    product = product_with(CALLING)
    Api(product)
    product.post(product.notification(product.message("Hi", id_="wamid.HI")))
    product.take_turn(product.queues.inbound.pop())
    [typing, answer] = product.queues.outbound
    product.clock.forward(TYPING_SECONDS + 1)
    product.deliver(typing, first_delivery=True)
    assert product.receipts.marked == []
    product.deliver(answer, first_delivery=True)
    product.deliver(replace(typing, queued_at=product.clock.now), first_delivery=True)
    assert product.receipts.marked == [("wamid.HI", False)]


@pytest.mark.parametrize("change", [{"typing": False}, {"mark_read": False}])
def test_a_number_may_show_no_typing(change: dict[str, bool]) -> None:
    product = product_with(CALLING, **change)
    api = Api(product)
    assert product.say("Hi") == ["Done."]
    assert api.typing == []
    assert not any(typing for _, typing in product.receipts.marked)


def test_a_timer_shows_no_typing() -> None:
    product = product_with(flow(node("wait", "delay", seconds=60, next_node_id="api"), *CALLING["nodes"]))
    api = Api(product)
    product.say("Hi")
    product.clock.forward(60)
    product.fire_due_timers()
    product.run_queues()
    assert [payload["text"]["body"] for payload in product.graph.sent] == ["Done."]
    assert api.typing == []


def test_a_stopped_or_removed_number_marks_nothing() -> None:
    product = product_with(SILENT)
    product.post(product.notification(product.message("Hi", phone=PHONE)))
    product.take_turn(product.queues.inbound.pop())
    [item] = product.queues.outbound
    number = product.tenants.by_id[NUMBER]
    product.tenants.stop_number(number, "fatal_token:190")
    product.deliver(item, first_delivery=True)
    product.tenants.remove_number(product.tenants.by_id[NUMBER])
    product.deliver(item, first_delivery=True)
    assert (product.receipts.marked, product.held_turns.earliest(product.key())) == ([], None)
