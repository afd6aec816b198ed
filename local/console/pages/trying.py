"""Try: phones side by side to chat with, and beside them what the platform made of it."""

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nicegui import html, ui

from local.console.api import ApiProblem
from local.console.bubbles import first_unsettled, phone_bubble
from local.console.frame import empty, notify_problem, tool
from local.console.inspector import Inspector
from local.console.phone_view import Person, Phone
from local.console.phones import PhoneProblem, SimulatedPhones
from local.console.visit import Visit

logger = logging.getLogger(__name__)

PEOPLE = (
    Person("5511999990001", "Ana"),
    Person("5521988880002", "Bruno"),
    Person("5531977770003", "Carla"),
    Person("5541966660004", "Diego"),
)
_LOOK_SECONDS = 0.5
_REFRESH_SECONDS = 4.0
_PATIENCE_SECONDS = 0.7
_MOST_PHONES = 4
_VIEWS = (("phones", "smartphone"), ("flow", "account_tree"), ("details", "data_object"))


async def show(visit: Visit) -> None:
    """Build the page."""
    words = visit.words
    if not visit.connection.has_phones:
        empty("smartphone", words("try.no_phones"), words("try.no_phones.do"))
        return
    asked = asyncio.ensure_future(visit.api.get("numbers"))
    await asyncio.wait({asked}, timeout=_PATIENCE_SECONDS)
    if not asked.done():  # a function that starts first takes seconds; the phone need not wait for it
        numbers = await SimulatedPhones(visit.connection.client).numbers()
        if numbers:
            table = Table(visit, numbers[0])
            table.run()
            table.know(await asked)
            return
    numbers = await asked
    if not numbers:
        no_numbers(visit)
        return
    Table(visit, numbers[0]).run()


def no_numbers(visit: Visit) -> None:
    """Say that there is no number to write to, and how one is connected."""
    empty("sim_card", visit.words("try.no_numbers"), visit.words("try.no_numbers.do"))


@dataclass
class Seat:
    """One phone on the table, and how far it is shown."""

    person: Person
    view: Phone
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def settled(self) -> int:
        """Up to here nothing changes any more."""
        return first_unsettled(self.entries.values())


class Table:
    """The phones that lie side by side, one of them looked at more closely."""

    def __init__(self, visit: Visit, number: dict[str, Any]) -> None:
        self._visit = visit
        self._number = number
        self._phones = SimulatedPhones(visit.connection.client)
        self._seats: list[Seat] = []
        self._selected: Seat | None = None
        self._refresh = asyncio.Event()
        words = visit.words
        with html.div().classes("try view-phones") as self._root:
            self._views()
            with html.div().classes("phones"):
                self._row = html.div().classes("phones-row")
            self._inspector = Inspector(visit, self._phones, lambda: self._number.get("default_flow_id"))
        with ui.dialog().props("no-refocus") as self._other, ui.card().classes("sheet"):
            html.h2(words("try.other"))
            self._other_phone = ui.input(words("try.phone"), placeholder="5511987654321").props("outlined")
            self._other_phone.props('inputmode="tel"').on("keydown.enter", self._add_other)
            with html.div().classes("buttons"):
                ui.button(words("frame.cancel"), on_click=self._other.close).props("flat no-caps")
                ui.button(words("try.add"), on_click=self._add_other).props("unelevated no-caps")

    def run(self) -> None:
        """Put the phones of this browser on the table and keep everything up to date."""
        for phone in (self._visit.session.phones or [PEOPLE[0].phone])[:_MOST_PHONES]:
            self._lay(phone)
        self._select(self._seats[0])
        ui.timer(_LOOK_SECONDS, self._look)
        ui.timer(_REFRESH_SECONDS, self._refresh.set)
        ui.timer(0.05, self._bring_up_to_date)

    def know(self, numbers: list[dict[str, Any]]) -> None:
        """Take the organization's own numbers in place of those that the simulator named meanwhile."""
        if not numbers:
            self._root.clear()
            with self._root:
                no_numbers(self._visit)
            self._seats, self._selected = [], None
            return
        self._number = numbers[0]
        self._refresh.set()

    def _views(self) -> None:
        """On a narrow screen one part is shown at a time."""
        words = self._visit.words
        with html.div().classes("views").props(f'role="group" aria-label="{words("try.views")}"'):
            buttons: dict[str, html.button] = {}

            def choose(chosen: str) -> None:
                self._root.classes(
                    add=f"view-{chosen}", remove=" ".join(f"view-{key}" for key, _ in _VIEWS if key != chosen)
                )
                for key, button in buttons.items():
                    button.props(f'aria-pressed="{str(key == chosen).lower()}"')
                if chosen == "flow":
                    self._inspector.reveal()

            for key, icon in _VIEWS:
                with html.button().classes("view-button").props('type="button"') as buttons[key]:
                    ui.icon(icon).props('aria-hidden="true"')
                    html.span(words(f"try.view.{key}"))
                buttons[key].on("click", partial(choose, key))
            choose("phones")

    def _lay(self, phone: str) -> Seat:
        """Put a phone on the table."""
        words = self._visit.words
        person = next((one for one in PEOPLE if one.phone == phone), Person(phone, f"+{phone}"))
        with self._row:
            view = Phone(words, person, str(self._number["display_phone_number"]), partial(self._act, phone))
        seat = Seat(person, view)
        view.root.on("focusin", partial(self._select, seat))
        view.root.on("click", partial(self._select, seat))
        with view.tools:
            tool("restart_alt", words("try.restart", name=person.name), partial(self._restart, seat))
            with tool("person_add", words("try.add_phone")), ui.menu().props("no-refocus") as menu:
                menu.on("before-show", partial(self._fill_people, menu))
            tool("close", words("try.put_away", name=person.name), partial(self._put_away, seat)).classes("put-away")
        self._seats.append(seat)
        self._arrange()
        return seat

    def _fill_people(self, menu: ui.menu) -> None:
        menu.clear()
        with menu:
            lying = {seat.person.phone for seat in self._seats}
            for person in PEOPLE:
                if person.phone not in lying:
                    ui.menu_item(f"{person.name} · +{person.phone}", partial(self._add, person.phone))
            ui.menu_item(self._visit.words("try.other"), self._other.open)

    def _arrange(self) -> None:
        count = len(self._seats)
        self._root.classes(add="many" if count > 1 else "one", remove="one" if count > 1 else "many")
        self._visit.session.phones = [seat.person.phone for seat in self._seats]

    def _add(self, phone: str) -> None:
        if len(self._seats) >= _MOST_PHONES:
            ui.notify(self._visit.words("try.too_many", most=_MOST_PHONES), type="warning")
            return
        seat = self._lay(phone)
        self._select(seat)
        seat.view.focus()

    def _add_other(self) -> None:
        phone = "".join(character for character in str(self._other_phone.value or "") if character.isdigit())
        if not 8 <= len(phone) <= 15:
            ui.notify(self._visit.words("try.bad_phone"), type="warning")
            return
        self._other.close()
        self._other_phone.value = ""
        lying = next((seat for seat in self._seats if seat.person.phone == phone), None)
        if lying is not None:
            self._select(lying)
        else:
            self._add(phone)

    def _put_away(self, seat: Seat) -> None:
        if len(self._seats) > 1 and seat in self._seats:
            self._seats.remove(seat)
            seat.view.root.delete()
            self._arrange()
            self._select(self._seats[0])

    def _select(self, seat: Seat) -> None:
        if seat is self._selected or seat not in self._seats:
            return
        for one in self._seats:
            one.view.root.classes(add="selected" if one is seat else "", remove="" if one is seat else "selected")
        self._selected = seat
        self._refresh.set()

    async def _act(self, phone: str, action: dict[str, Any]) -> None:
        person = next((seat.person for seat in self._seats if seat.person.phone == phone), Person(phone, f"+{phone}"))
        named = {} if person.name.startswith("+") else {"name": person.name}
        try:
            await self._phones.act(phone, {**action, **named, "phone_number_id": self._number["phone_number_id"]})
        except PhoneProblem as problem:
            ui.notify(str(problem), type="negative")
        await self._look()

    async def _restart(self, seat: Seat) -> None:
        """Forget the person on both sides: the next message is the first."""
        seat.view.wait(True)
        try:
            await self._visit.api.request("DELETE", f"contacts/{seat.person.phone}")
            await self._phones.forget(seat.person.phone)
            seat.entries.clear()
            seat.view.clear()
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
        finally:
            seat.view.wait(False)
            seat.view.focus()
            self._refresh.set()

    async def _look(self) -> None:
        """Show new messages on the phones and mark those of visible phones as read."""
        for seat in list(self._seats):
            try:
                screen = await self._phones.screen(seat.person.phone, seat.settled)
                news = [entry for entry in screen.entries if seat.entries.get(entry["id"]) != entry]
                if any(entry["direction"] == "out" and entry["status"] == "delivered" for entry in screen.entries):
                    await self._phones.read(seat.person.phone)
            except PhoneProblem:
                logger.warning("A phone could not be looked at", exc_info=True)
                return
            seat.entries.update({entry["id"]: entry for entry in news})
            seat.view.show([phone_bubble(entry) for entry in news], typing=screen.typing)
            if news and seat is self._selected:
                self._refresh.set()

    async def _bring_up_to_date(self) -> None:
        if self._selected is None or not self._refresh.is_set():
            return
        self._refresh.clear()
        try:
            await self._inspector.refresh(self._selected.person.phone)
        except (ApiProblem, PhoneProblem):
            logger.warning("The conversation could not be looked at", exc_info=True)
