"""The one DynamoDB table: its item, its keys, its indexes.

Keys begin with the organization. Exceptions are items that are read before the organization is known (a number by its id and by
its verify token) and items that only the scheduled function reads (the indexes `due` and `log`, the progress of its
export, `LAKE`, and the running imports, `IMPORTS`).

| what | pk | sk |
|---|---|---|
| conversation | `ORG#o#CONV#number#contact` | `STATE` |
| turn (audit record) | same | `TURN#seq` |
| inbound marker, if the conversation's item does not record the message | same | `IN#message id` |
| assignment, notes of agents | same | `ASSIGNMENT`, `NOTE#time#id` |
| delivery (claim ledger) | same | `OUT#seq#index` |
| message that the phone app shared | same | `HIST#seconds#digest of its id#0 or 1` |
| organization | `ORG#o` | `SETTINGS` |
| what is reserved of a month's budget | `ORG#o` | `BUDGET#2026-11` |
| reservation of the budget | `ORG#o#BUDGET#sha256` | `RESERVATION` |
| number, for its organization's list | `ORG#o#NUMBERS` | number id |
| number, for the webhook | `NUMBER#id` | `NUMBER` |
| verify token, with the ids of its numbers | `VERIFY#sha256` | `NUMBER` |
| flow | `ORG#o#FLOWS` | flow id |
| draft, published version | `ORG#o#FLOW#id` | `DRAFT`, `V#000001` |
| identity of a contact | `ORG#o#ALIAS#identity` | `ALIAS` |
| rate slot | `ORG#o#RATE#scope` | scope |
| people that an account has written to first | `ORG#o#DAYLIMIT#account` | `DAYLIMIT` |
| slot for calls of APIs and models | `ORG#o#EFFECTS` | `SLOT#number` |
| calls of a route by a person within a second | `ORG#o#REQUESTS#digest` | route, second |
| tries of an inbound message | `TRIES#message id` | `TRIES` |
| contact | `ORG#o#CONTACT#contact` | `PROFILE` |
| change of a contact's consent | same | `CONSENT#milliseconds#digest` |
| key of a contact's pseudonyms | same | `PSEUDONYMS` |
| consent that an erased person had withdrawn | `ORG#o#WITHDRAWN#sha256` | `WITHDRAWN` |
| held turn (of a stopped number, or one that waits long) | `ORG#o#HELD#number` | contact, seq |
| retention that items were written for | `ORG#o` | `RETENTION` |
| record of an erased person | `ERASED#sha256` | `ERASED` |
| pending erasure | `ERASURES` | id |
| the events of an erased turn for the lake | `ORG#o#ERASED#id` | `TURN#seq` |
| upload (a file to send), library file | `ORG#o#MEDIA` | its id |
| import of contacts | `ORG#o#IMPORTS` | import id |
| running import | `IMPORTS` | organization, import id |
| segment | `ORG#o#SEGMENTS` | segment id |
| count of a large segment | `ORG#o#SEGMENTS#COUNTS` | segment id |
| change of what the organization has set up; colleague | `ORG#o#CHANGES#resource`; `ORG#o#COLLEAGUES` | time, id; account |
| sequence; a follow-up of it | `ORG#o#SEQUENCES`; the contact's | sequence id; `FOLLOWUP#sequence#step#digest of the date` |
| campaign | `ORG#o#CAMPAIGNS` | campaign id |
| part of a campaign's audience, and its counts | `ORG#o#AUDIENCE#campaign` | `PART#country#000000`, `COUNTS#country#000000` |
| scheduled run | `JOB#job` | scheduled time |
"""

import math
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from pynamodb.attributes import (
    BinaryAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException, TransactWriteError, VerboseClientError
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

from pytake.aws.session import new_session
from pytake.conversation.queues import digest
from pytake.conversation.recorded_erasures import erasure_digest
from pytake.conversation.records import ConversationKey
from pytake.observability import aws_error_code

DUE_SHARDS = 8
"""Partitions of the due index: a single one would be a hot key when many timers are set at once (ADR 0021)."""

ERASED = "ERASED"
"""Sort key of the record of an erased person."""

PROFILE = "PROFILE"
"""Sort key of a contact."""

WITHDRAWN = "WITHDRAWN"
"""Sort key of the consent that an erased person had withdrawn."""

CONTACT_SHARDS = 8
"""Partitions of an organization's list of contacts: an import creates 2,000 of them a second."""
ALIAS = "ALIAS"
"""Sort key of an identity."""

THROTTLED = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
"""Reasons for a cancelled transaction that have nothing to do with its items. The SDK does not repeat it."""

RECENT_SHARDS = 8
"""Partitions of an organization's list: at the start of ten minutes every turn moves an entry, which is two writes."""

RECENT_SECONDS = 600

LOG_SHARDS = 8
"""Partitions of an hour in the log index: each takes 1,000 turns a second."""


class DueIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """Conversations with a due timer or session end, by time."""

    class Meta:
        index_name = "due"
        projection = KeysOnlyProjection()

    due_pk = UnicodeAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True)


class RecentIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """An organization's conversations: those that agents have by their last message, the others by its ten minutes.

    Its deliveries that are dead, deferred or ambiguous are in partitions of their own.
    """

    class Meta:
        index_name = "recent"
        projection = KeysOnlyProjection()

    recent_pk = UnicodeAttribute(hash_key=True)
    recent_at = NumberAttribute(range_key=True)


class LogIndex(GlobalSecondaryIndex["Item"]):  # type: ignore[no-untyped-call]
    """Turns by their hour, for the export to the lake: only the first of each run of consecutive turns."""

    class Meta:
        index_name = "log"
        projection = KeysOnlyProjection()

    log_pk = UnicodeAttribute(hash_key=True)
    log_sk = UnicodeAttribute(range_key=True)


class Item(Model):
    """Any item. `body` is JSON; the other attributes are those that conditions, updates and indexes need separately."""

    class Meta:
        table_name: str

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    body = UnicodeAttribute(null=True)
    state = UnicodeAttribute(null=True)
    seq = NumberAttribute(null=True)
    processed = UnicodeAttribute(null=True)
    revision = NumberAttribute(null=True)
    status = UnicodeAttribute(null=True)
    status_rank = NumberAttribute(null=True)
    status_at = NumberAttribute(null=True)
    status_code = NumberAttribute(null=True)
    meta_id = UnicodeAttribute(null=True)
    pricing = UnicodeAttribute(null=True)
    reserved = NumberAttribute(null=True)
    sends = NumberAttribute(null=True)
    failed_send = NumberAttribute(null=True)
    writer = UnicodeAttribute(null=True)
    theoretical_arrival = NumberAttribute(null=True)
    block_until = NumberAttribute(null=True)
    stopped_reason = UnicodeAttribute(null=True)
    stopped_at = NumberAttribute(null=True)
    resuming_at = NumberAttribute(null=True)
    resumed_at = NumberAttribute(null=True)
    held_since = NumberAttribute(null=True)
    held_until = NumberAttribute(null=True)
    name = UnicodeAttribute(null=True)
    updated_at = NumberAttribute(null=True)
    updated_by = UnicodeAttribute(null=True)
    document = BinaryAttribute(null=True, legacy_encoding=False)
    document_key = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    timetables = UnicodeAttribute(null=True)
    hours: Any = NumberSetAttribute(null=True)
    sessions: Any = UnicodeSetAttribute(null=True)
    contact_id = UnicodeAttribute(null=True)
    identities: Any = UnicodeSetAttribute(null=True)
    merging: Any = UnicodeSetAttribute(null=True)
    due_pk = UnicodeAttribute(null=True)
    due_at = NumberAttribute(null=True)
    due = DueIndex()
    recent_pk = UnicodeAttribute(null=True)
    recent_at = NumberAttribute(null=True)
    recent = RecentIndex()
    log_pk = UnicodeAttribute(null=True)
    log_sk = UnicodeAttribute(null=True)
    log = LogIndex()


class ConditionFailedError(Exception):
    """The condition of a write failed. `found` is the current item, if DynamoDB returned it."""

    def __init__(self, found: Item | None) -> None:
        super().__init__("the item is not as expected")
        self.found = found


class Table:
    """The table with the given name. All items share one connection."""

    def __init__(self, table_name: str, region: str | None = None) -> None:
        meta: dict[str, Any] = {
            "table_name": table_name,
            "region": region,
            # Fail fast and let the queue retry: a further long wait would cost Lambda time.
            "connect_timeout_seconds": 2,
            "read_timeout_seconds": 3,
            "max_retry_attempts": 3,
        }
        indexes = {"due": DueIndex(), "recent": RecentIndex(), "log": LogIndex()}
        self.item: type[Item] = type("Item", (Item,), {"Meta": type("Meta", (), meta), **indexes})
        self.connection._local.session = new_session()  # PynamoDB has no parameter for it

    @property
    def connection(self) -> Connection:
        return self.item._get_connection().connection  # transactions need the connection below the model

    def absent_or_expired(self, now: float) -> Condition:
        """No item exists, or it has expired: DynamoDB removes expired items hours or days later."""
        free: Condition = self.item.pk.does_not_exist() | (self.item.expires_at <= int(now))
        return free

    def put(self, item: Item, condition: Condition) -> None:
        """Stores `item` if `condition` holds. Raises `ConditionFailedError` with the current item."""
        arguments = item.get_save_kwargs_from_instance(condition, return_values_on_condition_failure="ALL_OLD")
        try:
            self.connection.dispatch("PutItem", arguments)
        except VerboseClientError as error:
            if aws_error_code(error) != "ConditionalCheckFailedException":
                raise
            answer: Any = error.__cause__.response if isinstance(error.__cause__, ClientError) else {}
            raw = answer.get("Item")
            raise ConditionFailedError(self.item.from_raw_data(raw) if raw else None) from None


def is_unexpired(item: Item, now: float) -> bool:
    """Whether an item has not expired, or never expires."""
    return item.expires_at is None or item.expires_at > now


def dynamodb_error_code(error: PynamoDBException) -> str | None:
    """DynamoDB's code for a failed request; None without a response.

    PynamoDB's own property fails for a timeout, because the response of its botocore exception is None.
    """
    return aws_error_code(error.cause)


def cancellation_codes(error: TransactWriteError) -> list[str | None]:
    """Why DynamoDB cancelled a transaction: a code for each of its items, in order; empty when it failed otherwise."""
    if dynamodb_error_code(error) != "TransactionCanceledException":
        return []
    return [reason.code if reason else None for reason in error.cancellation_reasons]


def conversation_pk(key: ConversationKey) -> str:
    return f"ORG#{key.organization_id}#CONV#{key.phone_number_id}#{key.contact_id}"


def conversation_key(pk: str) -> ConversationKey:
    """The conversation that a partition key belongs to. Ids hold no `#`, so the parts are unambiguous."""
    _, organization_id, _, phone_number_id, contact_id = pk.split("#", 4)
    return ConversationKey(organization_id, phone_number_id, contact_id)


def turn_sk(seq: int) -> str:
    return f"TURN#{seq:010d}"


def turn_of_sk(sk: str) -> int:
    """The sequence number in a sort key of `turn_sk`."""
    return int(sk.removeprefix("TURN#"))


def marker_sk(message_id: str) -> str:
    return f"IN#{message_id}"


def delivery_sk(turn: int, index: int) -> str:
    return f"OUT#{turn:010d}#{index:03d}"


def unsettled_pk(organization_id: str, state: str) -> str:
    """The partition of the index `recent` with an organization's deliveries in a state that people look after."""
    return f"ORG#{organization_id}#DELIVERIES#{state}"


def held_pk(organization_id: str, phone_number_id: str) -> str:
    return f"ORG#{organization_id}#HELD#{phone_number_id}"


def held_sk(contact_id: str, turn: int) -> str:
    return f"{contact_id}#{turn:010d}"


def erasure_pk(key: ConversationKey) -> str:
    """The key of the record of an erased person: a digest, so only a reader who knows the person can find it."""
    return erased_pk(erasure_digest(key))


def erased_pk(digest: str) -> str:
    """The key of the record of the erased person with this digest."""
    return f"ERASED#{digest}"


def erased_turns_pk(organization_id: str, id_: str) -> str:
    return f"ORG#{organization_id}#ERASED#{id_}"


def is_erased_turn(pk: str) -> bool:
    """Whether an entry of the index `log` is an `ErasedTurn`."""
    return pk.split("#", 3)[2] == "ERASED"


def due_pk(shard: int) -> str:
    return f"DUE#{shard}"


def outbox_pk(shard: int) -> str:
    """The partition of the index `due` with turns, deliveries and notes whose events are not published yet."""
    return f"EVENTS#{shard}"


def held_due_pk(shard: int) -> str:
    """The partition of the index `due` with held turns that return to their queue."""
    return f"HELD#{shard}"


def due_shard(pk: str) -> int:
    return int(digest(pk)[:8], 16) % DUE_SHARDS


def recent_pk(organization_id: str, shard: int) -> str:
    """A partition of the list of conversations that no agent has. The first one is the only one of earlier releases."""
    return f"ORG#{organization_id}#{shard}" if shard else f"ORG#{organization_id}"


def recent_shard(pk: str) -> int:
    return int(digest(pk)[:8], 16) % RECENT_SHARDS


def agents_pk(organization_id: str) -> str:
    """The partition of the list of conversations that agents have."""
    return f"ORG#{organization_id}#AGENTS"


def start_of_slot(at: float) -> int:
    """Conversations are listed by the ten minutes of their last message: not every turn moves its index entry."""
    return int(at // RECENT_SECONDS) * RECENT_SECONDS


def contact_pk(organization_id: str, contact_id: str) -> str:
    return f"ORG#{organization_id}#CONTACT#{contact_id}"


def contacts_pk(organization_id: str, shard: int) -> str:
    """A partition of the list of contacts."""
    return f"ORG#{organization_id}#CONTACTS#{shard}"


def contacts_shard(pk: str) -> int:
    return int(digest(pk)[:8], 16) % CONTACT_SHARDS


def withdrawn_pk(organization_id: str, contact_id: str) -> str:
    """The key of what is kept of an erased person's consent: a digest, so only a reader who knows the person can find it."""
    return f"ORG#{organization_id}#WITHDRAWN#{digest('withdrawn', organization_id, contact_id)}"


def alias_pk(organization_id: str, identity: str) -> str:
    """The key of an identity: a phone number's digits or a business-scoped user id."""
    return f"ORG#{organization_id}#ALIAS#{identity}"


def log_pk(at: float, shard: int) -> str:
    """The partition of the index `log` with turns of the UTC hour of `at`."""
    return f"LOG#{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H}#{shard}"


def log_shard(pk: str) -> int:
    return int(digest(pk)[:8], 16) % LOG_SHARDS


def log_sk(pk: str, organization_id: str, at: float) -> str:
    """By organization, then by time. A digest of the conversation distinguishes turns of the same time."""
    return f"{organization_id}#{int(at * 1000):013d}#{digest(pk)[8:16]}"


def session_end(pk: str, at: float) -> int:
    """When the session of a conversation that expires at `at` is looked at: less than an hour later.

    It is a fixed minute of the hour for each conversation: a chat of many turns moves its index entry once an hour, and the
    sessions of an hour do not all end at the full hour.
    """
    offset = int(digest(pk)[8:16], 16) % 3600
    return math.ceil((at - offset) / 3600) * 3600 + offset
