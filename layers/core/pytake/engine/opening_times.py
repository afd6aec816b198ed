"""Asks and checks timetables. Hours are wall-clock times, so daylight saving does not matter to whether it is open."""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo

from pytake.engine.dates import is_zone, zone
from pytake.engine.timetable import DAYS, Timetable

_DAYS_AHEAD = 366
_QUARTER_HOUR = 15 * 60
"""Clocks are put forward and back at full quarters of an hour."""


def problems_of(timetable: Timetable) -> Iterator[tuple[str, str]]:
    """What is wrong with a timetable: the field and a message that says how to correct it."""
    if not timetable.hours:
        yield "hours", "There are no hours, so it is never open. Add some."
    for index, hours in enumerate(timetable.hours):
        if not hours.days:
            yield f"hours[{index}].days", "There are no days. Add some, such as `mon`."
        for name in ("opens", "closes"):
            if _minutes(getattr(hours, name)) is None:
                yield f"hours[{index}].{name}", "Enter a time such as 09:00, at most 24:00."
    if timetable.timezone is not None and not is_zone(timetable.timezone):
        yield "timezone", f"`{timetable.timezone}` is not a time zone such as America/Sao_Paulo. Correct it."
    for index, day in enumerate(timetable.holidays):
        if not _is_day(day):
            yield f"holidays[{index}]", "Enter a day such as 2026-12-25, or 12-25 for every year."


class OpeningTimes:
    """A timetable that is ready to be asked."""

    def __init__(self, timetable: Timetable) -> None:
        self._timezone = timetable.timezone
        self._holidays = frozenset(timetable.holidays)
        self._spans: list[list[tuple[int, int]]] = [[] for _ in DAYS]  # of each weekday, in minutes from its midnight
        for hours in timetable.hours:
            opens, closes = _minutes(hours.opens) or 0, _minutes(hours.closes) or 0
            for day in hours.days:
                self._spans[DAYS.index(day)].append((opens, closes if closes > opens else closes + 24 * 60))

    def is_open(self, now: float, timezone: str) -> bool:
        """Whether it is open at a time in epoch seconds. `timezone` is the organization's."""
        at = datetime.fromtimestamp(now, zone(self._timezone or timezone))
        minute = at.hour * 60 + at.minute
        today, yesterday = at.date(), at.date() - timedelta(days=1)
        return self._opens(today, minute) or self._opens(yesterday, minute + 24 * 60)

    def changes(self, after: float, timezone: str) -> Iterator[float]:
        """The times after `after` at which it opens or closes, in order, for a year."""
        place = zone(self._timezone or timezone)
        day, was_open = datetime.fromtimestamp(after, place).date(), self.is_open(after, timezone)
        for days in range(_DAYS_AHEAD):
            for at in self._boundaries(day + timedelta(days), place):
                if at > after and self.is_open(at, timezone) != was_open:
                    after, was_open = at, not was_open
                    yield at

    def _boundaries(self, day: date, place: tzinfo) -> list[float]:
        """Times of a day between which it neither opens nor closes, in order."""
        yesterday = self._spans[(day - timedelta(days=1)).weekday()]
        minutes = {minute for span in self._spans[day.weekday()] for minute in span}
        minutes |= {minute - 24 * 60 for span in yesterday for minute in span}
        clock = [time(*divmod(minute, 60), fold=fold) for minute in minutes if 0 <= minute < 24 * 60 for fold in (0, 1)]
        found = {datetime.combine(day, at, place).timestamp() for at in clock}
        begins, ends = (datetime.combine(day + timedelta(days), time(), place) for days in (0, 1))
        if begins.utcoffset() != ends.utcoffset():  # an hour is skipped or repeated, and with it what is open
            found.update(range(int(begins.timestamp()), int(ends.timestamp()), _QUARTER_HOUR))
        return sorted(found)

    def _opens(self, day: date, minute: int) -> bool:
        text = day.isoformat()
        if text in self._holidays or text[5:] in self._holidays:
            return False
        return any(opens <= minute < closes for opens, closes in self._spans[day.weekday()])


def _minutes(text: str) -> int | None:
    """The minutes after midnight of a time such as `09:00`; None if it is not a time."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if found is None:
        return None
    minutes = int(found[1]) * 60 + int(found[2])
    return minutes if int(found[2]) < 60 and minutes <= 24 * 60 else None


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(f"2024-{text}" if len(text) == 5 else text)
    except ValueError:
        return False
    return len(text) in (5, 10)
