"""A path that leads nowhere ends the flow, whatever the type of the node."""

from typing import Any

import pytest

from pytake.engine import EffectResult, Input, Turn, validate
from pytake.engine.registry import node_types
from tests.engine.conversations import Talk, document, flow_of, node

TEST = {"variable": "input.text", "operator": "==", "value": "hi"}
ENDS: dict[str, list[dict[str, Any]]] = {
    "start": [{"greeting": "Hi"}],
    "message": [{"text": "Hi"}, {"text": "Which?", "buttons": [{"label": "A"}]}],
    "question": [
        {"question": "Q?", "variable": "v"},
        {"question": "Q?", "variable": "v", "buttons": [{"label": "A"}]},
    ],
    "condition": [TEST, {**TEST, "value": "x"}, {"branches": [{"all": [TEST]}]}, {"branches": []}],
    "jump": [{"target_flow_id": "sub"}],
    "action": [{"actions": [{"type": "add_tag", "tag": "t"}]}],
    "api_call": [{"url": "https://example.com"}],
    "ai_prompt": [{"model": "m", "prompt": "p", "output_variable": "v"}],
    "delay": [{"seconds": 60}, {"seconds": 0}],
    "set_variable": [{"variable": "v", "value": 1}],
    "random": [{"paths": [{"id": "a"}, {"id": "b"}]}],
    "schedule": [
        {"hours": [{"days": ["mon"], "opens": "09:00", "closes": "10:00"}], "holidays": ["2026-11-23"]},
        {"hours": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "00:00", "closes": "24:00"}]},
    ],
    "template": [{"name": "t", "language": "en"}],
    "wait_event": [{"name": "paid", "timeout_seconds": 60}],
    "whatsapp_flow": [{"flow_id": "1", "cta": "Open", "variable": "v"}],
}
CASES = [(kind, data) for kind, datas in ENDS.items() for data in datas]
SUB = document(node("s", "end"), id="sub")


def last_turn(talk: Talk, result: EffectResult) -> Turn:
    """Talk until nothing waits: with a text, a tap, the response to a form, and the time that passes."""
    turn = talk.say("hi")
    for answer in (Input(text="1"), Input("form", response={}), Input("resume"), Input("timeout")):
        while turn.effect is not None:
            talk.stored = None
            turn = talk.say("hi", [result])
        if turn.status != "waiting":
            break
        talk.now += 60
        turn = talk.say(answer)
    return turn


def test_every_type_that_continues_is_here() -> None:
    assert set(ENDS) >= set(node_types()) - {"end", "handoff"}


@pytest.mark.parametrize(("kind", "data"), CASES)
@pytest.mark.parametrize("ok", [True, False])
def test_a_node_without_a_next_one_ends_the_flow(kind: str, data: dict[str, Any], ok: bool) -> None:
    main = document(node("n", kind, **data))
    assert [found for found in validate({"main": main, "sub": SUB}, "main") if found.severity == "error"] == []
    result = EffectResult(ok=ok, status=200, body="B", error=None if ok else "http_500")
    turn = last_turn(Talk(flow_of(main, SUB)), result)
    assert (turn.status, turn.state, turn.node_id) == ("completed", None, "n")


@pytest.mark.parametrize(("kind", "data"), [case for case in CASES if case[0] != "jump"])
def test_a_sub_flow_returns_there(kind: str, data: dict[str, Any]) -> None:
    main = document(node("j", "jump", target_flow_id="sub", next_node_id="e"), node("e", "end", message="Back"))
    sub = document(node("n", kind, **data), id="sub")
    assert [found.code for found in validate({"main": main, "sub": sub}, "main") if found.code == "never_returns"] == []
    turn = last_turn(Talk(flow_of(main, sub)), EffectResult(ok=True, status=200, body="B"))
    assert (turn.status, turn.node_id) == ("completed", "e")
