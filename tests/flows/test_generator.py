"""`--generate`: conversations through every reachable exit, for every node type."""

from pathlib import Path
from typing import Any

import pytest

from cli.flow_testing.files import read_suite, write_suite
from cli.flow_testing.generator import generate
from pytake.conversation.flow_tests.coverage import Coverage
from pytake.conversation.flow_tests.runner import run_conversation
from pytake.engine import compile_flow
from tests.engine.conversations import document, node

END = node("e", "end", message="Bye.")


def uncovered(folder: Path, *documents: dict[str, Any]) -> list[str]:
    """The exits that generated tests do not take. The tests are written, read back and run."""
    bundle, root = {one["id"]: one for one in documents}, documents[0]["id"]
    path = folder / "x.test.json"
    path.write_bytes(write_suite(generate(bundle, root)))
    assert write_suite(generate(bundle, root)) == path.read_bytes()
    suite, flow, coverage = read_suite(path), compile_flow(bundle, root), Coverage(bundle, root)
    for script in suite.conversations:
        played = run_conversation(suite, script, flow)
        assert played.failures == []
        coverage.add(played.steps)
    return [f"{found.flow_id}/{exit_}" for found in coverage.flows() for exit_ in found.missing]


@pytest.mark.parametrize(
    "validation",
    [
        {"type": "text", "min_length": 30, "max_length": 40},
        {"type": "email"},
        {"type": "phone", "country": "ES"},
        {"type": "number", "min": 3, "max": 4},
        {"type": "choice", "choices": ["one", {"value": "two", "label": "Dois"}]},
        {"type": "date", "min": "today"},
        {"type": "date", "max": "2000-01-01"},
        {"type": "regex", "pattern": "^[A-Z]{3}-\\d{4}$"},
        {"type": "media", "choices": ["document"]},
        {"type": "location"},
        {"type": "any"},
    ],
    ids=lambda validation: validation["type"],
)
def test_every_validator_accepts_rejects_and_times_out(tmp_path: Path, validation: dict[str, Any]) -> None:
    limits = {"max_attempts": 2, "timeout_seconds": 60}
    ask = node("q", "question", question="?", variable="v", validation=validation, next_node_id="e", **limits)
    assert uncovered(tmp_path, document(ask, END)) == []


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("==", "gold"),
        ("!=", "gold"),
        (">", 10),
        ("<=", "2.5"),
        ("in", ["a", "b"]),
        ("not_in", "a, b"),
        ("contains", "refund"),
        ("not_contains", "refund"),
        ("starts_with", "ab"),
        ("ends_with", "yz"),
        ("matches", "(?i)pass.?word|log.?in"),
    ],
)
def test_both_sides_of_every_operator_are_taken(tmp_path: Path, operator: str, value: Any) -> None:
    ask = node("q", "question", question="?", variable="v", next_node_id="s")
    copied = node("s", "set_variable", variable="w", value="{{v}}", next_node_id="c")
    decide = node(
        "c", "condition", variable="w", operator=operator, value=value, true_next_node_id="e", false_next_node_id="f"
    )
    assert uncovered(tmp_path, document(ask, copied, decide, END, node("f", "end"))) == []


def test_every_result_of_apis_models_and_random_nodes_is_tried(tmp_path: Path) -> None:
    call = node(
        "a",
        "api_call",
        url="https://x.io/{{v}}",
        output_variable="r",
        response_map={"state": "$.order.states[0].name"},
        next_node_id="c",
        error_next_node_id="m",
    )
    state = {"variable": "state", "operator": "==", "value": "sent"}
    vip = {"variable": "r.customer.level", "operator": ">=", "value": 3}
    decide = node(
        "c",
        "condition",
        branches=[{"all": [state], "next_node_id": "e"}, {"all": [vip], "next_node_id": "r"}],
        default_next_node_id="m",
    )
    model = node(
        "m", "ai_prompt", model="m", prompt="{{v}}", output_variable="t", next_node_id="d", error_next_node_id="e"
    )
    yes = node(
        "d", "condition", variable="t", operator="==", value="YES", true_next_node_id="e", false_next_node_id="e"
    )
    chance = node(
        "r",
        "random",
        sticky=True,
        paths=[{"id": "x", "weight": 9, "next_node_id": "e"}, {"id": "y", "next_node_id": "e"}],
    )
    ask = node("q", "question", question="?", variable="v", next_node_id="a")
    assert uncovered(tmp_path, document(ask, call, decide, model, yes, chance, END)) == []


def test_every_exit_of_forms_lists_delays_and_sub_flows_is_taken(tmp_path: Path) -> None:
    known = node(
        "k",
        "condition",
        variable="contact.plan",
        operator="==",
        value="pro",
        true_next_node_id="e",
        false_next_node_id="m",
    )
    rows = [{"label": f"Option {n}", "value": f"o{n}", "next_node_id": "e" if n else "w"} for n in range(5)]
    choose = node("m", "message", text="Choose", buttons=rows)
    form = node("w", "whatsapp_flow", flow_id="1", cta="Open", variable="f", next_node_id="c")
    decide = node(
        "c", "condition", variable="f.size", operator="==", value="XL", true_next_node_id="t", false_next_node_id="j"
    )
    later = node("t", "delay", seconds=60, next_node_id="j")
    jump = node("j", "jump", target_flow_id="sub", pass_variables=False, next_node_id="h")
    person = node("h", "handoff", message="One moment.")
    sub = document(node("q", "question", question="?", variable="v", next_node_id="e"), END, id="sub")
    assert uncovered(tmp_path, document(known, choose, form, decide, later, jump, person, END), sub) == []


def test_unreachable_exits_are_left_to_the_report(tmp_path: Path) -> None:
    ask = node("q", "question", question="?", variable="v", validation={"type": "number", "max": 5}, next_node_id="c")
    decide = node("c", "condition", variable="v", operator=">", value=9, true_next_node_id="e", false_next_node_id="f")
    assert uncovered(tmp_path, document(ask, decide, END, node("f", "end"))) == ["main/c: true", "main/e: end"]
