"""Conversations and their turns, the effects that turns request, and the erasure of people."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from pytake.contacts.records import ContactWrite
from pytake.conversation.history_messages import HistoryMessage
from pytake.conversation.lake_records import PendingErasure
from pytake.conversation.recorded_erasures import RecordedErasure
from pytake.conversation.records import Conversation, ConversationKey, DueConversation, TurnRecord
from pytake.engine import EffectResult
from pytake.engine.effects import ServiceRequest


class AlreadyCommittedError(Exception):
    """The inbound message has already taken its turn."""


class RecentPosition(Struct, frozen=True):
    """An entry of the lists of an organization's conversations. `at` is the time of the last message if agents have the
    conversation, otherwise the start of the ten minutes with that time."""

    key: ConversationKey
    at: float


class Conversations(Protocol):
    """The repository of conversations and their turns."""

    def load(self, key: ConversationKey) -> Conversation | None:
        """The conversation as last committed (a consistent read), or None. One read request."""

    def erased_at(self, key: ConversationKey) -> float:
        """When the person was last erased; 0 if never, or more than `ERASURE_SECONDS` ago. One read request."""

    def load_all(self, keys: Sequence[ConversationKey]) -> list[Conversation]:
        """The conversations that exist, in any order (consistent reads)."""

    def recent(
        self, organization_id: str, until: float | None = None, *, with_agents: bool = False
    ) -> Iterable[RecentPosition]:
        """The entries of one of the organization's two lists, newest first, from `until` on back.

        One list has the conversations that agents have, the other one the rest; equal times come in any order. Read lazily,
        eventually consistent: an entry may be older than its conversation, and appear in the wrong list for a moment.
        """

    def commit(
        self,
        conversation: Conversation,
        turn: TurnRecord,
        contact: ContactWrite | None = None,
        learned: Sequence[str] = (),
    ) -> None:
        """Store the conversation (its `seq` is the turn's), the turn, the marker of its message and the contact, if one is
        given: all or nothing. The conversation's `contact_revision` is then that of the stored contact.

        From now on the identities that the turn has `learned` lead to the conversation's contact, and so does the id of the
        contact itself. One write request. Raises `AlreadyCommittedError` when the turn's `message_id` has already taken a turn.
        Raises `ConflictError` when the stored `seq` is not one less than the turn's, when the stored `contact_revision` is
        another one, when the contact was written meanwhile, when a new conversation has a wrong `erased_at` (see
        `Conversations.erased_at`), and when one of the identities leads to another contact.
        """

    def merge(
        self,
        conversation: Conversation,
        turn: TurnRecord,
        left: Conversation,
        left_turn: TurnRecord,
        contact_revision: int | None = None,
    ) -> None:
        """Store a conversation and its turn, and what is left of the one that was merged into it, with its turn: all or nothing.

        `contact_revision` is that of the conversation's contact from now on, if it is another one. Notes and the assignment, if
        the conversation has none, are copied before; events of the turns are published by the `due` job. Raises
        `ConflictError` when either stored `seq` is not one less than its turn's, or its `contact_revision` another one, and when
        a new conversation's contact was merged into another one.
        """

    def update_contact(self, loaded: Conversation, after: Conversation) -> None:
        """Store the `contact`, the `contact_revision` and `opted_out` of a conversation that changes in nothing else.

        Raises `ConflictError` when the stored conversation is not the loaded one.
        """

    def turn(self, key: ConversationKey, seq: int) -> TurnRecord | None:
        """The record of one turn."""

    def latest_turns(self, conversations: Sequence[Conversation]) -> dict[ConversationKey, TurnRecord]:
        """The record of each conversation's last turn, where it is still kept."""

    def turn_of_message(self, key: ConversationKey, message_id: str) -> TurnRecord | None:
        """The record of the turn that an inbound message took."""

    def turns(self, key: ConversationKey) -> list[TurnRecord]:
        """All records that are still kept, oldest first."""

    def due(self, now: float) -> Iterable[DueConversation]:
        """Conversations with a timer or a session that ended before `now`. Eventually consistent, read lazily."""


class AppHistory(Protocol):
    """Messages from before a number was connected, as its phone app shared them."""

    def add(self, key: ConversationKey, messages: Sequence[HistoryMessage]) -> None:
        """Store the messages, each until its own retention ends. Storing one again changes nothing."""

    def of_conversation(self, key: ConversationKey) -> list[HistoryMessage]:
        """All messages that are still kept, oldest first. A placeholder comes before the message that it stands for."""


class EffectPerformer(Protocol):
    """Performs the effects of a turn: an API call, or a request to a language model."""

    def perform(self, key: ConversationKey, effect: ServiceRequest) -> EffectResult:
        """The result. Never raises because of the other side: a refusal or a timeout is a result."""


class EffectSlots(Protocol):
    """Bounds how many turns of an organization wait for APIs and models at the same time, so that others keep their workers."""

    def take(self, organization_id: str, now: float) -> "EffectSlot | None":
        """A free slot of the organization, or None. It becomes free again after a minute if its worker dies."""

    def free(self, organization_id: str, slot: "EffectSlot") -> None:
        """Give a slot back. Never raises: the turn is not to be repeated for it."""


class EffectSlot(Struct, frozen=True):
    """A slot that a turn has until a time, at the latest."""

    number: int
    until: float


class Erasure(Protocol):
    """Removes everything that is stored about a person."""

    def begin(self, organization_id: str, keys: Sequence[ConversationKey], at: float) -> PendingErasure:
        """Record that the person with these conversations is erased, and where their data is. Removes nothing yet."""

    def remove(self, pending: PendingErasure) -> int:
        """Remove the person's conversations, turns, markers, ledger entries and held turns; returns the number of items.

        An `ErasedTurn` stays in the log for each turn that the lake still needs. A turn that is committed at the same
        time is erased too, or starts a new conversation. Calling it again is safe. Raises `ConflictError` when new items
        keep coming.
        """

    def pending(self, before: float) -> list[PendingErasure]:
        """The unfinished erasures that began before a time."""

    def finish(self, pending: PendingErasure) -> None:
        """Delete the erasure's own record, which identifies the person."""

    def remember(self, erasure: RecordedErasure) -> None:
        """Record that these contacts were erased, without knowing them: messages from before take no turn."""

    def find(self, erased: Mapping[str, float]) -> list[tuple[ConversationKey, float]]:
        """The conversations that a restored table has of contacts erased at these times (by `erasure_digest`), and the times.

        Conversations that began after the erasure are not among them.
        """


class ErasureJournal(Protocol):
    """A list of erasures outside the table. It names no person."""

    def record(self, erasure: RecordedErasure) -> None:
        """Add an erasure, before anything is removed."""

    def since(self, at: float) -> Iterator[RecordedErasure]:
        """The erasures at or after a time, oldest first."""
