"""What an operator does in the console when messages do not arrive: look, send again, let a stopped number send."""

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.cloud.business import Business, end
from tests.console.conftest import Visitor
from tests.console.web_console import expect_accessible, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud


def fail(business: Business, phone: str, code: int, times: int, status: int) -> None:
    rule = {"kind": "error", "code": code, "status": status, "times": times, "phone": phone}
    business.cloud.http.put("/_sim/faults", json={"rules": [rule]}).raise_for_status()
    said = {"text": "Oi", "name": "Zélia", "phone_number_id": business.number}
    business.cloud.http.post(f"/_sim/phones/{phone}/messages", json=said).raise_for_status()


@pytest.fixture
def business(cloud: "Cloud") -> Business:
    start: dict[str, Any] = {"id": "start", "type": "start", "data": {"next_node_id": "end"}}
    return Business(cloud, start, end("end", "Olá!"))


def test_a_message_that_was_given_up_is_sent_again(
    web_page: Page, visitor: Visitor, business: Business, new_phone: str
) -> None:
    fail(business, new_phone, 130429, times=4, status=400)
    page = web_page
    sign_in(page, f"{visitor.url}/console/settings/deliveries", "admin", organization=business.organization_id)
    row = page.get_by_role("row", name=new_phone)
    expect(page.get_by_text("Nenhuma mensagem.")).to_be_visible()
    expect(row).to_be_visible(timeout=60_000)  # without a reload
    expect(row).to_contain_text("130429")
    expect_accessible(page)
    row.get_by_role("button", name=f"Enviar de novo para {new_phone}").click()
    dialog = page.get_by_role("dialog", name="Enviar 1 mensagem de novo?")
    dialog.get_by_role("button", name="Enviar de novo").click()
    expect(dialog).to_be_hidden()
    expect(row).to_have_count(0)
    assert [message["text"] for message in business.cloud.answers(new_phone, 1)] == ["Olá!"]


def test_a_stopped_number_says_so_where_people_work_and_sends_again(
    web_page: Page, visitor: Visitor, business: Business, new_phone: str
) -> None:
    fail(business, new_phone, 190, times=1, status=401)
    page = web_page
    sign_in(page, f"{visitor.url}/console/inbox", "admin", organization=business.organization_id)
    warning = page.get_by_role("alert").filter(has_text="+1 415 555 0100 não envia")
    expect(warning).to_be_visible(timeout=60_000)
    warning.get_by_role("link", name="Ver os números").click()
    page.get_by_role("button", name="Voltar a enviar").click()
    dialog = page.get_by_role("dialog", name="Retomar o envio de +1 415 555 0100?")
    dialog.get_by_role("button", name="Voltar a enviar").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#announcements")).to_have_text("O número envia de novo.")
    assert [message["text"] for message in business.cloud.answers(new_phone, 1)] == ["Olá!"]
    page.goto(f"{visitor.url}/console/inbox")
    page.get_by_text("Ninguém está esperando um atendente.").wait_for()
    expect(warning).to_have_count(0)


def test_an_administrator_sees_by_name_who_changed_a_team(
    web_page: Page, visitor: Visitor, browser: Browser, business: Business
) -> None:
    context = browser.new_context(locale="pt-BR")
    other = context.new_page()
    sign_in(other, f"{visitor.url}/console/settings/teams", "admin", "Bruno Reis", business.organization_id)
    other.get_by_role("button", name="Adicionar uma equipe").click()
    other.get_by_role("textbox", name="Setor").fill("vendas")
    other.get_by_role("textbox", name="Nome").fill("Vendas")
    other.get_by_role("combobox", name="Atendentes").or_(other.get_by_role("textbox", name="Atendentes")).fill("Bruno")
    other.get_by_role("option", name="Bruno Reis").click()
    other.get_by_role("button", name="Salvar").click()
    expect(other.get_by_text("Salvo.")).to_be_visible()
    context.close()
    page = web_page
    sign_in(page, f"{visitor.url}/console/settings/teams", "admin", "Clara", business.organization_id)
    page.get_by_role("link", name="Quem alterou isto?").click()
    change = page.get_by_role("main").get_by_role("listitem").filter(has_text="Equipes")
    expect(change).to_contain_text("Bruno Reis ·")
    expect(change).to_contain_text("Vendas · Atendentes:")
    expect(change.locator("ins").filter(has_text="Bruno Reis")).to_be_visible()
    expect_accessible(page)
