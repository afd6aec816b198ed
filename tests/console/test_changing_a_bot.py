"""A builder changes a bot that people use: compares, replays, translates, publishes, goes back, files it, and moves others in."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Page, expect

from tests.cloud.waiting import until
from tests.console.conftest import Visitor
from tests.console.web_console import expect_accessible, publish, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

GOLDEN = Path(__file__).parents[1] / "importers" / "golden"
FLOW: dict[str, Any] = {
    "id": "lanchonete",
    "name": "Lanchonete",
    "format": 1,
    "language": "pt_BR",
    "nodes": [
        {"id": "start", "type": "start", "data": {"next_node_id": "hello"}},
        {"id": "hello", "type": "message", "data": {"text": "Oi!", "next_node_id": "ask"}},
        {
            "id": "ask",
            "type": "question",
            "data": {"question": "Qual lanche?", "variable": "lanche", "next_node_id": "end"},
        },
        {"id": "end", "type": "end", "data": {"message": "Já vai!"}},
    ],
}


def more(page: Page, item: str) -> None:
    """Choose from the toolbar's menu."""
    page.get_by_role("button", name="Mais", exact=True).click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def publish_and_go_on(page: Page, version: int, word: str = "") -> None:
    publish(page, version, word).get_by_role("button", name="Fechar").last.click()


def give(page: Page, name: str, content: bytes) -> None:
    """Choose a file in the dialog."""
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "application/json", "buffer": content})


class Person:
    """Someone who starts the bot again and again, until the workers know what was published: seconds later."""

    def __init__(self, cloud: "Cloud", phone: str) -> None:
        self.cloud, self.phone, self.heard = cloud, phone, 0

    def says(self, text: str) -> str:
        self.cloud.say(self.phone, text)
        self.heard += 1
        return json.dumps(self.cloud.answers(self.phone, self.heard)[-1], ensure_ascii=False)

    def is_greeted(self, greeting: str) -> None:
        until(lambda: greeting in self.says("lanchonete"))


def test_a_bot_in_use_is_changed_compared_translated_and_taken_back(
    web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str
) -> None:
    page = web_page
    with cloud.api("builder") as api:
        api.put("/flows/lanchonete", json=FLOW).raise_for_status()
    sign_in(page, f"{visitor.url}/console/build/lanchonete", "admin")
    publish_and_go_on(page, 1, "lanchonete")
    person = Person(cloud, new_phone)
    person.is_greeted("Oi!")
    assert "Já vai!" in person.says("X-salada")

    page.locator(".react-flow__node[data-id=hello]").click()
    page.get_by_label("Texto", exact=True).fill("Olá, tudo bem?")
    more(page, "Idiomas")
    dialog = page.get_by_role("dialog", name="Idiomas")
    dialog.get_by_label("Traduções para").fill("en")
    dialog.get_by_label("Traduções para").press("Enter")
    expect(dialog.get_by_text("3 textos sem tradução")).to_be_visible()
    dialog.get_by_label("Fim: Mensagem, en").fill("Coming!")
    expect(dialog.get_by_text("2 textos sem tradução")).to_be_visible()
    expect_accessible(page)
    page.keyboard.press("Escape")
    for _ in range(2):  # the translation, and the language: one history for canvas, forms and dialogs
        page.get_by_role("button", name="Desfazer (Ctrl+Z)").click()
    expect(page.get_by_label("Texto", exact=True)).to_have_value("Olá, tudo bem?")
    page.get_by_role("button", name="Refazer (Ctrl+Y)").click()
    page.get_by_role("button", name="Refazer (Ctrl+Y)").click()
    expect(page.get_by_role("button", name="Refazer (Ctrl+Y)")).to_be_disabled()
    expect(page.get_by_text("Salvo", exact=True)).to_be_visible()
    with cloud.api("builder") as api:
        draft = api.get("/flows/lanchonete").json()["document"]
    assert draft["texts"] == {"en": {"end.message": "Coming!"}}

    more(page, "Versões")
    page.get_by_role("button", name="Comparar com o rascunho: Versão 1").click()
    changes = page.get_by_role("complementary", name="Detalhes")
    expect(changes.locator("del", has_text="Oi!")).to_be_visible()
    expect(changes.locator("ins", has_text="Olá, tudo bem?")).to_be_visible()
    expect(changes.locator("ins", has_text="Coming!")).to_be_visible()
    expect(page.locator(".react-flow__node", has_text="mudado")).to_have_count(1)
    expect_accessible(page)

    more(page, "Testes")
    tests = page.get_by_role("region", name="Testes")
    tests.get_by_role("button", name="Repetir as conversas da última semana").click()
    expect(tests.get_by_text("Diferentes: 1.", exact=False)).to_be_visible()
    expect(tests.get_by_text("agora diria “Olá, tudo bem?", exact=False)).to_be_visible()

    publish_and_go_on(page, 2)
    person.is_greeted("Olá, tudo bem?")
    more(page, "Versões")
    dialog = page.get_by_role("dialog", name="Versões")
    dialog.get_by_role("listitem").filter(has_text="Versão 1").get_by_role("button", name="Voltar a esta").click()
    used = dialog.get_by_role("listitem").filter(has_text="em uso")
    question = page.get_by_role("dialog", name="Voltar à versão 1?")
    expect(question.get_by_text("Novas conversas seguem a versão 1 de imediato.", exact=False)).to_be_visible()
    expect(used).to_contain_text("Versão 2")
    question.get_by_role("button", name="Voltar a esta").click()
    expect(question).to_have_count(0)
    expect(used).to_contain_text("Versão 1")
    page.keyboard.press("Escape")
    person.is_greeted("Oi!")


def test_flows_are_filed_copied_archived_exported_and_brought_back(
    web_page: Page, visitor: Visitor, cloud: "Cloud"
) -> None:
    page = web_page
    with cloud.api("builder") as api:
        api.put("/flows/mercearia", json=FLOW | {"id": "mercearia", "name": "Mercearia"}).raise_for_status()
    sign_in(page, f"{visitor.url}/console/build/mercearia", "builder")
    with page.expect_download() as downloading:
        more(page, "Exportar")
    exported = downloading.value.path()
    page.get_by_role("link", name="Voltar aos fluxos").click()
    page.get_by_role("button", name="Ações de Mercearia").click()
    page.get_by_role("menuitem", name="Pasta e etiquetas").click()
    page.get_by_role("combobox", name="Pasta").fill("Comida")
    page.get_by_role("combobox", name="Etiquetas").fill("centro")
    page.get_by_role("combobox", name="Etiquetas").press("Enter")
    page.get_by_role("button", name="Salvar").click()
    page.get_by_label("Quais fluxos").select_option(label="Comida")
    expect(page.get_by_role("row").filter(has_text="centro")).to_contain_text("Mercearia")
    expect(page.get_by_role("row")).to_have_count(2)  # with the head
    page.get_by_role("button", name="Ações de Mercearia").click()
    page.get_by_role("menuitem", name="Arquivar").click()
    expect(page.get_by_text("Nenhum fluxo encontrado.", exact=False)).to_be_visible()
    page.get_by_label("Quais fluxos").select_option(label="Arquivados")
    page.get_by_role("button", name="Ações de Mercearia").click()
    page.get_by_role("menuitem", name="Duplicar").click()
    expect(page.get_by_role("heading", name="Mercearia (cópia)")).to_be_visible()
    page.get_by_role("link", name="Voltar aos fluxos").click()
    page.get_by_role("button", name="Importar").click()
    page.locator("input[type=file]").set_input_files(exported)
    expect(page.get_by_text("Nada se perde.")).to_be_visible()
    page.get_by_role("button", name="Criar rascunho").click()
    expect(page.locator(".react-flow__node")).to_have_count(len(FLOW["nodes"]))


def test_files_of_every_platform_become_drafts(web_page: Page, visitor: Visitor) -> None:
    page = web_page
    sign_in(page, f"{visitor.url}/console/build", "builder")
    names = ("glific_interactive", "pytake_canvas", "rapidpro_question", "typebot_lead", "whatsapp_flow_form")
    for name in names:
        golden = json.loads((GOLDEN / f"{name}.json").read_bytes())
        page.get_by_role("button", name="Importar").click()
        give(page, f"{name}.json", json.dumps(golden["export"]).encode())
        dialog = page.get_by_role("dialog")
        if golden["losses"]:
            expect(dialog.get_by_role("alert")).to_have_count(len(golden["losses"]), timeout=30_000)
        else:
            expect(dialog.get_by_text("Nada se perde.")).to_be_visible(timeout=30_000)
        expect_accessible(page)
        dialog.get_by_role("button", name="Criar").click()
        expect(page.locator(".react-flow__node")).to_have_count(len(golden["documents"][0]["nodes"]))
        page.get_by_role("link", name="Voltar aos fluxos").click()
    page.get_by_role("button", name="Importar").click()
    give(page, "x.json", b'{"what": "is this"}')
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("button", name="Criar rascunho")).to_be_disabled()
    visitor.complaints[:] = [one for one in visitor.complaints if "/flows/import" not in one]
