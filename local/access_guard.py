"""Who may talk to the local cloud: its own clients, and no page of another origin in a browser on the same machine.

A web page can send requests to any port of the loopback interface, and can reach it under a name of its own (DNS
rebinding). AWS clients send neither `Origin` nor `Sec-Fetch-Site`, and browsers always send one of them across origins.
Pages may do two things with the embedded AWS: show or download a file from an address that the API has signed, and upload to
such an address, if the bucket's CORS rules name their origin.
"""

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.embedded_aws import ACCOUNT

HEALTH_PATH = "/_ministack/health"

STRICT_PREFIXES = ("/_sim", "/_graph", "/_local", "/_oidc")
"""Paths of the one address that programs and the console use, and never a page of another origin."""

_FRAMES = (
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", b"frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'"),
)
_FILE_PATH = re.compile(r"/[a-z0-9.-]+/(media|files)/[A-Za-z0-9._/-]+")
_UPLOAD_PATH = re.compile(r"/[a-z0-9.-]+/(media/uploads|files)/[A-Za-z0-9._/-]+")
_HEADER = re.compile(rb"AWS4-HMAC-SHA256 Credential=([^/,]*)/")
_CREDENTIAL = re.compile(rb"(Credential=|X-Amz-Credential=)([A-Za-z0-9]+)")
_ROLE_KEY = re.compile(rb"A[KS]IA[A-Z0-9]{16}")
"""Keys that MiniStack has issued, and whose signatures it checks."""


class OwnClientsOnly:
    """Passes on to the embedded AWS what its own clients send, and answers 403 to everything else.

    The owner's access key is random for each run. MiniStack takes `test`, the number of an account, or no key for the account's
    owner, whose signature it does not check. So a request must have exactly one key: a role's, which MiniStack checks, or the
    random one, which is replaced by the account's number.
    """

    def __init__(self, app: ASGIApp, port: int, owner_key: str) -> None:
        """Guard `app`, which is served on `port` of the loopback interface."""
        self._app = app
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._api_host = re.compile(rf"[a-f0-9]{{8}}\.execute-api\.127\.0\.0\.1:{port}")
        """As MiniStack reads it: it takes a request to another host for one to a service of AWS."""
        self._owner_key = owner_key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        if self._api_host.fullmatch(host) and not scope["path"].startswith(
            "/_"
        ):  # public on AWS, too: its authorizer decides
            await self._app(scope, receive, send)
        elif host not in self._hosts:
            await _refuse(send, "Unknown host name")
        elif self._is_signed(scope):  # MiniStack checks the signature, and asks the bucket's CORS rules
            await self._app(scope, receive, send)
        elif b"origin" in headers or b"sec-fetch-site" in headers:
            await _refuse(send, "Pages of a browser may not use the embedded AWS")
        else:
            if scope["path"] != HEALTH_PATH and not self._is_of_this_run(scope):
                await _refuse(send, "These credentials are not this run's: see GET /_local/aws")
            else:
                await self._app(self._as_owner(scope), receive, _without_cors(send))

    def _is_of_this_run(self, scope: Scope) -> bool:
        keys = _claimed_keys(scope)
        return len(keys) == 1 and (keys[0] == self._owner_key or bool(_ROLE_KEY.fullmatch(keys[0])))

    def _is_signed(self, scope: Scope) -> bool:
        """Whether the address of a file or an upload has a role's signature: the owner signs none."""
        keys = _claimed_keys(scope)
        signed = len(keys) == 1 and _ROLE_KEY.fullmatch(keys[0]) and b"X-Amz-Signature=" in scope["query_string"]
        path = {"GET": _FILE_PATH, "PUT": _UPLOAD_PATH, "OPTIONS": _UPLOAD_PATH}.get(scope["method"])
        return bool(signed and path is not None and path.fullmatch(scope["path"]))

    def _as_owner(self, scope: Scope) -> Scope:
        def replaced(text: bytes) -> bytes:
            return _CREDENTIAL.sub(lambda m: m[1] + (ACCOUNT.encode() if m[2] == self._owner_key else m[2]), text)

        headers = [(name, replaced(value) if name == b"authorization" else value) for name, value in scope["headers"]]
        return {**scope, "headers": headers, "query_string": replaced(scope["query_string"])}


class OwnPagesOnly:
    """Answers 403 when a page of another origin asks for one of `STRICT_PREFIXES`, or sends anything but a navigation
    to the pages. The REST API below `/api` has its own rules (`AllowedOrigins`)."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and not scope["path"].startswith("/api/"):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
            if "origin" in headers:
                foreign |= urlsplit(headers["origin"]).netloc != headers.get("host", "")
            opens_a_page = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
            if foreign and (scope["path"].startswith(STRICT_PREFIXES) or not opens_a_page):
                await _refuse(send, "Only the pages of this address may ask for this")
                return
            await self._app(scope, receive, _unframed(send))
            return
        await self._app(scope, receive, send)


def _claimed_keys(scope: Scope) -> list[bytes]:
    """The access keys of a request, wherever MiniStack would look for one; b"" for what is not of signature version 4."""
    headers = [value for name, value in scope["headers"] if name == b"authorization"]
    keys = [match[1] if (match := _HEADER.match(value)) else b"" for value in headers]
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        if name.lower() in ("x-amz-credential", "awsaccesskeyid"):
            keys.append(value.partition("/")[0].encode() if name == "X-Amz-Credential" else b"")
    return keys


async def _refuse(send: Send, message: str) -> None:
    body = json.dumps({"message": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _unframed(send: Send) -> Send:
    """No page may show ours in a frame, in which it could guide a person's clicks."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept: Iterable[Any] = message.get("headers", ())
            message["headers"] = [*kept, *_FRAMES]
        await send(message)

    return sent


def _without_cors(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept: Iterable[Any] = message.get("headers", ())
            message["headers"] = [
                (name, value) for name, value in kept if not name.lower().startswith(b"access-control-")
            ]
        await send(message)

    return sent
