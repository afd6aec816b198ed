"""The one address of the local cloud: the HTTP API, the token issuer, the simulated WhatsApp and the console."""

import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route

from local.access_guard import OwnPagesOnly

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
# Headers that belong to one connection (RFC 9110, section 7.6.1), and those that httpx sets itself.
NOT_FORWARDED = {
    b"connection",
    b"host",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"content-length",
}
GATEWAY_BYTES = 10 * 1024 * 1024
"""The largest body that an HTTP API takes; it answers 413 to a larger one."""

FUNCTION_BYTES = 6 * 1024 * 1024
"""The largest event and the largest response of a function: the same answer, and 500 for a response."""

STARTING = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>PyTake</title><p>The local cloud is starting. This page opens the console as soon as it is ready.</p></html>"""

MAX_ANSWER_SECONDS = 30.0
"""How long an HTTP API waits for a function."""

OWN_HOSTS_ONLY = [
    Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
    Middleware(OwnPagesOnly),
]
"""Only pages of this address, under its own host names: other sites could reach it by DNS rebinding or cross-site requests."""


@dataclass(frozen=True)
class ApiTarget:
    """Where the emulator serves the HTTP API."""

    endpoint_url: str
    api_id: str

    @property
    def host(self) -> str:
        """The host name that selects the API in the emulator; as on AWS, the path does not change."""
        return f"{self.api_id}.execute-api.{httpx.URL(self.endpoint_url).netloc.decode()}"


def _event_bytes(body: bytes) -> int:
    """The length of a body in a function's event or response: a text in JSON, or base64."""
    if len(body) * 2 < FUNCTION_BYTES:
        return len(body)  # not even escaping can make it too long
    try:
        return len(json.dumps(body.decode(), ensure_ascii=False).encode())
    except UnicodeDecodeError:
        return len(body) * 4 // 3


class ProxyObserver(Protocol):
    """Sees every request that passes and its status code (`local.traffic_observer`)."""

    def on_request(self, method: str, path: str, body: bytes, signature: str | None) -> None:
        """Handle a request before it is forwarded."""

    def on_response(self, method: str, path: str, body: bytes, status_code: int) -> None:
        """Handle the same request after its response."""


class ApiProxy:
    """Forwards requests to the HTTP API byte for byte, because signatures cover the exact body."""

    def __init__(self, observer: ProxyObserver, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """Start without a target: every request gets 503 until `target` is set."""
        self.target: ApiTarget | None = None
        self._observer = observer
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(MAX_ANSWER_SECONDS, connect=5),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=60),
            trust_env=False,
        )
        for name in list(self._client.headers):  # a request has the headers of the caller only
            del self._client.headers[name]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def forward(self, request: Request) -> Response:
        """Forward a request and return the response: 503 before the deployment, 502 without a response, 504 if late."""
        if self.target is None:
            if "text/html" in request.headers.get("accept", ""):
                return HTMLResponse(STARTING, 503, {"Retry-After": "2"})
            return JSONResponse({"message": "The local cloud is still starting"}, 503, {"Retry-After": "1"})
        raw_path: bytes = request.scope["raw_path"]
        query: bytes = request.scope["query_string"]
        url = httpx.URL(self.target.endpoint_url).copy_with(raw_path=raw_path + (b"?" + query if query else b""))
        body = await request.body()
        if len(body) > GATEWAY_BYTES or _event_bytes(body) > FUNCTION_BYTES:
            return JSONResponse({"message": "Request Entity Too Large"}, 413)
        self._observer.on_request(request.method, request.url.path, body, request.headers.get("x-hub-signature-256"))
        headers = [(name, value) for name, value in request.headers.raw if name.lower() not in NOT_FORWARDED]
        upstream = self._client.build_request(
            request.method, url, headers=[(b"host", self.target.host.encode()), *headers], content=body
        )
        try:
            answer = await self._client.send(upstream, stream=True)
            # Raw, because httpx cannot decode every encoding that a browser accepts.
            content = b"".join([part async for part in answer.aiter_raw()])
            await answer.aclose()
        except httpx.TimeoutException:
            return JSONResponse({"message": "Service Unavailable"}, 504)
        except httpx.TransportError as problem:
            return JSONResponse({"message": f"The embedded AWS did not answer: {problem}"}, 502)
        if _event_bytes(content) > FUNCTION_BYTES:
            return JSONResponse({"message": "Internal Server Error"}, 500)
        self._observer.on_response(request.method, request.url.path, body, answer.status_code)
        response = Response(content, answer.status_code)
        response.raw_headers.extend(
            (name.lower(), value) for name, value in answer.headers.raw if name.lower() not in NOT_FORWARDED | {b"date"}
        )
        return response


def create_app(proxy: ApiProxy, more_routes: Sequence[BaseRoute]) -> Starlette:
    """Return the application behind the one address.

    Args:
        proxy: serves `/api/*`, the web console below `/console`, and `/`, which leads there.
        more_routes: those of the token issuer and the simulated WhatsApp, with full paths.
    """
    started = time.time()

    async def wrong_address(request: Request) -> Response:
        """405 for a method that a path does not have, otherwise 404. The last route of its paths, because Starlette's own
        answers name the methods of one route only."""
        path, routes = request.url.path, [route for route in more_routes if isinstance(route, Route)]
        methods = {
            method
            for route in routes
            if route.matches(request.scope)[0] is not Match.NONE
            for method in route.methods or ()
        }
        if not methods:
            known = sorted({route.path for route in routes if route.path.startswith(f"/{path.split('/')[1]}/")})
            message = f"There is no {path}." + (f" The paths are {', '.join(known)}." if known else "")
            return JSONResponse({"error": {"code": "unknown_path", "message": message}}, 404)
        allowed = ", ".join(sorted(methods))
        message = f"{path} has {allowed}, not {request.method}."
        return JSONResponse({"error": {"code": "method_not_allowed", "message": message}}, 405, {"Allow": allowed})

    async def health(_request: Request) -> Response:
        ready = proxy.target is not None
        body = {"status": "ready" if ready else "starting", "uptime_seconds": round(time.time() - started)}
        return JSONResponse(body, 200 if ready else 503)

    async def web_console(request: Request) -> Response:
        """The console signs in at the issuer, whose address has this name; another name is another origin."""
        if request.url.hostname == "localhost":
            return RedirectResponse(request.url.replace(hostname="127.0.0.1"))
        return await proxy.forward(request)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await proxy.close()

    return Starlette(
        routes=[
            Route("/_local/health", health),
            Route("/api/{path:path}", proxy.forward, methods=METHODS),
            Route("/", web_console),
            Route("/console", web_console),
            Route("/console/{path:path}", web_console),
            *more_routes,
            Route("/{rest:path}", wrong_address, methods=METHODS),
        ],
        middleware=OWN_HOSTS_ONLY,
        lifespan=lifespan,
    )


class GatewayServer(uvicorn.Server):
    """A uvicorn server that leaves signals to `pytake local`, which also has to stop other things."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do not handle signals."""
        yield


def create_server(app: Any) -> GatewayServer:
    """Return the server of the one address; run it with `serve(sockets=[...])`."""
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=2,
        ws="none",
    )
    return GatewayServer(config)
