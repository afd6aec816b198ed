"""A world in which programs start conversations: by the API, by events and by sequences, while people write or stay silent."""

import random
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from pytake.contacts.consent import Consent
from pytake.contacts.records import ContactRecord
from pytake.conversation.opening import StartRefusedError
from pytake.conversation.queues import FlowStart
from pytake.conversation.start_by_event import StartByEvent
from tests.faults.plans import NoFaults, Plan, RandomFaults
from tests.faults.sandbox import Context, Sandbox
from tests.faults.sequence_world import (
    BEFORE,
    FAULT_SECONDS,
    HOUR,
    NUMBER,
    OWNER,
    SILENCE,
    TEMPLATE,
    SequenceWorld,
    opening,
)
from tests.faults.stories import HABITS, WORDS
from tests.faults.timeline import DAY, START


class Asked(Struct):
    """A start that a program asked for, and what it was told: None as long as it was told nothing."""

    name: str
    phone: str
    accepted: bool | None = None


class StartWorld(SequenceWorld):
    """A world with contacts, two sequences, and programs that start conversations."""

    def __init__(self, seed: int, plan: Plan, people: list[ContactRecord], **options: Any) -> None:
        self.asked: list[Asked] = []
        super().__init__(seed, plan, people, (BEFORE, SILENCE), **options)

    def built_more(self, sandbox: Sandbox, tenants: Any, flows: Any, publish_events: Any) -> dict[str, Any]:
        built = super().built_more(sandbox, tenants, flows, publish_events)
        return {**built, "start_by_event": StartByEvent(tenants, built["start_flow"], self.ports["events"])}

    def starts(self, at: float, phone: str, start: FlowStart, times: int = 1) -> None:
        """A program asks the API for a start, `at` seconds from now, with the same key until it is answered `times` times."""
        asked = Asked(str(start.parameters["asked"]), phone)
        self.asked.append(asked)

        def act(_event: Any, _context: Context) -> Any:
            try:
                self.built("start_flow")(OWNER, NUMBER, phone, start, asked.name)
            except StartRefusedError as refused:
                asked.accepted = bool(asked.accepted)
                return {"refused": refused.code}
            asked.accepted = True
            return {"queued": asked.name}

        self._ask(at, act, 3, times)

    def puts_event(self, at: float, phone: str, start: FlowStart, times: int = 1) -> None:
        """A program puts `conversation.start` on the bus, which delivers it at least once."""
        asked = Asked(str(start.parameters["asked"]), phone)
        self.asked.append(asked)
        template = {"name": TEMPLATE.name, "language": TEMPLATE.language} if start.template is not None else None
        detail = {
            "phone_number_id": NUMBER,
            "to": phone,
            "flow_id": start.flow_id,
            "parameters": start.parameters,
            "template": template,
        }

        def act(_event: Any, _context: Context) -> Any:
            queued = self.built("start_by_event")(asked.name, detail)
            asked.accepted = bool(asked.accepted) or queued is not None
            return {"queued": queued is not None}

        self._ask(at, act, 60, times)

    def _ask(self, at: float, act: Any, again: float, times: int) -> None:
        left = times

        def answered(answer: Any) -> None:
            nonlocal left
            left -= answer is not None
            if left:
                self.timeline.after(again, ask)

        def ask() -> None:
            self.invoke("operator", act, None, answered)

        self.timeline.after(at, ask)


def person(number: int, chance: random.Random) -> ContactRecord:
    """Someone who may be written to, perhaps with an appointment in two hours or a little more; a few never agreed."""
    phone = f"5511{90_000_0000 + number}"
    consent = {"marketing": Consent("granted", "test", START - DAY)} if chance.random() < 0.9 else {}
    fields = {}
    if chance.random() < 0.6:
        appointment = datetime.fromtimestamp(START + 2 * HOUR + chance.choice((900, 1200, 1800)), UTC)
        fields = {"appointment": appointment.isoformat()}
    return ContactRecord(
        contact_id=phone,
        phone=f"+{phone}",
        name=f"P{number}",
        consent=consent,  # type: ignore[arg-type]
        fields=fields,
        created_at=START - number - 1,
    )


def calm(plan: Plan | None = None) -> StartWorld:
    """One start by the API, one by an event, and follow-ups; one of three people answers. Single faults are injected into it."""
    chance = random.Random(3)  # noqa: S311
    people = [person(number, chance) for number in range(12)]
    chosen = [next(one for one in people if one.consent and bool(one.fields) == has_date) for has_date in (True, False)]
    world = StartWorld(0, plan or NoFaults(), chosen)
    world.meta.read = False
    first, second = (one.contact_id for one in chosen)
    world.starts(5, second, opening("api"))
    world.puts_event(30, first, opening("event", None))
    world.says(60, OWNER, second, "Oi")
    return world


def wild(seed: int) -> StartWorld:
    """Everything at once: faults, repeated requests and events, people who answer, opt out or stay silent."""
    chance = random.Random(f"start {seed}")  # noqa: S311
    plan = RandomFaults(
        random.Random(f"faults {seed}"),  # noqa: S311
        chance.choice((0.0, 0.01, 0.03, 0.08)),
        START + FAULT_SECONDS,
        chance.choice(HABITS),
    )
    people = [person(number, chance) for number in range(chance.choice((2, 4, 6)))]
    world = StartWorld(
        seed, plan, people, per_minute=chance.choice((12, 600, 6000)), skew=chance.choice((0.0, 0.0, 0.5))
    )
    world.meta.repeats = chance.choice((0.0, 0.1, 0.3))
    world.meta.late_statuses = chance.choice((0.0, 0.0, 0.1))
    for contact in chance.sample(people, (len(people) + 1) // 2):
        at = chance.choice((chance.uniform(0, 60), chance.uniform(100, 900), chance.uniform(1000, 2500)))
        for _ in range(chance.choice((1, 1, 3))):
            world.says(at, OWNER, contact.contact_id, chance.choice((*WORDS, "stop")))
            at += chance.choice((0.2, 20.0, 200.0))
    for number in range(chance.choice((1, 2, 4))):
        template = TEMPLATE if chance.random() < 0.8 else None
        flow_id = chance.choice(("main", "main", None)) if template is not None else "main"
        ask = world.starts if chance.random() < 0.6 else world.puts_event
        start = opening(f"start {number}", flow_id, template)
        ask(chance.uniform(1, 600), chance.choice(people).contact_id, start, chance.choice((1, 1, 2, 3)))
    return world


def to_the_end(world: StartWorld) -> StartWorld:
    """Run the story, the operators' repairs, and the end of all sessions."""
    world.run(2 * DAY)
    world.run(9 * DAY)
    return world
