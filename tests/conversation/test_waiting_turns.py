"""Turns that wait long leave their queue, return in order, and delay no other organization (ADR 0021)."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.conversation.delivery.stopped_numbers import STOP_PROPAGATION_SECONDS
from pytake.conversation.delivery.waiting_turns import (
    LONGEST_WAIT_SECONDS,
    QUEUED_MESSAGES,
    RELEASE_AGAIN_SECONDS,
    RELEASE_EARLY_SECONDS,
    RELEASED_AT_ONCE,
    ReleaseWaitingTurns,
    longest_wait,
)
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import Conversation, ConversationKey, Organization
from pytake.conversation.retry_later import RetryLaterError
from pytake.engine import Contact
from pytake.whatsapp.outbound import Text
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product

OTHER = "200000000000002"


def item(turn: int, phone: str = PHONE, organization_id: str = "acme", number: str = NUMBER) -> OutboundItem:
    now = 1_770_000_000.0
    return OutboundItem(
        organization_id, number, phone, turn, [Text(f"{phone} {turn}")], window_closes_at=now + 1e9, queued_at=now
    )


@pytest.fixture(autouse=True)
def _everybody_is_known(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    def known(key: ConversationKey) -> Conversation:
        return Conversation(key=key, contact=Contact(id=key.contact_id))

    monkeypatch.setattr(product.conversations, "load", known)


def limit(product: Product, per_minute: int, organization_id: str = "acme") -> None:
    product.tenants.put_organization(Organization(organization_id, messages_per_minute=per_minute))


def deliver(product: Product, turn: OutboundItem, *, first_delivery: bool = True) -> float | None:
    """The seconds until the queue delivers the turn again, None when it left the queue."""
    try:
        product.deliver(turn, first_delivery=first_delivery)
    except RetryLaterError as wait:
        return wait.seconds
    return None


def released(product: Product) -> list[OutboundItem]:
    release = ReleaseWaitingTurns(
        product.held_turns,
        product.tenants,
        product.queues,
        product.clock,
        lambda *record_metric: product.measured.append(record_metric),
    )
    release()
    found, product.queues.outbound[:] = list(product.queues.outbound), []
    return found


def sent(product: Product) -> list[str]:
    return [payload["text"]["body"] for payload in product.graph.sent]


def fill(product: Product, count: int) -> None:
    """Take the next `count` slots of the organization."""
    for _ in range(count):
        product.slots.reserve("acme", "organization", 5, product.clock.now)


def begin_to_hold(product: Product) -> None:
    """Let every worker know that turns of the number are held."""
    assert deliver(product, item(1, "551")) == STOP_PROPAGATION_SECONDS
    product.clock.forward(STOP_PROPAGATION_SECONDS)
    assert deliver(product, item(1, "551"), first_delivery=False) is None


def test_a_wait_of_ten_minutes_stays_in_the_queue_and_a_longer_one_leaves_it(product: Product) -> None:
    limit(product, 5)
    fill(product, 50)
    wait = deliver(product, item(1, "550"))
    assert wait is not None
    assert LONGEST_WAIT_SECONDS - 24 < wait <= LONGEST_WAIT_SECONDS
    assert product.held_turns.items == {}
    fill(product, 2)
    begin_to_hold(product)
    assert [held.contact_id for held in product.held_turns.items.values()] == ["551"]


def test_no_turn_is_held_before_every_worker_knows(product: Product) -> None:
    limit(product, 5)
    fill(product, 100)
    assert deliver(product, item(1, "551")) == STOP_PROPAGATION_SECONDS
    product.clock.forward(STOP_PROPAGATION_SECONDS - 1)
    assert deliver(product, item(1, "552")) == 1
    assert product.held_turns.items == {}
    product.clock.forward(1)
    assert deliver(product, item(1, "553")) is None
    assert len(product.held_turns.items) == 1


def test_a_held_turn_returns_before_it_is_due_and_leaves_then(product: Product) -> None:
    limit(product, 5)
    fill(product, 100)
    begin_to_hold(product)
    (held,) = product.held_turns.items.values()
    assert held.due_at is not None
    product.clock.forward(held.due_at - product.clock.now - 0.1)
    assert released(product) == []
    product.clock.forward(0.1)
    (back,) = released(product)
    wait = deliver(product, back)
    assert wait == pytest.approx(RELEASE_EARLY_SECONDS)
    product.clock.forward(wait or 0)
    assert deliver(product, back, first_delivery=False) is None
    assert sent(product) == ["551 1"]
    assert product.held_turns.items == {}
    assert product.measured == [("DueLagSeconds", pytest.approx(0, abs=0.01))]


def test_a_later_turn_of_the_person_never_overtakes(product: Product) -> None:
    limit(product, 5)
    fill(product, 100)
    begin_to_hold(product)
    limit(product, 6000)  # from now on, nothing has to wait
    assert deliver(product, item(2, "551")) is None
    assert deliver(product, item(3, "551")) is None
    assert deliver(product, item(1, "559")) is None
    assert sent(product) == ["559 1"]
    product.clock.forward(86_400)
    (back,) = released(product)
    for turn in (1, 2, 3):
        assert back.turn == turn
        assert deliver(product, back) is None
        following = list(product.queues.outbound)
        product.queues.outbound.clear()
        assert len(following) == (turn < 3)
        back = following[0] if following else back
    assert sent(product) == ["559 1", "551 1", "551 2", "551 3"]
    assert product.held_turns.items == {}


def test_a_released_turn_that_is_lost_is_released_again_and_a_copy_does_no_harm(product: Product) -> None:
    limit(product, 5)
    fill(product, 100)
    begin_to_hold(product)
    product.clock.forward(86_400)
    (lost,) = released(product)
    assert released(product) == []
    product.clock.forward(RELEASE_AGAIN_SECONDS)
    (again,) = released(product)
    assert deliver(product, again) is None
    assert deliver(product, lost, first_delivery=False) is None
    assert sent(product) == ["551 1"]
    product.clock.forward(86_400)
    assert released(product) == []


def test_turns_that_the_queue_refuses_hold_back_no_others(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    now = product.clock.now
    for number in range(2 * RELEASED_AT_ONCE):
        product.held_turns.hold(item(1, f"55{number:03}"), now, now + number / 1000)
    put = product.queues.put_all_outbound

    def refusing(items: list[OutboundItem]) -> None:
        if any(one.contact_id == "55007" for one in items):
            raise QueueingFailedError("1 of 100 messages was refused by the queue")
        put(items)

    monkeypatch.setattr(product.queues, "put_all_outbound", refusing)
    product.clock.forward(10)
    with pytest.raises(QueueingFailedError):
        released(product)
    assert len(product.queues.outbound) == RELEASED_AT_ONCE
    monkeypatch.undo()
    assert "55007" in [one.contact_id for one in released(product)], "it is released again in the next run"


def test_a_recipient_that_meta_holds_for_an_hour_leaves_the_queue_too(product: Product) -> None:
    from pytake.whatsapp.errors import ErrorClass
    from pytake.whatsapp.sending import SendFailedError

    product.graph.script = [SendFailedError(ErrorClass.RETRY, http_status=429, retry_after=3600)]
    assert deliver(product, item(1)) == STOP_PROPAGATION_SECONDS
    product.clock.forward(STOP_PROPAGATION_SECONDS)
    assert deliver(product, item(1), first_delivery=False) is None
    assert len(product.held_turns.items) == 1
    product.clock.forward(3600)
    (back,) = released(product)
    assert deliver(product, back) is None
    assert sent(product) == [f"{PHONE} 1"]


def test_held_turns_wait_for_a_stopped_number_and_leave_when_it_is_resumed(product: Product) -> None:
    limit(product, 5)
    fill(product, 100)
    begin_to_hold(product)
    number = product.tenants.by_id[NUMBER]
    product.tenants.stop_number(number, "fatal_token:190")
    product.tenants.confirm_stop(number, product.clock())
    product.clock.forward(86_400)
    (back,) = released(product)
    assert deliver(product, back) is None
    assert sent(product) == []
    product.clock.forward(86_400)
    assert released(product) == [], "it waits for the number, not for a time"
    product.resume("acme", NUMBER)
    product.run_queues()
    assert sent(product) == ["551 1"]
    assert product.held_turns.items == {}


def test_the_queue_holds_a_bounded_number_of_an_organizations_messages() -> None:
    for per_minute in (1, 5, 60, 600, 2000, 4800, 9000):
        assert longest_wait(per_minute) * per_minute / 60 <= QUEUED_MESSAGES
    assert longest_wait(60_000) * 60_000 / 60 <= 120_000, "not even one organization fills the queue"


def test_a_large_backlog_of_one_organization_delays_no_other(product: Product) -> None:
    """One message in a thousand of the two hundred thousand of `make capacity`: the numbers scale with the limit."""
    product.add_organization("globex", OTHER, ECHO_FLOW)
    limit(product, 5)
    fill(product, 100)
    begin_to_hold(product)
    waits: list[Any] = [deliver(product, item(1, str(5_000 + number))) for number in range(2_000)]
    assert waits == [None] * 2_000, "none of them is in flight"
    assert len(product.held_turns.items) == 2_001
    assert deliver(product, item(1, "666", "globex", OTHER)) is None
    assert sent(product) == ["666 1"]
    product.clock.forward(86_400 * 3)
    back = released(product)
    assert [turn.contact_id for turn in back] == ["551", *(str(5_000 + number) for number in range(2_000))]
    for turn in back[:600]:
        assert deliver(product, replace(turn)) is None or product.clock.forward(12) is None
