"""The examples that the console offers to start from."""

from local.console.example_flows import example_flows, sub_flows, to_start_from
from tests.engine.conversations import document, node


def test_the_flow_of_the_benchmark_and_sub_flows_are_not_offered() -> None:
    examples = example_flows()
    offered = to_start_from(examples)
    assert "lead_qualifier" in offered
    assert "lead_qualifier_address" in examples
    assert "lead_qualifier_address" not in offered
    assert not any(name.startswith("reference_workload") for name in examples)


def test_an_example_brings_its_sub_flows_each_after_those_it_needs() -> None:
    flows = [
        document(node("a", "jump", target_flow_id="b")),
        document(node("a", "jump", target_flow_id="c"), id="b"),
        document(node("a", "jump", target_flow_id="main"), id="c"),
    ]
    examples = {flow["id"]: flow for flow in flows}
    assert [flow["id"] for flow in sub_flows("main", examples)] == ["c", "b"]
    assert sub_flows("", examples) == []
