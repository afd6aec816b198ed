"""Dates and times as texts: `2026-12-31`, and `2026-12-31T18:30:00-03:00` in the organization's time zone."""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from pytake.engine.calculation import CalculationError
from pytake.engine.texts import Language
from pytake.engine.values import as_number

Moment = date | datetime
"""A day, or a point in time in the organization's time zone."""

_MILLISECONDS = 100_000_000_000  # a larger number is not a time in seconds
_TOKENS = r"\[[^\]]*\]|YYYY|YY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|A|a|ZZ|Z"
_LONGEST = {"YYYY": 4, "MMMM": 10, "MMM": 3, "dddd": 13, "ddd": 3, "ZZ": 5, "Z": 6}  # of any other token: 2
_MONTHS: dict[Language, tuple[str, ...]] = {
    "pt_BR": (
        *("janeiro", "fevereiro", "março", "abril", "maio", "junho"),
        *("julho", "agosto", "setembro", "outubro", "novembro", "dezembro"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "es": (
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
}
_WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "pt_BR": ("segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_UNITS = ("second", "minute", "hour", "day", "week", "month", "year")


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The time zone with this IANA name; UTC if there is none."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo  # only organizations with a time zone load it

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return UTC


def is_zone(name: str) -> bool:
    """Whether there is a time zone with this IANA name.

    The database has more files than names: `posixrules`, `localtime` and `right/UTC` depend on the machine.
    """
    return name in _zones()


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    from importlib.resources import files  # slow, and few flows name a time zone

    return frozenset(files("tzdata").joinpath("zones").read_text().split()) - {"Factory"}  # not the time of any place


def text_of(moment: Moment) -> str:
    """The text in which a day or a point in time is stored."""
    return moment.isoformat(timespec="seconds") if isinstance(moment, datetime) else moment.isoformat()


def moment_of(value: Any, where: tzinfo) -> Moment:
    """The day or point in time that a stored value means: an ISO 8601 text, or a number of seconds since 1970.

    A time without an offset is one in the zone `where`. Raises CalculationError.
    """
    try:
        number = as_number(value)
        if number is not None:
            seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
            return datetime.fromtimestamp(seconds, where)
        text = value.strip() if isinstance(value, str) else ""
        if len(text) == 10:
            return date.fromisoformat(text)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise CalculationError("not_a_date") from None
    try:
        return found.replace(tzinfo=where) if found.tzinfo is None else found.astimezone(where)
    except (ValueError, OverflowError):
        raise CalculationError("not_a_date") from None


def read_date(text: str, *, month_first: bool, this_year: int) -> date | None:
    """The date in a text that a person wrote; None if it is not a date."""
    parts = text.translate({ord(mark): " " for mark in "/-."}).split()
    if len(parts) != 3 or not all(part.isdecimal() and part.isascii() and len(part) <= 4 for part in parts):
        return None
    if len(parts[0]) == 4:
        year, month, day = map(int, parts)
    else:
        day, month, year = map(int, parts)
        if (month_first and day <= 12) or month > 12:
            day, month = month, day
        if len(parts[2]) <= 2:
            year += this_year - this_year % 100
            year += 100 if year < this_year - 50 else -100 if year >= this_year + 50 else 0
    try:
        return date(year, month, day)
    except ValueError:
        return None


def month_first(language: Language, country: str | None) -> bool:
    """Whether people write the month before the day: in English, in the United States or in an unknown country."""
    return language == "en" and country in ("US", None)


def default_pattern(language: Language, country: str | None) -> str:
    """How people write dates in the language of a text and the country of a number."""
    return "MM/DD/YYYY" if month_first(language, country) else "DD/MM/YYYY"


def formatted(moment: Moment, pattern: str, language: Language) -> str:
    """A day or a point in time in a pattern such as `DD/MM/YYYY HH:mm`. A text in brackets is written as it is."""
    at = moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return re.sub(_TOKENS, lambda found: _part(found[0], at, language), pattern)


def longest_formatted(pattern: str) -> int:
    """The largest number of characters that `formatted` gives for this pattern."""
    tokens = re.findall(_TOKENS, pattern)
    most = sum(len(token) - 2 if token[0] == "[" else _LONGEST.get(token, 2) for token in tokens)
    return len(pattern) - sum(map(len, tokens)) + most


def _part(lexeme: str, at: datetime, language: Language) -> str:
    if lexeme[0] == "[":
        return lexeme[1:-1]
    hour = at.hour % 12 or 12
    match lexeme:
        case "YYYY":
            return f"{at.year:04}"
        case "YY":
            return f"{at.year % 100:02}"
        case "MMMM":
            return _MONTHS[language][at.month - 1]
        case "MMM":
            return _MONTHS[language][at.month - 1][:3]
        case "dddd":
            return _WEEKDAYS[language][at.weekday()]
        case "ddd":
            return _WEEKDAYS[language][at.weekday()][:3]
        case "A" | "a":
            mark = "AM" if at.hour < 12 else "PM"
            return mark if lexeme == "A" else mark.lower()
        case "Z" | "ZZ":
            offset = at.strftime("%z")[:5] or "+0000"
            return offset if lexeme == "ZZ" else f"{offset[:3]}:{offset[3:]}"
    values = {"M": at.month, "D": at.day, "H": at.hour, "h": hour, "m": at.minute, "s": at.second}
    value = values[lexeme[0]]
    return f"{value:02}" if len(lexeme) == 2 else str(value)


def parse_duration(text: str) -> list[tuple[int, str]] | None:
    """The amounts and units of a text such as `7 days` or `-1 month 12 hours`; None if it is not a duration."""
    words = text.lower().split()
    found: list[tuple[int, str]] = []
    for amount, unit in zip(words[::2], words[1::2], strict=False):
        name = unit.removesuffix("s")
        digits = amount.removeprefix("-").removeprefix("+")
        if name not in _UNITS or not digits.isdecimal() or not digits.isascii() or len(digits) > 9:
            return None
        found.append((int(amount), name))
    return found if found and len(words) % 2 == 0 else None


def later(moment: Moment, duration: list[tuple[int, str]], where: tzinfo) -> Moment:
    """The moment after a duration. Days, weeks, months and years keep the time of day. Raises CalculationError."""
    try:
        for amount, unit in duration:
            if unit in ("month", "year"):
                moment = _months_later(moment, amount * (12 if unit == "year" else 1))
            elif unit in ("day", "week"):
                moment += timedelta(days=amount * (7 if unit == "week" else 1))
            else:
                at = moment if isinstance(moment, datetime) else datetime(*moment.timetuple()[:3], tzinfo=where)
                moment = (at.astimezone(UTC) + timedelta(**{f"{unit}s": amount})).astimezone(where)
        # A time of day that the clocks skip becomes the one an hour later.
        return moment.astimezone(UTC).astimezone(where) if isinstance(moment, datetime) else moment
    except (ValueError, OverflowError):
        raise CalculationError("too_large") from None


def _months_later(moment: Moment, months: int) -> Moment:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise CalculationError("too_large")
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
