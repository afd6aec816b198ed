"""The stories of the runs: what people write and what else happens, decided by the seed."""

import random

from tests.faults.plans import NoFaults, Plan, RandomFaults
from tests.faults.story_flow import OFFERING
from tests.faults.timeline import DAY, START
from tests.faults.world import Names, World

PHONES = ("5511900000001", "5511900000002", "5511900000003")
WORDS = ("Oi", "Ana", "Recife", "Bia", "stop", "Oi de novo", "restart", "Zé", "human")
NAMES: tuple[Names, ...] = ("phone", "user_id", "user_id", "both")
FAULT_SECONDS = 1200.0
"""No faults happen after twenty minutes: the system must recover by itself from then on."""

HABITS: tuple[tuple[str, ...], ...] = (
    (),
    ("crash_before", "crash_after"),
    ("timeout_after", "error_after", "cut_after", "500_after"),
    ("429", "131056", "131049", "190", "131047"),
    ("stall_before", "stall_after"),
    ("conflict", "crash_after"),
)


def calm(seed: int = 0, plan: Plan | None = None) -> World:
    """Two people, one of them a customer of two organizations, for a few minutes. Single faults are injected into this run."""
    world = World(seed, plan or NoFaults())
    world.meta.read = False
    for owner, phone, start in (("acme", PHONES[0], 0.0), ("acme", PHONES[1], 3.0), ("globex", PHONES[0], 5.0)):
        for number, text in enumerate(("Oi", "Ana", "Recife")[: 3 if owner == "acme" else 1]):
            world.says(start + number * 20.0, owner, phone, text)
    return world


def two_conversations(world: World) -> None:
    """Two short conversations, because runs with the real adapters take longer."""
    for owner, texts in (("acme", ("Oi", "Ana", "Recife")), ("globex", ("Oi",))):
        for number, text in enumerate(texts):
            world.says(number * 20.0, owner, PHONES[0], text)


def wild(seed: int) -> World:
    """Everything at once: many faults, repeated and late webhooks, a new version of the flow, poisoned messages."""
    chance = random.Random(f"story {seed}")  # noqa: S311
    rate = chance.choice((0.0, 0.01, 0.03, 0.03, 0.08))
    plan = RandomFaults(
        random.Random(f"faults {seed}"),  # noqa: S311
        rate,
        START + FAULT_SECONDS,
        chance.choice(HABITS),
    )
    world = World(
        seed, plan, per_minute=chance.choice((5, 12, 60, 600, 6000)), skew=chance.choice((0.0, 0.0, 0.5, 2.0))
    )
    world.bus_refuses = chance.choice((0.0, 0.0, 0.3))
    world.meta.repeats = chance.choice((0.0, 0.1, 0.3))
    world.meta.late_statuses = chance.choice((0.0, 0.0, 0.1))
    world.meta.status_losses = chance.choice((0.0, 0.0, 0.0, 0.05))
    if random.Random(f"undelivered {seed}").random() < 0.25:  # noqa: S311
        world.meta.undelivered = 0.2
    waits = random.Random(f"waits {seed}")  # noqa: S311
    if waits.random() < 0.5:
        world.longest_wait = waits.choice((20.0, 61.0, 90.0))
    naming = random.Random(f"names {seed}")  # noqa: S311
    hides = naming.random() < 0.3
    for owner in world.numbers:
        for phone in chance.sample(PHONES, chance.choice((1, 2))):
            at = chance.uniform(0, 60)
            for _ in range(chance.choice((1, 2, 3, 5))):
                world.says(at, owner, phone, chance.choice(WORDS), naming.choice(NAMES) if hides else "phone")
                at += chance.choice((0.2, 2.0, 15.0, 40.0, 200.0))
            if hides and naming.random() < 0.8:
                world.says(at + naming.uniform(0, 60), owner, phone, naming.choice(WORDS), "both")
    consents = random.Random(f"consent {seed}")  # noqa: S311
    offers = consents.random() < 0.3
    if offers:
        for owner in world.numbers:
            for edition in range(2, OFFERING + 1):
                world.publish(owner, edition)
        for owner, phone in list(world.people):
            for _ in range(consents.choice((0, 1, 2, 3))):
                world.prefers(consents.uniform(0, 400), owner, phone, consents.choice(("stop", "stop", "resume")))
    if chance.random() < 0.3 and not offers:
        world.timeline.after(chance.uniform(10, 200), lambda: world.publish("acme", 2))
    if chance.random() < 0.1:
        for name in world.queues:
            if not name.endswith("_dead"):
                world.timeline.after(chance.uniform(0, 300), lambda name=name: poison(world, name))  # type: ignore[misc]
    return world


def poison(world: World, queue: str) -> None:
    """Put an unreadable message on a queue."""
    world.queues[queue].send("{not a message", "poisoned", "poison")


def to_the_end(world: World) -> World:
    """Run the story, the operators' repairs, and the end of all sessions a day later."""
    world.run(2 * DAY)
    world.run(9 * DAY)
    return world
