"""Performs the request of an api_call node: any author's URL, requested from inside a company's AWS account.

The author of a flow and the server are trusted with exactly one HTTP exchange with one public address: HTTPS to port 443, the
address checked and pinned (`addresses`, `connection`), no redirects, no proxy from the environment, and limits of time and
size. A secret goes only to the hosts that it was stored for. httpcore is used without httpx's client because it does no more
than that. `pytake.observability` turns its debug log off.

Errors begin with one of these codes:

url_invalid, url_not_https, url_has_credentials, port_refused, method_invalid, header_invalid, body_invalid, body_too_large,
secret_missing, secret_host_refused, secrets_unavailable, dns_failed, address_refused, connection_failed, connection_lost,
certificate_invalid, tls_failed, timeout, answer_broken, answer_encoding, answer_too_large, redirect_refused, http_status.
"""

import logging
import re
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from queue import Empty, SimpleQueue
from threading import Thread
from time import sleep
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import certifi
import httpcore
import httpx
import msgspec

from pytake.conversation.ports.tenants import FlowSecret
from pytake.effects.addresses import is_public, resolve
from pytake.effects.connection import Deadline, PinnedNetwork, out_of_time
from pytake.effects.errors import CallFailedError
from pytake.effects.redaction import Redactor
from pytake.effects.response import header, read_body, read_content
from pytake.engine import EffectResult, HttpRequest
from pytake.engine.limits import API_TIMEOUT_SECONDS
from pytake.engine.values import plain_text

MAX_REQUEST_BYTES = 256 * 1024
MAX_ADDRESSES = 4
"""How many addresses of a host are tried. All of them are checked."""

Resolve = Callable[[str, int], Sequence[str]]
"""Addresses of a host and port. May raise `OSError` or `UnicodeError`."""

RETRY_SECONDS = 0.5
"""The pause before the second attempt; twice as long before the third."""

_PASSING_STATUSES = frozenset({429, 502, 503, 504})
_PASSING_ERRORS = frozenset({"dns_failed", "connection_failed", "connection_lost", "answer_broken"})

_PORTS = {"https": 443, "http": 80}
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_METHODS_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})

# Headers of framing and of the next hop, and two that this module sets. Those of a flow are ignored instead of rejected, because
# flows that were made for other clients set some of them.
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "idempotency-key",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
_HOST_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")


class FlowSecrets(Protocol):
    """The values of `{{secrets.NAME}}` and their hosts."""

    def of_organization(self, organization_id: str, *, fresh: bool = False) -> Mapping[str, FlowSecret]:
        """The organization's secrets by name; `fresh` bypasses a cache. If it raises, the request is not sent."""


class HttpcoreCaller:
    """Performs `HttpRequest`s; safe to share between threads, made once per process.

    `allow_plain_http` and `allow_private_addresses` (which also allows every port) are for development. `resolve` and
    `ssl_context` replace the system's resolver and the trusted certificate authorities.
    """

    def __init__(
        self,
        secrets: FlowSecrets,
        *,
        allow_plain_http: bool = False,
        allow_private_addresses: bool = False,
        resolve: Resolve = resolve,
        ssl_context: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = sleep,
    ) -> None:
        self._secrets = secrets
        self._allow_plain_http = allow_plain_http
        self._allow_private_addresses = allow_private_addresses
        self._resolve = resolve
        self._given_ssl_context = ssl_context
        self._sleep = sleep

    def perform(self, organization_id: str, request: HttpRequest) -> EffectResult:
        """Sends the request, and again while the server is unavailable and attempts and time are left; returns the result.

        `ok` means a response with status 2xx. Status and body of other responses are kept, too. `body` is the response's
        JSON, or its text. `error` is `code: sentence`, with a code from the list above. Secrets of the request are
        redacted in the body.
        """
        secrets = _UsedSecrets(lambda fresh: self._secrets.of_organization(organization_id, fresh=fresh))
        seconds = request.timeout_seconds
        deadline = Deadline(seconds if 0 < seconds <= API_TIMEOUT_SECONDS else API_TIMEOUT_SECONDS)
        for attempt in range(1, request.attempts + 1):
            try:
                status, body = self._exchange(request.with_secrets(secrets), secrets.used, deadline)
            except CallFailedError as failed:
                result = EffectResult(ok=False, status=failed.status, error=str(failed))
                passing = failed.code in _PASSING_ERRORS
            else:
                body, passing = Redactor(secret.value for secret in secrets.used)(body), status in _PASSING_STATUSES
                result = EffectResult(ok=200 <= status < 300, status=status, body=body, error=_refusal(status))
            pause = RETRY_SECONDS * attempt
            if not passing or attempt == request.attempts or not deadline.has(pause):
                return result
            self._sleep(pause)
        return EffectResult(ok=False, error="internal: The request has no attempts.")

    def _exchange(self, request: HttpRequest, secrets: Collection[FlowSecret], deadline: Deadline) -> tuple[int, Any]:
        url = self._url(request)
        host, port = url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]
        # Before the name is resolved, because the name may contain the secret.
        if not all(host in hosts for hosts in (secret.hosts for secret in secrets)):
            raise CallFailedError("secret_host_refused", "The request uses a secret that may not be sent to its host.")
        method = request.method.upper()
        if method not in _METHODS:
            raise CallFailedError("method_invalid", "An API call may not use this method.")
        headers = _headers(request)
        content = _content(request, method, headers)
        network = PinnedNetwork(self._addresses(host, port, deadline), deadline)
        # One connection per call: a kept connection would outlive the check of its address, and the function's freeze.
        ssl_context = self._ssl_context if url.scheme == "https" else None
        with httpcore.ConnectionPool(ssl_context=ssl_context, network_backend=network) as pool:
            target = httpcore.URL(scheme=url.scheme, host=host, port=url.port, target=url.raw_path)
            all_headers = [(b"Host", url.netloc), *headers.values()]
            status = None
            try:
                with pool.stream(method, target, headers=all_headers, content=content) as response:
                    status = response.status
                    found = read_content(response.iter_stream(), header(response.headers, b"content-encoding"))
                    return status, read_body(found, header(response.headers, b"content-type"))
            except CallFailedError as failed:
                failed.status = status
                raise
            except httpcore.LocalProtocolError:
                raise CallFailedError("header_invalid", "A header holds what no header may hold.") from None
            except (httpcore.ProtocolError, httpcore.NetworkError):
                raise CallFailedError("answer_broken", "The response is incomplete, or is not HTTP.", status) from None

    def _url(self, request: HttpRequest) -> httpx.URL:
        try:
            url = httpx.URL(request.url.strip())
            if request.query_params:
                url = url.copy_merge_params(request.query_params)
            if url.host.endswith("."):
                url = url.copy_with(host=url.host[:-1])  # certificates name hosts without the final dot
        except (httpx.InvalidURL, ValueError, TypeError):
            raise CallFailedError("url_invalid", "The URL is invalid.") from None
        if url.scheme != "https" and not (url.scheme == "http" and self._allow_plain_http):
            raise CallFailedError("url_not_https", "The URL must begin with https://.")
        if url.userinfo:
            raise CallFailedError("url_has_credentials", "The URL contains a user name. Use an Authorization header.")
        host = url.raw_host.decode("ascii")
        if not _HOST_NAME.fullmatch(host) and ":" not in host:
            raise CallFailedError("url_invalid", "The host in the URL is invalid.")
        if url.port is not None and not 0 < url.port < 65536:
            raise CallFailedError("url_invalid", "The port in the URL is invalid.")
        if not self._allow_private_addresses and (url.port or 443) not in _PORTS.values():
            raise CallFailedError("port_refused", "Only the ports 443 and 80 may be called.")
        return url

    def _addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        """The host's addresses, resolved once. All are checked: if one is private, all are refused."""
        addresses = self._looked_up(host, port, deadline)
        if not addresses:
            raise CallFailedError("dns_failed", "The host's name has no address.")
        if not self._allow_private_addresses and not all(is_public(address) for address in addresses):
            raise CallFailedError("address_refused", "The host has an address that is not public.")
        return addresses[:MAX_ADDRESSES]

    def _looked_up(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        # In a thread: the system's resolver has no timeout and cannot be interrupted.
        answers: SimpleQueue[Sequence[str] | None] = SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, ValueError):
                answers.put(None)

        Thread(target=look_up, name="resolve", daemon=True).start()
        try:
            return answers.get(timeout=deadline.remaining()) or ()
        except Empty:
            raise out_of_time() from None

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return self._given_ssl_context or ssl.create_default_context(cafile=certifi.where())


class _UsedSecrets(Mapping[str, str]):
    """An organization's secrets, loaded when the first is needed. It records which were used."""

    def __init__(self, load: Callable[[bool], Mapping[str, FlowSecret]]) -> None:
        self._load = load
        self._loaded: Mapping[str, FlowSecret] | None = None
        self.used: set[FlowSecret] = set()

    def __getitem__(self, name: str) -> str:
        found = self._all().get(name)
        if found is None:
            found = self._all(fresh=True).get(name)  # it may just have been stored
        if found is None:
            # Without it, the request would fail for a reason that the author cannot see.
            raise CallFailedError("secret_missing", "The request uses a secret that the organization has not stored.")
        self.used.add(found)
        return found.value

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self, *, fresh: bool = False) -> Mapping[str, FlowSecret]:
        if self._loaded is None or fresh:
            try:
                self._loaded = self._load(fresh)
            except Exception as error:
                logging.getLogger(__name__).error("flow_secrets.unavailable error=%s", type(error).__name__)
                raise CallFailedError("secrets_unavailable", "The secrets could not be read.") from None
        return self._loaded


def _headers(request: HttpRequest) -> dict[str, tuple[bytes, bytes]]:
    """The headers to send by their lower-case names: the flow's, then this module's."""
    headers = {"accept": (b"Accept", b"*/*"), "user-agent": (b"User-Agent", b"PyTake")}
    try:
        for name, value in request.headers.items():
            if name.lower() not in _OURS:
                headers[name.lower()] = _header(name, value)
        headers["idempotency-key"] = _header("Idempotency-Key", quote(request.key, safe=_VISIBLE))
    except UnicodeError:
        raise _header_invalid() from None
    headers["accept-encoding"] = (b"Accept-Encoding", b"gzip")
    headers["connection"] = (b"Connection", b"close")
    return headers


def _header(name: str, value: str) -> tuple[bytes, bytes]:
    value = value.strip(" \t\r\n")  # a stored secret often ends with a line break
    if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
        raise _header_invalid()
    return name.encode("ascii"), value.encode("utf-8")


def _header_invalid() -> CallFailedError:
    return CallFailedError("header_invalid", "A header contains characters that are not allowed, such as a line break.")


def _content(request: HttpRequest, method: str, headers: dict[str, tuple[bytes, bytes]]) -> bytes | None:
    """The request's content; a missing Content-Type is added to `headers`."""
    body = request.body
    if body is None:
        return b"" if method in _METHODS_WITH_CONTENT else None
    given_type = headers.get("content-type", (b"", b""))[1].lower()
    try:
        if isinstance(body, str):
            content, content_type = body.encode(), b"text/plain; charset=utf-8"
        elif isinstance(body, dict) and given_type.startswith(b"application/x-www-form-urlencoded"):
            content, content_type = urlencode({name: plain_text(value) for name, value in body.items()}).encode(), b""
        else:
            content, content_type = msgspec.json.encode(body), b"application/json"
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError):
        raise CallFailedError("body_invalid", "The body cannot be encoded as JSON or as text.") from None
    if len(content) > MAX_REQUEST_BYTES:
        raise CallFailedError("body_too_large", f"The body is larger than {MAX_REQUEST_BYTES // 1024} KB.")
    headers.setdefault("content-type", (b"Content-Type", content_type))
    return content


def _refusal(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"redirect_refused: The server responded with the redirect {status}, which is not followed."
    return f"http_status: The server responded with the status {status}."
