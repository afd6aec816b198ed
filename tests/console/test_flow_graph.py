"""A flow as a drawing: everything is there, nothing lies on anything else, half-written documents are drawn too."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from local.console.flow_graph import NODE_HEIGHT, NODE_WIDTH, FlowGraph, flow_graph

EXAMPLES = Path(__file__).parents[2] / "examples" / "flows"
FLOWS = [path for path in EXAMPLES.glob("*.json") if not path.name.endswith(".test.json")]


def example(name: str) -> FlowGraph:
    return flow_graph(json.loads((EXAMPLES / f"{name}.json").read_bytes()))


def chain(*nodes: dict[str, Any]) -> FlowGraph:
    return flow_graph({"id": "f", "format": 1, "start_node_id": nodes[0]["id"], "nodes": list(nodes)})


def message(node_id: str, following: str | None = None, **data: Any) -> dict[str, Any]:
    target = {"next_node_id": following} if following else {}
    return {"id": node_id, "type": "message", "data": {"text": f"I am {node_id}", **target, **data}}


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_no_box_lies_on_another_and_all_are_inside(path: Path) -> None:
    document = json.loads(path.read_bytes())
    graph = flow_graph(document)
    assert {node.id for node in graph.nodes} == {node["id"] for node in document["nodes"]}
    for one, other in itertools.combinations(graph.nodes, 2):
        assert abs(one.x - other.x) >= NODE_WIDTH or abs(one.y - other.y) >= NODE_HEIGHT, (one.id, other.id)
    for node in graph.nodes:
        assert 0 <= node.x <= graph.width - NODE_WIDTH
        assert 0 <= node.y <= graph.height - NODE_HEIGHT
    assert all(edge.path.startswith("M") for edge in graph.edges)


def test_the_start_stands_above_and_the_drawing_is_the_same_every_time() -> None:
    graph = example("support_triage")
    assert graph.nodes[0].id == "start"
    assert graph == example("support_triage")


def test_exits_that_lead_the_same_way_share_a_line_and_keep_their_buttons_words() -> None:
    lines = {(edge.source, edge.target): edge.exits for edge in example("lead_qualifier").edges}
    assert {(one.name, one.label) for one in lines["consentimento", "nome"]} == {("next", ""), ("button:sim", "Sim")}
    assert [(one.name, one.label) for one in lines["consentimento", "sem_consentimento"]] == [("button:nao", "Não")]
    assert [one.name for one in lines["porte", "fim_grande"]] == ["true"]


def test_a_way_back_goes_up_beside_the_boxes() -> None:
    graph = chain(
        message("a", "b"),
        message("b", "c"),
        message("c", buttons=[{"label": "Again", "value": "x", "next_node_id": "a"}]),
    )
    assert [node.id for node in graph.nodes] == ["a", "b", "c"]
    back = next(edge for edge in graph.edges if edge.target == "a")
    assert back.source == "c"
    a = graph.by_id["a"]
    assert not a.x < back.label_at[0] < a.x + NODE_WIDTH


def test_a_node_that_leads_to_itself_has_a_loop() -> None:
    graph = chain(message("a", "b"), message("b", "b"))
    assert ("b", "b") in {(edge.source, edge.target) for edge in graph.edges}


def test_what_nothing_leads_to_stands_beside() -> None:
    graph = chain(message("a", "b"), message("b"), message("lost"), message("lone"))
    right = max(graph.by_id[name].x for name in ("a", "b")) + NODE_WIDTH
    assert min(graph.by_id[name].x for name in ("lost", "lone")) >= right


def test_a_line_to_nowhere_is_not_drawn() -> None:
    assert chain(message("a", "gone")).edges == ()


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"nodes": 3},
        {"id": 5, "nodes": [1, None, {"id": 7}, {"id": "a"}]},
        {"id": "f", "nodes": [{"id": "a", "type": "no_such_type", "data": []}, message("b", "a")]},
        {
            "id": "f",
            "nodes": [message("a", "b"), message("a", "a"), {"id": "b", "type": "condition", "data": {"branches": 1}}],
        },
        {"id": "f", "nodes": [message("a", buttons=[None, {"value": {"x": 1}}, 3])], "start_node_id": ["a"]},
    ],
)
def test_half_written_documents_are_drawn_as_far_as_they_can_be_read(document: dict[str, Any]) -> None:
    graph = flow_graph(document)
    wanted = {
        node["id"]
        for node in (document.get("nodes") if isinstance(document.get("nodes"), list) else [])
        if isinstance(node, dict) and isinstance(node.get("id"), str)
    }
    assert {node.id for node in graph.nodes} == wanted


def test_a_long_text_is_cut() -> None:
    assert len(chain(message("a", text="x" * 5000)).nodes[0].text) <= 120
