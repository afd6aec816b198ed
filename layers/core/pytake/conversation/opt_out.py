"""Record that a person has opted out when Meta reports it (error 131050), not the person."""

from msgspec.structs import replace

from pytake.conversation.current_conversation import load_current
from pytake.conversation.ports.common import Clock, ConflictError
from pytake.conversation.ports.conversations import Conversations
from pytake.conversation.records import ConversationKey, TurnRecord
from pytake.engine import Event, Input

ATTEMPTS = 4


class RecordOptOut:
    """Opts a person out. The sender and the statuses function use it."""

    def __init__(self, conversations: Conversations, clock: Clock) -> None:
        self._conversations = conversations
        self._clock = clock

    def __call__(self, key: ConversationKey, reported_at: float, code: int | None) -> bool:
        """Opt the person out, as a turn of the conversation with an audit record; False when there is nothing to do.

        A person who has written since `reported_at` wants answers again. Raises `ConflictError` when others keep writing the
        conversation.
        """
        for _ in range(ATTEMPTS):
            before = load_current(self._conversations, key)
            if before is None or before.opted_out or before.last_inbound_at > reported_at:
                return False
            after = replace(before, seq=before.seq + 1, opted_out=True)
            record = TurnRecord(
                seq=after.seq,
                at=self._clock(),
                session_id=before.session.id if before.session else "",
                status="opted_out",
                input=Input(type="opt_out"),
                events=[Event("opted_out", {"code": code})],
            )
            try:
                self._conversations.commit(after, record)
            except ConflictError:
                continue
            return True
        raise ConflictError(f"opt-out not recorded in {ATTEMPTS} attempts")
