"""Handoffs in the middle of a flow: a handoff of PyTake is the end of a flow."""

from typing import Any

from pytake.engine.nodes.handoff import Handoff
from pytake.importers.layout import targets

Node = dict[str, Any]


def hand_over_last(nodes: list[Node], start: str) -> tuple[str, list[str]]:
    """Change the nodes so that nothing follows a handoff. The start, and the ids of the nodes that became events.

    Messages that follow are said before. Where anything else follows, an event tells the team, and the flow goes on.
    """
    changed: list[str] = []
    if "next_node_id" in Handoff.__struct_fields__:
        return start, changed
    by_id = {node["id"]: node for node in nodes}
    for node in nodes:
        if node["type"] != "handoff" or node["data"].get("next_node_id") is None:
            continue
        said = _messages_until_the_end(node, by_id, nodes)
        if said:
            first, last = said[0]["id"], said[-1]
            for other in nodes:
                _redirect(other["data"], node["id"], first)
            last["data"]["next_node_id"] = node["id"]
            del node["data"]["next_node_id"]
            start = first if start == node["id"] else start
        else:
            following = node["data"].pop("next_node_id")
            action = {"type": "emit_event", "name": "agent_wanted", "data": dict(node["data"])}
            node["type"], node["data"] = "action", {"actions": [action], "next_node_id": following}
            changed.append(node["id"])
    return start, changed


def _messages_until_the_end(handoff: Node, by_id: dict[str, Node], nodes: list[Node]) -> list[Node]:
    """The messages after a handoff, if nothing else comes before the end and no other path leads to them."""
    found: list[Node] = []
    following = by_id.get(handoff["data"]["next_node_id"])
    while following is not None and following["type"] == "message" and "buttons" not in following["data"]:
        leads = sum(targets(node["data"]).count(following["id"]) for node in nodes)
        if leads != 1 or len(found) > len(nodes):
            return []
        found.append(following)
        after = following["data"].get("next_node_id")
        following = by_id.get(after) if after is not None else None
    ends = following is None or (following["type"] == "end" and not following["data"].get("message"))
    return found if ends else []


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
