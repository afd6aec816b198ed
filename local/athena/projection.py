"""Partition projection: partitions computed from a table's properties instead of registered.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.athena.catalogue import Table
from local.athena.errors import QueryError, not_supported

JAVA_DATE = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
WIDTHS = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
UNIT_OF = {"%Y": "YEARS", "%m": "MONTHS", "%d": "DAYS", "%H": "HOURS", "%M": "MINUTES", "%S": "SECONDS"}
LENGTHS = {"WEEKS": 604800, "DAYS": 86400, "HOURS": 3600, "MINUTES": 60, "SECONDS": 1}


@dataclass(frozen=True)
class Projected:
    """The partitions that a column's projection defines.

    Attributes:
        pattern: of a value in a path, as a regular expression.
        has: whether a value is one of them.
        injected: values come from the query alone, which must name them.
    """

    pattern: str
    has: Callable[[str], bool]
    injected: bool = False


def projection_of(table: Table, column: str, now: datetime) -> Projected:
    """Return the projection of one partition key from the table's properties.

    Args:
        table: with `projection.…` properties.
        column: the key's name.
        now: what NOW in a range means.

    Raises:
        QueryError: a property is missing or wrong.
    """
    properties = {
        name.removeprefix(f"projection.{column}."): value
        for name, value in table.parameters.items()
        if name.startswith(f"projection.{column}.")
    }
    kind = properties.get("type", "").strip().lower()
    try:
        if kind == "injected":
            return Projected("[^/]+", lambda _value: True, injected=True)
        if kind == "enum":
            values = properties["values"].split(",")
            return Projected("|".join(re.escape(value) for value in values), set(values).__contains__)
        if kind == "integer":
            return _integers(properties)
        if kind == "date":
            return _dates(properties, now)
    except (KeyError, ValueError) as problem:
        raise _invalid(table, column, str(problem)) from problem
    raise _invalid(table, column, f"type {kind!r}")


def _invalid(table: Table, column: str, what: str) -> QueryError:
    message = f"Table {table.database}.{table.name} has an invalid projection of column {column}: {what}"
    return QueryError("INVALID_TABLE_PROPERTY", message)


def _integers(properties: dict[str, str]) -> Projected:
    low, high = (int(end) for end in properties["range"].split(","))
    step, digits = int(properties.get("interval", "1")), int(properties.get("digits", "0"))

    def has(value: str) -> bool:
        number = int(value)
        return low <= number <= high and (number - low) % step == 0 and value == f"{number:0{digits}d}"

    return Projected(r"-?\d+", has)


def _dates(properties: dict[str, str], now: datetime) -> Projected:
    parts = [part for part in re.split(r"(yyyy|MM|dd|HH|mm|ss|'[^']*')", properties["format"].strip()) if part]
    if any(part not in JAVA_DATE and re.search("[A-Za-z]", part) and not part.startswith("'") for part in parts):
        raise not_supported(f"the date format {properties['format']}")
    written = [JAVA_DATE.get(part, part.strip("'").replace("%", "%%")) for part in parts]
    pattern = "".join(rf"\d{{{WIDTHS[part]}}}" if part in WIDTHS else re.escape(part) for part in written)
    form = "".join(written)
    smallest = next(unit for part, unit in reversed(UNIT_OF.items()) if part in written)
    unit = properties.get("interval.unit", smallest).strip().upper()
    unit = unit if unit.endswith("S") else f"{unit}S"
    step = int(properties.get("interval", "1"))

    def end(text: str) -> datetime:
        moment = _moment(text.strip(), form, now)
        return datetime.strptime(moment.strftime(form), form).replace(tzinfo=UTC)

    low, high = (end(text) for text in properties["range"].split(","))

    def has(value: str) -> bool:
        moment = datetime.strptime(value, form).replace(tzinfo=UTC)
        if not low <= moment <= high:
            return False
        if unit in LENGTHS:
            return (moment - low).total_seconds() % (LENGTHS[unit] * step) == 0
        months = (moment.year - low.year) * 12 + moment.month - low.month
        return months % (step * (12 if unit == "YEARS" else 1)) == 0 and moment.day == low.day

    return Projected(pattern, lambda value: re.fullmatch(pattern, value) is not None and has(value))


def _moment(text: str, form: str, now: datetime) -> datetime:
    relative = re.fullmatch(r"NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?", text)
    if relative is None:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    sign, count, unit = relative.groups()
    if sign is None:
        return now
    amount = int(count) * (1 if sign == "+" else -1)
    if f"{unit}S" in LENGTHS:
        return now + timedelta(seconds=amount * LENGTHS[f"{unit}S"])
    month = now.year * 12 + now.month - 1 + amount * (12 if unit == "YEAR" else 1)
    day = now.day
    while True:
        try:
            return now.replace(year=month // 12, month=month % 12 + 1, day=day)
        except ValueError:  # 31 February
            day -= 1
