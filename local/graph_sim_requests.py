"""The requests to `/_sim`: their paths and bodies, and the errors that answer a wrong one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.graph_faults import Fault
from local.graph_inbound import ReactionFromPerson
from local.graph_phones import LocationFromPerson, MediaFromPerson
from local.graph_rules import is_user_id

Json = dict[str, Any]
T = TypeVar("T")


ACTIONS = ("text", "reply_id", "media", "location", "form", "reaction", "raw")


class PersonAction(Struct, forbid_unknown_fields=True):
    """The body of `POST /_sim/phones/{phone}/messages`: exactly one of the first seven fields, and optional details."""

    text: str | None = None
    reply_id: str | None = None
    media: MediaFromPerson | None = None
    location: LocationFromPerson | None = None
    form: Json | None = None
    reaction: ReactionFromPerson | None = None
    raw: Json | None = None
    name: str | None = None
    phone_number_id: str | None = None
    id: str | None = None
    reply_to: str | None = None


class FaultRules(Struct, forbid_unknown_fields=True):
    """The body of `PUT /_sim/faults`."""

    rules: list[Fault]


class SimulatorRequestError(Exception):
    """An invalid request to `/_sim`; the body says what is valid."""

    def __init__(self, http_status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.body = {"error": {"code": code, "message": message, **more}}


def errors_as_json(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Turn a `SimulatorRequestError` of `endpoint` into a JSON response."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SimulatorRequestError as problem:
            return json_response(problem.body, problem.http_status)

    return answer


def contact_id_of(request: Request) -> str:
    phone: str = request.path_params["phone"].strip()
    digits = "".join(character for character in phone if character not in "+-() ")
    if digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15:
        return digits
    if is_user_id(phone):
        return phone
    raise SimulatorRequestError(
        422,
        "bad_phone",
        f"{phone!r} is neither a phone number (7 to 15 digits) nor a business-scoped user id (BR.1A2B)",
    )


def whole_number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise SimulatorRequestError(422, "bad_query", f"{name} must be a whole number, not {text!r}")
    return int(text)


async def read_body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SimulatorRequestError(422, "bad_body", str(error)) from None


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")


class ConnectionCut(Response):
    """A response whose connection closes after the headers, so that the client does not know the outcome."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (Starlette calls it)
        """Send no body for the announced length, so that the server must close the connection."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
