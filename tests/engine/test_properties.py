"""Properties of every flow and every input."""

import copy
from contextlib import suppress
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytake.engine import (
    Contact,
    Context,
    EffectResult,
    FlowError,
    Input,
    State,
    StateError,
    compile_flow,
    parse_document,
    take_turn,
    validate,
)
from pytake.engine.events import EVENTS
from pytake.engine.limits import STEPS
from tests.depth import share
from tests.engine.conversations import whole_turn
from tests.engine.meta_limits import assert_sendable
from tests.engine.strategies import INPUTS, RESULTS, bundles

LEGITIMATE_FAILURES = {"step_budget_exceeded", "effect_budget_exceeded", "stack_limit_exceeded"}


@settings(max_examples=share(400), deadline=None, suppress_health_check=list(HealthCheck))
@given(bundles(), st.lists(st.tuples(INPUTS, RESULTS, st.integers(0, 90)), min_size=1, max_size=8))
def test_any_flow_takes_any_input(documents: dict[str, Any], inputs: list[tuple[Input, EffectResult, int]]) -> None:
    flow = compile_flow(documents, "main")
    validate(documents, "main")
    stored, now = None, 1_800_000_000.0
    for number, (user_input, result, seconds) in enumerate(inputs):
        now += seconds
        context = Context(now, f"seed{number}", Contact("551199", "+551199", "Ana {{a}}"), "BR", {"parar": "stop"})
        state = State.decode(stored) if stored is not None else None
        before = copy.deepcopy(state)
        turn = whole_turn(flow, state, user_input, context, result)
        assert state == before, "the state was changed"
        again = whole_turn(flow, state, user_input, context, result)
        assert msgspec.json.encode(again) == msgspec.json.encode(turn)
        if turn.status == "failed":
            assert turn.events[-1].type in LEGITIMATE_FAILURES
            assert turn.messages == []
        assert len(turn.path) <= STEPS
        assert {event.type for event in turn.events} <= set(EVENTS)
        assert (turn.state is not None) == (turn.status == "waiting")
        for message in turn.messages:
            assert_sendable(message)
        stored = turn.state.encode() if turn.state is not None else None
        if turn.state is not None and stored is not None:
            assert State.decode(stored).encode() == stored


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "nodes", "type", "data", "start_node_id", "format", "x", "buttons"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_a_document_or_a_list_of_problems(value: Any) -> None:
    with suppress(FlowError):
        parse_document(msgspec.json.encode(value))
    if isinstance(value, dict):
        assert isinstance(validate({"main": value}, "main"), list)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=30) | st.binary(max_size=60),
    st.sampled_from(["main", "another"]),
    st.sampled_from(["q", "nowhere", ""]),
)
def test_bytes_that_are_not_a_state_are_rejected_or_fail_the_turn(raw: str | bytes, flow_id: str, node_id: str) -> None:
    document = {
        "id": "main",
        "start_node_id": "q",
        "nodes": [
            {"id": "q", "type": "question", "data": {"question": "Q", "variable": "v", "next_node_id": "e"}},
            {"id": "e", "type": "end"},
        ],
    }
    flow = compile_flow({"main": document}, "main")
    try:
        state = State.decode(raw if isinstance(raw, bytes) else raw.encode(errors="replace"))
    except StateError:
        state = State(flow_id, node_id)
    turn = take_turn(flow, state, Input(text="x"), Context(0.0, "s", Contact("1")))
    # Without a node the flow is opened: it starts now.
    expected = {("main", "q"): "completed", ("main", ""): "waiting"}
    assert turn.status == expected.get((flow_id, node_id), "failed")
    if turn.status == "failed":
        assert [event.type for event in turn.events] == ["state_invalid"]
