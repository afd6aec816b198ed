"""What holds for any flow and any input."""

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
    Flow,
    FlowError,
    Input,
    InputLocation,
    InputMedia,
    State,
    StateError,
    Turn,
    compile_flow,
    continue_turn,
    parse_document,
    take_turn,
    validate,
)
from pytake.engine.events import EVENTS
from pytake.engine.limits import STEPS
from tests.engine.meta_limits import assert_sendable

VARIABLES = ["a", "b", "c"]
TEXTS = st.sampled_from(
    [
        "Hello",
        "Hello {{a}}!",
        "{{a}}",
        "{{b | upper | default('none')}} and {{input.text}}",
        "{{contact.name | first_name}} {{c.x.0}}",
        "{{a}}{{b}}{{c}}",
        "long " * 400,
        "\n\n",
        "👨‍👩‍👧‍👦" * 300 + "{{a}}",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=4,
)
VARIABLE = st.sampled_from(VARIABLES)
LIKELY = st.sampled_from(
    ["one", "two", " Two", "v0", "v1", 0, 5, "5", 7.5, 10, ["one", "v0"], "one, two, 5", "", "{{b}}"]
)
BAIT = st.sampled_from(
    [
        "{{secrets.token}}",
        "{{a}}",
        "\x00",
        "(a+)+$",
        "a" * 65_536,
        "مرحبا بالعالم",
        "👩🏽‍🚀🏳️‍🌈🇧🇷🇧🇷",
        "é́́́́" * 3000,
        "1e999",
        "nan",
        "٣",
        "-0",
        "one",
        "two",
        "1",
        "2",
        "a@b.io",
        "+55 11 98765-4321",
        "31/12/2026",
        "1.234,56",
        "\ue000token\ue001",
        "\ud800",
        "",
        " ",
    ]
)


@st.composite
def buttons(draw: st.DrawFn, ids: list[str]) -> list[dict[str, Any]]:
    labels = draw(
        st.lists(st.sampled_from(["one", "two", "três", "Four", "5", "{{a}}", "{{b}}", "🙂"]), min_size=1, unique=True)
    )
    target = st.none() | st.sampled_from(ids)
    return [
        {
            "label": label,
            "value": f"v{index}",
            "next_node_id": draw(target),
            "description": draw(st.none() | st.just("{{a}} d")),
        }
        for index, label in enumerate(labels)
    ]


@st.composite
def validation(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(
        st.sampled_from(["text", "email", "phone", "number", "choice", "date", "regex", "media", "location", "any"])
    )
    found: dict[str, Any] = {"type": kind, "error_message": draw(st.none() | TEXTS)}
    if kind == "regex":
        found["pattern"] = draw(st.sampled_from(["^a+$", "(a+)+$", "[0-9]", "é"]))
    if kind == "choice":
        found["choices"] = ["one", {"value": "two", "label": "Dois"}]
    if kind == "number":
        found["max"] = draw(st.none() | st.integers(0, 10))
    return found


@st.composite
def comparison(draw: st.DrawFn) -> dict[str, Any]:
    operators = ["==", "!=", ">", "<", ">=", "<=", "in", "not_in", "contains", "not_contains"]
    operator = draw(st.sampled_from([*operators, "starts_with", "ends_with", "is_empty", "is_not_empty", "matches"]))
    value = draw(st.sampled_from(["(a+)+$", "one"]) if operator == "matches" else LIKELY | VALUES)
    return {
        "variable": draw(st.sampled_from([*VARIABLES, "a.x", "contact.name", "input.text"])),
        "operator": operator,
        "value": value,
    }


KINDS = [
    *("start", "message", "buttons", "media", "cta", "question", "question", "question_buttons", "condition"),
    *("branches", "jump", "end", "handoff", "action", "api_call", "ai_prompt", "delay", "set_variable", "random"),
    *("template", "whatsapp_flow"),
]


@st.composite
def nodes(draw: st.DrawFn, ids: list[str], flows: list[str]) -> list[dict[str, Any]]:
    target = st.sampled_from(ids)
    found = []
    for node_id in ids:
        kind = draw(st.sampled_from(KINDS))
        following = draw(target)
        data: dict[str, Any]
        match kind:
            case "start":
                data = {"greeting": draw(TEXTS), "next_node_id": following}
            case "message":
                data = {
                    "text": "M " + draw(TEXTS),
                    "header": draw(st.none() | st.just("H {{a}}")),
                    "next_node_id": draw(st.none() | target),
                }
            case "buttons":
                kind = "message"
                data = {
                    "text": draw(TEXTS),
                    "buttons": draw(buttons(ids)),
                    "footer": draw(st.none() | st.just("{{a}}")),
                }
                data["next_node_id"] = draw(st.none() | target)
            case "media":
                kind = "message"
                media = {"type": draw(st.sampled_from(["image", "audio", "video", "document"])), "id": "1"}
                data = {"text": draw(TEXTS), "media": media, "buttons": draw(st.none() | buttons(ids))}
            case "cta":
                kind = "message"
                data = {"text": draw(TEXTS), "cta_url": {"label": "{{a}}", "url": "https://example.com/{{a}}"}}
                data["next_node_id"] = draw(st.none() | target)
            case "question":
                data = {
                    "question": "Q " + draw(TEXTS),
                    "variable": draw(VARIABLE),
                    "validation": draw(st.none() | validation()),
                }
                data |= {
                    "max_attempts": draw(st.none() | st.integers(1, 3)),
                    "timeout_seconds": draw(st.none() | st.just(60)),
                }
                data |= {"next_node_id": following}
            case "question_buttons":
                kind = "question"
                data = {"question": "Q " + draw(TEXTS), "variable": draw(VARIABLE), "buttons": draw(buttons(ids))}
                data |= {"validation": draw(st.none() | validation()), "next_node_id": following}
            case "condition":
                data = {**draw(comparison()), "true_next_node_id": following, "false_next_node_id": draw(target)}
            case "branches":
                kind = "condition"
                branch = st.fixed_dictionaries(
                    {"all": st.lists(comparison(), min_size=1, max_size=2), "next_node_id": target}
                )
                data = {"branches": draw(st.lists(branch, max_size=2)), "default_next_node_id": following}
            case "jump":
                data = {"target_flow_id": draw(st.sampled_from(flows)), "pass_variables": draw(st.booleans())}
                data |= {"return_to_parent": True, "next_node_id": draw(st.none() | target)}
            case "end":
                data = {"message": draw(st.none() | TEXTS), "trigger_handoff": draw(st.booleans())}
            case "handoff":
                data = {"message": draw(TEXTS), "note": "{{a}}"}
            case "action":
                actions = [
                    {"type": "set_variable", "variable": draw(VARIABLE), "value": draw(VALUES)},
                    {"type": "save_contact", "field": "x", "value": draw(VALUES)},
                    {"type": "emit_event", "name": "e", "data": {"v": draw(VALUES)}},
                ]
                data = {"actions": actions, "next_node_id": following}
            case "api_call":
                data = {"url": "https://example.com/{{a}}", "body": draw(VALUES), "output_variable": draw(VARIABLE)}
                data |= {"response_map": {"b": "$.x[0]"}, "next_node_id": following, "error_next_node_id": draw(target)}
            case "ai_prompt":
                data = {
                    "model": "m",
                    "prompt": draw(TEXTS),
                    "output_variable": draw(VARIABLE),
                    "next_node_id": following,
                }
            case "delay":
                data = {"seconds": draw(st.integers(0, 100)), "next_node_id": following}
            case "set_variable":
                data = {"variable": draw(VARIABLE), "value": draw(VALUES), "next_node_id": following}
            case "random":
                paths = [{"id": "x", "next_node_id": following}, {"id": "y", "weight": 2, "next_node_id": draw(target)}]
                data = {"paths": paths, "sticky": draw(st.booleans())}
            case "template":
                data = {"name": "t", "language": "en", "components": [{"x": draw(VALUES)}], "next_node_id": following}
            case _:
                data = {
                    "flow_id": "1",
                    "cta": "{{a}}",
                    "text": draw(TEXTS),
                    "variable": draw(VARIABLE),
                    "next_node_id": following,
                }
        found.append({"id": node_id, "type": kind, "data": data})
    return found


@st.composite
def bundles(draw: st.DrawFn) -> dict[str, Any]:
    flows = ["main", "sub"]
    language = draw(st.sampled_from(["pt_BR", "en", "es"]))
    documents = {}
    for flow_id in flows:
        ids = [f"n{index}" for index in range(draw(st.integers(1, 7)))]
        documents[flow_id] = {
            "format": 1,
            "id": flow_id,
            "language": language,
            "start_node_id": "n0",
            "merge_texts": draw(st.booleans()),
            "report_variables": ["a"],
            "nodes": draw(nodes(ids, flows)),
        }
    return documents


INPUTS = st.one_of(
    st.builds(Input, text=st.text(max_size=20) | BAIT),
    st.builds(
        Input,
        type=st.just("reply"),
        reply_id=st.sampled_from(["v0", "v1", "v5", "old", "two"]),
        text=st.text(max_size=5),
    ),
    st.builds(Input, type=st.just("media"), media=st.builds(InputMedia, id=st.text(max_size=5), type=st.just("image"))),
    st.builds(Input, type=st.just("location"), location=st.just(InputLocation(1.5, -2.0))),
    st.builds(
        Input,
        type=st.just("form"),
        response=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
    ),
    st.builds(
        Input, type=st.sampled_from(["timeout", "resume", "contacts", "unsupported", "effect_result", "nonsense"])
    ),
)
RESULTS = st.builds(
    EffectResult, ok=st.booleans(), status=st.just(200), body=VALUES, error=st.none() | st.text(max_size=5)
)
LEGITIMATE_FAILURES = {"step_budget_exceeded", "stack_limit_exceeded"}


def whole_turn(flow: Flow, state: State | None, said: Input, context: Context, result: EffectResult) -> Turn:
    turn = take_turn(flow, state, said, context)
    while turn.effect is not None:
        turn = continue_turn(flow, turn, said, result, context)
    return turn


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(bundles(), st.lists(st.tuples(INPUTS, RESULTS, st.integers(0, 90)), min_size=1, max_size=8))
def test_any_flow_takes_any_input(documents: dict[str, Any], inputs: list[tuple[Input, EffectResult, int]]) -> None:
    flow = compile_flow(documents, "main")
    validate(documents, "main")
    stored, now = None, 1_800_000_000.0
    for number, (said, result, seconds) in enumerate(inputs):
        now += seconds
        context = Context(now, f"seed{number}", Contact("551199", "+551199", "Ana {{a}}"), "BR", {"parar": "stop"})
        state = State.decode(stored) if stored is not None else None
        before = copy.deepcopy(state)
        turn = whole_turn(flow, state, said, context, result)
        assert state == before, "the state was changed"
        again = whole_turn(flow, state, said, context, result)
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
@given(st.text(max_size=30) | st.binary(max_size=60), st.sampled_from(["q", "nowhere", ""]))
def test_bytes_that_are_no_state_are_refused_or_fail_the_turn(raw: str | bytes, node_id: str) -> None:
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
        state = State("main", node_id)
    turn = take_turn(flow, state, Input(text="x"), Context(0.0, "s", Contact("1")))
    assert turn.status == ("completed" if node_id == "q" else "failed")
    if turn.status == "failed":
        assert [event.type for event in turn.events] == ["state_invalid"]
