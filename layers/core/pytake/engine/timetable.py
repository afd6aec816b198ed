"""Timetables: opening hours by weekday, a time zone, and holidays.

They are stored, so fields of a later release are ignored. A flow that has its own hours is strict (`nodes.schedule`).
"""

from typing import Literal, get_args

from msgspec import Struct

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)


class Hours(Struct, kw_only=True):
    """Hours of some days: from `opens` until just before `closes`, as `09:00`.

    Hours that close at or before the time at which they open end on the following day. `24:00` is midnight.
    """

    days: list[Day]
    opens: str
    closes: str


class Timetable(Struct, kw_only=True, omit_defaults=True):
    """Opening hours. `timezone` is an IANA name (the organization's when left out).

    On `holidays` nothing opens: days as `2026-12-25`, or `12-25` for every year.
    """

    hours: list[Hours]
    timezone: str | None = None
    holidays: list[str] = []
