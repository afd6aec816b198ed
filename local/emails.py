"""Captured e-mails: Amazon SES's SendEmail, which the action `send_email` calls. Nothing leaves the machine.

Functions find it through `AWS_ENDPOINT_URL_SESV2`, which every AWS SDK supports.
"""

import uuid
from collections import deque
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

PREFIX = "/_ses"
MAX_EMAILS = 100
"""How many of the latest e-mails `GET /_sim/emails` shows."""


class Email(Struct):
    """A captured e-mail."""

    id: str
    sender: str
    to: list[str]
    subject: str
    text: str


class _Text(Struct, rename="pascal"):
    data: str


class _Body(Struct, rename="pascal"):
    text: _Text


class _Simple(Struct, rename="pascal"):
    subject: _Text
    body: _Body


class _Content(Struct, rename="pascal"):
    simple: _Simple


class _Destination(Struct, rename="pascal"):
    to_addresses: list[str]


class _SendEmail(Struct, rename="pascal"):
    from_email_address: str
    destination: _Destination
    content: _Content


class CapturedEmails:
    """The mailbox of everyone."""

    def __init__(self) -> None:
        self._emails: deque[Email] = deque(maxlen=MAX_EMAILS)

    def routes(self) -> list[BaseRoute]:
        """Return the routes of SendEmail and of `/_sim/emails`."""
        return [
            Route(PREFIX + "/v2/email/outbound-emails", self._send, methods=["POST"]),
            Route("/_sim/emails", self._show, methods=["GET"]),
            Route("/_sim/emails", self._clear, methods=["DELETE"]),
        ]

    async def _send(self, request: Request) -> Response:
        try:
            sent = msgspec.json.decode(await request.body(), type=_SendEmail)
        except msgspec.DecodeError as problem:
            return _json({"message": str(problem)}, 400, {"x-amzn-errortype": "BadRequestException"})
        content = sent.content.simple
        to = sent.destination.to_addresses
        email = Email(uuid.uuid4().hex, sent.from_email_address, to, content.subject.data, content.body.text.data)
        self._emails.append(email)
        return _json({"MessageId": email.id})

    async def _show(self, _request: Request) -> Response:
        return _json({"emails": list(self._emails)})

    async def _clear(self, request: Request) -> Response:
        self._emails.clear()
        return await self._show(request)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")
