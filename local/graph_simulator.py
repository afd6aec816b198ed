"""Simulates Meta for the local cloud: the Graph API, people's phones, and the webhook posts.

`/_graph/{version}/{phone_number_id}/messages` enforces Meta's rules (`graph_rules`), the customer service window and
the rate limits. `/_sim/…` acts for people: it posts what they write to the webhook as Meta does and shows what they
receive. All state is in memory and bounded. Call everything from one event loop: nothing here is thread-safe.
"""

import logging
import re
import time
import uuid
from asyncio import sleep as asyncio_sleep
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.exchanges import Exchanges
from local.graph_app import PhoneApp
from local.graph_errors import GraphApiError
from local.graph_faults import Fault
from local.graph_identity import Identities
from local.graph_inbound import form_message, media_message, reacted_entry, reaction_message, reply_message
from local.graph_media import MediaApi
from local.graph_network import Network, NumberCredentials, SavedState, TrafficLimits
from local.graph_numbers import GraphReads
from local.graph_phones import Phone, ScreenEntry
from local.graph_rules import MARKETING_KEYS, check_marketing, check_message, check_product, check_read, recipient_of
from local.graph_sim_requests import (
    ACTIONS,
    ConnectionCut,
    FaultRules,
    PersonAction,
    SimulatorRequestError,
    contact_id_of,
    errors_as_json,
    json_response,
    read_body,
    whole_number,
)
from local.graph_templates import TemplateApi
from local.graph_webhooks import Sleep

Json = dict[str, Any]

__all__ = ["GraphSimulator", "NumberCredentials", "TrafficLimits"]

logger = logging.getLogger(__name__)

_MAX_POLL_SECONDS = 30.0
_READ_MESSAGE = re.compile(rb'"message_id"\s*:\s*"([^"]+)"')


class GraphSimulator:
    """Simulates Meta for one webhook.

    `numbers` maps phone number ids to business numbers; more can be added at run time. `state_file` keeps phones and
    added numbers across restarts. Tests replace `clock`, `sleep`, `new_id` and `transport`. Statuses are collected for
    `status_seconds` before they are posted.
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
        self.network = Network(
            webhook_url,
            numbers,
            limits=limits or TrafficLimits(),
            clock=clock,
            sleep=sleep,
            new_id=new_id,
            transport=transport,
            status_seconds=status_seconds,
        )
        self._media = MediaApi(self._authorized, new_id)
        self.templates = TemplateApi(self.network)
        self._state_file = state_file
        self.exchanges = Exchanges(clock)
        """Graph API requests and webhook posts; the gateway records the posts (`local.traffic_observer`)."""

    async def start(self) -> None:
        """Restore the state file of the last run. A file that cannot be read is kept, with a warning in the log."""
        if self._state_file and self._state_file.exists():
            try:
                saved = msgspec.json.decode(self._state_file.read_bytes(), type=SavedState)
            except msgspec.DecodeError as error:
                logger.warning("Cannot restore the simulated phones of the last run: %s (%s)", error, self._state_file)
                return
            self.network.restore(saved)
            self.templates.restore(saved.templates)

    async def stop(self) -> None:
        """Stop posting and save the state for the next run. Posts without an answer are lost."""
        await self.network.webhooks.close()
        if self._state_file:
            unfinished = self._state_file.with_suffix(".new")
            unfinished.touch(mode=0o600)
            unfinished.write_bytes(msgspec.json.encode(self.network.saved(self.templates.saved())))
            unfinished.replace(self._state_file)

    async def idle(self) -> None:
        """Return when no webhook post is in progress or waits for a retry."""
        await self.network.webhooks.idle()

    def delete_phones(self) -> int:
        """Delete all phones and return how many there were."""
        return self.network.phones.clear()

    def add_number(self, phone_number_id: str, number: NumberCredentials) -> None:
        """Add a business number, or replace its credentials."""
        self.network.add_number(phone_number_id, number)

    def routes(self) -> list[BaseRoute]:
        """The routes of the Graph API and of `/_sim`, with full paths."""
        return [
            Route("/_graph/{version}/{phone_number_id}/messages", self._graph_messages, methods=["POST"]),
            Route("/_graph/{version}/{phone_number_id}/marketing_messages", self._graph_messages, methods=["POST"]),
            *GraphReads(self.network, self._authorized, (self._media.describe, self.templates.describe)).routes(),
            *self._media.routes(),
            *PhoneApp(self.network).routes(),
            *Identities(self.network).routes(),
            *self.templates.routes(),
            Route("/_graph/{rest:path}", self._graph_unknown, methods=["GET", "POST", "DELETE"]),
            Route("/_sim/phones", errors_as_json(self._list_phones), methods=["GET"]),
            Route("/_sim/phones/{phone}", errors_as_json(self._delete_phone), methods=["DELETE"]),
            Route("/_sim/phones/{phone}/messages", errors_as_json(self._read_screen), methods=["GET"]),
            Route("/_sim/phones/{phone}/messages", errors_as_json(self._perform), methods=["POST"]),
            Route("/_sim/phones/{phone}/read", errors_as_json(self._mark_read), methods=["POST"]),
            Route("/_sim/faults", errors_as_json(self._get_faults), methods=["GET"]),
            Route("/_sim/faults", errors_as_json(self._put_faults), methods=["PUT"]),
            Route("/_sim/faults", errors_as_json(self._delete_faults), methods=["DELETE"]),
            Route("/_sim/limits", errors_as_json(self._get_limits), methods=["GET"]),
            Route("/_sim/limits", errors_as_json(self._put_limits), methods=["PUT"]),
            Route("/_sim/billing", errors_as_json(self._get_billing), methods=["GET"]),
            Route("/_sim/numbers", errors_as_json(self._list_numbers), methods=["GET"]),
            Route("/_sim/numbers/{phone_number_id}", errors_as_json(self._put_number), methods=["PUT"]),
            Route("/_sim/webhooks", errors_as_json(self._get_webhooks), methods=["GET"]),
            Route("/_sim/exchanges", errors_as_json(self._get_exchanges), methods=["GET"]),
        ]

    async def _graph_unknown(self, request: Request) -> Response:
        supported = "POST /{version}/{id}/messages and /{version}/{id}/media, GET and DELETE /{version}/{id}"
        details = f"Unsupported {request.method.lower()} request: the simulator supports only {supported}"
        return json_response(GraphApiError(100, details).body(self.network.new_id()), 400)

    async def _graph_messages(self, request: Request) -> Response:
        body = await request.body()
        try:
            answer = await self._accept(
                request.path_params["phone_number_id"], request.headers.get("authorization"), body, request.url.path
            )
        except GraphApiError as error:
            headers = {}
            retry_after = error.more.pop("retry_after", None)
            if retry_after is not None:
                headers["Retry-After"] = str(retry_after)
            answer = json_response(error.body(self.network.new_id()), error.http_status, headers)
        read = _READ_MESSAGE.search(body)  # a read receipt names the message, not the recipient
        found = self.network.phones.find_inbound(read[1].decode()) if read else None
        phone = found[0].contact_id if found else None
        self.exchanges.record_graph_request(request.url.path, body, answer.status_code, bytes(answer.body), phone)
        return answer

    def _authorized(self, phone_number_id: str, authorization: str | None) -> NumberCredentials:
        """The number that a request is about. Raises `GraphApiError` unless the token is the number's."""
        number = self.network.numbers.get(phone_number_id)
        if authorization is None or not authorization.startswith("Bearer "):
            raise GraphApiError(190, "An access token is required", http_status=401)
        if number is None:
            details = f"Unsupported request. Object with ID '{phone_number_id}' does not exist"
            raise GraphApiError(100, details, more={"error_subcode": 33})
        if authorization.removeprefix("Bearer ") != number.access_token:
            raise GraphApiError(190, "The access token does not belong to this number", http_status=401)
        return number

    async def _accept(self, phone_number_id: str, authorization: str | None, body: bytes, path: str) -> Response:
        self._authorized(phone_number_id, authorization)
        try:
            payload = msgspec.json.decode(body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise GraphApiError(100, "The body must be a JSON object") from None
        check_product(payload)
        if "status" in payload:
            return self._accept_read(phone_number_id, payload)
        return await self._accept_message(phone_number_id, payload, marketing=path.endswith("/marketing_messages"))

    def _accept_read(self, phone_number_id: str, payload: Json) -> Response:
        check_read(payload)
        typing = "typing_indicator" in payload
        self.network.mark_read_by_business(phone_number_id, payload["message_id"], typing=typing)
        return json_response({"success": True})

    async def _accept_message(self, phone_number_id: str, payload: Json, *, marketing: bool) -> Response:
        contact_id = recipient_of(payload)
        scope = {"phone": contact_id, "phone_number_id": phone_number_id}
        hang = self.network.faults.consume("hang", **scope)
        if hang:
            await self.network.sleep(hang.seconds)
        fault = self.network.faults.consume("error", "cut_before", "cut_after", **scope)
        if fault and fault.kind == "cut_before":
            return ConnectionCut()
        if fault and fault.kind == "error":
            raise _injected_error(fault)
        policies = {name: payload.pop(name) for name in MARKETING_KEYS if marketing and name in payload}
        check_message(payload)
        held = self.templates.check_send(phone_number_id, payload)
        category = self.templates.category_of(phone_number_id, payload)
        category = check_marketing(policies, category) if marketing else category
        phone, entry = self.network.accept_outbound(phone_number_id, contact_id, payload, category)
        if fault:
            return ConnectionCut()
        contact = {"input": payload.get("to", contact_id)}
        if "to" in payload:
            contact["wa_id"] = phone.contact_id
        if "recipient" in payload:
            contact["user_id"] = phone.user_id
        message = {"id": entry.id}
        if payload.get("type") == "template":
            message["message_status"] = "held_for_quality_assessment" if held else "accepted"
        return json_response({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})

    # Requests to /_sim.

    async def _perform(self, request: Request) -> Response:
        contact_id = contact_id_of(request)
        action = await read_body(request, PersonAction)
        given = [name for name in ACTIONS if getattr(action, name) is not None]
        if len(given) != 1:
            raise SimulatorRequestError(422, "one_action", f"Give exactly one of {', '.join(ACTIONS)}", given=given)
        phone = self.network.phones.get(contact_id) or Phone(contact_id)
        phone_number_id, content = self._content(phone, action)
        if action.name:
            phone.name = action.name
        message: Json = {"id": self.network.message_id(), "timestamp": str(int(self.network.clock())), **content}
        if action.id:
            message["id"] = action.id
        message_id = str(message["id"] or self.network.message_id())
        if phone.shown_number is not None:
            message.setdefault("from", phone.shown_number)
        message.setdefault("from_user_id", phone.user_id)
        if action.reply_to:
            message.setdefault("context", {"id": action.reply_to})
        # An action can set a field to None to simulate that Meta leaves it out.
        message = {key: value for key, value in message.items() if value is not None}
        entry = self.network.accept_inbound(phone, message, message_id, phone_number_id)
        return json_response({"id": message_id, "seq": entry.seq}, 202)

    def _content(self, phone: Phone, action: PersonAction) -> tuple[str, Json]:
        """The number that the person writes to, and the type and content of the message as Meta posts them."""
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
        if action.reaction is not None:
            target = reacted_entry(action.reaction, phone, action.phone_number_id)
            if target is None:
                raise SimulatorRequestError(404, "unknown_message", "This phone has no such message to react to")
            return target.phone_number_id, reaction_message(action.reaction, target)
        number = self._known_number(action.phone_number_id or next(iter(self.network.numbers), None))
        if action.form is not None:
            return number, form_message(action.form, None)
        if action.text is not None:
            return number, {"type": "text", "text": {"body": action.text}}
        if action.media is not None:
            media_id = action.media.id or str(int.from_bytes(self.network.new_id().encode()[-6:]))
            return number, media_message(action.media, media_id, self._media.put_sent(media_id, action.media, number))
        if action.location is not None:
            return number, {"type": "location", "location": msgspec.to_builtins(action.location)}
        return number, action.raw or {}

    def _context(self, offer: ScreenEntry) -> Json:
        number = self.network.numbers[self._known_number(offer.phone_number_id)]
        return {"context": {"from": number.digits, "id": offer.id}}

    def _known_number(self, phone_number_id: str | None) -> str:
        if phone_number_id is None:
            raise SimulatorRequestError(409, "no_number", "Add a number first: PUT /_sim/numbers/{phone_number_id}")
        if phone_number_id not in self.network.numbers:
            known = sorted(self.network.numbers)
            raise SimulatorRequestError(404, "unknown_number", f"There is no number {phone_number_id}", numbers=known)
        return phone_number_id

    async def _mark_read(self, request: Request) -> Response:
        return json_response({"read": self.network.mark_read_by_person(self._known(request))})

    async def _read_screen(self, request: Request) -> Response:
        after, wait = whole_number(request, "after"), whole_number(request, "wait")
        contact_id = contact_id_of(request)
        phone = self.network.phones.get(contact_id)
        if wait and phone:
            await phone.wait_for_more(after, min(wait, _MAX_POLL_SECONDS))
        elif wait:
            await self.network.sleep(1)
        return json_response(
            {
                "messages": phone.entries(after) if phone else [],
                "typing": phone.typing(self.network.clock()) if phone else False,
            }
        )

    async def _list_phones(self, _request: Request) -> Response:
        phones = []
        for phone in self.network.phones.all():
            entries = phone.entries()
            last = entries[-1] if entries else None
            phones.append({"phone": phone.contact_id, "name": phone.name, "messages": len(entries), "last": last})
        return json_response({"phones": phones})

    async def _delete_phone(self, request: Request) -> Response:
        self.network.phones.delete(self._known(request).contact_id)
        return Response(status_code=204)

    def _known(self, request: Request) -> Phone:
        contact_id = contact_id_of(request)
        phone = self.network.phones.get(contact_id)
        if phone is None:
            raise SimulatorRequestError(404, "unknown_phone", f"No message was sent from or to {contact_id}")
        return phone

    async def _get_faults(self, _request: Request) -> Response:
        return json_response({"rules": self.network.faults.rules})

    async def _put_faults(self, request: Request) -> Response:
        self.network.faults.replace((await read_body(request, FaultRules)).rules)
        return json_response({"rules": self.network.faults.rules})

    async def _delete_faults(self, _request: Request) -> Response:
        self.network.faults.replace([])
        return Response(status_code=204)

    async def _get_limits(self, _request: Request) -> Response:
        return json_response(self.network.limits)

    async def _put_limits(self, request: Request) -> Response:
        self.network.limits = await read_body(request, TrafficLimits)
        return json_response(self.network.limits)

    async def _get_billing(self, _request: Request) -> Response:
        return json_response({"messages": self.network.billing.as_json()})

    async def _list_numbers(self, _request: Request) -> Response:
        numbers = [
            {"phone_number_id": phone_number_id, "display_phone_number": number.display_phone_number}
            for phone_number_id, number in self.network.numbers.items()
        ]
        return json_response({"numbers": numbers})

    async def _put_number(self, request: Request) -> Response:
        phone_number_id = request.path_params["phone_number_id"]
        number = await read_body(request, NumberCredentials)
        self.add_number(phone_number_id, number)
        return json_response({"phone_number_id": phone_number_id, "display_phone_number": number.display_phone_number})

    async def _get_exchanges(self, request: Request) -> Response:
        phone, after = request.query_params.get("phone"), whole_number(request, "after")
        return json_response({"exchanges": self.exchanges.of_phone(phone, after)})

    async def _get_webhooks(self, _request: Request) -> Response:
        return json_response(self.network.webhooks.counters)


def _injected_error(fault: Fault) -> GraphApiError:
    more: Json = {} if fault.is_transient is None else {"is_transient": fault.is_transient}
    if fault.retry_after is not None:
        more["retry_after"] = fault.retry_after
    return GraphApiError(fault.code, "This error was requested at /_sim/faults", http_status=fault.status, more=more)
