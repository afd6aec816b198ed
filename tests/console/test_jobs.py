"""What agents and analysts do all day, each job by clicks: a team helps people, and what people did is read.

The jobs of a builder are in `test_clinic_bot.py`.
"""

import csv
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.cloud.aws import Aws
from tests.cloud.business import Business, end
from tests.cloud.waiting import until
from tests.conftest import new_phone
from tests.console.conftest import Visitor
from tests.console.web_console import expect_accessible, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

another_phone = third_phone = new_phone

GUIDE = {"name": "guia.txt", "mimeType": "text/plain", "buffer": b"Guia"}
TEMPLATE: dict[str, Any] = {
    "name": "visita",
    "language": "pt_BR",
    "category": "UTILITY",
    "components": [{"type": "BODY", "text": "Visita: {{1}}", "example": {"body_text": [["hoje"]]}}],
}


def question(next_node_id: str) -> dict[str, Any]:
    data = {"question": "Como você se chama?", "variable": "nome", "next_node_id": next_node_id}
    return {"id": "ask", "type": "question", "data": data}


def say(business: Business, phone: str, text: str, name: str = "Zélia") -> None:
    said = {"text": text, "name": name, "phone_number_id": business.number}
    business.cloud.http.post(f"/_sim/phones/{phone}/messages", json=said).raise_for_status()


def approve_template(business: Business, api: httpx.Client) -> None:
    account = {"waba_id": business.number, "app_secret": "app-secret", "access_token": "access-token"}
    account |= {"display_phone_number": "+1 415 555 0100"}
    business.cloud.http.put(f"/_sim/numbers/{business.number}", json=account).raise_for_status()
    number = account | {"verify_token": uuid.uuid4().hex, "default_flow_id": "main"}
    api.put(f"/numbers/{business.number}", json=number).raise_for_status()
    api.post("/templates", json=TEMPLATE | {"phone_number_id": business.number}).raise_for_status()
    until(lambda: api.get("/templates/visita/pt_BR").json().get("status") == "APPROVED")


def test_the_jobs_of_an_agent(
    web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str, another_phone: str
) -> None:
    page, handoff = web_page, {"message": "Um momento.", "department": "Vendas", "priority": "high", "note": "Fiel"}
    start: dict[str, Any] = {"id": "start", "type": "start", "data": {"next_node_id": "ask"}}
    business = Business(cloud, start, question("agents"), {"id": "agents", "type": "handoff", "data": handoff})
    with cloud.api("admin", business.organization_id) as api:
        reply = {"title": "Prazo", "text": "Chega em 2 dias, {{nome}}."}
        api.put("/canned-replies", json={"replies": {"prazo": reply}}).raise_for_status()
        api.put("/teams", json={"teams": {"Suporte": {"name": "Suporte", "members": []}}}).raise_for_status()
        approve_template(business, api)
        components = [{"type": "body", "parameters": [{"type": "text", "text": "hoje"}]}]
        opening = {"name": "visita", "language": "pt_BR", "components": components}
        start_ = {"phone_number_id": business.number, "template": opening}
        api.post(f"/conversations/{another_phone}/start", json=start_).raise_for_status()
    cloud.answers(another_phone, 1)
    sign_in(page, f"{visitor.url}/console/inbox", "agent", "Rita", business.organization_id)
    expect(page.get_by_text("Ninguém está esperando um atendente.")).to_be_visible()

    # 1. See who waits, without a reload.
    say(business, new_phone, "oi")
    cloud.answers(new_phone, 1)
    say(business, new_phone, "Zélia")
    cloud.answers(new_phone, 2)
    say(business, new_phone, "Quero saber do pedido PÃO-77")
    expect(page.locator("#announcements")).to_have_text("Zélia está esperando um atendente")
    expect(page).to_have_title("(1) Atendimento · PyTake")

    # 2. Find a person, by the name and by what was written. Accents do not matter.
    search, person = page.get_by_role("searchbox"), page.get_by_role("link", name="Zélia")
    search.fill("ninguem")
    expect(person).to_have_count(0)
    search.fill("zelia")
    expect(person).to_be_visible()
    with cloud.api("agent", business.organization_id) as api:
        until(lambda: bool(api.get("/message-search", params={"text": "pao-77"}).raise_for_status().json()["found"]))
    search.fill("pao-77")
    page.get_by_role("button", name="Procurar “pao-77” nas mensagens").click()
    page.get_by_role("region", name="Nas mensagens").get_by_role("link", name="Zélia").click()
    expect(page.locator("[data-found=true]")).to_contain_text("PÃO-77")
    search.fill("")

    # 3. Know why the person waits and what they told the bot, and take the conversation.
    details = page.get_by_role("complementary")
    for known in ("O fluxo transferiu", "Vendas", "Alta", "Fiel", "nome"):
        expect(details).to_contain_text(known)
    details.get_by_role("button", name="Assumir").click()
    expect(details).to_contain_text("Você está com esta conversa.")
    expect(person).to_contain_text("Você")

    # 4. Share it with a team: how urgent it is, and a note that the person does not see.
    details.get_by_label("Prioridade").select_option(label="Urgente")
    details.get_by_role("combobox", name="Equipe").fill("Suporte")
    details.get_by_role("combobox", name="Equipe").press("Tab")
    expect(person).to_contain_text("Prioridade: Urgente")
    expect(person).to_contain_text("Suporte")
    details.get_by_label("Escreva uma nota para a equipe").fill("Cliente antiga")
    details.get_by_role("button", name="Adicionar nota").click()
    expect(details.get_by_role("listitem").filter(has_text="Cliente antiga")).to_be_visible()
    expect_accessible(page)

    # 5. Answer, with a canned reply that knows the person.
    page.get_by_role("combobox", name="Resposta pronta").click()
    page.get_by_role("option", name="Prazo").click()
    field = page.get_by_role("textbox", name="Escreva uma mensagem")
    expect(field).to_have_value("Chega em 2 dias, Zélia.")
    field.press("Enter")
    assert cloud.answers(new_phone, 3)[-1]["text"] == "Chega em 2 dias, Zélia."

    # 6. Send a file.
    page.locator("input[type=file]").set_input_files([GUIDE])  # type: ignore[list-item]
    page.get_by_role("button", name="Enviar", exact=True).click()
    assert cloud.answers(new_phone, 4)[-1]["type"] == "document"

    # 7. End the conversation and say why.
    page.get_by_role("button", name="Ações").click()
    page.get_by_role("menuitem", name="Encerrar a conversa").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox", name="Motivo (opcional)").fill("Resolv")
    page.get_by_role("option", name="Resolvida").click()
    dialog.get_by_role("button", name="Encerrar a conversa").click()
    expect(page.locator(".inbox-head")).to_contain_text("Encerrada")

    # 8. Write to a person outside the 24-hour window, by a template.
    search.fill(another_phone)
    page.get_by_role("link", name=another_phone).click()
    expect(page.get_by_text("O WhatsApp só aceita texto livre dentro de 24 horas.")).to_be_visible()
    page.get_by_role("button", name="Enviar um modelo").click()
    page.get_by_role("combobox", name="Modelo").click()
    page.get_by_role("option", name="visita · pt_BR").click()
    page.get_by_role("textbox", name="Valor 1").fill("amanhã")
    page.get_by_role("button", name="Enviar", exact=True).click()
    assert cloud.answers(another_phone, 2)[-1]["text"] == "visita: amanhã"
    with cloud.api("analyst", business.organization_id) as api:
        assert api.get(f"/conversations/{new_phone}").status_code == 403, "conversations are for agents"


def test_the_jobs_of_an_analyst(
    web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str, another_phone: str, third_phone: str
) -> None:
    start: dict[str, Any] = {"id": "start", "type": "start", "data": {"next_node_id": "ask"}}
    paths = [{"id": "curto", "next_node_id": "end"}, {"id": "longo", "next_node_id": "more"}]
    draw: dict[str, Any] = {"id": "sorteio", "type": "random", "data": {"paths": paths}}
    business = Business(cloud, start, question("sorteio"), draw, end("end", "Até logo."), end("more", "Volte."))
    with cloud.api("admin", business.organization_id) as api:
        document = api.get("/flows/main").json()["document"]
        api.put("/flows/main", json=document | {"report_variables": ["nome"]}).raise_for_status()
        api.post("/flows/main/publish").raise_for_status()
        for phone, name in ((new_phone, "=Ana"), (another_phone, "Bia"), (third_phone, "")):
            say(business, phone, "oi")
            cloud.answers(phone, 1)
            if name:
                say(business, phone, name)
                cloud.answers(phone, 2)
        api.post(f"/conversations/{third_phone}/close").raise_for_status()
    Aws(cloud).export()
    page = web_page
    sign_in(page, f"{visitor.url}/console/measure", "analyst", organization=business.organization_id)

    # 1. How many people finished in the last week.
    page.get_by_label("Período").select_option(label="Últimos 7 dias")
    numbers = page.locator(".measure-numbers")
    expect(numbers).to_contain_text("Conversas3", timeout=60_000)
    expect(numbers).to_contain_text("Concluídas2 (66,7%)")

    # 2. Where people give up.
    expect(page.get_by_role("row", name="Como você se chama?")).to_contain_text("1 (33,3%)", timeout=60_000)
    expect_accessible(page)

    # 3. What people answered, as a table and as a file that a spreadsheet opens safely.
    page.get_by_role("tab", name="Respostas").click()
    expect(page.get_by_role("cell", name="Bia")).to_be_visible(timeout=60_000)
    page.get_by_label("Buscar nas respostas").fill("ana")
    expect(page.get_by_role("cell", name="Bia")).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("cell", name="=Ana")).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Baixar CSV").click()
    lines = Path(saved.value.path()).read_text(encoding="utf-8").splitlines()
    cells = {cell for row in csv.reader(lines) for cell in row}
    assert "'=Ana" in cells
    assert "Bia" not in cells

    # 4. Which path of an experiment is better, and what messages cost.
    page.get_by_role("tab", name="Experimentos").click()
    experiment = page.get_by_role("region", name="curto | longo")
    expect(experiment.get_by_role("row", name="curto")).to_be_visible(timeout=60_000)
    paths_shown = [experiment.get_by_role("row", name=name).get_by_role("cell") for name in ("curto", "longo")]
    assert sum(int(cells.all_inner_texts()[1]) for cells in paths_shown) == 2
    page.get_by_role("tab", name="Gastos").click()
    expect(page.get_by_role("row", name="Atendimento").first).to_be_visible(timeout=60_000)

    # 5. Ask a saved query, and take its rows along.
    page.get_by_role("tab", name="Consultas salvas").click()
    page.get_by_role("combobox", name="Consulta").select_option("drop_off")
    page.get_by_role("button", name="Executar").click()
    expect(page.get_by_role("cell", name="ask").first).to_be_visible(timeout=60_000)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Baixar CSV").click()
    assert "ask" in Path(saved.value.path()).read_text(encoding="utf-8")
