"""Reactions: which message they are to, and the questions that they answer."""

from typing import Any

import pytest

from pytake.conversation.transcript import ReadTranscript
from tests.conversation.product import NUMBER, PHONE, Product
from tests.engine.conversations import document, node

OWN = "wamid.OWN"
YES_NO = [{"label": "Yes", "value": "yes"}, {"label": "No", "value": "no"}]


def asking(**data: Any) -> Product:
    """A product whose bot has greeted the person, and asks."""
    product = Product()
    name = node("name", "question", question="Your name?", variable="name", next_node_id="ask")
    confirm = {"buttons": YES_NO, "reactions": {"👍": "yes", "👎": "no"}, "max_attempts": 1, **data}
    ask = node("ask", "question", question="Confirm?", variable="v", next_node_id="note", **confirm)
    note = node("note", "question", question="Noted: {{v}}.", variable="w", next_node_id="end")
    product.add_organization("acme", NUMBER, document(name, ask, note, node("end", "end", message="Thank you.")))
    product.say("hi")
    product.post(product.notification(product.message("Ana", id_=OWN)))
    product.run_queues()
    return product


def react(product: Product, emoji: str | None, to: str, **message: Any) -> list[str]:
    """What the bot says to a reaction."""
    content = {"message_id": to} if emoji is None else {"message_id": to, "emoji": emoji}
    return product.say("", type="reaction", reaction=content, **message)


def sent_id(product: Product, place: int) -> str:
    """Meta's id of a message of the bot."""
    found = product.deliveries.of_conversation(product.key())[place].message_id
    assert found is not None
    return found


def last(product: Product) -> Any:
    return product.conversations.turns(product.key())[-1]


def test_a_reaction_to_the_question_answers_it() -> None:
    product = asking()
    assert react(product, "👍🏿", sent_id(product, -1)) == ["Noted: yes."]
    assert [step.exit for step in last(product).path] == ["button:yes", "wait"]


@pytest.mark.parametrize("emoji", ["😮", "", None])
def test_a_reaction_without_a_meaning_here_is_no_wrong_answer(emoji: str | None) -> None:
    product = asking()
    before = product.conversations.stored[product.key()].session
    assert react(product, emoji, sent_id(product, -1)) == []
    assert (last(product).status, last(product).path) == ("recorded", [])
    assert product.conversations.stored[product.key()].session == before, "with its attempts and its timer"


def test_only_a_reaction_to_the_question_answers_it() -> None:
    product = asking()
    greeting, question = sent_id(product, 0), sent_id(product, -1)
    assert [react(product, "👍", to) for to in (greeting, OWN, "wamid.UNKNOWN")] == [[], [], []]
    assert react(product, "👎", question) == ["Noted: no."]
    assert react(product, "👍", question) == [], "the question was answered"


def test_a_reaction_changes_nothing_without_a_session_for_it() -> None:
    product = asking()
    question = sent_id(product, -1)
    product.say("human")
    assert react(product, "👍", question) == [], "an agent has it"
    product.say("stop")
    assert react(product, "👍", question) == []
    assert product.conversations.stored[product.key()].opted_out, "a reaction lifts no opt-out"


def test_a_reaction_opens_no_service_window_and_is_not_marked_as_read() -> None:
    product = asking()
    wrote_at, marked = product.conversations.stored[product.key()].last_inbound_at, len(product.receipts.marked)
    product.clock.now += 3600
    react(product, "👍", sent_id(product, -1))
    assert product.conversations.stored[product.key()].last_inbound_at == wrote_at
    assert last(product).window_opened_at == wrote_at
    assert len(product.receipts.marked) == marked


def test_a_reaction_to_a_group_is_only_recorded() -> None:
    product = asking()
    assert react(product, "👍", sent_id(product, -1), group_id="g1") == []


def test_the_transcript_says_to_which_message_a_reaction_is() -> None:
    product = asking(reactions=None)
    question = sent_id(product, -1)
    react(product, "👍", question)
    react(product, None, question)
    read = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    *_, asked, liked, removed = read(product.key())
    assert (asked.text, asked.message_id) == ("Confirm?", question)
    assert (liked.type, liked.speaker, liked.text, liked.reaction_to) == ("reaction", "user", "👍", question)
    assert (removed.type, removed.text, removed.reaction_to) == ("reaction", "", question)


def test_the_transcript_shows_reactions_of_the_bot_and_of_the_phone_app() -> None:
    product = Product()
    flow = document(node("like", "message", reaction={"emoji": "🎉"}, next_node_id="end"), node("end", "end"))
    product.add_organization("acme", NUMBER, flow)
    product.post(product.notification(product.message("hi")))
    product.run_queues()
    seen = {"type": "reaction", "reaction": {"message_id": "wamid.X", "emoji": "👀"}}
    echo = {**seen, "from": "551140000001", "to": PHONE, "id": "wamid.E"}
    value = {"message_echoes": [{**echo, "timestamp": str(int(product.clock()))}]}
    body = product.notification(product.message(""))
    change = body["entry"][0]["changes"][0]
    change.update(field="smb_message_echoes", value={"metadata": change["value"]["metadata"], **value})
    product.post(body)
    product.run_queues()
    read = ReadTranscript(product.conversations, product.deliveries, product.flows, product.history)
    said, liked, watched = read(product.key())
    assert (liked.speaker, liked.text, liked.reaction_to) == ("bot", "🎉", said.message_id)
    assert (watched.speaker, watched.text, watched.reaction_to) == ("agent", "👀", "wamid.X")
