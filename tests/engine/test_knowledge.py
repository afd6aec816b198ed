"""What the prover concludes from a comparison is true of every value it started from."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytake.engine.conditions import OPERATORS, Comparison
from pytake.engine.facts import Deciding
from pytake.engine.prover.deciding import compare, decide
from pytake.engine.prover.knowledge import ABSENT, ANYTHING, Interval, Known, described, join, one_of, widened
from pytake.engine.prover.writing import of_expression, of_template
from pytake.engine.template import Expression, parse_template
from pytake.engine.values import plain_text
from tests.engine.test_soundness import admits

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
def known_of(draw: st.DrawFn, value: Any) -> Known:
    """Something that is known of a variable that holds this value."""
    known = one_of([value, *draw(st.lists(VALUES, max_size=3))])
    match draw(st.sampled_from(["listed", "described", "bounded", "widened", "joined", "anything"])):
        case "described":
            return described(known)
        case "bounded" if type(value) in (int, float):
            low, high = value - draw(st.integers(0, 3)), value + draw(st.integers(0, 3))
            return Known(kinds=frozenset(("number",)), numbers=Interval(low, high), nonempty=True)
        case "bounded" if isinstance(value, str):
            most = len(value) + draw(st.integers(0, 2))
            return Known(kinds=frozenset(("text",)), longest=most, nonempty=bool(value.strip()))
        case "widened":
            return widened(known)
        case "joined":
            return join(known, draw(st.sampled_from([ABSENT, ANYTHING, one_of([9]), one_of(["text"])])))
        case "anything":
            return ANYTHING
    return known


def holds(comparison: Comparison, value: Any) -> bool:
    return bool(OPERATORS[comparison.operator](value, comparison.value))


@settings(max_examples=3000, deadline=None)
@given(st.data(), VALUES, st.lists(COMPARISONS, min_size=1, max_size=4))
def test_conditions_one_after_the_other(data: st.DataObject, value: Any, comparisons: list[Comparison]) -> None:
    state: Any = {"x": data.draw(known_of(value))}
    for comparison in comparisons:
        outcome = compare(comparison, state, plain_text)
        state = outcome.holds if holds(comparison, value) else outcome.fails
        assert state is not None, f"{comparison} was said to be impossible: {outcome.why}"
        assert admits(state["x"], "x", {"x": value})


@settings(max_examples=1500, deadline=None)
@given(st.data(), VALUES, st.lists(COMPARISONS, min_size=1, max_size=3), st.booleans())
def test_all_and_any(data: st.DataObject, value: Any, comparisons: list[Comparison], any_: bool) -> None:
    state = {"x": data.draw(known_of(value))}
    outcome = decide(Deciding("true", "", comparisons, any_), state, plain_text)
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
]


@settings(max_examples=1500, deadline=None)
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
    assert admits(of_expression(expression, state), "x", {"x": result})
    assert admits(of_template(f"({template})", state, plain_text), "x", {"x": f"({plain_text(result)})"})
