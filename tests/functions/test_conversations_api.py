"""Conversations by REST, through the handlers: who sees what, pages, agents' messages, forgetting a person."""

import base64
import json
import math
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from cli.main import app
from pytake.conversation.queues import OutboundItem
from pytake.conversation.records import ConversationKey, Delivery
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.outbound import Text
from pytake.whatsapp.templates import MessageTemplate
from pytake.wiring import api, shared
from pytake.wiring.conversations import conversations
from pytake.wiring.templates import templates
from rest import conversations as rest_conversations
from rest.cursor import write_list_cursor
from tests.functions.conftest import Gateway
from tests.functions.samples import FLOW, NUMBER, QUESTION
from tests.functions.world import ANA, BIA, FIRST, SECOND, World
from tests.table import INDEXES

CONVERSATION = f"/api/v1/conversations/{ANA}"
TRANSCRIPT = f"/api/v1/whatsapp-analytics/conversations/{ANA}/transcript"
ERASE = f"/api/v1/contacts/{ANA}"
ROUTES = [
    ("GET", "/api/v1/conversations", None),
    ("GET", CONVERSATION, None),
    ("GET", TRANSCRIPT, None),
    ("POST", f"{CONVERSATION}/send", {"text": "Hi"}),
    ("POST", f"{CONVERSATION}/events", {"name": "paid"}),
    ("POST", f"{CONVERSATION}/close", None),
    ("POST", f"{CONVERSATION}/resume", None),
]


@pytest.fixture
def world(gateway: Gateway) -> World:
    return World(gateway)


def test_the_state_shows_where_the_flow_stands_and_what_it_knows(world: World) -> None:
    world.says("Hi")
    world.says("Maria")
    state = world.api("GET", CONVERSATION, role="agent").body
    assert (state["flow_id"], state["flow_version"], state["node_id"]) == ("hello", 1, "city")
    assert (state["variables"], state["mode"], state["status"]) == ({"name": "Maria"}, "bot", "waiting")
    assert (state["phone"], state["name"], state["tags"], state["fields"]) == (f"+{ANA}", "Ana", [], {})
    assert (state["opted_out"], state["phone_number_id"], state["contact_id"]) == (False, FIRST, ANA)
    assert state["session"]["expires_at"] > state["session"]["started_at"]
    assert state["window_closes_at"] > state["last_inbound_at"]


def test_the_list_shows_the_last_message(world: World) -> None:
    def last() -> dict[str, str] | None:
        [[entry]] = world.pages(10)
        found: dict[str, str] | None = entry["last_message"]
        return found

    world.says("Hi")
    assert (last() or {})["speaker"] == "bot"
    sent = {"text": "é" * 200}
    assert world.api("POST", f"{CONVERSATION}/send", sent, role="agent").status == 200
    assert last() == {"speaker": "agent", "type": "text", "text": "é" * 120}
    world.says("Thanks")
    assert last() == {"speaker": "user", "type": "text", "text": "Thanks"}
    message_id = world.api("GET", TRANSCRIPT, role="agent").body["messages"][-1]["message_id"]
    world.says_message({"type": "revoke", "revoke": {"original_message_id": message_id}})
    assert last() == {"speaker": "user", "type": "revoke", "text": ""}, "a text that its sender deleted is not shown"


def test_a_phone_may_be_written_in_other_ways(world: World) -> None:
    world.says("Hi")
    # Brazil's older spelling has no 9 before the number: 55 11 9999-9999 is another way to write it.
    for spelling in ("+5511999999999", "%2B5511999999999", "551199999999"):
        found = world.api("GET", f"/api/v1/conversations/{spelling}")
        assert (found.status, found.body.get("contact_id")) == (200, ANA)


def test_a_business_scoped_user_id_names_a_person_too(world: World) -> None:
    world.says("Hi", "BR.13491208655302741918")
    state = world.api("GET", "/api/v1/conversations/BR.13491208655302741918").body
    assert (state["contact_id"], state["phone"]) == ("BR.13491208655302741918", None)


def test_with_several_numbers_it_is_the_latest_or_the_one_asked_for(world: World) -> None:
    world.says("Hi")
    world.says("Hi", number=SECOND)
    assert world.api("GET", CONVERSATION).body["phone_number_id"] == SECOND
    world.says("Maria")
    assert world.api("GET", CONVERSATION).body["phone_number_id"] == FIRST
    asked = world.api("GET", CONVERSATION, query={"phone_number_id": SECOND})
    assert asked.body["phone_number_id"] == SECOND
    assert world.api("GET", CONVERSATION, query={"phone_number_id": "100000000000003"}).status == 404


def test_who_is_unknown_gets_404(world: World) -> None:
    for person in ("5511900000000", "nobody", "a#b", "BR.1"):
        for method, path, body in ROUTES[1:]:
            answer = world.api(method, path.replace(ANA, person), body)
            assert (answer.status, answer.body["code"]) in (
                (404, "conversation_unknown"),
                (404, "route_unknown"),  # an address with a raw # in it
            )


MEANS_NOBODY = [
    "1",
    "%23",
    "5511-99999-0001",
    "%2B55%2011999990001",
    "٥٥١١٩٩٩٩٩٠٠٠١",
    "５５１１９９９９９０００１",
    "9" * 21,
]


@pytest.mark.parametrize("person", MEANS_NOBODY)
def test_what_names_nobody_is_a_mistake_and_nobody_seems_erased(world: World, person: str) -> None:
    for method, path, body in [*ROUTES[1:], ("DELETE", ERASE, None)]:
        answer = world.api(method, path.replace(ANA, person), body)
        assert (answer.status, answer.body["code"]) == (422, "person_invalid"), (method, path)


def test_conversations_are_for_agents_and_admins(world: World) -> None:
    world.says("Hi")
    for method, path, body in [*ROUTES, ("DELETE", ERASE, None)]:
        for role in ("builder", "analyst"):
            refused = world.api(method, path, body, role=role)
            assert (refused.status, refused.body["code"]) == (403, "role_not_allowed")
        assert world.api(method, path, body, role="agent").status in (200, 204)


def test_two_organizations_talk_to_the_same_person_without_knowing(world: World) -> None:
    world.says("Hi")
    world.says("Maria")
    for method, path, body in ROUTES[1:]:
        assert world.api(method, path, body, org="globex").status == 404
    assert world.api("GET", "/api/v1/conversations", org="globex").body == {"conversations": [], "next_cursor": None}
    world.says("Hi", org="globex", number="100000000000003")
    assert world.api("GET", CONVERSATION, org="globex").body["variables"] == {}
    assert "Maria" not in str(world.api("GET", TRANSCRIPT, org="globex").body)
    assert world.api("POST", f"{CONVERSATION}/close", org="globex").body["status"] == "idle"
    assert world.api("GET", CONVERSATION).body["status"] == "waiting"
    assert world.api("DELETE", ERASE, org="globex").status == 204
    assert world.api("GET", CONVERSATION, org="globex").status == 404
    assert world.api("GET", CONVERSATION).body["variables"] == {"name": "Maria"}


def test_every_conversation_is_on_one_page_and_the_latest_is_first(world: World) -> None:
    phones = [f"55119000000{n:02}" for n in range(11)]
    for phone in phones:
        world.says("Hi", phone)
    pages = world.pages(4)
    assert [len(page) for page in pages] == [4, 4, 3]
    assert sorted(found["contact_id"] for page in pages for found in page) == phones
    (whole,) = world.pages(100)
    assert [found["contact_id"] for found in whole] == phones[::-1]
    world.says("Maria", phones[0])
    assert world.pages(100)[0][0]["contact_id"] == phones[0]
    for page in (whole, *pages):
        times = [found["last_activity_at"] for found in page]
        assert times == sorted(times, reverse=True)


def test_the_list_narrows_by_status_and_number(world: World) -> None:
    world.says("Hi")
    world.says("Hi", BIA, number=SECOND)
    world.api("POST", f"/api/v1/conversations/{BIA}/send", {"text": "Hello"})
    world.says("Hi", "5511977777777")
    world.api("POST", "/api/v1/conversations/5511977777777/close")

    def contacts(**query: str) -> list[str]:
        return [found["contact_id"] for page in world.pages(1, **query) for found in page]

    assert contacts(status="waiting") == [ANA]
    assert contacts(status="human") == contacts(phone_number_id=SECOND) == [BIA]
    assert contacts(status="idle") == ["5511977777777"]
    assert contacts(status="idle", phone_number_id=SECOND) == []
    assert contacts(phone_number_id="100000000000003") == []


def test_agents_see_who_was_handed_off_to_them_and_why(world: World) -> None:
    nodes = [
        {"id": "ask", "type": "question", "data": {"question": "Name?", "variable": "name", "next_node_id": "hand"}},
        {"id": "hand", "type": "handoff", "data": {"department": "sales", "priority": 1, "note": "{{name}} waits."}},
    ]
    world.api("PUT", "/api/v1/flows/hello", FLOW | {"start_node_id": "ask", "nodes": nodes})
    assert world.api("POST", "/api/v1/flows/hello/publish").status == 200
    for phone in (ANA, BIA):
        world.says("Hi", phone)
    world.says("Maria")
    state = world.api("GET", CONVERSATION, role="agent").body
    assert (state["flow_id"], state["node_id"], state["variables"]) == ("hello", "hand", {"name": "Maria"})
    handoff = state["handoff"]
    assert handoff.pop("at") == state["last_activity_at"]
    assert handoff == {"reason": "flow", "department": "sales", "priority": 1, "note": "Maria waits."}
    for query in ({"department": "Sales"}, {"priority": "1"}, {"sort": "priority"}, {"sort": "department"}):
        (found,) = world.pages(100, **query)
        assert [(one["contact_id"], one["handoff"]["note"]) for one in found] == [(ANA, "Maria waits.")]
    assert world.pages(100, department="billing") == [[]]
    (everybody,) = world.pages(100)
    assert [one["contact_id"] for one in everybody] == [ANA, BIA]
    cursor = world.api("GET", "/api/v1/conversations", query={"limit": "1"}).body["next_cursor"]
    refused = world.api("GET", "/api/v1/conversations", query={"cursor": cursor, "sort": "priority"})
    assert (refused.status, refused.body["code"]) == (400, "cursor_invalid"), "a cursor belongs to its order"


def forged(organization_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps(["", 1, FIRST, ANA, organization_id]).encode()).decode()


def test_a_cursor_is_only_good_for_its_own_list(world: World) -> None:
    for phone in (ANA, BIA):
        world.says("Hi", phone)
    cursor = world.api("GET", "/api/v1/conversations", query={"limit": "1"}).body["next_cursor"]
    changed = cursor[:-3] + ("AAA" if not cursor.endswith("AAA") else "BBB")
    wrong = ["x", "", "é", "====", "W10", cursor[:-4], changed, cursor * 20, forged("acme"), "bnVsbA"]
    for text in wrong:
        refused = world.api("GET", "/api/v1/conversations", query={"cursor": text})
        assert (refused.status, refused.body["code"]) == (400, "cursor_invalid"), text
    foreign = world.api("GET", "/api/v1/conversations", query={"cursor": cursor}, org="globex")
    assert (foreign.status, foreign.body["code"]) == (400, "cursor_invalid")


def test_what_the_list_cannot_do_is_refused(world: World) -> None:
    wrong = {
        "limit": ["0", "101", "x"],
        "status": ["x", ""],
        "sort": ["x", ""],
        "department": [""],
        "phone_number_id": ["#", "1"],
    }
    for name, value in [(name, value) for name, values in wrong.items() for value in values]:
        refused = world.api("GET", "/api/v1/conversations", query={name: value})
        assert (refused.status, refused.body["code"]) == (422, "invalid_request"), (name, value)


def test_the_transcript_has_everybody_in_order_and_what_arrived(world: World) -> None:
    world.says("Hi")
    world.says("Maria")
    assert world.api("POST", f"{CONVERSATION}/send", {"text": "Agent here"}).body["delivery"] == "queued"
    world.says("Oh!")
    key, deliveries = ConversationKey("acme", FIRST, ANA), shared.deliveries()
    for turn, state in ((1, "accepted"), (2, "waiting")):
        deliveries.claim(key, Delivery(turn, 0, state), None)  # type: ignore[arg-type]
    deliveries.record_status(key, 1, 0, send=1, status="read", at=1.0, message_id="wamid.out", code=None)
    transcript = world.api("GET", TRANSCRIPT, role="agent").body
    said = [(m["speaker"], m["text"], m["node_id"], m["delivery"]) for m in transcript["messages"]]
    assert said == [
        ("user", "Hi", None, None),
        ("bot", "Hi!\n\nYour name?", "name", "read"),
        ("user", "Maria", "name", None),
        ("bot", "Your city?", "city", "waiting"),
        ("agent", "Agent here", None, "queued"),
        ("user", "Oh!", None, None),
    ]
    assert transcript["truncated"] is False
    assert {m["flow_id"] for m in transcript["messages"][:4]} == {"hello"}
    assert len({m["session_id"] for m in transcript["messages"]}) == 1


def test_the_records_of_a_conversation_replay(world: World, tmp_path: Path) -> None:
    for text in ("Hi", "Ana", "Recife"):
        world.says(text)
    answer = world.api("GET", f"{CONVERSATION}/records")
    assert (answer.status, answer.content_type) == (200, "application/x-ndjson")
    records, flow = tmp_path / "records.jsonl", tmp_path / "hello.json"
    records.write_text(answer.body)
    flow.write_text(json.dumps(QUESTION))
    same = CliRunner().invoke(app, ["replay", str(records), "--flow", str(flow), "--json"])
    assert same.exit_code == 0, same.output
    flow.write_text(json.dumps(QUESTION).replace("Your city?", "Your town?"))
    assert CliRunner().invoke(app, ["replay", str(records), "--flow", str(flow), "--json"]).exit_code == 1
    assert world.api("GET", f"{CONVERSATION}/records", role="agent").status == 403
    assert world.api("GET", f"{CONVERSATION}/records", org="globex").status == 404


def record_pages(world: World, person: str = ANA) -> list[str]:
    pages, path, query = [], f"/api/v1/conversations/{person}/records", dict[str, str]()
    while True:
        page = world.api("GET", path, query=query)
        pages.append(page.body)
        if "link" not in page.headers:
            return pages
        assert page.headers["truncated"] == "true"
        path, _, text = page.headers["link"].removeprefix("<").partition(">")[0].partition("?")
        query = dict(parse_qsl(text))


def test_the_records_of_a_merged_conversation_are_read_with_the_one_that_stays(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.says("Hi")
    world.says("Hi", "BR.77a", user_id="BR.77a")
    world.says("Ana", user_id="BR.77a")
    for size in (4_000_000, 1):  # all at once, and one on each page
        monkeypatch.setattr(rest_conversations, "RECORDS_BYTES", size)
        for person in (ANA, "BR.77a"):
            lines = "".join(reversed(record_pages(world, person))).splitlines()
            places = [(record.get("merged_from"), record["seq"]) for record in map(json.loads, lines)]
            assert places[:2] == [(None, 1), ("BR.77a", 1)]
            assert sorted(places, key=str) == sorted([*places[:2], (None, 2), ("BR.77a", 2), (None, 3)], key=str)
            assert places[-1] == (None, 3)
    wrong = write_list_cursor(f"records of {FIRST} {ANA}", "acme", "x BR.77a")
    assert world.api("GET", f"{CONVERSATION}/records", query={"cursor": wrong}).body["code"] == "cursor_invalid"


def test_the_older_records_are_on_the_next_pages(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("Hi", "Ana", "Recife", "Hi", "Bia"):
        world.says(text)
    whole = world.api("GET", f"{CONVERSATION}/records")
    assert (whole.headers["truncated"], "link" in whole.headers) == ("false", False)
    monkeypatch.setattr(rest_conversations, "RECORDS_BYTES", len(whole.body) // 2)
    pages = record_pages(world)
    assert len(pages) > 1
    assert "".join(reversed(pages)) == whole.body
    other = write_list_cursor(f"records of {FIRST} {BIA}", "acme", "3")
    for wrong in ("x", other, write_list_cursor(f"records of {FIRST} {ANA}", "globex", "3")):
        refused = world.api("GET", f"{CONVERSATION}/records", query={"cursor": wrong})
        assert (refused.status, refused.body["code"]) == (400, "cursor_invalid")


def test_a_transcript_of_one_flow(world: World) -> None:
    world.says("Hi")
    world.api("PUT", "/api/v1/flows/other", FLOW | {"id": "other"})
    assert len(world.api("GET", TRANSCRIPT, query={"flow_id": "hello"}).body["messages"]) == 2
    assert world.api("GET", TRANSCRIPT, query={"flow_id": "other"}).body["messages"] == []
    unknown = world.api("GET", TRANSCRIPT, query={"flow_id": "none"})
    assert (unknown.status, unknown.body["code"]) == (404, "flow_unknown")


def test_an_agents_message_goes_the_way_of_a_turn(world: World) -> None:
    world.says("Hi")
    answer = world.api("POST", f"{CONVERSATION}/send", {"text": "Agent here"}, role="agent")
    assert (answer.status, answer.body["turn"]) == (200, 2)
    (record,) = conversations().turns(ConversationKey("acme", FIRST, ANA))[1:]
    assert (record.status, record.input.type, record.messages) == ("agent", "agent", [Text("Agent here")])
    assert [event.data for event in record.events] == [{"by": "tester"}, {"by": "tester"}]
    _, item = world.gateway.queued("outbound")
    assert (item["turn"], item["messages"]) == (2, [{"type": "text", "text": "Agent here"}])
    assert 0 < item["window_closes_at"] - time.time() <= 24 * 3600
    assert world.api("GET", CONVERSATION).body["mode"] == "human"
    back = world.api("POST", f"{CONVERSATION}/resume")
    assert (back.status, back.body["mode"], back.body["node_id"]) == (200, "bot", "name")
    closed = world.api("POST", f"{CONVERSATION}/close")
    assert (closed.status, closed.body["session"], closed.body["status"]) == (200, None, "idle")
    assert world.api("POST", f"{CONVERSATION}/close").status == 200


def test_the_same_idempotency_key_sends_once(world: World) -> None:
    world.says("Hi")
    key = {"idempotency-key": "form-1"}
    answers = [world.api("POST", f"{CONVERSATION}/send", {"text": "Hello"}, headers=key) for _ in range(3)]
    assert {(answer.status, answer.body["turn"]) for answer in answers} == {(200, 2)}
    assert [item["turn"] for item in world.gateway.queued("outbound")] == [1, 2]
    other = world.api("POST", f"{CONVERSATION}/send", {"text": "Bye"}, headers=key)
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")


def test_outside_the_window_and_after_an_opt_out_nothing_is_sent(world: World) -> None:
    world.says("Hi", hours_ago=25)
    closed = world.api("POST", f"{CONVERSATION}/send", {"text": "Hello"})
    assert (closed.status, closed.body["code"]) == (409, "window_closed")
    world.says("Hi", BIA)
    world.says("stop", BIA)
    assert world.api("GET", f"/api/v1/conversations/{BIA}").body["opted_out"] is True
    opted_out = world.api("POST", f"/api/v1/conversations/{BIA}/send", {"text": "Hello"})
    assert (opted_out.status, opted_out.body["code"]) == (409, "opted_out")
    assert opted_out.content_type == "application/problem+json"
    assert "Hello" not in str(world.gateway.queued("outbound"))


NEVER_WROTE = "5511977777777"
TEMPLATE: dict[str, Any] = {
    "name": "order_ready",
    "language": "pt-BR",
    "components": [{"type": "body", "parameters": [{"type": "text", "text": "42"}]}],
}


def test_a_template_reaches_a_person_who_has_never_written(world: World) -> None:
    path, body = f"/api/v1/conversations/{NEVER_WROTE}/send", {"template": TEMPLATE}
    assert world.api("POST", path, body).body["code"] == "conversation_unknown", "at which number?"
    for text in ({"text": "Hello"}, body):
        for number in ("999999999999999", FIRST):
            answer = world.api("POST", path, text, query={"phone_number_id": number}, role="agent")
    assert (answer.status, answer.body["turn"], answer.body["contact_id"]) == (200, 1, NEVER_WROTE)
    (item,) = world.gateway.queued("outbound")
    assert item["messages"] == [{"type": "template", **TEMPLATE, "language": "pt_BR"}]
    assert world.api("GET", f"/api/v1/conversations/{NEVER_WROTE}").body["window_closes_at"] is None


def test_the_parameters_of_an_agent_s_template_become_what_meta_takes(world: World) -> None:
    def send(text: str) -> Any:
        body = {
            "template": {**TEMPLATE, "components": [{"type": "body", "parameters": [{"type": "text", "text": text}]}]}
        }
        return world.api("POST", f"/api/v1/conversations/{NEVER_WROTE}/send", body, query={"phone_number_id": FIRST})

    assert (send(" ").status, world.gateway.queued("outbound")) == (422, [])
    assert send("42\nand 43").status == 200
    (item,) = world.gateway.queued("outbound")
    assert item["messages"][0]["components"][0]["parameters"] == [{"type": "text", "text": "42 and 43"}]


def test_a_template_is_checked_against_the_copy(world: World) -> None:
    world.says("Hi", hours_ago=25)
    world.api("PUT", f"/api/v1/numbers/{FIRST}", NUMBER | {"waba_id": "5"})
    known = MessageTemplate(
        "order_ready", "pt_BR", status="APPROVED", components=[{"type": "BODY", "text": "{{1}} e {{2}}"}]
    )

    def send(status: str) -> Any:
        templates().change(
            TemplateKey("acme", "5", "order_ready", "pt_BR"),
            lambda _: StoredTemplate("5", replace(known, status=status)),
        )
        return world.api("POST", f"{CONVERSATION}/send", {"template": TEMPLATE}).body

    refused = send("APPROVED")
    assert (refused["code"], refused["errors"][0]["field"]) == ("template_mismatch", "template.components.0")
    assert send("PAUSED")["code"] == "template_not_approved"
    assert send("DELETED")["code"] == "template_unknown"
    assert world.gateway.queued("outbound")[1:] == []


def test_a_message_that_meta_would_refuse_is_refused(world: World) -> None:
    world.says("Hi")
    wrong: list[Any] = [{}, {"text": ""}, {"text": " \n"}, {"text": "x" * 4097}, {"text": 1}, {"text": "x", "to": "y"}]
    wrong += [{"text": "x", "template": TEMPLATE}, {"template": TEMPLATE | {"name": "Order"}}, {"template": {}}]
    for body in wrong:
        refused = world.api("POST", f"{CONVERSATION}/send", body)
        assert (refused.status, refused.body["code"]) == (422, "invalid_request")
    assert world.api("POST", f"{CONVERSATION}/send", {"text": "é" * 4096}).status == 200


def test_a_refusing_queue_is_told_and_the_key_to_try_again_with(world: World) -> None:
    world.says("Hi")
    boto3.client("sqs").delete_queue(QueueUrl=world.gateway.queues["outbound"])
    failed = world.api("POST", f"{CONVERSATION}/send", {"text": "Hello"})
    assert (failed.status, failed.body["code"]) == (503, "queue_unavailable")
    again = {"idempotency-key": failed.body["idempotency_key"]}
    world.api("POST", f"{CONVERSATION}/send", {"text": "Hello"}, headers=again)
    assert len(conversations().turns(ConversationKey("acme", FIRST, ANA))) == 2


def table_bytes() -> str:
    dynamodb = boto3.client("dynamodb")
    indexes: list[dict[str, Any]] = [{}, *({"IndexName": index} for index in INDEXES)]
    return "".join(str(dynamodb.scan(TableName="table", **index)["Items"]) for index in indexes)


def test_nothing_in_the_table_knows_a_person_who_was_erased(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for number in (FIRST, SECOND):
        world.says("Hi", number=number)
        world.says("Zebedeu", number=number)
        key = ConversationKey("acme", number, ANA)
        shared.deliveries().claim(key, Delivery(1, 0, "accepted", message_id="wamid.out"), None)
        api.held_turns().hold(OutboundItem("acme", number, ANA, 2, [Text("Zebedeu")], 1e12), 1.0)
    world.says("Hi", BIA)
    world.api("POST", f"{CONVERSATION}/send", {"text": "Hello Zebedeu"})
    assert ANA in table_bytes()
    assert world.api("DELETE", ERASE, role="agent").status == 204
    left = table_bytes()
    assert "Zebedeu" not in left
    assert BIA in left
    [pending] = api.erasure().pending(math.inf)  # alone still knows who: what is elsewhere has to be found
    assert api.erasure().remove(pending) == 0
    api.erasure().finish(pending)
    assert ANA not in table_bytes()
    assert world.api("GET", CONVERSATION).status == 404
    assert [found["contact_id"] for page in world.pages(10) for found in page] == [BIA]
    for _ in range(2):
        gone = world.api("DELETE", ERASE)
        assert (gone.status, gone.body) == (204, "")
    assert world.api("DELETE", "/api/v1/contacts/nobody").status == 204
    printed = capsys.readouterr().out
    assert "contact.erased" in printed
    assert ANA not in printed


@pytest.mark.parametrize("person", [ANA, "BR.77a"])
def test_nothing_in_the_table_knows_either_contact_of_a_merged_person_who_was_erased(world: World, person: str) -> None:
    world.says("Hi")
    world.says("Hi", "BR.77a", user_id="BR.77a")
    for contact in (ANA, "BR.77a"):
        path = f"/api/v1/conversations/{contact}/notes"
        assert world.api("POST", path, {"text": "Zebedeu's aunt"}, role="agent").status == 201
        consent = {"marketing": {"state": "granted", "source": "form"}}
        assert world.api("PUT", f"/api/v1/contacts/{contact}/consent", consent).status == 200
    world.says("Zebedeu", user_id="BR.77a")
    world.says("Hi", "BR.77a", user_id="BR.77a", number=SECOND)
    assert world.api("GET", "/api/v1/conversations/BR.77a").body["contact_id"] == ANA
    assert world.api("DELETE", f"/api/v1/contacts/{person}").status == 204
    for pending in api.erasure().pending(math.inf):
        api.erasure().remove(pending)
        api.erasure().finish(pending)
    left = table_bytes()
    assert [word for word in (ANA, "BR.77a", "Zebedeu") if word in left] == []


def test_a_defect_is_logged_without_the_phone(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(api, "inbox", broken)
    assert world.api("GET", TRANSCRIPT).status == 500
    printed = capsys.readouterr().out
    assert "GET /api/v1/whatsapp-analytics/conversations/{phone}/transcript" in printed
    assert ANA not in printed


def test_the_routes_are_documented(world: World) -> None:
    paths = world.api("GET", "/api/v1/openapi.json").body["paths"]
    for method, path, _ in [*ROUTES, ("DELETE", ERASE, None)]:
        assert method.lower() in paths[path.replace(ANA, "{phone}")]
