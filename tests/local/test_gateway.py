"""The one address: requests reach the HTTP API byte for byte, and only requests meant for this machine."""

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.gateway import ApiProxy, ApiTarget, create_app
from local.graph_simulator import GraphSimulator
from tests.local.asgi import AppClient

TARGET = ApiTarget("http://127.0.0.1:4566", "a1b2c3d4")


class HttpApi(httpx.AsyncBaseTransport):
    """A fake emulator that records requests and gives a prepared response."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = httpx.Response(200, headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")], content=b"\x00\xff")
        self.problem: Exception | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        if self.problem:
            raise self.problem
        body = httpx.ByteStream(self.answer.read())  # not read yet, as from a network
        return httpx.Response(self.answer.status_code, headers=self.answer.headers, stream=body)


class RecordingObserver:
    """Records requests and responses."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def on_request(self, method: str, path: str, body: bytes, signature: str | None) -> None:
        self.events.append(("request", method, path, body, signature))

    def on_response(self, method: str, path: str, body: bytes, status_code: int) -> None:
        self.events.append(("answer", method, path, body, status_code))


@pytest.fixture
def observer() -> RecordingObserver:
    return RecordingObserver()


@pytest.fixture
def http_api() -> HttpApi:
    return HttpApi()


@pytest.fixture
def proxy(http_api: HttpApi, observer: RecordingObserver) -> ApiProxy:
    made = ApiProxy(observer, http_api)
    made.target = TARGET
    return made


@pytest.fixture
def client(proxy: ApiProxy) -> AppClient:
    async def simulated(_request: Request) -> Response:
        return Response("simulated")

    return AppClient(create_app(proxy, [Route("/_sim/x", simulated)]))


def test_compressed_bytes_reach_the_browser_as_they_are(client: AppClient, http_api: HttpApi) -> None:
    """httpx knows only some encodings; a browser that asked for another would get bytes without a name."""
    sent = b"\x0b\x05\x80not really brotli"
    http_api.answer = httpx.Response(200, headers={"content-encoding": "br"}, stream=httpx.ByteStream(sent))
    answer = client.get("/console/assets/index.js", headers={"accept-encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    assert http_api.requests[0].url.path == "/console/assets/index.js"
    assert answer.content == sent


def test_a_caller_that_accepts_no_encoding_gets_none(client: AppClient, http_api: HttpApi) -> None:
    client.request("GET", "/console", headers=[("Host", "127.0.0.1:8000"), ("Accept-Encoding", "")])
    [asked] = http_api.requests
    assert asked.headers.get("accept-encoding", "") == ""
    assert set(asked.headers) <= {"host", "accept", "accept-encoding", "connection", "user-agent"}


def test_the_console_has_one_origin(client: AppClient, http_api: HttpApi) -> None:
    """The issuer's address is 127.0.0.1, and under localhost the page would not be of its origin."""
    answer = client.get("http://localhost:8000/console/build?n=1")
    assert (answer.status_code, answer.headers["location"]) == (307, "http://127.0.0.1:8000/console/build?n=1")
    assert http_api.requests == []


def test_a_page_that_opens_too_early_waits_for_the_console(client: AppClient, proxy: ApiProxy) -> None:
    proxy.target = None
    answer = client.get("/console", headers={"accept": "text/html,*/*"})
    assert (answer.status_code, 'http-equiv="refresh"' in answer.text) == (503, True)


def test_a_wrong_method_is_answered_with_the_right_ones(proxy: ApiProxy) -> None:
    routes = GraphSimulator("http://127.0.0.1:1", {}).routes()
    client = AppClient(create_app(proxy, routes))
    refused = client.post("/_sim/faults", json={"rules": []})
    assert (refused.status_code, refused.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")
    assert refused.json()["error"] == {
        "code": "method_not_allowed",
        "message": "/_sim/faults has DELETE, GET, HEAD, PUT, not POST.",
    }
    refused = client.put("/_sim/phones/5511999990001/messages", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, POST")
    missing = client.get("/_sim/fault")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_path")
    assert "/_sim/faults" in missing.json()["error"]["message"]
    assert client.put("/_sim/faults", json={"rules": []}).status_code == 200


def test_body_headers_path_and_query_arrive_as_they_were_sent(client: AppClient, http_api: HttpApi) -> None:
    body = b'{"text":"caf\\u00e9 \\/",\n "n":1}\xff'
    client.post(
        "/api/v1/whatsapp/web%2Fhook?hub.mode=a%20b&x=1&x=2",
        content=body,
        headers={"X-Hub-Signature-256": "sha256=00", "Content-Type": "application/json"},
    )
    arrived = http_api.requests[0]
    assert arrived.content == body
    assert arrived.url.raw_path == b"/api/v1/whatsapp/web%2Fhook?hub.mode=a%20b&x=1&x=2"
    assert arrived.headers["x-hub-signature-256"] == "sha256=00"
    assert arrived.headers["content-type"] == "application/json"
    assert arrived.headers["host"] == "a1b2c3d4.execute-api.127.0.0.1:4566"
    assert arrived.headers.get_list("content-length") == [str(len(body))]


def test_the_answer_comes_back_as_it_was_given(client: AppClient) -> None:
    answer = client.get("/api/v1/flows")
    assert answer.content == b"\x00\xff"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_passed_on(client: AppClient, http_api: HttpApi, method: str) -> None:
    client.request(method, "/api/v1/flows")
    assert http_api.requests[0].method == method


def test_before_the_deployment_callers_are_told_to_come_back(client: AppClient, proxy: ApiProxy) -> None:
    proxy.target = None
    answer = client.get("/api/v1/flows")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert client.get("/_local/health").json()["status"] == "starting"


@pytest.mark.parametrize(("problem", "status"), [(httpx.ReadTimeout("late"), 504), (httpx.ConnectError("gone"), 502)])
def test_an_emulator_that_does_not_answer(
    client: AppClient, http_api: HttpApi, problem: Exception, status: int
) -> None:
    http_api.problem = problem
    assert client.get("/api/v1/flows").status_code == status


def test_other_routes_are_served_beside_the_api(client: AppClient, http_api: HttpApi) -> None:
    assert client.get("/_sim/x").text == "simulated"
    assert client.get("/_local/health").json()["status"] == "ready"
    assert http_api.requests == []


def test_the_address_itself_leads_to_the_console_and_nothing_else_does(client: AppClient, http_api: HttpApi) -> None:
    http_api.answer = httpx.Response(302, headers={"location": "/console"})
    assert client.get("/").headers["location"] == "/console"
    [asked] = http_api.requests
    assert asked.url.path == "/"
    missing = client.get("/index.php")
    assert (missing.status_code, missing.json()["error"]["message"]) == (404, "There is no /index.php.")
    assert len(http_api.requests) == 1


def test_another_host_name_is_refused(client: AppClient) -> None:
    assert client.get("/_local/health", headers={"Host": "evil.example"}).status_code == 400


def test_what_passes_is_heard_before_and_after(client: AppClient, observer: RecordingObserver) -> None:
    client.post("/api/v1/whatsapp/webhook", content=b"{}", headers={"X-Hub-Signature-256": "sha256=00"})
    assert observer.events == [
        ("request", "POST", "/api/v1/whatsapp/webhook", b"{}", "sha256=00"),
        ("answer", "POST", "/api/v1/whatsapp/webhook", b"{}", 200),
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"x" * (6 * 1024 * 1024 - 100), 200),
        (b'"' * (4 * 1024 * 1024), 413),  # escaped in the event
        (("é" * (3 * 1024 * 1024)).encode(), 413),  # with its quotes
        (b"\xff" * (5 * 1024 * 1024), 413),  # base64 in the event
        (b"x" * (10 * 1024 * 1024 + 1), 413),
    ],
)
def test_the_limits_of_api_gateway_and_lambda_hold_here_too(client: AppClient, body: bytes, status: int) -> None:
    assert client.put("/api/v1/flows/x", content=body).status_code == status


def test_a_response_that_lambda_cannot_return_is_an_error(client: AppClient, http_api: HttpApi) -> None:
    http_api.answer = httpx.Response(200, content=b"x" * (6 * 1024 * 1024))
    assert client.get("/api/v1/flows/x").status_code == 500
