"""The console in a browser, against the test run's local cloud."""

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from local.console.areas import AREAS
from tests.console.conftest import PATIENCE_MILLISECONDS, Visitor

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

PHONE_WIDTH = {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "locale": "en-US"}

expect.set_options(timeout=PATIENCE_MILLISECONDS)

# The editor's own: its text is reached with Tab, whatever is said of the box that scrolls around it.
NOT_OURS = {"exclude": [[".cm-editor"]]}


def barriers(page: Page) -> list[str]:
    """Return what keeps people out who do not see a page, see it badly or use no mouse (axe-core's serious findings)."""
    found = Axe().run(page, context=NOT_OURS, options={"resultTypes": ["violations"]}).response["violations"]
    serious = (one for one in found if one["impact"] in ("serious", "critical"))
    return [f"{one['id']}: {node['target']} {node['html'][:120]}" for one in serious for node in one["nodes"]]


def write(phone: Locator, text: str) -> None:
    """Write on a phone, as a person would."""
    field = phone.locator(".compose input")
    field.fill(text)
    field.press("Enter")


@pytest.mark.parametrize("visitor", [{}, PHONE_WIDTH], indirect=True, ids=["desktop", "phone"])
def test_every_area_opens_fits_and_keeps_nobody_out(visitor: Visitor) -> None:
    for area in AREAS:
        page = visitor.open(area.path)
        expect(page.locator("nav a[aria-current=page]")).to_have_count(1)
        expect(page.locator("main .problem")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, area.key
        page.wait_for_load_state("networkidle")
        assert barriers(page) == [], area.key
        page.close()
    elsewhere = {
        request.url for request in visitor.requests if not request.url.startswith((visitor.url, "data:", "blob:"))
    }
    assert elsewhere == set()


def test_a_list_without_conversations_is_a_list_still(visitor: Visitor) -> None:
    page = visitor.open("/watch")
    page.locator(".inbox .q-field input").first.fill("nobody is called so")
    expect(page.locator(".inbox-list > li > .empty")).to_be_visible()
    assert barriers(page) == []


def test_the_first_page_is_light(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.locator(".phone .compose input").wait_for()
    sizes = page.evaluate("performance.getEntriesByType('resource').map(one => one.encodedBodySize)")
    assert len(sizes) <= 40
    assert sum(sizes) <= 1_500_000


def test_a_conversation_on_the_phone_appears_in_watch_and_an_agent_answers(
    visitor: Visitor, cloud: "Cloud", new_phone: str
) -> None:
    watch = visitor.open("/watch")
    watch.locator(".inbox-list").wait_for()
    page = visitor.open("/")
    page.get_by_role("button", name="Mais um telefone").click()
    page.get_by_text("Outro número…").click()
    page.get_by_label("Telefone com código do país").fill(new_phone)
    page.get_by_role("button", name="Adicionar").click()
    phone = page.get_by_role("region", name=f"Telefone de +{new_phone}")
    write(phone, "Oi")
    screen = phone.get_by_role("log")
    screen.get_by_role("button", name="Sim").click()
    expect(screen).to_contain_text("Qual é o seu nome completo?")
    write(phone, "Ana Souza")
    expect(screen).to_contain_text("Prazer, Ana! Qual é o seu e-mail?")

    # Beside it: the node, the variables, the turns, the JSON.
    expect(page.locator(".node.current")).to_have_attribute("data-node", "email")
    expect(page.locator(".node.passed")).to_have_count(4)
    expect(page.locator(".details")).to_contain_text("Ana Souza")
    page.get_by_role("tab", name="JSON").click()
    expect(page.locator(".exchange").first).to_be_visible()

    page.locator(".node.current").click()
    expect(page.get_by_role("dialog")).to_contain_text("Leva a")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # The other tab was open all the time.
    line = watch.locator(".inbox-line", has_text=new_phone)
    line.click()
    desk = watch.locator(".desk")
    expect(desk.locator(".chat")).to_contain_text("Prazer, Ana!")
    expect(desk.locator(".bubble-note").last).to_have_text("email")
    desk.get_by_label("Responder como atendente").fill("Aqui é a Júlia.")
    desk.get_by_label("Responder como atendente").press("Enter")
    expect(screen).to_contain_text("Aqui é a Júlia.")
    expect(desk).to_contain_text("o bot não responde")
    desk.get_by_role("button", name="Devolver ao bot").click()
    expect(desk).to_contain_text("O bot está respondendo")
    write(phone, "ana@exemplo.com.br")
    expect(screen).to_contain_text("um telefone com DDD")
    desk.get_by_role("button", name="Encerrar").click()
    watch.get_by_role("alertdialog").get_by_role("button", name="Encerrar").click()
    expect(desk.locator(".status-idle")).to_be_visible()


def test_queues_and_numbers_are_shown(visitor: Visitor) -> None:
    page = visitor.open("/watch?part=queues")
    expect(page.locator(".card", has_text="Entrada")).to_contain_text("com falha")
    page.get_by_role("tab", name="Números").click()
    expect(page.locator(".card", has_text="+55 11 4000-0001")).to_contain_text("envia")


def test_it_speaks_two_languages_in_light_and_dark(visitor: Visitor) -> None:
    page = visitor.open("/watch")
    expect(page.locator("html")).to_have_attribute("lang", "pt-BR")
    expect(page.locator("h1")).to_have_text("Acompanhar")
    page.locator("[data-language]").click()
    expect(page.locator("h1")).to_have_text("Watch")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for theme, dark in (("light", False), ("dark", True)):
        page.locator("[data-theme]").click()
        expect(page.locator(f"[data-theme={theme}]")).to_be_visible()
        assert page.evaluate("document.body.classList.contains('body--dark')") is dark


def test_the_keyboard_reaches_the_phone(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.locator(".phone .compose input").wait_for()
    page.keyboard.press("Tab")
    expect(page.locator("a:focus")).to_have_text("Pular para o conteúdo")
    page.keyboard.press("Enter")
    expect(page.locator("main.content")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.compose input')"):
            break
    expect(page.locator(".phone .compose input")).to_be_focused()


def test_a_role_that_may_not_see_it_is_told_what_to_do(visitor: Visitor) -> None:
    page = visitor.open("/watch")
    page.get_by_role("button", name="Organização e papel").click()
    page.get_by_role("combobox", name="Papel").click()
    page.get_by_role("option", name="analyst").click()
    page.get_by_role("button", name="Aplicar").click()
    expect(page.get_by_role("alert").first).to_contain_text("Este papel não pode ver isto")
