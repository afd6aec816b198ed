"""Results in Athena's form: texts, in pages of the API and as a CSV file in S3."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from local.athena.errors import QueryError, not_supported
from local.athena.types import athena_type

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class ResultColumn:
    """A column's name and DuckDB type."""

    name: str
    duckdb_type: str

    def info(self) -> dict[str, Any]:
        """Return the column as GetQueryResults describes it."""
        kind = athena_type(self.duckdb_type)
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": kind.name,
            "Precision": kind.precision,
            "Scale": kind.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": kind.name == "varchar",
        }


def texts(rows: Iterable[Sequence[Any]], columns: Sequence[ResultColumn]) -> list[Row]:
    """Return rows as Athena writes them.

    Raises:
        QueryError: a value whose form in Athena is not known, or an integer beyond 64 bits.
    """
    for column in columns:
        if column.duckdb_type == "HUGEINT":
            raise QueryError("NOT_SUPPORTED", f"Column {column.name} is a whole number of 128 bits in DuckDB")
        athena_type(column.duckdb_type)
    floats = [column.duckdb_type == "FLOAT" for column in columns]
    return [tuple(_text(value, short=short) for value, short in zip(row, floats, strict=True)) for row in rows]


def _text(value: Any, *, short: bool = False) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value, short=short)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        zone = ""
        if value.tzinfo is not None:
            value, zone = value.astimezone(UTC), " UTC"
        return f"{value.replace(tzinfo=None).isoformat(' ', 'milliseconds')}{zone}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _interval(value)
    if isinstance(value, list):
        return "[" + ", ".join(_inner(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inner(key)}={_inner(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bytes):
        return " ".join(f"{byte:02x}" for byte in value)
    raise not_supported(f"a result of type {type(value).__name__}")


def _inner(value: Any) -> str:
    text = _text(value)
    return "null" if text is None else text


def _float(value: float, *, short: bool) -> str:
    """The number in Java's form: with an exponent from ten million on and below a thousandth."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    digits = next(t for n in range(1, 10) if float(t := f"{value:.{n}g}") == value or n == 9) if short else repr(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        plain = f"{Decimal(digits):f}"
        return plain if "." in plain else f"{plain}.0"
    sign, figures, exponent = Decimal(digits).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  it is finite
    rest = "".join(map(str, figures[1:])) or "0"
    return f"{'-' if sign else ''}{figures[0]}.{rest}E{exponent + len(figures) - 1}"


def _interval(value: timedelta) -> str:
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    return f"{sign}{value.days} {hours:02}:{rest // 60:02}:{rest % 60:02}.{value.microseconds // 1000:03}"


def csv(columns: Sequence[ResultColumn], rows: Iterable[Row]) -> bytes:
    """Return the result file: every value in double quotes, NULL empty."""
    lines = [",".join(_quoted(column.name) for column in columns)]
    lines.extend(",".join("" if value is None else _quoted(value) for value in row) for row in rows)
    return ("\n".join(lines) + "\n").encode()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
