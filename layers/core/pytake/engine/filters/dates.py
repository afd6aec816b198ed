"""Filters for dates and times, in the organization's time zone."""

from datetime import date, datetime
from typing import Any

from pytake.engine.calculation import CalculationError
from pytake.engine.dates import (
    Moment,
    default_pattern,
    formatted,
    later,
    moment_of,
    month_first,
    parse_duration,
    read_date,
    text_of,
    zone,
)
from pytake.engine.filters.filter import Filter, Setting
from pytake.engine.values import as_number


def _moment(value: Any, at: Setting) -> Moment:
    """The moment that a stored value or a person's text means."""
    where = zone(at.timezone)
    try:
        return moment_of(value, where)
    except CalculationError:
        today = datetime.fromtimestamp(at.now, where).date()
        found = read_date(str(value), month_first=month_first(at.language, at.country), this_year=today.year)
        if found is None:
            raise
        return found


def _date(value: Any, pattern: Any = None, *, at: Setting) -> str:
    return formatted(_moment(value, at), str(pattern or default_pattern(at.language, at.country)), at.language)


def _add_time(value: Any, amount: Any, unit: Any = "", *, at: Setting) -> str:
    number = as_number(amount)
    duration = parse_duration(f"{amount if number is None else number} {unit}")
    if duration is None:
        raise CalculationError("not_a_number")
    return text_of(later(_moment(value, at), duration, zone(at.timezone)))


def _days_until(value: Any, *, at: Setting) -> int:
    found = _moment(value, at)
    day: date = found.date() if isinstance(found, datetime) else found
    return (day - datetime.fromtimestamp(at.now, zone(at.timezone)).date()).days


DATE_FILTERS: dict[str, Filter] = {
    "date": Filter(_date, 0, 1, in_setting=True),
    "add_time": Filter(_add_time, 1, 2, in_setting=True, reads=True),
    "days_until": Filter(_days_until, in_setting=True),
}
