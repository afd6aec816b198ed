"""Tokens of the local issuer: what the API's authorizer checks, and who can get one."""

import stat
from pathlib import Path

import jwt
import pytest
from starlette.applications import Starlette

from local.oidc import AUDIENCE, Issuer
from tests.local.asgi import AppClient

URL = "http://127.0.0.1:8000/_oidc"


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.with_key_in(tmp_path, URL)


@pytest.fixture
def client(issuer: Issuer) -> AppClient:
    return AppClient(Starlette(routes=issuer.routes()))


def claims(client: AppClient, token: str) -> dict[str, object]:
    """Check a token the way an authorizer does: by discovery, key id, signature, issuer and audience."""
    discovery = client.get("/_oidc/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(client.get(discovery["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    decoded: dict[str, object] = jwt.decode(token, key, ["RS256"], audience=AUDIENCE, issuer=discovery["issuer"])
    return decoded


def test_a_token_carries_organization_and_role(client: AppClient, issuer: Issuer) -> None:
    found = claims(client, issuer.mint("demo", "builder", 60))
    assert found["organization_id"] == "demo"
    assert found["role"] == "builder"
    assert found["sub"] == "builder@demo"
    assert found["exp"] == found["iat"] + 60  # type: ignore[operator]


def test_the_key_survives_a_restart_and_is_private(tmp_path: Path, issuer: Issuer) -> None:
    assert Issuer.with_key_in(tmp_path, URL).public_key == issuer.public_key
    assert stat.S_IMODE((tmp_path / "oidc-key.pem").stat().st_mode) == 0o600


def test_the_published_key_holds_nothing_private(issuer: Issuer) -> None:
    assert not {"d", "p", "q", "dp", "dq", "qi"} & issuer.public_key.keys()


@pytest.mark.parametrize(
    ("organization_id", "role", "ttl"), [("", "admin", 60), ("demo", "owner", 60), ("demo", "admin", 0)]
)
def test_what_no_token_is_made_for(issuer: Issuer, organization_id: str, role: str, ttl: int) -> None:
    with pytest.raises(ValueError, match=r"\."):
        issuer.mint(organization_id, role, ttl)


def test_whoever_sits_here_gets_a_token(client: AppClient) -> None:
    answer = client.post("/_oidc/token", json={"organization_id": "demo", "role": "agent", "ttl_seconds": 60})
    assert claims(client, answer.json()["access_token"])["role"] == "agent"


@pytest.mark.parametrize("body", [b"{", b"{}", b'{"organization_id": "demo", "role": "owner"}'])
def test_a_wrong_request_is_told_what_is_wrong(client: AppClient, body: bytes) -> None:
    answer = client.post("/_oidc/token", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_web_page_elsewhere_cannot_ask_for_a_token(client: AppClient) -> None:
    answer = client.post("/_oidc/token", content=b'{"organization_id": "demo"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
