"""What tests do with the web console in a browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
"""Counts violations of the content security policy."""

PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def sign_in(page: Page, url: str, role: str, name: str = "", organization: str = "") -> None:
    """Open an address of the console and sign in as a person with this role; without an organization, in the demo."""
    page.goto(url)
    if organization:
        page.locator("[name=organization_id]").fill(organization)
    page.locator("[name=name]").fill(name)
    page.locator(f"button[value={role}]").click()
    page.locator("#main h1").wait_for()


def node(page: Page, text: str) -> Locator:
    """The node on the canvas that shows a text."""
    return page.locator(".react-flow__node", has_text=text)


def create(page: Page, name: str) -> None:
    """Create an empty flow and wait for its canvas."""
    page.get_by_role("button", name="Novo fluxo").click()
    page.get_by_label("Nome do fluxo").fill(name)
    page.get_by_role("button", name="Criar").click()
    expect(page.locator(".react-flow__node")).to_have_count(3)


_SETTLED = """async () => {
  for (const _ of "123") await new Promise(requestAnimationFrame);  // a dialog begins to fade in after it is drawn
  await Promise.allSettled(document.getAnimations()
    .filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime))
    .map((animation) => animation.finished));
}"""
"""Waits for what fades in or out: in the middle of it a text has too little contrast."""


def publish(page: Page, version: int = 1, word: str = "") -> Locator:
    """Publish the flow, with a word that starts it. Returns the dialog, which says that it is done."""
    page.get_by_role("button", name="Publicar").first.click()
    dialog = page.get_by_role("dialog")
    if word:
        dialog.get_by_label("Estas palavras").fill(word)
        dialog.get_by_label("Estas palavras").press("Enter")
    dialog.get_by_role("button", name="Publicar", exact=True).click()
    expect(dialog.get_by_text(f"A versão {version} está publicada.")).to_be_visible()
    return dialog


def expect_accessible(page: Page) -> None:
    """Expect that axe finds nothing on a page."""
    page.evaluate(_SETTLED)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


class Builder:
    """Someone at the canvas. Each node is filled in by its form."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def add(self, type_: str) -> None:
        self.page.locator(".build-palette").get_by_role("button", name=type_, exact=True).click()

    def select(self, id_: str) -> None:
        self.page.keyboard.press("Control+k")
        found = self.page.get_by_role("dialog").get_by_role("textbox")
        found.fill(id_)
        found.press("Enter")
        expect(self.page.get_by_role("dialog")).to_be_hidden()

    def write(self, **texts: str) -> None:
        for label, text in texts.items():
            self.page.get_by_label(label.replace("_", " "), exact=True).fill(text)

    def choose(self, label: str, option: str, *, exact: bool = False) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=exact).click()

    def store(self, variable: str, label: str = "Guardar em") -> None:
        field = self.page.get_by_role("combobox", name=label)
        field.fill(variable)
        field.press("Tab")  # closes the list of known names

    def buttons(self, *labels: str) -> None:
        for number, label in enumerate(labels, 1):
            self.page.get_by_role("button", name="Acrescentar botão").click()
            self.page.get_by_label(f"Texto do botão {number}", exact=True).fill(label)

    def leads(self, exit_: str, target: str) -> None:
        self.page.get_by_role("combobox", name=exit_, exact=True).click()
        self.page.locator(f"[role=option][value={target}]:visible").click()

    def ask(self, question: str, variable: str, accepted: str = "") -> None:
        self.add("Pergunta")
        self.write(Pergunta=question)
        self.store(variable)
        if accepted:
            self.choose("Resposta aceita", accepted, exact=True)
