"""The ASGI application around the emulator's: it answers Athena's calls and passes every other request on."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Timer
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPERATIONS = (
    "StartQueryExecution",
    "GetQueryExecution",
    "BatchGetQueryExecution",
    "ListQueryExecutions",
    "GetQueryResults",
    "GetQueryRuntimeStatistics",
    "StopQueryExecution",
    "GetTableMetadata",
)
"""What is answered here; work groups, named queries and prepared statements are the emulator's."""

TARGETS = {f"AmazonAthena.{operation}".encode(): operation for operation in OPERATIONS}


class Service(Protocol):
    """The interface of `service.AthenaService`."""

    def answer(self, operation: str, call: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return the HTTP status and the JSON for a call."""

    def close(self) -> None:
        """Stop the running queries."""


class AthenaEndpoint:
    """Answers Athena's queries and passes every other request on, untouched."""

    def __init__(self, app: App, open_service: Callable[[], Service], ahead_seconds: float | None = None) -> None:
        """Take the emulator's application and a function that opens the service at the first call.

        With `ahead_seconds`, the service opens after that time even without a call, so that the first call does not wait.
        """
        self._app = app
        self._open_service = open_service
        self._service: Service | None = None
        self._opening = Lock()
        self._closed = False
        self._ahead: Timer | None = None
        if ahead_seconds is not None:
            self._ahead = Timer(ahead_seconds, self._open)
            self._ahead.daemon = True
            self._ahead.start()
        # Separate threads: a call sends requests to the emulator, and its own threads must not wait for themselves.
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="athena-api")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        operation = _operation(scope)
        if operation is None:
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        loop = asyncio.get_running_loop()
        status, answer = await loop.run_in_executor(self._threads, self._answer, operation, body)
        content = json.dumps(answer).encode()
        headers = [
            (b"content-type", b"application/x-amz-json-1.1"),
            (b"content-length", str(len(content)).encode()),
            (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def close(self) -> None:
        """Stop the running queries."""
        if self._ahead is not None:
            self._ahead.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._opening:
            self._closed = True
            if self._service is not None:
                self._service.close()

    def _answer(self, operation: str, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            call = json.loads(body or b"{}")
        except ValueError:
            return 400, {"__type": "SerializationException", "message": "The body is not JSON"}
        service = self._open()
        if service is None:
            return 503, {"__type": "ServiceUnavailableException", "message": "It is ending"}
        return service.answer(operation, call)

    def _open(self) -> Service | None:
        with self._opening:
            if not self._closed:
                self._service = self._service or self._open_service()
            return self._service


def _operation(scope: Scope) -> str | None:
    if scope["type"] == "http" and scope["method"] == "POST":
        for name, value in scope["headers"]:
            if name == b"x-amz-target":
                return TARGETS.get(value)
    return None
