"""Meta for the local cloud: the Graph API that takes messages, the phones of the people, and the webhook posts between.

`/_graph/{version}/{phone_number_id}/messages` enforces Meta's rules (`graph_rules`), the customer service window and
the rates. `/_sim/…` plays the people: what they write reaches the webhook as Meta would post it, what they get can be
read. Everything runs in one event loop and in memory, bounded; nothing here is safe to call from another thread.
"""

import logging
import re
import time
import uuid
from asyncio import sleep as asyncio_sleep
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from local.exchanges import Exchanges
from local.graph_faults import Fault
from local.graph_network import Network, NumberCredentials, SavedState, TrafficLimits
from local.graph_phones import (
    LocationFromPerson,
    MediaFromPerson,
    Phone,
    ScreenEntry,
    form_message,
    media_message,
    reply_message,
)
from local.graph_rules import GraphApiError, check_message, check_product, check_read, is_user_id, recipient_of
from local.graph_webhooks import Sleep

Json = dict[str, Any]
T = TypeVar("T")

__all__ = ["GraphSimulator", "NumberCredentials", "TrafficLimits"]

logger = logging.getLogger(__name__)

_MAX_POLL_SECONDS = 30.0
_READ_MESSAGE = re.compile(rb'"message_id"\s*:\s*"([^"]+)"')


class PersonAction(Struct, forbid_unknown_fields=True):
    """What a person does: exactly one of the first six, and more about it."""

    text: str | None = None
    reply_id: str | None = None
    media: MediaFromPerson | None = None
    location: LocationFromPerson | None = None
    form: Json | None = None
    raw: Json | None = None
    name: str | None = None
    phone_number_id: str | None = None
    id: str | None = None
    reply_to: str | None = None


class FaultRules(Struct, forbid_unknown_fields=True):
    """The body of `PUT /_sim/faults`."""

    rules: list[Fault]


class SimulatorRequestError(Exception):
    """A request to `/_sim` that makes no sense, with what would."""

    def __init__(self, http_status: int, code: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.body = {"error": {"code": code, "message": message, **more}}


class GraphSimulator:
    """Plays Meta towards one webhook.

    `numbers` are the business numbers by phone number id; more can be added at run time. `state_file` keeps phones
    and added numbers over a restart. `clock`, `sleep`, `new_id` and `transport` are the world, replaced in tests;
    `status_seconds` is how long statuses are collected before they are posted.
    """

    def __init__(
        self,
        webhook_url: str,
        numbers: Mapping[str, NumberCredentials],
        *,
        limits: TrafficLimits | None = None,
        state_file: Path | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Sleep = asyncio_sleep,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        transport: httpx.AsyncBaseTransport | None = None,
        status_seconds: float = 0.2,
    ) -> None:
        self._network = Network(
            webhook_url,
            numbers,
            limits=limits or TrafficLimits(),
            clock=clock,
            sleep=sleep,
            new_id=new_id,
            transport=transport,
            status_seconds=status_seconds,
        )
        self._state_file = state_file
        self.exchanges = Exchanges(clock)
        """What went between the platform and Meta; the webhook posts are told by whoever passes them on."""

    async def start(self) -> None:
        """Take up what the last run left in the state file; one that cannot be read is left alone with a warning."""
        if self._state_file and self._state_file.exists():
            try:
                saved = msgspec.json.decode(self._state_file.read_bytes(), type=SavedState)
            except msgspec.DecodeError as error:
                logger.warning("The simulated phones of the last run are lost: %s (%s)", error, self._state_file)
                return
            self._network.restore(saved)

    async def stop(self) -> None:
        """Stop posting and leave the state for the next run. Posts that were not answered are lost."""
        await self._network.webhooks.close()
        if self._state_file:
            unfinished = self._state_file.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(msgspec.json.encode(self._network.saved()))
            unfinished.replace(self._state_file)

    async def idle(self) -> None:
        """Return when every webhook post was answered with 200."""
        await self._network.webhooks.idle()

    def delete_phones(self) -> int:
        """Forget what every phone shows; how many there were."""
        return self._network.phones.clear()

    def add_number(self, phone_number_id: str, number: NumberCredentials) -> None:
        """Add a business number, or replace its credentials."""
        self._network.add_number(phone_number_id, number)

    def routes(self) -> list[BaseRoute]:
        """Everything this plays, with full paths."""
        return [
            Route("/_graph/{version}/{phone_number_id}/messages", self._graph_messages, methods=["POST"]),
            Route("/_graph/{rest:path}", self._graph_unknown, methods=["GET", "POST", "DELETE"]),
            Route("/_sim/phones", _errors_as_json(self._list_phones), methods=["GET"]),
            Route("/_sim/phones/{phone}", _errors_as_json(self._delete_phone), methods=["DELETE"]),
            Route("/_sim/phones/{phone}/messages", _errors_as_json(self._read_screen), methods=["GET"]),
            Route("/_sim/phones/{phone}/messages", _errors_as_json(self._perform), methods=["POST"]),
            Route("/_sim/phones/{phone}/read", _errors_as_json(self._mark_read), methods=["POST"]),
            Route("/_sim/faults", _errors_as_json(self._get_faults), methods=["GET"]),
            Route("/_sim/faults", _errors_as_json(self._put_faults), methods=["PUT"]),
            Route("/_sim/faults", _errors_as_json(self._delete_faults), methods=["DELETE"]),
            Route("/_sim/limits", _errors_as_json(self._get_limits), methods=["GET"]),
            Route("/_sim/limits", _errors_as_json(self._put_limits), methods=["PUT"]),
            Route("/_sim/numbers", _errors_as_json(self._list_numbers), methods=["GET"]),
            Route("/_sim/numbers/{phone_number_id}", _errors_as_json(self._put_number), methods=["PUT"]),
            Route("/_sim/webhooks", _errors_as_json(self._get_webhooks), methods=["GET"]),
            Route("/_sim/exchanges", _errors_as_json(self._get_exchanges), methods=["GET"]),
        ]

    async def _graph_unknown(self, request: Request) -> Response:
        details = (
            f"Unsupported {request.method.lower()} request: the simulator plays POST /{{version}}/{{id}}/messages only"
        )
        return _json(GraphApiError(100, details).body(self._network.new_id()), 400)

    async def _graph_messages(self, request: Request) -> Response:
        body = await request.body()
        try:
            answer = await self._accept(
                request.path_params["phone_number_id"], request.headers.get("authorization"), body
            )
        except GraphApiError as error:
            headers = {}
            retry_after = error.more.pop("retry_after", None)
            if retry_after is not None:
                headers["Retry-After"] = str(retry_after)
            answer = _json(error.body(self._network.new_id()), error.http_status, headers)
        read = _READ_MESSAGE.search(body)  # such a request names a message in place of its person
        found = self._network.phones.find_inbound(read[1].decode()) if read else None
        phone = found[0].contact_id if found else None
        self.exchanges.record_graph_request(request.url.path, body, answer.status_code, bytes(answer.body), phone)
        return answer

    async def _accept(self, phone_number_id: str, authorization: str | None, body: bytes) -> Response:
        number = self._network.numbers.get(phone_number_id)
        if authorization is None or not authorization.startswith("Bearer "):
            raise GraphApiError(190, "An access token is required", http_status=401)
        if number is None:
            details = f"Unsupported post request. Object with ID '{phone_number_id}' does not exist"
            raise GraphApiError(100, details, more={"error_subcode": 33})
        if authorization.removeprefix("Bearer ") != number.access_token:
            raise GraphApiError(190, "The access token is not the one of this number", http_status=401)
        try:
            payload = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise GraphApiError(100, "The body must be a JSON object") from None
        check_product(payload)
        if "status" in payload:
            return self._accept_read(phone_number_id, payload)
        return await self._accept_message(phone_number_id, payload)

    def _accept_read(self, phone_number_id: str, payload: Json) -> Response:
        check_read(payload)
        typing = "typing_indicator" in payload
        self._network.mark_read_by_business(phone_number_id, payload["message_id"], typing=typing)
        return _json({"success": True})

    async def _accept_message(self, phone_number_id: str, payload: Json) -> Response:
        contact_id = recipient_of(payload)
        scope = {"phone": contact_id, "phone_number_id": phone_number_id}
        hang = self._network.faults.consume("hang", **scope)
        if hang:
            await self._network.sleep(hang.seconds)
        fault = self._network.faults.consume("error", "cut_before", "cut_after", **scope)
        if fault and fault.kind == "cut_before":
            return ConnectionCut()
        if fault and fault.kind == "error":
            raise _injected_error(fault)
        check_message(payload)
        phone, entry = self._network.accept_outbound(phone_number_id, contact_id, payload)
        if fault:
            return ConnectionCut()
        contact = {"input": payload.get("to", contact_id), "wa_id" if phone.is_phone else "user_id": phone.contact_id}
        return _json({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": entry.id}]})

    # What people do, and what whoever plays them may ask.

    async def _perform(self, request: Request) -> Response:
        contact_id = _contact_id(request)
        action = await _body(request, PersonAction)
        given = [
            name
            for name in ("text", "reply_id", "media", "location", "form", "raw")
            if getattr(action, name) is not None
        ]
        if len(given) != 1:
            raise SimulatorRequestError(
                422, "one_action", "Give exactly one of text, reply_id, media, location, form, raw", given=given
            )
        phone = self._network.phones.get(contact_id) or Phone(contact_id)
        phone_number_id, content = self._content(phone, action)
        if action.name:
            phone.name = action.name
        message: Json = {"id": self._network.message_id(), "timestamp": str(int(self._network.clock())), **content}
        if action.id:
            message["id"] = action.id
        message_id = str(message["id"] or self._network.message_id())
        message.setdefault("from" if phone.is_phone else "from_user_id", contact_id)
        if action.reply_to:
            message.setdefault("context", {"id": action.reply_to})
        # None takes a field out, to play a Meta that leaves it out.
        message = {key: value for key, value in message.items() if value is not None}
        entry = self._network.accept_inbound(phone, message, message_id, phone_number_id)
        return _json({"id": message_id, "seq": entry.seq}, 202)

    def _content(self, phone: Phone, action: PersonAction) -> tuple[str, Json]:
        """To which number a person writes, and what Meta says about the content."""
        if action.reply_id is not None:
            found = phone.find_choice(action.reply_id, action.phone_number_id)
            if found is None:
                message = f"No button or row with the id {action.reply_id!r} was offered to this phone"
                raise SimulatorRequestError(404, "never_offered", message, offered=phone.choice_ids()[:50])
            offer, choice = found
            return offer.phone_number_id, {**self._context(offer), **reply_message(offer, choice)}
        if action.form is not None:
            form = phone.last_form(action.phone_number_id)
            if form is not None:
                return form.phone_number_id, {**self._context(form), **form_message(action.form, form)}
        number = self._known_number(action.phone_number_id or next(iter(self._network.numbers), None))
        if action.form is not None:
            return number, form_message(action.form, None)
        if action.text is not None:
            return number, {"type": "text", "text": {"body": action.text}}
        if action.media is not None:
            media_id = action.media.id or str(int.from_bytes(self._network.new_id().encode()[-6:]))
            return number, media_message(action.media, media_id)
        if action.location is not None:
            return number, {"type": "location", "location": msgspec.to_builtins(action.location)}
        return number, action.raw or {}

    def _context(self, offer: ScreenEntry) -> Json:
        number = self._network.numbers[self._known_number(offer.phone_number_id)]
        return {"context": {"from": number.digits, "id": offer.id}}

    def _known_number(self, phone_number_id: str | None) -> str:
        if phone_number_id is None:
            raise SimulatorRequestError(409, "no_number", "Add a number first: PUT /_sim/numbers/{phone_number_id}")
        if phone_number_id not in self._network.numbers:
            known = sorted(self._network.numbers)
            raise SimulatorRequestError(404, "unknown_number", f"There is no number {phone_number_id}", numbers=known)
        return phone_number_id

    async def _mark_read(self, request: Request) -> Response:
        return _json({"read": self._network.mark_read_by_person(self._known(request))})

    async def _read_screen(self, request: Request) -> Response:
        after, wait = _whole_number(request, "after"), _whole_number(request, "wait")
        contact_id = _contact_id(request)
        phone = self._network.phones.get(contact_id)
        if wait and phone:
            await phone.wait_for_more(after, min(wait, _MAX_POLL_SECONDS))
        elif wait:
            await self._network.sleep(1)
        return _json(
            {
                "messages": phone.entries(after) if phone else [],
                "typing": phone.typing(self._network.clock()) if phone else False,
            }
        )

    async def _list_phones(self, _request: Request) -> Response:
        phones = []
        for phone in self._network.phones.all():
            entries = phone.entries()
            last = entries[-1] if entries else None
            phones.append({"phone": phone.contact_id, "name": phone.name, "messages": len(entries), "last": last})
        return _json({"phones": phones})

    async def _delete_phone(self, request: Request) -> Response:
        self._network.phones.delete(self._known(request).contact_id)
        return Response(status_code=204)

    def _known(self, request: Request) -> Phone:
        contact_id = _contact_id(request)
        phone = self._network.phones.get(contact_id)
        if phone is None:
            raise SimulatorRequestError(404, "unknown_phone", f"Nobody wrote from {contact_id} or to it")
        return phone

    async def _get_faults(self, _request: Request) -> Response:
        return _json({"rules": self._network.faults.rules})

    async def _put_faults(self, request: Request) -> Response:
        self._network.faults.replace((await _body(request, FaultRules)).rules)
        return _json({"rules": self._network.faults.rules})

    async def _delete_faults(self, _request: Request) -> Response:
        self._network.faults.replace([])
        return Response(status_code=204)

    async def _get_limits(self, _request: Request) -> Response:
        return _json(self._network.limits)

    async def _put_limits(self, request: Request) -> Response:
        self._network.limits = await _body(request, TrafficLimits)
        return _json(self._network.limits)

    async def _list_numbers(self, _request: Request) -> Response:
        numbers = [
            {"phone_number_id": phone_number_id, "display_phone_number": number.display_phone_number}
            for phone_number_id, number in self._network.numbers.items()
        ]
        return _json({"numbers": numbers})

    async def _put_number(self, request: Request) -> Response:
        phone_number_id = request.path_params["phone_number_id"]
        number = await _body(request, NumberCredentials)
        self.add_number(phone_number_id, number)
        return _json({"phone_number_id": phone_number_id, "display_phone_number": number.display_phone_number})

    async def _get_exchanges(self, request: Request) -> Response:
        phone, after = request.query_params.get("phone"), _whole_number(request, "after")
        return _json({"exchanges": self.exchanges.of_phone(phone, after)})

    async def _get_webhooks(self, _request: Request) -> Response:
        return _json(self._network.webhooks.counters)


class ConnectionCut(Response):
    """An answer that never comes: the connection closes after the head, so that the client knows nothing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (Starlette calls it)
        """Promise more than is sent; the server then has to close the connection."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def _errors_as_json(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer a `SimulatorRequestError` of `endpoint` as JSON."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except SimulatorRequestError as problem:
            return _json(problem.body, problem.http_status)

    return answer


def _contact_id(request: Request) -> str:
    phone: str = request.path_params["phone"].strip()
    digits = "".join(character for character in phone if character not in "+-() ")
    if digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15:
        return digits
    if is_user_id(phone):
        return phone
    raise SimulatorRequestError(
        422, "bad_phone", f"{phone!r} is no phone number (7 to 15 digits) and no business-scoped user id (BR.1A2B)"
    )


def _whole_number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "0")
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise SimulatorRequestError(422, "bad_query", f"{name} must be a whole number, not {text!r}")
    return int(text)


async def _body(request: Request, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SimulatorRequestError(422, "bad_body", str(error)) from None


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def _injected_error(fault: Fault) -> GraphApiError:
    more: Json = {} if fault.is_transient is None else {"is_transient": fault.is_transient}
    if fault.retry_after is not None:
        more["retry_after"] = fault.retry_after
    return GraphApiError(fault.code, "This error was asked for at /_sim/faults", http_status=fault.status, more=more)
