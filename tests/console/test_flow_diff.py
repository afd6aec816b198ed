"""Differences between versions, as they are read."""

from typing import Any

from local.console.flow_diff import diff


def flow(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "f", "name": "F", **more, "nodes": list(nodes)}


A = {"id": "a", "type": "message", "label": "Hello", "data": {"text": "Hi", "next_node_id": "b"}}
B = {"id": "b", "type": "end"}


def test_the_same_has_no_differences() -> None:
    assert diff(flow(A, B), flow(A, B)) == []


def test_a_node_that_came_and_one_that_went() -> None:
    added, removed = diff(flow(A), flow(B))
    assert (added.kind, added.node_id, {line.sign for line in added.lines}) == ("added", "b", {"+"})
    assert (removed.kind, removed.node_id, removed.title) == ("removed", "a", "Hello")


def test_a_changed_node_shows_what_changed_and_a_little_around_it() -> None:
    (change,) = diff(flow(A, B), flow({**A, "data": {"text": "Hello", "next_node_id": "b"}}, B))
    assert (change.kind, change.node_id) == ("changed", "a")
    taken = [line.text for line in change.lines if line.sign == "-"]
    given = [line.text for line in change.lines if line.sign == "+"]
    assert len(taken) == len(given) == 1
    assert '"Hi"' in taken[0]
    assert '"Hello"' in given[0]


def test_the_document_around_its_nodes_is_a_part_too() -> None:
    (change,) = diff(flow(A), flow(A, language="en"))
    assert (change.kind, change.node_id) == ("changed", None)


def test_another_order_alone_is_told() -> None:
    assert [change.kind for change in diff(flow(A, B), flow(B, A))] == ["order"]


def test_half_written_documents_can_be_compared() -> None:
    assert diff({}, {"nodes": 3})
    assert diff({"nodes": [A, A]}, {"nodes": [A, None]})
