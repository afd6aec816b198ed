"""A page of another origin, in a real browser, reads and changes nothing of the local cloud."""

import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Browser

from tests.console.web_console import sign_in

if TYPE_CHECKING:
    from tests.cloud.conftest import Cloud

pytestmark = pytest.mark.cloud

TRY = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return answer.type === "opaque" ? "opaque" : `${answer.status} ${await answer.text()}`;
  } catch (error) { return "blocked"; }
}"""


FRAME = """(url) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  frame.src = url;
  frame.onload = () => {
    try { resolve(frame.contentDocument ? "empty" : "foreign"); } catch { resolve("foreign"); }
  };
  document.body.append(frame);
})"""


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Another origin</title>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def foreign_origin() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_foreign_page_reads_and_changes_nothing(browser: Browser, cloud: "Cloud", foreign_origin: str) -> None:
    aws = cloud.http.get("/_local/aws").json()["environment"]["AWS_ENDPOINT_URL"]
    phone = f"{cloud.url}/_sim/phones/5511988887777/messages"
    table_list = {
        "method": "POST",
        "headers": {
            "X-Amz-Target": "DynamoDB_20120810.ListTables",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": "AWS4-HMAC-SHA256 Credential=000000000000/20261129/us-east-1/dynamodb/aws4_request, Signature=00",
        },
        "body": "{}",
    }
    blind = {"method": "POST", "mode": "no-cors", "body": '{"text": "from another page"}'}
    page = browser.new_page()
    page.goto(foreign_origin)
    assert page.evaluate(TRY, [f"{aws}/", table_list]) == "blocked"
    assert page.evaluate(TRY, [f"{cloud.url}/_local/aws", {}]) == "blocked"
    assert page.evaluate(TRY, [phone, blind]) == "opaque"
    assert page.evaluate(TRY, [f"{cloud.url}/_sim/models", {**blind, "method": "POST"}]) == "opaque"
    page.close()
    assert cloud.http.get(phone).json()["messages"] == []


@pytest.mark.parametrize("key", ["test", "000000000000", "123456789012", "ASIA0123456789ABCDEF"])
def test_a_program_without_the_run_s_credentials_reads_nothing(cloud: "Cloud", key: str) -> None:
    aws = cloud.http.get("/_local/aws").json()["environment"]["AWS_ENDPOINT_URL"]
    for service, target, version, body in (
        ("dynamodb", "DynamoDB_20120810.ListTables", "1.0", "{}"),
        ("secretsmanager", "secretsmanager.ListSecrets", "1.1", "{}"),
    ):
        signed = f"AWS4-HMAC-SHA256 Credential={key}/20261129/us-east-1/{service}/aws4_request, Signature=00"
        headers = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}", "Authorization": signed}
        for host in ({}, {"Host": f"stranger.execute-api.{aws.removeprefix('http://')}"}):
            answer = httpx.post(f"{aws}/", content=body, headers={**headers, **host})
            assert (answer.status_code in (400, 403), "TableNames" in answer.text, "SecretList" in answer.text) == (
                True,
                False,
                False,
            ), answer.text


def test_a_foreign_page_cannot_use_the_session_of_a_person(
    browser: Browser, cloud: "Cloud", foreign_origin: str
) -> None:
    context = browser.new_context(locale="pt-BR")
    sign_in(context.new_page(), f"{cloud.url}/console/build", "admin")
    page = context.new_page()
    page.goto(foreign_origin)
    api = f"{cloud.url}/api/v1"
    with cloud.api() as own:
        before = own.get("/flows/lead_qualifier").json()
        assert page.evaluate(TRY, [f"{api}/flows", {"credentials": "include"}]) == "blocked"
        put = {"method": "PUT", "credentials": "include", "body": "{}"}
        assert page.evaluate(TRY, [f"{api}/teams", put]) == "blocked"
        blind = {"method": "POST", "mode": "no-cors", "credentials": "include", "body": "{}"}
        for path in ("flows/lead_qualifier/publish", "contacts/5511988887777/erase", "campaigns/any/start"):
            assert page.evaluate(TRY, [f"{api}/{path}", blind]) == "opaque"
        assert own.get("/flows/lead_qualifier").json() == before
    for path in ("/console", "/console/campaigns", "/console/settings/secrets", "/api/v1/docs"):
        page.evaluate(FRAME, f"{cloud.url}{path}")
    assert [frame.url for frame in page.frames if frame.url.startswith(cloud.url)] == []
    with context.expect_page() as opened:
        page.evaluate("(url) => void (window.other = open(url))", f"{cloud.url}/console/build")
    opened.value.locator("button[value=admin], #main h1").first.wait_for()
    assert page.evaluate("() => window.other.closed"), (
        "COOP: the page that opened the console has no reference to its window"
    )
    context.close()


def test_a_foreign_page_cannot_use_an_address_that_was_signed(
    browser: Browser, cloud: "Cloud", foreign_origin: str
) -> None:
    with cloud.api("agent") as api:
        described = {"mime_type": "text/plain", "size": 3}
        upload = api.post("/media/uploads", json=described).raise_for_status().json()
        page = browser.new_page()
        page.goto(foreign_origin)
        put = {"method": "PUT", "headers": upload["headers"], "body": "abc"}
        assert page.evaluate(TRY, [upload["url"], put]) == "blocked"
        page.close()
        asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
        allowed = {
            origin: httpx.options(upload["url"], headers={**asked, "Origin": origin}).headers.get(
                "access-control-allow-origin"
            )
            for origin in (foreign_origin, cloud.url)
        }
        assert allowed == {foreign_origin: None, cloud.url: cloud.url}
        assert api.get(f"/media/{upload['id']}").status_code == 404
        httpx.put(upload["url"], headers=upload["headers"], content=b"abc").raise_for_status()
        assert api.get(f"/media/{upload['id']}").json()["size"] == 3
        assert httpx.put(upload["url"], headers=upload["headers"], content=b"abcd").status_code == 403


def test_what_the_local_cloud_keeps_is_private(cloud: "Cloud") -> None:
    assert stat.S_IMODE(cloud.data_dir.stat().st_mode) == 0o700
    readable = [
        str(path)
        for folder in ("aws/state", "run")
        for path in (cloud.data_dir / folder).rglob("*")
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert readable == []
