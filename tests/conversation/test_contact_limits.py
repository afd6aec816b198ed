"""What one contact may cause: messages that take a turn, and calls of APIs and models."""

from typing import Any

import pytest

from pytake.conversation.contact_usage import MESSAGES_PER_MINUTE, SLOT_SECONDS
from pytake.conversation.records import Organization, TurnRecord
from pytake.conversation.retry_later import RetryLaterError
from pytake.engine import EffectResult, HttpRequest, ModelRequest, built_in_text
from pytake.engine.limits import EFFECTS
from tests.conversation.product import NUMBER, PHONE, Product

NOTICE = built_in_text("en", "too_many_messages")


def flow(*nodes: dict[str, Any]) -> dict[str, Any]:
    return {"format": 1, "id": "main", "language": "en", "start_node_id": nodes[0]["id"], "nodes": list(nodes)}


def node(id_: str, type_: str, **data: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, "data": data}


ECHO = flow(
    node("ask", "question", question="Say:", variable="said", next_node_id="tell"),
    node("tell", "message", text="{{said}}", next_node_id="ask"),
)
CALLING = flow(
    node("api", "api_call", url="https://x.io/", output_variable="x", next_node_id="model"),
    node("model", "ai_prompt", model="m", prompt="Hi", output_variable="y", next_node_id="ask"),
    node("ask", "question", question="{{x_error}} {{y_error}}", variable="said", next_node_id="api"),
)


class Performer:
    """Answers every call, and counts them."""

    def __init__(self) -> None:
        self.calls: list[type] = []

    def perform(self, _: Any, effect: HttpRequest | ModelRequest) -> EffectResult:
        self.calls.append(type(effect))
        return EffectResult(ok=True, status=200, body="ok")


@pytest.fixture
def product() -> Product:
    product = Product()
    product.add_organization("acme", NUMBER, ECHO)
    return product


def flood(product: Product, count: int, phone: str = PHONE) -> list[TurnRecord]:
    """The records of so many messages that arrive at once."""
    product.post(product.notification(*(product.message(f"m{index}", phone) for index in range(count))))
    records = [product.take_turn(item) for item in product.queues.inbound]
    product.queues.inbound.clear()
    product.queues.outbound.clear()  # sending has limits of its own
    return [record for record in records if record is not None]


def texts(records: list[TurnRecord]) -> list[str]:
    return [getattr(message, "text", "") for record in records for message in record.messages]


def test_messages_over_the_limit_are_recorded_without_a_turn_and_answered_with_one_notice(product: Product) -> None:
    records = flood(product, MESSAGES_PER_MINUTE + 40)
    over = records[MESSAGES_PER_MINUTE:]
    assert {record.status for record in records[:MESSAGES_PER_MINUTE]} == {"waiting"}
    assert {record.status for record in over} == {"limited"}
    assert texts(over) == [NOTICE]
    assert [record.input.text for record in over] == [f"m{index}" for index in range(20, 60)]
    assert not any(record.path or record.effects for record in over)


def test_the_conversation_goes_on_after_a_minute_where_it_was(product: Product) -> None:
    flood(product, MESSAGES_PER_MINUTE + 1)
    product.clock.forward(59)
    assert product.say("still waiting") == []
    product.clock.forward(SLOT_SECONDS + 1)
    assert product.say("again") == ["again\n\nSay:"]
    assert texts(flood(product, MESSAGES_PER_MINUTE))[-1:] == [NOTICE]


@pytest.mark.parametrize("begin", range(0, 60, 7))
def test_no_minute_has_more_turns_than_the_limit_wherever_it_begins(product: Product, begin: int) -> None:
    """Fixed minutes would take twice as many around their boundary."""
    product.clock.forward(begin)
    taken: list[float] = []
    for _ in range(60):  # three messages a second, for two seconds out of five
        for pause in (0, 0, 1, 0, 0, 4):
            record = flood(product, 1)[0]
            if record.status == "waiting":
                taken.append(product.clock.now)
            product.clock.forward(pause)
    assert all(sum(at - 60 < one <= at for one in taken) <= MESSAGES_PER_MINUTE for at in taken)
    assert len(taken) >= 300 / 70 * MESSAGES_PER_MINUTE, "a person who writes too much is still answered"


def test_a_long_flood_gets_a_notice_a_minute(product: Product) -> None:
    told = 0
    for _ in range(120):
        told += texts(flood(product, 2)).count(NOTICE)
        product.clock.forward(1)
    assert told == 2


def test_a_contact_does_not_use_up_the_limit_of_another(product: Product) -> None:
    flood(product, MESSAGES_PER_MINUTE + 1)
    assert product.say("Hi", phone="5511988880002") == ["Say:"]


def test_an_organization_sets_its_own_limit(product: Product) -> None:
    product.tenants.put_organization(Organization("acme", language="pt_BR", contact_messages_per_minute=3))
    assert texts(flood(product, 9))[-1:] == [built_in_text("pt_BR", "too_many_messages")]
    assert [record.status for record in product.conversations.turns(product.key())].count("limited") == 6


def test_stop_works_over_the_limit_and_what_follows_it_is_not_answered(product: Product) -> None:
    flood(product, MESSAGES_PER_MINUTE + 5)
    assert product.say("stop") == [built_in_text("en", "opted_out")]
    assert product.say("one more") == []
    conversation = product.conversations.load(product.key())
    assert conversation is not None
    assert conversation.opted_out


def test_an_opted_out_contact_over_the_limit_gets_no_notice(product: Product) -> None:
    flood(product, MESSAGES_PER_MINUTE - 1)
    product.say("stop")
    assert texts(flood(product, 3)) == []


def test_an_agent_gets_every_message(product: Product) -> None:
    product.say("human")
    assert {record.status for record in flood(product, 2 * MESSAGES_PER_MINUTE)} == {"human"}


def test_messages_that_meta_delivers_late_count_when_they_were_sent(product: Product) -> None:
    sent = [
        product.message(f"m{index}") | {"timestamp": str(int(product.clock.now) - 600 + 10 * index)}
        for index in range(40)
    ]
    product.post(product.notification(*sent))
    assert {record.status for record in map(product.take_turn, product.queues.inbound) if record} == {"waiting"}


def calling(product: Product, **limits: int) -> Performer:
    product.publish("acme", CALLING)
    product.tenants.put_organization(Organization("acme", **limits))  # type: ignore[arg-type]
    performer = Performer()
    product.effects.performer = performer
    return performer


def test_the_calls_of_a_contact_are_limited_within_an_hour(product: Product) -> None:
    performer = calling(product, contact_api_calls_per_hour=3, contact_model_calls_per_hour=2)
    answers = [[text.strip() for text in product.say("more")] for _ in range(5)]
    assert performer.calls.count(HttpRequest) == 3
    assert performer.calls.count(ModelRequest) == 2
    refused = "call_limit: This contact has caused too many calls within an hour."
    assert answers[1:] == [[], [refused], [f"{refused} {refused}"], [f"{refused} {refused}"]]
    product.clock.forward(3600)
    product.say("later")
    assert performer.calls.count(HttpRequest) == 4
    product.say("Hi", phone="5511988880002")
    assert performer.calls.count(HttpRequest) == 5


def test_a_turn_makes_at_most_twenty_calls(product: Product) -> None:
    chain = [
        node(str(index), "api_call", url="https://x.io/", next_node_id=str(index + 1) if index < EFFECTS else None)
        for index in range(EFFECTS + 1)
    ]
    product.authoring.save_draft("acme", "main", flow(*chain))
    assert "too_many_effects" in {problem.code for problem in product.authoring.draft("acme", "main").problems}
    documents = {"main": flow(*chain)}
    performer = calling(product)
    version = product.flows.published["acme", "main"][-1]
    version.documents.clear()
    version.documents.update(documents)
    [record] = flood(product, 1)
    assert len(performer.calls) == EFFECTS
    assert record.status == "failed"
    assert [event.type for event in record.events][-1] == "effect_budget_exceeded"


def test_every_call_and_every_limited_message_is_counted(product: Product) -> None:
    calling(product, contact_messages_per_minute=2, contact_api_calls_per_hour=1)
    measured: list[str] = []
    product.start_flow_runner(lambda name, _: measured.append(name))
    flood(product, 5)
    names = ("ApiCalls", "ModelCalls", "CallsLimited", "MessagesLimited")
    assert [measured.count(name) for name in names] == [1, 2, 1, 3]


def test_a_turn_returns_to_the_queue_when_its_organization_has_too_many_calls_in_progress(product: Product) -> None:
    performer = calling(product)
    product.effect_slots.per_organization = 1
    slot = product.effect_slots.take("acme", product.clock.now)
    assert slot is not None
    with pytest.raises(RetryLaterError):
        product.say("Hi")
    assert performer.calls == []
    assert product.conversations.turns(product.key()) == []
    product.effect_slots.free("acme", slot)
    product.say("Hi", phone="5511988880002")
    assert performer.calls == [HttpRequest, ModelRequest]
    assert product.effect_slots.taken == {"acme": set()}
