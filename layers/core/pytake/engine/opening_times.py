"""Asks and checks timetables. Hours are wall-clock times, so daylight saving needs no care."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from pytake.engine.dates import is_zone, zone
from pytake.engine.timetable import DAYS, Timetable


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
