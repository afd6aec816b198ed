"""The whole product on in-memory ports: webhook to phone without AWS, under a frozen clock."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytake.campaigns.budgets import OrganizationBudgets, ReserveOpening
from pytake.campaigns.rate_card import installed_rate_card
from pytake.conversation.agent_messaging import AgentMessaging
from pytake.conversation.app_contacts import ImportAppContact
from pytake.conversation.app_history import ImportAppHistory
from pytake.conversation.contact_news import ContactNews
from pytake.conversation.delivery.deliver import AMBIGUOUS_SECONDS, Deliver
from pytake.conversation.delivery.library_files import ExchangeFiles
from pytake.conversation.find_conversation import FindConversation
from pytake.conversation.flow_authoring import FlowAuthoring
from pytake.conversation.flow_library import FlowLibrary
from pytake.conversation.marketing_preferences import RecordPreference
from pytake.conversation.media.kinds import stored_kinds
from pytake.conversation.media.library import MediaLibrary
from pytake.conversation.media.sendable import SendableFiles
from pytake.conversation.merge_contacts import MergeContacts
from pytake.conversation.number_setup import NumberChange, NumberSetup
from pytake.conversation.offboarding import OffboardNumber
from pytake.conversation.opt_out import RecordOptOut
from pytake.conversation.plan_opening import PlanOpening
from pytake.conversation.ports.common import RecordMetric, no_metrics
from pytake.conversation.ports.conversations import EffectPerformer
from pytake.conversation.ports.follow_ups import PlansFollowUps
from pytake.conversation.ports.messaging import QueueingFailedError
from pytake.conversation.publish_events import PublishBusinessEvents, PublishLateEvents
from pytake.conversation.queues import InboundItem, OutboundItem
from pytake.conversation.receive_notification import ReceiveNotification
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.conversation.resume_number import ResumeNumber
from pytake.conversation.retry_later import RetryLaterError
from pytake.conversation.statuses import ProcessStatuses
from pytake.conversation.templates.keep import KeepTemplates
from pytake.conversation.templates.stops import ReportStoppedTemplates
from pytake.conversation.timers import FireDueTimers
from pytake.conversation.turn import TakeTurn
from pytake.engine import Effect, EffectResult
from pytake.whatsapp import signature
from tests import fakes
from tests.fakes.budgets import MemoryBudgetLedger
from tests.fakes.lake import MemoryEventLog
from tests.fakes.media import MemoryMediaFiles, MemoryUploads, ScriptedMetaMedia

NUMBER = "100000000000001"
PHONE = "5511999999999"
CHOICE = Path(__file__).parents[1] / "whatsapp" / "payloads" / "user_preferences.json"
APP_SECRET = "demo-app-secret"

ECHO_FLOW: dict[str, Any] = {
    "format": 1,
    "id": "echo",
    "name": "Echo",
    "language": "en",
    "start_node_id": "start",
    "nodes": [
        {"id": "start", "type": "start", "data": {"greeting": "Hello!", "next_node_id": "ask"}},
        {
            "id": "ask",
            "type": "question",
            "data": {
                "question": "What is your name?",
                "variable": "name",
                "validation": {"type": "text", "min_length": 2, "error_message": "At least 2 letters, please."},
                "next_node_id": "end",
            },
        },
        {"id": "end", "type": "end", "data": {"message": "Bye, {{name}}."}},
    ],
}


class Effects:
    """Passes effects to the `performer` that a test sets."""

    performer: EffectPerformer | None = None

    def perform(self, key: ConversationKey, effect: Effect) -> EffectResult:
        assert self.performer is not None, "no flow of these tests asks for an effect"
        return self.performer.perform(key, effect)


class Product:
    """Every use case, wired to fakes."""

    def __init__(self, ambiguous_seconds: float = AMBIGUOUS_SECONDS, flows: fakes.MemoryFlows | None = None) -> None:
        self.clock = fakes.FrozenClock()
        self.contacts = fakes.MemoryContacts()
        self.conversations = fakes.MemoryConversations(self.contacts)
        self.deliveries = fakes.MemoryDeliveries()
        self.slots = fakes.MemoryRateSlots()
        self.held_turns = fakes.MemoryHeldTurns()
        self.tenants = fakes.MemoryTenants()
        self.secrets = fakes.MemorySecrets()
        self.templates = fakes.MemoryTemplates()
        self.flows = flows or fakes.MemoryFlows()
        self.flow_secrets = fakes.MemoryFlowSecrets()
        self.queues = fakes.MemoryQueues()
        self.graph = fakes.ScriptedSender()
        self.receipts = fakes.RecordedReceipts()
        self.history = fakes.MemoryAppHistory()
        self.events = fakes.RecordedOperatorEvents()
        self.bus = fakes.MemoryBus()
        self.told: list[tuple[str, float]] = []
        self.outbox = fakes.MemoryOutbox(self.conversations, self.deliveries)
        self.publish_events = PublishBusinessEvents(self.bus, self.outbox, self.conversations, self.deliveries)
        self.publish_late_events = PublishLateEvents(
            self.bus,
            self.outbox,
            self.conversations,
            self.clock,
            lambda *record_metric: self.told.append(record_metric),
        )
        self.files = MemoryMediaFiles(self.clock)
        self.uploads = MemoryUploads()
        self.meta_media = ScriptedMetaMedia()
        event_log = MemoryEventLog(self.conversations, self.deliveries)
        self.media_library = MediaLibrary(
            self.files, self.uploads, self.secrets, self.meta_media, event_log, self.clock
        )
        self.authoring = FlowAuthoring(
            self.flows,
            self.flow_secrets,
            self.tenants,
            self.templates,
            self.clock,
            file_kinds=self.media_library.kinds,
        )
        self.setup = NumberSetup(self.tenants, self.secrets, self.flows, self.templates, None)
        self.receive = ReceiveNotification(
            self.tenants, self.secrets, self.queues, self.deliveries, self.events, self.clock
        )
        self.effects = Effects()
        self.effect_slots = fakes.MemoryEffectSlots()
        aliases = self.conversations.aliases
        merge = MergeContacts(self.conversations, self.contacts, aliases, self.tenants, self.events, self.clock)
        find = FindConversation(self.conversations, aliases, merge)
        self.import_history = ImportAppHistory(self.conversations, find, self.history)
        news = ContactNews(self.contacts, self.conversations, find, self.clock)
        self.record_preference = RecordPreference(news, RecordOptOut(self.conversations, self.contacts, self.clock))
        self.import_contact = ImportAppContact(news)
        self.follow_ups: PlansFollowUps | None = None
        self.budget_ledger = MemoryBudgetLedger()
        self.start_flow_runner()
        self.measured: list[tuple[str, float]] = []
        self.fire_due_timers = FireDueTimers(
            self.conversations, self.queues, self.clock, lambda *record_metric: self.measured.append(record_metric)
        )
        self.deliver = Deliver(
            conversations=self.conversations,
            contacts=self.contacts,
            deliveries=self.deliveries,
            reads=fakes.MemoryDeliveryReads(self.conversations, self.contacts, self.deliveries),
            slots=self.slots,
            held_turns=self.held_turns,
            tenants=self.tenants,
            secrets=self.secrets,
            templates=self.templates,
            sender=self.graph,
            receipts=self.receipts,
            queues=self.queues,
            operator_events=self.events,
            publish_events=self.publish_events,
            exchange_files=ExchangeFiles(self.sendable_files, self.clock),
            clock=self.clock,
            messages_per_minute=600,
            ambiguous_seconds=ambiguous_seconds,
        )
        self.settle = ProcessStatuses(
            self.conversations,
            self.contacts,
            self.deliveries,
            self.tenants,
            self.queues,
            self.events,
            self.publish_events,
            self.clock,
        )
        self.offboard = OffboardNumber(
            self.tenants, self.secrets, self.held_turns, self.queues, self.events, self.templates, self.clock
        )
        self.keep_templates = KeepTemplates(self.templates, ReportStoppedTemplates(self.events))
        self.resume = ResumeNumber(self.tenants, self.held_turns, self.queues, self.clock)
        self._messages = 0

    @property
    def budgets(self) -> OrganizationBudgets:
        return OrganizationBudgets(self.tenants, self.budget_ledger, self.events)

    def sendable_files(self) -> SendableFiles:
        return SendableFiles(self.files, self.uploads, self.secrets, self.meta_media, self.clock)

    def start_flow_runner(self, record_metric: RecordMetric = no_metrics) -> None:
        """Start a worker that has compiled no flow yet."""
        self.flow_library = flows = FlowLibrary(self.flows, self.clock)
        self.take_turn = TakeTurn(
            conversations=self.conversations,
            deliveries=self.deliveries,
            contacts=self.contacts,
            aliases=self.conversations.aliases,
            tenants=self.tenants,
            flows=flows,
            queues=self.queues,
            effects=self.effects,
            effect_slots=self.effect_slots,
            operator_events=self.events,
            publish_events=self.publish_events,
            clock=self.clock,
            session_ttl_hours=24,
            show_typing=self.queues.put_outbound,
            plan_opening=PlanOpening(self.tenants, flows, self.templates, 24, stored_kinds(self.uploads)),
            record_metric=record_metric,
            follow_ups=self.follow_ups,
            reserve_opening=ReserveOpening(self.tenants, self.budgets, installed_rate_card()),
        )

    def add_organization(self, organization_id: str, number: str, flow: dict[str, Any] | None, **change: Any) -> None:
        if flow is not None:
            self.publish(organization_id, flow)
        self.setup.put(
            organization_id,
            number,
            NumberChange(
                display_phone_number="+55 11 4000-0001",
                default_flow_id=flow["id"] if flow else None,
                verify_token=f"verify-{organization_id}",
                app_secret=change.pop("app_secret", APP_SECRET),
                access_token=f"access-{organization_id}",
                **change,
            ),
        )

    def publish(self, organization_id: str, flow: dict[str, Any]) -> None:
        self.authoring.save_draft(organization_id, flow["id"], flow)
        self.authoring.publish(organization_id, flow["id"], "test")

    def agent_messaging(self) -> AgentMessaging:
        return AgentMessaging(
            self.conversations,
            self.tenants,
            self.queues,
            self.publish_events,
            self.clock,
            24,
            self.contacts,
            self.conversations.aliases,
            self.templates,
            self.media_library.kinds,
        )

    def post(self, body: dict[str, Any], app_secret: str = APP_SECRET) -> Any:
        raw = json.dumps(body).encode()
        return self.receive(raw, signature.sign(app_secret, raw), "request-1")

    def message(self, text: str, phone: str = PHONE, id_: str | None = None, **content: Any) -> dict[str, Any]:
        self._messages += 1
        id_ = id_ or f"wamid.{self._messages}"
        base = {"from": phone, "id": id_, "timestamp": str(int(self.clock.now))}
        return {**base, **(content or {"type": "text", "text": {"body": text}})}

    def notification(self, *messages: dict[str, Any], number: str = NUMBER) -> dict[str, Any]:
        contacts = [{"wa_id": m["from"], "profile": {"name": "Ana"}} for m in messages]
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": number, "display_phone_number": "551140000001"},
            "contacts": contacts,
            "messages": list(messages),
        }
        return {
            "object": "whatsapp_business_account",
            "entry": [{"id": "waba", "changes": [{"field": "messages", "value": value}]}],
        }

    def say(self, text: str, phone: str = PHONE, number: str = NUMBER, **content: Any) -> list[str]:
        """A person writes; returns the texts of the answers."""
        self.post(self.notification(self.message(text, phone, **content), number=number))
        before = len(self.graph.sent)
        self.run_queues()
        return [text_of(payload) for payload in self.graph.sent[before:]]

    def commit_unqueued(self, monkeypatch: pytest.MonkeyPatch) -> InboundItem:
        """A person writes; the turn is committed, and its answer cannot be queued. Returns the item, which will be retried."""
        self.post(self.notification(self.message("Olá")))
        item = self.queues.inbound.pop()
        with monkeypatch.context() as patch:
            patch.setattr(self.queues, "put_outbound", cannot_be_queued)
            with pytest.raises(QueueingFailedError):
                self.take_turn(item)
        return item

    def run_queues(self) -> list[TurnRecord]:
        """Process both queues, as the workers do when nothing fails."""
        records = []
        while self.queues.inbound:
            item = self.queues.inbound.pop(0)
            if item.is_app_contact:
                self.import_contact(item)
                continue
            if item.is_preference:
                self.record_preference(item)
                continue
            record = self.take_turn(item)
            if item.is_history:
                self.import_history(item)
            if record is not None:
                records.append(record)
        while self.queues.outbound:
            self.deliver(self.queues.outbound.pop(0), first_delivery=True)
        return records

    def deliver_until_done(self, item: OutboundItem, *, redelivered: bool = False, limit: int = 50) -> list[float]:
        """Deliver as the queue does, moving the clock as the sender asks; returns the waits."""
        waits: list[float] = []
        for attempt in range(limit):
            try:
                self.deliver(item, first_delivery=attempt == 0 and not redelivered)
            except RetryLaterError as wait:
                waits.append(round(wait.seconds, 3))
                self.clock.forward(wait.seconds)
            else:
                return waits
        raise AssertionError(f"not done after {limit} attempts: {waits}")

    def key(self, phone: str = PHONE, organization_id: str = "acme", number: str = NUMBER) -> ConversationKey:
        return ConversationKey(organization_id, number, phone)


def cannot_be_queued(*_: Any) -> None:
    """Fail like a queue that does not answer."""
    raise QueueingFailedError


def text_of(payload: dict[str, Any]) -> str:
    if payload["type"] == "text":
        return str(payload["text"]["body"])
    if payload["type"] == "template":
        return str(payload["template"]["name"])
    return str(payload["interactive"]["body"]["text"])


def choose(product: Product, value: str, at: float, phone: str = PHONE, /, **change: Any) -> None:
    """Meta reports a choice that the person made in WhatsApp's settings."""
    body = json.loads(CHOICE.read_bytes())
    news = body["entry"][0]["changes"][0]["value"]
    if phone != PHONE:
        del news["contacts"], news["user_preferences"][0]["user_id"]
        change = {"wa_id": phone, **change}
    news["user_preferences"][0] |= {"value": value, "timestamp": int(at), **change}
    product.post(body)
    product.run_queues()


def echo_product() -> Product:
    """A product with one organization, whose number runs `ECHO_FLOW`."""
    product = Product()
    product.add_organization("acme", NUMBER, ECHO_FLOW)
    return product
