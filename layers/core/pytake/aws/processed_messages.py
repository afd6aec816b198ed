"""What a conversation's item knows of the turns before: which messages have had theirs, and the hour of the last one.

A marker of its own costs two write units per message; a remembered id takes some fifteen bytes of an item that is written
anyway. So ids are remembered here as long as they are few, and marked by items of their own beyond that (ADR 0008).
"""

from base64 import urlsafe_b64encode
from hashlib import blake2b

import msgspec
from msgspec import Struct

from pytake.conversation.records import MARKER_SECONDS, TurnRecord

MAX_REMEMBERED = 32
"""More would make the item larger than the kilobyte that a write unit pays for, and save nothing."""

DAY, HOUR = 86_400, 3600
_DIGEST_CHARACTERS = 11  # 64 bits


class ProcessedMessages(
    Struct, frozen=True, omit_defaults=True, rename={"days": "d", "marked_until": "m", "hour": "h", "kept": "k"}
):
    """`days` holds digests of message ids with the turns they took, by the day of the turn. Until `marked_until` there may
    be messages that only a marker knows. `hour` counts the hours from the epoch to the last turn, which is kept for `kept`
    seconds."""

    days: dict[int, str] = {}
    marked_until: int = 0
    hour: int = 0
    kept: int = 0

    def turn_of(self, message_id: str) -> int | None:
        """The turn that a remembered message took."""
        wanted = _digest(message_id)
        for told in self.days.values():
            for entry in told.split():
                if entry.startswith(wanted):
                    return int(entry[_DIGEST_CHARACTERS:])
        return None

    def after(self, turn: TurnRecord, kept_seconds: int) -> tuple["ProcessedMessages", bool]:
        """The processed messages with this turn, which is kept for so long, and whether it remembers the turn's message.

        If it does not, the message needs a marker.
        """
        at = int(turn.at)
        days = {day: told for day, told in self.days.items() if (day + 1) * DAY + MARKER_SECONDS > at}
        marked_until, remembers = self.marked_until, True
        if turn.message_id is not None:
            if sum(len(told.split()) for told in days.values()) < MAX_REMEMBERED:
                entry = f"{_digest(turn.message_id)}{turn.seq}"
                days[at // DAY] = f"{days[at // DAY]} {entry}" if at // DAY in days else entry
            else:
                marked_until, remembers = max(marked_until, at + MARKER_SECONDS), False
        return ProcessedMessages(
            days, marked_until if marked_until > at else 0, hour_of(turn.at), kept_seconds
        ), remembers

    def starts_run(self, before: "ProcessedMessages") -> bool:
        """Is the turn that left this the first of its hour? The log's index has those, and who reads it goes on from
        there: so turns that follow one of them must not outlive it."""
        return (self.hour, self.kept) != (before.hour, before.kept)

    def encode(self) -> str:
        """As the item keeps it."""
        return _encode(self).decode()


def read_processed_messages(told: str | None, at: float) -> ProcessedMessages:
    """The processed messages that an item keeps. An item without one was written when every message had a marker."""
    return _read(told) if told is not None else ProcessedMessages(marked_until=int(at) + MARKER_SECONDS)


def hour_of(at: float) -> int:
    """The hour that a time is in, counted from the epoch."""
    return int(at // HOUR)


def _digest(message_id: str) -> str:
    return urlsafe_b64encode(blake2b(message_id.encode(), digest_size=8).digest())[:_DIGEST_CHARACTERS].decode()


_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(ProcessedMessages).decode
