"""Dates."""

from datetime import UTC, date, datetime

from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, typed_text

_MONTH_FIRST = ("US", None)


@validator("date")
def date_(validation: Validation, build: NodeBuild) -> Check:
    """An existing date from `min` to `max` (ISO dates or `today`), stored as `2026-12-31`.

    The day comes first. In English flows the month comes first if the receiving number is from the United States or from an
    unknown country. A two-digit year is the one nearest to the current year.
    """
    bounds = [_bound(validation, name, build) for name in ("min", "max")]
    english = build.language == "en"

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        if answer is None:
            return REFUSED
        today = datetime.fromtimestamp(run.context.now, UTC).date()
        found = read_date(answer, month_first=english and run.context.country in _MONTH_FIRST, this_year=today.year)
        least, most = (today if bound == "today" else bound for bound in bounds)
        if found is None or (isinstance(least, date) and found < least) or (isinstance(most, date) and found > most):
            return REFUSED
        return found.isoformat()

    return check


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


def _bound(validation: Validation, name: str, build: NodeBuild) -> date | str | None:
    value = validation.min if name == "min" else validation.max
    if value is None or value == "today":
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        build.problem("invalid_value", f"validation.{name}", "Enter a date such as 2026-12-31, or `today`.")
        return None
