"""Build and Measure in a browser, against the test run's local cloud."""

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import PATIENCE_MILLISECONDS, Visitor

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

expect.set_options(timeout=PATIENCE_MILLISECONDS)

ENGLISH = {"viewport": {"width": 1360, "height": 860}, "locale": "en-US"}


def begin(page: Page, example: str) -> str:
    """Start a flow of its own from an example; return its id."""
    flow_id = f"trial_{uuid.uuid4().hex[:8]}"
    page.get_by_role("button", name="New flow").first.click()
    dialog = page.get_by_role("dialog", name="New flow")
    dialog.get_by_label("Start from").click()
    page.get_by_role("option", name=example).click()
    dialog.get_by_label("Id", exact=True).fill(flow_id)
    dialog.get_by_role("button", name="Create").click()
    expect(page.locator(".build-state")).to_contain_text("Not saved")
    return flow_id


@pytest.mark.parametrize("visitor", [ENGLISH], indirect=True)
def test_a_flow_is_begun_broken_mended_tried_and_published(visitor: Visitor, cloud: "Cloud") -> None:
    page = visitor.open("/build")
    flow_id = begin(page, "Support triage")
    findings, count = page.locator(".finding"), page.locator(".findings-count")
    expect(count).to_have_text("No problems found")

    # Break it: the order number leads to a node that does not exist.
    page.locator("[data-node=order_number]").click()
    page.locator(".cm-line", has_text='"variable": "order_number"').click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type('"timeout_n')
    page.get_by_role("option", name="timeout_next_node_id").click()
    page.keyboard.type('"nowhere')
    page.keyboard.press("End")
    page.keyboard.type(",")
    finding = findings.filter(has_text="nowhere").first
    expect(finding).to_contain_text("order_number")
    expect(page.locator("[data-node=order_number]")).to_have_class("node node-question selected error")

    # It cannot be published so, and the finding leads to its place.
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Fix the errors before publishing")).to_be_visible()
    finding.click()
    expect(page.locator(".cm-activeLine")).to_contain_text('"timeout_next_node_id": "nowhere"')
    page.wait_for_function("getSelection().toString() === '\"nowhere\"'")  # the editor has the keyboard again

    # Fix it: a node that exists, offered by name, and the time it needs.
    page.keyboard.type('"handoff_l')
    page.get_by_role("option", name="handoff_lost").click()
    expect(findings.filter(has_text="nowhere")).to_have_count(0)
    page.locator(".cm-activeLine").click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type('"timeout_seconds": 3600,')
    expect(count).to_have_text("No problems found")

    # Try it before anybody else gets it.
    page.get_by_role("tab", name="Test the draft").click()
    field = page.locator(".rehearsal .compose input")
    field.fill("Hi")
    field.press("Enter")
    page.get_by_role("button", name="Options").or_(page.locator(".rehearsal .tap")).first.click()
    page.locator(".sheet-row", has_text="An order").click()
    expect(page.locator(".rehearsal-state")).to_contain_text("order_number")
    page.get_by_role("button", name="Skip the wait").click()
    expect(page.locator(".rehearsal-state")).to_contain_text("handed off to an agent")

    # Publish it.
    page.get_by_role("button", name="Publish").click()
    dialog = page.get_by_role("dialog", name="Publish Support triage?")
    expect(dialog).to_contain_text("New conversations use version 1")
    dialog.get_by_role("button", name="Publish").click()
    expect(page.locator(".build-state")).to_have_text("Saved · published: v1")
    with cloud.api() as api:
        version = api.get(f"/flows/{flow_id}/versions/1").json()
    ask = next(node for node in version["document"]["nodes"] if node["id"] == "order_number")
    assert ask["data"]["timeout_next_node_id"] == "handoff_lost"


@pytest.mark.parametrize("visitor", [ENGLISH], indirect=True)
def test_versions_differences_and_two_people_at_one_draft(visitor: Visitor, cloud: "Cloud", tmp_path: Path) -> None:
    flow_id = f"trial_{uuid.uuid4().hex[:8]}"
    flow = {
        "id": flow_id,
        "name": "Trial",
        "start_node_id": "hello",
        "nodes": [
            {"id": "hello", "type": "message", "data": {"text": "One", "next_node_id": "end"}},
            {"id": "end", "type": "end"},
        ],
    }
    with cloud.api() as api:
        api.put(f"/flows/{flow_id}", json=flow).raise_for_status()
        api.post(f"/flows/{flow_id}/publish").raise_for_status()
        page = visitor.open(f"/build?flow={flow_id}")
        expect(page.locator(".build-state")).to_have_text("Saved · published: v1")

        # Another text comes from a file; nothing is saved yet.
        path = tmp_path / "flow.json"
        path.write_text(json.dumps(flow).replace("One", "Two"))
        page.get_by_role("button", name="More").click()
        page.get_by_text("Import…").click()
        page.locator("input[type=file]").set_input_files(path)
        expect(page.locator(".build-state")).to_have_text("Not saved · published: v1")
        page.get_by_role("button", name="More").click()
        page.get_by_text("Differences").click()
        expect(page.locator("del")).to_contain_text("One")
        expect(page.locator("ins")).to_contain_text("Two")
        page.get_by_role("button", name="Close").click()

        # Another person saves first: the editor shows the differences and asks which text to keep.
        api.put(f"/flows/{flow_id}", json=json.loads(json.dumps(flow).replace("One", "Three"))).raise_for_status()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("dialog", name="Another person changed this draft")).to_contain_text("Three")
        page.get_by_role("button", name="Overwrite with mine").click()
        expect(page.locator(".build-state")).to_have_text("Saved · published: v1")
        assert api.get(f"/flows/{flow_id}").json()["document"]["nodes"][0]["data"]["text"] == "Two"

        # The second version, and back to the first.
        page.get_by_role("button", name="Publish").click()
        page.get_by_role("dialog", name="Publish Trial?").get_by_role("button", name="Publish").click()
        expect(page.locator(".build-state")).to_have_text("Saved · published: v2")
        page.get_by_role("button", name="More").click()
        page.get_by_text("Versions").click()
        page.get_by_role("button", name="Use again").click()
        expect(page.locator(".build-state")).to_have_text("Saved · published: v1")
        entry = next(one for one in api.get("/flows").json() if one["flow_id"] == flow_id)
        assert (entry["published_version"], entry["latest_version"]) == (1, 2)


@pytest.mark.parametrize("visitor", [ENGLISH], indirect=True)
def test_a_conversation_shows_up_in_measure_without_a_reload(visitor: Visitor, cloud: "Cloud", new_phone: str) -> None:
    page = visitor.open("/measure?flow=lead_qualifier&days=1")
    conversations = page.locator(".headline-figure b").first
    expect(conversations).to_be_visible()
    before = int(conversations.inner_text())
    cloud.say(new_phone, "Oi")
    cloud.answers(new_phone, 1)
    page.get_by_role("button", name="Export now").click()
    expect(page.get_by_text("The events were exported")).to_be_visible()
    expect(conversations).not_to_have_text(str(before))
    assert int(conversations.inner_text()) > before
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV: All metrics").click()
    assert "Completed conversations" in Path(download.value.path()).read_text("utf-8-sig")

    # Where it went, on the flow.
    page.get_by_role("tab", name="Path").click()
    expect(page.locator(".heat-panel [data-node=consentimento] .node-badge")).to_be_visible()

    # What was said.
    page.get_by_role("tab", name="Transcript").click()
    page.get_by_label("The person's phone").fill(new_phone)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("cell", name="Oi", exact=True)).to_be_visible()

    # The same conversation as agents have it, and back.
    page.get_by_role("link", name="Open in Watch").click()
    expect(page).to_have_url(f"{cloud.url}/watch?phone={new_phone}")
    expect(page.get_by_role("log")).to_contain_text("Oi")
    page.go_back()

    # The same events by SQL; a mistake is explained in Athena's words.
    page.get_by_role("tab", name="SQL").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("cell", name="session_started")).to_be_visible()
    expect(page.get_by_text("Succeeded in")).to_be_visible()
    page.locator(".sql-editor .cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("SELECT nothing_such, ")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".refused")).to_contain_text("nothing_such")
