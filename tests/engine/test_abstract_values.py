"""What the prover concludes from a comparison is true for every concrete value."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytake.engine.conditions import OPERATORS
from pytake.engine.facts import BranchCondition
from pytake.engine.field_types import Comparison
from pytake.engine.prover.abstract_values import (
    ABSENT,
    ANYTHING,
    AbstractValue,
    Interval,
    join,
    one_of,
    summarized,
    widen,
)
from pytake.engine.prover.branches import evaluate_branch, evaluate_comparison
from pytake.engine.prover.evaluation import evaluate_expression, evaluate_template
from pytake.engine.template import Expression, parse_template
from pytake.engine.values import plain_text
from tests.depth import share
from tests.engine.admission import admits

SCALARS = st.sampled_from(
    [
        None,
        "",
        " ",
        "one",
        "ONE ",
        "two",
        "5",
        " 5",
        "5.0",
        "+5",
        "ß",
        "SS",
        "a, b",
        0,
        5,
        5.0,
        7.5,
        -1,
        18,
        True,
        False,
    ]
)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.just({}) | st.just({"x": 1})
RIGHTS = VALUES | st.sampled_from(["one, two", "o", "5,7.5", ["one", 5], "18", "17.9"])
COMPARISONS = st.builds(
    lambda name, value: Comparison(variable="x", operator=name, value=value), st.sampled_from([*OPERATORS]), RIGHTS
)


@st.composite
def known_of(draw: st.DrawFn, value: Any) -> AbstractValue:
    """An abstract value that admits this value."""
    known = one_of([value, *draw(st.lists(VALUES, max_size=3))])
    match draw(st.sampled_from(["listed", "summarized", "bounded", "widen", "joined", "anything"])):
        case "summarized":
            return summarized(known)
        case "bounded" if type(value) in (int, float):
            low, high = value - draw(st.integers(0, 3)), value + draw(st.integers(0, 3))
            return AbstractValue(kinds=frozenset(("number",)), numbers=Interval(low, high), nonempty=True)
        case "bounded" if isinstance(value, str):
            most = len(value) + draw(st.integers(0, 2))
            return AbstractValue(kinds=frozenset(("text",)), longest=most, nonempty=bool(value.strip()))
        case "widen":
            return widen(one_of([draw(st.sampled_from([0, 1, "", None]))]), known)
        case "joined":
            return join(known, draw(st.sampled_from([ABSENT, ANYTHING, one_of([9]), one_of(["text"])])))
        case "anything":
            return ANYTHING
    return known


def holds(comparison: Comparison, value: Any) -> bool:
    return bool(OPERATORS[comparison.operator](value, comparison.value))


def test_equal_numbers_do_not_decide_the_same_comparison_of_texts() -> None:
    # A list compares as text: "," is greater than "+5" but not greater than "5".
    value = [None, None]
    outcome = evaluate_comparison(Comparison(variable="x", operator=">", value="5"), {"x": ANYTHING}, plain_text)
    assert outcome.fails is not None
    again = Comparison(variable="x", operator=">", value="+5")
    assert holds(again, value)
    assert evaluate_comparison(again, outcome.fails, plain_text).holds is not None


@settings(max_examples=share(3000), deadline=None)
@given(st.data(), VALUES, st.lists(COMPARISONS, min_size=1, max_size=4))
def test_conditions_one_after_the_other(data: st.DataObject, value: Any, comparisons: list[Comparison]) -> None:
    state: Any = {"x": data.draw(known_of(value))}
    for comparison in comparisons:
        outcome = evaluate_comparison(comparison, state, plain_text)
        state = outcome.holds if holds(comparison, value) else outcome.fails
        assert state is not None, f"{comparison} was reported as impossible: {outcome.why}"
        assert admits(state["x"], "x", {"x": value})


@settings(max_examples=share(1500), deadline=None)
@given(st.data(), VALUES, st.lists(COMPARISONS, min_size=1, max_size=3), st.booleans())
def test_all_and_any(data: st.DataObject, value: Any, comparisons: list[Comparison], any_: bool) -> None:
    state = {"x": data.draw(known_of(value))}
    outcome = evaluate_branch(BranchCondition("true", "", comparisons, any_), state, plain_text)
    found = (any if any_ else all)(holds(one, value) for one in comparisons)
    after = outcome.holds if found else outcome.fails
    assert after is not None
    assert admits(after["x"], "x", {"x": value})


FILTERS = [
    "upper",
    "trim",
    "default('x')",
    "first_name",
    "first",
    "length",
    "digits",
    "replace('o', '')",
    "truncate(2)",
    "round",
    "join",
    "item(1)",
    "word(1)",
    "slice(2, 3)",
    "words",
    "json",
]


@settings(max_examples=share(1500), deadline=None)
@given(
    st.data(),
    st.sampled_from(["", "one", "Maria da Silva", 5, 7.5, None, ["a", "b"]]),
    st.lists(st.sampled_from(FILTERS), max_size=2),
)
def test_filters(data: st.DataObject, value: Any, names: list[str]) -> None:
    template = "{{x" + "".join(f" | {name}" for name in names) + "}}"
    (expression,) = parse_template(template)
    assert isinstance(expression, Expression)
    result = value
    for apply, arguments in expression.filters:
        result = apply(result, *arguments)
    state = {"x": data.draw(known_of(value))}
    assert admits(evaluate_expression(expression, state), "x", {"x": result})
    assert admits(evaluate_template(f"({template})", state, plain_text), "x", {"x": f"({plain_text(result)})"})
