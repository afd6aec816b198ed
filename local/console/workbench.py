"""The desk of Build: one flow at a time, in an editor, with everything that follows from its text beside it."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from nicegui import events, html, ui
from nicegui.elements.mixins.text_element import TextElement

from local.console.api import ApiProblem
from local.console.completion import Completions, complete, new_id, skeleton
from local.console.diff_view import show_diff
from local.console.example_flows import example_flows, sub_flows, to_start_from
from local.console.findings import Finding, find, from_api
from local.console.flow_diff import diff
from local.console.flow_editor import FlowEditor, place_of_new_node
from local.console.flow_graph import FlowGraph, flow_graph
from local.console.flow_shelf import ChangedMeanwhileError, Draft, FlowShelf, Saved, empty_flow
from local.console.flow_text import FlowText, pretty
from local.console.frame import empty, loading, notify_problem, tool
from local.console.graph_view import GraphView, Mark
from local.console.rehearsal import Rehearsal
from local.console.rehearsal_view import RehearsalView
from local.console.session import KeptText
from local.console.sheet import sheet
from local.console.visit import Visit
from pytake.engine.registry import node_types

Json = dict[str, Any]

CHECK_SECONDS = 0.35
"""How long typing must pause before the text is read."""

LOOK_ELSEWHERE_TIMES = 15
"""After this many refreshes, check whether another person saved the draft."""

read = lru_cache(maxsize=8)(FlowText)
"""A text is read once, though a check, the cursor and a completion all ask about it."""

_VIEWS = (("text", "data_object"), ("flow", "account_tree"), ("test", "smartphone"))
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_NODE_MENU = (
    *("message", "question", "condition", "action", "set_variable", "api_call", "ai_prompt"),
    *("random", "delay", "template", "whatsapp_flow", "jump", "handoff", "end", "start"),
)


class Workbench:
    """The page. What it knows of the flow is in `_draft`; what was read of its text last is in `_read`."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._words = visit.words
        self._shelf = FlowShelf(visit.api)
        self._flows: list[Json] = []
        self._draft: Draft | None = None
        self._read = FlowText("")
        self._drawn: FlowText | None = None
        self._findings: list[Finding] = []
        self._refused: list[Finding] = []
        self._neighbours: dict[str, Json] = {}
        self._secrets: dict[str, list[str]] | None = None
        self._typed = asyncio.Event()
        self._selected: str | None = None
        self._told_of: Saved | None = None
        self._dark = False

    async def run(self) -> None:
        """Show the flow that the address names, else the first."""
        self._dark = bool(await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=5))
        self._flows = await self._shelf.flows()
        self._secrets = await self._shelf.secret_hosts()
        self._root = html.div().classes("build view-text")
        wanted = ui.context.client.request.query_params.get("flow")
        known = [flow["flow_id"] for flow in self._flows]
        chosen = wanted if wanted in known or self._kept(wanted) else next(iter(known), None)
        if chosen is None:
            self._show_nothing()
        else:
            await self._open(chosen)
        ui.timer(self._visit.connection.refresh_seconds * LOOK_ELSEWHERE_TIMES, self._look_elsewhere)
        ui.timer(0.05, self._check_when_typed)

    # What is on the desk.

    async def _open(self, flow_id: str) -> None:
        kept = self._kept(flow_id)
        if any(flow["flow_id"] == flow_id for flow in self._flows):
            draft = await self._shelf.open(flow_id, self._flows)
        else:
            draft = Draft(flow_id, pretty(empty_flow(flow_id, flow_id, self._words.language)))
        restored = kept is not None and kept.text != draft.text
        if kept is not None and restored:  # what was saved since is not in this text
            draft.text, draft.tag = kept
        await self._put_on_desk(draft)
        if restored and draft.changed:
            with self._root:
                ui.notify(self._words("build.restored"), type="info", timeout=6000)

    async def _put_on_desk(self, draft: Draft) -> None:
        self._draft, self._refused, self._selected, self._told_of = draft, [], None, None
        self._drawn = None
        ui.navigate.history.replace(f"/build?flow={draft.flow_id}")
        self._root.clear()
        with self._root:
            self._bar(draft)
            self._views()
            with html.section().classes("panel build-text").props(f'aria-label="{self._words("build.editor")}"'):
                self._editor = FlowEditor(
                    draft.text,
                    self._words("build.editor"),
                    dark=self._dark,
                    on_change=self._text_changed,
                    on_cursor=self._cursor_moved,
                    on_save=self._save,
                    complete=self._complete,
                )
                html.p(self._words("build.editor.keys")).classes("editor-hint quiet")
            self._findings_panel()
            with html.section().classes("panel build-side"):
                self._side()
            await self._check()  # what asked for this may have gone with the flow before

    def _show_nothing(self) -> None:
        self._root.clear()
        words = self._words
        with self._root, empty("account_tree", words("build.no_flow"), words("build.no_flow.do")):
            ui.button(words("build.new"), icon="add", on_click=self._new).props("unelevated no-caps")
            ui.button(words("build.import"), icon="upload", on_click=self._import).props("outline no-caps")

    def _bar(self, draft: Draft) -> None:
        words = self._words
        names = {flow["flow_id"]: f"{flow['name']} · {flow['flow_id']}" for flow in self._flows}
        names.setdefault(draft.flow_id, draft.flow_id)
        with html.div().classes("build-bar"):
            self._choice = ui.select(names, value=draft.flow_id, label=words("build.flow"), on_change=self._chosen)
            self._choice.props("outlined dense options-dense").classes("build-flow")
            self._state = TextElement(tag="span", text="").classes("build-state").props('role="status"')
            with html.div().classes("build-tools"):
                tool("add", words("build.new"), self._new)
                self._save_button = ui.button(words("build.save"), icon="save", on_click=self._save)
                self._save_button.props("outline no-caps")
                ui.button(words("build.publish"), icon="rocket_launch", on_click=self._publish).props(
                    "unelevated no-caps"
                )
                with tool("more_vert", words("build.more")), ui.menu():
                    for icon, key, act in (
                        ("difference", "build.diff", self._show_published_diff),
                        ("history", "build.versions", self._show_versions),
                        ("upload", "build.import", self._import),
                        ("download", "build.export", self._export),
                        ("format_align_left", "build.tidy", self._tidy),
                        ("undo", "build.discard", self._discard),
                    ):
                        with ui.menu_item(on_click=act):
                            ui.icon(icon).classes("menu-icon").props('aria-hidden="true"')
                            html.span(words(key))

    def _views(self) -> None:
        """On a narrow screen one part is shown at a time."""
        with html.div().classes("views").props(f'role="group" aria-label="{self._words("build.views")}"'):
            self._view_buttons: dict[str, html.button] = {}
            for key, icon in _VIEWS:
                with html.button().classes("view-button").props('type="button"') as self._view_buttons[key]:
                    ui.icon(icon).props('aria-hidden="true"')
                    html.span(self._words(f"build.view.{key}"))
                self._view_buttons[key].on("click", partial(self._look_at, key))

    def _look_at(self, view: str) -> None:
        others = " ".join(f"view-{key}" for key, _ in _VIEWS if key != view)
        self._root.classes(add=f"view-{view}", remove=others)
        for key, button in self._view_buttons.items():
            button.props(f'aria-pressed="{str(key == view).lower()}"')
        if view != "text":
            self._tabs.value = view

    def _findings_panel(self) -> None:
        with html.section().classes("panel build-findings").props(f'aria-label="{self._words("build.findings")}"'):
            with html.div().classes("findings-head"):
                html.h2(self._words("build.findings"))
                self._count = TextElement(tag="span", text="").classes("findings-count").props('role="status"')
            self._list = html.ul().classes("findings-list")

    def _side(self) -> None:
        words = self._words
        with ui.tabs().props("dense no-caps inline-label align=justify").classes("details-tabs") as self._tabs:
            ui.tab("flow", words("build.view.flow"), icon="account_tree")
            ui.tab("test", words("build.test"), icon="smartphone")
        with ui.tab_panels(self._tabs, value="flow").props("animated=false keep-alive").classes("details-panels"):
            with ui.tab_panel("flow").classes("build-flow-panel"):
                with html.div().classes("graph-tools"):
                    with (
                        ui.button(words("build.add_node"), icon="add", color=None).props("flat dense no-caps"),
                        ui.menu(),
                    ):
                        for type_ in (*_NODE_MENU, *sorted(node_types().keys() - set(_NODE_MENU))):
                            ui.menu_item(words.get(f"node.{type_}", type_), partial(self._add_node, type_))
                    self._old = html.span(words("build.flow.old")).classes("quiet")
                    self._old.set_visibility(False)
                with html.div().classes("build-graph"):
                    self._graph = GraphView(words, self._node_chosen)
            with ui.tab_panel("test"):
                self._rehearsal = RehearsalView(words, self._to_rehearse, self._rehearsed)
        self._tabs.on_value_change(self._tab_changed)
        self._look_at("text")

    def _tab_changed(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if event.value == "test" and self._rehearsal.rehearsal is None:
            self._rehearsal.begin()
        self._show_marks()

    # What follows from the text.

    def _text_changed(self, text: str) -> None:
        if self._draft is not None:
            self._draft.text = text
            self._typed.set()

    async def _check_when_typed(self) -> None:
        """Read the text after a pause in typing."""
        if not self._typed.is_set():
            return
        while self._typed.is_set():
            self._typed.clear()
            await asyncio.sleep(CHECK_SECONDS)
        await self._check()

    async def _check(self) -> None:
        draft = self._draft
        if draft is None:
            return
        text = await asyncio.to_thread(read, draft.text)
        document = text.document
        if document is not None:
            try:
                self._neighbours = await self._shelf.neighbours(document, self._flows)
            except ApiProblem as problem:
                notify_problem(self._visit, problem)
        found, graph = await asyncio.to_thread(self._work_out, text, draft.flow_id)
        if self._draft is not draft:
            return  # another flow lies on the desk meanwhile
        self._read, self._findings = text, found
        self._keep(draft)
        if graph is not None and graph != self._graph.graph:
            self._graph.show(graph)
        self._drawn = text if graph is not None else self._drawn
        self._old.set_visibility(graph is None and self._drawn is not None)
        self._refused = []
        self._show_findings()
        self._show_state()
        self._rehearsal.text_changed()

    def _work_out(self, text: FlowText, flow_id: str) -> tuple[list[Finding], FlowGraph | None]:
        found = find(text, flow_id, self._neighbours, self._secrets)
        return found, flow_graph(text.document) if text.document is not None else None

    def _complete(self, text: str, offset: int) -> Completions | None:
        return complete(read(text), offset, [flow["flow_id"] for flow in self._flows])

    def _all_findings(self) -> list[Finding]:
        known = {(one.code, one.node_id, one.field, one.flow_id) for one in self._findings}
        more = [one for one in self._refused if (one.code, one.node_id, one.field, one.flow_id) not in known]
        return [*more, *self._findings]

    def _show_findings(self) -> None:
        words = self._words
        found = self._all_findings()
        errors = sum(one.severity == "error" for one in found)
        counts = [
            words(f"build.findings.{kind}", count=count)
            for kind, count in (("errors", errors), ("warnings", len(found) - errors))
            if count
        ]
        self._count.text = " · ".join(counts) or words("build.findings.none")
        look = "bad" if errors else "good" if not found else ""
        self._count.classes(add=look, remove=" ".join({"good", "bad"} - {look}))
        self._list.clear()
        with self._list:
            for one in found:
                self._show_finding(one)
        self._editor.mark(found)
        self._show_marks()

    def _show_finding(self, one: Finding) -> None:
        words = self._words
        with html.li():
            with html.button().classes(f"finding finding-{one.severity}").props('type="button"') as row:
                ui.icon("error" if one.severity == "error" else "warning").props(
                    f'role="img" aria-label="{words(f"build.finding.{one.severity}")}"'
                )
                with html.span().classes("finding-words"):
                    html.span(one.message).classes("finding-message")
                    place = [one.place, words("build.finding.line", line=one.line) if one.line else "", one.code]
                    html.span(" · ".join(part for part in place if part)).classes("finding-place")
            row.on("click", partial(self._go_to, one))

    def _go_to(self, one: Finding) -> None:
        if one.flow_id is not None:
            self._choice.value = one.flow_id
            return
        if one.node_id is not None:
            self._select(one.node_id)
        if one.span is not None:
            self._look_at("text")
            self._editor.jump(one.span)

    def _show_state(self) -> None:
        words, draft = self._words, self._draft
        if draft is None:
            return
        published = (
            words("build.published.state", version=draft.published_version)
            if draft.published_version is not None
            else words("build.published.never")
        )
        state = words("build.not_saved") if draft.changed else words("build.all_saved")
        self._state.text = f"{state} · {published}"
        self._state.classes(add="unsaved" if draft.changed else "", remove="" if draft.changed else "unsaved")
        guard = "e => {e.preventDefault(); e.returnValue = ''}" if draft.changed else "null"
        ui.run_javascript(f"window.onbeforeunload = {guard}")

    # The drawing.

    def _node_chosen(self, node_id: str) -> None:
        self._select(node_id, reveal=False)
        span = self._read.place(node_id, None)
        if span is not None:
            self._editor.jump(span)

    def _cursor_moved(self, offset: int) -> None:
        node_id = read(self._editor.text).node_at(offset)
        if node_id is not None and node_id != self._selected:
            self._select(node_id)

    def _select(self, node_id: str, *, reveal: bool = True) -> None:
        self._selected = node_id
        self._show_marks()
        if reveal:
            self._graph.reveal(node_id)

    def _show_marks(self) -> None:
        wrong: dict[str, list[Finding]] = {}
        for one in self._all_findings():
            if one.node_id is not None and one.flow_id is None:
                wrong.setdefault(one.node_id, []).append(one)
        played = self._rehearsal.rehearsal if self._tabs.value == "test" or self._rehearsal.rehearsal else None
        marks = {}
        for node in self._graph.graph.nodes if self._graph.graph else ():
            looks, badge, note = [], "", ""
            if (found := wrong.get(node.id)) is not None:
                looks.append("error" if any(one.severity == "error" for one in found) else "warning")
                badge, note = str(len(found)), ". ".join(one.message for one in found)
            if played is not None and self._draft is not None:
                if (self._draft.flow_id, node.id) in played.visited:
                    looks.append("passed")
                if played.played and played.played[-1].node_id == node.id:
                    looks.append("current")
            if node.id == self._selected:
                looks.append("selected")
            if looks:
                marks[node.id] = Mark(" ".join(looks), badge, note)
        self._graph.mark(marks)

    def _add_node(self, type_: str) -> None:
        text = read(self._editor.text)
        node = pretty(skeleton(type_, new_id(text, type_))).strip()
        at, put, select = place_of_new_node(text, node)
        self._look_at("text")
        self._editor.insert(at, put, select)

    # The test phone.

    def _to_rehearse(self) -> tuple[dict[str, Mapping[str, Any]], str, str] | None:
        document, draft = self._read.document, self._draft
        if document is None or draft is None:
            return None
        own = {**document, "id": draft.flow_id}
        return {**self._neighbours, draft.flow_id: own}, draft.flow_id, str(document.get("name") or draft.flow_id)

    def _rehearsed(self, rehearsal: Rehearsal) -> None:
        self._show_marks()
        if rehearsal.played and (node_id := rehearsal.played[-1].node_id) is not None:
            self._graph.reveal(node_id)

    # Saving and publishing.

    async def _save(self) -> bool:
        """Save the draft or show what prevents it. Return whether it is saved."""
        draft, words = self._draft, self._words
        if draft is None:
            return False
        document = read(draft.text).document
        if document is None:
            ui.notify(words("build.not_json"), type="warning")
            return False
        if document.get("id", draft.flow_id) != draft.flow_id:
            ui.notify(
                words("build.other_id", id=document["id"], flow_id=draft.flow_id), type="warning", multi_line=True
            )
            return False
        try:
            problems = await self._shelf.save(draft, document)
        except ChangedMeanwhileError as error:
            self._decide(draft, document, error.theirs)
            return False
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
            return False
        await self._after_saving(draft, problems)
        return True

    async def _after_saving(self, draft: Draft, problems: list[Json]) -> None:
        ui.notify(self._words("build.saved"), type="positive")
        await self._refresh_flows()
        await self._check()
        self._refused = from_api(self._read, draft.flow_id, problems)
        self._show_findings()

    async def _refresh_flows(self) -> None:
        try:
            self._flows = await self._shelf.flows()
        except ApiProblem:
            return  # the list of flows may be a little old
        names = {flow["flow_id"]: f"{flow['name']} · {flow['flow_id']}" for flow in self._flows}
        if self._draft is not None:
            names.setdefault(self._draft.flow_id, self._draft.flow_id)
        self._choice.options = names
        self._choice.update()

    def _decide(self, draft: Draft, mine: Json, theirs: Saved) -> None:
        """Two people have written on the same draft: nothing is lost before one of them says so."""
        words = self._words

        async def keep_mine() -> None:
            dialog.close()
            try:
                problems = await self._shelf.save(draft, mine, theirs)
            except ChangedMeanwhileError as error:
                self._decide(draft, mine, error.theirs)
                return
            except ApiProblem as problem:
                notify_problem(self._visit, problem)
                return
            await self._after_saving(draft, problems)

        async def take_theirs() -> None:
            dialog.close()
            draft.begin_with(theirs)
            self._editor.set_text(pretty(theirs.document))
            await self._check()

        with sheet(words("build.meanwhile"), wide=True) as dialog:
            html.p(words("build.meanwhile.text"))
            html.h3(words("build.diff.theirs"))
            with html.div().classes("diff-place"):
                show_diff(words, diff(mine, theirs.document))
            with html.div().classes("buttons"):
                ui.button(words("frame.cancel"), on_click=dialog.close).props("flat no-caps")
                ui.button(words("build.meanwhile.theirs"), on_click=take_theirs).props("outline no-caps")
                ui.button(words("build.meanwhile.mine"), on_click=keep_mine).props("unelevated no-caps")
        dialog.open()

    async def _look_elsewhere(self) -> None:
        """Warn early that another person saved this draft."""
        draft = self._draft
        if draft is None or draft.saved is None:
            return
        try:
            theirs = await self._shelf.theirs(draft)
        except ApiProblem:
            return  # saving will tell
        if theirs is None or theirs == self._told_of or self._draft is not draft:
            return
        self._told_of = theirs
        if not draft.changed:
            draft.begin_with(theirs)
            self._editor.set_text(pretty(theirs.document))
        ui.notify(self._words("build.meanwhile"), type="warning", timeout=8000)

    async def _publish(self) -> None:
        draft, words = self._draft, self._words
        if draft is None or (draft.changed and not await self._save()):
            return
        errors = any(one.severity == "error" for one in self._all_findings())
        if errors:
            ui.notify(words("build.errors_first"), type="warning")
            return
        with sheet(
            words("build.publish.title", name=(draft.saved or {}).get("name") or draft.flow_id), wide=True
        ) as dialog:
            html.p(words("build.publish.text", version=draft.latest_version + 1))
            if (warnings := len(self._all_findings())) > 0:
                html.p(words("build.publish.warnings", count=warnings)).classes("quiet")
            with html.div().classes("diff-place"):
                await self._fill_published_diff(draft)
            with html.div().classes("buttons"):
                ui.button(words("frame.cancel"), on_click=dialog.close).props("flat no-caps")
                ui.button(words("build.publish"), on_click=lambda: self._publish_now(draft, dialog)).props(
                    "unelevated no-caps"
                )
        dialog.open()

    async def _publish_now(self, draft: Draft, dialog: ui.dialog) -> None:
        dialog.close()
        try:
            version = await self._shelf.publish(draft)
        except ChangedMeanwhileError as error:
            self._decide(draft, draft.saved or {}, error.theirs)
            return
        except ApiProblem as problem:
            if problem.code == "flow_has_errors":
                self._refused = from_api(self._read, draft.flow_id, problem.problem.get("problems", ()))
                self._show_findings()
                ui.notify(self._words("build.refused"), type="negative")
            else:
                notify_problem(self._visit, problem)
            return
        ui.notify(self._words("build.published", version=version["version"]), type="positive")
        await self._refresh_flows()
        self._show_state()

    # Differences and versions.

    async def _fill_published_diff(self, draft: Draft) -> None:
        words = self._words
        if draft.published_version is None:
            html.p(words("build.diff.first")).classes("quiet")
            return
        try:
            published = await self._shelf.version(draft.flow_id, draft.published_version)
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
            return
        self._show_diff_from(published["document"])

    def _show_diff_from(self, document: Json) -> None:
        now = read(self._draft.text).document if self._draft is not None else None
        if now is None:
            html.p(self._words("build.diff.not_json")).classes("notice")
        else:
            show_diff(self._words, diff(document, now))

    async def _show_published_diff(self) -> None:
        draft, words = self._draft, self._words
        if draft is None:
            return
        with sheet(words("build.diff"), wide=True) as dialog:
            if draft.published_version is not None:
                html.p(words("build.diff.published", version=draft.published_version)).classes("quiet")
            with html.div().classes("diff-place"):
                await self._fill_published_diff(draft)
            ui.button(words("frame.close"), on_click=dialog.close).props("flat no-caps")
        dialog.open()

    async def _show_versions(self) -> None:
        draft, words = self._draft, self._words
        if draft is None:
            return
        with sheet(words("build.versions"), wide=True) as dialog:
            place = html.div().classes("versions")
            with place:
                waiting = loading(self._visit)
            ui.button(words("frame.close"), on_click=dialog.close).props("flat no-caps")
        dialog.open()
        try:
            versions = await self._shelf.versions(draft.flow_id)
        except ApiProblem as problem:
            dialog.close()
            notify_problem(self._visit, problem)
            return
        waiting.delete()
        with place:
            if not versions:
                empty("history", words("build.versions.none"), words("build.versions.none.do"))
            for version in versions:
                self._show_version(draft, version, dialog)

    def _show_version(self, draft: Draft, version: Json, dialog: ui.dialog) -> None:
        words = self._words
        number = version["version"]
        when = datetime.fromisoformat(version["published_at"]).astimezone().strftime("%d/%m/%Y %H:%M")
        with html.section().classes("version"):
            with html.div().classes("version-head"):
                html.h3(words("build.version", version=number))
                if number == draft.published_version:
                    html.span(words("build.version.current")).classes("chip")
                html.span(words("build.version.by", when=when, who=version["published_by"])).classes("quiet")
            with html.div().classes("buttons start"):
                compare = words("build.version.compare")
                ui.button(compare, on_click=partial(self._compare, draft, number)).props("flat dense no-caps")
                take = words("build.version.take")
                ui.button(take, on_click=partial(self._take_version, draft, number, dialog)).props("flat dense no-caps")
                if number != draft.published_version:
                    use = words("build.version.use")
                    ui.button(use, on_click=partial(self._roll_back, draft, number, dialog)).props("flat dense no-caps")

    async def _with_version(self, draft: Draft, number: int, use: Callable[[Json], Awaitable[None]]) -> None:
        try:
            await use((await self._shelf.version(draft.flow_id, number))["document"])
        except ApiProblem as problem:
            notify_problem(self._visit, problem)

    async def _compare(self, draft: Draft, number: int) -> None:
        async def show(document: Json) -> None:
            with sheet(self._words("build.diff.version", version=number), wide=True) as dialog:
                with html.div().classes("diff-place"):
                    self._show_diff_from(document)
                ui.button(self._words("frame.close"), on_click=dialog.close).props("flat no-caps")
            dialog.open()

        await self._with_version(draft, number, show)

    async def _take_version(self, draft: Draft, number: int, dialog: ui.dialog) -> None:
        async def take(document: Json) -> None:
            dialog.close()
            self._editor.set_text(pretty(document))
            ui.notify(self._words("build.version.taken", version=number), type="info")

        await self._with_version(draft, number, take)

    async def _roll_back(self, draft: Draft, number: int, dialog: ui.dialog) -> None:
        dialog.close()
        try:
            await self._shelf.roll_back(draft, number)
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
            return
        ui.notify(self._words("build.version.used", version=number), type="positive")
        await self._refresh_flows()
        self._show_state()

    # New flows, files.

    async def _chosen(self, event: events.ValueChangeEventArguments[Any]) -> None:
        if self._draft is None or event.value in (None, self._draft.flow_id):
            return
        try:
            await self._open(str(event.value))
        except ApiProblem as problem:
            self._choice.value = self._draft.flow_id
            notify_problem(self._visit, problem)

    def _new(self) -> None:
        words = self._words
        examples = example_flows()
        begun = to_start_from(examples)
        starts = {"": words("build.new.empty"), **{key: str(flow.get("name") or key) for key, flow in begun.items()}}
        taken = {flow["flow_id"] for flow in self._flows}

        def wrong(flow_id: str) -> str | None:
            if not _ID.fullmatch(flow_id or ""):
                return words("build.new.id.wrong")
            return words("build.new.id.taken") if flow_id in taken else None

        def suggest() -> None:
            base = start.value or "flow"
            name, number = base, 2
            while name in taken:
                name, number = f"{base}_{number}", number + 1
            id_.value = name
            title.value = str(examples[base].get("name") or name) if base in examples else name

        async def create() -> None:
            if not id_.validate():
                return
            flow_id, name = str(id_.value), str(title.value or id_.value)
            made = examples.get(start.value) or empty_flow(flow_id, name, str(language.value))
            dialog.close()
            for also in sub_flows(str(start.value), examples):
                if also["id"] not in taken:
                    await self._shelf.save(Draft(also["id"], pretty(also)), also)
            await self._put_on_desk(Draft(flow_id, pretty({**made, "id": flow_id, "name": name})))

        with sheet(words("build.new")) as dialog:
            start = ui.select(starts, value="", label=words("build.new.from"), on_change=suggest).props("outlined")
            id_ = ui.input(words("build.new.id"), validation=wrong).props(
                f'outlined hint="{words("build.new.id.help")}"'
            )
            title = ui.input(words("build.new.name")).props("outlined").classes("space-above")
            language = ui.select({"pt_BR": "Português", "en": "English", "es": "Español"}, value=words.language)
            language.props(f'outlined label="{words("build.new.language")}"')
            language.bind_visibility_from(start, "value", backward=lambda value: not value)
            with html.div().classes("buttons"):
                ui.button(words("frame.cancel"), on_click=dialog.close).props("flat no-caps")
                ui.button(words("build.create"), on_click=create).props("unelevated no-caps")
        suggest()
        dialog.open()

    def _import(self) -> None:
        words = self._words

        async def take(event: events.UploadEventArguments) -> None:
            dialog.close()
            try:
                document = json.loads(await event.file.read())
            except ValueError:
                document = None
            flow_id = document.get("id") if isinstance(document, dict) else None
            if not isinstance(flow_id, str) or not _ID.fullmatch(flow_id):
                ui.notify(words("build.import.wrong", name=event.file.name), type="negative", multi_line=True)
                return
            with self._root:
                if any(flow["flow_id"] == flow_id for flow in self._flows):
                    draft = await self._shelf.open(flow_id, self._flows)
                    draft.text = pretty(document)
                else:
                    draft = Draft(flow_id, pretty(document))
                await self._put_on_desk(draft)

        with sheet(words("build.import")) as dialog:
            html.p(words("build.import.text")).classes("quiet")
            upload = ui.upload(label=words("build.import.file"), on_upload=take, auto_upload=True, max_files=1)
            upload.props('accept=".json,application/json" flat bordered').classes("full")
            ui.button(words("frame.cancel"), on_click=dialog.close).props("flat no-caps")
        dialog.open()

    def _export(self) -> None:
        if self._draft is not None:
            ui.download(self._draft.text.encode(), f"{self._draft.flow_id}.json", "application/json")

    async def _tidy(self) -> None:
        document = read(self._editor.text).document
        if document is None:
            ui.notify(self._words("build.not_json"), type="warning")
            return
        self._editor.set_text(pretty(document))
        self._text_changed(self._editor.text)

    async def _discard(self) -> None:
        draft = self._draft
        if draft is not None and draft.saved is not None:
            self._editor.set_text(pretty(draft.saved))
            self._text_changed(self._editor.text)
            ui.notify(self._words("build.discarded"), type="info")

    # What is not saved yet is kept with the browser's settings, so that no text is lost with a page.

    def _keep(self, draft: Draft) -> None:
        kept = KeptText(draft.text, draft.tag) if draft.changed else None
        self._visit.session.keep_text(self._place(draft.flow_id), kept)

    def _kept(self, flow_id: str | None) -> KeptText | None:
        return self._visit.session.kept_text(self._place(flow_id)) if flow_id else None

    def _place(self, flow_id: str) -> str:
        return f"{self._visit.session.identity.organization_id}/{flow_id}"
