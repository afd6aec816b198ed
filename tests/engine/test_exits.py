"""The exits in the facts of nodes, which coverage and generated tests rely on."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytake.engine import Contact, Context, EffectResult, Input, State, continue_turn, take_turn
from pytake.engine.compiler import Compilation, compile_flow
from tests.depth import share
from tests.engine.conversations import document, node
from tests.engine.strategies import INPUTS, bundles


def exits(*nodes: dict[str, Any]) -> dict[str, list[str]]:
    facts = Compilation({"main": document(*nodes)}, "main").facts
    return {node_id: found.exits for (_, node_id), found in facts.items()}


def test_only_what_the_data_allows_is_an_exit() -> None:
    end, person = node("e", "end"), node("h", "end", trigger_handoff=True)
    plain = node("q", "question", question="?", variable="v", next_node_id="e")
    buttons = [{"label": "Yes", "value": "y"}, {"label": "No", "value": "n", "next_node_id": "h"}]
    tapped = node("b", "question", question="?", variable="v", buttons=buttons, next_node_id="e", max_attempts=1)
    timed = node("t", "question", question="?", variable="v", next_node_id="e", timeout_seconds=5, max_attempts=2)
    assert exits(plain, tapped, timed, end, person) == {
        "q": ["wait", "next", "invalid", "stale"],
        "b": ["wait", "stale", "max_attempts", "button:y", "button:n"],
        "t": ["wait", "next", "invalid", "stale", "timeout", "max_attempts"],
        "e": ["end", "return"],
        "h": ["handoff"],
    }


@settings(max_examples=share(160), deadline=None, suppress_health_check=list(HealthCheck))
@given(bundles(), st.lists(st.tuples(INPUTS, st.integers(0, 100)), max_size=6))
def test_every_step_leaves_through_a_declared_exit(
    documents: dict[str, Any], user_input: list[tuple[Input, int]]
) -> None:
    compilation = Compilation(documents, "main")
    if any(problem.fatal for problem in compilation.problems):
        return
    flow, now = compile_flow(documents, "main"), 0.0
    state: State | None = None
    for answer, seconds in user_input:
        now += seconds
        context = Context(now, "seed", Contact("551199"))
        turn = take_turn(flow, state, answer, context)
        while turn.effect is not None:
            turn = continue_turn(flow, turn, answer, EffectResult(ok=seconds % 2 == 0), context)
        for step in turn.path:
            assert step.exit in compilation.facts[step.flow_id, step.node_id].exits
        state = turn.state
