"""What turns store of a contact, and when: two numbers of an organization know one person, and a plain turn stores nothing."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import PURPOSES, Consent
from pytake.contacts.records import ContactRecord, new_contact
from pytake.conversation.flow_authoring import NotPublishableError
from pytake.conversation.turn_contact import CONTACT_BYTES
from tests.conversation.product import APP_SECRET, ECHO_FLOW, NUMBER, PHONE, Product

OTHER_NUMBER = "100000000000002"


def saving(id_: str, *actions: dict[str, Any]) -> dict[str, Any]:
    """A flow that does this at once, says who it sees, and asks."""
    return {
        **ECHO_FLOW,
        "id": id_,
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "do"}},
            {"id": "do", "type": "action", "data": {"actions": list(actions), "next_node_id": "ask"}},
            {
                "id": "ask",
                "type": "question",
                "data": {"question": "{{contact.city}} {{contact.team}} {{contact.name}}?", "variable": "x"},
            },
        ],
    }


@pytest.fixture
def both() -> Product:
    """An organization with two numbers: one saves the city, the other one the team."""
    product = Product()
    city = {"type": "save_contact", "field": "city", "value": "Rio"}
    product.add_organization("acme", NUMBER, saving("one", city, {"type": "add_tag", "tag": "one"}))
    team = {"type": "save_contact", "field": "team", "value": "sales"}
    other = saving("two", team, {"type": "add_tag", "tag": "one"}, {"type": "add_tag", "tag": "two"})
    product.add_organization("acme", OTHER_NUMBER, other)
    return product


def stored(product: Product) -> ContactRecord:
    return product.contacts.load("acme", PHONE)


def test_the_first_message_stores_the_contact(product: Product) -> None:
    at = product.clock.now
    product.say("Hi")
    assert stored(product) == ContactRecord(
        contact_id=PHONE, phone=f"+{PHONE}", name="Ana", numbers=[NUMBER], created_at=at, last_inbound_at=at, revision=1
    )
    assert product.conversations.stored[product.key()].contact_revision == 1


def test_a_plain_turn_stores_nothing_of_the_contact(product: Product) -> None:
    product.say("Hi")
    product.clock.forward(60)
    product.say("A")
    assert stored(product).revision == 1


def test_another_number_begins_with_what_is_known(both: Product) -> None:
    both.say("Hi")
    assert both.say("Hi", number=OTHER_NUMBER) == ["Rio sales Ana?"]
    known = stored(both)
    assert (known.fields, known.tags) == ({"city": "Rio", "team": "sales"}, ["one", "two"])
    assert known.numbers == [NUMBER, OTHER_NUMBER]


def test_changes_at_two_numbers_do_not_overwrite_one_another(both: Product) -> None:
    both.say("Hi")
    both.say("Hi", number=OTHER_NUMBER)
    both.publish("acme", saving("one", {"type": "save_contact", "field": "city", "value": "Recife"}))
    both.clock.forward(86_401)
    assert both.say("Hi")[-1] == "Recife sales Ana?", "this number's copy has followed the other one's turn"
    assert stored(both).fields == {"city": "Recife", "team": "sales"}
    assert both.conversations.stored[both.key()].contact.fields == {"city": "Recife", "team": "sales"}


def test_a_new_profile_name_is_stored_unless_a_name_was_saved(product: Product) -> None:
    product.say("Hi")
    renamed = product.notification(product.message("Hi again"))
    renamed["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = "Ana S."
    product.post(renamed)
    product.run_queues()
    assert stored(product).name == "Ana S."
    product.publish("acme", saving("echo", {"type": "save_contact", "field": "name", "value": "Doctor Ana"}))
    product.clock.forward(86_401)
    product.say("Hi")
    assert stored(product).name == "Doctor Ana"
    product.post(renamed | {"entry": renamed["entry"]})
    product.run_queues()
    assert stored(product).name == "Doctor Ana"


def test_a_contact_that_never_wrote_is_known_to_its_first_conversation() -> None:
    product = Product()
    product.add_organization("acme", NUMBER, saving("one", {"type": "add_tag", "tag": "vip"}))
    product.contacts.save(
        "acme", replace(new_contact(PHONE, 1.0), name="Given", fields={"city": "Rio", "name": "Given"})
    )
    assert product.say("Hi") == ["Rio  Given?"]
    known = stored(product)
    assert (known.created_at, known.name, known.tags, known.revision) == (1.0, "Given", ["vip"], 2)


def test_a_conversation_of_an_earlier_release_brings_what_it_knows(both: Product) -> None:
    both.say("Hi")
    before = both.conversations.stored[both.key()]
    before.contact_revision = 0
    before.contact = replace(before.contact, fields={"city": "Natal", "pet": "cat"}, tags=["old"], language="pt_BR")
    both.contacts.stored.clear()
    both.say("Hi", number=OTHER_NUMBER)
    both.say("yes")
    known = stored(both)
    assert known.fields == {"team": "sales", "city": "Natal", "pet": "cat"}
    assert (set(known.tags), known.language) == ({"one", "two", "old"}, "pt_BR")


def test_a_contact_that_another_request_changes_meanwhile_keeps_both_changes(
    both: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.say("Hi")
    both.publish("acme", saving("one", {"type": "save_contact", "field": "city", "value": "Recife"}))
    both.clock.forward(86_401)
    commit = both.conversations.commit

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(both.conversations, "commit", commit)
        both.contacts.save("acme", replace(stored(both), language="es"))
        commit(*arguments)

    monkeypatch.setattr(both.conversations, "commit", overtaken)
    both.say("Hi")
    assert (stored(both).language, stored(both).fields) == ("es", {"city": "Recife"})


def test_a_turn_that_a_change_of_the_copy_overtakes_is_decided_again(
    both: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    both.say("Hi", number=OTHER_NUMBER)
    key, commit = both.key(number=OTHER_NUMBER), both.conversations.commit

    def overtaken(*arguments: Any) -> None:
        monkeypatch.setattr(both.conversations, "commit", commit)
        loaded = both.conversations.load(key)
        assert loaded is not None
        changed = replace(loaded, contact=replace(loaded.contact, name="Changed"), contact_revision=7)
        both.conversations.update_contact(loaded, changed)
        commit(*arguments)

    monkeypatch.setattr(both.conversations, "commit", overtaken)
    both.clock.forward(86_401)
    assert both.say("Hi", number=OTHER_NUMBER)[-1] == " sales Ana?"  # the profile's name, on top of the change
    assert both.conversations.stored[key].contact_revision == 2


def test_stop_withdraws_every_purpose_and_writing_again_grants_answers_only(product: Product) -> None:
    product.say("Hi")
    product.clock.forward(60)
    stopped_at = float(int(product.clock.now))
    product.say("stop")
    assert stored(product).consent == dict.fromkeys(PURPOSES, Consent("withdrawn", "stop", stopped_at))
    assert stored(product).opted_out
    product.clock.forward(60)
    product.say("Hi")
    consent = stored(product).consent
    assert consent["service"] == Consent("granted", "message", stopped_at + 60)
    assert {consent["utility"].state, consent["marketing"].state} == {"withdrawn"}
    history = product.contacts.consent_history("acme", PHONE, 10)
    assert sorted((change.purpose, change.state) for change in history) == sorted(
        [("service", "granted"), *((purpose, "withdrawn") for purpose in PURPOSES)]
    )


def opted_out(product: Product) -> tuple[list[bool], str]:
    """What the conversations at both numbers and the contact's consent to answers say."""
    copies = [product.conversations.stored[product.key(number=number)] for number in (NUMBER, OTHER_NUMBER)]
    return [one.opted_out for one in copies], stored(product).consent_to("service").state


def last_status(product: Product) -> str:
    return product.conversations.turns(product.key(number=OTHER_NUMBER))[-1].status


def test_a_stop_and_its_end_hold_at_every_number(both: Product) -> None:
    for number in (NUMBER, OTHER_NUMBER):
        both.say("Hi", number=number)
    both.clock.forward(60)
    both.say("stop")
    assert opted_out(both) == ([True, True], "withdrawn")
    both.clock.forward(60)
    both.say("Blue", number=OTHER_NUMBER)
    assert last_status(both) == "completed", "a person who writes again wants an answer"
    assert opted_out(both) == ([False, False], "granted")
    both.clock.forward(60)
    assert both.say("stop", number=OTHER_NUMBER)
    assert opted_out(both) == ([True, True], "withdrawn")


def test_what_a_person_wrote_before_a_stop_at_another_number_is_not_answered(both: Product) -> None:
    for number in (NUMBER, OTHER_NUMBER):
        both.say("Hi", number=number)
    earlier = str(int(both.clock.now))
    both.clock.forward(60)
    both.say("stop")
    message = both.message("Blue") | {"timestamp": earlier}
    both.post(both.notification(message, number=OTHER_NUMBER))
    both.run_queues()
    assert last_status(both) == "opted_out"
    assert opted_out(both) == ([True, True], "withdrawn")


def test_a_stop_holds_at_every_number_when_its_worker_dies_after_the_commit(
    both: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (NUMBER, OTHER_NUMBER):
        both.say("Hi", number=number)
    both.post(both.notification(both.message("stop")))
    item = both.queues.inbound.pop()

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(both.conversations, "update_contact", die)
        with pytest.raises(KeyboardInterrupt):
            both.take_turn(item)
    assert opted_out(both) == ([True, False], "withdrawn")
    both.take_turn(item)
    assert opted_out(both) == ([True, True], "withdrawn")


def test_a_flow_records_consent_with_its_source() -> None:
    product = Product()
    granted = {"type": "set_consent", "purpose": "marketing", "state": "granted", "source": "chat {{contact.name}}"}
    withdrawn = {"type": "set_consent", "purpose": "utility", "state": "withdrawn"}
    product.add_organization("acme", NUMBER, saving("one", granted, withdrawn))
    product.say("Hi")
    at = float(int(product.clock.now))
    assert stored(product).consent == {
        "marketing": Consent("granted", "chat Ana", at),
        "utility": Consent("withdrawn", "flow:one", at),
    }
    assert len(product.contacts.consent_history("acme", PHONE, 9)) == 2
    product.clock.forward(5)
    product.say("stop")
    assert stored(product).consent_to("marketing").state == "withdrawn"
    product.clock.forward(5)
    product.say("Hi")
    assert stored(product).consent_to("marketing") == Consent("granted", "chat Ana", at + 10), (
        "asked again, and granted"
    )


@pytest.mark.parametrize("wrong", [{"purpose": "service"}, {"state": "unknown"}, {"state": "{{x}}"}])
def test_a_flow_cannot_set_other_consent(wrong: dict[str, str]) -> None:
    action = {"type": "set_consent", "purpose": "marketing", "state": "granted"} | wrong
    product = Product()
    with pytest.raises(NotPublishableError):
        product.add_organization("acme", NUMBER, saving("one", action))


def test_a_late_stop_does_not_undo_newer_consent(product: Product) -> None:
    product.say("Hi")
    late = product.notification(product.message("stop"))
    product.clock.forward(600)
    newer = Consent("granted", "form", product.clock.now)
    product.contacts.save("acme", replace(stored(product), consent={"marketing": newer}))
    product.post(late)
    product.run_queues()
    assert stored(product).consent_to("marketing") == newer
    assert stored(product).consent_to("utility").state == "withdrawn"


def test_what_two_numbers_save_together_may_be_too_large(both: Product) -> None:
    both.say("Hi")
    both.say("Hi", number=OTHER_NUMBER)
    large = {"notes": "x" * (CONTACT_BYTES - 200)}
    both.contacts.save("acme", replace(stored(both), fields=large))
    both.publish("acme", saving("two", {"type": "save_contact", "field": "team", "value": "y" * 200}))
    both.clock.forward(86_401)
    both.say("Hi", number=OTHER_NUMBER)
    assert (stored(both).fields, stored(both).tags) == (large, ["one", "two"])
    assert both.conversations.stored[both.key(number=OTHER_NUMBER)].contact.fields["team"] == "y" * 200
    assert "contact.too_large" in both.events.types


def test_stop_is_stored_with_a_contact_of_any_size(both: Product) -> None:
    both.say("Hi")
    both.contacts.save("acme", replace(stored(both), fields={"notes": "x" * CONTACT_BYTES}))
    both.clock.forward(60)
    both.say("stop")
    assert stored(both).consent_to("marketing").state == "withdrawn"


def test_organizations_share_no_contact(product: Product) -> None:
    product.add_organization("globex", OTHER_NUMBER, ECHO_FLOW, app_secret=APP_SECRET)
    product.say("Hi", number=OTHER_NUMBER)
    assert stored(product).revision == 0
    assert product.contacts.load("globex", PHONE).revision == 1
