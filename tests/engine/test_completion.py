"""What an editor can offer is what the prover knows."""

from typing import Any

from pytake.engine import Completion, inspect_flow, validate
from tests.engine.conversations import document, node
from tests.engine.prover_flows import END, ask


def completion(*nodes: dict[str, Any]) -> Completion:
    flow = document(*nodes)
    problems, found = inspect_flow({flow["id"]: flow}, flow["id"])
    assert problems == validate({flow["id"]: flow}, flow["id"])
    return found


def test_a_number_has_the_bounds_of_its_validation() -> None:
    asked = ask(variable="age", validation={"type": "number", "min": 18, "max": 99})
    (age,) = completion(node("start", "start", next_node_id=asked["id"]), asked, END).variables
    assert (age.name, age.kinds, age.minimum, age.maximum) == ("age", ["number"], 18, 99)
    assert age.assigned_by == [("main", asked["id"])]


def test_a_flow_with_fatal_errors_still_offers_its_variables_and_exits() -> None:
    asked = ask(variable="age", next_node_id="gone")
    found = completion(node("start", "start", next_node_id=asked["id"]), asked)
    assert [(variable.name, variable.values) for variable in found.variables] == [("age", None)]
    assert [known.node_id for known in found.nodes] == ["start", asked["id"]]


def test_the_few_values_of_a_variable_are_listed() -> None:
    setting = [
        node("start", "start", next_node_id="a"),
        node("a", "set_variable", variable="size", value="small", next_node_id="b"),
        node("b", "set_variable", variable="size", value="large", next_node_id="e"),
        END,
    ]
    (size,) = completion(*setting).variables
    assert (size.values, size.kinds) == (["large", "small"], ["text"])
    assert size.assigned_by == [("main", "a"), ("main", "b")]
