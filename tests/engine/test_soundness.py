"""Soundness of the prover, in 10,000 conversations: accepted flows have no dead ends, and what the prover knows is true."""

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from pytake.engine import (
    Contact,
    Context,
    EffectResult,
    Input,
    InputLocation,
    InputMedia,
    State,
    Turn,
    compile_flow,
    validate,
)
from pytake.engine.compiler import Compilation
from pytake.engine.prover.abstract_values import AbstractValue
from pytake.engine.prover.dataflow import Analysis
from pytake.engine.prover.graph import Graph
from tests.depth import share
from tests.engine.admission import admits
from tests.engine.conversations import whole_turn
from tests.engine.meta_limits import assert_sendable
from tests.engine.strategies import bundles

CONVERSATIONS = share(12_000)
PER_FLOW = 40
TURNS = 8
NOW = 1_800_000_000.0
TEXTS = [
    *(
        "hello there, this is a text",
        "a",
        "aaaa",
        "é",
        "0",
        "1",
        "5",
        "10",
        "1,5",
        "one",
        "two",
        "Dois",
        "2",
        "3",
        "Sim",
    ),
    *("ana@example.com", "+55 11 98765-4321", "31/12/2026", "{{a}}", "", " ", "👩🏽‍🚀", "x" * 4096, "nan", "(a+)+$"),
]
RESULTS = [
    EffectResult(ok=True, status=200, body={"x": ["one"], "a": 5}),
    EffectResult(ok=True, status=200, body="text"),
    EffectResult(ok=True, status=200, body=[1, 2, {"x": "a"}]),
    EffectResult(ok=False, error="timeout"),
]
INPUTS = [
    *(Input(text=text) for text in TEXTS),
    *(Input(type="reply", reply_id=f"v{index}") for index in range(11)),
    Input(type="reply", reply_id="two", text="Dois"),
    Input(type="reply", reply_id="of an older message"),
    Input(type="media", media=InputMedia("1", "image")),
    Input(type="location", location=InputLocation(1.5, -2.0)),
    Input(type="form", response={"x": "one"}),
    Input(type="event", text="paid", payload={"x": "one"}),
    Input(type="contacts", payload=[{}]),
    Input(type="order", payload={"product_items": [{"product_retailer_id": "one", "quantity": 2, "item_price": 5}]}),
    Input(type="reaction", text="👍"),
    Input(type="reaction", text=""),
    Input(type="unsupported"),
]
COMMANDS = [Input(text="menu"), Input(text="help"), Input(text="precos")]
TIMER = Input(type="timeout")
HANDED_BACK = Input(type="handed_back")


@st.composite
def accepted(draw: st.DrawFn) -> dict[str, Any]:
    """Bundles that the prover accepts. Most random bundles would be rejected, so nodes that do not wait lead only forward, and
    every variable is set first."""
    documents = draw(bundles())
    for flow_id, document in documents.items():
        ids = [node["id"] for node in document["nodes"]]
        for index, node in enumerate(document["nodes"]):
            if not _waits(node):
                _lead_forward(node["data"], ids[index + 1 :] or ["end"])
            if flow_id == "sub" and node["type"] == "jump":
                takes_over = node["data"]["target_flow_id"] == "main"
                node["data"]["return_to_parent"] = not takes_over
                if takes_over:
                    for name in ("next_node_id", "timeout_seconds", "timeout_next_node_id", "outcome_variable"):
                        node["data"].pop(name, None)
        document["nodes"].append({"id": "end", "type": "end"})
    main = documents["main"]
    values = [
        {"type": "set_variable", "variable": name, "value": draw(st.sampled_from(["one", 5, "", None]))}
        for name in "abc"
    ]
    main["nodes"].append(
        {"id": "first", "type": "action", "data": {"actions": values, "next_node_id": main["start_node_id"]}}
    )
    main["start_node_id"] = "first"
    assume(not any(problem.severity == "error" for problem in validate(documents, "main")))
    return documents


def _waits(node: dict[str, Any]) -> bool:
    kind, data = node["type"], node["data"]
    return (
        kind in ("question", "whatsapp_flow", "wait_event", "handoff")
        or bool(kind == "message" and data.get("buttons"))
        or bool(kind == "delay" and data["seconds"])
    )


def _lead_forward(value: Any, ids: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _lead_forward(item, ids)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("next_node_id") and item:
                value[key] = item if item in ids else ids[int(re.sub(r"\D", "", item)) % len(ids)]
            else:
                _lead_forward(item, ids)


class Proved:
    """The results of the prover for a bundle: what is known at every node, and the exits that can be taken."""

    def __init__(self, documents: dict[str, Any]) -> None:
        compilation = Compilation(documents, "main")
        analysis = Analysis(compilation, Graph(compilation))
        self.states: dict[tuple[str, str], list[Mapping[str, AbstractValue]]] = {}
        self.taken: set[tuple[str, str, str]] = set()
        for context in analysis.contexts():
            for node, state in context.before.items():
                self.states.setdefault(node, []).append(state)
                taken = [
                    found.edge.exit for found in analysis.transitions(context, node) if found.environment is not None
                ]
                self.taken.update((*node, exit_) for exit_ in taken)
        self.decides = {node for node, facts in compilation.facts.items() if facts.branch_conditions}


class Conversations:
    """Random conversations with one flow."""

    def __init__(self, documents: dict[str, Any], chance: Random) -> None:
        self.flow = compile_flow(documents, "main")
        self.proved = Proved(documents)
        self.chance = chance
        self.language = chance.choice(["", "fr", "en"])
        self.left: set[tuple[str, str]] = set()  # the waiting nodes for which an input that leads on was found

    def run_one(self, number: int) -> None:
        """A conversation of a few turns. No turn fails, and some input always leads on."""
        state, now, with_agent = None, NOW, False
        for turn_number in range(TURNS):
            now += self.chance.choice([1, 30, 3600])
            user_input = self.chance.choice([*INPUTS, *COMMANDS, TIMER]) if not with_agent else HANDED_BACK
            turn = self.turn(state, user_input, now, f"{number}/{turn_number}")
            with_agent = turn.status == "handoff" and self.goes_on(turn)
            left = turn.handoff_state if with_agent else turn.state
            if left is None:
                return
            state = State.decode(left.encode())
            node = (state.sub_flow_id or self.flow.id, state.node_id)
            self.compare(node, turn, state.variables)
            if node not in self.left:
                assert any(self.leads_on(state, user_input, now) for user_input in [*INPUTS, TIMER, HANDED_BACK]), (
                    f"no input leads on from {node}"
                )
                self.left.add(node)

    def compare(self, node: tuple[str, str], turn: Turn, variables: dict[str, Any]) -> None:
        """Assert that what the prover knows is true in this turn."""
        known = self.proved.states.get(node, [])
        assert any(all(admits(one, name, variables) for name, one in state.items()) for state in known), (
            f"{node} cannot be reached with {variables}"
        )
        for step in turn.path:
            if (step.flow_id, step.node_id) in self.proved.decides:
                assert (step.flow_id, step.node_id, step.exit) in self.proved.taken, (
                    f"{step} was reported as impossible"
                )

    def goes_on(self, turn: Turn) -> bool:
        """Whether a handoff goes on when the agent returns the conversation."""
        return turn.handoff_state is not None and self.flow.timer_input(turn.handoff_state) == "handed_back"

    def leads_on(self, state: State, user_input: Input, now: float) -> bool:
        """Whether this input leads on from the waiting node."""
        turn = self.turn(state, user_input, now if user_input is not TIMER else state.due_at or now, "probe")
        return bool(turn.path) and turn.path[0].exit not in ("invalid", "stale", "wait")

    def turn(self, state: State | None, user_input: Input, now: float, seed: str) -> Turn:
        """Take a turn, which must not fail."""
        contact = Contact("551199", "+551199", "Ana", language=self.language)
        context = Context(now, seed, contact, "BR", constants={"shop": "Shop"})
        turn = whole_turn(self.flow, state, user_input, context, self.chance.choice(RESULTS))
        assert turn.status != "failed", turn.events
        for message in turn.messages:
            assert_sendable(message)
        return turn


def test_no_accepted_flow_leads_into_a_dead_end() -> None:
    held = 0

    @settings(
        max_examples=CONVERSATIONS // PER_FLOW,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking is not needed: the flow of a failure is small
    )
    @given(accepted(), st.randoms(use_true_random=False))
    def converse(documents: dict[str, Any], chance: Random) -> None:
        nonlocal held
        conversations = Conversations(documents, Random(chance.getrandbits(64)))  # noqa: S311
        for number in range(PER_FLOW):
            conversations.run_one(number)
            held += 1

    converse()
    assert held >= CONVERSATIONS
