"""When follow-ups are due. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from pytake.conversation.sequences.records import ZONE_FIELD, Step
from pytake.engine.calculation import CalculationError
from pytake.engine.dates import is_zone, moment_of, read_date, zone
from pytake.engine.values import plain_text

_DATE = re.compile(r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}[/.]\d{1,2}[/.]\d{1,2})(?:,? +(\d{1,2}):(\d{2}(?::\d{2})?))?")


def zone_of(fields: Mapping[str, Any], timezone: str) -> tzinfo:
    """The time zone of a person: their own, or that of the organization."""
    own = fields.get(ZONE_FIELD)
    return zone(own if isinstance(own, str) and own and is_zone(own) else timezone)


def anchor_of(value: Any) -> str:
    """A date as the anchor of an occurrence: equal values are one occurrence."""
    return plain_text(value).strip()


def due_on_date(step: Step, value: Any, where: tzinfo, country: str | None = None) -> float | None:
    """When a step is due for the date in a contact's field; None if the field has no date.

    `country` is that of the sequence's number: `02/03/2026`, as spreadsheets write it, is a day in February in the United States
    alone.
    """
    try:
        moment = moment_of(value, where)
    except CalculationError:
        written = _written(value, where, month_first=country == "US")
        if written is None:
            return None
        moment = written
    begin = moment.astimezone(where) if isinstance(moment, datetime) else datetime.combine(moment, time(), where)
    return _due(step, begin)


def _written(value: Any, where: tzinfo, *, month_first: bool) -> datetime | None:
    """The date of a text such as `25/12/2026` or `25/12/2026 14:30`, whose year has four digits."""
    found = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    day = read_date(found[1], month_first=month_first, this_year=0) if found is not None else None
    if found is None or day is None:
        return None
    try:
        at = time.fromisoformat(f"{found[2].zfill(2)}:{found[3]}") if found[2] else time()
    except ValueError:
        return None
    return datetime.combine(day, at, where)


def due_after(step: Step, base: float, where: tzinfo) -> float | None:
    """When a step is due after a silence that began at `base`. A local time that has passed on that day is that of the next."""
    begin = datetime.fromtimestamp(base, where)
    due = _due(step, begin)
    if due is not None and step.at is not None and due < base:
        due = _due(step, begin + timedelta(days=1))
    return due


def _due(step: Step, begin: datetime) -> float | None:
    try:
        due = begin + timedelta(days=step.days)  # on the local clock: days differ in length when it is changed
        if step.at is not None:
            due = datetime.combine(due.date(), time.fromisoformat(step.at), due.tzinfo)
        return (due.astimezone(UTC) + timedelta(hours=step.hours)).timestamp()
    except (OverflowError, ValueError):
        return None
