"""Flows that may not be saved: their problems, what an editor can offer, one turn of them. Nothing is stored, sent or called."""

from typing import Any, cast, get_args

import pytest
from msgspec import Struct

from pytake.whatsapp.outbound import OutboundMessage
from pytake.wiring import shared
from rest.message_content import MessageContent
from tests.functions.conftest import Answer, Gateway
from tests.functions.samples import CALLING, FLOW, QUESTION

TEXT = "{{contact.name}} from {{contact.city}}, {{constants.shop}}, {{today}}"
VALIDATE, REHEARSE = "/api/v1/flows/validate", "/api/v1/flows/rehearse"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds. A test may change it."""
    at = [1_770_000_000.25]
    monkeypatch.setattr(shared, "clock", lambda: at[0])
    return at


def rehearse(gateway: Gateway, rehearsal: Any = None, **body: Any) -> Answer:
    return gateway.api("POST", REHEARSE, {"document": QUESTION, "rehearsal": rehearsal, **body})


def test_a_document_is_checked_as_when_it_is_saved_and_nothing_is_stored(gateway: Gateway) -> None:
    broken = QUESTION | {"nodes": QUESTION["nodes"][:3]}
    checked = gateway.api("POST", VALIDATE, {"document": broken})
    assert checked.status == 200
    assert gateway.api("GET", "/api/v1/flows").body == []
    saved = gateway.api("PUT", "/api/v1/flows/hello", broken)
    assert checked.body["problems"] == saved.body["problems"] != []
    assert not checked.body["publishable"]
    assert gateway.api("POST", VALIDATE, {"document": QUESTION}).body["publishable"]


@pytest.mark.parametrize("document", [{}, {"id": 7}, {"id": "x", "nodes": "none"}, {"id": "x", "nodes": [7, {}]}])
def test_any_object_gets_problems_and_never_an_error(gateway: Gateway, document: dict[str, Any]) -> None:
    answer = gateway.api("POST", VALIDATE, {"document": document})
    assert (answer.status, answer.body["publishable"]) == (200, False)
    assert answer.body["problems"]


def test_a_jump_enters_the_draft_that_is_given_and_otherwise_the_published_flow(gateway: Gateway) -> None:
    jumping = FLOW | {
        "id": "main",
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "go"}},
            {"id": "go", "type": "jump", "data": {"target_flow_id": "hello", "next_node_id": "end"}},
            {"id": "end", "type": "end", "data": {}},
        ],
    }
    alone = gateway.api("POST", VALIDATE, {"document": jumping})
    assert [problem["code"] for problem in alone.body["problems"]] == ["unknown_flow"]
    together = gateway.api("POST", VALIDATE, {"document": jumping, "documents": {"hello": FLOW}})
    assert together.body["publishable"]
    gateway.api("PUT", "/api/v1/flows/hello", FLOW)
    gateway.api("POST", "/api/v1/flows/hello/publish")
    assert gateway.api("POST", VALIDATE, {"document": jumping}).body["publishable"]
    assert not gateway.api("POST", VALIDATE, {"document": jumping}, org="other").body["publishable"]


def test_an_editor_learns_variables_and_exits(gateway: Gateway) -> None:
    found = gateway.api("POST", VALIDATE, {"document": CALLING}).body["completion"]
    choice = next(variable for variable in found["variables"] if variable["name"] == "choice")
    assert (choice["kinds"], choice["description"]) == (["text"], "a text that is not empty")
    assert choice["assigned_by"] == [{"flow_id": "hello", "node_id": "pick"}]
    exits = {node["node_id"]: {one["exit"]: one["target"] for one in node["exits"]} for node in found["nodes"]}
    assert exits["call"] == {"next": "pick", "error": "sorry"}
    assert exits["pick"]["timeout"] == "sorry"
    assert [node["node_id"] for node in found["nodes"] if node["waits"]] == ["pick"]


def test_a_person_may_ask_five_times_a_second(gateway: Gateway, clock: list[float]) -> None:
    def ask(**claims: Any) -> Answer:
        return gateway.api("POST", VALIDATE, {"document": FLOW}, **claims)

    assert [ask().status for _ in range(6)] == [200] * 5 + [429]
    refused = ask()
    assert (refused.body["code"], refused.headers["retry-after"]) == ("too_many_requests", "1")
    assert ask(sub="another person").status == 200
    assert ask(org="other").status == 200
    clock[0] += 1
    assert ask().status == 200


def test_a_draft_is_tried_turn_by_turn(gateway: Gateway) -> None:
    first = rehearse(gateway, input={"text": "Hello"}, now="2026-03-01T12:00:00Z").body
    assert [message["text"] for message in first["messages"]] == ["Hi!\n\nYour name?"]
    assert (first["status"], first["node_id"], first["at"]) == ("waiting", "name", "2026-03-01T12:00:00Z")
    second = rehearse(gateway, first["rehearsal"], input={"text": "Ana"}).body
    assert (second["variables"], second["path"][0]) == (
        {"name": "Ana"},
        {"flow_id": "hello", "node_id": "name", "exit": "next"},
    )
    last = rehearse(gateway, second["rehearsal"], input={"text": "Recife"}).body
    assert (last["status"], last["messages"][0]["text"]) == ("completed", "Thank you.")
    again = rehearse(gateway, last["rehearsal"], input={"text": "Hello"}).body
    assert again["node_id"] == "name"
    assert gateway.api("GET", "/api/v1/flows").body == []
    assert gateway.queued("outbound") == []


def test_a_saved_draft_is_tried_by_its_id(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", QUESTION)
    tried = gateway.api("POST", REHEARSE, {"flow_id": "hello", "input": {"text": "Hello"}})
    assert tried.body["node_id"] == "name"
    missing = gateway.api("POST", REHEARSE, {"flow_id": "hello"}, org="other")
    assert (missing.status, missing.body["code"]) == (404, "flow_unknown")
    for both in ({}, {"flow_id": "hello", "document": QUESTION}):
        answer = gateway.api("POST", REHEARSE, both)
        assert (answer.status, answer.body["code"]) == (422, "rehearsal_invalid")


def test_calls_are_answered_by_the_person_who_tries_the_flow(gateway: Gateway) -> None:
    begin = {"document": CALLING, "input": {"text": "Hello"}}
    asked = gateway.api("POST", REHEARSE, begin).body
    assert (asked["status"], asked["effect"]["type"]) == ("effect", "api_call")
    assert asked["effect"]["request"]["headers"] == {"Authorization": "Bearer {{secrets.ORDERS}}"}
    result = {asked["effect"]["key"]: {"ok": True, "status": 200, "body": {"id": 42}}}
    done = gateway.api("POST", REHEARSE, begin | {"rehearsal": asked["rehearsal"], "results": result}).body
    assert (done["status"], done["effect"]) == ("waiting", None)
    assert done["messages"][-1]["text"].endswith("Order 42?")
    assert [button["title"] for button in done["messages"][-1]["buttons"]] == ["Yes", "No"]
    assert done["timer"]["kind"] == "timeout"
    failed = {asked["effect"]["key"]: {"ok": False, "error": "down"}}
    other = gateway.api("POST", REHEARSE, begin | {"results": failed}).body
    assert (other["status"], other["messages"][-1]["text"]) == ("completed", "Hi!\n\nSorry.")
    assert done["rehearsal"]["state"] is not None

    timed = {"document": CALLING, "rehearsal": done["rehearsal"], "input": {"type": "timer"}}
    late = gateway.api("POST", REHEARSE, timed).body
    assert (late["status"], late["at"]) == ("completed", done["timer"]["due_at"])

    tap = {"type": "reply", "reply_id": done["messages"][-1]["buttons"][0]["id"], "text": "Yes"}
    tapped = gateway.api("POST", REHEARSE, timed | {"input": tap}).body
    assert (tapped["status"], tapped["variables"]["choice"]) == ("handoff", "yes")
    held = {"document": CALLING, "rehearsal": tapped["rehearsal"]}
    silent = gateway.api("POST", REHEARSE, held | {"input": {"text": "Hello?"}}).body
    assert (silent["status"], silent["messages"]) == ("human", [])
    back = gateway.api("POST", REHEARSE, held | {"input": {"type": "return"}}).body
    assert back["status"] == "completed"


def asking(gateway: Gateway, question: dict[str, Any]) -> dict[str, Any]:
    """A rehearsal in which this question was asked: what a request to go on needs besides its input."""
    nodes = [
        {"id": "start", "type": "start", "data": {"next_node_id": "ask"}},
        {"id": "ask", "type": "question", "data": question},
        {"id": "end", "type": "end", "data": {}},
    ]
    document = {"format": 1, "id": "any", "start_node_id": "start", "nodes": nodes}
    asked = gateway.api("POST", REHEARSE, {"document": document, "input": {"text": "Hello"}}).body
    return {"document": document, "rehearsal": asked["rehearsal"]}


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ({"type": "contacts", "payload": [{"name": {"formatted_name": "Rui"}}]}, [{"name": {"formatted_name": "Rui"}}]),
        ({"type": "order", "payload": {"product_items": []}}, {"product_items": []}),
        ({"type": "form", "response": {"day": "2026-03-02"}}, {"day": "2026-03-02"}),
        (
            {"type": "location", "location": {"latitude": -8, "longitude": -34.9, "name": "Home"}},
            {"latitude": -8.0, "longitude": -34.9, "name": "Home"},
        ),
    ],
    ids=lambda value: value.get("type", "") if isinstance(value, dict) else "",
)
def test_a_person_answers_with_more_than_a_text(gateway: Gateway, said: dict[str, Any], stored: Any) -> None:
    question = {"question": "Well?", "variable": "given", "validation": {"type": "any"}, "next_node_id": "end"}
    done = gateway.api("POST", REHEARSE, asking(gateway, question) | {"input": said}).body
    assert (done["status"], done["variables"]) == ("completed", {"given": stored})


CARD = {"media": {"type": "image", "link": "https://shop.example/a.png"}}
PRODUCT = {"catalog_id": "C", "product_retailer_id": "p1"}


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (
            {"location": {"latitude": -8, "longitude": -34.5, "name": "Shop"}},
            {"latitude": -8, "longitude": -34.5},
        ),
        ({"contacts": [{"name": "Rui", "phones": ["+5511"]}]}, {"cards": [{"name": "Rui", "phones": ["+5511"]}]}),
        ({"product": PRODUCT}, PRODUCT),
        (
            {"header": "New", "products": {"catalog_id": "C", "sections": [{"product_retailer_ids": ["p1"]}]}},
            {"header": "New", "catalog_id": "C", "sections": [{"title": None, "product_retailer_ids": ["p1"]}]},
        ),
        ({"catalog": {"thumbnail": "p1"}}, {"thumbnail": "p1"}),
        (
            {
                "carousel": [
                    CARD | {"text": name, "cta_url": {"label": "See", "url": "https://a.example"}} for name in "AB"
                ]
            },
            {"cards": [{"text": "A", "label": "See"}, {"text": "B", "url": "https://a.example"}]},
        ),
        (
            {"carousel": [CARD | {"buttons": [{"label": name}]} for name in "AB"]},
            {"cards": [{"buttons": [{"id": name, "title": name}]} for name in "AB"]},
        ),
        ({"carousel": [{"product": PRODUCT}] * 2}, {"cards": [PRODUCT, PRODUCT]}),
        ({"reaction": {"emoji": "👍", "message_id": "wamid.1"}}, {"emoji": "👍", "message_id": "wamid.1"}),
    ],
    ids=lambda value: next(iter(value)),
)
def test_a_rehearsal_shows_whatever_a_message_can_hold(
    gateway: Gateway, sent: dict[str, Any], shown: dict[str, Any]
) -> None:
    document = FLOW | {
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "say"}},
            {"id": "say", "type": "message", "data": {"text": "Look:"} | sent},
        ]
    }
    answer = gateway.api("POST", REHEARSE, {"document": document})
    assert answer.status == 200
    assert [message for message in answer.body["messages"] if contains(message, shown)]


def test_every_message_of_the_engine_can_be_shown() -> None:
    [types] = [get_args(field.annotation) for name, field in MessageContent.model_fields.items() if name == "type"]
    assert set(types) == {cast("type[Struct]", message).__struct_config__.tag for message in get_args(OutboundMessage)}


def contains(found: Any, expected: Any) -> bool:
    """Whether a part of an answer has at least these members."""
    if isinstance(expected, dict):
        return all(contains(found.get(name), value) for name, value in expected.items())
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(contains, found, expected))
    return bool(found == expected)


def test_a_reaction_answers_a_question_that_gives_it_a_meaning(gateway: Gateway) -> None:
    question = {"question": "Well?", "variable": "given", "reactions": {"👍": "yes"}, "next_node_id": "end"}
    tried = asking(gateway, question)
    other = gateway.api("POST", REHEARSE, tried | {"input": {"type": "reaction", "text": "🎉"}}).body
    assert (other["status"], other["messages"]) == ("waiting", [])
    liked = gateway.api("POST", REHEARSE, tried | {"input": {"type": "reaction", "text": "👍🏽"}}).body
    assert (liked["status"], liked["variables"]) == ("completed", {"given": "yes"})


def test_a_flow_goes_on_behind_a_handoff_that_has_a_next_node(gateway: Gateway) -> None:
    document = FLOW | {
        "nodes": [
            {"id": "start", "type": "start", "data": {"next_node_id": "agent"}},
            {"id": "agent", "type": "handoff", "data": {"message": "A person comes.", "next_node_id": "thanks"}},
            {"id": "thanks", "type": "end", "data": {"message": "Thank you."}},
        ]
    }
    given = gateway.api("POST", REHEARSE, {"document": document, "input": {"text": "Hello"}}).body
    body = {"document": document, "rehearsal": given["rehearsal"], "input": {"type": "return"}}
    back = gateway.api("POST", REHEARSE, body).body
    assert (given["status"], back["status"], back["messages"][0]["text"]) == ("handoff", "completed", "Thank you.")
    twice = gateway.api("POST", REHEARSE, body | {"rehearsal": back["rehearsal"]})
    assert (twice.status, twice.body["code"]) == (422, "rehearsal_invalid")


def test_a_rehearsal_that_does_not_fit_is_refused(gateway: Gateway) -> None:
    first = rehearse(gateway, input={"text": "Hello"}).body["rehearsal"]
    forged: list[dict[str, Any]] = [
        {"nonsense": 1},
        first | {"more": True},
        first | {"flow_id": "other"},
        first | {"turns": "many"},
        first | {"state": {"f": "hello", "n": "gone"}},
        first | {"state": {"f": "hello", "n": "name", "u": 1e300}},
        first | {"state": {"f": "hello", "n": "name", "s": [["hello", "gone"]]}},
    ]
    for rehearsal in forged:
        answer = rehearse(gateway, rehearsal, input={"text": "x"})
        assert (answer.status, answer.body["code"]) == (422, "rehearsal_invalid"), rehearsal
    early = rehearse(gateway, first, input={"type": "timer"})
    assert (early.status, early.body["code"]) == (422, "rehearsal_invalid")


def test_a_flow_that_cannot_run_names_its_problems(gateway: Gateway) -> None:
    broken = FLOW | {"nodes": FLOW["nodes"][:1]}
    answer = gateway.api("POST", REHEARSE, {"document": broken})
    assert (answer.status, answer.body["code"]) == (422, "flow_has_errors")
    assert [problem["code"] for problem in answer.body["problems"]] == ["unknown_target"]


def test_the_person_and_the_organization_are_those_of_a_conversation(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/organization", {"timezone": "America/Sao_Paulo", "constants": {"shop": "Centro"}})
    document = FLOW | {
        "nodes": [
            {"id": "start", "type": "start", "data": {"greeting": TEXT, "next_node_id": "end"}},
            {"id": "end", "type": "end", "data": {}},
        ]
    }
    body = {
        "document": document,
        "contact": {"name": "Bia", "fields": {"city": "Recife"}},
        "now": "2026-03-01T01:30:00Z",
    }
    here = gateway.api("POST", REHEARSE, body).body
    assert here["messages"][0]["text"] == "Bia from Recife, Centro, 2026-02-28"
    there = gateway.api("POST", REHEARSE, body | {"timezone": "UTC"}).body
    assert there["messages"][0]["text"].endswith("2026-03-01")
