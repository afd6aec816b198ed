"""The web console in a browser, served by the deployed stack: sign-in, sessions, languages, and what its policy forbids."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from local import demo
from tests.console.conftest import Visitor
from tests.console.web_console import expect_accessible, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

CUT_AREAS = """() => {
  const list = document.querySelector(".shell-areas").getBoundingClientRect();
  return [...document.querySelectorAll(".shell-area")].filter((area) => {
    const { left, right, width } = area.getBoundingClientRect();
    return left < list.left || right > list.right || width < 24;
  }).map((area) => area.textContent);
}"""
"""The areas in the bar that do not show whole, or are too small to press."""


WIDER_THAN_THE_SCREEN = """() => [document.documentElement, document.querySelector("#main")]
  .filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.tagName)"""
"""The parts that a person would have to move sideways to read."""


def test_a_builder_signs_in_stays_signed_in_and_signs_out(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build?from=mail", "builder", "Zélia")
    assert page.url == f"{visitor.url}/console/build?from=mail"
    expect(page.get_by_role("heading", name="Fluxos")).to_be_visible()
    expect(page.get_by_text("lead_qualifier", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_text("lead_qualifier", exact=True)).to_be_visible()
    token = page.evaluate("() => JSON.parse(sessionStorage['pytake.tokens']).token")
    assert len(token) > 100
    assert not [request.url for request in visitor.requests if token in request.url]
    assert page.evaluate("() => JSON.stringify(localStorage)").count(token[:20]) == 0
    page.get_by_role("button", name="Menu de Zélia").click()
    page.get_by_role("menuitem", name="Sair").click()
    page.locator("button[value=builder]").wait_for()
    assert page.evaluate("() => sessionStorage['pytake.tokens']") is None


def test_every_page_is_accessible_in_light_and_dark_and_on_a_phone(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console", "admin")
    for scheme in ("Escuro", "Claro"):
        page.get_by_role("button", name="Menu de Ana").click()
        page.get_by_text(scheme, exact=True).click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("menu")).to_be_hidden()
        for path in (
            "/console",
            "/console/build",
            "/console/inbox",
            "/console/people",
            "/console/measure",
            "/console/settings/numbers",
        ):
            page.goto(visitor.url + path)
            page.locator("#main h1").wait_for()
            page.wait_for_load_state("networkidle")
            expect_accessible(page)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate(CUT_AREAS) == []
    expect_accessible(page)
    for path in ("people/imports", f"settings/numbers/{demo.PHONE_NUMBER_ID}", "settings/secrets", "measure"):
        page.goto(f"{visitor.url}/console/{path}")
        page.locator("#main h1").wait_for()
        page.wait_for_load_state("networkidle")
        assert page.evaluate(WIDER_THAN_THE_SCREEN) == [], path
    expect(page.get_by_role("link", name="Medir")).to_be_in_viewport()
    page.goto(f"{visitor.url}/console/settings/secrets")
    expect(page.get_by_role("link", name="Segredos")).to_be_in_viewport(ratio=1)
    elsewhere = [
        request.url for request in visitor.requests if not request.url.startswith((visitor.url, "data:", "blob:"))
    ]
    assert elsewhere == []


def test_a_person_without_a_mouse_is_at_the_content_at_once(web_page: Page, visitor: Visitor) -> None:
    sign_in(web_page, f"{visitor.url}/console/build", "builder")
    expect(web_page.get_by_role("heading", name="Fluxos")).to_be_focused()
    web_page.keyboard.press("Tab")
    expect(web_page.get_by_role("button", name="Importar")).to_be_focused()


def test_the_language_is_remembered(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build", "builder", "Eva")
    page.get_by_role("button", name="Menu de Eva").click()
    page.get_by_role("menuitem", name="Español").click()
    expect(page.get_by_role("heading", name="Flujos")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Flujos")).to_be_visible()


def test_an_agent_answers_and_returns_the_person_to_the_bot(web_page: Page, visitor: Visitor, cloud: "Cloud") -> None:
    page, phone = web_page, "551195555550101"
    with cloud.api() as api:
        reply = {"title": "Prazo", "text": "Chega em 2 dias."}
        api.put("/canned-replies", json={"replies": {"prazo": reply}}).raise_for_status()
    sign_in(page, f"{visitor.url}/console/inbox", "agent", "Rita")
    cloud.say(phone, "oi")
    cloud.answers(phone, 1)
    cloud.say(phone, "humano")
    asked = cloud.answers(phone, 2)
    page.get_by_role("link", name="0101").click()
    expect(page.get_by_role("log")).to_contain_text("humano")
    expect(page.get_by_role("complementary")).to_contain_text("A pessoa pediu um atendente")
    expect_accessible(page)
    field = page.get_by_role("textbox", name="Escreva uma mensagem")
    field.fill("Olá, sou a Rita.")
    field.press("Enter")
    expect(field).to_have_value("")
    assert cloud.answers(phone, len(asked) + 1)[-1]["text"] == "Olá, sou a Rita."
    expect(page.get_by_role("article", name="Atendente")).to_contain_text("Olá, sou a Rita.")
    page.set_viewport_size({"width": 390, "height": 800})
    head = page.locator(".inbox-head-text")
    expect(head).to_contain_text(phone)
    assert head.evaluate("(head) => head.scrollWidth <= head.clientWidth"), "the number runs under a button"
    box = field.bounding_box()
    assert box is not None
    assert box["width"] > 190, "the field is too narrow beside the canned replies"
    page.get_by_role("button", name="Devolver ao bot").click()
    expect(page.locator(".inbox-head")).to_contain_text("Com o bot")


def test_an_analyst_names_the_dates_of_a_report(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/measure?tab=spending", "analyst")
    page.get_by_label("Período").select_option(label="Escolher as datas…")
    page.get_by_label("De", exact=True).fill("2025-04-01")
    page.get_by_label("Até", exact=True).fill("2025-03-31")
    apply = page.get_by_role("button", name="Aplicar")
    apply.click()
    expect(page.get_by_role("alert")).to_have_text("A primeira data vem depois da última. Troque as datas.")
    expect_accessible(page)
    page.get_by_label("De", exact=True).fill("2025-03-01")
    with page.expect_response("**/api/v1/reports/spending?from=2025-03-01&to=2025-03-31") as answer:
        apply.click()
    assert answer.value.ok
    expect(page.get_by_text("Nenhuma mensagem entregue neste período")).to_be_visible()
    assert page.url.endswith("/console/measure?tab=spending&from=2025-03-01&to=2025-03-31")


def test_a_sign_in_that_is_not_ours_ends_in_a_sentence(web_page: Page, visitor: Visitor) -> None:
    web_page.goto(f"{visitor.url}/console/login/callback?code=stolen&state=other")
    expect(web_page.get_by_role("heading", name="Não foi possível entrar")).to_be_visible()
    assert "code=" not in web_page.url
    web_page.get_by_role("link", name="Entrar de novo").click()
    web_page.locator("button[value=admin]").wait_for()


def test_another_site_can_neither_frame_the_console_nor_read_its_settings(cloud: "Cloud") -> None:
    page = cloud.http.get("/console")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    assert cloud.http.get("/console/config.json", headers=foreign).status_code == 403
    assert cloud.http.post("/_oidc/token", headers=foreign, data={"grant_type": "refresh_token"}).status_code == 403
