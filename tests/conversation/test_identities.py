"""A person is one contact, whatever Meta calls them: by phone number, by user id, before and after either changes."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.identities import sender_of, survivor
from pytake.contacts.records import new_contact
from pytake.conversation.agent_messaging import RequestIdReusedError
from pytake.conversation.erase_contact import EraseContact
from pytake.conversation.inbox import Inbox
from pytake.conversation.lake_events import LakeEvent, events_of
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.records import ConversationKey
from pytake.conversation.transcript import ReadTranscript
from pytake.whatsapp.outbound import Text
from tests import fakes
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product, text_of
from tests.fakes.lake import MemoryEventLog

ANA = "BR.77a"
ANA_AFTER = "BR.88c"
NEW_PHONE = "5511977776666"
OTHER_NUMBER = "100000000000002"


class Person:
    """Writes to the product under the identities that a test names."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self._messages = 0

    def message(self, text: str, phone: str | None, user_id: str | None, **more: Any) -> dict[str, Any]:
        self._messages += 1
        sender = {"from": phone, "from_user_id": user_id, "from_parent_user_id": more.pop("parent", None)}
        base = {"id": f"wamid.ana.{self._messages}", "timestamp": str(int(self.product.clock.now)), **sender}
        content = more or {"type": "text", "text": {"body": text}}
        return {key: value for key, value in (base | content).items() if value is not None}

    def post(self, message: dict[str, Any], number: str = NUMBER, username: str | None = None) -> None:
        profile = {"name": "Ana"} | ({"username": username} if username else {})
        ids = {"wa_id": message.get("from"), "user_id": message.get("from_user_id")}
        contact = {"profile": profile} | {key: value for key, value in ids.items() if value}
        body = self.product.notification(number=number)
        body["entry"][0]["changes"][0]["value"] |= {"contacts": [contact], "messages": [message]}
        self.product.post(body)

    def say(self, text: str, phone: str | None, user_id: str | None, number: str = NUMBER, **more: Any) -> list[str]:
        username = more.pop("username", None)
        self.post(self.message(text, phone, user_id, **more), number, username)
        before = len(self.product.graph.sent)
        self.product.run_queues()
        return [text_of(payload) for payload in self.product.graph.sent[before:]]

    def changes(self, kind: str, phone: str | None = None, **system: Any) -> None:
        self.say("", phone, None, type="system", system={"type": kind, **system})


@pytest.fixture
def product() -> Product:
    made = Product()
    made.add_organization("acme", NUMBER, ECHO_FLOW)
    made.add_organization("acme", OTHER_NUMBER, None)
    number = made.tenants.number(OTHER_NUMBER)
    number.default_flow_id = "echo"
    made.tenants.put_number(number)
    return made


@pytest.fixture
def ana(product: Product) -> Person:
    return Person(product)


def test_a_request_that_is_repeated_after_a_merge_sends_nothing_again(product: Product, ana: Person) -> None:
    desk = product.agent_messaging()
    ana.say("Oi", None, ANA)
    desk.send(ConversationKey("acme", NUMBER, ANA), Text("Bom dia"), "agent-1", "request-1")
    product.clock.forward(1)
    ana.say("Oi", PHONE, None)
    ana.say("Oi", PHONE, ANA)
    (key,) = live(product)
    assert key.contact_id == PHONE
    product.clock.forward(600)
    repeated = desk.send(key, Text("Bom dia"), "agent-1", "request-1")
    product.run_queues()
    assert [text_of(payload) for payload in product.graph.sent].count("Bom dia") == 1
    assert repeated.conversation.key == key
    with pytest.raises(RequestIdReusedError):
        desk.send(key, Text("Boa tarde"), "agent-1", "request-1")


def live(product: Product) -> list[ConversationKey]:
    return [key for key, known in product.conversations.stored.items() if known.merged_into is None]


def test_phone_then_both_then_the_user_id_alone_is_one_conversation_whose_answer_continues(
    product: Product, ana: Person
) -> None:
    ana.say("Oi", PHONE, None)
    assert ana.say("A", PHONE, ANA) == ["At least 2 letters, please."]
    assert ana.say("Ana", None, ANA) == ["Bye, Ana."]
    (key,) = live(product)
    assert key.contact_id == PHONE
    known = product.conversations.stored[key]
    assert (known.user_id, known.contact.phone, known.seq) == (ANA, f"+{PHONE}", 3)
    assert {payload.get("to") for payload in product.graph.sent} == {f"+{PHONE}"}


def test_the_user_id_first_keeps_its_contact_when_the_phone_is_shown(product: Product, ana: Person) -> None:
    ana.say("Oi", None, ANA, username="@ana.s")
    assert product.graph.sent[-1]["recipient"] == ANA
    assert ana.say("A", PHONE, ANA) == ["At least 2 letters, please."]
    assert product.graph.sent[-1]["to"] == f"+{PHONE}", "Meta advises to send to the phone number where it is known"
    assert ana.say("Ana", PHONE, None) == ["Bye, Ana."]
    (key,) = live(product)
    assert key.contact_id == ANA
    assert product.conversations.stored[key].username == "ana.s"


@pytest.mark.parametrize("writes_as", [(PHONE, ANA), (None, ANA), (PHONE, None)])
def test_a_message_of_two_known_contacts_merges_them(
    product: Product, ana: Person, writes_as: tuple[str | None, str | None]
) -> None:
    ana.say("Oi", PHONE, None)
    product.clock.forward(60)
    ana.say("Oi", None, ANA)
    ana.say("stop", None, ANA)
    assert len(live(product)) == 2
    product.clock.forward(60)
    ana.say("Ana", PHONE, ANA)
    product.clock.forward(60)
    ana.say("Oi", *writes_as)
    (key,) = live(product)
    assert key.contact_id == PHONE, "the contact that began with a phone number stays"
    merged = [record for record in product.conversations.turns(key) if record.status == "merged"]
    assert [event.data for event in merged[0].events if event.type == "contact_merged"] == [{"from": ANA, "turn": 2}]
    transcript = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    said = [(entry.text, entry.merged_from) for entry in transcript(key) if entry.speaker == "user"]
    assert said == [("Oi", None), ("Oi", ANA), ("stop", ANA), ("Ana", None), ("Oi", None)]
    audited, place = list[str](), None
    while True:
        page, place = transcript.records(key, 700, place)
        audited = [line.decode() for line in page] + audited
        if place is None:
            break
    records = [json.loads(line) for line in audited]
    places = [(record.get("merged_from"), record["seq"]) for record in records]
    assert places == [(None, 1), (ANA, 1), (ANA, 2), (ANA, 3), (None, 2), (None, 3), (None, 4)]
    assert audited == [line.decode() for line in transcript.records(key, 1_000_000)[0]], "the pages are the whole"
    left = product.conversations.stored[ConversationKey("acme", NUMBER, ANA)]
    assert (left.merged_into, left.session) == (PHONE, None)
    assert "contact.merged" in product.events.types


def test_an_opt_out_of_either_contact_holds_after_the_merge(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, None)
    ana.say("Oi", None, ANA)
    ana.say("stop", None, ANA)
    ana.say("", PHONE, ANA, type="reaction", reaction={"message_id": "x", "emoji": "👍"})
    (key,) = live(product)
    assert product.conversations.stored[key].opted_out


def test_the_session_in_which_the_person_wrote_last_continues(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, None)
    product.clock.forward(60)
    ana.say("Oi", None, ANA)
    product.clock.forward(60)
    assert ana.say("Ana", PHONE, ANA) == ["Bye, Ana."]
    closed = [event for record in product.conversations.turns(live(product)[0]) for event in record.events]
    assert [event.type for event in closed].count("session_closed") == 1


@pytest.mark.parametrize("last_as", [PHONE, ANA])
def test_each_session_is_one_in_the_lake_across_a_merge(product: Product, ana: Person, last_as: str) -> None:
    """Also the one that the merge closes. The rows from before the merge are exported before it."""
    log, rows = MemoryEventLog(product.conversations, product.deliveries), list[LakeEvent]()

    def export() -> None:
        known = {row.event_id for row in rows}
        for key, records in product.conversations.records.items():
            names = log.pseudonyms("acme", [key.contact_id], product.clock())[key.contact_id]
            found = [row for record in records.values() for row in events_of(key, record, [], names)]
            rows.extend(row for row in found if row.event_id not in known)

    for identity in (PHONE, ANA) if last_as == ANA else (ANA, PHONE):
        ana.say("Oi", *((PHONE, None) if identity == PHONE else (None, ANA)))
        product.clock.forward(60)
    export()
    assert ana.say("Ana", PHONE, ANA) == ["Bye, Ana."]
    export()
    begun = [row.session for row in rows if row.type == "session_started"]
    ended = {row.type: row.session for row in rows if row.type in ("completed", "closed")}
    assert len(begun) == 2
    assert [ended["closed"], ended["completed"]] == begun
    assert {row.session for row in rows if row.session} == set(begun)


def test_a_message_that_was_answered_before_the_merge_is_not_answered_again(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, None)
    first = ana.message("Oi", None, ANA)
    ana.post(first)
    product.run_queues()
    ana.say("Ana", PHONE, ANA)
    sent = len(product.graph.sent)
    product.queues.forget_deduplication()
    ana.post(first)
    product.run_queues()
    assert len(product.graph.sent) == sent


def test_the_answer_of_a_merged_conversation_is_queued_when_its_worker_died(
    product: Product, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.say("Oi", PHONE, None)
    ana.post(ana.message("Oi", None, ANA))
    item = product.queues.inbound.pop()
    with monkeypatch.context() as patch:
        patch.setattr(product.queues, "put_outbound", lambda _: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            product.take_turn(item)
    ana.say("Ana", PHONE, ANA)
    sent = len(product.graph.sent)
    product.take_turn(item)
    product.run_queues()
    assert len(product.graph.sent) == sent + 1
    assert product.graph.sent[-1]["recipient"] == ANA


def test_the_stored_contact_has_the_identities_and_is_merged_with_its_consent(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, None)
    ana.say("Oi", PHONE, None, OTHER_NUMBER)
    ana.say("Oi", None, ANA, username="ana.s")
    ana.say("stop", None, ANA)
    ana.say("", PHONE, ANA, type="reaction", reaction={"message_id": "x", "emoji": "👍"})
    stored = product.contacts.load("acme", PHONE)
    assert (stored.phone, stored.user_id, stored.username) == (f"+{PHONE}", ANA, "ana.s")
    assert stored.opted_out
    assert [place.contact_id for place in product.contacts.listed("acme")] == [PHONE]
    assert all(product.conversations.stored[key].opted_out for key in live(product)), "at every number"
    ana.changes("user_changed_user_id", PHONE, wa_id=NEW_PHONE, user_id=ANA_AFTER)
    stored = product.contacts.load("acme", PHONE)
    assert (stored.phone, stored.user_id) == (f"+{NEW_PHONE}", ANA_AFTER)
    ana.say("Oi", None, ANA_AFTER, OTHER_NUMBER)
    assert product.graph.sent[-1]["to"] == f"+{NEW_PHONE}"


def test_a_stored_contact_who_never_wrote_is_found_by_the_first_message(product: Product, ana: Person) -> None:
    """A program stored the contact by phone number; the person had already written without showing it."""
    product.contacts.save("acme", replace(new_contact(PHONE), tags=["vip"]))
    ana.say("Oi", None, ANA)
    ana.say("Ana", PHONE, ANA)
    (key,) = live(product)
    assert (key.contact_id, product.conversations.stored[key].contact.tags) == (PHONE, ["vip"])


def test_contacts_are_merged_at_every_number(product: Product, ana: Person) -> None:
    for number in (NUMBER, OTHER_NUMBER):
        ana.say("Oi", PHONE, None, number)
        ana.say("Oi", None, ANA, number)
    ana.say("Oi", PHONE, ANA)
    assert sorted(live(product)) == [ConversationKey("acme", number, PHONE) for number in (NUMBER, OTHER_NUMBER)]


def test_a_merge_whose_worker_died_is_finished_with_the_message_that_caused_it(
    product: Product, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (NUMBER, OTHER_NUMBER):
        ana.say("Oi", PHONE, None, number)
        ana.say("Oi", None, ANA, number)
    ana.post(ana.message("Ana", PHONE, ANA))
    item = product.queues.inbound.pop()
    with monkeypatch.context() as patch:
        patch.setattr(product.conversations, "merge", lambda *_: (_ for _ in ()).throw(ConnectionError))
        with pytest.raises(ConnectionError):
            product.take_turn(item)
    assert len(live(product)) == 4
    product.take_turn(item)
    assert len(live(product)) == 2
    assert product.conversations.aliases.stored["acme", PHONE].merging == frozenset()


def test_contacts_of_a_merge_are_never_merged_the_other_way_round(product: Product, ana: Person) -> None:
    aliases = product.conversations.aliases
    aliases.merge("acme", PHONE, ANA)
    with pytest.raises(ConflictError):
        aliases.merge("acme", "5511900000000", ANA)
    with pytest.raises(ConflictError):
        aliases.merge("acme", ANA, "5511900000000")


@pytest.mark.parametrize("known_by", ["previous_user_id", "body", "phone"])
def test_a_changed_user_id_keeps_the_conversation(product: Product, ana: Person, known_by: str) -> None:
    ana.say("Oi", PHONE, ANA)
    system = {
        "previous_user_id": {"previous_user_id": ANA},
        "body": {"body": f"User Ana changed from {ANA} to {ANA_AFTER}"},
        "phone": {},
    }[known_by]
    ana.changes("user_changed_user_id", PHONE if known_by == "phone" else None, user_id=ANA_AFTER, **system)
    assert ana.say("Ana", None, ANA_AFTER) == ["Bye, Ana."]
    assert len(live(product)) == 1


def test_a_changed_number_keeps_the_conversation_and_the_answers_go_to_the_new_one(
    product: Product, ana: Person
) -> None:
    ana.say("Oi", PHONE, ANA)
    ana.changes("user_changed_number", PHONE, wa_id=NEW_PHONE, user_id=ANA_AFTER)
    assert ana.say("Ana", NEW_PHONE, ANA_AFTER) == ["Bye, Ana."]
    assert product.graph.sent[-1]["to"] == f"+{NEW_PHONE}"
    assert len(live(product)) == 1


def test_the_field_user_id_update_keeps_the_conversation(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, ANA)
    body = product.notification()
    change = body["entry"][0]["changes"][0]
    change["field"] = "user_id_update"
    ids = {"previous": ANA, "current": ANA_AFTER}
    change["value"] |= {"user_id_update": [{"wa_id": NEW_PHONE, "user_id": ids, "timestamp": "1796000001"}]}
    for _ in range(2):  # Meta repeats a post that was not answered
        product.post(body)
        product.run_queues()
    assert product.conversations.stored[live(product)[0]].seq == 2
    assert ana.say("Ana", NEW_PHONE, ANA_AFTER) == ["Bye, Ana."]
    assert len(live(product)) == 1


@pytest.mark.parametrize("first", ["message", "event"])
def test_a_message_under_new_ids_and_the_event_that_explains_them_come_in_any_order(
    product: Product, ana: Person, first: str
) -> None:
    ana.say("Oi", PHONE, ANA)
    if first == "message":
        ana.say("Oi", NEW_PHONE, ANA_AFTER)
    ana.changes("user_changed_user_id", PHONE, wa_id=NEW_PHONE, user_id=ANA_AFTER, previous_user_id=ANA)
    ana.say("Ana", NEW_PHONE, ANA_AFTER)
    assert len(live(product)) == 1


def test_the_next_owner_of_a_phone_number_is_another_person(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, ANA)
    ana.changes("user_changed_number", PHONE, wa_id=NEW_PHONE, user_id=ANA_AFTER)
    assert ana.say("Oi", PHONE, "BR.bia") == ["Hello!\n\nWhat is your name?"]
    assert ana.say("Bia", PHONE, "BR.bia") == ["Bye, Bia."]
    assert ana.say("Ana", NEW_PHONE, ANA_AFTER) == ["Bye, Ana."]
    assert {key.contact_id for key in live(product)} == {PHONE, "BR.bia"}


def test_a_late_message_from_before_a_change_goes_to_the_person_and_changes_nothing(
    product: Product, ana: Person
) -> None:
    ana.say("Oi", PHONE, ANA)
    ana.changes("user_changed_number", PHONE, wa_id=NEW_PHONE, user_id=ANA_AFTER)
    assert ana.say("Ana", PHONE, ANA) == ["Bye, Ana."]
    assert product.graph.sent[-1]["to"] == f"+{NEW_PHONE}"
    assert product.conversations.stored[live(product)[0]].user_id == ANA_AFTER


@pytest.mark.parametrize(
    ("one", "other"),
    [("5511999999999", "551199999999"), ("5491123456789", "541123456789"), ("5215512345678", "525512345678")],
    ids=["Brazil", "Argentina", "Mexico"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_other_spelling_of_a_number_is_the_same_person(
    product: Product, ana: Person, one: str, other: str, turned: bool
) -> None:
    first, second = (other, one) if turned else (one, other)
    ana.say("Oi", first, None)
    assert ana.say("Ana", second, None) == ["Bye, Ana."]
    assert product.graph.sent[-1]["to"] == f"+{second}", "a reply goes to exactly the id that wrote"
    assert {key.contact_id for key in live(product)} == {first}


def test_the_parent_id_leads_to_the_contact(product: Product, ana: Person) -> None:
    ana.say("Oi", None, ANA, parent="BR.ENT.9b")
    assert ana.say("Ana", None, "BR.other", parent="BR.ENT.9b") == ["Bye, Ana."]


@pytest.mark.parametrize(("origin", "linked"), [("contact_request", True), ("other", False), (None, False)])
def test_only_the_answer_to_a_request_links_the_phone(
    product: Product, ana: Person, origin: str | None, linked: bool
) -> None:
    ana.say("Oi", PHONE, None)
    ana.say("Oi", None, ANA)
    card = {"phones": [{"phone": f"+{PHONE}", "wa_id": PHONE}], "name": {"formatted_name": "Ana"}}
    ana.say("", None, ANA, type="contacts", contacts=[card], origin=origin)
    assert len(live(product)) == (1 if linked else 2)


def test_a_flow_asks_for_the_phone_number_and_the_answer_links_it(product: Product, ana: Person) -> None:
    ask = {"id": "ask", "type": "message", "data": {"text": "Your number?", "contact_request": True}}
    start = {"id": "start", "type": "start", "data": {"next_node_id": "ask"}}
    product.publish("acme", ECHO_FLOW | {"nodes": [start, ask]})
    ana.say("Oi", None, ANA)
    asked = product.graph.sent[-1]
    assert (asked["recipient"], asked["interactive"]["type"]) == (ANA, "request_contact_info")
    card = {"phones": [{"phone": f"+{PHONE}", "wa_id": PHONE}]}
    ana.say("", None, ANA, type="contacts", contacts=[card], origin="contact_request")
    assert product.contacts.load("acme", ANA).phone == f"+{PHONE}"
    assert product.graph.sent[-1]["to"] == f"+{PHONE}"


def test_a_known_phone_costs_no_look_up(product: Product, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ana.say("Oi", PHONE, ANA)
    asked: list[Any] = []
    find = product.conversations.aliases.find
    monkeypatch.setattr(
        product.conversations.aliases, "find", lambda *args, **named: asked.append(args) or find(*args, **named)
    )
    ana.say("A", PHONE, ANA)
    assert asked == []
    ana.say("A", None, ANA)
    assert len(asked) == 1


def test_messages_of_one_person_share_a_queue_group_whether_the_phone_is_shown_or_not(
    product: Product, ana: Person
) -> None:
    ana.post(ana.message("Oi", PHONE, ANA))
    ana.post(ana.message("Ana", None, ANA))
    first, second = product.queues.inbound
    assert first.group == second.group


def test_the_end_of_a_session_is_in_order_with_the_messages(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, ANA)
    product.clock.forward(25 * 3600)
    product.fire_due_timers()
    (item,) = product.queues.inbound
    assert item.group == ConversationKey("acme", NUMBER, ANA)
    product.run_queues()
    assert product.conversations.stored[live(product)[0]].session is None


@pytest.mark.parametrize("named", [f"+{PHONE}", "551199999999", ANA, ANA_AFTER, NEW_PHONE, "BR.ENT.9b"])
def test_any_identity_finds_the_conversation_and_erases_all_of_the_person(
    product: Product, ana: Person, named: str
) -> None:
    ana.say("Oi", None, ANA, OTHER_NUMBER, parent="BR.ENT.9b")
    ana.say("Oi", PHONE, None)
    ana.say("Oi", PHONE, ANA)
    ana.changes("user_changed_user_id", PHONE, wa_id=NEW_PHONE, user_id=ANA_AFTER)
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    found = inbox.find("acme", named)
    assert found is not None
    assert found.key.contact_id == PHONE
    late = ana.message("Oi", None, ANA)
    product.clock.forward(60)
    ports = product.conversations, product.deliveries, product.held_turns
    journal = fakes.MemoryErasureJournal()
    erasure, imports = fakes.MemoryErasure(*ports), fakes.MemoryImports()
    EraseContact(inbox, erasure, journal, imports, product.events, product.clock)("acme", named, "tester")
    stored = (product.conversations.stored, product.conversations.records, product.conversations.aliases.stored)
    assert stored == ({}, {}, {})
    ana.post(late)
    assert product.run_queues() == [], "what the person wrote before takes no turn, whatever it calls them"


def test_a_merged_conversation_is_in_no_list(product: Product, ana: Person) -> None:
    ana.say("Oi", PHONE, None)
    ana.say("Oi", None, ANA)
    ana.say("Oi", PHONE, ANA)
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    assert [one.key.contact_id for one in inbox.page("acme", 10).conversations] == [PHONE]


def test_unknown_system_messages_name_only_their_sender() -> None:
    sender = sender_of(PHONE, ANA, None, None, {"system": {"type": "tomorrow", "wa_id": NEW_PHONE, "user_id": "BR.x"}})
    assert sender.ids == (PHONE, ANA)


def test_the_rule_does_not_depend_on_the_order() -> None:
    assert survivor(ANA, PHONE) == survivor(PHONE, ANA) == (PHONE, ANA)
    assert survivor("BR.b", "BR.a") == survivor("BR.a", "BR.b") == ("BR.a", "BR.b")
