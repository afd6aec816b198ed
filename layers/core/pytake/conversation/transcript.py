"""The transcript of a conversation: the messages of the audit records, with their delivery from the ledger, behind those that
the phone app shared of the time before. Messages that were deleted for everyone are shown without their text. The messages of
conversations that were merged into it are shown between its own."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec import Struct, structs

from pytake.conversation.agent_messaging import AGENT
from pytake.conversation.app_messages import PHONE_APP
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.merge_contacts import MERGED
from pytake.conversation.ports.conversations import AppHistory, Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.tenants import Flows
from pytake.conversation.reactions import reacted_id
from pytake.conversation.records import NON_MESSAGE_TYPES, Conversation, ConversationKey, Delivery, TurnRecord
from pytake.conversation.revocations import revoked_ids, without_text
from pytake.conversation.shown_state import shown_state
from pytake.whatsapp.input import APP_ECHO
from pytake.whatsapp.library_files import is_library_file
from pytake.whatsapp.outbound import (
    Carousel,
    ContactCards,
    Location,
    Media,
    OptionList,
    OutboundMessage,
    Reaction,
    ReplyButtons,
    Template,
)

Speaker = Literal["user", "bot", "agent"]


class TranscriptMedia(Struct, frozen=True):
    """The file of a message. `id` is for `GET /api/v1/media/{media_id}`: of a library file, or of a person's file if these are
    kept."""

    type: str
    id: str | None = None
    mime_type: str | None = None
    filename: str | None = None


class TranscriptEntry(Struct, frozen=True):
    """One message. `delivery` is None for the person's messages. For others it is Meta's last status (`sent`, `delivered`,
    `read`, `failed`); before the first one `queued` until the sender takes it, then the ledger's state.

    `author` of a human's message is the subject of the agent's token, or `phone_app`. `turn` is 0 for a message that the phone
    app shared. `revoked`: its sender deleted it for everyone. `merged_from` is the contact whose conversation the message was in
    before that was merged into this one: `turn` counts there.

    `error_code` and `reason` are those of the last failure, as long as Meta does not have the message. `fallback`: the number's
    template was sent instead of the text. `labels`: what the flow's `label` actions said of the person's message.

    `message_id` is Meta's id of the message, if it is known. `reaction_to` is that of the message to which a `reaction` is; its
    text is the emoji, and empty when the reaction was removed.
    """

    turn: int
    timestamp: float
    speaker: Speaker
    type: str
    text: str
    options: list[str]
    session_id: str | None
    flow_id: str | None
    node_id: str | None
    delivery: str | None = None
    delivery_at: float | None = None
    error_code: int | None = None
    reason: str | None = None
    fallback: bool = False
    labels: list[str] = []
    author: str | None = None
    revoked: bool = False
    media: TranscriptMedia | None = None
    merged_from: str | None = None
    message_id: str | None = None
    reaction_to: str | None = None


RecordPlace = tuple[str | None, int]
"""The place of an audit record: the contact in whose conversation it was before a merge (None: this one), and its turn."""

ReceivedIds = Callable[[ConversationKey, list[str]], dict[str, str]]
"""The ids of a person's kept files by Meta's ids."""


class ReadTranscript:
    """The use case behind the routes of the transcript and of the audit records."""

    def __init__(
        self,
        conversations: Conversations,
        deliveries: Deliveries,
        flows: Flows,
        history: AppHistory,
        received_ids: ReceivedIds | None = None,
    ) -> None:
        self._received_ids = received_ids
        self._conversations = conversations
        self._history = history
        self._deliveries = deliveries
        self._flows = flows

    def __call__(self, key: ConversationKey, flow_id: str | None = None) -> list[TranscriptEntry]:
        """All messages still kept, in order; with `flow_id` those of the sessions in which this flow ran.

        Raises `UnknownFlowError` if the organization has no such flow.
        """
        if flow_id is not None and self._flows.summary(key.organization_id, flow_id) is None:
            raise UnknownFlowError(flow_id)
        return self._whole(self._with_merged(key), flow_id, {})

    def matching(self, key: ConversationKey, is_wanted: Callable[[str], bool]) -> list[TranscriptEntry]:
        """The messages whose text is wanted, in order. Deliveries and files are read only if there is one."""
        conversations = self._with_merged(key)
        history = {one: self._history.of_conversation(one) for one in conversations}
        texts = (
            *(message.text for messages in history.values() for message in messages),
            *(entry.text for records in conversations.values() for one in records for entry in _entries(one)),
        )
        if not any(map(is_wanted, texts)):
            return []
        return [entry for entry in self._whole(conversations, None, history) if is_wanted(entry.text)]

    def latest(self, conversations: Sequence[Conversation]) -> dict[ConversationKey, TranscriptEntry]:
        """The last message of each conversation, unless its last turn has none. Deliveries and files are not read."""
        found = {key: list(_entries(record)) for key, record in self._conversations.latest_turns(conversations).items()}
        return {key: entries[-1] for key, entries in found.items() if entries}

    def _whole(
        self,
        conversations: Mapping[ConversationKey, list[TurnRecord]],
        flow_id: str | None,
        history: Mapping[ConversationKey, list[HistoryMessage]],
    ) -> list[TranscriptEntry]:
        """The messages of these turns, and of the history unless there is a flow; `history` has what was read of it."""
        revoked = revoked_ids([record for records in conversations.values() for record in records])
        found = [
            self._of_one(one, records, flow_id, revoked, history.get(one)) for one, records in conversations.items()
        ]
        own, *others = found
        merged_from = [one.contact_id for one in conversations][1:]
        return _merged(
            [
                structs.replace(entry, merged_from=contact_id)
                for contact_id, entries in zip(merged_from, others, strict=True)
                for entry in entries
            ],
            own,
        )

    def _with_merged(self, key: ConversationKey) -> dict[ConversationKey, list[TurnRecord]]:
        """The turns of the conversation, and of those that were merged into it."""
        found: dict[ConversationKey, list[TurnRecord]] = {}
        waiting = [key]
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found[one] = records = self._conversations.turns(one)
            events = [event for record in records if record.status == MERGED for event in record.events]
            merged = [str(event.data["from"]) for event in events if "from" in event.data]
            waiting += [structs.replace(key, contact_id=contact_id) for contact_id in merged]
        return found

    def _of_one(
        self,
        key: ConversationKey,
        records: list[TurnRecord],
        flow_id: str | None,
        revoked: frozenset[str],
        history: list[HistoryMessage] | None,
    ) -> list[TranscriptEntry]:
        ledger = {(entry.turn, entry.index): entry for entry in self._deliveries.of_conversation(key)}
        if flow_id is not None:
            sessions = {record.session_id for record in records if record.flow_id == flow_id}
            records = [record for record in records if record.session_id in sessions]
        media_ids = [record.input.media.id for record in records if record.input.media is not None]
        kept = self._received_ids(key, media_ids) if self._received_ids is not None else {}
        entries = [entry for record in records for entry in _entries(record, ledger, revoked, kept)]
        if flow_id is not None:
            return entries
        known = {record.message_id for record in records} | {delivery.message_id for delivery in ledger.values()}
        history = self._history.of_conversation(key) if history is None else history
        shared = {message.id: message for message in history if message.id not in known}
        return _merged([_shared_entry(message, revoked) for message in shared.values()], entries)

    def records(
        self, key: ConversationKey, max_bytes: int, before: RecordPlace | None = None
    ) -> tuple[list[bytes], RecordPlace | None]:
        """The newest audit records before the place `before` as JSON, oldest first, and the place before which there are more.

        The records of conversations that were merged into this one stand between its own by time, with the contact they are of
        as `merged_from`. Messages that were deleted for everyone are left without their content. As many records as fit into
        `max_bytes` with a line break each. The place is None if these include the oldest.
        """
        conversations = self._with_merged(key)
        revoked = revoked_ids([record for records in conversations.values() for record in records])
        newest, size = list[bytes](), 0
        first: RecordPlace | None = None
        is_before = before is None
        for one, record in reversed(_by_time(conversations)):
            place = None if one == key else one.contact_id, record.seq
            if not is_before:
                is_before = place == before
                continue
            line = msgspec.json.encode(without_text(record) if record.message_id in revoked else record)
            if one != key:
                line = line[:-1] + b',"merged_from":' + msgspec.json.encode(one.contact_id) + b"}"
            size += len(line) + 1
            if size > max_bytes and newest:
                return newest[::-1], first
            newest.append(line)
            first = place
        return newest[::-1], None


def _by_time(conversations: Mapping[ConversationKey, list[TurnRecord]]) -> list[tuple[ConversationKey, TurnRecord]]:
    """The records of several conversations by time; at the same time, those of the first conversation come last.

    Those of one conversation keep their order.
    """
    stays = next(iter(conversations))
    placed = list[tuple[float, ConversationKey, TurnRecord]]()
    for key, records in conversations.items():
        times = accumulate((record.at for record in records), max)
        placed += [(at, key, record) for at, record in zip(times, records, strict=True)]
    placed.sort(key=lambda one: (one[0], one[1] == stays, one[1], one[2].seq))
    return [(key, record) for _, key, record in placed]


def _merged(shared: list[TranscriptEntry], entries: list[TranscriptEntry]) -> list[TranscriptEntry]:
    """Both lists by time. The entries of turns keep their order."""
    merged, rest = list[TranscriptEntry](), iter(sorted(shared, key=lambda entry: entry.timestamp))
    following = next(rest, None)
    for entry in entries:
        while following is not None and following.timestamp <= entry.timestamp:
            merged.append(following)
            following = next(rest, None)
        merged.append(entry)
    return [*merged, *([following] if following is not None else ()), *rest]


def _shared_entry(message: HistoryMessage, revoked: frozenset[str]) -> TranscriptEntry:
    is_revoked = message.id in revoked
    return TranscriptEntry(
        turn=0,
        timestamp=message.sent_at,
        speaker="agent" if message.by_business else "user",
        type=message.type,
        text="" if is_revoked else message.text,
        options=[],
        session_id=None,
        flow_id=None,
        node_id=None,
        delivery=message.status.lower() if message.by_business and message.status else None,
        author=PHONE_APP if message.by_business else None,
        revoked=is_revoked,
        message_id=message.id,
    )


def _entries(
    record: TurnRecord,
    ledger: Mapping[tuple[int, int], Delivery] = MappingProxyType({}),
    revoked: frozenset[str] = frozenset(),
    kept: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[TranscriptEntry]:
    from_agent = record.input.type == AGENT
    session_id = record.session_id or None
    is_revoked = record.message_id in revoked
    if record.input.type == APP_ECHO:
        yield TranscriptEntry(
            turn=record.seq,
            timestamp=record.sent_at or record.at,
            speaker="agent",
            type=str(record.input.payload.get("type")),
            text="" if is_revoked else record.input.text,
            options=[],
            session_id=session_id,
            flow_id=None,
            node_id=None,
            author=PHONE_APP,
            revoked=is_revoked,
            message_id=record.message_id,
            reaction_to=reacted_id(record.input),
        )
    if record.message_type is not None and record.message_type not in NON_MESSAGE_TYPES:
        # The message that starts a session does not answer a node.
        starts = any(event.type == "session_started" for event in record.events)
        yield TranscriptEntry(
            turn=record.seq,
            timestamp=record.sent_at or record.at,
            speaker="user",
            type=record.message_type,
            text="" if is_revoked else record.input.text,
            options=[],
            session_id=session_id,
            flow_id=record.flow_id,
            node_id=record.path[0].node_id if record.path and not starts else None,
            labels=[str(event.data["label"]) for event in record.events if event.type == "message_labeled"],
            revoked=is_revoked,
            media=None if is_revoked else _received(record, kept),
            message_id=record.message_id,
            reaction_to=reacted_id(record.input),
        )
    for index, message in enumerate(record.messages):
        delivery = ledger.get((record.seq, index))
        failure = delivery if delivery is not None and not _has_left(delivery) else None
        yield TranscriptEntry(
            turn=record.seq,
            timestamp=record.at,
            speaker="agent" if from_agent else "bot",
            type=str(message.__struct_config__.tag),
            text=_text(message),
            options=_options(message),
            session_id=session_id,
            flow_id=record.flow_id,
            node_id=record.node_id,
            delivery=shown_state(delivery) if delivery is not None else "queued",
            delivery_at=delivery.status_at if delivery is not None else None,
            error_code=failure.error_code if failure is not None else None,
            reason=failure.reason if failure is not None else None,
            fallback=delivery.fallback if delivery is not None else False,
            author=_author(record) if from_agent else None,
            media=_sent_file(message) if isinstance(message, Media) else None,
            message_id=delivery.message_id if delivery is not None else None,
            reaction_to=message.message_id if isinstance(message, Reaction) else None,
        )


def _received(record: TurnRecord, kept: Mapping[str, str]) -> TranscriptMedia | None:
    sent = record.input.media
    return TranscriptMedia(sent.type, kept.get(sent.id), sent.mime_type, sent.filename) if sent is not None else None


def _sent_file(message: Media) -> TranscriptMedia:
    id_ = message.id if is_library_file(message.id) else None
    return TranscriptMedia(message.media, id_, filename=message.filename)


def _author(record: TurnRecord) -> str | None:
    return next((str(event.data.get("by")) for event in record.events if event.type == "agent_message"), None)


def _has_left(delivery: Delivery) -> bool:
    """Whether Meta has the message. The ledger keeps the error of an earlier attempt, which no longer matters."""
    return delivery.status != "failed" and (delivery.status is not None or delivery.state == "accepted")


def _text(message: OutboundMessage) -> str:
    match message:
        case Media():
            return message.caption or ""
        case Template():
            return message.name
        case Reaction():
            return message.emoji
        case Location():
            named = ", ".join(part for part in (message.name, message.address) if part)
            return named or f"{message.latitude},{message.longitude}"
        case ContactCards():
            return ", ".join(card.name for card in message.cards)
    return message.text


def _options(message: OutboundMessage) -> list[str]:
    if isinstance(message, ReplyButtons):
        return [button.title for button in message.buttons]
    if isinstance(message, Carousel):
        return [button.title for card in message.cards for button in card.buttons]
    return [row.title for row in message.rows] if isinstance(message, OptionList) else []
