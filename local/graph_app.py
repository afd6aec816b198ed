"""The WhatsApp Business app of a number that coexists with it: what its owner does there, as Meta posts it to the webhook.

The routes below `/_sim/numbers/{phone_number_id}` act for the owner. Source: WhatsApp Cloud API, "Onboarding WhatsApp
Business app users" (November 2026).
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.graph_network import Network, NumberCredentials
from local.graph_phones import Phone
from local.graph_rules import is_user_id
from local.graph_sim_requests import SimulatorRequestError, errors_as_json, json_response, read_body

Json = dict[str, Any]

DAY = 86_400
PHASES = ((0, DAY), (1, 90 * DAY), (2, 180 * DAY))
"""Meta posts the history in phases, by the age of the messages. Older ones are not shared."""

CHUNK_MESSAGES = 500
REFUSED = 2593109

Person = Annotated[str, Meta(pattern=r"^(\+?[1-9]\d{6,14}|[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128})$")]


class EchoAction(Struct, forbid_unknown_fields=True):
    """The body of `POST …/echoes`: staff write to a person. Either `text` or `raw`, the type and content in Meta's format."""

    phone: Person
    text: str | None = None
    raw: Json | None = None
    id: str | None = None


class SharedMessage(Struct, forbid_unknown_fields=True):
    """A message of the history. `timestamp` is in seconds; `raw` replaces the text by a type and content in Meta's format."""

    timestamp: int
    text: str = ""
    by_business: bool = False
    id: str | None = None
    status: Literal["DELIVERED", "ERROR", "PENDING", "PLAYED", "READ", "SENT"] = "READ"
    raw: Json | None = None


class SharedThread(Struct, forbid_unknown_fields=True):
    """The messages with one person."""

    phone: Person
    messages: list[SharedMessage]


class HistoryAction(Struct, forbid_unknown_fields=True):
    """The body of `POST …/history`: the owner shares the history, or refuses to."""

    threads: list[SharedThread] = []
    refused: bool = False
    chunk_messages: Annotated[int, Meta(ge=1, le=10_000)] = CHUNK_MESSAGES


class AppContact(Struct, forbid_unknown_fields=True):
    """A contact of the app. `add` also stands for an edit; `remove` carries no names."""

    phone: Person
    full_name: str = ""
    first_name: str = ""
    action: Literal["add", "remove"] = "add"


class ContactsAction(Struct, forbid_unknown_fields=True):
    """The body of `POST …/contacts`."""

    contacts: list[AppContact]


class AccountAction(Struct, forbid_unknown_fields=True):
    """The body of `POST …/account`: an event of the account. `details` are further members of Meta's value."""

    event: str
    of_number: bool = True
    details: Json = {}


class PreferenceAction(Struct, forbid_unknown_fields=True):
    """The body of `POST /_sim/numbers/{phone_number_id}/preferences`."""

    phone: str
    marketing: Literal["stop", "resume"]


class PhoneApp:
    """The routes that act for the owners of coexisting numbers, and that report what people choose in WhatsApp's settings."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[BaseRoute]:
        path = "/_sim/numbers/{phone_number_id}"
        return [
            Route(f"{path}/echoes", errors_as_json(self._echo), methods=["POST"]),
            Route(f"{path}/history", errors_as_json(self._history), methods=["POST"]),
            Route(f"{path}/contacts", errors_as_json(self._contacts), methods=["POST"]),
            Route(f"{path}/preferences", errors_as_json(self._preference), methods=["POST"]),
            Route(f"{path}/account", errors_as_json(self._account), methods=["POST"]),
        ]

    async def _echo(self, request: Request) -> Response:
        id_, number = self._coexisting(request)
        action = await read_body(request, EchoAction)
        if (action.text is None) == (action.raw is None):
            raise SimulatorRequestError(422, "one_action", "Give exactly one of text and raw")
        content = action.raw or {"type": "text", "text": {"body": action.text}}
        message_id, phone = action.id or self._network.message_id(), self._phone(action.phone)
        echo = {
            "from": number.digits,
            **_names("to", phone),
            "id": message_id,
            "timestamp": str(int(self._network.clock())),
            **content,
        }
        entry = phone.find(message_id) or self._network.phones.remember(phone).add_outbound(
            message_id, content, id_, self._network.clock()
        )
        value = {"contacts": [phone.profile()], "message_echoes": [echo]}
        self._network.post(id_, value, phone, field="smb_message_echoes")
        return json_response({"id": message_id, "seq": entry.seq}, 202)

    async def _history(self, request: Request) -> Response:
        id_, number = self._coexisting(request)
        action = await read_body(request, HistoryAction)
        if action.refused:
            error = {
                "code": REFUSED,
                "title": "History sharing is turned off",
                "message": "History sharing is turned off",
            }
            self._network.post(id_, {"history": [{"errors": [error]}]}, field="history")
            return json_response({"messages": 0, "webhooks": 1}, 202)
        chunks = self._chunks(number, action)
        for value in reversed(chunks):  # Meta keeps no order
            self._network.post(id_, value, field="history")
        threads = [thread for value in chunks for thread in value["history"][0]["threads"]]
        shared = sum(len(thread["messages"]) for thread in threads)
        return json_response({"messages": shared, "webhooks": len(chunks)}, 202)

    def _chunks(self, number: NumberCredentials, action: HistoryAction) -> list[Json]:
        """The values of the posts: each phase in chunks, each chunk with the threads of its messages."""
        now, newer_than = self._network.clock(), 0
        found: list[tuple[int, list[tuple[Phone, Json]]]] = []
        for phase, age in PHASES:
            messages = [
                (phone, self._shared(number, phone, message))
                for thread in action.threads
                for phone in (self._phone(thread.phone),)
                for message in thread.messages
                if newer_than <= max(0, now - message.timestamp) < age
            ]
            newer_than = age
            starts = range(0, len(messages), action.chunk_messages)
            found += [(phase, messages[start : start + action.chunk_messages]) for start in starts]
        values = []
        for order, (phase, chunk) in enumerate(found, start=1):
            by_phone: dict[str, tuple[Phone, list[Json]]] = {}
            for phone, message in chunk:
                by_phone.setdefault(phone.contact_id, (phone, []))[1].append(message)
            threads = [
                {"id": phone.contact_id, "context": _names("", phone), "messages": messages}
                for phone, messages in by_phone.values()
            ]
            metadata = {"phase": phase, "chunk_order": order, "progress": 100 * order // len(found)}
            values.append({"history": [{"metadata": metadata, "threads": threads}]})
        return values

    def _shared(self, number: NumberCredentials, phone: Phone, message: SharedMessage) -> Json:
        people = {"from": number.digits, **_names("to", phone)} if message.by_business else _names("from", phone)
        return {
            **people,
            "id": message.id or self._network.message_id(),
            "timestamp": str(message.timestamp),
            **(message.raw or {"type": "text", "text": {"body": message.text}}),
            "history_context": {"status": message.status},
        }

    async def _contacts(self, request: Request) -> Response:
        id_, _ = self._coexisting(request)
        action = await read_body(request, ContactsAction)
        timestamp = str(int(self._network.clock()))
        synced = []
        for contact in action.contacts:
            phone = self._phone(contact.phone)
            names = {"full_name": contact.full_name, "first_name": contact.first_name}
            known = {"phone_number": phone.shown_number} if phone.shown_number is not None else {}
            about = {**(names if contact.action == "add" else {}), **known, "user_id": phone.user_id}
            synced.append(
                {"type": "contact", "contact": about, "action": contact.action, "metadata": {"timestamp": timestamp}}
            )
        self._network.post(id_, {"state_sync": synced}, field="smb_app_state_sync")
        return json_response({"contacts": len(synced)}, 202)

    async def _preference(self, request: Request) -> Response:
        id_, _ = self._known(request)
        action = await read_body(request, PreferenceAction)
        phone = self._network.phones.remember(self._phone(action.phone))
        phone.marketing_stopped = action.marketing == "stop"
        choice = {
            **_names("", phone),
            "detail": f"User requested to {action.marketing} marketing messages",
            "category": "marketing_messages",
            "value": action.marketing,
            "timestamp": int(self._network.clock()),
        }
        value = {"contacts": [_names("", phone)], "user_preferences": [choice]}
        self._network.post(id_, value, phone, field="user_preferences")
        return json_response({"marketing": action.marketing}, 202)

    async def _account(self, request: Request) -> Response:
        id_, number = self._known(request)
        action = await read_body(request, AccountAction)
        if action.event in ("ACCOUNT_OFFBOARDED", "PARTNER_REMOVED", "ACCOUNT_RECONNECTED"):
            self._network.add_number(id_, replace(number, coexists=action.event == "ACCOUNT_RECONNECTED"))
        named = {"phone_number": number.digits} if action.of_number else {}
        self._network.post_of_account(number, "account_update", {"event": action.event, **named, **action.details})
        return json_response({"event": action.event}, 202)

    def _known(self, request: Request) -> tuple[str, NumberCredentials]:
        id_ = request.path_params["phone_number_id"]
        number = self._network.numbers.get(id_)
        if number is None:
            raise SimulatorRequestError(404, "unknown_number", f"There is no business number with the id {id_!r}")
        return id_, number

    def _coexisting(self, request: Request) -> tuple[str, NumberCredentials]:
        id_, number = self._known(request)
        if not number.coexists:
            message = "The number is not in the phone app. Set `coexists` with PUT /_sim/numbers/{phone_number_id}"
            raise SimulatorRequestError(409, "not_coexisting", message)
        return id_, number

    def _phone(self, person: str) -> Phone:
        contact_id = person if is_user_id(person) else person.removeprefix("+")
        return self._network.phones.get(contact_id) or Phone(contact_id)


def _names(side: str, phone: Phone) -> Json:
    """The ids of a person as a message names them on its `side`, or as the object about the person if that is empty."""
    prefix = f"{side}_" if side else ""
    number = {side or "wa_id": phone.shown_number} if phone.shown_number is not None else {}
    return {**number, f"{prefix}user_id": phone.user_id}
