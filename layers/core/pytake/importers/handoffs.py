"""Handoffs in the middle of a flow. Elsewhere a flow goes on at once; here it goes on when the agent returns the conversation."""

from typing import Any

from pytake.importers.layout import targets

Node = dict[str, Any]


def say_before_handoffs(nodes: list[Node], start: str) -> tuple[str, list[str]]:
    """Change the nodes so that the messages behind a handoff are sent before it: the person must not wait for them.

    The start, and the ids of the handoffs behind which anything else follows.
    """
    going_on: list[str] = []
    by_id = {node["id"]: node for node in nodes}
    for node in nodes:
        if node["type"] != "handoff" or node["data"].get("next_node_id") is None:
            continue
        said = _messages_behind(node, by_id, nodes)
        if said:
            first, last = said[0]["id"], said[-1]["data"]
            for other in nodes:
                _redirect(other["data"], node["id"], first)
            after = last.get("next_node_id")
            last["next_node_id"] = node["id"]
            node["data"]["next_node_id"] = after
            start = first if start == node["id"] else start
        following = by_id.get(node["data"]["next_node_id"] or "")
        if following is None or (following["type"] == "end" and not following["data"].get("message")):
            del node["data"]["next_node_id"]
        else:
            going_on.append(node["id"])
    return start, going_on


def _messages_behind(handoff: Node, by_id: dict[str, Node], nodes: list[Node]) -> list[Node]:
    """The messages that follow a handoff and that no other path leads to."""
    found: list[Node] = []
    following = by_id.get(handoff["data"]["next_node_id"])
    while following is not None and following["type"] == "message" and "buttons" not in following["data"]:
        leads = sum(targets(node["data"]).count(following["id"]) for node in nodes)
        if leads != 1 or following in found:
            break
        found.append(following)
        following = by_id.get(following["data"].get("next_node_id") or "")
    return found


def _redirect(value: Any, old: str, new: str) -> None:
    """Let every exit in a node's data that leads to one node lead to another."""
    if isinstance(value, list):
        for item in value:
            _redirect(item, old, new)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("next_node_id") and item == old:
                value[key] = new
            else:
                _redirect(item, old, new)
