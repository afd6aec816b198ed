"""One conversation at an agent's desk: what was said with its delivery, who has it, and what an agent may do."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from nicegui import html, ui

from local.console.api import ApiProblem
from local.console.bubbles import Bubble, transcript_bubble
from local.console.flow_book import FlowBook
from local.console.frame import notify_problem, show_problem
from local.console.inbox import Line, day_of, line
from local.console.inspector import table
from local.console.phone_view import scroll_down, show_bubble
from local.console.sheet import sheet
from local.console.turns import rows
from local.console.visit import Visit


class Desk:
    """Shows one conversation at a time; `refresh` brings it up to date."""

    def __init__(self, visit: Visit, book: FlowBook, back: Callable[[], None]) -> None:
        """`back` leads to the list, where both do not fit beside each other."""
        self._visit = visit
        self._book = book
        self._line: Line | None = None
        self._state: object = None
        self._bubbles: dict[str, tuple[html.div, Bubble]] = {}
        self._day = ""
        words = visit.words
        with html.section().classes("panel desk").props(f'aria-label="{words("watch.conversation")}"') as self.root:
            with html.header().classes("desk-head"):
                button = ui.button(icon="arrow_back", on_click=back, color=None).classes("desk-back")
                button.props(f'flat round dense aria-label="{words("watch.back")}"')
                self._head = html.div().classes("desk-who")
                with html.div().classes("desk-tools"):
                    self._resume = ui.button(
                        words("watch.resume"), icon="smart_toy", on_click=partial(self._act, "resume")
                    )
                    self._resume.props("unelevated no-caps dense")
                    self._close = ui.button(
                        words("watch.close"), icon="done", on_click=partial(self._ask, "close"), color=None
                    )
                    self._close.props("outline no-caps dense")
            self._notice = html.div().classes("desk-notice")
            with html.div().classes("desk-body"):
                log = f'role="log" aria-live="polite" tabindex="0" aria-label="{words("watch.transcript")}"'
                self._chat = html.div().classes("chat").props(log)
                self._facts = html.aside().classes("desk-facts").props(f'aria-label="{words("watch.facts")}"')
            with html.div().classes("compose"):
                self._field = ui.textarea(placeholder=words("watch.write")).props('borderless dense autogrow rows="1"')
                self._field.props(f'maxlength="4096" aria-label="{words("watch.write")}"').classes("compose-field")
                self._field.on("keydown.enter.exact.prevent", self._send)
                self._button = ui.button(icon="send", on_click=self._send, color=None).classes("compose-send")
                self._button.props(f'flat round dense aria-label="{words("chat.send")}"')
        self.root.set_visibility(False)

    @property
    def key(self) -> tuple[str, str] | None:
        """Which conversation is shown."""
        return self._line.key if self._line else None

    async def open(self, chosen: Line) -> None:
        """Show another conversation."""
        self._line, self._state, self._day = chosen, None, ""
        self._bubbles.clear()
        self._chat.clear()
        self._facts.clear()
        self._field.value = ""
        self.root.set_visibility(True)
        await self.refresh()

    async def refresh(self) -> None:
        """Bring the conversation up to date."""
        shown = self._line
        if shown is None:
            return
        query = {"phone_number_id": shown.phone_number_id}
        try:
            state = await self._visit.api.get(f"conversations/{shown.contact_id}", **query)
            path = f"whatsapp-analytics/conversations/{shown.contact_id}/transcript"
            transcript = await self._visit.api.get(path, **query)
            if state["flow_id"]:
                await self._book.graph(state["flow_id"], state["flow_version"])
            for flow_id in {message["flow_id"] for message in transcript["messages"]} - {None, state["flow_id"]}:
                await self._book.published(flow_id)
        except ApiProblem as problem:
            if shown is self._line and self._changed(("problem", problem.kind, problem.detail)):
                self._facts.clear()
                with self._facts:
                    show_problem(self._visit, problem)
            return
        if shown is not self._line:
            return  # another was chosen meanwhile
        if self._changed(state):
            self._show_state(state)
        self._show_messages(transcript)

    def _changed(self, state: object) -> bool:
        if state == self._state:
            return False
        self._state = state
        return True

    def _show_state(self, state: dict[str, Any]) -> None:
        words = self._visit.words
        shown = self._line = line(state)
        self._head.clear()
        with self._head:
            html.span(shown.initial).classes("face").props('aria-hidden="true"')
            with html.div().classes("desk-names"):
                html.h2(shown.title)
                html.span(shown.phone).classes("quiet")
            html.span(words(f"status.{shown.status}")).classes(f"status status-{shown.status}")
            if shown.opted_out:
                html.span(words("watch.opted_out")).classes("status status-out")
        self._resume.set_visibility(shown.status == "human")
        self._close.set_visibility(shown.status != "idle")
        self._show_notice(shown)
        self._show_facts(state)

    def _show_notice(self, shown: Line) -> None:
        words = self._visit.words
        open_ = shown.window_closes_at is not None and shown.window_closes_at > datetime.now(UTC)
        if shown.opted_out:
            text, kind = words("watch.notice.opted_out"), "warn"
        elif not open_:
            text, kind = words("watch.notice.window"), "warn"
        elif shown.status == "human":
            text, kind = words("watch.notice.human"), "good"
        else:
            text, kind = words("watch.notice.bot"), ""
        may_write = open_ and not shown.opted_out
        self._field.set_enabled(may_write)
        self._button.set_enabled(may_write)
        self._notice.clear()
        self._notice.classes(add=f"notice-{kind}" if kind else "", remove="notice-warn notice-good")
        if kind:
            self._notice.classes(add=f"notice-{kind}")
        with self._notice:
            ui.icon("info").props('aria-hidden="true"')
            html.span(text)

    def _show_facts(self, state: dict[str, Any]) -> None:
        words = self._visit.words
        self._facts.clear()
        with self._facts:
            where = []
            if state.get("flow_id"):
                graph_name = self._book.name(state["flow_id"])
                where.append((words("watch.flow"), graph_name))
                where.append(
                    (words("watch.node"), self._book.node(state["sub_flow_id"] or state["flow_id"], state["node_id"]))
                )
            closes = state.get("window_closes_at")
            if closes:
                where.append((words("watch.window"), _local(closes)))
            where.append((words("watch.number"), str(state["phone_number_id"])))
            if state.get("tags"):
                where.append((words("try.tags"), ", ".join(state["tags"])))
            table(words("watch.facts"), (words("table.name"), words("table.value")), where)
            for title, values in (("try.variables", state.get("variables")), ("try.contact", state.get("fields"))):
                listed = rows(values or {})
                if listed:
                    html.h3(words(title)).classes("sub")
                    table(words(title), (words("table.name"), words("table.value")), listed)

    def _show_messages(self, transcript: dict[str, Any]) -> None:
        words = self._visit.words
        counts: dict[int, int] = {}
        more = False
        if transcript.get("truncated") and not self._bubbles:
            with self._chat:
                html.div(words("watch.truncated")).classes("chat-day")
        for message in transcript["messages"]:
            index = counts[message["turn"]] = counts.get(message["turn"], -1) + 1
            bubble = transcript_bubble(message, index, self._book.node)
            drawn = self._bubbles.get(bubble.key)
            if drawn is not None and drawn[1] == bubble:
                continue
            if drawn is None:
                with self._chat:
                    day = day_of(bubble.at, words)
                    if day != self._day:
                        self._day = day
                        html.div(day).classes("chat-day")
                    place = html.div().classes("chat-line")
                more = True
            else:
                place = drawn[0]
                place.clear()
            with place:
                show_bubble(words, bubble)
            self._bubbles[bubble.key] = (place, bubble)
        if more:
            scroll_down(self._chat)

    async def _send(self) -> None:
        text = str(self._field.value or "").strip()
        shown = self._line
        if not text or shown is None:
            return
        self._field.value = ""
        try:
            await self._visit.api.post(
                f"conversations/{shown.contact_id}/send",
                {"text": text},
                headers={"Idempotency-Key": uuid4().hex},
                phone_number_id=shown.phone_number_id,
            )
        except ApiProblem as problem:
            self._field.value = text  # nothing that was written is lost
            notify_problem(self._visit, problem)
        await self.refresh()

    async def _act(self, action: str) -> None:
        shown = self._line
        if shown is None:
            return
        try:
            await self._visit.api.post(
                f"conversations/{shown.contact_id}/{action}", phone_number_id=shown.phone_number_id
            )
            ui.notify(self._visit.words(f"watch.{action}.done"), type="positive")
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
        await self.refresh()

    async def _ask(self, action: str) -> None:
        if await confirmed(self._visit, self._visit.words(f"watch.{action}"), self._visit.words(f"watch.{action}.ask")):
            await self._act(action)


async def confirmed(visit: Visit, title: str, text: str) -> bool:
    """Ask whether something that cannot be taken back is meant."""
    with sheet(title) as dialog:
        dialog.props('role="alertdialog"')
        html.p(text).classes("sheet-more")
        with html.div().classes("buttons"):
            ui.button(visit.words("frame.cancel"), on_click=lambda: dialog.submit(False)).props("flat no-caps")
            ui.button(title, on_click=lambda: dialog.submit(True)).props("unelevated no-caps")
    return bool(await dialog)


def _local(text: str) -> str:
    return datetime.fromisoformat(text).astimezone().strftime("%d/%m %H:%M")
