"""An organization with a campaign on in-memory ports, and faults at any call that a tick makes."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec.structs import replace

from pytake.campaigns.audience import AudiencePart
from pytake.campaigns.claim import ClaimRecipients
from pytake.campaigns.manage import ManageCampaigns
from pytake.campaigns.records import Campaign, CampaignDefinition
from pytake.campaigns.recount import RecountAudience
from pytake.campaigns.release import ReleaseRecipients
from pytake.campaigns.repeat import RepeatLimited
from pytake.campaigns.tick import TickCampaigns
from pytake.contacts.consent import Consent
from pytake.contacts.records import ContactRecord, new_contact
from pytake.contacts.segments import Segment
from pytake.conversation.commit_turn import CommitTurn
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.ports.follow_ups import PlansFollowUps
from pytake.conversation.queues import StartTemplate
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.conversation.start_flow import StartFlow
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate
from tests import fakes
from tests.conversation.product import ECHO_FLOW, NUMBER, Product
from tests.fakes import campaigns as memory

WABA = "5"
TEMPLATE = StartTemplate("spring", "pt_BR", [])
DEFINITION = CampaignDefinition(
    name="Spring", phone_number_id=NUMBER, segment_id="vips", template=TEMPLATE, flow_id=ECHO_FLOW["id"]
)
PRICE = 62_500
TICK_SECONDS = 60


class KilledError(BaseException):
    """The worker dies here: no code of its own runs any more."""


class Calls:
    """Counts the calls of ports, and lets something happen before or after one of them."""

    def __init__(self) -> None:
        self.made = 0
        self.names: list[str] = []
        self.at: dict[tuple[int, str], Callable[[], None]] = {}

    def of(self, port: Any, *names: str) -> Any:
        """The port, with these methods counted."""
        return _Counted(self, port, names)

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        number = self.made
        self.made += 1
        self.names.append(name)
        self._happens(number, "before")
        result = call()
        self._happens(number, "after")
        return result

    def _happens(self, number: int, when: str) -> None:
        action = self.at.pop((number, when), None)
        if action is not None:
            action()


class _Counted:
    def __init__(self, calls: Calls, port: Any, names: Sequence[str]) -> None:
        self._calls, self._port, self._names = calls, port, names

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if name not in self._names:
            return found
        return lambda *args, **named: self._calls.around(name, lambda: found(*args, **named))


def person(index: int, country: str = "55", consent: str = "granted") -> ContactRecord:
    """A contact that is stored already; a lower index is a newer one."""
    id_ = f"{country}119{index:08d}" if country == "55" else f"{country}{index:09d}"
    states: Any = {"marketing": Consent(consent, "form", 1)} if consent else {}  # type: ignore[arg-type]
    return replace(new_contact(id_, at=1_700_000_000 - index), name=f"P{index}", consent=states)


class CampaignWorld:
    """One organization. `tick` is a worker's run; `calls` counts what it asks of the ports."""

    def __init__(self, people: Sequence[ContactRecord], category: str = "MARKETING", **definition: Any) -> None:
        self.product = product = Product()
        product.add_organization("acme", NUMBER, ECHO_FLOW, waba_id=WABA)
        key = TemplateKey("acme", WABA, TEMPLATE.name, TEMPLATE.language)
        body = [{"type": "BODY", "text": "Oi"}]
        self.copy = StoredTemplate(
            WABA, MessageTemplate(key.name, key.language, category=category, status="APPROVED", components=body)
        )
        product.templates.change(key, lambda _: self.copy)
        self.clock = product.clock
        self.calls = Calls()
        self.people = [product.contacts.save("acme", one) for one in people]
        self.campaigns = memory.MemoryCampaigns()
        self.audiences = memory.MemoryAudiences()
        self.segments = fakes.MemorySegments()
        self.segments.put("acme", Segment(id="vips", name="VIPs"))
        self.reader = memory.ListedContacts({"vips": self.people}, size=3)
        self.lane = memory.MemoryLane()
        self.rate_card = memory.FixedRateCard({None: PRICE})
        self.budget = memory.MemoryBudget(1_000 * PRICE)
        self.broken: str | None = None
        self.metrics: list[tuple[Any, ...]] = []
        self.worker = 0
        self.follow_ups: PlansFollowUps | None = None
        flows = product.flow_library
        self.plan = PlanOpening(product.tenants, flows, product.templates, 24, product.media_library.kinds)
        self.start_flow = StartFlow(
            product.conversations,
            product.contacts,
            product.conversations.aliases,
            product.tenants,
            flows,
            product.queues,
            self.clock,
            self.plan,
        )
        self.manage = ManageCampaigns(
            self.campaigns,
            self.audiences,
            product.slots,
            product.tenants,
            self.segments,
            self.plan,
            self.start_flow,
            product.events,
            self.clock,
            product.media_library.kinds,
        )
        self.manage.put("acme", "spring", replace(DEFINITION, **definition), "ana")

    def new_worker(self) -> TickCampaigns:
        """A worker on the shared ports."""
        of, product = self.calls.of, self.product
        campaigns = of(self.campaigns, "load", "save", "active")
        audiences = of(self.audiences, "load", "put")
        conversations = of(product.conversations, "load", "load_all", "commit", "turn_of_message", "erased_at")
        contacts = of(product.contacts, "load", "load_all")
        queues = of(product.queues, "put_bulk")
        budget = of(self.budget, "reserve", "settle")
        lane = of(self.lane, "reserve_block", "reserve_people")
        commit = CommitTurn(
            conversations, contacts, queues, product.events, product.publish_events, self.clock, self.follow_ups
        )
        claim = ClaimRecipients(campaigns, audiences, lane, self.rate_card, budget, self.clock)
        aliases = product.conversations.aliases
        release = ReleaseRecipients(
            campaigns, audiences, contacts, conversations, aliases, commit, queues, budget, self.clock
        )
        self.worker += 1
        name = f"worker-{self.worker}"
        return TickCampaigns(
            campaigns,
            audiences,
            self.segments,
            of(self.reader, "chunks"),
            product.tenants,
            self.plan,
            claim,
            release,
            lambda _: self.broken,
            product.events,
            self.clock,
            lambda *metric: self.metrics.append(metric),
            lambda: name,
        )

    def start(self) -> None:
        self.manage.start("acme", "spring", "ana")

    def tick(self) -> int:
        return self.new_worker()()

    def run(self, ticks: int = 30) -> Campaign:
        """Tick once a minute until no tick has anything to do; a worker may die."""
        for _ in range(ticks):
            with suppress(KilledError):
                self.tick()
            if not self.campaign.is_active:
                break
            self.clock.forward(TICK_SECONDS)
        return self.campaign

    def recount(self) -> int:
        """Recount the parts that are due, and repeat what is to be repeated; a worker may die."""
        product, of = self.product, self.calls.of
        queues = of(product.queues, "put_bulk")
        commit = CommitTurn(
            product.conversations,
            product.contacts,
            queues,
            product.events,
            product.publish_events,
            self.clock,
            self.follow_ups,
        )
        aliases = product.conversations.aliases
        release = ReleaseRecipients(
            self.campaigns,
            self.audiences,
            product.contacts,
            product.conversations,
            aliases,
            commit,
            queues,
            self.budget,
            self.clock,
        )
        repeat = RepeatLimited(product.tenants, self.plan, self.lane, release, self.clock)
        return RecountAudience(
            self.audiences,
            product.conversations,
            aliases,
            product.deliveries,
            self.campaigns,
            repeat,
            queues,
            self.clock,
        )()

    @property
    def campaign(self) -> Campaign:
        found = self.campaigns.load("acme", "spring")
        assert found is not None
        return found

    @property
    def parts(self) -> list[AudiencePart]:
        return list(self.audiences.parts("acme", "spring"))

    def outcomes(self) -> dict[str, str]:
        """The outcome of each person of the audience."""
        found: dict[str, str] = {}
        for part in self.parts:
            for contact_id, outcome in zip(part.recipients, part.outcomes, strict=True):
                assert contact_id not in found, "each person is in the audience once"
                found[contact_id] = outcome
        return found

    def turns(self) -> dict[str, list[TurnRecord]]:
        """The campaign's turns of each person."""
        return {
            one.contact_id: [
                record
                for record in self.product.conversations.turns(ConversationKey("acme", NUMBER, one.contact_id))
                if record.campaign is not None
            ]
            for one in self.people
        }

    def queued(self) -> list[str]:
        """Who the queued messages go to."""
        return [item.contact_id for item in self.product.queues.outbound if item.campaign is not None]


def key(world: CampaignWorld, who: int = 0) -> ConversationKey:
    return ConversationKey("acme", NUMBER, world.people[who].contact_id)


def limit(world: CampaignWorld, turn: int = 1) -> None:
    """Meta does not deliver the message of the first person."""
    entry = Delivery(
        turn, 0, "accepted", status="failed", status_at=world.clock(), error_code=131049, reason="status:131049"
    )
    world.product.deliveries.entries[key(world), turn, 0] = entry


def wait(world: CampaignWorld, seconds: float) -> None:
    """Let time pass, with a recount whenever one is due."""
    until = world.clock() + seconds
    while (due := min(part.recount_at or until for part in world.parts)) < until:
        world.clock.now = max(world.clock(), due)
        world.recount()
    world.clock.now = until
    world.recount()
