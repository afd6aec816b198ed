"""A browser that looks at the console of the test run's local cloud."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from benchmarks.console_stub import HANDLER, stub
from tests.console.browser import FLAGS, find_browser
from tests.console.web_console import VIOLATIONS

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

PATIENCE_MILLISECONDS = 30_000
"""A function of the local cloud that starts first takes seconds on a busy machine."""


@dataclass
class Visitor:
    """A visitor of the console, and what their browser complained about and asked for."""

    url: str
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def listen(self, page: Page) -> Page:
        """Keep what a tab asks for and complains of, and return it."""
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("request", self._asked)
        return page

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    path = find_browser()
    if path is None:
        pytest.skip("No Chromium on this machine: install one (apt install chromium), or name one in PYTAKE_BROWSER")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


def stubbed(flows: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The address of the built console with these flows, before a stub of the API."""
    if not (HANDLER.parent / "site" / "index.html").exists():
        pytest.skip("The console is not built (make console)")
    with stub(flows) as address:
        yield address


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The console without a flow, before a stub of the API."""
    yield from stubbed({})


@pytest.fixture
def visitor(request: pytest.FixtureRequest, browser: Browser, cloud: "Cloud") -> Iterator[Visitor]:
    """A visitor at a desktop, in Portuguese; others by an indirect parameter. What their browser complains of fails the test."""
    options = {"viewport": {"width": 1360, "height": 860}, "locale": "pt-BR", **getattr(request, "param", {})}
    context = browser.new_context(**options)
    visiting = Visitor(cloud.url, context)
    yield visiting
    context.close()
    assert visiting.complaints == []


@pytest.fixture
def web_page(visitor: Visitor) -> Iterator[Page]:
    """A tab that counts violations of the content security policy; any fails the test."""
    page = visitor.listen(visitor.context.new_page())
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    page.add_init_script(VIOLATIONS)
    yield page
    assert page.evaluate("() => window.violations ?? []") == []
