"""The numbers: which flow answers at each, whether it sends, and why not."""

from functools import partial
from typing import Any

from nicegui import html, ui

from local.console.api import ApiProblem
from local.console.frame import empty, loading, notify_problem, show_problem
from local.console.reasons import in_words
from local.console.visit import Visit


class Numbers:
    """Draws the organization's numbers into the element that is current when it is made."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._drawn: object = None
        with html.div().classes("cards").props('aria-live="polite"') as self._place:
            loading(visit)

    async def refresh(self) -> None:
        """Refresh the numbers. Only changes are drawn."""
        words = self._visit.words
        try:
            numbers: list[dict[str, Any]] = await self._visit.api.get("numbers")
        except ApiProblem as problem:
            if self._drawn != problem.detail:
                self._drawn = problem.detail
                self._place.clear()
                with self._place:
                    show_problem(self._visit, problem)
            return
        if numbers == self._drawn:
            return
        self._drawn = numbers
        self._place.clear()
        with self._place:
            if not numbers:
                empty("sim_card", words("try.no_numbers"), words("try.no_numbers.do"))
            for number in numbers:
                self._show(number)

    def _show(self, number: dict[str, Any]) -> None:
        words, reason = self._visit.words, number["stopped_reason"]
        with html.section().classes("panel card").props(f'aria-label="{number["display_phone_number"]}"'):
            with html.div().classes("card-top"):
                html.h2(number["display_phone_number"])
                look, text = ("out", "numbers.stopped") if reason else ("waiting", "numbers.sending")
                if number["resuming"] and not reason:
                    look, text = "human", "numbers.resuming"
                html.span(words(text)).classes(f"status status-{look}")
            html.p(f"ID {number['phone_number_id']}").classes("quiet")
            with html.dl().classes("facts"):
                html.dt(words("numbers.flow"))
                html.dd(number["default_flow_id"] or words("numbers.no_flow"))
                if number["keywords"]:
                    html.dt(words("numbers.keywords"))
                    html.dd(", ".join(f"{word} → {flow}" for word, flow in number["keywords"].items()))
            if reason:
                with html.div().classes("bubble-problem").props('role="note"'):
                    ui.icon("error").props('aria-hidden="true"')
                    html.span(in_words(reason, words))
                html.p(words("numbers.stopped.do")).classes("quiet")
                button = ui.button(words("numbers.resume"), icon="play_arrow")
                button.on_click(partial(self._resume, number["phone_number_id"], button)).props("unelevated no-caps")

    async def _resume(self, phone_number_id: str, button: ui.button) -> None:
        """Let it go on; what was parked may take several requests."""
        button.props("loading")
        count, after = 0, ""
        try:
            while True:
                answer = await self._visit.api.post(f"numbers/{phone_number_id}/resume", after=after or None)
                count += answer["conversations"]
                if not answer["after"]:
                    break
                after = answer["after"]
            ui.notify(self._visit.words("numbers.resumed", count=count), type="positive")
        except ApiProblem as problem:
            notify_problem(self._visit, problem)
        finally:
            button.props(remove="loading")
        await self.refresh()
