"""A small universe: people, Meta, the queues, the workers and their deaths; the product's own handlers in the middle.

The handlers and use cases are the real ones. Around them everything is simulated, in virtual time, from one seed: see
`timeline` for who goes next, `plans` for what goes wrong, `sqs` for the queues. `tests.faults.invariants` says what must hold.
"""

import copy
import json
import random
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from functions.flow_runner import handler as flow_runner
from functions.scheduled import handler as scheduled
from functions.sender import handler as sender
from functions.statuses import handler as statuses
from functions.webhook import handler as webhook
from local.dead_letters import DeadLetterQueue
from pytake import observability
from pytake.aws.ttl_cache import TtlCache
from pytake.conversation.business_events import BusinessEvent
from pytake.conversation.delivery.deliver import Deliver
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.messaging import OperatorEvent, QueueingFailedError
from pytake.conversation.ports.tenants import TENANT_CACHE_SECONDS
from pytake.conversation.publish_events import PublishBusinessEvents, PublishLateEvents
from pytake.conversation.queues import InboundItem, OutboundItem, StatusesItem, digest, group_id
from pytake.conversation.receive_notification import ReceiveNotification
from pytake.conversation.records import (
    ConversationKey,
    FallbackTemplate,
    FlowVersion,
    Number,
    NumberSecrets,
    Organization,
)
from pytake.conversation.resume_number import ResumeNumber
from pytake.conversation.statuses import ProcessStatuses
from pytake.conversation.timers import FireDueTimers
from pytake.conversation.turn import TakeTurn
from pytake.engine import Effect, EffectResult, Flow
from pytake.observability import FunctionFailedError
from pytake.whatsapp import signature
from pytake.whatsapp.errors import ErrorClass, classify
from pytake.whatsapp.sending import AcceptedMessage, SendFailedError
from pytake.wiring import api as api_wiring
from pytake.wiring import flow_runner as flow_runner_wiring
from pytake.wiring import scheduled as scheduled_wiring
from pytake.wiring import sender as sender_wiring
from pytake.wiring import shared
from pytake.wiring import statuses as statuses_wiring
from pytake.wiring import webhook as webhook_wiring
from tests import fakes
from tests.faults import plans
from tests.faults.sqs import Queue
from tests.faults.timeline import Timeline, Worker, WorkerKilled

START = 1_770_000_000.0
DAY = 86_400.0

FUNCTION_SECONDS = {"webhook": 15, "flow_runner": 60, "sender": 30, "statuses": 30, "scheduled": 300, "operator": 29}
SANDBOXES = 2
META_RETRIES = (2, 10, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, DAY, DAY, DAY, DAY, DAY)
"""Meta redelivers a webhook until it is answered 200, for up to seven days."""

UNDELIVERED = (131026, 131047, 131049, 131050, 131053, 131042)
"""What Meta may say of a message that it took: not on WhatsApp, window closed, later, opted out, media, account."""

EVENT_JSON = {"requestContext": {"http": {"method": "POST"}}}


class InjectedError(Exception):
    """A service did not do what it was asked, or did it and did not say so."""


EXPECTED = (InjectedError, QueueingFailedError, ConflictError, msgspec.DecodeError, FunctionFailedError)
"""What a worker may fail with here; anything else is a mistake in the product. (The last one stands for what was logged.)"""


class NullLogger:
    """Logs into the trace."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def get_correlation_id(self) -> None: ...

    def set_correlation_id(self, _: str | None) -> None: ...

    def info(self, *_: Any, **__: Any) -> None: ...

    def warning(self, *_: Any, **__: Any) -> None: ...

    def error(self, message: str, **fields: Any) -> None:
        self._world.trace("log.error", message, fields)

    def exception(self, message: str, **_: Any) -> None:
        error = sys.exc_info()[1]
        self._world.trace("log.exception", message, repr(error))
        if not isinstance(error, EXPECTED):
            self._world.surprises.append(f"{message}: {error!r}")


def flow(organization_id: str, edition: int) -> dict[str, Any]:
    """Greets, asks (and gives up after two minutes), says two messages, asks again, ends. Everything names its owner."""
    says = f"{organization_id} v{edition} {{{{contact.phone}}}}"
    return {
        "format": 1,
        "id": "main",
        "name": "Main",
        "language": "en",
        "merge_texts": False,
        "start_node_id": "start",
        "nodes": [
            {"id": "start", "type": "start", "data": {"greeting": f"Hello {says}", "next_node_id": "name"}},
            {
                "id": "name",
                "type": "question",
                "data": {
                    "question": f"Name? {says}",
                    "variable": "name",
                    "timeout_seconds": 120,
                    "timeout_next_node_id": "late",
                    "next_node_id": "look",
                },
            },
            {
                "id": "look",
                "type": "api_call",
                "data": {
                    "method": "GET",
                    "url": "https://crm.example/{{name}}",
                    "output_variable": "found",
                    "next_node_id": "thanks",
                    "error_next_node_id": "thanks",
                },
            },
            {
                "id": "thanks",
                "type": "message",
                "data": {"text": f"Thanks {{{{name}}}} {says}", "next_node_id": "city"},
            },
            {
                "id": "city",
                "type": "question",
                "data": {"question": f"City? {says}", "variable": "city", "next_node_id": "end"},
            },
            {"id": "late", "type": "end", "data": {"message": f"Too late {says}"}},
            {"id": "end", "type": "end", "data": {"message": f"Bye {{{{name}}}} of {{{{city}}}} {says}"}},
        ],
    }


_DOCUMENTS = {(owner, edition): flow(owner, edition) for owner in ("acme", "globex") for edition in (1, 2)}
COMPILED: dict[str, Any] = dict.fromkeys(("acme", "globex"))


class SharedLibrary(FlowLibrary):
    """Published versions never change: all worlds share what was compiled of them."""

    def __init__(self, flows: Any, clock: Callable[[], float]) -> None:
        super().__init__(flows, clock)
        self._flows_of_world = flows

    def version(self, organization_id: str, flow_id: str, version: int) -> Flow | None:
        key = f"{organization_id}/{flow_id}/{version}"
        if COMPILED.get(key) is None:
            COMPILED[key] = super().version(organization_id, flow_id, version)
        elif self._flows_of_world.version(organization_id, flow_id, version) is None:
            return None
        found: Flow | None = COMPILED[key]
        return found


class LightFlows(fakes.MemoryFlows):
    """Without copies, because no document changes here."""

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None:
        versions = self.published.get((organization_id, flow_id), [])
        return versions[version - 1] if 1 <= version <= len(versions) else None


class Guarded:
    """A port whose every call can go wrong, before it has an effect and after."""

    def __init__(self, world: "World", name: str, target: Any) -> None:
        self._world = world
        self._name = name
        self._target = target

    def __getattr__(self, method: str) -> Callable[..., Any]:
        act = getattr(self._target, method)
        call = f"{self._name}.{method}"

        def guarded(*arguments: Any, **named: Any) -> Any:
            return self._world.call(call, lambda: act(*arguments, **named))

        self.__dict__[method] = guarded
        return guarded


class CachedTenants:
    """What one worker process knows of numbers: up to five seconds old, as `pytake.aws.tenants` has it."""

    def __init__(self, tenants: Any, clock: Callable[[], float]) -> None:
        self._tenants = tenants
        self._numbers: TtlCache[Number] = TtlCache(TENANT_CACHE_SECONDS, 100, clock)
        self._organizations: TtlCache[Organization] = TtlCache(TENANT_CACHE_SECONDS, 100, clock)

    def organization(self, organization_id: str) -> Organization | None:
        return self._organizations.get(organization_id, lambda: self._tenants.organization(organization_id))

    def number(self, phone_number_id: str, *, fresh: bool = False) -> Number | None:
        return self._numbers.get(
            phone_number_id, lambda: self._tenants.number(phone_number_id), fresher_than=0 if fresh else None
        )

    def stop_number(self, number: Number, reason: str) -> bool:
        self._numbers.forget(number.phone_number_id)
        return bool(self._tenants.stop_number(number, reason))

    def confirm_stop(self, number: Number, at: float) -> None:
        self._numbers.forget(number.phone_number_id)
        self._tenants.confirm_stop(number, at)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tenants, name)


class CachedSecrets:
    """What one worker process knows of secrets, as `pytake.aws.secrets` keeps them."""

    def __init__(self, secrets: Any, clock: Callable[[], float]) -> None:
        self._secrets = secrets
        self._cache: TtlCache[NumberSecrets] = TtlCache(300, 100, clock)

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        return self._cache.get(
            phone_number_id,
            lambda: self._secrets.of_number(organization_id, phone_number_id),
            fresher_than=10 if fresh else None,
        )


class WorldQueues:
    """The port `Queues` on the simulated SQS."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def put_inbound(self, items: list[InboundItem]) -> None:
        for item in items:  # one by one: a batch may be taken in part
            self._send("inbound", item, group_id(item.key), item.deduplication_id)

    def put_outbound(self, item: OutboundItem) -> None:
        self._send("outbound", item, group_id(item.key), item.deduplication_id)

    def put_statuses(self, items: list[StatusesItem]) -> None:
        for item in items:
            self._send("statuses", item)

    def dead_letter(self, item: OutboundItem, reason: str) -> None:
        self._send("outbound_dead", item, group_id(item.key), item.deduplication_id, reason=reason)

    def dead_letter_unreadable(self, body: str, group: str) -> None:
        queue = self._world.queues["outbound_dead"]
        self._world.call("queues.send", lambda: queue.send(body, group, digest(body), reason="unreadable"))

    def dead_letter_inbound(self, body: str, group: str, reason: str) -> None:
        queue = self._world.queues["inbound_dead"]
        self._world.call("queues.send", lambda: queue.send(body, group, digest(body), reason=reason))

    def postpone_inbound(self, handles: list[str], seconds: int) -> None:
        self._postpone("inbound", handles, seconds)

    def postpone_outbound(self, handles: list[str], seconds: int) -> None:
        self._postpone("outbound", handles, seconds)

    def postpone_statuses(self, handles: list[str], seconds: int) -> None:
        self._postpone("statuses", handles, seconds)

    def _postpone(self, queue: str, handles: list[str], seconds: int) -> None:
        def change() -> None:
            for handle in handles:
                self._world.queues[queue].change_visibility(handle, seconds)

        self._world.call("queues.postpone", change)

    def _send(self, queue: str, item: Struct, group: str | None = None, id_: str | None = None, **more: str) -> None:
        body = msgspec.json.encode(item).decode()
        try:
            self._world.call("queues.send", lambda: self._world.queues[queue].send(body, group, id_, **more))
        except InjectedError as error:
            raise QueueingFailedError(str(error)) from error


class SqsClient:
    """What `local.dead_letters` uses of boto3's SQS client."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, VisibilityTimeout: int, **_: Any) -> Any:  # noqa: N803
        queue = self._world.queues[QueueUrl]
        found = self._world.call("operator.receive", lambda: queue.receive(MaxNumberOfMessages))
        answer = []
        for message in found:
            queue.change_visibility(message.handle or "", VisibilityTimeout)
            attributes = {"SentTimestamp": str(int(message.sent_at * 1000))}
            if message.group is not None:
                attributes["MessageGroupId"] = message.group
            told = {name: {"StringValue": value} for name, value in message.attributes.items()}
            answer.append(
                {
                    "MessageId": message.id,
                    "Body": message.body,
                    "ReceiptHandle": message.handle,
                    "Attributes": attributes,
                    "MessageAttributes": told,
                }
            )
        return {"Messages": answer}

    def send_message(
        self,
        QueueUrl: str,  # noqa: N803
        MessageBody: str,  # noqa: N803
        MessageGroupId: str | None = None,  # noqa: N803
        MessageDeduplicationId: str | None = None,  # noqa: N803
    ) -> None:
        queue = self._world.queues[QueueUrl]
        self._world.call("operator.send", lambda: queue.send(MessageBody, MessageGroupId, MessageDeduplicationId))

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803
        self._world.call("operator.delete", lambda: self._world.queues[QueueUrl].delete(ReceiptHandle))

    def change_message_visibility(self, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self._world.queues[QueueUrl].change_visibility(ReceiptHandle, VisibilityTimeout)


class Alarms:
    """The port `OperatorEvents`."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def publish(self, event: OperatorEvent) -> None:
        self._world.hear(event)


class Bus:
    """The port `EventBus`; now and then it refuses."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def put(self, events: list[BusinessEvent]) -> bool:
        if self._world.bus_refuses and self._world.chance.random() < self._world.bus_refuses:
            return False
        self._world.published_events.update(event.id for event in events)
        return True


class Crm:
    """What api_call talks to: its answer is part of the turn's record."""

    def __init__(self, world: "World") -> None:
        self._world = world

    def perform(self, key: ConversationKey, effect: Effect) -> EffectResult:
        def visit() -> EffectResult:
            self._world.effects += 1
            return EffectResult(ok=True, status=200, body={"visit": self._world.effects})

        result: EffectResult = self._world.call("lambda.effect", visit)
        return result


class Sent(Struct):
    """A message that Meta took."""

    at: float
    phone_number_id: str
    token: str
    payload: dict[str, Any]
    wamid: str
    last_in_phase: bool = False


class Sandbox:
    """One process of a function, with what it remembers between invocations."""

    def __init__(self, world: "World", name: str, skew: float) -> None:
        self.name = name
        self.busy = False
        clock = self.clock = lambda: world.timeline.now + skew
        tenants: Any = world.tenants_of(clock)
        secrets: Any = world.secrets_of(clock)
        ports = world.ports
        events = ports["events"]
        publish_events = PublishBusinessEvents(
            ports["bus"], ports["outbox"], ports["conversations"], ports["deliveries"]
        )
        self.built: dict[str, Any] = {
            "metrics": nullcontext(),
            "queues": ports["queues"],
            "receive_notification": ReceiveNotification(
                tenants, secrets, ports["queues"], ports["deliveries"], events, clock
            ),
            "take_turn": TakeTurn(
                conversations=ports["conversations"],
                tenants=tenants,
                flows=SharedLibrary(world.flows, clock),
                queues=ports["queues"],
                effects=Crm(world),
                operator_events=events,
                publish_events=publish_events,
                clock=clock,
                session_ttl_hours=24,
            ),
            "deliver": Deliver(
                conversations=ports["conversations"],
                deliveries=ports["deliveries"],
                slots=ports["slots"],
                held_turns=ports["held_turns"],
                tenants=tenants,
                secrets=secrets,
                sender=world.meta,
                queues=ports["queues"],
                operator_events=events,
                publish_events=publish_events,
                clock=clock,
                messages_per_minute=5,
            ),
            "process_statuses": ProcessStatuses(
                ports["conversations"], ports["deliveries"], tenants, ports["queues"], events, publish_events, clock
            ),
            "publish_late_events": PublishLateEvents(
                ports["bus"], ports["outbox"], ports["conversations"], clock, lambda *_: None
            ),
            "fire_due_timers": FireDueTimers(ports["conversations"], ports["queues"], clock, lambda *_: None),
            "resume_number": ResumeNumber(tenants, ports["held_turns"], ports["queues"], clock),
        }


class Meta:
    """Takes messages, reports what became of them, and posts webhooks until they are answered."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.sent: list[Sent] = []
        self.bad_tokens: set[str] = set()
        self.silent: set[str] = set()
        self.status_losses = 0.0
        self.repeats = 0.0
        self.late_statuses = 0.0
        self.undelivered = 0.0
        self.reported_failed: list[tuple[Sent, int]] = []
        self.read = True

    def send(self, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        world = self._world
        accepted: list[AcceptedMessage] = []

        def take() -> None:
            if access_token in self.bad_tokens:
                raise SendFailedError(ErrorClass.FATAL_TOKEN, http_status=401, code=190)
            accepted.append(self._take(phone_number_id, access_token, payload))

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

    def post(self, phone_number_id: str, value: dict[str, Any], delay: float) -> None:
        """Post a webhook in `delay` seconds, and again until it is answered 200; sometimes once more all the same."""
        value = {"metadata": {"phone_number_id": phone_number_id}, **value}
        body = json.dumps(
            {
                "object": "whatsapp_business_account",
                "entry": [{"id": "waba", "changes": [{"field": "messages", "value": value}]}],
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


class Context:
    """What Lambda tells a handler."""

    aws_request_id = "request"

    def __init__(self, timeline: Timeline, deadline: float) -> None:
        self._timeline = timeline
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return int((self._deadline - self._timeline.now) * 1000)


class World:
    """Everything. `plan` decides what goes wrong, `chance` everything else that the seed decides."""

    numbers: ClassVar = {"acme": "100000000000001", "globex": "200000000000002"}

    def __init__(self, seed: int, plan: plans.Plan, *, per_minute: int = 600, skew: float = 0.0) -> None:
        self.seed = seed
        self.chance = random.Random(seed)  # noqa: S311
        self.plan = plan
        self.timeline = Timeline(START)
        self.traced: list[tuple[float, str, str, str]] = []
        self.surprises: list[str] = []
        self.calls = 0
        self.effects = 0
        self.statuses: dict[tuple[Any, ...], int] = {}
        self.people: dict[tuple[str, str], list[str]] = {}
        self.operators = True
        self.batches: tuple[int, ...] = (1, 2, 10)
        self._operating: set[str] = set()

        self.conversations = fakes.MemoryConversations()
        self.deliveries = fakes.MemoryDeliveries()
        self.held_turns = fakes.MemoryHeldTurns()
        self.outbox = fakes.MemoryOutbox(self.conversations, self.deliveries)
        self.published_events: set[str] = set()
        self.bus_refuses = 0.0
        self.tenants = fakes.MemoryTenants()
        self.secrets = fakes.MemorySecrets()
        self.flows = LightFlows()
        self.events: list[OperatorEvent] = []
        self.queues = self._make_queues()
        self.meta = Meta(self)
        self.ports = self._make_ports()
        for owner, number in self.numbers.items():
            self.publish(owner, 1)
            self.setup_tenants().put_number(
                Number(owner, number, "+55 11 4000-0001", "main", fallback_template=FallbackTemplate("back", "en"))
            )
            self.setup_tenants().put_organization(Organization(owner, messages_per_minute=per_minute))
            self.secrets.put(owner, number, NumberSecrets(f"app-secret-{owner}", f"token-{owner}"))
        self.sandboxes = {
            name: [Sandbox(self, f"{name}{n}", self.chance.uniform(-skew, skew)) for n in range(SANDBOXES)]
            for name in FUNCTION_SECONDS
        }
        self._sandbox_of: dict[int, Sandbox] = {}

    def _make_ports(self) -> dict[str, Any]:
        """What the workers share; a subclass puts the real adapters here."""
        return {
            "conversations": Guarded(self, "conversations", self.conversations),
            "deliveries": Guarded(self, "deliveries", self.deliveries),
            "slots": Guarded(self, "slots", fakes.MemoryRateSlots()),
            "held_turns": Guarded(self, "held_turns", self.held_turns),
            "events": Guarded(self, "events", Alarms(self)),
            "bus": Guarded(self, "events", Bus(self)),
            "outbox": Guarded(self, "outbox", self.outbox),
            "queues": WorldQueues(self),
        }

    def tenants_of(self, clock: Callable[[], float]) -> Any:
        """What one process knows of numbers and organizations."""
        return CachedTenants(Guarded(self, "tenants", self.tenants), clock)

    def secrets_of(self, clock: Callable[[], float]) -> Any:
        """What one process knows of secrets."""
        return CachedSecrets(Guarded(self, "secrets", self.secrets), clock)

    def setup_tenants(self) -> Any:
        """Where numbers and organizations are stored before the story begins."""
        return self.tenants

    def due_soon(self) -> tuple[bool, bool]:
        """Whether something is due now, and whether a timer runs."""
        sessions = [known.session for known in self.conversations.stored.values() if known.session is not None]
        now = self.timeline.now
        return (
            any(min(session.expires_at, session.timer_at or now + DAY) <= now for session in sessions)
            or bool(self.outbox.pending(now)),
            any(session.timer_at is not None for session in sessions) or bool(self.outbox.pending(now)),
        )

    # Set-up and story

    def publish(self, owner: str, edition: int) -> None:
        document = _DOCUMENTS[owner, edition]
        self.flows.publish(owner, FlowVersion("main", edition, START, {"main": document}), "Main")

    def app_secret(self, phone_number_id: str) -> str:
        owner = next(owner for owner, number in self.numbers.items() if number == phone_number_id)
        return f"app-secret-{owner}"

    def says(self, at: float, owner: str, phone: str, text: str) -> None:
        """A person writes, `at` seconds from now."""
        said = self.people.setdefault((owner, phone), [])
        id_ = f"wamid.in.{owner}.{phone}.{len(said)}"
        said.append(id_)

        def write() -> None:
            message = {
                "from": phone,
                "id": id_,
                "timestamp": str(int(self.timeline.now)),
                "type": "text",
                "text": {"body": text},
            }
            contacts = [{"wa_id": phone, "profile": {"name": "Ana"}}]
            number = self.numbers[owner]
            self.meta.post(number, {"contacts": contacts, "messages": [message]}, self.chance.uniform(0.05, 0.5))

        self.timeline.after(at, write)

    def run(self, seconds: float) -> None:
        """Let time pass, until nothing is left to happen; schedules fire while there is something for them."""
        with wired(self):
            self.timeline.after(60, self._schedule)
            self.timeline.run(self.timeline.now + seconds)

    def _schedule(self) -> None:
        is_due, runs = self.due_soon()
        if is_due:
            self.invoke("scheduled", scheduled.handler, {"job": "due"}, lambda _: None)
        if is_due or runs or self.timeline.now - START < 1800:
            self.timeline.after(60, self._schedule)

    # Calls of workers to the world outside

    def call(self, name: str, effect: Callable[[], Any]) -> Any:
        """Do what a worker asks of a service, as the plan lets it."""
        worker = self.timeline.current
        if worker is None:
            return effect()
        worker.sleep(self.chance.uniform(0.001, 0.03))
        self.calls += 1
        kind = self.plan.fault(self.calls, name, self.timeline.now)
        if kind is None:
            return effect()
        self.trace("FAULT", name, kind)
        what, _, when = kind.partition("_")
        if when == "after":
            result = effect()
        match what:
            case "crash":
                worker.killed = True
                raise WorkerKilled
            case "stall":
                worker.sleep(self.plan.stall())
                return result if when == "after" else effect()
            case "conflict":
                raise ConflictError("a transaction of somebody else")
            case "error" | "timeout":
                worker.sleep(5 if what == "timeout" else 0.01)
                raise InjectedError(f"{name}: {kind}")
        raise self._refusal(what)

    def _refusal(self, what: str) -> SendFailedError:
        """An answer, or none, of the Graph API."""
        if what == "cut":
            return SendFailedError(ErrorClass.AMBIGUOUS)
        if what in ("500", "429"):
            return SendFailedError(classify(int(what), None), http_status=int(what))
        return SendFailedError(classify(400, {"code": int(what)}), http_status=400, code=int(what))

    def hear(self, event: OperatorEvent) -> None:
        """What operators are told; they act on some of it."""
        self.events.append(event)
        self.trace("event", event.type, event.detail)
        if event.type == "number.stopped" and self.operators:
            number = event.detail["phone_number_id"]
            self._once(f"resume {number}", self.chance.uniform(30, 400), lambda: self._resume(number))

    # Workers

    def invoke(
        self, function: str, handler: Callable[[Any, Any], Any], event: Any, done: Callable[[Any], None]
    ) -> bool:
        """Run a handler in a process that is free; False when none is."""
        sandbox = next((sandbox for sandbox in self.sandboxes[function] if not sandbox.busy), None)
        if sandbox is None:
            if function in ("webhook", "operator", "scheduled"):
                self.timeline.after(0.2, lambda: self._again(function, handler, event, done))
            return False
        sandbox.busy = True
        deadline = self.timeline.now + FUNCTION_SECONDS[function]
        worker = Worker(self.timeline, sandbox.name, deadline)
        self._sandbox_of[id(worker)] = sandbox
        context = Context(self.timeline, deadline)

        def work() -> Any:
            try:
                return handler(event, context)
            except Exception as error:  # Lambda reports it as a function error
                self.trace("function error", function, repr(error))
                if not isinstance(error, EXPECTED):
                    self.surprises.append(f"{function}: {error!r}")
                return None

        def finished(result: Any) -> None:
            sandbox.busy = False
            self._sandbox_of.pop(id(worker), None)
            if result is None:
                self.trace("died", sandbox.name, "")
                # A new process starts where the old one died; it remembers nothing.
                fresh = Sandbox(self, sandbox.name, 0.0)
                self.sandboxes[function][self.sandboxes[function].index(sandbox)] = fresh
            done(result)

        self.timeline.start(worker, work, finished)
        return True

    def _again(self, function: str, handler: Any, event: Any, done: Any) -> None:
        self.invoke(function, handler, event, done)

    def built(self, name: str) -> Any:
        """What the wiring gives the worker whose turn it is."""
        worker = self.timeline.current
        assert worker is not None
        return self._sandbox_of[id(worker)].built[name]

    def _make_queues(self) -> dict[str, Queue]:
        def queue(name: str, **options: Any) -> Queue:
            return Queue(
                name, clock=lambda: self.timeline.now, shuffle=lambda found: self.chance.shuffle(found), **options
            )

        queues = {f"{name}_dead": queue(f"{name}_dead", fifo=name != "statuses") for name in _CONSUMERS}
        for name, (_, options) in _CONSUMERS.items():
            queues[name] = queue(name, dead_letters=queues[f"{name}_dead"], **options)
            queues[name].changed = lambda name=name: self._wake_poller(name)  # type: ignore[misc]
            queues[f"{name}_dead"].changed = lambda name=name: self._dead_letter(name)  # type: ignore[misc]
        self._polls: dict[str, float] = {}
        return queues

    def _wake_poller(self, name: str) -> None:
        at = self.queues[name].next_visible_at()
        if at is None:
            return
        at = max(at, self.timeline.now) + 0.01
        planned = self._polls.get(name)
        if planned is None or at < planned or planned < self.timeline.now:
            self._polls[name] = at
            self.timeline.push(at, lambda: self._poll(name, at))

    def _poll(self, name: str, at: float) -> None:
        if self._polls.get(name) != at:
            return  # a later look was put off, an earlier one was planned
        del self._polls[name]
        queue = self.queues[name]
        if all(sandbox.busy for sandbox in self.sandboxes[_FUNCTIONS[name]]):
            return  # who finishes looks again
        batch = queue.receive(self.chance.choice(self.batches))
        if batch:
            records = [_record(message) for message in batch]
            self.trace("batch", name, [message.id for message in batch])

            def finished(answer: Any) -> None:
                if answer is not None:
                    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
                    for record in records:
                        if record["messageId"] not in failed:
                            queue.delete(record["receiptHandle"])
                self._wake_poller(name)

            handler = _CONSUMERS[name][0]

            def work(event: Any, context: Any) -> Any:
                answer = handler(event, context)
                # Between the handler's end and the deletion of its messages, Lambda itself can fail.
                self.call("lambda.answer", lambda: None)
                return answer

            self.invoke(_FUNCTIONS[name], work, {"Records": records}, finished)
        self._wake_poller(name)

    # Operators: they repair what alarms tell of, after a while

    def _dead_letter(self, name: str) -> None:
        readable = any(not message.body.startswith("{not") for message in self.queues[f"{name}_dead"].messages)
        if self.operators and readable:
            self._once(f"redrive {name}", self.chance.uniform(60, 900), lambda: self._redrive(name))

    def _once(self, what: str, delay: float, act: Callable[[], None]) -> None:
        if what in self._operating:
            return
        self._operating.add(what)

        def start() -> None:
            self._operating.discard(what)
            act()

        self.timeline.after(delay, start)

    def _resume(self, number: str) -> None:
        owner = next(owner for owner, known in self.numbers.items() if known == number)
        self.meta.bad_tokens.discard(f"token-{owner}")

        def resume(_event: Any, context: Context) -> Any:
            return api_wiring.resume_number()(owner, number, "", lambda: context.get_remaining_time_in_millis() < 9000)

        def answered(resumed: Any) -> None:
            if resumed is None or resumed.after is not None:
                self._once(f"resume {number}", 60, lambda: self._resume(number))

        self.invoke("operator", resume, None, answered)

    def _redrive(self, name: str) -> None:
        letters = DeadLetterQueue(SqsClient(self), name, f"{name}_dead", name)  # type: ignore[arg-type]

        def wanted(letter: Any) -> bool:
            return letter.item is not None

        def redrive(_event: Any, _context: Context) -> Any:
            return {"moved": letters.redrive(wanted, now=lambda: self.timeline.now)}

        def answered(_answer: Any) -> None:
            self._dead_letter(name)  # something may be left: the alarm rings until nothing is

        self.invoke("operator", redrive, None, answered)

    def trace(self, what: str, which: Any, more: Any) -> None:
        worker = self.timeline.current
        who = worker.name if worker is not None else "-"
        self.traced.append((self.timeline.now - START, who, what, f"{which} {more}"))


class wired:  # noqa: N801 (used like a function)
    """While it lasts, the handlers' composition root is a world's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> None:
        world = self._world
        self._kept = [(module, name, getattr(module, name)) for module, name in _BUILT]
        for module, name in _BUILT:
            setattr(module, name, lambda name=name: world.built(name))
        logger = NullLogger(world)
        self._loggers = [(module, module.logger) for module in _LOGGING]
        for module in _LOGGING:
            module.logger = lambda: logger  # type: ignore[attr-defined]

    def __exit__(self, *_: Any) -> None:
        for module, name, value in self._kept:
            setattr(module, name, value)
        for module, value in self._loggers:
            module.logger = value  # type: ignore[attr-defined]


_BUILT = (
    (shared, "metrics"),
    (webhook_wiring, "receive_notification"),
    *((flow_runner_wiring, name) for name in ("queues", "take_turn")),
    *((sender_wiring, name) for name in ("queues", "deliver")),
    *((statuses_wiring, name) for name in ("queues", "process_statuses")),
    *((scheduled_wiring, name) for name in ("fire_due_timers", "publish_late_events")),
    (api_wiring, "resume_number"),
)
_LOGGING = (observability, webhook, flow_runner, sender, statuses, scheduled)
_CONSUMERS: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "inbound": (
        lambda event, context: flow_runner.handler(event, context),
        {"fifo": True, "visibility": 370, "max_receives": 30},
    ),
    "outbound": (lambda event, context: sender.handler(event, context), {"fifo": True, "max_receives": 1000}),
    "statuses": (lambda event, context: statuses.handler(event, context), {"fifo": False, "max_receives": 10}),
}
_FUNCTIONS = {"inbound": "flow_runner", "outbound": "sender", "statuses": "statuses"}


def _record(message: Any) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(message.receive_count)}
    if message.group is not None:
        attributes["MessageGroupId"] = message.group
    return {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": copy.copy(message.body),
        "attributes": attributes,
    }


def text_of(payload: dict[str, Any]) -> str:
    if payload["type"] == "template":
        return f"template {payload['template']['name']}"
    return str(payload["text"]["body"])
