"""The canvas in a browser: what it transfers, what of a large flow is drawn, and the sizes that the console assumes."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from benchmarks.console_benchmark import large_flow, opened
from tests.console.conftest import stubbed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

# Not for its cloud: a browser leaves a running event loop, which other tests of the process do not stand.
pytestmark = pytest.mark.cloud

NODES = 200
BUTTONS = [{"id": f"b{number}", "label": f"Choice {number}", "next_node_id": "q2"} for number in range(3)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The console with a large flow and a small one."""
    small = large_flow(4)
    small["nodes"][1] |= {"type": "message", "data": {"text": "A long text. " * 20, "buttons": BUTTONS}}
    yield from stubbed({"large": large_flow(NODES), "small": small})


def test_the_first_page_and_build_transfer_no_more_than_they_may(browser: "Browser", url: str) -> None:
    with opened(browser, f"{url}/console") as (page, received):
        page.locator(".home-area").first.wait_for()
        first = received()
    with opened(browser, f"{url}/console/build/large") as (page, received):
        page.locator(".react-flow__node").first.wait_for()
        build = received()
    assert 100_000 < first <= 300_000
    assert 0 < build - first <= 150_000


def test_a_page_whose_files_stay_away_says_so_and_does_not_reload_without_end(browser: "Browser", url: str) -> None:
    with opened(browser, f"{url}/console") as (page, _):
        asked: list[str] = []

        def away(route: "Route") -> None:
            asked.append(route.request.url)
            route.abort()

        page.route("**/assets/Editor-*.js", away)
        page.goto(f"{url}/console/build/large")
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        assert 0 < len(asked) <= 4


def test_of_a_large_flow_what_is_in_view_is_drawn_also_after_it_was_moved(browser: "Browser", url: str) -> None:
    with opened(browser, f"{url}/console/build/large") as (page, _):
        first = page.locator(".react-flow__node[data-id=start]")
        first.wait_for()
        assert page.locator(".react-flow__node").count() < 20
        page.keyboard.press("Control+k")
        page.get_by_role("dialog").get_by_role("textbox").fill(f"Question {NODES - 5}?")
        page.get_by_role("dialog").get_by_role("button", name=f"Question {NODES - 5}?").click()
        page.locator(f".react-flow__node[data-id=q{NODES - 5}].selected").wait_for()
        first.wait_for(state="detached")
        assert page.locator(".react-flow__edge").count() < 20


def test_nodes_and_their_handles_are_drawn_where_the_console_says(browser: "Browser", url: str) -> None:
    with opened(browser, f"{url}/console/build/small") as (page, _):
        page.locator(".react-flow__node").nth(3).wait_for()
        page.locator(".react-flow__edge").nth(2).wait_for()
        drawn: dict[str, Any] = json.loads(page.evaluate(_DRAWN))
    # canvas/graph.ts and flow/layout.ts: 1 + 34 + 42 + 1, and 28 for each exit
    assert {name: node["size"] for name, node in drawn.items()} == {
        "start": [250, 106],
        "q1": [250, 190],
        "q2": [250, 106],
        "q3": [250, 78],
    }
    assert drawn["q1"]["handles"] == [[0, 95], *([249, 91.5 + 28 * exit_] for exit_ in range(4))]
    assert drawn["start"]["handles"] == [[249, 91.5]]


_DRAWN = """() => {
  const zoom = new DOMMatrixReadOnly(getComputedStyle(document.querySelector(".react-flow__viewport")).transform).m22;
  const round = (value) => Math.round((value / zoom) * 10) / 10;
  const of = (node) => {
    const outer = node.getBoundingClientRect();
    const handles = [...node.querySelectorAll(".react-flow__handle")].map((handle) => {
      const { x, y, width, height } = handle.getBoundingClientRect();
      return [round(x + width / 2 - outer.x), round(y + height / 2 - outer.y)];
    });
    return { size: [node.offsetWidth, node.offsetHeight], handles };
  };
  const nodes = [...document.querySelectorAll(".react-flow__node")];
  return JSON.stringify(Object.fromEntries(nodes.map((node) => [node.dataset.id, of(node)])));
}"""


def open_form(page: "Page", node: str) -> None:
    """Select a node by a click on it, and wait for its form."""
    page.locator(f".react-flow__node[data-id={node}]").click()
    page.locator(".build-panel").get_by_label("Identifier").and_(page.locator(f"[value={node}]")).wait_for()


IS_SEEN = """(node) => {
  const box = node.getBoundingClientRect();
  return node.contains(document.elementFromPoint(box.x + box.width / 2, box.y + 10));
}"""


@pytest.mark.parametrize("width", [1360, 390])
def test_a_new_node_is_seen_beside_its_form_and_nothing_moves_while_it_is_saved(
    browser: "Browser", url: str, width: int
) -> None:
    with opened(browser, f"{url}/console/build/small") as (page, _):
        page.set_viewport_size({"width": width, "height": 800})
        page.locator(".react-flow__node").first.wait_for()
        page.get_by_text("Saved", exact=True).wait_for()
        top = page.locator(".build-canvas").bounding_box()
        for _number in range(4):
            page.locator(".build-palette").get_by_role("button", name="Message", exact=True).click()
            assert page.locator(".build-canvas").bounding_box()["y"] == top["y"]  # type: ignore[index]
            selected = page.locator(".react-flow__node.selected")
            expect(selected).to_have_count(1)
            page.wait_for_function(IS_SEEN, arg=selected.element_handle())


def test_a_link_to_a_node_of_a_large_flow_opens_its_form(browser: "Browser", url: str) -> None:
    with opened(browser, f"{url}/console/build/large?node=q{NODES - 5}") as (page, _):
        selected = page.locator(f".react-flow__node[data-id=q{NODES - 5}].selected")
        selected.wait_for()
        page.wait_for_function(IS_SEEN, arg=selected.element_handle())
        expect(page.locator(".build-panel")).to_be_visible()


def test_what_the_server_did_not_take_is_there_after_a_reload_and_is_saved(browser: "Browser", url: str) -> None:
    def refuse(route: "Route") -> None:
        if route.request.method == "PUT":
            route.fulfill(status=503, json={"code": "temporarily_unavailable", "detail": ""})
        else:
            route.fallback()

    with opened(browser, f"{url}/console/build/small") as (page, _):
        page.on("dialog", lambda dialog: dialog.accept())
        page.route("**/api/v1/flows/*", refuse)
        open_form(page, "q3")
        page.get_by_label("Message", exact=True).fill("See you soon")
        page.get_by_text("Not saved.", exact=False).wait_for()
        page.get_by_label("Message", exact=True).fill("See you tomorrow")
        page.unroute("**/api/v1/flows/*")
        with page.expect_response(lambda answer: answer.request.method == "PUT" and answer.ok):
            page.reload()
        page.get_by_text("Saved", exact=True).wait_for()
        expect(page.locator(".react-flow__node[data-id=q3]")).to_contain_text("See you tomorrow")


_ALL_SEEN = """() => {
  const canvas = document.querySelector(".build-canvas").getBoundingClientRect();
  const nodes = [...document.querySelectorAll(".react-flow__node")].map((node) => node.getBoundingClientRect());
  return nodes.length === 4 && nodes.every(({ left, right }) => left > canvas.left && right < canvas.right);
}"""


@pytest.mark.parametrize("first", ["the canvas", "the layout"])
def test_a_small_flow_is_shown_whole_whatever_is_ready_first(browser: "Browser", url: str, first: str) -> None:
    with opened(browser, f"{url}/console") as (page, _):
        held: list[Route] = []
        if first == "the canvas":
            page.route("**/layout.worker*", lambda route: held.append(route))
        page.goto(f"{url}/console/build/small")
        page.locator(".react-flow__controls").wait_for()
        page.evaluate(
            "() => new Promise((done) => setTimeout(() => requestAnimationFrame(done), 10))"
        )  # it says it is ready
        for route in held:
            route.continue_()
        page.locator(".react-flow__node").nth(3).wait_for()
        page.wait_for_function(_ALL_SEEN)
        assert len(held) == (first == "the canvas")


def test_each_click_on_a_node_opens_its_form_on_a_slow_machine(browser: "Browser", url: str) -> None:
    with opened(browser, f"{url}/console/build/small") as (page, _):
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
        for node in ("start", "q1", "q2") * 3:
            open_form(page, node)
