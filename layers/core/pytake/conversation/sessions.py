"""Where sessions begin and end. What a template opened is not a session yet: the person's answer, or an agent, begins one."""

from hashlib import sha256
from typing import Any

from pytake.conversation.records import Conversation, ConversationKey, Session
from pytake.engine import Event

OPENED = "opened"
"""The status of a turn in which a template opened the conversation."""


def new_session_id(key: ConversationKey, seq: int) -> str:
    """The id of the session that starts with turn `seq` of a conversation. It shows that a session started with a turn."""
    parts = (key.organization_id, key.phone_number_id, key.contact_id, str(seq))
    return sha256("\x1f".join(parts).encode()).hexdigest()[:20]


def session_of_turn(before: Conversation, seq: int, now: float) -> tuple[Session, list[Event]]:
    """The session of turn `seq`: the open one or a new one. The events say which session has expired before it.

    A new session continues from the state of what a template opened.
    """
    session = before.open_session(now)
    if session is not None and not session.opened:
        return session, []
    state = session.state if session is not None else None
    new = Session(id=new_session_id(before.key, seq), started_at=now, expires_at=now, state=state)
    return new, [] if session is not None else expiry(before.session)


def expiry(session: Session | None) -> list[Event]:
    """The event of a session that has expired; none for what was only opened."""
    if session is None or session.opened:
        return []
    return [Event("session_expired", {"session_id": session.id})]


def closing(session: Session | None, by: str, **why: Any) -> list[Event]:
    """The event of a session that is ended on purpose, with more data; none for what was only opened."""
    if session is None or session.opened:
        return []
    return [Event("session_closed", {"session_id": session.id, "by": by, **why})]


def session_id(session: Session | None) -> str:
    """The id that a turn's record has for this session; empty for what was only opened."""
    return session.id if session is not None and not session.opened else ""


def waits_since(conversation: Conversation, now: float) -> float | None:
    """Since when the person waits for an agent's answer; None if they do not.

    A session of an earlier release does not say it: then the wait counts from the message that no agent has answered, or from
    the handoff if no message came after it.
    """
    session = conversation.open_session(now)
    if session is None or session.waits_since is not None:
        return session.waits_since if session is not None else None
    if session.unread_id is not None:
        return conversation.last_inbound_at
    handoff = session.handoff
    return handoff.at if handoff is not None and conversation.active_at <= handoff.at else None
