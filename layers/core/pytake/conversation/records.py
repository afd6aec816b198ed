"""What the platform stores, as JSON: conversations, turns, deliveries, numbers, organizations and flows."""

from hashlib import sha256
from typing import Any, Literal

import msgspec
from msgspec import Struct

from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.contact_usage import ContactUsage
from pytake.engine import Command, Contact, EffectResult, Event, Input, Step
from pytake.engine.timetable import Timetable
from pytake.whatsapp.outbound import OutboundMessage
from pytake.whatsapp.pricing import Pricing

MARKER_SECONDS = 8 * 24 * 3600
"""How long an inbound message id is remembered. Meta redelivers a POST for up to seven days."""

SERVICE_WINDOW_SECONDS = 24 * 3600
"""Meta's customer service window: free-form messages may be sent this long after the person's last message."""

ERASURE_SECONDS = 30 * 24 * 3600
"""How long an erasure is remembered: longer than an item can wait on a queue and then on its dead-letter queue (28 days)."""

STATE_BYTES = 300_000
"""Limit for a stored session state. A DynamoDB item has at most 400 KB and holds the contact too."""

DUE, EVENT, START = "due", "event", "start"
"""The message types of items that are not messages: one fires a timer or ends a session, one has an event that a program
reported, one starts a flow."""

NON_MESSAGE_TYPES = (DUE, EVENT, START)

DEFAULT_COMMANDS: dict[str, Command] = {
    "restart": "restart",
    "reiniciar": "restart",
    "recomeçar": "restart",
    "stop": "stop",
    "parar": "stop",
    "human": "human",
    "humano": "human",
    "atendente": "human",
    "agente": "human",
}
"""The commands of a number that sets none of its own. They work at any moment."""


class ConversationKey(Struct, frozen=True, order=True):
    """One person writing to one number of one organization."""

    organization_id: str
    phone_number_id: str
    contact_id: str


NO_KEY = ConversationKey("", "", "")
"""The key in a stored conversation's JSON: the key of the item replaces it."""


class Handoff(Struct, frozen=True, omit_defaults=True):
    """A handoff by the flow or the person. `reason`: `flow` (a node) or `command` (the person asked for an agent).

    `ended`: the flow cannot continue from there when the agent returns the conversation. `continues`: it continues by itself.
    """

    at: float
    reason: str
    department: str | None = None
    priority: str | int | float | None = None
    note: str | None = None
    ended: bool = False
    continues: bool = False


class Session(Struct, omit_defaults=True):
    """A conversation's current run through a flow. `state` is the engine's own JSON, stored unchanged.

    `human`: an agent has the session, and the flow does not run; `handoff` says why, unless the agent took over. The state is
    then where the flow was interrupted. `context_fingerprint` is that of the last `TurnContext`. `unread_id` is the person's
    last message to the agent, which the agent's answer marks as read. `opened`: a template opened it, and the person has not
    answered. It does not count as a session yet: the answer begins one. `waits_since`: since then the person waits for an agent.
    """

    id: str
    started_at: float
    expires_at: float
    state: bytes | None = None
    human: bool = False
    timer_at: float | None = None
    context_fingerprint: str = ""
    handoff: Handoff | None = None
    unread_id: str | None = None
    waits_since: float | None = None
    opened: bool = False


class Conversation(Struct, omit_defaults=True, kw_only=True):
    """One person's conversation with one number. `seq` counts committed turns and prevents lost updates.

    `pair_rate_until` is how far Meta's limit for one recipient is used up (`rate_limits`). `active_at` is the time of the last
    message, except that of a campaign; the list of conversations has only those that have one, sorted by it. `refused_at` is
    when Meta last reported with a message that the person wants no marketing. `erased_at` is when the person was last erased:
    messages written before must not take a turn. `contact` is a copy of the stored contact's `contact_revision`; 0: the contact
    was never stored (ADR 24).

    `user_id` and `parent_user_id` are the person's business-scoped ids at this number, `username` is their name there. `merged`
    holds the contacts whose conversations were merged into this one, with the times. `merged_into` is the contact whose
    conversation has taken this one over: what remains here are its earlier turns.
    """

    key: ConversationKey = NO_KEY
    contact: Contact
    seq: int = 0
    session: Session | None = None
    last_inbound_at: float = 0
    opted_out: bool = False
    apologised_at: float | None = None
    pair_rate_until: float = 0
    active_at: float = 0
    refused_at: float = 0
    erased_at: float = 0
    usage: ContactUsage | None = None
    contact_revision: int = 0
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None
    merged: dict[str, float] = {}
    merged_into: str | None = None

    def is_erased(self, sent_at: float) -> bool:
        """Whether a message sent at that time (Meta sends whole seconds) was sent before the person was erased."""
        return bool(self.erased_at) and sent_at < int(self.erased_at)

    def open_session(self, now: float) -> Session | None:
        """The session, or None if there is none or it has expired."""
        return self.session if self.session is not None and self.session.expires_at > now else None


class DueConversation(Struct, frozen=True):
    """A conversation whose timer or session ended at `at`."""

    key: ConversationKey
    at: float


class EffectRecord(Struct, frozen=True):
    """The result of an effect (an API call, a model's answer), so that its turn can be replayed without a network."""

    key: str
    result: EffectResult


class TurnContext(Struct, frozen=True, omit_defaults=True):
    """What a turn knew besides its time and its seed: the contact before the turn, the number's country and commands, the
    organization's time zone and constants, and those of its timetables that the flow asks."""

    contact: Contact
    country: str | None = None
    commands: dict[str, Command] = {}
    timezone: str = "UTC"
    constants: dict[str, Any] = {}
    timetables: dict[str, Timetable] = {}

    def fingerprint(self) -> str:
        """A short digest: contexts with the same fingerprint are equal."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:12]


class TurnRecord(Struct, omit_defaults=True):
    """The immutable audit record of one turn: its input, the path through the flow, and its messages.

    The records of a session and the flow versions that they name are enough to replay it without a network
    (`pytake replay`). `context` is None when it equals the context that the session's previous turn left behind.
    `window_opened_at` is when the person last wrote, if that is not `at`. `pair_rate_from` and `recipient`: see
    `queues.OutboundItem`. `reads` is the message that an agent's answer marks as read. `campaign`: a campaign took the turn.
    `parameters` are those of an opened flow that starts with this turn.
    """

    seq: int
    at: float
    session_id: str
    status: str
    input: Input
    message_id: str | None = None
    message_type: str | None = None
    sent_at: float | None = None
    flow_id: str | None = None
    flow_version: int = 0
    node_id: str | None = None
    path: list[Step] = []
    messages: list[OutboundMessage] = []
    events: list[Event] = []
    effects: list[EffectRecord] = []
    correlation_id: str | None = None
    window_opened_at: float | None = None
    pair_rate_from: float = 0
    context: TurnContext | None = None
    recipient: str | None = None
    reads: str | None = None
    campaign: CampaignMark | None = None
    parameters: dict[str, Any] | None = None

    @property
    def received_message_id(self) -> str | None:
        """The id of the person's message, but of no reaction: none can be quoted or marked as read. None in other turns."""
        is_message = self.message_type is not None and self.message_type not in (*NON_MESSAGE_TYPES, "reaction")
        return self.message_id if is_message else None

    @property
    def confirms_opt_out(self) -> bool:
        """Whether the person opted out in this turn: its messages confirm that."""
        return any(event.type == "opted_out" for event in self.events)


DeliveryState = Literal["waiting", "claimed", "accepted", "ambiguous", "failed", "deferred", "dead"]


class Delivery(Struct, omit_defaults=True):
    """The claim ledger's entry of one outgoing message. `turn` and `index` identify it within its conversation.

    `state` is our side of the send. `status` is the furthest of Meta's statuses; it never moves backwards. `revision` counts
    our writes: a write succeeds only if the entry has not been written since it was read. `attempts` counts failed attempts,
    `recipient_holds` how often Meta held this recipient, `sends` the requests; a status names the request it belongs to.
    `not_before` is the earliest time of the next send. `fallback`: the number's template replaces the message.
    `possibly_duplicate`: the next send may be a duplicate. `requeued`: it was queued again after a status reported that it
    failed. `redrive_count` counts redrives. `held_by_meta`: Meta assesses the quality of the template before it sends the
    message. `pricing` is Meta's, from a status.
    """

    turn: int
    index: int
    state: DeliveryState
    attempts: int = 0
    not_before: float | None = None
    claimed_at: float | None = None
    message_id: str | None = None
    status: str | None = None
    status_at: float | None = None
    error_code: int | None = None
    reason: str | None = None
    revision: int = 0
    recipient_holds: int = 0
    sends: int = 0
    fallback: bool = False
    possibly_duplicate: bool = False
    requeued: bool = False
    redrive_count: int = 0
    held_by_meta: bool = False
    pricing: Pricing | None = None

    @property
    def reached_meta(self) -> bool:
        """Whether a status proves that Meta has the message."""
        return self.status is not None


class FallbackTemplate(Struct, frozen=True, omit_defaults=True):
    """The approved template that a number sends outside the customer service window."""

    name: str
    language: str


class Number(Struct, omit_defaults=True):
    """A WhatsApp business number. `country` is the ISO code of its display number, for phone answers in national format.

    `commands` maps words to commands; without any, `DEFAULT_COMMANDS` hold. The turns of a number with a `stopped_reason` are
    held; `stopped_at` is a time by which every reader could see the stop. `resuming_at` is when it began to send again, until
    it has no held turns: meanwhile a turn waits for those of its conversation. `resumed_at` keeps that time.

    `waba_id` is its WhatsApp Business account, if known; `messages_per_second` is Meta's throughput of it, if not 80. Until
    `held_until`, turns that wait long may be held too. Every reader could see that since `held_since`.

    `mark_read`: a message is marked as read when its turn is taken. `typing`: the typing indicator is shown while an API or a
    model is asked, only with the mark. `coexists`: it is in the phone app, too. `marketing_messages`: Meta's API for marketing.
    """

    organization_id: str
    phone_number_id: str
    display_phone_number: str
    default_flow_id: str | None = None
    keywords: dict[str, str] = {}
    country: str | None = None
    apology: str | None = None
    commands: dict[str, Command] = {}
    fallback_template: FallbackTemplate | None = None
    verify_token_hash: str | None = None
    stopped_reason: str | None = None
    stopped_at: float | None = None
    resuming_at: float | None = None
    resumed_at: float | None = None
    messages_per_second: int | None = None
    held_since: float | None = None
    held_until: float | None = None
    waba_id: str | None = None
    mark_read: bool = True
    typing: bool = True
    coexists: bool = False
    marketing_messages: bool = False


class HeldTurn(Struct, frozen=True):
    """An outgoing turn that waits for its number, for earlier held turns, or until `due_at`. `body` is the item as JSON."""

    contact_id: str
    turn: int
    held_at: float
    body: bytes
    due_at: float | None = None


class NumberSecrets(Struct, frozen=True, omit_defaults=True):
    """A number's secrets. During a rotation both app secrets are valid."""

    app_secret: str
    access_token: str
    previous_app_secret: str | None = None

    def __repr__(self) -> str:
        return "NumberSecrets(hidden)"

    @property
    def app_secrets(self) -> tuple[str, ...]:
        return (self.app_secret, self.previous_app_secret) if self.previous_app_secret else (self.app_secret,)


class Organization(Struct, omit_defaults=True):
    """An organization's settings. None means the stack's default. Flows read the `constants` as `{{constants.NAME}}`.

    `monthly_budget_micros`, in millionths, limits campaigns and starts, `people_per_day` campaigns until Meta reports a limit. In
    the hours of `office_timetable` agents answer: what people wait for them counts within."""

    organization_id: str
    messages_per_minute: int | None = None
    session_ttl_hours: int | None = None
    language: str = "en"
    timezone: str = "UTC"
    timetables: dict[str, Timetable] = {}
    office_timetable: str | None = None
    retention_days: int | None = None
    contact_messages_per_minute: int | None = None
    contact_api_calls_per_hour: int | None = None
    contact_model_calls_per_hour: int | None = None
    constants: dict[str, Any] = {}
    monthly_budget_micros: int | None = None
    people_per_day: int | None = None


FlowChange = Literal["saved", "published", "rolled_back", "filed"]


class FlowMetadata(Struct, frozen=True, omit_defaults=True):
    """How builders file a flow. An archived flow is only hidden: a published version of it runs on."""

    folder: str | None = None
    tags: list[str] = []
    archived: bool = False


class FlowSummary(Struct, omit_defaults=True):
    """A flow in an organization's list. `published_version` is the pointer that publish and rollback move.

    `last_change` was made by `updated_by`, the subject of a token (empty before releases that record it), at `updated_at`.
    """

    flow_id: str
    name: str
    latest_version: int = 0
    published_version: int | None = None
    updated_at: float = 0
    updated_by: str = ""
    last_change: FlowChange = "saved"
    metadata: FlowMetadata = FlowMetadata()


class StoredDraft(Struct, frozen=True):
    """A flow's draft. `revision` grows with every save, so that a save can name the draft that it is based on.

    `saved_by` is the subject of a token; both are empty for a draft of a release that did not record them.
    """

    document: dict[str, Any]
    revision: int
    saved_at: float = 0
    saved_by: str = ""


class FlowVersion(Struct, omit_defaults=True):
    """A published, immutable version: the flow's document and each sub-flow document it reaches at that time (ADR 0003)."""

    flow_id: str
    version: int
    published_at: float
    documents: dict[str, dict[str, Any]] = {}
    published_by: str = ""
    sub_flows: list[str] = []
