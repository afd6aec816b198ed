"""New handoffs in a browser: they are told in every area, by one tab."""

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from benchmarks.console_benchmark import opened
from tests.console.web_console import expect_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

# Not for its cloud: a browser leaves a running event loop, which other tests of the process do not stand.
pytestmark = pytest.mark.cloud

RINGS = """
window.rings = 0;
window.AudioContext = class {
  currentTime = 0;
  resume = () => Promise.resolve();
  createOscillator = () => ({
    frequency: {}, connect: (next) => next, start: () => { window.rings += 1; }, stop: () => undefined });
  createGain = () => ({
    gain: { setValueAtTime: () => undefined, exponentialRampToValueAtTime: () => undefined }, connect: () => undefined });
};
"""
"""Counts the tones: a browser without a loudspeaker plays none."""

ALL_TOLD = "() => navigator.locks.request('pytake.rung', () => window.rings)"
"""The tones once every tab has decided on what it has read."""


def handed_off(number: int) -> dict[str, Any]:
    at = f"2026-11-30T10:{number:02}:00Z"
    return {
        "phone_number_id": "1",
        "contact_id": f"551190000000{number}",
        "phone": f"+551190000000{number}",
        "name": f"Person {number}",
        "handoff": {"at": at, "reason": "flow"},
        "wait": {"since": at, "seconds": 0, "counts_from": at},
    }


def waiting(page: "Page", count: int) -> None:
    """Wait until a tab shows how many people wait."""
    expect(page.get_by_role("link", name="Inbox").first).to_have_accessible_description(
        f"{count} {'person' if count == 1 else 'people'} waiting"
    )


def test_a_new_handoff_is_told_in_every_area_by_one_of_two_tabs(browser: "Browser", url: str) -> None:
    people = [handed_off(1)]

    def answer(route: "Route") -> None:
        route.fulfill(json={"conversations": people, "next_cursor": None})

    with opened(browser, "about:blank") as (home, _):
        context = home.context
        context.add_init_script(RINGS)
        context.route("**/api/v1/conversations?*", answer)
        build = context.new_page()
        home.goto(f"{url}/console")
        build.goto(f"{url}/console/build")
        for page in (home, build):
            waiting(page, 1)
        expect_accessible(home)
        for count in (2, 3):
            people.append(handed_off(count))
            for page in (home, build):
                waiting(page, count)
                expect(page.locator("#announcements")).to_have_text(f"Person {count} is waiting for an agent")
            assert home.evaluate(ALL_TOLD) + build.evaluate(ALL_TOLD) == count - 1
