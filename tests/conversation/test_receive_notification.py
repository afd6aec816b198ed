"""The webhook: who is let in, what is queued, what is told to operators."""

import json
from typing import Any

import pytest

from pytake.conversation.receive_notification import BadSignatureError
from pytake.conversation.status_filter import MAX_LOOKUPS
from pytake.whatsapp import signature
from pytake.whatsapp.inbound import NotJsonError, NotWhatsAppError
from tests.conversation.product import ECHO_FLOW, NUMBER, Product

OTHER = "200000000000002"
OTHER_SECRET = "globex-app-secret"


def test_a_wrong_or_missing_signature_queues_nothing(product: Product) -> None:
    raw = json.dumps(product.notification(product.message("Olá"))).encode()
    for header in (None, "", "sha256=", "sha256=" + "0" * 64, signature.sign("another-secret", raw)):
        with pytest.raises(BadSignatureError):
            product.receive(raw, header)
    assert product.queues.inbound == []


def test_what_is_no_notification_is_refused(product: Product) -> None:
    with pytest.raises(NotJsonError):
        product.receive(b"<html>", "sha256=0")
    with pytest.raises(NotWhatsAppError):
        product.receive(b'{"object": "page"}', "sha256=0")


def test_an_unknown_number_is_told_to_operators_and_costs_nothing_else(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    body["entry"] += product.notification(product.message("Hi"), number="999999999999999")["entry"]
    received = product.post(body)
    assert (received.messages, received.unknown_numbers) == (1, 1)
    assert product.events.types == ["webhook.unknown_number"]


def test_a_post_signed_by_one_organization_cannot_bring_messages_for_another(product: Product) -> None:
    product.add_organization("globex", OTHER, ECHO_FLOW, app_secret=OTHER_SECRET)
    body = product.notification(product.message("mine"))
    body["entry"] += product.notification(product.message("forged"), number=OTHER)["entry"]
    product.post(body)
    assert [item.organization_id for item in product.queues.inbound] == ["acme"]
    assert product.events.types == ["webhook.bad_signature"]


def test_the_previous_app_secret_is_good_during_a_rotation(product: Product) -> None:
    product.add_organization("acme", NUMBER, ECHO_FLOW, app_secret="the-next-secret")
    body = product.notification(product.message("Olá"))
    assert product.post(body, "the-next-secret").messages == 1
    assert product.post(product.notification(product.message("Olá")), "demo-app-secret").messages == 1


def test_a_post_of_a_thousand_updates_is_split_whole(product: Product) -> None:
    messages = [product.message(f"m{n}", phone=str(5511900000000 + n % 50)) for n in range(600)]
    body = product.notification(*messages)
    statuses = [
        {"id": f"wamid.s{n}", "status": "sent", "timestamp": "1770000000", "recipient_id": "5511900000000"}
        for n in range(400)
    ]
    value = {"metadata": {"phone_number_id": NUMBER}, "statuses": statuses}
    body["entry"][0]["changes"].append({"field": "messages", "value": value})
    received = product.post(body)
    assert (received.messages, received.statuses) == (600, 400)
    assert len(product.queues.inbound) == 600
    assert sum(len(item.statuses) for item in product.queues.statuses) == 400
    assert len(product.queues.statuses) < 10


def test_a_malformed_part_never_costs_the_others(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    value = body["entry"][0]["changes"][0]["value"]
    value["messages"] += [None, 7, {"type": "text"}, {"id": "wamid.x"}]
    body["entry"] += ["nonsense", {"changes": [{"value": None}]}]
    received = product.post(body)
    assert received.messages == 1
    assert received.problems >= 4


def test_messages_of_one_post_are_put_in_the_order_they_were_written(product: Product) -> None:
    late, early = product.message("second"), product.message("first")
    late["timestamp"], early["timestamp"] = "1770000002", "1770000001"
    product.post(product.notification(late, early))
    assert [item.message["text"]["body"] for item in product.queues.inbound] == ["first", "second"]


def test_verify_tokens(product: Product) -> None:
    assert product.receive.verify_token("verify-acme")
    assert not product.receive.verify_token("verify-nobody")
    assert not product.receive.verify_token("")


def statuses(product: Product, *told: tuple[str, str | None, str], number: str = NUMBER) -> Any:
    """Post statuses, each a word, a message id and callback data; what was received."""
    entries = [
        {"id": id_, "status": word, "timestamp": "1770000000", "biz_opaque_callback_data": data}
        for word, id_, data in told
    ]
    body = product.notification(number=number)
    value = {"metadata": {"phone_number_id": number}, "statuses": entries}
    body["entry"][0]["changes"] = [{"field": "messages", "value": value}]
    return product.post(body)


def queued(product: Product) -> list[str]:
    return [status["status"] for item in product.queues.statuses for status in item.statuses]


def sent_once(product: Product) -> tuple[str, str]:
    """The id and the callback data of an answer that Meta took."""
    product.say("Olá")
    [entry] = product.deliveries.of_conversation(product.key())
    assert entry.message_id is not None
    return entry.message_id, product.graph.sent[-1]["biz_opaque_callback_data"]


def test_that_an_accepted_message_was_sent_is_not_queued(product: Product) -> None:
    id_, data = sent_once(product)
    received = statuses(product, ("sent", id_, data))
    assert (received.statuses, received.suppressed) == (0, 1)
    assert queued(product) == []


def test_every_other_status_is_queued(product: Product) -> None:
    id_, data = sent_once(product)
    foreign = data.replace("acme", "globex")
    words = [("delivered", id_, data), ("read", id_, data), ("failed", id_, data)]
    odd = [("sent", "wamid.other", data), ("sent", id_, foreign), ("sent", id_, "nonsense"), ("sent", id_, data + "|2")]
    received = statuses(product, *words, *odd)
    assert (received.statuses, received.suppressed) == (7, 0)


def test_that_a_message_was_sent_whose_fate_is_unknown_settles_it(product: Product) -> None:
    id_, data = sent_once(product)
    [place] = product.deliveries.entries
    product.deliveries.entries[place].state = "ambiguous"
    assert statuses(product, ("sent", id_, data)).statuses == 1
    product.settle(product.queues.statuses.pop())
    assert product.deliveries.entries[place].reached_meta


def test_many_at_once_are_queued_without_a_look(product: Product) -> None:
    id_, data = sent_once(product)
    assert statuses(product, *[("sent", id_, data)] * (MAX_LOOKUPS + 1)).statuses == MAX_LOOKUPS + 1
    assert statuses(product, *[("sent", id_, data)] * MAX_LOOKUPS).statuses == 0
