"""What is around every page: the head, the areas, the place for the content, and what is shown when something is wrong."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nicegui import html, ui

from local.console.api import ApiProblem
from local.console.areas import AREAS, Area
from local.console.session import ROLES, THEMES
from local.console.tokens import Identity, NoTokenError, claims_of
from local.console.visit import Visit
from local.console.words import LANGUAGES, NAMES

logger = logging.getLogger(__name__)

_THEME_ICONS = {"auto": "brightness_auto", "light": "light_mode", "dark": "dark_mode"}


def draw(visit: Visit, area: Area) -> html.main:
    """Draw the frame of an area and return the element that its content belongs in."""
    words = visit.words
    ui.page_title(f"{words(f'area.{area.key}')} · {words('app.name')}")
    ui.add_head_html(f'<script>document.documentElement.lang="{words.html_language}"</script>')
    ui.dark_mode({"auto": None, "light": False, "dark": True}[visit.session.theme])
    around = ui.context.client.content.parent_slot
    if around is not None:
        around.parent.tag = "div"  # the library's own <main> is around everything, and there is one to a page
    with html.div().classes("shell"):
        with html.header().classes("head"):
            with html.a(href="/").classes("brand").props(f'aria-label="{words("app.name")}"'):
                ui.icon("forum").classes("brand-mark")
                html.span("PyTake").classes("brand-name")
            html.h1(words(f"area.{area.key}")).classes("head-title")
            with html.div().classes("head-tools"):
                _identity(visit)
                _language(visit)
                _theme(visit)
                _about(visit)
        with html.nav().classes("areas").props(f'aria-label="{words("frame.areas")}"'):
            for one in AREAS:
                link = html.a(href=one.path).classes("area-link")
                if one is area:
                    link.props('aria-current="page"')
                with link:
                    ui.icon(one.icon).props("aria-hidden=true")
                    html.span(words(f"area.{one.key}"))
        content = html.main().classes(f"content content-{area.key}").props('tabindex="-1"')
    ui.skip_link(words("app.skip"), target=content)
    return content


@asynccontextmanager
async def told(visit: Visit, place: ui.element) -> AsyncIterator[None]:
    """Show in `place` what went wrong in the body, with what to do about it, in place of what was there."""
    try:
        yield
    except ApiProblem as problem:
        place.clear()
        with place:
            show_problem(visit, problem)
    except Exception:
        logger.exception("A page of the console failed")
        place.clear()
        with place:
            _panel(visit, "unexpected", "")


def show_problem(visit: Visit, problem: ApiProblem, retry: Callable[[], object] | None = None) -> None:
    """Show a problem with the API where the content would be: what it is, what to do, a button to try again."""
    _panel(visit, problem.kind, problem.detail, retry)


def notify_problem(visit: Visit, problem: ApiProblem) -> None:
    """Tell that something the person just asked for was refused; what is on the page stays."""
    title = visit.words(f"problem.{problem.kind}")
    ui.notify(f"{title}. {problem.detail}", type="negative", multi_line=True, timeout=8000)


def empty(icon: str, title: str, text: str) -> html.div:
    """Show that there is nothing here yet, and what makes something appear."""
    with html.div().classes("empty") as shown:
        ui.icon(icon).classes("empty-icon").props("aria-hidden=true")
        html.h2(title)
        html.p(text)
    return shown


def loading(visit: Visit) -> html.div:
    """Show that something is on its way."""
    with html.div().classes("loading").props('role="status"') as shown:
        ui.spinner(size="28px")
        html.span(visit.words("frame.loading"))
    return shown


def tool(icon: str, label: str, on_click: Callable[..., object] | None = None) -> ui.button:
    """Return a round button with an icon; its label is read out and shown at a touch of the mouse."""
    button = ui.button(icon=icon, on_click=on_click, color=None).props(f'flat round dense aria-label="{label}"')
    with button:
        ui.tooltip(label)
    return button.classes("tool")


def _panel(visit: Visit, kind: str, detail: str, retry: Callable[[], object] | None = None) -> None:
    words = visit.words
    with html.div().classes("empty problem").props('role="alert"'):
        ui.icon("error_outline").classes("empty-icon").props("aria-hidden=true")
        html.h2(words(f"problem.{kind}"))
        if detail:
            html.p(detail).classes("problem-detail")
        html.p(words(f"problem.{kind}.do"))
        ui.button(words("frame.retry"), icon="refresh", on_click=retry or ui.navigate.reload).props(
            "unelevated no-caps"
        )


def _identity(visit: Visit) -> None:
    words, connection = visit.words, visit.connection
    identity = visit.session.identity
    if not connection.tokens.chooses_identity:
        try:
            claims = claims_of(connection.tokens.token(identity))
        except NoTokenError:
            claims = {}
        identity = Identity(str(claims.get("organization_id", "?")), str(claims.get("role", "?")))
    text = f"{identity.organization_id} · {identity.role}"
    if not connection.tokens.chooses_identity:
        with html.span().classes("chip"):
            ui.icon("cloud").props("aria-hidden=true")
            html.span(text)
        return
    with (
        ui.button(color=None)
        .props(f'flat dense no-caps aria-label="{words("frame.identity")}: {text}"')
        .classes("chip")
    ):
        ui.icon("badge").props("aria-hidden=true")
        html.span(text)
        with ui.menu().props("auto-close=false"), html.div().classes("menu-form"):
            organization = ui.input(words("frame.organization"), value=identity.organization_id).props("dense outlined")
            role = ui.select(list(ROLES), label=words("frame.role"), value=identity.role).props("dense outlined")

            def apply() -> None:
                name = (organization.value or "").strip() or identity.organization_id
                visit.session.identity = Identity(name, str(role.value))
                ui.navigate.reload()

            ui.button(words("frame.apply"), on_click=apply).props("unelevated no-caps")


def _language(visit: Visit) -> None:
    current = visit.session.language
    other = LANGUAGES[1 - LANGUAGES.index(current)]

    def change() -> None:
        visit.session.language = other
        ui.navigate.reload()

    button = tool("translate", visit.words("frame.language", name=NAMES[current]), change)
    button.props(f'data-language="{current}"')


def _theme(visit: Visit) -> None:
    current = visit.session.theme
    following = THEMES[(THEMES.index(current) + 1) % len(THEMES)]

    def change() -> None:
        visit.session.theme = following
        ui.navigate.reload()

    name = visit.words(f"frame.theme.{current}")
    tool(_THEME_ICONS[current], visit.words("frame.theme", name=name), change).props(f'data-theme="{current}"')


def _about(visit: Visit) -> None:
    words = visit.words
    with ui.dialog() as dialog, ui.card().classes("about"):
        html.h2(words("frame.about"))
        with html.dl().classes("facts"):
            for name, value in visit.connection.facts():
                html.dt(name)
                with html.dd():
                    if value.startswith("http"):
                        html.a(value, href=value, target="_blank")
                    else:
                        html.code(value)
        ui.button(words("frame.close"), on_click=dialog.close).props("flat no-caps")
    tool("info", words("frame.about"), dialog.open)
