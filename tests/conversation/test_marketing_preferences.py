"""What people choose in WhatsApp's settings changes their consent to marketing, in the order of their choices."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pytake.contacts.consent import UNKNOWN, Consent
from tests.conversation.product import CHOICE, NUMBER, PHONE, Product, choose, echo_product


def marketing(product: Product, contact_id: str = PHONE) -> Consent:
    return product.contacts.load("acme", contact_id).consent_to("marketing")


def test_the_documented_payload_withdraws_consent_and_the_flow_goes_on(product: Product) -> None:
    product.say("Hi")
    product.clock.forward(5)
    product.post(json.loads(CHOICE.read_bytes()))
    assert product.run_queues() == []
    assert marketing(product) == Consent("withdrawn", "whatsapp", 1_770_000_000)
    assert product.contacts.load("acme", PHONE).consent_to("utility") == UNKNOWN
    stop = product.conversations.turns(product.key())[-1]
    assert (stop.status, stop.messages) == ("opted_out", [])
    assert [(one.type, one.data) for one in stop.events] == [("opted_out", {"source": "whatsapp", "at": 1_770_000_000})]
    assert product.say("Ana") == ["Bye, Ana."]
    assert "webhook.account_update" not in product.events.types


def test_a_choice_that_comes_twice_or_late_is_in_the_audit_trail_once(product: Product) -> None:
    product.say("Hi")
    at = product.clock.now
    product.clock.forward(100)
    for value, when in (
        ("stop", at + 50),
        ("stop", at + 50),
        ("stop", at + 20),
        ("resume", at + 60),
        ("stop", at + 55),
    ):
        choose(product, value, when)
    assert marketing(product).state == "granted"
    turns = product.conversations.turns(product.key())
    assert [one.status for one in turns if one.input.type == "opt_out"] == ["opted_out"]


def test_a_person_who_never_wrote_is_remembered(product: Product) -> None:
    choose(product, "stop", product.clock.now)
    known = product.contacts.load("acme", PHONE)
    assert (known.phone, known.consent_to("marketing").state) == (f"+{PHONE}", "withdrawn")
    assert product.conversations.load(product.key()) is None


def test_a_choice_under_the_user_id_alone_is_the_same_persons(product: Product) -> None:
    first = product.notification(product.message("Hi") | {"from_user_id": "BR.77a"})
    first["entry"][0]["changes"][0]["value"]["contacts"][0]["user_id"] = "BR.77a"
    product.post(first)
    product.run_queues()
    choose(product, "stop", product.clock.now, wa_id=None)
    body = json.loads(CHOICE.read_bytes())
    value = body["entry"][0]["changes"][0]["value"]
    del value["contacts"][0]["wa_id"], value["user_preferences"][0]["wa_id"]
    value["user_preferences"][0] |= {"value": "resume", "timestamp": int(product.clock.now) + 1}
    product.clock.forward(2)
    product.post(body)
    product.run_queues()
    assert marketing(product).state == "granted"


@pytest.mark.parametrize(("name", "state"), [("resume", "granted"), ("signup", "withdrawn")])
def test_what_follows_a_stop(product: Product, name: str, state: str) -> None:
    """A sign-up is not documented as an answer to a stop, so it grants nothing."""
    product.clock.now = 1_770_000_200.0
    choose(product, "stop", 1_770_000_000)
    product.post(json.loads((CHOICE.parent / f"user_preferences_{name}.json").read_bytes()))
    product.run_queues()
    assert marketing(product).state == state


def test_the_user_id_alone_names_who_stopped(product: Product) -> None:
    product.post(json.loads((CHOICE.parent / "user_preferences_hidden_number.json").read_bytes()))
    product.run_queues()
    assert marketing(product, "BR.77a") == Consent("withdrawn", "whatsapp", 1_770_000_000)
    assert marketing(product) == UNKNOWN


@pytest.mark.parametrize(
    "change", [{"value": "signup", "signup_id": "1"}, {"category": "utility_messages"}, {"value": None}]
)
def test_what_is_no_choice_about_marketing_changes_nothing(product: Product, change: dict[str, Any]) -> None:
    choose(product, "stop", product.clock.now, **change)
    assert marketing(product) == UNKNOWN


@pytest.mark.parametrize("value", [{"user_preferences": 1}, {"user_preferences": [1, {}, {"wa_id": []}]}])
def test_what_cannot_be_read_is_a_problem_and_no_failure(product: Product, value: dict[str, Any]) -> None:
    metadata = {"metadata": {"phone_number_id": NUMBER}}
    change = {"field": "user_preferences", "value": {**metadata, **value}}
    product.post({"object": "whatsapp_business_account", "entry": [{"id": "w", "changes": [change]}]})
    assert product.run_queues() == []
    assert product.events.types == ["webhook.malformed_part"]


def test_a_choice_from_before_an_erasure_brings_nothing_back(product: Product) -> None:
    from pytake.conversation.recorded_erasures import erasure_digest

    product.conversations.erased[erasure_digest(product.key())] = product.clock.now + 10
    choose(product, "stop", product.clock.now)
    assert product.contacts.load("acme", PHONE).revision == 0


def test_a_choice_from_the_future_counts_from_now(product: Product) -> None:
    choose(product, "stop", product.clock.now + 999)
    assert marketing(product).at == product.clock.now


CHOICES = st.lists(st.tuples(st.sampled_from(["stop", "resume"]), st.integers(1, 50)), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(CHOICES, st.data())
def test_the_last_choice_holds_in_any_order_of_arrival(choices: list[tuple[str, int]], data: st.DataObject) -> None:
    product = echo_product()
    product.clock.forward(1000)
    repeated = choices + data.draw(st.lists(st.sampled_from(choices), max_size=4))
    for value, at in data.draw(st.permutations(repeated)):
        choose(product, value, 1_770_000_000 + at)
    latest = max(at for _, at in choices)
    stopped = any(value == "stop" for value, at in choices if at == latest)
    assert marketing(product) == Consent("withdrawn" if stopped else "granted", "whatsapp", 1_770_000_000 + latest)
    history = product.contacts.consent_history("acme", PHONE, 99)
    assert len(history) == len(set(choices)), "a repetition adds nothing"


def test_a_newer_grant_of_a_program_is_not_undone_by_an_older_choice(product: Product) -> None:
    product.say("Hi")
    newer = Consent("granted", "form", product.clock.now)
    known = product.contacts.load("acme", PHONE)
    product.contacts.save("acme", replace(known, consent={"marketing": newer}))
    choose(product, "stop", product.clock.now - 60)
    assert marketing(product) == newer
