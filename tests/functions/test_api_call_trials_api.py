"""The test of an API call: one real request, with every protection of a conversation's calls."""

import json
import socket
from typing import Any

import boto3
import pytest

from pytake.effects import addresses
from pytake.wiring import api, shared
from tests.effects.servers import Server, answering, serving
from tests.functions.conftest import Answer, Gateway

PATH = "/api/v1/flows/test-request"
JSON = "Content-Type: application/json"
VALUE = "s3cr3t-value-of-acme"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds. A test may change it."""
    at = [1_770_000_000.25]
    monkeypatch.setattr(shared, "clock", lambda: at[0])
    return at


@pytest.fixture
def local(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """API calls may go to this machine, as in development. The secret TOKEN may be sent to 127.0.0.1 alone."""
    monkeypatch.setenv("API_CALL_ALLOW_PRIVATE", "true")
    api.settings.cache_clear()
    secret = {"TOKEN": {"value": VALUE, "hosts": ["127.0.0.1"]}}
    boto3.client("secretsmanager").create_secret(Name="pytake/test/acme/flow-secrets", SecretString=json.dumps(secret))
    return gateway


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make any connection a failure of the test."""
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("a connection was made"))


def tried(gateway: Gateway, url: str, variables: dict[str, Any] | None = None, **data: Any) -> Answer:
    return gateway.api("POST", PATH, {"data": {"url": url, **data}, "variables": variables or {}})


def at(server: Server, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def test_the_request_is_sent_with_example_values_and_the_answer_is_read_as_in_a_conversation(local: Gateway) -> None:
    keeps = {"output_variable": "order", "status_variable": "status", "response_map": {"city": "$.address.city"}}
    with serving(answering(b'{"address": {"city": "Recife"}}', JSON)) as server:
        body = {"n": "{{order_id}}", "who": "{{contact.name}}"}
        answer = tried(local, at(server, "/{{order_id}}"), {"order_id": 7}, method="POST", body=body, **keeps).body
    assert server.head.startswith("POST /7 HTTP/1.1")
    assert json.loads(server.content) == {"n": 7, "who": "Ana"}
    assert (answer["ok"], answer["status"], answer["error"]) == (True, 200, None)
    assert answer["body"] == {"address": {"city": "Recife"}}
    assert answer["stored"] == {"order": answer["body"], "status": 200, "city": "Recife"}
    assert answer["request"]["url"] == at(server, "/7")
    assert 0 <= answer["seconds"] < 20


def test_a_failed_call_tells_what_the_flow_would_know_of_it(local: Gateway) -> None:
    keeps = {"output_variable": "order", "error_body_variable": "why", "response_map": {"city": "$.city"}}
    with serving(answering(b'{"reason": "gone"}', JSON, status="404 Not Found")) as server:
        answer = tried(local, at(server), **keeps).body
    assert (answer["ok"], answer["status"], answer["error"].partition(":")[0]) == (False, 404, "http_status")
    stored = {"order": None, "why": {"reason": "gone"}, "city": None, "order_error": answer["error"]}
    assert answer["stored"] == stored


def test_a_node_that_cannot_run_names_its_problems(gateway: Gateway, no_connections: None) -> None:
    answer = tried(gateway, "ftp://files.example.com/", method="TRACE", response_map={"x": "no path"})
    assert (answer.status, answer.body["code"]) == (422, "flow_has_errors")
    assert {problem["field"] for problem in answer.body["problems"]} >= {"url", "method", "response_map.x"}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://169.254.169.254/latest/meta-data/", "address_refused"),
        ("https://[fd00:ec2::254]/latest/meta-data/", "address_refused"),
        ("https://localhost/", "address_refused"),
        ("https://127.1/", "address_refused"),
        ("https://0x7f000001/", "address_refused"),
        ("https://[::ffff:10.0.0.1]/", "address_refused"),
        ("http://93.184.216.34/", "url_not_https"),
        ("https://93.184.216.34:8443/", "port_refused"),
        ("https://root@93.184.216.34/", "url_has_credentials"),
        ("https://{{host}}/", "address_refused"),
    ],
)
def test_no_private_network_is_reached(gateway: Gateway, no_connections: None, url: str, code: str) -> None:
    answer = tried(gateway, url, {"host": "169.254.169.254"}).body
    assert (answer["ok"], answer["status"], answer["error"].partition(":")[0]) == (False, None, code)


def test_a_redirect_is_not_followed(local: Gateway) -> None:
    with serving(answering(b"inside")) as inside:
        with serving(answering(b"", f"Location: {at(inside)}", status="302 Found")) as server:
            answer = tried(local, at(server)).body
        assert inside.requests == []
    assert (answer["status"], answer["error"].partition(":")[0]) == (302, "redirect_refused")


def test_a_name_is_resolved_once_and_all_its_addresses_are_checked(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    reached: list[Any] = []

    def refuse(address: Any, *_: Any) -> None:
        reached.append(address)
        raise OSError

    def resolver(*answers: list[str]) -> Any:
        rest = iter(answers)
        return lambda *_, **__: [(socket.AF_INET, 0, 0, "", (address, 443)) for address in next(rest)]

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(addresses, "getaddrinfo", resolver(["93.184.216.34"], ["127.0.0.1"]))
    assert tried(gateway, "https://rebinding.example/").body["error"].startswith("connection_failed")
    assert reached == [("93.184.216.34", 443)]
    clock[0] += 1
    monkeypatch.setattr(addresses, "getaddrinfo", resolver(["93.184.216.34", "10.0.0.1"]))
    assert tried(gateway, "https://mixed.example/").body["error"].startswith("address_refused")
    assert len(reached) == 1


def test_a_secret_is_sent_and_is_in_no_answer_no_log_and_no_event(
    local: Gateway, capfd: pytest.CaptureFixture[str]
) -> None:
    headers, echo = {"Authorization": "Bearer {{secrets.TOKEN}}"}, json.dumps({"got": f"Bearer {VALUE}"}).encode()
    with serving(answering(echo, JSON)) as server:
        answer = tried(local, at(server), headers=headers, output_variable="echo")
    assert VALUE in server.head
    assert answer.body["stored"] == {"echo": {"got": "Bearer ***"}}
    assert answer.body["request"]["headers"] == headers
    logged = "".join(capfd.readouterr())
    assert VALUE not in str(answer.body) + logged
    events = [json.loads(line) for line in logged.splitlines() if '"api_call.tested"' in line]
    detail = {"by": "tester", "host": "127.0.0.1", "status": 200, "error": ""}
    assert any(detail.items() <= (event | event.get("detail", {})).items() for event in events), logged


@pytest.mark.parametrize("url", ["https://other.example/", "https://{{x}}/"])
def test_a_secret_goes_to_no_other_host(local: Gateway, no_connections: None, url: str) -> None:
    answer = tried(local, url, {"x": "other.example"}, headers={"X-Key": "{{secrets.TOKEN}}"}).body
    assert answer["error"].startswith("secret_host_refused")


def test_secrets_of_another_organization_are_unknown(local: Gateway, no_connections: None) -> None:
    body = {"data": {"url": "https://127.0.0.1/", "headers": {"X-Key": "{{secrets.TOKEN}}"}}}
    assert local.api("POST", PATH, body, org="other").body["error"].startswith("secret_missing")


def test_a_corrected_secret_counts_at_once(local: Gateway, clock: list[float]) -> None:
    headers, secret = {"X-Key": "{{secrets.TOKEN}}"}, {"value": "corrected-value", "hosts": ["127.0.0.1"]}
    with serving(answering(b"")) as server:
        tried(local, at(server), headers=headers)
        clock[0] += 1
        stored = json.dumps({"TOKEN": secret})
        boto3.client("secretsmanager").put_secret_value(SecretId="pytake/test/acme/flow-secrets", SecretString=stored)
        tried(local, at(server), headers=headers)
    assert b"corrected-value" in server.requests[1]


def test_a_person_may_test_once_a_second(gateway: Gateway, clock: list[float]) -> None:
    assert tried(gateway, "https://127.0.0.1/").status == 200
    refused = tried(gateway, "https://127.0.0.1/")
    assert (refused.status, refused.body["code"]) == (429, "too_many_requests")
    clock[0] += 1
    assert tried(gateway, "https://127.0.0.1/").status == 200
