"""Malicious and unusual answers change their variable and nothing else."""

import time
from typing import Any

import msgspec
import pytest

from pytake.conversation.records import STATE_BYTES, Organization, TurnRecord
from pytake.engine import Effect, EffectResult, HttpRequest, State
from tests.conversation.product import NUMBER, Product
from tests.engine.conversations import document, node

ANSWERS = {
    "a secret's template": "{{secrets.token}}",
    "a template of another variable": "{{city}} {{contact.phone}} {{input.text}}",
    "a template with filters": '{{ name | upper | default("x") }}',
    "half a template": "{{secrets.token",
    "a secret's mark": "\ue000token\ue001",
    "64 KB": "ab" * 32_768,
    "64 KB of emoji": "👩🏽‍🚀" * (65_536 // len("👩🏽‍🚀".encode())),
    "right to left": "مرحبا \u202eبالعالم\u202c שלום",
    "emoji sequences": "👩‍👩‍👧‍👦🏳️‍🌈🇧🇷👍🏽",
    "combining marks": "é\u0301\u0301\u0301" * 200,
    "NUL and control characters": "a\x00b\x01\x1b[31m\x7f",
    "bait for slow patterns": "a" * 30_000 + "!",
    "a slow pattern": "(a+)+$",
    "JSON": '{"f":"other","n":"end"}',
    "SQL": "'; DROP TABLE turns; --",
    "a line break": "one\r\nX-Header: two",
    "the key of another item": "ORG#globex#CONV#1#2",
    "a path": "../../etc/passwd",
    "formatting": "%s %(name)s {0} $HOME",
}
FLOW = document(
    node("start", "start", greeting="Hi!", next_node_id="name"),
    node(
        "name",
        "question",
        question="Name?",
        variable="name",
        validation={"type": "text", "error_message": "?"},
        next_node_id="slow",
    ),
    node(
        "slow",
        "condition",
        variable="name",
        operator="matches",
        value="^(a+)+$",
        true_next_node_id="call",
        false_next_node_id="call",
    ),
    node(
        "call",
        "api_call",
        url="https://x.io/{{name}}",
        headers={"Authorization": "Bearer {{secrets.token}}", "X-Name": "{{name}}"},
        body={"name": "{{name}}"},
        output_variable="answer",
        next_node_id="city",
        error_next_node_id="city",
    ),
    node("city", "question", question="{{name}}\n\nCity?", variable="city", next_node_id="end"),
    node("end", "end", message="Bye."),
)


class Watched:
    """An API that records its requests."""

    def __init__(self) -> None:
        self.asked: list[HttpRequest] = []

    def perform(self, key: Any, effect: Effect) -> EffectResult:
        assert isinstance(effect, HttpRequest)
        self.asked.append(effect)
        return EffectResult(ok=True, status=200, body="ok")


def quick_product(flow: dict[str, Any]) -> Product:
    """A product whose organization may send the seventeen messages of a long answer at once."""
    product = Product()
    product.add_organization("acme", NUMBER, flow)
    product.tenants.put_organization(Organization("acme", messages_per_minute=4000))
    return product


@pytest.fixture
def talk() -> Product:
    product = quick_product(FLOW)
    product.effects.performer = Watched()
    product.say("hi")
    return product


def asked(product: Product) -> HttpRequest:
    watched = product.effects.performer
    assert isinstance(watched, Watched)
    return watched.asked[-1]


def last(product: Product) -> TurnRecord:
    return product.conversations.turns(product.key())[-1]


def state(product: Product) -> State:
    session = product.conversations.stored[product.key()].session
    assert session is not None
    assert session.state is not None
    return State.decode(session.state)


@pytest.fixture
def plain(talk: Product) -> tuple[dict[str, Any], TurnRecord]:
    """The result of an ordinary answer."""
    product = Product()
    product.add_organization("acme", NUMBER, FLOW)
    product.effects.performer = Watched()
    product.say("hi")
    product.say("Ana")
    return state(product).variables, last(product)


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_changes_its_variable_and_nothing_else(
    talk: Product, plain: tuple[dict[str, Any], TurnRecord], said: str
) -> None:
    began = time.monotonic()
    talk.say(said)
    assert time.monotonic() - began < 5  # not a measurement: a slow pattern would take years
    found, record = state(talk), last(talk)
    variables, usual = plain
    assert found.variables == {**variables, "name": said.strip()}
    assert (record.status, record.path) == (usual.status, usual.path)
    assert [event.type for event in record.events] == [event.type for event in usual.events]
    assert found.node_id == "city"
    assert talk.conversations.stored.keys() == {talk.key()}
    assert talk.events.types == []


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS.keys())
def test_it_is_shown_as_it_is_and_never_rendered(talk: Product, said: str) -> None:
    talk.say(said)
    shown = "".join(str(payload["text"]["body"]) for payload in talk.graph.sent[1:])
    assert "".join(shown.split()) == "".join(f"{said}City?".split())
    assert all(len(payload["text"]["body"]) <= 4096 for payload in talk.graph.sent)
    assert talk.say("Recife") == ["Bye."]


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS.keys())
def test_no_secret_and_no_header_can_be_slipped_into_a_call(talk: Product, said: str) -> None:
    talk.say(said)
    request = asked(talk)
    real = request.with_secrets({"token": "s3cret"})
    assert real.headers["Authorization"] == "Bearer s3cret"
    assert "s3cret" not in msgspec.json.encode((real.url, real.headers["X-Name"], real.body)).decode()
    assert real.url.startswith("https://x.io/")
    assert real.url.isascii()
    assert "/" not in real.url.removeprefix("https://x.io/")
    assert not any(mark in real.headers["X-Name"] for mark in "\r\n")
    assert set(real.headers) == {"Authorization", "X-Name"}
    assert real.body == {"name": said.strip().replace("\ue000", "").replace("\ue001", "")}


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS.keys())
def test_a_profile_name_is_no_better_than_an_answer(said: str) -> None:
    product = quick_product(document(node("end", "end", message="Hi {{contact.name}}.")))
    body = product.notification(product.message("hi"))
    body["entry"][0]["changes"][0]["value"]["contacts"][0]["profile"]["name"] = said
    product.post(body)
    product.run_queues()
    shown = "".join(str(payload["text"]["body"]) for payload in product.graph.sent)
    assert "".join(shown.split()) == "".join(f"Hi {said}.".split())


def test_too_much_to_keep_is_not_kept_and_the_conversation_goes_on(talk: Product) -> None:
    talk.say("x" * 400_000)
    stored = talk.conversations.stored[talk.key()].session
    assert stored is None or len(stored.state or b"") < STATE_BYTES
    assert "value_too_large" in [event.type for event in last(talk).events]
    assert talk.say("Ana")
