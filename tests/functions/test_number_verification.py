"""A number is stored only when Meta lets the given access token use it."""

from typing import Any

import httpx
import pytest

from pytake.meta.graph_api import GraphApi
from pytake.wiring import api
from tests.functions.conftest import Gateway, reset_wiring
from tests.functions.samples import NUMBER, NUMBER_PATH

ID = "100000000000001"
NO_PERMISSION = {
    "message": "(#100) Unsupported get request",
    "type": "OAuthException",
    "code": 100,
    "error_subcode": 33,
}


class Meta:
    """A Graph API with one number and its token."""

    def __init__(self) -> None:
        self.token = str(NUMBER["access_token"])
        self.asked = 0
        self.outage: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.outage is not None:
            return self.outage
        if request.url.path != f"/v25.0/{ID}" or request.headers["authorization"] != f"Bearer {self.token}":
            return httpx.Response(400, json={"error": NO_PERMISSION})
        health = {"entities": [{"entity_type": "PHONE_NUMBER", "id": ID}, {"entity_type": "WABA", "id": "5"}]}
        return httpx.Response(200, json={"id": ID, "health_status": health})


@pytest.fixture
def meta(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Meta:
    """The Graph API that the REST API asks, because `VERIFY_NUMBERS` is on as in the template."""
    meta = Meta()
    monkeypatch.setenv("VERIFY_NUMBERS", "true")
    reset_wiring()
    graph = GraphApi("https://graph.test", "v25.0", transport=httpx.MockTransport(meta))
    monkeypatch.setattr(api, "number_profiles", lambda: graph)
    return meta


def test_a_number_is_stored_with_a_token_that_may_use_it(gateway: Gateway, meta: Meta) -> None:
    assert gateway.api("PUT", NUMBER_PATH, NUMBER).status == 200
    assert meta.asked == 1


@pytest.mark.parametrize("path", [NUMBER_PATH, "/api/v1/numbers/555555555555555"])
def test_an_organization_cannot_take_a_number_with_an_invented_token(gateway: Gateway, meta: Meta, path: str) -> None:
    invented: dict[str, Any] = NUMBER | {"access_token": "invented-token", "verify_token": "another-token"}
    refused = gateway.api("PUT", path, invented, org="rival")
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "number_unverified", "access_token")
    assert "Unsupported get request" in refused.body["detail"]
    assert gateway.api("GET", "/api/v1/numbers", org="rival").body == []
    assert gateway.api("PUT", NUMBER_PATH, NUMBER).status == 200, "the owner still gets it"


def test_only_a_new_token_is_tried(gateway: Gateway, meta: Meta) -> None:
    gateway.api("PUT", NUMBER_PATH, NUMBER)
    changed = {"display_phone_number": "+55 11 4000-0001", "keywords": {"oi": "hello"}}
    assert gateway.api("PUT", NUMBER_PATH, changed).status == 200
    assert meta.asked == 1
    refused = gateway.api("PUT", NUMBER_PATH, changed | {"access_token": "wrong-token"})
    assert (refused.status, refused.body["code"]) == (422, "number_unverified")
    meta.token = "new-access-token"
    assert gateway.api("PUT", NUMBER_PATH, changed | {"access_token": "new-access-token"}).status == 200


@pytest.mark.parametrize(
    "outage", [httpx.Response(503), httpx.Response(500, json={"error": {"code": 131000}})], ids=["503", "131000"]
)
def test_an_outage_of_meta_stores_nothing_and_says_so(gateway: Gateway, meta: Meta, outage: httpx.Response) -> None:
    meta.outage = outage
    refused = gateway.api("PUT", NUMBER_PATH, NUMBER)
    assert (refused.status, refused.body["code"]) == (503, "meta_unavailable")
    assert refused.headers["retry-after"] == "10"
    assert gateway.api("GET", NUMBER_PATH).status == 404


def test_the_account_of_a_number_is_what_meta_says(gateway: Gateway, meta: Meta) -> None:
    assert gateway.api("PUT", NUMBER_PATH, NUMBER).body["waba_id"] == "5"
    changed = {"display_phone_number": "+55 11 4000-0001"}
    assert gateway.api("PUT", NUMBER_PATH, changed).body["waba_id"] == "5", "an omitted account is kept"
    refused = gateway.api("PUT", NUMBER_PATH, changed | {"waba_id": "6"})
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, "number_setup", "waba_id")
    assert gateway.api("PUT", NUMBER_PATH, changed | {"waba_id": "5"}).status == 200
    assert meta.asked == 2, "only an account that is new is asked for"
    assert gateway.api("GET", NUMBER_PATH).body["waba_id"] == "5"


@pytest.mark.parametrize("waba_id", ["", "x", "5/phone_numbers", "1" * 21])
def test_an_account_is_a_number(gateway: Gateway, waba_id: str) -> None:
    assert gateway.api("PUT", NUMBER_PATH, NUMBER | {"waba_id": waba_id}).status == 422
