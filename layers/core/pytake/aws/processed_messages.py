"""What a conversation's item records about earlier turns: the messages that already took a turn, and the hour of the last turn.

A marker item costs two write units per message. An id in the conversation's item costs some fifteen bytes of an item that is
written anyway. So the first ids are kept here, and further ones get marker items (ADR 0008).
"""

from base64 import urlsafe_b64encode
from hashlib import blake2b

import msgspec
from msgspec import Struct

from pytake.conversation.records import MARKER_SECONDS, TurnRecord

MAX_REMEMBERED = 32
"""With more ids the item would exceed the kilobyte of one write unit."""

DAY, HOUR = 86_400, 3600
_DIGEST_CHARACTERS = 11  # 64 bits


class ProcessedMessages(
    Struct, frozen=True, omit_defaults=True, rename={"days": "d", "marked_until": "m", "hour": "h", "kept": "k"}
):
    """`days` holds digests of message ids with their turns, by the day of the turn. Until `marked_until` there may be messages
    that only a marker item records. `hour` is the hour of the last turn since the epoch; that turn is kept for `kept` seconds.
    """

    days: dict[int, str] = {}
    marked_until: int = 0
    hour: int = 0
    kept: int = 0

    def turn_of(self, message_id: str) -> int | None:
        """The turn of a message that is recorded here."""
        wanted = _digest(message_id)
        for entries in self.days.values():
            for entry in entries.split():
                if entry.startswith(wanted):
                    return int(entry[_DIGEST_CHARACTERS:])
        return None

    def after(self, turn: TurnRecord, kept_seconds: int) -> tuple["ProcessedMessages", bool]:
        """The record after this turn, which is kept for `kept_seconds`, and whether it contains the turn's message.

        If it does not, the message needs a marker item.
        """
        at = int(turn.at)
        days = {day: entries for day, entries in self.days.items() if (day + 1) * DAY + MARKER_SECONDS > at}
        marked_until, remembers = self.marked_until, True
        if turn.message_id is not None:
            if sum(len(entries.split()) for entries in days.values()) < MAX_REMEMBERED:
                entry = f"{_digest(turn.message_id)}{turn.seq}"
                days[at // DAY] = f"{days[at // DAY]} {entry}" if at // DAY in days else entry
            else:
                marked_until, remembers = max(marked_until, at + MARKER_SECONDS), False
        return ProcessedMessages(
            days, marked_until if marked_until > at else 0, hour_of(turn.at), kept_seconds
        ), remembers

    def starts_run(self, before: "ProcessedMessages") -> bool:
        """Whether the turn that wrote this record is the first of its hour. The log index has only such turns, and readers
        continue from there, so the turns that follow must not be kept longer."""
        return (self.hour, self.kept) != (before.hour, before.kept)

    def encode(self) -> str:
        """The form in the item."""
        return _encode(self).decode()


def read_processed_messages(stored: str | None, at: float) -> ProcessedMessages:
    """The record of an item. An item without one was written when every message had a marker item."""
    return _read(stored) if stored is not None else ProcessedMessages(marked_until=int(at) + MARKER_SECONDS)


def hour_of(at: float) -> int:
    """The hour of a time, counted from the epoch."""
    return int(at // HOUR)


def _digest(message_id: str) -> str:
    return urlsafe_b64encode(blake2b(message_id.encode(), digest_size=8).digest())[:_DIGEST_CHARACTERS].decode()


_encode = msgspec.json.Encoder().encode
_read = msgspec.json.Decoder(ProcessedMessages).decode
