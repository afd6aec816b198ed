"""A picture of a flow: what each node says, what its exits are called, and where they lead.

Nodes stand in columns, three to a band, in the order in which a conversation comes to them. Arrows run between columns and
between bands, never behind a node. An exit to a node that many exits lead to is written, not drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from textwrap import wrap
from typing import Any

_WIDTH, _MARGIN, _COLUMNS = 1000, 10, 3
_FONT, _LINE, _CHARACTER = 13, 17, 7.6
_GAP, _TRACK, _SPACE = 16, 8, 20
_MOST_ARROWS = 3
"""Exits to a node with more than this many arrows are written."""
_FILLS = {
    "question": "#e3f2fd",
    "condition": "#fff8e1",
    "message": "#f1f8e9",
    "api_call": "#f3e5f5",
    "ai_prompt": "#f3e5f5",
    "handoff": "#fbe9e7",
    "end": "#eceff1",
    "schedule": "#fff8e1",
}
_EXITS = {
    "next_node_id": "",
    "true_next_node_id": "yes",
    "false_next_node_id": "no",
    "default_next_node_id": "otherwise",
    "open_next_node_id": "open",
    "closed_next_node_id": "closed",
    "empty_next_node_id": "nothing to choose",
    "error_next_node_id": "error",
    "timeout_next_node_id": "no answer",
    "max_attempts_next_node_id": "too many attempts",
}
_SAID = ("question", "text", "message", "greeting", "url", "target_flow_id", "prompt")


@dataclass
class _Box:
    """A node in the picture. `exits` are the names of exits, the node that they lead to, and whether an arrow shows it."""

    id: str
    type: str
    said: str
    exits: list[tuple[str, str, bool]]
    band: int = 0
    column: int = 0
    x: int = 0
    y: int = 0
    width: int = 0
    lines: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    @property
    def height(self) -> int:
        return 34 + _LINE * (len(self.lines) + sum(map(len, self.rows)))

    @property
    def entry(self) -> int:
        return self.y + 14

    def row(self, index: int) -> int:
        """Where an exit's arrow begins: in the middle of its last line. An only exit without a name has no line."""
        if self.rows == [[]]:
            return self.entry
        return self.y + 22 + _LINE * (len(self.lines) + sum(map(len, self.rows[: index + 1])))


def flow_picture(document: dict[str, Any]) -> str:
    """A drawing of a flow as SVG: a box for each node with its exits, and arrows."""
    boxes = _boxes(document)
    routes = _Routes(boxes)
    height = routes.place()
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {routes.width} {height}" '
        f'font-family="sans-serif" font-size="{_FONT}">'
    )
    arrow = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#546e7a"/></marker></defs>'
    )
    drawn = [_drawing(box) for box in boxes.values()]
    return "\n".join(
        [head, f"<title>{escape(document['name'])}</title>", arrow, *routes.arrows(), *drawn, "</svg>", ""]
    )


def exits_of(node: dict[str, Any]) -> list[tuple[str, str]]:
    """The names of a node's exits and where they lead: options by their labels, branches by their conditions."""
    found: dict[str, list[str]] = {}
    data = node.get("data", {})
    buttons = data.get("buttons") or []
    for button in buttons:
        target = button.get("next_node_id") or data.get("next_node_id")
        if target:
            found.setdefault(target, []).append(button["label"])
    for branch in data.get("branches") or []:
        said = [" and ", " or "]["any" in branch].join(map(_comparison, branch.get("all") or branch.get("any")))
        found.setdefault(branch["next_node_id"], []).append(said)
    for path in data.get("paths") or []:
        found.setdefault(path["next_node_id"], []).append(path.get("name") or "")
    only_options = buttons and all(button.get("next_node_id") for button in buttons)
    for name, label in _EXITS.items():
        target = data.get(name) or (data.get("options_from") or {}).get(name)
        if target and not (name == "next_node_id" and (target in found or only_options)):
            found.setdefault(target, []).append(label)
    only = [*found.values()] == [[""]]
    following = "" if only else "answer" if node["type"] == "question" else "done"
    return [(", ".join(label or following for label in labels), target) for target, labels in found.items()]


def _comparison(one: dict[str, Any]) -> str:
    value = "" if one.get("value") is None else f" {one['value']}"
    return f"{one['variable']} {one['operator']}{value}"


def _said(node: dict[str, Any]) -> str:
    data = node.get("data", {})
    match node["type"]:
        case "condition" if "variable" in data:
            return _comparison(data)
        case "set_variable":
            return f"{data['variable']} = {data.get('value')}"
        case "action":
            what = [
                next((one[name] for name in ("variable", "tag", "name") if name in one), "") for one in data["actions"]
            ]
            return ", ".join(f"{one['type']} {name}".strip() for one, name in zip(data["actions"], what, strict=True))
        case "jump":
            return f"continues in {data['target_flow_id']}"
    return " ".join(str(next((data[name] for name in _SAID if data.get(name)), "")).split())


def _boxes(document: dict[str, Any]) -> dict[str, _Box]:
    """The nodes as boxes, by id, each with its band and column."""
    exits = {node["id"]: exits_of(node) for node in document["nodes"]}
    arrows = [target for found in exits.values() for _, target in found]
    boxes = {}
    for node in document["nodes"]:
        found = [(label, target, arrows.count(target) <= _MOST_ARROWS) for label, target in exits[node["id"]]]
        boxes[node["id"]] = _Box(node["id"], node["type"], _said(node), found)
    ranks = _ranks(exits, document["start_node_id"])
    for rank, ids in enumerate(ranks):
        for key in ids:
            boxes[key].band, boxes[key].column = divmod(rank, _COLUMNS)
    return {key: boxes[key] for ids in ranks for key in ids}


def _ranks(exits: dict[str, list[tuple[str, str]]], start: str) -> list[list[str]]:
    """The ids of nodes by the longest way from the start that does not go back."""
    order: list[str] = []
    ahead: dict[str, list[str]] = {}

    def visit(key: str, way: tuple[str, ...]) -> None:
        ahead[key] = []
        for _, target in exits[key]:
            if target in way or target == key or target not in exits:
                continue
            ahead[key].append(target)
            if target not in ahead:
                visit(target, (*way, key))
        order.insert(0, key)

    for key in (start, *exits):
        if key not in ahead:
            visit(key, ())
    rank = dict.fromkeys(order, 0)
    for key in order:
        for target in ahead[key]:
            rank[target] = max(rank[target], rank[key] + 1)
    return [[key for key in ahead if rank[key] == one] for one in sorted(set(rank.values()))]


class _Routes:
    """The ways of the arrows: up and down between columns, across between bands. Each target has a track of its own."""

    def __init__(self, boxes: dict[str, _Box]) -> None:
        self.boxes = boxes
        self.columns = max(box.column for box in boxes.values()) + 1
        self.bands = max(box.band for box in boxes.values()) + 1
        self.gutters: list[list[str]] = [[] for _ in range(self.columns + 1)]
        self.channels: list[list[str]] = [[] for _ in range(self.bands + 1)]
        self.ways: list[tuple[_Box, int, _Box, int | None]] = []
        for box in boxes.values():
            for index, (_, target, shown) in enumerate(box.exits):
                if shown:
                    self._add(box, index, boxes[target])

    def _add(self, box: _Box, index: int, target: _Box) -> None:
        channel: int | None = None
        if box.band < target.band:
            channel = target.band
        elif box.band > target.band:
            channel = target.band + 1
        elif target.column != box.column + 1:
            channel = box.band + (target.column > box.column)
        self.ways.append((box, index, target, channel))
        taken = [self.gutters[box.column + 1], self.gutters[target.column]]
        for tracks in [*taken, *([] if channel is None else [self.channels[channel]])]:
            if target.id not in tracks:
                tracks.append(target.id)

    def place(self) -> int:
        """Give every box its place and size. Return the height of the picture."""
        spaces = [_SPACE * bool(0 < at < self.columns) + _TRACK * len(one) for at, one in enumerate(self.gutters)]
        width = (_WIDTH - 2 * _MARGIN - sum(spaces)) // _COLUMNS
        self.width = 2 * _MARGIN + sum(spaces) + width * self.columns
        self.left = [_MARGIN + width * at + sum(spaces[:at]) for at in range(self.columns + 1)]
        self.top: list[int] = []
        y = _MARGIN
        for band in range(self.bands):
            self.top.append(y)
            y += _TRACK * len(self.channels[band]) + (_GAP if band or self.channels[band] else 0)
            bottoms = [y]
            for column in range(self.columns):
                at = y
                for box in self.boxes.values():
                    if (box.band, box.column) == (band, column):
                        box.x, box.y, box.width = self.left[column] + spaces[column], at, width
                        _fill(box)
                        at += box.height + _GAP
                        bottoms.append(at - _GAP)
            y = max(bottoms)
        self.top.append(y)
        last = self.channels[self.bands]
        return y + _TRACK * len(last) + (_GAP if last else 0) + _MARGIN

    def _x(self, gutter: int, target: str) -> int:
        return self.left[gutter] + _SPACE // 2 * bool(gutter) + _TRACK * self.gutters[gutter].index(target)

    def _y(self, channel: int, target: str) -> int:
        return self.top[channel] + _GAP // 2 + _TRACK * self.channels[channel].index(target)

    def arrows(self) -> Iterator[str]:
        """The arrows, as paths of straight lines."""
        for box, index, target, channel in self.ways:
            path = f"M{box.x + box.width} {box.row(index)}H{self._x(box.column + 1, target.id)}"
            if channel is not None:
                path += f"V{self._y(channel, target.id)}H{self._x(target.column, target.id)}"
            path += f"V{target.entry}H{target.x}"
            yield f'<path d="{path}" fill="none" stroke="#78909c" stroke-linejoin="round" marker-end="url(#arrow)"/>'


def _fill(box: _Box) -> None:
    """Break the texts of a box into lines that fit into it."""
    most = int((box.width - 16) / _CHARACTER)
    box.lines = wrap(box.said, most, max_lines=4, placeholder=" …")
    box.rows = []
    for label, target, shown in box.exits:
        text = label if shown else f"{label} → {target}".lstrip()
        box.rows.append(wrap(text, most, max_lines=3, placeholder=" …"))


def _drawing(box: _Box) -> str:
    left, right, y = box.x + 8, box.x + box.width - 8, box.y + 18
    parts = [
        f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="6" '
        f'fill="{_FILLS.get(box.type, "#ffffff")}" stroke="#90a4ae"/>',
        f'<text x="{left}" y="{y}" font-weight="bold">{escape(box.id)}'
        f'<tspan font-weight="normal" fill="#546e7a"> {box.type}</tspan></text>',
    ]
    for line in box.lines:
        y += _LINE
        parts.append(f'<text x="{left}" y="{y}">{escape(line)}</text>')
    y += 5
    if any(box.rows):
        parts.append(f'<path d="M{box.x} {y + 2}h{box.width}" stroke="#cfd8dc"/>')
    for row in box.rows:
        for line in row:
            y += _LINE
            parts.append(f'<text x="{right}" y="{y}" text-anchor="end" fill="#37474f">{escape(line)}</text>')
    return "".join(parts)
