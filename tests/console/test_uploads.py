"""An agent sends a file that does not fit into a request to the API, in a real browser."""

import hashlib
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from local import demo
from tests.console.conftest import Visitor
from tests.console.web_console import sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

CATALOG = b"%PDF-1.7\n" + b"x" * 5_000_000


def test_an_agent_sends_a_file_that_does_not_fit_into_a_request(
    web_page: Page, visitor: Visitor, cloud: "Cloud"
) -> None:
    page, phone = web_page, "5511955550141"
    cloud.say(phone, "oi")
    greeted = cloud.answers(phone, 1)
    sign_in(page, f"{visitor.url}/console/inbox", "agent", "Rita")
    page.goto(f"{visitor.url}/console/inbox/{demo.PHONE_NUMBER_ID}/{phone}")
    field = page.get_by_role("textbox", name="Escreva uma mensagem")
    field.fill("O catálogo")
    page.locator("input[type=file]").set_input_files(
        {"name": "catálogo.pdf", "mimeType": "application/pdf", "buffer": CATALOG}
    )
    with page.expect_response(lambda answer: answer.request.method == "PUT") as stored:
        page.get_by_role("button", name="Enviar").click()
    assert (stored.value.status, stored.value.url.startswith(visitor.url)) == (200, False)
    expect(field).to_have_value("")
    arrived = cloud.answers(phone, len(greeted) + 1)[-1]["message"]["document"]
    assert (arrived["filename"], arrived["caption"]) == ("catálogo.pdf", "O catálogo")
    token = {"Authorization": f"Bearer {demo.ACCESS_TOKEN}"}
    file = cloud.http.get(f"/_graph/v25.0/{arrived['id']}", headers=token).raise_for_status().json()
    assert file["sha256"] == hashlib.sha256(CATALOG).hexdigest()
