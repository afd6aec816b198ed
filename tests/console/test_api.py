"""The console's way to the REST API: answers, and problems that say what to do."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.console.api import Api, ApiProblem, api_client
from local.console.tokens import FileToken, Identity, MintedTokens, Tokens, claims_of
from tests.console.tokens import token_with

ADMIN = Identity("demo", "admin")


def asked(answer: Callable[[httpx.Request], httpx.Response], tokens: Tokens | None = None) -> Any:
    """Ask for the flows; give what came back."""

    async def ask() -> Any:
        client = api_client("http://127.0.0.1:8000", httpx.MockTransport(answer))
        return await Api(client, tokens or MintedTokens(lambda org, role: f"{org}/{role}"), ADMIN).get(
            "flows", limit=5, cursor=None
        )

    return asyncio.run(ask())


def problem_of(answer: Callable[[httpx.Request], httpx.Response], tokens: Tokens | None = None) -> ApiProblem:
    with pytest.raises(ApiProblem) as caught:
        asked(answer, tokens)
    return caught.value


def test_a_request_carries_the_token_and_only_the_parameters_that_are_given() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=[1])

    assert asked(answer) == [1]
    assert str(seen[0].url) == "http://127.0.0.1:8000/api/v1/flows?limit=5"
    assert seen[0].headers["authorization"] == "Bearer demo/admin"


def test_a_list_in_parts_is_returned_whole() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("cursor") == "a=b":
            return httpx.Response(200, json=[3])
        link = '</api/v1/flows?limit=5&cursor=a%3Db>; rel="next"'
        return httpx.Response(200, json=[1, 2], headers={"Link": link})

    assert asked(answer) == [1, 2, 3]


@pytest.mark.parametrize(
    ("status", "body", "kind", "detail"),
    [
        (401, {"message": "Unauthorized"}, "token_refused", "Unauthorized"),
        (403, {"code": "role_not_allowed", "detail": "yours is agent"}, "role_not_allowed", "yours is agent"),
        (404, {"code": "flow_unknown", "detail": "no flow x"}, "unknown", "no flow x"),
        (503, {"message": "still starting"}, "starting", "still starting"),
        (503, {"code": "queue_unavailable", "detail": "send again"}, "refused", "send again"),
        (
            422,
            {"code": "invalid", "detail": "Mend it.", "errors": [{"field": "a.b", "message": "is wrong"}]},
            "refused",
            "Mend it.\na.b: is wrong",
        ),
    ],
)
def test_a_refusal_is_a_problem_of_a_kind(status: int, body: dict[str, Any], kind: str, detail: str) -> None:
    problem = problem_of(lambda _: httpx.Response(status, json=body))
    assert (problem.kind, problem.detail) == (kind, detail)
    assert problem.code == body.get("code", "")


def test_an_answer_that_is_no_json_is_told_as_it_is() -> None:
    assert problem_of(lambda _: httpx.Response(502, text="<h1>Bad gateway</h1>")).detail == "<h1>Bad gateway</h1>"


def test_no_answer_names_the_address() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    problem = problem_of(answer)
    assert problem.kind == "unreachable"
    assert "127.0.0.1:8000" in problem.detail


def test_without_a_token_nothing_is_asked(tmp_path: Path) -> None:
    missing = tmp_path / "token.txt"
    problem = problem_of(lambda _: pytest.fail("asked"), FileToken(missing))
    assert problem.kind == "no_token"
    assert str(missing) in problem.detail
    missing.write_text(" \n")
    assert "is empty" in problem_of(lambda _: pytest.fail("asked"), FileToken(missing)).detail


def test_a_renewed_token_in_the_file_is_taken_up(tmp_path: Path) -> None:
    file = tmp_path / "token.txt"
    tokens = FileToken(file)
    for content in ("one", "two\n"):
        file.write_text(content)
        assert tokens.token(ADMIN) == content.strip()


def test_a_minted_token_is_used_until_it_is_about_to_end() -> None:
    now = 1000.0
    minted: list[tuple[str, str]] = []

    def mint(organization_id: str, role: str) -> str:
        minted.append((organization_id, role))
        return token_with(exp=now + 3600)

    tokens = MintedTokens(mint, clock=lambda: now)
    assert tokens.token(ADMIN) == tokens.token(ADMIN)
    assert minted == [("demo", "admin")]
    tokens.token(Identity("acme", "agent"))
    assert minted[1:] == [("acme", "agent")]
    now = 4500
    tokens.token(ADMIN)
    assert len(minted) == 3


def test_claims_of_what_is_no_token_are_empty() -> None:
    assert claims_of(token_with(role="agent"))["role"] == "agent"
    for text in ("", "abc", "a.b.c", f"a.{json.dumps([1])}.c", "a.WzFd.c"):
        assert claims_of(text) == {}
