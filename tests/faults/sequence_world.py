"""A world with contacts and with follow-ups: before a date of a contact, and after a message without an answer."""

from collections.abc import Sequence as Several
from typing import Any

from pytake.contacts.records import ContactRecord
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.queues import FlowStart, StartTemplate
from pytake.conversation.sequences.plan import PlanFollowUps
from pytake.conversation.sequences.records import Sequence, Step
from pytake.conversation.sequences.run import RunFollowUps
from pytake.conversation.start_flow import StartFlow
from pytake.conversation.templates.stored import StoredTemplate, TemplateKey
from pytake.whatsapp.templates import MessageTemplate
from tests.fakes.media import no_files
from tests.fakes.sequences import MemoryFollowUps, MemorySequences
from tests.faults.plans import Plan
from tests.faults.ports import Guarded
from tests.faults.sandbox import Sandbox
from tests.faults.world import World

OWNER = "acme"
NUMBER = World.numbers[OWNER]
ACCOUNT = "5"
TEMPLATE = StartTemplate("soon", "en")
HOUR = 3600.0
FAULT_SECONDS = 2 * HOUR
"""Until then the first follow-ups are due, and those after a silence."""


def opening(name: str, flow_id: str | None = "main", template: StartTemplate | None = TEMPLATE) -> FlowStart:
    """A start whose turn can be recognised by its parameters."""
    return FlowStart(flow_id, {"asked": name}, template, only_idle=True)


BEFORE = Sequence(
    id="before",
    name="Before the appointment",
    phone_number_id=NUMBER,
    field="appointment",
    steps=[Step(opening("before 0"), hours=-2), Step(opening("before 1"), hours=-1)],
)
SILENCE = Sequence(
    id="silence", name="Still there?", phone_number_id=NUMBER, steps=[Step(opening("silence 0", None), hours=1)]
)


class SequenceWorld(World):
    """A world with the contacts and the sequences of one organization."""

    def __init__(
        self, seed: int, plan: Plan, contacts: list[ContactRecord], sequences: Several[Sequence], **options: Any
    ) -> None:
        self.contacts = contacts
        self.sequences, self.follow_ups = MemorySequences(), MemoryFollowUps()
        for sequence in sequences:
            self.sequences.put(OWNER, sequence, plan=sequence.field is not None)
        super().__init__(seed, plan, **options)
        number = self.tenants.by_id[NUMBER]
        number.waba_id = ACCOUNT
        self.setup_tenants().put_number(number)
        self.approve(TEMPLATE, "Soon")
        for contact in contacts:
            self.conversations.contacts.save(OWNER, contact)
            self.groups.setdefault((OWNER, contact.contact_id), set()).add(contact.contact_id)

    def approve(self, template: StartTemplate, text: str) -> None:
        """Meta approves a template for marketing."""
        copy = MessageTemplate(
            template.name, "en", category="MARKETING", status="APPROVED", components=[{"type": "BODY", "text": text}]
        )
        self.templates.change(TemplateKey(OWNER, ACCOUNT, template.name, "en"), lambda _: StoredTemplate(ACCOUNT, copy))

    def _make_ports(self) -> dict[str, Any]:
        return {
            **super()._make_ports(),
            "sequences": Guarded(self, "sequences", self.sequences),
            "follow_ups": Guarded(self, "follow_ups", self.follow_ups),
        }

    def plans_follow_ups(self, tenants: Any, clock: Any) -> PlanFollowUps | None:
        if not self.sequences.stored:
            return None
        return PlanFollowUps(self.ports["sequences"], self.ports["follow_ups"], tenants, clock)

    def built_more(self, sandbox: Sandbox, tenants: Any, flows: Any, publish_events: Any) -> dict[str, Any]:
        ports, clock = self.ports, sandbox.clock
        conversations, contacts, aliases = ports["conversations"], ports["contacts"], ports["aliases"]
        plan_opening = PlanOpening(tenants, flows, self.templates, 24, no_files)
        start = StartFlow(conversations, contacts, aliases, tenants, flows, ports["queues"], clock, plan_opening)
        plan = self.plans_follow_ups(tenants, clock)
        if plan is None:
            return {"start_flow": start}
        run = RunFollowUps(
            ports["sequences"],
            ports["follow_ups"],
            plan,
            contacts,
            aliases,
            conversations,
            tenants,
            start,
            ports["events"],
            clock,
            ports["deliveries"],
        )
        return {"start_flow": start, "run_follow_ups": run}

    def due_soon(self) -> tuple[bool, bool]:
        is_due, runs = super().due_soon()
        waiting = self.follow_ups.waiting
        is_planned = any(one.due_at <= self.timeline.now for one in waiting) or bool(self.sequences.unplanned)
        return is_due or is_planned, runs or bool(waiting)
