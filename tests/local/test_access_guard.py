"""Only the local cloud's own clients and pages may use it."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.access_guard import OwnClientsOnly, OwnPagesOnly
from tests.local.asgi import AppClient

KEY = "A1B2C3D4E5F6A7B8C9D0"
HOST = "127.0.0.1:4566"
EVIL = "https://evil.example"


def signed(key: str) -> dict[str, str]:
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20261129/us-east-1/sqs/aws4_request, Signature=00"}


async def seen(request: Request) -> Response:
    body = {"authorization": request.headers.get("authorization"), "query": request.url.query}
    return JSONResponse(body, headers={"Access-Control-Allow-Origin": "*"})


SEEN = Starlette(routes=[Route("/{path:path}", seen, methods=["GET", "POST", "PUT", "OPTIONS"])])


@pytest.fixture
def aws() -> AppClient:
    return AppClient(OwnClientsOnly(SEEN, 4566, KEY))


@pytest.fixture
def gateway() -> AppClient:
    return AppClient(OwnPagesOnly(SEEN))


def test_the_owner_of_this_run_is_the_account(aws: AppClient) -> None:
    answer = aws.post("/", headers={"Host": HOST, **signed(KEY)})
    assert answer.status_code == 200
    assert "Credential=000000000000/2026" in answer.json()["authorization"]
    assert not [name for name in answer.headers if name.startswith("access-control")]
    presigned = aws.get(f"/bucket/key?X-Amz-Credential={KEY}%2F20261129", headers={"Host": "localhost:4566"})
    assert presigned.json()["query"] == "X-Amz-Credential=000000000000%2F20261129"


def test_a_role_keeps_its_key(aws: AppClient) -> None:
    answer = aws.post("/", headers={"Host": HOST, **signed("ASIA0123456789ABCDEF")})
    assert "Credential=ASIA0123456789ABCDEF/" in answer.json()["authorization"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("000000000000"),
        signed("123456789012"),
        signed("test"),
        signed(""),
        signed("A1B2C3D4E5F6A7B8C9D1"),
        {"Authorization": "Bearer Credential=ASIA0123456789ABCDEF/"},
        {"Authorization": "AWS test:c2lnbmF0dXJl"},
        {**signed(KEY), "Origin": EVIL},
        {**signed(KEY), "Origin": f"http://{HOST}"},
        {**signed(KEY), "Sec-Fetch-Site": "none"},
        {**signed(KEY), "Host": "evil.example:4566"},
        {**signed(KEY), "Host": "127.0.0.1:9999"},
        {**signed(KEY), "Host": "bucket.evil.example"},
    ],
)
def test_everything_else_is_refused(aws: AppClient, headers: dict[str, str]) -> None:
    answer = aws.post("/", headers={"Host": HOST, **headers})
    assert (answer.status_code, "access-control-allow-origin" in answer.headers) == (403, False)
    assert aws.request("OPTIONS", "/", headers={"Host": HOST, **headers, "Origin": EVIL}).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Credential=test%2F20261129",
        "X-Amz-Credential=%74est%2F20261129",
        "x-amz-credential=000000000000%2F20261129",
        f"X-Amz-Credential={KEY}%2F20261129&X-Amz-Credential=test%2F20261129",
        f"X-Amz-Credential={KEY}%2F20261129&AWSAccessKeyId=test",
        f"AWSAccessKeyId={KEY}&Signature=00",
    ],
)
def test_a_foreign_key_in_the_address_is_refused_also_beside_our_own(aws: AppClient, query: str) -> None:
    for headers in ({"Host": HOST}, {"Host": HOST, **signed(KEY)}):
        assert aws.get(f"/bucket/key?{query}", headers=headers).status_code == 403


SIGNED = "X-Amz-Credential=ASIA0123456789ABCDEF%2F20261129&X-Amz-Signature=00"


@pytest.mark.parametrize("folder", ["media/uploads", "files"])
@pytest.mark.parametrize("method", ["OPTIONS", "PUT"])
def test_a_page_may_upload_to_a_signed_address_as_far_as_the_bucket_allows(
    aws: AppClient, method: str, folder: str
) -> None:
    headers = {"Host": HOST, "Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-site"}
    answer = aws.request(method, f"/bucket/{folder}/acme/up-1?{SIGNED}", headers=headers)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("file", ["media/contacts/acme/0/1", "media/uploads/acme/up-1", "files/acme/file-1"])
def test_a_page_may_show_and_download_a_file_from_a_signed_address(aws: AppClient, file: str) -> None:
    headers = {"Host": HOST, "Sec-Fetch-Site": "same-site"}
    assert aws.get(f"/bucket/{file}?{SIGNED}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", f"/bucket/events/acme/1?{SIGNED}"),
        ("GET", "/bucket/files/acme/file-1?X-Amz-Credential=ASIA0123456789ABCDEF%2F20261129"),
        ("POST", f"/bucket/media/uploads/acme/up-1?{SIGNED}"),
        ("PUT", f"/bucket/media/contacts/acme/1?{SIGNED}"),
        ("PUT", f"/2015-03-31/functions/pytake-local-api/code?{SIGNED}"),
        ("PUT", "/bucket/media/uploads/acme/up-1?X-Amz-Credential=ASIA0123456789ABCDEF%2F20261129"),
        ("PUT", "/bucket/media/uploads/acme/up-1?X-Amz-Signature=00"),
        ("PUT", "/bucket/media/uploads/acme/up-1?X-Amz-Credential=000000000000%2F20261129&X-Amz-Signature=00"),
        ("PUT", "/bucket/media/uploads/acme/up-1?X-Amz-Credential=test%2F20261129&X-Amz-Signature=00"),
        ("PUT", "/bucket/media/uploads/acme/up-1?X-Amz-Credential=123456789012%2F20261129&X-Amz-Signature=00"),
        ("PUT", f"/bucket/media/uploads/acme/up-1?{SIGNED}&X-Amz-Credential=test%2F20261129"),
        ("PUT", f"/bucket/media/uploads/acme/up-1?X-Amz-Credential={KEY}%2F20261129&X-Amz-Signature=00"),
    ],
)
def test_a_page_may_do_nothing_else(aws: AppClient, method: str, address: str) -> None:
    headers = {"Host": HOST, "Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-site"}
    assert aws.request(method, address, headers=headers).status_code == 403


def test_the_http_api_has_its_own_authorizer(aws: AppClient) -> None:
    headers = {"Host": f"a1b2c3d4.execute-api.{HOST}", "Origin": EVIL}
    assert aws.get("/api/v1/flows", headers=headers).headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "host",
    ["a1b2c3d4.execute-api.evil.example:4566", "a1b2c3d4.execute-api.localhost:4566", f"stranger.execute-api.{HOST}"],
)
def test_a_host_that_is_not_an_http_api_is_not_a_way_around_the_guard(aws: AppClient, host: str) -> None:
    assert aws.post("/", headers={"Host": host}).status_code == 403
    assert aws.post("/_ministack/reset", headers={"Host": f"a1b2c3d4.execute-api.{HOST}"}).status_code == 403


def test_health_needs_no_key(aws: AppClient) -> None:
    assert aws.get("/_ministack/health", headers={"Host": HOST}).status_code == 200
    assert aws.post("/_ministack/reset", headers={"Host": HOST}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/_sim/models", "/_graph/v25.0/1/messages", "/_local/aws", "/_oidc/token", "/console"]
)
@pytest.mark.parametrize(
    "headers", [{"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_foreign_page_gets_nothing_from_the_one_address(
    gateway: AppClient, path: str, headers: dict[str, Any]
) -> None:
    assert gateway.post(path, headers=headers).status_code == 403
    assert gateway.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/_sim/models", {}),
        ("/_sim/models", {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}),
        ("/console", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}),
        ("/api/v1/flows", {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_programs_own_pages_and_links_to_the_console_pass(
    gateway: AppClient, path: str, headers: dict[str, Any]
) -> None:
    assert gateway.get(path, headers=headers).status_code == 200


def test_a_foreign_page_cannot_navigate_to_the_simulator(gateway: AppClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert gateway.get("/_local/aws", headers=headers).status_code == 403


def test_no_page_can_show_the_console_in_a_frame(gateway: AppClient) -> None:
    headers = gateway.get("/console/build", headers={"Host": "127.0.0.1:8000"}).headers
    assert headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
