"""A template opens a conversation, and the person's answer starts the flow, also days later."""

from typing import Any

import pytest
from msgspec.structs import replace

from pytake.contacts.consent import Consent
from pytake.conversation.agent_messaging import AgentMessaging
from pytake.conversation.current_conversation import load_current
from pytake.conversation.flow_tests.replay import Replayer
from pytake.conversation.lake_events import events_of, pseudonyms
from pytake.conversation.opening import OPENED_SECONDS, StartRefusedError
from pytake.conversation.plan_opening import PlanOpening, check_expressions
from pytake.conversation.queues import FlowStart, InboundItem, ReportedEvent, StartTemplate
from pytake.conversation.records import Conversation, Organization
from pytake.conversation.start_flow import QueuedStart, StartFlow
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.engine import FlowError
from pytake.whatsapp.outbound import Template, Text
from pytake.whatsapp.templates import MessageTemplate
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product
from tests.engine.conversations import document, node

DAY = 24 * 3600
HOUR = 3600
WABA = "waba"
OFFER = document(
    node(
        "s",
        "start",
        parameters=[{"name": "order", "required": True}, {"name": "tone", "default": "kind"}],
        next_node_id="q",
    ),
    node(
        "q",
        "question",
        question="You said {{input.text}} about {{order}} ({{tone}}). When?",
        variable="day",
        next_node_id="e",
    ),
    node("e", "end", message="See you on {{day}}, {{contact.name}}."),
    id="offer",
)
COMPONENTS = [
    {
        "type": "body",
        "parameters": [
            {"type": "text", "text": "{{contact.name | default('you')}}"},
            {"type": "text", "text": "{{order}}"},
        ],
    }
]
TEMPLATE = StartTemplate("pickup", "en", COMPONENTS, "utility")
START = FlowStart("offer", {"order": "42"}, TEMPLATE, only_idle=True)


@pytest.fixture
def product() -> Product:
    made = Product()
    made.add_organization("acme", NUMBER, ECHO_FLOW, waba_id=WABA)
    made.publish("acme", OFFER)
    return made


@pytest.fixture
def start(product: Product) -> StartFlow:
    flows = product.flow_library
    plan = PlanOpening(product.tenants, flows, product.templates, 24, product.media_library.kinds)
    aliases = product.conversations.aliases
    return StartFlow(
        product.conversations, product.contacts, aliases, product.tenants, flows, product.queues, product.clock, plan
    )


def begin(product: Product, start: StartFlow, what: FlowStart = START, key: str = "1") -> QueuedStart:
    queued = start("acme", NUMBER, f"+{PHONE}", what, key)
    product.run_queues()
    return queued


def refused(product: Product, start: StartFlow, what: FlowStart = START) -> str:
    """The code with which a start is refused, before its turn and in it alike."""
    with pytest.raises(StartRefusedError) as error:
        start("acme", NUMBER, PHONE, what, "refused")
    assert not product.queues.inbound
    return error.value.code


def known(product: Product) -> Conversation:
    found = load_current(product.conversations, product.key())
    assert found is not None
    return found


def grant(product: Product, purpose: Any, state: Any) -> None:
    contact = product.contacts.load("acme", PHONE)
    product.contacts.save("acme", replace(contact, consent={purpose: Consent(state, "form", 1)}))


def copy(product: Product, status: str = "APPROVED", category: str = "UTILITY", **more: Any) -> None:
    key = TemplateKey("acme", WABA, "pickup", "en")
    body = {"type": "BODY", "text": "Hi {{1}}, order {{2}} waits."}
    template = MessageTemplate("pickup", "en", "1", category, status, components=[body], **more)
    product.templates.stored[key] = StoredTemplate(WABA, template)


def test_the_answer_starts_the_flow_also_twenty_hours_later(product: Product, start: StartFlow) -> None:
    queued = begin(product, start)
    (sent,) = product.graph.sent
    assert sent["template"]["components"][0]["parameters"] == [
        {"type": "text", "text": "you"},
        {"type": "text", "text": "42"},
    ]
    product.clock.forward(20 * HOUR)
    assert product.say("tomorrow") == ["You said tomorrow about 42 (kind). When?"]
    product.clock.forward(20 * HOUR)
    assert product.say("Monday") == ["See you on Monday, Ana."]
    opening, *records = product.conversations.turns(product.key())
    assert (opening.message_id, opening.status, opening.flow_id) == (queued.message_id, "opened", "offer")
    (replayed,) = Replayer({"offer": OFFER}).replay([opening, *records])
    assert (replayed.turns, replayed.difference, replayed.skipped) == (2, None, None)


def test_the_session_begins_with_the_answer(product: Product, start: StartFlow) -> None:
    begin(product, start)
    assert product.bus.types == [], "nobody has started a conversation yet"
    product.say("tomorrow")
    assert product.bus.types == ["conversation.started"]
    key = product.key()
    names = pseudonyms(b"k", PHONE)
    rows = [row for record in product.conversations.turns(key) for row in events_of(key, record, [], names)]
    assert [row.type for row in rows][:4] == ["message_out", "session_started", "message_in", "node_entered"]
    assert (rows[0].session, rows[0].flow_id, rows[1].flow_id) == (None, "offer", "offer")


def test_an_opening_waits_three_days_and_ends_without_a_trace(product: Product, start: StartFlow) -> None:
    begin(product, start)
    product.clock.forward(OPENED_SECONDS + 1)
    product.fire_due_timers()
    product.run_queues()
    assert known(product).session is None
    assert product.bus.types == []
    assert product.say("tomorrow") == ["Hello!\n\nWhat is your name?"]


def test_a_session_lives_from_the_answer_on(product: Product, start: StartFlow) -> None:
    begin(product, start)
    product.clock.forward(71 * HOUR)
    product.say("tomorrow")
    session = known(product).session
    assert session is not None
    assert session.expires_at == product.clock() + DAY


def test_a_template_alone_leaves_everything_as_it_was(product: Product, start: StartFlow) -> None:
    begin(product, start, FlowStart(None, {"order": "42"}, TEMPLATE))
    assert known(product).session is None
    assert product.say("Oi") == ["Hello!\n\nWhat is your name?"]


def test_commands_work_before_the_flow_has_started(product: Product, start: StartFlow) -> None:
    begin(product, start)
    product.say("parar")
    assert known(product).opted_out
    assert known(product).session is None
    assert refused(product, start) == "opted_out"


def test_a_handed_back_conversation_still_starts_the_flow(
    product: Product, start: StartFlow, desk: AgentMessaging
) -> None:
    begin(product, start)
    product.say("humano")
    assert refused(product, start) == "with_agent"
    desk.resume(product.key(), "bea")
    assert product.say("tomorrow") == ["You said tomorrow about 42 (kind). When?"]


def test_an_agent_takes_over_what_a_template_opened(product: Product, start: StartFlow, desk: AgentMessaging) -> None:
    product.say("Oi")
    desk.close(product.key(), "bea")
    product.bus.told.clear()
    begin(product, start)
    desk.send(product.key(), Text("Hi"), "bea", "1")
    product.run_queues()
    desk.resume(product.key(), "bea")
    assert product.say("tomorrow") == ["You said tomorrow about 42 (kind). When?"]
    assert "conversation.expired" not in product.bus.types
    records = product.conversations.turns(product.key())
    (_, replayed) = Replayer({"offer": OFFER, "echo": ECHO_FLOW}).replay(records)
    assert (replayed.turns, replayed.difference, replayed.skipped) == (1, None, None)


def test_an_agent_closes_what_a_template_opened_without_a_session(
    product: Product, start: StartFlow, desk: AgentMessaging
) -> None:
    begin(product, start)
    desk.close(product.key(), "bea")
    assert known(product).session is None
    assert product.bus.types == []


def test_a_reported_event_does_not_begin_the_session(product: Product, start: StartFlow) -> None:
    begin(product, start)
    event = ReportedEvent("paid")
    product.queues.inbound.append(InboundItem("acme", NUMBER, PHONE, {"id": "e"}, product.clock(), event=event))
    assert product.run_queues() == []
    session = known(product).session
    assert session is not None
    assert session.opened


def test_a_second_template_replaces_the_first_until_the_person_answers(product: Product, start: StartFlow) -> None:
    begin(product, start)
    begin(product, start, FlowStart("offer", {"order": "43"}, TEMPLATE, only_idle=True), "2")
    assert product.say("tomorrow") == ["You said tomorrow about 43 (kind). When?"]
    assert refused(product, start) == "in_session"


def test_a_start_that_may_interrupt_replaces_the_session(product: Product, start: StartFlow) -> None:
    product.say("Oi")
    begin(product, start, FlowStart("offer", {"order": "42"}, TEMPLATE))
    assert product.bus.types[-1] == "conversation.closed"
    assert product.say("tomorrow") == ["You said tomorrow about 42 (kind). When?"]


def test_a_repeated_request_sends_once_and_is_not_refused(product: Product, start: StartFlow) -> None:
    first = begin(product, start)
    product.say("tomorrow")
    assert begin(product, start) == first
    assert len([sent for sent in product.graph.sent if sent["type"] == "template"]) == 1


@pytest.mark.parametrize(
    ("what", "code"),
    [
        (FlowStart("nothing", {}, TEMPLATE), "flow_unknown"),
        (FlowStart("offer", {}, TEMPLATE), "parameter_missing"),
        (FlowStart("offer", {"order": ""}, TEMPLATE), "parameter_missing"),
        (FlowStart("offer", {"order": "x" * 70_000}, TEMPLATE), "parameters_too_large"),
        (FlowStart("offer", {"order": "42"}), "window_closed"),
    ],
)
def test_a_start_is_refused_with_a_stable_code(product: Product, start: StartFlow, what: FlowStart, code: str) -> None:
    assert refused(product, start, what) == code


def test_the_copy_of_the_template_decides(product: Product, start: StartFlow) -> None:
    copy(product, "PAUSED")
    assert refused(product, start) == "template_paused"
    product.templates.stored.clear()
    product.templates.listed["acme", WABA] = 1
    assert refused(product, start) == "template_missing"
    copy(product)
    assert (
        refused(product, start, FlowStart("offer", {"order": "42"}, StartTemplate("pickup", "en")))
        == "parameter_missing"
    )
    copy(product, category="MARKETING")
    assert refused(product, start) == "no_consent"
    grant(product, "marketing", "granted")
    begin(product, start)
    assert len(product.graph.sent) == 1


def test_withdrawn_consent_holds_for_the_purpose_of_the_template(product: Product, start: StartFlow) -> None:
    grant(product, "utility", "withdrawn")
    assert refused(product, start) == "no_consent"


def test_the_turn_refuses_what_changed_since_the_request(product: Product, start: StartFlow) -> None:
    start("acme", NUMBER, PHONE, START, "1")
    item = product.queues.inbound.pop()
    product.say("Oi")
    product.queues.inbound.append(item)
    assert product.run_queues() == []
    assert [(event.type, event.detail["code"]) for event in product.events.events][-1:] == [
        ("turn.start_refused", "in_session")
    ]


def test_a_start_that_comes_again_goes_behind_the_answer_of_a_turn_after_it(
    product: Product, start: StartFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.say("Oi")
    item = InboundItem("acme", NUMBER, PHONE, {"id": "start:1"}, product.clock(), start=START)
    assert product.take_turn(item) is None, "a flow waits for the person"
    product.clock.forward(2)
    product.commit_unqueued(monkeypatch)  # the flow ends; its worker dies, and both items are delivered again
    opened = product.take_turn(item)
    assert opened is not None
    assert [one.turn for one in product.queues.outbound] == [opened.seq - 1, opened.seq]


def test_a_template_with_a_broken_expression_is_not_a_start(product: Product, start: StartFlow) -> None:
    broken = [{"type": "body", "parameters": [{"type": "text", "text": "{{order | unknown}}"}]}]
    with pytest.raises(FlowError):
        check_expressions(StartTemplate("pickup", "en", broken))
    with pytest.raises(FlowError):
        start("acme", NUMBER, PHONE, FlowStart("offer", {"order": "42"}, StartTemplate("pickup", "en", broken)), "1")


def test_the_person_is_asked_in_the_words_of_the_organization(product: Product, start: StartFlow) -> None:
    product.tenants.organizations["acme"] = Organization("acme", constants={"shop": "Main Street"})
    shop = [{"type": "body", "parameters": [{"type": "text", "text": "{{constants.shop}}"}]}]
    begin(product, start, FlowStart(None, {}, StartTemplate("pickup", "en", shop)))
    (record,) = product.conversations.turns(product.key())
    (message,) = record.messages
    assert isinstance(message, Template)
    assert message.components[0]["parameters"][0]["text"] == "Main Street"


SILENT = document(
    node("s", "start", opened_by_template=True, next_node_id="q"),
    node(
        "q",
        "question",
        variable="sure",
        buttons=[{"label": "Sim", "value": "yes", "next_node_id": "y"}, {"label": "Não", "value": "no"}],
        next_node_id="n",
    ),
    node("y", "end", message="See you."),
    node("n", "end", message="What a pity."),
    id="silent",
)


def tap(product: Product, text: str, payload: str) -> list[str]:
    return product.say("", type="button", button={"text": text, "payload": payload})


@pytest.mark.parametrize(
    ("text", "payload", "answer"),
    [("Sim", "Sim", "See you."), ("Sim, claro", "yes", "See you."), ("Não", "b2", "What a pity.")],
)
def test_the_answer_to_the_template_answers_a_first_question_without_a_text(
    product: Product, start: StartFlow, text: str, payload: str, answer: str
) -> None:
    product.publish("acme", SILENT)
    begin(product, start, FlowStart("silent", {"order": "42"}, TEMPLATE))
    product.clock.forward(20 * HOUR)
    assert tap(product, text, payload) == [answer]
    (replayed,) = Replayer({"silent": SILENT}).replay(product.conversations.turns(product.key()))
    assert (replayed.turns, replayed.difference, replayed.skipped) == (1, None, None)


def test_an_answer_that_is_not_an_option_is_asked_again(product: Product, start: StartFlow) -> None:
    product.publish("acme", SILENT)
    begin(product, start, FlowStart("silent", {"order": "42"}, TEMPLATE))
    (asked,) = product.say("What?")
    assert asked.startswith("Please choose")
    assert product.say("Sim") == ["See you."]


def test_a_question_with_a_text_of_its_own_is_asked(product: Product, start: StartFlow) -> None:
    begin(product, start)
    assert product.say("tomorrow") == ["You said tomorrow about 42 (kind). When?"]


def test_the_prover_knows_that_the_template_has_asked(product: Product) -> None:
    assert product.authoring.save_draft("acme", "silent", SILENT).problems == []
    nodes = [SILENT["nodes"][0] | {"data": {"next_node_id": "q"}}, *SILENT["nodes"][1:]]
    problems = product.authoring.save_draft("acme", "silent", SILENT | {"nodes": nodes}).problems
    assert [problem.code for problem in problems] == ["nothing_said"]


def test_a_template_that_the_budget_does_not_allow_is_not_sent(product: Product, start: StartFlow) -> None:
    price = 6_800  # of a utility template to Brazil
    product.tenants.put_organization(Organization("acme", monthly_budget_micros=price))
    for at, person in enumerate((PHONE, "5511888888888")):
        start("acme", NUMBER, person, START, f"r{at}")
        product.run_queues()
    assert [payload["type"] for payload in product.graph.sent] == ["template"]
    refused = [event.detail["code"] for event in product.events.events if event.type == "turn.start_refused"]
    assert refused == ["budget_exhausted"]
    assert product.budget_ledger.reserved("acme", "2026-02").micros == price
