"""For each code of the prover: a flow that has the problem, and its mended twin that has none."""

from collections.abc import Callable
from typing import Any

import pytest

from pytake.engine import CODES, FlowError, compile_flow, parse_document, validate
from pytake.engine.problems import Problem
from tests.engine.conversations import document, node

END = node("e", "end")
Documents = list[dict[str, Any]]


def ask(**data: Any) -> dict[str, Any]:
    return node("q", "question", **{"question": "Q?", "variable": "v", "next_node_id": "e", **data})


def one(*nodes: dict[str, Any], **fields: Any) -> Documents:
    return [document(*nodes, **fields)]


def options(*labels: str) -> dict[str, Any]:
    return node(
        "q", "message", text="T", buttons=[{"label": label, "value": f"v{i}"} for i, label in enumerate(labels)]
    )


def jump(**data: Any) -> dict[str, Any]:
    return node("j", "jump", target_flow_id="sub", **data)


LEAVE = node("b", "jump", target_flow_id="main", return_to_parent=False)
SUB = document(ask(), END, id="sub")
CASES: dict[str, tuple[Documents, Documents, str | None, str | None]] = {
    # code: (wrong, mended, node, field)
    "unsupported_format": (one(END, format=2), one(END), None, "format"),
    "unknown_field": (one(node("e", "end", mesage="x")), one(node("e", "end", message="x")), "e", "mesage"),
    "missing_field": (one(node("h", "template", name="x", next_node_id="e"), END), one(END), "h", "language"),
    "invalid_value": (one(ask(max_attempts="3"), END), one(ask(max_attempts=3), END), "q", "max_attempts"),
    "unknown_type": (one(node("x", "mesage")), one(END), "x", "type"),
    "missing_start": (one(END, start_node_id=""), one(END), None, "start_node_id"),
    "duplicate_id": (one(END, END), one(END), "e", "id"),
    "unknown_target": (one(ask(next_node_id="nowhere")), one(ask(), END), "q", "next_node_id"),
    "unknown_flow": (one(jump()), [*one(jump()), SUB], "j", "target_flow_id"),
    "missing_target": (one(ask(next_node_id=None)), one(ask(), END), "q", "next_node_id"),
    "invalid_variable": (one(ask(variable="contact"), END), one(ask(variable="person"), END), "q", "variable"),
    "invalid_template": (
        one(node("e", "end", message="{{a b}}")),
        one(node("e", "end", message="{{a}}")),
        "e",
        "message",
    ),
    "unclosed_template": (
        one(node("e", "end", message="Hi {{name")),
        one(node("e", "end", message="Hi")),
        "e",
        "message",
    ),
    "invalid_pattern": (
        one(ask(validation={"type": "regex", "pattern": "(?=x)"}), END),
        one(ask(validation={"type": "regex", "pattern": "x"}), END),
        "q",
        "validation.pattern",
    ),
    "secret_outside_api_call": (
        one(node("e", "end", message="{{secrets.token}}")),
        one(node("a", "api_call", url="https://x.io/{{secrets.token}}", next_node_id="e"), END),
        "e",
        "message",
    ),
    "too_long": (one(options("x" * 21)), one(options("x" * 20)), "q", "buttons[0].label"),
    "too_many": (one(options(*"abcdefghijk")), one(options(*"abcdefghij")), "q", "buttons"),
    "duplicate_value": (
        one(ask(buttons=[{"label": "A", "value": "x"}, {"label": "B", "value": "x"}]), END),
        one(ask(buttons=[{"label": "A", "value": "x"}, {"label": "B", "value": "y"}]), END),
        "q",
        "buttons[1].value",
    ),
    "duplicate_label": (one(options("Yes", "Yes")), one(options("Yes", "No")), "q", "buttons[1].label"),
    "ambiguous_option": (one(options("Yes", "YES!")), one(options("Yes", "No")), "q", "buttons"),
    "conflicting_fields": (
        one(node("m", "message", text="T", media={"type": "image", "id": "1", "link": "https://x.io/a.png"})),
        one(node("m", "message", text="T", media={"type": "image", "id": "1"})),
        "m",
        "media",
    ),
    "unknown_language": (one(END, language="de"), one(END, language="pt-PT"), None, "language"),
    "unreachable_node": (one(ask(), END, node("lost", "end")), one(ask(), END), "lost", None),
    "loop_without_wait": (
        one(node("a", "message", text="A", next_node_id="b"), node("b", "message", text="B", next_node_id="a")),
        one(node("a", "message", text="A", next_node_id="q"), ask(next_node_id="a")),
        "a",
        None,
    ),
    "jump_cycle": (
        [*one(jump()), document(ask(next_node_id="b"), node("b", "jump", target_flow_id="main"), id="sub")],
        [*one(jump()), document(ask(next_node_id="b"), LEAVE, id="sub")],
        "j",
        "target_flow_id",
    ),
}


def problems_of(documents: Documents) -> list[Problem]:
    return validate({document["id"]: document for document in documents}, "main")


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(CODES) - {"unreadable_document"}


@pytest.mark.parametrize("code", CASES)
def test_a_problem_is_found_where_it_is(code: str) -> None:
    wrong, _, node_id, field = CASES[code]
    found = [problem for problem in problems_of(wrong) if problem.code == code]
    assert [(problem.node_id, problem.field) for problem in found] == [(node_id, field)]
    assert found[0].severity == CODES[code].severity
    assert found[0].message.endswith((".", "?"))


@pytest.mark.parametrize("code", CASES)
def test_the_mended_twin_has_no_problem(code: str) -> None:
    assert problems_of(CASES[code][1]) == []


@pytest.mark.parametrize("code", CASES)
def test_only_what_cannot_run_is_refused_by_the_compiler(code: str) -> None:
    documents = {document["id"]: document for document in CASES[code][0]}
    compile_: Callable[[], object] = lambda: compile_flow(documents, "main")  # noqa: E731
    if CODES[code].fatal:
        with pytest.raises(FlowError, match=code):
            compile_()
    else:
        compile_()


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"\xff"])
def test_what_is_no_document_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(FlowError, match="unreadable_document"):
        parse_document(raw)


def test_every_node_that_cannot_be_read_is_reported_at_once() -> None:
    documents = one(node("a", "end", mesage="x"), node("b", "nothing"), node("c", "question", question=3))
    assert [(p.node_id, p.code) for p in problems_of(documents)] == [
        ("a", "unknown_field"),
        ("b", "unknown_type"),
        ("c", "invalid_value"),
    ]


def test_a_slip_of_the_pen_gets_a_hint() -> None:
    assert "Did you mean `message`?" in problems_of(one(node("e", "end", mesage="x")))[0].message


def test_null_is_the_same_as_leaving_a_field_out() -> None:
    nodes = [ask(validation=None, buttons=None, max_attempts=None), node("e", "end", message=None)]
    assert problems_of(one(*nodes, session_ttl_hours=None, merge_texts=None)) == []


def test_the_only_start_node_is_the_start() -> None:
    assert problems_of(one(END, node("s", "start", next_node_id="e"), start_node_id=None)) == []


def test_a_loop_through_a_sub_flow_that_asks_is_no_loop() -> None:
    retry = node(
        "c", "condition", variable="v", operator="==", value="no", true_next_node_id="j", false_next_node_id="e"
    )
    assert problems_of([*one(jump(next_node_id="c"), retry, END), SUB]) == []


def test_a_loop_through_a_sub_flow_that_may_say_nothing_is_one() -> None:
    silent = document(
        node("c", "condition", variable="v", operator="is_empty", true_next_node_id="x", false_next_node_id="q")
    )
    sub = {**silent, "id": "sub", "nodes": [*silent["nodes"], node("x", "end"), ask(next_node_id="x")]}
    again = node(
        "c", "condition", variable="v", operator="==", value="no", true_next_node_id="j", false_next_node_id="e"
    )
    found = problems_of([*one(jump(next_node_id="c"), again, END), sub])
    assert [problem.code for problem in found] == ["loop_without_wait"]


def test_taking_over_without_ever_waiting_is_a_loop() -> None:
    sub = document(node("b", "jump", target_flow_id="main", return_to_parent=False), id="sub")
    found = problems_of([*one(jump(return_to_parent=False)), sub])
    assert [problem.code for problem in found] == ["loop_without_wait"]
