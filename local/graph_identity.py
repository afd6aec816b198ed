"""How people name themselves in the simulated WhatsApp: hiding the phone number, and changes of the number or the user id.

Source: WhatsApp Cloud API, "Business-scoped user IDs" (November 2026).
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from local.graph_network import Network
from local.graph_phones import Phone
from local.graph_sim_requests import SimulatorRequestError, contact_id_of, errors_as_json, json_response, read_body

Json = dict[str, Any]


class IdentityAction(Struct, forbid_unknown_fields=True):
    """The body of `PUT /_sim/phones/{phone}/identity`; what is left out stays.

    `reports`: by which webhooks Meta reports a new user id. Either may come alone.
    """

    hidden: bool | None = None
    phone: Annotated[str, Meta(pattern=r"^\+?[1-9]\d{6,14}$")] | None = None
    user_id: Annotated[str, Meta(pattern=r"^[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}$")] | None = None
    reports: tuple[Literal["system", "user_id_update"], ...] = ("system", "user_id_update")


class Identities:
    """The route that changes how a person is named. The numbers that know the person get Meta's posts about it."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[BaseRoute]:
        return [Route("/_sim/phones/{phone}/identity", errors_as_json(self._change), methods=["PUT"])]

    async def _change(self, request: Request) -> Response:
        contact_id, action = contact_id_of(request), await read_body(request, IdentityAction)
        phones = self._network.phones
        phone = phones.get(contact_id) or Phone(contact_id)
        new_phone = action.phone.removeprefix("+") if action.phone is not None else None
        if new_phone is not None and new_phone != phone.contact_id and phones.get(new_phone) is not None:
            raise SimulatorRequestError(
                409, "phone_taken", f"Another person has the number {new_phone}. Delete it first"
            )
        if (new_phone is not None or action.hidden) and not phone.is_phone:
            raise SimulatorRequestError(
                409, "no_phone", "This person has no phone number that could be changed or hidden"
            )
        before = (phone.shown_number, phone.user_id)
        phones.change_identity(phone, new_phone or phone.contact_id, action.user_id or phone.user_id)
        if action.hidden is not None:
            phone.hidden = action.hidden
        for phone_number_id in sorted(
            {entry.phone_number_id for entry in phone.entries()} & set(self._network.numbers)
        ):
            self._report(phone_number_id, phone, before, action)
        return json_response({"phone": phone.contact_id, "user_id": phone.user_id, "hidden": phone.hidden})

    def _report(
        self, phone_number_id: str, phone: Phone, before: tuple[str | None, str], action: IdentityAction
    ) -> None:
        number, user_id = before
        timestamp = str(int(self._network.clock()))
        shown = {"wa_id": phone.shown_number} if phone.shown_number is not None else {}
        changed_id = phone.user_id != user_id
        if (changed_id and "system" in action.reports) or (not changed_id and action.phone is not None):
            change = (user_id, phone.user_id) if changed_id else (number or user_id, phone.contact_id)
            system = {
                "type": "user_changed_user_id" if changed_id else "user_changed_number",
                "body": f"User {phone.name} changed from {change[0]} to {change[1]}",
                "user_id": phone.user_id,
                **shown,
            }
            sender = {"from": number} if number is not None else {"from_user_id": user_id}
            message = {"id": self._network.message_id(), "timestamp": timestamp, "type": "system", "system": system}
            self._network.post(phone_number_id, {"messages": [{**sender, **message}]}, phone)
        if changed_id and "user_id_update" in action.reports:
            update = {
                **shown,
                "detail": f"User id for {phone.contact_id} has been updated.",
                "user_id": {"previous": user_id, "current": phone.user_id},
                "timestamp": timestamp,
            }
            value = {"contacts": [{"profile": {"name": phone.name}, **shown}], "user_id_update": [update]}
            self._network.post(phone_number_id, value, phone, field="user_id_update")
