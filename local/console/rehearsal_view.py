"""The test phone of Build: the draft on a phone, and beside it what the engine made of it."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from secrets import randbits
from typing import Any

from nicegui import html, ui
from nicegui.elements.mixins.text_element import TextElement

from local.console.frame import empty
from local.console.phone_view import Person, Phone
from local.console.rehearsal import PHONE, NotNowError, Played, Rehearsal, UnansweredError, name_of
from local.console.words import Words
from pytake.engine import Effect, EffectResult, FlowError, HttpRequest

Json = Mapping[str, Any]
Documents = Callable[[], tuple[dict[str, Json], str, str] | None]
"""Gives the documents to run, the id and the name of the draft; None while its text is not JSON."""


class RehearsalView:
    """Plays the draft as it stands in the editor. `on_turn` hears where the conversation is after each turn."""

    def __init__(self, words: Words, documents: Documents, on_turn: Callable[[Rehearsal], object]) -> None:
        self._words = words
        self._documents = documents
        self._on_turn = on_turn
        self._rehearsal: Rehearsal | None = None
        self._phone: Phone | None = None
        self._played_text: object = None
        self._asked: Effect | None = None
        self._again: dict[str, Any] | None = None
        self._answers: dict[str, EffectResult] = {}
        with html.section().classes("rehearsal").props(f'aria-label="{words("build.test")}"'):
            self._place = html.div().classes("rehearsal-phone")
            with html.div().classes("rehearsal-side"):
                html.p(words("build.test.note")).classes("quiet")
                with html.div().classes("buttons"):
                    ui.button(words("build.test.restart"), icon="restart_alt", on_click=self.begin).props(
                        "unelevated no-caps"
                    )
                    self._wait = ui.button("", icon="fast_forward", on_click=self._skip).props("outline no-caps")
                self._changed = html.p(words("build.test.changed")).classes("notice").props('role="status"')
                self._facts = html.div().classes("rehearsal-facts").props('aria-live="polite"')
        self._question()
        self._changed.set_visibility(False)
        self._wait.set_visibility(False)

    @property
    def rehearsal(self) -> Rehearsal | None:
        """The conversation under way."""
        return self._rehearsal

    def begin(self) -> None:
        """Start again with the current text. Answers of APIs are kept."""
        self._rehearsal = self._phone = None
        self._place.clear()
        self._facts.clear()
        self._changed.set_visibility(False)
        self._wait.set_visibility(False)
        given = self._documents()
        try:
            if given is None:
                raise FlowError([])
            documents, flow_id, name = given
            self._rehearsal = Rehearsal.of(documents, flow_id, now=time.time(), seed=randbits(32))
        except (FlowError, IndexError):
            with self._place:
                empty("phonelink_erase", self._words("build.test.cannot"), self._words("build.test.cannot.do"))
            return
        self._rehearsal.answers = self._answers
        self._played_text = documents
        business = self._words("build.test.business", name=name)
        with self._place:
            self._phone = Phone(self._words, Person(PHONE, "Ana"), business, self._act)
        self._phone.show([])
        self._on_turn(self._rehearsal)

    def text_changed(self) -> None:
        """Tell that the text is another than the one that is played."""
        given = self._documents()
        self._changed.set_visibility(
            self._rehearsal is not None and given is not None and given[0] != self._played_text
        )

    async def _act(self, action: dict[str, Any]) -> None:
        self._take(lambda rehearsal: rehearsal.act(action), action)

    def _skip(self) -> None:
        self._take(lambda rehearsal: rehearsal.wait(), None)

    def _take(self, play: Callable[[Rehearsal], Played], action: dict[str, Any] | None) -> None:
        if self._rehearsal is None or self._phone is None:
            return
        try:
            played = play(self._rehearsal)
        except UnansweredError as error:
            self._ask(error.effect, action)
            return
        except NotNowError as error:
            ui.notify(str(error), type="warning")
            return
        self._phone.show(self._rehearsal.bubbles)
        self._show_facts(played)
        self._on_turn(self._rehearsal)

    def _show_facts(self, played: Played) -> None:
        words = self._words
        due = played.due_at
        self._wait.set_visibility(due is not None)
        if due is not None:
            when = datetime.fromtimestamp(due).astimezone().strftime("%d/%m %H:%M")
            self._wait.text = words("build.test.wait", when=when)
        self._facts.clear()
        with self._facts:
            state = words(f"build.test.status.{played.status}")
            html.p(f"{played.node_id or ''} · {state}".removeprefix(" · ")).classes("rehearsal-state")
            html.h3(words("build.test.variables"))
            if not played.variables:
                html.p(words("build.test.nothing")).classes("quiet")
            with html.dl().classes("pairs"):
                for name, value in played.variables.items():
                    html.dt(name)
                    html.dd(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            html.h3(words("build.test.events"))
            if not played.events:
                html.p(words("build.test.nothing")).classes("quiet")
            with html.ul().classes("plain-list"):
                for event in played.events:
                    with html.li():
                        html.b(event.type)
                        if event.data:
                            html.code(json.dumps(event.data, ensure_ascii=False))

    def _question(self) -> None:
        """The dialog that stands in for an API or a model."""
        words = self._words
        with ui.dialog().props("persistent") as self._dialog, ui.card().classes("sheet wide"):
            self._asked_name = TextElement(tag="h2", text="")
            html.p(words("build.test.asks.text")).classes("quiet")
            with ui.expansion(words("build.test.asks.sent")).classes("full").props("dense"):
                self._asked_request = TextElement(tag="pre", text="").classes("json")
            self._status = ui.number(words("build.test.asks.status"), value=200, min=100, max=599, format="%d")
            self._status.props("outlined dense")
            self._body = ui.textarea(words("build.test.asks.body"), value="{}").props("outlined autogrow")
            self._body.classes("full mono")
            with html.div().classes("buttons"):
                ui.button(words("frame.cancel"), on_click=self._dialog.close).props("flat no-caps")
                ui.button(words("build.test.asks.fail"), on_click=self._fail).props("outline no-caps")
                ui.button(words("build.test.asks.answer"), on_click=self._reply).props("unelevated no-caps")

    def _ask(self, effect: Effect, action: dict[str, Any] | None) -> None:
        self._asked, self._again = effect, action
        title = self._words("build.test.asks", name=name_of(effect))
        self._asked_name.text = title
        self._dialog.props["aria-label"] = title
        is_http = isinstance(effect, HttpRequest)
        self._status.set_visibility(is_http)
        self._body.value = "{}" if is_http else ""
        names = ("headers", "query_params", "body", "system", "prompt", "to", "parameters", "subject", "text")
        asked = {name: getattr(effect, name) for name in names if hasattr(effect, name)}
        self._asked_request.text = json.dumps(asked, ensure_ascii=False, indent=2)
        self._dialog.open()

    def _reply(self) -> None:
        text = str(self._body.value or "")
        body: Any = text
        if isinstance(self._asked, HttpRequest):
            try:
                body = json.loads(text)
            except ValueError:
                body = text
        status = int(self._status.value or 200) if isinstance(self._asked, HttpRequest) else None
        ok = status is None or 200 <= status < 300
        self._go_on(EffectResult(ok=ok, status=status, body=body, error=None if ok else f"http_{status}"))

    def _fail(self) -> None:
        self._go_on(EffectResult(ok=False, error="connection_failed"))

    def _go_on(self, result: EffectResult) -> None:
        self._dialog.close()
        if self._asked is None or self._rehearsal is None:
            return
        self._rehearsal.answer(self._asked, result)
        action = self._again
        self._take(lambda rehearsal: rehearsal.act(action) if action is not None else rehearsal.wait(), action)
