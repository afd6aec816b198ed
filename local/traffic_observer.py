"""Updates the simulated WhatsApp from requests that pass the gateway.

A client that posts a signed notification to the webhook acts for Meta: the message is added to the person's phone and
opens the customer service window. A number that is connected through the REST API is added to the simulated Graph API
first, because a real number would already exist at Meta; if the API refuses it, it is removed again.
"""

import re

import msgspec

from local.graph_simulator import GraphSimulator, NumberCredentials
from pytake.whatsapp.inbound import NotJsonError, NotWhatsAppError, read_notification
from pytake.whatsapp.signature import verify

WEBHOOK_PATH = "/api/v1/whatsapp/webhook"
NUMBER_PATH = re.compile(r"/api/v1/numbers/([^/]+)")


class NumberSettings(msgspec.Struct):
    """The settings of a number that the Graph API needs too; omitted ones do not change."""

    app_secret: str | None = None
    access_token: str | None = None
    display_phone_number: str | None = None
    waba_id: str | None = None


class TrafficObserver:
    """Updates a simulator from requests and responses of the gateway."""

    def __init__(self, simulator: GraphSimulator) -> None:
        """Update `simulator`."""
        self._network = simulator.network
        self._exchanges = simulator.exchanges
        self._unconfirmed: set[str] = set()

    def on_request(self, method: str, path: str, body: bytes, signature: str | None) -> None:
        """Handle a request before it is forwarded: a reply may be sent before the webhook has responded."""
        if (method, path) == ("POST", WEBHOOK_PATH):
            self._notification(body, signature)
        number = NUMBER_PATH.fullmatch(path)
        if number and method == "PUT" and number[1] not in self._network.numbers:
            self._number(number[1], body)
            self._unconfirmed.add(number[1])

    def on_response(self, method: str, path: str, body: bytes, status_code: int) -> None:
        """Handle a request after its response."""
        if (method, path) == ("POST", WEBHOOK_PATH):
            self._exchanges.record_webhook(path, body, status_code)
        number = NUMBER_PATH.fullmatch(path)
        if number and method == "PUT":
            is_new = number[1] in self._unconfirmed
            self._unconfirmed.discard(number[1])
            if 200 <= status_code < 300:
                self._number(number[1], body)
            elif is_new:
                self._network.remove_number(number[1])

    def _notification(self, body: bytes, signature: str | None) -> None:
        try:
            notification = read_notification(body)
        except (NotJsonError, NotWhatsAppError):
            return
        for change in notification.changes:
            number = self._network.numbers.get(change.phone_number_id or "")
            if number is None or not verify(body, signature, [number.app_secret]):
                continue
            for message in change.messages:
                phone = self._network.phones.phone_of(message.contact_id)
                if phone.find(message.id):
                    continue  # posted by the simulator itself, or repeated
                if message.profile_name:
                    phone.name = message.profile_name
                now = self._network.clock()
                self._network.phones.add_inbound(phone, message.raw, message.phone_number_id, now)

    def _number(self, phone_number_id: str, body: bytes) -> None:
        try:
            given = msgspec.json.decode(body, type=NumberSettings)
        except msgspec.DecodeError:
            return
        known = self._network.numbers.get(phone_number_id, NumberCredentials("", "", ""))
        named = {name: value for name, value in msgspec.structs.asdict(given).items() if value}
        credentials = msgspec.structs.replace(known, **named)
        if credentials != known:
            self._network.add_number(phone_number_id, credentials)
