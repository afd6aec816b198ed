"""One number in the phone app and here: what staff write there, and what the app shares of the time before."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.conversation.account_watch import WatchAccount
from pytake.conversation.agent_messaging import AgentMessaging, WindowClosedError
from pytake.conversation.lake_events import Pseudonyms, events_of
from pytake.conversation.recorded_erasures import erasure_digest
from pytake.conversation.records import Conversation, ConversationKey, TurnRecord
from pytake.conversation.retry_later import RetryLaterError
from pytake.conversation.transcript import ReadTranscript, TranscriptEntry
from pytake.engine import State
from pytake.whatsapp.outbound import Text
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product, text_of

PAYLOADS = Path(__file__).parents[1] / "whatsapp" / "payloads"
ANA, HIDDEN = "5511987654321", "BR.77a"
BUSINESS = "551140000001"
TTL = 24 * 3600


def fixture(name: str) -> dict[str, Any]:
    """A payload of Meta for the number of these tests."""
    body: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    value = body["entry"][0]["changes"][0]["value"]
    value["metadata"]["phone_number_id"] = NUMBER
    return body


def change(field: str, **value: Any) -> dict[str, Any]:
    metadata = {"phone_number_id": NUMBER, "display_phone_number": BUSINESS}
    entry = {"id": "waba", "changes": [{"field": field, "value": {"metadata": metadata, **value}}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def echo(product: Product, text: str = "Staff here.", *, at: float | None = None, id_: str = "wamid.E") -> None:
    """Staff write to the person in the phone app."""
    sent_at = str(int(product.clock.now if at is None else at))
    message = {"from": BUSINESS, "to": PHONE, "id": id_, "timestamp": sent_at, "type": "text", "text": {"body": text}}
    product.post(change("smb_message_echoes", message_echoes=[message]))
    product.run_queues()


def known(product: Product, contact_id: str = PHONE) -> Conversation:
    conversation = product.conversations.load(product.key(contact_id))
    assert conversation is not None
    return conversation


def transcript(product: Product, contact_id: str = PHONE) -> list[TranscriptEntry]:
    read = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    return read(product.key(contact_id))


def spoken(product: Product, contact_id: str = PHONE) -> list[tuple[str, str | None, str]]:
    return [(said.speaker, said.author, said.text) for said in transcript(product, contact_id)]


def last_turn(product: Product) -> TurnRecord:
    return product.conversations.turns(product.key())[-1]


# Echoes.


def test_an_echo_is_in_the_transcript_and_silences_the_bot(product: Product) -> None:
    product.say("Hi")
    echo(product)
    assert product.say("Thanks!") == []
    assert spoken(product)[-2:] == [("agent", "phone_app", "Staff here."), ("user", None, "Thanks!")]
    session = known(product).session
    assert session is not None
    assert (session.human, session.timer_at) == (True, None)
    assert len(product.graph.sent) == 1, "the echo is not sent again"


def test_the_payload_of_an_echo_reaches_the_conversation_of_its_recipient(product: Product) -> None:
    product.post(fixture("smb_message_echoes"))
    product.post(fixture("smb_message_echoes_hidden_number"))
    product.run_queues()
    assert spoken(product, ANA) == [("agent", "phone_app", "do celular da loja"), ("agent", "phone_app", "o pedido")]
    assert known(product, ANA).contact.name == "João Silva"
    assert transcript(product, ANA)[1].type == "image", "the same person, whose number Meta did not tell"
    assert not [event for event in product.events.events if event.type == "webhook.account_update"]


def test_an_echo_twice_is_one_turn(product: Product) -> None:
    product.say("Hi")
    echo(product)
    product.queues.forget_deduplication()
    echo(product)
    assert [entry.author for entry in transcript(product)].count("phone_app") == 1


def test_an_echo_neither_opens_nor_extends_the_window(product: Product, desk: AgentMessaging) -> None:
    echo(product)
    assert known(product).last_inbound_at == 0
    product.say("Hi")
    wrote_at = known(product).last_inbound_at
    product.clock.forward(TTL - 1)
    echo(product, id_="wamid.E2")
    assert known(product).last_inbound_at == wrote_at
    product.clock.forward(1)
    with pytest.raises(WindowClosedError):
        desk.send(product.key(), Text("Still there?"), "bia", "r1")


def test_staff_may_write_first_and_the_answer_waits_for_them(product: Product) -> None:
    echo(product, "Your order is ready.")
    assert product.say("Great") == []
    assert [entry.speaker for entry in transcript(product)] == ["agent", "user"]


def test_the_bot_continues_when_an_agent_hands_back(product: Product, desk: AgentMessaging) -> None:
    product.say("Hi")
    echo(product)
    desk.resume(product.key(), "bia")
    assert product.say("Ana") == ["Bye, Ana."]


def test_the_bot_answers_again_after_the_silence_of_a_session(product: Product) -> None:
    product.say("Hi")
    echo(product)
    product.clock.forward(TTL)
    assert product.say("Hi again") == ["Hello!\n\nWhat is your name?"]


def test_an_old_echo_that_meta_delivers_late_silences_nobody(product: Product) -> None:
    product.say("Hi")
    product.clock.forward(2 * TTL)
    echo(product, at=product.clock.now - TTL)
    assert product.say("Hi again") == ["Hello!\n\nWhat is your name?"]
    assert ("agent", "phone_app", "Staff here.") in spoken(product)


def test_an_echo_to_an_agents_conversation_keeps_it_with_the_agents(product: Product, desk: AgentMessaging) -> None:
    product.say("Hi")
    desk.send(product.key(), Text("Bia here."), "bia", "r1")
    echo(product)
    record = last_turn(product)
    assert [event.type for event in record.events] == ["agent_message"]
    assert product.say("Hm") == []
    assert spoken(product)[-3:-1] == [("agent", "bia", "Bia here."), ("agent", "phone_app", "Staff here.")]


def test_an_echo_counts_in_the_lake_as_an_agents_message_that_costs_nothing(product: Product) -> None:
    product.say("Hi")
    echo(product)
    rows = events_of(product.key(), last_turn(product), [], Pseudonyms(b"key", PHONE))
    assert [(row.type, row.code, row.billable, row.kind) for row in rows] == [
        ("message_out", "agent", False, "text"),
        ("handed_off", "agent", None, None),
    ]


def test_an_echo_to_an_erased_person_is_dropped(product: Product) -> None:
    product.conversations.erased[erasure_digest(product.key())] = product.clock.now + 60
    product.clock.forward(120)
    echo(product, at=product.clock.now - 100)
    assert product.conversations.load(product.key()) is None


def test_an_echo_to_a_person_who_opted_out_at_another_number_does_not_opt_them_in(product: Product) -> None:
    other = "100000000000002"
    product.add_organization("acme", other, ECHO_FLOW)
    product.say("stop", number=other)
    echo(product)
    assert known(product).opted_out
    assert product.contacts.load("acme", PHONE).opted_out
    assert product.say("I am back") == []
    assert not product.contacts.load("acme", PHONE).opted_out


@pytest.mark.parametrize("broken", [1, None, "x", {"id": "wamid.1"}, {"to": PHONE}, {"id": 3, "to": [], "type": {}}])
def test_a_malformed_echo_affects_no_other(product: Product, broken: Any) -> None:
    good = {"to": PHONE, "id": "wamid.GOOD", "type": "text", "text": {"body": "ok"}, "timestamp": "1769999999"}
    product.post(change("smb_message_echoes", message_echoes=[broken, good], contacts="x"))
    product.run_queues()
    assert [entry.text for entry in transcript(product)] == ["ok"]


# Edits and revocations.


def person(product: Product, kind: str, original: str, **more: Any) -> None:
    product.say("", type=kind, **{kind: {"original_message_id": original, **more}})


def test_an_edit_is_shown_beside_the_original(product: Product) -> None:
    product.say("Anna", id_="wamid.1")
    person(product, "edit", "wamid.1", message={"type": "text", "text": {"body": "Ana"}})
    said = [(entry.type, entry.text) for entry in transcript(product) if entry.speaker == "user"]
    assert said == [("text", "Anna"), ("edit", "Ana")]
    assert len(product.graph.sent) == 1, "an edit takes no turn of the flow"


def test_a_revoked_message_is_shown_without_its_text_and_so_are_its_edits(product: Product) -> None:
    product.say("my secret", id_="wamid.1")
    person(product, "edit", "wamid.1", message={"type": "text", "text": {"body": "my other secret"}})
    person(product, "revoke", "wamid.1")
    said = [(entry.type, entry.text, entry.revoked) for entry in transcript(product) if entry.speaker == "user"]
    assert said == [("text", "", True), ("edit", "", True), ("revoke", "", False)]
    read = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    assert not [line for line in read.records(product.key(), 10_000_000)[0] if b"secret" in line]


def test_a_revoked_echo_is_shown_without_its_text(product: Product) -> None:
    echo(product, "wrong person", id_="wamid.E1")
    revoke = {"to": PHONE, "id": "wamid.E2", "timestamp": str(int(product.clock.now)), "type": "revoke"}
    revoke["revoke"] = {"original_message_id": "wamid.E1"}  # type: ignore[assignment]
    product.post(change("smb_message_echoes", message_echoes=[revoke]))
    product.run_queues()
    assert [(entry.type, entry.text, entry.revoked) for entry in transcript(product)] == [
        ("text", "", True),
        ("revoke", "", False),
    ]


def test_a_revoked_answer_is_forgotten_by_the_flow() -> None:
    product = Product()
    ask = {"question": "City?", "variable": "city", "next_node_id": "more"}
    more = {"question": "More, {{city}}?", "variable": "more", "next_node_id": "ask"}
    nodes = [{"id": "ask", "type": "question", "data": ask}, {"id": "more", "type": "question", "data": more}]
    product.add_organization("acme", NUMBER, ECHO_FLOW | {"start_node_id": "ask", "nodes": nodes})
    product.say("Hi")
    product.say("Recife", id_="wamid.CITY")
    session = known(product).session
    assert session is not None
    assert session.state is not None
    pair = [{"prompt": "Where? Recife", "answer": "Nice."}, {"prompt": "x", "answer": "y"}]
    state = State.decode(session.state)
    state.variables |= {"memory": pair, "list": ["Recife", "Olinda"], "kept": "Recife and more"}
    session.state = state.encode()
    product.conversations.stored[product.key()].session = session
    person(product, "revoke", "wamid.CITY")
    after = known(product).session
    assert after is not None
    assert after.state is not None
    assert State.decode(after.state).variables == {
        "memory": [{"prompt": "x", "answer": "y"}],
        "list": ["Olinda"],
        "kept": "Recife and more",
    }
    assert product.say("ok") == ["City?"]


@pytest.mark.parametrize("original", ["wamid.UNKNOWN", "", 3, None])
def test_a_revocation_of_something_unknown_changes_nothing(product: Product, original: Any) -> None:
    product.say("Hi", id_="wamid.1")
    person(product, "revoke", original)
    assert product.say("Ana") == ["Bye, Ana."]
    assert [entry.revoked for entry in transcript(product)] == [False] * 5


# History.


def at_time_of_the_history(product: Product) -> None:
    product.clock.now = 1_794_000_100.0


def test_history_is_in_the_transcript_with_its_times_and_does_nothing_else(product: Product) -> None:
    at_time_of_the_history(product)
    product.post(fixture("history"))
    product.run_queues()
    assert [(e.speaker, e.author, e.type, e.text, e.timestamp, e.delivery) for e in transcript(product, ANA)] == [
        ("user", None, "text", "Vocês abrem hoje?", 1_793_900_000.0, None),
        ("agent", "phone_app", "text", "Até as 18h.", 1_793_900_060.0, "delivered"),
        ("user", None, "media_placeholder", "", 1_793_900_120.0, None),
    ]
    assert [entry.text for entry in transcript(product, "BR.88c")] == ["Oi"]
    conversation = known(product, ANA)
    assert (conversation.session, conversation.last_inbound_at, conversation.active_at) == (None, 0, 1_793_900_120.0)
    assert (product.graph.sent, product.receipts.marked, product.bus.told) == ([], [], [])
    records = product.conversations.turns(product.key(ANA))
    assert [
        row for record in records for row in events_of(product.key(ANA), record, [], Pseudonyms(b"key", PHONE))
    ] == []


def test_repeated_chunks_change_nothing_and_media_replace_their_placeholders_in_any_order(product: Product) -> None:
    at_time_of_the_history(product)
    for name in ("history_media", "history_media_of_business", "history", "history_media", "history"):
        product.queues.forget_deduplication()
        product.post(fixture(name))
        product.run_queues()
    assert [(entry.type, entry.text) for entry in transcript(product, ANA)] == [
        ("text", "Vocês abrem hoje?"),
        ("text", "Até as 18h."),
        ("image", "a fachada"),
        ("document", ""),
    ]
    assert len(product.conversations.turns(product.key(ANA))) == 1


def test_history_stands_between_the_messages_by_its_times_and_not_twice(product: Product) -> None:
    product.say("Hi", id_="wamid.LIVE")
    product.clock.forward(60)
    early, late = str(int(product.clock.now) - 3600), str(int(product.clock.now) - 30)
    texts = [("wamid.H1", early, "early"), ("wamid.LIVE", late, "Hi"), ("wamid.H2", late, "late")]
    raws = [
        {"id": id_, "from": PHONE, "timestamp": at, "type": "text", "text": {"body": text}} for id_, at, text in texts
    ]
    product.post(change("history", history=[{"threads": [{"id": PHONE, "messages": raws}]}]))
    product.run_queues()
    product.say("Ana")
    assert [entry.text for entry in transcript(product) if entry.speaker == "user"] == ["early", "Hi", "late", "Ana"]
    assert product.say("again") == ["Hello!\n\nWhat is your name?"], "the flow went on"


def test_thousands_of_messages_of_one_post_are_split_over_items(product: Product) -> None:
    at = int(product.clock.now) - 100
    messages = [
        {"id": f"wamid.{n}", "from": PHONE, "timestamp": str(at), "type": "text", "text": {"body": "x" * (n % 1500)}}
        for n in range(3000)
    ]
    threads = [{"id": PHONE, "messages": messages[:2500]}, {"id": ANA, "messages": messages[2500:]}]
    product.post(change("history", history=[{"threads": threads}]))
    items = list(product.queues.inbound)
    assert len(items) >= 30
    assert max(len(json.dumps(item.message)) for item in items) < 300_000
    product.run_queues()
    assert (len(transcript(product)), len(transcript(product, ANA))) == (2500, 500)
    assert len(product.conversations.turns(product.key())) == 1


def test_history_of_an_erased_person_is_not_imported_again(product: Product) -> None:
    at_time_of_the_history(product)
    product.post(fixture("history"))
    items = list(product.queues.inbound)
    product.run_queues()
    key = ConversationKey("acme", NUMBER, ANA)
    product.conversations.stored.pop(key)
    product.conversations.records.pop(key)
    product.history.kept.pop(key)
    product.conversations.erased[erasure_digest(key)] = product.clock.now
    for item in items:
        assert product.take_turn(item) is None or item.contact_id != ANA
        product.import_history(item)
    assert product.history.of_conversation(key) == []
    assert product.conversations.load(key) is None


def test_a_refused_history_is_reported_to_the_operator(product: Product) -> None:
    product.post(fixture("history_refused"))
    [event] = product.events.events
    assert (event.type, event.organization_id) == ("history.refused", "acme")
    assert event.detail == {"phone_number_id": NUMBER, "code": "2593109"}
    assert product.queues.inbound == []


@pytest.mark.parametrize(
    "value",
    [
        {"history": 1},
        {"history": [1, {"threads": 1}, {"threads": [1, {"messages": 3}]}, {"errors": [1, {"code": "x"}]}]},
        {
            "history": [
                {"threads": [{"messages": [{"id": 1.5}, {"from": PHONE}, {"id": "wamid.1"}, {"id": "a", "to": []}]}]}
            ]
        },
        {"messages": [1, {}], "message_echoes": {}},
    ],
)
def test_malformed_history_is_a_problem_and_no_failure(product: Product, value: dict[str, Any]) -> None:
    product.post(change("history", **value))
    product.run_queues()
    assert {event.type for event in product.events.events} <= {"webhook.malformed_part"}
    assert product.history.kept == {}


# The number.


def test_a_coexisting_number_sends_twenty_messages_a_second() -> None:
    product = Product()
    product.add_organization("acme", NUMBER, ECHO_FLOW, coexists=True, messages_per_second=80)
    product.deliver._messages_per_minute = 6000
    sent_at_once = 0
    for person_ in range(40):
        product.post(product.notification(product.message("Hi", phone=f"55119999{person_:05d}")))
        product.take_turn(product.queues.inbound.pop())
        try:
            product.deliver(product.queues.outbound.pop(), first_delivery=True)
            sent_at_once += 1
        except RetryLaterError:
            pass
    assert 0 < sent_at_once <= 20


def test_history_and_echoes_reach_the_conversation_by_any_identity(product: Product) -> None:
    message = {**product.message("Hi"), "from_user_id": HIDDEN}
    product.post(product.notification(message))
    product.run_queues()
    at = str(int(product.clock.now) - 60)
    raw = {"id": "wamid.H1", "from_user_id": HIDDEN, "timestamp": at, "type": "text", "text": {"body": "earlier"}}
    thread = {"context": {"user_id": HIDDEN}, "messages": [raw]}
    product.post(change("history", history=[{"threads": [thread]}]))
    staff = {"id": "wamid.E1", "to_user_id": HIDDEN, "timestamp": at, "type": "text", "text": {"body": "staff"}}
    product.post(change("smb_message_echoes", message_echoes=[staff]))
    product.run_queues()
    assert [entry.text for entry in transcript(product)] == ["earlier", "Hi", "Hello!\n\nWhat is your name?", "staff"]


# The contacts of the app.


def synced(product: Product, name: str, *, at: float | None = None, action: str = "add", phone: str = PHONE) -> None:
    timestamp = str(int(product.clock.now if at is None else at))
    about = {"full_name": name, "first_name": name.split()[0], "phone_number": phone}
    entry = {"type": "contact", "contact": about, "action": action, "metadata": {"timestamp": timestamp}}
    product.queues.forget_deduplication()
    product.post(change("smb_app_state_sync", state_sync=[entry]))
    product.run_queues()


def test_the_contacts_of_the_app_exist_without_having_written(product: Product) -> None:
    at_time_of_the_history(product)
    product.post(fixture("smb_app_state_sync"))
    product.run_queues()
    contact = product.contacts.load("acme", ANA)
    assert (contact.revision, contact.name, contact.phone, contact.username) == (1, "Ana S.", f"+{ANA}", "ana.s")
    assert contact.created_at == product.clock.now
    assert (contact.numbers, contact.consent) == ([], {})
    assert product.contacts.load("acme", "5511955554444").revision == 0, "a removal adds nobody"
    assert product.conversations.load(product.key(ANA)) is None
    assert product.graph.sent == []


def test_repeated_and_older_changes_of_the_address_book_change_nothing(product: Product) -> None:
    synced(product, "Ana S.")
    synced(product, "Ana S.")
    synced(product, "Ana", at=product.clock.now - 60)
    synced(product, "Ana", action="remove")
    contact = product.contacts.load("acme", PHONE)
    assert (contact.name, contact.revision) == ("Ana S.", 1)
    synced(product, "Ana Souza", at=product.clock.now + 0)
    assert product.contacts.load("acme", PHONE).name == "Ana S.", "the same second: the first one holds"
    product.clock.forward(1)
    synced(product, "Ana Souza")
    assert product.contacts.load("acme", PHONE).name == "Ana Souza"


def test_a_name_that_a_flow_saved_stays(product: Product) -> None:
    product.say("Hi")
    stored = product.contacts.load("acme", PHONE)
    product.contacts.save("acme", replace(stored, name="Dr. Ana", fields={"name": "Dr. Ana"}))
    synced(product, "Ana S.")
    assert product.contacts.load("acme", PHONE).name == "Dr. Ana"


def test_a_contact_of_the_app_who_writes_keeps_the_name_and_starts_the_flow(product: Product) -> None:
    synced(product, "Ana Souza")
    assert product.say("Hi") == ["Hello!\n\nWhat is your name?"]
    assert product.contacts.load("acme", PHONE).numbers == [NUMBER]


def test_an_erased_contact_does_not_come_back_by_an_older_change(product: Product) -> None:
    product.conversations.erased[erasure_digest(product.key())] = product.clock.now + 60
    product.clock.forward(120)
    synced(product, "Ana S.", at=product.clock.now - 100)
    assert product.contacts.load("acme", PHONE).revision == 0


@pytest.mark.parametrize(
    "entry", [1, {}, {"contact": 1}, {"contact": {"phone_number": 5}, "action": []}, {"action": "add"}]
)
def test_a_malformed_change_of_the_address_book_is_a_problem_and_no_failure(product: Product, entry: Any) -> None:
    product.post(change("smb_app_state_sync", state_sync=[entry]))
    product.run_queues()
    assert {event.type for event in product.events.events} <= {"webhook.malformed_part"}


# Events of the account.

WABA, OTHER_NUMBER = "102290129340398", "100000000000002"


@pytest.fixture
def account() -> Product:
    """A product with a number in the phone app and one that is not, both of one account."""
    product = Product()
    product.add_organization("acme", NUMBER, ECHO_FLOW, waba_id=WABA, coexists=True)
    product.add_organization("acme", OTHER_NUMBER, None, waba_id=WABA)
    product.tenants.by_id[NUMBER].display_phone_number = "+55 11 4000-0001"
    product.tenants.by_id[OTHER_NUMBER].display_phone_number = "+55 11 4000-0002"
    return product


def reported(product: Product, name: str) -> int:
    body: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    body["entry"][0]["time"] = int(product.clock.now)
    product.post(body)
    watch = WatchAccount(product.tenants, product.events, product.clock)
    stopped = sum(watch(item) for item in product.queues.statuses)
    product.queues.statuses.clear()
    return stopped


def stops(product: Product) -> dict[str, str | None]:
    return {id_: number.stopped_reason for id_, number in product.tenants.by_id.items()}


@pytest.mark.parametrize(
    ("name", "app_number", "other_number"),
    [
        ("account_offboarded", "account:ACCOUNT_OFFBOARDED", None),
        ("account_partner_removed", "account:PARTNER_REMOVED", None),
        ("account_deleted", "account:ACCOUNT_DELETED", "account:ACCOUNT_DELETED"),
        ("account_app_uninstalled", "account:PARTNER_APP_UNINSTALLED", "account:PARTNER_APP_UNINSTALLED"),
        ("account_disabled", "account:DISABLED_UPDATE", "account:DISABLED_UPDATE"),
        ("account_partner_added", None, None),
        ("account_violation", None, None),
        ("account_reconnected", None, None),
        ("account_reinstated", None, None),
        ("account_update", None, None),
    ],
)
def test_an_event_of_the_account_stops_the_numbers_that_it_is_about(
    account: Product, name: str, app_number: str | None, other_number: str | None
) -> None:
    stopped = reported(account, name)
    assert stops(account) == {NUMBER: app_number, OTHER_NUMBER: other_number}
    assert stopped == sum(reason is not None for reason in stops(account).values())
    told = [event for event in account.events.events if event.type == "number.stopped"]
    assert [(event.organization_id, event.detail["reason"]) for event in told] == [
        ("acme", reason) for reason in (app_number, other_number) if reason
    ]


def test_the_end_of_coexistence_without_a_number_is_about_those_in_the_app(account: Product) -> None:
    body = json.loads((PAYLOADS / "account_offboarded.json").read_bytes())
    del body["entry"][0]["changes"][0]["value"]["phone_number"]
    account.post(body)
    WatchAccount(account.tenants, account.events, account.clock)(account.queues.statuses[0])
    assert stops(account) == {NUMBER: "account:ACCOUNT_OFFBOARDED", OTHER_NUMBER: None}


def test_a_lost_number_holds_its_messages_until_it_is_resumed(account: Product) -> None:
    reported(account, "account_offboarded")
    account.tenants.confirm_stop(account.tenants.by_id[NUMBER], account.clock.now)
    account.clock.forward(60)
    assert account.say("Hi") == []
    assert reported(account, "account_reconnected") == 0
    [event] = [event for event in account.events.events if event.type == "number.reconnected"]
    assert event.detail == {
        "phone_number_id": NUMBER,
        "event": "ACCOUNT_RECONNECTED",
        "stopped_reason": "account:ACCOUNT_OFFBOARDED",
    }
    account.resume("acme", NUMBER)
    account.run_queues()
    assert [text_of(payload) for payload in account.graph.sent] == ["Hello!\n\nWhat is your name?"]


def test_a_repeated_or_old_event_does_not_stop_a_number_again(account: Product) -> None:
    assert reported(account, "account_offboarded") == 1
    assert reported(account, "account_offboarded") == 0
    account.tenants.begin_resuming(account.tenants.by_id[NUMBER], account.clock.now)
    body = json.loads((PAYLOADS / "account_offboarded.json").read_bytes())
    body["entry"][0]["time"] = int(account.clock.now) - 8 * 86_400
    account.post(body)
    assert WatchAccount(account.tenants, account.events, account.clock)(account.queues.statuses[0]) == 0
    assert stops(account)[NUMBER] is None


def test_an_event_of_an_account_that_another_secret_signed_stops_nothing(account: Product) -> None:
    account.add_organization("globex", "100000000000003", None, waba_id=WABA, app_secret="another-secret")
    body = json.loads((PAYLOADS / "account_deleted.json").read_bytes())
    account.post(body, "another-secret")
    watch = WatchAccount(account.tenants, account.events, account.clock)
    assert sum(watch(item) for item in account.queues.statuses) == 1
    assert {id_ for id_, reason in stops(account).items() if reason} == {"100000000000003"}


@pytest.mark.parametrize("value", [{}, {"event": 3}, {"event": "DISABLED_UPDATE", "ban_info": 1}, {"event": "NEW"}])
def test_an_unknown_event_changes_nothing(account: Product, value: dict[str, Any]) -> None:
    entry = {"id": WABA, "changes": [{"field": "account_update", "value": value}]}
    account.post({"object": "whatsapp_business_account", "entry": [entry]})
    watch = WatchAccount(account.tenants, account.events, account.clock)
    assert sum(watch(item) for item in account.queues.statuses) == 0
    assert set(stops(account).values()) == {None}
