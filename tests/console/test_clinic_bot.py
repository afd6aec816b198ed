"""The ten jobs of a builder in one bot: a clinic's, built, rehearsed, published and connected without JSON and a terminal.

Opening hours, a picture with buttons, a name, a date, an age with a condition, a list of six, a call of an API, a sub-flow,
a reminder two hours later, an agent.
"""

import json
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.cloud.waiting import until
from tests.console.conftest import Visitor
from tests.console.web_console import PICTURE, Builder, publish, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

SPECIALTIES = ("Clínica geral", "Pediatria", "Cardiologia", "Dermatologia", "Ortopedia", "Ginecologia")
HOLIDAY = "2026-09-07"  # that was: the bot answers on whatever day the test runs
CLOSED = "Estamos fechados. Escreva de segunda a sexta."
ALL_DAYS = ("sábado", "domingo")
COUNT_CLICKS = """addEventListener("click", (event) => {
  if (event.isTrusted) sessionStorage.clicks = Number(sessionStorage.clicks ?? 0) + 1;
}, true);"""


def build(page: Page) -> None:
    """Add the nodes from the last to the first, so that each finds where it leads."""
    bot = Builder(page)
    bot.select("end")
    bot.write(Mensagem="Até logo, {{nome}}!")
    bot.add("Mensagem")  # message_2
    bot.write(Texto="Lembrete: sua consulta de {{especialidade}} está marcada.")
    bot.leads("depois", "end")
    bot.add("Espera")
    page.get_by_label("Quanto esperar", exact=True).fill("2")
    bot.choose("Unidade de Quanto esperar", "horas")
    bot.leads("depois", "message_2")
    bot.add("Outro fluxo")
    bot.choose("Fluxo", "Endereço")
    bot.leads("depois", "delay")
    bot.add("Chamada de API")
    bot.choose("Método", "POST")
    bot.write(Endereço="https://api.clinica.example/consultas")
    bot.leads("depois", "jump")
    bot.leads("falhou", "jump")
    bot.ask("Qual especialidade?", "especialidade")
    bot.buttons(*SPECIALTIES)
    bot.leads("depois", "api_call")
    bot.add("Mensagem")  # message_3
    bot.write(Texto="Traga um responsável.")
    bot.leads("depois", "question")
    bot.add("Condição")
    bot.store("idade", "Valor a verificar")
    bot.choose("Comparação", "é menor que", exact=True)
    bot.write(Comparar_com="18")
    bot.leads("sim", "message_3")
    bot.leads("não", "question")
    bot.ask("Quantos anos você tem?", "idade", "Número")
    bot.leads("depois", "condition")
    bot.ask("Para que dia?", "dia", "Data")
    bot.leads("depois", "question_2")
    bot.ask("Como você se chama?", "nome")
    bot.leads("depois", "question_3")
    bot.add("Atendente")
    bot.write(Mensagem="Um atendente já vem.", Setor="Recepção")
    bot.add("Mensagem")  # message_4
    bot.write(Texto=CLOSED)
    bot.leads("depois", "end")
    bot.select("message")
    bot.write(Texto="Olá! Aqui é a *Clínica São Lucas*.")
    bot.buttons("Marcar consulta", "Atendente")
    bot.choose("Arquivo", "Imagem", exact=True)
    bot.write(Link_do_arquivo="https://clinica.example/fachada.jpg")
    bot.leads("Marcar consulta", "question_4")
    bot.leads("Atendente", "handoff")
    bot.add("Horário")
    page.get_by_label("Dias", exact=True).first.press("ArrowDown")
    for day in ALL_DAYS:
        page.get_by_role("option", name=day).click()
    page.keyboard.press("Escape")
    bot.write(Abre="08:00", Fecha="18:00")
    page.get_by_role("button", name="Mais opções").click()
    page.get_by_role("combobox", name="Feriados").fill(HOLIDAY)
    page.keyboard.press("Enter")
    bot.leads("aberto", "message")
    bot.leads("fechado", "message_4")
    bot.select("start")
    bot.leads("depois", "schedule")
    page.get_by_role("button", name="Arrumar o desenho").click()


def rehearse_closed(page: Page, phone: Locator) -> None:
    """Play an evening, then open the clinic around the clock, play a holiday, and keep it as a test of the flow."""

    def begin(time_: str) -> None:
        phone.get_by_label("Começa em").fill(time_)
        phone.get_by_label("Mensagem", exact=True).fill("Oi")
        phone.get_by_role("button", name="Enviar").click()

    begin("2026-09-08T17:59")
    expect(phone.get_by_text("Clínica São Lucas")).to_be_visible()
    phone.get_by_role("button", name="Recomeçar").click()
    for closed in ("2026-09-08T18:00", f"{HOLIDAY}T10:00"):
        begin(closed)
        expect(phone.get_by_text(CLOSED)).to_be_visible()
        expect(phone.get_by_text("Clínica São Lucas")).to_have_count(0)
        expect(page.locator(".build-node.is-lit")).to_have_count(4)
        for lit in ("start", "schedule", "message_4", "end"):
            expect(page.locator(f".react-flow__node[data-id={lit}] .is-lit")).to_have_count(1)
        if HOLIDAY not in closed:
            phone.get_by_role("button", name="Recomeçar").click()
            bot = Builder(page)
            bot.select("schedule")
            bot.write(Abre="00:00", Fecha="00:00")
    phone.get_by_role("button", name="Guardar como teste").click()
    page.get_by_label("Nome do teste").fill("Diz no feriado que está fechada")
    page.get_by_role("checkbox", name="Esperar também o mesmo caminho").check()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    phone.get_by_role("button", name="Recomeçar").click()
    phone.get_by_label("Começa em").fill("")


def rehearse(page: Page, phone: Locator) -> None:
    """Play the bot from the first message to the reminder."""

    def say(text: str, answer: str) -> None:
        phone.get_by_label("Mensagem", exact=True).fill(text)
        phone.get_by_role("button", name="Enviar").click()
        expect(phone.get_by_text(answer).last).to_be_visible()

    say("Oi", "Clínica São Lucas")
    phone.get_by_role("button", name="Marcar consulta").click()
    expect(phone.get_by_text("Como você se chama?")).to_be_visible()
    say("Ana", "Para que dia?")
    say("31/12/2026", "Quantos anos você tem?")
    say("quinze", "Quantos anos você tem?")
    say("15", "Traga um responsável.")
    phone.get_by_role("button", name="Pediatria").click()
    expect(phone.get_by_text("O fluxo chama uma API.")).to_be_visible()
    phone.get_by_role("button", name="Responder").click()
    expect(phone.get_by_text("Qual é o CEP")).to_be_visible()
    say("01310-100", "Qual é a rua")
    say("Av. Paulista, 1", "em qual cidade")
    phone.get_by_label("Mensagem", exact=True).fill("São Paulo")
    phone.get_by_role("button", name="Enviar").click()
    phone.get_by_role("button", name="Pular a espera").click()
    expect(phone.get_by_text("Lembrete: sua consulta de Pediatria está marcada.")).to_be_visible()
    expect(phone.get_by_text("Até logo, Ana!")).to_be_visible()


@pytest.mark.parametrize("visitor", [{"timezone_id": "America/Sao_Paulo"}], indirect=True, ids=["in the clinic's time"])
def test_the_clinic_bot_is_built_rehearsed_published_and_answers(
    web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str
) -> None:
    page, began = web_page, time.monotonic()
    page.add_init_script(COUNT_CLICKS)
    page.route("https://clinica.example/**", lambda route: route.fulfill(content_type="image/svg+xml", body=PICTURE))
    sign_in(page, f"{visitor.url}/console/build", "admin")
    page.get_by_role("button", name="Novo fluxo").click()
    page.get_by_label("Nome do fluxo").fill("Clínica São Lucas")
    page.get_by_role("button", name="Criar").click()
    expect(page.locator(".react-flow__node")).to_have_count(3)
    build(page)
    expect(page.get_by_text("Salvo", exact=True)).to_be_visible()
    expect(page.locator(".react-flow__node")).to_have_count(16)
    page.get_by_role("button", name="Ensaiar").click()
    phone = page.get_by_role("region", name="Ensaio")
    rehearse_closed(page, phone)
    rehearse(page, phone)
    page.get_by_role("button", name="Mais", exact=True).click()
    page.get_by_role("menuitem", name="Testes").click()
    expect(page.get_by_role("region", name="Testes").get_by_text("1 de 1 testes passam.")).to_be_visible()
    with cloud.api("builder") as api:
        [kept] = api.get("/flows/clinica_sao_lucas/tests").json()["conversations"]
    assert kept["turns"][0]["expect"]["path"] == ["start: next", "schedule: closed", "message_4: next", "end: end"]

    publish(page, word="clinica")
    clicks = page.evaluate("() => Number(sessionStorage.clicks)")
    print(f"{clicks} clicks, {(time.monotonic() - began) / 60:.1f} minutes of a machine")  # noqa: T201 - shown with -s

    cloud.say(new_phone, "clinica")
    [welcome] = cloud.answers(new_phone, 1)
    assert "Clínica São Lucas" in json.dumps(welcome, ensure_ascii=False)
    cloud.http.post(f"/_sim/phones/{new_phone}/messages", json={"reply_id": welcome["buttons"][1]["id"]})
    assert "Um atendente já vem." in json.dumps(cloud.answers(new_phone, 2)[-1], ensure_ascii=False)
    with cloud.api("agent") as api:
        handed = f"/conversations/{new_phone}"
        until(lambda: (api.get(handed).json().get("handoff") or {}).get("department") == "Recepção")
