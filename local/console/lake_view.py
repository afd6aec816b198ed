"""SQL on the lake, on a page: a statement, its parameters, how far it is, what it found."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from nicegui import html, ui
from nicegui.elements.mixins.text_element import TextElement

from local.console.frame import empty
from local.console.lake_desk import (
    FIRST_QUERY,
    MOST_ROWS,
    ORGANIZATION,
    Execution,
    LakeDesk,
    SavedQuery,
    StatementError,
    bytes_read,
    check,
    parameters,
    report_queries,
    suggestions,
    value_of,
)
from local.console.reports import lasting
from local.console.table_view import csv_button, show_table
from local.console.tokens import Identity, NoTokenError, claims_of
from local.console.visit import Visit

ROLES = ("admin", "builder", "analyst")
"""Those who may see reports (docs/security.md): the lake holds the same, in rows."""

SHOWN_ROWS = 200
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5)

Found = TypeVar("Found")


class LakeView:
    """The desk of one analyst."""

    def __init__(self, visit: Visit, desk: LakeDesk) -> None:
        self._visit = visit
        self._words = visit.words
        self._desk = desk
        self._running: str | None = None
        self._fields: dict[str, ui.input] = {}
        self._given: dict[str, str] = {}
        self._saved: dict[str, SavedQuery] = {}

    async def show(self, flow_id: str, timezone: str, days: int) -> None:
        """Draw it into the current element. The values of parameters that are known are filled in."""
        words = self._words
        identity = _whose(self._visit)
        if identity.role not in ROLES:
            empty("lock", words("sql.role"), words("sql.role.do"))
            return
        self._organization_id = identity.organization_id
        self._given = suggestions(flow_id, timezone, days, datetime.now(UTC).date())
        dark = bool(await ui.run_javascript("document.body.classList.contains('body--dark')", timeout=5))
        with html.section().classes("panel gauge sql-desk"):
            self._choice = ui.select({"": words("sql.own")}, value="", label=words("sql.saved"), on_change=self._choose)
            self._choice.props("outlined dense options-dense").classes("build-flow")
            self._editor = ui.codemirror(
                FIRST_QUERY,
                language="SQL",
                theme="vscodeDark" if dark else "githubLight",
                line_wrapping=True,
                keymap={"Mod-Enter": lambda _: self._run()},
                on_change=lambda _: self._show_parameters(),
            ).classes("flow-editor sql-editor")
            self._editor.client.run_javascript(
                "import('/_console/flow-editor.js').then(ours => "
                f"ours.attach(getElement({self._editor.id}), {json.dumps(words('sql.editor'))}, false))"
            )
            html.p(words("sql.keys")).classes("quiet")
            html.h3(words("sql.parameters"))
            self._parameters = html.div().classes("sql-parameters")
            with html.div().classes("buttons start"):
                self._run_button = ui.button(words("sql.run"), icon="play_arrow", on_click=self._run)
                self._run_button.props("unelevated no-caps")
                self._stop_button = ui.button(words("sql.cancel"), icon="stop", on_click=self._stop)
                self._stop_button.props("outline no-caps").set_visibility(False)
                self._progress = ui.spinner(size="22px")
                self._progress.set_visibility(False)
                self._state = TextElement(tag="span", text="").classes("quiet").props('role="status"')
        self._result = html.section().classes("panel gauge").props(f'aria-label="{words("sql.result")}"')
        with self._result:
            html.p(words("sql.hint")).classes("quiet")
        self._show_parameters()
        await self._find_saved()

    async def _find_saved(self) -> None:
        saved = list(report_queries())
        try:
            saved += await self._ask(self._desk.named_queries)
        except AwsError as error:
            ui.notify(str(error), type="warning", multi_line=True)
        self._saved = {query.name: query for query in saved}
        self._choice.options = {"": self._words("sql.own"), **{name: name for name in self._saved}}
        self._choice.update()

    def _choose(self, event: Any) -> None:
        query = self._saved.get(str(event.value))
        self._editor.value = query.sql if query is not None else FIRST_QUERY
        self._show_parameters()

    def _show_parameters(self) -> None:
        """A field for each parameter; what was written into one stays while it is there."""
        words = self._words
        wanted = parameters(self._editor.value or "")
        if wanted == list(self._fields) and wanted:
            return
        self._given.update({name: str(field.value or "") for name, field in self._fields.items()})
        self._fields = {}
        self._parameters.clear()
        with self._parameters:
            html.p(words("sql.parameter.from_token", name=f":{ORGANIZATION} = {self._organization_id}")).classes(
                "quiet"
            )
            for name in wanted:
                field = ui.input(f":{name}", value=self._given.get(name, "")).props("outlined dense")
                field.props(f'hint="{words("sql.parameter.kind")}"')
                self._fields[name] = field

    async def _run(self) -> None:
        words = self._words
        if self._running is not None:
            return
        sql = self._editor.value or ""
        try:
            check(sql)
            for name, field in self._fields.items():
                if not str(field.value or "").strip():
                    field.run_method("focus")
                    raise StatementError("sql.parameter.missing", name)
            values = {name: value_of(str(field.value)) for name, field in self._fields.items()}
            started = await self._ask(self._desk.start, sql, {**values, ORGANIZATION: self._organization_id})
        except StatementError as error:
            ui.notify(
                words(error.key, name=error.name) if error.name else words(error.key), type="warning", multi_line=True
            )
            return
        except AwsError as error:
            self._show_refused(str(error))
            return
        self._running = started
        self._busy(True)
        try:
            execution = await self._until_it_ends(started)
            await self._show_ended(execution)
        except AwsError as error:
            self._show_refused(str(error))
        finally:
            self._running = None
            self._busy(False)

    async def _until_it_ends(self, execution_id: str) -> Execution:
        words = self._words
        tries = 0
        while True:
            execution = await self._ask(self._desk.look, execution_id)
            if execution.ended:
                return execution
            self._state.text = words(f"sql.state.{execution.state}")
            await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
            tries += 1

    async def _show_ended(self, execution: Execution) -> None:
        words = self._words
        self._state.text = words(
            "sql.statistics",
            state=words(f"sql.state.{execution.state}"),
            seconds=lasting(execution.milliseconds / 1000),
            scanned=bytes_read(execution.scanned),
        )
        if execution.state != "SUCCEEDED":
            self._show_refused(execution.reason or words(f"sql.state.{execution.state}"), execution.state)
            return
        table = await self._ask(self._desk.result, execution.id)
        self._result.clear()
        with self._result:
            if not table.rows:
                empty("search_off", words("sql.no_rows"), words("sql.no_rows.do"))
                return
            many = len(table.rows) > SHOWN_ROWS
            count = (
                words("sql.rows.first", count=SHOWN_ROWS, most=MOST_ROWS)
                if many
                else words("sql.rows", count=len(table.rows))
            )
            with html.div().classes("gauge-head"):
                html.h2(words("sql.result"))
                html.span(count).classes("quiet")
                csv_button(words, table, words("sql.result"))
            show_table(table, words("sql.result"), SHOWN_ROWS)

    def _show_refused(self, reason: str, state: str = "FAILED") -> None:
        self._result.clear()
        with self._result, html.div().props('role="alert"'):
            html.h2(self._words("sql.failed") if state == "FAILED" else self._words(f"sql.state.{state}"))
            html.pre(reason).classes("json refused")

    async def _stop(self) -> None:
        if self._running is not None:
            try:
                await self._ask(self._desk.stop, self._running)
            except AwsError as error:
                ui.notify(str(error), type="negative", multi_line=True)

    def _busy(self, busy: bool) -> None:
        self._stop_button.set_visibility(busy)
        self._progress.set_visibility(busy)
        self._run_button.set_enabled(not busy)

    @staticmethod
    async def _ask(work: Callable[..., Found], *given: Any) -> Found:
        """Do what blocks beside the page. Raises `AwsError` with what AWS says."""
        try:
            return await asyncio.to_thread(work, *given)
        except Exception as error:
            if not is_of_aws(error):
                raise
            raise AwsError(str(error)) from error


class AwsError(Exception):
    """AWS refused, or could not be reached: the message is its own."""


def is_of_aws(error: Exception) -> bool:
    """Whether an error is one of AWS's client: credentials, network, permissions, a refused call."""
    return type(error).__module__.startswith("botocore") or isinstance(error, AwsError)


def _whose(visit: Visit) -> Identity:
    """The organization and role of the token that the console asks with."""
    chosen = visit.session.identity
    if visit.connection.tokens.chooses_identity:
        return chosen
    try:
        claims = claims_of(visit.connection.tokens.token(chosen))
    except NoTokenError:
        claims = {}
    return Identity(str(claims.get("organization_id", "")), str(claims.get("role", "")))
