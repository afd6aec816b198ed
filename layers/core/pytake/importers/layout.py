"""Positions of nodes on the canvas: one column for each step from the start, one row for each node of a column."""

from typing import Any

COLUMN = 340
ROW = 200


def lay_out(nodes: list[dict[str, Any]], start: str) -> None:
    """Give a `position` to each node that has none. The nodes that the start does not reach come last."""
    by_id = {node["id"]: node for node in nodes}
    depth = {start: 0} if start in by_id else {}
    waiting = list(depth)
    for key in waiting:
        for target in targets(by_id[key]["data"]):
            if target in by_id and target not in depth:
                depth[target] = depth[key] + 1
                waiting.append(target)
    last = max(depth.values(), default=-1) + 1
    rows: dict[int, int] = {}
    for key in [*waiting, *(key for key in by_id if key not in depth)]:
        column = depth.get(key, last)
        rows[column] = rows.get(column, -1) + 1
        by_id[key].setdefault("position", {"x": column * COLUMN, "y": rows[column] * ROW})


def targets(data: Any) -> list[str]:
    """The ids of nodes that a node's data names, in order."""
    found: list[str] = []
    waiting = [data]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            found += [value for key, value in item.items() if key.endswith("next_node_id") and isinstance(value, str)]
            waiting.extend(value for value in reversed(list(item.values())) if isinstance(value, dict | list))
        else:
            waiting.extend(value for value in reversed(item) if isinstance(value, dict | list))
    return found
