"""The transcript of a conversation: the messages of the audit records, with their delivery from the ledger."""

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from pytake.conversation.agent_messaging import AGENT
from pytake.conversation.flow_authoring import UnknownFlowError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.ports.tenants import Flows
from pytake.conversation.records import NON_MESSAGE_TYPES, ConversationKey, Delivery, TurnRecord
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


class TranscriptEntry(Struct, frozen=True):
    """One message. `delivery` is None for the person's messages. For others it is Meta's last status (`sent`, `delivered`,
    `read`, `failed`); before the first one `queued` until the sender takes it, then the ledger's state.

    `error_code` and `reason` are those of the last failure, as long as Meta does not have the message. `fallback`: the number's
    template was sent instead of the text. `labels`: what the flow's `label` actions said of the person's message.
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


class ReadTranscript:
    """The use case behind the routes of the transcript and of the audit records."""

    def __init__(self, conversations: Conversations, deliveries: Deliveries, flows: Flows) -> None:
        self._conversations = conversations
        self._deliveries = deliveries
        self._flows = flows

    def __call__(self, key: ConversationKey, flow_id: str | None = None) -> list[TranscriptEntry]:
        """All messages still kept, in order; with `flow_id` those of the sessions in which this flow ran.

        Raises `UnknownFlowError` if the organization has no such flow.
        """
        if flow_id is not None and self._flows.summary(key.organization_id, flow_id) is None:
            raise UnknownFlowError(flow_id)
        records = self._conversations.turns(key)
        if flow_id is not None:
            sessions = {record.session_id for record in records if record.flow_id == flow_id}
            records = [record for record in records if record.session_id in sessions]
        ledger = {(entry.turn, entry.index): entry for entry in self._deliveries.of_conversation(key)}
        return [entry for record in records for entry in _entries(record, ledger)]

    def records(
        self, key: ConversationKey, max_bytes: int, before: int | None = None
    ) -> tuple[list[bytes], int | None]:
        """The newest audit records of the turns before `before` as JSON, oldest first, and the turn before which there are more.

        As many as fit into `max_bytes` with a line break each. The turn is None if these include the oldest.
        """
        newest, size = list[bytes](), 0
        first: int | None = None
        for record in reversed(self._conversations.turns(key)):
            if before is not None and record.seq >= before:
                continue
            line = msgspec.json.encode(record)
            size += len(line) + 1
            if size > max_bytes and newest:
                return newest[::-1], first
            newest.append(line)
            first = record.seq
        return newest[::-1], None


def _entries(record: TurnRecord, ledger: dict[tuple[int, int], Delivery]) -> Iterator[TranscriptEntry]:
    from_agent = record.input.type == AGENT
    session_id = record.session_id or None
    if record.message_type is not None and record.message_type not in NON_MESSAGE_TYPES:
        # The message that starts a session does not answer a node.
        starts = any(event.type == "session_started" for event in record.events)
        yield TranscriptEntry(
            turn=record.seq,
            timestamp=record.sent_at or record.at,
            speaker="user",
            type=record.message_type,
            text=record.input.text,
            options=[],
            session_id=session_id,
            flow_id=record.flow_id,
            node_id=record.path[0].node_id if record.path and not starts else None,
            labels=[str(event.data["label"]) for event in record.events if event.type == "message_labeled"],
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
            delivery=(delivery.status or delivery.state) if delivery is not None else "queued",
            delivery_at=delivery.status_at if delivery is not None else None,
            error_code=failure.error_code if failure is not None else None,
            reason=failure.reason if failure is not None else None,
            fallback=delivery.fallback if delivery is not None else False,
        )


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
