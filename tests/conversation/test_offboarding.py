"""A number that is removed or moved: what waits for it comes to an end, and its conversations stay where they are."""

import pytest

from pytake.conversation.inbox import Inbox
from pytake.conversation.ports.tenants import UnknownNumberError
from pytake.conversation.queues import outbound_item
from pytake.conversation.retry_later import RetryLaterError
from tests.conversation.product import NUMBER, PHONE, Product, echo_product

OTHER_PHONE = "5511888888888"


@pytest.fixture
def product() -> Product:
    return echo_product()


def outcomes(product: Product, phone: str = PHONE) -> list[tuple[str, str | None]]:
    return [(entry.state, entry.reason) for entry in product.deliveries.of_conversation(product.key(phone))]


def wait_for_an_answer(product: Product, phone: str = PHONE) -> None:
    """A person writes, and the answer waits in the outbound queue."""
    product.post(product.notification(product.message("Olá", phone)))
    product.take_turn(product.queues.inbound.pop())


def test_an_answer_in_the_queue_is_recorded_as_failed(product: Product) -> None:
    wait_for_an_answer(product)
    product.offboard.remove("acme", NUMBER, "ana")
    product.run_queues()
    assert outcomes(product) == [("failed", "number_removed")]
    assert (product.graph.sent, product.queues.dead_lettered) == ([], [])
    assert product.events.types == ["number.removed"]
    assert product.bus.types[-1] == "delivery.failed"


def test_held_turns_are_recorded_as_failed_one_after_the_other(product: Product) -> None:
    for phone in (PHONE, PHONE, OTHER_PHONE):
        wait_for_an_answer(product, phone)
        product.held_turns.hold(product.queues.outbound.pop(), product.clock())
    product.offboard.remove("acme", NUMBER, "ana")
    product.run_queues()
    assert product.held_turns.items == {}
    assert outcomes(product) == [("failed", "number_removed")] * 2
    assert outcomes(product, OTHER_PHONE) == [("failed", "number_removed")]


def test_a_worker_that_still_knows_the_number_neither_stops_it_nor_holds_its_turns(product: Product) -> None:
    wait_for_an_answer(product)
    item = product.queues.outbound[0]
    known = product.tenants.by_id[NUMBER]
    product.offboard.remove("acme", NUMBER, "ana")
    with pytest.MonkeyPatch.context() as patch:
        cached = lambda _, fresh=False: None if fresh else known  # noqa: E731
        patch.setattr(product.tenants, "number", cached)
        with pytest.raises(RetryLaterError):
            product.deliver(item, first_delivery=True)
        known.stopped_reason, known.stopped_at = "fatal_token:190", 0
        with pytest.raises(RetryLaterError):
            product.deliver(item, first_delivery=False)
    assert product.held_turns.items == {}
    assert "number.stopped" not in product.events.types


def test_its_sessions_end_when_they_are_due(product: Product) -> None:
    product.say("Olá")
    product.offboard.remove("acme", NUMBER, "ana")
    product.clock.forward(25 * 3600)
    for _ in range(2):
        product.fire_due_timers(lambda: False)
        product.run_queues()
    conversation = product.conversations.load(product.key())
    assert conversation is not None
    assert conversation.session is None
    assert product.events.types.count("turn.number_unknown") == 1
    assert product.conversations.due(product.clock()) == []


def test_its_people_can_still_be_found_to_be_erased(product: Product) -> None:
    product.say("Olá")
    product.offboard.remove("acme", NUMBER, "ana")
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    assert inbox.find("acme", PHONE) is not None


def test_removing_it_again_finishes_what_was_interrupted(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(product.secrets, "remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            product.offboard.remove("acme", NUMBER, "ana")
    product.offboard.remove("acme", NUMBER, "ana")
    assert product.secrets.stored == {}
    assert product.events.types == ["number.removed"]


@pytest.mark.parametrize(("owner", "number"), [("globex", NUMBER), ("acme", "999")])
def test_a_number_of_another_organization_is_unknown(product: Product, owner: str, number: str) -> None:
    with pytest.raises(UnknownNumberError):
        product.offboard.remove(owner, number, "ana")
    with pytest.raises(UnknownNumberError):
        product.offboard.move(owner, number, "third", "operator")
    assert product.say("Olá"), "it answers as before"


def test_a_moved_number_belongs_to_the_other_organization_with_its_secrets(product: Product) -> None:
    product.say("Olá")
    wait_for_an_answer(product)
    secrets = product.secrets.of_number("acme", NUMBER)
    for _ in range(2):  # an interrupted move is repeated
        moved = product.offboard.move("acme", NUMBER, "globex", "operator")
        assert (moved.organization_id, moved.default_flow_id, moved.keywords) == ("globex", None, {})
    assert product.secrets.stored == {("globex", NUMBER): secrets}
    sent = len(product.graph.sent)
    product.run_queues()
    assert len(product.graph.sent) == sent, "nothing of the old organization is sent"
    assert outcomes(product)[-1] == ("failed", "number_removed")
    assert product.conversations.load(product.key()) is not None
    assert product.conversations.load(product.key(organization_id="globex")) is None
    product.say("Olá")
    assert product.conversations.load(product.key(organization_id="globex")) is not None


def test_a_redelivered_release_continues_with_the_next_held_turn(product: Product) -> None:
    for phone in (PHONE, OTHER_PHONE):
        wait_for_an_answer(product, phone)
        product.held_turns.hold(product.queues.outbound.pop(), product.clock())
    product.offboard.remove("acme", NUMBER, "ana")
    item = product.queues.outbound.pop()
    product.held_turns.remove(item.key, item.turn)  # the worker died before it queued the next one
    product.deliver(item, first_delivery=False)
    product.run_queues()
    assert product.held_turns.items == {}
    assert outbound_item(item.key, product.conversations.turns(item.key)[0], 0).turn == item.turn
