"""Who of the organization's agents handles a conversation, and what they note about it. The person never sees any of it.

It is kept beside the conversation and not in it: agents who work on it and the turns of the bot never wait for each other.
"""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec
from msgspec import Struct

from pytake.conversation.records import Conversation, ConversationKey

TYPING_SECONDS = 10
"""How long an agent counts as typing after the last report."""

Priority = Literal["urgent", "high", "normal", "low"]


class Assignment(Struct, frozen=True, omit_defaults=True):
    """How a conversation is handled. `assignee` is the subject of an agent's token.

    `priority` and `team` take precedence over those of the handoff. `read_at`: an agent has read what came until then.
    `typing_by` writes an answer until `typing_until`. `revision` grows with every change of the other fields.
    """

    assignee: str | None = None
    team: str | None = None
    priority: Priority | None = None
    tags: list[str] = []
    snoozed_until: float | None = None
    revision: int = 0
    read_at: float = 0
    typing_by: str | None = None
    typing_until: float = 0


class Note(Struct, frozen=True, omit_defaults=True):
    """An entry that agents see beside the transcript: a private note (`text`), or a change of the assignment.

    `changes` has the old and the new value by field; it is the audit record of the change. Its business event has the latest
    turn, the session and the correlation ID.
    """

    id: str
    at: float
    by: str
    text: str | None = None
    changes: dict[str, list[Any]] = {}
    turn: int = 0
    session_id: str | None = None
    correlation_id: str | None = None


class Assignments(Protocol):
    """The assignments and notes of conversations. What is written needs the conversation: `ConflictError` if it is gone."""

    def load(self, key: ConversationKey) -> Assignment:
        """The assignment; a new one if there is none."""

    def load_all(self, keys: Sequence[ConversationKey]) -> dict[ConversationKey, Assignment]:
        """Those that exist."""

    def put(self, key: ConversationKey, assignment: Assignment, note: Note) -> Assignment:
        """Replace the assignment with this revision, and add the note about it, whose event is in the outbox then.

        Raises `ConflictError` if the stored one has another revision. Reading marks and typing stay as they are.
        """

    def mark_read(self, key: ConversationKey, at: float) -> None:
        """Record that an agent has read what came until `at`."""

    def set_typing(self, key: ConversationKey, by: str, until: float) -> None:
        """Record that an agent is writing."""

    def add_note(self, key: ConversationKey, note: Note) -> None: ...

    def notes(self, key: ConversationKey, limit: int) -> list[Note]:
        """The newest notes, oldest first."""


def is_unread(conversation: Conversation, assignment: Assignment) -> bool:
    """Whether the person has written since an agent last read the conversation."""
    return conversation.last_inbound_at > assignment.read_at


def team_of(conversation: Conversation, assignment: Assignment, now: float) -> str | None:
    """The team that has the conversation: the assigned one, or the department of the handoff."""
    session = conversation.open_session(now)
    handoff = session.handoff if session is not None else None
    return assignment.team or (handoff.department if handoff is not None else None)


def is_snoozed(assignment: Assignment, conversation: Conversation, now: float) -> bool:
    """Whether the conversation rests: a new message of the person ends it early."""
    return (assignment.snoozed_until or 0) > now and not is_unread(conversation, assignment)


def changes(before: Assignment, after: Assignment) -> dict[str, list[Any]]:
    """The fields that differ, with the old and the new value."""
    old, new = msgspec.structs.asdict(before), msgspec.structs.asdict(after)
    fields = ("assignee", "team", "priority", "tags", "snoozed_until")
    return {name: [old[name], new[name]] for name in fields if old[name] != new[name]}
