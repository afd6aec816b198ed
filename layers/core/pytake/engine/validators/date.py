"""Dates."""

from datetime import date, datetime

from pytake.engine.dates import month_first, read_date, zone
from pytake.engine.execution import Execution
from pytake.engine.field_types import Validation
from pytake.engine.node_build import NodeBuild
from pytake.engine.registry import Check, validator
from pytake.engine.validation import REFUSED, typed_text


@validator("date")
def date_(validation: Validation, build: NodeBuild) -> Check:
    """An existing date from `min` to `max` (ISO dates or `today`), stored as `2026-12-31`.

    The day comes first. In English flows the month comes first if the receiving number is from the United States or from an
    unknown country. A two-digit year is the one nearest to the current year. `today` is the day in the organization's time zone.
    """
    bounds = [_bound(validation, name, build) for name in ("min", "max")]

    def check(run: Execution) -> object:
        answer = typed_text(run.input)
        if answer is None:
            return REFUSED
        today = datetime.fromtimestamp(run.context.now, zone(run.context.timezone)).date()
        starts_with_month = month_first(build.language, run.context.country)
        found = read_date(answer, month_first=starts_with_month, this_year=today.year)
        least, most = (today if bound == "today" else bound for bound in bounds)
        if found is None or (isinstance(least, date) and found < least) or (isinstance(most, date) and found > most):
            return REFUSED
        return found.isoformat()

    return check


def _bound(validation: Validation, name: str, build: NodeBuild) -> date | str | None:
    value = validation.min if name == "min" else validation.max
    if value is None or value == "today":
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        build.problem("invalid_value", f"validation.{name}", "Enter a date such as 2026-12-31, or `today`.")
        return None
