"""Unusual turns: late messages, messages to agents, versions that cannot run, and turns too large to store."""

from typing import Any

import msgspec
import pytest

from pytake.conversation.agent_messaging import OptedOutError
from pytake.conversation.flow_run import CONTACT_BYTES, ITEM_BYTES
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.records import SERVICE_WINDOW_SECONDS
from pytake.engine import built_in_text
from pytake.whatsapp.outbound import Text
from tests.conversation.product import NUMBER, Product, text_of
from tests.engine.conversations import document, node

APOLOGY = "Sorry, something went wrong on our side. Could you try again?"
DAY = 86_400


def talking(*nodes: dict[str, Any], **fields: Any) -> Product:
    product = Product()
    product.add_organization("acme", NUMBER, document(*nodes, **fields))
    return product


def said_late(product: Product, text: str, seconds: float) -> list[str]:
    message = product.message(text) | {"timestamp": str(int(product.clock.now - seconds))}
    product.post(product.notification(message))
    before = len(product.graph.sent)
    product.run_queues()
    return [text_of(payload) for payload in product.graph.sent[before:]]


def test_a_message_that_comes_days_late_does_not_close_the_window_that_a_newer_one_opened(product: Product) -> None:
    product.say("Olá")
    opened_at = product.clock.now
    product.clock.forward(60)
    assert said_late(product, "Ana", 3 * DAY) == ["Bye, Ana."]
    assert product.conversations.stored[product.key()].last_inbound_at == opened_at
    assert product.queues.outbound == []
    assert product.events.types == []


def test_what_was_written_before_an_opt_out_and_comes_after_it_is_recorded_and_not_answered(product: Product) -> None:
    product.say("Olá")
    product.say("stop")
    assert said_late(product, "Ana", DAY) == []
    conversation = product.conversations.stored[product.key()]
    assert conversation.opted_out
    assert product.conversations.turns(product.key())[-1].input.text == "Ana"
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]


@pytest.mark.parametrize(
    "button", [{"text": "Stop", "payload": "b1"}, {"text": "Parar promoções", "payload": "STOP"}, {"text": "PARAR"}]
)
@pytest.mark.parametrize("with_a_person", [False, True])
def test_a_tap_on_stop_in_a_template_opts_out_like_the_word(
    product: Product, button: dict[str, str], with_a_person: bool
) -> None:
    product.say("Olá")
    if with_a_person:
        product.say("atendente")
    product.post(product.notification(product.message("") | {"type": "button", "button": button}))
    (record,) = product.run_queues()
    assert record.confirms_opt_out
    assert product.conversations.stored[product.key()].opted_out
    assert text_of(product.graph.sent[-1]).startswith("All right, you will not receive any more messages.")


@pytest.mark.parametrize("with_a_person", [False, True])
def test_a_stop_that_comes_after_a_newer_message_undid_it_is_not_confirmed(
    product: Product, with_a_person: bool
) -> None:
    product.say("Olá")
    if with_a_person:
        product.say("atendente")
    product.say("stop")
    product.clock.forward(10)
    product.say("Olá")
    answers = len(product.graph.sent)
    said_late(product, "stop", 5)
    assert len(product.graph.sent) == answers
    assert product.conversations.turns(product.key())[-1].status == "recorded"
    assert not product.conversations.stored[product.key()].opted_out


def test_a_late_stop_counts_while_no_newer_message_undid_an_opt_out(product: Product) -> None:
    product.say("Olá")
    product.clock.forward(10)
    product.say("Ana")
    assert said_late(product, "stop", 5) == [built_in_text("en", "opted_out")]
    assert product.conversations.stored[product.key()].opted_out


def test_what_comes_after_meta_told_of_an_opt_out_stays_with_its_session(product: Product) -> None:
    """A replay follows a session from its first record to its last."""
    product.say("Olá")
    product.clock.forward(10)
    assert RecordOptOut(product.conversations, product.contacts, product.clock)(
        product.key(), product.clock.now, "error_131050"
    )
    assert said_late(product, "Ana", DAY) == ["Bye, Ana."]
    sessions = [(record.status, record.session_id) for record in product.conversations.turns(product.key())]
    first = sessions[0][1]
    assert sessions == [("waiting", first), ("opted_out", first), ("completed", first)]


@pytest.mark.parametrize("timestamp", ["nan", "inf", "-5", "0", "1e300", "soon", None, [], {}])
def test_a_timestamp_that_is_none_costs_nothing(product: Product, timestamp: Any) -> None:
    product.post(product.notification(product.message("Olá") | {"timestamp": timestamp}))
    (record,) = product.run_queues()
    assert record.sent_at is None
    assert product.conversations.stored[product.key()].last_inbound_at == product.clock.now
    assert len(product.graph.sent) == 1


def test_stop_works_with_people_too(product: Product) -> None:
    desk = product.agent_messaging()
    product.say("Olá")
    product.say("atendente")
    assert product.say("PARAR!") == [
        "All right, you will not receive any more messages. If you change your mind, just write to us."
    ]
    record = product.conversations.turns(product.key())[-1]
    assert (record.status, record.confirms_opt_out) == ("human", True)
    with pytest.raises(OptedOutError):
        desk.send(product.key(), Text("Hello?"), "agent-1", "request-1")
    assert product.say("sorry, go on") == []
    assert not product.conversations.stored[product.key()].opted_out
    desk.send(product.key(), Text("Hello!"), "agent-1", "request-2")


def test_a_version_that_cannot_run_any_more_apologises_and_the_next_message_works(product: Product) -> None:
    product.say("Olá")
    (version,) = product.flows.published["acme", "echo"]
    product.start_flow_runner()
    good = version.documents["echo"]
    version.documents["echo"] = {**good, "nodes": [{"id": "start", "type": "hologram"}]}
    assert product.say("Ana") == [APOLOGY]
    assert product.events.types == ["turn.flow_invalid"]
    assert "hologram" in product.events.events[0].detail["problem"]
    assert product.say("Olá") == []
    version.documents["echo"] = good
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]


def test_a_name_is_saved_as_flows_read_it() -> None:
    save = {"type": "save_contact", "field": "name", "value": "{{input.location.name}}"}
    product = talking(
        node("a", "action", actions=[save], next_node_id="q"),
        node("q", "question", question="Hi {{contact.name}}!", variable="v", next_node_id="e"),
        node("e", "end", message="Bye {{contact.name}}!"),
    )
    assert product.say("Olá") + product.say("x") == ["Hi !", "Bye !"]


def echoing(times: int) -> Product:
    echoes = [node(f"m{i}", "message", text="{{v}}", next_node_id=f"m{i + 1}") for i in range(times)]
    question = node("q", "question", question="Q?", variable="v", next_node_id="m0")
    product = talking(
        question,
        *echoes,
        node(f"m{times}", "question", question="More?", variable="w", next_node_id="q"),
        merge_texts=False,
    )
    product.say("hi")
    return product


def test_a_turn_larger_than_an_item_is_undone_and_the_person_may_answer_again() -> None:
    product = echoing(4)
    assert product.say("é" * 60_000) == [APOLOGY]
    record = product.conversations.turns(product.key())[-1]
    assert len(msgspec.json.encode(record)) < ITEM_BYTES
    assert (record.status, record.flow_id) == ("failed", None)
    assert product.events.types == ["turn.record_too_large"]
    assert product.say("Ana")[-2:] == ["Ana", "More?"]


def test_a_message_of_any_size_takes_its_turn(product: Product) -> None:
    product.say("Olá")
    cards = [{"name": {"formatted_name": "x" * 500_000}}]
    product.say("", type="contacts", contacts=cards)
    record = product.conversations.turns(product.key())[-1]
    assert len(msgspec.json.encode(record)) < ITEM_BYTES
    assert product.say("Ana") == ["Bye, Ana."]


def test_a_contact_keeps_no_more_than_an_item_has_room_for() -> None:
    saves = [{"type": "save_contact", "field": f"f{i}", "value": "{{v}}"} for i in range(5)]
    product = talking(
        node("q", "question", question="Q?", variable="v", next_node_id="a"),
        node("a", "action", actions=saves, next_node_id="e"),
        node("e", "end", message="Kept."),
    )
    product.say("hi")
    assert product.say("x" * (CONTACT_BYTES // 4)) == [APOLOGY]
    assert product.conversations.stored[product.key()].contact.fields == {}
    assert product.events.types == ["turn.contact_too_large"]
    assert product.say("Ana") == ["Kept."]


def test_a_timer_whose_turn_cannot_be_stored_fires_once() -> None:
    wait = node("d", "delay", seconds=60, next_node_id="m0")
    echoes = [node(f"m{i}", "message", text="{{v}}", next_node_id=f"m{i + 1}") for i in range(20)]
    product = talking(
        node("q", "question", question="Q?", variable="v", next_node_id="d"),
        wait,
        *echoes,
        node("m20", "end"),
        merge_texts=False,
    )
    product.say("hi")
    product.say("é" * 60_000)
    product.clock.forward(61)
    assert product.fire_due_timers() == 1
    product.run_queues()
    assert text_of(product.graph.sent[-1]) == APOLOGY
    assert product.conversations.stored[product.key()].session is None
    assert product.fire_due_timers() == 0


def test_the_window_of_a_late_message_is_as_old_as_the_message(product: Product) -> None:
    assert said_late(product, "Olá", SERVICE_WINDOW_SECONDS + 60) == []
    assert product.events.types == ["delivery.failed"]


class Broken(dict[str, str]):
    """Words that cannot be read, but copied."""

    def items(self) -> Any:
        raise RuntimeError("Ana")

    def __reduce__(self) -> Any:
        return Broken, (dict(self),)


def test_a_defect_of_the_engine_is_reported_with_its_place_and_without_user_data(product: Product) -> None:
    product.tenants.by_id[NUMBER].commands = Broken(parar="stop")
    assert product.say("Olá") == [APOLOGY]
    (event,) = product.events.events
    assert (event.type, event.detail["problem"], event.detail["error"]) == (
        "turn.failed",
        "engine_error",
        "RuntimeError",
    )
    assert (event.detail["module"], event.detail["function"]) == ("pytake.engine.commands", "_find")
    assert "Ana" not in str(event.detail)
