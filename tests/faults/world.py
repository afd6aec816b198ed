"""A small universe: people, Meta, the queues, the workers and their deaths; the product's own handlers in the middle.

The handlers and use cases are the real ones. Around them everything is simulated, in virtual time, from one seed: see
`timeline` for who goes next, `plans` for what goes wrong, `sqs` for the queues. `tests.faults.invariants` says what must hold.
"""

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

from functions.flow_runner import handler as flow_runner
from functions.scheduled import handler as scheduled
from functions.sender import handler as sender
from functions.statuses import handler as statuses
from functions.webhook import handler as webhook
from local.dead_letters import DeadLetterQueue
from pytake import observability
from pytake.contacts.consent import ConsentChange
from pytake.contacts.records import ContactRecord
from pytake.conversation.ports.common import ConflictError
from pytake.conversation.ports.messaging import OperatorEvent
from pytake.conversation.records import (
    FallbackTemplate,
    FlowVersion,
    Number,
    NumberSecrets,
    Organization,
)
from pytake.whatsapp.errors import ErrorClass, classify
from pytake.whatsapp.sending import SendFailedError
from pytake.wiring import api as api_wiring
from pytake.wiring import flow_runner as flow_runner_wiring
from pytake.wiring import scheduled as scheduled_wiring
from pytake.wiring import sender as sender_wiring
from pytake.wiring import shared
from pytake.wiring import statuses as statuses_wiring
from pytake.wiring import webhook as webhook_wiring
from tests import fakes
from tests.faults import plans
from tests.faults.meta import Meta
from tests.faults.ports import (
    EXPECTED,
    Alarms,
    Bus,
    CachedSecrets,
    CachedTenants,
    Guarded,
    InjectedError,
    NullLogger,
    SqsClient,
    WorldQueues,
)
from tests.faults.sandbox import Context, Sandbox
from tests.faults.sqs import Queue
from tests.faults.story_flow import DOCUMENTS, LightFlows
from tests.faults.timeline import DAY, START, Process, Timeline, Worker, WorkerKilled

Names = Literal["phone", "user_id", "both"]
FUNCTION_SECONDS = {"webhook": 15, "flow_runner": 60, "sender": 30, "statuses": 30, "scheduled": 300, "operator": 29}
SANDBOXES = 2


class World:
    """Everything. `plan` decides what goes wrong, `chance` everything else that the seed decides."""

    expected: ClassVar[tuple[type[Exception], ...]] = EXPECTED
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
        self.tries = fakes.MemoryTries()
        self.statuses: dict[tuple[Any, ...], int] = {}
        self.people: dict[tuple[str, str], list[str]] = {}
        self.groups: dict[tuple[str, str], set[str]] = {}
        """By whom the inbound queue orders the messages of a person."""
        self.proved: set[tuple[str, str]] = set()
        """The people whose phone number and user id Meta named together."""
        self.operators = True
        self.batches: tuple[int, ...] = (1, 2, 10)
        self.longest_wait: float | None = None
        """Another longest wait in the queue than the product's, so that a short story holds turns."""
        self._operating: set[str] = set()

        self.marketing: dict[tuple[str, str], list[tuple[float, bool]]] = {}
        """Of each contact: from when on marketing was known to be wanted, or not."""
        self.conversations = fakes.MemoryConversations(NotedContacts(self))
        self.deliveries = fakes.MemoryDeliveries()
        self.held_turns = fakes.MemoryHeldTurns()
        self.outbox = fakes.MemoryOutbox(self.conversations, self.deliveries)
        self.published_events: set[str] = set()
        self.bus_refuses = 0.0
        self.tenants = fakes.MemoryTenants()
        self.secrets = fakes.MemorySecrets()
        self.flows = LightFlows()
        self.templates = fakes.MemoryTemplates()
        self.events: list[OperatorEvent] = []
        self.queues = self._make_queues()
        self.meta = Meta(self)
        self.ports = self._make_ports()
        for owner, number in self.numbers.items():
            self.publish(owner, 1)
            self.setup_tenants().put_number(
                Number(owner, number, "+55 11 4000-0001", "main", fallback_template=FallbackTemplate("back", "en"))
            )
            # The simulated people write faster than the default limit of a contact.
            self.setup_tenants().put_organization(
                Organization(owner, messages_per_minute=per_minute, contact_messages_per_minute=10_000)
            )
            self.secrets.put(owner, number, NumberSecrets(f"app-secret-{owner}", f"token-{owner}"))
        self.skew = skew
        self.sandboxes = {
            name: [Sandbox(self, f"{name}{n}", self.chance.uniform(-skew, skew)) for n in range(SANDBOXES)]
            for name in FUNCTION_SECONDS
        }
        self._sandbox_of: dict[int, Sandbox] = {}

    def _make_ports(self) -> dict[str, Any]:
        """What the workers share; a subclass puts the real adapters here."""
        return {
            "conversations": Guarded(self, "conversations", self.conversations),
            "contacts": Guarded(self, "contacts", self.conversations.contacts),
            "aliases": Guarded(self, "aliases", self.conversations.aliases),
            "deliveries": Guarded(self, "deliveries", self.deliveries),
            "delivery_reads": Guarded(
                self,
                "delivery_reads",
                fakes.MemoryDeliveryReads(self.conversations, self.conversations.contacts, self.deliveries),
            ),
            "slots": Guarded(self, "slots", fakes.MemoryRateSlots()),
            "held_turns": Guarded(self, "held_turns", self.held_turns),
            "events": Guarded(self, "events", Alarms(self)),
            "bus": Guarded(self, "events", Bus(self)),
            "outbox": Guarded(self, "outbox", self.outbox),
            "queues": WorldQueues(self),
        }

    def built_more(self, sandbox: Sandbox, tenants: Any, flows: Any, publish_events: Any) -> dict[str, Any]:
        """What a process of a larger world can do besides."""
        return {}

    def plans_follow_ups(self, tenants: Any, clock: Callable[[], float]) -> Any:
        """What plans the follow-ups of sequences, in a world that has some."""
        return None

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
        is_untold = bool(self.outbox.pending(now))
        return (
            is_untold
            or any(min(session.expires_at, session.timer_at or now + DAY) <= now for session in sessions)
            or any(self.held_turns.due(now)),
            is_untold
            or any(session.timer_at is not None for session in sessions)
            or any(self.held_turns.due(now + DAY)),
        )

    # Set-up and story

    def publish(self, owner: str, edition: int) -> None:
        document = DOCUMENTS[owner, edition]
        self.flows.publish(owner, FlowVersion("main", edition, START, {"main": document}), "Main")

    def app_secret(self, phone_number_id: str) -> str:
        owner = next(owner for owner, number in self.numbers.items() if number == phone_number_id)
        return f"app-secret-{owner}"

    def says(self, at: float, owner: str, phone: str, text: str, names: Names = "phone") -> None:
        """A person writes, `at` seconds from now. Meta `names` them by the phone number, by the user id, or by both."""
        said = self.people.setdefault((owner, phone), [])
        id_ = f"wamid.in.{owner}.{phone}.{len(said)}"
        said.append(id_)
        self.groups.setdefault((owner, phone), set()).add(phone if names == "phone" else user_id_of(phone))
        if names == "both":
            self.proved.add((owner, phone))

        def write() -> None:
            message = {
                **({} if names == "user_id" else {"from": phone}),
                **({} if names == "phone" else {"from_user_id": user_id_of(phone)}),
                "id": id_,
                "timestamp": str(int(self.timeline.now)),
                "type": "text",
                "text": {"body": text},
            }
            who = {"phone": {"wa_id": phone}, "user_id": {"user_id": user_id_of(phone)}}
            contacts = [
                {**(who["phone"] | who["user_id"] if names == "both" else who[names]), "profile": {"name": "Ana"}}
            ]
            number = self.numbers[owner]
            self.meta.post(number, {"contacts": contacts, "messages": [message]}, self.chance.uniform(0.05, 0.5))

        self.timeline.after(at, write)

    def prefers(self, at: float, owner: str, phone: str, value: str) -> None:
        """A person stops or resumes marketing in WhatsApp's settings, `at` seconds from now."""

        def choose() -> None:
            choice = {
                "wa_id": phone,
                "category": "marketing_messages",
                "value": value,
                "timestamp": int(self.timeline.now),
            }
            change = {"contacts": [{"wa_id": phone}], "user_preferences": [choice]}
            self.meta.post(self.numbers[owner], change, self.chance.uniform(0.05, 0.5), "user_preferences")

        self.timeline.after(at, choose)

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
            if what == "131000":
                self.meta.denied.append(self.meta.sent[-1])
        match what:
            case "crash":
                worker.process.killed = True
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
        if what == "131000":
            return SendFailedError(classify(500, {"code": 131000}), http_status=500, code=131000)
        if what in ("500", "429"):
            return SendFailedError(classify(int(what), None), http_status=int(what))
        return SendFailedError(classify(400, {"code": int(what)}), http_status=400, code=int(what))

    def hear(self, event: OperatorEvent) -> None:
        """What operators are told; they act on some of it."""
        self.events.append(event)
        self.trace("event", event.type, event.detail)
        if event.type == "number.stopped" and self.operators:
            number = event.detail["phone_number_id"]
            self._once(f"resume {number}", self.chance.uniform(30, 400), lambda: self.resume(number))

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
        worker = Worker(self.timeline, sandbox.name, Process(deadline))
        self._sandbox_of[id(worker.process)] = sandbox
        context = Context(self.timeline, deadline)

        def work() -> Any:
            try:
                return handler(event, context)
            except Exception as error:  # Lambda reports it as a function error
                self.trace("function error", function, repr(error))
                if not isinstance(error, self.expected):
                    self.surprises.append(f"{function}: {error!r}")
                return None

        def finished(result: Any) -> None:
            sandbox.busy = False
            self._sandbox_of.pop(id(worker.process), None)
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
        return self._sandbox_of[id(worker.process)].built[name]

    @contextmanager
    def meanwhile(self, way_seconds: float = 0) -> Iterator[None]:
        """While it lasts, the worker whose turn it is takes the next record of its batch. The way there and back takes time."""
        if self.timeline.current is None:
            yield
            return
        with self.built("batches").meanwhile():
            self.timeline.sleep(self.chance.uniform(0, way_seconds))
            yield
            self.timeline.sleep(self.chance.uniform(0, way_seconds))

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
            records = [_record(name, message) for message in batch]
            self.trace("batch", name, [message.id for message in batch])

            def finished(answer: Any) -> None:
                if answer is not None:
                    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
                    for record in records:
                        if record["messageId"] not in failed:
                            queue.delete(record["receiptHandle"])
                for other, function in _FUNCTIONS.items():  # two queues share the processes of the sender
                    if function == _FUNCTIONS[name]:
                        self._wake_poller(other)

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

    def resume(self, number: str) -> None:
        """An operator sets a valid token and resumes the number; again until all its turns are released."""
        owner = next(owner for owner, known in self.numbers.items() if known == number)
        self.meta.bad_tokens.discard(f"token-{owner}")

        def resume(_event: Any, context: Context) -> Any:
            return api_wiring.resume_number()(owner, number, "", lambda: context.get_remaining_time_in_millis() < 9000)

        def answered(resumed: Any) -> None:
            if resumed is None or resumed.after is not None:
                self._once(f"resume {number}", 60, lambda: self.resume(number))

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


def user_id_of(phone: str) -> str:
    """The user id of a person."""
    return f"BR.{phone[-6:]}"


class NotedContacts(fakes.MemoryContacts):
    """Notes when it became known whether a contact wants marketing."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def save(
        self, organization_id: str, contact: ContactRecord, changes: Sequence[ConsentChange] = ()
    ) -> ContactRecord:
        saved = super().save(organization_id, contact, changes)
        known = self._world.marketing.setdefault((organization_id, contact.contact_id), [])
        known.append((self._world.timeline.now, saved.consent_to("marketing").state == "granted"))
        return saved


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
    *((flow_runner_wiring, name) for name in ("queues", "take_turn", "record_preference", "batches", "tries")),
    *((sender_wiring, name) for name in ("queues", "deliver", "read_receipts", "batches")),
    *((statuses_wiring, name) for name in ("queues", "process_statuses")),
    *(
        (scheduled_wiring, name)
        for name in ("fire_due_timers", "publish_late_events", "release_waiting_turns", "run_follow_ups")
    ),
    (api_wiring, "resume_number"),
)
_LOGGING = (observability, webhook, flow_runner, sender, statuses, scheduled)
_CONSUMERS: dict[str, tuple[Callable[[Any, Any], Any], dict[str, Any]]] = {
    "inbound": (
        lambda event, context: flow_runner.handler(event, context),
        {"fifo": True, "visibility": 370, "max_receives": 1000},
    ),
    "outbound": (lambda event, context: sender.handler(event, context), {"fifo": True, "max_receives": 1000}),
    "bulk": (lambda event, context: sender.handler(event, context), {"fifo": True, "max_receives": 1000}),
    "statuses": (lambda event, context: statuses.handler(event, context), {"fifo": False, "max_receives": 10}),
}
_FUNCTIONS = {"inbound": "flow_runner", "outbound": "sender", "bulk": "sender", "statuses": "statuses"}


def _record(queue: str, message: Any) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(message.receive_count)}
    if message.group is not None:
        attributes["MessageGroupId"] = message.group
    return {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": copy.copy(message.body),
        "attributes": attributes,
        "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:pytake-test-{queue}{'' if queue == 'statuses' else '.fifo'}",
    }
