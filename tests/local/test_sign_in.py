"""The local issuer's sign-in page: the code flow with PKCE for the console, and nothing for anyone else."""

import base64
import hashlib
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from local.oidc import AUDIENCE, Issuer
from local.sign_in import CODE_SECONDS, REFRESH_SECONDS, SignIn
from tests.local.asgi import AppClient

ORIGIN = "http://127.0.0.1:8000"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": "console",
    "redirect_uri": f"{ORIGIN}/console/login/callback",
    "response_type": "code",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": "the-state",
    "scope": "openid",
}
WHO = {"organization_id": "demo", "role": "agent", "name": "Zélia"}


@pytest.fixture
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer.with_key_in(tmp_path_factory.mktemp("key"), f"{ORIGIN}/_oidc")


@pytest.fixture
def client(issuer: Issuer) -> AppClient:
    return AppClient(Starlette(routes=issuer.routes()))


def code_of(answer: httpx.Response) -> str:
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def redeem(client: AppClient, **change: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "console",
        "redirect_uri": ASKED["redirect_uri"],
        "code_verifier": VERIFIER,
    }
    return client.post("/_oidc/token", data={**form, **change})


def signed_in(client: AppClient) -> str:
    return code_of(client.post("/_oidc/authorize", data={**ASKED, **WHO}))


def test_the_page_asks_who_one_is_in_the_browsers_language_without_a_script(client: AppClient) -> None:
    answer = client.get("/_oidc/authorize", params=ASKED, headers={"accept-language": "pt-BR,en;q=0.5"})
    assert answer.status_code == 200
    assert "Entrar no PyTake" in answer.text
    assert re.findall(r'name="role" value="(\w+)"', answer.text) == ["admin", "builder", "agent", "analyst"]
    assert "<script" not in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_what_the_request_contains_is_text_on_the_page(client: AppClient) -> None:
    answer = client.get("/_oidc/authorize", params={**ASKED, "state": '"><script>alert(1)</script>'})
    assert "<script" not in answer.text


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "other"},
        {"redirect_uri": "https://evil.example/console/login/callback"},
        {"redirect_uri": f"{ORIGIN}/console/login/callback/../../x"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"state": ""},
    ],
)
def test_a_wrong_request_is_refused_and_leads_nowhere(client: AppClient, change: dict[str, str]) -> None:
    for answer in (
        client.get("/_oidc/authorize", params={**ASKED, **change}),
        client.post("/_oidc/authorize", data={**ASKED, **WHO, **change}),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers


def test_a_code_becomes_tokens_of_this_person(client: AppClient, issuer: Issuer) -> None:
    sent = client.post("/_oidc/authorize", data={**ASKED, **WHO})
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    assert sent.headers["location"].startswith(ASKED["redirect_uri"])
    assert (sent.status_code, query["state"], query["iss"]) == (303, ["the-state"], [issuer.url])
    given = redeem(client, code=query["code"][0]).json()
    key = jwt.PyJWK(issuer.public_key)
    claims = jwt.decode(given["access_token"], key, ["RS256"], audience=AUDIENCE, issuer=issuer.url)
    assert {name: claims[name] for name in ("organization_id", "role", "name", "sub")} == {**WHO, "sub": "Zélia@demo"}
    assert given["expires_in"] == claims["exp"] - claims["iat"]


@pytest.mark.parametrize(
    "change",
    [{"code_verifier": "w" * 43}, {"redirect_uri": f"{ORIGIN}/other"}, {"client_id": "other"}, {"code": "guessed"}],
)
def test_a_code_is_worth_nothing_to_others(client: AppClient, change: dict[str, str]) -> None:
    assert redeem(client, **{"code": signed_in(client), **change}).status_code == 400


def test_a_code_and_a_refresh_token_are_good_once(client: AppClient) -> None:
    code = signed_in(client)
    given = redeem(client, code=code).json()
    assert redeem(client, code=code).json() == {"error": "invalid_grant"}
    refresh = {"grant_type": "refresh_token", "client_id": "console", "refresh_token": given["refresh_token"]}
    renewed = client.post("/_oidc/token", data=refresh)
    assert renewed.status_code == 200
    assert renewed.json()["refresh_token"] != given["refresh_token"]
    assert client.post("/_oidc/token", data=refresh).status_code == 400


def test_codes_and_refresh_tokens_expire() -> None:
    times = iter([0.0, CODE_SECONDS + 1.0, 100.0, 100.0, 100.0, 101.0 + REFRESH_SECONDS])
    sign_in = SignIn(ORIGIN, lambda *_: "token", now=lambda: next(times))
    client = AppClient(Starlette(routes=[*sign_in.routes(), Route("/_oidc/token", sign_in.token, methods=["POST"])]))
    assert redeem(client, code=signed_in(client)).status_code == 400
    given = redeem(client, code=signed_in(client)).json()
    refresh = {"grant_type": "refresh_token", "client_id": "console", "refresh_token": given["refresh_token"]}
    assert client.post("/_oidc/token", data=refresh).status_code == 400


def test_an_ended_session_cannot_be_renewed(client: AppClient) -> None:
    given = redeem(client, code=signed_in(client)).json()
    client.post("/_oidc/revoke", data={"token": given["refresh_token"], "client_id": "console"})
    refresh = {"grant_type": "refresh_token", "client_id": "console", "refresh_token": given["refresh_token"]}
    assert client.post("/_oidc/token", data=refresh).status_code == 400
    answer = client.get("/_oidc/logout", params={"post_logout_redirect_uri": "https://evil.example"})
    assert answer.headers["location"] == f"{ORIGIN}/console"


def test_what_is_kept_is_bounded(client: AppClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.sign_in.MAX_GRANTS", 3)
    first = signed_in(client)
    for _ in range(3):
        last = signed_in(client)
    assert redeem(client, code=first).status_code == 400
    assert redeem(client, code=last).status_code == 200


def test_discovery_describes_the_flow(client: AppClient) -> None:
    found = client.get("/_oidc/.well-known/openid-configuration").json()
    assert found["authorization_endpoint"] == f"{ORIGIN}/_oidc/authorize"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert {"token_endpoint", "end_session_endpoint", "revocation_endpoint", "jwks_uri"} <= set(found)
