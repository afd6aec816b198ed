"""Requests that cannot be right: each a clear 4xx with a code, whatever the route."""

import ast
import base64
import json
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from functions.api.handler import handler
from pytake.conversation.opening import RefusalCode
from pytake.wiring import shared
from rest import problems
from rest.aws_outages import is_outage
from rest.problems import PROBLEM_CODES
from rest.requests import FLOW_BYTES, OTHER_BYTES
from tests.functions.conftest import Answer, Gateway, LambdaContext, answer_of, http_event
from tests.functions.samples import FLOW, NUMBER

FLOW_PATH = "/api/v1/flows/hello"
REST = Path(problems.__file__).parent


def send(method: str, path: str, body: str | None, *, encoded: bool = False, **headers: str) -> Answer:
    event = http_event(method, path, body)
    event["isBase64Encoded"] = encoded
    event["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    claims = {"organization_id": "acme", "role": "admin", "sub": "tester"}
    event["requestContext"]["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
    return answer_of(handler(event, LambdaContext()))


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "not json",
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 99999999999999999999}',
        '{"a": ' + "9" * 5000 + "}",
        '{"a": "\\ud800"}',
        "[" * 100_000,
        '{"a": ' + "[" * 100 + "]" * 100 + "}",
        '{"a": 1, "b": {"c": 1, "c": 2}}',
        '{"a": 1} x',
    ],
)
def test_what_is_not_json_is_said_to_be_none(gateway: Gateway, body: str) -> None:
    refused = send("PUT", FLOW_PATH, body)
    assert (refused.status, refused.body["code"], refused.content_type) == (
        400,
        "json_invalid",
        "application/problem+json",
    )
    assert len(refused.body["detail"]) < 200


@pytest.mark.parametrize("body", [b"\xff\xfe", b"\x1f\x8b\x08"])
def test_what_is_not_utf_8_is_not_json(gateway: Gateway, body: bytes) -> None:
    refused = send("PUT", FLOW_PATH, base64.b64encode(body).decode(), encoded=True)
    assert (refused.status, refused.body["code"]) == (400, "json_invalid")


def test_bytes_that_the_gateway_could_not_decode_are_not_json(gateway: Gateway) -> None:
    """An HTTP API passes JSON as text: it replaces each byte that is not UTF-8 by U+FFFD."""
    sent = b'{"language": "\xff\xfe"}'
    refused = send("PUT", "/api/v1/organization", sent.decode(errors="replace"), content_length=str(len(sent)))
    assert (refused.status, refused.body["code"]) == (400, "json_invalid")
    own = json.dumps(FLOW | {"name": "\ufffd"}, ensure_ascii=False)
    assert send("PUT", FLOW_PATH, own, content_length=str(len(own.encode()))).status == 200
    assert send("PUT", FLOW_PATH, own).status == 200


def test_what_is_kept_can_be_shown_again(gateway: Gateway) -> None:
    deep = json.dumps(FLOW)[:-1] + ', "x": ' + "[" * 98 + "]" * 98 + "}"
    assert send("PUT", FLOW_PATH, deep).status == 200
    assert gateway.api("GET", FLOW_PATH).status == 200


def test_the_place_of_the_mistake_is_named(gateway: Gateway) -> None:
    assert "line 2, column 3" in send("PUT", FLOW_PATH, '{"a": 1,\n  b: 2}').body["detail"]


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_is_taken_however_it_is_spelled(gateway: Gateway, content_type: str) -> None:
    assert send("PUT", FLOW_PATH, json.dumps(FLOW), content_type=content_type).status == 200
    assert send("PUT", FLOW_PATH, json.dumps(FLOW)).status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "xml"]
)
def test_another_content_type_is_refused(gateway: Gateway, content_type: str) -> None:
    refused = send("PUT", FLOW_PATH, json.dumps(FLOW), content_type=content_type)
    assert (refused.status, refused.body["code"]) == (415, "content_type_unsupported")
    assert gateway.api("GET", FLOW_PATH).status == 404


def test_a_body_that_a_route_does_not_take_is_a_mistake(gateway: Gateway) -> None:
    send("PUT", FLOW_PATH, json.dumps(FLOW))
    refused = send("POST", f"{FLOW_PATH}/publish", '{"version": 3}')
    assert (refused.status, refused.body["code"]) == (400, "body_unknown")
    assert send("POST", f"{FLOW_PATH}/publish", '{"version": 3').body["code"] == "json_invalid"
    assert send("POST", f"{FLOW_PATH}/publish", "{}").status == 200  # what some clients send for nothing


def test_nobody_reads_a_body_where_it_has_no_meaning(gateway: Gateway) -> None:
    assert send("GET", "/api/v1/organization", "{", content_type="text/plain").status == 200


@pytest.mark.parametrize("value", ["true", '"600"'])
def test_a_count_is_a_number_and_nothing_that_looks_like_one(gateway: Gateway, value: str) -> None:
    refused = send("PUT", "/api/v1/organization", f'{{"messages_per_minute": {value}}}')
    assert (refused.status, refused.body["errors"][0]["field"]) == (422, "body.messages_per_minute")


def test_a_body_has_a_largest_size(gateway: Gateway) -> None:
    refused = send("PUT", FLOW_PATH, " " * (FLOW_BYTES + 1))
    assert (refused.status, refused.body["code"]) == (413, "body_too_large")
    assert send("PUT", "/api/v1/organization", " " * (OTHER_BYTES + 1)).status == 413
    large = FLOW | {"name": "x" * 3_000_000, "nodes": [{**node, "label": "y" * 400_000} for node in FLOW["nodes"]]}
    assert send("PUT", FLOW_PATH, json.dumps(large)).status == 200
    assert gateway.api("GET", FLOW_PATH).body["document"] == large
    assert gateway.api("GET", "/api/v1/flows").body[0]["name"] == "x" * 200


def test_sizes_are_counted_in_bytes(gateway: Gateway) -> None:
    for path, most in ((FLOW_PATH, FLOW_BYTES), ("/api/v1/organization", OTHER_BYTES)):
        letters = json.dumps({"name": "é" * (most // 2)}, ensure_ascii=False)
        assert len(letters) < most
        refused = send("PUT", path, letters)
        assert (refused.status, refused.body["code"]) == (413, "body_too_large")
        encoded = base64.b64encode(b" " * (most + 1)).decode()
        assert send("PUT", path, encoded, encoded=True).status == 413
        encoded = base64.b64encode(b" " * most).decode()
        assert send("PUT", path, encoded, encoded=True).body["code"] == "json_invalid"


def test_the_largest_settings_of_a_number_are_stored(gateway: Gateway) -> None:
    """Each is an item of at most 400 KB."""
    path = "/api/v1/numbers/100000000000001"
    words = {f"{number:04}" + "é" * 80: "hello" for number in range(1000)}
    assert send("PUT", path, json.dumps(NUMBER | {"keywords": words}, ensure_ascii=False)).status == 200
    assert gateway.api("GET", path).body["keywords"] == words
    for change, field in (
        ({"keywords": words | {"one more": "hello"}}, "keywords"),
        ({"words": {"x" * 101: "stop"}}, "words"),
        ({"keywords": {"oi": "x" * 65}}, "keywords.oi"),
        ({"default_flow_id": "x" * 65}, "default_flow_id"),
    ):
        refused = send("PUT", path, json.dumps(NUMBER | change, ensure_ascii=False))
        assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "number_setup", field)


def test_a_query_parameter_that_a_route_does_not_have_is_refused(gateway: Gateway) -> None:
    refused = gateway.api("GET", "/api/v1/conversations", query={"limit": "5", "stauts": "waiting"})
    assert (refused.status, refused.body["code"]) == (400, "query_unknown")
    assert "'stauts'" in refused.body["detail"]
    assert "status" in refused.body["detail"]
    assert gateway.api("GET", "/api/v1/conversations", query={"limit": "5", "status": "waiting"}).status == 200
    assert gateway.api("GET", "/api/v1/nothing", query={"limit": "5"}).body["code"] == "route_unknown"


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/flows/..%2F..%2Forganization",
        "/api/v1/flows/%00",
        "/api/v1/flows/hello%0a",
        "/api/v1/flows/" + "x" * 65,
        "/api/v1/numbers/1234%23ORG",
        "/api/v1/conversations/%2e%2e",
        "/api/v1/conversations/ACME%23551",
        "/api/v1/conversations/%F0%9F%98%80",
        "/api/v1/conversations/%ff%fe",
        "/api/v1//flows",
        "/api/v1/flows/",
        "/api/v1/",
        "",
    ],
)
def test_an_address_that_means_nothing_is_a_clear_4xx(gateway: Gateway, path: str) -> None:
    answer = gateway.api("GET", path)
    assert answer.status in (404, 422), answer.body
    assert answer.body["code"] in ("route_unknown", "conversation_unknown", "person_invalid", "invalid_request")


def test_without_an_authorizer_nobody_is_let_in(gateway: Gateway) -> None:
    event = http_event("GET", "/api/v1/flows", None)
    for authorizer in (None, {}, {"jwt": {}}, {"jwt": {"claims": None}}, {"iam": {}}):
        event["requestContext"].pop("authorizer", None)
        if authorizer is not None:
            event["requestContext"]["authorizer"] = authorizer
        answer = answer_of(handler(event, LambdaContext()))
        assert (answer.status, answer.body["code"]) == (401, "token_incomplete")


def test_another_method_is_refused_with_those_there_are(gateway: Gateway) -> None:
    refused = gateway.api("DELETE", "/api/v1/flows/hello")
    assert (refused.status, refused.body["code"]) == (405, "method_not_allowed")
    assert refused.headers["allow"] == "GET, PUT"


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Query")


@pytest.mark.parametrize(
    "error",
    [
        _client_error("ThrottlingException"),
        ConnectTimeoutError(endpoint_url="https://x"),
        _client_error("InternalServerError"),
    ],
)
def test_what_aws_cannot_do_now_may_be_tried_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    class Broken:
        def organization(self, organization_id: str) -> Any:
            raise RuntimeError("wrapped") from error

    monkeypatch.setattr(shared, "tenants", Broken)
    refused = gateway.api("GET", "/api/v1/organization")
    assert (refused.status, refused.body["code"]) == (503, "temporarily_unavailable")


def test_a_mistake_is_no_outage() -> None:
    assert not is_outage(_client_error("AccessDeniedException"))
    assert not is_outage(KeyError("x"))


def test_every_code_is_listed_with_the_status_it_comes_with() -> None:
    statuses = {
        "bad_request": HTTPStatus.BAD_REQUEST,
        "not_found": HTTPStatus.NOT_FOUND,
        "conflict": HTTPStatus.CONFLICT,
        "unprocessable": HTTPStatus.UNPROCESSABLE_ENTITY,
        "changed": HTTPStatus.PRECONDITION_FAILED,
    }
    used: dict[str, HTTPStatus] = {}
    for path in REST.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args):
                continue
            code: ast.expr | None = None
            if call.func.id in statuses:
                status, code = statuses[call.func.id], call.args[0]
            elif call.func.id == "ProblemError" and isinstance(call.args[0], ast.Attribute):
                status, code = HTTPStatus[call.args[0].attr], call.args[1]
            if isinstance(code, ast.Constant):
                used[code.value] = status
    assert used == {code: PROBLEM_CODES[code].status for code in used}
    from_use_cases = {
        "secret_name_invalid",
        "secret_too_short",
        "secret_too_large",
        "secrets_full",
        "secret_hosts_invalid",
        *get_args(RefusalCode),
    }
    assert set(PROBLEM_CODES) == used.keys() | from_use_cases
