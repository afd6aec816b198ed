"""Agents: their messages are turns like any other, in order, once, within the service window."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent
from pytake.contacts.records import new_contact
from pytake.conversation.agent_messaging import (
    AgentMessaging,
    OptedOutError,
    RequestIdReusedError,
    UnknownConversationError,
    WindowClosedError,
)
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.flow_tests.replay import Replayer
from pytake.conversation.inbox import Filters, Inbox, Sort, status_of
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.records import Conversation, ConversationKey, Handoff, TurnRecord
from pytake.conversation.templates.check import (
    MismatchedTemplateError,
    MissingTemplateError,
    UnsendableTemplateError,
)
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.conversation.transcript import ReadTranscript
from pytake.engine import State
from pytake.whatsapp.outbound import Template, Text
from pytake.whatsapp.templates import MessageTemplate
from tests.conversation.product import NUMBER, PHONE, Product, cannot_be_queued

DAY = 24 * 3600
SECOND = "100000000000002"

QUICK_QUESTION: dict[str, Any] = {
    "format": 1,
    "id": "quick",
    "name": "Quick",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "ask"}},
        {
            "id": "ask",
            "type": "question",
            "data": {
                "question": "Quick: your name?",
                "variable": "name",
                "timeout_seconds": 600,
                "timeout_next_node_id": "late",
                "next_node_id": "end",
            },
        },
        {"id": "late", "type": "end", "data": {"message": "Too late."}},
        {"id": "end", "type": "end", "data": {"message": "Bye, {{name}}."}},
    ],
}
HAND_OVER: dict[str, Any] = {
    "format": 1,
    "id": "over",
    "name": "Over",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "hand"}},
        {"id": "hand", "type": "handoff", "data": {"message": "A colleague takes over."}},
    ],
}

COLLECT: dict[str, Any] = {
    "format": 1,
    "id": "collect",
    "name": "Collect",
    "language": "en",
    "start_node_id": "ask",
    "nodes": [
        {"id": "ask", "type": "question", "data": {"question": "Name?", "variable": "name", "next_node_id": "hand"}},
        {
            "id": "hand",
            "type": "handoff",
            "data": {"message": "Hi.", "department": "sales", "priority": "high", "note": "{{name}} waits."},
        },
    ],
}


def spoken(product: Product, flow_id: str | None = None) -> list[tuple[str, str]]:
    read = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    return [(said.speaker, said.text) for said in read(product.key(), flow_id)]


def sent(product: Product) -> list[str]:
    return [payload["text"]["body"] for payload in product.graph.sent]


def known(product: Product) -> Conversation:
    conversation = product.conversations.load(product.key())
    assert conversation is not None
    return conversation


def before_the_next_commit(product: Product, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> None:
    """Let another worker write between the next load and its commit."""
    commit = product.conversations.commit

    def overtaken(conversation: Conversation, turn: TurnRecord, *contact: Any) -> None:
        monkeypatch.setattr(product.conversations, "commit", commit)
        act()
        commit(conversation, turn, *contact)

    monkeypatch.setattr(product.conversations, "commit", overtaken)


def test_an_agent_writes_and_the_bot_is_silent_until_it_has_the_conversation_again(
    product: Product, desk: AgentMessaging
) -> None:
    product.say("Olá")
    desk.send(product.key(), Text("Hi, Bea here."), "bea", "1")
    product.run_queues()
    assert product.say("Are you a person?") == []
    assert status_of(known(product), product.clock()) == "human"
    desk.resume(product.key(), "bea")
    assert status_of(known(product), product.clock()) == "waiting"
    assert product.say("Ana") == ["Bye, Ana."]
    assert spoken(product) == [
        ("user", "Olá"),
        ("bot", "Hello!\n\nWhat is your name?"),
        ("agent", "Hi, Bea here."),
        ("user", "Are you a person?"),
        ("user", "Ana"),
        ("bot", "Bye, Ana."),
    ]
    assert sent(product) == ["Hello!\n\nWhat is your name?", "Hi, Bea here.", "Bye, Ana."]


def test_the_audit_record_says_which_agent(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    key = product.key()
    desk.send(key, Text("Hi"), "bea", "1")
    desk.resume(key, "bob")
    desk.close(key, "eve")
    told = [
        (record.status, event.type, event.data["by"])
        for record in product.conversations.turns(key)[1:]
        for event in record.events
    ]
    assert told == [
        ("agent", "taken_over", "bea"),
        ("agent", "agent_message", "bea"),
        ("resumed", "handed_back", "bob"),
        ("closed", "session_closed", "eve"),
    ]


def test_the_window_is_open_for_a_day_after_the_persons_last_message(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    product.clock.forward(DAY - 1)
    item_before = known(product).last_inbound_at
    desk.send(product.key(), Text("Still there?"), "bea", "1")
    assert product.queues.outbound[0].window_closes_at == item_before + DAY
    product.clock.forward(1)
    with pytest.raises(WindowClosedError):
        desk.send(product.key(), Text("Hello?"), "bea", "2")
    assert [record.status for record in product.conversations.turns(product.key())] == ["waiting", "agent"]


def test_who_opted_out_is_not_written_to(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    product.say("stop")
    with pytest.raises(OptedOutError):
        desk.send(product.key(), Text("Please stay"), "bea", "1")


def test_nobody_is_written_to_first_and_nobody_elses_contact(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    for key in (product.key("5511888888888"), product.key(organization_id="globex"), product.key(number="999999")):
        for act in (lambda key: desk.send(key, Text("Hi"), "bea", "1"), lambda key: desk.close(key, "bea")):
            with pytest.raises(UnknownConversationError):
                act(key)


def test_the_same_request_again_sends_nothing_twice(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    first = desk.send(product.key(), Text("Hi"), "bea", "1")
    product.clock.forward(3600)
    again = desk.send(product.key(), Text("Hi"), "bea", "1")
    assert first.record == again.record
    product.run_queues()
    assert sent(product)[1:] == ["Hi"]
    with pytest.raises(RequestIdReusedError):
        desk.send(product.key(), Text("Something else"), "bea", "1")


def test_the_same_request_twice_at_the_same_moment_sends_once(
    product: Product, desk: AgentMessaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.say("Olá")
    before_the_next_commit(product, monkeypatch, lambda: desk.send(product.key(), Text("Hi"), "bea", "1"))
    desk.send(product.key(), Text("Hi"), "bea", "1")
    product.run_queues()
    assert sent(product)[1:] == ["Hi"]


def test_a_message_that_was_not_queued_is_queued_by_the_same_request(
    product: Product, desk: AgentMessaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.say("Olá")
    with monkeypatch.context() as patch:
        patch.setattr(product.queues, "put_outbound", cannot_be_queued)
        with pytest.raises(QueueingFailedError):
            desk.send(product.key(), Text("Hi"), "bea", "1")
    desk.send(product.key(), Text("Hi"), "bea", "1")
    product.run_queues()
    assert sent(product)[1:] == ["Hi"]
    assert len(product.conversations.turns(product.key())) == 2


def test_an_agent_does_not_overtake_a_turn_that_is_committed_and_not_queued_yet(
    product: Product, desk: AgentMessaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker died between commit and enqueue. The message is retried minutes later and repeats the enqueue."""
    taken = product.commit_unqueued(monkeypatch)
    desk.send(product.key(), Text("Bea here."), "bea", "1")
    product.take_turn(taken)
    product.run_queues()
    assert sent(product) == ["Hello!\n\nWhat is your name?", "Bea here."]


def test_an_agent_overtaken_by_a_turn_writes_behind_it(
    product: Product, desk: AgentMessaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.say("Olá")
    before_the_next_commit(product, monkeypatch, lambda: product.say("Ana"))
    desk.send(product.key(), Text("Anything else?"), "bea", "1")
    product.run_queues()
    assert sent(product)[1:] == ["Bye, Ana.", "Anything else?"]
    assert [turn.seq for turn in product.conversations.turns(product.key())] == [1, 2, 3]


def test_a_turn_overtaken_by_an_agent_is_decided_again_and_is_silent(
    product: Product, desk: AgentMessaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.say("Olá")
    before_the_next_commit(product, monkeypatch, lambda: desk.send(product.key(), Text("One moment"), "bea", "1"))
    product.say("Ana")
    product.run_queues()
    assert sent(product)[1:] == ["One moment"]
    assert spoken(product)[2:] == [("agent", "One moment"), ("user", "Ana")]


def test_a_closed_session_begins_anew_and_closing_again_changes_nothing(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    assert desk.close(product.key(), "bea").record is not None
    assert desk.close(product.key(), "bea").record is None
    assert status_of(known(product), product.clock()) == "idle"
    assert product.say("Ana") == ["Hello!\n\nWhat is your name?"]


def test_a_flow_that_handed_over_begins_anew_when_the_bot_gets_it_back(product: Product, desk: AgentMessaging) -> None:
    product.publish("acme", HAND_OVER)
    product.tenants.by_id[NUMBER].default_flow_id = "over"
    assert product.say("Olá") == ["A colleague takes over."]
    assert product.say("Hello?") == []
    assert desk.resume(product.key(), "bea").record is not None
    assert desk.resume(product.key(), "bea").record is None
    assert product.say("Hello?") == ["A colleague takes over."]


def test_a_handoff_node_keeps_what_the_agent_needs(product: Product, desk: AgentMessaging) -> None:
    product.publish("acme", COLLECT)
    product.tenants.by_id[NUMBER].default_flow_id = "collect"
    product.say("Olá")
    product.say("Ana")
    product.say("Hello?")
    session = known(product).session
    assert session is not None
    assert session.state is not None
    state = State.decode(session.state)
    assert (state.flow_id, state.node_id, state.variables) == ("collect", "hand", {"name": "Ana"})
    assert session.handoff == Handoff(session.started_at, "flow", "sales", "high", "Ana waits.", ended=True)
    assert desk.resume(product.key(), "bea").record is not None
    assert known(product).session is None, "the flow ended with the handoff"


def test_the_flow_continues_where_a_person_asked_for_an_agent(product: Product, desk: AgentMessaging) -> None:
    product.publish("acme", QUICK_QUESTION)
    product.tenants.by_id[NUMBER].default_flow_id = "quick"
    product.say("Olá")
    product.say("human")
    session = known(product).session
    assert session is not None
    assert (session.human, session.timer_at) == (True, None)
    assert session.handoff == Handoff(session.started_at, "command")
    assert product.fire_due_timers() == 0
    desk.resume(product.key(), "bea")
    resumed = known(product).session
    assert resumed is not None
    assert (resumed.handoff, resumed.timer_at) == (None, product.clock() + 600)
    assert product.say("Ana") == ["Bye, Ana."]
    records = product.conversations.turns(product.key())
    (replayed,) = Replayer({"quick": QUICK_QUESTION}).replay(records)
    assert (replayed.turns, replayed.difference, replayed.skipped) == (3, None, None)


def rating_after_an_agent(product: Product) -> dict[str, Any]:
    """Let the number run a flow that asks how the agent did, and let a person ask for one."""
    hand, rate = COLLECT["nodes"][1], {"question": "How did we do?", "variable": "rating", "next_node_id": "end"}
    nodes = [
        COLLECT["nodes"][0],
        {**hand, "data": {**hand["data"], "next_node_id": "rate"}},
        {"id": "rate", "type": "question", "data": rate},
        {"id": "end", "type": "end", "data": {"message": "Thanks, {{name}}."}},
    ]
    product.publish("acme", {**COLLECT, "nodes": nodes})
    product.tenants.by_id[NUMBER].default_flow_id = "collect"
    product.say("Olá")
    product.say("Ana")
    return {**COLLECT, "nodes": nodes}


def test_the_flow_goes_on_behind_the_handoff_when_the_agent_returns_the_conversation(
    product: Product, desk: AgentMessaging
) -> None:
    flow = rating_after_an_agent(product)
    assert product.say("Hello?") == []
    desk.send(product.key(), Text("Bea here."), "bea", "1")
    desk.resume(product.key(), "bea")
    product.run_queues()
    assert desk.resume(product.key(), "bea").record is None
    assert product.fire_due_timers() == 0
    assert sent(product)[-2:] == ["Bea here.", "How did we do?"]
    assert product.say("5") == ["Thanks, Ana."]
    records = product.conversations.turns(product.key())
    assert [record.input.type for record in records][-3:] == ["resume_bot", "handed_back", "text"]
    (replayed,) = Replayer({"collect": flow}).replay(records)
    assert (replayed.turns, replayed.difference, replayed.skipped) == (4, None, None)


def test_a_lost_return_is_made_up_for_by_the_job_that_finds_due_timers(
    product: Product, desk: AgentMessaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    rating_after_an_agent(product)
    with monkeypatch.context() as patch:
        patch.setattr(product.queues, "put_inbound", cannot_be_queued)
        desk.resume(product.key(), "bea")
    product.clock.forward(60)
    assert product.fire_due_timers() == 1
    product.run_queues()
    assert sent(product)[-1] == "How did we do?"


def test_a_return_is_not_lost_on_a_worker_whose_clock_is_behind(product: Product, desk: AgentMessaging) -> None:
    rating_after_an_agent(product)
    desk.resume(product.key(), "bea")
    product.clock.forward(-0.2)
    product.run_queues()
    assert sent(product)[-1] == "How did we do?"


def test_who_writes_before_the_flow_goes_on_is_asked_once(product: Product, desk: AgentMessaging) -> None:
    rating_after_an_agent(product)
    desk.resume(product.key(), "bea")
    waiting = product.queues.inbound.pop()
    assert product.say("Are you there?") == ["How did we do?"]
    product.take_turn(waiting)
    product.run_queues()
    assert sent(product)[-1] == "How did we do?"
    assert product.say("5") == ["Thanks, Ana."]


def test_an_agent_who_takes_over_gets_the_person_from_the_list(product: Product, desk: AgentMessaging) -> None:
    product.publish("acme", COLLECT)
    product.tenants.by_id[NUMBER].default_flow_id = "collect"
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    people = {"551190000000" + str(n): name for n, name in enumerate(["Ana", "Bia", "Caio", "Davi"])}
    for phone, name in people.items():
        product.say("Olá", phone)
        product.say(name, phone)
        product.clock.forward(1)
    for phone, priority, department in (("0", "low", "sales"), ("1", "Urgente", "billing"), ("2", 2, "Sales")):
        stored = product.conversations.stored[product.key("551190000000" + phone)]
        assert stored.session is not None
        assert stored.session.handoff is not None
        handoff = replace(stored.session.handoff, priority=priority, department=department)
        stored.session = replace(stored.session, handoff=handoff)
    taken = product.conversations.stored[product.key("5511900000003")]
    assert taken.session is not None
    taken.session = replace(taken.session, handoff=None)  # an agent wrote first

    def names(sort: Sort = "last_message", **narrowed: Any) -> list[str]:
        found, after = [], None
        while True:
            page = inbox.page("acme", 1, after, filters=Filters(**narrowed), sort=sort)
            found += [people[one.key.contact_id] for one in page.conversations]
            if (after := page.end) is None:
                return found

    assert names() == names(status="human") == ["Davi", "Caio", "Bia", "Ana"]
    assert names(department="SALES") == ["Caio", "Ana"]
    assert names(priority="2") == ["Caio"]
    assert names(priority="urgente", department="sales") == names("priority", status="idle") == []
    assert names("priority") == ["Bia", "Caio", "Davi", "Ana"]
    assert names("department") == ["Bia", "Caio", "Ana", "Davi"]


def test_the_list_is_by_the_last_message_across_pages(product: Product, desk: AgentMessaging) -> None:
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    phones = [f"55119000000{number:02}" for number in range(30)]
    for phone in phones:
        product.say("Olá", phone)
        product.clock.forward(37)
    for phone in phones[:9:4]:
        desk.send(product.key(phone), Text("Hi"), "bea", phone)
        product.clock.forward(1)
    found, after = [], None
    while True:
        page = inbox.page("acme", 4, after)
        found += page.conversations
        if (after := page.end) is None:
            break
    times = [one.active_at for one in found]
    assert times == sorted(times, reverse=True)
    assert sorted(one.key.contact_id for one in found) == phones
    assert [one.key.contact_id for one in found[:3]] == [phones[8], phones[4], phones[0]]


def test_the_timer_of_a_question_waits_for_the_agent(product: Product, desk: AgentMessaging) -> None:
    product.publish("acme", QUICK_QUESTION)
    product.tenants.by_id[NUMBER].default_flow_id = "quick"
    product.say("Olá")
    desk.send(product.key(), Text("Take your time."), "bea", "1")
    product.run_queues()
    product.clock.forward(700)
    assert product.fire_due_timers() == 0
    desk.resume(product.key(), "bea")
    assert product.fire_due_timers() == 1
    product.run_queues()
    assert sent(product)[-1] == "Too late."


def test_an_agents_message_to_an_idle_conversation_is_answered_to_the_agent(
    product: Product, desk: AgentMessaging
) -> None:
    product.say("Olá")
    product.say("Ana")
    assert known(product).session is None
    desk.send(product.key(), Text("Did that help?"), "bea", "1")
    product.run_queues()
    assert product.say("Yes!") == []
    product.clock.forward(DAY + 1)
    assert product.say("Hi again") == ["Hello!\n\nWhat is your name?"]


def test_the_transcript_of_a_flow_holds_the_sessions_in_which_it_ran(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    product.say("Ana")
    product.publish("acme", QUICK_QUESTION)
    product.tenants.by_id[NUMBER].default_flow_id = "quick"
    product.say("Me again")
    desk.send(product.key(), Text("Welcome back"), "bea", "1")
    assert spoken(product, "quick") == [
        ("user", "Me again"),
        ("bot", "Quick: your name?"),
        ("agent", "Welcome back"),
    ]
    product.publish("acme", {**QUICK_QUESTION, "id": "never_ran"})
    assert spoken(product, "never_ran") == []
    with pytest.raises(UnknownFlowError):
        spoken(product, "unknown")


def test_a_message_that_left_in_the_end_shows_no_earlier_failure(product: Product) -> None:
    product.say("Olá")
    read = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    entry = product.deliveries.entries[product.key(), 1, 0]
    shown = []
    for state, status in (("waiting", None), ("accepted", None), ("accepted", "read"), ("accepted", "failed")):
        failed = replace(entry, state=state, status=status, error_code=190, reason="fatal_token:190")
        product.deliveries.entries[product.key(), 1, 0] = failed
        shown.append([said.reason for said in read(product.key()) if said.speaker == "bot"])
    assert shown == [["fatal_token:190"], [None], [None], ["fatal_token:190"]]


def test_the_list_is_by_the_last_message_and_narrows_by_status_and_number(
    product: Product, desk: AgentMessaging
) -> None:
    second = replace(product.tenants.by_id[NUMBER], phone_number_id=SECOND, verify_token_hash=None)
    product.tenants.put_number(second)
    product.secrets.put("acme", SECOND, product.secrets.stored["acme", NUMBER])
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    for phone in ("5511911111111", "5511922222222", "5511933333333"):
        product.say("Olá", phone)
        product.clock.forward(60)
    product.say("Ana", "5511911111111")
    product.say("Olá", "5511922222222", number=SECOND)
    desk.send(product.key("5511933333333"), Text("Hi"), "bea", "1")

    def contacts(**narrowed: Any) -> list[tuple[str, str]]:
        page = inbox.page("acme", 10, filters=Filters(**narrowed))
        assert page.end is None
        return sorted((found.key.contact_id[4:7], found.key.phone_number_id[-1]) for found in page.conversations)

    assert contacts(status="idle") == [("911", "1")]
    assert contacts(status="human") == [("933", "1")]
    assert contacts(status="waiting") == [("922", "1"), ("922", "2")]
    assert contacts(phone_number_id=SECOND) == [("922", "2")]
    times = [found.active_at for found in inbox.page("acme", 10).conversations]
    assert times == sorted(times, reverse=True)
    found = inbox.find("acme", "+5511922222222")
    assert found is not None
    assert found.key == ConversationKey("acme", SECOND, "5511922222222")
    assert inbox.find("acme", "551122222222") is None


def test_a_phone_is_found_in_its_other_spelling(product: Product) -> None:
    product.say("Olá", "551181234567")
    inbox = Inbox(product.conversations, product.conversations.aliases, product.tenants, product.clock)
    found = inbox.find("acme", "+5511981234567")
    assert found is not None
    assert found.key.contact_id == "551181234567"


ORDER_READY = Template("order_ready", "pt_BR", [{"type": "body", "parameters": [{"type": "text", "text": "42"}]}])
IN_COPY = MessageTemplate(
    "order_ready", "pt_BR", status="APPROVED", components=[{"type": "BODY", "text": "O pedido {{1}} está pronto."}]
)


def copy(product: Product, template: MessageTemplate) -> None:
    number = product.tenants.by_id[NUMBER]
    number.waba_id = "5"
    key = TemplateKey("acme", "5", template.name, template.language)
    product.templates.change(key, lambda _: StoredTemplate("5", template))


def test_a_template_leaves_outside_the_window(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    product.clock.forward(2 * DAY)
    desk.send(product.key(), ORDER_READY, "bea", "1")
    product.run_queues()
    assert product.graph.sent[-1]["template"] == {
        "name": "order_ready",
        "language": {"code": "pt_BR"},
        "components": ORDER_READY.components,
    }
    assert spoken(product)[-1] == ("agent", "order_ready")
    assert product.say("Thank you") == [], "the agent has the conversation"


def test_a_template_begins_a_conversation_with_a_person_who_has_never_written(
    product: Product, desk: AgentMessaging
) -> None:
    key = desk.first_key("acme", f"+{PHONE}", NUMBER)
    assert key == product.key()
    with pytest.raises(UnknownConversationError):
        desk.send(key, Text("Hi"), "bea", "1")
    first = desk.send(key, ORDER_READY, "bea", "1")
    assert desk.send(key, ORDER_READY, "bea", "1").record == first.record
    product.run_queues()
    assert (len(product.graph.sent), known(product).last_inbound_at) == (1, 0)
    contact = product.contacts.load("acme", PHONE)
    assert (contact.phone, contact.numbers, contact.revision) == (f"+{PHONE}", [NUMBER], 1)
    with pytest.raises(WindowClosedError):
        desk.send(key, Text("Hi"), "bea", "2")
    assert product.say("Who are you?") == []
    desk.send(key, Text("Bea of Acme."), "bea", "3")


def test_a_known_contact_keeps_its_id_and_an_opted_out_one_gets_no_template(
    product: Product, desk: AgentMessaging
) -> None:
    without_nine = "551199999999"
    stored = new_contact(without_nine)
    product.contacts.save("acme", stored)
    key = desk.first_key("acme", "5511999999999", NUMBER)
    assert key.contact_id == without_nine
    withdrawn = replace(
        product.contacts.load("acme", without_nine), consent={"service": Consent("withdrawn", "stop", 1)}
    )
    product.contacts.save("acme", withdrawn)
    with pytest.raises(OptedOutError):
        desk.send(key, ORDER_READY, "bea", "1")


def test_another_template_under_the_same_request_id_is_refused(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    desk.send(product.key(), ORDER_READY, "bea", "1")
    with pytest.raises(RequestIdReusedError):
        desk.send(product.key(), Template("order_ready", "en", ORDER_READY.components), "bea", "1")


def test_the_copy_refuses_what_meta_would_refuse(product: Product, desk: AgentMessaging) -> None:
    product.say("Olá")
    copy(product, IN_COPY)
    desk.send(product.key(), ORDER_READY, "bea", "1")
    with pytest.raises(MismatchedTemplateError) as caught:
        desk.send(product.key(), Template("order_ready", "pt-BR"), "bea", "2")
    assert [found.field for found in caught.value.mismatches] == ["body"]
    desk.send(product.key(), Template("of_today", "pt_BR"), "bea", "3")
    product.templates.set_listed("acme", "5", 1)
    with pytest.raises(MissingTemplateError):
        desk.send(product.key(), Template("of_today", "pt_BR"), "bea", "4")
    for status in ("PENDING", "PAUSED"):
        copy(product, replace(IN_COPY, status=status))
        with pytest.raises(UnsendableTemplateError):
            desk.send(product.key(), ORDER_READY, "bea", "5")
    desk.send(product.key(), ORDER_READY, "bea", "1")
    copy(product, replace(IN_COPY, status="DELETED"))
    with pytest.raises(MissingTemplateError):
        desk.send(product.key(), ORDER_READY, "bea", "5")
    copy(product, replace(IN_COPY, status="OF_TOMORROW"))
    desk.send(product.key(), ORDER_READY, "bea", "5")
