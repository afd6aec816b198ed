"""The tests of a flow that builders keep beside it: stored, run on a draft, and the same file for `pytake flow test`."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from pytake.wiring import flow_tests, shared
from tests.functions.conftest import Answer, Gateway
from tests.functions.samples import CALLING, QUESTION

TESTS, RUN = "/api/v1/flows/hello/tests", "/api/v1/flows/hello/tests/run"

ANA: dict[str, Any] = {
    "name": "Ana of Recife",
    "turns": [
        {"input": "hi", "expect": {"texts": ["Hi!\n\nYour name?"], "status": "waiting"}},
        {"input": "Ana", "expect": {"texts": ["Your city?"], "status": "waiting"}},
        {"input": "Recife", "expect": {"texts": ["Thank you."], "status": "completed"}},
    ],
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time in seconds. A test may change it."""
    at = [1_770_000_000.25]
    monkeypatch.setattr(shared, "clock", lambda: at[0])
    return at


def saved(gateway: Gateway, *conversations: dict[str, Any], document: dict[str, Any] = QUESTION) -> Answer:
    assert gateway.api("PUT", "/api/v1/flows/hello", document).status == 200
    return gateway.api("PUT", TESTS, {"conversations": list(conversations)})


def test_tests_are_stored_beside_the_flow_and_run_on_its_draft(gateway: Gateway) -> None:
    put = saved(gateway, ANA)
    assert (put.status, put.headers["etag"]) == (200, '"1"')
    assert gateway.api("GET", TESTS).body == {"flow": "hello", "conversations": [ANA]}
    run = gateway.api("POST", RUN, {})
    assert run.status == 200, run.body
    assert (run.body["passed"], run.body["failed"], run.body["not_run"]) == (1, 0, 0)
    assert run.body["results"] == [{"name": "Ana of Recife", "outcome": "passed", "failures": []}]


def test_a_change_of_the_draft_fails_a_test_and_the_first_difference_is_named(gateway: Gateway) -> None:
    saved(gateway, ANA, ANA | {"name": "Only the first turn", "turns": ANA["turns"][:1]})
    changed = json.loads(json.dumps(QUESTION).replace("Your city?", "Where do you live?"))
    run = gateway.api("POST", RUN, {"document": changed})
    assert (run.body["passed"], run.body["failed"]) == (1, 1)
    assert run.body["results"][0]["failures"] == [
        {
            "turn": 2,
            "input": "Ana",
            "node_id": "city",
            "part": "texts",
            "expected": ["Your city?"],
            "actual": ["Where do you live?"],
        }
    ]
    assert gateway.api("POST", RUN, {}).body["failed"] == 0  # nothing was saved


def test_a_run_says_which_exits_the_tests_take_and_which_they_do_not(gateway: Gateway) -> None:
    saved(gateway, {"name": "First turn", "turns": [{"input": "hi"}]})
    run = gateway.api("POST", RUN, {}).body
    assert {"flow_id": "hello", "node_id": "start", "exit": "next"} in run["taken"]
    assert {"flow_id": "hello", "node_id": "city", "exit": "next"} in run["missing"]
    (coverage,) = run["coverage"]
    assert (coverage["nodes"], coverage["nodes_covered"]) == (4, 2)
    assert coverage["exits"] == len(run["taken"]) + len(run["missing"])


def test_a_copy_of_a_flow_has_copies_of_its_tests(gateway: Gateway) -> None:
    with_path = {"input": "hi", "expect": {"path": ["start: next", "name: wait"]}}
    path, body = "/api/v1/flows/hello/duplicate", {"flow_id": "copy", "name": "Copy"}
    saved(gateway, ANA | {"turns": [with_path]})
    assert gateway.api("POST", path, body).status == 200
    assert gateway.api("POST", "/api/v1/flows/copy/tests/run", {}).body["passed"] == 1
    changed = {"conversations": [ANA]}
    assert gateway.api("PUT", "/api/v1/flows/copy/tests", changed, headers={"If-Match": '"1"'}).status == 200
    assert gateway.api("POST", path, body).status == 200, "repeated"
    assert gateway.api("GET", "/api/v1/flows/copy/tests").body == {"flow": "copy"} | changed
    assert gateway.api("GET", TESTS).body["conversations"][0]["turns"] == [with_path]


def test_two_builders_do_not_overwrite_each_other(gateway: Gateway) -> None:
    saved(gateway, ANA)
    assert gateway.api("PUT", TESTS, {"conversations": []}, headers={"If-Match": '"1"'}).status == 200
    late = gateway.api("PUT", TESTS, {"conversations": [ANA]}, headers={"If-Match": '"1"'})
    assert (late.status, late.body["code"], late.headers["etag"]) == (412, "flow_tests_changed", '"2"')
    assert gateway.api("GET", TESTS).body["conversations"] == []


def test_a_flow_without_tests_has_an_empty_list(gateway: Gateway) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", QUESTION)
    empty = gateway.api("GET", TESTS)
    assert (empty.body, empty.headers["etag"]) == ({"flow": "hello", "conversations": []}, '"0"')
    assert gateway.api("POST", RUN, {}).body["results"] == []


def test_the_first_tests_are_not_overwritten_either(gateway: Gateway) -> None:
    saved(gateway, ANA)
    first = gateway.api("PUT", TESTS, {"conversations": []}, headers={"If-Match": '"0"'})
    assert (first.status, first.body["code"]) == (412, "flow_tests_changed")


@pytest.mark.parametrize(
    ("tests", "why"),
    [
        ({}, "conversations"),
        ({"flow": "other", "conversations": []}, "'other'"),
        ({"conversations": [ANA, ANA]}, "used twice"),
        ({"conversations": [{"name": " ", "turns": []}]}, "empty"),
        ({"conversations": [{"name": f"{number}", "turns": []} for number in range(201)]}, "200 tests"),
        ({"conversations": [{"name": "x", "turns": [{"input": "hi"}] * 101}]}, "100 turns"),
        ({"conversations": [{"name": "x", "turns": [{"input": "y" * 200_000}]}]}, "200 kB"),
        ({"conversations": [{"name": "x", "turns": [{"input": {"type": 7}}]}]}, "not a valid input"),
        ({"conversations": [{"name": "x", "turns": [{"input": "hi", "after_seconds": 1e300}]}]}, "after_seconds"),
        ({"conversations": [{"name": "x", "turns": [], "now": "yesterday"}]}, "yesterday"),
        ({"conversations": [{"name": "x", "turns": [], "now": "0001-01-01"}]}, "1970"),
        ({"conversations": [{"name": "x", "turns": [], "timezone": "Mars"}]}, "Mars"),
        ({"conversations": [{"name": "x", "turns": [], "contact": {"name": 7}}]}, "contact"),
        ({"conversations": [{"name": "x", "turns": [], "http_mocks": {"GET x": {"status": "ok"}}}]}, "status"),
        ({"conversations": [{"name": "x", "turns": [], "timetables": {"a": {"hours": []}}}]}, "timetable a"),
    ],
)
def test_what_is_no_test_is_refused_with_the_reason(gateway: Gateway, tests: dict[str, Any], why: str) -> None:
    gateway.api("PUT", "/api/v1/flows/hello", QUESTION)
    refused = gateway.api("PUT", TESTS, tests)
    assert (refused.status, refused.body["code"]) == (422, "flow_tests_invalid")
    assert why in refused.body["detail"]


def test_tests_of_a_flow_that_does_not_exist_are_refused(gateway: Gateway) -> None:
    assert gateway.api("GET", TESTS).body["code"] == "flow_unknown"
    assert gateway.api("PUT", TESTS, {"conversations": []}).body["code"] == "flow_unknown"
    assert gateway.api("POST", RUN, {"document": QUESTION}).body["code"] == "flow_unknown"
    assert gateway.api("POST", RUN, {}).body["code"] == "flow_unknown"


def test_a_draft_with_errors_cannot_be_tested(gateway: Gateway) -> None:
    saved(gateway, ANA, document=QUESTION | {"nodes": QUESTION["nodes"][:1]})
    refused = gateway.api("POST", RUN, {})
    assert (refused.status, refused.body["code"]) == (422, "flow_has_errors")
    assert refused.body["problems"]


def test_tests_are_for_builders_of_the_organization(gateway: Gateway) -> None:
    saved(gateway, ANA)
    for role, status in {"builder": 200, "admin": 200, "agent": 403, "analyst": 403}.items():
        assert gateway.api("GET", TESTS, role=role).status == status
        assert gateway.api("PUT", TESTS, {"conversations": [ANA]}, role=role).status == status
    assert gateway.api("GET", TESTS, org="other").status == 404


def test_a_person_may_run_tests_twice_a_second(gateway: Gateway, clock: list[float]) -> None:
    saved(gateway, ANA)
    assert [gateway.api("POST", RUN, {}).status for _ in range(3)] == [200, 200, 429]
    clock[0] += 1
    assert gateway.api("POST", RUN, {}).status == 200


def test_without_time_the_rest_is_not_run(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(gateway, ANA, ANA | {"name": "Later"})
    times = iter([0.0, 1.0, 11.0])
    monkeypatch.setattr("pytake.wiring.flow_tests.time", SimpleNamespace(monotonic=lambda: next(times)))
    flow_tests.flow_testing.cache_clear()  # type: ignore[attr-defined]
    run = gateway.api("POST", RUN, {}).body
    assert [result["outcome"] for result in run["results"]] == ["passed", "not_run"]
    flow_tests.flow_testing.cache_clear()  # type: ignore[attr-defined]


def test_a_rehearsal_with_a_call_becomes_a_test_that_passes_here_and_with_the_command(
    gateway: Gateway, tmp_path: Path
) -> None:
    gateway.api("PUT", "/api/v1/organization", {"timezone": "America/Sao_Paulo", "constants": {"shop": "Rua 1"}})
    document = json.loads(json.dumps(CALLING).replace("Order {{order.id}}?", "{{order.id}} at {{constants.shop}}?"))
    at = {"document": document, "now": "2026-11-30T10:00:00Z"}
    asked = gateway.api("POST", "/api/v1/flows/rehearse", at).body
    call = asked["effect"]
    assert call["mock"] == "GET https://api.example.com/orders"
    results = {call["key"]: {"ok": True, "status": 200, "body": {"id": "A-1"}}}
    first = gateway.api("POST", "/api/v1/flows/rehearse", at | {"results": results}).body
    assert first["texts"] == ["Hi!\n\nA-1 at Rua 1?\n\n[Yes] [No]"]
    reply = {"type": "reply", "reply_id": "no", "text": "No"}
    second = gateway.api("POST", "/api/v1/flows/rehearse", at | {"rehearsal": first["rehearsal"], "input": reply}).body
    recorded = {
        "name": "Order",
        "now": "2026-11-30T10:00:00Z",
        "http_mocks": {call["mock"]: [{"status": 200, "json": {"id": "A-1"}}]},
        "turns": [
            {"input": "", "expect": {"texts": first["texts"], "status": first["status"]}},
            {"input": {"reply_id": "no", "text": "No"}, "expect": {"texts": second["texts"], "status": "handoff"}},
        ],
    }
    saved(gateway, recorded, document=document)
    run = gateway.api("POST", RUN, {}).body
    assert run["passed"] == 1, run["results"]
    (tmp_path / "hello.json").write_text(json.dumps(document))
    exported = gateway.api("GET", TESTS, query={"complete": "true"}).body
    (tmp_path / "hello.test.json").write_text(json.dumps(exported))
    done = CliRunner().invoke(app, ["flow", "test", str(tmp_path / "hello.json")])
    assert done.exit_code == 0, done.output
    assert "1 of 1 conversations passed" in done.output
