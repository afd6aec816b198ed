"""A world with a campaign: people of a segment, the ticks, and users who pause, resume and cancel it at any moment.

In some, sequences follow up who does not answer it, and who has an appointment.
"""

import random
from collections.abc import Iterator
from collections.abc import Sequence as Several
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from pytake.campaigns import claim, freeze
from pytake.campaigns.breaker import WatchOutcomes
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.lane import NumberLane
from pytake.campaigns.manage import CampaignStateError, ManageCampaigns
from pytake.campaigns.records import Campaign, CampaignDefinition, QuietHours, Variant
from pytake.campaigns.recount import RecountAudience
from pytake.campaigns.release import ReleaseRecipients
from pytake.campaigns.repeat import RepeatLimited
from pytake.campaigns.tick import TickCampaigns
from pytake.contacts.consent import Consent
from pytake.contacts.records import ContactRecord
from pytake.contacts.segments import Segment
from pytake.conversation.commit_turn import CommitTurn
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.queues import StartTemplate
from pytake.conversation.sequences.records import Sequence, Step
from tests import fakes
from tests.fakes.campaigns import FixedRateCard, ListedContacts, MemoryAudiences, MemoryBudget, MemoryCampaigns
from tests.fakes.media import no_files
from tests.faults.plans import NoFaults, Plan, RandomFaults
from tests.faults.ports import Guarded
from tests.faults.sandbox import Context, Sandbox
from tests.faults.sequence_world import (
    ACCOUNT,
    BEFORE,
    HOUR,
    OWNER,
    SILENCE,
    SequenceWorld,
    opening,
)
from tests.faults.sequence_world import FAULT_SECONDS as FOLLOWED_FAULT_SECONDS
from tests.faults.stories import FAULT_SECONDS, HABITS, WORDS
from tests.faults.timeline import DAY, START
from tests.faults.world import World

ID, SEGMENT = "spring", "vips"
TEMPLATE = StartTemplate("spring", "en")
STILL_THERE = replace(SILENCE, steps=[*SILENCE.steps, Step(opening("silence 1", None), hours=2)])
FOLLOWED_SHARE = 3
"""One run in so many has sequences."""
PRICES = {"BR": 62_500, "US": 25_000, None: 70_000}
SIZES = {"CHUNK_RECIPIENTS": 3, "PART_RECIPIENTS": 4, "STEP_CONTACTS": 5}
"""The product's sizes in small, so that a campaign of twenty people has parts and claims."""


class MemorySegments:
    """The port `Segments`, with one segment."""

    def get(self, organization_id: str, segment_id: str) -> Segment:
        return Segment(id=segment_id, name="VIPs")


class WatchedCampaigns(MemoryCampaigns):
    """Campaigns whose changes of status are noted with their times."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world
        self.changes: list[tuple[float, str]] = []

    def save(self, campaign: Campaign) -> Campaign:
        saved = super().save(campaign)
        if not self.changes or self.changes[-1][1] != saved.status:
            self.changes.append((self._world.timeline.now, saved.status))
        return saved


class CampaignWorld(SequenceWorld):
    """A world with one campaign of one organization."""

    def __init__(
        self,
        seed: int,
        plan: Plan,
        people: list[ContactRecord],
        definition: CampaignDefinition,
        sequences: Several[Sequence] = (),
        **options: Any,
    ) -> None:
        self.campaigns, self.audiences = WatchedCampaigns(self), MemoryAudiences()
        self.budget = MemoryBudget()
        self.day_limits = fakes.MemoryDayLimits()
        self.segment = list(people)
        self.definition = definition
        self._ticks = False
        self.is_started = False
        """Whether the API has answered the start."""
        super().__init__(seed, plan, people, sequences, **options)
        self.approve(TEMPLATE, "Spring!")
        self.campaigns.save(
            Campaign(organization_id=OWNER, campaign_id=ID, definition=definition, created_at=START, status_at=START)
        )

    @property
    def campaign(self) -> Campaign:
        return self.campaigns.stored[OWNER, ID]

    def _make_ports(self) -> dict[str, Any]:
        return {
            **super()._make_ports(),
            "campaigns": Guarded(self, "campaigns", self.campaigns),
            "audiences": Guarded(self, "audiences", self.audiences),
            "day_limits": Guarded(self, "day_limits", self.day_limits),
            "budgets": Guarded(self, "budgets", self.budget),
        }

    def built_more(self, sandbox: Sandbox, tenants: Any, flows: Any, publish_events: Any) -> dict[str, Any]:
        ports, clock = self.ports, sandbox.clock
        campaigns, audiences, events = ports["campaigns"], ports["audiences"], ports["events"]
        conversations, contacts = ports["conversations"], ports["contacts"]
        plan_opening = PlanOpening(tenants, flows, self.templates, 24, no_files)
        follow_ups = self.plans_follow_ups(tenants, clock)
        commit = CommitTurn(conversations, contacts, ports["queues"], events, publish_events, clock, follow_ups)
        lane = NumberLane(ports["slots"], ports["day_limits"], tenants, 600)
        reader: Any = ListedContacts({SEGMENT: self.segment}, size=2)
        segments: Any = MemorySegments()
        aliases = ports["aliases"]
        release = ReleaseRecipients(
            campaigns, audiences, contacts, conversations, aliases, commit, ports["queues"], ports["budgets"], clock
        )
        return {
            **super().built_more(sandbox, tenants, flows, publish_events),
            "tick_campaigns": TickCampaigns(
                campaigns,
                audiences,
                segments,
                reader,
                tenants,
                plan_opening,
                ClaimRecipients(campaigns, audiences, lane, FixedRateCard(PRICES), ports["budgets"], clock),
                release,
                WatchOutcomes(audiences, clock),
                events,
                clock,
                lambda *_: None,
                new_id=lambda: f"tick{self.chance.random()}",
            ),
            "recount": RecountAudience(
                audiences,
                conversations,
                aliases,
                ports["deliveries"],
                campaigns,
                RepeatLimited(tenants, plan_opening, lane, release, clock),
                ports["queues"],
                clock,
            ),
            "manage": ManageCampaigns(
                campaigns,
                audiences,
                ports["slots"],
                tenants,
                segments,
                plan_opening,
                None,
                events,
                clock,  # type: ignore[arg-type]
                no_files,
            ),
        }

    def due_soon(self) -> tuple[bool, bool]:
        is_due, runs = super().due_soon()
        return is_due, runs or (self._ticks and bool(self.sequences.stored))

    def asks(self, at: float, action: str) -> None:
        """A user pauses, resumes, cancels or starts the campaign, `at` seconds from now; again until the API answers."""

        def act(_event: Any, _context: Context) -> Any:
            try:
                getattr(self.built("manage"), action)(OWNER, ID, "user")
            except CampaignStateError as refused:
                return {"refused": refused.args}
            finally:
                self.is_started |= action == "start" and self.campaign.status != "draft"
            return {"done": action}

        def answered(answer: Any) -> None:
            if answer is None:
                self.timeline.after(3, ask)

        def ask() -> None:
            self.invoke("operator", act, None, answered)

        self.timeline.after(at, ask)

    def run(self, seconds: float) -> None:
        with small_sizes():
            self._ticks_until = self.timeline.now + 1800
            if not self._ticks:
                self._ticks = True
                self.timeline.after(1, self._tick)
            super().run(seconds)

    def _tick(self) -> None:
        def tick(_event: Any, context: Context) -> Any:
            self.built("tick_campaigns")(lambda: context.get_remaining_time_in_millis() < 60_000)
            self.built("recount")(lambda: context.get_remaining_time_in_millis() < 20_000)
            return {}

        waits = any(self.audiences.to_recount(self.timeline.now + 4 * DAY))
        if self.campaign.is_active or waits or self.timeline.now < self._ticks_until:
            self.invoke("scheduled", tick, None, lambda _: None)
            self.timeline.after(60 if self.timeline.now < self._ticks_until else 1800, self._tick)
        else:
            self._ticks = False


@contextmanager
def small_sizes() -> Iterator[None]:
    """While it lasts, parts and claims are small."""
    with (
        patch.object(claim, "CHUNK_RECIPIENTS", SIZES["CHUNK_RECIPIENTS"]),
        patch.object(freeze, "PART_RECIPIENTS", SIZES["PART_RECIPIENTS"]),
        patch.object(freeze, "STEP_CONTACTS", SIZES["STEP_CONTACTS"]),
    ):
        yield


def person(number: int, chance: random.Random) -> ContactRecord:
    """Someone of the segment. Most want marketing; a few have opted out, and a few never agreed."""
    phone = f"{chance.choice(('5511', '5511', '1212'))}{90_000_0000 + number}"
    consent: Any = {"marketing": Consent("granted", "test", START - DAY)}
    kind = chance.random()
    if kind < 0.05:
        consent = {}
    elif kind < 0.1:
        consent["service"] = Consent("withdrawn", "test", START - 1)
    return ContactRecord(
        contact_id=phone, phone=f"+{phone}", name=f"P{number}", consent=consent, created_at=START - number - 1
    )


def definition(chance: random.Random, people: int) -> CampaignDefinition:
    """A campaign with whatever a campaign may have."""
    variants = [Variant("a"), Variant("b", share=2)] if chance.random() < 0.3 else []
    return CampaignDefinition(
        name="Spring",
        phone_number_id=World.numbers[OWNER],
        segment_id=SEGMENT,
        template=TEMPLATE,
        flow_id="main" if chance.random() < 0.6 else None,
        start_at=START + 120 if chance.random() < 0.2 else None,
        quiet_hours=QuietHours("21:00", "08:00") if chance.random() < 0.2 else None,
        pace_per_second=chance.choice((None, None, 0.5, 2.0)),
        spend_cap_micros=chance.choice((None, None, people * 30_000, 10_000_000)),
        variants=variants,
        holdout=chance.choice((0.0, 0.0, 0.2)),
    )


def with_appointments(people: Several[ContactRecord], chance: random.Random) -> list[ContactRecord]:
    """The people; some have an appointment in two hours or a little more."""
    soon = (datetime.fromtimestamp(START + 2 * HOUR + chance.choice((900, 1200, 1800)), UTC) for _ in people)
    return [
        replace(one, fields={"appointment": at.isoformat()}) if chance.random() < 0.5 else one
        for one, at in zip(people, soon, strict=True)
    ]


def calm(
    seed: int = 0, plan: Plan | None = None, size: int = 6, sequences: Several[Sequence] = (), **options: Any
) -> CampaignWorld:
    """Six people get it and one answers; nothing else happens. Single faults are injected into this run."""
    chance = random.Random(f"people {seed}")  # noqa: S311
    people = [
        replace(person(number, chance), consent={"marketing": Consent("granted", "test", 1)}) for number in range(size)
    ]
    if sequences:
        people = with_appointments(people, chance)
    plain = CampaignDefinition(
        name="Spring",
        phone_number_id=World.numbers[OWNER],
        segment_id=SEGMENT,
        template=TEMPLATE,
        flow_id="main",
        spend_cap_micros=1_000_000_000,
    )
    world = CampaignWorld(seed, plan or NoFaults(), people, plain, sequences, **options)
    world.asks(0.5, "start")
    world.says(300, OWNER, people[0].contact_id, "Oi")
    return world


def wild(seed: int) -> CampaignWorld:
    """Everything at once: faults, repeated and late statuses, people who write and opt out, users who change their minds."""
    chance = random.Random(f"campaign {seed}")  # noqa: S311
    is_followed = seed % FOLLOWED_SHARE == 0
    plan = RandomFaults(
        random.Random(f"faults {seed}"),  # noqa: S311
        chance.choice((0.0, 0.01, 0.03, 0.08)),
        START + (FOLLOWED_FAULT_SECONDS if is_followed else FAULT_SECONDS),
        chance.choice(HABITS),
    )
    people = [person(number, chance) for number in range(chance.choice((3, 8, 15)))]
    if is_followed:
        people = with_appointments(people, random.Random(f"appointments {seed}"))  # noqa: S311
    world = CampaignWorld(
        seed,
        plan,
        people,
        definition(chance, len(people)),
        (BEFORE, STILL_THERE) if is_followed else (),
        per_minute=chance.choice((5, 60, 600, 6000)),
        skew=chance.choice((0.0, 0.0, 0.5)),
    )
    world.budget.left = chance.choice((None, 1_000_000_000, len(people) * 40_000))
    if chance.random() < 0.3:
        world.day_limits.learn(OWNER, ACCOUNT, chance.choice((5, 10)), START)
    world.meta.repeats = chance.choice((0.0, 0.1, 0.3))
    world.meta.late_statuses = chance.choice((0.0, 0.0, 0.1))
    world.meta.undelivered = chance.choice((0.0, 0.0, 0.2))
    world.asks(chance.uniform(0, 30), "start")
    for contact in chance.sample(people, min(len(people), 4)):
        at = chance.choice((chance.uniform(0, 20), chance.uniform(60, 200), chance.uniform(100, 900)))
        for _ in range(chance.choice((1, 1, 3))):
            world.says(at, OWNER, contact.contact_id, chance.choice((*WORDS, "stop")))
            at += chance.choice((0.2, 20.0, 200.0))
    for _ in range(chance.choice((0, 0, 1, 3))):
        at = chance.uniform(1, 400)
        world.asks(at, "pause")
        if chance.random() < 0.8:
            world.asks(at + chance.choice((0.5, 30, 300)), "resume")
    if chance.random() < 0.15:
        world.asks(chance.uniform(1, 400), "cancel")
    return world


def to_the_end(world: CampaignWorld) -> CampaignWorld:
    """Run the story until the last recount. Who resumes a stopped number resumes its campaign, too, as often as that happens."""
    world.run(2 * DAY)
    if world.campaign.status in ("paused", "stopped"):
        world.asks(1, "resume")
    world.run(9 * DAY)
    for _ in world.segment:
        if world.campaign.reason != "number_stopped":
            break
        world.asks(1, "resume")
        world.run(9 * DAY)
    return world
