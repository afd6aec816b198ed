"""Correct flows, and wrong flows with the problems that the prover must find in them."""

from typing import Any

from tests.engine.conversations import document, node

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


def choose(id: str, variable: str, *targets: str | None, following: str = "e") -> dict[str, Any]:
    """A question with the options a, b, c, ..., which lead to `targets`."""
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


CORRECT: dict[str, Documents] = {
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
    "patterns that Python reads differently": one(
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
    "a parent's variable that a sub-flow may leave unassigned": [
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

ABANDONED = {"outcome_variable": "how", "timeout_next_node_id": "l", "timeout_seconds": 60, "pass_variables": False}
CORRECT["what a sub-flow may have left behind when it is abandoned"] = [
    *one(
        jump(next_node_id="m", **ABANDONED),
        say("m", '{{v | default("nothing")}} {{how}}'),
        say("l", '{{v | default("nothing")}} {{how}}', "e"),
        END,
    ),
    SUB,
]
CORRECT["a sub-flow without an end, which the jump ends"] = [
    *one(jump(timeout_seconds=60, timeout_next_node_id="e"), END),
    document(ask(next_node_id="q"), id="sub"),
]
CORRECT["a jump that tries again after a timeout"] = [
    *one(jump(next_node_id="e", timeout_seconds=60, timeout_next_node_id="j"), END),
    SUB,
]
CORRECT["a parameter that is passed, and one with a default"] = [
    *one(node("q", "question", question="Q?", variable="p", next_node_id="j"), jump(next_node_id="e"), END),
    document(
        node("s", "start", parameters=[{"name": "p", "required": True}, {"name": "o"}], next_node_id="m"),
        say("m", "{{p}} {{o}}"),
        END,
        id="sub",
    ),
]

WRONG: dict[str, tuple[Documents, list[tuple[str, str | None]]]] = {
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
    "a value that is not a choice": (
        one(choose("q", "x", None, None, following="c"), when("c", "x", "==", "z", "f", "e"), *ends("e", "f")),
        [(BRANCH, "c")],
    ),
    "a condition that always holds": (
        one(number("q", "x", "c", min=18), when("c", "x", ">=", 18, "e", "f"), *ends("e", "f")),
        [(BRANCH, "c")],
    ),
    "numbers with nothing between them": (
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
    "a sub-flow that is abandoned before it assigns": (
        [*one(jump(next_node_id="e", timeout_seconds=60, timeout_next_node_id="m"), say("m", "{{v}}"), END), SUB],
        [(MAYBE, "m")],
    ),
    "a condition on an outcome that cannot be": (
        [
            *one(
                jump(next_node_id="c", outcome_variable="how"),
                when("c", "how", "==", "lost", "f", "e"),
                *ends("e", "f"),
            ),
            SUB,
        ],
        [(BRANCH, "c")],
    ),
    "a required parameter that is not passed": (
        [
            *one(jump(next_node_id="e"), END),
            document(node("s", "start", parameters=[{"name": "p", "required": True}], next_node_id="e"), END, id="sub"),
        ],
        [(NEVER, "j")],
    ),
    "attempts that are not counted": (
        one(ask(max_attempts_next_node_id="f"), *ends("e", "f")),
        [(BRANCH, "q")],
    ),
    "a pattern and a length that exclude one another": (
        one(ask(validation={"type": "regex", "pattern": "^[0-9]{5}$", "max_length": 4}), END),
        [("contradictory_validation", "q")],
    ),
    "no whole number between the limits": (
        one(ask(validation={"type": "number", "integer": True, "min": 2.2, "max": 2.8}), END),
        [("contradictory_validation", "q")],
    ),
    "dates that exclude one another": (
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
