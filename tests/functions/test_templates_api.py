"""Templates over the REST API, with a Graph API that keeps one account."""

import json
from typing import Any

import httpx
import pytest

from pytake.meta.graph_api import GraphApi
from pytake.wiring import api
from tests.functions.conftest import Gateway
from tests.functions.samples import NUMBER, NUMBER_PATH

ID = "100000000000001"
BODY = [{"type": "BODY", "text": "Oi"}]
REFUSAL = {"message": "Invalid parameter", "code": 100, "error_user_msg": "There is already content in this language"}


class Meta:
    """The account 5 at the Graph API. It lists two templates on a page."""

    def __init__(self) -> None:
        names = ("alfa", "beta", "gama")
        self.listed = [
            {
                "id": str(n),
                "name": name,
                "language": "pt_BR",
                "category": "UTILITY",
                "status": "APPROVED",
                "components": BODY,
            }
            for n, name in enumerate(names, 1)
        ]
        self.asked: list[str] = []
        self.refusal: httpx.Response | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if self.refusal is not None:
            return self.refusal
        assert request.url.path == "/v25.0/5/message_templates"
        if request.method == "POST":
            self.created = json.loads(request.content)
            return httpx.Response(200, json={"id": "8", "status": "PENDING", "category": "UTILITY"})
        if request.method == "DELETE":
            self.deleted = dict(request.url.params)
            return httpx.Response(200, json={"success": True})
        start = int(request.url.params.get("after", "0"))
        end = start + 2
        paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(end)}}
        if end < len(self.listed):
            paging["next"] = "https://elsewhere.example/with-a-token"
        return httpx.Response(200, json={"data": self.listed[start:end], "paging": paging})


@pytest.fixture
def meta(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Meta:
    meta = Meta()
    graph = GraphApi("https://graph.test", "v25.0", transport=httpx.MockTransport(meta))
    monkeypatch.setattr(api, "number_profiles", lambda: graph)
    assert gateway.api("PUT", NUMBER_PATH, NUMBER | {"waba_id": "5"}).status == 200
    return meta


def sync(gateway: Gateway) -> Any:
    return gateway.api("POST", "/api/v1/templates/sync", {"phone_number_id": ID}, role="builder")


def test_the_account_is_copied_page_by_page(gateway: Gateway, meta: Meta) -> None:
    copied = sync(gateway)
    assert (copied.status, [one["name"] for one in copied.body]) == (200, ["alfa", "beta", "gama"])
    assert len(meta.asked) == 2
    assert gateway.api("GET", "/api/v1/templates", role="agent").body == copied.body
    first = copied.body[0]
    assert gateway.api("GET", "/api/v1/templates/alfa/pt-BR").body == first
    assert first == {
        "waba_id": "5",
        "id": "1",
        "name": "alfa",
        "language": "pt_BR",
        "category": "UTILITY",
        "status": "APPROVED",
        "parameter_format": "POSITIONAL",
        "components": BODY,
        "quality": None,
        "reason": None,
        "title": None,
        "next_category": None,
    }


def test_the_list_is_paged_with_its_filters(gateway: Gateway, meta: Meta) -> None:
    sync(gateway)
    query = {"limit": "2", "status": "APPROVED", "language": "pt-BR"}
    page = gateway.api("GET", "/api/v1/templates", query=query)
    assert [one["name"] for one in page.body] == ["alfa", "beta"]
    following = httpx.URL(page.headers["link"].split(">")[0].lstrip("<"))
    rest = gateway.api("GET", following.path, query=dict(following.params))
    assert ([one["name"] for one in rest.body], "link" in rest.headers) == (["gama"], False)
    other = gateway.api("GET", "/api/v1/templates", query=dict(following.params) | {"status": "PAUSED"})
    assert other.body["code"] == "cursor_invalid"
    for query in ({"name": "beta"}, {"waba_id": "5", "category": "UTILITY"}, {"waba_id": "6"}):
        found = [one["name"] for one in gateway.api("GET", "/api/v1/templates", query=query).body]
        assert found == {"name": ["beta"], "category": ["alfa", "beta", "gama"]}.get(list(query)[-1], [])


def test_a_template_is_created_after_the_documented_rules(gateway: Gateway, meta: Meta) -> None:
    new = {"phone_number_id": ID, "name": "delta", "language": "pt-BR", "category": "UTILITY", "components": BODY}
    created = gateway.api("POST", "/api/v1/templates", new, role="builder")
    assert (created.status, created.body["id"], created.body["status"]) == (200, "8", "PENDING")
    sent = {"name": "delta", "language": "pt_BR", "category": "UTILITY", "components": BODY}
    assert meta.created == sent | {"parameter_format": "POSITIONAL"}
    assert gateway.api("GET", "/api/v1/templates/delta/pt_BR").body == created.body
    broken = new | {"components": [{"type": "BODY", "text": "Oi {{1}}"}]}
    refused = gateway.api("POST", "/api/v1/templates", broken, role="builder")
    assert (refused.status, refused.body["code"]) == (422, "template_invalid")
    assert [error["field"] for error in refused.body["errors"]] == ["BODY.example"]
    assert len(meta.asked) == 1


def test_a_template_is_deleted_by_its_id(gateway: Gateway, meta: Meta) -> None:
    sync(gateway)
    query = {"phone_number_id": ID, "language": "pt_BR"}
    assert gateway.api("DELETE", "/api/v1/templates/alfa", query=query, role="builder").status == 204
    assert meta.deleted == {"name": "alfa", "hsm_id": "1"}
    unknown = gateway.api("DELETE", "/api/v1/templates/alfa", query=query, role="builder")
    assert (unknown.status, unknown.body["code"]) == (404, "template_unknown")


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (httpx.Response(400, json={"error": REFUSAL}), 422, "template_refused"),
        (httpx.Response(401, json={"error": {"code": 190}}), 422, "template_refused"),
        (httpx.Response(503), 503, "meta_unavailable"),
        (httpx.Response(200, json=[]), 503, "meta_unavailable"),
    ],
)
def test_what_meta_refuses_is_told(
    gateway: Gateway, meta: Meta, refusal: httpx.Response, status: int, code: str
) -> None:
    meta.refusal = refusal
    answer = sync(gateway)
    assert (answer.status, answer.body["code"]) == (status, code)
    assert gateway.api("GET", "/api/v1/templates").body == []
    unknown = gateway.api("POST", "/api/v1/templates/sync", {"phone_number_id": "999999"}, role="builder")
    assert (unknown.status, unknown.body["code"]) == (404, "number_unknown")


def test_a_fallback_template_that_meta_would_refuse_is_stored_with_a_warning(gateway: Gateway, meta: Meta) -> None:
    meta.listed[1]["status"] = "PAUSED"
    meta.listed[2]["components"] = [
        {"type": "BODY", "text": "Oi {{1}}", "example": {"body_text": [["Ana"]]}},
    ]
    sync(gateway)

    def warned(name: str) -> list[str]:
        change = {"fallback_template": {"name": name, "language": "pt_BR"}, "default_flow_id": "", "keywords": {}}
        saved = gateway.api("PUT", NUMBER_PATH, NUMBER | change)
        assert all(problem["field"] == "fallback_template" for problem in saved.body["problems"])
        return [problem["code"] for problem in saved.body["problems"]]

    assert [warned(name) for name in ("alfa", "beta", "gama", "delta")] == [
        [],
        ["template_not_approved"],
        ["template_mismatch"],
        ["template_unknown"],
    ]
