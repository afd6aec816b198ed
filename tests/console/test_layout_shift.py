"""What people read stays in its place while a page of the console loads."""

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page

from local import demo
from tests.console.conftest import Visitor
from tests.console.web_console import sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

LIMIT = 0.1
"""What is called good: https://web.dev/articles/cls."""

PHONE = "5511955550177"
SHIFTS = """
window.shifts = [];
const box = ({ x, y, width, height }) => `${Math.round(x)},${Math.round(y)} ${Math.round(width)}x${Math.round(height)}`;
const moved = ({ node, previousRect, currentRect }) =>
  `${node?.className || node?.nodeName}: ${box(previousRect)} to ${box(currentRect)}`;
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput) window.shifts.push([value, ...sources.map(moved)]);
}).observe({ type: "layout-shift", buffered: true });
"""
"""Collects what moved, by how much of the window."""

PAGES = {
    "home": "/console",
    "flows": "/console/build",
    "inbox": "/console/inbox",
    "conversation": f"/console/inbox/{demo.PHONE_NUMBER_ID}/{PHONE}",
    "people": "/console/people",
    "person": f"/console/people/{PHONE}",
    "segments": "/console/people/segments",
    "new segment": "/console/people/segments/new",
    "campaigns": "/console/campaigns",
    "new campaign": "/console/campaigns/new",
    "sequences": "/console/campaigns/sequences",
    "measure": "/console/measure",
    "answers": "/console/measure?tab=answers",
    "spending": "/console/measure?tab=spending",
    "numbers": "/console/settings/numbers",
    "number": f"/console/settings/numbers/{demo.PHONE_NUMBER_ID}",
    "organization": "/console/settings/organization",
    "teams": "/console/settings/teams",
    "templates": "/console/settings/templates",
    "try": "/console/try",
}


@pytest.fixture
def conversation(cloud: "Cloud") -> None:
    """A person who waits for an agent, after a few messages."""
    for text in ("oi", "humano"):
        cloud.say(PHONE, text)
    cloud.answers(PHONE, 2)


@pytest.mark.usefixtures("conversation")
@pytest.mark.parametrize("width", [1360, 390])
def test_no_page_shifts_while_it_loads(web_page: Page, visitor: Visitor, width: int) -> None:
    page = web_page
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(SHIFTS)
    sign_in(page, f"{visitor.url}/console", "admin")
    shifted = {}
    for name, path in PAGES.items():
        page.goto(visitor.url + path)
        page.locator("#main :is(h1, h2):visible").first.wait_for()
        page.wait_for_function("() => !document.querySelector('[aria-busy=true], .mantine-Skeleton-root')")
        page.wait_for_load_state("networkidle")
        shifts = page.evaluate("() => window.shifts")
        if sum(value for value, *_ in shifts) > LIMIT:
            shifted[name] = shifts
    assert shifted == {}
