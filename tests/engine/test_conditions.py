"""Every operator with every kind of value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.conversations import Talk, document, flow_of, node

MISSING = object()


def holds(left: Any, operator: str, right: Any) -> bool:
    """Whether a condition node takes its true exit."""
    condition = node(
        "c", "condition", variable="v", operator=operator, value=right, true_next_node_id="t", false_next_node_id="f"
    )
    set_variable = node("s", "set_variable", variable="other" if left is MISSING else "v", value=None, next_node_id="c")
    if left is not MISSING:
        set_variable["data"]["value"] = left
    turn = Talk(flow_of(document(set_variable, condition, node("t", "end"), node("f", "end")))).say("hi")
    return turn.node_id == "t"


@pytest.mark.parametrize(
    ("left", "operator", "right", "expected"),
    [
        ("5", "==", 5, True),
        (5, "==", "5", True),
        ("05", "==", "5", True),
        ("5.0", "==", 5, True),
        (5.5, "==", "5.5", True),
        (" Sim ", "==", "sim", True),
        ("straße", "==", "STRASSE", True),
        ("é", "==", "e", False),
        (True, "==", "true", True),
        (True, "==", 1, False),
        ("1e3", "==", 1000, False),
        ("nan", "==", "nan", True),
        ("nan", ">", 1, True),
        (MISSING, "==", "", True),
        (None, "==", "", True),
        (MISSING, "!=", "", False),
        (MISSING, "==", 0, False),
        ([1, 2], "==", "1, 2", True),
        (10, ">", "9", True),
        ("10", ">", "9", True),
        ("b", ">", "A", True),
        (MISSING, ">", 5, False),
        (MISSING, "<", "a", True),
        (2, "<", 10, True),
        (2, ">=", 2, True),
        ("2", "<=", 2.0, True),
        ("2026-01-02", ">", "2026-01-01", True),
        ("b", "in", ["a", "B"], True),
        (2, "in", "1, 2 ,3", True),
        ("x", "in", "", False),
        (MISSING, "in", "a,b", False),
        ("c", "not_in", "a,b", True),
        ("São Paulo", "contains", "paulo", True),
        ([1, 2], "contains", "2", True),
        ([1, 2], "contains", "12", False),
        ("abc", "not_contains", "d", True),
        ("Maria", "starts_with", "ma", True),
        ("Maria", "ends_with", "IA", True),
        (MISSING, "is_empty", None, True),
        ("  ", "is_empty", None, True),
        ([], "is_empty", None, True),
        (0, "is_empty", None, False),
        (False, "is_not_empty", None, True),
        ("A-123", "matches", "^A-[0-9]+$", True),
        ("a" * 5000, "matches", "^(a+)+b$", False),
        (123, "matches", "2", True),
    ],
)
def test_operator(left: Any, operator: str, right: Any, expected: bool) -> None:
    assert holds(left, operator, right) is expected


VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", " ", "5", "05", "a", "A ", "nan", [], ["a"], 1.5])
)


@given(VALUES, VALUES)
def test_the_negations_are_exact(left: Any, right: Any) -> None:
    assert holds(left, "==", right) is not holds(left, "!=", right)
    assert holds(left, "in", right) is not holds(left, "not_in", right)
    assert holds(left, "contains", right) is not holds(left, "not_contains", right)
    assert holds(left, "is_empty", right) is not holds(left, "is_not_empty", right)


def test_both_sides_can_be_templates() -> None:
    first = node("a", "set_variable", variable="v", value=7, next_node_id="b")
    second = node("b", "set_variable", variable="w", value="7", next_node_id="c")
    condition = node(
        "c", "condition", variable="{{v}}", operator="==", value="{{w}}", true_next_node_id="t", false_next_node_id="f"
    )
    turn = Talk(flow_of(document(first, second, condition, node("t", "end"), node("f", "end")))).say("hi")
    assert turn.node_id == "t"
