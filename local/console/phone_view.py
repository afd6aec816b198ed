"""A phone on a page: the chat, what can be tapped in it, and the field to write in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nicegui import events, html, ui

from local.console.bubbles import MEDIA_ICONS, Bubble, as_html, clock_time
from local.console.reasons import in_words
from local.console.sheet import sheet
from local.console.words import Words

Act = Callable[[dict[str, Any]], Awaitable[None]]
"""Does what the person does: `{"text"}`, `{"reply_id"}`, `{"media"}`, `{"location"}` or `{"form"}`, as `/_sim` takes it."""

_TICKS = {"waiting": "schedule", "sent": "check", "delivered": "done_all", "read": "done_all", "failed": "error"}
_FILES: Mapping[str, dict[str, Any]] = {
    "image": {"type": "image", "caption": ""},
    "audio": {"type": "audio", "voice": True},
    "document": {"type": "document", "filename": "documento.pdf"},
}
_PLACE = {"latitude": -23.5614, "longitude": -46.6559, "name": "Avenida Paulista", "address": "São Paulo"}


@dataclass(frozen=True)
class Person:
    """Whose phone it is."""

    phone: str
    name: str

    @property
    def initial(self) -> str:
        """The letter in the picture."""
        return (self.name or self.phone)[:1].upper()


def show_bubble(words: Words, bubble: Bubble, act: Act | None = None) -> None:
    """Draw one message into the current element. With `act` its buttons can be tapped."""
    side = "mine" if bubble.mine else "theirs"
    with html.div().classes(f"bubble {side} by-{bubble.speaker}"):
        html.span(words(f"chat.by.{bubble.speaker}")).classes("visually-hidden")
        with html.div().classes("bubble-body"):
            if bubble.header:
                html.div(bubble.header).classes("bubble-header")
            if bubble.media is not None:
                _media(words, bubble)
            if bubble.text:
                ui.html(as_html(bubble.text), sanitize=False, tag="div").classes("bubble-text")
            if bubble.footer:
                html.div(bubble.footer).classes("bubble-footer")
            _meta(words, bubble)
        _taps(words, bubble, act)
        if bubble.problem:
            with html.div().classes("bubble-problem").props('role="note"'):
                ui.icon("error").props('aria-hidden="true"')
                html.span(in_words(bubble.problem, words))
        if bubble.note:
            html.div(bubble.note).classes("bubble-note")


def _media(words: Words, bubble: Bubble) -> None:
    assert bubble.media is not None  # noqa: S101  the caller asked
    with html.div().classes(f"bubble-media media-{bubble.media.kind}"):
        ui.icon(MEDIA_ICONS.get(bubble.media.kind, "attach_file")).props('aria-hidden="true"')
        with html.span().classes("media-words"):
            html.span(words.get(f"media.{bubble.media.kind}", bubble.media.kind)).classes("media-kind")
            if bubble.media.link.startswith(("http://", "https://")):
                html.a(bubble.media.name or bubble.media.link, href=bubble.media.link, target="_blank", rel="noopener")
            elif bubble.media.name:
                html.span(bubble.media.name).classes("media-name")


def _meta(words: Words, bubble: Bubble) -> None:
    with html.span().classes("bubble-meta"):
        html.span(clock_time(bubble.at))
        if bubble.ticks:
            ui.icon(_TICKS[bubble.ticks]).classes(f"ticks ticks-{bubble.ticks}").props(
                f'role="img" aria-label="{words(f"ticks.{bubble.ticks}")}"'
            )


def _taps(words: Words, bubble: Bubble, act: Act | None) -> None:
    for choice in bubble.buttons:
        _tap(choice.title, "reply", act, {"reply_id": choice.id})
    if bubble.rows:
        _list(words, bubble, act)
    if bubble.link is not None:
        label, address = bubble.link
        with html.a(href=address, target="_blank", rel="noopener").classes("tap"):
            ui.icon("open_in_new").props('aria-hidden="true"')
            html.span(label or address)
    if bubble.asks == "location":
        _tap(words("chat.send_location"), "place", act, {"location": _PLACE})
    if bubble.asks == "form":
        _form(words, bubble, act)


def _tap(title: str, icon: str, act: Act | None, action: dict[str, Any]) -> None:
    with html.button().classes("tap").props('type="button"') as button:
        ui.icon(icon).props('aria-hidden="true"')
        html.span(title)
    if act is None:
        button.props("disabled")
    else:
        button.on("click", lambda: act(action))


def _list(words: Words, bubble: Bubble, act: Act | None) -> None:
    with html.button().classes("tap").props('type="button" aria-haspopup="dialog"') as button:
        ui.icon("list").props('aria-hidden="true"')
        html.span(bubble.menu)

    def open_list() -> None:
        with sheet(bubble.menu) as dialog:
            with html.div().classes("sheet-rows"):
                for row in bubble.rows:
                    with html.button().classes("sheet-row").props('type="button"') as one:
                        with html.span().classes("sheet-words"):
                            html.span(row.title)
                            if row.description:
                                html.span(row.description).classes("sheet-more")
                        ui.icon("radio_button_unchecked").props('aria-hidden="true"')
                    if act is None:
                        one.props("disabled")
                    else:
                        one.on("click", _closing(dialog, act, {"reply_id": row.id}))
            ui.button(words("frame.close"), on_click=dialog.close).props("flat no-caps")
        dialog.open()

    button.on("click", open_list)


def _closing(dialog: ui.dialog, act: Act, action: dict[str, Any]) -> Callable[[], Awaitable[None]]:
    async def close_and_act() -> None:
        dialog.close()
        await act(action)

    return close_and_act


def _form(words: Words, bubble: Bubble, act: Act | None) -> None:
    """A form of Meta's own opens on the phone; here its answer is written as name and value."""
    with html.button().classes("tap").props('type="button" aria-haspopup="dialog"') as button:
        ui.icon("list_alt").props('aria-hidden="true"')
        html.span(bubble.asks_label or words("chat.form"))
    if act is None:
        button.props("disabled")
        return

    def open_form() -> None:
        with sheet(bubble.asks_label or words("chat.form")) as dialog:
            html.p(words("chat.form.help")).classes("sheet-more")
            answers = ui.textarea(words("chat.form.answers"), placeholder="nome=Ana\nidade=30")
            answers.props("outlined autogrow")

            async def send() -> None:
                lines = (line.partition("=") for line in str(answers.value or "").splitlines() if "=" in line)
                dialog.close()
                await act({"form": {name.strip(): value.strip() for name, _, value in lines}})

            ui.button(words("chat.send"), on_click=send).props("unelevated no-caps")
        dialog.open()

    button.on("click", open_form)


class Phone:
    """A phone with one chat in it. Its owner decides what it shows."""

    def __init__(self, words: Words, person: Person, business: str, act: Act) -> None:
        self._words = words
        self._act = act
        self._shown: dict[str, tuple[html.div, Bubble]] = {}
        self._typing = False
        with html.section().classes("phone").props(f'aria-label="{words("phone.of", name=person.name)}"') as self.root:
            with html.div().classes("phone-head"):
                html.span("P").classes("avatar").props('aria-hidden="true"')
                with html.div().classes("phone-names"):
                    html.span(business).classes("phone-business")
                    self._state = html.span(words("phone.seen_as", name=person.name)).classes("phone-state")
                self.tools = html.div().classes("phone-tools")
            self._progress = ui.linear_progress(show_value=False).props("indeterminate size=3px")
            self._progress.set_visibility(False)
            with (
                html.div()
                .classes("chat")
                .props(
                    f'role="log" aria-live="polite" tabindex="0" aria-label="{words("phone.messages")}"'
                ) as self._chat
            ):
                self._hint = html.div(words("phone.hint")).classes("chat-hint")
            self._dots = html.div().classes("bubble theirs typing").props(f'aria-label="{words("phone.typing")}"')
            with self._dots, html.div().classes("bubble-body"):
                for _ in range(3):
                    html.i()
            self._dots.move(self._chat)
            self._dots.set_visibility(False)
            self._compose(person)

    def show(self, bubbles: Sequence[Bubble], *, typing: bool = False) -> None:
        """Show new messages at the end and changed ones in place; nothing else is drawn."""
        more = False
        for bubble in bubbles:
            drawn = self._shown.get(bubble.key)
            if drawn is not None and drawn[1] == bubble:
                continue
            if drawn is None:
                with self._chat:
                    place = html.div().classes("chat-line")
                more = True
            else:
                place = drawn[0]
                place.clear()
            with place:
                show_bubble(self._words, bubble, self._act)
            self._shown[bubble.key] = (place, bubble)
        self._hint.set_visibility(not self._shown)
        if typing != self._typing:
            self._typing = typing
            self._dots.set_visibility(typing)
        if more:
            self._dots.move(self._chat)
        if more or typing:
            scroll_down(self._chat)

    def clear(self) -> None:
        """Empty the screen."""
        for place, _ in self._shown.values():
            place.delete()
        self._shown.clear()
        self._hint.set_visibility(True)

    def wait(self, waiting: bool) -> None:
        """Take nothing while something is done to the chat as a whole, and show that it is."""
        self._field.set_enabled(not waiting)
        self.root.props(f'aria-busy="{str(waiting).lower()}"')
        self._progress.set_visibility(waiting)

    def focus(self) -> None:
        """Put the cursor into the field."""
        self._field.run_method("focus")

    def _compose(self, person: Person) -> None:
        words = self._words
        with html.div().classes("compose"):
            with (
                ui.button(icon="add", color=None).props(f'flat round dense aria-label="{words("chat.attach")}"'),
                ui.menu(),
            ):
                for kind, media in _FILES.items():
                    with ui.menu_item(on_click=lambda _, media=media: self._act({"media": media})):
                        ui.icon(MEDIA_ICONS[kind]).classes("menu-icon")
                        html.span(words(f"media.{kind}"))
                with ui.menu_item(on_click=lambda: self._act({"location": _PLACE})):
                    ui.icon("place").classes("menu-icon")
                    html.span(words("media.location"))
            self._field = ui.input(placeholder=words("chat.placeholder"))
            self._field.props(
                f'borderless dense autocomplete="off" aria-label="{words("chat.write_as", name=person.name)}"'
            )
            self._field.classes("compose-field").on("keydown.enter", self._say)
            ui.button(icon="send", on_click=self._say, color=None).props(
                f'flat round dense aria-label="{words("chat.send")}"'
            ).classes("compose-send")

    async def _say(self, _: events.GenericEventArguments | events.ClickEventArguments) -> None:
        text = str(self._field.value or "").strip()
        if text:
            self._field.value = ""
            await self._act({"text": text})


def scroll_down(place: ui.element) -> None:
    """Bring the end of a chat into view."""
    ui.run_javascript(
        f"setTimeout(() => {{const c = getHtmlElement({place.id}); if (c) c.scrollTop = c.scrollHeight}}, 30)"
    )
