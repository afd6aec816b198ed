"""Watch: the conversations as they go on, the queues with what was given up on, and the numbers."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from nicegui import html, ui

from local.console.api import ApiProblem
from local.console.backlog import Backlog
from local.console.desk import Desk
from local.console.flow_book import FlowBook
from local.console.frame import empty, loading, notify_problem, show_problem
from local.console.inbox import SHORTEST_PHONE, Line, digits_of, line, matching, merged, since
from local.console.numbers import Numbers
from local.console.visit import Visit

logger = logging.getLogger(__name__)

_PAGE = 50
_PARTS = (("conversations", "forum"), ("queues", "move_to_inbox"), ("numbers", "sim_card"))
_STATUSES = ("waiting", "human", "idle")


async def show(visit: Visit) -> None:
    """Build the page."""
    words = visit.words
    query = ui.context.client.request.query_params
    with html.div().classes("watch view-list") as root:
        with html.div().classes("parts").props('role="tablist"') as switch:
            pass
        conversations = Conversations(visit, root)
        with html.div().classes("part part-queues"):
            backlog = Backlog(visit)
        with html.div().classes("part part-numbers"):
            numbers = Numbers(visit)
    refreshes: dict[str, Callable[[], Awaitable[None]]] = {
        "conversations": conversations.refresh,
        "queues": backlog.refresh,
        "numbers": numbers.refresh,
    }
    chosen = query.get("part", "conversations")
    chosen = chosen if chosen in refreshes else "conversations"
    buttons: dict[str, html.button] = {}

    async def choose(part: str) -> None:
        nonlocal chosen
        chosen = part
        root.classes(add=f"on-{part}", remove=" ".join(f"on-{other}" for other in refreshes if other != part))
        for key, button in buttons.items():
            button.props(f'aria-selected="{str(key == part).lower()}"')
        await refreshes[part]()

    async def keep_up() -> None:
        await refreshes[chosen]()

    with switch:
        for part, icon in _PARTS:
            with html.button().classes("view-button").props('type="button" role="tab"') as buttons[part]:
                ui.icon(icon).props('aria-hidden="true"')
                html.span(words(f"watch.{part}"))
            buttons[part].on("click", partial(choose, part))
    await choose(chosen)
    if query.get("phone"):
        await conversations.find(str(query["phone"]))
    ui.timer(visit.connection.refresh_seconds, keep_up, immediate=False)


class Conversations:
    """The list of conversations, and the one that is open beside it."""

    def __init__(self, visit: Visit, root: html.div) -> None:
        self._visit = visit
        self._root = root
        self._lines: list[Line] = []
        self._cursor: str | None = None
        self._drawn: object = None
        self._rows: dict[tuple[str, str], tuple[html.li, html.button, object]] = {}
        words = visit.words
        with html.div().classes("part part-conversations"):
            with html.section().classes("panel inbox").props(f'aria-label="{words("watch.conversations")}"'):
                with html.div().classes("inbox-tools"):
                    self._search = ui.input(placeholder=words("watch.search"), on_change=self._draw)
                    self._search.props(f'outlined dense clearable debounce="200" aria-label="{words("watch.search")}"')
                    self._search.on("keydown.enter", lambda: self.find(str(self._search.value or "")))
                    with self._search.add_slot("prepend"):
                        ui.icon("search").props('aria-hidden="true"')
                    options = {"": words("watch.all"), **{status: words(f"status.{status}") for status in _STATUSES}}
                    self._status = ui.select(options, value="", on_change=self._draw)
                    self._status.props(f'outlined dense options-dense aria-label="{words("watch.status")}"')
                self._list = html.ul().classes("inbox-list")
                with self._instead():
                    loading(visit)
                self._more = ui.button(words("watch.more"), on_click=self._next_page, color=None).props("flat no-caps")
                self._more.set_visibility(False)
            with html.div().classes("desk-place"):
                self._desk = Desk(visit, FlowBook(visit.api), self._back)
                with html.div() as self._nothing:
                    empty("forum", words("watch.choose"), words("watch.choose.do"))

    async def refresh(self) -> None:
        """See what is new at the top of the list, and in the open conversation."""
        try:
            page = await self._page(None)
        except ApiProblem as problem:
            if self._drawn != problem.detail:
                self._drawn = problem.detail
                with self._instead():
                    show_problem(self._visit, problem)
            return
        fresh = [line(one) for one in page["conversations"]]
        if not self._lines:
            self._cursor = page["next_cursor"]
        if self._cursor is None:  # this is all of them: who was erased is gone
            self._lines = merged([], fresh)
        else:
            self._lines = merged(self._lines, fresh)
        self._draw()
        await self._desk.refresh()

    async def find(self, search: str) -> None:
        """Ask the API for a person by phone, who need not be in the list; open them."""
        digits = digits_of(search)
        known = matching(self._lines, search)
        if len(known) == 1:
            await self._open(known[0])
            return
        if len(digits) < SHORTEST_PHONE:
            return
        try:
            found = line(await self._visit.api.get(f"conversations/{digits}"))
        except ApiProblem as problem:
            if problem.kind == "unknown":
                ui.notify(self._visit.words("watch.unknown_phone", phone=digits), type="warning")
            else:
                notify_problem(self._visit, problem)
            return
        self._lines = merged(self._lines, [found])
        self._draw()
        await self._open(found)

    async def _page(self, cursor: str | None) -> dict[str, Any]:
        page: dict[str, Any] = await self._visit.api.get("conversations", limit=_PAGE, cursor=cursor)
        return page

    async def _next_page(self) -> None:
        self._more.props("loading")
        try:
            page = await self._page(self._cursor)
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
            return
        finally:
            self._more.props(remove="loading")
        self._cursor = page["next_cursor"]
        self._lines = merged(self._lines, [line(one) for one in page["conversations"]])
        self._draw()

    def _draw(self) -> None:
        words, now = self._visit.words, datetime.now(UTC)
        shown = matching(self._lines, str(self._search.value or ""), self._status.value or None)
        told = [(one, since(one.active_at, now, words), one.key == self._desk.key) for one in shown]
        if told == self._drawn:
            return
        self._drawn = told
        self._more.set_visibility(self._cursor is not None)
        if not self._rows:
            self._list.clear()
        if not shown:
            there_are = "watch.no_match" if self._lines else "watch.none"
            with self._instead():
                empty("search_off" if self._lines else "forum", words(there_are), words(f"{there_are}.do"))
        for key in self._rows.keys() - {one.key for one in shown}:
            self._rows.pop(key)[0].delete()
        for place, (one, ago, is_open) in enumerate(told):
            self._draw_line(place, one, ago, is_open)

    def _instead(self) -> html.li:
        """The one entry of the list when it shows no conversations: what there is to say about that."""
        self._rows.clear()
        self._list.clear()
        with self._list:
            return html.li()

    def _draw_line(self, place: int, one: Line, ago: str, is_open: bool) -> None:
        """A line stays the same element while it changes and moves: no click and no focus is lost."""
        words, told = self._visit.words, (one, ago, is_open)
        if one.key not in self._rows:
            with self._list, html.li() as item, html.button().classes("inbox-line").props('type="button"') as button:
                pass
            button.on("click", partial(self._open_key, one.key))
            self._rows[one.key] = item, button, None
        item, button, drawn = self._rows[one.key]
        if self._list.default_slot.children[place] is not item:
            item.move(self._list, target_index=place)
        if told == drawn:
            return
        self._rows[one.key] = item, button, told
        button.clear()
        with button:
            html.span(one.initial).classes("face").props('aria-hidden="true"')
            with html.span().classes("inbox-words"):
                with html.span().classes("inbox-top"):
                    html.span(one.title).classes("inbox-name")
                    html.span(ago).classes("quiet")
                with html.span().classes("inbox-bottom"):
                    html.span(one.phone).classes("quiet")
                    html.span(words(f"status.{one.status}")).classes(f"dot dot-{one.status}")
        button.props(**({"add": 'aria-current="true"'} if is_open else {"remove": "aria-current"}))

    async def _open_key(self, key: tuple[str, str]) -> None:
        chosen = next((one for one in self._lines if one.key == key), None)
        if chosen is not None:
            await self._open(chosen)

    async def _open(self, chosen: Line) -> None:
        self._nothing.set_visibility(False)
        self._root.classes(add="view-chat", remove="view-list")
        ui.navigate.history.replace(f"/watch?phone={chosen.contact_id}")
        await self._desk.open(chosen)
        self._draw()

    def _back(self) -> None:
        self._root.classes(add="view-list", remove="view-chat")
