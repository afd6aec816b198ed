"""From a signed webhook to the phone: what a person sees."""

import copy
from typing import Any

import pytest

from pytake.conversation.ports.common import ConflictError
from tests.conversation.product import ECHO_FLOW, NUMBER, PHONE, Product
from tests.fakes import MemoryErasure


def test_the_first_message_opens_and_the_next_ones_answer(product: Product) -> None:
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]
    assert product.say("A") == ["At least 2 letters, please."]
    assert product.say("Ana") == ["Bye, Ana."]
    assert product.say("again") == ["Hello!\n\nWhat is your name?"]


def test_replies_go_to_exactly_who_wrote(product: Product) -> None:
    product.say("Olá")
    assert product.graph.sent[0]["to"] == f"+{PHONE}"
    assert product.graph.sent[0]["biz_opaque_callback_data"] == f"acme|{NUMBER}|{PHONE}|1|0"


def test_the_same_webhook_five_times_makes_one_turn(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    for _ in range(5):
        product.post(body)
    product.run_queues()
    product.queues.forget_deduplication()
    product.clock.forward(3600)
    for _ in range(5):
        product.post(body)
        product.queues.forget_deduplication()
    product.run_queues()
    assert len(product.graph.sent) == 1
    assert len(product.conversations.turns(product.key())) == 1


def test_a_duplicate_repeats_a_lost_enqueue_and_nothing_else(product: Product) -> None:
    body = product.notification(product.message("Olá"))
    product.post(body)
    item = product.queues.inbound[0]
    product.take_turn(item)
    product.queues.outbound.clear()  # the worker died between the commit and the enqueue
    product.queues.forget_deduplication()
    product.take_turn(item)
    assert [outbound.turn for outbound in product.queues.outbound] == [1]
    assert len(product.conversations.turns(product.key())) == 1


def test_an_answer_that_is_enqueued_late_is_not_sent_after_an_opt_out(product: Product) -> None:
    product.say("Olá")
    product.post(product.notification(product.message("Ana")))
    item = product.queues.inbound.pop()
    product.take_turn(item)
    product.queues.outbound.clear()  # the worker died between the commit and the enqueue
    stopped = product.say("stop")
    product.clock.forward(300)  # until the queue delivers the item again
    product.queues.forget_deduplication()
    product.take_turn(item)
    sent = len(product.graph.sent)
    product.run_queues()
    assert stopped
    assert len(product.graph.sent) == sent
    [entry] = [entry for entry in product.deliveries.of_conversation(product.key()) if entry.turn == 2]
    assert (entry.state, entry.reason) == ("failed", "opted_out")


def test_somebody_who_was_erased_and_writes_again_is_answered_though_the_turns_count_anew(product: Product) -> None:
    product.say("Olá")
    product.clock.forward(30)  # SQS remembers what it took for five minutes
    erasure = MemoryErasure(product.conversations, product.deliveries, product.held_turns)
    erasure.remove(erasure.begin("acme", [product.key()], product.clock()))
    product.clock.forward(1)
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]


def test_an_answer_that_could_not_be_enqueued_comes_again(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    item = product.commit_unqueued(monkeypatch)
    product.take_turn(item)
    assert len(product.queues.outbound) == 1


def test_two_quick_messages_are_answered_in_order(product: Product) -> None:
    product.post(product.notification(product.message("Olá"), product.message("Ana")))
    records = product.run_queues()
    assert [record.status for record in records] == ["waiting", "completed"]
    assert [payload["text"]["body"] for payload in product.graph.sent] == ["Hello!\n\nWhat is your name?", "Bye, Ana."]


def test_a_thousand_people_at_once_get_their_own_answers(product: Product) -> None:
    phones = [str(5511900000000 + n) for n in range(1000)]
    product.post(product.notification(*[product.message("Olá", phone) for phone in phones]))
    product.post(product.notification(*[product.message(f"Name{phone}", phone) for phone in phones]))
    while product.queues.inbound:
        product.take_turn(product.queues.inbound.pop(0))
    answers = {item.contact_id: item.messages[0].text for item in product.queues.outbound}  # type: ignore[union-attr]
    assert answers == {phone: f"Bye, Name{phone}." for phone in phones}


def test_a_lost_race_is_decided_again_on_what_the_winner_left(product: Product) -> None:
    product.say("Olá")
    commit = product.conversations.commit
    conflicts = 2

    def contended(*turn: Any) -> None:
        nonlocal conflicts
        if conflicts:
            conflicts -= 1
            raise ConflictError
        commit(*turn)

    product.conversations.commit = contended  # type: ignore[method-assign]
    assert product.say("Ana") == ["Bye, Ana."]


def test_an_expired_session_begins_anew(product: Product) -> None:
    product.say("Olá")
    product.clock.forward(24 * 3600 + 1)
    assert product.say("Ana") == ["Hello!\n\nWhat is your name?"]
    record = product.conversations.turns(product.key())[-1]
    assert "session_expired" in [event.type for event in record.events]


def test_a_silent_session_is_closed_and_logged_by_the_clock(product: Product) -> None:
    product.say("Olá")
    product.clock.forward(23 * 3600)
    assert product.fire_due_timers() == 0
    product.clock.forward(3600 + 1)
    assert product.fire_due_timers() == 1
    product.queues.forget_deduplication()
    product.fire_due_timers()  # the schedule fired twice
    product.run_queues()
    assert product.fire_due_timers() == 0
    assert [record.status for record in product.conversations.turns(product.key())] == ["waiting", "expired"]


def test_what_is_due_is_taken_once_and_enqueued_again_after_a_crash(product: Product) -> None:
    flow = copy.deepcopy(ECHO_FLOW)
    flow["nodes"][1]["data"] |= {"timeout_seconds": 60, "timeout_next_node_id": "end"}
    product.publish("acme", flow)
    product.clock.forward(60)
    product.say("Olá")
    product.clock.forward(61)
    product.fire_due_timers()
    item = product.queues.inbound.pop()
    product.take_turn(item)
    product.queues.outbound.clear()  # the worker died between the commit and the enqueue
    product.queues.forget_deduplication()
    product.take_turn(item)
    assert [outbound.turn for outbound in product.queues.outbound] == [2]
    assert product.queues.outbound[0].window_closes_at == product.clock.now - 61 + 24 * 3600


def test_a_session_stays_on_the_version_it_began_with(product: Product) -> None:
    product.say("Olá")
    changed = copy.deepcopy(ECHO_FLOW)
    changed["nodes"][2]["data"]["message"] = "New: {{name}}."
    product.publish("acme", changed)
    assert product.say("Ana") == ["Bye, Ana."]
    product.clock.forward(60)  # a worker looks for a new version every few seconds
    product.say("Olá")
    assert product.say("Bia") == ["New: Bia."]


def test_organizations_with_the_same_contact_never_mix(product: Product) -> None:
    other = "200000000000002"
    product.add_organization("globex", other, ECHO_FLOW)
    product.say("Olá")
    assert product.say("Ana", number=other) == ["Hello!\n\nWhat is your name?"]
    assert product.say("Ana") == ["Bye, Ana."]
    assert len(product.conversations.turns(product.key())) == 2
    assert len(product.conversations.turns(product.key(organization_id="globex", number=other))) == 1


def test_stop_works_at_a_number_without_a_flow(product: Product) -> None:
    product.add_organization("globex", "200000000000002", None)
    (said,) = product.say("stop", number="200000000000002")
    key = product.key(organization_id="globex", number="200000000000002")
    assert said.startswith("All right, you will not receive any more messages.")
    assert product.conversations.stored[key].opted_out
    assert product.conversations.stored[key].session is None
    assert product.contacts.load("globex", key.contact_id).opted_out


def test_a_number_without_a_flow_apologises_once_and_tells_the_operator(product: Product) -> None:
    product.add_organization("globex", "200000000000002", None, apology="We are closed.")
    assert product.say("Olá", number="200000000000002") == ["We are closed."]
    assert product.say("Olá?", number="200000000000002") == []
    assert product.events.types == ["turn.flow_missing", "turn.flow_missing"]
    product.publish("globex", ECHO_FLOW)
    product.add_organization("globex", "200000000000002", ECHO_FLOW)
    assert product.say("Olá!", number="200000000000002") == ["Hello!\n\nWhat is your name?"]


def test_a_broken_state_apologises_and_the_next_message_works(product: Product) -> None:
    product.say("Olá")
    session = product.conversations.stored[product.key()].session
    assert session is not None
    session.state = b"{not a state"
    assert product.say("Ana") == ["Sorry, something went wrong on our side. Could you try again?"]
    assert product.events.types == ["turn.state_invalid"]
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]


def test_a_keyword_chooses_the_flow(product: Product) -> None:
    sales = copy.deepcopy(ECHO_FLOW) | {"id": "sales"}
    sales["nodes"][0]["data"]["greeting"] = "Sales here."
    product.publish("acme", sales)
    product.add_organization("acme", NUMBER, ECHO_FLOW, keywords={"preço": "sales"})
    assert product.say("Preco!") == ["Sales here.\n\nWhat is your name?"]
    assert product.say("something", phone="5511888888888") == ["Hello!\n\nWhat is your name?"]


def test_reactions_are_recorded_and_answered_by_nothing(product: Product) -> None:
    product.say("Olá")
    reaction = {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}}
    assert product.say("", **reaction) == []
    assert product.say("Ana") == ["Bye, Ana."]
    statuses = [record.status for record in product.conversations.turns(product.key())]
    assert statuses == ["waiting", "recorded", "completed"]


def test_what_is_said_in_a_group_is_recorded_and_not_answered(product: Product) -> None:
    message = product.message("Olá") | {"group_id": "g1"}
    product.post(product.notification(message))
    product.run_queues()
    assert product.graph.sent == []
    assert [record.status for record in product.conversations.turns(product.key())] == ["recorded"]


def test_restart_begins_the_flow_again(product: Product) -> None:
    product.say("Olá")
    assert product.say("Restart") == ["Hello!\n\nWhat is your name?"]
    assert product.say("Ana") == ["Bye, Ana."]


def test_a_message_to_a_number_that_was_removed_takes_no_turn(product: Product) -> None:
    product.post(product.notification(product.message("Olá")))
    product.tenants.by_id.clear()
    assert product.run_queues() == []
    assert product.events.types == ["turn.number_unknown"]


def test_audit_records_tell_the_way(product: Product) -> None:
    product.say("Olá")
    product.say("Ana")
    first, second = product.conversations.turns(product.key())
    assert [(step.node_id, step.exit) for step in first.path] == [("start", "next"), ("ask", "wait")]
    assert [(step.node_id, step.exit) for step in second.path] == [("ask", "next"), ("end", "end")]
    assert (first.flow_id, first.flow_version, first.session_id) == ("echo", 1, second.session_id)
    assert first.correlation_id == "request-1"


def test_what_a_flow_saves_of_a_contact_lasts(product: Product) -> None:
    flow = copy.deepcopy(ECHO_FLOW)
    flow["nodes"][1]["data"]["next_node_id"] = "save"
    actions = [
        {"type": "save_contact", "field": "name", "value": "{{name}}"},
        {"type": "save_contact", "field": "city", "value": "Recife"},
        {"type": "add_tag", "tag": "lead"},
    ]
    flow["nodes"].append({"id": "save", "type": "action", "data": {"actions": actions, "next_node_id": "end"}})
    product.publish("acme", flow)
    product.clock.forward(60)
    product.say("Olá")
    product.say("Bianca")
    product.say("Olá")
    contact = product.conversations.stored[product.key()].contact
    assert (contact.name, contact.fields["city"], contact.tags) == ("Bianca", "Recife", ["lead"])


def test_who_opts_out_is_answered_again_only_after_writing(product: Product) -> None:
    product.say("Olá")
    assert len(product.say("stop")) == 1
    assert product.conversations.stored[product.key()].opted_out
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]
    assert not product.conversations.stored[product.key()].opted_out


def test_a_conversation_with_a_person_is_recorded_and_not_answered(product: Product) -> None:
    product.say("Olá")
    assert len(product.say("atendente")) == 1
    assert product.say("hello?") == []
    assert [record.status for record in product.conversations.turns(product.key())] == ["waiting", "handoff", "human"]
    product.clock.forward(24 * 3600 + 1)
    assert product.say("Olá") == ["Hello!\n\nWhat is your name?"]


def test_old_news_of_a_timer_does_not_do_the_work_of_newer_news(product: Product) -> None:
    flow = copy.deepcopy(ECHO_FLOW)
    flow["nodes"][1]["data"] |= {"timeout_seconds": 60, "timeout_next_node_id": "end"}
    product.publish("acme", flow)
    product.clock.forward(60)
    product.say("Olá")
    product.clock.forward(61)
    product.fire_due_timers()
    old = product.queues.inbound.pop()
    product.say("A")  # the question is asked again, with a new timer
    product.clock.forward(61)
    assert product.take_turn(old) is None
    assert len(product.conversations.turns(product.key())) == 2
