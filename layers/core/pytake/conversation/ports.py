"""What the use cases need from the world. `pytake.aws` and `pytake.meta` implement these; tests bring fakes.

Both run the same contract tests (`tests/contracts`), so a fake keeps the promises written here.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from msgspec import Struct

from pytake.conversation.business_events import BusinessEvent
from pytake.conversation.lake_events import ErasedTurn, LakeEvent
from pytake.conversation.queues import InboundItem, OutboundItem, StatusesItem
from pytake.conversation.records import (
    Conversation,
    ConversationKey,
    Delivery,
    DueConversation,
    ExportProgress,
    FlowSummary,
    FlowVersion,
    HeldTurn,
    LakePart,
    LogEntry,
    LoggedTurn,
    Number,
    NumberSecrets,
    Organization,
    PendingErasure,
    RecentPosition,
    RetentionProgress,
    StoredDraft,
    TurnRecord,
)
from pytake.engine import Effect, EffectResult
from pytake.whatsapp.sending import AcceptedMessage

Clock = Callable[[], float]
"""Seconds since the epoch."""


RecordMetric = Callable[[str, float], None]
"""Notes a figure under its name; what it ends with says its unit (Milliseconds, Seconds, else a count)."""


def no_metrics(name: str, value: float) -> None:
    """Where nobody measures."""


class AlreadyCommittedError(Exception):
    """The inbound message has had its turn."""


class ConflictError(Exception):
    """Somebody else wrote first: load again and decide again."""


ExpectedDraft = int | Literal["any", "none"]
"""The draft that a write shall replace: the one of a revision, any, or none (a flow that begins)."""


class DraftChangedError(Exception):
    """The draft is not the one that was expected. `revision` is that of the draft there, None: there is none."""

    def __init__(self, revision: int | None) -> None:
        super().__init__(f"the draft there has revision {revision}")
        self.revision = revision


class QueueingFailedError(Exception):
    """A queue did not take everything. What it took is safe to send again: it deduplicates."""


class FlowSecretsUnreadableError(Exception):
    """What is stored as an organization's flow secrets has another form. Says whose, never what is stored."""


class QueryNotReadyError(Exception):
    """The lake's answer takes longer than a caller can wait, or too many ask at once. It is being worked on: ask again."""


class QueryTooLargeError(Exception):
    """A query would read more of the lake than the operator allows."""


class QueryFailedError(Exception):
    """A query ended in an error; the text is Athena's reason."""


class Conversations(Protocol):
    """Conversations and their turns."""

    def load(self, key: ConversationKey) -> Conversation | None:
        """The conversation as last committed (a consistent read), or None. One read request."""

    def erased_at(self, key: ConversationKey) -> float:
        """When the person was last erased; 0 if never, or more than `ERASURE_SECONDS` ago. One read request."""

    def load_all(self, keys: Sequence[ConversationKey]) -> list[Conversation]:
        """Those of the conversations that exist, in any order (consistent reads)."""

    def recent(self, organization_id: str, limit: int, after: RecentPosition | None = None) -> list[RecentPosition]:
        """The places of the organization's list behind `after`, newest first (eventually consistent).

        Fewer than `limit` only at its end. Within an hour the order is any, but always the same.
        """

    def commit(self, conversation: Conversation, turn: TurnRecord) -> None:
        """Store the conversation (whose `seq` is the turn's), the turn and its inbound marker: all, or nothing.

        One write request. Raises `AlreadyCommittedError` when the turn's `message_id` has had a turn, `ConflictError` when the
        stored `seq` is not one less than the turn's, or when a conversation begins that does not know when its person was
        erased (`Conversation.erased_at`).
        """

    def turn(self, key: ConversationKey, seq: int) -> TurnRecord | None:
        """One turn's record."""

    def turn_of_message(self, key: ConversationKey, message_id: str) -> TurnRecord | None:
        """The record of the turn that an inbound message took."""

    def turns(self, key: ConversationKey) -> list[TurnRecord]:
        """All records still kept, oldest first."""

    def due(self, now: float) -> Iterable[DueConversation]:
        """Conversations with a timer or a session that ended before `now` (eventually consistent), read as they are taken."""


class Deliveries(Protocol):
    """The claim ledger."""

    def load(self, key: ConversationKey, turn: int, index: int) -> Delivery | None:
        """The entry, read consistently."""

    def claim(self, key: ConversationKey, delivery: Delivery, previous: Delivery | None) -> Delivery:
        """Write `delivery`, if the entry still is `previous` (None: absent); it with its new revision.

        A status that `previous` has and `delivery` lacks is forgotten: the message begins anew, and that its sends so far
        were sent or failed is no news any more. Raises `ConflictError` if the entry is not `previous`.
        """

    def settle(self, key: ConversationKey, delivery: Delivery) -> Delivery:
        """Write how the send ended, if nobody wrote our side since; it with its new revision.

        What statuses said meanwhile is kept. Raises `ConflictError` if somebody wrote.
        """

    def record_status(
        self,
        key: ConversationKey,
        turn: int,
        index: int,
        *,
        send: int,
        status: str,
        at: float,
        message_id: str | None,
        code: int | None,
    ) -> Delivery | None:
        """Note the status of the `send`th request of a message, if it is further than the one known; the entry after it.

        None when it told nothing new. That an earlier send failed says nothing of the later one: it is no news, unless all that
        is known of the message is that this earlier send was `sent`. Then the message has failed, or, while the later send is
        under way, nothing is known of it any more. That a message was `sent` whose acceptance is known is no news. A status
        under another id than Meta gave to this very send is none of it: the message stood at this place in a conversation that
        was erased.
        Raises `ConflictError` when the sender writes the entry at this moment.
        """

    def is_accepted(self, key: ConversationKey, turn: int, index: int, *, send: int, message_id: str | None) -> bool:
        """Whether it is known that Meta took the `send`th request of a message, under this id.

        The answer may be old, and False when nobody could answer: what is accepted stays it.
        """

    def of_conversation(self, key: ConversationKey, from_turn: int = 0) -> list[Delivery]:
        """All entries still kept from a turn on, in the order of their turns."""


class RateSlots(Protocol):
    """Slots of the sending rate (ADR 0005). Concurrent callers never share one."""

    def reserve(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        """Take the next free slot of the organization's `scope`: `now` itself, and the message leaves, or a later time.

        Up to 60 a minute, never more than `per_minute` leave in any sixty seconds, and the first `per_minute` at once.
        """

    def depart(self, organization_id: str, scope: str, per_minute: int, now: float) -> float:
        """Ask to leave after having waited: `now`, and the message leaves, or when to ask again."""


TENANT_CACHE_SECONDS = 5
"""How old an answer of the `TenantRepository` may be: what changes reaches every worker within this time."""


class TenantRepository(Protocol):
    """Numbers and organizations. Reads may be `TENANT_CACHE_SECONDS` old: the adapter caches them."""

    def number(self, phone_number_id: str, *, fresh: bool = False) -> Number | None:
        """The number; `fresh` asks past the cache."""

    def knows_verify_token(self, token: str) -> bool: ...

    def organization(self, organization_id: str) -> Organization: ...

    def numbers(self, organization_id: str) -> list[Number]: ...

    def put_number(self, number: Number) -> None:
        """Store a number. Raises `ConflictError` when another organization owns it or its verify token."""

    def put_organization(self, organization: Organization) -> None: ...

    def stop_number(self, number: Number, reason: str) -> bool:
        """Stop the number's sending for a reason. False when it was stopped already."""

    def confirm_stop(self, number: Number, at: float) -> None:
        """Note that the number has been stopped since `at` at the latest; the first one to note it is believed.

        A write of its own: how long `stop_number` itself took, nobody can tell who has to know when it was visible.
        """

    def begin_resuming(self, number: Number, at: float) -> None:
        """Let a stopped number send again; what was held is on its way back."""

    def end_resuming(self, number: Number) -> None:
        """Nothing of the number is held any more."""


class HeldTurns(Protocol):
    """Where the outgoing turns of stopped numbers wait: a queue forgets after 14 days, this does not."""

    def hold(self, item: OutboundItem, at: float) -> None:
        """Keep the item; holding the same turn again replaces it."""

    def earliest(self, key: ConversationKey) -> HeldTurn | None:
        """The first held turn of a conversation."""

    def first_after(self, organization_id: str, phone_number_id: str, contact_id: str) -> HeldTurn | None:
        """The first held turn of the conversation behind the one with `contact_id`; of the first one for an empty id."""

    def remove(self, key: ConversationKey, turn: int) -> None:
        """Forget a held turn, if there is one."""


class Erasure(Protocol):
    """Forgetting people."""

    def begin(self, organization_id: str, keys: Sequence[ConversationKey], at: float) -> PendingErasure:
        """Remember that the person with these conversations is erased, and what of them is where. Nothing is removed yet."""

    def remove(self, pending: PendingErasure) -> int:
        """Remove every item of the person: conversations, turns, markers, ledger, held turns; how many.

        What the lake still needs of a turn stays in the log as an `ErasedTurn`. A turn that is taken meanwhile loses: it is
        erased, or begins as a stranger's. Calling it again is safe. Raises `ConflictError` when new items keep coming.
        """

    def pending(self, before: float) -> list[PendingErasure]:
        """The erasures that began before a time and are not finished."""

    def finish(self, pending: PendingErasure) -> None:
        """Forget whom it was about."""


class DeadLetterQueues(Protocol):
    """What workers gave up on, of all organizations."""

    def remove(self, keys: Sequence[ConversationKey]) -> int:
        """Take what belongs to these conversations out of the dead-letter queues, for good; how many messages."""


class Secrets(Protocol):
    """Number secrets, cached for minutes."""

    def of_number(self, organization_id: str, phone_number_id: str, *, fresh: bool = False) -> NumberSecrets | None:
        """The number's secrets; `fresh` asks past the cache (a rotation may just have happened)."""

    def put(self, organization_id: str, phone_number_id: str, secrets: NumberSecrets) -> None: ...


class FlowSecretStore(Protocol):
    """The secrets of an organization's flows. Both methods raise `FlowSecretsUnreadableError`."""

    def names(self, organization_id: str) -> list[str]:
        """The names of what is stored."""

    def change(self, organization_id: str, change: Callable[[Mapping[str, str]], Mapping[str, str]]) -> None:
        """Store what `change` makes of the secrets by name; it may be called again, when somebody else wrote meanwhile.

        What `change` raises ends it, and nothing is stored. Raises `ConflictError` when others keep writing.
        """


class Flows(Protocol):
    """Drafts and published versions of one organization at a time."""

    def summary(self, organization_id: str, flow_id: str) -> FlowSummary | None: ...

    def summaries(self, organization_id: str, limit: int | None = None, after: str = "") -> list[FlowSummary]:
        """The flows by their ids; at most `limit`, those behind the id `after`."""

    def draft(self, organization_id: str, flow_id: str) -> StoredDraft | None: ...

    def put_draft(
        self, organization_id: str, document: dict[str, Any], at: float, expected: ExpectedDraft | None = None
    ) -> int:
        """Keep the document as the draft of the flow that it names; the draft's revision from now on.

        Raises `DraftChangedError`, and changes nothing, when the draft there is not the one that is expected.
        """

    def version(self, organization_id: str, flow_id: str, version: int) -> FlowVersion | None: ...

    def versions(
        self, organization_id: str, flow_id: str, limit: int | None = None, before: int | None = None
    ) -> list[FlowVersion]:
        """The published versions, newest first, without their documents; at most `limit`, those older than `before`."""

    def publish(self, organization_id: str, version: FlowVersion, name: str) -> None:
        """Store the next version and move the pointer to it. Raises `ConflictError` if that version exists."""

    def point_to(self, organization_id: str, flow_id: str, version: int) -> None:
        """Move the pointer to a version that exists."""


class EventLog(Protocol):
    """What happened, by the hour, and how far it is exported. Hours are given by their first second."""

    def entries(
        self, hour: int, organization_id: str | None = None, since: tuple[str, int] | None = None
    ) -> Iterable[LogEntry]:
        """The hour's entries, one organization after the other, each in the order of time (eventually consistent).

        With an organization its entries only, or with `since` (an organization and `at`) those from there on.
        """

    def turns(self, hour: int, entries: Iterable[LogEntry]) -> Iterable[LoggedTurn | ErasedTurn]:
        """The hour's turns that begin with these entries, in the same order every time."""

    def pseudonym_keys(self, organization_id: str, contact_ids: Iterable[str], now: float) -> dict[str, bytes]:
        """The random key of each contact's pseudonyms; made where there is none. It outlives the records that need it."""

    def record_reported_hour(self, organization_id: str, contact_ids: Iterable[str], hour: int) -> None:
        """Remember that the lake's file of this hour says something of these people (they have keys)."""

    def progress(self) -> ExportProgress: ...

    def put_progress(self, progress: ExportProgress) -> None: ...

    def acquire_lease(self, now: float, seconds: float) -> bool:
        """Take the right to export, for `seconds` at most. False when another run has it."""

    def release_lease(self) -> None:
        """Give it back."""

    def delete_turns(self, organization_id: str, hour: int) -> int:
        """Remove the organization's turns of an hour, with their deliveries; how many turns.

        A conversation goes with its last turn, unless it is still running.
        """

    def retention_progress(self, organization_id: str) -> RetentionProgress | None: ...

    def put_retention_progress(self, organization_id: str, progress: RetentionProgress) -> None: ...

    def settled_through(self) -> str | None:
        """The last day (`2026-11-20`, UTC) up to which daily aggregates hold all that will ever be in the lake."""

    def put_settled_through(self, day: str) -> None: ...


class Lake(Protocol):
    """Files of events: of each organization and hour one, or several parts of an hour in which very much happened."""

    def organizations(self) -> list[str]:
        """Those that have files."""

    def days(self, organization_id: str) -> list[str]:
        """The UTC days (`2026-11-25`) of which the organization has files, oldest first."""

    def delete_day(self, organization_id: str, day: str) -> None:
        """Remove the organization's files of a day, whatever they held before included."""

    def part(self, organization_id: str, hour: int, begins: int) -> LakePart | None:
        """What a file that begins at that moment (in milliseconds) was written as; None when there is none."""

    def put(self, part: LakePart, events: Iterable[LakeEvent]) -> bool:
        """Make these a part's events: all of them, or nothing changes. False when they were already."""

    def redact(self, organization_id: str, hour: int, contacts: Collection[str]) -> None:
        """Take what these people (pseudonyms) said out of the files of an hour. Their rows stay, so counts do."""

    def delete_old_versions(self, organization_id: str, hour: int) -> None:
        """Remove what the files of an hour were before."""

    def delete_query_results(self) -> None:
        """Remove the results of all queries: somebody's answers may be in them."""


class JobRuns(Protocol):
    """Which scheduled runs have been. The clock may fire twice, and runs may die."""

    def begin(self, job: str, scheduled_time: str, run: str, now: float, seconds: float) -> bool:
        """Take a run, for `seconds` at most; False when it is done or another has it.

        `run` is the same when the platform tries the same call again: the try before is dead then, so it may begin.
        """

    def finish(self, job: str, scheduled_time: str, now: float) -> None:
        """It is done, and is not done again."""


class LakeQueries(Protocol):
    """SQL over the lake. Parameters are literals, as SQL writes them, for the statement's question marks."""

    def rows(self, sql: str, parameters: Sequence[str], version: str) -> list[dict[str, str | None]]:
        """A query's rows, values as texts. An answer to the same question with the same `version` may be given again.

        Raises `QueryNotReadyError`, `QueryTooLargeError` and `QueryFailedError`.
        """


class DailyAggregates(Protocol):
    """One file of daily aggregates per organization and day. Days are written `2026-11-20` and end at midnight UTC."""

    def source(self, organization_id: str, day: str) -> str:
        """A digest of the day's event files: another one when any of them changed."""

    def made_from(self, organization_id: str, day: str) -> str | None:
        """The `source` that the day's figures were made from; None when there are none."""

    def make(self, organization_id: str, day: str, sql: str, parameters: Sequence[str], source: str) -> None:
        """Make a query's rows the day's figures: all of them, or nothing changes. Raises what `LakeQueries.rows` raises."""


class Queues(Protocol):
    """The three queues. Each method raises `QueueingFailedError` unless everything was taken."""

    def put_inbound(self, items: Sequence[InboundItem]) -> None: ...

    def put_outbound(self, item: OutboundItem) -> None: ...

    def put_statuses(self, items: Sequence[StatusesItem]) -> None: ...

    def dead_letter(self, item: OutboundItem, reason: str) -> None:
        """Put an outgoing turn on the dead-letter queue, with the reason as an attribute."""


class MessageSender(Protocol):
    """Meta's Graph API."""

    def send(self, phone_number_id: str, access_token: str, payload: dict[str, Any]) -> AcceptedMessage:
        """Post one message. Raises `pytake.whatsapp.sending.SendFailedError`."""


class EffectPerformer(Protocol):
    """Does what a flow wants done in the outside world: an API call, a question to a language model."""

    def perform(self, key: ConversationKey, effect: Effect) -> EffectResult:
        """How it ended. Never raises for what the other side did: a refusal or a timeout is a result."""


class EventBus(Protocol):
    """Where integrators listen."""

    def put(self, events: Sequence[BusinessEvent]) -> bool:
        """Tell all of these, in order; False when some may not have been taken. Never raises for what the bus did."""


class Outbox(Protocol):
    """Stored items whose events are still to be told. A failed delivery is among them from the write that says so."""

    def add(self, key: ConversationKey, turn: int) -> None:
        """Remember that a turn's events are still to be told, if the turn is still there."""

    def remove(self, key: ConversationKey, turn: int, index: int | None = None) -> None:
        """The events of a turn are told, or those of a message of it."""

    def pending(self, before: float) -> Iterable[tuple[ConversationKey, TurnRecord | Delivery]]:
        """What is kept since before a time, oldest first (eventually consistent), read as it is taken."""


class OperatorEvent(Struct, frozen=True):
    """Something an operator should know. `detail` holds ids and codes, never a message's text."""

    type: str
    organization_id: str | None
    detail: dict[str, Any]


class OperatorEvents(Protocol):
    """Where operators hear of problems: a log line and an EventBridge event."""

    def publish(self, event: OperatorEvent) -> None:
        """Tell, and never fail the caller."""
