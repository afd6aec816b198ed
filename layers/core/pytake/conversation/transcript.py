"""What was said in a conversation, by whom, and whether it arrived: the audit records and the ledger, read together."""

from collections.abc import Iterator

from msgspec import Struct

from pytake.conversation.agent_messaging import AGENT
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.ports.deliveries import Deliveries
from pytake.conversation.records import ConversationKey, Delivery, TurnRecord
from pytake.whatsapp.outbound import Media, OptionList, OutboundMessage, ReplyButtons, Template

USER, BOT = "user", "bot"

NON_MESSAGE_TYPES = ("due",)
"""Message types that no person sent: the news that a timer or a session is over."""


class TranscriptEntry(Struct, frozen=True):
    """One message. `delivery` is None for what the person said; for the rest it is what Meta reported last (`sent`,
    `delivered`, `read`, `failed`), or how far the send has come: `queued` before the sender took it, then the ledger's state.

    `fallback`: in place of the text the number's template was sent.
    """

    turn: int
    at: float
    speaker: str
    type: str
    text: str
    options: list[str]
    session_id: str | None
    flow_id: str | None
    node_id: str | None
    delivery: str | None = None
    delivered_at: float | None = None
    error_code: int | None = None
    reason: str | None = None
    fallback: bool = False


class ReadTranscript:
    """The use case behind the transcript's route."""

    def __init__(self, conversations: Conversations, deliveries: Deliveries) -> None:
        self._conversations = conversations
        self._deliveries = deliveries

    def __call__(self, key: ConversationKey, flow_id: str | None = None) -> list[TranscriptEntry]:
        """All messages still kept, in order; with `flow_id` those of the sessions in which this flow ran."""
        records = self._conversations.turns(key)
        if flow_id is not None:
            sessions = {record.session_id for record in records if record.flow_id == flow_id}
            records = [record for record in records if record.session_id in sessions]
        ledger = {(entry.turn, entry.index): entry for entry in self._deliveries.of_conversation(key)}
        return [said for record in records for said in _entries(record, ledger)]


def _entries(record: TurnRecord, ledger: dict[tuple[int, int], Delivery]) -> Iterator[TranscriptEntry]:
    from_agent = record.input.type == AGENT
    session_id = record.session_id or None
    if record.message_type is not None and record.message_type not in NON_MESSAGE_TYPES:
        # What begins a session answers no node.
        began = any(event.type == "session_started" for event in record.events)
        yield TranscriptEntry(
            turn=record.seq,
            at=record.sent_at or record.at,
            speaker=USER,
            type=record.message_type,
            text=record.input.text,
            options=[],
            session_id=session_id,
            flow_id=record.flow_id,
            node_id=record.path[0].node_id if record.path and not began else None,
        )
    for index, message in enumerate(record.messages):
        entry = ledger.get((record.seq, index))
        yield TranscriptEntry(
            turn=record.seq,
            at=record.at,
            speaker=AGENT if from_agent else BOT,
            type=str(message.__struct_config__.tag),
            text=_text(message),
            options=_options(message),
            session_id=session_id,
            flow_id=record.flow_id,
            node_id=record.node_id,
            delivery=(entry.status or entry.state) if entry is not None else "queued",
            delivered_at=entry.status_at if entry is not None else None,
            error_code=entry.error_code if entry is not None else None,
            reason=entry.reason if entry is not None else None,
            fallback=entry.fallback if entry is not None else False,
        )


def _text(message: OutboundMessage) -> str:
    if isinstance(message, Media):
        return message.caption or ""
    return message.name if isinstance(message, Template) else message.text


def _options(message: OutboundMessage) -> list[str]:
    if isinstance(message, ReplyButtons):
        return [button.title for button in message.buttons]
    return [row.title for row in message.rows] if isinstance(message, OptionList) else []
