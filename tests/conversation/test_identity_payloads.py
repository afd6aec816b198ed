"""What each payload about a person's identities does, from the webhook to the conversation."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytake.conversation.records import Conversation
from tests.conversation.product import ECHO_FLOW, Product

PAYLOADS = Path(__file__).parent.parent / "whatsapp" / "payloads"
NUMBER = "106540352242922"
PHONE, NEW_PHONE = "5511987654321", "5521987654321"
USER, NEW_USER, PARENT = "BR.1A2B3C4D5E6F7G8H9I", "BR.NEW1", "BR.ENT.9B"


@pytest.fixture
def product() -> Product:
    made = Product()
    made.clock.now = 1_794_000_010.0
    made.add_organization("acme", NUMBER, ECHO_FLOW)
    return made


def post(product: Product, name: str) -> None:
    product.post(json.loads((PAYLOADS / f"{name}.json").read_bytes()))
    product.run_queues()


def conversation(product: Product) -> Conversation:
    (found,) = (known for known in product.conversations.stored.values() if known.merged_into is None)
    return found


def known_ids(product: Product) -> tuple[Any, ...]:
    found = conversation(product)
    return found.contact.phone, found.user_id, found.parent_user_id, found.username


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("hidden_number", (None, USER, None, "ana.lima")),
        ("hidden_number_known_by_its_contact", (None, USER, None, "ana.lima")),
        ("hidden_number_with_parent", (None, USER, PARENT, "ana.s")),
        ("phone_and_user_id", (f"+{PHONE}", USER, None, None)),
        ("phone_parent_and_user_id", (f"+{PHONE}", USER, PARENT, "ana.s")),
    ],
)
def test_a_message_says_who_the_person_is(product: Product, name: str, ids: tuple[Any, ...]) -> None:
    post(product, name)
    assert known_ids(product) == ids
    assert len(product.graph.sent) == 1


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("system_user_id_changed", (f"+{PHONE}", NEW_USER, PARENT, "ana.s")),
        ("system_user_id_changed_in_the_body", (f"+{PHONE}", NEW_USER, PARENT, "ana.s")),
        ("system_user_id_changed_with_phones", (f"+{NEW_PHONE}", NEW_USER, "BR.ENT.9D", "ana.s")),
        ("system_number_changed", (f"+{NEW_PHONE}", USER, PARENT, "ana.s")),
        ("system_number_changed_with_user_id", (f"+{NEW_PHONE}", NEW_USER, PARENT, "ana.s")),
        ("user_id_update", (f"+{PHONE}", NEW_USER, PARENT, "ana.s")),
        ("user_id_update_with_phone", (f"+{NEW_PHONE}", NEW_USER, "BR.ENT.9D", "ana.s")),
    ],
)
def test_a_change_keeps_the_conversation_and_is_not_answered(product: Product, name: str, ids: tuple[Any, ...]) -> None:
    post(product, "phone_parent_and_user_id")
    session = conversation(product).session
    post(product, name)
    assert known_ids(product) == ids
    assert conversation(product).session == session
    assert len(product.graph.sent) == 1


@pytest.mark.parametrize(
    ("name", "phone"), [("contact_request_answer", f"+{PHONE}"), ("contact_card_of_another_origin", None)]
)
def test_a_card_links_the_phone_only_if_it_answers_a_request(product: Product, name: str, phone: str | None) -> None:
    post(product, "hidden_number")
    post(product, name)
    assert conversation(product).contact.phone == phone


@pytest.mark.parametrize(
    ("name", "status"),
    [("status_with_contacts", "delivered"), ("status_with_parent_ids", "read"), ("status_of_a_group", "delivered")],
)
def test_a_status_finds_its_message_whatever_it_calls_the_recipient(product: Product, name: str, status: str) -> None:
    post(product, "phone_and_user_id")
    body = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    for one in body["entry"][0]["changes"][0]["value"]["statuses"]:
        one["id"] = "wamid.1"
    product.post(body)
    for item in product.queues.statuses:
        product.settle(item)
    (entry,) = product.deliveries.entries.values()
    assert entry.status == status


def test_the_username_of_the_business_is_nothing_about_a_person(product: Product) -> None:
    post(product, "business_username_update")
    assert product.conversations.stored == {}
    assert product.events.types == ["webhook.account_update"]
