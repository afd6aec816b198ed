"""The sender: once, in order, at the rate, and what each failure leads to."""

import pytest

from pytake.conversation.deliver import ComeBackError
from pytake.conversation.queues import OutboundItem, ReceiptsItem
from pytake.conversation.receipts import callback_data
from pytake.conversation.records import Organization
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.outbound import OutboundMessage, Text
from pytake.whatsapp.sending import SendFailed
from tests.conversation.conftest import NUMBER, PHONE, Product


def item(turn: int = 1, *texts: str, phone: str = PHONE, organization_id: str = "acme") -> OutboundItem:
    messages: list[OutboundMessage] = [Text(text) for text in texts or ("Hi",)]
    return OutboundItem(organization_id, NUMBER, phone, turn, messages, window_closes_at=1e12)


def failure(error_class: ErrorClass, code: int | None = None) -> SendFailed:
    return SendFailed(error_class, http_status=400, code=code)


def texts(product: Product) -> list[str]:
    return [payload["text"]["body"] for payload in product.graph.sent]


def test_messages_of_a_turn_leave_in_order_once(product: Product) -> None:
    turn = item(1, "one", "two", "three")
    product.deliver(turn, first_time=True)
    product.deliver(turn, first_time=False)
    product.deliver(turn, first_time=True)
    assert texts(product) == ["one", "two", "three"]


def test_a_throttled_send_is_retried_after_two_four_and_eight_seconds(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.THROTTLED, 130429)] * 3
    assert product.deliver_until_done(item()) == [2, 4, 8]
    assert texts(product) == ["Hi"]
    assert product.queues.buried == []


def test_the_fourth_failure_leads_to_the_dead_letters_with_its_reason(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.THROTTLED, 130429)] * 4
    assert product.deliver_until_done(item()) == [2, 4, 8]
    assert texts(product) == []
    assert [(buried.turn, reason) for buried, reason in product.queues.buried] == [(1, "throttled:130429")]
    assert product.events.types == ["delivery.dead"]


def test_meta_may_ask_for_a_longer_wait(product: Product) -> None:
    product.graph.script = [SendFailed(ErrorClass.THROTTLED, http_status=429, retry_after=30)]
    assert product.deliver_until_done(item()) == [30]


def test_a_throttled_pair_is_held_longer(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.PAIR_THROTTLED, 131056)] * 2
    assert product.deliver_until_done(item()) == [4, 16]


@pytest.mark.parametrize(
    "error_class", [ErrorClass.PERMANENT, ErrorClass.RECIPIENT, ErrorClass.TEMPLATE, ErrorClass.LATER]
)
def test_a_message_that_can_never_be_sent_fails_at_once_and_the_next_one_leaves(
    product: Product, error_class: ErrorClass
) -> None:
    product.graph.script = [failure(error_class, 131026)]
    product.deliver(item(1, "bad", "good"), first_time=True)
    assert texts(product) == ["good"]
    assert [entry.state for entry in product.deliveries.of_conversation(product.key())] == ["failed", "accepted"]
    assert product.events.types == ["delivery.failed"]
    product.deliver(item(1, "bad", "good"), first_time=False)
    assert texts(product) == ["good"]


def test_media_gets_one_retry(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.MEDIA, 131053)] * 2
    assert product.deliver_until_done(item()) == [2]
    assert len(product.queues.buried) == 1


def receipt(product: Product, status: str, turn: int = 1, index: int = 0, organization_id: str = "acme") -> int:
    data = callback_data(product.key(organization_id=organization_id), turn, index)
    entry = {"id": "wamid.sent", "status": status, "timestamp": "1770000000", "biz_opaque_callback_data": data}
    return product.settle(ReceiptsItem("acme", NUMBER, [entry]))


def test_an_ambiguous_send_is_settled_by_a_receipt_and_not_repeated(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    with pytest.raises(ComeBackError):
        product.deliver(item(), first_time=True)
    with pytest.raises(ComeBackError):
        product.deliver(item(), first_time=False)
    assert receipt(product, "sent") == 1
    product.deliver(item(), first_time=False)
    assert texts(product) == []
    assert [entry.state for entry in product.deliveries.of_conversation(product.key())] == ["accepted"]


def test_an_ambiguous_send_without_a_receipt_is_repeated_after_its_deadline(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    waits = product.deliver_until_done(item())
    assert sum(waits) == 90
    assert texts(product) == ["Hi"]
    assert product.events.types == ["delivery.ambiguous", "delivery.resent_after_deadline"]


class WorkerKilled(BaseException):
    pass


@pytest.mark.parametrize("meta_has_it", [True, False])
def test_a_worker_killed_while_sending_loses_nothing_and_repeats_nothing(product: Product, meta_has_it: bool) -> None:
    product.graph.script = [WorkerKilled()]  # type: ignore[list-item]
    with pytest.raises(WorkerKilled):
        product.deliver(item(), first_time=True)
    product.clock.forward(60)
    if meta_has_it:
        receipt(product, "delivered")
    product.deliver_until_done(item(), redelivered=True)
    assert texts(product) == ([] if meta_has_it else ["Hi"])


def test_a_fatal_error_stops_the_number_and_keeps_its_messages(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.FATAL_TOKEN, 190)]
    with pytest.raises(ComeBackError) as wait:
        product.deliver(item(), first_time=True)
    assert wait.value.seconds >= 60
    assert product.events.types == ["number.stopped"]
    with pytest.raises(ComeBackError):
        product.deliver(item(2, phone="5511888888888"), first_time=True)
    number = product.directory.by_id[NUMBER]
    product.directory.stop_number(number, None)
    product.deliver(item(), first_time=False)
    product.deliver(item(2, phone="5511888888888"), first_time=False)
    assert len(texts(product)) == 2
    assert product.queues.buried == []


def test_waiting_for_the_rate_never_counts_as_a_failed_try(product: Product) -> None:
    product.directory.put_organization(Organization("acme", messages_per_minute=5))
    product.graph.script = [None] * 8 + [failure(ErrorClass.THROTTLED, 130429)] * 3
    for turn in range(1, 51):
        product.deliver_until_done(item(turn, f"m{turn}"))
    assert texts(product) == [f"m{turn}" for turn in range(1, 51)]
    assert product.queues.buried == []
    assert product.clock.now - 1_770_000_000 >= 45 * 12


def test_one_organization_at_its_limit_does_not_hold_up_another(product: Product) -> None:
    product.directory.put_organization(Organization("acme", messages_per_minute=5))
    product.add_organization("globex", "200000000000002", None)
    for turn in range(1, 6):
        product.deliver(item(turn), first_time=True)
    with pytest.raises(ComeBackError):
        product.deliver(item(6), first_time=True)
    product.deliver(OutboundItem("globex", "200000000000002", PHONE, 1, [Text("Hi")], 1e12), first_time=True)
    assert len(texts(product)) == 6


def test_a_receipt_of_another_organization_settles_nothing(product: Product) -> None:
    product.graph.script = [failure(ErrorClass.AMBIGUOUS)]
    with pytest.raises(ComeBackError):
        product.deliver(item(), first_time=True)
    assert receipt(product, "sent", organization_id="globex") == 0
    assert "receipts.foreign" in product.events.types


def test_a_failed_receipt_reaches_ledger_and_operator(product: Product) -> None:
    product.deliver(item(), first_time=True)
    data = callback_data(product.key(), 1, 0)
    entry = {"id": "w", "status": "failed", "timestamp": "1770000000", "biz_opaque_callback_data": data}
    product.settle(ReceiptsItem("acme", NUMBER, [{**entry, "errors": [{"code": 131026}]}]))
    ledger = product.deliveries.of_conversation(product.key())[0]
    assert (ledger.status, ledger.error_code) == ("failed", 131026)
    assert product.events.types == ["delivery.failed"]
