"""The REST API as the commands see it: where it is, who asks, and errors that say what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.parse import urlsplit

import httpx
import typer

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
    Path | None, typer.Option("--token-file", exists=True, dir_okay=False, help="A file that holds the token.")
]
Organization = Annotated[str, typer.Option("--org", help="For whom the local cloud issues a token when none is given.")]


class ApiError(Exception):
    """The API refused a request or did not answer. The text says so to a person.

    `status` is None without an answer; `problem` is the RFC 9457 document, empty when the answer held none.
    """

    def __init__(self, message: str, status: int | None = None, problem: dict[str, Any] | None = None) -> None:
        """Keep what is known of the failure."""
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
            timeout=35,  # an HTTP API gives up after 30 seconds
            transport=transport,
            trust_env=not is_local(url),
        )

    def get(self, path: str) -> Any:
        """Return the answer to a GET. Raises `ApiError`."""
        return self._request("GET", path)

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to a PUT. Raises `ApiError`."""
        return self._request("PUT", path, body)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer to a POST. Raises `ApiError`."""
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


@contextmanager
def connect(url: str, token: str | None, token_file: Path | None, organization: str) -> Iterator[ApiClient]:
    """Give a client of the system at `url`.

    The token is `token`, else the content of `token_file`, else one that the local cloud issues to whoever sits at this
    machine. Errors of the API end the command with a readable text and exit status 1.
    """
    try:
        client = ApiClient(url, find_token(url, token, token_file, organization))
        try:
            yield client
        finally:
            client.close()
    except ApiError as error:
        fail(str(error))


def find_token(
    url: str,
    token: str | None,
    token_file: Path | None,
    organization: str,
    transport: httpx.BaseTransport | None = None,
) -> str:
    """Return the token to call `url` with. Raises `ApiError` when there is none to be had."""
    if token:
        return token.strip()
    if token_file:
        return token_file.read_text().strip()
    if not is_local(url):
        raise ApiError(f"{url} wants a token: give --token-file or --token, or set PYTAKE_TOKEN.")
    try:
        with httpx.Client(transport=transport, trust_env=False, timeout=10) as client:
            answer = client.post(f"{url.rstrip('/')}/_oidc/token", json={"organization_id": organization})
    except httpx.HTTPError as error:
        raise unreachable_error(url, error) from error
    if not answer.is_success:
        raise ApiError(f"{url} issues no token ({answer.status_code}). Give --token-file, or set PYTAKE_TOKEN.")
    return str(answer.json()["access_token"])


def is_local(url: str) -> bool:
    """Say whether an address is this machine's own."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def unreachable_error(url: str, error: Exception) -> ApiError:
    """Return the error for a system that does not answer."""
    advice = "Start the local cloud with: pytake local" if is_local(url) else "Is the address right?"
    return ApiError(f"Nothing answers at {url} ({error}). {advice}")


def error_of(answer: httpx.Response) -> ApiError:
    """Return the error for an answer that is none of success, from its problem details if it has them."""
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    status = answer.status_code
    if status == httpx.codes.UNAUTHORIZED and "code" not in problem:
        text = "The token is not accepted: it may be expired, or of another issuer or audience."
    elif "detail" in problem:
        text = str(problem["detail"])
        for entry in problem.get("errors", ()):
            text += f"\n  {entry.get('field', '')}: {entry.get('message', '')}"
        text += f" ({problem['code']})" if "code" in problem and "errors" not in problem else ""
    else:
        text = f"{answer.request.method} {answer.request.url} was answered {status}: {answer.text[:500]}"
    return ApiError(text, status, problem)


def fail(message: str) -> NoReturn:
    """End the command with a text on stderr and exit status 1."""
    typer.secho(message, err=True, fg=typer.colors.RED if os.isatty(2) else None)
    raise typer.Exit(1)
