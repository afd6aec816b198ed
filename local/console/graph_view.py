"""A flow drawn on a page: boxes that can be walked through with the keyboard, lines, and marks that move on them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nicegui import html, ui
from nicegui.elements.mixins.text_element import TextElement

from local.console.flow_graph import NODE_HEIGHT, NODE_WIDTH, Edge, FlowGraph, Node
from local.console.words import Words

ICONS = {
    "start": "play_circle",
    "message": "chat_bubble",
    "question": "help",
    "condition": "call_split",
    "jump": "subdirectory_arrow_right",
    "end": "stop_circle",
    "handoff": "support_agent",
    "action": "bolt",
    "api_call": "api",
    "ai_prompt": "auto_awesome",
    "delay": "hourglass_top",
    "set_variable": "edit_note",
    "random": "casino",
    "template": "description",
    "whatsapp_flow": "list_alt",
}
_ZOOMS = (0.4, 0.5, 0.65, 0.8, 1.0, 1.25)


@dataclass(frozen=True)
class Mark:
    """What is shown on a node or a line beside its own words.

    `look` is one or more of the looks in console.css (`current`, `passed`, `error`, `warning`, `heat-0` … `heat-5`, `selected`);
    `badge` a short text in the corner, `note` what is read out for both.
    """

    look: str = ""
    badge: str = ""
    note: str = ""


_PLAIN = Mark()


class GraphView:
    """Draws one flow at a time into the element that is current when it is made."""

    def __init__(self, words: Words, on_select: Callable[[str], object] | None = None) -> None:
        """`on_select` takes the id of a node that was clicked, or chosen with the keyboard."""
        self._words = words
        self._on_select = on_select
        self._zoom = _ZOOMS.index(0.8)
        self._graph: FlowGraph | None = None
        self._boxes: dict[str, tuple[html.button, TextElement, Mark]] = {}
        self._lines: dict[tuple[str, str], tuple[ui.element, TextElement, Mark]] = {}
        with html.div().classes("graph") as self._frame:
            with html.div().classes("graph-scroll").props('tabindex="-1" role="group"') as self._scroll:
                self._canvas = html.div().classes("graph-canvas")
            with html.div().classes("graph-zoom"):
                self._tool("remove", words("graph.smaller"), lambda: self._zoom_to(self._zoom - 1))
                self._tool("add", words("graph.larger"), lambda: self._zoom_to(self._zoom + 1))

    @property
    def graph(self) -> FlowGraph | None:
        """What is drawn now."""
        return self._graph

    def show(self, graph: FlowGraph) -> None:
        """Draw a flow in place of the one before; marks are gone."""
        self._graph = graph
        self._boxes.clear()
        self._lines.clear()
        self._canvas.clear()
        self._scroll.props(f'aria-label="{self._words("graph.label", name=graph.name)}"')
        self._canvas.style(f"width:{graph.width:.0f}px;height:{graph.height:.0f}px;zoom:{_ZOOMS[self._zoom]}")
        with self._canvas:
            self._draw_lines(graph)
            for node in graph.nodes:
                self._draw_box(node)

    def mark(self, nodes: Mapping[str, Mark], edges: Mapping[tuple[str, str], Mark] | None = None) -> None:
        """Show these marks on nodes (by id) and on lines (by source and target), and on nothing else."""
        for node_id, (box, badge, before) in self._boxes.items():
            now = nodes.get(node_id, _PLAIN)
            if now == before:
                continue
            box.classes(add=now.look, remove=" ".join(set(before.look.split()) - set(now.look.split())))
            box.props(f'aria-label="{_quoted(self._named(node_id, now))}"')
            if "current" in now.look.split():
                box.props('aria-current="step"')
            else:
                box.props(remove="aria-current")
            badge.text = now.badge
            badge.set_visibility(bool(now.badge))
            self._boxes[node_id] = (box, badge, now)
        for way, (line, label, before) in self._lines.items():
            now = (edges or {}).get(way, _PLAIN)
            if now == before:
                continue
            line.classes(add=now.look, remove=" ".join(set(before.look.split()) - set(now.look.split())))
            label.classes(add=now.look, remove=" ".join(set(before.look.split()) - set(now.look.split())))
            label.text = now.badge or self._label(way)
            label.set_visibility(bool(label.text))
            self._lines[way] = (line, label, now)

    def reveal(self, node_id: str) -> None:
        """Bring a node into the middle, without moving the page."""
        if self._graph is None or node_id not in self._graph.by_id:
            return
        x, y = self._graph.by_id[node_id].center
        zoom = _ZOOMS[self._zoom]
        ui.run_javascript(
            f"{{const s = getHtmlElement({self._scroll.id}); s?.scrollTo({{behavior: 'smooth', "
            f"left: {x * zoom:.0f} - s.clientWidth / 2, top: {y * zoom:.0f} - s.clientHeight / 2}})}}"
        )

    def _draw_lines(self, graph: FlowGraph) -> None:
        size = f'width="{graph.width:.0f}" height="{graph.height:.0f}"'
        with ui.element("svg").classes("graph-lines").props(f'aria-hidden="true" {size}'):
            with ui.element("defs"):
                marker = f'id="arrow-{self._frame.id}" viewBox="0 0 8 8" refX="1" refY="4" orient="auto"'
                sized = 'markerWidth="7" markerHeight="7" markerUnits="userSpaceOnUse"'
                with ui.element("marker").props(f"{marker} {sized}"):
                    ui.element("path").props('d="M0,0L8,4L0,8z"').classes("graph-arrow")
            lines = {}
            for edge in graph.edges:
                line = lines[edge.source, edge.target] = ui.element("path").classes("graph-line")
                line.props(f'd="{edge.path}" marker-end="url(#arrow-{self._frame.id})"')
        for edge in graph.edges:
            way = (edge.source, edge.target)
            label = TextElement(tag="div", text=self._label(way)).classes("graph-label").props('aria-hidden="true"')
            label.style(f"left:{edge.label_at[0]:.0f}px;top:{edge.label_at[1]:.0f}px")
            label.set_visibility(bool(label.text))
            self._lines[way] = (lines[way], label, _PLAIN)

    def _draw_box(self, node: Node) -> None:
        style = f"left:{node.x:.0f}px;top:{node.y:.0f}px;width:{NODE_WIDTH:.0f}px;height:{NODE_HEIGHT:.0f}px"
        with html.button().classes(f"node node-{node.type}").props('type="button"').style(style) as box:
            ui.icon(ICONS.get(node.type, "crop_square")).classes("node-icon").props('aria-hidden="true"')
            with html.span().classes("node-words"):
                html.span(node.title).classes("node-title")
                html.span(node.text or self._type(node)).classes("node-text")
            badge = TextElement(tag="span", text="").classes("node-badge")
            badge.set_visibility(False)
        box.props(f'data-node="{_quoted(node.id)}" aria-label="{_quoted(self._named(node.id, _PLAIN, node))}"')
        if self._on_select is not None:
            select = self._on_select
            box.on("click", lambda _, chosen=node.id: select(chosen))
        self._boxes[node.id] = (box, badge, _PLAIN)

    def _named(self, node_id: str, mark: Mark, node: Node | None = None) -> str:
        if node is None:
            node = self._graph.by_id[node_id] if self._graph else Node(node_id, "?", node_id, "")
        parts = [f"{self._type(node)}: {node.title}", node.text, mark.note or mark.badge]
        following = [edge for edge in (self._graph.edges if self._graph else ()) if edge.source == node_id]
        if following and self._graph is not None:
            names = ", ".join(self._graph.by_id[edge.target].title for edge in following)
            parts.append(self._words("graph.leads_to", names=names))
        return ". ".join(part for part in parts if part)

    def _type(self, node: Node) -> str:
        return self._words.get(f"node.{node.type}", node.type)

    def _label(self, way: tuple[str, str]) -> str:
        edge = next(
            (one for one in (self._graph.edges if self._graph else ()) if (one.source, one.target) == way), None
        )
        return edge_label(edge, self._words) if edge is not None else ""

    def _zoom_to(self, zoom: int) -> None:
        self._zoom = max(0, min(zoom, len(_ZOOMS) - 1))
        self._canvas.style(f"zoom:{_ZOOMS[self._zoom]}")

    @staticmethod
    def _tool(icon: str, label: str, on_click: Callable[[], None]) -> None:
        ui.button(icon=icon, on_click=on_click, color=None).props(f'flat dense round size="sm" aria-label="{label}"')


def edge_label(edge: Edge, words: Words) -> str:
    """Return the label of a line: the buttons or outcomes that lead along it; empty for the only way."""
    names = []
    for one in edge.exits:
        kind, _, value = one.name.partition(":")
        if one.label or kind == "path":
            names.append(one.label or value)
        elif kind == "branch":
            names.append(words("exit.branch", number=value))
        elif kind != "next":
            names.append(words.get(f"exit.{kind}", kind))
    if any(one.name == "next" for one in edge.exits) and len(edge.exits) > 1:
        names.append(words("exit.otherwise"))
    return " · ".join(names)


def _quoted(text: str) -> str:
    """A text for a property: NiceGUI reads properties as HTML attributes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
