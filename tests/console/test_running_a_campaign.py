"""People are imported, described by a segment and reached by a campaign, in the web console alone."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.aws import Aws
from tests.cloud.waiting import until
from tests.console.conftest import Visitor
from tests.console.web_console import expect_accessible, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

NUMBER, WABA, DISPLAY = "100000000000066", "100000000000660", "+55 11 4000-0066"
TEMPLATE = {
    "phone_number_id": NUMBER,
    "name": "feira_de_natal",
    "language": "pt_BR",
    "category": "MARKETING",
    "components": [{"type": "BODY", "text": "Oi {{1}}, vem pra feira?", "example": {"body_text": [["Ana"]]}}],
}


@pytest.fixture
def prepared(cloud: "Cloud") -> Iterator["Cloud"]:
    """A number with an approved template: what Meta has before a campaign begins. Other tests expect that there is one number."""
    number = {"app_secret": "fair-app-secret", "access_token": "fair-access-token"}
    number |= {"display_phone_number": DISPLAY, "waba_id": WABA}
    cloud.http.put(f"/_sim/numbers/{NUMBER}", json=number).raise_for_status()
    with cloud.api() as api:
        secret = {"verify_token": f"fair-{uuid.uuid4().hex}"}
        api.put(f"/numbers/{NUMBER}", json=number | secret).raise_for_status()
        api.post("/templates", json=TEMPLATE).raise_for_status()
        until(lambda: api.get("/templates/feira_de_natal/pt_BR").json().get("status") == "APPROVED")
    yield cloud
    with cloud.api() as api:
        api.delete(f"/numbers/{NUMBER}").raise_for_status()


def test_a_campaign_reaches_imported_people_without_a_terminal(
    web_page: Page, visitor: Visitor, prepared: "Cloud"
) -> None:
    cloud, page, tag = prepared, web_page, f"feira-{uuid.uuid4().hex[:8]}"
    phones = [f"55119{uuid.uuid4().int % 10**8:08d}" for _ in range(3)]
    rows = [f"{phone};P{index};{tag};{'granted' if index else 'withdrawn'};feira" for index, phone in enumerate(phones)]
    csv = "\n".join(["phone;name;tags;consent_marketing;consent_source", *rows, f"12;Erro;{tag};;"])

    sign_in(page, f"{visitor.url}/console/people/imports", "admin")
    page.locator("input[type=file]").set_input_files(
        {"name": "pessoas.csv", "mimeType": "text/csv", "buffer": csv.encode()}
    )
    expect(page.get_by_text("Linhas: 4. Pessoas adicionadas: 3; já conhecidas: 0.")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1 linha não foi aplicada:").first).to_be_visible()
    expect_accessible(page)

    page.get_by_role("link", name="Segmentos").click()
    page.get_by_role("link", name="Novo segmento").click()
    page.get_by_label("Nome", exact=False).first.fill(tag)
    page.get_by_role("button", name="Adicionar uma condição").first.click()
    page.get_by_role("textbox", name="Valor").fill(tag)
    page.get_by_role("button", name="Salvar").click()
    expect(page.get_by_text("3 pessoas", exact=True)).to_be_visible()
    expect_accessible(page)

    page.get_by_role("navigation", name="Áreas").get_by_role("link", name="Campanhas").click()
    page.get_by_role("link", name="Nova campanha").click()
    page.get_by_label("Nome", exact=False).first.fill("Feira")
    page.get_by_label("Enviada de").select_option(label=DISPLAY)
    page.get_by_label("Segmento").select_option(label=tag)
    expect(page.get_by_text("3 pessoas neste momento")).to_be_visible()
    page.get_by_role("combobox", name="Modelo").click()
    page.get_by_role("option", name="feira_de_natal · pt_BR").click()
    page.get_by_role("textbox", name="Valor 1").fill("{{contact.name}}")
    page.get_by_role("button", name="Salvar").click()
    page.get_by_role("button", name="Iniciar").click()
    expect_accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Iniciar").click()
    expect(page.get_by_text("Em andamento")).to_be_visible()

    aws = Aws(cloud)
    done = page.get_by_text("Concluída")
    until(lambda: aws.run("campaigns") is not None and done.is_visible())
    assert [cloud.answers(phone, 1)[0]["text"] for phone in phones[1:]] == [
        "feira_de_natal: P1",
        "feira_de_natal: P2",
    ]
    assert cloud.screen(phones[0]) == [], "no consent"
    expect(page.get_by_text("2 pessoas devem receber a mensagem.")).to_be_visible()
    expect(page.get_by_text("Não aceitaram marketing: 1")).to_be_visible()
    expect_accessible(page)
    assert visitor.complaints == []
