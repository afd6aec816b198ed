"""Two agents at one conversation, and an agent whose connection, session or page fails in the middle of an answer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.cloud.business import Business
from tests.conftest import new_phone
from tests.console.conftest import PATIENCE_MILLISECONDS, Visitor
from tests.console.web_console import sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

another_phone = new_phone
FIELD = "Escreva uma mensagem"
BELL = "\u202e"


@pytest.fixture
def business(cloud: "Cloud", new_phone: str) -> Business:
    """A company whose flow hands everybody over; a person waits there."""
    start: dict[str, Any] = {"id": "start", "type": "start", "data": {"next_node_id": "agents"}}
    company = Business(cloud, start, {"id": "agents", "type": "handoff", "data": {"message": "Um momento."}})
    say(company, new_phone, "oi")
    cloud.answers(new_phone, 1)
    return company


@pytest.fixture
def colleague(browser: Browser, business: Business) -> Iterator[Page]:
    """A second agent, at another machine."""
    context = browser.new_context(locale="pt-BR", viewport={"width": 1360, "height": 860})
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    sign_in(page, f"{business.cloud.url}/console/inbox", "agent", "Bruno", business.organization_id)
    yield page
    context.close()


def say(business: Business, phone: str, text: str, name: str = "Zélia") -> None:
    said = {"text": text, "name": name, "phone_number_id": business.number}
    business.cloud.http.post(f"/_sim/phones/{phone}/messages", json=said).raise_for_status()


def open_conversation(page: Page, name: str = "Zélia") -> None:
    page.get_by_role("link", name=name).click()
    page.get_by_role("textbox", name=FIELD).wait_for()


def test_two_agents_do_not_answer_the_same_message_unaware(
    web_page: Page, visitor: Visitor, colleague: Page, business: Business, new_phone: str
) -> None:
    rita = web_page
    sign_in(rita, f"{visitor.url}/console/inbox", "agent", "Rita", business.organization_id)
    expect(rita.locator(".inbox-figures")).to_contain_text("Sem resposta: 1maior espera: 1 min")
    open_conversation(rita)
    open_conversation(colleague)
    mine, theirs = (page.get_by_role("textbox", name=FIELD) for page in (rita, colleague))
    theirs.fill("Posso ajudar?")
    expect(rita.locator(".inbox-head")).to_contain_text("está escrevendo")
    # The first agent reads nothing new from here on.
    path = f"**/api/v1/**/conversations/{new_phone}*"
    for pattern in (path, f"**/api/v1/conversations/{new_phone}*"):
        rita.route(pattern, lambda route: None if route.request.method == "GET" else route.fallback())
    theirs.press("Enter")
    expect(theirs).to_have_value("")
    mine.fill("Em que posso ajudar?")
    mine.press("Enter")
    expect(rita.get_by_role("alert")).to_contain_text("Alguém escreveu nesta conversa")
    expect(rita.get_by_role("log")).to_contain_text("Não enviada")
    rita.unroute_all()
    rita.reload()
    expect(rita.get_by_role("log")).to_contain_text("Posso ajudar?")
    expect(rita.get_by_role("log")).to_contain_text("Em que posso ajudar?")
    rita.get_by_role("button", name="Tentar de novo").click()
    expect(rita.get_by_text("Não enviada")).to_have_count(0)
    said = [message["text"] for message in business.cloud.answers(new_phone, 3)]
    assert said == ["Um momento.", "Posso ajudar?", "Em que posso ajudar?"]
    expect(rita.locator(".inbox-figures")).to_have_text("Ninguém espera resposta")
    visitor.complaints[:] = [
        one for one in visitor.complaints if "409" not in one
    ]  # the refusal, as the browser notes it


def test_an_answer_survives_what_happens_to_the_page(
    web_page: Page, visitor: Visitor, business: Business, new_phone: str
) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/inbox", "agent", "Rita", business.organization_id)
    open_conversation(page)
    field = page.get_by_role("textbox", name=FIELD)

    # The page is reloaded when the message has left, before the answer comes.
    def swallow(route: Route) -> None:
        route.fetch()
        page.evaluate("() => { window.left = true; }")

    page.route("**/send*", swallow)
    field.fill("Chega hoje 🎉")
    field.press("Enter")
    page.wait_for_function("() => window.left")
    page.reload()
    page.unroute_all()  # before the reload, it would let the request go on
    expect(field).to_have_value("")
    said_twice = page.get_by_role("log").get_by_text("Chega hoje 🎉")
    expect(said_twice).to_have_count(2)  # what the server has, and what the page does not know of
    page.get_by_role("button", name="Tentar de novo").click()
    expect(said_twice).to_have_count(1)

    # A server that fails for a moment: nothing is lost, and the person decides when to try again.
    page.route("**/send*", lambda route: route.fulfill(status=503, body="{}"), times=1)
    field.fill("Às 15h.")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("log")).to_contain_text("Às 15h.")
    page.get_by_role("button", name="Tentar de novo").click()
    expect(page.get_by_role("alert")).to_have_count(0)

    # A token that is no longer taken: the person notices nothing.
    page.route("**/send*", lambda route: route.fulfill(status=401, body="{}"), times=1)
    field.fill("Até logo.")
    field.press("Enter")
    expect(page.get_by_text("Até logo.")).to_be_visible()
    expect(page.locator("article[aria-busy=true]")).to_have_count(0)
    expect(page.get_by_role("alert")).to_have_count(0)

    said = [message["text"] for message in business.cloud.answers(new_phone, 4)]
    assert said == ["Um momento.", "Chega hoje 🎉", "Às 15h.", "Até logo."]
    field.fill("x" * 100_000)
    expect(page.get_by_text("A mensagem tem 95904 caracteres a mais.")).to_be_visible()
    expect(page.get_by_role("button", name="Enviar", exact=True)).to_be_disabled()
    noted = ("503", "401")  # as the browser notes them
    visitor.complaints[:] = [one for one in visitor.complaints if not any(status in one for status in noted)]


def test_names_and_texts_of_every_script_stay_in_their_place(
    web_page: Page, visitor: Visitor, business: Business, another_phone: str
) -> None:
    page = web_page
    say(business, another_phone, "مرحبا 123", name=f"{BELL}ليلى 👩🏽‍🚀")
    business.cloud.answers(another_phone, 1)
    sign_in(page, f"{visitor.url}/console/inbox", "agent", "Rita", business.organization_id)
    item = page.get_by_role("link", name="ليلى")
    expect(item).to_contain_text("Um momento.")
    item.click()
    expect(page.locator(".inbox-head h2")).to_have_text("ليلى 👩🏽‍🚀")
    text = page.get_by_role("article", name="Pessoa").locator("p")
    assert text.evaluate("(text) => getComputedStyle(text).unicodeBidi") == "plaintext"
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_list_that_has_not_changed_is_not_sent_again(web_page: Page, visitor: Visitor, business: Business) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/inbox", "agent", "Rita", business.organization_id)
    page.get_by_role("link", name="Zélia").wait_for()
    for path in ("/api/v1/conversations?", "/api/v1/conversation-counts"):
        is_poll = lambda response, path=path: path in response.url  # noqa: E731
        with page.expect_response(is_poll):
            pass
        with page.expect_response(is_poll) as again:
            pass
        request = again.value.request
        assert request.all_headers().get("if-none-match"), path
        assert request.sizes()["responseBodySize"] == 0, path
