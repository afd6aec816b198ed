"""The one address of the local cloud: the HTTP API, the token issuer, the simulated WhatsApp and the console."""

import contextlib
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
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

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

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def forward(self, request: Request) -> Response:
        """Forward a request and return the response: 503 before the deployment, 502 without a response, 504 if late."""
        if self.target is None:
            return JSONResponse({"message": "The local cloud is still starting"}, 503, {"Retry-After": "1"})
        raw_path: bytes = request.scope["raw_path"]
        query: bytes = request.scope["query_string"]
        url = httpx.URL(self.target.endpoint_url).copy_with(raw_path=raw_path + (b"?" + query if query else b""))
        body = await request.body()
        self._observer.on_request(request.method, request.url.path, body, request.headers.get("x-hub-signature-256"))
        headers = [(name, value) for name, value in request.headers.raw if name.lower() not in NOT_FORWARDED]
        try:
            answer = await self._client.request(
                request.method,
                url,
                headers=[(b"host", self.target.host.encode()), *headers],
                content=body,
            )
        except httpx.TimeoutException:
            return JSONResponse({"message": "Service Unavailable"}, 504)
        except httpx.TransportError as problem:
            return JSONResponse({"message": f"The embedded AWS did not answer: {problem}"}, 502)
        self._observer.on_response(request.method, request.url.path, body, answer.status_code)
        # httpx has decoded the body, so its encoding and length no longer hold.
        response = Response(answer.content, answer.status_code)
        response.raw_headers.extend(
            (name.lower(), value)
            for name, value in answer.headers.raw
            if name.lower() not in NOT_FORWARDED | {b"content-encoding", b"date"}
        )
        return response


def create_app(proxy: ApiProxy, more_routes: Sequence[BaseRoute], console: ASGIApp) -> Starlette:
    """Return the application behind the one address.

    Args:
        proxy: serves `/api/*`.
        more_routes: those of the token issuer and the simulated WhatsApp, with full paths.
        console: serves everything else.
    """
    started = time.time()

    async def health(_request: Request) -> Response:
        ready = proxy.target is not None
        body = {"status": "ready" if ready else "starting", "uptime_seconds": round(time.time() - started)}
        return JSONResponse(body, 200 if ready else 503)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await proxy.close()

    return Starlette(
        routes=[
            Route("/_local/health", health),
            Route("/api/{path:path}", proxy.forward, methods=METHODS),
            *more_routes,
            Mount("/", app=console),
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
        http="h11",  # by name: which one `auto` takes depends on what else is installed
        ws="websockets-sansio",
    )
    return GatewayServer(config)
