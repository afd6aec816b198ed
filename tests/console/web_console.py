"""What tests do with the web console in a browser."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""
"""Counts violations of the content security policy."""


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


_SETTLED = """() => Promise.allSettled(document.getAnimations()
  .filter((animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime))
  .map((animation) => animation.finished))"""
"""Waits for what fades in or out: in the middle of it a text has too little contrast."""


def expect_accessible(page: Page) -> None:
    """Expect that axe finds nothing on a page."""
    page.evaluate(_SETTLED)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
