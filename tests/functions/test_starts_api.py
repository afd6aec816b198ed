"""Starting conversations by REST, through the handlers: the queued start, its turn, and every refusal."""

import base64
import json
from typing import Any, get_args

import boto3
import pytest

from functions.flow_runner.handler import handler as flow_runner
from pytake.aws.uploads import DynamoUploads
from pytake.conversation.opening import RefusalCode
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate
from pytake.wiring import api as wiring
from pytake.wiring import shared
from pytake.wiring.templates import templates
from rest.problems import PROBLEM_CODES
from rest.starts import REFUSALS
from tests.functions.conftest import Answer, Gateway, LambdaContext
from tests.functions.samples import NUMBER, inbound_event
from tests.functions.world import ANA, FIRST, World

ADDRESS = f"/api/v1/conversations/{ANA}/start"
TEMPLATE = {
    "name": "order_ready",
    "language": "pt-BR",
    "components": [
        {"type": "body", "parameters": [{"type": "text", "text": "{{contact.name | default('you')}} {{order}}"}]}
    ],
    "category": "utility",
}
BODY = {"phone_number_id": FIRST, "flow_id": "hello", "parameters": {"order": "42"}, "template": TEMPLATE}


@pytest.fixture
def world(gateway: Gateway) -> World:
    return World(gateway)


def queued() -> list[dict[str, Any]]:
    """Take what is on the inbound queue."""
    sqs = boto3.client("sqs")
    url = wiring.settings().inbound_queue_url
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in found]


def run() -> None:
    for item in queued():
        assert flow_runner(inbound_event(item), LambdaContext()) == {"batchItemFailures": []}


def start(world: World, body: dict[str, Any] = BODY, key: str = "k1", address: str = ADDRESS) -> Answer:
    return world.api("POST", address, body, role="agent", headers={"Idempotency-Key": key})


def test_a_start_is_accepted_and_its_answer_leads_to_the_conversation(world: World) -> None:
    answer = start(world)
    assert answer.status == 202, answer.body
    assert start(world).body == answer.body
    (item,) = queued()
    assert item["start"]["template"]["language"] == "pt_BR"
    assert flow_runner(inbound_event(item), LambdaContext()) == {"batchItemFailures": []}
    state = world.api(
        "GET", answer.body["links"]["conversation"].partition("?")[0], query={"phone_number_id": FIRST}
    ).body
    assert (state["flow_id"], state["node_id"], state["status"], state["variables"]) == (
        "hello",
        None,
        "waiting",
        {"order": "42"},
    )
    transcript, _, query = answer.body["links"]["transcript"].partition("?")
    (message,) = world.api("GET", transcript, query=dict([query.split("=")])).body["messages"]
    assert (message["type"], message["text"]) == ("template", "order_ready")
    world.says("tomorrow")
    state = world.api("GET", f"/api/v1/conversations/{ANA}").body
    assert state["node_id"] == "name", "the answer has started the flow"


def test_a_repeated_start_is_the_same_start_also_later(world: World) -> None:
    first = start(world)
    run()
    world.says("tomorrow")
    assert start(world).body == first.body
    assert queued() == []
    refused = start(world, key="k2")
    assert (refused.status, refused.body["code"]) == (409, "in_session")


def test_a_flow_starts_at_once_within_the_window(world: World) -> None:
    world.says("Hi")
    world.api("POST", f"/api/v1/conversations/{ANA}/close", role="agent")
    answer = start(world, {"phone_number_id": FIRST, "flow_id": "hello"})
    assert answer.status == 202
    run()
    assert world.api("GET", f"/api/v1/conversations/{ANA}").body["node_id"] == "name"


def test_refusals_have_stable_codes(world: World) -> None:
    def code(body: dict[str, Any], address: str = ADDRESS) -> tuple[int, str]:
        answer = start(world, body, "refused", address)
        return answer.status, answer.body["code"]

    assert code({"phone_number_id": FIRST, "flow_id": "hello"}) == (409, "window_closed")
    assert code(BODY | {"flow_id": "nothing"}) == (404, "flow_unknown")
    assert code(BODY | {"phone_number_id": "100000000000003"}) == (404, "number_unknown")
    assert code(BODY, "/api/v1/conversations/12345/start") == (422, "recipient_invalid")
    assert code(BODY, "/api/v1/conversations/55-11/start") == (422, "person_invalid")
    assert code(BODY | {"parameters": {"order": "x" * 70_000}}) == (413, "parameters_too_large")
    blank = TEMPLATE | {"components": [{"type": "body", "parameters": [{"type": "text", "text": "{{nothing}}"}]}]}
    assert code(BODY | {"template": blank}) == (422, "parameter_missing")
    broken = TEMPLATE | {"components": [{"type": "body", "parameters": [{"type": "text", "text": "{{x | no}}"}]}]}
    assert code(BODY | {"template": broken}) == (422, "invalid_request")
    assert code({"phone_number_id": FIRST}) == (422, "invalid_request")
    assert queued() == []


def test_the_copy_of_the_template_and_consent_decide(world: World) -> None:
    world.api("PUT", f"/api/v1/numbers/{FIRST}", NUMBER | {"waba_id": "5", "verify_token": f"verify-token-{FIRST}"})
    key = TemplateKey("acme", "5", "order_ready", "pt_BR")
    text = [{"type": "BODY", "text": "{{1}}"}]

    def code(status: str, category: str = "UTILITY") -> str:
        copied = StoredTemplate("5", MessageTemplate("order_ready", "pt_BR", "1", category, status, components=text))
        templates().change(key, lambda _: copied)
        for cached in (shared.tenants, templates, wiring.plan_opening, wiring.start_flow):
            cached.cache_clear()
        return str(start(world, key="refused").body["code"])

    assert code("PAUSED") == "template_paused"
    assert code("DELETED") == "template_missing"
    assert code("APPROVED", "MARKETING") == "no_consent"


def test_a_budget_is_checked_before_the_start_and_reserved_in_its_turn(world: World) -> None:
    priced = BODY | {"template": TEMPLATE | {"category": "utility"}}
    assert world.api("PUT", "/api/v1/organization", {"monthly_budget_micros": 6_800}).status == 200
    assert start(world, priced).status == 202
    run()
    assert world.api("GET", "/api/v1/reports/budget").body["reserved_micros"] == 6_800
    refused = start(world, priced, "k2", "/api/v1/conversations/5511888888888/start")
    assert (refused.status, refused.body["code"]) == (409, "budget_exhausted")
    foreign = start(world, priced, "k3", "/api/v1/conversations/4930123456/start")
    assert (foreign.status, foreign.body["code"]) == (409, "price_unknown")


def test_agents_and_builders_start_conversations_and_analysts_do_not(world: World) -> None:
    answers = {
        role: world.api("POST", ADDRESS, BODY, role=role).status for role in ("admin", "agent", "builder", "analyst")
    }
    assert answers == {"admin": 202, "agent": 202, "builder": 202, "analyst": 403}


def test_each_refusal_of_the_use_case_has_a_problem() -> None:
    assert set(get_args(RefusalCode)) == set(REFUSALS)
    assert PROBLEM_CODES.keys() >= set(get_args(RefusalCode))


def test_a_start_and_a_send_do_not_take_a_file_that_cannot_be_sent(world: World) -> None:
    content = base64.b64encode(b"\xff\xd8\xff\xe0 picture").decode()
    picture = {"mime_type": "image/jpeg", "content": content, "keep": True}
    file_id = world.api("POST", "/api/v1/media", picture, role="builder").body["id"]
    send = f"/api/v1/conversations/{ANA}/send"
    cases = [("file-" + "0" * 32, "image", 404, "media_unknown"), (file_id, "video", 422, "media_unsupported")]
    for id_, kind, status, code in cases:
        template = TEMPLATE | {"components": [{"type": "header", "parameters": [{"type": kind, kind: {"id": id_}}]}]}
        started = start(world, BODY | {"template": template}, key=code)
        assert (started.status, started.body["code"]) == (status, code)
        sent = {"template": {name: template[name] for name in ("name", "language", "components")}}
        refused = world.api("POST", send, sent, role="agent", query={"phone_number_id": FIRST})
        assert (refused.status, refused.body["code"]) == (status, code)
        assert refused.body["errors"][0]["field"] == f"template.components[0].parameters[0].{kind}.id"
    template = TEMPLATE | {
        "components": [{"type": "header", "parameters": [{"type": "image", "image": {"id": file_id}}]}]
    }
    assert start(world, BODY | {"template": template}, key="good").status == 202
    uploads = DynamoUploads(shared.table(), shared.retention())
    uploads.delete("acme", file_id)
    run()
    assert world.api("GET", f"/api/v1/conversations/{ANA}", query={"phone_number_id": FIRST}).status == 404
