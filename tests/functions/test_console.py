"""The web console's files: the right bytes in the right encoding, and headers that let only them run."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from functions.console import handler as module
from functions.console.handler import FunctionFailedError, handler
from pytake.aws.media_files import S3MediaFiles
from pytake.aws.session import SIGNING, new_session
from pytake.conversation.ports.media import StoredFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

VARIABLES = {
    "organization_claim": "custom:organization_id",
    "role_claim": "role",
    "issuer": "https://issuer.example.com/pool",
    "console_client": "the-client",
    "console_token": "id_token",
    "console_scope": "openid,profile",
}
FILES = {
    "index.html": b"<!doctype html>",
    "index.html.br": b"br page",
    "index.html.gz": b"gz page",
    "assets/index-a1.js": b"script",
    "assets/index-a1.js.br": b"br script",
    "icon.svg": b"<svg/>",
    ".built": b"digest",
}


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, body in FILES.items():
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (tmp_path / "secret.js").write_text("outside")
    monkeypatch.setattr(module, "SITE", tmp_path / "site")
    monkeypatch.setenv("STAGE", "test")
    module.files.cache_clear()


def get(path: str, variables: dict[str, str] | None = None, **headers: str) -> SimpleNamespace:
    """Ask for a path as API Gateway does."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    event = {"rawPath": path, "headers": names, "stageVariables": VARIABLES if variables is None else variables}
    answer: dict[str, Any] = handler(event, None)
    body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer.get("body", "").encode()
    return SimpleNamespace(status=answer["statusCode"], headers=answer["headers"], body=body)


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/build/my.flow", "/console/login/callback"])
def test_every_path_of_the_console_is_its_page(path: str) -> None:
    answer = get(path)
    assert (answer.status, answer.body) == (200, FILES["index.html"])
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    url = "https://abc.lambda-url.us-east-1.on.aws/"
    answer = get("/console/config.json", variables=VARIABLES | {"console_webhook": url})
    assert json.loads(answer.body)["webhookUrl"] == url


def test_the_root_leads_to_the_console() -> None:
    answer = get("/")
    assert (answer.status, answer.headers["location"]) == (302, "/console")


def test_a_file_with_a_digest_in_its_name_is_kept_for_ever() -> None:
    answer = get("/console/assets/index-a1.js")
    assert (answer.status, answer.body) == (200, b"script")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br", "br", b"br page"),
        ("gzip", "gzip", b"gz page"),
        ("br;q=0, gzip;q=0.5", "gzip", b"gz page"),
        ("identity", None, b"<!doctype html>"),
    ],
)
def test_the_best_encoding_that_the_browser_takes(accepted: str, encoding: str | None, body: bytes) -> None:
    answer = get("/console", accept_encoding=accepted)
    assert (answer.headers.get("content-encoding"), answer.body) == (encoding, body)
    assert answer.headers["vary"] == "accept-encoding"


def test_a_file_that_the_browser_has_is_not_sent_again() -> None:
    first = get("/console", accept_encoding="br")
    again = get("/console", accept_encoding="br", if_none_match=f'W/"x", {first.headers["etag"]}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = get("/console", if_none_match=first.headers["etag"])
    assert other.status == 200, "each encoding has a tag of its own"


@pytest.mark.parametrize(
    "path",
    [
        "/console/assets/index-gone.js",
        "/console/assets/index-a1.js.br",
        "/consoles",
        "/api/v2/flows",
        "/favicon.ico",
        "/console/assets/../../secret.js",
    ],
)
def test_what_does_not_exist(path: str) -> None:
    assert get(path).status == 404


def test_no_path_leaves_the_site() -> None:
    for path in ("/console/../secret.js", "/console/..%2fsecret.js", "/console//etc/passwd", "/console/.built"):
        assert get(path).body == FILES["index.html"]


def test_the_settings_say_how_to_sign_in() -> None:
    answer = get("/console/config.json")
    assert json.loads(answer.body) == {
        "stage": "test",
        "issuer": "https://issuer.example.com/pool",
        "clientId": "the-client",
        "scope": "openid profile",
        "token": "id_token",
        "authorizeParameters": "",
        "webhookUrl": "",
        "logoutUrl": "",
        "organizationClaim": "custom:organization_id",
        "roleClaim": "role",
    }
    assert answer.headers["cache-control"] == "no-cache"


def policy(**variables: str) -> dict[str, str]:
    answer = get("/console", {**VARIABLES, **variables})
    return dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))


def test_only_the_consoles_own_files_run_and_only_its_servers_are_called() -> None:
    found = policy(console_origins="https://login.example.com,https://other.example.com:8443")
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == "'self'"
    assert found["connect-src"] == (
        "'self' https://issuer.example.com https://login.example.com https://other.example.com:8443"
    )
    assert found["frame-ancestors"] == found["base-uri"] == found["form-action"] == "'none'"
    assert "unsafe" not in str(found)


@pytest.mark.parametrize(
    ("bucket", "endpoint", "source"),
    [
        ("lake-1", None, "https://lake-1.s3.sa-east-1.amazonaws.com"),
        ("lake.acme", None, "https://s3.sa-east-1.amazonaws.com/lake.acme/"),
        ("lake-1", "http://127.0.0.1:4566", "http://127.0.0.1:4566/lake-1/"),
    ],
)
def test_uploads_may_go_where_the_signed_addresses_are(
    monkeypatch: pytest.MonkeyPatch, bucket: str, endpoint: str | None, source: str
) -> None:
    with monkeypatch.context() as given:
        given.setenv("AWS_ENDPOINT_URL", endpoint) if endpoint else given.delenv("AWS_ENDPOINT_URL", raising=False)
        found = policy(console_uploads=f"s3.sa-east-1.amazonaws.com/{bucket}")
        assert found["connect-src"] == f"'self' https://issuer.example.com {source}"
        assert found["img-src"] == f"'self' data: blob: https: {source}"
        given.setenv("AWS_DEFAULT_REGION", "sa-east-1")
        given.setenv("AWS_ACCESS_KEY_ID", "key")
        given.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        s3 = cast("S3Client", new_session().create_client("s3", config=SIGNING))
        url, _ = S3MediaFiles(lambda: s3, bucket).upload_link(
            "media/uploads/acme/up-1", StoredFile("image/png", 3, None), 60
        )
    assert url.startswith(f"{source.removesuffix('/')}/media/uploads/acme/up-1?")


@pytest.mark.parametrize("path", ["/", "/console", "/console/assets/index-a1.js", "/console/assets/gone.js"])
def test_every_answer_has_the_headers_that_protect_it(path: str) -> None:
    headers = get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "content-security-policy" in headers


def test_a_failure_reveals_nothing_of_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FunctionFailedError) as failed:
        handler({"headers": {"cookie": "private"}, "5511999990001": "wrote"}, None)
    assert failed.value.__context__ is None
    written = capsys.readouterr().out
    assert json.loads(written)["message"] == "function.failed"
    assert "private" not in f"{written}{failed.value}"
    assert "5511" not in f"{written}{failed.value}"
