"""For each code of the prover a file `prover/CODE.json`: flows that have the problem and their corrected versions that have none.

`docs/prover.md` shows the same flows.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytake.engine import CODES, FlowError, compile_flow, parse_document, validate
from pytake.engine.problems import Problem
from tests.engine.conversations import document, node

CASES = {path.stem: json.loads(path.read_bytes()) for path in sorted((Path(__file__).parent / "prover").glob("*.json"))}
END = node("e", "end")
NEVER, MAYBE, BRANCH = "variable_never_assigned", "variable_maybe_unassigned", "branch_never_taken"
Documents = list[dict[str, Any]]


def ask(**data: Any) -> dict[str, Any]:
    return node("q", "question", **{"question": "Q?", "variable": "v", "next_node_id": "e", **data})


def one(*nodes: dict[str, Any], **fields: Any) -> Documents:
    return [document(*nodes, **fields)]


def jump(**data: Any) -> dict[str, Any]:
    return node("j", "jump", target_flow_id="sub", **data)


SUB = document(ask(), END, id="sub")


def bundle(documents: list[Any]) -> dict[str, Any]:
    return {"main" if isinstance(document, str) else document["id"]: document for document in documents}


def problems_of(documents: list[Any], secrets: list[str] | None = None) -> list[Problem]:
    return validate(bundle(documents), "main", secrets)


def codes_of(documents: list[Any]) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.node_id) for problem in problems_of(documents)]


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(CODES)


@pytest.mark.parametrize("code", CASES)
def test_a_problem_is_found_where_it_is(code: str) -> None:
    case = CASES[code]
    found = [problem for problem in problems_of(case["wrong"], case.get("secrets")) if problem.code == code]
    assert [(problem.node_id, problem.field) for problem in found] == [(case["node_id"], case["field"])]
    assert found[0].severity == CODES[code].severity
    assert found[0].message.endswith((".", "?"))


@pytest.mark.parametrize("code", CASES)
def test_the_corrected_version_has_no_problem(code: str) -> None:
    assert problems_of(CASES[code]["corrected"], CASES[code].get("secrets")) == []


@pytest.mark.parametrize("code", CASES)
def test_only_what_cannot_run_is_refused_by_the_compiler(code: str) -> None:
    compile_: Callable[[], object] = lambda: compile_flow(bundle(CASES[code]["wrong"]), "main")  # noqa: E731
    if CODES[code].fatal:
        with pytest.raises(FlowError, match=code):
            compile_()
    else:
        compile_()


@pytest.mark.parametrize("raw", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000 + b"]" * 100_000])
def test_what_is_no_document_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(FlowError, match="unreadable_document"):
        parse_document(raw)


def test_an_editors_byte_order_mark_is_no_part_of_the_document() -> None:
    raw = msgspec.json.encode(document(END))
    assert parse_document(b"\xef\xbb\xbf" + raw) == parse_document("\ufeff" + raw.decode()) == parse_document(raw)


def test_a_document_under_another_name_is_said_to_be() -> None:
    assert [(p.code, p.field) for p in validate({"main": document(END, id="other")}, "main")] == [
        ("invalid_value", "id")
    ]


def test_a_flow_needs_a_name_to_be_called_by() -> None:
    assert [(p.code, p.field) for p in validate({"": document(END, id="")}, "")] == [("missing_field", "id")]


def test_what_lies_too_deep_is_refused_before_anything_follows_it() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    nodes = node("s", "set_variable", variable="v", value=deep, next_node_id="e"), END
    assert [(p.code, p.node_id, p.field) for p in problems_of([{**document(END), "nodes": nodes}])] == [
        ("invalid_value", "s", "nodes[0]")
    ]


@pytest.mark.parametrize(
    ("hours", "codes"),
    [(-1, ["invalid_value"]), (0, ["invalid_value"]), (1e308, ["invalid_value"]), (0.5, []), (720, [])],
)
def test_a_session_lasts_from_a_moment_to_a_month(hours: float, codes: list[str]) -> None:
    assert [p.code for p in problems_of(one(END, session_ttl_hours=hours))] == codes


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
    assert [problem.code for problem in found if problem.severity == "error"] == ["loop_without_wait"]


def test_taking_over_without_ever_waiting_is_a_loop() -> None:
    sub = document(node("b", "jump", target_flow_id="main", return_to_parent=False), id="sub")
    found = problems_of([*one(jump(return_to_parent=False)), sub])
    assert [problem.code for problem in found] == ["no_way_out"]


def test_a_sub_flow_that_takes_over_back_into_its_parent_without_waiting_is_a_loop() -> None:
    sub = document(node("b", "jump", target_flow_id="main", return_to_parent=False), id="sub")
    assert codes_of([*one(jump(next_node_id="e"), END), sub])[0][0] == "no_way_out"


# What is known of variables


def choose(id: str, variable: str, *targets: str | None, following: str = "e") -> dict[str, Any]:
    """A question with the options a, b, c, ..., which lead where `targets` say."""
    buttons = [
        {"label": f"Option {letter}", "value": letter, **({"next_node_id": target} if target else {})}
        for letter, target in zip("abcdefghij", targets, strict=False)
    ]
    return node(id, "question", question="Which?", variable=variable, buttons=buttons, next_node_id=following)


def number(id: str, variable: str, following: str, **bounds: float) -> dict[str, Any]:
    validation = {"type": "number", **bounds}
    return node(id, "question", question="How many?", variable=variable, validation=validation, next_node_id=following)


def when(id: str, variable: str, operator: str, value: Any, yes: str, no: str) -> dict[str, Any]:
    return node(
        id,
        "condition",
        variable=variable,
        operator=operator,
        value=value,
        true_next_node_id=yes,
        false_next_node_id=no,
    )


def branches(id: str, *tests: tuple[str, Any, str], default: str = "e") -> dict[str, Any]:
    """A condition on `x`: operator, value and target of each branch."""
    found = [
        {"all": [{"variable": "x", "operator": operator, "value": value}], "next_node_id": target}
        for operator, value, target in tests
    ]
    return node(id, "condition", branches=found, default_next_node_id=default)


def ends(*ids: str) -> list[dict[str, Any]]:
    return [node(id, "end") for id in ids]  # noqa: A001


def say(id: str, text: str, following: str = "e") -> dict[str, Any]:
    return node(id, "message", text=text, next_node_id=following)


FINE: dict[str, Documents] = {
    "a branch for every choice and a default": one(
        choose("q", "x", None, None, following="c"), branches("c", ("==", "a", "e"), ("==", "B", "f")), *ends("e", "f")
    ),
    "a use behind a condition that it is not empty": one(
        choose("q", "x", "w", "c"),
        node("w", "question", question="Your order?", variable="order", next_node_id="c"),
        when("c", "order", "is_not_empty", None, "m", "e"),
        say("m", "Order {{order}}"),
        END,
    ),
    "a use behind a condition that it has a value": one(
        choose("q", "x", "s", "c"),
        node("s", "set_variable", variable="plan", value="gold", next_node_id="c"),
        when("c", "plan", "is_empty", None, "e", "m"),
        say("m", "Plan {{plan}}"),
        END,
    ),
    "an action that reads what it has just set": one(
        node(
            "a",
            "action",
            actions=[
                {"type": "set_variable", "variable": "x", "value": 1},
                {"type": "set_variable", "variable": "y", "value": "{{x}}"},
            ],
            next_node_id="m",
        ),
        say("m", "{{y}}"),
        END,
    ),
    "a sub-flow entered twice does not mix up its parents": [
        *one(
            choose("q", "x", "j1", "s"),
            node("j1", "jump", target_flow_id="sub", next_node_id="e"),
            node("s", "set_variable", variable="y", value=1, next_node_id="j2"),
            node("j2", "jump", target_flow_id="sub", next_node_id="m"),
            say("m", "{{y}} {{v}}"),
            END,
        ),
        SUB,
    ],
    "what an isolated sub-flow collected, and what the parent had": [
        *one(
            choose("q", "x", None, None, following="j"),
            node("j", "jump", target_flow_id="sub", pass_variables=False, next_node_id="m"),
            say("m", "{{x}} {{v}}"),
            END,
        ),
        SUB,
    ],
    "an API call with an error branch": one(
        node(
            "a",
            "api_call",
            url="https://x.io",
            output_variable="o",
            response_map={"city": "$.city"},
            next_node_id="m",
            error_next_node_id="f",
        ),
        say("m", "{{o.name}} {{city}}"),
        say("f", "{{o_error}}"),
        END,
    ),
    "a counter in a loop through a question": one(
        node("s", "set_variable", variable="asked", value="no", next_node_id="c"),
        when("c", "asked", "==", "no", "q", "e"),
        node("q", "question", question="Again?", variable="y", next_node_id="t"),
        node("t", "set_variable", variable="asked", value="yes", next_node_id="c"),
        END,
    ),
    "numbers on both sides of a bound": one(
        number("q", "x", "c", min=1, max=10),
        branches("c", ("<", 5, "e"), ("==", 5, "f"), (">", 9, "g")),
        *ends("e", "f", "g"),
    ),
    "a question asked again forgets what was known": one(
        number("q", "x", "c"),
        when("c", "x", "<", 0, "q", "d"),
        when("d", "x", ">", 100, "q", "e"),
        END,
    ),
    "any of several": one(
        choose("q", "x", None, None, None, following="c"),
        node(
            "c",
            "condition",
            branches=[
                {
                    "any": [
                        {"variable": "x", "operator": "==", "value": "a"},
                        {"variable": "x", "operator": "==", "value": "b"},
                    ],
                    "next_node_id": "e",
                },
                {"all": [{"variable": "x", "operator": "==", "value": "c"}], "next_node_id": "f"},
            ],
            default_next_node_id="e",
        ),
        *ends("e", "f"),
    ),
    "a label that fits with every choice": one(
        choose("q", "x", None, None, following="m"),
        node("m", "message", text="T", buttons=[{"label": "Change {{x | upper}} now", "value": "c"}]),
    ),
    "a name that a flow saved may be longer than a profile's": one(
        node("a", "action", actions=[{"type": "save_contact", "field": "name", "value": "n" * 90}], next_node_id="c"),
        when("c", "contact.name", "==", "n" * 90, "e", "f"),
        *ends("e", "f"),
    ),
    "patterns that Python would read otherwise": one(
        ask(next_node_id="r", validation={"type": "regex", "pattern": "^[[:digit:]]{4}$", "max_length": 4}),
        node(
            "r",
            "question",
            question="?",
            variable="w",
            next_node_id="e",
            validation={"type": "regex", "pattern": "^a{,3}$", "min_length": 5},
        ),
        END,
    ),
    "built-ins need no assignment": one(
        say("m", "{{contact.name}} {{contact.city}} {{input.text}} {{input.media_id}}"), END
    ),
    "a parent's own answer kept while a sub-flow may not say": [
        *one(
            node("q", "question", question="Q", variable="v", next_node_id="j"),
            jump(pass_variables=False, next_node_id="m"),
            say("m", "{{v}}"),
            END,
        ),
        document(
            choose("q", "x", "s", "e"),
            node("s", "set_variable", variable="v", value=1, next_node_id="e"),
            END,
            id="sub",
        ),
    ],
}


def test_a_large_flow_full_of_ways_back_is_followed_to_the_end() -> None:
    nodes = []
    for i in range(150):
        nodes.append(node(f"q{i}", "question", question="?", variable=f"v{i}", next_node_id=f"c{i}"))
        following = f"q{i + 1}" if i < 149 else "last"
        nodes.append(when(f"c{i}", f"v{i}", "==", str(i), following, f"q{i * 37 % 150}"))
    last = node("last", "end", message="{{v0}} {{v149}} {{v74}}")
    found = problems_of(one(*nodes, last))
    assert [(p.code, p.node_id) for p in found] == [(MAYBE, "last")]


@pytest.mark.parametrize("about", FINE)
def test_correct_flows_raise_no_alarm(about: str) -> None:
    assert problems_of(FINE[about]) == []


NEVER, MAYBE, BRANCH = "variable_never_assigned", "variable_maybe_unassigned", "branch_never_taken"
FOUND: dict[str, tuple[Documents, list[tuple[str, str | None]]]] = {
    "only the answered way assigns": (
        one(
            node(
                "q",
                "question",
                question="Q",
                variable="x",
                timeout_seconds=60,
                timeout_next_node_id="m",
                max_attempts=2,
                max_attempts_next_node_id="n",
                next_node_id="e",
            ),
            say("m", "{{x}}"),
            say("n", "{{x}}"),
            END,
        ),
        [(NEVER, "m"), (NEVER, "n")],
    ),
    "an API call that may fail": (
        one(
            node("a", "api_call", url="https://x.io", output_variable="o", next_node_id="m"),
            say("m", "{{o.name}}"),
            END,
        ),
        [(MAYBE, "m")],
    ),
    "an isolated sub-flow knows nothing of its parent": (
        [
            *one(node("q", "question", question="Q", variable="x", next_node_id="j"), jump(pass_variables=False)),
            document(say("m", "{{x}}"), END, id="sub"),
        ],
        [(NEVER, "m")],
    ),
    "one of two jumps passes it": (
        [
            *one(
                choose("q", "x", "j", "s", following="j"),
                jump(),
                node("s", "set_variable", variable="y", value=1, next_node_id="k"),
                node("k", "jump", target_flow_id="sub"),
            ),
            document(say("m", "{{y}}"), END, id="sub"),
        ],
        [(MAYBE, "m")],
    ),
    "a second branch for the same": (
        one(
            node("q", "question", question="Q", variable="x", next_node_id="c"),
            branches("c", ("==", "Yes", "e"), ("==", " yes", "f")),
            *ends("e", "f"),
        ),
        [(BRANCH, "c")],
    ),
    "a value that is no choice": (
        one(choose("q", "x", None, None, following="c"), when("c", "x", "==", "z", "f", "e"), *ends("e", "f")),
        [(BRANCH, "c")],
    ),
    "a condition that always holds": (
        one(number("q", "x", "c", min=18), when("c", "x", ">=", 18, "e", "f"), *ends("e", "f")),
        [(BRANCH, "c")],
    ),
    "numbers that leave nothing between": (
        one(
            number("q", "x", "c"),
            node(
                "c",
                "condition",
                branches=[
                    {
                        "all": [
                            {"variable": "x", "operator": ">", "value": 5},
                            {"variable": "x", "operator": "<=", "value": 5},
                        ],
                        "next_node_id": "f",
                    }
                ],
                default_next_node_id="e",
            ),
            *ends("e", "f"),
        ),
        [(BRANCH, "c")],
    ),
    "an earlier condition has decided": (
        one(
            node("q", "question", question="Q", variable="x", next_node_id="c"),
            when("c", "x", "contains", "refund", "d", "e"),
            when("d", "x", "contains", "refund", "e", "f"),
            *ends("e", "f"),
        ),
        [(BRANCH, "d")],
    ),
    "what a set_variable makes certain": (
        one(
            node("s", "set_variable", variable="x", value="gold", next_node_id="c"),
            when("c", "x", "!=", "GOLD", "f", "e"),
            *ends("e", "f"),
        ),
        [(BRANCH, "c")],
    ),
    "a validated answer is never empty": (
        one(
            node("q", "question", question="Q", variable="x", next_node_id="c"),
            when("c", "x", "is_empty", None, "f", "e"),
            *ends("e", "f"),
        ),
        [(BRANCH, "c")],
    ),
    "everything after a branch that always holds": (
        one(
            choose("q", "x", None, None, following="c"),
            branches("c", ("in", ["a", "b"], "e"), ("==", "b", "f")),
            *ends("e", "f"),
        ),
        [(BRANCH, "c")],
    ),
    "attempts that are not counted": (
        one(ask(max_attempts_next_node_id="f"), *ends("e", "f")),
        [(BRANCH, "q")],
    ),
    "a pattern and a length that exclude one another": (
        one(ask(validation={"type": "regex", "pattern": "^[0-9]{5}$", "max_length": 4}), END),
        [("contradictory_validation", "q")],
    ),
    "days that exclude one another": (
        one(ask(validation={"type": "date", "min": "2026-12-31", "max": "2026-01-01"}), END),
        [("contradictory_validation", "q")],
    ),
    "a number with many digits": (
        one(
            number("q", "x", "m", max=10_000_000),
            node("m", "message", text="T", buttons=[{"label": "Buy {{x}} of these", "value": "c"}]),
        ),
        [("too_long_after_substitution", "m")],
    ),
    "too many nodes through sub-flows and back": (
        [
            *one(
                node("q", "question", question="Q", variable="x", next_node_id="j"),
                jump(next_node_id="n0"),
                *(node(f"n{i}", "set_variable", variable="y", value=i, next_node_id=f"n{i + 1}") for i in range(60)),
                node("n60", "end"),
            ),
            document(
                *(node(f"n{i}", "set_variable", variable="y", value=i, next_node_id=f"n{i + 1}") for i in range(60)),
                node("n60", "end"),
                id="sub",
            ),
        ],
        [("too_many_steps", "q")],
    ),
}


@pytest.mark.parametrize("about", FOUND)
def test_what_is_wrong_is_found(about: str) -> None:
    documents, expected = FOUND[about]
    assert codes_of(documents) == expected


def test_a_sub_flow_that_is_known_to_be_one_may_use_what_its_parent_has() -> None:
    parent = document(node("q", "question", question="Q", variable="name", next_node_id="j"), jump())
    sub = document(say("m", "Hello {{name}}!"), END, id="sub")
    assert validate({"main": parent, "sub": sub}, "sub") == []
    assert [problem.code for problem in validate({"sub": sub}, "sub")] == ["variable_from_outside"]


def test_the_reason_is_said_in_words() -> None:
    (found,) = problems_of(FOUND["a value that is no choice"][0])
    assert "`x` is one of `a`, `b` here" in found.message
    (found,) = problems_of(FOUND["a condition that always holds"][0])
    assert "`x` is a number, at least 18 here" in found.message
    (found,) = problems_of(FOUND["an earlier condition has decided"][0])
    assert "an earlier condition has decided `x contains refund`" in found.message
