"""What staff write in the phone app of a number: a human has answered, so the bot falls silent as for an agent's message."""

from msgspec.structs import replace

from pytake.conversation.commit_turn import TurnDraft
from pytake.conversation.records import Conversation
from pytake.conversation.sessions import session_of_turn
from pytake.engine import Event

PHONE_APP = "phone_app"
"""The author of a message that staff wrote in the phone app."""


def record_echo(draft: TurnDraft, before: Conversation, session_seconds: float, now: float) -> None:
    """Complete the draft of the turn of an echo.

    It takes the conversation over until it is handed back, closed, or silent for `session_seconds` after the message: Meta may
    deliver an echo late, and an old one does not silence the bot. It opens no window, because the person wrote nothing.
    """
    after, record = draft.conversation, draft.record
    record.status, record.message_type = "echo", None
    record.events.append(Event("agent_message", {"by": PHONE_APP}))
    silent_until = min(now, record.sent_at or now) + session_seconds
    if silent_until <= now:
        return
    session, expired = session_of_turn(before, record.seq, now)
    record.events[:0] = expired
    if not session.human:
        record.events.insert(-1, Event("taken_over", {"by": PHONE_APP}))
    record.session_id = session.id
    ends_at = max(session.expires_at, silent_until)
    # The flow's state keeps the timer; handing back restores it from there. Who wrote in the app has read what came before.
    after.session = replace(session, human=True, timer_at=None, expires_at=ends_at, unread_id=None, waits_since=None)
