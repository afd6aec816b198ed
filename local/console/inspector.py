"""What is known of one conversation, beside its phone: the flow with the way taken, variables, turns, the JSON that passed."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from nicegui import html, ui

from local.console.api import ApiProblem
from local.console.flow_book import FlowBook
from local.console.flow_graph import FlowGraph
from local.console.frame import empty, show_problem
from local.console.graph_view import GraphView, Mark, edge_label
from local.console.phones import SimulatedPhones
from local.console.sheet import sheet
from local.console.turns import Turn, read_turns, rows, way_through
from local.console.visit import Visit

_MOST_TURNS, _MOST_EXCHANGES = 40, 40
_STATUS_ICONS = {"waiting": "hourglass_top", "human": "support_agent", "idle": "bedtime"}


class Inspector:
    """Shows one conversation at a time; `refresh` brings it up to date."""

    def __init__(self, visit: Visit, phones: SimulatedPhones, default_flow: Callable[[], str | None]) -> None:
        self._visit = visit
        self._phones = phones
        self._default_flow = default_flow
        self._book = FlowBook(visit.api)
        self._shown: dict[str, object] = {}
        self._node: tuple[str, str] | None = None
        words = visit.words
        with html.section().classes("panel flow-panel").props(f'aria-label="{words("try.flow")}"'):
            self._head = html.div().classes("flow-head").props('aria-live="polite"')
            with html.div().classes("flow-body") as self._flow_place:
                self._graph = GraphView(words, self._look_at)
                self._missing = html.div().classes("flow-missing")
                self._missing.set_visibility(False)
        with html.section().classes("panel details").props(f'aria-label="{words("try.details")}"'):
            with ui.tabs().props("dense no-caps inline-label align=justify").classes("details-tabs") as tabs:
                for key in ("variables", "turns", "exchanges"):
                    ui.tab(key, words(f"try.{key}"))
            with ui.tab_panels(tabs, value="variables").props("animated=false").classes("details-panels"):
                with ui.tab_panel("variables"):
                    self._variables = html.div()
                with ui.tab_panel("turns"):
                    self._turns = html.div()
                with ui.tab_panel("exchanges"):
                    self._exchanges = html.div()

    async def refresh(self, phone: str) -> None:
        """Refresh everything for a phone. Only changes are drawn."""
        conversation: dict[str, Any] | None = None
        turns: list[Turn] = []
        try:
            conversation = await self._visit.api.get(f"conversations/{phone}")
        except ApiProblem as problem:
            if problem.kind != "unknown":
                self._show_problem(problem)
                return
        if conversation is not None:
            try:
                turns = read_turns(await self._visit.api.lines(f"conversations/{phone}/records"))
            except ApiProblem as problem:
                if problem.kind not in ("unknown", "role_not_allowed"):
                    self._show_problem(problem)
                    return
        await self._show_flow(phone, conversation, turns)
        self._show_variables(phone, conversation)
        self._show_turns(phone, turns)
        self._show_exchanges(phone, await self._phones.exchanges(phone))

    def _changed(self, part: str, now: object) -> bool:
        if self._shown.get(part) == now:
            return False
        self._shown[part] = now
        return True

    def _show_problem(self, problem: ApiProblem) -> None:
        if not self._changed("problem", problem.detail):
            return
        self._shown = {"problem": problem.detail}
        for place in (self._variables, self._turns, self._exchanges, self._head):
            place.clear()
        with self._variables:
            show_problem(self._visit, problem)

    async def _show_flow(self, phone: str, conversation: dict[str, Any] | None, turns: Sequence[Turn]) -> None:
        words = self._visit.words
        session = (conversation or {}).get("session")
        last = turns[-1] if turns else None
        last_step = last.steps[-1] if last and last.steps else None
        graph = await self._graph_of(conversation or {}, last)
        flow_id = graph.flow_id if graph is not None else None
        self._missing.set_visibility(graph is None)
        if graph is None:
            if self._changed("missing", flow_id):
                self._missing.clear()
                with self._missing:
                    empty("account_tree", words("try.no_flow"), words("try.no_flow.do"))
            return
        if self._graph.graph is not graph:
            self._graph.show(graph)
            self._node = None
        node_id = (conversation or {}).get("node_id")
        way = way_through(turns, graph.flow_id, session["id"] if session else None)
        ended = last_step.node_id if last_step and not node_id and last_step.flow_id == graph.flow_id else None
        nodes = {name: Mark("passed", note=words("graph.passed")) for name in way.nodes}
        if node_id:
            nodes[node_id] = Mark("passed current", words("graph.here"), words("graph.here"))
        elif ended:
            nodes[ended] = Mark("passed", words("graph.ended"), words("graph.ended"))
        self._graph.mark(nodes, {edge: Mark("passed") for edge in way.edges})
        at = node_id or ended
        if at and self._node != (phone, at):
            self._node = (phone, at)
            self._graph.reveal(at)
        status = str((conversation or {}).get("status") or "none")
        version = (conversation or {}).get("flow_version")
        if self._changed("head", (phone, status, graph.flow_id, version, at)):
            self._head.clear()
            with self._head:
                html.h2(graph.name)
                if version:
                    html.span(words("try.version", number=version)).classes("quiet")
                with html.span().classes(f"status status-{status}"):
                    ui.icon(_STATUS_ICONS.get(status, "radio_button_unchecked")).props('aria-hidden="true"')
                    html.span(words(f"status.{status}"))

    async def _graph_of(self, conversation: dict[str, Any], last: Turn | None) -> FlowGraph | None:
        """The flow the conversation is in, in the version it began with; else the last one; else the number's default."""
        root, version = conversation.get("flow_id"), conversation.get("flow_version")
        if root:
            return await self._book.graph(conversation.get("sub_flow_id") or root, version, root)
        if last is not None and last.flow_id:
            at = last.steps[-1].flow_id if last.steps else last.flow_id
            return await self._book.graph(at, last.flow_version or None, last.flow_id)
        default = self._default_flow()
        return await self._book.published(default) if default else None

    def reveal(self) -> None:
        """Bring the node that the conversation is at into view again."""
        if self._node is not None:
            self._graph.reveal(self._node[1])

    def _look_at(self, node_id: str) -> None:
        """Show a node closer: its whole text, and where each exit leads."""
        words, graph = self._visit.words, self._graph.graph
        if graph is None or node_id not in graph.by_id:
            return
        node = graph.by_id[node_id]
        with sheet(node.title) as dialog:
            html.p(f"{words.get(f'node.{node.type}', node.type)} · {node.id}").classes("sheet-more")
            if node.text:
                html.p(node.text)
            ways = [edge for edge in graph.edges if edge.source == node_id]
            if ways:
                listed = [
                    (edge_label(edge, words) or words("exit.next"), graph.by_id[edge.target].title) for edge in ways
                ]
                table(words("graph.exits"), (words("graph.exit"), words("graph.to")), listed)
            ui.button(words("frame.close"), on_click=dialog.close).props("flat no-caps")
        dialog.open()

    def _show_variables(self, phone: str, conversation: dict[str, Any] | None) -> None:
        words = self._visit.words
        variables = rows((conversation or {}).get("variables") or {})
        contact = rows({**((conversation or {}).get("fields") or {})})
        tags = tuple((conversation or {}).get("tags") or ())
        if not self._changed("variables", (phone, variables, contact, tags, conversation is None)):
            return
        self._variables.clear()
        with self._variables:
            if not variables and not contact and not tags:
                hint = "try.no_variables" if conversation else "try.no_conversation"
                html.p(words(hint)).classes("quiet pad")
                return
            if variables:
                table(words("try.variables"), (words("table.name"), words("table.value")), variables)
            if contact or tags:
                listed = [*contact, *([(words("try.tags"), ", ".join(tags))] if tags else [])]
                html.h3(words("try.contact")).classes("sub")
                table(words("try.contact"), (words("table.name"), words("table.value")), listed)

    def _show_turns(self, phone: str, turns: Sequence[Turn]) -> None:
        words = self._visit.words
        if not self._changed("turns", (phone, len(turns), turns[-1].seq if turns else 0)):
            return
        self._turns.clear()
        with self._turns:
            if not turns:
                html.p(words("try.no_turns")).classes("quiet pad")
            for turn in reversed(turns[-_MOST_TURNS:]):
                self._draw_turn(turn)

    def _draw_turn(self, turn: Turn) -> None:
        words = self._visit.words
        with html.article().classes("turn"):
            with html.header().classes("turn-head"):
                html.span(f"#{turn.seq}").classes("turn-seq")
                html.span(turn.said or words.get(f"media.{turn.kind}", turn.kind)).classes("turn-said")
                html.span(datetime.fromtimestamp(turn.at).astimezone().strftime("%H:%M:%S")).classes("quiet")
            with html.ol().classes("steps").props(f'aria-label="{words("try.path")}"'):
                for step in turn.steps:
                    with html.li():
                        html.span(self._book.node(step.flow_id, step.node_id)).classes("step-node")
                        kind, _, value = step.exit.partition(":")
                        name = value or words.get(f"exit.{kind}", kind)
                        html.span(name).classes(f"step-exit exit-{kind}")
            for one in turn.happened:
                with html.div().classes("happened"):
                    ui.icon("bolt").props('aria-hidden="true"')
                    html.span(words.get(f"event.{one.type}", one.type)).classes("happened-type")
                    if one.more:
                        html.span(" · ".join(f"{name}: {value}" for name, value in one.more)).classes("quiet")
            for text in turn.outside:
                with html.div().classes("happened"):
                    ui.icon("api").props('aria-hidden="true"')
                    html.span(text)

    def _show_exchanges(self, phone: str, exchanges: Sequence[dict[str, Any]]) -> None:
        words = self._visit.words
        if not self._changed("exchanges", (phone, exchanges[-1]["seq"] if exchanges else 0)):
            return
        self._exchanges.clear()
        with self._exchanges:
            html.p(words("try.exchanges.help")).classes("quiet pad")
            for one in reversed(exchanges[-_MOST_EXCHANGES:]):
                with html.details().classes("exchange"):
                    with html.summary():
                        html.span(words(f"exchange.{one['kind']}")).classes(f"exchange-kind kind-{one['kind']}")
                        html.span(_what(one)).classes("exchange-what")
                        html.span(str(one["status"])).classes("code-bad" if one["status"] >= 400 else "code-good")
                        html.span(datetime.fromtimestamp(one["at"]).astimezone().strftime("%H:%M:%S")).classes("quiet")
                    html.div(f"POST {one['path']}").classes("exchange-path")
                    html.pre(json.dumps(one["request"], indent=2, ensure_ascii=False)).props('tabindex="0"')
                    if one.get("answer") is not None:
                        html.div(words("exchange.answer", status=one["status"])).classes("exchange-path")
                        html.pre(json.dumps(one["answer"], indent=2, ensure_ascii=False)).props('tabindex="0"')


def table(caption: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Draw a small table of texts into the current element."""
    with html.table().classes("rows"):
        html.caption(caption).classes("visually-hidden")
        with html.thead(), html.tr():
            for head in heads:
                html.th(head).props('scope="col"')
        with html.tbody():
            for line in lines:
                with html.tr():
                    html.th(line[0]).props('scope="row"')
                    for cell in line[1:]:
                        html.td(cell)


def _what(exchange: dict[str, Any]) -> str:
    """Return what a request is about in a few words: the kind of message, the statuses, a tick."""
    request = exchange["request"]
    if not isinstance(request, dict):
        return ""
    if exchange["kind"] == "graph":
        if "status" in request:
            return "typing" if "typing_indicator" in request else str(request["status"])
        kind = str(request.get("type", "text"))
        inner = request.get(kind)
        return (
            f"{kind}.{inner['type']}" if kind == "interactive" and isinstance(inner, dict) and "type" in inner else kind
        )
    kinds = []
    for entry in request.get("entry") or ():
        for change in entry.get("changes") or ():
            value = change.get("value") or {}
            kinds += [str(message.get("type")) for message in value.get("messages") or ()]
            kinds += [str(status.get("status")) for status in value.get("statuses") or ()]
    return ", ".join(dict.fromkeys(kinds))
