"""Whatever people, builders and agents write: the console shows it as text, on every page, and nothing of it becomes markup."""

import base64
import re
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from tests.cloud.aws import Aws
from tests.cloud.waiting import until
from tests.console.conftest import Visitor
from tests.console.web_console import sign_in
from tests.stack import REPOSITORY

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

HOSTILE = "\"'><img src=x onerror=hostile()><hostile-x></hostile-x>"
TAG = "<hostile-x></hostile-x>"  # buttons are short
PHONE, NUMBER, WABA, DISPLAY = "5511955550666", "100000000000078", "100000000000780", "+55 11 4000-0078"
SECRETS = {"app_secret": "hostile-app-secret", "access_token": "hostile-access-token"}
FLOW: dict[str, Any] = {
    "id": "hostile",
    "name": HOSTILE,
    "report_variables": ["answer"],
    "nodes": [
        {"id": "start", "type": "start", "data": {"greeting": HOSTILE, "next_node_id": "ask"}},
        {"id": "ask", "type": "question", "data": {"question": HOSTILE, "variable": "answer", "next_node_id": "way"}},
        {"id": "way", "type": "random", "data": {"paths": [{"id": HOSTILE, "next_node_id": "end"}, {"id": TAG}]}},
        {"id": "end", "type": "end", "data": {"message": "{{answer}}"}},
    ],
}
TEMPLATE: dict[str, Any] = {
    "phone_number_id": NUMBER,
    "name": "hostile",
    "language": "pt_BR",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": HOSTILE},
        {"type": "BODY", "text": f"{HOSTILE} {{{{1}}}}.", "example": {"body_text": [[HOSTILE]]}},
        {"type": "FOOTER", "text": HOSTILE},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": TAG}]},
    ],
}
SHOWN = """() => document.body.innerText.includes("<hostile-x>")
  || [...document.querySelectorAll("input, textarea, option")].some((one) => (one.value + one.text).includes("<hostile-x>"))"""

PAGES = (
    "",
    "build",
    "build/hostile",
    "inbox",
    f"inbox/{NUMBER}/{PHONE}",
    "people",
    f"people/{PHONE}",
    "people/imports",
    "people/segments",
    "people/segments/new",
    "people/segments/hostile",
    "campaigns",
    "campaigns/new",
    "campaigns/hostile",
    "campaigns/sequences",
    "campaigns/sequences/new",
    "campaigns/sequences/hostile",
    "measure?flow=hostile",
    "measure?flow=hostile&tab=map",
    "measure?flow=hostile&tab=answers",
    "measure?flow=hostile&tab=spending",
    "measure?flow=hostile&tab=experiments",
    "measure?flow=hostile&tab=queries",
    "settings",
    "settings/numbers",
    f"settings/numbers/{NUMBER}",
    "settings/templates",
    "settings/teams",
    "settings/replies",
    "settings/timetables",
    "settings/organization",
    "settings/files",
    "settings/secrets",
    "settings/deliveries",
    "settings/changes",
    f"try?phone={PHONE}",
)
WITHOUT = {"people/segments/new", "settings/secrets"}
"""Pages on which no text from outside can hold markup: a new segment is empty, and a secret has a name and hosts alone."""
TABLES = {"measure?flow=hostile&tab=answers", "measure?flow=hostile&tab=experiments"}
"""Pages whose list of flows shows the text before their table does."""
IN_A_TABLE = (
    """() => [...document.querySelectorAll("#main table")].some((one) => one.innerText.includes("<hostile-x>"))"""
)
AREAS = REPOSITORY / "console" / "src" / "areas"


def routes() -> set[str]:
    """The paths of the console's pages, as its routers have them, and the tabs of Measure."""
    found = {""}
    for path in AREAS.glob("*/routes.tsx"):
        area, text = path.parent.name, path.read_text(encoding="utf-8")
        found |= {area} if "index: true" in text else set()
        found |= {f"{area}/{one}" for one in re.findall(r'path: "([^"]+)"', text)}
    tabs = re.search(r"const TABS = \[(.+?)\]", (AREAS / "measure" / "Measure.tsx").read_text(encoding="utf-8"))
    assert tabs is not None
    return found | {f"measure?flow=hostile&tab={tab}" for tab in re.findall(r'"(\w+)"', tabs[1]) if tab != "overview"}


@pytest.mark.parametrize("route", sorted(routes()))
def test_every_page_is_looked_at(route: str) -> None:
    pattern = re.sub(r":\w+", "[^/?]+", re.escape(route).replace(r"\:", ":"))
    exact = [page for page in PAGES if re.fullmatch(rf"{pattern}(\?.*)?", page)]
    assert exact, f"add a page of {route} to PAGES"


def fill(cloud: "Cloud", organization: str) -> None:
    """Write the text wherever the API and the phone of a person take a text."""
    sim = {"display_phone_number": DISPLAY, "waba_id": WABA, **SECRETS}
    cloud.http.put(f"/_sim/numbers/{NUMBER}", json=sim).raise_for_status()
    template = {"name": "hostile", "language": "pt_BR", "components": []}
    campaign = {"name": HOSTILE, "phone_number_id": NUMBER, "segment_id": "hostile", "template": template}
    step = {"days": 1, "flow_id": "hostile"}
    number = sim | {"verify_token": uuid.uuid4().hex, "default_flow_id": "hostile", "apology": HOSTILE}
    hours = {"hours": [{"days": ["mon"], "opens": "08:00", "closes": "18:00"}]}
    stored: tuple[tuple[str, dict[str, Any]], ...] = (
        ("flows/hostile", FLOW),
        ("flows/hostile/metadata", {"folder": HOSTILE, "tags": [HOSTILE], "archived": False}),
        (f"numbers/{NUMBER}", number),
        ("organization", {"constants": {"hostile": HOSTILE}}),
        ("teams", {"teams": {"hostile": {"name": HOSTILE, "members": [HOSTILE]}}}),
        ("canned-replies", {"replies": {"hostile": {"title": HOSTILE, "text": HOSTILE}}}),
        ("timetables", {"timetables": {HOSTILE: hours}}),
        ("segments/hostile", {"name": HOSTILE, "all": [{"field": "tags", "operator": "contains", "value": HOSTILE}]}),
        ("campaigns/hostile", campaign),
        (
            "sequences/hostile",
            {"name": HOSTILE, "phone_number_id": NUMBER, "on": {"field": "when"}, "steps": [step]},
        ),
    )
    with cloud.api("admin", organization) as api:
        for path, body in stored:
            if path.startswith("numbers"):
                api.post("/flows/hostile/publish").raise_for_status()
            answer = api.put(f"/{path}", json=body)
            assert answer.is_success, f"{path}: {answer.text}"
        speak = {"name": HOSTILE, "phone_number_id": NUMBER}
        says: tuple[dict[str, Any], ...] = (
            {"text": HOSTILE},
            {"text": HOSTILE},
            {"media": {"type": "document", "filename": f"{HOSTILE.replace('/', '')}.svg", "caption": HOSTILE}},
        )
        for count, message in enumerate(says, 1):
            cloud.http.post(f"/_sim/phones/{PHONE}/messages", json=speak | message).raise_for_status()
            cloud.answers(PHONE, count)
        until(lambda: api.get(f"/contacts/{PHONE}").status_code == 200)
        approve_template(api)
        parameters = [{"type": "text", "text": HOSTILE}]
        sent = {"name": "hostile", "language": "pt_BR", "components": [{"type": "body", "parameters": parameters}]}
        answer = api.post(f"/conversations/{PHONE}/send", params={"phone_number_id": NUMBER}, json={"template": sent})
        assert answer.is_success, answer.text
        known = {"name": HOSTILE, "tags": [HOSTILE], "fields": {"note": HOSTILE, "when": "2199-01-01"}}
        answer = api.put(f"/contacts/{PHONE}", json=known)
        assert answer.is_success, answer.text
        about = {"phone_number_id": NUMBER}
        api.post(f"/conversations/{PHONE}/notes", params=about, json={"text": HOSTILE}).raise_for_status()
        shared = {"team": TAG, "tags": [TAG]}
        api.put(f"/conversations/{PHONE}/assignment", params=about, json=shared).raise_for_status()
        picture = {"filename": f"{TAG.replace('/', '')}.png", "mime_type": "image/png", "content": PNG, "keep": True}
        answer = api.post("/media", json=picture)
        assert answer.is_success, answer.text
        api.put("/secrets/hostile", json={"value": HOSTILE, "hosts": ["hostile.example"]}).raise_for_status()
        csv = f"phone;name;{HOSTILE}\n{PHONE};x;y\n{HOSTILE};x;y"
        api.post("/contacts/import", content=csv, headers={"content-type": "text/csv"})


def approve_template(api: httpx.Client) -> None:
    answer = api.post("/templates", json=TEMPLATE)
    assert answer.is_success, answer.text
    until(lambda: api.get("/templates/hostile/pt_BR").json().get("status") == "APPROVED")


def rename(route: Route) -> None:
    """What Meta would not accept as the name of a template, but an answer of its Graph API may hold."""
    answer = route.fetch()
    found = answer.json()
    for template in found:
        template |= dict.fromkeys(("name", "language", "reason", "quality", "category"), HOSTILE)
    route.fulfill(response=answer, json=found)


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(8)).decode()
NOW = "2026-11-30T12:00:00Z"
DELIVERY: dict[str, Any] = {
    "id": "1",
    "state": "dead",
    "phone_number_id": NUMBER,
    "contact_id": PHONE,
    "reason": HOSTILE,
    "error_code": None,
    "attempts": 1,
    "since": NOW,
    "due_at": None,
    "can_be_redriven": True,
    "redrive_count": 0,
    "turn": 1,
    "index": 0,
}
IMPORT: dict[str, Any] = {
    "import_id": "1",
    "status": "finished",
    "created_at": NOW,
    "finished_at": NOW,
    "rows": 1,
    "created": 0,
    "updated": 0,
    "consent_kept": 0,
    "error_count": 1,
    "errors": [{"row": 1, "code": HOSTILE, "message": HOSTILE}],
}


def say_as_meta(page: Page) -> None:
    """What Meta says of a message, and what is said of a row of a file, come from outside, and no request can store them."""
    page.route("**/api/v1/deliveries?*", lambda route: route.fulfill(json=[DELIVERY]))
    page.route("**/api/v1/contacts/imports", lambda route: route.fulfill(json={"imports": [IMPORT]}))


def test_no_text_becomes_markup(web_page: Page, visitor: Visitor, cloud: "Cloud") -> None:
    organization, page = "hostile", web_page
    fill(cloud, organization)
    Aws(cloud).export()
    say_as_meta(page)
    page.add_init_script("window.ran = 0; window.hostile = () => { window.ran += 1; };")
    page.on("dialog", lambda dialog: visitor.complaints.append(f"dialog: {dialog.message}"))
    sign_in(page, f"{visitor.url}/console/build", "admin", HOSTILE, organization)
    for path in PAGES:
        page.goto(f"{visitor.url}/console/{path}")
        page.locator("#main h1").first.wait_for()
        if path not in WITHOUT:
            page.wait_for_function(IN_A_TABLE if path in TABLES else SHOWN)
        assert page.locator("hostile-x").count() == 0, path
        assert page.evaluate("() => window.ran") == 0, path
        assert page.evaluate("() => window.violations") == [], path
    page.goto(f"{visitor.url}/console/campaigns/hostile")
    preview = page.get_by_role("region", name="Prévia")
    expect(preview).to_have_text(f"{HOSTILE}{HOSTILE} {{{{1}}}}.{HOSTILE}{TAG}")
    page.route("**/api/v1/templates?*", rename)
    page.goto(f"{visitor.url}/console/campaigns/new")
    page.get_by_role("combobox", name="Modelo").click()
    page.get_by_role("option", name=f"{HOSTILE} · {HOSTILE}").click()
    expect(preview).to_contain_text(TAG)
    assert page.locator("hostile-x").count() == 0
    assert page.evaluate("() => window.ran") == 0
    page.goto(f"{visitor.url}/console/build/hostile")
    page.locator(".react-flow__node[data-id=ask]").click()
    expect(page.get_by_label("Pergunta", exact=True)).to_have_value(HOSTILE)
    page.get_by_role("button", name="Ensaiar").click()
    phone = page.get_by_role("region", name="Ensaio")
    phone.get_by_label("Mensagem", exact=True).fill(HOSTILE)
    phone.get_by_role("button", name="Enviar").click()
    phone.get_by_text("<hostile-x>").nth(1).wait_for()
    assert page.locator("hostile-x").count() == 0
    assert page.evaluate("() => window.ran") == 0
