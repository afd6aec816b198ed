"""The items on the work queues, and the ids that keep their order.

`inbound.fifo` and `outbound.fifo` keep the order of each conversation through the message group. The statuses queue has no
order, because a delivery status never moves backwards; neither has the queue of files to keep.
"""

import hashlib
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pytake.conversation.campaign_mark import CampaignMark
from pytake.conversation.records import (
    SERVICE_WINDOW_SECONDS,
    ConversationKey,
    DueConversation,
    HeldTurn,
    TurnRecord,
)
from pytake.whatsapp.input import APP_CONTACT, APP_HISTORY, PREFERENCE, InputMedia
from pytake.whatsapp.outbound import OutboundMessage, TemplateCategory

GROUP_ID_CHARACTERS = 128
"""SQS's limit for a message group id."""

UNREAD_STATUSES = ("recorded", "opted_out", "limited", "human")
"""The statuses of turns in which no flow answered the person's message."""


class ReportedEvent(Struct, frozen=True, omit_defaults=True):
    """An event that a program reported for a conversation: a `wait_event` node waits for its name."""

    name: str
    data: Any = None


class StartTemplate(Struct, frozen=True, omit_defaults=True):
    """The message template that opens a conversation: what a flow's `template` node has. The expressions in the texts of
    `components` read the contact and the start's parameters."""

    name: str
    language: str
    components: list[dict[str, Any]] = []
    category: TemplateCategory | None = None


class FlowStart(Struct, frozen=True, omit_defaults=True):
    """What begins a conversation with a person: a published flow with the values of its parameters, a template, or both.

    With a `template`, only that is sent, and the flow starts with the person's answer. `only_idle`: not while a flow waits for
    the person. `silent_since`: not if the person has written after this time, as Unix seconds.
    """

    flow_id: str | None = None
    parameters: dict[str, Any] = {}
    template: StartTemplate | None = None
    only_idle: bool = False
    silent_since: float | None = None


class InboundItem(Struct, omit_defaults=True):
    """One message of one person, as Meta sent it (`message` is Meta's own JSON).

    `contact_id` is the identity in the message: the phone number or, if the person hides it, the user id.

    An item with a `due_at` fires a timer or ends a session, one with an `event` brings what a program reported, one with a
    `start` starts a flow. It takes the way of a message, so that it is in order with the person's messages and takes one turn.
    Its `message` holds only an id, its `contact_id` is that of the conversation.
    """

    organization_id: str
    phone_number_id: str
    contact_id: str
    message: dict[str, Any]
    received_at: float
    profile_name: str | None = None
    correlation_id: str | None = None
    due_at: float | None = None
    event: ReportedEvent | None = None
    start: FlowStart | None = None
    user_id: str | None = None
    parent_user_id: str | None = None
    username: str | None = None

    @property
    def key(self) -> ConversationKey:
        """The conversation under the identity in the message. `pytake.conversation.find_conversation` finds the person's own."""
        return ConversationKey(self.organization_id, self.phone_number_id, self.contact_id)

    @property
    def group(self) -> ConversationKey:
        """What must stay in order: by user id where it is known, because the phone number may be missing (ADR 26)."""
        return ConversationKey(self.organization_id, self.phone_number_id, self.user_id or self.contact_id)

    @property
    def message_id(self) -> str:
        return str(self.message.get("id"))

    @property
    def sent_at(self) -> float | None:
        """When the person wrote, in epoch seconds; None if Meta does not say it in a way that can be read."""
        try:
            value = float(str(self.message.get("timestamp")))
        except ValueError:
            return None
        if not 0 < value < 1e15:  # also `nan`, which JSON cannot store
            return None
        return value / 1000 if value > 1e11 else value

    @property
    def is_app_contact(self) -> bool:
        """Whether the item is a change in the phone app's address book: it takes no turn."""
        return self.message.get("type") == APP_CONTACT

    @property
    def is_preference(self) -> bool:
        """Whether the item is a choice of the person in WhatsApp's settings: it takes no turn."""
        return self.message.get("type") == PREFERENCE

    @property
    def is_history(self) -> bool:
        """Whether the item has messages from before the number was connected."""
        return self.message.get("type") == APP_HISTORY

    @property
    def deduplication_id(self) -> str:
        return digest(self.phone_number_id, self.message_id)


class OutboundItem(Struct, omit_defaults=True):
    """Everything one turn sends, in order.

    `queued_at` is when it was queued. `pair_rate_from` is when its first message may leave under Meta's limit for one
    recipient; 0: all may leave at once. `confirms_opt_out`: it confirms an opt-out, which therefore does not stop it.
    `recipient` is the phone number or user id to send to, if it is not `contact_id`.
    `requeue_id` makes an item that is queued again on purpose distinct: redriven (`redrive_count` times),
    from being held (`released`), or for an undelivered message whose cause can be remedied.

    `read_id` is the person's message that is marked as read. An item without messages only does that; with `typing` it shows
    the typing indicator until the messages of this turn come. An item with the mark of a `campaign` has a queue of its own, so
    that it delays no answer.
    """

    organization_id: str
    phone_number_id: str
    contact_id: str
    turn: int
    messages: list[OutboundMessage]
    window_closes_at: float
    correlation_id: str | None = None
    queued_at: float = 0
    pair_rate_from: float = 0
    confirms_opt_out: bool = False
    requeue_id: str = ""
    redrive_count: int = 0
    released: bool = False
    read_id: str | None = None
    typing: bool = False
    recipient: str | None = None
    campaign: CampaignMark | None = None

    @property
    def key(self) -> ConversationKey:
        return ConversationKey(self.organization_id, self.phone_number_id, self.contact_id)

    @property
    def deduplication_id(self) -> str:
        """The same each time a turn is queued. After an erasure, a turn with the same number has another id."""
        turn = (str(self.turn), str(self.window_closes_at), self.correlation_id or "")
        requeue_id = (self.requeue_id,) if self.requeue_id else ()
        return digest(self.organization_id, self.phone_number_id, self.contact_id, *turn, *requeue_id)

    @property
    def group_id(self) -> str:
        """The message group. What has no messages neither waits for the conversation's messages nor delays them."""
        return group_id(self.key) if self.messages else digest("read", self.phone_number_id, self.contact_id)


class AccountChange(Struct, frozen=True):
    """A change of a WhatsApp Business account: `value` is Meta's. `at` is when Meta reported it, in seconds."""

    waba_id: str
    field: str
    value: dict[str, Any]
    at: float


class StatusesItem(Struct, omit_defaults=True):
    """Delivery statuses of one number, as Meta sent them, or changes of the number's WhatsApp Business account."""

    organization_id: str
    phone_number_id: str
    statuses: list[dict[str, Any]]
    correlation_id: str | None = None
    account_changes: list[AccountChange] = []


def due_item(due: DueConversation, user_id: str | None, now: float, correlation_id: str | None) -> InboundItem:
    """The item of a conversation whose timer or session has ended. Each time it is made, it has the same id.

    With the conversation's `user_id` it is in order with the person's messages.
    """
    key = due.key
    return InboundItem(
        organization_id=key.organization_id,
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        message={"id": f"due:{key.contact_id}:{due.at}"},
        received_at=now,
        correlation_id=correlation_id,
        due_at=due.at,
        user_id=user_id,
    )


def read_id(record: TurnRecord) -> str | None:
    """The person's message that is marked as read with this turn: the one that the flow or the agent answered."""
    answered = record.received_message_id if record.status not in UNREAD_STATUSES else None
    return answered or record.reads


class MediaItem(Struct, omit_defaults=True):
    """A file that a person sent and that is to be kept."""

    organization_id: str
    phone_number_id: str
    contact_id: str
    media: InputMedia
    received_at: float
    correlation_id: str | None = None

    @property
    def key(self) -> ConversationKey:
        return ConversationKey(self.organization_id, self.phone_number_id, self.contact_id)


def outbound_item(key: ConversationKey, record: TurnRecord, queued_at: float, requeue_id: str = "") -> OutboundItem:
    """The item of a committed turn. The record is the outbox: the item can be made again at any time.

    An item without a `requeue_id` that is made again has the turn's time as `queued_at`.
    """
    return OutboundItem(
        organization_id=key.organization_id,
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        turn=record.seq,
        messages=record.messages,
        window_closes_at=(record.window_opened_at or record.at) + SERVICE_WINDOW_SECONDS,
        correlation_id=record.correlation_id,
        queued_at=queued_at,
        pair_rate_from=record.pair_rate_from,
        confirms_opt_out=record.confirms_opt_out,
        requeue_id=requeue_id,
        recipient=record.recipient,
        read_id=read_id(record),
        campaign=record.campaign,
    )


def typing_item(key: ConversationKey, turn: int, message_id: str, now: float) -> OutboundItem:
    """The item that shows the typing indicator while turn `turn`, which answers the message, waits for an API or a model."""
    return OutboundItem(
        organization_id=key.organization_id,
        phone_number_id=key.phone_number_id,
        contact_id=key.contact_id,
        turn=turn,
        messages=[],
        window_closes_at=0,
        queued_at=now,
        requeue_id=f"typing:{message_id}",
        read_id=message_id,
        typing=True,
    )


def released_item(held: HeldTurn, now: float) -> OutboundItem:
    """The item of a held turn that is released."""
    item = msgspec.json.decode(held.body, type=OutboundItem)
    id_ = f"held{held.held_at}" if held.due_at is None else f"held{held.held_at}:{held.due_at}"
    return replace(item, queued_at=now, released=True, requeue_id=id_)


def digest(*parts: str) -> str:
    """A deduplication id of 64 characters. Different lists of parts have different ids."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def group_id(key: ConversationKey) -> str:
    """The message group of a conversation: number and contact, hashed when SQS does not allow them as they are."""
    group = f"{key.phone_number_id}:{key.contact_id}"
    return group if len(group) <= GROUP_ID_CHARACTERS and group.isascii() and " " not in group else digest(group)
