"""A process of a function, with the use cases wired to the simulated ports."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pytake.aws.batch import BatchProcessor
from pytake.conversation.contact_news import ContactNews
from pytake.conversation.delivery.deliver import Deliver
from pytake.conversation.delivery.library_files import ExchangeFiles
from pytake.conversation.delivery.waiting_turns import ReleaseWaitingTurns, longest_wait
from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.marketing_preferences import RecordPreference
from pytake.conversation.merge_contacts import MergeContacts
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.publish_events import PublishBusinessEvents, PublishLateEvents
from pytake.conversation.receive_notification import ReceiveNotification
from pytake.conversation.resume_number import ResumeNumber
from pytake.conversation.statuses import ProcessStatuses
from pytake.conversation.timers import FireDueTimers
from pytake.conversation.turn import TakeTurn
from tests import fakes
from tests.fakes.media import no_files
from tests.faults.ports import Crm
from tests.faults.story_flow import SharedLibrary
from tests.faults.timeline import Lock, Timeline

if TYPE_CHECKING:
    from tests.faults.world import World


def _no_library_files() -> Any:
    raise AssertionError("no flow of the worlds sends library files")


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
        receipts = fakes.RecordedReceipts()
        flows = SharedLibrary(world.flows, clock)
        self.built: dict[str, Any] = {
            "metrics": nullcontext(),
            "batches": BatchProcessor(world.timeline.spawn, Lock(world.timeline)),
            "tries": world.tries,
            "queues": ports["queues"],
            "read_receipts": receipts,
            "receive_notification": ReceiveNotification(
                tenants, secrets, ports["queues"], ports["deliveries"], events, clock
            ),
            "take_turn": TakeTurn(
                conversations=ports["conversations"],
                deliveries=ports["deliveries"],
                contacts=ports["contacts"],
                aliases=ports["aliases"],
                tenants=tenants,
                flows=flows,
                queues=ports["queues"],
                effects=Crm(world),
                effect_slots=fakes.MemoryEffectSlots(),
                operator_events=events,
                publish_events=publish_events,
                clock=clock,
                session_ttl_hours=24,
                show_typing=ports["queues"].put_outbound,
                plan_opening=PlanOpening(tenants, flows, world.templates, 24, no_files),
                follow_ups=world.plans_follow_ups(tenants, clock),
            ),
            "record_preference": RecordPreference(
                ContactNews(ports["contacts"], ports["conversations"], self._find(ports, tenants, clock), clock),
                RecordOptOut(ports["conversations"], ports["contacts"], clock),
            ),
            "deliver": Deliver(
                conversations=ports["conversations"],
                contacts=ports["contacts"],
                deliveries=ports["deliveries"],
                reads=ports["delivery_reads"],
                slots=ports["slots"],
                held_turns=ports["held_turns"],
                tenants=tenants,
                secrets=secrets,
                templates=world.templates,
                sender=world.meta,
                receipts=receipts,
                queues=ports["queues"],
                operator_events=events,
                publish_events=publish_events,
                exchange_files=ExchangeFiles(_no_library_files, clock),
                clock=clock,
                messages_per_minute=5,
                longest_wait=lambda per_minute: world.longest_wait or longest_wait(per_minute),
            ),
            "process_statuses": ProcessStatuses(
                ports["conversations"],
                ports["contacts"],
                ports["deliveries"],
                tenants,
                ports["queues"],
                events,
                publish_events,
                clock,
            ),
            "publish_late_events": PublishLateEvents(
                ports["bus"], ports["outbox"], ports["conversations"], clock, lambda *_: None
            ),
            "fire_due_timers": FireDueTimers(ports["conversations"], ports["queues"], clock, lambda *_: None),
            "run_follow_ups": lambda _: {},  # only worlds with starts have sequences
            "release_waiting_turns": ReleaseWaitingTurns(
                ports["held_turns"], tenants, ports["queues"], clock, lambda *_: None
            ),
            "resume_number": ResumeNumber(tenants, ports["held_turns"], ports["queues"], clock),
        }
        self.built.update(world.built_more(self, tenants, flows, publish_events))

    @staticmethod
    def _find(ports: dict[str, Any], tenants: Any, clock: Callable[[], float]) -> FindConversation:
        shared = ports["conversations"], ports["contacts"], ports["aliases"]
        merge = MergeContacts(*shared, tenants, ports["events"], clock)
        return FindConversation(ports["conversations"], ports["aliases"], merge)


class Context:
    """What Lambda tells a handler."""

    aws_request_id = "request"

    def __init__(self, timeline: Timeline, deadline: float) -> None:
        self._timeline = timeline
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return int((self._deadline - self._timeline.now) * 1000)
