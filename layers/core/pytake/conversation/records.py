"""What the platform remembers: conversations, turns, deliveries, numbers, organizations and published flows.

All are msgspec Structs: the adapters store them as JSON, the API shows parts of them, tests build them by hand.
"""

from hashlib import sha256
from typing import Any, Literal

import msgspec
from msgspec import Struct

from pytake.engine import Command, Contact, EffectResult, Event, Input, Step
from pytake.whatsapp.outbound import OutboundMessage

MARKER_SECONDS = 8 * 24 * 3600
"""How long an inbound message id is remembered. Meta redelivers a POST for up to seven days."""

SERVICE_WINDOW_SECONDS = 24 * 3600
"""Meta's customer service window: free-form messages may be sent this long after the person's last message."""

ERASURE_SECONDS = 30 * 24 * 3600
"""How long an erasure is remembered: longer than anything can wait on a queue and then on its dead-letter queue (28 days)."""

STATE_BYTES = 300_000
"""The largest session state that is stored; a DynamoDB item ends at 400 KB and carries the contact too."""


DUE = "due"
"""The message type of the item that fires a timer or ends a session."""

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
"""The key in a stored conversation's JSON: the item's own key says it."""


def new_session_id(key: ConversationKey, seq: int) -> str:
    """The id of the session that begins with turn `seq` of a conversation: whoever has the turn can tell that it did."""
    parts = (key.organization_id, key.phone_number_id, key.contact_id, str(seq))
    return sha256("\x1f".join(parts).encode()).hexdigest()[:20]


class Session(Struct, omit_defaults=True):
    """A conversation's current run through a flow. `state` is the engine's own JSON, stored as it is."""

    id: str
    started_at: float
    expires_at: float
    state: bytes | None = None
    human: bool = False
    timer_at: float | None = None
    context_fingerprint: str = ""


class Conversation(Struct, omit_defaults=True, kw_only=True):
    """What is known of one person at one number. `seq` counts committed turns and guards against lost updates.

    `pair_rate_until` is how far Meta's pair rate limit is used up (`rate_limits`). `active_at` is when the
    person, the bot or an agent last said something: the list of conversations goes by it. `erased_at` is when this person was
    erased before: what was said until then must not come back (`pytake.conversation.erase_contact`).
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
    erased_at: float = 0

    def is_erased(self, said_at: float) -> bool:
        """Whether something said at that time, as Meta tells it in whole seconds, is of the person who was erased."""
        return bool(self.erased_at) and said_at < int(self.erased_at)

    def open_session(self, now: float) -> Session | None:
        """The session, unless it has ended by silence and nobody has noted it yet."""
        return self.session if self.session is not None and self.session.expires_at > now else None


class RecentPosition(Struct, frozen=True):
    """A conversation's place in its organization's list: `hour` is the whole hour of its last message."""

    key: ConversationKey
    hour: int


class DueConversation(Struct, frozen=True):
    """A conversation in which something is due since `at`."""

    key: ConversationKey
    at: float


class EffectRecord(Struct, frozen=True):
    """What an effect of a turn (an API call, a model's answer) gave back: with it the turn replays without a network."""

    key: str
    result: EffectResult


class TurnContext(Struct, frozen=True, omit_defaults=True):
    """What a turn knew besides its time and its seed: the contact as it was before, the number's country and words."""

    contact: Contact
    country: str | None = None
    commands: dict[str, Command] = {}

    def fingerprint(self) -> str:
        """A short digest: two contexts with the same mark are the same."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:12]


class TurnRecord(Struct, omit_defaults=True):
    """The immutable audit record of one turn: what came in, the way through the flow, what went out.

    With the flow versions they name, the records of a session are enough to replay it without a network
    (`pytake replay`). `context` is left out when it is what the session's turn before left behind: what that
    turn's events say of the contact is in it, nothing else changed. `window_opened_at` is when
    the person last wrote, where that is not `at`; `pair_rate_from` is the outbound item's.
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

    @property
    def confirms_opt_out(self) -> bool:
        """The person opted out in this turn: what it says is the confirmation."""
        return any(event.type == "opted_out" for event in self.events)


DeliveryState = Literal["waiting", "claimed", "accepted", "ambiguous", "failed", "deferred", "dead"]


class Delivery(Struct, omit_defaults=True):
    """The claim ledger's entry of one outgoing message: `turn` and `index` name it within its conversation.

    `state` is our side of the send, `status` is what Meta's statuses said of it (it never moves backwards). `revision`
    counts the writes of our side: a write holds only if nobody wrote since it was read. `attempts` counts failed tries,
    `recipient_holds` the times that Meta held this recipient, `sends` the requests. `fallback`: the
    number's template is sent in place of the message. `possibly_duplicate`: the next send may be a second one.
    `requeued`: it was queued once more after a status said that it failed. `redrive_count` counts redrives.
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

    @property
    def reached_meta(self) -> bool:
        """A status proves that Meta has the message, whatever our side knows."""
        return self.status is not None


class FallbackTemplate(Struct, frozen=True, omit_defaults=True):
    """The approved template a number falls back to outside the customer service window."""

    name: str
    language: str


class Number(Struct, omit_defaults=True):
    """A WhatsApp business number. `country` is the ISO code read from its display number, for national phone answers.

    With a `stopped_reason` its turns are held; `stopped_at` is since when, at the latest. `resuming_at` is when it began to
    send again, until nothing of it is held any more: so long, a turn waits for the held ones of its conversation.
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


class HeldTurn(Struct, frozen=True):
    """An outgoing turn that waits for its number or for the turns before it; `body` is the item as JSON."""

    contact_id: str
    turn: int
    held_at: float
    body: bytes


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
    """An organization's settings; a missing one means the stack's default."""

    organization_id: str
    messages_per_minute: int | None = None
    session_ttl_hours: int | None = None
    language: str = "en"
    timezone: str = "UTC"
    retention_days: int | None = None


class FlowSummary(Struct, omit_defaults=True):
    """A flow in an organization's list. `published_version` is the pointer that publish and rollback move."""

    flow_id: str
    name: str
    latest_version: int = 0
    published_version: int | None = None
    updated_at: float = 0


LISTED_NAME_LENGTH = 200
"""Characters of a flow's name that its organization's list keeps."""


def listed_name(document: dict[str, Any]) -> str:
    """What a list calls the flow of a document, whatever stands in it."""
    name = document.get("name")
    return str(name if isinstance(name, str) and name.strip() else document.get("id") or "")[:LISTED_NAME_LENGTH]


class StoredDraft(Struct, frozen=True):
    """A flow's draft. `revision` grows with every save: whoever saves can say which draft they began with."""

    document: dict[str, Any]
    revision: int


class FlowVersion(Struct, omit_defaults=True):
    """A published, immutable version: the flow's document and every sub-flow document it reaches, as they were (ADR 0003)."""

    flow_id: str
    version: int
    published_at: float
    documents: dict[str, dict[str, Any]] = {}
    published_by: str = ""
    sub_flows: list[str] = []


class LogEntry(Struct, frozen=True):
    """An entry of the log of what happened: the first of turns that follow each other within an hour.

    `at` is in milliseconds; entries are in the order of organizations and of it. `position` is for the log that gave it.
    """

    organization_id: str
    at: int
    position: tuple[str, str]


class LakePart(Struct, frozen=True):
    """A file of the lake: of an organization's hour the entries from `begins` on, up to the next file's.

    `begins`, `until` and `next` are moments in milliseconds. It holds no entry after `until`; the next file begins at
    `next` and is yet to be begun while that is None. The first of an hour begins with it.
    """

    organization_id: str
    hour: int
    begins: int
    until: int
    next: int | None = None


class LoggedTurn(Struct, frozen=True):
    """A turn as the log of what happened has it: whose it is, its record and what is known of its messages' deliveries."""

    key: ConversationKey
    record: TurnRecord
    deliveries: list[Delivery]

    @property
    def organization_id(self) -> str:
        return self.key.organization_id


class PendingErasure(Struct):
    """An erasure that is not finished: what is left to do outside the conversations' own items.

    `contacts` are the pseudonyms that the person's rows in the lake carry, `reported` the hours whose files hold something the
    person said, `unsettled` those that will be exported again. `keys` are in clear until it is finished.
    """

    id: str
    organization_id: str
    at: float
    keys: list[ConversationKey]
    contacts: list[str]
    reported: list[int]
    unsettled: list[int]


class ExportCursor(Struct, frozen=True):
    """Where a pass of the export goes on in an hour that it could not finish: when it began with it, and the part."""

    hour: int
    began: float
    organization_id: str
    begins: int


class ExportProgress(Struct, omit_defaults=True):
    """How far the lake is: everything up to `as_of` is in it. `through` is the last hour that each pass has done, and
    `cursors` is how far it is in the next."""

    as_of: float | None = None
    through: dict[str, int] = {}
    cursors: dict[str, ExportCursor] = {}


class RetentionProgress(Struct, omit_defaults=True):
    """What an organization's items in the table were written to be kept for; `through`: the hour up to which more is gone."""

    seconds: int
    through: int | None = None
