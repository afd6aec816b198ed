"""Every field of a node is filled in by a form: contacts, products, a carousel, a template, a form's data, a model's answer."""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.cloud.waiting import until
from tests.console.conftest import Visitor
from tests.console.web_console import PICTURE, Builder, create, expect_accessible, publish, sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

NUMBER, WABA = "100000000000077", "100000000000770"
SHOP = "https://loja.example"
TEMPLATE = {
    "phone_number_id": NUMBER,
    "name": "pedido_pronto",
    "language": "pt_BR",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::example"]}},
        {"type": "BODY", "text": "Olá {{1}}, seu pedido está pronto.", "example": {"body_text": [["Ana"]]}},
        {
            "type": "BUTTONS",
            "buttons": [{"type": "URL", "text": "Ver", "url": f"{SHOP}/{{{{1}}}}", "example": [f"{SHOP}/42"]}],
        },
    ],
}


@pytest.fixture
def number(cloud: "Cloud") -> Iterator[dict[str, Any]]:
    """A number with an approved template, as the API takes it. Other tests expect that there is one number."""
    number = {"app_secret": "shop-app-secret", "access_token": "shop-access-token", "waba_id": WABA}
    number |= {"display_phone_number": "+55 11 4000-0077"}
    cloud.http.put(f"/_sim/numbers/{NUMBER}", json=number).raise_for_status()
    number |= {"verify_token": f"shop-{uuid.uuid4().hex}"}
    with cloud.api() as api:
        api.put(f"/numbers/{NUMBER}", json=number).raise_for_status()
        api.post("/templates", json=TEMPLATE).raise_for_status()
        until(lambda: api.get("/templates/pedido_pronto/pt_BR").json().get("status") == "APPROVED")
    yield number
    with cloud.api() as api:
        api.delete(f"/numbers/{NUMBER}").raise_for_status()


def group(page: Page, name: str) -> Locator:
    """A part of a form with fields of its own."""
    return page.get_by_role("group", name=name, exact=True)


def more(page: Page) -> None:
    """Open the fields that few nodes have."""
    page.get_by_role("button", name="Mais opções").click()


def fill(among: Locator, **texts: str) -> None:
    """Fill in the first field of each name."""
    for label, text in texts.items():
        among.get_by_label(label.replace("_", " "), exact=True).first.fill(text)


def tags(among: Locator, label: str, *texts: str) -> None:
    """Enter texts into a list of them."""
    for text in texts:
        among.get_by_role("combobox", name=label).fill(text)
        among.get_by_role("combobox", name=label).press("Enter")


def contacts_and_products(page: Page, bot: Builder) -> None:
    bot.add("Mensagem")  # message_3
    bot.write(Texto="Veja as novidades")
    more(page)
    page.get_by_label("Título", exact=True).fill("Pães")
    page.get_by_role("switch", name="Produtos", exact=True).check(force=True)
    page.get_by_label("Catálogo (id da Meta)").fill("987")
    sections = group(page, "Seções")
    for number, (title, code) in enumerate((("Doces", "sonho"), ("Salgados", "coxinha"))):
        sections.get_by_role("button", name="Acrescentar seção").click()
        sections.get_by_label("Título", exact=True).nth(number).fill(title)
        sections.get_by_role("combobox", name="Códigos dos produtos").nth(number).fill(code)
        sections.get_by_role("combobox", name="Códigos dos produtos").nth(number).press("Enter")
    bot.leads("depois", "message_2")
    bot.select("message")
    bot.write(Texto="Fale com a gente")
    more(page)
    contacts = group(page, "Contatos")
    contacts.get_by_role("button", name="Acrescentar contato").click()
    fill(contacts, Nome="Rui Lima", Empresa="Padaria")
    tags(contacts, "Telefones", "+5511987654321")
    expect(page.get_by_role("figure")).to_contain_text("Rui Lima")
    bot.leads("depois", "message_3")


def carousel(page: Page, bot: Builder) -> None:
    bot.add("Mensagem")  # message_2
    bot.write(Texto="Mais pedidos")
    more(page)
    cards = group(page, "Carrossel")
    for number, text in enumerate(("Sonho", "Coxinha")):
        cards.get_by_role("button", name="Acrescentar cartão").click()
        cards.get_by_label("Link do arquivo").nth(number).fill(f"{SHOP}/{number}.png")
        cards.get_by_label("Texto", exact=True).nth(number).fill(text)
        cards.get_by_label("Texto do botão", exact=True).nth(number).fill("Ver")
        cards.get_by_label("Endereço", exact=True).nth(number).fill(f"{SHOP}/{number}")
    expect(page.get_by_role("figure").get_by_role("group", name="Cartões")).to_contain_text("Coxinha")
    bot.leads("depois", "template")


def template(page: Page, bot: Builder) -> None:
    bot.add("Modelo de mensagem")
    bot.choose("Modelo", "pedido_pronto · pt_BR")
    page.get_by_label("Link do arquivo").fill(f"{SHOP}/pedido.png")
    page.get_by_label("Valor 1").fill("{{contact.name | default('cliente')}}")
    page.get_by_label("Fim do endereço de “Ver”").fill("42")
    expect(page.get_by_role("figure")).to_contain_text("seu pedido está pronto.")
    expect_accessible(page)
    bot.leads("depois", "whatsapp_flow")


def form_and_model(page: Page, bot: Builder) -> None:
    bot.add("Modelo de IA")
    bot.write(Modelo_de_IA="amazon.nova-lite-v1:0", Instrução="Resuma: {{nota}}")
    more(page)
    bot.store("resumo", "Guardar a resposta em")
    fields = group(page, "Campos da resposta")
    fields.get_by_role("button", name="Acrescentar").click()
    fields.get_by_label("Nome 1").fill("estrelas")
    bot.choose("Tipo de 1", "Número")
    bot.leads("depois", "end")
    bot.leads("falhou", "end")
    bot.add("Formulário")
    page.get_by_label("Formulário (id da Meta)").fill("1")
    bot.write(Texto_do_botão="Avaliar", Texto="Como foi?")
    more(page)
    bot.store("nota")
    data = group(page, "Dados")
    data.get_by_role("button", name="Acrescentar").click()
    fill(data, Nome_1="cliente", Valor_1="{{contact.name}}")
    data.get_by_role("button", name="Acrescentar").click()
    data.get_by_label("Nome 2").fill("estrelas")
    bot.choose("Tipo de Valor 2", "Número")
    data.get_by_role("textbox", name="Valor 2").fill("5")
    bot.leads("depois", "ai_prompt")


def test_what_a_message_can_hold_is_filled_in_without_json(
    web_page: Page, visitor: Visitor, cloud: "Cloud", new_phone: str, number: dict[str, Any]
) -> None:
    page, bot = web_page, Builder(web_page)
    page.route(f"{SHOP}/**", lambda route: route.fulfill(content_type="image/svg+xml", body=PICTURE))
    sign_in(page, f"{visitor.url}/console/build", "admin")
    create(page, "Padaria")
    for part in (form_and_model, template, carousel, contacts_and_products):
        part(page, bot)
        expect_accessible(page)
    expect(page.get_by_text("Salvo", exact=True)).to_be_visible()
    with cloud.api() as api:
        document = api.get("/flows/padaria").json()["document"]
        checked = api.post("/flows/validate", json={"document": document}).json()
    assert (checked["publishable"], checked["problems"]) == (True, [])

    page.get_by_role("button", name="Ensaiar").click()
    phone = page.get_by_role("region", name="Ensaio")
    phone.get_by_label("Mensagem", exact=True).fill("Oi")
    phone.get_by_role("button", name="Enviar").click()
    for shown in ("Rui Lima", "sonho", "Coxinha", "seu pedido está pronto.", "Avaliar"):
        expect(phone.get_by_text(shown).first).to_be_visible()
    expect_accessible(page)

    publish(page)
    with cloud.api() as api:
        api.put(f"/numbers/{NUMBER}", json=number | {"default_flow_id": "padaria"}).raise_for_status()
    said = {"text": "Oi", "phone_number_id": NUMBER}
    cloud.http.post(f"/_sim/phones/{new_phone}/messages", json=said).raise_for_status()
    received(cloud.answers(new_phone, 6))


def received(sent: list[dict[str, Any]]) -> None:
    """Expect what the form's fields hold on the person's phone."""
    text, contacts, products, cards, ready, form = (entry["message"] for entry in sent)
    assert text["text"]["body"] == "Fale com a gente"
    [card] = contacts["contacts"]
    assert (card["name"]["formatted_name"], card["phones"][0]["phone"]) == ("Rui Lima", "+5511987654321")
    found = products["interactive"]["action"]["sections"]
    assert [(one["title"], one["product_items"]) for one in found] == [
        ("Doces", [{"product_retailer_id": "sonho"}]),
        ("Salgados", [{"product_retailer_id": "coxinha"}]),
    ]
    assert [one["body"]["text"] for one in cards["interactive"]["action"]["cards"]] == ["Sonho", "Coxinha"]
    parameters = {one["type"]: one["parameters"][0] for one in ready["template"]["components"]}
    assert parameters["header"] == {"type": "image", "image": {"link": f"{SHOP}/pedido.png"}}
    assert parameters["button"] == {"type": "text", "text": "42"}
    payload = form["interactive"]["action"]["parameters"]["flow_action_payload"]
    assert payload["data"]["estrelas"] == 5
