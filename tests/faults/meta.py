"""Meta in the simulation: accepts messages, reports statuses and posts webhooks."""

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from functions.webhook import handler as webhook
from pytake.whatsapp import signature
from pytake.whatsapp.errors import ErrorClass
from pytake.whatsapp.sending import AcceptedMessage, SendFailedError
from tests.faults.timeline import DAY

if TYPE_CHECKING:
    from tests.faults.world import World


META_RETRIES = (2, 10, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, DAY, DAY, DAY, DAY, DAY)
"""Meta redelivers a webhook until it is answered 200, for up to seven days."""


UNDELIVERED = (131026, 131047, 131049, 131050, 131053, 131042)
"""What Meta may say of a message that it took: not on WhatsApp, window closed, later, opted out, media, account."""


EVENT_JSON = {"requestContext": {"http": {"method": "POST"}}}


class Sent(Struct):
    """A message that Meta took."""

    at: float
    phone_number_id: str
    token: str
    payload: dict[str, Any]
    wamid: str
    last_in_phase: bool = False


class Meta:
    """Takes messages, reports what became of them, and posts webhooks until they are answered."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.sent: list[Sent] = []
        self.bad_tokens: set[str] = set()
        self.silent: set[str] = set()
        self.denied: list[Sent] = []
        """The messages that Meta took although it answered that it could not send them for now."""
        self.status_losses = 0.0
        self.repeats = 0.0
        self.late_statuses = 0.0
        self.undelivered = 0.0
        self.reported_failed: list[tuple[Sent, int]] = []
        self.read = True
        self.way_seconds = 0.3
        """How long a message is under way to Meta at most, and the answer back."""
        self.most_per_second: int | None = None
        """How many messages Meta takes of all numbers together; the others are refused with 130429."""
        self.too_fast: list[float] = []
        """When it refused them."""

    def send(self, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        world = self._world
        accepted: list[AcceptedMessage] = []

        def take() -> None:
            if access_token in self.bad_tokens:
                raise SendFailedError(ErrorClass.FATAL_TOKEN, http_status=401, code=190)
            recent = sum(sent.at > world.timeline.now - 1 for sent in self.sent[-(self.most_per_second or 0) :])
            if self.most_per_second and recent >= self.most_per_second:
                self.too_fast.append(world.timeline.now)
                raise SendFailedError(ErrorClass.RETRY, http_status=400, code=130429)
            accepted.append(self._take(phone_number_id, access_token, payload))

        # While Meta answers, the worker sends the next message of its batch, and may die of it.
        with world.meanwhile(self.way_seconds):
            world.call("graph.send", take)
        return accepted[0]

    def _take(self, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        world, chance = self._world, self._world.chance
        wamid = f"wamid.out{len(self.sent)}"
        world.trace("meta.took", payload["biz_opaque_callback_data"], text_of(payload))
        sent = Sent(world.timeline.now, phone_number_id, access_token, payload, wamid)
        self.sent.append(sent)
        statuses = [("sent", 0.3, 3.0), ("delivered", 1.0, 20.0), ("read", 2.0, 90.0)][: 3 if self.read else 2]
        if chance.random() < self.status_losses:
            self.silent.add(wamid)
            return AcceptedMessage(wamid)
        error = None
        if self.undelivered and chance.random() < self.undelivered:
            code = chance.choice(UNDELIVERED)
            error = {"code": code}
            statuses = [("sent", 0.3, 3.0), ("failed", 0.5, 20.0)]
            self.reported_failed.append((sent, code))
        late = chance.uniform(200, 2000) if chance.random() < self.late_statuses else 0
        for status, soonest, latest in statuses:
            entry = {
                "id": wamid,
                "status": status,
                "timestamp": str(int(world.timeline.now)),
                "recipient_id": payload.get("to", "").lstrip("+"),
                "biz_opaque_callback_data": payload["biz_opaque_callback_data"],
                **({"errors": [error]} if status == "failed" else {}),
            }
            self.post(phone_number_id, {"statuses": [entry]}, late + chance.uniform(soonest, latest))
        return AcceptedMessage(wamid)

    def post(self, phone_number_id: str, value: dict[str, Any], delay: float, field: str = "messages") -> None:
        """Post a webhook in `delay` seconds, and again until it is answered 200; sometimes once more all the same."""
        value = {"metadata": {"phone_number_id": phone_number_id}, **value}
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [{"id": "waba", "changes": [{"field": field, "value": value}]}],
            }
        )
        times = 1
        while self._world.chance.random() < self.repeats and times < 4:
            times += 1
        for time in range(times):
            wait = delay if time == 0 else delay + self._world.chance.choice((0.1, 30, 400, 7200, 3 * DAY))
            self._world.timeline.after(wait, lambda: self._attempt(phone_number_id, body, 0))

    def _attempt(self, phone_number_id: str, body: str, attempt: int) -> None:
        def answered(answer: Any) -> None:
            if (answer or {}).get("statusCode") != 200:
                if attempt == len(META_RETRIES):
                    self._world.surprises.append("Meta gave a webhook up after seven days")
                    return
                wait = META_RETRIES[attempt]
                self._world.timeline.after(wait, lambda: self._attempt(phone_number_id, body, attempt + 1))

        header = signature.sign(self._world.app_secret(phone_number_id), body.encode())
        event = {**EVENT_JSON, "headers": {"x-hub-signature-256": header}, "body": body}
        self._world.invoke("webhook", webhook.handler, event, answered)


def text_of(payload: dict[str, Any]) -> str:
    if payload["type"] == "template":
        return f"template {payload['template']['name']}"
    return str(payload["text"]["body"])
