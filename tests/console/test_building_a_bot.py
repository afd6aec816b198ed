"""A person who has never seen JSON builds, rehearses, publishes and connects a bot in the web console, and it answers."""

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import Visitor
from tests.console.web_console import create, expect_accessible, node, sign_in
from tests.effects.servers import answering, serving

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud


def choose(page: Page, exit: str, target: str) -> None:
    """Let an exit of the selected node lead to another, by its form."""
    page.get_by_role("combobox", name=exit, exact=True).click()
    page.get_by_role("option", name=target).click()


def test_a_bot_without_json_answers_a_person(web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build", "admin")
    create(page, "Clínica sem JSON")
    assert page.url.startswith(f"{visitor.url}/console/build/clinica_sem_json")
    node(page, "Mensagem").click()
    page.get_by_label("Texto", exact=True).fill("Olá! Aqui é a *clínica*.")
    expect(page.locator(".build-preview strong", has_text="clínica")).to_be_visible()
    page.locator(".build-palette").get_by_role("button", name="Pergunta").click()
    page.get_by_label("Pergunta", exact=True).fill("Como você se chama?")
    page.get_by_role("combobox", name="Guardar em").fill("nome")
    choose(page, "depois", "Fim · end")
    node(page, "Mensagem").click()
    choose(page, "depois", "Pergunta · question")
    node(page, "Fim").click()
    page.get_by_label("Mensagem", exact=True).fill("Obrigado, {{nome}}!")
    page.get_by_role("button", name="Arrumar o desenho").click()
    expect(page.get_by_text("Salvo", exact=True)).to_be_visible()
    expect_accessible(page)

    page.get_by_role("button", name="Ensaiar").click()
    phone = page.get_by_role("region", name="Ensaio")
    phone.get_by_label("Mensagem", exact=True).fill("Oi")
    phone.get_by_role("button", name="Enviar").click()
    expect(phone.get_by_text("Como você se chama?")).to_be_visible()
    phone.get_by_label("Mensagem", exact=True).fill("Ana")
    phone.get_by_role("button", name="Enviar").click()
    expect(phone.get_by_text("Obrigado, Ana!")).to_be_visible()
    expect(page.locator(".build-node.is-lit")).to_have_count(4)
    expect_accessible(page)
    phone.get_by_role("button", name="Guardar como teste").click()
    page.get_by_label("Nome do teste").fill("Diz o nome")
    page.get_by_role("checkbox", name="Esperar também o mesmo caminho").check()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Mais", exact=True).click()
    page.get_by_role("menuitem", name="Testes").click()
    tests = page.get_by_role("region", name="Testes")
    expect(tests.get_by_text("1 de 1 testes passam.")).to_be_visible()
    expect(page.locator(".build-node.is-lit")).to_have_count(4)
    expect_accessible(page)
    node(page, "Fim").click()
    page.get_by_label("Mensagem", exact=True).fill("Até logo, {{nome}}!")
    tests.get_by_role("button", name="Rodar testes").click()
    expect(tests.get_by_text("deveria dizer “Obrigado, Ana!”, mas diz “Até logo, Ana!”")).to_be_visible()

    page.get_by_role("button", name="Publicar").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 teste falha com este rascunho")).to_be_visible()
    dialog.get_by_label("Estas palavras").fill("semjson")
    dialog.get_by_label("Estas palavras").press("Enter")
    dialog.get_by_role("button", name="Publicar").click()
    expect(dialog.get_by_text("A versão 1 está publicada.")).to_be_visible()

    cloud.say(new_phone, "semjson")
    [question] = cloud.answers(new_phone, 1)
    assert "Como você se chama?" in json.dumps(question, ensure_ascii=False)


def test_nodes_are_dragged_connected_undone_and_found(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build", "builder")
    create(page, "Desenho")
    page.locator(".build-palette").get_by_role("button", name="Espera", exact=True).drag_to(
        page.locator(".react-flow__pane"), target_position={"x": 300, "y": 400}
    )
    waiting = node(page, "Espera")
    expect(waiting).to_have_count(1)
    page.locator(".react-flow__pane").click(position={"x": 60, "y": 60})  # the new node's form would cover the end
    expect(page.get_by_role("heading", name="Espera")).to_have_count(0)
    page.get_by_role("button", name="Mostrar tudo").click()
    waiting.locator(".source").drag_to(node(page, "Fim").locator(".target"))
    expect(page.locator(".react-flow__edge")).to_have_count(3)
    page.locator(".build-title").click()
    page.keyboard.press("Control+z")
    expect(page.locator(".react-flow__edge")).to_have_count(2)
    page.keyboard.press("Control+y")
    expect(page.locator(".react-flow__edge")).to_have_count(3)
    waiting.click()
    page.keyboard.press("Control+d")
    expect(waiting).to_have_count(2)
    page.locator(".react-flow__node.selected").press("Delete")
    expect(waiting).to_have_count(1)
    waiting.click()
    waiting.press("Delete")
    expect(page.locator(".react-flow__edge")).to_have_count(2)
    page.keyboard.press("Control+z")  # one step brings the node and its arrow back
    expect(waiting).to_have_count(1)
    expect(page.locator(".react-flow__edge")).to_have_count(3)
    page.keyboard.press("Control+k")
    page.get_by_role("dialog").get_by_role("textbox").fill("inicio")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Início")).to_be_visible()


def test_two_people_on_one_draft_lose_nothing(web_page: Page, visitor: Visitor, cloud: "Cloud") -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build", "builder")
    create(page, "Dois editores")
    with cloud.api("builder") as api:
        theirs = api.get("/flows/dois_editores").json()["document"]
        tests = {"conversations": [{"name": "Cumprimenta", "turns": [{"input": "Oi"}]}]}
        api.put("/flows/dois_editores/tests", json=tests).raise_for_status()
        api.put("/flows/dois_editores", json={**theirs, "name": "Delas"}).raise_for_status()
        node(page, "Mensagem").click()
        page.get_by_label("Texto", exact=True).fill("Meu texto")
        dialog = page.get_by_role("dialog", name="Outra pessoa mudou este rascunho")
        dialog.get_by_role("button", name="Guardar as minhas como cópia").click()
        expect(page.get_by_role("heading", name="Dois editores (minhas mudanças)")).to_be_visible()
        copy = page.url.rpartition("/")[2]
        assert "Meu texto" in json.dumps(api.get(f"/flows/{copy}").json()["document"])
        assert [one["name"] for one in api.get(f"/flows/{copy}/tests").json()["conversations"]] == ["Cumprimenta"]
        assert api.get("/flows/dois_editores").json()["document"]["name"] == "Delas"
    visitor.complaints[:] = [one for one in visitor.complaints if "412" not in one]  # the conflict itself


def try_request(page: Page, visitor: Visitor, person: str, url: str) -> Locator:
    """Build an API call of an address with `{{numero}}` and send its request with 7. Returns the dialog."""
    sign_in(page, f"{visitor.url}/console/build", "builder", person)  # a person may send one request a second
    create(page, f"Pedido de {person}")
    page.locator(".build-palette").get_by_role("button", name="Chamada de API").click()
    page.get_by_label("Endereço", exact=True).fill(url)
    page.get_by_role("combobox", name="Guardar a resposta em").fill("pedido")
    page.get_by_role("button", name="Testar a chamada").click()
    dialog = page.get_by_role("dialog", name="Testar a chamada")
    dialog.get_by_label("Exemplo de numero").fill("7")
    dialog.get_by_role("button", name="Fazer a chamada").click()
    return dialog


def test_the_request_of_an_api_call_is_tried_from_its_form(web_page: Page, visitor: Visitor) -> None:
    body = {"cidade": "Recife", "nota": "<b>frágil</b>"}
    with serving(answering(json.dumps(body).encode(), "Content-Type: application/json")) as api:
        address = f"http://127.0.0.1:{api.port}/pedidos/"
        dialog = try_request(web_page, visitor, "Bia", f"{address}{{{{numero}}}}")
        expect(dialog.get_by_text("200", exact=True)).to_be_visible()
    assert [request.split(b" HTTP/")[0] for request in api.requests] == [b"GET /pedidos/7"]
    expect(dialog.get_by_text(f"GET {address}7", exact=True)).to_be_visible()
    expect(dialog.locator("dt")).to_have_text("pedido")
    expect(dialog.locator("dd")).to_have_text(json.dumps(body, ensure_ascii=False, separators=(",", ":")))
    expect(dialog.get_by_label("O que a API respondeu")).to_contain_text('"nota": "<b>frágil</b>"')
    expect(dialog.get_by_role("alert")).to_have_count(0)
    expect_accessible(web_page)


def test_a_request_that_a_flow_may_not_make_says_why(web_page: Page, visitor: Visitor) -> None:
    with serving(answering(b"")) as api:
        dialog = try_request(web_page, visitor, "Caio", f"http://root@127.0.0.1:{api.port}/{{{{numero}}}}")
        alert = "O endereço contém um nome de usuário. Use o cabeçalho Authorization."
        expect(dialog.get_by_role("alert")).to_have_text(alert)
    assert api.requests == []
    expect(dialog.get_by_text("sem resposta", exact=True)).to_be_visible()
    expect_accessible(web_page)
