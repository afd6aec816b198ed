"""A flow starts a flow for another person: once, in order with their messages, within the rules of the service window."""

from typing import Any

import msgspec
import pytest

from pytake.conversation.flow_tests.replay import Replayer
from pytake.conversation.queues import InboundItem
from pytake.conversation.records import Conversation
from pytake.whatsapp.outbound import Text
from tests.conversation.product import NUMBER, PHONE, Product, cannot_be_queued
from tests.engine.conversations import document, node

TEAM = "5511988880000"
DAY = 24 * 3600


def starter(to: str = f"+{TEAM}", **fields: Any) -> dict[str, Any]:
    """A flow that starts another one for the team and says how that went."""
    action = {"type": "start_flow", "to": to, "flow_id": "lead", "outcome_variable": "told", **fields}
    action.setdefault("parameters", {"who": "{{contact.name}}"})
    act = node("a", "action", actions=[action], next_node_id="e")
    return document(act, node("e", "end", message="Team: {{told}}."), id="main")


def lead(*nodes: dict[str, Any]) -> dict[str, Any]:
    start = node("s", "start", parameters=[{"name": "who", "required": True}], next_node_id=nodes[0]["id"])
    return document(start, *nodes, node("e", "end", message="{{who}} gets a call."), id="lead")


ASK = lead(node("q", "question", question="{{who}} needs you. Will you call?", variable="call", next_node_id="e"))
TEMPLATE = node("t", "template", name="new_lead", language="en", next_node_id="q")
TEMPLATE_FIRST = lead(TEMPLATE, node("q", "delay", seconds=60, next_node_id="e"))


@pytest.fixture
def product(product: Product) -> Product:
    product.publish("acme", ASK)
    run(product, starter())
    return product


def run(product: Product, flow: dict[str, Any]) -> None:
    product.publish("acme", flow)
    product.tenants.by_id[NUMBER].default_flow_id = flow["id"]
    product.start_flow_runner()


def known(product: Product, phone: str = TEAM) -> Conversation | None:
    return product.conversations.load(product.key(phone))


def sent_to(product: Product, phone: str = TEAM) -> list[Any]:
    payloads = [payload for payload in product.graph.sent if payload["to"].removeprefix("+") == phone]
    return [payload["text"]["body"] if payload["type"] == "text" else payload["type"] for payload in payloads]


def test_the_other_persons_flow_starts_with_its_parameters(product: Product) -> None:
    product.say("Oi", TEAM)
    before = known(product)
    assert before is not None
    product.say("Olá")
    assert sent_to(product)[-1] == "Ana needs you. Will you call?"
    assert sent_to(product, PHONE) == ["Team: started."]
    assert product.say("Yes", TEAM) == ["Ana gets a call."]
    records = product.conversations.turns(product.key(TEAM))[before.seq :]
    assert [record.input.type for record in records] == ["start", "text"]
    (replayed,) = Replayer({"lead": ASK}).replay(records)
    assert (replayed.turns, replayed.difference, replayed.skipped) == (2, None, None)


def test_it_replaces_the_flow_that_runs(product: Product) -> None:
    product.say("Oi", TEAM)
    product.say("Olá")
    first = known(product)
    assert first is not None
    assert first.session is not None
    product.say("Olá")
    again = known(product)
    assert again is not None
    assert again.session is not None
    assert again.session.id != first.session.id
    record = product.conversations.turns(product.key(TEAM))[-1]
    assert record.events[0].data == {"session_id": first.session.id, "by": "start"}
    assert product.bus.types.count("conversation.closed") == 1


def test_a_repeated_turn_starts_it_once(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    product.say("Oi", TEAM)
    product.post(product.notification(product.message("Olá")))
    item, commit = product.queues.inbound.pop(0), product.conversations.commit

    def dies(*_: Any) -> None:
        raise RuntimeError("the worker died")

    with monkeypatch.context() as patch:
        patch.setattr(product.conversations, "commit", dies)
        with pytest.raises(RuntimeError):
            product.take_turn(item)
    assert product.conversations.commit == commit
    product.take_turn(item)
    starts = [queued for queued in product.queues.inbound if queued.start is not None]
    assert len({queued.deduplication_id for queued in starts}) == 1
    product.queues.inbound[:] = [starts[0], msgspec.json.decode(msgspec.json.encode(starts[0]), type=InboundItem)]
    product.run_queues()
    assert sent_to(product).count("Ana needs you. Will you call?") == 1


@pytest.mark.parametrize(
    ("flow", "code"),
    [
        (starter(to="12"), "recipient_invalid"),
        (starter(to="{{input.text}}"), "recipient_invalid"),
        (starter(flow_id="other"), "flow_unknown"),
        (starter(parameters={}), "parameter_missing"),
        (starter(parameters={"who": "x" * 70_000}), "parameters_too_large"),
        (starter(), "window_closed"),
    ],
)
def test_a_refusal_has_a_stable_code(product: Product, flow: dict[str, Any], code: str) -> None:
    run(product, flow)
    assert product.say("Olá") == [f"Team: {code}."]
    assert known(product) is None


def test_who_opted_out_or_talks_with_an_agent_is_left_alone(product: Product) -> None:
    desk = product.agent_messaging()
    product.say("Oi", TEAM)
    desk.send(product.key(TEAM), Text("Hi"), "bea", "1")
    product.run_queues()
    assert product.say("Olá") == ["Team: with_agent."]
    desk.close(product.key(TEAM), "bea")
    product.say("stop", TEAM)
    assert product.say("Olá") == ["Team: opted_out."]


def test_who_opted_out_at_another_number_gets_no_template(product: Product) -> None:
    product.publish("acme", TEMPLATE_FIRST)
    product.add_organization("acme", "100000000000002", starter())
    product.say("Oi", TEAM, "100000000000002")
    product.say("stop", TEAM, "100000000000002")
    assert product.say("Olá") == ["Team: opted_out."]


def test_outside_the_window_a_template_opens_the_conversation(product: Product) -> None:
    product.publish("acme", TEMPLATE_FIRST)
    assert product.say("Olá") == ["Team: started.", "new_lead"]
    assert sent_to(product) == ["template"]
    record = product.conversations.turns(product.key(TEAM))[0]
    assert record.window_opened_at == record.at - DAY, "nothing else may be sent to a person who never wrote"


def test_the_turn_refuses_what_changed_since(product: Product) -> None:
    product.say("Oi", TEAM)
    product.post(product.notification(product.message("Olá")))
    product.take_turn(product.queues.inbound.pop(0))
    product.clock.forward(DAY + 1)
    product.run_queues()
    assert sent_to(product) == ["Team: window_closed."], "what the team's own message led to"
    assert product.events.types[0] == "turn.start_refused"


def test_a_start_that_cannot_be_queued_is_an_outcome(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    product.say("Oi", TEAM)
    product.post(product.notification(product.message("Olá")))
    item = product.queues.inbound.pop(0)
    monkeypatch.setattr(product.queues, "put_inbound", cannot_be_queued)
    product.take_turn(item)
    product.run_queues()
    assert sent_to(product, PHONE) == ["Team: unavailable."]


def test_the_prover_knows_the_published_flows_and_their_parameters(product: Product) -> None:
    drafts = [starter(), starter(parameters={}), starter(flow_id="other")]
    found = [product.authoring.save_draft("acme", "main", draft).problems for draft in drafts]
    codes = [[problem.code for problem in problems] for problems in found]
    assert codes == [[], ["missing_parameter"], ["unknown_started_flow"]]
