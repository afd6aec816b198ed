"""How fast messages may leave: an organization's limit a minute, and Meta's limit for one recipient (ADR 0005).

Pure arithmetic on times. The adapters of `pytake.conversation.ports.RateSlots` store a `Window` and change it by these
functions; the turn's commit keeps a recipient's pace, so that it costs no write of its own.
"""

from msgspec import Struct

WINDOW_SECONDS = 60
EXACT_UP_TO = 60
"""Limits up to this many messages a minute are kept exactly: the window remembers each departure."""

RECIPIENT_SECONDS = 6
RECIPIENT_BURST = 45
"""Meta takes one message per six seconds to one recipient, after a burst of 45 (error 131056)."""


class Window(Struct, array_like=True):
    """The last departures and the last slot that was given away, in milliseconds since the epoch."""

    departed: list[int] = []
    frontier: int = 0


def reserve(window: Window, per_minute: int, now: float) -> tuple[Window, float]:
    """The window after taking its next slot, and the slot: `now` itself when the message may leave at once.

    Who has to wait gets a slot one interval behind the one before, never sooner than the limit allows.
    """
    at = _milliseconds(now)
    free_at = _free_at(window, per_minute)
    if window.frontier <= at and free_at <= at:
        return _left(window, per_minute, at, frontier=at), now
    interval = WINDOW_SECONDS * 1000 // per_minute
    slot = max(window.frontier + interval, free_at) if window.frontier > at else max(free_at, at + 1)
    return Window(window.departed, slot), slot / 1000


def depart(window: Window, per_minute: int, now: float) -> tuple[Window, float]:
    """The window after a message that waited leaves, and `now`; or the window as it is and when to ask again.

    Queues deliver late, never early: without this, a late message and the next minute's would leave side by side.
    """
    at = _milliseconds(now)
    free_at = _free_at(window, per_minute)
    if free_at > at:
        return window, free_at / 1000
    return _left(window, per_minute, at, frontier=window.frontier), now


def recipient_pace(paced_until: float, messages: int, now: float) -> tuple[float, float]:
    """A recipient's new `paced_until` after `messages` more, and when the first of them may leave (0: all at once).

    GCRA: every message moves `paced_until` on by six seconds; it may run 44 messages ahead of the clock.
    """
    start = max(paced_until, now)
    first = start - (RECIPIENT_BURST - 1) * RECIPIENT_SECONDS
    last = first + (messages - 1) * RECIPIENT_SECONDS
    return start + messages * RECIPIENT_SECONDS, first if last > now else 0


def _free_at(window: Window, per_minute: int) -> int:
    """When one more departure leaves at most `per_minute` of them in any sixty seconds."""
    if len(window.departed) < per_minute:
        return 0
    return window.departed[-per_minute] + WINDOW_SECONDS * 1000


def _left(window: Window, per_minute: int, at: int, frontier: int) -> Window:
    # Clocks of two workers differ by milliseconds: the list stays in order whoever writes.
    latest = max(at, window.departed[-1]) if window.departed else at
    return Window([*window.departed, latest][-per_minute:], frontier)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
