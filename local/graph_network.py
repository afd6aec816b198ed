"""The state of the simulated WhatsApp: numbers, phones and rate limits, and what is posted to the webhook about them."""

import base64
import functools
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import httpx
from msgspec import Meta, Struct

from local.graph_billing import Billing
from local.graph_errors import GraphApiError, title_of
from local.graph_faults import Faults
from local.graph_phones import Phone, Phones, SavedPhone, ScreenEntry
from local.graph_webhooks import ACCOUNT_ID, Sleep, StatusBatches, Webhooks, account_notification, notification

Json = dict[str, Any]

_PAIR_SECONDS, _PAIR_BURST = 6.0, 45
COEXISTING_PER_SECOND = 20  # Meta's limit, fixed
_READ_SECONDS = 30 * 86_400  # older messages cannot be marked as read


class NumberCredentials(Struct, frozen=True, forbid_unknown_fields=True):
    """A business number: the secret that signs its webhooks, the token that sends for it, the displayed number, and
    the WhatsApp Business account that has it. `coexists`: its owner uses it in the phone app, too."""

    app_secret: str
    access_token: str
    display_phone_number: str
    waba_id: str = ACCOUNT_ID
    coexists: bool = False

    @property
    def digits(self) -> str:
        """The digits of the displayed number."""
        return "".join(character for character in self.display_phone_number if "0" <= character <= "9")

    def profile(self, phone_number_id: str, webhook_url: str) -> Json:
        """What Meta says about the number. `health_status` has the nodes that a message passes."""
        nodes = {"PHONE_NUMBER": phone_number_id, "WABA": self.waba_id}
        entities = [{"entity_type": type_, "id": id_, "can_send_message": "AVAILABLE"} for type_, id_ in nodes.items()]
        return {
            "id": phone_number_id,
            "display_phone_number": self.display_phone_number,
            "verified_name": f"Business {self.display_phone_number}",
            "status": "CONNECTED",
            "is_on_biz_app": self.coexists,
            "platform_type": "CLOUD_API",
            "webhook_configuration": {"application": webhook_url},
            "health_status": {"can_send_message": "AVAILABLE", "entities": entities},
        }

    def business_profile(self) -> Json:
        """What people see about the business. Meta leaves out what the business has not filled in."""
        about = f"Business {self.display_phone_number}"
        return {"about": about, "vertical": "OTHER", "messaging_product": "whatsapp"}

    def __repr__(self) -> str:
        return f"NumberCredentials({self.display_phone_number!r})"


class TrafficLimits(Struct, forbid_unknown_fields=True):
    """Which of Meta's traffic limits are enforced."""

    pair_rate: bool = True
    """One message per 6 s to one recipient, with a burst of 45 (131056)."""
    messages_per_second: Annotated[int, Meta(ge=1)] | None = 80
    """Messages of one number, in and out together (130429); None: unlimited."""
    window: bool = True
    """Only templates 24 hours after the person's last message (131047)."""
    free_service_messages: Annotated[int, Meta(ge=0)] = 1000
    """So many service messages of a number and month are free."""


class SavedState(Struct):
    """What survives a restart: the phones, the numbers that were added at run time, and the templates."""

    phones: list[SavedPhone] = []
    numbers: dict[str, NumberCredentials] = {}
    templates: list[Json] = []


class Network:
    """Connects business numbers and phones: enforces the limits on messages and posts to the webhook."""

    def __init__(
        self,
        webhook_url: str,
        numbers: Mapping[str, NumberCredentials],
        *,
        limits: TrafficLimits,
        clock: Callable[[], float],
        sleep: Sleep,
        new_id: Callable[[], str],
        transport: httpx.AsyncBaseTransport | None,
        status_seconds: float,
    ) -> None:
        self.limits = limits
        self.numbers = dict(numbers)
        self.faults = Faults()
        self.phones = Phones()
        self.billing = Billing()
        self.webhooks = Webhooks(webhook_url, transport=transport, sleep=sleep)
        self.clock = clock
        self.sleep = sleep
        self.new_id = new_id
        self._added: dict[str, NumberCredentials] = {}
        self._statuses = StatusBatches(self._post_statuses, self.webhooks, sleep, status_seconds)
        self._number_rate: dict[str, float] = {}

    def add_number(self, phone_number_id: str, number: NumberCredentials) -> None:
        """Add a business number, or replace its credentials."""
        self.numbers[phone_number_id] = self._added[phone_number_id] = number

    def remove_number(self, phone_number_id: str) -> None:
        """Remove a business number, if there is one."""
        self.numbers.pop(phone_number_id, None)
        self._added.pop(phone_number_id, None)

    def saved(self, templates: list[Json]) -> SavedState:
        """The state for the next run."""
        return SavedState(self.phones.saved(), self._added, templates)

    def restore(self, saved: SavedState) -> None:
        """Restore the state of the last run."""
        self.phones.restore(saved.phones)
        for phone_number_id, number in saved.numbers.items():
            self.add_number(phone_number_id, number)

    def message_id(self) -> str:
        """A new message id as opaque as Meta's."""
        return f"wamid.{base64.b64encode(self.new_id().encode()).decode()}"

    def accept_outbound(
        self, phone_number_id: str, contact_id: str, payload: Json, category: str
    ) -> tuple[Phone, ScreenEntry]:
        """Put a checked message of the business on the phone and post its statuses, with its price in this category.

        Raises `GraphApiError` when this number may not write to this person now.
        """
        phone = self._check_send(phone_number_id, contact_id, payload)
        entry = self.phones.remember(phone).add_outbound(self.message_id(), payload, phone_number_id, self.clock())
        self._post_statuses_of(phone, entry, category)
        return phone, entry

    def mark_read_by_business(self, phone_number_id: str, message_id: str, *, typing: bool) -> None:
        """Show the read ticks and, with `typing`, the typing indicator. Raises `GraphApiError` for an unknown message."""
        found = self.phones.find_inbound(message_id)
        if not found or found[1].phone_number_id != phone_number_id:
            raise GraphApiError(
                131009, f"message_id {message_id!r} does not belong to a message that this number received"
            )
        phone, entry = found
        if self.clock() - entry.timestamp > _READ_SECONDS:
            raise GraphApiError(131009, f"message_id {message_id!r} is older than 30 days")
        phone.mark_read_by_business(entry)
        if typing:
            phone.show_typing(self.clock())

    def accept_inbound(self, phone: Phone, message: Json, message_id: str, phone_number_id: str) -> ScreenEntry:
        """Put a message of a person on the screen and post it to the webhook.

        The person has the chat open, so all messages in it become read. A message whose id is already on the screen is
        only posted again, as Meta does when it repeats a post.
        """
        now = self.clock()
        entry = phone.find(message_id)
        if entry is None:
            entry = self.phones.add_inbound(phone, {**message, "id": message_id}, phone_number_id, now)
        self._count_message(phone_number_id, now)
        self.mark_read_by_person(phone)
        value = {"contacts": [phone.profile(hidden="from" not in message)], "messages": [message]}
        self.post(phone_number_id, value, phone, functools.partial(_mark_delivered, entry))
        return entry

    def mark_read_by_person(self, phone: Phone) -> int:
        """Mark the delivered messages as read, post the statuses and return how many messages there were."""
        read = phone.mark_read_by_person()
        for entry in read:
            scope = {"phone": phone.contact_id, "phone_number_id": entry.phone_number_id}
            if entry.phone_number_id in self.numbers and not self.faults.consume(
                "drop_status", **scope, states=["read"]
            ):
                self._statuses.add(entry.phone_number_id, [self._status(entry, "read", phone)])
        return len(read)

    def _check_send(self, phone_number_id: str, contact_id: str, payload: Json) -> Phone:
        """The phone, if it may receive this message now. Raises `GraphApiError`; a refused message uses up no rate."""
        now = self.clock()
        phone = self.phones.phone_of(contact_id)
        if contact_id == self.numbers[phone_number_id].digits:
            raise GraphApiError(131021, "The recipient is the sender")
        if self.limits.window and payload.get("type") != "template" and not phone.window_open(phone_number_id, now):
            raise GraphApiError(
                131047, "More than 24 hours have passed since the recipient last replied to this number"
            )
        pair = _slot(phone.pair_rate.get(phone_number_id, 0.0), now, _PAIR_SECONDS, _PAIR_BURST)
        if self.limits.pair_rate and pair is None:
            raise GraphApiError(131056, "Too many messages to this recipient: one per 6 seconds after a burst of 45")
        if not self._count_message(phone_number_id, now):
            raise GraphApiError(130429, "Cloud API message throughput has been reached", http_status=429)
        if pair is not None:
            phone.pair_rate[phone_number_id] = pair
        return phone

    def _count_message(self, phone_number_id: str, now: float) -> bool:
        """Count one message against the number's rate limit; return False when the limit is reached."""
        per_second = self.limits.messages_per_second
        if per_second is None:
            return True
        number = self.numbers.get(phone_number_id)
        if number is not None and number.coexists:
            per_second = min(per_second, COEXISTING_PER_SECOND)
        slot = _slot(self._number_rate.get(phone_number_id, 0.0), now, 1 / per_second, per_second)
        if slot is not None:
            self._number_rate[phone_number_id] = slot
        return slot is not None

    def _post_statuses_of(self, phone: Phone, entry: ScreenEntry, category: str) -> None:
        """Post the statuses of an accepted message: sent and delivered, or those of a fault rule."""
        scope = {"phone": phone.contact_id, "phone_number_id": entry.phone_number_id}
        failed = self.faults.consume("fail_status", **scope)
        delayed = self.faults.consume("delay_status", **scope)
        states = ["failed"] if failed else ["sent", "delivered"]
        dropped = self.faults.consume("drop_status", **scope, states=states)
        if dropped:
            states = [state for state in states if dropped.state not in (None, state)]
        if states:
            entry.status = states[-1]
        if failed:
            statuses = [self._status(entry, state, phone, failed.code) for state in states]
        else:
            at, number = self.clock(), entry.phone_number_id
            pricing = self.billing.price(number, category, self.limits.free_service_messages, at)
            self.billing.record(number, phone.contact_id, pricing, at)
            statuses = [{**self._status(entry, state, phone), "pricing": pricing} for state in states]
            for status in statuses:
                status["conversation"] = {"id": f"{number}-{phone.contact_id}", "origin": {"type": category}}
        if statuses:
            self._statuses.add(entry.phone_number_id, statuses, delayed.seconds if delayed else 0.0)

    def _status(self, entry: ScreenEntry, state: str, phone: Phone, code: int | None = None) -> Json:
        payload = entry.message
        status: Json = {"id": entry.id, "status": state, "timestamp": str(int(self.clock()))}
        if phone.shown_number is not None:
            status["recipient_id"] = phone.shown_number
        status["recipient_user_id"] = phone.user_id
        if "biz_opaque_callback_data" in payload:
            status["biz_opaque_callback_data"] = payload["biz_opaque_callback_data"]
        if code is not None:
            title = title_of(code)
            details = {"details": "This failure was requested at /_sim/faults"}
            status["errors"] = [{"code": code, "title": title, "message": title, "error_data": details}]
        return status

    def _post_statuses(self, phone_number_id: str, statuses: list[Json]) -> None:
        """Post statuses, with the people in `contacts`; Meta leaves out those of failed messages."""
        reached = {status["recipient_user_id"] for status in statuses if status["status"] != "failed"}
        contacts = [self.phones.phone_of(user_id).profile() for user_id in sorted(reached)]
        self.post(phone_number_id, {**({"contacts": contacts} if contacts else {}), "statuses": statuses})

    def post(
        self,
        phone_number_id: str,
        value: Json,
        phone: Phone | None = None,
        on_delivered: Callable[[], None] | None = None,
        *,
        field: str = "messages",
    ) -> None:
        """Post a change of a number to the webhook, in order with the others about the phone."""
        number = self.numbers[phone_number_id]
        contact_id = phone.contact_id if phone else None
        twice = self.faults.consume("duplicate_webhook", phone=contact_id, phone_number_id=phone_number_id)
        self.webhooks.post(
            number.app_secret,
            notification(phone_number_id, number.digits, value, field),
            times=2 if twice else 1,
            order_lock=phone.order_lock if phone else None,
            on_delivered=on_delivered,
        )

    def post_of_account(self, number: NumberCredentials, field: str, value: Json) -> None:
        """Post a change of the number's WhatsApp Business account to the webhook."""
        self.webhooks.post(number.app_secret, account_notification(number.waba_id, field, value, self.clock()))


def _slot(reserved: float, now: float, interval: float, burst: int) -> float | None:
    """The next reservation at a rate of one per `interval` with bursts of `burst` (GCRA); None when the rate is used up."""
    slot = max(reserved, now) + interval
    # Rounding errors of seconds since the epoch add up over a burst.
    return slot if slot - now <= interval * (burst + 0.1) else None


def _mark_delivered(entry: ScreenEntry) -> None:
    if entry.status == "sent":
        entry.status = "delivered"
