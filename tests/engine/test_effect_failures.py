"""A failed call leaves nothing of an earlier one behind."""

from typing import Any

import pytest

from pytake.engine import EffectResult, Input, Turn, validate
from tests.engine.conversations import Talk, document, flow_of, node

CALL: dict[str, Any] = {
    "url": "https://example.com/{{n}}",
    "output_variable": "visit",
    "status_variable": "status",
    "response_map": {"city": "$.city"},
}
ASK = node("ask", "question", question="N?", variable="n", next_node_id="call")
FOUND = EffectResult(ok=True, status=200, body={"city": "Recife"})
NOT_FOUND = EffectResult(ok=False, status=404, error="http_404")
CUT = EffectResult(ok=False, error="connection_failed")


def called(talk: Talk, *results: EffectResult) -> dict[str, Any]:
    """The variables after these calls, without the question's."""
    turn: Turn = talk.say("hi")
    for result in results:
        turn = talk.say("1", [result])
    return {name: value for name, value in turn.variables.items() if name != "n"}


@pytest.mark.parametrize("error", [{}, {"error_next_node_id": "ask"}])
def test_a_failed_api_call_clears_what_the_last_one_stored(error: dict[str, str]) -> None:
    flow = flow_of(document(ASK, node("call", "api_call", next_node_id="ask", **CALL, **error)))
    success = {"visit": {"city": "Recife"}, "city": "Recife", "status": 200}
    assert called(Talk(flow), FOUND) == success
    failed = {"visit": None, "city": None, "status": 404, "visit_error": "http_404"}
    assert called(Talk(flow), FOUND, NOT_FOUND) == failed
    assert called(Talk(flow), FOUND, CUT) == failed | {"status": None, "visit_error": "connection_failed"}
    assert called(Talk(flow), NOT_FOUND, FOUND) == success | {"visit_error": None}


def test_a_failed_prompt_clears_the_last_answer() -> None:
    prompt = node("call", "ai_prompt", model="m", prompt="p", output_variable="text", next_node_id="ask")
    answer = EffectResult(ok=True, status=200, body="Hello")
    assert called(Talk(flow_of(document(ASK, prompt))), answer, CUT) == {
        "text": None,
        "text_error": "connection_failed",
    }


def test_a_call_in_a_sub_flow_replaces_what_the_parent_knows() -> None:
    main = document(
        node("first", "set_variable", variable="visit", value="old", next_node_id="second"),
        node("second", "set_variable", variable="visit_error", value="old", next_node_id="jump"),
        node("jump", "jump", target_flow_id="sub", pass_variables=False, next_node_id="wait"),
        node("wait", "question", question="Q?", variable="n"),
    )
    sub = document(node("call", "api_call", **CALL), id="sub")
    for result, left in ((NOT_FOUND, ("", "http_404")), (FOUND, ({"city": "Recife"}, ""))):
        turn = Talk(flow_of(main, sub)).say("hi", [result])
        assert (turn.variables["visit"] or "", turn.variables["visit_error"] or "") == left


def test_the_prover_knows_that_a_failed_call_has_no_answer() -> None:
    test = {"variable": "visit", "operator": "is_not_empty", "true_next_node_id": "e", "false_next_node_id": "e"}
    flow = document(
        node("before", "set_variable", variable="visit", value="old", next_node_id="call"),
        node(
            "call", "api_call", next_node_id="e", error_next_node_id="check", **{**CALL, "url": "https://example.com"}
        ),
        node("check", "condition", **test),
        node("e", "end", message="{{visit.city}} {{status}}"),
    )
    found = [(one.code, one.node_id, one.field) for one in validate({"main": flow}, "main")]
    assert found == [
        ("branch_never_taken", "check", "true_next_node_id"),
        ("variable_maybe_unassigned", "e", "message"),
    ]


def test_nothing_is_sent_twice_for_a_failed_call() -> None:
    turn = Talk(flow_of(document(node("call", "api_call", **CALL)))).say(Input(text="hi"), [CUT])
    assert [event.type for event in turn.events] == ["session_started", "effect_failed", "completed"]
