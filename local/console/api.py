"""The REST API as the console sees it: asked without blocking, answered or with a problem that says what to do."""

from dataclasses import dataclass, field
from typing import Any, Literal

import httpx

from local.console.tokens import Identity, NoTokenError, Tokens
from local.rest_api import ANSWER_SECONDS, field_errors, is_local, problem_of

Kind = Literal["no_token", "token_refused", "role_not_allowed", "unreachable", "starting", "unknown", "refused"]

_KINDS: dict[int, Kind] = {401: "token_refused", 403: "role_not_allowed", 404: "unknown", 503: "starting"}


class ApiProblem(Exception):  # noqa: N818  a problem in the sense of RFC 9457
    """The API was not asked, did not answer or refused.

    `kind` is what the console can advise on; `code` and `problem` are the API's own, where it sent them.
    """

    def __init__(self, kind: Kind, detail: str, code: str = "", problem: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.kind: Kind = kind
        self.detail = detail
        self.code = code
        self.problem = problem or {}


@dataclass
class Api:
    """The REST API of one system, asked for one identity. The connections are shared by all pages."""

    client: httpx.AsyncClient
    tokens: Tokens
    identity: Identity
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **query: Any) -> Any:
        """Return the decoded answer to a GET; a query parameter of None is left out. Raises `ApiProblem`.

        A list that comes in parts is returned whole: its `Link` headers are followed.
        """
        answer = await self.request("GET", path, query=query)
        found = answer.json()
        while isinstance(found, list) and "next" in answer.links:
            rest = httpx.URL(answer.links["next"]["url"])
            answer = await self.request("GET", rest.path.removeprefix("/api/v1/"), query=dict(rest.params))
            found += answer.json()
        return found

    async def lines(self, path: str, **query: Any) -> bytes:
        """Return the answer to a GET as it came, for documents that are not JSON (lines, CSV). Raises `ApiProblem`."""
        return (await self.request("GET", path, query=query)).content

    async def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """Return the decoded answer to a POST. Raises `ApiProblem`."""
        return (await self.request("POST", path, body, query, headers)).json()

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Return a successful answer. Raises `ApiProblem` for everything else."""
        try:
            token = self.tokens.token(self.identity)
        except NoTokenError as error:
            raise ApiProblem("no_token", str(error)) from None
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = await self.client.request(
                method,
                f"/api/v1/{path.lstrip('/')}",
                params=asked,
                json=body,
                headers={"Authorization": f"Bearer {token}", **(headers or {})},
            )
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise ApiProblem("unreachable", f"{self.client.base_url}: {reason}") from error
        if answer.is_success:
            return answer
        raise refused(answer)


def api_client(url: str, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """Return the connections to the system at `url`; `transport` is for tests."""
    return httpx.AsyncClient(
        base_url=url.rstrip("/"),
        timeout=httpx.Timeout(ANSWER_SECONDS, connect=5),
        transport=transport,
        trust_env=not is_local(url),
    )


def refused(answer: httpx.Response) -> ApiProblem:
    """Return the problem of an unsuccessful response, with its problem details if it has them."""
    problem = problem_of(answer)
    detail = str(problem.get("detail") or problem.get("message") or answer.text[:300] or answer.reason_phrase)
    detail += "".join(f"\n{line}" for line in field_errors(problem))
    code = str(problem.get("code", ""))
    kind = _KINDS.get(answer.status_code, "refused")
    if kind == "starting" and code:
        kind = "refused"  # the API itself answered: it has said what is wrong
    return ApiProblem(kind, detail, code, problem)
