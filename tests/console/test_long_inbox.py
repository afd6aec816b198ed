"""A thousand conversations in a browser: what of the list is drawn, and how the keyboard reaches the rest."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, expect

from benchmarks.console_benchmark import opened
from tests.console.web_console import expect_accessible

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

# Not for its cloud: a browser leaves a running event loop, which other tests of the process do not stand.
pytestmark = pytest.mark.cloud

PEOPLE = 1000
NOW = datetime.now(UTC).isoformat()


def conversation(number: int) -> dict[str, Any]:
    """A conversation that waits for an agent. Some have a line of badges more than others."""
    assignment = {"assignee": "rita" if number % 4 == 0 else None, "team": None, "priority": None, "revision": 1}
    return {
        "phone_number_id": "1",
        "contact_id": f"5511{number:09d}",
        "phone": f"+5511{number:09d}",
        "name": f"Person {number}",
        "status": "human",
        "handoff": None,
        "opted_out": False,
        "last_activity_at": NOW,
        "wait": {"since": NOW, "seconds": 0, "counts_from": NOW},
        "assignment": {**assignment, "tags": ["vip"] if number % 3 == 0 else [], "unread": number % 2 == 0},
        "last_message": {"speaker": "user", "type": "text", "text": f"Message {number}"},
    }


class Api:
    """The REST API of the inbox; `order` is that of the list."""

    def __init__(self) -> None:
        self.order = list(range(PEOPLE))

    def __call__(self, route: "Route") -> None:
        url = route.request.url
        if "/conversation-counts" in url:
            answer: Any = {"agents": PEOPLE, "unread": 0, "unanswered": PEOPLE, "truncated": True, "longest_wait": None}
            answer |= {"mine": 0, "unassigned": PEOPLE, "snoozed": 0, "by_team": {}, "office": None}
        elif "/conversations?" in url:
            answer = {"conversations": [conversation(number) for number in self.order], "next_cursor": None}
        elif "/conversations/" in url:
            answer = {"code": "conversation_unknown", "detail": ""}
        else:
            answer = {"teams": {}} if "/teams" in url else []
        status = 404 if "code" in answer else 200
        route.fulfill(status=status, body=json.dumps(answer), content_type="application/json")


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def inbox(browser: "Browser", url: str, api: Api) -> Iterator["Page"]:
    """The inbox with its list."""
    with opened(browser, f"{url}/console") as (page, _):
        page.route("**/api/v1/**", api)
        page.goto(f"{url}/console/inbox")
        rows(page).first.wait_for()
        yield page


def rows(page: "Page") -> Locator:
    return page.locator(".inbox-items li")


def row(page: "Page", number: int) -> Locator:
    return page.get_by_role("link", name=f"Person {number} ")


def test_the_inbox_with_its_conversation_transfers_no_more_than_it_may(browser: "Browser", url: str, api: Api) -> None:
    sizes = []
    for path in ("/console", "/console/inbox"):
        with opened(browser, "about:blank") as (page, received):
            page.route("**/api/v1/**", api)
            page.goto(url + path)
            page.locator(".home-area, .inbox-items li").first.wait_for()
            page.wait_for_load_state("networkidle")
            sizes.append(received())
    first, inbox = sizes
    assert 0 < inbox - first <= 95_000


def test_only_rows_in_view_are_drawn_and_screen_readers_hear_of_all(inbox: "Page") -> None:
    assert rows(inbox).count() < 30
    first = rows(inbox).first
    assert [first.get_attribute(f"aria-{name}") for name in ("posinset", "setsize")] == ["1", str(PEOPLE)]
    expect_accessible(inbox)


def test_arrow_keys_home_and_end_reach_every_conversation(inbox: "Page") -> None:
    row(inbox, 0).focus()
    for key, number in (
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("End", PEOPLE - 1),
        ("ArrowDown", PEOPLE - 1),
        ("ArrowUp", PEOPLE - 2),
        ("Home", 0),
        ("ArrowUp", 0),
    ):
        inbox.keyboard.press(key)
        expect(row(inbox, number)).to_be_focused()
        expect(row(inbox, number)).to_be_in_viewport(ratio=0.9)
        assert rows(inbox).count() < 40
    inbox.keyboard.press("End")
    expect(row(inbox, PEOPLE - 1)).to_be_focused()
    inbox.keyboard.press("Enter")
    inbox.wait_for_url("**/console/inbox/1/5511000000999")
    expect(row(inbox, PEOPLE - 1)).to_be_visible()


def test_the_tab_key_goes_on_beyond_what_is_in_view(inbox: "Page") -> None:
    row(inbox, 0).focus()
    slow = inbox.context.new_cdp_session(inbox)
    slow.send("Emulation.setCPUThrottlingRate", {"rate": 6})  # no time to draw in between
    for _ in range(24):
        inbox.keyboard.press("Tab")
    expect(row(inbox, 24)).to_be_focused()


def test_the_focus_stays_while_the_list_is_scrolled(inbox: "Page") -> None:
    row(inbox, 3).focus()
    inbox.locator(".inbox-items").evaluate("(box) => box.scrollTo(0, box.scrollHeight / 2)")
    expect(row(inbox, PEOPLE // 2)).to_be_visible()
    expect(row(inbox, 3)).to_be_focused()
    inbox.keyboard.press("ArrowDown")
    expect(row(inbox, 4)).to_be_focused()
    expect(row(inbox, 4)).to_be_in_viewport()


def test_what_an_agent_reads_stays_in_its_place_when_another_person_writes(inbox: "Page", api: Api) -> None:
    inbox.locator(".inbox-items").evaluate("(box) => box.scrollTo(0, 20_000)")
    shown = rows(inbox).nth(8)
    name = shown.locator(".inbox-item-name").inner_text()
    number = int(name.removeprefix("Person "))
    before = row(inbox, number).bounding_box()
    api.order.remove(PEOPLE - 1)
    api.order.insert(0, PEOPLE - 1)
    position = inbox.locator(f".inbox-items li[aria-posinset='{number + 2}']")
    expect(position).to_contain_text(f"Message {number}")  # one further: it was read again
    after = row(inbox, number).bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) <= 1


def test_at_the_top_who_writes_appears_first(inbox: "Page", api: Api) -> None:
    api.order.insert(0, api.order.pop())
    expect(rows(inbox).first).to_contain_text(f"Person {PEOPLE - 1}")
    expect(row(inbox, PEOPLE - 1)).to_be_in_viewport()
