"""Rate limits of sending: an organization's messages a minute, and Meta's limit for one recipient (ADR 0005).

Pure arithmetic on times. The adapters of `pytake.conversation.ports.deliveries.RateSlots` store a `RateWindow` and change it
with these functions. The turn's commit stores the pair rate of a recipient, so that it costs no write of its own.
"""

from math import ceil

from msgspec import Struct

from pytake.conversation.records import Number

WINDOW_SECONDS = 60
EXACT_UP_TO = 60
"""Limits up to this many messages a minute are exact: the window stores each departure."""

PAIR_RATE_SECONDS = 6
PAIR_RATE_BURST = 45
"""Meta takes one message per six seconds for one recipient, after a burst of 45 (error 131056)."""

NUMBER_PER_SECOND, COEXISTING_PER_SECOND = 80, 20
"""Meta's throughput of a number: normally (up to 1,000 on request), and beside the phone app."""


class SlotBlock(Struct, frozen=True):
    """`count` slots of a campaign, one per `interval` seconds from `first` on."""

    first: float
    interval: float
    count: int

    def at(self, place: int) -> float:
        """The slot at a place, from 0 on."""
        return self.first + place * self.interval


class RateWindow(Struct, array_like=True):
    """The last departures and the last reserved slot, in milliseconds since the epoch."""

    departed: list[int] = []
    last_slot: int = 0


def bulk_per_minute(per_minute: int) -> int:
    """What campaigns may use of a limit: four fifths. The rest is left to conversations."""
    return max(1, per_minute * 4 // 5)


def block_of(per_minute: int, reserved_until: float, count: int, now: float, until: float) -> SlotBlock:
    """The next at most `count` slots of campaigns before `until`, if their slots are taken until `reserved_until`."""
    interval, first = 60 / bulk_per_minute(per_minute), max(reserved_until, now)
    return SlotBlock(first, interval, max(0, min(count, ceil((until - first) / interval))))


SLOWING_CODES = frozenset((130429, 131048, 131056))
"""Meta's refusals that slow campaigns down: the number sends too fast, too many people reported or blocked it, one person gets
too much at once."""

SLOW_AGAIN_SECONDS = 90
"""Refusals so soon after a slow-down belong to messages that were released before it."""

RECOVERY_SECONDS = 1200
"""In so long, a pace of nothing would be back at the full one. The pace grows evenly."""

LEAST_SHARE = 1 / 16


class SlowDown(Struct, frozen=True, omit_defaults=True):
    """The share of their rate that campaigns of a number have since `at`, because Meta refused a message with `code`."""

    share: float = 1
    at: float = 0
    code: int = 0

    def share_at(self, now: float) -> float:
        """The share at a time."""
        return min(1.0, self.share + max(0.0, now - self.at) / RECOVERY_SECONDS)

    def refused(self, code: int, now: float) -> "SlowDown":
        """After another refusal: half of the share that they have then."""
        if self.at and now < self.at + SLOW_AGAIN_SECONDS:
            return self
        return SlowDown(max(LEAST_SHARE, self.share_at(now) / 2), now, code)


class DayLimit(Struct, frozen=True, omit_defaults=True):
    """Meta's limit of people that an account may write to first in 24 hours: `most`, reported at `reported_at`. None: no limit.
    As long as nothing was reported, the caller's `unreported` limit holds.

    `hours` has the people of each hour since the epoch. The oldest of 25 hours counts in full, so the limit is never passed.
    """

    most: int | None = None
    reported_at: float = 0
    hours: dict[int, int] = {}

    def reserve(self, people: int, now: float, unreported: int | None = None) -> tuple["DayLimit", int]:
        """The limit after the reservation, and for how many of the `people` it was."""
        hour, recent, left = int(now // 3600), self._recent(now), self.remaining(now, unreported)
        granted = people if left is None else min(people, left)
        recent[hour] = recent.get(hour, 0) + granted
        return DayLimit(self.most, self.reported_at, recent), granted

    def remaining(self, now: float, unreported: int | None = None) -> int | None:
        """How many people it still allows; None: any number."""
        most = self.most if self.reported_at else unreported
        return None if most is None else max(0, most - sum(self._recent(now).values()))

    def _recent(self, now: float) -> dict[int, int]:
        return {hour: count for hour, count in self.hours.items() if hour > int(now // 3600) - 25}


def messages_per_second(number: Number) -> int:
    """What Meta takes of a number. For one that coexists with the phone app the rate is fixed."""
    if number.coexists:
        return min(number.messages_per_second or COEXISTING_PER_SECOND, COEXISTING_PER_SECOND)
    return number.messages_per_second or NUMBER_PER_SECOND


def reserve(window: RateWindow, per_minute: int, now: float) -> tuple[RateWindow, float]:
    """The window after taking its next slot, and the slot: `now` itself when the message may leave at once.

    A message that has to wait gets a slot one interval after the previous one, never earlier than the limit allows.
    """
    at = _milliseconds(now)
    free_at = _free_at(window, per_minute)
    # A worker whose clock is a few milliseconds behind the last departure's worker does not have to wait for it.
    latest = window.departed[-1] if window.departed else 0
    if window.last_slot <= max(at, latest) and free_at <= at:
        return _left(window, per_minute, at, last_slot=max(at, window.last_slot)), now
    interval = WINDOW_SECONDS * 1000 // per_minute
    slot = max(window.last_slot + interval, free_at) if window.last_slot > at else max(free_at, at + 1)
    return RateWindow(window.departed, slot), slot / 1000


def depart(window: RateWindow, per_minute: int, now: float) -> tuple[RateWindow, float]:
    """The window after a message that waited leaves, and `now`; or the unchanged window and when to ask again.

    Queues deliver late, never early. Without this check a late message and the next minute's would leave together.
    """
    at = _milliseconds(now)
    free_at = _free_at(window, per_minute)
    if free_at > at:
        return window, free_at / 1000
    return _left(window, per_minute, at, last_slot=window.last_slot), now


def pair_rate(pair_rate_until: float, messages: int, now: float) -> tuple[float, float]:
    """A recipient's new `pair_rate_until` after `messages` more, and when the first of them may leave (0: all at once).

    GCRA: every message moves `pair_rate_until` by six seconds; it may be 44 messages ahead of the clock.
    """
    start = max(pair_rate_until, now)
    first = start - (PAIR_RATE_BURST - 1) * PAIR_RATE_SECONDS
    last = first + (messages - 1) * PAIR_RATE_SECONDS
    return start + messages * PAIR_RATE_SECONDS, first if last > now else 0


def _free_at(window: RateWindow, per_minute: int) -> int:
    """The earliest time of another departure with at most `per_minute` in any sixty seconds."""
    if len(window.departed) < per_minute:
        return 0
    return window.departed[-per_minute] + WINDOW_SECONDS * 1000


def _left(window: RateWindow, per_minute: int, at: int, last_slot: int) -> RateWindow:
    # The clocks of two workers differ by milliseconds: keep the list sorted.
    latest = max(at, window.departed[-1]) if window.departed else at
    return RateWindow([*window.departed, latest][-per_minute:], last_slot)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
