"""A flow as a drawing: which boxes, which lines between them, and where each goes.

What leads where is asked of the engine, so that the drawing cannot say anything else than what will run. A document that is
only half right is drawn as far as it can be read.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from fast_sugiyama import from_edges

from pytake.engine.compiler import Compilation

Json = Mapping[str, Any]
Point = tuple[float, float]

NODE_WIDTH, NODE_HEIGHT = 216.0, 74.0
_ACROSS, _DOWN = 40.0, 58.0
_MARGIN = 24.0
_LANE = 26.0
"""How far from a box a line passes that goes around it."""

_TEXT_FIELDS = ("question", "text", "greeting", "message", "prompt", "url", "name", "note")
_LONGEST_TEXT = 120


@dataclass(frozen=True)
class Node:
    """A box: its top left corner and its content."""

    id: str
    type: str
    title: str
    text: str
    x: float = 0.0
    y: float = 0.0
    jumps_to: str | None = None

    @property
    def center(self) -> Point:
        """The middle of the box."""
        return self.x + NODE_WIDTH / 2, self.y + NODE_HEIGHT / 2


@dataclass(frozen=True)
class Exit:
    """A way out of a node that leads along a line: the engine's name of it, and the label of its button if it has one."""

    name: str
    label: str = ""


@dataclass(frozen=True)
class Edge:
    """A line between two boxes, for all exits that lead the same way. `path` is SVG, `label_at` where its words go."""

    source: str
    target: str
    exits: tuple[Exit, ...]
    path: str = ""
    label_at: Point = (0.0, 0.0)


@dataclass(frozen=True)
class FlowGraph:
    """The drawing of one flow."""

    flow_id: str
    name: str
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    width: float = 0.0
    height: float = 0.0
    by_id: Mapping[str, Node] = field(default_factory=dict)


def flow_graph(document: Json) -> FlowGraph:
    """Draw a flow document. Never raises: what cannot be read stands alone or is left out."""
    flow_id = str(document.get("id", ""))
    nodes = {node.id: node for node in _nodes(document)}
    edges = _edges(document, flow_id, nodes)
    places, bends = _places(list(nodes), edges, str(document.get("start_node_id", "")))
    placed = {name: _at(node, places[name]) for name, node in nodes.items()}
    drawn = tuple(sorted(placed.values(), key=lambda node: (node.y, node.x)))
    lines = _lines(placed, edges, bends)
    xs = [x for points in bends.values() for x, _ in points]
    right = max([node.x + NODE_WIDTH for node in drawn] + [x + _LANE for x in xs], default=0.0)
    bottom = max((node.y + NODE_HEIGHT for node in drawn), default=0.0)
    name = str(document.get("name") or flow_id)
    return FlowGraph(flow_id, name, drawn, lines, right + 2 * _MARGIN, bottom + 2 * _MARGIN, placed)


def _entries(document: Json) -> Iterable[tuple[str, Json, Json]]:
    """Every node that has an id: the id, the node and its data."""
    entries = document.get("nodes")
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            data = entry.get("data")
            yield entry["id"], entry, data if isinstance(data, dict) else {}


def _nodes(document: Json) -> Iterable[Node]:
    for node_id, entry, data in _entries(document):
        target = data.get("target_flow_id")
        jumps_to = target if isinstance(target, str) else None
        title = str(entry.get("label") or node_id)
        yield Node(node_id, str(entry.get("type", "?")), title, _text(entry, data), jumps_to=jumps_to)


def _text(entry: Json, data: Json) -> str:
    """The line below a node's title: what it says, or what it does."""
    match entry.get("type"):
        case "condition":
            branches = data.get("branches")
            if isinstance(branches, list):
                return f"{len(branches)} × {data.get('variable') or '?'}" if data.get("variable") else ""
            return f"{data.get('variable', '')} {data.get('operator', '')} {data.get('value', '')}".strip()
        case "set_variable":
            return f"{data.get('variable', '')} = {data.get('value', '')}"
        case "jump":
            return f"→ {data.get('target_flow_id', '')}"
        case "delay":
            return f"{data.get('seconds', '')} s"
        case "action":
            actions = data.get("actions")
            kinds = (
                [str(one.get("type")) for one in actions if isinstance(one, dict)] if isinstance(actions, list) else []
            )
            return ", ".join(kinds)
        case "random":
            paths = data.get("paths")
            kinds = [str(one.get("id")) for one in paths if isinstance(one, dict)] if isinstance(paths, list) else []
            return " | ".join(kinds)
    found = next((data[name] for name in _TEXT_FIELDS if isinstance(data.get(name), str) and data[name]), "")
    return found if len(found) <= _LONGEST_TEXT else found[: _LONGEST_TEXT - 1] + "…"


def _edges(document: Json, flow_id: str, nodes: Mapping[str, Node]) -> list[Edge]:
    labels = _button_labels(document)
    ways: dict[tuple[str, str], dict[str, Exit]] = {}
    for (of_flow, source), facts in Compilation({flow_id: document}, flow_id).facts.items():
        if of_flow != flow_id:
            continue
        for edge in facts.edges:
            if edge.target in nodes and edge.target is not None:
                label = labels.get((source, edge.exit), "")
                ways.setdefault((source, edge.target), {})[edge.exit] = Exit(edge.exit, label)
    return [Edge(source, target, tuple(exits.values())) for (source, target), exits in ways.items()]


def _button_labels(document: Json) -> dict[tuple[str, str], str]:
    labels = {}
    for node_id, _, data in _entries(document):
        buttons = data.get("buttons")
        for button in buttons if isinstance(buttons, list) else ():
            if isinstance(button, dict):
                value = button.get("value", button.get("label"))
                labels[node_id, f"button:{value}"] = str(button.get("label", value))
    return labels


def _places(
    names: list[str], edges: list[Edge], start: str
) -> tuple[dict[str, Point], dict[tuple[str, str], list[Point]]]:
    """The corner of each node, and the points that a line over several rows passes between the nodes of those rows."""
    numbers = {
        name: number for number, name in enumerate(names)
    }  # numbers, because sets of names differ from run to run
    ways = [(numbers[edge.source], numbers[edge.target]) for edge in edges if edge.source != edge.target]
    pairs = _downhill(ways, numbers.get(start, 0))
    layouts = from_edges(pairs, vertex_spacing=100, dummy_vertices=True, check_layout=False) if pairs else []
    across, down = NODE_WIDTH + _ACROSS, NODE_HEIGHT + _DOWN
    places: dict[str, Point] = {}
    bends: dict[tuple[str, str], list[Point]] = {}
    left = 0.0
    for positions, _, _, parts in sorted(layouts, key=lambda layout: numbers.get(start) not in dict(layout[0])):
        top = max(y for _, (_, y) in positions)
        first = min(x for _, (x, _) in positions)
        points = {
            int(number): (left + (x - first) / 100 * across, (top - y) / 100 * down) for number, (x, y) in positions
        }
        for number, place in points.items():
            if number < len(names):
                places[names[number]] = place
        for (source, target), way in _ways(parts or [], len(names)).items():
            bends[names[source], names[target]] = [
                (points[dummy][0] + NODE_WIDTH / 2, points[dummy][1] + NODE_HEIGHT / 2) for dummy in way
            ]
        left = max(x for x, _ in points.values()) + across
    alone = [name for name in names if name not in places]
    columns = max(1, math.ceil(math.sqrt(len(alone))))
    for index, name in enumerate(alone):
        places[name] = (left + index % columns * across, index // columns * down)
    return places, bends


def _downhill(pairs: list[tuple[int, int]], start: int) -> list[tuple[int, int]]:
    """The ways with those turned round that lead back to where one comes from, so that the start stands above everything."""
    following: dict[int, list[int]] = {}
    for source, target in pairs:
        following.setdefault(source, []).append(target)
    back: set[tuple[int, int]] = set()
    open_, done = set[int](), set[int]()
    for root in (start, *following):
        if root in done:
            continue
        open_.add(root)
        stack = [(root, iter(following.get(root, ())))]
        while stack:
            at, rest = stack[-1]
            target = next(rest, -1)
            if target < 0:
                stack.pop()
                open_.discard(at)
                done.add(at)
            elif target in open_:
                back.add((at, target))
            elif target not in done:
                open_.add(target)
                stack.append((target, iter(following.get(target, ()))))
    return list(dict.fromkeys((b, a) if (a, b) in back else (a, b) for a, b in pairs))


def _ways(parts: Iterable[tuple[Any, Any]], count: int) -> dict[tuple[int, int], list[int]]:
    """The stations of lines over several rows: each piece of such a line begins or ends at a number beyond the nodes'."""
    following: dict[int, list[int]] = {}
    for source, target in parts:
        following.setdefault(int(source), []).append(int(target))
    ways = {}
    for source, targets in following.items():
        if source >= count:
            continue
        for station in targets:
            way = []
            at = station
            while at >= count:
                way.append(at)
                at = following[at][0]
            if way:
                ways[source, at] = way
    return ways


def _at(node: Node, place: Point) -> Node:
    x, y = place
    return Node(node.id, node.type, node.title, node.text, x + _MARGIN, y + _MARGIN, node.jumps_to)


def _lines(
    nodes: Mapping[str, Node], edges: list[Edge], bends: Mapping[tuple[str, str], list[Point]]
) -> tuple[Edge, ...]:
    outgoing: dict[str, list[Edge]] = {}
    incoming: dict[str, list[Edge]] = {}
    for edge in edges:
        if nodes[edge.target].y > nodes[edge.source].y:
            outgoing.setdefault(edge.source, []).append(edge)
            incoming.setdefault(edge.target, []).append(edge)
    drawn = []
    for edge in edges:
        source, target = nodes[edge.source], nodes[edge.target]
        way = [(x + _MARGIN, y + _MARGIN) for x, y in bends.get((edge.source, edge.target), [])]
        if edge.source == edge.target:
            path, label_at = _around(source)
        elif target.y > source.y:
            begin = _port(source, outgoing[edge.source], edge, nodes, bottom=True, ways=bends)
            end = _port(target, incoming[edge.target], edge, nodes, bottom=False, ways=bends)
            path, label_at = _downwards(begin, way, end)
        else:
            back = [(x + _MARGIN, y + _MARGIN) for x, y in reversed(bends.get((edge.target, edge.source), []))]
            path, label_at = _backwards(source, way or back, target)
        drawn.append(Edge(edge.source, edge.target, edge.exits, path, label_at))
    return tuple(drawn)


def _port(
    node: Node,
    edges: list[Edge],
    edge: Edge,
    nodes: Mapping[str, Node],
    *,
    bottom: bool,
    ways: Mapping[tuple[str, str], list[Point]],
) -> Point:
    """Where a line touches a box: lines are spread along the side in the order in which they leave or come."""

    def direction(one: Edge) -> float:
        way = ways.get((one.source, one.target))
        if way:
            return way[0][0] if bottom else way[-1][0]
        return nodes[one.target if bottom else one.source].center[0]

    ordered = sorted(edges, key=direction)
    share = (ordered.index(edge) + 1) / (len(ordered) + 1)
    width = min(NODE_WIDTH * 0.8, 56.0 * (len(ordered) + 1))
    return node.center[0] + (share - 0.5) * width, node.y + (NODE_HEIGHT if bottom else 0.0)


def _downwards(begin: Point, way: list[Point], end: Point) -> tuple[str, Point]:
    end = (end[0], end[1] - 7)  # the arrow's head
    points = [begin]
    for x, y in way:  # straight past the boxes of the row
        points += [(x, y - NODE_HEIGHT / 2), (x, y + NODE_HEIGHT / 2)]
    points.append(end)
    path = [f"M{_xy(begin)}"]
    for index, (here, there) in enumerate(pairwise(points)):
        if index % 2:
            path.append(f"L{_xy(there)}")
        else:
            half = (there[1] - here[1]) / 2
            path.append(f"C{_xy((here[0], here[1] + half))} {_xy((there[0], there[1] - half))} {_xy(there)}")
    first = points[1]
    return "".join(path), ((begin[0] + first[0]) / 2, (begin[1] + first[1]) / 2)


def _backwards(source: Node, way: list[Point], target: Node) -> tuple[str, Point]:
    """Up again: out at the side, up between the boxes, in at the side."""
    lanes = [x for x, _ in way]
    right = not lanes or sum(lanes) / len(lanes) >= source.center[0]
    sides = (source.x + NODE_WIDTH, target.x + NODE_WIDTH) if right else (source.x, target.x)
    if not lanes:
        lanes = [max(sides) + _LANE]
    lane = max(*lanes, *sides) + 4 if right else min(*lanes, *sides) - 4
    begin, end = (sides[0], source.center[1]), (sides[1] + (7 if right else -7), target.center[1])
    bend = 14.0 if right else -14.0
    path = (
        f"M{_xy(begin)}L{_xy((lane - bend, begin[1]))}Q{_xy((lane, begin[1]))} {_xy((lane, begin[1] - 14))}"
        f"L{_xy((lane, end[1] + 14))}Q{_xy((lane, end[1]))} {_xy((lane - bend, end[1]))}L{_xy(end)}"
    )
    return path, (lane, (begin[1] + end[1]) / 2)


def _around(node: Node) -> tuple[str, Point]:
    right, middle = node.x + NODE_WIDTH, node.center[1]
    path = f"M{_xy((right, middle + 14))}C{_xy((right + 42, middle + 34))} {_xy((right + 42, middle - 34))} "
    return path + _xy((right + 6, middle - 14)), (right + 34, middle)


def _xy(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"
