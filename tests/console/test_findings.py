"""What is said of a flow while it is written, and where."""

import json
from pathlib import Path

import pytest

from local.console.findings import Finding, find, from_api
from local.console.flow_text import FlowText, pretty

EXAMPLES = Path("examples/flows")


def found(document: object, **others: dict[str, object]) -> list[Finding]:
    return find(FlowText(pretty(document)), "f", others)


def flow(*nodes: object, start: str = "a") -> dict[str, object]:
    return {"id": "f", "start_node_id": start, "nodes": list(nodes)}


END = {"id": "end", "type": "end"}


@pytest.mark.parametrize("name", ["lead_qualifier_address", "support_triage", "reference_workload_order"])
def test_nothing_is_wrong_with_an_example(name: str) -> None:
    text = FlowText((EXAMPLES / f"{name}.json").read_text())
    assert [one for one in find(text, name, {}) if one.severity == "error"] == []


def test_what_is_no_json_is_all_that_is_said() -> None:
    text = FlowText('{\n  "id": "f",\n  "nodes": [}\n')
    (only,) = find(text, "f", {})
    assert (only.code, only.line) == ("not_json", 3)


def test_a_way_to_nowhere_stands_at_its_field() -> None:
    document = flow({"id": "a", "type": "message", "data": {"text": "Hi", "next_node_id": "gone"}}, END)
    text = FlowText(pretty(document))
    one = next(one for one in find(text, "f", {}) if one.code == "unknown_target")
    assert one.node_id == "a"
    assert one.span is not None
    assert text.text[one.span.start : one.span.end] == '"gone"'
    assert one.line == text.line(text.text.index('"gone"'))


def test_every_wrong_field_of_every_node_is_found_at_once() -> None:
    document = flow(
        {"id": "a", "type": "message", "data": {"text": 5, "footer": 6, "next_node_id": "b"}},
        {"id": "b", "type": "delay", "data": {"seconds": "long"}},
    )
    places = {(one.node_id, one.field) for one in found(document) if one.severity == "error"}
    assert {("a", "text"), ("a", "footer"), ("b", "seconds")} <= places


def test_a_place_is_told_once_in_the_engines_words() -> None:
    one = {"id": "a", "type": "message", "data": {"text": "Hi", "nxet_node_id": "end"}}
    told = [finding for finding in found(flow(one, END)) if finding.node_id == "a" and finding.severity == "error"]
    assert [finding.code for finding in told] == ["unknown_field"]
    assert "next_node_id" in told[0].message


def test_an_unknown_type_is_told_once() -> None:
    told = [one for one in found(flow({"id": "a", "type": "mesage", "data": {}})) if one.node_id == "a"]
    assert [one.code for one in told] == ["unknown_type"]


def test_flows_that_are_published_can_be_entered() -> None:
    jump = {"id": "a", "type": "jump", "data": {"target_flow_id": "other", "next_node_id": "end"}}
    assert "unknown_flow" in [one.code for one in found(flow(jump, END))]
    other = {"id": "other", "start_node_id": "end", "nodes": [END]}
    assert found(flow(jump, END), other=other) == []


def test_what_the_api_refuses_is_shown_at_its_place() -> None:
    text = FlowText(pretty(flow(END, start="end")))
    problems = [
        {"code": "unknown_flow", "severity": "error", "message": "m", "node_id": "end", "field": None, "flow_id": "f"}
    ]
    (one,) = from_api(text, "f", problems)
    assert (one.node_id, one.flow_id, one.line) == ("end", None, text.line(text.text.index('"end", "type"')))
    (elsewhere,) = from_api(text, "f", [{**problems[0], "flow_id": "other"}])
    assert (elsewhere.flow_id, elsewhere.span) == ("other", None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "null",
        "[]",
        '{"nodes": 5}',
        '{"nodes": [3, null, {}]}',
        '{"id": 3, "nodes": [{"id": 4}]}',
        json.dumps({"nodes": [{"id": "a", "type": ["x"]}]}),
    ],
)
def test_nothing_breaks_it(text: str) -> None:
    assert [one.severity for one in find(FlowText(text), "f", {})]
