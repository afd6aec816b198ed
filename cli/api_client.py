"""The REST API for commands: the client, the options that every such command has, and errors that say what to do."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cli.ending import fail
from local.rest_api import ANSWER_SECONDS, field_errors, is_local, problem_of

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_ORGANIZATION = "demo"

Url = Annotated[
    str, typer.Option("--url", envvar="PYTAKE_URL", help="The running system: the stack's ApiUrl, or the local cloud.")
]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="PYTAKE_TOKEN", show_envvar=True, help="A token of the system's OIDC issuer."),
]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", exists=True, dir_okay=False, help="A file that contains the token.")
]
Organization = Annotated[
    str, typer.Option("--org", help="The organization of the token that the local cloud issues if none is given.")
]


class ApiError(Exception):
    """The API rejected a request or did not respond; the text explains it to the user.

    `status` is None without a response; `problem` is the RFC 9457 document, empty when the response had none.
    """

    def __init__(self, message: str, status: int | None = None, problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem or {}


class ApiClient:
    """Calls the REST API with one token."""

    def __init__(self, url: str, token: str, transport: httpx.BaseTransport | None = None) -> None:
        """Call the system at `url`; `transport` is for tests."""
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self._url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS,
            transport=transport,
            trust_env=not is_local(url),
        )

    def get(self, path: str) -> Any:
        """Return the decoded response to a GET. Raises `ApiError`."""
        return self._request("GET", path)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Return the decoded response to a PUT. Raises `ApiError`."""
        return self._request("PUT", path, body)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the decoded response to a POST. Raises `ApiError`."""
        return self._request("POST", path, body)

    def delete(self, path: str) -> None:
        """Send a DELETE. Raises `ApiError`."""
        self._request("DELETE", path)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise unreachable_error(self._url, error) from error
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        if answer.is_success:
            return answer.json()
        raise error_of(answer)


@dataclass(frozen=True)
class Api:
    """The REST API that the options of a command select."""

    url: str = DEFAULT_URL
    token: str | None = None
    token_file: Path | None = None
    organization: str = DEFAULT_ORGANIZATION

    @contextmanager
    def connect(self) -> Iterator[ApiClient]:
        """Yield a client. Errors of the API end the command with a text and exit status 1."""
        try:
            client = ApiClient(self.url, find_token(self.url, self.token, self.token_file, self.organization))
            try:
                yield client
            finally:
                client.close()
        except ApiError as error:
            fail(str(error))


def with_api_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add --url, --token, --token-file and --org to a command; its parameter `api` gets the `Api` that they select."""

    def select(
        url: Url = DEFAULT_URL,
        token: Token = None,
        token_file: TokenFile = None,
        org: Organization = DEFAULT_ORGANIZATION,
    ) -> Api:
        return Api(url, token, token_file, org)

    options = inspect.signature(select).parameters

    @functools.wraps(command)
    def run(*arguments: Any, **values: Any) -> None:
        api = select(**{name: values.pop(name) for name in options if name in values})
        command(*arguments, api=api, **values)

    own = [parameter for name, parameter in inspect.signature(command).parameters.items() if name != "api"]
    run.__signature__ = inspect.Signature([*own, *options.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {name: value for name, value in command.__annotations__.items() if name != "api"} | {
        name: parameter.annotation for name, parameter in options.items()
    }
    return run


def find_token(
    url: str,
    token: str | None,
    token_file: Path | None,
    organization: str,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Return `token`, else the content of `token_file`, else a token that the local cloud issues.

    Raises `ApiError` when there is no token.
    """
    if token:
        return token.strip()
    if token_file:
        return token_file.read_text().strip()
    if not is_local(url):
        raise ApiError(f"{url} requires a token: give --token-file or --token, or set PYTAKE_TOKEN.")
    try:
        with httpx.Client(transport=transport, trust_env=False, timeout=10) as client:
            answer = client.post(f"{url.rstrip('/')}/_oidc/token", json={"organization_id": organization})
    except httpx.HTTPError as error:
        raise unreachable_error(url, error) from error
    if not answer.is_success:
        raise ApiError(f"{url} issues no tokens ({answer.status_code}). Give --token-file, or set PYTAKE_TOKEN.")
    return str(answer.json()["access_token"])


def unreachable_error(url: str, error: Exception) -> ApiError:
    """Return the error for a system that does not respond."""
    advice = "Start the local cloud with: pytake local" if is_local(url) else "Check the address."
    return ApiError(f"No response from {url} ({error}). {advice}")


def error_of(answer: httpx.Response) -> ApiError:
    """Return the error for an unsuccessful response, with its problem details if it has them."""
    problem, status = problem_of(answer), answer.status_code
    if status == httpx.codes.UNAUTHORIZED and "code" not in problem:
        text = "The token was rejected: it has expired, or its issuer or audience is wrong."
    elif "detail" in problem:
        text = str(problem["detail"]) + "".join(f"\n  {line}" for line in field_errors(problem))
        text += f" ({problem['code']})" if "code" in problem and "errors" not in problem else ""
    else:
        text = f"{answer.request.method} {answer.request.url} failed with {status}: {problem.get('message', answer.text[:500])}"
    return ApiError(text, status, problem)
