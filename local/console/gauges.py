"""The page of Measure: which flow and which days, and below it what the reports say of them, kept up to date."""

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from nicegui import html, ui
from nicegui.elements.mixins.text_element import TextElement

from local.console import reports
from local.console.api import ApiProblem
from local.console.flow_graph import FlowGraph, flow_graph
from local.console.flow_shelf import FlowShelf
from local.console.frame import empty, loading, show_problem
from local.console.graph_view import GraphView
from local.console.lake_desk import LakeDesk
from local.console.lake_view import LakeView, is_of_aws
from local.console.table_view import csv_button, show_table
from local.console.tables import Table
from local.console.visit import Visit
from local.dead_letters import StackError

Json = Mapping[str, Any]

DAYS = (1, 7, 14, 30, 90, 180, 365)
TABS = ("overview", "path", "transcript", "sql")
_TAB_ICONS = {"overview": "insights", "path": "account_tree", "transcript": "forum", "sql": "storage"}
REPORTS = ("report", "nodes-heatmap", "daily-activity", "user-segments")

LOOK_AGAIN_TIMES = 3
"""Every so many refreshes the reports are asked for again. Without new events that costs no query."""

MOST_TRIES = 12
_PHONE = re.compile(r"\+?[0-9]{5,20}")


class Gauges:
    """One flow's figures. What was drawn last is kept, so that only changes are drawn."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._words = visit.words
        self._shelf = FlowShelf(visit.api)
        self._flows: list[dict[str, Any]] = []
        self._flow_id = ""
        self._days = 30
        self._drawn: dict[str, object] = {}
        self._graph: FlowGraph | None = None
        self._busy = asyncio.Lock()
        self._lake: LakeDesk | None = None

    async def run(self) -> None:
        """Show the flow and the days that the address names, else the first and the last thirty."""
        self._flows = await self._shelf.flows()
        if not self._flows:
            words = self._words
            empty("insights", words("measure.no_flow"), words("measure.no_flow.do"))
            return
        query = ui.context.client.request.query_params
        known = [flow["flow_id"] for flow in self._flows]
        published = [flow["flow_id"] for flow in self._flows if flow["published_version"] is not None]
        wanted = query.get("flow")
        self._flow_id = str(wanted if wanted in known else (published or known)[0])
        asked = query.get("days") or ""
        self._days = min(max(int(asked), 1), 365) if asked.isdecimal() else 30
        with html.div().classes("measure"):
            self._bar()
            self._tabs(query.get("tab"))
        await self._refresh()
        ui.timer(self._visit.connection.refresh_seconds * LOOK_AGAIN_TIMES, self._refresh, immediate=False)

    def _bar(self) -> None:
        words = self._words
        with html.div().classes("measure-bar"):
            names = {flow["flow_id"]: f"{flow['name']} · {flow['flow_id']}" for flow in self._flows}
            flow = ui.select(names, value=self._flow_id, label=words("measure.flow"), on_change=self._choose_flow)
            flow.props("outlined dense options-dense").classes("build-flow")
            days = {count: self._days_label(count) for count in sorted({*DAYS, self._days})}
            period = ui.select(days, value=self._days, label=words("measure.days"), on_change=self._choose_days)
            period.props("outlined dense options-dense").classes("measure-days")
            with html.div().classes("measure-about"):
                self._as_of = TextElement(tag="span", text="").classes("as-of").props('role="status"')
                self._period = TextElement(tag="span", text="").classes("quiet")
            if self._visit.connection.has_phones and self._visit.connection.lake is not None:
                self._export_button = ui.button(words("measure.export_now"), icon="sync", on_click=self._export)
                self._export_button.props("outline no-caps")

    def _days_label(self, days: int) -> str:
        return self._words("measure.days.1") if days == 1 else self._words("measure.days.last", days=days)

    def _tabs(self, wanted: str | None) -> None:
        words = self._words
        with ui.tabs().props("dense no-caps inline-label align=left outside-arrows mobile-arrows") as tabs:
            for key in TABS:
                ui.tab(key, words(f"measure.tab.{key}"), icon=_TAB_ICONS[key])
        tabs.classes("details-tabs measure-tabs")
        panels = ui.tab_panels(tabs, value=wanted if wanted in TABS else "overview", on_change=self._remember)
        self._panels = panels.props("animated=false keep-alive").classes("measure-panels")
        with self._panels:
            with ui.tab_panel("overview"):
                self._overview = html.div().classes("gauges")
                with self._overview:
                    loading(self._visit)
            with ui.tab_panel("path"):
                self._path = html.div().classes("gauges path")
                with self._path:
                    self._path_head = html.div().classes("gauge-wide")
                    with html.div().classes("panel heat-panel") as self._heat_place:
                        self._heat = GraphView(words)
                    self._path_tables = html.div().classes("gauge-wide")
            with ui.tab_panel("transcript"):
                self._transcript_panel()
            with ui.tab_panel("sql"):
                self._sql = html.div().classes("sql")
        if self._panels.value == "sql":
            ui.timer(0, self._show_sql, once=True)

    async def _choose_flow(self, event: Any) -> None:
        self._flow_id = str(event.value)
        await self._start_over()

    async def _choose_days(self, event: Any) -> None:
        self._days = int(event.value)
        await self._start_over()

    async def _start_over(self) -> None:
        self._drawn.clear()
        self._overview.clear()
        with self._overview:
            loading(self._visit)
        self._address()
        await self._refresh()

    async def _remember(self) -> None:
        self._address()
        if self._panels.value == "sql":
            await self._show_sql()

    def _address(self) -> None:
        query = urlencode({"flow": self._flow_id, "days": self._days, "tab": self._panels.value})
        ui.navigate.history.replace(f"/measure?{query}")

    # The reports.

    async def _refresh(self) -> None:
        """Ask for the reports, and draw what changed."""
        if self._busy.locked():
            return
        async with self._busy:
            asked = (self._flow_id, self._days)
            try:
                found = dict(
                    zip(REPORTS, await asyncio.gather(*(self._ask(name, *asked) for name in REPORTS)), strict=True)
                )
                if self._graph is None or self._graph.flow_id != asked[0]:
                    document = (await self._visit.api.get(f"flows/{asked[0]}"))["document"]
                    self._graph = await asyncio.to_thread(flow_graph, document)
            except ApiProblem as problem:
                self._show_problem(problem)
                return
        if asked != (self._flow_id, self._days):
            await self._refresh()  # another flow or period was chosen meanwhile
            return
        self._show_about(found["report"])
        if self._changed("overview", [found[name] for name in REPORTS if name != "nodes-heatmap"]):
            self._show_overview(found)
        if self._changed("path", found["nodes-heatmap"]):
            self._show_path(found["nodes-heatmap"])

    async def _ask(self, name: str, flow_id: str, days: int) -> Json:
        """One report; one that takes long is waited for, because the work on it goes on."""
        path = f"whatsapp-analytics/flows/{quote(flow_id)}/{name}"
        for _ in range(MOST_TRIES):
            try:
                found: Json = await self._visit.api.get(path, days=days)
            except ApiProblem as problem:
                if problem.code != "report_not_ready":
                    raise
                self._as_of.text = self._words("measure.not_ready")
                await asyncio.sleep(float(problem.problem.get("retry_after", 2)))
            else:
                return found
        raise ApiProblem("refused", self._words("measure.not_ready"), "report_not_ready")

    def _changed(self, part: str, now: object) -> bool:
        if self._drawn.get(part) == now:
            return False
        self._drawn[part] = now
        return True

    def _show_problem(self, problem: ApiProblem) -> None:
        if self._changed("problem", problem.detail):
            self._drawn = {"problem": problem.detail}
            self._overview.clear()
            with self._overview:
                show_problem(self._visit, problem, self._start_over)

    def _show_about(self, report: Json) -> None:
        self._drawn.pop("problem", None)
        self._as_of.text = reports.fresh_until(self._words, report["as_of"])
        self._period.text = reports.period_of(self._words, report["period"])

    def _show_overview(self, found: Mapping[str, Json]) -> None:
        words = self._words
        report, activity, segments = found["report"], found["daily-activity"], found["user-segments"]
        self._overview.clear()
        with self._overview:
            if not report["conversations"]["total"]:
                with html.div().classes("panel gauge-wide"):
                    empty("insights", words("measure.none"), words("measure.none.do"))
            with html.div().classes("headline gauge-wide"):
                for figure in reports.figures(words, report):
                    with html.div().classes("panel headline-figure"):
                        html.span(figure.name).classes("quiet")
                        html.b(figure.value)
                        html.span(figure.note).classes("quiet")
            table = reports.activity_table(words, activity)
            self._gauge("measure.activity", reports.activity_chart(words, activity), table, wide=True)
            self._gauge("measure.states", reports.states_chart(words, report), reports.states_table(words, report))
            table = reports.segments_table(words, segments)
            self._gauge("measure.segments", reports.segments_chart(words, segments), table)
            self._gauge("measure.report", None, reports.report_table(words, report), wide=True)

    def _gauge(self, title: str, chart: dict[str, Any] | None, table: Table, *, wide: bool = False) -> None:
        name = self._words(title)
        with html.section().classes("panel gauge" + (" gauge-wide" if wide else "")).props(f'aria-label="{name}"'):
            with html.div().classes("gauge-head"):
                html.h2(name)
                csv_button(self._words, table, name)
            if chart is not None:
                ui.echart(chart).classes("chart").props(f'role="img" aria-label="{name}"')
            show_table(table, name)

    def _show_path(self, heatmap: Json) -> None:
        words, graph = self._words, self._graph
        titles = {node.id: node.title for node in graph.nodes} if graph is not None else {}
        self._path_head.clear()
        with self._path_head:
            html.p(words("measure.heat.legend")).classes("quiet")
            lost = reports.drop_offs(heatmap, titles)
            with html.section().classes("panel gauge"):
                html.h2(words("measure.drop_offs"))
                if not lost:
                    html.p(words("measure.drop_offs.none")).classes("quiet")
                with html.ol().classes("drop-offs"):
                    for node_id, title, count, rate in lost:
                        with html.li():
                            text = words("measure.drop_offs.one", title=title, count=count, rate=rate)
                            link = html.button(text).props('type="button"').classes("link-button")
                            link.on("click", partial(self._heat.reveal, node_id))
        drawable = graph is not None and bool(graph.nodes)
        self._heat_place.set_visibility(drawable)
        if graph is not None and drawable:
            if self._heat.graph != graph:
                self._heat.show(graph)
            nodes, edges = reports.heat_marks(words, heatmap, graph)
            self._heat.mark(nodes, edges)
        self._path_tables.clear()
        with self._path_tables:
            if not drawable:
                html.p(words("measure.no_drawing")).classes("notice")
            self._gauge("measure.heatmap", None, reports.heatmap_table(words, heatmap, titles))

    async def _export(self) -> None:
        """Let the local cloud write new events to the lake now, in place of within five minutes."""
        words = self._words
        self._export_button.disable()
        waiting = ui.notification(words("measure.exporting"), spinner=True, timeout=None)
        try:
            desk = await self._find_lake()
            wrong = await asyncio.to_thread(desk.export) if desk is not None else "?"
        except Exception as error:
            if not is_of_aws(error):
                raise
            wrong = str(error)
        finally:
            waiting.dismiss()
            self._export_button.enable()
        if wrong is None:
            ui.notify(words("measure.exported"), type="positive")
            await self._refresh()
        else:
            ui.notify(words("measure.export_failed", reason=wrong[:300]), type="negative", multi_line=True)

    # Transcripts.

    def _transcript_panel(self) -> None:
        words = self._words
        with html.div().classes("gauges"), html.section().classes("panel gauge gauge-wide"):
            html.h2(words("measure.transcript"))
            with html.div().classes("transcript-form"):
                phone = ui.input(words("measure.transcript.phone"), placeholder="5511999990001")
                phone.props('outlined dense inputmode="tel"')
                only = ui.checkbox(words("measure.transcript.only"))
                show: Callable[[], Any] = lambda: self._show_transcript(str(phone.value or ""), bool(only.value))  # noqa: E731
                phone.on("keydown.enter", show)
                ui.button(words("measure.transcript.show"), icon="search", on_click=show).props("unelevated no-caps")
            self._transcript = html.div().props('aria-live="polite"')
            with self._transcript:
                html.p(words("measure.transcript.hint")).classes("quiet")

    async def _show_transcript(self, phone: str, only_this_flow: bool) -> None:
        words = self._words
        phone = re.sub(r"[\s()-]", "", phone)
        self._transcript.clear()
        if not _PHONE.fullmatch(phone):
            with self._transcript:
                html.p(words("measure.transcript.hint")).classes("notice")
            return
        with self._transcript:
            loading(self._visit)
        try:
            found = await self._visit.api.get(
                f"whatsapp-analytics/conversations/{quote(phone)}/transcript",
                flow_id=self._flow_id if only_this_flow else None,
            )
        except ApiProblem as problem:
            self._transcript.clear()
            with self._transcript:
                show_problem(self._visit, problem, partial(self._show_transcript, phone, only_this_flow))
            return
        self._transcript.clear()
        with self._transcript:
            table = reports.transcript_table(words, found)
            if not table.rows:
                empty("forum", words("measure.transcript.none"), words("measure.transcript.none.do"))
                return
            if found.get("truncated"):
                html.p(words("measure.transcript.truncated")).classes("notice")
            with html.div().classes("gauge-head"):
                html.span(words("sql.rows", count=len(table.rows))).classes("quiet")
                with html.div().classes("gauge-tools"):
                    desk = ui.button(words("measure.transcript.watch"), icon="support_agent", color=None)
                    desk.props(f'flat dense no-caps href="/watch?phone={quote(found["contact_id"], safe="")}"')
                    csv_button(words, table, words("measure.transcript"))
            show_table(table, words("measure.transcript"))

    # SQL.

    async def _find_lake(self) -> LakeDesk | None:
        find = self._visit.connection.lake
        if self._lake is None and find is not None:
            self._lake = await asyncio.to_thread(find)
        return self._lake

    async def _show_sql(self) -> None:
        if self._drawn.get("sql"):
            return
        self._drawn["sql"] = True
        words = self._words
        self._sql.clear()
        with self._sql:
            waiting = loading(self._visit)
        try:
            desk = await self._find_lake()
        except Exception as error:
            if not is_of_aws(error) and not isinstance(error, StackError):
                raise
            self._drawn.pop("sql")
            self._sql.clear()
            with self._sql:
                empty("cloud_off", words("sql.none"), str(error))
            return
        waiting.delete()
        with self._sql:
            if desk is None:
                empty("cloud_off", words("sql.none"), words("sql.none.do"))
                return
            timezone = str((self._drawn.get("overview") or [{}])[0].get("period", {}).get("timezone", "UTC"))  # type: ignore[index]
            await LakeView(self._visit, desk).show(self._flow_id, timezone, self._days)
